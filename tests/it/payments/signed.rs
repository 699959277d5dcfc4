//! Who may tell us something: signatures by Stripe's own library for Python count, and nothing else does.

use super::stage::{SECRETS, START, Stage};
use crate::harness::{BOTH, Host};
use crate::venv;
use orla::on;
use orla_vendors::stripe::sign;
use serde_json::{Value, json};
use tokio::process::Command;

/// Signs each line of its input by each secret, as `secret moment` says, and prints the header.
const SIGN: &str = "
import json, sys, stripe
for line in json.loads(sys.argv[1]):
    signature = stripe.WebhookSignature._compute_signature(f\"{line['t']}.{line['body']}\", line['secret'])
    print(f\"t={line['t']},v1={signature}\")
";

async fn by_the_library(body: &str, moment: i64, secrets: &[&str]) -> Vec<String> {
    let python = venv::python("stripe==16.1.0").await;
    let lines: Vec<Value> = secrets.iter().map(|secret| json!({"t": moment, "body": body, "secret": secret})).collect();
    let output = Command::new(python).args(["-c", SIGN, &json!(lines).to_string()]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

async fn recorded(host: &Host) -> i64 {
    let mut tx = host.app.db().read().await.unwrap();
    on!(&mut tx, conn => sqlx::query_scalar("select count(*) from payment_events").fetch_one(conn).await).unwrap()
}

fn event(id: &str, live: bool) -> String {
    json!({"id": id, "object": "event", "type": "product.created", "livemode": live, "data": {"object": {"id": "prod_1"}}})
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_official_library_signs_counts_by_either_secret() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let secrets: Vec<&str> = SECRETS.split(',').collect();
        let body = event("evt_signed", false);
        for (header, secret) in by_the_library(&body, START, &secrets).await.iter().zip(&secrets) {
            assert_eq!(*header, sign(secret, &body, START));
            stage.send_as(&body, Some(header)).await.expect(204);
            let both = format!("{header},v1={}", "00".repeat(32));
            stage.send_as(&body, Some(&both)).await.expect(204);
        }
        assert_eq!(recorded(&stage.host).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_else_comes_changes_nothing() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let body = event("evt_forged", false);
        let right = by_the_library(&body, START, &["whsec_orla_demo"]).await.remove(0);
        let of = |secret: &str, seconds: i64| sign(secret, &body, seconds);
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&body).unwrap()).unwrap();
        for (what, body, header) in [
            ("tampered", body.replace("evt_forged", "evt_forgee"), Some(right.clone())),
            ("re-serialised", pretty, Some(right.clone())),
            ("stale", body.clone(), Some(of("whsec_orla_demo", START - 301))),
            ("of the future", body.clone(), Some(of("whsec_orla_demo", START + 301))),
            ("by another secret", body.clone(), Some(of("whsec_other", START))),
            ("missing", body.clone(), None),
            ("empty", body.clone(), Some(String::new())),
            ("of another scheme", body.clone(), Some(right.replace("v1", "v0"))),
        ] {
            let answer = stage.send_as(&body, header.as_deref()).await;
            assert_eq!((answer.status.as_u16(), &answer.body["code"]), (400, &json!("malformed_request")), "{what}");
        }
        for body in [
            event("evt_live", true),
            "{}".to_owned(),
            "[".repeat(100_000),
            "not JSON".to_owned(),
            json!({"id": "evt_thin", "object": "v2.core.event", "type": "x", "data": {"object": {}}}).to_string(),
        ] {
            stage.send(&body).await.refused(400, "malformed_request");
        }
        stage.send(&"x".repeat(2 << 20)).await.refused(413, "body_too_large");
        assert_eq!(recorded(&stage.host).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_payments_says_so() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        ada.post("/payment/create-checkout-session", &json!({"credits": 500})).await.refused(503, "not_configured");
        ada.post("/payment/stripe/webhook", &json!({})).await.refused(404, "not_found");
        assert_eq!(ada.get("/payment/plans").await.expect(200)["tiers"].as_array().unwrap().len(), 4);
    }
}

//! What a receiver can rely on: the signature, by the library of Standard Webhooks for Python, and the secrets' exchange.

use super::receiver::{Got, Receiver};
use super::{DAY, HOUR, Hands, again, endpoint, host, host_at, path, publish};
use crate::harness::{BOTH, Person};
use crate::venv;
use serde_json::{Value, json};
use std::path::Path;
use tokio::process::Command;

/// The library, as its package index calls it.
const PACKAGE: &str = "standardwebhooks==1.1.0";
const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn rotate(person: &Person, hook: &Value) -> String {
    let rotated = person.post(&path(hook, "/rotate"), &json!({})).await.expect(200);
    rotated["secret"].as_str().unwrap().to_owned()
}

fn secret(created: &Value) -> String {
    created["secret"].as_str().unwrap().to_owned()
}

fn case(got: &Got, secret: &str, good: bool) -> Value {
    let headers: serde_json::Map<String, Value> =
        got.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into())).collect();
    json!({"secret": secret, "headers": headers, "body": String::from_utf8(got.body.clone()).unwrap(), "good": good})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_library_verifies_what_is_sent_and_nothing_else() {
    let python = venv::python(PACKAGE).await;
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        let words = json!({"description": "Grüße, 世界 🥐"});
        ada.call(reqwest::Method::PATCH, &path(&hook, ""), Some(&words)).await.expect(200);
        let first = secret(&hook);
        publish(&ada, "hello").await;
        let got = receiver.takes(1).await.remove(0);
        let second = rotate(&ada, &hook).await;
        ada.post(&path(&hook, "/test"), &json!({})).await.expect(202);
        let both = receiver.takes(2).await.remove(1);
        let mut tampered = got.clone();
        let at = tampered.body.iter().position(|byte| *byte == b'1').unwrap();
        tampered.body[at] = b'2';
        let mut renamed = got.clone();
        renamed.headers.insert("webhook-id", both.headers["webhook-id"].clone());
        let mut later = got.clone();
        let sent: i64 = got.headers["webhook-timestamp"].to_str().unwrap().parse().unwrap();
        later.headers.insert("webhook-timestamp", (sent + 1).into());
        let cases = json!([
            case(&got, &first, true),
            case(&got, &second, false),
            case(&got, OTHER, false),
            case(&tampered, &first, false),
            case(&renamed, &first, false),
            case(&later, &first, false),
            case(&both, &first, true),
            case(&both, &second, true),
            case(&both, OTHER, false),
        ]);
        let file = host.data.path().join("cases.json");
        std::fs::write(&file, cases.to_string()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/webhooks/judge.py");
        venv::run(Command::new(&python).arg(script).arg(&file), "The library for Python judges otherwise").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_has_the_form_of_the_standard() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        endpoint(&ada, &receiver, &[]).await;
        let done = publish(&ada, "hello").await;
        let got = receiver.takes(1).await.remove(0);
        let told = got.json();
        assert_eq!(got.headers["content-type"], "application/json");
        assert!(got.headers["user-agent"].to_str().unwrap().starts_with("Orla/"));
        assert_eq!((&told["type"], &told["workspace_id"]), (&json!("publication.published"), &json!(ada.workspace)));
        let mut members: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["data", "sequence", "timestamp", "type", "workspace_id"]);
        assert_eq!(told["timestamp"], done["finished_at"]);
        let data = &told["data"];
        for member in ["id", "state", "platform", "connector", "connection_id", "receipt", "fault", "attempts"] {
            assert_eq!(data[member], done[member], "{member}: {told:#}");
        }
        assert_eq!(data["kind"], "post");
        assert!(data["receipt"][0]["url"].is_string(), "{told:#}");
        assert!(!got.body.windows(5).any(|bytes| bytes == b"hello"), "who is told may ask for what stands in it");
        // The list says the same.
        let listed = ada.get("/events").await.expect(200);
        let listed = &listed["items"][0];
        assert_eq!((&listed["id"], &listed["data"]), (&json!(got.id), data), "{listed:#}");
        assert_eq!((&listed["subject_id"], &listed["sequence"]), (&data["id"], &told["sequence"]));
    }
}

/// Which of these secrets has signed, and how many signatures there are.
fn signed_by(got: &Got, secrets: &[&String]) -> (Vec<bool>, usize) {
    let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
    let signatures = header("webhook-signature");
    let signatures: Vec<&str> = signatures.split(' ').collect();
    let by = secrets.iter().map(|secret| {
        let key = standardwebhooks::Webhook::new(secret).unwrap();
        let wanted = key.sign(&got.id, header("webhook-timestamp").parse().unwrap(), &got.body).unwrap();
        signatures.contains(&wanted.as_str())
    });
    (by.collect(), signatures.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_day_after_a_rotation_either_secret_verifies() {
    for backend in BOTH {
        let (receiver, hands) = (Receiver::start().await, Hands::now());
        let host = host_at(backend, hands.clock(), &[&receiver]).await;
        let ada = host.person("ada").await;
        let hook = endpoint(&ada, &receiver, &["ping"]).await;
        let (first, second) = (secret(&hook), rotate(&ada, &hook).await);
        assert_ne!(first, second);
        let both = [&first, &second];
        let told = async |person: &Person, count| {
            person.post(&path(&hook, "/test"), &json!({})).await.expect(202);
            receiver.takes(count).await.pop().unwrap()
        };
        assert_eq!(signed_by(&told(&ada, 1).await, &both), (vec![true, true], 2));
        hands.forward(23 * HOUR);
        let ada = again(&host, "ada").await;
        assert_eq!(signed_by(&told(&ada, 2).await, &both), (vec![true, true], 2));
        hands.forward(HOUR);
        let ada = again(&host, "ada").await;
        assert_eq!(signed_by(&told(&ada, 3).await, &both), (vec![false, true], 1));
        // Nobody can make the host sign without end.
        for _ in 0..4 {
            rotate(&ada, &hook).await;
        }
        ada.post(&path(&hook, "/rotate"), &json!({})).await.refused(409, "too_many_secrets");
        hands.forward(DAY);
        let ada = again(&host, "ada").await;
        let last = rotate(&ada, &hook).await;
        let shown = ada.get(&path(&hook, "")).await.expect(200).to_string();
        assert!(!shown.contains("whsec_"), "{shown}");
        assert_eq!(signed_by(&told(&ada, 4).await, &[&last, &second]), (vec![true, false], 2));
    }
}

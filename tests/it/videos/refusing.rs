//! What is refused before anything is held, and what is taken back before the vendor has begun.

use super::{PRICE, ask, balance, connected, google, host, until};
use crate::harness::BOTH;
use orla_vendors::vertex::{Fault, Mode, Settings};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_model_does_not_take_is_refused_before_anything_is_held() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = host.person("ada").await;
        let wish = json!({"prompt": "A lighthouse"});
        ask(&ada, "none", &wish).await.refused(409, "not_connected");
        let ada = connected(&host, &sim, 1).await;
        for (member, value) in [
            ("prompt", json!(" ")),
            ("prompt", json!("a".repeat(4_001))),
            ("prompt", json!("a\u{0}b")),
            ("negative_prompt", json!("a".repeat(1_001))),
            ("duration_seconds", json!(5)),
            ("duration_seconds", json!(0)),
            ("aspect_ratio", json!("1:1")),
            ("resolution", json!("4k")),
            ("seed", json!(1_u64 << 32)),
            ("model", json!("../x")),
            ("image", json!("01890000-0000-7000-8000-000000000000")),
        ] {
            let mut wish = wish.clone();
            wish[member] = value;
            let answer = ask(&ada, "bad", &wish).await;
            assert!(answer.body.to_string().contains(member), "{member}: {}", answer.body);
            answer.refused(422, "invalid_input");
        }
        for unreadable in [json!({"prompt": "x", "surprise": 1}), json!({"prompt": "x", "seed": -1}), json!({})] {
            ask(&ada, "bad", &unreadable).await.refused(400, "malformed_request");
        }
        assert_eq!(balance(&ada).await, (PRICE, 0));
        assert!(sim.operations().is_empty(), "nothing was asked of the vendor");
        // Two at once, and credits for one.
        let taken = ask(&ada, "one", &wish).await.expect(202);
        ask(&ada, "two", &wish).await.refused(402, "insufficient_credits");
        until(&ada, taken["id"].as_str().unwrap(), |video| video["state"] == "completed").await;
        ask(&ada, "three", &wish).await.refused(402, "insufficient_credits");
        assert_eq!((sim.operations().len(), balance(&ada).await), (1, (0, 0)));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_is_taken_back_only_before_the_vendor_has_begun() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { looks: 1_000_000, ..google() }).await;
        let ada = connected(&host, &sim, 2).await;
        let wish = json!({"prompt": "A lighthouse"});
        // One that was begun goes on.
        let id = ask(&ada, "begun", &wish).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &id, |video| video["progress"]["begun_at"].is_string()).await;
        let cancel = format!("/ai/video/{id}/cancel");
        ada.post(&cancel, &Value::Null).await.refused(409, "under_way");
        sim.change(|settings| settings.looks = 0);
        until(&ada, &id, |video| video["state"] == "completed").await;
        ada.post(&cancel, &Value::Null).await.refused(409, "not_cancellable");
        // One that the vendor did not take in yet does not.
        let limit = Mode::Status(orla_vendors::vertex::Canned {
            status: 429,
            retry_after_s: Some(3_600),
            ..orla_vendors::vertex::Canned::default()
        });
        sim.fault(Fault::on("POST", &sim.method("predictLongRunning"), limit));
        let id = ask(&ada, "limited", &wish).await.expect(202)["id"].as_str().unwrap().to_owned();
        let waits = until(&ada, &id, |video| video["state"] == "pending").await;
        assert_eq!(waits["fault"]["kind"], "rate-limited", "{waits:#}");
        assert_eq!(balance(&ada).await, (PRICE, PRICE));
        let cancel = format!("/ai/video/{id}/cancel");
        let cancelled = ada.post(&cancel, &Value::Null).await.expect(200);
        assert_eq!((cancelled["state"].as_str(), balance(&ada).await), (Some("cancelled"), (PRICE, 0)));
        assert_eq!(cancelled["receipt"]["credits_charged"], 0, "{cancelled:#}");
        assert_eq!(ada.post(&cancel, &Value::Null).await.expect(200)["state"], "cancelled");
        assert_eq!(sim.operations().len(), 1);
        host.check_books().await;
    }
}

//! Endpoints: made, changed, tried out, forgotten, and told only what they want to be told.

use super::receiver::{Mood, Receiver};
use super::{deliveries, endpoint, host, path, publish, settled};
use crate::harness::{BOTH, Fault, Mode};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_told_what_it_wants_to_be_told() {
    for backend in BOTH {
        let (all, failures, nothing) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        let host = host(backend, &[&all, &failures, &nothing]).await;
        let (ada, bob) = (host.connected("ada", "twitter").await, host.connected("bob", "twitter").await);
        endpoint(&ada, &all, &[]).await;
        let changing = endpoint(&ada, &failures, &["publication.failed", "publication.delayed"]).await;
        // Who is told of another workspace hears nothing of this one.
        endpoint(&bob, &nothing, &[]).await;
        publish(&ada, "fine").await;
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::status(429)).times(2));
        publish(&ada, "fine in the end").await;
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::status(403)));
        assert_eq!(publish(&ada, "not fine").await["state"], "failed");
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutAfter));
        let lost = publish(&ada, "lost and found").await;
        let took = all.takes(6).await;
        settled(&host).await;
        let of_lost = took.iter().filter(|got| got.subject() == lost["id"].as_str().unwrap());
        let of_lost: Vec<String> = of_lost.map(|got| got.kind()).collect();
        assert_eq!(of_lost, ["publication.uncertain", "publication.published"]);
        let (published, failed, delayed) = ("publication.published", "publication.failed", "publication.delayed");
        assert_eq!(all.kinds().iter().filter(|kind| *kind == published).count(), 3, "{:?}", all.kinds());
        let mut kinds = failures.kinds();
        kinds.sort();
        assert_eq!(kinds, [delayed, failed], "of failures in a row, the first");
        let told = failures.took().into_iter().find(|got| got.kind() == failed).unwrap().json();
        assert!(told["data"]["fault"]["kind"].is_string() && told["data"]["receipt"].is_null(), "{told:#}");
        assert!(nothing.got().is_empty());
        // Another wish holds from now on.
        let wish = json!({"types": ["publication.published"], "description": "only the good ones"});
        let changed = ada.call(Method::PATCH, &path(&changing, ""), Some(&wish)).await.expect(200);
        assert_eq!((&changed["types"], &changed["url"]), (&wish["types"], &changing["url"]), "{changed:#}");
        publish(&ada, "fine again").await;
        failures.takes(3).await;
        assert_eq!(failures.kinds()[2], published);
        assert_eq!(ada.get("/events").await.expect(200)["items"].as_array().unwrap().len(), 7);
        assert_eq!(bob.get("/events").await.expect(200)["items"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_tried_out_once_and_says_what_came_of_it() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let hook = endpoint(&ada, &receiver, &["credits.low"]).await;
        let test = async || ada.post(&path(&hook, "/test"), &json!({})).await.expect(202)["event_id"].clone();
        let sent = test().await;
        assert_eq!(receiver.takes(1).await[0].id, sent.as_str().unwrap());
        assert_eq!(receiver.took()[0].kind(), "ping", "whatever it wants to be told");
        settled(&host).await;
        let shown = deliveries(&ada, &hook, "?state=delivered").await;
        assert_eq!(
            (&shown[0]["event_id"], &shown[0]["status"], &shown[0]["attempts"]),
            (&sent, &json!(200), &json!(1))
        );
        assert_eq!(
            (&shown[0]["excerpt"], &shown[0]["type"]),
            (&json!("what I say of it"), &json!("ping")),
            "{shown:#?}"
        );
        receiver.be(Mood::Answer(500));
        test().await;
        receiver.gets(2).await;
        receiver.be(Mood::Redirect);
        test().await;
        receiver.gets(3).await;
        receiver.be(Mood::Hang);
        test().await;
        receiver.gets(4).await;
        let mut failed = Vec::new();
        for _ in 0..200 {
            failed = deliveries(&ada, &hook, "?state=failed").await;
            if failed.len() == 3 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        let words: Vec<&str> = failed.iter().map(|one| one["words"].as_str().unwrap()).collect();
        assert!(words.len() == 3 && words[0].contains("did not answer"), "{words:?}");
        assert!(words[1].contains("redirects are not followed") && words[2].contains("500"), "{words:?}");
        assert!(failed[0]["status"].is_null() && failed.iter().all(|one| one["attempts"] == 1), "{failed:#?}");
        let page = ada.get(&path(&hook, "/deliveries?limit=3")).await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = ada.get(&path(&hook, &format!("/deliveries?limit=3&cursor={cursor}"))).await.expect(200);
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
        for query in ["?limit=0", "?limit=101"] {
            ada.get(&path(&hook, &format!("/deliveries{query}"))).await.refused(422, "invalid_input");
        }
        for query in ["?state=lost", "?cursor=x", "?surprise=1"] {
            ada.get(&path(&hook, &format!("/deliveries{query}"))).await.refused(400, "malformed_request");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_told_nothing_more() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.connected("ada", "twitter").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        receiver.be(Mood::Answer(500));
        publish(&ada, "nobody will know").await;
        receiver.gets(1).await;
        ada.delete(&path(&hook, "")).await.expect(204);
        ada.get(&path(&hook, "")).await.refused(404, "not_found");
        ada.delete(&path(&hook, "")).await.refused(404, "not_found");
        assert_eq!(ada.get("/webhooks").await.expect(200), json!({"items": []}));
        assert_eq!(publish(&ada, "nor this").await["state"], "published");
        assert_eq!(receiver.got().len(), 1);
        let events = ada.get("/events").await.expect(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1, "nobody wanted the second: {events:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_that_make_no_sense_are_refused() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let url = receiver.url();
        for types in [json!(["publication.*"]), json!(["published"]), json!("ping"), json!([1])] {
            ada.post("/webhooks", &json!({"url": url, "types": types})).await.refused(400, "malformed_request");
        }
        for description in ["two\nlines".to_owned(), "x".repeat(201)] {
            let wish = json!({"url": url, "description": description});
            ada.post("/webhooks", &wish).await.refused(422, "invalid_input");
        }
        let hook = endpoint(&ada, &receiver, &[]).await;
        for wish in [json!({}), json!({"event_id": hook["id"], "failed_since": hook["created_at"]})] {
            ada.post(&path(&hook, "/replay"), &wish).await.refused(422, "invalid_input");
        }
        ada.post(&path(&hook, "/replay"), &json!({"event_id": hook["id"]})).await.refused(404, "not_found");
        let long = json!({"description": "x".repeat(201)});
        ada.call(Method::PATCH, &path(&hook, ""), Some(&long)).await.refused(422, "invalid_input");
        // Twenty, however many ask at once.
        let wishes = (1..25).map(|_| {
            let (ada, wish) = (ada.clone(), json!({"url": url}));
            tokio::spawn(async move { ada.post("/webhooks", &wish).await })
        });
        let mut refused = 0;
        for wish in wishes.collect::<Vec<_>>() {
            let answer = wish.await.unwrap();
            if answer.status == 409 {
                answer.refused(409, "too_many_webhooks");
                refused += 1;
            } else {
                answer.expect(201);
            }
        }
        assert_eq!(refused, 5);
        assert_eq!(ada.get("/webhooks").await.expect(200)["items"].as_array().unwrap().len(), 20);
    }
}

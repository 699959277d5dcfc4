//! A signed post to a URL that a person entered, and what its receiver can rely on.

use super::receiver::{Mood, Receiver};
use super::{SECRET, TOKEN, host, stored};
use crate::harness::{BOTH, Person};
use serde_json::{Value, json};

async fn connect(person: &Person, url: &str, secret: &str) -> Value {
    let filled = json!({"fields": {"url": url, "secret": secret}});
    person.post("/social/connections/hook", &filled).await.expect(201)
}

fn post(text: &str) -> Value {
    json!({"platform": "hook", "content": text})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_can_verify_what_it_gets() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let first = connect(&ada, &receiver.hook(), SECRET).await;
        assert_eq!(first["handle"], "127.0.0.1");
        assert_eq!(first["vendor_id"].as_str().unwrap().len(), 64, "{first:#}");
        let thread = json!({"platform": "hook", "parts": [{"text": "one"}, {"text": "headers"}]});
        let done = ada.published(&thread, "k", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(done["receipt"][1]["id"], "part/1", "a commit's key is its id: {done:#}");
        let webhooks = receiver.told().webhooks.clone();
        assert_eq!([&webhooks[0].1, &webhooks[1].1], ["one", "headers"]);
        assert!(webhooks[0].0.starts_with("msg_") && webhooks[0].0 != webhooks[1].0, "{webhooks:?}");
        // Another secret for the same URL is the same connection, another URL is another.
        let second = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        receiver.tell(|wishes| wishes.secret = second.to_owned());
        assert_eq!(connect(&ada, &receiver.hook(), second).await["id"], first["id"]);
        let done = ada.published(&post("two"), "k2", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let another = connect(&ada, &format!("{}&more=1", receiver.hook()), second).await;
        assert!(another["id"] != first["id"] && another["vendor_id"] != first["vendor_id"]);
        assert_eq!(receiver.told().forged, 0);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_none_is_refused_with_how_one_looks() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_this is no base64 at all"] {
            let filled = json!({"fields": {"url": receiver.hook(), "secret": secret}});
            let answer = ada.post("/social/connections/hook", &filled).await;
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.starts_with("`Signing secret` must") && detail.contains("whsec_"), "{detail}");
            assert!(!detail.contains("MfKQ") && !detail.contains("c2hv"), "{detail}");
            answer.refused(400, "invalid_field");
        }
        assert_eq!(stored(&host).await, (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_changed_on_its_way_is_refused_by_the_receiver() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        connect(&ada, &receiver.hook(), SECRET).await;
        receiver.tell(|wishes| wishes.moods = vec![Mood::Tamper]);
        let done = ada.published(&post("as I wrote it"), "k", &["published", "failed"]).await;
        assert_eq!((done["state"].as_str(), done["fault"]["kind"].as_str()), (Some("failed"), Some("auth-expired")));
        assert_eq!((receiver.told().forged, receiver.told().webhooks.len()), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_again_has_the_same_id() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        connect(&ada, &receiver.hook(), SECRET).await;
        // Certainly refused, so it goes out again by itself.
        receiver.tell(|wishes| wishes.moods = vec![Mood::Fail(429)]);
        let done = ada.published(&post("refused at first"), "k", &["published", "failed"]).await;
        assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(2)), "{done:#}");
        // Nobody knows, so it waits for a person's word; meanwhile it is not sent.
        receiver.tell(|wishes| wishes.moods = vec![Mood::Fail(500)]);
        let done = ada.published(&post("lost"), "k2", &["published", "failed", "uncertain"]).await;
        assert_eq!(done["state"], "uncertain", "{done:#}");
        assert_eq!(receiver.told().webhooks.len(), 3);
        let id = done["id"].as_str().unwrap();
        let word = json!({"key": "part/0", "outcome": "not_published"});
        ada.post(&format!("/social/publications/{id}/resolve"), &word).await.expect(202);
        let done = ada.wait(id, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let webhooks = receiver.told().webhooks.clone();
        let ids: Vec<&str> = webhooks.iter().map(|(id, _)| id.as_str()).collect();
        assert!(ids.len() == 4 && ids[0] == ids[1] && ids[2] == ids[3] && ids[1] != ids[2], "{ids:?}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_url_is_called_as_it_was_entered_or_not_at_all() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        connect(&ada, &receiver.hook(), SECRET).await;
        for script in ["path /other", "path //evil.example/", "path /?a=b", "query", "multipart"] {
            let done = ada.published(&post(script), script, &["published", "failed"]).await;
            let told = done.to_string();
            assert_eq!(done["fault"]["kind"], "bug", "{script}: {done:#}");
            assert!(!told.contains("FIELDMARK5D1C") && !told.contains("/hooks/"), "{script}: {told}");
        }
        assert_eq!(receiver.told().requests, 0);
    }
}

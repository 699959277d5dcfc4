//! What was entered is nowhere but at the origin that it was entered for.

use super::receiver::{HOOK, Receiver};
use super::{SECRET, TOKEN, connect, host, instance};
use crate::harness::{BOTH, Backend, Host, settings};
use crate::secrets::memory::Watched;
use crate::secrets::{Lines, contains, dump, log};
use orla::connectors::Memories;
use serde_json::json;
use std::sync::Arc;

/// In every secret here: the token, the webhook's key and its URL.
const MARK: &str = "FIELDMARK5D1C";
/// What a person writes, so that a scan that finds nothing is known to have looked.
const CONTROL: &str = "CONTROL-TEXT-IN-GUEST-MEMORY-5d1c";
const MARKED_TOKEN: &str = "FIELDMARK5D1C-token";
/// 24 bytes.
const MARKED_SECRET: &str = "whsec_FIELDMARK5D1CAAAAAAAAAAAAAAAAAAA";

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_instance_gets_its_own_token_and_nothing_else() {
    for backend in BOTH {
        let (hostile, victim) = (Receiver::start(TOKEN, SECRET).await, Receiver::start(TOKEN, SECRET).await);
        let host = host(backend, &[&hostile, &victim]).await;
        let ada = host.person("ada").await;
        connect(&ada, &hostile, TOKEN).await;
        let publish = async |text: &str| {
            let key = format!("post {}", hostile.told().posts.len());
            let post = json!({"platform": "fields", "content": text});
            let done = ada.published(&post, &key, &["published", "failed"]).await;
            assert_eq!(done["state"], "published", "{text}: {done:#}");
            hostile.told().posts.last().unwrap().clone()
        };
        // A redirect is shown, not followed.
        hostile.tell(|wishes| wishes.redirect = format!("{}/api/me", victim.origin()));
        assert!(publish("GET /api/redirect").await.starts_with("302 "));
        // What repeats the token is blanked before the connector reads it, and so before it is posted.
        let shown = publish("GET /api/echo").await;
        assert!(!shown.contains(TOKEN) && shown.contains("[redacted]"), "{shown}");
        // Links lead to the instance itself, whatever they are written like, or nowhere.
        for link in [
            format!("<{}/api/pages>; rel=\"next\"", victim.origin()),
            format!("<//{}/api/pages>; rel=\"next\"", victim.address),
            "<https://evil.example/api/pages>; rel=\"next\"".to_owned(),
            format!("<http://{}@evil.example/>; rel=\"next\"", hostile.address),
            "<file:///etc/passwd>; rel=next".to_owned(),
        ] {
            hostile.tell(|wishes| wishes.link = Some(link.clone()));
            let shown = publish("GET /api/pages").await;
            assert!(shown.ends_with(" no next") && !shown.contains("evil"), "{link}: {shown}");
        }
        for link in [format!("<{}/api/pages?2>; rel=\"next\"", hostile.origin()), "</api/pages?2>; rel=next".to_owned()]
        {
            hostile.tell(|wishes| wishes.link = Some(format!("<https://evil.example/>; rel=\"prev\", {link}")));
            let shown = publish("GET /api/pages").await;
            assert!(shown.contains("next: {\"page\":\"2\"}"), "{link}: {shown}");
            assert!(shown.contains("orla-link:") && !shown.contains("evil"), "{link}: {shown}");
        }
        assert_eq!(victim.told().requests, 0);
        let own = format!("Bearer {TOKEN}");
        assert!(hostile.told().authorizations.iter().all(|sent| *sent == own));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_entered_reaches_a_guest_an_answer_the_log_or_the_database() {
    let lines = log();
    for backend in BOTH {
        scan(backend, &lines).await;
    }
}

async fn scan(backend: Backend, lines: &Lines) {
    let watched = Watched::new([MARK, CONTROL]);
    let memories = Memories::From(Arc::new(watched.clone()));
    let receiver = Receiver::start(MARKED_TOKEN, MARKED_SECRET).await;
    let address = receiver.address.clone();
    let host = Host::start_with(backend, settings(), |config| {
        config.concurrent_calls = 4;
        config.egress_allow.push(address);
        memories
    })
    .await;
    let ada = host.person("ada").await;
    let mut answers = Vec::new();
    let hook = json!({"fields": {"url": receiver.hook(), "secret": MARKED_SECRET}});
    answers.push(ada.post("/social/connections/hook", &hook).await.expect(201));
    let filled = instance(&receiver.origin(), MARKED_TOKEN);
    answers.push(ada.post("/social/connections/fields", &filled).await.expect(201));
    for (platform, text) in
        [("fields", "GET /api/echo"), ("hook", "read"), ("hook", CONTROL), ("hook", "path /other"), ("fields", CONTROL)]
    {
        let post = json!({"platform": platform, "content": text});
        answers.push(ada.published(&post, &format!("{platform} {text}"), &["published", "failed"]).await);
    }
    // What cannot be sent, and what is refused.
    receiver.tell(|wishes| wishes.token = "another-token".to_owned());
    let failing = json!({"platform": "fields", "content": "GET /api/pages"});
    answers.push(ada.published(&failing, "refused", &["published", "failed"]).await);
    answers.push(ada.post("/social/connections/fields", &filled).await.expect(400));
    let unfit = json!({"fields": {"url": format!("https://10.0.0.1{HOOK}"), "secret": MARKED_SECRET}});
    answers.push(ada.post("/social/connections/hook", &unfit).await.expect(400));
    for path in ["/social/connections", "/social/publications", "/social/platforms"] {
        answers.push(ada.get(path).await.expect(200));
    }
    let told = receiver.told();
    assert!(told.posts[0].contains("[redacted]") && told.webhooks[0].1.contains("[redacted]"));
    for posted in told.posts.iter().chain(told.webhooks.iter().map(|(_, text)| text)) {
        assert!(!posted.contains(MARK), "a secret was posted: {posted}");
    }
    assert!(watched.hits(CONTROL) > 0, "the scan of guests' memories finds what is there");
    assert_eq!(watched.hits(MARK), 0, "a secret was in a guest's memory");
    let (answers, database) = (serde_json::to_vec(&answers).unwrap(), dump(&host).await);
    for (what, bytes) in [("an answer", &answers), ("the log", &lines.bytes()), ("the database", &database)] {
        assert!(bytes.len() > 100, "{what} is empty");
        assert!(!contains(bytes, MARK), "a secret is in {what}");
    }
}

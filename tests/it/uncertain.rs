//! When nobody knows whether a post went out: nothing is sent twice, and the truth is found.

use crate::crash::networks::installed;
use crate::harness::{BOTH, Fault, Host, Mode, Person, Settings, settings};
use orla::connectors::Memories;
use orla::on;
use orla_vendors::webhook;
use serde_json::{Value, json};
use std::time::Duration;

fn thread() -> Value {
    json!({"platform": "twitter", "parts": [{"text": "one"}, {"text": "two"}, {"text": "three"}]})
}

fn texts(host: &Host) -> Vec<String> {
    host.sim.posts().iter().map(|post| post.text.clone()).collect()
}

fn states(publication: &Value) -> Vec<String> {
    publication["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["state"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_answer_was_lost_is_found_and_the_thread_goes_on() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        host.sim.change(|settings| settings.read_lag_ms = 1_500);
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutAfter).skip(1));
        let uncertain = ada.published(&thread(), "thread", &["uncertain", "published", "failed"]).await;
        assert_eq!(uncertain["state"], "uncertain", "{uncertain:#}");
        // The client asks again with the same key: nothing more is sent.
        let again = ada.publish(&thread(), "thread").await.expect(202);
        assert_eq!(again["id"], uncertain["id"]);
        host.sim.change(|settings| settings.read_lag_ms = 0);
        let done = ada.wait(uncertain["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert!(states(&done).contains(&"uncertain".to_owned()));
        assert_eq!(texts(&host), ["one", "two", "three"]);
        let posts = host.sim.posts();
        assert_eq!(posts[2].reply_to.as_ref(), Some(&posts[1].id), "the third part replies to the part that was found");
        assert_eq!(done["receipt"][1]["id"], posts[1].id);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_never_arrived_is_sent_once_after_two_looks() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutBefore).skip(1));
        let done = ada.published(&thread(), "thread", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert!(states(&done).contains(&"uncertain".to_owned()), "{done:#}");
        assert_eq!(texts(&host), ["one", "two", "three"]);
        let looks = host.sim.counts()["GET /2/users/{id}/tweets"];
        assert!(looks >= 2, "absence needs two looks, and {looks} were taken");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_5xx_after_the_post_was_made_is_uncertain_and_not_sent_again() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::executed_then_status(503)));
        let post = json!({"platform": "twitter", "content": "only once"});
        let done = ada.published(&post, "k", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(texts(&host), ["only once"]);
        assert_eq!(host.sim.counts()["POST /2/tweets"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lost_posts_that_are_alike_do_not_share_one_and_a_person_tells_them_apart() {
    const LOOKS: &str = "GET /2/users/{id}/tweets";
    for backend in BOTH {
        let lenient = Settings { duplicate_window_s: 0, ..settings() };
        let host = Host::start_with(backend, lenient, |_| Memories::Pooled).await;
        let ada = host.connected("ada", "twitter").await;
        // One of two arrives, and the network takes its time to show it, so both look before one has found.
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutAfter));
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutBefore));
        host.sim.fault(Fault::on("GET", "/2/users/*/tweets", Mode::DelayMs(2_000)).times(2));
        let post = json!({"platform": "twitter", "content": "twice the same"});
        let states = ["uncertain", "published", "failed"];
        let both = [ada.published(&post, "first", &states), ada.published(&post, "second", &states)];
        let ids = futures_util::future::join_all(both).await;
        let [one, other] = [0, 1].map(|n| ids[n]["id"].as_str().unwrap());
        // Each looks, and the one that finds what is the other's looks again.
        for _ in 0..600 {
            if host.sim.counts().get(LOOKS).copied().unwrap_or(0) >= 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let made = host.sim.posts()[0].id.clone();
        let shown = [ada.wait(one, &states).await, ada.wait(other, &states).await];
        let (found, lost): (Vec<_>, Vec<_>) = shown.iter().partition(|one| one["state"] == "published");
        assert_eq!((found.len(), &found[0]["receipt"][0]["id"]), (1, &json!(made)), "{shown:#?}");
        // Nor is a person taken at a word that names what is another's.
        let path = format!("/social/publications/{}/resolve", lost[0]["id"].as_str().unwrap());
        let word = json!({"key": "part/0", "outcome": "published", "vendor_id": made});
        ada.post(&path, &word).await.refused(409, "another_ones");
        ada.post(&path, &json!({"key": "part/0", "outcome": "not_published"})).await.expect(202);
        let done = ada.wait(lost[0]["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!((&done["state"], texts(&host).len()), (&json!("published"), 2), "{done:#}");
        assert_ne!(done["receipt"][0]["id"], json!(made));
        host.check_books().await;
    }
}

/// A publication that is uncertain while the network lets nobody look.
async fn unreadable(host: &Host, ada: &Person, mode: Mode) -> String {
    host.sim.fault(Fault::on("GET", "/2/users/*/tweets", Mode::status(503)).times(1_000));
    host.sim.fault(Fault::on("POST", "/2/tweets", mode));
    let post = json!({"platform": "twitter", "content": "a person knows"});
    let uncertain = ada.published(&post, "k", &["uncertain"]).await;
    uncertain["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_that_it_is_there() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let id = unreadable(&host, &ada, Mode::CutAfter).await;
        let made = host.sim.posts()[0].id.clone();
        let path = format!("/social/publications/{id}/resolve");
        let without_id = json!({"key": "part/0", "outcome": "published"});
        ada.post(&path, &without_id).await.refused(422, "invalid_input");
        let other_key = json!({"key": "part/7", "outcome": "not_published"});
        ada.post(&path, &other_key).await.refused(409, "not_uncertain");
        let word = json!({"key": "part/0", "outcome": "published", "vendor_id": made});
        ada.post(&path, &word).await.expect(202);
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!(
            (done["state"].as_str(), done["receipt"][0]["id"].as_str()),
            (Some("published"), Some(made.as_str()))
        );
        ada.post(&path, &word).await.refused(409, "not_uncertain");
        assert_eq!(host.sim.posts().len(), 1);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_that_it_is_not_there() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let id = unreadable(&host, &ada, Mode::CutBefore).await;
        assert!(host.sim.posts().is_empty());
        let word = json!({"key": "part/0", "outcome": "not_published"});
        ada.post(&format!("/social/publications/{id}/resolve"), &word).await.expect(202);
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(texts(&host), ["a person knows"]);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_up_is_looked_for_more_and_more_seldom_and_a_person_says_what_came_of_it() {
    const LOOKS: &str = "select coalesce(max(attempts), 0) from jobs where kind = 'reconcile'";
    for backend in BOTH {
        let sim = webhook::Sim::start(webhook::Settings::default()).await;
        let (host, ada, _) = installed(backend, "webhook", &sim.origin()).await;
        let fields = json!({"url": format!("{}/hooks/ada", sim.origin()), "secret": sim.settings().secrets[0]});
        ada.post("/social/connections/webhook", &json!({"fields": fields})).await.expect(201);
        let before = ada.published(&json!({"platform": "webhook", "content": "told"}), "told", &["published"]).await;
        sim.fault(Fault::on("POST", "/hooks/ada", Mode::CutAfter));
        let post = json!({"platform": "webhook", "content": "lost"});
        let id = ada.published(&post, "lost", &["uncertain"]).await["id"].as_str().unwrap().to_owned();
        let mut looks: i64 = 0;
        for _ in 0..500 {
            let mut tx = host.app.db().read().await.unwrap();
            looks = on!(&mut tx, conn => sqlx::query_scalar(LOOKS).fetch_one(conn).await).unwrap();
            if looks >= 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!((3..6).contains(&looks), "{looks} looks");
        // The receiver names nothing: what was lost is called as all that came before it.
        let word = json!({"key": "part/0", "outcome": "published", "vendor_id": "part/0"});
        ada.post(&format!("/social/publications/{id}/resolve"), &word).await.expect(202);
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!((&done["state"], &done["receipt"][0]["id"]), (&json!("published"), &before["receipt"][0]["id"]));
        assert_eq!((sim.accepted(), sim.duplicates()), (2, 0));
        host.check_books().await;
    }
}

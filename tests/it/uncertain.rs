//! When nobody knows whether a post went out: nothing is sent twice, and the truth is found.

use crate::harness::{BOTH, Fault, Host, Mode, Person};
use serde_json::{Value, json};

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

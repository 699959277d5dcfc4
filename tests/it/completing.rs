//! Publishing what is missing: of a thread that broke off, and of a first comment. What is live is never posted again.

use crate::gallery::{Stage, refused, set};
use crate::harness::{BOTH, Fault, Mode, Person, price};
use serde_json::{Value, json};

fn thread() -> Value {
    json!({"platform": "twitter", "parts": [{"text": "one"}, {"text": "two"}, {"text": "three"}]})
}

fn path(publication: &Value) -> String {
    format!("/social/publications/{}/complete", publication["id"].as_str().unwrap())
}

fn outcomes(publication: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let receipt = publication["receipt"].as_array().unwrap_or_else(|| panic!("{publication:#}"));
    receipt.iter().map(|part| (text(&part["of"]), text(&part["outcome"]))).collect()
}

fn told(parts: &[(&str, &str)]) -> Vec<(String, String)> {
    parts.iter().map(|(of, outcome)| ((*of).to_owned(), (*outcome).to_owned())).collect()
}

/// A publication whose second commit the network refused.
async fn broken_off(stage: &Stage, post: &Value) -> Value {
    stage.host.sim.fault(Fault::on("POST", "/2/tweets", refused(403)).skip(1));
    let done = stage.ada.published(post, "broken", &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "{done:#}");
    done
}

async fn ended(ada: &Person, publication: &Value) -> Value {
    ada.wait(publication["id"].as_str().unwrap(), &["published", "failed"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_missing_parts_of_a_thread_are_posted_below_those_that_are_live() {
    for backend in BOTH {
        let stage = set(backend).await;
        price(&stage.host.app, 3).await;
        stage.host.grant(stage.ada.workspace, 3).await;
        let ada = &stage.ada;
        let broken = broken_off(&stage, &thread()).await;
        let missing = [("parts/0", "done"), ("parts/1", "missing"), ("parts/2", "missing")];
        assert_eq!(outcomes(&broken), told(&missing), "{broken:#}");
        assert_eq!((stage.texts(), stage.credits().await), (vec!["one".to_owned()], (0, 0)));
        // However often, and by however many at once, it is asked for.
        let asked = (0..5).map(|_| async { ada.post(&path(&broken), &json!({})).await.expect(202) });
        let asked = futures_util::future::join_all(asked).await;
        assert!(asked.iter().all(|one| one["id"] == asked[0]["id"] && one["completes"] == broken["id"]), "{asked:#?}");
        let done = ended(ada, &asked[0]).await;
        let live = [("parts/0", "done"), ("parts/1", "done"), ("parts/2", "done")];
        assert_eq!(outcomes(&done), told(&live), "{done:#}");
        assert_eq!(stage.texts(), ["one", "two", "three"], "nothing went out twice");
        // One that was taken, one that was refused, and the two that were missing.
        assert_eq!(stage.host.sim.counts()["POST /2/tweets"], 4);
        let posts = stage.host.sim.posts();
        assert_eq!(done["receipt"][0]["id"], posts[0].id);
        assert_eq!((&posts[1].reply_to, &posts[2].reply_to), (&Some(posts[0].id.clone()), &Some(posts[1].id.clone())));
        assert_eq!((&done["price"], stage.credits().await), (&json!(0), (0, 0)));
        let before = ada.get(&format!("/social/publications/{}", broken["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(
            (&before["completed_by"], outcomes(&before)),
            (&done["id"], told(&missing)),
            "published is terminal"
        );
        ada.post(&path(&done), &json!({})).await.refused(409, "nothing_missing");
        assert_eq!(ada.post(&path(&broken), &json!({})).await.expect(202)["id"], done["id"]);
        assert_eq!(stage.texts().len(), 3);
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_comment_that_was_refused_is_said_and_the_post_is_not_posted_again() {
    for backend in BOTH {
        let stage = set(backend).await;
        let post = json!({"platform": "gallery", "content": "look", "first_comment": "#bread"});
        let broken = broken_off(&stage, &post).await;
        assert_eq!(outcomes(&broken), told(&[("parts/0", "done"), ("first_comment", "missing")]), "{broken:#}");
        assert!(broken["timeline"].to_string().contains("1 of 1 parts are live; the first comment is missing"));
        let completion = stage.ada.post(&path(&broken), &json!({})).await.expect(202);
        let done = ended(&stage.ada, &completion).await;
        assert_eq!(outcomes(&done), told(&[("parts/0", "done"), ("first_comment", "done")]), "{done:#}");
        let posts = stage.host.sim.posts();
        assert_eq!(stage.texts(), ["look", "#bread"]);
        assert_eq!(posts[1].reply_to.as_ref(), Some(&posts[0].id));
    }
}

/// The comment is said last, so that what a thread lacks goes out before it, in the order of the journal.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_with_a_first_comment_is_completed_in_order() {
    for backend in BOTH {
        let stage = set(backend).await;
        let parts = json!([{"text": "one"}, {"text": "two"}, {"text": "three"}]);
        let broken =
            broken_off(&stage, &json!({"platform": "gallery", "parts": parts, "first_comment": "#bread"})).await;
        assert_eq!(outcomes(&broken).last(), told(&[("first_comment", "missing")]).last(), "{broken:#}");
        let completion = stage.ada.post(&path(&broken), &json!({})).await.expect(202);
        let done = ended(&stage.ada, &completion).await;
        assert!(outcomes(&done).iter().all(|(_, outcome)| outcome == "done"), "{done:#}");
        assert_eq!(stage.texts(), ["one", "two", "three", "#bread"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_again_is_completed_by_another() {
    for backend in BOTH {
        let stage = set(backend).await;
        let ada = &stage.ada;
        let broken = broken_off(&stage, &thread()).await;
        // The second part goes out, the third does not.
        stage.host.sim.fault(Fault::on("POST", "/2/tweets", refused(403)).skip(1));
        let second = ada.post(&path(&broken), &json!({})).await.expect(202);
        let second = ended(ada, &second).await;
        assert_eq!((&second["state"], outcomes(&second)[2].1.as_str()), (&json!("published"), "missing"), "{second:#}");
        let third = ada.post(&path(&second), &json!({})).await.expect(202);
        let third = ended(ada, &third).await;
        assert!(outcomes(&third).iter().all(|(_, outcome)| outcome == "done"), "{third:#}");
        assert_eq!(stage.texts(), ["one", "two", "three"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_part_whose_answer_is_lost_is_found_and_not_sent_again() {
    for backend in BOTH {
        let stage = set(backend).await;
        let broken = broken_off(&stage, &thread()).await;
        stage.host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutAfter));
        let completion = stage.ada.post(&path(&broken), &json!({})).await.expect(202);
        let done = ended(&stage.ada, &completion).await;
        assert!(outcomes(&done).iter().all(|(_, outcome)| outcome == "done"), "{done:#}");
        assert!(done["timeline"].as_array().unwrap().iter().any(|event| event["state"] == "uncertain"), "{done:#}");
        assert_eq!(stage.texts(), ["one", "two", "three"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_published_in_part_can_be_completed() {
    for backend in BOTH {
        let stage = set(backend).await;
        let (ada, bob) = (&stage.ada, stage.host.person("bob").await);
        let whole = ada.published(&json!({"platform": "twitter", "content": "whole"}), "w", &["published"]).await;
        ada.post(&path(&whole), &json!({})).await.refused(409, "nothing_missing");
        bob.post(&path(&whole), &json!({})).await.refused(404, "not_found");
        stage.host.sim.fault(Fault::on("POST", "/2/tweets", refused(403)));
        let failed = ada.published(&json!({"platform": "twitter", "content": "no"}), "f", &["failed"]).await;
        ada.post(&path(&failed), &json!({})).await.refused(409, "nothing_missing");
        let broken = broken_off(&stage, &thread()).await;
        let connection = stage.connection("twitter").await;
        ada.delete(&format!("/social/connections/{connection}")).await.expect(204);
        ada.post(&path(&broken), &json!({})).await.refused(404, "not_found");
    }
}

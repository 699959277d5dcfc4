//! Replies of which nobody knows at first whether they were said.

use super::{BOTH_ENDS, Stage, stage};
use crate::facebook::{strict, was_uncertain};
use crate::harness::BOTH;
use orla_vendors::facebook::{Canned, Fault, Mode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const COMMENTS: &str = "/v26.0/*/comments";

/// A failure in passing that comes after the reply was made.
fn executed_and_failed(status: u16) -> Mode {
    let passing = json!({"error": {"message": "An unknown error occurred", "type": "OAuthException", "code": 1}});
    Mode::ExecutedThenStatus(Canned { status, body: Some(passing), ..Canned::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_whose_answer_is_lost_is_found_and_said_once() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        let modes = [("cut", Mode::CutAfter), ("500", executed_and_failed(500)), ("400", executed_and_failed(400))];
        for (at, (text, mode)) in modes.into_iter().enumerate() {
            stage.sim.fault(Fault::on("POST", COMMENTS, mode));
            let done = stage.replied(&comment, text, text, &BOTH_ENDS).await;
            assert!(done["state"] == "published" && was_uncertain(&done), "{done:#}");
            let said = stage.said();
            assert_eq!((said.len(), said[at].message.as_str()), (at + 1, text));
            assert_eq!(done["receipt"]["id"], said[at].id);
        }
        assert_eq!(stage.sim.counts()["POST /v26.0/{id}/comments"], 3);
        assert_eq!(stage.credits().await, (35, 0));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_are_alike_are_not_taken_for_one_another() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("Nice!").await;
        let first = stage.replied(&comment, "Thanks", "first", &BOTH_ENDS).await;
        // The second never arrives, and is sent after two looks that see the first.
        stage.sim.fault(Fault::on("POST", COMMENTS, Mode::CutBefore));
        let second = stage.replied(&comment, "Thanks", "second", &BOTH_ENDS).await;
        assert!(was_uncertain(&second), "{second:#}");
        // Of the third, the answer is lost.
        stage.sim.fault(Fault::on("POST", COMMENTS, Mode::CutAfter));
        let third = stage.replied(&comment, "Thanks", "third", &BOTH_ENDS).await;
        assert!(was_uncertain(&third), "{third:#}");
        let said: Vec<Value> = stage.said().into_iter().map(|reply| json!(reply.id)).collect();
        assert_eq!(said, [&first, &second, &third].map(|reply| reply["receipt"]["id"].clone()));
        assert_eq!(stage.credits().await, (35, 0));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lost_replies_that_are_looked_for_at_once_do_not_share_one() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("Nice!").await;
        // One of two arrives, and nobody hears which. The page takes its time to show it, so both look before one has found.
        stage.sim.fault(Fault::on("POST", COMMENTS, Mode::CutAfter));
        stage.sim.fault(Fault::on("POST", COMMENTS, Mode::CutBefore));
        stage.sim.fault(Fault::on("GET", COMMENTS, Mode::DelayMs(2_000)).times(4));
        let (first, second) = tokio::join!(
            stage.replied(&comment, "Thanks", "first", &BOTH_ENDS),
            stage.replied(&comment, "Thanks", "second", &BOTH_ENDS)
        );
        assert!(was_uncertain(&first) && was_uncertain(&second), "{first:#} {second:#}");
        let said: BTreeSet<String> = stage.said().into_iter().map(|reply| reply.id).collect();
        let receipts = [&first, &second].map(|reply| reply["receipt"]["id"].as_str().unwrap().to_owned());
        assert_eq!(
            (said, stage.sim.counts()["POST /v26.0/{id}/comments"]),
            (receipts.into(), 3),
            "{first:#} {second:#}"
        );
        assert_eq!(stage.credits().await, (40, 0));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_on_its_way_is_not_taken_for_a_lost_one() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("Nice!").await;
        // The page has said it, and its answer takes long to arrive.
        stage.sim.fault(Fault::on("POST", COMMENTS, Mode::SlowBody { pause_ms: 100 }));
        let on_its_way = stage.reply(&comment, "Thanks", "first").await.expect(202)["id"].clone();
        while stage.said().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // One that is alike never arrives.
        stage.sim.fault(Fault::on("POST", COMMENTS, Mode::CutBefore));
        let lost = stage.replied(&comment, "Thanks", "second", &BOTH_ENDS).await;
        let first = stage::wait(&stage.ada, on_its_way.as_str().unwrap(), &BOTH_ENDS).await;
        assert!(was_uncertain(&lost) && !was_uncertain(&first), "{lost:#} {first:#}");
        let said: Vec<Value> = stage.said().into_iter().map(|reply| json!(reply.id)).collect();
        assert_eq!(said, [&first, &lost].map(|reply| reply["receipt"]["id"].clone()));
        stage.host.check_books().await;
    }
}

/// A reply that is uncertain while nobody can look.
async fn unreadable(stage: &Stage, comment: &Value, text: &str, mode: Mode) -> String {
    stage.sim.fault(Fault::on("POST", COMMENTS, mode));
    stage.sim.fault(Fault::on("GET", COMMENTS, Mode::status(503)).times(1_000));
    let uncertain = stage.replied(comment, text, text, &["uncertain"]).await;
    assert_eq!(stage.credits().await.1, 5, "the credits stay reserved: {uncertain:#}");
    uncertain["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_what_became_of_a_reply() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        let there = unreadable(&stage, &comment, "At seven", Mode::CutAfter).await;
        let resolve = |id: &str| format!("/social/engagement/replies/{id}/resolve");
        // It is none of the publications that are posts.
        let word = json!({"key": "reply", "outcome": "published", "vendor_id": stage.said()[0].id});
        stage.ada.post(&format!("/social/publications/{there}/resolve"), &word).await.refused(404, "not_found");
        stage
            .ada
            .post(&resolve(&there), &json!({"key": "part/0", "outcome": "not_published"}))
            .await
            .refused(409, "not_uncertain");
        stage.ada.post(&resolve(&there), &word).await.expect(202);
        let done = stage::wait(&stage.ada, &there, &BOTH_ENDS).await;
        assert_eq!((&done["state"], &done["receipt"]["id"]), (&json!("published"), &json!(stage.said()[0].id)));
        assert_eq!(stage.credits().await, (45, 0));
        stage.sim.clear_faults();
        let absent = unreadable(&stage, &comment, "At eight", Mode::CutBefore).await;
        assert_eq!(stage.said().len(), 1);
        stage.ada.post(&resolve(&absent), &json!({"key": "reply", "outcome": "not_published"})).await.expect(202);
        let done = stage::wait(&stage.ada, &absent, &BOTH_ENDS).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let said: Vec<String> = stage.said().into_iter().map(|reply| reply.message).collect();
        assert_eq!((said, stage.credits().await), (vec!["At seven".to_owned(), "At eight".to_owned()], (40, 0)));
        stage.host.check_books().await;
    }
}

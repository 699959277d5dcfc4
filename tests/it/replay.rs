//! A connector that leaves the path of its journal is stopped, and nothing is sent.

use crate::harness::{BOTH, Backend, Fault, Host, Mode, Person, price};
use serde_json::{Value, json};

/// Runs a script up to a pause, then goes on with another one; gives the publication as it ends.
async fn rewritten(backend: Backend, first: &str, then: &str) -> (Host, Person, Value) {
    let host = Host::start(backend).await;
    let ada = host.connected("ada", "probe").await;
    host.sim.change(|settings| settings.script = first.to_owned());
    let remote = json!({"platform": "probe", "content": "remote"});
    let pending = ada.published(&remote, "k", &["pending", "failed"]).await;
    assert_eq!(pending["state"], "pending", "{pending:#}");
    host.sim.change(|settings| settings.script = then.to_owned());
    let done = ada.wait(pending["id"].as_str().unwrap(), &["published", "failed"]).await;
    (host, ada, done)
}

async fn is_stopped(first: &str, then: &str) {
    for backend in BOTH {
        let (host, _, done) = rewritten(backend, first, then).await;
        assert_eq!((done["state"].as_str(), done["fault"]["kind"].as_str()), (Some("failed"), Some("bug")), "{done:#}");
        assert_eq!(host.sim.posts().len(), 1, "nothing was sent after the run left its path");
        assert_eq!(host.sim.counts()["POST /2/tweets"], 1);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_path_is_answered_from_the_journal() {
    for backend in BOTH {
        let (host, _, done) = rewritten(backend, "commit a hello\npending 1000", "commit a hello").await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(host.sim.counts()["POST /2/tweets"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_key_is_a_bug() {
    is_stopped("commit a hello\npending 1000", "commit b hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_body_is_a_bug() {
    is_stopped("commit a hello\npending 1000", "commit a goodbye").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_commit_before_an_old_one_is_a_bug() {
    is_stopped("commit a hello\npending 1000", "commit new first\ncommit a hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_used_twice_is_a_bug() {
    is_stopped("commit a hello\npending 1000", "commit a hello\ncommit a hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_after_the_bug_sends_nothing_either() {
    is_stopped("commit a hello\npending 1000", "try commit b hello\ntry commit a hello\ntry commit c late\nfault over")
        .await;
}

/// The pause ends the execution that forgot; the next one knows of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_step_that_was_forgotten_before_a_pause_is_prepared_anew() {
    let upload = r#"{"media_type":"image/png","total_bytes":9,"media_category":"tweet_image"}"#;
    let prepare = format!("prepare p 600 /2/media/upload/initialize {upload}");
    for backend in BOTH {
        for (between, uploads) in [("", 1), ("forget p", 2)] {
            let first = format!("{prepare}\n{between}\npending 100");
            let (host, _, done) = rewritten(backend, &first, &format!("{prepare}\ncommit a hello")).await;
            assert_eq!(done["state"], "published", "{done:#}");
            assert_eq!(host.sim.counts()["POST /2/media/upload/initialize"], uploads, "{between}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spend_is_answered_from_the_journal() {
    for backend in BOTH {
        let (host, _, done) = rewritten(backend, "spend s paid\npending 1000", "spend s paid\ncommit a hello").await;
        assert_eq!(done["state"], "published", "{done:#}");
        let texts: Vec<String> = host.sim.posts().iter().map(|post| post.text.clone()).collect();
        assert_eq!(texts, ["paid", "hello"], "the second run did not pay again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spend_of_another_request_and_a_commit_turned_spend_are_bugs() {
    is_stopped("spend s paid\npending 1000", "spend s otherwise").await;
    is_stopped("commit a hello\npending 1000", "spend a hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spend_whose_answer_was_lost_is_not_asked_for_again() {
    for backend in BOTH {
        for mode in [Mode::CutAfter, Mode::executed_then_status(503)] {
            let host = Host::start(backend).await;
            price(&host.app, 3).await;
            let ada = host.connected("ada", "probe").await;
            host.grant(ada.workspace, 3).await;
            host.sim.fault(Fault::on("POST", "/2/tweets", mode));
            let post = json!({"platform": "probe", "content": "spend s paid\ncommit a hello"});
            let done = ada.published(&post, "k", &["published", "failed", "uncertain"]).await;
            assert_eq!(
                (done["state"].as_str(), done["fault"]["kind"].as_str()),
                (Some("failed"), Some("uncertain")),
                "{done:#}"
            );
            assert_eq!(host.sim.counts()["POST /2/tweets"], 1);
            assert_eq!(ada.get("/credits/balance").await.expect(200)["available"], 3, "the operator bears it");
            host.check_books().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_without_its_commit_is_a_bug() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "probe").await;
        for (key, script) in [("a", "claim 12345"), ("b", "commit claimed hi\nclaim 999")] {
            let done =
                ada.published(&json!({"platform": "probe", "content": script}), key, &["published", "failed"]).await;
            assert_eq!(
                (done["state"].as_str(), done["fault"]["kind"].as_str()),
                (Some("failed"), Some("bug")),
                "{done:#}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_no_use_is_left_out_and_a_refusal_is_not() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "probe").await;
        for (key, path) in [("a", "/2/users/me"), ("b", "/2/nowhere")] {
            let post = json!({"platform": "probe", "content": format!("discard {path}")});
            let done = ada.published(&post, key, &["published", "failed"]).await;
            assert_eq!(done["state"], "published", "{done:#}");
        }
        let texts: Vec<String> = host.sim.posts().iter().map(|post| post.text.clone()).collect();
        assert!(texts[0] == "200 0" && texts[1].starts_with("404 ") && texts[1] != "404 0", "{texts:?}");
    }
}

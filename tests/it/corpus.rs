//! The hostile corpus: connectors that attack the host and its other tenants, one at a time, each with the fault that it
//! has to end in. `cargo measure corpus` puts each beside a neighbour and measures what that one notices.

mod attacks;
mod components;
mod forged;
mod links;
mod mutations;
mod stage;

use crate::harness::{BOTH, Host, Person, price};
use attacks::{Attack, EXHAUSTING, End, LYING, STRAYING};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Attacks at the same time.
const AT_ONCE: usize = 8;
const CREDITS: i64 = 1_000;

/// Carries an attack out; says what went otherwise than it has to.
async fn carry_out(mallory: &Person, attack: &Attack) -> Option<String> {
    let answer = mallory.publish(&attack.post(), attack.name).await;
    let told = match attack.end {
        End::NotTaken(words) => {
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            if answer.status == 502 && answer.body["code"] == "vendor_error" && detail.contains(words) {
                return None;
            }
            answer.body
        }
        End::Failed(kind, words) => {
            let id = answer.expect(202)["id"].as_str().unwrap().to_owned();
            let done = mallory.wait(&id, &["published", "failed", "uncertain"]).await;
            let message = done["fault"]["message"].as_str().unwrap_or_default();
            if done["state"] == "failed" && done["fault"]["kind"] == kind && message.contains(words) {
                return None;
            }
            json!({"state": done["state"], "fault": done["fault"]})
        }
    };
    Some(format!("{}: {told}", attack.name))
}

/// Carries attacks out, some at a time; gives what went otherwise than it has to.
async fn carry_all_out(mallory: &Person, attacks: impl Iterator<Item = &'static Attack>) -> Vec<String> {
    let outcomes = stream::iter(attacks).map(|attack| carry_out(mallory, attack)).buffer_unordered(AT_ONCE);
    outcomes.filter_map(std::future::ready).collect().await
}

/// Publishes until told to stop; gives how often. Each post must succeed at the first attempt.
async fn publish_all_the_while(neighbour: Person, stop: Arc<AtomicBool>) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let post = json!({"platform": "twitter", "content": format!("quiet {count}")});
        let done = neighbour.published(&post, &format!("quiet {count}"), &["published", "failed"]).await;
        assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(1)), "{done:#}");
        count += 1;
    }
    count
}

async fn balance(person: &Person) -> Value {
    person.get("/credits/balance").await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attack_ends_in_its_fault_and_leaves_nothing_behind() {
    for backend in BOTH {
        let (host, mallory) = stage::set(backend).await;
        price(&host.app, 3).await;
        host.grant(mallory.workspace, CREDITS).await;
        let before = balance(&mallory).await;
        let neighbour = host.person("neighbour").await;
        host.grant(neighbour.workspace, CREDITS).await;
        neighbour.connect(&host.sim, "twitter", "second_account").await;
        let stop = Arc::new(AtomicBool::new(false));
        let publishing = tokio::spawn(publish_all_the_while(neighbour, stop.clone()));
        let otherwise = carry_all_out(&mallory, EXHAUSTING.iter().chain(LYING)).await;
        stop.store(true, Ordering::Relaxed);
        assert!(otherwise.is_empty(), "{backend:?}:\n{}", otherwise.join("\n"));
        assert!(publishing.await.unwrap() > 0);
        assert_eq!(balance(&mallory).await, before, "what failed costs nothing");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_break_the_contract_do_not_leave() {
    for backend in BOTH {
        let (host, mallory) = stage::set(backend).await;
        let before = host.sim.requests().len();
        let otherwise = carry_all_out(&mallory, STRAYING.iter()).await;
        assert!(otherwise.is_empty(), "{backend:?}:\n{}", otherwise.join("\n"));
        assert_eq!(host.sim.requests().len(), before);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_of_a_connector_is_one_line_of_the_log_whatever_it_holds() {
    // The message of a trap is the note that was logged just before it.
    for backend in BOTH {
        let host: Host = Host::start(backend).await;
        let ada = host.connected("ada", "probe").await;
        let script = "trap \u{1b}[2Jover\u{85}ERROR forged";
        let done = ada.published(&json!({"platform": "probe", "content": script}), "k", &["failed"]).await;
        let message = done["fault"]["message"].as_str().unwrap();
        assert!(message.contains("ERROR forged") && !message.contains(char::is_control), "{message:?}");
    }
}

//! Whose turn it is: what goes to one account goes out in order, and what goes to others does not wait for it.

use crate::harness::{BOTH, Fault, Host, Mode};
use orla::clock::{Clock, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_one_account_goes_out_in_order() {
    const POSTS: usize = 8;
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        // The first takes longest: without an order, it would be the last.
        for n in 0..POSTS {
            let delay = 20 * u64::try_from(POSTS - n).unwrap();
            host.sim.fault(Fault::on("POST", "/2/tweets", Mode::DelayMs(delay)).times(1));
        }
        let when = Clock::System.now().after(Duration::from_secs(2));
        let mut ids = Vec::new();
        for n in 0..POSTS {
            let post = json!({"platform": "twitter", "content": format!("number {n}"), "publish_at": when});
            let planned = ada.publish(&post, &format!("{n}")).await.expect(202);
            ids.push(planned["id"].as_str().unwrap().to_owned());
        }
        let mut moments: Vec<(Timestamp, Timestamp)> = Vec::new();
        for id in &ids {
            let done = ada.wait(id, &["published"]).await;
            let at = |state: &str| -> Timestamp {
                let events = done["timeline"].as_array().unwrap();
                let event = events.iter().find(|event| event["state"] == state).unwrap();
                serde_json::from_value(event["at"].clone()).unwrap()
            };
            moments.push((at("running"), at("published")));
        }
        assert!(
            moments.is_sorted_by(|one, next| one.1 <= next.0),
            "one begins when the one before has ended: {moments:?}"
        );
        let texts: Vec<String> = host.sim.posts().into_iter().map(|post| post.text).collect();
        let wanted: Vec<String> = (0..POSTS).map(|n| format!("number {n}")).collect();
        assert_eq!(texts, wanted, "{backend:?}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_do_not_wait_for_each_other() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        ada.connect(&host.sim, "twitter", "second_account").await;
        let accounts = ada.get("/social/connections").await.expect(200)["items"].clone();
        let publish = async |account: &Value, text: &str| {
            let post = json!({"platform": "twitter", "connection_id": account["id"], "content": text});
            ada.publish(&post, text).await.expect(202)["id"].as_str().unwrap().to_owned()
        };
        // The first account's post is held up for as long as the second's needs to be out.
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::DelayMs(6_000)).times(1));
        let held_up = publish(&accounts[0], "held up").await;
        ada.wait(&held_up, &["running"]).await;
        while host.sim.counts().get("POST /2/tweets").is_none_or(|count| *count == 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let behind = publish(&accounts[0], "behind it").await;
        let beside = publish(&accounts[1], "beside it").await;
        ada.wait(&beside, &["published"]).await;
        assert_eq!(ada.get(&format!("/social/publications/{behind}")).await.expect(200)["state"], "due", "{backend:?}");
        ada.wait(&held_up, &["published"]).await;
        ada.wait(&behind, &["published"]).await;
        let texts: Vec<String> = host.sim.posts().into_iter().map(|post| post.text).collect();
        assert_eq!(texts, ["beside it", "held up", "behind it"], "{backend:?}");
        host.check_books().await;
    }
}

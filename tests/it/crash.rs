//! The crash walks: a host that dies at every durable write of a publication, just before it and just after it.
//!
//! A host in a process of its own aborts at its n-th write. A second one starts on what is left, the client asks again with the
//! same key, and the network must hold each part once. `walk` has what all walks share; here are X, Facebook, Mastodon and a
//! webhook. `courses` has what else can happen to a publication; replies, Instagram and YouTube walk beside their other tests.

mod courses;
pub(crate) mod networks;
mod replies;
pub(crate) mod walk;

use crate::harness::{BOTH, Backend, Host, Settings, settings};
use orla::connectors::Memories;
use serde_json::json;
use walk::{Ground, Sides, Wish, walk};

/// What a publication costs in all walks.
pub(crate) const PRICE: i64 = 3;
pub(crate) const CREDITS: i64 = 3_000;

/// A network that does not refuse a text that it has seen, so that a part sent twice is there twice.
fn forgetful() -> Settings {
    Settings { duplicate_window_s: 0, ..settings() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_posts_each_part_once() {
    for backend in BOTH {
        walk_a_thread(backend).await;
    }
}

async fn walk_a_thread(backend: Backend) {
    // A host in this process signs Ada up and connects her; the walk then goes on with its data and database.
    let host = Host::start_with(backend, forgetful(), |_| Memories::Pooled).await;
    crate::harness::price(&host.app, PRICE).await;
    let ada = host.connected("ada", "twitter").await;
    host.grant(ada.workspace, CREDITS).await;
    let ground = Ground::after(&host, ada, Vec::new()).await;
    let picture = format!("{}/pictures/square.png", host.sim.origin());
    let rounds = walk(Sides::Both, 20, async |crash_at| {
        let body = json!({"platform": "twitter", "parts": [
            {"text": format!("one {crash_at}"), "media": [{"url": picture}]},
            {"text": format!("two {crash_at}")},
            {"text": format!("three {crash_at}")},
        ]});
        let before = host.sim.posts().len();
        let died = ground.round(&Wish::publish(crash_at, body)).await;
        let posts = host.sim.posts().split_off(before);
        let texts: Vec<&str> = posts.iter().map(|post| post.text.as_str()).collect();
        let wanted = ["one", "two", "three"].map(|word| format!("{word} {crash_at}"));
        assert_eq!(texts, wanted, "{backend:?}, crash at {crash_at}");
        assert_eq!(posts[0].media.len(), 1);
        died
    })
    .await;
    ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
}

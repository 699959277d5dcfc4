//! The walk for a reply to a comment: whenever the host dies, the reply is there once, and paid for once.

use super::walk::{Ground, Sides, Wish, walk};
use crate::engagement::stage::{self, Stage};
use crate::facebook::strict;
use crate::harness::{BOTH, Backend};
use orla_vendors::facebook::Sim;
use serde_json::json;

const PRICE: i64 = 5;
const CREDITS: i64 = 3_000;

/// What a host in a process of its own is told of the connector.
pub(super) fn environment(facebook: &Sim) -> Vec<(&'static str, String)> {
    let app = facebook.settings();
    let mut all = vec![
        ("ORLA_CONNECTORS__FACEBOOK__CLIENT_ID", app.app_id),
        ("ORLA_CONNECTORS__FACEBOOK__CLIENT_SECRET", app.app_secret),
        ("ORLA_CONNECTORS__FACEBOOK__VISIBLE_AFTER_MS", "150".to_owned()),
    ];
    let endpoints = [
        "ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__API",
        "ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__VIDEO",
        "ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__WEB",
    ];
    all.extend(endpoints.map(|name| (name, facebook.origin())));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_replies_once() {
    for backend in BOTH {
        walk_replies(backend).await;
    }
}

async fn walk_replies(backend: Backend) {
    let Stage { host, sim, ada, connection, post, .. } = stage::set(backend, strict(), CREDITS).await;
    sim.comment(&post, "Ann", "When do you open?").unwrap();
    let comment = stage::listed(&ada, &connection, &post).await.remove(0);
    let ground = Ground::after(&host, ada, environment(&sim)).await;
    let replies = "/social/engagement/replies";
    let rounds = walk(Sides::Both, 8, async |crash_at| {
        let body = json!({"connection_id": connection, "comment_id": comment["id"], "text": crash_at});
        let died = ground.round(&Wish { path: replies.to_owned(), list: replies, key: crash_at, body }).await;
        let said = sim.comments().into_iter().filter(|reply| reply.message == crash_at).count();
        assert_eq!(said, 1, "{backend:?}, crash at {crash_at}");
        died
    })
    .await;
    ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
}

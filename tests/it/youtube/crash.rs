//! The crash walk for a video with a thumbnail and a first comment: whenever the host dies, each is there once.

use super::{GRANULE, connected, film, host, with};
use crate::crash::walk::{Ground, Sides, Wish, walk};
use crate::harness::{BOTH, Backend};
use orla::connectors::Memories;
use orla_vendors::youtube::{Settings, Sim};
use serde_json::json;

/// What a host in a process of its own is told of the connector.
pub(super) fn environment(youtube: &Sim) -> Vec<(&'static str, String)> {
    let client = youtube.settings();
    let mut all = vec![
        ("ORLA_CONNECTORS__YOUTUBE__CLIENT_ID", client.client_id),
        ("ORLA_CONNECTORS__YOUTUBE__CLIENT_SECRET", client.client_secret),
        ("ORLA_CONNECTORS__YOUTUBE__VISIBLE_AFTER_MS", "150".to_owned()),
    ];
    let endpoints = [
        "ORLA_CONNECTORS__YOUTUBE__ENDPOINTS__API",
        "ORLA_CONNECTORS__YOUTUBE__ENDPOINTS__TOKENS",
        "ORLA_CONNECTORS__YOUTUBE__ENDPOINTS__WEB",
    ];
    all.extend(endpoints.map(|name| (name, youtube.origin())));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_publishes_one_video() {
    for backend in BOTH {
        walk_videos(backend).await;
    }
}

async fn walk_videos(backend: Backend) {
    let youtube =
        Settings { uploads_a_day: 10_000, uploads_a_channel: 10_000, units_a_day: 1_000_000, ..Settings::default() };
    let (host, sim) = host(backend, youtube, Memories::Pooled).await;
    let (ada, _) = connected(&host, &sim).await;
    let ground = Ground::after(&host, ada, environment(&sim)).await;
    let web = host.sim.origin();
    let (url, picture) = (format!("{web}/pictures/clip-{}.mp4", GRANULE + 7), format!("{web}/pictures/square.png"));
    walk(Sides::Both, 16, async |crash_at| {
        let words = json!({"title": crash_at, "first_comment": crash_at, "media_urls": [url, picture]});
        let died = ground.round(&Wish::publish(crash_at, with(film(&url), words))).await;
        let videos: Vec<_> = sim.videos().into_iter().filter(|video| video.title == crash_at).collect();
        assert_eq!(videos.len(), 1, "{backend:?}, crash at {crash_at}: {videos:#?}");
        assert!(videos[0].thumbnail_sha256.is_some(), "{backend:?}, crash at {crash_at}");
        let said = sim.comments().into_iter().filter(|comment| comment.text == crash_at).count();
        assert_eq!(said, 1, "{backend:?}, crash at {crash_at}");
        died
    })
    .await;
    ground.check_books(0).await;
}

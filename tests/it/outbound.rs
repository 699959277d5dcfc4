//! URLs that people give lead nowhere inside.

use crate::harness::{BOTH, Host};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn media_are_fetched_from_the_public_internet_only() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let port = host.url.rsplit(':').next().unwrap();
        for (n, url) in [
            format!("http://127.0.0.1:{port}/healthz"),
            format!("http://localhost:{port}/healthz"),
            format!("http://2130706433:{port}/healthz"),
            format!("http://0x7f.1:{port}/healthz"),
            format!("http://[::1]:{port}/healthz"),
            format!("http://[::ffff:127.0.0.1]:{port}/healthz"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "http://10.0.0.1/".to_owned(),
            format!("{}/pictures/redirect-to?url=http://127.0.0.1:{port}/healthz", host.sim.origin()),
            "http://user:password@93.184.216.34/".to_owned(),
        ]
        .into_iter()
        .enumerate()
        {
            let post = json!({"platform": "twitter", "content": "look", "media_urls": [url]});
            let done = ada.published(&post, &format!("key {n}"), &["failed", "published"]).await;
            assert_eq!(
                (done["state"].as_str(), done["fault"]["kind"].as_str()),
                (Some("failed"), Some("invalid")),
                "{url}: {done:#}"
            );
            assert_eq!(done["fault"]["field"], "parts/0/media/0");
        }
        for url in ["ftp://example.org/a.png", "file:///etc/passwd", "picture.png", "javascript:alert(1)"] {
            let post = json!({"platform": "twitter", "content": "look", "media_urls": [url]});
            ada.publish(&post, url).await.refused(422, "invalid_input");
        }
        assert!(host.sim.posts().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medium_that_the_network_does_not_take_is_refused_before_any_upload() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        for name in ["not-an-image.txt", "big-6000000.png"] {
            let url = format!("{}/pictures/{name}", host.sim.origin());
            let post = json!({"platform": "twitter", "content": "look", "media_urls": [url]});
            let done = ada.published(&post, name, &["failed", "published"]).await;
            assert_eq!(
                (done["state"].as_str(), done["fault"]["kind"].as_str()),
                (Some("failed"), Some("invalid")),
                "{done:#}"
            );
        }
        assert!(!host.sim.counts().contains_key("POST /2/media/upload/initialize"));
    }
}

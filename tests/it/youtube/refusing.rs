//! What YouTube refuses, before a video exists and after it does: told in words, and never taken for published.

use super::{UPLOAD, clip, connected, ended, film, host, published, with};
use crate::harness::BOTH;
use orla::connectors::Memories;
use orla_vendors::youtube::{Fault, Mode, Settings};
use serde_json::{Value, json};

fn fault(done: &Value) -> [&str; 2] {
    assert_eq!(done["state"], "failed", "{done:#}");
    ["kind", "code"].map(|name| done["fault"][name].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_is_rejected_afterwards_is_no_success() {
    for backend in BOTH {
        let youtube = Settings { reject_duplicates: true, ..Settings::default() };
        let (host, sim) = host(backend, youtube, Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        published(&ada, "first", &film(&clip(&host, 99))).await;
        let done = ended(&ada, "second", &film(&clip(&host, 99))).await;
        assert_eq!(fault(&done), ["invalid", "duplicate"]);
        let told = done["fault"]["message"].as_str().unwrap();
        let id = &sim.videos()[1].id;
        assert!(told.contains("a duplicate of another video") && told.contains(&format!("part/0 as {id}")), "{told}");
        sim.change(|settings| settings.failure_reason = "codec".to_owned());
        let done = ended(&ada, "third", &film(&clip(&host, 100))).await;
        assert_eq!(fault(&done), ["invalid", "codec"]);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_nobody_sees_is_no_success() {
    for backend in BOTH {
        let youtube = Settings { force_private: true, ..Settings::default() };
        let (host, sim) = host(backend, youtube, Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let done = ended(&ada, "public", &film(&clip(&host, 99))).await;
        assert_eq!(fault(&done), ["conflict", "forcedPrivate"]);
        published(&ada, "private", &with(film(&clip(&host, 100)), json!({"privacy": "private"}))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_allowance_says_when_it_is_back() {
    for backend in BOTH {
        let youtube = Settings { uploads_a_day: 1, uploads_a_channel: 2, ..Settings::default() };
        let (host, sim) = host(backend, youtube, Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        published(&ada, "first", &film(&clip(&host, 99))).await;
        let done = ended(&ada, "second", &film(&clip(&host, 100))).await;
        assert_eq!(fault(&done), ["quota", "quotaExceeded"]);
        let wait_ms = done["fault"]["retry_after_ms"].as_u64().unwrap();
        assert!((1..=86_400_000).contains(&wait_ms), "{wait_ms}");
        sim.change(|settings| {
            settings.uploads_a_day = 100;
            settings.uploads_a_channel = 1;
        });
        let done = ended(&ada, "third", &film(&clip(&host, 100))).await;
        assert_eq!(fault(&done), ["quota", "uploadLimitExceeded"]);
        assert_eq!(sim.made().uploads, 1);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_rules_is_refused_before_anything_is_sent() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let (url, picture) = (clip(&host, 99), format!("{}/pictures/square.png", host.sim.origin()));
        let wrong = [
            json!({"title": null}),
            json!({"title": "x".repeat(101)}),
            json!({"title": "a > b"}),
            json!({"content": "x".repeat(5_001)}),
            json!({"media_urls": [picture]}),
            json!({"media_urls": [picture, url]}),
            json!({"media_urls": [url, picture, picture]}),
            json!({"media_urls": [format!("{}/pictures/anim.gif", host.sim.origin())]}),
            json!({"media_urls": [url, format!("{}/pictures/big-{}.png", host.sim.origin(), (2 << 20) + 1)]}),
            json!({"privacy": "friends"}),
            json!({"privacy": "private", "first_comment": "First!"}),
            json!({"link": "https://example.org"}),
            json!({"extras": {"license": "mine"}}),
            json!({"extras": {"tags": ["x".repeat(501)]}}),
            json!({"extras": {"surprise": true}}),
        ];
        for (at, more) in wrong.into_iter().enumerate() {
            let answer = ada.publish(&with(film(&url), more.clone()), &format!("wrong {at}")).await;
            if answer.status == 202 {
                // Media are looked at once they are there.
                let id = answer.body["id"].as_str().unwrap().to_owned();
                let done = ada.wait(&id, &["published", "failed"]).await;
                assert_eq!(fault(&done)[0], "invalid", "{more}");
            } else {
                assert_eq!(answer.status, 422, "{more}: {}", answer.body);
            }
        }
        assert_eq!(sim.made().uploads, 0);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumbnail_that_is_refused_is_told_though_the_video_is_live() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        sim.change(|settings| {
            if let Some(channel) = &mut settings.accounts[0].channel {
                channel.verified = false;
            }
        });
        let (url, picture) = (clip(&host, 99), format!("{}/pictures/square.png", host.sim.origin()));
        let post = with(film(&url), json!({"media_urls": [url, picture], "first_comment": "First!"}));
        let done = ended(&ada, "film", &post).await;
        assert_eq!(fault(&done), ["invalid", "forbidden"]);
        let told = done["fault"]["message"].as_str().unwrap();
        assert!(
            told.contains("The video is live") && told.contains(&format!("part/0 as {}", sim.videos()[0].id)),
            "{told}"
        );
        assert_eq!(sim.comments().len(), 1, "all else is done");
        sim.change(|settings| settings.comments_disabled = true);
        let off = with(film(&clip(&host, 100)), json!({"first_comment": "First!"}));
        let done = published(&ada, "off", &off).await;
        assert_eq!(done["receipt"][1]["outcome"], "missing", "{done:#}");
        assert_eq!(done["receipt"][1]["fault"]["code"], "commentsDisabled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_youtube_that_is_down_for_a_while_is_waited_for() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        sim.fault(Fault::on("POST", UPLOAD, Mode::status(503)).times(2));
        sim.fault(Fault::on("GET", "/youtube/v3/videos", Mode::status(500)));
        let done = published(&ada, "film", &film(&clip(&host, 99))).await;
        assert_eq!((&done["attempts"], sim.made().videos), (&json!(4), 1), "{done:#}");
    }
}

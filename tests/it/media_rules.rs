//! The rules of media: what is just within them goes out, what is just over is refused while its author can still mend it, and
//! a picture that the network does not take becomes one that it does.

use crate::gallery::{Stage, hours, problems, set};
use crate::harness::{Answer, BOTH};
use serde_json::{Value, json};
use std::time::Duration;

/// A post with these media that is planned for later.
async fn planned(stage: &Stage, media: &[&str]) -> Answer {
    let media: Vec<Value> = media.iter().map(|name| stage.medium(name)).collect();
    let post = json!({"platform": "gallery", "parts": [{"text": "look", "media": media}], "publish_at": hours(1)});
    stage.ada.publish(&post, &format!("{media:?}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_over_a_rule_is_refused_when_it_is_planned() {
    for backend in BOTH {
        let stage = set(backend).await;
        for name in [
            "a-1000x600.jpg",
            "a-600x700.jpg",
            "a-100x100.jpg",
            "a-900x1000.jpg",
            "a-382x200.jpg",
            "a-800x1000.jpg",
            "a-500x500-100000.jpg",
            "a-300x200.png",
            "a-60000-500.mp4",
            "a-1000-100.mp4",
            // It says nothing that can be believed, so the network has to.
            "hostile.mp4",
        ] {
            let taken = planned(&stage, &[name]).await.expect(202);
            assert_eq!(taken["state"], "scheduled", "{name}: {taken:#}");
        }
        for (name, words) in [
            ("a-1001x600.jpg", "1001 pixels wide; the network takes 1000 pixels at most: 1 pixel too many"),
            ("a-99x100.jpg", "99 pixels wide; the network takes 100 pixels at least: 1 pixel too few"),
            ("a-900x1001.jpg", "1001 pixels high; the network takes 1000 pixels at most: 1 pixel too many"),
            ("a-150x99.jpg", "99 pixels high; the network takes 100 pixels at least: 1 pixel too few"),
            ("a-383x200.jpg", "its width is 191.50 % of its height; the network takes 191 % at most"),
            ("a-799x1000.jpg", "its width is 79.90 % of its height; the network takes 80 % at least"),
            ("a-500x500-100001.jpg", "100001 bytes; the network takes image/jpeg of 100000 bytes at most: 1 too many"),
            ("a-60001-500.mp4", "60.001 s long; the network takes 60 s at most: 0.001 s too many"),
            ("a-999-500.mp4", "0.999 s long; the network takes 1 s at least: 0.001 s too few"),
            ("a-5000-1001.mp4", "1001 pixels high; the network takes 1000 pixels at most: 1 pixel too many"),
            // What it becomes is held against the rules of that.
            ("a-1001x600.png", "As image/jpeg, which the network takes: It is 1001 pixels wide"),
            ("missing.jpg", "The medium cannot be fetched: its server answered 404"),
        ] {
            let (fields, told) = problems(planned(&stage, &[name]).await);
            assert_eq!(fields, ["parts/0/media/0"], "{name}: {told}");
            assert!(told.contains(words), "{name}: {told}");
        }
        let animated = format!("{}/pictures/anim.gif", stage.host.sim.origin());
        let post = json!({"platform": "gallery", "content": "x", "media_urls": [animated], "publish_at": hours(1)});
        let (_, told) = problems(stage.ada.publish(&post, "gif").await);
        assert_eq!(told, "The network takes no image/gif. It takes image/jpeg, image/png, video/mp4.");
        assert!(stage.texts().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_told_at_once() {
    for backend in BOTH {
        let stage = set(backend).await;
        let media = ["a-1001x99.jpg", "a-200x200.jpg", "a-90-50.mp4"].map(|name| stage.medium(name));
        let parts = json!([{"text": "never", "media": media}, {"text": "x".repeat(201)}]);
        let post = json!({"platform": "gallery", "parts": parts, "publish_at": hours(1), "extras": {"mood": "good"}});
        let (fields, told) = problems(stage.ada.publish(&post, "k").await);
        // Too wide, not high enough, and out of ratio; too short, and not high enough.
        let wanted = ["parts/0/media/0", "parts/0/media/0", "parts/0/media/0", "parts/0/media/2", "parts/0/media/2"];
        let rest = ["extras/mood", "parts/0/text", "parts/1/text"];
        assert_eq!(fields, [&wanted[..], &rest[..]].concat(), "{told}");
        // At once, all but the media is told at once.
        let now = json!({"platform": "gallery", "parts": parts, "extras": {"mood": "good"}, "title": "t"});
        let (fields, told) = problems(stage.ada.publish(&now, "now").await);
        assert_eq!(fields, ["extras/mood"], "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_png_becomes_a_jpeg_once() {
    for backend in BOTH {
        let stage = set(backend).await;
        for key in ["first", "second"] {
            let post = json!({"platform": "gallery", "content": key, "media_urls": [stage.web.url("a-300x200.png")]});
            let done = stage.ada.published(&post, key, &["published", "failed"]).await;
            assert_eq!(done["state"], "published", "{done:#}");
        }
        let texts = stage.texts();
        assert!(texts[0].starts_with("first [image/jpeg ") && texts[1].starts_with("second [image/jpeg "), "{texts:?}");
        assert_eq!(stage.web.fetched("a-300x200.png"), 1, "a medium is fetched once");
        assert_eq!(stage.count("select count(*) from converted_blobs").await, 1);
        let jpegs = "select count(*) from blobs where content_type = 'image/jpeg' and width = 300 and height = 200";
        assert_eq!(stage.count(jpegs).await, 1, "what it is like is stored with it");
        // X takes it as it is.
        let post =
            json!({"platform": "twitter", "content": "as it is", "media_urls": [stage.web.url("a-300x200.png")]});
        stage.ada.published(&post, "x", &["published"]).await;
        assert_eq!((stage.web.fetched("a-300x200.png"), stage.count("select count(*) from blobs").await), (1, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medium_that_was_no_good_is_fetched_anew() {
    for backend in BOTH {
        let stage = set(backend).await;
        let (ada, name) = (&stage.ada, "a-1001x600.jpg");
        let post = json!({"platform": "gallery", "content": "at once", "media_urls": [stage.web.url(name)]});
        let failed = ada.published(&post, "k", &["published", "failed"]).await;
        assert_eq!(
            (&failed["state"], &failed["fault"]["field"]),
            (&json!("failed"), &json!("parts/0/media/0")),
            "{failed:#}"
        );
        assert!(failed["fault"]["message"].as_str().unwrap().contains("1 pixel too many"), "{failed:#}");
        assert!(stage.texts().is_empty());
        // Its author puts a better one in its place, and tries again.
        stage.web.put(name, "b-1000x600.jpg");
        let again =
            ada.post(&format!("/social/publications/{}/retry", failed["id"].as_str().unwrap()), &json!({})).await;
        let done = ada.wait(again.expect(202)["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!((&done["state"], stage.web.fetched(name)), (&json!("published"), 2), "{done:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medium_whose_server_is_down_is_fetched_when_the_post_goes_out() {
    for backend in BOTH {
        let stage = set(backend).await;
        stage.web.down(true);
        let soon = orla::clock::Clock::System.now().after(Duration::from_secs(2));
        let media = json!([stage.medium("a-300x200.jpg")]);
        let post = json!({"platform": "gallery", "parts": [{"text": "later", "media": media}], "publish_at": soon});
        let taken = stage.ada.publish(&post, "k").await.expect(202);
        stage.web.down(false);
        let done = stage.ada.wait(taken["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!((&done["state"], stage.web.fetched("a-300x200.jpg")), (&json!("published"), 2), "{done:#}");
        // One that came in time is not fetched again, though its server is down by then.
        let soon = orla::clock::Clock::System.now().after(Duration::from_secs(2));
        let media = json!([stage.medium("b-300x200.jpg")]);
        let post = json!({"platform": "gallery", "parts": [{"text": "kept", "media": media}], "publish_at": soon});
        let taken = stage.ada.publish(&post, "kept").await.expect(202);
        stage.web.down(true);
        let done = stage.ada.wait(taken["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!((&done["state"], stage.web.fetched("b-300x200.jpg")), (&json!("published"), 1), "{done:#}");
    }
}

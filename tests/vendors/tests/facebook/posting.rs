//! Posts: text, links, schedules, changes and deletions.

use orla_vendors::facebook::Settings;
use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, PAGE, body, code, refused, sent, text};

const FEED: &str = "615500000000001/feed";

#[tokio::test]
async fn a_post_is_made_shown_changed_and_deleted() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let id = text(&page.posted(FEED, &[("message", "Hi"), ("link", "https://example.com/a")]).await["id"]);
    assert!(id.starts_with(&format!("{PAGE}_")));
    let shown = page.read(&format!("{id}?fields=id,message,permalink_url,created_time,from{{name}},attachments")).await;
    assert_eq!((&shown["message"], &shown["from"]["name"]), (&json!("Hi"), &json!("Orla Coffee")));
    assert_eq!(shown["attachments"]["data"][0]["url"], "https://example.com/a");
    assert!(text(&shown["created_time"]).ends_with("+0000"));
    assert!(text(&shown["permalink_url"]).starts_with("https://www.facebook.com/615500000000001/posts/"));
    let short = page.read(&id).await;
    assert_eq!(short.as_object().unwrap().len(), 3, "{short}");

    assert_eq!(page.posted(&id, &[("message", "Hello")]).await, json!({ "success": true }));
    assert_eq!(bench.sim.posts()[0].message, "Hello");
    assert_eq!(code(page.post(&id, &[("message", " ")])).await, (100, 0));
    assert_eq!(body(sent(page.delete(&id)).await, StatusCode::OK).await, json!({ "success": true }));
    assert_eq!(code(page.delete(&id)).await, (100, 33));
    assert_eq!(code(page.get(&id)).await, (100, 33));
    assert!(bench.sim.posts()[0].deleted);
    assert_eq!((bench.sim.made().posts, bench.sim.counts()["DELETE /v26.0/{id}"]), (1, 2));
}

#[tokio::test]
async fn what_is_no_post_is_refused() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let (longest, too_long) = ("é".repeat(63_206), "é".repeat(63_207));
    for (form, expected) in [
        (&[][..], 100),
        (&[("message", "  \n")], 100),
        (&[("message", &too_long)], 100),
        (&[("message", "x"), ("text", "y")], 100),
        (&[("message", "x"), ("published", "maybe")], 100),
        (&[("link", "example.com")], 1500),
        (&[("link", "ftp://example.com")], 1500),
        (&[("link", "https://www.facebook.com/zuck")], 1_609_008),
        (&[("link", "https://nowhere.invalid/")], 1_609_005),
        (&[("message", "x"), ("attached_media", "nonsense")], 100),
        (&[("message", "x"), ("attached_media", "[{\"media_fbid\":\"1\"}]")], 100),
    ] {
        let (code, _, message) = refused(page.post(FEED, form)).await;
        assert_eq!(code, expected, "{message}");
    }
    assert_eq!(bench.sim.made().posts, 0);
    page.posted(FEED, &[("message", &longest)]).await;
}

#[tokio::test]
async fn the_same_post_in_a_row_is_refused_unless_told_otherwise() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let id = page.posted_words("x").await;
    let (code, _, message) = refused(page.post(FEED, &[("message", "x")])).await;
    assert_eq!((code, message.as_str()), (506, "(#506) Duplicate status message"));
    page.posted(FEED, &[("message", "x"), ("link", "https://example.com")]).await;
    page.posted_words("x").await;
    assert_ne!(page.posted_words("y").await, id);
    bench.sim.change(|settings| settings.refuse_duplicates = false);
    page.posted_words("y").await;
}

#[tokio::test]
async fn a_scheduled_post_is_published_when_its_time_has_come() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let first = page.posted_words("now").await;
    let now_s = bench.sim.posts()[0].created_ms / 1_000;
    let at = |seconds: u64| (now_s + seconds).to_string();
    for (published, time) in [("true", at(3_600)), ("false", at(60)), ("false", at(76 * 86_400))] {
        let form = [("message", "x"), ("published", published), ("scheduled_publish_time", &time)];
        assert_eq!(code(page.post(FEED, &form)).await, (100, 0), "{published} {time}");
    }
    let time = at(3_600);
    let form = [("message", "later"), ("published", "false"), ("scheduled_publish_time", &time)];
    let id = text(&page.posted(FEED, &form).await["id"]);
    let list = format!("{PAGE}/published_posts?fields=id");
    assert_eq!(page.read(&list).await["data"], json!([{ "id": first }]));
    let fields = format!("{id}?fields=is_published,scheduled_publish_time");
    assert_eq!(page.read(&fields).await["scheduled_publish_time"], json!(now_s + 3_600));
    bench.sim.advance(3_601);
    assert_eq!(page.read(&list).await["data"], json!([{ "id": id }, { "id": first }]));
    assert_eq!(page.read(&fields).await, json!({ "is_published": true, "id": id }));
    let draft = [("message", "draft"), ("published", "false")];
    page.posted(FEED, &draft).await;
    assert_eq!(page.read(&list).await["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_lost_can_be_read_back() {
    let bench = Bench::with(Settings { read_lag_ms: 60_000, ..Settings::default() }).await;
    let page = bench.page().await;
    let id = page.posted_words("x").await;
    let created_s = bench.sim.posts()[0].created_ms / 1_000;
    let since = |seconds: u64| format!("{PAGE}/published_posts?fields=id,message&since={seconds}");
    assert_eq!(page.read(&since(created_s)).await, json!({ "data": [] }), "it lags");
    bench.sim.advance(60);
    assert_eq!(page.read(&since(created_s)).await["data"], json!([{ "id": id, "message": "x" }]));
    assert_eq!(page.read(&since(created_s + 1)).await["data"], json!([]));
    assert_eq!(page.read(&format!("{PAGE}/feed?until={created_s}")).await["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        page.read(&format!("{PAGE}/feed?since=1970-01-02T00:00:00Z")).await["data"].as_array().unwrap().len(),
        1
    );
    assert_eq!(code(page.get(&format!("{PAGE}/feed?since=yesterday"))).await, (100, 0));
}

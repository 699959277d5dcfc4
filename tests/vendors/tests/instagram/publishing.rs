//! Publishing, and finding what was published.

use orla_vendors::instagram::Settings;
use serde_json::json;

use crate::{ACCOUNT, Bench, MEDIA, PUBLISH, SCOPES, code, text};

#[tokio::test]
async fn a_container_is_published_once_and_found_newest_first() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let (first, second) = (person.image(&[("caption", "one")]).await, person.image(&[("caption", "two")]).await);
    let one = person.published(&first).await;
    person.published(&second).await;
    assert_ne!(one, first, "a medium has an id of its own");
    assert_eq!(person.status(&first).await, "PUBLISHED");
    assert_eq!(code(person.post(PUBLISH, &[("creation_id", &first)])).await, (24, 2_207_006));
    let list = person.read(&format!("{MEDIA}?fields=caption,media_type,timestamp,permalink&limit=1")).await;
    assert_eq!(list["data"][0]["caption"], "two");
    let next = bench.http.get(text(&list["paging"]["next"])).send().await.unwrap();
    let next: serde_json::Value = next.json().await.unwrap();
    assert_eq!((&next["data"][0]["caption"], &next["data"][0]["id"]), (&json!("one"), &json!(one)));
    let shown = person.read(&format!("{one}?fields=permalink,media_product_type,username,timestamp")).await;
    assert!(text(&shown["permalink"]).starts_with("https://www.instagram.com/p/"), "{shown}");
    assert_eq!((&shown["media_product_type"], &shown["username"]), (&json!("FEED"), &json!("orla.coffee")));
    assert!(text(&shown["timestamp"]).ends_with("+0000"));
    assert_eq!(bench.sim.instagram_made().media, 2);
}

#[tokio::test]
async fn what_is_not_ready_is_not_published() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let publish = |id: &str| person.post(PUBLISH, &[("creation_id", id)]);
    assert_eq!(code(publish("1")).await, (24, 2_207_006));
    assert_eq!(code(person.post(PUBLISH, &[])).await, (100, 0));
    let child = person.image(&[("is_carousel_item", "true")]).await;
    assert_eq!(code(publish(&child)).await, (100, 2_207_028));
    let film = bench.picture("clip-5000.mp4");
    let reel = person.made(MEDIA, &[("media_type", "REELS"), ("video_url", &film), ("caption", "Watch")]).await;
    assert_eq!(code(publish(&reel)).await, (9_007, 2_207_027));
    assert_eq!(person.status(&reel).await, "IN_PROGRESS");
    assert_eq!(person.status(&reel).await, "FINISHED");
    let old = person.image(&[]).await;
    bench.sim.advance(86_400);
    assert_eq!(code(publish(&old)).await, (24, 2_207_008));
    assert_eq!(bench.sim.instagram_made().media, 0);
}

#[tokio::test]
async fn processing_fails_where_it_is_told_to() {
    let bench = Bench::with(Settings { processing_error: Some(2_207_026), ..Settings::default() }).await;
    let person = bench.person(SCOPES);
    let id = person.image(&[]).await;
    let told = person.read(&format!("{id}?fields=status_code,status")).await;
    assert_eq!(told["status_code"], "ERROR");
    assert!(text(&told["status"]).contains("2207026"), "{told}");
    assert_eq!(code(person.post(PUBLISH, &[("creation_id", &id)])).await, (9_007, 2_207_027));
}

#[tokio::test]
async fn an_account_may_publish_so_much_in_a_day() {
    let bench = Bench::with(Settings { media_a_day: 1, ..Settings::default() }).await;
    let person = bench.person(SCOPES);
    let limit = format!("{ACCOUNT}/content_publishing_limit?fields=config,quota_usage");
    let config = json!({ "quota_total": 1, "quota_duration": 86_400 });
    assert_eq!(person.read(&limit).await, json!({ "data": [{ "config": config, "quota_usage": 0 }] }));
    let first = person.image(&[]).await;
    person.published(&first).await;
    assert_eq!(person.read(&limit).await["data"][0]["quota_usage"], 1);
    let second = person.image(&[]).await;
    assert_eq!(code(person.post(PUBLISH, &[("creation_id", &second)])).await, (9, 2_207_042));
    bench.sim.advance(86_401);
    let third = person.image(&[]).await;
    person.published(&third).await;
}

#[tokio::test]
async fn a_story_is_apart_from_other_media_and_gone_after_a_day() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let id = person.image(&[("media_type", "STORIES")]).await;
    let story = person.published(&id).await;
    assert_eq!(person.read(MEDIA).await["data"], json!([]));
    assert_eq!(person.read(&format!("{ACCOUNT}/stories")).await["data"], json!([{ "id": story }]));
    assert_eq!(code(person.post(&format!("{story}/comments"), &[("message", "Nice")])).await, (100, 0));
    bench.sim.advance(86_400);
    assert_eq!(person.read(&format!("{ACCOUNT}/stories")).await["data"], json!([]));
}

//! Lists in pages.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, PAGE, body, messages, sent, text};

#[tokio::test]
async fn posts_come_newest_first_and_by_cursors_both_ways() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    for number in 0..5 {
        page.posted_words(&format!("number {number}")).await;
    }
    let first = page.read(&format!("{PAGE}/published_posts?limit=2&summary=true")).await;
    assert_eq!((messages(&first), &first["summary"]["total_count"]), (vec!["number 4", "number 3"], &json!(5)));
    let follow = async |link: &Value| body(sent(bench.http.get(text(link))).await, StatusCode::OK).await;
    let second = follow(&first["paging"]["next"]).await;
    assert_eq!(messages(&second), ["number 2", "number 1"]);
    let third = follow(&second["paging"]["next"]).await;
    assert_eq!(messages(&third), ["number 0"]);
    assert!(third["paging"].get("next").is_none() && third["paging"]["cursors"]["after"].is_string());
    let back = follow(&second["paging"]["previous"]).await;
    assert_eq!(messages(&back), ["number 4", "number 3"]);
    let empty = page.read(&format!("{PAGE}/published_posts?since=99999999999")).await;
    assert_eq!(empty, json!({ "data": [] }), "an empty list has no cursors");
}

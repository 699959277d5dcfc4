//! Comments and replies.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, PUBLISH, SCOPES, body, code, sent, text};

#[tokio::test]
async fn comments_are_listed_newest_first_with_the_replies_to_them() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let container = person.image(&[]).await;
    let medium = person.made(PUBLISH, &[("creation_id", &container)]).await;
    let ann = bench.sim.instagram_comment(&medium, "ann", "When?").unwrap();
    let own = person.made(&format!("{medium}/comments"), &[("message", "#tea")]).await;
    let reply = person.made(&format!("{ann}/replies"), &[("message", "At seven")]).await;
    let below = bench.sim.instagram_comment(&reply, "ann", "Thanks").unwrap();
    let fields = "fields=text,username,user{id},replies{text,username}";
    let list = person.read(&format!("{medium}/comments?{fields}")).await;
    let texts: Vec<&Value> = list["data"].as_array().unwrap().iter().map(|comment| &comment["text"]).collect();
    assert_eq!(texts, ["#tea", "When?"]);
    assert_eq!((&list["data"][0]["id"], &list["data"][0]["user"]), (&json!(own), &json!({ "id": crate::ACCOUNT })));
    assert!(list["data"][1].get("user").is_none(), "of one's own alone");
    let replies = &list["data"][1]["replies"]["data"];
    assert_eq!((&replies[0]["id"], &replies[1]["id"]), (&json!(reply), &json!(below)), "replies hang on the first");
    let shown = person.read(&format!("{below}?fields=parent_id,username")).await;
    assert_eq!((&shown["parent_id"], &shown["username"]), (&json!(ann), &json!("ann")));
    assert_eq!(person.read(&format!("{ann}/replies?fields=id")).await["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(bench.sim.instagram_made().comments, 2);
}

#[tokio::test]
async fn comments_are_hidden_and_deleted() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let container = person.image(&[]).await;
    let medium = person.made(PUBLISH, &[("creation_id", &container)]).await;
    let ann = bench.sim.instagram_comment(&medium, "ann", "Nice").unwrap();
    body(sent(person.post(&ann, &[("hide", "true")])).await, StatusCode::OK).await;
    assert!(bench.sim.instagram_comments()[0].hidden);
    body(sent(person.request(Method::DELETE, &ann)).await, StatusCode::OK).await;
    assert_eq!(code(person.post(&format!("{ann}/replies"), &[("message", "Late")])).await, (100, 33));
    assert_eq!(person.read(&format!("{medium}/comments")).await["data"], json!([]));
}

#[tokio::test]
async fn a_comment_needs_words_and_the_permission() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let container = person.image(&[]).await;
    let comments = format!("{}/comments", person.made(PUBLISH, &[("creation_id", &container)]).await);
    for message in ["", "  ", &"x".repeat(2_201)] {
        assert_eq!(code(person.post(&comments, &[("message", message)])).await, (100, 0));
    }
    let poster = "instagram_basic,instagram_content_publish,pages_read_engagement";
    let other = bench.sim.issue_token("Second Person", poster).unwrap();
    let other = crate::Caller { bench: &bench, token: other };
    assert_eq!(code(other.post(&comments, &[("message", "x")])).await, (10, 0));
    assert_eq!(text(&person.read("me").await["name"]), "Orla Demo");
}

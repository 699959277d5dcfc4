//! Comments and replies.

use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, PAGE, PERSON, SCOPES, body, code, messages, sent, text};

#[tokio::test]
async fn visitors_are_read_and_answered() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let post = page.posted_words("x").await;
    let first = bench.sim.comment(&post, "Ann", "Nice").unwrap();
    let second = bench.sim.comment(&post, "Ben", "Where?").unwrap();
    let reply = text(&page.posted(&format!("{second}/comments"), &[("message", "Here")]).await["id"]);
    let local = post.split_once('_').unwrap().1;
    assert!(reply.starts_with(&format!("{local}_")), "{reply}");
    page.posted(&format!("{post}/comments"), &[("message", "Thanks")]).await;
    assert_eq!(bench.sim.made().comments, 2);

    let list = async |query: &str| page.read(&format!("{post}/comments?{query}")).await;
    assert_eq!(messages(&list("").await), ["Nice", "Where?", "Thanks"]);
    assert_eq!(messages(&list("filter=stream").await), ["Nice", "Where?", "Here", "Thanks"]);
    let fields =
        "filter=stream&order=reverse_chronological&limit=2&fields=id,message,from,created_time,parent{id},can_hide";
    let newest = list(fields).await;
    assert_eq!(messages(&newest), ["Thanks", "Here"]);
    assert_eq!(
        (&newest["data"][1]["parent"], &newest["data"][1]["from"]["id"]),
        (&json!({ "id": second }), &json!(PAGE))
    );
    assert!(newest["data"][0].get("parent").is_none());
    let older = sent(bench.http.get(text(&newest["paging"]["next"]))).await;
    assert_eq!(messages(&body(older, StatusCode::OK).await), ["Where?", "Nice"]);
    assert_eq!(messages(&page.read(&format!("{second}/comments")).await), ["Here"]);
    assert_eq!(messages(&list("since=99999999999").await), Vec::<&str>::new());
    for wrong in ["filter=all", "order=newest", "live_filter=x", "since=x", "filters=stream"] {
        assert_eq!(code(page.get(&format!("{post}/comments?{wrong}"))).await, (100, 0), "{wrong}");
    }

    let deeper = text(&page.posted(&format!("{reply}/comments"), &[("message", "There")]).await["id"]);
    let parent = page.read(&format!("{deeper}?fields=parent{{id}},from{{name}}")).await;
    assert_eq!(parent["parent"]["id"], second, "replies to replies hang on what those reply to");
    assert_eq!(parent["from"]["name"], "Orla Coffee");
    assert_eq!(page.read(&format!("{first}?fields=comment_count,is_hidden")).await["comment_count"], 0);
}

#[tokio::test]
async fn comments_are_hidden_changed_and_deleted() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let post = page.posted_words("x").await;
    let theirs = bench.sim.comment(&post, "Ann", "Spam").unwrap();
    let own = text(&page.posted(&format!("{post}/comments"), &[("message", "Mine")]).await["id"]);
    assert_eq!(page.posted(&theirs, &[("is_hidden", "true")]).await, json!({ "success": true }));
    page.posted(&own, &[("message", "Ours")]).await;
    assert_eq!(code(page.post(&theirs, &[("message", "Ham")])).await, (200, 0));
    assert_eq!(code(page.post(&own, &[("is_hidden", "true")])).await, (200, 0));
    let kept = bench.sim.comments();
    assert_eq!((kept[0].hidden, kept[0].message.as_str(), kept[1].message.as_str()), (true, "Spam", "Ours"));
    body(sent(page.delete(&theirs)).await, StatusCode::OK).await;
    assert_eq!(code(page.delete(&theirs)).await, (100, 33));
    body(sent(page.delete(&post)).await, StatusCode::OK).await;
    assert_eq!(code(page.get(&own)).await, (100, 33), "a comment goes with its post");
    assert_eq!(code(page.post(&format!("{post}/comments"), &[("message", "x")])).await, (100, 33));
}

#[tokio::test]
async fn what_its_author_takes_back_is_gone_with_its_replies() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let post = page.posted_words("x").await;
    let theirs = bench.sim.comment(&post, "Ann", "Where?").unwrap();
    let reply = text(&page.posted(&format!("{theirs}/comments"), &[("message", "Here")]).await["id"]);
    bench.sim.take_back(&theirs);
    assert_eq!(code(page.post(&format!("{theirs}/comments"), &[("message", "Here")])).await, (100, 33));
    assert_eq!(code(page.get(&reply)).await, (100, 33));
    assert_eq!(page.read(&format!("{post}/comments?filter=stream")).await["data"], json!([]));
}

#[tokio::test]
async fn what_is_no_comment_is_refused() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let comments = format!("{}/comments", page.posted_words("x").await);
    let too_long = "x".repeat(8_001);
    for form in [&[][..], &[("message", " ")], &[("message", &too_long)], &[("message", "x"), ("attachment_url", "y")]]
    {
        assert_eq!(code(page.post(&comments, form)).await, (100, 0));
    }
    assert_eq!(bench.sim.made().comments, 0);
}

#[tokio::test]
async fn people_see_no_comments_and_who_may_not_moderate_no_ids() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let post = page.posted_words("x").await;
    bench.sim.comment(&post, "Ann", "Nice").unwrap();
    let person = bench.person(SCOPES);
    assert_eq!(person.read(&format!("{post}/comments")).await, json!({ "data": [] }), "no comments, and no error");
    assert_eq!(code(person.post(&format!("{post}/comments"), &[("message", "x")])).await, (210, 0));

    let me = bench.sim.settings().people.iter().find(|person| person.name == PERSON).unwrap().id.clone();
    bench.sim.change(|settings| {
        settings.pages[0].roles.insert(me, vec!["CREATE_CONTENT".to_owned()]);
    });
    let list = page.read(&format!("{post}/comments?fields=id,message")).await;
    assert_eq!(list["data"], json!([{ "message": "Nice" }]));
    assert_eq!(code(page.post(&format!("{post}/comments"), &[("message", "x")])).await, (200, 0));
}

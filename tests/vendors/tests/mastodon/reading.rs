//! Reading: the account, its statuses in pages, and threads.

use orla_vendors::mastodon::Settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{ACCOUNT, Bench, STATUSES, body, refusal, sent, text};

impl Bench {
    /// The ids of a page, and its `Link` header.
    async fn page(&self, query: &str) -> (Vec<String>, Option<String>) {
        let response = sent(self.get(&format!("/api/v1/accounts/{ACCOUNT}/statuses{query}"))).await;
        let link = response.headers().get("link").map(|link| link.to_str().expect("a header of text").to_owned());
        let page = body(response, StatusCode::OK).await;
        (ids(&page), link)
    }
}

fn ids(page: &Value) -> Vec<String> {
    page.as_array().expect("a page is a list").iter().map(|status| text(&status["id"])).collect()
}

#[tokio::test]
async fn the_account_and_the_instance_say_what_is_allowed() {
    let bench = Bench::start().await;
    let me = bench.read("/api/v1/accounts/verify_credentials").await;
    assert_eq!(
        (&me["id"], &me["acct"], &me["source"]["privacy"]),
        (&json!(ACCOUNT), &json!("orla_demo"), &json!("public"))
    );
    assert_eq!(me["url"], format!("{}/@orla_demo", bench.sim.origin()));
    let instance = bench.read("/api/v2/instance").await;
    let configuration = &instance["configuration"];
    assert_eq!(
        configuration["statuses"],
        json!({ "max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23 })
    );
    let media = &configuration["media_attachments"];
    assert_eq!((&media["image_size_limit"], &media["video_size_limit"]), (&json!(16_777_216), &json!(103_809_024)));
    assert_eq!((&media["supported_mime_types"][0], &media["description_limit"]), (&json!("image/jpeg"), &json!(1_500)));
    assert_eq!(bench.read("/api/v2/instance/").await, instance);
    let misspelt = bench.get("/api/v2/instance?fields=all");
    assert!(refusal(misspelt, StatusCode::UNPROCESSABLE_ENTITY).await.contains("fields"));
    let unknown = sent(bench.get("/api/v1/timelines/home")).await;
    assert_eq!(body(unknown, StatusCode::NOT_FOUND).await, json!({ "error": "Record not found" }));
}

#[tokio::test]
async fn pages_go_both_ways_and_links_lead_on() {
    let bench = Bench::start().await;
    let mut newest_first = Vec::new();
    for words in ["one", "two", "three", "four", "five"] {
        newest_first.insert(0, bench.posted_words(words).await);
    }
    let ids = &newest_first;
    let path = format!("{}/api/v1/accounts/{ACCOUNT}/statuses", bench.sim.origin());
    let (page, link) = bench.page("?limit=2").await;
    assert_eq!(page, ids[..2]);
    let (next, previous) = (&ids[1], &ids[0]);
    let expected =
        format!("<{path}?limit=2&max_id={next}>; rel=\"next\", <{path}?limit=2&min_id={previous}>; rel=\"prev\"");
    assert_eq!(link.as_deref(), Some(expected.as_str()));
    let mut walked = page;
    let mut url = format!("?limit=2&max_id={next}");
    loop {
        let (page, link) = bench.page(&url).await;
        walked.extend(page);
        let next = link.and_then(|link| Some(link.split_once(">; rel=\"next\"")?.0.to_owned()));
        match next {
            Some(next) => url = next.split_once("/statuses").expect("it is this path").1.to_owned(),
            None => break,
        }
    }
    assert_eq!(walked, *ids);

    assert_eq!(bench.page(&format!("?limit=2&since_id={}", ids[4])).await.0, ids[..2], "the newest above");
    assert_eq!(bench.page(&format!("?limit=2&min_id={}", ids[4])).await.0, ids[2..4], "those next above");
    assert_eq!(bench.page(&format!("?min_id={}&max_id={}", ids[4], ids[1])).await.0, ids[2..4]);
    assert_eq!(bench.page(&format!("?max_id={}", ids[4])).await, (Vec::new(), None));
    assert_eq!(bench.page("?limit=400").await.0.len(), 5, "more than 40 are 40");
    for wrong in ["?limit=0", "?limit=two", "?max_id=x", "?until_id=1", "?pinned=true", "?limit=1&limit=2"] {
        let request = bench.get(&format!("/api/v1/accounts/{ACCOUNT}/statuses{wrong}"));
        assert!(refusal(request, StatusCode::UNPROCESSABLE_ENTITY).await.starts_with("The simulator is strict"));
    }
    assert_eq!(refusal(bench.get("/api/v1/accounts/1/statuses"), StatusCode::NOT_FOUND).await, "Record not found");
}

#[tokio::test]
async fn pages_can_leave_out_what_is_not_wanted() {
    let bench = Bench::start().await;
    let first = bench.posted_words("first #Bread").await;
    let own = text(&bench.posted(&json!({ "status": "mine", "in_reply_to_id": first })).await["id"]);
    let other = bench.sim.issue_token("second_account", "write");
    let other = bench.http.post(bench.url(STATUSES)).bearer_auth(other);
    let theirs = body(sent(other.json(&json!({ "status": "hi @orla_demo" }))).await, StatusCode::OK).await;
    assert_eq!(theirs["mentions"][0]["acct"], "orla_demo");
    let answer = text(&bench.posted(&json!({ "status": "re", "in_reply_to_id": theirs["id"] })).await["id"]);
    assert_eq!(bench.page("").await.0, [answer, own.clone(), first.clone()]);
    assert_eq!(bench.page("?exclude_replies=true&exclude_reblogs=true").await.0, [own, first.clone()]);
    assert_eq!(bench.page("?tagged=bread").await.0, [first]);
    assert!(bench.page("?only_media=true").await.0.is_empty());
}

#[tokio::test]
async fn a_thread_is_what_is_above_and_below() {
    let bench = Bench::start().await;
    let reply = async |words: &str, to: &str| {
        text(&bench.posted(&json!({ "status": words, "in_reply_to_id": to })).await["id"])
    };
    let root = bench.posted_words("root").await;
    let a = reply("a", &root).await;
    let b = reply("b", &a).await;
    let c = reply("c", &a).await;
    let d = reply("d", &b).await;
    let other_branch = reply("e", &root).await;
    let context = bench.read(&format!("{STATUSES}/{b}/context")).await;
    assert_eq!(
        (ids(&context["ancestors"]), ids(&context["descendants"])),
        (vec![root.clone(), a.clone()], vec![d.clone()])
    );
    let context = bench.read(&format!("{STATUSES}/{root}/context")).await;
    assert_eq!(ids(&context["descendants"]), [a.clone(), b.clone(), d, c, other_branch]);
    assert_eq!(bench.read(&format!("{STATUSES}/{a}")).await["replies_count"], 2);

    body(sent(bench.request(Method::DELETE, &format!("{STATUSES}/{a}"))).await, StatusCode::OK).await;
    let context = bench.read(&format!("{STATUSES}/{b}/context")).await;
    assert!(ids(&context["ancestors"]).is_empty(), "the thread is broken");
    let gone = bench.refused(&json!({ "status": "x", "in_reply_to_id": a }), StatusCode::NOT_FOUND).await;
    assert_eq!(gone, "The post you are trying to reply to does not appear to exist.");
}

#[tokio::test]
async fn with_a_lag_reads_do_not_show_what_is_new() {
    let bench = Bench::with(Settings { read_lag_ms: 60_000, ..Settings::default() }).await;
    let first = bench.posted_words("one").await;
    let second = text(&bench.posted(&json!({ "status": "two", "in_reply_to_id": first })).await["id"]);
    assert!(bench.page("").await.0.is_empty());
    for path in [format!("{STATUSES}/{first}"), format!("{STATUSES}/{first}/context")] {
        refusal(bench.get(&path), StatusCode::NOT_FOUND).await;
    }
    bench.sim.change(|settings| settings.read_lag_ms = 0);
    assert_eq!(bench.page("").await.0, [second, first]);
}

#[tokio::test]
async fn the_source_of_a_status_is_what_was_sent_and_needs_a_user() {
    let bench = Bench::start().await;
    let id = text(&bench.posted(&json!({ "status": "<b>&", "spoiler_text": "careful" })).await["id"]);
    let path = format!("{STATUSES}/{id}/source");
    assert_eq!(bench.read(&path).await, json!({ "id": id, "text": "<b>&", "spoiler_text": "careful" }));
    let stranger = bench.http.get(bench.url(&path));
    refusal(stranger, StatusCode::UNAUTHORIZED).await;
    let unknown = sent(bench.get(&format!("{STATUSES}/1/source"))).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

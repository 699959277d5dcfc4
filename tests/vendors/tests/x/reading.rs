//! Timelines, lookups and what is not there.

use orla_vendors::x::Settings;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, Caller, body, text};

const TIMELINE: &str = "/2/users/1800000000000000001/tweets";

async fn ids(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let page = caller.read(&format!("{TIMELINE}?{query}")).await;
    page["data"].as_array().into_iter().flatten().map(|post| text(&post["id"])).collect()
}

#[tokio::test]
async fn a_timeline_is_paged_newest_first() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    assert_eq!(caller.read(TIMELINE).await, json!({ "meta": { "result_count": 0 } }));

    let mut posted = Vec::new();
    for number in 1..=7 {
        posted.insert(0, caller.tweet_text(&format!("post {number}")).await);
    }
    let first = caller.read(&format!("{TIMELINE}?max_results=5")).await;
    assert_eq!(first["meta"]["result_count"], 5);
    assert_eq!(first["meta"]["newest_id"], posted[0].as_str());
    assert_eq!(first["meta"]["oldest_id"], posted[4].as_str());
    let next = text(&first["meta"]["next_token"]);
    assert_eq!(ids(&caller, &format!("max_results=5&pagination_token={next}")).await, posted[5..]);

    assert_eq!(ids(&caller, &format!("since_id={}", posted[2])).await, posted[..2]);
    assert_eq!(ids(&caller, &format!("until_id={}", posted[2])).await, posted[3..]);
    assert_eq!(ids(&caller, "end_time=2020-01-01T00:00:00Z").await, [""; 0]);
    assert_eq!(ids(&caller, "start_time=2020-01-01T00:00:00Z").await, posted);
}

#[tokio::test]
async fn fields_and_expansions_are_given_when_asked_for() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let first = caller.tweet_text("See https://example.com/a-long-way").await;
    let second = caller.tweeted(&json!({ "text": "more", "reply": { "in_reply_to_tweet_id": first } })).await;

    let fields = "tweet.fields=created_at,conversation_id,referenced_tweets,entities&expansions=author_id";
    let page = caller.read(&format!("{TIMELINE}?{fields}&user.fields=profile_image_url")).await;
    let [reply, root] = page["data"].as_array().unwrap().as_slice() else { panic!("two posts: {page}") };
    assert_eq!(reply["id"], second.as_str());
    assert_eq!(reply["conversation_id"], first.as_str());
    assert_eq!(reply["referenced_tweets"], json!([{ "type": "replied_to", "id": first }]));
    assert_eq!(reply["author_id"], "1800000000000000001");
    assert_eq!(page["includes"]["users"][0]["username"], "orla_demo");
    assert_eq!(bench.sim.posts()[0].created_at, text(&root["created_at"]));
    assert!(text(&root["text"]).starts_with("See https://t.co/"));
    assert_eq!(root["entities"]["urls"][0]["expanded_url"], "https://example.com/a-long-way");

    assert_eq!(ids(&caller, "exclude=replies,retweets").await, [first.as_str()]);
    bench.sim.change(|settings| settings.rewrite_text = false);
    assert_eq!(caller.read(&format!("/2/tweets/{first}")).await["data"]["text"], "See https://example.com/a-long-way");
}

#[tokio::test]
async fn the_query_is_closed() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    for query in [
        "count=5",
        "max_results=4",
        "max_results=101",
        "max_results=5&max_results=5",
        "tweet.fields=created_at,everything",
        "tweet.fields=",
        "since_id=x",
        "start_time=yesterday",
        "pagination_token=b26v89c19zqg8o3f",
        "exclude=quotes",
    ] {
        let problem = caller.get(&format!("{TIMELINE}?{query}")).send().await.unwrap();
        assert_eq!(body(problem, StatusCode::BAD_REQUEST).await["title"], "Invalid Request", "{query}");
    }
    body(caller.get("/2/users/me?fields=id").send().await.unwrap(), StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn a_post_is_read_only_after_the_lag() {
    let bench = Bench::with(Settings { read_lag_ms: 60_000, ..Settings::default() }).await;
    let caller = bench.caller().await;
    let id = caller.tweet_text("soon").await;
    assert_eq!(caller.read(TIMELINE).await["meta"]["result_count"], 0);
    assert!(caller.read(&format!("/2/tweets/{id}")).await.get("data").is_none());
    caller.tweeted(&json!({ "text": "a thread goes on", "reply": { "in_reply_to_tweet_id": id } })).await;

    bench.sim.change(|settings| settings.read_lag_ms = 0);
    assert_eq!(caller.read(TIMELINE).await["meta"]["result_count"], 2);
    assert_eq!(caller.read(&format!("/2/tweets/{id}")).await["data"]["text"], "soon");
}

#[tokio::test]
async fn what_is_not_there_says_so_in_its_own_way() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let lookup = caller.read("/2/tweets/1900000000000000001").await;
    assert_eq!(lookup["errors"][0]["type"], "https://api.x.com/2/problems/resource-not-found");
    assert_eq!(lookup.get("data"), None::<&Value>);
    assert!(caller.read("/2/users/7/tweets").await["errors"][0]["detail"].is_string());

    let path = body(caller.get("/2/nowhere").send().await.unwrap(), StatusCode::NOT_FOUND).await;
    assert_eq!(path["title"], "Not Found");
    let method = bench.http.put(bench.url("/2/tweets")).bearer_auth(&caller.token).send().await.unwrap();
    assert_eq!(method.headers()["content-type"], "application/problem+json");
    body(method, StatusCode::METHOD_NOT_ALLOWED).await;
}

//! What may be posted, and what comes of it.

use orla_vendors::mastodon::{UnknownParameters, Visibility};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{Bench, STATUSES, body, refusal, sent, text};

const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

#[tokio::test]
async fn a_status_is_kept_as_it_was_sent_and_shown_as_html() {
    let bench = Bench::start().await;
    let first = bench.posted_words("first").await;
    let draft = json!({
        "status": " Bread & butter\n\n#fresh at https://example.com/ \n", "in_reply_to_id": first, "sensitive": false,
        "spoiler_text": "Food", "visibility": "unlisted", "language": "en",
    });
    let status = bench.posted(&draft).await;
    let id = text(&status["id"]);
    assert!(id.parse::<u64>().unwrap() > 1 << 53, "an id does not fit into a double");
    assert_eq!(status["uri"], format!("{}/users/orla_demo/statuses/{id}", bench.sim.origin()));
    assert_eq!(status["url"], format!("{}/@orla_demo/{id}", bench.sim.origin()));
    assert_eq!((&status["in_reply_to_id"], &status["spoiler_text"]), (&json!(first), &json!("Food")));
    assert_eq!((&status["sensitive"], &status["visibility"]), (&json!(true), &json!("unlisted")));
    let content = text(&status["content"]);
    assert!(content.starts_with("<p>Bread &amp; butter</p><p><a href="), "{content}");
    assert_eq!(status["tags"][0]["name"], "fresh");

    let kept = &bench.sim.statuses()[1];
    assert_eq!(kept.text, " Bread & butter\n\n#fresh at https://example.com/ \n");
    assert_eq!((kept.visibility, kept.sensitive, kept.author.as_str()), (Visibility::Unlisted, false, "orla_demo"));
    assert_eq!((&kept.in_reply_to_id, &kept.language), (&Some(first), &Some("en".to_owned())));
}

#[tokio::test]
async fn forms_say_the_same_as_json() {
    let bench = Bench::start().await;
    let request = || bench.request(Method::POST, STATUSES);
    let urlencoded = request().form(&[("status", "a form"), ("sensitive", "true"), ("visibility", "direct")]);
    let parts = reqwest::multipart::Form::new().text("status", "parts").text("sensitive", "1");
    for (request, words, visibility) in
        [(urlencoded, "a form", "direct"), (request().multipart(parts), "parts", "public")]
    {
        let status = body(sent(request).await, StatusCode::OK).await;
        assert_eq!(status["content"], format!("<p>{words}</p>"));
        assert_eq!((&status["sensitive"], &status["visibility"]), (&json!(true), &json!(visibility)));
    }
    let null = bench.posted(&json!({ "status": "null is nothing", "in_reply_to_id": null, "language": null })).await;
    assert!(null["in_reply_to_id"].is_null());
}

#[tokio::test]
async fn the_limit_counts_links_mentions_warnings_and_clusters_as_mastodon_does() {
    let bench = Bench::start().await;
    let link = format!("https://example.com/{}", "a".repeat(600));
    for (words, warning, fits) in [
        ("x".repeat(500), "", true),
        ("x".repeat(501), "", false),
        ("x".repeat(490), "0123456789", true),
        ("x".repeat(491), "0123456789", false),
        ("👨‍👩‍👧‍👦".repeat(500), "", true),
        (format!("{} {link}", "x".repeat(476)), "", true),
        (format!("{} {link}", "x".repeat(477)), "", false),
        (format!("{} @ann@a-rather-long-domain.example.com", "x".repeat(495)), "", true),
        (format!("{} @ann@a-rather-long-domain.example.com", "x".repeat(496)), "", false),
        (format!("  {}  ", "x".repeat(500)), " ", true),
    ] {
        let draft = json!({ "status": words, "spoiler_text": warning });
        if fits {
            bench.posted(&draft).await;
        } else {
            let error = bench.refused(&draft, REFUSED).await;
            assert_eq!(error, "Validation failed: Text character limit of 500 exceeded");
        }
    }
}

#[tokio::test]
async fn what_mastodon_refuses_is_refused_in_its_words() {
    let bench = Bench::start().await;
    let blank = "Validation failed: Text can't be blank";
    for (draft, status, words) in [
        (json!({}), REFUSED, blank),
        (json!({ "status": " \n" }), REFUSED, blank),
        (
            json!({ "status": "x", "visibility": "friends" }),
            REFUSED,
            "Validation failed: Visibility is not included in the list",
        ),
        (json!({ "status": "x", "language": "English" }), REFUSED, "Validation failed: Language is invalid"),
        (
            json!({ "status": "x", "in_reply_to_id": "1" }),
            StatusCode::NOT_FOUND,
            "The post you are trying to reply to does not appear to exist.",
        ),
        (json!({ "status": "x", "media_ids": ["1", "2", "3", "4", "5"] }), REFUSED, "Cannot attach more than 4 files"),
        (
            json!({ "status": "x", "media_ids": ["1", "2"] }),
            REFUSED,
            "Media 1, 2 not found or already attached to another post",
        ),
    ] {
        assert_eq!(bench.refused(&draft, status).await, words, "{draft}");
    }
    let warning_alone = bench.posted(&json!({ "status": "", "spoiler_text": "Mind the gap" })).await;
    assert_eq!(
        (&warning_alone["content"], &warning_alone["spoiler_text"]),
        (&json!("<p>Mind the gap</p>"), &json!(""))
    );
    assert_eq!(warning_alone["sensitive"], true);
    assert_eq!(bench.sim.statuses().len(), 1);
}

#[tokio::test]
async fn what_mastodon_would_overlook_is_refused_too() {
    let bench = Bench::start().await;
    for draft in [
        json!({ "status": "x", "spoiler": "misspelt" }),
        json!({ "status": "x", "media_ids": "1" }),
        json!({ "status": "x", "media_ids": [1] }),
        json!({ "status": "x", "media_ids": ["1", "1"] }),
        json!({ "status": true }),
        json!({ "status": 5 }),
        json!({ "status": "x", "sensitive": "yes" }),
        json!({ "status": "x", "poll": { "options": ["a", "b"], "expires_in": 300 } }),
        json!({ "status": "x", "scheduled_at": "2030-01-01T00:00:00Z" }),
    ] {
        let words = bench.refused(&draft, REFUSED).await;
        assert!(words.starts_with("The simulator is strict: "), "{draft}: {words}");
    }
    let request = || bench.request(Method::POST, STATUSES);
    for wrong in [
        request().body("status=x"),
        request().header("content-type", "application/json").body("{"),
        request().form(&[("status", "x"), ("status", "y")]),
        request().form(&[("status", "x"), ("poll[options][]", "y")]),
        bench.request(Method::POST, &format!("{STATUSES}?status=x")).json(&json!({})),
        bench.post(&json!({ "status": "x" })).header("idempotency-key", "a").header("idempotency-key", "b"),
    ] {
        assert!(refusal(wrong, REFUSED).await.starts_with("The simulator is strict: "));
    }
    assert!(bench.sim.statuses().is_empty());

    bench.sim.change(|settings| settings.unknown_parameters = UnknownParameters::Ignore);
    bench.posted(&json!({ "status": "x", "spoiler": "misspelt" })).await;
    let poll = json!({ "status": "x", "poll": { "options": ["a", "b"], "expires_in": 300 } });
    assert!(bench.refused(&poll, REFUSED).await.contains("poll"), "what Mastodon would do is never ignored");
}

#[tokio::test]
async fn a_key_answers_the_same_status_for_an_hour() {
    let bench = Bench::start().await;
    let with_key = |words: &str, key: &str| bench.post(&json!({ "status": words })).header("idempotency-key", key);
    let post = async |words: &str, key: &str| text(&body(sent(with_key(words, key)).await, StatusCode::OK).await["id"]);
    assert_eq!(refusal(with_key("", "one"), REFUSED).await, "Validation failed: Text can't be blank");
    let first = post("hello", "one").await;
    assert_eq!(post("hello", "one").await, first, "a refusal is not remembered, a status is");
    assert_eq!(post("something else", "one").await, first);
    assert_ne!(post("hello", "two").await, first);
    assert_ne!(post("hello", "").await, post("hello", "").await, "an empty key is none");
    let other = bench.sim.issue_token("second_account", "write");
    let other = bench.http.post(bench.url(STATUSES)).bearer_auth(other).header("idempotency-key", "one");
    let other = body(sent(other.json(&json!({ "status": "hello" }))).await, StatusCode::OK).await;
    assert_ne!(text(&other["id"]), first, "keys are their account's");

    let kept = &bench.sim.statuses()[0];
    assert_eq!((kept.replays, kept.differing_replays, kept.idempotency_key.as_deref()), (2, 1, Some("one")));
    let deleted = sent(bench.request(Method::DELETE, &format!("{STATUSES}/{first}"))).await;
    assert_eq!(deleted.status(), StatusCode::OK);
    assert_eq!(refusal(with_key("hello", "one"), StatusCode::NOT_FOUND).await, "Record not found");

    bench.sim.change(|settings| settings.idempotency_lifetime_s = 0);
    assert_ne!(post("hello", "three").await, post("hello", "three").await, "the hour is over");
}

#[tokio::test]
async fn only_ones_own_is_deleted_and_comes_back_as_it_was_written() {
    let bench = Bench::start().await;
    let id = bench.posted_words("Fresh & warm").await;
    let path = format!("{STATUSES}/{id}");
    let other = bench.sim.issue_token("second_account", "write");
    let stranger = bench.http.delete(bench.url(&path)).bearer_auth(other);
    assert_eq!(refusal(stranger, StatusCode::NOT_FOUND).await, "Record not found");
    let deleted = body(sent(bench.request(Method::DELETE, &path)).await, StatusCode::OK).await;
    assert_eq!((&deleted["text"], deleted.get("content")), (&json!("Fresh & warm"), None));
    for method in [Method::DELETE, Method::GET] {
        assert_eq!(refusal(bench.request(method, &path), StatusCode::NOT_FOUND).await, "Record not found");
    }
    assert!(bench.sim.statuses()[0].deleted);
}

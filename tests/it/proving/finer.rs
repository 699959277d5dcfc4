//! What the test kit finds in looks for lost posts, and how it reads verdicts, media types, times and links.

use super::{case, crate_with, prove, refused, repository};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A case of one of our connectors, with its members changed; its picture lies beside it.
fn of_plugin(id: &str, name: &str, change: impl FnOnce(&mut Value)) -> TempDir {
    let cases = repository().join("plugins").join(id).join("cases");
    let mut case = serde_json::from_str(&std::fs::read_to_string(cases.join(name)).unwrap()).unwrap();
    change(&mut case);
    let folder = crate_with(&[("changed.json", &case.to_string())]);
    std::fs::copy(cases.join("square.png"), folder.path().join("cases/square.png")).unwrap();
    folder
}

/// A case of the careless connector whose post has this text, and whose lost answer is looked for.
fn looked_for(text: &'static str) -> String {
    case("fine.json", move |case| {
        case["call"]["publish"]["parts"][0]["text"] = json!(text);
        case["exchanges"][1]["request"]["body"]["json"]["text"] = json!(text);
        let posts = |posts: Value| {
            json!([{
                "request": { "endpoint": "api", "method": "GET", "path": "/v1/posts" },
                "answer": { "status": 200, "body": { "json": { "posts": posts } } },
            }])
        };
        case["exchanges"][1]["lost"] =
            json!({ "there": posts(json!([{ "id": "900", "text": text }])), "absent": posts(json!([])) });
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_goes_wrong_must_not_find_that_nothing_is_there() {
    let careful = crate_with(&[("fine.json", &looked_for("fine"))]);
    let proved = prove("careless", careful.path().to_owned(), &[]).await;
    assert!(proved.passed, "{}\n{}", proved.report, proved.words);
    assert!(proved.report.contains("2 requests, 26 faults; 2 looks, 26 faults"), "{}", proved.report);

    let careless = crate_with(&[("look-away.json", &looked_for("look-away"))]);
    let proved = prove("careless", careless.path().to_owned(), &[]).await;
    assert!(!proved.passed, "{}", proved.report);
    for wanted in [
        "looking for `part/0`, GET /v1/posts, answered 500 (and",
        "it gave the verdict that nothing is there, which would post twice: say `unknown`",
    ] {
        assert!(proved.report.contains(wanted), "{wanted}: {}", proved.report);
    }
}

/// The manifest of the careless connector says what two answers mean whose status misleads.
#[tokio::test(flavor = "multi_thread")]
async fn the_manifests_verdicts_say_what_the_vendor_did() {
    let refusals = [
        (200, json!({ "ok": false }), json!({ "kind": "vendor" })),
        (409, json!({ "error": "A duplicate." }), json!({ "kind": "conflict" })),
    ];
    for (status, body, fault) in refusals {
        let refusal = case("fine.json", |case| {
            case["exchanges"][1]["answer"] = json!({ "status": status, "body": { "json": body } });
            case["ends"] = json!({ "fault": fault });
        });
        let folder = crate_with(&[("refused.json", &refusal)]);
        let proved = prove("careless", folder.path().to_owned(), &[]).await;
        assert!(proved.passed, "{status}: {}\n{}", proved.report, proved.words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_media_type_of_a_part_is_held_against_the_case() {
    let folder = of_plugin("mastodon", "media.json", |case| {
        case["exchanges"][0]["request"]["body"]["multipart"][0]["content_type"] = json!("image/gif");
    });
    let proved = prove("mastodon", folder.path().to_owned(), &[]).await;
    let wanted = r#"but the media type of its part `file` is Some("image/png"), not "image/gif""#;
    assert!(!proved.passed && proved.report.contains(wanted), "{}{}", proved.report, proved.words);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_commit_was_sent_may_be_said_from_now_on_backwards() {
    let of = |sent_at: fn(&mut Value)| of_plugin("mastodon", "reconcile.json", sent_at);
    let folder = of(|case| case["call"]["reconcile"]["sent_at"] = json!({ "before_s": 60 }));
    let proved = prove("mastodon", folder.path().to_owned(), &[]).await;
    assert!(proved.passed, "{}\n{}", proved.report, proved.words);
    let folder = of(|case| case["call"]["reconcile"]["sent_at"] = json!({ "ago": 60 }));
    let wanted = "a time in RFC 3339, or {\"before_s\": seconds before `now`}";
    refused(&prove("mastodon", folder.path().to_owned(), &[]).await, &["changed.json is no case", wanted]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_did_not_reach_the_connector_is_told_with_the_reason() {
    let links = [
        (
            "<https://elsewhere.example/statuses?max_id=102>; rel=\"next\"",
            "note: the link `next` in the header `Link` of `api` did not reach the connector: it leads to \
             elsewhere.example, which is neither the endpoint's origin nor among `hosts`",
        ),
        ("/statuses?max_id=102; rel=next", "did not reach the connector: the header breaks RFC 8288"),
    ];
    for (link, wanted) in links {
        let folder = of_plugin("mastodon", "reconcile.json", |case| {
            case["exchanges"][0]["answer"]["headers"]["link"] = json!(link)
        });
        let proved = prove("mastodon", folder.path().to_owned(), &[]).await;
        assert!(!proved.passed && proved.report.contains(wanted), "{wanted}: {}{}", proved.report, proved.words);
    }
}

//! What a person is warned of: nearly the same post within the hour, another within five minutes.

use crate::harness::BOTH;
use crate::schedules::stage::Stage;
use reqwest::Method;
use serde_json::{Value, json};

const TEXT: &str = "Fresh bread at seven, every day but Sunday";

fn post(content: &str, at: &str) -> Value {
    json!({"platform": "twitter", "content": content, "publish_at": at})
}

/// The codes of the warnings, with the publications that they name.
fn warned(publication: &Value) -> Vec<(&str, &Value)> {
    let warnings = publication["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    warnings.iter().map(|warning| (warning["code"].as_str().unwrap(), &warning["publication_id"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nearly_the_same_within_the_hour_and_posts_too_close_are_told() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        let ada = &stage.ada;
        let first = ada.publish(&post(TEXT, "2027-05-03T12:00:00Z"), "first").await.expect(202);
        assert_eq!(warned(&first), []);
        for (text, at, codes) in [
            // To the second an hour away, and beyond.
            ("fresh BREAD at seven -- every day but sunday!", "2027-05-03T13:00:00Z", &["near_duplicate"][..]),
            ("Fresh bread at seven, every day but Sundays", "2027-05-03T10:59:59Z", &[]),
            ("Fresh bread at seven, every day but Sundays.", "2027-05-03T11:00:00Z", &["near_duplicate"]),
            ("Something else altogether, for a change", "2027-05-03T12:05:00Z", &["collision"]),
            ("And yet another thing that nobody has said", "2027-05-03T11:54:59Z", &[]),
        ] {
            let second = ada.publish(&post(text, at), at).await.expect(202);
            let mine: Vec<&str> =
                warned(&second).iter().filter(|(_, id)| *id == &first["id"]).map(|(code, _)| *code).collect();
            assert_eq!(mine, codes, "{second:#}");
            // Asked again, it is told again; and it is no neighbour of its own.
            let again = ada.publish(&post(text, at), at).await.expect(202);
            assert_eq!((warned(&again), &again["id"]), (warned(&second), &second["id"]));
            ada.post(&format!("/social/publications/{}/cancel", second["id"].as_str().unwrap()), &json!({}))
                .await
                .expect(200);
        }
        // What is moved is held against its new neighbours.
        let far = ada.publish(&post(TEXT, "2027-05-04T12:00:00Z"), "far").await.expect(202);
        assert_eq!(warned(&far), []);
        let path = format!("/social/publications/{}", far["id"].as_str().unwrap());
        let near = json!({"publish_at": "2027-05-03T12:01:00Z"});
        let moved = ada.call(Method::PATCH, &path, Some(&near)).await.expect(200);
        assert_eq!(warned(&moved), [("near_duplicate", &first["id"]), ("collision", &first["id"])]);
        // Others' accounts are no neighbours.
        let bob = stage.host.connected("bob", "twitter").await;
        assert_eq!(warned(&bob.publish(&post(TEXT, "2027-05-03T12:00:00Z"), "k").await.expect(202)), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_it_is_refused_a_duplicate() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        let ada = &stage.ada;
        let strict = |at: &str| {
            let mut strict = post(TEXT, at);
            strict["on_duplicate"] = json!("refuse");
            strict
        };
        // Of two at once, one is taken in.
        let (noon, later) = (strict("2027-05-03T12:00:00Z"), strict("2027-05-03T12:30:00Z"));
        let (one, two) = tokio::join!(ada.publish(&noon, "one"), ada.publish(&later, "two"));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 409], "{} {}", one.body, two.body);
        ada.publish(&strict("2027-05-03T12:15:00Z"), "three").await.refused(409, "near_duplicate");
        // A collision alone is no reason, and neither is a distance of more than an hour.
        ada.publish(&strict("2027-05-03T14:00:00Z"), "four").await.expect(202);
        let listed = ada.get("/social/publications").await.expect(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        ada.publish(&json!({"platform": "twitter", "content": "x", "on_duplicate": "maybe"}), "k")
            .await
            .refused(400, "malformed_request");
    }
}

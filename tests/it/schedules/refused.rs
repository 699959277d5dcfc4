//! Schedules that make no sense.

use super::stage::{Stage, daily};
use crate::harness::BOTH;
use reqwest::Method;
use serde_json::{Value, json};

/// The daily schedule with a member changed.
fn with(name: &str, value: Value) -> Value {
    let mut schedule = daily("hello", "Europe/Berlin");
    schedule[name] = value;
    schedule
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_that_make_no_sense_are_refused_by_the_member_at_fault() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        let post = |more: Value| {
            let mut post = json!({"platform": "twitter", "content": "hello"});
            post.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
            post
        };
        for (field, schedule) in [
            ("rule", with("rule", json!("whenever"))),
            ("rule", with("rule", json!("FREQ=SECONDLY"))),
            ("rule", with("rule", json!("FREQ=HOURLY"))),
            ("rule", with("rule", json!("FREQ=DAILY;COUNT=1000000000"))),
            // It never matches, or only before now.
            ("rule", with("rule", json!("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"))),
            ("rule", with("rule", json!("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"))),
            ("rule", with("rule", json!("FREQ=DAILY;UNTIL=20270502T000000Z"))),
            ("rule", with("rule", json!("FREQ=DAILY;COUNT=3"))),
            ("rule", with("rule", json!("F".repeat(100_000)))),
            ("zone", with("zone", json!("Mars/Olympus"))),
            ("zone", with("zone", json!(""))),
            ("starts_at", with("starts_at", json!("2010-01-01T09:00:00"))),
            ("starts_at", with("starts_at", json!("2040-01-01T09:00:00"))),
            ("exdates", with("exdates", json!(["now and then"]))),
            ("exdates", with("exdates", json!(vec!["2027-06-01"; 501]))),
            ("rdates", with("rdates", json!(vec!["2027-06-01T09:00:00"; 501]))),
            ("grace_s", with("grace_s", json!(1_000_000_000_000_u64))),
            ("name", with("name", json!("n".repeat(201)))),
            ("post/publish_at", with("post", post(json!({"publish_at": "2027-06-01T09:00:00Z"})))),
            ("post/publish_at", with("post", post(json!({"publish_at": "next_free_slot"})))),
            ("post/platform", with("post", post(json!({"platform": "myspace"})))),
            ("post/parts/0/text", with("post", post(json!({"content": "a".repeat(281)})))),
        ] {
            let answer = stage.ada.post("/schedules", &schedule).await;
            assert_eq!((answer.status.as_u16(), answer.body["field"].as_str()), (422, Some(field)), "{}", answer.body);
        }
        for (name, value) in [
            ("starts_at", json!("2027-05-03T09:00:00Z")),
            ("starts_at", json!("soon")),
            ("missed", json!("maybe")),
            ("grace_s", json!(-1)),
            ("surprise", json!(1)),
        ] {
            stage.ada.post("/schedules", &with(name, value)).await.refused(400, "malformed_request");
        }
        let stranger = uuid::Uuid::now_v7();
        let foreign = with("post", post(json!({"connection_id": stranger})));
        stage.ada.post("/schedules", &foreign).await.refused(404, "not_found");
        assert!(stage.ada.get("/schedules").await.expect(200)["items"].as_array().unwrap().is_empty());
        // An edit is held to the same, and what it would have changed stays.
        let id = stage.scheduled(&daily("hello", "Europe/Berlin")).await;
        let before = stage.occurrences(&id).await;
        for change in
            [json!({"rule": "FREQ=DAILY;COUNT=3"}), json!({"zone": "Mars/Olympus"}), json!({"grace_s": 1_u64 << 40})]
        {
            stage
                .ada
                .call(Method::PATCH, &format!("/schedules/{id}"), Some(&change))
                .await
                .refused(422, "invalid_input");
        }
        assert_eq!(stage.occurrences(&id).await, before);
    }
}

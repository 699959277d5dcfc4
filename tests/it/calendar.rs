//! The calendar: publications and the times of schedules, by the days of a zone.

use crate::harness::BOTH;
use crate::schedules::stage::{Stage, daily};
use serde_json::{Value, json};

async fn show(stage: &Stage, query: &str) -> Value {
    stage.ada.get(&format!("/calendar?{query}")).await.expect(200)
}

/// Each item as its day, its time on the wall, its state and how it begins.
fn told(calendar: &Value) -> Vec<String> {
    let days = calendar["days"].as_array().unwrap().iter();
    days.flat_map(|day| {
        let date = day["date"].as_str().unwrap();
        day["items"].as_array().unwrap().iter().map(move |item| {
            let text = |name: &str| item[name].as_str().unwrap();
            let local = text("local_time").strip_prefix(date).expect("an item stands under its day");
            format!("{date}{local} {} {} {}", text("kind"), text("state"), text("text"))
        })
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_those_of_the_zone() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-03-25T06:00:00Z").await;
        let post = |content: &str, at: &str| json!({"platform": "twitter", "content": content, "publish_at": at});
        for (content, at) in
            [("early", "2027-03-26T22:59:59Z"), ("late", "2027-03-26T23:00:00Z"), ("after", "2027-03-28T22:00:00Z")]
        {
            stage.ada.publish(&post(content, at), content).await.expect(202);
        }
        let gone = stage.ada.publish(&post("gone", "2027-03-27T12:00:00Z"), "gone").await.expect(202);
        stage
            .ada
            .post(&format!("/social/publications/{}/cancel", gone["id"].as_str().unwrap()), &json!({}))
            .await
            .expect(200);
        let id = stage.scheduled(&daily("daily", "Europe/Berlin")).await;
        // The clocks change on the 28th, which has 23 hours.
        assert_eq!(
            told(&show(&stage, "from=2027-03-27&to=2027-03-28&zone=Europe/Berlin").await),
            [
                "2027-03-27T00:00:00 publication scheduled late",
                "2027-03-27T09:00:00 occurrence planned daily",
                "2027-03-27T13:00:00 publication cancelled gone",
                "2027-03-28T09:00:00 occurrence planned daily",
            ]
        );
        assert_eq!(
            told(&show(&stage, "from=2027-03-26&to=2027-03-26&zone=America/New_York").await),
            [
                "2027-03-26T04:00:00 occurrence planned daily",
                "2027-03-26T18:59:59 publication scheduled early",
                "2027-03-26T19:00:00 publication scheduled late",
            ]
        );
        // What went out, the publication of the schedule's next time, and what was skipped.
        stage.go_to("2027-03-25T08:00:00Z").await;
        stage.ended(&id, "2027-03-25T08:00:00Z", "published").await;
        stage.until(&id, |rows| rows[1]["state"] == "taken").await;
        let calendar = show(&stage, "from=2027-03-25&to=2027-03-26&zone=UTC").await;
        assert_eq!(
            told(&calendar)[..2],
            ["2027-03-25T08:00:00 publication published daily", "2027-03-26T08:00:00 publication scheduled daily",]
        );
        assert_eq!(calendar["days"][0]["items"][0]["schedule_id"], json!(id));
        stage = stage.off_until("2027-03-27T12:00:00Z").await;
        stage.until(&id, |rows| rows[2]["state"] == "skipped").await;
        let calendar = show(&stage, "from=2027-03-27&to=2027-03-27&zone=UTC").await;
        let skipped = &calendar["days"][0]["items"][0];
        assert_eq!((&skipped["state"], &skipped["code"]), (&json!("skipped"), &json!("missed")), "{calendar:#}");
        // A paused schedule promises nothing.
        stage.ada.post(&format!("/schedules/{id}/pause"), &json!({})).await.expect(200);
        assert_eq!(show(&stage, "from=2027-04-01&to=2027-06-30&zone=UTC").await["days"], json!([]));
        let bob = stage.host.person("bob").await;
        assert_eq!(bob.get("/calendar?from=2027-03-25&to=2027-03-28&zone=UTC").await.expect(200)["days"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_not_planned_yet_are_there_page_by_page() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-03-25T06:00:00Z").await;
        stage.scheduled(&daily("one", "Europe/Berlin")).await;
        stage.scheduled(&daily("two", "Europe/Berlin")).await;
        let post = json!({"platform": "twitter", "content": "at the same time", "publish_at": "2027-05-01T07:00:00Z"});
        stage.ada.publish(&post, "k").await.expect(202);
        // Some of it is planned in rows, and some is beyond them.
        let query = "from=2027-04-20&to=2027-05-05&zone=UTC";
        let whole = show(&stage, query).await;
        assert_eq!((told(&whole).len(), &whole["next_cursor"]), (33, &Value::Null));
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = show(&stage, &format!("{query}&limit=2{cursor}")).await;
            assert!(told(&page).len() <= 2);
            pages.extend(told(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(pages, told(&whole));
        // Years ahead, too: 92 days of two schedules.
        let far = show(&stage, "from=2029-10-01&to=2029-12-31&zone=Europe/Berlin").await;
        let far = told(&far);
        assert_eq!((far.len(), far[183].as_str()), (184, "2029-12-31T09:00:00 occurrence planned two"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_make_no_sense_are_refused() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-03-25T06:00:00Z").await;
        for (field, query) in [
            ("zone", "from=2027-03-01&to=2027-03-31&zone=Mars/Olympus"),
            ("from", "from=yesterday&to=2027-03-31&zone=UTC"),
            ("to", "from=2027-03-01&to=2027-02-30&zone=UTC"),
            ("to", "from=2027-03-01&to=2027-02-28&zone=UTC"),
            ("to", "from=2027-01-01&to=2027-04-03&zone=UTC"),
            ("from", "from=-200000-01-01&to=2027-04-03&zone=UTC"),
            ("from", "from=9999-12-31&to=9999-12-31&zone=UTC"),
            ("limit", "from=2027-03-01&to=2027-03-31&zone=UTC&limit=0"),
            ("limit", "from=2027-03-01&to=2027-03-31&zone=UTC&limit=2001"),
            ("cursor", "from=2027-03-01&to=2027-03-31&zone=UTC&cursor=x"),
            ("cursor", "from=2027-03-01&to=2027-03-31&zone=UTC&cursor=1_x"),
        ] {
            let answer = stage.ada.get(&format!("/calendar?{query}")).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body["field"].as_str()),
                (422, Some(field)),
                "{query}: {}",
                answer.body
            );
        }
        for query in ["", "from=2027-03-01&to=2027-03-31", "from=2027-03-01&to=2027-03-31&zone=UTC&surprise=1"] {
            stage.ada.get(&format!("/calendar?{query}")).await.refused(400, "malformed_request");
        }
        show(&stage, "from=2027-01-01&to=2027-04-02&zone=UTC").await;
    }
}

//! The queue of an account: posts take its slots, each its own.

use crate::harness::{BOTH, Backend, Person};
use crate::schedules::stage::Stage;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A stage on a Saturday, the day before the clocks change in Berlin, and the account's path.
async fn stage(backend: Backend) -> (Stage, String) {
    let stage = Stage::at(backend, "2027-03-27T12:00:00Z").await;
    let connection = stage.ada.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
    (stage, format!("/social/connections/{}/slots", connection.as_str().unwrap()))
}

fn week() -> Value {
    let slot = |weekday: &str, time: &str| json!({"weekday": weekday, "time": time});
    json!({"zone": "Europe/Berlin", "slots": [slot("monday", "18:30"), slot("sunday", "09:00"), slot("monday", "09:00")]})
}

async fn queued(person: &Person, content: &str) -> Value {
    let post = json!({"platform": "twitter", "content": content, "publish_at": "next_free_slot"});
    person.publish(&post, content).await.expect(202)
}

async fn next(person: &Person, path: &str) -> Value {
    person.get(&format!("{path}/next")).await.expect(200)["publish_at"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_take_the_next_free_slot_and_give_it_back() {
    for backend in BOTH {
        let (mut stage, path) = stage(backend).await;
        assert_eq!(stage.ada.get(&path).await.expect(200), json!({"zone": "UTC", "slots": []}));
        stage.ada.get(&format!("{path}/next")).await.refused(409, "no_slots");
        let nothing = json!({"platform": "twitter", "content": "where?", "publish_at": "next_free_slot"});
        stage.ada.publish(&nothing, "where?").await.refused(409, "no_slots");
        let set = stage.ada.put(&path, &week()).await.expect(200);
        let order: Vec<&str> =
            set["slots"].as_array().unwrap().iter().map(|slot| slot["time"].as_str().unwrap()).collect();
        assert_eq!((order, &stage.ada.get(&path).await.expect(200)), (vec!["09:00", "18:30", "09:00"], &set));
        let free = stage.ada.get(&format!("{path}/next")).await.expect(200);
        assert_eq!(
            free,
            json!({"publish_at": "2027-03-28T07:00:00Z", "local_time": "2027-03-28T09:00:00", "zone": "Europe/Berlin"})
        );
        let one = queued(&stage.ada, "one").await;
        assert_eq!((&one["state"], &one["publish_at"]), (&json!("scheduled"), &json!("2027-03-28T07:00:00Z")));
        // The same wish again takes nothing more.
        assert_eq!(queued(&stage.ada, "one").await["id"], one["id"]);
        let two = queued(&stage.ada, "two").await;
        assert_eq!(two["publish_at"], "2027-03-29T07:00:00Z");
        // A time that was named is in the way as well.
        let named = json!({"platform": "twitter", "content": "named", "publish_at": "2027-03-29T16:30:00Z"});
        stage.ada.publish(&named, "named").await.expect(202);
        assert_eq!(next(&stage.ada, &path).await, "2027-04-04T07:00:00Z");
        // Cancelled and moved, they give their slots back.
        let of = |publication: &Value, act: &str| {
            format!("/social/publications/{}{act}", publication["id"].as_str().unwrap())
        };
        stage.ada.post(&of(&one, "/cancel"), &json!({})).await.expect(200);
        assert_eq!(next(&stage.ada, &path).await, "2027-03-28T07:00:00Z");
        let move_to =
            async |when: &str| stage.ada.call(Method::PATCH, &of(&two, ""), Some(&json!({"publish_at": when}))).await;
        assert_eq!(move_to("next_free_slot").await.expect(200)["publish_at"], "2027-03-28T07:00:00Z");
        assert_eq!(next(&stage.ada, &path).await, "2027-03-29T07:00:00Z");
        move_to("2027-03-28T08:00:00Z").await.expect(200);
        assert_eq!(next(&stage.ada, &path).await, "2027-03-28T07:00:00Z");
        stage.go_to("2027-03-28T08:00:00Z").await;
        stage.ada.wait(two["id"].as_str().unwrap(), &["published"]).await;
        let when = json!({"publish_at": "next_free_slot"});
        stage.ada.call(Method::PATCH, &of(&two, ""), Some(&when)).await.refused(409, "not_scheduled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_come_at_once_never_share_a_slot() {
    for backend in BOTH {
        let (stage, path) = stage(backend).await;
        stage.ada.put(&path, &week()).await.expect(200);
        let texts: Vec<String> = (0..24).map(|number| format!("post {number}")).collect();
        let taken = join_all(texts.iter().map(|text| queued(&stage.ada, text))).await;
        let times: BTreeSet<&str> =
            taken.iter().map(|publication| publication["publish_at"].as_str().unwrap()).collect();
        assert_eq!((times.len(), times.first()), (24, Some(&"2027-03-28T07:00:00Z")));
        // Three a week, without a gap: the last is eight weeks later.
        assert_eq!(
            (times.last(), next(&stage.ada, &path).await),
            (Some(&"2027-05-17T16:30:00Z"), json!("2027-05-23T07:00:00Z"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_that_makes_no_sense_is_refused() {
    for backend in BOTH {
        let (stage, path) = stage(backend).await;
        let slot = |time: &str| json!({"weekday": "monday", "time": time});
        let many: Vec<Value> = (0..201).map(|minute| slot(&format!("{:02}:{:02}", minute / 60, minute % 60))).collect();
        for (field, week) in [
            ("zone", json!({"zone": "Mars/Olympus", "slots": [slot("09:00")]})),
            ("slots/1/time", json!({"zone": "UTC", "slots": [slot("09:00"), slot("24:00")]})),
            ("slots/0/time", json!({"zone": "UTC", "slots": [slot("9 o'clock")]})),
            ("slots", json!({"zone": "UTC", "slots": [slot("09:00"), slot("09:00")]})),
            ("slots", json!({"zone": "UTC", "slots": many})),
        ] {
            let answer = stage.ada.put(&path, &week).await;
            assert_eq!((answer.status.as_u16(), answer.body["field"].as_str()), (422, Some(field)), "{}", answer.body);
        }
        let someday = json!({"zone": "UTC", "slots": [{"weekday": "someday", "time": "09:00"}]});
        stage.ada.put(&path, &someday).await.refused(400, "malformed_request");
        let bob = stage.host.person("bob").await;
        bob.get(&path).await.refused(404, "not_found");
        bob.get(&format!("{path}/next")).await.refused(404, "not_found");
        bob.put(&path, &week()).await.refused(404, "not_found");
        assert_eq!(stage.ada.get(&path).await.expect(200)["slots"], json!([]));
        // Who removes the account and connects it again begins with an empty week.
        stage.ada.put(&path, &week()).await.expect(200);
        queued(&stage.ada, "left behind").await;
        stage.ada.delete(path.trim_end_matches("/slots")).await.expect(204);
        stage.ada.get(&path).await.refused(404, "not_found");
    }
}

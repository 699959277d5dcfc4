//! Posts that are repeated by a rule, by a clock that a test moves: each occurrence once, at its time on the wall, and a reason
//! where there was none.

mod refused;
pub(crate) mod stage;

use crate::harness::{Answer, BOTH, Backend, Fault, Mode, Person, price};
use reqwest::Method;
use serde_json::{Value, json};
use stage::{Stage, daily, due_at, states};

#[tokio::test(flavor = "multi_thread")]
async fn each_occurrence_goes_out_once_at_its_time_on_the_wall() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-03-26T12:00:00Z").await;
        price(&stage.host.app, 3).await;
        stage.host.grant(stage.ada.workspace, 9).await;
        let id = stage.scheduled(&daily("Fresh bread", "Europe/Berlin")).await;
        let ahead = stage.occurrences(&id).await;
        // The clocks change on the 28th. The next is a publication, and it alone reserves credits.
        assert_eq!(due_at(&ahead[..3]), ["2027-03-27T08:00:00Z", "2027-03-28T07:00:00Z", "2027-03-29T07:00:00Z"]);
        assert_eq!(states(&ahead[..3]), ["taken", "planned", "planned"]);
        assert_eq!((ahead.len(), stage.balance().await), (30, (9, 3)));
        for (posts, moment) in [(1, "2027-03-27T08:00:00Z"), (2, "2027-03-28T07:00:00Z")] {
            stage.go_to(moment).await;
            stage.ended(&id, moment, "published").await;
            stage.until(&id, |rows| states(rows).iter().filter(|state| **state == "taken").count() == posts + 1).await;
            assert_eq!((stage.host.sim.posts().len(), stage.balance().await), (posts, (9 - 3 * posts as i64, 3)));
        }
        stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
        stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
        let rows = stage.occurrences(&id).await;
        assert_eq!(states(&rows[..3]), ["taken", "taken", "cancelled"], "{rows:#?}");
        assert_eq!((&rows[2]["code"], &rows[2]["publication_id"]), (&json!("deleted"), &Value::Null));
        assert_eq!(stage.ada.get(&format!("/schedules/{id}")).await.expect(200)["state"], "deleted");
        assert!(stage.ada.get("/schedules").await.expect(200)["items"].as_array().unwrap().is_empty());
        stage
            .ada
            .call(Method::PATCH, &format!("/schedules/{id}"), Some(&json!({})))
            .await
            .refused(409, "schedule_deleted");
        assert_eq!(stage.balance().await, (3, 0));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_on_one_database_make_each_occurrence_once() {
    let mut stage = Stage::at(Backend::Postgres, "2026-10-23T12:00:00Z").await;
    let nodes = [stage.host.another_node().await, stage.host.another_node().await];
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(stage.scheduled(&daily(name, "America/New_York")).await);
    }
    // The clocks change on November 1st.
    for (days, moment) in ["2026-10-31T13:00:00Z", "2026-11-01T14:00:00Z", "2026-11-02T14:00:00Z"].iter().enumerate() {
        stage.go_to(moment).await;
        nodes.iter().for_each(|node| node.app.wake_worker());
        for id in &ids {
            stage.ended(id, moment, "published").await;
            stage
                .until(id, |rows| {
                    rows.iter().any(|row| row["due_at"].as_str() > Some(*moment) && row["state"] == "taken")
                })
                .await;
        }
        assert_eq!(stage.host.sim.posts().len(), 3 * (days + 1), "{moment}");
    }
    for id in &ids {
        let rows = stage.occurrences(id).await;
        // What passed before that was missed: nobody was there.
        let missed = rows.iter().filter(|row| row["code"] == "missed").count();
        assert_eq!((missed, states(&rows).iter().filter(|state| **state == "taken").count()), (8, 4), "{rows:#?}");
        let mut dues = due_at(&rows);
        dues.dedup();
        assert_eq!(dues.len(), rows.len());
        stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
    }
    stage.host.check_books().await;
    for node in nodes {
        node.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_was_off_across_three_occurrences_says_what_became_of_each() {
    for backend in BOTH {
        for (missed, codes, posts) in [
            ("skip", [json!("missed"), json!("missed"), json!("missed")], 0),
            // Of several, the last one goes out.
            ("publish", [json!("missed"), json!("superseded"), Value::Null], 1),
        ] {
            let mut stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
            price(&stage.host.app, 3).await;
            stage.host.grant(stage.ada.workspace, 9).await;
            let mut schedule = daily("Was it on?", "Europe/Berlin");
            schedule["missed"] = json!(missed);
            let id = stage.scheduled(&schedule).await;
            stage = stage.off_until("2027-05-05T10:00:00Z").await;
            let three = ["2027-05-03T07:00:00Z", "2027-05-04T07:00:00Z", "2027-05-05T07:00:00Z"];
            stage
                .until(&id, |rows| {
                    states(&rows[..4])[..3].iter().all(|state| *state != "planned") && rows[3]["state"] == "taken"
                })
                .await;
            if posts == 1 {
                stage.ended(&id, three[2], "published").await;
            }
            let rows = stage.until(&id, |rows| rows[0]["state"] == "skipped").await;
            assert_eq!(due_at(&rows[..3]), three);
            for (row, code) in rows.iter().zip(&codes) {
                assert_eq!(&row["code"], code, "{missed}: {row:#}");
                assert_eq!(row["state"] == "skipped", row["reason"].is_string(), "{row:#}");
            }
            // The one that was a publication already says so itself.
            let first = stage.publication(&rows[0]).await;
            assert_eq!(first["state"], "cancelled", "{first:#}");
            assert!(first["fault"]["message"].as_str().unwrap().contains("this late"), "{first:#}");
            assert_eq!((stage.host.sim.posts().len(), stage.balance().await), (posts, (9 - 3 * posts as i64, 3)));
            stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
            stage.host.check_books().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn within_the_grace_a_post_goes_out_late() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        let mut schedule = daily("Late", "Europe/Berlin");
        schedule["grace_s"] = json!(600);
        let id = stage.scheduled(&schedule).await;
        stage = stage.off_until("2027-05-03T07:10:00Z").await;
        stage.ended(&id, "2027-05-03T07:00:00Z", "published").await;
        stage = stage.off_until("2027-05-04T07:10:01Z").await;
        stage.until(&id, |rows| rows[1]["code"] == "missed" && rows[2]["state"] == "taken").await;
        assert_eq!(stage.host.sim.posts().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_pass_while_a_schedule_is_paused() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        price(&stage.host.app, 3).await;
        stage.host.grant(stage.ada.workspace, 3).await;
        let id = stage.scheduled(&daily("Now and then", "Europe/Berlin")).await;
        let taken = stage.occurrences(&id).await[0]["publication_id"].clone();
        for _ in 0..2 {
            let paused = stage.ada.post(&format!("/schedules/{id}/pause"), &json!({})).await.expect(200);
            assert_eq!((&paused["state"], stage.balance().await), (&json!("paused"), (3, 0)));
        }
        let withdrawn = stage.ada.get(&format!("/social/publications/{}", taken.as_str().unwrap())).await.expect(200);
        assert_eq!(withdrawn["state"], "cancelled");
        stage.go_to("2027-05-04T07:00:00Z").await;
        let rows = stage.until(&id, |rows| rows[1]["state"] == "skipped").await;
        assert_eq!((&rows[0]["code"], &rows[1]["code"]), (&json!("paused"), &json!("paused")), "{rows:#?}");
        // Also what nobody was there to note passed while it was paused.
        stage = stage.off_until("2027-05-05T12:00:00Z").await;
        stage.ada.post(&format!("/schedules/{id}/resume"), &json!({})).await.expect(200);
        let rows = stage.occurrences(&id).await;
        assert_eq!((&rows[2]["code"], &rows[3]["state"]), (&json!("paused"), &json!("taken")), "{rows:#?}");
        stage.go_to("2027-05-06T07:00:00Z").await;
        stage.ended(&id, "2027-05-06T07:00:00Z", "published").await;
        assert_eq!((stage.host.sim.posts().len(), stage.balance().await), (1, (0, 0)));
        stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_what_is_to_come_and_not_what_runs() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        let id = stage.scheduled(&daily("Old words", "Europe/Berlin")).await;
        stage.host.sim.fault(Fault::on("POST", "/2/tweets", Mode::DelayMs(2_000)));
        stage.go_to("2027-05-03T07:00:00Z").await;
        stage.ended(&id, "2027-05-03T07:00:00Z", "running").await;
        stage.until(&id, |rows| rows[1]["state"] == "taken").await;
        let change = json!({
            "post": {"platform": "twitter", "content": "New words"}, "rule": "FREQ=DAILY;BYHOUR=8,20", "zone": "UTC",
            "exdates": ["2027-05-04"],
        });
        let edited = stage.ada.call(Method::PATCH, &format!("/schedules/{id}"), Some(&change)).await.expect(200);
        assert_eq!((&edited["post"]["parts"][0]["text"], &edited["zone"]), (&json!("New words"), &json!("UTC")));
        let rows = stage.occurrences(&id).await;
        assert_eq!(due_at(&rows[..3]), ["2027-05-03T07:00:00Z", "2027-05-03T08:00:00Z", "2027-05-03T20:00:00Z"]);
        stage.ended(&id, "2027-05-03T07:00:00Z", "published").await;
        stage.go_to("2027-05-03T08:00:00Z").await;
        stage.ended(&id, "2027-05-03T08:00:00Z", "published").await;
        let posts: Vec<String> = stage.host.sim.posts().into_iter().map(|post| post.text).collect();
        assert_eq!(posts, ["Old words", "New words"]);
        // Of one occurrence, a person may take the publication back or move it: the schedule does not make it again.
        let rows = stage.until(&id, |rows| rows[2]["state"] == "taken").await;
        let next = rows[2]["publication_id"].as_str().unwrap();
        stage.ada.post(&format!("/social/publications/{next}/cancel"), &json!({})).await.expect(200);
        stage.go_to("2027-05-03T20:00:00Z").await;
        let rows = stage.until(&id, |rows| rows[3]["state"] == "taken").await;
        assert_eq!(
            (&rows[2]["publication_state"], due_at(&rows[3..4])[0]),
            (&json!("cancelled"), "2027-05-05T08:00:00Z")
        );
        let next = rows[3]["publication_id"].as_str().unwrap().to_owned();
        let when = json!({"publish_at": "2027-05-05T07:30:00Z"});
        stage.ada.call(Method::PATCH, &format!("/social/publications/{next}"), Some(&when)).await.expect(200);
        stage.go_to("2027-05-05T07:30:00Z").await;
        stage.ended(&id, "2027-05-05T08:00:00Z", "published").await;
        stage.go_to("2027-05-05T08:00:00Z").await;
        stage.until(&id, |rows| rows[4]["state"] == "taken").await;
        assert_eq!(stage.host.sim.posts().len(), 3);
        stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_published_is_skipped_with_its_reason() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        price(&stage.host.app, 3).await;
        let id = stage.scheduled(&daily("Costs", "Europe/Berlin")).await;
        // What stands against it is told before, and may pass.
        let rows = stage.occurrences(&id).await;
        assert_eq!((&rows[0]["state"], &rows[0]["code"]), (&json!("planned"), &json!("insufficient_credits")));
        stage.go_to("2027-05-03T07:00:00Z").await;
        let rows = stage.until(&id, |rows| rows[0]["state"] == "skipped").await;
        assert!(rows[0]["reason"].as_str().unwrap().contains("3 credits"), "{rows:#?}");
        stage.host.grant(stage.ada.workspace, 3).await;
        stage.go_to("2027-05-04T07:00:00Z").await;
        stage.ended(&id, "2027-05-04T07:00:00Z", "published").await;
        // The account is gone.
        stage.until(&id, |rows| rows[2]["code"] == "insufficient_credits").await;
        let connection = stage.ada.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
        stage.ada.delete(&format!("/social/connections/{}", connection.as_str().unwrap())).await.expect(204);
        stage.go_to("2027-05-05T07:00:00Z").await;
        let rows = stage.until(&id, |rows| rows[2]["state"] == "skipped").await;
        assert_eq!(rows[2]["code"], "connection_gone");
        stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_ends_and_a_new_one_begins_it_anew() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        let mut schedule = daily("Twice", "Europe/Berlin");
        schedule["rule"] = json!("FREQ=DAILY;COUNT=2");
        schedule["starts_at"] = json!("2027-05-03T09:00:00");
        let id = stage.scheduled(&schedule).await;
        for moment in ["2027-05-03T07:00:00Z", "2027-05-04T07:00:00Z"] {
            stage.go_to(moment).await;
            stage.ended(&id, moment, "published").await;
        }
        stage.host.check_books().await;
        let path = format!("/schedules/{id}");
        assert_eq!(stage.ada.get(&path).await.expect(200)["state"], "ended");
        stage.ada.post(&format!("{path}/pause"), &json!({})).await.refused(409, "schedule_ended");
        let rename: Value = json!({"name": "It had its time"});
        assert_eq!(stage.ada.call(Method::PATCH, &path, Some(&rename)).await.expect(200)["state"], "ended");
        let anew = json!({"rule": "FREQ=DAILY;COUNT=3"});
        assert_eq!(stage.ada.call(Method::PATCH, &path, Some(&anew)).await.expect(200)["state"], "active");
        stage.go_to("2027-05-05T07:00:00Z").await;
        stage.ended(&id, "2027-05-05T07:00:00Z", "published").await;
        assert_eq!(stage.host.sim.posts().len(), 3);
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_years_ahead_is_planned_and_reserves_nothing() {
    for backend in BOTH {
        let mut stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        price(&stage.host.app, 3).await;
        stage.host.grant(stage.ada.workspace, 3).await;
        let mut schedule = daily("Leap", "Europe/Berlin");
        schedule["rule"] = json!("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29");
        let id = stage.scheduled(&schedule).await;
        let rows = stage.occurrences(&id).await;
        assert_eq!((due_at(&rows), states(&rows)), (vec!["2028-02-29T08:00:00Z"], vec!["planned"]));
        assert_eq!(stage.balance().await, (3, 0));
        stage.go_to("2028-01-30T08:00:00Z").await;
        stage.until(&id, |rows| rows[0]["state"] == "taken").await;
        assert_eq!(stage.balance().await, (3, 3));
        stage.go_to("2028-02-29T08:00:00Z").await;
        stage.ended(&id, "2028-02-29T08:00:00Z", "published").await;
        let rows = stage.until(&id, |rows| rows.len() == 2).await;
        assert_eq!(due_at(&rows)[1], "2032-02-29T08:00:00Z");
        stage.ada.delete(&format!("/schedules/{id}")).await.expect(204);
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_makes_one_schedule_and_strangers_see_none() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-05-03T06:00:00Z").await;
        let make = async |content: &str| {
            let request = stage.ada.http.post(format!("{}/schedules", stage.ada.url)).bearer_auth(&stage.ada.token);
            let body = daily(content, "UTC");
            Answer::of(request.header("idempotency-key", "k").json(&body).send().await.unwrap()).await
        };
        let (one, two) = tokio::join!(make("Once"), make("Once"));
        let id = one.expect(201)["id"].as_str().unwrap().to_owned();
        assert_eq!(two.expect(201)["id"], json!(id));
        make("Another").await.refused(409, "idempotency_key_reused");
        assert_eq!(stage.ada.get("/schedules").await.expect(200)["items"].as_array().unwrap().len(), 1);
        let bob: Person = stage.host.person("bob").await;
        let path = format!("/schedules/{id}");
        for path in [path.clone(), format!("{path}/occurrences")] {
            bob.get(&path).await.refused(404, "not_found");
        }
        for act in ["pause", "resume"] {
            bob.post(&format!("{path}/{act}"), &json!({})).await.refused(404, "not_found");
        }
        bob.call(Method::PATCH, &path, Some(&json!({"name": "mine"}))).await.refused(404, "not_found");
        bob.delete(&path).await.refused(404, "not_found");
        assert!(bob.get("/schedules").await.expect(200)["items"].as_array().unwrap().is_empty());
        assert_eq!(stage.ada.get(&path).await.expect(200)["state"], "active");
    }
}

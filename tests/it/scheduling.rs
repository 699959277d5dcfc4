//! Posts that go out at a time of their own, are moved, taken back, or tried again; and clients that wait.

use crate::harness::{BOTH, Fault, Host, Mode, Person, price};
use orla::clock::{Clock, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn at(ahead: Duration) -> Timestamp {
    Clock::System.now().after(ahead)
}

fn hours(count: u64) -> Timestamp {
    at(Duration::from_secs(count * 3_600))
}

async fn planned(person: &Person, content: &str, when: Timestamp) -> Value {
    let post = json!({"platform": "twitter", "content": content, "publish_at": when});
    let planned = person.publish(&post, content).await.expect(202);
    assert_eq!((&planned["state"], &planned["publish_at"]), (&json!("scheduled"), &json!(when)), "{planned:#}");
    planned
}

fn path(publication: &Value, act: &str) -> String {
    format!("/social/publications/{}{act}", publication["id"].as_str().unwrap())
}

async fn moved(person: &Person, publication: &Value, when: Timestamp) -> crate::harness::Answer {
    person.call(Method::PATCH, &path(publication, ""), Some(&json!({"publish_at": when}))).await
}

async fn balance(person: &Person) -> (i64, i64) {
    let balance = person.get("/credits/balance").await.expect(200);
    (balance["posted"].as_i64().unwrap(), balance["held"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_goes_out_when_its_time_has_come_and_not_before() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 6).await;
        let later = planned(&ada, "much later", hours(48)).await;
        let when = at(Duration::from_secs(2));
        let soon = planned(&ada, "soon", when).await;
        assert_eq!(balance(&ada).await, (6, 6));
        let done = ada.wait(soon["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!((&done["state"], &done["attempts"]), (&json!("published"), &json!(1)), "{done:#}");
        let states: Vec<&str> =
            done["timeline"].as_array().unwrap().iter().map(|event| event["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["scheduled", "running", "published"]);
        let began: Timestamp = serde_json::from_value(done["timeline"][1]["at"].clone()).unwrap();
        assert!(began >= when, "{done:#}");
        assert_eq!(ada.get(&path(&later, "")).await.expect(200)["state"], "scheduled");
        assert_eq!(host.sim.posts().len(), 1);
        // Another time, which comes.
        moved(&ada, &later, at(Duration::from_secs(1))).await.expect(200);
        ada.wait(later["id"].as_str().unwrap(), &["published"]).await;
        moved(&ada, &later, hours(1)).await.refused(409, "not_scheduled");
        assert_eq!((host.sim.posts().len(), balance(&ada).await), (2, (0, 0)));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_was_off_publishes_what_came_due_meanwhile() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let planned = planned(&ada, "due while off", at(Duration::from_millis(500))).await;
        host.app.stop().await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let host = host.again().await;
        let ada = Person { url: host.url.clone(), ..ada };
        let done = ada.wait(planned["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(host.sim.posts().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_does_not_go_out_and_costs_nothing() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let (ada, bob) = (host.connected("ada", "twitter").await, host.person("bob").await);
        host.grant(ada.workspace, 3).await;
        let post = planned(&ada, "on second thought", hours(1)).await;
        bob.post(&path(&post, "/cancel"), &json!({})).await.refused(404, "not_found");
        moved(&bob, &post, hours(2)).await.refused(404, "not_found");
        for _ in 0..2 {
            let cancelled = ada.post(&path(&post, "/cancel"), &json!({})).await.expect(200);
            assert_eq!(cancelled["state"], "cancelled", "{cancelled:#}");
        }
        assert_eq!(balance(&ada).await, (3, 0));
        moved(&ada, &post, at(Duration::from_millis(100))).await.refused(409, "not_scheduled");
        // It is published after all, once, however often that is asked for.
        let [one, two] = [0, 1].map(|_| async { ada.post(&path(&post, "/retry"), &json!({})).await.expect(202) });
        let (one, two) = tokio::join!(one, two);
        assert_eq!(one["id"], two["id"]);
        let done = ada.wait(one["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        for act in ["/cancel", "/retry"] {
            let code = if act == "/cancel" { "not_cancellable" } else { "not_failed" };
            ada.post(&path(&done, act), &json!({})).await.refused(409, code);
        }
        assert_eq!((host.sim.posts().len(), balance(&ada).await), (1, (0, 0)));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_partly_live_is_neither_cancelled_nor_tried_again() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let thread = json!({"platform": "twitter", "parts": [{"text": "one"}, {"text": "two"}]});
        // The network takes the first part, and is down for the second.
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::status(429)).skip(1).times(1_000));
        let waits = ada.published(&thread, "thread", &["pending", "published"]).await;
        assert_eq!(waits["state"], "pending", "{waits:#}");
        let refused = ada.post(&path(&waits, "/cancel"), &json!({})).await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(["partly_published", "under_way", "not_cancellable"].contains(&refused.body["code"].as_str().unwrap()));
        assert_eq!(host.sim.posts().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_cannot_be_is_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let post = |when: Value| json!({"platform": "twitter", "content": "when?", "publish_at": when});
        for when in [json!(Clock::System.now().before(Duration::from_secs(1))), json!(hours(24 * 366 * 4))] {
            ada.publish(&post(when), "k").await.refused(422, "invalid_input");
        }
        for when in [json!("tomorrow"), json!("2027-02-30T10:00:00Z"), json!(17), json!("2027-01-01T10:00:00")] {
            ada.publish(&post(when), "k").await.refused(400, "malformed_request");
        }
        // The same wish, repeated when its time is past, is the same publication.
        let soon = planned(&ada, "soon", at(Duration::from_millis(300))).await;
        let done = ada.wait(soon["id"].as_str().unwrap(), &["published"]).await;
        let again = json!({"platform": "twitter", "content": "soon", "publish_at": soon["publish_at"]});
        assert_eq!(ada.publish(&again, "soon").await.expect(202)["id"], done["id"]);
        // Its account is gone when its time comes.
        let orphan = planned(&ada, "orphan", at(Duration::from_secs(1))).await;
        let connection = orphan["connection_id"].as_str().unwrap();
        ada.delete(&format!("/social/connections/{connection}")).await.expect(204);
        let failed = ada.wait(orphan["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert!(failed["fault"]["message"].as_str().unwrap().contains("removed"), "{failed:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_wait_for_the_outcome() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let wish = async |content: &str, prefer: &str| {
            let request = ada.http.post(format!("{}/social/publish", ada.url)).bearer_auth(&ada.token);
            let post = json!({"platform": "twitter", "content": content});
            crate::harness::Answer::of(request.header("prefer", prefer).json(&post).send().await.unwrap()).await
        };
        let done = wish("waited for", "respond-async, wait=60").await.expect(200);
        assert_eq!(done["state"], "published", "{done:#}");
        let taken = wish("not waited for", "wait=0").await.expect(202);
        ada.wait(taken["id"].as_str().unwrap(), &["published"]).await;
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::status(403)));
        assert_eq!(wish("refused", "wait=60").await.expect(200)["state"], "failed");
        wish("how long?", "wait=long").await.refused(400, "malformed_request");
    }
}

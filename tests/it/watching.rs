//! No publication is stuck: one without a job gets it back, and one that no worker comes to is given up.

use crate::harness::{BOTH, Fault, Host, Mode, Person, price};
use orla::clock::Timestamp;
use orla::id::PublicationId;
use orla::on;
use orla::publications::watching::sweep;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

async fn planned(host: &Host, person: &Person, content: &str) -> PublicationId {
    let post = json!({"platform": "twitter", "content": content, "publish_at": host.app.now().after(48 * HOUR)});
    person.publish(&post, content).await.expect(202)["id"].as_str().unwrap().parse().unwrap()
}

/// Puts a publication into a state that it has been in since then.
async fn stays(host: &Host, id: PublicationId, state: &str, since: Timestamp) {
    const STAYS: &str = "update publications set state = $1, publish_at = $2, updated_at = $2 where id = $3";
    let mut tx = host.app.db().begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query(STAYS).bind(state).bind(since).bind(id).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

/// Takes its job away, once nobody has it in hand.
async fn loses_its_job(host: &Host, id: PublicationId) {
    const LOSE: &str = "delete from jobs where subject = $1 and lease is null";
    for _ in 0..200 {
        let mut tx = host.app.db().begin().await.unwrap();
        let lost =
            on!(&mut tx, conn => sqlx::query(LOSE).bind(id).execute(conn).await.map(|done| done.rows_affected()));
        tx.commit().await.unwrap();
        if lost.unwrap() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{id} has no job to lose");
}

async fn is_brought_on(host: &Host, person: &Person, id: PublicationId) {
    assert_eq!(sweep(&host.app).await.unwrap(), 1);
    let done = person.wait(&id.to_string(), &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "{done:#}");
    let told = |event: &Value| event["reason"].as_str().unwrap().contains("on no worker's list");
    assert!(done["timeline"].as_array().unwrap().iter().any(told), "{done:#}");
    assert_eq!(sweep(&host.app).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_job_gets_one_in_every_state() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 15).await;
        for state in ["scheduled", "due", "running", "pending"] {
            let id = planned(&host, &ada, state).await;
            loses_its_job(&host, id).await;
            // Moves of this moment are left alone.
            assert_eq!(sweep(&host.app).await.unwrap(), 0, "{state}");
            stays(&host, id, state, host.app.now().before(HOUR)).await;
            is_brought_on(&host, &ada, id).await;
        }
        host.sim.change(|settings| settings.read_lag_ms = 600_000);
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutAfter));
        let post = json!({"platform": "twitter", "content": "uncertain"});
        let id = ada.published(&post, "uncertain", &["uncertain"]).await["id"].as_str().unwrap().parse().unwrap();
        loses_its_job(&host, id).await;
        stays(&host, id, "uncertain", host.app.now().before(HOUR)).await;
        host.sim.change(|settings| settings.read_lag_ms = 0);
        is_brought_on(&host, &ada, id).await;
        assert_eq!(host.sim.posts().len(), 5, "each is there once");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_worker_comes_to_within_a_day_is_given_up_and_costs_nothing() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        price(&host.app, 3).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 3).await;
        // Its job stays at its old time, so no worker comes.
        let id = planned(&host, &ada, "forgotten").await;
        stays(&host, id, "due", host.app.now().before(23 * HOUR)).await;
        assert_eq!(sweep(&host.app).await.unwrap(), 0);
        stays(&host, id, "due", host.app.now().before(25 * HOUR)).await;
        assert_eq!(sweep(&host.app).await.unwrap(), 1);
        let failed = ada.get(&format!("/social/publications/{id}")).await.expect(200);
        assert_eq!((&failed["state"], &failed["fault"]["kind"]), (&json!("failed"), &json!("busy")), "{failed:#}");
        assert_eq!(ada.get("/credits/balance").await.expect(200)["available"], 3);
        assert!(host.sim.posts().is_empty());
        assert_eq!(sweep(&host.app).await.unwrap(), 0);
        host.check_books().await;
    }
}

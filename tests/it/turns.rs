//! Whose turn it is: what goes to one account goes out in order, and what goes to others does not wait for it.

use crate::harness::{BOTH, Fault, Host, Mode};
use orla::clock::{Clock, Timestamp};
use orla::db::Db;
use orla::on;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_one_account_goes_out_in_order() {
    const POSTS: usize = 8;
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        // The first takes longest: without an order, it would be the last.
        for n in 0..POSTS {
            let delay = 20 * u64::try_from(POSTS - n).unwrap();
            host.sim.fault(Fault::on("POST", "/2/tweets", Mode::DelayMs(delay)).times(1));
        }
        let when = Clock::System.now().after(Duration::from_secs(2));
        let mut ids = Vec::new();
        for n in 0..POSTS {
            let post = json!({"platform": "twitter", "content": format!("number {n}"), "publish_at": when});
            let planned = ada.publish(&post, &format!("{n}")).await.expect(202);
            ids.push(planned["id"].as_str().unwrap().to_owned());
        }
        let mut moments: Vec<(Timestamp, Timestamp)> = Vec::new();
        for id in &ids {
            let done = ada.wait(id, &["published"]).await;
            let at = |state: &str| -> Timestamp {
                let events = done["timeline"].as_array().unwrap();
                let event = events.iter().find(|event| event["state"] == state).unwrap();
                serde_json::from_value(event["at"].clone()).unwrap()
            };
            moments.push((at("running"), at("published")));
        }
        assert!(
            moments.is_sorted_by(|one, next| one.1 <= next.0),
            "one begins when the one before has ended: {moments:?}"
        );
        let texts: Vec<String> = host.sim.posts().into_iter().map(|post| post.text).collect();
        let wanted: Vec<String> = (0..POSTS).map(|n| format!("number {n}")).collect();
        assert_eq!(texts, wanted, "{backend:?}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_do_not_wait_for_each_other() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        ada.connect(&host.sim, "twitter", "second_account").await;
        let accounts = ada.get("/social/connections").await.expect(200)["items"].clone();
        let publish = async |account: &Value, text: &str| {
            let post = json!({"platform": "twitter", "connection_id": account["id"], "content": text});
            ada.publish(&post, text).await.expect(202)["id"].as_str().unwrap().to_owned()
        };
        // The first account's post is held up for as long as the second's needs to be out.
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::DelayMs(6_000)).times(1));
        let held_up = publish(&accounts[0], "held up").await;
        ada.wait(&held_up, &["running"]).await;
        while host.sim.counts().get("POST /2/tweets").is_none_or(|count| *count == 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let behind = publish(&accounts[0], "behind it").await;
        let beside = publish(&accounts[1], "beside it").await;
        ada.wait(&beside, &["published"]).await;
        assert_eq!(ada.get(&format!("/social/publications/{behind}")).await.expect(200)["state"], "due", "{backend:?}");
        ada.wait(&held_up, &["published"]).await;
        ada.wait(&behind, &["published"]).await;
        let texts: Vec<String> = host.sim.posts().into_iter().map(|post| post.text).collect();
        assert_eq!(texts, ["beside it", "held up", "behind it"], "{backend:?}");
        host.check_books().await;
    }
}

/// How many rows of jobs PostgreSQL has read without an index; SQLite keeps no plans.
async fn read_without_index(db: &Db) -> i64 {
    let mut tx = db.read().await.unwrap();
    if !tx.is_postgres() {
        return 0;
    }
    const READ: &str = "select seq_tup_read from pg_stat_user_tables where relname = 'jobs'";
    on!(&mut tx, conn => sqlx::query_scalar(READ).fetch_one(conn).await).unwrap()
}

/// PostgreSQL keeps the plans that it made while there was nothing to do, when reading all jobs was the quickest.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_had_nothing_to_do_does_not_read_all_jobs_of_a_crowd() {
    const CROWD: i64 = 20_000;
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let db = host.app.db();
        let mut tx = db.begin_single().await.unwrap();
        let vacuum = if tx.is_postgres() { "vacuum analyze jobs" } else { "analyze jobs" };
        on!(&mut tx, conn => sqlx::query(vacuum).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        for _ in 0..20 {
            host.app.wake_worker();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut tx = db.begin().await.unwrap();
        let new = if tx.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        let crowd = format!(
            "insert into jobs (id, kind, subject, due_at, attempts, created_at, queue, workspace_id, line, ready)
            with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < $1)
            select {new}, 'reconcile', {new}, $2 + n, 0, $2, 'x', {new}, {new}, 0 from numbers"
        );
        let due = Clock::System.now().after(Duration::from_secs(86_400));
        let crowd = sqlx::AssertSqlSafe(crowd);
        on!(&mut tx, conn => sqlx::query(crowd).bind(CROWD).bind(due).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        // Until the worker has its statements planned anew, and the server has counted what was read before.
        tokio::time::sleep(Duration::from_secs(4)).await;
        let before = read_without_index(db).await;
        for n in 0..3 {
            let post = json!({"platform": "twitter", "content": format!("number {n}")});
            let id = ada.publish(&post, &format!("{n}")).await.expect(202)["id"].as_str().unwrap().to_owned();
            ada.wait(&id, &["published"]).await;
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        let read = read_without_index(db).await - before;
        assert!(read < CROWD, "{read} of {CROWD} jobs were read for three posts on {backend:?}");
    }
}

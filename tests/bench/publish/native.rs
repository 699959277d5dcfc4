//! The floor: native code that publishes with the statements of a host: the same rows read and written, in the same
//! durable transactions, through the same pools. It has no connector, opens no sealed token, checks no text, cleans no
//! answer and takes only jobs that it made itself.

use super::{at_once, key, text};
use crate::process::take_orders;
use orla::clock::{Clock, Timestamp};
use orla::db::{Db, Tx};
use orla::id::{ConnectionId, EventId, JobId, PublicationId, UserId, WorkspaceId};
use orla::on;
use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(30);
const RELEASE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

struct Native {
    db: Db,
    jobs_db: Db,
    http: Client,
    origin: String,
    token: String,
    accounts: Vec<Account>,
}

#[derive(Clone, Copy, sqlx::FromRow)]
struct Account {
    id: ConnectionId,
    workspace_id: WorkspaceId,
    connected_by: UserId,
}

/// Publishes what is ordered.
pub(crate) async fn run(database: &str, origin: &str, token: &str) {
    let db = Db::open(database).await.unwrap();
    let mut tx = db.read().await.unwrap();
    let accounts = on!(&mut tx, conn => sqlx::query_as("select id, workspace_id, connected_by from connections")
        .fetch_all(conn).await)
    .unwrap();
    drop(tx);
    // A fresh connection for each post, as the journal's rules ask of whoever keeps one.
    #[expect(clippy::disallowed_methods, reason = "the floor is no part of the host")]
    let http = Client::builder().pool_max_idle_per_host(0).http1_only().no_proxy().build().unwrap();
    let native = Arc::new(Native {
        jobs_db: db.apart(),
        db,
        http,
        origin: origin.to_owned(),
        token: token.to_owned(),
        accounts,
    });
    let publish = |n| {
        let native = native.clone();
        async move { native.publish(n).await }
    };
    take_orders(async |count| at_once(count, publish).await).await;
}

const PUBLICATION: &str = "insert into publications
    (id, workspace_id, author_id, connection_id, connector, platform, parts, state, attempts, idempotency_key,
     request_digest, hold_id, price, created_at, updated_at)
    values ($1, $2, $3, $4, 'x', 'twitter', $5, 'due', 0, $6, $7, null, 0, $8, $8)";
const RUN: &str = "insert into runs (id, workspace_id, connector, release, seed, started_at)
    values ($1, $2, 'x', $3, $4, $5)";
const EVENT: &str = "insert into publication_events (id, publication_id, attempt, state, reason, meter, at)
    values ($1, $2, $3, $4, $5, $6, $7)";
const JOB: &str = "insert into jobs (id, kind, subject, due_at, attempts, created_at, queue, workspace_id, line, ready)
    values ($1, 'publish', $2, $3, 0, $3, 'x', $4, $5, 1)";
const CLAIM: &str = "update jobs set lease = $1, leased_until = $2, attempts = attempts + 1 where id = $3";
const BEGIN: &str = "update publications set state = 'running', attempts = attempts + 1, updated_at = $1
    where id = $2 and state in ('due', 'pending', 'running')";
const PRICE: &str = "select id, unit, credits, connector, model, workspace_id, vendor_key
    from (select id, unit, credits, connector, model, workspace_id, vendor_key, row_number() over
            (partition by unit, connector, model, workspace_id, vendor_key order by valid_from desc, id desc) as place
        from price_versions
        where operation = 'publish' and valid_from <= $1 and (workspace_id is null or workspace_id = $2)
            and (connector is null or connector = 'x') and (model is null or model = '')) as known
    where place = 1";
const CONNECTION: &str = "select id, workspace_id, connected_by from connections where workspace_id = $1 and id = $2";
const LOAD: &str = "select runs.release, connections.id, secrets.name, secrets.sealed, secrets.expires_at
    from runs join connections on connections.id = $3 and connections.workspace_id = runs.workspace_id
    left join connection_secrets secrets on secrets.connection_id = connections.id
        and secrets.workspace_id = connections.workspace_id
    where runs.id = $1 and runs.workspace_id = $2";
const EFFECT: &str = "insert into effects
    (run_id, sequence, kind, key, digest, state, answer, sent_at, valid_until, looks, updated_at)
    values ($1, 1, 'commit', 'part/0', $2, 'started', null, $3, null, 0, $3)";
const EFFECT_DONE: &str = "update effects set state = 'done', answer = $1, updated_at = $2
    where run_id = $3 and sequence = 1 and state in ('started', 'unknown')";
const JOB_DONE: &str = "delete from jobs where id = $1 and lease = $2";
const PUBLISHED: &str = "update publications set state = 'published', receipt = $1, updated_at = $2, finished_at = $2
    where id = $3 and state = 'running'";

type Price = (Uuid, String, i64, Option<String>, Option<String>, Option<Uuid>, String);

impl Native {
    async fn publish(&self, n: usize) {
        let (id, job, lease) = (PublicationId::new(), JobId::new(), Uuid::now_v7());
        let (body, account) = (json!({"text": text(n)}), self.accounts[n % self.accounts.len()]);
        self.take_in(id, job, &body, account).await.unwrap();
        self.begin(id, job, lease).await.unwrap();
        self.look_up(id, account).await.unwrap();
        self.start_effect(id, &body).await.unwrap();
        let posted = self.http.post(format!("{}/2/tweets", self.origin)).bearer_auth(&self.token).json(&body);
        let posted = posted.send().await.unwrap();
        assert_eq!(posted.status(), 201);
        let answer = posted.text().await.unwrap();
        self.end_effect(id, &answer).await.unwrap();
        self.end(id, job, lease, &answer).await.unwrap();
    }

    async fn take_in(&self, id: PublicationId, job: JobId, body: &Value, account: Account) -> sqlx::Result<()> {
        let now = Clock::System.now();
        let parts = json!([body]).to_string();
        let digest = hex::encode(Sha256::digest(&parts));
        let key = key();
        let mut tx = self.db.read().await?;
        let found: Account = on!(&mut tx, conn => sqlx::query_as(CONNECTION)
            .bind(account.workspace_id).bind(account.id).fetch_one(conn).await)?;
        let (.., price, _, _, _, _): Price = on!(&mut tx, conn => sqlx::query_as(PRICE)
            .bind(now).bind(account.workspace_id).fetch_one(conn).await)?;
        drop(tx);
        assert!(found.id == account.id && price == 0);
        let mut tx = self.db.begin().await?;
        on!(&mut tx, conn => sqlx::query(PUBLICATION)
            .bind(id).bind(account.workspace_id).bind(account.connected_by).bind(account.id).bind(&parts).bind(&key)
            .bind(&digest).bind(now).execute(conn).await.map(drop))?;
        on!(&mut tx, conn => sqlx::query(RUN)
            .bind(id).bind(account.workspace_id).bind(RELEASE).bind(now.0).bind(now)
            .execute(conn).await.map(drop))?;
        event(&mut tx, id, 0, ("due", "taken in"), None, now).await?;
        on!(&mut tx, conn => sqlx::query(JOB)
            .bind(job).bind(id).bind(now).bind(account.workspace_id).bind(account.id).execute(conn).await.map(drop))?;
        tx.commit().await
    }

    async fn begin(&self, id: PublicationId, job: JobId, lease: Uuid) -> sqlx::Result<()> {
        let now = Clock::System.now();
        let mut tx = self.jobs_db.begin().await?;
        on!(&mut tx, conn => sqlx::query(CLAIM).bind(lease).bind(now.after(LEASE)).bind(job)
            .execute(conn).await.map(drop))?;
        on!(&mut tx, conn => sqlx::query(BEGIN).bind(now).bind(id).execute(conn).await.map(drop))?;
        event(&mut tx, id, 1, ("running", "attempt 1 begins"), None, now).await?;
        tx.commit().await
    }

    async fn look_up(&self, publication: PublicationId, account: Account) -> sqlx::Result<()> {
        let (workspace, id) = (account.workspace_id, account.id);
        let mut tx = self.jobs_db.read().await?;
        let rows: Vec<(String, ConnectionId, String, Vec<u8>, Option<Timestamp>)> = on!(&mut tx, conn =>
            sqlx::query_as(LOAD).bind(publication).bind(workspace).bind(id).fetch_all(conn).await)?;
        assert!(rows.len() == 2 && rows.iter().all(|row| row.0 == RELEASE && row.1 == id));
        Ok(())
    }

    async fn start_effect(&self, id: PublicationId, body: &Value) -> sqlx::Result<()> {
        let digest = hex::encode(Sha256::digest(body.to_string()));
        let mut tx = self.jobs_db.begin_single().await?;
        on!(&mut tx, conn => sqlx::query(EFFECT).bind(id).bind(&digest).bind(Clock::System.now())
            .execute(conn).await.map(drop))?;
        tx.commit().await
    }

    async fn end_effect(&self, id: PublicationId, answer: &str) -> sqlx::Result<()> {
        let answer = json!({"status": 201, "headers": [["content-type", "application/json"]], "text": answer});
        let mut tx = self.jobs_db.begin_single().await?;
        on!(&mut tx, conn => sqlx::query(EFFECT_DONE).bind(answer.to_string()).bind(Clock::System.now()).bind(id)
            .execute(conn).await.map(drop))?;
        tx.commit().await
    }

    async fn end(&self, id: PublicationId, job: JobId, lease: Uuid, answer: &str) -> sqlx::Result<()> {
        let now = Clock::System.now();
        let answer: Value = serde_json::from_str(answer).expect("the network answers JSON");
        let post = answer["data"]["id"].as_str().expect("the network names the post");
        let url = format!("https://x.com/i/status/{post}");
        let receipt = json!([{"outcome": "done", "key": "part/0", "id": post, "url": url}]);
        let meter = json!({"fuel": 0, "memory_peak_bytes": 0, "requests": 1, "bytes_out": 70, "bytes_in": 200,
            "wall_us": 50_000, "guest_us": 0});
        let mut tx = self.jobs_db.begin().await?;
        on!(&mut tx, conn => sqlx::query(JOB_DONE).bind(job).bind(lease).execute(conn).await.map(drop))?;
        on!(&mut tx, conn => sqlx::query(PUBLISHED).bind(receipt.to_string()).bind(now).bind(id)
            .execute(conn).await.map(drop))?;
        event(&mut tx, id, 1, ("published", "1 of 1 parts are live"), Some(meter.to_string()), now).await?;
        tx.commit().await
    }
}

async fn event(
    tx: &mut Tx,
    id: PublicationId,
    attempt: i64,
    (state, reason): (&str, &str),
    meter: Option<String>,
    now: Timestamp,
) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(EVENT)
        .bind(EventId::new()).bind(id).bind(attempt).bind(state).bind(reason).bind(meter).bind(now)
        .execute(conn).await.map(drop))
}

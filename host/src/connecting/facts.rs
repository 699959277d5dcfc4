//! What a vendor says of an account that the rules of posts need: who may see a post of it, which flairs there are. It is asked
//! now and then and kept, for each of the account's targets.
//!
//! A post waits for the vendor where nothing is known yet or what is known is older than a day, and for a few seconds at most.
//! A failure in passing keeps what was known; without anything the rules that need it are left to the vendor.

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections::{Connection, connection_columns};
use crate::connectors::credentials::{Credentials, Stored};
use crate::connectors::release::Release;
use crate::connectors::run::Pinned;
use crate::connectors::variant::Fact;
use crate::connectors::work::Account;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, RunId, WorkspaceId};
use crate::on;
use std::sync::Arc;
use std::time::Duration;

/// Facts of this age are asked for anew, beside the post.
const AGING: Duration = Duration::from_secs(60 * 60);
/// Facts of this age are asked for anew before the post.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);
/// How long after a failure the vendor is not asked again.
const REST: Duration = Duration::from_secs(5 * 60);
/// The longest that a post waits for facts. The asking goes on behind it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is kept of an account, or of one of its targets; nothing where the vendor was never asked.
#[derive(Debug, Default)]
pub(crate) struct Kept(Option<Row>);

#[derive(Debug, sqlx::FromRow)]
struct Row {
    facts: String,
    fetched_at: Option<Timestamp>,
    asked_at: Timestamp,
}

const FIND: &str = "select facts, fetched_at, asked_at from account_facts
    where workspace_id = $1 and connection_id = $2 and target = $3";
/// A round trip less than one after the other.
const FIND_WITH_CONNECTION: &str = concat!(
    "select ",
    connection_columns!(),
    ", kept.facts, kept.fetched_at, kept.asked_at from connections left join account_facts kept
        on kept.workspace_id = connections.workspace_id and kept.connection_id = connections.id and kept.target = ''
    where connections.workspace_id = $1 and connections.id = $2"
);
// Of a connection that was removed meanwhile nothing is kept.
const KEEP: &str = "insert into account_facts (connection_id, target, workspace_id, facts, fetched_at, asked_at)
    select id, $2, workspace_id, $4, $5, $5 from connections where id = $1 and workspace_id = $3
    on conflict (connection_id, target) do update set
        facts = excluded.facts, fetched_at = excluded.fetched_at, asked_at = excluded.asked_at";
const FAILED: &str = "insert into account_facts (connection_id, target, workspace_id, facts, fetched_at, asked_at)
    select id, $2, workspace_id, '[]', null, $4 from connections where id = $1 and workspace_id = $3
    on conflict (connection_id, target) do update set asked_at = excluded.asked_at";

/// A workspace's connection, and what is kept of the account without any of its targets.
///
/// # Errors
/// It has no such connection, or the database failed.
pub(crate) async fn find_connection(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<(Connection, Kept)> {
    #[derive(sqlx::FromRow)]
    struct Both {
        #[sqlx(flatten)]
        connection: Connection,
        facts: Option<String>,
        fetched_at: Option<Timestamp>,
        asked_at: Option<Timestamp>,
    }
    let both: Option<Both> = on!(tx, conn => sqlx::query_as(FIND_WITH_CONNECTION)
        .bind(workspace).bind(id).fetch_optional(conn).await)?;
    let Both { connection, facts, fetched_at, asked_at } = both.ok_or(Error::NotFound("connection"))?;
    let row = facts.zip(asked_at).map(|(facts, asked_at)| Row { facts, fetched_at, asked_at });
    Ok((connection, Kept(row)))
}

/// What is kept of an account, and of the one of its targets that a post goes to.
///
/// # Errors
/// The database failed.
pub(crate) async fn kept(tx: &mut Tx, connection: &Connection, target: Option<&str>) -> sqlx::Result<Kept> {
    let row = on!(tx, conn => sqlx::query_as(FIND)
        .bind(connection.workspace_id).bind(connection.id).bind(target.unwrap_or_default())
        .fetch_optional(conn).await)?;
    Ok(Kept(row))
}

/// What is known of an account, and of the one of its targets that a post goes to.
pub(crate) async fn known(
    app: &App,
    release: &Arc<Release>,
    connection: &Connection,
    target: Option<&str>,
    Kept(kept): Kept,
) -> Vec<Fact> {
    if release.identity.is_none() {
        return Vec::new();
    }
    let now = app.now();
    // Who connects anew may have allowed more, so what was known before counts for nothing.
    let age = kept.as_ref().and_then(|row| row.fetched_at).filter(|at| *at >= connection.updated_at);
    let age = age.map(|at| now.since(at));
    let rests = kept.as_ref().is_some_and(|row| now.since(row.asked_at) < REST && row.fetched_at != Some(row.asked_at));
    if age.is_some_and(|age| age < AGING) || rests {
        return read(kept);
    }
    let asking = {
        let (app, release) = (app.clone(), release.clone());
        let (connection, target) = (connection.clone(), target.map(str::to_owned));
        app.clone().tasks().spawn(async move { Box::pin(ask(&app, release, &connection, target)).await })
    };
    if age.is_some_and(|age| age < OLD) {
        return read(kept);
    }
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(Some(facts))) => facts,
        Ok(Ok(None) | Err(_)) | Err(_) => read(kept),
    }
}

fn read(kept: Option<Row>) -> Vec<Fact> {
    kept.and_then(|row| serde_json::from_str(&row.facts).ok()).unwrap_or_default()
}

/// Asks the vendor, by a run that may only read, and keeps what it says. `None` where it said nothing.
async fn ask(app: &App, release: Arc<Release>, connection: &Connection, target: Option<String>) -> Option<Vec<Fact>> {
    let asked = async {
        let stored =
            Stored::read(&mut app.db().read().await?, app.vault(), connection.workspace_id, connection.id).await?;
        let credentials = Credentials::of(connection.id, &release.manifest.auth, Some(stored));
        let account = Account::of(connection, target.clone(), &release);
        let now = app.now();
        let pinned = Pinned { id: RunId::new(), workspace: connection.workspace_id, seed: now.0, started_at: now };
        let run = Arc::new(app.connectors().execution(pinned, release, credentials, None));
        let asked = app.connectors().options(&run, &account).await;
        asked.map_err(|fault| anyhow::anyhow!("{}", run.secrets.blank_text(fault.message)))
    };
    let asked: anyhow::Result<Vec<Fact>> = asked.await;
    let facts = asked.inspect_err(|error| {
        tracing::debug!(connection = %connection.id, "the facts of an account could not be had: {error:#}");
    });
    let facts = facts.ok();
    if let Err(error) = write(app, connection, target.as_deref(), facts.as_deref()).await {
        tracing::warn!(connection = %connection.id, "the facts of an account could not be kept: {error:#}");
    }
    facts
}

async fn write(app: &App, connection: &Connection, target: Option<&str>, facts: Option<&[Fact]>) -> anyhow::Result<()> {
    let (target, now) = (target.unwrap_or_default(), app.now());
    let facts = facts.map(serde_json::to_string).transpose()?;
    let mut tx = app.db().begin_single().await?;
    match facts {
        Some(facts) => on!(&mut tx, conn => sqlx::query(KEEP)
            .bind(connection.id).bind(target).bind(connection.workspace_id).bind(facts).bind(now)
            .execute(conn).await.map(drop))?,
        None => on!(&mut tx, conn => sqlx::query(FAILED)
            .bind(connection.id).bind(target).bind(connection.workspace_id).bind(now)
            .execute(conn).await.map(drop))?,
    }
    Ok(tx.commit().await?)
}

//! Generations: texts that a model writes for credits, while the caller waits.
//!
//! ```text
//! running ──► completed      the text is stored, the price charged
//!        ├──► failed         the vendor, the connector or the host failed: nothing is charged
//!        └──► stopped        the caller hung up on a stream: charged once a word had been handed out, else not
//! ```
//!
//! A caller who hangs up on a plain request stops nothing: the text is there to be read later. One who hangs up on a
//! stream stops the vendor's work, and pays as for a whole text if words were handed out, or every caption could be read
//! for nothing up to its last word. What was written is kept. This file owns the rows; `writing` moves them.

mod paying;
pub(crate) mod writing;

pub(crate) use paying::{connector_of, find_of_any, is_live};

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::meter::Meter;
use crate::connectors::run::{self, Pinned};
use crate::connectors::writing::Prompt;
use crate::db::Tx;
use crate::db::bundle::Bundle;
use crate::error::{Error, Result};
use crate::id::{GenerationId, HoldId, WorkspaceId};
use crate::identity::Caller;
use crate::jobs::{self, Claim, Job};
use crate::prices::Quote;
use crate::{ledger, on};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;
use writing::Underway;

/// Where a generation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GenerationState)]
pub enum State {
    /// It is being written.
    Running,
    /// It is written, and charged.
    Completed,
    /// It failed, and is not charged.
    Failed,
    /// The caller hung up.
    Stopped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// What a generation used, and what was charged for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The metered operation.
    pub operation: String,
    /// The connector that carried it out.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// The model, as the vendor names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Credits reserved before it began.
    pub credits_held: i64,
    /// Credits charged.
    pub credits_charged: i64,
    /// What the vendor says it used, by unit, such as `input_tokens`; absent where it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<BTreeMap<String, u64>>,
    /// Why that much was charged.
    pub note: String,
    /// What the connector used.
    pub meter: Meter,
}

/// A text to be written.
#[derive(Debug)]
pub(crate) struct Wish {
    /// The metered operation.
    pub(crate) operation: &'static str,
    /// The prompt's file and version.
    pub(crate) prompt_version: &'static str,
    /// What was asked for, as JSON.
    pub(crate) input: Value,
    pub(crate) prompt: Prompt,
    /// Makes the stored output of a text.
    pub(crate) read: fn(&str) -> Result<Value, Fault>,
    /// The client's name of this wish: the same key asks for the same generation.
    pub(crate) idempotency_key: Option<String>,
}

/// A generation as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Generation {
    /// Its id.
    pub id: GenerationId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// The metered operation.
    pub operation: String,
    /// The prompt's file and version.
    pub prompt: String,
    input: String,
    state: String,
    output: Option<String>,
    fault: Option<String>,
    receipt: Option<String>,
    hold_id: Option<HoldId>,
    request_digest: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Generation {
    /// Where it stands.
    ///
    /// # Errors
    /// The database holds a word that this program does not know.
    pub fn state(&self) -> anyhow::Result<State> {
        Ok(serde_json::from_value(self.state.clone().into())?)
    }

    /// What was asked for.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn input(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.input)?)
    }

    /// What was written.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn output(&self) -> anyhow::Result<Option<Value>> {
        Ok(self.output.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// Why it failed.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn fault(&self) -> anyhow::Result<Option<Fault>> {
        Ok(self.fault.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// What it used and cost.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn receipt(&self) -> anyhow::Result<Option<Receipt>> {
        Ok(self.receipt.as_deref().map(serde_json::from_str).transpose()?)
    }
}

/// What asking for a generation comes to.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is paid for, and to be written now.
    New(Box<Underway>),
    /// The same key asked for it before.
    Earlier(Box<Generation>),
}

const INSERT: &str = "insert into generations (id, workspace_id, author_id, operation, connector, prompt, input, state,
        hold_id, price, idempotency_key, request_digest, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $10, $11, $12)";

/// Takes a generation in: row, run, hold and the claim to write it, together or not at all.
///
/// # Errors
/// Nothing here writes text, the operation has no price or costs more than the workspace has, or its key was used for
/// another wish or for one that is still being written.
pub(crate) async fn begin(app: &App, caller: Caller, wish: Wish) -> Result<Begun> {
    let digest = digest(&wish)?;
    if let Some(earlier) = repeated(app, caller.workspace, &wish, &digest).await? {
        return Ok(Begun::Earlier(Box::new(earlier)));
    }
    // Its caller waits, so it cannot.
    app.fence().check()?;
    let release = app.connectors().for_text()?;
    let (id, now) = (GenerationId::new(), app.now());
    let pinned = Pinned { id: id.into(), workspace: caller.workspace, seed: rand::rng().random(), started_at: now };
    let connector = &release.manifest.id;
    let inserted: Result<(Claim, Quote, Option<HoldId>)> = async {
        // Before anything that costs leaves, its row in the journal is on the disk, and with it all of this.
        let mut tx = app.db().begin_to_be_followed().await?;
        let mut bundle = Bundle::new(&tx);
        let (quote, hold) = paying::reserving((&mut tx, &mut bundle), caller, id, &wish, connector, now).await?;
        bundle.add(INSERT).bind(id).bind(caller.workspace).bind(caller.user).bind(wish.operation).bind(connector);
        bundle.bind(wish.prompt_version).bind(wish.input.to_string()).bind(hold).bind(quote.credits);
        bundle.bind(wish.idempotency_key.as_deref()).bind(&digest).bind(now);
        run::pinning(&mut bundle, &pinned, connector, &release.digest);
        let claim = jobs::beginning(&mut bundle, Job::AbandonGeneration(id), app.config().job_lease(), now);
        bundle.run(&mut tx).await?;
        tx.commit().await?;
        Ok((claim, quote, hold))
    }
    .await;
    match inserted {
        Ok((claim, quote, hold)) => {
            Ok(Begun::New(Box::new(Underway { id, pinned, release, claim, quote, hold, wish })))
        }
        // Somebody else may have been quicker with the same key, and taken the last credits for it.
        Err(error) => match repeated(app, caller.workspace, &wish, &digest).await? {
            Some(earlier) => Ok(Begun::Earlier(Box::new(earlier))),
            None => Err(error),
        },
    }
}

fn digest(wish: &Wish) -> Result<String> {
    if wish.idempotency_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 200) {
        return Err(Error::Malformed("The Idempotency-Key must have 1 to 200 characters.".to_owned()));
    }
    let asked = serde_json::to_vec(&(wish.operation, &wish.input)).map_err(anyhow::Error::from)?;
    Ok(hex::encode(Sha256::digest(asked)))
}

/// The generation that the same key asked for before.
async fn repeated(app: &App, workspace: WorkspaceId, wish: &Wish, digest: &str) -> Result<Option<Generation>> {
    let Some(key) = &wish.idempotency_key else { return Ok(None) };
    let mut tx = app.db().read().await?;
    let earlier: Option<Generation> =
        on!(&mut tx, conn => sqlx::query_as(BY_KEY).bind(workspace).bind(key).fetch_optional(conn).await)?;
    match earlier {
        Some(earlier) if earlier.request_digest != digest => Err(Error::Conflict {
            code: "idempotency_key_reused",
            detail: "This Idempotency-Key was used for another wish. Use a new key for a new one.".to_owned(),
        }),
        Some(earlier) if earlier.state()? == State::Running => Err(Error::Conflict {
            code: "in_progress",
            detail: "What this Idempotency-Key asked for is still being written. Ask again in a moment.".to_owned(),
        }),
        earlier => Ok(earlier),
    }
}

/// Gives up a generation whose host died while it was written, in the transaction that claims the job.
///
/// # Errors
/// The database failed.
pub(crate) async fn abandon(tx: &mut Tx, claim: &Claim, id: GenerationId, now: Timestamp) -> anyhow::Result<()> {
    give_up(tx, id, now).await?;
    jobs::complete(tx, claim).await
}

const RUNNING: &str = "select id from generations where state = 'running'";

/// Gives up every generation that is being written, since nobody does: they came with a backup.
///
/// # Errors
/// The database failed.
pub(crate) async fn abandon_all(tx: &mut Tx, now: Timestamp) -> anyhow::Result<()> {
    let running: Vec<GenerationId> = on!(tx, conn => sqlx::query_scalar(RUNNING).fetch_all(conn).await)?;
    for id in running {
        give_up(tx, id, now).await?;
        jobs::withdraw(tx, Job::AbandonGeneration(id)).await?;
    }
    Ok(())
}

async fn give_up(tx: &mut Tx, id: GenerationId, now: Timestamp) -> anyhow::Result<()> {
    let found: Generation = on!(tx, conn => sqlx::query_as(FIND_ANY).bind(id).fetch_one(conn).await)?;
    if found.state()? != State::Running {
        return Ok(());
    }
    let words = "the server stopped while it was being written; nothing was charged";
    let fault = serde_json::to_string(&Fault::new(FaultKind::Cancelled, words))?;
    let end = End { state: State::Failed, output: None, fault: Some(fault), receipt: None };
    move_to(tx, id, end, now).await?;
    if let Some(hold) = found.hold_id {
        ledger::release(tx, found.workspace_id, hold, now).await?;
    }
    tracing::warn!(generation = %id, "generation {id} was cut off by the end of its host");
    Ok(())
}

/// How a generation ends; the texts are JSON.
struct End {
    state: State,
    output: Option<String>,
    fault: Option<String>,
    receipt: Option<String>,
}

const MOVE: &str = "update generations set state = $1, output = $2, fault = $3, receipt = $4, finished_at = $5
    where id = $6 and state = 'running'";

async fn move_to(tx: &mut Tx, id: GenerationId, end: End, now: Timestamp) -> anyhow::Result<()> {
    let moved = on!(tx, conn => sqlx::query(MOVE)
        .bind(end.state.word()).bind(end.output).bind(end.fault).bind(end.receipt).bind(now).bind(id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    anyhow::ensure!(moved == 1, "generation {id} is not running any more");
    Ok(())
}

/// All columns of [`Generation`].
macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select id, workspace_id, operation, prompt, input, state, output, fault, receipt, hold_id, ",
            "request_digest, created_at, finished_at from generations ",
            $tail
        )
    };
}

const BY_KEY: &str = columns!("where workspace_id = $1 and idempotency_key = $2");
const FIND: &str = columns!("where workspace_id = $1 and operation = $2 and id = $3");
/// For workers, who act for every tenant.
const FIND_ANY: &str = columns!("where id = $1");
const LIST: &str = columns!("where workspace_id = $1 and operation = $2 and id < $3 order by id desc limit $4");

/// A workspace's generation of one operation.
///
/// # Errors
/// It has no such generation, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, operation: &str, id: GenerationId) -> Result<Generation> {
    let found: Option<Generation> = on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(operation).bind(id)
        .fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("generation"))
}

/// A workspace's generations of one operation before one, newest first.
///
/// # Errors
/// The database failed.
pub async fn list(
    tx: &mut Tx,
    workspace: WorkspaceId,
    operation: &str,
    before: Option<GenerationId>,
    limit: i64,
) -> Result<Vec<Generation>> {
    let before = before.unwrap_or(GenerationId(uuid::Uuid::max()));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(operation).bind(before).bind(limit)
        .fetch_all(conn).await)?)
}

/// What a failed generation means for the person who asked for it.
#[must_use]
pub(crate) fn refusal(fault: &Fault) -> Error {
    let sentence = fault.message.trim_end_matches('.');
    match fault.kind {
        FaultKind::Invalid | FaultKind::TooLarge | FaultKind::Conflict => {
            Error::invalid("topic", format!("The model did not write this: {sentence}."))
        }
        FaultKind::Busy => Error::Busy {
            detail: "The text model has as many calls as it may have. Nothing was charged; try again.".to_owned(),
            after: Duration::from_secs(1),
        },
        FaultKind::RateLimited => {
            let after = Duration::from_millis(fault.retry_after_ms.unwrap_or(1_000)).min(Duration::from_secs(3_600));
            Error::Busy {
                detail: "The text model is asked too often at the moment. Try again later.".to_owned(),
                after,
            }
        }
        FaultKind::VendorDown | FaultKind::Uncertain => {
            let detail = format!("The text model failed: {sentence}. Nothing was charged; try again.");
            Error::Busy { detail, after: Duration::from_millis(fault.retry_after_ms.unwrap_or(1_000)) }
        }
        FaultKind::AuthExpired | FaultKind::ScopeMissing | FaultKind::Quota | FaultKind::NotFound => {
            Error::NotConfigured("This server's account at the text model cannot be used. An operator must look at it.")
        }
        FaultKind::Cancelled => Error::Unavailable("The server stopped before the text was written. Try again."),
        FaultKind::Vendor | FaultKind::Budget | FaultKind::Bug => {
            Error::Vendor(format!("The text could not be written: {sentence}. Nothing was charged."))
        }
    }
}

const UNFINISHED: &str = "select count(*) from generations where connector = $1 and state = 'running'";

/// How many generations of a connector have not ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn unfinished(tx: &mut Tx, connector: &str) -> sqlx::Result<i64> {
    on!(tx, conn => sqlx::query_scalar(UNFINISHED).bind(connector).fetch_one(conn).await)
}

//! Schedules: a post that is repeated by a rule.
//!
//! ```text
//! rule ──► planned ──► taken        a publication of its own, whose state says the rest
//!             ├──────► skipped      with the reason: the host was off, no credits, the connection is gone, …
//!             └──────► cancelled    its schedule was deleted
//! ```
//!
//! Each time that the rule names is a row, once (`unique (schedule_id, due_at)`). Rows are planned ahead; the next of them
//! becomes a publication, which reserves its credits. This file owns the schedules, [`occurrences`] the rows, `advancing`
//! moves them as time goes by, `editing` when a person asks, and `rule` computes the times.

mod advancing;
mod editing;
pub mod occurrences;
pub(crate) mod rule;

pub(crate) use advancing::carry_on;
pub use editing::{Change, create, delete, edit, pause, resume};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, ScheduleId, UserId, WorkspaceId};
use crate::on;
use crate::publications::NewPublication;
use crate::zones::Wall;
use rule::{Stated, Times};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where a schedule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = ScheduleState)]
pub enum State {
    /// Its times become publications.
    Active,
    /// Its times pass without one.
    Paused,
    /// Its rule names no further time.
    Ended,
    /// A person deleted it; it stays for what it has done.
    Deleted,
}

/// What becomes of a time that passed while nothing was running, by more than the grace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Missed {
    /// It is skipped.
    #[default]
    Skip,
    /// It goes out late, unless the next time has come as well: of several that were missed, the last one goes out.
    Publish,
}

/// A schedule to be.
#[derive(Debug, Clone, Serialize)]
pub struct NewSchedule {
    /// Its name for a person.
    pub name: Option<String>,
    /// What to publish each time, without a time of its own.
    pub post: NewPublication,
    /// When.
    pub times: Given,
    /// What becomes of missed times.
    pub missed: Missed,
    /// How late a time may be; an hour where absent.
    pub grace_s: Option<u64>,
    /// The client's name of this wish.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// Times, as a person gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// By RFC 5545.
    pub rule: String,
    /// IANA name.
    pub zone: String,
    /// `DTSTART`.
    pub starts_at: Wall,
    /// Further times.
    pub rdates: Vec<Wall>,
    /// Times, or days, that are left out.
    pub exdates: Vec<String>,
}

impl Given {
    /// Reads what the person gave.
    fn read(&self) -> Result<Times> {
        let Self { rule, zone, starts_at, rdates, exdates } = self;
        Times::read(&Stated { rule, zone, starts_at: *starts_at, rdates, exdates })
    }
}

/// All columns of [`Schedule`].
macro_rules! all_columns {
    () => {
        concat!(
            "id, workspace_id, author_id, name, connection_id, post, rule, zone, starts_at, rdates, exdates, missed, grace_s, ",
            "state, planned_until, request_digest, created_at, updated_at"
        )
    };
}
macro_rules! columns {
    ($tail:literal) => {
        concat!("select ", all_columns!(), " from schedules ", $tail)
    };
}
/// A statement that changes a schedule and gives it as it is then.
macro_rules! returning {
    ($statement:literal) => {
        concat!($statement, " returning ", all_columns!())
    };
}
use {all_columns, returning};

/// A schedule as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    author_id: UserId,
    /// Its name for a person.
    pub name: Option<String>,
    /// Where its posts go.
    pub connection_id: ConnectionId,
    post: String,
    rule: String,
    zone: String,
    starts_at: String,
    rdates: String,
    exdates: String,
    /// What becomes of missed times.
    pub missed: Missed,
    /// How late a time may be, in seconds.
    pub grace_s: i64,
    /// Where it stands.
    pub state: State,
    planned_until: Timestamp,
    request_digest: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl Schedule {
    /// What it publishes each time.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn post(&self) -> anyhow::Result<NewPublication> {
        Ok(serde_json::from_str(&self.post)?)
    }

    /// When, as a person gave it.
    ///
    /// # Errors
    /// What is stored cannot be read.
    pub fn given(&self) -> anyhow::Result<Given> {
        Ok(Given {
            rule: self.rule.clone(),
            zone: self.zone.clone(),
            starts_at: self.starts_at.parse()?,
            rdates: serde_json::from_str(&self.rdates)?,
            exdates: serde_json::from_str(&self.exdates)?,
        })
    }

    pub(crate) fn times(&self) -> Result<Times> {
        self.given()?.read()
    }

    /// Up to when every time has its row.
    pub(crate) fn planned_until(&self) -> Timestamp {
        self.planned_until
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.grace_s).unwrap_or(0))
    }
}

const FIND: &str = columns!("where workspace_id = $1 and id = $2");
const BY_KEY: &str = columns!("where workspace_id = $1 and idempotency_key = $2");
const LIST: &str = columns!("where workspace_id = $1 and id < $2 and state <> 'deleted' order by id desc limit $3");
const RUNNING: &str = columns!("where workspace_id = $1 and state = 'active' order by id");

/// A workspace's schedule, also one that was deleted.
///
/// # Errors
/// It has no such schedule, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: ScheduleId) -> Result<Schedule> {
    let found: Option<Schedule> =
        on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    found.ok_or(Error::NotFound("schedule"))
}

/// A workspace's schedules before one, newest first, without those that were deleted.
///
/// # Errors
/// The database failed.
pub async fn list(
    tx: &mut Tx,
    workspace: WorkspaceId,
    before: Option<ScheduleId>,
    limit: i64,
) -> Result<Vec<Schedule>> {
    let before = before.unwrap_or(ScheduleId(uuid::Uuid::max()));
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(before).bind(limit).fetch_all(conn).await)?)
}

/// A workspace's schedules whose times become publications.
pub(crate) async fn running(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Schedule>> {
    Ok(on!(tx, conn => sqlx::query_as(RUNNING).bind(workspace).fetch_all(conn).await)?)
}

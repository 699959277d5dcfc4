//! Files of posts: many rows taken in as publications, each once however often its file is sent.
//!
//! A row's key, or what it says, is the idempotency key of its publication. So a repeated file, a repeated request and a job that
//! is carried out twice all make one set. [`reading`] makes rows of bytes; a job takes them in.

pub mod reading;
mod working;

pub(crate) use working::carry_on;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ImportId, PublicationId, UserId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::on;
use crate::publications::likeness::{self, Post, Warning};
use crate::publications::{self, NewPublication, OnDuplicate, When};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most characters of a row's key.
const MAX_KEY_CHARS: usize = 150;

/// A row of a file, as far as it can be read.
#[derive(Debug)]
pub struct Row {
    /// The person's name of it; the same key is the same row.
    pub key: Option<String>,
    /// What to publish, or what is wrong with it.
    pub wish: Result<NewPublication, RowProblem>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowProblem {
    /// A stable code for a program.
    pub code: String,
    /// The column at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One sentence for a person.
    pub detail: String,
}

impl RowProblem {
    /// What a refusal says of a row.
    #[must_use]
    pub fn of(error: Error) -> Self {
        let problem = error.into_problem();
        Self { code: problem.code.to_owned(), field: problem.field, detail: problem.detail }
    }
}

/// What a row waits for in the database.
#[derive(Serialize, Deserialize)]
struct Wish {
    post: NewPublication,
    publish_at: Option<When>,
    on_duplicate: OnDuplicate,
}

impl Wish {
    fn into_publication(self, key: String) -> NewPublication {
        let Self { post, publish_at, on_duplicate } = self;
        NewPublication { publish_at, on_duplicate, idempotency_key: Some(key), ..post }
    }
}

/// What would become of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowVerdict {
    /// The row, from 1 on.
    pub number: usize,
    /// Whether it would be taken in, as far as can be known.
    pub ok: bool,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<RowProblem>,
    /// What a person may want to know about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Says what would become of each row. Nothing is written.
///
/// # Errors
/// The database failed.
pub async fn try_out(app: &App, workspace: WorkspaceId, rows: Vec<Row>) -> Result<Vec<RowVerdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let tried = match row.wish {
            Ok(new) => Box::pin(tried(app, workspace, &new)).await,
            Err(problem) => Ok(Err(problem)),
        }?;
        let (problem, warnings) = match tried {
            Ok(warnings) => (None, warnings),
            Err(problem) => (Some(problem), Vec::new()),
        };
        verdicts.push(RowVerdict { number: index + 1, ok: problem.is_none(), problem, warnings });
    }
    Ok(verdicts)
}

async fn tried(app: &App, workspace: WorkspaceId, new: &NewPublication) -> Result<Result<Vec<Warning>, RowProblem>> {
    let vetted = match publications::vet(app, workspace, new).await {
        Ok(vetted) => vetted,
        Err(error @ Error::Internal(_)) => return Err(error),
        Err(error) => return Ok(Err(RowProblem::of(error))),
    };
    let at = match new.publish_at {
        None => app.now(),
        Some(When::At(at)) => at,
        // Which slot that will be, only taking it tells.
        Some(When::NextFreeSlot) => return Ok(Ok(Vec::new())),
    };
    let (connection, target, except) = (vetted.connection.id, vetted.target.as_deref(), PublicationId::new());
    let post = Post { workspace, connection, target, parts: &new.parts, at, except };
    Ok(Ok(likeness::warnings(&mut app.db().read().await?, &post).await?))
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = ImportState)]
pub enum State {
    /// Its rows are being taken in.
    Running,
    /// Each row was taken in or refused.
    Done,
    /// All or nothing was wished for, and it is nothing.
    Failed,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = ImportRowState)]
pub enum RowState {
    /// Its turn has not come.
    Waiting,
    /// It is a publication.
    Taken,
    /// It is none, for the reason that is given.
    Refused,
}

/// A file as it was taken in.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
#[schema(as = PostImport)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    #[serde(skip)]
    workspace_id: WorkspaceId,
    #[serde(skip)]
    author_id: UserId,
    /// Where it stands.
    pub state: State,
    #[serde(skip)]
    all_or_nothing: i64,
    #[serde(skip)]
    request_digest: String,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When its last row was looked at.
    pub finished_at: Option<Timestamp>,
}

/// A row as it is stored.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
#[schema(as = ImportedRow)]
pub struct StoredRow {
    /// The row, from 1 on.
    pub number: i64,
    #[serde(skip)]
    key: String,
    #[serde(skip)]
    wish: Option<String>,
    /// Where it stands.
    pub state: RowState,
    /// The publication that it became.
    pub publication_id: Option<PublicationId>,
    /// Why it was refused, for a program.
    pub code: Option<String>,
    /// The column at fault.
    pub field: Option<String>,
    /// Why it was refused, for a person.
    pub detail: Option<String>,
}

macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select id, workspace_id, author_id, state, all_or_nothing, request_digest, created_at, finished_at from imports ",
            $tail
        )
    };
}

const FIND: &str = columns!("where workspace_id = $1 and id = $2");
const FIND_ANY: &str = columns!("where id = $1");
const BY_KEY: &str = columns!("where workspace_id = $1 and idempotency_key = $2");
const ROWS: &str = "select number, key, wish, state, publication_id, code, field, detail from import_rows
    where workspace_id = $1 and import_id = $2 order by number";

/// A workspace's import, with its rows.
///
/// # Errors
/// It has no such import, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: ImportId) -> Result<(Import, Vec<StoredRow>)> {
    let found: Option<Import> =
        on!(&mut *tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    let import = found.ok_or(Error::NotFound("import"))?;
    let rows = rows(tx, &import).await?;
    Ok((import, rows))
}

async fn rows(tx: &mut Tx, import: &Import) -> Result<Vec<StoredRow>> {
    Ok(on!(tx, conn => sqlx::query_as(ROWS).bind(import.workspace_id).bind(import.id).fetch_all(conn).await)?)
}

/// What is taken in.
#[derive(Debug)]
pub struct NewImport {
    /// At least one.
    pub rows: Vec<Row>,
    /// Whether one bad row refuses all.
    pub all_or_nothing: bool,
    /// The client's name of this wish.
    pub idempotency_key: Option<String>,
}

const INSERT: &str =
    "insert into imports (id, workspace_id, author_id, state, all_or_nothing, idempotency_key, request_digest,
        created_at, updated_at)
    values ($1, $2, $3, 'running', $4, $5, $6, $7, $7)";
const INSERT_ROW: &str =
    "insert into import_rows (import_id, number, workspace_id, key, wish, state, code, field, detail)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Takes a file in; a job then takes its rows in. The same idempotency key with the same rows gives the import that it gave
/// before.
///
/// # Errors
/// The key was used for another file, or the database failed. What is wrong with a row is told of the row.
pub async fn begin(app: &App, workspace: WorkspaceId, author: UserId, new: NewImport) -> Result<ImportId> {
    publications::check_key(new.idempotency_key.as_deref())?;
    let key = new.idempotency_key.as_deref();
    let rows = keyed(new.rows)?;
    let told: Vec<_> = rows.iter().map(|row| (&row.key, &row.wish)).collect();
    let digest = publications::request_digest(&(new.all_or_nothing, told))?;
    if let Some(earlier) = repeated(&mut app.db().read().await?, workspace, key, &digest).await? {
        return Ok(earlier);
    }
    let (id, now) = (ImportId::new(), app.now());
    let written = async {
        let mut tx = app.db().begin().await?;
        on!(&mut tx, conn => sqlx::query(INSERT)
            .bind(id).bind(workspace).bind(author).bind(i64::from(new.all_or_nothing)).bind(key).bind(&digest).bind(now)
            .execute(conn).await.map(drop))?;
        for (number, row) in (1_i64..).zip(&rows) {
            let state = if row.problem.is_some() { RowState::Refused } else { RowState::Waiting };
            let problem = row.problem.as_ref();
            on!(&mut tx, conn => sqlx::query(INSERT_ROW)
                .bind(id).bind(number).bind(workspace).bind(&row.key).bind(&row.wish).bind(state)
                .bind(problem.map(|problem| &problem.code)).bind(problem.and_then(|problem| problem.field.as_ref()))
                .bind(problem.map(|problem| &problem.detail))
                .execute(conn).await.map(drop))?;
        }
        jobs::enqueue(&mut tx, Job::Import(id), now, now).await?;
        tx.commit().await
    };
    match written.await {
        Ok(()) => {
            app.wake_worker();
            Ok(id)
        }
        // Somebody with the same key may have been quicker.
        Err(error) => repeated(&mut app.db().read().await?, workspace, key, &digest).await?.ok_or(error.into()),
    }
}

async fn repeated(tx: &mut Tx, workspace: WorkspaceId, key: Option<&str>, digest: &str) -> Result<Option<ImportId>> {
    let Some(key) = key else { return Ok(None) };
    let earlier: Option<Import> =
        on!(tx, conn => sqlx::query_as(BY_KEY).bind(workspace).bind(key).fetch_optional(conn).await)?;
    match earlier {
        Some(earlier) if earlier.request_digest != digest => Err(Error::Conflict {
            code: "idempotency_key_reused",
            detail: "This Idempotency-Key was used for another file. Use a new key for a new file.".to_owned(),
        }),
        earlier => Ok(earlier.map(|earlier| earlier.id)),
    }
}

/// A row with its key, as it is written down.
struct KeyedRow {
    key: String,
    wish: Option<String>,
    problem: Option<RowProblem>,
}

/// Gives each row its key: the person's, or what it says and how many before it say the same.
fn keyed(rows: Vec<Row>) -> Result<Vec<KeyedRow>> {
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    let keyed = rows.into_iter().map(|row| {
        let post = match row.wish {
            Ok(post) => post,
            Err(problem) => return Ok(KeyedRow { key: String::new(), wish: None, problem: Some(problem) }),
        };
        let wish = Wish { publish_at: post.publish_at, on_duplicate: post.on_duplicate, post };
        let key = match row.key {
            Some(key) if key.chars().count() > MAX_KEY_CHARS => {
                let detail = format!("A key has {MAX_KEY_CHARS} characters at most.");
                let problem = RowProblem::of(Error::invalid("key", detail));
                return Ok(KeyedRow { key: String::new(), wish: None, problem: Some(problem) });
            }
            Some(key) => format!("import/{key}"),
            None => {
                let digest = publications::request_digest(&wish)?;
                let before = said.entry(digest.clone()).and_modify(|count| *count += 1).or_default();
                format!("import/{digest}/{before}")
            }
        };
        let wish = serde_json::to_string(&wish).map_err(anyhow::Error::from)?;
        Ok(KeyedRow { key, wish: Some(wish), problem: None })
    });
    keyed.collect()
}

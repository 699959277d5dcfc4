//! Endpoints: the URLs at which workspaces are told of events, and how they are told.
//!
//! This file owns the endpoints' rows. `delivering` claims what is due, `sending` signs and sends it, `ending` writes what
//! came of it, `replaying` sends anew, `sweeping` forgets. What is told is written by [`events`](crate::events), in the
//! transactions of those who change something.
//!
//! ```text
//! active ──► paused      five days of nothing but failures, or a person's wish: events are kept and wait
//!    │  ▲──────┘         resumed by a person
//!    └──► disabled       the receiver answered 410 Gone: nothing is kept; resumed by a person
//! ```

/// All columns of [`Endpoint`].
macro_rules! all_columns {
    () => {
        "id, workspace_id, url, types, description, state, reason, failures, failing_since, created_at, updated_at"
    };
}
macro_rules! columns {
    ($tail:literal) => {
        concat!("select ", all_columns!(), " from webhook_endpoints ", $tail)
    };
}
/// A statement that changes an endpoint and gives it as it is then.
macro_rules! returning {
    ($statement:literal) => {
        concat!($statement, " returning ", all_columns!())
    };
}

mod deliveries;
mod delivering;
mod ending;
pub(crate) mod paused;
mod queue;
mod replaying;
pub mod secrets;
mod sending;
pub mod sweeping;

pub use deliveries::{Delivery, DeliveryState, deliveries};
pub use delivering::work;
pub use replaying::{What, ping, replay};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::events::EventType;
use crate::id::{EndpointId, UserId, WorkspaceId};
use crate::on;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// Most endpoints of a workspace.
const MAX_ENDPOINTS: i64 = 20;
const MAX_URL_CHARS: usize = 2_000;
const MAX_DESCRIPTION_CHARS: usize = 200;

/// Whether an endpoint is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EndpointState)]
pub enum State {
    /// It is.
    Active,
    /// Nothing is sent until it is resumed; what happens meanwhile waits.
    Paused,
    /// It does not want to be told: nothing is kept for it.
    Disabled,
}

/// A URL at which a workspace is told.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Where events are sent to.
    pub url: String,
    types: String,
    /// The workspace's own words.
    pub description: String,
    state: String,
    /// Why it is not active, for a person.
    pub reason: Option<String>,
    /// Attempts in a row that failed.
    pub failures: i64,
    /// When the first of them did.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person changed it last, or its state did.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// Whether it is told.
    ///
    /// # Errors
    /// The database holds a word that this program does not know.
    pub fn state(&self) -> anyhow::Result<State> {
        Ok(serde_json::from_value(self.state.clone().into())?)
    }

    /// What it wants to be told; nothing stands for everything.
    ///
    /// # Errors
    /// The database holds a word that this program does not know.
    pub fn types(&self) -> anyhow::Result<Vec<EventType>> {
        self.types.split_whitespace().map(str::parse).collect()
    }
}

const FIND: &str = columns!("where workspace_id = $1 and id = $2");
const LIST: &str = columns!("where workspace_id = $1 order by id");

/// A workspace's endpoint.
///
/// # Errors
/// It has no such endpoint, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: EndpointId) -> Result<Endpoint> {
    let found: Option<Endpoint> =
        on!(tx, conn => sqlx::query_as(FIND).bind(workspace).bind(id).fetch_optional(conn).await)?;
    found.ok_or_else(gone)
}

fn gone() -> Error {
    Error::NotFound("webhook")
}

/// A workspace's endpoints, oldest first.
///
/// # Errors
/// The database failed.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Endpoint>> {
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(workspace).fetch_all(conn).await)?)
}

/// Where to be told, and of what.
#[derive(Debug)]
pub struct NewEndpoint {
    /// The URL.
    pub url: String,
    /// What of; nothing stands for everything.
    pub types: BTreeSet<EventType>,
    /// The workspace's own words.
    pub description: String,
}

// Whoever makes an endpoint waits for others who do: they are counted.
const ALONE: &str = "update workspaces set name = name where id = $1";
const COUNT: &str = "select count(*) from webhook_endpoints where workspace_id = $1";
const INSERT: &str = returning!(
    "insert into webhook_endpoints
    (id, workspace_id, url, types, description, state, failures, created_by, created_at, updated_at)
    values ($1, $2, $3, $4, $5, 'active', 0, $6, $7, $7)"
);

/// Makes an endpoint. Its secret is given this once.
///
/// # Errors
/// The URL is none that is called, the workspace has too many endpoints, or the database failed.
pub async fn create(
    app: &App,
    (workspace, user): (WorkspaceId, UserId),
    new: &NewEndpoint,
) -> Result<(Endpoint, SecretString)> {
    let url = callable(app, &new.url).await?;
    check_description(&new.description)?;
    let (now, secret) = (app.now(), secrets::make());
    let mut tx = app.db().begin().await?;
    on!(&mut tx, conn => sqlx::query(ALONE).bind(workspace).execute(conn).await.map(drop))?;
    let count: i64 = on!(&mut tx, conn => sqlx::query_scalar(COUNT).bind(workspace).fetch_one(conn).await)?;
    if count >= MAX_ENDPOINTS {
        let detail = format!("A workspace has at most {MAX_ENDPOINTS} webhooks. Delete one that nobody needs.");
        return Err(Error::Conflict { code: "too_many_webhooks", detail });
    }
    let endpoint: Endpoint = on!(&mut tx, conn => sqlx::query_as(INSERT)
        .bind(EndpointId::new()).bind(workspace).bind(url.as_str()).bind(words(&new.types)).bind(&new.description)
        .bind(user).bind(now).fetch_one(conn).await)?;
    secrets::keep(&mut tx, app.vault(), &endpoint, &secret, now).await?;
    tx.commit().await?;
    Ok((endpoint, secret))
}

/// The URL that a person wrote, where it is one that is called. Its addresses are checked again whenever something is sent.
async fn callable(app: &App, url: &str) -> Result<Url> {
    let refused = |detail: String| Error::invalid("url", detail);
    if url.chars().count() > MAX_URL_CHARS {
        return Err(refused(format!("A URL has at most {MAX_URL_CHARS} characters.")));
    }
    let mut url =
        Url::parse(url).map_err(|_| refused("This is no URL such as https://example.com/orla.".to_owned()))?;
    url.set_fragment(None);
    let fit = app.connectors().services().egress.look_up(&url).await;
    fit.map_err(|unfit| refused(format!("The URL {unfit}.")))?;
    Ok(url)
}

fn check_description(description: &str) -> Result<()> {
    if description.chars().count() > MAX_DESCRIPTION_CHARS || description.contains(char::is_control) {
        let detail = format!("A description is one line of at most {MAX_DESCRIPTION_CHARS} characters.");
        return Err(Error::invalid("description", detail));
    }
    Ok(())
}

fn words(types: &BTreeSet<EventType>) -> String {
    let words: Vec<&str> = types.iter().map(|kind| kind.word()).collect();
    words.join(" ")
}

/// What to change of an endpoint; what is absent stays.
#[derive(Debug)]
pub struct Changed {
    /// The URL.
    pub url: Option<String>,
    /// What it wants to be told; nothing stands for everything.
    pub types: Option<BTreeSet<EventType>>,
    /// The workspace's own words.
    pub description: Option<String>,
}

// At another address, what failed at the last one says nothing.
const CHANGE: &str = returning!(
    "update webhook_endpoints set url = coalesce($1, url), types = coalesce($2, types),
        description = coalesce($3, description), updated_at = $4,
        failures = case when coalesce($1, url) = url then failures else 0 end,
        failing_since = case when coalesce($1, url) = url then failing_since end,
        quiet_until = case when coalesce($1, url) = url then quiet_until end
    where workspace_id = $5 and id = $6"
);

/// Changes an endpoint. What is on its way goes to the new URL.
///
/// # Errors
/// The URL is none that is called, the endpoint is gone, or the database failed.
pub async fn change(app: &App, endpoint: &Endpoint, changed: &Changed) -> Result<Endpoint> {
    let url = match &changed.url {
        Some(url) => Some(callable(app, url).await?.to_string()),
        None => None,
    };
    changed.description.as_deref().map_or(Ok(()), check_description)?;
    let mut tx = app.db().begin_single().await?;
    let after: Option<Endpoint> = on!(&mut tx, conn => sqlx::query_as(CHANGE)
        .bind(url).bind(changed.types.as_ref().map(words)).bind(&changed.description).bind(app.now())
        .bind(endpoint.workspace_id).bind(endpoint.id).fetch_optional(conn).await)?;
    tx.commit().await?;
    after.ok_or_else(gone)
}

const DELETE: &str = "delete from webhook_endpoints where workspace_id = $1 and id = $2";

/// Forgets an endpoint, its secrets and what was on its way to it.
///
/// # Errors
/// It is gone, or the database failed.
pub async fn delete(app: &App, endpoint: &Endpoint) -> Result<()> {
    let mut tx = app.db().begin_single().await?;
    let deleted = on!(&mut tx, conn => sqlx::query(DELETE).bind(endpoint.workspace_id).bind(endpoint.id)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    if deleted == 1 { Ok(()) } else { Err(gone()) }
}

const PAUSE: &str = "update webhook_endpoints set state = 'paused', reason = $1, updated_at = $2
    where workspace_id = $3 and id = $4 and state = 'active'";

/// Sends nothing to an endpoint until it is resumed; what happens meanwhile waits. One that is not active stays as it is.
///
/// # Errors
/// It is gone, or the database failed.
pub async fn pause(app: &App, endpoint: &Endpoint) -> Result<Endpoint> {
    let mut tx = app.db().begin_single().await?;
    on!(&mut tx, conn => sqlx::query(PAUSE)
        .bind("A person paused it.").bind(app.now()).bind(endpoint.workspace_id).bind(endpoint.id)
        .execute(conn).await.map(drop))?;
    tx.commit().await?;
    find(&mut app.db().read().await?, endpoint.workspace_id, endpoint.id).await
}

const RESUME: &str = returning!(
    "update webhook_endpoints set state = 'active', reason = null, failures = 0, failing_since = null, quiet_until = null,
        updated_at = $1 where workspace_id = $2 and id = $3"
);

/// Sends to an endpoint again: at once, all that waits for it, in its order.
///
/// # Errors
/// It is gone, or the database failed.
pub async fn resume(app: &App, endpoint: &Endpoint) -> Result<Endpoint> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    queue::lock(&mut tx, endpoint.id).await?;
    let resumed: Option<Endpoint> = on!(&mut tx, conn => sqlx::query_as(RESUME)
        .bind(now).bind(endpoint.workspace_id).bind(endpoint.id).fetch_optional(conn).await)?;
    queue::hasten(&mut tx, endpoint.id, now).await?;
    tx.commit().await?;
    app.wake_events();
    resumed.ok_or_else(gone)
}

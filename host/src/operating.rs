//! What operators see of connectors, and what needs more than one room to do to them.

pub mod crediting;
pub mod doctor;
mod finding;
pub mod records;
pub mod resuming;
pub mod sweeping;
pub mod till;
pub mod vault;

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::asks::{Ask, Grant};
use crate::connectors::registry::{self, Actor, ConnectorEvent, StoredConnector, StoredRelease};
use crate::error::{Error, Result};
use crate::{generations, publications, videos};
use orla_manifest::Manifest;
use serde::Serialize;
use utoipa::ToSchema;

/// Things done to a connector that are shown at once.
const EVENTS_SHOWN: i64 = 100;

/// A connector as an operator sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConnectorOverview {
    /// Its id.
    pub id: String,
    /// Its name for a person.
    pub name: String,
    /// The network's name in the API.
    pub platform: String,
    /// `enabled` or `disabled`.
    pub state: String,
    /// Whether this node runs it.
    pub serves_here: bool,
    /// Its calls under way on this node.
    pub calls_under_way: i64,
    /// Its calls that wait for a turn on this node.
    pub calls_waiting: usize,
    /// What the operator allows it.
    #[schema(value_type = Vec<Ask>)]
    pub granted: Grant,
    /// Its releases, in the order in which they were installed.
    pub releases: Vec<ReleaseOverview>,
}

/// A release as an operator sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReleaseOverview {
    /// SHA-256 of the component in hex.
    pub digest: String,
    /// Its version.
    pub version: String,
    /// `staged` (never active), `active`, `draining` (calls of it still run on this node), `retained`, or `taken_back` (the
    /// host went back to the one before, since it trapped).
    pub state: &'static str,
    /// Bytes of the component.
    pub size_bytes: i64,
    /// What it asks for beyond what is granted.
    pub asks_more: Vec<Ask>,
    /// Who installed it.
    pub installed_by: String,
    /// When it was installed.
    pub installed_at: Timestamp,
    /// When it last became active.
    pub activated_at: Option<Timestamp>,
}

/// Every connector.
///
/// # Errors
/// The database failed.
pub async fn connectors(app: &App) -> Result<Vec<ConnectorOverview>> {
    let mut tx = app.db().read().await?;
    let stored = registry::connectors(&mut tx).await?;
    let mut releases = registry::releases(&mut tx).await?;
    drop(tx);
    let mut overviews = Vec::with_capacity(stored.len());
    for connector in &stored {
        let its: Vec<StoredRelease> = releases.extract_if(.., |release| release.connector == connector.id).collect();
        overviews.push(overview(app, connector, &its)?);
    }
    Ok(overviews)
}

/// A connector by its id, and the latest things that were done to it, newest first.
///
/// # Errors
/// There is no such connector, or the database failed.
pub async fn connector(app: &App, id: &str) -> Result<(ConnectorOverview, Vec<ConnectorEvent>)> {
    let found = connectors(app).await?.into_iter().find(|connector| connector.id == id);
    let events = registry::events(&mut app.db().read().await?, id, EVENTS_SHOWN).await?;
    Ok((found.ok_or(Error::NotFound("connector"))?, events))
}

fn overview(app: &App, connector: &StoredConnector, releases: &[StoredRelease]) -> Result<ConnectorOverview> {
    let granted = connector.grant()?;
    let newest = releases.iter().rev().find(|release| connector.active.as_ref().is_none_or(|it| *it == release.digest));
    let manifest = newest.and_then(|release| Manifest::parse(&release.manifest).ok());
    let load = app.connectors().load_of(&connector.id);
    let releases = releases.iter().map(|release| ReleaseOverview {
        state: state(app, connector, release),
        asks_more: Manifest::parse(&release.manifest).map(|asked| granted.lacks(&asked)).unwrap_or_default(),
        digest: release.digest.clone(),
        version: release.version.clone(),
        size_bytes: release.size_bytes,
        installed_by: release.installed_by.clone(),
        installed_at: release.installed_at,
        activated_at: release.activated_at,
    });
    Ok(ConnectorOverview {
        releases: releases.collect(),
        name: manifest.as_ref().map_or_else(|| connector.id.clone(), |manifest| manifest.name.clone()),
        platform: manifest.as_ref().map_or_else(String::new, |manifest| manifest.platform().to_owned()),
        id: connector.id.clone(),
        state: connector.state.clone(),
        serves_here: load.is_some(),
        calls_under_way: load.map_or(0, |load| load.under_way),
        calls_waiting: load.map_or(0, |load| load.waiting),
        granted,
    })
}

fn state(app: &App, connector: &StoredConnector, release: &StoredRelease) -> &'static str {
    if connector.active.as_ref() == Some(&release.digest) {
        "active"
    } else if release.distrusted_at.is_some() {
        "taken_back"
    } else if app.connectors().is_draining(&release.digest) {
        "draining"
    } else if release.activated_at.is_some() {
        "retained"
    } else {
        "staged"
    }
}

/// Removes a connector with its releases. Its connections stay, and work again once it is installed anew.
///
/// # Errors
/// There is no such connector, it is not disabled, or something of it is under way.
pub async fn remove(app: &App, id: &str, actor: Actor) -> Result<()> {
    let mut tx = app.db().begin().await?;
    let connector = registry::connector(&mut tx, id).await?.ok_or(Error::NotFound("connector"))?;
    if connector.is_enabled() {
        let detail = format!("`{id}` is enabled. Disable it first, so that nothing new begins.");
        return Err(Error::Conflict { code: "connector_enabled", detail });
    }
    let open = publications::unfinished(&mut tx, id).await?
        + generations::unfinished(&mut tx, id).await?
        + videos::unfinished(&mut tx, id).await?;
    if open > 0 {
        let detail = format!(
            "{open} publications, generations or videos of `{id}` are under way. Remove it when they have ended."
        );
        return Err(Error::Conflict { code: "connector_in_use", detail });
    }
    app.connectors().forget(tx, id, actor).await
}

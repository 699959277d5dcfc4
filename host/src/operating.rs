//! What operators see of connectors, and what needs more than one room to do to them.

pub mod vault;

use crate::app::App;
use crate::clock::Timestamp;
use crate::connecting;
use crate::connectors::asks::{Ask, Grant};
use crate::connectors::registry::{self, Actor, ConnectorEvent, StoredConnector, StoredRelease};
use crate::error::{Error, Result};
use crate::{generations, publications};
use orla_manifest::{Auth, Manifest};
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
    let open = publications::unfinished(&mut tx, id).await? + generations::unfinished(&mut tx, id).await?;
    if open > 0 {
        let detail =
            format!("{open} publications or generations of `{id}` are under way. Remove it when they have ended.");
        return Err(Error::Conflict { code: "connector_in_use", detail });
    }
    app.connectors().forget(tx, id, actor).await
}

/// Something that the doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// The connector.
    pub connector: String,
    /// `fine`, `note`, or `problem`: it does not work until somebody does something.
    pub weight: &'static str,
    /// What there is, and what to do about it.
    pub sentence: String,
}

/// Looks at every connector, or at one.
///
/// # Errors
/// There is no such connector, or the database failed.
pub async fn doctor(app: &App, id: Option<&str>) -> Result<Vec<Finding>> {
    let mut tx = app.db().read().await?;
    let stored = registry::connectors(&mut tx).await?;
    let releases = registry::releases(&mut tx).await?;
    drop(tx);
    let wanted: Vec<&StoredConnector> =
        stored.iter().filter(|connector| id.is_none_or(|id| connector.id == id)).collect();
    if wanted.is_empty() && id.is_some() {
        return Err(Error::NotFound("connector"));
    }
    let mut findings = Vec::new();
    for connector in wanted {
        let before = findings.len();
        let mut add = |weight: &'static str, sentence: String| {
            findings.push(Finding { connector: connector.id.clone(), weight, sentence });
        };
        examine(app, connector, &releases, &mut add)?;
        if findings.len() == before {
            let sentence = format!("{} is in order.", connector.id);
            findings.push(Finding { connector: connector.id.clone(), weight: "fine", sentence });
        }
    }
    Ok(findings)
}

fn examine(
    app: &App,
    connector: &StoredConnector,
    releases: &[StoredRelease],
    add: &mut impl FnMut(&'static str, String),
) -> Result<()> {
    let id = &connector.id;
    let granted = connector.grant()?;
    for release in releases.iter().filter(|release| release.connector == *id) {
        let version = &release.version;
        if release.distrusted_at.is_some() {
            add("note", format!("{id} {version} was taken back because it trapped time and again."));
        }
        let asks_more = Manifest::parse(&release.manifest).map(|asked| granted.lacks(&asked)).unwrap_or_default();
        if release.activated_at.is_none() && !asks_more.is_empty() {
            let asks: Vec<String> = asks_more.iter().map(ToString::to_string).collect();
            add("note", format!("{id} {version} waits for consent, since it asks for more: {}.", asks.join("; ")));
        }
    }
    if !connector.is_enabled() {
        add("note", format!("{id} is disabled: `orla connector enable {id}` lets it serve."));
        return Ok(());
    }
    let active = releases.iter().find(|release| connector.active.as_ref() == Some(&release.digest));
    let Some(active) = active else {
        add(
            "problem",
            format!("{id} has no active release: `orla connector activate {id} <version>` makes one serve."),
        );
        return Ok(());
    };
    if app.connectors().load_of(id).is_none() {
        add("problem", format!("{id} {} cannot be made ready on this node; the log says why.", active.version));
    }
    if let Ok(manifest) = Manifest::parse(&active.manifest) {
        examine_keys(app, &manifest, add);
    }
    Ok(())
}

fn examine_keys(app: &App, manifest: &Manifest, add: &mut impl FnMut(&'static str, String)) {
    let id = &manifest.id;
    let settings = app.config().connector(id);
    let variable = format!("ORLA_CONNECTORS__{}__", id.to_ascii_uppercase());
    match &manifest.auth {
        Auth::Oauth2(_) => {
            if settings.client_id.is_none() {
                add(
                    "problem",
                    format!("{id} has no app at its vendor: set {variable}CLIENT_ID and {variable}CLIENT_SECRET."),
                );
            }
            let uri = connecting::redirect_uri(app, manifest.platform());
            add("note", format!("The redirect URI to register at the vendor of {id} is {uri}"));
        }
        Auth::ApiKey(key) if settings.api_key.is_none() => {
            add("problem", format!("{id} has no key: make one at {} and set {variable}API_KEY.", key.obtained_at));
        }
        Auth::ApiKey(_) | Auth::Fields(_) | Auth::ServiceAccount(_) | Auth::None => {}
    }
}

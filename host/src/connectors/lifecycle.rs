//! A connector's life on this installation: installed (admitted and staged), activated, rolled back, disabled, removed.
//!
//! Each step is one transaction that also records who did it; every node follows within a second, this one at once. Runs
//! under way end on the release that they began with.

use super::Connectors;
use super::asks::{Ask, Grant};
use super::registry::{self, Actor, StoredConnector, StoredRelease};
use super::release::Admitted;
use crate::db::Tx;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a release may be given more than its connector was granted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// It may have all that it asks for.
    Given,
    /// It may have no more than was granted before.
    Withheld,
}

/// What is to become of a release once it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It waits to be activated.
    Stage,
    /// It serves.
    Activate(Consent),
}

/// What came of an installation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Installed {
    /// The connector.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component in hex.
    pub digest: String,
    /// `active` or `staged`.
    pub state: &'static str,
    /// What it asks for beyond what was granted: where there is any, it is staged until an operator consents.
    pub asks_more: Vec<Ask>,
}

/// A release that serves from now on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Activated {
    /// The connector.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component in hex.
    pub digest: String,
}

/// A connector that is changed in a transaction.
struct Change {
    tx: Tx,
    connector: StoredConnector,
    grant: Grant,
}

impl Connectors {
    /// Admits a component, stores it, and activates it if that is wished for and needs no consent. The very first release
    /// of a connector is granted what it asks for: whoever installs it has decided so.
    ///
    /// # Errors
    /// The sentence with which admission refuses it, or the database failed.
    pub async fn install(&self, wasm: &[u8], then: Then, actor: Actor) -> Result<Installed> {
        let admitted = self.admit(wasm).await?;
        let (id, version) = (admitted.asked.id.clone(), admitted.asked.version.to_string());
        let now = self.services.clock.now();
        let stored = StoredRelease {
            digest: admitted.digest.clone(),
            connector: id.clone(),
            version: version.clone(),
            manifest: admitted.described.clone(),
            size_bytes: i64::try_from(wasm.len()).unwrap_or(i64::MAX),
            installed_by: actor.to_string(),
            installed_at: now,
            activated_at: None,
            distrusted_at: None,
        };
        let mut tx = self.services.db.begin().await?;
        registry::make_sure_of(&mut tx, &id, now).await?;
        let mut change = self.change(tx, &id).await?;
        if registry::insert_release(&mut change.tx, &stored, wasm).await? {
            let detail = format!("installed {id} {version}, {} bytes", wasm.len());
            let about = (id.as_str(), Some(admitted.digest.as_str()));
            registry::record(&mut change.tx, about, "install", actor, &detail, now).await?;
        }
        let is_first = change.connector.active.is_none() && change.grant == Grant::default();
        let asks_more = if is_first { Vec::new() } else { change.grant.lacks(&admitted.asked) };
        let may_serve = match then {
            Then::Stage => false,
            Then::Activate(Consent::Given) => true,
            Then::Activate(Consent::Withheld) => asks_more.is_empty(),
        };
        if may_serve {
            change = self.make_active(change, &stored, &admitted, "activate", actor).await?;
        }
        self.end(change).await?;
        let state = if may_serve { "active" } else { "staged" };
        let asks_more = if may_serve { Vec::new() } else { asks_more };
        Ok(Installed { connector: id, version, digest: admitted.digest, state, asks_more })
    }

    /// Holds a component against everything that admission demands.
    pub(super) async fn admit(&self, wasm: &[u8]) -> Result<Admitted> {
        let admitted =
            Box::pin(Admitted::admit(&self.runtime, &self.compiler, wasm)).await.map_err(|error| refused(&error))?;
        let settings = self.services.apps.get(&admitted.asked.id).cloned().unwrap_or_default();
        admitted.check_settings(&settings).map_err(|error| refused(&error))?;
        Ok(admitted)
    }

    /// Makes a release serve.
    ///
    /// # Errors
    /// There is no such release, it asks for more than was granted and consent is withheld, or the database failed.
    pub async fn activate(&self, id: &str, release: &str, consent: Consent, actor: Actor) -> Result<Activated> {
        let (stored, admitted) = self.look_up(id, release).await?;
        let change = self.begin(id).await?;
        let lacks = change.grant.lacks(&admitted.asked);
        if consent == Consent::Withheld && !lacks.is_empty() && change.grant != Grant::default() {
            return Err(wants_consent(&stored, &lacks));
        }
        let change = self.make_active(change, &stored, &admitted, "activate", actor).await?;
        self.end(change).await?;
        Ok(Activated { connector: stored.connector, version: stored.version, digest: stored.digest })
    }

    /// Goes back to the release before the active one.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn rollback(&self, id: &str, actor: Actor) -> Result<Activated> {
        let connector = registry::connector(&mut self.services.db.read().await?, id).await?;
        let previous = connector.ok_or(Error::NotFound("connector"))?.previous.ok_or_else(|| Error::Conflict {
            code: "no_previous_release",
            detail: format!("`{id}` has no release to go back to. Activate one by its version or digest."),
        })?;
        let (stored, admitted) = self.look_up(id, &previous).await?;
        let change = self.begin(id).await?;
        if change.connector.previous.as_ref() != Some(&previous) {
            return Err(changed_meanwhile(id));
        }
        let change = self.make_active(change, &stored, &admitted, "rollback", actor).await?;
        self.end(change).await?;
        Ok(Activated { connector: stored.connector, version: stored.version, digest: stored.digest })
    }

    /// Takes back a release that traps time and again, for the one before it. Nothing happens where it is no longer active
    /// or there is none before it.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn take_back(&self, id: &str, digest: &str, traps: u32) -> Result<()> {
        let mut change = self.begin(id).await?;
        let Some(previous) = change.connector.previous.clone() else { return Ok(()) };
        if change.connector.active.as_deref() != Some(digest) {
            return Ok(());
        }
        let now = self.services.clock.now();
        let stored = find_release(&mut change.tx, id, &previous).await?;
        registry::note_distrusted(&mut change.tx, digest, now).await?;
        let detail = format!("{traps} calls in a row trapped: back to {id} {}", stored.version);
        change.connector.active = Some(previous);
        change.connector.previous = None;
        let about = (id, Some(digest));
        registry::record(&mut change.tx, about, "take_back", Actor::Host, &detail, now).await?;
        tracing::error!(connector = id, digest, "{detail}");
        self.end(change).await
    }

    /// Lets no new run of a connector begin. Those under way end.
    ///
    /// # Errors
    /// There is no such connector, or the database failed.
    pub async fn disable(&self, id: &str, actor: Actor) -> Result<()> {
        self.set_state(id, "disabled", "disable", actor).await
    }

    /// Lets runs of a connector begin again.
    ///
    /// # Errors
    /// As for [`Connectors::disable`].
    pub async fn enable(&self, id: &str, actor: Actor) -> Result<()> {
        self.set_state(id, "enabled", "enable", actor).await
    }

    async fn set_state(&self, id: &str, state: &str, action: &str, actor: Actor) -> Result<()> {
        let mut change = self.begin(id).await?;
        if change.connector.state == state {
            return Ok(());
        }
        change.connector.state = state.to_owned();
        let detail = format!("{id} is {state}");
        registry::record(&mut change.tx, (id, None), action, actor, &detail, self.services.clock.now()).await?;
        self.end(change).await
    }

    /// Sets what a connector is allowed, whatever it asks for.
    ///
    /// # Errors
    /// There is no such connector, its active release cannot do without what is taken, or the database failed.
    pub async fn grant(&self, id: &str, grant: Grant, actor: Actor) -> Result<()> {
        let connector = registry::connector(&mut self.services.db.read().await?, id).await?;
        let active = connector.ok_or(Error::NotFound("connector"))?.active;
        if let Some(active) = &active {
            let (_, admitted) = self.look_up(id, active).await?;
            let refuse = |flaws| Error::invalid("grant", format!("`{id}` cannot serve with that: {flaws}."));
            grant.effective(&admitted.asked).map_err(refuse)?;
        }
        let mut change = self.begin(id).await?;
        if change.connector.active != active {
            return Err(changed_meanwhile(id));
        }
        let granted: Vec<String> = grant.0.iter().map(ToString::to_string).collect();
        change.grant = grant;
        let detail = format!("{id} is granted: {}", granted.join("; "));
        registry::record(&mut change.tx, (id, None), "grant", actor, &detail, self.services.clock.now()).await?;
        self.end(change).await
    }

    /// Forgets a connector and its releases. The caller has made sure that no run of it is under way.
    ///
    /// # Errors
    /// There is no such connector, or the database failed.
    pub(crate) async fn forget(&self, mut tx: Tx, id: &str, actor: Actor) -> Result<()> {
        let now = self.services.clock.now();
        registry::lock(&mut tx, id, now).await?.ok_or(Error::NotFound("connector"))?;
        registry::delete(&mut tx, id).await?;
        registry::record(&mut tx, (id, None), "remove", actor, &format!("removed {id}"), now).await?;
        tx.commit().await?;
        Ok(Box::pin(self.catch_up()).await?)
    }

    async fn begin(&self, id: &str) -> Result<Change> {
        self.change(self.services.db.begin().await?, id).await
    }

    async fn change(&self, mut tx: Tx, id: &str) -> Result<Change> {
        let now = self.services.clock.now();
        let connector = registry::lock(&mut tx, id, now).await?.ok_or(Error::NotFound("connector"))?;
        let grant = connector.grant()?;
        Ok(Change { tx, connector, grant })
    }

    async fn make_active(
        &self,
        mut change: Change,
        release: &StoredRelease,
        admitted: &Admitted,
        action: &str,
        actor: Actor,
    ) -> Result<Change> {
        let now = self.services.clock.now();
        let (id, digest) = (release.connector.as_str(), release.digest.as_str());
        let lacks = change.grant.lacks(&admitted.asked);
        change.grant.widen(&admitted.asked);
        if change.connector.active.as_deref() != Some(digest) {
            change.connector.previous = change.connector.active.replace(digest.to_owned());
        }
        registry::note_activated(&mut change.tx, digest, now).await?;
        let asked: Vec<String> = lacks.iter().map(ToString::to_string).collect();
        let detail = match asked.len() {
            0 => format!("{id} {} serves", release.version),
            _ => format!("{id} {} serves, newly granted {}", release.version, asked.join("; ")),
        };
        registry::record(&mut change.tx, (id, Some(digest)), action, actor, &detail, now).await?;
        Ok(change)
    }

    async fn end(&self, change: Change) -> Result<()> {
        let Change { mut tx, connector, grant } = change;
        registry::update(&mut tx, &connector, &grant, self.services.clock.now()).await?;
        tx.commit().await?;
        Ok(Box::pin(self.catch_up()).await?)
    }

    /// A release of a connector and what it asks for. It may have to be compiled, so no transaction is open.
    async fn look_up(&self, id: &str, wanted: &str) -> Result<(StoredRelease, Admitted)> {
        let mut tx = self.services.db.read().await?;
        let stored = find_release(&mut tx, id, wanted).await?;
        if let Some(admitted) = Admitted::again(&self.runtime, &self.compiler, &stored.digest, &stored.manifest)? {
            return Ok((stored, admitted));
        }
        let wasm = registry::component(&mut tx, &stored.digest).await?.ok_or(Error::NotFound("release"))?;
        drop(tx);
        let admitted = self.admit(&wasm).await?;
        Ok((stored, admitted))
    }
}

/// How a component is refused.
pub(super) fn refused(error: &anyhow::Error) -> Error {
    Error::invalid("component", format!("This is no connector for this host: {error:#}."))
}

fn changed_meanwhile(id: &str) -> Error {
    let detail = format!("Somebody changed `{id}` at the same time. Look at it again, and repeat what you still want.");
    Error::Conflict { code: "changed_meanwhile", detail }
}

/// A release of a connector by its digest, the beginning of it (8 characters or more), or its version.
async fn find_release(tx: &mut Tx, id: &str, wanted: &str) -> Result<StoredRelease> {
    let releases = registry::releases(tx).await?;
    let fits = |release: &StoredRelease| {
        release.version == wanted || (wanted.len() >= 8 && release.digest.starts_with(wanted))
    };
    let mut fitting: Vec<StoredRelease> =
        releases.into_iter().filter(|release| release.connector == id && fits(release)).collect();
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        0 => Err(Error::NotFound("release")),
        _ => Err(Error::Conflict {
            code: "ambiguous_release",
            detail: format!("More than one release of `{id}` is {wanted:.64}. Name it by its digest."),
        }),
    }
}

fn wants_consent(release: &StoredRelease, lacks: &[Ask]) -> Error {
    let lacks: Vec<String> = lacks.iter().map(ToString::to_string).collect();
    Error::Conflict {
        code: "consent_required",
        detail: format!(
            "{} {} asks for more than was granted: {}. Consent to it, or leave it.",
            release.connector,
            release.version,
            lacks.join("; ")
        ),
    }
}

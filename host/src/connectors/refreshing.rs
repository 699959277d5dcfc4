//! Keeping connections alive. Only the host refreshes: one attempt at a time for a connection, on all nodes together; the
//! stored tokens are read again once the attempt is ours; and of all that can go wrong only the vendor's plain word that it no
//! longer honours the connection ends it.

use super::apps;
use super::connections;
use super::credentials::{self, Stored, Way};
use super::egress::NoAnswer;
use super::fault::{Fault, FaultKind};
use super::oauth::{self, Asserting, Client, Refused, ServiceKey};
use super::release::Release;
use super::run::Services;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{ConnectionId, WorkspaceId};
use crate::jobs::{self, Job};
use crate::on;
use orla_manifest::OAuth2;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// How long an attempt of a node keeps the others waiting: longer than a request for tokens may take. They wait as long where
/// that node died.
const LEASE: Duration = Duration::from_secs(20);
/// How often a node looks whether another's attempt is over.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The longest pause between attempts that fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The pause after the vendor refused this host's app: somebody has to set it right first.
const MISCONFIGURED_PAUSE: Duration = Duration::from_secs(10 * 60);
/// How the fault begins that says that the vendor does not accept this host's app.
pub(crate) const APP_REFUSED: &str = "the vendor refuses this host's app";
/// Longest text that is kept of what a vendor said.
const MAX_WORDS: usize = 300;

/// One lock a connection, for as long as somebody holds or awaits it.
#[derive(Debug, Default)]
pub(crate) struct Refreshing(Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<()>>>>);

impl Refreshing {
    fn of(&self, id: ConnectionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|other, lock| *other == id || Arc::strong_count(lock) > 1);
        locks.entry(id).or_default().clone()
    }
}

/// A connection whose tokens are to be renewed.
pub(crate) struct Renewal<'a> {
    pub(crate) services: &'a Services,
    pub(crate) release: &'a Release,
    pub(crate) workspace: WorkspaceId,
    pub(crate) connection: ConnectionId,
    /// The token that no longer serves: any other that is stored is taken for a fresh one.
    pub(crate) stale: Option<&'a SecretString>,
    /// Told of each secret that is about to be sent.
    pub(crate) about_to_send: &'a (dyn Fn(&SecretString) + Sync),
}

impl Renewal<'_> {
    /// A fresh access token: what somebody else has just got, or else what the vendor gives.
    ///
    /// # Errors
    /// Fault `auth-expired` where the vendor no longer honours the connection; `vendor-down`, with the time to come again,
    /// where it could not say.
    pub(crate) async fn token(self) -> Result<SecretString, Fault> {
        // Refused there as well, but here it leaves no pause behind.
        let fenced = |none: NoAnswer| Fault::new(FaultKind::VendorDown, format!("nothing was refreshed: {none}"));
        self.services.egress.check_fence().map_err(fenced)?;
        let lock = self.services.refreshing.of(self.connection);
        let _alone = lock.lock().await;
        let attempt = Uuid::now_v7();
        loop {
            if let Some(current) = self.other_token().await? {
                return Ok(current);
            }
            match begin(self.services, self.connection, attempt).await.map_err(|error| internal(&error))? {
                Turn::Ours => break,
                Turn::Later(until, words) => return Err(self.later(until, &words)),
                Turn::Theirs => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
        // Somebody else's attempt may have ended between our look and our turn.
        if let Some(current) = self.other_token().await? {
            end(self.services, self.connection, attempt).await.map_err(|error| internal(&error.into()))?;
            return Ok(current);
        }
        self.ask(attempt).await
    }

    fn later(&self, until: Timestamp, words: &str) -> Fault {
        let wait = until.since(self.services.clock.now());
        let fault = Fault::new(FaultKind::VendorDown, format!("refreshing failed: {words}"));
        Fault { retry_after_ms: u64::try_from(wait.as_millis()).ok(), ..fault }
    }

    /// The stored token, where it is another than the one that no longer serves.
    async fn other_token(&self) -> Result<Option<SecretString>, Fault> {
        let stored = self.stored().await?;
        let stale = self.stale.map(|secret| secret.expose_secret());
        Ok(stored.access.filter(|current| stale != Some(current.expose_secret())))
    }

    async fn stored(&self) -> Result<Stored, Fault> {
        let read = async {
            let mut tx = self.services.db.read().await?;
            Stored::read(&mut tx, &self.services.vault, self.workspace, self.connection).await
        };
        read.await.map_err(|error| internal(&error))
    }

    async fn ask(&self, attempt: Uuid) -> Result<SecretString, Fault> {
        let stored = self.stored().await?;
        let answer = match stored.way(&self.release.manifest.auth) {
            Way::Oauth2(oauth) => self.refresh(oauth, &stored).await,
            Way::ServiceAccount(account) => match ServiceKey::kept(stored.fields()) {
                Ok(key) => Asserting { services: self.services, release: self.release, account }.token(&key).await,
                Err(refused) => Err(refused),
            },
            Way::Other => return Err(Fault::bug("the connector has no tokens that could be renewed")),
        };
        match answer {
            Ok(tokens) => {
                // A token that could not be stored still serves this request; the next one will try to refresh again.
                let newer = self.store(&stored, &tokens, attempt).await.unwrap_or_else(|error| {
                    let error = format!("{error:#}");
                    tracing::error!(connection = %self.connection, error, "refreshed tokens could not be stored");
                    None
                });
                Ok(newer.unwrap_or(tokens.access))
            }
            Err(refused) => self.refused(&stored, &refused, attempt).await,
        }
    }

    /// New tokens for those that are stored, by the app that minted them.
    async fn refresh(&self, oauth: &OAuth2, stored: &Stored) -> Result<oauth::Tokens, Refused> {
        let app = apps::of_connection(self.services, self.workspace, self.connection).await;
        let app = app.map_err(|error| Refused::Misconfigured(format!("{error:#}")))?;
        stored.refresh.iter().for_each(|secret| (self.about_to_send)(secret));
        let client = Client { services: self.services, release: self.release, oauth, app: &app };
        client.refresh(stored.access.as_ref(), stored.refresh.as_ref()).await
    }

    /// Stores tokens in the place of those that were used to get them. Where others stand there by now, since somebody
    /// connected the account again, those stay; gives them.
    async fn store(
        &self,
        used: &Stored,
        tokens: &oauth::Tokens,
        attempt: Uuid,
    ) -> anyhow::Result<Option<SecretString>> {
        let Self { services, workspace, connection, .. } = self;
        let now = services.clock.now();
        let mut tx = services.db.begin().await?;
        // The connection's row first: whoever connects the account again changes it too, so one of both waits.
        on!(&mut tx, conn => sqlx::query(RENEWED).bind(now).bind(connection).execute(conn).await.map(drop))?;
        let newer = self.newer(&mut tx, used).await?;
        if newer.is_none() {
            credentials::store(&mut tx, &services.vault, *workspace, *connection, tokens, now).await?;
        }
        on!(&mut tx, conn => sqlx::query(END).bind(connection).bind(attempt).execute(conn).await.map(drop))?;
        tx.commit().await?;
        Ok(newer)
    }

    /// The access token that is stored, where it or the refresh token is another than was used.
    async fn newer(&self, tx: &mut Tx, used: &Stored) -> anyhow::Result<Option<SecretString>> {
        let stored = Stored::read(tx, &self.services.vault, self.workspace, self.connection).await?;
        let same = |one: &Option<SecretString>, other: &Option<SecretString>| {
            one.as_ref().map(|secret| secret.expose_secret()) == other.as_ref().map(|secret| secret.expose_secret())
        };
        let is_same = same(&stored.access, &used.access) && same(&stored.refresh, &used.refresh);
        Ok(if is_same { None } else { stored.access })
    }

    /// Writes down why there is no token, and says it. Where another is stored by now, that one is it.
    async fn refused(&self, used: &Stored, refused: &Refused, attempt: Uuid) -> Result<SecretString, Fault> {
        let id = self.connection;
        let words: String = refused.words().chars().take(MAX_WORDS).collect();
        let written = match refused {
            Refused::Revoked(_) => match self.revoke(used, &words, attempt).await {
                Ok(Some(newer)) => return Ok(newer),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            },
            Refused::Transient { retry_after, .. } => self.pause(*retry_after, &words, attempt).await.map(Some),
            Refused::Misconfigured(_) => {
                let connector = &self.release.manifest.id;
                tracing::error!(connection = %id, connector, "the vendor refuses this host's app or key: {words}");
                self.pause(Some(MISCONFIGURED_PAUSE), &words, attempt).await.map(Some)
            }
        };
        let pause = written.unwrap_or_else(|error| {
            tracing::error!(connection = %id, error = format!("{error:#}"), "what became of a refresh could not be written");
            None
        });
        let fault = match refused {
            Refused::Revoked(_) => {
                Fault::new(FaultKind::AuthExpired, format!("the connection is no longer valid: {words}"))
            }
            Refused::Transient { .. } => Fault::new(FaultKind::VendorDown, format!("refreshing failed: {words}")),
            Refused::Misconfigured(_) => Fault::new(FaultKind::VendorDown, format!("{APP_REFUSED}: {words}")),
        };
        // Who came again sooner would only hear that it is too soon.
        let retry_after_ms = pause.and_then(|pause| u64::try_from(pause.as_millis()).ok());
        Err(Fault { retry_after_ms, ..fault })
    }

    /// Notes that the vendor no longer honours the connection, and has its workspace told, once; unless the tokens are others
    /// by now than those that it refused, which it gives then.
    async fn revoke(&self, used: &Stored, words: &str, attempt: Uuid) -> anyhow::Result<Option<SecretString>> {
        let id = self.connection;
        let now = self.services.clock.now();
        let mut tx: Tx = self.services.db.begin().await?;
        on!(&mut tx, conn => sqlx::query(END).bind(id).bind(attempt).execute(conn).await.map(drop))?;
        let newer = self.newer(&mut tx, used).await?;
        if newer.is_none() && connections::mark_revoked(&mut tx, id, words, now).await? {
            jobs::enqueue(&mut tx, Job::TellRevoked(id), now, now).await?;
        }
        tx.commit().await?;
        Ok(newer)
    }

    /// Notes until when nobody is to try again; gives how long that is.
    async fn pause(&self, at_least: Option<Duration>, words: &str, attempt: Uuid) -> anyhow::Result<Duration> {
        let Self { services, connection, .. } = self;
        let mut tx = services.db.begin().await?;
        let failures: i64 = on!(&mut tx, conn => sqlx::query_scalar(FAILED)
            .bind(words).bind(connection).fetch_optional(conn).await)?
        .unwrap_or(1);
        let doublings = u32::try_from(failures.clamp(1, 20) - 1).unwrap_or(20);
        let pause = services.retry_base.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        let pause = pause.max(at_least.unwrap_or_default());
        let until = services.clock.now().after(pause);
        on!(&mut tx, conn => sqlx::query(PAUSE).bind(until).bind(connection).execute(conn).await.map(drop))?;
        on!(&mut tx, conn => sqlx::query(END).bind(connection).bind(attempt).execute(conn).await.map(drop))?;
        tx.commit().await?;
        Ok(pause)
    }
}

/// Whose turn it is to refresh a connection.
enum Turn {
    Ours,
    Theirs,
    /// Nobody's before then, since it failed; and what was said.
    Later(Timestamp, String),
}

const STATE: &str = "select refresh_after, refresh_words from connections where id = $1";
const BEGIN: &str = "update connections set refreshing_until = $1, refreshing_by = $2
    where id = $3 and (refreshing_until is null or refreshing_until <= $4)";
const END: &str =
    "update connections set refreshing_until = null, refreshing_by = null where id = $1 and refreshing_by = $2";
const RENEWED: &str = "update connections set refreshed_at = $1, refresh_after = null, refresh_failures = 0,
    refresh_words = null, ends_at = null, ends_words = null where id = $2";
const FAILED: &str = "update connections set refresh_failures = refresh_failures + 1, refresh_words = $1
    where id = $2 returning refresh_failures";
const PAUSE: &str = "update connections set refresh_after = $1 where id = $2";

async fn begin(services: &Services, id: ConnectionId, attempt: Uuid) -> anyhow::Result<Turn> {
    let now = services.clock.now();
    let mut tx = services.db.begin().await?;
    let state: Option<(Option<Timestamp>, Option<String>)> =
        on!(&mut tx, conn => sqlx::query_as(STATE).bind(id).fetch_optional(conn).await)?;
    let (refresh_after, words) = state.ok_or_else(|| anyhow::anyhow!("the connection {id} is gone"))?;
    if let Some(until) = refresh_after.filter(|until| *until > now) {
        return Ok(Turn::Later(until, words.unwrap_or_default()));
    }
    let ours = on!(&mut tx, conn => sqlx::query(BEGIN)
        .bind(now.after(LEASE)).bind(attempt).bind(id).bind(now)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(if ours == 1 { Turn::Ours } else { Turn::Theirs })
}

async fn end(services: &Services, id: ConnectionId, attempt: Uuid) -> sqlx::Result<()> {
    let mut tx = services.db.begin_single().await?;
    on!(&mut tx, conn => sqlx::query(END).bind(id).bind(attempt).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub(super) fn internal(error: &anyhow::Error) -> Fault {
    tracing::error!(error = format!("{error:#}"), "credentials could not be read");
    unreadable()
}

pub(super) fn unreadable() -> Fault {
    Fault::new(FaultKind::Cancelled, "the host could not read the connection's credentials")
}

//! How often vendors let themselves be asked, as they say it: buckets, which an answer empties and time fills again. While
//! one is empty nothing leaves that would empty it further, since vendors lengthen a block that is not kept.
//!
//! They live in the process. Another node, or this one after a start, is told by the vendor anew.

use super::buckets::{Account, Buckets, Counted};
use super::said::Said;
use crate::clock::Timestamp;
use crate::connectors::apps;
use crate::connectors::credentials::Credentials;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::request::Outbound;
use crate::connectors::run::Run;
use crate::id::AppId;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest that a request waits for its bucket. What waits longer fails, and its job comes back in time.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What to do with a request that finds its bucket empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// It may wait a moment.
    None,
    /// It leaves now or not at all: it stands in the journal, and has to leave soon after.
    Now,
}

/// The buckets that are empty, by the ids of the connectors whose vendors count.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<String, Buckets>>);

impl Quotas {
    /// Lets a request pass, at once or after a short wait.
    ///
    /// # Errors
    /// Fault `rate-limited`, with the time that the vendor asked for: nothing was sent.
    pub(crate) async fn admit(&self, run: &Run, outbound: &Outbound) -> Result<(), Fault> {
        let now = run.services.clock.now();
        let Some(until) = self.full_again(run, outbound, now).await else { return Ok(()) };
        let wait = until.since(now);
        if outbound.haste == Haste::None && wait <= LONGEST_WAIT {
            tokio::time::sleep(wait).await;
            return Ok(());
        }
        let message = format!("the vendor asked to be left alone for {} more seconds", wait.as_secs().max(1));
        let retry_after_ms = u64::try_from(wait.as_micros().div_ceil(1_000)).ok();
        Err(Fault { retry_after_ms, ..Fault::new(FaultKind::RateLimited, message) })
    }

    /// Remembers what an answer says.
    pub(crate) async fn learn(&self, run: &Run, outbound: &Outbound, status: StatusCode, headers: &HeaderMap) {
        let now = run.services.clock.now();
        let said = Said::by(status, headers, now);
        if said == Said::default() {
            return;
        }
        let app = Box::pin(app(run)).await;
        let mut all = self.locked();
        let buckets = all.entry(run.release.manifest.id.clone()).or_default();
        buckets.learn(counted(run, outbound), app, &said, now);
    }

    /// Forgets all that was said.
    pub(crate) fn forget(&self) {
        self.locked().clear();
    }

    /// When the last of the empty buckets that a request takes from is full again.
    async fn full_again(&self, run: &Run, outbound: &Outbound, now: Timestamp) -> Option<Timestamp> {
        let connector = &run.release.manifest.id;
        let until = {
            let all = self.locked();
            let buckets = all.get(connector)?;
            let until = buckets.full_again(counted(run, outbound), now);
            // Nearly always: then nobody need find out by which app this is.
            if !buckets.is_any_app_empty(now) {
                return until;
            }
            until
        };
        let Some(app) = Box::pin(app(run)).await else { return until };
        let all = self.locked();
        until.max(all.get(connector).and_then(|buckets| buckets.app_full_again(app, now)))
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Buckets>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom the vendor counts, but for the app.
fn counted(run: &Run, outbound: &Outbound) -> Counted {
    let account = match &run.credentials {
        Credentials::Connection(id, _) | Credentials::Entered { connection: Some(id), .. } => {
            Some(Account::Connection(*id))
        }
        Credentials::Operator => Some(Account::Operator),
        Credentials::Minted { .. } | Credentials::Entered { connection: None, .. } => None,
    };
    let destination = &outbound.destination;
    let mut place = DefaultHasher::new();
    (&destination.endpoint, &outbound.method, &destination.path).hash(&mut place);
    Counted { account, place: place.finish() }
}

/// The app at the vendor that a run acts by.
async fn app(run: &Run) -> Option<AppId> {
    run.release.manifest.auth.oauth2()?;
    match &run.credentials {
        // A connection whose app is not known is counted by itself, as one without an app is.
        Credentials::Connection(id, _) => {
            apps::id_of_connection(&run.services, run.workspace, *id).await.ok().flatten()
        }
        Credentials::Minted { app, .. } => *app,
        Credentials::Entered { .. } | Credentials::Operator => None,
    }
}

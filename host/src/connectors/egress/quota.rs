//! How often vendors let themselves be asked, as they say it: a bucket for each of their apps, which an answer empties and
//! time fills again. While one is empty nothing leaves that would empty it further, since vendors lengthen a block that is
//! not kept.
//!
//! It lives in the process. Another node, or this one after a start, is told by the vendor anew.

use super::said::Said;
use crate::clock::Timestamp;
use crate::connectors::apps;
use crate::connectors::credentials::Credentials;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::request::Outbound;
use crate::connectors::run::Run;
use crate::id::{AppId, ConnectionId};
use orla_manifest::Auth;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest that a request waits for its bucket. What waits longer fails, and its job comes back in time.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Empty buckets that are remembered.
const MAX_EMPTY: usize = 10_000;

/// What to do with a request that finds its bucket empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// It may wait a moment.
    None,
    /// It leaves now or not at all: it stands in the journal, and has to leave soon after.
    Now,
}

/// Whom a vendor counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    /// An app that mints tokens.
    App(AppId),
    /// The operator's own key.
    Operator,
    /// A connection: of an app, or without one.
    Account(ConnectionId),
}

/// A bucket: a connector's vendor counts someone, everywhere or at one place, of which a hash is kept.
type Bucket = (String, Counted, Option<u64>);

/// The buckets that are empty, and until when.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<Bucket, Timestamp>>);

impl Quotas {
    /// Lets a request pass, at once or after a short wait.
    ///
    /// # Errors
    /// Fault `rate-limited`, with the time that the vendor asked for: nothing was sent.
    pub(crate) async fn admit(&self, run: &Run, outbound: &Outbound) -> Result<(), Fault> {
        let now = run.services.clock.now();
        // Nearly always: then nobody needs to know whom the vendor counts.
        if !self.is_any_empty(&run.release.manifest.id, now) {
            return Ok(());
        }
        let Some(until) = self.full_again(&Box::pin(buckets(run, outbound)).await, now) else { return Ok(()) };
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
        let waits = [said.app, said.account, said.place];
        for (bucket, wait) in Box::pin(buckets(run, outbound)).await.into_iter().zip(waits) {
            if let (Some(bucket), Some(wait)) = (bucket, wait) {
                self.empty(bucket, now.after(wait), now);
            }
        }
    }

    /// Forgets all that was said.
    pub(crate) fn forget(&self) {
        self.locked().clear();
    }

    fn is_any_empty(&self, connector: &str, now: Timestamp) -> bool {
        self.locked().iter().any(|((of, ..), until)| of == connector && *until > now)
    }

    /// When the last of these buckets that are empty is full again.
    fn full_again(&self, buckets: &[Option<Bucket>], now: Timestamp) -> Option<Timestamp> {
        let empty = self.locked();
        buckets.iter().flatten().filter_map(|bucket| empty.get(bucket).copied()).filter(|until| *until > now).max()
    }

    fn empty(&self, bucket: Bucket, until: Timestamp, now: Timestamp) {
        let mut empty = self.locked();
        empty.retain(|_, until| *until > now);
        if empty.len() < MAX_EMPTY || empty.contains_key(&bucket) {
            let known = empty.entry(bucket).or_insert(until);
            *known = until.max(*known);
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Bucket, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The buckets that a request takes from: the app's, the account's, and the account's at this place.
async fn buckets(run: &Run, outbound: &Outbound) -> [Option<Bucket>; 3] {
    let connector = &run.release.manifest.id;
    let account = match &run.credentials {
        Credentials::Connection(id, _) | Credentials::Entered { connection: Some(id), .. } => {
            Some(Counted::Account(*id))
        }
        Credentials::Operator => Some(Counted::Operator),
        // Nobody's yet: what a vendor says of it is over when it is somebody's.
        Credentials::Minted { .. } | Credentials::Entered { connection: None, .. } => None,
    };
    let app = app(run).await.map(Counted::App).or_else(|| account.clone());
    let destination = &outbound.destination;
    let mut place = DefaultHasher::new();
    (&destination.endpoint, &outbound.method, &destination.path).hash(&mut place);
    let bucket = |counted: Option<Counted>, place| counted.map(|counted| (connector.clone(), counted, place));
    [bucket(app, None), bucket(account.clone(), None), bucket(account, Some(place.finish()))]
}

/// The app at the vendor that a run acts by.
async fn app(run: &Run) -> Option<AppId> {
    let Auth::Oauth2(_) = run.release.manifest.auth else { return None };
    // A connection whose app is not known is counted by itself.
    match &run.credentials {
        Credentials::Connection(id, _) => {
            apps::of_connection(&run.services, run.workspace, *id).await.ok().map(|app| app.id)
        }
        Credentials::Minted { .. } => {
            let app = apps::for_new(&run.services, run.workspace, &run.release.manifest.id).await;
            app.ok().flatten().map(|app| app.id)
        }
        Credentials::Entered { .. } | Credentials::Operator => None,
    }
}

//! The pieces of work that connectors do, in the host's own words. The contract's types end here.

use super::Connectors;
use super::answer::Secrets;
use super::billing::Billing;
use super::bindings::connector::orla::connector::types as wit;
use super::bindings::identifies::exports::orla::connector::identity as wit_identity;
use super::bindings::publishes::exports::orla::connector::publish as wit_publish;
use super::bindings::reconciles::exports::orla::connector::reconcile as wit_reconcile;
use super::blob::Received;
use super::connections::Connection;
use super::credentials::Credentials;
use super::entered;
use super::fault::{Fault, plain};
use super::journal::{Committed, Journal};
use super::meter::{Meter, Traffic};
use super::public_url::Pulled;
use super::release::Release;
use super::run::{Pinned, Run};
use super::runtime::Called;
use super::sink::Sink;
use super::slots::Slots;
use super::targets::Target;
use super::variant::{Fact, Variant, Violation, beyond, hand_over, not_taken, taken};
use crate::clock::Timestamp;
use crate::id::{RunId, WorkspaceId};
use orla_manifest::Auth;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest pause that a connector may ask for.
const MAX_PENDING: Duration = Duration::from_secs(60 * 60);
const MAX_VIOLATIONS: usize = 100;
/// Longest field and message of a violation, and longest name of an account.
const MAX_FIELD_CHARS: usize = 100;
const MAX_MESSAGE_CHARS: usize = 1_000;
const MAX_NAME_CHARS: usize = 200;
/// Most targets of an account.
const MAX_TARGETS: usize = 1_000;
/// Longest id that a vendor gives.
pub(crate) const MAX_ID_BYTES: usize = 1_000;

/// Whom a run acts for.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) vendor_id: String,
    pub(crate) handle: String,
    /// What to post to, where the account has several.
    pub(crate) target: Option<String>,
}

/// An account as the vendor describes it.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) vendor_id: String,
    pub(crate) handle: String,
    pub(crate) name: Option<String>,
    /// Where it may post, where that is more than the account itself.
    pub(crate) targets: Vec<Target>,
}

/// What became of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PartOutcome {
    /// It is live.
    Done {
        /// The journal's key of the commit that made it.
        key: String,
        /// What the vendor calls it.
        #[serde(flatten)]
        committed: Committed,
    },
    /// It is not.
    Missing {
        /// Why.
        fault: Fault,
    },
}

/// An end, or a pause.
#[derive(Debug)]
pub(crate) enum Progress {
    /// One outcome a part, and one more for the first comment, where the variant has one.
    Published(Vec<PartOutcome>),
    Pending(Duration),
}

/// What the vendor shows of a lost commit.
#[derive(Debug)]
pub(crate) enum Verdict {
    Done(Committed),
    Absent,
    Unknown,
}

/// A commit whose answer was lost.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) key: String,
    pub(crate) sent_at: Timestamp,
    pub(crate) earlier: Vec<(String, Committed)>,
}

impl Connectors {
    /// Makes ready one execution of a run.
    pub(crate) fn execution(
        &self,
        pinned: Pinned,
        release: Arc<Release>,
        credentials: Credentials,
        journal: Option<Journal>,
    ) -> Run {
        let secrets = Secrets::default();
        if let (Auth::Fields(fields), Ok(entered)) = (&release.manifest.auth, credentials.entered()) {
            entered.secrets(fields).iter().for_each(|secret| secrets.add(secret));
        }
        Run {
            id: pinned.id,
            workspace: pinned.workspace,
            limits: release.manifest.limits.clone(),
            release,
            seed: pinned.seed,
            started_at: pinned.started_at,
            credentials,
            journal,
            traffic: Traffic::default(),
            billing: Billing::default(),
            sink: Sink::default(),
            stop: CancellationToken::new(),
            secrets,
            slots: Slots::default(),
            received: Received::default(),
            pulled: Pulled::default(),
            dropped: Default::default(),
            under_way: TaskTracker::new(),
            services: self.services.clone(),
        }
    }

    /// Asks a release once more for its manifest, as JSON.
    pub(crate) async fn describe(&self, release: &Release) -> Result<String, Fault> {
        self.runtime.describe(&release.linked).await
    }

    /// Asks the vendor whose credentials these are, and gives along what its answers put into slots.
    pub(crate) async fn whoami(
        &self,
        release: &Arc<Release>,
        workspace: WorkspaceId,
        credentials: Credentials,
    ) -> Result<(Profile, BTreeMap<String, SecretString>), Fault> {
        let now = self.services.clock.now();
        let pinned = Pinned { id: RunId::new(), workspace, seed: now.0, started_at: now };
        let run = Arc::new(self.execution(pinned, release.clone(), credentials, None));
        let profile = self.identify(&run).await?;
        Ok((profile, run.slots.all()))
    }

    /// Asks the vendor whose credentials a run has.
    pub(crate) async fn identify(&self, run: &Arc<Run>) -> Result<Profile, Fault> {
        let Some(indices) = &run.release.identity else {
            return Err(Fault::bug("the connector cannot say who an account is"));
        };
        let account = wit::Account { vendor_id: String::new(), handle: String::new(), target: None };
        let called: Called<wit_identity::Profile> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let answer = world.orla_connector_identity().call_whoami(store, &account).await?;
                Ok(answer.map_err(Fault::from))
            })
            .await;
        let profile = called.result?;
        let is_plain = |text: &str| text.len() <= 200 && !text.contains(char::is_control);
        if profile.vendor_id.is_empty() || !is_plain(&profile.vendor_id) || !is_plain(&profile.handle) {
            return Err(Fault::bug("the connector names no usable account"));
        }
        let name = profile.name.map(|name| plain(&name, MAX_NAME_CHARS));
        let targets = profile.targets.into_iter().map(Target::from).take(MAX_TARGETS).collect();
        Ok(Profile { vendor_id: profile.vendor_id, handle: profile.handle, name, targets })
    }

    /// Tells all that is wrong with a variant, by the manifest and by the connector, who knows these facts of the account. No
    /// request is possible.
    pub(crate) async fn check(
        &self,
        release: &Arc<Release>,
        workspace: WorkspaceId,
        variant: &Variant,
        facts: &[Fact],
    ) -> Result<Vec<Violation>, Fault> {
        let Some(indices) = &release.publish else { return Err(Fault::bug("the connector does not publish")) };
        let mut all = not_taken(release, &variant.more);
        let variant = if all.is_empty() { variant.clone() } else { taken(release, variant) };
        let facts: Vec<wit::Fact> =
            facts.iter().map(|fact| wit::Fact { name: fact.name.clone(), value: fact.value.clone() }).collect();
        let now = self.services.clock.now();
        let pinned = Pinned { id: RunId::new(), workspace, seed: now.0, started_at: now };
        let mut run = self.execution(pinned, release.clone(), Credentials::Operator, None);
        // `check` promises to send nothing, and is held to it.
        run.limits.requests = 0;
        let called: Called<Vec<wit_publish::Violation>> = self
            .runtime
            .run(Arc::new(run), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let variant = hand_over(store, &variant)?;
                world.orla_connector_publish().call_check(store, &variant, &facts).await.map(Ok)
            })
            .await;
        let violations = called.result?.into_iter().take(MAX_VIOLATIONS).map(|violation| Violation {
            field: plain(&violation.field, MAX_FIELD_CHARS),
            message: plain(&violation.message, MAX_MESSAGE_CHARS),
        });
        all.extend(violations);
        let media: Vec<usize> = variant.parts.iter().map(|part| part.media.len()).collect();
        // The connector says it better, where it says it.
        let beyond = beyond(release, &media).into_iter();
        let unsaid: Vec<Violation> =
            beyond.filter(|more| all.iter().all(|violation| violation.field != more.field)).collect();
        all.extend(unsaid);
        Ok(all)
    }

    /// Publishes a variant, or goes on with it.
    pub(crate) async fn publish(&self, run: &Arc<Run>, account: &Account, variant: &Variant) -> Called<Progress> {
        let Some(indices) = &run.release.publish else {
            return Called { result: Err(Fault::bug("the connector does not publish")), meter: Meter::default() };
        };
        let account = account.to_wit();
        let called = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let variant = hand_over(store, variant)?;
                let answer = world.orla_connector_publish().call_publish(store, &account, &variant).await?;
                Ok(answer.map_err(Fault::from))
            })
            .await;
        run.settle().await;
        let result = called.result.and_then(|progress| match progress {
            wit_publish::Progress::Pending(ms) => Ok(Progress::Pending(Duration::from_millis(ms).min(MAX_PENDING))),
            wit_publish::Progress::Published(receipt) => verify(run, variant, receipt).map(Progress::Published),
        });
        Called { result, meter: called.meter }
    }

    /// Looks for the trace of a lost commit.
    pub(crate) async fn reconcile(
        &self,
        run: &Arc<Run>,
        account: &Account,
        variant: &Variant,
        attempt: &Attempt,
    ) -> Result<Verdict, Fault> {
        let Some(indices) = &run.release.reconcile else { return Ok(Verdict::Unknown) };
        let account = account.to_wit();
        let attempt = wit_reconcile::Attempt {
            key: attempt.key.clone(),
            sent_at_ms: attempt.sent_at.millis(),
            earlier: attempt.earlier.iter().map(|(key, made)| (key.clone(), made.clone().into())).collect(),
        };
        let called: Called<wit_reconcile::Verdict> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let variant = hand_over(store, variant)?;
                let answer =
                    world.orla_connector_reconcile().call_reconcile(store, &account, &variant, &attempt).await?;
                Ok(answer.map_err(Fault::from))
            })
            .await;
        Verdict::checked(called.result?)
    }
}

impl Account {
    /// Whom a connection is for, in the vendor's own words.
    pub(crate) fn of(connection: &Connection, target: Option<String>, release: &Release) -> Self {
        let vendor_id = match &release.manifest.auth {
            Auth::Fields(fields) if fields.address().is_some() => entered::without_instance(&connection.vendor_id),
            Auth::Fields(_) | Auth::None | Auth::Oauth2(_) | Auth::ApiKey(_) | Auth::ServiceAccount(_) => {
                &connection.vendor_id
            }
        };
        Self { vendor_id: vendor_id.to_owned(), handle: connection.handle.clone(), target }
    }

    pub(super) fn to_wit(&self) -> wit::Account {
        wit::Account { vendor_id: self.vendor_id.clone(), handle: self.handle.clone(), target: self.target.clone() }
    }
}

/// Holds a receipt against the journal: a part is done only if a commit of this run made it, and the vendor's answer to
/// that commit names it.
fn verify(run: &Run, variant: &Variant, receipt: wit_publish::Receipt) -> Result<Vec<PartOutcome>, Fault> {
    let effects = run.journal.as_ref().map(Journal::effects).unwrap_or_default();
    let places = run.release.committed_id();
    if receipt.parts.len() != variant.parts.len() {
        return Err(Fault::bug("the receipt does not have one outcome a part"));
    }
    if receipt.first_comment.is_some() != variant.more.first_comment.is_some() {
        return Err(Fault::bug(
            "the receipt does not say what became of the first comment, or of one that nobody wanted",
        ));
    }
    let mut claimed = std::collections::HashSet::new();
    let mut outcomes = Vec::with_capacity(receipt.parts.len() + 1);
    for outcome in receipt.parts.into_iter().chain(receipt.first_comment) {
        outcomes.push(match outcome {
            wit_publish::PartOutcome::Missing(fault) => PartOutcome::Missing { fault: fault.into() },
            wit_publish::PartOutcome::Done(wit_publish::Confirmed { key, committed }) => {
                let effect = effects.iter().find(|effect| effect.is_commit() && effect.key == key);
                let made = effect.and_then(|effect| effect.committed(places));
                let confirmed = made.is_some_and(|made| made.id == committed.id);
                if !confirmed || !claimed.insert(key.clone()) {
                    return Err(Fault::bug(format!(
                        "the receipt claims `{:.100}`, which no commit of this run made",
                        committed.id
                    )));
                }
                PartOutcome::Done { key, committed: committed.into() }
            }
        });
    }
    match outcomes.first() {
        Some(PartOutcome::Done { .. }) => Ok(outcomes),
        _ => Err(Fault::bug("the receipt claims success without a first part")),
    }
}

impl From<wit::Committed> for Committed {
    fn from(committed: wit::Committed) -> Self {
        // A URL is shown to people: only a web address is one.
        let url = committed.url.filter(|url| url.len() <= 2_000 && url.starts_with("https://"));
        Self { id: committed.id, url }
    }
}

impl From<Committed> for wit::Committed {
    fn from(committed: Committed) -> Self {
        Self { id: committed.id, url: committed.url }
    }
}

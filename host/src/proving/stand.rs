//! What cases are played on: a host of its own with a temporary folder and database, a clock that stands until it is
//! moved, and the one connector, whose endpoints are servers of ours.

mod looks;
mod media;

use super::case::{self, Call, Case};
use super::ends::End;
use super::keys::{self, Keys, Renewal};
use super::plot::Script;
use super::proof;
use super::vendor::{self, Vendor};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, ConnectorConfig};
use crate::connectors::blob::Blob;
use crate::connectors::connections::{self, Connection, NewConnection};
use crate::connectors::credentials::{self, Credentials, Stored, Way};
use crate::connectors::drive::Look;
use crate::connectors::entered::{self, Entered};
use crate::connectors::fault::Fault;
use crate::connectors::filming::Filmed;
use crate::connectors::journal::{self, Effect, Journal};
use crate::connectors::oauth::Tokens;
use crate::connectors::release::Release;
use crate::connectors::run::{self, Pinned, Run};
use crate::connectors::variant::Variant;
use crate::connectors::work::Account;
use crate::connectors::{Actor, Connectors, Consent, Memories, Setup, Then, apps};
use crate::id::{ConnectionId, RunId, UserId, WorkspaceId};
use crate::identity::{self, Role};
use anyhow::Context as _;
use orla_manifest::Manifest;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use url::Url;

/// How long a vendor may be silent. The host's own minute would be waited for.
const SILENCE_MS: u64 = 500;
/// Largest medium of a case.
const MAX_MEDIUM_BYTES: u64 = 1 << 30;
/// The operator's key, with which requests are signed that are for no account.
const OPERATOR_KEY: &str = "proving-operator-key";
/// Seeds the guests' randomness: each execution sees the same.
const SEED: i64 = 7;

/// A host to play cases on.
#[derive(Debug)]
pub(super) struct Stand {
    app: App,
    moment: Arc<AtomicI64>,
    pub(super) vendor: Vendor,
    pub(super) release: Arc<Release>,
    user: UserId,
    /// Links of the case that is played which its connector was not given.
    dropped: Mutex<Vec<String>>,
    _folder: TempDir,
}

/// What a case calls, made ready.
#[derive(Debug)]
pub(super) struct Work<'case> {
    pub(super) case: &'case Case,
    pinned: Pinned,
    connection: ConnectionId,
    /// What a person entered for the account, where it is connected so.
    entered: Option<Entered>,
    account: Account,
    variant: Variant,
    /// What a video begins with.
    image: Option<Arc<Blob>>,
}

/// An account that was connected.
struct Connected {
    connection: Connection,
    entered: Option<Entered>,
    keys: Keys,
}

/// How an execution ended.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) end: End,
    /// The journal as it left it.
    pub(super) effects: Vec<Effect>,
    /// How it left the journal's path, if it did.
    pub(super) strayed: Option<Fault>,
}

impl Stand {
    /// Opens a host with one connector and an operator's settings for it.
    ///
    /// # Errors
    /// A folder, a port or the database cannot be had, or the connector is not admitted with these settings.
    pub(super) async fn open(
        program: PathBuf,
        component: &Path,
        manifest: &Manifest,
        settings: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let wasm = tokio::fs::read(component).await.with_context(|| format!("cannot read {}", component.display()))?;
        let moment = Arc::new(AtomicI64::new(0));
        let clock = Clock::Manual(moment.clone());
        let vendor = Vendor::start(manifest, &clock).await?;
        let connector = ConnectorConfig {
            client_id: Some("proving".to_owned()),
            client_secret: Some(proof::APP_SECRET.into()),
            api_key: Some(OPERATOR_KEY.into()),
            settings: settings.clone(),
            endpoints: vendor.origins(),
            visible_after_ms: None,
        };
        let config = Config {
            data: folder.path().join("data"),
            egress_allow: vendor.allowed(),
            connectors: [(manifest.id.clone(), connector)].into(),
            concurrent_calls: 4,
            max_media_bytes: MAX_MEDIUM_BYTES,
            vendor_silence_ms: SILENCE_MS,
            ..Config::default()
        };
        let app = Box::pin(App::open(config, clock, Setup { program, memories: Memories::Pooled })).await?;
        app.connectors().services().public_urls.name_by_content(vendor::MEDIA);
        Box::pin(app.connectors().install(&wasm, Then::Activate(Consent::Given), Actor::Command)).await?;
        let release = app.connectors().active(&manifest.id).context("the connector is not admitted")?;
        let password = "Proving-1".to_owned().into();
        let user = identity::create_verified(&app, "proving@example.com", &password, Role::User).await?;
        Ok(Self { app, moment, vendor, release, user, dropped: Mutex::default(), _folder: folder })
    }

    pub(super) fn connectors(&self) -> &Connectors {
        self.app.connectors()
    }

    pub(super) fn workspace(&self) -> WorkspaceId {
        self.user.into()
    }

    /// The vendor's links that the connector was not given since this was asked before, each with the reason.
    pub(super) fn take_dropped(&self) -> Vec<String> {
        std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A case tells what the vendor says now; what it said before would keep the host from asking.
    fn enter(&self, run: &Arc<Run>) {
        self.connectors().services().egress.quotas.forget();
        self.vendor.scene(|scene| scene.enter(Some(run.clone())));
    }

    fn note_dropped(&self, run: &Run) {
        let mut known = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        for sentence in run.dropped.all() {
            if !known.contains(&sentence) {
                known.push(sentence);
            }
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&self, while_: Duration) {
        let later = self.app.now().after(while_);
        self.moment.store(later.0, Ordering::SeqCst);
    }

    /// Makes a case ready to be executed, as a new run with new tokens, before a vendor with this script.
    ///
    /// # Errors
    /// The database or the blob store failed.
    pub(super) async fn begin<'case>(&self, case: &'case Case, script: Script) -> anyhow::Result<Work<'case>> {
        self.moment.store(case.now.0, Ordering::SeqCst);
        let id = RunId::new();
        let pinned = Pinned { id, workspace: self.workspace(), seed: SEED, started_at: case.now };
        let mut connected = self.connect(case, id).await?;
        let mut tx = self.app.db().begin().await?;
        run::pin(&mut tx, &pinned, &self.release.manifest.id, &self.release.digest).await?;
        tx.commit().await?;
        self.vendor.scene(|scene| {
            scene.begin(script);
            let renewal = Renewal::of(way(&self.release.manifest, &case.account));
            scene.set_keys(std::mem::take(&mut connected.keys), renewal);
        });
        let account = Account::of(&connected.connection, case.account.target.clone(), &self.release);
        let (variant, image) = (self.variant(case).await?, self.image(case).await?);
        let Connected { connection, entered, .. } = connected;
        Ok(Work { case, pinned, connection: connection.id, entered, account, variant, image })
    }

    /// Connects the account of a case as a person would have, with secrets that are made up for a run.
    async fn connect(&self, case: &Case, run: RunId) -> anyhow::Result<Connected> {
        let manifest = &self.release.manifest;
        let fields = keys::fields(manifest);
        let address = self.vendor.entered();
        let entered = fields.map(|fields| keys::fill_in(manifest, fields, &case.fields, &address, run)).transpose()?;
        let access = SecretString::from(format!("proving-access-{run}"));
        let refresh = SecretString::from(format!("proving-refresh-{run}"));
        let mut keys = match (&case.call, fields, &entered) {
            (Call::Complete(_), ..) => Keys::minted(OPERATOR_KEY.into(), refresh.clone()),
            (_, Some(fields), Some(entered)) => Keys::entered(entered, fields),
            _ => Keys::minted(access.clone(), refresh.clone()),
        };
        let slot = |slot: &String| (slot.clone(), SecretString::from(format!("proving-slot-{slot}-{run}")));
        keys.slots = case.account.slots.iter().map(slot).collect();
        let vendor_id = match Url::parse(&address) {
            Ok(address) => entered::at_instance(&case.account.vendor_id, &address),
            Err(_) => case.account.vendor_id.clone(),
        };
        let way = way(manifest, &case.account);
        let app = match way {
            Way::Oauth2(_) => apps::for_new(self.connectors().services(), self.workspace(), &manifest.id).await?,
            Way::ServiceAccount(_) | Way::Other => None,
        };
        let new = NewConnection {
            id: ConnectionId::new(),
            workspace: self.workspace(),
            user: self.user,
            connector: &manifest.id,
            platform: manifest.platform(),
            vendor_id: &vendor_id,
            handle: &case.account.handle,
            display_name: None,
            scopes: "",
            missing_scopes: "",
            app: app.map(|app| app.id),
        };
        let mut tx = self.app.db().begin().await?;
        let id = connections::upsert(&mut tx, &new, case.now).await?;
        let (vault, workspace) = (self.app.vault(), self.workspace());
        match &entered {
            Some(entered) => credentials::store_entered(&mut tx, vault, workspace, id, entered, case.now).await?,
            None => {
                let mut tokens = Tokens { access, refresh: Some(refresh), expires_at: None, scopes: None };
                if let Way::ServiceAccount(_) = way {
                    let key = keys::service_account(&vendor_id)?.entered();
                    credentials::store_entered(&mut tx, vault, workspace, id, &key, case.now).await?;
                    tokens.refresh = None;
                }
                credentials::store(&mut tx, vault, workspace, id, &tokens, case.now).await?;
            }
        }
        credentials::store_slots(&mut tx, vault, workspace, id, &keys.slots, case.now).await?;
        tx.commit().await?;
        let connection = connections::find(&mut self.app.db().read().await?, workspace, id).await?;
        Ok(Connected { connection, entered, keys })
    }

    /// Executes a call from the top, as a worker does.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn execute(&self, work: &Work<'_>) -> anyhow::Result<Executed> {
        let run = Arc::new(self.run(work).await?);
        self.enter(&run);
        let end = Box::pin(self.call(work, &run)).await;
        run.settle().await;
        self.vendor.scene(|scene| scene.enter(None));
        self.note_dropped(&run);
        let journal = run.journal.as_ref();
        let (effects, strayed) = (journal.map(Journal::effects), journal.and_then(Journal::strayed));
        Ok(Executed { end, effects: effects.unwrap_or_default(), strayed })
    }

    /// One execution of the run.
    async fn run(&self, work: &Work<'_>) -> anyhow::Result<Run> {
        let services = self.connectors().services();
        let credentials = self.credentials(work).await?;
        let effects = journal::effects(&mut self.app.db().read().await?, work.pinned.id).await?;
        let journal = match &work.case.call {
            Call::Reconcile(_) | Call::FindReply(_) => Some(Journal::looking(services, work.pinned.id, effects)),
            call => call.is_run().then(|| Journal::replaying(&services.db, &services.clock, work.pinned.id, effects)),
        };
        Ok(self.connectors().execution(work.pinned, self.release.clone(), credentials, journal))
    }

    /// Whose credentials a call has.
    async fn credentials(&self, work: &Work<'_>) -> anyhow::Result<Credentials> {
        Ok(match (&work.case.call, &work.entered) {
            (Call::Complete(_), _) => Credentials::Operator,
            (Call::Whoami, Some(entered)) => Credentials::Entered { connection: None, entered: Some(entered.clone()) },
            (Call::Whoami, None) => {
                let token = self.vendor.scene(|scene| scene.keys().access.clone());
                Credentials::Minted { token, app: None, app_secret: Some(proof::APP_SECRET.into()) }
            }
            (
                Call::Check(_)
                | Call::Publish(_)
                | Call::Reconcile(_)
                | Call::List(_)
                | Call::Comments(_)
                | Call::Reply(_)
                | Call::FindReply(_)
                | Call::CheckVideo(_)
                | Call::GenerateVideo(_),
                _,
            ) => {
                let mut tx = self.app.db().read().await?;
                let stored = Stored::read(&mut tx, self.app.vault(), self.workspace(), work.connection).await?;
                Credentials::of(work.connection, &self.release.manifest.auth, Some(stored))
            }
        })
    }

    async fn call(&self, work: &Work<'_>, run: &Arc<Run>) -> End {
        let connectors = self.connectors();
        let (account, variant, release) = (&work.account, &work.variant, &self.release);
        let end = match &work.case.call {
            Call::Whoami => connectors.identify(run).await.map(End::Profile),
            Call::Check(_) => connectors.check(release, self.workspace(), variant, &[]).await.map(End::Violations),
            Call::Publish(_) => connectors.publish(run, account, variant).await.result.map(End::from),
            Call::Reply(answer) => connectors.reply(run, account, answer.said()).await.result.map(End::from),
            Call::FindReply(lost) => {
                let attempt = lost.lost(work.case.now);
                connectors.find_reply(run, account, lost.said(), &attempt).await.map(End::Verdict)
            }
            Call::Comments(ask) => {
                let listed = connectors.comments(run, account, &ask.post, ask.cursor.as_deref()).await;
                listed.map(|page| End::Comments(page.into()))
            }
            Call::List(ask) => {
                let folder = Look::Folder(ask.folder.as_deref());
                let listed = connectors.look(run, account, folder, ask.cursor.as_deref()).await;
                listed.map(|page| End::Entries(page.into()))
            }
            Call::Reconcile(look) => {
                connectors.reconcile(run, account, variant, &look.attempt(work.case.now)).await.map(End::Verdict)
            }
            Call::CheckVideo(ask) => {
                let (image, workspace) = (work.image.as_ref(), self.workspace());
                let filmed = Filmed { wish: &ask.wish, image, settings: &release.settings };
                connectors.check_video(release, workspace, filmed).await.map(End::Violations)
            }
            Call::GenerateVideo(ask) => {
                let filmed = Filmed { wish: &ask.wish, image: work.image.as_ref(), settings: &release.settings };
                connectors.film(run, account, filmed).await.result.map(End::from)
            }
            Call::Complete(ask) => {
                connectors.complete(run, &ask.prompt(), ask.delivery()).await.result.map(End::Completion)
            }
        };
        end.unwrap_or_else(End::Fault)
    }

    /// Closes the host.
    pub(super) async fn close(self) {
        self.app.stop().await;
    }
}

/// How the account of a case was connected.
fn way<'manifest>(manifest: &'manifest Manifest, account: &case::Account) -> Way<'manifest> {
    match (manifest.auth.oauth2(), manifest.auth.service_account()) {
        (Some(oauth), _) if !account.service_account => Way::Oauth2(oauth),
        (_, Some(account)) => Way::ServiceAccount(account),
        (_, None) => Way::Other,
    }
}

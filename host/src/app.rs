//! What every part of a running host shares.

use crate::backup;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::connectors::{Connectors, Setup};
use crate::db::Db;
use crate::fence::Fence;
use crate::identity::passwords::Passwords;
use crate::identity::sessions::Sessions;
use crate::identity::tokens::Tokens;
use crate::mail::Mailer;
use crate::publications::{Conversions, Sources};
use crate::vault::Vault;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a stopping host waits for what is under way.
const DRAIN: Duration = Duration::from_secs(30);

/// A running host, cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    config: Config,
    clock: Clock,
    db: Db,
    jobs_db: Db,
    claims_db: Db,
    fence: Fence,
    vault: Arc<Vault>,
    tokens: Tokens,
    passwords: Passwords,
    sessions: Sessions,
    mailer: Mailer,
    connectors: Connectors,
    sources: Sources,
    conversions: Conversions,
    new_work: Notify,
    news: Notify,
    new_events: Notify,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl App {
    /// Opens everything that a host needs, and loads its connectors. Nothing runs yet.
    ///
    /// # Errors
    /// A sentence that names what cannot be opened.
    pub async fn open(config: Config, clock: Clock, setup: Setup) -> anyhow::Result<Self> {
        create_private_folder(&config.data)?;
        Box::pin(backup::check_restored(&config)).await?;
        let db = Db::open(&config.database()).await?;
        let fence = Fence::read(&db).await?;
        let vault = Arc::new(Vault::open(&config.master_key(), &db, clock.now()).await?);
        let tokens = Tokens::new(&vault.derive("orla/v1/jwt"));
        let mailer = Mailer::new(&config)?;
        let jobs_db = db.apart();
        let connectors = Box::pin(Connectors::open(setup, &config, &jobs_db, &fence, &clock, &vault)).await?;
        Ok(Self(Arc::new(Parts {
            config,
            clock,
            db,
            claims_db: jobs_db.alone(),
            jobs_db,
            fence,
            vault,
            tokens,
            passwords: Passwords::new(),
            sessions: Sessions::default(),
            mailer,
            connectors,
            sources: Sources::default(),
            conversions: Conversions::default(),
            new_work: Notify::new(),
            news: Notify::new(),
            new_events: Notify::new(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })))
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The same database for jobs in hand, above all publications, and for all that connectors need of it, such as the journals of
    /// runs: by a pool of its own, since what was taken in shall not wait behind a crowd that wants to be.
    #[must_use]
    pub fn jobs_db(&self) -> &Db {
        &self.0.jobs_db
    }

    /// The same database for the worker's claims, one after the other: by a connection whose plans the worker looks after.
    pub(crate) fn claims_db(&self) -> &Db {
        &self.0.claims_db
    }

    /// What keeps a restored installation from sending.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.0.fence
    }

    /// The vault.
    #[must_use]
    pub fn vault(&self) -> &Arc<Vault> {
        &self.0.vault
    }

    /// Makes and checks the tokens of sessions.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Hashes and checks passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// The sessions that were seen alive of late.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Sends mail.
    #[must_use]
    pub fn mailer(&self) -> &Mailer {
        &self.0.mailer
    }

    /// The loaded connectors and what runs them.
    #[must_use]
    pub fn connectors(&self) -> &Connectors {
        &self.0.connectors
    }

    /// The media that are being fetched.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// The pictures that are being converted.
    #[must_use]
    pub fn conversions(&self) -> &Conversions {
        &self.0.conversions
    }

    /// Wakes the worker after a transaction that enqueued work, and those of other nodes.
    pub fn wake_worker(&self) {
        self.0.new_work.notify_one();
        self.0.news.notify_one();
    }

    /// Wakes the worker for work that another node enqueued.
    pub(crate) fn hear_of_work(&self) {
        self.0.new_work.notify_one();
    }

    /// Ends when other nodes are to be told of new work.
    pub(crate) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// Ends when there may be new work.
    pub async fn new_work(&self) {
        self.0.new_work.notified().await;
    }

    /// Wakes whoever sends events, after a transaction that let some be sent.
    pub(crate) fn wake_events(&self) {
        self.0.new_events.notify_one();
    }

    /// Ends when there may be events to send.
    pub(crate) async fn new_events(&self) {
        self.0.new_events.notified().await;
    }

    /// Ends when the host is told to stop.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    /// Tasks that a stopping host waits for.
    #[must_use]
    pub fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Stops: no new work is begun, what is under way ends, then the database closes.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        let drained = async {
            self.0.tasks.wait().await;
            self.0.connectors.settle().await;
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("work was still under way after {} s: it goes on after the next start", DRAIN.as_secs());
        }
        self.0.claims_db.close().await;
        self.0.jobs_db.close().await;
        self.0.db.close().await;
    }
}

/// Makes a folder that only its owner can look into.
///
/// # Errors
/// It cannot be made.
pub fn create_private_folder(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| anyhow::anyhow!("cannot make the data folder {}: {error}", folder.display()))
}

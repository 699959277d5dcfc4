//! A running host: in this process, over HTTP, with its own data folder, database and simulator.

use super::built::{self, program};
use super::{Backend, Person, Settings, Sim};
use orla::app::App;
use orla::clock::Clock;
use orla::config::{Config, ConnectorConfig};
use orla::connectors::{self, Memories, Setup};
use orla::id::WorkspaceId;
use orla::ledger::{self, Grant, GrantOrigin};
use orla::{http, jobs, on, prices, webhooks};
use orla_vendors::openai;
use secrecy::SecretString;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// A running host and the network that it speaks to.
pub(crate) struct Host {
    pub(crate) app: App,
    pub(crate) url: String,
    pub(crate) sim: Sim,
    pub(crate) openai: openai::Sim,
    pub(crate) data: TempDir,
}

/// A further node.
pub(crate) struct Node {
    pub(crate) app: App,
    pub(crate) url: String,
    _data: TempDir,
}

/// Serves in this process, on a port of its own.
async fn serve(mut config: Config, memories: Memories, clock: Clock, sim: &Sim) -> (App, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    config.public_url = Some(url.parse().unwrap());
    let app = App::open(config, clock, Setup { program: program(), memories }).await.unwrap();
    for platform in ["twitter", "probe"] {
        sim.register_redirect_uri(format!("{url}/social/oauth/{platform}/callback"));
    }
    connectors::watch(&app).await;
    app.tasks().spawn(jobs::work(app.clone()));
    jobs::follow(&app);
    app.tasks().spawn(webhooks::work(app.clone()));
    let (served, stopping) = (app.clone(), app.clone());
    tokio::spawn(async move {
        http::serve(listener, served, async move { stopping.stopping().cancelled().await }).await.unwrap();
    });
    (app, url)
}

/// The network as it is, but for its limits a quarter of an hour: tests do more in less.
pub(crate) fn settings() -> Settings {
    let routes = [
        "POST /2/tweets",
        "GET /2/users/{id}/tweets",
        "GET /2/users/me",
        "GET /2/media/upload",
        "POST /2/media/upload/initialize",
        "POST /2/media/upload/{id}/append",
        "POST /2/media/upload/{id}/finalize",
    ];
    Settings { rate_limits: routes.map(|route| (route.to_owned(), 1_000_000)).into(), ..Settings::default() }
}

/// A data folder in which the connectors are compiled already, to copy from.
static WARM: OnceLock<TempDir> = OnceLock::new();

impl Host {
    /// A host on a database, as an operator would start it.
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::start_with(backend, settings(), |_| Memories::Pooled).await
    }

    /// A host with the simulator's and its own settings changed.
    pub(crate) async fn start_with(
        backend: Backend,
        settings: Settings,
        change: impl FnOnce(&mut Config) -> Memories,
    ) -> Self {
        // All of a host's beginning is more than a test's future should carry.
        Box::pin(Self::open(backend, settings, Clock::System, change)).await
    }

    /// A host whose clock stands until the test moves it.
    pub(crate) async fn start_at(backend: Backend, clock: Clock, change: impl FnOnce(&mut Config) -> Memories) -> Self {
        Box::pin(Self::open(backend, settings(), clock, change)).await
    }

    /// A host by a clock of its own, at a network that takes the same text again and again: there is no saying when it is.
    pub(crate) async fn start_by(backend: Backend, clock: Clock) -> Self {
        let settings = Settings { duplicate_window_s: 0, ..settings() };
        Box::pin(Self::open(backend, settings, clock, |_| Memories::Pooled)).await
    }

    async fn open(
        backend: Backend,
        settings: Settings,
        clock: Clock,
        change: impl FnOnce(&mut Config) -> Memories,
    ) -> Self {
        let sim = Sim::start(settings).await;
        let openai = openai::Sim::start(openai::Settings::default()).await;
        let data = warm_data().await;
        let database = backend.fresh(data.path()).await;
        let mut config = config(data.path(), &database, [&sim.origin(), &openai.origin()]);
        let memories = change(&mut config);
        let (app, url) = Box::pin(serve(config, memories, clock, &sim)).await;
        Self { app, url, sim, openai, data }
    }

    /// The same host, stopped and started again.
    pub(crate) async fn again(self) -> Self {
        let config = self.app.config().clone();
        self.again_with(config).await
    }

    /// The same host, stopped and started again with other settings.
    pub(crate) async fn again_with(self, config: Config) -> Self {
        self.app.stop().await;
        let clock = self.app.clock().clone();
        let (app, url) = Box::pin(serve(config, Memories::Pooled, clock, &self.sim)).await;
        Self { app, url, ..self }
    }

    /// Another node of the same installation: the same database and master key, a data folder of its own.
    pub(crate) async fn another_node(&self) -> Node {
        let data = TempDir::new().unwrap();
        std::fs::copy(self.data.path().join("master.key"), data.path().join("master.key")).unwrap();
        // Whichever node sends a mail, it is found in one folder.
        std::fs::create_dir_all(self.data.path().join("mail")).unwrap();
        std::os::unix::fs::symlink(self.data.path().join("mail"), data.path().join("mail")).unwrap();
        let config = Config { data: data.path().to_owned(), ..self.app.config().clone() };
        let (app, url) = Box::pin(serve(config, Memories::Pooled, self.app.clock().clone(), &self.sim)).await;
        Node { app, url, _data: data }
    }

    /// A registered, verified person who is logged in.
    pub(crate) async fn person(&self, name: &str) -> Person {
        Person::sign_up(&self.url, self.data.path(), name).await
    }

    /// A person who has connected the simulator's first account.
    pub(crate) async fn connected(&self, name: &str, platform: &str) -> Person {
        let person = self.person(name).await;
        person.connect(&self.sim, platform, "orla_demo").await;
        person
    }

    /// Gives a person credits.
    pub(crate) async fn grant(&self, workspace: WorkspaceId, credits: i64) {
        let mut tx = self.app.db().begin().await.unwrap();
        let (origin, description) = (GrantOrigin::Promotional, "for a test");
        let grant = Grant { origin, credits, key: "test", expires_at: None, description };
        ledger::grant(&mut tx, workspace, &grant, self.app.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What every test leaves behind: a ledger that adds up, no credits reserved and, after a while, no job.
    pub(crate) async fn check_books(&self) {
        const OPEN: &str = "select count(*) from credit_holds where state = 'open'";
        const JOBS: &str = "select count(*) from jobs";
        let mut tx = self.app.db().read().await.unwrap();
        let broken = ledger::audit(&mut tx).await.unwrap();
        assert!(broken.is_empty(), "the ledger does not add up: {broken:?}");
        let open: i64 = on!(&mut tx, conn => sqlx::query_scalar(OPEN).fetch_one(conn).await).unwrap();
        assert_eq!(open, 0, "credits are still reserved");
        let mut jobs: i64 = 1;
        for _ in 0..200 {
            jobs = on!(&mut tx, conn => sqlx::query_scalar(JOBS).fetch_one(conn).await).unwrap();
            if jobs == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(jobs, 0, "jobs are left");
    }
}

/// Sets the price of publishing.
pub(crate) async fn price(app: &App, credits: i64) {
    let mut tx = app.db().begin().await.unwrap();
    prices::set(&mut tx, "publish", credits, app.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// The settings of the connectors' app at the simulator.
pub(crate) fn demo_app(origin: &str) -> ConnectorConfig {
    ConnectorConfig {
        client_id: Some("orla-demo".to_owned()),
        client_secret: Some(SecretString::from("orla-demo-secret")),
        endpoints: ["api", "web"].map(|name| (name.to_owned(), origin.to_owned())).into(),
        visible_after_ms: Some(300),
        ..ConnectorConfig::default()
    }
}

/// The operator's key at the simulated OpenAI.
fn openai_key(origin: &str) -> ConnectorConfig {
    ConnectorConfig {
        api_key: Some(SecretString::from(openai::Settings::default().api_key)),
        endpoints: [("api".to_owned(), origin.to_owned())].into(),
        ..ConnectorConfig::default()
    }
}

fn config(data: &Path, database: &str, [sim, openai]: [&str; 2]) -> Config {
    let apps = ["x", "probe"].map(|id| (id.to_owned(), demo_app(sim)));
    Config {
        data: data.to_owned(),
        database_url: Some(database.to_owned()),
        connectors_folder: built::connectors().to_owned(),
        egress_allow: vec![sim.trim_start_matches("http://").to_owned()],
        connectors: apps.into_iter().chain([("openai".to_owned(), openai_key(openai))]).collect(),
        job_lease_ms: 2_000,
        retry_base_ms: 100,
        concurrent_calls: 32,
        ..Config::default()
    }
}

/// A data folder with a master key and the connectors' machine code in it, and nothing else.
pub(crate) async fn warm_data() -> TempDir {
    let warm = match WARM.get() {
        Some(warm) => warm,
        None => {
            let folder = TempDir::new().unwrap();
            let connectors = tokio::task::spawn_blocking(built::connectors).await.unwrap();
            let config = Config {
                data: folder.path().to_owned(),
                connectors_folder: connectors.to_owned(),
                ..Config::default()
            };
            let app = App::open(config, Clock::System, Setup { program: program(), memories: Memories::Pooled })
                .await
                .unwrap();
            connectors::watch(&app).await;
            tokio::time::timeout(Duration::from_secs(60), app.stop()).await.unwrap();
            WARM.get_or_init(|| folder)
        }
    };
    let data = TempDir::new().unwrap();
    for name in ["master.key", "artefacts"] {
        let copied =
            std::process::Command::new("cp").arg("-a").arg(warm.path().join(name)).arg(data.path()).status().unwrap();
        assert!(copied.success());
    }
    data
}

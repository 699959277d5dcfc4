//! Processes under measure: the product's program, and this one in a part of its own. What they use is read from
//! outside, so that neither the clients nor the simulator count.

use crate::harness::{Backend, Host, Person, Settings, client, program};
use orla::app::App;
use orla::clock::Clock;
use orla::config::Config;
use orla::connectors::{Memories, Setup};
use orla::db::Db;
use orla::identity;
use orla::identity::passwords::Password;
use orla_vendors::x::Account;
use sqlx::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const LONGEST_START: Duration = Duration::from_secs(60);

/// A process that ends when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.kill_on_drop(true).spawn().unwrap())
    }

    fn file(&self, name: &str) -> String {
        let id = self.0.id().expect("the process was not waited for");
        std::fs::read_to_string(format!("/proc/{id}/{name}")).expect("the process is alive")
    }

    /// The processor time of the threads that it has, in the kernel and outside of it, as the scheduler measured it. (What
    /// `/proc/<pid>/stat` says is a sample, a hundred times a second: of threads that run for a fraction of that and are woken in
    /// step with the clock, it says too much or too little, by a third here.)
    pub(crate) fn cpu(&self) -> Duration {
        let id = self.0.id().expect("the process was not waited for");
        let threads = std::fs::read_dir(format!("/proc/{id}/task")).expect("the process is alive");
        let ran = threads.map(|thread| {
            let said = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap_or_default();
            said.split(' ').next().and_then(|ns| ns.parse().ok()).map_or(Duration::ZERO, Duration::from_nanos)
        });
        ran.sum()
    }

    /// A line of `/proc/<pid>/status` in MiB, such as `VmRSS`.
    pub(crate) fn memory_mib(&self, name: &str) -> f64 {
        let status = self.file("status");
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("a line of memory");
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Lets the peak of its memory (`VmHWM`) begin anew at what it holds now (proc(5), `clear_refs`).
    pub(crate) fn forget_peak(&self) {
        let id = self.0.id().expect("the process was not waited for");
        std::fs::write(format!("/proc/{id}/clear_refs"), "5").expect("the process is alive");
    }

    /// How many files, sockets and the like it has open.
    pub(crate) fn open_files(&self) -> usize {
        let id = self.0.id().expect("the process was not waited for");
        std::fs::read_dir(format!("/proc/{id}/fd")).expect("the process is alive").count()
    }

    /// Whether it lives.
    pub(crate) fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Kills it and waits for its end.
    pub(crate) async fn end(mut self) {
        self.0.kill().await.unwrap();
    }
}

/// Where a host runs, and what it runs on.
pub(crate) struct Place {
    pub(crate) port: u16,
    pub(crate) data: PathBuf,
    pub(crate) database: String,
    pub(crate) connectors: PathBuf,
    /// Of the simulator.
    pub(crate) origin: String,
}

impl Place {
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A program with the environment of a host here; everything that is not named stands as the product has it.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DATABASE_URL", &self.database)
            .env("ORLA_DATA", &self.data)
            .env("ORLA_CONNECTORS_FOLDER", &self.connectors)
            .env("ORLA_EGRESS_ALLOW", self.origin.trim_start_matches("http://"))
            .env("ORLA_CONNECTORS__X__CLIENT_ID", "orla-demo")
            .env("ORLA_CONNECTORS__X__CLIENT_SECRET", "orla-demo-secret")
            .env("ORLA_CONNECTORS__X__ENDPOINTS__API", &self.origin)
            .env("ORLA_CONNECTORS__X__ENDPOINTS__WEB", &self.origin)
            .current_dir(&self.data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// What the product's program would open here, in this process.
    pub(crate) async fn open(&self) -> App {
        let config = Config {
            data: self.data.clone(),
            database_url: Some(self.database.clone()),
            connectors_folder: self.connectors.clone(),
            ..Config::default()
        };
        App::open(config, Clock::System, Setup { program: program(), memories: Memories::Pooled }).await.unwrap()
    }

    /// The database as it is, to read from. Its schema is left to the program under measure, whose build may be newer than
    /// this one's.
    pub(crate) async fn look(&self) -> Db {
        if self.database.starts_with("sqlite:") {
            let options: SqliteConnectOptions = self.database.parse().unwrap();
            let readers = SqlitePoolOptions::new().connect_with(options.read_only(true)).await.unwrap();
            Db::Sqlite { writer: readers.clone(), readers }
        } else {
            Db::Postgres(PgPool::connect(&self.database).await.unwrap())
        }
    }

    /// The product's program, to serve here.
    pub(crate) fn serve_command(&self) -> Command {
        let mut command = self.command(&program());
        command.arg("serve");
        command
    }

    /// Starts the product's program here, and waits until it serves.
    pub(crate) async fn serve(&self) -> Process {
        self.start(&mut self.serve_command()).await.0
    }

    /// Runs a command that serves here; gives the time from its start until it was ready.
    pub(crate) async fn start(&self, command: &mut Command) -> (Process, Duration) {
        let (http, url) = (client(), format!("{}/readyz", self.url()));
        let began = Instant::now();
        let host = Process::start(command);
        while began.elapsed() < LONGEST_START {
            if http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return (host, began.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the host does not serve");
    }

    /// Starts this program in a part of its own, as [`crate::part`] names them.
    pub(crate) fn part(&self, words: &[&str]) -> Part {
        let this = std::env::current_exe().unwrap();
        let mut command = self.command(&this);
        let mut child =
            command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let (orders, words) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Part { process: Process(child), orders, words: BufReader::new(words).lines() }
    }
}

/// This program in a process of its own: it is ordered a number, does that much of its work, and says `done`.
pub(crate) struct Part {
    pub(crate) process: Process,
    orders: ChildStdin,
    words: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Orders work, and waits for its end.
    pub(crate) async fn carry_out(&mut self, count: usize) {
        self.orders.write_all(format!("{count}\n").as_bytes()).await.unwrap();
        let word = self.words.next_line().await.unwrap();
        assert_eq!(word.as_deref(), Some("done"), "the part of this program does its work");
    }
}

/// The other side of [`Part`]: does the work that is ordered until nobody orders any more.
pub(crate) async fn take_orders(mut work: impl AsyncFnMut(usize)) {
    // Its standard error is nobody's, as that of the host that it is compared with: last words go to who ordered.
    std::panic::set_hook(Box::new(|last_words| println!("{}", last_words.to_string().replace('\n', " "))));
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Some(order) = orders.next_line().await.unwrap() {
        work(order.parse().unwrap()).await;
        println!("done");
    }
}

/// A data folder and a database in which a person has connected an account at a simulator, with no host running.
pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) person: Person,
    pub(crate) place: Place,
}

impl Stage {
    pub(crate) async fn set(backend: Backend, settings: Settings) -> Self {
        Self::with_accounts(backend, settings, 1).await
    }

    /// With so many accounts: what goes to the same one goes out one after the other.
    pub(crate) async fn with_accounts(backend: Backend, mut settings: Settings, count: usize) -> Self {
        settings.accounts.extend((1..count).map(account));
        let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
        let person = host.connected("ada", "twitter").await;
        for n in 1..count {
            person.connect(&host.sim, "twitter", &name(n)).await;
        }
        make_operator(&host.app).await;
        let config = host.app.config().clone();
        host.app.stop().await;
        let place = Place {
            port: free_port(),
            data: host.data.path().to_owned(),
            database: config.database(),
            connectors: config.connectors_folder,
            origin: host.sim.origin(),
        };
        Self { person: Person { url: place.url(), ..person }, host, place }
    }
}

/// The ids of a person's connections at a network.
pub(crate) async fn connections(person: &Person, platform: &str) -> Vec<String> {
    let page = person.get("/social/connections?limit=100").await.expect(200);
    let all = page["items"].as_array().unwrap().iter();
    all.filter(|one| one["platform"] == platform).map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// One of many accounts at the simulator.
pub(crate) fn account(n: usize) -> Account {
    Account::new(&format!("19{n:017}"), &name(n), &format!("Number {n}"))
}

/// Its user name.
pub(crate) fn name(n: usize) -> String {
    format!("number_{n}")
}

/// Makes somebody who operates a host: `operator@example.org`.
pub(crate) async fn make_operator(app: &App) {
    let password = Password::from("Correct1Horse".to_owned());
    identity::create_admin(app, "operator@example.org", &password).await.unwrap();
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

//! The `orla` program.

mod commands;

use crate::commands::backup::{self, Whole};
use crate::commands::connector::{self, Connector};
use crate::commands::ledger::{self as books, Ledger};
use crate::commands::price::{self, Prices};
use crate::commands::stripe::{self, Stripe};
use crate::commands::vault::{self, Vault};
use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use orla::app::{self, App};
use orla::clock::Clock;
use orla::config::Config;
use orla::connecting::keeping;
use orla::connectors::{self as guests, Contents, Memories, Setup, compile_child};
use orla::identity::passwords::Password;
use orla::identity::{self, Role};
use orla::ledger::{self, Grant, GrantOrigin};
use orla::operating::sweeping;
use orla::payments;
use orla::publications::watching;
use orla::{http, jobs, telemetry, webhooks};
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::process::ExitCode;

/// Gives back what is free again: after a peak, the system's own keeps what lies between the little that lives on. SQLite's
/// memory comes from it as well.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How many tasks a thread polls before it asks the system who sent something. Guests that compute yield every 0.1 ms: with
/// the library's own 61, what arrives meanwhile would wait for several milliseconds.
const EVENT_INTERVAL: u32 = 7;

/// A self-hostable, multi-tenant marketing platform.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and work on publications.
    Serve,
    /// Look after operators.
    Admin {
        #[command(subcommand)]
        command: Admin,
    },
    /// Look after the keys that secrets are sealed under.
    Vault {
        #[command(subcommand)]
        command: Vault,
    },
    /// Look after the credits.
    Ledger {
        #[command(subcommand)]
        command: Ledger,
    },
    /// Look at what operations cost, and change it.
    Price {
        #[command(subcommand)]
        command: Prices,
    },
    /// Look after what is for sale at Stripe.
    Stripe {
        #[command(subcommand)]
        command: Stripe,
    },
    /// Write, try out and operate connectors.
    Connector {
        #[command(subcommand)]
        command: Connector,
    },
    #[command(flatten)]
    Whole(Whole),
    /// Make the demo's account, verified and with credits to try things out.
    #[command(hide = true)]
    DemoSeed {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
        /// Credits to grant, once.
        #[arg(long)]
        credits: i64,
    },
    /// The compiling child: a component on standard input, machine code on standard output.
    #[command(hide = true)]
    Compile {
        /// For memories whose contents are copied and not mapped.
        #[arg(long)]
        copied: bool,
    },
}

#[derive(Subcommand)]
enum Admin {
    /// Make an operator, or make an existing user one. The password is read from ORLA_PASSWORD, else from standard input.
    Create {
        /// The e-mail address to log in with.
        #[arg(long)]
        email: String,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Compile { copied } => compile_child(if copied { Contents::Copied } else { Contents::Mapped }),
        Command::Connector { command } => connector::run(command),
        Command::Vault { command } => vault::run(command),
        Command::Ledger { command } => books::run(command),
        Command::Price { command } => price::run(command),
        Command::Stripe { command } => stripe::run(command),
        Command::Whole(command) => backup::run(command),
        command => {
            telemetry::start();
            run(command)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the last words of a command go to its user")]
            {
                eprintln!("{error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(EVENT_INTERVAL).build()?;
    runtime.block_on(carry_out(command))
}

async fn carry_out(command: Command) -> anyhow::Result<()> {
    let app = open().await?;
    match command {
        Command::Serve => serve(app).await,
        Command::Admin { command: Admin::Create { email } } => {
            let user = identity::create_admin(&app, &email, &password()?).await?;
            tracing::info!(%user, "{email} is an operator of this server");
            app.stop().await;
            Ok(())
        }
        Command::DemoSeed { email, credits } => {
            let user = identity::create_verified(&app, &email, &password()?, Role::User).await?;
            let mut tx = app.db().begin().await?;
            let (origin, description) = (GrantOrigin::Promotional, "credits of the demo");
            let grant = Grant { origin, credits, key: "demo", expires_at: None, description };
            ledger::grant(&mut tx, user.into(), &grant, app.now()).await?;
            tx.commit().await?;
            app.stop().await;
            Ok(())
        }
        Command::Compile { .. }
        | Command::Connector { .. }
        | Command::Vault { .. }
        | Command::Ledger { .. }
        | Command::Price { .. }
        | Command::Stripe { .. }
        | Command::Whole(_) => {
            bail!("this command opens nothing")
        }
    }
}

async fn open() -> anyhow::Result<App> {
    let config = Config::read()?;
    App::open(config, Clock::System, Setup { program: program()?, memories: Memories::Pooled }).await
}

fn program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("this program does not know where it is")
}

async fn serve(app: App) -> anyhow::Result<()> {
    let _alone = serve_alone(app.config())?;
    let address = app.config().address();
    let listener =
        tokio::net::TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    guests::watch(&app).await;
    tracing::info!("serving {} on {address}; the API is described at /docs", app.config().public());
    if app.fence().stands() {
        tracing::warn!("this installation was restored from a backup: nothing leaves it before `orla resume`");
    }
    app.tasks().spawn(jobs::work(app.clone()));
    jobs::follow(&app);
    app.tasks().spawn(keeping::watch(app.clone()));
    app.tasks().spawn(watching::watch(app.clone()));
    app.tasks().spawn(webhooks::work(app.clone()));
    app.tasks().spawn(webhooks::sweeping::watch(app.clone()));
    app.tasks().spawn(sweeping::watch(app.clone()));
    app.tasks().spawn(payments::watching::watch(app.clone()));
    let stopping = app.clone();
    http::serve(listener, app.clone(), async move {
        stop_signal().await;
        tracing::info!("stopping: what is under way ends first");
        stopping.stopping().cancel();
    })
    .await?;
    app.stop().await;
    Ok(())
}

/// Makes sure that no other host serves from the same data folder; the lock ends with the process, however it ends.
fn serve_alone(config: &Config) -> anyhow::Result<File> {
    app::create_private_folder(&config.data)?;
    let path = config.data.join("serving.lock");
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another host serves from {}", config.data.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// Ends on SIGINT or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[expect(clippy::disallowed_methods, reason = "a password is no setting: it must not stand in a file")]
fn password() -> anyhow::Result<Password> {
    let text = match std::env::var("ORLA_PASSWORD") {
        Ok(text) => text,
        Err(_) => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).context("cannot read the password from standard input")?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    Ok(Password::from(text))
}

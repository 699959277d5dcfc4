//! `orla backup | restore | resume`: a whole installation in one file, and back.

use crate::serve_alone;
use anyhow::Context as _;
use clap::Subcommand;
use orla::backup::{self, Made, MasterKey, Restored};
use orla::clock::Clock;
use orla::config::Config;
use orla::db::Db;
use orla::operating::resuming::{self, Resumed};
use orla::telemetry;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

/// What can be done with a whole installation.
#[derive(Debug, Subcommand)]
pub(crate) enum Whole {
    /// Back up the database and the blobs, while hosts serve.
    Backup {
        /// The file to make, such as `orla.tar`; or a folder, in which a file named by the time is made.
        to: PathBuf,
        /// Put the master key into it: whoever has the backup then has all tokens.
        #[arg(long)]
        with_master_key: bool,
    },
    /// Bring a backup into an empty database and data folder. Nothing leaves the installation before `resume`.
    Restore {
        /// The file that `backup` made.
        backup: PathBuf,
    },
    /// Let a restored installation send again. The old one must be off.
    Resume,
}

/// Does it, and prints what came of it.
#[tokio::main]
pub(crate) async fn run(command: Whole) -> anyhow::Result<()> {
    telemetry::start_quietly();
    let config = Config::read()?;
    let said = match command {
        Whole::Backup { to, with_master_key } => {
            let master_key = if with_master_key { MasterKey::Included } else { MasterKey::Apart };
            made(&config, &Box::pin(backup::make(&config, &Clock::System, &to, master_key)).await?, master_key)
        }
        Whole::Restore { backup } => {
            let _alone = serve_alone(&config)?;
            restored(&Box::pin(backup::restore(&config, &Clock::System, &backup)).await?)
        }
        Whole::Resume => {
            backup::check_restored(&config).await?;
            let db = Db::open(&config.database()).await?;
            let lifted = resuming::resume(&db, Clock::System.now()).await;
            db.close().await;
            resumed(lifted?)
        }
    };
    write!(std::io::stdout(), "{said}").context("cannot write the answer")
}

fn made(config: &Config, made: &Made, master_key: MasterKey) -> String {
    let Made { file, bytes, made_at, tables, rows, blobs, blob_bytes, lost, master_keys } = made;
    let mut said = format!(
        "{} holds this installation as of {} in {bytes} bytes: {rows} rows of {tables} tables, and {blobs} blobs of {blob_bytes} bytes.\n",
        file.display(),
        made_at,
    );
    let keys = master_keys.join(" and ");
    match master_key {
        MasterKey::Apart => {
            let key_file = config.master_key();
            let _ = writeln!(
                said,
                "The master key {keys} is not in it, and without that key nothing in it opens: keep a copy of {} elsewhere.",
                key_file.display()
            );
        }
        MasterKey::Included => {
            let _ = writeln!(said, "The master key {keys} is in it: whoever has this file has all tokens.");
        }
    }
    said.push_str(&lacking(lost));
    said
}

fn restored(restored: &Restored) -> String {
    let Restored { made_at, tables, rows, blobs, lost, doubtful } = restored;
    let mut said = format!("Restored as of {}: {rows} rows of {tables} tables, and {blobs} blobs.\n", made_at);
    said.push_str(&lacking(lost));
    let _ = writeln!(
        said,
        "Nothing leaves this installation now. Make sure that the old one is off, start `orla serve`, look around, and then run \
         `orla resume`."
    );
    let _ = writeln!(
        said,
        "{doubtful} publications were to go out by now and may have, after the backup was made: each is looked for before \
         anything of it is sent."
    );
    said
}

fn resumed(resumed: Option<Resumed>) -> String {
    match resumed {
        None => "This installation is not fenced: there is nothing to resume.\n".to_owned(),
        Some(Resumed { doubtful }) => format!(
            "This installation sends again. {doubtful} publications are looked for first, as they may have gone out already.\n"
        ),
    }
}

fn lacking(lost: &[String]) -> String {
    if lost.is_empty() {
        return String::new();
    }
    format!("It lacks {} blobs, which were gone or spoilt when it was made: {}.\n", lost.len(), lost.join(", "))
}

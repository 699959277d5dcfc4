//! Opening a database, and the pools of its connections.

use super::Db;
use anyhow::{Context as _, bail};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection};
use std::str::FromStr;
use std::time::Duration;

/// Connections to PostgreSQL in a pool. A server does most with few at once: of more, each waits for the others' processor time.
const CONNECTIONS: u32 = 8;
/// A connection that rested longer than this may have been closed by the other side.
const ASK_AFTER: Duration = Duration::from_secs(1);

pub(super) static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");
pub(super) static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// What becomes of a SQLite file that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It is made.
    Made,
    /// It is refused.
    Refused,
}

impl Db {
    /// Opens a database by its URL (`sqlite:path` or `postgres://…`) and brings its schema up to date.
    ///
    /// # Errors
    /// A sentence with the cause: unknown scheme, unreachable server, a schema newer than this program.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        let db = Self::connect(url, Absent::Made).await?;
        db.migrate().await?;
        Ok(db)
    }

    /// Opens a database as it is.
    ///
    /// # Errors
    /// As [`Db::open`], but for the schema.
    pub async fn connect(url: &str, absent: Absent) -> anyhow::Result<Self> {
        Ok(if url.starts_with("sqlite:") {
            Self::open_sqlite(url, absent).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url).context("DATABASE_URL is not a PostgreSQL URL")?;
            let pool = PgPoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(Duration::from_secs(30))
                .test_before_acquire(false)
                .before_acquire(|connection, before| Box::pin(is_alive(connection, before.idle_for)))
                .connect_with(options.application_name("orla"))
                .await
                .context("cannot reach the PostgreSQL server of DATABASE_URL")?;
            Self::Postgres(pool)
        } else {
            bail!("DATABASE_URL must begin with `sqlite:` or `postgres:`");
        })
    }

    /// The same database by a pool of its own, which does not wait behind the crowd at the other. SQLite has one writer for all.
    #[must_use]
    pub fn apart(&self) -> Self {
        self.by_another_pool(CONNECTIONS)
    }

    /// As [`Db::apart`], by a single connection.
    pub(crate) fn alone(&self) -> Self {
        self.by_another_pool(1)
    }

    fn by_another_pool(&self, connections: u32) -> Self {
        match self {
            Self::Sqlite { .. } => self.clone(),
            Self::Postgres(pool) => {
                let (pools, options) = (pool.options().clone(), pool.connect_options().as_ref().clone());
                Self::Postgres(pools.max_connections(connections).connect_lazy_with(options))
            }
        }
    }

    async fn open_sqlite(url: &str, absent: Absent) -> anyhow::Result<Self> {
        // `full` and not `normal`: a journal that a power cut can lose is no journal.
        let options = SqliteConnectOptions::from_str(url)
            .context("DATABASE_URL is not a SQLite URL")?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone().create_if_missing(absent == Absent::Made))
            .await
            .context("cannot open the SQLite file of DATABASE_URL")?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .connect_lazy_with(options.read_only(true));
        Ok(Self::Sqlite { writer, readers })
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await,
            Self::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await,
        }
        .context("the database schema could not be brought up to date")
    }

    /// Closes every connection, after what is under way has ended.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether a connection of PostgreSQL's may be used: one that rested for a while is asked first. To ask each time would
/// add a round trip to everything.
async fn is_alive(connection: &mut PgConnection, idle_for: Duration) -> sqlx::Result<bool> {
    if idle_for > ASK_AFTER {
        connection.ping().await?;
    }
    Ok(true)
}

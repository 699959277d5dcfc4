//! The two databases behind one door.
//!
//! SQLite is the embedded default, PostgreSQL the choice of an installation with several nodes. Every statement runs on
//! both as it stands (`$1` placeholders, integers for times and UUIDs as ids); [`on!`](crate::on) compiles a body for
//! each. Nothing outside this file knows which database it talks to, except where a dialect differs ([`Tx::is_postgres`]).

pub(crate) mod bundle;
mod opening;
pub(crate) mod rows;
pub(crate) mod schema;

pub use opening::Absent;

use crate::{crash, on};
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgListener;
use sqlx::{Database, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::ops::{Deref, DerefMut};

/// A database.
#[derive(Debug, Clone)]
pub enum Db {
    /// SQLite: write transactions queue for the one writer connection, in order; reads have a pool of their own.
    Sqlite {
        /// Exactly one connection.
        writer: SqlitePool,
        /// Read-only connections.
        readers: SqlitePool,
    },
    /// PostgreSQL.
    Postgres(PgPool),
}

impl Db {
    /// Begins a write transaction. It is rolled back when dropped before [`Tx::commit`].
    ///
    /// # Errors
    /// The database is unreachable, or the queue for it did not move for half a minute.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        self.begin_with("begin").await
    }

    async fn begin_with(&self, postgres: &'static str) -> sqlx::Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(Guard::Write(writer.begin_with("begin immediate").await?)),
            // Boxed, here and below: 14 KiB, most of them for connecting anew, that every caller's future would carry along.
            Self::Postgres(pool) => Tx::Postgres(Guard::Write(Box::pin(pool.begin_with(postgres)).await?)),
        })
    }

    /// As [`Db::begin`], for what is worth nothing without something that is committed after it: PostgreSQL does not wait for the
    /// disk at its end. Whatever reaches the disk later takes it along, since both are in one log; without that, a power cut
    /// leaves nothing of it. SQLite waits as ever.
    ///
    /// # Errors
    /// As for [`Db::begin`].
    pub(crate) async fn begin_to_be_followed(&self) -> sqlx::Result<Tx> {
        self.begin_with("begin; set local synchronous_commit = off").await
    }

    /// As [`Db::begin`], and PostgreSQL plans anew all that this connection runs from now on. It keeps plans, and one that was made
    /// for an empty table may read all of a full one, again and again.
    ///
    /// # Errors
    /// As for [`Db::begin`].
    pub(crate) async fn begin_afresh(&self) -> sqlx::Result<Tx> {
        self.begin_with("begin; discard plans").await
    }

    /// A connection for exactly one statement that writes: it is a transaction of its own, durable once it has run. That
    /// saves two of three round trips. [`Tx::commit`] says that it has run.
    ///
    /// # Errors
    /// As for [`Db::begin`].
    pub async fn begin_single(&self) -> sqlx::Result<Tx> {
        let tx = match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(Guard::Single(writer.acquire().await?)),
            Self::Postgres(pool) => Tx::Postgres(Guard::Single(Box::pin(pool.acquire()).await?)),
        };
        crash::before_write();
        Ok(tx)
    }

    /// A connection for exactly one [`Bundle`](bundle::Bundle), which is all or nothing by itself on PostgreSQL, as in
    /// [`Db::begin_single`].
    ///
    /// # Errors
    /// As for [`Db::begin`].
    pub(crate) async fn begin_bundle(&self) -> sqlx::Result<Tx> {
        match self {
            Self::Sqlite { .. } => self.begin().await,
            Self::Postgres(_) => self.begin_single().await,
        }
    }

    /// A transaction that only reads, and sees the database as it is at its first statement for as long as it lasts. It keeps
    /// nobody from writing.
    ///
    /// # Errors
    /// As for [`Db::begin`].
    pub async fn snapshot(&self) -> sqlx::Result<Tx> {
        const POSTGRES: &str = "begin isolation level repeatable read read only";
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(Guard::Snapshot(readers.begin_with("begin").await?)),
            Self::Postgres(pool) => Tx::Postgres(Guard::Snapshot(Box::pin(pool.begin_with(POSTGRES)).await?)),
        })
    }

    /// A connection to read with, outside of any transaction: each statement sees the newest state.
    ///
    /// # Errors
    /// As for [`Db::begin`].
    pub async fn read(&self) -> sqlx::Result<Tx> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(Guard::Read(readers.acquire().await?)),
            Self::Postgres(pool) => Tx::Postgres(Guard::Read(Box::pin(pool.acquire()).await?)),
        })
    }

    /// Asks for nothing, to see whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> sqlx::Result<()> {
        let mut tx = self.read().await?;
        on!(&mut tx, conn => sqlx::query("select 1").execute(conn).await.map(drop))
    }

    /// Whether nodes can tell each other something through this database.
    #[must_use]
    pub fn can_notify(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Tells all who listen on a channel, at once and outside of any transaction.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn notify(&self, channel: &str, payload: &str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            Self::Postgres(pool) => {
                let told = sqlx::query("select pg_notify($1, $2)").bind(channel).bind(payload).execute(pool);
                Box::pin(told).await.map(drop)
            }
        }
    }

    /// Listens on a channel, by a connection of its own; `None` where there is nothing to hear.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn listen(&self, channel: &str) -> sqlx::Result<Option<PgListener>> {
        // A listener keeps the connection that it takes from a pool.
        let Self::Postgres(pool) = self.alone() else { return Ok(None) };
        let mut listener = Box::pin(PgListener::connect_with(&pool)).await?;
        listener.listen(channel).await?;
        Ok(Some(listener))
    }
}

/// A connection in use: a write transaction, or a plain connection for reading.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Guard<Sqlite>),
    /// On PostgreSQL.
    Postgres(Guard<Postgres>),
}

impl Tx {
    /// Makes everything that was written durable, all or nothing.
    ///
    /// # Errors
    /// The database refused; nothing was written.
    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(guard) => guard.commit().await,
            Self::Postgres(guard) => guard.commit().await,
        }?;
        crash::after_write();
        Ok(())
    }

    /// Whether this is PostgreSQL, for the few statements whose dialect differs.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// Holds a connection, with or without a transaction on it.
#[derive(Debug)]
pub enum Guard<D: Database> {
    /// In a write transaction.
    Write(Transaction<'static, D>),
    /// In a transaction that only reads.
    Snapshot(Transaction<'static, D>),
    /// For one statement that writes.
    Single(PoolConnection<D>),
    /// Only reading.
    Read(PoolConnection<D>),
}

impl<D: Database> Guard<D> {
    async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Write(transaction) => {
                crash::before_write();
                transaction.commit().await
            }
            Self::Snapshot(_) | Self::Single(_) | Self::Read(_) => Ok(()),
        }
    }
}

impl<D: Database> Deref for Guard<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        match self {
            Self::Write(transaction) | Self::Snapshot(transaction) => transaction,
            Self::Single(connection) | Self::Read(connection) => connection,
        }
    }
}

impl<D: Database> DerefMut for Guard<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        match self {
            Self::Write(transaction) | Self::Snapshot(transaction) => transaction,
            Self::Single(connection) | Self::Read(connection) => connection,
        }
    }
}

/// Runs a body on the connection of a [`Tx`], compiled once for each database.
///
/// ```ignore
/// let row: Option<User> = on!(tx, conn => sqlx::query_as(SELECT).bind(id).fetch_optional(conn).await)?;
/// ```
#[macro_export]
macro_rules! on {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(guard) => {
                let $conn = &mut **guard;
                $body
            }
            $crate::db::Tx::Postgres(guard) => {
                let $conn = &mut **guard;
                $body
            }
        }
    };
}

/// As [`on!`](crate::on), with a statement of several rows under construction: of each number of rows it is another one, which
/// the connection remembers.
///
/// ```ignore
/// on_built!(tx, "insert into words (word) ", (query, conn) => {
///     query.push_values(words, |mut to, word| { to.push_bind(word); });
///     query.build().execute(conn).await.map(drop)
/// })?;
/// ```
#[macro_export]
macro_rules! on_built {
    ($tx:expr, $begun:expr, ($query:ident, $conn:ident) => $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(guard) => {
                let (mut $query, $conn) = (sqlx::QueryBuilder::<sqlx::Sqlite>::new($begun), &mut **guard);
                $body
            }
            $crate::db::Tx::Postgres(guard) => {
                let (mut $query, $conn) = (sqlx::QueryBuilder::<sqlx::Postgres>::new($begun), &mut **guard);
                $body
            }
        }
    };
}

/// Whether a write failed because a unique constraint stands against it.
#[must_use]
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(cause) if cause.is_unique_violation())
}

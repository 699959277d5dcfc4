//! What tables there are, by the database's own word, and which migrations made them. So a table that a later migration
//! adds is backed up without anybody thinking of it.

use super::Tx;
use super::opening::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};
use crate::on;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Executor as _};
use std::collections::BTreeSet;

/// A migration, by what both databases call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) name: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number of 64 bits.
    Integer,
    /// A whole number of 32 bits, which PostgreSQL tells apart.
    Small,
    Text,
    Bytes,
    /// 16 bytes, which PostgreSQL tells apart.
    Id,
}

impl Table {
    /// Its column of this name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Kind {
    /// By the database's name of the type; none where a backup could not carry it.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            // Of SQLite's integers all have 64 bits, and are read as such.
            "bigint" => Self::Integer,
            "integer" => Self::Small,
            "text" => Self::Text,
            "blob" | "bytea" => Self::Bytes,
            "uuid" => Self::Id,
            _ => return None,
        })
    }
}

/// Tables of nobody's data: the migrations' own, and SQLite's.
const SQLITE: &str = "select m.name, c.name, c.type from sqlite_master m join pragma_table_info(m.name) c
    where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\' and m.name not like 'sqlite%' order by m.name, c.cid";
const POSTGRES: &str = "select c.table_name::text, c.column_name::text, c.data_type::text
    from information_schema.columns c
    join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
    where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.table_name not like '\\_sqlx%'
    order by c.table_name, c.ordinal_position";

/// Every table with its columns, by name.
///
/// # Errors
/// The database failed, or a column has a type that a backup cannot carry.
pub(crate) async fn tables(tx: &mut Tx) -> anyhow::Result<Vec<Table>> {
    let statement = if tx.is_postgres() { POSTGRES } else { SQLITE };
    let rows: Vec<(String, String, String)> =
        on!(tx, conn => sqlx::query_as(statement).fetch_all(conn).await).context("the schema cannot be read")?;
    let mut tables: Vec<Table> = Vec::new();
    for (table, column, kind) in rows {
        let Some(kind) = Kind::named(&kind) else {
            bail!("the column {table}.{column} has the type {kind}, which a backup cannot carry");
        };
        let column = Column { name: column, kind };
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(Table { name: table, columns: vec![column] }),
        }
    }
    Ok(tables)
}

const IS_ANYTHING: [&str; 2] = [
    "select count(*) from sqlite_master where name not like 'sqlite%'",
    "select count(*) from information_schema.tables where table_schema = current_schema()",
];

/// Whether there is no table at all.
pub(crate) async fn is_empty(tx: &mut Tx) -> sqlx::Result<bool> {
    let statement = IS_ANYTHING[usize::from(tx.is_postgres())];
    let count: i64 = on!(tx, conn => sqlx::query_scalar(statement).fetch_one(conn).await)?;
    Ok(count == 0)
}

/// The migrations that made the schema, in order.
///
/// # Errors
/// There are none: it is no database of ours, or an empty one.
pub(crate) async fn applied(tx: &mut Tx) -> sqlx::Result<Vec<Applied>> {
    const APPLIED: &str = "select version, description as name from _sqlx_migrations order by version";
    on!(tx, conn => sqlx::query_as(APPLIED).fetch_all(conn).await)
}

/// One of these migrations that this program does not have: a newer one made it.
pub(crate) fn unknown(migrations: &[Applied]) -> Option<&Applied> {
    // Both databases have the same.
    migrations.iter().find(|applied| !SQLITE_MIGRATIONS.version_exists(applied.version))
}

fn ours(postgres: bool) -> &'static Migrator {
    if postgres { &POSTGRES_MIGRATIONS } else { &SQLITE_MIGRATIONS }
}

/// Makes the schema as these migrations made it, within a transaction. References between tables are checked only when the
/// transaction ends, so that the tables can be filled in any order.
pub(crate) async fn make(tx: &mut Tx, migrations: &[Applied]) -> anyhow::Result<()> {
    let wanted: BTreeSet<i64> = migrations.iter().map(|applied| applied.version).collect();
    let chosen = ours(tx.is_postgres()).iter().filter(|one| wanted.contains(&one.version)).cloned().collect();
    run(tx, &Migrator::with_migrations(chosen)).await?;
    match tx {
        Tx::Sqlite(guard) => guard.execute("pragma defer_foreign_keys = on").await.map(drop)?,
        Tx::Postgres(_) => alter_references(tx, "deferrable initially deferred").await?,
    }
    Ok(())
}

/// Checks all references, and brings a schema that [`make`] made up to date.
pub(crate) async fn finish(tx: &mut Tx) -> anyhow::Result<()> {
    const BROKEN: &str = "select \"table\", parent from pragma_foreign_key_check limit 1";
    match tx {
        Tx::Sqlite(guard) => {
            let broken: Option<(String, String)> = sqlx::query_as(BROKEN).fetch_optional(&mut **guard).await?;
            if let Some((table, parent)) = broken {
                bail!("a row of {table} refers to one of {parent} that is not there");
            }
        }
        Tx::Postgres(guard) => {
            guard.execute("set constraints all immediate").await.context("a row refers to one that is not there")?;
            alter_references(tx, "not deferrable").await?;
        }
    }
    let ours = ours(tx.is_postgres());
    run(tx, ours).await
}

async fn run(tx: &mut Tx, migrator: &Migrator) -> anyhow::Result<()> {
    match tx {
        Tx::Sqlite(guard) => migrator.run_direct(None, &mut **guard, false).await,
        Tx::Postgres(guard) => migrator.run_direct(None, &mut **guard, false).await,
    }
    .context("the schema could not be made")
}

/// PostgreSQL checks a reference with the statement that makes it, unless it is told otherwise.
async fn alter_references(tx: &mut Tx, how: &str) -> anyhow::Result<()> {
    const REFERENCES: &str = "select format('alter table %s alter constraint %I ', conrelid::regclass, conname)
        from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace order by oid";
    let Tx::Postgres(guard) = tx else { return Ok(()) };
    let alter: Vec<String> = sqlx::query_scalar(REFERENCES).fetch_all(&mut **guard).await?;
    for begun in alter {
        guard.execute(AssertSqlSafe(begun + how)).await?;
    }
    Ok(())
}

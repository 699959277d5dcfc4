//! Rows in one form for both databases: a list of cells in the order of the columns, as one line of JSON. Numbers and texts
//! are what they are in JSON, and all bytes (ids too) are base64. So what was read from one database fits the other.

use super::Tx;
use super::schema::{Column, Kind, Table};
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::query_builder::Separated;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder, Row as _, Sqlite};
use std::io::Write;
use uuid::Uuid;

/// What stands in one column of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

impl Cell {
    fn text(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    fn integer(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Integer)
    }

    fn bytes(bytes: Option<impl AsRef<[u8]>>) -> Self {
        bytes.map_or(Self::Null, |bytes| Self::Text(STANDARD.encode(bytes)))
    }

    /// The bytes that it stands for; none where there are none.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn as_bytes(&self) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(STANDARD.decode(text).context("bytes are not written as base64")?)),
            Self::Integer(_) => bail!("a number stands where bytes should"),
        }
    }

    fn as_text(&self) -> anyhow::Result<Option<&str>> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Integer(_) => bail!("a number stands where a text should"),
        }
    }

    fn as_integer(&self) -> anyhow::Result<Option<i64>> {
        match self {
            Self::Null => Ok(None),
            Self::Integer(number) => Ok(Some(*number)),
            Self::Text(_) => bail!("a text stands where a number should"),
        }
    }
}

/// Writes all rows of a table, one a line. Gives their number.
///
/// # Errors
/// The database failed, or what is written to did.
pub(crate) async fn write(tx: &mut Tx, table: &Table, out: &mut impl Write) -> anyhow::Result<u64> {
    let statement = AssertSqlSafe(format!("select {} from {}", names(table), quoted(&table.name)));
    let mut count = 0;
    match tx {
        Tx::Sqlite(guard) => {
            let mut rows = sqlx::query(statement).fetch(&mut **guard);
            while let Some(row) = rows.try_next().await? {
                line(out, table.columns.iter().enumerate().map(|(at, column)| sqlite_cell(&row, at, column.kind)))?;
                count += 1;
            }
        }
        Tx::Postgres(guard) => {
            let mut rows = sqlx::query(statement).fetch(&mut **guard);
            while let Some(row) = rows.try_next().await? {
                line(out, table.columns.iter().enumerate().map(|(at, column)| postgres_cell(&row, at, column.kind)))?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// The columns' names, as a list of SQL's.
fn names(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    names.join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn line(out: &mut impl Write, cells: impl Iterator<Item = sqlx::Result<Cell>>) -> anyhow::Result<()> {
    let cells: Vec<Cell> = cells.collect::<sqlx::Result<_>>()?;
    serde_json::to_writer(&mut *out, &cells)?;
    Ok(out.write_all(b"\n")?)
}

fn sqlite_cell(row: &SqliteRow, at: usize, kind: Kind) -> sqlx::Result<Cell> {
    Ok(match kind {
        Kind::Integer | Kind::Small => Cell::integer(row.try_get(at)?),
        Kind::Text => Cell::text(row.try_get(at)?),
        Kind::Bytes | Kind::Id => Cell::bytes(row.try_get::<Option<Vec<u8>>, _>(at)?),
    })
}

fn postgres_cell(row: &PgRow, at: usize, kind: Kind) -> sqlx::Result<Cell> {
    Ok(match kind {
        Kind::Integer => Cell::integer(row.try_get(at)?),
        Kind::Small => Cell::integer(row.try_get::<Option<i32>, _>(at)?.map(i64::from)),
        Kind::Text => Cell::text(row.try_get(at)?),
        Kind::Bytes => Cell::bytes(row.try_get::<Option<Vec<u8>>, _>(at)?),
        Kind::Id => Cell::bytes(row.try_get::<Option<Uuid>, _>(at)?),
    })
}

/// Puts rows into a table, of which each has a cell for each of the table's columns.
///
/// # Errors
/// A cell does not fit its column, or the database refused.
pub(crate) async fn insert(tx: &mut Tx, table: &Table, rows: &[Vec<Cell>]) -> anyhow::Result<()> {
    let begun = format!("insert into {} ({}) ", quoted(&table.name), names(table));
    let mut unfit = Ok(());
    let mut note = |put: anyhow::Result<()>, column: &Column| {
        if let Err(error) = put.with_context(|| format!("in {}.{}", table.name, column.name)) {
            unfit = Err(error);
        }
    };
    match tx {
        Tx::Sqlite(guard) => {
            let mut query = QueryBuilder::<Sqlite>::new(begun);
            query.push_values(rows, |mut to, row| {
                table
                    .columns
                    .iter()
                    .zip(row)
                    .for_each(|(column, cell)| note(put_sqlite(&mut to, cell, column), column));
            });
            unfit?;
            query.build().execute(&mut **guard).await?;
        }
        Tx::Postgres(guard) => {
            let mut query = QueryBuilder::<Postgres>::new(begun);
            query.push_values(rows, |mut to, row| {
                table
                    .columns
                    .iter()
                    .zip(row)
                    .for_each(|(column, cell)| note(put_postgres(&mut to, cell, column), column));
            });
            unfit?;
            query.build().execute(&mut **guard).await?;
        }
    }
    Ok(())
}

fn put_sqlite(to: &mut Separated<'_, Sqlite, &'static str>, cell: &Cell, column: &Column) -> anyhow::Result<()> {
    match column.kind {
        Kind::Integer | Kind::Small => to.push_bind(cell.as_integer()?),
        Kind::Text => to.push_bind(cell.as_text()?.map(str::to_owned)),
        Kind::Bytes | Kind::Id => to.push_bind(cell.as_bytes()?),
    };
    Ok(())
}

fn put_postgres(to: &mut Separated<'_, Postgres, &'static str>, cell: &Cell, column: &Column) -> anyhow::Result<()> {
    match column.kind {
        Kind::Integer => to.push_bind(cell.as_integer()?),
        Kind::Small => to.push_bind(cell.as_integer()?.map(i32::try_from).transpose()?),
        Kind::Text => to.push_bind(cell.as_text()?.map(str::to_owned)),
        Kind::Bytes => to.push_bind(cell.as_bytes()?),
        Kind::Id => to.push_bind(cell.as_bytes()?.map(|bytes| Uuid::from_slice(&bytes)).transpose()?),
    };
    Ok(())
}

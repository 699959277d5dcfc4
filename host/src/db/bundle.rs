//! Statements that go to the database together.
//!
//! A round trip to PostgreSQL costs a host more processor time than the statement costs the server. So those that do not need each
//! other's answers travel as one, each in a `with` of its own; SQLite, which is no journey away, runs them one after the other.

use super::Tx;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Postgres, Row as _, Sqlite, Type};
use std::fmt::Write as _;

/// What a statement takes, so that it is not moved while it grows.
const USUAL_BYTES: usize = 2 << 10;

/// Statements under construction, for one transaction. None may touch a row that another of them touches, or look for what another
/// writes: on PostgreSQL all see the database as it was before the first. (Foreign keys are looked at after the last.) They run, and
/// lock, in their order there too, since they are read in it.
pub(crate) struct Bundle {
    texts: Vec<&'static str>,
    arguments: Bound,
    /// What could not be bound.
    failed: Option<BoxDynError>,
}

enum Bound {
    /// Of each statement its own.
    Sqlite(Vec<SqliteArguments>),
    /// Of all together.
    Postgres { arguments: PgArguments, statement: String },
}

/// What may be bound on both databases.
pub(crate) trait Value<'a>: Encode<'a, Sqlite> + Type<Sqlite> + Encode<'a, Postgres> + Type<Postgres> {}

impl<'a, T: Encode<'a, Sqlite> + Type<Sqlite> + Encode<'a, Postgres> + Type<Postgres>> Value<'a> for T {}

/// Runs one statement, and gives what it answers.
macro_rules! run_alone {
    ($guard:ident, $text:ident, $arguments:ident) => {
        if returns($text) {
            sqlx::query_scalar_with($text, $arguments).fetch_optional(&mut **$guard).await?
        } else {
            let done = sqlx::query_with($text, $arguments).execute(&mut **$guard).await?;
            (done.rows_affected() > 0).then_some(1)
        }
    };
}

impl Bundle {
    /// An empty one, for the database of a transaction.
    pub(crate) fn new(tx: &Tx) -> Self {
        let arguments = match tx {
            Tx::Sqlite(_) => Bound::Sqlite(Vec::new()),
            Tx::Postgres(_) => {
                Bound::Postgres { arguments: PgArguments::default(), statement: String::with_capacity(USUAL_BYTES) }
            }
        };
        Self { texts: Vec::new(), arguments, failed: None }
    }

    /// Begins a statement that writes; its values follow by [`Bundle::bind`]. It may return one 64-bit number.
    pub(crate) fn add(&mut self, text: &'static str) -> &mut Self {
        match &mut self.arguments {
            Bound::Sqlite(arguments) => arguments.push(SqliteArguments::default()),
            Bound::Postgres { arguments, statement } => {
                let place = self.texts.len();
                let begin = if place == 0 { "with" } else { "," };
                write!(statement, "{begin} s{place} (value) as (").expect("a string takes all");
                renumber(statement, text, arguments.len());
                statement.push_str(if returns(text) { ")" } else { " returning 1)" });
            }
        }
        self.texts.push(text);
        self
    }

    /// The next value of the statement that was begun last.
    pub(crate) fn bind<'a>(&mut self, value: impl Value<'a>) -> &mut Self {
        let bound = match &mut self.arguments {
            Bound::Sqlite(arguments) => arguments.last_mut().expect("a statement was begun").add(value),
            Bound::Postgres { arguments, .. } => arguments.add(value),
        };
        if let Err(error) = bound {
            self.failed.get_or_insert(error);
        }
        self
    }

    /// Runs all of them. Gives for each what it returned, or else 1; `None` where it touched no row.
    ///
    /// # Errors
    /// A value cannot be bound, or the database refused one of them: the transaction must be dropped.
    pub(crate) async fn run(self, tx: &mut Tx) -> sqlx::Result<Vec<Option<i64>>> {
        if let Some(error) = self.failed {
            return Err(sqlx::Error::Encode(error));
        }
        if self.texts.is_empty() {
            return Ok(Vec::new());
        }
        match (self.arguments, tx) {
            (Bound::Sqlite(arguments), Tx::Sqlite(guard)) => {
                let mut answers = Vec::with_capacity(self.texts.len());
                for (text, arguments) in self.texts.into_iter().zip(arguments) {
                    answers.push(run_alone!(guard, text, arguments));
                }
                Ok(answers)
            }
            (Bound::Postgres { arguments, .. }, Tx::Postgres(guard)) if let [text] = *self.texts => {
                Ok(vec![run_alone!(guard, text, arguments)])
            }
            (Bound::Postgres { arguments, mut statement }, Tx::Postgres(guard)) => {
                let count = self.texts.len();
                for place in 0..count {
                    let begin = if place == 0 { " select" } else { "," };
                    write!(statement, "{begin} cast((select value from s{place} limit 1) as bigint)")
                        .expect("a string takes all");
                }
                // Made of constants alone.
                let query = sqlx::query_with(AssertSqlSafe(statement), arguments);
                let row: PgRow = query.fetch_one(&mut **guard).await?;
                (0..count).map(|place| row.try_get(place)).collect()
            }
            _ => unreachable!("a bundle is of the database of its transaction"),
        }
    }
}

fn returns(text: &str) -> bool {
    text.contains(" returning ")
}

/// Writes a statement whose placeholders come after so many others.
fn renumber(to: &mut String, text: &str, after: usize) {
    let mut parts = text.split('$');
    to.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().expect("a number follows each `$`");
        write!(to, "${}{}", number + after, &part[digits..]).expect("a string takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_go_on_behind_those_before() {
        let mut text = String::new();
        renumber(&mut text, "insert into t values ($1, $2, $1, $10)", 12);
        assert_eq!(text, "insert into t values ($13, $14, $13, $22)");
    }
}

//! What operations cost, in credits.
//!
//! Owns the table `prices`. It knows nothing of accounts: a quote is a number that the ledger is asked to hold.

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::on;

const QUOTE: &str = "select credits from prices where operation = $1";

/// The price of an operation now. What was held keeps the price it was held at.
///
/// # Errors
/// [`Error::Unpriced`]: an unknown price is a refusal, never nothing.
pub async fn quote(tx: &mut Tx, operation: &str) -> Result<i64> {
    let credits: Option<i64> = on!(tx, conn => sqlx::query_scalar(QUOTE).bind(operation).fetch_optional(conn).await)?;
    credits.ok_or_else(|| Error::Unpriced(operation.to_owned()))
}

const SET: &str = "insert into prices (operation, credits, updated_at) values ($1, $2, $3)
    on conflict (operation) do update set credits = excluded.credits, updated_at = excluded.updated_at";

/// Sets the price of an operation, from the next quote on.
///
/// # Errors
/// [`Error::Invalid`] for a negative price.
pub async fn set(tx: &mut Tx, operation: &str, credits: i64, now: Timestamp) -> Result<()> {
    if credits < 0 {
        return Err(Error::invalid("credits", "A price cannot be negative."));
    }
    on!(tx, conn => sqlx::query(SET).bind(operation).bind(credits).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

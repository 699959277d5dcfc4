//! The statement of an account as a file: every transaction, oldest first, a page at a time.

use super::history::{STATEMENT, Transaction};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::WorkspaceId;
use crate::on;

/// Transactions that are read at once.
const AT_ONCE: i64 = 500;

/// Which transactions are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Those from this moment on; all where absent.
    pub from: Option<Timestamp>,
    /// Those before this moment; all where absent.
    pub until: Option<Timestamp>,
}

/// The head of the file.
const HEAD: [&str; 12] = [
    "time",
    "kind",
    "credits",
    "posted_change",
    "held_change",
    "owed_change",
    "posted",
    "held",
    "owed",
    "description",
    "hold_id",
    "transaction_id",
];

/// The next piece of the file, behind the transaction of this number; `None` behind the last. Gives it with the number that it
/// ends with.
///
/// # Errors
/// The database failed.
pub async fn statement(
    tx: &mut Tx,
    workspace: WorkspaceId,
    span: Span,
    after: Option<i64>,
) -> Result<Option<(Vec<u8>, i64)>> {
    let from = span.from.unwrap_or(Timestamp(i64::MIN));
    let until = span.until.unwrap_or(Timestamp(i64::MAX));
    let rows: Vec<Transaction> = on!(tx, conn => sqlx::query_as(STATEMENT)
        .bind(workspace).bind(after.unwrap_or(0)).bind(from).bind(until).bind(AT_ONCE)
        .fetch_all(conn).await)?;
    let last = rows.last().map(|row| row.sequence);
    if last.is_none() && after.is_some() {
        return Ok(None);
    }
    let mut file = csv::Writer::from_writer(Vec::new());
    if after.is_none() {
        file.write_record(HEAD).map_err(anyhow::Error::from)?;
    }
    for row in &rows {
        file.write_record(&fields(row)?).map_err(anyhow::Error::from)?;
    }
    let bytes = file.into_inner().map_err(|error| anyhow::anyhow!("a statement could not be written: {error}"))?;
    Ok(Some((bytes, last.unwrap_or(i64::MAX))))
}

fn fields(row: &Transaction) -> Result<[String; 12]> {
    let text = |value: serde_json::Result<serde_json::Value>| -> Result<String> {
        let value = value.map_err(anyhow::Error::from)?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    };
    Ok([
        text(serde_json::to_value(row.created_at))?,
        text(serde_json::to_value(row.kind))?,
        row.amount.to_string(),
        row.posted_delta.to_string(),
        row.held_delta.to_string(),
        row.owed_delta.to_string(),
        row.posted_after.to_string(),
        row.held_after.to_string(),
        row.owed_after.to_string(),
        harmless(&row.description),
        row.hold_id.map_or_else(String::new, |hold| hold.to_string()),
        row.id.to_string(),
    ])
}

/// A text that no spreadsheet takes for a formula (OWASP, "CSV Injection").
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn formulas_are_texts() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        assert_eq!(harmless("Charged for = nothing"), "Charged for = nothing");
    }
}

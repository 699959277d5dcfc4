//! Taking the rows of a file in, by its job. A job may run twice: a row that was taken in before gives the same publication.

use super::{FIND_ANY, Import, RowProblem, RowState, State, StoredRow, Wish, rows};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ImportId, PublicationId};
use crate::jobs::{self, Claim};
use crate::on;
use crate::publications::{self, NewPublication, Vetted};

/// Takes the rows of an import in.
///
/// # Errors
/// The claim was lost, or the database failed: the job is repeated, and goes on with the rows that wait.
pub(crate) async fn carry_on(app: &App, claim: &Claim, id: ImportId) -> anyhow::Result<()> {
    let mut tx = app.db().read().await?;
    let import: Option<Import> = on!(&mut tx, conn => sqlx::query_as(FIND_ANY).bind(id).fetch_optional(conn).await)?;
    let rows = match &import {
        Some(import) => rows(&mut tx, import).await?,
        None => Vec::new(),
    };
    drop(tx);
    let (Some(import), false) = (import, rows.is_empty()) else {
        let mut tx = app.db().begin().await?;
        jobs::complete(&mut tx, claim).await?;
        return Ok(tx.commit().await?);
    };
    let worked = if import.all_or_nothing == 1 {
        all_or_nothing(app, claim, &import, &rows).await
    } else {
        one_by_one(app, claim, &import, &rows).await
    };
    app.wake_worker();
    match worked {
        // Other calls were before these; the rows that wait go on then.
        Err(Error::Busy { after, .. }) => {
            let mut tx = app.db().begin().await?;
            jobs::reschedule(&mut tx, claim, app.now().after(after)).await?;
            Ok(tx.commit().await?)
        }
        worked => Ok(worked?),
    }
}

/// What is to be published, of a row that waits.
fn wish(row: &StoredRow) -> Result<NewPublication> {
    let wish: Wish = serde_json::from_str(row.wish.as_deref().unwrap_or_default()).map_err(anyhow::Error::from)?;
    Ok(wish.into_publication(row.key.clone()))
}

fn waiting(rows: &[StoredRow]) -> impl Iterator<Item = &StoredRow> {
    rows.iter().filter(|row| row.state == RowState::Waiting)
}

async fn one_by_one(app: &App, claim: &Claim, import: &Import, rows: &[StoredRow]) -> Result<()> {
    for row in waiting(rows) {
        let taken = Box::pin(publications::create(app, import.workspace_id, import.author_id, wish(row)?)).await;
        let outcome = refusal(taken.map(|publication| publication.id))?;
        let mut tx = app.db().begin_single().await?;
        write(&mut tx, import.id, row.number, &outcome).await?;
        tx.commit().await?;
    }
    let mut tx = app.db().begin().await?;
    end(&mut tx, claim, import.id, State::Done, app.now()).await?;
    Ok(tx.commit().await?)
}

/// Tells refusals, which belong to the row, from failures, after which the job is repeated.
fn refusal<T>(outcome: Result<T>) -> Result<Result<T, RowProblem>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(error @ (Error::Internal(_) | Error::Busy { .. })) => Err(error),
        Err(error) => Ok(Err(RowProblem::of(error))),
    }
}

async fn all_or_nothing(app: &App, claim: &Claim, import: &Import, rows: &[StoredRow]) -> Result<()> {
    let (mut problems, mut ready) = (Vec::new(), Vec::new());
    for row in waiting(rows) {
        let new = wish(row)?;
        match refusal(vetted(app, import, &new).await)? {
            Ok(vetted) => ready.push((row.number, new, vetted)),
            Err(problem) => problems.push((row.number, problem)),
        }
    }
    let now = app.now();
    if problems.is_empty() && ready.len() == rows.len() {
        let mut tx = app.db().begin().await?;
        match take_all(&mut tx, import, &ready, now).await? {
            None => {
                end(&mut tx, claim, import.id, State::Done, now).await?;
                return Ok(tx.commit().await?);
            }
            Some(problem) => problems.push(problem),
        }
    }
    let mut tx = app.db().begin().await?;
    for row in waiting(rows) {
        let own = problems.iter().find(|(number, _)| *number == row.number).map(|(_, problem)| problem.clone());
        let detail = "Another row was refused, and all or nothing was wished for.".to_owned();
        let problem = own.unwrap_or_else(|| RowProblem { code: "not_taken".to_owned(), field: None, detail });
        write(&mut tx, import.id, row.number, &Err(problem)).await?;
    }
    end(&mut tx, claim, import.id, State::Failed, now).await?;
    Ok(tx.commit().await?)
}

/// What stands behind a row; also behind one whose publication there is already, so that its time may be past.
async fn vetted(app: &App, import: &Import, new: &NewPublication) -> Result<Vetted> {
    match publications::earlier(app, import.workspace_id, new).await? {
        Some(_) => {
            let timeless = NewPublication { publish_at: None, ..new.clone() };
            Box::pin(publications::vet(app, import.workspace_id, &timeless)).await
        }
        None => Box::pin(publications::vet(app, import.workspace_id, new)).await,
    }
}

type Ready = (i64, NewPublication, Vetted);

/// Takes all rows in. Where one is refused, says which and why: the transaction has to be dropped then.
async fn take_all(tx: &mut Tx, import: &Import, ready: &[Ready], now: Timestamp) -> Result<Option<(i64, RowProblem)>> {
    for (number, new, vetted) in ready {
        let taken = publications::insert_once(tx, import.author_id, new, vetted, now).await;
        match refusal(taken.map(|publication| publication.id))? {
            Ok(publication) => write(tx, import.id, *number, &Ok(publication)).await?,
            Err(problem) => return Ok(Some((*number, problem))),
        }
    }
    Ok(None)
}

const WRITE: &str = "update import_rows set state = $1, publication_id = $2, code = $3, field = $4, detail = $5
    where import_id = $6 and number = $7 and state = 'waiting'";

/// Writes down what became of a row.
async fn write(
    tx: &mut Tx,
    import: ImportId,
    number: i64,
    outcome: &Result<PublicationId, RowProblem>,
) -> sqlx::Result<()> {
    let (publication, problem) = match outcome {
        Ok(publication) => (Some(*publication), None),
        Err(problem) => (None, Some(problem)),
    };
    let state = if problem.is_some() { RowState::Refused } else { RowState::Taken };
    on!(tx, conn => sqlx::query(WRITE)
        .bind(state).bind(publication).bind(problem.map(|problem| &problem.code))
        .bind(problem.and_then(|problem| problem.field.as_ref())).bind(problem.map(|problem| &problem.detail))
        .bind(import).bind(number).execute(conn).await.map(drop))
}

const END: &str =
    "update imports set state = $1, finished_at = $2, updated_at = $2 where id = $3 and state = 'running'";

async fn end(tx: &mut Tx, claim: &Claim, id: ImportId, state: State, now: Timestamp) -> Result<()> {
    on!(&mut *tx, conn => sqlx::query(END).bind(state).bind(now).bind(id).execute(conn).await.map(drop))?;
    Ok(jobs::complete(tx, claim).await?)
}

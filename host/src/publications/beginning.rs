//! Beginning attempts, in the transaction that claims their jobs.
//!
//! A batch takes as many statements as one alone: a worker claims while everything else waits for it.

use super::{Publication, planning, timeline};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::loading::{self, LoadedRun};
use crate::connectors::run::{self, Pinned, Pinning};
use crate::db::Tx;
use crate::id::PublicationId;
use crate::jobs::{self, BATCH, Claim};
use crate::on;
use rand::RngExt as _;
use std::collections::HashMap;
use uuid::Uuid;

/// As many places as a batch has jobs.
const BEGIN: &str = returning!(
    "update publications set state = 'running', attempts = attempts + 1, updated_at = $1
    where id in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        and state in ('scheduled', 'due', 'pending', 'running')
        and (state <> 'scheduled' or not_after is null or not_after >= $1)"
);

/// A publication whose attempt begins.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(super) publication: Publication,
    /// Its run, and whom it acts for; `None` where the connection was removed.
    pub(super) run: Option<LoadedRun>,
}

/// Begins an attempt of each publication that still wants one, and gives those; the jobs of the others end.
///
/// # Errors
/// The database failed.
pub(crate) async fn begin(
    app: &App,
    tx: &mut Tx,
    claims: &[(Claim, PublicationId)],
    now: Timestamp,
) -> anyhow::Result<HashMap<PublicationId, Begun>> {
    let mut all = HashMap::with_capacity(claims.len());
    for batch in claims.chunks(BATCH) {
        let mut ids = [PublicationId(Uuid::nil()); BATCH];
        ids.iter_mut().zip(batch).for_each(|(place, (_, id))| *place = *id);
        let begun: Vec<Publication> = on!(&mut *tx, conn => {
            let query = ids.iter().fold(sqlx::query_as(BEGIN).bind(now), |query, id| query.bind(id));
            query.fetch_all(conn).await
        })?;
        pin(app, tx, &begun, now).await?;
        timeline::begun(tx, &begun, now).await?;
        let mut runs = loading::load_batch(tx, app.vault(), &ids).await?;
        all.extend(begun.into_iter().map(|publication| {
            let at = runs.iter().position(|run| run.pinned.id == publication.id.into());
            (publication.id, Begun { run: at.map(|at| runs.swap_remove(at)), publication })
        }));
    }
    for (claim, id) in claims.iter().filter(|(_, id)| !all.contains_key(id)) {
        planning::miss(tx, *id, now).await?;
        jobs::complete(tx, claim).await?;
    }
    Ok(all)
}

/// The runs of those that were taken in for later begin now, with the releases of today.
async fn pin(app: &App, tx: &mut Tx, begun: &[Publication], now: Timestamp) -> sqlx::Result<()> {
    let first = begun.iter().filter(|one| one.attempts == 1 && one.publish_at.is_some());
    let runs: Vec<Pinning> = first
        .map(|one| Pinning {
            run: Pinned { id: one.id.into(), workspace: one.workspace_id, seed: rand::rng().random(), started_at: now },
            connector: one.connector.clone(),
            release: app.connectors().active(&one.connector).map_or_else(String::new, |release| release.digest.clone()),
        })
        .collect();
    run::pin_all(tx, &runs).await
}

//! Receipts: what a run was, what it used and what it cost. That it was charged, or not, is what the ledger says, whatever became
//! of the run.

use crate::clock::Timestamp;
use crate::connectors::meter::Meter;
use crate::connectors::{registry, run};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::generations::{self, Generation};
use crate::id::{GenerationId, HoldId, PublicationId, RunId, VideoId, WorkspaceId};
use crate::ledger::{self, Charge};
use crate::prices::Item;
use crate::publications::{self, Kind, Publication, timeline};
use crate::videos::{self, Video};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a run has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReceiptOutcome)]
pub enum Outcome {
    /// Its price is nothing.
    Free,
    /// Its price is reserved, and will be charged or given back.
    Reserved,
    /// It was charged.
    Charged,
    /// Nothing was charged: what was reserved is given back.
    NotCharged,
    /// It was charged, and all of it or a part was given back later.
    Refunded,
}

/// A run's receipt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunReceipt)]
pub struct Receipt {
    /// The publication, generation or video.
    pub id: Uuid,
    /// `publication`, `generation` or `video`.
    pub kind: &'static str,
    /// Where the run stands.
    pub state: String,
    /// The metered operation.
    pub operation: String,
    /// What carries it out.
    pub connector: String,
    /// The connector's version; null before the run has begun.
    pub version: Option<String>,
    /// What it has cost, by the ledger.
    pub outcome: Outcome,
    /// The same, in a sentence.
    pub note: String,
    /// What was reserved for it in the ledger; null where it is free.
    pub hold_id: Option<HoldId>,
    /// Credits reserved before it began.
    pub credits_held: i64,
    /// Credits charged.
    pub credits_charged: i64,
    /// Credits of these that were given back later.
    pub credits_refunded: i64,
    /// How the price came about: they sum to what was reserved at first. Empty where it is free.
    pub items: Vec<Item>,
    /// What the vendor says the run used, by unit, such as `input_tokens`; absent where it said nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<BTreeMap<String, u64>>,
    /// What the connector used, in all attempts.
    pub meter: Meter,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The receipt of a workspace's run.
///
/// # Errors
/// It has no such run, or the database failed.
pub async fn of_run(tx: &mut Tx, workspace: WorkspaceId, id: Uuid) -> Result<Receipt> {
    for kind in [Kind::Post, Kind::Reply] {
        match publications::find(tx, workspace, kind, PublicationId(id)).await {
            Ok(publication) => return of_publication(tx, publication).await,
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(generation) = generations::find_of_any(tx, workspace, GenerationId(id)).await? {
        return of_generation(tx, generation).await;
    }
    match videos::find(tx, workspace, VideoId(id)).await {
        Ok(video) => of_video(tx, video).await,
        Err(Error::NotFound(_)) => Err(Error::NotFound("run")),
        Err(error) => Err(error),
    }
}

async fn of_publication(tx: &mut Tx, publication: Publication) -> Result<Receipt> {
    let workspace = publication.workspace_id;
    let events = timeline::events(tx, publication.id).await?;
    let version = version(tx, workspace, publication.id.into()).await?;
    let charge = charge(tx, workspace, publication.hold_id).await?;
    let state = serde_json::to_value(publication.state()?).map_err(anyhow::Error::from)?;
    let operation = if publication.reply_to.is_some() { "comment_reply" } else { publications::OPERATION };
    let run = Ran {
        id: publication.id.0,
        kind: "publication",
        state: state.as_str().unwrap_or_default().to_owned(),
        operation: operation.to_owned(),
        connector: publication.connector,
        version,
        hold: publication.hold_id,
        usage: None,
        meter: total(events.into_iter().filter_map(|event| event.meter)),
        created_at: publication.created_at,
        finished_at: publication.finished_at,
    };
    receipt(run, charge.as_ref())
}

async fn of_generation(tx: &mut Tx, generation: Generation) -> Result<Receipt> {
    let workspace = generation.workspace_id;
    let written = generation.receipt()?;
    let version = version(tx, workspace, generation.id.into()).await?;
    let hold = generation.hold_id();
    let charge = charge(tx, workspace, hold).await?;
    let run = Ran {
        id: generation.id.0,
        kind: "generation",
        state: generation.state_word().to_owned(),
        operation: generation.operation.clone(),
        connector: generations::connector_of(tx, workspace, generation.id).await?,
        version,
        hold,
        usage: written.as_ref().and_then(|written| written.usage.clone()),
        meter: written.map(|written| written.meter).unwrap_or_default(),
        created_at: generation.created_at,
        finished_at: generation.finished_at,
    };
    receipt(run, charge.as_ref())
}

async fn of_video(tx: &mut Tx, video: Video) -> Result<Receipt> {
    let workspace = video.workspace_id;
    let version = version(tx, workspace, video.id.into()).await?;
    let hold = video.hold_id();
    let charge = charge(tx, workspace, hold).await?;
    let run = Ran {
        id: video.id.0,
        kind: "video",
        state: video.state()?.word().to_owned(),
        operation: videos::OPERATION.to_owned(),
        meter: video.meter()?,
        connector: video.connector,
        version,
        hold,
        usage: None,
        created_at: video.created_at,
        finished_at: video.finished_at,
    };
    receipt(run, charge.as_ref())
}

/// The version of the release that a run is pinned to.
async fn version(tx: &mut Tx, workspace: WorkspaceId, run: RunId) -> Result<Option<String>> {
    let (_, digest) = run::pinned(tx, run, workspace).await?;
    Ok(registry::release(tx, &digest).await?.map(|release| release.version))
}

async fn charge(tx: &mut Tx, workspace: WorkspaceId, hold: Option<HoldId>) -> Result<Option<Charge>> {
    match hold {
        Some(hold) => ledger::charge(tx, workspace, hold).await,
        None => Ok(None),
    }
}

/// A run, as its own room tells it.
struct Ran {
    id: Uuid,
    kind: &'static str,
    state: String,
    operation: String,
    connector: String,
    version: Option<String>,
    hold: Option<HoldId>,
    usage: Option<BTreeMap<String, u64>>,
    meter: Meter,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

fn receipt(run: Ran, charge: Option<&Charge>) -> Result<Receipt> {
    let items = charge.and_then(|charge| charge.items.as_deref()).map(serde_json::from_str).transpose();
    let (outcome, note) = told(charge);
    Ok(Receipt {
        id: run.id,
        kind: run.kind,
        state: run.state,
        operation: charge.map_or(run.operation, |charge| charge.operation.clone()),
        connector: run.connector,
        version: run.version,
        outcome,
        note,
        hold_id: run.hold,
        credits_held: charge.map_or(0, |charge| charge.held),
        credits_charged: charge.and_then(Charge::charged).unwrap_or(0),
        credits_refunded: charge.map_or(0, |charge| charge.refunded),
        items: items.map_err(anyhow::Error::from)?.unwrap_or_default(),
        usage: run.usage,
        meter: run.meter,
        created_at: run.created_at,
        finished_at: run.finished_at,
    })
}

fn told(charge: Option<&Charge>) -> (Outcome, String) {
    let Some(charge) = charge else { return (Outcome::Free, "It costs nothing.".to_owned()) };
    match charge.charged() {
        None => (Outcome::Reserved, format!("{} credits are reserved until it ends.", charge.held)),
        Some(0) => (Outcome::NotCharged, "Not charged: what was reserved is given back.".to_owned()),
        Some(charged) if charge.refunded > 0 => {
            (Outcome::Refunded, format!("{charged} credits were charged, and {} of them given back.", charge.refunded))
        }
        Some(charged) => (Outcome::Charged, format!("{charged} credits were charged.")),
    }
}

fn total(meters: impl Iterator<Item = Meter>) -> Meter {
    meters.fold(Meter::default(), |sum, one| Meter {
        fuel: sum.fuel + one.fuel,
        memory_peak_bytes: sum.memory_peak_bytes.max(one.memory_peak_bytes),
        memory_byte_us: sum.memory_byte_us + one.memory_byte_us,
        requests: sum.requests + one.requests,
        bytes_out: sum.bytes_out + one.bytes_out,
        bytes_in: sum.bytes_in + one.bytes_in,
        wall: sum.wall + one.wall,
        guest: sum.guest + one.guest,
    })
}

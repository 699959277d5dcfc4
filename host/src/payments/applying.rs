//! What a reading of a customer makes of its credits, in one transaction: those of new sales are granted, and those of payments that
//! were taken back are clawed back. Owns the tables `payment_sales` and `payment_parts`.

use super::customers::{self, Customer};
use super::events;
use super::objects::Dispute;
use super::reading;
use super::sales::{Part, Sale, share};
use super::stripe::Client;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::WorkspaceId;
use crate::ledger::{self, Grant};
use crate::on;

/// An event of Stripe's that is carried out by a reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause<'a> {
    pub(super) event_id: &'a str,
    pub(super) kind: &'a str,
}

/// Reads a customer, and makes its plan and credits what they should be. What an event caused is written together with it: either
/// both are, or Stripe sends it again.
///
/// # Errors
/// Stripe did not answer; the database failed. Nothing has changed then.
pub(super) async fn follow(app: &App, client: Client<'_>, customer: &Customer, cause: Option<Cause<'_>>) -> Result<()> {
    let workspace = customer.workspace_id;
    let reading = customers::begin_reading(app, workspace).await?;
    let snapshot = Box::pin(reading::read(app, client, customer)).await?;
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let is_newest = customers::apply(&mut tx, workspace, reading, snapshot.standing.as_ref()).await?;
    if let Some(Cause { event_id, kind }) = cause {
        events::record(&mut tx, event_id, kind, Some(workspace), now).await?;
    }
    if is_newest {
        for sale in &snapshot.sales {
            book(&mut tx, workspace, sale, now).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

const ADD: &str = "insert into payment_sales
        (sale_id, workspace_id, description, amount, refunded, currency, paid_at, next_part_at)
    values ($1, $2, $3, $4, 0, $5, $6, null) on conflict (sale_id) do nothing";
const ADD_PART: &str = "insert into payment_parts (sale_id, part, credits, starts_at, ends_at)
    values ($1, $2, $3, $4, $5) on conflict (sale_id, part) do nothing";
const PARTS: &str = "select part, credits, starts_at, ends_at, is_granted, taken_back from payment_parts
    where sale_id = $1 order by part";
const GRANTED: &str = "update payment_parts set is_granted = 1 where sale_id = $1 and part = $2";
const TAKEN_BACK: &str = "update payment_parts set taken_back = $1 where sale_id = $2 and part = $3";
const SEEN: &str = "update payment_sales set refunded = $1, next_part_at = (select min(starts_at) from payment_parts
        where sale_id = $2 and is_granted = 0) where sale_id = $2";

/// A part as it is kept.
#[derive(Debug, sqlx::FromRow)]
struct Kept {
    part: i64,
    credits: i64,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    is_granted: i64,
    taken_back: i64,
}

/// Brings a sale up to date: the same sale may be booked any number of times.
async fn book(tx: &mut Tx, workspace: WorkspaceId, sale: &Sale, now: Timestamp) -> Result<()> {
    on!(&mut *tx, conn => sqlx::query(ADD)
        .bind(&sale.id).bind(workspace).bind(&sale.description).bind(sale.amount).bind(&sale.currency).bind(sale.paid_at)
        .execute(conn).await.map(drop))?;
    for (number, Part { credits, starts_at, ends_at }) in (0_i64..).zip(&sale.parts) {
        on!(&mut *tx, conn => sqlx::query(ADD_PART)
            .bind(&sale.id).bind(number).bind(credits).bind(starts_at).bind(ends_at)
            .execute(conn).await.map(drop))?;
    }
    let parts: Vec<Kept> = on!(&mut *tx, conn => sqlx::query_as(PARTS).bind(&sale.id).fetch_all(conn).await)?;
    for part in parts.iter().filter(|part| part.starts_at <= now) {
        let key = format!("stripe/{}/{}", sale.id, part.part);
        if part.is_granted == 0 {
            grant(tx, workspace, sale, part, &key, now).await?;
        }
        take_back(tx, workspace, sale, part, &key, now).await?;
        for dispute in &sale.reversals.disputes {
            settle(tx, workspace, (sale, part), &key, dispute, now).await?;
        }
    }
    on!(&mut *tx, conn => sqlx::query(SEEN)
        .bind(sale.reversals.refunded).bind(&sale.id).execute(conn).await.map(drop))?;
    Ok(())
}

async fn grant(tx: &mut Tx, workspace: WorkspaceId, sale: &Sale, part: &Kept, key: &str, now: Timestamp) -> Result<()> {
    let grant = Grant {
        origin: sale.origin,
        credits: part.credits,
        key,
        expires_at: part.ends_at,
        description: &sale.description,
    };
    ledger::grant(tx, workspace, &grant, now).await?;
    on!(tx, conn => sqlx::query(GRANTED).bind(&sale.id).bind(part.part).execute(conn).await.map(drop))?;
    Ok(())
}

/// Takes back the part of the credits that was paid back.
async fn take_back(
    tx: &mut Tx,
    workspace: WorkspaceId,
    sale: &Sale,
    part: &Kept,
    key: &str,
    now: Timestamp,
) -> Result<()> {
    let wanted = share(part.credits, sale.reversals.refunded.min(sale.amount), sale.amount);
    let more = wanted - part.taken_back;
    if more <= 0 {
        return Ok(());
    }
    let change = format!("{key}/refunded/{wanted}");
    let description = format!("Paid back: {}", sale.description);
    ledger::claw_back(tx, workspace, key, more, &change, &description, now).await?;
    on!(tx, conn => sqlx::query(TAKEN_BACK).bind(wanted).bind(&sale.id).bind(part.part).execute(conn).await.map(drop))?;
    Ok(())
}

/// Takes credits back while a payment is disputed, and gives them again where the dispute was won. While a bank only inquires,
/// nothing has been taken back.
async fn settle(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (sale, part): (&Sale, &Kept),
    key: &str,
    dispute: &Dispute,
    now: Timestamp,
) -> Result<()> {
    let change = format!("{key}/{}", dispute.id);
    let (wanted, description) = match dispute.status.as_str() {
        "needs_response" | "under_review" | "lost" => {
            (share(part.credits, dispute.amount.min(sale.amount), sale.amount), "Disputed")
        }
        "won" if ledger::is_clawed_back(tx, workspace, &change).await? => {
            let description = format!("Dispute won: {}", sale.description);
            ledger::restore(tx, workspace, key, &change, &description, now).await?;
            return Ok(());
        }
        _ => return Ok(()),
    };
    let description = format!("{description}: {}", sale.description);
    ledger::claw_back(tx, workspace, key, wanted, &change, &description, now).await?;
    Ok(())
}

const IS_BOOKED: &str = "select count(*) from payment_sales where sale_id = $1";

/// Whether a sale was credited.
pub(super) async fn is_booked(tx: &mut Tx, sale_id: &str) -> Result<bool> {
    let sales: i64 = on!(tx, conn => sqlx::query_scalar(IS_BOOKED).bind(sale_id).fetch_one(conn).await)?;
    Ok(sales > 0)
}

const HAD_PLAN: &str = "select count(*) from payment_sales where workspace_id = $1 and substr(sale_id, 1, 3) = 'in_'";

/// Whether a workspace ever had a plan: of those there is one trial.
pub(super) async fn had_plan(tx: &mut Tx, workspace: WorkspaceId) -> Result<bool> {
    let plans: i64 = on!(tx, conn => sqlx::query_scalar(HAD_PLAN).bind(workspace).fetch_one(conn).await)?;
    Ok(plans > 0)
}

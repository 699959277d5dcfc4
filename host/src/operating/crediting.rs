//! What operators do by hand to credits and prices: each with a reason, and a record of it in the same transaction.

use super::records::{self, Record};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::Actor;
use crate::error::{Error, Result};
use crate::id::{HoldId, WorkspaceId};
use crate::ledger::{self, Balance, Grant, GrantOrigin};
use crate::prices::{self, NewPrice, Price};
use crate::publications;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Credits to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenCredits {
    /// How many.
    pub credits: i64,
    /// As what; promotional where absent.
    #[serde(default = "promotional")]
    pub origin: GrantOrigin,
    /// When what is unused of them ends; never where absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Why, as the workspace reads it too.
    pub reason: String,
}

fn promotional() -> GrantOrigin {
    GrantOrigin::Promotional
}

/// A correction of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Credits to add, or to take where it is negative: of what is available, no more.
    pub credits: i64,
    /// Why, as the workspace reads it too.
    pub reason: String,
}

/// A charge to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenBack {
    /// What the run had reserved: `hold_id` of its transactions and its receipt.
    pub hold_id: HoldId,
    /// How many of the credits that were charged.
    pub credits: i64,
    /// Why, as the workspace reads it too.
    pub reason: String,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Credited {
    /// False where it had been done before: then nothing changed.
    pub is_new: bool,
    /// The workspace's credits now.
    pub balance: Balance,
}

fn check_reason(reason: &str) -> Result<()> {
    if (1..=500).contains(&reason.trim().chars().count()) && !reason.contains('\0') {
        return Ok(());
    }
    Err(Error::invalid("reason", "Say why, in 1 to 500 characters."))
}

/// A key that nobody else has, where none is given.
fn key_or_new(key: Option<String>) -> Result<String> {
    publications::check_key(key.as_deref())?;
    Ok(key.unwrap_or_else(|| uuid::Uuid::now_v7().to_string()))
}

/// Gives a workspace credits.
///
/// # Errors
/// There is no such workspace; the credits or the reason make no sense; the database failed.
pub async fn grant(
    app: &App,
    actor: Actor,
    workspace: WorkspaceId,
    given: &GivenCredits,
    key: Option<String>,
) -> Result<Credited> {
    check_reason(&given.reason)?;
    at_least_one(given.credits)?;
    let now = app.now();
    if given.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::invalid("expires_at", "Credits cannot have ended before they are given."));
    }
    let key = format!("operator/{}", key_or_new(key)?);
    let grant = Grant {
        origin: given.origin,
        credits: given.credits,
        key: &key,
        expires_at: given.expires_at,
        description: given.reason.trim(),
    };
    let mut tx = app.db().begin().await?;
    let is_new = ledger::grant(&mut tx, workspace, &grant, now).await?;
    let details = json!({"credits": given.credits, "origin": given.origin, "expires_at": given.expires_at, "key": key});
    ended(tx, Done { actor, action: "credits.grant", workspace, details, reason: &given.reason, is_new }, now).await
}

fn at_least_one(credits: i64) -> Result<()> {
    if credits >= 1 { Ok(()) } else { Err(Error::invalid("credits", "It is a number of credits of at least 1.")) }
}

/// Corrects a workspace's account.
///
/// # Errors
/// As [`grant`], or fewer credits are available than are to be taken.
pub async fn adjust(
    app: &App,
    actor: Actor,
    workspace: WorkspaceId,
    correction: &Correction,
    key: Option<String>,
) -> Result<Credited> {
    check_reason(&correction.reason)?;
    let (now, key) = (app.now(), key_or_new(key)?);
    let mut tx = app.db().begin().await?;
    let is_new = ledger::adjust(&mut tx, workspace, correction.credits, &key, correction.reason.trim(), now).await?;
    let details = json!({"credits": correction.credits, "key": key});
    let done = Done { actor, action: "credits.adjust", workspace, details, reason: &correction.reason, is_new };
    ended(tx, done, now).await
}

/// Gives back what a run was charged, once.
///
/// # Errors
/// As [`grant`], or the workspace was never charged so much for that run.
pub async fn refund(app: &App, actor: Actor, workspace: WorkspaceId, back: &GivenBack) -> Result<Credited> {
    check_reason(&back.reason)?;
    at_least_one(back.credits)?;
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let refunded = ledger::refund(&mut tx, workspace, back.hold_id, back.credits, back.reason.trim(), now).await?;
    let is_new = refunded == ledger::Refunded::Done;
    let details = json!({"credits": back.credits, "hold_id": back.hold_id});
    ended(tx, Done { actor, action: "credits.refund", workspace, details, reason: &back.reason, is_new }, now).await
}

/// What is to be written down.
struct Done<'a> {
    actor: Actor,
    action: &'static str,
    workspace: WorkspaceId,
    details: serde_json::Value,
    reason: &'a str,
    is_new: bool,
}

async fn ended(mut tx: crate::db::Tx, done: Done<'_>, now: Timestamp) -> Result<Credited> {
    let Done { actor, action, workspace, details, reason, is_new } = done;
    if is_new {
        let actor = &actor.to_string();
        let record = Record { actor, action, workspace: Some(workspace), details, reason };
        records::add(&mut tx, &record, now).await?;
    }
    let balance = ledger::balance(&mut tx, workspace).await?;
    tx.commit().await?;
    Ok(Credited { is_new, balance })
}

/// Sets a price, from a time on.
///
/// # Errors
/// It makes no sense; the database failed.
pub async fn set_price(app: &App, actor: Actor, new: &NewPrice) -> Result<Price> {
    let (now, actor) = (app.now(), &actor.to_string());
    let mut tx = app.db().begin().await?;
    let price = prices::add(&mut tx, new, actor, now).await?;
    let details = serde_json::to_value(&price).map_err(anyhow::Error::from)?;
    let record = Record { actor, action: "price.set", workspace: new.workspace_id, details, reason: new.reason.trim() };
    records::add(&mut tx, &record, now).await?;
    tx.commit().await?;
    Ok(price)
}

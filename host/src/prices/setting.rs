//! Prices as operators set them: each from a time on, and never changed.

use super::{Unit, VendorKey};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{PriceId, WorkspaceId};
use crate::on;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most credits that one unit may cost.
const MAX_PRICE: i64 = 1_000_000_000;

/// A price, from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
pub struct Price {
    /// The version.
    pub id: PriceId,
    /// The metered operation.
    pub operation: String,
    /// What it is for.
    pub unit: Unit,
    /// Credits for one of the unit.
    pub credits: i64,
    /// The connector that it is for; null for all.
    pub connector: Option<String>,
    /// The model that it is for; null for all.
    pub model: Option<String>,
    /// The workspace that it is for; null for all.
    pub workspace_id: Option<WorkspaceId>,
    /// Whose account at the vendor it is for.
    pub vendor_key: VendorKey,
    /// From when on it counts.
    pub valid_from: Timestamp,
}

/// A price to be set.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// The metered operation, such as `social_caption`.
    pub operation: String,
    /// What it is for; a run where absent.
    #[serde(default = "per_run")]
    pub unit: Unit,
    /// Credits for one of the unit.
    pub credits: i64,
    /// The connector that it is for; all where absent.
    #[serde(default)]
    pub connector: Option<String>,
    /// The model that it is for, along with its connector; all where absent.
    #[serde(default)]
    pub model: Option<String>,
    /// The workspace that it is for; all where absent.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    /// Whose account at the vendor it is for.
    #[serde(default)]
    pub vendor_key: VendorKey,
    /// From when on it counts; at once where absent. Not in the past.
    #[serde(default)]
    pub valid_from: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

fn per_run() -> Unit {
    Unit::Run
}

const INSERT: &str = "insert into price_versions
        (id, operation, unit, credits, connector, model, workspace_id, vendor_key, valid_from, set_by, reason, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const EXISTS: &str = "select count(*) from workspaces where id = $1";

/// Sets a price, from a time on.
///
/// # Errors
/// [`Error::Invalid`] for one that makes no sense, or [`Error::NotFound`] for a workspace that is not there; the database failed.
pub async fn add(tx: &mut Tx, new: &NewPrice, by: &str, now: Timestamp) -> Result<Price> {
    check(new, now)?;
    if let Some(workspace) = new.workspace_id {
        let found: i64 = on!(&mut *tx, conn => sqlx::query_scalar(EXISTS).bind(workspace).fetch_one(conn).await)?;
        if found == 0 {
            return Err(Error::NotFound("workspace"));
        }
    }
    let price = Price {
        id: PriceId::new(),
        operation: new.operation.clone(),
        unit: new.unit,
        credits: new.credits,
        connector: new.connector.clone(),
        model: new.model.clone(),
        workspace_id: new.workspace_id,
        vendor_key: new.vendor_key,
        valid_from: new.valid_from.unwrap_or(now),
    };
    on!(tx, conn => sqlx::query(INSERT)
        .bind(price.id).bind(&price.operation).bind(price.unit).bind(price.credits).bind(&price.connector)
        .bind(&price.model).bind(price.workspace_id).bind(price.vendor_key).bind(price.valid_from).bind(by)
        .bind(&new.reason).bind(now)
        .execute(conn).await.map(drop))?;
    Ok(price)
}

fn check(new: &NewPrice, now: Timestamp) -> Result<()> {
    let is_name = |name: &str| (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    let names =
        [("operation", Some(&new.operation)), ("connector", new.connector.as_ref()), ("model", new.model.as_ref())];
    for (field, name) in names {
        if name.is_some_and(|name| !is_name(name)) {
            return Err(Error::invalid(field, "A name has 1 to 100 characters, in one line."));
        }
    }
    if !(0..=MAX_PRICE).contains(&new.credits) {
        return Err(Error::invalid("credits", format!("A price is of 0 to {MAX_PRICE} credits.")));
    }
    if new.model.is_some() && new.connector.is_none() {
        return Err(Error::invalid("connector", "A model's price names its connector as well."));
    }
    if new.valid_from.is_some_and(|from| from < now) {
        return Err(Error::invalid(
            "valid_from",
            "A price counts from now on at the earliest: what was, stays as it was.",
        ));
    }
    if !(1..=500).contains(&new.reason.trim().chars().count()) || new.reason.contains('\0') {
        return Err(Error::invalid("reason", "Say why, in 1 to 500 characters."));
    }
    Ok(())
}

/// Sets what a run of an operation costs everybody, from the next quote on.
///
/// # Errors
/// As [`add`].
pub async fn set(tx: &mut Tx, operation: &str, credits: i64, now: Timestamp) -> Result<()> {
    let new = NewPrice {
        operation: operation.to_owned(),
        unit: Unit::Run,
        credits,
        connector: None,
        model: None,
        workspace_id: None,
        vendor_key: VendorKey::Any,
        valid_from: None,
        reason: "set by the program".to_owned(),
    };
    add(tx, &new, "command", now).await.map(drop)
}

const LIST: &str = "select id, operation, unit, credits, connector, model, workspace_id, vendor_key, valid_from
    from (select price_versions.*, row_number() over
            (partition by operation, unit, connector, model, workspace_id, vendor_key order by valid_from desc, id desc) as place
        from price_versions where valid_from <= $1 and (workspace_id is null or workspace_id = $2)) as known
    where place = 1 order by operation, unit, connector, model, workspace_id, vendor_key";

/// The prices that count for a workspace now.
///
/// # Errors
/// The database failed.
pub async fn of_workspace(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<Vec<Price>> {
    Ok(on!(tx, conn => sqlx::query_as(LIST).bind(now).bind(workspace).fetch_all(conn).await)?)
}

const HISTORY: &str = "select id, operation, unit, credits, connector, model, workspace_id, vendor_key, valid_from
    from price_versions order by operation, valid_from desc, id desc limit 10000";

/// Every version of every price, the newest of an operation first.
///
/// # Errors
/// The database failed.
pub async fn all(tx: &mut Tx) -> Result<Vec<Price>> {
    Ok(on!(tx, conn => sqlx::query_as(HISTORY).fetch_all(conn).await)?)
}

//! What operations cost, in credits.
//!
//! Owns the table `price_versions`. It knows nothing of accounts: a quote is a number that the ledger is asked to hold, and how it
//! came about. A price is never changed: another is valid from later on, and what was held keeps the price that it was held at.
//!
//! An operation costs the sum of what its units cost: a run, and what the run is told to need of tokens, images and so on. Of each
//! unit the nearest price counts: the workspace's own before everybody's, that for runs on the customer's own key before that for
//! all, that of a model before that of its connector before that of all. Parts of a unit are rounded up.

mod setting;

pub use setting::{NewPrice, Price, add, all, of_workspace, set};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, PriceId, WorkspaceId};
use crate::on;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most of anything that a run may be said to need.
const MAX_QUANTITY: i64 = 1_000_000_000_000_000;

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = PriceUnit)]
pub enum Unit {
    /// A run, whatever it needs.
    Run,
    /// 1,000 tokens.
    Kilotoken,
    /// A picture.
    Image,
    /// A second of film or sound.
    Second,
    /// A post.
    Post,
    /// 1,000,000,000 bytes.
    Gigabyte,
}

/// What a run needs beyond being a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantities {
    /// Tokens of a model, read and written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<i64>,
    /// Pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<i64>,
    /// Seconds of film or sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// Posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<i64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
}

impl Quantities {
    /// How much of a unit, and how many of it the price is for.
    fn of(&self, unit: Unit) -> Option<(i64, i64)> {
        Some(match unit {
            Unit::Run => (1, 1),
            Unit::Kilotoken => (self.tokens?, 1_000),
            Unit::Image => (self.images?, 1),
            Unit::Second => (self.seconds?, 1),
            Unit::Post => (self.posts?, 1),
            Unit::Gigabyte => (self.bytes?, 1_000_000_000),
        })
    }

    fn check(&self) -> Result<()> {
        let named = [
            ("tokens", self.tokens),
            ("images", self.images),
            ("seconds", self.seconds),
            ("posts", self.posts),
            ("bytes", self.bytes),
        ];
        for (name, quantity) in named {
            if quantity.is_some_and(|quantity| !(0..=MAX_QUANTITY).contains(&quantity)) {
                let detail = format!("A run needs 0 to {MAX_QUANTITY} of it.");
                return Err(Error::invalid(format!("quantities/{name}"), detail));
            }
        }
        Ok(())
    }
}

/// A run that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The metered operation.
    pub operation: &'a str,
    /// What carries it out, where that is known.
    pub connector: Option<&'a str>,
    /// Its model.
    pub model: Option<&'a str>,
    /// The account that it acts for: the app that minted its tokens says whose key it is.
    pub connection: Option<ConnectionId>,
    /// What it needs.
    pub quantities: Quantities,
}

/// What a run costs, and how that comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PriceQuote)]
pub struct Quote {
    /// Credits in all.
    pub credits: i64,
    /// They sum to it.
    pub items: Vec<Item>,
}

/// A line of a quote or of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PriceItem)]
pub struct Item {
    /// The metered operation.
    pub operation: String,
    /// The connector that the price is for; absent where it is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// The model that the price is for; absent where it is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The version of the price.
    pub price: PriceId,
    /// What the price is for.
    pub unit: Unit,
    /// How much of it: tokens, bytes, or the unit itself.
    pub quantity: i64,
    /// Credits for one of the unit.
    pub credits_per_unit: i64,
    /// Credits of this line.
    pub credits: i64,
}

impl Quote {
    /// Of what costs nothing, whatever the prices are.
    #[must_use]
    pub(crate) fn nothing() -> Self {
        Self { credits: 0, items: Vec::new() }
    }

    /// How it comes about, to be kept with what is held for it; `None` where nothing is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn items_to_keep(&self) -> Result<Option<String>> {
        let kept = (self.credits > 0).then(|| serde_json::to_string(&self.items)).transpose();
        Ok(kept.map_err(anyhow::Error::from)?)
    }

    /// What a run costs at this quote that used so much; what it says nothing of counts as it was quoted.
    ///
    /// # Errors
    /// The numbers are beyond all credits.
    pub fn charge(&self, used: &Quantities) -> Result<i64> {
        let mut credits: i64 = 0;
        for item in &self.items {
            let cost = match (item.unit, used.of(item.unit)) {
                (Unit::Run, _) | (_, None) => item.credits,
                (_, Some((quantity, per))) => cost(quantity, per, item.credits_per_unit)?,
            };
            credits = credits.checked_add(cost).ok_or_else(too_much)?;
        }
        Ok(credits)
    }
}

fn too_much() -> Error {
    Error::invalid("quantities", "So much would cost more credits than anybody can have.")
}

/// Rounded up.
fn cost(quantity: i64, per: i64, credits: i64) -> Result<i64> {
    let (whole, per) = (i128::from(quantity) * i128::from(credits), i128::from(per));
    i64::try_from((whole + per - 1) / per).map_err(|_| too_much())
}

/// A price as far as a quote needs it.
#[derive(Debug, sqlx::FromRow)]
struct Known {
    id: PriceId,
    unit: Unit,
    credits: i64,
    connector: Option<String>,
    model: Option<String>,
    workspace_id: Option<WorkspaceId>,
    vendor_key: VendorKey,
}

impl Known {
    fn is_for_own_key(&self) -> bool {
        self.vendor_key == VendorKey::Own
    }

    /// How near it is to what is asked about: the largest counts.
    fn nearness(&self) -> [bool; 4] {
        [self.workspace_id.is_some(), self.is_for_own_key(), self.model.is_some(), self.connector.is_some()]
    }
}

/// Whose account at the vendor a price is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum VendorKey {
    /// Anybody's.
    #[default]
    Any,
    /// The customer's own: an app that the workspace has brought.
    Own,
}

const QUOTE: &str = "select id, unit, credits, connector, model, workspace_id, vendor_key
    from (select id, unit, credits, connector, model, workspace_id, vendor_key, row_number() over
            (partition by unit, connector, model, workspace_id, vendor_key order by valid_from desc, id desc) as place
        from price_versions
        where operation = $1 and valid_from <= $2 and (workspace_id is null or workspace_id = $3)
            and (connector is null or connector = $4) and (model is null or model = $5)) as known
    where place = 1";
// By itself, since hardly anybody has prices for own keys: as a part of `QUOTE` it made PostgreSQL plan that anew each time.
const BRINGS_KEY: &str = "select count(*) from connections c join connector_apps a on a.id = c.app_id
    where c.workspace_id = $1 and c.id = $2 and a.workspace_id is not null";

/// What a run costs now. What was held keeps the price it was held at.
///
/// # Errors
/// [`Error::Unpriced`]: an unknown price is a refusal, never nothing. [`Error::Invalid`] for quantities that make no sense.
pub async fn quote(tx: &mut Tx, asked: &Asked<'_>, now: Timestamp) -> Result<Quote> {
    asked.quantities.check()?;
    let mut known: Vec<Known> = on!(&mut *tx, conn => sqlx::query_as(QUOTE)
        .bind(asked.operation).bind(now).bind(asked.workspace).bind(asked.connector).bind(asked.model)
        .fetch_all(conn).await)?;
    if known.iter().any(Known::is_for_own_key) && !brings_key(tx, asked).await? {
        known.retain(|price| !price.is_for_own_key());
    }
    let mut nearest: Vec<Known> = Vec::new();
    for price in known {
        match nearest.iter_mut().find(|other| other.unit == price.unit) {
            Some(other) if price.nearness() > other.nearness() => *other = price,
            Some(_) => {}
            None => nearest.push(price),
        }
    }
    nearest.sort_by_key(|price| price.unit);
    let mut quote = Quote { credits: 0, items: Vec::new() };
    for price in nearest {
        // What the run needs none of costs nothing; what nothing is said of is not known to be needed.
        let Some((quantity, per)) = asked.quantities.of(price.unit) else { continue };
        let credits = cost(quantity, per, price.credits)?;
        quote.credits = quote.credits.checked_add(credits).ok_or_else(too_much)?;
        quote.items.push(Item {
            operation: asked.operation.to_owned(),
            connector: price.connector,
            model: price.model,
            price: price.id,
            unit: price.unit,
            quantity,
            credits_per_unit: price.credits,
            credits,
        });
    }
    if quote.items.is_empty() { Err(Error::Unpriced(asked.operation.to_owned())) } else { Ok(quote) }
}

/// Whether a run acts for an account by an app that its workspace has brought.
async fn brings_key(tx: &mut Tx, asked: &Asked<'_>) -> sqlx::Result<bool> {
    let Some(connection) = asked.connection else { return Ok(false) };
    let own: i64 = on!(tx, conn => sqlx::query_scalar(BRINGS_KEY)
        .bind(asked.workspace).bind(connection)
        .fetch_one(conn).await)?;
    Ok(own > 0)
}

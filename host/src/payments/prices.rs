//! What a price of Stripe's stands for. It is read once and kept: sales keep what they were sold with, whatever is written on the
//! price later. Owns the tables `payment_prices` and `payment_offers`.

use super::objects::{CREDITS, Invoice, Price, Subscription, TIER};
use super::plans::{Interval, Offer, Plans};
use super::stripe::Client;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::on;
use std::collections::{BTreeSet, HashMap};

/// What a price stands for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Pinned {
    pub(super) price_id: String,
    /// `None` for credits alone.
    pub(super) tier: Option<String>,
    /// `None` for once.
    pub(super) period: Option<Interval>,
    /// A month, or at once; none for a price that is not of ours.
    pub(super) credits: i64,
    /// In the currency's smallest unit.
    #[sqlx(rename = "unit_amount")]
    pub(super) amount: i64,
    pub(super) currency: String,
}

/// Prices by their id.
pub(super) type Prices = HashMap<String, Pinned>;

impl Pinned {
    /// For a person.
    pub(super) fn title(&self) -> Option<String> {
        let tier = self.tier.as_ref()?;
        Some(match self.period {
            Some(interval) => format!("{tier}, each {}", interval.word()),
            None => tier.clone(),
        })
    }

    fn is_of(&self, offer: &Offer) -> bool {
        let Offer { tier, interval, credits, amount, currency, .. } = offer;
        let same = (&self.tier, &self.period, &self.credits, &self.amount, &self.currency);
        same == (tier, interval, credits, amount, currency)
    }

    fn of(price: &Price) -> Self {
        let period = match price.interval() {
            Some("month") => Some(Interval::Month),
            Some("year") => Some(Interval::Year),
            _ => None,
        };
        let credits = price.word(CREDITS).and_then(|credits| credits.parse().ok()).filter(|credits| *credits >= 0);
        Self {
            price_id: price.id.clone(),
            tier: price.word(TIER).map(str::to_owned),
            period,
            credits: credits.unwrap_or(0),
            amount: price.amount(),
            currency: price.currency.clone().unwrap_or_default(),
        }
    }
}

const FIND: &str =
    "select price_id, tier, period, credits, unit_amount, currency from payment_prices where price_id = $1";
const KEEP: &str = "insert into payment_prices (price_id, tier, period, credits, unit_amount, currency, created_at)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (price_id) do nothing";

async fn find(tx: &mut Tx, id: &str) -> Result<Option<Pinned>> {
    Ok(on!(tx, conn => sqlx::query_as(FIND).bind(id).fetch_optional(conn).await)?)
}

/// Keeps what a price stands for, unless that is kept already, or it is not of ours.
pub(super) async fn keep(tx: &mut Tx, price: &Price, now: Timestamp) -> Result<()> {
    let pinned = Pinned::of(price);
    if pinned.credits == 0 {
        return Ok(());
    }
    on!(tx, conn => sqlx::query(KEEP)
        .bind(&pinned.price_id).bind(&pinned.tier).bind(pinned.period).bind(pinned.credits).bind(pinned.amount)
        .bind(&pinned.currency).bind(now).execute(conn).await.map(drop))?;
    Ok(())
}

/// What the prices of invoices and subscriptions stand for. Those that are new are read at Stripe, and kept.
///
/// # Errors
/// Stripe did not answer; the database failed.
pub(super) async fn of(
    app: &App,
    client: Client<'_>,
    invoices: &[Invoice],
    subscriptions: &[Subscription],
) -> Result<Prices> {
    let lines = || invoices.iter().flat_map(|invoice| &invoice.lines.data);
    let items = || subscriptions.iter().flat_map(|it| &it.items.data).filter_map(|item| item.price());
    let whole: HashMap<&str, &Price> =
        lines().filter_map(|line| line.price()).chain(items()).map(|price| (price.id.as_str(), price)).collect();
    let wanted: BTreeSet<&str> = lines().filter_map(|line| line.price_id()).chain(whole.keys().copied()).collect();
    let mut found = Prices::new();
    for id in wanted {
        let known = find(&mut app.db().read().await?, id).await?;
        let pinned = match known {
            Some(pinned) => pinned,
            None => {
                let read = match whole.get(id) {
                    Some(price) => Some((*price).clone()),
                    None => client.get::<Price>(&format!("/v1/prices/{id}"), &Vec::new()).await?,
                };
                let Some(price) = read else { continue };
                let mut tx = app.db().begin().await?;
                keep(&mut tx, &price, app.now()).await?;
                let kept = find(&mut tx, id).await?;
                tx.commit().await?;
                kept.unwrap_or_else(|| Pinned::of(&price))
            }
        };
        found.insert(id.to_owned(), pinned);
    }
    Ok(found)
}

const OFFER: &str = "insert into payment_offers (lookup_key, price_id) values ($1, $2)
    on conflict (lookup_key) do update set price_id = excluded.price_id";
const OFFERED: &str = "select p.price_id, p.tier, p.period, p.credits, p.unit_amount, p.currency
    from payment_offers o join payment_prices p on p.price_id = o.price_id where o.lookup_key = $1";

/// Offers a price under a name, in place of what was offered under it before.
pub(super) async fn offer(tx: &mut Tx, lookup_key: &str, price: &Price, now: Timestamp) -> Result<()> {
    keep(tx, price, now).await?;
    on!(tx, conn => sqlx::query(OFFER).bind(lookup_key).bind(&price.id).execute(conn).await.map(drop))?;
    Ok(())
}

/// The names of what is for sale and cannot be bought: it has no price at Stripe that is known here, or another than it should.
///
/// # Errors
/// The database failed.
pub async fn not_offered(tx: &mut Tx, plans: &Plans) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for offer in plans.offers() {
        if !offered(tx, &offer.lookup_key).await?.is_some_and(|pinned| pinned.is_of(&offer)) {
            names.push(offer.lookup_key);
        }
    }
    Ok(names)
}

/// The price that is offered under a name.
pub(super) async fn offered(tx: &mut Tx, lookup_key: &str) -> Result<Option<Pinned>> {
    Ok(on!(tx, conn => sqlx::query_as(OFFERED).bind(lookup_key).fetch_optional(conn).await)?)
}

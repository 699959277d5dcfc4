//! Making at Stripe what is offered: `orla stripe sync`.

use super::objects::{CREDITS, Price, TIER};
use super::plans::{Offer, Plans};
use super::prices;
use super::stripe::{Client, Parameters, with};
use crate::app::App;
use crate::error::Result;
use serde::Deserialize;

/// A price of what is offered.
#[derive(Debug, Clone)]
pub struct Synced {
    /// By which it is found.
    pub lookup_key: String,
    /// For a person.
    pub title: String,
    /// In the currency's smallest unit.
    pub amount: i64,
    /// Of the amount.
    pub currency: String,
    /// Stripe's id of it.
    pub price_id: String,
    /// Whether it was made just now.
    pub is_new: bool,
}

#[derive(Deserialize)]
struct Product {
    id: String,
}

/// Finds each price of what is offered by its lookup key, and makes those that are missing or have changed. The prices before stay:
/// subscriptions to them go on, with the credits that they were sold with.
///
/// # Errors
/// The plans make no sense; Stripe or the database failed.
pub async fn sync(app: &App) -> Result<Vec<Synced>> {
    let client = Client::of(app)?;
    let mut done = Vec::new();
    for offer in super::plans(app)?.offers() {
        let (price, is_new) = match find(client, &offer).await? {
            Some(price) => (price, false),
            None => (make(client, &offer).await?, true),
        };
        let mut tx = app.db().begin().await?;
        prices::offer(&mut tx, &offer.lookup_key, &price, app.now()).await?;
        tx.commit().await?;
        let Offer { lookup_key, title, amount, currency, .. } = offer;
        done.push(Synced { lookup_key, title, amount, currency, price_id: price.id, is_new });
    }
    Ok(done)
}

/// The names of what is for sale without a price at Stripe that fits it.
///
/// # Errors
/// There is no key, or Stripe refuses it or failed.
pub async fn missing(app: &App, plans: &Plans) -> Result<Vec<String>> {
    let client = Client::of(app)?;
    let mut names = Vec::new();
    for offer in plans.offers() {
        if find(client, &offer).await?.is_none() {
            names.push(offer.lookup_key);
        }
    }
    Ok(names)
}

/// The price of an offer, where Stripe has one that fits it.
async fn find(client: Client<'_>, offer: &Offer) -> Result<Option<Price>> {
    let asked = [with("lookup_keys[]", &offer.lookup_key), with("active", &true)];
    let found = client.list::<Price>("/v1/prices", &asked).await?.into_iter().next();
    Ok(found.filter(|price| fits(price, offer)))
}

fn fits(price: &Price, offer: &Offer) -> bool {
    price.amount() == offer.amount
        && price.currency.as_deref() == Some(&offer.currency)
        && price.interval() == offer.interval.map(|interval| interval.word())
        && price.word(CREDITS) == Some(&offer.credits.to_string())
        && price.word(TIER) == offer.tier.as_deref()
}

async fn make(client: Client<'_>, offer: &Offer) -> Result<Price> {
    let Offer { lookup_key, title, tier, interval, credits, amount, currency } = offer;
    let named = format!("{lookup_key}-{amount}-{currency}-{credits}");
    let product: Product =
        client.post("/v1/products", &vec![with("name", title)], &format!("orla-product-{named}")).await?;
    let mut parameters: Parameters = vec![
        with("product", &product.id),
        with("currency", currency),
        with("unit_amount", amount),
        with("lookup_key", lookup_key),
        with("transfer_lookup_key", &true),
        with(&format!("metadata[{CREDITS}]"), credits),
    ];
    parameters.extend(tier.as_ref().map(|tier| with(&format!("metadata[{TIER}]"), tier)));
    parameters.extend(interval.map(|interval| with("recurring[interval]", interval.word())));
    client.post("/v1/prices", &parameters, &format!("orla-price-{named}")).await
}

//! What is offered: plans with credits each month, and credits alone. `plans.toml` has them; `orla stripe sync` makes them at
//! Stripe, where each is found by its lookup key.

use crate::error::{Error, Result};
use anyhow::{Context as _, ensure};
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// How often a plan is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = BillingInterval)]
pub enum Interval {
    /// Each month.
    Month,
    /// Each year. Its credits come each month.
    Year,
}

impl Interval {
    /// As Stripe names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// How many months of credits are paid for at once.
    #[must_use]
    pub fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }
}

/// A plan.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its name in the API.
    pub name: String,
    /// Its name for a person.
    pub title: String,
    /// What a month costs, in the currency's smallest unit.
    pub month: i64,
    /// What a year costs; null where it is not sold by the year.
    #[serde(default)]
    pub year: Option<i64>,
    /// Credits a month.
    pub credits: i64,
}

/// Credits that are bought once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    /// How many.
    pub credits: i64,
    /// What they cost, in the currency's smallest unit.
    pub amount: i64,
}

/// All that is offered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plans {
    /// Of all amounts, by ISO 4217, in lower case.
    pub currency: String,
    /// The plans.
    pub tiers: Vec<Tier>,
    /// Credits alone.
    pub top_ups: Vec<TopUp>,
}

/// One price of what is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// By which Stripe finds it.
    pub lookup_key: String,
    /// For a person.
    pub title: String,
    /// The plan's name; `None` for credits alone.
    pub tier: Option<String>,
    /// How often it is paid for; `None` for once.
    pub interval: Option<Interval>,
    /// Credits a month, or at once.
    pub credits: i64,
    /// In the currency's smallest unit.
    pub amount: i64,
    /// Of the amount.
    pub currency: String,
}

/// What somebody wants to buy.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// A plan by its name.
    #[serde(default)]
    pub tier: Option<String>,
    /// How often the plan is paid for; each month where absent.
    #[serde(default)]
    pub interval: Option<Interval>,
    /// Or credits alone: as many as one of the offers has.
    #[serde(default)]
    pub credits: Option<i64>,
    /// What you mean to pay in: refused where it is not what is asked.
    #[serde(default)]
    pub currency: Option<String>,
}

impl Plans {
    /// Those of this program.
    ///
    /// # Errors
    /// They make no sense.
    pub fn built_in() -> anyhow::Result<Self> {
        Self::parse(include_str!("plans.toml"))
    }

    /// Reads plans in TOML.
    ///
    /// # Errors
    /// They cannot be read, or make no sense.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let plans: Self = Figment::from(Toml::string(text)).extract().context("the plans cannot be read")?;
        let is_currency = plans.currency.len() == 3 && plans.currency.bytes().all(|byte| byte.is_ascii_lowercase());
        ensure!(is_currency, "the currency is three small letters, such as `gbp`");
        let offers = plans.offers();
        for Offer { lookup_key, credits, amount, .. } in &offers {
            ensure!((1..=1_000_000_000).contains(credits), "{lookup_key} has between 1 and 1000000000 credits");
            ensure!((1..=99_999_999).contains(amount), "{lookup_key} costs between 1 and 99999999");
        }
        let keys: BTreeSet<&str> = offers.iter().map(|offer| offer.lookup_key.as_str()).collect();
        ensure!(keys.len() == offers.len(), "two offers have the same name");
        Ok(plans)
    }

    /// Every price of it.
    #[must_use]
    pub fn offers(&self) -> Vec<Offer> {
        let mut offers = Vec::new();
        for tier in &self.tiers {
            let of = |interval: Interval, amount| Offer {
                lookup_key: format!("orla_{}_{}", tier.name, interval.word()),
                title: format!("{}, each {}", tier.title, interval.word()),
                tier: Some(tier.name.clone()),
                interval: Some(interval),
                credits: tier.credits,
                amount,
                currency: self.currency.clone(),
            };
            offers.push(of(Interval::Month, tier.month));
            offers.extend(tier.year.map(|amount| of(Interval::Year, amount)));
        }
        offers.extend(self.top_ups.iter().map(|top_up| Offer {
            lookup_key: format!("orla_credits_{}", top_up.credits),
            title: format!("{} credits", top_up.credits),
            tier: None,
            interval: None,
            credits: top_up.credits,
            amount: top_up.amount,
            currency: self.currency.clone(),
        }));
        offers
    }

    /// What is meant.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it is not offered, or the wish names both a plan and credits, or neither.
    pub fn choose(&self, wish: &Wish) -> Result<Offer> {
        if let Some(currency) = wish.currency.as_deref().filter(|it| !it.eq_ignore_ascii_case(&self.currency)) {
            let detail = format!("Prices are in `{}`, not in `{}`.", self.currency, currency.escape_default());
            return Err(Error::invalid("currency", detail));
        }
        let wanted = match (&wish.tier, wish.credits) {
            (Some(tier), None) => return self.plan(tier, wish.interval.unwrap_or(Interval::Month)),
            (None, Some(credits)) => credits,
            _ => return Err(Error::invalid("tier", "Name either a `tier`, or `credits`.")),
        };
        if wish.interval.is_some() {
            return Err(Error::invalid("interval", "Credits alone are paid for once: leave `interval` out."));
        }
        let found = self.offers().into_iter().find(|offer| offer.tier.is_none() && offer.credits == wanted);
        found.ok_or_else(|| {
            let offered: Vec<String> = self.top_ups.iter().map(|top_up| top_up.credits.to_string()).collect();
            Error::invalid("credits", format!("There are {} credits to be bought, not {wanted}.", offered.join(", ")))
        })
    }

    fn plan(&self, tier: &str, interval: Interval) -> Result<Offer> {
        let offers = self.offers();
        let found = offers.iter().find(|it| it.tier.as_deref() == Some(tier) && it.interval == Some(interval));
        found.cloned().ok_or_else(|| {
            if self.tiers.iter().any(|known| known.name == tier) {
                let detail = format!("`{tier}` is not sold by the {}.", interval.word());
                return Error::invalid("interval", detail);
            }
            let names: Vec<&str> = self.tiers.iter().map(|tier| tier.name.as_str()).collect();
            Error::invalid("tier", format!("The plans are {}.", names.join(", ")))
        })
    }
}

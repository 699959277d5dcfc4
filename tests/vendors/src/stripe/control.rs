//! What the simulator can be told over HTTP.

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Refused;
use super::settings::Settings;
use super::state::Stripe;
use crate::control::{Wrong, act, bad, faults, look, read, settings, tell};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    session: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settled {
    session: String,
    ok: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declining {
    customer: String,
    declines: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invoice {
    invoice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    subscription: String,
    price: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    subscription: String,
    at_period_end: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Charge {
    charge: String,
    #[serde(default)]
    amount: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    dispute: String,
    won: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redelivery {
    event: String,
}

/// Everything under `/_sim/stripe/`.
pub(super) fn router() -> Router<Stripe> {
    let put = |stripe: &Stripe, settings: Settings| {
        settings.check()?;
        stripe.change(|known| *known = settings);
        Ok(())
    };
    let control = Router::new()
        .route("/events", look(Stripe::events))
        .route("/deliveries", look(Stripe::deliveries))
        .route("/now", look(Stripe::now))
        .route("/requests", look(Stripe::requests))
        .route("/counts", look(Stripe::counts))
        .route("/settings", settings(Stripe::settings, put))
        .route("/faults", faults(Stripe::door))
        .route("/advance", tell(Stripe::advance))
        .route("/reset", act(Stripe::reset))
        .route("/pay", order(|stripe, asked: Session| stripe.pay(&asked.session)))
        .route("/pay_later", order(|stripe, asked: Session| stripe.pay_later(&asked.session)))
        .route("/settle_later", order(|stripe, asked: Settled| stripe.settle_later(&asked.session, asked.ok)))
        .route("/expire", order(|stripe, asked: Session| stripe.expire(&asked.session)))
        .route(
            "/decline",
            order(|stripe, asked: Declining| stripe.decline(&asked.customer, asked.declines).map(|()| Value::Null)),
        )
        .route("/retry", order(|stripe, asked: Invoice| stripe.retry(&asked.invoice)))
        .route("/change_plan", order(|stripe, asked: Plan| stripe.change_plan(&asked.subscription, &asked.price)))
        .route("/cancel", order(|stripe, asked: Cancellation| stripe.cancel(&asked.subscription, asked.at_period_end)))
        .route("/refund", order(|stripe, asked: Charge| stripe.refund(&asked.charge, asked.amount)))
        .route("/dispute", order(|stripe, asked: Charge| stripe.dispute(&asked.charge)))
        .route("/close_dispute", order(|stripe, asked: Verdict| stripe.close_dispute(&asked.dispute, asked.won)))
        .route("/redeliver", order(|stripe, asked: Redelivery| stripe.redeliver(&asked.event)));
    Router::new().nest("/_sim/stripe", control)
}

/// A POST that does one thing with what its body says, and answers what came of it.
fn order<T: DeserializeOwned + 'static>(action: fn(&Stripe, T) -> Result<Value, Refused>) -> MethodRouter<Stripe> {
    post(async move |State(stripe): State<Stripe>, body: Bytes| -> Result<Json<Value>, Wrong> {
        action(&stripe, read(&body)?).map(Json).map_err(|refused| bad(refused.0))
    })
}

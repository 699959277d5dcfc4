//! What people do with the pages: Checkout, the portal and an invoice's page.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};

use super::object::text;
use super::pages;
use super::problem::Refused;
use super::state::Stripe;
use super::world::Kind;

/// The page of a session.
pub(super) async fn checkout(State(stripe): State<Stripe>, Path(id): Path<String>) -> Response {
    let world = stripe.world();
    match world.get(Kind::Session, &id) {
        Some(session) if session["status"] == "open" => Html(pages::checkout(&world, session)).into_response(),
        Some(session) => {
            let words = format!("This Checkout Session is {}.", text(session, "status"));
            sorry(&world.settings.business, &words, StatusCode::GONE)
        }
        None => missing(&world.settings.business),
    }
}

/// "Pay" or "Go back".
pub(super) async fn checkout_pressed(State(stripe): State<Stripe>, Path(id): Path<String>, body: Bytes) -> Response {
    let (session, business) = {
        let world = stripe.world();
        (world.copy(Kind::Session, &id), world.settings.business.clone())
    };
    match pressed(&body, "action").as_str() {
        "pay" => match stripe.pay(&id) {
            Ok(_) => see(&text(&session, "success_url").replace("{CHECKOUT_SESSION_ID}", &id)),
            Err(Refused(words)) => sorry(&business, &words, StatusCode::PAYMENT_REQUIRED),
        },
        "back" if session["cancel_url"].is_string() => see(text(&session, "cancel_url")),
        _ => missing(&business),
    }
}

/// The page of a portal session.
pub(super) async fn portal(State(stripe): State<Stripe>, Path(id): Path<String>) -> Response {
    let world = stripe.world();
    match world.get(Kind::Portal, &id) {
        Some(session) => Html(pages::portal(&world, session)).into_response(),
        None => missing(&world.settings.business),
    }
}

/// "Cancel", "Keep", "Change" or "Go back".
pub(super) async fn portal_pressed(State(stripe): State<Stripe>, Path(id): Path<String>, body: Bytes) -> Response {
    let (session, business, is_theirs) = {
        let world = stripe.world();
        let session = world.copy(Kind::Portal, &id);
        let subscription = world.copy(Kind::Subscription, &pressed(&body, "subscription"));
        let is_theirs = subscription["customer"] == session["customer"] && session.is_object();
        (session, world.settings.business.clone(), is_theirs)
    };
    let subscription = pressed(&body, "subscription");
    let done = match pressed(&body, "action").as_str() {
        "back" if session.is_object() => return see(text(&session, "return_url")),
        _ if !is_theirs => return missing(&business),
        "cancel" => stripe.cancel(&subscription, true),
        "keep" => stripe.keep(&subscription),
        "change" => stripe.change_plan(&subscription, &pressed(&body, "price")),
        _ => return missing(&business),
    };
    match done {
        Ok(_) => see(&format!("/p/session/{id}")),
        Err(Refused(words)) => sorry(&business, &words, StatusCode::BAD_REQUEST),
    }
}

/// The page of an invoice.
pub(super) async fn invoice(State(stripe): State<Stripe>, Path(id): Path<String>) -> Response {
    let world = stripe.world();
    match world.get(Kind::Invoice, &id) {
        Some(invoice) => Html(pages::invoice(&world, invoice)).into_response(),
        None => missing(&world.settings.business),
    }
}

fn pressed(body: &[u8], name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(body);
    pairs.find(|(given, _)| given == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// To another page, by a GET.
fn see(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

fn missing(business: &str) -> Response {
    sorry(business, "There is no such page.", StatusCode::NOT_FOUND)
}

fn sorry(business: &str, words: &str, status: StatusCode) -> Response {
    (status, Html(pages::sorry(business, words))).into_response()
}

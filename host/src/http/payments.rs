//! Routes under `/payment`.

use super::MAX_BODY_BYTES;
use super::body::{Body, Path};
use super::caller::Caller;
use super::page::page;
use super::publications::idempotency_key;
use crate::app::App;
use crate::error::{Error, Problem, Result};
use crate::payments::{self, Opened, Plan, Plans, Purchases, Shown, Wish};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(plans))
        .routes(routes!(plan))
        .routes(routes!(purchases))
        .routes(routes!(open))
        .routes(routes!(show))
        .routes(routes!(portal))
        .routes(routes!(returned))
        .routes(routes!(take))
}

/// What is for sale: plans with credits each month, and credits alone.
#[utoipa::path(get, path = "/payment/plans", tag = "payments", security(("bearer" = [])), responses(
    (status = 200, description = "The plans", body = Plans),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn plans(State(app): State<App>, _: Caller) -> Result<Json<Plans>> {
    Ok(Json(payments::plans(&app)?))
}

/// The workspace's plan.
#[utoipa::path(get, path = "/payment/plan", tag = "payments", security(("bearer" = [])), responses(
    (status = 200, description = "The plan; `free` for none", body = Plan),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn plan(State(app): State<App>, caller: Caller) -> Result<Json<Plan>> {
    Ok(Json(payments::plan(&mut app.db().read().await?, caller.workspace).await?))
}

/// What the workspace bought, and the credits that it got for it.
#[utoipa::path(get, path = "/payment/purchases", tag = "payments", security(("bearer" = [])), responses(
    (status = 200, description = "The purchases, newest first", body = Purchases),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn purchases(State(app): State<App>, caller: Caller) -> Result<Json<Purchases>> {
    Ok(Json(payments::purchases(&mut app.db().read().await?, caller.workspace).await?))
}

/// Open a Checkout session for a plan or for credits. Send the browser to its URL. Credits come once it is paid.
#[utoipa::path(post, path = "/payment/create-checkout-session", tag = "payments", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition opens the same session")),
    request_body = Wish, responses(
    (status = 200, description = "Where to pay", body = Opened),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "The workspace has a plan already, the key was used for something else, or two were opened at once", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "It is not for sale", body = Problem),
    (status = 502, description = "Stripe refused", body = Problem),
    (status = 503, description = "This server takes no payments, or Stripe cannot be reached now", body = Problem),
))]
async fn open(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body(wish): Body<Wish>,
) -> Result<Json<Opened>> {
    let key = idempotency_key(&headers)?;
    Ok(Json(Box::pin(payments::open(&app, &caller, &wish, key.as_deref())).await?))
}

/// A Checkout session of the workspace. Ask when the browser has come back: what was paid is credited then, if it was not yet.
#[utoipa::path(get, path = "/payment/checkout-sessions/{session}", tag = "payments", security(("bearer" = [])),
    params(("session" = String, Path, description = "Its id, such as `cs_…`")), responses(
    (status = 200, description = "The session as it is now", body = Shown),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such session of this workspace", body = Problem),
    (status = 502, description = "Stripe refused", body = Problem),
    (status = 503, description = "This server takes no payments, or Stripe cannot be reached now", body = Problem),
))]
async fn show(State(app): State<App>, caller: Caller, Path(session): Path<String>) -> Result<Json<Shown>> {
    Ok(Json(Box::pin(payments::show(&app, caller.workspace, &session)).await?))
}

/// A page of Stripe's.
#[derive(Serialize, ToSchema)]
struct CustomerPortal {
    /// Send the browser here, now: it is for this moment.
    portal_url: String,
}

/// Open the customer portal, where the plan is changed or canceled, the card is replaced, and the invoices are.
#[utoipa::path(post, path = "/payment/create-portal-session", tag = "payments", security(("bearer" = [])), responses(
    (status = 200, description = "Where it is", body = CustomerPortal),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "The workspace never bought anything", body = Problem),
    (status = 502, description = "Stripe refused", body = Problem),
    (status = 503, description = "This server takes no payments, or Stripe cannot be reached now", body = Problem),
))]
async fn portal(State(app): State<App>, caller: Caller) -> Result<Json<CustomerPortal>> {
    let portal_url = payments::portal(&app, &caller).await?;
    Ok(Json(CustomerPortal { portal_url }))
}

/// Where Stripe sends people back to if there is no web console.
#[utoipa::path(get, path = "/payment/return", tag = "payments", responses(
    (status = 200, description = "A page that says so", content_type = "text/html"),
))]
async fn returned() -> Response {
    let sentence =
        "You can close this page. Credits that were paid for are on the workspace's account within a moment.";
    page(StatusCode::OK, "Back from Stripe", sentence)
}

/// For Stripe: events, signed.
#[utoipa::path(post, path = "/payment/stripe/webhook", tag = "payments",
    params(("Stripe-Signature" = String, Header, description = "By Stripe's scheme, over the body as it is")),
    request_body(content = String, content_type = "application/json"), responses(
    (status = 204, description = "Carried out, now or before"),
    (status = 400, description = "Not signed by Stripe for this endpoint, or about somebody else", body = Problem),
    (status = 404, description = "This server takes no payments", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 503, description = "Stripe cannot be reached now: send it again", body = Problem),
))]
async fn take(
    State(app): State<App>,
    headers: HeaderMap,
    body: std::result::Result<Bytes, BytesRejection>,
) -> Result<StatusCode> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(MAX_BODY_BYTES),
        _ => Error::Malformed("The body broke off.".to_owned()),
    })?;
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    Box::pin(payments::take(&app, signature, &body)).await?;
    Ok(StatusCode::NO_CONTENT)
}

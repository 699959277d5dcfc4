//! Receiving: each check in turn, and what is answered.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::deliveries::{Delivery, Refusal};
use super::settings::Settings;
use super::signature;
use super::state::Webhook;
use crate::clock::Moment;

const LONGEST_ID: usize = 256;

/// Receive a delivery, on any path.
pub(super) async fn receive(
    State(webhook): State<Webhook>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let settings = webhook.settings();
    let verdict = if method == Method::POST {
        verify(&headers, &body, &settings, Moment::now())
    } else {
        Err(Refusal { status: 405, reason: format!("A webhook is a POST, not a {method}.") })
    };
    let header = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let signatures = header("webhook-signature").and_then(|header| signature::parse(&header).ok());
    let delivery = webhook.remember(Delivery {
        seq: 0,
        path: uri.path().to_owned(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        content_type: header(CONTENT_TYPE.as_str()),
        body: String::from_utf8_lossy(&body).into_owned(),
        signatures: signatures.map_or(0, |signatures| signatures.len()),
        duplicate: false,
        differs: false,
        refusal: verdict.err(),
    });
    let (status, answer) = match delivery.refusal {
        Some(Refusal { status, reason }) => (status, json!({ "error": reason })),
        None => (settings.status, json!({ "received": delivery.id, "duplicate": delivery.duplicate })),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(answer)).into_response()
}

/// What this status says when nothing better is known.
pub(super) fn manner(status: StatusCode) -> Response {
    (status, Json(json!({ "error": status.canonical_reason().unwrap_or("The receiver was told to.") }))).into_response()
}

fn verify(headers: &HeaderMap, body: &[u8], settings: &Settings, now: Moment) -> Result<(), Refusal> {
    let content_type = only(headers, CONTENT_TYPE.as_str())?;
    if !is_json(content_type) {
        return Err(Refusal::malformed(format!("The content type is {content_type} and not application/json.")));
    }
    let id = only(headers, "webhook-id")?;
    let timestamp = only(headers, "webhook-timestamp")?;
    let given = signature::parse(only(headers, "webhook-signature")?).map_err(Refusal::malformed)?;
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) {
        let reason = format!("webhook-id must have 1 to {LONGEST_ID} letters, digits, underscores or hyphens.");
        return Err(Refusal::malformed(reason));
    }
    check_timestamp(timestamp, settings.tolerance_s, now)?;
    if given.is_empty() {
        return Err(Refusal::unproven("There is no signature of the version v1."));
    }
    let keys = settings.secrets.iter().filter_map(|secret| signature::key(secret));
    let mut right = keys.map(|key| signature::sign(&key, id, timestamp, body));
    if !right.any(|right| given.iter().any(|given| signature::same(given, &right))) {
        return Err(Refusal::unproven("No signature is right."));
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(_) => Ok(()),
        Err(wrong) => Err(Refusal::malformed(format!("The body is not JSON: {wrong}."))),
    }
}

/// Digits alone, and within the tolerance, both ways.
fn check_timestamp(timestamp: &str, tolerance_s: u64, now: Moment) -> Result<(), Refusal> {
    let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let Some(sent_s) = timestamp.parse::<u64>().ok().filter(|_| digits) else {
        return Err(Refusal::malformed("webhook-timestamp must be whole seconds since 1970."));
    };
    let (now_s, sent_ms) = (now.unix_ms() / 1_000, sent_s.saturating_mul(1_000));
    if now.unix_ms() > sent_ms.saturating_add(tolerance_s.saturating_mul(1_000)) {
        return Err(Refusal::unproven(format!("webhook-timestamp is too old: {timestamp}, and it is {now_s}.")));
    }
    if sent_ms > now.unix_ms().saturating_add(tolerance_s.saturating_mul(1_000)) {
        return Err(Refusal::unproven(format!("webhook-timestamp is too new: {timestamp}, and it is {now_s}.")));
    }
    Ok(())
}

/// The value of a header that must be there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut given = headers.get_all(name).iter();
    match (given.next(), given.next()) {
        (None, _) => Err(Refusal::malformed(format!("The header {name} is missing."))),
        (Some(_), Some(_)) => Err(Refusal::malformed(format!("The header {name} came twice."))),
        (Some(value), None) => {
            value.to_str().map_err(|_| Refusal::malformed(format!("The header {name} is not ASCII.")))
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
}

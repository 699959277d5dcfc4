//! Who calls, in which version, and whether it was asked before.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::api;
use super::event::Request;
use super::form::Form;
use super::problem::Problem;
use super::state::Stripe;
use super::world::{Kept, World, new_id};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_KEY_CHARS: usize = 255;
/// How long an answer is kept for its idempotency key.
const KEPT_S: i64 = 24 * 60 * 60;

/// A request that was let in.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) form: Form,
}

/// An answer, and whether it was given before.
struct Answer {
    body: Value,
    is_replay: bool,
}

pub(super) async fn serve(
    State(stripe): State<Stripe>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = stripe.world();
    let request_id = new_id("req");
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
    world.request = Request { id: Some(request_id.clone()), idempotency_key: key.clone() };
    let answer = answer(&mut world, method, &uri, &headers, &body);
    world.request = Request::default();
    let mut response = match answer {
        Ok(Answer { body, is_replay }) => {
            let mut response = Json(body).into_response();
            if is_replay {
                header(&mut response, "idempotent-replayed", "true");
            }
            response
        }
        Err(problem) => problem.into_response(),
    };
    header(&mut response, "request-id", &request_id);
    header(&mut response, "stripe-version", &world.settings.version);
    if let Some(key) = key {
        header(&mut response, IDEMPOTENCY_KEY, &key);
    }
    response
}

fn header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

fn answer(world: &mut World, method: Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Problem> {
    admit(world, headers)?;
    let query = uri.query().unwrap_or_default();
    let is_post = method == Method::POST;
    let given = if is_post { body } else { query.as_bytes() };
    if (is_post && !query.is_empty()) || (!is_post && !body.is_empty()) {
        return Err(Problem::invalid("A POST has its parameters in the body, everything else in the query."));
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !body.is_empty() && content_type.split(';').next() != Some("application/x-www-form-urlencoded") {
        return Err(Problem::invalid("The content type must be application/x-www-form-urlencoded."));
    }
    let call = Call { method, path: uri.path().to_owned(), form: Form::parse(given)? };
    let key = world.request.idempotency_key.clone().filter(|_| is_post);
    let Some(key) = key else {
        return Ok(Answer { body: api::route(world, &call)?, is_replay: false });
    };
    once(world, &call, &key)
}

/// Does what a key stands for once. What was refused was not begun, and may be asked again.
fn once(world: &mut World, call: &Call, key: &str) -> Result<Answer, Problem> {
    if key.is_empty() || key.chars().count() > MAX_KEY_CHARS {
        return Err(Problem::invalid(format!("An idempotency key has 1 to {MAX_KEY_CHARS} characters.")));
    }
    let now = world.now();
    world.kept.retain(|_, kept| now - kept.at < KEPT_S);
    let fingerprint = format!("{} {} {}", call.method, call.path, call.form.fingerprint());
    match world.kept.get(key) {
        Some(kept) if kept.fingerprint == fingerprint => {
            return Ok(Answer { body: kept.answer.clone(), is_replay: true });
        }
        Some(_) => return Err(Problem::other_parameters(key)),
        None => {}
    }
    let answer = api::route(world, call)?;
    world.kept.insert(key.to_owned(), Kept { fingerprint, answer: answer.clone(), at: now });
    Ok(Answer { body: answer, is_replay: false })
}

fn admit(world: &World, headers: &HeaderMap) -> Result<(), Problem> {
    let only = |name: &str| {
        let mut given = headers.get_all(name).iter();
        let first = given.next().and_then(|value| value.to_str().ok());
        first.filter(|_| given.next().is_none())
    };
    let authorization = only(AUTHORIZATION.as_str()).ok_or_else(Problem::no_key)?;
    if authorization.strip_prefix("Bearer ") != Some(&world.settings.api_key) {
        return Err(Problem::wrong_key());
    }
    let version = only("stripe-version").ok_or_else(|| Problem::invalid("The header Stripe-Version is missing."))?;
    if version != world.settings.version {
        return Err(Problem::invalid(format!("Invalid Stripe API version: {version}")));
    }
    Ok(())
}

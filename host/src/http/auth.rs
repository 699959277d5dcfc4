//! Routes under `/auth`.

use super::body::{Body, Query};
use super::caller::Caller;
use crate::app::App;
use crate::error::{Problem, Result};
use crate::identity::sessions::{Credentials, SessionTokens};
use crate::identity::{self, Me, NewUser, sessions, verification};
use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(verify_email, follow_verification_link))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(me))
}

/// An answer that is a sentence.
#[derive(Debug, Serialize, ToSchema)]
struct Notice {
    /// The sentence, for a person.
    detail: &'static str,
}

const REGISTERED: Notice = Notice { detail: "Almost done: check your mail, and open the link in it." };
const VERIFIED: Notice = Notice { detail: "Your e-mail address is verified. You can sign in." };

/// An answer that no cache may keep (RFC 6749, section 5.1).
type Uncached<T> = ([(HeaderName, &'static str); 1], Json<T>);

fn uncached<T>(body: T) -> Uncached<T> {
    ([(CACHE_CONTROL, "no-store")], Json(body))
}

/// Register.
///
/// A link goes to the e-mail address; the account can sign in once it was opened. The answer is the same when the
/// address has an account. Who registers again without having verified is sent a new link, at most one a minute.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = NewUser, responses(
    (status = 201, description = "A mail is on its way", body = Notice),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The address, the password or the name is refused", body = Problem),
    (status = 503, description = "Too many people sign in at once", body = Problem),
))]
async fn register(State(app): State<App>, Body(new): Body<NewUser>) -> Result<(StatusCode, Json<Notice>)> {
    identity::register(&app, new).await?;
    Ok((StatusCode::CREATED, Json(REGISTERED)))
}

/// The token of a verification link.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Verification {
    /// What the link in the mail has after `token=`.
    token: String,
}

/// Verify an e-mail address.
#[utoipa::path(post, path = "/auth/verify-email", tag = "auth", request_body = Verification, responses(
    (status = 200, description = "The address is verified", body = Notice),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The token is unknown or has expired", body = Problem),
))]
async fn verify_email(State(app): State<App>, Body(link): Body<Verification>) -> Result<Json<Notice>> {
    verification::verify(&app, &link.token).await?;
    Ok(Json(VERIFIED))
}

/// Verify an e-mail address by opening the link.
#[utoipa::path(get, path = "/auth/verify-email", tag = "auth", params(Verification), responses(
    (status = 200, description = "The address is verified", body = Notice),
    (status = 400, description = "There is no token", body = Problem),
    (status = 422, description = "The token is unknown or has expired", body = Problem),
))]
async fn follow_verification_link(State(app): State<App>, Query(link): Query<Verification>) -> Result<Json<Notice>> {
    verification::verify(&app, &link.token).await?;
    Ok(Json(VERIFIED))
}

/// Sign in.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Credentials, responses(
    (status = 200, description = "Signed in", body = SessionTokens),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "The address or the password is wrong", body = Problem),
    (status = 403, description = "The address is not verified", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "This is no e-mail address", body = Problem),
    (status = 429, description = "Ten wrong passwords within five minutes", body = Problem),
    (status = 503, description = "Too many people sign in at once", body = Problem),
))]
async fn login(State(app): State<App>, Body(credentials): Body<Credentials>) -> Result<Uncached<SessionTokens>> {
    let tokens = sessions::login(&app, &credentials).await?;
    Ok(uncached(tokens))
}

/// The token that gets new ones.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshToken {
    /// The refresh token of the last answer.
    refresh_token: String,
}

/// Get new tokens.
///
/// A refresh token works once. One that is used again within ten seconds gets the tokens that replaced it, later it
/// ends the session, since it must have been copied.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = RefreshToken, responses(
    (status = 200, description = "New tokens", body = SessionTokens),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "The token does not count, or its session has ended", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
))]
async fn refresh(State(app): State<App>, Body(old): Body<RefreshToken>) -> Result<Uncached<SessionTokens>> {
    let tokens = sessions::refresh(&app, &old.refresh_token).await?;
    Ok(uncached(tokens))
}

/// Sign out.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", security(("bearer" = [])), responses(
    (status = 204, description = "The session has ended, and its tokens with it"),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn logout(State(app): State<App>, caller: Caller) -> Result<StatusCode> {
    sessions::logout(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who am I?
#[utoipa::path(get, path = "/auth/me", tag = "auth", security(("bearer" = [])), responses(
    (status = 200, description = "Your account", body = Me),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn me(State(app): State<App>, caller: Caller) -> Result<Json<Me>> {
    let me = identity::me(&app, &caller).await?;
    Ok(Json(me))
}

//! Who calls. A handler that takes a [`Caller`] is for people who are signed in; nothing falls back to a user of the
//! system.

pub(super) use crate::identity::Caller;

use crate::app::App;
use crate::error::{Error, Result};
use crate::identity::{Role, sessions};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        sessions::authenticate(app, bearer_token(parts)?).await
    }
}

/// An operator of this server, signed in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator(pub(super) Caller);

impl FromRequestParts<App> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match caller.role {
            Role::SystemAdmin => Ok(Self(caller)),
            Role::User | Role::OrgAdmin => Err(Error::Forbidden("Only an operator of this server may do this.")),
        }
    }
}

/// The token of `Authorization: Bearer <token>` (RFC 6750, section 2.1).
fn bearer_token(parts: &Parts) -> Result<&str> {
    let header = parts.headers.get(AUTHORIZATION).ok_or(Error::Unauthenticated("Sign in first."))?;
    match header.to_str().ok().and_then(|text| text.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Error::Unauthenticated("The `Authorization` header must read `Bearer` and then the access token.")),
    }
}

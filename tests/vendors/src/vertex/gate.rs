//! Who calls, and what the bodies of calls are.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::state::World;

impl World {
    /// Lets a caller in whose one access token works.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let (Some(only), None) = (given.next(), given.next()) else { return Err(Problem::no_token()) };
        let (scheme, token) = only.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
        let ends = self.tokens.get(token).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
        match ends {
            Some(ends) if *ends > self.now() => Ok(()),
            _ => Err(Problem::no_token()),
        }
    }
}

/// Reads a body of JSON, strictly.
pub(super) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Problem::strict("the body must be application/json."));
    }
    serde_json::from_slice(body).map_err(|error| Problem::invalid(format!("Invalid JSON payload received. {error}")))
}

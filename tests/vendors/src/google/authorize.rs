//! `/o/oauth2/v2/auth`: what an app asks for, the page where a person decides, and the way back (documented under "Using
//! OAuth 2.0 for Web Server Applications").
//!
//! Google shows an error page for every request that is wrong, and redirects only once somebody has decided.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::form::Form;
use super::grants::Grants;
use super::{Client, SignsIn, page};
use crate::clock::Moment;

const PARAMETERS: [&str; 12] = [
    "access_type",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "enable_granular_consent",
    "include_granted_scopes",
    "login_hint",
    "prompt",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
];

/// A valid authorization request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) access: Access,
    /// Whether consent is asked for though it was given before.
    pub(super) again: Again,
    challenge: Option<Challenge>,
    state: String,
}

/// How long an app has access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// As long as an access token works.
    Online,
    /// With a refresh token.
    Offline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Always,
    IfNeeded,
}

/// What the exchange must prove (RFC 7636, 4.6).
#[derive(Clone, Debug)]
enum Challenge {
    Plain(String),
    S256(String),
}

/// What the person chose.
#[derive(Clone, Copy)]
pub(super) enum Decision {
    Allow,
    Cancel,
}

impl Ask {
    /// Read an authorization request. The error is for the page.
    pub(super) fn read(query: &Form, client: &Client) -> Result<Self, String> {
        query.fault(&PARAMETERS).map_or(Ok(()), Err)?;
        let required = |name: &str| {
            query.get(name).ok_or_else(|| format!("Error 400: invalid_request: Missing required parameter: {name}"))
        };
        if required("client_id")? != client.id {
            return Err("Error 401: invalid_client: The OAuth client was not found.".to_owned());
        }
        if required("response_type")? != "code" {
            return Err("Error 400: unsupported_response_type".to_owned());
        }
        let redirect_uri = required("redirect_uri")?.to_owned();
        if !client.redirect_uris.contains(&redirect_uri) {
            return Err(format!(
                "Error 400: redirect_uri_mismatch: You can't sign in to this app because it doesn't comply with Google's \
                 OAuth 2.0 policy. If you're the app developer, register the redirect URI in the Google Cloud Console: \
                 {redirect_uri}"
            ));
        }
        let scopes: Vec<String> = required("scope")?.split(' ').map(str::to_owned).collect();
        if let Some(unknown) = scopes.iter().find(|scope| !client.scopes.contains(&scope.as_str())) {
            return Err(format!(
                "Error 400: invalid_scope: Some requested scopes were invalid. {{invalid=[{unknown}]}}"
            ));
        }
        let access = match query.get("access_type") {
            None | Some("online") => Access::Online,
            Some("offline") => Access::Offline,
            Some(_) => return Err("Error 400: invalid_request: Invalid parameter value for access_type".to_owned()),
        };
        let again = match query.get("prompt") {
            None | Some("none" | "select_account") => Again::IfNeeded,
            Some("consent" | "select_account consent" | "consent select_account") => Again::Always,
            Some(_) => return Err("Error 400: invalid_request: Invalid parameter value for prompt".to_owned()),
        };
        let state = required("state")?.to_owned();
        Ok(Self { redirect_uri, scopes, access, again, challenge: Challenge::read(query)?, state })
    }

    /// Whether an exchange proves what this request demands.
    pub(super) fn is_proved_by(&self, verifier: Option<&str>) -> bool {
        match (&self.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => challenge.is_met_by(verifier),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}

impl Challenge {
    fn read(query: &Form) -> Result<Option<Self>, String> {
        let wrong = || "Error 400: invalid_request: Invalid code_challenge or code_challenge_method".to_owned();
        match (query.get("code_challenge"), query.get("code_challenge_method")) {
            (None, None) => Ok(None),
            (Some(challenge), Some("S256")) if is_verifier(challenge) && challenge.len() == 43 => {
                Ok(Some(Self::S256(challenge.to_owned())))
            }
            (Some(challenge), None | Some("plain")) if is_verifier(challenge) => {
                Ok(Some(Self::Plain(challenge.to_owned())))
            }
            _ => Err(wrong()),
        }
    }

    fn is_met_by(&self, verifier: &str) -> bool {
        is_verifier(verifier)
            && match self {
                Self::Plain(challenge) => challenge == verifier,
                Self::S256(challenge) => *challenge == BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
            }
    }
}

/// 43 to 128 unreserved characters (RFC 7636, 4.1).
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// Where a person goes after deciding; the error is for the page.
pub(super) fn end(
    client: &Client,
    grants: &mut Grants,
    now: Moment,
    (ask, account, decision): (Ask, &str, Decision),
) -> Result<Url, &'static str> {
    if !client.accounts.iter().any(|(email, _)| email == account) {
        return Err("Couldn't find your Google Account");
    }
    let mut back = Url::parse(&ask.redirect_uri).map_err(|_| "The redirect_uri is no URL.")?;
    back.query_pairs_mut().append_pair("state", &ask.state);
    match decision {
        Decision::Allow => {
            let scopes = ask.scopes.join(" ");
            let code = grants.issue_code(client, ask, account, now);
            back.query_pairs_mut().append_pair("code", &code).append_pair("scope", &scopes);
        }
        Decision::Cancel => {
            back.query_pairs_mut().append_pair("error", "access_denied");
        }
    }
    Ok(back)
}

/// Show the consent page.
pub(super) async fn page<S: SignsIn>(State(sim): State<S>, RawQuery(query): RawQuery) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    sim.google(|client, grants, now| match Ask::read(&query, client) {
        Ok(ask) => {
            let scopes = ask.scopes.clone();
            html(StatusCode::OK, page::consent(&grants.ask(ask, now), client, &scopes))
        }
        Err(reason) => html(StatusCode::BAD_REQUEST, page::error(&reason)),
    })
}

/// Take the decision and send the person back to the app.
pub(super) async fn decide<S: SignsIn>(State(sim): State<S>, form: Bytes) -> Response {
    let form = Form::parse(&form);
    let field = |name| form.get(name).unwrap_or_default();
    let decision = match field("decision") {
        "authorize" => Decision::Allow,
        "cancel" => Decision::Cancel,
        _ => return html(StatusCode::BAD_REQUEST, page::error("The decision must be authorize or cancel.")),
    };
    let back = sim.google(|client, grants, now| match grants.asked(field("consent"), now) {
        Some(ask) => end(client, grants, now, (ask, field("account"), decision)),
        None => Err("This request was decided before, or it is too old."),
    });
    match back {
        Ok(back) => (StatusCode::FOUND, [(LOCATION, back.as_str()), (CACHE_CONTROL, "no-store")]).into_response(),
        Err(reason) => html(StatusCode::BAD_REQUEST, page::error(reason)),
    }
}

fn html(status: StatusCode, page: String) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

//! `/oauth2/authorize`: what an app asks for, the page where a person decides, and the way back (documented under
//! "OAuth guide").
//!
//! Dropbox shows an error page for every request that is wrong, and redirects only once somebody has decided. Stricter
//! than Dropbox: a redirect URI is required, and parameters that are not documented are refused.

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
use super::page;
use super::settings::{Consent, Settings};
use super::state::{Dropbox, World};

const PARAMETERS: [&str; 14] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "disable_signup",
    "force_reapprove",
    "force_reauthentication",
    "include_granted_scopes",
    "locale",
    "redirect_uri",
    "require_role",
    "response_type",
    "scope",
    "state",
    "token_access_type",
];
const LONGEST_STATE_BYTES: usize = 2_000;

/// A valid authorization request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) access: Access,
    /// Whether the scopes that were granted before are granted again.
    pub(super) earlier: Earlier,
    /// Whether somebody who agreed to all of this before is asked again.
    again: Again,
    state: Option<String>,
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
pub(super) enum Earlier {
    Included,
    LeftOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Always,
    IfNeeded,
}

/// What the exchange must prove (RFC 7636, 4.6).
#[derive(Clone, Debug)]
pub(super) enum Challenge {
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
    pub(super) fn read(query: &Form, settings: &Settings) -> Result<Self, String> {
        query.fault(&PARAMETERS).map_or(Ok(()), Err)?;
        let required = |name: &str| query.get(name).ok_or_else(|| format!("Missing required parameter \"{name}\"."));
        if required("client_id")? != settings.client_id {
            return Err("Invalid client_id: this app does not exist.".to_owned());
        }
        if required("response_type")? != "code" {
            return Err("Invalid response_type: it must be \"code\".".to_owned());
        }
        let redirect_uri = required("redirect_uri")?.to_owned();
        if !settings.redirect_uris.contains(&redirect_uri) {
            return Err("Invalid redirect_uri. It must exactly match one of the redirect URIs you've pre-configured \
                        for your app (including the path)."
                .to_owned());
        }
        let scopes = query.get("scope").map(|scopes| scopes.split(' ').map(str::to_owned).collect());
        let scopes: Vec<String> = scopes.unwrap_or_else(|| settings.app_scopes.clone());
        if let Some(unknown) = scopes.iter().find(|scope| !settings.app_scopes.contains(scope)) {
            return Err(format!("Invalid scope: \"{unknown}\" is not enabled for this app."));
        }
        let state = query.get("state").map(str::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE_BYTES) {
            return Err("Invalid state: it has more than 2000 bytes.".to_owned());
        }
        let flag = |name: &str| match query.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(format!("Invalid {name}: it must be \"true\" or \"false\".")),
        };
        flag("disable_signup")?;
        flag("force_reauthentication")?;
        let access = match query.get("token_access_type") {
            Some("offline") => Access::Offline,
            // Tokens without an end, which `legacy` asked for, have been retired.
            None | Some("online" | "legacy") => Access::Online,
            Some(_) => return Err("Invalid token_access_type: it must be \"online\" or \"offline\".".to_owned()),
        };
        let earlier = match query.get("include_granted_scopes") {
            None => Earlier::LeftOut,
            Some("user") => Earlier::Included,
            Some(_) => return Err("Invalid include_granted_scopes: it must be \"user\" here.".to_owned()),
        };
        let again = if flag("force_reapprove")? { Again::Always } else { Again::IfNeeded };
        Ok(Self { redirect_uri, scopes, challenge: Challenge::read(query)?, access, earlier, again, state })
    }
}

impl Challenge {
    fn read(query: &Form) -> Result<Option<Self>, String> {
        let Some(challenge) = query.get("code_challenge") else {
            return match query.get("code_challenge_method") {
                None => Ok(None),
                Some(_) => Err("Missing required parameter \"code_challenge\".".to_owned()),
            };
        };
        match query.get("code_challenge_method") {
            Some("S256") if is_verifier(challenge) && challenge.len() == 43 => {
                Ok(Some(Self::S256(challenge.to_owned())))
            }
            Some("plain") if is_verifier(challenge) => Ok(Some(Self::Plain(challenge.to_owned()))),
            Some("S256" | "plain") => Err("Invalid code_challenge: it does not have the form of RFC 7636.".to_owned()),
            _ => Err("Invalid code_challenge_method: it must be \"S256\" or \"plain\".".to_owned()),
        }
    }

    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
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

impl World {
    /// Where a person goes after deciding; the error is for the page.
    pub(super) fn decide(&mut self, ask: Ask, account: &str, decision: Decision) -> Result<Url, &'static str> {
        let account_id = self.settings.account(account).ok_or("There is no such account.")?.id();
        let mut back = Url::parse(&ask.redirect_uri).map_err(|_| "The redirect_uri is no URL.")?;
        let state = ask.state.clone();
        match decision {
            Decision::Allow => {
                let now = self.now();
                let code = self.grants.issue_code(&self.settings, ask, &account_id, now);
                back.query_pairs_mut().append_pair("code", &code);
            }
            Decision::Cancel => {
                let words = "The user chose not to give your app access to their Dropbox account.";
                back.query_pairs_mut().append_pair("error", "access_denied").append_pair("error_description", words);
            }
        }
        if let Some(state) = state {
            back.query_pairs_mut().append_pair("state", &state);
        }
        Ok(back)
    }

    /// Who needs not be asked: whoever agreed to all of it before, or the account that the settings decide for.
    fn foregone(&self, ask: &Ask) -> Option<(String, Decision)> {
        let first = || self.settings.accounts.first().map(|account| account.name.clone());
        match self.settings.consent {
            Consent::Grant => Some((first()?, Decision::Allow)),
            Consent::Deny => Some((first()?, Decision::Cancel)),
            Consent::Ask if ask.again == Again::Always => None,
            Consent::Ask => Some((self.grants.agreed(&ask.scopes)?.to_owned(), Decision::Allow)),
        }
    }
}

/// Show the consent page, or send whoever needs not be asked back to the app.
pub(super) async fn page(State(dropbox): State<Dropbox>, RawQuery(query): RawQuery) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let mut world = dropbox.world();
    let ask = match Ask::read(&query, &world.settings) {
        Ok(ask) => ask,
        Err(reason) => return html(StatusCode::BAD_REQUEST, page::error(&reason)),
    };
    if let Some((account, decision)) = world.foregone(&ask) {
        return redirect(world.decide(ask, &account, decision));
    }
    let (scopes, now) = (ask.scopes.clone(), world.now());
    let consent = world.grants.ask(ask, now);
    html(StatusCode::OK, page::consent(&consent, &world.settings, &scopes))
}

/// Take the decision and send the person back to the app.
pub(super) async fn decide(State(dropbox): State<Dropbox>, form: Bytes) -> Response {
    let form = Form::parse(&form);
    let field = |name| form.get(name).unwrap_or_default();
    let decision = match field("decision") {
        "allow" => Decision::Allow,
        "cancel" => Decision::Cancel,
        _ => return html(StatusCode::BAD_REQUEST, page::error("The decision must be allow or cancel.")),
    };
    let mut world = dropbox.world();
    let now = world.now();
    match world.grants.asked(field("consent"), now) {
        Some(ask) => redirect(world.decide(ask, field("account"), decision)),
        None => redirect(Err("This request was decided before, or it is too old.")),
    }
}

fn redirect(back: Result<Url, &str>) -> Response {
    match back {
        Ok(back) => (StatusCode::FOUND, [(LOCATION, back.as_str()), (CACHE_CONTROL, "no-store")]).into_response(),
        Err(reason) => html(StatusCode::BAD_REQUEST, page::error(reason)),
    }
}

fn html(status: StatusCode, page: String) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

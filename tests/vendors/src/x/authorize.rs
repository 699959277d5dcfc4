//! `/i/oauth2/authorize`: what an app asks for, the page where a user decides, and the way back.
//!
//! X shows an error page for every request that is wrong, and redirects only once a user has decided.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::clock::Moment;
use super::page;
use super::pairs::Pairs;
use super::settings::Settings;
use super::state::{World, X};

/// Every scope, with the words of the consent page (documented under "OAuth 2.0 authorization code flow").
pub(super) const SCOPES: [(&str, &str); 22] = [
    ("tweet.read", "All the posts you can view, including posts from protected accounts."),
    ("tweet.write", "Post and repost for you."),
    ("tweet.moderate.write", "Hide and unhide replies to your posts."),
    ("users.email", "Your email address."),
    ("users.read", "Any account you can view, including protected accounts."),
    ("follows.read", "People who follow you and people who you follow."),
    ("follows.write", "Follow and unfollow people for you."),
    ("offline.access", "Stay connected to your account until you revoke access."),
    ("space.read", "All the Spaces you can view."),
    ("mute.read", "Accounts you’ve muted."),
    ("mute.write", "Mute and unmute accounts for you."),
    ("like.read", "Posts you’ve liked and likes you can view."),
    ("like.write", "Like and un-like posts for you."),
    ("list.read", "Lists you’ve created or are a member of, including private lists."),
    ("list.write", "Create and manage Lists for you."),
    ("block.read", "Accounts you’ve blocked."),
    ("block.write", "Block and unblock accounts for you."),
    ("bookmark.read", "Your bookmarks."),
    ("bookmark.write", "Bookmark and remove bookmarks for you."),
    ("dm.read", "All the Direct Messages you can view."),
    ("dm.write", "Send and manage Direct Messages for you."),
    ("media.write", "Upload media for you."),
];

const LONGEST_STATE: usize = 500;

/// A valid authorization request.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) challenge: Challenge,
    state: String,
}

/// What the exchange must prove (RFC 7636, 4.6).
#[derive(Debug)]
pub(super) enum Challenge {
    Plain(String),
    S256(String),
}

/// What the user chose.
#[derive(Clone, Copy)]
pub(super) enum Decision {
    Authorize,
    Cancel,
}

impl Ask {
    /// Read an authorization request; parameters that X does not know are ignored. The error is for the page.
    pub(super) fn read(query: &Pairs, settings: &Settings) -> Result<Self, String> {
        if let Some(name) = query.repeated() {
            return Err(format!("The parameter {name} is given twice."));
        }
        let required = |name: &str| query.get(name).ok_or_else(|| format!("The parameter {name} is missing."));
        if required("client_id")? != settings.client_id {
            return Err("No app has this client_id.".to_owned());
        }
        let redirect_uri = required("redirect_uri")?.to_owned();
        if !settings.redirect_uris.contains(&redirect_uri) {
            return Err("This redirect_uri is not registered for the app, byte for byte.".to_owned());
        }
        if required("response_type")? != "code" {
            return Err("The response_type must be code.".to_owned());
        }
        let scopes: Vec<String> = required("scope")?.split(' ').map(str::to_owned).collect();
        if let Some(unknown) = scopes.iter().find(|scope| SCOPES.iter().all(|(known, _)| known != scope)) {
            return Err(format!("There is no scope “{unknown}”."));
        }
        let state = required("state")?.to_owned();
        if state.is_empty() || state.chars().count() > LONGEST_STATE {
            return Err("The state must have 1 to 500 characters.".to_owned());
        }
        let challenge = required("code_challenge")?.to_owned();
        let challenge = match required("code_challenge_method")? {
            "S256" if is_verifier(&challenge) && challenge.len() == 43 => Challenge::S256(challenge),
            "plain" if is_verifier(&challenge) => Challenge::Plain(challenge),
            "S256" | "plain" => return Err("The code_challenge does not have the form of RFC 7636.".to_owned()),
            _ => return Err("The code_challenge_method must be S256 or plain.".to_owned()),
        };
        Ok(Self { redirect_uri, scopes, challenge, state })
    }
}

impl Challenge {
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
    /// Where the user goes after deciding; the error is for the page.
    pub(super) fn decide(
        &mut self,
        consent: &str,
        account: &str,
        decision: Decision,
        now: Moment,
    ) -> Result<Url, &'static str> {
        let user_id = self.settings.account(account).ok_or("There is no such account.")?.id.clone();
        let ask = self.grants.decided(consent, now).ok_or("This request was decided before, or it is too old.")?;
        let mut back = Url::parse(&ask.redirect_uri).map_err(|_| "The redirect_uri is no URL.")?;
        let state = ask.state.clone();
        let (name, value) = match decision {
            Decision::Authorize => ("code", self.grants.issue_code(&self.settings, ask, &user_id, now)),
            Decision::Cancel => ("error", "access_denied".to_owned()),
        };
        back.query_pairs_mut().append_pair("state", &state).append_pair(name, &value);
        Ok(back)
    }
}

/// Show the consent page.
pub(super) async fn page(State(x): State<X>, RawQuery(query): RawQuery) -> Response {
    let query = Pairs::parse(query.unwrap_or_default().as_bytes());
    let mut world = x.world();
    match Ask::read(&query, &world.settings) {
        Ok(ask) => {
            let scopes = ask.scopes.clone();
            let consent = world.grants.ask(ask, Moment::now());
            html(StatusCode::OK, page::consent(&consent, &world.settings, &scopes))
        }
        Err(reason) => html(StatusCode::BAD_REQUEST, page::error(&reason)),
    }
}

/// Take the decision and send the user back to the app.
pub(super) async fn decide(State(x): State<X>, form: Bytes) -> Response {
    let form = Pairs::parse(&form);
    let field = |name| form.get(name).unwrap_or_default();
    let decision = match field("decision") {
        "authorize" => Decision::Authorize,
        "cancel" => Decision::Cancel,
        _ => return html(StatusCode::BAD_REQUEST, page::error("The decision must be authorize or cancel.")),
    };
    match x.world().decide(field("consent"), field("account"), decision, Moment::now()) {
        Ok(back) => (StatusCode::FOUND, [(LOCATION, back.as_str()), (CACHE_CONTROL, "no-store")]).into_response(),
        Err(reason) => html(StatusCode::BAD_REQUEST, page::error(reason)),
    }
}

fn html(status: StatusCode, page: String) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

//! `/{version}/dialog/oauth`: what an app asks for, the page where a person decides, and the way back (documented under
//! "Manually build a login flow").
//!
//! Facebook shows an error page for every request that is wrong, and redirects only once a person has decided.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::consent;
use super::parameters::Parameters;
use super::settings::Settings;
use super::state::{Facebook, World};

/// The permissions that the app may ask for, with the words of the consent page (documented under "Permissions").
pub(super) const SCOPES: [(&str, &str); 14] = [
    ("public_profile", "Your name and profile picture"),
    ("email", "Your email address"),
    ("business_management", "Manage your business"),
    ("pages_show_list", "Show a list of the Pages you manage"),
    ("pages_read_engagement", "Read content posted on the Page"),
    ("pages_read_user_content", "Read user content on your Page"),
    ("pages_manage_posts", "Create and manage content on your Page"),
    ("pages_manage_engagement", "Manage comments on your Page"),
    ("pages_manage_metadata", "Manage your Page settings"),
    ("pages_messaging", "Manage your Page's conversations"),
    ("read_insights", "Read insights of your Pages"),
    ("instagram_basic", "Access profile and posts from the Instagram account connected to your Page"),
    ("instagram_content_publish", "Upload media and create posts for the Instagram account connected to your Page"),
    ("instagram_manage_comments", "Manage comments for the Instagram account connected to your Page"),
];

const PARAMETERS: [&str; 7] = ["client_id", "redirect_uri", "state", "scope", "response_type", "auth_type", "display"];

/// A valid request of the dialog.
#[derive(Debug)]
pub(super) struct Ask {
    redirect_uri: String,
    pub(super) scopes: Vec<String>,
    state: String,
}

/// What the person chose.
pub(super) enum Decision {
    /// All of it but these permissions.
    Continue {
        declined: Vec<String>,
    },
    Cancel,
}

impl Ask {
    /// Read a request of the dialog. The error is for the page.
    pub(super) fn read(query: &Parameters, settings: &Settings) -> Result<Self, String> {
        query.only(&PARAMETERS).map_err(|problem| problem.message)?;
        if query.get("client_id") != Some(&settings.app_id) {
            return Err("Invalid App ID: The provided app ID does not look like a valid app ID.".to_owned());
        }
        let redirect_uri = query.get("redirect_uri").unwrap_or_default().to_owned();
        if !settings.redirect_uris.contains(&redirect_uri) {
            return Err("URL Blocked: This redirect failed because the redirect URI is not whitelisted in the app's \
                        Client OAuth Settings."
                .to_owned());
        }
        if query.get("response_type").is_some_and(|wanted| wanted != "code") {
            return Err("The simulator knows the response_type code only.".to_owned());
        }
        if query.get("auth_type").is_some_and(|wanted| !["rerequest", "reauthenticate"].contains(&wanted)) {
            return Err("The auth_type must be rerequest or reauthenticate.".to_owned());
        }
        // Commas are documented; spaces work, too (observed).
        let scopes = query.get("scope").unwrap_or("public_profile").split([',', ' ']);
        let scopes: Vec<String> = scopes.map(str::to_owned).collect();
        if let Some(unknown) = scopes.iter().find(|scope| SCOPES.iter().all(|(known, _)| known != scope)) {
            return Err(format!("Invalid Scopes: {unknown}. This message is only shown to developers."));
        }
        // Facebook goes without; but an app that does is open to forged answers.
        let state = query.get("state").ok_or("The simulator is strict: there is no state.")?.to_owned();
        Ok(Self { redirect_uri, scopes, state })
    }
}

impl World {
    /// Where the person goes after deciding; the error is for the page.
    pub(super) fn decide(&mut self, consent: &str, person: &str, decision: Decision) -> Result<Url, String> {
        let now = self.now();
        let person_id = self.settings.person(person).ok_or("There is no such person.")?.id.clone();
        let ask = self.grants.decided(consent, now).ok_or("This was decided before, or it is too old.")?;
        let mut back = Url::parse(&ask.redirect_uri).map_err(|_| "The redirect_uri is no URL.".to_owned())?;
        match decision {
            Decision::Continue { declined } => {
                let authorization = self.grants.authorize(&person_id, &ask.scopes, &declined);
                let code = self.grants.issue_code(&self.settings, &ask.redirect_uri, authorization, now);
                back.query_pairs_mut().append_pair("code", &code);
                // Facebook appends this to every code (observed); a browser keeps it to itself.
                back.set_fragment(Some("_=_"));
            }
            Decision::Cancel => {
                back.query_pairs_mut().extend_pairs([
                    ("error", "access_denied"),
                    ("error_code", "200"),
                    ("error_description", "Permissions error"),
                    ("error_reason", "user_denied"),
                ]);
            }
        }
        back.query_pairs_mut().append_pair("state", &ask.state);
        Ok(back)
    }
}

/// Show the consent page.
pub(super) async fn page(
    State(facebook): State<Facebook>,
    Path(version): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let mut world = facebook.world();
    let wrong = |reason: &str| html(StatusCode::BAD_REQUEST, consent::error(reason));
    if !world.settings.versions.contains(&version) {
        return wrong("There is no such version of this dialog.");
    }
    let ask = Parameters::of_query(query.as_deref()).map_err(|problem| problem.message);
    match ask.and_then(|query| Ask::read(&query, &world.settings)) {
        Ok(ask) => {
            let (scopes, now) = (ask.scopes.clone(), world.now());
            let id = world.grants.ask(ask, now);
            html(StatusCode::OK, consent::page(&id, &version, &world.settings, &scopes))
        }
        Err(reason) => wrong(&reason),
    }
}

/// Take the decision and send the person back to the app.
pub(super) async fn decide(State(facebook): State<Facebook>, form: Bytes) -> Response {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&form).into_owned().collect();
    let fields = |name: &'static str| form.iter().filter(move |(given, _)| given == name).map(|(_, value)| value);
    let field = |name: &'static str| fields(name).next().map(String::as_str).unwrap_or_default();
    let decision = match field("decision") {
        "continue" => Decision::Continue { declined: fields("decline").cloned().collect() },
        "cancel" => Decision::Cancel,
        _ => return html(StatusCode::BAD_REQUEST, consent::error("The decision must be continue or cancel.")),
    };
    match facebook.world().decide(field("consent"), field("person"), decision) {
        Ok(back) => (StatusCode::FOUND, [(LOCATION, back.as_str()), (CACHE_CONTROL, "no-store")]).into_response(),
        Err(reason) => html(StatusCode::BAD_REQUEST, consent::error(&reason)),
    }
}

fn html(status: StatusCode, page: String) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

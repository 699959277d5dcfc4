//! The networks at which a workspace can connect accounts, and how.

use super::service_accounts::{self, Need};
use crate::app::App;
use orla_manifest::{Auth, Field, FieldKind, OAuth2, ServiceAccount};
use serde::Serialize;
use utoipa::ToSchema;

/// A network at which accounts can be connected.
#[derive(Debug, Serialize, ToSchema)]
pub struct Platform {
    /// Its name in this API, such as `twitter`.
    platform: String,
    /// Its name for a person, such as `X (Twitter)`.
    name: String,
    /// What can be done there, such as `publish`.
    abilities: Vec<&'static str>,
    /// How an account is connected.
    auth: Way,
    /// What to fill in, in the order to show; where accounts are connected by fields. Where `auth` is `oauth2` and there are fields,
    /// a service account may be connected instead, by `POST /social/connections/{platform}` with these fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FormField>,
    /// The page where a person finds what to fill in.
    #[serde(skip_serializing_if = "Option::is_none")]
    obtained_at: Option<String>,
}

/// A way to connect an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// `GET /social/oauth/{platform}/auth` says where to send the browser; `GET /cloud-storage/oauth/{platform}/auth` does where
    /// one of the abilities is `drive`.
    Oauth2,
    /// `POST /social/connections/{platform}` with the fields.
    Fields,
}

/// A field to fill in.
#[derive(Debug, Serialize, ToSchema)]
struct FormField {
    /// Its name in the request.
    name: String,
    /// Its name for a person.
    label: String,
    /// `origin` (scheme, host and optional port), `url`, `text` or `secret`.
    #[schema(value_type = String)]
    kind: FieldKind,
    /// A sentence that helps to fill it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// Whether it may be left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
}

impl FormField {
    fn of((field, need): (Field, Need)) -> Self {
        let Field { name, label, kind, help } = field;
        Self { name, label, kind, help, optional: need == Need::Optional }
    }
}

/// The networks at which accounts can be connected.
#[must_use]
pub fn list(app: &App) -> Vec<Platform> {
    let releases = app.connectors().releases();
    let connectable = releases.iter().filter_map(|release| {
        let (auth, fields, obtained_at) = match &release.manifest.auth {
            Auth::Oauth2(oauth) => match &oauth.service_account {
                Some(account) => with_key(Way::Oauth2, account),
                None => (Way::Oauth2, Vec::new(), None),
            },
            Auth::Fields(form) => {
                let fields = form.fields.iter().map(|field| FormField::of((field.clone(), Need::Required))).collect();
                (Way::Fields, fields, form.obtained_at.clone())
            }
            Auth::ServiceAccount(account) => with_key(Way::Fields, account),
            Auth::None | Auth::ApiKey(_) => return None,
        };
        let (platform, name) = (release.manifest.platform().to_owned(), release.manifest.name.clone());
        Some(Platform { platform, name, abilities: release.abilities(), auth, fields, obtained_at })
    });
    connectable.collect()
}

/// What to fill in to connect a service account, and where its key is made.
fn with_key(way: Way, account: &ServiceAccount) -> (Way, Vec<FormField>, Option<String>) {
    let fields = service_accounts::form(account).into_iter().map(FormField::of).collect();
    (way, fields, account.obtained_at.clone())
}

/// Where the routes begin with which an account is connected by OAuth.
pub(super) fn oauth_route(app: &App, platform: &str) -> String {
    let is_drive = app.connectors().for_platform(platform).is_some_and(|release| release.drive.is_some());
    let room = if is_drive { "cloud-storage" } else { "social" };
    format!("/{room}/oauth/{platform}")
}

/// The request with which an account is connected at a network; both where there are two.
pub(crate) fn first_step(app: &App, platform: &str) -> String {
    let (by_fields, by_oauth) =
        (format!("POST /social/connections/{platform}"), format!("GET {}/auth", oauth_route(app, platform)));
    match app.connectors().for_platform(platform).map(|release| release.manifest.auth.clone()) {
        Some(Auth::Fields(_) | Auth::ServiceAccount(_)) => by_fields,
        Some(Auth::Oauth2(OAuth2 { service_account: Some(_), .. })) => format!("{by_oauth}, or {by_fields}"),
        Some(Auth::Oauth2(_) | Auth::None | Auth::ApiKey(_)) | None => by_oauth,
    }
}

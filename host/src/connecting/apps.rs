//! A workspace's own app at a vendor, in the place of the installation's.

use super::{oauth_of, redirect_uri};
use crate::app::App;
use crate::connectors::apps;
use crate::error::{Error, Result};
use crate::id::WorkspaceId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

const MAX_CHARS: usize = 500;

/// What a workspace needs to know to make an app of its own at a network.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppOverview {
    /// The redirect URI to enter at the network, to the letter.
    pub redirect_uri: String,
    /// The scopes that the app has to be allowed.
    pub scopes: Vec<String>,
    /// The id of the app that new connections are made with; absent where there is none.
    pub client_id: Option<String>,
}

/// The app that new connections of a workspace are made with.
///
/// # Errors
/// There is no such network, its accounts are not connected by OAuth, or the database failed.
pub async fn show(app: &App, workspace: WorkspaceId, platform: &str) -> Result<AppOverview> {
    let (release, oauth) = oauth_of(app, platform)?;
    let current = apps::for_new(app.connectors().services(), workspace, &release.manifest.id).await?;
    Ok(AppOverview {
        redirect_uri: redirect_uri(app, platform),
        scopes: oauth.scopes.iter().chain(&oauth.optional_scopes).cloned().collect(),
        client_id: current.map(|app| app.client_id),
    })
}

/// Makes new connections of a workspace with its own app. Connections stay with the app that they were made with.
///
/// # Errors
/// As [`show`], or what was entered is no app.
pub async fn set(
    app: &App,
    workspace: WorkspaceId,
    platform: &str,
    client_id: &str,
    client_secret: Option<&SecretString>,
) -> Result<AppOverview> {
    let (release, _) = oauth_of(app, platform)?;
    let is_plain = |text: &str| text.chars().count() <= MAX_CHARS && !text.contains(char::is_control);
    if client_id.is_empty() || !is_plain(client_id) {
        return Err(Error::invalid("client_id", "The network shows the app's id; it is one line."));
    }
    if client_secret.is_some_and(|secret| !is_plain(secret.expose_secret())) {
        return Err(Error::invalid("client_secret", "The network shows the app's secret; it is one line."));
    }
    apps::set(app.connectors().services(), workspace, &release.manifest.id, client_id, client_secret).await?;
    show(app, workspace, platform).await
}

/// Makes new connections of a workspace with the installation's app again.
///
/// # Errors
/// As [`show`].
pub async fn unset(app: &App, workspace: WorkspaceId, platform: &str) -> Result<()> {
    let (release, _) = oauth_of(app, platform)?;
    Ok(apps::unset(app.connectors().services(), workspace, &release.manifest.id).await?)
}

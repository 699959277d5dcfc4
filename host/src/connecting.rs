//! Connecting an account: from the wish to the callback, for connectors with OAuth 2. [`fields`] is for those without.
//!
//! The state parameter is single use, ends after ten minutes, and is bound to workspace, user, redirect URI and to the
//! browser that began (by a cookie): a link that somebody else began cannot put an account into his workspace.

pub mod apps;
pub(crate) mod asking;
pub(crate) mod facts;
pub mod fields;
pub mod keeping;
mod lasting;
pub mod platforms;
pub(crate) mod revoked;
mod service_accounts;
pub mod testing;

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::apps::{self as vendor_apps, Owner, VendorApp};
use crate::connectors::connections::{self, Connection, NewConnection};
use crate::connectors::credentials::{self, Credentials, Stored, Way};
use crate::connectors::oauth::{self, Client, Refused, Tokens};
use crate::connectors::refreshing::Renewal;
use crate::connectors::release::Release;
use crate::connectors::targets::{self, Target};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{AppId, ConnectionId, UserId, WorkspaceId};
use crate::on;
use orla_manifest::{Auth, OAuth2, RevokeBy};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use url::Url;

const STATE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// An authorization that was begun.
#[derive(Debug)]
pub struct Begun {
    /// Where to send the browser.
    pub url: Url,
    /// What the browser must bring back as a cookie.
    pub browser: SecretString,
}

/// The release that serves a network, and its OAuth.
fn oauth_of(app: &App, platform: &str) -> Result<(Arc<Release>, OAuth2)> {
    let release = app.connectors().for_platform(platform).ok_or(Error::NotFound("platform"))?;
    match &release.manifest.auth {
        Auth::Oauth2(oauth) => {
            let oauth = oauth.clone();
            Ok((release, oauth))
        }
        Auth::Fields(_) | Auth::ServiceAccount(_) => {
            let detail = format!(
                "{} is connected by fields, not by OAuth: POST /social/connections/{platform}; GET /social/platforms lists them.",
                release.manifest.name
            );
            Err(Error::Conflict { code: "connect_by_fields", detail })
        }
        Auth::None | Auth::ApiKey(_) => Err(Error::NotFound("OAuth for this platform")),
    }
}

/// The redirect URI to register at the vendor.
#[must_use]
pub fn redirect_uri(app: &App, platform: &str) -> String {
    format!("{}{}/callback", app.config().public(), platforms::oauth_route(app, platform))
}

const INSERT: &str = "insert into oauth_states
    (state_hash, workspace_id, user_id, connector, redirect_uri, browser_hash, sealed_verifier, expires_at, app_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const SWEEP: &str = "delete from oauth_states where expires_at < $1";

const NO_APP: &str = "This server has no keys for this network yet. Its operator sets them as ORLA_CONNECTORS__<ID>__CLIENT_ID and \
    …__CLIENT_SECRET.";
const NO_APP_BUT_KEYS: &str = "This server has no app at this network yet. Its operator sets one as ORLA_CONNECTORS__<ID>__CLIENT_ID \
    and …__CLIENT_SECRET. A service account can be connected without one: POST /social/connections/{platform}.";

/// Begins to connect an account at a network.
///
/// # Errors
/// The network is unknown, or the operator has not configured an app for it.
pub async fn begin(app: &App, workspace: WorkspaceId, user: UserId, platform: &str) -> Result<Begun> {
    let (release, oauth) = oauth_of(app, platform)?;
    let connector = &release.manifest.id;
    let services = app.connectors().services();
    let vendor_app = vendor_apps::for_new(services, workspace, connector).await?;
    let vendor_app = vendor_app.ok_or(Error::NotConfigured(match &oauth.service_account {
        None => NO_APP,
        Some(_) => NO_APP_BUT_KEYS,
    }))?;
    let (state, verifier, browser) = (oauth::random_text(), oauth::random_text(), oauth::random_text());
    let redirect_uri = redirect_uri(app, platform);
    let client = Client { services, release: &release, oauth: &oauth, app: &vendor_app };
    let url = client.authorize_url(&redirect_uri, &state, &verifier)?;
    let state_hash = hash(&state);
    let sealed_verifier = app.vault().seal_token(&verifier_identity(&state_hash), verifier.expose_secret().as_bytes());
    let now = app.now();
    let mut tx = app.db().begin().await?;
    on!(&mut tx, conn => sqlx::query(SWEEP).bind(now.before(STATE_LIFETIME)).execute(conn).await.map(drop))?;
    on!(&mut tx, conn => sqlx::query(INSERT)
        .bind(&state_hash).bind(workspace).bind(user).bind(connector).bind(&redirect_uri).bind(hash(&browser))
        .bind(sealed_verifier).bind(now.after(STATE_LIFETIME)).bind(vendor_app.id)
        .execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(Begun { url, browser })
}

/// What the vendor's redirect brought.
#[derive(Debug)]
pub struct Callback {
    /// The `state` parameter.
    pub state: SecretString,
    /// The `code` parameter, where the person agreed.
    pub code: Option<SecretString>,
    /// The `error` parameter, where not.
    pub error: Option<String>,
    /// The cookie of the browser.
    pub browser: Option<SecretString>,
}

/// Ends a connection: exchanges the code, asks the vendor whose account it is, and stores both.
///
/// # Errors
/// A sentence for the person, which says what to do. The state is used up in any case.
pub async fn finish(app: &App, platform: &str, callback: Callback) -> Result<Connection> {
    let (release, oauth) = oauth_of(app, platform)?;
    let begun = use_state(app, &callback.state).await?;
    let same_browser = callback
        .browser
        .as_ref()
        .is_some_and(|browser| bool::from(hash(browser).as_bytes().ct_eq(begun.browser_hash.as_bytes())));
    if !same_browser {
        return Err(Error::Forbidden("This link was begun in another browser. Begin again in this one."));
    }
    if begun.connector != release.manifest.id {
        return Err(Error::Forbidden("This answer belongs to another network. Begin again."));
    }
    if let Some(error) = callback.error {
        let detail = match error.as_str() {
            "access_denied" => {
                "You did not agree at the network, so nothing was connected. Begin again if that was a slip.".to_owned()
            }
            error => {
                format!("The network refused: {:.100}. Begin again; if it stays, show this to your operator.", error)
            }
        };
        return Err(Error::Conflict { code: "connection_refused", detail });
    }
    let code =
        callback.code.ok_or_else(|| Error::Malformed("The network's answer holds no code. Begin again.".to_owned()))?;
    let verifier = app.vault().open_token(&verifier_identity(&hash(&callback.state)), &begun.sealed_verifier)?;
    let verifier = SecretString::from(std::str::from_utf8(&verifier).map_err(anyhow::Error::from)?);
    let services = app.connectors().services();
    let vendor_app = match begun.app_id {
        Some(id) => vendor_apps::by_id(services, id).await?,
        None => return Err(state_invalid()),
    };
    let client = Client { services, release: &release, oauth: &oauth, app: &vendor_app };
    let exchanged = client.exchange(&code, &begun.redirect_uri, &verifier).await;
    let tokens = exchanged.map_err(|refused| no_tokens(refused, &begun.redirect_uri, &vendor_app))?;
    let Scopes { granted, missing } = scopes(client, &tokens).await?;
    let minted = Credentials::Minted {
        token: tokens.access.clone(),
        app: Some(vendor_app.id),
        app_secret: vendor_app.client_secret.clone(),
    };
    let asked = app.connectors().whoami(&release, begun.workspace_id, minted).await;
    let (profile, slots) =
        asked.map_err(|fault| Error::Vendor(format!("The network did not say whose account it is: {fault}")))?;
    let new = NewConnection {
        id: ConnectionId::new(),
        workspace: begun.workspace_id,
        user: begun.user_id,
        connector: &release.manifest.id,
        platform: release.manifest.platform(),
        vendor_id: &profile.vendor_id,
        handle: &profile.handle,
        display_name: profile.name.as_deref(),
        scopes: &granted,
        missing_scopes: &missing,
        app: Some(vendor_app.id),
    };
    store(app, client, &new, &tokens, (&slots, &profile.targets)).await
}

/// What a person allowed, each separated by spaces.
struct Scopes {
    granted: String,
    /// Asked for and not allowed; the connector can do without.
    missing: String,
}

/// Looks at what a person allowed.
///
/// # Errors
/// They did not allow what the connector cannot do without, or the vendor did not say.
async fn scopes(client: Client<'_>, tokens: &Tokens) -> Result<Scopes> {
    let granted = client.granted(tokens).await.map_err(told)?;
    let missing = |wanted: &[String]| -> Vec<String> {
        wanted.iter().filter(|scope| !granted.contains(scope)).cloned().collect()
    };
    let needed = missing(&client.oauth.scopes);
    if !needed.is_empty() {
        let detail = format!(
            "You did not allow what {} cannot do without: {}. Begin again, and leave all of it ticked.",
            client.release.manifest.name,
            needed.join(", ")
        );
        return Err(Error::Conflict { code: "scope_missing", detail });
    }
    let missing = missing(&client.oauth.optional_scopes).join(" ");
    Ok(Scopes { granted: granted.join(" "), missing })
}

/// Why a code gave no tokens, for the person who is connecting. Vendors agree on no code for a redirect URI that is not
/// registered, but all name it in their words.
fn no_tokens(refused: Refused, redirect_uri: &str, vendor_app: &VendorApp) -> Error {
    if !refused.words().to_lowercase().contains("redirect") {
        return told(refused);
    }
    let who = match vendor_app.owner {
        Owner::Installation => "the operator of this server",
        Owner::Workspace => "whoever made this app for your workspace",
    };
    let detail = format!(
        "The network does not know the redirect URI of the app {} ({}). Let {who} enter exactly this one among the app's \
         redirect URIs there: {redirect_uri} Then begin again.",
        vendor_app.client_id,
        refused.words().trim_end_matches('.')
    );
    Error::Conflict { code: "redirect_uri_unknown", detail }
}

/// Why there are no tokens, for the person who is connecting.
fn told(refused: Refused) -> Error {
    match refused {
        Refused::Revoked(words) => Error::Conflict {
            code: "code_expired",
            detail: format!(
                "The network's code is no longer valid ({words}). Begin again, and agree within half a minute."
            ),
        },
        Refused::Transient { words, .. } => {
            Error::Vendor(format!("The network did not answer as it should ({words}). Begin again."))
        }
        Refused::Misconfigured(words) => {
            Error::Vendor(format!("The network does not accept this server's app ({words}). Tell your operator."))
        }
    }
}

async fn store(
    app: &App,
    client: Client<'_>,
    new: &NewConnection<'_>,
    tokens: &Tokens,
    (slots, targets): (&BTreeMap<String, SecretString>, &[Target]),
) -> Result<Connection> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let end = lasting::end(app, &mut tx, client, new, tokens).await?;
    let id = connections::upsert(&mut tx, new, now).await?;
    lasting::note(&mut tx, new, end.as_ref()).await?;
    credentials::forget_entered(&mut tx, new.workspace, id).await?;
    credentials::store(&mut tx, app.vault(), new.workspace, id, tokens, now).await?;
    credentials::store_slots(&mut tx, app.vault(), new.workspace, id, slots, now).await?;
    targets::replace(&mut tx, new.workspace, id, targets).await?;
    tx.commit().await?;
    let is_lasting = end.is_none();
    tracing::info!(connection = %id, connector = new.connector, is_lasting, "connected the account {id}");
    connections::find(&mut app.db().read().await?, new.workspace, id).await
}

#[derive(sqlx::FromRow)]
struct BegunRow {
    workspace_id: WorkspaceId,
    user_id: UserId,
    connector: String,
    redirect_uri: String,
    browser_hash: String,
    sealed_verifier: Vec<u8>,
    expires_at: Timestamp,
    app_id: Option<AppId>,
}

const USE: &str = "update oauth_states set used_at = $1 where state_hash = $2 and used_at is null
    returning workspace_id, user_id, connector, redirect_uri, browser_hash, sealed_verifier, expires_at, app_id";

/// Uses a state up: the second use of it finds nothing.
async fn use_state(app: &App, state: &SecretString) -> Result<BegunRow> {
    let now = app.now();
    let mut tx: Tx = app.db().begin().await?;
    let begun: Option<BegunRow> =
        on!(&mut tx, conn => sqlx::query_as(USE).bind(now).bind(hash(state)).fetch_optional(conn).await)?;
    tx.commit().await?;
    begun.filter(|begun| begun.expires_at > now).ok_or_else(state_invalid)
}

fn state_invalid() -> Error {
    let detail = "This answer was used before, or took more than ten minutes. Begin again.".to_owned();
    Error::Conflict { code: "state_invalid", detail }
}

/// Removes a connection, and tells the vendor that its tokens are no longer needed.
///
/// # Errors
/// The workspace has no such connection, or the database failed. That the vendor cannot be told is only logged.
pub async fn disconnect(app: &App, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
    let connection = connections::find(&mut app.db().read().await?, workspace, id).await?;
    let services = app.connectors().services();
    let stored = Stored::read(&mut app.db().read().await?, app.vault(), workspace, id).await?;
    let minted_by = vendor_apps::of_connection(services, workspace, id).await;
    let renewed = to_revoke_with(app, &connection, &stored).await;
    let mut tx = app.db().begin().await?;
    connections::delete(&mut tx, workspace, id, app.now()).await?;
    tx.commit().await?;
    let Some(release) = app.connectors().active(&connection.connector) else { return Ok(()) };
    let Way::Oauth2(oauth) = stored.way(&release.manifest.auth) else { return Ok(()) };
    let (Some(revoke), Ok(vendor_app)) = (&oauth.revoke, minted_by) else { return Ok(()) };
    let client = Client { services, release: &release, oauth, app: &vendor_app };
    let (access, refresh) = stored.tokens();
    let access = renewed.as_ref().or(access);
    if let Err(refused) = client.revoke(revoke, access, refresh).await {
        tracing::warn!(connection = %id, "the vendor could not be told to revoke the tokens: {}", refused.words());
    }
    Ok(())
}

/// A fresh access token where the vendor is told by the access token itself, and ours has ended.
async fn to_revoke_with(app: &App, connection: &Connection, stored: &Stored) -> Option<SecretString> {
    let release = app.connectors().active(&connection.connector)?;
    let Way::Oauth2(oauth) = stored.way(&release.manifest.auth) else { return None };
    let signed = oauth.revoke.as_ref().is_some_and(|revoke| revoke.by != RevokeBy::Token);
    if !signed || !connection.is_active() || !stored.ends_before(app.now().after(oauth::margin(oauth))) {
        return None;
    }
    let renewal = Renewal {
        services: app.connectors().services(),
        release: &release,
        workspace: connection.workspace_id,
        connection: connection.id,
        stale: stored.tokens().0,
        about_to_send: &|_: &SecretString| {},
    };
    renewal.token().await.ok()
}

fn verifier_identity(state_hash: &str) -> String {
    format!("oauth_states/{state_hash}/verifier")
}

fn hash(secret: &SecretString) -> String {
    hex::encode(Sha256::digest(secret.expose_secret()))
}

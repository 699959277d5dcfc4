//! Trying a connection out: its network is asked whose account it is, by the connector's own `whoami`. What comes of it is told in
//! words, with what to do next. Nothing is changed but by the rules that hold for every run: tokens are renewed, and a connection
//! that the network no longer honours is marked so.

use super::{platforms, revoked};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::apps;
use crate::connectors::connections::{self, Connection};
use crate::connectors::credentials::{Credentials, Stored, Way};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::oauth::{Client, Tokens};
use crate::connectors::refreshing::APP_REFUSED;
use crate::connectors::release::Release;
use crate::connectors::run::Pinned;
use crate::connectors::work::{Account, Profile};
use crate::error::Result;
use crate::id::{ConnectionId, RunId, WorkspaceId};
use orla_manifest::{OAuth2, Refresh};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// What came of trying a connection out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConnectionTest {
    /// Whether it works; absent where nobody can say without posting.
    pub works: Option<bool>,
    /// What was found, for a person.
    pub summary: String,
    /// What to do about it; absent where nothing has to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Where to connect the account again; where that is the way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<String>,
    /// Why it failed, with the network's own words and code; where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// When another try makes sense; where the network or the host named a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// `active` or `revoked`, after the test.
    pub state: String,
    /// Since when it is in this state: when it was connected last, or seen to be no longer honoured.
    pub since: Timestamp,
    /// Whose account it is, as the network says now; where it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<SeenAccount>,
    /// What was granted against what the connector asks for; where accounts are connected by OAuth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<ScopeTest>,
    /// The access token's life, after the test; where accounts are connected by OAuth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenLife>,
    /// When it was tested.
    pub tested_at: Timestamp,
}

/// An account as its network describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeenAccount {
    /// The network's id.
    pub vendor_id: String,
    /// Its handle.
    pub handle: String,
    /// The name that is shown.
    pub name: Option<String>,
}

/// What a person granted, against what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScopeTest {
    /// What was granted: as the network says now where it can be asked, else as it was when the account was connected.
    pub granted: Vec<String>,
    /// What the connector cannot do without and does not have.
    pub missing: Vec<String>,
    /// What it asks for too and does not have.
    pub missing_optional: Vec<String>,
}

/// How long an access token serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenLife {
    /// When it ends; absent where the network sets no end.
    pub expires_at: Option<Timestamp>,
    /// When it was minted or renewed last.
    pub renewed_at: Option<Timestamp>,
    /// Whether the host renews it by itself.
    pub renews: bool,
}

/// What asking came to.
enum Came {
    /// The network said whose account it is.
    Answered(Profile),
    /// It did not.
    Failed(Fault),
    /// It was not asked, since it is known that it no longer honours the connection.
    Known,
    /// The connector cannot ask.
    Unasked,
    /// The connector does not serve.
    Unserved,
}

/// Tries a workspace's connection out.
///
/// # Errors
/// The workspace has no such connection, or the database failed.
pub async fn test(app: &App, workspace: WorkspaceId, id: ConnectionId) -> Result<ConnectionTest> {
    let before = connections::find(&mut app.db().read().await?, workspace, id).await?;
    let release = app.connectors().active(&before.connector);
    let came = match &release {
        None => Came::Unserved,
        Some(_) if !before.is_active() => Came::Known,
        Some(release) => Box::pin(ask(app, release, &before)).await?,
    };
    let mut tx = app.db().read().await?;
    let connection = connections::find(&mut tx, workspace, id).await?;
    let stored = Stored::read(&mut tx, app.vault(), workspace, id).await?;
    drop(tx);
    let mut test = begun(app, &connection);
    if let Some(release) = &release
        && let Way::Oauth2(oauth) = stored.way(&release.manifest.auth)
    {
        let granted = granted(app, release, oauth, &connection, &stored, &came).await;
        test.scopes = Some(ScopeTest::of(oauth, granted));
        test.token = Some(TokenLife::of(oauth, &stored));
    }
    let name = release.as_ref().map_or(connection.platform.as_str(), |release| release.manifest.name.as_str());
    let report = Report { app, connection: &connection, name };
    match came {
        Came::Answered(profile) => {
            let expected = release.as_ref().map(|release| Account::of(&connection, None, release).vendor_id);
            report.answered(&mut test, profile, expected.as_deref());
        }
        Came::Failed(fault) => report.failed(&mut test, fault),
        Came::Known => report.known(&mut test),
        Came::Unasked => report.unasked(&mut test),
        Came::Unserved => report.unserved(&mut test),
    }
    Ok(test)
}

fn begun(app: &App, connection: &Connection) -> ConnectionTest {
    ConnectionTest {
        works: None,
        summary: String::new(),
        advice: None,
        reconnect: None,
        fault: None,
        again_at: None,
        state: connection.state.clone(),
        since: connection.revoked_at.unwrap_or(connection.updated_at),
        account: None,
        scopes: None,
        token: None,
        tested_at: app.now(),
    }
}

/// Lets the connector ask, in a run like any other that may only read.
async fn ask(app: &App, release: &Arc<Release>, connection: &Connection) -> Result<Came> {
    let Connection { id, workspace_id: workspace, .. } = *connection;
    let stored = Stored::read(&mut app.db().read().await?, app.vault(), workspace, id).await?;
    let auth = &release.manifest.auth;
    let is_known_by_key = auth.oauth2().is_some() && matches!(stored.way(auth), Way::ServiceAccount(_));
    if release.identity.is_none() || is_known_by_key {
        return Ok(Came::Unasked);
    }
    let credentials = Credentials::of(id, auth, Some(stored));
    let now = app.now();
    let pinned = Pinned { id: RunId::new(), workspace, seed: now.0, started_at: now };
    let run = Arc::new(app.connectors().execution(pinned, release.clone(), credentials, None));
    let identified = app.connectors().identify(&run).await;
    run.settle().await;
    Ok(match identified {
        Ok(profile) => Came::Answered(profile),
        Err(fault) => Came::Failed(Fault {
            message: run.secrets.blank_text(fault.message),
            code: fault.code.map(|code| run.secrets.blank_text(code)),
            ..fault
        }),
    })
}

/// What was granted: as the vendor says now where it answers and can be asked, else as it is stored.
async fn granted(
    app: &App,
    release: &Release,
    oauth: &OAuth2,
    connection: &Connection,
    stored: &Stored,
    came: &Came,
) -> Vec<String> {
    let noted = || connection.scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let services = app.connectors().services();
    let (Came::Answered(_), Some(_), Some(access)) = (came, &oauth.granted, stored.tokens().0) else { return noted() };
    let Ok(vendor_app) = apps::of_connection(services, connection.workspace_id, connection.id).await else {
        return noted();
    };
    let tokens = Tokens { access: access.clone(), refresh: None, expires_at: None, scopes: None };
    let client = Client { services, release, oauth, app: &vendor_app };
    Box::pin(client.granted(&tokens)).await.unwrap_or_else(|_| noted())
}

impl ScopeTest {
    fn of(oauth: &OAuth2, granted: Vec<String>) -> Self {
        let missing = |asked: &[String]| asked.iter().filter(|scope| !granted.contains(scope)).cloned().collect();
        Self { missing: missing(&oauth.scopes), missing_optional: missing(&oauth.optional_scopes), granted }
    }
}

impl TokenLife {
    fn of(oauth: &OAuth2, stored: &Stored) -> Self {
        let (expires_at, renewed_at) = stored.life();
        let renews = match &oauth.refresh {
            Refresh::None => false,
            Refresh::Token => stored.tokens().1.is_some(),
            Refresh::Exchange { .. } => true,
        };
        Self { expires_at, renewed_at, renews }
    }
}

/// Tells what came of a test.
struct Report<'a> {
    app: &'a App,
    connection: &'a Connection,
    /// The network's, for a person.
    name: &'a str,
}

impl Report<'_> {
    /// Connecting again is the way out.
    fn reconnect(&self, test: &mut ConnectionTest, before: &str) {
        let way = revoked::way_back(self.app, self.connection.id, &self.connection.platform);
        test.advice = Some(format!("{before} Connect it again: {way}.").trim_start().to_owned());
        test.reconnect = Some(way);
    }

    fn answered(&self, test: &mut ConnectionTest, profile: Profile, expected: Option<&str>) {
        let Self { name, connection, .. } = self;
        let Profile { vendor_id, handle, name: shown, .. } = profile;
        let missing = test.scopes.as_ref().map_or_else(Vec::new, |scopes| scopes.missing.clone());
        let optional = test.scopes.as_ref().map_or_else(Vec::new, |scopes| scopes.missing_optional.clone());
        let is_same = expected.is_none_or(|expected| expected == vendor_id);
        test.works = Some(is_same && missing.is_empty());
        if !is_same {
            let before = &connection.handle;
            test.summary = format!("{name} says that this is @{handle} by now; @{before} was connected.");
            self.reconnect(test, "What is posted would go to another account.");
        } else if !missing.is_empty() {
            test.summary = format!("{name} knows @{handle}, but {} was not allowed.", missing.join(", "));
            self.reconnect(test, "What needs it fails.");
        } else if !optional.is_empty() {
            test.summary = format!("{name} knows @{handle}. {} was left out.", optional.join(", "));
            self.reconnect(test, "What needs it fails; leave all ticked if you want it.");
        } else {
            test.summary = format!("{name} knows @{handle}, and all that is needed is allowed.");
        }
        if test.token.as_ref().is_some_and(|token| !token.renews && token.expires_at.is_some()) && test.advice.is_none()
        {
            self.reconnect(test, "Its token is not renewed, so this ends when the token does.");
        }
        test.account = Some(SeenAccount { vendor_id, handle, name: shown });
    }

    fn failed(&self, test: &mut ConnectionTest, fault: Fault) {
        let words = fault.message.trim_end_matches('.');
        test.works = Some(false);
        test.summary = format!("{} did not say whose account it is: {words}.", self.name);
        test.again_at = fault.retry_after_ms.map(|ms| test.tested_at.after(Duration::from_millis(ms)));
        self.advise(test, &fault);
        test.fault = Some(fault);
    }

    fn advise(&self, test: &mut ConnectionTest, fault: &Fault) {
        let connector = &self.connection.connector;
        let doctor = format!("`orla connector doctor {connector} --live`");
        let advice = match fault.kind {
            FaultKind::AuthExpired => return self.reconnect(test, "The network no longer takes what is stored."),
            FaultKind::ScopeMissing => {
                return self.reconnect(test, "A permission is missing; leave all of them ticked.");
            }
            FaultKind::VendorDown if fault.message.contains(APP_REFUSED) => {
                let id = connector.to_ascii_uppercase();
                format!(
                    "Ask your operator to set ORLA_CONNECTORS__{id}__CLIENT_ID and ORLA_CONNECTORS__{id}__CLIENT_SECRET anew \
                     ({doctor} tells more); if the app is your own, set it anew with PUT /social/apps/{}.",
                    self.connection.platform
                )
            }
            FaultKind::RateLimited | FaultKind::Quota | FaultKind::Busy => {
                format!("Wait {}, then test again.", wait(fault))
            }
            FaultKind::VendorDown | FaultKind::Uncertain | FaultKind::Cancelled => {
                format!("Wait {}, then test again. If it stays, {doctor} tells your operator more.", wait(fault))
            }
            FaultKind::Invalid
            | FaultKind::NotFound
            | FaultKind::Conflict
            | FaultKind::TooLarge
            | FaultKind::Vendor
            | FaultKind::Budget
            | FaultKind::Bug => {
                format!("Show this to your operator: it is between the connector `{connector}` and {}.", self.name)
            }
        };
        test.advice = Some(advice);
    }

    fn known(&self, test: &mut ConnectionTest) {
        let words = self.connection.refresh_words.as_deref().unwrap_or("nothing more").trim_end_matches('.');
        test.works = Some(false);
        test.summary = format!("{} no longer honours this connection; it said: {words}.", self.name);
        self.reconnect(test, "");
    }

    fn unasked(&self, test: &mut ConnectionTest) {
        test.summary = format!(
            "What was entered for {} is stored, and nobody can be asked about it: the first post shows whether it works.",
            self.name
        );
        let first = platforms::first_step(self.app, &self.connection.platform);
        test.advice = Some(format!("Publish something to try it; {first} replaces what was entered."));
    }

    fn unserved(&self, test: &mut ConnectionTest) {
        let connector = &self.connection.connector;
        test.works = Some(false);
        test.summary = format!("The connector `{connector}` does not serve here at the moment.");
        test.advice = Some(format!("Tell your operator: `orla connector doctor {connector}` says why."));
    }
}

/// For how long to wait.
fn wait(fault: &Fault) -> String {
    match fault.retry_after_ms.map(|ms| ms.div_ceil(1_000)) {
        None => "a while".to_owned(),
        Some(seconds) if seconds < 120 => format!("{} seconds", seconds.max(1)),
        Some(seconds) => format!("{} minutes", seconds.div_ceil(60)),
    }
}

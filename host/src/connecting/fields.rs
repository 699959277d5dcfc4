//! Connecting an account by fields that a person fills in, for vendors without OAuth and for instances of the person's
//! own choice. What is entered is tried out, where the connector can ask whose account it is, before anything is stored.

use super::service_accounts;
use crate::app::App;
use crate::connectors::connections::{self, Connection, NewConnection};
use crate::connectors::credentials::{self, Credentials};
use crate::connectors::entered::{self, Entered, Refused};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::release::Release;
use crate::connectors::targets::{self, Target};
use crate::connectors::work::Profile;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, UserId, WorkspaceId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use orla_manifest::{Auth, Fields, OAuth2, ServiceAccount};
use secrecy::SecretString;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// The form of a network: what a person fills in to connect an account there.
#[derive(Debug, Clone)]
pub struct Form {
    release: Arc<Release>,
    entry: Entry,
}

/// What is filled in.
#[derive(Debug, Clone)]
enum Entry {
    Fields(Fields),
    ServiceAccount(ServiceAccount),
}

/// Finds a network's form.
///
/// # Errors
/// There is no such network here, or its accounts are connected in another way.
pub fn form(app: &App, platform: &str) -> Result<Form> {
    let release = app.connectors().for_platform(platform).ok_or(Error::NotFound("platform"))?;
    let entry = match &release.manifest.auth {
        Auth::Fields(fields) => Entry::Fields(fields.clone()),
        Auth::ServiceAccount(account) | Auth::Oauth2(OAuth2 { service_account: Some(account), .. }) => {
            Entry::ServiceAccount(account.clone())
        }
        Auth::Oauth2(_) => {
            let detail = format!(
                "{} is connected by OAuth, not by fields: GET /social/oauth/{platform}/auth.",
                release.manifest.name
            );
            return Err(Error::Conflict { code: "connect_by_oauth", detail });
        }
        Auth::None | Auth::ApiKey(_) => return Err(Error::NotFound("platform to connect")),
    };
    Ok(Form { release, entry })
}

/// Connects the account that a form describes. The same account again keeps its id, and gets what is entered now.
///
/// # Errors
/// A field that is wrong, by its label; or the vendor did not answer. Nothing is stored then.
pub async fn connect(
    app: &App,
    workspace: WorkspaceId,
    user: UserId,
    form: &Form,
    given: BTreeMap<String, SecretString>,
) -> Result<Connection> {
    let release = &form.release;
    let fields = match &form.entry {
        Entry::Fields(fields) => fields,
        Entry::ServiceAccount(account) => {
            let connecting = service_accounts::connect(app, (workspace, user), release, account, &given);
            return Box::pin(connecting).await;
        }
    };
    let entered = Entered::take(&release.manifest, fields, given)?;
    let address = match fields.address() {
        Some(field) => {
            let address = entered.address(&field.name).map_err(|fault| Error::Vendor(fault.message))?;
            let fit = app.connectors().services().egress.look_up(&address).await;
            fit.map_err(|unfit| Refused::new(field, unfit))?;
            Some(address)
        }
        None => None,
    };
    let profile = match &release.identity {
        Some(_) => ask(app, workspace, (release, fields), &entered, address.as_ref()).await?,
        None => unasked(app, workspace, release, address.as_ref())?,
    };
    let new = NewConnection {
        id: ConnectionId::new(),
        workspace,
        user,
        connector: &release.manifest.id,
        platform: release.manifest.platform(),
        vendor_id: &profile.vendor_id,
        handle: &profile.handle,
        display_name: profile.name.as_deref(),
        scopes: "",
        missing_scopes: "",
        app: None,
    };
    store(app, &new, &entered, &profile.targets).await
}

async fn store(app: &App, new: &NewConnection<'_>, entered: &Entered, targets: &[Target]) -> Result<Connection> {
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let id = connections::upsert(&mut tx, new, now).await?;
    credentials::store_entered(&mut tx, app.vault(), new.workspace, id, entered, now).await?;
    targets::replace(&mut tx, new.workspace, id, targets).await?;
    tx.commit().await?;
    tracing::info!(connection = %id, connector = new.connector, "connected the account {id}");
    connections::find(&mut app.db().read().await?, new.workspace, id).await
}

/// Lets the connector ask whose account it is, with what was entered.
async fn ask(
    app: &App,
    workspace: WorkspaceId,
    (release, fields): (&Arc<Release>, &Fields),
    entered: &Entered,
    address: Option<&Url>,
) -> Result<Profile> {
    let credentials = Credentials::Entered { connection: None, entered: Some(entered.clone()) };
    let asked = app.connectors().whoami(release, workspace, credentials).await;
    let (profile, _) = asked.map_err(|fault| unconfirmed(release, fields, &fault))?;
    Ok(match address {
        Some(address) => Profile { vendor_id: entered::at_instance(&profile.vendor_id, address), ..profile },
        None => profile,
    })
}

/// What a person reads when the vendor did not say whose account it is.
fn unconfirmed(release: &Release, fields: &Fields, fault: &Fault) -> Error {
    let name = &release.manifest.name;
    let words = fault.message.trim_end_matches('.');
    let token = fields.token.as_ref().and_then(|token| fields.named(token));
    match (fault.kind, token) {
        (FaultKind::AuthExpired | FaultKind::ScopeMissing, Some(token)) => {
            let page = fields.obtained_at.as_ref().map_or_else(String::new, |page| format!(" at {page}"));
            let wrong = format!("was not accepted ({words}): make a new one{page} and enter it");
            Refused::new(token, wrong).into()
        }
        _ => Error::Vendor(format!("{name} did not say whose account it is ({words}). Check what you entered.")),
    }
}

/// Tells accounts apart where nobody can be asked: by the address that was entered, which nobody can read out of the id.
fn unasked(app: &App, workspace: WorkspaceId, release: &Release, address: Option<&Url>) -> Result<Profile> {
    let nowhere = || Error::Internal(anyhow::anyhow!("a connector without identity and address was admitted"));
    let address = address.ok_or_else(nowhere)?;
    let key = app.vault().derive("orla/v1/accounts");
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of any length");
    mac.update(format!("{workspace}/{}/{address}", release.manifest.id).as_bytes());
    Ok(Profile {
        vendor_id: hex::encode(mac.finalize().into_bytes()),
        handle: address.host_str().unwrap_or_default().to_owned(),
        name: None,
        targets: Vec::new(),
    })
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Field { name: refused.field, detail: refused.detail }
    }
}

//! Connecting an account that signs its own way in: a person enters its key, as a key file or in single fields. The key is
//! tried out before anything is stored.

use crate::app::App;
use crate::connectors::connections::{self, Connection, NewConnection};
use crate::connectors::credentials::{self, Credentials};
use crate::connectors::oauth::{Asserting, Refused, ServiceKey, read_pem};
use crate::connectors::release::Release;
use crate::connectors::targets;
use crate::connectors::work::Profile;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, UserId, WorkspaceId};
use orla_manifest::{Field, FieldKind, ServiceAccount};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

const KEY_FILE: &str = "key_file";
const ACCOUNT: &str = "client_email";
const PRIVATE_KEY: &str = "private_key";
const KEY_ID: &str = "private_key_id";
const SUBJECT: &str = "subject";
const MAX_CHARS: usize = 500;
const MAX_KEY_BYTES: usize = 32 << 10;

/// Whether a field of a form has to be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// What a person fills in, in the order to show.
pub(super) fn form(account: &ServiceAccount) -> Vec<(Field, Need)> {
    let field = |name: &str, label: &str, kind, help: &str| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        help: Some(help.to_owned()),
    };
    let file = "All of the JSON file that the key came in. Leave the next three fields empty, then.";
    let key = "In PEM: it begins with -----BEGIN PRIVATE KEY-----.";
    let mut form = vec![
        (field(KEY_FILE, "Key file", FieldKind::Secret, file), Need::Optional),
        (
            field(ACCOUNT, "Account", FieldKind::Text, "Its mail address or id, where there is no key file."),
            Need::Optional,
        ),
        (field(PRIVATE_KEY, "Private key", FieldKind::Secret, key), Need::Optional),
        (field(KEY_ID, "Key id", FieldKind::Text, "What the network calls the key, if anything."), Need::Optional),
    ];
    if let Some(label) = &account.subject {
        let help = "The person in whose name the account acts, such as a mail address.";
        form.push((field(SUBJECT, label, FieldKind::Text, help), Need::Required));
    }
    form
}

/// What is in a key file as Google hands them out. The address of the token endpoint in it is not looked at: assertions go
/// where the manifest says.
#[derive(Deserialize)]
struct KeyFile {
    r#type: Option<String>,
    client_email: Option<String>,
    private_key: Option<SecretString>,
    private_key_id: Option<String>,
}

/// A key, and the field that it came in.
struct Given {
    key: ServiceKey,
    field: &'static str,
}

/// Refuses a field; what is wrong reads on after its label. It never holds a value.
fn refuse(field: &str, label: &str, wrong: &str) -> Error {
    Error::invalid(format!("fields/{field}"), format!("`{label}` {wrong}."))
}

/// Takes what a person entered.
///
/// # Errors
/// The first field that is wrong.
fn take(account: &ServiceAccount, given: &BTreeMap<String, SecretString>) -> Result<Given> {
    let form = form(account);
    for (name, value) in given {
        let Some((field, _)) = form.iter().find(|(field, _)| field.name == *name) else {
            let known: Vec<String> =
                form.iter().map(|(field, _)| format!("{} (`{}`)", field.label, field.name)).collect();
            let detail = format!("There is no field `{name:.50}`; the fields are: {}.", known.join(", "));
            return Err(Error::invalid(format!("fields/{name:.50}"), detail));
        };
        let value = value.expose_secret();
        let is_line = value.chars().count() <= MAX_CHARS && !value.contains(char::is_control);
        if field.kind == FieldKind::Text && !is_line {
            return Err(refuse(name, &field.label, "must be one line of at most 500 characters"));
        }
        if value.len() > MAX_KEY_BYTES {
            return Err(refuse(name, &field.label, "is too long to be a key"));
        }
    }
    let entered =
        |name: &str| given.get(name).map(|value| value.expose_secret().trim()).filter(|text| !text.is_empty());
    let subject = match (&account.subject, entered(SUBJECT)) {
        (Some(label), None) => return Err(refuse(SUBJECT, label, "is missing")),
        (_, subject) => subject.map(str::to_owned),
    };
    match (entered(KEY_FILE), entered(ACCOUNT), entered(PRIVATE_KEY)) {
        (Some(file), None, None) => of_file(file, subject),
        (Some(_), ..) => Err(refuse(KEY_FILE, "Key file", "says all of it: leave `Account` and `Private key` empty")),
        (None, Some(issuer), Some(pem)) => {
            let private_key = read_pem(pem).map_err(|wrong| refuse(PRIVATE_KEY, "Private key", wrong))?;
            let (issuer, key_id) = (issuer.to_owned(), entered(KEY_ID).map(str::to_owned));
            Ok(Given { key: ServiceKey { issuer, key_id, subject, private_key }, field: PRIVATE_KEY })
        }
        (None, Some(_), None) => Err(refuse(PRIVATE_KEY, "Private key", "is missing")),
        (None, None, Some(_)) => Err(refuse(ACCOUNT, "Account", "is missing")),
        (None, None, None) => {
            Err(refuse(KEY_FILE, "Key file", "is missing; fill in `Account` and `Private key` where you have none"))
        }
    }
}

fn of_file(file: &str, subject: Option<String>) -> Result<Given> {
    let refuse = |wrong: &str| refuse(KEY_FILE, "Key file", wrong);
    // What the parser says would repeat what it met.
    let file: KeyFile = serde_json::from_str(file).map_err(|_| refuse("is not the JSON that a key comes in"))?;
    if file.r#type.is_some_and(|kind| kind != "service_account") {
        return Err(refuse("is of something else than a service account"));
    }
    let (Some(issuer), Some(pem)) = (file.client_email, file.private_key) else {
        return Err(refuse("lacks `client_email` or `private_key`"));
    };
    let private_key = read_pem(pem.expose_secret()).map_err(refuse)?;
    let is_line = |text: &String| text.chars().count() <= MAX_CHARS && !text.contains(char::is_control);
    if !is_line(&issuer) || !file.private_key_id.as_ref().is_none_or(is_line) {
        return Err(refuse("has a `client_email` or `private_key_id` that is none"));
    }
    let key = ServiceKey { issuer, key_id: file.private_key_id, subject, private_key };
    Ok(Given { key, field: KEY_FILE })
}

/// Connects a service account, or connects it again with another key.
///
/// # Errors
/// A field that is wrong, by its label; the network does not honour the key, or did not answer. Nothing is stored then.
pub(super) async fn connect(
    app: &App,
    (workspace, user): (WorkspaceId, UserId),
    release: &Arc<Release>,
    account: &ServiceAccount,
    given: &BTreeMap<String, SecretString>,
) -> Result<Connection> {
    let Given { key, field } = take(account, given)?;
    let asserting = Asserting { services: app.connectors().services(), release, account };
    let tokens = asserting.token(&key).await.map_err(|refused| told(account, field, refused))?;
    let (profile, slots) = match &release.identity {
        // Where people connect their own accounts, too, it is they whom the connector asks about.
        Some(_) if release.manifest.auth.oauth2().is_none() => {
            let minted = Credentials::Minted { token: tokens.access.clone(), app: None, app_secret: None };
            let asked = app.connectors().whoami(release, workspace, minted).await;
            asked.map_err(|fault| Error::Vendor(format!("The network did not say whose account it is: {fault}")))?
        }
        Some(_) | None => (profile(&key), BTreeMap::new()),
    };
    let granted = tokens.scopes.clone().unwrap_or_else(|| account.scopes.clone()).join(" ");
    let new = NewConnection {
        id: ConnectionId::new(),
        workspace,
        user,
        connector: &release.manifest.id,
        platform: release.manifest.platform(),
        vendor_id: &profile.vendor_id,
        handle: &profile.handle,
        display_name: profile.name.as_deref(),
        scopes: &granted,
        missing_scopes: "",
        app: None,
    };
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let id = connections::upsert(&mut tx, &new, now).await?;
    credentials::store_entered(&mut tx, app.vault(), workspace, id, &key.entered(), now).await?;
    credentials::store(&mut tx, app.vault(), workspace, id, &tokens, now).await?;
    credentials::store_slots(&mut tx, app.vault(), workspace, id, &slots, now).await?;
    targets::replace(&mut tx, workspace, id, &profile.targets).await?;
    tx.commit().await?;
    tracing::info!(connection = %id, connector = new.connector, "connected the account {id}");
    connections::find(&mut app.db().read().await?, workspace, id).await
}

/// Who a service account is, where nobody can be asked: the one whose key the network has just honoured.
fn profile(key: &ServiceKey) -> Profile {
    let ServiceKey { issuer, subject, .. } = key;
    let vendor_id = match subject {
        Some(subject) => format!("{subject} by {issuer}"),
        None => issuer.clone(),
    };
    Profile { vendor_id, handle: subject.as_ref().unwrap_or(issuer).clone(), name: None, targets: Vec::new() }
}

/// Why there is no token, for the person who is connecting.
fn told(account: &ServiceAccount, field: &str, refused: Refused) -> Error {
    let label = if field == KEY_FILE { "Key file" } else { "Private key" };
    match refused {
        Refused::Revoked(words) => {
            let page = account.obtained_at.as_ref().map_or_else(String::new, |page| format!(" at {page}"));
            refuse(field, label, &format!("was not accepted ({words}): make a new one{page} and enter it"))
        }
        Refused::Transient { words, .. } => {
            Error::Vendor(format!("The network did not answer as it should ({words}). Try again."))
        }
        Refused::Misconfigured(words) => Error::Vendor(format!(
            "The network does not let this account do what is needed ({words}). Let its administrator allow it these scopes, \
             then try again: {}.",
            account.scopes.join(", ")
        )),
    }
}

//! Accounts: how a person gets one, and what it says.

use super::email::Email;
use super::passwords::Password;
use super::{Caller, Role, sessions, verification};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{UserId, WorkspaceId};
use crate::ledger::{self, Grant, GrantOrigin};
use crate::on;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MAX_NAME_CHARACTERS: usize = 100;

/// What a person registers with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The e-mail address, which is to be verified.
    #[schema(example = "ann@example.com")]
    pub email: String,
    /// 8 to 128 characters, among them an uppercase letter, a lowercase letter and a digit.
    pub password: Password,
    /// The name of the personal workspace; what is before the `@` where absent.
    #[serde(default)]
    pub name: Option<String>,
}

/// Registers a person, and has a link mailed to them. A person who has an account is not told so here, since whoever
/// asks may be somebody else: the account stays as it is, and gets a new link if it is not verified.
///
/// Until the address is proven nobody knows whose account it is, so the password comes with the link: the one that is
/// opened sets the password of the registration that it was mailed for. Who registers within a minute after a mail went
/// out is sent none, and the password given then is forgotten: the link that is under way sets its own.
///
/// # Errors
/// [`Error::Invalid`] for the address, the password or the name.
pub async fn register(app: &App, new: NewUser) -> Result<()> {
    let email = Email::parse(&new.email)?;
    let name = workspace_name(new.name.as_deref(), &email)?;
    // Hashed whether or not the account exists, so that the time taken does not tell.
    let password_hash = app.passwords().hash(&new.password).await?;
    let now = app.now();
    let account = Account { email: &email, password_hash, role: Role::User, verified_at: None, workspace: &name };
    let mut tx = app.db().begin().await?;
    let mailable = match open(&mut tx, &account, app.config().signup_credits, now).await? {
        Some(user) => Some(user),
        None => verification::mailable(&mut tx, &email, now).await?,
    };
    if let Some(user) = mailable {
        verification::plan(&mut tx, user, &account.password_hash, now).await?;
    }
    tx.commit().await?;
    app.wake_worker();
    Ok(())
}

/// Makes an operator: an account that is verified and may do everything. As [`create_verified`].
///
/// # Errors
/// As [`create_verified`].
pub async fn create_admin(app: &App, email: &str, password: &Password) -> Result<UserId> {
    create_verified(app, email, password, Role::SystemAdmin).await
}

/// Makes sure of an account with this password and role whose address needs no proof: for those who have the server in
/// their hands. An existing account is taken over and its sessions end: somebody else may have registered it.
///
/// # Errors
/// [`Error::Invalid`] for the address or the password.
pub async fn create_verified(app: &App, email: &str, password: &Password, role: Role) -> Result<UserId> {
    let email = Email::parse(email)?;
    let name = workspace_name(None, &email)?;
    let password_hash = app.passwords().hash(password).await?;
    let now = app.now();
    let account = Account { email: &email, password_hash, role, verified_at: Some(now), workspace: &name };
    let mut tx = app.db().begin().await?;
    let user = match open(&mut tx, &account, app.config().signup_credits, now).await? {
        Some(user) => user,
        None => take_over(&mut tx, &account, now).await?,
    };
    tx.commit().await?;
    Ok(user)
}

struct Account<'a> {
    email: &'a Email,
    password_hash: String,
    role: Role,
    verified_at: Option<Timestamp>,
    workspace: &'a str,
}

const INSERT_USER: &str = "insert into users (id, email, email_key, password_hash, role, verified_at, created_at)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (email_key) do nothing";
const INSERT_WORKSPACE: &str = "insert into workspaces (id, name, created_at) values ($1, $2, $3)";
const INSERT_OWNER: &str = "insert into memberships (workspace_id, user_id, role, created_at)
    values ($1, $2, 'owner', $3)";

/// Opens an account with all that belongs to it; `None`, and nothing is written, when the address has one.
async fn open(tx: &mut Tx, account: &Account<'_>, credits: i64, now: Timestamp) -> Result<Option<UserId>> {
    let user = UserId::new();
    let workspace = WorkspaceId::from(user);
    let inserted = on!(tx, conn => sqlx::query(INSERT_USER)
        .bind(user).bind(account.email.as_written()).bind(account.email.key()).bind(&account.password_hash)
        .bind(account.role).bind(account.verified_at).bind(now)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    if inserted == 0 {
        return Ok(None);
    }
    on!(tx, conn => sqlx::query(INSERT_WORKSPACE)
        .bind(workspace).bind(account.workspace).bind(now)
        .execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(INSERT_OWNER).bind(workspace).bind(user).bind(now).execute(conn).await.map(drop))?;
    ledger::open_account(tx, workspace).await?;
    let (origin, description) = (GrantOrigin::Promotional, "Welcome credits");
    ledger::grant(tx, workspace, &Grant { origin, credits, key: "signup", expires_at: None, description }, now).await?;
    Ok(Some(user))
}

const TAKE_OVER: &str = "update users set password_hash = $1, role = $2, verified_at = coalesce(verified_at, $3)
    where email_key = $4 returning id";

async fn take_over(tx: &mut Tx, account: &Account<'_>, now: Timestamp) -> Result<UserId> {
    let user: UserId = on!(&mut *tx, conn => sqlx::query_scalar(TAKE_OVER)
        .bind(&account.password_hash).bind(account.role).bind(now).bind(account.email.key())
        .fetch_one(conn).await)?;
    sessions::revoke_all(tx, user, now).await?;
    Ok(user)
}

fn workspace_name(name: Option<&str>, email: &Email) -> Result<String> {
    let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(email.local_part());
    if name.chars().count() > MAX_NAME_CHARACTERS || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("A name is one line of at most {MAX_NAME_CHARACTERS} characters.")));
    }
    Ok(name.to_owned())
}

/// What a person may know of their own account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The person.
    pub id: UserId,
    /// The address, as it was registered.
    pub email: String,
    /// What the person may do.
    pub role: Role,
    /// The tenant that the person acts in.
    pub workspace: WorkspaceSummary,
    /// When the address was proven.
    pub verified_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A tenant by its name.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkspaceSummary {
    /// Its id; that of a personal one is its user's.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
}

const ME: &str = "select u.email, u.role, w.name, u.verified_at, u.created_at
    from memberships m join users u on u.id = m.user_id join workspaces w on w.id = m.workspace_id
    where m.workspace_id = $1 and m.user_id = $2";

/// The caller's own account.
///
/// # Errors
/// The database failed.
pub async fn me(app: &App, caller: &Caller) -> Result<Me> {
    let mut tx = app.db().read().await?;
    let (email, role, name, verified_at, created_at) = on!(&mut tx, conn => sqlx::query_as(ME)
        .bind(caller.workspace).bind(caller.user)
        .fetch_one(conn).await)?;
    let workspace = WorkspaceSummary { id: caller.workspace, name };
    Ok(Me { id: caller.user, email, role, workspace, verified_at, created_at })
}

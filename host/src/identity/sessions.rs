//! Sessions: from a sign-in until its end, one row each.
//!
//! A session has one refresh token that counts. Each refresh replaces it, so a token that was replaced and is presented
//! again was copied: the session ends. Only within seconds it is taken for two tabs of one browser that raced.

use super::email::Email;
use super::passwords::Password;
use super::tokens::{ACCESS_LIFETIME, Access, Refresh};
use super::{Caller, Role};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{SessionId, UserId};
use crate::on;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

/// How long a session lasts after its last refresh.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long a refresh token that was just replaced is answered with the tokens that replaced it.
const RACE: Duration = Duration::from_secs(10);

const ENDED: Error = Error::Unauthenticated("The session has ended. Sign in again.");

/// What a person signs in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The e-mail address of the account.
    pub email: String,
    /// Its password.
    pub password: Password,
}

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
pub struct SessionTokens {
    /// Calls the API: `Authorization: Bearer …`.
    pub access_token: String,
    /// Gets new tokens, once.
    pub refresh_token: String,
    /// How the access token is sent: `bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    pub expires_in: u64,
}

#[derive(sqlx::FromRow)]
struct Account {
    id: UserId,
    email: String,
    role: Role,
    password_hash: String,
    verified_at: Option<Timestamp>,
}

const ACCOUNT: &str = "select id, email, role, password_hash, verified_at from users where email_key = $1";

/// Signs a person in.
///
/// # Errors
/// [`Error::Unauthenticated`] for an unknown account and a wrong password alike; [`Error::Unverified`], which only the
/// right password gets to see; [`Error::TooMany`].
pub async fn login(app: &App, credentials: &Credentials) -> Result<SessionTokens> {
    let key = Email::parse(&credentials.email)?.key();
    let account: Option<Account> = {
        let mut tx = app.db().read().await?;
        on!(&mut tx, conn => sqlx::query_as(ACCOUNT).bind(&key).fetch_optional(conn).await)?
    };
    let now = app.now();
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let matches = app.passwords().matches(&key, hash, &credentials.password, now).await?;
    let account =
        account.filter(|_| matches).ok_or(Error::Unauthenticated("The e-mail address or the password is wrong."))?;
    if account.verified_at.is_none() {
        return Err(Error::Unverified);
    }
    let mut tx = app.db().begin().await?;
    let session = open(&mut tx, &account, now).await?;
    tx.commit().await?;
    issue(app, &session, now)
}

/// A live session, as its tokens tell of it.
#[derive(sqlx::FromRow)]
struct Session {
    id: SessionId,
    user_id: UserId,
    email: String,
    role: Role,
    refresh_id: Uuid,
    expires_at: Timestamp,
}

const DELETE_EXPIRED: &str = "delete from sessions where user_id = $1 and expires_at <= $2";
const INSERT: &str = "insert into sessions (id, user_id, refresh_id, rotated_at, expires_at, created_at)
    values ($1, $2, $3, $4, $5, $4)";

async fn open(tx: &mut Tx, account: &Account, now: Timestamp) -> Result<Session> {
    let session = Session {
        id: SessionId::new(),
        user_id: account.id,
        email: account.email.clone(),
        role: account.role,
        refresh_id: Uuid::new_v4(),
        expires_at: now.after(LIFETIME),
    };
    on!(tx, conn => sqlx::query(DELETE_EXPIRED).bind(account.id).bind(now).execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(INSERT)
        .bind(session.id).bind(session.user_id).bind(session.refresh_id).bind(now).bind(session.expires_at)
        .execute(conn).await.map(drop))?;
    Ok(session)
}

fn issue(app: &App, session: &Session, now: Timestamp) -> Result<SessionTokens> {
    let (sub, sid, iat) = (session.user_id, session.id, now.seconds());
    let access = Access {
        sub,
        email: session.email.clone(),
        role: session.role,
        sid,
        iat,
        exp: now.after(ACCESS_LIFETIME).seconds(),
    };
    let refresh = Refresh { sub, sid, jti: session.refresh_id, iat, exp: session.expires_at.seconds() };
    Ok(SessionTokens {
        access_token: app.tokens().sign_access(access)?,
        refresh_token: app.tokens().sign_refresh(refresh)?,
        token_type: "bearer",
        expires_in: ACCESS_LIFETIME.as_secs(),
    })
}

// `$3` counts only while it is the current one: of two refreshes with the same token, one rotates.
const ROTATE: &str = "update sessions
    set previous_refresh_id = refresh_id, refresh_id = $1, rotated_at = $2, expires_at = $4
    where id = $5 and refresh_id = $3 and revoked_at is null and expires_at > $2";
const LIVE: &str = "select s.id, s.user_id, u.email, u.role, s.refresh_id, s.expires_at
    from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.revoked_at is null and s.expires_at > $2";
const RACED: &str = "select count(*) from sessions where id = $1 and previous_refresh_id = $2 and rotated_at >= $3";

/// Replaces the refresh token, and makes new tokens.
///
/// # Errors
/// [`Error::Unauthenticated`] when the token does not count or the session has ended, which it also does here and now
/// when the token had been replaced before.
pub async fn refresh(app: &App, refresh_token: &str) -> Result<SessionTokens> {
    let now = app.now();
    let token = app.tokens().read_refresh(refresh_token, now)?;
    let mut tx = app.db().begin().await?;
    let rotated = on!(&mut tx, conn => sqlx::query(ROTATE)
        .bind(Uuid::new_v4()).bind(now).bind(token.jti).bind(now.after(LIFETIME)).bind(token.sid)
        .execute(conn).await.map(|done| done.rows_affected()))?;
    let live: Option<Session> =
        on!(&mut tx, conn => sqlx::query_as(LIVE).bind(token.sid).bind(now).fetch_optional(conn).await)?;
    let session = live.ok_or(ENDED)?;
    if rotated == 0 && !raced(&mut tx, &token, now).await? {
        revoke(&mut tx, token.sid, now).await?;
        tx.commit().await?;
        app.sessions().forget(token.sid);
        tracing::warn!(session = %token.sid, "a refresh token was used again after it was replaced: its session ended");
        return Err(Error::Unauthenticated(
            "This refresh token was used before, so its session has ended. Sign in again.",
        ));
    }
    tx.commit().await?;
    issue(app, &session, now)
}

async fn raced(tx: &mut Tx, token: &Refresh, now: Timestamp) -> Result<bool> {
    let count: i64 = on!(tx, conn => sqlx::query_scalar(RACED)
        .bind(token.sid).bind(token.jti).bind(now.before(RACE))
        .fetch_one(conn).await)?;
    Ok(count == 1)
}

const REVOKE: &str = "update sessions set revoked_at = $1 where id = $2 and revoked_at is null";

async fn revoke(tx: &mut Tx, session: SessionId, now: Timestamp) -> Result<()> {
    on!(tx, conn => sqlx::query(REVOKE).bind(now).bind(session).execute(conn).await.map(drop))?;
    Ok(())
}

const REVOKE_ALL: &str = "update sessions set revoked_at = $1 where user_id = $2 and revoked_at is null";

/// Ends every session of a user. Nodes find out within a second.
pub(super) async fn revoke_all(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<()> {
    on!(tx, conn => sqlx::query(REVOKE_ALL).bind(now).bind(user).execute(conn).await.map(drop))?;
    Ok(())
}

/// Ends the caller's session: on this node at once, on others within a second.
///
/// # Errors
/// The database failed.
pub async fn logout(app: &App, caller: &Caller) -> Result<()> {
    let mut tx = app.db().begin().await?;
    revoke(&mut tx, caller.session, app.now()).await?;
    tx.commit().await?;
    app.sessions().forget(caller.session);
    Ok(())
}

/// Who sends this access token.
///
/// # Errors
/// [`Error::Unauthenticated`] when the token does not count, or its session has ended.
pub async fn authenticate(app: &App, access_token: &str) -> Result<Caller> {
    let now = app.now();
    let token = app.tokens().read_access(access_token, now)?;
    if let Some(caller) = app.sessions().recall(token.sid, now) {
        return Ok(caller);
    }
    let mut tx = app.db().read().await?;
    let live: Option<Session> =
        on!(&mut tx, conn => sqlx::query_as(LIVE).bind(token.sid).bind(now).fetch_optional(conn).await)?;
    let session = live.ok_or(ENDED)?;
    let user = session.user_id;
    let caller = Caller { user, workspace: user.into(), role: session.role, session: session.id };
    app.sessions().remember(caller, now);
    Ok(caller)
}

/// The sessions that were found alive within the last second.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<SessionId, (Timestamp, Caller)>>);

impl Sessions {
    /// How late a revocation on another node may be noticed.
    const FRESH: Duration = Duration::from_secs(1);
    const MAX: usize = 10_000;

    fn recall(&self, session: SessionId, now: Timestamp) -> Option<Caller> {
        let (read_at, caller) = *self.lock().get(&session)?;
        // A clock that was set back must not keep anything fresh.
        (read_at <= now && now.since(read_at) < Self::FRESH).then_some(caller)
    }

    fn remember(&self, caller: Caller, read_at: Timestamp) {
        let mut known = self.lock();
        if known.len() >= Self::MAX {
            known.clear();
        }
        known.insert(caller.session, (read_at, caller));
    }

    fn forget(&self, session: SessionId) {
        self.lock().remove(&session);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, (Timestamp, Caller)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

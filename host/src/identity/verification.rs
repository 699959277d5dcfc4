//! The proof that a person reads the mail of the address that the account goes by.
//!
//! A link with a random token goes out by mail; the database has only the token's hash.

use super::email::Email;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::jobs::{self, Job};
use crate::mail::Recipient;
use crate::on;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Who registers again gets another mail, but not sooner than this after the last one.
const PAUSE_BETWEEN_MAILS: Duration = Duration::from_secs(60);

const UNVERIFIED_ADDRESS: &str = "select email from users where id = $1 and verified_at is null";
const DELETE_EXPIRED: &str = "delete from email_tokens where user_id = $1 and expires_at <= $2";
const INSERT_TOKEN: &str = "insert into email_tokens (token_hash, user_id, purpose, expires_at)
    values ($1, $2, 'verify_email', $3)";

/// Mails a new link to a user who is not verified yet. Doing it twice sends two links, and both work.
///
/// # Errors
/// The database or the mail server failed; it may be done again.
pub async fn send(app: &App, user: UserId) -> anyhow::Result<()> {
    let now = app.now();
    let token = new_token();
    let mut tx = app.db().begin().await?;
    let unverified: Option<String> =
        on!(&mut tx, conn => sqlx::query_scalar(UNVERIFIED_ADDRESS).bind(user).fetch_optional(conn).await)?;
    let Some(address) = unverified else { return Ok(()) };
    on!(&mut tx, conn => sqlx::query(DELETE_EXPIRED).bind(user).bind(now).execute(conn).await.map(drop))?;
    on!(&mut tx, conn => sqlx::query(INSERT_TOKEN)
        .bind(hash(&token)).bind(user).bind(now.after(LIFETIME))
        .execute(conn).await.map(drop))?;
    tx.commit().await?;
    let text = letter(&link(app.config(), &token));
    app.mailer().send(&Recipient { user, address }, "Verify your e-mail address", &text).await
}

const MAILABLE: &str = "select u.id from users u where u.email_key = $1 and u.verified_at is null
    and not exists (select 1 from email_tokens t where t.user_id = u.id and t.expires_at > $2)";

/// Plans another mail for an account that is not verified, unless one has just gone out.
pub(super) async fn plan_another(tx: &mut Tx, email: &Email, now: Timestamp) -> Result<()> {
    // A link's end tells when it was made.
    let made_of_late = now.after(LIFETIME).before(PAUSE_BETWEEN_MAILS);
    let mailable: Option<UserId> = on!(tx, conn => sqlx::query_scalar(MAILABLE)
        .bind(email.key()).bind(made_of_late)
        .fetch_optional(conn).await)?;
    if let Some(user) = mailable {
        jobs::enqueue(tx, Job::VerifyEmail(user), now, now).await?;
    }
    Ok(())
}

const USE_TOKEN: &str = "update email_tokens set used_at = $1
    where token_hash = $2 and purpose = 'verify_email' and used_at is null and expires_at > $1 returning user_id";
const MARK_VERIFIED: &str = "update users set verified_at = $1 where id = $2 and verified_at is null";
const OWNER_VERIFIED_AT: &str = "select u.verified_at from email_tokens t join users u on u.id = t.user_id
    where t.token_hash = $1 and t.purpose = 'verify_email'";

/// Takes the proof. A link counts once; that it is opened again, by a mail scanner or its reader, does no harm.
///
/// # Errors
/// [`Error::Invalid`] when the link is none of ours or has expired.
pub async fn verify(app: &App, token: &str) -> Result<()> {
    let (hash, now) = (hash(token), app.now());
    let mut tx = app.db().begin().await?;
    let owner: Option<UserId> =
        on!(&mut tx, conn => sqlx::query_scalar(USE_TOKEN).bind(now).bind(&hash).fetch_optional(conn).await)?;
    if let Some(user) = owner {
        on!(&mut tx, conn => sqlx::query(MARK_VERIFIED).bind(now).bind(user).execute(conn).await.map(drop))?;
        tx.commit().await?;
        return Ok(());
    }
    let verified_at: Option<Option<Timestamp>> =
        on!(&mut tx, conn => sqlx::query_scalar(OWNER_VERIFIED_AT).bind(&hash).fetch_optional(conn).await)?;
    match verified_at {
        Some(Some(_)) => Ok(()),
        Some(None) => Err(Error::invalid("token", "This link has expired. Register again to be sent a new one.")),
        None => {
            Err(Error::invalid("token", "This link is not one of ours. Copy it from the mail, to its last character."))
        }
    }
}

fn new_token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// The page of the web console that verifies, or where there is none our own route.
fn link(config: &Config, token: &str) -> String {
    match config.frontend_url.first() {
        Some(frontend) => format!("{}/verify-email?token={token}", frontend.as_str().trim_end_matches('/')),
        None => format!("{}/auth/verify-email?token={token}", config.public()),
    }
}

fn letter(link: &str) -> String {
    format!(
        "Welcome to Orla.\n\nOpen this link within 24 hours to verify your e-mail address:\n\n{link}\n\n\
         If you did not register, ignore this mail.\n"
    )
}

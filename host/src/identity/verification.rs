//! The proof that a person reads the mail of the address that the account goes by.
//!
//! Each registration of an unproven address has a link of its own, and the link brings the password that was given with
//! that registration: whoever registers somebody else's address does not choose the password that its owner's link sets.
//! The token in a link is the id of its row and a MAC of it, so it is made when it is mailed and never stored.

use super::email::Email;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{EmailTokenId, UserId};
use crate::jobs::{self, Job};
use crate::mail::Recipient;
use crate::on;
use crate::vault::Vault;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::time::Duration;
use uuid::Uuid;

const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Who registers again gets another mail, but not sooner than this after the last one.
const PAUSE_BETWEEN_MAILS: Duration = Duration::from_secs(60);

// Writes nothing new, but locks the row: of two registrations at once the later one sees the link of the earlier.
const LOCK_UNVERIFIED: &str = "update users set role = role where email_key = $1 and verified_at is null returning id";
const LINKS_SINCE: &str = "select count(*) from email_tokens where user_id = $1 and created_at > $2";

/// The account of an address that is to be mailed another link: it is not verified, and no link was made of late.
pub(super) async fn mailable(tx: &mut Tx, email: &Email, now: Timestamp) -> Result<Option<UserId>> {
    let unverified: Option<UserId> = on!(&mut *tx, conn => sqlx::query_scalar(LOCK_UNVERIFIED)
        .bind(email.key())
        .fetch_optional(conn).await)?;
    let Some(user) = unverified else { return Ok(None) };
    let made_of_late: i64 = on!(tx, conn => sqlx::query_scalar(LINKS_SINCE)
        .bind(user).bind(now.before(PAUSE_BETWEEN_MAILS))
        .fetch_one(conn).await)?;
    Ok((made_of_late == 0).then_some(user))
}

const DELETE_EXPIRED: &str = "delete from email_tokens where user_id = $1 and expires_at <= $2";
const INSERT: &str = "insert into email_tokens (id, user_id, purpose, password_hash, expires_at, created_at)
    values ($1, $2, 'verify_email', $3, $4, $5)";

/// Makes a link for a registration with this password, and plans its mail.
pub(super) async fn plan(tx: &mut Tx, user: UserId, password_hash: &str, now: Timestamp) -> Result<()> {
    let link = EmailTokenId::new();
    on!(&mut *tx, conn => sqlx::query(DELETE_EXPIRED).bind(user).bind(now).execute(conn).await.map(drop))?;
    on!(&mut *tx, conn => sqlx::query(INSERT)
        .bind(link).bind(user).bind(password_hash).bind(now.after(LIFETIME)).bind(now)
        .execute(conn).await.map(drop))?;
    Ok(jobs::enqueue(tx, Job::VerifyEmail(link), now, now).await?)
}

const RECIPIENT: &str = "select u.id, u.email from email_tokens t join users u on u.id = t.user_id
    where t.id = $1 and t.used_at is null and t.expires_at > $2 and u.verified_at is null";

/// Mails a link, unless it has ceased to count. Doing it twice sends the same link twice.
///
/// # Errors
/// The database or the mail server failed; it may be done again.
pub async fn send(app: &App, link: EmailTokenId) -> anyhow::Result<()> {
    let recipient: Option<(UserId, String)> = {
        let mut tx = app.db().read().await?;
        on!(&mut tx, conn => sqlx::query_as(RECIPIENT).bind(link).bind(app.now()).fetch_optional(conn).await)?
    };
    let Some((user, address)) = recipient else { return Ok(()) };
    let text = letter(&url(app.config(), &token(app.vault(), link)));
    app.mailer().send(&Recipient { user, address }, "Verify your e-mail address", &text).await
}

// One statement decides whether the link counts and what it does. It takes the lock of the user before those of links, so
// that of two links opened at once one waits for the other, and then finds the user verified.
const VERIFY: &str = "update users set verified_at = $1, password_hash = t.password_hash from email_tokens t
    where t.id = $2 and t.purpose = 'verify_email' and t.used_at is null and t.expires_at > $1
    and users.id = t.user_id and users.verified_at is null returning users.id";
const USE_UP: &str = "update email_tokens set used_at = $1 where user_id = $2 and used_at is null";
const OWNER_VERIFIED_AT: &str = "select u.verified_at from email_tokens t join users u on u.id = t.user_id
    where t.id = $1 and t.purpose = 'verify_email'";

/// Takes the proof: the account is verified, has the link's password, and no other link of it counts any more. That a
/// link of a verified account is opened, by a mail scanner or its reader, changes nothing.
///
/// # Errors
/// [`Error::Invalid`] when the link is none of ours or has expired.
pub async fn verify(app: &App, token: &str) -> Result<()> {
    let Some(link) = read(app.vault(), token) else {
        let detail = "This link is not one of ours. Copy it from the mail, to its last character.";
        return Err(Error::invalid("token", detail));
    };
    let now = app.now();
    let mut tx = app.db().begin().await?;
    let owner: Option<UserId> =
        on!(&mut tx, conn => sqlx::query_scalar(VERIFY).bind(now).bind(link).fetch_optional(conn).await)?;
    if let Some(user) = owner {
        on!(&mut tx, conn => sqlx::query(USE_UP).bind(now).bind(user).execute(conn).await.map(drop))?;
        tx.commit().await?;
        return Ok(());
    }
    let verified_at: Option<Option<Timestamp>> =
        on!(&mut tx, conn => sqlx::query_scalar(OWNER_VERIFIED_AT).bind(link).fetch_optional(conn).await)?;
    match verified_at.flatten() {
        Some(_) => Ok(()),
        // We made it, so where its row is gone it was swept up with others that had expired.
        None => Err(Error::invalid("token", "This link has expired. Register again to be sent a new one.")),
    }
}

/// `<id>.<MAC>`, both in base64url.
fn token(vault: &Vault, link: EmailTokenId) -> String {
    let mac = mac(vault, link).finalize().into_bytes();
    format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(link.0), BASE64_URL_SAFE_NO_PAD.encode(mac))
}

/// The link that a token is of; `None` when we did not make it.
fn read(vault: &Vault, token: &str) -> Option<EmailTokenId> {
    let (id, claimed) = token.split_once('.')?;
    let link = EmailTokenId(Uuid::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()?);
    let claimed = BASE64_URL_SAFE_NO_PAD.decode(claimed).ok()?;
    // Compared in constant time.
    mac(vault, link).verify_slice(&claimed).ok()?;
    Some(link)
}

fn mac(vault: &Vault, link: EmailTokenId) -> Hmac<Sha256> {
    let key = vault.derive("orla/v1/email-links");
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of any length");
    mac.update(link.0.as_bytes());
    mac
}

/// The page of the web console that verifies, or where there is none our own route.
fn url(config: &Config, token: &str) -> String {
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

//! Mail to people.
//!
//! Goes through the configured SMTP server, or where there is none into files under the data folder. It knows nothing
//! of what the mail is about, and the log never has its text or the address.

use crate::config::Config;
use crate::id::UserId;
use anyhow::{Context as _, anyhow};
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

/// Sends mail.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    delivery: Delivery,
}

#[derive(Debug)]
enum Delivery {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// Whom a mail is for.
#[derive(Debug)]
pub struct Recipient {
    /// The person, as the log names them.
    pub user: UserId,
    /// Their address.
    pub address: String,
}

impl Mailer {
    /// Sends by `smtp_url`, or into `<data>/mail` where it is not set. Does not connect yet.
    ///
    /// # Errors
    /// The sender's address or the URL is malformed, or the folder cannot be made.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let from =
            config.mail_from.parse().context("ORLA_MAIL_FROM is not a sender, such as `Orla <orla@example.com>`")?;
        let delivery = match &config.smtp_url {
            Some(url) => Delivery::Smtp(
                // The cause is left out: it could repeat the URL, and that has a password in it.
                AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
                    .map_err(|_| {
                        anyhow!("ORLA_SMTP_URL is not a URL such as `smtps://user:password@mail.example.com`")
                    })?
                    .build(),
            ),
            None => {
                let folder = config.data.join("mail");
                std::fs::create_dir_all(&folder)
                    .with_context(|| format!("cannot make the folder {} for mail", folder.display()))?;
                Delivery::Folder(folder)
            }
        };
        Ok(Self { from, delivery })
    }

    /// Sends a plain text. Whoever calls it twice sends two mails.
    ///
    /// # Errors
    /// The mail server refused or did not answer, or the file cannot be written. The message has no address in it.
    pub async fn send(&self, to: &Recipient, subject: &str, text: &str) -> anyhow::Result<()> {
        let user = to.user;
        let address = to.address.parse().map_err(|_| anyhow!("the address of user {user} is malformed"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body(text))
            .context("a mail could not be composed")?;
        match &self.delivery {
            Delivery::Smtp(server) => {
                server.send(message).await.map_err(|error| without_addresses(&error))?;
                tracing::info!(%user, "a mail for user {user} was handed to the mail server");
            }
            Delivery::Folder(folder) => {
                let file = save(folder, &message).await?;
                let file = file.display();
                tracing::info!(%user, %file, "a mail for user {user} was written to {file}");
            }
        }
        Ok(())
    }
}

/// The longest line that a mail may have (RFC 5322, section 2.1.1).
const MAX_LINE: usize = 998;

/// Leaves plain lines as they are. The library would encode lines of more than 76 characters, and a link in pieces
/// cannot be found in a saved mail.
fn body(text: &str) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_LINE) {
        let lines: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
        Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}

/// Writes the mail with the line ends of a text file, under a name that sorts after those written before.
async fn save(folder: &Path, message: &Message) -> anyhow::Result<PathBuf> {
    let text = String::from_utf8(message.formatted()).context("a mail is no UTF-8")?.replace("\r\n", "\n");
    let file = folder.join(format!("{}.eml", Uuid::now_v7()));
    let partial = file.with_extension("partial");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = async {
        let mut opened = tokio::fs::OpenOptions::from(options).open(&partial).await?;
        opened.write_all(text.as_bytes()).await?;
        opened.flush().await?;
        // Whoever waits for the file sees all of it.
        tokio::fs::rename(&partial, &file).await
    };
    written.await.with_context(|| format!("cannot write the mail {}", file.display()))?;
    Ok(file)
}

/// What a mail server says of a failure may repeat the address: of its answer only the status is kept.
fn without_addresses(error: &smtp::Error) -> anyhow::Error {
    match error.status() {
        Some(status) => anyhow!("the mail server answered {status}"),
        None if error.is_timeout() => anyhow!("the mail server did not answer in time"),
        None => anyhow!("the mail server could not be spoken to: {error}"),
    }
}

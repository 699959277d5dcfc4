//! What a caller is given for comments and cursors, and what it means when it comes back.

use super::Post;
use crate::app::App;
use crate::connectors::connections::Connection;
use crate::error::{Error, Result};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A comment that was listed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    /// The vendor's id.
    pub(super) id: String,
    /// The target of the account below whose post it stands.
    pub(super) target: Option<String>,
}

/// What a connection's seals are bound to.
fn identity(connection: &Connection) -> String {
    format!("engagement/{}/{}", connection.workspace_id, connection.id)
}

/// The comment that a caller names.
///
/// # Errors
/// Nobody was given that for this connection.
pub(super) fn unseal(app: &App, connection: &Connection, sealed: &str) -> Result<Listed> {
    let nothing = || Error::NotFound("comment here: name one that was listed for this connection");
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| nothing())?;
    let plain = app.vault().open_token(&identity(connection), &sealed).map_err(|_| nothing())?;
    Ok(serde_json::from_slice(&plain).context("a sealed comment cannot be read")?)
}

impl Post {
    /// What a caller is given for a comment.
    pub(super) fn seal(&self, app: &App, comment: &str) -> Result<String> {
        let listed = Listed { id: comment.to_owned(), target: self.target.clone() };
        let plain = serde_json::to_vec(&listed).context("a comment cannot be named")?;
        Ok(URL_SAFE_NO_PAD.encode(app.vault().seal_token(&identity(&self.asker.connection), &plain)))
    }

    /// What the cursors of this post's comments are bound to.
    fn list_identity(&self) -> Result<String> {
        let list = serde_json::to_vec(&(&self.target, &self.id)).context("a list cannot be named")?;
        Ok(format!("{}/cursor/{}", identity(&self.asker.connection), hex::encode(Sha256::digest(list))))
    }

    /// What a caller is given for a cursor.
    pub(super) fn seal_cursor(&self, app: &App, cursor: &str) -> Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(app.vault().seal_token(&self.list_identity()?, cursor.as_bytes())))
    }

    /// The cursor that a caller gives.
    ///
    /// # Errors
    /// It is none of this post's comments.
    pub(super) fn unseal_cursor(&self, app: &App, sealed: &str) -> Result<String> {
        let foreign =
            || Error::invalid("cursor", "This cursor belongs to another list. Begin the list anew, without one.");
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| foreign())?;
        let plain = app.vault().open_token(&self.list_identity()?, &sealed).map_err(|_| foreign())?;
        Ok(std::str::from_utf8(&plain).context("a sealed cursor is no text")?.to_owned())
    }
}

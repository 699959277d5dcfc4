//! What a caller is given for ids and cursors, and what it means when it comes back.

use super::Drive;
use crate::app::App;
use crate::connectors::connections::Connection;
use crate::connectors::drive::{Entry, Kind, Look};
use crate::error::{Error, Result};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// An entry that was listed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    /// The vendor's id.
    pub(super) id: String,
    /// What it is.
    pub(super) kind: Kind,
    /// Its name for a person, when it was listed.
    pub(super) name: String,
}

impl Drive {
    /// What this drive's seals are bound to: the workspace, the connection and the restriction. That is counted and not
    /// named, so that what was handed out under an earlier one does not hold again when the same is set once more.
    fn identity(&self) -> String {
        let Connection { workspace_id, id, restrictions, .. } = &self.connection;
        format!("drives/{workspace_id}/{id}/{restrictions}")
    }

    /// What a list's cursors are bound to besides: the list.
    fn list_identity(&self, look: Look<'_>) -> Result<String> {
        let list = match look {
            Look::Folder(folder) => (folder, None),
            Look::Search { query, within } => (within, Some(query)),
        };
        let list = serde_json::to_vec(&list).context("a list cannot be named")?;
        Ok(format!("{}/cursor/{}", self.identity(), hex::encode(Sha256::digest(list))))
    }

    /// What a caller is given for an entry.
    pub(super) fn seal(&self, app: &App, entry: &Entry) -> Result<String> {
        let named = Named { id: entry.id.clone(), kind: entry.kind, name: entry.name.clone() };
        let plain = serde_json::to_vec(&named).context("an entry cannot be named")?;
        Ok(URL_SAFE_NO_PAD.encode(app.vault().seal_token(&self.identity(), &plain)))
    }

    /// The entry that a caller names.
    ///
    /// # Errors
    /// Nobody was given that for this drive as it is restricted now.
    pub(super) fn unseal(&self, app: &App, sealed: &str) -> Result<Named> {
        let nothing = || Error::NotFound("file or folder here");
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| nothing())?;
        let plain = app.vault().open_token(&self.identity(), &sealed).map_err(|_| nothing())?;
        Ok(serde_json::from_slice(&plain).context("a sealed entry cannot be read")?)
    }

    /// What a caller is given for a list's cursor.
    pub(super) fn seal_cursor(&self, app: &App, look: Look<'_>, cursor: &str) -> Result<String> {
        let identity = self.list_identity(look)?;
        Ok(URL_SAFE_NO_PAD.encode(app.vault().seal_token(&identity, cursor.as_bytes())))
    }

    /// The cursor that a caller gives.
    ///
    /// # Errors
    /// It is none of this list's.
    pub(super) fn unseal_cursor(&self, app: &App, look: Look<'_>, sealed: &str) -> Result<String> {
        let foreign =
            || Error::invalid("cursor", "This cursor belongs to another list. Begin the list anew, without one.");
        let identity = self.list_identity(look)?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| foreign())?;
        let plain = app.vault().open_token(&identity, &sealed).map_err(|_| foreign())?;
        Ok(std::str::from_utf8(&plain).context("a sealed cursor is no text")?.to_owned())
    }
}

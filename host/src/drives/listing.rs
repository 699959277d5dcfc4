//! Pages of a folder and of a search.

use super::Drive;
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::drive::{Entry, Kind, Look, Page};
use crate::connectors::fault::FaultKind;
use crate::error::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;

/// Longest search.
const MAX_QUERY_CHARS: usize = 200;

/// What a caller wants to see.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The sealed id of a folder; the drive's root, or the folder that it is restricted to, where absent.
    pub folder: Option<String>,
    /// A person's words to search for, in that folder and below.
    pub query: Option<String>,
    /// The sealed cursor of the page before.
    pub cursor: Option<String>,
}

/// A file or a folder.
#[derive(Debug, Serialize, ToSchema)]
pub struct DriveItem {
    /// What to name it by in this API, for this connection as it is restricted now. It is another each time that it is listed.
    id: String,
    /// Its name for a person.
    name: String,
    /// What it is.
    #[serde(rename = "type")]
    kind: Kind,
    /// A file's length in bytes.
    size: Option<u64>,
    /// A file's media type, as the drive says or its name suggests.
    content_type: Option<String>,
    /// When it was last changed.
    modified_at: Option<Timestamp>,
    /// Whether it can be imported.
    fetchable: bool,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DriveListing {
    /// In the drive's order. May be empty though there is a next page.
    items: Vec<DriveItem>,
    /// Gives the next page, together with the same `folder_id` and `query`; absent on the last.
    next_cursor: Option<String>,
}

/// Shows a page of a folder or of a search.
///
/// # Errors
/// The folder or the cursor names nothing here, or the drive cannot be asked, in a sentence for a person.
pub async fn browse(app: &App, drive: &Drive, wish: &Wish) -> Result<DriveListing> {
    let folder = match &wish.folder {
        None => drive.connection.root_folder.clone(),
        Some(sealed) => {
            let named = drive.unseal(app, sealed)?;
            if named.kind != Kind::Folder {
                return Err(Error::invalid("folder_id", "This is a file. Name a folder."));
            }
            Some(named.id)
        }
    };
    let look = match wish.query.as_deref().map(str::trim) {
        None => Look::Folder(folder.as_deref()),
        Some(query)
            if !query.is_empty() && query.chars().count() <= MAX_QUERY_CHARS && !query.contains(char::is_control) =>
        {
            Look::Search { query, within: folder.as_deref() }
        }
        Some(_) => {
            let detail = format!("A search has 1 to {MAX_QUERY_CHARS} characters, on one line.");
            return Err(Error::invalid("query", detail));
        }
    };
    let cursor = wish.cursor.as_ref().map(|sealed| drive.unseal_cursor(app, look, sealed)).transpose()?;
    let (run, account) = drive.run(app).await?;
    let looked = Box::pin(app.connectors().look(&run, &account, look, cursor.as_deref())).await;
    let Page { entries, next } = looked.map_err(|fault| {
        if fault.kind == FaultKind::NotFound && wish.folder.is_none() && folder.is_some() {
            let detail = "The folder that this connection is restricted to is gone. Restrict it to another, or lift the \
                          restriction: PUT /cloud-storage/connections/{provider}.";
            return Error::Conflict { code: "root_folder_gone", detail: detail.to_owned() };
        }
        drive.refusal(app, &fault, if wish.query.is_some() { "query" } else { "folder_id" })
    })?;
    Ok(DriveListing {
        items: entries.into_iter().map(|entry| DriveItem::sealed(app, drive, entry)).collect::<Result<_>>()?,
        next_cursor: next.map(|next| drive.seal_cursor(app, look, &next)).transpose()?,
    })
}

impl DriveItem {
    fn sealed(app: &App, drive: &Drive, entry: Entry) -> Result<Self> {
        let id = drive.seal(app, &entry)?;
        let Entry { name, kind, size_bytes, content_type, modified_at, fetchable, .. } = entry;
        Ok(Self { id, name, kind, size: size_bytes, content_type, modified_at, fetchable })
    }
}

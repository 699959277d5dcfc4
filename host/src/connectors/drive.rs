//! Asking a drive: the contract's `drive` in the host's own words, with bounds on all that a connector says of it.

use super::Connectors;
use super::bindings::stores::exports::orla::connector::drive as wit;
use super::blob::{self, Blob, Handle};
use super::fault::{Fault, plain};
use super::run::{Run, Services};
use super::runtime::Called;
use super::work::{Account, MAX_ID_BYTES};
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most entries of a page.
const MAX_ENTRIES: usize = 2_000;
/// Longest name of an entry, and longest media type.
const MAX_NAME_CHARS: usize = 1_000;
const MAX_TYPE_CHARS: usize = 200;
/// Longest cursor: what a client sends back in a URL.
const MAX_CURSOR_BYTES: usize = 4 << 10;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look<'a> {
    /// What is directly in a folder; in the drive's root where none is named.
    Folder(Option<&'a str>),
    /// What a person's words find, below a folder where one is named.
    Search { query: &'a str, within: Option<&'a str> },
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EntryKind)]
pub(crate) enum Kind {
    /// It has entries.
    Folder,
    /// It has bytes.
    File,
}

/// A file or a folder, as the connector says.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The vendor's id.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) content_type: Option<String>,
    pub(crate) modified_at: Option<Timestamp>,
    pub(crate) fetchable: bool,
}

/// A stretch of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// The connector's cursor of the next page.
    pub(crate) next: Option<String>,
}

/// A file that became a blob.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) blob: Blob,
    pub(crate) name: String,
}

impl Connectors {
    /// Asks for a page of a list or of a search.
    pub(crate) async fn look(
        &self,
        run: &Arc<Run>,
        account: &Account,
        look: Look<'_>,
        cursor: Option<&str>,
    ) -> Result<Page, Fault> {
        let Some(indices) = &run.release.drive else { return Err(no_drive()) };
        let account = account.to_wit();
        let called: Called<wit::Page> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let drive = world.orla_connector_drive();
                let answer = match look {
                    Look::Folder(folder) => drive.call_list(store, &account, folder, cursor).await?,
                    Look::Search { query, within } => drive.call_search(store, &account, query, within, cursor).await?,
                };
                Ok(answer.map_err(Fault::from))
            })
            .await;
        // A look has no use for bytes.
        discard_all(&run.services, run.received.take()).await;
        checked(called.result?)
    }

    /// Fetches a file into a blob. Whatever else the connector had the host store is deleted, and where it fails all is.
    pub(crate) async fn fetch(&self, run: &Arc<Run>, account: &Account, file: &str) -> Result<Fetched, Fault> {
        let Some(indices) = &run.release.drive else { return Err(no_drive()) };
        let account = account.to_wit();
        let called: Called<(Arc<Blob>, String)> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let answer = world.orla_connector_drive().call_fetch(&mut *store, &account, file).await?;
                Ok(match answer {
                    Ok(wit::Fetched { blob, name }) => {
                        let Handle(blob) = store.data_mut().table.delete(blob)?;
                        Ok((blob, name))
                    }
                    Err(fault) => Err(Fault::from(fault)),
                })
            })
            .await;
        let received = run.received.take();
        let (fetched, others) = match called.result {
            // A call is given no other blobs than those that it received, which is worth a second look.
            Ok((blob, name)) => {
                let (its, others): (Vec<Blob>, Vec<Blob>) =
                    received.into_iter().partition(|candidate| candidate.id == blob.id);
                let its = its.into_iter().next();
                (its.map(|blob| (blob, name)).ok_or_else(|| Fault::bug("the connector returns a foreign blob")), others)
            }
            Err(fault) => (Err(fault), received),
        };
        discard_all(&run.services, others).await;
        let (blob, name) = fetched?;
        Ok(Fetched { blob, name: named(&name) })
    }
}

fn no_drive() -> Fault {
    Fault::bug("the connector has no drive")
}

/// A name for a person, which is never empty.
fn named(name: &str) -> String {
    let name = plain(name, MAX_NAME_CHARS);
    if name.trim().is_empty() { "unnamed".to_owned() } else { name }
}

/// Holds a page against its bounds.
fn checked(page: wit::Page) -> Result<Page, Fault> {
    if page.entries.len() > MAX_ENTRIES {
        return Err(Fault::bug(format!("the connector returns more than {MAX_ENTRIES} entries a page")));
    }
    let is_token = |text: &str, most_bytes| (1..=most_bytes).contains(&text.len()) && !text.contains(char::is_control);
    if page.entries.iter().any(|entry| !is_token(&entry.id, MAX_ID_BYTES)) {
        return Err(Fault::bug("the connector returns an entry without a usable id"));
    }
    if page.next.as_ref().is_some_and(|cursor| !is_token(cursor, MAX_CURSOR_BYTES)) {
        return Err(Fault::bug("the connector returns no usable cursor"));
    }
    Ok(Page { entries: page.entries.into_iter().map(Entry::from).collect(), next: page.next })
}

impl From<wit::Entry> for Entry {
    fn from(entry: wit::Entry) -> Self {
        let kind = match entry.kind {
            wit::EntryKind::Folder => Kind::Folder,
            wit::EntryKind::File => Kind::File,
        };
        let modified_at = entry.modified_ms.and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1_000)).map(Timestamp);
        Self {
            name: named(&entry.name),
            kind,
            // What no file has is no length, and what no calendar has is no time.
            size_bytes: entry.size.filter(|size| i64::try_from(*size).is_ok()),
            content_type: entry.content_type.map(|content_type| plain(&content_type, MAX_TYPE_CHARS)),
            modified_at: modified_at.filter(|at| at.calendar().is_some()),
            fetchable: entry.fetchable && kind == Kind::File,
            id: entry.id,
        }
    }
}

/// Deletes blobs that nothing refers to. That one cannot be is only logged: it takes up room, and nothing else.
pub(crate) async fn discard_all(services: &Services, blobs: Vec<Blob>) {
    for blob in blobs {
        let forgotten: anyhow::Result<()> = async {
            let mut tx = services.db.begin().await?;
            blob::forget(&mut tx, &blob).await?;
            tx.commit().await?;
            services.blobs.delete(&blob).await
        }
        .await;
        if let Err(error) = forgotten {
            tracing::warn!(blob = %blob.id, "the blob {} is of no use and could not be deleted: {error:#}", blob.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_ENTRIES, checked, wit};

    fn entry(id: &str) -> wit::Entry {
        wit::Entry {
            id: id.to_owned(),
            name: "a\nb".to_owned(),
            kind: wit::EntryKind::Folder,
            size: Some(u64::MAX),
            content_type: Some("image/\0png".to_owned()),
            modified_ms: Some(u64::MAX),
            fetchable: true,
        }
    }

    fn page(entries: Vec<wit::Entry>, next: Option<&str>) -> wit::Page {
        wit::Page { entries, next: next.map(str::to_owned) }
    }

    #[test]
    fn what_a_connector_says_is_bounded() {
        let checked_page = checked(page(vec![entry("id:1")], Some("next"))).expect("a page");
        let only = &checked_page.entries[0];
        assert_eq!((only.name.as_str(), only.content_type.as_deref()), ("a b", Some("image/ png")));
        assert_eq!((only.size_bytes, only.modified_at, only.fetchable), (None, None, false));
        let nameless = wit::Entry { name: " ".to_owned(), ..entry("id:1") };
        assert_eq!(checked(page(vec![nameless], None)).expect("a page").entries[0].name, "unnamed");
    }

    #[test]
    fn ids_cursors_and_counts_have_limits() {
        let long = "x".repeat(5_000);
        for refused in [
            page(vec![entry("")], None),
            page(vec![entry("a\0b")], None),
            page(vec![entry(&long)], None),
            page(Vec::new(), Some("")),
            page(Vec::new(), Some("a\nb")),
            page(Vec::new(), Some(&long)),
            page(vec![entry("id:1"); MAX_ENTRIES + 1], None),
        ] {
            assert!(checked(refused).is_err());
        }
    }
}

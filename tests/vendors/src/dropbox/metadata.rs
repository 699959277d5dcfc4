//! Entries as the API shows them (documented as `Metadata`), and `files/get_metadata`.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::Argument;
use super::content::Hashes;
use super::gate::Visit;
use super::paths::{Accepts, Place, Shown};
use super::problem::Problem;
use super::state::Dropbox;

/// What a page has in it.
#[derive(Clone)]
pub(super) enum Item {
    Present(Shown),
    Deleted { path_lower: String, path_display: String },
}

impl Item {
    fn json(&self, hashes: &Hashes) -> Value {
        match self {
            Self::Present(shown) => metadata(shown, hashes),
            Self::Deleted { path_lower, path_display } => json!({
                ".tag": "deleted", "name": path_display.rsplit('/').next(), "path_lower": path_lower,
                "path_display": path_display,
            }),
        }
    }
}

/// The metadata of an entry. The hash of a large file takes a while.
fn metadata(shown: &Shown, hashes: &Hashes) -> Value {
    let Shown { entry, path_lower, path_display } = shown;
    let mut all = json!({
        ".tag": "folder", "name": entry.name(), "id": entry.id, "path_lower": path_lower, "path_display": path_display,
    });
    let Some(stored) = &entry.stored else { return all };
    let file = &stored.file;
    all[".tag"] = "file".into();
    all["client_modified"] = file.modified.as_str().into();
    all["server_modified"] = file.modified.as_str().into();
    all["rev"] = stored.rev.as_str().into();
    all["size"] = file.content.size_bytes().into();
    all["is_downloadable"] = file.export_as.is_none().into();
    match &file.export_as {
        Some(format) => all["export_info"] = json!({ "export_as": format, "export_options": [format] }),
        None => all["content_hash"] = hashes.of(&file.content).into(),
    }
    all
}

/// The same, of a file and without the tag: where only a file can be, its type is not named.
pub(super) async fn of_file(dropbox: &Dropbox, shown: Shown) -> Result<Value, Problem> {
    let mut all = of(dropbox, vec![Item::Present(shown)]).await?.pop().unwrap_or_default();
    if let Some(members) = all.as_object_mut() {
        members.remove(".tag");
    }
    Ok(all)
}

/// The metadata of each.
pub(super) async fn of(dropbox: &Dropbox, items: Vec<Item>) -> Result<Vec<Value>, Problem> {
    let dropbox = dropbox.clone();
    let hashing = tokio::task::spawn_blocking(move || items.iter().map(|item| item.json(dropbox.hashes())).collect());
    hashing.await.map_err(|_| Problem::conflict("other"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    path: String,
    #[serde(default)]
    include_media_info: bool,
    #[serde(default)]
    include_deleted: bool,
    #[serde(default)]
    include_has_explicit_shared_members: bool,
    include_property_groups: Option<Value>,
}

/// Show one entry.
pub(super) async fn get(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    Argument(asked): Argument<Asked>,
) -> Result<Json<Value>, Problem> {
    if asked.include_media_info
        || asked.include_deleted
        || asked.include_has_explicit_shared_members
        || asked.include_property_groups.is_some()
    {
        return Err(Problem::strict("it shows no media info, deleted entries, members or properties."));
    }
    let shown = match dropbox.world().find(&visit, &asked.path, Accepts::Read)? {
        (_, Place::Root) => return Err(Problem::bad("request body: path: The root folder is unsupported.")),
        (view, Place::Entry(entry)) => view.show(&entry),
    };
    Ok(Json(of(&dropbox, vec![Item::Present(shown)]).await?.pop().unwrap_or_default()))
}

//! `files/list_folder` and `files/list_folder/continue`: folders in pages, and later what has changed in them.
//!
//! A cursor means the same however often it is shown: what it stands for was fixed when it was made, so an answer that
//! was lost can be asked for again. Whoever continues after the last page is told what has changed since the list
//! began. There are no deleted entries in a first list: nothing is known of what was there before.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::Argument;
use super::gate::{Root, Visit};
use super::grants::random;
use super::metadata::{self, Item};
use super::paths::{Accepts, Place, View};
use super::problem::Problem;
use super::state::{Dropbox, World};
use super::tree::Tree;

const LARGEST_LIMIT: usize = 2_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    path: String,
    #[serde(default)]
    recursive: bool,
    /// Without effect since 2019 (documented).
    #[serde(default, rename = "include_media_info")]
    _include_media_info: bool,
    #[serde(default, rename = "include_deleted")]
    _include_deleted: bool,
    #[serde(default)]
    include_has_explicit_shared_members: bool,
    /// There are no mounted folders.
    #[serde(default, rename = "include_mounted_folders")]
    _include_mounted_folders: Option<bool>,
    limit: Option<usize>,
    shared_link: Option<Value>,
    include_property_groups: Option<Value>,
    #[serde(default = "yes")]
    include_non_downloadable_files: bool,
    #[serde(default, rename = "include_restorable_info")]
    _include_restorable_info: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Continued {
    cursor: String,
}

/// What a list is of.
struct Scope {
    account_id: String,
    root: Root,
    /// The folder in lower case, from the root of the tree.
    folder: String,
    recursive: bool,
    non_downloadable: bool,
    page_entries: usize,
}

/// A place in a list.
#[derive(Clone)]
pub(super) struct Cursor {
    scope: Arc<Scope>,
    /// All that there is to tell, and how much of it was told.
    items: Arc<Vec<Item>>,
    told: usize,
    /// What each path was when that was gathered.
    versions: Arc<HashMap<String, Version>>,
}

struct Version {
    version: String,
    path_display: String,
}

/// Begin a list.
pub(super) async fn begin(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    Argument(asked): Argument<Asked>,
) -> Result<Json<Value>, Problem> {
    if asked.include_has_explicit_shared_members
        || asked.shared_link.is_some()
        || asked.include_property_groups.is_some()
    {
        return Err(Problem::strict("it knows neither members, shared links nor properties."));
    }
    if asked.limit.is_some_and(|limit| !(1..=LARGEST_LIMIT).contains(&limit)) {
        return Err(Problem::bad("request body: limit: it is not within range [1, 2000]"));
    }
    let page = {
        let mut world = dropbox.world();
        let page = world.first_page(&visit, &asked)?;
        world.tally.lists += 1;
        page
    };
    page.answer(&dropbox).await
}

/// Go on with a list.
pub(super) async fn go_on(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    Argument(asked): Argument<Continued>,
) -> Result<Json<Value>, Problem> {
    let page = {
        let mut world = dropbox.world();
        let page = world.next_page(&visit, &asked.cursor)?;
        world.tally.list_continues += 1;
        page
    };
    page.answer(&dropbox).await
}

struct Page {
    items: Vec<Item>,
    cursor: String,
    has_more: bool,
}

impl Page {
    async fn answer(self, dropbox: &Dropbox) -> Result<Json<Value>, Problem> {
        let entries = metadata::of(dropbox, self.items).await?;
        Ok(Json(json!({ "entries": entries, "cursor": self.cursor, "has_more": self.has_more })))
    }
}

impl World {
    fn first_page(&mut self, visit: &Visit, asked: &Asked) -> Result<Page, Problem> {
        let (view, place) = self.find(visit, &asked.path, Accepts::Folder)?;
        let folder = match place {
            Place::Root => view.root.folder.clone(),
            Place::Entry(entry) if entry.stored.is_some() => return Err(Problem::path("not_folder")),
            Place::Entry(entry) => entry.path_lower.clone(),
        };
        let scope = Scope {
            account_id: visit.account_id.clone(),
            root: view.root,
            folder,
            recursive: asked.recursive,
            non_downloadable: asked.include_non_downloadable_files,
            page_entries: asked.limit.unwrap_or(self.settings.page_entries).max(1),
        };
        let gathered = self.trees.get(&scope.account_id).map(|tree| scope.gather(tree)).unwrap_or_default();
        let versions = Arc::new(versions(&gathered));
        Ok(self.turn(Cursor { scope: Arc::new(scope), items: Arc::new(gathered), told: 0, versions }))
    }

    fn next_page(&mut self, visit: &Visit, cursor: &str) -> Result<Page, Problem> {
        let known = self.cursors.get(cursor).filter(|known| known.scope.account_id == visit.account_id);
        let known = known.cloned().ok_or_else(|| Problem::bad("request body: cursor: Invalid \"cursor\" parameter"))?;
        if self.settings.resets > 0 {
            self.settings.resets -= 1;
            // Nobody can go on from it any more, not even with the same words.
            self.cursors.remove(cursor);
            return Err(Problem::conflict("reset"));
        }
        if known.told < known.items.len() {
            return Ok(self.turn(known));
        }
        let tree = self.trees.get(&visit.account_id).ok_or_else(|| Problem::path("not_found"))?;
        let Scope { folder, root, .. } = &*known.scope;
        if *folder != root.folder && tree.at(folder).is_none() {
            return Err(Problem::path("not_found"));
        }
        let gathered = known.scope.gather(tree);
        let versions = Arc::new(versions(&gathered));
        let items = Arc::new(changes(gathered, &known.versions, &versions));
        Ok(self.turn(Cursor { items, told: 0, versions, ..known }))
    }

    /// The page that begins at a cursor, and the cursor after it.
    fn turn(&mut self, cursor: Cursor) -> Page {
        let end = (cursor.told + cursor.scope.page_entries).min(cursor.items.len());
        let items = cursor.items[cursor.told..end].to_vec();
        let has_more = end < cursor.items.len();
        let next = format!("AA{}", random());
        self.cursors.insert(next.clone(), Cursor { told: end, ..cursor });
        Page { items, cursor: next, has_more }
    }
}

impl Scope {
    /// Everything in the folder. A recursive list begins with the folder itself (observed).
    fn gather(&self, tree: &Tree) -> Vec<Item> {
        let view = View { tree, root: self.root.clone() };
        let itself = tree.at(&self.folder).filter(|_| self.recursive && self.folder != self.root.folder);
        let inside = tree.under(&self.folder).filter(|entry| {
            let deep = entry.path_lower[self.folder.len() + 1..].contains('/');
            let export_only = entry.stored.as_ref().is_some_and(|stored| stored.file.export_as.is_some());
            (self.recursive || !deep) && (self.non_downloadable || !export_only)
        });
        itself.into_iter().chain(inside).map(|entry| Item::Present(view.show(entry))).collect()
    }
}

fn versions(items: &[Item]) -> HashMap<String, Version> {
    let version = |item: &Item| match item {
        Item::Present(shown) => {
            let version = shown.entry.version().to_owned();
            Some((shown.path_lower.clone(), Version { version, path_display: shown.path_display.clone() }))
        }
        Item::Deleted { .. } => None,
    };
    items.iter().filter_map(version).collect()
}

/// What is new, other or gone.
fn changes(gathered: Vec<Item>, before: &HashMap<String, Version>, after: &HashMap<String, Version>) -> Vec<Item> {
    let mut gone: Vec<Item> = (before.iter().filter(|(path, _)| !after.contains_key(*path)))
        .map(|(path, known)| Item::Deleted { path_lower: path.clone(), path_display: known.path_display.clone() })
        .collect();
    gone.sort_by(|one, other| path_of(one).cmp(path_of(other)));
    let news = gathered.into_iter().filter(|item| match item {
        Item::Present(shown) => {
            before.get(&shown.path_lower).is_none_or(|known| known.version != shown.entry.version())
        }
        Item::Deleted { .. } => true,
    });
    gone.extend(news);
    gone
}

fn path_of(item: &Item) -> &str {
    match item {
        Item::Present(shown) => &shown.path_lower,
        Item::Deleted { path_lower, .. } => path_lower,
    }
}

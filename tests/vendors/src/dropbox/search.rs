//! `files/search_v2` and `files/search/continue_v2`: files and folders by the words in their names.
//!
//! Each word of the query must begin a word of the name. Contents are not searched.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::Argument;
use super::gate::Visit;
use super::grants::random;
use super::metadata::{self, Item};
use super::paths::{Accepts, Place, Shown};
use super::problem::Problem;
use super::state::{Dropbox, World};
use super::tree::{Entry, lower};

const LARGEST_PAGE: usize = 1_000;
/// No search finds more (documented).
const MOST_MATCHES: usize = 10_000;
const LONGEST_QUERY: usize = 1_000;

/// Extensions of each category that can be searched for (documented as `FileCategory`, "and more").
const CATEGORIES: [(&str, &[&str]); 10] = [
    ("image", &["jpg", "jpeg", "png", "gif", "webp", "svg", "heic", "tif", "tiff", "bmp"]),
    ("document", &["doc", "docx", "txt", "rtf", "odt", "gdoc", "md"]),
    ("pdf", &["pdf"]),
    ("spreadsheet", &["xlsx", "xls", "csv", "gsheet"]),
    ("presentation", &["ppt", "pptx", "key", "gslides"]),
    ("audio", &["mp3", "wav", "mid", "m4a", "flac"]),
    ("video", &["mov", "wmv", "mp4", "webm", "avi", "mkv"]),
    ("folder", &[]),
    ("paper", &["paper", "papert"]),
    ("others", &[]),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    query: String,
    #[serde(default)]
    options: Options,
    match_field_options: Option<MatchFieldOptions>,
    include_highlights: Option<bool>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    path: Option<String>,
    max_results: usize,
    order_by: Option<Tag>,
    file_status: Option<Tag>,
    #[serde(rename = "filename_only")]
    _filename_only: bool,
    file_extensions: Option<Vec<String>>,
    file_categories: Option<Vec<Tag>>,
    account_id: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: None,
            max_results: 100,
            order_by: None,
            file_status: None,
            _filename_only: false,
            file_extensions: None,
            file_categories: None,
            account_id: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchFieldOptions {
    #[serde(default)]
    include_highlights: bool,
}

/// The member of a union without a value, which may be written as its name alone (documented).
#[derive(Deserialize)]
#[serde(untagged)]
enum Tag {
    Short(String),
    Long(Tagged),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tagged {
    #[serde(rename = ".tag")]
    tag: String,
}

impl Tag {
    fn name(&self) -> &str {
        match self {
            Self::Short(name) => name,
            Self::Long(Tagged { tag }) => tag,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Continued {
    cursor: String,
}

/// What a search has found, and how much of it was told.
#[derive(Clone)]
pub(super) struct Found {
    account_id: String,
    items: Arc<Vec<Shown>>,
    told: usize,
    page_entries: usize,
}

/// Begin a search.
pub(super) async fn begin(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    Argument(asked): Argument<Asked>,
) -> Result<Json<Value>, Problem> {
    asked.check()?;
    let page = {
        let mut world = dropbox.world();
        let items = Arc::new(world.search(&visit, &asked)?);
        world.tally.searches += 1;
        let (account_id, page_entries) = (visit.account_id, asked.options.max_results);
        world.leaf(Found { account_id, items, told: 0, page_entries })
    };
    page.answer(&dropbox).await
}

/// Go on with a search.
pub(super) async fn go_on(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    Argument(asked): Argument<Continued>,
) -> Result<Json<Value>, Problem> {
    let page = {
        let mut world = dropbox.world();
        let found = world.searches.get(&asked.cursor).filter(|found| found.account_id == visit.account_id).cloned();
        let found = found.ok_or_else(|| Problem::bad("request body: cursor: Invalid \"cursor\" parameter"))?;
        world.tally.search_continues += 1;
        world.leaf(found)
    };
    page.answer(&dropbox).await
}

struct Page {
    items: Vec<Item>,
    cursor: Option<String>,
}

impl Page {
    async fn answer(self, dropbox: &Dropbox) -> Result<Json<Value>, Problem> {
        let wrapped = |metadata: Value| json!({ "metadata": { ".tag": "metadata", "metadata": metadata }, "match_type": { ".tag": "filename" } });
        let matches: Vec<Value> = metadata::of(dropbox, self.items).await?.into_iter().map(wrapped).collect();
        let mut answer = json!({ "matches": matches, "has_more": self.cursor.is_some() });
        if let Some(cursor) = self.cursor {
            answer["cursor"] = cursor.into();
        }
        Ok(Json(answer))
    }
}

impl Asked {
    fn check(&self) -> Result<(), Problem> {
        let Options { max_results, order_by, file_status, file_categories, .. } = &self.options;
        if self.query.chars().count() > LONGEST_QUERY {
            return Err(Problem::bad("request body: query: it has more than 1000 characters"));
        }
        if self.query.trim().is_empty() {
            return Err(Problem::conflict("invalid_argument"));
        }
        if !(1..=LARGEST_PAGE).contains(max_results) {
            return Err(Problem::bad("request body: options: max_results: it is not within range [1, 1000]"));
        }
        let known = |tag: &Option<Tag>, names: &[&str]| tag.as_ref().is_none_or(|tag| names.contains(&tag.name()));
        if !known(order_by, &["relevance", "last_modified_time"]) {
            return Err(Problem::bad("request body: options: order_by: unknown tag"));
        }
        if !known(file_status, &["active", "deleted"]) {
            return Err(Problem::bad("request body: options: file_status: unknown tag"));
        }
        let category = |tag: &Tag| CATEGORIES.iter().any(|(name, _)| *name == tag.name());
        if !file_categories.iter().flatten().all(category) {
            return Err(Problem::bad("request body: options: file_categories: unknown tag"));
        }
        let highlights = self.match_field_options.as_ref().is_some_and(|options| options.include_highlights);
        if highlights || self.include_highlights == Some(true) {
            return Err(Problem::strict("it highlights nothing."));
        }
        Ok(())
    }

    fn matches(&self, entry: &Entry) -> bool {
        let name = lower(entry.name());
        let begins = |word: &str| {
            let ends = |before: Option<char>| before.is_none_or(|before| !before.is_alphanumeric());
            name.match_indices(word).any(|(at, _)| ends(name[..at].chars().next_back()))
        };
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_file = entry.stored.is_some();
        let wanted = |extensions: &Vec<String>| {
            is_file && extensions.iter().any(|wanted| lower(wanted.trim_start_matches('.')) == extension)
        };
        let category = match CATEGORIES.iter().find(|(_, extensions)| extensions.contains(&extension)) {
            _ if !is_file => "folder",
            Some((category, _)) => *category,
            None => "others",
        };
        let Options { file_extensions, file_categories, file_status, .. } = &self.options;
        lower(&self.query).split_whitespace().all(begins)
            && file_status.as_ref().is_none_or(|status| status.name() == "active")
            && file_extensions.as_ref().is_none_or(wanted)
            && file_categories.as_ref().is_none_or(|tags| tags.iter().any(|tag| tag.name() == category))
    }
}

impl World {
    fn search(&self, visit: &Visit, asked: &Asked) -> Result<Vec<Shown>, Problem> {
        let options = &asked.options;
        let (view, place) = self.find(visit, options.path.as_deref().unwrap_or_default(), Accepts::Folder)?;
        let folder = match place {
            Place::Root => view.root.folder.clone(),
            Place::Entry(entry) if entry.stored.is_some() => return Err(Problem::path("not_folder")),
            Place::Entry(entry) => entry.path_lower.clone(),
        };
        if options.account_id.as_ref().is_some_and(|id| *id != visit.account_id) {
            return Ok(Vec::new());
        }
        let found = view.tree.under(&folder).filter(|entry| asked.matches(entry)).take(MOST_MATCHES);
        let mut found: Vec<Shown> = found.map(|entry| view.show(entry)).collect();
        if options.order_by.as_ref().is_some_and(|order| order.name() == "last_modified_time") {
            let modified = |shown: &Shown| shown.entry.stored.as_ref().map(|stored| stored.file.modified.clone());
            found.sort_by_key(|shown| std::cmp::Reverse(modified(shown)));
        }
        Ok(found)
    }

    /// The next page of a search, with a cursor if there is more.
    fn leaf(&mut self, found: Found) -> Page {
        let end = (found.told + found.page_entries).min(found.items.len());
        let items = found.items[found.told..end].iter().cloned().map(Item::Present).collect();
        let cursor = (end < found.items.len()).then(|| format!("AB{}", random()));
        if let Some(cursor) = &cursor {
            self.searches.insert(cursor.clone(), Found { told: end, ..found });
        }
        Page { items, cursor }
    }
}

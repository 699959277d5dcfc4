//! Paths as calls give them (documented under "Path formats"), and what is there.

use std::sync::Arc;

use super::gate::{Root, Visit, namespace};
use super::problem::Problem;
use super::state::World;
use super::tree::{Entry, Tree, lower};

/// What a call takes as a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    /// `""`, `/…`, `id:…` or `ns:…`: the root can be meant.
    Folder,
    /// `/…`, `id:…`, `rev:…` or `ns:…`.
    Read,
}

/// What a visitor sees of a tree.
pub(super) struct View<'world> {
    pub(super) tree: &'world Tree,
    pub(super) root: Root,
}

/// What was found at a path.
pub(super) enum Place {
    Root,
    Entry(Arc<Entry>),
}

/// An entry as it is shown: with paths that are relative to the visitor's root.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) entry: Arc<Entry>,
    pub(super) path_lower: String,
    pub(super) path_display: String,
}

impl World {
    /// What a path means to a visitor, and what is there. A namespace in the path changes the view.
    pub(super) fn find(&self, visit: &Visit, path: &str, accepts: Accepts) -> Result<(View<'_>, Place), Problem> {
        let nobody = || Problem::unauthorized("invalid_access_token");
        let account = self.settings.account(&visit.account_id).ok_or_else(nobody)?;
        let tree = self.trees.get(&visit.account_id).ok_or_else(nobody)?;
        let view = |root: &Root| View { tree, root: root.clone() };
        if let Some(rest) = path.strip_prefix("ns:") {
            let (id, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(accepts.mismatch(path));
            }
            let view = view(&namespace(account, id).ok_or_else(|| Problem::path("not_found"))?);
            let place = if path.is_empty() { Ok(Place::Root) } else { view.at(path, accepts) };
            return place.map(|place| (view, place));
        }
        let view = view(&visit.root);
        let place = view.at(path, accepts)?;
        Ok((view, place))
    }
}

impl Accepts {
    /// 400 for what does not even look like a path.
    fn mismatch(self, path: &str) -> Problem {
        let pattern = match self {
            Self::Folder => r"(/(.|[\r\n])*)?|id:.*|(ns:[0-9]+(/.*)?)",
            Self::Read => r"(/(.|[\r\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/.*)?)",
        };
        Problem::bad(format!("request body: path: '{path}' did not match pattern '{pattern}'"))
    }
}

impl View<'_> {
    fn at(&self, path: &str, accepts: Accepts) -> Result<Place, Problem> {
        let hexadecimal = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let entry = match (path, accepts) {
            ("", Accepts::Folder) => return Ok(Place::Root),
            ("/", Accepts::Folder) => {
                let words = "request body: path: Specify the root folder as an empty string rather than as \"/\".";
                return Err(Problem::bad(words));
            }
            ("" | "/", Accepts::Read) => {
                return Err(Problem::bad("request body: path: The root folder is unsupported."));
            }
            _ if path.starts_with('/') => {
                if path.ends_with('/') || path.contains("//") {
                    return Err(Problem::path("malformed_path"));
                }
                self.tree.at(&format!("{}{}", self.root.folder, lower(path)))
            }
            _ if path.starts_with("id:") => self.tree.called(path),
            _ if accepts == Accepts::Read && path.len() >= 13 && path.strip_prefix("rev:").is_some_and(hexadecimal) => {
                self.tree.called(path)
            }
            _ => return Err(accepts.mismatch(path)),
        };
        let entry = entry.filter(|entry| self.sees(entry)).ok_or_else(|| Problem::path("not_found"))?;
        Ok(Place::Entry(entry.clone()))
    }

    fn sees(&self, entry: &Entry) -> bool {
        entry.path_lower.strip_prefix(&self.root.folder).is_some_and(|rest| rest.starts_with('/'))
    }

    pub(super) fn show(&self, entry: &Arc<Entry>) -> Shown {
        let path_lower = entry.path_lower[self.root.folder.len()..].to_owned();
        let parts = entry.path_display.split('/').skip(self.root.depth + 1);
        let path_display = parts.flat_map(|part| ["/", part]).collect();
        Shown { entry: entry.clone(), path_lower, path_display }
    }
}

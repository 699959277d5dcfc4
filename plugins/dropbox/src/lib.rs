//! Dropbox, API v2: <https://www.dropbox.com/developers/documentation/http/documentation>.
//!
//! It only reads. Nearly all calls are POSTs that change nothing; a download is asked for with GET, which Dropbox takes as
//! well.

mod entry;
mod problem;

use crate::entry::{Found, Metadata};
use orla_sdk::manifest::{self, Auth, Endpoint, Manifest, OAuth2, Revoke, RevokeBy};
use orla_sdk::{
    Account, Api, Connector, Drive, DriveEntry, DrivePage, Fault, Fetched, Identity, Profile, Response, Result,
};
use serde::Deserialize;
use serde_json::json;

/// The connector.
pub struct Dropbox;

orla_sdk::connector!(Dropbox);
orla_sdk::export_identity!(Dropbox);
orla_sdk::export_drive!(Dropbox);

const API: Api = Api::new("api").explain(problem::explain);
/// Where bytes are.
const CONTENT: Api = Api::new("content").explain(problem::explain);

/// Entries of a page. Dropbox gives 2,000 at most, and may give fewer or a few more.
const PAGE_ENTRIES: u32 = 500;
/// Matches of a page of a search; at most 1,000.
const PAGE_MATCHES: u32 = 100;

impl Connector for Dropbox {
    fn manifest() -> Manifest {
        let scopes = ["account_info.read", "files.metadata.read", "files.content.read"];
        Manifest {
            auth: Auth::Oauth2(OAuth2 {
                // Without it there is no refresh token: <https://developers.dropbox.com/oauth-guide>.
                authorize_params: [("token_access_type".to_owned(), "offline".to_owned())].into(),
                revoke: Some(Revoke { at: manifest::place("api", "/2/auth/token/revoke"), by: RevokeBy::BearerPost }),
                default_lifetime_s: 14_400,
                ..manifest::oauth2(
                    manifest::place("web", "/oauth2/authorize"),
                    manifest::place("api", "/oauth2/token"),
                    scopes,
                )
            }),
            endpoints: manifest::endpoints([
                ("web", manifest::unsigned("https://www.dropbox.com")),
                (
                    "api",
                    Endpoint {
                        reads: manifest::texts([
                            "POST /2/users/get_current_account",
                            "POST /2/files/list_folder",
                            "POST /2/files/list_folder/continue",
                            "POST /2/files/search_v2",
                            "POST /2/files/search/continue_v2",
                        ]),
                        host_only: manifest::texts(["/oauth2/*", "/2/auth/token/*"]),
                        ..manifest::bearer("https://api.dropboxapi.com")
                    },
                ),
                ("content", manifest::bearer("https://content.dropboxapi.com")),
            ]),
            ..manifest::bare("dropbox", "Dropbox", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl Identity for Dropbox {
    /// <https://www.dropbox.com/developers/documentation/http/documentation#users-get_current_account>
    fn whoami(_account: &Account) -> Result<Profile> {
        #[derive(Deserialize)]
        struct Name {
            display_name: String,
        }
        #[derive(Deserialize)]
        struct Me {
            account_id: String,
            email: String,
            name: Name,
        }
        // A body, even `{}`, would be refused.
        let Me { account_id, email, name } = API.post("/2/users/get_current_account").read()?.json()?;
        Ok(Profile { vendor_id: account_id, handle: email, name: Some(name.display_name), targets: Vec::new() })
    }
}

impl Drive for Dropbox {
    /// <https://www.dropbox.com/developers/documentation/http/documentation#files-list_folder>
    fn list(_account: &Account, folder: Option<&str>, cursor: Option<&str>) -> Result<DrivePage> {
        // The root is the empty path.
        let begin = || {
            let asked = json!({ "path": folder.unwrap_or_default(), "limit": PAGE_ENTRIES });
            API.post("/2/files/list_folder").json(&asked).read()
        };
        let Some(cursor) = cursor else { return listed(&begin()?) };
        match API.post("/2/files/list_folder/continue").json(&json!({ "cursor": cursor })).read() {
            // Dropbox has given the cursor up, and wants the list begun anew.
            Err(fault) if fault.code.as_deref() == Some("reset") => listed(&begin()?),
            answered => listed(&answered?),
        }
    }

    /// <https://www.dropbox.com/developers/documentation/http/documentation#files-search>
    fn search(_account: &Account, query: &str, within: Option<&str>, cursor: Option<&str>) -> Result<DrivePage> {
        let answer = match cursor {
            Some(cursor) => API.post("/2/files/search/continue_v2").json(&json!({ "cursor": cursor })),
            None => {
                let options = json!({
                    "path": within.unwrap_or_default(),
                    "max_results": PAGE_MATCHES,
                    "file_status": "active",
                    "filename_only": true,
                });
                API.post("/2/files/search_v2").json(&json!({ "query": query, "options": options }))
            }
        };
        found(&answer.read()?)
    }

    /// <https://www.dropbox.com/developers/documentation/http/documentation#files-download>
    fn fetch(_account: &Account, file: &str) -> Result<Fetched> {
        #[derive(Deserialize)]
        struct Downloaded {
            name: String,
        }
        let argument = ascii(&json!({ "path": file }).to_string());
        let (answer, blob) =
            CONTENT.get("/2/files/download").header("dropbox-api-arg", argument).read_answer_and_blob()?;
        let told = answer.header("dropbox-api-result").and_then(|told| serde_json::from_str::<Downloaded>(told).ok());
        let Downloaded { name } =
            told.ok_or_else(|| Fault::vendor("Dropbox sent a file without saying what it is called."))?;
        Ok(Fetched { blob, name })
    }
}

fn listed(answer: &Response) -> Result<DrivePage> {
    #[derive(Deserialize)]
    struct Page {
        entries: Vec<Metadata>,
        cursor: String,
        has_more: bool,
    }
    let Page { entries, cursor, has_more } = answer.json()?;
    // Without more, the cursor is for what changes later.
    Ok(DrivePage { entries: shown(entries), next: has_more.then_some(cursor) })
}

fn found(answer: &Response) -> Result<DrivePage> {
    #[derive(Deserialize)]
    struct Page {
        matches: Vec<Match>,
        #[serde(default)]
        cursor: Option<String>,
        has_more: bool,
    }
    #[derive(Deserialize)]
    struct Match {
        metadata: Found,
    }
    let Page { matches, cursor, has_more } = answer.json()?;
    let entries = matches.into_iter().filter_map(|one| one.metadata.metadata).collect();
    Ok(DrivePage { entries: shown(entries), next: cursor.filter(|_| has_more) })
}

/// What there is: a page may also tell of entries that were deleted meanwhile.
fn shown(entries: Vec<Metadata>) -> Vec<DriveEntry> {
    entries.into_iter().filter_map(Metadata::shown).collect()
}

/// JSON for a header: ASCII alone, where everything else is escaped as UTF-16
/// (<https://www.dropbox.com/developers/reference/json-encoding>).
fn ascii(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for char in json.chars() {
        match char {
            ' '..='~' => safe.push(char),
            _ => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    safe
}

#[cfg(test)]
mod tests;

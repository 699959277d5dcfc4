//! What a connector can do: one trait an ability, each exported with its own macro.

mod engagement;
mod video;

pub use engagement::{Comments, Reply};
pub use video::VideoModel;

use crate::manifest::Manifest;
use crate::{
    Account, Attempt, Completion, DrivePage, Fact, Fetched, Profile, Progress, Prompt, Result, TextOptions, Variant,
    Verdict, Violation,
};

/// What every connector is. Exported with [`connector!`](crate::connector).
///
/// ```
/// use orla_sdk::Connector;
/// use orla_sdk::manifest::{self, Manifest};
///
/// pub struct Vendor;
///
/// impl Connector for Vendor {
///     fn manifest() -> Manifest {
///         Manifest {
///             endpoints: manifest::endpoints([("api", manifest::bearer("https://api.acme.example"))]),
///             ..manifest::bare("acme", "Acme", env!("CARGO_PKG_VERSION"))
///         }
///     }
/// }
///
/// assert_eq!(Vendor::manifest().validate(), []);
/// ```
pub trait Connector {
    /// What the connector says of itself.
    ///
    /// The host asks once, at admission, and gives no power meanwhile: code that sends a request or writes a log here
    /// traps.
    fn manifest() -> Manifest;
}

/// Says who an account is. Exported with [`export_identity!`](crate::export_identity).
///
/// ```
/// use orla_sdk::{Account, Api, Identity, Profile, Result};
///
/// pub struct Vendor;
///
/// impl Identity for Vendor {
///     fn whoami(_account: &Account) -> Result<Profile> {
///         #[derive(serde::Deserialize)]
///         struct User {
///             id: String,
///             username: String,
///         }
///         let User { id, username } = Api::new("api").get("/v1/me").read()?.json()?;
///         Ok(Profile { vendor_id: id, handle: username, name: None, targets: Vec::new() })
///     }
/// }
/// ```
pub trait Identity {
    /// Asks the vendor whose credentials these are. Run once after connecting, with an empty `account`.
    ///
    /// # Errors
    /// Whatever the vendor's answer means.
    fn whoami(account: &Account) -> Result<Profile>;

    /// Asks the vendor for facts of this account that rules need. The host caches them and hands them to
    /// [`Publish::check`]. None unless the connector says otherwise.
    ///
    /// # Errors
    /// Whatever the vendor's answer means.
    fn options(_account: &Account) -> Result<Vec<Fact>> {
        Ok(Vec::new())
    }
}

/// Publishes. Exported with [`export_publish!`](crate::export_publish).
///
/// ```
/// use orla_sdk::{
///     Account, Api, Committed, Fact, Progress, Publish, Response, Result, Step, Variant, Violation, in_order,
/// };
///
/// pub struct Vendor;
///
/// impl Publish for Vendor {
///     fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
///         let empty = variant.parts.iter().position(|part| part.text.is_empty());
///         let violation = |at| Violation::new(format!("parts/{at}/text"), "empty", "A post needs a text.");
///         empty.map(violation).into_iter().collect()
///     }
///
///     fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
///         in_order(&variant.parts, |index, part, _previous| {
///             let made = |answer: &Response| Ok(Committed { id: answer.text().into_owned(), url: None });
///             let post = serde_json::json!({ "text": part.text });
///             Api::new("api").post("/v1/posts").json(&post).commit(format!("part/{index}"), made).map(Step::Done)
///         })
///     }
/// }
/// ```
pub trait Publish {
    /// Tells what is wrong with a variant, without any request.
    fn check(variant: &Variant, facts: &[Fact]) -> Vec<Violation>;

    /// Publishes a variant. The code may be re-run from the top, after a crash or a pause: it must ask for the same
    /// commits with the same keys in the same order, and the journal answers those that are done.
    ///
    /// # Errors
    /// The fault that kept the first part from being published, or left a commit uncertain. Faults of later parts
    /// belong into the receipt; [`in_order`](crate::in_order) sees to it.
    fn publish(account: &Account, variant: &Variant) -> Result<Progress>;
}

/// Finds out what became of a commit whose answer was lost. Exported with
/// [`export_reconcile!`](crate::export_reconcile).
///
/// ```
/// use orla_sdk::{Account, Api, Attempt, Committed, Reconcile, Result, Variant, Verdict, cursor, pages};
///
/// pub struct Vendor;
///
/// const API: Api = Api::new("api");
///
/// impl Reconcile for Vendor {
///     /// Every post carries the key of its commit as a reference, so that it is found again.
///     fn reconcile(_account: &Account, _variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
///         let ask = |after: Option<&str>| API.get("/v1/posts").query("after", after.unwrap_or_default());
///         for page in pages(10, ask, cursor("/next")) {
///             let page: serde_json::Value = page?.json()?;
///             let mut posts = page["posts"].as_array().into_iter().flatten();
///             if let Some(post) = posts.find(|post| post["reference"] == attempt.key) {
///                 return Ok(Verdict::Done(Committed { id: post["id"].to_string(), url: None }));
///             }
///         }
///         Ok(Verdict::Absent)
///     }
/// }
/// ```
pub trait Reconcile {
    /// Looks for the trace of a commit, with reads only. A wrong [`Verdict::Absent`] posts twice: a connector that
    /// cannot tell says [`Verdict::Unknown`].
    ///
    /// # Errors
    /// Whatever kept it from looking; the host looks again later.
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict>;
}

/// Takes back what was published. Exported with [`export_remove!`](crate::export_remove).
///
/// ```
/// use orla_sdk::{Account, Api, Remove, Result, path};
/// use std::time::Duration;
///
/// pub struct Vendor;
///
/// impl Remove for Vendor {
///     fn remove(_account: &Account, id: &str) -> Result<()> {
///         let an_hour = Duration::from_secs(3_600);
///         let request = Api::new("api").delete(path!("/v1/posts/{}", id)).accept(404);
///         request.prepare(format!("remove/{id}"), an_hour).map(drop)
///     }
/// }
/// ```
pub trait Remove {
    /// Removes one post by the vendor's id. Removing what is gone is no fault.
    ///
    /// # Errors
    /// Whatever the vendor's answer means.
    fn remove(account: &Account, id: &str) -> Result<()>;
}

/// Lists, searches and fetches the files of a drive. Exported with [`export_drive!`](crate::export_drive).
///
/// ```
/// use orla_sdk::{Account, Api, Drive, DriveEntry, DrivePage, EntryKind, Fault, Fetched, Result, path};
///
/// pub struct Vendor;
///
/// const API: Api = Api::new("api");
///
/// impl Drive for Vendor {
///     fn list(_account: &Account, folder: Option<&str>, cursor: Option<&str>) -> Result<DrivePage> {
///         let request = API.get(path!("/v1/folders/{}/entries", folder.unwrap_or("root")));
///         let answer = request.query("cursor", cursor.unwrap_or_default()).read()?;
///         let (names, next): (Vec<String>, Option<String>) = answer.json()?;
///         let entry = |name: String| DriveEntry {
///             id: name.clone(),
///             name,
///             kind: EntryKind::File,
///             size: None,
///             content_type: None,
///             modified_ms: None,
///             fetchable: true,
///         };
///         Ok(DrivePage { entries: names.into_iter().map(entry).collect(), next })
///     }
///
///     fn search(_account: &Account, _query: &str, _within: Option<&str>, _cursor: Option<&str>) -> Result<DrivePage> {
///         Err(Fault::invalid("query", "This vendor has no search."))
///     }
///
///     fn fetch(_account: &Account, file: &str) -> Result<Fetched> {
///         let blob = API.get(path!("/v1/files/{}/content", file)).read_blob()?;
///         Ok(Fetched { blob, name: file.to_owned() })
///     }
/// }
/// ```
pub trait Drive {
    /// Lists what is directly in a folder; in the drive's root where none is named. `cursor` is the `next` of the page before,
    /// of the same folder. Where the vendor no longer knows it, begin the list anew.
    ///
    /// # Errors
    /// `not-found` when there is no such folder, `invalid` when it is a file; else whatever the vendor's answer means.
    fn list(account: &Account, folder: Option<&str>, cursor: Option<&str>) -> Result<DrivePage>;

    /// Finds files and folders by a person's words; nothing but what is in the folder `within`, however deep, where one is
    /// named. `cursor` is the `next` of the page before, of the same search.
    ///
    /// # Errors
    /// `invalid` with code `search-within` where the vendor cannot search in one folder; else whatever the vendor's answer
    /// means.
    fn search(account: &Account, query: &str, within: Option<&str>, cursor: Option<&str>) -> Result<DrivePage>;

    /// Fetches a file into a blob ([`Request::read_blob`](crate::Request::read_blob)).
    ///
    /// # Errors
    /// `not-found` when there is no such file, `invalid` when it has no bytes that can be fetched; else whatever the vendor's
    /// answer means.
    fn fetch(account: &Account, file: &str) -> Result<Fetched>;
}

/// Writes text with a language model. Exported with [`export_text_model!`](crate::export_text_model).
///
/// ```
/// use orla_sdk::{Api, Completion, Delivery, Ending, Fact, Prompt, Result, TextModel, TextOptions, text};
///
/// pub struct Vendor;
///
/// impl TextModel for Vendor {
///     fn complete(prompt: &Prompt, options: &TextOptions, _settings: &[Fact]) -> Result<Completion> {
///         let said: Vec<&str> = prompt.messages.iter().map(|message| message.text.as_str()).collect();
///         let answer = Api::new("api").post("/v1/write").json(&said).spend("complete")?;
///         let text = answer.text().into_owned();
///         if options.delivery == Delivery::Pieces {
///             text::write(&text);
///         }
///         Ok(Completion { text, model: "small".to_owned(), ending: Ending::Complete })
///     }
/// }
/// ```
pub trait TextModel {
    /// Asks the model for one answer, with one request of effect `spend`
    /// ([`Request::spend`](crate::Request::spend), [`Request::spend_events`](crate::Request::spend_events)).
    ///
    /// Where [`Delivery::Pieces`](crate::Delivery::Pieces) is wanted, each piece goes to
    /// [`text::write`](crate::text::write) as it comes; all of them together are the text that is returned, exactly.
    /// `settings` are the operator's, by the names that the manifest declares; [`setting`](crate::setting) reads one.
    ///
    /// # Errors
    /// `invalid` with code `refused` when the model declines and `content-filter` when the vendor withholds the answer;
    /// else whatever the vendor's answer means.
    fn complete(prompt: &Prompt, options: &TextOptions, settings: &[Fact]) -> Result<Completion>;
}

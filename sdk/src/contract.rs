//! The contract's types as connectors meet them, each with an example. What they mean stands in `wit/`.

mod engagement;
mod video;

pub use engagement::{Comment, CommentAuthor, CommentPage, ReplyAttempt};
pub use video::{Still, VideoMade, VideoProgress, VideoViolation, VideoWish, VideoWorking};

/// Bytes that the host stores.
///
/// ```
/// use orla_sdk::{Api, Blob, Result};
///
/// fn size_of(id: &str) -> Result<u64> {
///     let blob: Blob = Api::new("files").get(orla_sdk::path!("/v1/files/{}", id)).read_blob()?;
///     Ok(blob.size())
/// }
/// ```
pub use crate::bindings::connector::orla::connector::blob::Blob;

/// A stretch of a blob; [`Blob::slice`] makes one.
///
/// ```
/// use orla_sdk::{BlobSlice, Media};
///
/// fn first_half(media: &Media) -> BlobSlice<'_> {
///     media.blob.slice(0, media.size / 2)
/// }
/// ```
pub use crate::bindings::connector::orla::connector::http::BlobSlice;

/// A blob in a JSON body; see [`Request::json_with_blobs`](crate::Request::json_with_blobs).
///
/// ```
/// use orla_sdk::{EmbeddedBlob, Media};
///
/// fn image(media: &Media) -> EmbeddedBlob<'_> {
///     EmbeddedBlob { pointer: "/image/data".to_owned(), slice: media.blob.slice(0, media.size) }
/// }
/// ```
pub use crate::bindings::connector::orla::connector::http::EmbeddedBlob;

/// What an [`Events`](crate::Events) gives.
///
/// ```
/// let event = orla_sdk::Event { name: "delta".to_owned(), data: r#"{"text":"Tea"}"#.to_owned() };
/// assert_eq!(event.name, "delta");
/// ```
pub use crate::bindings::connector::orla::connector::http::Event;

/// What [`Identity::whoami`](crate::Identity::whoami) finds out.
///
/// ```
/// use orla_sdk::{Profile, Target};
///
/// let page = Target { id: "31".to_owned(), name: "Ada's bakery".to_owned(), kind: "page".to_owned() };
/// let profile = Profile {
///     vendor_id: "7".to_owned(),
///     handle: "ada".to_owned(),
///     name: Some("Ada Lovelace".to_owned()),
///     targets: vec![page],
/// };
/// assert_eq!(profile.targets.len(), 1);
/// ```
pub use crate::bindings::identifies::exports::orla::connector::identity::Profile;

/// Where an account with several pages, boards or sites may post to.
///
/// ```
/// let page = orla_sdk::Target { id: "31".to_owned(), name: "Ada's bakery".to_owned(), kind: "page".to_owned() };
/// assert_eq!(page.id, "31");
/// ```
pub use crate::bindings::identifies::exports::orla::connector::identity::Target;

/// What [`Request::commit`](crate::Request::commit) gives.
///
/// ```
/// use orla_sdk::{Committed, Confirmed};
///
/// let committed = Committed { id: "10".to_owned(), url: None };
/// let confirmed = Confirmed { key: "part/0".to_owned(), committed };
/// assert_eq!(confirmed.key, "part/0");
/// ```
pub use crate::bindings::publishes::exports::orla::connector::publish::Confirmed;

/// What a receipt says of one part.
///
/// ```
/// use orla_sdk::{Fault, FaultKind, PartOutcome};
///
/// let refused = Fault::new(FaultKind::Conflict, "You said that already.");
/// assert!(matches!(PartOutcome::Missing(refused), PartOutcome::Missing(fault) if !fault.sent));
/// ```
pub use crate::bindings::publishes::exports::orla::connector::publish::PartOutcome;

/// How far a variant came; [`in_order`](crate::in_order) makes it.
///
/// ```
/// use orla_sdk::Progress;
///
/// assert_ne!(Progress::Pending(5_000), Progress::Pending(10_000));
/// ```
pub use crate::bindings::publishes::exports::orla::connector::publish::Progress;

/// What became of a variant; [`in_order`](crate::in_order) makes it.
///
/// ```
/// use orla_sdk::{Committed, Confirmed, PartOutcome, Receipt};
///
/// let committed = Committed { id: "10".to_owned(), url: None };
/// let first = PartOutcome::Done(Confirmed { key: "part/0".to_owned(), committed });
/// assert_eq!(Receipt { parts: vec![first], first_comment: None }.parts.len(), 1);
/// ```
pub use crate::bindings::publishes::exports::orla::connector::publish::Receipt;

/// What [`Publish::check`](crate::Publish::check) finds wrong; [`Violation::new`] makes one.
///
/// ```
/// use orla_sdk::Violation;
///
/// let violation = Violation::new("parts/0/text", "empty", "A post needs a text.");
/// assert_eq!(violation.field, "parts/0/text");
/// ```
pub use crate::bindings::publishes::exports::orla::connector::publish::Violation;

/// What is to be shown with a text.
///
/// ```
/// use orla_sdk::Media;
///
/// fn is_video(media: &Media) -> bool {
///     media.content_type.starts_with("video/")
/// }
/// ```
pub use crate::bindings::publishes::orla::connector::variants::Media;

/// What is posted at once.
///
/// ```
/// use orla_sdk::Part;
///
/// fn is_empty(part: &Part) -> bool {
///     part.text.trim().is_empty() && part.media.is_empty()
/// }
/// ```
pub use crate::bindings::publishes::orla::connector::variants::Part;

/// What is published: the parts of a thread, or one.
///
/// ```
/// use orla_sdk::testing::{part, variant};
///
/// let thread = variant(vec![part("one", vec![]), part("two", vec![])]);
/// assert_eq!(thread.parts.len(), 2);
/// ```
pub use crate::bindings::publishes::orla::connector::variants::Variant;

/// What [`Reconcile::reconcile`](crate::Reconcile::reconcile) looks for.
///
/// ```
/// use orla_sdk::Attempt;
///
/// let lost = Attempt { key: "part/0".to_owned(), sent_at_ms: 1_787_392_800_000, earlier: Vec::new() };
/// assert!(lost.earlier.is_empty());
/// ```
pub use crate::bindings::reconciles::exports::orla::connector::reconcile::Attempt;

/// What [`Reconcile::reconcile`](crate::Reconcile::reconcile) and [`Reply::find`](crate::Reply::find) find.
///
/// ```
/// use orla_sdk::{Committed, Verdict};
///
/// fn verdict(found: Option<String>) -> Verdict {
///     found.map_or(Verdict::Absent, |id| Verdict::Done(Committed { id, url: None }))
/// }
/// assert_eq!(verdict(None), Verdict::Absent);
/// ```
pub use crate::bindings::types::Verdict;

/// The account that a call is about.
///
/// ```
/// use orla_sdk::{Account, path};
///
/// let account = Account { vendor_id: "7".to_owned(), handle: "ada".to_owned(), target: Some("31".to_owned()) };
/// assert_eq!(path!("/v1/users/{}/posts", account.vendor_id), "/v1/users/7/posts");
/// ```
pub use crate::bindings::types::Account;

/// What a commit made.
///
/// ```
/// let url = Some("https://acme.example/ada/10".to_owned());
/// let post = orla_sdk::Committed { id: "10".to_owned(), url };
/// assert_eq!(post.id, "10");
/// ```
pub use crate::bindings::types::Committed;

/// What [`Identity::options`](crate::Identity::options) finds out, and an operator's setting.
///
/// ```
/// let fact = orla_sdk::Fact { name: "max_text".to_owned(), value: "500".to_owned() };
/// assert_eq!(fact.value.parse(), Ok(500));
/// ```
pub use crate::bindings::types::Fact;

/// What the host acts on.
///
/// ```
/// use orla_sdk::FaultKind;
///
/// /// What the vendor's own codes mean where the status misleads.
/// fn kind(code: &str) -> Option<FaultKind> {
///     match code {
///         "duplicate_post" => Some(FaultKind::Conflict),
///         "daily_limit" => Some(FaultKind::Quota),
///         _ => None,
///     }
/// }
/// assert_eq!(kind("daily_limit"), Some(FaultKind::Quota));
/// ```
pub use crate::bindings::types::FaultKind;

/// A file or a folder.
///
/// ```
/// use orla_sdk::{DriveEntry, EntryKind};
///
/// let folder = DriveEntry {
///     id: "7".to_owned(),
///     name: "Brand".to_owned(),
///     kind: EntryKind::Folder,
///     size: None,
///     content_type: None,
///     modified_ms: None,
///     fetchable: false,
/// };
/// assert_eq!(folder.kind, EntryKind::Folder);
/// ```
pub use crate::bindings::stores::exports::orla::connector::drive::Entry as DriveEntry;

/// What [`Drive::list`](crate::Drive::list) and [`Drive::search`](crate::Drive::search) return.
///
/// ```
/// let last = orla_sdk::DrivePage { entries: Vec::new(), next: None };
/// assert_eq!(last.next, None);
/// ```
pub use crate::bindings::stores::exports::orla::connector::drive::Page as DrivePage;

/// Whether an entry has bytes or entries.
///
/// ```
/// use orla_sdk::EntryKind;
///
/// fn kind(media_type: &str) -> EntryKind {
///     if media_type == "inode/directory" { EntryKind::Folder } else { EntryKind::File }
/// }
/// assert_eq!(kind("image/png"), EntryKind::File);
/// ```
pub use crate::bindings::stores::exports::orla::connector::drive::EntryKind;

/// What [`Drive::fetch`](crate::Drive::fetch) returns.
///
/// ```
/// use orla_sdk::{Api, Fetched, Result};
///
/// fn logo() -> Result<Fetched> {
///     let blob = Api::new("files").get("/v1/files/logo/content").read_blob()?;
///     Ok(Fetched { blob, name: "logo.png".to_owned() })
/// }
/// ```
pub use crate::bindings::stores::exports::orla::connector::drive::Fetched;

/// What [`TextModel::complete`](crate::TextModel::complete) returns.
///
/// ```
/// use orla_sdk::{Completion, Ending};
///
/// let said = Completion { text: "Tea.".to_owned(), model: "small".to_owned(), ending: Ending::Complete };
/// assert_eq!(said.ending, Ending::Complete);
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::Completion;

/// Whether pieces are to be handed to [`text::write`](crate::text::write).
///
/// ```
/// use orla_sdk::{Delivery, TextOptions};
///
/// fn streams(options: &TextOptions) -> bool {
///     options.delivery == Delivery::Pieces
/// }
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::Delivery;

/// Whether the model said all that it had to say.
///
/// ```
/// use orla_sdk::Ending;
///
/// fn ending(finish_reason: &str) -> Ending {
///     if finish_reason == "length" { Ending::CutOff } else { Ending::Complete }
/// }
/// assert_eq!(ending("length"), Ending::CutOff);
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::Ending;

/// The JSON that an answer must be.
///
/// ```
/// use orla_sdk::{Fault, JsonForm, Result};
///
/// fn schema(form: &JsonForm) -> Result<serde_json::Value> {
///     serde_json::from_str(&form.schema).map_err(|_| Fault::invalid("form/schema", "The schema is no JSON."))
/// }
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::JsonForm;

/// What was said before.
///
/// ```
/// use orla_sdk::{Message, Role};
///
/// let message = Message { role: Role::User, text: "A post on tea, please.".to_owned() };
/// assert_eq!(message.role, Role::User);
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::Message;

/// What the model is asked.
///
/// ```
/// use orla_sdk::{Message, Prompt, Role};
///
/// let messages = vec![Message { role: Role::User, text: "A post on tea, please.".to_owned() }];
/// let prompt = Prompt { instructions: Some("You write posts.".to_owned()), messages };
/// assert_eq!(prompt.messages.len(), 1);
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::Prompt;

/// Who said it.
///
/// ```
/// use orla_sdk::Role;
///
/// fn name(role: Role) -> &'static str {
///     match role {
///         Role::User => "user",
///         Role::Assistant => "assistant",
///     }
/// }
/// assert_eq!(name(Role::Assistant), "assistant");
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::Role;

/// How the answer is wanted.
///
/// ```
/// use orla_sdk::{Delivery, TextOptions};
///
/// let options = TextOptions { model: None, max_output_tokens: Some(200), form: None, delivery: Delivery::Whole };
/// assert_eq!(options.max_output_tokens, Some(200));
/// ```
pub use crate::bindings::writes::exports::orla::connector::text_model::Options as TextOptions;

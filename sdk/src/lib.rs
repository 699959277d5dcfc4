//! Write Orla connectors.
//!
//! A connector is a WebAssembly component that speaks to one vendor. It implements a trait an ability and exports each
//! with a macro; the host runs OAuth, signs and journals the requests, stores the media and keeps the credentials.
//!
//! ```
//! use orla_sdk::{Account, Api, Connector, Identity, Profile, Result, manifest};
//!
//! /// Example Social, <https://developer.example.com>.
//! pub struct Example;
//!
//! const API: Api = Api::new("api");
//!
//! orla_sdk::connector!(Example);
//! orla_sdk::export_identity!(Example);
//!
//! impl Connector for Example {
//!     fn manifest() -> manifest::Manifest {
//!         manifest::Manifest {
//!             endpoints: manifest::endpoints([("api", manifest::bearer("https://api.example.com"))]),
//!             ..manifest::bare("example", "Example Social", env!("CARGO_PKG_VERSION"))
//!         }
//!     }
//! }
//!
//! impl Identity for Example {
//!     fn whoami(_account: &Account) -> Result<Profile> {
//!         let me: serde_json::Value = API.get("/v1/me").read()?.json()?;
//!         Ok(Profile {
//!             vendor_id: me["id"].to_string(),
//!             handle: me["username"].as_str().unwrap_or_default().to_owned(),
//!             name: None,
//!             targets: Vec::new(),
//!         })
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! A failed request becomes a [`Fault`] in one place ([`Api`]), a request says what it does to the world when it is sent
//! ([`Request::read`], [`Request::prepare`], [`Request::commit`], [`Request::spend`]), and code that publishes is a straight line that may be
//! re-run from the top: the host's journal answers what is done.

mod ability;
mod api;
#[doc(hidden)]
pub mod bindings;
mod blob;
mod contract;
mod events;
mod explain;
mod export;
mod fault;
mod host;
pub mod log;
pub mod manifest;
mod multipart;
mod pages;
mod path;
mod publication;
mod request;
mod response;
mod sending;
mod setting;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod text;
pub mod time;

pub use ability::{Comments, Connector, Drive, Identity, Publish, Reconcile, Remove, Reply, TextModel, VideoModel};
pub use api::{Api, forget};
pub use events::Events;
pub use explain::Explained;
pub use fault::{Fault, Result};
pub use multipart::Multipart;
pub use pages::{Pages, cursor, pages};
pub use path::segment;
pub use publication::{Step, in_order, say_first_comment};
pub use request::Request;
pub use response::Response;
pub use setting::setting;

pub use contract::{
    Account, Attempt, Blob, BlobSlice, Comment, CommentAuthor, CommentPage, Committed, Completion, Confirmed, Delivery,
    DriveEntry, DrivePage, EmbeddedBlob, Ending, EntryKind, Event, Fact, FaultKind, Fetched, JsonForm, Media, Message,
    Part, PartOutcome, Profile, Progress, Prompt, Receipt, ReplyAttempt, Role, Still, Target, TextOptions, Variant,
    Verdict, VideoMade, VideoProgress, VideoViolation, VideoWish, VideoWorking, Violation,
};

/// The README's example, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

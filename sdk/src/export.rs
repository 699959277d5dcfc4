//! From our traits to the contract's exports: the macros, and the bridges behind them.
//!
//! The bridges are blanket implementations, so the macros only name the type. The exports themselves exist on
//! WebAssembly alone: a connector's own tests run on the developer's machine, where the symbols mean nothing.

use crate::bindings::{connector, films, identifies, listens, publishes, reconciles, removes, replies, stores, writes};
use crate::{
    Account, Attempt, CommentPage, Comments, Committed, Completion, Connector, Drive, DrivePage, Fact, Fetched,
    Identity, Profile, Progress, Prompt, Publish, Reconcile, Remove, Reply, ReplyAttempt, Result, TextModel,
    TextOptions, Variant, Verdict, VideoModel, VideoProgress, VideoViolation, VideoWish, Violation, log,
};
use std::panic;

/// Makes a type the connector of this component.
///
/// ```
/// use orla_sdk::Connector;
/// use orla_sdk::manifest::{Manifest, bare};
///
/// pub struct Vendor;
///
/// orla_sdk::connector!(Vendor);
///
/// impl Connector for Vendor {
///     fn manifest() -> Manifest {
///         bare("acme", "Acme", env!("CARGO_PKG_VERSION"))
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! connector {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::connector::export_connector!($connector with_types_in $crate::bindings::connector);
    };
}

/// Exports [`Identity`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_identity!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_identity {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::identifies::export_identifies!($connector with_types_in $crate::bindings::identifies);
    };
}

/// Exports [`Publish`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_publish!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_publish {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::publishes::export_publishes!($connector with_types_in $crate::bindings::publishes);
    };
}

/// Exports [`Reconcile`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_reconcile!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_reconcile {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::reconciles::export_reconciles!($connector with_types_in $crate::bindings::reconciles);
    };
}

/// Exports [`Remove`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_remove!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_remove {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::removes::export_removes!($connector with_types_in $crate::bindings::removes);
    };
}

/// Exports [`Drive`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_drive!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_drive {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::stores::export_stores!($connector with_types_in $crate::bindings::stores);
    };
}

/// Exports [`Comments`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_comments!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_comments {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::listens::export_listens!($connector with_types_in $crate::bindings::listens);
    };
}

/// Exports [`Reply`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_reply!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_reply {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::replies::export_replies!($connector with_types_in $crate::bindings::replies);
    };
}

/// Exports [`TextModel`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_text_model!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_text_model {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::writes::export_writes!($connector with_types_in $crate::bindings::writes);
    };
}

/// Exports [`VideoModel`].
///
/// ```
/// # pub struct Vendor;
/// orla_sdk::export_video_model!(Vendor);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_video_model {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::films::export_films!($connector with_types_in $crate::bindings::films);
    };
}

impl<C: Connector> connector::Guest for C {
    fn describe() -> String {
        // No panic hook here: it logs, and during admission every import traps.
        serde_json::to_string(&C::manifest()).expect("a manifest holds nothing that JSON cannot")
    }
}

impl<C: Identity> identifies::exports::orla::connector::identity::Guest for C {
    fn whoami(account: Account) -> Result<Profile> {
        install_panic_hook();
        C::whoami(&account)
    }

    fn options(account: Account) -> Result<Vec<Fact>> {
        install_panic_hook();
        C::options(&account)
    }
}

impl<C: Publish> publishes::exports::orla::connector::publish::Guest for C {
    fn check(variant: Variant, facts: Vec<Fact>) -> Vec<Violation> {
        install_panic_hook();
        C::check(&variant, &facts)
    }

    fn publish(account: Account, variant: Variant) -> Result<Progress> {
        install_panic_hook();
        C::publish(&account, &variant)
    }
}

impl<C: Reconcile> reconciles::exports::orla::connector::reconcile::Guest for C {
    fn reconcile(account: Account, variant: Variant, attempt: Attempt) -> Result<Verdict> {
        install_panic_hook();
        C::reconcile(&account, &variant, &attempt)
    }
}

impl<C: Remove> removes::exports::orla::connector::remove::Guest for C {
    fn remove(account: Account, id: String) -> Result<()> {
        install_panic_hook();
        C::remove(&account, &id)
    }
}

impl<C: Drive> stores::exports::orla::connector::drive::Guest for C {
    fn list(account: Account, folder: Option<String>, cursor: Option<String>) -> Result<DrivePage> {
        install_panic_hook();
        C::list(&account, folder.as_deref(), cursor.as_deref())
    }

    fn search(account: Account, query: String, within: Option<String>, cursor: Option<String>) -> Result<DrivePage> {
        install_panic_hook();
        C::search(&account, &query, within.as_deref(), cursor.as_deref())
    }

    fn fetch(account: Account, file: String) -> Result<Fetched> {
        install_panic_hook();
        C::fetch(&account, &file)
    }
}

impl<C: Comments> listens::exports::orla::connector::comments::Guest for C {
    fn list(account: Account, post: String, cursor: Option<String>) -> Result<CommentPage> {
        install_panic_hook();
        C::list(&account, &post, cursor.as_deref())
    }
}

impl<C: Reply> replies::exports::orla::connector::reply::Guest for C {
    fn reply(account: Account, comment: String, text: String) -> Result<Committed> {
        install_panic_hook();
        C::reply(&account, &comment, &text).map(|confirmed| confirmed.committed)
    }

    fn find(account: Account, comment: String, text: String, attempt: ReplyAttempt) -> Result<Verdict> {
        install_panic_hook();
        C::find(&account, &comment, &text, &attempt)
    }
}

impl<C: TextModel> writes::exports::orla::connector::text_model::Guest for C {
    fn complete(prompt: Prompt, options: TextOptions, settings: Vec<Fact>) -> Result<Completion> {
        install_panic_hook();
        C::complete(&prompt, &options, &settings)
    }
}

impl<C: VideoModel> films::exports::orla::connector::video_model::Guest for C {
    fn check(wish: VideoWish, settings: Vec<Fact>) -> Vec<VideoViolation> {
        install_panic_hook();
        C::check(&wish, &settings)
    }

    fn generate(account: Account, wish: VideoWish, settings: Vec<Fact>) -> Result<VideoProgress> {
        install_panic_hook();
        C::generate(&account, &wish, &settings)
    }
}

/// A panic ends the instance in a trap, which carries no text. Its message goes to the host's log first, so that the
/// author reads more than `unreachable`.
fn install_panic_hook() {
    panic::set_hook(Box::new(|panic| log::error(panic.to_string())));
}

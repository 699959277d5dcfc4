//! The contract in Rust, generated from `wit/`: one module a world.
//!
//! [`connector`] makes the types that all worlds share, so that a connector sees each of them once.
//! [`Fault`](crate::Fault) is written by hand: the contract's record, with constructors and a message for people.

pub mod connector {
    //! What every connector is.

    wit_bindgen::generate!({
        path: "../wit",
        world: "connector",
        pub_export_macro: true,
        export_macro_name: "export_connector",
        additional_derives: [PartialEq, Eq],
        additional_derives_ignore: [
            "blob", "blob-slice", "part-content", "part", "embedded-blob", "json-with-blobs", "body", "request",
            "answer", "response", "outcome", "events",
        ],
        generate_unused_types: true,
        with: { "orla:connector/types@0.1.0/fault": crate::Fault },
    });
}

/// The contract's interface `types`, with our own fault.
pub mod types {
    pub use super::connector::orla::connector::types::{Account, Committed, Fact, FaultKind, Verdict};
    pub use crate::Fault;
}

/// A blob without a host behind it, for [`testing`](crate::testing). Dropping it would call the host that is not there.
#[cfg(not(target_family = "wasm"))]
#[expect(unsafe_code, reason = "a handle that only the host may give; no host is asked about it on this platform")]
pub(crate) fn unbacked_blob() -> crate::Blob {
    unsafe { crate::Blob::from_handle(1) }
}

/// Events without a host behind them, likewise. The handle is at least 1.
#[cfg(not(target_family = "wasm"))]
#[expect(
    unsafe_code,
    reason = "a handle that only the host may give; it is taken back before the drop would call the host"
)]
pub(crate) fn unbacked_events(handle: u32) -> connector::orla::connector::http::Events {
    unsafe { connector::orla::connector::http::Events::from_handle(handle) }
}

/// Generates a world that adds an ability to what every connector is.
macro_rules! ability {
    ($world:tt, $export:tt, unequal: $unequal:tt, with: {$($name:tt: $path:path,)*}) => {
        wit_bindgen::generate!({
            path: "../wit",
            world: $world,
            pub_export_macro: true,
            export_macro_name: $export,
            additional_derives: [PartialEq, Eq],
            additional_derives_ignore: $unequal,
            with: {
                "orla:connector/types@0.1.0": crate::bindings::types,
                "orla:connector/blob@0.1.0": crate::bindings::connector::orla::connector::blob,
                "orla:connector/http@0.1.0": crate::bindings::connector::orla::connector::http,
                $($name: $path,)*
            },
        });
    };
}

pub mod identifies {
    //! Ability: says who an account is.
    ability!("identifies", "export_identifies", unequal: [], with: {});
}

pub mod publishes {
    //! Ability: publishes.
    ability!("publishes", "export_publishes", unequal: ["media", "part", "variant"], with: {});
}

pub mod reconciles {
    //! Ability: finds out what became of a lost commit.
    ability!("reconciles", "export_reconciles", unequal: [], with: {
        "orla:connector/variants@0.1.0": crate::bindings::publishes::orla::connector::variants,
    });
}

pub mod removes {
    //! Ability: removes what was published.
    ability!("removes", "export_removes", unequal: [], with: {});
}

pub mod stores {
    //! Ability: lists, searches and fetches the files of a drive.
    ability!("stores", "export_stores", unequal: ["fetched"], with: {});
}

pub mod films {
    //! Ability: makes videos with a model.
    ability!("films", "export_films", unequal: ["still", "wish", "made", "progress"], with: {});
}

pub mod listens {
    //! Ability: lists the comments on a post.
    ability!("listens", "export_listens", unequal: [], with: {});
}

pub mod replies {
    //! Ability: answers a comment.
    ability!("replies", "export_replies", unequal: [], with: {});
}

pub mod writes {
    //! Ability: writes text with a language model.
    ability!("writes", "export_writes", unequal: [], with: {});
}

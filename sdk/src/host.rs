//! The way out of the connector: to the host, or to the pretended vendor of a test on the developer's machine.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::{
    connector::orla::connector::{
        http::{Events, forget, send},
        log::write as write_note,
    },
    writes::orla::connector::text_sink::write as write_text,
};

/// The run's clock, which WASI hands on.
#[cfg(target_family = "wasm")]
pub(crate) fn now_ms() -> u64 {
    crate::time::system_ms()
}

/// What stands for a URL of a medium.
#[cfg(target_family = "wasm")]
pub(crate) fn public_url(media: &crate::Media) -> crate::Result<String> {
    media.blob.public_url()
}

/// What stands behind a handle to events: here the handle itself.
#[cfg(target_family = "wasm")]
pub(crate) fn open(raw: Events) -> Events {
    raw
}

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::{Events, forget, now_ms, open, public_url, send, write_note, write_text};

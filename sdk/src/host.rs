//! The way out of the connector: to the host, or to the pretended vendor of a test on the developer's machine.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::connector::orla::connector::{
    http::{forget, send},
    log::write,
};

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::{forget, send, write};

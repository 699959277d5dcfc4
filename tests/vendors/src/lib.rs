//! Strict simulators of the vendors that Orla speaks to.
//!
//! Each vendor is a module that owns its state, its HTTP surface and a control surface under `/_sim/`. They are
//! stricter than the vendors themselves wherever a vendor's documents leave room: what a simulator accepts, the
//! vendor accepts too. Tests start one in process ([`x::Sim`], [`openai::Sim`], [`mastodon::Sim`],
//! [`facebook::Sim`], of which [`instagram`] is a part, [`youtube::Sim`], [`vertex::Sim`], [`dropbox::Sim`], [`webhook::Sim`],
//! [`stripe::Sim`]), the demo runs the binary `vendors`.
//!
//! Nothing in this crate may depend on Orla: a simulator that shared code with the host would share its mistakes.

mod clock;
mod control;
mod door;
pub mod dropbox;
pub mod facebook;
mod google;
mod hmac;
mod links;
pub mod mastodon;
pub mod openai;
pub mod pictures;
pub mod stripe;
pub mod vertex;
mod videos;
pub mod webhook;
mod wire;
pub mod x;
pub mod youtube;

pub use facebook::instagram;

//! Strict simulators of the vendors that Orla speaks to.
//!
//! Each vendor is a module that owns its state, its HTTP surface and a control surface under `/_sim/`. They are
//! stricter than the vendors themselves wherever a vendor's documents leave room: what a simulator accepts, the
//! vendor accepts too. Tests start one in process ([`x::Sim`], [`openai::Sim`]), the demo runs the binary `vendors`.
//!
//! Nothing in this crate may depend on Orla: a simulator that shared code with the host would share its mistakes.

pub mod openai;
pub mod pictures;
mod videos;
mod wire;
pub mod x;

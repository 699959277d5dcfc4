//! The author's side of connectors: a new crate that builds at once, and the way from a crate to a component.
//!
//! It stands beside the host and not on it: it knows neither app nor database nor configuration, and is done on a machine
//! that has nothing of ours but this program.

mod building;
mod creating;
mod manifests;
mod packed;
mod progress;
mod tools;

pub use building::{Built, build};
pub use creating::{Ability, create};

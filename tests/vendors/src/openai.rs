//! OpenAI's API, as described by its OpenAPI document 2.3.0 (`tests/vendors/openai/README.md`): Responses, Chat
//! Completions and the list of models.
//!
//! Requests are held against the published schemas, and against what the service is known to refuse beyond them.
//! What the simulator cannot do, such as calling tools or continuing a conversation, it refuses in a sentence. Where a
//! comment says *observed*, clients of the real service report what the document does not say.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::openai::{Fault, Mode, Settings, Sim};
//!
//! let sim = Sim::start(Settings::default()).await;
//! // Hand sim.origin() + "/v1" to the program under test. The next stream dies after three pieces of text:
//! sim.fault(Fault::on("POST", "/v1/responses", Mode::TruncateStream { after_pieces: 3 }));
//! // What OpenAI would bill:
//! assert_eq!(sim.generations(), 0);
//! # }
//! ```
//!
//! # Control
//!
//! Under `/_sim/openai/`, without authentication, and as methods of [`OpenAi`]: `GET requests`, `counts`
//! (generations, hung-up and open streams included), `settings`, `faults`; `POST settings` (the members to change),
//! `faults`, `reset`; `DELETE faults`.

mod canned;
mod caption;
mod chat;
mod clock;
mod context;
mod contract;
mod control;
mod delivery;
mod faults;
mod format;
mod front;
mod gate;
mod generation;
mod instance;
mod models;
mod problem;
mod responses;
mod rules;
mod settings;
mod sim;
mod state;
mod strict;
mod traffic;
mod unknown;

pub use crate::door::{Answer, Canned};
pub use faults::{Fault, Mode};
pub use settings::Settings;
pub use sim::Sim;
pub use state::OpenAi;
pub use traffic::Received;

//! A receiver of webhooks, as described by Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com>): any path takes
//! deliveries, and each is verified.
//!
//! # What is known how
//!
//! - *Documented* in the specification: the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, what is
//!   signed (`id.timestamp.body`), HMAC-SHA256 with a secret of 24 to 64 bytes written `whsec_…` in base64, several
//!   signatures separated by spaces so that secrets can be exchanged, signatures of other versions passed over, an id
//!   without full stops, one attempt's timestamp within a tolerance, 2xx as the only success.
//! - *Observed* in the specification's own libraries: the tolerance of five minutes, both ways.
//! - Stricter than both: `Content-Type: application/json`, a body that is JSON, digits alone in the timestamp, each
//!   header once, no signature that is malformed, ids of `A-Z a-z 0-9 _ -` and at most 256 of them.
//!
//! The verification is written from the specification and shares no code with any sender; the tests hold it against
//! the specification's library for Python.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::webhook::{Fault, Mode, Settings, Sim};
//!
//! let sim = Sim::start(Settings::default()).await;
//! // Hand sim.origin() + "/hooks/orla" and the secret to the program under test.
//! let secret = sim.settings().secrets[0].clone();
//! // The next delivery is taken, but its answer is lost:
//! sim.fault(Fault::on("POST", "/hooks/orla", Mode::CutAfter));
//! assert_eq!((sim.accepted(), sim.duplicates()), (0, 0));
//! # let _ = secret;
//! # }
//! ```
//!
//! # Control
//!
//! Under `/_sim/webhook/`, without authentication, and as methods of [`Webhook`]: `GET deliveries` (with body, and why
//! it was refused if it was), `messages` (accepted deliveries by id), `requests`, `counts`, `settings`, `faults`;
//! `POST settings` (the members to change), `faults`, `reset`; `DELETE faults`.

mod control;
mod deliveries;
mod receiving;
mod settings;
mod signature;
mod sim;
mod state;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use deliveries::{Delivery, Refusal};
pub use settings::Settings;
pub use sim::Sim;
pub use state::Webhook;

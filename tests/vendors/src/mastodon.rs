//! Mastodon 4.5, as described by <https://docs.joinmastodon.org> (read as of July 2026): posting, attachments, reading
//! one's own statuses, and the instance's limits.
//!
//! Several instances can be started, each with accounts, tokens and limits of its own.
//!
//! # What is known how
//!
//! - *Documented*: routes, scopes, parameters, entities, the shape of errors, `Idempotency-Key` and its hour, 200, 202
//!   and 206 of attachments, pages and `Link`, that a link counts 23 and a mention without its domain, the rate
//!   limits of accounts, uploads and deletions, and their headers' names.
//! - *Observed*, in Mastodon's published sources and its locale, or in what its clients report: the words of 401, 403,
//!   422 and 429 where the documents have none; the order of checks; that a key whose status was deleted answers 404;
//!   that texts are trimmed; counting by grapheme clusters; what is a mention; the limits for new statuses and paging;
//!   that all headers of limits come with every answer and the reset is ISO 8601 with microseconds.
//! - *From memory*, and so the least certain: that a wrong language is refused, and with which words; the details of
//!   HTML.
//!
//! It is stricter than Mastodon where that finds mistakes, and then says "The simulator is strict": unknown, repeated
//! and unreadable parameters (see [`UnknownParameters`]) and parameters of a POST in its query. A wrong token is
//! refused on routes that need none, too. Not simulated, and refused: polls, quotes, scheduling, thumbnails, pinned
//! statuses, editing. There are no followers and no other instances: private and direct statuses are their author's
//! alone, and a mention of somebody elsewhere stays text.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::mastodon::{Fault, Mode, Settings, Sim};
//!
//! let sim = Sim::start(Settings::default()).await;
//! let token = sim.issue_token("orla_demo", "read:accounts read:statuses write:media write:statuses");
//! // Hand sim.origin() and the token to the program under test. The next status is made, but its answer is lost:
//! sim.fault(Fault::on("POST", "/api/v1/statuses", Mode::CutAfter));
//! assert!(sim.statuses().is_empty());
//!
//! // An instance that means harm:
//! let hostile = Sim::start(Settings::default()).await;
//! hostile.fault(Fault::always(Mode::redirect(307, &sim.origin())));
//! # let _ = token;
//! # }
//! ```
//!
//! # By hand
//!
//! ```text
//! curl -s -H 'Authorization: Bearer orla-demo-mastodon-token' -d status=Hello "$ORIGIN/api/v1/statuses"
//! curl -s "$ORIGIN/_sim/mastodon/statuses"
//! ```
//!
//! # Control
//!
//! Under `/_sim/mastodon/`, without authentication, and as methods of [`Mastodon`]: `GET statuses`, `media`,
//! `requests`, `counts`, `settings`, `faults`; `POST settings` (the members to change), `tokens`
//! (`{"account": "orla_demo", "scopes": "read write"}`), `revoke` (a token), `faults`, `reset`; `DELETE faults`.

mod accounts;
mod control;
mod draft;
mod gate;
mod html;
mod ids;
mod instance;
mod length;
mod limits;
mod medium;
mod parameters;
mod posts;
mod problem;
mod settings;
mod sim;
mod state;
mod statuses;
mod text;
mod thread;
mod timeline;
mod upload;
mod view;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use draft::Visibility;
pub use length::countable_length;
pub use medium::Uploaded;
pub use posts::Posted;
pub use settings::{Account, Settings, Token, UnknownParameters};
pub use sim::Sim;
pub use state::Mastodon;

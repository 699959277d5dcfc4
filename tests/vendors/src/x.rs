//! X (formerly Twitter), API v2, as described by <https://docs.x.com> and its OpenAPI document 2.167.
//!
//! Where a comment says *documented*, the fact was read there; *observed* marks what clients of the real service
//! report and the documents do not say.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::x::{Fault, Mode, Settings, Sim};
//!
//! let sim = Sim::start(Settings::default()).await;
//! sim.register_redirect_uri("http://127.0.0.1:8000/callback");
//! // Hand sim.origin() to the program under test, let it build its authorize URL, then consent to it:
//! # let authorize_url = String::new();
//! let callback = sim.authorize(&authorize_url, "orla_demo");
//! // The next post is made, but its answer is lost:
//! sim.fault(Fault::on("POST", "/2/tweets", Mode::CutAfter));
//! assert!(sim.posts().is_empty());
//! # }
//! ```
//!
//! # By hand
//!
//! The consent page is plain HTML with one form; `curl` can read the hidden input and post it:
//!
//! ```text
//! page=$(curl -s "$ORIGIN/i/oauth2/authorize?response_type=code&client_id=…&redirect_uri=…&scope=…&state=…&code_challenge=…&code_challenge_method=S256")
//! consent=$(grep -o 'name="consent" value="[^"]*"' <<<"$page" | cut -d'"' -f4)
//! curl -s -o /dev/null -w '%{redirect_url}' -d consent="$consent" -d account=orla_demo -d decision=authorize "$ORIGIN/i/oauth2/authorize"
//! ```
//!
//! `decision=cancel` comes back with `error=access_denied`. A consent can be decided once.
//!
//! # Control
//!
//! Under `/_sim/x/`, without authentication, and as methods of [`X`]: `GET posts`, `requests`, `counts`, `tokens`,
//! `settings`; `POST settings` (the members to change), `redirect_uris`, `faults`, `expire_access_tokens`,
//! `revoke_all`, `reset`; `DELETE faults`.

mod authorize;
mod body;
mod control;
mod draft;
mod gate;
mod grants;
mod length;
mod limits;
mod links;
mod media;
mod page;
mod pairs;
mod posts;
mod problem;
mod segments;
mod settings;
mod sim;
mod snowflake;
mod state;
mod timeline;
mod token;
mod tweets;
mod upload;
mod view;

use crate::clock;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use grants::{Issued, Kind};
pub use length::weighted_length;
pub use posts::{Attached, Posted};
pub use problem::reject_in_body;
pub use settings::{Account, Settings};
pub use sim::Sim;
pub use state::X;

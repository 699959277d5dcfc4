//! Dropbox API v2, as described by <https://www.dropbox.com/developers/documentation/http> and the specification in
//! <https://github.com/dropbox/dropbox-api-spec> (read as of August 2026): OAuth with short-lived tokens, the account,
//! folders, search, metadata, downloads and temporary links. It only reads.
//!
//! # What is known how
//!
//! - *Documented*: routes, arguments and their limits, results, errors and their tags, scopes, path formats, the
//!   header JSON, the content hash, links that end with 410, that refresh tokens last and that a revocation takes them
//!   along.
//! - *Observed*, in what clients report and expect: the words of 400 about JSON, bodies and redirect URIs,
//!   `invalid_grant` and `invalid_client` with 400, access tokens of four hours, that a recursive list begins with the
//!   folder itself.
//! - *From memory*, and so the least certain: the remaining words of 400, which functions refuse the root and how, the
//!   status of unknown functions.
//!
//! It is stricter than Dropbox where that finds mistakes, and then often says "The simulator is strict": unknown and
//! repeated parameters, a code that is presented twice (its tokens are revoked), two ways of giving one argument, and
//! options that are not simulated: shared links, properties, media info, highlights. Dropbox has several hosts; here
//! one origin serves all of them.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::dropbox::{Content, Fault, File, Mode, Settings, Sim, too_many_requests};
//!
//! let sim = Sim::start(Settings::default()).await;
//! sim.register_redirect_uri("http://127.0.0.1:8000/callback");
//! sim.change(|settings| settings.accounts[0].files.push(File::noise("/Large.zip", 500 << 20)));
//! // Hand sim.origin() to the program under test, let it build its authorize URL, then consent to it:
//! # let authorize_url = String::new();
//! let callback = sim.authorize(&authorize_url, "orla_demo");
//! // The next list is refused for now, and the next download ends half way:
//! sim.fault(Fault::on("POST", "/2/files/list_folder", too_many_requests(2)));
//! sim.fault(Fault::on("*", "/2/files/download", Mode::TruncatedBody));
//! // Four hours later, the access token has expired:
//! sim.advance(4 * 3_600);
//! assert_eq!(sim.tally().refreshes, 0);
//! # let _ = (callback, Content::SquarePng);
//! # }
//! ```
//!
//! # By hand
//!
//! With `"consent": "grant"` among the settings, `/oauth2/authorize` redirects at once, as `"deny"` does with
//! `error=access_denied`; with `"ask"` there is a page with one form.
//!
//! # Control
//!
//! Under `/_sim/dropbox/`, without authentication, and as methods of [`Dropbox`]: `GET tally`, `requests`, `counts`,
//! `tokens`, `settings`, `faults`; `POST settings` (the members to change), `redirect_uris`, `advance` (seconds),
//! `faults`, `expire_access_tokens`, `revoke_all`, `reset`; `DELETE faults`.

mod account;
mod argument;
mod authorize;
mod content;
mod control;
mod download;
mod form;
mod gate;
mod grants;
mod listing;
mod metadata;
mod page;
mod paths;
mod problem;
mod search;
mod settings;
mod sim;
mod state;
mod tally;
mod token;
mod tree;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use content::Content;
pub use grants::{Issued, Kind};
pub use settings::{Account, Consent, File, RefreshTokens, Settings, TeamSpace, TokenFailure};
pub use sim::Sim;
pub use state::Dropbox;
pub use tally::Tally;

/// 429 as Dropbox answers it, with this time to wait in `Retry-After` and in the body; nothing is executed.
pub fn too_many_requests(retry_after_s: u64) -> Mode {
    let body = Some(problem::rate_limit(retry_after_s));
    Mode::Status(Canned { status: 429, retry_after_s: Some(retry_after_s), body, ..Canned::default() })
}

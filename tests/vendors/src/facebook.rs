//! Facebook's Graph API for pages, v25.0 and v26.0, as described by <https://developers.facebook.com/docs> and by the
//! parameters in `facebook/facebook-business-sdk-codegen` (April 2026): login, pages, posts, photos, videos, comments.
//!
//! # What is known how
//!
//! - *Documented*: the routes, their parameters and fields, permissions and tasks, the lifetimes of tokens and that
//!   there is no refresh token, `appsecret_proof`, paging, codes of errors, headers of limits, the phases of an upload.
//! - *Observed*, in what clients of the real service report: the words and subcodes of refusals, that `paging.next`
//!   carries the access token, that the fragment `#_=_` follows a code, that a person's token sees no comments.
//! - *From memory*, and so the least certain: the statuses of refusals, the words where a field or parameter is wrong,
//!   the codes of uploads that went wrong.
//!
//! It is stricter than Facebook where that finds mistakes: parameters that are unknown, given twice, or that the
//! simulator does not have are refused with code 100; so is a dialog without a state. Not simulated: batches, calls
//! without a version, reels, stories, targeting, likes, attachments of comments, webhooks, pages of a business.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::facebook::{Fault, Mode, Settings, Sim, Throttle};
//!
//! let sim = Sim::start(Settings::default()).await;
//! sim.register_redirect_uri("http://127.0.0.1:8000/callback");
//! // Hand sim.origin() to the program under test, let it build the URL of its dialog, then consent to it:
//! # let dialog_url = String::new();
//! let callback = sim.authorize(&dialog_url, "Orla Demo");
//! // The next post is made, but its answer is lost; after that the page is throttled once:
//! let feed = "/v26.0/615500000000001/feed";
//! sim.fault(Fault::on("POST", feed, Mode::CutAfter));
//! sim.fault(Fault::on("POST", feed, Mode::Status(Throttle::PageUseCase.canned("615500000000001"))));
//! // Two months pass:
//! sim.advance(60 * 86_400);
//! assert_eq!(sim.made().posts, 0);
//! # }
//! ```
//!
//! # By hand
//!
//! ```text
//! scopes=pages_show_list,pages_read_engagement,pages_manage_posts
//! token=$(curl -s -d "{\"person\":\"Orla Demo\",\"scopes\":\"$scopes\"}" "$ORIGIN/_sim/facebook/tokens" | tr -d '"')
//! curl -s "$ORIGIN/v26.0/me/accounts?access_token=$token"
//! ```
//!
//! # Control
//!
//! Under `/_sim/facebook/`, without authentication, and as methods of [`Facebook`]: `GET posts`, `photos`, `videos`,
//! `comments`, `made`, `requests`, `counts`, `tokens`, `settings`, `faults`; `POST settings` (the members to change),
//! `redirect_uris` (one), `tokens`, `comments` (`{"below": id, "author": "Ann", "message": "Nice"}`), `advance`
//! (seconds), `remove_app` and `change_password` (a person), `faults`, `reset`; `DELETE faults`.

mod comments;
mod consent;
mod control;
mod dialog;
mod feed;
mod fetch;
mod fields;
mod gate;
mod grants;
mod graph;
pub mod instagram;
mod me;
mod pages;
mod paging;
mod parameters;
mod photos;
mod pieces;
mod posts;
mod problem;
mod settings;
mod sim;
mod state;
mod token;
mod usage;
mod videos;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use comments::Comment;
pub use grants::{Issued, Kind};
pub use photos::Photo;
pub use posts::Post;
pub use settings::{Page, Person, Settings};
pub use sim::Sim;
pub use state::{Facebook, Made};
pub use usage::Throttle;
pub use videos::Video;

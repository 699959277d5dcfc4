//! YouTube Data API v3 and Google's OAuth 2, as described by <https://developers.google.com/youtube/v3/docs>,
//! <https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol> and the discovery document of
//! November 2026: consent, tokens, the channel, resumable uploads, videos, thumbnails, comments.
//!
//! # What is known how
//!
//! - *Documented*: routes, parameters, parts and members, reasons of errors, scopes, limits of titles, descriptions and
//!   tags, the protocol of uploads, what calls cost, that a refresh token comes only with `access_type=offline` and is not
//!   replaced, that comments of a thread come along up to five.
//! - *Observed*, in what clients of the real service report: the words of refusals, that the id of a reply begins with its
//!   thread's, that thumbnails need a verified channel, that videos of apps without an audit are forced to be private,
//!   that the list of an empty channel's uploads is not found.
//! - *From memory*, and so the least certain: how a stretch in a wrong place is refused, for how long a finished upload
//!   still says what it made.
//!
//! It is stricter than YouTube where that finds mistakes: parameters, parts and members that are unknown or given twice are
//! refused, a stretch has to begin where the last one ended, and a request for consent has a state. Not simulated: search,
//! playlists but a channel's uploads, live streams, captions, moderation, service accounts, uploads in one request.
//!
//! # In a test
//!
//! ```no_run
//! # async fn example() {
//! use orla_vendors::youtube::{Fault, Mode, Settings, Sim};
//!
//! let sim = Sim::start(Settings::default()).await;
//! sim.register_redirect_uri("http://127.0.0.1:8000/callback");
//! // Hand sim.origin() to the program under test, let it build its authorize URL, then consent to it:
//! # let authorize_url = String::new();
//! let callback = sim.authorize(&authorize_url, "orla@example.com");
//! // The second stretch of an upload is cut after a mebibyte, of which YouTube keeps what it can:
//! let upload = "/upload/youtube/v3/videos";
//! sim.fault(Fault::on("PUT", upload, Mode::CutWithin { bytes: 1 << 20 }).skip(1));
//! // Videos are worked on for a minute of the simulator's clock, and rejected then:
//! sim.change(|settings| {
//!     settings.processing_s = 60;
//!     settings.rejection_reason = "duplicate".to_owned();
//! });
//! sim.advance(60);
//! assert_eq!(sim.made().videos, 0);
//! # let _ = callback;
//! # }
//! ```
//!
//! # Control
//!
//! Under `/_sim/youtube/`, without authentication, and as methods of [`YouTube`]: `GET videos`, `comments`, `uploads`,
//! `made`, `requests`, `counts`, `tokens`, `settings`, `faults`; `POST settings` (the members to change), `redirect_uris`
//! (one), `tokens` (`{"account": …, "scopes": …}`), `comments` (`{"below": id, "author": "Ann", "text": "Nice"}`),
//! `advance` (seconds), `expire_access_tokens`, `expire_uploads`, `revoke` (an account), `faults`, `reset`;
//! `DELETE faults`.

mod body;
mod channels;
mod comments;
mod content;
mod control;
mod gate;
mod problem;
mod quota;
mod settings;
mod sim;
mod state;
mod threads;
mod thumbnails;
mod upload;
mod videos;

pub use crate::door::{Answer, Canned, Fault, Mode, Received};
pub use crate::google::{Issued, Kind};
pub use comments::Comment;
pub use settings::{Account, Channel, Settings};
pub use sim::Sim;
pub use state::{Made, YouTube};
pub use upload::Upload;
pub use videos::Video;

/// The scopes of the API that there are.
const SCOPES: [&str; 4] = [UPLOAD, READONLY, FORCE_SSL, "https://www.googleapis.com/auth/youtube"];
const UPLOAD: &str = "https://www.googleapis.com/auth/youtube.upload";
const READONLY: &str = "https://www.googleapis.com/auth/youtube.readonly";
const FORCE_SSL: &str = "https://www.googleapis.com/auth/youtube.force-ssl";

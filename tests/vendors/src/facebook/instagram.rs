//! Instagram for professional accounts, by Facebook Login, as described by
//! <https://developers.facebook.com/docs/instagram-platform> and by the parameters in
//! `facebook/facebook-business-sdk-codegen`: accounts, containers, publishing, limits, comments.
//!
//! It is a part of the Graph API: accounts belong to Facebook pages, and app, dialog, tokens, proofs and faults are Facebook's.
//! So it has no origin of its own, and is started as [`Sim`].
//!
//! # What is known how
//!
//! - *Documented*: the routes, their parameters and fields, permissions, the states of a container and its day, the phases
//!   of an upload, the limits, the subcodes of errors.
//! - *From memory*, and so the least certain: the codes beside some subcodes, the words of refusals, what
//!   `rupload.facebook.com` answers when something is wrong, the status of a container whose upload has not begun.
//!
//! It is stricter than Instagram where that finds mistakes: parameters that are unknown or of no use are refused, and an image is
//! fetched when its container is made, by one GET without redirects whose media type must be a JPEG's, like its bytes. Not
//! simulated: tags, collaborators, locations, shopping, insights, mentions, webhooks, how long a film is.
//!
//! # Control
//!
//! Under `/_sim/instagram/`, without authentication, and as methods of [`Facebook`](super::Facebook): `GET containers`, `media`,
//! `comments`, `made`; `POST comments` (`{"below": id, "author": "ann", "text": "Nice"}`). The rest is at `/_sim/facebook/`: the
//! settings have a member `instagram`.

mod comments;
mod containers;
mod control;
mod jpeg;
mod media;
mod nodes;
mod plan;
mod problem;
mod publish;
mod pulling;
mod settings;
mod state;
mod upload;

pub(super) use control::router as control;
pub(super) use nodes::{Node, account_of, answer, answer_at_once, find};
pub(super) use state::Instagram;
pub(super) use upload::take as upload;

pub use super::{Answer, Canned, Fault, Mode, Person, Received, Sim};
pub use comments::Comment;
pub use containers::Container;
pub use media::Media;
pub use plan::Kind;
pub use settings::{Account, Settings};
pub use state::Made;

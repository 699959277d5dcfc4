//! What a case asks, in the host's own words.

use super::case::{Ask, Delivery, Look, SentAt};
use super::script::Source;
use crate::clock::Timestamp;
use crate::connectors::filming::VideoWish;
use crate::connectors::work::Attempt;
use crate::connectors::writing::{self, Prompt};
use crate::connectors::{Committed, engagement};
use serde::Deserialize;

/// A folder to list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// The drive's root where absent.
    #[serde(default)]
    pub(super) folder: Option<String>,
    #[serde(default)]
    pub(super) cursor: Option<String>,
}

/// A post whose comments are to be listed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commented {
    pub(super) post: String,
    #[serde(default)]
    pub(super) cursor: Option<String>,
}

/// What to say to a comment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) comment: String,
    pub(super) text: String,
}

/// A lost reply to look for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LostAnswer {
    pub(super) comment: String,
    pub(super) text: String,
    /// When it may have left; the case's `now` where absent.
    #[serde(default)]
    pub(super) sent_at: Option<SentAt>,
    /// The vendor's ids of other replies.
    #[serde(default)]
    pub(super) others: Vec<String>,
}

/// A video to be made, or to be checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VideoAsk {
    pub(super) wish: VideoWish,
    /// The picture that it begins with, from whose bytes the host tells the media type.
    #[serde(default)]
    pub(super) image: Option<Source>,
}

impl Look {
    pub(super) fn attempt(&self, now: Timestamp) -> Attempt {
        let earlier = self.earlier.iter();
        Attempt {
            key: self.key.clone(),
            sent_at: self.sent_at.map_or(now, |sent| sent.at(now)),
            earlier: earlier.map(|(key, id)| (key.clone(), Committed { id: id.clone(), url: None })).collect(),
        }
    }
}

impl Ask {
    pub(super) fn prompt(&self) -> Prompt {
        let form = self.form.as_ref();
        Prompt {
            instructions: self.instructions.clone(),
            message: self.message.clone(),
            form: form.map(|form| writing::Form { name: form.name.clone().into(), schema: form.schema.clone() }),
            max_output_tokens: self.max_output_tokens,
        }
    }

    pub(super) fn delivery(&self) -> writing::Delivery {
        match self.delivery {
            Delivery::Whole => writing::Delivery::Whole,
            Delivery::Pieces => writing::Delivery::Pieces,
        }
    }
}

impl Answer {
    pub(super) fn said(&self) -> engagement::Answer<'_> {
        engagement::Answer { comment: &self.comment, text: &self.text }
    }
}

impl LostAnswer {
    pub(super) fn said(&self) -> engagement::Answer<'_> {
        engagement::Answer { comment: &self.comment, text: &self.text }
    }

    pub(super) fn lost(&self, now: Timestamp) -> engagement::LostReply {
        engagement::LostReply { sent_at: self.sent_at.map_or(now, |sent| sent.at(now)), others: self.others.clone() }
    }
}

//! What a case asks, in the host's own words.

use super::case::{Answer, Ask, Delivery, Look, LostAnswer};
use crate::clock::Timestamp;
use crate::connectors::work::Attempt;
use crate::connectors::writing::{self, Prompt};
use crate::connectors::{Committed, engagement};

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

//! What a network takes of posts and their media.

use crate::{AnswerPlace, unique};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rules of publishing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publishing {
    /// Seconds after which a post is surely visible to the connector's own reads. Reconciling looks twice past it.
    pub visible_after_s: u32,
    /// Most parts of a thread; 1 where the network has none.
    pub max_parts: u32,
    /// Most media of one part.
    pub max_media: u32,
    /// What is taken of each media type; what is not listed is refused.
    pub media: Vec<MediaRule>,
    /// Where the answer to a commit names what it made, such as the pointer `/data/id`; the first place that holds a
    /// text or a number counts. The host holds receipts against it.
    pub committed_id: Vec<AnswerPlace>,
    /// What a post may have besides its parts. What is not listed is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<Member>,
    /// What else a person may choose for a post, by name.
    #[serde(default, deserialize_with = "unique::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub extras: BTreeMap<String, Extra>,
}

impl Default for Publishing {
    /// One part of text, shown at once. Where answers name what was made is missing.
    fn default() -> Self {
        Self {
            visible_after_s: 0,
            max_parts: 1,
            max_media: 0,
            media: Vec::new(),
            committed_id: Vec::new(),
            takes: Vec::new(),
            extras: BTreeMap::new(),
        }
    }
}

/// What a post may have besides its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// A title.
    Title,
    /// A web page that it is about.
    Link,
    /// What the account itself says below it.
    FirstComment,
    /// Who may see it.
    Privacy,
}

/// Something that a person may choose for a post at this network alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// What it does, in one sentence for a person.
    pub about: String,
    /// What its values are.
    pub kind: ExtraKind,
}

/// What the values of an extra are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ExtraKind {
    /// A text.
    Text,
    /// Texts, such as tags.
    Texts,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// One of these words.
    OneOf(Vec<String>),
}

/// What a network takes of a medium.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaRule {
    /// A media type, such as `image/png`.
    pub content_type: String,
    /// Largest size in bytes.
    pub max_bytes: u64,
    /// Width in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Bounds>,
    /// Height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Bounds>,
    /// Width in percent of the height: 191 for 1.91:1, 80 for 4:5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_percent: Option<Bounds>,
    /// Length of a film in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<Bounds>,
    /// The media type that the host makes of it before the connector sees it, such as `image/jpeg`, for networks that take only
    /// that. There must be a rule for that type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
    /// Whether the network fetches it from a URL of this host's (`public-url` of the contract) instead of taking it. Where the
    /// network could not reach the host, a post with such a medium is refused when it is asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pulled: bool,
}

/// What a number may be, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The least; no bound where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// The most; no bound where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

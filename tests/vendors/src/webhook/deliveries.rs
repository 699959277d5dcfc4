//! What came in: deliveries, and why they were refused if they were.

use serde::Serialize;

/// A delivery that was received whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Counts up from 1.
    pub seq: u64,
    /// Where to, without the query.
    pub path: String,
    /// `webhook-id`, if there was one.
    pub id: Option<String>,
    /// `webhook-timestamp`, if there was one.
    pub timestamp: Option<String>,
    /// `Content-Type`, if there was one.
    pub content_type: Option<String>,
    /// The body. Bytes that are not UTF-8 are replaced.
    pub body: String,
    /// How many signatures of the version `v1` it had, of which one at least was right if it was accepted.
    pub signatures: usize,
    /// Whether one with this id was accepted before.
    pub duplicate: bool,
    /// Whether that one had another body, which one message must not have.
    pub differs: bool,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

/// Why a delivery was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// 400 for what is no webhook, 401 for one that is not proven, 405 for another method.
    pub status: u16,
    /// The reason, in a sentence.
    pub reason: String,
}

impl Refusal {
    pub(super) fn malformed(reason: impl Into<String>) -> Self {
        Self { status: 400, reason: reason.into() }
    }

    pub(super) fn unproven(reason: impl Into<String>) -> Self {
        Self { status: 401, reason: reason.into() }
    }
}

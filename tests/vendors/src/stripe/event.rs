//! Events, and how a delivery of one is signed.

use serde::Serialize;
use serde_json::Value;

use crate::hmac::hmac_sha256;

/// Something that happened, with the object as it was then. Its JSON is that of Stripe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// `evt_…`.
    pub id: String,
    /// Always `event`.
    pub object: &'static str,
    /// The version that the object is written in.
    pub api_version: String,
    /// When, in seconds since 1970.
    pub created: i64,
    /// To what.
    pub data: Data,
    /// Whether in live mode.
    pub livemode: bool,
    /// How many endpoints have not taken it yet.
    pub pending_webhooks: u32,
    /// By which request.
    pub request: Request,
    /// What, such as `invoice.paid`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Data {
    /// The object as it was after the event.
    pub object: Value,
    /// The members that changed, as they were before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_attributes: Option<Value>,
}

/// The request that led to an event; empty where a customer, a bank or the time did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Request {
    /// `req_…`.
    pub id: Option<String>,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
}

impl Event {
    /// The body of its deliveries.
    #[must_use]
    pub fn body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The id of the object.
    #[must_use]
    pub fn object_id(&self) -> &str {
        self.data.object["id"].as_str().unwrap_or_default()
    }
}

/// The header `Stripe-Signature` of a delivery: `t=…,v1=…`, where the key is the whole secret, `whsec_` included.
#[must_use]
pub fn sign(secret: &str, body: &str, unix_seconds: i64) -> String {
    let time = unix_seconds.to_string();
    let signature = hmac_sha256(secret.as_bytes(), &[time.as_bytes(), b".", body.as_bytes()]);
    format!("t={time},v1={}", hex::encode(signature))
}

//! Deliveries of events, each tried again until an endpoint takes it.

use std::time::Duration;

use reqwest::Client;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::event::sign;
use super::state::Stripe;
use crate::clock::Moment;

/// How long an endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The event.
    pub event: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where to.
    pub url: String,
    /// Counts up from 1.
    pub attempt: usize,
    /// What was answered; nothing if nothing was.
    pub status: Option<u16>,
    /// Why nothing was answered.
    pub error: Option<String>,
}

impl Delivery {
    /// Whether the endpoint took it.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Delivers events in their order, and those that were not taken again, aside from it.
pub(super) async fn deliver(stripe: Stripe, mut outbox: UnboundedReceiver<String>) {
    let Some(http) = client() else { return };
    let mut retries = JoinSet::new();
    while let Some(event) = outbox.recv().await {
        if !attempt(&stripe, &http, &event, 1).await {
            retries.spawn(retry(stripe.clone(), http.clone(), event));
        }
        while retries.try_join_next().is_some() {}
    }
}

async fn retry(stripe: Stripe, http: Client, event: String) {
    for (at, pause_ms) in stripe.settings().webhook_pauses_ms.into_iter().enumerate() {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        if attempt(&stripe, &http, &event, at + 2).await {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a simulator shares no code with the host, nor its policy of egress")]
fn client() -> Option<Client> {
    Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).build().ok()
}

/// Whether it need not be tried again.
async fn attempt(stripe: &Stripe, http: &Client, event: &str, attempt: usize) -> bool {
    let settings = stripe.settings();
    // After a reset there is no such event any more.
    let (Some(event), Some(url)) = (stripe.event(event), settings.webhook_url) else { return true };
    let body = event.body();
    // It is signed when it is sent, by the clock of whoever receives it, and not by the one that tests put forward.
    let now_s = i64::try_from(Moment::now().unix_ms() / 1_000).unwrap_or(i64::MAX);
    let signature = sign(&settings.webhook_secret, &body, now_s);
    let request = http.post(&url).header("content-type", "application/json; charset=utf-8");
    let answer = request.header("stripe-signature", signature).body(body).send().await;
    let (status, error) = match answer {
        Ok(response) => (Some(response.status().as_u16()), None),
        Err(error) => (None, Some(error.without_url().to_string())),
    };
    let delivery = Delivery { event: event.id, kind: event.kind, url, attempt, status, error };
    let is_taken = delivery.is_taken();
    stripe.record(delivery);
    is_taken
}

//! A host that takes payments, and the simulated Stripe, by one clock that stands until a test moves it.

use crate::harness::{Answer, Backend, Host, Person, client};
use orla::clock::{Clock, Timestamp};
use orla::config::{Config, StripeConfig};
use orla::connectors::Memories;
use orla::ledger as books;
use orla::payments;
use orla_vendors::stripe::{Event, Settings, Sim, sign};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2027-01-31T00:00:00Z, in seconds since 1970.
pub(super) const START: i64 = 1_801_353_600;
pub(super) const DAY: u32 = 24 * 60 * 60;
/// Two, as while one is exchanged: events are signed with the second.
pub(super) const SECRETS: &str = "whsec_next,whsec_orla_demo";

pub(super) struct Stage {
    pub(super) host: Host,
    pub(super) stripe: Sim,
    pub(super) micros: Arc<AtomicI64>,
}

/// What is set to take payments at a simulator.
pub(super) fn settings(origin: &str) -> StripeConfig {
    StripeConfig {
        secret_key: Some(SecretString::from(Settings::default().api_key)),
        webhook_secrets: Some(SecretString::from(SECRETS)),
        url: origin.parse().unwrap(),
        ..StripeConfig::default()
    }
}

impl Stage {
    pub(super) async fn open(backend: Backend) -> Self {
        Self::with(backend, |_| {}).await
    }

    pub(super) async fn with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        let stripe = Sim::start(Settings { now: Some(START), ..Settings::default() }).await;
        let micros = Arc::new(AtomicI64::new(START * 1_000_000));
        let host = Host::start_at(backend, Clock::Manual(micros.clone()), |config| {
            *config.stripe = settings(&stripe.origin());
            change(config);
            Memories::Pooled
        });
        let host = host.await;
        payments::sync(&host.app).await.unwrap();
        Self { host, stripe, micros }
    }

    /// Lets time go on, here and at Stripe.
    pub(super) fn advance(&self, seconds: u32) {
        self.stripe.advance(seconds.into());
        self.micros.fetch_add(i64::from(seconds) * 1_000_000, Ordering::SeqCst);
    }

    /// Somebody signed in, whose token counts now.
    pub(super) async fn again(&self, name: &str) -> Person {
        Person::log_in(&self.host.url, &format!("{name}@example.org")).await
    }

    /// Sends what Stripe signed now.
    pub(super) async fn send(&self, body: &str) -> Answer {
        let header = sign("whsec_orla_demo", body, self.host.app.now().seconds());
        self.send_as(body, Some(&header)).await
    }

    pub(super) async fn send_as(&self, body: &str, header: Option<&str>) -> Answer {
        let mut request = client().post(format!("{}/payment/stripe/webhook", self.host.url)).body(body.to_owned());
        if let Some(header) = header {
            request = request.header("stripe-signature", header);
        }
        Answer::of(request.header("content-type", "application/json").send().await.unwrap()).await
    }

    /// Delivers events one after the other, in this order.
    pub(super) async fn deliver(&self, events: &[Event]) {
        for event in events {
            self.send(&event.body()).await.expect(204);
        }
    }

    /// Opens a Checkout session and pays there. Gives its id.
    pub(super) async fn buy(&self, person: &Person, wish: &Value) -> String {
        let session = open(person, wish).await;
        self.stripe.pay(&session).unwrap();
        session
    }

    /// What is left to the workspace, once what has ended is taken away.
    pub(super) async fn balance(&self, person: &Person) -> [i64; 3] {
        books::expire_due(self.host.app.db(), self.host.app.now()).await.unwrap();
        let mut tx = self.host.app.db().read().await.unwrap();
        let balance = books::balance(&mut tx, person.workspace).await.unwrap();
        let broken = books::audit(&mut tx).await.unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        [balance.posted, balance.held, balance.owed]
    }

    /// Uses credits up.
    pub(super) async fn spend(&self, person: &Person, credits: i64, key: &str) {
        let now = self.host.app.now();
        let mut tx = self.host.app.db().begin().await.unwrap();
        let hold = books::hold(&mut tx, person.workspace, "video", credits, key, now).await.unwrap().unwrap();
        books::settle(&mut tx, person.workspace, hold, credits, now).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Opens a Checkout session.
pub(super) async fn open(person: &Person, wish: &Value) -> String {
    let opened = person.post("/payment/create-checkout-session", wish).await.expect(200);
    assert!(opened["session_url"].as_str().unwrap().starts_with("http"), "{opened}");
    opened["session_id"].as_str().unwrap().to_owned()
}

pub(super) fn plan(tier: &str, interval: &str) -> Value {
    json!({"tier": tier, "interval": interval})
}

/// A moment in seconds since 1970, as the API shows it.
pub(super) fn shown(seconds: i64) -> Value {
    json!(Timestamp(seconds * 1_000_000))
}

//! Everything that Stripe knows, behind one lock that is never held across a wait.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::deliveries::Delivery;
use super::event::{Data, Event, Request};
use super::object::{merge, text};
use super::problem::Problem;
use super::settings::Settings;
use crate::clock::Moment;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Product,
    Price,
    Customer,
    Session,
    Subscription,
    Invoice,
    InvoicePayment,
    Intent,
    Charge,
    Refund,
    Dispute,
    Portal,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Price => "price",
            Self::Customer => "customer",
            Self::Session => "checkout.session",
            Self::Subscription => "subscription",
            Self::Invoice => "invoice",
            Self::InvoicePayment => "invoice_payment",
            Self::Intent => "payment_intent",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Portal => "billing_portal.session",
        }
    }
}

/// What a Checkout is to do, beside what its session shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// Prices, and how many of each.
    pub(super) items: Vec<(String, i64)>,
    pub(super) subscription_metadata: Value,
    pub(super) intent_metadata: Value,
    pub(super) trial_days: Option<i64>,
}

/// An answer to a POST with an idempotency key.
pub(super) struct Kept {
    /// Of method, path and parameters.
    pub(super) fingerprint: String,
    pub(super) answer: Value,
    pub(super) at: i64,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    /// Where it listens.
    pub(super) origin: String,
    /// Events to deliver, by id.
    pub(super) outbox: Option<UnboundedSender<String>>,
    objects: BTreeMap<Kind, Vec<Value>>,
    pub(super) events: Vec<Event>,
    pub(super) deliveries: Vec<Delivery>,
    /// By session.
    pub(super) orders: BTreeMap<String, Order>,
    /// Customers whose card is declined.
    pub(super) declining: BTreeSet<String>,
    /// Lines that wait for the next invoice, by subscription.
    pub(super) pending_lines: BTreeMap<String, Vec<Value>>,
    /// Subscriptions whose customers were told that the trial will end.
    pub(super) told: BTreeSet<String>,
    pub(super) kept: BTreeMap<String, Kept>,
    /// The request at work.
    pub(super) request: Request,
    /// How far the clock was advanced.
    pub(super) ahead_s: i64,
    /// When what is being done was due, where that is over.
    pub(super) due: Option<i64>,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The simulator's clock, in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.due.unwrap_or_else(|| self.clock())
    }

    /// The clock, whatever is being done.
    pub(super) fn clock(&self) -> i64 {
        let machine = || i64::try_from(Moment::now().unix_ms() / 1_000).unwrap_or(i64::MAX);
        self.settings.now.unwrap_or_else(machine).saturating_add(self.ahead_s)
    }

    /// Where browsers reach it.
    pub(super) fn public_origin(&self) -> &str {
        self.settings.origin.as_deref().unwrap_or(&self.origin)
    }

    /// All of a kind, oldest first.
    pub(super) fn all(&self, kind: Kind) -> &[Value] {
        self.objects.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn get(&self, kind: Kind, id: &str) -> Option<&Value> {
        self.all(kind).iter().find(|object| text(object, "id") == id)
    }

    /// The newest of what is called so.
    pub(super) fn newest(&self, object: &str) -> Option<&Value> {
        self.objects.values().filter_map(|all| all.last()).find(|last| last["object"] == object)
    }

    /// What is called so and has this id.
    pub(super) fn named(&self, object: &str, id: &str) -> Option<&Value> {
        self.objects.values().flatten().find(|one| one["object"] == object && text(one, "id") == id)
    }

    /// An object that a parameter names.
    pub(super) fn find(&self, kind: Kind, id: &str, param: &str) -> Result<&Value, Problem> {
        self.get(kind, id).ok_or_else(|| Problem::no_such(kind.name(), id, param))
    }

    /// A copy of an object that is there; null if it is not.
    pub(super) fn copy(&self, kind: Kind, id: &str) -> Value {
        self.get(kind, id).cloned().unwrap_or_default()
    }

    /// Keeps a new object.
    pub(super) fn keep(&mut self, kind: Kind, object: Value) {
        self.objects.entry(kind).or_default().push(object);
    }

    /// Changes members of an object, and says what they were before.
    pub(super) fn change(&mut self, kind: Kind, id: &str, members: Value) -> Map<String, Value> {
        let objects = self.objects.entry(kind).or_default();
        let found = objects.iter_mut().find(|object| text(object, "id") == id);
        found.map(|object| merge(object, members)).unwrap_or_default()
    }

    /// Changes members of an object, and tells of it if there was something to change.
    pub(super) fn update(&mut self, kind: Kind, id: &str, members: Value, event: &str) {
        let before = self.change(kind, id, members);
        if !before.is_empty() {
            self.tell_change(event, kind, id, Value::Object(before));
        }
    }

    /// An event about an object as it is now.
    pub(super) fn tell(&mut self, event: &str, kind: Kind, id: &str) {
        self.emit(event, kind, id, None);
    }

    pub(super) fn tell_change(&mut self, event: &str, kind: Kind, id: &str, before: Value) {
        self.emit(event, kind, id, Some(before));
    }

    fn emit(&mut self, event: &str, kind: Kind, id: &str, previous_attributes: Option<Value>) {
        let event = Event {
            id: new_id("evt"),
            object: "event",
            api_version: self.settings.version.clone(),
            created: self.now(),
            data: Data { object: self.copy(kind, id), previous_attributes },
            livemode: self.settings.livemode,
            pending_webhooks: u32::from(self.settings.webhook_url.is_some()),
            request: self.request.clone(),
            kind: event.to_owned(),
        };
        if let Some(outbox) = self.outbox.as_ref().filter(|_| self.settings.webhook_url.is_some()) {
            // It fails only once the simulator ends.
            let _ = outbox.send(event.id.clone());
        }
        self.events.push(event);
    }

    /// The account, as `GET /v1/account` shows it.
    pub(super) fn account(&self) -> Value {
        json!({
            "id": "acct_1Orla000000demo", "object": "account", "business_profile": { "name": self.settings.business },
            "business_type": "company", "charges_enabled": true, "country": "US", "created": 1_700_000_000,
            "default_currency": "usd", "details_submitted": true, "email": "owner@example.com", "payouts_enabled": true,
            "type": "standard",
        })
    }
}

/// A random id of a kind, such as `evt_…`.
pub(super) fn new_id(prefix: &str) -> String {
    let length = match prefix {
        "cus" | "prod" => 14,
        _ if prefix.starts_with("cs_") => 58,
        _ => 24,
    };
    format!("{prefix}_{}", (0..length).map(|_| letter()).collect::<String>())
}

fn letter() -> char {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char::from(LETTERS[usize::from(rand::random::<u16>()) % LETTERS.len()])
}

//! The simulated Stripe, and what tests may look at and set from outside of HTTP. What customers and banks do is in `acts`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::deliveries::Delivery;
use super::event::Event;
use super::problem::manner;
use super::settings::Settings;
use super::world::World;
use crate::door::{Door, Fault, Received};

/// The simulated Stripe: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct Stripe(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    door: Door,
}

impl Stripe {
    /// A Stripe, and the ids of events that are to be delivered.
    pub(super) fn new(settings: Settings) -> (Self, UnboundedReceiver<String>) {
        let (sender, outbox) = unbounded_channel();
        let mut world = World::new(settings.clone());
        world.outbox = Some(sender);
        (Self(Arc::new(Shared { world: Mutex::new(world), initial: settings, door: Door::new(manner) })), outbox)
    }

    /// The state, in which everything that was due is done. A handler that panicked while it held the lock has left it whole
    /// enough for a simulator.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.catch_up();
        world
    }

    pub(super) fn door(&self) -> &Door {
        &self.0.door
    }

    pub(super) fn set_origin(&self, origin: String) {
        self.world().origin = origin;
    }

    pub(super) fn record(&self, delivery: Delivery) {
        let mut world = self.world();
        if let Some(event) = world.events.iter_mut().find(|event| event.id == delivery.event)
            && delivery.is_taken()
        {
            event.pending_webhooks = 0;
        }
        world.deliveries.push(delivery);
    }

    /// Let go of all requests that hang.
    pub fn release(&self) {
        self.0.door.release();
    }

    /// Every event, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.world().events.clone()
    }

    /// An event; nothing if there is none of this id.
    pub fn event(&self, id: &str) -> Option<Event> {
        self.world().events.iter().find(|event| event.id == id).cloned()
    }

    /// Every attempt at a delivery, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world().deliveries.clone()
    }

    /// How many deliveries were taken.
    pub fn delivered(&self) -> usize {
        self.world().deliveries.iter().filter(|delivery| delivery.is_taken()).count()
    }

    /// The time, in seconds since 1970.
    pub fn now(&self) -> i64 {
        self.world().now()
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route, such as `GET /v1/customers/{id}`.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (route, count) in self.0.door.counts() {
            let segments = route.split('/').map(|segment| if is_id(segment) { "{id}" } else { segment });
            *counts.entry(segments.collect::<Vec<_>>().join("/")).or_default() += count;
        }
        counts
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// Change settings from now on.
    ///
    /// # Panics
    ///
    /// If they make no account, such as a webhook's secret that is none.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings();
        change(&mut settings);
        settings.check().expect("a test asks for settings that make an account");
        self.world().settings = settings;
    }

    /// Queue a fault.
    ///
    /// # Panics
    ///
    /// If the fault could never be carried out, such as a status that is none.
    pub fn fault(&self, fault: Fault) {
        self.0.door.fault(fault);
    }

    /// Forget all faults and let go of hanging requests.
    pub fn clear_faults(&self) {
        self.0.door.clear_faults();
    }

    /// Start afresh: the first settings again, no objects, events, faults or log, and the first time.
    pub fn reset(&self) {
        let mut world = self.world();
        let mut fresh = World::new(self.0.initial.clone());
        fresh.origin = std::mem::take(&mut world.origin);
        fresh.outbox = world.outbox.take();
        *world = fresh;
        drop(world);
        self.0.door.reset();
    }
}

/// Whether a segment of a path is an id of an object.
fn is_id(segment: &str) -> bool {
    const PREFIXES: [&str; 15] = [
        "bps", "ch", "cs_live", "cs_test", "cus", "du", "evt", "in", "inpay", "pi", "price", "prod", "re", "si", "sub",
    ];
    segment.rsplit_once('_').is_some_and(|(prefix, rest)| PREFIXES.contains(&prefix) && rest.len() >= 14)
}

//! The whole state of a receiver, and what tests may do with it from outside of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::deliveries::Delivery;
use super::receiving::manner;
use super::settings::Settings;
use crate::door::{Door, Fault, Received};

/// A receiver: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct Webhook(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    door: Door,
}

/// Everything a receiver knows, behind one lock that is never held across a wait.
#[derive(Default)]
struct World {
    settings: Settings,
    deliveries: Vec<Delivery>,
}

impl Webhook {
    pub(super) fn new(settings: Settings) -> Self {
        let world = World { settings: settings.clone(), deliveries: Vec::new() };
        Self(Arc::new(Shared { world: Mutex::new(world), initial: settings, door: Door::new(manner) }))
    }

    /// The state. A handler that panicked while it held the lock has left it whole enough for a simulator.
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn door(&self) -> &Door {
        &self.0.door
    }

    /// Keep a delivery, and tell whether one like it was accepted before.
    pub(super) fn remember(&self, mut delivery: Delivery) -> Delivery {
        let mut world = self.world();
        delivery.seq = world.deliveries.last().map_or(1, |last| last.seq + 1);
        let same = |before: &&Delivery| before.refusal.is_none() && before.id == delivery.id;
        let before = world.deliveries.iter().find(same).filter(|_| delivery.refusal.is_none());
        let differs = before.is_some_and(|before| before.body != delivery.body);
        (delivery.duplicate, delivery.differs) = (before.is_some(), differs);
        world.deliveries.push(delivery.clone());
        delivery
    }

    /// Let go of all requests that hang and of all answers without an end: their connections are cut.
    pub fn release(&self) {
        self.0.door.release();
    }

    /// Every delivery that was received whole and not kept away by a fault, in the order of arrival, refused ones
    /// included.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world().deliveries.clone()
    }

    /// How many deliveries were accepted, duplicates included.
    pub fn accepted(&self) -> usize {
        self.world().deliveries.iter().filter(|delivery| delivery.refusal.is_none()).count()
    }

    /// How many accepted deliveries had an id that was accepted before.
    pub fn duplicates(&self) -> usize {
        self.world().deliveries.iter().filter(|delivery| delivery.duplicate).count()
    }

    /// How many deliveries were refused.
    pub fn refused(&self) -> usize {
        self.world().deliveries.iter().filter(|delivery| delivery.refusal.is_some()).count()
    }

    /// How many deliveries of each message, by `webhook-id`, were accepted.
    pub fn messages(&self) -> BTreeMap<String, u32> {
        let mut messages = BTreeMap::new();
        for delivery in self.world().deliveries.iter().filter(|delivery| delivery.refusal.is_none()) {
            *messages.entry(delivery.id.clone().unwrap_or_default()).or_default() += 1;
        }
        messages
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route, such as `POST /hooks/orla`.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.door.counts()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// Change settings from now on.
    ///
    /// # Panics
    ///
    /// If they make no receiver, such as a secret that is none.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings();
        change(&mut settings);
        settings.check().expect("a test asks for settings that make a receiver");
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

    /// Start afresh: the first settings again, no deliveries, faults or log.
    pub fn reset(&self) {
        *self.world() = World { settings: self.0.initial.clone(), deliveries: Vec::new() };
        self.0.door.reset();
    }
}

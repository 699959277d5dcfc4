//! The whole state of the simulated OpenAI, and what tests may do with it from outside of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::faults::{Fault, Mode};
use super::settings::Settings;
use super::traffic::{Received, Traffic};
use crate::door::Faults;

/// The simulated OpenAI: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct OpenAi(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    /// Changes when stalled streams are to be let go.
    released: watch::Sender<()>,
}

/// Everything OpenAI knows, behind one lock that is never held across a wait.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) faults: Faults<Mode>,
    pub(super) traffic: Traffic,
    generations: u32,
    hung_up: u32,
    open_streams: u32,
    /// Counts resets, so that a stream from before one is not counted after it.
    epoch: u32,
}

impl OpenAi {
    pub(super) fn new(settings: Settings) -> Self {
        let world = World { settings: settings.clone(), ..World::default() };
        Self(Arc::new(Shared { world: Mutex::new(world), initial: settings, released: watch::Sender::new(()) }))
    }

    /// The state. A handler that panicked while it held the lock has left it whole enough for a simulator.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of the next [`OpenAi::release`], even of one between this call and the wait.
    pub(super) fn releases(&self) -> watch::Receiver<()> {
        self.0.released.subscribe()
    }

    /// Let go of all stalled streams: their connections are cut.
    pub fn release(&self) {
        self.0.released.send_replace(());
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.world().traffic.received().to_vec()
    }

    /// How many requests came for each route, such as `POST /v1/responses`.
    pub fn counts(&self) -> BTreeMap<String, u32> {
        self.world().traffic.counts()
    }

    /// How many answers models have made: what OpenAI would bill, whoever received them.
    pub fn generations(&self) -> u32 {
        self.world().generations
    }

    /// How many streams ended because the caller went away. One that the simulator ended itself, in order or by a
    /// fault, does not count; neither does one whose last event was already handed to the network.
    pub fn hung_up(&self) -> u32 {
        self.world().hung_up
    }

    /// How many streams have neither ended nor been left.
    pub fn open_streams(&self) -> u32 {
        self.world().open_streams
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// Change settings from now on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    /// Queue a fault.
    ///
    /// # Panics
    ///
    /// If the fault could never be carried out, such as a status that is none.
    pub fn fault(&self, fault: Fault) {
        fault.mode.check().expect("a test asks for faults that can happen");
        self.world().faults.add(fault);
    }

    /// Forget all faults and let go of stalled streams.
    pub fn clear_faults(&self) {
        self.world().faults = Faults::default();
        self.release();
    }

    /// Start afresh: the first settings again, no faults, log or counts.
    pub fn reset(&self) {
        let mut world = self.world();
        let epoch = world.epoch + 1;
        *world = World { settings: self.0.initial.clone(), epoch, ..World::default() };
        drop(world);
        self.release();
    }

    /// A model begins to answer.
    pub(super) fn generate(&self) {
        self.world().generations += 1;
    }
}

/// Watches one stream, until it is dropped.
pub(super) struct Watch {
    openai: OpenAi,
    epoch: u32,
    ended: bool,
}

impl Watch {
    pub(super) fn begin(openai: &OpenAi) -> Self {
        let mut world = openai.world();
        world.open_streams += 1;
        Self { openai: openai.clone(), epoch: world.epoch, ended: false }
    }

    /// From here on a caller who goes away misses nothing.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut world = self.openai.world();
        if world.epoch == self.epoch {
            world.open_streams -= 1;
            world.hung_up += u32::from(!self.ended);
        }
    }
}

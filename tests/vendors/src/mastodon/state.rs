//! The whole state of a simulated instance, and what tests may do with it from outside of HTTP.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::gate::manner;
use super::ids::Ids;
use super::limits::Limits;
use super::medium::{Shelf, Uploaded};
use super::posts::{Post, Posted};
use super::settings::{Settings, Token};
use crate::clock::Moment;
use crate::door::{Door, Fault, Received};

/// A simulated instance: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct Mastodon(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    door: Door,
}

/// Everything an instance knows, behind one lock that is never held across a wait.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) limits: Limits,
    pub(super) posts: Vec<Post>,
    pub(super) shelf: Shelf,
    pub(super) ids: Ids,
    /// The status of each idempotency key, by account id and key, and until when it is remembered.
    pub(super) keys: HashMap<(String, String), (u64, Moment)>,
}

impl Mastodon {
    pub(super) fn new(settings: Settings) -> Self {
        let world = World { settings: settings.clone(), ..World::default() };
        Self(Arc::new(Shared { world: Mutex::new(world), initial: settings, door: Door::new(manner) }))
    }

    /// The state. A handler that panicked while it held the lock has left it whole enough for a simulator.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn door(&self) -> &Door {
        &self.0.door
    }

    /// Let go of all requests that hang and of all answers without an end: their connections are cut.
    pub fn release(&self) {
        self.0.door.release();
    }

    /// Every status ever made, oldest first, deleted ones included, with the text as it was sent.
    pub fn statuses(&self) -> Vec<Posted> {
        self.world().posts.iter().map(Posted::of).collect()
    }

    /// Every upload that was taken, oldest first, whether it was attached or not.
    pub fn media(&self) -> Vec<Uploaded> {
        self.world().shelf.all().map(Uploaded::of).collect()
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route, such as `DELETE /api/v1/statuses/{id}`.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.door.counts()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// Change settings from now on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    /// Give an account (by name) a new token with these scopes, separated by spaces.
    pub fn issue_token(&self, account: &str, scopes: &str) -> String {
        let token = format!("{:032x}{:011x}", rand::random::<u128>(), rand::random::<u32>());
        self.world().settings.tokens.push(Token::new(&token, account, scopes));
        token
    }

    /// Its user takes a token back. Nothing happens if there is no such token.
    pub fn revoke(&self, token: &str) {
        let mut world = self.world();
        let found = world.settings.tokens.iter_mut().filter(|known| known.token == token);
        found.for_each(|known| known.revoked = true);
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

    /// Start afresh: the first settings again, no statuses, media, faults or log. Ids are not given out twice.
    pub fn reset(&self) {
        let mut world = self.world();
        let ids = std::mem::take(&mut world.ids);
        *world = World { settings: self.0.initial.clone(), ids, ..World::default() };
        drop(world);
        self.0.door.reset();
    }
}

//! The whole state of the simulated Vertex, and what tests may do with it from outside of HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use url::Url;

use super::problem::manner;
use super::settings::Settings;
use crate::clock::Moment;
use crate::door::{Door, Fault, Received};
use crate::google::{self, Client, Grants, SignsIn};

/// The simulated Vertex: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct Vertex(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    door: Door,
}

/// Everything that Google knows, behind one lock that is never held across a wait.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) operations: Vec<Operation>,
    /// What people have granted.
    pub(super) grants: Grants,
    /// Access tokens of the service account, and when they end.
    pub(super) tokens: BTreeMap<String, Moment>,
    /// The ids of assertions that were used.
    pub(super) used: BTreeSet<String>,
    /// What was shown and handed out, for a test that looks for leaks.
    pub(super) secrets: Vec<String>,
    pub(super) made: Made,
    /// How far the clock is ahead.
    ahead_s: u64,
}

/// A video that was begun, and is billed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: String,
    /// What is to be seen.
    pub prompt: String,
    /// What must not be.
    pub negative_prompt: Option<String>,
    /// SHA-256 of the picture that it begins with, in hex.
    pub image_sha256: Option<String>,
    /// How long it is to be.
    pub duration_s: u32,
    /// Its width to its height.
    pub aspect_ratio: String,
    /// The seed.
    pub seed: Option<u32>,
    /// Where it is put, such as `gs://bucket/videos/`.
    pub storage_uri: Option<String>,
    /// How often it was looked at.
    pub looks: u32,
}

/// How much was made and used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Videos that were begun.
    pub operations: u64,
    /// Videos that were handed out.
    pub videos: u64,
    /// Access tokens of the service account.
    pub tokens: u64,
    /// Assertions that were refused.
    pub refused_assertions: u64,
    /// Codes that were exchanged for a person's tokens.
    pub code_exchanges: u64,
    /// Access tokens of people that were renewed.
    pub refreshes: u64,
    /// Grants that their app gave back.
    pub revocations: u64,
}

impl World {
    /// The simulator's clock.
    pub(super) fn now(&self) -> Moment {
        Moment::now().after_s(self.ahead_s)
    }
}

impl Vertex {
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

    /// Let go of all requests that hang.
    pub fn release(&self) {
        self.0.door.release();
    }

    /// Every video that was begun, oldest first.
    pub fn operations(&self) -> Vec<Operation> {
        self.world().operations.clone()
    }

    /// How much was made and used.
    pub fn made(&self) -> Made {
        let world = self.world();
        let google::Counts { code_exchanges, refreshes, revocations } = world.grants.counts;
        Made { code_exchanges, refreshes, revocations, ..world.made }
    }

    /// Every assertion that was shown and every code and token that was handed out.
    pub fn secrets(&self) -> Vec<String> {
        let world = self.world();
        let of_people = world.grants.issued().iter().map(|issued| issued.value.clone());
        world.secrets.iter().cloned().chain(of_people).collect()
    }

    /// The path of a method of the first model in the service account's project, such as `predictLongRunning`.
    pub fn method(&self, method: &str) -> String {
        let project = self.settings().project;
        self.method_in(&project, method)
    }

    /// The path of a method of the first model in a project.
    pub fn method_in(&self, project: &str, method: &str) -> String {
        let world = self.world();
        let Settings { location, models, .. } = &world.settings;
        let model = models.first().map(String::as_str).unwrap_or_default();
        format!("/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:{method}")
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route.
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

    /// Put the simulator's clock forward: tokens expire.
    pub fn advance(&self, seconds: u64) {
        let mut world = self.world();
        world.ahead_s = world.ahead_s.saturating_add(seconds);
    }

    /// Every access token is expired from now on; refresh tokens still work.
    pub fn expire_access_tokens(&self) {
        let mut world = self.world();
        let now = world.now();
        world.tokens.clear();
        world.grants.expire_access_tokens(now);
    }

    /// Register a redirect URI, compared byte for byte.
    pub fn register_redirect_uri(&self, uri: impl Into<String>) {
        self.world().settings.redirect_uris.push(uri.into());
    }

    /// A person (by his address) removes the app, in Google's own settings: none of its tokens works any more.
    pub fn revoke(&self, person: &str) {
        self.world().grants.revoke_all_of(person);
    }

    /// Sign in as a person (by his address) and consent to an authorize URL, but for the declined scopes of the settings; returns the
    /// URL that Google redirects to.
    ///
    /// # Panics
    ///
    /// If Google would show an error page instead; the message says why.
    pub fn authorize(&self, authorize_url: &str, person: &str) -> Url {
        google::consent(self, authorize_url, person)
    }

    /// Cancel on the consent page; returns the URL that Google redirects to.
    ///
    /// # Panics
    ///
    /// As [`Vertex::authorize`].
    pub fn deny(&self, authorize_url: &str, person: &str) -> Url {
        google::cancel(self, authorize_url, person)
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

    /// Start afresh: the first settings again, no videos, tokens, faults or log, and the time of the machine. Redirect URIs that were
    /// registered stay.
    pub fn reset(&self) {
        let mut world = self.world();
        let redirect_uris = std::mem::take(&mut world.settings.redirect_uris);
        let settings = Settings { redirect_uris, ..self.0.initial.clone() };
        *world = World { settings, ..World::default() };
        drop(world);
        self.0.door.reset();
    }
}

impl SignsIn for Vertex {
    fn google<T>(&self, visit: impl FnOnce(&Client, &mut Grants, Moment) -> T) -> T {
        let mut world = self.world();
        let (client, now) = (world.settings.client(), world.now());
        visit(&client, &mut world.grants, now)
    }
}

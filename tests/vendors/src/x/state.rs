//! The whole state of the simulated X, and what tests may do with it from outside of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use super::authorize::{Ask, Decision};
use super::clock::Moment;
use super::grants::{Grants, Issued};
use super::limits::Limits;
use super::media::Shelf;
use super::pairs::Pairs;
use super::posts::{Post, Posted};
use super::problem::manner;
use super::settings::Settings;
use super::snowflake::Snowflakes;
use crate::door::{Door, Fault, Received};

/// The simulated X: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct X(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    door: Door,
}

/// Everything X knows, behind one lock that is never held across a wait.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) grants: Grants,
    pub(super) limits: Limits,
    pub(super) posts: Vec<Post>,
    pub(super) shelf: Shelf,
    pub(super) ids: Snowflakes,
}

impl X {
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

    /// Every post ever made, oldest first, deleted ones included, with the text as it was sent.
    pub fn posts(&self) -> Vec<Posted> {
        let world = self.world();
        world.posts.iter().map(|post| Posted::of(post, &world)).collect()
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route, such as `DELETE /2/tweets/{id}`.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.door.counts()
    }

    /// Every code and token ever issued, so that a test can look for leaks.
    pub fn tokens(&self) -> Vec<Issued> {
        self.world().grants.issued().to_vec()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// Change settings from now on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    /// Register a redirect URI, compared byte for byte.
    pub fn register_redirect_uri(&self, uri: impl Into<String>) {
        self.world().settings.redirect_uris.push(uri.into());
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

    /// Every access token is expired from now on; refresh tokens still work.
    pub fn expire_access_tokens(&self) {
        self.world().grants.expire_access_tokens();
    }

    /// Every user takes back what was granted: no token works any more.
    pub fn revoke_all(&self) {
        self.world().grants.revoke_all();
    }

    /// Start afresh: the first settings again, no posts, tokens, media, faults or log. Redirect URIs that were
    /// registered stay, and ids are not given out twice.
    pub fn reset(&self) {
        let mut world = self.world();
        let redirect_uris = std::mem::take(&mut world.settings.redirect_uris);
        let settings = Settings { redirect_uris, ..self.0.initial.clone() };
        *world = World { settings, ids: std::mem::take(&mut world.ids), ..World::default() };
        drop(world);
        self.0.door.reset();
    }

    /// Sign in as `account` (handle or id) and consent to an authorize URL; returns the URL that X redirects to.
    ///
    /// # Panics
    ///
    /// If X would show an error page instead; the message says why.
    pub fn authorize(&self, authorize_url: &str, account: &str) -> Url {
        self.decide(authorize_url, account, Decision::Authorize)
    }

    /// Cancel on the consent page; returns the URL that X redirects to.
    ///
    /// # Panics
    ///
    /// As [`X::authorize`].
    pub fn deny(&self, authorize_url: &str, account: &str) -> Url {
        self.decide(authorize_url, account, Decision::Cancel)
    }

    fn decide(&self, authorize_url: &str, account: &str, decision: Decision) -> Url {
        let url = Url::parse(authorize_url).expect("an authorize URL is a URL");
        assert_eq!(url.path(), "/i/oauth2/authorize", "an authorize URL leads to the consent page");
        let query = Pairs::parse(url.query().unwrap_or_default().as_bytes());
        let mut world = self.world();
        let ask = Ask::read(&query, &world.settings).expect("X shows a consent page for this authorize URL");
        let consent = world.grants.ask(ask, Moment::now());
        world.decide(&consent, account, decision, Moment::now()).expect("the account exists")
    }
}

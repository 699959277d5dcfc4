//! The whole state of the simulated Dropbox, and what tests may do with it from outside of HTTP.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use super::authorize::{Ask, Decision};
use super::content::Hashes;
use super::download::Link;
use super::form::Form;
use super::grants::{Grants, Issued};
use super::listing::Cursor;
use super::problem::manner;
use super::search::Found;
use super::settings::Settings;
use super::tally::Tally;
use super::tree::Tree;
use crate::clock::Moment;
use crate::door::{Door, Fault, Received};

/// The simulated Dropbox: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct Dropbox(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    hashes: Hashes,
    initial: Settings,
    door: Door,
}

/// Everything Dropbox knows, behind one lock that is never held across a wait.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) grants: Grants,
    pub(super) tally: Tally,
    /// By account id.
    pub(super) trees: HashMap<String, Tree>,
    pub(super) cursors: HashMap<String, Cursor>,
    pub(super) searches: HashMap<String, Found>,
    pub(super) links: HashMap<String, Link>,
    /// How far its clock is ahead, in seconds.
    ahead_s: u64,
}

impl World {
    fn of(settings: Settings) -> Self {
        let mut world = Self { settings, ..Self::default() };
        world.plant();
        world
    }

    /// Make the trees that the settings describe.
    fn plant(&mut self) {
        self.trees = self.settings.accounts.iter().map(|account| (account.id(), Tree::of(account))).collect();
    }

    pub(super) fn now(&self) -> Moment {
        Moment::now().after_s(self.ahead_s)
    }
}

impl Dropbox {
    pub(super) fn new(settings: Settings) -> Self {
        let world = Mutex::new(World::of(settings.clone()));
        Self(Arc::new(Shared { world, hashes: Hashes::default(), initial: settings, door: Door::new(manner) }))
    }

    /// The state. A handler that panicked while it held the lock has left it whole enough for a simulator.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn door(&self) -> &Door {
        &self.0.door
    }

    pub(super) fn hashes(&self) -> &Hashes {
        &self.0.hashes
    }

    /// Let go of all requests that hang and of all answers without an end: their connections are cut.
    pub fn release(&self) {
        self.0.door.release();
    }

    /// What has been done, in numbers.
    pub fn tally(&self) -> Tally {
        self.world().tally
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route, such as `POST /2/files/list_folder`.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        // The version of the API, which comes first, is no id.
        let route = |(route, count): (String, u64)| (route.replacen(" /{id}/", " /2/", 1), count);
        self.0.door.counts().into_iter().map(route).collect()
    }

    /// Every code and token ever issued, so that a test can look for leaks.
    pub fn tokens(&self) -> Vec<Issued> {
        self.world().grants.issued().to_vec()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Settings {
        self.world().settings.clone()
    }

    /// Change settings from now on. Files that appear, change or disappear are news to whoever continues a list.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut world = self.world();
        change(&mut world.settings);
        world.plant();
    }

    /// Register a redirect URI, compared byte for byte.
    pub fn register_redirect_uri(&self, uri: impl Into<String>) {
        self.world().settings.redirect_uris.push(uri.into());
    }

    /// Let time pass, in seconds: codes, access tokens and links grow older.
    pub fn advance(&self, seconds: u64) {
        let mut world = self.world();
        world.ahead_s = world.ahead_s.saturating_add(seconds);
    }

    /// Every access token is expired from now on; refresh tokens still work.
    pub fn expire_access_tokens(&self) {
        let mut world = self.world();
        let now = world.now();
        world.grants.expire_access_tokens(now);
    }

    /// Everybody disconnects the app: no token works any more.
    pub fn revoke_all(&self) {
        self.world().grants.revoke_all();
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

    /// Start afresh: the first settings again, no tokens, cursors, links, faults, log or numbers, and the time of the
    /// machine. Redirect URIs that were registered stay.
    pub fn reset(&self) {
        let mut world = self.world();
        let redirect_uris = std::mem::take(&mut world.settings.redirect_uris);
        *world = World::of(Settings { redirect_uris, ..self.0.initial.clone() });
        drop(world);
        self.0.door.reset();
    }

    /// Sign in as `account` (name or id) and agree to an authorize URL; returns the URL that Dropbox redirects to.
    ///
    /// # Panics
    ///
    /// If Dropbox would show an error page instead; the message says why.
    pub fn authorize(&self, authorize_url: &str, account: &str) -> Url {
        self.decide(authorize_url, account, Decision::Allow)
    }

    /// Cancel on the consent page; returns the URL that Dropbox redirects to.
    ///
    /// # Panics
    ///
    /// As [`Dropbox::authorize`].
    pub fn deny(&self, authorize_url: &str, account: &str) -> Url {
        self.decide(authorize_url, account, Decision::Cancel)
    }

    fn decide(&self, authorize_url: &str, account: &str, decision: Decision) -> Url {
        let url = Url::parse(authorize_url).expect("an authorize URL is a URL");
        assert_eq!(url.path(), "/oauth2/authorize", "an authorize URL leads to the consent page");
        let query = Form::parse(url.query().unwrap_or_default().as_bytes());
        let mut world = self.world();
        let ask = Ask::read(&query, &world.settings).expect("Dropbox shows a consent page for this authorize URL");
        world.decide(ask, account, decision).expect("the account exists")
    }
}

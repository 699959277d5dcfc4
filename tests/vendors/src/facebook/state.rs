//! The whole state of the simulated Facebook, and what tests may do with it from outside of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use url::Url;

use super::comments::Comment;
use super::dialog::{Ask, Decision};
use super::grants::{Ended, Grants, Issued, Kind};
use super::instagram::Instagram;
use super::parameters::Parameters;
use super::photos::Photo;
use super::pieces::Upload;
use super::posts::Post;
use super::problem::manner;
use super::settings::Settings;
use super::usage::Usage;
use super::videos::Video;
use crate::clock::Moment;
use crate::door::{Door, Fault, Received};

/// The first id that is given out, but for those of the settings.
const FIRST_ID: u64 = 122_200_000_000_000_000;

/// The simulated Facebook: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct Facebook(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    door: Door,
}

/// Everything that Facebook knows, behind one lock that is never held across a wait.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) grants: Grants,
    pub(super) usage: Usage,
    pub(super) posts: Vec<Post>,
    pub(super) photos: Vec<Photo>,
    pub(super) videos: Vec<Video>,
    pub(super) uploads: Vec<Upload>,
    pub(super) comments: Vec<Comment>,
    pub(super) instagram: Instagram,
    pub(super) made: Made,
    ids: u64,
    /// How far the clock is ahead.
    ahead_s: u64,
}

/// How much was made, deleted things included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Posts, those of published photos and videos included.
    pub posts: u64,
    /// Photos, published or not.
    pub photos: u64,
    /// Videos.
    pub videos: u64,
    /// Comments of pages.
    pub comments: u64,
    /// Codes that were exchanged for a token.
    pub code_exchanges: u64,
    /// Tokens that were exchanged for a long-lived one.
    pub token_exchanges: u64,
}

impl World {
    /// The simulator's clock.
    pub(super) fn now(&self) -> Moment {
        Moment::now().after_s(self.ahead_s)
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        FIRST_ID + self.ids
    }
}

impl Facebook {
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

    /// Every post ever made, oldest first, deleted ones included.
    pub fn posts(&self) -> Vec<Post> {
        self.world().posts.clone()
    }

    /// Every photo that was taken, oldest first, whether it was published or not.
    pub fn photos(&self) -> Vec<Photo> {
        self.world().photos.clone()
    }

    /// Every video whose upload was finished, oldest first.
    pub fn videos(&self) -> Vec<Video> {
        self.world().videos.clone()
    }

    /// Every comment, oldest first, deleted ones included.
    pub fn comments(&self) -> Vec<Comment> {
        self.world().comments.clone()
    }

    /// How much was made.
    pub fn made(&self) -> Made {
        self.world().made
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route, such as `POST /v26.0/{id}/feed`.
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

    /// Put the simulator's clock forward: tokens expire, videos get ready and scheduled posts are published.
    pub fn advance(&self, seconds: u64) {
        let mut world = self.world();
        world.ahead_s = world.ahead_s.saturating_add(seconds);
    }

    /// A person (by name or id) grants these permissions, separated by commas; returns a long-lived token. Nothing if
    /// there is no such person.
    pub fn issue_token(&self, person: &str, scopes: &str) -> Option<String> {
        let mut world = self.world();
        let now = world.now();
        let World { settings, grants, .. } = &mut *world;
        let person_id = settings.person(person)?.id.clone();
        let scopes: Vec<String> = scopes.split(',').map(str::to_owned).collect();
        let authorization = grants.authorize(&person_id, &scopes, &[]);
        Some(grants.issue_token(settings, Kind::LongLived, authorization, now))
    }

    /// A person (by name or id) removes the app, in Facebook's own settings: all tokens are dead (subcode 458).
    pub fn remove_app(&self, person: &str) {
        self.end(person, Ended::Removed);
    }

    /// A person (by name or id) changes the password: all tokens are dead (subcode 460).
    pub fn change_password(&self, person: &str) {
        self.end(person, Ended::PasswordChanged);
    }

    fn end(&self, person: &str, ended: Ended) {
        let mut world = self.world();
        let World { settings, grants, .. } = &mut *world;
        if let Some(person) = settings.person(person) {
            grants.end(&person.id, ended);
        }
    }

    /// Somebody comments below a post or a comment (by id); returns the comment's id, or nothing if there is no such
    /// post or comment.
    pub fn comment(&self, below: &str, author_name: &str, message: &str) -> Option<String> {
        let mut world = self.world();
        let author_id = world.next_id().to_string();
        world.comment(below, &author_id, author_name, message)
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

    /// Start afresh: the first settings again, nothing posted, no tokens, faults or log, the time of the machine.
    /// Redirect URIs that were registered stay, and ids are not given out twice.
    pub fn reset(&self) {
        let mut world = self.world();
        let redirect_uris = std::mem::take(&mut world.settings.redirect_uris);
        let settings = Settings { redirect_uris, ..self.0.initial.clone() };
        *world = World { settings, ids: world.ids, ..World::default() };
        drop(world);
        self.0.door.reset();
    }

    /// Log in as a person (name or id) and consent to the URL of a dialog, but for the declined permissions of the
    /// settings; returns the URL that Facebook redirects to.
    ///
    /// # Panics
    ///
    /// If Facebook would show an error page instead; the message says why.
    pub fn authorize(&self, dialog_url: &str, person: &str) -> Url {
        let declined = self.settings().declined_scopes;
        self.decide(dialog_url, person, Decision::Continue { declined })
    }

    /// Cancel in the dialog; returns the URL that Facebook redirects to.
    ///
    /// # Panics
    ///
    /// As [`Facebook::authorize`].
    pub fn deny(&self, dialog_url: &str, person: &str) -> Url {
        self.decide(dialog_url, person, Decision::Cancel)
    }

    fn decide(&self, dialog_url: &str, person: &str, decision: Decision) -> Url {
        let url = Url::parse(dialog_url).expect("the URL of a dialog is a URL");
        assert!(url.path().ends_with("/dialog/oauth"), "the URL of a dialog leads to the dialog");
        let query = Parameters::of_query(url.query()).expect("the query has every name once");
        let mut world = self.world();
        let ask = Ask::read(&query, &world.settings).expect("Facebook shows a consent page for this URL");
        let now = world.now();
        let consent = world.grants.ask(ask, now);
        world.decide(&consent, person, decision).expect("the person exists")
    }
}

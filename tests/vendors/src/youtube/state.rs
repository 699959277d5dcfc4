//! The whole state of the simulated YouTube, and what tests may do with it from outside of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use url::Url;

use super::comments::Comment;
use super::problem::manner;
use super::quota::Quota;
use super::settings::Settings;
use super::upload::{PATH, Session, Upload};
use super::videos::Video;
use crate::clock::Moment;
use crate::door::{Door, Fault, Received};
use crate::google::{self, Client, Grants, Issued, SignsIn};

/// The simulated YouTube: a cheap handle, shared by its HTTP surface and by the test that looks on.
#[derive(Clone)]
pub struct YouTube(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    initial: Settings,
    door: Door,
}

/// Everything that YouTube knows, behind one lock that is never held across a wait.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) grants: Grants,
    pub(super) quota: Quota,
    pub(super) sessions: Vec<Session>,
    pub(super) videos: Vec<Video>,
    pub(super) comments: Vec<Comment>,
    pub(super) made: Made,
    ids: u64,
    /// How far the clock is ahead.
    ahead_s: u64,
}

/// How much was made and used, deleted things included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Uploads that were begun.
    pub uploads: u64,
    /// Bytes of videos that came, those of stretches that were cut included.
    pub upload_bytes: u64,
    /// Videos.
    pub videos: u64,
    /// Thumbnails that were set.
    pub thumbnails: u64,
    /// Comments and replies of whoever calls.
    pub comments: u64,
    /// Units that calls have cost, uploads excepted.
    pub units: u64,
    /// Codes that were exchanged for tokens.
    pub code_exchanges: u64,
    /// Access tokens that were renewed.
    pub refreshes: u64,
    /// Grants that their app gave back.
    pub revocations: u64,
}

impl World {
    /// The simulator's clock.
    pub(super) fn now(&self) -> Moment {
        Moment::now().after_s(self.ahead_s)
    }

    /// A number that was not given out before, as so many characters of an id.
    pub(super) fn id(&mut self, characters: usize) -> String {
        self.ids += 1;
        format!("{:0>characters$}", format!("orla{}", self.ids))
    }
}

impl YouTube {
    pub(super) fn new(settings: Settings) -> Self {
        let world = World { settings: settings.clone(), ..World::default() };
        // What has come of a video stays though the connection breaks.
        let door = Door::streaming(manner, |method, path| method == "PUT" && path == PATH);
        Self(Arc::new(Shared { world: Mutex::new(world), initial: settings, door }))
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

    /// Every video that was uploaded whole, oldest first, deleted ones included.
    pub fn videos(&self) -> Vec<Video> {
        self.world().videos.clone()
    }

    /// Every comment, oldest first.
    pub fn comments(&self) -> Vec<Comment> {
        self.world().comments.clone()
    }

    /// Every upload that was begun, oldest first.
    pub fn uploads(&self) -> Vec<Upload> {
        self.world().sessions.iter().map(|session| session.shown.clone()).collect()
    }

    /// How much was made and used.
    pub fn made(&self) -> Made {
        let world = self.world();
        let google::Counts { code_exchanges, refreshes, revocations } = world.grants.counts;
        Made { code_exchanges, refreshes, revocations, ..world.made }
    }

    /// Every request received, control requests excepted, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.0.door.requests()
    }

    /// How many requests came for each route, such as `PUT /upload/youtube/v3/videos`.
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

    /// Put the simulator's clock forward: tokens and uploads expire, videos get processed, allowances begin anew.
    pub fn advance(&self, seconds: u64) {
        let mut world = self.world();
        world.ahead_s = world.ahead_s.saturating_add(seconds);
    }

    /// An account (by its address) grants these scopes, separated by spaces; returns an access token. Nothing if there is no
    /// such account.
    pub fn issue_token(&self, account: &str, scopes: &str) -> Option<String> {
        let mut world = self.world();
        let now = world.now();
        let World { settings, grants, .. } = &mut *world;
        settings.account(account)?;
        let scopes = scopes.split(' ').map(str::to_owned).collect();
        let grant = grants.grant(account, scopes);
        Some(grants.new_access(&settings.client(), grant, now))
    }

    /// Every access token is expired from now on; refresh tokens still work.
    pub fn expire_access_tokens(&self) {
        let mut world = self.world();
        let now = world.now();
        world.grants.expire_access_tokens(now);
    }

    /// Every upload is unknown from now on, whether it was finished or not.
    pub fn expire_uploads(&self) {
        self.world().sessions.iter_mut().for_each(Session::forget);
    }

    /// An account (by its address) removes the app, in Google's own settings: none of its tokens works any more.
    pub fn revoke(&self, account: &str) {
        self.world().grants.revoke_all_of(account);
    }

    /// Somebody comments below a video or a comment (by id); returns the comment's id, or nothing if there is no such video
    /// or comment.
    pub fn comment(&self, below: &str, author: &str, text: &str) -> Option<String> {
        let mut world = self.world();
        let author_id = format!("UC{}", world.id(22));
        world.comment(below, (&author_id, author), text)
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

    /// Start afresh: the first settings again, no videos, uploads, comments, tokens, faults or log, and the time of the
    /// machine. Redirect URIs that were registered stay, and ids are not given out twice.
    pub fn reset(&self) {
        let mut world = self.world();
        let redirect_uris = std::mem::take(&mut world.settings.redirect_uris);
        let settings = Settings { redirect_uris, ..self.0.initial.clone() };
        *world = World { settings, ids: world.ids, ..World::default() };
        drop(world);
        self.0.door.reset();
    }

    /// Sign in as an account (by its address) and consent to an authorize URL, but for the declined scopes of the settings;
    /// returns the URL that Google redirects to.
    ///
    /// # Panics
    ///
    /// If Google would show an error page instead; the message says why.
    pub fn authorize(&self, authorize_url: &str, account: &str) -> Url {
        google::consent(self, authorize_url, account)
    }

    /// Cancel on the consent page; returns the URL that Google redirects to.
    ///
    /// # Panics
    ///
    /// As [`YouTube::authorize`].
    pub fn deny(&self, authorize_url: &str, account: &str) -> Url {
        google::cancel(self, authorize_url, account)
    }
}

impl SignsIn for YouTube {
    fn google<T>(&self, visit: impl FnOnce(&Client, &mut Grants, Moment) -> T) -> T {
        let mut world = self.world();
        let (client, now) = (world.settings.client(), world.now());
        visit(&client, &mut world.grants, now)
    }
}

//! Statuses: what may be posted, what came of it, and who sees it.

use serde::Serialize;

use super::draft::{Draft, Visibility, Words};
use super::length::countable_length;
use super::medium::{Processing, Uploaded};
use super::problem::Problem;
use super::settings::Account;
use super::state::World;
use crate::clock::Moment;

/// A status as Mastodon keeps it.
pub(super) struct Post {
    pub(super) id: u64,
    pub(super) author: Account,
    pub(super) draft: Draft,
    pub(super) words: Words,
    pub(super) reply_to: Option<u64>,
    pub(super) created: Moment,
    /// The ids of its attachments, in the order in which they were given.
    pub(super) media: Vec<u64>,
    pub(super) deleted: bool,
    attached: Vec<Uploaded>,
    idempotency_key: Option<String>,
    replays: u32,
    differing_replays: u32,
}

/// A status as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// The status's id.
    pub id: String,
    /// The text as it was sent.
    pub text: String,
    /// The content warning as it was sent.
    pub spoiler_text: String,
    /// The name of its author.
    pub author: String,
    /// The id of the status it replies to.
    pub in_reply_to_id: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether it was sent as sensitive.
    pub sensitive: bool,
    /// Its language, if one was given.
    pub language: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Whether it was deleted since.
    pub deleted: bool,
    /// What was attached when it was made.
    pub media: Vec<Uploaded>,
    /// The idempotency key it was made with.
    pub idempotency_key: Option<String>,
    /// How often the key came again, and was answered with this status.
    pub replays: u32,
    /// How many of those wanted something else posted, which Mastodon does not notice.
    pub differing_replays: u32,
}

impl Posted {
    pub(super) fn of(post: &Post) -> Self {
        let Draft { status, spoiler_text, visibility, sensitive, language, .. } = &post.draft;
        Self {
            id: post.id.to_string(),
            text: status.clone(),
            spoiler_text: spoiler_text.clone(),
            author: post.author.username.clone(),
            in_reply_to_id: post.reply_to.map(|id| id.to_string()),
            visibility: *visibility,
            sensitive: *sensitive,
            language: language.clone(),
            created_at: post.created.to_string(),
            deleted: post.deleted,
            media: post.attached.clone(),
            idempotency_key: post.idempotency_key.clone(),
            replays: post.replays,
            differing_replays: post.differing_replays,
        }
    }
}

impl Post {
    /// Whether this account (or a stranger) may see it, now or once the read lag has passed.
    fn is_for(&self, viewer: Option<&Account>) -> bool {
        let open = matches!(self.draft.visibility, Visibility::Public | Visibility::Unlisted);
        open || viewer.is_some_and(|viewer| viewer.id == self.author.id)
    }
}

impl World {
    /// Make a status, or find the one that was made with the same key, or say why not. Returns its place among the
    /// posts. What is checked before what is observed: thread, key, attachments, text.
    pub(super) fn publish(
        &mut self,
        author: &Account,
        draft: Draft,
        key: Option<&str>,
        now: Moment,
    ) -> Result<usize, Problem> {
        let reply_to = draft.in_reply_to_id.as_deref().map(|id| self.thread(id, author)).transpose()?;
        if let Some(at) = self.repeated(author, &draft, key, now)? {
            return Ok(at);
        }
        let media = self.check_media(author, &draft, now)?;
        let words = draft.words();
        self.check_words(&words, &media)?;

        let id = self.ids.next(now);
        for medium in &media {
            if let Some(medium) = self.shelf.get_mut(*medium) {
                medium.attached_to = Some(id);
            }
        }
        let attached = media.iter().filter_map(|id| self.shelf.get(*id)).map(Uploaded::of).collect();
        if let Some(key) = key {
            let until = now.after_s(self.settings.idempotency_lifetime_s);
            self.keys.insert((author.id.clone(), key.to_owned()), (id, until));
        }
        self.posts.push(Post {
            id,
            author: author.clone(),
            draft,
            words,
            reply_to,
            created: now,
            media,
            deleted: false,
            attached,
            idempotency_key: key.map(str::to_owned),
            replays: 0,
            differing_replays: 0,
        });
        Ok(self.posts.len() - 1)
    }

    /// Delete a status of one's own; its attachments are free again. Returns its place among the posts.
    pub(super) fn delete(&mut self, author: &Account, id: u64) -> Result<usize, Problem> {
        let own = |post: &Post| post.id == id && !post.deleted && post.author.id == author.id;
        let at = self.posts.iter().position(own).ok_or_else(Problem::not_found)?;
        let post = &mut self.posts[at];
        post.deleted = true;
        for id in &post.media {
            if let Some(medium) = self.shelf.get_mut(*id) {
                medium.attached_to = None;
            }
        }
        Ok(at)
    }

    /// The status with this id, as far as reads show it to this account, which for a new one is after the read lag.
    pub(super) fn visible(&self, id: u64, viewer: Option<&Account>, now: Moment) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id).filter(|post| self.shows(post, viewer, now))
    }

    pub(super) fn shows(&self, post: &Post, viewer: Option<&Account>, now: Moment) -> bool {
        !post.deleted && post.is_for(viewer) && post.created.after_ms(self.settings.read_lag_ms) <= now
    }

    /// The status that is replied to. The read lag does not matter here: Mastodon knows its own statuses.
    fn thread(&self, id: &str, author: &Account) -> Result<u64, Problem> {
        let given: Option<u64> = id.parse().ok();
        let known = |post: &&Post| Some(post.id) == given && !post.deleted && post.is_for(Some(author));
        self.posts.iter().find(known).map(|post| post.id).ok_or_else(Problem::no_such_thread)
    }

    /// The status that was made with this key within the hour. One that was deleted since is not found (observed).
    fn repeated(
        &mut self,
        author: &Account,
        draft: &Draft,
        key: Option<&str>,
        now: Moment,
    ) -> Result<Option<usize>, Problem> {
        let Some(key) = key else { return Ok(None) };
        let remembered = self.keys.get(&(author.id.clone(), key.to_owned())).filter(|(_, until)| now < *until);
        let Some(&(id, _)) = remembered else { return Ok(None) };
        let at = self.posts.iter().position(|post| post.id == id && !post.deleted).ok_or_else(Problem::not_found)?;
        let post = &mut self.posts[at];
        post.replays += 1;
        post.differing_replays += u32::from(post.draft != *draft);
        Ok(Some(at))
    }

    /// The words are Mastodon's, and so is their order (observed).
    fn check_media(&mut self, author: &Account, draft: &Draft, now: Moment) -> Result<Vec<u64>, Problem> {
        let most = self.settings.max_media_attachments;
        if draft.media_ids.len() > most {
            return Err(Problem::unprocessable(format!("Cannot attach more than {most} files")));
        }
        let (mut ids, mut missing, mut mixed, mut ready) = (Vec::new(), Vec::new(), false, true);
        for given in &draft.media_ids {
            let id = given.parse().unwrap_or(0);
            let Some(medium) = self.shelf.unattached(id, author) else {
                missing.push(given.as_str());
                continue;
            };
            ids.push(id);
            mixed |= draft.media_ids.len() > 1 && medium.kind.is_audio_or_video();
            ready &= medium.processing(&self.settings, now) == Processing::Done;
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let words = format!("Media {missing} not found or already attached to another post");
            return Err(Problem::unprocessable(words));
        }
        if mixed {
            return Err(Problem::unprocessable("Cannot attach a video to a post that already contains images"));
        }
        if !ready {
            let words = "Cannot attach files that have not finished processing. Try again in a moment!";
            return Err(Problem::unprocessable(words));
        }
        Ok(ids)
    }

    fn check_words(&self, words: &Words, media: &[u64]) -> Result<(), Problem> {
        if words.text.is_empty() && media.is_empty() {
            return Err(Problem::validation("Text can't be blank"));
        }
        let (most, per_link) = (self.settings.max_characters, self.settings.characters_reserved_per_url);
        if countable_length(&words.text, &words.spoiler_text, per_link) > most {
            return Err(Problem::validation(format!("Text character limit of {most} exceeded")));
        }
        Ok(())
    }
}

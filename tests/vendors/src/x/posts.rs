//! Posts: what may be posted, and what came of it.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use super::clock::Moment;
use super::draft::Draft;
use super::media::Form;
use super::problem::Problem;
use super::settings::Account;
use super::state::World;

/// A post as X keeps it.
pub(super) struct Post {
    pub(super) id: u64,
    pub(super) author: Account,
    pub(super) text: String,
    pub(super) reply_to: Option<u64>,
    pub(super) conversation: u64,
    pub(super) created: Moment,
    pub(super) media: Vec<u64>,
    deleted: bool,
}

/// A post as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// The post's id.
    pub id: String,
    /// The text as it was sent, without the changes that reads show.
    pub text: String,
    /// The handle of its author.
    pub author: String,
    /// The id of the post it replies to.
    pub reply_to: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Whether it was deleted since.
    pub deleted: bool,
    /// What is attached.
    pub media: Vec<Attached>,
}

/// Media of a post as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attached {
    /// The media id.
    pub id: String,
    /// The type it was announced as, and is.
    pub media_type: String,
    /// The bytes received.
    pub size: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// The alternative text.
    pub alt_text: Option<String>,
    /// The index of every segment that was received and taken, in the order of arrival: one that came twice is there
    /// twice.
    pub segments: Vec<u16>,
}

impl Posted {
    pub(super) fn of(post: &Post, world: &World) -> Self {
        let attached = |id: &u64| {
            let media = world.shelf.get(*id)?;
            let finished = media.finished.as_ref()?;
            Some(Attached {
                id: id.to_string(),
                media_type: media.media_type.clone(),
                size: finished.size_bytes,
                sha256: finished.sha256.clone(),
                alt_text: media.alt_text.clone(),
                segments: media.arrivals().to_vec(),
            })
        };
        Self {
            id: post.id.to_string(),
            text: post.text.clone(),
            author: post.author.username.clone(),
            reply_to: post.reply_to.map(|id| id.to_string()),
            created_at: post.created.to_string(),
            deleted: post.deleted,
            media: post.media.iter().filter_map(attached).collect(),
        }
    }
}

impl World {
    /// Make a post, or say why not. Returns its place among the posts.
    pub(super) fn publish(&mut self, author: &Account, draft: Draft, now: Moment) -> Result<usize, Problem> {
        draft.check()?;
        let (media, reply_to) = (draft.media_ids()?, draft.reply_to()?);
        self.check_media(author, &media, now)?;
        let target = reply_to.map(|id| self.reply_target(author, id)).transpose()?;
        self.check_duplicate(author, &draft.text, reply_to, now)?;

        let conversation = target.map(|post| post.conversation);
        let id = self.ids.next(now);
        for media in &media {
            if let Some(media) = self.shelf.get_mut(*media) {
                media.attached_to = Some(id);
            }
        }
        let (author, text) = (author.clone(), draft.text);
        let conversation = conversation.unwrap_or(id);
        self.posts.push(Post { id, author, text, reply_to, conversation, created: now, media, deleted: false });
        Ok(self.posts.len() - 1)
    }

    /// Delete a post. The words are X's (observed); so is 404 for one that is gone.
    pub(super) fn delete(&mut self, author: &Account, id: u64) -> Result<(), Problem> {
        let found = self.posts.iter_mut().find(|post| post.id == id && !post.deleted);
        let post = found.ok_or_else(|| Problem::not_found("tweet", "id", &id.to_string()))?;
        if post.author.id != author.id {
            return Err(Problem::forbidden("You are not authorized to delete this Tweet."));
        }
        post.deleted = true;
        Ok(())
    }

    /// A post that reads show, which a new one is only after the read lag.
    pub(super) fn visible(&self, id: u64, now: Moment) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id).filter(|post| self.shows(post, now))
    }

    pub(super) fn shows(&self, post: &Post, now: Moment) -> bool {
        !post.deleted && post.created.after_ms(self.settings.read_lag_ms) <= now
    }

    fn check_media(&self, author: &Account, ids: &[u64], now: Moment) -> Result<(), Problem> {
        let mut forms = Vec::new();
        for id in ids {
            let found = self.shelf.get(*id).filter(|media| media.attachable(&author.id, &self.settings, now));
            let invalid = || Problem::invalid("media.media_ids", &id.to_string(), "Your media IDs are invalid.");
            forms.push(found.ok_or_else(invalid)?.form());
        }
        if forms.len() > 1 && forms.iter().any(|form| *form != Form::Photo) {
            let message = "A post holds up to 4 photos, or 1 GIF, or 1 video.";
            return Err(Problem::invalid("media.media_ids", "", message));
        }
        Ok(())
    }

    /// The post that is replied to. The read lag does not matter here: X knows its own posts.
    fn reply_target(&self, author: &Account, id: u64) -> Result<&Post, Problem> {
        let found = self.posts.iter().find(|post| post.id == id && !post.deleted);
        let gone = "You attempted to reply to a Tweet that is deleted or not visible to you.";
        let target = found.ok_or_else(|| Problem::forbidden(gone))?;
        // Documented for self-serve access: replies go only to those who summoned the replier. That one's own thread
        // is exempt is an assumption.
        let mention = format!("@{}", author.username).to_lowercase();
        if target.author.id != author.id && !target.text.to_lowercase().contains(&mention) {
            let detail = "Reply to this conversation is not allowed because you have not been mentioned.";
            return Err(Problem::forbidden(detail));
        }
        Ok(target)
    }

    fn check_duplicate(&self, author: &Account, text: &str, to: Option<u64>, now: Moment) -> Result<(), Problem> {
        let window_s = self.settings.duplicate_window_s;
        let duplicate = |post: &Post| {
            !post.deleted
                && post.author.id == author.id
                && post.reply_to == to
                && now < post.created.after_s(window_s)
                && post.text.nfc().eq(text.nfc())
        };
        if !text.is_empty() && self.posts.iter().any(duplicate) {
            return Err(Problem::forbidden("You are not allowed to create a Tweet with duplicate content."));
        }
        Ok(())
    }
}

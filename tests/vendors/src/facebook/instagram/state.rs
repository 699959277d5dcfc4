//! What the simulated Instagram has, and what tests may see and do of it from outside of HTTP.

use serde::Serialize;

use super::super::state::Facebook;
use super::comments::Comment;
use super::containers::Container;
use super::media::Media;

/// Everything on Instagram, oldest first.
#[derive(Default)]
pub(in super::super) struct Instagram {
    pub(super) containers: Vec<Container>,
    pub(super) media: Vec<Media>,
    pub(super) comments: Vec<Comment>,
    pub(super) made: Made,
}

/// How much was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Containers, whatever became of them.
    pub containers: u64,
    /// Media that were published.
    pub media: u64,
    /// Comments and replies of the accounts' own.
    pub comments: u64,
    /// Images that were fetched.
    pub fetched: u64,
}

impl Facebook {
    /// Every container, oldest first.
    pub fn instagram_containers(&self) -> Vec<Container> {
        self.world().instagram.containers.clone()
    }

    /// Everything that was published on Instagram, oldest first.
    pub fn instagram_media(&self) -> Vec<Media> {
        self.world().instagram.media.clone()
    }

    /// Every comment on Instagram, oldest first, deleted ones included.
    pub fn instagram_comments(&self) -> Vec<Comment> {
        self.world().instagram.comments.clone()
    }

    /// How much was made on Instagram.
    pub fn instagram_made(&self) -> Made {
        self.world().instagram.made
    }

    /// Somebody comments below a medium or a comment (by id); returns the comment's id, or nothing if there is no such
    /// medium or comment.
    pub fn instagram_comment(&self, below: &str, author: &str, text: &str) -> Option<String> {
        let mut world = self.world();
        let author_id = world.next_id().to_string();
        world.instagram_comment(below, &author_id, author, text)
    }
}

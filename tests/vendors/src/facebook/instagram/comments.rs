//! Comments on media, and replies to them.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::gate::Call;
use super::super::posts::time;
use super::super::problem::Problem;
use super::super::state::{Facebook, World};
use super::super::{fields, paging};
use super::nodes;
use super::plan::Kind;

/// The longest comment, in characters (from memory).
const LONGEST: usize = 2_200;
const DEFAULT_FIELDS: [&str; 3] = ["timestamp", "text", "id"];

/// A comment, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// The id: digits.
    pub id: String,
    /// The medium's id.
    pub media_id: String,
    /// The id of the comment that it replies to.
    pub parent_id: Option<String>,
    /// The id of the account that wrote it.
    pub author_id: String,
    /// And its name.
    pub author: String,
    /// Its words.
    pub text: String,
    /// Whether the account has hidden it.
    pub hidden: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// When it was made, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
}

impl Facebook {
    /// The author takes a comment on Instagram back (by its id), and with it go the replies to it.
    pub fn instagram_take_back(&self, comment: &str) {
        let mut world = self.world();
        for known in &mut world.instagram.comments {
            known.deleted |= known.id == comment || known.parent_id.as_deref() == Some(comment);
        }
    }
}

impl World {
    /// Write a comment below a medium or a comment; nothing if there is no such thing. Replies to replies hang on what
    /// those reply to (documented).
    pub(super) fn instagram_comment(
        &mut self,
        below: &str,
        author_id: &str,
        author: &str,
        text: &str,
    ) -> Option<String> {
        let parent = self.instagram.comments.iter().find(|comment| comment.id == below && !comment.deleted);
        let (media_id, parent_id) = match parent {
            Some(parent) => {
                (parent.media_id.clone(), Some(parent.parent_id.clone().unwrap_or_else(|| parent.id.clone())))
            }
            None => (self.instagram.media.iter().find(|medium| medium.id == below)?.id.clone(), None),
        };
        let id = self.next_id().to_string();
        let created_ms = self.now().unix_ms();
        self.instagram.comments.push(Comment {
            id: id.clone(),
            media_id,
            parent_id,
            author_id: author_id.to_owned(),
            author: author.to_owned(),
            text: text.to_owned(),
            hidden: false,
            deleted: false,
            created_ms,
        });
        Some(id)
    }

    /// Everything that there is to show of a comment.
    fn instagram_comment_node(&self, comment: &Comment) -> Value {
        let account = self.instagram.media.iter().find(|medium| medium.id == comment.media_id);
        let is_own = account.is_some_and(|medium| medium.account_id == comment.author_id);
        let replies = self.instagram.comments.iter();
        let replies = replies.filter(|other| other.parent_id.as_ref() == Some(&comment.id) && !other.deleted);
        let replies: Vec<Value> = replies.map(|reply| self.instagram_comment_node(reply)).collect();
        json!({
            "id": comment.id, "text": comment.text, "timestamp": time(comment.created_ms), "like_count": 0,
            "username": comment.author, "from": { "id": comment.author_id, "username": comment.author },
            // Of one's own alone (documented).
            "user": Some(json!({ "id": comment.author_id })).filter(|_| is_own),
            "parent_id": comment.parent_id, "hidden": comment.hidden, "media": { "id": comment.media_id },
            "replies": Some(json!({ "data": replies })).filter(|_| !replies.is_empty()),
        })
    }
}

/// `GET /{medium}/comments`, newest first, and `GET /{comment}/replies`, oldest first.
pub(super) fn list(world: &World, call: &Call, edge: &str) -> Result<Value, Problem> {
    call.parameters.only(&paging::PARAMETERS)?;
    may(call)?;
    let below = |comment: &&Comment| match edge {
        "replies" => comment.parent_id.as_ref() == Some(&call.node),
        _ => comment.media_id == call.node && comment.parent_id.is_none(),
    };
    let mut items = Vec::new();
    for comment in world.instagram.comments.iter().filter(below).filter(|comment| !comment.deleted) {
        let node = world.instagram_comment_node(comment);
        items.push((comment.id.clone(), fields::show(call, &node, "IGComment", &DEFAULT_FIELDS)?));
    }
    if edge == "comments" {
        items.reverse();
    }
    paging::page(call, &world.settings, &items)
}

/// `POST /{medium}/comments` and `POST /{comment}/replies`, as the account.
pub(super) fn create(world: &mut World, call: &Call, account_id: &str) -> Result<Value, Problem> {
    call.parameters.only(&["message"])?;
    may(call)?;
    nodes::may_moderate(world, call, account_id)?;
    let text = call.parameters.get("message").filter(|words| !words.trim().is_empty());
    let text = text.ok_or_else(|| Problem::parameter("The parameter message is required"))?.to_owned();
    if text.chars().count() > LONGEST {
        return Err(Problem::parameter(format!("Param message must be no longer than {LONGEST} characters")));
    }
    let is_story = |medium: &super::Media| medium.id == call.node && medium.kind == Kind::Story;
    if world.instagram.media.iter().any(is_story) {
        return Err(Problem::parameter("Stories cannot be commented on"));
    }
    let account = world.settings.instagram.account(account_id);
    let username = account.map(|account| account.username.clone()).unwrap_or_default();
    let id = world.instagram_comment(&call.node, account_id, &username, &text);
    let id = id.ok_or_else(|| Problem::unsupported("POST", &call.node))?;
    world.instagram.made.comments += 1;
    Ok(json!({ "id": id }))
}

/// `GET /{comment}`
pub(super) fn show(world: &World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    may(call)?;
    let node = world.instagram_comment_node(&world.instagram.comments[at]);
    fields::show(call, &node, "IGComment", &DEFAULT_FIELDS)
}

/// `POST /{comment}`: hide it or show it again.
pub(super) fn update(world: &mut World, call: &Call, at: usize, account_id: &str) -> Result<Value, Problem> {
    call.parameters.only(&["hide"])?;
    may(call)?;
    nodes::may_moderate(world, call, account_id)?;
    let hide = call.parameters.flag("hide")?;
    world.instagram.comments[at].hidden = hide.ok_or_else(|| Problem::parameter("The parameter hide is required"))?;
    Ok(json!({ "success": true }))
}

/// `DELETE /{comment}`
pub(super) fn delete(world: &mut World, call: &Call, at: usize, account_id: &str) -> Result<Value, Problem> {
    call.parameters.only(&[])?;
    may(call)?;
    nodes::may_moderate(world, call, account_id)?;
    world.instagram.comments[at].deleted = true;
    Ok(json!({ "success": true }))
}

fn may(call: &Call) -> Result<(), Problem> {
    call.caller.may_read("instagram_basic")?;
    call.caller.may_read("instagram_manage_comments")
}

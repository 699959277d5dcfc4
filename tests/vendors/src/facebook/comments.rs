//! Comments on posts, and replies to them.

use serde::Serialize;
use serde_json::{Value, json};

use super::gate::Call;
use super::posts::{Post, time};
use super::problem::Problem;
use super::state::{Facebook, World};
use super::{feed, fields, paging};

/// The longest comment, in characters (observed).
const LONGEST: usize = 8_000;
const DEFAULT_FIELDS: [&str; 4] = ["created_time", "from", "message", "id"];

/// A comment, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// The id: that of the post without its page, an underscore, digits.
    pub id: String,
    /// The id of the post.
    pub post_id: String,
    /// The id of the comment that it replies to.
    pub parent_id: Option<String>,
    /// The id of the page or person who wrote it.
    pub author_id: String,
    /// And the name.
    pub author_name: String,
    /// Its words.
    pub message: String,
    /// Whether the page has hidden it.
    pub hidden: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// When it was made, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
}

impl Facebook {
    /// The author takes a comment back (by its id), and with it go the replies to it.
    pub fn take_back(&self, comment: &str) {
        let mut world = self.world();
        for known in &mut world.comments {
            known.deleted |= known.id == comment || known.parent_id.as_deref() == Some(comment);
        }
    }
}

impl World {
    /// Write a comment below a post or a comment; nothing if there is no such thing. Replies to replies hang on what
    /// those reply to (observed).
    pub(super) fn comment(&mut self, below: &str, author_id: &str, author_name: &str, message: &str) -> Option<String> {
        let parent = self.comments.iter().find(|comment| comment.id == below && !comment.deleted);
        let (post_id, parent_id) = match parent {
            Some(parent) => {
                (parent.post_id.clone(), Some(parent.parent_id.clone().unwrap_or_else(|| parent.id.clone())))
            }
            None => (self.posts.iter().find(|post| post.id == below && !post.deleted)?.id.clone(), None),
        };
        let local = post_id.split_once('_').map_or(post_id.as_str(), |(_page, local)| local).to_owned();
        let id = format!("{local}_{}", self.next_id());
        self.comments.push(Comment {
            id: id.clone(),
            post_id,
            parent_id,
            author_id: author_id.to_owned(),
            author_name: author_name.to_owned(),
            message: message.to_owned(),
            hidden: false,
            deleted: false,
            created_ms: self.now().unix_ms(),
        });
        Some(id)
    }

    /// Everything that there is to show of a comment.
    fn comment_node(&self, comment: &Comment, call: &Call) -> Value {
        let page_id = self.page_of(comment);
        let own = comment.author_id == page_id;
        let replies = self.comments.iter().filter(|other| other.parent_id.as_ref() == Some(&comment.id));
        let parent = self.comments.iter().find(|other| Some(&other.id) == comment.parent_id.as_ref());
        let parent = parent.map(|parent| {
            let from = json!({ "name": parent.author_name, "id": parent.author_id });
            json!({ "id": parent.id, "message": parent.message, "created_time": time(parent.created_ms), "from": from })
        });
        let mut node = json!({
            "id": comment.id, "message": comment.message, "created_time": time(comment.created_ms),
            "from": { "name": comment.author_name, "id": comment.author_id }, "parent": parent,
            "can_comment": true, "can_hide": !own, "can_like": true, "can_remove": true, "is_hidden": comment.hidden,
            "is_private": false, "like_count": 0, "user_likes": false, "attachment": Value::Null,
            "comment_count": replies.filter(|reply| !reply.deleted).count(),
            "permalink_url": format!("https://www.facebook.com/{}?comment_id={}", comment.post_id, comment.id),
        });
        // Without the task, comments have no ids, and there is no error (observed).
        let page = self.settings.page(page_id);
        if !page.is_some_and(|page| page.allows(&call.caller.person_id, "MODERATE")) {
            node["id"] = Value::Null;
        }
        node
    }

    /// The id of the page on which a comment stands.
    fn page_of(&self, comment: &Comment) -> &str {
        let post = self.posts.iter().find(|post| post.id == comment.post_id);
        post.map_or("", |post| post.page_id.as_str())
    }
}

/// `GET /{post}/comments` and `/{comment}/comments`. With a person's token there are none, and no error (observed).
pub(super) fn list(world: &World, call: &Call) -> Result<Value, Problem> {
    let parameters = &call.parameters;
    parameters.only(&[&paging::PARAMETERS[..], &["filter", "order", "since", "live_filter"]].concat())?;
    let choose = |name: &str, known: [&str; 2]| match parameters.get(name) {
        None => Ok(known[0].to_owned()),
        Some(given) if known.contains(&given) => Ok(given.to_owned()),
        Some(_) => Err(Problem::parameter(format!("Param {name} must be one of {{{}}}", known.join(", ")))),
    };
    let filter = choose("filter", ["toplevel", "stream"])?;
    let order = choose("order", ["chronological", "reverse_chronological"])?;
    choose("live_filter", ["filter_low_quality", "no_filter"])?;
    let since = feed::point(parameters, "since")?;
    call.caller.may_read("pages_read_engagement")?;
    call.caller.may_read("pages_read_user_content")?;
    let below = |comment: &&Comment| {
        let (parent, node) = (comment.parent_id.as_deref(), call.node.as_str());
        match filter.as_str() {
            "stream" if comment.post_id == node => true,
            _ => parent == Some(node) || (parent.is_none() && comment.post_id == node),
        }
    };
    let shown = world.comments.iter().filter(below).filter(|comment| {
        let late_enough = since.is_none_or(|since| comment.created_ms / 1_000 >= since);
        !comment.deleted && late_enough && call.caller.page_id.is_some()
    });
    let mut items = Vec::new();
    for comment in shown {
        let node = world.comment_node(comment, call);
        items.push((comment.id.clone(), fields::show(call, &node, "Comment", &DEFAULT_FIELDS)?));
    }
    if order == "reverse_chronological" {
        items.reverse();
    }
    paging::page(call, &world.settings, &items)
}

/// `POST /{post}/comments` and `/{comment}/comments`, as the page.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["message"])?;
    let own = |post: &&Post| post.id == call.node;
    let page_id = match world.comments.iter().find(|comment| comment.id == call.node) {
        Some(comment) => world.page_of(comment).to_owned(),
        None => world.posts.iter().find(own).map(|post| post.page_id.clone()).unwrap_or_default(),
    };
    call.caller.may_engage(&world.settings, &page_id)?;
    let message = words(call)?;
    let name = world.settings.page(&page_id).map(|page| page.name.clone()).unwrap_or_default();
    let id = world.comment(&call.node, &page_id, &name, &message);
    let id = id.ok_or_else(|| Problem::unsupported("POST", &call.node))?;
    world.made.comments += 1;
    Ok(json!({ "id": id }))
}

fn words(call: &Call) -> Result<String, Problem> {
    let message = call.parameters.get("message").filter(|words| !words.trim().is_empty());
    let message = message.ok_or_else(|| Problem::parameter("The parameter message is required"))?;
    if message.chars().count() > LONGEST {
        return Err(Problem::parameter(format!("Param message must be no longer than {LONGEST} characters")));
    }
    Ok(message.to_owned())
}

/// `GET /{comment}`
pub(super) fn show(world: &World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("pages_read_engagement")?;
    call.caller.may_read("pages_read_user_content")?;
    fields::show(call, &world.comment_node(&world.comments[at], call), "Comment", &DEFAULT_FIELDS)
}

/// `POST /{comment}`: hide it, or change one's own words.
pub(super) fn update(world: &mut World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["is_hidden", "message"])?;
    let page_id = world.page_of(&world.comments[at]).to_owned();
    call.caller.may_engage(&world.settings, &page_id)?;
    let own = world.comments[at].author_id == page_id;
    let message = call.parameters.get("message").map(|_| words(call)).transpose()?;
    let hidden = call.parameters.flag("is_hidden")?;
    if (message.is_some() && !own) || (hidden.is_some() && own) {
        return Err(Problem::may_not());
    }
    let comment = &mut world.comments[at];
    comment.message = message.unwrap_or_else(|| comment.message.clone());
    comment.hidden = hidden.unwrap_or(comment.hidden);
    Ok(json!({ "success": true }))
}

/// `DELETE /{comment}`
pub(super) fn delete(world: &mut World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&[])?;
    let page_id = world.page_of(&world.comments[at]).to_owned();
    call.caller.may_engage(&world.settings, &page_id)?;
    world.comments[at].deleted = true;
    Ok(json!({ "success": true }))
}

//! How posts and users look in answers, by the fields and expansions that were asked for.
//!
//! The names are those of the prose documents (`tweet.fields`, `referenced_tweets`). Every documented name is
//! accepted; what the simulator does not know of a post is left out, as X leaves out what a post does not have.

use serde_json::{Value, json};

use super::clock::Moment;
use super::links;
use super::media::Media;
use super::pairs::Pairs;
use super::posts::Post;
use super::problem::Problem;
use super::settings::Account;
use super::state::World;

/// The query parameters of every read of posts.
pub(super) const QUERY: [&str; 6] =
    ["tweet.fields", "expansions", "user.fields", "media.fields", "poll.fields", "place.fields"];

pub(super) const TWEET_FIELDS: [&str; 22] = [
    "article",
    "attachments",
    "author_id",
    "community_id",
    "context_annotations",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "geo",
    "id",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "possibly_sensitive",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
    "source",
    "text",
];

pub(super) const USER_FIELDS: [&str; 16] = [
    "confirmed_email",
    "created_at",
    "description",
    "entities",
    "id",
    "location",
    "most_recent_tweet_id",
    "name",
    "pinned_tweet_id",
    "profile_image_url",
    "protected",
    "public_metrics",
    "url",
    "username",
    "verified",
    "verified_type",
];

const MEDIA_FIELDS: [&str; 10] = [
    "alt_text",
    "duration_ms",
    "height",
    "media_key",
    "preview_image_url",
    "public_metrics",
    "type",
    "url",
    "variants",
    "width",
];

const EXPANSIONS: [&str; 9] = [
    "attachments.media_keys",
    "attachments.poll_ids",
    "author_id",
    "edit_history_tweet_ids",
    "entities.mentions.username",
    "geo.place_id",
    "in_reply_to_user_id",
    "referenced_tweets.id",
    "referenced_tweets.id.author_id",
];

/// What a caller wants to see of each post, beyond its id and text.
#[derive(Default)]
pub(super) struct Wanted {
    fields: Vec<String>,
    expansions: Vec<String>,
    user_fields: Vec<String>,
    media_fields: Vec<String>,
}

impl Wanted {
    pub(super) fn read(query: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            fields: query.list("tweet.fields", &TWEET_FIELDS)?,
            expansions: query.list("expansions", &EXPANSIONS)?,
            user_fields: query.list("user.fields", &USER_FIELDS)?,
            media_fields: query.list("media.fields", &MEDIA_FIELDS)?,
        })
    }

    fn expands(&self, expansion: &str) -> bool {
        self.expansions.iter().any(|asked| asked == expansion)
    }

    /// Whether a field is shown: asked for by itself, or the one that an expansion follows.
    fn shows(&self, field: &str) -> bool {
        let follows = |expansion: &String| expansion.split('.').next() == Some(field);
        self.fields.iter().any(|asked| asked == field) || self.expansions.iter().any(follows)
    }
}

/// A post.
pub(super) fn post(world: &World, post: &Post, wanted: &Wanted) -> Value {
    let id = post.id.to_string();
    let media: Vec<&Media> = post.media.iter().filter_map(|id| world.shelf.get(*id)).collect();
    let shown = links::shown(&post.text, &id, &post.author.username, &media);
    let text = if world.settings.rewrite_text { &shown.text } else { &post.text };
    let mut view = json!({ "id": id, "text": text, "edit_history_tweet_ids": [id] });
    let mut show = |field: &str, value: Value| {
        if wanted.shows(field) {
            view[field] = value;
        }
    };
    show("author_id", post.author.id.as_str().into());
    show("conversation_id", post.conversation.to_string().into());
    show("created_at", post.created.to_string().into());
    show("public_metrics", json!({ "retweet_count": 0, "reply_count": 0, "like_count": 0, "quote_count": 0 }));
    if !media.is_empty() {
        show("attachments", json!({ "media_keys": media.iter().map(|media| media.key()).collect::<Vec<_>>() }));
    }
    if !shown.urls.is_empty() && world.settings.rewrite_text {
        show("entities", json!({ "urls": shown.urls }));
    }
    if let Some(target) = post.reply_to {
        show("referenced_tweets", json!([{ "type": "replied_to", "id": target.to_string() }]));
        if let Some(target) = world.posts.iter().find(|post| post.id == target) {
            show("in_reply_to_user_id", target.author.id.as_str().into());
        }
    }
    view
}

/// A user.
pub(super) fn user(account: &Account, fields: &[String]) -> Value {
    let Account { id, username, name } = account;
    let mut view = json!({ "id": id, "username": username, "name": name });
    if fields.iter().any(|field| field == "profile_image_url") {
        view["profile_image_url"] = format!("https://pbs.twimg.com/profile_images/{id}/normal.png").into();
    }
    view
}

/// What expansions add beside the posts; nothing if there is nothing to add.
pub(super) fn includes(world: &World, posts: &[&Post], wanted: &Wanted, now: Moment) -> Option<Value> {
    let targets = || posts.iter().filter_map(|post| world.visible(post.reply_to?, now));
    let mut includes = json!({});

    let authors = posts.iter().copied().filter(|_| wanted.expands("author_id"));
    let addressees = targets().filter(|_| wanted.expands("in_reply_to_user_id"));
    let mut users: Vec<&Account> = authors.chain(addressees).map(|post| &post.author).collect();
    users.sort_by_key(|account| &account.id);
    users.dedup();
    if !users.is_empty() {
        includes["users"] = users.into_iter().map(|account| user(account, &wanted.user_fields)).collect();
    }
    if wanted.expands("referenced_tweets.id") && targets().next().is_some() {
        includes["tweets"] = targets().map(|target| post(world, target, wanted)).collect();
    }
    if wanted.expands("attachments.media_keys") && posts.iter().any(|post| !post.media.is_empty()) {
        let media = posts.iter().flat_map(|post| &post.media).filter_map(|id| world.shelf.get(*id));
        includes["media"] = media.map(|media| medium(media, wanted)).collect();
    }
    (includes != json!({})).then_some(includes)
}

fn medium(media: &Media, wanted: &Wanted) -> Value {
    let mut view = json!({ "media_key": media.key(), "type": media.form().name() });
    if let Some(alt_text) = media.alt_text.as_ref().filter(|_| wanted.media_fields.iter().any(|f| f == "alt_text")) {
        view["alt_text"] = alt_text.as_str().into();
    }
    view
}

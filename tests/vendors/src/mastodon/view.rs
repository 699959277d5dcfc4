//! Accounts and statuses as JSON (documented under "Account" and "Status").

use serde_json::{Value, json};

use super::gate::Visit;
use super::html::{html, mentioned};
use super::posts::Post;
use super::settings::Account;
use super::state::World;
use super::text::{Piece, hashtags, pieces};
use crate::clock::Moment;

/// An Account.
pub(super) fn account(world: &World, account: &Account, visit: &Visit) -> Value {
    let origin = &visit.origin;
    let Account { id, username, display_name } = account;
    let own = || world.posts.iter().filter(|post| post.author.id == *id && !post.deleted);
    let last = own().next_back().map(|post| post.created.to_string()[..10].to_owned());
    let (avatar, header) = (format!("{origin}/avatars/missing.png"), format!("{origin}/headers/missing.png"));
    json!({
        "id": id, "username": username, "acct": username, "display_name": display_name, "locked": false,
        "bot": false, "discoverable": true, "indexable": false, "group": false, "noindex": false,
        "created_at": "2022-11-21T00:00:00.000Z", "note": "<p>A simulated account.</p>",
        "url": format!("{origin}/@{username}"), "uri": format!("{origin}/users/{username}"),
        "avatar": avatar, "avatar_static": avatar, "header": header, "header_static": header,
        "followers_count": 0, "following_count": 0, "statuses_count": own().count(), "last_status_at": last,
        "hide_collections": null, "emojis": [], "fields": [], "roles": [],
    })
}

/// A Status.
pub(super) fn status(world: &World, post: &Post, visit: &Visit, now: Moment) -> Value {
    let (id, username, origin) = (post.id, &post.author.username, &visit.origin);
    let accounts = &world.settings.accounts;
    let replied = |id: u64| world.posts.iter().find(|post| post.id == id).map(|post| &post.author.id);
    let replies = world.posts.iter().filter(|reply| reply.reply_to == Some(id) && !reply.deleted).count();
    let media = post.media.iter().filter_map(|id| world.shelf.get(*id));
    let media: Vec<Value> = media.map(|medium| medium.view(origin, &world.settings, now)).collect();
    let mut status = json!({
        "id": id.to_string(), "created_at": post.created.to_string(),
        "in_reply_to_id": post.reply_to.map(|id| id.to_string()),
        "in_reply_to_account_id": post.reply_to.and_then(replied),
        "sensitive": post.words.sensitive, "spoiler_text": post.words.spoiler_text,
        "visibility": post.draft.visibility, "language": post.draft.language.as_deref().unwrap_or("en"),
        "uri": format!("{origin}/users/{username}/statuses/{id}"), "url": format!("{origin}/@{username}/{id}"),
        "replies_count": replies, "reblogs_count": 0, "favourites_count": 0, "quotes_count": 0, "edited_at": null,
        "content": html(&post.words.text, origin, accounts),
        "reblog": null, "application": { "name": "Orla", "website": null },
        "account": account(world, &post.author, visit), "media_attachments": media,
        "mentions": mentions(post, accounts, visit), "tags": tags(post, visit), "emojis": [], "card": null,
        "poll": null, "quote": null, "tagged_collections": [],
        "quote_approval": { "automatic": [], "manual": [], "current_user": "denied" },
    });
    if let Some(viewer) = visit.account() {
        for flag in ["favourited", "reblogged", "muted", "bookmarked"] {
            status[flag] = false.into();
        }
        status["filtered"] = json!([]);
        if viewer.id == post.author.id {
            status["pinned"] = false.into();
        }
    }
    status
}

fn mentions(post: &Post, accounts: &[Account], visit: &Visit) -> Vec<Value> {
    let mut found: Vec<&Account> = Vec::new();
    for piece in pieces(&post.words.text) {
        if let Piece::Mention { whole, name } = piece
            && let Some(account) = mentioned(whole, name, accounts)
            && !found.contains(&account)
        {
            found.push(account);
        }
    }
    let origin = &visit.origin;
    let view = |account: &Account| {
        let Account { id, username, .. } = account;
        json!({ "id": id, "username": username, "acct": username, "url": format!("{origin}/@{username}") })
    };
    found.into_iter().map(view).collect()
}

fn tags(post: &Post, visit: &Visit) -> Vec<Value> {
    let mut names: Vec<String> = hashtags(&post.words.text).map(str::to_lowercase).collect();
    names.sort();
    names.dedup();
    let origin = &visit.origin;
    names.into_iter().map(|name| json!({ "url": format!("{origin}/tags/{name}"), "name": name })).collect()
}

//! Posts of pages: what is kept of them, and what is shown.

use serde::Serialize;
use serde_json::{Value, json};

use super::fields;
use super::gate::Call;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::World;
use crate::clock::Moment;

/// The longest message, in characters.
pub(super) const LONGEST_MESSAGE: usize = 63_206;
/// How far ahead a post is scheduled, in seconds: 10 minutes to 75 days.
const SCHEDULE_S: std::ops::RangeInclusive<u64> = 600..=75 * 86_400;

/// A post that was made, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Post {
    /// The id: the page's, an underscore, digits.
    pub id: String,
    /// The page's id.
    pub page_id: String,
    /// The text as it was sent, or as it was changed to.
    pub message: String,
    /// The link.
    pub link: Option<String>,
    /// The ids of its photos, or of its video.
    pub media: Vec<String>,
    /// Whether it was published at once.
    pub published: bool,
    /// When it is published, in seconds since 1970, if that was put off.
    pub scheduled_s: Option<u64>,
    /// When it was made, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// When something is published.
#[derive(Clone, Copy)]
pub(super) struct Timing {
    pub(super) published: bool,
    pub(super) scheduled_s: Option<u64>,
}

impl Timing {
    pub(super) const PARAMETERS: [&str; 3] = ["published", "scheduled_publish_time", "unpublished_content_type"];

    pub(super) fn read(parameters: &Parameters, now: Moment) -> Result<Self, Problem> {
        let published = parameters.flag("published")?.unwrap_or(true);
        let scheduled_s = parameters.number("scheduled_publish_time")?;
        match parameters.get("unpublished_content_type") {
            None => {}
            Some("SCHEDULED") if scheduled_s.is_some() => {}
            Some("DRAFT" | "PUBLISHED") if scheduled_s.is_none() => {}
            Some(_) => return Err(Problem::parameter("Param unpublished_content_type does not fit")),
        }
        if let Some(at) = scheduled_s {
            if published {
                let words = "You cannot specify a scheduled publish time on a published post";
                return Err(Problem::parameter(words));
            }
            if !SCHEDULE_S.contains(&at.saturating_sub(now.unix_ms() / 1_000)) {
                return Err(Problem::parameter("The specified scheduled publish time is invalid."));
            }
        }
        Ok(Self { published, scheduled_s })
    }
}

impl Post {
    /// Whether everybody can see it by now.
    pub(super) fn is_live(&self, now: Moment) -> bool {
        self.published || self.scheduled_s.is_some_and(|at| at.saturating_mul(1_000) <= now.unix_ms())
    }
}

/// The message, which must not be too long.
pub(super) fn message(parameters: &Parameters, name: &str) -> Result<Option<String>, Problem> {
    let message = parameters.get(name);
    if message.is_some_and(|words| words.chars().count() > LONGEST_MESSAGE) {
        return Err(Problem::parameter(format!("Param {name} must be no longer than {LONGEST_MESSAGE} characters")));
    }
    Ok(message.filter(|words| !words.trim().is_empty()).map(str::to_owned))
}

impl World {
    /// Refuse what the page has just posted (documented: code 506 is for the same post in a row).
    pub(super) fn check_duplicate(
        &self,
        page_id: &str,
        message: &str,
        link: Option<&str>,
        media: &[String],
    ) -> Result<(), Problem> {
        let last = self.posts.iter().rev().find(|post| post.page_id == page_id && !post.deleted);
        let same = |last: &Post| {
            last.message == message && last.link.as_deref() == link && last.media.is_empty() && media.is_empty()
        };
        if self.settings.refuse_duplicates && last.is_some_and(same) { Err(Problem::duplicate()) } else { Ok(()) }
    }

    /// Keep a new post; returns its id.
    pub(super) fn post(
        &mut self,
        page_id: &str,
        message: String,
        link: Option<String>,
        media: Vec<String>,
        timing: Timing,
    ) -> String {
        let (id, created_ms) = (format!("{page_id}_{}", self.next_id()), self.now().unix_ms());
        let Timing { published, scheduled_s } = timing;
        self.posts.push(Post {
            id: id.clone(),
            page_id: page_id.to_owned(),
            message,
            link,
            media,
            published,
            scheduled_s,
            created_ms,
            deleted: false,
        });
        self.made.posts += 1;
        id
    }

    /// Everything that there is to show of a post.
    pub(super) fn post_node(&self, post: &Post, call: &Call) -> Value {
        let page = self.settings.page(&post.page_id);
        let url = |id: &str| format!("https://www.facebook.com/{}", id.replacen('_', "/posts/", 1));
        let attached = post.media.iter().map(|id| {
            let kind = if self.videos.iter().any(|video| video.id == *id) { "video" } else { "photo" };
            let url = format!("https://www.facebook.com/{id}");
            json!({ "media_type": kind, "type": kind, "target": { "id": id, "url": url }, "url": url })
        });
        let shared = post.link.iter().map(|link| json!({ "media_type": "link", "type": "share", "url": link }));
        let attachments: Vec<Value> = attached.chain(shared).collect();
        let attachments = if attachments.is_empty() { Value::Null } else { json!({ "data": attachments }) };
        let status_type = match (&post.link, post.media.len()) {
            (Some(_), _) => "shared_story",
            (None, 0) => "mobile_status_update",
            _ => "added_photos",
        };
        json!({
            "id": post.id, "message": Some(&post.message).filter(|words| !words.is_empty()), "story": Value::Null,
            "created_time": time(post.created_ms), "updated_time": time(post.created_ms),
            "from": page.map(|page| json!({ "name": page.name, "id": page.id })),
            "permalink_url": url(&post.id), "is_published": post.is_live(call.now), "is_hidden": false,
            "is_expired": false, "status_type": status_type, "attachments": attachments,
            "scheduled_publish_time": post.scheduled_s.filter(|_| !post.is_live(call.now)),
            "full_picture": post.media.first().map(|_| format!("{}/pictures/photo.jpg", call.origin)),
        })
    }
}

/// `GET /{post}`
pub(super) fn show(world: &World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("pages_read_engagement")?;
    let node = world.post_node(&world.posts[at], call);
    fields::show(call, &node, "PagePost", &["created_time", "message", "story", "id"])
}

/// `POST /{post}`: only its message can be changed here.
pub(super) fn update(world: &mut World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["message"])?;
    call.caller.may_post(&world.settings, &world.posts[at].page_id)?;
    let message = message(&call.parameters, "message")?;
    world.posts[at].message = message.ok_or_else(|| Problem::parameter("The parameter message is required"))?;
    Ok(json!({ "success": true }))
}

/// `DELETE /{post}`
pub(super) fn delete(world: &mut World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&[])?;
    call.caller.may_post(&world.settings, &world.posts[at].page_id)?;
    world.posts[at].deleted = true;
    Ok(json!({ "success": true }))
}

/// As Facebook writes times: `2026-01-31T12:00:00+0000`.
pub(super) fn time(unix_ms: u64) -> Option<String> {
    let text = Moment::EPOCH.after_ms(unix_ms).to_string();
    text.split_once('.').map(|(seconds, _)| format!("{seconds}+0000"))
}

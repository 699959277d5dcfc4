//! `/{page}/feed` and `/{page}/published_posts`.

use serde_json::{Value, json};
use url::Url;

use super::gate::Call;
use super::parameters::Parameters;
use super::posts::{Timing, message};
use super::problem::Problem;
use super::state::World;
use super::{fields, paging};
use crate::clock::Moment;

/// `POST /{page}/feed`: text, a link or photos that were uploaded before.
pub(super) fn publish(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&[&["message", "link", "attached_media"][..], &Timing::PARAMETERS].concat())?;
    call.caller.may_post(&world.settings, &call.node)?;
    let message = message(&call.parameters, "message")?;
    let link = link(&call.parameters)?;
    let media = attached(world, call)?;
    let timing = Timing::read(&call.parameters, call.now)?;
    if link.is_some() && !media.is_empty() {
        return Err(Problem::strict("a post has a link or photos, and not both."));
    }
    if message.is_none() && link.is_none() && media.is_empty() {
        return Err(Problem::parameter("Missing message or attachment"));
    }
    let message = message.unwrap_or_default();
    world.check_duplicate(&call.node, &message, link.as_deref(), &media)?;
    let id = world.post(&call.node, message, link, media.clone(), timing);
    for photo in world.photos.iter_mut().filter(|photo| media.contains(&photo.id)) {
        photo.post_id = Some(id.clone());
    }
    Ok(json!({ "id": id }))
}

/// A link that Facebook could show a preview of.
fn link(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let Some(link) = parameters.get("link") else { return Ok(None) };
    let invalid = || Problem::new(1500, "(#1500) The url you supplied is invalid");
    let url = Url::parse(link).ok().filter(|url| ["http", "https"].contains(&url.scheme())).ok_or_else(invalid)?;
    let host = url.host_str().ok_or_else(invalid)?;
    if host == "facebook.com" || host.ends_with(".facebook.com") {
        return Err(Problem::new(1_609_008, "(#1609008) You cannot post a link to facebook.com"));
    }
    // Names that never resolve (RFC 6761, 6.4).
    if host.ends_with(".invalid") {
        return Err(Problem::new(1_609_005, "(#1609005) There was a problem scraping data from the provided link."));
    }
    Ok(Some(link.to_owned()))
}

/// The photos of `attached_media`, which must be this page's, unpublished, and used once.
fn attached(world: &World, call: &Call) -> Result<Vec<String>, Problem> {
    let Some(text) = call.parameters.get("attached_media") else { return Ok(Vec::new()) };
    let wrong = || Problem::parameter("Param attached_media must be an array of {\"media_fbid\": \"…\"}");
    let items: Vec<Value> = serde_json::from_str(text).map_err(|_| wrong())?;
    let mut ids = Vec::<String>::new();
    for item in &items {
        let members = item.as_object().filter(|members| members.len() == 1).ok_or_else(wrong)?;
        let id = members.get("media_fbid").and_then(Value::as_str).ok_or_else(wrong)?;
        let usable = world.photos.iter().find(|photo| photo.id == id);
        let usable = usable.filter(|photo| photo.page_id == call.node && !photo.published && photo.post_id.is_none());
        if usable.is_none() || ids.iter().any(|before| before == id) {
            return Err(Problem::parameter(format!("Param attached_media: {id} is no photo that can be attached")));
        }
        ids.push(id.to_owned());
    }
    Ok(ids)
}

/// `GET /{page}/published_posts`, newest first, and `GET /{page}/feed`, which is the same here as nobody else posts.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&[&paging::PARAMETERS[..], &["since", "until", "include_hidden", "show_expired"]].concat())?;
    if call.caller.page_id.is_none() {
        return Err(Problem::person_on_page());
    }
    if !call.caller.is_page(&call.node) {
        return Err(Problem::may_not_read("pages_read_engagement"));
    }
    call.caller.may_read("pages_read_engagement")?;
    let (since, until) = (point(&call.parameters, "since")?, point(&call.parameters, "until")?);
    let mut items = Vec::new();
    for post in world.posts.iter().rev().filter(|post| post.page_id == call.node && !post.deleted) {
        let created_s = post.created_ms / 1_000;
        let within = since.is_none_or(|since| created_s >= since) && until.is_none_or(|until| created_s <= until);
        let lagging = call.now.unix_ms() < post.created_ms.saturating_add(world.settings.read_lag_ms);
        let unready = world.videos.iter().any(|video| post.media.contains(&video.id) && !video.is_ready(world));
        if within && !lagging && !unready && post.is_live(call.now) {
            let node = world.post_node(post, call);
            let shown = fields::show(call, &node, "PagePost", &["created_time", "message", "story", "id"])?;
            items.push((post.id.clone(), shown));
        }
    }
    paging::page(call, &world.settings, &items)
}

/// A point in time, in seconds since 1970: given as such, or by RFC 3339.
pub(super) fn point(parameters: &Parameters, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let seconds = text.parse().ok().or_else(|| Moment::parse(text).map(|moment| moment.unix_ms() / 1_000));
    let wrong = || Problem::parameter(format!("Param {name} must be a valid timestamp or date"));
    seconds.map(Some).ok_or_else(wrong)
}

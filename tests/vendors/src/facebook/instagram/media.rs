//! What was published: `/{account}/media`, `/{account}/stories` and `/{medium}`.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::gate::Call;
use super::super::posts::time;
use super::super::problem::Problem;
use super::super::state::World;
use super::super::{feed, fields, paging};
use super::plan::Kind;

/// How long a story is shown.
const STORY_MS: u64 = 86_400_000;

/// A medium that was published, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Media {
    /// The id: digits.
    pub id: String,
    /// The account's id.
    pub account_id: String,
    /// The container that it was made of.
    pub container_id: String,
    /// What it is.
    pub kind: Kind,
    /// Whether it is a film.
    pub is_film: bool,
    /// Its words.
    pub caption: String,
    /// What stands for it where it cannot be seen.
    pub alt_text: Option<String>,
    /// The containers of a carousel's children.
    pub children: Vec<String>,
    /// The SHA-256 of its bytes, in hexadecimal, unless it is a carousel.
    pub sha256: Option<String>,
    /// When it was published, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
}

impl World {
    fn medium_node(&self, medium: &Media) -> Value {
        let account = self.settings.instagram.account(&medium.account_id);
        let media_type = match (medium.kind, medium.is_film) {
            (Kind::Carousel, _) => "CAROUSEL_ALBUM",
            (_, true) => "VIDEO",
            (_, false) => "IMAGE",
        };
        let product = match medium.kind {
            Kind::Reel => "REELS",
            Kind::Story => "STORY",
            Kind::Image | Kind::Item | Kind::Carousel => "FEED",
        };
        let place = if medium.kind == Kind::Reel { "reel" } else { "p" };
        let shortcode = shortcode(&medium.id);
        let children: Vec<Value> = medium.children.iter().map(|id| json!({ "id": id })).collect();
        let comments = self.instagram.comments.iter().filter(|known| known.media_id == medium.id && !known.deleted);
        json!({
            "id": medium.id, "caption": Some(&medium.caption).filter(|words| !words.is_empty()),
            "media_type": media_type, "media_product_type": product, "timestamp": time(medium.created_ms),
            "permalink": format!("https://www.instagram.com/{place}/{shortcode}/"), "shortcode": shortcode,
            "username": account.map(|account| account.username.as_str()), "alt_text": medium.alt_text,
            "owner": { "id": medium.account_id }, "comments_count": comments.count(), "like_count": 0,
            "is_comment_enabled": true, "media_url": Value::Null,
            "children": Some(json!({ "data": children })).filter(|_| medium.kind == Kind::Carousel),
        })
    }
}

/// The word in a medium's address: another spelling of its number (observed).
fn shortcode(id: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut number: u64 = id.parse().unwrap_or_default();
    let mut word = Vec::new();
    while number > 0 {
        word.push(LETTERS[(number % 64) as usize]);
        number /= 64;
    }
    word.reverse();
    String::from_utf8(word).unwrap_or_default()
}

/// `GET /{account}/media`, and `GET /{account}/stories`, which are of the last day: newest first.
pub(super) fn list(world: &World, call: &Call, edge: &str) -> Result<Value, Problem> {
    call.parameters.only(&[&paging::PARAMETERS[..], &["since", "until"]].concat())?;
    call.caller.may_read("instagram_basic")?;
    let (since, until) = (feed::point(&call.parameters, "since")?, feed::point(&call.parameters, "until")?);
    let now_ms = call.now.unix_ms();
    let mut items = Vec::new();
    for medium in world.instagram.media.iter().rev().filter(|medium| medium.account_id == call.node) {
        let created_s = medium.created_ms / 1_000;
        let within = since.is_none_or(|since| created_s >= since) && until.is_none_or(|until| created_s <= until);
        let lagging = now_ms < medium.created_ms.saturating_add(world.settings.instagram.read_lag_ms);
        let over = medium.kind == Kind::Story && now_ms >= medium.created_ms.saturating_add(STORY_MS);
        if within && !lagging && !over && (medium.kind == Kind::Story) == (edge == "stories") {
            items.push((medium.id.clone(), fields::show(call, &world.medium_node(medium), "Media", &["id"])?));
        }
    }
    paging::page(call, &world.settings, &items)
}

/// `GET /{medium}`
pub(super) fn show(world: &World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("instagram_basic")?;
    fields::show(call, &world.medium_node(&world.instagram.media[at]), "Media", &["id"])
}

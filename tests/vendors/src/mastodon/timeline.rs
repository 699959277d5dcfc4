//! `GET /api/v1/accounts/{id}/statuses`: the statuses of an account, newest first, in pages (documented under
//! "accounts API methods" and "Guidelines").

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::LINK;
use axum::{Extension, Json};
use serde_json::Value;

use super::gate::Visit;
use super::parameters::Parameters;
use super::posts::Post;
use super::problem::Problem;
use super::state::Mastodon;
use super::text::hashtags;
use super::view;
use crate::clock::Moment;

const PARAMETERS: [&str; 8] =
    ["max_id", "since_id", "min_id", "limit", "only_media", "exclude_replies", "exclude_reblogs", "tagged"];
/// What a page's links repeat of the request (observed).
const REPEATED: [&str; 5] = ["limit", "only_media", "exclude_replies", "exclude_reblogs", "tagged"];

const DEFAULT_LIMIT: usize = 20;
const LARGEST_LIMIT: usize = 40;

/// What is asked for.
struct Window {
    limit: usize,
    /// Exclusive bounds of the id.
    above: u64,
    below: u64,
    /// Whether the page is the one next to `above`, and not the newest.
    from_below: bool,
    only_media: bool,
    exclude_replies: bool,
    tagged: Option<String>,
}

impl Window {
    fn read(query: &Parameters) -> Result<Self, Problem> {
        let bound = |name: &str| {
            let wrong = || Problem::strict(format!("{name} must be an id."));
            query.text(name)?.map(|text| text.parse::<u64>().map_err(|_| wrong())).transpose()
        };
        let limit = match query.text("limit")? {
            None => DEFAULT_LIMIT,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| *limit > 0);
                limit.ok_or_else(|| Problem::strict("limit must be a number from 1 on."))?
            }
        };
        query.flag("exclude_reblogs")?;
        let min_id = bound("min_id")?;
        Ok(Self {
            limit: limit.min(LARGEST_LIMIT),
            above: min_id.or(bound("since_id")?).unwrap_or(0),
            below: bound("max_id")?.unwrap_or(u64::MAX),
            from_below: min_id.is_some(),
            only_media: query.flag("only_media")?.unwrap_or(false),
            exclude_replies: query.flag("exclude_replies")?.unwrap_or(false),
            tagged: query.text("tagged")?.map(str::to_lowercase),
        })
    }

    fn holds(&self, post: &Post, replied: Option<&Post>) -> bool {
        // Replies to oneself are no replies here (documented).
        let is_reply = post.reply_to.is_some() && replied.is_none_or(|other| other.author.id != post.author.id);
        let is_tagged = |tag: &String| hashtags(&post.words.text).any(|name| name.to_lowercase() == *tag);
        self.above < post.id
            && post.id < self.below
            && !(self.only_media && post.media.is_empty())
            && !(self.exclude_replies && is_reply)
            && self.tagged.as_ref().is_none_or(is_tagged)
    }
}

/// The statuses of an account.
pub(super) async fn of_account(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<Vec<Value>>), Problem> {
    let now = Moment::now();
    let world = mastodon.world();
    let mut parameters = Parameters::of_query(query.as_deref())?;
    parameters.only(&PARAMETERS, world.settings.unknown_parameters)?;
    let window = Window::read(&parameters)?;
    if world.settings.accounts.iter().all(|known| known.id != account) {
        return Err(Problem::not_found());
    }
    let replied = |post: &Post| post.reply_to.and_then(|id| world.posts.iter().find(|other| other.id == id));
    let of_account = |post: &&Post| {
        post.author.id == account && world.shows(post, visit.account(), now) && window.holds(post, replied(post))
    };
    let mut page: Vec<&Post> = if window.from_below {
        world.posts.iter().filter(of_account).take(window.limit).collect()
    } else {
        world.posts.iter().rev().filter(of_account).take(window.limit).collect()
    };
    if window.from_below {
        page.reverse();
    }
    let path = format!("{}/api/v1/accounts/{account}/statuses", visit.origin);
    let headers = links(&path, query.as_deref(), &page, window.limit);
    Ok((headers, Json(page.into_iter().map(|post| view::status(&world, post, &visit, now)).collect())))
}

/// The `Link` header: to the page before if there is a page, and to the next one if this one is full.
fn links(path: &str, query: Option<&str>, page: &[&Post], limit: usize) -> HeaderMap {
    let link = |bound: &str, id: u64, relation: &str| {
        let given = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let repeated = given.filter(|(name, _)| REPEATED.contains(&name.as_ref()));
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        let pairs = pairs.extend_pairs(repeated).append_pair(bound, &id.to_string()).finish();
        format!("<{path}?{pairs}>; rel=\"{relation}\"")
    };
    let next = page.last().filter(|_| page.len() == limit).map(|oldest| link("max_id", oldest.id, "next"));
    let previous = page.first().map(|newest| link("min_id", newest.id, "prev"));
    let links: Vec<String> = next.into_iter().chain(previous).collect();
    let value = links.join(", ").try_into().ok().filter(|_| !links.is_empty());
    value.map(|value| (LINK, value)).into_iter().collect()
}

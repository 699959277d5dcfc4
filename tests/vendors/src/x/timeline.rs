//! `GET /2/users/{id}/tweets`: the posts of a user, newest first, in pages (documented under "Timelines").

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde_json::{Value, json};

use super::clock::Moment;
use super::pairs::Pairs;
use super::posts::Post;
use super::problem::Problem;
use super::snowflake::id;
use super::state::X;
use super::view::{self, Wanted};

/// How page tokens begin; the rest is the id of the last post of the page before.
const PAGE_PREFIX: &str = "7140dibdnow9c7btw";

/// The window of posts that is asked for.
struct Window {
    max_results: usize,
    /// Exclusive bounds of the id.
    since: u64,
    until: u64,
    start: Option<Moment>,
    end: Option<Moment>,
    replies: bool,
}

impl Window {
    fn read(query: &Pairs) -> Result<Self, Problem> {
        let bound = |name: &str| query.get(name).map(|text| id(name, text)).transpose();
        let time = |name: &str| {
            let parse = |text: &str| {
                let message = format!("The `{name}` query parameter value [{text}] is not an RFC 3339 time");
                Moment::parse(text).ok_or_else(|| Problem::invalid(name, text, message))
            };
            query.get(name).map(parse).transpose()
        };
        let max_results = match query.get("max_results") {
            None => 10,
            Some(text) => text.parse().ok().filter(|count| (5..=100).contains(count)).ok_or_else(|| {
                let message = format!("The `max_results` query parameter value [{text}] is not between 5 and 100");
                Problem::invalid("max_results", text, message)
            })?,
        };
        let page = query.get("pagination_token").map(|token| {
            let last = token.strip_prefix(PAGE_PREFIX).and_then(|hex| u64::from_str_radix(hex, 16).ok());
            last.ok_or_else(|| Problem::invalid("pagination_token", token, "The `pagination_token` is not valid"))
        });
        let until = bound("until_id")?.unwrap_or(u64::MAX).min(page.transpose()?.unwrap_or(u64::MAX));
        let exclude = query.list("exclude", &["replies", "retweets"])?;
        Ok(Self {
            max_results,
            since: bound("since_id")?.unwrap_or(0),
            until,
            start: time("start_time")?,
            end: time("end_time")?,
            replies: !exclude.iter().any(|kind| kind == "replies"),
        })
    }

    fn holds(&self, post: &Post) -> bool {
        self.since < post.id
            && post.id < self.until
            && self.start.is_none_or(|start| start <= post.created)
            && self.end.is_none_or(|end| post.created < end)
            && (self.replies || post.reply_to.is_none())
    }
}

/// The posts of a user.
pub(super) async fn of_user(
    State(x): State<X>,
    Path(user): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let own = ["max_results", "pagination_token", "since_id", "until_id", "start_time", "end_time", "exclude"];
    let query = Pairs::query(query.as_deref(), &[&own[..], &view::QUERY].concat())?;
    let (window, wanted) = (Window::read(&query)?, Wanted::read(&query)?);
    id("id", &user)?;
    let now = Moment::now();
    let world = x.world();
    if world.settings.accounts.iter().all(|account| account.id != user) {
        return Ok(Problem::not_found("user", "id", &user).in_body());
    }
    let of_user = |post: &&Post| post.author.id == user && world.shows(post, now) && window.holds(post);
    let mut page: Vec<&Post> = world.posts.iter().rev().filter(of_user).take(window.max_results + 1).collect();
    let more = page.len() > window.max_results;
    page.truncate(window.max_results);

    let mut answer = json!({ "meta": { "result_count": page.len() } });
    if let (Some(newest), Some(oldest)) = (page.first(), page.last()) {
        answer["meta"]["newest_id"] = newest.id.to_string().into();
        answer["meta"]["oldest_id"] = oldest.id.to_string().into();
        if more {
            answer["meta"]["next_token"] = format!("{PAGE_PREFIX}{:x}", oldest.id).into();
        }
        answer["data"] = page.iter().map(|post| view::post(&world, post, &wanted)).collect();
        if let Some(includes) = view::includes(&world, &page, &wanted, now) {
            answer["includes"] = includes;
        }
    }
    Ok(Json(answer))
}

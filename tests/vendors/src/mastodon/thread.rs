//! `GET /api/v1/statuses/{id}/context`: what a status replies to, and what replies to it (documented under "statuses
//! API methods", the limits for strangers included).

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::gate::Visit;
use super::ids::id;
use super::parameters::Parameters;
use super::posts::Post;
use super::problem::Problem;
use super::state::{Mastodon, World};
use super::view;
use crate::clock::Moment;

/// How much of a thread is shown.
struct Reach {
    ancestors: usize,
    descendants: usize,
    depth: usize,
}

const STRANGER: Reach = Reach { ancestors: 40, descendants: 60, depth: 20 };
const USER: Reach = Reach { ancestors: 4_096, descendants: 4_096, depth: usize::MAX };

/// The thread around a status.
pub(super) async fn context(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    Path(status_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let now = Moment::now();
    let world = mastodon.world();
    Parameters::of_query(query.as_deref())?.only(&[], world.settings.unknown_parameters)?;
    let post = world.visible(id(&status_id)?, visit.account(), now).ok_or_else(Problem::not_found)?;
    let reach = if visit.account().is_some() { USER } else { STRANGER };

    let above = |post: &Post| world.visible(post.reply_to?, visit.account(), now);
    let ancestors = std::iter::successors(above(post), |ancestor| above(ancestor)).take(reach.ancestors);
    let mut ancestors: Vec<&Post> = ancestors.collect();
    ancestors.reverse();
    let descendants = descendants(&world, post, &visit, &reach, now);
    let show = |posts: Vec<&Post>| -> Vec<Value> {
        posts.into_iter().map(|post| view::status(&world, post, &visit, now)).collect()
    };
    Ok(Json(json!({ "ancestors": show(ancestors), "descendants": show(descendants) })))
}

/// Each reply before the replies to it.
fn descendants<'a>(world: &'a World, post: &Post, visit: &Visit, reach: &Reach, now: Moment) -> Vec<&'a Post> {
    let replies = |id: u64, depth: usize| {
        let to = world.posts.iter().rev().filter(move |reply| reply.reply_to == Some(id));
        to.filter(|reply| world.shows(reply, visit.account(), now)).map(move |reply| (reply, depth))
    };
    let mut found = Vec::new();
    let mut ahead: Vec<(&Post, usize)> = replies(post.id, 1).collect();
    while let Some((next, depth)) = ahead.pop() {
        if found.len() == reach.descendants {
            break;
        }
        found.push(next);
        if depth < reach.depth {
            ahead.extend(replies(next.id, depth + 1));
        }
    }
    found
}

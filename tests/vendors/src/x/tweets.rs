//! `/2/tweets` and `/2/users/me`.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::body::Closed;
use super::clock::Moment;
use super::draft::Draft;
use super::gate::Caller;
use super::pairs::Pairs;
use super::problem::Problem;
use super::snowflake::id;
use super::state::X;
use super::view::{self, Wanted};

/// Who am I?
pub(super) async fn me(
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = Pairs::query(query.as_deref(), &["user.fields", "tweet.fields", "expansions"])?;
    let fields = query.list("user.fields", &view::USER_FIELDS)?;
    query.list("tweet.fields", &view::TWEET_FIELDS)?;
    query.list("expansions", &["affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"])?;
    Ok(Json(json!({ "data": view::user(&caller.account, &fields) })))
}

/// Make a post.
pub(super) async fn create(
    State(x): State<X>,
    Extension(caller): Extension<Caller>,
    Closed(draft): Closed<Draft>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut world = x.world();
    let created = world.publish(&caller.account, draft, Moment::now())?;
    let view = view::post(&world, &world.posts[created], &Wanted::default());
    Ok((StatusCode::CREATED, Json(json!({ "data": view }))))
}

/// Delete a post.
pub(super) async fn delete(
    State(x): State<X>,
    Extension(caller): Extension<Caller>,
    Path(post): Path<String>,
) -> Result<Json<Value>, Problem> {
    x.world().delete(&caller.account, id("id", &post)?)?;
    Ok(Json(json!({ "data": { "deleted": true } })))
}

/// Read a post.
pub(super) async fn lookup(
    State(x): State<X>,
    Path(post): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let wanted = Wanted::read(&Pairs::query(query.as_deref(), &view::QUERY)?)?;
    let id = id("id", &post)?;
    let now = Moment::now();
    let world = x.world();
    let Some(post) = world.visible(id, now) else {
        return Ok(Problem::not_found("tweet", "id", &id.to_string()).in_body());
    };
    let mut answer = json!({ "data": view::post(&world, post, &wanted) });
    if let Some(includes) = view::includes(&world, &[post], &wanted, now) {
        answer["includes"] = includes;
    }
    Ok(Json(answer))
}

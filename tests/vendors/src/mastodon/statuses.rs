//! `POST /api/v1/statuses`, `GET` and `DELETE /api/v1/statuses/{id}`, and its `/source` (documented under "statuses API
//! methods").

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::draft::Draft;
use super::gate::Visit;
use super::ids::id;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Mastodon;
use super::view;
use crate::clock::Moment;

/// Post a status.
pub(super) async fn create(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let key = idempotency_key(request.headers())?;
    let (parameters, file) = Parameters::of_body(request).await?;
    if file.is_some() {
        return Err(Problem::strict("a status takes the ids of attachments, and no files."));
    }
    let now = Moment::now();
    let mut world = mastodon.world();
    let draft = Draft::read(parameters, world.settings.unknown_parameters)?;
    let at = world.publish(visit.user()?, draft, key.as_deref(), now)?;
    Ok(Json(view::status(&world, &world.posts[at], &visit, now)))
}

/// Show a status.
pub(super) async fn show(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    Path(status_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let now = Moment::now();
    let world = mastodon.world();
    Parameters::of_query(query.as_deref())?.only(&[], world.settings.unknown_parameters)?;
    let post = world.visible(id(&status_id)?, visit.account(), now).ok_or_else(Problem::not_found)?;
    Ok(Json(view::status(&world, post, &visit, now)))
}

/// Show what a status was made from, so that it can be edited: a StatusSource, since 3.5.
pub(super) async fn source(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    Path(status_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let world = mastodon.world();
    Parameters::of_query(query.as_deref())?.only(&[], world.settings.unknown_parameters)?;
    let post = world.visible(id(&status_id)?, Some(visit.user()?), Moment::now()).ok_or_else(Problem::not_found)?;
    let (text, spoiler_text) = (&post.words.text, &post.words.spoiler_text);
    Ok(Json(json!({ "id": post.id.to_string(), "text": text, "spoiler_text": spoiler_text })))
}

/// Delete a status. The answer has its `text` and no `content`, so that it can be written anew.
pub(super) async fn delete(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    Path(status_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let now = Moment::now();
    let mut world = mastodon.world();
    Parameters::of_query(query.as_deref())?.only(&[], world.settings.unknown_parameters)?;
    let at = world.delete(visit.user()?, id(&status_id)?)?;
    let post = &world.posts[at];
    let mut answer = view::status(&world, post, &visit, now);
    if let Some(members) = answer.as_object_mut() {
        members.remove("content");
        members.insert("text".to_owned(), post.words.text.clone().into());
    }
    Ok(Json(answer))
}

/// The one `Idempotency-Key`; an empty one is none.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    match (given.next(), given.next()) {
        (_, Some(_)) => Err(Problem::strict("there are two Idempotency-Key headers.")),
        (None, None) => Ok(None),
        (Some(key), None) => {
            let key = key.to_str().map_err(|_| Problem::strict("the Idempotency-Key is not ASCII."))?;
            Ok(Some(key.to_owned()).filter(|key| !key.is_empty()))
        }
    }
}

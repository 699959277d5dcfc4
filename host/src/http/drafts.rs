//! Routes for drafts: `/drafts`.

mod versions;

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::paging::Page;
use super::posts::PostView;
use crate::app::App;
use crate::clock::Timestamp;
use crate::drafts::{self, Change, Draft, Writing};
use crate::error::{Error, Problem, Result, Trouble};
use crate::id::{DraftId, PostId};
use crate::posts::content::PostContent;
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type AppState = axum::extract::State<App>;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(find, save, delete))
        .routes(routes!(publish))
        .merge(versions::routes())
}

/// A draft as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDraft {
    /// For a person.
    name: Option<String>,
    /// The post, as `POST /posts` takes it but for its time; as far as it goes.
    #[serde(default)]
    post: PostContent,
    /// The version that this changes, where no `If-Match` names it. A new draft changes none.
    version: Option<i64>,
}

/// A draft as the API shows it.
#[derive(Serialize, ToSchema)]
struct DraftView {
    id: DraftId,
    /// Goes up with each save.
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    post: PostContent,
    /// The post that it became last; absent while it is unused.
    #[serde(skip_serializing_if = "Option::is_none")]
    post_id: Option<PostId>,
    /// Which version of it that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_version: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl DraftView {
    fn of(draft: Draft) -> Result<Self> {
        Ok(Self {
            post: draft.content()?,
            id: draft.id,
            version: draft.version,
            name: draft.name,
            post_id: draft.post_id,
            used_version: draft.used_version,
            created_at: draft.created_at,
            updated_at: draft.updated_at,
        })
    }
}

/// A draft that was saved.
#[derive(Serialize, ToSchema)]
struct SavedDraft {
    #[serde(flatten)]
    draft: DraftView,
    /// What would be refused if it went out now, by fields such as `variants/0/parts/0/text`. It is saved all the same.
    problems: Vec<Trouble>,
}

/// A change of a version that is not the present one.
#[derive(Serialize, ToSchema)]
struct StaleDraft {
    /// One sentence for a person.
    detail: &'static str,
    /// `stale_draft`.
    code: &'static str,
    /// The draft as it is now.
    current: DraftView,
}

/// The present version of a draft, as an entity tag.
fn tagged(version: i64, answer: impl Serialize, status: StatusCode) -> Response {
    (status, [(header::ETAG, format!("\"{version}\""))], Json(answer)).into_response()
}

/// The answer to a save.
async fn saved(app: &App, caller: Caller, draft: Draft, status: StatusCode) -> Result<Response> {
    let problems = Box::pin(drafts::problems(app, caller.workspace, &draft)).await?;
    Ok(tagged(draft.version, SavedDraft { draft: DraftView::of(draft)?, problems }, status))
}

/// The answer to who did not know of the latest save.
fn stale(draft: Draft) -> Result<Response> {
    let detail =
        "Somebody has saved this draft meanwhile. `current` shows it; take what is new over, and name its version.";
    let (version, current) = (draft.version, DraftView::of(draft)?);
    Ok(tagged(version, StaleDraft { detail, code: "stale_draft", current }, StatusCode::CONFLICT))
}

/// The version that a request changes: by `If-Match`, or by its body.
fn known_version(headers: &HeaderMap, named: Option<i64>) -> Result<i64> {
    if let Some(tag) = headers.get(header::IF_MATCH) {
        let tag = tag.to_str().unwrap_or_default().trim();
        let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
        let unreadable = || Error::Malformed("`If-Match` takes the version of the draft, such as \"3\".".to_owned());
        return number.parse().map_err(|_| unreadable());
    }
    named.ok_or_else(|| Error::invalid("version", "Say which version you changed, here or as `If-Match`."))
}

/// Begin a draft. What is wrong with it is told in `problems`, and it is saved all the same; media are fetched for that, for 20
/// seconds at most.
#[utoipa::path(post, path = "/drafts", tag = "drafts", security(("bearer" = [])), request_body = NewDraft, responses(
    (status = 201, description = "Saved", body = SavedDraft),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "The workspace has too many drafts", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "It is too large, or its name too long", body = Problem),
))]
async fn create(axum::extract::State(app): AppState, caller: Caller, Body(new): Body<NewDraft>) -> Result<Response> {
    let writing = Writing { name: new.name, content: new.post, restores: None };
    let draft = drafts::create(&app, caller.workspace, caller.user, &writing).await?;
    saved(&app, caller, draft, StatusCode::CREATED).await
}

/// A page of drafts.
#[derive(Serialize, ToSchema)]
struct Drafts {
    /// Newest first, by when they were begun.
    items: Vec<DraftView>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<DraftId>,
}

/// List the drafts, newest first.
#[utoipa::path(get, path = "/drafts", tag = "drafts", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Drafts),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(axum::extract::State(app): AppState, caller: Caller, Query(page): Query<Page>) -> Result<Json<Drafts>> {
    let mut tx = app.db().read().await?;
    let mut found = drafts::list(&mut tx, caller.workspace, page.cursor.map(DraftId), page.to_read()?).await?;
    let next_cursor = page.cut(&mut found).map(|last| last.id);
    let items = found.into_iter().map(DraftView::of).collect::<Result<_>>()?;
    Ok(Json(Drafts { items, next_cursor }))
}

/// Show a draft. Its `ETag` is its version.
#[utoipa::path(get, path = "/drafts/{id}", tag = "drafts", security(("bearer" = [])),
    params(("id" = DraftId, Path, description = "The draft")), responses(
    (status = 200, description = "The draft", body = DraftView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such draft", body = Problem),
))]
async fn find(axum::extract::State(app): AppState, caller: Caller, Path(id): Path<DraftId>) -> Result<Response> {
    let draft = drafts::find(&mut app.db().read().await?, caller.workspace, id).await?;
    Ok(tagged(draft.version, DraftView::of(draft)?, StatusCode::OK))
}

/// Save a draft whole, as a new version. Name the version that you changed, in `version` or as `If-Match`: where somebody else
/// has saved meanwhile, nothing is saved, and `current` shows what is there.
#[utoipa::path(put, path = "/drafts/{id}", tag = "drafts", security(("bearer" = [])),
    params(
        ("id" = DraftId, Path, description = "The draft"),
        ("If-Match" = Option<String>, Header, description = "The version that this changes, such as `\"3\"`"),
    ),
    request_body = NewDraft, responses(
    (status = 200, description = "Saved", body = SavedDraft),
    (status = 400, description = "The body or `If-Match` cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such draft", body = Problem),
    (status = 409, description = "It is another version by now", body = StaleDraft),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "It is too large, its name too long, or no version is named", body = Problem),
))]
async fn save(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<DraftId>,
    headers: HeaderMap,
    Body(new): Body<NewDraft>,
) -> Result<Response> {
    drafts::find(&mut app.db().read().await?, caller.workspace, id).await?;
    let version = known_version(&headers, new.version)?;
    let writing = Writing { name: new.name, content: new.post, restores: None };
    match drafts::save(&app, (caller.workspace, caller.user), id, version, &writing).await? {
        Change::Made(draft) => saved(&app, caller, draft, StatusCode::OK).await,
        Change::Stale(draft) => stale(draft),
    }
}

/// Delete a draft with all its versions. The posts that it became stay.
#[utoipa::path(delete, path = "/drafts/{id}", tag = "drafts", security(("bearer" = [])),
    params(("id" = DraftId, Path, description = "The draft")), responses(
    (status = 204, description = "Deleted"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such draft", body = Problem),
))]
async fn delete(axum::extract::State(app): AppState, caller: Caller, Path(id): Path<DraftId>) -> Result<StatusCode> {
    drafts::delete(&app, caller.workspace, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which version is to go out, and when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Going {
    /// The version; the present one.
    version: Option<i64>,
    /// When it is to go out; at once where absent.
    publish_at: Option<Timestamp>,
}

/// Publish the present version of a draft. A version goes out once: asked for again, it is the same post.
#[utoipa::path(post, path = "/drafts/{id}/publish", tag = "drafts", security(("bearer" = [])),
    params(
        ("id" = DraftId, Path, description = "The draft"),
        ("If-Match" = Option<String>, Header, description = "The version that is meant, such as `\"3\"`"),
    ),
    request_body = Going, responses(
    (status = 202, description = "Taken in, or taken in before", body = PostView),
    (status = 400, description = "The body or `If-Match` cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 402, description = "Not enough credits for all variants", body = Problem),
    (status = 404, description = "No such draft", body = Problem),
    (status = 409, description = "It is another version by now", body = StaleDraft),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "It is incomplete or breaks a rule, or no version is named", body = Problem),
    (status = 502, description = "A connector failed", body = Problem),
    (status = 503, description = "No price is set, or a connector is not loaded", body = Problem),
))]
async fn publish(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<DraftId>,
    headers: HeaderMap,
    Body(going): Body<Going>,
) -> Result<Response> {
    drafts::find(&mut app.db().read().await?, caller.workspace, id).await?;
    let version = known_version(&headers, going.version)?;
    let who = (caller.workspace, caller.user);
    match Box::pin(drafts::publish(&app, who, id, version, going.publish_at)).await? {
        Change::Made(post) => {
            Ok((StatusCode::ACCEPTED, Json(PostView::read(&app, caller, post).await?)).into_response())
        }
        Change::Stale(draft) => stale(draft),
    }
}

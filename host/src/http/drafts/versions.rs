//! Routes for what drafts were: `/drafts/{id}/versions`.

use super::super::body::{Body, Path};
use super::super::caller::Caller;
use super::{AppState, SavedDraft, StaleDraft, known_version, saved, stale};
use crate::app::App;
use crate::clock::Timestamp;
use crate::drafts::versions::{self, Version};
use crate::drafts::{self, Change};
use crate::error::{Problem, Result};
use crate::id::{DraftId, UserId};
use crate::posts::content::PostContent;
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(find)).routes(routes!(restore))
}

/// A version of a draft, without what it said.
#[derive(Serialize, ToSchema)]
struct VersionView {
    version: i64,
    /// Who saved it.
    author_id: UserId,
    /// The draft's name then.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The version that was taken up again; absent where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    restores: Option<i64>,
    created_at: Timestamp,
}

impl VersionView {
    fn of(version: Version) -> Self {
        let Version { version, author_id, name, restores, created_at, .. } = version;
        Self { version, author_id, name, restores, created_at }
    }
}

/// The versions of a draft.
#[derive(Serialize, ToSchema)]
struct Versions {
    /// Newest first, the present one included; 100 at most are kept.
    items: Vec<VersionView>,
}

/// List the versions of a draft, newest first.
#[utoipa::path(get, path = "/drafts/{id}/versions", tag = "drafts", security(("bearer" = [])),
    params(("id" = DraftId, Path, description = "The draft")), responses(
    (status = 200, description = "All that are kept", body = Versions),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such draft", body = Problem),
))]
async fn list(axum::extract::State(app): AppState, caller: Caller, Path(id): Path<DraftId>) -> Result<Json<Versions>> {
    let found = versions::list(&mut app.db().read().await?, caller.workspace, id).await?;
    Ok(Json(Versions { items: found.into_iter().map(VersionView::of).collect() }))
}

/// A version of a draft, with what it said.
#[derive(Serialize, ToSchema)]
struct VersionDetail {
    #[serde(flatten)]
    version: VersionView,
    post: PostContent,
}

/// Show a version of a draft.
#[utoipa::path(get, path = "/drafts/{id}/versions/{version}", tag = "drafts", security(("bearer" = [])),
    params(("id" = DraftId, Path, description = "The draft"), ("version" = i64, Path, description = "The version")),
    responses(
    (status = 200, description = "The version", body = VersionDetail),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such draft, or no such version of it", body = Problem),
))]
async fn find(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path((id, version)): Path<(DraftId, i64)>,
) -> Result<Json<VersionDetail>> {
    let version = versions::of(&mut app.db().read().await?, caller.workspace, id, version).await?;
    let post = version.content()?;
    Ok(Json(VersionDetail { version: VersionView::of(version), post }))
}

/// The version that is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Replaced {
    /// The present version, where no `If-Match` names it.
    version: Option<i64>,
}

/// Take a version of a draft up again, as a new version. Name the present one, in `version` or as `If-Match`.
#[utoipa::path(post, path = "/drafts/{id}/versions/{version}/restore", tag = "drafts", security(("bearer" = [])),
    params(
        ("id" = DraftId, Path, description = "The draft"),
        ("version" = i64, Path, description = "The version to take up again"),
        ("If-Match" = Option<String>, Header, description = "The present version, such as `\"3\"`"),
    ),
    request_body = Replaced, responses(
    (status = 200, description = "Saved", body = SavedDraft),
    (status = 400, description = "The body or `If-Match` cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such draft, or no such version of it", body = Problem),
    (status = 409, description = "It is another version by now", body = StaleDraft),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "No version is named", body = Problem),
))]
async fn restore(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path((id, version)): Path<(DraftId, i64)>,
    headers: HeaderMap,
    Body(replaced): Body<Replaced>,
) -> Result<Response> {
    drafts::find(&mut app.db().read().await?, caller.workspace, id).await?;
    let (known, who) = (known_version(&headers, replaced.version)?, (caller.workspace, caller.user));
    match versions::restore(&app, who, (id, version), known).await? {
        Change::Made(draft) => saved(&app, caller, draft, StatusCode::OK).await,
        Change::Stale(draft) => stale(draft),
    }
}

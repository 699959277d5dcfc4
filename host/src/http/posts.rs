//! Routes for posts that go to several accounts: `/posts`.

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::paging::Page;
use super::publications::{PublicationView, idempotency_key};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Problem, Result};
use crate::id::{DraftId, PostId};
use crate::posts::content::{PostContent, VariantContent};
use crate::posts::planning::{self, Plan, Unmoved};
use crate::posts::{self, Origin, Post};
use crate::publications::{Part, Publication};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type AppState = axum::extract::State<App>;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(find, reschedule)).routes(routes!(cancel))
}

/// A post: its variants, what they share, and when they go out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WholePost {
    /// A variant for each account, or target of one, that it goes to. What a variant says stands in place of what is shared.
    variants: Vec<VariantContent>,
    /// When it is to go out; at once where absent.
    publish_at: Option<Timestamp>,
    /// The text of a post of one part.
    content: Option<String>,
    /// Where the media of a post of one part are to be had.
    media_urls: Option<Vec<String>>,
    /// A thread, instead of the two above.
    parts: Option<Vec<Part>>,
    /// The title, where the network gives posts one.
    title: Option<String>,
    /// A web page that it is about.
    link: Option<String>,
    /// What the account itself says below it.
    first_comment: Option<String>,
    /// Who may see it, in the network's own word.
    privacy: Option<String>,
    /// What else there is to choose at the network, by name.
    extras: Option<BTreeMap<String, Value>>,
}

impl WholePost {
    fn into_content(self) -> (PostContent, Option<Timestamp>) {
        let Self { variants, publish_at, content, media_urls, parts, title, link, first_comment, privacy, extras } =
            self;
        let variants = Some(variants);
        let content = PostContent { variants, content, media_urls, parts, title, link, first_comment, privacy, extras };
        (content, publish_at)
    }
}

/// A post as the API shows it.
#[derive(Serialize, ToSchema)]
pub(super) struct PostView {
    id: PostId,
    /// When it was to go out, as it was wished for first; absent where that was at once. Its publications say when they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_at: Option<Timestamp>,
    /// The draft that it was made from; it may be gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    draft_id: Option<DraftId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    draft_version: Option<i64>,
    created_at: Timestamp,
    /// One for each variant, in their order, and after those what was tried again or completed.
    publications: Vec<PublicationView>,
}

impl PostView {
    fn of(post: &Post, publications: Vec<Publication>) -> Result<Self> {
        let Post { id, publish_at, draft_id, draft_version, created_at, .. } = *post;
        let publications = publications.into_iter().map(PublicationView::of).collect::<Result<_>>()?;
        Ok(Self { id, publish_at, draft_id, draft_version, created_at, publications })
    }

    /// A workspace's post as it is now.
    pub(super) async fn read(app: &App, caller: Caller, id: PostId) -> Result<Self> {
        let (post, publications) = posts::find(&mut app.db().read().await?, caller.workspace, id).await?;
        Self::of(&post, publications)
    }
}

/// Publish a post at several accounts, at once or at a time of its own. All variants are taken in, or none is: what is wrong is
/// told for each of them in `problems`, by fields such as `variants/1/parts/0/text`. Workers carry it out: look at
/// `/posts/{id}`.
#[utoipa::path(post, path = "/posts", tag = "posts", security(("bearer" = [])), request_body = WholePost,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition publishes nothing more")),
    responses(
    (status = 202, description = "Taken in, or taken in before under the same key", body = PostView),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 402, description = "Not enough credits for all variants", body = Problem),
    (status = 409, description = "The key was used for another post", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "A variant breaks a rule, or names no account that can be posted to", body = Problem),
    (status = 502, description = "A connector failed", body = Problem),
    (status = 503, description = "No price is set, or a connector is not loaded", body = Problem),
))]
async fn create(
    axum::extract::State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Body(new): Body<WholePost>,
) -> Result<(StatusCode, Json<PostView>)> {
    let (key, (content, publish_at)) = (idempotency_key(&headers)?, new.into_content());
    let (who, origin) = ((caller.workspace, caller.user), Origin::Client(key.as_deref()));
    let post = Box::pin(posts::create(&app, who, &content, publish_at, origin)).await?;
    Ok((StatusCode::ACCEPTED, Json(PostView::read(&app, caller, post).await?)))
}

/// A page of posts.
#[derive(Serialize, ToSchema)]
struct Posts {
    /// Newest first.
    items: Vec<PostView>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<PostId>,
}

/// List the posts, newest first.
#[utoipa::path(get, path = "/posts", tag = "posts", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Posts),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(axum::extract::State(app): AppState, caller: Caller, Query(page): Query<Page>) -> Result<Json<Posts>> {
    let mut tx = app.db().read().await?;
    let mut found = posts::list(&mut tx, caller.workspace, page.cursor.map(PostId), page.to_read()?).await?;
    let next_cursor = page.cut(&mut found).map(|last| last.id);
    let mut publications = posts::publications(&mut tx, caller.workspace, &found).await?;
    let items = found.into_iter().map(|post| {
        let publications = publications.remove(&post.id).unwrap_or_default();
        PostView::of(&post, publications)
    });
    Ok(Json(Posts { items: items.collect::<Result<_>>()?, next_cursor }))
}

/// Show a post with its publications.
#[utoipa::path(get, path = "/posts/{id}", tag = "posts", security(("bearer" = [])),
    params(("id" = PostId, Path, description = "The post")), responses(
    (status = 200, description = "The post", body = PostView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such post", body = Problem),
))]
async fn find(axum::extract::State(app): AppState, caller: Caller, Path(id): Path<PostId>) -> Result<Json<PostView>> {
    Ok(Json(PostView::read(&app, caller, id).await?))
}

/// A post after a change, and what of it could not be changed.
#[derive(Serialize, ToSchema)]
struct ChangedPost {
    #[serde(flatten)]
    post: PostView,
    /// The publications that stayed as they were, and why.
    unchanged: Vec<Unmoved>,
}

/// Another time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PostTime {
    /// When it is to go out.
    publish_at: Timestamp,
}

/// Give the publications of a post that are still scheduled another time. `unchanged` names the others.
#[utoipa::path(patch, path = "/posts/{id}", tag = "posts", security(("bearer" = [])),
    params(("id" = PostId, Path, description = "The post")), request_body = PostTime, responses(
    (status = 200, description = "At least one goes out then", body = ChangedPost),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such post", body = Problem),
    (status = 409, description = "None of them is scheduled any more", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The time is past, or too far ahead", body = Problem),
))]
async fn reschedule(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PostId>,
    Body(new): Body<PostTime>,
) -> Result<Json<ChangedPost>> {
    change(&app, caller, id, Plan::At(new.publish_at)).await
}

/// Cancel the publications of a post of which nothing is live. Their credits are free again. `unchanged` names the others.
#[utoipa::path(post, path = "/posts/{id}/cancel", tag = "posts", security(("bearer" = [])),
    params(("id" = PostId, Path, description = "The post")), responses(
    (status = 200, description = "At least one does not go out", body = ChangedPost),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such post", body = Problem),
    (status = 409, description = "Each of them is being published, has ended, or is live in part", body = Problem),
))]
async fn cancel(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PostId>,
) -> Result<Json<ChangedPost>> {
    change(&app, caller, id, Plan::Cancelled).await
}

async fn change(app: &App, caller: Caller, id: PostId, plan: Plan) -> Result<Json<ChangedPost>> {
    let unchanged = planning::change(app, caller.workspace, id, plan).await?;
    Ok(Json(ChangedPost { post: PostView::read(app, caller, id).await?, unchanged }))
}

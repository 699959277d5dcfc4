//! Routes under `/social/engagement`: comments, and replies to them.

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::paging::Page;
use super::publications::{Finding, idempotency_key};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::Committed;
use crate::connectors::fault::Fault;
use crate::connectors::work::PartOutcome;
use crate::engagement::{self, CommentListing, Which, Wish};
use crate::error::{Error, Problem, Result};
use crate::id::{ConnectionId, PublicationId};
use crate::publications::timeline::{self, Event, Step};
use crate::publications::{self, Kind, Publication, State, reconciling};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type AppState = axum::extract::State<App>;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(comments))
        .routes(routes!(list_replies, reply))
        .routes(routes!(find_reply))
        .routes(routes!(resolve_reply))
}

/// Which post: a publication, or one by its network's id.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Commented {
    /// A publication; of a thread, its first part is meant.
    publication_id: Option<PublicationId>,
    /// The connection, with `post`.
    connection_id: Option<ConnectionId>,
    /// The network's id of a post, with `connection_id`.
    post: Option<String>,
    /// The page, blog or board where the post stands, with `post` where the account has several.
    target: Option<String>,
    /// The `next_cursor` of the page before, with the same post.
    cursor: Option<String>,
}

impl Commented {
    fn which(self) -> Result<(Which, Option<String>)> {
        let which = match self {
            Self { publication_id: Some(id), connection_id: None, post: None, target: None, .. } => {
                Which::Publication(id)
            }
            Self { publication_id: None, connection_id: Some(connection), post: Some(id), target, .. } => {
                Which::Post { connection, target, id }
            }
            _ => {
                let detail = "Give either `publication_id`, or `connection_id` and `post`.".to_owned();
                return Err(Error::Malformed(detail));
            }
        };
        Ok((which, self.cursor))
    }
}

/// List the comments on a post, replies to comments included.
#[utoipa::path(get, path = "/social/engagement/comments", tag = "engagement", security(("bearer" = [])),
    params(Commented), responses(
    (status = 200, description = "A page", body = CommentListing),
    (status = 400, description = "A parameter cannot be read, or no post is named", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such publication, connection or post", body = Problem),
    (status = 409, description = "It is not published, the network no longer honours the connection, several targets could be meant, or the connector lists no comments", body = Problem),
    (status = 422, description = "The cursor is another list's, or the network refuses the id", body = Problem),
    (status = 502, description = "The network failed", body = Problem),
    (status = 503, description = "The network is down or asks to slow down, or the connector is not loaded", body = Problem),
))]
async fn comments(
    axum::extract::State(app): AppState,
    caller: Caller,
    Query(commented): Query<Commented>,
) -> Result<Json<CommentListing>> {
    let (which, cursor) = commented.which()?;
    Ok(Json(engagement::comments(&app, caller.workspace, which, cursor.as_deref()).await?))
}

/// What to say to which comment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAnswer {
    /// The connection that the comment was listed for.
    connection_id: ConnectionId,
    /// The `id` of a comment that was listed.
    comment_id: String,
    /// What to say.
    text: String,
}

/// A reply as the API shows it.
#[derive(Serialize, ToSchema)]
struct ReplyView {
    id: PublicationId,
    connection_id: ConnectionId,
    platform: String,
    /// What says it; absent where that is the account itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// The connector that carries it out.
    connector: String,
    /// The network's id of the comment.
    comment_vendor_id: Option<String>,
    /// What was asked to be said.
    text: String,
    state: State,
    /// What the network calls the reply; absent until it is published.
    receipt: Option<Committed>,
    /// Why it failed, or waits.
    fault: Option<Fault>,
    /// Credits reserved, or charged once it is published.
    price: i64,
    /// Runs of the connector so far.
    attempts: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl ReplyView {
    fn of(reply: Publication) -> Result<Self> {
        let made = reply.receipt()?.unwrap_or_default().into_iter().next().and_then(|part| match part {
            PartOutcome::Done { committed, .. } => Some(committed),
            PartOutcome::Missing { .. } => None,
        });
        Ok(Self {
            text: reply.parts()?.into_iter().map(|part| part.text).collect(),
            state: reply.state()?,
            receipt: made,
            fault: reply.fault()?,
            id: reply.id,
            connection_id: reply.connection_id,
            platform: reply.platform,
            target: reply.target,
            connector: reply.connector,
            comment_vendor_id: reply.reply_to,
            price: reply.price,
            attempts: reply.attempts,
            created_at: reply.created_at,
            updated_at: reply.updated_at,
            finished_at: reply.finished_at,
        })
    }
}

/// Reply to a comment. It is taken in at once and carried out by a worker; look at `/social/engagement/replies/{id}` for its
/// outcome.
#[utoipa::path(post, path = "/social/engagement/replies", tag = "engagement", security(("bearer" = [])),
    request_body = NewAnswer,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition says nothing more")),
    responses(
    (status = 202, description = "Taken in, or taken in before under the same key", body = ReplyView),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 402, description = "Not enough credits", body = Problem),
    (status = 404, description = "No such connection, or a comment that was not listed for it", body = Problem),
    (status = 409, description = "A revoked connection, a connector that does not reply, or a key that was used for something else", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "There is no text, or too much of it", body = Problem),
    (status = 503, description = "No price is set, or the connector is not loaded", body = Problem),
))]
async fn reply(
    axum::extract::State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Body(answer): Body<NewAnswer>,
) -> Result<(StatusCode, Json<ReplyView>)> {
    let NewAnswer { connection_id: connection, comment_id: comment, text } = answer;
    let wish = Wish { connection, comment, text, idempotency_key: idempotency_key(&headers)? };
    let reply = engagement::reply(&app, caller.workspace, caller.user, wish).await?;
    Ok((StatusCode::ACCEPTED, Json(ReplyView::of(reply)?)))
}

/// A page of replies.
#[derive(Serialize, ToSchema)]
struct Replies {
    /// Newest first.
    items: Vec<ReplyView>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<PublicationId>,
}

/// List the replies, newest first.
#[utoipa::path(get, path = "/social/engagement/replies", tag = "engagement", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Replies),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list_replies(
    axum::extract::State(app): AppState,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Replies>> {
    let before = page.cursor.map(PublicationId);
    let mut tx = app.db().read().await?;
    let mut found = publications::list(&mut tx, caller.workspace, Kind::Reply, before, page.to_read()?).await?;
    let next_cursor = page.cut(&mut found).map(|last| last.id);
    let items = found.into_iter().map(ReplyView::of).collect::<Result<_>>()?;
    Ok(Json(Replies { items, next_cursor }))
}

/// A reply with all that happened to it.
#[derive(Serialize, ToSchema)]
struct ReplyDetail {
    #[serde(flatten)]
    reply: ReplyView,
    /// Every move, oldest first.
    timeline: Vec<Event>,
    /// What it has done, or tried to do, at the network.
    steps: Vec<Step>,
}

/// Show a reply with its timeline.
#[utoipa::path(get, path = "/social/engagement/replies/{id}", tag = "engagement", security(("bearer" = [])),
    params(("id" = PublicationId, Path, description = "The reply")), responses(
    (status = 200, description = "The reply", body = ReplyDetail),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such reply", body = Problem),
))]
async fn find_reply(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
) -> Result<Json<ReplyDetail>> {
    let mut tx = app.db().read().await?;
    let reply = publications::find(&mut tx, caller.workspace, Kind::Reply, id).await?;
    let (timeline, steps) = (timeline::events(&mut tx, id).await?, timeline::steps(&mut tx, id).await?);
    Ok(Json(ReplyDetail { reply: ReplyView::of(reply)?, timeline, steps }))
}

/// Say what became of a reply of which nobody knows whether it reached the network.
#[utoipa::path(post, path = "/social/engagement/replies/{id}/resolve", tag = "engagement", security(("bearer" = [])),
    params(("id" = PublicationId, Path, description = "The reply")), request_body = Finding, responses(
    (status = 202, description = "Taken; the reply goes on", body = ReplyView),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such reply", body = Problem),
    (status = 409, description = "It is not uncertain, or what is named is another reply's", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The id is missing", body = Problem),
))]
async fn resolve_reply(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
    Body(finding): Body<Finding>,
) -> Result<(StatusCode, Json<ReplyView>)> {
    let word = finding.word()?;
    let reply = reconciling::resolve(&app, caller.workspace, (Kind::Reply, id), &finding.key, word).await?;
    Ok((StatusCode::ACCEPTED, Json(ReplyView::of(reply)?)))
}

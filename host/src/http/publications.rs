//! Routes for publishing: `/social/publish` and `/social/publications`.

mod planning;
mod view;
pub(super) mod waiting;

pub(super) use view::PublicationView;

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::paging::Page;
use crate::app::App;
use crate::connectors::Committed;
use crate::error::{Error, Problem, Result};
use crate::id::{ConnectionId, PublicationId};
use crate::publications::reconciling::{self, Word};
use crate::publications::timeline::{self, Event, Step};
use crate::publications::{self, Kind, MediaSource, NewPublication, OnDuplicate, Part, VariantMore, When, completing};
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
    OpenApiRouter::new()
        .routes(routes!(publish))
        .routes(routes!(list))
        .routes(routes!(find))
        .routes(routes!(resolve))
        .merge(planning::routes())
}

/// What to publish. Give `content` and `media_urls` for one post, or `parts` for a thread.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPost {
    /// The network, such as `twitter`.
    platform: String,
    /// The connection, where the workspace has several at the network.
    connection_id: Option<ConnectionId>,
    /// The page, blog or board to post to, where the account has several.
    target: Option<String>,
    /// When it is to go out: a moment, or `next_free_slot` of the connection's queue; at once where absent.
    publish_at: Option<When>,
    /// What becomes of it where nearly the same goes to this account within the hour.
    #[serde(default)]
    on_duplicate: OnDuplicate,
    /// The text.
    content: Option<String>,
    /// Where the media are to be had.
    #[serde(default)]
    media_urls: Vec<String>,
    /// A thread, instead of the two above.
    #[serde(default)]
    parts: Vec<Part>,
    /// The title, where the network gives posts one.
    title: Option<String>,
    /// A web page that it is about.
    link: Option<String>,
    /// What the account itself says below it. Its outcome is the last of the receipt.
    first_comment: Option<String>,
    /// Who may see it, in the network's own word.
    privacy: Option<String>,
    /// What else there is to choose at the network, by name.
    #[serde(default)]
    extras: BTreeMap<String, Value>,
}

impl NewPost {
    pub(super) fn into_publication(self, idempotency_key: Option<String>) -> Result<NewPublication> {
        let single = self.content.is_some() || !self.media_urls.is_empty();
        if single && !self.parts.is_empty() {
            return Err(Error::invalid("parts", "Give either `content` and `media_urls`, or `parts`."));
        }
        let parts = if single {
            let media = self.media_urls.into_iter().map(|url| MediaSource { url, alt_text: None }).collect();
            vec![Part { text: self.content.unwrap_or_default(), media }]
        } else {
            self.parts
        };
        let Self { platform, connection_id: connection, target, publish_at, on_duplicate, extras, .. } = self;
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let more = VariantMore {
            title: text(self.title),
            link: text(self.link),
            first_comment: text(self.first_comment),
            privacy: text(self.privacy),
            extras,
        };
        Ok(NewPublication { platform, connection, target, parts, more, publish_at, on_duplicate, idempotency_key })
    }
}

/// A publication with all that happened to it.
#[derive(Serialize, ToSchema)]
struct PublicationDetail {
    #[serde(flatten)]
    publication: PublicationView,
    /// Every move, oldest first.
    timeline: Vec<Event>,
    /// What it has done, or tried to do, at the network.
    steps: Vec<Step>,
    /// The publication that publishes what is missing of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_by: Option<PublicationId>,
}

/// Publish a post, at once or at a time of its own. It is taken in and carried out by a worker: ask with `Prefer: wait=10` to
/// have its outcome, where that takes no longer, or look at `/social/publications/{id}`.
#[utoipa::path(post, path = "/social/publish", tag = "publishing", security(("bearer" = [])), request_body = NewPost,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition publishes nothing more"),
        ("Prefer" = Option<String>, Header, description = "`wait=10` waits for the outcome, 60 seconds at most"),
    ),
    responses(
    (status = 200, description = "It has ended within the time that the client waits", body = PublicationView),
    (status = 202, description = "Taken in, or taken in before under the same key", body = PublicationView),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 402, description = "Not enough credits", body = Problem),
    (status = 404, description = "No such connection", body = Problem),
    (status = 409, description = "No account, several accounts, a revoked one, no free slot, a near duplicate that is to be refused, or a key that was used for another post", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The post breaks a rule of the network", body = Problem),
    (status = 502, description = "The connector failed", body = Problem),
    (status = 503, description = "No price is set, or the connector is not loaded", body = Problem),
))]
async fn publish(
    axum::extract::State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Body(post): Body<NewPost>,
) -> Result<(StatusCode, Json<PublicationView>)> {
    let (new, patience) = (post.into_publication(idempotency_key(&headers)?)?, waiting::patience(&headers)?);
    let publication = Box::pin(publications::create(&app, caller.workspace, caller.user, new)).await?;
    let publication = waiting::wait(&app, publication, patience).await?;
    // Who does not wait is told that it was taken in, however often.
    let has_ended = !patience.is_zero() && publication.state()?.is_terminal();
    let status = if has_ended { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(PublicationView::warned(&app, publication).await?)))
}

/// The client's name of its wish.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().map_err(|_| Error::Malformed("The Idempotency-Key must be plain ASCII.".to_owned()))?;
    Ok(Some(text.to_owned()))
}

/// A page of publications.
#[derive(Serialize, ToSchema)]
struct Publications {
    /// Newest first.
    items: Vec<PublicationView>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<PublicationId>,
}

/// List the publications, newest first.
#[utoipa::path(get, path = "/social/publications", tag = "publishing", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Publications),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(
    axum::extract::State(app): AppState,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Publications>> {
    let before = page.cursor.map(PublicationId);
    let mut tx = app.db().read().await?;
    let mut found = publications::list(&mut tx, caller.workspace, Kind::Post, before, page.to_read()?).await?;
    let next_cursor = page.cut(&mut found).map(|last| last.id);
    let items = found.into_iter().map(PublicationView::of).collect::<Result<_>>()?;
    Ok(Json(Publications { items, next_cursor }))
}

/// Show a publication with its timeline.
#[utoipa::path(get, path = "/social/publications/{id}", tag = "publishing", security(("bearer" = [])),
    params(("id" = PublicationId, Path, description = "The publication")), responses(
    (status = 200, description = "The publication", body = PublicationDetail),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such publication", body = Problem),
))]
async fn find(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
) -> Result<Json<PublicationDetail>> {
    let mut tx = app.db().read().await?;
    let publication = publications::find(&mut tx, caller.workspace, Kind::Post, id).await?;
    let (timeline, steps) = (timeline::events(&mut tx, id).await?, timeline::steps(&mut tx, id).await?);
    let completed_by = completing::completion(&mut tx, caller.workspace, id).await?.map(|completion| completion.id);
    Ok(Json(PublicationDetail { publication: PublicationView::of(publication)?, timeline, steps, completed_by }))
}

/// What a person found out about an uncertain part.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    /// The part's key, as in `steps`.
    pub(super) key: String,
    /// What became of it.
    outcome: FoundOutcome,
    /// The network's id of the post; required where it is published.
    vendor_id: Option<String>,
    /// Its address.
    url: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FoundOutcome {
    /// It is live.
    Published,
    /// It is not, so it may be sent again.
    NotPublished,
}

impl Finding {
    /// What it says.
    ///
    /// # Errors
    /// It is published and the network's id is missing.
    pub(super) fn word(&self) -> Result<Word> {
        match (&self.outcome, &self.vendor_id) {
            (FoundOutcome::NotPublished, _) => Ok(Word::NotPublished),
            (FoundOutcome::Published, Some(id)) if !id.is_empty() && id.len() <= 200 => {
                let url = self.url.clone().filter(|url| url.starts_with("https://") && url.len() <= 2_000);
                Ok(Word::Published(Committed { id: id.clone(), url }))
            }
            (FoundOutcome::Published, _) => Err(Error::invalid("vendor_id", "Say the network's id of the post.")),
        }
    }
}

/// Say what became of a part of which nobody knows whether it reached the network.
#[utoipa::path(post, path = "/social/publications/{id}/resolve", tag = "publishing", security(("bearer" = [])),
    params(("id" = PublicationId, Path, description = "The publication")), request_body = Finding, responses(
    (status = 202, description = "Taken; the publication goes on", body = PublicationView),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such publication", body = Problem),
    (status = 409, description = "Nothing of it is uncertain, or what is named is another publication's", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The id is missing", body = Problem),
))]
async fn resolve(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<PublicationId>,
    Body(finding): Body<Finding>,
) -> Result<(StatusCode, Json<PublicationView>)> {
    let publication =
        reconciling::resolve(&app, caller.workspace, (Kind::Post, id), &finding.key, finding.word()?).await?;
    Ok((StatusCode::ACCEPTED, Json(PublicationView::of(publication)?)))
}

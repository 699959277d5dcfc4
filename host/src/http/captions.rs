//! Routes under `/social-caption`.

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::paging::Page;
use super::publications::idempotency_key;
use crate::app::App;
use crate::captions::{Caption, NewCaption, OPERATION};
use crate::clock::Timestamp;
use crate::connectors::fault::Fault;
use crate::error::{Error, Problem, Result};
use crate::generations::{self, Begun, Generation, Receipt, State};
use crate::id::GenerationId;
use axum::Json;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type AppState = axum::extract::State<App>;

/// Pieces that wait for a slow reader; beyond them, the model waits.
const WAITING: usize = 16;
/// How often a silent stream says that it lives: intermediaries close silent ones.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(generate)).routes(routes!(list)).routes(routes!(find))
}

/// A caption as the API shows it.
#[derive(Serialize, ToSchema)]
struct CaptionView {
    id: GenerationId,
    state: State,
    /// What was asked for.
    #[schema(value_type = NewCaption)]
    input: serde_json::Value,
    /// The prompt's version.
    prompt: String,
    /// What was written; absent while running, and where it failed.
    #[serde(flatten)]
    caption: Option<Caption>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// What it used and cost; absent while running.
    receipt: Option<Receipt>,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl CaptionView {
    fn of(generation: Generation) -> Result<Self> {
        let caption = generation.output()?.map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?;
        Ok(Self {
            state: generation.state()?,
            input: generation.input()?,
            fault: generation.fault()?,
            receipt: generation.receipt()?,
            caption,
            id: generation.id,
            prompt: generation.prompt,
            created_at: generation.created_at,
            finished_at: generation.finished_at,
        })
    }
}

/// The caption, or why there is none.
fn written(generation: Generation) -> Result<CaptionView> {
    match generation.fault()? {
        Some(fault) => Err(generations::refusal(&fault)),
        None => CaptionView::of(generation),
    }
}

/// Write a caption for a post, for credits. What fails is not charged.
///
/// With `"stream": true` the answer is server-sent events: `started` with the id, `delta` with each piece as `text`, and
/// at the end `done` with what the plain answer would be, or `error` with a problem. Hanging up on a stream stops the
/// writing; it is charged if words had been handed out, and what was written is kept. Hanging up on a plain request stops
/// nothing: the caption can be read later.
#[utoipa::path(post, path = "/social-caption/generate", tag = "captions", security(("bearer" = [])),
    request_body = NewCaption,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition writes and costs nothing more")),
    responses(
    (status = 200, description = "The caption, or its stream", content((CaptionView = "application/json"), (String = "text/event-stream"))),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 402, description = "Not enough credits", body = Problem),
    (status = 409, description = "The key was used for another wish, or for one that is still being written", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not JSON", body = Problem),
    (status = 422, description = "The wish makes no sense, or the model declines it", body = Problem),
    (status = 502, description = "The model or the connector failed", body = Problem),
    (status = 503, description = "No price is set, no text model is set up, or it is busy", body = Problem),
))]
async fn generate(
    axum::extract::State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Body(new): Body<NewCaption>,
) -> Result<Response> {
    let begun = generations::begin(&app, caller, new.wish(idempotency_key(&headers)?)?).await?;
    if new.stream {
        return Ok(Sse::new(events(&app, begun)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response());
    }
    let generation = match begun {
        Begun::Earlier(earlier) => *earlier,
        Begun::New(underway) => {
            // In a task of its own, so that it ends well whatever becomes of the caller.
            let writer = app.clone();
            let written = app.tasks().spawn(async move { Box::pin(underway.write(&writer, None)).await });
            written.await.map_err(anyhow::Error::from)??
        }
    };
    Ok(Json(written(generation)?).into_response())
}

/// The events of a stream. Dropping them tells the writer that the reader has left.
fn events(app: &App, begun: Begun) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let (sender, mut pieces) = mpsc::channel::<String>(WAITING);
    let id = match &begun {
        Begun::New(underway) => underway.id(),
        Begun::Earlier(earlier) => earlier.id,
    };
    let ended = app.tasks().spawn({
        let app = app.clone();
        async move {
            match begun {
                Begun::New(underway) => Box::pin(underway.write(&app, Some(sender))).await,
                Begun::Earlier(earlier) => {
                    if let Ok(Some(output)) = earlier.output()
                        && let Some(text) = output["caption"].as_str()
                    {
                        // A reader who has left misses nothing.
                        let _ = sender.send(text.to_owned()).await;
                    }
                    Ok(*earlier)
                }
            }
        }
    });
    let started = stream::once(async move { event("started", &serde_json::json!({ "id": id })) });
    let deltas = stream::poll_fn(move |context| pieces.poll_recv(context))
        .map(|text| event("delta", &serde_json::json!({ "text": text })));
    let end = stream::once(async move {
        let generation = ended.await.map_err(|error| Error::Internal(error.into())).and_then(|generation| generation);
        match generation.and_then(written) {
            Ok(view) => event("done", &view),
            Err(error) => event("error", &error.into_problem()),
        }
    });
    started.chain(deltas).chain(end).map(Ok)
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // JSON has no line breaks, which is all that an event's data must not have.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

/// A page of captions.
#[derive(Serialize, ToSchema)]
struct Captions {
    /// Newest first.
    items: Vec<CaptionView>,
    /// Gives the next page; absent on the last.
    next_cursor: Option<GenerationId>,
}

/// List the captions, newest first, with those that failed.
#[utoipa::path(get, path = "/social-caption/generations", tag = "captions", params(Page), security(("bearer" = [])), responses(
    (status = 200, description = "A page", body = Captions),
    (status = 400, description = "The cursor or the limit cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 422, description = "The limit is out of bounds", body = Problem),
))]
async fn list(axum::extract::State(app): AppState, caller: Caller, Query(page): Query<Page>) -> Result<Json<Captions>> {
    let mut tx = app.db().read().await?;
    let before = page.cursor.map(GenerationId);
    let mut found = generations::list(&mut tx, caller.workspace, OPERATION, before, page.to_read()?).await?;
    let next_cursor = page.cut(&mut found).map(|last| last.id);
    let items = found.into_iter().map(CaptionView::of).collect::<Result<_>>()?;
    Ok(Json(Captions { items, next_cursor }))
}

/// Show a caption with its receipt.
#[utoipa::path(get, path = "/social-caption/generations/{id}", tag = "captions", security(("bearer" = [])),
    params(("id" = GenerationId, Path, description = "The caption")), responses(
    (status = 200, description = "The caption", body = CaptionView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such caption", body = Problem),
))]
async fn find(
    axum::extract::State(app): AppState,
    caller: Caller,
    Path(id): Path<GenerationId>,
) -> Result<Json<CaptionView>> {
    let generation = generations::find(&mut app.db().read().await?, caller.workspace, OPERATION, id).await?;
    Ok(Json(CaptionView::of(generation)?))
}

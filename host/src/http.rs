//! The API over HTTP: every route in one list, handlers of a few lines, no SQL and no rules.

mod admin;
mod apps;
mod auth;
mod body;
mod calendar;
mod caller;
mod captions;
mod connections;
mod credits;
mod drafts;
mod drives;
mod engagement;
mod events;
mod health;
mod imports;
mod page;
mod paging;
mod payments;
mod posts;
mod publications;
mod pulled;
mod queue;
mod schedules;
mod unread;
mod videos;
mod webhooks;

use crate::app::App;
use crate::error::Error;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

/// Largest body that any route takes.
const MAX_BODY_BYTES: usize = 1 << 20;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orla",
        description = "Publish to social networks through sandboxed connectors. Errors are `{\"detail\": …, \"code\": …}`; \
            POSTs that publish take an `Idempotency-Key`."
    ),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Every route of the API.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(auth::routes())
        .merge(connections::routes())
        .merge(apps::routes())
        .merge(publications::routes())
        .merge(posts::routes())
        .merge(drafts::routes())
        .merge(pulled::routes())
        .merge(schedules::routes())
        .merge(queue::routes())
        .merge(calendar::routes())
        .merge(imports::routes())
        .merge(captions::routes())
        .merge(videos::routes())
        .merge(credits::routes())
        .merge(payments::routes())
        .merge(drives::routes())
        .merge(engagement::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(health::routes())
        .merge(admin::routes())
}

/// The whole API, ready to serve.
pub fn router(app: App) -> Router {
    let cors = cors(&app);
    let (router, document) = routes().split_for_parts();
    router
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .fallback(async || Error::NotFound("route"))
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        // One tuple, outermost first: a layer at a time, each would box every request's future anew.
        .layer((
            SetRequestIdLayer::x_request_id(MakeRequestUuid),
            TraceLayer::new_for_http().make_span_with(|request: &Request| {
                let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
                tracing::info_span!("request", method = %request.method(), path = shown(request.uri().path()), id)
            }),
            PropagateRequestIdLayer::x_request_id(),
            axum::middleware::from_fn_with_state(unread::Allowance::of_a_host(), unread::read_on),
            CatchPanicLayer::custom(|_| panicked()),
            DefaultBodyLimit::max(MAX_BODY_BYTES),
            cors,
            always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            always(header::X_FRAME_OPTIONS, "DENY"),
            always(header::REFERRER_POLICY, "no-referrer"),
        ))
        .with_state(app)
}

/// Serves until `stop` ends, then until the requests under way have ended.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Each piece of a stream leaves at once; else it waits for the answer to the one before, 40 ms at worst.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    axum::serve(listener, router(app)).with_graceful_shutdown(stop).await?;
    Ok(())
}

/// A path for the log, without its query: queries may carry tokens, and so may what follows `/media/`.
fn shown(path: &str) -> &str {
    if path.starts_with("/media/") { "/media/{token}" } else { path }
}

fn panicked() -> Response<Body> {
    Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()
}

/// A header of every answer.
fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// Only the configured consoles may call from a browser.
fn cors(app: &App) -> CorsLayer {
    let origins = app.config().frontend_url.iter();
    let origins: Vec<HeaderValue> = origins.filter_map(|url| url.origin().ascii_serialization().parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::ETAG])
        .allow_credentials(true)
        .max_age(Duration::from_secs(600))
}

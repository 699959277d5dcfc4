//! Routes under `/cloud-storage`.

use super::body::{Body, Path, Query};
use super::caller::Caller;
use super::connections::{self, Authorization, Redirected};
use super::publications::idempotency_key;
use crate::app::App;
use crate::drives::importing::{self, Imported};
use crate::drives::listing::{self, DriveListing, Wish};
use crate::drives::{self, ConnectedDrive, Drive, Which};
use crate::error::{Problem, Result};
use crate::id::ConnectionId;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(begin_drive))
        .routes(routes!(drive_callback))
        .routes(routes!(browse))
        .routes(routes!(import))
        .routes(routes!(list_drives))
        .routes(routes!(restrict, disconnect_drive))
}

/// Begin to connect a drive. Send the same browser to `auth_url`; the cookie must come along to the callback.
#[utoipa::path(get, path = "/cloud-storage/oauth/{provider}/auth", tag = "cloud storage", security(("bearer" = [])),
    params(("provider" = String, Path, description = "The drive, such as `dropbox`")), responses(
    (status = 200, description = "Where to go", body = Authorization),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such drive here", body = Problem),
    (status = 409, description = "Its accounts are connected by fields", body = Problem),
    (status = 503, description = "The operator has set no keys for it", body = Problem),
))]
async fn begin_drive(State(app): State<App>, caller: Caller, Path(provider): Path<String>) -> Result<Response> {
    drives::check_provider(&app, &provider)?;
    connections::begun(&app, &caller, &provider).await
}

/// The drive's redirect comes here. Ends on the web console, or on a plain page where none is configured.
#[utoipa::path(get, path = "/cloud-storage/oauth/{provider}/callback", tag = "cloud storage",
    params(("provider" = String, Path, description = "The drive, such as `dropbox`"), Redirected), responses(
    (status = 200, description = "Connected; a page for a person"),
    (status = 303, description = "To the web console, with `connected` or `error` in its query; with `ends`, a sentence, where nobody can renew it"),
    (status = 400, description = "No code and no error; a page for a person"),
    (status = 403, description = "Begun in another browser; a page for a person"),
    (status = 404, description = "No such drive here", body = Problem),
    (status = 409, description = "Refused, used before or too late; a page for a person"),
    (status = 502, description = "The drive failed; a page for a person"),
))]
async fn drive_callback(
    State(app): State<App>,
    Path(provider): Path<String>,
    jar: CookieJar,
    Query(redirected): Query<Redirected>,
) -> Response {
    match drives::check_provider(&app, &provider) {
        Ok(()) => Box::pin(connections::returned(&app, &provider, jar, redirected)).await,
        Err(error) => error.into_response(),
    }
}

/// Which account, where several are connected.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct One {
    /// The connection, where several accounts are connected.
    connection_id: Option<ConnectionId>,
}

/// What to show.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Browsed {
    /// The `id` of a folder that was listed; the drive's root, or the folder that it is restricted to, where absent.
    folder_id: Option<String>,
    /// The `next_cursor` of the page before, with the same `folder_id` and `query`.
    cursor: Option<String>,
    /// What to search for, in the folder and below.
    query: Option<String>,
    /// The connection, where several accounts are connected.
    connection_id: Option<ConnectionId>,
}

impl Caller {
    fn drive<'a>(&self, provider: &'a str, connection: Option<ConnectionId>) -> Which<'a> {
        Which { workspace: self.workspace, provider, connection }
    }
}

/// Show what is in a folder of the drive, or search in it. The ids hold for this connection as it is restricted now.
#[utoipa::path(get, path = "/cloud-storage/browse/{provider}", tag = "cloud storage", security(("bearer" = [])),
    params(("provider" = String, Path, description = "The drive, such as `dropbox`"), Browsed), responses(
    (status = 200, description = "A page", body = DriveListing),
    (status = 400, description = "A parameter cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such drive, connection or folder", body = Problem),
    (status = 409, description = "Nothing is connected, several accounts are, or the drive no longer honours it", body = Problem),
    (status = 422, description = "The folder is a file, the cursor is another list's, or the search makes no sense", body = Problem),
    (status = 502, description = "The drive failed", body = Problem),
    (status = 503, description = "The drive is down, or asks to slow down", body = Problem),
))]
async fn browse(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
    Query(browsed): Query<Browsed>,
) -> Result<Json<DriveListing>> {
    let Browsed { folder_id: folder, cursor, query, connection_id } = browsed;
    let drive = Drive::open(&app, caller.drive(&provider, connection_id)).await?;
    Ok(Json(listing::browse(&app, &drive, &Wish { folder, query, cursor }).await?))
}

/// What to import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Import {
    /// The `id` of a file that was listed or found.
    file_id: String,
    /// The connection, where several accounts are connected.
    connection_id: Option<ConnectionId>,
}

/// Import a file: it becomes a blob of the workspace. That goes on if you hang up; the same Idempotency-Key then gives its
/// outcome.
#[utoipa::path(post, path = "/cloud-storage/import/{provider}", tag = "cloud storage", security(("bearer" = [])),
    params(
        ("provider" = String, Path, description = "The drive, such as `dropbox`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this wish: a repetition imports nothing more"),
    ), request_body = Import, responses(
    (status = 201, description = "Imported, or imported before", body = Imported),
    (status = 400, description = "The body or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such drive, connection or file", body = Problem),
    (status = 409, description = "Nothing is connected, several accounts are, the drive no longer honours it, or the key was used for another file", body = Problem),
    (status = 422, description = "It is a folder, has no bytes to fetch, or is too large", body = Problem),
    (status = 502, description = "The drive failed", body = Problem),
    (status = 503, description = "The drive is down, or asks to slow down", body = Problem),
))]
async fn import(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Body(wanted): Body<Import>,
) -> Result<(StatusCode, Json<Imported>)> {
    let drive = Drive::open(&app, caller.drive(&provider, wanted.connection_id)).await?;
    let imported = importing::import(&app, drive, &wanted.file_id, idempotency_key(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(imported)))
}

/// The workspace's drives.
#[derive(Serialize, ToSchema)]
struct Drives {
    /// Oldest first.
    items: Vec<ConnectedDrive>,
}

/// List the connected drives, with what each is restricted to.
#[utoipa::path(get, path = "/cloud-storage/connections", tag = "cloud storage", security(("bearer" = [])), responses(
    (status = 200, description = "The drives", body = Drives),
    (status = 401, description = "Not signed in", body = Problem),
))]
async fn list_drives(State(app): State<App>, caller: Caller) -> Result<Json<Drives>> {
    Ok(Json(Drives { items: drives::list(&app, caller.workspace).await? }))
}

/// What to restrict a drive to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Restriction {
    /// The `id` of a folder that was listed; null lifts the restriction.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    folder_id: Option<String>,
}

/// Restrict a drive to a folder and what is in it, or lift the restriction. Ids and cursors that were handed out before name
/// nothing any more, whatever is set later. `GET /cloud-storage/connections` shows it.
#[utoipa::path(put, path = "/cloud-storage/connections/{provider}", tag = "cloud storage", security(("bearer" = [])),
    params(("provider" = String, Path, description = "The drive, such as `dropbox`"), One), request_body = Restriction,
    responses(
    (status = 204, description = "Done"),
    (status = 400, description = "The body cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such drive, connection or folder", body = Problem),
    (status = 409, description = "Nothing is connected, several accounts are, the drive no longer honours it, or somebody else has just changed it", body = Problem),
    (status = 422, description = "It is a file", body = Problem),
))]
async fn restrict(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
    Query(one): Query<One>,
    Body(restriction): Body<Restriction>,
) -> Result<StatusCode> {
    let drive = Drive::open(&app, caller.drive(&provider, one.connection_id)).await?;
    drives::restrict(&app, &drive, restriction.folder_id.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Disconnect a drive. Its tokens are forgotten, and revoked at the vendor as well. What was imported stays.
#[utoipa::path(delete, path = "/cloud-storage/connections/{provider}", tag = "cloud storage", security(("bearer" = [])),
    params(("provider" = String, Path, description = "The drive, such as `dropbox`"), One), responses(
    (status = 204, description = "Disconnected"),
    (status = 400, description = "A parameter cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such drive or connection", body = Problem),
    (status = 409, description = "Nothing is connected, or several accounts are", body = Problem),
))]
async fn disconnect_drive(
    State(app): State<App>,
    caller: Caller,
    Path(provider): Path<String>,
    Query(one): Query<One>,
) -> Result<StatusCode> {
    drives::disconnect(&app, caller.drive(&provider, one.connection_id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

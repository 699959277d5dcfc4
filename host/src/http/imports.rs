//! Routes under `/social/import`: files of posts.

use super::body::{Path, Query};
use super::caller::Caller;
use super::publications::{NewPost, idempotency_key};
use crate::app::App;
use crate::error::{Error, Problem, Result};
use crate::id::ImportId;
use crate::imports::reading::{self, Format, MAX_BYTES, Named};
use crate::imports::{self, Import, NewImport, Row, RowProblem, RowState, RowVerdict, StoredRow};
use crate::publications::NewPublication;
use crate::zones::{Wall, Zone};
use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What a form adds to the file that is in it.
const FORM_BYTES: usize = 64 << 10;

/// The columns of a file, in the order in which they are told.
const COLUMNS: &[&str] =
    &["platform", "content", "media_urls", "publish_at", "zone", "connection_id", "target", "on_duplicate", "key"];
const LISTS: &[&str] = &["media_urls"];

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    let uploads = OpenApiRouter::new().routes(routes!(import)).layer(DefaultBodyLimit::max(MAX_BYTES + FORM_BYTES));
    OpenApiRouter::new().merge(uploads).routes(routes!(find))
}

/// How to take a file in.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct How {
    /// Only say what would become of each row.
    #[serde(default)]
    dry_run: bool,
    /// Take all rows in or none.
    #[serde(default)]
    all_or_nothing: bool,
    /// The IANA zone of times without one, in rows that name none.
    zone: Option<String>,
}

/// A file, by what the request says that it is.
struct Upload {
    format: Format,
    bytes: Bytes,
}

const MEDIA_TYPE: Error = Error::MediaType(
    "Send the file as `text/csv`, `application/json`, or `multipart/form-data` with the file in the field `file`.",
);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let upload = if essence == "multipart/form-data" {
            let form = Multipart::from_request(request, state).await;
            let form = form.map_err(|error| Error::Malformed(format!("The form cannot be read: {error}.")))?;
            in_form(form).await?
        } else {
            let format = format(&essence, "").ok_or(MEDIA_TYPE)?;
            let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(MAX_BYTES),
                _ => Error::Malformed(format!("The body cannot be read: {rejection}.")),
            })?;
            Self { format, bytes }
        };
        if upload.bytes.len() > MAX_BYTES { Err(Error::TooLarge(MAX_BYTES)) } else { Ok(upload) }
    }
}

fn format(essence: &str, name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    match essence {
        "text/csv" => Some(Format::Csv),
        "application/json" => Some(Format::Json),
        // Browsers tell the type of a file by what is installed beside them; on some, CSV belongs to a spreadsheet.
        _ if name.ends_with(".csv") => Some(Format::Csv),
        _ if name.ends_with(".json") => Some(Format::Json),
        _ => None,
    }
}

/// The file of a form.
async fn in_form(mut form: Multipart) -> Result<Upload> {
    let unreadable = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(MAX_BYTES),
        _ => Error::Malformed(format!("The form cannot be read: {}.", error.body_text())),
    };
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        if field.name() != Some("file") || file.is_some() {
            return Err(Error::Malformed("The form has one field, `file`.".to_owned()));
        }
        let essence = |field: &Field<'_>| field.content_type().unwrap_or_default().to_owned();
        let format = format(&essence(&field), field.file_name().unwrap_or_default()).ok_or(MEDIA_TYPE)?;
        file = Some(Upload { format, bytes: field.bytes().await.map_err(unreadable)? });
    }
    file.ok_or_else(|| Error::Malformed("The form has no field `file`.".to_owned()))
}

/// What becomes of a file.
#[derive(Serialize, ToSchema)]
struct ImportView {
    #[serde(flatten)]
    import: Import,
    /// How many rows there are.
    total: usize,
    /// How many of them are publications.
    taken: usize,
    /// How many are none.
    refused: usize,
    /// In the order of the file.
    rows: Vec<StoredRow>,
}

impl ImportView {
    async fn find(app: &App, caller: &Caller, id: ImportId) -> Result<Self> {
        let (import, rows) = imports::find(&mut app.db().read().await?, caller.workspace, id).await?;
        let count = |state| rows.iter().filter(|row| row.state == state).count();
        Ok(Self { import, total: rows.len(), taken: count(RowState::Taken), refused: count(RowState::Refused), rows })
    }
}

/// What would become of a file.
#[derive(Serialize, ToSchema)]
struct Trial {
    /// In the order of the file.
    rows: Vec<RowVerdict>,
    /// How many would be taken in.
    ok: usize,
}

/// Take in a file of posts, 1,000 rows and 2 MiB at most: CSV or JSON. Columns: `platform`, `content`, `media_urls` (in CSV
/// separated by spaces), `publish_at` (a moment by RFC 3339, `next_free_slot`, or a time on the wall of `zone`; at once where
/// empty), `zone`, `connection_id`, `target`, `on_duplicate`, and `key`, a name of your own: a row with the same key, or without
/// one and the same in all, is taken in once, however often its file is sent. JSON is a list of such rows, which may have
/// `parts` as well.
#[utoipa::path(post, path = "/social/import", tag = "publishing", security(("bearer" = [])),
    params(How, ("Idempotency-Key" = Option<String>, Header, description = "Names this file: a repetition gives the same import")),
    request_body(content((String = "text/csv"), (Vec<Value> = "application/json"), (String = "multipart/form-data"))),
    responses(
    (status = 200, description = "With `dry_run`: what would become of each row", body = Trial),
    (status = 202, description = "Taken in, or taken in before under the same key; look at `/social/imports/{id}`", body = ImportView),
    (status = 400, description = "The file, the form, a parameter or the key cannot be read", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "The key was used for another file", body = Problem),
    (status = 413, description = "The file is too large", body = Problem),
    (status = 415, description = "It is neither CSV nor JSON", body = Problem),
    (status = 422, description = "The file has an unknown column, no rows or too many, or is not UTF-8; or there is no such zone", body = Problem),
))]
async fn import(
    State(app): State<App>,
    caller: Caller,
    Query(how): Query<How>,
    headers: HeaderMap,
    upload: Upload,
) -> Result<Response> {
    let idempotency_key = idempotency_key(&headers)?;
    let zone = how.zone.as_deref().map(Zone::named).transpose()?;
    let named = reading::read(upload.format, &upload.bytes, COLUMNS, LISTS)?;
    let rows = named.into_iter().map(|named| row(named, zone)).collect();
    if how.dry_run {
        let rows = Box::pin(imports::try_out(&app, caller.workspace, rows)).await?;
        let ok = rows.iter().filter(|row| row.ok).count();
        return Ok(Json(Trial { rows, ok }).into_response());
    }
    let new = NewImport { rows, all_or_nothing: how.all_or_nothing, idempotency_key };
    let id = imports::begin(&app, caller.workspace, caller.user, new).await?;
    Ok((StatusCode::ACCEPTED, Json(ImportView::find(&app, &caller, id).await?)).into_response())
}

/// Show what became of a file, row by row.
#[utoipa::path(get, path = "/social/imports/{id}", tag = "publishing", security(("bearer" = [])),
    params(("id" = ImportId, Path, description = "The import")), responses(
    (status = 200, description = "The import", body = ImportView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "No such import", body = Problem),
))]
async fn find(State(app): State<App>, caller: Caller, Path(id): Path<ImportId>) -> Result<Json<ImportView>> {
    Ok(Json(ImportView::find(&app, &caller, id).await?))
}

/// A row of the file as a wish to publish.
fn row(named: Named, zone: Option<Zone>) -> Row {
    let malformed = |detail| RowProblem { code: "malformed_request".to_owned(), field: None, detail };
    let mut members = match named {
        Ok(members) => members,
        Err(detail) => return Row { key: None, wish: Err(malformed(detail)) },
    };
    let key = match members.remove("key") {
        Some(Value::String(key)) if !key.is_empty() => Some(key),
        None | Some(Value::Null) => None,
        Some(_) => return Row { key: None, wish: Err(malformed("A key is a text that is not empty.".to_owned())) },
    };
    Row { key, wish: wish(members, zone).map_err(RowProblem::of) }
}

fn wish(mut members: Map<String, Value>, zone: Option<Zone>) -> Result<NewPublication> {
    let zone = match members.remove("zone") {
        Some(Value::String(name)) => Some(Zone::named(&name)?),
        None | Some(Value::Null) => zone,
        Some(_) => return Err(Error::invalid("zone", "A zone is named by a text.")),
    };
    // A time on the wall is a moment once its zone is known; what else there may be, the post itself can read.
    if let Some(Value::String(text)) = members.get("publish_at")
        && let Ok(wall) = text.trim().parse::<Wall>()
    {
        let detail = "This time has no zone: name one in `zone`, or write the time as 2027-01-31T09:00:00+01:00.";
        let zone = zone.ok_or_else(|| Error::invalid("publish_at", detail))?;
        members.insert("publish_at".to_owned(), serde_json::to_value(zone.at(wall)).map_err(anyhow::Error::from)?);
    }
    let post: NewPost = serde_json::from_value(Value::Object(members))
        .map_err(|error| Error::Malformed(format!("The row cannot be read: {error}.")))?;
    post.into_publication(None)
}

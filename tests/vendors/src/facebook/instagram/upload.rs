//! `rupload.facebook.com/ig-api-upload/{version}/{container}`: the bytes of a film. It answers in a manner of its own (from
//! memory).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::gate;
use super::super::problem::Problem;
use super::super::state::{Facebook, World};
use super::containers::Status;
use super::pulling::is_film;
use crate::door::Visitor;

/// The subcode of a film that cannot be read.
const BAD_FILM: u32 = 2_207_026;

/// Takes bytes.
pub(in super::super) async fn take(
    State(facebook): State<Facebook>,
    Path((version, container)): Path<(String, String)>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = facebook.world();
    if let Err(problem) = gate::check_version(&world.settings, &version) {
        return problem.into_response();
    }
    let at = match caller(&world, &headers, &container, &visitor) {
        Ok(at) => at,
        Err(problem) => return problem.into_response(),
    };
    match keep(&mut world, at, &headers, &body) {
        Ok(()) => Json(json!({ "success": true, "message": "Upload successful." })).into_response(),
        Err((status, kind, message)) => {
            let retriable = status.is_server_error() || kind == "OffsetInvalidError";
            let info = json!({ "retriable": retriable, "type": kind, "message": message });
            (status, Json(json!({ "debug_info": info }))).into_response()
        }
    }
}

/// The container that the caller may bring bytes to.
fn caller(world: &World, headers: &HeaderMap, container: &str, visitor: &Visitor) -> Result<usize, Problem> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header.strip_prefix("OAuth ").ok_or_else(Problem::no_token)?;
    let (_, authorization) = world.grants.holder(&world.settings, token, world.now())?;
    visitor.is(&authorization.person_id);
    let missing = || Problem::unsupported("POST", container);
    let known = world.instagram.containers.iter().position(|known| known.id == container);
    let at = known.ok_or_else(missing)?;
    let account = world.settings.instagram.account(&world.instagram.containers[at].account_id).ok_or_else(missing)?;
    let page = world.settings.page(&account.page_id).ok_or_else(missing)?;
    if page.allows(&authorization.person_id, "CREATE_CONTENT") { Ok(at) } else { Err(missing()) }
}

type Refused = (StatusCode, &'static str, String);

fn keep(world: &mut World, at: usize, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
    let refused = |kind: &'static str, message: &str| (StatusCode::BAD_REQUEST, kind, message.to_owned());
    let number = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let (Some(offset), Some(size)) = (number("offset"), number("file_size")) else {
        return Err(refused("MissingHeaderError", "The headers offset and file_size are required."));
    };
    let status = world.instagram.containers[at].status(world);
    let breaks_after = world.settings.instagram.upload_breaks_after_bytes.take();
    let container = &mut world.instagram.containers[at];
    if !container.is_uploaded || container.sha256.is_some() || status != Status::InProgress {
        return Err(refused("NotAllowedError", "Nothing is to be uploaded for this container."));
    }
    let here = container.bytes.len() as u64;
    if offset != here {
        return Err(refused("OffsetInvalidError", &format!("The offset should be {here}, and is {offset}.")));
    }
    if container.expected_bytes.is_some_and(|expected| expected != size) || here + body.len() as u64 > size {
        return Err(refused("FileSizeInvalidError", "The file_size does not fit."));
    }
    container.expected_bytes = Some(size);
    let taken = breaks_after.map_or(body.len(), |most| body.len().min(usize::try_from(most).unwrap_or(usize::MAX)));
    container.bytes.extend_from_slice(&body[..taken]);
    container.size_bytes = container.bytes.len() as u64;
    if container.size_bytes < size {
        let message = "The upload broke off.".to_owned();
        return Err((StatusCode::INTERNAL_SERVER_ERROR, "PartialRequestError", message));
    }
    container.sha256 = Some(hex::encode(Sha256::digest(&container.bytes)));
    if !is_film(&container.bytes) {
        container.error = Some(BAD_FILM);
    }
    container.bytes.truncate(12);
    Ok(())
}

//! The media endpoints (documented under "media API methods").

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::Value;

use super::gate::Visit;
use super::ids::id;
use super::medium::{Medium, Processing};
use super::parameters::Parameters;
use super::problem::Problem;
use super::settings::Settings;
use super::state::{Mastodon, World};
use crate::clock::Moment;

const PARAMETERS: [&str; 2] = ["description", "focus"];

type Answer = Result<(StatusCode, Json<Value>), Problem>;

/// Upload a file: 200 if it is ready at once, 202 if not.
pub(super) async fn create(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Answer {
    let (mut parameters, file) = Parameters::of_body(request).await?;
    let now = Moment::now();
    let mut world = mastodon.world();
    let World { settings, shelf, ids, .. } = &mut *world;
    parameters.only(&PARAMETERS, settings.unknown_parameters)?;
    let file = file.filter(|file| !file.bytes.is_empty());
    let file = file.ok_or_else(|| Problem::validation("File can't be blank"))?;
    let medium = shelf.take(ids.next(now), visit.user()?, &file, &parameters, settings, now)?;
    answer(medium, &visit, settings, StatusCode::ACCEPTED)
}

/// Tell how far an attachment is: 206 while it is processed.
pub(super) async fn show(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    Path(media_id): Path<String>,
) -> Answer {
    let mut world = mastodon.world();
    let World { settings, shelf, .. } = &mut *world;
    let medium = shelf.unattached(id(&media_id)?, visit.user()?).ok_or_else(Problem::not_found)?;
    answer(medium, &visit, settings, StatusCode::PARTIAL_CONTENT)
}

/// Change description and focus.
pub(super) async fn update(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    Path(media_id): Path<String>,
    request: Request,
) -> Answer {
    let (mut parameters, file) = Parameters::of_body(request).await?;
    if file.is_some() {
        return Err(Problem::strict("a file cannot be exchanged."));
    }
    let mut world = mastodon.world();
    let World { settings, shelf, .. } = &mut *world;
    parameters.only(&PARAMETERS, settings.unknown_parameters)?;
    let medium = shelf.unattached(id(&media_id)?, visit.user()?).ok_or_else(Problem::not_found)?;
    if medium.processing(settings, Moment::now()) != Processing::Failed {
        medium.describe(&parameters, settings)?;
    }
    answer(medium, &visit, settings, StatusCode::PARTIAL_CONTENT)
}

/// An attachment, with this status while it is processed. One whose processing has failed is refused (observed).
fn answer(medium: &Medium, visit: &Visit, settings: &Settings, under_way: StatusCode) -> Answer {
    let now = Moment::now();
    let status = match medium.processing(settings, now) {
        Processing::Failed => {
            return Err(Problem::unprocessable("Error processing thumbnail for uploaded media"));
        }
        Processing::UnderWay => under_way,
        Processing::Done => StatusCode::OK,
    };
    Ok((status, Json(medium.view(&visit.origin, settings, now))))
}

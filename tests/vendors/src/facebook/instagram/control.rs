//! Control over HTTP, beside Facebook's.

use axum::body::Bytes;
use axum::extract::State;
use axum::{Json, Router};
use serde::Deserialize;

use super::super::state::Facebook;
use crate::control::{Wrong, bad, look, read};

/// Everything under `/_sim/instagram/`.
pub(in super::super) fn router() -> Router<Facebook> {
    let control = Router::new()
        .route("/containers", look(Facebook::instagram_containers))
        .route("/media", look(Facebook::instagram_media))
        .route("/comments", look(Facebook::instagram_comments).post(comment))
        .route("/made", look(Facebook::instagram_made));
    Router::new().nest("/_sim/instagram", control)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewComment {
    below: String,
    author: String,
    text: String,
}

async fn comment(State(sim): State<Facebook>, body: Bytes) -> Result<Json<String>, Wrong> {
    let NewComment { below, author, text } = read(&body)?;
    let made = sim.instagram_comment(&below, &author, &text);
    made.map(Json).ok_or_else(|| bad(format!("there is no medium or comment {below}")))
}

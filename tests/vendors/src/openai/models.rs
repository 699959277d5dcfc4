//! `GET /v1/models`: which models there are.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::front::Ordered;
use super::gate;
use super::problem::Problem;
use super::state::OpenAi;

/// When all models were made. It does not matter, and should not change.
const CREATED_S: u64 = 1_744_316_542;

/// All models.
pub(super) async fn list(
    State(openai): State<OpenAi>,
    Extension(ordered): Extension<Ordered>,
    headers: HeaderMap,
) -> Json<Value> {
    let models = openai.settings().models;
    let echoed = ordered.echoes().then(|| gate::echo(&headers));
    let data: Vec<Value> = models.iter().chain(&echoed).map(|id| model(id)).collect();
    Json(json!({ "object": "list", "data": data }))
}

/// One model.
pub(super) async fn one(State(openai): State<OpenAi>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let known = openai.world().settings.models.contains(&id);
    if known { Ok(Json(model(&id))) } else { Err(Problem::no_such_model(&id)) }
}

fn model(id: &str) -> Value {
    json!({ "id": id, "object": "model", "created": CREATED_S, "owned_by": "system" })
}

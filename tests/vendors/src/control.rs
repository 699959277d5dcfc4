//! What every simulator can be told over HTTP, for tests in other processes and for the demo: JSON, unauthenticated. Where
//! it stands and what else there is, is each vendor's own.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::door::Door;

/// What is wrong with a request, for its author.
pub(crate) type Wrong = (StatusCode, String);

/// A GET that shows one thing.
pub(crate) fn look<S, T>(what: fn(&S) -> T) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    T: Serialize + 'static,
{
    get(async move |State(sim): State<S>| Json(what(&sim)))
}

/// A POST that does one thing and answers 204.
pub(crate) fn act<S>(action: fn(&S)) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    post(async move |State(sim): State<S>| {
        action(&sim);
        StatusCode::NO_CONTENT
    })
}

/// A POST that does one thing with what its body says, and answers 204.
pub(crate) fn tell<S, T>(action: fn(&S, T)) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    T: DeserializeOwned + 'static,
{
    post(async move |State(sim): State<S>, body: Bytes| -> Result<StatusCode, Wrong> {
        action(&sim, read(&body)?);
        Ok(StatusCode::NO_CONTENT)
    })
}

/// The settings. A GET shows them; a POST replaces the members that its body has, and shows what came of it. An unknown
/// member, a wrong type and whatever `put` refuses are an error.
pub(crate) fn settings<S, T>(shown: fn(&S) -> T, put: fn(&S, T) -> Result<(), String>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Clone + 'static,
{
    let change = async move |State(sim): State<S>, body: Bytes| -> Result<Json<T>, Wrong> {
        let members: Map<String, Value> = read(&body)?;
        let changed = with(&shown(&sim), members).map_err(|error| bad(error.to_string()))?;
        put(&sim, changed.clone()).map_err(bad)?;
        Ok(Json(changed))
    };
    look(shown).post(change)
}

fn with<T: Serialize + DeserializeOwned>(settings: &T, members: Map<String, Value>) -> serde_json::Result<T> {
    let mut all = serde_json::to_value(settings)?;
    for (name, value) in members {
        all[name] = value;
    }
    serde_json::from_value(all)
}

/// The faults of a door: a GET shows those to come, a POST orders one, a DELETE forgets all.
pub(crate) fn faults<S>(door: fn(&S) -> &Door) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let order = async move |State(sim): State<S>, body: Bytes| -> Result<StatusCode, Wrong> {
        door(&sim).order(read(&body)?).map_err(bad)?;
        Ok(StatusCode::NO_CONTENT)
    };
    let clear = async move |State(sim): State<S>| {
        door(&sim).clear_faults();
        StatusCode::NO_CONTENT
    };
    get(async move |State(sim): State<S>| Json(door(&sim).faults())).post(order).delete(clear)
}

/// What a body says.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

/// 400, for this reason.
pub(crate) fn bad(reason: String) -> Wrong {
    (StatusCode::BAD_REQUEST, reason)
}

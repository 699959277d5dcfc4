//! Lists in pages with cursors (documented under "Paginated results").

use axum::http::HeaderMap;
use axum::http::header::HOST;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::gate::Call;
use super::problem::Problem;
use super::settings::Settings;

/// What every list may have beside its own parameters.
pub(super) const PARAMETERS: [&str; 6] = ["fields", "limit", "after", "before", "pretty", "summary"];

const DEFAULT_LIMIT: usize = 25;
/// More are not sent, whatever is asked for.
const LARGEST_LIMIT: usize = 100;
/// The cursor of an empty first page.
const BEGINNING: &str = "beginning";

/// One item of a list: what its cursor stands for, and what is shown of it.
pub(super) type Item = (String, Value);

/// The page of a list that the call asks for.
pub(super) fn page(call: &Call, settings: &Settings, items: &[Item]) -> Result<Value, Problem> {
    let parameters = &call.parameters;
    let limit = match parameters.number("limit")? {
        None => DEFAULT_LIMIT,
        Some(0) => return Err(Problem::parameter("Param limit must be greater than zero")),
        Some(limit) => usize::try_from(limit).unwrap_or(LARGEST_LIMIT).min(LARGEST_LIMIT),
    };
    let place = |name: &str| parameters.get(name).map(|cursor| position(items, cursor)).transpose();
    let (begin, end) = match (place("after")?, place("before")?) {
        (Some(_), Some(_)) => return Err(Problem::strict("a page is after or before a cursor, and not both.")),
        (None, None) if settings.empty_first_pages => {
            return Ok(json!({ "data": [], "paging": { "next": link(call, settings, "after", &encode(BEGINNING)) } }));
        }
        (None, None) => (0, limit.min(items.len())),
        (Some(after), None) => {
            let begin = after.map_or(0, |at| at + 1);
            (begin, (begin + limit).min(items.len()))
        }
        (None, Some(before)) => {
            let end = before.unwrap_or_default();
            (end.saturating_sub(limit), end)
        }
    };
    let shown: Vec<&Value> = items[begin..end].iter().map(|(_, value)| value).collect();
    let mut answer = json!({ "data": shown });
    if let (Some((first, _)), Some((last, _))) = (items[begin..end].first(), items[begin..end].last()) {
        let (before, after) = (encode(first), encode(last));
        let mut paging = json!({ "cursors": { "before": before, "after": after } });
        if end < items.len() {
            paging["next"] = link(call, settings, "after", &after).into();
        }
        if begin > 0 {
            paging["previous"] = link(call, settings, "before", &before).into();
        }
        answer["paging"] = paging;
    }
    if parameters.flag("summary")? == Some(true) {
        answer["summary"] = json!({ "total_count": items.len() });
    }
    Ok(answer)
}

/// The item of a cursor, or nothing for the one before all of them.
fn position(items: &[Item], cursor: &str) -> Result<Option<usize>, Problem> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    if key.as_deref() == Some(BEGINNING) {
        return Ok(None);
    }
    let at = items.iter().position(|(known, _)| Some(known) == key.as_ref());
    at.map(Some).ok_or_else(|| Problem::parameter("Invalid cursors values"))
}

fn encode(key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key)
}

/// The same list from a cursor on. As Facebook's, it carries the access token, however that came, and no proof.
fn link(call: &Call, settings: &Settings, bound: &str, cursor: &str) -> String {
    let origin = Some(settings.paging_origin.as_str()).filter(|origin| !origin.is_empty()).unwrap_or(&call.origin);
    let edge = call.edge.as_deref().unwrap_or_default();
    let repeated = call.parameters.repeatable().filter(|(name, _)| !["after", "before", "pretty"].contains(name));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("access_token", &call.caller.token).append_pair("pretty", "0");
    let query = query.extend_pairs(repeated).append_pair(bound, cursor).finish();
    format!("{origin}/{}/{}/{edge}?{query}", call.version, call.node)
}

/// Where the caller came to, such as `http://127.0.0.1:4014`.
pub(super) fn origin(headers: &HeaderMap) -> Result<String, Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}")).ok_or_else(|| Problem::strict("the Host header is missing."))
}

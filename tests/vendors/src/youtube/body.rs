//! JSON that callers send, read strictly: what is not known is refused.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Reads a body of JSON.
pub(super) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Problem::strict("the body must be application/json."));
    }
    let invalid = |error| Problem::member("global", "parseError", format!("Invalid JSON payload received. {error}"));
    serde_json::from_slice(body).map_err(invalid)
}

/// A video to be inserted. Members that are not simulated are not known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewVideo {
    pub(super) snippet: Option<VideoSnippet>,
    pub(super) status: Option<VideoStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VideoSnippet {
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) category_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct VideoStatus {
    pub(super) privacy_status: Option<String>,
    pub(super) self_declared_made_for_kids: Option<bool>,
    pub(super) contains_synthetic_media: Option<bool>,
    pub(super) embeddable: Option<bool>,
    pub(super) license: Option<String>,
}

/// A comment to be inserted below a video.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewThread {
    pub(super) snippet: ThreadSnippet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ThreadSnippet {
    pub(super) video_id: String,
    pub(super) top_level_comment: TopLevel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TopLevel {
    pub(super) snippet: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Words {
    pub(super) text_original: String,
}

/// A reply to be inserted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReply {
    pub(super) snippet: ReplySnippet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ReplySnippet {
    pub(super) parent_id: String,
    pub(super) text_original: String,
}

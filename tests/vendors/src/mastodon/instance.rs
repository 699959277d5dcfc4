//! `GET /api/v2/instance` (documented under "instance API methods").

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::gate::Visit;
use super::parameters::Parameters;
use super::problem::Problem;
use super::settings::Settings;
use super::state::Mastodon;

/// What 4.5 says of its API: the version that brought quotes (documented).
const API_VERSION: u32 = 7;

/// What there is to know about the instance.
pub(super) async fn show(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let settings = mastodon.settings();
    Parameters::of_query(query.as_deref())?.only(&[], settings.unknown_parameters)?;
    let Settings { title, version, .. } = &settings;
    let thumbnail = format!("{}/packs/media/images/preview.png", visit.origin);
    Ok(Json(json!({
        "domain": visit.domain(), "title": title, "version": version,
        "source_url": "https://github.com/mastodon/mastodon", "description": "A simulated instance.",
        "usage": { "users": { "active_month": settings.accounts.len() } },
        "thumbnail": { "url": thumbnail }, "icon": [], "languages": ["en"],
        "configuration": configuration(&settings, &visit),
        "registrations": {
            "enabled": false, "approval_required": false, "reason_required": null, "message": null, "min_age": null,
            "url": null,
        },
        "api_versions": { "mastodon": API_VERSION },
        "contact": { "email": "admin@example.com", "account": null },
        "rules": [],
    })))
}

fn configuration(settings: &Settings, visit: &Visit) -> Value {
    let origin = &visit.origin;
    json!({
        "urls": {
            "streaming": origin.replacen("http", "ws", 1), "status": null, "about": format!("{origin}/about"),
            "privacy_policy": format!("{origin}/privacy-policy"), "terms_of_service": null,
        },
        "vapid": { "public_key": "" },
        "accounts": { "max_featured_tags": 10, "max_pinned_statuses": 5 },
        "statuses": {
            "max_characters": settings.max_characters, "max_media_attachments": settings.max_media_attachments,
            "characters_reserved_per_url": settings.characters_reserved_per_url,
        },
        "media_attachments": {
            "supported_mime_types": settings.supported_mime_types, "description_limit": settings.description_limit,
            "image_size_limit": settings.image_size_limit, "image_matrix_limit": 33_177_600,
            "video_size_limit": settings.video_size_limit, "video_frame_rate_limit": 120,
            "video_matrix_limit": 8_294_400,
        },
        "polls": {
            "max_options": 4, "max_characters_per_option": 50, "min_expiration": 300, "max_expiration": 2_629_746,
        },
        "translation": { "enabled": false },
        "limited_federation": false,
    })
}

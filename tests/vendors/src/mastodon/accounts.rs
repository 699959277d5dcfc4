//! `GET /api/v1/accounts/verify_credentials` (documented under "accounts API methods").

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::gate::Visit;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Mastodon;
use super::view;

/// Who calls: a CredentialAccount.
pub(super) async fn verify_credentials(
    State(mastodon): State<Mastodon>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let world = mastodon.world();
    Parameters::of_query(query.as_deref())?.only(&[], world.settings.unknown_parameters)?;
    let mut account = view::account(&world, visit.user()?, &visit);
    account["source"] = json!({
        "privacy": "public", "sensitive": false, "language": "", "note": "A simulated account.", "fields": [],
        "follow_requests_count": 0, "hide_collections": null, "discoverable": true, "indexable": false,
        "attribution_domains": [], "quote_policy": "public",
    });
    account["role"] = json!({ "id": "-99", "name": "", "permissions": "65536", "color": "", "highlighted": false });
    Ok(Json(account))
}

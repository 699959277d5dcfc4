//! Pages, as nodes.

use serde_json::{Value, json};

use super::gate::Call;
use super::problem::Problem;
use super::state::World;
use super::{fields, instagram};

/// `GET /{page}`. Its `access_token` is for those who have a role, and for itself.
pub(super) fn show(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("pages_read_engagement")?;
    let World { settings, grants, .. } = world;
    let missing = || Problem::unsupported("GET", &call.node);
    let page = settings.page(&call.node).ok_or_else(missing)?;
    let token = match &call.caller.page_id {
        Some(own) if *own == page.id => Some(call.caller.token.clone()),
        None if page.roles.contains_key(&call.caller.person_id) => {
            grants.page_token(settings, &call.caller.token, &page.id, call.now)
        }
        _ => None,
    };
    let may_see = call.caller.has("instagram_basic");
    let instagram = instagram::account_of(&settings.instagram.accounts, &page.id, may_see);
    let node = json!({
        "id": page.id, "name": page.name, "access_token": token, "category": "Local business", "username": Value::Null,
        "about": "A simulated page.", "link": format!("https://www.facebook.com/{}", page.id),
        "fan_count": 12, "followers_count": 12, "is_published": true, "tasks": page.roles.get(&call.caller.person_id),
        "picture": picture(call), "instagram_business_account": instagram,
    });
    fields::show(call, &node, "Page", &["name", "id"])
}

/// The picture of a page or a person.
pub(super) fn picture(call: &Call) -> Value {
    let url = format!("{}/pictures/square.png", call.origin);
    json!({ "data": { "height": 50, "is_silhouette": false, "url": url, "width": 50 } })
}

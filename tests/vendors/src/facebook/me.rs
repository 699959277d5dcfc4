//! The person who calls: name, pages and permissions.

use serde_json::{Value, json};

use super::gate::Call;
use super::grants::Ended;
use super::pages::picture;
use super::problem::Problem;
use super::state::World;
use super::{fields, instagram, paging};

/// `GET /me`
pub(super) fn show(world: &World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    let name = world.settings.person(&call.caller.person_id).map(|person| person.name.as_str()).unwrap_or_default();
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    let email = call.caller.has("email").then_some("somebody@example.com");
    let node = json!({
        "id": call.caller.person_id, "name": name, "first_name": first, "last_name": last, "email": email,
        "picture": picture(call),
    });
    fields::show(call, &node, "User", &["name", "id"])
}

/// `GET /me/accounts`: the pages on which the person has a role. Without `pages_show_list` there are none, and no error
/// (observed).
pub(super) fn accounts(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&[&paging::PARAMETERS[..], &["is_place", "is_promotable"]].concat())?;
    let World { settings, grants, .. } = world;
    let may_see = call.caller.has("instagram_basic");
    let person_id = call.caller.person_id.as_str();
    let mine = settings.pages.iter().filter(|page| page.roles.contains_key(person_id));
    let mut items = Vec::new();
    for page in mine.filter(|_| call.caller.has("pages_show_list")) {
        let node = json!({
            "id": page.id, "name": page.name, "category": "Local business",
            "category_list": [{ "id": "2500", "name": "Local business" }],
            "access_token": grants.page_token(settings, &call.caller.token, &page.id, call.now),
            "tasks": page.roles.get(person_id),
            "link": format!("https://www.facebook.com/{}", page.id), "username": Value::Null,
            "picture": picture(call),
            "instagram_business_account": instagram::account_of(&settings.instagram.accounts, &page.id, may_see),
        });
        let defaults = ["access_token", "category", "category_list", "name", "id", "tasks"];
        items.push((page.id.clone(), fields::show(call, &node, "Page", &defaults)?));
    }
    paging::page(call, settings, &items)
}

/// `GET /me/permissions`: what was granted and what was declined.
pub(super) fn permissions(world: &World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["permission", "status", "pretty", "limit", "summary"])?;
    let authorization = world.grants.authorization(&call.caller.person_id);
    let (granted, declined) = authorization.map(|known| (&known.granted[..], &known.declined[..])).unwrap_or_default();
    let line = |scope: &String, status: &str| json!({ "permission": scope, "status": status });
    let lines = granted.iter().map(|scope| line(scope, "granted"));
    let lines = lines.chain(declined.iter().map(|scope| line(scope, "declined")));
    let wanted = |line: &Value| {
        ["permission", "status"].iter().all(|&name| call.parameters.get(name).is_none_or(|value| line[name] == value))
    };
    Ok(json!({ "data": lines.filter(wanted).collect::<Vec<_>>() }))
}

/// `DELETE /me/permissions`: all of them, which is the end of the app for this person, or one.
pub(super) fn withdraw(world: &mut World, call: &Call, scope: Option<&str>) -> Result<Value, Problem> {
    call.parameters.only(&["permission"])?;
    let grants = &mut world.grants;
    match scope.or(call.parameters.get("permission")) {
        None => grants.end(&call.caller.person_id, Ended::Removed),
        Some(scope) if call.caller.has(scope) => grants.withdraw(&call.caller.person_id, scope),
        Some(scope) => return Err(Problem::parameter(format!("The permission {scope} was not granted"))),
    }
    Ok(json!({ "success": true }))
}

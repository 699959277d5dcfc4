//! `/{account}/media_publish` and `/{account}/content_publishing_limit`.

use serde_json::{Value, json};

use super::super::gate::Call;
use super::super::problem::Problem;
use super::super::state::World;
use super::super::{fields, paging};
use super::containers::Status;
use super::media::Media;
use super::plan::Kind;
use super::{nodes, problem};

const DAY_S: u64 = 86_400;

/// `POST /{account}/media_publish`
pub(super) fn publish(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["creation_id"])?;
    nodes::may_publish(world, call)?;
    let wanted = call.parameters.required("creation_id")?;
    let mine = |known: &super::Container| known.id == wanted && known.account_id == call.node;
    let at = world.instagram.containers.iter().position(mine).ok_or_else(problem::no_container)?;
    let container = world.instagram.containers[at].clone();
    if container.kind == Kind::Item {
        return Err(problem::carousel());
    }
    match container.status(world) {
        Status::Finished => {}
        Status::Published => return Err(problem::no_container()),
        Status::Expired => return Err(problem::expired()),
        Status::InProgress | Status::Error(_) => return Err(problem::not_ready()),
    }
    if used(world, &call.node) >= u64::from(world.settings.instagram.media_a_day) {
        return Err(problem::quota());
    }
    let (id, created_ms) = (world.next_id().to_string(), world.now().unix_ms());
    world.instagram.containers[at].used_by = Some(id.clone());
    world.instagram.made.media += 1;
    let is_film = container.is_film;
    world.instagram.media.push(Media {
        id: id.clone(),
        account_id: call.node.clone(),
        container_id: container.id,
        kind: container.kind,
        is_film,
        caption: container.caption.unwrap_or_default(),
        alt_text: container.alt_text,
        children: container.children,
        sha256: container.sha256,
        created_ms,
    });
    Ok(json!({ "id": id }))
}

/// How much an account has published in the last 24 hours.
fn used(world: &World, account: &str) -> u64 {
    let since_ms = world.now().unix_ms().saturating_sub(DAY_S * 1_000);
    let recent = world.instagram.media.iter();
    recent.filter(|medium| medium.account_id == account && medium.created_ms > since_ms).count() as u64
}

/// `GET /{account}/content_publishing_limit`
pub(super) fn limit(world: &World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&[&paging::PARAMETERS[..], &["since"]].concat())?;
    nodes::may_publish(world, call)?;
    let node = json!({
        "quota_usage": used(world, &call.node),
        "config": { "quota_total": world.settings.instagram.media_a_day, "quota_duration": DAY_S },
    });
    let shown = fields::show(call, &node, "ContentPublishingLimitResponse", &["quota_usage"])?;
    Ok(json!({ "data": [shown] }))
}

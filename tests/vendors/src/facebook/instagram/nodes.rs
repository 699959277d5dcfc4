//! Instagram's nodes in the graph: which there are, for whom, and what can be done with each.

use serde_json::{Value, json};

use super::super::fields;
use super::super::gate::Call;
use super::super::problem::Problem;
use super::super::state::{Facebook, World};
use super::settings::Account;
use super::{comments, containers, media, publish};

/// What an id stands for; the number is its place in the lists of the world.
#[derive(Clone, Copy)]
pub(in super::super) enum Node {
    Account,
    Container(usize),
    Media(usize),
    Comment(usize),
}

impl Node {
    /// As Facebook calls nodes of this type.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Account => "IGUser",
            Self::Container(_) => "InstagramContainer",
            Self::Media(_) => "Media",
            Self::Comment(_) => "IGComment",
        }
    }
}

/// The node of a call, where it is one of Instagram's. What belongs to an account on whose page the caller has no role is as
/// if it were not there.
pub(in super::super) fn find(world: &World, call: &Call) -> Result<Option<Node>, Problem> {
    let id = call.node.as_str();
    let instagram = &world.instagram;
    let (node, account_id) = if world.settings.instagram.account(id).is_some() {
        (Node::Account, id.to_owned())
    } else if let Some(at) = instagram.containers.iter().position(|known| known.id == id) {
        (Node::Container(at), instagram.containers[at].account_id.clone())
    } else if let Some(at) = instagram.media.iter().position(|known| known.id == id) {
        (Node::Media(at), instagram.media[at].account_id.clone())
    } else if let Some(at) = instagram.comments.iter().position(|known| known.id == id && !known.deleted) {
        (Node::Comment(at), account_of_comment(world, at))
    } else {
        return Ok(None);
    };
    let account = world.settings.instagram.account(&account_id);
    let page = account.and_then(|account| world.settings.page(&account.page_id));
    let is_own = page.is_some_and(|page| match &call.caller.page_id {
        Some(own) => *own == page.id,
        None => page.roles.contains_key(&call.caller.person_id),
    });
    if is_own { Ok(Some(node)) } else { Err(Problem::unsupported(call.method.as_str(), id)) }
}

fn account_of_comment(world: &World, at: usize) -> String {
    let media_id = &world.instagram.comments[at].media_id;
    let medium = world.instagram.media.iter().find(|medium| medium.id == *media_id);
    medium.map(|medium| medium.account_id.clone()).unwrap_or_default()
}

/// The account of a page, as the page shows it to an app that may see it.
pub(in super::super) fn account_of(world_accounts: &[Account], page_id: &str, may_see: bool) -> Value {
    let account = world_accounts.iter().find(|account| account.page_id == page_id).filter(|_| may_see);
    account.map_or(Value::Null, account_node)
}

fn account_node(account: &Account) -> Value {
    json!({
        "id": account.id, "username": account.username, "name": account.username, "biography": "A simulated account.",
        "followers_count": 7, "follows_count": 7, "media_count": 7, "profile_picture_url": Value::Null,
        "website": Value::Null, "ig_id": 7,
    })
}

/// Does what needs the network, which no lock may wait for; nothing where that is not asked for.
pub(in super::super) async fn answer(
    facebook: &Facebook,
    call: &Call,
    what: (&str, Option<&str>, Option<&str>),
    node: Node,
) -> Option<Result<Value, Problem>> {
    match (what, node) {
        (("POST", Some("media"), None), Node::Account) => Some(containers::create(facebook, call).await),
        _ => None,
    }
}

/// Does everything else.
pub(in super::super) fn answer_at_once(
    world: &mut World,
    call: &Call,
    what: (&str, Option<&str>, Option<&str>),
    node: Node,
) -> Result<Value, Problem> {
    match (what, node) {
        (("GET", None, None), Node::Account) => show(world, call),
        (("POST", Some("media_publish"), None), Node::Account) => publish::publish(world, call),
        (("GET", Some("content_publishing_limit"), None), Node::Account) => publish::limit(world, call),
        (("GET", Some(edge @ ("media" | "stories")), None), Node::Account) => media::list(world, call, edge),
        (("GET", None, None), Node::Container(at)) => containers::show(world, call, at),
        (("GET", None, None), Node::Media(at)) => media::show(world, call, at),
        (("GET", Some("comments"), None), Node::Media(_)) => comments::list(world, call, "comments"),
        (("POST", Some("comments"), None), Node::Media(at)) => {
            let account = world.instagram.media[at].account_id.clone();
            comments::create(world, call, &account)
        }
        (("GET", None, None), Node::Comment(at)) => comments::show(world, call, at),
        (("GET", Some("replies"), None), Node::Comment(_)) => comments::list(world, call, "replies"),
        (("POST", Some("replies"), None), Node::Comment(at)) => {
            let account = account_of_comment(world, at);
            comments::create(world, call, &account)
        }
        (("POST", None, None), Node::Comment(at)) => {
            let account = account_of_comment(world, at);
            comments::update(world, call, at, &account)
        }
        (("DELETE", None, None), Node::Comment(at)) => {
            let account = account_of_comment(world, at);
            comments::delete(world, call, at, &account)
        }
        (("GET", Some(edge), _), node) => Err(Problem::no_field(edge, node.name())),
        (("POST", Some(edge), _), _) => Err(Problem::no_path(edge)),
        _ => Err(Problem::unsupported(call.method.as_str(), &call.node)),
    }
}

/// `GET /{account}`
fn show(world: &World, call: &Call) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("instagram_basic")?;
    let account = world.settings.instagram.account(&call.node);
    let node = account.map_or(Value::Null, account_node);
    fields::show(call, &node, "IGUser", &["id"])
}

/// Refuse whoever may not publish as the account that is called.
pub(super) fn may_publish(world: &World, call: &Call) -> Result<(), Problem> {
    for scope in ["instagram_basic", "instagram_content_publish", "pages_read_engagement"] {
        call.caller.may_read(scope)?;
    }
    has_task(world, call, &call.node, &["MANAGE", "CREATE_CONTENT"])
}

/// Refuse whoever may not comment as an account.
pub(super) fn may_moderate(world: &World, call: &Call, account_id: &str) -> Result<(), Problem> {
    has_task(world, call, account_id, &["MANAGE", "MODERATE"])
}

fn has_task(world: &World, call: &Call, account_id: &str, tasks: &[&str]) -> Result<(), Problem> {
    let account = world.settings.instagram.account(account_id);
    let page = account.and_then(|account| world.settings.page(&account.page_id));
    let may = page.is_some_and(|page| tasks.iter().any(|task| page.allows(&call.caller.person_id, task)));
    if may { Ok(()) } else { Err(Problem::may_not()) }
}

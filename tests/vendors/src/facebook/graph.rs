//! The routes of the graph: what can be done with which kind of node.

use axum::Json;
use axum::extract::{Extension, Path, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::gate::{self, Call, Target};
use super::problem::Problem;
use super::state::{Facebook, World};
use super::{comments, feed, instagram, me, pages, photos, posts, videos};
use crate::door::Visitor;

/// What an id stands for; the number is its place in the lists of the world.
#[derive(Clone, Copy)]
enum Node {
    Person,
    Page,
    Post(usize),
    Photo(usize),
    Video(usize),
    Comment(usize),
    Instagram(instagram::Node),
}

impl Node {
    /// As Facebook calls nodes of this type.
    fn name(self) -> &'static str {
        match self {
            Self::Person => "User",
            Self::Page => "Page",
            Self::Post(_) => "PagePost",
            Self::Photo(_) => "Photo",
            Self::Video(_) => "Video",
            Self::Comment(_) => "Comment",
            Self::Instagram(node) => node.name(),
        }
    }
}

/// `/{version}/{node}`
pub(super) async fn node(
    facebook: State<Facebook>,
    visitor: Extension<Visitor>,
    Path((version, node)): Path<(String, String)>,
    request: Request,
) -> Response {
    serve(facebook, visitor, Target { version, node, edge: None, member: None }, request).await
}

/// `/{version}/{node}/{edge}`
pub(super) async fn edge(
    facebook: State<Facebook>,
    visitor: Extension<Visitor>,
    Path((version, node, edge)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    serve(facebook, visitor, Target { version, node, edge: Some(edge), member: None }, request).await
}

/// `/{version}/{node}/{edge}/{member}`
pub(super) async fn member(
    facebook: State<Facebook>,
    visitor: Extension<Visitor>,
    Path((version, node, edge, member)): Path<(String, String, String, String)>,
    request: Request,
) -> Response {
    serve(facebook, visitor, Target { version, node, edge: Some(edge), member: Some(member) }, request).await
}

async fn serve(
    State(facebook): State<Facebook>,
    Extension(visitor): Extension<Visitor>,
    target: Target,
    request: Request,
) -> Response {
    let mut headers = HeaderMap::new();
    let answer = match gate::admit(&facebook, &visitor, target, request, &mut headers).await {
        Ok(call) => answer(&facebook, &call).await,
        Err(problem) => Err(problem),
    };
    let mut response = match answer {
        Ok(answer) => ([(CACHE_CONTROL, "private, no-cache, no-store")], Json(answer)).into_response(),
        Err(problem) => problem.into_response(),
    };
    response.headers_mut().extend(headers);
    response
}

async fn answer(facebook: &Facebook, call: &Call) -> Result<Value, Problem> {
    let node = find(&facebook.world(), call)?;
    let what = (call.method.as_str(), call.edge.as_deref(), call.member.as_deref());
    match (what, node) {
        // These fetch from the network, which no lock may wait for.
        (("POST", Some("photos"), None), Node::Page) => photos::upload(facebook, call).await,
        (("POST", Some("videos"), None), Node::Page) => videos::upload(facebook, call).await,
        (what, Node::Instagram(node)) => match instagram::answer(facebook, call, what, node).await {
            Some(answer) => answer,
            None => instagram::answer_at_once(&mut facebook.world(), call, what, node),
        },
        _ => answer_at_once(&mut facebook.world(), call, what, node),
    }
}

fn answer_at_once(
    world: &mut World,
    call: &Call,
    what: (&str, Option<&str>, Option<&str>),
    node: Node,
) -> Result<Value, Problem> {
    match (what, node) {
        (("GET", None, None), Node::Person) => me::show(world, call),
        (("GET", Some("accounts"), None), Node::Person) => me::accounts(world, call),
        (("GET", Some("permissions"), None), Node::Person) => me::permissions(world, call),
        (("DELETE", Some("permissions"), scope), Node::Person) => me::withdraw(world, call, scope),
        (("GET", None, None), Node::Page) => pages::show(world, call),
        (("POST", Some("feed"), None), Node::Page) => feed::publish(world, call),
        (("GET", Some("feed" | "published_posts"), None), Node::Page) => feed::list(world, call),
        (("GET", None, None), Node::Post(at)) => posts::show(world, call, at),
        (("POST", None, None), Node::Post(at)) => posts::update(world, call, at),
        (("DELETE", None, None), Node::Post(at)) => posts::delete(world, call, at),
        (("GET", Some("comments"), None), Node::Post(_) | Node::Comment(_)) => comments::list(world, call),
        (("POST", Some("comments"), None), Node::Post(_) | Node::Comment(_)) => comments::create(world, call),
        (("GET", None, None), Node::Comment(at)) => comments::show(world, call, at),
        (("POST", None, None), Node::Comment(at)) => comments::update(world, call, at),
        (("DELETE", None, None), Node::Comment(at)) => comments::delete(world, call, at),
        (("GET", None, None), Node::Photo(at)) => photos::show(world, call, at),
        (("GET", None, None), Node::Video(at)) => videos::show(world, call, at),
        (("GET", Some(edge), _), node) => Err(Problem::no_field(edge, node.name())),
        (("POST", Some(edge), _), _) => Err(Problem::no_path(edge)),
        _ => Err(Problem::unsupported(call.method.as_str(), &call.node)),
    }
}

/// The node of a call. What belongs to another page than the caller's is as if it were not there; people see what
/// belongs to pages on which they have a role.
fn find(world: &World, call: &Call) -> Result<Node, Problem> {
    let id = call.node.as_str();
    let missing = || Problem::unsupported(call.method.as_str(), id);
    let of = |page_id: &str| {
        let page = world.settings.page(page_id).ok_or_else(missing)?;
        let own = match &call.caller.page_id {
            Some(own) => own == page_id,
            None => page.roles.contains_key(&call.caller.person_id),
        };
        if own { Ok(()) } else { Err(missing()) }
    };
    if id == call.caller.person_id && call.caller.page_id.is_none() {
        return Ok(Node::Person);
    }
    if world.settings.page(id).is_some() {
        return Ok(Node::Page);
    }
    if let Some(node) = instagram::find(world, call)? {
        return Ok(Node::Instagram(node));
    }
    if let Some(at) = world.posts.iter().position(|post| post.id == id && !post.deleted) {
        of(&world.posts[at].page_id)?;
        return Ok(Node::Post(at));
    }
    if let Some(at) = world.comments.iter().position(|comment| comment.id == id && !comment.deleted) {
        let post_id = &world.comments[at].post_id;
        // A comment goes with its post.
        let post = world.posts.iter().find(|post| post.id == *post_id && !post.deleted).ok_or_else(missing)?;
        of(&post.page_id)?;
        return Ok(Node::Comment(at));
    }
    if let Some(at) = world.photos.iter().position(|photo| photo.id == id) {
        of(&world.photos[at].page_id)?;
        return Ok(Node::Photo(at));
    }
    if let Some(at) = world.videos.iter().position(|video| video.id == id) {
        of(&world.videos[at].page_id)?;
        return Ok(Node::Video(at));
    }
    Err(missing())
}

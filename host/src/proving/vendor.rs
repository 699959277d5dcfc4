//! The vendor's part: servers on this machine that stand for the endpoints of the manifest, and speak as a scene tells.

use super::came::Came;
use super::keys;
use super::mishap::RETRY_AFTER_S;
use super::outcome;
use super::scene::Scene;
use super::script::Answer;
use super::wire::{Cut, Server};
use crate::clock::Clock;
use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use orla_manifest::{FieldKind, Fields, Manifest, Origin};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// A date as HTTP writes it (RFC 9110 section 5.6.7).
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
/// Marks an answer that holds nothing of use, so that it is known again in the journal.
pub(super) const SPOILED: &str = "x-orla-spoiled";

/// Where URLs at which a vendor fetches media lead in cases; the digest of the bytes follows.
pub(super) const MEDIA: &str = "https://media.example";

/// Path and query of a whole URL that a person enters. It is as secret as what signs there.
const HOOK: &str = "/hook/proving-hook-5f0c1d7a9e?key=proving-hook-5f0c1d7a9e";

/// The servers.
#[derive(Debug)]
pub(super) struct Vendor {
    scene: Arc<Mutex<Scene>>,
    /// Of the endpoints whose origins are in the manifest.
    servers: BTreeMap<String, Server>,
    /// At the address that a person enters, where there is one, with path and query of that.
    entered: Option<(Server, &'static str)>,
}

#[derive(Clone)]
struct Desk {
    /// What it stands for.
    endpoints: Arc<[String]>,
    /// Path and query of the URL that all requests go to, where a person enters all of it.
    hook: Option<&'static str>,
    scene: Arc<Mutex<Scene>>,
    clock: Clock,
}

/// What the vendor does with a request.
#[derive(Debug)]
pub(super) enum Reply {
    Answer(Answer),
    /// A status, with a body that tells secrets back, which a guest must not see.
    Status(u16, Vec<String>),
    /// 200 with this, marked as [`SPOILED`].
    Spoiled {
        content_type: &'static str,
        body: Bytes,
    },
    /// Nothing: the line goes dead.
    Cut,
    /// So many bytes of the answer, then the line goes dead.
    Part(Answer, usize),
    /// Nothing, for ever.
    Silence,
}

impl Vendor {
    /// Opens a server for each endpoint; one for all whose origin is what a person enters.
    ///
    /// # Errors
    /// There are no free ports.
    pub(super) async fn start(manifest: &Manifest, clock: &Clock) -> anyhow::Result<Self> {
        let scene = Arc::new(Mutex::new(Scene::new(manifest)));
        let open = async |endpoints: Vec<String>, hook| {
            let desk = Desk { endpoints: endpoints.into(), hook, scene: scene.clone(), clock: clock.clone() };
            let router = Router::new().fallback(receive).with_state(desk);
            Server::start(router).await.context("cannot listen on this machine")
        };
        let mut servers = BTreeMap::new();
        let mut at_address = Vec::new();
        for (name, endpoint) in &manifest.endpoints {
            match &endpoint.origin {
                Origin::Literal(_) => {
                    servers.insert(name.clone(), open(vec![name.clone()], None).await?);
                }
                Origin::Entered { .. } => at_address.push(name.clone()),
            }
        }
        let entered = match keys::fields(manifest).and_then(Fields::address) {
            Some(field) => {
                let hook = (field.kind == FieldKind::Url).then_some(HOOK);
                Some((open(at_address, hook).await?, hook.unwrap_or_default()))
            }
            None => None,
        };
        Ok(Self { scene, servers, entered })
    }

    /// Where each endpoint is whose origin the manifest has.
    pub(super) fn origins(&self) -> BTreeMap<String, String> {
        self.servers.iter().map(|(endpoint, server)| (endpoint.clone(), server.origin())).collect()
    }

    /// What a person enters as the address of an account; empty where nobody has to.
    pub(super) fn entered(&self) -> String {
        self.entered.as_ref().map_or_else(String::new, |(server, path)| format!("{}{path}", server.origin()))
    }

    /// What the operator has to allow so that it may be entered, as `host:port`.
    pub(super) fn allowed(&self) -> Vec<String> {
        self.entered.iter().map(|(server, _)| server.address().to_string()).collect()
    }

    /// Looks at what is played, or changes it.
    pub(super) fn scene<T>(&self, look: impl FnOnce(&mut Scene) -> T) -> T {
        look(&mut self.scene.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn receive(State(desk): State<Desk>, ConnectInfo(cut): ConnectInfo<Cut>, request: Request) -> Response {
    let read = Came::read(desk.endpoints.clone(), desk.hook, desk.clock.now(), request);
    let Some(mut came) = read.await else { return dead(&cut) };
    let (reply, number, folder) = {
        let mut scene = desk.scene.lock().unwrap_or_else(PoisonError::into_inner);
        (scene.receive(&mut came), scene.next_number(), scene.folder().to_owned())
    };
    let written = match reply {
        Reply::Answer(answer) => whole(&answer, &folder),
        Reply::Part(answer, bytes) => part(&answer, bytes, &folder),
        Reply::Status(status, told_back) => bare(status, &told_back, &folder),
        Reply::Spoiled { content_type, body } => Ok(spoiled(content_type, body)),
        Reply::Cut => return dead(&cut),
        Reply::Silence => std::future::pending().await,
    };
    match written {
        Ok(mut response) => {
            let headers = response.headers_mut();
            let date = desk.clock.now().calendar().and_then(|now| now.format(HTTP_DATE).ok());
            if let Some(Ok(date)) = date.map(HeaderValue::try_from) {
                headers.entry(DATE).or_insert(date);
            }
            // No two answers are alike at real vendors: a connector must not build keys of what changes.
            headers.entry("x-request-id").or_insert(HeaderValue::from(number));
            response
        }
        Err(error) => {
            let mut scene = desk.scene.lock().unwrap_or_else(PoisonError::into_inner);
            scene.complain(format!("{}: its answer cannot be given: {error:#}", came.line()));
            dead(&cut)
        }
    }
}

fn dead(cut: &Cut) -> Response {
    cut.pull();
    Response::new(Body::empty())
}

fn head(answer: &Answer) -> anyhow::Result<Response> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status)?;
    if let Some(content_type) = answer.content_type() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in &answer.headers {
        response.headers_mut().insert(HeaderName::try_from(name)?, HeaderValue::from_str(value)?);
    }
    Ok(response)
}

fn whole(answer: &Answer, folder: &Path) -> anyhow::Result<Response> {
    let mut response = head(answer)?;
    *response.body_mut() = Body::from(answer.bytes(folder)?);
    Ok(response)
}

fn part(answer: &Answer, bytes: usize, folder: &Path) -> anyhow::Result<Response> {
    let mut response = head(answer)?;
    let all = answer.bytes(folder)?;
    if answer.events().is_none() {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(all.len()));
    }
    let first = Bytes::copy_from_slice(&all[..bytes.min(all.len())]);
    let pieces = [Ok(first), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    *response.body_mut() = Body::from_stream(stream::iter(pieces));
    Ok(response)
}

fn bare(status: u16, told_back: &[String], folder: &Path) -> anyhow::Result<Response> {
    let mut response = whole(&outcome::told_back(status, told_back), folder)?;
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    }
    Ok(response)
}

fn spoiled(content_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(HeaderName::from_static(SPOILED), HeaderValue::from_static("true"));
    response
}

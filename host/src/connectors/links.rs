//! Links: URLs that a vendor handed out, sealed so that a connector can keep and follow them, but not read or make them.
//!
//! A link opens only for the connection whose answer it stood in. Where links stand, which hosts they may have and
//! whether requests along them are signed is in the manifest.

use super::destination::{Destination, Place};
use super::egress::ChosenBy;
use super::fault::Fault;
use super::link_header;
use super::run::Run;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orla_manifest::{AnswerPlace, Link, Sign};
use reqwest::header::{HeaderMap, HeaderValue, LINK};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use url::Url;

const PREFIX: &str = "orla-link:";

#[derive(Serialize, Deserialize)]
struct Sealed {
    endpoint: String,
    url: Url,
    signed: bool,
}

/// What a link's seal is bound to.
fn identity(run: &Run) -> String {
    format!("link/{}/{}/{}", run.workspace, run.release.manifest.id, run.credentials.identity())
}

/// Most links of an execution that are told of when they do not reach the connector.
const MOST_DROPPED: usize = 10;

/// Links of an execution that the manifest declares and that did not reach the connector, each in a sentence that says why.
#[derive(Debug, Default)]
pub(crate) struct Dropped(Mutex<Vec<String>>);

impl Dropped {
    /// All sentences, as far as they are kept.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a sentence, unless it is known or there are too many; and tells the operator.
    fn add(&self, run: &Run, link: &Link, why: &str) {
        let at = match &link.at {
            AnswerPlace::Pointer(pointer) => format!("at `{pointer}`"),
            AnswerPlace::Header(name) => format!("in the header `{name}`"),
            AnswerPlace::LinkHeader(relation) => format!("`{relation}` in the header `Link`"),
            AnswerPlace::Key => String::new(),
        };
        let sentence = format!("the link {at} of `{}` did not reach the connector: {why}", link.from);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_DROPPED && !known.contains(&sentence) {
            tracing::warn!(connector = %run.release.manifest.id, run = %run.id, "{sentence}");
            known.push(sentence);
        }
    }
}

/// Seals a link. One that may not be followed is dropped, which is told.
fn seal(run: &Run, link: &Link, url: &str) -> Option<String> {
    let url = match allowed(run, link, url) {
        Ok(url) if link.signed => without_secrets(run, url),
        Ok(url) => url,
        Err(why) => {
            run.dropped.add(run, link, &why);
            return None;
        }
    };
    let sealed = Sealed { endpoint: link.from.clone(), url, signed: link.signed };
    let plain = serde_json::to_vec(&sealed).ok()?;
    Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(run.services.vault.seal_token(&identity(run), &plain))))
}

/// Where a link leads, where it may be followed; else why not.
fn allowed(run: &Run, link: &Link, url: &str) -> Result<Url, String> {
    let place = Place::of(run, &link.from).map_err(|fault| fault.message)?;
    // Of relative references, the one that needs no more than the origin.
    let url = if url.starts_with('/') { place.url.join(url) } else { Url::parse(url) };
    let url = url.map_err(|error| format!("it is no URL, and no path from `/` on: {error}"))?;
    let host = url.host_str().ok_or("it names no host")?;
    // An endpoint that the operator moved hands out links to where it is now, one that a person named to itself.
    if place.url.origin() == url.origin() {
        return Ok(url);
    }
    let is_declared = link.hosts.iter().any(|allowed| match allowed.strip_prefix('.') {
        Some(suffix) => host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')),
        None => host == allowed,
    });
    match (is_declared, url.scheme()) {
        (true, "https") => Ok(url),
        (true, scheme) => Err(format!("it leads to {host} by {scheme}, and only by https may it")),
        (false, _) => Err(format!("it leads to {host}, which is neither the endpoint's origin nor among `hosts`")),
    }
}

/// A URL without the secrets in its query: whoever follows it signs with what is fresh then.
fn without_secrets(run: &Run, mut url: Url) -> Url {
    let names = &run.release.secret_names;
    if url.query_pairs().any(|(name, _)| names.has(&name)) {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !names.has(name))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    url
}

/// Opens a link for a request.
///
/// # Errors
/// Fault `bug`: it is no link, or another connection's. Or the connection's address cannot be had.
pub(super) fn open(run: &Run, link: &str) -> Result<Destination, Fault> {
    let refuse = || Fault::bug("this is no link that the vendor gave to this connection");
    let sealed = link.strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or_else(refuse)?;
    let plain = run.services.vault.open_token(&identity(run), &sealed).map_err(|_| refuse())?;
    let Sealed { endpoint, url, signed } = serde_json::from_slice(&plain).map_err(|_| refuse())?;
    let declared = run.release.manifest.endpoints.get(&endpoint).ok_or_else(refuse)?;
    let place = Place::of(run, &endpoint)?;
    // What was entered for the connection may have changed since: its secrets go to its address of now.
    if signed && place.chosen_by == ChosenBy::User && place.url.origin() != url.origin() {
        return Err(refuse());
    }
    let sign = if signed { declared.sign.clone() } else { Sign::None };
    let (path, query) = (url.path().to_owned(), url.query().unwrap_or_default().to_owned());
    Ok(Destination { endpoint, url, path, query, sign, chosen_by: place.chosen_by })
}

/// Seals the links in an answer's headers.
pub(super) fn seal_headers(run: &Run, endpoint: &str, headers: &mut HeaderMap) {
    seal_link_header(run, endpoint, headers);
    for link in run.release.manifest.links.iter().filter(|link| link.from == endpoint) {
        let AnswerPlace::Header(name) = &link.at else { continue };
        let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned) else { continue };
        headers.remove(name);
        if let Some(Ok(sealed)) = seal(run, link, &value).map(|sealed| sealed.parse())
            && let Ok(name) = name.parse::<reqwest::header::HeaderName>()
        {
            headers.insert(name, sealed);
        }
    }
}

/// Leaves of the header `Link` the declared links, sealed and in one form, where any are declared.
fn seal_link_header(run: &Run, endpoint: &str, headers: &mut HeaderMap) {
    let declared: Vec<(&Link, &str)> = run
        .release
        .manifest
        .links
        .iter()
        .filter(|link| link.from == endpoint)
        .filter_map(|link| match &link.at {
            AnswerPlace::LinkHeader(relation) => Some((link, relation.as_str())),
            AnswerPlace::Pointer(_) | AnswerPlace::Header(_) | AnswerPlace::Key => None,
        })
        .collect();
    if declared.is_empty() {
        return;
    }
    let mut targets = Vec::new();
    for value in headers.get_all(LINK) {
        match value.to_str().ok().and_then(link_header::parse) {
            Some(read) => targets.extend(read),
            None => declared.iter().for_each(|(link, _)| run.dropped.add(run, link, "the header breaks RFC 8288")),
        }
    }
    headers.remove(LINK);
    let sealed = declared.into_iter().filter_map(|(link, relation)| {
        let target = targets.iter().find(|target| target.is(relation))?;
        Some(format!("<{}>; rel=\"{relation}\"", seal(run, link, &target.uri)?))
    });
    let sealed: Vec<String> = sealed.collect();
    if !sealed.is_empty()
        && let Ok(value) = HeaderValue::from_str(&sealed.join(", "))
    {
        headers.insert(LINK, value);
    }
}

/// Seals the links in a JSON body; a body without any declared link stays as it is, to the byte.
pub(super) fn seal_body(run: &Run, endpoint: &str, body: Vec<u8>) -> Vec<u8> {
    let pointers: Vec<(&Link, &str)> = run
        .release
        .manifest
        .links
        .iter()
        .filter(|link| link.from == endpoint)
        .filter_map(|link| match &link.at {
            AnswerPlace::Pointer(pointer) => Some((link, pointer.as_str())),
            AnswerPlace::Header(_) | AnswerPlace::LinkHeader(_) | AnswerPlace::Key => None,
        })
        .collect();
    if pointers.is_empty() {
        return body;
    }
    let Ok(mut document) = serde_json::from_slice::<Value>(&body) else { return body };
    for (link, pointer) in pointers {
        let segments: Vec<&str> = pointer.split('/').skip(1).collect();
        each(&mut document, &segments, &mut |value| {
            if let Some(url) = value.as_str() {
                *value = seal(run, link, url).map_or(Value::Null, Value::String);
            }
        });
    }
    serde_json::to_vec(&document).unwrap_or(body)
}

/// Visits every value that a pointer with `*` names.
fn each(value: &mut Value, segments: &[&str], visit: &mut impl FnMut(&mut Value)) {
    let Some((first, rest)) = segments.split_first() else { return visit(value) };
    match value {
        Value::Array(items) if *first == "*" => items.iter_mut().for_each(|item| each(item, rest, visit)),
        Value::Array(items) => {
            if let Some(item) = first.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                each(item, rest, visit);
            }
        }
        Value::Object(members) => {
            if let Some(member) = members.get_mut(&first.replace("~1", "/").replace("~0", "~")) {
                each(member, rest, visit);
            }
        }
        _ => {}
    }
}

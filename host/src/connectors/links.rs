//! Links: URLs that a vendor handed out, sealed so that a connector can keep and follow them, but not read or make them.
//!
//! A link opens only for the connection whose answer it stood in. Where links stand, which hosts they may have and
//! whether requests along them are signed is in the manifest.

use super::fault::Fault;
use super::run::Run;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orla_manifest::{AnswerPlace, Link, Sign};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

fn seal(run: &Run, link: &Link, url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    // An endpoint that the operator moved hands out links to where it is now.
    let moved = run.release.origins.get(&link.from).is_some_and(|origin| origin.origin() == url.origin());
    let allowed = link.hosts.iter().any(|allowed| match allowed.strip_prefix('.') {
        Some(suffix) => host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')),
        None => host == allowed,
    });
    if !(moved || allowed && url.scheme() == "https") {
        return None;
    }
    let sealed = Sealed { endpoint: link.from.clone(), url, signed: link.signed };
    let plain = serde_json::to_vec(&sealed).ok()?;
    Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(run.services.vault.seal(&identity(run), &plain))))
}

/// Opens a link for a request: the endpoint that it came from, the URL, and how to sign.
///
/// # Errors
/// Fault `bug`: it is no link, or another connection's.
pub(super) fn open(run: &Run, link: &str) -> Result<(String, Url, Sign), Fault> {
    let refuse = || Fault::bug("this is no link that the vendor gave to this connection");
    let sealed = link.strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or_else(refuse)?;
    let plain = run.services.vault.unseal(&identity(run), &sealed).map_err(|_| refuse())?;
    let Sealed { endpoint, url, signed } = serde_json::from_slice(&plain).map_err(|_| refuse())?;
    let declared = run.release.manifest.endpoints.get(&endpoint).ok_or_else(refuse)?;
    let sign = if signed { declared.sign.clone() } else { Sign::None };
    Ok((endpoint, url, sign))
}

/// Seals the links in an answer's headers.
pub(super) fn seal_headers(run: &Run, endpoint: &str, headers: &mut HeaderMap) {
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
            AnswerPlace::Header(_) => None,
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

//! From a vendor's answer to what a guest, the journal and logs may see of it: bounded, with links sealed and secrets
//! blanked.

use super::bindings::connector::orla::connector::http as wit;
use super::blob::{self, Blob, NotStored};
use super::egress::broken;
use super::events::Event;
use super::fault::{Fault, FaultKind};
use super::links;
use super::run::Run;
use super::slots;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use memchr::memmem;
use orla_manifest::{AnswerPlace, Meaning, Verdict};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Mutex;

const BLANK: &str = "[redacted]";
/// Headers that never reach a guest.
const WITHHELD: &[&str] = &["authorization", "cookie", "proxy-authenticate", "set-cookie", "www-authenticate"];
const MAX_HEADER_BYTES: usize = 32 << 10;
/// Largest JSON whose base64 members become blobs; larger answers are read straight into a blob.
const MAX_JSON_BYTES: u64 = 64 << 20;

/// An answer that a guest may see, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The body as text; as base64 where it is no UTF-8; or the events that it was.
    #[serde(flatten)]
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    None,
    Text(String),
    Base64(String),
    Events(Vec<Event>),
}

/// What came back of a request.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) answer: Answer,
    /// Blobs that the body became, for effect `read`.
    pub(crate) blobs: Vec<Blob>,
}

/// Secrets that were sent, to be blanked wherever they come back.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<Vec<Secret>>);

/// A secret, and what it looks like where URLs, JSON or base64 hold it.
#[derive(Debug)]
struct Secret {
    plain: SecretString,
    forms: Vec<SecretString>,
}

/// Shorter secrets would blank innocent text.
const MIN_SECRET_BYTES: usize = 8;

impl Secrets {
    pub(crate) fn add(&self, secret: &SecretString) {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let new = secret.expose_secret();
        if new.len() >= MIN_SECRET_BYTES && !known.iter().any(|secret| secret.plain.expose_secret() == new) {
            known.push(Secret { plain: secret.clone(), forms: forms(new) });
        }
    }

    /// Blanks every known secret in bytes, as it is and as URLs and JSON would write it.
    pub(crate) fn blank(&self, bytes: Vec<u8>) -> Vec<u8> {
        let known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut bytes = bytes;
        for form in known.iter().flat_map(|secret| &secret.forms) {
            bytes = replace(bytes, form.expose_secret().as_bytes());
        }
        bytes
    }

    pub(crate) fn blank_text(&self, text: String) -> String {
        String::from_utf8(self.blank(text.into_bytes())).unwrap_or_else(|_| BLANK.to_owned())
    }
}

fn forms(secret: &str) -> Vec<SecretString> {
    let mut forms = vec![secret.to_owned()];
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = Value::from(secret).to_string();
    forms.push(encoded);
    forms.push(json[1..json.len() - 1].to_owned());
    forms.push(STANDARD.encode(secret));
    forms.dedup();
    forms.into_iter().map(SecretString::from).collect()
}

fn replace(bytes: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    let Some(first) = memmem::find(&bytes, secret) else { return bytes };
    let mut blanked = bytes[..first].to_vec();
    let mut rest = &bytes[first..];
    while let Some(at) = memmem::find(rest, secret) {
        blanked.extend_from_slice(&rest[..at]);
        blanked.extend_from_slice(BLANK.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    blanked.extend_from_slice(rest);
    blanked
}

/// Reads an answer as the guest asked for it.
///
/// # Errors
/// Fault `too-large`, or `vendor-down` when it broke off; `sent` is set, since the vendor did answer.
pub(crate) async fn receive(
    run: &Run,
    endpoint: &str,
    response: reqwest::Response,
    kind: &wit::AnswerKind,
) -> Result<Received, Fault> {
    let status = response.status().as_u16();
    let headers = headers(run, endpoint, response.headers().clone());
    let cap = run.limits.inline_answer_bytes;
    let mut blobs = Vec::new();
    let body = match kind {
        wit::AnswerKind::Discard if response.status().is_success() => Body::None,
        wit::AnswerKind::Blob if response.status().is_success() => {
            blobs.push(into_blob(run, response).await?);
            Body::None
        }
        wit::AnswerKind::JsonToBlobs(pointers) if response.status().is_success() => {
            let mut document = serde_json::from_slice(&read(run, response, MAX_JSON_BYTES).await?)
                .map_err(|_| lost("the vendor's answer is no JSON"))?;
            for pointer in pointers {
                blobs.extend(extract(run, &mut document, pointer).await?);
            }
            clean(run, endpoint, status, document.to_string().into_bytes())
        }
        wit::AnswerKind::Inline
        | wit::AnswerKind::Discard
        | wit::AnswerKind::Blob
        | wit::AnswerKind::JsonToBlobs(_)
        | wit::AnswerKind::Events => clean(run, endpoint, status, read(run, response, cap).await?),
    };
    if fills_slots(run, endpoint, status) {
        Box::pin(slots::keep(run)).await;
    }
    Ok(Received { answer: Answer { status, headers, body }, blobs })
}

pub(crate) fn headers(run: &Run, endpoint: &str, mut headers: HeaderMap) -> Vec<(String, String)> {
    links::seal_headers(run, endpoint, &mut headers);
    let names = &run.release.secret_names;
    let mut bytes = 0;
    headers
        .iter()
        .filter(|(name, _)| !WITHHELD.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .take_while(|(name, value)| {
            bytes += name.len() + value.len();
            bytes <= MAX_HEADER_BYTES
        })
        .map(|(name, value)| {
            let value = if names.has(&name) { BLANK.to_owned() } else { names.hide_text(&run.secrets, value) };
            (name, run.secrets.blank_text(value))
        })
        .collect()
}

/// Whether an answer of this status may hold what goes into slots.
fn fills_slots(run: &Run, endpoint: &str, status: u16) -> bool {
    (200..300).contains(&status) && run.release.manifest.slots.iter().any(|rule| rule.from == endpoint)
}

fn clean(run: &Run, endpoint: &str, status: u16, body: Vec<u8>) -> Body {
    if fills_slots(run, endpoint, status)
        && let Ok(document) = serde_json::from_slice(&body)
    {
        slots::take(run, endpoint, &document);
    }
    let sealed = links::seal_body(run, endpoint, body);
    let body = run.secrets.blank(run.release.secret_names.hide(&run.secrets, sealed));
    match String::from_utf8(body) {
        Ok(text) if text.is_empty() => Body::None,
        Ok(text) => Body::Text(text),
        Err(error) => Body::Base64(STANDARD.encode(error.as_bytes())),
    }
}

fn lost(message: impl Into<String>) -> Fault {
    Fault { sent: true, ..Fault::new(FaultKind::VendorDown, message) }
}

fn broke_off(cause: &str) -> Fault {
    lost(format!("the vendor's answer broke off: {cause}"))
}

fn too_large(cap: u64) -> Fault {
    Fault { sent: true, ..Fault::new(FaultKind::TooLarge, format!("the vendor's answer is larger than {cap} bytes")) }
}

async fn read(run: &Run, response: reqwest::Response, cap: u64) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| broke_off(&broken(&error)))?;
        run.traffic.received(chunk.len() as u64);
        if body.len() as u64 + chunk.len() as u64 > cap {
            return Err(too_large(cap));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn into_blob(run: &Run, response: reqwest::Response) -> Result<Blob, Fault> {
    let chunks = response.bytes_stream().map_err(|error| broken(&error)).inspect_ok(|chunk| {
        run.traffic.received(chunk.len() as u64);
    });
    store(run, chunks.boxed()).await
}

/// Takes a base64 member out of an answer into a blob; `None` where there is no such member.
async fn extract(run: &Run, document: &mut Value, pointer: &str) -> Result<Option<Blob>, Fault> {
    let Some(member) = document.pointer_mut(pointer) else { return Ok(None) };
    let Value::String(text) = std::mem::replace(member, Value::from("")) else {
        return Err(lost(format!("`{pointer}` of the vendor's answer is no text")));
    };
    let bytes = STANDARD.decode(text).map_err(|_| lost(format!("`{pointer}` of the vendor's answer is no base64")))?;
    store(run, futures_util::stream::iter([Ok(Bytes::from(bytes))]).boxed()).await.map(Some)
}

async fn store(run: &Run, chunks: futures_util::stream::BoxStream<'_, Result<Bytes, String>>) -> Result<Blob, Fault> {
    let services = &run.services;
    let stored = services.blobs.put(run.workspace, chunks, services.max_blob_bytes).await;
    let blob = stored.map_err(|error| match error {
        NotStored::TooLarge(cap) => too_large(cap),
        NotStored::Source(cause) => broke_off(&cause),
        NotStored::Store(cause) => {
            tracing::error!(error = format!("{cause:#}"), "the blob store failed");
            lost("the host could not store the vendor's answer")
        }
    })?;
    let written: sqlx::Result<()> = async {
        let mut tx = services.db.begin().await?;
        // What only looks has no run that could find it again.
        let receiver = run.journal.as_ref().map(|_| run.id);
        blob::insert_received(&mut tx, &blob, receiver, services.clock.now()).await?;
        tx.commit().await
    }
    .await;
    written.map_err(|error| {
        tracing::error!(%error, blob = %blob.id, "a blob could not be made known");
        lost("the host could not store the vendor's answer")
    })?;
    run.received.add(&blob);
    Ok(blob)
}

/// What an answer says of a request with an effect: the manifest's verdicts first, then the status.
pub(crate) fn meaning(verdicts: &[Verdict], answer: &Answer) -> Meaning {
    let told = verdicts.iter().find(|verdict| verdict.status == answer.status && applies(verdict, &answer.body));
    match (told, answer.status) {
        (Some(verdict), _) => verdict.means,
        (None, 200..=299) => Meaning::Done,
        (None, 408 | 409) => Meaning::Unknown,
        (None, 400..=499) => Meaning::Refused,
        // A redirect is not followed, so nothing was done; nobody can promise that, though.
        (None, _) => Meaning::Unknown,
    }
}

fn applies(verdict: &Verdict, body: &Body) -> bool {
    let Some(wanted) = &verdict.contains else { return true };
    let Body::Text(text) = body else { return false };
    let found = match &verdict.pointer {
        None => Some(text.clone()),
        Some(pointer) => serde_json::from_str::<Value>(text).ok().and_then(|document| {
            let value = document.pointer(pointer)?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        }),
    };
    found.is_some_and(|found| found.to_lowercase().contains(&wanted.to_lowercase()))
}

impl Answer {
    /// The text or number at the first of these places that holds one, in the answer to the commit of this key.
    pub(crate) fn named(&self, places: &[AnswerPlace], key: &str) -> Option<String> {
        let document = || match &self.body {
            Body::Text(text) => serde_json::from_str::<Value>(text).ok(),
            Body::None | Body::Base64(_) | Body::Events(_) => None,
        };
        places.iter().find_map(|place| match place {
            AnswerPlace::Pointer(pointer) => match document()?.pointer(pointer)? {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
            AnswerPlace::Header(name) => {
                let header = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
                header.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
            }
            AnswerPlace::Key => Some(key.to_owned()),
            AnswerPlace::LinkHeader(_) => None,
        })
    }
}

impl Body {
    /// The bytes; none of events, which are handed on one by one.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::None | Self::Events(_) => None,
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Base64(text) => Some(STANDARD.decode(text).unwrap_or_default()),
        }
    }
}

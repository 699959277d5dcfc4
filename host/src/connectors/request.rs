//! From what a guest asks for to a request that may leave: checked, resolved, named by a digest, and built as often as
//! it is sent.

use super::bindings::connector::orla::connector::http as wit;
use super::blob::{Blob, Blobs};
use super::destination::Destination;
use super::egress::quota::Haste;
use super::fault::Fault;
use super::paths;
use super::public_url::Writing;
use super::run::Run;
use super::signing;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orla_manifest::Sign;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::sync::Arc;

/// Headers that are the host's.
const HOST_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    // Those that some servers take for another method or path than the one that was checked.
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];
const HOST_HEADER_PREFIXES: &[&str] = &["proxy-", "x-forwarded-"];
/// Most bytes of blobs that a JSON body may embed: it is built in memory.
const MAX_EMBEDDED_BYTES: u64 = 32 << 20;
const MAX_HEADERS: usize = 64;
const JSON: &str = "application/json";

/// A stretch of a blob.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) blob: Arc<Blob>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// A part of a multipart body.
#[derive(Debug, Clone)]
pub(crate) struct FormPart {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) content: PartContent,
}

#[derive(Debug, Clone)]
pub(crate) enum PartContent {
    Text(String),
    Blob(Slice),
}

/// A body, free of the guest that asked for it.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    None,
    Bytes { content_type: String, bytes: bytes::Bytes },
    Form(Vec<(String, String)>),
    Multipart(Vec<FormPart>),
    JsonWithBlobs { document: serde_json::Value, blobs: Vec<(String, Slice)> },
    Blob(Slice),
}

/// A request that may leave.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) destination: Destination,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    /// The slot whose secret signs it; the connection's own token where absent.
    pub(crate) slot: Option<String>,
    /// The query parameter that proves by which app the token is used.
    pub(crate) proof: Option<String>,
    /// SHA-256 in hex of all that makes the request what it is; credentials are no part of it.
    pub(crate) digest: String,
    /// What the message is called where messages have names: the same whenever a step of the run is sent.
    pub(crate) message_id: String,
    /// Whether it waits where the vendor wants to be asked less often.
    pub(crate) haste: Haste,
}

impl Outbound {
    /// Checks what a guest asks for.
    ///
    /// # Errors
    /// Fault `bug`: the request breaks the contract and must not leave.
    pub(crate) fn check(run: &Run, request: &wit::Request, payload: Payload) -> Result<Self, Fault> {
        let method = match request.method {
            wit::Method::Get => Method::GET,
            wit::Method::Head => Method::HEAD,
            wit::Method::Post => Method::POST,
            wit::Method::Put => Method::PUT,
            wit::Method::Patch => Method::PATCH,
            wit::Method::Delete => Method::DELETE,
        };
        let destination = Destination::of(run, request)?;
        let declared = &run.release.manifest.endpoints[&destination.endpoint];
        if declared.host_only.iter().any(|pattern| paths::may_reach(pattern, &destination.path)) {
            return Err(Fault::bug(format!("`{:.200}` mints tokens: only the host calls it", destination.path)));
        }
        if matches!(request.effect, wit::Effect::Read) && !destination.is_read(&method, declared) {
            return Err(Fault::bug(format!("{method} {:.200} is no read by the manifest", destination.path)));
        }
        if matches!(destination.sign, Sign::StandardWebhooks { .. })
            && matches!(payload, Payload::Blob(_) | Payload::Multipart(_))
        {
            return Err(Fault::bug("a body that is streamed cannot be signed as a webhook"));
        }
        let headers = check_headers(&request.headers)?;
        let proof = declared.proof.clone().filter(|_| destination.sign != Sign::None);
        check_signature(&destination.sign, proof.as_deref(), request)?;
        let digest = digest(&method, &destination, request, &payload);
        let key = match &request.effect {
            wit::Effect::Read => &digest,
            wit::Effect::Prepare(wit::Preparation { key, .. }) | wit::Effect::Commit(key) | wit::Effect::Spend(key) => {
                key
            }
        };
        let message_id = signing::message_id(run.id, key);
        let slot = request.slot.clone();
        let haste = match &request.effect {
            wit::Effect::Read | wit::Effect::Prepare(_) => Haste::None,
            wit::Effect::Commit(_) | wit::Effect::Spend(_) => Haste::Now,
        };
        Ok(Self { destination, method, headers, payload, slot, proof, digest, message_id, haste })
    }

    /// Builds the request, unsigned. URLs at which the vendor fetches media are made here, anew each time.
    ///
    /// # Errors
    /// A blob cannot be read.
    pub(crate) async fn build(&self, run: &Run) -> anyhow::Result<reqwest::Request> {
        let (blobs, writing) = (&run.services.blobs, Writing::of(run));
        let mut request = reqwest::Request::new(self.method.clone(), self.destination.url.clone());
        writing.query(request.url_mut());
        *request.headers_mut() = self.headers.clone();
        writing.headers(request.headers_mut());
        match &self.payload {
            Payload::None => {}
            Payload::Bytes { content_type, bytes } => {
                let body = match std::str::from_utf8(bytes).map(|text| writing.text(text)) {
                    Ok(Cow::Owned(written)) if content_type == JSON => written.into(),
                    Ok(_) | Err(_) => bytes.clone().into(),
                };
                set_body(&mut request, content_type, body)?;
            }
            Payload::Form(fields) => {
                let fields = fields.iter().map(|(name, value)| (name, writing.text(value)));
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                set_body(&mut request, "application/x-www-form-urlencoded", body.into())?;
            }
            Payload::JsonWithBlobs { document, blobs: embedded } => {
                let written = serde_json::from_str(&writing.text(&document.to_string()))?;
                let document = embed(blobs, written, embedded).await?;
                set_body(&mut request, JSON, serde_json::to_vec(&document)?.into())?;
            }
            Payload::Blob(slice) => {
                set_body(&mut request, &slice.blob.content_type, stream(blobs, slice).await?)?;
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(slice.length));
            }
            Payload::Multipart(parts) => {
                let form = multipart(blobs, parts, &writing).await?;
                return run.services.egress.multipart(request, form);
            }
        }
        Ok(request)
    }

    /// Bytes of the body, for the meter; an estimate for forms and embedded blobs.
    pub(crate) fn body_bytes(&self) -> u64 {
        match &self.payload {
            Payload::None => 0,
            Payload::Bytes { bytes, .. } => bytes.len() as u64,
            Payload::Form(fields) => fields.iter().map(|(name, value)| (name.len() + value.len() + 2) as u64).sum(),
            Payload::Blob(slice) => slice.length,
            Payload::JsonWithBlobs { blobs, .. } => blobs.iter().map(|(_, slice)| slice.length.div_ceil(3) * 4).sum(),
            Payload::Multipart(parts) => parts
                .iter()
                .map(|part| match &part.content {
                    PartContent::Text(text) => text.len() as u64,
                    PartContent::Blob(slice) => slice.length,
                })
                .sum(),
        }
    }
}

fn check_headers(headers: &[(String, String)]) -> Result<HeaderMap, Fault> {
    if headers.len() > MAX_HEADERS {
        return Err(Fault::bug(format!("more than {MAX_HEADERS} headers")));
    }
    let mut checked = HeaderMap::new();
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        if HOST_HEADERS.contains(&lower.as_str()) || HOST_HEADER_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
        {
            return Err(Fault::bug(format!("the header `{name:.100}` is the host's to set")));
        }
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(lower.as_bytes()), HeaderValue::from_str(value)) else {
            return Err(Fault::bug(format!("`{name:.100}` is no valid header")));
        };
        checked.append(name, value);
    }
    Ok(checked)
}

/// What signs a request is the host's to set.
fn check_signature(sign: &Sign, proof: Option<&str>, request: &wit::Request) -> Result<(), Fault> {
    let header = request.headers.iter().find(|(name, _)| signing::is_ours(sign, None, Some(name), None));
    let parameter = request.query.iter().find(|(name, _)| signing::is_ours(sign, proof, None, Some(name)));
    match header.or(parameter) {
        Some((name, _)) => Err(Fault::bug(format!("`{name:.100}` signs the request: it is the host's to set"))),
        None if request.slot.is_some()
            && matches!(sign, Sign::None | Sign::Basic { .. } | Sign::StandardWebhooks { .. }) =>
        {
            Err(Fault::bug("a slot signs only where an access token would"))
        }
        None => Ok(()),
    }
}

/// Names a request, so that a re-run that asks for another one is seen.
fn digest(method: &Method, destination: &Destination, request: &wit::Request, payload: &Payload) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(method.as_str().as_bytes());
    part(destination.endpoint.as_bytes());
    // The origin is the operator's or the connection's: moving an endpoint does not make another request of it.
    part(destination.path.as_bytes());
    part(destination.query.as_bytes());
    for (name, value) in &request.headers {
        part(name.as_bytes());
        part(value.as_bytes());
    }
    if let Some(slot) = &request.slot {
        part(b"slot");
        part(slot.as_bytes());
    }
    let slice = |slice: &Slice| format!("{} {} {}", slice.blob.sha256, slice.offset, slice.length);
    match payload {
        Payload::None => part(b"none"),
        Payload::Bytes { content_type, bytes } => {
            part(content_type.as_bytes());
            part(bytes);
        }
        Payload::Form(fields) => fields.iter().for_each(|(name, value)| part(format!("{name}={value}").as_bytes())),
        Payload::Blob(blob) => part(slice(blob).as_bytes()),
        Payload::JsonWithBlobs { document, blobs } => {
            part(document.to_string().as_bytes());
            blobs.iter().for_each(|(pointer, blob)| part(format!("{pointer} {}", slice(blob)).as_bytes()));
        }
        Payload::Multipart(parts) => {
            for FormPart { name, filename, content_type, content } in parts {
                part(format!("{name:?} {filename:?} {content_type:?}").as_bytes());
                match content {
                    PartContent::Text(text) => part(text.as_bytes()),
                    PartContent::Blob(blob) => part(slice(blob).as_bytes()),
                }
            }
        }
    }
    hex::encode(hash.finalize())
}

fn set_body(request: &mut reqwest::Request, content_type: &str, body: Body) -> anyhow::Result<()> {
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(content_type)?);
    *request.body_mut() = Some(body);
    Ok(())
}

async fn stream(blobs: &Blobs, slice: &Slice) -> anyhow::Result<Body> {
    Ok(Body::wrap_stream(blobs.read(&slice.blob, slice.offset, slice.length).await?))
}

async fn embed(
    blobs: &Blobs,
    mut document: serde_json::Value,
    embedded: &[(String, Slice)],
) -> anyhow::Result<serde_json::Value> {
    let total: u64 = embedded.iter().map(|(_, slice)| slice.length).sum();
    anyhow::ensure!(total <= MAX_EMBEDDED_BYTES, "a JSON body embeds at most {MAX_EMBEDDED_BYTES} bytes");
    for (pointer, slice) in embedded {
        let bytes = blobs.read_all(&slice.blob, slice.offset, slice.length).await?;
        let member =
            document.pointer_mut(pointer).ok_or_else(|| anyhow::anyhow!("the body has no member `{pointer}`"))?;
        *member = STANDARD.encode(bytes).into();
    }
    Ok(document)
}

async fn multipart(blobs: &Blobs, parts: &[FormPart], writing: &Writing<'_>) -> anyhow::Result<Form> {
    let mut form = Form::new();
    for part in parts {
        let mut built = match &part.content {
            PartContent::Text(text) => Part::text(writing.text(text).into_owned()),
            PartContent::Blob(slice) => Part::stream_with_length(stream(blobs, slice).await?, slice.length),
        };
        if let Some(filename) = &part.filename {
            built = built.file_name(filename.clone());
        }
        if let Some(content_type) = &part.content_type {
            built = built.mime_str(content_type)?;
        }
        form = form.part(part.name.clone(), built);
    }
    Ok(form)
}

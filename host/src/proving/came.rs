//! A request that came, and how it differs from the one that a case expects.

use super::script::{Wanted, WantedBody, WantedContent, WantedPart};
use crate::clock::Timestamp;
use axum::body::Body;
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Most bytes of a request that are read.
const MAX_BODY_BYTES: usize = 64 << 20;
/// Most characters of a value that a sentence shows.
const SHOWN: usize = 200;

/// A request that came.
#[derive(Debug)]
pub(super) struct Came {
    /// The endpoints that it may be for: several may be at one address.
    pub(super) endpoints: Arc<[String]>,
    /// When it came.
    pub(super) at: Timestamp,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
    /// The parts, where the body is `multipart/form-data`.
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    bytes: Bytes,
}

impl Came {
    /// Reads a request; `None` where it broke off. One to the `hook`, path and query, has the path `/` by all cases.
    pub(super) async fn read(
        endpoints: Arc<[String]>,
        hook: Option<&str>,
        at: Timestamp,
        request: Request,
    ) -> Option<Self> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await.ok()?;
        let parts = parts(&head.headers, &body).await;
        let whole = head.uri.path_and_query().map(|whole| whole.as_str());
        let (path, query) = match hook {
            Some(hook) if whole == Some(hook) => ("/", ""),
            _ => (head.uri.path(), head.uri.query().unwrap_or_default()),
        };
        Some(Self {
            endpoints,
            at,
            method: head.method.as_str().to_owned(),
            path: path.to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: head.headers,
            body,
            parts,
        })
    }

    /// The request in a few words, such as `POST /2/tweets`.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether it is for this place.
    pub(super) fn is_at(&self, endpoint: &str, path: &str) -> bool {
        self.is_for(endpoint) && self.path == path
    }

    /// Whether it may be for this endpoint.
    fn is_for(&self, endpoint: &str) -> bool {
        self.endpoints.iter().any(|its| its == endpoint)
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The one header of this name.
    ///
    /// # Errors
    /// There is none, or there are several; to be read on after its line.
    pub(super) fn header(&self, name: &str) -> Result<&str, String> {
        let values: Vec<&str> = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        match values.as_slice() {
            [value] => Ok(value),
            values => Err(format!("has not one header `{name}`, but {}", values.len())),
        }
    }

    /// The header that signs it.
    pub(super) fn signature(&self) -> Option<&str> {
        self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }

    /// A parameter of the query.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Takes all parameters of a name out of the query.
    pub(super) fn take_query(&mut self, name: &str) -> Vec<String> {
        self.query.extract_if(.., |(known, _)| known == name).map(|(_, value)| value).collect()
    }

    /// A field of the form that the body is.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let mut fields = url::form_urlencoded::parse(&self.body);
        fields.find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
    }

    /// Whether a secret stands anywhere but in the header that signs.
    pub(super) fn tells(&self, secret: &str) -> bool {
        let in_query = self.query.iter().any(|(name, value)| name.contains(secret) || value.contains(secret));
        let in_headers = self.headers.iter().any(|(name, value)| {
            name != AUTHORIZATION && value.as_bytes().windows(secret.len()).any(|at| at == secret.as_bytes())
        });
        let in_body = memchr::memmem::find(&self.body, secret.as_bytes()).is_some();
        self.path.contains(secret) || in_query || in_headers || in_body
    }

    /// How it differs from what a case expects; `None` where it does not.
    ///
    /// # Errors
    /// A file of the case cannot be read.
    pub(super) fn difference(&self, wanted: &Wanted, folder: &Path) -> anyhow::Result<Option<String>> {
        if !self.is_for(&wanted.endpoint) || self.method != wanted.method || self.path != wanted.path {
            return Ok(Some(format!(
                "it is {} at `{}`, not {} at `{}`",
                self.line(),
                self.endpoints.join("` or `"),
                wanted.line(),
                wanted.endpoint
            )));
        }
        let mut query: Vec<(&String, &String)> = self.query.iter().map(|(name, value)| (name, value)).collect();
        query.sort();
        if !query.iter().copied().eq(&wanted.query) {
            return Ok(Some(format!("its query is {}, not {}", shown(&pairs(query)), shown(&pairs(&wanted.query)))));
        }
        for (name, value) in &wanted.headers {
            let came = self.headers.get(name).and_then(|value| value.to_str().ok());
            if came != Some(value) {
                return Ok(Some(format!("its header `{name}` is {came:?}, not {value:?}")));
            }
        }
        self.body_difference(&wanted.body, folder)
    }

    fn body_difference(&self, wanted: &WantedBody, folder: &Path) -> anyhow::Result<Option<String>> {
        let text = String::from_utf8_lossy(&self.body);
        let json = || serde_json::from_slice::<Value>(&self.body);
        Ok(match wanted {
            WantedBody::Any => None,
            WantedBody::None => {
                (!self.body.is_empty()).then(|| format!("it has a body, and should have none: {}", shown(&text)))
            }
            WantedBody::Json(wanted) => match json() {
                Ok(came) => differing("", wanted, &came, Members::All),
                Err(_) => Some(format!("its body is no JSON: {}", shown(&text))),
            },
            WantedBody::JsonSubset(wanted) => match json() {
                Ok(came) => differing("", wanted, &came, Members::AtLeast),
                Err(_) => Some(format!("its body is no JSON: {}", shown(&text))),
            },
            WantedBody::Form(wanted) => {
                let came: BTreeMap<String, String> = url::form_urlencoded::parse(&self.body).into_owned().collect();
                (came != *wanted)
                    .then(|| format!("its form is {}, not {}", shown(&pairs(&came)), shown(&pairs(wanted))))
            }
            WantedBody::Text(wanted) => {
                (text != *wanted).then(|| format!("its body is {}, not {}", shown(&text), shown(wanted)))
            }
            WantedBody::Bytes(source) => bytes_difference("its body", &source.bytes(folder)?, &self.body),
            WantedBody::Multipart(wanted) if wanted.len() != self.parts.len() => {
                Some(format!("its multipart body has {} parts, not {}", self.parts.len(), wanted.len()))
            }
            WantedBody::Multipart(wanted) => {
                for (wanted, came) in wanted.iter().zip(&self.parts) {
                    if let Some(difference) = came.difference(wanted, folder)? {
                        return Ok(Some(difference));
                    }
                }
                None
            }
        })
    }
}

async fn parts(headers: &HeaderMap, body: &Bytes) -> Vec<Part> {
    let Some(kind) = headers.get(CONTENT_TYPE).filter(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
    else {
        return Vec::new();
    };
    let mut request = Request::new(Body::from(body.clone()));
    request.headers_mut().insert(CONTENT_TYPE, kind.clone());
    let Ok(mut multipart) = Multipart::from_request(request, &()).await else { return Vec::new() };
    let mut parts = Vec::new();
    while let Ok(Some(field)) = multipart.next_field().await {
        let (name, filename) = (field.name().unwrap_or_default().to_owned(), field.file_name().map(str::to_owned));
        let content_type = field.content_type().map(str::to_owned);
        let Ok(bytes) = field.bytes().await else { break };
        parts.push(Part { name, filename, content_type, bytes });
    }
    parts
}

impl Part {
    fn difference(&self, wanted: &WantedPart, folder: &Path) -> anyhow::Result<Option<String>> {
        if self.name != wanted.name || self.filename != wanted.filename {
            let (name, filename) = (&self.name, &self.filename);
            return Ok(Some(format!(
                "a part is `{name}` ({filename:?}), not `{}` ({:?})",
                wanted.name, wanted.filename
            )));
        }
        if let (Some(wanted), came) = (&wanted.content_type, &self.content_type)
            && came.as_ref() != Some(wanted)
        {
            return Ok(Some(format!("the media type of its part `{}` is {came:?}, not {wanted:?}", self.name)));
        }
        let wanted = match &wanted.content {
            WantedContent::Text(text) => text.clone().into_bytes(),
            WantedContent::Bytes(source) => source.bytes(folder)?,
        };
        Ok(bytes_difference(&format!("its part `{}`", self.name), &wanted, &self.bytes))
    }
}

fn bytes_difference(what: &str, wanted: &[u8], came: &[u8]) -> Option<String> {
    if wanted == came {
        return None;
    }
    match (std::str::from_utf8(wanted), std::str::from_utf8(came)) {
        (Ok(wanted), Ok(came)) => Some(format!("{what} is {}, not {}", shown(came), shown(wanted))),
        _ => Some(format!("{what} has {} bytes, not the {} that are expected", came.len(), wanted.len())),
    }
}

/// Whether an object may have members that are not expected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    All,
    AtLeast,
}

/// The first place where two documents differ.
fn differing(at: &str, wanted: &Value, came: &Value, members: Members) -> Option<String> {
    let place = if at.is_empty() { "its body" } else { at };
    match (wanted, came) {
        (Value::Object(wanted), Value::Object(came)) => {
            for (name, value) in wanted {
                let at = format!("{at}/{name}");
                match came.get(name) {
                    Some(came) => {
                        if let Some(difference) = differing(&at, value, came, members) {
                            return Some(difference);
                        }
                    }
                    None => return Some(format!("its body lacks {at}: {}", shown(&value.to_string()))),
                }
            }
            let more = came.iter().find(|(name, _)| members == Members::All && !wanted.contains_key(*name));
            more.map(|(name, value)| format!("its body has {at}/{name} besides: {}", shown(&value.to_string())))
        }
        (Value::Array(wanted), Value::Array(came)) if wanted.len() == came.len() => wanted
            .iter()
            .zip(came)
            .enumerate()
            .find_map(|(index, (wanted, came))| differing(&format!("{at}/{index}"), wanted, came, members)),
        _ if wanted == came => None,
        _ => Some(format!("{place} is {}, not {}", shown(&came.to_string()), shown(&wanted.to_string()))),
    }
}

fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let written: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{{{}}}", written.join(", "))
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::{Members, differing};
    use serde_json::json;

    #[test]
    fn the_first_difference_is_told_by_its_place() {
        let wanted = json!({ "text": "a", "list": [{ "id": 1 }] });
        let all = |came| differing("", &wanted, &came, Members::All);
        assert_eq!(all(wanted.clone()), None);
        assert_eq!(all(json!({ "text": "a", "list": [{ "id": 2 }] })).unwrap(), "/list/0/id is 2, not 1");
        assert_eq!(all(json!({ "text": "a" })).unwrap(), r#"its body lacks /list: [{"id":1}]"#);
        assert_eq!(all(json!({ "text": "a", "list": [], "n": 1 })).unwrap(), r#"/list is [], not [{"id":1}]"#);
        let more = json!({ "text": "a", "list": [{ "id": 1, "n": 2 }] });
        assert_eq!(all(more.clone()).unwrap(), "its body has /list/0/n besides: 2");
        assert_eq!(differing("", &wanted, &more, Members::AtLeast), None);
        assert_eq!(all(json!([])).unwrap().split(',').next(), Some("its body is []"));
    }
}

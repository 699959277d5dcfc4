//! Parameters of requests, from queries, JSON, forms and multipart forms, which Facebook reads alike and together.
//!
//! Facebook drops most of what it does not know. Here it is refused, as is whatever was given twice.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::problem::Problem;

/// What every call may have.
const COMMON: [&str; 2] = ["access_token", "appsecret_proof"];

/// Names and texts, in the order in which they came, and files.
#[derive(Default)]
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    files: Vec<File>,
}

/// A file of a multipart form.
pub(super) struct File {
    name: String,
    pub(super) bytes: Bytes,
}

impl Parameters {
    /// Those of a query.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self, Problem> {
        let mut parameters = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            parameters.push(&name, value.into_owned())?;
        }
        Ok(parameters)
    }

    /// Those of a request's query and body.
    pub(super) async fn of(request: Request) -> Result<Self, Problem> {
        let mut parameters = Self::of_query(request.uri().query())?;
        match media_type(request.headers()).as_str() {
            "application/json" => parameters.push_json(&whole(request).await?)?,
            "application/x-www-form-urlencoded" => {
                for (name, value) in url::form_urlencoded::parse(&whole(request).await?) {
                    parameters.push(&name, value.into_owned())?;
                }
            }
            "multipart/form-data" => parameters.push_parts(request).await?,
            _ if whole(request).await?.is_empty() => {}
            other => return Err(Problem::strict(format!("{other:?} is neither JSON nor a form."))),
        }
        Ok(parameters)
    }

    fn push_json(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if bytes.is_empty() {
            return Ok(());
        }
        let members: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|wrong| Problem::strict(format!("the JSON is wrong: {wrong}.")))?;
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::String(text) => self.push(&name, text)?,
                other => self.push(&name, other.to_string())?,
            }
        }
        Ok(())
    }

    async fn push_parts(&mut self, request: Request) -> Result<(), Problem> {
        let malformed = || Problem::strict("the multipart body cannot be read.");
        let mut parts = Multipart::from_request(request, &()).await.map_err(|_| malformed())?;
        while let Some(part) = parts.next_field().await.map_err(|_| malformed())? {
            let name = part.name().unwrap_or_default().to_owned();
            let is_file = part.file_name().is_some();
            let bytes = part.bytes().await.map_err(|_| malformed())?;
            if is_file {
                self.free(&name)?;
                self.files.push(File { name, bytes });
            } else {
                let text = String::from_utf8(bytes.to_vec());
                self.push(&name, text.map_err(|_| Problem::strict(format!("{name} is not UTF-8.")))?)?;
            }
        }
        Ok(())
    }

    fn free(&self, name: &str) -> Result<(), Problem> {
        let mut taken = self.pairs.iter().map(|(given, _)| given).chain(self.files.iter().map(|file| &file.name));
        match taken.any(|given| given == name) {
            true => Err(Problem::strict(format!("{name} is given twice."))),
            false => Ok(()),
        }
    }

    /// One pair. Names such as `attached_media[0]` make a list, whose items must come in order.
    fn push(&mut self, name: &str, value: String) -> Result<(), Problem> {
        let Some((list, index)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) else {
            self.free(name)?;
            self.pairs.push((name.to_owned(), value));
            return Ok(());
        };
        let item = serde_json::from_str(&value).unwrap_or(Value::String(value));
        let at = self.pairs.iter().position(|(given, _)| given == list);
        let mut items: Vec<Value> = match at {
            Some(at) => serde_json::from_str(&self.pairs[at].1).unwrap_or_default(),
            None => Vec::new(),
        };
        if index != items.len().to_string() {
            return Err(Problem::strict(format!("{list}[{index}] is not the item that comes next.")));
        }
        items.push(item);
        let text = Value::Array(items).to_string();
        match at {
            Some(at) => self.pairs[at].1 = text,
            None => self.pairs.push((list.to_owned(), text)),
        }
        Ok(())
    }

    /// Refuse all names but these and the ones that every call may have.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let mut names = self.pairs.iter().map(|(name, _)| name).chain(self.files.iter().map(|file| &file.name));
        let is_known = |name: &&String| known.contains(&name.as_str()) || COMMON.contains(&name.as_str());
        match names.find(|name| !is_known(name)) {
            Some(name) => Err(Problem::parameter(format!("Unknown parameter: {name}"))),
            None => Ok(()),
        }
    }

    /// A text that is not empty: Facebook takes an empty one as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| Problem::parameter(format!("The parameter {name} is required")))
    }

    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name == name)
    }

    /// A boolean: `true`, `false`, `1` or `0`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Problem::parameter(format!("Param {name} must be a boolean"))),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let wrong = |_| Problem::parameter(format!("Param {name} must be an integer"));
        self.get(name).map(|text| text.parse().map_err(wrong)).transpose()
    }

    pub(super) fn required_number(&self, name: &str) -> Result<u64, Problem> {
        self.required(name)?;
        Ok(self.number(name)?.unwrap_or_default())
    }

    /// All pairs but the token and its proof: what the link to the next page repeats.
    pub(super) fn repeatable(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(|(name, _)| !COMMON.contains(name))
    }
}

async fn whole(request: Request) -> Result<Bytes, Problem> {
    let unreadable = |_| Problem::strict("the body cannot be read.");
    to_bytes(request.into_body(), usize::MAX).await.map_err(unreadable)
}

/// The content type without its parameters, in lower case.
fn media_type(headers: &HeaderMap) -> String {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

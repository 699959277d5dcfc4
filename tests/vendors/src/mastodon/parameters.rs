//! Parameters of requests, from queries, JSON, forms and multipart forms, which Mastodon reads alike.
//!
//! Mastodon drops what it does not know and guesses at what it cannot read. Here both are refused, unless the settings
//! say that unknown names are ignored.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::problem::Problem;
use super::settings::UnknownParameters;

/// What Mastodon can do and the simulator cannot.
const NOT_SIMULATED: [&str; 9] = [
    "allowed_mentions",
    "delete_media",
    "media_attributes",
    "pinned",
    "poll",
    "quote_approval_policy",
    "quoted_status_id",
    "scheduled_at",
    "thumbnail",
];

/// Names and what was given for them, in the order in which they came.
#[derive(Default)]
pub(super) struct Parameters(Vec<(String, Given)>);

enum Given {
    Text(String),
    Flag(bool),
    List(Vec<String>),
}

/// A file of a multipart form.
pub(super) struct File {
    /// The type that its part claims.
    pub(super) content_type: Option<String>,
    pub(super) bytes: Bytes,
}

impl Parameters {
    /// Those of a query string.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self, Problem> {
        Self::of_pairs(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned())
    }

    /// Those of a body, and its file, which is called `file`.
    pub(super) async fn of_body(request: Request) -> Result<(Self, Option<File>), Problem> {
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            return Err(Problem::strict("parameters belong into the body, not into the query."));
        }
        match media_type(request.headers()).as_str() {
            "application/json" => Ok((Self::of_json(&whole(request).await?)?, None)),
            "application/x-www-form-urlencoded" => {
                let pairs = whole(request).await?;
                Ok((Self::of_pairs(url::form_urlencoded::parse(&pairs).into_owned())?, None))
            }
            "multipart/form-data" => Self::of_parts(request).await,
            _ if whole(request).await?.is_empty() => Ok((Self::default(), None)),
            other => Err(Problem::strict(format!("{other:?} is neither JSON nor a form."))),
        }
    }

    fn of_json(bytes: &[u8]) -> Result<Self, Problem> {
        let members: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|wrong| Problem::strict(format!("the JSON is wrong: {wrong}.")))?;
        let mut parameters = Self::default();
        for (name, value) in members {
            let given = match value {
                Value::Null => continue,
                Value::String(text) => Given::Text(text),
                Value::Bool(flag) => Given::Flag(flag),
                Value::Array(items) => {
                    let strings = items.into_iter().map(|item| item.as_str().map(str::to_owned));
                    let wrong = || Problem::strict(format!("{name} must be a list of strings."));
                    Given::List(strings.collect::<Option<_>>().ok_or_else(wrong)?)
                }
                Value::Object(_) if NOT_SIMULATED.contains(&name.as_str()) => Given::Flag(true),
                Value::Object(_) | Value::Number(_) => {
                    return Err(Problem::strict(format!("{name} must be a string, a boolean or a list of strings.")));
                }
            };
            parameters.0.push((name, given));
        }
        Ok(parameters)
    }

    fn of_pairs(pairs: impl Iterator<Item = (String, String)>) -> Result<Self, Problem> {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            parameters.push(&name, value)?;
        }
        Ok(parameters)
    }

    async fn of_parts(request: Request) -> Result<(Self, Option<File>), Problem> {
        let malformed = |_| Problem::strict("the multipart body cannot be read.");
        let mut parts = Multipart::from_request(request, &()).await.map_err(|_| malformed(()))?;
        let (mut parameters, mut file) = (Self::default(), None);
        while let Some(part) = parts.next_field().await.map_err(|_| malformed(()))? {
            let name = part.name().unwrap_or_default().to_owned();
            let content_type = part.content_type().map(str::to_owned);
            let is_file = part.file_name().is_some();
            let bytes = part.bytes().await.map_err(|_| malformed(()))?;
            if !is_file {
                let text = String::from_utf8(bytes.to_vec());
                parameters.push(&name, text.map_err(|_| Problem::strict(format!("{name} is not UTF-8.")))?)?;
            } else if name == "file" && file.is_none() {
                file = Some(File { content_type, bytes });
            } else {
                return Err(refusal(&name));
            }
        }
        Ok((parameters, file))
    }

    /// One pair of a form, where names that end in `[]` make lists.
    fn push(&mut self, name: &str, value: String) -> Result<(), Problem> {
        let Some(list) = name.strip_suffix("[]") else {
            if self.get(name).is_some() {
                return Err(Problem::strict(format!("{name} was given twice.")));
            }
            self.0.push((name.to_owned(), Given::Text(value)));
            return Ok(());
        };
        match self.0.iter_mut().find(|(given, _)| given == list) {
            Some((_, Given::List(values))) => values.push(value),
            Some(_) => return Err(Problem::strict(format!("{list} was given twice."))),
            None => self.0.push((list.to_owned(), Given::List(vec![value]))),
        }
        Ok(())
    }

    /// Refuse all names but these, or forget them.
    pub(super) fn only(&mut self, known: &[&str], unknown: UnknownParameters) -> Result<(), Problem> {
        let stranger = |(name, _): &&(String, Given)| !known.contains(&name.as_str());
        match self.0.iter().find(stranger) {
            Some((name, _)) if unknown == UnknownParameters::Refuse || is_not_simulated(name) => Err(refusal(name)),
            Some(_) => {
                self.0.retain(|(name, _)| known.contains(&name.as_str()));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn get(&self, name: &str) -> Option<&Given> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// A text that is not empty: Mastodon takes an empty one as none.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Given::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(Given::Flag(_) | Given::List(_)) => Err(Problem::strict(format!("{name} must be a string."))),
        }
    }

    /// A boolean, which forms write as `true`, `false`, `1` or `0`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Given::Flag(flag)) => Ok(Some(*flag)),
            Some(Given::Text(text)) if text == "true" || text == "1" => Ok(Some(true)),
            Some(Given::Text(text)) if text == "false" || text == "0" => Ok(Some(false)),
            Some(Given::Text(_) | Given::List(_)) => Err(Problem::strict(format!("{name} must be a boolean."))),
        }
    }

    /// A list of texts; an absent one is empty.
    pub(super) fn list(&self, name: &str) -> Result<&[String], Problem> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Given::List(values)) => Ok(values),
            Some(Given::Text(_) | Given::Flag(_)) => Err(Problem::strict(format!("{name} must be a list."))),
        }
    }
}

fn is_not_simulated(name: &str) -> bool {
    let base = name.split('[').next().unwrap_or_default();
    NOT_SIMULATED.contains(&base)
}

fn refusal(name: &str) -> Problem {
    if is_not_simulated(name) {
        Problem::strict(format!("it does not know {name}, which Mastodon does."))
    } else {
        Problem::strict(format!("there is no parameter {name}."))
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

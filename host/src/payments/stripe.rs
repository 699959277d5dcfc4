//! Stripe's API over HTTP: one signed request, said again where that is safe, and lists to their end.
//!
//! Own code, since no client for Rust reads the shapes of several API versions: ours needs a dozen calls, and reads both those of
//! before and those of after 2025-03-31. Facts: <https://docs.stripe.com/api>.

use crate::app::App;
use crate::config::StripeConfig;
use crate::connectors::egress::{ChosenBy, Connection, NoAnswer, Owner, retry_after};
use crate::connectors::fault::plain;
use crate::error::{Error, Result};
use anyhow::{Context as _, anyhow};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::Serializer;

/// How long one answer may take. Stripe waits 10 s for ours to an event, and that may need several of its own.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often a request is said, in all.
const ATTEMPTS: u32 = 3;
/// The pause before the first repetition; each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);
/// Largest answer that is read.
const MAX_ANSWER_BYTES: usize = 8 << 20;
/// The most pages of one list: ten thousand things of one customer.
const MAX_PAGES: usize = 100;
/// Since this version, an invoice names its payments only where it is asked to.
const PAYMENTS_ARE_EXPANDED_SINCE: &str = "2025-03-31";

/// Parameters of a request, with the brackets of Stripe's forms.
pub(super) type Parameters = Vec<(String, String)>;

/// A parameter.
pub(super) fn with(name: &str, value: &(impl ToString + ?Sized)) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    has_more: bool,
}

/// What a list is of.
pub(super) trait Listed: DeserializeOwned {
    /// Its id.
    fn id(&self) -> &str;
}

#[derive(Deserialize)]
struct Failure {
    error: Complaint,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    r#type: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

/// Speaks to Stripe with this installation's key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client<'a> {
    app: &'a App,
    config: &'a StripeConfig,
}

impl<'a> Client<'a> {
    /// # Errors
    /// [`Error::NotConfigured`]: there is no key.
    pub(super) fn of(app: &'a App) -> Result<Self> {
        let config = &app.config().stripe;
        if config.secret_key.is_none() {
            return Err(Error::NotConfigured(
                "This server takes no payments: its operator has set no key of Stripe's.",
            ));
        }
        Ok(Self { app, config })
    }

    /// Whether invoices name their payments only where they are asked to.
    pub(super) fn expands_payments(&self) -> bool {
        self.config.version.as_str() >= PAYMENTS_ARE_EXPANDED_SINCE
    }

    /// Whether the key is for real money.
    pub(super) fn is_live(&self) -> bool {
        let key = self.config.secret_key.as_ref().map(|key| key.expose_secret()).unwrap_or_default();
        key.starts_with("sk_live_") || key.starts_with("rk_live_")
    }

    /// Reads one thing; `None` where there is none.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, parameters: &Parameters) -> Result<Option<T>> {
        let url = self.url(path, parameters)?;
        match self.say(&|| Ok(Request::new(Method::GET, url.clone()))).await {
            Err(Error::NotFound(_)) => Ok(None),
            answer => Ok(Some(parse(&answer?)?)),
        }
    }

    /// Reads a list to its end, newest first.
    pub(super) async fn list<T: Listed>(&self, path: &str, parameters: &[(String, String)]) -> Result<Vec<T>> {
        let mut found: Vec<T> = Vec::new();
        for _ in 0..MAX_PAGES {
            let mut asked = parameters.to_vec();
            asked.push(with("limit", &100));
            asked.extend(found.last().map(|last| with("starting_after", last.id())));
            let url = self.url(path, &asked)?;
            let page: Page<T> = parse(&self.say(&|| Ok(Request::new(Method::GET, url.clone()))).await?)?;
            let is_last = !page.has_more || page.data.is_empty();
            found.extend(page.data);
            if is_last {
                return Ok(found);
            }
        }
        Err(anyhow!("Stripe's list {path} does not end after {MAX_PAGES} pages").into())
    }

    /// Makes or changes something. The same key and parameters do it once, and answer alike, for a day.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, parameters: &Parameters, key: &str) -> Result<T> {
        let url = self.url(path, &Vec::new())?;
        let body = Serializer::new(String::new()).extend_pairs(parameters).finish();
        let key = HeaderValue::from_str(key).context("an idempotency key is no header")?;
        let request = || {
            let mut request = Request::new(Method::POST, url.clone());
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            headers.insert("idempotency-key", key.clone());
            *request.body_mut() = Some(body.clone().into());
            Ok(request)
        };
        match self.say(&request).await {
            Err(Error::NotFound(_)) => Err(Error::Vendor("Stripe does not know what this is about.".to_owned())),
            answer => parse(&answer?),
        }
    }

    fn url(&self, path: &str, parameters: &Parameters) -> Result<Url> {
        let mut url = self.config.url.join(path).context("a path of Stripe's is none")?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(url)
    }

    /// Says a request until it is answered, as far as that makes sense: what is said is safe to be said again.
    async fn say(&self, request: &(dyn Fn() -> Result<Request> + Sync)) -> Result<Vec<u8>> {
        let (mut attempt, mut pause) = (1, PAUSE);
        loop {
            let answer = self.say_once(request()?).await;
            let again = match &answer {
                Ok(answer) => answer.is_passing(),
                Err(_) => true,
            };
            if again && attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                (attempt, pause) = (attempt + 1, pause * 2);
                continue;
            }
            return match answer {
                Ok(answer) => answer.read(self.config),
                Err(none) => Err(busy(format!("Stripe cannot be reached now: {}.", none.message), None)),
            };
        }
    }

    async fn say_once(&self, mut request: Request) -> std::result::Result<Answer, NoAnswer> {
        let key = self.config.secret_key.as_ref().map(|key| format!("Bearer {}", key.expose_secret()));
        let mut key = HeaderValue::try_from(key.unwrap_or_default()).unwrap_or_else(|_| HeaderValue::from_static(""));
        key.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, key);
        if let Ok(version) = HeaderValue::from_str(&self.config.version) {
            request.headers_mut().insert("stripe-version", version);
        }
        *request.timeout_mut() = Some(PATIENCE);
        let egress = &self.app.connectors().services().egress;
        let response = egress.send(Owner::Host, request, Connection::Shared, ChosenBy::Operator).await?;
        Ok(Answer::of(response, self.app.now()).await)
    }
}

struct Answer {
    status: StatusCode,
    should_retry: Option<bool>,
    retry_after: Option<Duration>,
    body: Option<Vec<u8>>,
}

impl Answer {
    async fn of(mut response: Response, now: crate::clock::Timestamp) -> Self {
        let should_retry = response.headers().get("stripe-should-retry").map(|word| word == "true");
        let (status, retry_after) = (response.status(), retry_after(response.headers(), now));
        let mut body = Vec::new();
        let whole = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => body.extend_from_slice(&chunk),
                Ok(None) => break true,
                Ok(Some(_)) | Err(_) => break false,
            }
        };
        Self { status, should_retry, retry_after, body: whole.then_some(body) }
    }

    fn is_passing(&self) -> bool {
        let status = self.status;
        let passes = matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS) || status.is_server_error();
        self.body.is_none() || self.should_retry.unwrap_or(passes)
    }

    fn read(self, config: &StripeConfig) -> Result<Vec<u8>> {
        let Some(body) = self.body else {
            return Err(busy("Stripe's answer broke off.".to_owned(), None));
        };
        // Whoever reads it must not find our key in it, whatever stands there.
        let key = config.secret_key.as_ref().map_or("", |key| key.expose_secret());
        if self.status.is_success() {
            return if key.is_empty() || !String::from_utf8_lossy(&body).contains(key) {
                Ok(body)
            } else {
                Err(Error::Vendor("Stripe's answer repeats this server's key, and cannot be used.".to_owned()))
            };
        }
        let Complaint { r#type, code, message } =
            serde_json::from_slice::<Failure>(&body).map(|failure| failure.error).unwrap_or_default();
        let words = plain(&message.unwrap_or_default().replace(key, "…"), 300);
        match self.status {
            StatusCode::NOT_FOUND => Err(Error::NotFound("thing at Stripe")),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                tracing::error!(status = self.status.as_u16(), "Stripe refuses this installation's key: {words}");
                Err(Error::NotConfigured("Stripe refuses this server's key. Its operator has to look at the log."))
            }
            StatusCode::TOO_MANY_REQUESTS => Err(busy("Stripe asks to slow down.".to_owned(), self.retry_after)),
            StatusCode::CONFLICT => Err(busy("Stripe is at work on the same request.".to_owned(), self.retry_after)),
            status if status.is_server_error() => {
                Err(busy(format!("Stripe fails ({}).", status.as_u16()), self.retry_after))
            }
            _ if r#type.as_deref() == Some("idempotency_error") => Err(Error::Conflict {
                code: "idempotency_key_reused",
                detail: "This Idempotency-Key was used for another purchase. Use a new one.".to_owned(),
            }),
            status => {
                let code = code.unwrap_or_default();
                tracing::warn!(status = status.as_u16(), code, "Stripe refused a request: {words}");
                Err(Error::Vendor(format!("Stripe refused: {words}")))
            }
        }
    }
}

fn busy(detail: String, after: Option<Duration>) -> Error {
    Error::Busy { detail, after: after.unwrap_or(Duration::from_secs(5)) }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    // Where it breaks, and not what stands there: the log is nobody's place for it.
    serde_json::from_slice(body).map_err(|error| {
        anyhow!("an answer of Stripe's cannot be read, at line {} column {}", error.line(), error.column()).into()
    })
}

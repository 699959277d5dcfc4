//! One event on its way to one endpoint: read, signed and sent, once.

use super::delivering::Claim;
use super::secrets;
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::egress::{ChosenBy, Connection, Owner, Stage, retry_after};
use crate::connectors::fault::plain;
use crate::connectors::signing;
use crate::events::EventType;
use crate::id::{OutboxEventId, WorkspaceId};
use crate::on;
use anyhow::Context as _;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;
use uuid::Uuid;

/// How long a receiver may take for its answer; never longer than half a lease.
const PATIENCE: Duration = Duration::from_secs(15);
/// What is read of an answer, in bytes.
const MAX_EXCERPT: usize = 1_000;

/// An event, and where it is sent to.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: OutboxEventId,
    pub(super) kind: EventType,
    pub(super) subject: Uuid,
    url: Url,
    body: Vec<u8>,
    secrets: Vec<SecretString>,
}

/// What a receiver reads.
#[derive(Serialize)]
struct Body<'a> {
    r#type: EventType,
    timestamp: Timestamp,
    workspace_id: WorkspaceId,
    sequence: i64,
    data: &'a RawValue,
}

/// What came of sending.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) status: Option<StatusCode>,
    /// For a person.
    pub(super) words: String,
    /// The beginning of what the receiver said.
    pub(super) excerpt: Option<String>,
    /// How long it wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has it.
    Taken,
    /// It does not want to be told any more.
    Gone,
    /// It has it not, or nobody knows.
    Failed,
}

#[derive(sqlx::FromRow)]
struct Row {
    r#type: String,
    subject: Uuid,
    sequence: i64,
    data: String,
    created_at: Timestamp,
    workspace_id: WorkspaceId,
    url: String,
}

const READ: &str = "select v.type, v.subject, v.sequence, v.data, v.created_at, v.workspace_id, e.url
    from deliveries d join events v on v.id = d.event_id join webhook_endpoints e on e.id = d.endpoint_id
    where d.endpoint_id = $1 and d.event_id = $2 and d.lease = $3";

impl Message {
    /// What was claimed; `None` where it was forgotten meanwhile, or taken over by another node.
    ///
    /// # Errors
    /// The database failed, or a secret does not open.
    pub(super) async fn read(app: &App, claim: &Claim) -> anyhow::Result<Option<Self>> {
        let mut tx = app.db().read().await?;
        let row: Option<Row> = on!(&mut tx, conn => sqlx::query_as(READ)
            .bind(claim.endpoint).bind(claim.event).bind(claim.lease).fetch_optional(conn).await)?;
        let Some(row) = row else { return Ok(None) };
        let secrets = secrets::alive(&mut tx, app.vault(), row.workspace_id, claim.endpoint, app.now()).await?;
        let kind: EventType = row.r#type.parse()?;
        let data: &RawValue = serde_json::from_str(&row.data)?;
        let body = Body {
            r#type: kind,
            timestamp: row.created_at,
            workspace_id: row.workspace_id,
            sequence: row.sequence,
            data,
        };
        Ok(Some(Self {
            id: claim.event,
            kind,
            subject: row.subject,
            url: Url::parse(&row.url).context("a stored URL cannot be read")?,
            body: serde_json::to_vec(&body)?,
            secrets,
        }))
    }

    /// Signs and sends it. A receiver that answers late is one that did not.
    pub(super) async fn send(&self, app: &App) -> Answer {
        let egress = &app.connectors().services().egress;
        // What the operator allowed when it was entered may be allowed no more.
        if let Err(unfit) = egress.is_fit(&self.url) {
            return Answer::none(format!("The URL {unfit}."));
        }
        let mut request = Request::new(Method::POST, self.url.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.timeout_mut() = Some(PATIENCE.min(app.config().job_lease() / 2));
        *request.body_mut() = Some(self.body.clone().into());
        if let Err(fault) = signing::sign_webhook(&mut request, &self.secrets, &self.id.to_string(), app.now()) {
            return Answer::none(format!("It could not be signed: {}.", fault.message));
        }
        match egress.send(Owner::Webhooks, request, Connection::Shared, ChosenBy::User).await {
            Ok(response) => Answer::of(response, app.now()).await,
            Err(none) => Answer::none(match none.stage {
                Stage::Forbidden => format!("It was not sent: {}.", none.message),
                Stage::Unreached => format!("The receiver was not reached: {}.", none.message),
                Stage::Lost => format!("The receiver did not answer: {}.", none.message),
            }),
        }
    }
}

impl Answer {
    fn none(words: String) -> Self {
        Self { verdict: Verdict::Failed, status: None, words, excerpt: None, retry_after: None }
    }

    async fn of(response: Response, now: Timestamp) -> Self {
        let (status, retry_after) = (response.status(), retry_after(response.headers(), now));
        let (verdict, words) = match status {
            status if status.is_success() => (Verdict::Taken, format!("The receiver took it ({}).", status.as_u16())),
            StatusCode::GONE => (Verdict::Gone, "The receiver does not want to be told any more (410).".to_owned()),
            status if status.is_redirection() => {
                let words = "redirects are not followed, so enter the URL that it leads to";
                (Verdict::Failed, format!("The receiver answered {}: {words}.", status.as_u16()))
            }
            status => (Verdict::Failed, format!("The receiver answered {}.", status.as_u16())),
        };
        Self { verdict, status: Some(status), words, excerpt: excerpt(response).await, retry_after }
    }
}

/// The beginning of an answer, as far as it comes.
async fn excerpt(mut response: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_EXCERPT {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_EXCERPT - bytes.len())]),
            // Its status says what there is to know.
            Ok(None) | Err(_) => break,
        }
    }
    let text = plain(&String::from_utf8_lossy(&bytes), MAX_EXCERPT);
    Some(text).filter(|text| !text.is_empty())
}

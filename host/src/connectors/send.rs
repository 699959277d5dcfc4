//! Sending a guest's request: journaled by its effect, signed, and carried out in a task that outlives the guest.

use super::answer::{self, Answer, Received};
use super::bindings::connector::orla::connector::http as wit;
use super::blob::Blob;
use super::egress::{Connection, Stage};
use super::fault::{Fault, FaultKind};
use super::journal::{self, Committed, Journal, Step};
use super::request::Outbound;
use super::run::Run;
use orla_manifest::Meaning;
use reqwest::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// Longest time that a request may take in all.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer, and the blobs that it became.
    Fresh(Answer, Vec<Blob>),
    /// A commit that is known to stand.
    Known(Committed),
}

/// Why a request has no answer.
#[derive(Debug)]
enum Failed {
    /// Not a byte of it left.
    BeforeSending(Fault),
    /// It may have arrived.
    Lost(Fault),
}

/// Sends a request as its effect demands.
///
/// # Errors
/// As `send` of `wit/http.wit` documents.
pub(crate) async fn send(
    run: &Arc<Run>,
    outbound: Outbound,
    effect: &wit::Effect,
    kind: wit::AnswerKind,
) -> Result<Outcome, Fault> {
    let limit = u64::from(run.limits.requests);
    if run.traffic.requests() >= limit {
        return Err(Fault::new(FaultKind::Budget, format!("the call made its {limit} requests")));
    }
    match effect {
        wit::Effect::Read => read(run, outbound, kind).await,
        wit::Effect::Prepare(wit::Preparation { key, valid_for_s }) => {
            let step =
                journal(run, &kind)?.prepare(key, &outbound.digest, Duration::from_secs(u64::from(*valid_for_s)))?;
            carry_out(run, step, outbound, kind, prepare).await
        }
        wit::Effect::Commit(key) => {
            let step = journal(run, &kind)?.commit(key, &outbound.digest).await?;
            carry_out(run, step, outbound, kind, commit).await
        }
    }
}

fn journal<'run>(run: &'run Run, kind: &wit::AnswerKind) -> Result<&'run Journal, Fault> {
    if matches!(kind, wit::AnswerKind::Blob | wit::AnswerKind::JsonToBlobs(_)) {
        return Err(Fault::bug("only an effect `read` can be answered into blobs"));
    }
    run.journal.as_ref().ok_or_else(|| Fault::bug("this call may only read"))
}

async fn read(run: &Arc<Run>, outbound: Outbound, kind: wit::AnswerKind) -> Result<Outcome, Fault> {
    match exchange(run, &outbound, Connection::Shared, &kind).await {
        Ok(received) => Ok(Outcome::Fresh(received.answer, received.blobs)),
        Err(Failed::BeforeSending(fault)) => Err(fault),
        // Nothing was changed, so nothing of interest was sent.
        Err(Failed::Lost(fault)) => Err(Fault { sent: false, ..fault }),
    }
}

/// Answers a step from the journal, or sends it in a task of its own: whatever becomes of the guest, the request ends and
/// its end is written down.
async fn carry_out<F>(
    run: &Arc<Run>,
    step: Step,
    outbound: Outbound,
    kind: wit::AnswerKind,
    task: impl FnOnce(Arc<Run>, journal::Ticket, Outbound, wit::AnswerKind) -> F,
) -> Result<Outcome, Fault>
where
    F: Future<Output = Result<Outcome, Fault>> + Send + 'static,
{
    let ticket = match step {
        Step::Answered(answer) => return Ok(Outcome::Fresh(answer, Vec::new())),
        Step::Known(committed) => return Ok(Outcome::Known(committed)),
        Step::Send(ticket) => ticket,
    };
    let request = run.under_way.track_future(task(run.clone(), ticket, outbound, kind));
    match run.services.requests.spawn(request).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "the request was lost inside the host") }),
    }
}

async fn prepare(
    run: Arc<Run>,
    ticket: journal::Ticket,
    outbound: Outbound,
    kind: wit::AnswerKind,
) -> Result<Outcome, Fault> {
    let received = match exchange(&run, &outbound, Connection::Shared, &kind).await {
        Ok(received) => received,
        Err(Failed::BeforeSending(fault) | Failed::Lost(fault)) => return Err(Fault { sent: false, ..fault }),
    };
    let verdicts = &run.release.manifest.verdicts;
    if answer::meaning(verdicts, &received.answer) == Meaning::Done
        && let Some(journal) = &run.journal
        && let Err(error) = journal.keep(&ticket, &received.answer).await
    {
        tracing::error!(run = %run.id, error = format!("{error:#}"), "a prepared step could not be journaled");
        return Err(Fault::new(FaultKind::Cancelled, "the host could not journal the answer"));
    }
    Ok(Outcome::Fresh(received.answer, Vec::new()))
}

async fn commit(
    run: Arc<Run>,
    ticket: journal::Ticket,
    outbound: Outbound,
    kind: wit::AnswerKind,
) -> Result<Outcome, Fault> {
    let exchanged = if ticket.is_fresh() {
        exchange(&run, &outbound, Connection::Fresh, &kind).await
    } else {
        Err(Failed::BeforeSending(Fault::new(
            FaultKind::Cancelled,
            "the host was suspended before it could send the request",
        )))
    };
    let (meaning, answer) = match &exchanged {
        Ok(received) => (answer::meaning(&run.release.manifest.verdicts, &received.answer), Some(&received.answer)),
        Err(Failed::BeforeSending(_)) => (Meaning::Refused, None),
        Err(Failed::Lost(_)) => (Meaning::Unknown, None),
    };
    let journal = run.journal.as_ref().expect("a ticket comes from the run's journal");
    if let Err(error) = journal.end(&ticket, meaning, answer).await {
        tracing::error!(run = %run.id, error = format!("{error:#}"), "a commit's end could not be journaled: it counts as unknown");
        return Err(journal::uncertain("the request"));
    }
    match (meaning, exchanged) {
        (Meaning::Unknown, Ok(received)) => {
            Err(Fault { code: Some(received.answer.status.to_string()), ..journal::uncertain("the request") })
        }
        (Meaning::Unknown, Err(Failed::BeforeSending(fault) | Failed::Lost(fault))) => {
            Err(Fault { kind: FaultKind::Uncertain, sent: true, ..fault })
        }
        (_, Ok(received)) => Ok(Outcome::Fresh(received.answer, Vec::new())),
        (_, Err(Failed::BeforeSending(fault) | Failed::Lost(fault))) => Err(fault),
    }
}

/// Signs and sends, and once more with renewed credentials where the vendor refused the first.
async fn exchange(
    run: &Run,
    outbound: &Outbound,
    connection: Connection,
    kind: &wit::AnswerKind,
) -> Result<Received, Failed> {
    let token = run.credentials.token(run, &outbound.sign).await.map_err(Failed::BeforeSending)?;
    let response = attempt(run, outbound, connection, token.as_ref()).await?;
    if response.status() == StatusCode::UNAUTHORIZED
        && let Some(refused) = &token
        && let Some(renewed) = run.credentials.renew(run, refused).await.map_err(Failed::BeforeSending)?
    {
        let response = attempt(run, outbound, connection, Some(&renewed)).await?;
        return answer::receive(run, &outbound.endpoint, response, kind).await.map_err(Failed::Lost);
    }
    answer::receive(run, &outbound.endpoint, response, kind).await.map_err(Failed::Lost)
}

async fn attempt(
    run: &Run,
    outbound: &Outbound,
    connection: Connection,
    token: Option<&secrecy::SecretString>,
) -> Result<reqwest::Response, Failed> {
    let built = outbound.build(&run.services).await;
    let mut request =
        built.map_err(|error| Failed::BeforeSending(Fault::bug(format!("the body cannot be built: {error:#}"))))?;
    if let Some(token) = token {
        run.secrets.add(token);
        super::credentials::sign(&mut request, &outbound.sign, token).map_err(Failed::BeforeSending)?;
    }
    *request.timeout_mut() = Some(TOTAL_TIMEOUT);
    run.traffic.request(outbound.body_bytes());
    run.services.egress.send(request, connection).await.map_err(|none| {
        let what = match none.stage {
            Stage::Forbidden | Stage::Unreached => "the vendor could not be reached",
            Stage::Lost => "the vendor's answer was lost",
        };
        let fault = Fault::new(FaultKind::VendorDown, run.secrets.blank_text(format!("{what}: {}", none.message)));
        match none.stage {
            Stage::Forbidden | Stage::Unreached => Failed::BeforeSending(fault),
            Stage::Lost => Failed::Lost(Fault { sent: true, ..fault }),
        }
    })
}

//! Sending a guest's request: journaled by its effect, signed, and carried out in a task that outlives the guest.

use super::answer::{self, Answer, Body, Received};
use super::billing::Reading;
use super::bindings::connector::orla::connector::http as wit;
use super::blob::Blob;
use super::egress::{Connection, Owner, Stage};
use super::events::{self, Ended, Events};
use super::fault::{Fault, FaultKind};
use super::journal::{self, Committed, Journal, Once, Step, Ticket};
use super::request::Outbound;
use super::run::Run;
use super::signing;
use orla_manifest::Meaning;
use reqwest::StatusCode;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Longest time that a request may take in all.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Longest key of a step.
const MAX_KEY_BYTES: usize = 200;

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer, and the blobs that it became.
    Fresh(Answer, Vec<Blob>),
    /// The head of an answer, and the events that are its body.
    Streamed(Answer, Events),
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
    check_limits(run, &outbound)?;
    check_key(effect)?;
    match effect {
        wit::Effect::Read => Box::pin(read(run, outbound, kind)).await,
        wit::Effect::Prepare(wit::Preparation { key, valid_for_s }) => {
            let valid_for = Duration::from_secs(u64::from(*valid_for_s));
            match journal(run, &kind, effect)?.prepare(key, &outbound.digest, valid_for)? {
                Step::Send(ticket) => outlive(run, |run, tell| prepare(run, ticket, outbound, kind, tell)).await,
                answered => replay(answered),
            }
        }
        wit::Effect::Commit(key) => commit_or_spend(run, Once::Commit, key, outbound, kind, effect).await,
        wit::Effect::Spend(key) => commit_or_spend(run, Once::Spend, key, outbound, kind, effect).await,
    }
}

/// Holds a request against what is left of the call's limits.
fn check_limits(run: &Run, outbound: &Outbound) -> Result<(), Fault> {
    let (limits, traffic) = (&run.limits, &run.traffic);
    let used = [
        (traffic.requests() + 1, u64::from(limits.requests), "requests"),
        (traffic.bytes_out().saturating_add(outbound.body_bytes()), limits.bytes_out, "bytes sent"),
        (traffic.bytes_in(), limits.bytes_in, "bytes received"),
    ];
    match used.into_iter().find(|(used, limit, _)| used > limit) {
        Some((_, limit, what)) => {
            Err(Fault::new(FaultKind::Budget, format!("the call reached its limit of {limit} {what}")))
        }
        None => Ok(()),
    }
}

/// A key stands in the journal, in receipts and in messages to people.
fn check_key(effect: &wit::Effect) -> Result<(), Fault> {
    let key = match effect {
        wit::Effect::Read => return Ok(()),
        wit::Effect::Prepare(wit::Preparation { key, .. }) | wit::Effect::Commit(key) | wit::Effect::Spend(key) => key,
    };
    if (1..=MAX_KEY_BYTES).contains(&key.len()) && !key.contains(char::is_control) {
        return Ok(());
    }
    Err(Fault::bug(format!("the key of a step has 1 to {MAX_KEY_BYTES} bytes and no control characters")))
}

async fn commit_or_spend(
    run: &Arc<Run>,
    once: Once,
    key: &str,
    outbound: Outbound,
    kind: wit::AnswerKind,
    effect: &wit::Effect,
) -> Result<Outcome, Fault> {
    let journal = journal(run, &kind, effect)?;
    // A token that has to be renewed is renewed before the commit is written down: dying over it leaves nothing uncertain. What
    // goes wrong here counts only where the journal does not have the answer already.
    let token = token(run, &outbound).await;
    match journal.once(once, key, &outbound.digest).await? {
        Step::Send(ticket) => {
            outlive(run, |run, tell| send_once(run, once, ticket, (outbound, token), kind, tell)).await
        }
        answered => replay(answered),
    }
}

/// The run's journal, for an effect that may be answered this way.
fn journal<'run>(run: &'run Run, kind: &wit::AnswerKind, effect: &wit::Effect) -> Result<&'run Journal, Fault> {
    match kind {
        wit::AnswerKind::Blob | wit::AnswerKind::JsonToBlobs(_) => {
            return Err(Fault::bug("only an effect `read` can be answered into blobs"));
        }
        wit::AnswerKind::Events if !matches!(effect, wit::Effect::Spend(_)) => {
            return Err(Fault::bug("only the effects `read` and `spend` can be answered by events"));
        }
        wit::AnswerKind::Events | wit::AnswerKind::Inline | wit::AnswerKind::Discard => {}
    }
    run.journal.as_ref().ok_or_else(|| Fault::bug("this call may only read"))
}

/// Answers a step from the journal.
fn replay(step: Step) -> Result<Outcome, Fault> {
    match step {
        Step::Known(committed) => Ok(Outcome::Known(committed)),
        Step::Answered(answer) => Ok(match Events::kept(&answer) {
            Some(events) => Outcome::Streamed(answer, events),
            None => Outcome::Fresh(answer, Vec::new()),
        }),
        Step::Send(_) => Err(Fault::bug("a step that is to be sent has no answer yet")),
    }
}

async fn read(run: &Arc<Run>, outbound: Outbound, kind: wit::AnswerKind) -> Result<Outcome, Fault> {
    // Nothing is changed, so nothing of interest is sent.
    let unsent = |fault| Fault { sent: false, ..fault };
    let response = match head(run, &outbound, token(run, &outbound).await, Connection::Shared).await {
        Ok(response) => response,
        Err(Failed::BeforeSending(fault) | Failed::Lost(fault)) => return Err(unsent(fault)),
    };
    if !matches!(kind, wit::AnswerKind::Events) || !events::is_stream(&response) {
        let received = answer::receive(run, &outbound.destination.endpoint, response, &kind).await.map_err(unsent)?;
        return Ok(Outcome::Fresh(received.answer, received.blobs));
    }
    let head = stream_head(run, &outbound, &response);
    let (guest, events) = events::channel();
    let reader = run.clone();
    run.services.requests.spawn(run.under_way.track_future(async move {
        events::pump(&reader, response, &guest, &mut Reading::of(&[])).await;
    }));
    Ok(Outcome::Streamed(head, events))
}

/// What the guest awaits of a request that outlives it.
type Tell = oneshot::Sender<Result<Outcome, Fault>>;

/// Sends in a task of its own: whatever becomes of the guest, the request ends and its end is written down.
async fn outlive<F>(run: &Arc<Run>, task: impl FnOnce(Arc<Run>, Tell) -> F) -> Result<Outcome, Fault>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    run.services.requests.spawn(run.under_way.track_future(task(run.clone(), tell)));
    told.await.unwrap_or_else(|_| {
        Err(Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "the request was lost inside the host") })
    })
}

async fn prepare(run: Arc<Run>, ticket: Ticket, outbound: Outbound, kind: wit::AnswerKind, tell: Tell) {
    let outcome = match exchange(&run, &outbound, Connection::Shared, &kind).await {
        Err(Failed::BeforeSending(fault) | Failed::Lost(fault)) => Err(Fault { sent: false, ..fault }),
        Ok(received) => keep(&run, &ticket, received).await,
    };
    // The guest may be gone; its answer is kept.
    let _ = tell.send(outcome);
}

async fn keep(run: &Run, ticket: &Ticket, received: Received) -> Result<Outcome, Fault> {
    let verdicts = &run.release.manifest.verdicts;
    if matches!(answer::meaning(verdicts, &received.answer), Meaning::Done | Meaning::Unfinished)
        && let Some(journal) = &run.journal
        && let Err(error) = journal.keep(ticket, &received.answer).await
    {
        tracing::error!(run = %run.id, error = format!("{error:#}"), "a prepared step could not be journaled");
        return Err(Fault::new(FaultKind::Cancelled, "the host could not journal the answer"));
    }
    Ok(Outcome::Fresh(received.answer, Vec::new()))
}

async fn send_once(
    run: Arc<Run>,
    once: Once,
    ticket: Ticket,
    (outbound, token): (Outbound, Result<Option<SecretString>, Fault>),
    kind: wit::AnswerKind,
    tell: Tell,
) {
    if !ticket.is_fresh() {
        let late = Fault::new(FaultKind::Cancelled, "the host was suspended before it could send the request");
        let _ = tell.send(end(&run, once, &ticket, Err(Failed::BeforeSending(late))).await);
        return;
    }
    // A lost commit is an uncertainty that people have to live with, so it gets a connection of its own. A lost spend is
    // a failed run, which is not worth a handshake before each answer.
    let connection = match once {
        Once::Commit => Connection::Fresh,
        Once::Spend => Connection::Shared,
    };
    let exchanged = match head(&run, &outbound, token, connection).await {
        Ok(response) if matches!(kind, wit::AnswerKind::Events) && events::is_stream(&response) => {
            return stream(&run, &ticket, &outbound, response, tell).await;
        }
        Ok(response) => {
            answer::receive(&run, &outbound.destination.endpoint, response, &kind).await.map_err(Failed::Lost)
        }
        Err(failed) => Err(failed),
    };
    let _ = tell.send(end(&run, once, &ticket, exchanged).await);
}

/// Writes down what became of a commit or spend, and tells it as the guest may see it.
async fn end(run: &Run, once: Once, ticket: &Ticket, exchanged: Result<Received, Failed>) -> Result<Outcome, Fault> {
    let (meaning, answer) = match &exchanged {
        Ok(received) => (answer::meaning(&run.release.manifest.verdicts, &received.answer), Some(&received.answer)),
        Err(Failed::BeforeSending(_)) => (Meaning::Refused, None),
        Err(Failed::Lost(_)) => (Meaning::Unknown, None),
    };
    if let (Once::Spend, Meaning::Done, Some(Answer { body: Body::Text(text), .. })) = (once, meaning, answer) {
        let mut reading = Reading::of(&run.release.manifest.usage);
        reading.look(text);
        run.billing.add(reading);
    }
    write_end(run, ticket, meaning, answer).await?;
    match (meaning, exchanged) {
        // A spend that failed is over, whatever it cost: the guest may read why.
        (Meaning::Unknown, Ok(received)) if once == Once::Commit => {
            Err(Fault { code: Some(received.answer.status.to_string()), ..journal::uncertain("the request") })
        }
        (Meaning::Unknown, Err(Failed::BeforeSending(fault) | Failed::Lost(fault))) => Err(Fault {
            kind: if once == Once::Commit { FaultKind::Uncertain } else { fault.kind },
            sent: true,
            ..fault
        }),
        (_, Ok(received)) => Ok(Outcome::Fresh(received.answer, Vec::new())),
        (_, Err(Failed::BeforeSending(fault) | Failed::Lost(fault))) => Err(fault),
    }
}

async fn write_end(run: &Run, ticket: &Ticket, meaning: Meaning, answer: Option<&Answer>) -> Result<(), Fault> {
    let journal = run.journal.as_ref().expect("a ticket comes from the run's journal");
    journal.end(ticket, meaning, answer).await.map_err(|error| {
        tracing::error!(run = %run.id, error = format!("{error:#}"), "an end could not be journaled: it counts as unknown");
        journal::uncertain("the request")
    })
}

/// Hands the events of a spend on, and writes down how they ended.
async fn stream(run: &Run, ticket: &Ticket, outbound: &Outbound, response: reqwest::Response, tell: Tell) {
    let head = stream_head(run, outbound, &response);
    let (guest, events) = events::channel();
    if tell.send(Ok(Outcome::Streamed(head.clone(), events))).is_err() {
        // The guest is gone before the first event; the vendor's answer stops with this function.
        let _ = write_end(run, ticket, Meaning::Unknown, None).await;
        return;
    }
    let mut reading = Reading::of(&run.release.manifest.usage);
    let ended = events::pump(run, response, &guest, &mut reading).await;
    run.billing.add(reading);
    let (meaning, answer) = match ended {
        Ended::Whole(Some(events)) => (Meaning::Done, Some(Answer { body: Body::Events(events), ..head })),
        Ended::Whole(None) => (Meaning::Done, None),
        Ended::Broken | Ended::Unwanted => (Meaning::Unknown, None),
    };
    // Logged there; the guest hears nothing of it, since its events have ended.
    let _ = write_end(run, ticket, meaning, answer.as_ref()).await;
}

fn stream_head(run: &Run, outbound: &Outbound, response: &reqwest::Response) -> Answer {
    let headers = answer::headers(run, &outbound.destination.endpoint, response.headers().clone());
    Answer { status: response.status().as_u16(), headers, body: Body::None }
}

/// Sends, and reads the answer as the guest asked for it.
async fn exchange(
    run: &Run,
    outbound: &Outbound,
    connection: Connection,
    kind: &wit::AnswerKind,
) -> Result<Received, Failed> {
    let response = head(run, outbound, token(run, outbound).await, connection).await?;
    answer::receive(run, &outbound.destination.endpoint, response, kind).await.map_err(Failed::Lost)
}

/// What a request is to be signed with; `None` where it is not.
async fn token(run: &Run, outbound: &Outbound) -> Result<Option<SecretString>, Fault> {
    match &outbound.slot {
        Some(slot) => run.credentials.slot(run, slot).await.map(Some),
        None => run.credentials.token(run, &outbound.destination.sign).await,
    }
}

/// Signs and sends, and once more with renewed credentials where the vendor refused the first; gives the answer's head.
async fn head(
    run: &Run,
    outbound: &Outbound,
    token: Result<Option<SecretString>, Fault>,
    connection: Connection,
) -> Result<reqwest::Response, Failed> {
    let token = token.map_err(Failed::BeforeSending)?;
    let response = attempt(run, outbound, connection, token.as_ref()).await?;
    if response.status() == StatusCode::UNAUTHORIZED
        && outbound.slot.is_none()
        && let Some(refused) = &token
        && let Some(renewed) = run.credentials.renew(run, refused).await.map_err(Failed::BeforeSending)?
    {
        return attempt(run, outbound, connection, Some(&renewed)).await;
    }
    Ok(response)
}

async fn attempt(
    run: &Run,
    outbound: &Outbound,
    connection: Connection,
    token: Option<&SecretString>,
) -> Result<reqwest::Response, Failed> {
    let egress = &run.services.egress;
    egress.quotas.admit(run, outbound).await.map_err(Failed::BeforeSending)?;
    let built = outbound.build(run).await;
    let mut request =
        built.map_err(|error| Failed::BeforeSending(Fault::bug(format!("the body cannot be built: {error:#}"))))?;
    if let Some(token) = token {
        run.secrets.add(token);
        let now = run.services.clock.now();
        signing::sign(&mut request, &outbound.destination.sign, token, &outbound.message_id, now)
            .map_err(Failed::BeforeSending)?;
        if let Some(proof) = &outbound.proof {
            let secret = run.credentials.app_secret(run).await.map_err(Failed::BeforeSending)?;
            signing::prove(&mut request, proof, token, secret.as_ref());
        }
    }
    *request.timeout_mut() = Some(TOTAL_TIMEOUT);
    run.traffic.request(outbound.body_bytes());
    let owner = Owner::Connector(run.release.manifest.id.clone());
    let sent = egress.send(owner, request, connection, outbound.destination.chosen_by).await;
    if let Ok(response) = &sent {
        egress.quotas.learn(run, outbound, response.status(), response.headers()).await;
    }
    sent.map_err(|none| {
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

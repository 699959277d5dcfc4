//! Answers of server-sent events: read by the host in a task of its own, cleaned, and handed to the guest one by one.

use super::answer::{Answer, Body};
use super::billing::Reading;
use super::bindings::connector::orla::connector::{http as wit, types as wit_types};
use super::egress::broken;
use super::fault::{Fault, FaultKind};
use super::guest::Guest;
use super::run::Run;
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use wasmtime::component::Resource;

/// Events that wait for the guest; beyond them, the vendor waits.
const WAITING: usize = 256;
/// Most bytes of one stream.
const MAX_STREAM_BYTES: u64 = 64 << 20;
/// A stream up to this size is kept in the journal; one beyond cannot be replayed.
const MAX_KEPT_BYTES: usize = 1 << 20;

/// One event, as a guest may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// What a guest holds of a stream.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it as they do everything")]
pub enum Events {
    /// From the vendor, as they come.
    Live(mpsc::Receiver<Result<Event, Fault>>),
    /// From the journal.
    Kept(std::vec::IntoIter<Event>),
}

/// How a stream ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The vendor ended it. The events are kept where they are few enough.
    Whole(Option<Vec<Event>>),
    /// It broke off.
    Broken,
    /// The guest wanted no more of it.
    Unwanted,
}

/// Whether an answer is a stream of events that may be handed on as one.
pub(crate) fn is_stream(response: &reqwest::Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    response.status().is_success() && essence.eq_ignore_ascii_case("text/event-stream")
}

/// A channel for the events of one answer.
pub(crate) fn channel() -> (mpsc::Sender<Result<Event, Fault>>, Events) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (sender, Events::Live(receiver))
}

impl Events {
    /// The events that the journal kept of an answer.
    pub(crate) fn kept(answer: &Answer) -> Option<Self> {
        match &answer.body {
            Body::Events(events) => Some(Self::Kept(events.clone().into_iter())),
            Body::None | Body::Text(_) | Body::Base64(_) => None,
        }
    }

    async fn next(&mut self) -> Result<Option<Event>, Fault> {
        match self {
            Self::Live(receiver) => receiver.recv().await.transpose(),
            Self::Kept(events) => Ok(events.next()),
        }
    }
}

/// Why a stream cannot be read on.
#[derive(Debug)]
enum Torn {
    Off(String),
    TooLarge,
}

/// Reads a stream to its end and hands it on. Ends at once when the guest wants no more.
pub(crate) async fn pump(
    run: &Run,
    response: reqwest::Response,
    guest: &mpsc::Sender<Result<Event, Fault>>,
    reading: &mut Reading<'_>,
) -> Ended {
    let event_cap = run.limits.inline_answer_bytes;
    let since_event = Arc::new(AtomicU64::new(0));
    let (counted, mut total) = (since_event.clone(), 0);
    let chunks = response.bytes_stream().map_err(|error| Torn::Off(broken(&error)));
    let bounded = chunks.and_then(move |chunk| {
        let length = chunk.len() as u64;
        run.traffic.received(length);
        total += length;
        let too_large = total > MAX_STREAM_BYTES || counted.fetch_add(length, Ordering::Relaxed) > event_cap;
        std::future::ready(if too_large { Err(Torn::TooLarge) } else { Ok(chunk) })
    });
    let mut events = std::pin::pin!(bounded.eventsource());
    let (mut kept, mut kept_bytes) = (Some(Vec::new()), 0);
    loop {
        let next = tokio::select! {
            next = events.next() => next,
            () = guest.closed() => return Ended::Unwanted,
        };
        let event = match next {
            None => return Ended::Whole(kept),
            Some(Ok(event)) => event,
            Some(Err(error)) => {
                // Whether the guest still hears of it changes nothing.
                let _ = guest.send(Err(torn(&error, event_cap))).await;
                return Ended::Broken;
            }
        };
        since_event.store(0, Ordering::Relaxed);
        reading.look(&event.data);
        let data = run.release.secret_names.hide_text(&run.secrets, event.data);
        let event = Event { name: event.event, data: run.secrets.blank_text(data) };
        kept_bytes += event.name.len() + event.data.len();
        if kept_bytes > MAX_KEPT_BYTES {
            kept = None;
        }
        if let Some(kept) = &mut kept {
            kept.push(event.clone());
        }
        if guest.send(Ok(event)).await.is_err() {
            return Ended::Unwanted;
        }
    }
}

fn torn(error: &EventStreamError<Torn>, cap: u64) -> Fault {
    let (kind, message) = match error {
        EventStreamError::Transport(Torn::TooLarge) => {
            (FaultKind::TooLarge, format!("an event of the vendor's is larger than {cap} bytes, or the stream endless"))
        }
        EventStreamError::Transport(Torn::Off(cause)) => {
            (FaultKind::VendorDown, format!("the vendor's answer broke off: {cause}"))
        }
        EventStreamError::Utf8(_) | EventStreamError::Parser(_) => {
            (FaultKind::Vendor, "the vendor's answer is no stream of events".to_owned())
        }
    };
    Fault { sent: true, ..Fault::new(kind, message) }
}

impl wit::HostEvents for Guest {
    async fn next(
        &mut self,
        events: Resource<Events>,
    ) -> wasmtime::Result<Result<Option<wit::Event>, wit_types::Fault>> {
        let waiting = self.waiting.begin();
        let next = self.table.get_mut(&events)?.next().await;
        drop(waiting);
        Ok(match next {
            Ok(event) => Ok(event.map(|Event { name, data }| wit::Event { name, data })),
            Err(fault) => Err(fault.into()),
        })
    }

    async fn drop(&mut self, events: Resource<Events>) -> wasmtime::Result<()> {
        self.table.delete(events)?;
        Ok(())
    }
}

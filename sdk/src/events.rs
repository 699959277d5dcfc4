//! Answers that come piece by piece.

use crate::bindings::connector::orla::connector::http;
use crate::{Event, Result, host};
use std::fmt;

/// A vendor's answer of server-sent events, pulled one by one. It comes of
/// [`Request::spend_events`](crate::Request::spend_events) and [`Request::read_events`](crate::Request::read_events).
///
/// Drain it to its end, past the event that says that the vendor is done: only then does the host write the answer down
/// as done, with all that the vendor says of its price. Dropped before, it stops the vendor's answer; a spend whose answer
/// was stopped, or broke off, is one of unknown outcome, and is never asked for again.
///
/// As an iterator it gives `Ok` an event, and ends with the stream. A stream that breaks off gives one `Err` and ends.
///
/// ```
/// use orla_sdk::{Events, Result};
///
/// fn last_of(events: Events) -> Result<Option<String>> {
///     let mut last = None;
///     for event in events {
///         last = Some(event?.data);
///     }
///     Ok(last)
/// }
/// ```
pub struct Events {
    raw: host::Events,
    ended: bool,
}

impl Events {
    pub(crate) fn new(raw: http::Events) -> Self {
        Self { raw: host::open(raw), ended: false }
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    /// Waits for the next event.
    ///
    /// The fault is `vendor-down` when the stream broke off or fell silent, and `too-large` for an event or a stream
    /// beyond what a connector may have.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.raw.next().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl std::iter::FusedIterator for Events {}

impl fmt::Debug for Events {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Events").field("ended", &self.ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Answer, Played, answer, broken_events, events, play};
    use crate::{Api, Committed, Events, Explained, Fault, FaultKind, Response, Result};
    use serde_json::json;

    const API: Api = Api::new("api").explain(explain);

    fn explain(answer: &Response) -> Explained {
        Explained {
            message: Some(answer.text().into_owned()),
            field: Some("prompt".to_owned()),
            ..Explained::default()
        }
    }

    fn ask(vendor: Answer, run: fn(Events) -> Result<Vec<String>>) -> Played<Result<Vec<String>>> {
        play(
            move |_| vendor.clone(),
            move || run(API.post("/v1/write").json(&json!({ "stream": true })).spend_events("complete")?),
        )
    }

    fn all(events: Events) -> Result<Vec<String>> {
        events.map(|event| event.map(|event| format!("{} {}", event.name, event.data))).collect()
    }

    #[test]
    fn events_come_in_order_and_end() {
        let played = ask(events([("delta", "a"), ("message", "b")]), all);
        assert_eq!(played.result.unwrap(), ["delta a", "message b"]);
        assert_eq!(played.lines, [r#"spend complete POST /v1/write {"stream":true}"#]);
    }

    #[test]
    fn a_stream_that_breaks_off_gives_its_fault_once() {
        let fault = Fault::new(FaultKind::VendorDown, "broke off");
        let played = ask(broken_events([("delta", "a")], fault.clone()), |mut events| {
            let _first = events.next();
            let fault = events.next().expect("a fault").expect_err("no event");
            assert!(events.next().is_none());
            Err(fault)
        });
        assert_eq!(played.result, Err(fault));
    }

    #[test]
    fn a_stream_that_is_left_early_is_noted() {
        let played = ask(events([("delta", "a"), ("delta", "b")]), |mut events| {
            events.next();
            Ok(Vec::new())
        });
        assert_eq!(played.lines[1..], ["stop"]);
        let played = ask(events([("delta", "a")]), |mut events| {
            events.next();
            Ok(Vec::new())
        });
        assert_eq!(played.lines[1..], ["stop"], "the end itself has to be seen");
    }

    #[test]
    fn a_refusal_is_explained() {
        let fault = ask(Answer::Response(Response::new(400, &[], "No such model.")), all).result.unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Invalid, "No such model."));
        assert_eq!(fault.field.as_deref(), Some("prompt"));
        assert!(fault.sent);
    }

    #[test]
    fn an_answer_in_one_piece_is_the_vendors_fault() {
        let fault = ask(answer(200, &json!({})), all).result.unwrap_err();
        assert_eq!((fault.kind, fault.sent), (FaultKind::Vendor, true));
        assert_eq!(fault.message, "The vendor answered 200 to POST /v1/write, but not with events.");
    }

    #[test]
    fn what_was_spent_cannot_be_known_without_its_answer() {
        let known = Answer::Known(Committed { id: "1".to_owned(), url: None });
        assert_eq!(ask(known.clone(), all).result.unwrap_err().kind, FaultKind::Bug);
        let played = play(move |_| known.clone(), || API.post("/v1/write").spend("complete"));
        assert_eq!(played.result.unwrap_err().kind, FaultKind::Bug);
    }

    #[test]
    fn an_answer_that_was_not_asked_for_in_events_comes_whole() {
        let played =
            play(|_| events([("delta", "a\nb"), ("message", "c")]), || API.post("/v1/write").spend("complete"));
        assert_eq!(played.result.unwrap().text(), "event: delta\ndata: a\ndata: b\n\nevent: message\ndata: c\n\n");
    }

    #[test]
    fn reading_events_spends_nothing() {
        let played = play(|_| events([("message", "a")]), || all(API.get("/v1/changes").read_events()?));
        assert_eq!(played.result.unwrap(), ["message a"]);
        assert_eq!(played.lines, ["read GET /v1/changes"]);
    }

    #[test]
    fn a_fault_of_the_host_passes() {
        let lost = Fault { sent: true, ..Fault::new(FaultKind::Uncertain, "no answer") };
        let expected = lost.clone();
        assert_eq!(ask(Answer::Fault(lost), all).result, Err(expected));
    }
}

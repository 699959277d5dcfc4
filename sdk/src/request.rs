//! Requests. How one is sent says what it does to the world.

use crate::bindings::connector::orla::connector::http;
use crate::{
    Blob, BlobSlice, Committed, Confirmed, EmbeddedBlob, Events, Explained, Fault, Multipart, Response, Result,
    explain, host,
};
use serde::Serialize;
use std::time::Duration;

/// A request, made by an [`Api`](crate::Api) and sent as a [read](Self::read), a [preparation](Self::prepare), a
/// [commit](Self::commit) or a [spend](Self::spend).
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a> {
    raw: http::Request<'a>,
    explain: fn(&Response) -> Explained,
    accepted: Vec<u16>,
    /// Why the request cannot be sent.
    broken: Option<Fault>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(
        method: http::Method,
        destination: http::Destination,
        explain: fn(&Response) -> Explained,
    ) -> Self {
        let raw = http::Request {
            method,
            destination,
            query: Vec::new(),
            headers: Vec::new(),
            body: http::Body::None,
            answer: http::AnswerKind::Inline,
            effect: http::Effect::Read,
        };
        Self { raw, explain, accepted: Vec::new(), broken: None }
    }

    /// Adds a query parameter; the host encodes it.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.raw.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header. Those that sign, route or frame the request are the host's.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.raw.headers.push((name.into(), value.into()));
        self
    }

    /// Takes an answer of this status for an answer, not for a fault.
    pub fn accept(mut self, status: u16) -> Self {
        self.accepted.push(status);
        self
    }

    /// The body as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        self.document(value, http::Body::Json)
    }

    /// The body as JSON, into which the host writes blobs as base64.
    pub fn json_with_blobs(self, value: &impl Serialize, blobs: Vec<EmbeddedBlob<'a>>) -> Self {
        self.document(value, |document| http::Body::JsonWithBlobs(http::JsonWithBlobs { document, blobs }))
    }

    /// The body as `application/x-www-form-urlencoded`.
    pub fn form<N: Into<String>, V: Into<String>>(mut self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.raw.body = http::Body::Form(fields.collect());
        self
    }

    /// The body as `multipart/form-data`.
    pub fn multipart(mut self, body: Multipart<'a>) -> Self {
        self.raw.body = http::Body::Multipart(body.parts);
        self
    }

    /// The body as bytes.
    pub fn bytes(mut self, content_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        self.raw.body = http::Body::Bytes(http::TypedBytes { content_type: content_type.into(), bytes });
        self
    }

    /// The body as a stretch of a blob, with the blob's media type.
    pub fn blob(mut self, slice: BlobSlice<'a>) -> Self {
        self.raw.body = http::Body::Blob(slice);
        self
    }

    /// Sends a request that changes nothing. A method other than `GET` and `HEAD` must be listed under the endpoint's
    /// `reads` in the manifest.
    ///
    /// # Errors
    /// What the answer means where its status is neither 2xx nor accepted, and what kept it from coming.
    pub fn read(self) -> Result<Response> {
        self.answered().map(|(response, _)| response)
    }

    /// Reads into a blob that the host stores, whatever its size.
    ///
    /// # Errors
    /// As [`Self::read`], without the vendor's words: they are in the blob.
    pub fn read_blob(mut self) -> Result<Blob> {
        self.raw.answer = http::AnswerKind::Blob;
        let (response, blobs) = self.answered()?;
        blobs
            .into_iter()
            .next()
            .ok_or_else(|| Fault::bug(format!("The host stored no answer to {}.", response.asked())))
    }

    /// Reads JSON whose base64 members at these pointers (RFC 6901) become blobs, in their order.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_json_and_blobs(mut self, pointers: Vec<String>) -> Result<(Response, Vec<Blob>)> {
        self.raw.answer = http::AnswerKind::JsonToBlobs(pointers);
        self.answered()
    }

    /// Reads server-sent events, as they come.
    ///
    /// # Errors
    /// As [`Self::read`]; `vendor` when the answer is no stream of events.
    pub fn read_events(self) -> Result<Events> {
        self.streamed()
    }

    /// Sends a request that prepares something and may be repeated safely. The key names the step within the run;
    /// a re-run is answered from the journal for as long as the vendor honours the answer.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn prepare(mut self, key: impl Into<String>, valid_for: Duration) -> Result<Response> {
        let valid_for_s = u32::try_from(valid_for.as_secs()).unwrap_or(u32::MAX);
        self.raw.effect = http::Effect::Prepare(http::Preparation { key: key.into(), valid_for_s });
        self.answered().map(|(response, _)| response)
    }

    /// Sends a request that becomes visible to others, and reads from the answer what it made. The key is unique in the
    /// run and the same in every re-run. A commit that is known to stand though its answer was lost is not sent again.
    ///
    /// ```
    /// use orla_sdk::{Api, Committed, Confirmed, Result};
    ///
    /// fn post(text: &str) -> Result<Confirmed> {
    ///     Api::new("api").post("/v1/posts").json(&serde_json::json!({ "text": text })).commit("part/0", |answer| {
    ///         let post: serde_json::Value = answer.json()?;
    ///         Ok(Committed { id: post["id"].to_string(), url: None })
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// `uncertain` when nobody knows what became of it; what the answer means where it is a refusal; the closure's own.
    pub fn commit(
        mut self,
        key: impl Into<String>,
        made: impl FnOnce(&Response) -> Result<Committed>,
    ) -> Result<Confirmed> {
        let key = key.into();
        self.raw.effect = http::Effect::Commit(key.clone());
        let (accepted, explain) = (std::mem::take(&mut self.accepted), self.explain);
        let committed = match self.send()? {
            (_, http::Outcome::Known(committed)) => committed,
            (asked, http::Outcome::Fresh(raw)) => {
                let (response, _) = Response::take(asked, raw);
                // The vendor has answered, so whatever is wrong now, bytes of the commit did reach it.
                judge(&response, &accepted, explain)
                    .and_then(|()| made(&response))
                    .map_err(|fault| Fault { sent: true, ..fault })?
            }
        };
        Ok(Confirmed { key, committed })
    }

    /// Sends a request that costs the operator money, such as a generation, and waits for its whole answer. The key is
    /// unique in the run and the same in every re-run, which is answered from the journal. An answer that was lost is never
    /// asked for again. What it cost is read by the host, where the manifest's `usage` says.
    ///
    /// ```
    /// use orla_sdk::{Api, Result};
    ///
    /// fn write(prompt: &str) -> Result<String> {
    ///     let body = serde_json::json!({ "prompt": prompt });
    ///     let answer: serde_json::Value = Api::new("api").post("/v1/write").json(&body).spend("complete")?.json()?;
    ///     Ok(answer["text"].as_str().unwrap_or_default().to_owned())
    /// }
    /// ```
    ///
    /// # Errors
    /// `uncertain` when nobody knows what became of it; what the answer means where it is a refusal.
    pub fn spend(mut self, key: impl Into<String>) -> Result<Response> {
        self.raw.effect = http::Effect::Spend(key.into());
        self.answered().map(|(response, _)| response)
    }

    /// Sends a request as [`Self::spend`] does, and takes its answer as server-sent events, as they come. [`Events`] must
    /// be drained to their end for the host to write the answer down as done.
    ///
    /// ```
    /// use orla_sdk::{Api, Result};
    ///
    /// fn write(prompt: &str) -> Result<String> {
    ///     let body = serde_json::json!({ "prompt": prompt, "stream": true });
    ///     let events = Api::new("api").post("/v1/write").json(&body).spend_events("complete")?;
    ///     events.map(|event| event.map(|event| event.data)).collect()
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Self::spend`]; `vendor` when the answer is no stream of events.
    pub fn spend_events(mut self, key: impl Into<String>) -> Result<Events> {
        self.raw.effect = http::Effect::Spend(key.into());
        self.streamed()
    }

    fn document(mut self, value: &impl Serialize, body: impl FnOnce(String) -> http::Body<'a>) -> Self {
        match serde_json::to_string(value) {
            Ok(document) => self.raw.body = body(document),
            Err(error) => {
                self.broken = Some(Fault::bug(format!("A request's body cannot be written as JSON: {error}.")))
            }
        }
        self
    }

    fn answered(mut self) -> Result<(Response, Vec<Blob>)> {
        let (accepted, explain, sent) = (std::mem::take(&mut self.accepted), self.explain, self.spends());
        let (asked, raw) = self.fresh()?;
        let (response, blobs) = Response::take(asked, raw);
        judge(&response, &accepted, explain).map_err(|fault| Fault { sent, ..fault })?;
        Ok((response, blobs))
    }

    fn streamed(mut self) -> Result<Events> {
        self.raw.answer = http::AnswerKind::Events;
        let (accepted, explain, sent) = (std::mem::take(&mut self.accepted), self.explain, self.spends());
        match self.fresh()? {
            (_, http::Response { body: http::Answer::Events(events), .. }) => Ok(Events::new(events)),
            (asked, raw) => {
                let (response, _) = Response::take(asked, raw);
                let no_events = || {
                    let (status, asked) = (response.status(), response.asked());
                    Fault::vendor(format!("The vendor answered {status} to {asked}, but not with events."))
                };
                let fault = judge(&response, &accepted, explain).map_or_else(|refusal| refusal, |()| no_events());
                Err(Fault { sent, ..fault })
            }
        }
    }

    /// Whether the vendor's answer, whatever it says, means that bytes of something that is done once have reached it.
    fn spends(&self) -> bool {
        matches!(self.raw.effect, http::Effect::Spend(_))
    }

    /// The answer to a request that is no commit: only those are known without one.
    fn fresh(self) -> Result<(String, http::Response)> {
        match self.send()? {
            (asked, http::Outcome::Fresh(raw)) => Ok((asked, raw)),
            (asked, http::Outcome::Known(_)) => {
                Err(Fault::bug(format!("The host answered {asked} as a commit, which it is not.")))
            }
        }
    }

    fn send(self) -> Result<(String, http::Outcome)> {
        if let Some(fault) = self.broken {
            return Err(fault);
        }
        let asked = asked(&self.raw);
        Ok((asked, host::send(&self.raw)?))
    }
}

/// The request's line for messages, without its query, which may hold what a person typed.
fn asked(raw: &http::Request<'_>) -> String {
    let method = match raw.method {
        http::Method::Get => "GET",
        http::Method::Head => "HEAD",
        http::Method::Post => "POST",
        http::Method::Put => "PUT",
        http::Method::Patch => "PATCH",
        http::Method::Delete => "DELETE",
    };
    match &raw.destination {
        http::Destination::At(at) => format!("{method} {}", at.path),
        http::Destination::Follow(_) => format!("{method} of a link"),
    }
}

fn judge(response: &Response, accepted: &[u16], explain: fn(&Response) -> Explained) -> Result<()> {
    if response.is_success() || accepted.contains(&response.status()) {
        Ok(())
    } else {
        Err(explain::fault(response, explain(response)))
    }
}

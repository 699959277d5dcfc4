//! Sending requests. How one is sent says what it does to the world.

use crate::bindings::connector::orla::connector::http;
use crate::{Blob, Committed, Confirmed, Events, Explained, Fault, Request, Response, Result, explain, host};
use std::time::Duration;

impl Request<'_> {
    /// Sends a request that changes nothing. A method other than `GET` and `HEAD` must be listed under the endpoint's
    /// `reads` in the manifest.
    ///
    /// ```
    /// # use orla_sdk::{Api, FaultKind, testing::{answer, play}};
    /// let played = play(|_line| answer(401, &serde_json::json!({})), || Api::new("api").get("/v1/me").read());
    /// assert_eq!(played.result.unwrap_err().kind, FaultKind::AuthExpired);
    /// ```
    ///
    /// # Errors
    /// What the answer means where its status is neither 2xx nor accepted, and what kept it from coming.
    pub fn read(self) -> Result<Response> {
        self.answered().map(|(response, _)| response)
    }

    /// Reads into a blob that the host stores, whatever its size.
    ///
    /// ```
    /// use orla_sdk::{Api, Blob, Result};
    ///
    /// fn download(id: &str) -> Result<Blob> {
    ///     Api::new("files").get(orla_sdk::path!("/v1/files/{}", id)).read_blob()
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_blob(self) -> Result<Blob> {
        self.read_answer_and_blob().map(|(_, blob)| blob)
    }

    /// Reads into a blob as [`Self::read_blob`] does, and gives the answer along, whose headers say more.
    ///
    /// ```
    /// use orla_sdk::{Api, Fetched, Result};
    ///
    /// fn newest() -> Result<Fetched> {
    ///     let (answer, blob) = Api::new("files").get("/v1/files/newest").read_answer_and_blob()?;
    ///     Ok(Fetched { blob, name: answer.header("x-name").unwrap_or("newest").to_owned() })
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_answer_and_blob(mut self) -> Result<(Response, Blob)> {
        self.raw.answer = http::AnswerKind::Blob;
        let (response, blobs) = self.answered()?;
        match blobs.into_iter().next() {
            Some(blob) => Ok((response, blob)),
            None => Err(Fault::bug(format!("The host stored no answer to {}.", response.asked()))),
        }
    }

    /// Reads JSON whose base64 members at these pointers (RFC 6901) become blobs, in their order. A member that is not there
    /// makes none.
    ///
    /// ```
    /// use orla_sdk::{Api, Blob, Result};
    ///
    /// fn thumbnails() -> Result<Vec<Blob>> {
    ///     let pointers = vec!["/small/data".to_owned(), "/large/data".to_owned()];
    ///     let (_answer, images) = Api::new("api").get("/v1/thumbnails").read_json_and_blobs(pointers)?;
    ///     Ok(images)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_json_and_blobs(mut self, pointers: Vec<String>) -> Result<(Response, Vec<Blob>)> {
        self.raw.answer = http::AnswerKind::JsonToBlobs(pointers);
        self.answered()
    }

    /// Reads server-sent events, as they come.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{events, play}};
    /// let played = play(
    ///     |_line| events([("change", "1"), ("change", "2")]),
    ///     || Ok(Api::new("api").get("/v1/changes").read_events()?.count()),
    /// );
    /// let count: orla_sdk::Result<usize> = played.result;
    /// assert_eq!(count, Ok(2));
    /// ```
    ///
    /// # Errors
    /// As [`Self::read`]; `vendor` when the answer is no stream of events.
    pub fn read_events(self) -> Result<Events> {
        self.streamed()
    }

    /// Sends a request that prepares something and may be repeated safely. The key names the step within the run;
    /// a re-run is answered from the journal for as long as the vendor honours the answer.
    ///
    /// ```
    /// use orla_sdk::{Api, Media, Result};
    /// use std::time::Duration;
    ///
    /// /// Uploads a medium, which the vendor keeps for a day, and gives its id.
    /// fn upload(media: &Media) -> Result<String> {
    ///     let upload = Api::new("api").post("/v1/media").blob(media.blob.slice(0, media.size));
    ///     let answer = upload.prepare("media/0", Duration::from_secs(24 * 3_600))?;
    ///     Ok(answer.text().into_owned())
    /// }
    /// ```
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

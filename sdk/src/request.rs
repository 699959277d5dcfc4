//! Requests, as they are put together. How one is sent is in `sending`.

use crate::bindings::connector::orla::connector::http;
use crate::{BlobSlice, EmbeddedBlob, Explained, Fault, Multipart, Response};
use serde::Serialize;

/// A request, made by an [`Api`](crate::Api) and sent as a [read](Self::read), a [preparation](Self::prepare), a
/// [commit](Self::commit) or a [spend](Self::spend).
///
/// ```
/// use orla_sdk::{Api, Response, Result};
///
/// fn newest() -> Result<Response> {
///     Api::new("api").get("/v1/posts").query("limit", "1").header("accept-language", "en").read()
/// }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a> {
    pub(crate) raw: http::Request<'a>,
    pub(crate) explain: fn(&Response) -> Explained,
    pub(crate) accepted: Vec<u16>,
    /// Why the request cannot be sent.
    pub(crate) broken: Option<Fault>,
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
            slot: None,
            body: http::Body::None,
            answer: http::AnswerKind::Inline,
            effect: http::Effect::Read,
        };
        Self { raw, explain, accepted: Vec::new(), broken: None }
    }

    /// Adds a query parameter; the host encodes it.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || Api::new("api").get("/v1/posts").query("q", "tea & cake").read());
    /// assert_eq!(played.lines, ["read GET /v1/posts?q=tea & cake"]);
    /// ```
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.raw.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header. Those that sign, route or frame the request are the host's.
    ///
    /// ```
    /// # use orla_sdk::{Api, Response, Result};
    /// fn posts() -> Result<Response> {
    ///     Api::new("api").get("/v1/posts").header("acme-version", "2026-08").read()
    /// }
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.raw.headers.push((name.into(), value.into()));
        self
    }

    /// Has the request signed with the secret in a slot, such as a page's own token. Which answers fill slots is said in the
    /// manifest.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let feed = || Api::new("api").get("/v1/pages/7/posts").slot("page:7").read();
    /// let played = play(|_line| answer(200, &serde_json::json!({})), feed);
    /// assert_eq!(played.lines, ["read GET /v1/pages/7/posts as page:7"]);
    /// ```
    pub fn slot(mut self, slot: impl Into<String>) -> Self {
        self.raw.slot = Some(slot.into());
        self
    }

    /// Takes an answer of this status for an answer, not for a fault.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let exists = || Ok(Api::new("api").head("/v1/posts/1").accept(404).read()?.is_success());
    /// let played = play(|_line| answer(404, &serde_json::json!({})), exists);
    /// let found: orla_sdk::Result<bool> = played.result;
    /// assert_eq!(found, Ok(false));
    /// ```
    pub fn accept(mut self, status: u16) -> Self {
        self.accepted.push(status);
        self
    }

    /// Leaves out the body of a 2xx answer, however large it is. Any other answer comes with its body, which says why.
    ///
    /// The host does not look into such a body either: a commit whose `committed_id` is a pointer, a spend whose `usage` counts,
    /// and an answer whose `verdicts` name a member need theirs.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let an_hour = std::time::Duration::from_secs(3_600);
    /// let ready = || Api::new("api").post("/v1/uploads/1/finish").discard().prepare("finish", an_hour);
    /// let played = play(|_line| answer(200, &serde_json::json!({ "chunks": [1, 2, 3] })), ready);
    /// assert!(played.result.unwrap().bytes().is_empty());
    /// ```
    pub fn discard(mut self) -> Self {
        self.raw.answer = http::AnswerKind::Discard;
        self
    }

    /// The body as JSON.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || Api::new("api").post("/v1/search").json(&["tea"]).read());
    /// assert_eq!(played.lines, [r#"read POST /v1/search ["tea"]"#]);
    /// ```
    pub fn json(self, value: &impl Serialize) -> Self {
        self.document(value, http::Body::Json)
    }

    /// The body as JSON, into which the host writes blobs as base64.
    ///
    /// ```
    /// use orla_sdk::{Api, EmbeddedBlob, Media, Response, Result};
    /// use std::time::Duration;
    ///
    /// fn upload(media: &Media) -> Result<Response> {
    ///     let bytes = EmbeddedBlob { pointer: "/image".to_owned(), slice: media.blob.slice(0, media.size) };
    ///     let body = serde_json::json!({ "image": "", "alt": media.alt_text });
    ///     Api::new("api").post("/v1/images").json_with_blobs(&body, vec![bytes]).prepare("image", Duration::from_secs(60))
    /// }
    /// ```
    pub fn json_with_blobs(self, value: &impl Serialize, blobs: Vec<EmbeddedBlob<'a>>) -> Self {
        self.document(value, |document| http::Body::JsonWithBlobs(http::JsonWithBlobs { document, blobs }))
    }

    /// The body as `application/x-www-form-urlencoded`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || Api::new("api").post("/v1/search").form([("q", "tea")]).read());
    /// assert_eq!(played.lines, ["read POST /v1/search q=tea"]);
    /// ```
    pub fn form<N: Into<String>, V: Into<String>>(mut self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.raw.body = http::Body::Form(fields.collect());
        self
    }

    /// The body as `multipart/form-data`.
    ///
    /// ```
    /// use orla_sdk::{Api, Media, Multipart, Response, Result};
    /// use std::time::Duration;
    ///
    /// fn upload(media: &Media) -> Result<Response> {
    ///     let whole = media.blob.slice(0, media.size);
    ///     let body = Multipart::new().blob("file", "video.mp4", &media.content_type, whole);
    ///     Api::new("api").post("/v1/videos").multipart(body).prepare("video", Duration::from_secs(3_600))
    /// }
    /// ```
    pub fn multipart(mut self, body: Multipart<'a>) -> Self {
        self.raw.body = http::Body::Multipart(body.parts);
        self
    }

    /// The body as bytes.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || Api::new("api").post("/v1/search").bytes("text/csv", b"tea,cake".to_vec()).read());
    /// assert_eq!(played.lines, ["read POST /v1/search [8 bytes]"]);
    /// ```
    pub fn bytes(mut self, content_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        self.raw.body = http::Body::Bytes(http::TypedBytes { content_type: content_type.into(), bytes });
        self
    }

    /// The body as a stretch of a blob, with the blob's media type.
    ///
    /// ```
    /// use orla_sdk::{Api, BlobSlice, Response, Result};
    /// use std::time::Duration;
    ///
    /// fn append(chunk: BlobSlice<'_>) -> Result<Response> {
    ///     let key = format!("chunk/{}", chunk.offset);
    ///     Api::new("api").put("/v1/uploads/1").blob(chunk).prepare(key, Duration::from_secs(3_600))
    /// }
    /// ```
    pub fn blob(mut self, slice: BlobSlice<'a>) -> Self {
        self.raw.body = http::Body::Blob(slice);
        self
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
}

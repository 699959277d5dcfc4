//! A vendor's API as the manifest declares it.

use crate::bindings::connector::orla::connector::http::{Destination, Location, Method};
use crate::{Explained, Request, Response, host};

/// One endpoint of the manifest, and how its refusals are to be read.
///
/// Every answer that is neither 2xx nor [accepted](Request::accept) becomes a fault here, once, so that connectors only
/// see the answers they asked for:
///
/// ```
/// use orla_sdk::{Api, Explained, Response, Result};
///
/// const API: Api = Api::new("api").explain(explain);
///
/// fn explain(answer: &Response) -> Explained {
///     Explained { message: Some(answer.text().into_owned()), ..Explained::default() }
/// }
///
/// fn name_of(id: &str) -> Result<serde_json::Value> {
///     API.get(orla_sdk::path!("/v1/users/{}", id)).query("fields", "name").read()?.json()
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Api {
    endpoint: &'static str,
    explain: fn(&Response) -> Explained,
}

impl Api {
    /// The endpoint of this name in the manifest.
    ///
    /// ```
    /// const API: orla_sdk::Api = orla_sdk::Api::new("api");
    /// ```
    #[must_use]
    pub const fn new(endpoint: &'static str) -> Self {
        Self {
            endpoint,
            explain: |_| Explained { kind: None, code: None, message: None, field: None, retry_after_ms: None },
        }
    }

    /// The same API, whose refusals say what they mean.
    ///
    /// ```
    /// use orla_sdk::{Api, Explained};
    ///
    /// const API: Api = Api::new("api")
    ///     .explain(|answer| Explained { code: answer.header("x-error").map(str::to_owned), ..Explained::default() });
    /// ```
    #[must_use]
    pub const fn explain(mut self, explain: fn(&Response) -> Explained) -> Self {
        self.explain = explain;
        self
    }

    /// A `GET`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || Api::new("api").get("/v1/me").read());
    /// assert_eq!(played.lines, ["read GET /v1/me"]);
    /// ```
    pub fn get<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Get, path)
    }

    /// A `HEAD`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let played = play(|_line| answer(200, &serde_json::json!({})), || Api::new("api").head("/v1/files/1").read());
    /// assert_eq!(played.lines, ["read HEAD /v1/files/1"]);
    /// ```
    pub fn head<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Head, path)
    }

    /// A `POST`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let search = || Api::new("api").post("/v1/search").json(&["tea"]).read();
    /// let played = play(|_line| answer(200, &serde_json::json!([])), search);
    /// assert_eq!(played.lines, [r#"read POST /v1/search ["tea"]"#]);
    /// ```
    pub fn post<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Post, path)
    }

    /// A `PUT`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let an_hour = std::time::Duration::from_secs(3_600);
    /// let upload = || Api::new("api").put("/v1/files/1").bytes("text/plain", vec![1, 2]).prepare("file", an_hour);
    /// let played = play(|_line| answer(200, &serde_json::json!({})), upload);
    /// assert_eq!(played.lines, ["prepare file PUT /v1/files/1 [2 bytes]"]);
    /// ```
    pub fn put<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Put, path)
    }

    /// A `PATCH`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let an_hour = std::time::Duration::from_secs(3_600);
    /// let rename = || Api::new("api").patch("/v1/files/1").form([("name", "tea")]).prepare("name", an_hour);
    /// let played = play(|_line| answer(200, &serde_json::json!({})), rename);
    /// assert_eq!(played.lines, ["prepare name PATCH /v1/files/1 name=tea"]);
    /// ```
    pub fn patch<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Patch, path)
    }

    /// A `DELETE`.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let an_hour = std::time::Duration::from_secs(3_600);
    /// let remove = || Api::new("api").delete("/v1/posts/1").accept(404).prepare("remove/1", an_hour);
    /// let played = play(|_line| answer(404, &serde_json::json!({})), remove);
    /// assert_eq!(played.result.unwrap().status(), 404);
    /// ```
    pub fn delete<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Delete, path)
    }

    /// A `GET` of a link that the host sealed in an earlier answer, such as the next page.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// const API: Api = Api::new("api");
    ///
    /// // The manifest has a link at the pointer `/next` of this endpoint's answers.
    /// fn second_page() -> orla_sdk::Result<orla_sdk::Response> {
    ///     let first: serde_json::Value = API.get("/v1/posts").read()?.json()?;
    ///     API.follow(first["next"].as_str().unwrap_or_default()).read()
    /// }
    ///
    /// let played = play(|_line| answer(200, &serde_json::json!({ "next": "orla-link:b3Js" })), second_page);
    /// assert_eq!(played.lines, ["read GET /v1/posts", "read GET orla-link:b3Js"]);
    /// ```
    pub fn follow<'a>(&self, link: impl Into<String>) -> Request<'a> {
        Request::new(Method::Get, Destination::Follow(link.into()), self.explain)
    }

    /// A `PUT` to a link that the host sealed in an earlier answer, such as an upload that was begun.
    ///
    /// ```
    /// # use orla_sdk::{Api, testing::{answer, play}};
    /// let an_hour = std::time::Duration::from_secs(3_600);
    /// let upload = || Api::new("api").put_to("orla-link:b3Js").bytes("text/plain", vec![1, 2]).prepare("file", an_hour);
    /// let played = play(|_line| answer(200, &serde_json::json!({})), upload);
    /// assert_eq!(played.lines, ["prepare file PUT orla-link:b3Js [2 bytes]"]);
    /// ```
    pub fn put_to<'a>(&self, link: impl Into<String>) -> Request<'a> {
        Request::new(Method::Put, Destination::Follow(link.into()), self.explain)
    }

    fn request<'a>(&self, method: Method, path: impl Into<String>) -> Request<'a> {
        let at = Location { endpoint: self.endpoint.to_owned(), path: path.into() };
        Request::new(method, Destination::At(at), self.explain)
    }
}

/// Drops a prepared step whose answer the vendor no longer honours, so that the next request with its key goes out: in this
/// execution of the run or, where it pauses or fails before, in a later one.
///
/// ```
/// use orla_sdk::{Api, FaultKind, Response, Result, forget};
/// use std::time::Duration;
///
/// /// Uploads once more what the vendor has lost.
/// fn session() -> Result<Response> {
///     let open = || Api::new("api").post("/v1/uploads").prepare("upload", Duration::from_secs(600));
///     match open() {
///         Err(fault) if fault.kind == FaultKind::NotFound => {
///             forget("upload");
///             open()
///         }
///         outcome => outcome,
///     }
/// }
/// ```
pub fn forget(key: &str) {
    host::forget(key);
}

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
    #[must_use]
    pub const fn new(endpoint: &'static str) -> Self {
        Self {
            endpoint,
            explain: |_| Explained { kind: None, code: None, message: None, field: None, retry_after_ms: None },
        }
    }

    /// The same API, whose refusals say what they mean.
    #[must_use]
    pub const fn explain(mut self, explain: fn(&Response) -> Explained) -> Self {
        self.explain = explain;
        self
    }

    /// A `GET`.
    pub fn get<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Get, path)
    }

    /// A `HEAD`.
    pub fn head<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Head, path)
    }

    /// A `POST`.
    pub fn post<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Post, path)
    }

    /// A `PUT`.
    pub fn put<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Put, path)
    }

    /// A `PATCH`.
    pub fn patch<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Patch, path)
    }

    /// A `DELETE`.
    pub fn delete<'a>(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::Delete, path)
    }

    /// A `GET` of a link that the host sealed in an earlier answer, such as the next page.
    pub fn follow<'a>(&self, link: impl Into<String>) -> Request<'a> {
        Request::new(Method::Get, Destination::Follow(link.into()), self.explain)
    }

    fn request<'a>(&self, method: Method, path: impl Into<String>) -> Request<'a> {
        let at = Location { endpoint: self.endpoint.to_owned(), path: path.into() };
        Request::new(method, Destination::At(at), self.explain)
    }
}

/// Drops a prepared step whose answer the vendor no longer honours, so that the next request with its key goes out.
pub fn forget(key: &str) {
    host::forget(key);
}

//! A running simulator: Google's consent page and tokens, people's projects, Vertex and Cloud Storage on one origin.

use std::io;
use std::ops::Deref;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::problem::Problem;
use super::settings::Settings;
use super::state::Vertex;
use super::{control, models, people, storage, token};
use crate::wire::Server;
use crate::{door, google};

/// A simulator that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    vertex: Vertex,
    server: Server,
}

impl Sim {
    /// Listen on an ephemeral port of the loopback address.
    ///
    /// # Panics
    ///
    /// If there is no port to be had.
    pub async fn start(settings: Settings) -> Self {
        Self::bind("127.0.0.1:0", settings).await.expect("the loopback address has an ephemeral port")
    }

    /// Listen on a given address.
    ///
    /// # Errors
    ///
    /// If that address cannot be listened on.
    pub async fn bind(address: impl ToSocketAddrs, settings: Settings) -> io::Result<Self> {
        let vertex = Vertex::new(settings);
        let server = Server::start(address, router(vertex.clone())).await?;
        Ok(Self { vertex, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4017`: the consent page, the tokens and all APIs alike.
    pub fn origin(&self) -> String {
        self.server.origin()
    }
}

impl Deref for Sim {
    type Target = Vertex;

    fn deref(&self) -> &Vertex {
        &self.vertex
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.vertex.release();
    }
}

/// Every route in one list. Control comes last, outside of the log and the faults.
fn router(vertex: Vertex) -> Router {
    Router::new()
        .merge(google::router())
        .route("/token", post(token::token))
        .route("/v1/userinfo", get(people::userinfo))
        .route("/v3/{call}", get(people::projects))
        .route("/v1/projects/{project}/locations/{location}/publishers/google/models/{call}", post(models::call))
        .route("/storage/v1/b/{bucket}/o/{object}", get(storage::media))
        .fallback(async || Problem::of(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || Problem::of(StatusCode::METHOD_NOT_ALLOWED))
        // The door has its own limit, which a picture in base64 keeps to.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(vertex.door().clone(), door::receive))
        .merge(control::router())
        .with_state(vertex)
}

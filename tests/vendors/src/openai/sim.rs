//! A running simulator.

use std::io;
use std::ops::Deref;

use axum::http::{Method, Uri};
use axum::routing::{get, post};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::problem::Problem;
use super::settings::Settings;
use super::state::OpenAi;
use super::{chat, control, front, gate, models, responses};
use crate::wire::Server;

/// A simulator that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    openai: OpenAi,
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
        let openai = OpenAi::new(settings);
        let server = Server::start(address, router(openai.clone())).await?;
        Ok(Self { openai, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4011`; the API is under `/v1`.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// What it knows.
    pub fn state(&self) -> &OpenAi {
        &self.openai
    }
}

impl Deref for Sim {
    type Target = OpenAi;

    fn deref(&self) -> &OpenAi {
        &self.openai
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.openai.release();
    }
}

async fn no_such_path(method: Method, uri: Uri) -> Problem {
    Problem::no_such_path(&method, &uri)
}

/// Every route in one list. Control comes last, outside of the log and the faults.
fn router(openai: OpenAi) -> Router {
    let api = Router::new()
        .route("/v1/responses", post(responses::create))
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{id}", get(models::one))
        .route_layer(middleware::from_fn_with_state(openai.clone(), gate::admit));
    api.method_not_allowed_fallback(no_such_path)
        .fallback(no_such_path)
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(openai.clone(), front::receive))
        .merge(control::router())
        .with_state(openai)
}

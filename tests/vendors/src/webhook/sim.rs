//! A running receiver.

use std::io;
use std::ops::Deref;

use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::settings::Settings;
use super::state::Webhook;
use super::{control, receiving};
use crate::door;
use crate::wire::Server;

/// A receiver that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    webhook: Webhook,
    server: Server,
}

impl Sim {
    /// Listen on an ephemeral port of the loopback address.
    ///
    /// # Panics
    ///
    /// If there is no port to be had, or the settings make no receiver.
    pub async fn start(settings: Settings) -> Self {
        Self::bind("127.0.0.1:0", settings).await.expect("the loopback address has an ephemeral port")
    }

    /// Listen on a given address.
    ///
    /// # Errors
    ///
    /// If that address cannot be listened on, or the settings make no receiver.
    pub async fn bind(address: impl ToSocketAddrs, settings: Settings) -> io::Result<Self> {
        settings.check().map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let webhook = Webhook::new(settings);
        let server = Server::start(address, router(webhook.clone())).await?;
        Ok(Self { webhook, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4013`; every path of it receives.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// What it knows.
    pub fn state(&self) -> &Webhook {
        &self.webhook
    }
}

impl Deref for Sim {
    type Target = Webhook;

    fn deref(&self) -> &Webhook {
        &self.webhook
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.webhook.release();
    }
}

/// Control comes last, outside of the log and the faults.
fn router(webhook: Webhook) -> Router {
    Router::new()
        .fallback(receiving::receive)
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(webhook.door().clone(), door::receive))
        .merge(control::router())
        .with_state(webhook)
}

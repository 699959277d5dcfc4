//! A running simulator: the API, Checkout and the portal on one origin.

use std::io;
use std::ops::Deref;

use axum::http::StatusCode;
use axum::routing::{any, get};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;
use tokio::task::AbortHandle;

use super::problem::manner;
use super::settings::Settings;
use super::state::Stripe;
use super::{control, deliveries, gate, visits};
use crate::door;
use crate::wire::Server;

/// A simulator that listens, and delivers events, until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    stripe: Stripe,
    server: Server,
    deliveries: AbortHandle,
}

impl Sim {
    /// Listen on an ephemeral port of the loopback address.
    ///
    /// # Panics
    ///
    /// If there is no port to be had, or the settings make no account.
    pub async fn start(settings: Settings) -> Self {
        Self::bind("127.0.0.1:0", settings).await.expect("the loopback address has an ephemeral port")
    }

    /// Listen on a given address.
    ///
    /// # Errors
    ///
    /// If that address cannot be listened on, or the settings make no account.
    pub async fn bind(address: impl ToSocketAddrs, settings: Settings) -> io::Result<Self> {
        settings.check().map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let (stripe, outbox) = Stripe::new(settings);
        let server = Server::start(address, router(stripe.clone())).await?;
        stripe.set_origin(server.origin());
        let deliveries = tokio::spawn(deliveries::deliver(stripe.clone(), outbox)).abort_handle();
        Ok(Self { stripe, server, deliveries })
    }

    /// Where it listens, such as `http://127.0.0.1:4018`: the API, Checkout and the portal alike.
    pub fn origin(&self) -> String {
        self.server.origin()
    }
}

impl Deref for Sim {
    type Target = Stripe;

    fn deref(&self) -> &Stripe {
        &self.stripe
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.deliveries.abort();
        // What hangs would keep the server from ending.
        self.stripe.release();
    }
}

/// The pages of people, and everything else for the API. Control comes last, outside of the log and the faults.
fn router(stripe: Stripe) -> Router {
    Router::new()
        .route("/c/pay/{id}", get(visits::checkout).post(visits::checkout_pressed))
        .route("/p/session/{id}", get(visits::portal).post(visits::portal_pressed))
        .route("/i/{id}", get(visits::invoice))
        .route("/v1/{*path}", any(gate::serve))
        .fallback(async || manner(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || manner(StatusCode::METHOD_NOT_ALLOWED))
        .layer(middleware::from_fn_with_state(stripe.door().clone(), door::receive))
        .merge(control::router())
        .with_state(stripe)
}

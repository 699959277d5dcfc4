//! A running simulator: the API, the content and the consent page of Dropbox, and the pictures, on one origin.

use std::io;
use std::ops::Deref;

use axum::http::StatusCode;
use axum::routing::{any, get, post};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::problem::Problem;
use super::settings::Settings;
use super::state::Dropbox;
use super::{account, authorize, control, download, gate, listing, metadata, search, token};
use crate::wire::Server;
use crate::{door, pictures};

/// A simulator that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    dropbox: Dropbox,
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
        let dropbox = Dropbox::new(settings);
        let server = Server::start(address, router(dropbox.clone())).await?;
        Ok(Self { dropbox, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4015`. It is all three of Dropbox's hosts: of the API, of the
    /// content and of the consent page.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// What it knows.
    pub fn state(&self) -> &Dropbox {
        &self.dropbox
    }
}

impl Deref for Sim {
    type Target = Dropbox;

    fn deref(&self) -> &Dropbox {
        &self.dropbox
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.dropbox.release();
    }
}

/// Every route in one list. Control comes last, outside of the log and the faults.
fn router(dropbox: Dropbox) -> Router {
    let api = Router::new()
        .route("/2/auth/token/revoke", post(token::revoke))
        .route("/2/users/get_current_account", post(account::current))
        .route("/2/files/list_folder", post(listing::begin))
        .route("/2/files/list_folder/continue", post(listing::go_on))
        .route("/2/files/search_v2", post(search::begin))
        .route("/2/files/search/continue_v2", post(search::go_on))
        .route("/2/files/get_metadata", post(metadata::get))
        .route("/2/files/get_temporary_link", post(download::link))
        .route("/2/files/download", post(download::download).get(download::download))
        .route("/2/{*function}", any(async || Problem::bad("Unknown API function.")))
        .route_layer(middleware::from_fn_with_state(dropbox.clone(), gate::admit));
    Router::new()
        .merge(api)
        .route("/oauth2/authorize", get(authorize::page).post(authorize::decide))
        .route("/oauth2/token", post(token::token))
        .route("/cd/0/get/{id}/file", get(download::follow))
        .merge(pictures::router())
        .fallback(async || (StatusCode::NOT_FOUND, "Not Found"))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(dropbox.door().clone(), door::receive))
        .merge(control::router())
        .with_state(dropbox)
}

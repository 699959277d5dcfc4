//! A running simulator: Google's OAuth, the API, its uploads and the pictures, on one origin.

use std::io;
use std::ops::Deref;

use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Router, middleware};
use tokio::net::ToSocketAddrs;

use super::problem::Problem;
use super::settings::Settings;
use super::state::YouTube;
use super::{channels, comments, control, threads, thumbnails, upload, videos};
use crate::wire::Server;
use crate::{door, google, pictures};

/// A simulator that listens until it is dropped. Dereferences to the state it serves.
pub struct Sim {
    youtube: YouTube,
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
        let youtube = YouTube::new(settings);
        let server = Server::start(address, router(youtube.clone())).await?;
        Ok(Self { youtube, server })
    }

    /// Where it listens, such as `http://127.0.0.1:4016`: the consent page, the tokens and the API alike.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// What it knows.
    pub fn state(&self) -> &YouTube {
        &self.youtube
    }
}

impl Deref for Sim {
    type Target = YouTube;

    fn deref(&self) -> &YouTube {
        &self.youtube
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What hangs would keep the server from ending.
        self.youtube.release();
    }
}

/// Every route in one list. Control comes last, outside of the log and the faults.
fn router(youtube: YouTube) -> Router {
    Router::new()
        .merge(google::router())
        .route("/token", post(google::token::<YouTube>))
        .route("/youtube/v3/channels", get(channels::list))
        .route("/youtube/v3/playlistItems", get(channels::uploads))
        .route("/youtube/v3/videos", get(videos::list).delete(videos::delete))
        .route("/youtube/v3/commentThreads", get(threads::list).post(threads::insert))
        .route("/youtube/v3/comments", get(comments::list).post(comments::insert))
        .route(upload::PATH, post(upload::begin).merge(put(upload::go_on)))
        .route("/upload/youtube/v3/thumbnails/set", post(thumbnails::set))
        .merge(pictures::router())
        .method_not_allowed_fallback(async || Problem::of(StatusCode::NOT_FOUND))
        .fallback(async || Problem::of(StatusCode::NOT_FOUND))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(youtube.door().clone(), door::receive))
        .merge(control::router())
        .with_state(youtube)
}

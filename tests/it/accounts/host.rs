//! A host of accounts alone: no connectors, no worker, and a clock that stands until a test moves it.

use crate::harness::{Backend, program};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use orla::app::App;
use orla::clock::Clock;
use orla::config::Config;
use orla::connectors::{Memories, Setup};
use orla::id::EmailTokenId;
use orla::identity::passwords::Password;
use orla::identity::{self, Role, verification};
use orla::on;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A host with its router, its clock and its data folder.
pub(super) struct Accounts {
    pub(super) app: App,
    router: Router,
    micros: Arc<AtomicI64>,
    data: TempDir,
}

/// An answer of the API; an answer without a body has `null` for one.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    pub(super) fn tokens(&self) -> SignedIn {
        let text = |name: &str| self.body[name].as_str().unwrap().to_owned();
        SignedIn { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// The tokens of a session.
pub(super) struct SignedIn {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// An empty folder in place of the connectors'.
pub(super) fn no_connectors(data: &Path) -> std::path::PathBuf {
    let folder = data.join("connectors");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Accounts {
    pub(super) async fn fresh(backend: Backend) -> Self {
        let data = TempDir::new().unwrap();
        let database = backend.fresh(data.path()).await;
        Self::open(data, database).await
    }

    pub(super) async fn open(data: TempDir, database: String) -> Self {
        let config = Config {
            connectors_folder: no_connectors(data.path()),
            data: data.path().to_owned(),
            database_url: Some(database),
            signup_credits: 1_000,
            ..Config::default()
        };
        let micros = Arc::new(AtomicI64::new(1_700_000_000_000_000));
        let setup = Setup { program: program(), memories: Memories::Pooled };
        let app = App::open(config, Clock::Manual(Arc::clone(&micros)), setup).await.unwrap();
        Self { router: orla::http::router(app.clone()), app, micros, data }
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.micros.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A call with an access token and without a body.
    pub(super) async fn call(&self, method: Method, path: &str, token: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, token).await
    }

    pub(super) async fn register(&self, email: &str, password: &str) -> Answer {
        self.post("/auth/register", json!({"email": email, "password": password})).await
    }

    /// Registers, and gives the token of the link that is mailed.
    pub(super) async fn register_for_link(&self, email: &str, password: &str) -> String {
        self.register(email, password).await.expect(201);
        self.mail_links().await;
        self.newest_token()
    }

    pub(super) async fn verify(&self, token: &str) -> Answer {
        self.post("/auth/verify-email", json!({"token": token})).await
    }

    pub(super) async fn login(&self, email: &str, password: &str) -> Answer {
        self.post("/auth/login", json!({"email": email, "password": password})).await
    }

    pub(super) async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh", json!({"refresh_token": token})).await
    }

    /// A verified person with the password `Passw0rd`, who has logged in.
    pub(super) async fn signed_in(&self, email: &str) -> SignedIn {
        let password = Password::from("Passw0rd".to_owned());
        identity::create_verified(&self.app, email, &password, Role::User).await.unwrap();
        self.login(email, "Passw0rd").await.expect(200).tokens()
    }

    /// The links that are yet to be mailed.
    pub(super) async fn planned(&self) -> Vec<EmailTokenId> {
        const PLANNED: &str = "select subject from jobs where kind = 'verify_email'";
        let mut tx = self.app.db().read().await.unwrap();
        on!(&mut tx, conn => sqlx::query_scalar(PLANNED).fetch_all(conn).await).unwrap()
    }

    /// Does the worker's work.
    pub(super) async fn mail_links(&self) {
        for link in self.planned().await {
            verification::send(&self.app, link).await.unwrap();
        }
        self.execute("delete from jobs").await;
    }

    pub(super) async fn execute(&self, statement: &'static str) {
        let mut tx = self.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    /// The texts of all mails, the oldest first.
    pub(super) fn mails(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.data.path().join("mail")).unwrap();
        let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    pub(super) fn newest_token(&self) -> String {
        let mail = self.mails().pop().expect("a mail");
        let link = mail.lines().find(|line| line.starts_with("http")).expect("a link on a line of its own");
        link.split_once("?token=").expect("a token at its end").1.to_owned()
    }
}

//! A host with a connector that has every kind of rule, a person who has an account there and one at X, and a web server with
//! media of any size.

pub(crate) mod web;

use crate::harness::{Answer, Backend, Host, Mode, Person, Settings, component, settings};
use orla::clock::{Clock, Timestamp};
use orla::connectors::{Actor, Consent, Memories, Then};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use web::Web;

pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) ada: Person,
    pub(crate) web: Web,
}

/// Sets the stage. The network takes the same text twice, so that a part that goes out twice is there twice.
pub(crate) async fn set(backend: Backend) -> Stage {
    let web = Web::start().await;
    let settings = Settings { duplicate_window_s: 0, ..settings() };
    let host = Host::start_with(backend, settings, |config| {
        let app = config.connectors["probe"].clone();
        config.connectors.insert("gallery".to_owned(), app);
        config.egress_allow.push(web.address());
        Memories::Pooled
    })
    .await;
    host.sim.register_redirect_uri(format!("{}/social/oauth/gallery/callback", host.url));
    let wasm = std::fs::read(component("gallery")).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    let installed = Box::pin(installing).await;
    assert_eq!(installed.unwrap().state, "active");
    let ada = host.person("ada").await;
    for platform in ["gallery", "twitter"] {
        ada.connect(&host.sim, platform, "orla_demo").await;
    }
    Stage { host, ada, web }
}

impl Stage {
    /// The texts at the network, oldest first.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.host.sim.posts().iter().map(|post| post.text.clone()).collect()
    }

    /// Ada's connection at a network.
    pub(crate) async fn connection(&self, platform: &str) -> String {
        let list = self.ada.get("/social/connections").await.expect(200);
        let found = list["items"].as_array().unwrap().iter().find(|one| one["platform"] == platform);
        found.expect("a connection")["id"].as_str().unwrap().to_owned()
    }

    /// Ada's credits, and those reserved.
    pub(crate) async fn credits(&self) -> (i64, i64) {
        let balance = self.ada.get("/credits/balance").await.expect(200);
        (balance["posted"].as_i64().unwrap(), balance["held"].as_i64().unwrap())
    }

    /// Changes something in the database that no route changes.
    pub(crate) async fn sql(&self, statement: &'static str) {
        let mut tx = self.host.app.db().begin().await.unwrap();
        orla::on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    /// Counts rows.
    pub(crate) async fn count(&self, statement: &'static str) -> i64 {
        let mut tx = self.host.app.db().read().await.unwrap();
        orla::on!(&mut tx, conn => sqlx::query_scalar(statement).fetch_one(conn).await).unwrap()
    }

    /// A medium at the web server, as a post names it.
    pub(crate) fn medium(&self, name: &str) -> Value {
        json!({"url": self.web.url(name)})
    }
}

/// Hours from now.
pub(crate) fn hours(count: u64) -> Timestamp {
    Clock::System.now().after(Duration::from_secs(count * 3_600))
}

/// A refusal of this status.
pub(crate) fn refused(status: u16) -> Mode {
    Mode::status(status)
}

/// Asks with an idempotency key.
pub(crate) async fn keyed(person: &Person, path: &str, body: &Value, key: &str) -> Answer {
    let request = person.http.post(format!("{}{path}", person.url)).bearer_auth(&person.token);
    Answer::of(request.header("idempotency-key", key).json(body).send().await.unwrap()).await
}

/// Asks under a version.
pub(crate) async fn matching(person: &Person, method: Method, path: &str, version: &str, body: &Value) -> Answer {
    let request = person.http.request(method, format!("{}{path}", person.url)).bearer_auth(&person.token);
    Answer::of(request.header("if-match", version).json(body).send().await.unwrap()).await
}

/// The fields of what is wrong, and all of it in one text.
#[track_caller]
pub(crate) fn problems(answer: Answer) -> (Vec<String>, String) {
    let body = answer.expect(422);
    assert_eq!(body["code"], "invalid_input", "{body:#}");
    let all = body["problems"].as_array().unwrap_or_else(|| panic!("{body:#}"));
    assert_eq!(
        (&body["field"], &body["detail"]),
        (&all[0]["field"], &all[0]["detail"]),
        "the first is the one that is told"
    );
    fields(all)
}

/// The fields of problems, and all of them in one text.
pub(crate) fn fields(problems: &[Value]) -> (Vec<String>, String) {
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap().to_owned();
    let told: Vec<String> = problems.iter().map(|problem| text(problem, "detail")).collect();
    (problems.iter().map(|problem| text(problem, "field")).collect(), told.join("\n"))
}

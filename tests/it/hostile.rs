//! The connector `mastodon` at a server that means ill: it gets the one token that was entered for it, and nothing else.

mod server;

use crate::canary::scan::{Canary, Scan};
use crate::harness::{BOTH, Backend, Host, Person, Settings, component, settings};
use orla::config::ConnectorConfig;
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::mastodon;
use serde_json::{Value, json};
use server::{Hostile, Malice};

const CONNECT: &str = "/social/connections/mastodon";
/// Entered for the hostile server.
const TOKEN: &str = "token-for-the-hostile-server";
/// Entered for an honest one, by the same person and by another.
const SECOND: &str = "token-for-the-honest-server";
const BOBS: &str = "token-of-another-workspace";
const MINTED: &str = "TOKENMINTEDBYX";
const ACCOUNT: &str = "/api/v1/accounts/verify_credentials";
const LIST: &str = "/api/v1/accounts/";
const STATUSES: &str = "/api/v1/statuses";
const MEDIA: &str = "/api/v2/media";

/// A host with secrets of many kinds, a hostile server and an honest one, and a person who uses both.
struct Stage {
    host: Host,
    hostile: Hostile,
    honest: mastodon::Sim,
    ada: Person,
}

impl Stage {
    async fn set(backend: Backend) -> Self {
        let scopes = "read:accounts read:statuses write:media write:statuses";
        let tokens = [(SECOND, "orla_demo"), (BOBS, "second_account")];
        let tokens = tokens.map(|(token, account)| mastodon::Token::new(token, account, scopes)).into();
        let honest = mastodon::Sim::start(mastodon::Settings { tokens, ..mastodon::Settings::default() }).await;
        let hostile = Hostile::start().await;
        let addresses = [hostile.address.clone(), honest.origin().replace("http://", "")];
        let minting = Settings { token_prefix: MINTED.to_owned(), ..settings() };
        let host = Host::start_with(backend, minting, |config| {
            config.egress_allow.extend(addresses);
            let looks_soon = ConnectorConfig { visible_after_ms: Some(200), ..ConnectorConfig::default() };
            config.connectors.insert("mastodon".to_owned(), looks_soon);
            Memories::Pooled
        })
        .await;
        let wasm = std::fs::read(component("mastodon")).unwrap();
        let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
        assert_eq!(Box::pin(installing).await.unwrap().state, "active");
        let (ada, bob) = (host.connected("ada", "twitter").await, host.person("bob").await);
        for (person, token) in [(&ada, SECOND), (&bob, BOBS)] {
            let fields = json!({"fields": {"instance": honest.origin(), "token": token}});
            person.post(CONNECT, &fields).await.expect(201);
        }
        Self { host, hostile, honest, ada }
    }

    async fn connect(&self) -> (u16, Value) {
        let fields = json!({"fields": {"instance": self.hostile.origin(), "token": TOKEN}});
        let answer = self.ada.post(CONNECT, &fields).await;
        (answer.status.as_u16(), answer.body)
    }

    /// Publishes to a connection, and waits until nothing more becomes of it.
    async fn publish(&self, connection: &Value, key: &str, media: &[String]) -> Value {
        self.post(connection, key, media, &["published", "failed"]).await
    }

    /// Publishes to a connection, and waits for one of these states.
    async fn post(&self, connection: &Value, key: &str, media: &[String], states: &[&str]) -> Value {
        let id = &connection["id"];
        let post = json!({"platform": "mastodon", "content": key, "media_urls": media, "connection_id": id});
        self.ada.published(&post, key, states).await
    }

    /// URLs that lead to the honest server or nowhere good, in ways that have fooled others.
    fn elsewhere(&self, path: &str) -> Vec<String> {
        let (hostile, honest) = (&self.hostile.address, self.honest.origin());
        let there = honest.trim_start_matches("http://");
        vec![
            format!("{honest}{path}"),
            format!("//{there}{path}"),
            format!("http://{hostile}@{there}{path}"),
            format!("http:\\\\{there}{path}"),
            format!("https://evil.example{path}"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "file:///etc/passwd".to_owned(),
        ]
    }
}

/// Ids that would lead elsewhere if somebody pasted them into a path, and whether some server would climb by them however
/// they are encoded: nothing is asked for by those.
const IDS: [(&str, Climbs); 7] = [
    ("//evil.example/x", Climbs::Never),
    ("7?max_id=1#x", Climbs::Never),
    ("@evil.example:80/", Climbs::Never),
    ("..", Climbs::Somewhere),
    ("../../../oauth/token", Climbs::Somewhere),
    ("7/../../oauth/token", Climbs::Somewhere),
    ("%2e%2e%2f%2e%2e%2foauth%2ftoken", Climbs::Somewhere),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Climbs {
    Never,
    Somewhere,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_server_gets_the_token_that_was_entered_for_it_and_nothing_else() {
    for backend in BOTH {
        let stage = Box::pin(Stage::set(backend)).await;
        let before = stage.honest.requests().len();
        while_connecting(&stage).await;
        Box::pin(while_publishing(&stage)).await;
        Box::pin(while_looking(&stage)).await;
        assert_eq!(stage.honest.requests().len(), before, "nobody was led to the honest server");
        let received = stage.hostile.received();
        assert!(received.len() > 60, "{}", received.len());
        for request in &received {
            let signed: Vec<_> = request.headers.get_all("authorization").iter().collect();
            assert_eq!(signed, [format!("Bearer {TOKEN}").as_str()], "{request:?}");
            for absent in ["cookie", "referer", "forwarded", "x-forwarded-for"] {
                assert!(!request.headers.contains_key(absent), "{request:?}");
            }
            assert_eq!(request.headers["host"], stage.hostile.address, "{request:?}");
            let path = request.uri.split('?').next().unwrap();
            assert!(path.starts_with("/api/v"), "{request:?}");
            assert!(!path.contains("/oauth") && !path.split('/').any(|part| part == ".."), "{request:?}");
        }
        let master = std::fs::read_to_string(stage.host.data.path().join("master.key")).unwrap();
        let scan = Scan::of(vec![
            Canary::new("the token that was entered for it", TOKEN).told_in(&["the hostile server"]),
            Canary::new("the person's other token", SECOND),
            Canary::new("the token of another workspace", BOBS),
            Canary::new("what X minted", MINTED),
            Canary::new("the secret of X's app", "orla-demo-secret"),
            Canary::new("the operator's key", stage.host.openai.settings().api_key),
            Canary::new("the person's session", &stage.ada.token),
            Canary::new("the person's address", "ada@example.org"),
            Canary::new("the workspace", stage.ada.workspace.to_string()),
            Canary::new("the master key", hex::decode(master.trim()).unwrap()),
        ]);
        let all: Vec<u8> = received.iter().flat_map(server::Received::bytes).collect();
        scan.assert_none_in("the hostile server", &all);
        // The honest ones work as before.
        let list = stage.ada.get("/social/connections").await.expect(200);
        let honest = stage.honest.origin().replace("http://", "@");
        let mine = list["items"].as_array().unwrap().iter();
        let mut mine = mine.filter(|one| one["vendor_id"].as_str().unwrap().ends_with(&honest));
        let done = stage.publish(mine.next().unwrap(), "to the honest one", &[]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        stage.host.check_books().await;
    }
}

/// It redirects, never ends, and claims strange ids for the account.
async fn while_connecting(stage: &Stage) {
    for url in stage.elsewhere(ACCOUNT) {
        for status in [301, 302, 303, 307, 308] {
            stage.hostile.turn(ACCOUNT, Malice::Redirect(status, url.clone()));
            let (told, body) = stage.connect().await;
            assert_eq!(told, 502, "{status} {url}: {body}");
            assert!(!body.to_string().contains(TOKEN), "{body}");
        }
    }
    for malice in [Malice::Endless, Malice::Repeat] {
        stage.hostile.turn(ACCOUNT, malice);
        let (told, body) = stage.connect().await;
        assert_eq!(told, 502, "{body}");
        assert!(!body.to_string().contains(TOKEN), "{body}");
    }
    let mut ids = std::collections::BTreeSet::new();
    for (id, climbs) in IDS {
        stage.hostile.turn(ACCOUNT, Malice::Id(id.to_owned()));
        let (told, connection) = stage.connect().await;
        assert_eq!(told, 201, "{connection}");
        assert_eq!(connection["vendor_id"], format!("{id}@{}", stage.hostile.address));
        ids.insert(connection["id"].to_string());
        // The account's id stands in the path of what the connector reads to find out what became of a post.
        stage.hostile.turn(STATUSES, Malice::FailOnce);
        let lost = stage.post(&connection, &format!("as {id}"), &[], &["uncertain"]).await;
        let lost = lost["id"].as_str().unwrap();
        if climbs == Climbs::Somewhere {
            let word = json!({"key": "part/0", "outcome": "not_published"});
            stage.ada.post(&format!("/social/publications/{lost}/resolve"), &word).await.expect(202);
        }
        let done = stage.ada.wait(lost, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
    }
    assert_eq!(ids.len(), IDS.len());
    stage.hostile.behave();
}

/// It answers posts and uploads with redirects, cookies and strange ids, and repeats what it was sent.
async fn while_publishing(stage: &Stage) {
    let (_, connection) = stage.connect().await;
    let picture = format!("{}/pictures/square.png", stage.host.sim.origin());
    for (n, url) in stage.elsewhere(STATUSES).into_iter().enumerate() {
        let pictures = std::slice::from_ref(&picture);
        stage.hostile.turn(MEDIA, Malice::Redirect(308, url.clone()));
        let done = stage.publish(&connection, &format!("a picture led to {n}"), pictures).await;
        assert_eq!(done["state"], "failed", "{done:#}");
        // Nobody knows whether a redirect has posted.
        stage.hostile.turn(STATUSES, Malice::Redirect(307, url));
        let lost = stage.post(&connection, &format!("a post led to {n}"), &[], &["uncertain"]).await;
        stage.hostile.behave();
        let done = stage.ada.wait(lost["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
    }
    let honest = stage.honest.origin();
    for (n, (name, value)) in [
        ("set-cookie", "session=1; Path=/".to_owned()),
        ("alt-svc", format!("h2=\"{}\"", honest.trim_start_matches("http://"))),
        ("refresh", format!("0; url={honest}{STATUSES}")),
        ("content-location", format!("{honest}{STATUSES}")),
    ]
    .into_iter()
    .enumerate()
    {
        stage.hostile.turn("/api/", Malice::Header(name, value));
        let done = stage.publish(&connection, &format!("under {n}"), &[]).await;
        assert_eq!(done["state"], "published", "{done:#}");
    }
    for (id, climbs) in IDS {
        stage.hostile.turn(MEDIA, Malice::Id(id.to_owned()));
        let done = stage.publish(&connection, &format!("media {id}"), std::slice::from_ref(&picture)).await;
        let ends = if climbs == Climbs::Never { "published" } else { "failed" };
        assert_eq!(done["state"], ends, "{done:#}");
    }
    stage.hostile.turn(STATUSES, Malice::Repeat);
    let done = stage.publish(&connection, "repeated", &[]).await;
    assert_eq!(done["state"], "failed", "{done:#}");
    assert!(!done.to_string().contains(TOKEN) && done.to_string().contains("[redacted]"), "{done:#}");
    stage.hostile.behave();
}

/// It loses a post, and leads whoever looks for it elsewhere by the links of its list.
async fn while_looking(stage: &Stage) {
    let (_, connection) = stage.connect().await;
    for (n, url) in stage.elsewhere("/api/v1/accounts/7/statuses?max_id=1").into_iter().enumerate() {
        stage.hostile.turn(STATUSES, Malice::FailOnce);
        let lost = stage.post(&connection, &format!("lost {n}"), &[], &["uncertain"]).await;
        stage.hostile.turn(LIST, Malice::Header("link", format!("<{url}>; rel=\"next\"")));
        let done = stage.ada.wait(lost["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "it was sent again once two looks had not found it: {done:#}");
    }
    stage.hostile.behave();
}

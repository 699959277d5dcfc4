//! Accounts that sign their own way in: connected by a key, kept connected by new assertions, and lost with the key.

mod issuer;

use crate::broker::{age, mails};
use crate::canary::scan::{Canary, Scan};
use crate::harness::{BOTH, Backend, Host, Person, component, settings};
use crate::secrets::memory::Watched;
use crate::secrets::{contains, dump, log};
use issuer::{ACCOUNT, Issuer};
use orla::config::ConnectorConfig;
use orla::connecting::keeping;
use orla::connectors::{Actor, Consent, Memories, Then};
use orla::on;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Made for these tests alone, by `openssl genpkey`.
const KEY: &str = include_str!("service_accounts/key.pem");
const PUBLIC: &str = include_str!("service_accounts/public.pem");
const CONNECT: &str = "/social/connections/robot";

/// A host with the connector, and the vendor that it speaks to, which knows the key `first`.
async fn host(backend: Backend) -> (Host, Issuer) {
    host_with(backend, Memories::Pooled).await
}

async fn host_with(backend: Backend, memories: Memories) -> (Host, Issuer) {
    let issuer = Issuer::start().await;
    issuer.tell(|known| drop(known.keys.insert("first".to_owned(), PUBLIC.to_owned())));
    let endpoints = ["tokens", "api"].map(|name| (name.to_owned(), issuer.origin.clone())).into();
    let host = Host::start_with(backend, settings(), |config| {
        config.connectors.insert("robot".to_owned(), ConnectorConfig { endpoints, ..ConnectorConfig::default() });
        if matches!(memories, Memories::From(_)) {
            config.concurrent_calls = 4;
        }
        memories
    })
    .await;
    let wasm = std::fs::read(component("robot")).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    assert_eq!(Box::pin(installing).await.unwrap().state, "active");
    (host, issuer)
}

/// A key file as Google hands them out, of a key of this name.
fn key_file(name: &str) -> String {
    let file = json!({
        "type": "service_account", "project_id": "project", "private_key_id": name, "private_key": KEY,
        "client_email": ACCOUNT, "client_id": "1", "token_uri": "https://evil.example/token",
    });
    serde_json::to_string_pretty(&file).unwrap()
}

fn by_file(name: &str) -> Value {
    json!({"fields": {"key_file": key_file(name)}})
}

async fn publish(person: &Person, text: &str) -> Value {
    let post = json!({"platform": "robot", "content": text});
    person.published(&post, text, &["published", "failed"]).await
}

async fn connection(person: &Person) -> Value {
    person.get("/social/connections").await.expect(200)["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_connects_an_account_as_a_file_or_in_single_fields() {
    let lines = log();
    for backend in BOTH {
        let watched = Watched::keeping();
        let (host, issuer) = host_with(backend, Memories::From(Arc::new(watched.clone()))).await;
        let ada = host.person("ada").await;
        let platforms = ada.get("/social/platforms").await.expect(200);
        let robot = platforms["items"].as_array().unwrap().iter().find(|item| item["platform"] == "robot").unwrap();
        let fields: Vec<&str> =
            robot["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
        assert_eq!(fields, ["key_file", "client_email", "private_key", "private_key_id"]);
        assert_eq!((&robot["auth"], &robot["fields"][0]["optional"]), (&json!("fields"), &json!(true)));
        let first = ada.post(CONNECT, &by_file("first")).await.expect(201);
        assert_eq!((first["vendor_id"].as_str(), first["handle"].as_str()), (Some("robot-7"), Some("robot")));
        assert_eq!((first["scopes"].as_str(), first["state"].as_str()), (Some("me.read posts.write"), Some("active")));
        let done = publish(&ada, "by file").await;
        assert_eq!((done["state"].as_str(), done["receipt"][0]["id"].as_str()), (Some("published"), Some("post-1")));
        let single = json!({"fields": {"client_email": ACCOUNT, "private_key": KEY, "private_key_id": "first"}});
        assert_eq!(ada.post(CONNECT, &single).await.expect(201)["id"], first["id"], "the same account keeps its id");
        assert_eq!(publish(&ada, "by fields").await["state"], "published");
        assert_eq!((issuer.known().minted, issuer.known().refused.len()), (2, 0));
        // Of the key, of what it signed and of what that gave, nothing lies open.
        let mut canaries = vec![Canary::new("a token", "minted-access-token")];
        canaries.extend(KEY.lines().skip(1).take(3).map(|line| Canary::new("a line of the key", line)));
        canaries.extend(issuer.known().assertions.iter().map(|assertion| Canary::new("an assertion", assertion)));
        assert_eq!(canaries.len(), 6);
        let scan = Scan::of(canaries);
        let shown = [first.to_string(), connection(&ada).await.to_string(), done.to_string()].concat();
        assert!(contains(&watched.kept(), "by file"), "the guests' memories were looked at");
        scan.assert_none_in("the guests' memories", &watched.kept());
        scan.assert_none_in("the log", &lines.bytes());
        scan.assert_none_in("the database", &dump(&host).await);
        scan.assert_none_in("the answers", shown.as_bytes());
        ada.get("/social/oauth/robot/auth").await.refused(409, "connect_by_fields");
        ada.call(reqwest::Method::DELETE, &format!("/social/connections/{}", first["id"].as_str().unwrap()), None)
            .await
            .expect(204);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_is_told_by_its_field_and_never_repeated() {
    for backend in BOTH {
        let (host, issuer) = host(backend).await;
        let ada = host.person("ada").await;
        let file = |change: fn(&mut Value)| {
            let mut file: Value = serde_json::from_str(&key_file("first")).unwrap();
            change(&mut file);
            json!({"key_file": file.to_string()})
        };
        let single = |key: &str| json!({"client_email": ACCOUNT, "private_key": key});
        for (fields, field, words) in [
            (json!({}), "key_file", "`Key file` is missing"),
            (json!({"key_file": KEY}), "key_file", "is not the JSON"),
            (file(|file| file["type"] = "authorized_user".into()), "key_file", "something else than a service account"),
            (file(|file| drop(file.as_object_mut().unwrap().remove("client_email"))), "key_file", "lacks"),
            (file(|file| file["private_key"] = "made up".into()), "key_file", "in PEM"),
            (json!({"key_file": key_file("first"), "private_key": KEY}), "key_file", "says all of it"),
            (json!({"private_key": KEY}), "client_email", "`Account` is missing"),
            (json!({"client_email": ACCOUNT}), "private_key", "`Private key` is missing"),
            (single(PUBLIC), "private_key", "in PEM"),
            (single(&KEY[..KEY.len() / 2]), "private_key", "that is whole"),
            (single(&KEY.replacen("MII", "AAA", 1)), "private_key", "RSA key"),
            (json!({"client_email": "two\nlines", "private_key": KEY}), "client_email", "one line"),
            (json!({"key": KEY}), "key", "There is no field `key`"),
            // Sound, and unknown to the vendor, which repeats the assertion.
            (json!({"key_file": key_file("unknown")}), "key_file", "Invalid JWT Signature. [redacted]"),
        ] {
            let answer = ada.post(CONNECT, &json!({"fields": fields})).await;
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains(words) && !answer.body.to_string().contains("MII"), "{words}: {detail}");
            assert_eq!(answer.body["field"], format!("fields/{field}"), "{detail}");
            answer.refused(422, "invalid_input");
        }
        assert_eq!(ada.get("/social/connections").await.expect(200)["items"], json!([]));
        assert_eq!((issuer.known().minted, issuer.known().refused.len()), (0, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_replaced_once_for_all() {
    const END: &str = "update connection_secrets set expires_at = $1 where name = 'access_token'";
    for backend in BOTH {
        let (host, issuer) = host(backend).await;
        let ada = host.person("ada").await;
        ada.post(CONNECT, &by_file("first")).await.expect(201);
        for round in ["by the vendor's word", "by its own time"] {
            issuer.expire_tokens();
            if round == "by its own time" {
                let ended = host.app.now().before(Duration::from_secs(1));
                let mut tx = host.app.db().begin().await.unwrap();
                on!(&mut tx, conn => sqlx::query(END).bind(ended).execute(conn).await.map(drop)).unwrap();
                tx.commit().await.unwrap();
            }
            let before = issuer.known().minted;
            let wishes = (0..20).map(|n| {
                let ada = ada.clone();
                tokio::spawn(async move { publish(&ada, &format!("{round} {n}")).await })
            });
            for wish in wishes.collect::<Vec<_>>() {
                let done = wish.await.unwrap();
                assert_eq!(
                    (done["state"].as_str(), done["attempts"].as_i64()),
                    (Some("published"), Some(1)),
                    "{done:#}"
                );
            }
            assert_eq!(issuer.known().minted - before, 1, "one token {round}");
        }
        assert_eq!(issuer.known().posts.len(), 40);
        // What nobody uses is renewed daily.
        age(host.app.db(), Duration::from_secs(25 * 3_600)).await;
        assert_eq!(keeping::sweep(&host.app).await.unwrap(), 1);
        assert_eq!(keeping::sweep(&host.app).await.unwrap(), 0);
        assert_eq!(issuer.known().refused, [""; 0]);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_deleted_ends_the_connection_and_another_heals_it() {
    for backend in BOTH {
        let (host, issuer) = host(backend).await;
        let ada = host.person("ada").await;
        let first = ada.post(CONNECT, &by_file("first")).await.expect(201);
        // A failure in passing keeps it.
        issuer.expire_tokens();
        issuer.tell(|known| known.failures = 1);
        let done = publish(&ada, "in passing").await;
        assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(2)), "{done:#}");
        issuer.tell(|known| known.keys.clear());
        issuer.expire_tokens();
        for text in ["lost", "lost as well"] {
            let post = json!({"platform": "robot", "content": text});
            if let Some(id) = ada.publish(&post, text).await.body["id"].as_str() {
                let done = ada.wait(id, &["published", "failed"]).await;
                assert_eq!(done["fault"]["kind"], "auth-expired", "{done:#}");
            }
        }
        let shown = connection(&ada).await;
        assert_eq!(shown["state"], "revoked", "{shown:#}");
        assert_eq!(shown["refresh_words"], "invalid_grant: Invalid JWT Signature. [redacted]");
        host.check_books().await;
        let told = mails(host.data.path());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("@robot") && told[0].contains("POST /social/connections/robot"), "{}", told[0]);
        issuer.tell(|known| drop(known.keys.insert("second".to_owned(), PUBLIC.to_owned())));
        let again = ada.post(CONNECT, &by_file("second")).await.expect(201);
        assert_eq!((&again["id"], again["state"].as_str()), (&first["id"], Some("active")));
        assert_eq!(publish(&ada, "healed").await["state"], "published");
    }
}

//! Connections that nobody can renew: who connects is told until when it lasts and what to do.

use super::{connection, lenient, mails, publish};
use crate::facebook::PERSON;
use crate::harness::{BOTH, Host, Person, Settings, component};
use orla::config::ConnectorConfig;
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::facebook;
use reqwest::Response;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;

/// Goes through the consent page; gives the callback's answer.
async fn called_back(host: &Host, person: &Person) -> Response {
    let begun = person.get("/social/oauth/twitter/auth").await;
    let cookie = begun.cookie.clone().unwrap();
    let url = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
    let callback = host.sim.authorize(&url, "orla_demo");
    person.http.get(callback).header("cookie", cookie).send().await.unwrap()
}

/// The page that ends connecting.
async fn page(host: &Host, person: &Person) -> String {
    let answer = called_back(host, person).await;
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

fn without_refresh_token() -> Settings {
    Settings { omit_refresh_token: true, ..lenient() }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_no_refresh_token_is_told_until_when_the_connection_lasts() {
    for backend in BOTH {
        let host = Host::start_with(backend, without_refresh_token(), |_| Memories::Pooled).await;
        let ada = host.person("ada").await;
        let earliest = host.app.now().after(Duration::from_secs(7_200));
        let told = page(&host, &ada).await;
        let latest = host.app.now().after(Duration::from_secs(7_200));
        let shown = connection(&ada).await;
        let ends_at: orla::clock::Timestamp = serde_json::from_value(shown["ends_at"].clone()).unwrap();
        assert!((earliest..=latest).contains(&ends_at), "{shown:#}");
        let words = shown["ends_words"].as_str().unwrap();
        let minute = shown["ends_at"].as_str().unwrap()[..16].replace('T', " ");
        for part in [&format!("lasts until {minute} UTC"), "GET /social/oauth/twitter/auth", "offline access"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert!(told.contains("@orla_demo is connected.") && told.contains(words), "{told}");
        let one = ada.get(&format!("/social/connections/{}", shown["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(one["ends_words"], shown["ends_words"]);
        // A web console is told as well.
        let mut config = host.app.config().clone();
        config.frontend_url = vec!["https://console.example.org/connected".parse().unwrap()];
        let host = host.again_with(config).await;
        let ada = Person { url: host.url.clone(), ..ada };
        let answer = called_back(&host, &ada).await;
        assert_eq!(answer.status(), 303);
        let location: url::Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        let ends = location.query_pairs().find(|(name, _)| name == "ends").unwrap().1.into_owned();
        assert!(ends.contains("lasts until"), "{location}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_refresh_token_that_serves_is_told_of_no_end() {
    for backend in BOTH {
        let host = Host::start_with(backend, lenient(), |_| Memories::Pooled).await;
        let ada = host.connected("ada", "twitter").await;
        let is_lasting = async || {
            let shown = connection(&ada).await;
            assert_eq!(shown["ends_at"].is_null(), shown["ends_words"].is_null(), "{shown:#}");
            shown["ends_at"].is_null()
        };
        assert!(is_lasting().await);
        // Connecting again gives none, and the one that is stored serves: it is used, and kept.
        host.sim.change(|settings| settings.omit_refresh_token = true);
        assert!(!page(&host, &ada).await.contains("lasts until"));
        assert!(is_lasting().await);
        for n in 0..2 {
            host.sim.expire_access_tokens();
            assert_eq!(publish(&ada, &format!("{n}")).await["state"], "published");
        }
        // One that the network has refused serves nobody.
        host.sim.revoke_all();
        let post = json!({"platform": "twitter", "content": "lost"});
        ada.published(&post, "lost", &["failed"]).await;
        assert_eq!(connection(&ada).await["state"], "revoked");
        assert!(page(&host, &ada).await.contains("lasts until"));
        assert!(!is_lasting().await);
        // Nor does one that another app minted.
        host.sim.change(|settings| settings.omit_refresh_token = false);
        page(&host, &ada).await;
        assert!(is_lasting().await);
        let own = json!({"client_id": "orla-demo", "client_secret": "orla-demo-secret"});
        ada.put("/social/apps/twitter", &own).await.expect(200);
        host.sim.change(|settings| settings.omit_refresh_token = true);
        assert!(page(&host, &ada).await.contains("lasts until"));
        assert!(!is_lasting().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_nobody_can_renew_ends_when_it_was_said_to_and_that_is_told() {
    for backend in BOTH {
        let settings = Settings { access_lifetime_s: 1, ..without_refresh_token() };
        let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
        let ada = host.connected("ada", "twitter").await;
        // The network's clock cannot be held.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let post = json!({"platform": "twitter", "content": "too late"});
        let failed: Value = ada.published(&post, "late", &["failed", "published"]).await;
        assert_eq!((&failed["state"], &failed["fault"]["kind"]), (&json!("failed"), &json!("auth-expired")));
        assert_eq!(connection(&ada).await["state"], "revoked");
        host.check_books().await;
        let told = mails(host.data.path());
        assert!(told.len() == 1 && told[0].contains("no refresh token"), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_renews_nothing_is_told_of_as_well() {
    for backend in BOTH {
        let vendor = facebook::Sim::start(facebook::Settings::default()).await;
        let (origin, known) = (vendor.origin(), vendor.settings());
        let host = Host::start_with(backend, lenient(), |config| {
            let app = ConnectorConfig {
                client_id: Some(known.app_id),
                client_secret: Some(SecretString::from(known.app_secret)),
                endpoints: ["web", "api"].map(|name| (name.to_owned(), origin.clone())).into(),
                ..ConnectorConfig::default()
            };
            config.connectors.insert("graph".to_owned(), app);
            Memories::Pooled
        })
        .await;
        vendor.register_redirect_uri(format!("{}/social/oauth/graph/callback", host.url));
        let wasm = std::fs::read(component("graph")).unwrap();
        let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
        assert_eq!(Box::pin(installing).await.unwrap().state, "active");
        let ada = host.person("ada").await;
        let begun = ada.get("/social/oauth/graph/auth").await;
        let cookie = begun.cookie.clone().unwrap();
        let callback = vendor.authorize(begun.expect(200)["auth_url"].as_str().unwrap(), PERSON);
        let told = ada.http.get(callback).header("cookie", cookie).send().await.unwrap().text().await.unwrap();
        let shown = connection(&ada).await;
        let words = shown["ends_words"].as_str().unwrap();
        assert!(words.contains("lets nobody renew") && words.contains("GET /social/oauth/graph/auth"), "{words}");
        assert!(told.contains(words) && shown["ends_at"].is_string(), "{told}");
    }
}

//! Connecting accounts, and keeping them connected.

use crate::harness::{Answer, BOTH, Fault, Host, Mode, Person, Settings, settings};
use orla::connectors::Memories;
use orla::on;
use serde_json::json;

/// Begins to connect, and gives the callback's URL and the cookie.
async fn begun(host: &Host, person: &Person) -> (url::Url, String) {
    let begun = person.get("/social/oauth/twitter/auth").await;
    let cookie = begun.cookie.clone().unwrap();
    let url = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
    (host.sim.authorize(&url, "orla_demo"), cookie)
}

async fn call_back(person: &Person, url: url::Url, cookie: Option<&str>) -> (u16, String) {
    let mut request = person.http.get(url);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn connections(person: &Person) -> usize {
    person.get("/social/connections").await.expect(200)["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_serves_once_and_in_one_browser() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, mallory) = (host.person("ada").await, host.person("mallory").await);
        // A link that Mallory began, opened by Ada: her browser has no cookie of his, or one of her own.
        let (url, _) = begun(&host, &mallory).await;
        let (status, page) = call_back(&ada, url, None).await;
        assert!(status == 403 && page.contains("another browser"), "{status} {page}");
        let (url, _) = begun(&host, &mallory).await;
        let (_, cookie) = begun(&host, &ada).await;
        assert_eq!(call_back(&ada, url, Some(&cookie)).await.0, 403);
        assert_eq!((connections(&ada).await, connections(&mallory).await), (0, 0));
        // The right browser, once.
        let (url, cookie) = begun(&host, &ada).await;
        assert_eq!(call_back(&ada, url.clone(), Some(&cookie)).await.0, 200);
        let (status, page) = call_back(&ada, url, Some(&cookie)).await;
        assert!(status == 409 && page.contains("Begin again"), "{status} {page}");
        assert_eq!(connections(&ada).await, 1);
        // One that took too long.
        let (url, cookie) = begun(&host, &ada).await;
        let older = "update oauth_states set expires_at = expires_at - 600000001 where used_at is null";
        let mut tx = host.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(older).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        let (status, page) = call_back(&ada, url, Some(&cookie)).await;
        assert!(
            status == 409 && page.contains("more than ten minutes") && page.contains("Begin again"),
            "{status} {page}"
        );
        assert_eq!(connections(&ada).await, 1);
        // A state that nobody gave out.
        let made_up = format!("{}/social/oauth/twitter/callback?state=abc&code=def", host.url);
        assert_eq!(call_back(&ada, made_up.parse().unwrap(), Some(&cookie)).await.0, 409);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_consent_and_a_failing_network_are_told() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let begun_answer = ada.get("/social/oauth/twitter/auth").await;
        let cookie = begun_answer.cookie.clone().unwrap();
        let url = begun_answer.expect(200)["auth_url"].as_str().unwrap().to_owned();
        let (status, page) = call_back(&ada, host.sim.deny(&url, "orla_demo"), Some(&cookie)).await;
        assert!(status == 409 && page.contains("did not agree"), "{status} {page}");
        host.sim.fault(Fault::on("POST", "/2/oauth2/token", Mode::status(500)));
        let (url, cookie) = begun(&host, &ada).await;
        let (status, page) = call_back(&ada, url, Some(&cookie)).await;
        assert!(
            status == 502 && page.contains("did not answer as it should") && page.contains("Begin again"),
            "{page}"
        );
        host.sim.change(|settings| settings.code_lifetime_s = 0);
        let (url, cookie) = begun(&host, &ada).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let (status, page) = call_back(&ada, url, Some(&cookie)).await;
        assert!(status == 409 && page.contains("no longer valid") && page.contains("Begin again"), "{status} {page}");
        assert_eq!(connections(&ada).await, 0);
        ada.get("/social/oauth/myspace/auth").await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_that_is_not_registered_is_told_with_who_registers_it() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let uri = format!("{}/social/oauth/twitter/callback", host.url);
        let own = json!({"client_id": "orla-demo", "client_secret": "orla-demo-secret"});
        for who in ["the operator of this server", "whoever made this app for your workspace"] {
            let (url, cookie) = begun(&host, &ada).await;
            host.sim.change(|settings| settings.redirect_uris.clear());
            let (status, page) = call_back(&ada, url, Some(&cookie)).await;
            assert_eq!(status, 409, "{page}");
            for words in [who, "the app orla-demo", "Value passed for the redirect uri", &format!("there: {uri} Then")]
            {
                assert!(page.contains(words), "{words}: {page}");
            }
            host.sim.register_redirect_uri(&uri);
            ada.put("/social/apps/twitter", &own).await.expect(200);
        }
        assert_eq!(connections(&ada).await, 0);
        ada.connect(&host.sim, "twitter", "orla_demo").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_again_keeps_the_connection_and_its_id() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let first = ada.get("/social/connections").await.expect(200);
        ada.connect(&host.sim, "twitter", "orla_demo").await;
        let second = ada.get("/social/connections").await.expect(200);
        assert_eq!(first["items"][0]["id"], second["items"][0]["id"]);
        ada.connect(&host.sim, "twitter", "second_account").await;
        let ambiguous = ada.publish(&json!({"platform": "twitter", "content": "where?"}), "k").await;
        ambiguous.refused(409, "ambiguous_target");
        let id = second["items"][0]["id"].clone();
        let named = json!({"platform": "twitter", "content": "here", "connection_id": id});
        let done = ada.published(&named, "k2", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(host.sim.posts()[0].author, "orla_demo");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_publications_with_an_expired_token_refresh_it_once() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        host.sim.expire_access_tokens();
        let before = host.sim.counts()["POST /2/oauth2/token"];
        let wishes = (0..50).map(|n| {
            let ada = ada.clone();
            tokio::spawn(async move {
                let post = json!({"platform": "twitter", "content": format!("post {n}")});
                ada.published(&post, &format!("key {n}"), &["published", "failed"]).await
            })
        });
        for wish in wishes.collect::<Vec<_>>() {
            let done = wish.await.unwrap();
            assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(1)), "{done:#}");
        }
        assert_eq!(host.sim.counts()["POST /2/oauth2/token"] - before, 1, "one refresh");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_failure_of_the_refresh_keeps_the_connection_and_a_revocation_ends_it() {
    for (backend, refresh_refusal) in BOTH.into_iter().zip(["invalid_grant", "invalid_request"]) {
        // X does not keep to the standard's word for it.
        let refresh_refusal = refresh_refusal.to_owned();
        let settings = Settings { access_lifetime_s: 1, refresh_refusal, ..settings() };
        let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
        let ada = host.connected("ada", "twitter").await;
        // A token that still serves would be used.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        host.sim.fault(Fault::on("POST", "/2/oauth2/token", Mode::status(500)));
        let post = json!({"platform": "twitter", "content": "survives"});
        let done = ada.published(&post, "k", &["published", "failed"]).await;
        assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(2)), "{done:#}");
        host.sim.revoke_all();
        let post = json!({"platform": "twitter", "content": "does not"});
        let done = ada.published(&post, "k2", &["published", "failed"]).await;
        assert_eq!(
            (done["state"].as_str(), done["fault"]["kind"].as_str()),
            (Some("failed"), Some("auth-expired")),
            "{done:#}"
        );
        let list = ada.get("/social/connections").await.expect(200);
        assert_eq!(list["items"][0]["state"], "revoked");
        ada.publish(&post, "k3").await.refused(409, "connection_revoked");
        // Connecting again heals it.
        ada.connect(&host.sim, "twitter", "orla_demo").await;
        let healed =
            ada.published(&json!({"platform": "twitter", "content": "again"}), "k4", &["published", "failed"]).await;
        assert_eq!(healed["state"], "published", "{healed:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_rotate_end_and_refuse_what_is_not_theirs() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let refresh = async |token: &str| {
            let body = json!({"refresh_token": token});
            Answer::of(ada.http.post(format!("{}/auth/refresh", host.url)).json(&body).send().await.unwrap()).await
        };
        let rotated = refresh(&ada.refresh_token).await.expect(200);
        refresh(&ada.token).await.refused(401, "unauthenticated");
        let mut with_refresh = ada.clone();
        with_refresh.token = rotated["refresh_token"].as_str().unwrap().to_owned();
        with_refresh.get("/auth/me").await.refused(401, "unauthenticated");
        let mut renewed = ada.clone();
        renewed.token = rotated["access_token"].as_str().unwrap().to_owned();
        renewed.get("/auth/me").await.expect(200);
        let out = renewed.post("/auth/logout", &json!({})).await;
        assert!(out.status.is_success(), "{}", out.body);
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        renewed.get("/auth/me").await.refused(401, "unauthenticated");
        refresh(rotated["refresh_token"].as_str().unwrap()).await.refused(401, "unauthenticated");
    }
}

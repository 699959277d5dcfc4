//! Tenants do not see each other, and strangers see nothing: a walk over the OpenAPI document.

use crate::harness::{BOTH, Host, Person, client};
use orla::clock::{Clock, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Routes that need no token, each for its reason.
const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/auth/register"),
    ("POST", "/auth/verify-email"),
    ("GET", "/auth/verify-email"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("GET", "/social/oauth/{platform}/callback"),
    ("GET", "/cloud-storage/oauth/{provider}/callback"),
    // Signed by Stripe, and a page for whoever comes from there.
    ("POST", "/payment/stripe/webhook"),
    ("GET", "/payment/return"),
    // With a token of its own, which networks are given.
    ("GET", "/media/{token}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    // With a token of its own, which no person has.
    ("GET", "/metrics"),
];

/// Every operation of the document: method, path, and what it says of itself.
async fn operations(host: &Host) -> Vec<(Method, String, Value)> {
    let document: Value =
        client().get(format!("{}/openapi.json", host.url)).send().await.unwrap().json().await.unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push((method, path.clone(), operation.clone()));
        }
    }
    assert!(operations.len() >= 20, "{operations:?}");
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_everywhere_but_on_the_public_routes() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        for (method, path, operation) in operations(&host).await {
            if PUBLIC.contains(&(method.as_str(), path.as_str())) {
                continue;
            }
            assert!(operation["security"].is_array(), "{method} {path} documents no security");
            let url = format!(
                "{}{}",
                host.url,
                path.replace("{id}", &uuid::Uuid::now_v7().to_string()).replace("{platform}", "twitter")
            );
            for token in [None, Some("garbage"), Some("eyJhbGciOiJub25lIn0.e30.")] {
                let mut request = client().request(method.clone(), &url).json(&json!({}));
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 401, "{method} {path} with {token:?}");
                let body: Value = response.json().await.unwrap();
                assert_eq!(body["code"], "unauthenticated", "{method} {path}");
            }
        }
    }
}

/// An hour from now.
fn soon() -> Timestamp {
    Clock::System.now().after(Duration::from_secs(3_600))
}

/// Every id in an answer.
fn ids(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if uuid::Uuid::parse_str(text).is_ok() => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        Value::Object(members) => members.values().for_each(|member| ids(member, found)),
        _ => {}
    }
}

/// What a tenant can list.
const LISTS: [&str; 10] = [
    "/social/connections",
    "/schedules",
    "/social/publications",
    "/social-caption/generations",
    "/ai/video",
    "/credits/transactions",
    "/webhooks",
    "/events",
    "/posts",
    "/drafts",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_id_of_one_tenant_works_for_another() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        host.grant(ada.workspace, 15).await;
        ada.post("/webhooks", &json!({"url": format!("{}/hooks", host.sim.origin())})).await.expect(201);
        ada.post("/social-caption/generate", &json!({"topic": "mine"})).await.expect(200);
        ada.published(&json!({"platform": "twitter", "content": "mine"}), "k", &["published"]).await;
        let shared = json!({"content": "mine too", "variants": [{"platform": "twitter"}]});
        let later = json!({"publish_at": soon(), "content": "mine", "variants": [{"platform": "twitter"}]});
        ada.post("/posts", &later).await.expect(202);
        ada.post("/drafts", &json!({"name": "mine", "post": shared})).await.expect(201);
        let post = json!({"platform": "twitter", "content": "mine each day"});
        let today = format!("{}T00:00:00", &json!(Clock::System.now()).as_str().unwrap()[..10]);
        let each_day = json!({"post": post, "rule": "FREQ=DAILY", "zone": "UTC", "starts_at": today});
        let schedule = ada.post("/schedules", &each_day).await.expect(201)["id"].as_str().unwrap().to_owned();
        let import = json!([{"platform": "twitter", "content": "mine", "publish_at": "next_free_slot"}]);
        let import = ada.post("/social/import", &import).await.expect(202);
        let mallory: Person = host.connected("mallory", "twitter").await;
        let mut known = vec![ada.workspace.to_string()];
        ids(&import, &mut known);
        ids(&ada.get(&format!("/schedules/{schedule}/occurrences")).await.expect(200), &mut known);
        for path in LISTS.into_iter().chain(["/auth/me"]) {
            ids(&ada.get(path).await.expect(200), &mut known);
        }
        known.sort();
        known.dedup();
        assert!(known.len() >= 4, "{known:?}");
        for (method, path, _) in operations(&host).await.into_iter().filter(|(_, path, _)| path.contains("{id}")) {
            for id in &known {
                // The first version of a draft is one of Ada's too.
                let path = path.replace("{id}", id).replace("{version}", "1");
                let body = match (&method, path.split('/').next_back()) {
                    (_, Some("publish" | "restore")) => json!({"version": 1}),
                    (_, Some("retry")) => json!({}),
                    (&Method::PUT, Some("slots")) => json!({"zone": "UTC", "slots": []}),
                    (&Method::PUT, _) if path.starts_with("/drafts") => json!({"name": "yours", "version": 1}),
                    (&Method::PUT, _) => json!({"targets": []}),
                    (&Method::PATCH, _) if path.starts_with("/schedules/") => json!({"name": "mine"}),
                    (&Method::PATCH, _) => json!({"publish_at": soon()}),
                    _ => json!({"key": "part/0", "outcome": "not_published"}),
                };
                let path = path.replace("{id}", id);
                let has_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
                let answer = mallory.call(method.clone(), &path, has_body.then_some(&body)).await;
                answer.refused(404, "not_found");
            }
        }
        // Neither do ids in bodies, and lists show only one's own.
        let connection = ada.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
        let post = json!({"platform": "twitter", "content": "yours", "connection_id": connection});
        mallory.publish(&post, "k").await.refused(404, "not_found");
        for path in &LISTS[1..] {
            assert!(mallory.get(path).await.expect(200)["items"].as_array().unwrap().is_empty());
        }
        // Ada's things are as they were.
        ada.get(&format!("/social/connections/{}", connection.as_str().unwrap())).await.expect(200);
        let shared = json!({"content": "yours", "variants": [{"connection_id": connection}]});
        mallory.post("/posts", &shared).await.refused(422, "invalid_input");
        let draft = mallory.post("/drafts", &json!({"post": shared})).await.expect(201);
        assert_eq!(draft["problems"][0]["detail"], "There is no such connection.", "{draft:#}");
        assert_eq!(host.sim.posts().len(), 1);
    }
}

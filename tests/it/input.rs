//! Bad input to every route: a clear refusal, never a failure of ours.

use crate::harness::{Answer, BOTH, Host, client};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

/// Asserts a 4xx of the API's shape.
#[track_caller]
fn is_refused(answer: &Answer, what: &str) {
    assert!(answer.status.is_client_error(), "{what}: {} {}", answer.status, answer.body);
    let told = answer.body["detail"].is_string() && answer.body["code"].is_string();
    assert!(told || answer.body.as_str().is_some_and(|page| page.starts_with("<!doctype")), "{what}: {}", answer.body);
}

/// The document, and a path of it with plausible parameters.
async fn operations(host: &Host) -> Vec<(Method, String, bool)> {
    let document: Value =
        client().get(format!("{}/openapi.json", host.url)).send().await.unwrap().json().await.unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push((method, path.clone(), operation["requestBody"].is_object()));
        }
    }
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused_by_every_route_that_takes_one() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let huge = format!("{{\"email\":\"{}\"}}", "a".repeat(10 << 20)).into_bytes();
        let bodies: &[(&str, &str, Vec<u8>)] = &[
            ("no JSON", "application/json", b"{".to_vec()),
            ("empty", "application/json", Vec::new()),
            ("a list", "application/json", b"[]".to_vec()),
            ("null", "application/json", b"null".to_vec()),
            ("an unknown member", "application/json", b"{\"surprise\": 1}".to_vec()),
            (
                "wrong types",
                "application/json",
                br#"{"email":1,"password":[],"token":{},"refresh_token":1,"platform":{},"key":3}"#.to_vec(),
            ),
            ("invalid UTF-8", "application/json", b"{\"email\":\"\xff\xfe\"}".to_vec()),
            ("deep nesting", "application/json", "[".repeat(200_000).into_bytes()),
            ("another type", "text/plain", b"hello".to_vec()),
            ("10 MB", "application/json", huge),
        ];
        for (method, path, takes_body) in operations(&host).await.into_iter().filter(|(_, _, takes)| *takes) {
            assert!(takes_body);
            let url = format!("{}{}", host.url, path.replace("{id}", &uuid::Uuid::now_v7().to_string()));
            for (what, content_type, body) in bodies {
                let request = client()
                    .request(method.clone(), &url)
                    .bearer_auth(&ada.token)
                    .header("content-type", *content_type);
                let Ok(response) = request.body(body.clone()).send().await else {
                    // The server may close the connection on a body that it does not read to its end.
                    assert_eq!(*what, "10 MB", "{method} {path}");
                    continue;
                };
                is_refused(&Answer::of(response).await, &format!("{method} {path} with {what}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_paths_and_queries_are_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        for path in [
            "/social/publications/not-an-id",
            "/social/publications/%ff",
            "/social/publications/00000000-0000-0000-0000-000000000000",
            "/social/connections/'%20or%201=1",
            "/social/oauth/..%2f..%2fetc/auth",
            "/social/oauth/%00/auth",
            "/social/publications?limit=0",
            "/social/publications?limit=1000000",
            "/social/publications?limit=x",
            "/social/publications?cursor=x",
            "/social/publications?surprise=1",
            "/credits/transactions?cursor=%00",
            "/credits/transactions?limit=-1",
            "/auth/verify-email?token=x",
            "/nothing/here",
        ] {
            is_refused(&ada.get(path).await, path);
        }
        is_refused(&ada.call(Method::PUT, "/auth/me", None).await, "PUT /auth/me");
        is_refused(&ada.call(Method::DELETE, "/credits/balance", None).await, "DELETE /credits/balance");
        let callback =
            client().get(format!("{}/social/oauth/twitter/callback?state=%ff&code=1", host.url)).send().await.unwrap();
        assert!(callback.status().is_client_error(), "{}", callback.status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_make_no_sense_are_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        for (what, post) in [
            ("an unknown platform", json!({"platform": "myspace", "content": "hi"})),
            ("no text and no media", json!({"platform": "twitter"})),
            ("blank text", json!({"platform": "twitter", "content": "   "})),
            ("text over the limit", json!({"platform": "twitter", "content": "a".repeat(281)})),
            ("text far over the limit", json!({"platform": "twitter", "content": "a".repeat(200_000)})),
            ("a zero byte", json!({"platform": "twitter", "content": "a\u{0}b"})),
            ("both shapes", json!({"platform": "twitter", "content": "a", "parts": [{"text": "b"}]})),
            ("too many parts", json!({"platform": "twitter", "parts": vec![json!({"text": "x"}); 101]})),
            (
                "a long second part",
                json!({"platform": "twitter", "parts": [{"text": "ok"}, {"text": "a".repeat(281)}]}),
            ),
        ] {
            let answer = ada.publish(&post, what).await;
            assert_eq!(answer.status, 422, "{what}: {}", answer.body);
            is_refused(&answer, what);
        }
        ada.publish(&json!({"platform": "twitter", "content": "hi"}), &"k".repeat(300))
            .await
            .refused(400, "malformed_request");
        assert!(host.sim.posts().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_are_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let parts: Vec<&str> = ada.token.split('.').collect();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = format!("{}.{}.", encode(&json!({"alg": "none", "typ": "JWT"})), parts[1]);
        let mut admin = claims.clone();
        admin["role"] = json!("system_admin");
        let tampered = format!("{}.{}.{}", parts[0], encode(&admin), parts[2]);
        let key = jsonwebtoken::EncodingKey::from_secret(b"not the key");
        let foreign = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        for (what, token) in [
            ("alg none", none),
            ("tampered claims", tampered),
            ("a foreign key", foreign),
            ("a cut signature", ada.token[..ada.token.len() - 4].to_owned()),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("nothing", String::new()),
        ] {
            let mut forged = ada.clone();
            forged.token = token;
            let answer = forged.get("/auth/me").await;
            assert_eq!(answer.status, 401, "{what}");
            is_refused(&answer, what);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let payload = ada.token.split('.').nth(1).unwrap();
        let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        claims["exp"] = json!(host.app.now().seconds() - 1);
        let key = jsonwebtoken::EncodingKey::from_secret(&*host.app.vault().derive("orla/v1/jwt"));
        let expired = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        let mut late = ada.clone();
        late.token = expired;
        late.get("/auth/me").await.refused(401, "unauthenticated");
    }
}

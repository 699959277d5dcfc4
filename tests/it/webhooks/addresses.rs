//! Events go to the public Internet: what leads inside is refused when it is entered, and again whenever something is sent.

use super::receiver::Receiver;
use super::{deliveries, endpoint, host, path, settled};
use crate::harness::{BOTH, Host, Person};
use orla::on;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_inside_is_refused_when_it_is_entered() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        let port = host.url.rsplit(':').next().unwrap();
        for url in [
            "http://example.com/hook".to_owned(),
            format!("http://127.0.0.1:{port}/healthz"),
            format!("https://127.0.0.1:{port}/healthz"),
            format!("https://localhost:{port}/healthz"),
            "https://localhost/".to_owned(),
            "https://10.0.0.1/".to_owned(),
            "https://[::1]/".to_owned(),
            "https://169.254.169.254/latest/meta-data/".to_owned(),
            "https://93.184.216.34/".to_owned(),
            "https://user:password@example.com/".to_owned(),
            "https://example.com:25/".to_owned(),
            "ftp://example.com/".to_owned(),
            "file:///etc/passwd".to_owned(),
            "example.com/hook".to_owned(),
            format!("https://example.com/{}", "x".repeat(2_000)),
            String::new(),
        ] {
            let answer = ada.post("/webhooks", &json!({"url": url})).await;
            assert_eq!(answer.body["field"], "url", "{url}: {}", answer.body);
            answer.refused(422, "invalid_input");
            let moved = ada.call(Method::PATCH, &path(&hook, ""), Some(&json!({"url": url}))).await;
            moved.refused(422, "invalid_input");
        }
        assert_eq!(ada.get("/webhooks").await.expect(200)["items"].as_array().unwrap().len(), 1);
    }
}

/// What came of a test of the endpoint.
async fn tested(host: &Host, person: &Person, hook: &Value) -> Value {
    person.post(&path(hook, "/test"), &json!({})).await.expect(202);
    settled(host).await;
    deliveries(person, hook, "?limit=1").await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_come_to_lead_inside_is_not_called() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let hook = endpoint(&ada, &receiver, &[]).await;
        assert_eq!(tested(&host, &ada, &hook).await["state"], "delivered");
        // A name that was public when it was entered, and is not any more: as a rebinding one.
        let port = receiver.address.rsplit(':').next().unwrap();
        let statement = "update webhook_endpoints set url = $1";
        let mut tx = host.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(statement).bind(format!("https://localhost:{port}/"))
            .execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        let refused = tested(&host, &ada, &hook).await;
        assert!(refused["words"].as_str().unwrap().contains("not on the public Internet"), "{refused:#}");
        assert_eq!((&refused["state"], &refused["status"]), (&json!("failed"), &Value::Null));
        // What the operator allowed, and does not any more.
        ada.call(Method::PATCH, &path(&hook, ""), Some(&json!({"url": receiver.url()}))).await.expect(200);
        assert_eq!(tested(&host, &ada, &hook).await["state"], "delivered");
        let mut config = host.app.config().clone();
        config.egress_allow.retain(|allowed| *allowed != receiver.address);
        let host = host.again_with(config).await;
        let ada = Person { url: host.url.clone(), ..ada };
        let refused = tested(&host, &ada, &hook).await;
        assert!(refused["words"].as_str().unwrap().contains("must begin with https://"), "{refused:#}");
        assert_eq!(receiver.got().len(), 2);
    }
}

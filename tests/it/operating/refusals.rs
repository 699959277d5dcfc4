//! Bad input to the operators' routes: a sentence that names cause and cure, and nothing is changed.

use super::{Stage, altered, probe};
use crate::harness::{Answer, BOTH};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_may_do_this() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        for (method, path) in [
            (Method::GET, "/admin/connectors"),
            (Method::POST, "/admin/connectors"),
            (Method::POST, "/admin/connectors/inspect"),
            (Method::GET, "/admin/connectors/doctor"),
            (Method::GET, "/admin/connectors/probe"),
            (Method::DELETE, "/admin/connectors/probe"),
            (Method::POST, "/admin/connectors/probe/activate"),
            (Method::POST, "/admin/connectors/probe/rollback"),
            (Method::POST, "/admin/connectors/probe/disable"),
            (Method::POST, "/admin/connectors/probe/enable"),
            (Method::PUT, "/admin/connectors/probe/grant"),
        ] {
            stage.ada.call(method, path, Some(&json!({}))).await.refused(403, "forbidden");
        }
    }
}

/// All that an operator sees.
async fn seen(stage: &Stage) -> Value {
    let mut seen = vec![stage.operator.get("/admin/connectors").await.expect(200)];
    for id in ["openai", "probe", "x"] {
        seen.push(stage.operator.get(&format!("/admin/connectors/{id}")).await.expect(200));
    }
    Value::from(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_changes_nothing() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let before = seen(&stage).await;
        let component = probe(&stage.host);
        for path in ["/admin/connectors", "/admin/connectors/inspect"] {
            let module = wat::parse_str("(module)").unwrap();
            let lies = altered(&component, "https://api.x.com", "https://api x com");
            for bytes in [Vec::new(), b"text".to_vec(), component[..9_000].to_vec(), module, lies] {
                let answer = stage.operator.upload(path, bytes).await;
                assert!(answer.body["detail"].as_str().unwrap().starts_with("This is no connector"), "{}", answer.body);
                answer.refused(422, "invalid_input");
            }
            stage.operator.upload(path, vec![0; 33 << 20]).await.refused(413, "body_too_large");
            stage.operator.post(path, &json!({})).await.refused(415, "unsupported_media_type");
        }
        for query in ["?then=never", "?consent=maybe", "?unknown=1"] {
            let path = format!("/admin/connectors{query}");
            stage.operator.upload(&path, component.clone()).await.refused(400, "malformed_request");
        }
        for verb in ["activate", "rollback", "disable", "enable"] {
            let body = json!({"release": "0.1.0"});
            let path = format!("/admin/connectors/absent/{verb}");
            stage.operator.post(&path, &body).await.refused(404, "not_found");
        }
        let activate = |body: Value| async {
            let body = body;
            stage.operator.post("/admin/connectors/probe/activate", &body).await
        };
        activate(json!({"release": "9.9.9"})).await.refused(404, "not_found");
        activate(json!({"release": ""})).await.refused(404, "not_found");
        activate(json!({"release": "abc"})).await.refused(404, "not_found");
        activate(json!({})).await.refused(400, "malformed_request");
        activate(json!({"release": "0.1.0", "consent": true})).await.refused(400, "malformed_request");
        let answer: Answer = stage.operator.post("/admin/connectors/probe/rollback", &json!({})).await;
        answer.refused(409, "no_previous_release");
        let grant = |body: Value| async {
            let body = body;
            stage.operator.call(Method::PUT, "/admin/connectors/probe/grant", Some(&body)).await
        };
        grant(json!([{"ask": "everything"}])).await.refused(400, "malformed_request");
        grant(json!([{"ask": "limit", "of": "fuel", "amount": -1}])).await.refused(400, "malformed_request");
        grant(json!([])).await.refused(422, "invalid_input");
        stage.operator.get("/admin/connectors/doctor?id=absent").await.refused(404, "not_found");
        stage.operator.call(Method::DELETE, "/admin/connectors/absent", None).await.refused(404, "not_found");
        assert_eq!(seen(&stage).await, before);
    }
}

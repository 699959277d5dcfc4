//! What Dropbox does not take.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, Caller, bad_input, body, sent, text};

#[tokio::test]
async fn the_argument_of_a_call_is_closed() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    for (argument, words) in [
        (json!({ "path": "", "folder": "x" }), "unknown field `folder`"),
        (json!({ "path": "/" }), "Specify the root folder as an empty string rather than as \"/\"."),
        (json!({ "path": "Brand" }), "did not match pattern"),
        (json!({ "path": null }), "invalid type: null"),
        (json!({ "path": 1 }), "invalid type: integer"),
        (json!({}), "missing field `path`"),
        (json!({ "path": "", "limit": 0 }), "[1, 2000]"),
        (json!({ "path": "", "limit": 2_001 }), "[1, 2000]"),
        (json!({ "path": "", "limit": "5" }), "invalid type: string"),
        (json!({ "path": "", "recursive": "true" }), "invalid type: string"),
        (json!({ "path": "", "shared_link": { "url": "x" } }), "The simulator is strict"),
        (json!({ "path": "rev:0123456789" }), "did not match pattern"),
    ] {
        let said = bad_input(caller.call("files/list_folder", &argument)).await;
        assert!(said.starts_with("Error in call to API function \"files/list_folder\": "), "{said}");
        assert!(said.contains(words), "{argument}: {said}");
    }
    let raw = |content: &'static str| {
        caller.post("files/list_folder").header("content-type", "application/json").body(content)
    };
    for content in ["", "{", "{\"path\":\"\",}", "{\"path\":\"\"} x"] {
        assert!(bad_input(raw(content)).await.contains("could not decode input as JSON"), "{content}");
    }
    assert!(bad_input(raw("{\"path\":\"\",\"path\":\"\"}")).await.contains("duplicate field"));
    let form = bad_input(caller.post("files/list_folder").form(&[("path", "")])).await;
    assert!(form.contains("Bad HTTP \"Content-Type\" header: \"application/x-www-form-urlencoded\""), "{form}");
    assert_eq!(bench.sim.tally().lists, 0);
}

#[tokio::test]
async fn a_call_without_an_argument_has_no_body_or_null() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let me = || caller.post("users/get_current_account");
    let answer = body(sent(me()).await, StatusCode::OK).await;
    assert_eq!((&answer["name"]["given_name"], &answer["email"]), (&json!("Orla"), &json!("orla_demo@example.com")));
    assert_eq!(text(&answer["account_id"]).len(), 40);
    assert_eq!(answer["root_info"]["root_namespace_id"], answer["root_info"]["home_namespace_id"]);
    assert_eq!(body(sent(me().json(&Value::Null)).await, StatusCode::OK).await, answer);
    for wrong in [me().json(&json!({})), me().body("null").header("content-type", "text/plain"), me().body("{}")] {
        bad_input(wrong).await;
    }
    let empty = bad_input(me().header("content-type", "application/json")).await;
    assert!(empty.contains("request body: could not decode input as JSON"), "{empty}");
    bad_input(caller.post("auth/token/revoke").json(&json!({}))).await;
    assert_eq!(bench.sim.tally().revocations, 0);
}

#[tokio::test]
async fn a_token_must_be_there_and_known_and_of_the_scope() {
    let bench = Bench::start().await;
    let list = || bench.http.post(bench.url("/2/files/list_folder")).json(&json!({ "path": "" }));
    assert!(bad_input(list()).await.contains("Must provide HTTP header \"Authorization\""));
    assert!(bad_input(list().basic_auth("orla-demo", Some("x"))).await.contains("Expecting \"Bearer"));
    let unknown = body(sent(list().bearer_auth("sl.u.made-up")).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(
        unknown,
        json!({
            "error_summary": "invalid_access_token/..", "error": { ".tag": "invalid_access_token" },
        })
    );

    let url = bench.authorize_url_with(&[("scope", "account_info.read")]);
    let code = crate::parameter(&bench.sim.authorize(&url, "orla_demo"), "code");
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", crate::CALLBACK)];
    let tokens = body(bench.token_request(&form).await, StatusCode::OK).await;
    let caller = Caller { bench: &bench, token: text(&tokens["access_token"]) };
    for (function, scope) in [
        ("files/list_folder", "files.metadata.read"),
        ("files/search_v2", "files.metadata.read"),
        ("files/get_metadata", "files.metadata.read"),
        ("files/download", "files.content.read"),
        ("files/get_temporary_link", "files.content.read"),
    ] {
        let refusal = body(sent(caller.post(function)).await, StatusCode::UNAUTHORIZED).await;
        assert_eq!(refusal["error"], json!({ ".tag": "missing_scope", "required_scope": scope }), "{function}");
    }
    let me = sent(caller.post("users/get_current_account")).await;
    assert!(!me.headers()["x-dropbox-request-id"].is_empty());
    assert_eq!(me.status(), StatusCode::OK);
    bench.sim.expire_access_tokens();
    let expired = body(sent(caller.post("users/get_current_account")).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(expired["error"][".tag"], "expired_access_token");
}

#[tokio::test]
async fn paths_lead_to_what_is_there() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let list =
        async |path: &str| text(&caller.conflict("files/list_folder", &json!({ "path": path })).await["path"][".tag"]);
    assert_eq!(list("/nowhere").await, "not_found");
    assert_eq!(list("/wave.gif").await, "not_folder");
    assert_eq!(list("/brand//x").await, "malformed_path");
    assert_eq!(list("id:nobody").await, "not_found");
    assert_eq!(list("ns:1/x").await, "not_found");
    let root = bad_input(caller.call("files/get_metadata", &json!({ "path": "" }))).await;
    assert!(root.contains("The root folder is unsupported."), "{root}");
    bad_input(caller.call("files/get_metadata", &json!({ "path": "/x", "include_deleted": true }))).await;
}

#[tokio::test]
async fn functions_and_methods_are_few() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let unknown = bad_input(caller.call("files/upload", &json!({}))).await;
    assert_eq!(unknown, "Error in call to API function \"files/upload\": Unknown API function.");
    let url = bench.url("/2/files/list_folder");
    bad_input(bench.http.request(Method::GET, &url).bearer_auth(&caller.token)).await;
    bad_input(caller.call("files/list_folder", &json!({ "path": "" })).query(&[("limit", "5")])).await;
    assert_eq!(sent(bench.http.get(bench.url("/nowhere"))).await.status(), StatusCode::NOT_FOUND);
}

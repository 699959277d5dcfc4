//! Codes, access tokens and refresh tokens.

use orla_vendors::dropbox::{Kind, RefreshTokens, Settings, TokenFailure};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{Bench, CALLBACK, CHALLENGE, Caller, VERIFIER, body, parameter, sent, text};

impl Bench {
    fn me(&self, tokens: &Value) -> RequestBuilder {
        let caller = Caller { bench: self, token: text(&tokens["access_token"]) };
        caller.post("users/get_current_account")
    }

    /// What `users/get_current_account` says against an access token; nothing if it has nothing against it.
    async fn objection(&self, tokens: &Value) -> Value {
        let response = sent(self.me(tokens)).await;
        if response.status() == StatusCode::OK {
            return Value::Null;
        }
        body(response, StatusCode::UNAUTHORIZED).await["error"][".tag"].take()
    }

    /// What is said against a request for tokens.
    async fn refused(&self, form: &[(&str, &str)]) -> (String, String) {
        let refusal = body(self.token_request(form).await, StatusCode::BAD_REQUEST).await;
        (text(&refusal["error"]), text(&refusal["error_description"]))
    }
}

fn with<'a>(redirect_uri: &'a str, verifier: &'a str) -> [(&'static str, &'a str); 3] {
    [("grant_type", "authorization_code"), ("redirect_uri", redirect_uri), ("code_verifier", verifier)]
}

fn grant(description: &str) -> (String, String) {
    ("invalid_grant".to_owned(), description.to_owned())
}

#[tokio::test]
async fn offline_access_lasts_and_a_refresh_brings_no_new_refresh_token() {
    let bench = Bench::start().await;
    let tokens = bench.tokens().await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(14_400)));
    assert!(text(&tokens["access_token"]).starts_with("sl.u."));
    assert_eq!(bench.objection(&tokens).await, Value::Null);
    bench.sim.advance(4 * 3_600);
    assert_eq!(bench.objection(&tokens).await, "expired_access_token");
    for _ in 0..2 {
        let refreshed = body(bench.refresh(&text(&tokens["refresh_token"])).await, StatusCode::OK).await;
        let names: Vec<&String> = refreshed.as_object().unwrap().keys().collect();
        assert_eq!(names, ["access_token", "expires_in", "token_type"]);
        assert_eq!(bench.objection(&refreshed).await, Value::Null);
    }
    let tally = bench.sim.tally();
    assert_eq!((tally.exchanges, tally.refreshes, tally.revocations), (1, 2, 0));
}

#[tokio::test]
async fn a_code_wants_its_verifier_its_redirect_uri_and_a_client_and_is_good_for_once() {
    let bench = Bench::start().await;
    let code = bench.code();
    let fresh = async |form: &[(&str, &str)]| {
        let code = bench.code();
        bench.refused(&[form, &[("code", code.as_str())]].concat()).await
    };
    assert_eq!(fresh(&with(CALLBACK, &"x".repeat(43))).await, grant("invalid code verifier"));
    assert_eq!(fresh(&with("http://127.0.0.1:8000/", VERIFIER)).await, grant("redirect_uri mismatch"));
    assert_eq!(fresh(&with(CALLBACK, "")).await.0, "invalid_request");
    assert_eq!(fresh(&[("grant_type", "password")]).await.0, "unsupported_grant_type");
    assert_eq!(fresh(&[("grant_type", "authorization_code"), ("resource", "x")]).await.0, "invalid_request");

    let tokens = body(bench.exchange(&code).await, StatusCode::OK).await;
    let again = body(bench.exchange(&code).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(again["error_description"], "code has already been used");
    assert_eq!(bench.objection(&tokens).await, "invalid_access_token", "its tokens are revoked");
    assert_eq!(bench.sim.tally().reused_codes, 1);

    let unregistered = bench.code();
    bench.sim.change(|settings| settings.redirect_uris.clear());
    let unregistered = body(bench.exchange(&unregistered).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(unregistered["error_description"], "redirect_uri mismatch");
    bench.sim.register_redirect_uri(CALLBACK);

    let late = bench.code();
    bench.sim.advance(600);
    let late = body(bench.exchange(&late).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(late["error_description"], "code doesn't exist or has expired");
}

#[tokio::test]
async fn a_client_proves_itself_by_header_body_or_verifier() {
    let bench = Bench::start().await;
    let post = |form: &[(&str, &str)]| bench.http.post(bench.url("/oauth2/token")).form(form);
    let code = bench.code();
    let base = [("grant_type", "authorization_code"), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let form = [&base[..], &[("code", code.as_str()), ("client_id", "orla-demo")]].concat();
    let public = body(sent(post(&form)).await, StatusCode::OK).await;
    let refresh = text(&public["refresh_token"]);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("client_id", "orla-demo")];
    body(sent(post(&form)).await, StatusCode::OK).await;

    let code = bench.code();
    let keys = [("code", code.as_str()), ("client_id", "orla-demo"), ("client_secret", "orla-demo-secret")];
    let secret = body(sent(post(&[&base[..], &keys].concat())).await, StatusCode::OK).await;
    let refresh = text(&secret["refresh_token"]);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let refused = async |request: RequestBuilder| {
        let refusal = body(sent(request).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(refusal["error"], "invalid_client", "{refusal}");
    };
    refused(post(&[&form[..], &[("client_id", "orla-demo")]].concat())).await;
    refused(post(&[&form[..], &[("client_id", "orla-demo"), ("client_secret", "guess")]].concat())).await;
    refused(post(&form).basic_auth("orla-demo", Some("guess"))).await;
    refused(post(&form).basic_auth("somebody", Some("orla-demo-secret"))).await;
    refused(post(&form)).await;
    let twice = post(&[&form[..], &keys[1..]].concat()).basic_auth("orla-demo", Some("orla-demo-secret"));
    assert_eq!(body(sent(twice).await, StatusCode::BAD_REQUEST).await["error"], "invalid_request");
    let json = bench.http.post(bench.url("/oauth2/token")).json(&json!({ "grant_type": "refresh_token" }));
    assert_eq!(body(sent(json).await, StatusCode::BAD_REQUEST).await["error"], "invalid_request");
}

#[tokio::test]
async fn without_a_challenge_a_secret_is_needed_and_a_plain_challenge_is_its_own_verifier() {
    let bench = Bench::start().await;
    let code = |parameters: &[(&str, &str)]| {
        parameter(&bench.sim.authorize(&bench.authorize_url_with(parameters), "orla_demo"), "code")
    };
    let base = [("grant_type", "authorization_code"), ("redirect_uri", CALLBACK)];
    let bare = code(&[]);
    let form = [&base[..], &[("code", bare.as_str()), ("client_id", "orla-demo")]].concat();
    let refusal = sent(bench.http.post(bench.url("/oauth2/token")).form(&form)).await;
    assert_eq!(body(refusal, StatusCode::BAD_REQUEST).await["error"], "invalid_client");

    let bare = code(&[]);
    let unasked = [&base[..], &[("code", bare.as_str()), ("code_verifier", VERIFIER)]].concat();
    assert_eq!(bench.refused(&unasked).await.0, "invalid_grant");

    let plain = code(&[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")]);
    let form = [&base[..], &[("code", plain.as_str()), ("code_verifier", CHALLENGE)]].concat();
    body(bench.token_request(&form).await, StatusCode::OK).await;
}

#[tokio::test]
async fn a_revocation_takes_the_refresh_token_along() {
    let bench = Bench::start().await;
    let tokens = bench.tokens().await;
    let refreshed = body(bench.refresh(&text(&tokens["refresh_token"])).await, StatusCode::OK).await;
    let caller = Caller { bench: &bench, token: text(&refreshed["access_token"]) };
    assert_eq!(body(sent(caller.post("auth/token/revoke")).await, StatusCode::OK).await, Value::Null);
    for old in [&tokens, &refreshed] {
        assert_eq!(bench.objection(old).await, "invalid_access_token");
    }
    let refusal = body(bench.refresh(&text(&tokens["refresh_token"])).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(refusal["error_description"], "refresh token is invalid or revoked");
    assert_eq!(bench.sim.tally().revocations, 1);
}

#[tokio::test]
async fn refresh_tokens_can_be_absent_or_rotate() {
    let bench = Bench::with(Settings { refresh_tokens: RefreshTokens::Absent, ..Settings::default() }).await;
    assert_eq!(bench.tokens().await.get("refresh_token"), None);

    bench.sim.change(|settings| settings.refresh_tokens = RefreshTokens::Rotating);
    let first = bench.tokens().await;
    let second = body(bench.refresh(&text(&first["refresh_token"])).await, StatusCode::OK).await;
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let third = body(bench.refresh(&text(&second["refresh_token"])).await, StatusCode::OK).await;
    assert_eq!(bench.objection(&third).await, Value::Null);
    let reuse = body(bench.refresh(&text(&first["refresh_token"])).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(reuse["error"], "invalid_grant");
    assert_eq!(bench.objection(&third).await, "invalid_access_token", "the family is revoked");
    let newest = body(bench.refresh(&text(&third["refresh_token"])).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(newest["error"], "invalid_grant");
    let tally = bench.sim.tally();
    assert_eq!((tally.refreshes, tally.reused_refresh_tokens), (2, 1));
}

#[tokio::test]
async fn a_refresh_can_ask_for_less_and_not_for_more() {
    let bench = Bench::start().await;
    let tokens = bench.tokens().await;
    let refresh = text(&tokens["refresh_token"]);
    let form = |scope| [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", scope)];
    let less = body(bench.token_request(&form("files.metadata.read")).await, StatusCode::OK).await;
    assert_eq!(less["scope"], "files.metadata.read");
    let refusal = body(sent(bench.me(&less)).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(refusal["error"], json!({ ".tag": "missing_scope", "required_scope": "account_info.read" }));
    assert!(text(&refusal["error_summary"]).starts_with("missing_scope/"));
    assert_eq!(bench.refused(&form("files.content.write")).await.0, "invalid_scope");
}

#[tokio::test]
async fn the_token_endpoint_fails_as_often_as_told() {
    let bench = Bench::start().await;
    let refresh = text(&bench.tokens().await["refresh_token"]);
    let failures = vec![TokenFailure::ServerError, TokenFailure::ServerError, TokenFailure::InvalidGrant];
    bench.sim.change(|settings| settings.token_failures = failures);
    for status in [500, 500, 400, 200] {
        assert_eq!(bench.refresh(&refresh).await.status().as_u16(), status);
    }
    assert_eq!(bench.sim.tally().refreshes, 1);
}

#[tokio::test]
async fn every_secret_is_on_record_and_bears_its_mark() {
    let bench = Bench::with(Settings { token_mark: "MARKED".to_owned(), ..Settings::default() }).await;
    let tokens = bench.tokens().await;
    let issued = bench.sim.tokens();
    assert_eq!(issued.iter().map(|issued| issued.kind).collect::<Vec<_>>(), [Kind::Code, Kind::Access, Kind::Refresh]);
    assert!(issued.iter().all(|issued| issued.value.contains("MARKED")));
    assert_eq!(issued[1].value, text(&tokens["access_token"]));
}

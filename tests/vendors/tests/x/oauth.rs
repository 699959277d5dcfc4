//! Consent, codes and tokens.

use orla_vendors::x::Kind;
use reqwest::StatusCode;
use serde_json::json;
use url::Url;

use crate::{ALL_SCOPES, Bench, CALLBACK, VERIFIER, body, parameter, text};

#[tokio::test]
async fn a_person_can_consent_with_nothing_but_forms() {
    let bench = Bench::start().await;
    let page = bench.http.get(bench.authorize_url(ALL_SCOPES)).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    assert!(page.contains("@second_account") && page.contains("Upload media for you."), "{page}");
    let consent = page.split("name=\"consent\" value=\"").nth(1).unwrap().split('"').next().unwrap();

    let decide = async || {
        let form = [("consent", consent), ("account", "second_account"), ("decision", "authorize")];
        bench.http.post(bench.url("/i/oauth2/authorize")).form(&form).send().await.unwrap()
    };
    let decided = decide().await;
    assert_eq!(decided.status(), StatusCode::FOUND);
    let back = Url::parse(decided.headers()["location"].to_str().unwrap()).unwrap();
    assert!(back.as_str().starts_with(CALLBACK));
    assert_eq!(parameter(&back, "state"), "some state");
    assert_eq!(decide().await.status(), StatusCode::BAD_REQUEST, "a consent is decided once");

    let tokens = body(bench.exchange(&parameter(&back, "code"), VERIFIER).await, StatusCode::OK).await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(7200)));
    let me = bench.http.get(bench.url("/2/users/me")).bearer_auth(text(&tokens["access_token"])).send().await.unwrap();
    assert_eq!(body(me, StatusCode::OK).await["data"]["username"], "second_account");
}

#[tokio::test]
async fn a_wrong_request_gets_a_page_and_never_a_redirect() {
    let bench = Bench::start().await;
    let right = bench.authorize_url("tweet.read");
    let long_state = format!("state={}", "x".repeat(501));
    for (part, wrong) in [
        ("response_type=code", "response_type=token"),
        ("client_id=orla-demo", "client_id=somebody"),
        ("twitter%2Fcallback", "twitter%2Fcallback%2F"),
        ("scope=tweet.read", "scope=tweet.read+tweet.everything"),
        ("scope=tweet.read", "scope="),
        ("state=some+state", "state="),
        ("state=some+state", long_state.as_str()),
        ("code_challenge_method=S256", "code_challenge_method=S512"),
        ("&code_challenge=E9", "&code_challenge=E"),
        ("&code_challenge=E9", "&code_challenge=%209"),
        ("client_id=orla-demo", "client_id=orla-demo&client_id=orla-demo"),
    ] {
        let url = right.replace(part, wrong);
        assert_ne!(url, right, "{part} is part of the request");
        let response = bench.http.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
        assert!(response.headers().get("location").is_none());
        assert!(response.text().await.unwrap().contains("Something went wrong"));
    }
    let tolerated = bench.http.get(format!("{right}&prompt=login")).send().await.unwrap();
    assert_eq!(tolerated.status(), StatusCode::OK, "unknown parameters are ignored");
}

#[tokio::test]
async fn to_cancel_is_access_denied() {
    let bench = Bench::start().await;
    let back = bench.sim.deny(&bench.authorize_url(ALL_SCOPES), "@orla_demo");
    assert_eq!((parameter(&back, "error"), parameter(&back, "state")), ("access_denied".into(), "some state".into()));
    assert!(bench.sim.tokens().is_empty());
}

#[tokio::test]
async fn a_code_wants_its_verifier_and_its_redirect_uri() {
    let bench = Bench::start().await;
    for verifier in ["", "too-short", &"x".repeat(43), &"x".repeat(129), &VERIFIER.replace('d', "é")] {
        let refused = body(bench.exchange(&bench.code(ALL_SCOPES), verifier).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(refused["error"], "invalid_request", "{verifier}");
    }
    let code = bench.code(ALL_SCOPES);
    let elsewhere = format!("{CALLBACK}/");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &elsewhere),
        ("code_verifier", VERIFIER),
    ];
    body(bench.token_request(&form).await, StatusCode::BAD_REQUEST).await;
    body(bench.exchange(&code, VERIFIER).await, StatusCode::BAD_REQUEST).await;
    let code = bench.code(ALL_SCOPES);
    bench.sim.change(|settings| settings.redirect_uris.clear());
    let refused = body(bench.exchange(&code, VERIFIER).await, StatusCode::BAD_REQUEST).await;
    assert!(text(&refused["error_description"]).contains("redirect uri"), "{refused}");
}

#[tokio::test]
async fn a_code_lasts_as_long_as_it_is_told_to() {
    let bench = Bench::start().await;
    bench.sim.change(|settings| settings.code_lifetime_s = 0);
    body(bench.exchange(&bench.code(ALL_SCOPES), VERIFIER).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn a_replayed_code_takes_its_tokens_down() {
    let bench = Bench::start().await;
    let code = bench.code(ALL_SCOPES);
    let tokens = body(bench.exchange(&code, VERIFIER).await, StatusCode::OK).await;
    let me = async || {
        let request = bench.http.get(bench.url("/2/users/me")).bearer_auth(text(&tokens["access_token"]));
        request.send().await.unwrap().status()
    };
    assert_eq!(me().await, StatusCode::OK);
    body(bench.exchange(&code, VERIFIER).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(me().await, StatusCode::UNAUTHORIZED);
    body(bench.refresh(&text(&tokens["refresh_token"])).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_spent_one_ends_the_family() {
    let bench = Bench::start().await;
    let first = bench.tokens(ALL_SCOPES).await;
    let second = body(bench.refresh(&text(&first["refresh_token"])).await, StatusCode::OK).await;
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);

    let reused = body(bench.refresh(&text(&first["refresh_token"])).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(reused["error"], "invalid_grant");
    let ended = body(bench.refresh(&text(&second["refresh_token"])).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(ended["error_description"], "Value passed for the token was invalid.");
}

#[tokio::test]
async fn no_refresh_token_without_offline_access() {
    let bench = Bench::start().await;
    let tokens = bench.tokens("tweet.read users.read").await;
    assert_eq!(tokens["scope"], "tweet.read users.read");
    assert!(tokens.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_refresh_token_can_be_left_out_and_the_one_before_serves_on() {
    let bench = Bench::start().await;
    let first = bench.tokens(ALL_SCOPES).await;
    bench.sim.change(|settings| settings.omit_refresh_token = true);
    assert!(bench.tokens(ALL_SCOPES).await.get("refresh_token").is_none());
    for _ in 0..2 {
        let again = body(bench.refresh(&text(&first["refresh_token"])).await, StatusCode::OK).await;
        assert!(again["access_token"].is_string() && again.get("refresh_token").is_none(), "{again}");
    }
    bench.sim.change(|settings| settings.omit_refresh_token = false);
    let next = body(bench.refresh(&text(&first["refresh_token"])).await, StatusCode::OK).await;
    assert_ne!(first["refresh_token"], next["refresh_token"]);
    body(bench.refresh(&text(&first["refresh_token"])).await, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn the_token_endpoint_is_closed_form_encoded_and_wants_basic() {
    let bench = Bench::start().await;
    let grant = ("grant_type", "refresh_token");
    let unknown = bench.token_request(&[grant, ("refresh_token", "x"), ("client_secret", "s")]).await;
    assert_eq!(body(unknown, StatusCode::BAD_REQUEST).await["error"], "invalid_request");
    let twice = bench.token_request(&[grant, ("refresh_token", "x"), ("refresh_token", "x")]).await;
    assert_eq!(body(twice, StatusCode::BAD_REQUEST).await["error"], "invalid_request");
    let other = bench.token_request(&[("grant_type", "password")]).await;
    assert_eq!(body(other, StatusCode::BAD_REQUEST).await["error"], "unsupported_grant_type");

    let request = || bench.http.post(bench.url("/2/oauth2/token"));
    let json =
        request().basic_auth("orla-demo", Some("orla-demo-secret")).json(&json!({ "grant_type": "refresh_token" }));
    body(json.send().await.unwrap(), StatusCode::BAD_REQUEST).await;
    for unauthorized in [request(), request().basic_auth("orla-demo", Some("wrong")), request().bearer_auth("x")] {
        let response = unauthorized.form(&[grant, ("client_id", "orla-demo")]).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(body(response, StatusCode::UNAUTHORIZED).await["error"], "unauthorized_client");
    }
}

#[tokio::test]
async fn a_token_can_be_revoked() {
    let bench = Bench::start().await;
    let tokens = bench.tokens(ALL_SCOPES).await;
    let revoke = bench.http.post(bench.url("/2/oauth2/revoke")).basic_auth("orla-demo", Some("orla-demo-secret"));
    let revoked = revoke.form(&[("token", text(&tokens["refresh_token"]))]).send().await.unwrap();
    assert_eq!(body(revoked, StatusCode::OK).await["revoked"], true);
    let me = bench.http.get(bench.url("/2/users/me")).bearer_auth(text(&tokens["access_token"])).send().await.unwrap();
    assert_eq!(me.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_secret_is_on_record_and_begins_as_told() {
    let bench = Bench::start().await;
    bench.sim.change(|settings| settings.token_prefix = "MARKED".to_owned());
    let tokens = bench.tokens(ALL_SCOPES).await;
    let issued = bench.sim.tokens();
    assert_eq!(issued.iter().map(|issued| issued.kind).collect::<Vec<_>>(), [Kind::Code, Kind::Access, Kind::Refresh]);
    assert!(issued.iter().all(|issued| issued.value.starts_with("MARKED")));
    assert_eq!(issued[1].value, text(&tokens["access_token"]));
}

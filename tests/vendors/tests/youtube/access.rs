//! Google's OAuth: consent, tokens that end, and what each scope allows.

use orla_vendors::youtube::Settings;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{ACCOUNT, Bench, SCOPES, body, bread, location, parameter, refused, sent, text};

const MINE: &str = "/youtube/v3/channels?part=snippet&mine=true";

/// The error of a refusal of the token endpoint.
async fn error(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let answer: Value = response.json().await.expect("the body is JSON");
    assert!(answer["error_description"].is_string(), "{answer}");
    (status, text(&answer["error"]))
}

#[tokio::test]
async fn a_code_gives_tokens_and_the_refresh_token_stays() {
    let bench = Bench::start().await;
    let tokens = bench.tokens(&[]).await;
    assert_eq!(
        (&tokens["expires_in"], &tokens["token_type"], &tokens["scope"]),
        (&json!(3_599), &json!("Bearer"), &json!(SCOPES))
    );
    let refresh = text(&tokens["refresh_token"]);
    for _ in 0..2 {
        let renewed = body(bench.refresh(&refresh).await, StatusCode::OK).await;
        assert_ne!(renewed["access_token"], tokens["access_token"]);
        assert_eq!(renewed["refresh_token"], Value::Null);
    }
    assert_eq!((bench.sim.made().code_exchanges, bench.sim.made().refreshes), (1, 2));
    assert_eq!(bench.sim.tokens().len(), 5);
}

#[tokio::test]
async fn there_is_a_refresh_token_for_offline_access_and_consent_alone() {
    let bench = Bench::start().await;
    assert_eq!(bench.tokens(&[("access_type", "online")]).await["refresh_token"], Value::Null);
    assert_eq!(bench.tokens(&[("access_type", "")]).await["refresh_token"], Value::Null);
    assert!(bench.tokens(&[("prompt", "")]).await["refresh_token"].is_string(), "the first consent gives one");
    assert_eq!(bench.tokens(&[("prompt", "")]).await["refresh_token"], Value::Null);
    assert!(bench.tokens(&[]).await["refresh_token"].is_string());
}

#[tokio::test]
async fn a_code_is_proved_and_spent() {
    let bench = Bench::start().await;
    for (wrong, expected) in [
        (("client_secret", "guess"), (401, "invalid_client")),
        (("client_id", "guess"), (401, "invalid_client")),
        (("redirect_uri", "http://127.0.0.1:8000/other"), (400, "redirect_uri_mismatch")),
        (("code_verifier", ""), (400, "invalid_grant")),
        (("code_verifier", "a-verifier-that-is-none-of-ours-0123456789abcdef"), (400, "invalid_grant")),
        (("grant_type", "password"), (400, "unsupported_grant_type")),
        (("surprise", "x"), (400, "invalid_request")),
    ] {
        let code = bench.code(&[]);
        let refused = error(bench.token_request(&[("code", &code), wrong]).await).await;
        assert_eq!(refused, (expected.0, expected.1.to_owned()), "{wrong:?}");
    }
    let code = bench.code(&[]);
    body(bench.token_request(&[("code", &code)]).await, StatusCode::OK).await;
    let again = error(bench.token_request(&[("code", &code)]).await).await;
    assert_eq!(again, (400, "invalid_grant".to_owned()));
    let old = bench.code(&[]);
    bench.sim.advance(601);
    assert_eq!(error(bench.token_request(&[("code", &old)]).await).await.1, "invalid_grant");
    assert_eq!(error(bench.token_request(&[("code", "4/0nonsense")]).await).await.1, "invalid_grant");
}

#[tokio::test]
async fn a_wrong_request_for_consent_gets_a_page_and_no_redirect() {
    let bench = Bench::start().await;
    for wrong in [
        ("client_id", "guess"),
        ("redirect_uri", "http://127.0.0.1:8000/social/oauth/youtube/callback/"),
        ("response_type", "token"),
        ("scope", "https://www.googleapis.com/auth/everything"),
        ("scope", ""),
        ("state", ""),
        ("access_type", "always"),
        ("prompt", "never"),
        ("code_challenge", "short"),
        ("surprise", "x"),
    ] {
        let answer = sent(bench.http.get(bench.authorize_url(&[wrong]))).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{wrong:?}");
    }
    let page = sent(bench.http.get(bench.authorize_url(&[("redirect_uri", "http://elsewhere.example")]))).await;
    assert!(page.text().await.unwrap().contains("redirect_uri_mismatch"));
    let denied = bench.sim.deny(&bench.authorize_url(&[]), ACCOUNT);
    assert_eq!(
        (parameter(&denied, "error"), parameter(&denied, "state")),
        ("access_denied".to_owned(), "some state".to_owned())
    );
}

#[tokio::test]
async fn the_page_leads_back_with_a_code() {
    let bench = Bench::start().await;
    let page = sent(bench.http.get(bench.authorize_url(&[]))).await.text().await.unwrap();
    let consent = page.split("name=\"consent\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = [("consent", consent.as_str()), ("account", ACCOUNT), ("decision", "authorize")];
    let decide = || bench.http.post(bench.url("/o/oauth2/v2/auth")).form(&form);
    let back = sent(decide()).await;
    assert_eq!(back.status(), StatusCode::FOUND);
    assert!(
        back.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("http://127.0.0.1:8000/social/oauth/youtube/callback?state=")
    );
    assert_eq!(sent(decide()).await.status(), StatusCode::BAD_REQUEST, "it is decided once");
}

#[tokio::test]
async fn tokens_end_by_time_and_by_being_taken_back() {
    let bench = Bench::start().await;
    let tokens = bench.tokens(&[]).await;
    let (access, refresh) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    let mine = || bench.http.get(bench.url(MINE)).bearer_auth(&access);
    assert_eq!(sent(mine()).await.status(), StatusCode::OK);
    bench.sim.expire_access_tokens();
    assert_eq!(refused(mine()).await, (401, "authError".to_owned()));
    let renewed = text(&body(bench.refresh(&refresh).await, StatusCode::OK).await["access_token"]);
    // Whichever token is given back, all of them end.
    let revoke = |token: &str| bench.http.post(bench.url("/revoke")).form(&[("token", token)]);
    assert_eq!(sent(revoke(&renewed)).await.status(), StatusCode::OK);
    assert_eq!(error(bench.refresh(&refresh).await).await, (400, "invalid_grant".to_owned()));
    assert_eq!(error(sent(revoke(&refresh)).await).await, (400, "invalid_token".to_owned()));
    assert_eq!(bench.sim.made().revocations, 1);
    let again = bench.tokens(&[]).await;
    bench.sim.revoke(ACCOUNT);
    assert_eq!(error(bench.refresh(&text(&again["refresh_token"])).await).await.1, "invalid_grant");
}

#[tokio::test]
async fn each_scope_is_for_something() {
    let bench = Bench::start().await;
    let scope = |name: &str| format!("https://www.googleapis.com/auth/youtube.{name}");
    let uploads = bench.caller_with(ACCOUNT, &scope("upload"));
    let reads = bench.caller_with(ACCOUNT, &scope("readonly"));
    let comments = bench.caller_with(ACCOUNT, &scope("force-ssl"));
    let lacking = (403, "insufficientPermissions".to_owned());
    location(&sent(uploads.beginning(9, &bread())).await);
    assert_eq!(refused(uploads.get(MINE)).await, lacking);
    assert_eq!(sent(reads.get(MINE)).await.status(), StatusCode::OK);
    assert_eq!(refused(reads.beginning(9, &bread())).await, lacking);
    let threads = "/youtube/v3/commentThreads?part=snippet&videoId=x";
    assert_eq!(refused(reads.get(threads)).await, lacking);
    assert_eq!(refused(comments.get(threads)).await, (404, "videoNotFound".to_owned()));
    assert_eq!(refused(bench.http.get(bench.url(MINE))).await, (401, "authError".to_owned()));
    assert_eq!(refused(bench.http.get(bench.url(MINE)).bearer_auth("ya29.nobody")).await.0, 401);
}

#[tokio::test]
async fn people_may_decline_scopes_and_have_no_channel() {
    let declined = "https://www.googleapis.com/auth/youtube.force-ssl".to_owned();
    let bench = Bench::with(Settings { declined_scopes: vec![declined.clone()], ..Settings::default() }).await;
    let granted = text(&bench.tokens(&[]).await["scope"]);
    assert!(!granted.contains(&declined) && granted.contains("youtube.upload"), "{granted}");
    let nobody = bench.caller_with("empty@example.com", SCOPES);
    assert_eq!(nobody.read(MINE).await["items"], Value::Null);
    assert_eq!(refused(nobody.beginning(9, &bread())).await, (401, "youtubeSignupRequired".to_owned()));
    let channel = &bench.caller().read("/youtube/v3/channels?part=snippet,contentDetails&mine=true").await["items"][0];
    assert_eq!(
        (&channel["snippet"]["customUrl"], &channel["id"]),
        (&json!("@orlacoffee"), &json!("UCorlacoffee0000000000001"))
    );
    assert_eq!(channel["contentDetails"]["relatedPlaylists"]["uploads"], "UUorlacoffee0000000000001");
}

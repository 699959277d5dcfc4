//! The consent page, and what leads past it.

use orla_vendors::dropbox::{Consent, Settings};
use reqwest::StatusCode;
use serde_json::json;
use url::Url;

use crate::{Bench, CALLBACK, body, parameter, sent};

impl Bench {
    async fn visit(&self, url: &str) -> reqwest::Response {
        sent(self.http.get(url)).await
    }

    /// Where a visit of the authorize URL leads at once.
    async fn led(&self, url: &str) -> Url {
        let response = self.visit(url).await;
        assert_eq!(response.status(), StatusCode::FOUND);
        let location = response.headers()["location"].to_str().expect("the location is ASCII");
        Url::parse(location).expect("the location is a URL")
    }
}

#[tokio::test]
async fn a_person_can_consent_with_nothing_but_forms() {
    let bench = Bench::start().await;
    let page = bench.visit(&bench.authorize_url()).await.text().await.unwrap();
    assert!(page.contains("second_account") && page.contains("files.content.read"), "{page}");
    let consent = page.split("name=\"consent\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let decide = async || {
        let form = [("consent", consent), ("account", "second_account"), ("decision", "allow")];
        sent(bench.http.post(bench.url("/oauth2/authorize")).form(&form)).await
    };
    let decided = decide().await;
    assert_eq!(decided.status(), StatusCode::FOUND);
    let back = Url::parse(decided.headers()["location"].to_str().unwrap()).unwrap();
    assert!(back.as_str().starts_with(CALLBACK));
    assert_eq!(parameter(&back, "state"), "some state");
    assert_eq!(decide().await.status(), StatusCode::BAD_REQUEST, "a consent is decided once");

    let tokens = body(bench.exchange(&parameter(&back, "code")).await, StatusCode::OK).await;
    assert_eq!(tokens["account_id"], bench.sim.settings().accounts[1].id());
}

#[tokio::test]
async fn a_wrong_request_gets_a_page_and_never_a_redirect() {
    let bench = Bench::start().await;
    let right = bench.authorize_url();
    let long_state = format!("state={}", "x".repeat(2_001));
    for (part, wrong) in [
        ("response_type=code", "response_type=token"),
        ("client_id=orla-demo", "client_id=somebody"),
        ("dropbox%2Fcallback", "dropbox%2Fcallback%2F"),
        ("files.content.read", "files.content.write"),
        ("state=some+state", long_state.as_str()),
        ("token_access_type=offline", "token_access_type=forever"),
        ("code_challenge_method=S256", "code_challenge_method=S512"),
        ("code_challenge_method=S256", "force_reapprove=yes"),
        ("&code_challenge=E9", "&code_challenge=E"),
        ("client_id=orla-demo", "client_id=orla-demo&client_id=orla-demo"),
        ("state=some+state", "state=some+state&access_type=offline"),
        ("state=some+state", "include_granted_scopes=all"),
    ] {
        let url = right.replace(part, wrong);
        assert_ne!(url, right, "{part} is part of the request");
        let response = bench.visit(&url).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
        assert!(response.headers().get("location").is_none());
        assert!(response.text().await.unwrap().contains("Error (400)"));
    }
    bench.sim.change(|settings| settings.app_scopes.retain(|scope| scope != "files.content.read"));
    assert_eq!(bench.visit(&right).await.status(), StatusCode::BAD_REQUEST, "the scope is not ticked any more");
}

#[tokio::test]
async fn settings_decide_in_place_of_a_person() {
    let bench = Bench::with(Settings { consent: Consent::Deny, ..Settings::default() }).await;
    let back = bench.led(&bench.authorize_url()).await;
    assert_eq!((parameter(&back, "error"), parameter(&back, "state")), ("access_denied".into(), "some state".into()));
    assert!(parameter(&back, "error_description").contains("chose not to"));
    assert_eq!(bench.sim.deny(&bench.authorize_url(), "orla_demo").query_pairs().count(), 3);
    assert!(bench.sim.tokens().is_empty());

    bench.sim.change(|settings| settings.consent = Consent::Grant);
    let back = bench.led(&bench.authorize_url()).await;
    let tokens = body(bench.exchange(&parameter(&back, "code")).await, StatusCode::OK).await;
    assert_eq!(tokens["account_id"], bench.sim.settings().accounts[0].id());
}

#[tokio::test]
async fn who_agreed_before_is_asked_again_only_on_request_or_for_more() {
    let bench = Bench::start().await;
    let some = bench.authorize_url_with(&[("scope", "account_info.read")]);
    assert_eq!(bench.visit(&some).await.status(), StatusCode::OK);
    bench.sim.authorize(&some, "second_account");
    let back = bench.led(&some).await;
    assert!(!parameter(&back, "code").is_empty());
    let forced = bench.authorize_url_with(&[("scope", "account_info.read"), ("force_reapprove", "true")]);
    assert_eq!(bench.visit(&forced).await.status(), StatusCode::OK);
    assert_eq!(bench.visit(&bench.authorize_url()).await.status(), StatusCode::OK, "these are more scopes");
    bench.sim.revoke_all();
    assert_eq!(bench.visit(&some).await.status(), StatusCode::OK, "the agreement was taken back");
}

#[tokio::test]
async fn earlier_scopes_can_be_included() {
    let bench = Bench::start().await;
    bench.sim.authorize(&bench.authorize_url_with(&[("scope", "files.metadata.read")]), "orla_demo");
    let more = [("scope", "account_info.read"), ("include_granted_scopes", "user")];
    let code = parameter(&bench.sim.authorize(&bench.authorize_url_with(&more), "orla_demo"), "code");
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
    let tokens = body(bench.token_request(&form).await, StatusCode::OK).await;
    assert_eq!(tokens["scope"], "files.metadata.read account_info.read");
    assert_eq!(tokens.get("refresh_token"), None, "access was online");
    assert_eq!(tokens["expires_in"], json!(14_400));
}

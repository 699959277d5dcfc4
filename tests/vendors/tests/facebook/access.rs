//! Versions, tokens, proofs, permissions and methods.

use orla_vendors::facebook::{Settings, Throttle};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{ARCHIVE, Bench, OTHER_PAGE, PAGE, PERSON, SCOPES, body, code, refused, sent};

/// The shape of a proof, and the proof of nothing.
const WRONG_PROOF: &str = "0d4e7b8f0a2f7a8c4e9a6c0b5d3e1f2a0d4e7b8f0a2f7a8c4e9a6c0b5d3e1f2a";

#[tokio::test]
async fn live_versions_answer_and_others_do_not() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let origin = bench.sim.origin();
    for version in ["v25.0", "v26.0"] {
        let answer = sent(bench.http.get(format!("{origin}/{version}/me")).bearer_auth(&person.token)).await;
        assert_eq!(answer.headers()["facebook-api-version"], version);
        assert_eq!(body(answer, StatusCode::OK).await["name"], PERSON);
    }
    for (path, expected) in [
        ("v20.0/me", 2635),
        ("v24.0/me/accounts", 2635),
        ("v19.0/oauth/access_token", 2635),
        ("v18.0/debug_token", 2635),
        ("v99.0/me", 2500),
        ("me/accounts", 2500),
        ("me", 2500),
    ] {
        let (code, _, message) = refused(bench.http.get(format!("{origin}/{path}")).bearer_auth(&person.token)).await;
        assert_eq!(code, expected, "{path}: {message}");
    }
}

#[tokio::test]
async fn a_token_comes_by_header_query_or_form_and_once() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let feed = bench.url(&format!("{PAGE}/feed"));
    let token = page.token.as_str();
    let post = || bench.http.post(&feed);
    for request in [
        post().bearer_auth(token).form(&[("message", "1")]),
        post().header("authorization", format!("OAuth {token}")).form(&[("message", "2")]),
        post().query(&[("access_token", token)]).form(&[("message", "3")]),
        post().form(&[("message", "4"), ("access_token", token)]),
        post().json(&json!({ "message": "5", "access_token": token, "published": true })),
        post().query(&[("message", "6"), ("access_token", token)]),
    ] {
        body(sent(request).await, StatusCode::OK).await;
    }
    assert_eq!(bench.sim.made().posts, 6);
    let twice = post().bearer_auth(token).form(&[("message", "7"), ("access_token", token)]);
    assert_eq!(code(twice).await, (100, 0));
    assert_eq!(code(post().query(&[("message", "7")]).bearer_auth(token).form(&[("message", "7")])).await, (100, 0));
    assert_eq!(code(post().form(&[("message", "7")])).await, (2500, 0));
    let unknown = sent(post().bearer_auth("EAAnobody").form(&[("message", "7")])).await;
    assert!(unknown.headers()["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    assert_eq!(body(unknown, StatusCode::BAD_REQUEST).await["error"]["code"], 190);
    assert_eq!(code(post().body("message=7").header("content-type", "text/plain").bearer_auth(token)).await, (100, 0));
}

#[tokio::test]
async fn a_proof_must_be_right_and_there_if_the_app_says_so() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    let (code, _, message) = refused(page.get(&format!("me?appsecret_proof={WRONG_PROOF}"))).await;
    assert_eq!((code, message.as_str()), (100, "Invalid appsecret_proof provided in the API argument"));
    page.read("me").await;
    bench.sim.change(|settings| settings.require_proof = true);
    for path in ["me", &format!("{PAGE}/published_posts"), "debug_token?input_token=x"] {
        let (code, _, message) = refused(page.get(path)).await;
        assert_eq!((code, message.as_str()), (100, "API calls from the server require an appsecret_proof argument"));
    }
}

#[tokio::test]
async fn each_call_needs_its_permission() {
    let bench = Bench::start().await;
    let all: Vec<&str> = SCOPES.split(',').collect();
    let without = async |scope: &str| {
        bench.sim.remove_app(PERSON);
        let rest: Vec<&str> = all.iter().copied().filter(|known| *known != scope).collect();
        let person = bench.person(&rest.join(","));
        person.page(PAGE).await
    };
    let page = bench.page().await;
    let post = page.posted_words("x").await;
    let (feed, comments, lists) =
        (format!("{PAGE}/feed"), format!("{post}/comments"), format!("{PAGE}/published_posts"));
    let words: &[(&str, &str)] = &[("message", "y")];

    let page = without("pages_manage_posts").await;
    assert_eq!(code(page.post(&feed, words)).await, (200, 0));
    assert_eq!(code(page.post(&format!("{PAGE}/photos"), &[("url", "https://a.example/a.png")])).await, (200, 0));
    assert_eq!(code(page.post(&format!("{PAGE}/videos"), &[("upload_phase", "start")])).await, (200, 0));
    assert_eq!(code(page.delete(&post)).await, (200, 0));
    assert_eq!(code(page.post(&post, words)).await, (200, 0));
    page.read(&lists).await;

    let page = without("pages_read_engagement").await;
    assert_eq!(code(page.post(&feed, words)).await, (200, 0));
    for path in [&lists, &post, &comments, &PAGE.to_owned()] {
        assert_eq!(code(page.get(path)).await, (10, 0), "{path}");
    }
    let page = without("pages_read_user_content").await;
    assert_eq!(code(page.get(&comments)).await, (10, 0));
    page.posted(&comments, words).await;
    let page = without("pages_manage_engagement").await;
    assert_eq!(code(page.post(&comments, words)).await, (200, 0));
    page.read(&comments).await;
    let forbidden = sent(page.post(&comments, words)).await;
    assert_eq!(forbidden.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_page_is_written_to_by_itself_and_with_the_task() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let words: &[(&str, &str)] = &[("message", "x")];
    let (code, _, message) = refused(person.post(&format!("{PAGE}/feed"), words)).await;
    assert_eq!((code, message.contains("page access token")), (210, true), "{message}");
    assert_eq!(self::code(person.get(&format!("{PAGE}/published_posts"))).await, (190, 2_069_032));
    let (page, archive) = (person.page(PAGE).await, person.page(ARCHIVE).await);
    assert_eq!(self::code(archive.post(&format!("{ARCHIVE}/feed"), words)).await, (200, 0), "no CREATE_CONTENT");
    assert_eq!(self::code(page.post(&format!("{OTHER_PAGE}/feed"), words)).await, (200, 0));
    let post = person.page(PAGE).await.posted_words("x").await;
    let other = person.page(OTHER_PAGE).await;
    assert_eq!(self::code(other.get(&post)).await, (100, 33));
    assert_eq!(self::code(other.delete(&post)).await, (100, 33));
    assert_eq!(self::code(person.delete(&post)).await, (210, 0));
    assert!(bench.sim.posts().iter().all(|post| !post.deleted));
}

#[tokio::test]
async fn the_token_of_a_page_is_shown_to_whoever_asks_and_has_a_role() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let page = person.page(PAGE).await;
    let shown = person.read(&format!("{PAGE}?fields=access_token,name")).await;
    assert_eq!(shown, json!({ "access_token": page.token, "name": "Orla Coffee", "id": PAGE }));
    assert_eq!(page.read("me?fields=access_token").await["access_token"], page.token);
    let foreign = page.read(&format!("{OTHER_PAGE}?fields=access_token,name")).await;
    assert_eq!(foreign, json!({ "name": "Orla Roastery", "id": OTHER_PAGE }));
}

#[tokio::test]
async fn methods_edges_fields_and_parameters_that_there_are_not_are_refused() {
    let bench = Bench::start().await;
    let page = bench.page().await;
    for (method, path, expected) in [
        (Method::DELETE, format!("{PAGE}/feed"), (100, 33)),
        (Method::PUT, format!("{PAGE}/feed"), (100, 33)),
        (Method::DELETE, PAGE.to_owned(), (100, 33)),
        (Method::GET, "999".to_owned(), (100, 33)),
        (Method::GET, format!("{PAGE}/likes"), (100, 0)),
        (Method::POST, format!("{PAGE}/video_reels"), (2500, 0)),
        (Method::POST, format!("{PAGE}/published_posts"), (2500, 0)),
        (Method::GET, "me/accounts".to_owned(), (100, 0)),
        (Method::GET, format!("{PAGE}?fields=id,nothing"), (100, 0)),
        (Method::GET, format!("{PAGE}?fields=id,"), (2500, 0)),
        (Method::GET, format!("{PAGE}?fields=picture{{url"), (2500, 0)),
        (Method::GET, format!("{PAGE}?field=id"), (100, 0)),
        (Method::POST, format!("{PAGE}/feed?mesage=x"), (100, 0)),
    ] {
        let (code, subcode, message) = refused(page.request(method, &path)).await;
        assert_eq!((code, subcode), expected, "{path}: {message}");
    }
}

#[tokio::test]
async fn usage_is_told_and_limits_are_kept() {
    let bench = Bench::with(Settings { calls_an_hour: 4, ..Settings::default() }).await;
    let person = bench.person(SCOPES);
    let page = person.page(PAGE).await;
    let answer = sent(person.get("me")).await;
    let usage: Value = serde_json::from_str(answer.headers()["x-app-usage"].to_str().unwrap()).unwrap();
    assert_eq!(usage["call_count"], 50);
    for _ in 0..4 {
        page.read("me").await;
    }
    let answer = sent(page.get("me")).await;
    let usage = answer.headers()["x-business-use-case-usage"].to_str().unwrap();
    let usage: Value = serde_json::from_str(usage).unwrap();
    assert_eq!(usage[PAGE][0]["estimated_time_to_regain_access"], 60);
    assert_eq!(crate::refusal(answer).await.0, 80_001);
    bench.sim.advance(3_600);
    page.read("me").await;

    for (throttle, expected) in
        [(Throttle::App, 4), (Throttle::Person, 17), (Throttle::Page, 32), (Throttle::PageUseCase, 80_001)]
    {
        bench.sim.change(|settings| settings.throttle = Some(throttle));
        assert_eq!(code(page.post(&format!("{PAGE}/feed"), &[("message", "x")])).await.0, expected);
    }
    assert_eq!(bench.sim.made().posts, 0);
}

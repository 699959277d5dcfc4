//! Consent, codes and tokens.

use orla_vendors::facebook::{Kind, Settings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::{
    ARCHIVE, Bench, CALLBACK, OTHER_PAGE, PAGE, PERSON, SCOPES, body, code, parameter, refusal, refused, sent, text,
};

#[tokio::test]
async fn a_person_can_consent_with_nothing_but_forms() {
    let bench = Bench::start().await;
    let page = sent(bench.http.get(bench.dialog_url("email,pages_show_list"))).await.text().await.unwrap();
    assert!(page.contains("Second Person") && page.contains("Show a list of the Pages you manage"), "{page}");
    let consent = page.split("name=\"consent\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let decide = async || {
        let form =
            [("consent", consent), ("person", "122100000000000002"), ("decline", "email"), ("decision", "continue")];
        sent(bench.http.post(bench.url("dialog/oauth")).form(&form)).await
    };
    let decided = decide().await;
    assert_eq!(decided.status(), StatusCode::FOUND);
    let back = Url::parse(decided.headers()["location"].to_str().unwrap()).unwrap();
    assert!(back.as_str().starts_with(CALLBACK));
    assert_eq!((parameter(&back, "state"), back.fragment()), ("some state".to_owned(), Some("_=_")));
    assert_eq!(decide().await.status(), StatusCode::BAD_REQUEST, "a consent is decided once");

    let tokens = body(bench.exchange_code(&parameter(&back, "code")).await, StatusCode::OK).await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(5_100)));
    let person = bench.holding(&text(&tokens["access_token"]));
    assert_eq!(person.read("me?fields=id,name").await, json!({ "id": "122100000000000002", "name": "Second Person" }));
    let permissions = json!([
        { "permission": "public_profile", "status": "granted" },
        { "permission": "pages_show_list", "status": "granted" },
        { "permission": "email", "status": "declined" },
    ]);
    assert_eq!(person.read("me/permissions").await["data"], permissions);
}

#[tokio::test]
async fn a_wrong_request_gets_a_page_and_never_a_redirect() {
    let bench = Bench::start().await;
    let right = bench.dialog_url("pages_show_list");
    for (part, wrong) in [
        ("client_id=4014", "client_id=1"),
        ("facebook%2Fcallback", "facebook%2Fcallback%2F"),
        ("scope=pages_show_list", "scope=pages_show_list%2Cpages_manage_read_engagement"),
        ("state=some+state", "state="),
        ("response_type=code", "response_type=token"),
        ("response_type=code", "response_type=code&config_id=1"),
        ("client_id=4014", "state=twice&client_id=4014"),
        ("v26.0", "v20.0"),
    ] {
        let url = right.replace(part, wrong);
        assert_ne!(url, right, "{part} is part of the request");
        let response = sent(bench.http.get(url)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
        assert!(response.headers().get("location").is_none());
        assert!(response.text().await.unwrap().contains("something went wrong"));
    }
    let spaces = right.replace("scope=pages_show_list", "scope=pages_show_list+email&auth_type=rerequest");
    assert_eq!(sent(bench.http.get(spaces)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn to_cancel_is_access_denied() {
    let bench = Bench::start().await;
    let back = bench.sim.deny(&bench.dialog_url(SCOPES), PERSON);
    for (name, value) in [("error", "access_denied"), ("error_reason", "user_denied"), ("state", "some state")] {
        assert_eq!(parameter(&back, name), value);
    }
    assert!(bench.sim.tokens().is_empty());
}

#[tokio::test]
async fn a_code_is_exchanged_once_in_time_by_the_app_that_asked() {
    let bench = Bench::start().await;
    let code = bench.code(SCOPES);
    let elsewhere = format!("{CALLBACK}?");
    for (wrong, expected) in [
        (&[("redirect_uri", elsewhere.as_str()), ("code", &code)][..], (100, 36_008)),
        (&[("code", &code)], (191, 0)),
        (&[("redirect_uri", CALLBACK)], (1, 0)),
        (&[("redirect_uri", CALLBACK), ("code", "x")], (100, 0)),
        (&[("redirect_uri", CALLBACK), ("code", &code), ("client_secret", "wrong")], (1, 0)),
        (&[("redirect_uri", CALLBACK), ("code", &code), ("client_secret", "")], (1, 0)),
        (&[("redirect_uri", CALLBACK), ("code", &code), ("client_id", "1")], (101, 0)),
        (&[("redirect_uri", CALLBACK), ("code", &code), ("client_id", "")], (101, 0)),
        (&[("redirect_uri", CALLBACK), ("code", &code), ("audience", "x")], (100, 0)),
        (&[("grant_type", "refresh_token"), ("refresh_token", "x")], (100, 0)),
    ] {
        let (code, subcode, message) = refusal(bench.exchange(wrong).await).await;
        assert_eq!((code, subcode), expected, "{message}");
    }
    body(bench.exchange_code(&code).await, StatusCode::OK).await;
    assert_eq!(refusal(bench.exchange_code(&code).await).await.1, 36_009, "a code is exchanged once");

    let unregistered = bench.code(SCOPES);
    bench.sim.change(|settings| settings.redirect_uris.clear());
    assert_eq!(refusal(bench.exchange_code(&unregistered).await).await.0, 191);
    bench.sim.register_redirect_uri(CALLBACK);

    let late = bench.code(SCOPES);
    bench.sim.advance(600);
    assert_eq!(refusal(bench.exchange_code(&late).await).await.1, 36_007);
    assert_eq!(bench.sim.made().code_exchanges, 1);
    let delete = bench.http.request(Method::DELETE, bench.url("oauth/access_token"));
    assert_eq!(self::code(delete).await, (100, 33));
}

#[tokio::test]
async fn a_token_is_made_to_last_as_long_as_it_works() {
    let bench = Bench::start().await;
    let short = bench.short(SCOPES).await;
    let extend =
        async |token: &str| bench.exchange(&[("grant_type", "fb_exchange_token"), ("fb_exchange_token", token)]).await;
    let long = body(extend(&short.token).await, StatusCode::OK).await;
    assert_eq!(long["expires_in"], 5_183_944);
    let long = text(&long["access_token"]);
    assert_ne!(long, short.token);

    bench.sim.advance(5_100);
    let (code, subcode, message) = refused(short.get("me")).await;
    assert_eq!((code, subcode), (190, 463));
    assert!(message.starts_with("Error validating access token: Session has expired on"), "{message}");
    assert_eq!(refusal(extend(&short.token).await).await.1, 463);

    let renewed = text(&body(extend(&long).await, StatusCode::OK).await["access_token"]);
    assert_ne!(renewed, long, "who is still in time gets a new one");
    bench.holding(&long).read("me").await;
    bench.sim.advance(5_183_944);
    assert_eq!(refusal(extend(&renewed).await).await.1, 463);
    assert_eq!(refusal(extend("EAAnonsense").await).await.0, 190);
    assert_eq!(bench.sim.made().token_exchanges, 2);
}

#[tokio::test]
async fn the_tokens_of_pages_last_as_what_they_come_from() {
    let bench = Bench::start().await;
    let short = bench.short(SCOPES).await;
    let (from_short, from_long) = (short.page(PAGE).await, bench.page().await);
    assert_ne!(from_short.token, from_long.token);
    assert_eq!(short.page(PAGE).await.token, from_short.token, "the same one until something changes");
    bench.sim.advance(90 * 86_400);
    assert_eq!(code(from_short.get("me")).await, (190, 463));
    assert_eq!(from_long.read("me").await, json!({ "id": PAGE, "name": "Orla Coffee" }));
}

#[tokio::test]
async fn what_ends_an_authorization_ends_the_tokens_of_pages_too() {
    let bench = Bench::start().await;
    for (end, subcode) in [("delete", 458), ("remove", 458), ("password", 460)] {
        let person = bench.person(SCOPES);
        let page = person.page(PAGE).await;
        match end {
            "delete" => {
                assert_eq!(code(page.delete("me/permissions")).await.0, 100, "that is for people");
                let done = sent(person.delete("me/permissions")).await;
                assert_eq!(body(done, StatusCode::OK).await, json!({ "success": true }));
            }
            "remove" => bench.sim.remove_app(PERSON),
            _ => bench.sim.change_password(PERSON),
        }
        assert_eq!(code(person.get("me")).await, (190, subcode));
        assert_eq!(code(page.get("me")).await, (190, subcode));
    }
    let page = bench.page().await;
    bench.sim.change(|settings| settings.pages[0].roles.clear());
    assert_eq!(code(page.get("me")).await, (190, 492));
}

#[tokio::test]
async fn one_permission_can_be_declined_or_taken_back() {
    let settings = Settings { declined_scopes: vec!["pages_manage_posts".to_owned()], ..Settings::default() };
    let bench = Bench::with(settings).await;
    let person = bench.short(SCOPES).await;
    let declined = person.read("me/permissions?status=declined").await;
    assert_eq!(declined["data"], json!([{ "permission": "pages_manage_posts", "status": "declined" }]));
    let page = person.page(PAGE).await;
    assert_eq!(code(page.post(&format!("{PAGE}/feed"), &[("message", "x")])).await, (200, 0));

    bench.sim.change(|settings| settings.declined_scopes.clear());
    bench.short("pages_manage_posts").await;
    page.posted_words("x").await;
    body(sent(person.delete("me/permissions/pages_manage_posts")).await, StatusCode::OK).await;
    assert_eq!(code(page.post(&format!("{PAGE}/feed"), &[("message", "y")])).await, (200, 0));
    assert_eq!(code(person.delete("me/permissions/pages_manage_posts")).await, (100, 0));

    body(sent(person.delete("me/permissions/pages_show_list")).await, StatusCode::OK).await;
    assert_eq!(person.read("me/accounts").await, json!({ "data": [] }), "no pages, and no error");
}

#[tokio::test]
async fn pages_are_listed_with_tokens_and_tasks_in_pages_whose_link_carries_the_token() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let first = person.read("me/accounts?fields=id,name,tasks,picture{url}&limit=2").await;
    let ids: Vec<&Value> = first["data"].as_array().unwrap().iter().map(|page| &page["id"]).collect();
    assert_eq!(ids, [PAGE, OTHER_PAGE]);
    assert_eq!(first["data"][0].get("access_token"), None, "it was not asked for");
    assert!(text(&first["data"][0]["picture"]["data"]["url"]).starts_with(&bench.sim.origin()));
    assert!(first["paging"].get("previous").is_none());

    let next = Url::parse(&text(&first["paging"]["next"])).unwrap();
    assert!(next.as_str().starts_with(&format!("{}/v26.0/1221", bench.sim.origin())));
    assert_eq!(parameter(&next, "access_token"), person.token);
    let second = body(sent(bench.http.get(next)).await, StatusCode::OK).await;
    assert_eq!(second["data"][0]["tasks"], json!(["ANALYZE"]));
    assert_eq!((&second["data"][0]["id"], second["data"].as_array().unwrap().len()), (&json!(ARCHIVE), 1));
    assert!(second["paging"].get("next").is_none());
    let after = text(&first["paging"]["cursors"]["after"]);
    let by_cursor = person.read(&format!("me/accounts?fields=id&after={after}")).await;
    assert_eq!(by_cursor["data"], json!([{ "id": ARCHIVE }]));
    assert_eq!(code(person.get("me/accounts?after=x")).await, (100, 0));
    assert_eq!(code(person.get("me/accounts?limit=0")).await, (100, 0));

    bench.sim.change(|settings| {
        settings.empty_first_pages = true;
        settings.paging_origin = "https://evil.example".to_owned();
    });
    let empty = person.read("me/accounts").await;
    assert_eq!(empty["data"], json!([]));
    let next = text(&empty["paging"]["next"]);
    assert!(next.starts_with("https://evil.example/v26.0/"), "{next}");
    let next = next.replace("https://evil.example", &bench.sim.origin());
    assert_eq!(body(sent(bench.http.get(next)).await, StatusCode::OK).await["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_token_can_be_looked_into() {
    let bench = Bench::start().await;
    let Settings { app_id, app_secret, .. } = bench.sim.settings();
    let app = format!("{app_id}|{app_secret}");
    let look = async |token: &str| {
        let query = [("input_token", token), ("access_token", &app)];
        body(sent(bench.http.get(bench.url("debug_token")).query(&query)).await, StatusCode::OK).await["data"].clone()
    };
    let person = bench.person("pages_show_list");
    let page = person.page(PAGE).await;
    let seen = look(&page.token).await;
    assert_eq!((&seen["type"], &seen["profile_id"], &seen["expires_at"]), (&json!("PAGE"), &json!(PAGE), &json!(0)));
    let seen = look(&person.token).await;
    assert_eq!((&seen["is_valid"], &seen["scopes"]), (&json!(true), &json!(["public_profile", "pages_show_list"])));
    assert_eq!(seen["user_id"], "122100000000000001");
    assert!(seen["expires_at"].as_u64() < seen["data_access_expires_at"].as_u64());
    bench.sim.remove_app(PERSON);
    let seen = look(&person.token).await;
    assert_eq!((&seen["is_valid"], &seen["error"]["subcode"]), (&json!(false), &json!(458)));
    assert_eq!(look("nonsense").await["is_valid"], false);

    let own = bench.person("pages_show_list");
    let mine = own.get(&format!("debug_token?input_token={}", own.token));
    assert_eq!(body(sent(mine).await, StatusCode::OK).await["data"]["is_valid"], true);
    assert_eq!(code(own.get("debug_token")).await, (100, 0));
    assert_eq!(code(person.get("debug_token?input_token=x")).await, (190, 458));
    assert_eq!(code(own.post("debug_token", &[("input_token", "x")])).await, (100, 33));
    assert_eq!(code(bench.http.get(bench.url("debug_token?input_token=x"))).await, (2500, 0));
}

#[tokio::test]
async fn every_secret_is_on_record_and_begins_as_told() {
    let bench = Bench::with(Settings { token_prefix: "MARKED".to_owned(), ..Settings::default() }).await;
    let person = bench.short(SCOPES).await;
    person.page(PAGE).await;
    let issued = bench.sim.tokens();
    let kinds: Vec<Kind> = issued.iter().map(|issued| issued.kind).collect();
    assert_eq!(kinds[..3], [Kind::Code, Kind::ShortLived, Kind::Page]);
    assert!(issued.iter().all(|issued| issued.value.starts_with("MARKED")));
    assert_eq!(issued[1].value, person.token);
}

//! The connector against a server that the tests play, request by request.

mod counting;
mod publishing;
mod reconciling;

use super::Mastodon;
use orla_sdk::manifest::{Auth, FieldKind, Sign, link_header};
use orla_sdk::testing::{Answer, answer, play};
use orla_sdk::{Account, Connector, Fault, FaultKind, Identity, Remove, Response, time};
use serde_json::{Value, json};

fn account() -> Account {
    Account { vendor_id: "14715".to_owned(), handle: "ada".to_owned(), target: None }
}

/// What the server says of a status, with its address.
fn status(id: &str, content: &str, created_at: &str, in_reply_to: Option<&str>, media: usize) -> Value {
    json!({
        "id": id,
        "url": address(id),
        "created_at": created_at,
        "in_reply_to_id": in_reply_to,
        "content": content,
        "media_attachments": vec![json!({ "id": "77" }); media],
    })
}

fn address(id: &str) -> String {
    format!("https://social.example/@ada/{id}")
}

/// The fault of asking whose account it is, where the server answers this.
fn refused(response: Response) -> Fault {
    let answered = Answer::Response(response);
    play(move |_line| answered.clone(), || Mastodon::whoami(&account())).result.unwrap_err()
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = Mastodon::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!((manifest.id.as_str(), manifest.name.as_str()), ("mastodon", "Mastodon"));
    let Auth::Fields(form) = &manifest.auth else { panic!("an account is connected by fields") };
    let kinds: Vec<_> = form.fields.iter().map(|field| (field.name.as_str(), field.kind)).collect();
    assert_eq!(kinds, [("instance", FieldKind::Origin), ("token", FieldKind::Secret)]);
    assert_eq!(form.token.as_deref(), Some("token"));
    assert_eq!(manifest.endpoints["api"].sign, Sign::Bearer);
    assert_eq!(manifest.links[0].at, link_header("next"));
}

#[test]
fn the_form_names_the_scopes() {
    let Auth::Fields(form) = Mastodon::manifest().auth else { panic!("an account is connected by fields") };
    let help = form.named("token").unwrap().help.as_deref().unwrap();
    for scope in ["read:accounts", "read:statuses", "write:statuses", "write:media"] {
        assert!(help.contains(scope), "{scope}");
    }
}

#[test]
fn whoami_names_the_account() {
    let me = json!({ "id": "14715", "username": "ada", "acct": "ada", "display_name": "Ada Lovelace" });
    let played = play(move |_line| answer(200, &me), || Mastodon::whoami(&account()));
    assert_eq!(played.lines, ["read GET /api/v1/accounts/verify_credentials"]);
    let profile = played.result.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str()), ("14715", "ada"));
    assert_eq!(profile.name.as_deref(), Some("Ada Lovelace"));
}

#[test]
fn a_display_name_may_be_empty_or_absent() {
    for me in [json!({ "id": "1", "username": "ada", "display_name": " " }), json!({ "id": "1", "username": "ada" })] {
        let played = play(move |_line| answer(200, &me), || Mastodon::whoami(&account()));
        assert_eq!(played.result.unwrap().name, None);
    }
}

#[test]
fn each_status_has_its_kind() {
    let expected = [
        (400, FaultKind::Invalid),
        (401, FaultKind::AuthExpired),
        (403, FaultKind::ScopeMissing),
        (404, FaultKind::NotFound),
        (410, FaultKind::NotFound),
        (413, FaultKind::TooLarge),
        (422, FaultKind::Invalid),
        (429, FaultKind::RateLimited),
        (500, FaultKind::VendorDown),
        (502, FaultKind::VendorDown),
        (503, FaultKind::VendorDown),
        (504, FaultKind::VendorDown),
    ];
    for (status, kind) in expected {
        let fault = refused(Response::new(status, &[], r#"{ "error": "In the server's words." }"#));
        assert_eq!((fault.kind, fault.message.as_str()), (kind, "In the server's words."), "{status}");
    }
}

#[test]
fn a_description_says_more_than_the_error_and_a_page_says_nothing() {
    let body = r#"{ "error": "invalid_token", "error_description": "The access token was revoked" }"#;
    assert_eq!(refused(Response::new(401, &[], body)).message, "The access token was revoked");
    let fault = refused(Response::new(502, &[], "<html>Bad gateway</html>"));
    assert_eq!(fault.message, "The vendor answered 502 to GET /api/v1/accounts/verify_credentials.");
}

#[test]
fn a_limit_ends_when_the_server_says_by_its_own_clock() {
    let date = ("date", "Mon, 04 May 2026 09:00:00 GMT");
    let reset = ("x-ratelimit-reset", "2026-05-04T09:04:30.000Z");
    let fault = refused(Response::new(429, &[date, reset], "{}"));
    assert_eq!((fault.kind, fault.retry_after_ms), (FaultKind::RateLimited, Some(270_000)));
    assert_eq!(refused(Response::new(429, &[date], "{}")).retry_after_ms, None);
    assert_eq!(refused(Response::new(429, &[date, ("x-ratelimit-reset", "soon")], "{}")).retry_after_ms, None);
    assert_eq!(refused(Response::new(403, &[date, reset], "{}")).retry_after_ms, None);
}

#[test]
fn a_limit_without_a_date_counts_from_the_runs_clock() {
    let began_ms = time::rfc3339_ms("2026-05-04T09:04:00Z").unwrap();
    let slow_down = Answer::Response(Response::new(429, &[("x-ratelimit-reset", "2026-05-04T09:04:30.000Z")], "{}"));
    let whoami = || Mastodon::whoami(&account());
    let played = orla_sdk::testing::play_at(began_ms, move |_line| slow_down.clone(), whoami);
    assert_eq!(played.result.unwrap_err().retry_after_ms, Some(30_000));
}

#[test]
fn a_status_is_removed_and_so_is_one_that_is_gone() {
    for gone in [200, 404, 410] {
        let played = play(move |_line| answer(gone, &json!({})), || Mastodon::remove(&account(), "10/0"));
        assert_eq!(played.lines, ["prepare remove/10/0 DELETE /api/v1/statuses/10%2F0"]);
        assert_eq!(played.result, Ok(()));
    }
    let played = play(|_line| answer(403, &json!({})), || Mastodon::remove(&account(), "10"));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::ScopeMissing);
}

//! The connector against a Facebook that the tests play, request by request.

mod commenting;
mod publishing;
mod reconciling;
mod refusing;
mod videos;

use super::Facebook;
use orla_sdk::manifest::{Auth, Refresh, RevokeBy, Sign, pointer};
use orla_sdk::testing::{Answer, answer, media, part, play, variant};
use orla_sdk::{Account, Connector, Fault, FaultKind, Identity, Media, Publish, Remove, Variant};
use serde_json::{Value, json};

const PAGE: &str = "615";

fn account() -> Account {
    Account { vendor_id: "122".to_owned(), handle: "Ada".to_owned(), target: Some(PAGE.to_owned()) }
}

/// A refusal in Facebook's form.
fn problem(status: u16, code: u32, message: &str) -> Answer {
    answer(status, &json!({ "error": { "message": message, "type": "OAuthException", "code": code } }))
}

fn photo() -> Media {
    media("image/png", 70_000, None)
}

/// The codes of what is wrong with a variant, each with its member.
fn violations(variant: &Variant) -> Vec<(String, String)> {
    Facebook::check(variant, &[]).into_iter().map(|found| (found.field, found.code)).collect()
}

fn found(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = Facebook::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!((manifest.id.as_str(), manifest.platform()), ("facebook", "facebook"));
    for name in ["api", "video"] {
        let endpoint = &manifest.endpoints[name];
        assert_eq!((&endpoint.sign, endpoint.proof.as_deref()), (&Sign::Bearer, Some("appsecret_proof")));
    }
    assert_eq!(manifest.links[0].at, pointer("/paging/next"));
    assert_eq!((manifest.slots[0].name.as_str(), manifest.slots[0].secret.as_str()), ("page", "/access_token"));
}

#[test]
fn tokens_are_exchanged_for_longer_lived_ones_before_they_end() {
    let Auth::Oauth2(oauth) = Facebook::manifest().auth else { panic!("an account is connected by OAuth") };
    assert_eq!(oauth.exchange[0].token_param, "fb_exchange_token");
    let Refresh::Exchange { exchange, before_s } = &oauth.refresh else { panic!("there is no refresh token") };
    assert_eq!((exchange, *before_s), (&oauth.exchange[0], 30 * 24 * 3_600));
    assert_eq!(oauth.revoke.map(|revoke| revoke.by), Some(RevokeBy::BearerDelete));
}

#[test]
fn whoami_names_the_person_and_the_pages_to_post_to() {
    let accounts = json!({
        "data": [
            { "id": "615", "name": "Coffee", "access_token": "[redacted]", "tasks": ["MANAGE", "CREATE_CONTENT"] },
            { "id": "616", "name": "Archive", "access_token": "[redacted]", "tasks": ["ANALYZE"] },
        ],
        "paging": { "cursors": { "before": "a", "after": "b" }, "next": "orla-link:b3Js" },
    });
    let rest = json!({
        "data": [{ "id": "617", "name": "Roastery", "tasks": ["CREATE_CONTENT"] }, { "id": "618", "name": "Bare" }],
        "paging": { "cursors": { "before": "c", "after": "d" } },
    });
    let vendor = move |line: &str| match line {
        "read GET /v26.0/me?fields=id,name" => answer(200, &json!({ "id": "122", "name": "Ada Lovelace" })),
        "read GET orla-link:b3Js" => answer(200, &rest),
        _ => answer(200, &accounts),
    };
    let played = play(vendor, || Facebook::whoami(&account()));
    assert_eq!(
        played.lines,
        [
            "read GET /v26.0/me?fields=id,name",
            "read GET /v26.0/me/accounts?fields=id,name,access_token,tasks&limit=100",
            "read GET orla-link:b3Js",
        ]
    );
    let profile = played.result.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str()), ("122", "Ada Lovelace"));
    assert_eq!(profile.name.as_deref(), Some("Ada Lovelace"));
    let targets: Vec<_> =
        profile.targets.iter().map(|page| (page.id.as_str(), page.name.as_str(), page.kind.as_str())).collect();
    assert_eq!(targets, [("615", "Coffee", "page"), ("617", "Roastery", "page")]);
}

#[test]
fn an_empty_list_may_go_on_and_one_that_leads_elsewhere_is_not_cut_short() {
    let vendor = |line: &str| match line {
        "read GET /v26.0/me?fields=id,name" => answer(200, &json!({ "id": "122", "name": "Ada" })),
        "read GET orla-link:b3Js" => answer(200, &json!({ "data": [], "paging": { "next": Value::Null } })),
        _ => answer(200, &json!({ "data": [], "paging": { "next": "orla-link:b3Js" } })),
    };
    let played = play(vendor, || Facebook::whoami(&account()));
    assert_eq!(played.lines.len(), 3);
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
}

#[test]
fn a_post_is_removed_with_its_pages_token_and_so_is_one_that_is_gone() {
    let gone = json!({ "error": { "message": "Unsupported", "code": 100, "error_subcode": 33 } });
    for answered in [answer(200, &json!({ "success": true })), answer(400, &gone)] {
        let played = play(move |_line| answered.clone(), || Facebook::remove(&account(), "700_1"));
        assert_eq!(played.lines, ["prepare remove/700_1 DELETE /v26.0/700_1 as page:700"]);
        assert_eq!(played.result, Ok(()));
    }
    let played = play(|_line| answer(200, &json!({ "success": true })), || Facebook::remove(&account(), "88"));
    assert_eq!(played.lines, ["prepare remove/88 DELETE /v26.0/88 as page:615"]);
    let kept = play(|_line| answer(200, &json!({ "success": false })), || Facebook::remove(&account(), "615_1"));
    assert_eq!(kept.result.unwrap_err().kind, FaultKind::Vendor);
    let refused = play(|_line| problem(403, 200, "(#200) Permissions error"), || Facebook::remove(&account(), "615_1"));
    assert_eq!(refused.result.unwrap_err().kind, FaultKind::ScopeMissing);
}

#[test]
fn a_text_has_at_most_63206_characters() {
    assert_eq!(violations(variant(vec![part(&"é".repeat(63_206), vec![])])), []);
    let long = variant(vec![part(&"é".repeat(63_208), vec![])]);
    assert_eq!(violations(long), found(&[("parts/0/text", "text_too_long")]));
    assert!(Facebook::check(long, &[])[0].message.ends_with("this one has 63208, 2 too many."));
    assert_eq!(violations(variant(vec![part(" \n", vec![])])), found(&[("parts/0/text", "empty")]));
    assert_eq!(violations(variant(vec![part("", vec![photo()])])), []);
}

#[test]
fn a_post_has_one_part_and_ten_photos_or_one_video() {
    assert_eq!(violations(variant(vec![])), found(&[("parts", "empty")]));
    let two = variant(vec![part("one", vec![]), part("two", vec![])]);
    assert_eq!(violations(two), found(&[("parts", "too_many_parts")]));
    let photos = |count: usize| variant(vec![part("", (0..count).map(|_| photo()).collect())]);
    assert_eq!(violations(photos(10)), []);
    assert_eq!(violations(photos(11)), found(&[("parts/0/media", "too_many_media")]));
    let video = || media("video/mp4", 1 << 30, None);
    assert_eq!(violations(variant(vec![part("", vec![video()])])), []);
    let mixed = variant(vec![part("", vec![video(), photo()])]);
    assert_eq!(violations(mixed), found(&[("parts/0/media", "mixed_media")]));
}

#[test]
fn media_have_a_type_and_a_size() {
    let media = vec![
        media("image/webp", 10, None),
        media("image/jpeg", (4 << 20) + 1, None),
        media("image/gif", 0, None),
        media("image/bmp", 4 << 20, None),
    ];
    let expected =
        [("parts/0/media/0", "media_type"), ("parts/0/media/1", "media_too_large"), ("parts/0/media/2", "media_empty")];
    assert_eq!(violations(variant(vec![part("", media)])), found(&expected));
}

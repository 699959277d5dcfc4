//! The connector against an Instagram that the tests play, request by request.

mod commenting;
mod publishing;
mod reconciling;
mod refusing;
mod videos;

use super::Instagram;
use orla_sdk::manifest::{Auth, Member, Refresh, RevokeBy, Sign, pointer};
use orla_sdk::testing::{Answer, answer, media, part, play, variant};
use orla_sdk::{Account, Connector, Fact, FaultKind, Identity, Media, Part, Publish, Variant};
use serde_json::{Value, json};

fn account() -> Account {
    Account { vendor_id: "122".to_owned(), handle: "Ada".to_owned(), target: Some("178".to_owned()) }
}

/// A refusal in the Graph API's form.
fn problem(status: u16, code: u32, subcode: u32) -> Answer {
    let error = json!({ "message": "No.", "type": "OAuthException", "code": code, "error_subcode": subcode });
    answer(status, &json!({ "error": error }))
}

fn photo(size: u64) -> Media {
    media("image/jpeg", size, None)
}

fn film() -> Media {
    media("video/mp4", 10, None)
}

/// A variant with these choices.
fn chosen(parts: Vec<Part>, extras: &[(&str, &str)], first_comment: Option<&str>) -> &'static Variant {
    let fact = |(name, value): &(&str, &str)| Fact { name: (*name).to_owned(), value: (*value).to_owned() };
    // It lives as long as the test's process: no host is there to take the blobs back.
    Box::leak(Box::new(Variant {
        parts,
        title: None,
        link: None,
        first_comment: first_comment.map(str::to_owned),
        privacy: None,
        extras: extras.iter().map(fact).collect(),
    }))
}

/// The codes of what is wrong with a variant, each with its member.
fn violations(variant: &Variant) -> Vec<(String, String)> {
    Instagram::check(variant, &[]).into_iter().map(|found| (found.field, found.code)).collect()
}

fn found(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = Instagram::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!((manifest.id.as_str(), manifest.platform()), ("instagram", "instagram"));
    assert_eq!(manifest.endpoints["api"].proof.as_deref(), Some("appsecret_proof"));
    let oauth = Sign::Header { name: "Authorization".to_owned(), value: "OAuth {token}".to_owned() };
    assert_eq!(manifest.endpoints["upload"].sign, oauth);
    assert_eq!(manifest.links[0].at, pointer("/paging/next"));
    let publishing = manifest.publishing.unwrap();
    assert_eq!(publishing.takes, [Member::FirstComment]);
    let pulled: Vec<(&str, bool)> =
        publishing.media.iter().map(|rule| (rule.content_type.as_str(), rule.pulled)).collect();
    let expected = [("image/jpeg", true), ("image/png", true), ("video/mp4", false), ("video/quicktime", false)];
    assert_eq!(pulled, expected, "images are fetched, films are uploaded");
    assert_eq!(publishing.media[1].becomes.as_deref(), Some("image/jpeg"));
}

#[test]
fn tokens_are_exchanged_for_longer_lived_ones_before_they_end() {
    let Auth::Oauth2(oauth) = Instagram::manifest().auth else { panic!("an account is connected by OAuth") };
    assert_eq!(oauth.exchange[0].token_param, "fb_exchange_token");
    let Refresh::Exchange { exchange, before_s } = &oauth.refresh else { panic!("there is no refresh token") };
    assert_eq!((exchange, *before_s), (&oauth.exchange[0], 30 * 24 * 3_600));
    assert_eq!(oauth.revoke.map(|revoke| revoke.by), Some(RevokeBy::BearerDelete));
}

#[test]
fn whoami_names_the_person_and_the_accounts_to_post_to() {
    let linked = |id: &str, name: &str| json!({ "id": id, "username": name });
    let pages = json!({
        "data": [
            { "id": "1", "tasks": ["CREATE_CONTENT"], "instagram_business_account": linked("178", "coffee") },
            { "id": "2", "tasks": ["ANALYZE"], "instagram_business_account": linked("179", "archive") },
            { "id": "3", "tasks": ["MANAGE"] },
        ],
        "paging": { "cursors": { "before": "a", "after": "b" }, "next": "orla-link:b3Js" },
    });
    let rest = json!({
        "data": [
            { "id": "4", "tasks": ["MANAGE"], "instagram_business_account": linked("180", "roastery") },
            { "id": "5", "instagram_business_account": linked("181", "bare") },
        ],
        "paging": {},
    });
    let vendor = move |line: &str| match line {
        "read GET /v26.0/me?fields=id,name" => answer(200, &json!({ "id": "122", "name": "Ada Lovelace" })),
        "read GET orla-link:b3Js" => answer(200, &rest),
        _ => answer(200, &pages),
    };
    let played = play(vendor, || Instagram::whoami(&account()));
    let list = "read GET /v26.0/me/accounts?fields=tasks,instagram_business_account{id,username}&limit=100";
    assert_eq!(played.lines, ["read GET /v26.0/me?fields=id,name", list, "read GET orla-link:b3Js"]);
    let profile = played.result.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str()), ("122", "Ada Lovelace"));
    let targets: Vec<_> =
        profile.targets.iter().map(|one| (one.id.as_str(), one.name.as_str(), one.kind.as_str())).collect();
    assert_eq!(targets, [("178", "@coffee", "account"), ("180", "@roastery", "account")]);
}

#[test]
fn a_list_that_leads_elsewhere_is_not_cut_short() {
    let vendor = |line: &str| match line {
        "read GET /v26.0/me?fields=id,name" => answer(200, &json!({ "id": "122", "name": "Ada" })),
        _ => answer(200, &json!({ "data": [], "paging": { "next": Value::Null } })),
    };
    let played = play(vendor, || Instagram::whoami(&account()));
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
}

#[test]
fn a_post_has_one_part_with_one_to_ten_media() {
    assert_eq!(violations(variant(vec![])), found(&[("parts", "empty")]));
    let two = variant(vec![part("one", vec![photo(1)]), part("two", vec![photo(1)])]);
    assert_eq!(violations(two), found(&[("parts", "too_many_parts")]));
    assert_eq!(violations(variant(vec![part("words", vec![])])), found(&[("parts/0/media", "no_media")]));
    let photos = |count: usize| variant(vec![part("", (0..count).map(|_| photo(1)).collect())]);
    assert_eq!(violations(photos(10)), []);
    assert_eq!(violations(photos(11)), found(&[("parts/0/media", "too_many_media")]));
    assert_eq!(violations(variant(vec![part("", vec![film(), photo(1)])])), []);
}

#[test]
fn captions_and_first_comments_have_limits() {
    let post = |text: &str| violations(variant(vec![part(text, vec![photo(1)])]));
    assert_eq!(post(&"é".repeat(2_200)), []);
    assert_eq!(post(&"é".repeat(2_201)), found(&[("parts/0/text", "text_too_long")]));
    assert_eq!(post(&"#a1 ".repeat(30)), []);
    assert_eq!(post(&"#a1 ".repeat(31)), found(&[("parts/0/text", "too_many_hashtags")]));
    assert_eq!(post(&"@ada ".repeat(20)), []);
    assert_eq!(post(&"@ada ".repeat(21)), found(&[("parts/0/text", "too_many_mentions")]));
    assert_eq!(post(&"ada@example.org # ## a#b ".repeat(21)), [], "these are neither");
    let commented = |words: &str| violations(chosen(vec![part("", vec![photo(1)])], &[], Some(words)));
    assert_eq!(commented("#tea"), []);
    assert_eq!(commented(" "), found(&[("first_comment", "empty")]));
    assert_eq!(commented(&"#a ".repeat(31)), found(&[("first_comment", "too_many_hashtags")]));
}

#[test]
fn media_have_a_type_a_size_and_a_description() {
    let long = "x".repeat(1_001);
    let media = vec![
        media("image/png", 10, None),
        photo((8 << 20) + 1),
        photo(0),
        media("video/quicktime", (300 << 20) + 1, Some(&long)),
        media("image/jpeg", 1, Some(&long)),
    ];
    let expected = [
        ("parts/0/media/0", "media_type"),
        ("parts/0/media/1", "media_too_large"),
        ("parts/0/media/2", "media_empty"),
        ("parts/0/media/3", "media_too_large"),
        ("parts/0/media/4/alt_text", "alt_text_too_long"),
    ];
    assert_eq!(violations(variant(vec![part("", media)])), found(&expected));
}

#[test]
fn stories_and_reels_are_what_they_are() {
    let story = |parts| violations(chosen(parts, &[("story", "true")], None));
    assert_eq!(story(vec![part("", vec![photo(1)])]), []);
    assert_eq!(story(vec![part("Words", vec![photo(1)])]), found(&[("parts/0/text", "story_text")]));
    assert_eq!(story(vec![part("", vec![photo(1), photo(2)])]), found(&[("parts/0/media", "too_many_media")]));
    let large = media("video/mp4", (100 << 20) + 1, None);
    assert_eq!(story(vec![part("", vec![large])]), found(&[("parts/0/media/0", "media_too_large")]));
    let commented = chosen(vec![part("", vec![photo(1)])], &[("story", "true")], Some("Nice"));
    assert_eq!(violations(commented), found(&[("first_comment", "story_comment")]));
    let shared = |media| violations(chosen(vec![part("", media)], &[("share_to_feed", "false")], None));
    assert_eq!(shared(vec![film()]), []);
    assert_eq!(shared(vec![photo(1)]), found(&[("extras/share_to_feed", "no_reel")]));
}

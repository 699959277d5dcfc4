//! The connector against a YouTube that the tests play, request by request.

mod checking;
mod commenting;
mod reconciling;
mod refusing;
mod uploading;
mod watching;

use super::YouTube;
use orla_sdk::manifest::{AnswerPlace, Auth, ClientAuth, Meaning, RevokeBy, Sign};
use orla_sdk::testing::{Answer, answer, media, part, play, post};
use orla_sdk::{
    Account, Committed, Confirmed, Connector, FaultKind, Identity, PartOutcome, Progress, Receipt, Remove, Response,
    Variant,
};
use serde_json::{Value, json};

const CHANNEL: &str = "UCada";

fn account() -> Account {
    Account { vendor_id: CHANNEL.to_owned(), handle: "ada".to_owned(), target: None }
}

/// An answer with headers, as YouTube gives it at an hour of a day.
fn told(status: u16, headers: &[(&str, &str)], body: &Value) -> Answer {
    let date = [("date", "Mon, 04 May 2026 09:00:00 GMT")];
    let headers: Vec<(&str, &str)> = date.into_iter().chain(headers.iter().copied()).collect();
    Answer::Response(Response::new(status, &headers, if body.is_null() { String::new() } else { body.to_string() }))
}

/// A refusal in YouTube's form.
fn problem(status: u16, reason: &str) -> Answer {
    let errors = json!([{ "message": "No.", "domain": "youtube.common", "reason": reason }]);
    told(status, &[], &json!({ "error": { "code": status, "message": "No.", "errors": errors } }))
}

/// A video of so many bytes with a title and a description.
fn film(size: u64) -> Variant {
    let parts = vec![part("How we bake", vec![media("video/mp4", size, None)])];
    Variant { parts, title: Some("Bread".to_owned()), ..post(&[]) }
}

/// A variant that only a host may drop.
fn kept(variant: Variant) -> &'static Variant {
    Box::leak(Box::new(variant))
}

fn done(key: &str, id: &str, url: &str) -> Confirmed {
    Confirmed { key: key.to_owned(), committed: Committed { id: id.to_owned(), url: Some(url.to_owned()) } }
}

fn live() -> Progress {
    let parts = vec![PartOutcome::Done(done("part/0", "vid1", "https://youtu.be/vid1"))];
    Progress::Published(Receipt { parts, first_comment: None })
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = YouTube::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!((manifest.id.as_str(), manifest.platform()), ("youtube", "youtube"));
    assert_eq!(manifest.endpoints["api"].sign, Sign::Bearer);
    assert_eq!(manifest.endpoints["tokens"].host_only, ["/*"]);
    assert_eq!(manifest.links[0].at, AnswerPlace::Header("location".to_owned()));
    assert_eq!((manifest.verdicts[0].status, manifest.verdicts[0].means), (308, Meaning::Unfinished));
}

#[test]
fn access_is_asked_for_offline_and_by_consent_so_that_it_can_be_renewed() {
    let Auth::Oauth2(oauth) = YouTube::manifest().auth else { panic!("an account is connected by OAuth") };
    let params: Vec<(&str, &str)> =
        oauth.authorize_params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(params, [("access_type", "offline"), ("prompt", "consent")]);
    assert_eq!((oauth.client_auth, oauth.revoke.map(|revoke| revoke.by)), (ClientAuth::Body, Some(RevokeBy::Token)));
    assert_eq!((oauth.scopes.len(), oauth.optional_scopes.len()), (2, 1));
}

#[test]
fn whoami_names_the_channel() {
    let channel = json!({ "id": CHANNEL, "snippet": { "title": "Ada's bakery", "customUrl": "@ada" } });
    let played = play(move |_line| answer(200, &json!({ "items": [channel] })), || YouTube::whoami(&account()));
    assert_eq!(played.lines, ["read GET /youtube/v3/channels?part=snippet&mine=true"]);
    let profile = played.result.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str()), (CHANNEL, "ada"));
    assert_eq!((profile.name.as_deref(), profile.targets.len()), (Some("Ada's bakery"), 0));
    let nameless = json!({ "items": [{ "id": CHANNEL, "snippet": { "title": "Ada's bakery" } }] });
    let played = play(move |_line| answer(200, &nameless), || YouTube::whoami(&account()));
    assert_eq!(played.result.unwrap().handle, "Ada's bakery");
}

#[test]
fn an_account_without_a_channel_is_told_to_begin_one() {
    for nothing in [json!({ "items": [] }), json!({ "pageInfo": { "totalResults": 0 } })] {
        let played = play(move |_line| answer(200, &nothing), || YouTube::whoami(&account()));
        let fault = played.result.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::NotFound, Some("youtubeSignupRequired")));
        assert!(fault.message.contains("create_channel"), "{fault}");
    }
}

#[test]
fn a_video_is_removed_and_so_is_one_that_is_gone() {
    for answered in [answer(204, &Value::Null), problem(404, "videoNotFound")] {
        let played = play(move |_line| answered.clone(), || YouTube::remove(&account(), "vid1"));
        assert_eq!(played.lines, ["prepare remove/vid1 DELETE /youtube/v3/videos?id=vid1"]);
        assert_eq!(played.result, Ok(()));
    }
    let refused = play(|_line| problem(403, "insufficientPermissions"), || YouTube::remove(&account(), "vid1"));
    assert_eq!(refused.result.unwrap_err().kind, FaultKind::ScopeMissing);
}

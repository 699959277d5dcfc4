//! Accounts of people: who they are, where they may have videos made, and what is refused there.

use super::{NAME, account, saying};
use crate::{CLOUD_PLATFORM, Vertex};
use orla_sdk::manifest::{ClientAuth, RevokeBy};
use orla_sdk::testing::{Answer, answer, play, video_wish};
use orla_sdk::{Account, Connector, FaultKind, Identity, Profile, Result, Target, VideoModel};
use serde_json::{Value, json};

const WHO: &str = "read GET /v1/userinfo";
const FIRST: &str = "read GET /v3/projects:search?pageSize=100";
const SECOND: &str = "read GET /v3/projects:search?pageSize=100&pageToken=two";

fn target(id: &str, name: &str) -> Target {
    Target { id: id.to_owned(), name: name.to_owned(), kind: "project".to_owned() }
}

/// A Google at which Ada has these pages of projects, by the tokens that ask for them.
fn google(pages: Vec<(&'static str, Value)>) -> impl FnMut(&str) -> Answer + 'static {
    move |line| match pages.iter().find(|(asked, _)| *asked == line) {
        Some((_, page)) => answer(200, page),
        None if line == WHO => {
            answer(200, &json!({ "sub": "1050", "email": "ada@example.com", "email_verified": true }))
        }
        None => answer(404, &json!({})),
    }
}

fn whoami(vendor: impl FnMut(&str) -> Answer + 'static) -> (Vec<String>, Result<Profile>) {
    let played = play(vendor, || Vertex::whoami(&account()));
    (played.lines, played.result)
}

#[test]
fn people_are_asked_for_lasting_access_and_service_accounts_for_their_key() {
    let auth = Vertex::manifest().auth;
    let oauth = auth.oauth2().expect("people are connected");
    let params: Vec<(&str, &str)> =
        oauth.authorize_params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(params, [("access_type", "offline"), ("prompt", "consent")]);
    assert_eq!(
        (oauth.client_auth, oauth.revoke.as_ref().map(|revoke| revoke.by)),
        (ClientAuth::Body, Some(RevokeBy::Token))
    );
    let account = auth.service_account().expect("service accounts are connected");
    assert_eq!(account.scopes, [CLOUD_PLATFORM]);
    assert_eq!(auth.scopes().len(), 3, "what both ask for is asked for once");
}

#[test]
fn whoami_names_the_person_and_the_projects_that_are_not_being_deleted() {
    let project =
        |id: &str, name: Option<&str>, state: &str| json!({ "projectId": id, "displayName": name, "state": state });
    let first = [project("acme-films", Some("Films"), "ACTIVE"), project("acme-old", Some("Old"), "DELETE_REQUESTED")];
    let second = [project("acme-trials", Some(" "), "ACTIVE"), project("acme-7", None, "ACTIVE")];
    let pages =
        vec![(FIRST, json!({ "projects": first, "nextPageToken": "two" })), (SECOND, json!({ "projects": second }))];
    let (lines, profile) = whoami(google(pages));
    assert_eq!(lines, [WHO, FIRST, SECOND]);
    let profile = profile.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str(), profile.name), ("1050", "ada@example.com", None));
    let wanted = [("acme-films", "Films"), ("acme-trials", "acme-trials"), ("acme-7", "acme-7")];
    assert_eq!(profile.targets, wanted.map(|(id, name)| target(id, name)));
}

#[test]
fn whoami_stops_at_so_many_projects_and_refuses_to_be_sent_round_in_circles() {
    let mut page = 0;
    let endless = move |line: &str| {
        if line == WHO {
            return answer(200, &json!({ "sub": "1", "email": "a@b" }));
        }
        page += 1;
        let project = json!({ "projectId": format!("p{page}"), "state": "ACTIVE" });
        answer(200, &json!({ "projects": [project], "nextPageToken": format!("t{page}") }))
    };
    let (lines, profile) = whoami(endless);
    assert_eq!((lines.len(), profile.unwrap().targets.len()), (21, 20));
    let circle = json!({ "projects": [], "nextPageToken": "two" });
    let (_, profile) = whoami(google(vec![(FIRST, circle.clone()), (SECOND, circle)]));
    assert_eq!(profile.unwrap_err().kind, FaultKind::Vendor);
}

#[test]
fn who_has_no_project_is_told_to_make_one() {
    for nothing in [json!({}), json!({ "projects": [{ "projectId": "old", "state": "DELETE_REQUESTED" }] })] {
        let (_, profile) = whoami(google(vec![(FIRST, nothing)]));
        let fault = profile.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::NotFound, Some("no-project")));
        assert!(fault.message.contains("ada@example.com") && fault.message.contains("projectcreate"), "{fault}");
    }
}

#[test]
fn a_service_that_is_not_enabled_is_told_in_googles_words_alone() {
    let refused = |reason: &str| {
        let details = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason }]);
        json!({ "error": { "code": 403, "message": "No.", "status": "PERMISSION_DENIED", "details": details } })
    };
    let (_, profile) = whoami(move |line| match line {
        WHO => answer(200, &json!({ "sub": "1", "email": "a@b" })),
        _ => answer(403, &refused("SERVICE_DISABLED")),
    });
    let fault = profile.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::ScopeMissing, "No."));
    for (reason, advises) in
        [("IAM_PERMISSION_DENIED", true), ("USER_PROJECT_DENIED", true), ("SERVICE_DISABLED", false)]
    {
        let played = play(
            move |_line| answer(403, &refused(reason)),
            || Vertex::generate(&ada(), &video_wish("A lighthouse"), &[]).map(drop),
        );
        let fault = played.result.unwrap_err();
        assert_eq!(fault.kind, FaultKind::ScopeMissing);
        assert_eq!(fault.message.contains("Vertex AI User and Service Usage Consumer"), advises, "{reason}: {fault}");
    }
}

fn ada() -> Account {
    Account { vendor_id: "1050".to_owned(), handle: "ada@example.com".to_owned(), target: Some("acme".to_owned()) }
}

#[test]
fn a_persons_video_is_made_in_the_project_that_he_names_and_counts_there() {
    let vendor = saying(json!({ "name": NAME }));
    let played = play(vendor, || Vertex::generate(&ada(), &video_wish("A lighthouse"), &[]).map(drop));
    played.result.unwrap();
    assert_eq!(played.lines.len(), 2);
    assert!(played.lines.iter().all(|line| line.contains("/v1/projects/acme/")), "{:?}", played.lines);
}

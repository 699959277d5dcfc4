//! The connector against a Dropbox that the tests play.

use super::{Dropbox, ascii};
use orla_sdk::testing::{Answer, answer, play};
use orla_sdk::{Account, Connector, Drive, DriveEntry, DrivePage, EntryKind, Fault, FaultKind, Identity, Response};
use serde_json::{Value, json};
use std::mem::ManuallyDrop;

fn account() -> Account {
    Account { vendor_id: "dbid:AA".to_owned(), handle: "ada@example.com".to_owned(), target: None }
}

fn logo() -> Value {
    json!({
        ".tag": "file", "name": "Größe 🦀.PNG", "id": "id:a4ayc", "path_lower": "/größe 🦀.png",
        "client_modified": "2020-01-02T03:04:05Z", "server_modified": "2026-01-02T03:04:05Z", "rev": "015f", "size": 7_212,
        "is_downloadable": true,
    })
}

fn entries() -> Vec<DriveEntry> {
    let file = DriveEntry {
        id: "id:a4ayc".to_owned(),
        name: "Größe 🦀.PNG".to_owned(),
        kind: EntryKind::File,
        size: Some(7_212),
        content_type: Some("image/png".to_owned()),
        modified_ms: Some(1_767_323_045_000),
        fetchable: true,
    };
    let folder = DriveEntry {
        id: "id:f".to_owned(),
        name: "Brand.d".to_owned(),
        kind: EntryKind::Folder,
        size: None,
        content_type: None,
        modified_ms: None,
        fetchable: false,
    };
    vec![file, folder]
}

/// A page of a folder.
fn page(cursor: &str, has_more: bool) -> Answer {
    let folder = json!({ ".tag": "folder", "name": "Brand.d", "id": "id:f", "path_lower": "/brand.d" });
    let gone = json!({ ".tag": "deleted", "name": "old.png", "path_lower": "/old.png" });
    answer(200, &json!({ "entries": [logo(), folder, gone], "cursor": cursor, "has_more": has_more }))
}

#[test]
fn the_manifest_makes_sense() {
    let manifest = Dropbox::manifest();
    assert_eq!(manifest.validate(), []);
    assert_eq!(manifest.platform(), "dropbox");
}

#[test]
fn an_account_is_asked_for_without_a_body() {
    let me = json!({ "account_id": "dbid:AA", "email": "ada@example.com", "name": { "display_name": "Ada L" } });
    let played = play(move |_line| answer(200, &me), || Dropbox::whoami(&account()));
    assert_eq!(played.lines, ["read POST /2/users/get_current_account"]);
    let profile = played.result.unwrap();
    assert_eq!((profile.vendor_id.as_str(), profile.handle.as_str()), ("dbid:AA", "ada@example.com"));
}

#[test]
fn the_root_is_the_empty_path() {
    let played = play(|_line| page("ZtkX", true), || Dropbox::list(&account(), None, None));
    assert_eq!(played.lines, [r#"read POST /2/files/list_folder {"limit":500,"path":""}"#]);
    assert_eq!(played.result, Ok(DrivePage { entries: entries(), next: Some("ZtkX".to_owned()) }));
}

#[test]
fn the_last_page_has_no_next_though_dropbox_gives_a_cursor() {
    let played = play(|_line| page("ZtkX", false), || Dropbox::list(&account(), Some("id:f"), Some("Ab")));
    assert_eq!(played.lines, [r#"read POST /2/files/list_folder/continue {"cursor":"Ab"}"#]);
    assert_eq!(played.result.unwrap().next, None);
}

#[test]
fn a_list_that_was_reset_begins_anew() {
    let vendor = |line: &str| {
        if line.contains("continue") {
            answer(409, &json!({ "error_summary": "reset/..", "error": { ".tag": "reset" } }))
        } else {
            page("New", true)
        }
    };
    let played = play(vendor, || Dropbox::list(&account(), Some("id:f"), Some("Old")));
    assert_eq!(played.lines[1], r#"read POST /2/files/list_folder {"limit":500,"path":"id:f"}"#);
    assert_eq!(played.result.unwrap().next.as_deref(), Some("New"));
}

#[test]
fn a_search_stays_in_its_folder() {
    let wrapped =
        json!({ "metadata": { ".tag": "metadata", "metadata": logo() }, "match_type": { ".tag": "filename" } });
    let unknown = json!({ "metadata": { ".tag": "other" } });
    let found = json!({ "matches": [wrapped, unknown], "has_more": true, "cursor": "S1" });
    let again = found.clone();
    let played = play(move |_line| answer(200, &found), || Dropbox::search(&account(), "größe", Some("id:f"), None));
    let options = r#"{"file_status":"active","filename_only":true,"max_results":100,"path":"id:f"}"#;
    assert_eq!(played.lines, [format!(r#"read POST /2/files/search_v2 {{"options":{options},"query":"größe"}}"#)]);
    assert_eq!(played.result, Ok(DrivePage { entries: entries().drain(..1).collect(), next: Some("S1".to_owned()) }));
    let played = play(move |_line| answer(200, &again), || Dropbox::search(&account(), "größe", None, Some("S1")));
    assert_eq!(played.lines, [r#"read POST /2/files/search/continue_v2 {"cursor":"S1"}"#]);
}

#[test]
fn a_file_is_fetched_with_its_name() {
    let told = ascii(&logo().to_string());
    let stored = Answer::Stored(Response::new(200, &[("dropbox-api-result", &told)], ""));
    let played = play(move |_line| stored.clone(), || Dropbox::fetch(&account(), "id:a4ayc"));
    assert_eq!(played.lines, ["read GET /2/files/download"]);
    // No host is here to take the blob back.
    let fetched = ManuallyDrop::new(played.result.unwrap());
    assert_eq!(fetched.name, "Größe 🦀.PNG");
}

#[test]
fn a_header_carries_ascii_alone() {
    assert_eq!(ascii(r#"{"path":"/é\u007f🦀"}"#), r#"{"path":"/\u00e9\u007f\ud83e\udd80"}"#);
    assert_eq!(ascii("\u{7f}"), "\\u007f");
}

fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Fault {
    let refusal = Answer::Response(Response::new(status, headers, body));
    play(move |_line| refusal.clone(), || Dropbox::list(&account(), None, None)).result.unwrap_err()
}

#[test]
fn each_refusal_has_its_kind() {
    let union = |error: Value| json!({ "error_summary": "padding/...", "error": error }).to_string();
    let path = |tag: &str| union(json!({ ".tag": "path", "path": { ".tag": tag } }));
    let cases = [
        (401, union(json!({ ".tag": "expired_access_token" })), FaultKind::AuthExpired, "expired_access_token"),
        (
            401,
            union(json!({ ".tag": "missing_scope", "required_scope": "files.content.read" })),
            FaultKind::ScopeMissing,
            "missing_scope",
        ),
        (409, path("not_found"), FaultKind::NotFound, "path/not_found"),
        (409, path("not_folder"), FaultKind::Invalid, "path/not_folder"),
        (409, path("not_file"), FaultKind::Invalid, "path/not_file"),
        (409, path("malformed_path"), FaultKind::Invalid, "path/malformed_path"),
        (409, union(json!({ ".tag": "unsupported_file" })), FaultKind::Invalid, "unsupported_file"),
        (
            429,
            union(json!({ "reason": { ".tag": "too_many_requests" }, "retry_after": 7 })),
            FaultKind::RateLimited,
            "too_many_requests",
        ),
    ];
    for (status, body, kind, code) in cases {
        let fault = refused(status, &[], &body);
        assert_eq!((fault.kind, fault.code.as_deref()), (kind, Some(code)), "{body}");
        assert!(fault.message.ends_with('.') && !fault.message.contains("padding"), "{}", fault.message);
        assert_eq!(fault.retry_after_ms, (status == 429).then_some(7_000));
    }
}

#[test]
fn plain_words_and_pages_are_no_unions() {
    let fault = refused(400, &[], "Error in call to API function \"files/list_folder\": request body: path");
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(fault.message.contains("request body: path"), "{}", fault.message);
    let fault = refused(503, &[("retry-after", "3")], "<html>down</html>");
    assert_eq!((fault.kind, fault.retry_after_ms), (FaultKind::VendorDown, Some(3_000)));
    assert!(!fault.message.contains("html"), "{}", fault.message);
}

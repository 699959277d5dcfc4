//! `orla connector test`: what it finds, what it lets pass, and what it says.

mod finer;

use crate::harness::{component, program};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What a run of the test kit came to.
struct Proved {
    passed: bool,
    report: String,
    /// What it says where it cannot begin, or fails.
    words: String,
}

async fn prove(id: &'static str, crate_folder: PathBuf, options: &'static [&'static str]) -> Proved {
    let run = move || {
        let mut command = Command::new(program());
        command.env_clear().args(["connector", "test", "--component"]).arg(component(id));
        command.arg("--path").arg(crate_folder).args(options).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Proved { passed: output.status.success(), report: text(output.stdout), words: text(output.stderr) }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn careless() -> PathBuf {
    repository().join("tests/guests/careless")
}

/// A folder with these cases, each with its file's name.
fn crate_with(cases: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("cases")).unwrap();
    for (name, text) in cases {
        std::fs::write(folder.path().join("cases").join(name), text).unwrap();
    }
    folder
}

/// A case of the careless connector, with its members changed.
fn case(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let text = std::fs::read_to_string(careless().join("cases").join(name)).unwrap();
    let mut case = serde_json::from_str(&text).unwrap();
    change(&mut case);
    case.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn x_passes() {
    let proved = prove("x", repository().join("plugins/x"), &["--conformance"]).await;
    assert!(proved.passed, "{}\n{}", proved.report, proved.words);
    for wanted in ["ok     image (publish): 5 requests, 65 faults", "conformance of interface reconcile"] {
        assert!(proved.report.contains(wanted), "{wanted}: {}", proved.report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_passes() {
    let proved = prove("openai", repository().join("plugins/openai"), &["--conformance"]).await;
    assert!(proved.passed, "{}\n{}", proved.report, proved.words);
    assert!(proved.report.contains("ok     chat-stream (complete): 1 request, 17 faults"), "{}", proved.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_networks_connectors_pass() {
    for id in ["mastodon", "webhook", "facebook", "instagram", "dropbox", "youtube", "vertex"] {
        let proved = prove(id, repository().join("plugins").join(id), &["--conformance"]).await;
        assert!(proved.passed, "{}\n{}", proved.report, proved.words);
    }
}

/// A case, what is altered in it, and what the kit says of that.
type Altered = (&'static str, fn(&mut Value), &'static str);

/// Lists are compared item by item, and a lost reply has to be found.
#[tokio::test(flavor = "multi_thread")]
async fn lists_and_lost_replies_are_held_against_their_cases() {
    let cases: [Altered; 3] = [
        (
            "comments.json",
            |case| case["ends"]["comments"]["items"][0]["text"] = json!("At eight"),
            "it ended in a page of 2 items, with more to come",
        ),
        ("comments.json", |case| case["ends"]["comments"]["more"] = json!(false), "with more to come"),
        (
            "reply.json",
            |case| {
                let lost = &mut case["exchanges"][0]["lost"];
                lost["there"] = lost["absent"].clone();
            },
            "`reply` is there by the case's `lost`, and a look for it gave the verdict that it is absent",
        ),
    ];
    for (name, change, wanted) in cases {
        let file = repository().join("plugins/facebook/cases").join(name);
        let mut case: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        change(&mut case);
        let folder = crate_with(&[(name, &case.to_string())]);
        let proved = prove("facebook", folder.path().to_owned(), &[]).await;
        assert!(!proved.passed && proved.report.contains(wanted), "{wanted}: {}\n{}", proved.report, proved.words);
    }
}

/// An origin and a token that a person enters; and a whole URL, where nobody can ask whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn connectors_that_are_connected_by_fields_pass() {
    let connectors: [(&'static str, &[&str]); 2] = [
        (
            "fields",
            &[
                "ok     publish (publish): 1 request, 13 faults",
                "ok     refused (publish): 1 request, 13 faults",
                "ok     whoami (whoami): 1 request, 13 faults",
                "ok     conformance of interface identity",
                "ok     conformance of whoami: 14 refusals",
            ],
        ),
        ("hook", &["ok     thread (publish): 2 requests, 26 faults", "ok     conformance of interface publish"]),
    ];
    for (id, wanted) in connectors {
        let proved = prove(id, repository().join("tests/guests").join(id), &["--conformance"]).await;
        assert!(proved.passed, "{}\n{}", proved.report, proved.words);
        for wanted in wanted {
            assert!(proved.report.contains(wanted), "{wanted}: {}", proved.report);
        }
        assert_eq!(proved.report.contains("whoami"), id == "fields", "nobody is asked for what it cannot do");
    }
}

/// A case of a connector that is connected by fields, with its members changed.
fn of_fields(id: &str, name: &str, change: fn(&mut Value)) -> TempDir {
    let text = std::fs::read_to_string(repository().join("tests/guests").join(id).join("cases").join(name)).unwrap();
    let mut case = serde_json::from_str(&text).unwrap();
    change(&mut case);
    crate_with(&[("odd.json", &case.to_string())])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_case_cannot_enter_is_said_in_one_sentence() {
    let cases: [(&'static str, TempDir, &str); 4] = [
        (
            "fields",
            of_fields("fields", "publish.json", |case| case["fields"] = json!({ "room": "x" })),
            "the connector has no field `room`",
        ),
        (
            "fields",
            of_fields("fields", "publish.json", |case| case["fields"] = json!({ "token": "mine" })),
            "the test kit fills in `token` itself: a case sets texts only",
        ),
        (
            "careless",
            crate_with(&[("odd.json", &case("fine.json", |case| case["fields"] = json!({ "room": "x" })))]),
            "has no field `room`",
        ),
        (
            "hook",
            of_fields("hook", "thread.json", |case| case["exchanges"][0]["request"]["path"] = json!("/hook/x")),
            "POST /hook/x: `hook` is one whole URL, whose path is `/` in cases, without a query",
        ),
    ];
    for (id, folder, wanted) in cases {
        refused(&prove(id, folder.path().to_owned(), &[]).await, &["odd.json is no case", wanted]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hook_must_not_do_is_found() {
    let cases: [(TempDir, &str); 3] = [
        (
            of_fields("hook", "thread.json", |case| case["call"]["publish"]["parts"][0]["text"] = json!("path /other")),
            "it ended in a fault Bug: `hook` is one whole URL",
        ),
        (
            of_fields("hook", "thread.json", |case| case["call"]["publish"]["parts"][0]["text"] = json!("multipart")),
            "it ended in a fault Bug: a body that is streamed cannot be signed",
        ),
        (
            of_fields("hook", "thread.json", |case| case["ends"]["published"][1]["done"]["id"] = json!("part/0")),
            "`part/1` is part/1 (no address)",
        ),
    ];
    for (folder, wanted) in cases {
        let proved = prove("hook", folder.path().to_owned(), &[]).await;
        assert!(!proved.passed && proved.report.contains(wanted), "{wanted}: {}{}", proved.report, proved.words);
        assert!(!proved.report.contains("proving-hook"), "the URL is a secret: {}", proved.report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_without_mistakes_passes() {
    let proved = prove("careless", careless(), &["--case", "fine"]).await;
    assert!(proved.passed, "{}\n{}", proved.report, proved.words);
    assert_eq!(proved.report, "ok     fine (publish): 2 requests, 26 faults\nAll 1 passed.\n");
}

/// Each mistake of the careless connector, and the sentence that it is found with.
#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_found() {
    let mistakes: [(&'static [&'static str], &[&str]); 5] = [
        (
            &["--case", "panic"],
            &[
                "request 1, GET /v1/place, answered 200 with a page of HTML",
                "the vendor answers with JSON",
                "must not break",
            ],
        ),
        (
            &["--case", "swallow"],
            &[
                "request 1, GET /v1/place, answered 500 (and",
                "POST /v1/posts is nothing that the case has: /place is null",
            ],
        ),
        (
            &["--case", "rename"],
            &["left the path of its journal: commit `part/", "stands where the journal has commit"],
        ),
        (
            &["--case", "again"],
            &[
                "request 2, POST /v1/posts, answered 500 (and 2 more): POST /v1/posts was sent again as `part/0/again`, \
                 while nobody knew what had become of it as `part/0`",
                "answered 200 with a page of HTML (and",
                "was sent again as `part/0/again`, though the vendor had done it as `part/0`",
                "was sent again as `part/0`, though the vendor had done it as `part/0/again`",
            ],
        ),
        (
            &["--case", "whoami"],
            &["request 1, GET /v1/me, answered 500 (and", "it swallowed that, and ended in the account nobody"],
        ),
    ];
    for (options, wanted) in mistakes {
        let proved = prove("careless", careless(), options).await;
        assert!(!proved.passed, "{options:?}: {}", proved.report);
        assert_eq!(proved.words, "the connector did not pass\n");
        for wanted in wanted {
            assert!(proved.report.contains(wanted), "{wanted}: {}", proved.report);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conformance_finds_what_no_case_has() {
    let folder = crate_with(&[("forever.json", &case("forever.json", |_| {}))]);
    let proved = prove("careless", folder.path().to_owned(), &["--conformance"]).await;
    assert!(!proved.passed, "{}", proved.report);
    for wanted in [
        "a text of 100,000 letters: a violation names `parts/0/headline`, which the post does not have",
        "FAILED conformance of interface identity: its cases",
        "the interface lacks a case: write one whose `call` is `\"whoami\"`",
        "ok     conformance of interface publish",
        "forever, its own input, a vendor that answers 500 to everything: it ended in a fault Budget",
    ] {
        assert!(proved.report.contains(wanted), "{wanted}: {}", proved.report);
    }
}

/// What differs from the script is told by its place.
#[tokio::test(flavor = "multi_thread")]
async fn what_differs_from_a_case_is_told() {
    let request =
        |name: &'static str, value: Value| case("fine.json", move |case| case["exchanges"][1]["request"][name] = value);
    let cases = [
        (
            request("body", json!({ "json": { "text": "fine", "place": "p2" } })),
            r#"request 2 should be POST /v1/posts, but /place is "p1", not "p2""#,
        ),
        (request("path", json!("/v2/posts")), "but it is POST /v1/posts at `api`, not POST /v2/posts at `api`"),
        (request("query", json!({ "draft": "1" })), "but its query is {}, not {draft: 1}"),
        (request("headers", json!({ "x-lang": "en" })), r#"but its header `x-lang` is None, not "en""#),
        (
            case("fine.json", |case| case["exchanges"].as_array_mut().unwrap().truncate(1)),
            "request 2, POST /v1/posts, is one more than the case has",
        ),
        (
            case("fine.json", |case| {
                let exchanges = case["exchanges"].as_array_mut().unwrap();
                exchanges.push(exchanges[0].clone());
            }),
            "it never asked for GET /v1/place, which the case expects",
        ),
        (
            case("fine.json", |case| case["ends"]["published"][0]["done"]["id"] = json!("901")),
            "it ended in a receipt of 1 parts; `part/0` is 900",
        ),
    ];
    for (text, wanted) in cases {
        let folder = crate_with(&[("fine.json", &text)]);
        let proved = prove("careless", folder.path().to_owned(), &[]).await;
        assert!(!proved.passed && proved.report.contains(wanted), "{wanted}: {}{}", proved.report, proved.words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_played_is_said_in_one_sentence() {
    let changed = |change: fn(&mut Value)| case("fine.json", change);
    let cases = [
        ("{".to_owned(), "EOF while parsing an object"),
        (changed(|case| case["speed"] = json!(1)), "unknown field `speed`"),
        (changed(|case| case["exchanges"][0]["request"]["endpoint"] = json!("web")), "no endpoint `web`"),
        (changed(|case| case["exchanges"][0]["request"]["method"] = json!("get")), "a method is one of GET"),
        (changed(|case| case["exchanges"][0]["answer"]["status"] = json!(99)), "99 is no status"),
        (changed(|case| case["settings"] = json!({ "model": "x" })), "no setting `model`"),
        (
            changed(|case| case["call"] = json!("whoami")),
            "a call of `whoami` cannot end as one of `publish` or `reply` does",
        ),
        (
            changed(|case| case["call"]["publish"]["parts"][0]["media"] = json!([{ "bytes": { "file": "no.png" } }])),
            "cannot read",
        ),
    ];
    for (text, wanted) in cases {
        let folder = crate_with(&[("odd.json", &text)]);
        let proved = prove("careless", folder.path().to_owned(), &[]).await;
        refused(&proved, &["odd.json is no case", wanted]);
    }
    let empty = crate_with(&[]);
    refused(&prove("careless", empty.path().to_owned(), &[]).await, &["there are no cases in"]);
    refused(&prove("careless", careless(), &["--case", "nothing"]).await, &["there is no case nothing"]);
    refused(&prove("careless", empty.path().join("nowhere"), &[]).await, &["there are no cases in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_none_is_said_in_one_sentence() {
    let folder = crate_with(&[("fine.json", &case("fine.json", |_| {}))]);
    let file = folder.path().join("odd.wasm");
    let run = |options: &[&str]| {
        let output = Command::new(program()).args(["connector", "test"]).args(options).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Proved { passed: output.status.success(), report: text(output.stdout), words: text(output.stderr) }
    };
    let path = folder.path().to_str().unwrap();
    let component = file.to_str().unwrap();
    refused(&run(&["--path", path, "--component", component]), &["there is no component", "odd.wasm"]);
    std::fs::write(&file, "no component").unwrap();
    refused(&run(&["--path", path, "--component", component]), &["odd.wasm is no connector for this host"]);
    refused(&run(&["--path", path]), &["Cargo.toml", "--component"]);
    let host = repository().join("host");
    refused(&run(&["--path", host.to_str().unwrap()]), &["builds no component", "cdylib"]);
}

fn refused(proved: &Proved, wanted: &[&str]) {
    let words = &proved.words;
    assert!(
        !proved.passed && proved.report.is_empty() && words.trim().lines().count() == 1,
        "{}{words}",
        proved.report
    );
    for wanted in wanted {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
}

//! Connectors that harm, and neighbours that do not notice.

use crate::harness::{BOTH, Backend, Host, program};
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs a script of the probe beside a neighbour that publishes all the while.
async fn stopped(backend: Backend, script: &str, kind: &str) {
    let host = Host::start(backend).await;
    let (mallory, neighbour) = (host.connected("mallory", "probe").await, host.person("neighbour").await);
    neighbour.connect(&host.sim, "twitter", "second_account").await;
    let wish = json!({"platform": "probe", "content": script});
    let id = mallory.publish(&wish, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
    for n in 0..5 {
        let post = json!({"platform": "twitter", "content": format!("quiet {n}")});
        let done = neighbour.published(&post, &format!("quiet {n}"), &["published", "failed"]).await;
        assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(1)), "{done:#}");
    }
    let done = mallory.wait(&id, &["published", "failed"]).await;
    assert_eq!(
        (done["state"].as_str(), done["fault"]["kind"].as_str()),
        (Some("failed"), Some(kind)),
        "{script}: {done:#}"
    );
    assert!(!done["fault"]["message"].as_str().unwrap().is_empty());
    host.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_is_stopped() {
    for backend in BOTH {
        stopped(backend, "loop", "budget").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_allocation_is_stopped() {
    for backend in BOTH {
        stopped(backend, "alloc", "budget").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_recursion_is_stopped() {
    // The guest's own stack ends in its memory: to the host it is a trap like any other.
    for backend in BOTH {
        stopped(backend, "recurse", "bug").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_is_a_fault_with_its_message() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "probe").await;
        let done = ada.published(&json!({"platform": "probe", "content": "trap on purpose"}), "k", &["failed"]).await;
        assert_eq!(done["fault"]["kind"], "bug");
        assert!(done["fault"]["message"].as_str().unwrap().contains("on purpose"), "{done:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_break_the_contract_do_not_leave() {
    for backend in BOTH {
        for script in [
            "undeclared",
            "hostonly",
            "readpost /2/tweets",
            "path //evil.example/",
            "path https://evil.example/",
            "path /../secret",
            "path /a/%2e%2e/b",
            "path /a?b=c",
            "path /a#b",
            "path relative",
            "path /a\\b",
            "header Authorization x",
            "header Host evil",
            "header Cookie a=b",
            "header X-Forwarded-For 1.1.1.1",
            "follow orla-link:AAAA",
            "follow https://evil.example/",
        ] {
            let host = Host::start(backend).await;
            let ada = host.connected("ada", "probe").await;
            let before = host.sim.requests().len();
            let done =
                ada.published(&json!({"platform": "probe", "content": script}), "k", &["failed", "published"]).await;
            assert_eq!(
                (done["state"].as_str(), done["fault"]["kind"].as_str()),
                (Some("failed"), Some("bug")),
                "{script}: {done:#}"
            );
            assert_eq!(host.sim.requests().len(), before, "{script}");
        }
    }
}

/// What the compiling child says to a component.
fn compile(wasm: &[u8]) -> (bool, String) {
    let mut child = Command::new(program())
        .arg("compile")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let wasm = wasm.to_vec();
    let feed = std::thread::spawn(move || drop(stdin.write_all(&wasm)));
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// A component with one core module: its text is put into an otherwise empty component.
fn component(module: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {module}))")).unwrap()
}

#[test]
fn a_compile_bomb_is_refused_or_ends_at_a_limit() {
    // One function that is far larger than any that a compiler for connectors makes.
    let large = format!("(func (param i32) (result i32) local.get 0 {})", "i32.const 1 i32.add ".repeat(400_000));
    let (compiled, words) = compile(&component(&large));
    assert!(!compiled && words.contains("bytes"), "{words}");
    // Very many locals in a small body.
    let locals = format!("(func {})", "(local i32) ".repeat(20_000));
    let (compiled, words) = compile(&component(&locals));
    assert!(!compiled && words.contains("locals"), "{words}");
    // Within every cap, but built to make register allocation explode.
    let mut body = String::new();
    for n in 0..30_000 {
        body.push_str(&format!(
            "(block (br_if 0 (local.get {})) (local.set {} (i32.add (local.get {}) (local.get {}))))",
            n % 900,
            (n * 7) % 900,
            (n * 13) % 900,
            (n * 29) % 900
        ));
    }
    let tangled = format!("(func {} {body})", "(local i32) ".repeat(900));
    let many = tangled.repeat(40);
    let (compiled, words) = compile(&component(&many));
    assert!(!compiled, "a bomb of forty tangled functions compiled: {words}");
}

#[test]
fn what_is_no_component_is_refused_with_a_sentence() {
    for (bytes, word) in [
        (b"".as_slice(), "component"),
        (b"\0asm\x01\0\0\0", "component"),
        (b"hello", "component"),
        (&component("(func)")[..20], "malformed"),
    ] {
        let (compiled, words) = compile(bytes);
        assert!(!compiled && words.contains(word), "{words}");
    }
    let (compiled, words) = compile(&vec![0; 33 << 20]);
    assert!(!compiled && words.contains("MiB"), "{words}");
}

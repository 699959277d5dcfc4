//! Components that must not be admitted: by `orla connector check`, and by a host that finds them in its folder and serves
//! all the same.

use super::forged::{self, describing};
use crate::harness::{Backend, Host, client, program};
use orla_manifest::Manifest;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// A file, and words of the sentence with which it is refused.
struct Bad {
    name: &'static str,
    bytes: Vec<u8>,
    words: &'static str,
}

fn bad(name: &'static str, bytes: impl Into<Vec<u8>>, words: &'static str) -> Bad {
    Bad { name, bytes: bytes.into(), words }
}

/// A component of text.
fn text(name: &'static str, component: &str, words: &'static str) -> Bad {
    bad(name, wat::parse_str(component).unwrap_or_else(|error| panic!("{name}: {error}")), words)
}

/// A component that describes itself well, but for one change.
fn changed(name: &'static str, change: impl FnOnce(&mut Manifest), words: &'static str) -> Bad {
    let mut manifest = forged::manifest("forged");
    change(&mut manifest);
    bad(name, describing(&serde_json::to_string(&manifest).unwrap(), ""), words)
}

/// A component with this as its manifest.
fn says(name: &'static str, manifest: &str, words: &'static str) -> Bad {
    bad(name, describing(manifest, ""), words)
}

/// A component with a polite manifest and this in its module.
fn with(name: &'static str, besides: &str, words: &'static str) -> Bad {
    bad(name, describing(&serde_json::to_string(&forged::manifest("forged")).unwrap(), besides), words)
}

/// A component whose `describe` is this function's body.
fn described_by(name: &'static str, body: &str, words: &'static str) -> Bad {
    let module = format!(
        r#"(module
            (import "orla:connector/log@0.1.0" "write" (func $log (param i32 i32 i32)))
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func $describe (export "describe") (result i32) {body}))"#
    );
    bad(name, forged::component("bare", &module), words)
}

fn no_components() -> Vec<Bad> {
    let whole = forged::connector(&["unreachable"]);
    vec![
        bad("empty", *b"", "component"),
        bad("text", *b"not a component", "component"),
        bad("module", wat::parse_str("(module)").unwrap(), "component"),
        bad("truncated-early", &whole[..60], "malformed"),
        bad("truncated-late", &whole[..whole.len() - 40], "malformed"),
        bad("doubled", [&*whole, &*whole].concat(), "malformed"),
        bad("100-mib", vec![0; 100 << 20], "larger than 32 MiB"),
        text("bare", "(component)", "does not export `describe`"),
    ]
}

fn wrong_contracts() -> Vec<Bad> {
    let module = |inside: &str| format!("(component (core module {inside}))");
    vec![
        text(
            "later",
            r#"(component (import "orla:connector/http@0.2.0" (instance)))"#,
            "this host speaks orla:connector@0.1.0",
        ),
        text("unknown", r#"(component (import "evil:host/shell" (instance)))"#, "no connector is given"),
        text("bare-import", r#"(component (import "shell" (func)))"#, "no connector is given"),
        text(
            "given-more",
            r#"(component (import "orla:connector/http@0.1.0" (instance (export "raw" (func)))))"#,
            "do not fit the contract",
        ),
        text(
            "http-of-wasi",
            r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func)))))"#,
            "do not fit the contract",
        ),
        text(
            "describes-otherwise",
            r#"(component
                (core module $m (func (export "describe") (result i32) i32.const 1))
                (core instance $i (instantiate $m))
                (func (export "describe") (result u32) (canon lift (core func $i "describe"))))"#,
            "`describe` failed",
        ),
        text("memory64", &module("(memory i64 1)"), "memory64"),
        text("shared-memory", &module("(memory 1 1 shared)"), "threads"),
    ]
}

fn bombs() -> Vec<Bad> {
    let instances = |count| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        format!("(component (core module $m) {instances})")
    };
    let doubling = |depth: usize| {
        let levels = (1..=depth).map(|level| {
            let below = level - 1;
            format!("(component $c{level} (instance (instantiate $c{below})) (instance (instantiate $c{below})))")
        });
        let levels: String = levels.collect();
        format!(
            "(component (component $c0 (core module $m) (core instance (instantiate $m))) {levels}
                (instance (instantiate $c{depth})))"
        )
    };
    let growing_type = || {
        let levels = (1..20).map(|level| {
            let below = format!("$t{} ", level - 1);
            format!("(type $t{level} (tuple {}))", below.repeat(10))
        });
        format!("(component (type $t0 (tuple u8 u8)) {})", levels.collect::<String>())
    };
    vec![
        text("17-instances", &instances(17), "instances"),
        text("10000-instances", &instances(10_000), "instances"),
        text("doubling-instances", &doubling(40), "instance"),
        text("growing-types", &growing_type(), "type size"),
        with("two-memories", "(memory 1)", "memories"),
        with("large-memory", "(memory 2000)", "memory"),
        with("large-table", "(table 30000 funcref)", "table"),
        with("nine-tables", &"(table 1 funcref)".repeat(9), "tables"),
        with("data-outside", r#"(data (i32.const 10000000) "x")"#, "`describe` failed"),
        with("looping-start", "(func $spin (loop $again (br $again))) (start $spin)", "fuel"),
        with("trapping-start", "(func $end unreachable) (start $end)", "unreachable"),
        with(
            "growing-start",
            "(func $grow (loop $again (drop (memory.grow (i32.const 64))) (br $again))) (start $grow)",
            "`describe` failed",
        ),
    ]
}

fn bad_descriptions() -> Vec<Bad> {
    let whole = serde_json::to_string(&forged::manifest("forged")).unwrap();
    let long = format!(r#"{{"schema":1,"id":"{}"}}"#, "x".repeat(10 << 20));
    vec![
        described_by("describe-loops", "(loop $again (br $again)) (i32.const 8)", "fuel"),
        described_by("describe-recurses", "(call $describe)", "stack"),
        described_by("describe-traps", "unreachable", "unreachable"),
        described_by("describe-lies", "(i32.const -8)", "bounds"),
        described_by(
            "describe-logs",
            "(call $log (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 8)",
            "no powers",
        ),
        says("manifest-empty", "", "its manifest is flawed"),
        says("manifest-deep", &"[".repeat(200_000), "its manifest is flawed"),
        says("manifest-deep-inside", &whole.replacen('{', &format!(r#"{{"x":{}"#, "[".repeat(100_000)), 1), "flawed"),
        says("manifest-1-mib", &long[..1 << 20], "larger than 256 KiB"),
        says("manifest-10-mib", &long, "hostcall"),
        says("manifest-twice-an-id", &whole.replacen(r#""id""#, r#""id":"x","id""#, 1), "duplicate field `id`"),
        says("manifest-twice-an-endpoint", &twice_an_endpoint(&whole), "twice"),
        says("manifest-more", &whole.replacen('{', r#"{"\u001b[2Jpowers\u0007\n":1,"#, 1), "unknown field"),
        changed("manifest-later", |manifest| manifest.schema = 2, "schema 1"),
        changed("manifest-climbing-id", |manifest| manifest.id = "../x".to_owned(), "id: must be"),
        changed("manifest-no-end", |manifest| manifest.limits.total_ms = u64::MAX, "limits/total_ms"),
        changed("manifest-much-fuel", |manifest| manifest.limits.fuel = u64::MAX, "limits/fuel"),
        changed("manifest-much-memory", |manifest| manifest.limits.memory_bytes = 1 << 40, "limits/memory_bytes"),
        changed("manifest-long-answers", |manifest| manifest.limits.inline_answer_bytes = 1 << 40, "inline_answer"),
        changed("manifest-many-requests", |manifest| manifest.limits.requests = u32::MAX, "limits/requests"),
        changed(
            "manifest-user-in-origin",
            |manifest| manifest.endpoints.get_mut("api").unwrap().origin = "https://x.com@evil.example".into(),
            "origin",
        ),
    ]
}

/// The manifest with a second endpoint `api`, which a person who reads it may miss.
fn twice_an_endpoint(manifest: &str) -> String {
    let second = r#""endpoints":{"api":{"origin":"https://evil.example","sign":"bearer"},"#;
    manifest.replacen(r#""endpoints":{"#, second, 1)
}

fn all() -> Vec<Bad> {
    [no_components(), wrong_contracts(), bombs(), bad_descriptions()].into_iter().flatten().collect()
}

fn check(file: &Path) -> Output {
    Command::new(program()).env_clear().args(["connector", "check"]).arg(file).output().unwrap()
}

/// What is wrong with how a file was refused.
fn refused_otherwise(bad: &Bad, folder: &Path) -> Option<String> {
    let output = check(&folder.join(bad.name).with_extension("wasm"));
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.trim_end_matches('\n');
    let well = !output.status.success()
        && output.stdout.is_empty()
        && line.contains(bad.words)
        && line.contains(bad.name)
        && line.len() < 2_000
        && !line.contains(char::is_control);
    (!well).then(|| format!("{}: {:?}, {:.300}", bad.name, output.status, line))
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_components_are_refused_in_one_line_and_left_out_by_a_host_that_serves() {
    let folder = tempfile::tempdir().unwrap();
    let all = all();
    for bad in &all {
        std::fs::write(folder.path().join(bad.name).with_extension("wasm"), &bad.bytes).unwrap();
    }
    let (left, otherwise) = (Mutex::new(all.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let Some(bad) = left.lock().unwrap().next() else { return };
                    otherwise.lock().unwrap().extend(refused_otherwise(bad, folder.path()));
                }
            });
        }
    });
    let otherwise = otherwise.into_inner().unwrap();
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
    let good = Host::start(Backend::Sqlite).await.app.config().connectors_folder.join("x.wasm");
    std::fs::copy(good, folder.path().join("x.wasm")).unwrap();
    let log = log_of_a_host_that_serves(folder.path()).await;
    for bad in &all {
        let file = format!("{}.wasm", bad.name);
        let line = log.lines().find(|line| line.contains(&file) && line.contains("no connector for this host"));
        assert!(line.is_some_and(|line| line.contains(bad.words)), "{}: {line:?}", bad.name);
    }
    assert!(log.contains("serving x 0.1.0"), "{log}");
}

/// Starts a host with the connectors of a folder, waits until it serves, and gives what it logged.
async fn log_of_a_host_that_serves(connectors: &Path) -> String {
    let data = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = data.path().join("log");
    let mut host = Command::new(program())
        .arg("serve")
        .env_clear()
        .env("LISTEN", format!("127.0.0.1:{port}"))
        .env("ORLA_DATA", data.path())
        .env("ORLA_CONNECTORS_FOLDER", connectors)
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut serves = false;
    for _ in 0..1_200 {
        let ready = client().get(format!("http://127.0.0.1:{port}/readyz")).send().await;
        serves = ready.is_ok_and(|answer| answer.status().is_success());
        if serves || host.try_wait().unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    host.kill().unwrap();
    host.wait().unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(serves, "{log}");
    log
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
    // Very many functions.
    let (compiled, words) = compile(&component(&"(func)".repeat(60_000)));
    assert!(!compiled && words.contains("functions"), "{words}");
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

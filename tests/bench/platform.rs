//! The platform for connectors: swapping one under load, starting with many, and installing one.

use crate::harness::{Answer, Backend, Host, Person, settings};
use crate::process::{Place, Process, Stage, connections, free_port, make_operator, name};
use crate::table::{Table, Verdict, digits, median};
use orla::connectors::Memories;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const IN_FLIGHT: usize = 64;
const SWAPS: usize = 50;
const ROLLBACKS: usize = 10;
/// How long each release serves under load.
const SERVES: Duration = Duration::from_millis(300);
/// How long after the last call memory is read.
const RESTS: Duration = Duration::from_secs(10);
const MEMORY_MIB: f64 = 10.0;
const CONNECTORS: usize = 25;
const ADDED_START_MS: f64 = 500.0;
const INSTALL_S: f64 = 2.0;
const STARTS: usize = 5;

/// A component with a text of its data replaced by another of the same length; names of the contract stay.
pub(crate) fn altered(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut altered = component.to_vec();
    for at in 1..=altered.len() - from.len() {
        if &altered[at..at + from.len()] == from.as_bytes() && altered[at - 1] != b'@' {
            altered[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    altered
}

async fn upload(operator: &Person, component: Vec<u8>) -> Value {
    let request = operator.http.post(format!("{}/admin/connectors", operator.url)).bearer_auth(&operator.token);
    let request = request.header("content-type", "application/wasm").body(component);
    Answer::of(request.send().await.unwrap()).await.expect(201)
}

/// Measures, prints, and tells whether the thresholds hold.
pub(crate) async fn measure() -> bool {
    let swapped = swap(Backend::Sqlite).await & swap(Backend::Postgres).await;
    swapped & start_and_install().await
}

/// What a load came to.
#[derive(Default)]
struct Load {
    published: AtomicUsize,
    failed: AtomicUsize,
    ends: AtomicBool,
    next: AtomicU64,
}

/// Publishes with so many in flight, each to an account of its own, until it ends.
async fn load(person: &Person, load: &Arc<Load>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for connection in connections(person, "probe").await {
        let (person, load) = (person.clone(), load.clone());
        tasks.spawn(async move {
            while !load.ends.load(Ordering::Relaxed) {
                let n = load.next.fetch_add(1, Ordering::Relaxed);
                let text = format!("commit a {{version}} {n} {{version}}");
                let post = json!({"platform": "probe", "connection_id": connection, "content": text});
                let taken = person.publish(&post, &format!("load {n}")).await;
                let done = match taken.status.as_u16() {
                    202 => person.wait(taken.body["id"].as_str().unwrap(), &["published", "failed", "uncertain"]).await,
                    _ => taken.body,
                };
                let count = if done["state"] == "published" { &load.published } else { &load.failed };
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tasks
}

async fn end(ended: &Load, tasks: JoinSet<()>) {
    ended.ends.store(true, Ordering::Relaxed);
    tasks.join_all().await;
}

/// Lets a release serve under load, and then another; gives how long that took.
async fn serve_and_swap(operator: &Person, release: &str) -> Duration {
    let began = Instant::now();
    tokio::time::sleep(SERVES).await;
    operator.post("/admin/connectors/probe/activate", &json!({"release": release})).await.expect(200);
    began.elapsed()
}

/// Memory is what it is after work: the pool of calls, the database's caches and the allocator have what they keep. So the
/// host works for as long as the swapping will take; both releases have served by then. Gives how long it worked, and what
/// came of it.
async fn warm_up(person: &Person, operator: &Person) -> (Duration, Arc<Load>) {
    let (began, warm) = (Instant::now(), Arc::new(Load::default()));
    let tasks = load(person, &warm).await;
    // Until everything was made at its first use, a swap takes longer than it will.
    serve_and_swap(operator, "0.1.0").await;
    let one = serve_and_swap(operator, "0.1.1").await;
    let all = one * u32::try_from(SWAPS + ROLLBACKS).expect("a small number");
    tokio::time::sleep(all.saturating_sub(began.elapsed())).await;
    end(&warm, tasks).await;
    (began.elapsed(), warm)
}

async fn swap(backend: Backend) -> bool {
    let mut stage = Stage::with_accounts(backend, settings(), IN_FLIGHT).await;
    let host = stage.start_again().await;
    let operator = Person::log_in(&stage.place.url(), "operator@example.org").await;
    let component = std::fs::read(stage.place.connectors.join("probe.wasm")).unwrap();
    upload(&operator, altered(&component, "0.1.0", "0.1.1")).await;
    let cold = host.memory_mib("VmRSS");
    let (warming, warm) = warm_up(&stage.person, &operator).await;
    tokio::time::sleep(RESTS).await;
    let before = host.memory_mib("VmRSS");
    let (began, under) = (Instant::now(), Arc::new(Load { next: AtomicU64::new(1_000_000), ..Load::default() }));
    let tasks = load(&stage.person, &under).await;
    for n in 0..SWAPS {
        serve_and_swap(&operator, if n % 2 == 0 { "0.1.0" } else { "0.1.1" }).await;
        if n % (SWAPS / ROLLBACKS) == 0 {
            tokio::time::sleep(SERVES).await;
            operator.post("/admin/connectors/probe/rollback", &json!({})).await.expect(200);
        }
    }
    end(&under, tasks).await;
    let swapping = began.elapsed();
    tokio::time::sleep(RESTS).await;
    let grown = host.memory_mib("VmRSS") - before;
    let posts = stage.host.sim.posts();
    let whole = posts.iter().filter(|post| is_of_one_version(&post.text)).count();
    host.end().await;
    let title =
        format!("swap on {backend:?}: {IN_FLIGHT} in flight, {SWAPS} swaps and {ROLLBACKS} rollbacks of a connector");
    let mut table = Table::new(title, &["", "figure"]);
    table.row(&[&"publications while warming up", &warm.published.load(Ordering::Relaxed)]);
    table.row(&[&"publications while swapping", &under.published.load(Ordering::Relaxed)]);
    let failed = under.failed.load(Ordering::Relaxed) + warm.failed.load(Ordering::Relaxed);
    table.judged(&[&"that failed", &failed], &Verdict::at_most(failed as f64, 0.0));
    let mixed = posts.len() - whole;
    table.judged(&[&"posts that are not of one version", &mixed], &Verdict::at_most(mixed as f64, 0.0));
    let rests = RESTS.as_secs();
    table.row(&[&"resident memory before any load, MiB", &digits(cold, 1)]);
    let name = format!("more after {:.0} s of load and {rests} s of rest, before the swaps", warming.as_secs_f64());
    table.row(&[&name, &digits(before - cold, 1)]);
    let name = format!("more after {:.0} s of load with the swaps and {rests} s of rest", swapping.as_secs_f64());
    table.judged(&[&name, &digits(grown, 1)], &Verdict::at_most(grown, MEMORY_MIB));
    table.print()
}

fn is_of_one_version(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    words.len() == 3 && words[0] == words[2] && ["0.1.0", "0.1.1"].contains(&words[0])
}

impl Stage {
    /// The product's program here, with an operator and the probe connected.
    async fn start_again(&mut self) -> Process {
        let mut command = self.place.serve_command();
        for id in ["PROBE", "X"] {
            for (name, value) in [("CLIENT_ID", "orla-demo"), ("CLIENT_SECRET", "orla-demo-secret")] {
                command.env(format!("ORLA_CONNECTORS__{id}__{name}"), value);
            }
            for name in ["API", "WEB"] {
                command.env(format!("ORLA_CONNECTORS__{id}__ENDPOINTS__{name}"), &self.place.origin);
            }
        }
        let (host, _) = self.place.start(&mut command).await;
        self.host.sim.register_redirect_uri(format!("{}/social/oauth/probe/callback", self.place.url()));
        self.person.connect(&self.host.sim, "probe", "orla_demo").await;
        for n in 1..IN_FLIGHT {
            self.person.connect(&self.host.sim, "probe", &name(n)).await;
        }
        host
    }
}

/// Milliseconds until a host serves, and what it then holds in MiB.
async fn starts(place: &Place) -> (f64, f64) {
    let mut times = Vec::new();
    let mut memory = 0.0;
    for _ in 0..STARTS {
        let (host, took) = place.start(&mut place.serve_command()).await;
        times.push(took.as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_secs(1)).await;
        memory = host.memory_mib("VmRSS");
        host.end().await;
    }
    (median(times), memory)
}

async fn start_and_install() -> bool {
    let host = Host::start_with(Backend::Sqlite, settings(), |_| Memories::Pooled).await;
    let component = std::fs::read(host.app.config().connectors_folder.join("probe.wasm")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = |data: &Path, connectors: &Path| Place {
        port: free_port(),
        data: data.to_owned(),
        database: format!("sqlite:{}", data.join("orla.db").display()),
        connectors: connectors.to_owned(),
        origin: host.sim.origin(),
    };
    let (without, with) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let none = tempfile::tempdir().unwrap();
    for n in 0..CONNECTORS {
        let one = altered(&component, "probe", &format!("pro{n:02}"));
        std::fs::write(folder.path().join(format!("{n:02}.wasm")), one).unwrap();
    }
    let (bare_place, full_place) = (place(without.path(), none.path()), place(with.path(), folder.path()));
    // The first start compiles.
    full_place.serve().await.end().await;
    bare_place.serve().await.end().await;
    let (bare_ms, bare_mib) = starts(&bare_place).await;
    let (full_ms, full_mib) = starts(&full_place).await;
    let title =
        format!("start with {CONNECTORS} connectors from artefacts, SQLite, median of {STARTS}; and installing one");
    let mut table = Table::new(title, &["", "ms", "idle MiB"]);
    table.row(&[&"without connectors", &digits(bare_ms, 0), &digits(bare_mib, 0)]);
    table.row(&[&format!("with {CONNECTORS}"), &digits(full_ms, 0), &digits(full_mib, 0)]);
    let added = full_ms - bare_ms;
    table.judged(
        &[&"added", &digits(added, 0), &digits(full_mib - bare_mib, 0)],
        &Verdict::at_most(added, ADDED_START_MS),
    );
    let (took, size) = install(&full_place).await;
    let row = format!("install to serving, {} KiB", size >> 10);
    table.judged(&[&row, &digits(took * 1e3, 0), &"-"], &Verdict::at_most(took, INSTALL_S));
    host.app.stop().await;
    table.print()
}

/// Seconds from the upload of a component of a MiB that was never compiled until it serves, and its bytes.
async fn install(place: &Place) -> (f64, usize) {
    let app = place.open().await;
    make_operator(&app).await;
    app.stop().await;
    let host = place.serve().await;
    let operator = Person::log_in(&place.url(), "operator@example.org").await;
    let component = std::fs::read(place.connectors.join("00.wasm")).unwrap();
    let large = with_more_code(altered(&component, "pro00", "large"));
    let size = large.len();
    let began = Instant::now();
    assert_eq!(upload(&operator, large).await["state"], "active");
    let shown = operator.get("/admin/connectors/large").await.expect(200);
    assert_eq!(shown["serves_here"], true);
    let took = began.elapsed().as_secs_f64();
    host.end().await;
    (took, size)
}

/// A component of a MiB: with a further module of ordinary functions, which is compiled as the rest is.
fn with_more_code(mut component: Vec<u8>) -> Vec<u8> {
    let wanted = (1 << 20) - component.len();
    let body = "(local.set 1 (i32.add (local.get 0) (i32.const 7)))
        (block (br_if 0 (i32.eqz (local.get 1))) (local.set 0 (i32.mul (local.get 1) (local.get 0))))
        (i32.store (i32.and (local.get 0) (i32.const 1020)) (i32.load (i32.const 16)))";
    let function = format!("(func (param i32) (local i32) {})", body.repeat(12));
    let one = wat::parse_str(format!("(module (memory 1) {function})")).unwrap().len();
    let module = wat::parse_str(format!("(module (memory 1) {})", function.repeat(wanted / (one - 30)))).unwrap();
    // Section 1 of a component is a core module.
    component.push(1);
    let mut length = module.len();
    while length >= 0x80 {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend(module);
    component
}

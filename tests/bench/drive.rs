//! What a large file of a drive costs on its way into the host's blobs: through the API, the connector of Dropbox and the way
//! out, against a client that writes the same download to a file, just as durably.

#[path = "../it/drives/stage.rs"]
#[expect(dead_code, reason = "made for the tests, of which this needs a part")]
mod stage;

use crate::harness::{BOTH, Backend, Person};
use crate::process::{Part, Place, Process, free_port, take_orders};
use crate::table::{Table, Verdict, digits, median};
use orla_vendors::dropbox::{Content, File, Kind, Settings};
use reqwest::Client;
use serde_json::{Value, json};
use stage::{Stage, named, sha256};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;

const SIZE_BYTES: u64 = 500_000_000;
const NAME: &str = "Film.mp4";
const ROUNDS: usize = 5;
/// The least share of the plain client's speed.
const THRESHOLD: f64 = 0.8;
/// The most that the host may take in memory beyond what it takes idle, whatever the file's size.
const MORE_MIB: f64 = 64.0;
/// Longer than any download takes.
const LONGEST: Duration = Duration::from_secs(300);

/// One download.
#[derive(Clone, Copy)]
struct Figures {
    seconds: f64,
    /// Processor time of the process that downloads.
    cpu_s: f64,
}

/// What one database came to.
struct Measured {
    /// The plain client's download and the host's.
    rounds: Vec<[Figures; 2]>,
    idle_mib: f64,
    peak_mib: f64,
}

/// Measures, prints, and tells whether the thresholds hold.
pub(crate) async fn measure() -> bool {
    let title = format!(
        "drive: a file of {} MB from Dropbox into a blob; medians of {ROUNDS} downloads each way, in turns",
        SIZE_BYTES / 1_000_000
    );
    let mut table = Table::new(title, &["way", "s", "MB/s", "CPU s", "figure"]);
    for backend in BOTH {
        let Measured { rounds, idle_mib, peak_mib } = Box::pin(measured(backend)).await;
        let of = |way: usize, pick: fn(&Figures) -> f64| median(rounds.iter().map(|round| pick(&round[way])));
        let figures = |way: usize| {
            let seconds = of(way, |one| one.seconds);
            (digits(seconds, 2), digits(SIZE_BYTES as f64 / 1e6 / seconds, 0), digits(of(way, |one| one.cpu_s), 2))
        };
        let ((seconds, rate, cpu), name) = (figures(0), format!("{backend:?}: reqwest into a file"));
        table.row(&[&name, &seconds, &rate, &cpu, &digits(1.0, 2)]);
        let ((seconds, rate, cpu), name) = (figures(1), format!("{backend:?}: the host, through its API"));
        let ratio = median(rounds.iter().map(|[plain, host]| plain.seconds / host.seconds));
        table.judged(&[&name, &seconds, &rate, &cpu, &digits(ratio, 2)], &Verdict::at_least(ratio, THRESHOLD));
        let more = peak_mib - idle_mib;
        let name = format!("{backend:?}: its resident memory at the peak, MiB over idle ({idle_mib:.1})");
        table.judged(&[&name, &"", &"", &"", &digits(more, 1)], &Verdict::at_most(more, MORE_MIB));
    }
    table.print()
}

async fn measured(backend: Backend) -> Measured {
    let stage = Stage::set(backend, Settings::default()).await;
    let film = File::new(&format!("/{NAME}"), Content::Mp4 { size_bytes: SIZE_BYTES });
    stage.dropbox.change(|settings| settings.accounts[0].files.push(film));
    let ada = stage.connected("ada", "orla_demo").await;
    stage.host.app.stop().await;
    let place = place(&stage);
    let ada = Person { url: place.url(), http: patient(), ..ada };
    let folder = tempfile::tempdir_in(&place.data).unwrap();
    let mut plain = plain_client(&stage, &place, folder.path());
    let host = serve(&place).await;
    let root = stage.browse(&ada, &[]).await;
    // What is made at the first use is there before anything is measured.
    import(&ada, &named(&root, "Wave.gif")["id"]).await;
    let film = named(&root, NAME)["id"].clone();
    let (whole, idle_mib) = (folder.path().join(NAME), host.memory_mib("VmRSS"));
    host.forget_peak();
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let (cpu, began) = (plain.process.cpu(), Instant::now());
        plain.carry_out(1).await;
        let (seconds, cpu) = (began.elapsed().as_secs_f64(), plain.process.cpu() - cpu);
        let theirs = Figures { seconds, cpu_s: cpu.as_secs_f64() };
        let (cpu, began) = (host.cpu(), Instant::now());
        let imported = import(&ada, &film).await;
        let (seconds, cpu) = (began.elapsed().as_secs_f64(), host.cpu() - cpu);
        rounds.push([theirs, Figures { seconds, cpu_s: cpu.as_secs_f64() }]);
        assert_eq!(imported["size"], SIZE_BYTES);
        if round == 0 {
            assert_eq!(imported["sha256"], sha256(&std::fs::read(&whole).unwrap()), "both got the same bytes");
        }
        // Nothing of one download weighs on the next.
        std::fs::remove_file(&whole).unwrap();
        let stored = place.data.join(format!("blobs/{}/{}", ada.workspace, imported["id"].as_str().unwrap()));
        std::fs::remove_file(stored).unwrap();
    }
    // The first round warms up.
    rounds.remove(0);
    let peak_mib = host.memory_mib("VmHWM");
    plain.process.end().await;
    host.end().await;
    Measured { rounds, idle_mib, peak_mib }
}

/// Where the host under measure runs: on what the one in this process left.
fn place(stage: &Stage) -> Place {
    let config = stage.host.app.config();
    Place {
        port: free_port(),
        data: stage.host.data.path().to_owned(),
        database: config.database(),
        connectors: config.connectors_folder.clone(),
        origin: stage.dropbox.origin(),
    }
}

async fn serve(place: &Place) -> Process {
    let mut command = place.serve_command();
    command
        .env("ORLA_CONNECTORS__DROPBOX__CLIENT_ID", "orla-demo")
        .env("ORLA_CONNECTORS__DROPBOX__CLIENT_SECRET", "orla-demo-secret");
    for name in ["API", "CONTENT", "WEB"] {
        command.env(format!("ORLA_CONNECTORS__DROPBOX__ENDPOINTS__{name}"), &place.origin);
    }
    place.start(&mut command).await.0
}

/// Imports a file, and gives what the API says of it.
async fn import(ada: &Person, file: &Value) -> Value {
    ada.post("/cloud-storage/import/dropbox", &json!({"file_id": file})).await.expect(201)
}

/// A client that waits for a large file.
fn patient() -> Client {
    #[expect(clippy::disallowed_methods, reason = "a client of its own, not the host's way out")]
    Client::builder().no_proxy().timeout(LONGEST).build().unwrap()
}

/// The floor, in a process of its own.
fn plain_client(stage: &Stage, place: &Place, folder: &Path) -> Part {
    let tokens = stage.dropbox.tokens();
    let token = tokens.into_iter().rev().find(|token| token.kind == Kind::Access).unwrap().value;
    place.part(&["part", "download", &place.origin, &token, folder.to_str().unwrap()])
}

/// Downloads the file as often as ordered: as a client does that knows no connectors.
pub(crate) async fn plain(origin: &str, token: &str, folder: &str) {
    let (http, folder) = (patient(), PathBuf::from(folder));
    take_orders(async |count| {
        for _ in 0..count {
            download(&http, origin, token, &folder).await;
        }
    })
    .await;
}

/// As durable as a blob: the file's bytes and its name are on the disk in the end.
async fn download(http: &Client, origin: &str, token: &str, folder: &Path) {
    let request = http.get(format!("{origin}/2/files/download")).bearer_auth(token);
    let argument = json!({"path": format!("/{NAME}")}).to_string();
    let mut response = request.header("dropbox-api-arg", argument).send().await.unwrap().error_for_status().unwrap();
    let partial = folder.join("partial");
    let mut file = tokio::fs::File::create(&partial).await.unwrap();
    while let Some(piece) = response.chunk().await.unwrap() {
        file.write_all(&piece).await.unwrap();
    }
    file.flush().await.unwrap();
    file.sync_all().await.unwrap();
    tokio::fs::rename(partial, folder.join(NAME)).await.unwrap();
    tokio::fs::File::open(folder).await.unwrap().sync_all().await.unwrap();
}

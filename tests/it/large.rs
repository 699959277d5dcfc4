//! Large media: a video goes from where it lies on the web to the host's disk, and from there to the network chunk by
//! chunk. It is never whole in memory, and an upload that broke off goes on where it was, whether a connection was cut
//! or the host was killed.

use crate::harness::{
    BOTH, Backend, Fault, Host, Mode, Person, Place, Process, Settings, Sim, client, price, settings,
};
use futures_util::StreamExt as _;
use orla::connectors::Memories;
use orla::db::Db;
use orla::ledger;
use orla_vendors::x::{Answer as Ended, Attached, Received};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};

const LARGE_MIB: u64 = 300;
const MODEST_MIB: u64 = 60;
/// What the connector sends at once.
const CHUNK_MIB: u64 = 4;
const MODEST_CHUNKS: u16 = (MODEST_MIB / CHUNK_MIB) as u16;
/// The chunk at which a modest upload is cut: 60 % are at the network then.
const CUT_AT: u16 = (MODEST_CHUNKS * 6).div_ceil(10);
/// What a host may take beyond what it takes idle, whatever the size of the video.
const ALLOWANCE_BYTES: u64 = 64 << 20;

const INITIALIZE: &str = "POST /2/media/upload/initialize";
const APPEND: &str = "POST /2/media/upload/{id}/append";
const FINALIZE: &str = "POST /2/media/upload/{id}/finalize";

/// A host on a database, with Ada's account connected and credits to publish with.
async fn with_ada(backend: Backend, settings: Settings) -> (Host, Person) {
    let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
    price(&host.app, 3).await;
    let ada = host.connected("ada", "twitter").await;
    host.grant(ada.workspace, 100).await;
    (host, ada)
}

/// Starts a host in a process of its own.
async fn serve(place: &Place<'_>) -> Process {
    let mut process = place.start(None);
    assert!(place.serving(&mut process).await, "the host starts");
    process
}

fn video(sim: &Sim, mebibytes: u64) -> Value {
    let url = format!("{}/videos/{mebibytes}.mp4", sim.origin());
    json!({"platform": "twitter", "parts": [{"text": "Look at this", "media": [{"url": url}]}]})
}

/// SHA-256 and size of a video, as whoever downloads it finds them.
async fn served(sim: &Sim, mebibytes: u64) -> (String, u64) {
    let response = client().get(format!("{}/videos/{mebibytes}.mp4", sim.origin())).send().await.unwrap();
    let (mut hash, mut size_bytes, mut pieces) = (Sha256::new(), 0, response.bytes_stream());
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        size_bytes += piece.len() as u64;
        hash.update(&piece);
    }
    (hex::encode(hash.finalize()), size_bytes)
}

/// Asks for a publication, and gives its id.
async fn ask(ada: &Person, post: &Value) -> String {
    ada.publish(post, "the video").await.expect(202)["id"].as_str().unwrap().to_owned()
}

/// Waits, for longer than a person of the other tests does, until a publication is published.
async fn published(ada: &Person, id: &str) {
    let mut last = Value::Null;
    for _ in 0..2_400 {
        last = ada.get(&format!("/social/publications/{id}")).await.expect(200);
        match last["state"].as_str().unwrap() {
            "published" => return,
            "failed" => break,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("the publication was not published: {last:#}");
}

/// The one video of the one post with one.
fn attached(sim: &Sim) -> Attached {
    let mut attached: Vec<Attached> = sim.posts().into_iter().flat_map(|post| post.media).collect();
    attached.retain(|media| media.media_type == "video/mp4");
    assert_eq!(attached.len(), 1, "{attached:?}");
    attached.remove(0)
}

fn appends(sim: &Sim) -> Vec<Received> {
    let mut requests = sim.requests();
    requests.retain(|request| request.path.ends_with("/append"));
    requests
}

/// What every test leaves behind.
async fn check_books(place: &Place<'_>) {
    let db = Db::open(&place.database).await.unwrap();
    let mut tx = db.read().await.unwrap();
    assert!(ledger::audit(&mut tx).await.unwrap().is_empty());
    let open = "select count(*) from credit_holds where state = 'open'";
    let open: i64 = orla::on!(&mut tx, conn => sqlx::query_scalar(open).fetch_one(conn).await).unwrap();
    assert_eq!(open, 0, "open holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_of_300_mib_passes_through_little_memory() {
    for backend in BOTH {
        let (host, ada) = with_ada(backend, settings()).await;
        let (sha256, size) = served(&host.sim, LARGE_MIB).await;
        assert_eq!(size, LARGE_MIB << 20);
        let place = Place::after(&host).await;
        let process = serve(&place).await;
        let ada = Person { url: place.url(), ..ada };
        // What is made at the first use is there before it is measured what a video takes.
        let picture = format!("{}/pictures/square.png", host.sim.origin());
        let small = json!({"platform": "twitter", "parts": [{"text": "Small", "media": [{"url": picture}]}]});
        ada.published(&small, "small", &["published"]).await;

        let idle = process.memory_bytes();
        process.forget_peak();
        let begun = Instant::now();
        let id = ask(&ada, &video(&host.sim, LARGE_MIB)).await;
        published(&ada, &id).await;
        let (peak, elapsed) = (process.peak_memory_bytes(), begun.elapsed());
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        eprintln!(
            "{backend:?}: {LARGE_MIB} MiB published in {:.1} s; memory idle {:.1} MiB, peak {:.1} MiB, {:.1} MiB more",
            elapsed.as_secs_f64(),
            mib(idle),
            mib(peak),
            mib(peak.saturating_sub(idle)),
        );
        let video = attached(&host.sim);
        assert_eq!((video.sha256, video.size), (sha256, size), "{backend:?}");
        let every_chunk: Vec<u16> = (0..(LARGE_MIB / CHUNK_MIB) as u16).collect();
        assert_eq!(video.segments, every_chunk, "{backend:?}");
        assert!(peak.saturating_sub(idle) <= ALLOWANCE_BYTES, "{backend:?}: the peak is {peak}, idle are {idle} bytes");
        check_books(&place).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_again_and_again_ends_as_long_as_it_makes_headway() {
    for backend in BOTH {
        let (host, ada) = with_ada(backend, Settings { processing_ms: 0, ..settings() }).await;
        let place = Place::after(&host).await;
        let process = serve(&place).await;
        let ada = Person { url: place.url(), ..ada };
        // Every second chunk is cut: more often than a failure is tried again that brings nothing on.
        for _ in 0..10 {
            host.sim.fault(Fault::on("POST", "/2/media/upload/*/append", Mode::CutBefore).skip(1));
        }
        let id = ask(&ada, &video(&host.sim, MODEST_MIB)).await;
        published(&ada, &id).await;
        let done = ada.get(&format!("/social/publications/{id}")).await.expect(200);
        assert!(done["attempts"].as_i64().unwrap() > 10, "{done:#}");
        assert_eq!(host.sim.posts().len(), 1);
        check_books(&place).await;
        drop(process);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_goes_on_with_the_chunk_that_was_cut() {
    for backend in BOTH {
        // Videos are ready at once: each question whether they are would be an attempt more.
        let (host, ada) = with_ada(backend, Settings { processing_ms: 0, ..settings() }).await;
        let place = Place::after(&host).await;
        let sim = &host.sim;
        // Twice while the chunk is being sent, then once when the network has it and its answer gets lost.
        let append = "/2/media/upload/*/append";
        sim.fault(Fault::on("POST", append, Mode::CutBefore).skip(CUT_AT.into()).times(2));
        sim.fault(Fault::on("POST", append, Mode::CutAfter));
        let process = serve(&place).await;
        let ada = Person { url: place.url(), ..ada };
        let id = ask(&ada, &video(sim, MODEST_MIB)).await;
        published(&ada, &id).await;
        drop(process);

        let cut = appends(sim).iter().filter(|request| request.status == Ended::Cut).count();
        let counts = sim.counts();
        assert_eq!(cut, 3, "{backend:?}");
        assert_eq!(
            counts[APPEND],
            u64::from(MODEST_CHUNKS) + 3,
            "{backend:?}: each chunk once, the cut one once more a cut"
        );
        assert_eq!((counts[INITIALIZE], counts[FINALIZE]), (1, 1), "{backend:?}");
        assert_eq!(counts[&format!("GET /videos/{MODEST_MIB}.mp4")], 1, "{backend:?}: it was stored already");
        let video = attached(sim);
        let wanted: Vec<u16> = (0..=CUT_AT).chain(CUT_AT..MODEST_CHUNKS).collect();
        assert_eq!(video.segments, wanted, "{backend:?}: only the cut chunk arrived twice");
        assert_eq!((video.sha256, video.size), served(sim, MODEST_MIB).await, "{backend:?}");
        assert_eq!(sim.posts().len(), 1, "{backend:?}");
        check_books(&place).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_host_is_killed_goes_on_after_the_next_start() {
    for backend in BOTH {
        let (host, ada) = with_ada(backend, Settings { processing_ms: 0, duplicate_window_s: 0, ..settings() }).await;
        let place = Place::after(&host).await;
        let sim = &host.sim;
        let ada = Person { url: place.url(), ..ada };
        // The first time it dies wherever it happens to be, the second time with 60 % of the chunks confirmed and the next
        // at the network, whose answer it will never see.
        sim.fault(Fault::on("POST", "/2/media/upload/*/append", Mode::Hang { execute: true }).skip(CUT_AT.into()));
        let process = serve(&place).await;
        let id = ask(&ada, &video(sim, MODEST_MIB)).await;
        until(|| appends(sim).iter().filter(|request| request.status == Ended::Status(200)).count() >= 4).await;
        process.kill();
        let process = serve(&place).await;
        until(|| appends(sim).iter().any(|request| request.status == Ended::Hanging)).await;
        process.kill();
        sim.clear_faults();
        let process = serve(&place).await;
        published(&ada, &id).await;
        drop(process);

        let counts = sim.counts();
        let sent = counts[APPEND];
        assert!(sent <= u64::from(MODEST_CHUNKS) + 2, "{backend:?}: one chunk again a kill at most, not {sent}");
        assert_eq!((counts[INITIALIZE], counts[FINALIZE]), (1, 1), "{backend:?}");
        assert_eq!(counts[&format!("GET /videos/{MODEST_MIB}.mp4")], 1, "{backend:?}: it was stored already");
        let video = attached(sim);
        let mut once = video.segments.clone();
        once.dedup();
        let every_chunk: Vec<u16> = (0..MODEST_CHUNKS).collect();
        assert_eq!(once, every_chunk, "{backend:?}: nothing was gone back to in {:?}", video.segments);
        assert_eq!((video.sha256, video.size), served(sim, MODEST_MIB).await, "{backend:?}");
        assert_eq!(sim.posts().len(), 1, "{backend:?}");
        check_books(&place).await;
    }
}

/// Waits for something that the network can see.
async fn until(mut seen: impl FnMut() -> bool) {
    for _ in 0..30_000 {
        if seen() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the network did not see it");
}

//! A video of a gibibyte: cut at 60 % it goes on there, and it is never whole in memory. And a host that is killed while a
//! video goes up.

use super::crash::environment;
use super::{GRANULE, UPLOAD, clip, connected, film, host};
use crate::harness::{BOTH, Backend, Host, Person, Place, Process, client};
use futures_util::StreamExt as _;
use orla::connectors::Memories;
use orla_vendors::youtube::{Fault, Mode, Settings, Sim};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};

const LARGE_MIB: u64 = 1_024;
/// What the connector sends at once.
const STRETCH_MIB: u64 = 16;
/// The stretch in which 60 % are reached, and how far it gets.
const CUT_AT: u64 = LARGE_MIB * 6 / 10 / STRETCH_MIB;
const CUT_AFTER: u64 = LARGE_MIB * 6 / 10 % STRETCH_MIB * (1 << 20) + 12_345;
/// What a host may take beyond what it takes idle, whatever the size of the video.
const ALLOWANCE_BYTES: u64 = 64 << 20;

/// A host in a process of its own, whose person has connected the channel.
struct Stage {
    host: Host,
    sim: Sim,
    ada: Person,
}

impl Stage {
    async fn set(backend: Backend) -> Self {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        Self { host, sim, ada }
    }

    async fn place(&self) -> (Place<'_>, Person) {
        let place = Place { also: environment(&self.sim), ..Place::after(&self.host).await };
        let ada = Person { url: place.url(), ..self.ada.clone() };
        (place, ada)
    }
}

async fn serve(place: &Place<'_>) -> Process {
    let mut process = place.start(None);
    assert!(place.serving(&mut process).await, "the host starts");
    process
}

/// Waits, for longer than a person of the other tests does, until a publication is published.
async fn published(ada: &Person, id: &str) -> Value {
    let mut last = Value::Null;
    for _ in 0..2_400 {
        last = ada.get(&format!("/social/publications/{id}")).await.expect(200);
        match last["state"].as_str().unwrap() {
            "published" => return last,
            "failed" => break,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("the publication was not published: {last:#}");
}

/// SHA-256 of what is at a URL, as whoever downloads it finds it.
async fn served(url: &str) -> String {
    let (mut hash, mut pieces) = (Sha256::new(), client().get(url).send().await.unwrap().bytes_stream());
    while let Some(piece) = pieces.next().await {
        hash.update(piece.unwrap());
    }
    hex::encode(hash.finalize())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_that_is_cut_at_60_percent_goes_on_there_and_passes_through_little_memory() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let (place, ada) = stage.place().await;
        let (sim, url) = (&stage.sim, format!("{}/videos/{LARGE_MIB}.mp4", stage.host.sim.origin()));
        let process = serve(&place).await;
        // What is made at the first use is there before it is measured what a video takes.
        ada.published(&film(&clip(&stage.host, GRANULE + 7)), "small", &["published"]).await;
        let before = sim.made().upload_bytes;
        // The question how much has arrived comes first.
        let cut = Fault::on("PUT", UPLOAD, Mode::CutWithin { bytes: CUT_AFTER });
        sim.fault(cut.skip(1 + u32::try_from(CUT_AT).unwrap()));

        let idle = process.memory_bytes();
        process.forget_peak();
        let begun = Instant::now();
        let id = ada.publish(&film(&url), "large").await.expect(202)["id"].as_str().unwrap().to_owned();
        published(&ada, &id).await;
        let (peak, elapsed) = (process.peak_memory_bytes(), begun.elapsed());
        drop(process);
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        eprintln!(
            "{backend:?}: {LARGE_MIB} MiB published in {:.1} s; memory idle {:.1} MiB, peak {:.1} MiB, {:.1} MiB more",
            elapsed.as_secs_f64(),
            mib(idle),
            mib(peak),
            mib(peak.saturating_sub(idle)),
        );
        assert!(peak.saturating_sub(idle) <= ALLOWANCE_BYTES, "{backend:?}: the peak is {peak}, idle are {idle} bytes");
        let (size, stretch) = (LARGE_MIB << 20, STRETCH_MIB << 20);
        let upload = &sim.uploads()[1];
        // The stretch that was cut goes on at its last whole granule, and nothing before that is sent again.
        let kept = CUT_AT * stretch + CUT_AFTER / GRANULE * GRANULE;
        let mut wanted: Vec<(u64, u64)> = (0..CUT_AT).map(|at| (at * stretch, (at + 1) * stretch)).collect();
        let mut at = kept;
        while at < size - GRANULE {
            let to = (at + stretch).min(size - GRANULE);
            wanted.push((at, to));
            at = to;
        }
        wanted.push((size - GRANULE, size));
        assert_eq!(upload.stretches, wanted, "{backend:?}");
        assert_eq!(sim.made().upload_bytes - before, size + CUT_AFTER % GRANULE, "{backend:?}");
        let video = &sim.videos()[1];
        assert_eq!(
            (sim.videos().len(), video.size_bytes, &video.sha256),
            (2, size, &served(&url).await),
            "{backend:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_host_is_killed_goes_on_where_youtube_has_come_to() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let (place, ada) = stage.place().await;
        let (sim, url) = (&stage.sim, format!("{}/videos/40.mp4", stage.host.sim.origin()));
        // The second stretch has come, and its answer never does: there the host is killed.
        sim.fault(Fault::on("PUT", UPLOAD, Mode::Hang { execute: true }).skip(2));
        let process = serve(&place).await;
        let id = ada.publish(&film(&url), "large").await.expect(202)["id"].as_str().unwrap().to_owned();
        for _ in 0..30_000 {
            if sim.uploads().first().is_some_and(|upload| upload.stretches.len() == 2) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        process.kill();
        sim.clear_faults();
        let process = serve(&place).await;
        published(&ada, &id).await;
        drop(process);
        let (size, stretch) = (40_u64 << 20, STRETCH_MIB << 20);
        let wanted = [(0, stretch), (stretch, 2 * stretch), (2 * stretch, size - GRANULE), (size - GRANULE, size)];
        let upload = &sim.uploads()[0];
        assert_eq!((&upload.stretches[..], sim.made().uploads), (&wanted[..], 1), "{backend:?}");
        assert_eq!(sim.made().upload_bytes, size, "{backend:?}");
        assert_eq!(sim.videos()[0].sha256, served(&url).await, "{backend:?}");
    }
}

//! Benchmarks: each prints a ratio against a floor that is measured in the same run.
//!
//! `cargo measure [publications]`.

#![expect(clippy::print_stdout, reason = "a command for people")]
#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first thing that it does not expect")]

#[path = "../it/harness/mod.rs"]
#[expect(dead_code, reason = "made for the tests, of which this needs a part")]
#[expect(unused_imports, reason = "as above")]
mod harness;

use futures_util::{StreamExt as _, stream};
use harness::{BOTH, Backend, Host, Mode, Person, Settings, Sim, client, settings};
use orla::connectors::Memories;
use orla_vendors::x::Kind;
use serde_json::json;
use std::time::{Duration, Instant};

const IN_FLIGHT: usize = 64;
/// How long the network takes to answer a post.
const VENDOR_MS: u64 = 50;

#[tokio::main]
async fn main() {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(500);
    println!(
        "{count} posts, {IN_FLIGHT} in flight, the network answers after {VENDOR_MS} ms, on this machine's loopback"
    );
    println!("{:<28} {:>10} {:>8}", "way", "posts/s", "ratio");
    let floor = posts_per_second(count, direct(count).await);
    println!("{:<28} {floor:>10.0} {:>8.2}", "straight to the network", 1.0);
    for backend in BOTH {
        let rate = posts_per_second(count, through_the_host(backend, count).await);
        println!("{:<28} {rate:>10.0} {:>8.2}", format!("published, {backend:?}"), rate / floor);
    }
}

fn posts_per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64()
}

fn network() -> Settings {
    Settings { duplicate_window_s: 0, ..settings() }
}

fn slow(sim: &Sim, count: usize) {
    let delay = harness::Fault::on("POST", "/2/tweets", Mode::DelayMs(VENDOR_MS));
    sim.fault(delay.times(u32::try_from(count).unwrap()));
}

/// The floor: a client of the network with nothing in between, and a token of its own.
async fn direct(count: usize) -> Duration {
    let host = Host::start_with(Backend::Sqlite, network(), |_| Memories::Pooled).await;
    host.connected("ada", "twitter").await;
    let token = host.sim.tokens().into_iter().find(|token| token.kind == Kind::Access).unwrap().value;
    slow(&host.sim, count);
    let (http, origin) = (client(), host.sim.origin());
    let began = Instant::now();
    stream::iter(0..count)
        .for_each_concurrent(IN_FLIGHT, async |n| {
            let post = http.post(format!("{origin}/2/tweets")).bearer_auth(&token);
            let answer = post.json(&json!({"text": format!("post {n}")})).send().await.unwrap();
            assert_eq!(answer.status(), 201);
        })
        .await;
    began.elapsed()
}

/// From the request to publish until every publication is published.
async fn through_the_host(backend: Backend, count: usize) -> Duration {
    let host = Host::start_with(backend, network(), |config| {
        config.concurrent_calls = 128;
        config.concurrent_jobs = IN_FLIGHT;
        Memories::Pooled
    })
    .await;
    let ada: Person = host.connected("ada", "twitter").await;
    slow(&host.sim, count);
    let began = Instant::now();
    stream::iter(0..count)
        .for_each_concurrent(IN_FLIGHT, async |n| {
            let post = json!({"platform": "twitter", "content": format!("post {n}")});
            ada.publish(&post, &format!("key {n}")).await.expect(202);
        })
        .await;
    while host.sim.posts().len() < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = began.elapsed();
    host.app.stop().await;
    took
}

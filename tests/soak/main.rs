//! The soak: hosts under load are killed with SIGKILL at random moments and started again, at networks that misbehave.
//!
//! `cargo soak [rounds]`, 200 by default: one host on SQLite, then three on one PostgreSQL of which one or two are killed at a
//! time. In the end each part of what says that it is published is at the network exactly once, nothing of what failed is there,
//! no credits are reserved any more, the ledger adds up and no work is left.

#![expect(clippy::print_stdout, reason = "a command for people")]
#![expect(clippy::unwrap_used, reason = "a soak ends at the first thing that it does not expect")]

mod clients;
#[path = "../it/harness/mod.rs"]
#[expect(dead_code, reason = "made for the tests, of which this needs a part")]
#[expect(unused_imports, reason = "as above")]
mod harness;
mod nodes;
mod stage;
mod trouble;
mod verdict;

use clients::{Client, World};
use harness::Backend;
use nodes::Nodes;
use rand::RngExt as _;
use stage::Stage;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use trouble::Tally;
use verdict::Summary;

#[tokio::main]
async fn main() {
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(200);
    for (backend, nodes) in [(Backend::Sqlite, 1), (Backend::Postgres, 3)] {
        Box::pin(soak(backend, nodes, rounds)).await;
    }
}

async fn soak(backend: Backend, count: usize, rounds: usize) {
    let (stage, people) = Stage::set(backend, count).await;
    let mut nodes = Nodes::on(&stage);
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let world = Arc::new(World { urls: nodes.urls(), web: stage.host.sim.origin(), next, over });
    let clients = people.into_iter().enumerate().map(|(number, person)| Client { number, person, taken: Vec::new() });
    let clients: Vec<_> = clients.map(|client| tokio::spawn(clients::work(client, world.clone()))).collect();
    let (tally, began) = (Tally::default(), Instant::now());
    tokio::select! {
        () = trouble::stir(&stage, &tally) => {}
        () = kill(&stage, &mut nodes, &clients, rounds) => {}
    }
    let a_round = began.elapsed() / u32::try_from(rounds.max(1)).unwrap();
    world.over.store(true, Ordering::SeqCst);
    stage.clear_faults();
    nodes.start();
    nodes.serving().await;
    let mut done = Vec::new();
    for client in clients {
        done.push(client.await.unwrap());
    }
    let quiet = Instant::now();
    let summary = verdict::reach(&stage, &world.urls[count - 1], nodes.database(), &done).await;
    println!(
        "{backend:?}, {count} node(s): {rounds} rounds of {a_round:.1?}, {} kills, {:?} until all was quiet",
        nodes.kills,
        quiet.elapsed()
    );
    println!("  at the networks: {:?}", tally.borrow());
    tell(&summary);
}

/// Kills nodes and starts them again, so many times.
async fn kill(stage: &Stage, nodes: &mut Nodes<'_>, clients: &[JoinHandle<Client>], rounds: usize) {
    let few = nodes.urls().len().min(2);
    for round in 1..=rounds {
        nodes.start();
        // Of one that stands alone, dying before it serves says little; of several, the others go on meanwhile.
        if few == 1 || rand::rng().random_ratio(3, 4) {
            nodes.serving().await;
        }
        let moment = rand::rng().random_range(0..700);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        nodes.kill(rand::rng().random_range(1..=few));
        let pause = rand::rng().random_range(0..200);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if clients.iter().any(JoinHandle::is_finished) {
            println!("A client was told what it did not expect.");
            return;
        }
        if round % 20 == 0 {
            println!("{round} rounds, {} kills, {} parts at the networks", nodes.kills, stage.counts().len());
        }
    }
}

fn tell(summary: &Summary) {
    let Summary { published, failed, live_parts, missing_parts, were_uncertain, told_by_a_person } = summary;
    println!(
        "  published, by network: {published:?}; {live_parts} parts are there, each once; {missing_parts} are told as missing"
    );
    println!("  failed, with nothing there: {failed:?}");
    println!(
        "  {were_uncertain} were uncertain on their way, of {told_by_a_person} a person said what the receiver had"
    );
    println!("  no credits are reserved, the ledger adds up, no work is left");
}

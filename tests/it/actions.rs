//! Random sequences of what people, the network and the operator may do, by several persons at the same time; and what has to
//! hold once all is quiet, whatever happened.
//!
//! Each sequence is made from a seed, which is told where something does not hold. What runs at the same time is not the same
//! twice, so a seed gives the same actions and not always the same end. `ORLA_ACTIONS=40` runs more of them than by default,
//! `ORLA_ACTIONS_SEED=7` begins with this one.

mod actor;
mod ending;
mod stage;

use crate::harness::{BOTH, Backend};
use actor::Shared;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use stage::Stage;
use std::time::Duration;

/// Sequences on each database, where nobody wants more.
const SEQUENCES: u64 = 2;
/// Each a few actions of each person.
const BATCHES: usize = 24;

#[expect(clippy::disallowed_methods, reason = "a wish of whoever runs the tests, and no setting of the product")]
fn wanted(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_in_whatever_order_all_adds_up() {
    let first = wanted("ORLA_ACTIONS_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    for seed in first..first + wanted("ORLA_ACTIONS").unwrap_or(SEQUENCES) {
        // Both at the same time: they wait more than they work.
        join_all(BOTH.map(|backend| Box::pin(sequence(backend, seed)))).await;
    }
}

/// Tells what was done, where the test ends in the middle of it.
struct Told(Backend, u64, Shared);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(backend, seed, shared) = self;
            eprintln!("{backend:?}, ORLA_ACTIONS_SEED={seed}:\n{}", shared.told().join("\n"));
        }
    }
}

async fn sequence(backend: Backend, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut stage = Stage::set(backend, &mut rng).await;
    let told = Told(backend, seed, stage.shared.clone());
    let bystander = stage.bystanders_things().await;
    for _ in 0..BATCHES {
        let shared = stage.shared.clone();
        let count = rng.random_range(1..=3);
        join_all(stage.actors.iter_mut().map(|actor| actor.act(&shared, count))).await;
        match rng.random_range(0..20) {
            0 => stage = stage.again().await,
            1 => stage.revoke(),
            2..7 => {
                let minutes = [1, 15, 5 * 60, 30 * 60, 3 * 24 * 60][rng.random_range(0..5)];
                stage.pass(Duration::from_secs(60 * minutes)).await;
            }
            _ => tokio::time::sleep(Duration::from_millis(rng.random_range(0..150))).await,
        }
    }
    stage.come_to_rest().await;
    let network = stage.posts();
    for actor in &stage.actors {
        ending::check(&stage, actor, &network).await;
    }
    ending::check_all(&stage).await;
    assert_eq!(stage.bystanders_things().await, bystander, "somebody else's things changed");
    stage.close().await;
    drop(told);
}

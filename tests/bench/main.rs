//! Benchmarks: tables of figures, each against a floor or a limit that is measured or set in the same run.
//!
//! `cargo measure [calls | vault | broker | publish [count] | balance | stream | memory | drive | platform | schedule | ledger |
//! corpus [words] | author]`; without a word, all of them. `words` are of the names of the attacks that are measured, such as `recurses`. The
//! exit code tells whether every threshold holds. Figures mean something only while nothing else runs on the machine.

#![expect(clippy::print_stdout, reason = "a command for people")]
#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first thing that it does not expect")]

mod author;
mod balance;
mod broker;
mod calls;
mod corpus;
mod crowd;
mod drive;
#[path = "../it/harness/mod.rs"]
#[expect(dead_code, reason = "made for the tests, of which this needs a part")]
#[expect(unused_imports, reason = "as above")]
mod harness;
mod ledger;
mod limited;
mod memory;
mod platform;
mod process;
mod publish;
mod schedule;
mod stream;
mod table;
mod vault;

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use tokio::runtime::{Builder, Runtime};

/// As the product's program: parts of it run in this one.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const USAGE: &str = "cargo measure [calls | vault | broker | publish [count] | balance | stream | memory | drive | platform | \
    schedule | ledger | corpus [words] | author]";

/// Publications of a round, unless told.
const PUBLICATIONS: usize = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if part(&words) {
        return ExitCode::SUCCESS;
    }
    harness::postgres::DURABLE.store(true, Ordering::Relaxed);
    println!("{} cores, {}", std::thread::available_parallelism().unwrap(), profile());
    let holds = match words[..] {
        [] => [
            calls(),
            vault(),
            broker(),
            publish(PUBLICATIONS),
            balance(),
            stream(),
            memory(),
            drive(),
            platform(),
            schedule(),
            ledger(),
            corpus(""),
            author::measure(),
        ]
        .iter()
        .all(|holds| *holds),
        ["calls"] => calls(),
        ["vault"] => vault(),
        ["broker"] => broker(),
        ["publish"] => publish(PUBLICATIONS),
        ["publish", count] => publish(count.parse().expect("a number of publications")),
        ["balance"] => balance(),
        ["stream"] => stream(),
        ["memory"] => memory(),
        ["drive"] => drive(),
        ["platform"] => platform(),
        ["schedule"] => schedule(),
        ["ledger"] => ledger(),
        ["corpus"] => corpus(""),
        ["corpus", words] => corpus(words),
        ["author"] => author::measure(),
        _ => {
            println!("{USAGE}");
            false
        }
    };
    println!();
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The parts of this program that tables start as processes of their own, to measure them from outside.
fn part(words: &[&str]) -> bool {
    match words {
        ["part", "native", database, origin, token] => {
            threads().block_on(publish::native::run(database, origin, token));
        }
        ["part", "direct"] => threads().block_on(publish::direct::run()),
        ["part", "balance", database, workspace, port] => {
            threads().block_on(balance::bare(database, workspace.parse().unwrap(), port.parse().unwrap()));
        }
        ["part", "download", origin, token, folder] => threads().block_on(drive::plain(origin, token, folder)),
        _ => return false,
    }
    true
}

fn calls() -> bool {
    // One thread, so that nothing but the call itself is timed.
    Builder::new_current_thread().enable_all().build().unwrap().block_on(calls::measure())
}

fn vault() -> bool {
    // One thread, as above.
    Builder::new_current_thread().enable_all().build().unwrap().block_on(vault::measure())
}

fn broker() -> bool {
    // One thread, so that no thread has to be woken for what another has done.
    Builder::new_current_thread().enable_all().build().unwrap().block_on(broker::measure())
}

fn publish(count: usize) -> bool {
    threads().block_on(publish::measure(count))
}

fn balance() -> bool {
    threads().block_on(balance::measure())
}

fn stream() -> bool {
    threads().block_on(stream::measure())
}

fn memory() -> bool {
    threads().block_on(memory::measure())
}

fn drive() -> bool {
    threads().block_on(drive::measure())
}

fn platform() -> bool {
    threads().block_on(platform::measure())
}

fn schedule() -> bool {
    threads().block_on(schedule::measure())
}

fn ledger() -> bool {
    threads().block_on(ledger::measure())
}

fn corpus(words: &str) -> bool {
    threads().block_on(corpus::measure(words))
}

fn threads() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

fn profile() -> &'static str {
    if cfg!(debug_assertions) {
        "profile of the tests (opt-level 2; the host's code with assertions)"
    } else {
        "profile release"
    }
}

//! How long an author waits: from an empty folder to a connector that is built and has passed its cases, with nothing compiled
//! before.

#[path = "../authoring/desk.rs"]
#[expect(dead_code, reason = "made for the tests, of which this needs a part")]
mod desk;

use crate::table::{Table, Verdict, digits};
use desk::{Desk, succeeded};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// The most that all may take, downloads aside.
const MOST_S: f64 = 90.0;

/// Measures, prints, and tells whether the threshold holds.
pub(crate) fn measure() -> bool {
    let desk = Desk::new("measure");
    let target = tempfile::tempdir().unwrap();
    let timed = |command: &mut Command| {
        let began = Instant::now();
        succeeded(&command.env("CARGO_TARGET_DIR", target.path()).output().unwrap());
        began.elapsed().as_secs_f64()
    };
    let mut table =
        Table::new("author: from an empty folder, cargo's target folder empty as well", &["step", "seconds"]);
    let begun = timed(&mut desk.orla("", ["new", "demo"]));
    let mut fetch = desk.command(Path::new("cargo"), "demo");
    let fetched = timed(fetch.args(["fetch", "--locked", "--target", "wasm32-wasip2"]));
    let built = timed(&mut desk.orla("demo", ["build"]));
    let tested = timed(&mut desk.orla("demo", ["test"]));
    table.row(&[&"orla connector new demo", &digits(begun, 2)]);
    table.row(&[&"cargo fetch: downloads, unless they are there", &digits(fetched, 2)]);
    table.row(&[&"orla connector build", &digits(built, 2)]);
    table.row(&[&"orla connector test", &digits(tested, 2)]);
    let all = begun + built + tested;
    table.judged(&[&"in all, downloads aside", &digits(all, 2)], &Verdict::at_most(all, MOST_S));
    table.print()
}

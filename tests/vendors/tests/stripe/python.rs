//! Stripe's own library for Python, as the judge: it can do all that the API is for, verifies what is signed, and knows
//! every member of every answer.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use orla_vendors::stripe::sign;
use tokio::process::Command;

use crate::{Bench, START, venv};

/// The library, as its package index calls it.
const PACKAGE: &str = "stripe==16.1.0";

/// One test, as one virtual environment is made at a time.
#[tokio::test]
async fn the_official_library_understands_and_verifies_it() {
    let python = venv::python(PACKAGE).await;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stripe");
    let bench = Bench::start().await;
    let settings = bench.sim.settings();
    let mut client = Command::new(&python);
    client.arg(scripts.join("client.py")).arg(bench.sim.origin()).args([settings.api_key, START.to_string()]);
    venv::run(&mut client, "Stripe's library for Python and the simulator disagree").await;
    let events = bench.sim.events();
    let kinds: BTreeSet<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert!(kinds.len() > 25, "the script sees most of what can happen: {kinds:?}");

    let (secret, body, now) = (settings.webhook_secret, events[0].body(), now_s());
    let mut verify = Command::new(python);
    verify.arg(scripts.join("verify.py"));
    verify.args([&secret, &body, &sign(&secret, &body, now), &sign(&secret, &body, now - 600)]);
    venv::run(&mut verify, "Stripe's library for Python and the simulator's signatures disagree").await;
}

#[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has its own clock")]
fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(since.as_secs()).expect("it is not so long after it")
}

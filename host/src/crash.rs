//! Dying on purpose: `ORLA_CRASH_AT=n` aborts the process just before its n-th durable write, `n+` just after it.
//!
//! The crash walk of the tests uses it to die at every step of a publication. Unset, it costs one atomic load a write.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

struct Plan {
    write: u64,
    after: bool,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the tests, not a setting: it is not part of the configuration"
)]
static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| {
    let text = std::env::var("ORLA_CRASH_AT").ok()?;
    let after = text.ends_with('+');
    let write = text.trim_end_matches('+').parse().ok()?;
    Some(Plan { write, after })
});
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Counts a durable write that is about to happen, and dies if this is the one.
pub(crate) fn before_write() {
    if let Some(plan) = &*PLAN {
        let number = WRITES.fetch_add(1, Ordering::SeqCst) + 1;
        if number == plan.write && !plan.after {
            std::process::abort();
        }
    }
}

/// Dies if the write that was just made is the one.
pub(crate) fn after_write() {
    if let Some(plan) = &*PLAN
        && plan.after
        && WRITES.load(Ordering::SeqCst) >= plan.write
    {
        std::process::abort();
    }
}

//! The time as the simulator sees it. The one place that asks the machine.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whole seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the simulator's clock, and it shares no code with the host")]
pub(super) fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

//! The time as the simulators see it. The one place that asks the machine; everything else is handed a [`Moment`].

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcDateTime};

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// The beginning of 1970.
    pub(crate) const EPOCH: Self = Self(0);

    #[expect(clippy::disallowed_methods, reason = "this is the simulator's clock, and it shares no code with the host")]
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// From RFC 3339, such as `2026-01-31T12:00:00Z`; nothing if it is anything else or before 1970.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let nanoseconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        u64::try_from(nanoseconds / 1_000_000).ok().map(Self)
    }

    pub(crate) fn after_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    pub(crate) fn after_s(self, seconds: u64) -> Self {
        self.after_ms(seconds.saturating_mul(1_000))
    }

    pub(crate) fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) fn s_since(self, earlier: Self) -> u64 {
        self.ms_since(earlier) / 1_000
    }

    pub(crate) fn unix_ms(self) -> u64 {
        self.0
    }

    /// Whole seconds, rounded up, so that a caller who waits until then does not come early.
    pub(crate) fn unix_s(self) -> u64 {
        self.0.div_ceil(1_000)
    }
}

impl fmt::Display for Moment {
    /// As X and Mastodon write times: `2026-01-31T12:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let since = Duration::milliseconds(i64::try_from(self.0).unwrap_or(i64::MAX));
        let text = UtcDateTime::UNIX_EPOCH.checked_add(since).and_then(|utc| utc.format(format).ok());
        f.write_str(&text.ok_or(fmt::Error)?)
    }
}

//! What a call used, counted by the host.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What calls used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Meter {
    /// Fuel, about one unit an instruction.
    pub fuel: u64,
    /// Most bytes of memory in use at once.
    pub memory_peak_bytes: u64,
    /// Memory in use times how long it was, in bytes times microseconds.
    #[serde(default)]
    pub memory_byte_us: u64,
    /// Requests sent to the vendor; answers from the journal do not count.
    pub requests: u64,
    /// Bytes of bodies sent.
    pub bytes_out: u64,
    /// Bytes of bodies received.
    pub bytes_in: u64,
    /// From beginning to end.
    #[serde(rename = "wall_us", with = "micros")]
    #[schema(value_type = u64)]
    pub wall: Duration,
    /// The guest's own time, waiting for the host not counted.
    #[serde(rename = "guest_us", with = "micros")]
    #[schema(value_type = u64)]
    pub guest: Duration,
}

/// Durations as whole microseconds.
mod micros {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

/// Requests and bytes, counted while they happen.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    requests: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
}

impl Traffic {
    /// Counts a request about to be sent.
    pub(crate) fn request(&self, body_bytes: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes_out.fetch_add(body_bytes, Ordering::Relaxed);
    }

    /// Counts bytes of an answer.
    pub(crate) fn received(&self, bytes: u64) {
        self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of bodies sent so far.
    pub(crate) fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    /// Bytes of bodies received so far.
    pub(crate) fn bytes_in(&self) -> u64 {
        self.bytes_in.load(Ordering::Relaxed)
    }
}

impl Meter {
    pub(crate) fn add_traffic(&mut self, traffic: &Traffic) {
        self.requests += traffic.requests.load(Ordering::Relaxed);
        self.bytes_out += traffic.bytes_out.load(Ordering::Relaxed);
        self.bytes_in += traffic.bytes_in.load(Ordering::Relaxed);
    }

    /// What both used together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.fuel += other.fuel;
        self.memory_peak_bytes = self.memory_peak_bytes.max(other.memory_peak_bytes);
        self.memory_byte_us = self.memory_byte_us.saturating_add(other.memory_byte_us);
        self.requests += other.requests;
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
        self.wall += other.wall;
        self.guest += other.guest;
        self
    }
}

//! What connectors use, by connector and version, in the text format of Prometheus (OpenMetrics 1.0).
//!
//! Receipts say what one call used; these counters say what all of them used since the host started.

use super::billing::Units;
use super::meter::Meter;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::atomic::AtomicU64;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    connector: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    connector: String,
    version: String,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Billed {
    connector: String,
    version: String,
    unit: String,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Outcome {
    /// With a result.
    Ok,
    /// With a fault that the connector returned.
    Fault,
    /// With a trap, or at a limit of its own.
    Trap,
    /// Nobody wanted its result any more.
    Cancelled,
    /// It found no place in the queue.
    Busy,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Ok, Self::Fault, Self::Trap, Self::Cancelled, Self::Busy];
}

type Seconds = Counter<f64, AtomicU64>;

/// All counters.
pub struct Metrics {
    registry: Registry,
    calls: Family<Ended, Counter>,
    under_way: Family<Version, Gauge>,
    fuel: Family<Version, Counter>,
    memory_peak: Family<Version, Gauge>,
    memory_time: Family<Version, Seconds>,
    requests: Family<Version, Counter>,
    sent: Family<Version, Counter>,
    received: Family<Version, Counter>,
    wall: Family<Version, Seconds>,
    guest: Family<Version, Seconds>,
    usage: Family<Billed, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Self {
            registry: Registry::with_prefix("orla_connector"),
            calls: Family::default(),
            under_way: Family::default(),
            fuel: Family::default(),
            memory_peak: Family::default(),
            memory_time: Family::default(),
            requests: Family::default(),
            sent: Family::default(),
            received: Family::default(),
            wall: Family::default(),
            guest: Family::default(),
            usage: Family::default(),
        };
        let registry = &mut all.registry;
        registry.register("calls", "Calls, by how they ended", all.calls.clone());
        registry.register("calls_under_way", "Calls at this moment", all.under_way.clone());
        registry.register("fuel", "Fuel used, about one unit an instruction", all.fuel.clone());
        let (bytes, seconds) = (Unit::Bytes, Unit::Seconds);
        let help = "Most memory that one call used since the host started";
        registry.register_with_unit("memory_peak", help, bytes.clone(), all.memory_peak.clone());
        registry.register("memory_byte_seconds", "Memory in use times how long it was", all.memory_time.clone());
        registry.register("requests", "Requests sent to vendors", all.requests.clone());
        registry.register_with_unit("sent", "Bytes of bodies sent", bytes.clone(), all.sent.clone());
        registry.register_with_unit("received", "Bytes of bodies received", bytes, all.received.clone());
        registry.register_with_unit("wall", "Time of calls from beginning to end", seconds.clone(), all.wall.clone());
        registry.register_with_unit("guest", "The guests' own time in calls", seconds, all.guest.clone());
        registry.register("usage", "What vendors billed, by unit", all.usage.clone());
        all
    }
}

impl Metrics {
    /// All figures as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// The counters of one release, looked up once.
    pub(crate) fn of(&self, connector: &str, version: &str) -> Counters {
        let (connector, version) = (connector.to_owned(), version.to_owned());
        let labels = Version { connector, version };
        let ended = |outcome| {
            let Version { connector, version } = labels.clone();
            self.calls.get_or_create_owned(&Ended { connector, version, outcome })
        };
        Counters {
            calls: Outcome::ALL.map(ended),
            under_way: self.under_way.get_or_create_owned(&labels),
            fuel: self.fuel.get_or_create_owned(&labels),
            memory_peak: self.memory_peak.get_or_create_owned(&labels),
            memory_time: self.memory_time.get_or_create_owned(&labels),
            requests: self.requests.get_or_create_owned(&labels),
            sent: self.sent.get_or_create_owned(&labels),
            received: self.received.get_or_create_owned(&labels),
            wall: self.wall.get_or_create_owned(&labels),
            guest: self.guest.get_or_create_owned(&labels),
            usage: self.usage.clone(),
            labels,
        }
    }
}

/// The counters of one release.
#[derive(Debug)]
pub(crate) struct Counters {
    labels: Version,
    calls: [Counter; Outcome::ALL.len()],
    /// Calls at this moment.
    pub(crate) under_way: Gauge,
    fuel: Counter,
    memory_peak: Gauge,
    memory_time: Seconds,
    requests: Counter,
    sent: Counter,
    received: Counter,
    wall: Seconds,
    guest: Seconds,
    usage: Family<Billed, Counter>,
}

impl Counters {
    /// Counts a call that ended.
    pub(crate) fn count(&self, outcome: Outcome, meter: &Meter) {
        self.calls[outcome as usize].inc();
        self.fuel.inc_by(meter.fuel);
        let peak = i64::try_from(meter.memory_peak_bytes).unwrap_or(i64::MAX);
        self.memory_peak.inner().fetch_max(peak, std::sync::atomic::Ordering::Relaxed);
        self.memory_time.inc_by(meter.memory_byte_us as f64 / 1e6);
        self.requests.inc_by(meter.requests);
        self.sent.inc_by(meter.bytes_out);
        self.received.inc_by(meter.bytes_in);
        self.wall.inc_by(meter.wall.as_secs_f64());
        self.guest.inc_by(meter.guest.as_secs_f64());
    }

    /// Counts what a vendor billed for a run.
    pub(crate) fn bill(&self, units: &Units) {
        for (unit, count) in units {
            let Version { connector, version } = self.labels.clone();
            let labels = Billed { connector, version, unit: unit.clone() };
            self.usage.get_or_create(&labels).inc_by(*count);
        }
    }
}

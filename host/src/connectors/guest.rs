//! What a guest has while one call of it runs: an empty WASI, a table of handles, limits, and the run that it works for.
//!
//! A guest lives in a store of its own, made for the call and dropped after it, so nothing of one call or tenant is left
//! for another.

use super::run::Run;
use super::wasi;
use orla_manifest::Limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter as _, ResourceLimiterAsync, Store, StoreLimits};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Most handles that a guest may hold at once.
const MAX_HANDLES: usize = 4_096;
/// Most handles that the engine tracks for a guest; one that is lent counts twice.
const MAX_TRACKED_HANDLES: usize = 4 * MAX_HANDLES;
/// Most bytes that one call of the host takes over from a guest. Lists may name the same bytes many times, so what the host
/// would copy has nothing to do with the size of the guest's memory.
const MAX_TAKEN_BYTES: usize = 6 << 20;
/// How long a guest may keep a thread with calls of the host, which cost it hardly any fuel.
const LONGEST_STRETCH: Duration = Duration::from_micros(200);
/// Longest and most notes that a call may log.
pub(crate) const MAX_NOTES: u32 = 100;
pub(crate) const MAX_NOTE_CHARS: usize = 1_000;

/// The state of one call.
pub(crate) struct Guest {
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    pub(crate) limiter: Limiter,
    /// Whom it works for; `None` while it describes itself, when every import is refused.
    pub(crate) run: Option<Arc<Run>>,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) notes_left: u32,
    /// The connector's last error note, which names the cause when it then traps.
    pub(crate) last_error: Option<String>,
    /// When it last let others run between two calls of the host.
    paused: Instant,
}

impl Guest {
    pub(crate) fn new(run: Option<Arc<Run>>, limits: &Limits) -> Self {
        let (seed, started_at) = run.as_ref().map_or((0, 0), |run| (run.seed, run.started_at.0));
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Self {
            table,
            wasi: wasi::empty(seed, started_at),
            limiter: Limiter::new(limits.memory_bytes),
            run,
            waiting: Arc::default(),
            notes_left: MAX_NOTES,
            last_error: None,
            paused: Instant::now(),
        }
    }

    /// Lets others run where the guest has kept the thread for long. Each function of the host begins with it: the engine
    /// makes a guest yield by its fuel, and what the host does for it uses none.
    pub(crate) async fn pace(&mut self) {
        if self.paused.elapsed() > LONGEST_STRETCH {
            tokio::task::yield_now().await;
            self.paused = Instant::now();
        }
    }
}

/// What a component meets that calls the host while it describes itself.
pub(crate) fn powerless() -> wasmtime::Error {
    wasmtime::Error::msg("a component that describes itself has no powers")
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Sums all memories and tables of a store, and refuses what would exceed the limit.
pub(crate) struct Limiter {
    limit_bytes: u64,
    used_bytes: u64,
    /// Most that was in use at once.
    pub(crate) peak_bytes: u64,
    /// How often growth was refused, which is what a later trap is about.
    refusals: u32,
    /// Bytes times microseconds up to `grown_at`.
    byte_us: u64,
    grown_at: Instant,
    counts: StoreLimits,
}

/// How often a guest may ask for more than it may have. Asking costs it hardly any fuel, and a guest that can do without has
/// understood by then.
const MOST_REFUSALS: u32 = 64;
/// What comes at once; beyond it, memory comes at a pace. The kernel makes pages one by one while nobody else's memory can
/// change, so that guests who fill all that they get would hold everybody up.
const AT_ONCE_BYTES: u64 = 16 << 20;
const PACE_PER_MIB: Duration = Duration::from_millis(4);
/// What a table element takes in the host.
const TABLE_ELEMENT_BYTES: u64 = 16;

impl Limiter {
    fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            used_bytes: 0,
            peak_bytes: 0,
            refusals: 0,
            byte_us: 0,
            grown_at: Instant::now(),
            counts: StoreLimits::default(),
        }
    }

    /// Memory in use times how long it has been, in bytes times microseconds.
    pub(crate) fn byte_us(&self) -> u64 {
        let since_us = u64::try_from(self.grown_at.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.byte_us.saturating_add(self.used_bytes.saturating_mul(since_us))
    }

    /// Whether growth was refused.
    pub(crate) fn has_refused(&self) -> bool {
        self.refusals > 0
    }

    fn grow(&mut self, by_bytes: u64) -> wasmtime::Result<bool> {
        let wanted = self.used_bytes.saturating_add(by_bytes);
        if wanted > self.limit_bytes {
            self.refusals += 1;
            wasmtime::ensure!(self.refusals <= MOST_REFUSALS, "growth was refused {MOST_REFUSALS} times");
            return Ok(false);
        }
        self.byte_us = self.byte_us();
        self.grown_at = Instant::now();
        self.used_bytes = wanted;
        self.peak_bytes = self.peak_bytes.max(wanted);
        Ok(true)
    }
}

#[async_trait::async_trait]
impl ResourceLimiterAsync for Limiter {
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let by_bytes = desired.saturating_sub(current) as u64;
        let may = self.grow(by_bytes)?;
        let beyond = self.used_bytes.saturating_sub(AT_ONCE_BYTES).min(by_bytes);
        if may && beyond > 0 {
            tokio::time::sleep(PACE_PER_MIB.mul_f64(beyond as f64 / f64::from(1 << 20))).await;
        }
        Ok(may)
    }

    async fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow((desired.saturating_sub(current) as u64).saturating_mul(TABLE_ELEMENT_BYTES))
    }

    fn instances(&self) -> usize {
        self.counts.instances()
    }

    fn tables(&self) -> usize {
        self.counts.tables()
    }

    fn memories(&self) -> usize {
        self.counts.memories()
    }
}

/// How long a guest has waited for the host: time that is not its own.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    past_ns: AtomicU64,
    /// Nanoseconds from `EPOCH` to the beginning of the present wait, plus one; 0 when not waiting.
    since_ns: AtomicU64,
}

static EPOCH: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Waiting {
    /// Counts from now on as the host's time, until the result is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Wait {
        self.since_ns.store(nanoseconds(EPOCH.elapsed()) + 1, Ordering::SeqCst);
        Wait(self.clone())
    }

    /// All of the host's time so far.
    pub(crate) fn total(&self) -> Duration {
        let since = self.since_ns.load(Ordering::SeqCst);
        let present = if since == 0 { 0 } else { nanoseconds(EPOCH.elapsed()).saturating_sub(since - 1) };
        Duration::from_nanos(self.past_ns.load(Ordering::SeqCst) + present)
    }
}

/// A wait under way.
pub(crate) struct Wait(Arc<Waiting>);

impl Drop for Wait {
    fn drop(&mut self) {
        let since = self.0.since_ns.swap(0, Ordering::SeqCst);
        let waited = nanoseconds(EPOCH.elapsed()).saturating_sub(since.saturating_sub(1));
        self.0.past_ns.fetch_add(waited, Ordering::SeqCst);
    }
}

/// A store for one call, with fuel and limits set.
pub(crate) fn store(engine: &wasmtime::Engine, guest: Guest, fuel: u64) -> wasmtime::Result<Store<Guest>> {
    let mut store = Store::new(engine, guest);
    store.limiter_async(|guest| &mut guest.limiter);
    store.set_hostcall_fuel(MAX_TAKEN_BYTES);
    store.set_max_component_handles(MAX_TRACKED_HANDLES);
    store.set_fuel(fuel)?;
    store.fuel_async_yield_interval(Some(super::engine::YIELD_FUEL))?;
    Ok(store)
}

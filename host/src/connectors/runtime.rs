//! Calling guests: a fresh store a call, bounded in fuel, memory and time.

use super::bindings;
use super::engine::{self, Memories};
use super::fault::{Fault, FaultKind};
use super::following::MOST_TRAPS;
use super::gate;
use super::guest::{self, Guest};
use super::meter::Meter;
use super::metrics::Outcome;
use super::run::Run;
use super::wasi;
use orla_manifest::Limits;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use wasmtime::component::{Component, HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Engine, Store, Trap};

/// How long a call waits for a free slot.
const SLOT_WAIT: Duration = Duration::from_secs(30);
/// What `describe` may use: it only makes a text.
const DESCRIBE_FUEL: u64 = 50_000_000;
const DESCRIBE_MS: u64 = 1_000;

/// Runs guests.
pub(crate) struct Runtime {
    engine: Engine,
    linker: Linker<Guest>,
    calls: u32,
    slots: Arc<Semaphore>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Runtime({} slots free)", self.slots.available_permits())
    }
}

/// What a call came to, and what it used.
#[derive(Debug)]
pub(crate) struct Called<R> {
    pub(crate) result: Result<R, Fault>,
    pub(crate) meter: Meter,
}

impl Runtime {
    pub(crate) fn new(calls: u32, memories: &Memories) -> anyhow::Result<Self> {
        let engine = engine::running(calls, memories).map_err(engine::explain)?;
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).map_err(engine::explain)?;
        bindings::connector::Connector::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)
            .map_err(engine::explain)?;
        bindings::writes::orla::connector::text_sink::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| {
            guest
        })
        .map_err(engine::explain)?;
        Ok(Self { engine, linker, calls, slots: Arc::new(Semaphore::new(calls as usize)) })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The most calls that one connector may have at the same time: the others always find a place.
    pub(crate) fn most_of_one(&self) -> u32 {
        (self.calls * 3 / 4).max(1)
    }

    /// Resolves a component's imports, once for all its calls.
    pub(crate) fn link(&self, component: &Component) -> wasmtime::Result<InstancePre<Guest>> {
        self.linker.instantiate_pre(component)
    }

    /// Asks a component for its manifest, without any power.
    pub(crate) async fn describe(&self, linked: &InstancePre<Guest>) -> Result<String, Fault> {
        let limits = Limits { fuel: DESCRIBE_FUEL, guest_ms: DESCRIBE_MS, total_ms: DESCRIBE_MS, ..Limits::default() };
        let indices = bindings::connector::ConnectorIndices::new(linked)
            .map_err(|_| Fault::bug("the component does not export `describe`"))?;
        let (ended, _) = self
            .call(linked, None, &limits, async |store, instance| {
                let connector = indices.load(&mut *store, instance)?;
                connector.call_describe(store).await.map(Ok)
            })
            .await;
        ended.into_result()
    }

    /// Calls into the release that a run is pinned to, within the run's limits.
    pub(crate) async fn run<R>(
        &self,
        run: Arc<Run>,
        body: impl AsyncFnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<Result<R, Fault>>,
    ) -> Called<R> {
        let release = run.release.clone();
        let _entered = match release.gate.enter().await {
            Ok(entered) => entered,
            Err(fault) => {
                release.counters.count(Outcome::Busy, &Meter::default());
                return Called { result: Err(fault), meter: Meter::default() };
            }
        };
        let limits = run.limits.clone();
        release.counters.under_way.inc();
        let (ended, meter) = Box::pin(self.call(&release.linked, Some(run.clone()), &limits, body)).await;
        release.counters.under_way.dec();
        let outcome = ended.outcome();
        release.counters.count(outcome, &meter);
        match outcome {
            Outcome::Trap if release.traps.fetch_add(1, Ordering::Relaxed) + 1 == MOST_TRAPS => {
                run.services.distrust.notify_one();
            }
            // That it can look at a text says nothing about its real work, which may trap all the same.
            Outcome::Ok | Outcome::Fault if run.journal.is_some() => release.traps.store(0, Ordering::Relaxed),
            Outcome::Ok | Outcome::Fault | Outcome::Trap | Outcome::Cancelled | Outcome::Busy => {}
        }
        Called { result: ended.into_result(), meter }
    }

    async fn call<R>(
        &self,
        linked: &InstancePre<Guest>,
        run: Option<Arc<Run>>,
        limits: &Limits,
        body: impl AsyncFnOnce(&mut Store<Guest>, &Instance) -> wasmtime::Result<Result<R, Fault>>,
    ) -> (Ended<R>, Meter) {
        let mut meter = Meter::default();
        let slot = tokio::time::timeout(SLOT_WAIT, self.slots.clone().acquire_owned()).await;
        let Ok(Ok(_slot)) = slot else { return (Ended::Busy, meter) };
        let began = Instant::now();
        let guest = Guest::new(run.clone(), limits);
        let waiting = guest.waiting.clone();
        let mut store = match guest::store(&self.engine, guest, limits.fuel) {
            Ok(store) => store,
            Err(error) => return (Ended::Trapped(Fault::bug(format!("no store: {error:#}"))), meter),
        };
        let work = async {
            let instance = linked.instantiate_async(&mut store).await?;
            body(&mut store, &instance).await
        };
        let result = tokio::select! {
            outcome = work => Some(outcome),
            () = overtime(began, limits, &waiting) => None,
            () = stopped(run.as_deref()) => Some(Ok(Err(Fault::new(FaultKind::Cancelled, "the call was stopped")))),
        };
        meter.fuel = limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        meter.memory_peak_bytes = store.data().limiter.peak_bytes;
        meter.memory_byte_us = store.data().limiter.byte_us();
        meter.wall = began.elapsed();
        meter.guest = meter.wall.saturating_sub(waiting.total());
        if let Some(run) = &run {
            meter.add_traffic(&run.traffic);
        }
        let ended = match result {
            None => Ended::Trapped(Fault::new(FaultKind::Budget, "the call took longer than it may")),
            Some(Ok(result)) => Ended::Returned(result),
            Some(Err(error)) => Ended::Trapped(trapped(&error, &store)),
        };
        (ended, meter)
    }
}

/// How a call ended.
enum Ended<R> {
    /// The guest returned, or nobody waited for it.
    Returned(Result<R, Fault>),
    /// The guest was stopped: it trapped, or was at a limit of its own.
    Trapped(Fault),
    /// It did not begin.
    Busy,
}

impl<R> Ended<R> {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Returned(Ok(_)) => Outcome::Ok,
            Self::Returned(Err(fault)) if fault.kind == FaultKind::Cancelled => Outcome::Cancelled,
            Self::Returned(Err(_)) => Outcome::Fault,
            Self::Trapped(_) => Outcome::Trap,
            Self::Busy => Outcome::Busy,
        }
    }

    fn into_result(self) -> Result<R, Fault> {
        match self {
            Self::Returned(result) => result,
            Self::Trapped(fault) => Err(fault),
            Self::Busy => Err(gate::busy()),
        }
    }
}

/// Ends when a call has used up its own time, or all of it.
async fn overtime(began: Instant, limits: &Limits, waiting: &guest::Waiting) {
    let own = Duration::from_millis(limits.guest_ms);
    let all = Duration::from_millis(limits.total_ms);
    loop {
        let elapsed = began.elapsed();
        let left_own = own.saturating_sub(elapsed.saturating_sub(waiting.total()));
        let left = left_own.min(all.saturating_sub(elapsed));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}

/// Ends when nobody wants the call's result any more.
async fn stopped(run: Option<&Run>) {
    match run {
        Some(run) => run.stop.cancelled().await,
        None => std::future::pending().await,
    }
}

/// What a trap means. The connector's panic message, logged just before, says it best.
fn trapped(error: &wasmtime::Error, store: &Store<Guest>) -> Fault {
    let guest = store.data();
    if guest.limiter.has_refused() {
        return Fault::new(FaultKind::Budget, "the call needed more memory than it may have");
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Fault::new(FaultKind::Budget, "the call used up its fuel"),
        Some(Trap::StackOverflow) => Fault::new(FaultKind::Budget, "the call used up its stack"),
        trap => {
            let cause = match (&guest.last_error, trap) {
                (Some(note), _) => note.clone(),
                (None, Some(trap)) => trap.to_string(),
                // What surrounds the cause tells where in the code it was.
                (None, None) => error.root_cause().to_string().chars().take(300).collect(),
            };
            Fault::bug(format!("the connector trapped: {cause}"))
        }
    }
}

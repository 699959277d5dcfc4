//! What a call of a connector costs, step by step: from bare wasmtime to the host's whole path and its journal.

use crate::harness::{Backend, Host};
use crate::table::{Table, Verdict, digits, median};
use bindings::PublishesIndices;
use bindings::exports::orla::connector::publish::Variant;
use bindings::orla::connector::blob::Blob;
use bindings::orla::connector::variants::Part;
use std::time::Instant;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable, ResourceType};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store, StoreLimits,
    StoreLimitsBuilder,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "publishes", exports: { default: async } });
}

const ROUNDS: usize = 60;
const CALLS: u32 = 200;
const TEXT: &str = "Good morning. The shop opens at nine today, and there is cake.";
/// The most that the whole path may take, in times of the floor.
const THRESHOLD: f64 = 1.5;

/// The least number of fresh instances, each with a call, of a second and core.
const CALLS_PER_SECOND: f64 = 20_000.0;
/// Commits that are journaled in a round.
const COMMITS: u32 = 20;

/// Microseconds a call in one round.
struct Round {
    bare: f64,
    limited: f64,
    whole: f64,
}

/// Measures, prints, and tells whether the thresholds hold.
pub(crate) async fn measure() -> bool {
    let host = Host::start(Backend::Sqlite).await;
    let component = std::fs::read(host.app.config().connectors_folder.join("x.wasm")).unwrap();
    let (bare, limited) = (Floor::new(&component, Limits::None), Floor::new(&component, Limits::OfTheHost));
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        // Who goes first changes, so that nobody always finds the caches as the others left them.
        rounds.push(if round % 2 == 0 {
            let (bare, limited) = (bare.calls().await, limited.calls().await);
            Round { bare, limited, whole: through_the_host(&host).await }
        } else {
            let whole = through_the_host(&host).await;
            let limited = limited.calls().await;
            Round { bare: bare.calls().await, limited, whole }
        });
    }
    // The first round warms up.
    let rounds = &rounds[1..];
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure));
    let title = format!(
        "calls: instantiate X and call its `publish.check`; one thread, medians of {ROUNDS} rounds of {CALLS} calls each way"
    );
    let mut table = Table::new(title, &["way", "µs a call", "ratio"]);
    let step = |figure: f64| digits(figure, 1);
    table.row(&[&"bare wasmtime", &step(of(|round| round.bare)), &digits(of(|round| round.bare / round.limited), 2)]);
    table.row(&[&"+ limits (fuel, yields, memory), the floor", &step(of(|round| round.limited)), &digits(1.0, 2)]);
    let ratio = of(|round| round.whole / round.limited);
    let whole = of(|round| round.whole);
    let way = "+ metering, grants, gate, handles: the host's whole path";
    table.judged(&[&way, &step(whole), &digits(ratio, 2)], &Verdict::at_most(ratio, THRESHOLD));
    let rate = 1e6 / whole;
    table.judged(
        &[&"  fresh instances with a call, a second and core", &step(rate), &"-"],
        &Verdict::at_least(rate, CALLS_PER_SECOND),
    );
    let journal = journal(&host).await;
    table.row(&[
        &"+ journal: a commit's two durable rows, SQLite",
        &step(whole + journal),
        &digits((whole + journal) / of(|round| round.limited), 2),
    ]);
    host.app.stop().await;
    table.print()
}

/// Microseconds that a commit's rows take.
async fn journal(host: &Host) -> f64 {
    let ada = host.connected("ada", "twitter").await;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS / 4 {
        let journal = host.app.connectors().journal_for_bench("x", ada.workspace).await.unwrap();
        let began = Instant::now();
        for n in 0..COMMITS {
            journal.commit(&format!("part/{n}")).await.unwrap();
        }
        rounds.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(COMMITS));
    }
    median(rounds)
}

/// Microseconds a call.
async fn through_the_host(host: &Host) -> f64 {
    let began = Instant::now();
    for _ in 0..CALLS {
        assert_eq!(host.app.connectors().check_for_bench("x", TEXT).await, Ok(0));
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}

/// What bounds a call of the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limits {
    None,
    /// Fuel that yields, and a limiter of memory.
    OfTheHost,
}

/// wasmtime with nothing around it.
struct Floor {
    limits: Limits,
    engine: Engine,
    linked: InstancePre<Bare>,
    indices: PublishesIndices,
}

/// The least that a component built for WASI asks for.
struct Bare {
    wasi: WasiCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Floor {
    fn new(component: &[u8], limits: Limits) -> Self {
        let engine = Engine::new(config().consume_fuel(limits == Limits::OfTheHost)).unwrap();
        let component = Component::new(&engine, component).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        // Wherever blobs are spoken of, their type is the generated one. All else is never called by `check`.
        for (name, import) in component.component_type().imports(&engine) {
            let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
            if instance.exports(&engine).any(|(name, _)| name == "blob") {
                let mut instance = linker.instance(name).unwrap();
                instance.resource("blob", ResourceType::host::<Blob>(), |_, _| Ok(())).unwrap();
            }
        }
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let linked = linker.instantiate_pre(&component).unwrap();
        let indices = PublishesIndices::new(&linked).unwrap();
        Self { limits, engine, linked, indices }
    }

    /// Microseconds a call.
    async fn calls(&self) -> f64 {
        let began = Instant::now();
        for _ in 0..CALLS {
            assert_eq!(self.call().await, 0);
        }
        began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
    }

    async fn call(&self) -> usize {
        let limits = StoreLimitsBuilder::new().memory_size(32 << 20).build();
        let bare = Bare { wasi: WasiCtx::builder().build(), table: ResourceTable::new(), limits };
        let mut store = Store::new(&self.engine, bare);
        if self.limits == Limits::OfTheHost {
            store.limiter(|bare| &mut bare.limits);
            store.set_fuel(1_000_000_000).unwrap();
            store.fuel_async_yield_interval(Some(100_000)).unwrap();
        }
        let instance = self.linked.instantiate_async(&mut store).await.unwrap();
        let world = self.indices.load(&mut store, &instance).unwrap();
        let parts = vec![Part { text: TEXT.to_owned(), media: Vec::new() }];
        let variant =
            Variant { parts, title: None, link: None, first_comment: None, privacy: None, extras: Vec::new() };
        world.orla_connector_publish().call_check(&mut store, &variant, &[]).await.unwrap().len()
    }
}

/// The settings of `host/src/connectors/engine.rs`.
fn config() -> Config {
    const CALLS: u32 = 32;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(CALLS)
        .total_core_instances(CALLS * 16)
        .total_memories(CALLS * 2)
        .total_tables(CALLS * 8)
        .total_stacks(CALLS)
        .max_core_instances_per_component(16)
        .max_memories_per_component(2)
        .max_tables_per_component(8)
        .table_elements(20_000)
        .max_memory_size(64 << 20)
        .linear_memory_keep_resident(if PoolingAllocationConfig::is_pagemap_scan_available() {
            1 << 20
        } else {
            256 << 10
        })
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(CALLS / 4);
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20)
        .memory_reservation(64 << 20)
        .memory_reservation_for_growth(0)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

//! What a call of a connector costs: the host's whole path against bare wasmtime with the same component.

use crate::harness::{Backend, Host};
use crate::table::{Table, Verdict, digits, median};
use bindings::PublishesIndices;
use bindings::exports::orla::connector::publish::Variant;
use bindings::orla::connector::blob::Blob;
use bindings::orla::connector::variants::Part;
use std::time::Instant;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable, ResourceType};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "publishes", exports: { default: async } });
}

const ROUNDS: usize = 60;
const CALLS: u32 = 200;
const TEXT: &str = "Good morning. The shop opens at nine today, and there is cake.";
/// The most that the whole path may take, in times of the floor.
const THRESHOLD: f64 = 1.5;

/// Measures, prints, and tells whether the threshold holds.
pub(crate) async fn measure() -> bool {
    let host = Host::start(Backend::Sqlite).await;
    let component = std::fs::read(host.app.config().connectors_folder.join("x.wasm")).unwrap();
    let floor = Floor::new(&component);
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        // Who goes first changes, so that neither always finds the caches as the other left them.
        let (bare, whole) = if round % 2 == 0 {
            let bare = floor.calls().await;
            (bare, through_the_host(&host).await)
        } else {
            let whole = through_the_host(&host).await;
            (floor.calls().await, whole)
        };
        rounds.push((bare, whole));
    }
    // The first round warms up.
    let rounds = &rounds[1..];
    let ratio = median(rounds.iter().map(|(bare, whole)| whole / bare));
    let title = format!(
        "calls: instantiate X and call its `publish.check`; one thread, medians of {ROUNDS} rounds of {CALLS} calls each way"
    );
    let mut table = Table::new(title, &["way", "µs a call", "ratio"]);
    let bare = median(rounds.iter().map(|(bare, _)| *bare));
    let whole = median(rounds.iter().map(|(_, whole)| *whole));
    table.row(&[&"bare wasmtime, same engine settings", &digits(bare, 1), &digits(1.0, 2)]);
    let verdict = Verdict::at_most(ratio, THRESHOLD);
    table.judged(&[&"through the host", &digits(whole, 1), &digits(ratio, 2)], &verdict);
    host.app.stop().await;
    table.print()
}

/// Microseconds a call.
async fn through_the_host(host: &Host) -> f64 {
    let began = Instant::now();
    for _ in 0..CALLS {
        assert_eq!(host.app.connectors().check_for_bench("x", TEXT).await, Ok(0));
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}

/// wasmtime with nothing around it.
struct Floor {
    engine: Engine,
    linked: InstancePre<Bare>,
    indices: PublishesIndices,
}

/// The least that a component built for WASI asks for.
struct Bare {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Floor {
    fn new(component: &[u8]) -> Self {
        let engine = Engine::new(&config()).unwrap();
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
        Self { engine, linked, indices }
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
        let bare = Bare { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(&self.engine, bare);
        store.set_fuel(1_000_000_000).unwrap();
        store.fuel_async_yield_interval(Some(100_000)).unwrap();
        let instance = self.linked.instantiate_async(&mut store).await.unwrap();
        let world = self.indices.load(&mut store, &instance).unwrap();
        let variant = Variant { parts: vec![Part { text: TEXT.to_owned(), media: Vec::new() }] };
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
        .consume_fuel(true)
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

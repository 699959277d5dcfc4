//! The WASM engine: how code is compiled and where its memory comes from.
//!
//! Fuel is cap, meter and preemption at once: a guest yields every [`YIELD_FUEL`] and ends when its fuel does. Everything
//! that shapes machine code is set in [`base`], so that the compiling child and the host agree on what an artefact is.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, MemoryCreator, OptLevel, PoolingAllocationConfig};

/// Fuel after which a guest lets others run; about 0.1 ms.
pub(crate) const YIELD_FUEL: u64 = 100_000;
/// Most bytes of one linear memory, which the grant may lower.
pub(crate) const MAX_MEMORY_BYTES: usize = 64 << 20;
/// What stays of a memory with the pool between calls, in bytes, so that no page fault meets the next one. Connectors that call an
/// API write to some 50 KiB; of a guest that wrote everywhere, no more than this stays.
const KEPT_OF_A_MEMORY: usize = 128 << 10;
/// How deep a guest may call itself, in bytes of the stack. What it went over stays with the pool: to give it back after each call
/// would cost a quarter of one.
const MAX_STACK_BYTES: usize = 256 << 10;
/// Core instances, memories and tables of one component; what `wasm32-wasip2` produces has three, one and two.
const CORE_INSTANCES: u32 = 16;
const MEMORIES: u32 = 2;
const TABLES: u32 = 8;

/// Where guests' memories come from.
#[derive(Clone, Default)]
pub enum Memories {
    /// From a pool, reused by later calls after it was zeroed.
    #[default]
    Pooled,
    /// From a given maker: tests look into guests' memories with it.
    From(Arc<dyn MemoryCreator>),
}

impl std::fmt::Debug for Memories {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Pooled => "Pooled",
            Self::From(_) => "From(…)",
        })
    }
}

/// How a memory gets its first contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// Mapped from the artefact, page by page as they are written.
    Mapped,
    /// Copied, which any maker of memories can do.
    Copied,
}

impl Memories {
    /// How their contents come to be, which machine code has to agree with.
    pub(crate) fn contents(&self) -> Contents {
        match self {
            Self::Pooled => Contents::Mapped,
            Self::From(_) => Contents::Copied,
        }
    }
}

fn base(contents: Contents) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(MAX_STACK_BYTES)
        .async_stack_size(1 << 20)
        .memory_reservation(MAX_MEMORY_BYTES as u64)
        .memory_reservation_for_growth(0)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .memory_init_cow(contents == Contents::Mapped)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// An engine that only compiles: it reserves no pool, so that it fits a child with little memory.
///
/// # Errors
/// The machine is none that the compiler knows.
pub(crate) fn compiling(contents: Contents) -> wasmtime::Result<Engine> {
    Engine::new(&base(contents))
}

/// An engine that runs `calls` guests at the same time.
///
/// # Errors
/// The machine does not let us reserve the pool.
pub(crate) fn running(calls: u32, memories: &Memories) -> wasmtime::Result<Engine> {
    let mut config = base(memories.contents());
    match memories {
        Memories::Pooled => {
            let mut pool = PoolingAllocationConfig::new();
            pool.total_component_instances(calls)
                .total_core_instances(calls * CORE_INSTANCES)
                .total_memories(calls * MEMORIES)
                .total_tables(calls * TABLES)
                .total_stacks(calls)
                .max_core_instances_per_component(CORE_INSTANCES)
                .max_memories_per_component(MEMORIES)
                .max_tables_per_component(TABLES)
                .table_elements(20_000)
                .max_memory_size(MAX_MEMORY_BYTES)
                .linear_memory_keep_resident(KEPT_OF_A_MEMORY)
                .table_keep_resident(64 << 10)
                .pagemap_scan(Enabled::Auto)
                .max_unused_warm_slots(calls / 4);
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        }
        Memories::From(creator) => {
            config.with_host_memory(creator.clone());
        }
    }
    Engine::new(&config)
}

/// Names the code that this engine can run: artefacts of another name are not for it.
pub(crate) fn compatibility(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// A wasmtime error as the rest of the host carries errors.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(crate) fn explain(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

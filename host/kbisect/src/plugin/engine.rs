//! The WebAssembly engine: how code is compiled and interrupted, and where it runs. One engine serves any number of plugins and calls.

use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use wasmtime::Config;
use wasmtime::Enabled;
use wasmtime::EngineWeak;
use wasmtime::InstanceAllocationStrategy;
use wasmtime::PoolingAllocationConfig;
use wasmtime::component::Linker;

use super::abi;
use super::cache::Cache;
use super::call::Call;

/// How often running calls look at the clock.
const TICK: Duration = Duration::from_millis(50);

/// What a component may have of each; the pool has so many for every call that runs at once.
const MEMORIES: u32 = 8;
const TABLES: u32 = 64;
const MODULES: u32 = 256;
/// Elements of a table: interpreters that are compiled to WebAssembly have tens of thousands.
const ELEMENTS: usize = 1 << 18;
/// Bytes of what the engine keeps about an instance of a module, or of a component with all its modules.
const INSTANCE: usize = 64 << 20;
/// So much of a memory stays with the pool from call to call, wiped, rather than to be given back to the system.
const KEPT: usize = 2 << 20;

/// The engine could not be made: a defect, or a machine without threads or memory.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine does not start: {0}")]
pub struct EngineError(String);

/// Compiles and runs plugins. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    pub(super) linker: Arc<Linker<Call>>,
    pub(super) cache: Option<Arc<Cache>>,
    turns: Arc<Turns>,
}

impl Engine {
    /// An engine that keeps compiled components in `cache`.
    ///
    /// It takes memory for its calls from a pool: four GiB of address space for each memory that calls may have at once, 400 on two cores.
    /// Where there is not so much, each call maps its own, and calls of several threads take turns in the kernel.
    pub fn new(cache: Option<Cache>) -> Result<Self, EngineError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_calls(cache, 2 * cores as u32 + 8)
    }

    /// An engine for so many calls at once; others wait.
    pub(super) fn with_calls(cache: Option<Cache>, calls: u32) -> Result<Self, EngineError> {
        let failed = |error: wasmtime::Error| EngineError(error.to_string());
        let pooled = InstanceAllocationStrategy::Pooling(pool(calls));
        let wasmtime = wasmtime::Engine::new(config().allocation_strategy(pooled))
            .or_else(|_| wasmtime::Engine::new(&config()))
            .map_err(failed)?;
        let mut linker = Linker::new(&wasmtime);
        abi::v0::add_imports(&mut linker).map_err(failed)?;
        let weak = wasmtime.weak();
        thread::Builder::new()
            .name("plugin-clock".to_owned())
            .spawn(move || tick(&weak))
            .map_err(|error| EngineError(error.to_string()))?;
        let turns = Arc::new(Turns { free: Mutex::new(calls), freed: Condvar::new() });
        Ok(Self { wasmtime, linker: Arc::new(linker), cache: cache.map(Arc::new), turns })
    }

    /// Waits until the pool has room for a call. It ends when the turn is dropped.
    pub(super) fn turn(&self) -> Turn<'_> {
        let free = self.turns.freed.wait_while(self.turns.free(), |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Turn(&self.turns)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// Calls that may still begin.
struct Turns {
    free: Mutex<u32>,
    freed: Condvar,
}

impl Turns {
    fn free(&self) -> MutexGuard<'_, u32> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one call.
pub(super) struct Turn<'e>(&'e Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.freed.notify_one();
    }
}

/// Fuel makes a call's cost the same everywhere; epochs bound the time that host calls take as well. The rest makes a call a
/// function of its arguments: no threads, one NaN, one way to round.
fn config() -> Config {
    let mut config = Config::new();
    config.consume_fuel(true);
    config.epoch_interruption(true);
    config.cranelift_nan_canonicalization(true);
    config.wasm_relaxed_simd(false);
    config
}

/// Room for so many calls at once, each with all that a component may have.
fn pool(calls: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(calls)
        .total_core_instances(calls * MODULES)
        .total_memories(calls * MEMORIES)
        .total_tables(calls * TABLES)
        .max_core_instances_per_component(MODULES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memories_per_module(MEMORIES)
        .max_tables_per_module(TABLES)
        .table_elements(ELEMENTS)
        .max_core_instance_size(INSTANCE)
        .max_component_instance_size(INSTANCE)
        .linear_memory_keep_resident(KEPT)
        .table_keep_resident(KEPT)
        // Only what a call has written to is wiped, where the kernel (Linux 6.7 and later) tells.
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Ticks for a time limit; one more than fit, as the first may come at once.
pub(super) fn ticks(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX).saturating_add(1)
}

/// Advances the clock until the engine is gone.
fn tick(engine: &EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        thread::sleep(TICK);
    }
}

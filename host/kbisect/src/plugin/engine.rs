//! The WebAssembly engine: how code is compiled and interrupted. One engine serves any number of plugins and calls.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::Config;
use wasmtime::EngineWeak;
use wasmtime::component::Linker;

use super::abi;
use super::cache::Cache;
use super::call::Call;

/// How often running calls look at the clock.
const TICK: Duration = Duration::from_millis(50);

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
}

impl Engine {
    /// An engine that keeps compiled components in `cache`.
    pub fn new(cache: Option<Cache>) -> Result<Self, EngineError> {
        let failed = |error: wasmtime::Error| EngineError(error.to_string());
        let wasmtime = wasmtime::Engine::new(&config()).map_err(failed)?;
        let mut linker = Linker::new(&wasmtime);
        abi::v0::add_imports(&mut linker).map_err(failed)?;
        let weak = wasmtime.weak();
        thread::Builder::new()
            .name("plugin-clock".to_owned())
            .spawn(move || tick(&weak))
            .map_err(|error| EngineError(error.to_string()))?;
        Ok(Self { wasmtime, linker: Arc::new(linker), cache: cache.map(Arc::new) })
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("cache", &self.cache).finish_non_exhaustive()
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

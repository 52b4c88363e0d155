//! One call: a fresh store, its limits, and what became of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::ResourceLimiter;
use wasmtime::Store;
use wasmtime::Trap;
use wasmtime::WasmBacktrace;
use wasmtime::component::Instance;

use super::answer::Level;
use super::answer::one_line;
use super::engine;
use super::facts::BisectionState;
use super::facts::Facts;
use super::facts::NoFacts;
use super::load::Plugin;
use crate::config::job::PluginLimits;

/// Messages of one call beyond this many bytes are dropped: a log must not fill the disk.
const LOG_OF_A_CALL: usize = 1 << 20;

/// What surrounds a call: the answers to a plugin's questions come from here.
#[derive(Clone)]
pub struct Surroundings {
    /// The repository.
    pub facts: Arc<dyn Facts>,
    /// The bisection under way.
    pub state: Arc<BisectionState>,
}

impl Default for Surroundings {
    /// Outside a bisection.
    fn default() -> Self {
        Self { facts: Arc::new(NoFacts), state: Arc::default() }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Why a call failed. Whatever the reason, the host is unharmed and the next call starts afresh.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The plugin says so itself.
    #[error("it says: {0}")]
    Refused(String),
    /// It panicked; the text is its panic hook's.
    #[error("it {0}")]
    Panicked(String),
    /// WebAssembly stopped it.
    #[error("it trapped: {trap}{}", in_functions(functions))]
    Trapped {
        /// Why.
        trap: String,
        /// The innermost functions, as far as named.
        functions: Vec<String>,
    },
    /// It computed too much.
    #[error("it used up its {0} units of fuel")]
    Fuel(u64),
    /// It took too long.
    #[error("it ran longer than {0:?}")]
    Time(Duration),
    /// It wanted too much memory.
    #[error("it wanted more than its {} MiB of memory", .0 >> 20)]
    Memory(u64),
    /// It answered, or said, too much at once.
    #[error("it handed over more than {0} bytes at once")]
    Output(u64),
    /// It asked the host too often.
    #[error("it called the host more than {0} times")]
    HostCalls(u32),
    /// It answered something senseless.
    #[error("its answer makes no sense: {0}")]
    Nonsense(String),
}

fn in_functions(functions: &[String]) -> String {
    if functions.is_empty() { String::new() } else { format!(" (in {})", functions.join(", called by ")) }
}

/// A message of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How grave.
    pub level: Level,
    /// What.
    pub text: String,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// The answer, checked to make sense.
    pub result: Result<T, CallError>,
    /// What the plugin said meanwhile.
    pub messages: Vec<Message>,
    /// Fuel it took.
    pub fuel: u64,
}

/// The store's content during a call.
pub(super) struct Call {
    pub(super) surroundings: Surroundings,
    pub(super) settings: Arc<str>,
    limits: PluginLimits,
    memory: u64,
    host_calls: u32,
    messages: Vec<Message>,
    said: usize,
    exceeded: Option<CallError>,
}

impl Call {
    fn new(surroundings: Surroundings, settings: Arc<str>, limits: PluginLimits) -> Self {
        Self { surroundings, settings, limits, memory: 0, host_calls: 0, messages: Vec::new(), said: 0, exceeded: None }
    }

    /// Counts a host call, or traps the plugin when it was one too many.
    pub(super) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        if self.host_calls > self.limits.host_calls {
            let error = CallError::HostCalls(self.limits.host_calls);
            self.exceeded = Some(error.clone());
            return Err(wasmtime::Error::new(error));
        }
        Ok(())
    }

    /// Keeps a message, cut to the limit of one message; drops it when this call has said too much already.
    pub(super) fn keep_message(&mut self, level: Level, mut text: String) {
        if self.said > LOG_OF_A_CALL {
            return;
        }
        let length = text.len();
        if length > self.limits.log {
            text.truncate(text.floor_char_boundary(self.limits.log));
            text += &format!(" [{} more bytes cut]", length - text.len());
        }
        self.said += text.len();
        self.messages.push(Message { level, text });
        if self.said > LOG_OF_A_CALL {
            self.messages.push(Message { level: Level::Warn, text: "[further messages of this call are dropped]".to_owned() });
        }
    }

    /// Puts wasmtime's error into our words.
    fn explain(&mut self, error: &wasmtime::Error) -> CallError {
        if let Some(exceeded) = self.exceeded.take() {
            return exceeded;
        }
        let trap = error.downcast_ref::<Trap>();
        match trap {
            Some(Trap::OutOfFuel) => return CallError::Fuel(self.limits.fuel),
            Some(Trap::Interrupt) => return CallError::Time(self.limits.wall),
            Some(Trap::UnreachableCodeReached) => {
                let panic =
                    self.messages.iter().rposition(|said| said.level == Level::Error && said.text.starts_with("panicked"));
                // The text goes into the error: as a message of its own it would be shown twice.
                if let Some(panic) = panic {
                    return CallError::Panicked(one_line(&self.messages.remove(panic).text));
                }
            }
            _ => {}
        }
        let trap = trap.map_or_else(|| error.root_cause().to_string(), Trap::to_string);
        if trap.starts_with("too much data is being copied") {
            return CallError::Output(self.limits.output);
        }
        let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], |trace| trace.frames());
        let mut functions: Vec<String> = frames.iter().filter_map(|frame| frame.func_name()).map(readable).collect();
        functions.dedup();
        functions.truncate(2);
        CallError::Trapped { trap: trap.trim_start_matches("wasm trap: ").to_owned(), functions }
    }
}

/// A function's name as its source has it, where it is a Rust function.
fn readable(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

impl ResourceLimiter for Call {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // All memories of the component together.
        let wanted = self.memory.saturating_add(desired.saturating_sub(current) as u64);
        if wanted > self.limits.memory {
            let error = CallError::Memory(self.limits.memory);
            self.exceeded = Some(error.clone());
            return Err(wasmtime::Error::new(error));
        }
        self.memory = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // Eight bytes an element: a table counts as memory would.
        Ok((desired as u64).saturating_mul(8) <= self.limits.memory)
    }
}

impl Plugin {
    /// Runs `hook` in a fresh instance. `bytes` is the size of its arguments: fuel grows with them.
    pub(super) fn call<T>(
        &self,
        surroundings: &Surroundings,
        bytes: usize,
        hook: impl FnOnce(&mut Store<Call>, &Instance) -> wasmtime::Result<Result<T, CallError>>,
    ) -> Answer<T> {
        let limits = self.limits;
        let _turn = self.engine.turn();
        let mut store = Store::new(&self.engine.wasmtime, Call::new(surroundings.clone(), self.settings.clone(), limits));
        store.limiter(|call| call);
        let fuel = limits.fuel.saturating_add(limits.fuel_per_byte.saturating_mul(bytes as u64));
        store.set_epoch_deadline(engine::ticks(limits.wall));
        store.set_hostcall_fuel(usize::try_from(limits.output).unwrap_or(usize::MAX));
        let result = store
            .set_fuel(fuel)
            .and_then(|()| self.instance.instantiate(&mut store))
            .and_then(|instance| hook(&mut store, &instance));
        let left = store.get_fuel().unwrap_or(0);
        // The instance is gone before the turn ends.
        let mut call = store.into_data();
        call.limits.fuel = fuel;
        let result = result.unwrap_or_else(|error| Err(call.explain(&error)));
        Answer { result, messages: call.messages, fuel: fuel - left }
    }
}

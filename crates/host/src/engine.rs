//! The engine: compiler, instance pool, epoch clock. One for the process.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Semaphore;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often a computing plugin is looked at: the precision of [`Limits::cpu`](crate::Limits::cpu), and the longest time
/// that it keeps a thread of the runtime from other work.
const TICK: Duration = Duration::from_millis(10);

/// The stack of the plugin itself. Rust's own default for threads is 2 MiB; a connector parses JSON with bounded depth.
const WASM_STACK: usize = 512 << 10;
/// The stack on which it runs: its own, and room for the host functions that it calls.
const ASYNC_STACK: usize = 2 << 20;

/// How to build an [`Engine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// How many calls run at the same time; more wait for their turn, within their wall time.
    pub concurrent_calls: u32,
    /// The most memory that [`Limits::memory_bytes`](crate::Limits::memory_bytes) can grant, in bytes.
    pub max_memory_bytes: usize,
    /// Where instances come from.
    pub allocation: Allocation,
    /// Counts the plugin's instructions ([`CallReport::fuel`](crate::CallReport::fuel)), which makes it slower by about a fifth. For
    /// comparing plugins: a count is the same on every machine.
    pub count_fuel: bool,
}

/// Where the memory of instances comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// Slots that are reserved at start and used again: the fastest. Reserves address space (not memory): 4 GiB for each
    /// concurrent call. An engine that cannot reserve them is not built.
    Pooled,
    /// As `Pooled`; where address space is short (a container with a limit on it), as `OnDemand`.
    PooledIfPossible,
    /// Mapped for each call. Some ten microseconds slower for each instance.
    OnDemand,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            concurrent_calls: 64,
            max_memory_bytes: 256 << 20,
            allocation: Allocation::PooledIfPossible,
            count_fuel: false,
        }
    }
}

/// Compiles plugins and runs their instances. Cheap to clone; clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    settings: EngineSettings,
    pooled: bool,
    pub(crate) free: Arc<Semaphore>,
    _ticker: Arc<Ticker>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).field("pooled", &self.pooled).finish_non_exhaustive()
    }
}

impl Engine {
    /// Builds an engine and starts its clock, a thread that ends with the last clone.
    ///
    /// # Errors
    ///
    /// When the machine is not supported, or the pool cannot be reserved and must be.
    pub fn new(settings: EngineSettings) -> anyhow::Result<Self> {
        let pooled = |settings| wasmtime::Engine::new(&config(settings, true)).map(|engine| (engine, true));
        let mapped = |settings| wasmtime::Engine::new(&config(settings, false)).map(|engine| (engine, false));
        let (inner, pooled) = match settings.allocation {
            Allocation::Pooled => pooled(&settings),
            Allocation::PooledIfPossible => pooled(&settings).or_else(|_| mapped(&settings)),
            Allocation::OnDemand => mapped(&settings),
        }
        .map_err(anyhow::Error::from)
        .context("the engine cannot be built")?;
        let ticker = Arc::new(Ticker::start(&inner)?);
        let free = Arc::new(Semaphore::new(settings.concurrent_calls as usize));
        Ok(Self { inner, settings, pooled, free, _ticker: ticker })
    }

    /// Whether instances come from a pool.
    pub fn is_pooled(&self) -> bool {
        self.pooled
    }

    /// What it was built with.
    pub fn settings(&self) -> &EngineSettings {
        &self.settings
    }

    /// The wasmtime engine, for what this crate does not cover.
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

fn config(settings: &EngineSettings, pooled: bool) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // A connector is synchronous. Without the machinery for concurrent guests a call is a little cheaper.
        .concurrency_support(false)
        .epoch_interruption(true)
        .consume_fuel(settings.count_fuel)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(ASYNC_STACK)
        // An instance starts as a mapping of the module's data, copied page by page when written.
        .memory_init_cow(true);
    if pooled {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
    }
    config
}

/// A component made by a toolchain is a few core modules (the program, and shims that link it to its imports) around one
/// memory; the counts leave room for twice that.
fn pool(settings: &EngineSettings) -> PoolingAllocationConfig {
    let calls = settings.concurrent_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(8))
        .total_memories(calls)
        .total_tables(calls.saturating_mul(4))
        .total_stacks(calls)
        .max_core_instances_per_component(8)
        .max_memories_per_component(1)
        .max_tables_per_component(4)
        .max_memory_size(settings.max_memory_bytes);
    pool
}

/// Moves the engine's epoch on, until it is dropped.
struct Ticker {
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: &wasmtime::Engine) -> anyhow::Result<Self> {
        let (stop, stopped) = channel();
        // Weak, or the thread would keep the engine's pool alive.
        let engine = engine.weak();
        let tick = move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { break };
                engine.increment_epoch();
            }
        };
        let thread =
            std::thread::Builder::new().name("epoch".to_owned()).spawn(tick).context("no thread for the clock")?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only ticks, so it cannot have panicked.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_ends_with_the_last_engine() {
        let engine =
            Engine::new(EngineSettings { allocation: Allocation::OnDemand, ..EngineSettings::default() }).unwrap();
        let ticker = Arc::downgrade(&engine._ticker);
        let clone = engine.clone();
        drop(engine);
        assert!(ticker.upgrade().is_some());
        // Joins the thread; a clock that went on would hang the test.
        drop(clone);
        assert!(ticker.upgrade().is_none());
    }

    #[test]
    fn a_pool_that_cannot_be_reserved_falls_back_or_fails() {
        // A million slots of 4 GiB are more than 47 bits of addresses.
        let settings =
            |allocation| EngineSettings { concurrent_calls: 1 << 20, allocation, ..EngineSettings::default() };
        assert!(Engine::new(settings(Allocation::Pooled)).is_err());
        let engine = Engine::new(settings(Allocation::PooledIfPossible)).unwrap();
        assert!(!engine.is_pooled());
    }
}

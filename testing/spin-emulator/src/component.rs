//! A component, compiled and linked.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Semaphore;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{HasSelf, Linker, ResourceType};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::bindings::SpinInterfaces;
use crate::state::State;

/// How often a computing instance yields. Short, because a concurrent request needs some dozens of turns if the runtime has
/// only one thread, as in a test.
const TICK: Duration = Duration::from_millis(1);
/// Requests at the same time, over all apps of a component; more wait for their turn.
pub(crate) const REQUESTS: u32 = 256;
/// The most memory that an instance can be granted.
const MAX_MEMORY: usize = 256 << 20;

/// A Spin HTTP component, ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    pub(crate) inner: Arc<Loaded>,
}

pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    pub(crate) proxy: ProxyPre<State>,
    pub(crate) free: Arc<Semaphore>,
    /// Dropped to end the clock.
    _clock: Sender<()>,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component").finish_non_exhaustive()
    }
}

impl Component {
    /// Compiles a component. Compile once: it takes longer than thousands of requests.
    ///
    /// # Errors
    ///
    /// When the file is not a component, when it does not export `wasi:http/incoming-handler@0.2`, or when it imports
    /// a WASI interface of another generation. Other unknown imports fail when called.
    pub async fn load(path: &Path) -> anyhow::Result<Self> {
        let file = path.to_owned();
        let loaded = tokio::task::spawn_blocking(move || load(&file)).await?;
        Ok(Self { inner: Arc::new(loaded.with_context(|| format!("the component {}", path.display()))?) })
    }
}

fn load(path: &Path) -> anyhow::Result<Loaded> {
    // Address space may be short, as in a container with a limit on it.
    let engine = Engine::new(&config(true)).or_else(|_| Engine::new(&config(false)))?;
    let bytes = std::fs::read(path)?;
    let component = wasmtime::component::Component::new(&engine, bytes)?;

    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    SpinInterfaces::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    for (name, import) in component.component_type().imports(&engine) {
        let known = name.starts_with("wasi:") || KNOWN.contains(&name);
        if let ComponentItem::ComponentInstance(interface) = import.ty
            && !known
        {
            define_as_traps(&mut linker, &engine, name, &interface)?;
        }
    }
    let proxy = ProxyPre::new(linker.instantiate_pre(&component)?)?;
    let clock = start_clock(&engine)?;
    Ok(Loaded { engine, proxy, free: Arc::new(Semaphore::new(REQUESTS as usize)), _clock: clock })
}

/// The interfaces of `wit/spin.wit`.
const KNOWN: [&str; 4] = [
    "fermyon:spin/variables@2.0.0",
    "fermyon:spin/sqlite@2.0.0",
    "fermyon:spin/redis@2.0.0",
    "fermyon:spin/key-value@2.0.0",
];

/// The SDK brings more interfaces than most apps call; only a call is an error.
fn define_as_traps(
    linker: &mut Linker<State>,
    engine: &Engine,
    name: &str,
    interface: &ComponentInstance,
) -> anyhow::Result<()> {
    let mut stub = linker.instance(name)?;
    for (item, export) in interface.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(_) => {
                let full_name = format!("{name}#{item}");
                stub.func_new(item, move |_, _, _, _| {
                    wasmtime::bail!("the component called {full_name}, which the emulator does not have")
                })?;
            }
            ComponentItem::Resource(_) => stub.resource(item, ResourceType::host::<()>(), |_, _| Ok(()))?,
            _ => {}
        }
    }
    Ok(())
}

fn config(pooled: bool) -> Config {
    let mut config = Config::new();
    // Without the machinery of WASI 0.3 a call is a little cheaper.
    config.wasm_component_model(true).concurrency_support(false).epoch_interruption(true).memory_init_cow(true);
    if pooled {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(REQUESTS)
            // The program, and shims that link it to its imports; an SDK of three generations brings many.
            .total_core_instances(REQUESTS * 32)
            .max_core_instances_per_component(32)
            .total_memories(REQUESTS)
            .max_memories_per_component(1)
            .total_tables(REQUESTS * 8)
            .max_tables_per_component(8)
            .total_stacks(REQUESTS)
            .max_memory_size(MAX_MEMORY);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Moves the engine's epoch on until the sender is dropped.
fn start_clock(engine: &Engine) -> anyhow::Result<Sender<()>> {
    let (stop, stopped) = channel();
    let engine = engine.weak();
    let tick = move || {
        while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let Some(engine) = engine.upgrade() else { break };
            engine.increment_epoch();
        }
    };
    std::thread::Builder::new().name("epoch".to_owned()).spawn(tick).context("no thread for the clock")?;
    Ok(stop)
}

//! The native part of the Python package `freshworks_handoff`: engine, plugin, and a sandbox for each tenant.
//!
//! JSON text crosses the border between the two languages, and the bytes of webhooks. Everything else (exceptions, the clock,
//! `asyncio`, types) is Python, in `freshworks_handoff/`.
//!
//! | file | what is in it |
//! |---|---|
//! | `lib.rs` | what Python sees: `Host`, one for the process; `Tenant`, one for each account |
//! | `call.rs` | one call: its arguments, and what came of it as JSON |
//! | `tenant.rs` | allow-list, credentials and limits of a tenant, from its settings and options |

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod call;
mod tenant;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use handoff_host::{Engine, EngineSettings, HttpClient, Plugin, Sandbox, TrustedCache};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use call::{Arguments, Function};
use tenant::Options;

/// How often a call that blocks the main thread looks whether somebody has pressed Ctrl-C.
const SIGNALS: Duration = Duration::from_millis(100);

/// What a process needs once: threads for HTTP, the engine, the compiled plugin.
struct Machine {
    /// None once it is dropped.
    runtime: Option<Runtime>,
    plugin: Plugin,
    client: HttpClient,
}

impl Machine {
    fn new(wasm: &[u8], settings: EngineSettings, cache: Option<PathBuf>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("handoff").enable_all().build()?;
        let engine = Engine::new(settings)?;
        let cache = cache.map(TrustedCache::new);
        // wasmtime compiles on the threads of a pool. In a child after `fork` the threads of the process's own pool are gone, and it would
        // wait for them; those of a new pool are there.
        let pool = rayon::ThreadPoolBuilder::new().build()?;
        let plugin = pool.install(|| Plugin::from_bytes(&engine, wasm, cache.as_ref()))?;
        if let Some(why) = plugin.cache_refused() {
            anyhow::bail!("{why}");
        }
        Ok(Self { runtime: Some(runtime), plugin, client: HttpClient::new()? })
    }

    fn runtime(&self) -> PyResult<&Runtime> {
        self.runtime.as_ref().ok_or_else(|| PyRuntimeError::new_err("the host is closed"))
    }

    /// Runs to the end on this thread. Other Python threads go on meanwhile, and Ctrl-C ends it.
    fn block_on<T: Send>(&self, py: Python<'_>, work: impl Future<Output = T> + Send) -> PyResult<T> {
        let runtime = self.runtime()?;
        let mut work = pin!(work);
        loop {
            let turn = async { tokio::time::timeout(SIGNALS, work.as_mut()).await };
            match py.detach(|| runtime.block_on(turn)) {
                Ok(done) => return Ok(done),
                Err(_) => py.check_signals()?,
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Its threads may wait for the interpreter, which the thread that drops this holds: nobody waits for them.
            runtime.shutdown_background();
        }
    }
}

/// The machine, as long as this is the process that made it. Threads do not survive `fork`: a child that drops its copy must not wait
/// for them, so it leaves the copy where it is.
struct Owned {
    machine: Option<Arc<Machine>>,
    process: u32,
}

impl Owned {
    fn new(machine: Arc<Machine>) -> Self {
        Self { machine: Some(machine), process: std::process::id() }
    }

    fn get(&self) -> PyResult<&Arc<Machine>> {
        let machine = self.machine.as_ref().filter(|_| self.process == std::process::id());
        machine.ok_or_else(|| PyRuntimeError::new_err("the host belongs to the parent process"))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.machine.take());
        }
    }
}

fn failed(error: &anyhow::Error) -> PyErr {
    PyRuntimeError::new_err(format!("{error:#}"))
}

/// Engine and plugin of the process.
#[pyclass(frozen, module = "freshworks_handoff._native")]
struct Host(Owned);

#[pymethods]
impl Host {
    /// Compiles the plugin; takes about half a second, or less with a cache.
    #[new]
    #[pyo3(signature = (wasm, *, concurrent_calls, cache))]
    fn new(py: Python<'_>, wasm: Vec<u8>, concurrent_calls: u32, cache: Option<PathBuf>) -> PyResult<Self> {
        let settings = EngineSettings { concurrent_calls: concurrent_calls.max(1), ..EngineSettings::default() };
        let machine = py.detach(|| Machine::new(&wasm, settings, cache)).map_err(|error| failed(&error))?;
        Ok(Self(Owned::new(Arc::new(machine))))
    }
}

/// The sandbox of one tenant.
#[pyclass(frozen, module = "freshworks_handoff._native")]
struct Tenant {
    host: Owned,
    sandbox: Sandbox,
    /// What the plugin gets: without what the host adds itself.
    settings: Option<String>,
}

#[pymethods]
impl Tenant {
    /// `settings` is a JSON object, `options` what [`Options`] reads. Without settings the sandbox reaches nothing.
    ///
    /// Raises `ValueError` with an error as JSON.
    #[new]
    fn new(py: Python<'_>, host: &Host, settings: Option<&str>, options: &str) -> PyResult<Self> {
        let machine = host.0.get()?;
        let nowhere = Sandbox::new(machine.client.clone());
        let (sandbox, settings) = match settings {
            None => (nowhere, None),
            Some(settings) => {
                let options: Options = serde_json::from_str(options).map_err(|error| {
                    PyValueError::new_err(call::invalid(
                        "options",
                        &error.to_string(),
                        "Give the options as documented.",
                    ))
                })?;
                let made = tenant::make(&machine.plugin, nowhere, settings, &options);
                let (sandbox, settings) = machine.block_on(py, made)?.map_err(PyValueError::new_err)?;
                (sandbox, Some(settings))
            }
        };
        Ok(Self { host: Owned::new(Arc::clone(machine)), sandbox, settings })
    }

    /// The settings to pass with each call.
    #[getter]
    fn settings(&self) -> Option<&str> {
        self.settings.as_deref()
    }

    /// Calls a function of the contract and waits for it. Answers JSON: see [`call::run`].
    fn call(&self, py: Python<'_>, function: &str, arguments: Arguments) -> PyResult<String> {
        let machine = self.host.get()?;
        machine.block_on(py, guarded(Arc::clone(machine), self.sandbox.clone(), Function::named(function)?, arguments))
    }

    /// Starts a call; its answer becomes the result of a `concurrent.futures.Future`.
    fn start(&self, function: &str, arguments: Arguments, future: Py<PyAny>) -> PyResult<Running> {
        let machine = self.host.get()?;
        let work = guarded(Arc::clone(machine), self.sandbox.clone(), Function::named(function)?, arguments);
        let task = machine.runtime()?.spawn(async move {
            let answer = work.await;
            // None: the interpreter ends, and nobody waits. An error: the call was cancelled meanwhile.
            let _ = Python::try_attach(|py| future.call_method1(py, "set_result", (answer,)).map(drop));
        });
        Ok(Running(task.abort_handle()))
    }
}

/// A call that never panics: a bug of the host is an answer like any other.
async fn guarded(machine: Arc<Machine>, sandbox: Sandbox, function: Function, arguments: Arguments) -> String {
    let work = call::run(&machine.plugin, &sandbox, function, arguments);
    std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| call::host_failed("a bug of the host"))
}

/// A call that was started.
#[pyclass(frozen, module = "freshworks_handoff._native")]
struct Running(AbortHandle);

#[pymethods]
impl Running {
    /// Ends it, unless it has ended. It may have done part of its work.
    fn cancel(&self) {
        self.0.abort();
    }
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{Host, Running, Tenant};
}

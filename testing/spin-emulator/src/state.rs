//! The state of an instance. It is dropped with the instance, including everything in progress.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::allow::AllowedHosts;
use crate::log::Log;
use crate::options::Limits;
use crate::outbound::{Client, Outbound};
use crate::sqlite::Database;

/// State shared by all instances of an app.
pub(crate) struct Shared {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) allowed: AllowedHosts,
    pub(crate) elsewhere: BTreeMap<String, String>,
    pub(crate) database: Database,
    pub(crate) client: Client,
    pub(crate) redis_tls: TlsConnector,
    pub(crate) goes_on_after_response: bool,
    pub(crate) limits: Limits,
    /// The component's output.
    pub(crate) log: Log,
    /// The host's log.
    pub(crate) host_log: Log,
}

/// The state of one instance.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    memory: MemoryLimit,
    pub(crate) app: Arc<Shared>,
}

impl State {
    pub(crate) fn store(engine: &wasmtime::Engine, app: &Arc<Shared>) -> Store<Self> {
        // No environment, no files, no sockets.
        let wasi = WasiCtx::builder().stdout(app.log.clone()).stderr(app.log.clone()).build();
        let state = Self {
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            outbound: Outbound(app.clone()),
            memory: MemoryLimit { bytes: app.limits.memory_bytes, in_use: 0 },
            app: app.clone(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.memory);
        // A computing instance yields at each tick, so that its time limit can be checked.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

/// Bounds all memories of an instance together.
struct MemoryLimit {
    bytes: usize,
    in_use: usize,
}

impl wasmtime::ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.in_use.saturating_sub(current).saturating_add(desired);
        if wanted > self.bytes {
            // Says why. Answering `false` would end the instance as well, as an abort like any other.
            wasmtime::bail!("the component needs more than its {} bytes of memory", self.bytes);
        }
        self.in_use = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

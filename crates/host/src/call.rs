//! One call: a fresh store, the meters around it, and what came of it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;
use tracing::Instrument as _;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::p2::bindings::io;
use wasmtime_wasi_http::p2::bindings::{LinkOptions, http};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::PluginError;
use crate::engine::Engine;
use crate::error::{CallError, Trap, TrapKind};
use crate::http::Hook;
use crate::limits::{Allowance, CpuMeter, MemoryMeter, OutOfTime};
use crate::observe::{Observed, Traceparent, outcome};
use crate::report::{CallReport, Recorder};
use crate::sandbox::Sandbox;

/// How many host objects (requests, bodies, streams) a plugin may hold at once. More is a leak.
const MAX_RESOURCES: usize = 10_000;

/// More than any call takes: time is what ends a call.
const FUEL: u64 = u64::MAX / 2;

/// What came of a call, and what it cost. The cost is there whatever came of it.
#[derive(Debug)]
#[must_use]
pub struct Call<T> {
    /// The plugin's answer, or why there is none.
    pub result: Result<T, CallError>,
    /// What the call did and what it cost.
    pub report: CallReport,
}

/// What the host keeps for one call. Dropped with the instance, and with it everything that is under way.
pub(crate) struct State {
    table: ResourceTable,
    http: WasiHttpCtx,
    hook: Hook,
    memory: MemoryMeter,
    pub(crate) recorder: Arc<Recorder>,
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hook }
    }
}

/// Tells wasi:io where the host objects are.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// A linker with what a connector needs: outgoing HTTP, and streams and polling for it. What is not here does not exist
/// for the plugin. (The clock's `duration` is a type, and types need no linking.)
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine.wasmtime());
    http::outgoing_handler::add_to_linker::<_, WasiHttp>(&mut linker, State::http)?;
    http::types::add_to_linker::<_, WasiHttp>(&mut linker, &LinkOptions::default().into(), State::http)?;
    io::error::add_to_linker::<_, Table>(&mut linker, |state: &mut State| &mut state.table)?;
    io::poll::add_to_linker::<_, Table>(&mut linker, |state: &mut State| &mut state.table)?;
    io::streams::add_to_linker::<_, Table>(&mut linker, |state: &mut State| &mut state.table)?;
    Ok(linker)
}

/// Runs `body` with a fresh store under the sandbox's limits. `function`: which one of the contract it calls.
pub(crate) async fn run<T, F>(engine: &Engine, sandbox: &Sandbox, function: &'static str, body: F) -> Call<T>
where
    F: AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<Result<T, PluginError>>,
{
    let span = tracing::info_span!(
        "connector call",
        function,
        tenant = &*sandbox.tenant,
        trace_id = sandbox.traceparent.as_ref().map(Traceparent::trace_id),
        outcome = tracing::field::Empty,
        wall_ms = tracing::field::Empty,
        cpu_ms = tracing::field::Empty,
        memory_bytes = tracing::field::Empty,
        requests = tracing::field::Empty,
    );
    let call = run_bare(engine, sandbox, body).instrument(span.clone()).await;
    let outcome = outcome(&call.result);
    let report = &call.report;
    span.record("outcome", outcome);
    span.record("wall_ms", report.wall.as_secs_f64() * 1e3);
    span.record("cpu_ms", report.cpu.as_secs_f64() * 1e3);
    span.record("memory_bytes", report.memory_bytes);
    span.record("requests", report.http.len());
    if let Some(observer) = &sandbox.observer {
        observer.called(Observed { function, tenant: &sandbox.tenant, outcome, report });
    }
    call
}

async fn run_bare<T, F>(engine: &Engine, sandbox: &Sandbox, body: F) -> Call<T>
where
    F: AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<Result<T, PluginError>>,
{
    let started = Instant::now();
    let limits = sandbox.limits;
    let recorder = Arc::new(Recorder::default());
    let cpu = Arc::new(CpuMeter::new());
    let stop = Arc::new(Notify::new());
    let out_of_time = OutOfTime::new(engine.wasmtime());

    let work = async {
        // The tenant's own turn first: who waits for it holds no slot that others could use.
        let _turn = sandbox.turns.acquire().await.map_err(|_| CallError::Host("the sandbox is closed".to_owned()))?;
        // Waits while all slots of the pool are taken. Held until the store is gone.
        let _slot = engine.free.acquire().await.map_err(|_| CallError::Host("the engine is closed".to_owned()))?;
        let mut store = store(engine, sandbox, &recorder, &cpu, &stop, &out_of_time)?;
        let result = body(&mut store).await;
        if engine.settings().count_fuel {
            recorder.fuel_used(FUEL - store.get_fuel().unwrap_or_default());
        }
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(CallError::Plugin(Box::new(error))),
            Err(error) => Err(CallError::from_wasmtime(&error)),
        }
    };
    let result = tokio::select! {
        biased;
        () = stop.notified() => Err(CallError::Trap(Trap::new(TrapKind::Injected, "stopped at a request, as asked"))),
        result = tokio::time::timeout(limits.wall, cpu.measure(out_of_time.watch(work))) => result.unwrap_or_else(|_| {
            Err(CallError::Trap(Trap::new(TrapKind::Timeout, format!("no result after {:?}", limits.wall))))
        }),
    };
    Call { result, report: recorder.finish(started.elapsed(), cpu.used()) }
}

fn store(
    engine: &Engine,
    sandbox: &Sandbox,
    recorder: &Arc<Recorder>,
    cpu: &Arc<CpuMeter>,
    stop: &Arc<Notify>,
    out_of_time: &OutOfTime,
) -> Result<Store<State>, CallError> {
    let memory_bytes = sandbox.limits.memory_bytes.min(engine.settings().max_memory_bytes);
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_RESOURCES);
    let state = State {
        table,
        http: WasiHttpCtx::new(),
        hook: Hook {
            sandbox: sandbox.clone(),
            recorder: recorder.clone(),
            stop: stop.clone(),
            out_of_time: out_of_time.clone(),
            allowance: Arc::new(Allowance::new(&sandbox.limits)),
        },
        memory: MemoryMeter::new(memory_bytes, recorder.memory_peak()),
        recorder: recorder.clone(),
    };
    let mut store = Store::new(engine.wasmtime(), state);
    store.limiter(|state| &mut state.memory);
    let (cpu, limit, out_of_time) = (cpu.clone(), sandbox.limits.cpu, out_of_time.clone());
    store.epoch_deadline_callback(move |_| {
        if out_of_time.is_ended() || cpu.used_while_running() >= limit {
            return Ok(UpdateDeadline::Interrupt);
        }
        out_of_time.yields();
        // Lets the runtime look after other calls, and after this one's wall time.
        Ok(UpdateDeadline::Yield(1))
    });
    store.set_epoch_deadline(1);
    if engine.settings().count_fuel {
        store.set_fuel(FUEL).map_err(|error| CallError::Host(error.to_string()))?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests;

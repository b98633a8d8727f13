use std::time::Duration;

use wasmtime::component::Component;

use super::*;
use crate::engine::EngineSettings;
use crate::http::HttpClient;
use crate::limits::Limits;

/// A component with a memory of one page whose only export runs `body`.
fn component(body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component
            (core module $m (memory 1) (func $run (export "run") {body}))
            (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run"))))"#
    ))
    .unwrap()
}

fn engine(concurrent_calls: u32) -> Engine {
    let settings = EngineSettings { concurrent_calls, max_memory_bytes: 8 << 20, ..EngineSettings::default() };
    Engine::new(settings).unwrap()
}

fn sandbox(limits: Limits) -> Sandbox {
    Sandbox::new(HttpClient::new().unwrap()).limits(limits)
}

async fn call(engine: &Engine, limits: Limits, body: &str) -> Call<()> {
    call_in(engine, &sandbox(limits), body).await
}

async fn call_in(engine: &Engine, sandbox: &Sandbox, body: &str) -> Call<()> {
    let component = Component::new(engine.wasmtime(), component(body)).unwrap();
    let pre = linker(engine).unwrap().instantiate_pre(&component).unwrap();
    run(engine, sandbox, "run", async |store: &mut Store<State>| {
        let instance = pre.instantiate_async(&mut *store).await?;
        let run = instance.get_typed_func::<(), ()>(&mut *store, "run")?;
        run.call_async(&mut *store, ()).await.map(Ok)
    })
    .await
}

fn trap(call: &Call<()>) -> Option<TrapKind> {
    call.result.as_ref().err().and_then(CallError::trap).map(|trap| trap.kind)
}

const ENDLESS: &str = "(loop (br 0))";

#[tokio::test]
async fn a_call_that_returns_has_a_result_and_a_report() {
    let call = call(&engine(2), Limits::default(), "nop").await;
    assert!(call.result.is_ok(), "{:?}", call.result);
    assert_eq!(call.report.memory_bytes, 65536);
    assert!(call.report.wall > Duration::ZERO);
    assert_eq!(call.report.http, []);
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_cpu_limit() {
    let limits = Limits { cpu: Duration::from_millis(50), ..Limits::default() };
    let call = call(&engine(2), limits, ENDLESS).await;
    assert_eq!(trap(&call), Some(TrapKind::Cpu));
    assert!(call.report.cpu >= limits.cpu, "{:?}", call.report.cpu);
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_wall_limit_too() {
    let limits = Limits { wall: Duration::from_millis(50), ..Limits::default() };
    let call = call(&engine(2), limits, ENDLESS).await;
    assert_eq!(trap(&call), Some(TrapKind::Timeout));
    assert!(call.report.wall < limits.cpu);
}

#[tokio::test]
async fn a_computing_plugin_leaves_the_thread_to_others() {
    let limits = Limits { cpu: Duration::from_millis(300), ..Limits::default() };
    let engine = engine(2);
    // One thread for both: the second ends only if the first lets it run.
    let (endless, quick) = tokio::join!(call(&engine, limits, ENDLESS), call(&engine, limits, "nop"));
    assert_eq!(trap(&endless), Some(TrapKind::Cpu));
    assert!(quick.result.is_ok());
    assert!(quick.report.wall < endless.report.wall);
}

#[tokio::test]
async fn memory_ends_at_its_limit() {
    let limits = Limits { memory_bytes: 4 << 20, ..Limits::default() };
    let grow_for_ever = "(loop (drop (memory.grow (i32.const 1))) (br 0))";
    let call = call(&engine(2), limits, grow_for_ever).await;
    assert_eq!(trap(&call), Some(TrapKind::Memory));
    assert_eq!(call.report.memory_bytes, 4 << 20);
}

#[tokio::test]
async fn the_engine_bounds_the_memory_limit() {
    let limits = Limits { memory_bytes: 1 << 30, ..Limits::default() };
    let call = call(&engine(2), limits, "(loop (drop (memory.grow (i32.const 1))) (br 0))").await;
    assert_eq!(trap(&call), Some(TrapKind::Memory));
    assert_eq!(call.report.memory_bytes, 8 << 20);
}

#[tokio::test]
async fn traps_are_told_apart() {
    let engine = engine(2);
    for (body, kind) in [
        ("unreachable", TrapKind::Panic),
        ("(call $run)", TrapKind::StackOverflow),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", TrapKind::Other),
    ] {
        let call = call(&engine, Limits::default(), body).await;
        assert_eq!(trap(&call), Some(kind), "{body}");
    }
}

#[tokio::test]
async fn more_calls_than_slots_wait_for_their_turn() {
    let engine = engine(1);
    let calls = [(); 3].map(|()| call(&engine, Limits::default(), "nop"));
    let [a, b, c] = calls;
    let (a, b, c) = tokio::join!(a, b, c);
    assert!(a.result.is_ok() && b.result.is_ok() && c.result.is_ok());
}

#[tokio::test]
async fn one_slow_tenant_does_not_take_all_slots() {
    let engine = engine(2);
    let slow = sandbox(Limits { wall: Duration::from_millis(400), ..Limits::default() }).calls_at_once(1);
    // Clones are the same tenant.
    let crowd = [slow.clone(), slow.clone(), slow.clone()];
    let [a, b, c] = crowd.each_ref().map(|slow| call_in(&engine, slow, ENDLESS));
    let other = async {
        tokio::task::yield_now().await;
        call(&engine, Limits { wall: Duration::from_millis(300), ..Limits::default() }, "nop").await
    };
    let (a, b, c, other) = tokio::join!(a, b, c, other);
    for slow in [&a, &b, &c] {
        assert_eq!(trap(slow), Some(TrapKind::Timeout));
    }
    assert!(other.result.is_ok(), "{:?}", other.result);
}

#[tokio::test]
async fn a_trap_gives_its_slot_back() {
    let engine = engine(1);
    for _ in 0..3 {
        assert_eq!(trap(&call(&engine, Limits::default(), "unreachable").await), Some(TrapKind::Panic));
    }
    let limits = Limits { wall: Duration::from_millis(20), ..Limits::default() };
    assert_eq!(trap(&call(&engine, limits, ENDLESS).await), Some(TrapKind::Timeout));
    assert!(call(&engine, Limits::default(), "nop").await.result.is_ok());
}

#[tokio::test]
async fn what_the_linker_does_not_offer_cannot_be_linked() {
    let engine = engine(1);
    for import in [
        r#"(import "wasi:cli/environment@0.2.4" (instance (export "get-arguments" (func (result (list string))))))"#,
        r#"(import "wasi:clocks/monotonic-clock@0.2.4" (instance (export "now" (func (result u64)))))"#,
        r#"(import "wasi:random/random@0.2.4" (instance (export "get-random-u64" (func (result u64)))))"#,
    ] {
        let component = wat::parse_str(format!("(component {import})")).unwrap();
        let component = Component::new(engine.wasmtime(), component).unwrap();
        assert!(linker(&engine).unwrap().instantiate_pre(&component).is_err(), "{import}");
    }
}

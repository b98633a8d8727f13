//! The cost of isolating tenants: instances compared with processes, workers and contexts; loading; memory.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use freshworks_bench::measure::{median, resident_bytes};
use freshworks_bench::work::{self, NOW, account, request, sandbox};
use handoff_host::{Allocation, Engine, EngineSettings, HttpClient, Plugin, Sandbox, TrustedCache, json};

use crate::Bench;
use crate::results::{Results, shown};

const TENANTS: usize = 1000;
/// Instances that wait at once, for their memory.
const WAITING: usize = 200;

/// Node measures itself: workers until they are online, and contexts with the language's own objects.
const NODE: &str = "
const { Worker } = require('node:worker_threads');
const vm = require('node:vm');
const { once } = require('node:events');
const middle = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
(async () => {
  const workers = [];
  for (let i = 0; i < 15; i += 1) {
    const started = process.hrtime.bigint();
    const worker = new Worker('require(\"node:worker_threads\").parentPort.postMessage(1)', { eval: true });
    await once(worker, 'message');
    workers.push(Number(process.hrtime.bigint() - started) / 1e3);
    await worker.terminate();
  }
  const contexts = [];
  for (let i = 0; i < 50; i += 1) {
    const started = process.hrtime.bigint();
    vm.runInContext('1', vm.createContext({}));
    contexts.push(Number(process.hrtime.bigint() - started) / 1e3);
  }
  console.log(JSON.stringify([middle(workers), middle(contexts)]));
})();
";

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// From start to end of a process.
fn process(program: &str, arguments: &[&str]) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..15 {
        let started = Instant::now();
        let status = Command::new(program).args(arguments).stdin(Stdio::null()).status()?;
        ensure!(status.success(), "{program} failed");
        times.push(started.elapsed());
    }
    Ok(micros(median(times)))
}

async fn instances(plugin: &Plugin) -> Result<(f64, f64)> {
    let nowhere = Sandbox::new(HttpClient::new()?);
    let (mut made, mut called) = (Vec::new(), Vec::new());
    for _ in 0..2000 {
        let call = plugin.peek(&nowhere, "{}").await;
        call.result?;
        made.push(call.report.instantiate);
        called.push(call.report.wall);
    }
    Ok((micros(median(made)), micros(median(called))))
}

pub(crate) async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let component = std::fs::read(&bench.plugin)?;
    results.put("component_bytes", component.len() as f64);

    let engine = Engine::new(EngineSettings { concurrent_calls: WAITING as u32 + 8, ..EngineSettings::default() })?;
    let mut cold = Vec::new();
    for _ in 0..3 {
        let started = Instant::now();
        Plugin::from_bytes(&engine, &component, None)?;
        cold.push(started.elapsed());
    }
    results.put("load_cold_us", micros(median(cold)));
    let folder = bench.target.join("bench-cache");
    // One that others could read would not be used.
    let _ = std::fs::remove_dir_all(&folder);
    let cache = TrustedCache::new(folder);
    Plugin::from_bytes(&engine, &component, Some(&cache))?;
    let mut warm = Vec::new();
    for _ in 0..50 {
        let started = Instant::now();
        Plugin::from_bytes(&engine, &component, Some(&cache))?;
        warm.push(started.elapsed());
    }
    results.put("load_precompiled_us", micros(median(warm)));

    let plugin = Plugin::from_bytes(&engine, &component, Some(&cache))?;
    let (pooled, call) = instances(&plugin).await?;
    results.put("start_instance_us", pooled);
    results.put("call_without_request_us", call);
    let mapped = Engine::new(EngineSettings { allocation: Allocation::OnDemand, ..EngineSettings::default() })?;
    let (on_demand, _) = instances(&Plugin::from_bytes(&mapped, &component, None)?).await?;
    results.put("start_instance_on_demand_us", on_demand);

    let output = Command::new("node").args(["-e", NODE]).output().context("Node.js is needed")?;
    let [worker, context]: [f64; 2] = serde_json::from_slice(&output.stdout).context("Node measured nothing")?;
    results.put("start_node_worker_us", worker);
    results.put("start_v8_context_us", context);
    results.put("start_node_process_us", process("node", &["-e", "0"])?);
    results.put("start_python_process_us", process("python3", &["-c", "pass"])?);
    results.put("start_smallest_process_us", process("true", &[])?);
    println!("\n## Keeping tenants apart: what a start costs\n\n| What | µs | to an instance |\n|---|---:|---:|");
    for (name, word) in [
        ("instance, pooled", "instance"),
        ("instance, mapped for each call", "instance_on_demand"),
        ("context in a running V8 (an isolate is more)", "v8_context"),
        ("smallest process", "smallest_process"),
        ("Node worker", "node_worker"),
        ("Python process", "python_process"),
        ("Node process", "node_process"),
    ] {
        let figure = format!("start_{word}_us");
        let ratio = format!("start_{word}_to_instance");
        results.ratio(&ratio, &figure, "start_instance_us");
        println!("| {name} | {} | {} |", shown(results.get(&figure)), shown(results.get(&ratio)));
    }
    println!(
        "\nA call that sends nothing, with its instance: {} µs. Compiling: {} ms. Loading what was compiled: {} µs.",
        shown(results.get("call_without_request_us")),
        shown(results.get("load_cold_us") / 1e3),
        shown(results.get("load_precompiled_us")),
    );
    memory(&plugin, results).await
}

async fn memory(plugin: &Plugin, results: &mut Results) -> Result<()> {
    let account = account(plugin).await?;
    let receipt = plugin
        .handoff(
            &account.sandbox,
            &account.settings,
            &json::from_json(&request("ana", work::MESSAGES, work::CHARACTERS).to_string(), "request")?,
            None,
            NOW,
        )
        .await
        .result?;
    let client = HttpClient::new()?;
    let before = resident_bytes();
    // Ten times as many, so that memory that was free before does not hide them.
    let mut tenants = Vec::new();
    for _ in 0..TENANTS * 10 {
        let tenant = sandbox(client.clone(), "https://acme.freshchat.com")?;
        tenants.push((tenant, account.settings.clone(), receipt.session.clone()));
    }
    let bytes = resident_bytes().saturating_sub(before) / 10;
    drop(tenants);
    results.put("idle_1000_tenants_mib", bytes as f64 / 1048576.0);

    let waiting = async |count: usize| -> Result<u64> {
        use freshworks_simulator::{Fault, How, Match};
        let slow = How::Delay(Duration::from_millis(1500));
        account.freshworks.fail(Fault::new(Match::path("/v2/accounts/configuration"), slow).times(count as u32));
        account.freshworks.clear_journal();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..count {
            let (plugin, sandbox, settings) = (plugin.clone(), account.sandbox.clone(), account.settings.clone());
            calls.spawn(async move { plugin.connect(&sandbox, &settings).await.result.map(drop) });
        }
        // The other request of each connect gets an immediate response; then all wait for the slow one.
        for _ in 0..count {
            account.freshworks.next_exchange().await;
        }
        let resident = resident_bytes();
        while let Some(call) = calls.join_next().await {
            call??;
        }
        Ok(resident)
    };
    // The first round fills pools and caches that stay.
    waiting(WAITING).await?;
    let few = waiting(1).await?;
    let many = waiting(WAITING).await?;
    results.put("waiting_instance_kib", many.saturating_sub(few) as f64 / 1024.0 / (WAITING as f64 - 1.0));
    println!(
        "\nMemory: an instance that waits for an answer {} KiB, with its connections; 1,000 idle tenants {} MiB.",
        shown(results.get("waiting_instance_kib")),
        shown(results.get("idle_1000_tenants_mib")),
    );
    Ok(())
}

//! The bridge under load, on the stand-in for Spin, with SQLite and with Redis. Bridge, Freshworks and platform share the machine,
//! so the figures are lower bounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use freshworks_bench::measure::{cost, resident_bytes};
use freshworks_bench::work::{CHARACTERS, MESSAGES, request};
use platform_simulator::Generic;
use serde_json::json;
use spin_host::{RedisServer, SqliteFile};
use tokio::sync::Semaphore;
use triangle::{SECRET, Stage, Store};

use crate::results::{Results, shown};

const HANDOFFS: usize = 400;
const WEBHOOKS: usize = 2000;
const IN_FLIGHT: usize = 16;

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    println!("\n## The bridge, {IN_FLIGHT} at once\n");
    println!("| Store | What | a second | p50 ms | p99 ms | resident MiB |\n|---|---|---:|---:|---:|---:|");
    load("sqlite", Store::Sqlite(SqliteFile::default()), results).await?;
    let redis = RedisServer::start().await?;
    load("redis", Store::Redis(redis.url()), results).await
}

/// Calls that run at once, and how long each took. The answer must be one of these.
async fn together<R>(calls: Vec<R>, wanted: &'static [u16]) -> Result<(Vec<Duration>, Duration)>
where
    R: Future<Output = Result<triangle::Answer>> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(IN_FLIGHT));
    let started = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for call in calls {
        let free = free.clone();
        running.spawn(async move {
            let _turn = free.acquire().await?;
            let started = Instant::now();
            let answer = call.await?;
            ensure!(wanted.contains(&answer.status), "{answer:?}");
            Ok(started.elapsed())
        });
    }
    let mut times = Vec::new();
    while let Some(time) = running.join_next().await {
        times.push(time??);
    }
    Ok((times, started.elapsed()))
}

async fn load(word: &str, store: Store, results: &mut Results) -> Result<()> {
    let platform = Generic::start(SECRET).await?;
    let stage = Stage::start(store, 1, &[platform.origin()]).await?;
    let settings = json!({ "kind": "generic", "callback_url": platform.callback_url(), "secret": SECRET });
    let connected = stage.connect("acme", &settings).await?;
    let hook = connected.body["webhooks"]["freshchat"].as_str().context("no webhook")?.to_owned();

    let handoffs = (0..HANDOFFS).map(|number| {
        let (api, body) = (stage.api.clone(), request(&format!("user-{number}"), MESSAGES, CHARACTERS));
        async move { api.call("POST", "/v1/connections/acme/handoffs", &body).await }
    });
    let (times, wall) = together(handoffs.collect(), &[200, 201]).await?;
    stage.freshworks.settled().await;
    show(word, "handoff", times, wall, results);

    // From here on the deliveries are made by hand.
    stage.freshworks.set_webhook(None);
    let maya = stage.freshworks.agent_id("Maya Chen").context("no agent")?;
    let conversations = stage.freshworks.conversations();
    let mut deliveries = Vec::new();
    for number in 0..WEBHOOKS {
        let conversation = &conversations[number % conversations.len()].id;
        deliveries.push(stage.freshworks.reply(conversation, &maya, "I am looking into it.").await?.remove(0));
    }
    let delivered = || (0..HANDOFFS).map(|number| platform.events(&format!("user-{number}")).len()).sum::<usize>();
    let before = delivered();
    let calls = deliveries.into_iter().map(|delivery| {
        let (api, hook) = (stage.api.clone(), hook.clone());
        async move {
            let headers: Vec<(&str, String)> =
                delivery.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            api.send("POST", &hook, &headers, delivery.body).await
        }
    });
    let (times, wall) = together(calls.collect(), &[200, 204]).await?;
    let after = delivered();
    ensure!(after - before >= WEBHOOKS, "{} of {WEBHOOKS} messages reached the platform", after - before);
    show(word, "webhook", times, wall, results);
    Ok(())
}

fn show(store: &str, what: &str, times: Vec<Duration>, wall: Duration, results: &mut Results) {
    let cost = cost(times, wall, Duration::ZERO);
    results.put(&format!("bridge_{store}_{what}_rate"), cost.rate);
    results.put(&format!("bridge_{store}_{what}_p99_us"), cost.p99_us);
    println!(
        "| {store} | {what}, verified and delivered | {} | {} | {} | {} |",
        shown(cost.rate),
        shown(cost.p50_us / 1e3),
        shown(cost.p99_us / 1e3),
        shown(resident_bytes() as f64 / 1048576.0),
    );
}

//! The bridge under load, on the Spin emulator, with SQLite and with Redis. Bridge, Freshworks and platform share the machine,
//! so the figures are lower bounds.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::{Environment, SECRET, Store};
use freshworks_bench::measure::{cost, resident_bytes};
use freshworks_bench::work::{CHARACTERS, MESSAGES, request};
use freshworks_simulator::{Fault, How as FreshworksHow, Match};
use platform_simulator::{Generic, How};
use serde_json::json;
use spin_emulator::{RedisServer, SqliteFile};
use tokio::sync::Semaphore;

use crate::results::{Results, shown};

const HANDOFFS: usize = 400;
const WEBHOOKS: usize = 2000;
const IN_FLIGHT: usize = 16;

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    println!("\n## The bridge, {IN_FLIGHT} at once\n");
    println!("| Store | What | a second | p50 ms | p99 ms | resident MiB |\n|---|---|---:|---:|---:|---:|");
    let folder = tempfile::tempdir()?;
    load("sqlite", database(folder.path()), results).await?;
    let redis = RedisServer::start().await?;
    load("redis", Store::Redis(redis.url()), results).await?;
    acknowledge(results).await
}

/// A new database on disk, as Spin keeps one. SQLite's file system in memory has no write-ahead log: there, readers and writers
/// lock each other out.
fn database(folder: &Path) -> Store {
    Store::Sqlite(SqliteFile::at(&folder.join("bridge.db")))
}

/// What delays the response to a webhook.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Platform,
    Freshworks,
    Burst,
    Kills,
}

/// How long Freshworks waits for a response: it gives up after 3 seconds.
pub(crate) async fn acknowledge(results: &mut Results) -> Result<()> {
    println!("\n## Time until a webhook is acknowledged\n");
    println!(
        "| Store | While | deliveries | p50 ms | p99 ms | longest ms | lost | twice |\n|---|---|---:|---:|---:|---:|---:|---:|"
    );
    for (store, is_redis) in [("sqlite", false), ("redis", true)] {
        for (what, said, trouble, count) in [
            ("slow_platform", "the platform takes 10 s", Trouble::Platform, 20),
            ("slow_freshworks", "Freshworks takes 20 s", Trouble::Freshworks, 20),
            ("burst", "500 come at once", Trouble::Burst, 500),
            ("kills", "500 come at once, two instances are killed in turns", Trouble::Kills, 500),
        ] {
            let redis = if is_redis { Some(RedisServer::start().await?) } else { None };
            let folder = tempfile::tempdir()?;
            let store_of = match &redis {
                Some(redis) => Store::Redis(redis.url()),
                None => database(folder.path()),
            };
            let mut seen = acknowledged(store_of, trouble, count).await?;
            seen.times.sort_unstable();
            let at =
                |percent: usize| seen.times[(seen.times.len() * percent).div_ceil(100).max(1) - 1].as_secs_f64() * 1e3;
            let [p50, p99, longest] = [50, 99, 100].map(at);
            results.put(&format!("bridge_{store}_ack_{what}_p50_us"), p50 * 1e3);
            results.put(&format!("bridge_{store}_ack_{what}_p99_us"), p99 * 1e3);
            let figures = [p50, p99, longest].map(shown).join(" | ");
            println!("| {store} | {said} | {count} | {figures} | {} | {} |", seen.lost, seen.twice);
            ensure!(seen.lost == 0 && seen.twice == 0, "{said}: {} lost, {} twice", seen.lost, seen.twice);
        }
    }
    Ok(())
}

struct Acknowledged {
    /// Of each try with a response.
    times: Vec<Duration>,
    lost: usize,
    twice: usize,
}

async fn acknowledged(store: Store, trouble: Trouble, count: usize) -> Result<Acknowledged> {
    const PEOPLE: usize = 50;
    let people = PEOPLE.min(count);
    let platform = Generic::start(SECRET).await?;
    let reaches = [platform.origin()];
    // Kills are tested with instances that also end with their responses.
    let mut stage = match trouble {
        Trouble::Kills => Environment::start_ending(store, 2, &reaches).await?,
        _ => Environment::start(store, 1, &reaches).await?,
    };
    let settings = json!({ "kind": "generic", "callback_url": platform.callback_url(), "secret": SECRET });
    let mut body = json!({ "settings": stage.settings(), "platform": settings });
    // The defaults.
    body["settings"].as_object_mut().context("no settings")?.retain(|name, _| !name.ends_with("timeout_ms"));
    let connected = stage.api.call("PUT", "/v1/connections/acme", &body).await?;
    ensure!(connected.body["connected"] == true, "{connected:?}");
    let hook = connected.body["webhooks"]["freshchat"].as_str().context("no webhook")?.to_owned();
    for number in 0..people {
        let body = request(&format!("user-{number}"), 2, 100);
        let answer = stage.api.call("POST", "/v1/connections/acme/handoffs", &body).await?;
        ensure!(answer.status == 200, "{answer:?}");
    }
    stage.freshworks.settled().await;
    let maya = stage.freshworks.agent_id("Maya Chen").context("no agent")?;
    let conversations = stage.freshworks.conversations();
    let mut deliveries = Vec::new();
    for number in 0..count {
        let conversation = &conversations[number % people].id;
        deliveries.push(stage.freshworks.reply(conversation, &maya, &format!("answer {number}")).await?.remove(0));
    }
    match trouble {
        Trouble::Platform => platform.fail(&vec![How::Delay(Duration::from_secs(10)); people]),
        Trouble::Freshworks => {
            let slow = FreshworksHow::Delay(Duration::from_secs(20));
            stage.freshworks.fail(Fault::new(Match::any(), slow).times(people as u32));
        }
        Trouble::Burst | Trouble::Kills => {}
    }
    let mut running = tokio::task::JoinSet::new();
    for delivery in deliveries {
        let (api, hook) = (stage.api.clone(), hook.clone());
        running.spawn(async move {
            let headers: Vec<(&str, String)> =
                delivery.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            loop {
                let started = Instant::now();
                // As Freshworks does: webhooks without a response are resent.
                match api.send("POST", &hook, &headers, delivery.body.clone()).await {
                    Ok(answer) if answer.status == 204 => return started.elapsed(),
                    _ => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
    }
    if trouble == Trouble::Kills {
        for kill in 0..6 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            stage.kill(kill % 2).await?;
        }
    }
    let mut times = Vec::new();
    while let Some(time) = running.join_next().await {
        times.push(time?);
    }
    stage.freshworks.clear_faults();
    stage.settled("acme").await?;
    let events: Vec<String> = (0..people)
        .flat_map(|number| platform.events(&format!("user-{number}")))
        .filter_map(|event| event["message"]["parts"][0]["text"].as_str().map(str::to_owned))
        .collect();
    let told: BTreeSet<&String> = events.iter().collect();
    Ok(Acknowledged { times, lost: count - told.len(), twice: events.len() - told.len() })
}

/// Concurrent calls, and the duration of each. The status must be one of these.
async fn together<R>(calls: Vec<R>, wanted: &'static [u16]) -> Result<(Vec<Duration>, Duration)>
where
    R: Future<Output = Result<e2e::Reply>> + Send + 'static,
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
    let stage = Environment::start(store, 1, &[platform.origin()]).await?;
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
    // Work that was left for after the response.
    stage.settled("acme").await?;
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

//! How time and memory grow: with the history, with the size of a webhook, with the number of tenants.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use freshworks_bench::measure::{median, resident_bytes};
use freshworks_bench::work::{CHARACTERS, MESSAGES, NOW, account, request};
use handoff_host::bindings::{Delivery, HandoffRequest};
use handoff_host::{Engine, EngineSettings, Limits, Plugin, json};

use crate::Bench;
use crate::picture::{Curve, draw};
use crate::results::{Results, shown};

/// Size, milliseconds, MiB.
type Point = (f64, f64, f64);

pub(crate) async fn run(bench: &Bench, results: &mut Results) -> Result<()> {
    let engine = Engine::new(EngineSettings::default())?;
    let plugin = Plugin::load(&engine, &bench.plugin, None)?;
    let folder = bench.root.join("docs/bench");
    std::fs::create_dir_all(&folder)?;
    for (word, title, unit, points) in [
        ("history", "A handoff, by messages in its history", "messages", histories(&plugin).await?),
        ("webhook", "A webhook verified and translated, by its size", "KiB", webhooks(&plugin).await?),
        ("tenants", "A handoff of each tenant, by tenants", "tenants", tenants(&plugin).await?),
    ] {
        println!("\n## {title}\n\n| {unit} | ms | MiB |\n|---:|---:|---:|");
        for (size, time, memory) in &points {
            println!("| {size} | {} | {} |", shown(*time), shown(*memory));
            results.put(&format!("growth_{word}_{size}_ms"), *time);
            results.put(&format!("growth_{word}_{size}_mib"), *memory);
        }
        results.put(&format!("growth_{word}_slope"), slope(&points).context("too few points")?);
        let time =
            Curve { name: "milliseconds", points: points.iter().map(|(size, time, _)| (*size, *time)).collect() };
        let memory = Curve { name: "MiB", points: points.iter().map(|(size, _, memory)| (*size, *memory)).collect() };
        draw(&folder.join(format!("{word}.svg")), title, unit, &[time, memory])?;
    }
    Ok(())
}

/// By which power time grows between the last point and the one a decade before: 1 is linear.
fn slope(points: &[Point]) -> Option<f64> {
    let last = points.last()?;
    let earlier = points.iter().rev().find(|point| point.0 * 9.0 <= last.0)?;
    Some((last.1 / earlier.1).ln() / (last.0 / earlier.0).ln())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1048576.0
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn handoff(user: &str, messages: usize, characters: usize) -> Result<HandoffRequest> {
    Ok(json::from_json(&request(user, messages, characters).to_string(), "request")?)
}

async fn histories(plugin: &Plugin) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for messages in [10, 30, 100, 300, 1000, 3000, 10_000] {
        let (mut times, mut memory) = (Vec::new(), 0);
        for round in 0..3 {
            let account = account(plugin).await?;
            let asked = handoff(&format!("user-{round}"), messages, CHARACTERS)?;
            let call = plugin.handoff(&account.sandbox, &account.settings, &asked, None, NOW).await;
            call.result?;
            times.push(call.report.wall);
            memory = memory.max(call.report.memory_bytes);
        }
        points.push((messages as f64, millis(median(times)), mib(memory)));
    }
    Ok(points)
}

async fn webhooks(plugin: &Plugin) -> Result<Vec<Point>> {
    let account = account(plugin).await?;
    let receipt =
        plugin.handoff(&account.sandbox, &account.settings, &handoff("ana", 1, 10)?, None, NOW).await.result?;
    let conversation = receipt.info.conversation_ids.first().context("no conversation")?;
    let maya = account.freshworks.agent_id("Maya Chen").context("no agent")?;
    let mut points = Vec::new();
    // The contract allows 256 KiB; a message in a webhook is there once.
    for kib in [1, 4, 16, 64, 128, 250] {
        let text = "All work and no play. ".repeat(kib * 1024 / 22 + 1);
        let sent = account.freshworks.note(conversation, &maya, &text).await?.remove(0);
        let delivery = Delivery { headers: sent.headers, body: String::from_utf8(sent.body)?, received_at: NOW };
        let (mut times, mut memory) = (Vec::new(), 0);
        for _ in 0..15 {
            let call = plugin.on_webhook(&account.sandbox, &account.settings, &delivery, Some(&receipt.session)).await;
            call.result?;
            times.push(call.report.wall);
            memory = memory.max(call.report.memory_bytes);
        }
        points.push((kib as f64, millis(median(times)), mib(memory)));
    }
    Ok(points)
}

async fn tenants(plugin: &Plugin) -> Result<Vec<Point>> {
    let account = Arc::new(account(plugin).await?);
    let mut points = Vec::new();
    for count in [1, 3, 10, 30, 100, 300, 1000] {
        // A tenant has its own sandbox and settings.
        let mut tenants = Vec::new();
        for number in 0..count {
            let sandbox = account.sandbox.clone().limits(Limits::default());
            let asked = handoff(&format!("tenant-{count}-{number}"), MESSAGES, CHARACTERS)?;
            tenants.push((sandbox, account.settings.clone(), asked));
        }
        let started = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for (sandbox, settings, asked) in tenants {
            let plugin = plugin.clone();
            calls.spawn(async move { plugin.handoff(&sandbox, &settings, &asked, None, NOW).await.result.map(drop) });
        }
        while let Some(call) = calls.join_next().await {
            call??;
        }
        points.push((count as f64, millis(started.elapsed()), mib(resident_bytes())));
    }
    Ok(points)
}

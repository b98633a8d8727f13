//! Measures the plugin against the simulator and prints the figures as JSON: requests, times, memory.
//!
//! Times are medians on the machine at hand; counts are exact and the same everywhere.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use freshworks_simulator::{Config, Fault, How, KeyForm, Match, Simulator, UserSpec};
use handoff_host::bindings::{CloseReason, Delivery, HandoffRequest, Message};
use handoff_host::{AllowList, CallReport, Engine, EngineSettings, HttpClient, Plugin, Sandbox, json};
use serde_json::{Map, Value};

const NOW: u64 = 1_795_000_000_000;
const REPEATS: usize = 300;
/// Instances that wait at once, for their memory.
const WAITING: usize = 100;

#[tokio::main]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1).context("usage: figures <plugin>")?;
    let figures = measure(&PathBuf::from(path)).await?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

/// A simulated account with the settings that connect returned.
struct Account {
    freshworks: Simulator,
    sandbox: Sandbox,
    settings: String,
    connect: CallReport,
}

async fn account(plugin: &Plugin) -> Result<Account> {
    let freshworks = Simulator::start(Config::default()).await?;
    let settings = serde_json::json!({
        "chat_url": "acme",
        "api_key": freshworks.api_key(),
        "webhook_public_key": freshworks.public_key(KeyForm::Vendor),
        "test_origin": freshworks.origin(),
    });
    let mut allow = AllowList::none();
    allow.allow_internal(freshworks.origin())?;
    let sandbox = Sandbox::new(HttpClient::new()?).allow(allow);
    let call = plugin.connect(&sandbox, &settings.to_string()).await;
    Ok(Account { freshworks, sandbox, settings: call.result?.settings, connect: call.report })
}

fn message(id: usize, text: &str) -> Result<Message> {
    Ok(json::from_json(
        &serde_json::json!({
            "id": id.to_string(), "sent_at": NOW + id as u64 * 1000,
            "sender": { "role": if id.is_multiple_of(2) { "end-user" } else { "ai-agent" } },
            "parts": [{ "kind": "text", "text": text }],
        })
        .to_string(),
        "message",
    )?)
}

/// A handoff of `user` with a history of `count` messages of `chars` characters.
fn request(user: &str, conversation: &str, count: usize, chars: usize) -> Result<HandoffRequest> {
    let mut request: HandoffRequest = json::from_json(
        &serde_json::json!({
            "key": { "application": "app", "channel": "channel", "conversation": conversation },
            "user": { "id": user, "name": "Ana Silva", "email": format!("{user}@example.com"), "email_verified": true },
            "mode": "live", "reason": "user-asked", "summary": "Her parcel is late.",
        })
        .to_string(),
        "request",
    )?;
    let text = "All work and no play. ".repeat(chars / 22 + 1);
    request.history = Some((0..count).map(|id| message(id, &text[..chars])).collect::<Result<_>>()?);
    Ok(request)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> Value {
    ((time.as_secs_f64() * 1e7).round() / 10.0).into()
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

async fn measure(path: &std::path::Path) -> Result<Map<String, Value>> {
    let mut figures = Map::new();
    let mut put = |key: &str, value: Value| figures.insert(key.to_owned(), value);

    let engine = Engine::new(EngineSettings { concurrent_calls: WAITING as u32 + 8, ..EngineSettings::default() })?;
    let started = Instant::now();
    let plugin = Plugin::load(&engine, path, None)?;
    put("compile_ms", (started.elapsed().as_millis() as u64).into());
    put("instances_pooled", engine.is_pooled().into());

    requests(&plugin, &mut put).await?;
    times(&plugin, &mut put).await?;
    instructions(path, &mut put).await?;
    long_histories(&plugin, &mut put).await?;
    memory(&plugin, &mut put).await?;
    Ok(figures)
}

/// How many requests each function makes.
async fn requests(plugin: &Plugin, put: &mut impl FnMut(&str, Value) -> Option<Value>) -> Result<()> {
    let account = account(plugin).await?;
    let Account { freshworks, sandbox, settings, connect } = &account;
    put("http_calls_connect", connect.http.len().into());

    let first = plugin.handoff(sandbox, settings, &request("new", "1", 40, 100)?, None, NOW).await;
    put("http_calls_first_handoff", first.report.http.len().into());
    let known = plugin.handoff(sandbox, settings, &request("new", "2", 40, 100)?, None, NOW).await;
    put("http_calls_known_user", known.report.http.len().into());
    known.result?;
    freshworks.seed_user(UserSpec { reference_id: Some("bare".to_owned()), ..UserSpec::default() });
    let bare = plugin.handoff(sandbox, settings, &request("bare", "3", 40, 100)?, None, NOW).await;
    put("http_calls_incomplete_user", bare.report.http.len().into());
    bare.result?;

    let receipt = first.result?;
    let conversation = receipt.info.conversation_ids.first().context("no conversation")?;
    let relay = plugin.relay(sandbox, settings, &receipt.session, &message(1000, "Hello?")?, false, NOW).await;
    put("http_calls_relay", relay.report.http.len().into());
    let mut session = relay.result?.session.context("no session")?;
    let maya = freshworks.agent_id("Maya Chen").context("no agent")?;
    for key in ["http_calls_first_webhook", "http_calls_next_webhook"] {
        let webhook = freshworks.reply(conversation, &maya, "I am looking into it.").await?.remove(0);
        let delivery = Delivery { headers: webhook.headers, body: String::from_utf8(webhook.body)?, received_at: NOW };
        let update = plugin.on_webhook(sandbox, settings, &delivery, Some(&session)).await;
        put(key, update.report.http.len().into());
        session = update.result?.session.context("no session")?;
    }
    put("session_bytes", session.len().into());
    let close = plugin.close(sandbox, settings, &session, CloseReason::UserLeft, false, NOW).await;
    put("http_calls_close", close.report.http.len().into());
    close.result?;
    Ok(())
}

/// How long calls take on a fresh instance, loopback network included.
async fn times(plugin: &Plugin, put: &mut impl FnMut(&str, Value) -> Option<Value>) -> Result<()> {
    let account = account(plugin).await?;
    let Account { freshworks, sandbox, settings, .. } = &account;
    let mut instantiate = Vec::new();
    let mut peek = Vec::new();
    for _ in 0..REPEATS {
        let call = plugin.peek(sandbox, "{}").await;
        call.result?;
        instantiate.push(call.report.instantiate);
        peek.push(call.report.wall);
    }
    put("instantiate_us", micros(median(instantiate)));
    put("peek_us", micros(median(peek)));

    let mut handoff = Vec::new();
    for number in 0..REPEATS / 10 {
        let name = format!("user-{number}");
        let call = plugin.handoff(sandbox, settings, &request(&name, &name, 40, 100)?, None, NOW).await;
        call.result?;
        handoff.push(call.report.wall);
    }
    put("handoff_40_messages_us", micros(median(handoff)));

    let mut session =
        plugin.handoff(sandbox, settings, &request("chatty", "chatty", 1, 10)?, None, NOW).await.result?.session;
    let mut relay = Vec::new();
    for number in 0..REPEATS / 10 {
        let call = plugin.relay(sandbox, settings, &session, &message(1000 + 2 * number, "Hello?")?, false, NOW).await;
        relay.push(call.report.wall);
        session = call.result?.session.context("no session")?;
    }
    put("relay_us", micros(median(relay)));

    let largest = format!("{{\"text\":\"{}\"}}", "x".repeat(256 * 1024 - 11));
    let mut peek = Vec::new();
    for _ in 0..REPEATS / 10 {
        let call = plugin.peek(sandbox, &largest).await;
        call.result?;
        peek.push(call.report.wall);
    }
    put("peek_256_kib_us", micros(median(peek)));

    let receipt = plugin.handoff(sandbox, settings, &request("hooked", "hooked", 1, 10)?, None, NOW).await.result?;
    let conversation = receipt.info.conversation_ids.first().context("no conversation")?;
    let maya = freshworks.agent_id("Maya Chen").context("no agent")?;
    let webhook = freshworks.note(conversation, &maya, "Nothing to tell.").await?.remove(0);
    let delivery = Delivery { headers: webhook.headers, body: String::from_utf8(webhook.body)?, received_at: NOW };
    let mut verify = Vec::new();
    for _ in 0..REPEATS {
        let call = plugin.on_webhook(sandbox, settings, &delivery, Some(&receipt.session)).await;
        call.result?;
        verify.push(call.report.wall);
    }
    put("webhook_verify_and_translate_us", micros(median(verify)));
    Ok(())
}

/// The calls' instruction counts: the same on every machine.
async fn instructions(path: &std::path::Path, put: &mut impl FnMut(&str, Value) -> Option<Value>) -> Result<()> {
    let engine = Engine::new(EngineSettings { count_fuel: true, ..EngineSettings::default() })?;
    let plugin = Plugin::load(&engine, path, None)?;
    let account = account(&plugin).await?;
    let Account { freshworks, sandbox, settings, connect } = &account;
    put("fuel_connect", connect.fuel.into());
    let handoff = plugin.handoff(sandbox, settings, &request("new", "1", 40, 100)?, None, NOW).await;
    put("fuel_handoff", handoff.report.fuel.into());
    let receipt = handoff.result?;
    let relay = plugin.relay(sandbox, settings, &receipt.session, &message(1000, "Hello?")?, false, NOW).await;
    put("fuel_relay", relay.report.fuel.into());
    relay.result?;
    let conversation = receipt.info.conversation_ids.first().context("no conversation")?;
    let maya = freshworks.agent_id("Maya Chen").context("no agent")?;
    let webhook = freshworks.note(conversation, &maya, "Nothing to tell.").await?.remove(0);
    let delivery = Delivery { headers: webhook.headers, body: String::from_utf8(webhook.body)?, received_at: NOW };
    let update = plugin.on_webhook(sandbox, settings, &delivery, Some(&receipt.session)).await;
    put("fuel_webhook", update.report.fuel.into());
    update.result?;
    Ok(())
}

/// Histories that fill more than one request.
async fn long_histories(plugin: &Plugin, put: &mut impl FnMut(&str, Value) -> Option<Value>) -> Result<()> {
    let account = account(plugin).await?;
    for (name, count, chars) in [("2000_messages", 2000, 60), ("1_mb", 1000, 1024)] {
        let call =
            plugin.handoff(&account.sandbox, &account.settings, &request(name, name, count, chars)?, None, NOW).await;
        call.result?;
        put(&format!("history_{name}_http_calls"), call.report.http.len().into());
        put(&format!("history_{name}_ms"), (call.report.wall.as_millis() as u64).into());
        put(&format!("history_{name}_memory_kib"), (call.report.memory_bytes / 1024).into());
    }
    Ok(())
}

/// The memory of an instance that waits for a response.
async fn memory(plugin: &Plugin, put: &mut impl FnMut(&str, Value) -> Option<Value>) -> Result<()> {
    let account = account(plugin).await?;
    let Account { freshworks, sandbox, settings, .. } = &account;
    let waiting = async |count: usize| -> Result<u64> {
        let slow = How::Delay(Duration::from_millis(1500));
        freshworks.fail(Fault::new(Match::path("/v2/accounts/configuration"), slow).times(count as u32));
        freshworks.clear_journal();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..count {
            let (plugin, sandbox, settings) = (plugin.clone(), sandbox.clone(), settings.clone());
            calls.spawn(async move { plugin.connect(&sandbox, &settings).await.result.map(drop) });
        }
        // The other request of each connect gets an immediate response; then all wait for the slow one.
        for _ in 0..count {
            freshworks.next_exchange().await;
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
    let each = many.saturating_sub(few) / (WAITING as u64 - 1);
    put("waiting_instance_resident_kib", (each / 1024).into());
    let call = plugin.describe(sandbox, None).await;
    call.result?;
    put("idle_instance_linear_memory_kib", (call.report.memory_bytes / 1024).into());
    Ok(())
}

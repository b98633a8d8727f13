//! One side of a comparison: `side <native|wasm> <handoff|relay|webhook> <operations> <in flight> <work.json> [<plugin>]`.
//! Prints its cost as JSON.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use freshworks_bench::measure::{Cost, tasks, threads};
use freshworks_bench::native::Native;
use freshworks_bench::work::{NOW, Work, host_message, sandbox};
use freshworks_handoff::use_cases::{handoff, relay, webhook};
use handoff_contract::model;
use handoff_host::bindings::{Delivery, HandoffRequest};
use handoff_host::{Engine, EngineSettings, HttpClient, Plugin, json};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [side, operation, operations, in_flight, file, rest @ ..] = &arguments[..] else {
        bail!("usage: side <native|wasm> <handoff|relay|webhook> <operations> <in flight> <work.json> [<plugin>]");
    };
    let (operations, in_flight) = (operations.parse()?, in_flight.parse()?);
    let work = Work::read(file)?;
    let cost = match side.as_str() {
        "native" => native(operation, operations, in_flight, &work)?,
        "wasm" => {
            let plugin = rest.first().context("which plugin?")?;
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(wasm(operation, operations, in_flight, work, plugin))?
        }
        other => bail!("unknown side {other}"),
    };
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

fn native(operation: &str, operations: usize, in_flight: usize, work: &Work) -> Result<Cost> {
    let http = Native::new(in_flight * 2);
    let settings = work.settings.to_string();
    let session = work.session_bytes()?;
    let request: model::HandoffRequest = serde_json::from_value(work.request.clone())?;
    let message: model::Message = serde_json::from_value(work.message.clone())?;
    let delivery =
        model::Delivery { headers: work.webhook_headers.clone(), body: work.webhook_body.clone(), received_at: NOW };
    let failed = |error: handoff_contract::error::Error| anyhow::anyhow!("{error:?}");
    match operation {
        "handoff" => threads(operations, in_flight, |_| {
            handoff::handoff(&http, &settings, &request, None, NOW).map(drop).map_err(failed)
        }),
        "relay" => threads(operations, in_flight, |_| {
            relay::relay(&http, &settings, &session, &message, false, NOW).map(drop).map_err(failed)
        }),
        "webhook" => threads(operations, in_flight, |_| {
            webhook::on_webhook(&http, &settings, &delivery, Some(&session)).map(drop).map_err(failed)
        }),
        other => bail!("unknown operation {other}"),
    }
}

async fn wasm(operation: &str, operations: usize, in_flight: usize, work: Work, plugin: &str) -> Result<Cost> {
    let engine = Engine::new(EngineSettings { concurrent_calls: in_flight as u32 + 1, ..EngineSettings::default() })?;
    let plugin = Plugin::load(&engine, plugin.as_ref(), None)?;
    let origin = work.settings["test_origin"].as_str().context("no origin")?;
    let sandbox = sandbox(HttpClient::new()?, origin)?;
    let settings: Arc<str> = work.settings.to_string().into();
    let session: Arc<str> = work.session.as_str().into();
    let request: Arc<HandoffRequest> = Arc::new(json::from_json(&work.request.to_string(), "request")?);
    let message = Arc::new(host_message(&work.message)?);
    let delivery =
        Arc::new(Delivery { headers: work.webhook_headers.clone(), body: work.webhook_body.clone(), received_at: NOW });
    match operation {
        "handoff" => {
            let call = move |_| {
                let (plugin, sandbox) = (plugin.clone(), sandbox.clone());
                let (settings, request) = (settings.clone(), request.clone());
                async move { Ok(plugin.handoff(&sandbox, &settings, &request, None, NOW).await.result.map(drop)?) }
            };
            tasks(operations, in_flight, call).await
        }
        "relay" => {
            let call = move |_| {
                let (plugin, sandbox) = (plugin.clone(), sandbox.clone());
                let (settings, session, message) = (settings.clone(), session.clone(), message.clone());
                async move { Ok(plugin.relay(&sandbox, &settings, &session, &message, false, NOW).await.result.map(drop)?) }
            };
            tasks(operations, in_flight, call).await
        }
        "webhook" => {
            let call = move |_| {
                let (plugin, sandbox) = (plugin.clone(), sandbox.clone());
                let (settings, session, delivery) = (settings.clone(), session.clone(), delivery.clone());
                async move { Ok(plugin.on_webhook(&sandbox, &settings, &delivery, Some(&session)).await.result.map(drop)?) }
            };
            tasks(operations, in_flight, call).await
        }
        other => bail!("unknown operation {other}"),
    }
}

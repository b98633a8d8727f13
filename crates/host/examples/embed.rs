//! The smallest complete embedding: connect an account, hand a conversation over, and turn a human agent's answer
//! into an event. A simulator stands in for the Freshworks account, so that it runs as it is.

use anyhow::Context;
use freshworks_simulator::{Config, KeyForm, Simulator};
use handoff_host::bindings::{Delivery, HandoffRequest};
use handoff_host::{AllowList, Engine, EngineSettings, HttpClient, Plugin, Sandbox, json};

/// Milliseconds since 1970: the plugin has no clock.
const NOW: u64 = 1_795_000_000_000;

/// Returns what the end user reads.
pub(crate) async fn embed(plugin: &std::path::Path) -> anyhow::Result<String> {
    let freshworks = Simulator::start(Config::default()).await?;

    // Once per process: compile the plugin; its imports are checked before anything of it runs.
    let engine = Engine::new(EngineSettings::default())?;
    let plugin = Plugin::load(&engine, plugin, None)?;

    // Once per tenant: what the admin typed, and the only origin that the plugin may reach.
    let settings = serde_json::json!({
        "chat_url": "acme.freshchat.com",
        "api_key": freshworks.api_key(),
        "webhook_public_key": freshworks.public_key(KeyForm::Vendor),
        "test_origin": freshworks.origin(), // leave it out for a real account
    });
    let mut allow = AllowList::none();
    allow.allow_internal(freshworks.origin())?; // a simulator on this machine; a real account: `allow`
    let sandbox = Sandbox::new(HttpClient::new()?).allow(allow);

    // The admin presses Connect. Keep the settings that come back.
    let connection = plugin.connect(&sandbox, &settings.to_string()).await.result?;
    anyhow::ensure!(connection.connected, "{:?}", connection.findings);
    let settings = connection.settings;

    // The AI agent is stuck. Store the session under your own key, and index it by `info.conversation_ids`.
    let request: HandoffRequest = json::from_json(
        r#"{
            "key": {"application": "app-1", "channel": "channel-7", "conversation": "42"},
            "user": {"id": "user-1", "name": "Ana Silva"},
            "mode": "live", "reason": "user-asked", "summary": "Her parcel is late.",
            "history": [{"id": "1", "sender": {"role": "end-user"}, "sent_at": 1794999990000,
                         "parts": [{"kind": "text", "text": "Where is my parcel?"}]}]
        }"#,
        "request",
    )?;
    let receipt = plugin.handoff(&sandbox, &settings, &request, None, NOW).await.result?;

    // A human agent answers; Freshworks calls your webhook URL. Pass the body on as it is.
    let conversation = receipt.info.conversation_ids.first().context("no conversation")?;
    let maya = freshworks.agent_id("Maya Chen").context("no agent")?;
    let webhook = freshworks.reply(conversation, &maya, "Hello Ana, I am looking into it.").await?.remove(0);
    let delivery =
        Delivery { headers: webhook.headers, body: String::from_utf8(webhook.body)?, received_at: NOW + 60_000 };
    let update = plugin.on_webhook(&sandbox, &settings, &delivery, Some(&receipt.session)).await.result?;

    // Act on the events, store `update.session`, and only then answer the webhook with 200.
    let event = update.events.first().context("no event")?;
    let (agent, message) = (event.agent.as_ref().context("no agent")?, event.message.as_ref().context("no message")?);
    let text = message.parts.first().and_then(|part| part.text.as_deref()).unwrap_or_default();
    Ok(format!("{}: {text}", agent.name.as_deref().unwrap_or("Human agent")))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let plugin = std::env::args().nth(1).unwrap_or_else(|| "target/plugin/freshworks.wasm".to_owned());
    println!("{}", embed(plugin.as_ref()).await?);
    Ok(())
}

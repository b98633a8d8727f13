//! The measured work.

use std::path::Path;

use anyhow::{Context, Result};
use freshworks_simulator::{Config, KeyForm, Simulator};
use handoff_host::bindings::Message;
use handoff_host::{AllowList, Engine, EngineSettings, HttpClient, Plugin, Sandbox, json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The time of every call, in milliseconds since 1970.
pub const NOW: u64 = 1_795_000_000_000;
/// Messages in the history of a handoff.
pub const MESSAGES: usize = 40;
/// Characters in each of them.
pub const CHARACTERS: usize = 100;

/// The input of every side: settings, a handoff, a message, and a webhook with its signature.
#[derive(Serialize, Deserialize)]
pub struct Work {
    /// As `connect` returned them; `test_origin` is the upstream.
    pub settings: Value,
    /// The request of a new person's handoff.
    pub request: Value,
    /// A message of the end user.
    pub message: Value,
    /// The session of a conversation that a human agent has, as the plugin returned it.
    pub session: String,
    /// The webhook's headers.
    pub webhook_headers: Vec<(String, String)>,
    /// The webhook's body.
    pub webhook_body: String,
    /// The public key that its signature is by, as PEM.
    pub public_key: String,
}

impl Work {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When the file is not there or is something else.
    pub fn read(path: &str) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The session's bytes, as the core takes them.
    ///
    /// # Errors
    ///
    /// When the session is not base64url.
    pub fn session_bytes(&self) -> Result<Vec<u8>> {
        use base64ct::{Base64UrlUnpadded, Encoding};
        Base64UrlUnpadded::decode_vec(&self.session).ok().context("the session is not base64url")
    }
}

/// A message of this many characters.
pub fn message(id: usize, characters: usize) -> Value {
    let text = "All work and no play. ".repeat(characters / 22 + 1);
    json!({
        "id": id.to_string(), "sent_at": NOW + id as u64 * 1000,
        "sender": { "role": if id.is_multiple_of(2) { "end-user" } else { "ai-agent" } },
        "parts": [{ "kind": "text", "text": text[..characters] }],
    })
}

/// A handoff of `user` with a history of this length.
pub fn request(user: &str, messages: usize, characters: usize) -> Value {
    json!({
        "key": { "application": "app", "channel": "channel", "conversation": user },
        "user": { "id": user, "name": "Ana Silva", "email": format!("{user}@example.com"), "email_verified": true },
        "mode": "live", "reason": "user-asked", "summary": "Her parcel is late.",
        "history": (0..messages).map(|id| message(id, characters)).collect::<Vec<_>>(),
    })
}

/// A plugin and a simulated account that it is connected to.
pub struct Account {
    /// The account.
    pub freshworks: Simulator,
    /// The plugin's limits.
    pub sandbox: Sandbox,
    /// As `connect` returned them.
    pub settings: String,
}

/// Connects the plugin to a new simulated account.
///
/// # Errors
///
/// When it cannot be connected.
pub async fn account(plugin: &Plugin) -> Result<Account> {
    let freshworks = Simulator::start(Config::default()).await?;
    let settings = json!({
        "chat_url": "acme",
        "api_key": freshworks.api_key(),
        "webhook_public_key": freshworks.public_key(KeyForm::Vendor),
        "test_origin": freshworks.origin(),
    });
    let sandbox = sandbox(HttpClient::new()?, freshworks.origin())?;
    let settings = plugin.connect(&sandbox, &settings.to_string()).await.result?.settings;
    Ok(Account { freshworks, sandbox, settings })
}

/// A sandbox that may reach one origin.
///
/// # Errors
///
/// If it is not an origin.
pub fn sandbox(client: HttpClient, origin: &str) -> Result<Sandbox> {
    let mut allow = AllowList::none();
    match origin.starts_with("http://") {
        true => allow.allow_internal(origin)?,
        false => allow.allow(origin)?,
    }
    // This measures the machine, not one tenant's share.
    Ok(Sandbox::new(client).allow(allow).calls_at_once(100_000))
}

/// Makes the work for an upstream, with the simulator's signature on the webhook.
///
/// # Errors
///
/// When the plugin cannot be run.
pub async fn make(plugin_file: &Path, upstream: &str) -> Result<Work> {
    let engine = Engine::new(EngineSettings::default())?;
    let plugin = Plugin::load(&engine, plugin_file, None)?;
    let Account { freshworks, sandbox, settings } = account(&plugin).await?;
    let handoff = request("ana", MESSAGES, CHARACTERS);
    let asked = json::from_json(&handoff.to_string(), "request")?;
    let receipt = plugin.handoff(&sandbox, &settings, &asked, None, NOW).await.result?;
    let conversation = receipt.info.conversation_ids.first().context("no conversation")?;
    let maya = freshworks.agent_id("Maya Chen").context("no agent")?;
    let mut session = receipt.session;
    let mut webhook = None;
    // The first message makes her known; the one that is measured needs no look-up.
    for text in ["Good morning.", "I am looking into it."] {
        let sent = freshworks.reply(conversation, &maya, text).await?.remove(0);
        if text.starts_with("Good") {
            let (headers, body) = (sent.headers.clone(), sent.body.clone());
            let delivery =
                handoff_host::bindings::Delivery { headers, body: String::from_utf8(body)?, received_at: NOW };
            let update = plugin.on_webhook(&sandbox, &settings, &delivery, Some(&session)).await.result?;
            session = update.session.context("no session")?;
        }
        webhook = Some(sent);
    }
    let webhook = webhook.context("no webhook")?;
    let mut settings: Value = serde_json::from_str(&settings)?;
    settings["test_origin"] = upstream.into();
    settings["resolved"]["origin"] = upstream.into();
    Ok(Work {
        settings,
        request: handoff,
        message: message(1000, 60),
        session,
        webhook_headers: webhook.headers,
        webhook_body: String::from_utf8(webhook.body)?,
        public_key: freshworks.public_key(KeyForm::Spki),
    })
}

/// The host's form of a message.
///
/// # Errors
///
/// When it is none.
pub fn host_message(message: &Value) -> Result<Message> {
    Ok(json::from_json(&message.to_string(), "message")?)
}

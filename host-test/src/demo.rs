//! The demonstration: a handoff from both sides, in one process.
//!
//! A simulator plays Freshworks, a small platform receives webhooks over real HTTP, and the plugin runs between them in its
//! sandbox. At the end, claims about the outcome are checked, so the demo is also a test.
//!
//! | file | contents |
//! |---|---|
//! | `demo/platform.rs` | the platform: sessions by conversation id, the end user's view |
//! | `demo/receiver.rs` | its webhook URL |
//! | `demo/script.rs` | a scripted human agent and end user |
//! | `demo/typing.rs` | the person at the terminal as the end user |
//! | `demo/inbox.rs` | the conversation as the human agent sees it |
//! | `demo/claims.rs` | what must hold |
//! | `demo/history.rs` | the supplied conversation, and longer ones |
//! | `demo/screen.rs`, `demo/words.rs` | what is shown, as lines or as JSON |

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use freshworks_simulator::{Config, KeyForm, Simulator};
use serde_json::json;
use tokio::sync::mpsc;

use handoff_host::bindings::HandoffRequest;
use handoff_host::{AllowList, CallError, HttpClient, Plugin, Sandbox};

mod claims;
mod history;
mod inbox;
mod platform;
mod receiver;
mod screen;
mod script;
mod typing;
mod words;

pub use history::{conversation, with_messages};
use inbox::Inbox;
use platform::{Platform, name};
use receiver::Receiver;
pub use screen::Screen;
use screen::Section;
pub use typing::typed_lines;

/// How long webhooks may take to arrive; they need milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// The demo's options.
#[derive(Debug)]
pub struct Options {
    /// The conversation to hand over.
    pub request: HandoffRequest,
    /// Who acts after the handoff.
    pub story: Story,
    /// The history comes as private notes of a human agent.
    pub note_author: bool,
}

/// Who acts after the handoff.
#[derive(Debug)]
pub enum Story {
    /// A human agent and an end user who follow a script.
    Scripted,
    /// The end user writes these lines; human agents answer in the simulator's inbox page. `/end`, or the end of the
    /// lines, leaves the conversation.
    Interactive(mpsc::Receiver<String>),
}

/// The people and machines of one demonstration.
struct Stage {
    freshworks: Simulator,
    platform: Arc<Platform>,
    receiver: Receiver,
    screen: Arc<Screen>,
}

/// Plays the whole story and shows it.
///
/// # Errors
///
/// The first error, or claim that does not hold, as a sentence.
pub async fn run(plugin: &Plugin, options: Options, screen: Arc<Screen>) -> Result<()> {
    let played = play(plugin, options, &screen).await;
    screen.finish(played.as_ref().err());
    played
}

async fn play(plugin: &Plugin, options: Options, screen: &Arc<Screen>) -> Result<()> {
    let Options { request, story, note_author } = options;
    let freshworks = Simulator::start(Config::default()).await?;

    screen.section(Section::Connect, "An admin connects the Freshworks account");
    let (sandbox, settings) = connect(plugin, &freshworks, note_author, screen).await?;
    let platform = Arc::new(Platform::new(plugin.clone(), sandbox, settings, Arc::clone(screen)));
    let receiver = Receiver::start(Arc::clone(&platform)).await?;
    freshworks.set_webhook(Some(receiver.url().to_owned()));
    screen.line(&format!("The platform receives webhooks at {}", receiver.url()));
    let stage = Stage { freshworks, platform, receiver, screen: Arc::clone(screen) };

    screen.section(Section::Handoff, "The AI agent is stuck and hands the conversation over");
    screen.line(&format!(
        "{} messages of history, for {}",
        request.history.as_ref().map_or(0, Vec::len),
        name(&request)
    ));
    let key = stage.platform.handoff(&request).await?;
    within("the webhooks of the handoff", stage.freshworks.settled()).await?;

    screen.section(Section::Inbox, "What the human agent sees in the inbox");
    let id = match stage.freshworks.conversations().as_slice() {
        [conversation] => conversation.id.clone(),
        several => bail!("the handoff opened {} conversations; it must be one", several.len()),
    };
    let inbox = Inbox::of(&stage.freshworks, &id)?;
    screen.inbox(&inbox, request.history.as_ref().map_or(0, Vec::len) > history::SHOWN_WHOLE);
    let handed_over = inbox.messages.len();

    let mut claims = match story {
        Story::Scripted => {
            screen.section(Section::Conversation, "The conversation, from both sides");
            script::play(&stage, &key, &id).await?
        }
        Story::Interactive(lines) => {
            screen.section(Section::Conversation, "The conversation: you are the end user");
            typing::play(&stage, &key, lines).await?;
            Vec::new()
        }
    };
    within("the last webhooks", stage.freshworks.settled()).await?;

    screen.section(Section::EndUser, "What the end user saw");
    let seen = stage.platform.seen(&key).await?;
    seen.lines.iter().for_each(|line| screen.said(line));

    screen.section(Section::Figures, "Figures");
    screen.figures();
    let account = claims::Account {
        conversations: stage.freshworks.conversations().len(),
        inbox: Inbox::of(&stage.freshworks, &id)?,
        handed_over,
        refused_webhooks: stage
            .freshworks
            .deliveries()
            .iter()
            .filter(|it| it.status_of_receiver() != Some(200))
            .count(),
    };
    claims.splice(0..0, claims::all(&request, &account, &seen));
    screen.claims(&claims);
    // Requests of the inbox page get a response.
    within("the last answer of the inbox page", stage.freshworks.stop()).await?;
    match claims.iter().find(|claim| !claim.holds) {
        Some(claim) => bail!("a claim does not hold: {}", claim.text),
        None => Ok(()),
    }
}

/// The admin's part: enters the account, allows the plugin's host, presses Connect.
async fn connect(
    plugin: &Plugin,
    freshworks: &Simulator,
    note_author: bool,
    screen: &Screen,
) -> Result<(Sandbox, String)> {
    let settings = settings(freshworks, note_author);
    let nothing_allowed = Sandbox::new(HttpClient::new()?);
    let call = plugin.describe(&nothing_allowed, Some(&settings)).await;
    let report = call.report;
    let descriptor = answer("describe", call.result)?;
    screen.line(&format!("The plugin: {} {} for {}", descriptor.name, descriptor.version, descriptor.vendor));
    let mut allow = AllowList::none();
    for host in &descriptor.outbound {
        ensure!(host.origin == freshworks.origin(), "the plugin wants to call {}", host.origin);
        allow.allow_internal(&host.origin)?;
        screen.line(&format!("It may only call {} ({})", host.origin, host.purpose));
    }
    screen.count("describe", &report);

    let sandbox = nothing_allowed.allow(allow);
    let call = plugin.connect(&sandbox, &settings).await;
    let report = call.report;
    let connection = answer("connect", call.result)?;
    screen.findings(&connection.findings);
    screen.call("connect", &report);
    ensure!(connection.connected, "the account cannot be connected; the findings say why");
    Ok((sandbox, connection.settings))
}

/// The admin's input, and the simulator's address.
fn settings(freshworks: &Simulator, note_author: bool) -> String {
    let mut settings = json!({
        "chat_url": "acme",
        "api_key": freshworks.api_key(),
        "topics": ["Sendbird Integration"],
        "webhook_public_key": freshworks.public_key(KeyForm::Vendor),
        "group": "Support",
        "test_origin": freshworks.origin(),
    });
    if note_author {
        settings["note_author"] = "tom@acme.example".into();
    }
    settings.to_string()
}

/// The result of a call, or its error with the function's name and the remedy.
fn answer<T>(function: &str, result: Result<T, CallError>) -> Result<T> {
    result.map_err(|error| match error {
        CallError::Plugin(error) => {
            let remedy = error.remedy.map(|remedy| format!(" {remedy}")).unwrap_or_default();
            anyhow::anyhow!("{function} failed ({}): {}{remedy}", words::word(&error.kind), error.message)
        }
        other => anyhow::anyhow!("{function} failed: {other}"),
    })
}

/// Waits for something that must happen soon.
async fn within<T>(what: &str, work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .with_context(|| format!("{what} did not come within {} seconds", PATIENCE.as_secs()))
}

//! The demonstration: a handoff from both sides, in one process.
//!
//! A simulator plays Freshworks, a small platform receives webhooks over real HTTP, and the plugin stands between them in
//! its sandbox. At the end it holds what happened against what must hold, so the demonstration is a check as well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use freshworks_simulator::{ActorType, Assignee, Config, Conversation, KeyForm, MessageType, Simulator};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::bindings::{CloseReason, FindingLevel, HandoffRequest};
use crate::{AllowList, HttpClient, Plugin, Sandbox, json as contract};

mod platform;
mod receiver;
mod screen;

use platform::Platform;
pub use screen::Screen;

/// The conversation that is handed over unless another one is given.
pub const CONVERSATION: &str = include_str!("../demo/conversation.json");
/// How long the person at the terminal may think.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// The texts of the scripted human agent and end user.
const FIRST_ANSWER: &str = "Hello Ana, this is Maya. I have your parcel in front of me.";
const NOTE: &str = "INTERNAL: carrier confirms loss, refund is fine up to 60 EUR. Do not promise a date.";
const QUESTION: &str = "Thank you Maya! Can you send it to the right door?";
const SECOND_ANSWER: &str = "A new parcel leaves today, to Rua da Sofia 12, 3.º esq. It will be with you on the 25th.";

/// What to show.
pub struct Options {
    /// The handoff request, as JSON.
    pub conversation: String,
    /// The person at the terminal is the end user, and answers come from the inbox page.
    pub interactive: bool,
    /// The history comes as private notes of a human agent.
    pub note_author: bool,
}

/// Plays the whole story. Fails when something that must hold does not.
///
/// # Errors
///
/// The first thing that went wrong, as a sentence.
pub async fn run(plugin: &Plugin, options: &Options, screen: Arc<Screen>) -> Result<()> {
    let request: HandoffRequest = contract::from_json(&options.conversation, "conversation")?;
    let freshworks = Simulator::start(Config::default()).await?;
    let maya = freshworks.agent_id("Maya Chen").context("the simulator has no Maya Chen")?;
    let sandbox = sandbox(&freshworks)?;

    screen.section("1  An admin connects the account");
    let settings = settings(&freshworks, options.note_author);
    let call = plugin.connect(&sandbox, &settings).await;
    screen.cost("connect", &call.report);
    let connection = call.result?;
    screen.findings(&connection.findings);
    if connection.findings.iter().any(|finding| finding.level == FindingLevel::Failure) {
        bail!("the account cannot be connected");
    }

    let platform = Arc::new(Platform::new(plugin.clone(), sandbox, connection.settings, Arc::clone(&screen)));
    let receiver = receiver::start(Arc::clone(&platform)).await?;
    freshworks.set_webhook(Some(receiver.url().to_owned()));
    screen.line(&format!("Webhooks arrive at {} and are verified with the public key of the account.", receiver.url()));

    screen.section("2  The AI agent is stuck and hands over");
    screen.line(&format!("{} messages of history, for {}", request.history.len(), platform::name(&request)));
    platform.handoff(&request).await?;
    freshworks.settled().await;

    screen.section("3  What the human agent sees in the inbox");
    let conversations = freshworks.conversations();
    let [conversation] = conversations.as_slice() else {
        bail!("{} conversations were opened; it must be one", conversations.len());
    };
    show_inbox(&screen, &freshworks, conversation);

    if options.interactive {
        screen.section("4  The conversation (you are the end user)");
        interactive(&freshworks, &platform, &screen).await?;
    } else {
        screen.section("4  The conversation");
        scripted(&freshworks, &platform, &conversation.id, &maya, &screen).await?;
    }
    freshworks.settled().await;

    screen.section("5  What the end user saw");
    for (who, text) in platform.seen_by_user().await {
        screen.bubble(&who, &text);
    }
    let claims = if options.interactive {
        Vec::new()
    } else {
        claims(&freshworks, &platform, &request, &conversation.id).await?
    };
    screen.section("6  Figures");
    screen.costs();
    conclude(&screen, &claims)
}

/// May reach the simulator and nothing else.
fn sandbox(freshworks: &Simulator) -> Result<Sandbox> {
    let mut allow = AllowList::none();
    allow.allow(freshworks.origin())?;
    Ok(Sandbox::new(HttpClient::new()?).allow(allow))
}

/// What an admin types, and the address of the simulator.
fn settings(freshworks: &Simulator, note_author: bool) -> String {
    let mut settings = json!({
        "chat_url": "https://acme.freshchat.com/v2/",
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

fn show_inbox(screen: &Screen, freshworks: &Simulator, conversation: &Conversation) {
    let topic = freshworks.topics().into_iter().find(|topic| topic.id == conversation.channel_id);
    let group =
        freshworks.groups().into_iter().find(|group| Some(&group.id) == conversation.assigned_group_id.as_ref());
    screen.line(&format!(
        "topic {} | group {} | priority {} | {:?}",
        topic.map_or("?".to_owned(), |topic| topic.spec.name),
        group.map_or("none".to_owned(), |group| group.spec.name),
        conversation.properties.get("priority").and_then(|priority| priority.as_str()).unwrap_or("none"),
        conversation.status,
    ));
    let names: BTreeMap<String, String> =
        freshworks.agents().into_iter().map(|agent| (agent.id.clone(), agent.name())).collect();
    for message in &conversation.messages {
        let author = match message.actor.kind {
            ActorType::User => "User".to_owned(),
            ActorType::Agent => names.get(&message.actor.id).cloned().unwrap_or_default(),
            _ => "Freshchat".to_owned(),
        };
        let mark = if message.message_type == MessageType::Private { " (private note)" } else { "" };
        screen.bubble(&format!("{author}{mark}"), &message.text());
    }
}

/// A human agent who takes the conversation, answers, writes a note, answers again and resolves.
async fn scripted(
    freshworks: &Simulator,
    platform: &Platform,
    conversation: &str,
    maya: &str,
    screen: &Screen,
) -> Result<()> {
    screen.side("inbox", "Maya Chen takes the conversation");
    freshworks.assign(conversation, maya, Assignee::Agent(maya)).await?;
    screen.side("inbox", &format!("Maya Chen writes: {FIRST_ANSWER}"));
    freshworks.reply(conversation, maya, FIRST_ANSWER).await?;
    screen.side("inbox", "Maya Chen writes a private note to her colleagues");
    freshworks.note(conversation, maya, NOTE).await?;
    screen.side("messenger", &format!("Ana Silva writes: {QUESTION}"));
    platform.relay(QUESTION).await?;
    screen.side("inbox", &format!("Maya Chen writes: {SECOND_ANSWER}"));
    freshworks.reply(conversation, maya, SECOND_ANSWER).await?;
    screen.side("inbox", "Maya Chen resolves the conversation");
    freshworks.resolve(conversation, maya).await?;
    Ok(())
}

/// Lines typed are the end user's; `/end` ends.
async fn interactive(freshworks: &Simulator, platform: &Platform, screen: &Screen) -> Result<()> {
    screen.line(&format!("Answer as a human agent in a browser: {}/", freshworks.origin()));
    screen.line("Type what the end user writes. /end leaves the conversation; resolving it in the inbox ends it too.");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut typing = true;
    loop {
        tokio::select! {
            () = platform.returned() => return Ok(()),
            line = lines.next_line(), if typing => match line?.as_deref().map(str::trim) {
                None => typing = false,
                Some("") => {}
                Some("/end") => return platform.close(CloseReason::UserLeft).await,
                Some(text) => platform.relay(text).await?,
            },
            () = tokio::time::sleep(PATIENCE) => bail!("nothing happened for an hour"),
        }
    }
}

/// What must hold after the scripted conversation.
async fn claims(
    freshworks: &Simulator,
    platform: &Platform,
    request: &HandoffRequest,
    conversation: &str,
) -> Result<Vec<(&'static str, bool)>> {
    let conversation = freshworks.conversation(conversation).context("the conversation is gone")?;
    let inbox: String = conversation.messages.iter().map(|message| message.text() + "\n").collect();
    let seen = platform.seen_by_user().await;
    let shown = |text: &str| seen.iter().filter(|(_, line)| line == text).count();
    let firsts = request.history.iter().filter_map(|message| message.parts.first()?.text.as_deref()?.lines().next());
    // Each is looked for behind the one before: all there, and in order.
    let in_order =
        firsts.into_iter().try_fold(0, |from, text| Some(from + inbox.get(from..)?.find(text)? + text.len()));
    let summary = request.summary.as_deref().and_then(|summary| summary.lines().next()).unwrap_or_default();
    Ok(vec![
        ("exactly one conversation was opened", freshworks.conversations().len() == 1),
        (
            "the summary stands in the first message",
            conversation.messages.first().is_some_and(|m| m.text().contains(summary)),
        ),
        ("the whole history is in the inbox, in order", in_order.is_some()),
        (
            "each answer of the human agent reached the end user once",
            shown(FIRST_ANSWER) == 1 && shown(SECOND_ANSWER) == 1,
        ),
        ("the private note did not", seen.iter().all(|(_, line)| !line.contains("INTERNAL"))),
        ("the end user's question is in the inbox once", inbox.matches(QUESTION).count() == 1),
        ("the conversation is back with the AI agent", platform.is_returned().await),
        ("no event came twice", !platform.had_repeats().await),
    ])
}

fn conclude(screen: &Screen, claims: &[(&'static str, bool)]) -> Result<()> {
    screen.claims(claims);
    screen.finish();
    match claims.iter().find(|(_, holds)| !holds) {
        Some((claim, _)) => bail!("this must hold and does not: {claim}"),
        None => Ok(()),
    }
}

//! A minimal platform: sessions by conversation id, and each end user's view.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard as SyncGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use axum::http::StatusCode;
use serde::Serialize;
use tokio::sync::{Mutex, MutexGuard, watch};

use super::screen::{Screen, Side};
use super::words::{agent_name, message_text, word};
use super::{answer, words};
use handoff_host::bindings::{
    CloseReason, Delivery, ErrorKind, Event, EventKind, HandoffRequest, Message, Owner, Part, PartKind, Sender,
    SenderRole, SessionInfo, Update,
};
use handoff_host::{CallError, Plugin, Sandbox};

/// How long a webhook waits for a handoff that may be its own. Shorter than the three seconds that Freshworks is assumed to
/// wait for a response.
const HANDOFF_PATIENCE: Duration = Duration::from_secs(2);

/// The platform's own name for a conversation.
pub(super) type Key = String;

/// One tenant of a platform.
pub(super) struct Platform {
    plugin: Plugin,
    sandbox: Sandbox,
    settings: String,
    screen: Arc<Screen>,
    conversations: SyncMutex<Conversations>,
    /// The number of handoffs in progress: their echoes may arrive before their ids are known here.
    handoffs: watch::Sender<usize>,
}

/// A conversation is locked while the plugin works on it: calls for one conversation must not overlap.
type Shared = Arc<Mutex<Conversation>>;

#[derive(Default)]
struct Conversations {
    by_key: HashMap<Key, Shared>,
    /// The index for webhooks: by each id that they may use for the conversation.
    by_remote_id: HashMap<String, Shared>,
}

struct Conversation {
    user: String,
    session: Option<String>,
    owner: watch::Sender<Owner>,
    seen: Seen,
    event_ids: HashSet<String>,
}

/// One line in the end user's messenger.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    /// [`SenderRole`] has no equality; this is the same in three words.
    pub(super) voice: Voice,
    pub(super) name: String,
    pub(super) text: String,
}

/// The speaker of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Voice {
    EndUser,
    HumanAgent,
    Platform,
}

/// The state of a conversation on the platform's side.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Seen {
    pub(super) lines: Vec<Line>,
    /// The end user's texts that were passed on.
    pub(super) relayed: Vec<String>,
    /// Words of ignored events.
    pub(super) ignored: Vec<String>,
    /// Events whose id had come before.
    pub(super) repeated_events: usize,
    /// How often the AI agent got the conversation back.
    pub(super) handbacks: usize,
    pub(super) with_ai_agent: bool,
    pub(super) closed_by_user: bool,
}

/// The end user as people know them.
pub(super) fn name(request: &HandoffRequest) -> String {
    request.user.name.clone().unwrap_or_else(|| request.user.id.clone())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Platform {
    pub(super) fn new(plugin: Plugin, sandbox: Sandbox, settings: String, screen: Arc<Screen>) -> Self {
        let (conversations, handoffs) = (SyncMutex::default(), watch::Sender::new(0));
        Self { plugin, sandbox, settings, screen, conversations, handoffs }
    }

    fn conversations(&self) -> SyncGuard<'_, Conversations> {
        // Each change is complete in itself, so a panic elsewhere spoils nothing.
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn conversation(&self, key: &str) -> Result<Shared> {
        self.conversations().by_key.get(key).cloned().context("nothing was handed over")
    }

    /// Ids are only added: webhooks may use an old one.
    fn index(&self, info: &SessionInfo, shared: &Shared) {
        let mut conversations = self.conversations();
        for id in &info.conversation_ids {
            conversations.by_remote_id.insert(id.clone(), Arc::clone(shared));
        }
    }

    /// Returns the conversation's key.
    pub(super) async fn handoff(&self, request: &HandoffRequest) -> Result<Key> {
        self.handoffs.send_modify(|under_way| *under_way += 1);
        let handed_over = self.hand_over(request).await;
        self.handoffs.send_modify(|under_way| *under_way -= 1);
        handed_over
    }

    async fn hand_over(&self, request: &HandoffRequest) -> Result<Key> {
        let call = self.plugin.handoff(&self.sandbox, &self.settings, request, None, now()).await;
        let report = call.report;
        let receipt = answer("handoff", call.result)?;
        self.screen.steps(&receipt.steps);
        self.screen.findings(&receipt.findings);
        self.screen.call("handoff", &report);
        if let Some(url) = &receipt.agent_url {
            self.screen.line(&format!("Human agents open it at {}", words::plain(url)));
        }
        let (case, bytes) = (&receipt.external_case.case_id, receipt.session.len());
        self.screen
            .line(&format!("The platform stores the case {} and a session of {bytes} bytes", words::plain(case)));

        let mut conversation = Conversation {
            user: name(request),
            session: Some(receipt.session),
            owner: watch::Sender::new(receipt.info.owner),
            seen: Seen::default(),
            event_ids: HashSet::new(),
        };
        // Only now, because only now it is true.
        self.tell(&mut conversation, Voice::Platform, "", "You are being connected to a person.");
        let key = &request.key;
        let key = format!("{}/{}/{}", key.application, key.channel, key.conversation);
        let shared = Arc::new(Mutex::new(conversation));
        self.index(&receipt.info, &shared);
        self.conversations().by_key.insert(key.clone(), shared);
        Ok(key)
    }

    /// Passes a line of the end user on.
    pub(super) async fn relay(&self, key: &str, text: &str) -> Result<()> {
        let shared = self.conversation(key)?;
        let mut conversation = shared.lock().await;
        let user = conversation.user.clone();
        self.tell(&mut conversation, Voice::EndUser, &user, text);
        if *conversation.owner.borrow() == Owner::AiAgent {
            // The human agent ended it while the end user was typing.
            self.tell(&mut conversation, Voice::Platform, "", "The AI agent answers again.");
            return Ok(());
        }
        let message = text_message(format!("user-{}", conversation.seen.relayed.len() + 1), user, text);
        let session = conversation.session.clone().context("the conversation has no session")?;
        let call = self.plugin.relay(&self.sandbox, &self.settings, &session, &message, false, now()).await;
        self.take_in(&shared, &mut conversation, &call.result);
        self.screen.call("relay", &call.report);
        answer("relay", call.result)?;
        conversation.seen.relayed.push(text.to_owned());
        Ok(())
    }

    /// The end user leaves.
    pub(super) async fn close(&self, key: &str) -> Result<()> {
        let shared = self.conversation(key)?;
        let mut conversation = shared.lock().await;
        let session = conversation.session.clone().context("the conversation has no session")?;
        let reason = CloseReason::UserLeft;
        self.screen.side(Side::Messenger, &format!("{} leaves", conversation.user));
        let call = self.plugin.close(&self.sandbox, &self.settings, &session, reason, false, now()).await;
        conversation.seen.closed_by_user = true;
        self.take_in(&shared, &mut conversation, &call.result);
        self.screen.call("close", &call.report);
        answer("close", call.result).map(drop)
    }

    /// One webhook request; returns the status for Freshworks.
    pub(super) async fn webhook(&self, headers: Vec<(String, String)>, body: Vec<u8>) -> StatusCode {
        let Ok(body) = String::from_utf8(body) else { return StatusCode::BAD_REQUEST };
        let call = self.plugin.peek(&self.sandbox, &body).await;
        self.screen.count("peek", &call.report);
        let shared = self.find(&call.result.unwrap_or_default()).await;
        let mut conversation: Option<MutexGuard<'_, Conversation>> = match &shared {
            Some(shared) => Some(shared.lock().await),
            None => None,
        };
        let session = conversation.as_ref().and_then(|conversation| conversation.session.clone());
        let delivery = Delivery { headers, body, received_at: now() };
        let call = self.plugin.on_webhook(&self.sandbox, &self.settings, &delivery, session.as_deref()).await;
        match (&shared, &mut conversation, &call.result) {
            (Some(shared), Some(conversation), result) => self.take_in(shared, conversation, result),
            (_, _, Ok(update)) => update.events.iter().for_each(|event| self.screen.event(event, "nobody's here")),
            _ => {}
        }
        self.screen.call("on-webhook", &call.report);
        match call.result {
            Ok(_) => StatusCode::OK,
            Err(CallError::Plugin(error)) if error.kind == ErrorKind::InvalidSignature => {
                self.screen.side(Side::Platform, "refused a webhook (401): its signature is not from Freshworks");
                StatusCode::UNAUTHORIZED
            }
            Err(error) => {
                let kind = match &error {
                    CallError::Plugin(error) => word(&error.kind),
                    other => other.to_string(),
                };
                self.screen.side(Side::Platform, &format!("could not process a webhook (503): {kind}"));
                // Freshworks sends it again.
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// The conversation of a webhook.
    async fn find(&self, ids: &[String]) -> Option<Shared> {
        let look = || ids.iter().find_map(|id| self.conversations().by_remote_id.get(id).cloned());
        if let Some(found) = look() {
            return Some(found);
        }
        // It may belong to a handoff whose ids are not known yet. After a while, the webhook is processed without a
        // session: it is then an echo, or belongs to another conversation.
        let mut handoffs = self.handoffs.subscribe();
        let _ = tokio::time::timeout(HANDOFF_PATIENCE, handoffs.wait_for(|under_way| *under_way == 0)).await;
        look()
    }

    /// Stores the session of a result, including one that failed halfway, and delivers its events.
    fn take_in(&self, shared: &Shared, conversation: &mut Conversation, result: &Result<Update, CallError>) {
        match result {
            Ok(update) => {
                for event in &update.events {
                    self.deliver(conversation, event);
                }
                if let Some(session) = &update.session {
                    conversation.session = Some(session.clone());
                }
                if let Some(info) = &update.info {
                    self.index(info, shared);
                    conversation.owner.send_replace(info.owner);
                }
            }
            Err(CallError::Plugin(error)) => {
                if let Some(session) = &error.session {
                    conversation.session = Some(session.clone());
                }
            }
            Err(_) => {}
        }
    }

    /// Acts on an event, once.
    fn deliver(&self, conversation: &mut Conversation, event: &Event) {
        self.screen.event(event, "");
        if event.kind == EventKind::Ignored {
            conversation.seen.ignored.extend(event.detail.clone());
            return;
        }
        if !conversation.event_ids.insert(event.id.clone()) {
            conversation.seen.repeated_events += 1;
            return;
        }
        let agent = agent_name(event.agent.as_ref());
        match event.kind {
            EventKind::AgentAssigned => {
                self.tell(conversation, Voice::Platform, "", &format!("{agent} has joined."));
            }
            EventKind::Transferred => {
                let text = match &event.agent {
                    Some(_) => format!("{agent} has taken over."),
                    None => "You are being connected to another person.".to_owned(),
                };
                self.tell(conversation, Voice::Platform, "", &text);
            }
            EventKind::AgentMessage => {
                let text = event.message.as_ref().map(|message| message_text(&message.parts)).unwrap_or_default();
                self.tell(conversation, Voice::HumanAgent, &agent, &text);
            }
            EventKind::Reopened => {
                conversation.seen.with_ai_agent = false;
                self.tell(conversation, Voice::Platform, "", "You are with a person again.");
            }
            EventKind::ReturnedToAi => {
                conversation.seen.with_ai_agent = true;
                conversation.seen.handbacks += 1;
                self.tell(conversation, Voice::Platform, "", "The AI agent answers again.");
            }
            _ => {}
        }
    }

    fn tell(&self, conversation: &mut Conversation, voice: Voice, name: &str, text: &str) {
        let line = Line { voice, name: name.to_owned(), text: text.to_owned() };
        self.screen.side(Side::Messenger, &line.shown());
        conversation.seen.lines.push(line);
    }

    /// Waits until the AI agent has the conversation again.
    pub(super) async fn returned(&self, key: &str) -> Result<()> {
        let mut owner = self.conversation(key)?.lock().await.owner.subscribe();
        owner.wait_for(|owner| *owner == Owner::AiAgent).await.context("the conversation is gone")?;
        Ok(())
    }

    pub(super) async fn seen(&self, key: &str) -> Result<Seen> {
        Ok(self.conversation(key)?.lock().await.seen.clone())
    }
}

impl Line {
    /// As in a messenger; the platform's own lines have no author.
    pub(super) fn shown(&self) -> String {
        match self.voice {
            Voice::Platform => format!("({})", self.text),
            Voice::EndUser | Voice::HumanAgent => format!("{}: {}", self.name, self.text),
        }
    }
}

fn text_message(id: String, user: String, text: &str) -> Message {
    let part = Part {
        kind: PartKind::Text,
        text: Some(text.to_owned()),
        url: None,
        name: None,
        media_type: None,
        bytes: None,
        choices: None,
    };
    let sender = Sender { role: SenderRole::EndUser, id: None, name: Some(user), avatar_url: None };
    Message { id, sender, sent_at: now(), parts: vec![part] }
}

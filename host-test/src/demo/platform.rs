//! A platform as small as one can be: one conversation, its session, and what its end user sees.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use axum::http::StatusCode;
use tokio::sync::{Mutex, Notify};

use super::screen::Screen;
use crate::bindings::{
    CloseReason, Delivery, ErrorKind, Event, EventKind, HandoffRequest, Message, Owner, Part, PartKind, Sender,
    SenderRole,
};
use crate::{CallError, Plugin, Sandbox, json};

/// Holds the lock while the plugin works: calls for one conversation must not overlap.
pub(super) struct Platform {
    plugin: Plugin,
    sandbox: Sandbox,
    settings: String,
    screen: Arc<Screen>,
    conversation: Mutex<Conversation>,
    returned: Notify,
    messages: AtomicU64,
}

#[derive(Default)]
struct Conversation {
    session: Option<Vec<u8>>,
    ids: Vec<String>,
    user: String,
    with_humans: bool,
    seen_events: HashSet<String>,
    repeats: bool,
    seen_by_user: Vec<(String, String)>,
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
        let conversation = Mutex::default();
        Self { plugin, sandbox, settings, screen, conversation, returned: Notify::new(), messages: AtomicU64::new(0) }
    }

    pub(super) async fn handoff(&self, request: &HandoffRequest) -> Result<()> {
        let mut conversation = self.conversation.lock().await;
        conversation.user = name(request);
        let call = self.plugin.handoff(&self.sandbox, &self.settings, request, None, now()).await;
        self.screen.cost("handoff", &call.report);
        let receipt = call.result?;
        self.screen.steps(&receipt.steps);
        self.screen.findings(&receipt.findings);
        self.screen.line(&format!(
            "The platform stores case {} and a session of {} bytes.",
            receipt.external_case.case_id,
            receipt.session.len()
        ));
        conversation.ids = receipt.info.conversation_ids;
        conversation.with_humans = receipt.info.owner == Owner::HumanAgent;
        conversation.session = Some(receipt.session);
        // Only now, because only now it is true.
        self.tell_user(&mut conversation, "system", "You are being connected to a person.");
        Ok(())
    }

    pub(super) async fn relay(&self, text: &str) -> Result<()> {
        let mut conversation = self.conversation.lock().await;
        let session = conversation.session.clone().context("nothing was handed over")?;
        let user = conversation.user.clone();
        let message = Message {
            id: format!("user-message-{}", self.messages.fetch_add(1, Ordering::Relaxed)),
            sender: Sender { role: SenderRole::EndUser, id: None, name: Some(user.clone()), avatar_url: None },
            sent_at: now(),
            parts: vec![Part {
                kind: PartKind::Text,
                text: Some(text.to_owned()),
                url: None,
                name: None,
                media_type: None,
                bytes: None,
                choices: Vec::new(),
            }],
        };
        conversation.seen_by_user.push((user, text.to_owned()));
        let call = self.plugin.relay(&self.sandbox, &self.settings, &session, &message, false, now()).await;
        self.screen.cost("relay", &call.report);
        conversation.session = call.result?.session;
        Ok(())
    }

    pub(super) async fn close(&self, reason: CloseReason) -> Result<()> {
        let mut conversation = self.conversation.lock().await;
        let session = conversation.session.clone().context("nothing was handed over")?;
        let call = self.plugin.close(&self.sandbox, &self.settings, &session, reason, false, now()).await;
        self.screen.cost("close", &call.report);
        let update = call.result?;
        for event in &update.events {
            self.deliver(&mut conversation, event);
        }
        conversation.session = update.session;
        Ok(())
    }

    /// One webhook request; answers with the status for Freshworks.
    pub(super) async fn webhook(&self, headers: Vec<(String, String)>, body: Vec<u8>) -> StatusCode {
        let mut conversation = self.conversation.lock().await;
        let ids = self.plugin.peek(&self.sandbox, &body).await.result.unwrap_or_default();
        let is_ours = ids.iter().any(|id| conversation.ids.contains(id));
        let session = conversation.session.clone().filter(|_| is_ours);
        let delivery = Delivery { headers, body, received_at: now() };
        let call = self.plugin.on_webhook(&self.sandbox, &self.settings, &delivery, session.as_deref()).await;
        self.screen.cost("webhook", &call.report);
        match call.result {
            Ok(update) => {
                for event in &update.events {
                    self.deliver(&mut conversation, event);
                }
                if let (Some(session), Some(info)) = (update.session, update.info) {
                    conversation.session = Some(session);
                    conversation.ids = info.conversation_ids;
                }
                StatusCode::OK
            }
            Err(CallError::Plugin(error)) if error.kind == ErrorKind::InvalidSignature => {
                self.screen.side("platform", "refused a webhook: its signature is wrong");
                StatusCode::UNAUTHORIZED
            }
            Err(error) => {
                self.screen.side("platform", &format!("could not process a webhook: {error}"));
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// Acts on an event, once.
    fn deliver(&self, conversation: &mut Conversation, event: &Event) {
        if event.kind != EventKind::Ignored && !conversation.seen_events.insert(event.id.clone()) {
            conversation.repeats = true;
            return;
        }
        let agent =
            event.agent.as_ref().and_then(|agent| agent.name.clone()).unwrap_or_else(|| "A human agent".to_owned());
        self.screen.event(event);
        match event.kind {
            EventKind::AgentAssigned => self.tell_user(conversation, "system", &format!("{agent} has joined.")),
            EventKind::AgentMessage => {
                let parts = event.message.iter().flat_map(|message| &message.parts);
                let text = parts
                    .filter_map(|part| part.text.as_deref().or(part.url.as_deref()))
                    .collect::<Vec<_>>()
                    .join("\n");
                self.tell_user(conversation, &agent, &text);
            }
            EventKind::Reopened => {
                conversation.with_humans = true;
                self.tell_user(conversation, "system", "You are with a person again.");
            }
            EventKind::ReturnedToAi => {
                conversation.with_humans = false;
                let outcome = event.outcome.as_ref().map(json::to_json).unwrap_or_default();
                let outcome = outcome.as_str().unwrap_or_default();
                self.tell_user(conversation, "system", &format!("The assistant is back ({outcome})."));
                self.returned.notify_one();
            }
            _ => {}
        }
    }

    fn tell_user(&self, conversation: &mut Conversation, who: &str, text: &str) {
        self.screen.side("messenger", &format!("{who}: {text}"));
        conversation.seen_by_user.push((who.to_owned(), text.to_owned()));
    }

    /// Waits until the AI agent has the conversation again.
    pub(super) async fn returned(&self) {
        self.returned.notified().await;
    }

    pub(super) async fn is_returned(&self) -> bool {
        !self.conversation.lock().await.with_humans
    }

    pub(super) async fn had_repeats(&self) -> bool {
        self.conversation.lock().await.repeats
    }

    pub(super) async fn seen_by_user(&self) -> Vec<(String, String)> {
        self.conversation.lock().await.seen_by_user.clone()
    }
}

//! The rules for conversations, for all actors. Each act emits its webhooks.
//!
//! Acts are validated completely before anything changes, so a refusal leaves the account unchanged.

use serde_json::{Map, Value, json};

use crate::config::{Behaviour, CreateWhileOpen, SendToResolved};
use crate::ids::IdForm;
use crate::refusal::Refusal;
use crate::store::{Actor, ActorType, Conversation, Message, MessageType, Status, Store};
use crate::webhooks::{self, Assignees, Payload};

/// The way in which an actor acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The REST API.
    Api,
    /// The agents' desk, or the user's widget.
    Product,
}

/// A message to be.
#[derive(Clone, Debug)]
pub(crate) struct NewMessage {
    pub(crate) actor: Actor,
    pub(crate) message_type: MessageType,
    pub(crate) parts: Vec<Value>,
    pub(crate) reply_parts: Option<Value>,
}

impl NewMessage {
    pub(crate) fn text(actor: Actor, message_type: MessageType, text: &str) -> Self {
        Self { actor, message_type, parts: vec![json!({ "text": { "content": text } })], reply_parts: None }
    }
}

/// Changes to a conversation: an outer none leaves things as they are, an inner none takes the assignee away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) status: Option<Status>,
    pub(crate) agent: Option<Option<String>>,
    pub(crate) group: Option<Option<String>>,
    pub(crate) channel_id: Option<String>,
    pub(crate) properties: Map<String, Value>,
}

/// An account in the hands of one act.
pub(crate) struct Desk<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) behaviour: &'a Behaviour,
    /// The webhooks of this act, in order.
    pub(crate) events: Vec<Payload>,
}

impl Desk<'_> {
    /// The conversation, or a refusal.
    pub(crate) fn conversation(&self, id: &str) -> Result<&Conversation, Refusal> {
        self.store.conversations.get(id).ok_or_else(|| Refusal::not_found("conversation"))
    }

    fn conversation_mut(&mut self, id: &str) -> Result<&mut Conversation, Refusal> {
        self.store.conversations.get_mut(id).ok_or_else(|| Refusal::not_found("conversation"))
    }

    /// The actor of changes through the API.
    pub(crate) fn api_actor(&self) -> Actor {
        match &self.behaviour.api_acts_as {
            Some(agent) => Actor { kind: ActorType::Agent, id: agent.clone() },
            None => self.service_account(),
        }
    }

    fn service_account(&self) -> Actor {
        Actor { kind: ActorType::System, id: self.store.account.service_account_id.clone() }
    }

    /// Opens a conversation, or continues the open one. Returns its id and the new messages.
    pub(crate) fn create(
        &mut self,
        channel_id: &str,
        user_id: &str,
        messages: Vec<NewMessage>,
        changes: Changes,
        door: Door,
    ) -> Result<(String, Vec<Message>), Refusal> {
        let (nobody, no_group) = (!matches!(changes.agent, Some(Some(_))), !matches!(changes.group, Some(Some(_))));
        if changes.status == Some(Status::Assigned) && nobody && no_group {
            return Err(Refusal::invalid("ASSIGNED_AGENT_ID_MISSING"));
        }
        let key = (user_id.to_owned(), channel_id.to_owned());
        let latest = self.store.latest.get(&key).cloned();
        let open = latest.clone().filter(|id| {
            self.behaviour.create_while_open == CreateWhileOpen::Append
                && self.store.conversations.get(id).is_some_and(|found| found.status != Status::Resolved)
        });
        let id = match open {
            Some(id) => id,
            None => {
                if let Some(old) = latest.and_then(|id| self.store.conversations.get_mut(&id)) {
                    old.superseded = true;
                }
                let id = self.open(channel_id, user_id);
                self.store.latest.insert(key, id.clone());
                id
            }
        };
        let mut made = Vec::with_capacity(messages.len());
        for message in messages {
            made.push(self.append(&id, message, door)?);
        }
        let actor = if door == Door::Api { self.api_actor() } else { self.service_account() };
        self.change(&id, &actor, changes, door)?;
        Ok((id, made))
    }

    fn open(&mut self, channel_id: &str, user_id: &str) -> String {
        let id = match self.behaviour.id_form {
            IdForm::Uuid => self.store.ids.uuid(),
            IdForm::Mixed => self.store.ids.hex32(),
        };
        let (internal_id, now) = (self.store.ids.internal(), self.store.clock.tick());
        let topic_group = self.store.topic(channel_id).and_then(|topic| topic.spec.group.clone());
        let group =
            topic_group.and_then(|name| self.store.groups.iter().find(|group| group.spec.name == name)).cloned();
        let conversation = Conversation {
            id: id.clone(),
            internal_id,
            channel_id: channel_id.to_owned(),
            user_id: user_id.to_owned(),
            status: Status::New,
            assigned_agent_id: None,
            assigned_group_id: None,
            // Live responses show this priority if the caller gave none.
            properties: Map::from_iter([("priority".to_owned(), json!("Low"))]),
            messages: Vec::new(),
            interaction_id: format!("{internal_id}-{now}"),
            created_ms: now,
            updated_ms: now,
            superseded: false,
        };
        self.store.conversations.insert(id.clone(), conversation);
        if let Some(group) = group {
            let actor = self.service_account();
            // The conversation was made a moment ago, so it is found.
            let _ = self.assign(&id, &actor, None, Some(group.id), true);
        }
        id
    }

    /// Adds a participant's message; a user's message may reopen the conversation.
    pub(crate) fn post(&mut self, id: &str, message: NewMessage, door: Door) -> Result<Message, Refusal> {
        let conversation = self.conversation(id)?;
        if conversation.superseded {
            return Err(Refusal::not_latest());
        }
        if conversation.status == Status::Resolved && message.actor.kind == ActorType::User {
            match self.behaviour.send_to_resolved {
                SendToResolved::NotLatest => return Err(Refusal::not_latest()),
                SendToResolved::Reopen => {
                    self.reopen(id, &message.actor.clone(), Status::Reopened, true)?;
                }
            }
        }
        self.append(id, message, door)
    }

    fn append(&mut self, id: &str, message: NewMessage, door: Door) -> Result<Message, Refusal> {
        let source = match (message.message_type, door) {
            (MessageType::System, _) => "system",
            (_, Door::Api) => "api",
            (_, Door::Product) => "web",
        };
        let loud = match (message.message_type, door) {
            (MessageType::System, _) => self.behaviour.system_line_webhooks,
            (_, Door::Api) => self.behaviour.echo_messages,
            (_, Door::Product) => true,
        };
        self.add(id, message, source, None, loud)
    }

    fn add(
        &mut self,
        id: &str,
        message: NewMessage,
        source: &'static str,
        meta_data: Option<Value>,
        loud: bool,
    ) -> Result<Message, Refusal> {
        let (message_id, now) = (self.store.ids.uuid(), self.store.clock.tick());
        let conversation = self.conversation_mut(id)?;
        let message = Message {
            id: message_id,
            actor: message.actor,
            message_type: message.message_type,
            parts: message.parts,
            reply_parts: message.reply_parts,
            created_ms: now,
            interaction_id: conversation.interaction_id.clone(),
            source,
            meta_data,
        };
        conversation.messages.push(message.clone());
        conversation.updated_ms = now;
        if loud {
            let payload = webhooks::message_create(self.behaviour.era, self.store, self.conversation(id)?, &message);
            self.events.push(payload);
        }
        Ok(message)
    }

    fn system_line(&mut self, id: &str, text: &str, meta_data: Option<Value>) -> Result<(), Refusal> {
        if self.behaviour.system_lines {
            let line = NewMessage::text(self.service_account(), MessageType::System, text);
            self.add(id, line, "system", meta_data, self.behaviour.system_line_webhooks)?;
        }
        Ok(())
    }

    /// Applies what a caller changed, in the order the product would: reopening, assignment, then the end.
    pub(crate) fn change(&mut self, id: &str, actor: &Actor, changes: Changes, door: Door) -> Result<(), Refusal> {
        let loud = door == Door::Product || self.behaviour.echo_changes;
        let before = self.conversation(id)?;
        let (was, superseded) = (before.status, before.superseded);
        let agent = changes.agent.clone().unwrap_or(before.assigned_agent_id.clone());
        let group = changes.group.clone().unwrap_or(before.assigned_group_id.clone());
        let unassigned = before.assigned_agent_id.is_some() && agent.is_none();
        let took_over = agent.is_some() && agent != before.assigned_agent_id;
        if changes.status == Some(Status::Assigned) && agent.is_none() && group.is_none() {
            return Err(Refusal::invalid("ASSIGNED_AGENT_ID_MISSING"));
        }
        let opens = was == Status::Resolved && changes.status.is_some_and(|status| status != Status::Resolved);
        if opens && superseded {
            return Err(Refusal::not_latest());
        }

        let now = self.store.clock.tick();
        let conversation = self.conversation_mut(id)?;
        conversation.properties.extend(changes.properties);
        if let Some(channel) = changes.channel_id {
            conversation.channel_id = channel;
        }
        conversation.updated_ms = now;

        if opens {
            self.reopen(id, actor, changes.status.unwrap_or(Status::New), loud)?;
        }
        // An assignee without a status means that they take it; no assignee means back to the queue (integrators' notes).
        let status = match changes.status {
            Some(status) => Some(status),
            None if was == Status::Resolved => None,
            None if took_over => Some(Status::Assigned),
            None if unassigned => Some(Status::New),
            None => None,
        };
        if let Some(status) = status.filter(|status| *status != Status::Resolved) {
            self.conversation_mut(id)?.status = status;
        }
        self.assign(id, actor, agent, group, loud)?;
        if status == Some(Status::Resolved) {
            self.resolve(id, actor, loud)?;
        }
        Ok(())
    }

    /// Sets who has the conversation; no event when that changes nothing.
    fn assign(
        &mut self,
        id: &str,
        actor: &Actor,
        agent: Option<String>,
        group: Option<String>,
        loud: bool,
    ) -> Result<(), Refusal> {
        let now = self.store.clock.tick();
        let conversation = self.conversation_mut(id)?;
        if conversation.assigned_agent_id == agent && conversation.assigned_group_id == group {
            return Ok(());
        }
        conversation.updated_ms = now;
        let from = Assignees {
            agent: std::mem::replace(&mut conversation.assigned_agent_id, agent.clone()),
            group: std::mem::replace(&mut conversation.assigned_group_id, group.clone()),
        };
        if loud {
            let era = self.behaviour.era;
            let payload = webhooks::conversation_assignment(era, self.store, self.conversation(id)?, actor, from);
            self.events.push(payload);
        }
        let agent = agent.and_then(|id| self.store.agent(&id)).map(|agent| agent.name());
        let group = group.and_then(|id| self.store.group(&id)).map(|group| group.spec.name.clone());
        let to = agent.or(group).unwrap_or_else(|| "nobody".into());
        self.system_line(id, &format!("Conversation assigned to {to}"), None)
    }

    /// Resolves the conversation; resolving a resolved one has no effect and sends no webhook.
    fn resolve(&mut self, id: &str, actor: &Actor, loud: bool) -> Result<(), Refusal> {
        let now = self.store.clock.tick();
        let conversation = self.conversation_mut(id)?;
        if conversation.status == Status::Resolved {
            return Ok(());
        }
        conversation.status = Status::Resolved;
        conversation.updated_ms = now;
        if loud {
            let era = self.behaviour.era;
            let payload = webhooks::conversation_resolution(era, self.store, self.conversation(id)?, actor);
            self.events.push(payload);
        }
        self.system_line(id, "Conversation resolved", Some(json!({ "isResolved": "true" })))
    }

    /// Opens the conversation again, with a new interaction.
    fn reopen(&mut self, id: &str, actor: &Actor, status: Status, loud: bool) -> Result<(), Refusal> {
        let now = self.store.clock.tick();
        let conversation = self.conversation_mut(id)?;
        conversation.status = status;
        conversation.updated_ms = now;
        conversation.interaction_id = format!("{}-{now}", conversation.internal_id);
        if loud {
            let era = self.behaviour.era;
            let payload = webhooks::conversation_reopen(era, self.store, self.conversation(id)?, actor);
            self.events.push(payload);
        }
        self.system_line(id, "Conversation reopened", Some(json!({ "isReopen": "true" })))
    }
}

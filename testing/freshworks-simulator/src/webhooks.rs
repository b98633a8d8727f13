//! Webhook bodies of each era.
//!
//! Fields are in the order of the published samples, not alphabetical, so that a receiver that re-serialises a body
//! before it checks the signature fails here as in the field.

use serde::Serialize;
use serde_json::{Value, json};

use crate::ids::iso_time;
use crate::store::{Actor, ActorType, Conversation, Message, MessageType, Status, Store, User};
use crate::views::{MessageView, user_view};

/// The published generations of webhook bodies. Later ones have more fields; 2022-11 lost `message_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// `msg_parts`, no actor id in the message, conversations without topic, status `reopen`.
    Y2018,
    /// `message_parts`.
    Y2019,
    /// `message_source`, the user's id in agents' messages.
    Y2020,
    /// `org_actor_id`, `interaction_id`.
    Y2021,
    /// Bot flags; ordinary messages have no `message_type`.
    Y2022,
    /// Everything of 2022 with `message_type` and the numeric ids; resolutions name the user.
    Y2024,
}

/// What a webhook reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A message was written.
    MessageCreate,
    /// The conversation was assigned to an agent or group.
    ConversationAssignment,
    /// The conversation was resolved.
    ConversationResolution,
    /// The conversation was reopened.
    ConversationReopen,
}

impl Action {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::MessageCreate => "message_create",
            Self::ConversationAssignment => "conversation_assignment",
            Self::ConversationResolution => "conversation_resolution",
            Self::ConversationReopen => "conversation_reopen",
        }
    }
}

/// One webhook body before it is written.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Payload {
    actor: ActorView,
    pub(crate) action: Action,
    action_time: String,
    pub(crate) data: Data,
}

#[derive(Clone, Debug, Serialize)]
struct ActorView {
    actor_type: ActorType,
    actor_id: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Data {
    Message(Box<MessageView>),
    Assignment(Box<AssignmentView>),
    Resolve(Box<ResolveView>),
    Reopen(Box<ReopenView>),
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct AssignmentView {
    assignor: ActorType,
    assignor_id: String,
    to_agent_id: String,
    to_group_id: String,
    from_agent_id: String,
    from_group_id: String,
    conversation: ConversationRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction_id: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ResolveView {
    resolver: ActorType,
    resolver_id: String,
    conversation: ConversationRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Value>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReopenView {
    reopener: ActorType,
    reopener_id: String,
    conversation: ConversationRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction_id: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct ConversationRef {
    conversation_id: String,
    app_id: String,
    status: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_org_agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skill_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sla_policy_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sla_breached: Option<bool>,
}

/// The previous assignee; none if it was unassigned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assignees {
    pub(crate) agent: Option<String>,
    pub(crate) group: Option<String>,
}

/// A new message.
pub(crate) fn message_create(era: Era, store: &Store, conversation: &Conversation, message: &Message) -> Payload {
    let mut view = MessageView::new(store, conversation, message);
    dress_message(era, &mut view, conversation, message);
    // The published samples have the event some milliseconds after the message.
    payload(&message.actor, Action::MessageCreate, message.created_ms + 9, Data::Message(Box::new(view)))
}

/// An assignment; the conversation shows who has it now.
pub(crate) fn conversation_assignment(
    era: Era,
    store: &Store,
    conversation: &Conversation,
    actor: &Actor,
    from: Assignees,
) -> Payload {
    let view = AssignmentView {
        assignor: actor.kind,
        assignor_id: actor.id.clone(),
        to_agent_id: conversation.assigned_agent_id.clone().unwrap_or_default(),
        to_group_id: conversation.assigned_group_id.clone().unwrap_or_default(),
        from_agent_id: from.agent.unwrap_or_default(),
        from_group_id: from.group.unwrap_or_default(),
        conversation: conversation_ref(era, store, conversation, conversation.status),
        interaction_id: interaction_id(era, conversation),
    };
    payload(actor, Action::ConversationAssignment, conversation.updated_ms, Data::Assignment(Box::new(view)))
}

/// A resolution.
pub(crate) fn conversation_resolution(era: Era, store: &Store, conversation: &Conversation, actor: &Actor) -> Payload {
    let user = store.users.get(&conversation.user_id).filter(|_| era >= Era::Y2024).map(resolved_user);
    let view = ResolveView {
        resolver: actor.kind,
        resolver_id: actor.id.clone(),
        conversation: conversation_ref(era, store, conversation, Status::Resolved),
        interaction_id: interaction_id(era, conversation),
        user,
    };
    payload(actor, Action::ConversationResolution, conversation.updated_ms, Data::Resolve(Box::new(view)))
}

/// A reopening. Its status is always `reopened`, regardless of the causing call.
pub(crate) fn conversation_reopen(era: Era, store: &Store, conversation: &Conversation, actor: &Actor) -> Payload {
    let view = ReopenView {
        reopener: actor.kind,
        reopener_id: actor.id.clone(),
        conversation: conversation_ref(era, store, conversation, Status::Reopened),
        interaction_id: interaction_id(era, conversation),
    };
    payload(actor, Action::ConversationReopen, conversation.updated_ms, Data::Reopen(Box::new(view)))
}

fn payload(actor: &Actor, action: Action, at_ms: i64, data: Data) -> Payload {
    let actor = ActorView { actor_type: actor.kind, actor_id: actor.id.clone() };
    Payload { actor, action, action_time: iso_time(at_ms), data }
}

fn interaction_id(era: Era, conversation: &Conversation) -> Option<String> {
    (era >= Era::Y2022).then(|| conversation.interaction_id.clone())
}

/// The user in a resolution: fewer fields than the API shows.
fn resolved_user(user: &User) -> Value {
    const SHOWN: [&str; 7] =
        ["id", "first_name", "avatar", "login_status", "properties", "created_time", "updated_time"];
    let mut view = user_view(user);
    if let Some(fields) = view.as_object_mut() {
        fields.retain(|name, _| SHOWN.contains(&name.as_str()));
    }
    view
}

fn conversation_ref(era: Era, store: &Store, conversation: &Conversation, status: Status) -> ConversationRef {
    let status = match (era, status) {
        (Era::Y2018, Status::Reopened) => json!("reopen"),
        (_, status) => json!(status),
    };
    let org_agent = || store.agent(conversation.assigned_agent_id.as_deref()?).map(|agent| agent.org_id.clone());
    let modern = era >= Era::Y2022;
    ConversationRef {
        conversation_id: conversation.id.clone(),
        app_id: store.account.app_id.clone(),
        status,
        channel_id: (era > Era::Y2018).then(|| conversation.channel_id.clone()),
        assigned_agent_id: conversation.assigned_agent_id.clone(),
        assigned_org_agent_id: if modern { org_agent() } else { None },
        assigned_group_id: conversation.assigned_group_id.clone(),
        skill_id: modern.then_some(0),
        sla_policy_id: modern.then_some(0),
        sla_breached: modern.then_some(false),
    }
}

/// Removes fields that an era lacked, and adds those that only it had.
fn dress_message(era: Era, view: &mut MessageView, conversation: &Conversation, message: &Message) {
    if era < Era::Y2024 {
        view.bots_input = None;
        view.is_bots_input = None;
        view.freshchat_conversation_id = None;
        view.freshchat_channel_id = None;
    }
    if era < Era::Y2022 {
        view.restrict_response = None;
        view.bots_private_note = None;
    }
    if era < Era::Y2021 {
        view.interaction_id = None;
    }
    if !matches!(era, Era::Y2021 | Era::Y2024) {
        view.org_actor_id = None;
    }
    // The API writes it in capitals, the published samples of webhooks do not.
    view.message_source = matches!(era, Era::Y2020 | Era::Y2021).then(|| message.source.to_owned());
    // The 2022 sample without the field is an ordinary message. A private note without it could not be
    // distinguished and would reach the user in any receiver, so notes keep it; losing it there is a separate fault.
    if era == Era::Y2022 && message.message_type == MessageType::Normal {
        view.message_type = None;
    }
    if era == Era::Y2019 || (era == Era::Y2020 && message.actor.kind == ActorType::User) {
        view.user_id = None;
    }
    if era == Era::Y2018 {
        view.actor_id = None;
        view.user_id =
            Some(if message.actor.id.is_empty() { conversation.user_id.clone() } else { message.actor.id.clone() });
        view.msg_parts = view.message_parts.take().map(|parts| parts.iter().map(part_of_2018).collect());
        view.reply_parts = None;
    }
}

fn part_of_2018(part: &Value) -> Value {
    let Some((kind, value)) = part.as_object().and_then(|part| part.iter().next()) else { return part.clone() };
    match value.get("content") {
        Some(content) => json!({ "part_type": kind, "properties": { "text": content } }),
        None => json!({ "part_type": kind, "properties": value }),
    }
}

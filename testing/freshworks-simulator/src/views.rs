//! How stored things look in JSON.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::ConversationForm;
use crate::ids::iso_time;
use crate::store::{ActorType, Agent, Conversation, Group, Message, MessageType, Store, Topic, User};

/// A message, in the API (2025) and, without the fields that an era lacked, in webhooks.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MessageView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bots_input: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_parts: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) msg_parts: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_parts: Option<Value>,
    pub(crate) app_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org_actor_id: Option<String>,
    pub(crate) id: String,
    pub(crate) channel_id: String,
    pub(crate) conversation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) freshchat_conversation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) freshchat_channel_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_type: Option<MessageType>,
    pub(crate) actor_type: ActorType,
    pub(crate) created_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_source: Option<String>,
    #[serde(rename = "restrictResponse", skip_serializing_if = "Option::is_none")]
    pub(crate) restrict_response: Option<bool>,
    #[serde(rename = "botsPrivateNote", skip_serializing_if = "Option::is_none")]
    pub(crate) bots_private_note: Option<Value>,
    #[serde(rename = "isBotsInput", skip_serializing_if = "Option::is_none")]
    pub(crate) is_bots_input: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta_data: Option<Value>,
}

impl MessageView {
    pub(crate) fn new(store: &Store, conversation: &Conversation, message: &Message) -> Self {
        let by_bot = matches!(message.actor.kind, ActorType::System | ActorType::Bot);
        Self {
            bots_input: Some(false),
            message_parts: Some(message.parts.clone()),
            msg_parts: None,
            reply_parts: message.reply_parts.clone(),
            app_id: store.account.app_id.clone(),
            actor_id: Some(message.actor.id.clone()),
            org_actor_id: store.org_actor_id(&message.actor),
            id: message.id.clone(),
            channel_id: conversation.channel_id.clone(),
            conversation_id: conversation.id.clone(),
            freshchat_conversation_id: Some(conversation.internal_id.to_string()),
            freshchat_channel_id: store.topic(&conversation.channel_id).map(|topic| topic.number.to_string()),
            interaction_id: Some(message.interaction_id.clone()),
            message_type: Some(message.message_type),
            actor_type: message.actor.kind,
            created_time: iso_time(message.created_ms),
            user_id: Some(conversation.user_id.clone()),
            message_source: Some(message.source.to_uppercase()),
            restrict_response: Some(false),
            bots_private_note: Some(json!(by_bot && message.message_type == MessageType::Private)),
            is_bots_input: Some(false),
            meta_data: message.meta_data.clone(),
        }
    }
}

/// A conversation as returned by `GET` and `PUT`.
pub(crate) fn conversation_view(store: &Store, conversation: &Conversation, form: ConversationForm) -> Value {
    let mut view = json!({
        "conversation_id": conversation.id,
        "app_id": store.account.app_id,
        "status": conversation.status,
        "channel_id": conversation.channel_id,
        "skill_id": 0,
    });
    if form == ConversationForm::Minimal {
        return view;
    }
    let Some(fields) = view.as_object_mut() else { return view };
    fields.insert("conversation_internal_id".into(), json!(conversation.internal_id));
    fields.insert("properties".into(), json!(conversation.properties));
    fields.insert("url".into(), json!(agent_url(store, conversation)));
    let org_contact_id = store.users.get(&conversation.user_id).map(|user| &user.org_contact_id);
    fields.insert("org_contact_id".into(), json!(org_contact_id));
    fields.insert("created_time".into(), json!(iso_time(conversation.created_ms)));
    fields.insert("updated_time".into(), json!(iso_time(conversation.updated_ms)));
    fields.insert("user_id".into(), json!(conversation.user_id));
    insert_assignment(store, conversation, fields);
    if form == ConversationForm::WithMessages {
        insert_messages(store, conversation, &conversation.messages, fields);
    }
    view
}

/// A conversation as returned by `POST /v2/conversations`, with the messages of that call.
pub(crate) fn created_view(store: &Store, conversation: &Conversation, messages: &[Message]) -> Value {
    let mut fields = Map::new();
    fields.insert("conversation_id".into(), json!(conversation.id));
    fields.insert("channel_id".into(), json!(conversation.channel_id));
    fields.insert("app_id".into(), json!(store.account.app_id));
    fields.insert("status".into(), json!(conversation.status));
    fields.insert("skill_id".into(), json!(0));
    fields.insert("properties".into(), json!(conversation.properties));
    insert_assignment(store, conversation, &mut fields);
    insert_messages(store, conversation, messages, &mut fields);
    Value::Object(fields)
}

fn insert_messages(store: &Store, conversation: &Conversation, messages: &[Message], fields: &mut Map<String, Value>) {
    let views: Vec<_> = messages.iter().map(|message| MessageView::new(store, conversation, message)).collect();
    fields.insert("messages".into(), json!(views));
    fields.insert("users".into(), json!([{ "id": conversation.user_id }]));
}

/// Assignment fields are absent while nobody is assigned (live responses of 2025).
fn insert_assignment(store: &Store, conversation: &Conversation, fields: &mut Map<String, Value>) {
    if let Some(agent) = conversation.assigned_agent_id.as_deref() {
        fields.insert("assigned_agent_id".into(), json!(agent));
        fields.insert("assigned_org_agent_id".into(), json!(store.agent(agent).map(|agent| &agent.org_id)));
    }
    if let Some(group) = conversation.assigned_group_id.as_deref() {
        fields.insert("assigned_group_id".into(), json!(group));
        fields.insert("assigned_org_group_id".into(), json!(store.group(group).map(|group| &group.org_id)));
    }
}

/// The address at which a human agent opens the conversation in a browser.
pub(crate) fn agent_url(store: &Store, conversation: &Conversation) -> String {
    format!(
        "https://{}-{}.myfreshworks.com/crm/messaging/a/{}/inbox/open/0/conversation/{}",
        store.account.name, store.account.organisation_id, store.account.account_id, conversation.internal_id
    )
}

fn avatar(url: Option<&String>) -> Value {
    url.map_or(json!({}), |url| json!({ "url": url }))
}

/// A user. Empty fields are left out.
pub(crate) fn user_view(user: &User) -> Value {
    let properties: Vec<_> =
        user.properties.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut view = json!({
        "id": user.id,
        "created_time": iso_time(user.created_ms),
        "updated_time": iso_time(user.updated_ms),
        "avatar": avatar(user.avatar_url.as_ref()),
        "properties": properties,
        "social_profiles": [],
        "login_status": false,
        "org_contact_id": user.org_contact_id,
    });
    let optional = [
        ("email", &user.email),
        ("first_name", &user.first_name),
        ("last_name", &user.last_name),
        ("phone", &user.phone),
        ("reference_id", &user.reference_id),
    ];
    if let Some(fields) = view.as_object_mut() {
        for (name, value) in optional {
            if let Some(value) = value {
                fields.insert(name.into(), json!(value));
            }
        }
    }
    view
}

/// A topic.
pub(crate) fn topic_view(store: &Store, topic: &Topic) -> Value {
    let spec = &topic.spec;
    let mut view = json!({
        "id": topic.id,
        "name": spec.name,
        "icon": {},
        "updated_time": iso_time(topic.updated_ms),
        "enabled": spec.enabled,
        "public": spec.public,
        "tags": spec.tags,
        "source": spec.source,
        "welcome_message": {
            "message_parts": [{ "text": { "content": "Hello! How can we help?" } }],
            "message_type": "normal",
            "restrictResponse": false,
            "botsPrivateNote": false,
            "isBotsInput": false,
        },
    });
    if let Some(locale) = &spec.locale {
        view["locale"] = json!(locale);
    }
    let group = spec.group.as_ref().and_then(|name| store.groups.iter().find(|group| group.spec.name == *name));
    if let Some(group) = group {
        view["assign_to_group"] = group_view(group);
    }
    view
}

/// The one state that agents here are in.
pub(crate) fn agent_status() -> Value {
    json!({ "id": "8e755ebf-6921-465d-b713-985a8ad13c04", "name": "Active on Intelliassign" })
}

/// A human agent.
pub(crate) fn agent_view(store: &Store, agent: &Agent) -> Value {
    let spec = &agent.spec;
    let groups: Vec<_> =
        store.groups.iter().filter(|group| spec.groups.contains(&group.spec.name)).map(|group| &group.id).collect();
    json!({
        "id": agent.id,
        "email": spec.email,
        "first_name": spec.first_name,
        "last_name": spec.last_name,
        "avatar": avatar(spec.avatar_url.as_ref()),
        "biography": "",
        "groups": groups,
        "role_id": "AGENT",
        "role_name": "Agent",
        "locale": "en",
        "timezone": "UTC",
        "is_deactivated": spec.deactivated,
        "is_deleted": false,
        "login_status": true,
        "agent_capacity": 5,
        "agent_status": agent_status(),
        "availability_status": spec.availability,
        "routing_type": "INTELLIASSIGN",
        "license_type": "fulltime",
        "social_profiles": [],
        "org_contact_id": agent.org_id,
        "freshchat_access": true,
        "created_time": iso_time(agent.created_ms),
    })
}

/// A group.
pub(crate) fn group_view(group: &Group) -> Value {
    json!({
        "id": group.id,
        "name": group.spec.name,
        "description": group.spec.description,
        "routing_type": "INTELLIASSIGN",
        "routing_logic": "LOAD_BALANCED",
        "chat_group_id": group.org_id,
    })
}

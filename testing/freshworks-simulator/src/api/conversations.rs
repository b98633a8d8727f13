//! Conversations.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::input::Input;
use super::messages::{message_of, quirk};
use super::{App, created};
use crate::config::{Behaviour, ConversationForm, UndeclaredProperties};
use crate::desk::{Changes, Desk, Door};
use crate::lock;
use crate::refusal::Refusal;
use crate::store::Status;
use crate::views::{conversation_view, created_view};

/// `POST /v2/conversations`: several messages, each with its own actor, in one call and in order.
pub(super) async fn create(State(app): State<App>, input: Input) -> Result<Response, Refusal> {
    let answer = app.api_act(|desk| {
        let channel_id = input.filled("channel_id")?.ok_or_else(|| Refusal::invalid("CHANNEL_ID_MISSING"))?;
        if desk.store.topic(&channel_id).is_none() {
            return Err(Refusal::not_found("channel"));
        }
        let messages = input.array("messages")?;
        if messages.is_empty() {
            return Err(Refusal::invalid("MESSAGES_EMPTY"));
        }
        let user_id = user_of(&input, &messages)?;
        if desk.store.users.get(&user_id).is_none() {
            return Err(Refusal::not_found("user"));
        }
        let messages = messages
            .into_iter()
            .map(|message| message_of(desk, &user_id, &Input::from_value(message)?))
            .collect::<Result<Vec<_>, _>>()?;
        let changes = changes_of(desk, &input)?;
        let strange = messages.iter().find_map(|message| quirk(desk.behaviour, message));
        let (id, made) = desk.create(&channel_id, &user_id, messages, changes, Door::Api)?;
        match strange {
            Some(refusal) => Err(refusal),
            None => Ok(created_view(desk.store, desk.conversation(&id)?, &made)),
        }
    });
    answer.await.map(|view| created(&app, view))
}

/// The user: named in `users` by every working example; else in `user_id`; else the first message's author.
fn user_of(input: &Input, messages: &[Value]) -> Result<String, Refusal> {
    let named = input.array("users")?.first().and_then(|user| user.get("id")?.as_str().map(str::to_owned));
    let author = || {
        let by_user = messages.iter().find(|message| message.get("actor_type").is_some_and(|it| it == "user"))?;
        by_user.get("actor_id")?.as_str().map(str::to_owned)
    };
    let user_id = named.or(input.filled("user_id")?).or_else(author);
    user_id.filter(|id| !id.is_empty()).ok_or_else(|| Refusal::invalid("USERS_EMPTY"))
}

/// Status, assignees, topic and properties of a request; everything named must exist.
fn changes_of(desk: &Desk<'_>, input: &Input) -> Result<Changes, Refusal> {
    let store = &*desk.store;
    let status = match input.filled("status")? {
        None => None,
        Some(name) => Some(Status::parse(&name).ok_or_else(|| Refusal::invalid("INVALID_STATUS"))?),
    };
    let agent = match (input.string("assigned_agent_id")?, input.filled("assigned_org_agent_id")?) {
        (Some(id), _) if id.is_empty() => Some(None),
        (Some(id), _) => Some(Some(store.agent(&id).ok_or_else(|| Refusal::not_found("agent"))?.id.clone())),
        (None, Some(org_id)) => {
            let agent = store.agents.iter().find(|agent| agent.org_id == org_id);
            Some(Some(agent.ok_or_else(|| Refusal::not_found("agent"))?.id.clone()))
        }
        (None, None) => None,
    };
    let group = match (input.string("assigned_group_id")?, input.filled("assigned_org_group_id")?) {
        (Some(id), _) if id.is_empty() => Some(None),
        (Some(id), _) => Some(Some(store.group(&id).ok_or_else(|| Refusal::not_found("group"))?.id.clone())),
        (None, Some(org_id)) => {
            let group = store.groups.iter().find(|group| group.org_id == org_id);
            Some(Some(group.ok_or_else(|| Refusal::not_found("group"))?.id.clone()))
        }
        (None, None) => None,
    };
    Ok(Changes { status, agent, group, channel_id: None, properties: properties_of(desk.behaviour, input)? })
}

/// Conversation properties are an object, unlike those of users.
fn properties_of(behaviour: &Behaviour, input: &Input) -> Result<Map<String, Value>, Refusal> {
    let mut properties = input.object("properties")?.into_fields();
    // The page lists it beside the properties too, with the same meaning.
    if let Some(priority) = input.filled("priority")? {
        properties.insert("priority".to_owned(), json!(priority));
    }
    let undeclared = |name: &&String| name.starts_with("cf_") && !CUSTOM_FIELDS.iter().any(|(known, _)| known == name);
    if behaviour.undeclared_properties == UndeclaredProperties::Refuse
        && properties.keys().any(|name| undeclared(&name))
    {
        return Err(Refusal::invalid("INVALID_PROPERTIES"));
    }
    let known = |priority: &Value| ["Low", "Medium", "High", "Urgent"].iter().any(|name| priority == name);
    match properties.get("priority") {
        Some(priority) if !known(priority) => Err(Refusal::invalid("INVALID_PRIORITY")),
        _ => Ok(properties),
    }
}

/// `GET /v2/conversations/{id}`
pub(super) async fn read(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let form = app.behaviour().conversation_form;
    let store = lock(&app.store);
    let conversation = store.conversations.get(&id).ok_or_else(|| Refusal::not_found("conversation"))?;
    Ok(Json(conversation_view(&store, conversation, form)))
}

/// `PUT /v2/conversations/{id}`
pub(super) async fn update(
    State(app): State<App>,
    Path(id): Path<String>,
    input: Input,
) -> Result<Json<Value>, Refusal> {
    let answer = app.api_act(|desk: &mut Desk<'_>| {
        desk.conversation(&id)?;
        let mut changes = changes_of(desk, &input)?;
        if let Some(channel) = input.filled("channel_id")? {
            desk.store.topic(&channel).ok_or_else(|| Refusal::not_found("channel"))?;
            changes.channel_id = Some(channel);
        }
        let actor = desk.api_actor();
        desk.change(&id, &actor, changes, Door::Api)?;
        Ok(conversation_view(desk.store, desk.conversation(&id)?, ConversationForm::Header))
    });
    answer.await.map(Json)
}

/// The custom properties that the account declares, with their labels.
const CUSTOM_FIELDS: [(&str, &str); 2] = [("cf_type", "Type"), ("cf_reference", "Reference")];

/// `GET /v2/conversations/fields`: an array without an envelope.
pub(super) async fn fields() -> Json<Value> {
    let choices: Vec<_> = ["Low", "Medium", "High", "Urgent"]
        .iter()
        .zip(1..)
        .map(|(name, id)| json!({ "id": id, "value": name }))
        .collect();
    let field = |id: u32, name: &str, label: &str, kind: &str, custom: bool, choices: Value| {
        json!({
            "id": id.to_string(),
            "name": name,
            "label": label,
            "type": kind,
            "column_name": name,
            "custom": custom,
            "required": false,
            "editable": true,
            "position": id,
            "default_value": null,
            "choices": choices,
            "fields": [],
        })
    };
    let mut fields = vec![field(1, "priority", "Priority", "dropdown", false, json!(choices))];
    fields.extend((2..).zip(CUSTOM_FIELDS).map(|(id, (name, label))| field(id, name, label, "text", true, json!([]))));
    Json(json!(fields))
}

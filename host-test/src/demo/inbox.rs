//! The conversation as the human agent sees it, read from the simulator, which does not know the plugin.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use freshworks_simulator::{ActorType, MessageType, Simulator, Status};
use serde::Serialize;
use serde_json::Value;

/// Who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Author {
    /// The end user, or the plugin in the end user's name.
    User,
    /// A human agent, or the plugin in a note author's name.
    HumanAgent,
    /// The product.
    Freshchat,
}

/// One message in the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct InboxMessage {
    pub(super) author: Author,
    pub(super) name: String,
    pub(super) private: bool,
    pub(super) text: String,
}

/// A conversation with its surroundings.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Inbox {
    pub(super) topic: String,
    pub(super) group: String,
    pub(super) priority: String,
    pub(super) status: String,
    pub(super) resolved: bool,
    pub(super) user: String,
    pub(super) messages: Vec<InboxMessage>,
}

impl Inbox {
    pub(super) fn of(freshworks: &Simulator, id: &str) -> Result<Self> {
        let conversation = freshworks.conversation(id).context("the conversation is gone")?;
        let topic = freshworks.topics().into_iter().find(|topic| topic.id == conversation.channel_id);
        let groups = freshworks.groups();
        let group = groups.into_iter().find(|group| Some(&group.id) == conversation.assigned_group_id.as_ref());
        let agents: BTreeMap<String, String> =
            freshworks.agents().into_iter().map(|agent| (agent.id.clone(), agent.name())).collect();
        let user = freshworks.users().into_iter().find(|user| user.id == conversation.user_id);
        let user = user.context("the conversation has no user")?;
        let names = [user.first_name.as_deref(), user.last_name.as_deref()];
        let user_name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let user_name = if user_name.is_empty() { "User".to_owned() } else { user_name };
        let facts = [Some(user_name.clone()), user.email, user.phone, user.reference_id];
        let messages = conversation.messages.iter().map(|message| {
            let (author, name) = match message.actor.kind {
                ActorType::User => (Author::User, user_name.clone()),
                ActorType::Agent => (Author::HumanAgent, agents.get(&message.actor.id).cloned().unwrap_or_default()),
                ActorType::System | ActorType::Bot => (Author::Freshchat, "Freshchat".to_owned()),
            };
            let private = message.message_type == MessageType::Private;
            InboxMessage { author, name, private, text: text_of(&message.parts) }
        });
        Ok(Self {
            topic: topic.map_or_else(|| "unknown".to_owned(), |topic| topic.spec.name),
            group: group.map_or_else(|| "none".to_owned(), |group| group.spec.name),
            priority: conversation.properties.get("priority").and_then(Value::as_str).unwrap_or("none").to_owned(),
            status: serde_json::to_value(conversation.status)?.as_str().unwrap_or_default().to_owned(),
            resolved: conversation.status == Status::Resolved,
            user: facts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            messages: messages.collect(),
        })
    }
}

/// A message as the product shows it.
fn text_of(parts: &[Value]) -> String {
    let field = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let shown =
        parts.iter().flat_map(|part| part.as_object().into_iter().flatten()).map(|(kind, value)| match kind.as_str() {
            "text" | "email" => field(value, "content"),
            "url_button" => format!("[{}] {}", field(value, "label"), field(value, "url")),
            kind => format!("[{kind}] {}", field(value, "url")).trim_end().to_owned(),
        });
    shown.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_inbox_shows_texts_buttons_and_files() {
        let parts = [
            json!({ "text": { "content": "Look:" } }),
            json!({ "url_button": { "label": "Track", "url": "https://a.example/t" } }),
            json!({ "image": { "url": "https://a.example/i.png" } }),
        ];
        assert_eq!(text_of(&parts), "Look:\n[Track] https://a.example/t\n[image] https://a.example/i.png");
    }
}

//! The vendor's JSON as REST answers and webhooks share it. Lenient: unknown fields are passed over, ids may be texts or
//! numbers, and a field of a wrong type counts as absent.

use serde_json::Value;

use super::parts;
use crate::text::time;
use handoff_contract::model::{AgentId, ChannelId, ConversationId, MessageId, Part, Timestamp, UserId};

/// A text, or a number as text: ids exceed 2^53 and come in both forms.
pub(crate) fn text(object: &Value, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// As [`text`], with the vendor's empty text for "none" left out.
pub(crate) fn filled(object: &Value, key: &str) -> Option<String> {
    text(object, key).filter(|text| !text.is_empty())
}

/// A whole number, or a text that holds one.
pub(crate) fn number(object: &Value, key: &str) -> Option<u64> {
    match object.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A flag that may be set: everything but false, 0, their texts, nothing and null. For flags that hide something from the end user:
/// what is not surely off counts as on, whatever type it comes in.
pub(crate) fn may_be_set(object: &Value, key: &str) -> bool {
    match object.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Number(number)) => number.as_u64() != Some(0),
        Some(Value::String(text)) => {
            let text = text.trim();
            !(text.is_empty() || text == "0" || text.eq_ignore_ascii_case("false"))
        }
        Some(_) => true,
    }
}

/// Flags of private notes. The first is the vendor's; the others are beliefs, and cost nothing where they do not occur.
const PRIVATE_FLAGS: [&str; 5] = ["botsPrivateNote", "bots_private_note", "private", "is_private", "isPrivate"];

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The end user.
    User(Option<UserId>),
    /// A human agent.
    Agent(Option<AgentId>),
    /// Freshchat itself, or a bot.
    System,
}

impl Actor {
    /// Reads the vendor's pair of type and id. What is neither user nor agent counts as the system.
    pub fn read(kind: Option<&str>, id: Option<String>) -> Self {
        let id = id.filter(|id| !id.is_empty());
        match kind {
            Some("user") => Self::User(id.map(UserId)),
            Some("agent") => Self::Agent(id.map(AgentId)),
            _ => Self::System,
        }
    }
}

/// A message as Freshchat tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorMessage {
    /// Its id.
    pub id: MessageId,
    /// The conversation; none in some lists.
    pub conversation: Option<ConversationId>,
    /// The conversation's other id, of digits.
    pub numeric_conversation_id: Option<String>,
    /// The topic.
    pub channel: Option<ChannelId>,
    /// Who wrote it.
    pub actor: Actor,
    /// For human agents only: the type is not known to be public, or a flag says so, or may say so.
    pub private: bool,
    /// Written by Freshchat about the conversation.
    pub system: bool,
    /// The vendor says of which type it is. Where it does not, neither of the two above is certain.
    pub typed: bool,
    /// Readable parts, blank texts left out.
    pub parts: Vec<Part>,
    /// When it was written.
    pub created_at: Option<Timestamp>,
}

impl VendorMessage {
    /// Reads a message of any era. `actor` is that of a webhook's envelope, for eras whose messages name none.
    pub fn read(message: &Value, actor: Option<&Value>) -> Option<Self> {
        let kind = text(message, "actor_type").or_else(|| text(actor?, "actor_type"));
        let actor_id = filled(message, "actor_id").or_else(|| filled(actor?, "actor_id"));
        // Some accounts leave the type out of webhooks: then it is an ordinary message. A type that is no word is none that is known.
        let stated_type = match message.get("message_type") {
            None | Some(Value::Null) => None,
            Some(Value::String(word)) => Some(word.trim()).filter(|word| !word.is_empty()),
            Some(_) => Some("unknown"),
        };
        let typed = stated_type.is_some();
        let is_of = |word: &str| stated_type.is_some_and(|stated| stated.eq_ignore_ascii_case(word));
        let flagged = PRIVATE_FLAGS.iter().any(|flag| may_be_set(message, flag));
        Some(Self {
            id: MessageId(filled(message, "id")?),
            conversation: filled(message, "conversation_id").map(ConversationId),
            numeric_conversation_id: filled(message, "freshchat_conversation_id"),
            channel: filled(message, "channel_id").map(ChannelId),
            actor: Actor::read(kind.as_deref(), actor_id),
            // Fail closed: a type that is not known to be public is treated as a note.
            private: flagged || (typed && !is_of("normal") && !is_of("system")),
            system: is_of("system"),
            typed,
            parts: parts::of_message(message),
            created_at: text(message, "created_time").as_deref().and_then(time::from_iso),
        })
    }

    /// All text of the message, for finding our markers again.
    pub fn text(&self) -> String {
        self.parts.iter().filter_map(|part| part.text.as_deref()).collect::<Vec<_>>().join("\n")
    }
}

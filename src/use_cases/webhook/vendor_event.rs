//! A webhook's body as the vendor's event, of any era. What is not known is kept as unknown.

use serde_json::Value;

use crate::freshchat::wire::{self, Actor, VendorMessage};
use crate::http::json;
use crate::text::time;
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{AgentId, ChannelId, ConversationId, GroupId, Timestamp};

/// One webhook, as Freshworks means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VendorEvent {
    /// The vendor's word.
    pub action: String,
    /// When it happened.
    pub at: Option<Timestamp>,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `message_create`.
    Message(VendorMessage),
    /// `conversation_assignment`.
    Assignment {
        /// The conversation.
        conversation: About,
        /// The new human agent; none when it went to a group, or back.
        to_agent: Option<AgentId>,
        /// The one before.
        from_agent: Option<AgentId>,
        /// The new group.
        to_group: Option<GroupId>,
        /// The one before.
        from_group: Option<GroupId>,
    },
    /// `conversation_resolution`.
    Resolution {
        /// The conversation.
        conversation: About,
        /// Who ended it.
        actor: Actor,
    },
    /// `conversation_reopen`.
    Reopen {
        /// The conversation.
        conversation: About,
        /// Who brought it back.
        actor: Actor,
    },
    /// Anything else.
    Unknown,
}

/// The conversation that an event speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The id for paths.
    pub id: Option<ConversationId>,
    /// The other id, of digits.
    pub numeric_id: Option<String>,
    /// The topic.
    pub channel: Option<ChannelId>,
    /// One stretch between opening and resolution.
    pub interaction: Option<String>,
}

impl VendorEvent {
    /// Reads a body. Fails only where it is not the vendor's JSON, or lacks what its own action needs.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Error> {
        let body = json::read(body, &[])
            .map_err(|error| malformed(format!("not JSON at line {}, column {}", error.line(), error.column())))?;
        if !body.is_object() {
            return Err(malformed("not a JSON object".to_owned()));
        }
        let Some(action) = wire::text(&body, "action") else {
            // Other kinds of webhook use other envelopes, such as `outbound_message_event`.
            let action = wire::text(&body, "event_type").ok_or_else(|| malformed("`action` is missing".to_owned()))?;
            return Ok(Self { action, at: None, kind: Kind::Unknown });
        };
        let at = wire::text(&body, "action_time").as_deref().and_then(time::from_iso);
        let actor = body.get("actor");
        let data = |key: &str| {
            body.get("data").and_then(|data| data.get(key)).ok_or_else(|| malformed(format!("`data.{key}` is missing")))
        };
        let envelope_actor = |who: &str, id: &str, object: &Value| {
            let kind = actor.and_then(|actor| wire::text(actor, "actor_type")).or_else(|| wire::text(object, who));
            let id = actor.and_then(|actor| wire::text(actor, "actor_id")).or_else(|| wire::text(object, id));
            Actor::read(kind.as_deref(), id)
        };
        let kind = match action.as_str() {
            "message_create" => {
                let message = VendorMessage::read(data("message")?, actor);
                Kind::Message(message.ok_or_else(|| malformed("`data.message.id` is missing".to_owned()))?)
            }
            "conversation_assignment" => {
                let assignment = data("assignment")?;
                Kind::Assignment {
                    conversation: About::read(assignment),
                    to_agent: wire::filled(assignment, "to_agent_id").map(AgentId),
                    from_agent: wire::filled(assignment, "from_agent_id").map(AgentId),
                    to_group: wire::filled(assignment, "to_group_id").map(GroupId),
                    from_group: wire::filled(assignment, "from_group_id").map(GroupId),
                }
            }
            "conversation_resolution" => {
                let resolve = data("resolve")?;
                Kind::Resolution {
                    conversation: About::read(resolve),
                    actor: envelope_actor("resolver", "resolver_id", resolve),
                }
            }
            "conversation_reopen" => {
                let reopen = data("reopen")?;
                Kind::Reopen {
                    conversation: About::read(reopen),
                    actor: envelope_actor("reopener", "reopener_id", reopen),
                }
            }
            _ => Kind::Unknown,
        };
        Ok(Self { action, at, kind })
    }

    /// What the event says about the conversation it belongs to.
    pub(crate) fn about(&self) -> About {
        match &self.kind {
            Kind::Message(message) => About {
                id: message.conversation.clone(),
                numeric_id: message.numeric_conversation_id.clone(),
                channel: message.channel.clone(),
                interaction: None,
            },
            Kind::Assignment { conversation, .. }
            | Kind::Resolution { conversation, .. }
            | Kind::Reopen { conversation, .. } => conversation.clone(),
            Kind::Unknown => About::default(),
        }
    }

    /// Every id of that conversation, the one for paths first.
    pub(crate) fn conversation_ids(&self) -> Vec<String> {
        let About { id, numeric_id, .. } = self.about();
        id.map(|id| id.0).into_iter().chain(numeric_id).collect()
    }
}

impl About {
    fn read(object: &Value) -> Self {
        let interaction = wire::filled(object, "interaction_id");
        let Some(conversation) = object.get("conversation") else { return Self { interaction, ..Self::default() } };
        let numeric = ["freshchat_conversation_id", "conversation_internal_id"];
        Self {
            id: wire::filled(conversation, "conversation_id").map(ConversationId),
            numeric_id: numeric.into_iter().find_map(|key| wire::filled(conversation, key)),
            channel: wire::filled(conversation, "channel_id").map(ChannelId),
            interaction,
        }
    }
}

fn malformed(log: String) -> Error {
    Error::new(ErrorKind::Malformed, "the webhook's body is not what Freshworks sends")
        .with_remedy("Answer 503, so that Freshworks sends it again, and report it with the log text of this error.")
        .with_log(log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_emoji_and_a_huge_number_cost_no_message() {
        let body =
            br#"{"action": "message_create", "data": {"message": {"id": "m", "conversation_id": "c", "score": 1e999,
            "message_parts": [{"text": {"content": "Cut \ud83d"}}]}}}"#;
        let Kind::Message(message) = VendorEvent::decode(body).unwrap().kind else { panic!("no message") };
        assert_eq!(message.text(), "Cut \u{fffd}");
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_place() {
        for (body, log) in [
            ("<html>", "not JSON at line 1, column 1"),
            ("[]", "not a JSON object"),
            ("{}", "`action` is missing"),
            (r#"{"action": "message_create"}"#, "`data.message` is missing"),
            (r#"{"action": "message_create", "data": {"message": {}}}"#, "`data.message.id` is missing"),
        ] {
            let error = VendorEvent::decode(body.as_bytes()).unwrap_err();
            assert_eq!((error.kind, error.log.as_deref()), (ErrorKind::Malformed, Some(log)), "{body}");
        }
    }
}

//! The webhooks' bodies.

use serde_json::{Value, json};

use super::FileForm;
use super::delivery::{Outgoing, Webhook};
use super::store::{Store, iso};

/// Categories of the AI agent's webhook (vendor documentation). Of the last four, which can be subscribed to, only
/// `conversation:analyzed` and `conversation:redacted` occur here. That the latter only has the envelope is assumed.
pub(crate) const CATEGORIES: [&str; 9] = [
    "conversation:started",
    "conversation:closed",
    "handoff",
    "message:user_sent",
    "message:ai_agent_sent",
    "message:human_agent_sent",
    "conversation:redacted",
    "conversation:analyzed",
    "flagged_message:hallucination_detected",
];

impl Store {
    /// The AI agent's envelope (vendor documentation). That `external_case` of `conversation:closed` is beside the conversation, as in
    /// `handoff`, is assumed.
    pub(super) fn event(&mut self, url: &str, category: &str, rest: Value) -> Outgoing {
        let (id, at) = (format!("event-{}", self.id()), iso(self.time()));
        let channel = &self.channels[url];
        let mut data = json!({
            "ai_agent_id": self.ai_agent_id,
            "conversation": {
                "id": channel.conversation,
                "user_id": channel.user,
                "channel_url": url,
                "channel_type": "messenger",
                "started_at": iso(channel.started_at),
                "status": channel.status,
                "ai_agent_context": channel.context,
            },
        });
        for (name, value) in channel.rating.as_object().into_iter().flatten() {
            data["conversation"][name] = value.clone();
        }
        for (name, value) in rest.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        let body = json!({ "id": id, "app_id": self.app_id, "category": category, "created_at": at, "data": data });
        Outgoing { kind: Webhook::AiAgent, channel: url.to_owned(), category: category.to_owned(), body }
    }

    /// `group_channel:message_send` (a third-party copy of the vendor's sample).
    pub(crate) fn chat_event(&self, url: &str, id: u64, sdk: &str) -> Outgoing {
        let view = self.view(url, id);
        let sender = view["user"]["user_id"].as_str().unwrap_or_default();
        let mut payload = json!({
            "message_id": id,
            "custom_type": view["custom_type"],
            "translations": {},
            "created_at": view["created_at"],
            "data": view["data"],
        });
        match (&view["type"], self.file_form) {
            _ if view["files"].is_array() => {
                (payload["files"], payload["message"]) = (view["files"].clone(), view["message"].clone());
            }
            (kind, FileForm::Nested) if kind == "FILE" => payload["file"] = view["file"].clone(),
            (kind, FileForm::Flat) if kind == "FILE" => {
                for (name, from) in
                    [("url", "url"), ("filename", "name"), ("content_type", "type"), ("filesize", "size")]
                {
                    payload[name] = view["file"][from].clone();
                }
            }
            _ => payload["message"] = view["message"].clone(),
        }
        let body = json!({
            "category": "group_channel:message_send",
            "sender": {
                "user_id": sender,
                "nickname": self.words(sender, "nickname"),
                "profile_url": self.words(sender, "profile_url"),
                "metadata": {},
            },
            "silent": false,
            "sender_ip_addr": "127.0.0.1",
            "custom_type": view["custom_type"],
            "mention_type": "users",
            "mentioned_users": [],
            "type": view["type"],
            "payload": payload,
            "channel": { "name": "", "channel_url": url, "custom_type": "SB_@I_@GENT", "is_distinct": false, "is_public": false,
                         "is_super": false, "is_ephemeral": false, "is_discoverable": false, "data": "" },
            "sdk": sdk,
            "app_id": self.app_id,
        });
        let category = "group_channel:message_send".to_owned();
        Outgoing { kind: Webhook::Chat, channel: url.to_owned(), category, body }
    }
}

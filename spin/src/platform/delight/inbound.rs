//! What the platform's webhooks say. Pure.
//!
//! Two webhooks, two keys, one header: the AI agent's webhook is signed with its own secret, the Chat webhook with the
//! application's API token. Which key is meant is told by the path, never by trying both.

use freshworks_handoff::model::{CloseReason, ConversationKey, Message, Part, PartKind, Sender, SenderRole, Timestamp};
use freshworks_handoff::time;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::{Asked, Endpoint, Inbound, Place};
use super::{Delight, OWN};
use crate::answer::Call;
use crate::problem::{self, Problem};

/// The header of both webhooks.
const SIGNATURE: &str = "x-sendbird-signature";

/// Verifies a webhook and reads it.
pub(crate) fn read(settings: &Delight, endpoint: Endpoint, call: &Call<'_>) -> Result<Inbound, Problem> {
    let key = match endpoint {
        Endpoint::Platform => settings.signature_secret.as_ref().ok_or_else(Problem::not_allowed)?,
        Endpoint::Chat => &settings.api_token,
    };
    verify(key.reveal(), call)?;
    let event: Value = problem::read(call.body, "webhook")?;
    // One webhook of the application may serve several AI agents.
    if event["app_id"].as_str().is_some_and(|app| app != settings.app_id) {
        return Ok(Inbound::Nothing);
    }
    match endpoint {
        Endpoint::Platform => Ok(agent_event(settings, &event, call.now)),
        Endpoint::Chat => Ok(chat_event(&event)),
    }
}

fn verify(key: &str, call: &Call<'_>) -> Result<(), Problem> {
    let given = call.header(SIGNATURE).and_then(from_hex).ok_or_else(Problem::not_allowed)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| Problem::not_allowed())?;
    mac.update(call.body);
    mac.verify_slice(&given).map_err(|_| Problem::not_allowed())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.trim().chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// Events of the AI agent.
fn agent_event(settings: &Delight, event: &Value, now: Timestamp) -> Inbound {
    let data = &event["data"];
    let conversation = &data["conversation"];
    let is_ours = data["ai_agent_id"].as_str().is_none_or(|agent| agent == settings.ai_agent_id);
    let (Some(channel), Some(number)) = (conversation["channel_url"].as_str(), id(&conversation["id"])) else {
        return Inbound::Nothing;
    };
    if !is_ours {
        return Inbound::Nothing;
    }
    let key =
        ConversationKey { application: settings.app_id.clone(), channel: channel.to_owned(), conversation: number };
    let created_at = iso(&event["created_at"]).unwrap_or(now);
    let place = || format!("{}:{}", event["category"].as_str().unwrap_or_default(), created_at);
    let event_id = id(&event["id"]).unwrap_or_else(place);
    let user = conversation["user_id"].as_str().unwrap_or_default();
    match event["category"].as_str().unwrap_or_default() {
        "handoff" => {
            // Somebody else's integration has it already.
            let case = data["external_case"]["type"].as_str().unwrap_or_default();
            if user.is_empty() || !(case.is_empty() || case == "freshworks") {
                return Inbound::Nothing;
            }
            let until = iso(&data["handoff_at"]).unwrap_or(created_at);
            let asked = json!({
                "key": key,
                "user": user,
                "from": iso(&conversation["started_at"]).unwrap_or(0),
                "until": until,
                "context": conversation["ai_agent_context"],
            });
            Inbound::HandOff { id: event_id, key, asked: Asked::Event(asked.to_string()) }
        }
        "message:user_sent" => {
            let (said, sent_at) = (&data["message"], iso(&data["sent_at"]).unwrap_or(created_at));
            let text = said["content"].as_str().unwrap_or_default();
            // A file has no words here; the Chat webhook brings it.
            let (Some(id), false) = (id(&said["message_id"]), text.trim().is_empty()) else { return Inbound::Nothing };
            let sender = Sender { role: SenderRole::EndUser, id: Some(user.to_owned()), name: None, avatar_url: None };
            let message = Message { id, sender, sent_at, parts: vec![Part::text(text)] };
            Inbound::Message { place: Place::Conversation(key), message }
        }
        "conversation:closed" => {
            let reason = match conversation["closed_reason"].as_str().unwrap_or_default() {
                "auto" => CloseReason::TimedOut,
                "user_resolved" | "user_unresolved" => CloseReason::UserLeft,
                _ => CloseReason::PlatformClosed,
            };
            Inbound::Closed { id: event_id, key, reason }
        }
        _ => Inbound::Nothing,
    }
}

/// Events of the channel: files come only this way.
fn chat_event(event: &Value) -> Inbound {
    if event["category"] != "group_channel:message_send" {
        return Inbound::Nothing;
    }
    let (payload, sender) = (&event["payload"], &event["sender"]);
    let (Some(channel), Some(user)) = (event["channel"]["channel_url"].as_str(), sender["user_id"].as_str()) else {
        return Inbound::Nothing;
    };
    let mut message = json!({
        "message_id": payload["message_id"],
        "created_at": payload["created_at"],
        "type": event["type"],
        "message": payload["message"],
        "custom_type": payload["custom_type"].as_str().or(event["custom_type"].as_str()),
        "user": { "user_id": user, "nickname": sender["nickname"], "profile_url": sender["profile_url"] },
    });
    // Two forms are seen: the file beside the message, and as an object of its own.
    message["file"] = if payload["file"].is_object() { payload["file"].clone() } else { payload.clone() };
    // Whether the sender is the end user is known to whoever knows the conversation.
    match self::message(&message, user, "") {
        Some(message) => Inbound::Message { place: Place::Channel(channel.to_owned()), message },
        None => Inbound::Nothing,
    }
}

/// A message of a channel, as the API lists them. None for lines of nobody, and for what the bridge itself wrote unless it is a human
/// agent's.
pub(crate) fn message(found: &Value, user: &str, ai_agent: &str) -> Option<Message> {
    let kind = found["type"].as_str().unwrap_or("MESG");
    let author = found["user"]["user_id"].as_str().unwrap_or_default();
    if kind == "ADMM" || author.is_empty() {
        return None;
    }
    let role = match author {
        author if author == user => SenderRole::EndUser,
        author if author == ai_agent => SenderRole::AiAgent,
        _ => SenderRole::HumanAgent,
    };
    if found["custom_type"] == OWN && role == SenderRole::EndUser {
        return None;
    }
    let text = found["message"].as_str().unwrap_or_default();
    let parts = if kind == "FILE" { vec![file(&found["file"], text)] } else { vec![Part::text(text)] };
    if kind != "FILE" && text.trim().is_empty() {
        return None;
    }
    let words = |name: &str| found["user"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Message {
        id: id(&found["message_id"])?,
        sender: Sender { role, id: Some(author.to_owned()), name: words("nickname"), avatar_url: words("profile_url") },
        sent_at: found["created_at"].as_u64().unwrap_or(0),
        parts,
    })
}

fn file(file: &Value, caption: &str) -> Part {
    let first = |names: &[&str]| {
        names.iter().find_map(|name| file[*name].as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let media_type = first(&["type", "content_type", "file_type"]);
    let kind = match media_type.as_deref().and_then(|kind| kind.split('/').next()) {
        Some("image") => PartKind::Image,
        Some("video") => PartKind::Video,
        Some("audio") => PartKind::Audio,
        _ => PartKind::File,
    };
    Part {
        text: Some(caption).filter(|text| !text.trim().is_empty()).map(str::to_owned),
        url: first(&["url"]),
        name: first(&["name", "filename", "file_name"]),
        bytes: file["size"].as_u64().or(file["file_size"].as_u64()).or(file["filesize"].as_u64()),
        media_type,
        ..Part::empty(kind)
    }
}

/// Ids are numbers in webhooks, and texts in some answers.
fn id(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_i64().map(|number| number.to_string()))
        .filter(|id| !id.is_empty())
}

/// A time that cannot be read never makes an event fail: the vendor's own samples hold some.
fn iso(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(time::from_iso)
}

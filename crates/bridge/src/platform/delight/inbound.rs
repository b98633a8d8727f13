//! What the platform's webhooks say. Pure.
//!
//! Two webhooks, two keys, one header: the AI agent's webhook is signed with its own secret, the Chat webhook with the
//! application's API token. Which key is meant is told by the path, never by trying both.

use freshworks_handoff::text::time;
use freshworks_handoff::use_cases::times;
use handoff_contract::model::{CloseReason, ConversationKey, Message, Part, PartKind, Sender, SenderRole, Timestamp};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::{Asked, Inbound, Place, WebhookEndpoint};
use super::{Delight, OWN, csat};
use crate::http::IncomingRequest;
use crate::problem::{self, Problem};

/// The header of both webhooks.
const SIGNATURE: &str = "x-sendbird-signature";

/// The year 2001, in milliseconds.
const EARLIEST: Timestamp = 1_000_000_000_000;

/// Verifies a webhook and reads it.
pub(crate) fn read(
    settings: &Delight,
    endpoint: WebhookEndpoint,
    call: &IncomingRequest<'_>,
) -> Result<Inbound, Problem> {
    let key = match endpoint {
        WebhookEndpoint::Platform => settings.signature_secret.as_ref().ok_or_else(Problem::not_allowed)?,
        WebhookEndpoint::Chat => &settings.api_token,
    };
    verify(key.reveal(), call)?;
    let event: Value = problem::read(call.body, "webhook")?;
    // The dashboard shows application ids in capitals, and addresses hold them in small letters.
    if event["app_id"].as_str().is_some_and(|app| !app.eq_ignore_ascii_case(&settings.app_id)) {
        return Ok(Inbound::Foreign("another-application"));
    }
    match endpoint {
        WebhookEndpoint::Platform => Ok(agent_event(settings, &event, call.now)),
        WebhookEndpoint::Chat => Ok(chat_event(&event)),
    }
}

/// When it was sent. The AI agent's webhook has a text, the Chat webhook a number in its message.
pub(crate) fn sent_at(body: &[u8]) -> Option<Timestamp> {
    #[derive(serde::Deserialize)]
    struct Event {
        #[serde(default)]
        created_at: Value,
        #[serde(default)]
        payload: Payload,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Payload {
        created_at: Value,
    }
    let event: Event = serde_json::from_slice(body).ok()?;
    // Seconds, or a number that means something else, would all be too old.
    let number = event.payload.created_at.as_u64().filter(|at| *at > EARLIEST);
    iso(&event.created_at).or(number)
}

fn verify(key: &str, call: &IncomingRequest<'_>) -> Result<(), Problem> {
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
    // One webhook of the application may serve several AI agents.
    if !is_ours {
        return Inbound::Foreign("another-ai-agent");
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
                "about": settings.about.in_webhook(data),
            });
            Inbound::HandOff { id: event_id, key, asked: Asked::Event(asked.to_string()) }
        }
        "message:user_sent" => {
            let (said, sent_at) = (&data["message"], iso(&data["sent_at"]).unwrap_or(created_at));
            // A file has no words here; the Chat webhook brings it.
            let parts = parts(said, said["content"].as_str().unwrap_or_default());
            let (Some(id), false) = (id(&said["message_id"]), parts.is_empty()) else { return Inbound::Nothing };
            let sender = Sender { role: SenderRole::EndUser, id: Some(user.to_owned()), name: None, avatar_url: None };
            let message = Message { id, sender, sent_at, parts };
            Inbound::Message { place: Place::Conversation(key), message }
        }
        "conversation:closed" => {
            let reason = match conversation["closed_reason"].as_str().unwrap_or_default() {
                "auto" => CloseReason::TimedOut,
                "user_resolved" | "user_unresolved" => CloseReason::UserLeft,
                _ => CloseReason::PlatformClosed,
            };
            Inbound::Closed { id: event_id, key, reason, rating: csat::rating(conversation) }
        }
        // "PII redaction finished" (vendor documentation). That it comes for a whole conversation, with the same envelope, and after its
        // end, is a belief. No event tells that a user was deleted.
        "conversation:redacted" => Inbound::Redacted { key },
        "conversation:analyzed" => match csat::rating(conversation) {
            Some(rating) => Inbound::Rated { key, rating },
            None => Inbound::Nothing,
        },
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
    // Two forms of one file are seen: beside the message, and as an object of its own.
    if payload["files"].is_array() {
        message["files"] = payload["files"].clone();
    } else if payload["file"].is_object() {
        message["file"] = payload["file"].clone();
    } else if event["type"] == "FILE" {
        message["file"] = payload.clone();
    }
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
    let mut parts = parts(found, found["message"].as_str().unwrap_or_default());
    if parts.is_empty() {
        if kind != "FILE" {
            return None;
        }
        // Nothing is known of it but that it was there.
        parts.push(Part::empty(PartKind::File));
    }
    let words = |name: &str| found["user"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Message {
        id: id(&found["message_id"])?,
        sender: Sender { role, id: Some(author.to_owned()), name: words("nickname"), avatar_url: words("profile_url") },
        sent_at: found["created_at"].as_u64().filter(|at| *at >= times::EARLIEST).unwrap_or(times::EARLIEST),
        parts,
    })
}

/// What a message holds: its file or files, the words with the first of them, or the words alone.
fn parts(message: &Value, text: &str) -> Vec<Part> {
    let several = message["files"].as_array().into_iter().flatten();
    let all = several.chain(Some(&message["file"]).filter(|_| message["files"].as_array().is_none_or(Vec::is_empty)));
    let mut parts: Vec<Part> = all.filter(|found| found.is_object()).map(file).collect();
    let words = if parts.is_empty() { text.to_owned() } else { beyond_names(text, &parts) };
    let words = Some(words).filter(|words| !words.trim().is_empty());
    match parts.first_mut() {
        Some(first) => first.text = words,
        None => parts.extend(words.map(Part::text)),
    }
    parts
}

/// The words beside files. None are left where the text only names the files: the server fills that in.
fn beyond_names(text: &str, files: &[Part]) -> String {
    let mut names: Vec<&str> = files.iter().filter_map(|file| file.name.as_deref()).collect();
    // What is part of another name is taken out after it.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let rest = names.into_iter().fold(text.to_owned(), |rest, name| rest.replacen(name, "", 1));
    let is_between = |letter: char| letter.is_whitespace() || ",;|&+·".contains(letter);
    if rest.chars().all(is_between) { String::new() } else { text.to_owned() }
}

fn file(file: &Value) -> Part {
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
        url: first(&["url", "file_url"]),
        name: first(&["name", "filename", "file_name"]),
        bytes: ["size", "file_size", "filesize", "content_size"].iter().find_map(|name| file[*name].as_u64()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use handoff_contract::model::Rating;

    const NOW: Timestamp = 1_790_000_000_000;

    fn settings() -> Delight {
        Delight {
            app_id: "APP-1".into(),
            ai_agent_id: "helper".into(),
            api_token: Secret::new("master"),
            signature_secret: Some(Secret::new("own")),
            callback: None,
            texts: Default::default(),
            identity: Default::default(),
            about: Default::default(),
            email_verified: false,
            phone_verified: false,
            test_origin: None,
        }
    }

    fn signed(key: &str, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn ask(endpoint: WebhookEndpoint, signature: &str, body: &str) -> Result<Inbound, Problem> {
        let headers = vec![(SIGNATURE.to_owned(), signature.to_owned())];
        read(
            &settings(),
            endpoint,
            &IncomingRequest { method: "POST", path: "/", query: "", headers, body: body.as_bytes(), now: NOW },
        )
    }

    /// Reads a genuine one.
    fn heard(endpoint: WebhookEndpoint, body: &Value) -> Inbound {
        let key = if endpoint == WebhookEndpoint::Chat { "master" } else { "own" };
        let body = body.to_string();
        ask(endpoint, &signed(key, &body), &body).unwrap()
    }

    fn event(category: &str) -> Value {
        json!({
            "id": "e-1", "app_id": "APP-1", "category": category, "created_at": "2026-11-23T10:00:00.000Z",
            "data": {
                "ai_agent_id": "helper",
                "conversation": {
                    "id": 7, "user_id": "ana", "channel_url": "channel-1", "started_at": "2026-11-23T09:00:00Z",
                    "closed_reason": "user_resolved", "ai_agent_context": { "language": "es", "context": { "plan": "pro" } },
                },
                "message": { "message_id": 12, "content": "Hello" },
                "handoff_at": "2026-11-23T09:59:58.000Z",
                "handoff_reason": "angry",
            },
        })
    }

    fn key() -> ConversationKey {
        ConversationKey { application: "APP-1".into(), channel: "channel-1".into(), conversation: "7".into() }
    }

    #[test]
    fn each_webhook_has_a_key_of_its_own() {
        let body = event("message:user_sent").to_string();
        assert!(ask(WebhookEndpoint::Platform, &signed("own", &body), &body).is_ok());
        assert!(ask(WebhookEndpoint::Platform, &signed("own", &body).to_uppercase(), &body).is_ok());
        assert!(ask(WebhookEndpoint::Chat, &signed("master", &body), &body).is_ok());
        let stranger = Err(Problem::not_allowed());
        for (endpoint, signature) in [
            (WebhookEndpoint::Platform, signed("master", &body)),
            (WebhookEndpoint::Chat, signed("own", &body)),
            (WebhookEndpoint::Platform, String::new()),
            (WebhookEndpoint::Platform, "zz".into()),
            (WebhookEndpoint::Platform, signed("own", &body)[..10].into()),
            (WebhookEndpoint::Platform, signed("own", &(body.clone() + " "))),
        ] {
            assert_eq!(ask(endpoint, &signature, &body), stranger);
        }
    }

    #[test]
    fn a_handoff_names_conversation_and_moment() {
        let Inbound::HandOff { id, key: found, asked: Asked::Event(event) } =
            heard(WebhookEndpoint::Platform, &event("handoff"))
        else {
            panic!("no handoff")
        };
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!((id.as_str(), found), ("e-1", key()));
        assert_eq!(event["about"], json!({ "reason": "angry", "topic": null, "summary": null }));
        assert_eq!((&event["user"], &event["context"]["context"]["plan"]), (&json!("ana"), &json!("pro")));
        assert_eq!(event["until"].as_u64().unwrap() - event["from"].as_u64().unwrap(), 59 * 60_000 + 58_000);
    }

    #[test]
    fn what_is_not_ours_is_nothing() {
        let mut of_another_agent = event("handoff");
        of_another_agent["data"]["ai_agent_id"] = json!("other");
        let mut of_another_app = event("handoff");
        of_another_app["app_id"] = json!("APP-2");
        let mut by_another_integration = event("handoff");
        by_another_integration["data"]["external_case"] = json!({ "case_id": "5", "type": "sprinklr" });
        let mut empty = event("message:user_sent");
        empty["data"]["message"]["content"] = json!("");
        let unknown = event("conversation:analyzed");
        for event in [by_another_integration, empty, unknown, json!({}), json!([1])] {
            assert_eq!(heard(WebhookEndpoint::Platform, &event), Inbound::Nothing, "{event}");
        }
        assert_eq!(heard(WebhookEndpoint::Platform, &of_another_agent), Inbound::Foreign("another-ai-agent"));
        assert_eq!(heard(WebhookEndpoint::Platform, &of_another_app), Inbound::Foreign("another-application"));
        assert_eq!(heard(WebhookEndpoint::Chat, &of_another_app), Inbound::Foreign("another-application"));
    }

    #[test]
    fn an_application_is_known_in_capitals_and_in_small_letters() {
        let mut small = event("message:user_sent");
        small["app_id"] = json!("app-1");
        let Inbound::Message { place, .. } = heard(WebhookEndpoint::Platform, &small) else { panic!("no message") };
        assert_eq!(place, Place::Conversation(key()), "the key stays that of the settings");
    }

    #[test]
    fn several_files_come_each_and_their_names_are_no_words() {
        let image = json!({ "url": "https://f/1", "file_name": "a.png", "file_type": "image/png", "file_size": 7 });
        let paper = json!({ "url": "https://f/2", "name": "aa.png", "type": "application/pdf", "require_auth": true });
        let sent = |text: &str| {
            json!({
                "category": "group_channel:message_send", "app_id": "APP-1", "type": "FILE",
                "payload": { "message_id": 1, "created_at": 5, "message": text, "files": [image, paper] },
                "sender": { "user_id": "ana" }, "channel": { "channel_url": "channel-1" },
            })
        };
        for (text, words) in [
            ("", None),
            ("a.png, aa.png", None),
            ("aa.png\na.png", None),
            ("aa.png", None),
            ("Both: a.png, aa.png", Some("Both: a.png, aa.png")),
            ("a.png", None),
        ] {
            let Inbound::Message { message, .. } = heard(WebhookEndpoint::Chat, &sent(text)) else {
                panic!("no files")
            };
            let urls: Vec<_> = message.parts.iter().map(|part| part.url.as_deref().unwrap()).collect();
            assert_eq!(urls, ["https://f/1", "https://f/2"]);
            assert_eq!((message.parts[0].kind, message.parts[0].bytes), (PartKind::Image, Some(7)));
            assert_eq!((message.parts[0].text.as_deref(), message.parts[1].text.as_deref()), (words, None), "{text}");
        }
        let listed = json!({
            "message_id": 1, "created_at": 5, "type": "FILE", "message": "a.png", "user": { "user_id": "ana" }, "files": [], "file": image,
        });
        let message = message(&listed, "ana", "helper").unwrap();
        assert_eq!((message.parts.len(), message.parts[0].text.as_deref()), (1, None));
    }

    #[test]
    fn a_time_that_cannot_be_read_fails_nothing() {
        let mut event = event("message:user_sent");
        event["data"]["sent_at"] = json!("2026-11-23T10:00:32.d25Z");
        let Inbound::Message { message, .. } = heard(WebhookEndpoint::Platform, &event) else { panic!("no message") };
        assert_eq!((message.id.as_str(), message.sender.role), ("12", SenderRole::EndUser));
        assert_eq!(message.sent_at, time::from_iso("2026-11-23T10:00:00.000Z").unwrap());
    }

    #[test]
    fn an_end_has_the_platforms_reason() {
        let end = heard(WebhookEndpoint::Platform, &event("conversation:closed"));
        assert_eq!(end, Inbound::Closed { id: "e-1".into(), key: key(), reason: CloseReason::UserLeft, rating: None });
    }

    #[test]
    fn a_rating_of_the_human_part_is_read_where_a_webhook_carries_one() {
        let rated = |category: &str| {
            let mut event = event(category);
            event["data"]["conversation"]["helpdesk_csat"] = json!(5);
            heard(WebhookEndpoint::Platform, &event)
        };
        let five = Rating { id: "helpdesk_csat".into(), score: 5, comment: None };
        assert_eq!(rated("conversation:analyzed"), Inbound::Rated { key: key(), rating: five.clone() });
        let Inbound::Closed { rating, .. } = rated("conversation:closed") else { panic!("no end") };
        assert_eq!(rating, Some(five));
    }

    #[test]
    fn files_come_in_both_forms_and_own_lines_never() {
        let sent = |payload: Value, kind: &str| {
            json!({
                "category": "group_channel:message_send", "app_id": "APP-1", "type": kind, "payload": payload,
                "sender": { "user_id": "ana", "nickname": "Ana" }, "channel": { "channel_url": "channel-1" },
            })
        };
        let flat = json!({ "message_id": 1, "created_at": 5, "url": "https://f/a.png", "filename": "a.png", "content_type": "image/png" });
        let nested = json!({ "message_id": 1, "created_at": 5, "file": { "url": "https://f/a.png", "name": "a.png", "type": "image/png" } });
        for payload in [flat, nested] {
            let Inbound::Message { place, message } = heard(WebhookEndpoint::Chat, &sent(payload, "FILE")) else {
                panic!("no file")
            };
            assert_eq!(place, Place::Channel("channel-1".into()));
            let part = &message.parts[0];
            assert_eq!(
                (part.kind, part.url.as_deref(), part.name.as_deref()),
                (PartKind::Image, Some("https://f/a.png"), Some("a.png"))
            );
        }
        let own = json!({ "message_id": 2, "created_at": 5, "message": "Hi", "custom_type": OWN });
        assert_eq!(heard(WebhookEndpoint::Chat, &sent(own, "MESG")), Inbound::Nothing);
        let line = json!({ "message_id": 3, "created_at": 5, "message": "Maya joined" });
        assert_eq!(heard(WebhookEndpoint::Chat, &sent(line, "ADMM")), Inbound::Nothing);
    }
}

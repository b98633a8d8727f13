//! The calls of the API.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::Config;
use super::delivery::Outgoing;
use super::store::{Draft, Kind, Store};
use super::webhooks::CATEGORIES;

/// A file in a form.
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// The fields of the JSON or form.
    pub(crate) fields: Value,
    pub(crate) file: Option<Upload>,
}

/// An error in the API's form.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: &'static str,
}

type Reply = Result<(Value, Vec<Outgoing>), Refusal>;

/// The one refusal whose code the vendor documents.
const NOT_FOUND: Refusal = Refusal { status: 400, code: 400_201, message: "Resource not found." };
// The codes and statuses of the others are assumed.
const EXISTS: Refusal = Refusal { status: 400, code: 400_202, message: "Resource already exists." };
const NOT_MEMBER: Refusal = Refusal { status: 400, code: 400_700, message: "The user is no member of the channel." };
const FORBIDDEN: Refusal = Refusal { status: 403, code: 400_108, message: "Not permitted." };
const NO_METHOD: Refusal = Refusal { status: 405, code: 400_111, message: "Method not allowed." };
pub(crate) const INVALID: Refusal = Refusal { status: 400, code: 400_111, message: "Invalid value." };
pub(crate) const NO_TOKEN: Refusal = Refusal { status: 401, code: 400_401, message: "Invalid value: \"Api-Token\"." };

/// How many users may be typing in one call (vendor SDK).
const MAX_TYPING: usize = 10;

/// Handles one call; also returns the webhooks that it causes.
pub(crate) fn answer(config: &Config, store: &mut Store, request: Request<'_>) -> Reply {
    let decoded: Vec<String> = request.path.trim_start_matches('/').split('/').map(decode).collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let body = &request.fields;
    let quiet = |value: Value| Ok((value, Vec::new()));
    match (request.method, segments.as_slice()) {
        ("POST", ["v3", "users"]) => {
            let id = text(body, "user_id").ok_or(INVALID)?;
            if store.users.contains_key(&id) {
                return Err(EXISTS);
            }
            store.users.insert(id, body.clone());
            quiet(body.clone())
        }
        ("GET", ["v3", "users", id]) => quiet(store.users.get(*id).cloned().ok_or(NOT_FOUND)?),
        ("PUT", ["v3", "users", id]) => {
            let user = store.users.get_mut(*id).ok_or(NOT_FOUND)?;
            for (name, value) in body.as_object().into_iter().flatten() {
                user[name] = value.clone();
            }
            quiet(user.clone())
        }
        (_, ["v3", "group_channels", channel, rest @ ..]) => {
            if !store.channels.contains_key(*channel) {
                return Err(NOT_FOUND);
            }
            of_channel(store, channel, rest, request)
        }
        (method, ["v3", "ai_agent", "ai_agents", agent, "channels", channel, "ai_agent_context"]) => {
            let found = store.channels.get_mut(*channel).filter(|_| *agent == config.ai_agent_id).ok_or(NOT_FOUND)?;
            match method {
                "GET" => quiet(found.context.clone()),
                "PUT" => {
                    // Replaces all of it (vendor documentation).
                    found.context = body.clone();
                    quiet(found.context.clone())
                }
                _ => Err(NO_METHOD),
            }
        }
        (method, ["v3", "ai_agent", "settings", "webhook"]) => {
            if !config.may_set_webhook {
                return Err(FORBIDDEN);
            }
            match method {
                "GET" => {}
                "PUT" => set_webhook(store, body)?,
                _ => return Err(NO_METHOD),
            }
            quiet(store.webhook_settings())
        }
        _ => Err(NOT_FOUND),
    }
}

fn set_webhook(store: &mut Store, body: &Value) -> Result<(), Refusal> {
    let wanted: Vec<&str> =
        body["category_subscriptions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_all = wanted == ["*"];
    if !is_all && wanted.iter().any(|one| !CATEGORIES.contains(one)) {
        return Err(INVALID);
    }
    for name in ["enabled", "url", "category_subscriptions"] {
        if !body[name].is_null() {
            store.webhook[name] = body[name].clone();
        }
    }
    // Made once and never changed (vendor documentation).
    if store.signature_secret.is_empty() {
        store.signature_secret = "signature-secret-of-the-ai-agents-webhook".to_owned();
    }
    Ok(())
}

fn of_channel(store: &mut Store, channel: &str, rest: &[&str], request: Request<'_>) -> Reply {
    let body = &request.fields;
    let quiet = |value: Value| Ok((value, Vec::new()));
    let users: Vec<String> =
        body["user_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    match (request.method, rest) {
        ("POST", ["invite"]) => {
            if users.iter().any(|user| !store.users.contains_key(user)) {
                return Err(NOT_FOUND);
            }
            users.iter().for_each(|user| store.join(channel, user));
            quiet(json!({ "channel_url": channel, "member_count": store.members(channel).len() }))
        }
        ("PUT", ["leave"]) => {
            users.iter().for_each(|user| store.leave(channel, user));
            quiet(json!({}))
        }
        ("POST", ["messages"]) => write(store, channel, request),
        ("GET", ["messages"]) => quiet(json!({ "messages": read(store, channel, request.query)? })),
        ("POST" | "DELETE", ["typing"]) if users.len() > MAX_TYPING => Err(INVALID),
        ("POST" | "DELETE", ["typing"]) | ("PUT", ["messages", "mark_as_read"]) => quiet(json!({})),
        (method, ["metadata"]) => {
            let found = store.channels.get_mut(channel).ok_or(NOT_FOUND)?;
            match method {
                "GET" => {}
                "POST" | "PUT" => found.metadata.extend(body["metadata"].as_object().cloned().unwrap_or_default()),
                "DELETE" => found.metadata.clear(),
                _ => return Err(NO_METHOD),
            }
            quiet(Value::Object(found.metadata.clone()))
        }
        _ => Err(NOT_FOUND),
    }
}

/// Messages around a time or a message; the time takes precedence.
fn read(store: &Store, channel: &str, query: &str) -> Result<Vec<Value>, Refusal> {
    let query: BTreeMap<&str, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name, decode(value))).collect();
    let number = |name: &str| query.get(name).map(|value| value.parse::<u64>().map_err(|_| INVALID)).transpose();
    let limit = |name: &str| match number(name)?.unwrap_or(15) {
        limit @ 0..=200 => Ok(usize::try_from(limit).unwrap_or(usize::MAX)),
        _ => Err(INVALID),
    };
    let (before, after) = (limit("prev_limit")?, limit("next_limit")?);
    let at = match (number("message_ts")?, number("message_id")?) {
        (Some(at), _) => at,
        (None, Some(id)) => store.time_of(channel, id).ok_or(NOT_FOUND)?,
        (None, None) => return Err(INVALID),
    };
    Ok(store.list(channel, at, before, after))
}

fn write(store: &mut Store, channel: &str, request: Request<'_>) -> Reply {
    let body = &request.fields;
    let dedup_id = text(body, "dedup_id");
    if let Some(first) = dedup_id.as_deref().and_then(|dedup_id| store.repeated(channel, dedup_id)) {
        return Ok((store.view(channel, first), Vec::new()));
    }
    let sender = text(body, "user_id").unwrap_or_default();
    let words = text(body, "message").unwrap_or_default();
    let kind = match body["message_type"].as_str() {
        Some("MESG") if !words.is_empty() => Kind::Text,
        Some("ADMM") if !words.is_empty() && sender.is_empty() => Kind::System,
        Some("FILE") if request.file.is_some() || body["url"].is_string() => Kind::File,
        _ => return Err(INVALID),
    };
    if kind != Kind::System && !store.is_member(channel, &sender) {
        return Err(NOT_MEMBER);
    }
    let custom_type = text(body, "custom_type").unwrap_or_default();
    let data = text(body, "data").unwrap_or_default();
    if custom_type.chars().count() > 128 {
        return Err(INVALID);
    }
    let file = match request.file {
        _ if kind != Kind::File => Value::Null,
        Some(file) => store.keep_file(&file.name, &file.media_type, &file.bytes),
        None => json!({
            "url": body["url"], "name": body["file_name"], "type": body["file_type"], "size": body["file_size"],
        }),
    };
    let id = store.add(channel, Draft { kind, sender, text: words, custom_type, data, file, dedup_id });
    Ok((store.view(channel, id), vec![store.chat_event(channel, id, "API")]))
}

fn text(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

pub(crate) fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

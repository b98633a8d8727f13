//! The calls of the API.

use serde_json::{Map, Value, json};

use super::Config;
use super::delivery::Outgoing;
use super::store::{CATEGORIES, Kind, Store};

pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
}

/// An error in the API's form.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: &'static str,
}

type Answer = Result<(Value, Vec<Outgoing>), Refusal>;

const NOT_FOUND: Refusal = Refusal { status: 400, code: 400_201, message: "Resource not found." };
const EXISTS: Refusal = Refusal { status: 400, code: 400_202, message: "Resource already exists." };
const NOT_MEMBER: Refusal = Refusal { status: 400, code: 400_700, message: "The user is no member of the channel." };
const INVALID: Refusal = Refusal { status: 400, code: 400_111, message: "Invalid value." };
const FORBIDDEN: Refusal = Refusal { status: 403, code: 400_108, message: "Not permitted." };

/// Answers one call; the webhooks that it causes besides.
pub(crate) fn answer(config: &Config, store: &mut Store, request: &Request<'_>) -> Answer {
    let decoded: Vec<String> = request.path.trim_start_matches('/').split('/').map(decode).collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let is_json = request.content_type.starts_with("application/json");
    let body: Value = if request.body.is_empty() || !is_json {
        json!({})
    } else {
        serde_json::from_slice(request.body).map_err(|_| INVALID)?
    };
    let quiet = |value: Value| Ok((value, Vec::new()));
    match (request.method, segments.as_slice()) {
        ("POST", ["v3", "users"]) => {
            let id = text(&body, "user_id").ok_or(INVALID)?;
            if store.users.contains_key(&id) {
                return Err(EXISTS);
            }
            store.users.insert(id, body.clone());
            quiet(body)
        }
        ("GET", ["v3", "users", id]) => quiet(store.users.get(*id).cloned().ok_or(NOT_FOUND)?),
        ("PUT", ["v3", "users", id]) => {
            let user = store.users.get_mut(*id).ok_or(NOT_FOUND)?;
            for (name, value) in body.as_object().into_iter().flatten() {
                user[name] = value.clone();
            }
            quiet(user.clone())
        }
        (method, ["v3", "group_channels", channel, rest @ ..]) => {
            if !store.channels.contains_key(*channel) {
                return Err(NOT_FOUND);
            }
            of_channel(store, method, channel, rest, request, &body)
        }
        (method, ["v3", "ai_agent", "ai_agents", agent, "channels", channel, "ai_agent_context"]) => {
            let found = store.channels.get_mut(*channel).filter(|_| *agent == config.ai_agent_id).ok_or(NOT_FOUND)?;
            match method {
                "GET" => quiet(found.context.clone()),
                "PUT" => {
                    // Replaces all of it (vendor documentation).
                    found.context = body;
                    quiet(found.context.clone())
                }
                _ => Err(NOT_FOUND),
            }
        }
        (method, ["v3", "ai_agent", "settings", "webhook"]) => {
            if !config.may_set_webhook {
                return Err(FORBIDDEN);
            }
            if method == "PUT" {
                set_webhook(store, &body)?;
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

fn of_channel(
    store: &mut Store,
    method: &str,
    channel: &str,
    rest: &[&str],
    request: &Request<'_>,
    body: &Value,
) -> Answer {
    let quiet = |value: Value| Ok((value, Vec::new()));
    let users: Vec<String> =
        body["user_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    match (method, rest) {
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
        ("POST", ["messages"]) => write(store, channel, request, body),
        ("GET", ["messages"]) => {
            let query: Map<String, Value> = request
                .query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), json!(decode(value))))
                .collect();
            let number = |name: &str| query.get(name).and_then(|value| value.as_str()?.parse::<u64>().ok());
            let limit = |name: &str| usize::try_from(number(name).unwrap_or(15)).unwrap_or(usize::MAX);
            let (before, after) = (limit("prev_limit"), limit("next_limit"));
            if before > 200 || after > 200 {
                return Err(INVALID);
            }
            let at = number("message_ts").ok_or(INVALID)?;
            quiet(json!({ "messages": store.list(channel, at, before, after) }))
        }
        ("POST" | "DELETE", ["typing"]) | ("PUT", ["messages", "mark_as_read"]) => quiet(json!({})),
        (_, ["metadata"]) => {
            let found = store.channels.get_mut(channel).ok_or(NOT_FOUND)?;
            if method != "GET" {
                let given = body["metadata"].as_object().cloned().unwrap_or_default();
                found.metadata.extend(given);
            }
            quiet(Value::Object(found.metadata.clone()))
        }
        _ => Err(NOT_FOUND),
    }
}

fn write(store: &mut Store, channel: &str, request: &Request<'_>, body: &Value) -> Answer {
    // Files as multipart are more than a bridge sends that has their address.
    if request.content_type.starts_with("multipart/") {
        return Err(INVALID);
    }
    let dedup_id = text(body, "dedup_id");
    if let Some(first) = dedup_id.as_deref().and_then(|dedup_id| store.repeated(channel, dedup_id)) {
        return Ok((store.view(channel, first), Vec::new()));
    }
    let sender = text(body, "user_id").unwrap_or_default();
    let words = text(body, "message").unwrap_or_default();
    let (kind, file) = match body["message_type"].as_str() {
        Some("MESG") if !words.is_empty() => (Kind::Text, Value::Null),
        Some("ADMM") if !words.is_empty() => (Kind::System, Value::Null),
        Some("FILE") if body["url"].is_string() => {
            let file = json!({
                "url": body["url"], "name": body["file_name"], "type": body["file_type"], "size": body["file_size"],
            });
            (Kind::File, file)
        }
        _ => return Err(INVALID),
    };
    if kind == Kind::System && !sender.is_empty() {
        return Err(INVALID);
    }
    if kind != Kind::System && !store.is_member(channel, &sender) {
        return Err(NOT_MEMBER);
    }
    let custom_type = text(body, "custom_type").unwrap_or_default();
    let data = text(body, "data").unwrap_or_default();
    if custom_type.len() > 128 {
        return Err(INVALID);
    }
    let id = store.add(channel, kind, &sender, &words, file, &custom_type, &data, dedup_id);
    Ok((store.view(channel, id), vec![store.chat_event(channel, id, "API")]))
}

fn text(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

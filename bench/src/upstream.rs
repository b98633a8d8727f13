//! Freshchat's responses for an unknown person. It is stateless, so it is equally fast for all sides.

use serde_json::{Value, json};

const USER: &str = "a534a6a6-b7fd-4b63-90ba-d0da572baaf1";
const CONVERSATION: &str = "ae843796-30af-49ee-a263-183773ef6508";

/// Status and body for a request. The shapes are those of the simulator.
pub fn answer(method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let path = path.split('?').next().unwrap_or(path);
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let (status, answer) = match (method, path) {
        ("GET", "/v2/users") => (200, json!({ "users": [], "pagination": { "total_items": 0, "total_pages": 0 } })),
        ("POST", "/v2/users") => (200, user(&sent)),
        ("POST", "/v2/conversations") => (200, conversation(&sent)),
        ("POST", path) if path.ends_with("/messages") => (200, message(0, &sent)),
        _ => (404, json!({ "code": 404, "status": "NOT_FOUND", "message": "nothing here" })),
    };
    (status, answer.to_string().into_bytes())
}

fn user(sent: &Value) -> Value {
    json!({
        "id": USER, "created_time": "2026-11-23T12:00:00.000Z", "updated_time": "2026-11-23T12:00:00.000Z",
        "email": sent["email"], "first_name": sent["first_name"], "last_name": sent["last_name"],
        "reference_id": sent["reference_id"], "avatar": {}, "properties": [], "social_profiles": [],
    })
}

fn conversation(sent: &Value) -> Value {
    let messages = sent["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let messages: Vec<Value> = messages.iter().enumerate().map(|(index, sent)| message(index, sent)).collect();
    json!({
        "conversation_id": CONVERSATION, "channel_id": sent["channel_id"], "status": "new",
        "users": [{ "id": USER }], "messages": messages,
    })
}

fn message(index: usize, sent: &Value) -> Value {
    json!({
        "id": format!("dca0c749-607e-4c86-b54b-3c40881e{index:04}"), "conversation_id": CONVERSATION,
        "freshchat_conversation_id": "1019183591792976", "created_time": "2026-11-23T12:00:00.000Z",
        "interaction_id": "1019183591792976-1795452413785", "user_id": USER,
        "actor_id": sent["actor_id"], "actor_type": sent["actor_type"], "channel_id": sent["channel_id"],
        "message_parts": sent["message_parts"], "message_type": sent["message_type"],
    })
}

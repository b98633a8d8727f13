//! The largest texts that the contract permits, with the most expensive content, within the host's default limits.

use handoff_host::bindings::{HandoffRequest, Mode};
use serde_json::json;

use crate::support::{Desk, SPOKEN, Talk, kinds, request, user_message};

const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;
const MAX_BODY_BYTES: usize = 256 * 1024;
/// Inputs that used to be slow, or that exercise the rules.
const COSTLY: [&str; 5] = ["eyJ-", "4111 ", "4\u{200b}", "<style></", "a@b.cd DE89"];

/// Repetitions of one token, up to this many bytes.
fn repeats(token: &str, bytes: usize) -> String {
    token.repeat(bytes / token.len())
}

fn busy(desk: Desk) -> Desk {
    let rules = json!(["card-numbers", "tokens", "email-addresses", "phone-numbers", "iban", "###-##-####"]);
    desk.set("masking", rules).set("max_message_chars", 20_000)
}

#[tokio::test]
async fn the_largest_message_is_relayed_with_any_content() {
    for (number, token) in COSTLY.into_iter().enumerate() {
        let mut talk = Talk::of(busy(Desk::connected().await), &request()).await;
        talk.relay(&user_message(&number.to_string(), &repeats(token, MAX_TEXT_BYTES))).await.unwrap();
    }
}

#[tokio::test]
async fn the_largest_ticket_is_filed_with_any_content() {
    for token in COSTLY {
        let desk = busy(Desk::new().await).with_tickets().connect_now().await;
        let summary = Some(repeats(token, MAX_TEXT_BYTES / 2));
        let ticket = HandoffRequest { mode: Mode::Ticket, summary, ..request() };
        desk.handoff(&ticket, None).await.result.unwrap();
    }
}

#[tokio::test]
async fn the_largest_webhook_is_read_with_any_content() {
    let mut talk = Talk::begin().await;
    for (number, token) in ["<style></", "<a href", "<", "&#", "<li><", "eyJ-"].into_iter().enumerate() {
        let content = repeats(token, MAX_BODY_BYTES - 4096);
        let body = json!({ "action": "message_create", "actor": { "actor_type": "agent", "actor_id": talk.desk.maya() }, "data": {
            "message": { "id": number.to_string(), "conversation_id": talk.id, "message_type": "normal", "actor_type": "agent",
                "actor_id": talk.desk.maya(), "message_parts": [{ "text": { "content": format!("{SPOKEN} {content}") } }] } } });
        let delivery = talk.desk.signed(body.to_string());
        let events = talk.hear_one(&delivery).await.events;
        assert_eq!(events.len(), 1, "{token}: {:?}", kinds(&events));
    }
}

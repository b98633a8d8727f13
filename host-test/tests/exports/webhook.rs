//! `on-webhook` at the door: signature, body, session, settings.

use freshworks_simulator::{KeyForm, WebhookFault};
use handoff_host::bindings::{Delivery, ErrorKind, EventKind};
use serde_json::{Value, json};

use crate::support::{
    Desk, NOW, Talk, kinds, of_simulator, plugin, reaching, refused, refused_as, refused_at_once, said, session_of,
};
use crate::watch::watched;

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "an_answer_of_a_human_agent_becomes_an_event"),
    ("invalid-settings", "without_a_usable_key_nothing_is_verified"),
    ("invalid-request", "a_session_that_is_none_is_refused"),
    ("invalid-signature", "a_signature_that_is_not_the_vendors_is_refused"),
    ("malformed", "a_signed_body_that_is_not_the_vendors_is_malformed"),
    ("unavailable", "a_message_whose_type_cannot_be_learned_has_to_come_again"),
];

#[tokio::test]
async fn a_message_whose_type_cannot_be_learned_has_to_come_again() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail_webhook(freshworks_simulator::WebhookFault::LoseMessageType);
    let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("Let me look")).await.unwrap();
    let list = freshworks_simulator::Match::path("/v2/conversations/*/messages").method("GET");
    talk.desk.sim.fail(freshworks_simulator::Fault::new(list, freshworks_simulator::How::status(503)).times(2));
    let refused = talk.desk.on_webhook(&of_simulator(&webhooks[0]), Some(&talk.session)).await;
    assert_eq!(crate::support::refused(refused).kind, ErrorKind::Unavailable);
    let update = talk.hear_one(&of_simulator(&webhooks[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::AgentMessage]);
}

#[tokio::test]
async fn an_answer_of_a_human_agent_becomes_an_event() {
    let mut talk = Talk::begin().await;
    let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("Let me look")).await.unwrap();
    let update = talk.hear_one(&of_simulator(&webhooks[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::AgentMessage]);
    let event = &update.events[0];
    let (agent, message) = (event.agent.as_ref().unwrap(), event.message.as_ref().unwrap());
    assert_eq!(agent.name.as_deref(), Some("Maya Chen"));
    assert_eq!(agent.avatar_url.as_deref(), Some("https://avatars.example/maya-chen.png"));
    assert_eq!(agent.id, Some(talk.desk.maya()));
    assert_eq!(message.sender.name, agent.name);
    assert_eq!(message.parts[0].text, Some(said("Let me look")));
    let stored = talk.conversation().messages.pop().unwrap();
    assert_eq!((&message.id, message.sent_at), (&stored.id, stored.created_ms as u64));
    assert!(event.at >= message.sent_at, "the vendor's clock, not ours");
    assert_eq!(event.conversation_id.as_deref(), Some(talk.id.as_str()));
    assert_eq!(update.info.unwrap().state, handoff_host::bindings::SessionState::Active);
}

fn vector() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/webhook/signature-test-vector.2019.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn the_published_signature_is_accepted_and_one_changed_byte_is_not() {
    let vector = vector();
    let text = |name: &str| vector[name].as_str().unwrap().to_owned();
    let settings = json!({ "chat_url": "acme", "webhook_public_key": text("public_key_as_published") }).to_string();
    let deliver = async |signature: &str, body: &str| {
        let headers = vec![(text("header"), signature.to_owned())];
        let delivery = Delivery { headers, body: body.to_owned(), received_at: NOW };
        watched(plugin().on_webhook(&reaching(&[]), &settings, &delivery, None).await)
    };
    let (body, signature) = (text("raw_body"), text("valid_signature"));
    assert_eq!(body.len(), 554);
    let update = deliver(&signature, &body).await.result.unwrap();
    assert_eq!(update.events[0].detail.as_deref(), Some("end-user-message"));

    for place in [0, 100, 553] {
        let mut changed = body.clone().into_bytes();
        changed[place] ^= 1;
        refused_as(deliver(&signature, &String::from_utf8(changed).unwrap()).await, ErrorKind::InvalidSignature);
    }
    refused_as(deliver(&text("invalid_signature"), &body).await, ErrorKind::InvalidSignature);
    refused_as(deliver(&signature, &format!("{body}\n")).await, ErrorKind::InvalidSignature);
    let rewritten = serde_json::from_str::<Value>(&body).unwrap().to_string();
    refused_as(deliver(&signature, &rewritten).await, ErrorKind::InvalidSignature);
}

/// A genuine webhook that says something.
async fn genuine() -> (Talk, Delivery) {
    let talk = Talk::begin().await;
    let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("Let me look")).await.unwrap();
    let delivery = of_simulator(&webhooks[0]);
    (talk, delivery)
}

#[tokio::test]
async fn the_header_is_found_under_any_spelling_and_among_others() {
    let (talk, delivery) = genuine().await;
    let signature = talk.desk.sim.sign(delivery.body.as_bytes());
    for name in ["x-freshchat-signature", "X-Freshchat-Signature", "X-FreshChat-Signature", "X-FRESHCHAT-SIGNATURE"] {
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (name.to_owned(), format!(" {signature} ")),
            ("x-retry-count".to_owned(), "0".to_owned()),
        ];
        let delivery = Delivery { headers, ..delivery.clone() };
        assert_eq!(talk.desk.on_webhook(&delivery, None).await.result.unwrap().events.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_signature_that_is_not_the_vendors_is_refused() {
    let (talk, delivery) = genuine().await;
    let good = talk.desk.sim.sign(delivery.body.as_bytes());
    let of_other_body = talk.desk.sim.sign(b"{}");
    let header = |value: &str| ("X-Freshchat-Signature".to_owned(), value.to_owned());
    for (what, headers) in [
        ("missing", Vec::new()),
        ("another header", vec![("X-Hub-Signature".to_owned(), good.clone())]),
        ("empty", vec![header("")]),
        ("not base64", vec![header("!!! not base64 !!!")]),
        ("url-safe base64", vec![header(&good.replace('+', "-").replace('/', "_").replacen(&good[..4], "-_-_", 1))]),
        ("too short", vec![header(&good[..200])]),
        ("too long", vec![header(&format!("AAAA{good}"))]),
        ("of another body", vec![header(&of_other_body)]),
        (
            "one letter changed",
            vec![header(&format!("{}{}", if good.starts_with('A') { 'B' } else { 'A' }, &good[1..]))],
        ),
        ("doubled", vec![header(&good), header(&good)]),
        ("doubled, the second wrong", vec![header(&good), header(&of_other_body)]),
        ("joined", vec![header(&format!("{good}, {good}"))]),
        ("all zeros", vec![header(&format!("{}A==", "A".repeat(341)))]),
    ] {
        let delivery = Delivery { headers, ..delivery.clone() };
        for session in [None, Some(talk.session.as_str())] {
            let call = talk.desk.on_webhook(&delivery, session).await;
            assert!(call.report.http.is_empty(), "{what}: nothing is asked for before the signature is right");
            let error = refused(call);
            assert_eq!(error.kind, ErrorKind::InvalidSignature, "{what}");
            assert!(error.remedy.is_some() && error.session.is_none());
        }
    }
}

#[tokio::test]
async fn a_body_that_was_altered_is_refused() {
    let (talk, delivery) = genuine().await;
    let text = delivery.body.clone();
    for altered in [
        text.replace("Let me look", "Let me cook"),
        format!("{text} "),
        text[..text.len() - 1].to_owned(),
        serde_json::from_str::<Value>(&text).unwrap().to_string(),
        String::new(),
    ] {
        let delivery = Delivery { body: altered, ..delivery.clone() };
        refused_as(talk.desk.on_webhook(&delivery, Some(&talk.session)).await, ErrorKind::InvalidSignature);
    }
}

#[tokio::test]
async fn a_signature_by_another_key_is_refused() {
    let mut talk = Talk::begin().await;
    for fault in [WebhookFault::WrongKey, WebhookFault::CorruptSignature, WebhookFault::StripSignature] {
        talk.desk.sim.fail_webhook(fault);
        let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
        let call = talk.desk.on_webhook(&of_simulator(&webhooks[0]), Some(&talk.session)).await;
        refused_as(call, ErrorKind::InvalidSignature);
    }
    let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
    assert_eq!(kinds(&talk.hear(&webhooks).await), [EventKind::AgentMessage]);
}

#[tokio::test]
async fn without_a_usable_key_nothing_is_verified() {
    let (talk, delivery) = genuine().await;
    let good = talk.desk.sim.public_key(KeyForm::BareBase64);
    for key in
        [Value::Null, "".into(), "garbage".into(), good[..good.len() - 8].into(), json!("-----BEGIN PRIVATE KEY-----")]
    {
        let desk = Desk::new().await.set("webhook_public_key", key.clone());
        let error = refused_at_once(desk.on_webhook(&delivery, None).await);
        assert_eq!(error.kind, ErrorKind::InvalidSettings, "{key}");
        assert_eq!(error.field.as_deref(), Some("settings.webhook_public_key"));
        assert!(error.remedy.is_some());
    }
}

#[tokio::test]
async fn a_session_that_is_none_is_refused() {
    let (talk, delivery) = genuine().await;
    for session in ["", "{}", &session_of(b"fwh1"), &talk.session[1..]] {
        let error = refused_at_once(talk.desk.on_webhook(&delivery, Some(session)).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
    }
    let large = talk.desk.signed(" ".repeat((256 << 10) + 1));
    let error = refused_at_once(talk.desk.on_webhook(&large, None).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("delivery.body")));
}

#[tokio::test]
async fn a_signed_body_that_is_not_the_vendors_is_malformed() {
    let talk = Talk::begin().await;
    let nested = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for body in [
        "",
        "xylomar",
        "null",
        "[]",
        "\"xylomar\"",
        "\u{feff}{}",
        "\u{fffd}\0",
        "{",
        "{\"action\":",
        "{}",
        &nested,
        r#"{"action":"message_create"}"#,
        r#"{"action":"message_create","data":{}}"#,
        r#"{"action":"message_create","data":{"message":{}}}"#,
        r#"{"action":"message_create","data":{"message":"xylomar"}}"#,
        r#"{"action":"conversation_assignment","data":{"resolve":{}}}"#,
        r#"{"action":"conversation_resolution","data":[]}"#,
        r#"{"action":"conversation_reopen"}"#,
    ] {
        for session in [None, Some(talk.session.as_str())] {
            let error = refused_at_once(talk.desk.on_webhook(&talk.desk.signed(body), session).await);
            assert_eq!(error.kind, ErrorKind::Malformed, "{body:.60}");
            assert!(error.log.is_some());
        }
    }
}

#[tokio::test]
async fn the_largest_body_is_read() {
    let talk = Talk::begin().await;
    let body = json!({
        "actor": { "actor_type": "agent", "actor_id": talk.desk.maya() },
        "action": "message_create",
        "data": { "message": {
            "id": "m-1", "conversation_id": talk.id, "actor_type": "agent", "actor_id": talk.desk.maya(),
            "message_type": "normal", "message_parts": [{ "text": { "content": "x".repeat((256 << 10) - 1_000) } }],
        } },
    });
    let update = talk.desk.on_webhook(&talk.desk.signed(body.to_string()), Some(&talk.session)).await.result.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::AgentMessage]);
}

//! `on-webhook` after verification: events, ignored webhooks, parts, names.

use freshworks_simulator::{Action, Assignee, Fault, How, Match, UserSpec, WebhookFault};
use handoff_host::bindings::{EventKind, Outcome, Owner, PartKind, SenderRole, SessionState};
use serde_json::{Value, json};

use crate::support::{Desk, Talk, ignored, kinds, of_simulator, request, said, user_message};

/// A webhook of this talk's conversation; `fields` are added to the message, or replace existing ones.
fn message_body(talk: &Talk, fields: Value) -> String {
    let mut message = json!({
        "message_parts": [{ "text": { "content": said("hello") } }],
        "id": "m-1",
        "conversation_id": talk.id,
        "message_type": "normal",
        "actor_type": "agent",
        "actor_id": talk.desk.maya(),
        "created_time": "2026-11-22T10:00:00.000Z",
    });
    for (name, value) in fields.as_object().unwrap() {
        message[name] = value.clone();
    }
    let body = json!({
        "actor": { "actor_type": message["actor_type"], "actor_id": message["actor_id"] },
        "action": "message_create",
        "action_time": "2026-11-22T10:00:00.009Z",
        "data": { "message": message },
    });
    body.to_string()
}

#[tokio::test]
async fn what_is_not_for_the_end_user_is_ignored_with_a_word() {
    let blank = json!([{ "text": { "content": " \n" } }]);
    for (fields, word) in [
        (json!({ "message_type": "private" }), "private-note"),
        (json!({ "message_type": "whisper" }), "private-note"),
        (json!({ "botsPrivateNote": true }), "private-note"),
        (json!({ "message_type": null, "botsPrivateNote": true }), "private-note"),
        (json!({ "message_type": "private", "actor_type": "system" }), "private-note"),
        (json!({ "message_type": "private", "conversation_id": "c-2" }), "foreign-conversation"),
        (json!({ "actor_type": "user", "actor_id": "u-1" }), "end-user-message"),
        (json!({ "actor_type": "system", "actor_id": "s-1" }), "system-message"),
        (json!({ "actor_type": "bot", "actor_id": "b-1" }), "system-message"),
        (json!({ "actor_type": "agent", "actor_id": "" }), "system-message"),
        (json!({ "message_type": "system" }), "system-message"),
        (json!({ "message_parts": [] }), "empty-message"),
        (json!({ "message_parts": blank }), "empty-message"),
        (json!({ "conversation_id": "c-2" }), "foreign-conversation"),
        (json!({ "conversation_id": null }), "not-a-conversation-event"),
        (json!({ "conversation_id": "" }), "not-a-conversation-event"),
    ] {
        let mut talk = Talk::begin().await;
        let body = message_body(&talk, fields.clone());
        let before = talk.session.clone();
        let update = talk.hear_one(&talk.desk.signed(body)).await;
        assert_eq!(ignored(&update.events), word, "{fields}");
        assert!(update.events[0].message.is_none() && update.events[0].agent.is_none(), "no content: {fields}");
        assert_eq!(talk.session, before, "{fields}");
        assert!(talk.desk.lines().is_empty(), "there is no look-up: {fields}");
    }
}

#[tokio::test]
async fn private_notes_of_the_product_are_not_passed_on_with_or_without_a_session() {
    let mut talk = Talk::begin().await;
    let webhooks = talk.desk.sim.note(&talk.id, &talk.desk.maya(), &said("she is angry")).await.unwrap();
    assert_eq!(ignored(&talk.hear(&webhooks).await), "private-note");
    let update = talk.desk.on_webhook(&of_simulator(&webhooks[0]), None).await.result.unwrap();
    assert_eq!(ignored(&update.events), "private-note");
}

#[tokio::test]
async fn echoes_of_what_we_wrote_are_ignored() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example").connect_now().await;
    let receipt = desk.handoff(&crate::support::long_request(), None).await.result.unwrap();
    desk.sim.settled().await;
    let mut talk = Talk { id: receipt.info.conversation_ids[0].clone(), session: receipt.session, desk };
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    talk.desk.sim.settled().await;
    let echoes = talk.desk.sim.deliveries();
    assert!(echoes.len() >= 2);
    for echo in &echoes {
        let with = talk.hear(std::slice::from_ref(echo)).await;
        ignored(&with);
        let without = talk.desk.on_webhook(&of_simulator(echo), None).await.result.unwrap();
        ignored(&without.events);
    }
}

#[tokio::test]
async fn an_echo_of_our_note_that_lost_its_type_is_known_by_its_id() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example").connect_now().await;
    desk.sim.fail_webhooks_of(Action::MessageCreate, WebhookFault::LoseMessageType, 10);
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    desk.sim.settled().await;
    let mut talk = Talk { id: receipt.info.conversation_ids[0].clone(), session: receipt.session, desk };
    let echoes = talk.desk.sim.deliveries();
    assert_eq!(echoes.len(), 3);
    for echo in &echoes {
        assert_eq!(ignored(&talk.hear(std::slice::from_ref(echo)).await), "own-message");
    }
}

#[tokio::test]
async fn messages_of_other_topics_and_conversations_are_ignored() {
    let mut talk = Talk::begin().await;
    let user = talk.desk.sim.seed_user(UserSpec::default());
    let inbox = talk.desk.sim.topic_id("Inbox").unwrap();
    let (elsewhere, _) = talk.desk.sim.user_starts(&inbox, &user, &said("hello")).await.unwrap();
    let webhooks = talk.desk.sim.reply(&elsewhere, &talk.desk.maya(), &said("hello")).await.unwrap();
    assert_eq!(ignored(&talk.hear(&webhooks).await), "foreign-conversation");
    let without = talk.desk.on_webhook(&of_simulator(&webhooks[0]), None).await.result.unwrap();
    assert_eq!(ignored(&without.events), "foreign-channel");
    assert!(without.session.is_none() && without.info.is_none());

    let ours = talk.desk.sim.topic_id(crate::support::TOPIC).unwrap();
    let (other, _) = talk.desk.sim.user_starts(&ours, &user, &said("hello")).await.unwrap();
    let webhooks = talk.desk.sim.reply(&other, &talk.desk.maya(), &said("hello")).await.unwrap();
    assert_eq!(ignored(&talk.hear(&webhooks).await), "foreign-conversation");
    let without = talk.desk.on_webhook(&of_simulator(&webhooks[0]), None).await.result.unwrap();
    assert_eq!(
        kinds(&without.events),
        [EventKind::AgentMessage],
        "without a session it may be any conversation of the topic"
    );
}

#[tokio::test]
async fn unknown_actions_are_acknowledged() {
    let mut talk = Talk::begin().await;
    for body in [
        json!({ "action": "conversation_summarised", "data": { "summary": { "text": said("secret") } } }),
        json!({ "action": "user_create", "data": {} }),
        json!({ "event_type": "outbound_message_event", "data": {} }),
    ] {
        let update = talk.hear_one(&talk.desk.signed(body.to_string())).await;
        assert_eq!(ignored(&update.events), "unknown-action", "{body}");
        assert_eq!(update.events[0].conversation_id, None);
    }
}

#[tokio::test]
async fn a_duplicate_is_recognised_and_has_the_same_id() {
    let mut talk = Talk::begin().await;
    let stored = talk.session.clone();
    let maya = talk.desk.maya();
    let mut webhooks = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    webhooks.extend(talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap());
    webhooks.extend(talk.desk.sim.resolve(&talk.id, &maya).await.unwrap());
    let first = talk.hear(&webhooks).await;
    assert_eq!(
        kinds(&first),
        [EventKind::AgentAssigned, EventKind::AgentMessage, EventKind::Resolved, EventKind::ReturnedToAi]
    );
    for webhook in &webhooks {
        assert_eq!(ignored(&talk.hear(std::slice::from_ref(webhook)).await), "duplicate");
    }
    // The platform lost its state: identical ids let it drop what it has shown.
    talk.session = stored;
    let again = talk.hear(&webhooks).await;
    let ids = |events: &[handoff_host::bindings::Event]| events.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&first));
    let mut distinct = ids(&first);
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), first.len());
}

#[tokio::test]
async fn a_human_agent_is_looked_up_once() {
    let mut talk = Talk::begin().await;
    for number in 0..3 {
        let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said(&format!("{number}"))).await.unwrap();
        let events = talk.hear(&webhooks).await;
        assert_eq!(events[0].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"));
    }
    assert_eq!(talk.desk.lines(), [format!("GET /v2/agents/{}", talk.desk.maya())]);
    let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.tom(), &said("hello")).await.unwrap();
    let events = talk.hear(&webhooks).await;
    let tom = events[0].agent.as_ref().unwrap();
    assert_eq!((tom.name.as_deref(), tom.avatar_url.as_deref()), (Some("Tom Okafor"), None));
    assert_eq!(talk.desk.lines().len(), 2);
}

#[tokio::test]
async fn a_message_without_a_name_is_better_than_none() {
    for how in [How::status(500), How::status(404), How::status(401), How::rate_limit(1), How::Cut, How::Garbage] {
        let mut talk = Talk::begin().await;
        talk.desk.sim.fail(Fault::new(Match::path("/v2/agents/*"), how.clone()));
        let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
        let events = talk.hear(&webhooks).await;
        assert_eq!(kinds(&events), [EventKind::AgentMessage], "{how:?}");
        let agent = events[0].agent.as_ref().unwrap();
        assert_eq!((agent.role, agent.name.as_deref()), (SenderRole::HumanAgent, None));
        assert_eq!(agent.id, Some(talk.desk.maya()));

        let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("again")).await.unwrap();
        let events = talk.hear(&webhooks).await;
        assert_eq!(events[0].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"), "it is tried again");
    }
}

#[tokio::test]
async fn an_agent_without_a_name_is_not_shown_by_address() {
    let config = freshworks_simulator::Config {
        agents: vec![freshworks_simulator::AgentSpec::named("", "shy@acme.example")],
        ..Default::default()
    };
    let mut talk = Talk::of(Desk::of(config).await.connect_now().await, &request()).await;
    let shy = talk.desk.sim.agents()[0].id.clone();
    let webhooks = talk.desk.sim.reply(&talk.id, &shy, &said("hello")).await.unwrap();
    assert_eq!(talk.hear(&webhooks).await[0].agent.as_ref().unwrap().name, None);
}

#[tokio::test]
async fn every_kind_of_part_arrives() {
    let mut talk = Talk::begin().await;
    let file = json!({ "name": "a.pdf", "url": "https://x/a.pdf", "file_size_in_bytes": 9, "content_type": "application/pdf" });
    let parts = vec![
        json!({ "text": { "content": said("look") } }),
        json!({ "text": { "content": "  " } }),
        json!({ "image": { "url": "https://x/i.png" } }),
        json!({ "file": file }),
        json!({ "url_button": { "label": "Open", "url": "https://x" } }),
        json!({ "quick_reply_button": { "label": "Yes" } }),
        json!({ "quick_reply_button": { "label": "No" } }),
        json!({ "collection": { "sub_parts": [{ "text": { "content": "inner" } }, { "hologram": { "depth": 3 } }] } }),
    ];
    let webhooks = talk.desk.sim.reply_parts(&talk.id, &talk.desk.maya(), parts).await.unwrap();
    let events = talk.hear(&webhooks).await;
    let parts = &events[0].message.as_ref().unwrap().parts;
    let found: Vec<PartKind> = parts.iter().map(|part| part.kind).collect();
    use PartKind::{Button, Choices, File, Image, Text, Unsupported};
    assert_eq!(found, [Text, Image, File, Button, Choices, Text, Unsupported]);
    assert_eq!(parts[1].url.as_deref(), Some("https://x/i.png"));
    assert_eq!((parts[2].name.as_deref(), parts[2].bytes), (Some("a.pdf"), Some(9)));
    assert_eq!((parts[3].text.as_deref(), parts[3].url.as_deref()), (Some("Open"), Some("https://x")));
    assert_eq!(parts[4].choices.as_deref().unwrap(), ["Yes", "No"]);
    assert_eq!(parts[6].text.as_deref(), Some("[hologram]"));
}

#[tokio::test]
async fn a_file_whose_address_the_webhook_lost_is_looked_up() {
    let lost = async |fault: Option<Fault>| {
        let mut talk = Talk::begin().await;
        talk.desk.sim.fail_webhook(WebhookFault::LoseAttachmentUrl);
        let file = json!({ "file": { "name": "a.pdf", "url": "https://x/a.pdf" } });
        let webhooks = talk.desk.sim.reply_parts(&talk.id, &talk.desk.maya(), vec![file]).await.unwrap();
        fault.into_iter().for_each(|fault| talk.desk.sim.fail(fault));
        let events = talk.hear(&webhooks).await;
        let part = events[0].message.clone().unwrap().parts.remove(0);
        assert_eq!((part.kind, part.name.as_deref()), (PartKind::File, Some("a.pdf")));
        part.url
    };
    assert_eq!(lost(None).await.as_deref(), Some("https://x/a.pdf"));
    let list = Fault::new(Match::path("/v2/conversations/*/messages"), How::status(500)).times(2);
    assert_eq!(lost(Some(list)).await, None, "the message does not wait for it");
}

#[tokio::test]
async fn a_conversation_is_known_by_its_numeric_id_too() {
    let mut talk = Talk::begin().await;
    let number = talk.conversation().internal_id.to_string();
    let body = message_body(&talk, json!({ "conversation_id": null, "freshchat_conversation_id": number }));
    let update = talk.hear_one(&talk.desk.signed(body)).await;
    assert_eq!(kinds(&update.events), [EventKind::AgentMessage]);
    assert_eq!(update.events[0].conversation_id, Some(number));
}

#[tokio::test]
async fn times_that_cannot_be_read_are_replaced_by_the_time_of_receipt() {
    let mut talk = Talk::begin().await;
    let body = json!({
        "action": "message_create", "action_time": "yesterday",
        "data": { "message": {
            "id": 77, "conversation_id": talk.id, "actor_type": "agent", "actor_id": talk.desk.maya(),
            "message_type": "normal", "message_parts": [{ "text": { "content": said("hi") } }], "created_time": null,
        } },
    });
    let update = talk.hear_one(&talk.desk.signed(body.to_string())).await;
    assert_eq!(
        (update.events[0].at, update.events[0].message.as_ref().unwrap().sent_at),
        (crate::support::NOW, crate::support::NOW)
    );
    assert_eq!(update.events[0].message.as_ref().unwrap().id, "77");
}

#[tokio::test]
async fn a_webhook_without_a_session_is_complete() {
    let talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let mut webhooks = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    webhooks.extend(talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap());
    webhooks.extend(talk.desk.sim.resolve(&talk.id, &maya).await.unwrap());
    webhooks.extend(talk.desk.sim.reopen(&talk.id, &maya).await.unwrap());
    let mut found = Vec::new();
    for webhook in &webhooks {
        let update = talk.desk.on_webhook(&of_simulator(webhook), None).await.result.unwrap();
        assert!(update.session.is_none() && update.info.is_none());
        assert_eq!(update.events[0].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"));
        found.extend(kinds(&update.events));
    }
    assert_eq!(found, [EventKind::AgentAssigned, EventKind::AgentMessage, EventKind::Resolved, EventKind::Reopened]);
}

#[tokio::test]
async fn the_end_hands_back_once() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    let update = talk.hear_one(&of_simulator(&resolved[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::Resolved, EventKind::ReturnedToAi]);
    assert_eq!(update.events[0].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"));
    assert_eq!(update.events[1].outcome, Some(Outcome::Resolved));
    let info = update.info.unwrap();
    assert_eq!((info.state, info.owner), (SessionState::Returned, Owner::AiAgent));
}

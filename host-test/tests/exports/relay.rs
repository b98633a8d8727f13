//! `relay`: the end user's messages reach the human agents once.

use freshworks_simulator::{ActorType, Fault, How, Match, MessageType, SendToResolved, Status};
use handoff_host::bindings::{CloseReason, ErrorKind, Message, Part, PartKind, SenderRole};

use crate::support::{
    Desk, NOW, SPOKEN, Talk, codes, count_of, message, nowhere, part, reaching, refused_as, refused_at_once, request,
    said, session_bytes, session_of, texts, user_message,
};

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "a_text_arrives_once_in_the_name_of_the_user"),
    ("invalid-settings", "unusable_settings_are_refused"),
    ("invalid-request", "what_cannot_be_relayed_is_refused_before_any_request"),
    ("unauthorized", "each_trouble_of_the_account_has_its_kind"),
    ("not-found", "a_user_or_topic_that_is_gone_cannot_be_relayed_for"),
    ("rejected", "each_trouble_of_the_account_has_its_kind"),
    ("rate-limited", "each_trouble_of_the_account_has_its_kind"),
    ("unavailable", "an_account_that_cannot_be_reached_is_unavailable"),
    ("outcome-unknown", "each_trouble_of_the_account_has_its_kind"),
    ("malformed", "a_look_up_that_is_not_json_is_malformed"),
];

#[tokio::test]
async fn a_text_arrives_once_in_the_name_of_the_user() {
    let mut talk = Talk::begin().await;
    let text = said("  It is blue,\n\n\twith a <b>bow</b> & ünïcödé 🙂");
    let update = talk.relay(&user_message("m1", &text)).await.unwrap();
    assert!(update.events.is_empty() && update.findings.is_empty());
    assert_eq!(talk.desk.lines().len(), 1);
    let conversation = talk.conversation();
    let (actor, kind, arrived) = texts(&conversation).pop().unwrap();
    assert_eq!((actor, kind, arrived.as_str()), (ActorType::User, MessageType::Normal, text.trim()));
    assert_eq!(conversation.messages.last().unwrap().actor.id, conversation.user_id);
}

#[tokio::test]
async fn a_repeated_id_is_not_sent_again() {
    let mut talk = Talk::begin().await;
    let message = user_message("m1", &said("hello"));
    talk.relay(&message).await.unwrap();
    talk.desk.sim.clear_journal();
    let update = talk.relay(&message).await.unwrap();
    assert!(talk.desk.lines().is_empty() && update.findings.is_empty());
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

#[tokio::test]
async fn the_same_words_under_another_id_are_said_again() {
    let mut talk = Talk::begin().await;
    for id in ["m1", "m2", "m3"] {
        talk.relay(&user_message(id, &said("yes"))).await.unwrap();
    }
    assert_eq!(count_of(&talk.conversation(), &said("yes")), 3);
}

#[tokio::test]
async fn a_long_text_is_split_and_complete() {
    let mut talk = Talk::begin().await;
    let before = texts(&talk.conversation()).len();
    let text: String = (0..3_000).map(|number| format!("line {number} é🙂 {SPOKEN}\n")).collect();
    talk.relay(&user_message("m1", &text)).await.unwrap();
    let pieces: Vec<String> = texts(&talk.conversation()).into_iter().skip(before).map(|(.., text)| text).collect();
    assert!(pieces.len() > 10);
    assert!(pieces.iter().all(|piece| piece.chars().count() <= 5_000));
    assert_eq!(pieces.join("\n"), text.trim_end());
}

#[tokio::test]
async fn a_long_text_without_line_ends_is_split_between_characters() {
    let mut talk = Talk::of(Desk::connected().await.set("max_message_chars", 500), &request()).await;
    let before = texts(&talk.conversation()).len();
    let text = format!("{SPOKEN}{}", "日本語🙂".repeat(700));
    talk.relay(&user_message("m1", &text)).await.unwrap();
    let pieces: Vec<String> = texts(&talk.conversation()).into_iter().skip(before).map(|(.., text)| text).collect();
    assert!(pieces.iter().all(|piece| piece.chars().count() <= 500));
    assert_eq!(pieces.concat(), text);
}

#[tokio::test]
async fn files_arrive_as_lines_that_can_be_read_and_that_is_said() {
    let mut talk = Talk::begin().await;
    let file = Part {
        text: Some(said("my receipt")),
        url: Some("https://files.example/r.pdf".into()),
        name: Some("receipt.pdf".into()),
        media_type: Some("application/pdf".into()),
        bytes: Some(20_480),
        ..part(PartKind::File)
    };
    let picture = Part { url: Some("https://files.example/p.png".into()), ..part(PartKind::Image) };
    let with_files = Message { parts: vec![file, picture], ..user_message("m1", "") };
    let update = talk.relay(&with_files).await.unwrap();
    assert_eq!(codes(&update.findings), ["file-as-link"]);
    let arrived = texts(&talk.conversation()).pop().unwrap().2;
    let receipt = format!("{} [file: receipt.pdf, 20 KB] https://files.example/r.pdf", said("my receipt"));
    assert_eq!(arrived, format!("{receipt}\n[image] https://files.example/p.png"));
}

#[tokio::test]
async fn choices_and_buttons_can_be_read_too() {
    let mut talk = Talk::begin().await;
    let choices =
        Part { text: Some(said("Which one")), choices: Some(vec!["A".into(), "B".into()]), ..part(PartKind::Choices) };
    let button = Part { text: Some("Open".into()), url: Some("https://x.example".into()), ..part(PartKind::Button) };
    talk.relay(&Message { parts: vec![choices, button], ..user_message("m1", "") }).await.unwrap();
    let arrived = texts(&talk.conversation()).pop().unwrap().2;
    assert_eq!(arrived, format!("{}\n[choices: A | B]\n[button: Open] https://x.example", said("Which one")));
}

#[tokio::test]
async fn what_cannot_be_relayed_is_refused_before_any_request() {
    let talk = Talk::begin().await;
    let spoken = said("hello");
    for (message, field) in [
        (user_message("", &spoken), "message.id"),
        (Message { parts: Vec::new(), ..user_message("m1", "") }, "message.parts"),
        (message("m1", SenderRole::AiAgent, None, &spoken), "message.sender.role"),
        (message("m1", SenderRole::HumanAgent, None, &spoken), "message.sender.role"),
        (message("m1", SenderRole::System, None, &spoken), "message.sender.role"),
    ] {
        let error = refused_at_once(talk.desk.relay(&talk.session, &message).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some(field)));
        assert!(error.remedy.is_some());
    }
    let mut damaged = session_bytes(&talk.session);
    damaged[9] ^= 1;
    for session in ["", &session_of(b"fwh2"), &session_of(&damaged)] {
        let error = refused_at_once(talk.desk.relay(session, &user_message("m1", &spoken)).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
    }
}

#[tokio::test]
async fn a_conversation_that_is_not_with_human_agents_is_refused() {
    let mut talk = Talk::begin().await;
    let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    talk.hear(&resolved).await;
    let error = refused_at_once(talk.desk.relay(&talk.session, &user_message("m1", &said("hello"))).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
    assert!(error.message.contains("returned"), "{}", error.message);

    let mut talk = Talk::begin().await;
    talk.close(CloseReason::UserLeft).await.unwrap();
    refused_as(talk.desk.relay(&talk.session, &user_message("m1", "hello")).await, ErrorKind::InvalidRequest);

    let desk = Desk::connected().await;
    desk.sim.fail(Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut).after_effect());
    let begun = crate::support::refused(desk.handoff(&request(), None).await).session.unwrap();
    refused_as(desk.relay(&begun, &user_message("m1", "hello")).await, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn unusable_settings_are_refused() {
    let mut talk = Talk::begin().await;
    talk.desk = talk.desk.set("test_origin", serde_json::Value::Null).set("chat_url", "acme.freshdesk.com");
    let error = refused_at_once(talk.desk.relay(&talk.session, &user_message("m1", "hello")).await);
    assert_eq!(error.kind, ErrorKind::InvalidSettings);
}

fn sends() -> Match {
    Match::path("/v2/conversations/*/messages").method("POST")
}

#[tokio::test]
async fn each_trouble_of_the_account_has_its_kind() {
    for (how, kind) in [
        (How::status(401), ErrorKind::Unauthorized),
        (How::status(403), ErrorKind::Unauthorized),
        (How::status(400), ErrorKind::Rejected),
        (How::status(422), ErrorKind::Rejected),
        (How::rate_limit(3), ErrorKind::RateLimited),
        (How::status(500), ErrorKind::OutcomeUnknown),
        (How::Cut, ErrorKind::OutcomeUnknown),
        (How::Garbage, ErrorKind::OutcomeUnknown),
    ] {
        let mut talk = Talk::begin().await;
        talk.desk.sim.fail(Fault::new(sends(), how.clone()));
        let message = user_message("m1", &said("hello"));
        let error = talk.relay(&message).await.unwrap_err();
        assert_eq!(error.kind, kind, "{how:?}");
        assert!(error.session.is_some() && error.log.is_some() && error.remedy.is_some());
        let wait = match kind {
            ErrorKind::RateLimited => Some(3_000),
            // The request may still arrive.
            ErrorKind::OutcomeUnknown => Some(5_000),
            _ => None,
        };
        assert_eq!(error.retry_after_ms, wait);
        talk.relay(&message).await.unwrap();
        assert_eq!(count_of(&talk.conversation(), &said("hello")), 1, "{how:?}");
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_is_unavailable() {
    let mut talk = Talk::begin().await;
    let (right, nowhere) = (talk.desk.settings["test_origin"].clone(), nowhere());
    talk.desk.sandbox = reaching(&[&nowhere, talk.desk.sim.origin()]);
    talk.desk = talk.desk.set("test_origin", nowhere);
    let message = user_message("m1", &said("hello"));
    assert_eq!(talk.relay(&message).await.unwrap_err().kind, ErrorKind::Unavailable);
    talk.desk = talk.desk.set("test_origin", right);
    talk.relay(&message).await.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

#[tokio::test]
async fn a_look_up_that_is_not_json_is_malformed() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(sends(), How::Cut).after_effect());
    talk.desk.sim.fail(Fault::new(Match::path("/v2/conversations/*/messages").method("GET"), How::Garbage));
    let message = user_message("m1", &said("hello"));
    assert_eq!(talk.relay(&message).await.unwrap_err().kind, ErrorKind::OutcomeUnknown);
    assert_eq!(talk.relay(&message).await.unwrap_err().kind, ErrorKind::Malformed);
    talk.relay(&message).await.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

#[tokio::test]
async fn a_message_to_a_resolved_conversation_opens_it_again() {
    let mut talk = Talk::begin().await;
    // The webhook of the resolution is late.
    let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    talk.relay(&user_message("m1", &said("one more thing"))).await.unwrap();
    assert_eq!(talk.conversation().status, Status::Reopened);
    let reopened: Vec<_> =
        talk.desk.sim.deliveries().into_iter().filter(|it| it.action.name() == "conversation_reopen").collect();
    talk.hear(&resolved).await;
    talk.hear(&reopened).await;
    talk.relay(&user_message("m2", &said("and another"))).await.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("and another")), 1);
}

#[tokio::test]
async fn where_a_resolved_conversation_takes_no_messages_a_new_one_continues() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.set_behaviour(|it| it.send_to_resolved = SendToResolved::NotLatest);
    talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    let update = talk.relay(&user_message("m1", &said("one more thing"))).await.unwrap();
    let info = update.info.unwrap();
    let (new, old) = (info.conversation_ids[0].clone(), talk.id.clone());
    assert_ne!(new, old);
    assert!(info.conversation_ids.contains(&old));
    let continued = talk.desk.sim.conversation(&new).unwrap();
    let written = texts(&continued);
    assert!(written[0].2.contains(&old), "it says what it continues: {}", written[0].2);
    assert_eq!(written[1].2, said("one more thing"));
    assert_eq!(written.len(), 2);
    assert_eq!(continued.user_id, talk.conversation().user_id);

    talk.relay(&user_message("m2", &said("and another"))).await.unwrap();
    assert_eq!(texts(&talk.desk.sim.conversation(&new).unwrap()).len(), 3);
    assert_eq!(talk.desk.sim.conversations().len(), 2);
    let answer = talk.desk.sim.reply(&new, &talk.desk.maya(), &said("here I am")).await.unwrap();
    assert_eq!(talk.hear(&answer).await[0].kind, handoff_host::bindings::EventKind::AgentMessage);
}

#[tokio::test]
async fn a_late_end_of_the_conversation_that_was_continued_changes_nothing() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.set_behaviour(|it| it.send_to_resolved = SendToResolved::NotLatest);
    let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    talk.relay(&user_message("m1", &said("one more thing"))).await.unwrap();
    assert_eq!(crate::support::ignored(&talk.hear(&resolved).await), "superseded");
    talk.relay(&user_message("m2", &said("still here"))).await.unwrap();
}

#[tokio::test]
async fn a_session_stays_small_whatever_is_relayed() {
    let mut talk = Talk::begin().await;
    for number in 0..200 {
        let message = Message { sent_at: NOW + number, ..user_message(&format!("{number:0255}"), &said("again")) };
        talk.relay(&message).await.unwrap();
    }
    assert_eq!(count_of(&talk.conversation(), &said("again")), 200);
    assert!(talk.session.len() < 64 * 1024, "{}", talk.session.len());
}

#[tokio::test]
async fn a_user_or_topic_that_is_gone_cannot_be_relayed_for() {
    for is_user in [true, false] {
        let mut talk = Talk::begin().await;
        let sim = &talk.desk.sim;
        sim.remove_conversation(&talk.id);
        if is_user {
            sim.remove_user(&sim.users()[0].id);
        } else {
            sim.remove_topic(&sim.topic_id(crate::support::TOPIC).unwrap());
        }
        let message = user_message("m1", &said("hello"));
        let error = talk.relay(&message).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("session")), "user: {is_user}");
        assert!(error.session.is_some() && error.remedy.as_ref().unwrap().contains("hand off again"));
        // The session keeps going: the look hands back.
        let update = talk.tick(NOW + 60_000).await.unwrap();
        assert_eq!(crate::support::codes(&update.findings), ["conversation-gone"], "user: {is_user}");
    }
}

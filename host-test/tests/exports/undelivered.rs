//! `undelivered`: human agents learn what did not reach the end user.

use std::sync::Arc;

use freshworks_simulator::{ActorType, Fault, How, Match, MessageType, SendToResolved};
use handoff_host::bindings::{ErrorKind, EventKind, Update};
use serde_json::Value;

use crate::support::{
    Desk, NOW, StopAt, Talk, codes, count_of, kinds, nowhere, plugin, reaching, refused, refused_at_once, request,
    said, texts, user_message,
};
use crate::watch::watched;

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "a_private_note_quotes_what_did_not_arrive"),
    ("invalid-settings", "unusable_arguments_are_refused_before_any_request"),
    ("invalid-request", "unusable_arguments_are_refused_before_any_request"),
    ("unauthorized", "each_trouble_of_the_account_has_its_kind_and_ends_with_one_note"),
    ("not-found", "a_conversation_whose_messages_are_not_found_is_not_found"),
    ("rejected", "a_refusal_is_rejected"),
    ("rate-limited", "each_trouble_of_the_account_has_its_kind_and_ends_with_one_note"),
    ("unavailable", "an_account_that_cannot_be_reached_is_unavailable"),
    ("outcome-unknown", "each_trouble_of_the_account_has_its_kind_and_ends_with_one_note"),
    ("malformed", "a_look_up_that_is_not_json_is_malformed"),
];

/// Maya has answered; the id of her message.
async fn answered(desk: Desk) -> (Talk, String) {
    let mut talk = Talk::of(desk, &request()).await;
    let maya = talk.desk.maya();
    let webhooks = talk.desk.sim.reply(&talk.id, &maya, &said("Let me look")).await.unwrap();
    let events = talk.hear(&webhooks).await;
    let id = events.iter().find_map(|event| event.message.as_ref()).unwrap().id.clone();
    talk.desk.sim.settled().await;
    talk.desk.sim.clear_journal();
    (talk, id)
}

fn messages() -> Match {
    Match::path("/v2/conversations/*/messages")
}

fn notes(talk: &Talk) -> Vec<(ActorType, MessageType, String)> {
    texts(&talk.conversation()).into_iter().filter(|(.., text)| text.contains("did not receive")).collect()
}

async fn tell(talk: &mut Talk, id: &str) -> Update {
    let update = talk.desk.undelivered(&talk.session, id).await.result.unwrap();
    talk.session = update.session.clone().unwrap();
    update
}

#[tokio::test]
async fn a_private_note_quotes_what_did_not_arrive() {
    let desk = Desk::new().await.set("note_author", "tom@acme.example").connect_now().await;
    let (mut talk, id) = answered(desk).await;
    let update = tell(&mut talk, &id).await;
    assert!(update.events.is_empty() && update.findings.is_empty());
    assert_eq!(talk.desk.lines().len(), 2);
    let (actor, kind, text) = notes(&talk).pop().unwrap();
    assert_eq!((actor, kind), (ActorType::Agent, MessageType::Private));
    assert!(text.contains(&format!("“{}”", said("Let me look"))), "{text}");

    talk.desk.sim.clear_journal();
    tell(&mut talk, &id).await;
    assert!(talk.desk.lines().is_empty());
    assert_eq!(notes(&talk).len(), 1, "reported once");
}

#[tokio::test]
async fn without_an_author_of_notes_it_comes_as_a_message_of_the_user() {
    let (mut talk, id) = answered(Desk::connected().await).await;
    tell(&mut talk, &id).await;
    let (actor, kind, _) = notes(&talk).pop().unwrap();
    assert_eq!((actor, kind), (ActorType::User, MessageType::Normal));
}

#[tokio::test]
async fn what_a_note_among_agents_says_is_not_quoted() {
    let (mut talk, _) = answered(Desk::connected().await).await;
    talk.desk.sim.note(&talk.id, &talk.desk.maya(), &said("she is angry")).await.unwrap();
    let note = talk.conversation().messages.last().unwrap().id.clone();
    tell(&mut talk, &note).await;
    assert!(!notes(&talk).pop().unwrap().2.contains("angry"));
}

#[tokio::test]
async fn a_call_that_was_cut_off_writes_one_note() {
    for after in [false, true] {
        let (talk, id) = answered(Desk::connected().await).await;
        let sandbox = reaching(&[talk.desk.sim.origin()]).interceptor(Arc::new(StopAt { index: 1, after }));
        let cut = plugin().undelivered(&sandbox, &talk.desk.json(), &talk.session, &id, false, NOW).await;
        assert!(cut.result.is_err());
        let again = plugin().undelivered(&talk.desk.sandbox, &talk.desk.json(), &talk.session, &id, true, NOW).await;
        watched(again).result.unwrap();
        assert_eq!(notes(&talk).len(), 1, "stopped after sending: {after}");
    }
}

#[tokio::test]
async fn a_conversation_in_doubt_is_still_looked_for_afterwards() {
    let (mut talk, id) = answered(Desk::connected().await).await;
    talk.desk.sim.set_behaviour(|it| it.send_to_resolved = SendToResolved::NotLatest);
    talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    let creates = Match::path("/v2/conversations").method("POST");
    talk.desk.sim.fail(Fault::new(creates, How::Cut).after_effect());
    let message = user_message("m1", &said("still there?"));
    talk.relay(&message).await.unwrap_err();
    // The old conversation takes no more notes: the note goes into the conversation that the message has opened, and must not
    // make the next try forget that the message is in doubt.
    let noted = watched(talk.desk.undelivered(&talk.session, &id).await).result.unwrap();
    talk.session = noted.session.unwrap();
    talk.relay(&message).await.unwrap();
    let all = talk.desk.sim.conversations();
    assert_eq!(all.len(), 2, "the one that ended, and one that continues it");
    assert_eq!(all.iter().map(|one| count_of(one, &said("still there?"))).sum::<usize>(), 1);
    let is_note = |text: &str| text.starts_with("The user did not receive a message");
    let notes = all.iter().map(|one| texts(one).iter().filter(|(.., text)| is_note(text)).count());
    assert_eq!(notes.collect::<Vec<_>>(), [0, 1], "in the one that continues it");
}

#[tokio::test]
async fn unusable_arguments_are_refused_before_any_request() {
    let (talk, id) = answered(Desk::connected().await).await;
    for unusable in [" ".to_owned(), "x".repeat(256)] {
        let error = refused_at_once(talk.desk.undelivered(&talk.session, &unusable).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("message-id")));
    }
    assert_eq!(refused_at_once(talk.desk.undelivered("none", &id).await).kind, ErrorKind::InvalidRequest);
    let elsewhere = talk.desk.set("test_origin", Value::Null).set("chat_url", "acme.freshdesk.com");
    assert_eq!(refused_at_once(elsewhere.undelivered(&talk.session, &id).await).kind, ErrorKind::InvalidSettings);
}

#[tokio::test]
async fn each_trouble_of_the_account_has_its_kind_and_ends_with_one_note() {
    for (how, kind) in [
        (How::status(401), ErrorKind::Unauthorized),
        (How::rate_limit(7), ErrorKind::RateLimited),
        (How::status(503), ErrorKind::OutcomeUnknown),
        (How::CutMidBody, ErrorKind::OutcomeUnknown),
    ] {
        let (mut talk, id) = answered(Desk::connected().await).await;
        let fault = Fault::new(messages().method("POST"), how);
        talk.desk.sim.fail(if kind == ErrorKind::OutcomeUnknown { fault.after_effect() } else { fault });
        let error = refused(talk.desk.undelivered(&talk.session, &id).await);
        assert_eq!(error.kind, kind, "{:?}", error.log);
        talk.session = error.session.unwrap();
        tell(&mut talk, &id).await;
        assert_eq!(notes(&talk).len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_conversation_whose_messages_are_not_found_is_not_found() {
    let (talk, id) = answered(Desk::connected().await).await;
    talk.desk.sim.fail(Fault::new(messages(), How::status(404)).times(9));
    assert_eq!(refused(talk.desk.undelivered(&talk.session, &id).await).kind, ErrorKind::NotFound);
}

/// The note would not be read, and there is no waiting for an answer that cannot come.
#[tokio::test]
async fn a_note_about_a_conversation_that_is_gone_is_left_out_and_the_next_tick_hands_back() {
    for author in [None, Some("tom@acme.example")] {
        let desk = match author {
            Some(author) => Desk::new().await.set("note_author", author).connect_now().await,
            None => Desk::connected().await,
        };
        let (mut talk, id) = answered(desk).await;
        talk.desk.sim.remove_conversation(&talk.id);
        let update = tell(&mut talk, &id).await;
        assert_eq!(codes(&update.findings), ["note-left-out"]);
        assert!(update.events.is_empty(), "`tick` tells");
        assert_eq!(update.info.unwrap().next_tick_at, Some(NOW), "and is due");
        assert!(tell(&mut talk, &id).await.findings.is_empty(), "said once");
        assert_eq!(kinds(&talk.tick(NOW).await.unwrap().events), [EventKind::ReturnedToAi]);
        assert_eq!(kinds(&talk.tick(NOW + 60_000).await.unwrap().events), []);
    }
}

/// A message of the end user found it gone and opened another one, and its session was lost.
#[tokio::test]
async fn a_note_goes_into_the_conversation_that_continues_one_that_is_gone() {
    let (mut talk, id) = answered(Desk::connected().await).await;
    talk.desk.sim.remove_conversation(&talk.id);
    talk.desk.relay(&talk.session, &user_message("m1", &said("hello"))).await.result.unwrap();
    let update = tell(&mut talk, &id).await;
    assert!(update.findings.is_empty(), "{:?}", codes(&update.findings));
    assert_eq!(talk.desk.sim.conversations().len(), 1);
    assert!(texts(&talk.desk.conversation()).iter().any(|(.., text)| text.contains("did not receive")));
}

#[tokio::test]
async fn a_refusal_is_rejected() {
    let (talk, id) = answered(Desk::connected().await).await;
    talk.desk.sim.fail(Fault::new(messages().method("POST"), How::status(400)).times(9));
    assert_eq!(refused(talk.desk.undelivered(&talk.session, &id).await).kind, ErrorKind::Rejected);
}

#[tokio::test]
async fn an_inactive_note_author_does_not_prevent_the_note() {
    let desk = Desk::new().await.set("note_author", "tom@acme.example").connect_now().await;
    let (mut talk, id) = answered(desk).await;
    talk.desk.sim.remove_agent(&talk.desk.tom());
    assert_eq!(codes(&tell(&mut talk, &id).await.findings), ["author-refused"]);
    assert_eq!(notes(&talk).len(), 1);
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_is_unavailable() {
    let (talk, id) = answered(Desk::connected().await).await;
    let gone = nowhere();
    let desk = Desk { sandbox: reaching(&[gone.as_str()]), ..talk.desk.set("test_origin", gone.as_str()) };
    assert_eq!(refused(desk.undelivered(&talk.session, &id).await).kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_look_up_that_is_not_json_is_malformed() {
    let (talk, id) = answered(Desk::connected().await).await;
    talk.desk.sim.fail(Fault::new(messages().method("GET"), How::Garbage).times(9));
    assert_eq!(refused(talk.desk.undelivered(&talk.session, &id).await).kind, ErrorKind::Malformed);
}

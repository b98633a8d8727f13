//! `close`: the human agents are notified, the conversation is resolved and returns to the AI agent.

use freshworks_simulator::{ActorType, Fault, How, Match, MessageType, SendToResolved, Status};
use handoff_host::bindings::{CloseReason, ErrorKind, EventKind, Outcome, Owner, SessionState};
use serde_json::Value;

use crate::support::{
    Desk, Talk, codes, ignored, kinds, nowhere, reaching, refused, refused_at_once, request, said, texts, user_message,
};

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "human_agents_read_why_and_the_conversation_is_resolved"),
    ("invalid-settings", "unusable_arguments_are_refused_before_any_request"),
    ("invalid-request", "unusable_arguments_are_refused_before_any_request"),
    ("rate-limited", "each_trouble_has_its_kind_and_ends_with_one_note"),
    ("outcome-unknown", "each_trouble_has_its_kind_and_ends_with_one_note"),
    ("unavailable", "an_account_that_cannot_be_reached_is_unavailable"),
    ("malformed", "a_look_up_that_is_not_json_is_malformed"),
];

fn notes(talk: &Talk) -> Vec<String> {
    texts(&talk.conversation()).into_iter().map(|(.., text)| text).filter(|text| text.ends_with(" end")).collect()
}

#[tokio::test]
async fn human_agents_read_why_and_the_conversation_is_resolved() {
    for (reason, words, outcome) in [
        (CloseReason::UserLeft, "has left", Outcome::Abandoned),
        (CloseReason::UserCancelled, "no longer wants", Outcome::Abandoned),
        (CloseReason::PlatformClosed, "was closed", Outcome::Abandoned),
        (CloseReason::ReturnedToAi, "went back to the AI agent", Outcome::Abandoned),
        (CloseReason::TimedOut, "waited too long", Outcome::TimedOut),
    ] {
        let mut talk = Talk::begin().await;
        let update = talk.close(reason).await.unwrap();
        assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
        assert_eq!(update.events[0].outcome, Some(outcome));
        assert_eq!(update.events[0].conversation_id.as_deref(), Some(talk.id.as_str()));
        let info = update.info.unwrap();
        assert_eq!((info.state, info.owner), (SessionState::Returned, Owner::AiAgent));
        assert_eq!(talk.conversation().status, Status::Resolved);
        let notes = notes(&talk);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains(words), "{}", notes[0]);
    }
}

#[tokio::test]
async fn with_a_note_author_the_reason_is_a_private_note() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example").connect_now().await;
    let mut talk = Talk::of(desk, &request()).await;
    talk.close(CloseReason::UserLeft).await.unwrap();
    let (actor, kind, _) = texts(&talk.conversation()).pop().unwrap();
    assert_eq!((actor, kind), (ActorType::Agent, MessageType::Private));
}

#[tokio::test]
async fn closing_what_is_closed_does_nothing() {
    let mut talk = Talk::begin().await;
    talk.close(CloseReason::UserLeft).await.unwrap();
    talk.desk.sim.clear_journal();
    let session = talk.session.clone();
    let update = talk.close(CloseReason::TimedOut).await.unwrap();
    assert!(talk.desk.lines().is_empty() && update.events.is_empty());
    assert_eq!(talk.session, session);
    assert_eq!(notes(&talk).len(), 1);

    let mut talk = Talk::begin().await;
    let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    talk.hear(&resolved).await;
    talk.desk.sim.clear_journal();
    assert!(talk.close(CloseReason::UserLeft).await.unwrap().events.is_empty());
    assert!(talk.desk.lines().is_empty() && notes(&talk).is_empty());
}

#[tokio::test]
async fn unusable_arguments_are_refused_before_any_request() {
    let talk = Talk::begin().await;
    for session in ["", "ZndoMQ", &talk.session[..talk.session.len() - 1]] {
        let error = refused_at_once(talk.desk.close(session, CloseReason::UserLeft).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
    }
    let session = talk.session;
    let desk = talk.desk.set("test_origin", Value::Null).set("chat_url", "acme.freshdesk.com");
    assert_eq!(refused_at_once(desk.close(&session, CloseReason::UserLeft).await).kind, ErrorKind::InvalidSettings);
}

fn note_call() -> Match {
    Match::path("/v2/conversations/*/messages").method("POST")
}

fn resolve_call() -> Match {
    Match::path("/v2/conversations/*").method("PUT")
}

#[tokio::test]
async fn each_trouble_has_its_kind_and_ends_with_one_note() {
    for (how, kind) in [
        (How::rate_limit(3), ErrorKind::RateLimited),
        (How::status(500), ErrorKind::OutcomeUnknown),
        (How::Cut, ErrorKind::OutcomeUnknown),
        (How::CutMidBody, ErrorKind::OutcomeUnknown),
        (How::Garbage, ErrorKind::OutcomeUnknown),
    ] {
        for call in [note_call(), resolve_call()] {
            for after in [false, true] {
                // The vendor is only known to refuse after the effect with 400.
                if after && kind != ErrorKind::OutcomeUnknown {
                    continue;
                }
                let mut talk = Talk::begin().await;
                let fault = Fault::new(call.clone(), how.clone());
                talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
                let error = talk.close(CloseReason::UserLeft).await.unwrap_err();
                let what = format!("{call:?}, {how:?}, after: {after}");
                assert_eq!(error.kind, kind, "{what}");
                assert!(error.session.is_some() && error.remedy.is_some(), "{what}");
                // The reason stays the first one: its note may be out already.
                let update = talk.close(CloseReason::TimedOut).await.unwrap();
                assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi], "{what}");
                assert_eq!(update.events[0].outcome, Some(Outcome::Abandoned), "{what}");
                assert_eq!(notes(&talk).len(), 1, "{what}");
                assert_eq!(talk.conversation().status, Status::Resolved, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_resolution_whose_answer_is_garbage_is_not_believed_before_it_is_repeated() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(resolve_call(), How::Garbage));
    let error = talk.close(CloseReason::UserLeft).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
    talk.close(CloseReason::UserLeft).await.unwrap();
    assert_eq!(talk.conversation().status, Status::Resolved);
}

#[tokio::test]
async fn what_is_refused_for_good_does_not_keep_the_ai_agent_away() {
    for (call, code) in [(note_call(), "end-note-refused"), (resolve_call(), "resolution-refused")] {
        for status in [400, 401, 403, 404, 409] {
            let mut talk = Talk::begin().await;
            talk.desk.sim.fail(Fault::new(call.clone(), How::status(status)));
            let update = talk.close(CloseReason::UserLeft).await.unwrap();
            assert_eq!(codes(&update.findings), [code], "{status}");
            assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
            assert_eq!(update.info.unwrap().owner, Owner::AiAgent);
        }
    }
}

#[tokio::test]
async fn a_note_that_was_stored_and_refused_is_there_once() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.set_behaviour(|it| it.email_quirk = true);
    let update = talk.close(CloseReason::UserLeft).await.unwrap();
    assert!(update.findings.is_empty());
    assert_eq!(notes(&talk).len(), 1);
}

#[tokio::test]
async fn a_close_succeeds_although_the_ended_conversation_takes_no_note() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.set_behaviour(|it| it.send_to_resolved = SendToResolved::NotLatest);
    talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    let update = talk.close(CloseReason::UserLeft).await.unwrap();
    assert_eq!(codes(&update.findings), ["end-note-refused"]);
    assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_is_unavailable() {
    let mut talk = Talk::begin().await;
    let (right, nowhere) = (talk.desk.settings["test_origin"].clone(), nowhere());
    talk.desk.sandbox = reaching(&[&nowhere, talk.desk.sim.origin()]);
    talk.desk = talk.desk.set("test_origin", nowhere);
    let error = talk.close(CloseReason::UserLeft).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    talk.desk = talk.desk.set("test_origin", right);
    talk.close(CloseReason::UserLeft).await.unwrap();
    assert_eq!(notes(&talk).len(), 1);
}

#[tokio::test]
async fn a_look_up_that_is_not_json_is_malformed() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(note_call(), How::Cut).after_effect());
    talk.desk.sim.fail(Fault::new(Match::path("/v2/conversations/*/messages").method("GET"), How::Garbage));
    assert_eq!(talk.close(CloseReason::UserLeft).await.unwrap_err().kind, ErrorKind::OutcomeUnknown);
    assert_eq!(talk.close(CloseReason::UserLeft).await.unwrap_err().kind, ErrorKind::Malformed);
    talk.close(CloseReason::UserLeft).await.unwrap();
    assert_eq!(notes(&talk).len(), 1);
}

#[tokio::test]
async fn an_interrupted_handoff_can_be_closed() {
    for after in [false, true] {
        let desk = Desk::connected().await;
        let fault = Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut);
        desk.sim.fail(if after { fault.after_effect() } else { fault });
        let session = refused(desk.handoff(&request(), None).await).session.unwrap();
        let update = desk.close(&session, CloseReason::UserLeft).await.result.unwrap();
        assert_eq!(update.info.unwrap().owner, Owner::AiAgent);
        let all = desk.sim.conversations();
        assert_eq!(all.len(), usize::from(after));
        assert!(all.iter().all(|conversation| conversation.status == Status::Resolved), "after: {after}");
    }
}

#[tokio::test]
async fn a_relay_in_doubt_does_not_disturb_the_end() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(note_call(), How::Cut).after_effect());
    talk.relay(&user_message("m1", &said("bye"))).await.unwrap_err();
    talk.close(CloseReason::UserLeft).await.unwrap();
    assert_eq!(notes(&talk).len(), 1);
}

#[tokio::test]
async fn webhooks_about_the_end_that_the_platform_made_say_nothing_new() {
    let mut talk = Talk::begin().await;
    talk.close(CloseReason::UserLeft).await.unwrap();
    talk.desk.sim.settled().await;
    let echoes = talk.desk.sim.deliveries();
    let actions: Vec<&str> = echoes.iter().map(|delivery| delivery.action.name()).collect();
    assert_eq!(actions, ["message_create", "conversation_resolution"]);
    for echo in &echoes {
        ignored(&talk.hear(std::slice::from_ref(echo)).await);
    }
}

#[tokio::test]
async fn a_resolution_that_comes_while_the_end_is_under_way_completes_it() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(resolve_call(), How::Cut).after_effect());
    talk.close(CloseReason::UserLeft).await.unwrap_err();
    talk.desk.sim.settled().await;
    let echoes: Vec<_> =
        talk.desk.sim.deliveries().into_iter().filter(|it| it.action.name() == "conversation_resolution").collect();
    let events = talk.hear(&echoes).await;
    assert_eq!(kinds(&events), [EventKind::ReturnedToAi]);
    assert!(talk.close(CloseReason::UserLeft).await.unwrap().events.is_empty(), "it is handed back once");
}

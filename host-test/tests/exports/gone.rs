//! Deleted conversations and revoked accounts: the end user returns to the AI agent and learns so.

use freshworks_simulator::{Fault, How, Match};
use handoff_host::bindings::{CloseReason, ErrorKind, EventKind, Outcome, Owner, SessionState, Update};

use crate::support::{
    Desk, LONG, NOW, Talk, actions, codes, count_of, kinds, long_request, numbers_in, refused, request, said,
    user_message,
};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// Handed back, once, with this outcome and these findings.
#[track_caller]
fn assert_back(update: &Update, outcome: Outcome, findings: &[&str]) {
    assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
    assert_eq!(update.events[0].outcome, Some(outcome));
    assert_eq!(codes(&update.findings), findings);
    let info = update.info.as_ref().unwrap();
    assert_eq!((info.state, info.owner), (SessionState::Returned, Owner::AiAgent));
}

#[tokio::test]
async fn a_deleted_conversation_is_handed_back_at_the_next_tick_and_a_new_handoff_starts_afresh() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.remove_conversation(&talk.id);
    assert_back(&talk.tick(NOW + MINUTE).await.unwrap(), Outcome::Failed, &["conversation-gone"]);
    let again = talk.tick(NOW + 2 * MINUTE).await.unwrap();
    assert!(again.events.is_empty() && again.findings.is_empty(), "it is reported once");
    let receipt = talk.desk.handoff(&request(), Some(&talk.session)).await.result.unwrap();
    assert!(actions(&receipt.steps).contains(&"create-conversation"));
    assert_eq!(receipt.info.owner, Owner::HumanAgent);
    assert_ne!(talk.desk.conversation().id, talk.id);
}

#[tokio::test]
async fn a_message_to_a_conversation_that_is_gone_opens_a_new_one() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.remove_conversation(&talk.id);
    let update = talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    let new = talk.desk.conversation();
    assert_eq!(count_of(&new, &said("hello")), 1);
    let ids = update.info.unwrap().conversation_ids;
    assert!(ids.contains(&new.id) && ids.contains(&talk.id));
    assert!(talk.tick(NOW + MINUTE).await.unwrap().events.is_empty(), "human agents have the new one");
}

#[tokio::test]
async fn a_revoked_key_is_an_error_for_a_day_and_then_the_end() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.set_api_key("another");
    for now in [NOW + MINUTE, NOW + 24 * HOUR] {
        assert_eq!(talk.tick(now).await.unwrap_err().kind, ErrorKind::Unauthorized);
    }
    let update = talk.tick(NOW + MINUTE + 24 * HOUR).await.unwrap();
    assert_back(&update, Outcome::Failed, &["conversation-unreadable"]);
    // The key is back, and the conversation still open: the AI agent keeps it.
    talk.desk.sim.set_api_key(crate::support::API_KEY);
    assert!(talk.tick(NOW + 2 * MINUTE + 24 * HOUR).await.unwrap().events.is_empty());
}

#[tokio::test]
async fn a_time_out_needs_no_successful_look() {
    let desk = Desk::connected().await.set("queue_timeout_minutes", 5);
    let mut talk = Talk::of(desk, &request()).await;
    talk.desk.sim.set_api_key("another");
    talk.tick(NOW + MINUTE).await.unwrap_err();
    let update = talk.tick(NOW + 5 * MINUTE).await.unwrap();
    assert_back(&update, Outcome::TimedOut, &["end-note-refused", "resolution-refused"]);
}

#[tokio::test]
async fn closing_hands_back_with_a_revoked_key_and_without_the_conversation() {
    for is_gone in [true, false] {
        let mut talk = Talk::begin().await;
        if is_gone {
            talk.desk.sim.remove_conversation(&talk.id);
        } else {
            talk.desk.sim.set_api_key("another");
        }
        let update = talk.close(CloseReason::UserLeft).await.unwrap();
        assert_back(&update, Outcome::Abandoned, &["end-note-refused", "resolution-refused"]);
    }
}

#[tokio::test]
async fn an_end_that_freshworks_does_not_take_comes_after_an_hour() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(Match::any(), How::status(503)).times(99));
    talk.close(CloseReason::UserLeft).await.unwrap_err();
    talk.tick(NOW + HOUR - 1).await.unwrap_err();
    let update = talk.tick(NOW + HOUR).await.unwrap();
    assert_back(&update, Outcome::Abandoned, &["end-untold"]);
    talk.desk.sim.clear_faults();
    assert!(talk.tick(NOW + HOUR + MINUTE).await.unwrap().events.is_empty(), "open, and not reopened");
}

/// Interrupted after the conversation was created, with pages of history missing; then it is deleted.
#[tokio::test]
async fn an_interrupted_handoff_whose_conversation_is_deleted_starts_afresh() {
    for author in [None, Some("tom@acme.example")] {
        let desk = Desk::connected().await.set("max_message_chars", 500);
        let desk = match author {
            Some(author) => desk.set("note_author", author).connect_now().await,
            None => desk,
        };
        desk.sim.fail(Fault::new(Match::any().method("POST").nth(3), How::status(503)));
        let error = refused(desk.handoff(&long_request(), None).await);
        let half_made = desk.conversation().id;
        desk.sim.remove_conversation(&half_made);
        let receipt = desk.handoff(&long_request(), error.session.as_deref()).await.result.unwrap();
        let whole = desk.conversation();
        assert_eq!(numbers_in(&whole), (0..LONG).collect::<Vec<_>>(), "{author:?}");
        assert!(codes(&receipt.findings).is_empty(), "{:?}", codes(&receipt.findings));
        assert_eq!((receipt.info.state, receipt.info.owner), (SessionState::Queued, Owner::HumanAgent));
        let ids = receipt.info.conversation_ids;
        assert!(ids.contains(&half_made) && ids.contains(&whole.id), "late webhooks find it: {ids:?}");
    }
}

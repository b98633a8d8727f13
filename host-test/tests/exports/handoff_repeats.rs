//! `handoff`, interrupted at every possible point, and retried as a platform would: nothing is lost or duplicated.

use std::sync::Arc;

use freshworks_simulator::{
    Config, CreateWhileOpen, DuplicateUser, Fault, How, Match, MessagePaging, Status, UserSpec,
};
use handoff_host::bindings::{EventKind, HandoffRequest, Owner, Receipt};
use handoff_host::{CallError, TrapKind};

use crate::handoff_errors::check_once;
use crate::support::{Desk, LONG, StopAt, actions, count_of, long_request, numbers_in, refused, request, said, texts};

/// How a platform continues after a failure.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Platform {
    /// It stores the session of each error.
    Stores,
    /// It lost the session and sets `retry`.
    Lost,
}

/// Calls until it succeeds, at most a few times.
async fn until_done(desk: &Desk, request: &HandoffRequest, platform: Platform) -> Receipt {
    let mut session = None;
    let mut request = request.clone();
    for _ in 0..6 {
        match desk.handoff(&request, session.as_deref()).await.result {
            Ok(receipt) => return receipt,
            Err(CallError::Plugin(error)) if platform == Platform::Stores => session = error.session.or(session),
            Err(_) => request.retry = true,
        }
    }
    panic!("it never succeeds");
}

/// A desk whose history spills over into four messages after the conversation.
async fn desk() -> Desk {
    Desk::connected().await.set("max_message_chars", 500)
}

const WRITES: u32 = 8;

async fn every_write_fails_once(how: How, platform: Platform, prepare: impl Fn(&Desk)) {
    for number in 1..=WRITES {
        for after in [false, true] {
            let desk = desk().await;
            prepare(&desk);
            let fault = Fault::new(Match::any().method("POST").nth(number), how.clone());
            desk.sim.fail(if after { fault.after_effect() } else { fault });
            let receipt = until_done(&desk, &long_request(), platform).await;
            let what = format!("write {number}, after effect: {after}, {how:?}, {platform:?}");
            assert_eq!(desk.sim.faults_left(), 0, "{what}");
            check_once(&desk, &what);
            assert_eq!(receipt.info.owner, Owner::HumanAgent, "{what}");
            let again = desk.handoff(&long_request(), Some(&receipt.session)).await;
            assert!(again.result.is_ok() && again.report.http.is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_handoff_writes_as_often_as_these_tests_think() {
    let desk = desk().await;
    desk.handoff(&long_request(), None).await.result.unwrap();
    let writes = desk.lines().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(writes, WRITES as usize, "{:?}", desk.lines());
    check_once(&desk, "no fault");
}

#[tokio::test]
async fn any_write_may_answer_500() {
    every_write_fails_once(How::status(500), Platform::Stores, |_| ()).await;
    every_write_fails_once(How::status(500), Platform::Lost, |_| ()).await;
}

#[tokio::test]
async fn any_write_may_be_cut() {
    every_write_fails_once(How::Cut, Platform::Stores, |_| ()).await;
    every_write_fails_once(How::Cut, Platform::Lost, |_| ()).await;
}

#[tokio::test]
async fn any_answer_to_a_write_may_be_cut_in_the_middle() {
    every_write_fails_once(How::CutMidBody, Platform::Stores, |_| ()).await;
    every_write_fails_once(How::CutMidBody, Platform::Lost, |_| ()).await;
}

#[tokio::test]
async fn any_answer_to_a_write_may_be_garbage() {
    every_write_fails_once(How::Garbage, Platform::Stores, |_| ()).await;
    every_write_fails_once(How::Garbage, Platform::Lost, |_| ()).await;
}

#[tokio::test]
async fn repeats_are_safe_in_accounts_that_behave_differently() {
    let otherwise = |desk: &Desk| {
        desk.sim.set_behaviour(|it| {
            it.create_while_open = CreateWhileOpen::AlwaysNew;
            it.duplicate_user = DuplicateUser::Conflict;
            it.message_paging = MessagePaging::Pages;
            it.max_items_per_page = Some(20);
            it.created_status = 201;
        });
    };
    every_write_fails_once(How::Cut, Platform::Stores, otherwise).await;
    every_write_fails_once(How::Cut, Platform::Lost, otherwise).await;
}

#[tokio::test]
async fn two_faults_in_a_row_do_no_more_harm_than_one() {
    for first in 2..=WRITES {
        let desk = desk().await;
        desk.sim.fail(Fault::new(Match::any().method("POST").nth(first), How::Cut).after_effect());
        desk.sim.fail(Fault::new(Match::path("/v2/conversations/*/messages").method("GET"), How::status(500)));
        until_done(&desk, &long_request(), Platform::Stores).await;
        desk.sim.clear_faults();
        check_once(&desk, &format!("write {first} and the look-up after it"));
    }
}

#[tokio::test]
async fn a_handoff_can_be_interrupted_at_any_request() {
    let whole = desk().await;
    whole.handoff(&long_request(), None).await.result.unwrap();
    let requests = whole.lines().len();
    assert_eq!(requests, 10, "two look-ups and eight writes");
    for index in 0..requests {
        for after in [false, true] {
            let mut desk = desk().await;
            let calm = desk.sandbox.clone();
            desk.sandbox = calm.clone().interceptor(Arc::new(StopAt { index, after }));
            let stopped = desk.handoff(&long_request(), None).await.result.unwrap_err();
            assert_eq!(stopped.trap().map(|trap| trap.kind), Some(TrapKind::Injected));
            desk.sandbox = calm;
            let again = HandoffRequest { retry: true, ..long_request() };
            desk.handoff(&again, None).await.result.unwrap();
            check_once(&desk, &format!("stopped at request {index}, after its effect: {after}"));
        }
    }
}

#[tokio::test]
async fn a_handoff_can_be_interrupted_again_during_its_look_up() {
    for index in 0..8 {
        for after in [false, true] {
            let mut desk = desk().await;
            let calm = desk.sandbox.clone();
            desk.sandbox = calm.clone().interceptor(Arc::new(StopAt { index: 4, after: true }));
            desk.handoff(&long_request(), None).await.result.unwrap_err();
            let again = HandoffRequest { retry: true, ..long_request() };
            desk.sandbox = calm.clone().interceptor(Arc::new(StopAt { index, after }));
            drop(desk.handoff(&again, None).await);
            desk.sandbox = calm;
            desk.handoff(&again, None).await.result.unwrap();
            check_once(&desk, &format!("stopped at request {index} of the second try, after its effect: {after}"));
        }
    }
}

#[tokio::test]
async fn a_retry_without_a_session_adopts_what_is_complete_already() {
    let desk = desk().await;
    let first = desk.handoff(&long_request(), None).await.result.unwrap();
    let again = HandoffRequest { retry: true, ..long_request() };
    let second = desk.handoff(&again, None).await.result.unwrap();
    assert_eq!(second.external_case.case_id, first.external_case.case_id);
    assert_eq!(actions(&second.steps), ["find-user", "adopt-conversation"]);
    assert!(second.agent_url.is_some(), "this time the vendor has returned it");
    check_once(&desk, "adopted");
}

#[tokio::test]
async fn a_retry_that_finds_nothing_begins() {
    let desk = desk().await;
    let again = HandoffRequest { retry: true, ..long_request() };
    desk.handoff(&again, None).await.result.unwrap();
    check_once(&desk, "nothing was there");
}

#[tokio::test]
async fn a_retry_leaves_other_conversations_of_the_person_alone() {
    let desk = desk().await;
    desk.sim.set_behaviour(|it| it.create_while_open = CreateWhileOpen::AlwaysNew);
    let user = desk.sim.seed_user(UserSpec { reference_id: Some("user-1".into()), ..UserSpec::default() });
    let topic = desk.sim.topic_id("Inbox").unwrap();
    for number in 0..12 {
        let (id, _) = desk.sim.user_starts(&topic, &user, &format!("old question {number}")).await.unwrap();
        let _ = desk.sim.reply(&id, &desk.maya(), "old answer").await.unwrap();
    }
    desk.sim.fail(Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut).after_effect());
    until_done(&desk, &long_request(), Platform::Stores).await;
    assert_eq!(desk.sim.conversations().len(), 13);
    let newest = desk.sim.conversations().pop().unwrap();
    assert_eq!(numbers_in(&newest), (0..LONG).collect::<Vec<_>>());
}

#[tokio::test]
async fn human_agents_who_answer_at_once_do_not_hide_the_conversation() {
    let desk = desk().await;
    desk.sim.fail(Fault::new(Match::any().method("POST").nth(4), How::Cut).after_effect());
    let error = crate::support::refused(desk.handoff(&long_request(), None).await);
    let id = desk.conversation().id;
    for number in 0..70 {
        let _ = desk.sim.reply(&id, &desk.maya(), &format!("answer {number}")).await.unwrap();
    }
    let again = HandoffRequest { retry: true, ..long_request() };
    desk.handoff(&again, None).await.result.unwrap();
    check_once(&desk, "found behind seventy answers");
    assert!(error.session.is_some());
}

#[tokio::test]
async fn a_second_handoff_after_the_end_is_a_new_one() {
    let mut talk = crate::support::Talk::begin().await;
    let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    talk.hear(&resolved).await;
    let second = talk.desk.handoff(&request(), Some(&talk.session)).await.result.unwrap();
    let new = &second.info.conversation_ids[0];
    assert_ne!(*new, talk.id);
    assert!(second.info.conversation_ids.contains(&talk.id), "late webhooks of the old one must find the session");
    assert_eq!(texts(&talk.desk.sim.conversation(new).unwrap()).len(), 3);
    assert_eq!(talk.desk.sim.users().len(), 1);
}

#[tokio::test]
async fn a_second_handoff_that_is_cut_off_is_done_once_too() {
    for after in [false, true] {
        let mut talk = crate::support::Talk::begin().await;
        let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
        talk.hear(&resolved).await;
        let fault = Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut);
        talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
        let error = crate::support::refused(talk.desk.handoff(&request(), Some(&talk.session)).await);
        talk.desk.handoff(&request(), error.session.as_deref()).await.result.unwrap();
        assert_eq!(talk.desk.sim.conversations().len(), 2, "after: {after}");
    }
}

#[tokio::test]
async fn the_person_is_found_by_address_once_although_the_update_is_cut() {
    for after in [false, true] {
        let desk = Desk::of(Config::default()).await.connect_now().await;
        desk.sim.seed_user(UserSpec { email: Some("ana@xylomar.example".into()), ..UserSpec::default() });
        let fault = Fault::new(Match::path("/v2/users/*").method("PUT"), How::Cut);
        desk.sim.fail(if after { fault.after_effect() } else { fault });
        until_done(&desk, &request(), Platform::Stores).await;
        assert_eq!(desk.sim.users().len(), 1);
        assert_eq!(desk.sim.users()[0].reference_id.as_deref(), Some("user-1"));
        let opening = texts(&desk.conversation()).remove(0).2;
        assert_eq!(count_of(&desk.conversation(), &opening), 1);
    }
}

#[tokio::test]
async fn a_handoff_that_was_resolved_before_its_next_try_is_not_made_again() {
    let desk = desk().await;
    desk.sim.fail(Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut).after_effect());
    let session = refused(desk.handoff(&long_request(), None).await).session.unwrap();
    let (id, maya) = (desk.conversation().id, desk.maya());
    desk.sim.reply(&id, &maya, &said("solved")).await.unwrap();
    desk.sim.resolve(&id, &maya).await.unwrap();
    let receipt = desk.handoff(&long_request(), Some(&session)).await.result.unwrap();
    assert_eq!(desk.sim.conversations().len(), 1);
    assert_eq!(desk.conversation().status, Status::Resolved, "nothing is sent into what has ended");
    let update = desk.tick(&receipt.session, receipt.info.next_tick_at.unwrap()).await.result.unwrap();
    let kinds = crate::support::kinds(&update.events);
    assert_eq!(kinds, [EventKind::AgentMessage, EventKind::Resolved, EventKind::ReturnedToAi]);
}

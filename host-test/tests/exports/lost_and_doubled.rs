//! Ways in which a message could be lost, doubled or leaked, found by trying.

use crate::support::*;
use freshworks_simulator::*;
use handoff_host::bindings::{CloseReason, ErrorKind, EventKind, HandoffRequest, Owner, SenderRole, SessionState};
use handoff_host::{After, Interceptor, Outgoing};
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn a_reopening_that_overtakes_an_older_resolution_leaves_it_open() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    let reopened = talk.desk.sim.reopen(&talk.id, &maya).await.unwrap();
    talk.hear(&reopened).await;
    let update = talk.hear_one(&of_simulator(&resolved[0])).await;
    assert_eq!(update.info.unwrap().owner, Owner::HumanAgent, "{:?}", kinds(&update.events));
}

#[tokio::test]
async fn echoes_of_a_close_move_nothing() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.desk.sim.clear_deliveries();
    talk.close(CloseReason::UserLeft).await.unwrap();
    talk.desk.sim.settled().await;
    let echoes = talk.desk.sim.deliveries();
    let events = talk.hear(&echoes).await;
    assert!(
        kinds(&events).iter().all(|k| *k == EventKind::Ignored),
        "{:?} {:?}",
        echoes.iter().map(|e| e.action.name()).collect::<Vec<_>>(),
        kinds(&events)
    );
}

#[tokio::test]
async fn echoes_of_a_close_in_reverse_move_nothing() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.desk.sim.clear_deliveries();
    talk.close(CloseReason::UserLeft).await.unwrap();
    talk.desk.sim.settled().await;
    let mut echoes = talk.desk.sim.deliveries();
    echoes.reverse();
    let mut info = None;
    for e in &echoes {
        info = talk.hear_one(&of_simulator(e)).await.info;
    }
    assert_eq!(info.unwrap().owner, Owner::AiAgent);
}

#[tokio::test]
async fn history_that_grew_between_two_tries_is_complete() {
    for lost in [false, true] {
        let desk = Desk::connected().await;
        desk.sim.fail(Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut).after_effect());
        let mut request = HandoffRequest { history: Some(numbered_history(5, 20)), ..request() };
        let error = refused(desk.handoff(&request, None).await);
        request.history = Some(numbered_history(6, 20));
        request.retry = lost;
        desk.handoff(&request, if lost { None } else { error.session.as_deref() }).await.result.unwrap();
        assert_eq!(numbers_in(&desk.conversation()), (0..6).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn another_platform_user_with_the_same_address_is_another_person() {
    let desk = Desk::connected().await;
    let a = desk.handoff(&request(), None).await.result.unwrap();
    let mut other = request();
    other.user.id = "user-2".into();
    other.key.conversation = "99".into();
    let b = desk.handoff(&other, None).await.result.unwrap();
    assert_ne!(a.external_case.case_id, b.external_case.case_id, "two people in one conversation");
}

#[tokio::test]
async fn an_inactive_note_author_does_not_stop_handoffs() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example").connect_now().await;
    desk.sim.remove_agent(&desk.maya());
    let r = desk.handoff(&request(), None).await.result;
    assert!(r.is_ok(), "{r:?}");
}

#[tokio::test]
async fn without_the_note_author_human_agents_still_learn_why_it_ended() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example").connect_now().await;
    let mut talk = Talk::of(desk, &request()).await;
    talk.desk.sim.remove_agent(&talk.desk.maya());
    let u = talk.close(CloseReason::UserLeft).await.unwrap();
    assert_eq!(codes(&u.findings), ["author-refused"]);
    assert!(talk.conversation().messages.iter().any(|message| message.text().ends_with(" end")));
}

#[tokio::test]
async fn what_is_not_found_is_named() {
    let desk = Desk::connected().await;
    desk.sim.remove_topic(&desk.sim.topic_id(TOPIC).unwrap());
    let error = refused_as(desk.handoff(&request(), None).await, ErrorKind::NotFound);
    assert!(error.field.is_some());
}

#[tokio::test]
async fn not_even_a_single_word_of_the_vendors_free_text_is_quoted() {
    for (code, status, message, kind) in
        [(400, "INVALID_VALUE", SPOKEN, ErrorKind::Rejected), (401, "UNAUTHORIZED", API_KEY, ErrorKind::Unauthorized)]
    {
        let desk = Desk::connected().await;
        let body = json!({ "code": code, "status": status, "message": message }).to_string();
        let call = Match::path("/v2/conversations").method("POST");
        desk.sim.fail(Fault::new(call, How::Status { code, headers: vec![], body }));
        let error = refused_as(desk.handoff(&request(), None).await, kind);
        let log = error.log.unwrap();
        assert!(log.contains(&code.to_string()) && !log.contains(message), "{log}");
    }
}

#[tokio::test]
async fn blank_text_is_not_relayed() {
    let talk = Talk::begin().await;
    let error = refused_at_once(talk.desk.relay(&talk.session, &user_message("m1", " \n\t")).await);
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_megabyte_of_empty_lines_fits() {
    let desk = Desk::connected().await;
    let text = format!("a{}b", "\n".repeat(1 << 20));
    let call = desk
        .handoff(
            &HandoffRequest { history: Some(vec![message("1", SenderRole::EndUser, None, &text)]), ..request() },
            None,
        )
        .await;
    assert!(call.result.is_ok(), "{:?}", call.result);
}

#[tokio::test]
async fn a_message_of_very_many_parts_fits() {
    let desk = Desk::connected().await;
    let mut m = message("1", SenderRole::EndUser, None, "a");
    m.parts = vec![m.parts[0].clone(); 200_000];
    let call = desk.handoff(&HandoffRequest { history: Some(vec![m]), ..request() }, None).await;
    assert!(call.result.is_ok(), "{:?}", call.result);
}

#[tokio::test]
async fn a_large_relay_fits_and_a_larger_one_is_refused() {
    let talk = Talk::begin().await;
    let text = "a\n".repeat(1 << 19);
    let call = talk.desk.relay(&talk.session, &user_message("m", &text)).await;
    assert!(call.result.is_ok(), "{:?}", call.result);
    let text = "a\n".repeat(8 << 20);
    let call = talk.desk.relay(&talk.session, &user_message("m2", &text)).await;
    assert_eq!(refused(call).kind, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_reason_of_many_megabytes_is_refused() {
    let desk = Desk::connected().await;
    let request = HandoffRequest { reason_text: Some("a ".repeat(8 << 20)), ..request() };
    let call = desk.handoff(&request, None).await;
    assert_eq!(refused(call).kind, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_resolution_under_the_numeric_id_counts() {
    let mut talk = Talk::begin().await;
    let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    let mut body = resolved[0].json();
    body["data"]["resolve"]["conversation"]["conversation_id"] = talk.conversation().internal_id.to_string().into();
    let update = talk.hear_one(&talk.desk.signed(body.to_string())).await;
    assert_eq!(kinds(&update.events), [EventKind::Resolved, EventKind::ReturnedToAi], "{:?}", update.events[0].detail);
}

#[tokio::test]
async fn a_continued_conversation_keeps_its_group() {
    let desk = Desk::new().await.set("group", "Support").set("priority", "High").connect_now().await;
    let mut talk = Talk::of(desk, &request()).await;
    talk.desk.sim.set_behaviour(|it| it.send_to_resolved = SendToResolved::NotLatest);
    talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    let u = talk.relay(&user_message("m1", &said("more"))).await.unwrap();
    let c = talk.desk.sim.conversation(&u.info.unwrap().conversation_ids[0]).unwrap();
    assert_eq!(c.assigned_group_id, talk.desk.sim.group_id("Support"));
}

#[tokio::test]
async fn long_message_ids_do_not_swell_the_session() {
    let mut talk = Talk::begin().await;
    talk.relay(&user_message(&"x".repeat(100_000), &said("hello"))).await.map(drop).unwrap_or_default();
    assert!(talk.session.len() < 64 * 1024);
}

#[tokio::test]
async fn findings_come_in_the_order_of_the_form() {
    let desk = Desk::new()
        .await
        .set("group", "Support")
        .set("agent", "tom@acme.example")
        .set("note_author", "maya@acme.example");
    let c = desk.connect().await.result.unwrap();
    let order: Vec<&str> = c.findings.iter().map(|f| f.check.as_str()).collect();
    assert_eq!(order, ["chat-url", "account", "topic", "webhook-key", "group", "agent", "note-author"]);
}

#[tokio::test]
async fn a_conversation_can_return_to_the_queue_and_be_taken_again() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let a = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    let b = talk.desk.sim.assign(&talk.id, &maya, Assignee::Nobody).await.unwrap();
    let c = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    talk.hear(&a).await;
    let u = talk.hear_one(&of_simulator(&b[0])).await;
    assert_eq!(u.info.unwrap().state, SessionState::Queued, "{:?}", u.events[0].detail);
    let u = talk.hear_one(&of_simulator(&c[0])).await;
    assert_eq!(kinds(&u.events), [EventKind::AgentAssigned], "{:?}", u.events[0].detail);
}

#[tokio::test]
async fn what_was_taken_during_the_handoff_is_active_after_it() {
    let desk = Desk::connected().await.set("max_message_chars", 500);
    desk.sim.fail(Fault::new(Match::path("/v2/conversations/*/messages").method("POST"), How::Cut).after_effect());
    let error = refused(desk.handoff(&long_request(), None).await);
    let id = desk.conversation().id;
    let maya = desk.maya();
    let a = desk.sim.assign(&id, &maya, Assignee::Agent(&maya)).await.unwrap();
    let mut talk = Talk { desk, session: error.session.unwrap(), id };
    talk.hear(&a).await;
    let r = talk.desk.handoff(&long_request(), Some(&talk.session)).await.result.unwrap();
    assert_eq!(r.info.state, SessionState::Active);
}

#[tokio::test]
async fn own_notes_without_a_type_are_known_by_their_marker() {
    let desk =
        Desk::new().await.set("note_author", "maya@acme.example").set("max_message_chars", 500).connect_now().await;
    desk.sim.fail_webhooks_of(Action::MessageCreate, WebhookFault::LoseMessageType, 1000);
    let request = HandoffRequest { history: Some(numbered_history(200, 400)), ..request() };
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    desk.sim.settled().await;
    let mut talk = Talk { id: receipt.info.conversation_ids[0].clone(), session: receipt.session, desk };
    let echoes = talk.desk.sim.deliveries();
    let events = talk.hear(&echoes).await;
    let leaked = events.iter().filter(|e| e.kind == EventKind::AgentMessage).count();
    assert_eq!(leaked, 0);
}

#[tokio::test]
async fn own_notes_without_a_type_are_known_before_the_session_is_stored() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example").connect_now().await;
    desk.sim.fail_webhooks_of(Action::MessageCreate, WebhookFault::LoseMessageType, 1000);
    desk.handoff(&request(), None).await.result.unwrap();
    desk.sim.settled().await;
    for e in desk.sim.deliveries() {
        let u = desk.on_webhook(&of_simulator(&e), None).await.result.unwrap();
        assert_eq!(kinds(&u.events), [EventKind::Ignored]);
    }
}

#[tokio::test]
async fn a_private_note_whose_type_is_missing_is_looked_up() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail_webhook(WebhookFault::LoseMessageType);
    let w = talk.desk.sim.note(&talk.id, &talk.desk.maya(), &said("she is angry")).await.unwrap();
    let e = talk.hear(&w).await;
    assert_eq!(kinds(&e), [EventKind::Ignored]);
}

#[tokio::test]
async fn a_second_handoff_whose_session_is_lost_is_found() {
    for open in [CreateWhileOpen::Append, CreateWhileOpen::AlwaysNew] {
        let mut talk = Talk::begin().await;
        talk.desk.sim.set_behaviour(|it| it.create_while_open = open);
        let w = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
        talk.hear(&w).await;
        talk.desk.handoff(&request(), Some(&talk.session)).await.result.unwrap();
        talk.desk.handoff(&HandoffRequest { retry: true, ..request() }, None).await.result.unwrap();
        let all = talk.desk.sim.conversations();
        assert_eq!((all.len(), texts(&all[1]).len()), (2, 3), "{open:?}");
    }
}

struct StopAfter(usize);
impl Interceptor for StopAfter {
    fn after(&self, request: Outgoing<'_>, _status: u16) -> After {
        if request.index == self.0 { After::Trap } else { After::Pass }
    }
}

#[tokio::test]
async fn a_relay_that_was_stopped_after_its_effect_is_not_doubled() {
    let mut talk = Talk::begin().await;
    let calm = talk.desk.sandbox.clone();
    talk.desk.sandbox = calm.clone().interceptor(Arc::new(StopAfter(0)));
    drop(talk.desk.relay(&talk.session, &user_message("m1", &said("hello"))).await);
    talk.desk.sandbox = calm;
    talk.desk.relay_again(&talk.session, &user_message("m1", &said("hello"))).await.result.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

#[tokio::test]
async fn a_close_that_was_stopped_after_its_note_does_not_double_it() {
    let mut talk = Talk::begin().await;
    let calm = talk.desk.sandbox.clone();
    talk.desk.sandbox = calm.clone().interceptor(Arc::new(StopAfter(0)));
    drop(talk.desk.close(&talk.session, CloseReason::UserLeft).await);
    talk.desk.sandbox = calm;
    talk.desk.close_again(&talk.session, CloseReason::UserLeft).await.result.unwrap();
    let notes = texts(&talk.conversation()).into_iter().filter(|t| t.2.ends_with(" end")).count();
    assert_eq!(notes, 1);
}

#[tokio::test]
async fn a_blank_avatar_is_not_sent() {
    let desk = Desk::connected().await;
    let mut request = request();
    request.user.avatar_url = Some("  ".into());
    desk.handoff(&request, None).await.result.unwrap();
    let created = desk.sim.journal().into_iter().find(|call| call.line() == "POST /v2/users").unwrap();
    assert!(created.json().get("avatar").is_none(), "{}", created.json());
}

#[tokio::test]
async fn a_relay_of_unknown_outcome_is_found_behind_sixty_answers() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(Match::path("/v2/conversations/*/messages").method("POST"), How::Cut).after_effect());
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap_err();
    for n in 0..60 {
        talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &format!("{n}")).await.unwrap();
    }
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

#[tokio::test]
async fn a_recreated_topic_is_used_by_the_next_try() {
    let desk = Desk::connected().await;
    desk.sim.remove_topic(&desk.sim.topic_id(TOPIC).unwrap());
    let error = refused(desk.handoff(&request(), None).await);
    desk.sim.add_topic(TopicSpec::named(TOPIC));
    let desk = desk.connect_now().await;
    let r = desk.handoff(&request(), error.session.as_deref()).await.result;
    assert!(r.is_ok(), "{r:?}");
}

//! `tick`: reports what webhooks did not, and applies time-outs.

use freshworks_simulator::{Assignee, ConversationForm, Fault, How, Match, Status, WebhookFault};
use handoff_host::bindings::{CloseReason, ErrorKind, Event, EventKind, Outcome, Owner, SessionState, Update};
use serde_json::Value;

use crate::support::{
    Desk, NOW, Talk, kinds, nowhere, of_simulator, reaching, refused, refused_as, refused_at_once, request, said,
    texts, user_message,
};

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "a_tick_reports_what_webhooks_did_not"),
    ("invalid-settings", "unusable_arguments_are_refused_before_any_request"),
    ("invalid-request", "unusable_arguments_are_refused_before_any_request"),
    ("unauthorized", "each_trouble_has_its_kind_and_the_next_tick_does_the_rest"),
    ("not-found", "each_trouble_has_its_kind_and_the_next_tick_does_the_rest"),
    ("rejected", "each_trouble_has_its_kind_and_the_next_tick_does_the_rest"),
    ("rate-limited", "each_trouble_has_its_kind_and_the_next_tick_does_the_rest"),
    ("unavailable", "each_trouble_has_its_kind_and_the_next_tick_does_the_rest"),
    ("outcome-unknown", "an_interrupted_time_out_continues_at_the_next_tick"),
    ("malformed", "each_trouble_has_its_kind_and_the_next_tick_does_the_rest"),
];

const MINUTE: u64 = 60_000;

/// A conversation that may wait for five minutes, and be inactive for thirty.
async fn impatient() -> Talk {
    let desk = Desk::connected().await.set("queue_timeout_minutes", 5).set("inactivity_timeout_minutes", 30);
    Talk::of(desk, &request()).await
}

fn said_in(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|event| event.message.as_ref()?.parts.first()?.text.as_deref()).collect()
}

fn end_notes(talk: &Talk) -> usize {
    texts(&talk.conversation()).into_iter().filter(|(.., text)| text.ends_with(" end")).count()
}

#[tokio::test]
async fn a_tick_reports_what_webhooks_did_not() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    talk.desk.sim.reply(&talk.id, &maya, &said("Let me look")).await.unwrap();
    talk.desk.sim.note(&talk.id, &maya, &said("she is angry")).await.unwrap();
    talk.desk.sim.reply(&talk.id, &maya, &said("It is on its way")).await.unwrap();
    talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.desk.sim.clear_journal();
    let update = talk.tick(NOW + MINUTE).await.unwrap();
    use EventKind::{AgentMessage, Resolved, ReturnedToAi};
    assert_eq!(kinds(&update.events), [AgentMessage, AgentMessage, Resolved, ReturnedToAi]);
    assert_eq!(said_in(&update.events), [said("Let me look"), said("It is on its way")]);
    assert_eq!(update.events[0].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"));
    assert_eq!(update.events[3].outcome, Some(Outcome::Resolved));
    assert_eq!(update.info.unwrap().owner, Owner::AiAgent);
    let mut lines = talk.desk.lines();
    lines.sort();
    let conversation = format!("GET /v2/conversations/{}", talk.id);
    let expected = [format!("GET /v2/agents/{maya}"), conversation.clone(), format!("{conversation}/messages")];
    assert_eq!(lines, expected, "conversation and messages together, then the name of each new agent");
}

#[tokio::test]
async fn a_tick_reports_the_agent_when_the_assignment_was_lost() {
    let mut talk = Talk::begin().await;
    let (maya, tom) = (talk.desk.maya(), talk.desk.tom());
    talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    let update = talk.tick(NOW + MINUTE).await.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::AgentAssigned]);
    assert_eq!(update.info.unwrap().state, SessionState::Active);
    talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&tom)).await.unwrap();
    let update = talk.tick(NOW + 2 * MINUTE).await.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::Transferred]);
    assert_eq!(update.events[0].agent.as_ref().unwrap().id, Some(tom));
}

#[tokio::test]
async fn a_tick_does_not_report_anything_twice() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let mut webhooks = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    webhooks.extend(talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap());
    talk.hear(&webhooks).await;
    talk.relay(&user_message("m1", &said("thanks"))).await.unwrap();
    assert!(talk.tick(NOW + MINUTE).await.unwrap().events.is_empty());
    let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.hear(&resolved).await;
    assert!(talk.tick(NOW + 2 * MINUTE).await.unwrap().events.is_empty());
}

#[tokio::test]
async fn a_webhook_and_a_tick_give_the_same_event_id() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let mut webhooks = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    webhooks.extend(talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap());
    webhooks.extend(talk.desk.sim.resolve(&talk.id, &maya).await.unwrap());
    let before = talk.session.clone();
    let mut by_webhook: Vec<String> = talk.hear(&webhooks).await.into_iter().map(|event| event.id).collect();
    // The platform acted on these and died before it stored the session.
    talk.session = before;
    let by_tick: Vec<String> =
        talk.tick(NOW + MINUTE).await.unwrap().events.into_iter().map(|event| event.id).collect();
    by_webhook.retain(|id| !id.contains(":assigned:"));
    assert_eq!(by_tick, by_webhook);

    let mut late = talk.hear(&webhooks).await;
    late.retain(|event| event.kind != EventKind::Ignored);
    assert!(late.is_empty(), "{:?}", kinds(&late));
}

#[tokio::test]
async fn a_reopening_is_seen_inside_the_window_only() {
    let reopened = async |talk: &mut Talk, now| {
        let maya = talk.desk.maya();
        let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
        talk.hear(&resolved).await;
        let webhooks = talk.desk.sim.reopen(&talk.id, &maya).await.unwrap();
        (talk.tick(now).await.unwrap(), webhooks)
    };
    let mut talk = Talk::begin().await;
    let (update, webhooks) = reopened(&mut talk, NOW + 23 * 60 * MINUTE).await;
    assert_eq!(kinds(&update.events), [EventKind::Reopened]);
    assert_eq!(update.info.unwrap().owner, Owner::HumanAgent);
    assert_eq!(crate::support::ignored(&talk.hear(&webhooks).await), "stale");

    let mut talk = Talk::begin().await;
    let (update, _) = reopened(&mut talk, NOW + 25 * 60 * MINUTE).await;
    assert_eq!((kinds(&update.events), update.info.unwrap().next_tick_at), (Vec::new(), None));
    talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    let webhooks = talk.desk.sim.reopen(&talk.id, &talk.desk.maya()).await.unwrap();
    let mut late = of_simulator(&webhooks[0]);
    late.received_at = NOW + 25 * 60 * MINUTE;
    assert_eq!(crate::support::ignored(&talk.hear_one(&late).await.events), "reopen-too-late");
    let answer = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
    assert_eq!(kinds(&talk.hear(&answer).await), [EventKind::AgentMessage], "words are never lost");
}

#[tokio::test]
async fn an_end_found_twice_counts_twice_even_without_a_time_from_the_account() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    talk.desk.sim.set_behaviour(|it| it.conversation_form = ConversationForm::Minimal);
    for round in 1..4 {
        talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
        let update = talk.tick(NOW + round * MINUTE).await.unwrap();
        assert_eq!(kinds(&update.events), [EventKind::Resolved, EventKind::ReturnedToAi], "round {round}");
        let reopened = talk.desk.sim.reopen(&talk.id, &maya).await.unwrap();
        assert_eq!(kinds(&talk.hear(&reopened).await), [EventKind::Reopened], "round {round}");
    }
}

#[tokio::test]
async fn words_from_before_the_handoff_are_not_for_it() {
    let talk = Talk::begin().await;
    let maya = talk.desk.maya();
    talk.desk.sim.reply(&talk.id, &maya, &said("of the first handoff")).await.unwrap();
    // Another conversation of the same person: Freshchat continues the open one.
    let mut other = request();
    other.key.conversation = "43".into();
    let receipt = talk.desk.handoff(&other, None).await.result.unwrap();
    talk.desk.sim.reply(&talk.id, &maya, &said("of the second")).await.unwrap();
    let first = talk.desk.tick(&talk.session, NOW + MINUTE).await.result.unwrap();
    assert!(first.events.is_empty(), "{:?}", said_in(&first.events));
    let second = talk.desk.tick(&receipt.session, NOW + MINUTE).await.result.unwrap();
    assert_eq!(said_in(&second.events), [said("of the second")]);
}

#[tokio::test]
async fn a_conversation_waits_in_the_queue_no_longer_than_configured() {
    let mut talk = impatient().await;
    let early = talk.tick(NOW + 4 * MINUTE).await.unwrap();
    assert_eq!((early.events.len(), early.info.unwrap().next_tick_at), (0, Some(NOW + 5 * MINUTE)));
    talk.relay(&user_message("m1", &said("anybody there?"))).await.unwrap();
    let update = talk.tick(NOW + 5 * MINUTE).await.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
    assert_eq!(update.events[0].outcome, Some(Outcome::TimedOut));
    assert_eq!(update.info.unwrap().state, SessionState::Returned);
    assert_eq!((end_notes(&talk), talk.conversation().status), (1, Status::Resolved));
    let again = talk.tick(NOW + 6 * MINUTE).await.unwrap();
    assert_eq!((again.events.len(), end_notes(&talk)), (0, 1));
}

#[tokio::test]
async fn an_agent_who_took_it_in_the_last_moment_keeps_it() {
    let mut talk = impatient().await;
    let maya = talk.desk.maya();
    talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    let update = talk.tick(NOW + 5 * MINUTE).await.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::AgentAssigned]);
    assert_eq!((update.info.unwrap().state, end_notes(&talk)), (SessionState::Active, 0));
    assert!(talk.tick(NOW + 34 * MINUTE).await.unwrap().events.is_empty());
    let update = talk.tick(NOW + 35 * MINUTE).await.unwrap();
    assert_eq!((kinds(&update.events), end_notes(&talk)), (vec![EventKind::ReturnedToAi], 1));
}

#[tokio::test]
async fn messages_of_either_side_postpone_the_inactivity_time_out() {
    let mut talk = impatient().await;
    let answer = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
    talk.hear(&answer).await;
    talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("its webhook is lost")).await.unwrap();
    assert_eq!(talk.tick(NOW + 29 * MINUTE).await.unwrap().events.len(), 1);
    assert!(talk.tick(NOW + 58 * MINUTE).await.unwrap().events.is_empty());
    assert_eq!(kinds(&talk.tick(NOW + 59 * MINUTE).await.unwrap().events), [EventKind::ReturnedToAi]);
}

#[tokio::test]
async fn an_interrupted_time_out_continues_at_the_next_tick() {
    for call in
        [Match::path("/v2/conversations/*/messages").method("POST"), Match::path("/v2/conversations/*").method("PUT")]
    {
        for after in [false, true] {
            let mut talk = impatient().await;
            let fault = Fault::new(call.clone(), How::Cut);
            talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
            let error = talk.tick(NOW + 5 * MINUTE).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
            let update = talk.tick(NOW + 6 * MINUTE).await.unwrap();
            assert_eq!((kinds(&update.events), end_notes(&talk)), (vec![EventKind::ReturnedToAi], 1));
        }
    }
}

#[tokio::test]
async fn a_tick_whose_answer_was_lost_ends_it_once() {
    let mut talk = impatient().await;
    let before = talk.session.clone();
    let first = talk.tick(NOW + 5 * MINUTE).await.unwrap();
    talk.session = before;
    let second = talk.tick(NOW + 6 * MINUTE).await.unwrap();
    let ids = |update: &Update| update.events.last().unwrap().id.clone();
    assert_eq!((ids(&first), end_notes(&talk)), (ids(&second), 1));
}

#[tokio::test]
async fn a_close_that_was_cut_off_is_finished() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(Match::path("/v2/conversations/*").method("PUT"), How::status(500)));
    talk.close(CloseReason::UserLeft).await.unwrap_err();
    let update = talk.tick(NOW + MINUTE).await.unwrap();
    assert_eq!(kinds(&update.events), [EventKind::ReturnedToAi]);
    assert_eq!(update.events[0].outcome, Some(Outcome::Abandoned));
    assert_eq!((end_notes(&talk), talk.conversation().status), (1, Status::Resolved));
}

#[tokio::test]
async fn sessions_say_when_they_want_a_tick() {
    let mut talk = Talk::begin().await;
    let next = |update: &Update| update.info.as_ref().unwrap().next_tick_at.map(|at| (at - NOW) / MINUTE);
    let mut minute = 1;
    for expected in [2, 4, 8, 16, 31, 46] {
        let update = talk.tick(NOW + minute * MINUTE).await.unwrap();
        assert_eq!(next(&update), Some(expected));
        minute = expected;
    }
    let resolved = talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
    let update = talk.hear_one(&of_simulator(&resolved[0])).await;
    assert_eq!(next(&update), Some(1), "an agent may think again");
    let second = talk.desk.handoff(&request(), Some(&talk.session)).await.result.unwrap();
    assert_eq!(second.info.next_tick_at, Some(NOW + MINUTE));
}

#[tokio::test]
async fn an_idle_session_costs_no_request() {
    let desk = Desk::connected().await;
    desk.sim.fail(Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut));
    let requesting = refused(desk.handoff(&request(), None).await).session.unwrap();
    desk.sim.clear_journal();
    let update = desk.tick(&requesting, NOW + MINUTE).await.result.unwrap();
    assert_eq!((update.events.len(), update.info.unwrap().next_tick_at), (0, None));
    assert!(desk.lines().is_empty());
}

#[tokio::test]
async fn each_trouble_has_its_kind_and_the_next_tick_does_the_rest() {
    for (how, kind) in [
        (How::status(401), ErrorKind::Unauthorized),
        (How::status(404), ErrorKind::NotFound),
        (How::status(409), ErrorKind::Rejected),
        (How::rate_limit(7), ErrorKind::RateLimited),
        (How::status(503), ErrorKind::Unavailable),
        (How::CutMidBody, ErrorKind::Unavailable),
        (How::Garbage, ErrorKind::Malformed),
    ] {
        for path in ["/v2/conversations/*", "/v2/conversations/*/messages"] {
            if kind == ErrorKind::NotFound && path == "/v2/conversations/*" {
                // Gone: no trouble, but the end.
                continue;
            }
            let mut talk = Talk::begin().await;
            let answer = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
            talk.desk.sim.fail(Fault::new(Match::path(path), how.clone()).times(2));
            let error = refused_as(talk.desk.tick(&talk.session, NOW + MINUTE).await, kind);
            assert!(error.remedy.is_some() && error.log.is_some(), "{how:?}");
            talk.desk.sim.clear_faults();
            assert_eq!(said_in(&talk.tick(NOW + 2 * MINUTE).await.unwrap().events), [said("hello")], "{how:?}");
            assert_eq!(crate::support::ignored(&talk.hear(&answer).await), "duplicate");
        }
    }
}

#[tokio::test]
async fn a_message_without_a_webhook_is_reported_when_the_account_is_back() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail_webhook(WebhookFault::Drop);
    talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
    let right = talk.desk.settings["test_origin"].clone();
    let gone = nowhere();
    let sandbox = std::mem::replace(&mut talk.desk.sandbox, reaching(&[&gone]));
    talk.desk.settings["test_origin"] = gone.into();
    refused_as(talk.desk.tick(&talk.session, NOW + MINUTE).await, ErrorKind::Unavailable);
    (talk.desk.sandbox, talk.desk.settings["test_origin"]) = (sandbox, right);
    assert_eq!(said_in(&talk.tick(NOW + 2 * MINUTE).await.unwrap().events), [said("hello")]);
}

#[tokio::test]
async fn unusable_arguments_are_refused_before_any_request() {
    let talk = Talk::begin().await;
    let error = refused_at_once(talk.desk.tick("{}", NOW).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
    for (name, value) in [("chat_url", Value::from("https://example.org")), ("reopen_window_minutes", (-1).into())] {
        let desk = Desk::new().await.set(name, value).set("test_origin", Value::Null);
        let error = refused_at_once(desk.tick(&talk.session, NOW).await);
        assert_eq!(error.kind, ErrorKind::InvalidSettings);
        assert_eq!(error.field, Some(format!("settings.{name}")));
    }
}

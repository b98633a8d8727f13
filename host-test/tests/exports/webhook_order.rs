//! `on-webhook` over a whole conversation: assignments, transfers, endings, and webhooks that come late or not at all.

use freshworks_simulator::{Assignee, Delivery};
use handoff_host::bindings::{EventKind, Owner, SessionInfo, SessionState};

use crate::support::{Talk, ignored, kinds, of_simulator, said};

async fn info_after(talk: &mut Talk, webhooks: &[Delivery]) -> SessionInfo {
    let mut info = None;
    for webhook in webhooks {
        info = talk.hear_one(&of_simulator(webhook)).await.info;
    }
    info.unwrap()
}

#[tokio::test]
async fn an_assignment_names_the_agent_who_took_it() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let taken = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    let update = talk.hear_one(&of_simulator(&taken[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::AgentAssigned]);
    assert_eq!(update.events[0].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"));
    assert_eq!(update.info.unwrap().state, SessionState::Active);
}

#[tokio::test]
async fn transfers_to_another_agent_and_to_a_group_are_reported() {
    let mut talk = Talk::begin().await;
    let (maya, tom) = (talk.desk.maya(), talk.desk.tom());
    let support = talk.desk.sim.group_id("Support").unwrap();
    let taken = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    talk.hear(&taken).await;
    let passed = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&tom)).await.unwrap();
    let events = talk.hear(&passed).await;
    assert_eq!(
        (kinds(&events).as_slice(), events[0].detail.as_deref()),
        (&[EventKind::Transferred][..], Some("to-agent"))
    );
    assert_eq!(events[0].agent.as_ref().unwrap().name.as_deref(), Some("Tom Okafor"));
    let grouped = talk.desk.sim.assign(&talk.id, &tom, Assignee::Group(&support)).await.unwrap();
    let update = talk.hear_one(&of_simulator(&grouped[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::Transferred]);
    assert_eq!(update.events[0].detail.as_deref(), Some("to-group"));
    let info = update.info.unwrap();
    assert_eq!((info.state, info.owner), (SessionState::Queued, Owner::HumanAgent));
}

#[tokio::test]
async fn an_answer_before_its_assignment_makes_the_conversation_active() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let taken = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    let answer = talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap();
    let update = talk.hear_one(&of_simulator(&answer[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::AgentMessage]);
    assert_eq!(update.info.unwrap().state, SessionState::Active);
    assert_eq!(ignored(&talk.hear(&taken).await), "unchanged-assignment");
}

#[tokio::test]
async fn an_older_assignment_does_not_take_the_conversation_back() {
    let mut talk = Talk::begin().await;
    let (maya, tom) = (talk.desk.maya(), talk.desk.tom());
    let first = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    let second = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&tom)).await.unwrap();
    assert_eq!(talk.hear(&second).await[0].agent.as_ref().unwrap().name.as_deref(), Some("Tom Okafor"));
    assert_eq!(ignored(&talk.hear(&first).await), "stale");
}

#[tokio::test]
async fn a_second_end_is_ignored_and_a_reopening_counts() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.hear(&resolved).await;
    let reopened = talk.desk.sim.reopen(&talk.id, &maya).await.unwrap();
    let update = talk.hear_one(&of_simulator(&reopened[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::Reopened]);
    assert_eq!(update.info.unwrap().owner, Owner::HumanAgent);
    assert_eq!(ignored(&talk.hear(&resolved).await), "duplicate");
    let again = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    assert_eq!(kinds(&talk.hear(&again).await), [EventKind::Resolved, EventKind::ReturnedToAi]);
    // A third one that differs in time only, as a repeated action in the product would.
    let mut late: serde_json::Value = again[0].json();
    late["action_time"] = "2099-01-01T00:00:00.000Z".into();
    let update = talk.hear_one(&talk.desk.signed(late.to_string())).await;
    assert_eq!(ignored(&update.events), "already-returned");
}

#[tokio::test]
async fn a_reopening_of_what_is_open_is_ignored() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    let reopened = talk.desk.sim.reopen(&talk.id, &maya).await.unwrap();
    assert_eq!(ignored(&talk.hear(&reopened).await), "not-ended", "the end was lost on its way");
}

#[tokio::test]
async fn a_late_message_after_the_end_is_still_delivered() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let answer = talk.desk.sim.reply(&talk.id, &maya, &said("one last thing")).await.unwrap();
    let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.hear(&resolved).await;
    let update = talk.hear_one(&of_simulator(&answer[0])).await;
    assert_eq!(kinds(&update.events), [EventKind::AgentMessage]);
    assert_eq!(update.info.unwrap().owner, Owner::AiAgent, "it does not bring the human agents back");
}

#[tokio::test]
async fn an_end_without_anything_before_it_hands_back() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap();
    let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    let events = talk.hear(&resolved).await;
    assert_eq!(kinds(&events), [EventKind::Resolved, EventKind::ReturnedToAi]);
}

#[tokio::test]
async fn webhooks_of_the_first_handoff_do_not_end_the_second() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let resolved = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.hear(&resolved).await;
    let second = talk.desk.handoff(&crate::support::request(), Some(&talk.session)).await.result.unwrap();
    talk.session = second.session;
    let mut late = resolved[0].json();
    late["action_time"] = "2099-01-01T00:00:00.000Z".into();
    let update = talk.hear_one(&talk.desk.signed(late.to_string())).await;
    assert_eq!(ignored(&update.events), "superseded");
    assert_eq!(update.info.unwrap().owner, Owner::HumanAgent);
}

#[tokio::test]
async fn echoes_of_a_whole_handoff_leave_it_in_the_queue() {
    let desk = crate::support::Desk::new().await.set("group", "Support").connect_now().await;
    let receipt = desk.handoff(&crate::support::long_request(), None).await.result.unwrap();
    desk.sim.settled().await;
    let echoes = desk.sim.deliveries();
    let mut talk = Talk { id: receipt.info.conversation_ids[0].clone(), session: receipt.session, desk };
    assert_eq!(info_after(&mut talk, &echoes).await.state, SessionState::Queued);
}

#[tokio::test]
async fn webhooks_that_overtake_the_handoffs_answer_do_no_harm() {
    let desk = crate::support::Desk::connected().await;
    desk.sim.set_behaviour(|it| it.echo_before_answer = true);
    desk.handoff(&crate::support::request(), None).await.result.unwrap();
    for echo in desk.sim.deliveries() {
        let update = desk.on_webhook(&of_simulator(&echo), None).await.result.unwrap();
        assert_eq!(ignored(&update.events), "end-user-message");
    }
}

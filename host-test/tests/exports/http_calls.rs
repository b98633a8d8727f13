//! The number of requests of each call.

use freshworks_simulator::UserSpec;
use handoff_host::bindings::{CloseReason, HandoffRequest, SenderRole};

use crate::support::{Desk, Talk, message, of_simulator, request, said, user_message};

fn forty_messages() -> HandoffRequest {
    let line = |number: usize| message(&number.to_string(), SenderRole::EndUser, None, &said(&"word ".repeat(60)));
    HandoffRequest { history: Some((0..40).map(line).collect()), ..request() }
}

#[tokio::test]
async fn a_handoff_of_a_new_person_takes_four() {
    let desk = Desk::connected().await;
    desk.handoff(&forty_messages(), None).await.result.unwrap();
    assert_eq!(desk.lines(), ["GET /v2/users", "GET /v2/users", "POST /v2/users", "POST /v2/conversations"]);
}

#[tokio::test]
async fn a_handoff_of_a_known_person_takes_two() {
    let desk = Desk::connected().await;
    let known = UserSpec {
        reference_id: Some("user-1".into()),
        first_name: Some("Ana".into()),
        email: Some("ana@xylomar.example".into()),
        ..UserSpec::default()
    };
    desk.sim.seed_user(known);
    desk.handoff(&forty_messages(), None).await.result.unwrap();
    assert_eq!(desk.lines(), ["GET /v2/users", "POST /v2/conversations"]);
}

#[tokio::test]
async fn a_record_that_lacks_what_is_known_is_completed_once() {
    let desk = Desk::connected().await;
    let id = desk.sim.seed_user(UserSpec { reference_id: Some("user-1".into()), ..UserSpec::default() });
    desk.handoff(&forty_messages(), None).await.result.unwrap();
    assert_eq!(desk.lines(), ["GET /v2/users", &format!("PUT /v2/users/{id}"), "POST /v2/conversations"]);
    desk.sim.clear_journal();
    let mut next = forty_messages();
    next.key.conversation = "43".into();
    desk.handoff(&next, None).await.result.unwrap();
    assert_eq!(desk.lines(), ["GET /v2/users", "POST /v2/conversations"]);
}

#[tokio::test]
async fn a_handoff_of_a_person_without_a_verified_address_takes_three() {
    for email in [None, Some("ana@xylomar.example".to_owned())] {
        let desk = Desk::connected().await;
        let mut request = forty_messages();
        (request.user.email, request.user.email_verified) = (email, false);
        desk.handoff(&request, None).await.result.unwrap();
        assert_eq!(desk.lines(), ["GET /v2/users", "POST /v2/users", "POST /v2/conversations"]);
    }
}

#[tokio::test]
async fn routing_and_note_author_cost_nothing_once_connected() {
    let desk = Desk::new().await.set("group", "Support").set("agent", "tom@acme.example");
    let desk = desk.set("note_author", "maya@acme.example").connect_now().await;
    desk.handoff(&forty_messages(), None).await.result.unwrap();
    assert_eq!(desk.lines().len(), 4);
}

#[tokio::test]
async fn a_retry_takes_two_to_four_more() {
    let desk = Desk::connected().await;
    let first = desk.handoff(&forty_messages(), None).await;
    desk.sim.clear_journal();
    desk.handoff(&HandoffRequest { retry: true, ..forty_messages() }, None).await.result.unwrap();
    let lines = desk.lines();
    assert!(lines.iter().all(|line| line.starts_with("GET ")), "{lines:?}");
    assert!((2..=4).contains(&lines.len()), "{lines:?}");
    assert_eq!(first.report.http.len(), 4);
}

#[tokio::test]
async fn a_message_takes_one_and_the_end_takes_two() {
    let mut talk = Talk::begin().await;
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    assert_eq!(talk.desk.lines(), [format!("POST /v2/conversations/{}/messages", talk.id)]);
    talk.desk.sim.clear_journal();
    talk.close(CloseReason::UserLeft).await.unwrap();
    let expected =
        [format!("POST /v2/conversations/{}/messages", talk.id), format!("PUT /v2/conversations/{}", talk.id)];
    assert_eq!(talk.desk.lines(), expected);
}

#[tokio::test]
async fn a_webhook_takes_one_for_each_new_agent_and_else_none() {
    let mut talk = Talk::begin().await;
    for number in 0..3 {
        let answer = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("hello")).await.unwrap();
        let call = talk.desk.on_webhook(&of_simulator(&answer[0]), Some(&talk.session)).await;
        assert_eq!(call.report.http.len(), usize::from(number == 0));
        talk.session = call.result.unwrap().session.unwrap();
    }
}

#[tokio::test]
async fn every_request_carries_the_key_and_asks_for_json() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.clear_journal();
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    talk.close(CloseReason::UserLeft).await.unwrap();
    for exchange in talk.desk.sim.journal() {
        assert!(exchange.authorized, "{}", exchange.line());
        assert!(exchange.headers.contains(&("accept".into(), "application/json".into())), "{}", exchange.line());
        assert!(exchange.headers.contains(&("content-type".into(), "application/json".into())), "{}", exchange.line());
    }
}

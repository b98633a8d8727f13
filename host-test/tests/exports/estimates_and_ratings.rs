//! How long others wait, how the human part was rated, which skill is needed.

use std::sync::Arc;
use std::time::Duration;

use freshworks_simulator::{self as simulator, Assignee, Fault, How, Match, UndeclaredProperties, WaitFigures};
use handoff_host::bindings::{
    CloseReason, ErrorKind, HandoffRequest, Mode, Rating, Routing, SessionState, WaitEstimate,
};
use serde_json::json;

use crate::coverage::Covered;
use crate::support::{
    Desk, SPOKEN, StopAt, Talk, codes, nowhere, plugin, reaching, refused, refused_at_once, request, said,
};

/// The tests of `rate`.
pub(crate) const COVERED: Covered = &[
    ("ok", "a_rating_reaches_freshchat_once_and_masked"),
    ("invalid-settings", "a_rating_that_cannot_be_carried_is_refused_before_any_request"),
    ("invalid-request", "before_the_end_and_for_tickets_the_error_names_the_remedy"),
    ("not-found", "a_conversation_that_is_gone_cannot_be_rated"),
    ("unauthorized", "each_trouble_with_a_rating_has_its_kind_and_none_doubles_it"),
    ("rejected", "each_trouble_with_a_rating_has_its_kind_and_none_doubles_it"),
    ("rate-limited", "each_trouble_with_a_rating_has_its_kind_and_none_doubles_it"),
    ("unavailable", "each_trouble_with_a_rating_has_its_kind_and_none_doubles_it"),
    ("outcome-unknown", "a_rating_that_may_have_got_through_is_not_sent_again"),
];

const FIGURES: &str = "GET /v2/metrics/historical";
const SUPPORT: WaitFigures = WaitFigures { group: Some("Support"), average_wait: Some("150.4"), waiting: Some("3") };
const NO_GROUP: WaitFigures = WaitFigures { group: None, average_wait: Some("30"), waiting: Some("1") };

async fn with_figures(figures: Vec<WaitFigures>) -> Desk {
    let desk = Desk::new().await.set("wait_estimate", true).set("group", "Support").connect_now().await;
    desk.sim.set_behaviour(|behaviour| behaviour.wait_figures = figures);
    desk
}

fn figures(estimate: Option<WaitEstimate>) -> Option<(Option<u32>, Option<u32>)> {
    estimate.map(|estimate| (estimate.average_wait_seconds, estimate.waiting))
}

#[tokio::test]
async fn the_receipt_says_how_long_others_of_the_group_wait() {
    let desk = with_figures(vec![NO_GROUP, SUPPORT]).await;
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert_eq!(figures(receipt.estimate), Some((Some(150), Some(3))));
    let lines = desk.lines();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(lines[4..], [FIGURES, FIGURES], "after the handoff");
    let again = desk.handoff(&request(), Some(&receipt.session)).await.result.unwrap();
    assert_eq!((figures(again.estimate), desk.lines().len()), (None, 6), "nothing was handed over");
}

#[tokio::test]
async fn without_a_group_the_figures_of_conversations_without_one_count() {
    let desk = with_figures(vec![NO_GROUP, SUPPORT]).await.set("group", json!(null));
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert_eq!(figures(receipt.estimate), Some((Some(30), Some(1))));
}

#[tokio::test]
async fn there_is_no_estimate_by_default_and_none_is_invented() {
    for waits in [vec![], vec![NO_GROUP]] {
        let receipt = with_figures(waits).await.handoff(&request(), None).await.result.unwrap();
        assert_eq!((figures(receipt.estimate), codes(&receipt.findings)), (None, vec![]));
    }
    let desk = with_figures(vec![SUPPORT]).await.set("wait_estimate", json!(null));
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert_eq!((figures(receipt.estimate), desk.lines().len()), (None, 4));
}

#[tokio::test]
async fn figures_that_fail_cost_the_handoff_nothing_but_a_finding() {
    let hanging = How::Delay(Duration::from_secs(60));
    for how in
        [How::status(400), How::status(403), How::status(500), How::rate_limit(7), How::Cut, How::Garbage, hanging]
    {
        let desk = with_figures(vec![SUPPORT]).await;
        desk.sim.fail(Fault::new(Match::path("/v2/metrics/historical"), how.clone()).times(2));
        let handed_over = tokio::time::timeout(Duration::from_secs(30), desk.handoff(&request(), None)).await;
        let call = handed_over.expect("it waits for no figure");
        assert_eq!(call.report.http.len(), 6, "asked for once: {how:?}");
        let receipt = call.result.unwrap();
        assert_eq!(receipt.info.state, SessionState::Queued, "{how:?}");
        assert_eq!((figures(receipt.estimate), codes(&receipt.findings)), (None, vec!["estimate-unknown"]), "{how:?}");
    }
}

#[tokio::test]
async fn one_figure_is_better_than_none() {
    let desk = with_figures(vec![SUPPORT]).await;
    desk.sim.fail(Fault::new(Match::path("/v2/metrics/historical"), How::status(503)));
    let receipt = desk.handoff(&request(), None).await.result.unwrap();
    assert!(matches!(figures(receipt.estimate), Some((Some(150), None) | (None, Some(3)))), "{:?}", receipt.estimate);
    assert_eq!(codes(&receipt.findings), ["estimate-unknown"]);
}

#[tokio::test]
async fn a_ticket_gets_no_estimate() {
    let desk = with_figures(vec![SUPPORT]).await.with_tickets();
    let ticket = HandoffRequest { mode: Mode::Ticket, ..request() };
    let receipt = desk.handoff(&ticket, None).await.result.unwrap();
    assert_eq!(figures(receipt.estimate), None);
    assert!(!desk.lines().contains(&FIGURES.to_owned()));
}

// ---- skill ----------------------------------------------------------------------------------------------------------

fn skilled() -> HandoffRequest {
    HandoffRequest {
        routing: Some(Routing {
            topic: None,
            group: None,
            agent: None,
            priority: None,
            skill: Some(" billing-es ".into()),
        }),
        context: Some(vec![("order".into(), "4711".into())]),
        ..request()
    }
}

#[tokio::test]
async fn a_skill_goes_into_the_property_that_the_settings_name() {
    let desk = Desk::new()
        .await
        .set("skill_property", "cf_type")
        .set("context", json!({ "order": "conversation.cf_reference" }));
    let connection = desk.connect().await.result.unwrap();
    assert!(codes(&connection.findings).contains(&"skill-property-known"));
    let desk = desk.connect_now().await;
    let receipt = desk.handoff(&skilled(), None).await.result.unwrap();
    let properties = desk.conversation().properties;
    assert_eq!((&properties["cf_type"], &properties["cf_reference"]), (&json!("billing-es"), &json!("4711")));
    assert_eq!((codes(&receipt.findings), desk.lines().len()), (vec![], 4), "it costs no request");
    assert!(receipt.decisions.iter().any(|it| (it.subject.as_str(), it.choice.as_str()) == ("skill", "cf_type")));
}

#[tokio::test]
async fn a_skill_without_a_property_is_left_out_and_the_handoff_continues() {
    let desk = Desk::connected().await.set("context", json!({ "order": "shown" }));
    let receipt = desk.handoff(&skilled(), None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["skill-left-out"]);
    assert!(!desk.conversation().properties.values().any(|value| value == "billing-es"));
    // A property that the account does not have.
    let desk = Desk::new().await.set("skill_property", "cf_skill").set("context", json!({ "order": "shown" }));
    let connection = desk.connect().await.result.unwrap();
    assert!(connection.connected && codes(&connection.findings).contains(&"skill-property-missing"));
    let desk = desk.connect_now().await;
    desk.sim.set_behaviour(|behaviour| behaviour.undeclared_properties = UndeclaredProperties::Refuse);
    let receipt = desk.handoff(&skilled(), None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["skill-refused"]);
    assert_eq!(receipt.info.state, SessionState::Queued);
    // A ticket takes none.
    let desk = Desk::connected().await.set("context", json!({ "order": "shown" })).with_tickets();
    let ticket = HandoffRequest { mode: Mode::Ticket, ..skilled() };
    let receipt = desk.handoff(&ticket, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["skill-left-out"]);
}

#[tokio::test]
async fn names_that_cannot_be_a_skill_or_its_property_are_refused_before_any_request() {
    let desk = Desk::connected().await;
    let mut long = skilled();
    long.routing.as_mut().unwrap().skill = Some("x".repeat(256));
    let error = refused_at_once(desk.handoff(&long, None).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("request.routing.skill")));
    let desk = desk.set("skill_property", "cf skill");
    let error = refused_at_once(desk.handoff(&skilled(), None).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidSettings, Some("settings.skill_property")));
}

// ---- ratings --------------------------------------------------------------------------------------------------------

fn rating(id: &str) -> Rating {
    Rating { id: id.into(), score: 4, comment: Some(said("Maya was fast; my card is 4111 1111 1111 1111")) }
}

/// A conversation that a human agent has resolved.
async fn resolved() -> Talk {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let deliveries = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.hear(&deliveries).await;
    talk.desk.sim.clear_journal();
    talk
}

#[tokio::test]
async fn a_rating_reaches_freshchat_once_and_masked() {
    let mut talk = resolved().await;
    for repeat in 0..2 {
        let update = talk.desk.rate(&talk.session, &rating("r-1"), repeat == 1).await.result.unwrap();
        assert_eq!((update.events.len(), codes(&update.findings)), (0, vec![]));
        talk.session = update.session.unwrap();
    }
    assert_eq!(talk.desk.lines(), [format!("POST /v2/csat/{}", talk.id)]);
    let rated = talk.desk.sim.ratings();
    assert_eq!((rated.len(), &rated[0].conversation, rated[0].score), (1, &talk.id, 4));
    let comment = rated[0].comment.as_deref().unwrap();
    assert!(comment.contains(SPOKEN) && !comment.contains("1111 1111"), "{comment}");
    // The end user has changed their mind.
    talk.desk.rate(&talk.session, &rating("r-2"), false).await.result.unwrap();
    assert_eq!(talk.desk.sim.ratings().len(), 2);
}

#[tokio::test]
async fn what_the_platform_has_closed_can_be_rated_too() {
    let mut talk = Talk::begin().await;
    talk.close(CloseReason::UserLeft).await.unwrap();
    talk.desk.rate(&talk.session, &rating("r-1"), false).await.result.unwrap();
    assert_eq!(talk.desk.sim.ratings().len(), 1);
}

#[tokio::test]
async fn before_the_end_and_for_tickets_the_error_names_the_remedy() {
    let mut talk = Talk::begin().await;
    let maya = talk.desk.maya();
    let assigned = talk.desk.sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    for deliveries in [vec![], assigned] {
        talk.hear(&deliveries).await;
        let error = refused_at_once(talk.desk.rate(&talk.session, &rating("r-1"), false).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
        assert!(error.remedy.unwrap().contains("`returned-to-ai`"));
    }
    let desk = Desk::connected().await.with_tickets();
    let receipt = desk.handoff(&HandoffRequest { mode: Mode::Ticket, ..request() }, None).await.result.unwrap();
    let error = refused_at_once(desk.rate(&receipt.session, &rating("r-1"), false).await);
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert!(error.message.contains("ticket") && error.remedy.unwrap().contains("survey"));
    let error = refused_at_once(desk.rate("none", &rating("r-1"), false).await);
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_conversation_that_is_gone_cannot_be_rated() {
    let talk = resolved().await;
    talk.desk.sim.remove_conversation(&talk.id);
    let error = refused(talk.desk.rate(&talk.session, &rating("r-1"), false).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("session")));
    assert!(error.remedy.unwrap().contains("drop the rating"));
}

#[tokio::test]
async fn a_rating_that_may_have_got_through_is_not_sent_again() {
    for how in [How::Cut, How::status(503), How::Garbage] {
        let talk = resolved().await;
        talk.desk.sim.fail(Fault::new(Match::path("/v2/csat/*"), how.clone()).after_effect());
        let error = refused(talk.desk.rate(&talk.session, &rating("r-1"), false).await);
        assert_eq!(error.kind, ErrorKind::OutcomeUnknown, "{how:?}");
        assert!(error.retry_after_ms.is_some());
        // With the session of the error, and with the one before it.
        for (session, retry) in [(error.session.unwrap(), false), (talk.session.clone(), true)] {
            let update = talk.desk.rate(&session, &rating("r-1"), retry).await.result.unwrap();
            assert_eq!(codes(&update.findings), ["rating-in-doubt"], "{how:?}");
        }
        assert_eq!((talk.desk.sim.ratings().len(), talk.desk.lines().len()), (1, 1), "{how:?}");
    }
}

#[tokio::test]
async fn a_call_that_was_cut_off_rates_once() {
    for after in [false, true] {
        let talk = resolved().await;
        let sandbox = reaching(&[talk.desk.sim.origin()]).interceptor(Arc::new(StopAt { index: 0, after }));
        let cut = plugin().rate(&sandbox, &talk.desk.json(), &talk.session, &rating("r-1"), false).await;
        assert!(cut.result.is_err());
        let again = talk.desk.rate(&talk.session, &rating("r-1"), true).await.result.unwrap();
        assert_eq!(codes(&again.findings), ["rating-in-doubt"]);
        assert_eq!(talk.desk.sim.ratings().len(), usize::from(after), "stopped after sending: {after}");
    }
}

#[tokio::test]
async fn each_trouble_with_a_rating_has_its_kind_and_none_doubles_it() {
    for (how, kind) in [
        (How::status(401), ErrorKind::Unauthorized),
        (How::status(403), ErrorKind::Unauthorized),
        (How::status(400), ErrorKind::Rejected),
        (How::rate_limit(7), ErrorKind::RateLimited),
    ] {
        let talk = resolved().await;
        // Requests that certainly changed nothing are retried within the budget.
        talk.desk.sim.fail(Fault::new(Match::path("/v2/csat/*"), how.clone()).times(1));
        let error = refused(talk.desk.rate(&talk.session, &rating("r-1"), false).await);
        assert_eq!(error.kind, kind, "{how:?}");
        talk.desk.rate(&talk.session, &rating("r-1"), false).await.result.unwrap();
        assert_eq!(talk.desk.sim.ratings().len(), 1, "{how:?}");
    }
    let talk = resolved().await;
    let away = nowhere();
    let desk = Desk { sandbox: reaching(&[away.as_str()]), ..talk.desk }.set("test_origin", away);
    assert_eq!(refused(desk.rate(&talk.session, &rating("r-1"), false).await).kind, ErrorKind::Unavailable);
    // Rated already, as far as Freshworks is concerned.
    let talk = resolved().await;
    talk.desk.sim.set_behaviour(|behaviour| behaviour.one_rating = true);
    let update = talk.desk.rate(&talk.session, &rating("r-1"), false).await.result.unwrap();
    let error = refused(talk.desk.rate(&update.session.unwrap(), &rating("r-2"), false).await);
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.remedy.unwrap().contains("may have one already"));
}

#[tokio::test]
async fn a_rating_that_cannot_be_carried_is_refused_before_any_request() {
    let talk = resolved().await;
    for (bad, field) in [
        (Rating { id: String::new(), ..rating("r-1") }, "rating.id"),
        (Rating { score: 0, ..rating("r-1") }, "rating.score"),
        (Rating { score: 9, ..rating("r-1") }, "rating.score"),
        (Rating { comment: Some("x".repeat(5_001)), ..rating("r-1") }, "rating.comment"),
    ] {
        let error = refused_at_once(talk.desk.rate(&talk.session, &bad, false).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some(field)));
        assert!(error.remedy.is_some());
    }
    let elsewhere = talk.desk.set("test_origin", json!(null)).set("chat_url", "acme.freshdesk.com");
    let error = refused_at_once(elsewhere.rate(&talk.session, &rating("r-1"), false).await);
    assert_eq!(error.kind, ErrorKind::InvalidSettings);
}

#[tokio::test]
async fn a_conversation_that_was_opened_again_waits_for_its_next_end() {
    let mut talk = resolved().await;
    let maya = talk.desk.maya();
    let reopened = talk.desk.sim.reopen(&talk.id, &maya).await.unwrap();
    talk.hear(&reopened).await;
    let error = refused(talk.desk.rate(&talk.session, &rating("r-1"), false).await);
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    let resolved: Vec<simulator::Delivery> = talk.desk.sim.resolve(&talk.id, &maya).await.unwrap();
    talk.hear(&resolved).await;
    talk.desk.rate(&talk.session, &rating("r-1"), false).await.result.unwrap();
    assert_eq!(talk.desk.sim.ratings().len(), 1);
}

//! `handoff` when something is wrong: each kind of error, and that its retry ends well.

use freshworks_simulator::{Fault, How, Match};
use handoff_host::bindings::{ErrorKind, HandoffRequest, Message, Mode};
use serde_json::Value;

use crate::support::{
    Desk, LONG, Talk, long_request, nowhere, numbers_in, reaching, refused, refused_as, refused_at_once, request,
    session_bytes, session_of, texts,
};

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "a_call_that_failed_ends_well_when_it_is_repeated"),
    ("invalid-settings", "unusable_settings_are_refused_before_any_request"),
    ("invalid-request", "invalid_requests_are_refused_before_any_request"),
    ("unauthorized", "a_key_that_ended_is_unauthorized"),
    ("not-found", "a_topic_that_was_deleted_is_not_found"),
    ("rejected", "a_refusal_is_rejected"),
    ("rate-limited", "a_rate_limit_says_how_long_to_wait"),
    ("unavailable", "a_read_that_fails_is_unavailable"),
    ("outcome-unknown", "a_write_without_a_clear_answer_is_of_unknown_outcome"),
    ("malformed", "a_read_that_is_not_json_is_malformed"),
    ("needs-email", "a_ticket_without_an_address_asks_for_one"),
];

fn users() -> Match {
    Match::path("/v2/users").method("GET")
}

fn conversations() -> Match {
    Match::path("/v2/conversations").method("POST")
}

#[tokio::test]
async fn a_ticket_without_an_address_asks_for_one() {
    let desk = Desk::connected().await.with_tickets();
    let mut request = HandoffRequest { mode: Mode::Ticket, ..request() };
    (request.user.email, request.user.phone) = (None, Some(" ".into()));
    let error = refused_at_once(desk.handoff(&request, None).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NeedsEmail, Some("request.user.email")));
    let session = error.session.unwrap();
    request.user.email = Some("ana@xylomar.example".into());
    let receipt = desk.handoff(&request, Some(&session)).await.result.unwrap();
    assert!(receipt.external_case.case_id.starts_with("fd:"), "an explicitly requested ticket is filed");
}

#[tokio::test]
async fn a_ticket_needs_a_ticket_desk() {
    let desk = Desk::connected().await;
    let error = refused_at_once(desk.handoff(&HandoffRequest { mode: Mode::Ticket, ..request() }, None).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidSettings, Some("settings.ticket_domain")));
    assert!(error.remedy.is_some());
}

#[tokio::test]
async fn unusable_settings_are_refused_before_any_request() {
    for (name, value) in [
        ("chat_url", Value::from("acme.freshdesk.com")),
        ("chat_url", Value::from("http://acme.freshchat.com")),
        ("chat_url", Value::Null),
        ("api_key", Value::from(7)),
        ("topics", Value::from(7)),
    ] {
        let desk = Desk::new().await.set("test_origin", Value::Null).set(name, value);
        let error = refused_at_once(desk.handoff(&request(), None).await);
        assert_eq!(error.kind, ErrorKind::InvalidSettings, "{name}");
        assert_eq!(error.field.as_deref(), Some(format!("settings.{name}").as_str()));
        assert!(error.remedy.is_some());
    }
}

#[tokio::test]
async fn invalid_requests_are_refused_before_any_request() {
    let desk = Desk::connected().await;
    type Change = fn(&mut HandoffRequest);
    let changes: [(&str, Change); 12] = [
        ("request.key.application", |it| it.key.application.clear()),
        ("request.key.channel", |it| it.key.channel = " ".into()),
        ("request.key.conversation", |it| it.key.conversation = "\n".into()),
        ("request.key.conversation", |it| it.key.conversation = "x".repeat(256)),
        ("request.user.id", |it| it.user.id.clear()),
        ("request.user.id", |it| it.user.id = "ü".repeat(128)),
        ("request.user.email", |it| it.user.email = Some("xylomar".into())),
        ("request.user.email", |it| it.user.email = Some("ana @xylomar.example".into())),
        ("request.user.email", |it| it.user.email = Some("ana@xylomar.example\r\nX: y".into())),
        ("request.history", |it| it.history = Some(vec![it.history.as_mut().unwrap()[0].clone(); 10_001])),
        ("request.history", |it| it.history.as_mut().unwrap()[0].parts[0].text = Some("x".repeat((8 << 20) + 1))),
        ("request.history", |it| it.summary = Some("x".repeat((8 << 20) + 1))),
    ];
    for (field, change) in changes {
        let mut request = request();
        change(&mut request);
        let error = refused_at_once(desk.handoff(&request, None).await);
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{field}");
        assert_eq!(error.field.as_deref(), Some(field));
        assert!(error.remedy.is_some() && error.session.is_none());
    }
}

#[tokio::test]
async fn a_session_that_is_not_this_conversations_is_refused() {
    let desk = Desk::connected().await;
    let kept = desk.handoff(&request(), None).await.result.unwrap().session;
    let session = session_bytes(&kept);
    desk.sim.clear_journal();
    let mut newer = session.clone();
    newer[3] += 1;
    let mut flipped = session.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let random: Vec<u8> = (0..200_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let cut = &session[..session.len() / 2];
    for (bytes, word) in [
        (&b""[..], "not a session"),
        (b"{\"state\":\"queued\"}", "not a session"),
        (&random, "not a session"),
        (&flipped, "damaged"),
        (cut, "damaged"),
        (&session[..4], "damaged"),
        (&newer, "another version"),
    ] {
        let error = refused_at_once(desk.handoff(&request(), Some(&session_of(bytes))).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
        assert!(error.message.contains(word), "{}", error.message);
        assert!(error.remedy.is_some());
    }
    for change in [
        |it: &mut HandoffRequest| it.key.conversation = "43".into(),
        |it: &mut HandoffRequest| it.key.application = "app-2".into(),
    ] {
        let mut other = request();
        change(&mut other);
        let error = refused_at_once(desk.handoff(&other, Some(&kept)).await);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
        assert!(error.message.contains("another conversation"), "{}", error.message);
    }
    assert!(desk.lines().is_empty());
}

#[tokio::test]
async fn a_handoff_while_the_end_is_under_way_is_refused() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail(Fault::new(Match::path("/v2/conversations/*").method("PUT"), How::status(500)));
    talk.close(handoff_host::bindings::CloseReason::UserLeft).await.unwrap_err();
    let error = refused_at_once(talk.desk.handoff(&request(), Some(&talk.session)).await);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
}

/// Hands off with one fault; the error, after checking that a repetition with its session ends well.
async fn failing(fault: Fault, kind: ErrorKind) -> handoff_host::bindings::PluginError {
    let desk = Desk::connected().await.set("max_message_chars", 500);
    let what = format!("{fault:?}");
    desk.sim.fail(fault);
    let error = refused_as(desk.handoff(&long_request(), None).await, kind);
    assert!(error.remedy.is_some() && error.log.is_some(), "{what}");
    assert_eq!(desk.sim.faults_left(), 0, "{what}");
    desk.handoff(&long_request(), error.session.as_deref()).await.result.unwrap();
    check_once(&desk, &what);
    error
}

/// One person, one conversation, every message once and in order.
#[track_caller]
pub(crate) fn check_once(desk: &Desk, what: &str) {
    assert_eq!(desk.sim.users().len(), 1, "users: {what}");
    assert_eq!(desk.sim.conversations().len(), 1, "conversations: {what}");
    let conversation = desk.conversation();
    assert_eq!(numbers_in(&conversation), (0..LONG).collect::<Vec<_>>(), "{what}");
    let written = texts(&conversation);
    let openings = written.iter().filter(|(.., text)| text.starts_with("History: ")).count();
    let briefs = written.iter().filter(|(.., text)| text.contains("\nHandoff from the AI agent · ")).count();
    assert_eq!((openings, briefs), (1, 1), "{what}");
    assert!(written.last().unwrap().2.contains("\nHandoff from the AI agent · "), "the brief comes last: {what}");
}

#[tokio::test]
async fn a_call_that_failed_ends_well_when_it_is_repeated() {
    let error = failing(Fault::new(conversations(), How::Cut).after_effect(), ErrorKind::OutcomeUnknown).await;
    assert!(error.session.is_some());
    let error = failing(Fault::new(conversations(), How::Cut), ErrorKind::OutcomeUnknown).await;
    assert!(error.session.is_some());
}

#[tokio::test]
async fn a_key_that_ended_is_unauthorized() {
    for code in [401, 403] {
        failing(Fault::new(users(), How::status(code)), ErrorKind::Unauthorized).await;
        failing(Fault::new(conversations(), How::status(code)), ErrorKind::Unauthorized).await;
    }
}

#[tokio::test]
async fn a_topic_that_was_deleted_is_not_found() {
    let desk = Desk::connected().await;
    desk.sim.remove_topic(&desk.sim.topic_id(crate::support::TOPIC).unwrap());
    let error = refused_as(desk.handoff(&request(), None).await, ErrorKind::NotFound);
    assert!(error.log.unwrap().contains("CHANNEL_NOT_FOUND"));
    assert!(desk.sim.conversations().is_empty());
}

#[tokio::test]
async fn without_any_usable_topic_the_settings_are_named() {
    let desk = Desk::new().await.set("topics", serde_json::json!(["Nowhere"]));
    let error = refused_as(desk.handoff(&request(), None).await, ErrorKind::NotFound);
    assert_eq!(error.field.as_deref(), Some("settings.topics"));
}

#[tokio::test]
async fn a_refusal_is_rejected() {
    for code in [400, 409, 413, 422] {
        let error = failing(Fault::new(conversations(), How::status(code)), ErrorKind::Rejected).await;
        assert!(error.log.unwrap().contains(&code.to_string()));
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let limit = |headers: &[(&str, &str)]| How::Status {
        code: 429,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: "{}".into(),
    };
    let (at, now) = ("Sun, 22 Nov 2026 10:00:30 GMT", "Sun, 22 Nov 2026 10:00:00 GMT");
    for (how, wait) in [
        (How::rate_limit(7), Some(7_000)),
        (limit(&[("retry-after", at), ("date", now)]), Some(30_000)),
        (limit(&[("Retry-After", "0")]), Some(0)),
        (limit(&[("retry-after", "soon")]), Some(60_000)),
        (limit(&[]), Some(60_000)),
    ] {
        for call in [users(), conversations(), Match::path("/v2/conversations/*/messages").method("POST")] {
            let error = failing(Fault::new(call, how.clone()), ErrorKind::RateLimited).await;
            assert_eq!(error.retry_after_ms, wait, "{how:?}");
        }
    }
}

#[tokio::test]
async fn a_read_that_fails_is_unavailable() {
    for how in [How::status(500), How::status(502), How::Cut, How::CutMidBody] {
        failing(Fault::new(users(), how).times(2), ErrorKind::Unavailable).await;
    }
    let busy = How::Status { code: 503, headers: vec![("retry-after".into(), "5".into())], body: String::new() };
    assert_eq!(failing(Fault::new(users(), busy), ErrorKind::Unavailable).await.retry_after_ms, Some(5_000));
}

#[tokio::test]
async fn a_read_is_repeated_once_and_the_caller_says_how_long_that_may_take() {
    for (budget, repeats) in
        [(Value::Null, 1), (25_000.into(), 1), (24_999.into(), 0), (0.into(), 0), (50_000.into(), 1)]
    {
        let desk = Desk::connected().await.set("retry_budget_ms", budget.clone());
        desk.sim.fail(Fault::new(users(), How::Cut).times(9));
        refused_as(desk.handoff(&request(), None).await, ErrorKind::Unavailable);
        assert_eq!(desk.lines().len(), 1 + repeats, "{budget}");
    }
    // One budget for the whole call.
    let desk = Desk::connected().await;
    desk.sim.fail(Fault::new(users(), How::Cut));
    desk.sim.fail(Fault::new(users().nth(3), How::Cut));
    refused_as(desk.handoff(&request(), None).await, ErrorKind::Unavailable);
    assert_eq!(desk.lines(), ["GET /v2/users", "GET /v2/users", "GET /v2/users"]);
    // Not for errors with an unknown outcome.
    let desk = Desk::connected().await;
    desk.sim.fail(Fault::new(conversations(), How::Cut));
    refused_as(desk.handoff(&request(), None).await, ErrorKind::OutcomeUnknown);
    assert_eq!(desk.lines().iter().filter(|line| *line == "POST /v2/conversations").count(), 1);
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_is_unavailable() {
    let mut desk = Desk::connected().await;
    let (right, nowhere) = (desk.settings["test_origin"].clone(), nowhere());
    desk.sandbox = reaching(&[&nowhere, desk.sim.origin()]);
    let desk = desk.set("test_origin", nowhere);
    let error = refused_as(desk.handoff(&long_request(), None).await, ErrorKind::Unavailable);
    let desk = desk.set("test_origin", right);
    desk.handoff(&long_request(), error.session.as_deref()).await.result.unwrap();
    check_once(&desk, "refused connection");
}

#[tokio::test]
async fn an_address_that_the_host_denies_is_unavailable_and_says_why() {
    let mut desk = Desk::connected().await;
    desk.sandbox = reaching(&[]);
    let error = refused_as(desk.handoff(&request(), None).await, ErrorKind::Unavailable);
    assert!(error.message.contains("does not allow"), "{}", error.message);
    assert!(desk.lines().is_empty());
}

#[tokio::test]
async fn a_write_without_a_clear_answer_is_of_unknown_outcome() {
    let writes = [
        Match::path("/v2/users").method("POST"),
        conversations(),
        Match::path("/v2/conversations/*/messages").method("POST"),
    ];
    for call in writes {
        for how in [How::status(500), How::status(504), How::Cut, How::CutMidBody, How::Garbage] {
            for fault in [Fault::new(call.clone(), how.clone()), Fault::new(call.clone(), how).after_effect()] {
                let error = failing(fault, ErrorKind::OutcomeUnknown).await;
                assert!(error.session.is_some());
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_of_unknown_outcome() {
    let desk = Desk::connected().await.set("response_timeout_ms", 100).set("max_message_chars", 500);
    let slow = How::Delay(std::time::Duration::from_secs(5));
    desk.sim.fail(Fault::new(conversations(), slow.clone()).after_effect());
    let error = refused_as(desk.handoff(&long_request(), None).await, ErrorKind::OutcomeUnknown);
    let desk = desk.set("response_timeout_ms", Value::Null);
    desk.handoff(&long_request(), error.session.as_deref()).await.result.unwrap();
    check_once(&desk, "slow answer");

    let desk = Desk::connected().await.set("response_timeout_ms", 100);
    desk.sim.fail(Fault::new(users(), slow).times(2));
    refused_as(desk.handoff(&request(), None).await, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_read_that_is_not_json_is_malformed() {
    let other = How::Status { code: 200, headers: Vec::new(), body: "{\"people\": []}".into() };
    let moved = How::Status {
        code: 302,
        headers: vec![("location".into(), "http://127.0.0.1:1/".into())],
        body: String::new(),
    };
    for how in [How::Garbage, other, moved] {
        failing(Fault::new(users(), how), ErrorKind::Malformed).await;
    }
}

#[tokio::test]
async fn a_failure_of_a_message_that_hides_in_a_success_is_not_taken_for_one() {
    let desk = Desk::connected().await;
    let hidden = r#"{"conversation_id":"c-1","channel_id":"t-1","messages":[{"id":"m-1","error_code":7,"error_message":"failed"}]}"#;
    let how = How::Status { code: 200, headers: Vec::new(), body: hidden.into() };
    desk.sim.fail(Fault::new(conversations(), how));
    let error = refused(desk.handoff(&request(), None).await);
    assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
    desk.handoff(&request(), error.session.as_deref()).await.result.unwrap();
    assert_eq!(desk.sim.conversations().len(), 1);
}

#[tokio::test]
async fn parts_without_text_do_no_harm() {
    let desk = Desk::connected().await;
    let mut request = request();
    request.history = Some(vec![Message { parts: Vec::new(), ..request.history.as_mut().unwrap()[0].clone() }]);
    desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(texts(&desk.conversation()).len(), 3);
}

//! Errors, findings, steps, reports and sessions contain no secrets or message text.
//!
//! Every call of these tests is checked (`watch::watched`); these are the hardest cases: accounts that quote their input
//! in every part of a response.

use freshworks_simulator::{Fault, How, Match};
use handoff_host::bindings::{CloseReason, FindingLevel, HandoffRequest};
use serde_json::json;

use crate::support::{API_KEY, Desk, SPOKEN, Talk, request, said, user_message};

/// A response that quotes both in free text, in each place that a connector may read.
fn quoting(code: u16) -> How {
    let quote = format!("{} sent by key {API_KEY}", said("hello there"));
    let body = json!({
        "code": code,
        "status": &quote,
        "message": &quote,
        "errors": [{ "message": &quote }],
        "error_message": &quote,
    });
    How::Status {
        code,
        headers: vec![("x-trace-id".into(), quote.clone()), ("retry-after".into(), quote)],
        body: body.to_string(),
    }
}

const CODES: [u16; 12] = [200, 301, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503];

#[tokio::test]
async fn a_failing_connect_quotes_no_text() {
    for code in CODES {
        let desk = Desk::new().await.set("group", "Support").set("agent", "maya@acme.example");
        desk.sim.fail(Fault::new(Match::any(), quoting(code)).times(20));
        assert!(!desk.connect().await.result.unwrap().connected);
        for (path, is_needed) in [("/v2/channels", true), ("/v2/groups", false), ("/v2/agents", false)] {
            desk.sim.clear_faults();
            desk.sim.fail(Fault::new(Match::path(path), quoting(code)).times(20));
            let connection = desk.connect().await.result.unwrap();
            // A name that cannot be looked up stops no handoff.
            assert_eq!(connection.connected, !is_needed, "{path} {code}");
            assert!(connection.findings.iter().any(|one| one.level != FindingLevel::Ok), "{path} {code}");
        }
    }
}

#[tokio::test]
async fn a_handoff_that_fails_anywhere_quotes_no_text() {
    for code in CODES {
        for number in 1..=4 {
            for retry in [false, true] {
                let desk = Desk::connected().await;
                desk.sim.fail(Fault::new(Match::any().nth(number), quoting(code)).times(20));
                let request = HandoffRequest { retry, ..request() };
                drop(desk.handoff(&request, None).await);
                assert!(desk.sim.faults_left() < 20, "{code} at request {number}");
            }
        }
    }
}

#[tokio::test]
async fn a_failing_relay_or_close_quotes_no_text() {
    for code in CODES {
        let mut talk = Talk::begin().await;
        talk.desk.sim.fail(Fault::new(Match::any(), quoting(code)).times(20));
        let message = user_message("m1", &said("hello"));
        let first = talk.relay(&message).await;
        assert!(first.is_err(), "{code}");
        let _ = talk.relay(&message).await;
        let _ = talk.close(CloseReason::UserLeft).await;
        let _ = talk.close(CloseReason::UserLeft).await;
    }
}

#[tokio::test]
async fn a_refused_webhook_quotes_no_text() {
    let talk = Talk::begin().await;
    let quote = format!("{} {API_KEY}", said("hello"));
    for body in [
        quote.clone(),
        json!(quote).to_string(),
        json!({ "action": quote }).to_string(),
        json!({ "event_type": quote }).to_string(),
        json!({ "action": "message_create", "data": { "message": { "text": quote } } }).to_string(),
        json!({ "action": "message_create", "data": { quote.as_str(): 1 } }).to_string(),
        format!("{{\"action\": \"{quote}\", {quote}"),
    ] {
        drop(talk.desk.on_webhook(&talk.desk.signed(body.as_str()), Some(&talk.session)).await);
        let mut forged = talk.desk.signed(body.as_str());
        forged.headers[0].1.clone_from(&quote);
        assert!(talk.desk.on_webhook(&forged, None).await.result.is_err());
    }
}

#[tokio::test]
async fn settings_that_are_refused_are_not_quoted() {
    for settings in [
        format!("{API_KEY} {SPOKEN}"),
        format!("{{\"api_key\": \"{API_KEY} {SPOKEN}\"}}"),
        format!("{{\"api_key\": [\"{API_KEY}\"]}}"),
        format!("{{\"api_key\": \"{API_KEY}\", \"chat_url\": \"https://{API_KEY}@{SPOKEN}.example\"}}"),
        format!("{{\"api_key\": \"{API_KEY}\", \"chat_url\": \"acme\", \"test_origin\": \"http://{API_KEY}\"}}"),
        format!("{{\"chat_url\": \"acme\", \"webhook_public_key\": \"{API_KEY}\"}}"),
        format!("{{\"chat_url\": \"acme\", \"priority\": \"{API_KEY}\"}}"),
    ] {
        let sandbox = crate::support::reaching(&[]);
        drop(crate::watch::watched(crate::support::plugin().describe(&sandbox, Some(&settings)).await));
        drop(crate::watch::watched(crate::support::plugin().connect(&sandbox, &settings).await));
    }
}

#[tokio::test]
async fn requests_that_are_refused_are_not_quoted() {
    let desk = Desk::connected().await;
    for change in [
        |it: &mut HandoffRequest| it.user.email = Some(format!("{SPOKEN} {API_KEY}")),
        |it: &mut HandoffRequest| it.user.id = SPOKEN.repeat(99),
        |it: &mut HandoffRequest| it.key.conversation = SPOKEN.repeat(99),
    ] {
        let mut request = request();
        change(&mut request);
        assert!(desk.handoff(&request, None).await.result.is_err());
    }
}

#[tokio::test]
async fn the_watch_sees_what_it_looks_for() {
    // A watch that cannot see would make all of this pass.
    let desk = Desk::new().await.set("topics", json!([SPOKEN]));
    let call = crate::support::plugin().connect(&desk.sandbox, &desk.json()).await;
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| crate::watch::watched(call)));
    assert!(caught.is_err());
}

//! A session that was changed on its way, or comes from another version: refused by every function, never misread.

use handoff_host::bindings::{CloseReason, ErrorKind, PluginError};

use crate::support::{Talk, refused_at_once, request, said, session_bytes, session_of, user_message};

/// The result of each function with a session for these bytes.
async fn refusals(talk: &Talk, session: &str) -> [PluginError; 5] {
    let webhook = talk.desk.signed("{}");
    [
        refused_at_once(talk.desk.handoff(&request(), Some(session)).await),
        refused_at_once(talk.desk.relay(session, &user_message("m1", &said("hello"))).await),
        refused_at_once(talk.desk.close(session, CloseReason::UserLeft).await),
        refused_at_once(talk.desk.tick(session, crate::support::NOW).await),
        refused_at_once(talk.desk.on_webhook(&webhook, Some(session)).await),
    ]
}

async fn check(talk: &Talk, session: &[u8], words: &str) {
    check_text(talk, &session_of(session), words).await;
}

async fn check_text(talk: &Talk, session: &str, words: &str) {
    for error in refusals(talk, session).await {
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
        assert!(error.message.contains(words) && error.remedy.is_some(), "{} / {words}", error.message);
        assert!(error.session.is_none(), "there is nothing to go on with");
    }
}

#[tokio::test]
async fn a_session_of_another_version_is_refused_and_says_what_to_do() {
    let talk = Talk::begin().await;
    for version in *b"0126789a\0\xff" {
        let mut session = session_bytes(&talk.session);
        assert_ne!(std::mem::replace(&mut session[3], version), version);
        check(&talk, &session, "another version").await;
    }
}

#[tokio::test]
async fn a_session_with_any_byte_changed_is_refused() {
    let talk = Talk::begin().await;
    for place in 0..session_bytes(&talk.session).len() {
        let mut session = session_bytes(&talk.session);
        session[place] ^= 1 << (place % 8);
        check(&talk, &session, "session").await;
    }
}

#[tokio::test]
async fn a_session_that_was_cut_is_refused() {
    let talk = Talk::begin().await;
    for length in 0..talk.session.len() {
        check_text(&talk, &talk.session[..length], "session").await;
    }
}

#[tokio::test]
async fn a_session_is_text_that_json_leaves_as_it_is() {
    let talk = Talk::begin().await;
    assert!(talk.session.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter)));
    assert_eq!(serde_json::json!(talk.session).to_string(), format!("\"{}\"", talk.session));
    for text in ["", " ", "{}", "fwh4", "fwh4=", "Zm9v!", "é", "\0"] {
        check_text(&talk, text, "not a session").await;
    }
}

#[tokio::test]
async fn a_session_larger_than_any_is_refused() {
    let talk = Talk::begin().await;
    check_text(&talk, &format!("{}{}", talk.session, "A".repeat(1 << 20)), "damaged").await;
}

#[tokio::test]
async fn noise_is_refused() {
    let talk = Talk::begin().await;
    // Any bytes without order will do: those of a signature are.
    for round in 0..40_u8 {
        let noise = talk.desk.sim.sign(&[round]).into_bytes();
        check(&talk, &noise, "not a session").await;
        check_text(&talk, &talk.desk.sim.sign(&[round]), "not a session").await;
        check(&talk, &[b"fwh3", &noise[..]].concat(), "damaged").await;
    }
}

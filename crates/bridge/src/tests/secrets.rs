//! Secrets in the store: encrypted, or not there.

use serde_json::{Value, json};

use super::inbox::but_looks;
use super::{App, SECRET, ask, body, connection, freshchat, handed_over, message};
use crate::service::Policy;
use crate::state::State;
use crate::testing::{KEY, Memory, Outside, keys};
use crate::vault::Protection;

const OTHER_KEY: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn the_store_holds_no_secret_of_a_connection() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let connected = ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let url = body(&connected)["webhooks"]["freshchat"].as_str().unwrap().to_owned();
    let stored = state.connections.borrow()["acme"].clone();
    for secret in [SECRET, "api_key", url.rsplit('/').next().unwrap()] {
        assert!(!stored.contains(secret), "{secret}: {stored}");
    }
    let health = ask(&http, &state, "GET", "/v1/health", &Value::Null, 1_000);
    assert_eq!(body(&health)["secrets"], "encrypted");
}

#[test]
fn without_a_key_nothing_is_saved_and_what_is_there_goes_on() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    // Of a time before there were keys.
    *state.keys.borrow_mut() = keys("plaintext", "");
    let handoff = handed_over(&http, &state);
    *state.keys.borrow_mut() = keys("", "");
    let policy = Policy { protection: Protection::None, ..Policy::default() };
    let app = App { policy, ..App::plain(&http, &state) };
    let asked = http.asked.borrow().len();
    for (method, path) in
        [("PUT", "/v1/connections/acme"), ("POST", "/v1/connections/acme/check"), ("POST", "/v1/rotate")]
    {
        let refused = app.ask_with_token(method, path, &connection(), 3_000);
        assert_eq!((refused.status, &body(&refused)["kind"]), (409, &json!("no-encryption-key")), "{path}");
        assert!(body(&refused)["remedy"].as_str().unwrap().contains("encryption_key"));
    }
    assert_eq!(http.asked.borrow().len(), asked, "no check is made whose result cannot be kept");
    let relayed = app.ask_with_token("POST", &format!("{handoff}/messages"), &message("m1"), 3_000);
    assert_eq!(relayed.status, 200, "an upgrade strands nobody: {relayed:?}");
    let health = app.ask_with_token("GET", "/v1/health", &Value::Null, 3_000);
    assert_eq!(body(&health)["secrets"], "none");
}

#[test]
fn plaintext_is_stored_only_where_the_operator_says_so_and_health_tells() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    *state.keys.borrow_mut() = keys("plaintext", "");
    let app =
        App { policy: Policy { protection: Protection::Plaintext, ..Policy::default() }, ..App::plain(&http, &state) };
    assert_eq!(app.ask_with_token("PUT", "/v1/connections/acme", &connection(), 1_000).status, 200);
    assert!(state.connections.borrow()["acme"].contains("k-1"));
    let health = app.ask_with_token("GET", "/v1/health", &Value::Null, 1_000);
    assert_eq!(body(&health)["secrets"], "plaintext");
}

#[test]
fn rotate_encrypts_what_was_plain_or_under_the_key_before() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    *state.keys.borrow_mut() = keys("plaintext", "");
    ask(&http, &state, "PUT", "/v1/connections/plain", &connection(), 1_000);
    *state.keys.borrow_mut() = keys(KEY, "");
    ask(&http, &state, "PUT", "/v1/connections/sealed", &connection(), 1_000);
    *state.keys.borrow_mut() = keys(OTHER_KEY, KEY);
    let rotated = ask(&http, &state, "POST", "/v1/rotate", &Value::Null, 2_000);
    assert_eq!(*body(&rotated), json!({ "secrets": "encrypted", "written": 2, "unreadable": [] }));
    *state.keys.borrow_mut() = keys(OTHER_KEY, "");
    assert!(!state.connections.borrow()["plain"].contains(SECRET));
    assert_eq!(State::connections(&state).unwrap().len(), 2, "the key before is no longer needed");
}

#[test]
fn a_connection_whose_key_is_missing_does_not_stop_the_others() {
    let answer = |line: &str| {
        let (status, body, _) = but_looks(line, 200, 1);
        (status, body)
    };
    let (http, state) = (Outside::new(answer), Memory::default());
    handed_over(&http, &state);
    ask(&http, &state, "PUT", "/v1/connections/other", &connection(), 1_000);
    ask(&http, &state, "POST", "/v1/connections/other/handoffs", &super::request(), 2_000);
    *state.keys.borrow_mut() = keys(OTHER_KEY, KEY);
    let other = State::connection(&state, "other").unwrap().unwrap();
    state.save_connection(&other).unwrap();
    *state.keys.borrow_mut() = keys(OTHER_KEY, "");
    let ticked = ask(&http, &state, "POST", "/v1/tick", &Value::Null, 10_000_000);
    assert_eq!((&body(&ticked)["done"], &body(&ticked)["failed"]), (&json!(1), &json!(1)), "{ticked:?}");
}

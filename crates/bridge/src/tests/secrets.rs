//! Secrets in the store: encrypted, or not there.

use serde_json::{Value, json};

use super::inbox::but_looks;
use super::{App, SECRET, START, ask, body, connection, freshchat, handed_over, message};
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

#[test]
fn a_missing_key_hides_no_other_connection_and_erases_nothing_blindly() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    handed_over(&http, &state);
    *state.keys.borrow_mut() = keys(OTHER_KEY, "");
    ask(&http, &state, "PUT", "/v1/connections/other", &connection(), 1_000);
    let listed = ask(&http, &state, "GET", "/v1/connections", &Value::Null, 2_000);
    let ids: Vec<&Value> = body(&listed)["connections"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["other"], "{listed:?}");
    let metrics = ask(&http, &state, "GET", "/metrics", &Value::Null, 2_000);
    assert_eq!(metrics.status, 200, "{metrics:?}");
    // Whoever asks for everything about a person is not told that a part is everything.
    for method in ["GET", "DELETE"] {
        assert_eq!(ask(&http, &state, method, "/v1/people/user-1", &Value::Null, 2_000).status, 503, "{method}");
        let own = ask(&http, &state, method, "/v1/people/user-1?connection=other", &Value::Null, 2_000);
        assert_eq!(own.status, 200, "{method}: {own:?}");
    }
}

#[test]
fn retention_goes_on_for_all_but_the_connection_whose_key_is_missing() {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let over = |name: &str| {
        let mut over = crate::state::Handoff::new(name, "h-1", Default::default(), START + 1_000);
        over.state = "returned".into();
        let lease = state.lease(name, "h-1", "", START + 1_000, 10).unwrap().unwrap();
        assert!(state.save(&over, &[], &[], lease.number).unwrap());
    };
    for (name, key) in [("lost", KEY), ("short", OTHER_KEY), ("usual", OTHER_KEY)] {
        *state.keys.borrow_mut() = keys(key, "");
        let mut connection = connection();
        connection["keep_days"] = if name == "usual" { Value::Null } else { json!(2) };
        assert_eq!(
            ask(&http, &state, "PUT", &format!("/v1/connections/{name}"), &connection, START + 1_000).status,
            200
        );
        over(name);
    }
    over("of-nobody");
    let mut kept = Vec::new();
    for (key, old, days) in [(OTHER_KEY, "", 3), (OTHER_KEY, "", 40), (OTHER_KEY, KEY, 41)] {
        *state.keys.borrow_mut() = keys(key, old);
        let ticked = ask(&http, &state, "POST", "/v1/tick", &Value::Null, days * DAY + START + 2_000);
        assert_eq!(ticked.status, 200, "{ticked:?}");
        kept.push(["lost", "short", "usual", "of-nobody"].map(|name| state.handoff(name, "h-1").unwrap().is_some()));
    }
    assert_eq!(kept, [[true, false, true, true], [true, false, false, false], [false; 4]]);
}

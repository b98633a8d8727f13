//! What settings may name: asked with a key that is not stored yet, or with the stored one, and never kept.

use serde_json::{Value, json};

use super::{App, ask, body, connection, freshchat};
use crate::testing::{Memory, Outside};

fn account(line: &str) -> (u16, String) {
    let body = match line.split("/v2").nth(1).unwrap_or_default() {
        path if path.starts_with("/groups") => r#"{"groups": [{"id": "g-1", "name": "Returns "}]}"#,
        path if path.starts_with("/agents") => {
            r#"{"agents": [{"id": "a-1", "first_name": "Maya", "email": "maya@acme.example"}]}"#
        }
        "/conversations/fields" => "{}",
        _ => return freshchat(line),
    };
    (200, body.to_owned())
}

#[test]
fn names_of_the_account_are_offered_before_anything_is_stored() {
    let (http, state) = (Outside::new(account), Memory::default());
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/choices", &connection(), 1_000);
    let choice = |value: &str, label: Value| json!([{ "value": value, "label": label, "is_usable": true }]);
    assert_eq!(
        *body(&answer),
        json!({
            "topics": choice("Sendbird Integration", Value::Null),
            "groups": choice("Returns ", Value::Null),
            "agents": choice("maya@acme.example", json!("Maya")),
            "properties": null,
            "ticket_groups": null,
        })
    );
    assert!(state.connections.borrow().is_empty(), "something was stored");
}

#[test]
fn the_stored_key_is_used_for_the_account_that_it_was_given_for_alone() {
    let (http, state) = (Outside::new(account), Memory::default());
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let form = |chat_url: &str| json!({ "settings": { "chat_url": chat_url, "api_key": "" }, "platform": { "kind": "polling" }, "keep_secrets": true });
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/choices", &form("acme"), 2_000);
    assert_eq!(answer.status, 200, "{answer:?}");
    let before = http.asked.borrow().len();
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/choices", &form("elsewhere"), 2_000);
    assert_eq!((answer.status, &body(&answer)["field"]), (422, &json!("settings.api_key")));
    assert_eq!(http.asked.borrow().len(), before, "the key went to another account");
}

#[test]
fn an_account_that_refuses_the_key_is_told_apart_from_one_without_names() {
    let (http, state) = (Outside::new(|_: &str| (401, "{}".to_owned())), Memory::default());
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/choices", &connection(), 1_000);
    assert_eq!((answer.status, &body(&answer)["kind"]), (424, &json!("unauthorized")));
    let nobody = App::plain(&http, &state).ask(&[], "POST", "/v1/connections/acme/choices", &connection(), 1_000);
    assert_eq!(nobody.status, 401);
}

#[test]
fn a_form_leads_no_request_inside() {
    let (http, state) = (Outside::new(account), Memory::default());
    let mut form = connection();
    form["settings"]["test_origin"] = json!("http://127.0.0.1:9");
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/choices", &form, 1_000);
    assert_eq!((answer.status, &body(&answer)["field"]), (422, &json!("settings.test_origin")));
    assert!(http.asked.borrow().is_empty(), "a request went inside");
}

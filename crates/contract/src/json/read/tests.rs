use serde_json::json;

use super::{ReadError, from_json, to_json};
use crate::error::{CallError, ErrorKind};
use crate::model::{HandoffRequest, Message, PartKind, Reason, SenderRole};

const REQUEST: &str = r#"{
    "key": {"application": "a", "channel": "b", "conversation": "c"},
    "user": {"id": "u1", "name": "Ana"},
    "mode": "automatic",
    "reason": "user-asked",
    "history": [{"id": "m1", "sender": {"role": "ai-agent"}, "sent_at": 5, "parts": [{"kind": "text", "text": "Hi"}]}],
    "context": [["plan", "gold"]],
    "routing": {"priority": "high"}
}"#;

fn read(text: &str) -> Result<HandoffRequest, ReadError> {
    from_json(text, "request")
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut serde_json::Value), path: &str, problem: &str) {
    let mut value: serde_json::Value = serde_json::from_str(REQUEST).unwrap();
    change(&mut value);
    let error = read(&value.to_string()).unwrap_err();
    assert_eq!((error.path.as_str(), error.problem.as_str()), (path, problem));
}

#[test]
fn gaps_are_filled() {
    let request = read(REQUEST).unwrap();
    assert_eq!(request.user.name.as_deref(), Some("Ana"));
    assert_eq!(request.user.email, None);
    assert!(!request.user.email_verified && !request.user.phone_verified);
    assert_eq!(request.reason, Reason::UserAsked);
    let history = request.history.as_ref().unwrap();
    assert_eq!(history[0].sender.role, SenderRole::AiAgent);
    assert_eq!(history[0].parts[0].kind, PartKind::Text);
    assert_eq!(history[0].parts[0].choices, None);
    assert_eq!(request.context.unwrap(), [("plan".to_owned(), "gold".to_owned())]);
    assert!(!request.retry);
}

#[test]
fn an_unknown_field_is_refused_by_name() {
    check_refused(
        |value| value["user"]["e_mail"] = json!("x"),
        "request.user.e_mail",
        "is not a field here; the fields are id, name, email, email_verified, phone, phone_verified, locale, avatar_url",
    );
    check_refused(
        |value| value["user"]["avatar-url"] = json!("x"),
        "request.user.avatar-url",
        "is not a field here; the fields are id, name, email, email_verified, phone, phone_verified, locale, avatar_url",
    );
}

#[test]
fn what_must_be_there_is_named() {
    check_refused(
        |value| {
            value["key"].as_object_mut().unwrap().remove("channel");
        },
        "request.key.channel",
        "is missing",
    );
    check_refused(
        |value| {
            value.as_object_mut().unwrap().remove("user");
        },
        "request.user",
        "is missing",
    );
}

#[test]
fn a_wrong_type_is_named_without_its_text() {
    check_refused(|value| value["user"]["id"] = json!(7), "request.user.id", "must be text, not a number");
    check_refused(
        |value| value["history"][0]["sent_at"] = json!("private words"),
        "request.history[0].sent_at",
        "must be a whole number from 0 on, not text",
    );
    check_refused(|value| value["history"] = json!("private words"), "request.history", "must be a list, not text");
    check_refused(|value| value["context"] = json!([["a"]]), "request.context[0]", "must be a list of 2");
    check_refused(|value| value["retry"] = json!("yes"), "request.retry", "must be true or false, not text");
}

#[test]
fn enum_values_are_those_of_the_wit_file() {
    check_refused(|value| value["mode"] = json!("Automatic"), "request.mode", "must be one of automatic, live, ticket");
}

#[test]
fn broken_json_is_refused_with_its_place() {
    let error = read("{\n  \"key\": secret").unwrap_err();
    assert_eq!(error.to_string(), "`request` is not JSON (line 2, column 10)");
}

#[test]
fn half_an_emoji_and_a_huge_number_cost_no_body() {
    let json =
        REQUEST.replace(r#""Ana""#, r#""Ana \ud83d""#).replace(r#""text": "Hi""#, r#""text": "Hi", "bytes": 1e999"#);
    let request = read(&json).unwrap();
    assert_eq!(request.user.name.as_deref(), Some("Ana \u{fffd}"));
    assert_eq!(request.history.unwrap()[0].parts[0].bytes, None);
}

#[test]
fn errors_are_written_with_their_line_and_session() {
    let error = CallError {
        kind: ErrorKind::OutcomeUnknown,
        field: None,
        message: "No answer.".to_owned(),
        line: "outcome-unknown: No answer.".to_owned(),
        remedy: None,
        retry_after_ms: None,
        log: None,
        session: Some("YWJj".to_owned()),
    };
    let json = to_json(&error);
    assert_eq!(
        json,
        json!({
            "kind": "outcome-unknown", "field": null, "message": "No answer.", "remedy": null,
            "line": "outcome-unknown: No answer.", "retry_after_ms": null, "log": null, "session": "YWJj",
        })
    );
    let back: CallError = from_json(&json.to_string(), "error").unwrap();
    assert_eq!(back.session, error.session);
}

#[test]
fn what_is_written_can_be_read() {
    let message = read(REQUEST).unwrap().history.unwrap().remove(0);
    let back: Message = from_json(&to_json(&message).to_string(), "message").unwrap();
    assert_eq!(to_json(&back), to_json(&message));
}

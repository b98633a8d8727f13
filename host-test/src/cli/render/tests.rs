use super::*;
use handoff_host::bindings::{ErrorKind, EventKind, PluginError};
use handoff_host::json::from_json;

fn finding(level: FindingLevel, remedy: Option<&str>) -> Finding {
    Finding {
        check: "topic".to_owned(),
        level,
        code: "c".to_owned(),
        detail: "What was found.".to_owned(),
        remedy: remedy.map(str::to_owned),
    }
}

#[test]
fn a_finding_is_shown_with_its_mark_and_remedy() {
    let text = findings(&[finding(FindingLevel::Ok, None), finding(FindingLevel::Failure, Some("Do this."))]);
    assert_eq!(
        text,
        "ok       topic  What was found.\n\
         FAILURE  topic  What was found.\n\
         \u{20}               -> Do this.\n"
    );
}

#[test]
fn an_event_is_one_line() {
    let read: Event = from_json(
        r#"{"id": "e1", "kind": "agent-message", "at": 1760000000000, "agent": {"role": "human-agent", "name": "Ana"},
            "message": {"id": "m1", "sender": {"role": "human-agent"}, "sent_at": 1, "parts": [
                {"kind": "text", "text": "Hi,\nthere"}, {"kind": "file", "name": "a.pdf", "url": "https://x/a"}]}}"#,
        "event",
    )
    .unwrap();
    assert_eq!(read.kind, EventKind::AgentMessage);
    assert_eq!(event(&read), "2025-10-09T08:53:20Z  agent-message  Ana: Hi, there | (file) a.pdf https://x/a  [e1]\n");
}

#[test]
fn text_of_people_cannot_steer_the_terminal() {
    assert_eq!(plain("a\u{1b}[2Jb\r\n\u{7}"), "a [2Jb   ");
}

#[test]
fn an_error_says_what_to_do() {
    let error = PluginError {
        kind: ErrorKind::RateLimited,
        field: Some("settings.chat_url".to_owned()),
        message: "Too many requests.".to_owned(),
        line: String::new(),
        remedy: Some("Wait.".to_owned()),
        retry_after_ms: Some(2500),
        log: None,
        session: Some("AQ".to_owned()),
    };
    assert_eq!(
        super::error(&CallError::Plugin(Box::new(error))),
        "rate-limited: Too many requests.\n  field: settings.chat_url\n  remedy: Wait.\n  repeat after: 2500 ms\n  \
         session: part of the work is done; pass it to the next try"
    );
}

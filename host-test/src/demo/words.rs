//! Small pieces of text, made from values.

use std::time::Duration;

use serde::Serialize;

use handoff_host::HttpCall;
use handoff_host::bindings::{Event, Part, PartKind, Sender};
use handoff_host::json::to_json;

/// An enum's value as WIT spells it.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    to_json(value).as_str().unwrap_or_default().to_owned()
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Text from elsewhere without control characters: they could rewrite the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Several lines on one.
pub(super) fn one_line(text: &str) -> String {
    plain(&text.lines().map(str::trim).collect::<Vec<_>>().join(" / "))
}

/// The middle of a long list is replaced by a line that says how much is omitted.
pub(super) fn excerpt(lines: &[&str], head: usize, tail: usize) -> Vec<String> {
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    if lines.len() <= head + tail + 1 {
        return owned(lines);
    }
    let missing = lines.len() - head - tail;
    let gap = vec![format!("... {missing} more lines ...")];
    [owned(&lines[..head]), gap, owned(&lines[lines.len() - tail..])].concat()
}

/// A message as its reader sees it.
pub(super) fn message_text(parts: &[Part]) -> String {
    parts.iter().map(part_text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

fn part_text(part: &Part) -> String {
    let text = part.text.as_deref().unwrap_or_default();
    match part.kind {
        PartKind::Text | PartKind::Unsupported => text.to_owned(),
        PartKind::Choices => {
            format!("{text} [{}]", part.choices.as_deref().unwrap_or_default().join(" | ")).trim_start().to_owned()
        }
        PartKind::Button => format!("[{text}] {}", part.url.as_deref().unwrap_or_default()),
        PartKind::Image | PartKind::File | PartKind::Video | PartKind::Audio => {
            let url = part.url.as_deref().unwrap_or_default();
            format!("{text} [{}] {url}", word(&part.kind)).trim_start().to_owned()
        }
    }
}

/// A human agent's name, or a placeholder if it is unknown.
pub(super) fn agent_name(agent: Option<&Sender>) -> String {
    agent.and_then(|agent| agent.name.clone()).unwrap_or_else(|| "A human agent".to_owned())
}

/// An event on one line.
pub(super) fn event(event: &Event) -> String {
    let mut text = word(&event.kind);
    let outcome = event.outcome.as_ref().map(|outcome| format!("outcome {}", word(outcome)));
    let agent = event.agent.as_ref().map(|agent| agent_name(Some(agent)));
    for fact in [agent, outcome, event.detail.clone()].into_iter().flatten() {
        text.push_str(if text.contains(": ") { ", " } else { ": " });
        text.push_str(&fact);
    }
    if let Some(message) = &event.message {
        text.push_str(&format!(", \"{}\"", one_line(&message_text(&message.parts))));
    }
    plain(&text)
}

/// A request on one line, without the origin.
pub(super) fn http_call(call: &HttpCall) -> String {
    let path = call.url.splitn(4, '/').nth(3).unwrap_or_default();
    let outcome = match (call.status, &call.error) {
        (Some(status), None) => status.to_string(),
        (Some(status), Some(error)) => format!("{status}, then {error}"),
        (None, error) => error.clone().unwrap_or_default(),
    };
    plain(&format!("{:<5} /{path} -> {outcome}  {:.1} ms", call.method, milliseconds(call.duration)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::conversation;
    use handoff_host::bindings::HandoffRequest;

    fn part(kind: PartKind, text: &str, url: &str) -> Part {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Part { kind, text: some(text), url: some(url), name: None, media_type: None, bytes: None, choices: None }
    }

    #[test]
    fn a_long_text_loses_its_middle_and_says_so() {
        let lines = ["1", "2", "3", "4", "5", "6"];
        assert_eq!(excerpt(&lines, 2, 1), ["1", "2", "... 3 more lines ...", "6"]);
        // A gap of one line would not be shorter.
        assert_eq!(excerpt(&lines, 3, 2), lines);
    }

    #[test]
    fn every_part_of_a_message_is_shown() {
        let parts = [
            part(PartKind::Text, "Look:", ""),
            part(PartKind::Button, "Track", "https://a.example/t"),
            part(PartKind::Image, "", "https://a.example/i.png"),
        ];
        assert_eq!(message_text(&parts), "Look:\n[Track] https://a.example/t\n[image] https://a.example/i.png");
        let choices = Part { choices: Some(vec!["Yes".into(), "No".into()]), ..part(PartKind::Choices, "Sure?", "") };
        assert_eq!(message_text(&[choices]), "Sure? [Yes | No]");
    }

    #[test]
    fn the_terminal_cannot_be_rewritten() {
        assert_eq!(one_line("a\x1b[2J\n  b"), "a [2J / b");
    }

    #[test]
    fn a_request_is_shown_without_its_origin() {
        let mut call = HttpCall {
            method: "GET".into(),
            url: "http://127.0.0.1:1/v2/users?email=*".into(),
            status: Some(200),
            bytes_out: 0,
            bytes_in: 9,
            duration: Duration::from_micros(1_250),
            error: None,
        };
        assert_eq!(http_call(&call), "GET   /v2/users?email=* -> 200  1.2 ms");
        (call.status, call.error) = (None, Some("connection refused".into()));
        assert_eq!(http_call(&call), "GET   /v2/users?email=* -> connection refused  1.2 ms");
    }

    #[test]
    fn an_event_tells_kind_person_and_text() {
        let request: HandoffRequest = conversation().unwrap();
        let message = request.history.unwrap()[0].clone();
        let mut told = Event {
            id: "1".into(),
            kind: handoff_host::bindings::EventKind::AgentMessage,
            at: 0,
            conversation_id: None,
            agent: Some(message.sender.clone()),
            message: Some(message),
            outcome: None,
            summary: None,
            detail: None,
        };
        assert!(event(&told).starts_with("agent-message: Ana Silva, \"Hi, where is my parcel?"));
        (told.agent, told.message) = (None, None);
        (told.kind, told.detail) = (handoff_host::bindings::EventKind::Ignored, Some("private-note".into()));
        assert_eq!(event(&told), "ignored: private-note");
    }
}

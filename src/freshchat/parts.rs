//! The vendor's message parts as parts of the contract. Each is an object with exactly one key; what is not known is
//! kept as unsupported and named, never dropped and never turned into something else.

use serde_json::Value;

use super::wire;
use crate::model::{Part, PartKind};

/// Collections nest; nobody was seen to go deeper than two.
const MOST_NESTED: u8 = 4;

/// The parts of a message of any era, reply parts last.
pub fn of_message(message: &Value) -> Vec<Part> {
    let mut parts = Vec::new();
    for key in ["message_parts", "msg_parts", "reply_parts"] {
        for part in message.get(key).and_then(Value::as_array).into_iter().flatten() {
            read(part, 0, &mut parts);
        }
    }
    parts
}

fn read(part: &Value, depth: u8, out: &mut Vec<Part>) {
    // The form of 2018: {"part_type": "text", "properties": {"text": ".."}}.
    if let (Some(kind), Some(properties)) = (wire::text(part, "part_type"), part.get("properties")) {
        match wire::text(properties, "text") {
            Some(text) => push_text(text, out),
            None => out.push(unsupported(&kind)),
        }
        return;
    }
    for (key, value) in part.as_object().into_iter().flatten() {
        read_kind(key, value, depth, out);
    }
}

fn read_kind(key: &str, value: &Value, depth: u8, out: &mut Vec<Part>) {
    let media_type = wire::filled(value, "content_type").or_else(|| wire::filled(value, "contentType"));
    let is = |kind: &str| media_type.as_deref().is_some_and(|media_type| media_type.starts_with(kind));
    match key {
        "text" | "email" => {
            if let Some(text) = wire::text(value, "content") {
                push_text(text, out);
            }
        }
        "image" => out.push(file(PartKind::Image, value, media_type)),
        // Human agents' pictures arrive in either form.
        "file" if is("image/") => out.push(file(PartKind::Image, value, media_type)),
        "file" => out.push(file(PartKind::File, value, media_type)),
        // The vendor has no part for sounds.
        "video" if is("audio/") => out.push(file(PartKind::Audio, value, media_type)),
        "video" => out.push(file(PartKind::Video, value, media_type)),
        "url_button" => out.push(Part {
            text: wire::filled(value, "label"),
            url: wire::filled(value, "url"),
            ..Part::empty(PartKind::Button)
        }),
        "quick_reply_button" | "callback" => push_choice(value, out),
        "collection" if depth < MOST_NESTED => read_all(value.get("sub_parts"), depth, out),
        "template_content" if depth < MOST_NESTED => {
            for section in value.get("sections").and_then(Value::as_array).into_iter().flatten() {
                read_all(section.get("parts"), depth, out);
            }
        }
        "reference" => match wire::filled(value, "label") {
            Some(label) => push_text(label, out),
            None => out.push(unsupported(key)),
        },
        _ => out.push(unsupported(key)),
    }
}

fn read_all(parts: Option<&Value>, depth: u8, out: &mut Vec<Part>) {
    for part in parts.and_then(Value::as_array).into_iter().flatten() {
        read(part, depth + 1, out);
    }
}

/// Blank texts occur between others and say nothing.
fn push_text(text: String, out: &mut Vec<Part>) {
    if !text.trim().is_empty() {
        out.push(Part::text(text));
    }
}

/// Answers to choose from follow one another: they belong to one question.
fn push_choice(value: &Value, out: &mut Vec<Part>) {
    let Some(label) = wire::filled(value, "label") else { return };
    match out.last_mut() {
        Some(last) if last.kind == PartKind::Choices => last.choices.push(label),
        _ => out.push(Part { choices: vec![label], ..Part::empty(PartKind::Choices) }),
    }
}

fn file(kind: PartKind, value: &Value, media_type: Option<String>) -> Part {
    Part {
        url: wire::filled(value, "url"),
        name: wire::filled(value, "name"),
        bytes: wire::number(value, "file_size_in_bytes"),
        media_type,
        ..Part::empty(kind)
    }
}

/// The key is the vendor's word, not people's text; it is shortened in case it is not.
fn unsupported(key: &str) -> Part {
    let word: String = key.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(40).collect();
    Part { text: Some(format!("[{}]", word.replace('_', " "))), ..Part::empty(PartKind::Unsupported) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_part_becomes_something_readable() {
        let parts = of_message(&json!({
            "message_parts": [
                { "text": { "content": "Hello" } },
                { "text": { "content": "  \n" } },
                { "image": { "url": "https://x/i.png" } },
                { "file": { "name": "a.pdf", "url": "https://x/a.pdf", "file_size_in_bytes": 9, "content_type": "application/pdf" } },
                { "file": { "name": "p.png", "url": "https://x/p.png", "contentType": "image/png" } },
                { "video": { "url": "https://x/v", "content_type": "audio/mpeg" } },
                { "url_button": { "label": "Open", "url": "https://x" } },
                { "hologram": { "depth": 3 } },
            ],
            "reply_parts": [{ "collection": { "sub_parts": [
                { "quick_reply_button": { "label": "Yes" } },
                { "quick_reply_button": { "label": "No" } },
            ] } }],
        }));
        let kinds: Vec<PartKind> = parts.iter().map(|part| part.kind).collect();
        use PartKind::*;
        assert_eq!(kinds, [Text, Image, File, Image, Audio, Button, Unsupported, Choices]);
        assert_eq!(parts[2].bytes, Some(9));
        assert_eq!(parts[6].text.as_deref(), Some("[hologram]"));
        assert_eq!(parts[7].choices, ["Yes", "No"]);
    }

    #[test]
    fn nesting_without_end_is_cut_off() {
        let mut part = json!({ "text": { "content": "deep" } });
        for _ in 0..50 {
            part = json!({ "collection": { "sub_parts": [part] } });
        }
        let parts = of_message(&json!({ "message_parts": [part] }));
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].kind, PartKind::Unsupported);
    }
}

//! The vendor's message parts as parts of the contract. Each is an object with exactly one key; what is not known is
//! kept as unsupported and named, never dropped and never turned into something else.

use serde_json::Value;

use super::wire;
use crate::text::plain_text;
use handoff_contract::model::{Part, PartKind};

/// Collections nest; nobody was seen to go deeper than two.
const MAX_NESTED: u8 = 4;
/// Addresses that are kept of one part of an unknown kind.
const MAX_ADDRESSES: usize = 5;

/// The parts of a message of any era, reply parts last.
pub(crate) fn of_message(message: &Value) -> Vec<Part> {
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
            None => unsupported(&kind, properties, out),
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
        // The vendor's list knows none of these; accounts were said to send them. What they are stands in their type, or in their name.
        "audio" | "document" | "attachment" => {
            let kind = match key {
                _ if is("image/") => PartKind::Image,
                _ if is("video/") => PartKind::Video,
                "audio" => PartKind::Audio,
                _ if is("audio/") => PartKind::Audio,
                _ => PartKind::File,
            };
            match value.as_array() {
                Some(several) if depth < MAX_NESTED => {
                    several.iter().for_each(|one| read_kind(key, one, depth + 1, out));
                }
                _ => out.push(file(kind, value, media_type)),
            }
        }
        "url_button" => {
            out.push(Part { text: wire::filled(value, "label"), url: address(value), ..Part::empty(PartKind::Button) })
        }
        "quick_reply_button" | "callback" => push_choice(value, out),
        "collection" if depth < MAX_NESTED => read_all(value.get("sub_parts"), depth, out),
        "template_content" if depth < MAX_NESTED => {
            for section in value.get("sections").and_then(Value::as_array).into_iter().flatten() {
                read_all(section.get("parts"), depth, out);
            }
        }
        "reference" => match wire::filled(value, "label") {
            Some(label) => push_text(label, out),
            None => unsupported(key, value, out),
        },
        _ => unsupported(key, value, out),
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
        Some(last) if last.kind == PartKind::Choices => last.choices.get_or_insert_default().push(label),
        _ => out.push(Part { choices: Some(vec![label]), ..Part::empty(PartKind::Choices) }),
    }
}

fn file(kind: PartKind, value: &Value, media_type: Option<String>) -> Part {
    Part {
        url: address(value),
        name: wire::filled(value, "name").or_else(|| wire::filled(value, "file_name")),
        bytes: wire::number(value, "file_size_in_bytes"),
        media_type,
        ..Part::empty(kind)
    }
}

/// The key is the vendor's word, not people's text; it is shortened in case it is not. What is in the part cannot be shown, but
/// where it leads can: each address is a part of its own. Small pictures only stand for something else.
fn unsupported(key: &str, value: &Value, out: &mut Vec<Part>) {
    let word: String = key.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(40).collect();
    let part = Part { text: Some(format!("[{}]", word.replace('_', " "))), ..Part::empty(PartKind::Unsupported) };
    let mut found = Vec::new();
    collect(value, "", false, MAX_NESTED, &mut found);
    if found.is_empty() {
        collect(value, "", true, MAX_NESTED, &mut found);
    }
    if found.is_empty() {
        out.push(part);
        return;
    }
    for url in found {
        out.push(Part { url: Some(url), ..part.clone() });
    }
}

/// The address of a file or button: under its usual name, or else the first that is there.
fn address(value: &Value) -> Option<String> {
    if let Some(url) = wire::filled(value, "url") {
        return Some(url);
    }
    let mut found = Vec::new();
    collect(value, "", false, MAX_NESTED, &mut found);
    found.into_iter().next()
}

/// The addresses in the value of a field, in its order; with or without those of small pictures.
fn collect(value: &Value, key: &str, with_small: bool, deeper: u8, found: &mut Vec<String>) {
    let key = key.to_ascii_lowercase();
    let is_any_of = |words: &[&str]| words.iter().any(|word| key.contains(word));
    if !with_small && is_any_of(&["thumb", "preview", "icon", "avatar"]) {
        return;
    }
    match value {
        Value::String(text) => {
            // A path, or an address with spaces, counts only where the field's name says what it is: elsewhere it may be a sentence.
            let is_named = is_any_of(&["url", "uri", "link", "href", "src"]);
            let is_web = plain_text::is_web(text) && (is_named || !text.contains(' '));
            let is_path = is_named && text.len() > 1 && text.starts_with('/');
            if (is_web || is_path) && found.len() < MAX_ADDRESSES && !found.contains(text) {
                found.push(text.clone());
            }
        }
        Value::Array(items) if deeper > 0 => {
            for item in items {
                collect(item, &key, with_small, deeper - 1, found);
            }
        }
        Value::Object(fields) if deeper > 0 => {
            for (key, value) in fields {
                collect(value, key, with_small, deeper - 1, found);
            }
        }
        _ => {}
    }
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
        assert_eq!(parts[7].choices(), ["Yes", "No"]);
    }

    #[test]
    fn where_an_unknown_part_leads_is_kept() {
        for (part, wanted) in [
            (
                json!({ "hologram": { "media": { "download_url": "/files/1 2" }, "thumbnail": { "url": "https://x/t" } } }),
                vec!["/files/1 2"],
            ),
            (json!({ "hologram": { "thumbnail": { "url": "https://x/t" } } }), vec!["https://x/t"]),
            (
                json!({ "hologram": ["https://x/a", { "more": "HTTPS://x/b" }, "https://x/a"] }),
                vec!["https://x/a", "HTTPS://x/b"],
            ),
            (json!({ "hologram": "https://x/a" }), vec!["https://x/a"]),
            (json!({ "hologram": { "note": "https://x is down", "way": "/etc", "url": "/" } }), vec![]),
            (json!({ "part_type": "hologram", "properties": { "url": "https://x/a" } }), vec!["https://x/a"]),
            (json!({ "reference": { "link": "https://x/a" } }), vec!["https://x/a"]),
        ] {
            let parts = of_message(&json!({ "message_parts": [part] }));
            assert!(parts.iter().all(|part| part.kind == PartKind::Unsupported), "{part}");
            let word = parts[0].text.as_deref();
            assert!(word == Some("[hologram]") || word == Some("[reference]"), "{part}");
            let urls: Vec<&str> = parts.iter().filter_map(|part| part.url.as_deref()).collect();
            assert_eq!(urls, wanted, "{part}");
        }
        let many: Vec<String> = (0..50).map(|number| format!("https://x/{number}")).collect();
        assert_eq!(of_message(&json!({ "message_parts": [{ "hologram": many }] })).len(), MAX_ADDRESSES);
    }

    #[test]
    fn files_of_every_name_keep_their_address() {
        use PartKind::*;
        for (part, kind) in [
            (json!({ "audio": { "url": "https://x/a" } }), Audio),
            (json!({ "document": { "url": "https://x/a", "content_type": "application/pdf" } }), File),
            (json!({ "attachment": { "attachment_url": "https://x/a", "contentType": "image/png" } }), Image),
            (json!({ "attachment": [{ "link": "https://x/a", "content_type": "video/mp4" }] }), Video),
            (json!({ "video": { "source": { "href": "https://x/a" } } }), Video),
            (json!({ "image": { "thumbnail": { "url": "https://x/t" }, "original_url": "https://x/a" } }), Image),
        ] {
            let parts = of_message(&json!({ "message_parts": [part] }));
            assert_eq!(parts.len(), 1, "{part}");
            assert_eq!((parts[0].kind, parts[0].url.as_deref()), (kind, Some("https://x/a")), "{part}");
        }
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

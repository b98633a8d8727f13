//! JSON as other programs write it.
//!
//! `slice` of JavaScript cuts an emoji in half, and `JSON.stringify` writes the half as `\ud83d`: allowed by RFC 8259 (section 8.2),
//! refused by strict readers. The same goes for numbers beyond the range of a double (section 6). Neither may cost the whole
//! body: half a character is read as U+FFFD, and a number that cannot be held as null, which counts as absent.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

#[cfg(feature = "json")]
mod read;

#[cfg(feature = "json")]
pub use read::{ReadError, from_json, to_json};

/// What stands for half a character.
const REPLACEMENT: &[u8] = b"\\ufffd";

/// Reads a body. What is sound is read once; only what is refused is [repaired] and read again.
pub fn from_slice<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(error) => match repaired(body) {
            Some(repaired) => serde_json::from_slice(&repaired),
            None => Err(error),
        },
    }
}

/// The body with every unpaired surrogate and every byte that is not UTF-8 replaced, and numbers out of range as null. None when
/// there is none of these. Takes time in proportion to the length; whatever else is wrong stays wrong.
pub fn repaired(body: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(body);
    let mut changed = matches!(text, Cow::Owned(_));
    let mut fixed = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut in_text = false;
    while let Some(first) = rest.first() {
        let (length, instead) = match first {
            b'\\' if in_text => escape(rest),
            b'-' | b'0'..=b'9' if !in_text => number(rest),
            b'"' => {
                in_text = !in_text;
                (1, None)
            }
            _ => (1, None),
        };
        let (read, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        changed |= instead.is_some();
        fixed.extend_from_slice(instead.unwrap_or(read));
        rest = behind;
    }
    changed.then_some(fixed)
}

/// The length of the escape, or pair of escapes, that the text begins with, and what to write instead.
fn escape(text: &[u8]) -> (usize, Option<&'static [u8]>) {
    match code_unit(text) {
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(code_unit) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, Some(REPLACEMENT)),
        },
        Some(0xdc00..=0xdfff) => (6, Some(REPLACEMENT)),
        // The letter behind the backslash belongs to it: it may be a quotation mark.
        _ => (2, None),
    }
}

fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// The length of the number that the text begins with, and what to write instead.
fn number(text: &[u8]) -> (usize, Option<&'static [u8]>) {
    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let length = text.iter().take_while(is_part).count();
    let number = text.get(..length).unwrap_or_default();
    // What is a number and cannot be read as one is out of range.
    let is_lost = is_number(number) && serde_json::from_slice::<Value>(number).is_err();
    (length, is_lost.then_some(b"null"))
}

/// The grammar of RFC 8259, section 6.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, mut rest) = digits(text);
    let mut is_number = matches!(whole, [b'0'] | [b'1'..=b'9', ..]);
    if let Some(behind) = rest.strip_prefix(b".") {
        let (fraction, behind) = digits(behind);
        (is_number, rest) = (is_number && !fraction.is_empty(), behind);
    }
    if let [b'e' | b'E', behind @ ..] = rest {
        let behind = behind.strip_prefix(b"+").or(behind.strip_prefix(b"-")).unwrap_or(behind);
        let (exponent, behind) = digits(behind);
        (is_number, rest) = (is_number && !exponent.is_empty(), behind);
    }
    is_number && rest.is_empty()
}

/// The digits that the text begins with, and what follows.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at_checked(length).unwrap_or((text, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Value> {
        from_slice(text.as_bytes()).ok()
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::String(text.to_owned()))
    }

    #[test]
    fn half_a_character_is_read_as_the_replacement_character() {
        for (json, wanted) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\ude00""#, "\u{fffd}"),
            (r#""Hi \uD83D!""#, "Hi \u{fffd}!"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud83d\ude00\ude00""#, "😀\u{fffd}"),
            (r#""\ud83d\n\ud83d""#, "\u{fffd}\n\u{fffd}"),
            (r#""\ud83d\\ude00 \ud83d\"""#, "\u{fffd}\\ude00 \u{fffd}\""),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
        ] {
            assert_eq!(read(json), text(wanted), "{json}");
        }
        assert_eq!(read(r#"{"\ud83d": 1}"#), Some(serde_json::json!({ "\u{fffd}": 1 })));
        assert_eq!(from_slice::<Value>(b"\"caf\xe9 \xed\xa0\xbd\"").unwrap(), "caf\u{fffd} \u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn numbers_out_of_range_are_null_and_lose_nothing_else() {
        let digits = "9".repeat(400);
        for number in ["1e309", "-1E+400", "17.5e99999999999999999999", &digits, &format!("-{digits}.5")] {
            let json = format!(r#"{{"lost": {number}, "text": "1e999 \ud83d", "list": [{number},2.5e3,-7]}}"#);
            let wanted = serde_json::json!({ "lost": null, "text": "1e999 \u{fffd}", "list": [null, 2.5e3, -7] });
            assert_eq!(read(&json), Some(wanted), "{number}");
        }
        assert_eq!(read("1e-400"), Some(serde_json::json!(0.0)));
    }

    #[test]
    fn what_is_wrong_otherwise_stays_wrong() {
        for json in [
            "",
            "{",
            r#""\ud83d"#,
            r#""\ud8"#,
            r#""\x \ud83d""#,
            "[01e999]",
            "[1.e999]",
            "[1e999e9]",
            "[+1e999]",
            r#"{"a": \ud83d}"#,
            "[1e999,]",
            "[-]",
            "[1e]",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
        assert_eq!(repaired(br#"{"sound": ["\ud83d\ude00", 1e308, "\\ud83d"]}"#), None);
    }

    #[test]
    fn a_body_full_of_halves_takes_no_longer_for_each_of_them() {
        let many = 500_000;
        let json = format!(r#"["{}", {}1e999]"#, r"\ud83d".repeat(many), "1e999, ".repeat(many / 8));
        let read: Value = from_slice(json.as_bytes()).unwrap();
        assert_eq!(read[0].as_str().unwrap().chars().count(), many);
        assert_eq!(read.as_array().unwrap().len(), many / 8 + 2);
    }
}

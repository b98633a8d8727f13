//! JSON as other programs write it.
//!
//! `slice` of JavaScript cuts an emoji in half, and `JSON.stringify` writes the half as `\ud83d`: allowed by RFC 8259 (section 8.2),
//! refused by strict readers. The same goes for numbers beyond the range of a double (section 6). Neither may cost the whole
//! body: half a character is read as U+FFFD, and a number that cannot be held as null, which counts as absent.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

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

/// Reads a body as [`from_slice`] does, with those fields of its objects alone that are named; with none named, all of
/// them. What is passed over costs a look at its bytes: it is neither decoded nor kept.
pub fn read(body: &[u8], fields: &'static [&'static str]) -> serde_json::Result<Value> {
    read_once(body, fields).or_else(|error| match repaired(body) {
        Some(repaired) => read_once(&repaired, fields),
        None => Err(error),
    })
}

fn read_once(body: &[u8], fields: &'static [&'static str]) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = Fields(fields).deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The fields to keep.
#[derive(Clone, Copy)]
struct Fields(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key_seed(Name(self))? {
            match name {
                Some(name) => {
                    object.insert(name, entries.next_value_seed(self)?);
                }
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(object))
    }
}

/// The name of a field; none where that is passed over.
struct Name(Fields);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let Fields(fields) = self.0;
        Ok((fields.is_empty() || fields.contains(&name)).then(|| name.to_owned()))
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
    let is_lost = is_number(number) && read_once(number, &[]).is_err();
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
    use serde_json::json;

    fn read_text(text: &str) -> Option<Value> {
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
            assert_eq!(read_text(json), text(wanted), "{json}");
        }
        assert_eq!(read_text(r#"{"\ud83d": 1}"#), Some(json!({ "\u{fffd}": 1 })));
        assert_eq!(from_slice::<Value>(b"\"caf\xe9 \xed\xa0\xbd\"").unwrap(), "caf\u{fffd} \u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn numbers_out_of_range_are_null_and_lose_nothing_else() {
        let digits = "9".repeat(400);
        for number in ["1e309", "-1E+400", "17.5e99999999999999999999", &digits, &format!("-{digits}.5")] {
            let json = format!(r#"{{"lost": {number}, "text": "1e999 \ud83d", "list": [{number},2.5e3,-7]}}"#);
            let wanted = json!({ "lost": null, "text": "1e999 \u{fffd}", "list": [null, 2.5e3, -7] });
            assert_eq!(read_text(&json), Some(wanted), "{number}");
        }
        assert_eq!(read_text("1e-400"), Some(json!(0.0)));
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
            assert_eq!(read_text(json), None, "{json}");
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

    #[test]
    fn only_the_fields_that_are_named_are_kept() {
        let body =
            json!({ "id": 7, "list": [{ "id": "a", "text": "b\n" }, [], 1.5], "more": { "id": null, "x": [[]] } });
        let kept = read(body.to_string().as_bytes(), &["id", "list"]).unwrap();
        assert_eq!(kept, json!({ "id": 7, "list": [{ "id": "a" }, [], 1.5] }));
        assert_eq!(read(body.to_string().as_bytes(), &[]).unwrap(), body);
        for cut in [&b"{\"more\": {"[..], b"{\"more\": 1} 2", b"{\"more\" 1}", b"{\"more\": \"\\x\"}"] {
            assert!(read(cut, &["id"]).is_err(), "{}", String::from_utf8_lossy(cut));
        }
        assert_eq!(
            read(b"{\"more\": \"\\ud83d\", \"id\": \"\\ud83d\"}", &["id"]).unwrap(),
            json!({ "id": "\u{fffd}" })
        );
    }
}

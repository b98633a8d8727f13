//! JSON on its way out: bodies written as they go. What comes in is [`read`] as far as somebody asks for it.

use serde_json::Value;

pub(crate) use handoff_contract::json::read;

/// Writes a body without building it first. Who calls it writes the fields in alphabetical order, as [`Value`] does, so that a
/// body is the same whichever of the two has written it.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// The next field or item is the first of its object or list.
    is_first: bool,
}

impl Writer {
    /// Begins with an object, in a buffer for so many bytes.
    pub(crate) fn object(capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.push(b'{');
        Self { bytes, is_first: true }
    }

    /// Begins the next item of a list.
    pub(crate) fn item(&mut self) -> &mut Self {
        if !self.is_first {
            self.bytes.push(b',');
        }
        self.is_first = false;
        self
    }

    /// The name of the next field, which must need no escapes.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.item();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        self
    }

    /// A text as value, escaped.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes.push(b'"');
        escape(text, &mut self.bytes);
        self.bytes.push(b'"');
        self
    }

    /// A field with a text.
    pub(crate) fn field(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(name).text(text)
    }

    /// Begins a value: `{` or `[`.
    pub(crate) fn open(&mut self, bracket: u8) -> &mut Self {
        self.bytes.push(bracket);
        self.is_first = true;
        self
    }

    /// Ends it: `}` or `]`.
    pub(crate) fn close(&mut self, bracket: u8) -> &mut Self {
        self.bytes.push(bracket);
        self.is_first = false;
        self
    }

    /// A value that was built.
    pub(crate) fn value(&mut self, value: &Value) -> &mut Self {
        self.bytes.extend_from_slice(to_string(value).as_bytes());
        self
    }

    /// Ends the body.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'}');
        self.bytes
    }
}

/// A value as text. Not through `Display`, whose writer checks all of it for UTF-8 once more.
pub(crate) fn to_string(value: &Value) -> String {
    // Values have names that are texts and no floats but finite ones: nothing can fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// Writes a text as JSON has it between quotation marks.
fn escape(text: &str, to: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, behind) = rest.split_at_checked(plain(rest)).unwrap_or((rest, &[]));
        to.extend_from_slice(plain);
        let Some((byte, behind)) = behind.split_first() else { return };
        let short = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\t' => b't',
            b'\r' => b'r',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
                to.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
                rest = behind;
                continue;
            }
        };
        to.extend_from_slice(&[b'\\', short]);
        rest = behind;
    }
}

/// How many bytes stand before the first that must be escaped: a quotation mark, a backslash or a control character. Eight at a time.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let mut length = 0;
    for eight in bytes.as_chunks().0 {
        let word = u64::from_le_bytes(*eight);
        // The lowest bit that is set belongs to the first byte that is less than a space, or one of the two signs.
        let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let found = word.wrapping_sub(ONES * 0x20) & !word
            | is_zero(word ^ (ONES * u64::from(b'"')))
            | is_zero(word ^ (ONES * u64::from(b'\\')));
        if found & HIGH != 0 {
            return length + (found & HIGH).trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| **byte >= b' ' && !matches!(**byte, b'"' | b'\\');
    length + bytes.get(length..).unwrap_or_default().iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    proptest::proptest! {
        #[test]
        fn texts_are_written_as_serde_json_writes_them(text in "(\\PC|[\"\\\\\n\t\r\u{0}-\u{1f}\u{7f}]|[a-z ]{1,20}){0,30}") {
            let mut writer = Writer::object(0);
            writer.field("a", &text);
            let wanted = json!({ "a": text }).to_string();
            proptest::prop_assert_eq!(String::from_utf8(writer.finish()).unwrap(), wanted.clone());
            proptest::prop_assert_eq!(to_string(&json!({ "a": text })), wanted);
        }

        #[test]
        fn an_answer_is_read_as_serde_json_reads_it(body in "(\\{\"a\":|\\{\"b\":|\\[|\\]|\\}|,|1|-2.5e3|1e999|true|null|\"x\\\\n\"|\"\\\\ud83d\"| ){0,12}") {
            let wanted = handoff_contract::json::from_slice::<Value>(body.as_bytes());
            let found = read(body.as_bytes(), &[]);
            proptest::prop_assert_eq!(found.as_ref().ok(), wanted.as_ref().ok(), "{}", body);
        }
    }
}

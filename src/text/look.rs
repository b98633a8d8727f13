//! One look at each byte of a text, before anything is done to it.
//!
//! Nearly all messages hold nothing that masking could find and nothing that cleaning would change. One pass tells: what it
//! counts and flags decides which of the slower passes a text needs. It may send a text there in vain, but never past one that
//! would change it; `tests/text.rs` holds that against the slow passes alone.

/// What a look has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    found: u16,
    digits: usize,
    longest: usize,
}

/// Holds a letter that masking reads as another one, or as none, or that was not looked at closely.
pub(crate) const ODD: u16 = 1;
/// Holds a letter that masking reads as another one that no rule looks for by itself: a dash, a dot or a space.
pub(crate) const VARIANT: u16 = 1 << 1;
/// Cleaning may change it.
pub(crate) const UNCLEAN: u16 = 1 << 2;
/// Holds an end of a line.
pub(crate) const LINES: u16 = 1 << 3;
/// Holds `@`.
pub(crate) const AT: u16 = 1 << 4;
/// Holds `+`.
pub(crate) const PLUS: u16 = 1 << 5;
/// A letter stands before a digit.
pub(crate) const LETTER_DIGIT: u16 = 1 << 6;
/// Holds `eyJ`, with which the shortest of tokens begin.
pub(crate) const TOKEN: u16 = 1 << 7;
/// Holds a letter that is no ASCII.
pub(crate) const LONG: u16 = 1 << 8;

/// What has to be done about a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing: a letter of ASCII, a sign that means nothing here, the rest of a letter that was looked at.
    Plain,
    Space,
    LineEnd,
    Digit,
    /// `<` and `]`, with which markup begins or goes on; tabs.
    Markup,
    /// `J`, `@`, `+`.
    Sign,
    /// A control character, or the first byte of a letter that is not looked at closely.
    Odd,
    /// The first byte of a letter that may or may not be odd.
    Lead,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            classes[byte] = match byte as u8 {
                b' ' => Class::Space,
                b'\n' => Class::LineEnd,
                b'0'..=b'9' => Class::Digit,
                b'<' | b']' | b'\t' => Class::Markup,
                b'J' | b'@' | b'+' => Class::Sign,
                0..=0x1f | 0x7f => Class::Odd,
                b' '..=b'~' | 0x80..=0xbf => Class::Plain,
                // U+00C0 to U+02FF, U+0380 to U+057F: letters of Latin, Greek and Cyrillic scripts, and of Armenian.
                0xc3..=0xcb | 0xce..=0xd5 => Class::Plain,
                // U+4000 to U+9FFF, U+B000 to U+D7FF: Chinese and Korean.
                0xe4..=0xe9 | 0xeb..=0xed => Class::Plain,
                0xc2 | 0xe2 | 0xe3 | 0xf0 => Class::Lead,
                _ => Class::Odd,
            };
        }
        byte += 1;
    }
    classes
};

/// Flags for a letter that begins with a byte of the class [`Class::Lead`].
fn lead(letter: &[u8]) -> u16 {
    match *letter {
        // Signs of Latin-1, such as `¿` and `£`, but its soft hyphen and its digits.
        [0xc2, 0xa1..=0xac | 0xae..=0xb1 | 0xb4..=0xb6 | 0xb8 | 0xba..=0xbf, ..] => 0,
        // The space that does not break, the dot in the middle.
        [0xc2, 0xa0 | 0xb7, ..] => VARIANT,
        // U+2010 to U+2027: dashes, quotation marks, bullets, dots.
        [0xe2, 0x80, 0x90..=0xa7, ..] => VARIANT,
        // Currencies; signs such as `™`; arrows; symbols; some dingbats.
        [0xe2, 0x82, 0xa0..=0xbf, ..] | [0xe2, 0x84 | 0x86 | 0x87 | 0x98..=0x9c, ..] => 0,
        // U+3000 to U+30FF: punctuation and letters of Japanese.
        [0xe3, 0x80..=0x83, ..] => VARIANT,
        // U+1F000 to U+1FFFF, where emoji are, but the digits at U+1FBF0.
        [0xf0, 0x9f, 0x80..=0xae | 0xb0..=0xbf, ..] => 0,
        _ => ODD | UNCLEAN,
    }
}

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Which of eight bytes are spaces, as the highest bit of each from the first on. None where one has to be looked at by itself:
/// where it is not of the class [`Class::Plain`] either, or no ASCII.
fn spaces(word: u64) -> Option<u64> {
    // Of ASCII: the highest bit of every byte that is no less than this.
    let from = |least: u8| word.wrapping_add(ONES * u64::from(0x80 - least));
    let only = |byte: u8| from(byte) & !from(byte + 1);
    // Some of those between `0` and `@` mean nothing; asking for each would take longer.
    let special = !from(b' ') | from(0x7f) | from(b'0') & !from(b'@' + 1) | only(b'+') | only(b'J') | only(b']');
    // Other bytes spoil the sums of those behind them, and are special themselves.
    ((word | special) & HIGH == 0).then(|| only(b' ') & HIGH)
}

impl Look {
    /// Looks at a text, eight bytes at a time where they are letters, spaces and signs that mean nothing here.
    pub(crate) fn at(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut look = Self::default();
        // Where the word under way begins.
        let mut start = 0;
        let mut from = 0;
        for eight in bytes.as_chunks().0 {
            look.eight(u64::from_le_bytes(*eight), bytes, from, &mut start);
            from += 8;
        }
        // Filled up with spaces, which end the last word where it ends.
        let (mut last, rest) = ([b' '; 8], bytes.get(from..).unwrap_or_default());
        last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
        look.eight(u64::from_le_bytes(last), bytes, from, &mut start);
        look.longest = look.longest.max(bytes.len().saturating_sub(start)).max(8);
        look
    }

    /// Looks at the eight bytes from there on.
    fn eight(&mut self, word: u64, bytes: &[u8], from: usize, start: &mut usize) {
        match spaces(word) {
            None => (from..from + 8).for_each(|index| self.byte(bytes, index, start)),
            Some(0) => {}
            Some(spaces) => {
                self.longest = self.longest.max(from + spaces.trailing_zeros() as usize / 8 - *start);
                *start = from + 8 - spaces.leading_zeros() as usize / 8;
            }
        }
    }

    fn byte(&mut self, bytes: &[u8], index: usize, start: &mut usize) {
        let Some(byte) = bytes.get(index) else { return };
        if !byte.is_ascii() {
            self.found |= LONG;
        }
        match CLASSES.get(usize::from(*byte)).copied().unwrap_or(Class::Odd) {
            Class::Plain => {}
            Class::Space | Class::LineEnd => {
                self.longest = self.longest.max(index - *start);
                *start = index + 1;
                if *byte == b'\n' {
                    self.found |= LINES;
                }
            }
            Class::Digit => {
                self.digits += 1;
                let before = index.checked_sub(1).and_then(|before| bytes.get(before));
                if before.is_some_and(u8::is_ascii_alphabetic) {
                    self.found |= LETTER_DIGIT;
                }
            }
            Class::Markup => self.found |= UNCLEAN,
            Class::Sign => {
                self.found |= match byte {
                    b'@' => AT,
                    b'+' => PLUS,
                    _ if bytes.get(..index).is_some_and(|before| before.ends_with(b"ey")) => TOKEN,
                    _ => 0,
                };
            }
            Class::Odd => self.found |= ODD | UNCLEAN | if *byte == b'\r' { LINES } else { 0 },
            Class::Lead => self.found |= lead(bytes.get(index..).unwrap_or_default()),
        }
    }

    /// True when it has found any of these.
    pub(crate) fn has(self, flags: u16) -> bool {
        self.found & flags != 0
    }

    /// How many digits of ASCII there are.
    pub(crate) fn digits(self) -> usize {
        self.digits
    }

    /// The most bytes that stand between two spaces or ends of lines; 8 where none are as many.
    pub(crate) fn longest(self) -> usize {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::masking::normal;

    #[test]
    fn letters_that_masking_reads_as_others_are_flagged() {
        for letter in ('\0'..=char::MAX).filter(|letter| *letter != '\r' && *letter != '\n') {
            let look = Look::at(letter.encode_utf8(&mut [0; 4]));
            match normal::letter(letter) {
                Some(read) if read == letter => {}
                // What no rule looks for by itself.
                Some('-' | '.' | ' ' | '/') => assert!(look.has(ODD | VARIANT), "{letter:?}"),
                _ => assert!(look.has(ODD), "{letter:?}"),
            }
        }
    }

    #[test]
    fn ordinary_text_is_told_from_what_needs_care() {
        let plain = "Grüße aus Köln: order 4711 – “paid” on 2026-11-27, £12.50 🙂 日本語 Привет";
        assert!(!Look::at(plain).has(!(VARIANT | LONG)), "{:?}", Look::at(plain));
        for (text, flag) in [
            ("a\tb", UNCLEAN),
            ("a<b", UNCLEAN),
            ("a\nb", LINES),
            ("a\r", LINES),
            ("a\u{200b}b", ODD),
            ("שלום", UNCLEAN),
            ("a@b", AT),
            ("+1", PLUS),
            ("DE89", LETTER_DIGIT),
            ("eyJ", TOKEN),
        ] {
            assert!(Look::at(text).has(flag), "{text:?}");
        }
        let look = Look::at("one three3 4 seven77\neightee8");
        assert_eq!((look.digits(), look.longest()), (5, 8));
    }

    proptest::proptest! {
        #[test]
        fn eight_bytes_at_once_tell_what_each_tells(text in "([a-z ]{0,12}|[ -~]{0,9}|\\PC|\n|eyJ|[0-9]{1,3}){0,12}") {
            let (mut each, mut start) = (Look::default(), 0);
            (0..text.len()).for_each(|index| each.byte(text.as_bytes(), index, &mut start));
            each.longest = each.longest.max(text.len() - start).max(8);
            proptest::prop_assert_eq!(Look::at(&text), each);
        }
    }
}

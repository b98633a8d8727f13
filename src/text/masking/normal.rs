//! Text as the rules read it: digits of any script, full-width letters, odd spaces and dashes as their ASCII, and nothing that
//! cannot be seen.

use std::borrow::Cow;

/// The zeros of the decimal digits of all scripts but ASCII and full-width: nine more follow each (Unicode 17, general category Nd).
const ZEROS: [u32; 75] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
    0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// A letter as the rules read it; none for what cannot be seen, or only changes how its neighbour looks.
pub(crate) fn letter(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return (!letter.is_ascii_control() || letter.is_ascii_whitespace()).then_some(letter);
    }
    let code = u32::from(letter);
    let digit = |value: u32| char::from_digit(value, 10);
    Some(match letter {
        // Controls, soft hyphens, combining marks, joiners, marks and overrides of direction, selectors, tags, fillers.
        '\u{80}'..='\u{84}'
        | '\u{86}'..='\u{9f}'
        | '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{20d0}'..='\u{20f0}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => return None,
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{207b}' | '\u{208b}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' | '\u{3002}' | '\u{30fb}'
        | '\u{ff65}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{2800}' => ' ',
        // Superscripts, subscripts, and numbers in circles, in brackets and with a full stop.
        '\u{b2}' | '\u{b3}' => digit(code - 0xb0)?,
        '\u{b9}' => '1',
        '\u{2070}' | '\u{2074}'..='\u{2079}' => digit(code - 0x2070)?,
        '\u{2080}'..='\u{2089}' => digit(code - 0x2080)?,
        '\u{24ea}' => '0',
        '\u{2460}'..='\u{2468}' => digit(code - 0x245f)?,
        '\u{2474}'..='\u{247c}' => digit(code - 0x2473)?,
        '\u{2488}'..='\u{2490}' => digit(code - 0x2487)?,
        '\u{24f5}'..='\u{24fd}' => digit(code - 0x24f4)?,
        '\u{24ff}' => '0',
        '\u{2776}'..='\u{277e}' => digit(code - 0x2775)?,
        '\u{2780}'..='\u{2788}' => digit(code - 0x277f)?,
        '\u{278a}'..='\u{2792}' => digit(code - 0x2789)?,
        // Full-width forms of what ASCII has.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xfee0)?,
        letter if letter.is_whitespace() => ' ',
        letter => {
            let zeros = ZEROS.partition_point(|zero| *zero <= code);
            let zero = zeros.checked_sub(1).and_then(|place| ZEROS.get(place)).copied();
            zero.and_then(|zero| digit(code - zero).filter(|_| code - zero < 10)).unwrap_or(letter)
        }
    })
}

/// A text as the rules read it, and the way back.
pub(crate) struct Normal<'a> {
    pub(crate) text: Cow<'a, str>,
    /// From the first place on, the original runs from the second: one entry for each letter whose length has changed.
    moves: Vec<(u32, u32)>,
}

impl<'a> Normal<'a> {
    /// Takes as much memory again as the text at most, and four times that where each of its letters changes its length.
    pub(crate) fn of(text: &'a str) -> Self {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r' | 0xc)) {
            return Self { text: Cow::Borrowed(text), moves: Vec::new() };
        }
        let mut normal = String::with_capacity(text.len());
        let mut moves = Vec::new();
        for (index, written) in text.char_indices() {
            let before = normal.len();
            normal.extend(letter(written));
            if normal.len() - before != written.len_utf8() {
                let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
                moves.push((place(normal.len()), place(index + written.len_utf8())));
            }
        }
        Self { text: Cow::Owned(normal), moves }
    }

    /// The place in the text as it was written. What cannot be seen before a letter belongs to what is before that.
    pub(crate) fn original(&self, place: usize) -> usize {
        let known = self.moves.partition_point(|(normal, _)| *normal as usize <= place);
        match known.checked_sub(1).and_then(|known| self.moves.get(known)) {
            Some((normal, original)) => *original as usize + (place - *normal as usize),
            None => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_the_same_is_the_same() {
        for (written, read) in [
            ("a\u{200b}b\u{ad}c\u{feff}", "abc"),
            ("\u{967}\u{968}\u{966} \u{e53} \u{1d7d9} \u{ff19} \u{2460}\u{b2}", "120 3 1 9 12"),
            ("1\u{2009}2\u{a0}3\u{3000}4\u{202f}5", "1 2 3 4 5"),
            ("1\u{2011}2\u{2013}3\u{2212}4", "1-2-3-4"),
            ("4\u{fe0f}\u{20e3}1\u{fe0f}\u{20e3}", "41"),
            ("ＡＢ＠ｃ．ｄ", "AB@c.d"),
            ("é 日本 🙂\t\n", "é 日本 🙂\t\n"),
        ] {
            assert_eq!(Normal::of(written).text, read, "{written:?}");
        }
    }

    #[test]
    fn the_digits_of_every_script_are_known() {
        for zero in ZEROS {
            let read: String = (0..10).filter_map(|value| letter(char::from_u32(zero + value)?)).collect();
            assert_eq!(read, "0123456789", "{zero:x}");
        }
        assert!(ZEROS.is_sorted());
    }

    #[test]
    fn places_lead_back_to_what_was_written() {
        let written = "é\u{200b}４2\u{feff}x";
        let normal = Normal::of(written);
        assert_eq!(normal.text, "é42x");
        let at = |letter: &str| normal.original(normal.text.find(letter).unwrap());
        assert_eq!(written.get(at("4")..at("2")), Some("４"));
        assert_eq!(written.get(at("2")..at("x")), Some("2\u{feff}"));
        assert_eq!(normal.original(normal.text.len()), written.len());
    }
}

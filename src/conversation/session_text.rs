//! Sessions as text: base64url without padding (RFC 4648, section 5).
//!
//! Not by `base64ct`: built for size, it takes 240 units of fuel per byte, half of those of a relay. A session is not a secret, so constant
//! time gains nothing. The tests compare the two.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NO_DIGIT: u8 = 64;
const DIGITS: [u8; 256] = digits();

const fn digits() -> [u8; 256] {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    #[allow(clippy::indexing_slicing, reason = "at compile time")]
    while digit < LETTERS.len() {
        digits[LETTERS[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
}

#[inline(always)]
fn letter(word: u32) -> u8 {
    LETTERS.get((word & 63) as usize).copied().unwrap_or_default()
}

#[inline(always)]
fn digit(letter: u8) -> u32 {
    DIGITS.get(usize::from(letter)).map_or(NO_DIGIT.into(), |digit| u32::from(*digit))
}

/// The text of these bytes.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    // Whole chunks in one piece each: built for size, iterators would cost ten times as much.
    let (chunks, rest) = bytes.as_chunks();
    for [first, second, third] in chunks {
        let word = u32::from_be_bytes([0, *first, *second, *third]);
        text.extend_from_slice(&[letter(word >> 18), letter(word >> 12), letter(word >> 6), letter(word)]);
    }
    match *rest {
        [first] => text.extend_from_slice(&[letter(u32::from(first) >> 2), letter(u32::from(first) << 4)]),
        [first, second] => {
            let word = u32::from_be_bytes([0, first, second, 0]);
            text.extend_from_slice(&[letter(word >> 18), letter(word >> 12), letter(word >> 6)]);
        }
        _ => {}
    }
    String::from_utf8(text).unwrap_or_default()
}

/// The bytes of this text; none where [`encode`] would not have written it.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (chunks, rest) = text.as_bytes().as_chunks();
    // Any letter that is no digit leaves its bit here.
    let mut seen = 0;
    for [first, second, third, fourth] in chunks {
        let (first, second, third, fourth) = (digit(*first), digit(*second), digit(*third), digit(*fourth));
        seen |= first | second | third | fourth;
        let [_, a, b, c] = (first << 18 | second << 12 | third << 6 | fourth).to_be_bytes();
        bytes.extend_from_slice(&[a, b, c]);
    }
    match *rest {
        [] => {}
        [first, second] => {
            let (first, second) = (digit(first), digit(second));
            seen |= first | second;
            let [_, a, left, _] = (first << 18 | second << 12).to_be_bytes();
            bytes.push(a);
            if left != 0 {
                return None;
            }
        }
        [first, second, third] => {
            let (first, second, third) = (digit(first), digit(second), digit(third));
            seen |= first | second | third;
            let [_, a, b, left] = (first << 18 | second << 12 | third << 6).to_be_bytes();
            bytes.extend_from_slice(&[a, b]);
            if left != 0 {
                return None;
            }
        }
        _ => return None,
    }
    (seen & u32::from(NO_DIGIT) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_are_encoded_as_by_base64ct(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let text = encode(&bytes);
            prop_assert_eq!(&text, &Base64UrlUnpadded::encode_string(&bytes));
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn texts_are_decoded_or_refused_as_by_base64ct(text in "[A-Za-z0-9_=+/ -]{0,9}|\\PC{0,6}") {
            prop_assert_eq!(decode(&text), Base64UrlUnpadded::decode_vec(&text).ok());
        }
    }
}

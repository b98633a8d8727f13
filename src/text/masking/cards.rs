//! Card numbers: windows of 13 to 19 digits with a prefix that an issuer has, of a length that it uses, and the check digit of Luhn.

use super::MAX_SEPARATORS;

pub(super) const SHORTEST: usize = 13;
pub(super) const LONGEST: usize = 19;

/// Lengths as bits, from [`SHORTEST`] on.
const fn of(lengths: &[usize]) -> u8 {
    let (mut bits, mut place) = (0, 0);
    while place < lengths.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        let length = lengths[place];
        bits |= 1 << (length - SHORTEST);
        place += 1;
    }
    bits
}

const L16: u8 = of(&[16]);
const L16_19: u8 = of(&[16, 17, 18, 19]);

/// First and last beginning, six digits each, and the lengths of the numbers.
///
/// Sources: the ranges of the networks as Wikipedia ("Payment card number") and the npm package `credit-card-type`
/// (`braintree/credit-card-type`, `src/lib/card-types.ts`, compared in November 2026) list them; older ones of JCB and Diners Club because
/// test numbers in them are still published. Narrower than those lists where numbers that are no cards would match: no Maestro in all
/// of 6, and of Maestro's 56 to 58 the lengths of published test numbers alone; no Visa of 18 digits, no Diners Club of 19, no UnionPay of
/// 14 and 15.
const ISSUERS: [(u32, u32, u8); 36] = [
    // UATP.
    (100_000, 199_999, of(&[15])),
    // JCB, of old.
    (213_100, 213_199, of(&[15])),
    // Mir, BORICA.
    (220_000, 220_599, L16_19),
    // Mastercard.
    (222_100, 272_099, L16),
    // Diners Club.
    (300_000, 305_999, of(&[14, 16])),
    (308_800, 309_499, L16),
    (309_500, 309_599, of(&[14, 16])),
    (309_600, 310_299, L16),
    (311_200, 312_099, L16),
    (315_800, 315_999, L16),
    (333_700, 334_999, L16),
    // American Express.
    (340_000, 349_999, of(&[15])),
    // JCB.
    (352_800, 358_999, L16_19),
    (360_000, 369_999, of(&[14, 16])),
    (370_000, 379_999, of(&[15])),
    (380_000, 399_999, of(&[14, 16])),
    // Visa.
    (400_000, 499_999, of(&[13, 16, 19])),
    // Maestro, Dankort, Verve, Elo, Meeza, RuPay.
    (500_000, 509_999, of(&[13, 14, 15, 16, 17, 18, 19])),
    // Mastercard.
    (510_000, 559_999, L16),
    // Maestro, Bankcard, Uzcard.
    (560_000, 589_999, of(&[16, 18, 19])),
    (561_200, 561_299, of(&[13, 15, 16, 17, 18, 19])),
    (589_300, 589_399, of(&[13, 15, 16, 17, 18, 19])),
    // Naranja, Cabal.
    (589_500, 589_699, L16),
    // RuPay, Discover, Hipercard, Cabal, UkrCard.
    (600_000, 609_999, of(&[13, 16, 19])),
    // UnionPay.
    (620_000, 629_999, L16_19),
    (630_400, 630_499, of(&[13, 15, 16, 17, 18, 19])),
    // Switch, Solo.
    (633_000, 634_999, L16_19),
    // InterPayment, Elo, Hiper.
    (636_000, 637_999, L16_19),
    (639_000, 639_099, of(&[13, 15, 16, 17, 18, 19])),
    // Discover, RuPay, Troy.
    (644_000, 659_999, of(&[16, 19])),
    // Maestro, Bancontact.
    (670_000, 679_999, L16_19),
    // UnionPay, RuPay.
    (810_000, 820_199, L16_19),
    // Uzcard, Humo, Troy.
    (860_000, 860_099, L16),
    (979_200, 979_299, L16),
    (986_000, 986_099, L16),
    // Maestro in the United Kingdom.
    (60_400, 60_499, of(&[16, 18, 19])),
];

fn is_issued(beginning: u32, length: usize) -> bool {
    let bit = 1u8 << (length - SHORTEST);
    ISSUERS.iter().any(|(first, last, lengths)| lengths & bit != 0 && (*first..=*last).contains(&beginning))
}

struct Digit {
    value: u32,
    at: usize,
    /// It does not follow another digit directly, or follows a card number.
    begins: bool,
    /// It follows a plus sign.
    is_dialled: bool,
}

/// Windows that begin at one of these places are written in groups of four, or without groups.
const FOURS: u32 = 0x0001_1111;
/// UATP begins with any number below: too many other numbers do.
const TOUCHED: u32 = 200_000;

/// What may stand between the digits of a number.
fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'-' | b'.' | b'/' | b'\\' | b'_' | b',' | b'*' | b'|' | b'~' | b';')
}

/// False where no digits of a text that is [normalised](super::normal) stand close enough together: dates, times and prices.
pub(super) fn may_hold_one(text: &str) -> bool {
    let (mut digits, mut separators) = (0, 0);
    text.bytes().any(|byte| {
        if byte.is_ascii_digit() {
            digits = if separators > MAX_SEPARATORS { 1 } else { digits + 1 };
            separators = 0;
        } else if is_separator(byte) {
            separators += 1;
        } else {
            digits = 0;
        }
        digits >= SHORTEST
    })
}

/// Calls back with start and end of every card number among the first digits, in the order of the ends; they may overlap. The text must be
/// [normalised](super::normal).
///
/// Letters may touch a number. Digits may touch it behind, if it is written in fours or in one: a security code, a date or another
/// number that was typed on. Before it they may not: one in six tracking numbers of 22 digits holds such a window.
pub(super) fn find(text: &str, most_digits: usize, mut found: impl FnMut(usize, usize)) {
    let mut window: Vec<Digit> = Vec::with_capacity(LONGEST);
    let (mut separators, mut is_list, mut is_behind_card) = (0, false, false);
    let mut before = None;
    let mut bytes = text.bytes().enumerate().peekable();
    let mut left = most_digits;
    while let Some((at, byte)) = bytes.next() {
        if byte.is_ascii_digit() {
            let Some(fewer) = left.checked_sub(1) else { return };
            left = fewer;
            // A comma alone separates groups; one with a space separates numbers.
            if separators > MAX_SEPARATORS || is_list && separators > 1 {
                window.clear();
            }
            if window.len() == LONGEST {
                window.remove(0);
            }
            let begins = separators > 0 || window.is_empty() || is_behind_card;
            let is_dialled = before == Some(b'+');
            window.push(Digit { value: u32::from(byte - b'0'), at, begins, is_dialled });
            (separators, is_list, is_behind_card) = (0, false, false);
            let ends = !bytes.peek().is_some_and(|(_, next)| next.is_ascii_digit());
            if window.len() >= SHORTEST {
                check(&window, ends, |start| {
                    is_behind_card = true;
                    found(start, at + 1);
                });
            }
        } else if is_separator(byte) {
            separators += 1;
            is_list |= matches!(byte, b',' | b';');
        } else {
            window.clear();
        }
        before = Some(byte);
    }
}

/// Calls back with the start of every window that ends with the last digit.
fn check(window: &[Digit], ends: bool, mut found: impl FnMut(usize)) {
    // Long numbers without groups are read once.
    if !window.iter().rev().skip(SHORTEST - 1).any(|digit| digit.begins) {
        return;
    }
    let (mut sum, mut beginning, mut groups) = (0, 0, 0u32);
    for (index, digit) in window.iter().rev().enumerate() {
        let length = index + 1;
        sum += match (index % 2, digit.value * 2) {
            (0, _) => digit.value,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        };
        beginning = digit.value * 100_000 + beginning / 10;
        groups = groups << 1 | u32::from(digit.begins);
        if length < SHORTEST || !digit.begins || !sum.is_multiple_of(10) {
            continue;
        }
        // Nobody has issued cards of 13 digits for long; phone numbers in Germany have as many.
        let is_phone = digit.is_dialled && length == SHORTEST;
        let is_common = matches!(length, 15 | 16) && beginning >= TOUCHED && groups & !FOURS == 0;
        if !is_phone && (ends || is_common) && is_issued(beginning, length) {
            found(digit.at);
        }
    }
}

//! What must not travel on by accident, masked by rules that are data.
//!
//! Pure, and linear in the text. A rule is a name of the table below, or a template in which `#` stands for a digit and `?` for an
//! ASCII letter. What looks like a secret and is none is masked too: that costs a question, the other way costs a card.

use std::borrow::Cow;

/// The rules of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masking {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// Its place among [`RULES`].
    Named(usize),
    Template(Vec<char>),
}

/// The length of what begins at a text's start, if it is what the rule names.
type Find = fn(&str) -> Option<usize>;

/// Each named rule: what it finds, and what that becomes.
const RULES: [(&str, Find, &str); 5] = [
    ("tokens", token, "[masked: token]"),
    ("iban", iban, "[masked: IBAN]"),
    ("email-addresses", email_address, "[masked: e-mail address]"),
    ("card-numbers", card_number, "[masked: card number]"),
    ("phone-numbers", phone_number, "[masked: phone number]"),
];

impl Masking {
    /// Reads the rules; the error is the rule that does not exist.
    pub fn parse(rules: &[String]) -> Result<Self, String> {
        let mut parsed = Vec::new();
        // In the order of the table: what a longer secret is part of goes first.
        for (place, (name, ..)) in RULES.iter().enumerate() {
            if rules.iter().any(|rule| rule == name) {
                parsed.push(Rule::Named(place));
            }
        }
        for rule in rules.iter().filter(|rule| !RULES.iter().any(|(name, ..)| name == rule)) {
            if rule.chars().filter(|letter| matches!(letter, '#' | '?')).count() < 3 || rule.len() > 64 {
                return Err(rule.clone());
            }
            parsed.push(Rule::Template(rule.chars().collect()));
        }
        Ok(Self { rules: parsed })
    }

    fn has_only_named(&self) -> bool {
        self.rules.iter().all(|rule| matches!(rule, Rule::Named(_)))
    }

    /// The text without what the rules mask, and how many places that were.
    pub fn apply<'a>(&self, text: &'a str) -> (Cow<'a, str>, u32) {
        if self.has_only_named() && holds_no_secret(text) {
            return (Cow::Borrowed(text), 0);
        }
        let (mut masked, mut count, mut kept) = (String::new(), 0, 0);
        let mut index = 0;
        let mut before = None;
        while let Some(letter) = text.get(index..).and_then(|rest| rest.chars().next()) {
            let next = index + letter.len_utf8();
            // Secrets begin where a word begins.
            let begins = !before.is_some_and(is_word) && !letter.is_whitespace() || letter == '+';
            let rest = text.get(index..).unwrap_or_default();
            match self.rules.iter().filter(|_| begins).find_map(|rule| rule.find(rest)) {
                Some((length, mask)) if length > 0 => {
                    masked.push_str(text.get(kept..index).unwrap_or_default());
                    masked.push_str(mask);
                    count += 1;
                    index += length;
                    kept = index;
                    before = Some(']');
                }
                _ => {
                    index = next;
                    before = Some(letter);
                }
            }
        }
        if count == 0 {
            return (Cow::Borrowed(text), 0);
        }
        masked.push_str(text.get(kept..).unwrap_or_default());
        (Cow::Owned(masked), count)
    }
}

/// Most messages: nothing of what the named rules look for can be in them. Read once, byte by byte, where the search reads each
/// word many times.
fn holds_no_secret(text: &str) -> bool {
    let mut unbroken = 0;
    // Three parts of a token may be shorter together than any other one.
    !text.contains("eyJ")
        && text.bytes().all(|byte| {
            unbroken = if byte == b' ' { 0 } else { unbroken + 1 };
            byte.is_ascii() && !byte.is_ascii_digit() && byte != b'@' && unbroken < SHORTEST_TOKEN
        })
}

impl Rule {
    /// How long what begins here is, and what it becomes.
    fn find(&self, text: &str) -> Option<(usize, &'static str)> {
        match self {
            Self::Named(place) => {
                let (_, find, mask) = RULES.get(*place)?;
                Some((find(text)?, mask))
            }
            Self::Template(template) => {
                let mut letters = text.char_indices();
                for wanted in template {
                    let (_, found) = letters.next()?;
                    let fits = match wanted {
                        '#' => digit(found).is_some(),
                        '?' => found.is_ascii_alphabetic(),
                        wanted => *wanted == found,
                    };
                    if !fits {
                        return None;
                    }
                }
                Some((ends_word(text, letters.offset())?, "[masked]"))
            }
        }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || digit(letter).is_some()
}

/// The length, if no word goes on behind it.
fn ends_word(text: &str, length: usize) -> Option<usize> {
    let next = text.get(length..)?.chars().next();
    (!next.is_some_and(is_word)).then_some(length)
}

/// Digits of three scripts: those that phones and cards are typed in.
fn digit(letter: char) -> Option<u32> {
    match letter {
        '0'..='9' => Some(letter as u32 - '0' as u32),
        '\u{ff10}'..='\u{ff19}' => Some(letter as u32 - 0xff10),
        '\u{0660}'..='\u{0669}' => Some(letter as u32 - 0x0660),
        '\u{06f0}'..='\u{06f9}' => Some(letter as u32 - 0x06f0),
        _ => None,
    }
}

/// Digits with single separators between them, as far as they go: their number, and where each ends.
fn digits(text: &str, separators: &str, most: usize) -> Vec<(u32, usize)> {
    let mut found = Vec::new();
    let mut separated = true;
    for (index, letter) in text.char_indices() {
        match digit(letter) {
            Some(digit) => {
                found.push((digit, index + letter.len_utf8()));
                separated = false;
                if found.len() > most {
                    break;
                }
            }
            None if !separated && separators.contains(letter) => separated = true,
            None => break,
        }
    }
    found
}

/// 13 to 19 digits that pass the check of Luhn.
fn card_number(text: &str) -> Option<usize> {
    let found = digits(text, " -\u{a0}", 19);
    if !(13..=19).contains(&found.len()) {
        return None;
    }
    let sum: u32 = (found.iter().rev().enumerate())
        .map(|(place, (digit, _))| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    let all_same = found.iter().all(|(digit, _)| Some(digit) == found.first().map(|(first, _)| first));
    let (_, end) = found.last()?;
    (sum.is_multiple_of(10) && !all_same).then(|| ends_word(text, *end))?
}

/// `+` and 8 to 15 digits.
fn phone_number(text: &str) -> Option<usize> {
    let found = digits(text.strip_prefix('+')?, " -.()/", 15);
    let (_, end) = found.last()?;
    (8..=15).contains(&found.len()).then(|| ends_word(text, end + 1))?
}

/// Two letters, two digits, 11 to 30 letters and digits, in groups or not, that pass the check modulo 97.
fn iban(text: &str) -> Option<usize> {
    let (mut letters, mut end, mut spaced) = (Vec::new(), 0, true);
    for (index, letter) in text.char_indices() {
        if letter.is_ascii_alphanumeric() {
            letters.push(letter.to_ascii_uppercase());
            (end, spaced) = (index + 1, false);
            if letters.len() > 34 {
                return None;
            }
            // A word in small letters behind it is not part of it.
        } else if letter == ' ' && !spaced && letters.len() % 4 == 0 {
            spaced = true;
        } else {
            break;
        }
    }
    let [one, two, three, four, ..] = letters[..] else { return None };
    let is_country = one.is_ascii_alphabetic() && two.is_ascii_alphabetic();
    if !(is_country && three.is_ascii_digit() && four.is_ascii_digit()) {
        return None;
    }
    // What follows in groups of four may be other words: the longest that passes counts.
    while letters.len() >= 15 {
        let rearranged = letters.iter().skip(4).chain(letters.iter().take(4));
        let rest = rearranged.fold(0u32, |rest, letter| match letter.to_digit(36).unwrap_or(0) {
            value @ 0..=9 => (rest * 10 + value) % 97,
            value => (rest * 100 + value) % 97,
        });
        if rest == 1 {
            return Some(end);
        }
        let shorter = (letters.len() - 1) / 4 * 4;
        letters.truncate(shorter);
        end = end_of(text, shorter);
    }
    None
}

/// Where the `count`-th letter or digit ends.
fn end_of(text: &str, count: usize) -> usize {
    let letters = text.char_indices().filter(|(_, letter)| letter.is_ascii_alphanumeric());
    letters.take(count).last().map_or(0, |(index, _)| index + 1)
}

/// `local@domain.tld`.
fn email_address(text: &str) -> Option<usize> {
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    // Longer ones are no addresses; without an end each word would be searched to the end of the text.
    let at = text.bytes().take(65).position(|byte| byte == b'@')?;
    let local = text.get(..at)?;
    if local.is_empty() || !local.bytes().all(is_local) {
        return None;
    }
    let domain = text.get(at + 1..)?;
    let is_domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let length = domain.bytes().take(255).take_while(is_domain).count();
    let domain = domain.get(..length)?.trim_end_matches(['.', '-']);
    let (name, tld) = domain.rsplit_once('.')?;
    (!name.is_empty() && tld.len() >= 2).then_some(at + 1 + domain.len())
}

/// How well-known secrets begin. (Prefixes are published by those who hand them out, so that leaks can be found.)
const PREFIXES: [&str; 12] = [
    "sk-",
    "sk_live_",
    "sk_test_",
    "pk_live_",
    "rk_live_",
    "ghp_",
    "gho_",
    "github_pat_",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "AIza",
];
const SHORTEST_TOKEN: usize = 16;

fn token(text: &str) -> Option<usize> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let run = |text: &str| text.bytes().take_while(|byte| is_part(*byte)).count();
    if let Some(rest) = text.strip_prefix("eyJ") {
        // Three parts with dots between them.
        let first = 3 + run(rest);
        let second = text.get(first..)?.strip_prefix('.').map(run)?;
        let third = text.get(first + 1 + second..)?.strip_prefix('.').map(run).map_or(0, |length| length + 1);
        return (second >= 4).then_some(first + 1 + second + third);
    }
    let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    if scheme.is_some() {
        let is_secret = |byte: &u8| is_part(*byte) || b".~+/=".contains(byte);
        let length = text.bytes().skip(7).take_while(is_secret).count();
        return (length >= SHORTEST_TOKEN).then_some(7 + length);
    }
    let prefix = PREFIXES.iter().find(|prefix| text.starts_with(**prefix))?;
    let length = run(text);
    (length >= prefix.len() + SHORTEST_TOKEN).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masking(rules: &[&str]) -> Masking {
        Masking::parse(&rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn all() -> Masking {
        masking(&["card-numbers", "tokens", "email-addresses", "phone-numbers", "iban", "###-##-####", "ORD-??####"])
    }

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        for (text, expected) in [
            ("card 4111 1111 1111 1111, thanks", "card [masked: card number], thanks"),
            ("4111-1111-1111-1111", "[masked: card number]"),
            ("(378282246310005)", "([masked: card number])"),
            ("٤١١١ ١١١١ ١١١١ ١١١١ بطاقة", "[masked: card number] بطاقة"),
            ("４１１１１１１１１１１１１１１１", "[masked: card number]"),
            ("eyJhbGciOi.eyJzdWIiOi.SflKxwRJ", "[masked: token]"),
            ("Authorization: Bearer abcdefghijklmnop123", "Authorization: [masked: token]"),
            ("key sk-abcdefghijklmnopqrst!", "key [masked: token]!"),
            ("AKIAIOSFODNN7EXAMPLE", "[masked: token]"),
            ("mail ana.silva+x@example.co.uk.", "mail [masked: e-mail address]."),
            ("call +351 912 345 678 now", "call [masked: phone number] now"),
            ("DE89 3704 0044 0532 0130 00", "[masked: IBAN]"),
            ("GB82WEST12345698765432 is it", "[masked: IBAN] is it"),
            ("DE89 3704 0044 0532 0130 00 danke", "[masked: IBAN] danke"),
            ("ssn 078-05-1120", "ssn [masked]"),
            ("ORD-ab1234", "[masked]"),
            ("4111 1111 1111 1111 and 4111111111111111", "[masked: card number] and [masked: card number]"),
        ] {
            assert_eq!(all().apply(text).0, expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn the_quick_look_misses_nothing(text in "(sk-|eyJ|bearer |\\+|[a-e.@ -]|[0-9]{1,4}|\\PC){0,40}") {
            let named = ["card-numbers", "tokens", "email-addresses", "phone-numbers", "iban"];
            // A rule of another kind makes it search each word; this one finds nothing.
            let slow = masking(&[&named[..], &["QZQZQZ-########"]].concat());
            proptest::prop_assert_eq!(masking(&named).apply(&text), slow.apply(&text));
        }
    }

    #[test]
    fn what_only_resembles_one_stays() {
        for text in [
            "",
            "order 4111 1111 1111 1112",
            "0000 0000 0000 0000",
            "41111111111111111111111111111111",
            "x4111111111111111",
            "at 10:00, 12-34",
            "ana@home and @ana",
            "+1 (555)",
            "GB82 and so on it goes here",
            "sk-short",
            "Bearer of news",
            "eyJ is how they begin",
            "0781-05-1120",
            "ORD-1234",
            "日本語 🙂 e\u{301}",
        ] {
            assert_eq!(all().apply(text), (Cow::Borrowed(text), 0));
        }
    }

    #[test]
    fn rules_that_do_not_exist_are_named() {
        for rule in ["cards", "", "#", "a?b#"] {
            assert_eq!(Masking::parse(&["tokens".to_owned(), rule.to_owned()]), Err(rule.to_owned()));
        }
        assert_eq!(masking(&[]).apply("4111111111111111").1, 0);
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_masked_and_masking_it_again_changes_nothing(text in "(\\PC|[0-9 @.+-]|eyJ|Bearer |sk-|DE89){0,60}") {
            let once = all().apply(&text).0.into_owned();
            let (twice, count) = all().apply(&once);
            proptest::prop_assert_eq!((twice.as_ref(), count), (once.as_str(), 0));
        }

        #[test]
        fn a_card_number_is_found_wherever_it_stands(before in "[a-zé🙂 ]{0,20}", after in "[ .,!?)é🙂]{0,20}") {
            let text = format!("{before} 4111111111111111{}{after}", if after.starts_with(' ') { "." } else { "" });
            proptest::prop_assert!(!all().apply(&text).0.contains("1111"), "{}", text);
        }
    }
}

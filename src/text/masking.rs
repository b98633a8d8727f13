//! What must not travel on by accident, masked by rules that are data.
//!
//! Pure, and linear in the text. A rule is a name of the table below, or a template in which `#` stands for a digit and `?` for an
//! ASCII letter. Rules look at the normalised text; what they find is cut out of the text as it was written. One order
//! everywhere: markup becomes text, then it is masked, then it is shortened or split.
//!
//! What looks like a secret and is none is masked too: that costs a question, the other way costs a card. How often that happens is
//! measured (`docs/security/masking.md`).

use std::borrow::Cow;

mod cards;
pub(crate) mod normal;

use crate::text::look::{self, Look};
use normal::Normal;

/// The rules of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masking {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Named(Name),
    Template(Vec<char>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Tokens,
    Iban,
    EmailAddresses,
    CardNumbers,
    PhoneNumbers,
}

/// Each named rule, and what it puts in place of what it finds. Where two find the same place, the first one names it.
const RULES: [(&str, Name, &str); 5] = [
    ("tokens", Name::Tokens, "[masked: token]"),
    ("iban", Name::Iban, "[masked: IBAN]"),
    ("email-addresses", Name::EmailAddresses, "[masked: e-mail address]"),
    ("card-numbers", Name::CardNumbers, "[masked: card number]"),
    ("phone-numbers", Name::PhoneNumbers, "[masked: phone number]"),
];
const TEMPLATE_MASK: &str = "[masked]";

/// What was cut out may leave something to find; that ends soon.
const MAX_PASSES: usize = 4;

/// A place that a rule has found, in bytes of the normalised text.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    mask: &'static str,
}

/// Places that are found without regard to what is before them, each kind in order.
struct Known {
    addresses: std::iter::Peekable<std::vec::IntoIter<Span>>,
    cards: std::iter::Peekable<std::vec::IntoIter<Span>>,
}

impl Known {
    /// The next one that begins before this place.
    fn next_before(&mut self, place: usize) -> Option<Span> {
        self.addresses.next_if(|it| it.start < place).or_else(|| self.cards.next_if(|it| it.start < place))
    }

    /// Where the next one begins that does not begin here.
    fn next_start(&mut self, here: usize, end: usize) -> usize {
        let start = |next: Option<&Span>| next.map(|it| it.start).filter(|start| *start > here).unwrap_or(end);
        start(self.addresses.peek()).min(start(self.cards.peek()))
    }
}

impl Masking {
    /// Reads the rules; the error is the rule that does not exist.
    pub fn parse(rules: &[String]) -> Result<Self, String> {
        let mut parsed = Vec::new();
        for (name, rule, _) in RULES {
            if rules.iter().any(|wanted| wanted == name) {
                parsed.push(Rule::Named(rule));
            }
        }
        for rule in rules.iter().filter(|rule| !RULES.iter().any(|(name, ..)| name == rule)) {
            if rule.chars().filter(|letter| matches!(letter, '#' | '?')).count() < 3 || rule.len() > 64 {
                return Err(rule.clone());
            }
            parsed.push(Rule::Template(rule.chars().filter_map(normal::letter).collect()));
        }
        Ok(Self { rules: parsed })
    }

    fn has(&self, name: Name) -> bool {
        self.rules.contains(&Rule::Named(name))
    }

    /// The text without what the rules mask, and how many places that were. Masking the result again changes nothing.
    pub fn apply<'a>(&self, text: &'a str) -> (Cow<'a, str>, u32) {
        if self.rules.is_empty() || self.finds_nothing(text, Look::at(text)) {
            return (Cow::Borrowed(text), 0);
        }
        self.search(text)
    }

    /// [`apply`](Self::apply), for a text that was looked at.
    pub(crate) fn apply_seen<'a>(&self, text: &'a str, look: Look) -> (Cow<'a, str>, u32) {
        if self.finds_nothing(text, look) { (Cow::Borrowed(text), 0) } else { self.search(text) }
    }

    /// True when a look at the text shows that no rule finds anything in it: then it is not searched word by word.
    fn finds_nothing(&self, text: &str, look: Look) -> bool {
        use look::{AT, LETTER_DIGIT, ODD, PLUS, TOKEN, VARIANT};
        let may_find = |rule: &Rule| match rule {
            Rule::Template(_) => true,
            Rule::Named(Name::EmailAddresses) => look.has(AT),
            Rule::Named(Name::PhoneNumbers) => look.has(PLUS),
            Rule::Named(Name::Iban) => look.has(LETTER_DIGIT),
            Rule::Named(Name::CardNumbers) => {
                look.digits() >= cards::SHORTEST && (look.has(VARIANT) || cards::may_hold_one(text))
            }
            Rule::Named(Name::Tokens) => {
                look.has(TOKEN) || look.longest() >= MIN_TOKEN && (look.has(VARIANT) || may_hold_token(text))
            }
        };
        self.rules.is_empty() || !look.has(ODD) && !self.rules.iter().any(may_find)
    }

    /// Searches word by word.
    fn search<'a>(&self, text: &'a str) -> (Cow<'a, str>, u32) {
        let (mut masked, mut count) = (Cow::Borrowed(text), 0);
        for _ in 0..MAX_PASSES {
            let Some((next, found)) = self.pass(&masked) else { break };
            (masked, count) = (Cow::Owned(next), count + found);
        }
        (masked, count)
    }

    /// [`apply`](Self::apply), for texts that are owned.
    pub fn text(&self, text: &str) -> String {
        self.apply(text).0.into_owned()
    }

    fn pass(&self, text: &str) -> Option<(String, u32)> {
        let normal = Normal::of(text);
        let spans = self.spans(&normal.text);
        if spans.is_empty() {
            return None;
        }
        let (mut masked, mut kept) = (String::new(), 0);
        for span in &spans {
            masked.push_str(text.get(kept..normal.original(span.start)).unwrap_or_default());
            masked.push_str(span.mask);
            kept = normal.original(span.end);
        }
        masked.push_str(text.get(kept..).unwrap_or_default());
        Some((masked, u32::try_from(spans.len()).unwrap_or(u32::MAX)))
    }

    /// What the rules find, in order and apart from each other. What was found ends what is before it, and begins what is behind it:
    /// otherwise a secret would hide the one that it touches.
    fn spans(&self, text: &str) -> Vec<Span> {
        let (mut addresses, mut cards) = (Vec::new(), Vec::new());
        if self.has(Name::EmailAddresses) {
            find_email_addresses(text, &mut addresses);
        }
        let has_cards = self.has(Name::CardNumbers);
        if has_cards {
            let mask = mask_of(Name::CardNumbers);
            cards::find(text, usize::MAX, |start, end| {
                let mut span = Span { start, end, mask };
                while let Some(last) = cards.pop_if(|last: &mut Span| last.end > span.start) {
                    span.start = span.start.min(last.start);
                }
                cards.push(span);
            });
        }
        let mut known = Known { addresses: addresses.into_iter().peekable(), cards: cards.into_iter().peekable() };
        let (mut spans, mut runs): (Vec<Span>, _) = (Vec::new(), Runs::default());
        let (mut before, mut behind) = (None, 0);
        for (start, letter) in text.char_indices() {
            if start < behind {
                continue;
            }
            let touches = !spans.is_empty() && start == behind;
            let begins = touches || !before.is_some_and(is_word) || letter == '+';
            before = Some(letter);
            let mut found = None;
            if begins && !letter.is_ascii_whitespace() {
                let next = known.next_start(start, text.len());
                found = self.word(text, start, next, &mut runs);
            }
            if found.is_none() && touches && has_cards && letter.is_ascii_digit() {
                let mut end = 0;
                let rest = text.get(start..).unwrap_or_default();
                cards::find(rest, cards::LONGEST, |first, last| end = if first == 0 { end.max(last) } else { end });
                found = (end > 0).then(|| Span { start, end: start + end, mask: mask_of(Name::CardNumbers) });
            }
            let mut span = match found {
                Some(span) => span,
                None => match known.next_before(start + 1) {
                    Some(span) => span,
                    None => continue,
                },
            };
            while let Some(next) = known.next_before(span.end) {
                span.end = span.end.max(next.end);
            }
            behind = span.end;
            spans.push(span);
        }
        spans
    }

    /// What begins at this place. Numbers end where something else is known to begin.
    fn word(&self, text: &str, start: usize, next: usize, runs: &mut Runs) -> Option<Span> {
        let (rest, number) = (text.get(start..)?, text.get(start..next)?);
        self.rules.iter().find_map(|rule| {
            let (length, mask) = match rule {
                Rule::Named(Name::Tokens) => (token(text, start, runs)?, mask_of(Name::Tokens)),
                Rule::Named(Name::Iban) => (iban(rest)?, mask_of(Name::Iban)),
                Rule::Named(Name::PhoneNumbers) => (phone_number(number)?, mask_of(Name::PhoneNumbers)),
                Rule::Named(Name::EmailAddresses | Name::CardNumbers) => return None,
                Rule::Template(template) => (fitting(number, template)?, TEMPLATE_MASK),
            };
            (length > 0).then_some(Span { start, end: start + length, mask })
        })
    }
}

fn mask_of(name: Name) -> &'static str {
    RULES.iter().find(|(_, rule, _)| *rule == name).map_or(TEMPLATE_MASK, |(.., mask)| mask)
}

/// False for most of the texts that have a long word, such as an address of a page: no token begins anywhere in them.
fn may_hold_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(place, first)| {
        matches!(first, b's' | b'p' | b'r' | b'g' | b'x' | b'A' | b'b' | b'B' | b'e') && {
            let rest = bytes.get(place..).unwrap_or_default();
            let is_scheme =
                || rest.get(..BEARER.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(BEARER.as_bytes()));
            PREFIXES.iter().any(|prefix| rest.starts_with(prefix.as_bytes())) || is_scheme()
        }
    })
}

/// How much of the beginning fits a template.
fn fitting(text: &str, template: &[char]) -> Option<usize> {
    let mut letters = text.char_indices();
    for wanted in template {
        let (_, found) = letters.next()?;
        let fits = match wanted {
            '#' => found.is_ascii_digit(),
            '?' => found.is_ascii_alphabetic(),
            ' ' => found.is_ascii_whitespace(),
            wanted => *wanted == found,
        };
        if !fits {
            return None;
        }
    }
    ends_word(text, letters.offset())
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The length, if no word goes on behind it.
fn ends_word(text: &str, length: usize) -> Option<usize> {
    let next = text.get(length..)?.chars().next();
    (!next.is_some_and(is_word)).then_some(length)
}

/// So many separators may stand between two digits of a number: `+1 (555) 0123`, or a dash between spaces.
const MAX_SEPARATORS: usize = 3;

/// `+` and 8 to 15 digits.
fn phone_number(text: &str) -> Option<usize> {
    let (mut count, mut end, mut separators) = (0, 0, 0);
    for (index, byte) in text.strip_prefix('+')?.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => (count, end, separators) = (count + 1, index + 2, 0),
            b' ' | b'\t' | b'-' | b'.' | b'(' | b')' | b'/' if separators < MAX_SEPARATORS => separators += 1,
            _ => break,
        }
        if count > 15 {
            return None;
        }
    }
    (8..=15).contains(&count).then(|| ends_word(text, end))?
}

/// Countries and the lengths of their account numbers: all 89 of the SWIFT IBAN registry, release 103 (September 2026), as public
/// repositories copy it from <https://www.swift.com/swift-resource/9606/download>; compared row by row in November 2026.
const IBANS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22\
     GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28\
     NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// A country, and as many letters and digits as it uses, in groups of four or not, that pass the check modulo 97.
fn iban(text: &str) -> Option<usize> {
    let [one, two, three, four, ..] = *text.as_bytes() else { return None };
    // Most words end here.
    if !(one.is_ascii_alphabetic() && two.is_ascii_alphabetic() && three.is_ascii_digit() && four.is_ascii_digit()) {
        return None;
    }
    let country = [one.to_ascii_uppercase(), two.to_ascii_uppercase()];
    let known = IBANS.as_bytes().chunks_exact(4).find(|known| known.starts_with(&country))?;
    let wanted = known.iter().skip(2).fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    let (mut letters, mut separators) = (Vec::with_capacity(wanted), 0);
    for (index, letter) in text.bytes().enumerate() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => {
                letters.push(letter);
                separators = 0;
            }
            b' ' | b'\t' | b'\n' | b'-' | b'.' if letters.len() % 4 == 0 && separators < MAX_SEPARATORS => {
                separators += 1
            }
            _ => return None,
        }
        if letters.len() == wanted {
            let rearranged = letters.iter().skip(4).chain(letters.iter().take(4));
            let rest = rearranged.fold(0u32, |rest, letter| match char::from(*letter).to_digit(36).unwrap_or(0) {
                value @ 0..=9 => (rest * 10 + value) % 97,
                value => (rest * 100 + value) % 97,
            });
            return (rest == 1).then_some(index + 1);
        }
    }
    None
}

/// Longer ones are no addresses (RFC 5321, section 4.5.3.1).
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;

/// `local@domain.tld`, found by its sign: what stands before it is read backwards, so that long words are not read again and again.
fn find_email_addresses(text: &str, spans: &mut Vec<Span>) {
    // Scripts that are written without spaces would belong to every address behind them.
    let is_letter =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}');
    let is_local = |letter: char| is_letter(letter) || ".!#$%&'*+/=?^_`{|}~-".contains(letter);
    let is_domain = |letter: char| is_letter(letter) || matches!(letter, '.' | '-');
    let mut from = 0;
    for (at, _) in text.match_indices('@').filter(|(at, _)| *at > 0) {
        let before = text.get(from..at).unwrap_or_default();
        let local = before.char_indices().rev().take(MAX_LOCAL).take_while(|(_, letter)| is_local(*letter));
        let start = local.last().map_or(before.len(), |(index, _)| index);
        let local = before.get(start..).unwrap_or_default().trim_start_matches(|letter| !is_letter(letter));
        let domain = text.get(at + 1..).unwrap_or_default();
        let length = domain.chars().take(MAX_DOMAIN).take_while(|letter| is_domain(*letter)).map(char::len_utf8).sum();
        let domain = domain.get(..length).unwrap_or_default().trim_end_matches(['.', '-']);
        let has_tld = domain.rsplit_once('.').is_some_and(|(name, tld)| !name.is_empty() && tld.chars().count() >= 2);
        if !local.is_empty() && has_tld {
            from = at + 1 + domain.len();
            spans.push(Span { start: at - local.len(), end: from, mask: mask_of(Name::EmailAddresses) });
        }
    }
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
const MIN_TOKEN: usize = 16;
/// The scheme that tokens follow in a header.
const BEARER: &str = "bearer ";

/// Ends of runs that were read already: many tokens may begin within one run, and each would read it to its end.
#[derive(Default)]
struct Runs {
    /// Start and end of the newest first, second and third part.
    parts: [(usize, usize); 3],
}

impl Runs {
    /// Where the run of letters, digits, `-` and `_` ends that holds this place.
    fn end(&mut self, text: &str, part: usize, from: usize) -> usize {
        let Some(known) = self.parts.get_mut(part) else { return from };
        if !(known.0..known.1).contains(&from) {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            *known = (from, from + text.bytes().skip(from).take_while(is_part).count());
        }
        known.1
    }
}

/// The length of the token that begins at this place.
fn token(text: &str, start: usize, runs: &mut Runs) -> Option<usize> {
    let rest = text.get(start..)?;
    if !rest.starts_with(['e', 'b', 'B', 's', 'p', 'r', 'g', 'x', 'A']) {
        return None;
    }
    if rest.starts_with("eyJ") {
        // Three parts with dots between them.
        let has_dot = |place: usize| text.as_bytes().get(place) == Some(&b'.');
        let first = Some(runs.end(text, 0, start)).filter(|end| has_dot(*end))?;
        let second = Some(runs.end(text, 1, first + 1)).filter(|end| end - first > 4)?;
        let end = if has_dot(second) { runs.end(text, 2, second + 1) } else { second };
        return Some(end - start);
    }
    let scheme = rest.get(..BEARER.len()).filter(|scheme| scheme.eq_ignore_ascii_case(BEARER));
    if scheme.is_some() {
        let is_secret = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(byte);
        let length = rest.bytes().skip(BEARER.len()).take_while(is_secret).count();
        return (length >= MIN_TOKEN).then_some(BEARER.len() + length);
    }
    let prefix = PREFIXES.iter().find(|prefix| rest.starts_with(**prefix))?;
    let length = runs.end(text, 0, start) - start;
    (length >= prefix.len() + MIN_TOKEN).then_some(length)
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
            ("4111 1111 1111 1111 12/27 123", "[masked: card number] 12/27 123"),
            ("4111 1111 1111 1111123", "[masked: card number]123"),
            (
                "DE893704004405320130003782822463100055555555555554444",
                "[masked: IBAN][masked: card number][masked: card number]",
            ),
            ("4111111111111111sk-abcdefghijklmnopqrst", "[masked: card number][masked: token]"),
            ("+15550123 4111 1111 1111 1111", "[masked: phone number] [masked: card number]"),
            ("4111111111111111 5555555555554444", "[masked: card number] [masked: card number]"),
            ("x4111.1111/1111_1111y", "x[masked: card number]y"),
            ("4111 - 1111 - 1111\n1111", "[masked: card number]"),
            ("4\u{200b}111\u{ad}1111\u{2009}1111\u{2011}1111", "[masked: card number]"),
            ("\u{96a}\u{967}\u{967}\u{967}1111 1111 \u{1d7d9}111", "[masked: card number]"),
            ("line\nsk-abcdefghij\u{200b}klmnopqrst", "line\n[masked: token]"),
            ("+1 (555) 012-3456", "[masked: phone number]"),
            ("josé@exämple.com", "[masked: e-mail address]"),
            ("メールはana@example.comです", "メールは[masked: e-mail address]です"),
            ("**ana@example.com**", "**[masked: e-mail address]**"),
            ("ssn 078\u{2011}05\u{2011}1120", "ssn [masked]"),
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
            "9400141111111111111111",
            "47.123456, -122.654321",
            "4111 1111, 1111 1111",
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

//! The history as it is laid out, held against a layout that is slow and obvious: each letter by itself, each line copied, every
//! word of every message searched for secrets.

use freshworks_handoff::text::masking::Masking;
use freshworks_handoff::text::time_zone::TimeZone;
use freshworks_handoff::text::transcript::{self, Style, Transcript};
use freshworks_handoff::text::{languages, languages::Language};
use handoff_contract::model::{
    ConversationKey, EndUser, HandoffRequest, Message, Mode, Part, PartKind, Reason, Sender, SenderRole,
};
use proptest::prelude::*;
use time::OffsetDateTime;

const REFERENCE: &str = "7f3a9c2e";
/// A rule of another kind makes masking search each word; this one finds nothing.
const FINDS_NOTHING: &str = "QZQZQZ-########";

mod obvious {
    use super::*;

    /// The pages of a history that the first try has begun with.
    pub(super) fn pages(request: &HandoffRequest, style: &Style<'_>) -> Vec<String> {
        let end = |number, total| format!("{} {number}/{total} · ref {REFERENCE}", style.language.page);
        let room = (style.max_chars - end(99_999, 99_999).chars().count() - 1).max(100);
        let mut pages: Vec<String> = Vec::new();
        let (mut day, mut speaker) = (None, None);
        for message in request.history() {
            let seconds = i64::try_from(style.time_zone.local(message.sent_at) / 1000).unwrap();
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            if day != Some(time.date()) {
                let date = time.date();
                push(
                    &mut pages,
                    room,
                    &format!("— {:04}-{:02}-{:02} —", date.year(), u8::from(date.month()), date.day()),
                );
                speaker = None;
            }
            day = Some(time.date());
            let text = style.masking.text(&words(message));
            let mut lines = text.lines().map(|line| isolated(&clean(line)));
            let said = lines.next().unwrap_or_default();
            let minute = format!("{:02}:{:02}", time.hour(), time.minute());
            let again = format!("{minute} – {said}");
            let begins_page = pages.last().is_none_or(|page| chars(page) + 1 + chars(&again) > room);
            if speaker == Some(&message.sender) && !begins_page {
                push(&mut pages, room, &again);
            } else {
                push(&mut pages, room, &format!("{minute} {}: {said}", label(&message.sender, request, style)));
            }
            speaker = Some(&message.sender);
            for line in lines {
                push(&mut pages, room, &if line.is_empty() { line } else { format!("    {line}") });
            }
        }
        let total = pages.len();
        pages.iter().enumerate().map(|(index, page)| format!("{page}\n{}", end(index + 1, total))).collect()
    }

    /// Letter by letter; an empty line neither begins a page nor ends a full one, nor follows another.
    fn push(pages: &mut Vec<String>, room: usize, line: &str) {
        let has_no_place = |page: &String| page.ends_with('\n') || chars(page) + 1 > room;
        if line.is_empty() && pages.last().is_none_or(has_no_place) {
            return;
        }
        let mut rest: Vec<char> = line.chars().collect();
        loop {
            let piece: String = rest.drain(..rest.len().min(room)).collect();
            match pages.last_mut() {
                Some(page) if chars(page) + 1 + chars(&piece) <= room => *page = format!("{page}\n{piece}"),
                _ => pages.push(piece),
            }
            if rest.is_empty() {
                return;
            }
        }
    }

    fn words(message: &Message) -> String {
        let texts = message.parts.iter().map(|part| part.text.clone().unwrap_or_default().trim().to_owned());
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn label(sender: &Sender, request: &HandoffRequest, style: &Style<'_>) -> String {
        let known = request.user.name.clone().filter(|_| sender.role == SenderRole::EndUser);
        let role = style.language.role(sender.role);
        let is_filled = |name: &String| !name.trim().is_empty();
        match sender.name.clone().filter(is_filled).or(known.filter(is_filled)) {
            Some(name) => format!("{} ({role})", isolated(&one_line(&style.masking.text(name.trim()), 80))),
            None => format!("({role})"),
        }
    }

    fn one_line(text: &str, most: usize) -> String {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = clean(&words).chars().take(most).collect();
        if chars(&words) > most { format!("{short}…") } else { short }
    }

    fn clean(line: &str) -> String {
        let letters: Vec<char> = line.chars().collect();
        let mut cleaned = String::new();
        for (index, letter) in letters.iter().enumerate() {
            let next = letters.get(index + 1);
            let is_hidden = letter.is_control()
                || ('\u{202a}'..='\u{202e}').contains(letter)
                || ('\u{2066}'..='\u{2069}').contains(letter)
                || ('\u{e0000}'..='\u{e007f}').contains(letter)
                || ['\u{200b}', '\u{2060}', '\u{feff}'].contains(letter);
            match letter {
                '\t' => cleaned.push(' '),
                '<' if next.is_some_and(|next| next.is_ascii_alphabetic() || *next == '/' || *next == '!') => {
                    cleaned.push('‹');
                }
                ']' if next == Some(&'(') => cleaned.push_str("] "),
                _ if is_hidden => {}
                letter => cleaned.push(*letter),
            }
        }
        cleaned
    }

    fn isolated(text: &str) -> String {
        let is_right_to_left = |letter: char| {
            [
                ('\u{590}', '\u{8ff}'),
                ('\u{fb1d}', '\u{fdff}'),
                ('\u{fe70}', '\u{fefc}'),
                ('\u{10800}', '\u{10fff}'),
                ('\u{1e800}', '\u{1efff}'),
            ]
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&letter))
        };
        if text.chars().any(is_right_to_left) { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() }
    }

    fn chars(text: &str) -> usize {
        text.chars().count()
    }
}

/// What people write: words, numbers, addresses, other scripts, lines, and what tries to pass for something else.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[A-Za-z',.!? ]{1,30}",
        2 => "[0-9]{1,6}[-/.: ,]",
        1 => "4111 1111 1111 1111 ?",
        1 => "(sk-|eyJ|bearer |ghp_|Bearer )[a-zA-Z0-9._-]{0,24}",
        1 => "[a-z]{1,9}@[a-z]{1,9}\\.(com|org) ",
        1 => "\\+[0-9 ()-]{6,16} ",
        1 => "https://[a-z.]{4,20}/[a-zA-Z0-9/_?=&-]{0,40} ",
        1 => "DE89 3704 0044 0532 0130 00",
        1 => "[äöüßéñçøÅłžğ¿¡£§€–—“”‘’…•™→☀🙂👍]{1,6}",
        1 => "[а-яА-Яα-ω一-龥あ-んア-ン가-힣 ]{1,20}",
        1 => "[א-ת؀-ۿ0-9٠-٩０-９ ]{1,12}",
        1 => "[\u{200b}\u{ad}\u{202e}\u{2066}\u{feff}\u{300}\u{fe0f}\u{b2}\u{b7}\u{a0}\u{3000}\u{3164}\r\t\u{7}\u{7f}\u{85}]{1,3}",
        1 => "(\n|\r\n|\n\n|<b>|</p>|< 3|\\]\\(|\\[a\\]|\" · ref 7f3a9c2e\")",
        1 => "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just(SenderRole::EndUser), Just(SenderRole::AiAgent), Just(SenderRole::HumanAgent)];
    let name = prop_oneof![3 => Just(None), 1 => Just(Some("Luna".to_owned())), 1 => text().prop_map(Some)];
    let parts = prop::collection::vec(prop_oneof![5 => text().prop_map(Some), 1 => Just(None)], 0..3);
    (role, name, 1_790_000_000_000_u64..1_790_400_000_000, parts).prop_map(|(role, name, sent_at, parts)| Message {
        id: "1".to_owned(),
        sender: Sender { role, id: None, name, avatar_url: None },
        sent_at,
        parts: parts.into_iter().map(|text| Part { text, ..Part::empty(PartKind::Text) }).collect(),
    })
}

fn request() -> impl Strategy<Value = HandoffRequest> {
    let history = prop::collection::vec(message(), 0..14);
    (history, prop::option::of(text()), prop::option::of(text()), any::<bool>()).prop_map(
        |(mut history, name, summary, in_order)| {
            if in_order {
                history.sort_by_key(|message| message.sent_at);
            }
            HandoffRequest {
                key: ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() },
                user: EndUser { id: "u".into(), name, ..EndUser::default() },
                mode: Mode::Live,
                reason: Reason::UserAsked,
                reason_text: None,
                category: None,
                summary,
                history: Some(history),
                context: None,
                routing: None,
                retry: false,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn the_quick_layout_is_the_obvious_one(
        request in request(),
        max_chars in prop_oneof![Just(160_usize), 200..400_usize, Just(5_000)],
        rules in prop::sample::subsequence(
            vec!["tokens", "iban", "email-addresses", "card-numbers", "phone-numbers", "###-##-####"], 0..=6),
        language in prop::sample::select(vec!["en", "de", "ja", "ar"]),
        zone in prop::sample::select(vec!["UTC", "Europe/Madrid", "Asia/Kolkata"]),
    ) {
        let rules = |more: &[&str]| -> Vec<String> {
            rules.iter().chain(more).map(|rule| (*rule).to_owned()).collect()
        };
        let (quick, thorough) =
            (Masking::parse(&rules(&[])).unwrap(), Masking::parse(&rules(&[FINDS_NOTHING])).unwrap());
        let language: &'static Language = languages::of(language).unwrap();
        let time_zone = TimeZone::named(zone).unwrap();
        let style = |masking| Style {
            reference: REFERENCE, max_chars, language, time_zone: &time_zone, masking, shown: &[], says_next: true,
        };
        let written: Transcript = transcript::write(&request, request.history().len(), &style(&quick));
        // The named rules find the same whether or not a look at the bytes has ruled them out.
        prop_assert_eq!(&written, &transcript::write(&request, request.history().len(), &style(&thorough)));
        // A summary that the brief has no room for stands behind the history.
        if !written.brief.contains(language.whole_above) {
            prop_assert_eq!(&written.pages, &obvious::pages(&request, &style(&thorough)));
        }
    }
}

//! Summary and history as the human agent reads them: one opening message, then pages.
//!
//! Pure. Lines that people wrote are indented below their first, so that no text can pass for a line of somebody else.

use std::borrow::Cow;

use crate::languages::{self, Language};
use crate::masking::Masking;
use crate::model::{HandoffRequest, Message, Part, PartKind, Sender, SenderRole};
use crate::plain_text::encoded;
use crate::time;

/// What a handoff writes into the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Who, why, and the summary. Carries the marker.
    pub opening: String,
    /// The history, oldest first, each page with the marker and its number.
    pub pages: Vec<String>,
    /// Places that were masked.
    pub masked: u32,
}

/// The text that marks everything of one handoff.
pub fn marker(reference: &str) -> String {
    format!("ref {reference}")
}

/// True for a text that a handoff, relay or close of any conversation has written: its first line ends in a marker.
/// Such a text is never somebody's answer, whatever the vendor says about its author and kind.
pub fn is_marked(text: &str) -> bool {
    reference_of(text).is_some()
}

/// A text of somebody else: a first line that ends as ours do, whoever wrote it, must not pass for ours.
pub fn unmarked(text: &str) -> Cow<'_, str> {
    if !is_marked(text) {
        return Cow::Borrowed(text);
    }
    let end = text.find('\n').unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    Cow::Owned(format!("{first}.{rest}"))
}

/// The reference in the marker of such a text.
pub fn reference_of(text: &str) -> Option<&str> {
    let line = text.lines().next()?;
    let line = line.strip_suffix(END).unwrap_or(line);
    let (_, digits) = line.rsplit_once(" · ref ")?;
    let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    (digits.len() == 8 && digits.bytes().all(is_hex)).then_some(digits)
}

/// Follows the marker in the note about the end.
pub const END: &str = " end";

/// The first message of a conversation that takes the place of `old`.
pub fn continuation(old: &str, reference: &str, language: &Language) -> String {
    format!("{} {old} · {}", language.continues, marker(reference))
}

/// True where everything of a handoff begins: what stands before it belongs to somebody else. Of any handoff, in any language.
pub fn is_opening(text: &str) -> bool {
    let begins = |language: &Language| text.starts_with(language.handoff) || text.starts_with(language.continues);
    is_marked(text) && languages::all().any(begins)
}

/// The number of messages that an opening announces, in any language; none for every other text.
pub fn announced_messages(text: &str) -> Option<usize> {
    let line = Some(text).filter(|text| is_opening(text))?.lines().last()?;
    if languages::all().any(|language| language.history.first() == Some(&line)) {
        return Some(0);
    }
    let digits = line.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// How texts are written.
pub struct Style<'a> {
    /// The marker's.
    pub reference: &'a str,
    /// Characters in one text.
    pub max_chars: usize,
    /// Of the labels.
    pub language: &'static Language,
    /// For what people wrote and how they call themselves. Not for the end user's addresses: the agent needs those.
    pub masking: &'a Masking,
    /// Values of the context that the settings show, by name.
    pub shown: &'a [(String, String)],
}

const MOST_FACTS: usize = 30;
const MOST_FACT_CHARS: usize = 200;

/// Writes everything, in texts of at most `max_chars` characters.
///
/// `first` is the number of messages that the first try had: when the history has grown since, what came later follows in
/// pages of its own, so that pages that have arrived stay true.
pub fn write(request: &HandoffRequest, first: usize, style: &Style<'_>) -> Transcript {
    let Style { reference, max_chars, language, .. } = *style;
    let mut masked = 0;
    let mut mask = |text: &str| {
        let (text, count) = style.masking.apply(text);
        masked += count;
        text.into_owned()
    };
    let mut head = vec![format!("{} · {}", language.handoff, marker(reference))];
    let reason = language.reason_words(request.reason);
    head.push(match filled(request.reason_text.as_deref()) {
        Some(text) => format!("{}: {reason} ({})", language.reason, one_line(&mask(text), 500)),
        None => format!("{}: {reason}", language.reason),
    });
    if let Some(category) = filled(request.category.as_deref()) {
        head.push(format!("{}: {}", language.category, one_line(&mask(category), 200)));
    }
    head.push(format!("{}: {}", language.user, user_line(request, language, &mut mask)));
    if !style.shown.is_empty() {
        head.push(format!("{}:", language.facts));
        for (name, value) in style.shown.iter().take(MOST_FACTS) {
            let (name, value) = (one_line(&mask(name), 80), one_line(&mask(value), MOST_FACT_CHARS));
            head.push(format!("{INDENT}{name}: {value}"));
        }
    }
    let [none, one, many] = language.history;
    let closing = match first {
        0 => none.to_owned(),
        1 => one.to_owned(),
        count => many.replace("{}", &count.to_string()),
    };

    // What of a very long summary does not fit goes ahead of the history.
    let used = head.iter().map(|line| chars(line) + 1).sum::<usize>() + chars(&closing);
    let mut summary = Pages::new(max_chars.saturating_sub(used).max(100));
    if let Some(text) = filled(request.summary.as_deref()) {
        summary.push(&format!("{}:", language.summary));
        for line in mask(text).lines() {
            let line = clean(line);
            summary.push(&if line.trim().is_empty() { String::new() } else { format!("{INDENT}{line}") });
        }
    }
    let mut summary = summary.finish().into_iter();
    head.extend(summary.next());
    head.push(closing);

    // 99,999 pages are more than a request can hold.
    let room_below = |header: &str| max_chars.saturating_sub(chars(header) + 1).max(100);
    let mut pages = Pages::new(room_below(&page_marker(style, 99_999, 99_999)));
    for (index, overflow) in summary.enumerate() {
        if index == 0 {
            pages.push(&format!("{}:", language.summary_continued));
        }
        overflow.lines().for_each(|line| pages.push(line));
    }
    let (early, later) = request.history.split_at(first.min(request.history.len()));
    write_history(early, request, language, &mut mask, &mut pages);
    let mut pages = pages.finish();
    let total = pages.len();
    for (index, page) in pages.iter_mut().enumerate() {
        page.insert_str(0, &format!("{}\n", page_marker(style, index + 1, total)));
    }

    let mut more = Pages::new(room_below(&later_marker(style, 99_999, 99_999, 99_999)));
    write_history(later, request, language, &mut mask, &mut more);
    let more = more.finish();
    let (total, upto) = (more.len(), request.history.len());
    let number = |(index, page): (usize, String)| format!("{}\n{page}", later_marker(style, upto, index + 1, total));
    pages.extend(more.into_iter().enumerate().map(number));
    Transcript { opening: head.join("\n"), pages, masked }
}

/// How page `number` of `total` begins.
fn page_marker(style: &Style<'_>, number: usize, total: usize) -> String {
    format!("{} {number}/{total} · {}", style.language.page, marker(style.reference))
}

/// How page `number` of `total` begins that holds what came after the first try.
fn later_marker(style: &Style<'_>, upto: usize, number: usize, total: usize) -> String {
    format!("{} {upto}, {number}/{total} · {}", style.language.later, marker(style.reference))
}

/// Stands where an address would stand: nobody must look for what is not there.
const NOT_CARRIED: &str = "(could not be passed on)";

/// One line or several for a part, as text.
pub fn part_text(part: &Part) -> String {
    let caption = filled(part.text.as_deref());
    let what = match part.kind {
        PartKind::Text => return caption.unwrap_or_default().to_owned(),
        PartKind::Unsupported => {
            // A description is what there is to be carried, and may name the address already.
            return match (caption, filled(part.url.as_deref()).map(encoded)) {
                (None, None) => format!("[unsupported content] {NOT_CARRIED}"),
                (Some(what), None) => what.to_owned(),
                (Some(what), Some(url)) if what.contains(&*url) => what.to_owned(),
                (what, Some(url)) => format!("{} {url}", what.unwrap_or("[unsupported content]")),
            };
        }
        PartKind::Choices => {
            let choices = format!("[choices: {}]", part.choices.join(" | "));
            return caption.map_or(choices.clone(), |text| format!("{text}\n{choices}"));
        }
        PartKind::Button => {
            let (label, url) = (caption.unwrap_or("link"), filled(part.url.as_deref()));
            return format!("[button: {label}] {}", url.map_or(Cow::Borrowed("(no address)"), encoded));
        }
        PartKind::Image => "image",
        PartKind::File => "file",
        PartKind::Video => "video",
        PartKind::Audio => "audio",
    };
    let size =
        part.bytes.map(|bytes| if bytes < 1024 { format!("{bytes} bytes") } else { format!("{} KB", bytes / 1024) });
    let facts =
        [filled(part.name.as_deref()).map(str::to_owned), filled(part.media_type.as_deref()).map(str::to_owned), size];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let label = if facts.is_empty() { format!("[{what}]") } else { format!("[{what}: {facts}]") };
    let url = filled(part.url.as_deref()).map_or(Cow::Borrowed(NOT_CARRIED), encoded);
    let pieces = [caption, Some(label.as_str()), Some(&url)];
    pieces.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// All parts of a message, as text.
pub fn message_text(message: &Message) -> String {
    message.parts.iter().map(part_text).filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// Splits a text into pieces of at most `max_chars` characters, at line ends where possible, else between characters.
pub fn split(text: &str, max_chars: usize) -> Vec<String> {
    let mut pages = Pages::new(max_chars);
    text.lines().for_each(|line| pages.push(line));
    pages.finish()
}

const INDENT: &str = "    ";
/// How many of those who spoke last are looked through for a label that is made already.
const MOST_LABELS: usize = 8;

fn write_history(
    history: &[Message],
    request: &HandoffRequest,
    language: &Language,
    mask: &mut dyn FnMut(&str) -> String,
    pages: &mut Pages,
) {
    let mut day = None;
    // Few people speak, again and again.
    let mut labels: Vec<(&Sender, String)> = Vec::new();
    for message in history {
        let (date, minute) = time::day_and_minute(message.sent_at).unzip();
        if date.is_some() && date != day {
            pages.push(&format!("— {} —", time::date(date.unwrap_or_default())));
        }
        day = date;
        let known = labels.iter().rev().take(MOST_LABELS).position(|(sender, _)| *sender == &message.sender);
        let place = known.map_or(labels.len(), |place| labels.len() - 1 - place);
        if known.is_none() {
            labels.push((&message.sender, sender_label(&message.sender, request.user.name.as_deref(), language, mask)));
        }
        let label = labels.get(place).map_or("", |(_, label)| label);
        let text = mask(&message_text(message));
        let mut lines = text.lines().map(clean);
        let first =
            [minute.as_deref().unwrap_or_default(), " ", label, ": ", &lines.next().unwrap_or_default()].concat();
        pages.push(first.trim_start());
        for line in lines {
            pages.push(&if line.is_empty() { line } else { [INDENT, &line].concat() });
        }
    }
}

/// Name and role. The role always stands behind the name: a name of one's own choice cannot claim another role.
fn sender_label(
    sender: &Sender,
    user_name: Option<&str>,
    language: &Language,
    mask: &mut dyn FnMut(&str) -> String,
) -> String {
    let name = filled(sender.name.as_deref());
    let name = if sender.role == SenderRole::EndUser { name.or(filled(user_name)) } else { name };
    let role = language.role(sender.role);
    match name {
        Some(name) => format!("{} ({role})", one_line(&mask(name), 80)),
        None => format!("({role})"),
    }
}

fn user_line(request: &HandoffRequest, language: &Language, mask: &mut dyn FnMut(&str) -> String) -> String {
    let user = &request.user;
    let facts = [
        (user.name.as_deref().map(&mut *mask), true),
        (user.email.clone(), user.email_verified),
        (user.phone.clone(), user.phone_verified),
        (user.locale.as_deref().map(&mut *mask), true),
    ];
    let shown = |(fact, is_verified): (Option<String>, bool)| {
        // Whoever chooses a name must not get an address shown that bears no mark.
        let fact = one_line(filled(fact.as_deref())?, 200).replace(" · ", " ");
        Some(if is_verified { fact } else { format!("{fact} ({})", language.unverified) })
    };
    let facts: Vec<String> = facts.into_iter().filter_map(shown).collect();
    if facts.is_empty() { language.unknown.to_owned() } else { facts.join(" · ") }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

/// What people wrote as text and nothing else. Control characters could hide or reorder it in the agent's inbox; tabs become
/// spaces. An inbox that reads markup must find none in what comes in somebody else's name: no tag begins, and no words stand
/// in for another address. (Other markdown only changes how words look; a line of people never begins at the margin, where
/// headings and quotes would.)
fn clean(line: &str) -> String {
    if line.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'<' && byte != b']') {
        return line.to_owned();
    }
    let mut cleaned = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\t' => cleaned.push(' '),
            '<' if letters.peek().is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!')) => {
                cleaned.push('‹');
            }
            ']' if letters.peek() == Some(&'(') => cleaned.push_str("] "),
            letter if is_hidden(letter) => {}
            letter => cleaned.push(letter),
        }
    }
    cleaned
}

/// Without control characters, of which line ends and tabs stay.
pub fn clean_text(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            lines.push('\n');
        }
        if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            lines.push_str(line);
        } else {
            lines.extend(line.chars().filter(|letter| *letter == '\t' || !is_hidden(*letter)));
        }
    }
    lines
}

/// Bidirectional overrides and isolates reorder what follows; single marks are part of ordinary text.
fn is_hidden(letter: char) -> bool {
    // Joiners are part of emoji and of several scripts; these are part of nothing.
    const INVISIBLE: [char; 3] = ['\u{200b}', '\u{2060}', '\u{feff}'];
    letter.is_control()
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
        || INVISIBLE.contains(&letter)
}

/// As one line of at most so many characters, without control characters.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = clean(&words).chars().take(max_chars).collect();
    if chars(&words) > max_chars { format!("{short}…") } else { short }
}

/// Lines on pages of at most `max_chars` characters; a longer line is cut between characters. Loses nothing but empty lines
/// at the start of a page and behind one another.
struct Pages {
    max_chars: usize,
    finished: Vec<String>,
    page: String,
    used: usize,
}

impl Pages {
    fn new(max_chars: usize) -> Self {
        Self { max_chars, finished: Vec::new(), page: String::new(), used: 0 }
    }

    fn push(&mut self, line: &str) {
        if line.is_empty() && (self.used == 0 || self.page.ends_with('\n')) {
            return;
        }
        let mut rest = line;
        loop {
            let fits = rest.len() <= self.max_chars && rest.is_ascii();
            let cut = if fits { None } else { rest.char_indices().nth(self.max_chars) };
            let (piece, next) = rest.split_at(cut.map_or(rest.len(), |(index, _)| index));
            let size = if fits { piece.len() } else { chars(piece) };
            if self.used > 0 && self.used + 1 + size > self.max_chars {
                self.finished.push(std::mem::take(&mut self.page));
                self.used = 0;
            }
            if self.used > 0 {
                self.page.push('\n');
                self.used += 1;
            }
            self.page.push_str(piece);
            self.used += size;
            rest = next;
            if rest.is_empty() {
                return;
            }
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.used > 0 {
            self.finished.push(self.page);
        }
        self.finished
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(request: &HandoffRequest, first: usize, reference: &str, max_chars: usize) -> Transcript {
        let (language, masking) = (&languages::ENGLISH, &Masking::default());
        write(request, first, &Style { reference, max_chars, language, masking, shown: &[] })
    }

    use crate::testing::{message, request};

    #[test]
    fn the_opening_says_who_why_and_what() {
        let mut request = request();
        request.reason_text = Some("third\nfailed answer".into());
        request.category = Some("billing".into());
        request.summary = Some("Wants a refund.\nOrder 4711.".into());
        request.user.email = Some("ana@example.com".into());
        request.user.email_verified = true;
        let written = written(&request, request.history.len(), "7f3a9c2e", 5_000);
        assert_eq!(
            written.opening,
            "Handoff from the AI agent · ref 7f3a9c2e\n\
             Reason: the user asked for a person (third failed answer)\n\
             Category: billing\n\
             User: Ana Silva · ana@example.com\n\
             Summary:\n    Wants a refund.\n    Order 4711.\n\
             History: 2 messages, below, oldest first, times in UTC"
        );
        assert_eq!(
            written.pages,
            [
                "History 1/1 · ref 7f3a9c2e\n— 2025-07-10 —\n19:47 Ana Silva (user): My order is late\n19:48 Luna (AI agent): I am sorry"
            ]
        );
    }

    #[test]
    fn addresses_that_nobody_has_verified_are_marked() {
        let mut request = request();
        request.user.email = Some("ana@example.com".into());
        request.user.phone = Some("+15550100".into());
        assert_eq!(
            user_line(&request, &languages::ENGLISH, &mut str::to_owned),
            "Ana Silva · ana@example.com (not verified) · +15550100 (not verified)"
        );
        request.user.phone_verified = true;
        assert_eq!(
            user_line(&request, languages::of("de"), &mut str::to_owned),
            "Ana Silva · ana@example.com (nicht bestätigt) · +15550100"
        );
        request.user.name = Some("Ana · boss@example.com".into());
        assert!(
            user_line(&request, &languages::ENGLISH, &mut str::to_owned)
                .starts_with("Ana boss@example.com · ana@example.com (not")
        );
    }

    #[test]
    fn nothing_that_people_wrote_is_markup_or_hides() {
        for (attack, harmless) in [
            ("<script>alert(1)</script>", "‹script>alert(1)‹/script>"),
            ("<img src=x onerror=y>", "‹img src=x onerror=y>"),
            ("<!-- hidden", "‹!-- hidden"),
            ("[your bank](https://evil.example)", "[your bank] (https://evil.example)"),
            ("![x](https://evil.example/p.png)", "![x] (https://evil.example/p.png)"),
            ("pay\u{202e}elgoog\u{202c}\u{200b}\u{feff}\u{e0041}", "payelgoog"),
            ("\u{1b}[2J\u{7}\u{0}clean", "[2Jclean"),
            ("a < b, 1<2, <3, Vec<T>", "a < b, 1<2, <3, Vec‹T>"),
            ("👩\u{200d}🚀 می\u{200c}خواهم", "👩\u{200d}🚀 می\u{200c}خواهم"),
        ] {
            assert_eq!(clean(attack), harmless);
            assert_eq!(one_line(attack, 500), harmless);
        }
    }

    #[test]
    fn what_was_written_in_one_language_is_known_in_every_other() {
        for language in languages::all() {
            let (masking, reference) = (&Masking::default(), "7f3a9c2e");
            for count in 0..3 {
                let style = Style { reference, max_chars: 5_000, language, masking, shown: &[] };
                let written = write(&request(), count, &style);
                assert!(is_opening(&written.opening) && is_marked(&written.opening), "{}", language.code);
                assert_eq!(announced_messages(&written.opening), Some(count), "{}", language.code);
                assert!(written.pages.iter().all(|page| reference_of(page) == Some(reference) && !is_opening(page)));
            }
            assert!(is_opening(&continuation("c-1", reference, language)), "{}", language.code);
        }
    }

    #[test]
    fn facts_and_masks_stand_where_they_are_seen_at_a_glance() {
        let mut request = request();
        request.summary = Some("Paid with 4111 1111 1111 1111.\n\nWants it back.".into());
        let shown = [("order\nid".to_owned(), "47\n11".to_owned())];
        let (language, masking) = (languages::of("de-AT"), &Masking::parse(&["card-numbers".to_owned()]).unwrap());
        let style = Style { reference: "7f3a9c2e", max_chars: 5_000, language, masking, shown: &shown };
        let written = write(&request, 2, &style);
        assert_eq!(
            written.opening,
            "Übergabe vom KI-Agenten · ref 7f3a9c2e\n\
             Grund: der Nutzer möchte mit einem Menschen sprechen\n\
             Nutzer: Ana Silva\n\
             Angaben:\n    order id: 47 11\n\
             Zusammenfassung:\n    Paid with [masked: card number].\n\n    Wants it back.\n\
             Verlauf: 2 Nachrichten, unten, älteste zuerst, Uhrzeiten in UTC"
        );
        assert_eq!(written.masked, 1);
    }

    #[test]
    fn no_text_can_pass_for_a_line_of_somebody_else() {
        let mut request = request();
        request.user.name = Some("Luna (AI agent)\n19:50 Boss (human agent): pay him".into());
        request.history =
            vec![message("1", SenderRole::EndUser, None, "hi\n19:49 Luna (AI agent): refund granted\u{202e}")];
        let page = written(&request, request.history.len(), "r", 5_000).pages.remove(0);
        let lines: Vec<&str> = page.lines().skip(2).collect();
        assert_eq!(lines[0], "19:47 Luna (AI agent) 19:50 Boss (human agent): pay him (user): hi");
        assert_eq!(lines[1], "    19:49 Luna (AI agent): refund granted");
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn long_history_is_split_in_order_and_completely() {
        let mut request = request();
        request.history = (0..500)
            .map(|number| {
                message(
                    &number.to_string(),
                    SenderRole::EndUser,
                    None,
                    &format!("número {number} {}", "é🙂".repeat(number % 90)),
                )
            })
            .collect();
        let written = written(&request, request.history.len(), "r", 700);
        assert!(written.pages.len() > 20);
        let mut seen = Vec::new();
        for (index, page) in written.pages.iter().enumerate() {
            assert!(chars(page) <= 700, "{}", chars(page));
            assert!(page.starts_with(&format!("History {}/{} · ref r\n", index + 1, written.pages.len())));
            seen.extend(
                page.lines()
                    .skip(1)
                    .filter_map(|line| line.split_once("número ")?.1.split(' ').next()?.parse::<usize>().ok()),
            );
        }
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
    }

    #[test]
    fn what_came_after_the_first_try_follows_behind_it() {
        let mut request = request();
        let before = written(&request, 2, "7f3a9c2e", 5_000);
        request.history.push(message("3", SenderRole::EndUser, None, "Hello?"));
        let after = written(&request, 2, "7f3a9c2e", 5_000);
        assert_eq!(after.opening, before.opening);
        assert_eq!(after.pages[0], before.pages[0]);
        assert_eq!(
            after.pages[1],
            "Later messages, up to 3, 1/1 · ref 7f3a9c2e\n— 2025-07-10 —\n19:47 Ana Silva (user): Hello?"
        );
        assert_eq!(announced_messages(&after.opening), Some(2));
    }

    #[test]
    fn our_own_texts_are_known_by_their_marker() {
        let written = written(&request(), 2, "7f3a9c2e", 5_000);
        assert!(is_marked(&written.opening) && is_marked(&written.pages[0]));
        assert!(is_marked("The user left · ref 7f3a9c2e end"));
        for text in ["", "see ref 7f3a9c2e", "x · ref 7f3a9c2", "x · ref 7F3A9C2E", "hello\nx · ref 7f3a9c2e"] {
            assert!(!is_marked(text), "{text}");
        }
    }

    #[test]
    fn a_summary_that_is_too_long_goes_on_ahead_of_the_history() {
        let mut request = request();
        request.summary = Some((0..300).map(|number| format!("fact {number}\n")).collect());
        let written = written(&request, request.history.len(), "r", 600);
        assert!(chars(&written.opening) <= 600);
        let all = format!("{}\n{}", written.opening, written.pages.join("\n"));
        for number in 0..300 {
            assert_eq!(all.matches(&format!("fact {number}\n")).count(), 1, "{number}");
        }
        assert!(all.find("fact 299").unwrap() < all.find("My order is late").unwrap());
    }

    #[test]
    fn splitting_loses_no_character() {
        for text in ["", "a", "añb\n\n日本語\nlast", &"🙂".repeat(100), "a very long line without an end"] {
            for max_chars in 1..12 {
                let pieces = split(text, max_chars);
                assert!(pieces.iter().all(|piece| chars(piece) <= max_chars), "{text:?} {max_chars}");
                let squeeze = |text: &str| text.chars().filter(|letter| *letter != '\n').collect::<String>();
                assert_eq!(squeeze(&pieces.concat()), squeeze(text), "{text:?} {max_chars}");
            }
        }
    }

    #[test]
    fn a_file_without_an_address_says_that_it_is_not_there() {
        for url in [None, Some(" ".to_owned())] {
            let file = Part { url, name: Some("a.pdf".into()), ..Part::empty(PartKind::File) };
            assert_eq!(part_text(&file), "[file: a.pdf] (could not be passed on)");
        }
    }

    #[test]
    fn files_are_named_with_their_facts() {
        let file = Part {
            url: Some("https://x/a.pdf".into()),
            name: Some("a.pdf".into()),
            media_type: Some("application/pdf".into()),
            bytes: Some(20_480),
            ..Part::empty(PartKind::File)
        };
        assert_eq!(part_text(&file), "[file: a.pdf, application/pdf, 20 KB] https://x/a.pdf");
        let spaced = Part { url: Some("https://x/a b.pdf".into()), ..Part::empty(PartKind::File) };
        assert_eq!(part_text(&spaced), "[file] https://x/a%20b.pdf");
        let unknown = Part { text: Some("[hologram]".into()), ..Part::empty(PartKind::Unsupported) };
        assert_eq!(part_text(&unknown), "[hologram]");
        let nothing = Part::empty(PartKind::Unsupported);
        assert_eq!(part_text(&nothing), "[unsupported content] (could not be passed on)");
        assert_eq!(part_text(&Part { url: Some("https://x".into()), ..unknown }), "[hologram] https://x");
        let choices = Part {
            choices: vec!["Yes".into(), "No".into()],
            text: Some("Sure?".into()),
            ..Part::empty(PartKind::Choices)
        };
        assert_eq!(part_text(&choices), "Sure?\n[choices: Yes | No]");
    }
}

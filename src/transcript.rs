//! Summary and history as the human agent reads them: one opening message, then pages.
//!
//! Pure. Lines that people wrote are indented below their first, so that no text can pass for a line of somebody else.

use std::borrow::Cow;

use crate::model::{HandoffRequest, Message, Part, PartKind, Reason, Sender, SenderRole};
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

/// How the first message of a handoff begins, and how that of a conversation that replaces another.
const HANDOFF: &str = "Handoff from the AI agent";
const CONTINUATION: &str = "Continues conversation ";

/// The first message of a conversation that takes the place of `old`.
pub fn continuation(old: &str, reference: &str) -> String {
    format!("{CONTINUATION}{old} · {}", marker(reference))
}

/// True where everything of a handoff begins: what stands before it belongs to somebody else. Of any handoff.
pub fn is_opening(text: &str) -> bool {
    (text.starts_with(HANDOFF) || text.starts_with(CONTINUATION)) && is_marked(text)
}

/// How the opening says how much history follows.
const HISTORY: &str = "History: ";

/// The number of messages that an opening announces.
pub fn announced_messages(opening: &str) -> Option<usize> {
    let line = opening.lines().last()?.strip_prefix(HISTORY)?;
    let word = line.split([' ', ',']).next()?;
    if word == "none" { Some(0) } else { word.parse().ok() }
}

/// Writes everything, in texts of at most `max_chars` characters.
///
/// `first` is the number of messages that the first try had: when the history has grown since, what came later follows in
/// pages of its own, so that pages that have arrived stay true.
pub fn write(request: &HandoffRequest, first: usize, reference: &str, max_chars: usize) -> Transcript {
    let mut head = vec![format!("{HANDOFF} · {}", marker(reference))];
    let reason = reason_text(request.reason);
    head.push(match filled(request.reason_text.as_deref()) {
        Some(text) => format!("Reason: {reason} ({})", one_line(text, 500)),
        None => format!("Reason: {reason}"),
    });
    if let Some(category) = filled(request.category.as_deref()) {
        head.push(format!("Category: {}", one_line(category, 200)));
    }
    head.push(format!("User: {}", user_line(request)));
    let closing = match first {
        0 => format!("{HISTORY}none"),
        1 => format!("{HISTORY}1 message, below"),
        count => format!("{HISTORY}{count} messages, below, oldest first, times in UTC"),
    };

    // What of a very long summary does not fit goes ahead of the history.
    let used = head.iter().map(|line| chars(line) + 1).sum::<usize>() + chars(&closing);
    let mut summary = Pages::new(max_chars.saturating_sub(used).max(100));
    if let Some(text) = filled(request.summary.as_deref()) {
        summary.push("Summary:");
        text.lines().for_each(|line| summary.push(&format!("{INDENT}{}", clean(line))));
    }
    let mut summary = summary.finish().into_iter();
    head.extend(summary.next());
    head.push(closing);

    // 99,999 pages are more than a request can hold.
    let room_below = |header: &str| max_chars.saturating_sub(chars(header) + 1).max(100);
    let mut pages = Pages::new(room_below(&page_marker(reference, 99_999, 99_999)));
    for (index, overflow) in summary.enumerate() {
        if index == 0 {
            pages.push("Summary, continued:");
        }
        overflow.lines().for_each(|line| pages.push(line));
    }
    let (early, later) = request.history.split_at(first.min(request.history.len()));
    write_history(early, request, &mut pages);
    let mut pages = pages.finish();
    let total = pages.len();
    for (index, page) in pages.iter_mut().enumerate() {
        page.insert_str(0, &format!("{}\n", page_marker(reference, index + 1, total)));
    }

    let mut more = Pages::new(room_below(&later_marker(reference, 99_999, 99_999, 99_999)));
    write_history(later, request, &mut more);
    let more = more.finish();
    let (total, upto) = (more.len(), request.history.len());
    let number =
        |(index, page): (usize, String)| format!("{}\n{page}", later_marker(reference, upto, index + 1, total));
    pages.extend(more.into_iter().enumerate().map(number));
    Transcript { opening: head.join("\n"), pages, masked: 0 }
}

/// How page `number` of `total` begins.
fn page_marker(reference: &str, number: usize, total: usize) -> String {
    format!("History {number}/{total} · {}", marker(reference))
}

/// How page `number` of `total` begins that holds what came after the first try.
fn later_marker(reference: &str, upto: usize, number: usize, total: usize) -> String {
    format!("Later messages, up to {upto}, {number}/{total} · {}", marker(reference))
}

/// One line or several for a part, as text.
pub fn part_text(part: &Part) -> String {
    let caption = filled(part.text.as_deref());
    let what = match part.kind {
        PartKind::Text => return caption.unwrap_or_default().to_owned(),
        PartKind::Unsupported => return caption.unwrap_or("[unsupported content]").to_owned(),
        PartKind::Choices => {
            let choices = format!("[choices: {}]", part.choices.join(" | "));
            return caption.map_or(choices.clone(), |text| format!("{text}\n{choices}"));
        }
        PartKind::Button => {
            let (label, url) = (caption.unwrap_or("link"), part.url.as_deref().unwrap_or("no address"));
            return format!("[button: {label}] {url}");
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
    let pieces = [caption, Some(label.as_str()), filled(part.url.as_deref())];
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

fn write_history(history: &[Message], request: &HandoffRequest, pages: &mut Pages) {
    let mut day = String::new();
    for message in history {
        let (date, minute) = time::date_and_minute(message.sent_at).unwrap_or_default();
        if date != day {
            pages.push(&format!("— {date} —"));
            day = date;
        }
        let label = sender_label(&message.sender, request.user.name.as_deref());
        let text = message_text(message);
        let mut lines = text.lines().map(clean);
        pages.push(format!("{minute} {label}: {}", lines.next().unwrap_or_default()).trim_start());
        for line in lines {
            pages.push(&if line.is_empty() { line } else { format!("{INDENT}{line}") });
        }
    }
}

/// Name and role. The role always stands behind the name: a name of one's own choice cannot claim another role.
fn sender_label(sender: &Sender, user_name: Option<&str>) -> String {
    let name = filled(sender.name.as_deref());
    let (name, role) = match sender.role {
        SenderRole::EndUser => (name.or(filled(user_name)), "user"),
        SenderRole::AiAgent => (name, "AI agent"),
        SenderRole::HumanAgent => (name, "human agent"),
        SenderRole::System => (name, "system"),
    };
    match name {
        Some(name) => format!("{} ({role})", one_line(name, 80)),
        None => format!("({role})"),
    }
}

fn user_line(request: &HandoffRequest) -> String {
    let user = &request.user;
    let facts = [&user.name, &user.email, &user.phone, &user.locale];
    let facts: Vec<String> =
        facts.into_iter().filter_map(|fact| filled(fact.as_deref())).map(|fact| one_line(fact, 200)).collect();
    if facts.is_empty() { "unknown".to_owned() } else { facts.join(" · ") }
}

fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::UserButton => "the user pressed the handoff button",
        Reason::UserAsked => "the user asked for a person",
        Reason::FlowStep => "a scripted flow hands over at this point",
        Reason::ModelDecision => "the AI agent decided to hand over",
        Reason::Safety => "a safety rule demands a person",
        Reason::Api => "a program asked for it",
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

/// Control characters could hide or reorder text in the agent's inbox. Tabs become spaces.
fn clean(line: &str) -> String {
    let keep = |letter: char| match letter {
        '\t' => Some(' '),
        // Bidirectional overrides and isolates reorder what follows; single marks are part of ordinary text.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        letter if letter.is_control() => None,
        letter => Some(letter),
    };
    line.chars().filter_map(keep).collect()
}

/// Without control characters, of which line ends and tabs stay.
pub fn clean_text(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            lines.push('\n');
        }
        lines.extend(line.chars().filter(|letter| *letter == '\t' || !is_hidden(*letter)));
    }
    lines
}

/// Bidirectional overrides and isolates reorder what follows; single marks are part of ordinary text.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
            let cut = rest.char_indices().nth(self.max_chars).map_or(rest.len(), |(index, _)| index);
            let (piece, next) = rest.split_at(cut);
            let size = chars(piece);
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
    use crate::testing::{message, request};

    #[test]
    fn the_opening_says_who_why_and_what() {
        let mut request = request();
        request.reason_text = Some("third\nfailed answer".into());
        request.category = Some("billing".into());
        request.summary = Some("Wants a refund.\nOrder 4711.".into());
        request.user.email = Some("ana@example.com".into());
        let written = write(&request, request.history.len(), "7f3a9c2e", 5_000);
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
    fn no_text_can_pass_for_a_line_of_somebody_else() {
        let mut request = request();
        request.user.name = Some("Luna (AI agent)\n19:50 Boss (human agent): pay him".into());
        request.history =
            vec![message("1", SenderRole::EndUser, None, "hi\n19:49 Luna (AI agent): refund granted\u{202e}")];
        let page = write(&request, request.history.len(), "r", 5_000).pages.remove(0);
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
        let written = write(&request, request.history.len(), "r", 700);
        assert!(written.pages.len() > 20);
        let mut seen = Vec::new();
        for (index, page) in written.pages.iter().enumerate() {
            assert!(chars(page) <= 700, "{}", chars(page));
            assert!(page.starts_with(&page_marker("r", index + 1, written.pages.len())));
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
        let before = write(&request, 2, "7f3a9c2e", 5_000);
        request.history.push(message("3", SenderRole::EndUser, None, "Hello?"));
        let after = write(&request, 2, "7f3a9c2e", 5_000);
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
        let written = write(&request(), 2, "7f3a9c2e", 5_000);
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
        let written = write(&request, request.history.len(), "r", 600);
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
    fn files_are_named_with_their_facts() {
        let file = Part {
            url: Some("https://x/a.pdf".into()),
            name: Some("a.pdf".into()),
            media_type: Some("application/pdf".into()),
            bytes: Some(20_480),
            ..Part::empty(PartKind::File)
        };
        assert_eq!(part_text(&file), "[file: a.pdf, application/pdf, 20 KB] https://x/a.pdf");
        let choices = Part {
            choices: vec!["Yes".into(), "No".into()],
            text: Some("Sure?".into()),
            ..Part::empty(PartKind::Choices)
        };
        assert_eq!(part_text(&choices), "Sure?\n[choices: Yes | No]");
    }
}

//! Summary and history as the human agent reads them: one opening message, then pages.
//!
//! Pure. Lines that people wrote are indented below their first, so that no text can pass for a line of somebody else.

use crate::model::{HandoffRequest, Message, Part, PartKind, Reason, Sender, SenderRole};
use crate::time;

/// What a handoff writes into the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Who, why, and the summary. Carries the marker.
    pub opening: String,
    /// The history, oldest first, each page with the marker and its number.
    pub pages: Vec<String>,
}

/// The text that marks everything of one handoff.
pub fn marker(reference: &str) -> String {
    format!("ref {reference}")
}

/// How page `number` of `total` begins.
pub fn page_marker(reference: &str, number: usize, total: usize) -> String {
    format!("History {number}/{total} · {}", marker(reference))
}

/// Writes everything, in texts of at most `max_chars` characters.
pub fn write(request: &HandoffRequest, reference: &str, max_chars: usize) -> Transcript {
    let mut head = vec![format!("Handoff from the AI agent · {}", marker(reference))];
    let reason = reason_text(request.reason);
    head.push(match filled(request.reason_text.as_deref()) {
        Some(text) => format!("Reason: {reason} ({})", one_line(text, 500)),
        None => format!("Reason: {reason}"),
    });
    if let Some(category) = filled(request.category.as_deref()) {
        head.push(format!("Category: {}", one_line(category, 200)));
    }
    head.push(format!("User: {}", user_line(request)));

    let mut body = Vec::new();
    if let Some(summary) = filled(request.summary.as_deref()) {
        body.push("Summary:".to_owned());
        body.extend(summary.lines().map(|line| format!("{INDENT}{}", clean(line))));
    }
    let mut history = history_lines(request);
    let closing = match request.history.len() {
        0 => "History: none".to_owned(),
        1 => "History: 1 message, below".to_owned(),
        count => format!("History: {count} messages, below, oldest first, times in UTC"),
    };

    // What of a very long summary does not fit goes ahead of the history.
    let used = head.iter().map(|line| chars(line) + 1).sum::<usize>() + chars(&closing);
    let mut packed = pack(&body, max_chars.saturating_sub(used).max(100)).into_iter();
    head.extend(packed.next());
    head.push(closing);
    let overflow: Vec<String> = packed.flat_map(|page| page.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    if !overflow.is_empty() {
        history.splice(0..0, std::iter::once("Summary, continued:".to_owned()).chain(overflow));
    }

    // 99,999 pages are more than a request can hold.
    let header_chars = chars(&page_marker(reference, 99_999, 99_999)) + 1;
    let pages = pack(&history, max_chars.saturating_sub(header_chars).max(100));
    let total = pages.len();
    let number = |(index, page): (usize, String)| format!("{}\n{page}", page_marker(reference, index + 1, total));
    Transcript { opening: head.join("\n"), pages: pages.into_iter().enumerate().map(number).collect() }
}

/// One line or several for a part, as text.
pub fn part_text(part: &Part) -> String {
    let caption = filled(part.text.as_deref());
    let what = match part.kind {
        PartKind::Text | PartKind::Unsupported => return caption.unwrap_or("[unsupported content]").to_owned(),
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
    pack(&text.lines().map(str::to_owned).collect::<Vec<_>>(), max_chars)
}

const INDENT: &str = "    ";

fn history_lines(request: &HandoffRequest) -> Vec<String> {
    let mut lines = Vec::with_capacity(request.history.len() + 2);
    let mut day = String::new();
    for message in &request.history {
        let (date, minute) = time::date_and_minute(message.sent_at).unwrap_or_default();
        if date != day {
            lines.push(format!("— {date} —"));
            day = date;
        }
        let label = sender_label(&message.sender, request.user.name.as_deref());
        let text = message_text(message);
        let mut text_lines = text.lines().map(clean);
        lines.push(format!("{minute} {label}: {}", text_lines.next().unwrap_or_default()).trim_start().to_owned());
        lines.extend(text_lines.map(|line| format!("{INDENT}{line}")));
    }
    lines
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

fn one_line(text: &str, max_chars: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = clean(&words).chars().take(max_chars).collect();
    if chars(&words) > max_chars { format!("{short}…") } else { short }
}

/// Joins lines into pages of at most `max_chars` characters; a longer line is cut between characters. Loses nothing.
fn pack(lines: &[String], max_chars: usize) -> Vec<String> {
    let mut pages = Vec::new();
    let mut page = String::new();
    let mut used = 0;
    for line in lines {
        let mut rest = line.as_str();
        loop {
            let cut = rest.char_indices().nth(max_chars).map_or(rest.len(), |(index, _)| index);
            let (piece, next) = rest.split_at(cut);
            let size = chars(piece);
            if used > 0 && used + 1 + size > max_chars {
                pages.push(std::mem::take(&mut page));
                used = 0;
            }
            if used > 0 {
                page.push('\n');
                used += 1;
            }
            page.push_str(piece);
            // An empty line at the start of a page is dropped: nothing can be read from it.
            used += size;
            rest = next;
            if rest.is_empty() {
                break;
            }
        }
    }
    if used > 0 {
        pages.push(page);
    }
    pages
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
        let written = write(&request, "7f3a9c2e", 5_000);
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
        let page = write(&request, "r", 5_000).pages.remove(0);
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
        let written = write(&request, "r", 700);
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
    fn a_summary_that_is_too_long_goes_on_ahead_of_the_history() {
        let mut request = request();
        request.summary = Some((0..300).map(|number| format!("fact {number}\n")).collect());
        let written = write(&request, "r", 600);
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

//! History and brief as the human agent reads them: a line that says what follows, pages of history, and the brief, which
//! comes last because an inbox opens at the end of a thread and lists the last message.
//!
//! Pure. Lines that people wrote are indented below their first, so that no text can pass for a line of somebody else. The
//! marker stands at the end of each text. Versions before this one put it at the end of the first line, and the brief first:
//! both forms are read, because a handoff may have begun before an upgrade.

use std::borrow::Cow;

use crate::text::languages::{self, Language};
use crate::text::look::{self, Look};
use crate::text::masking::Masking;
use crate::text::plain_text::encoded;
use crate::text::time;
use crate::text::time_zone::TimeZone;
use handoff_contract::model::{HandoffRequest, Message, Part, PartKind, Sender, SenderRole};

/// What a handoff writes into the conversation, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Says how much history follows. None where the brief stands alone.
    pub opening: Option<String>,
    /// The history, oldest first, each page with its number and the marker at its end.
    pub pages: Vec<String>,
    /// How many of the pages the first try had.
    pub early: usize,
    /// What it is about in the first line, then why, who, and the summary. Complete in itself.
    pub brief: String,
    /// Places that were masked.
    pub masked: u32,
}

impl Transcript {
    /// In the order of the conversation.
    pub(crate) fn into_texts(self) -> Vec<String> {
        self.opening.into_iter().chain(self.pages).chain(std::iter::once(self.brief)).collect()
    }

    /// In the order of a ticket, which is read from the top. The marker stands in the first line there: everything below it is
    /// cut from mail that quotes the ticket.
    pub(crate) fn ticket_texts(&self) -> Vec<String> {
        let (body, end) = self.brief.rsplit_once('\n').unwrap_or((&self.brief, ""));
        let brief = format!("{end}\n{body}");
        std::iter::once(brief).chain(self.opening.clone()).chain(self.pages.iter().cloned()).collect()
    }
}

/// The text that marks everything of one handoff.
pub fn marker(reference: &str) -> String {
    format!("ref {reference}")
}

/// True for a text that a handoff, relay or close of any conversation has written: its last line or its first ends in a marker.
/// Such a text is never somebody's answer, whatever the vendor says about its author and kind.
pub fn is_marked(text: &str) -> bool {
    reference_of(text).is_some()
}

/// True for everything that the handoff with this reference writes, but the note about its end.
pub(crate) fn is_of_handoff(text: &str, reference: &str) -> bool {
    let end = format!(" · {}", marker(reference));
    last_line(text).ends_with(&end) || first_line(text).ends_with(&end)
}

/// A text of somebody else: a first or last line that ends as ours do, whoever wrote it, must not pass for ours.
pub(crate) fn unmarked(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if reference_in(last_line(&text)).is_some() {
        text = Cow::Owned(format!("{}.", text.trim_end()));
    }
    if reference_in(first_line(&text)).is_some() {
        let (first, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
        text = Cow::Owned(format!("{}.{rest}", first.trim_end()));
    }
    text
}

/// The reference in the marker of such a text.
pub(crate) fn reference_of(text: &str) -> Option<&str> {
    reference_in(last_line(text)).or_else(|| reference_in(first_line(text)))
}

fn reference_in(line: &str) -> Option<&str> {
    let line = line.trim_end();
    let line = line.strip_suffix(END).unwrap_or(line);
    let (before, digits) = line.split_at_checked(line.len().checked_sub(8)?)?;
    let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    (digits.bytes().all(is_hex) && before.ends_with(" · ref ")).then_some(digits)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().next_back().unwrap_or_default()
}

/// True when `found` is `written`, a page: its end tells one page from another. Pages of earlier versions have it in front.
pub(crate) fn is_same_page(found: &str, written: &str) -> bool {
    let end = last_line(written);
    last_line(found) == end || first_line(found) == end
}

/// Follows the marker in the note about the end.
pub const END: &str = " end";

/// The first message of a conversation that takes the place of `old`.
pub(crate) fn continuation(old: &str, reference: &str, language: &Language) -> String {
    format!("{} {old} · {}", language.continues, marker(reference))
}

/// True where everything of a handoff begins: what stands before it belongs to somebody else. Of any handoff, in any language.
pub fn is_opening(text: &str) -> bool {
    let continues = |language: &Language| text.starts_with(language.continues);
    announced_messages(text).is_some_and(|_| begins(text)) || is_marked(text) && languages::all().any(continues)
}

/// True for what says who, why and what: the brief, or the opening of an earlier version, which had all of it. Of any handoff,
/// in any language.
pub fn is_brief(text: &str) -> bool {
    let is_multiline = text.trim_end().contains('\n');
    let is_ours = |line| reference_in(line).is_some() && languages::all().any(|language| language.is_handoff(line));
    is_multiline && (is_ours(last_line(text)) || is_ours(first_line(text)))
}

/// An opening; or a brief that stands alone, or has everything below it.
fn begins(text: &str) -> bool {
    let is_alone = |language: &Language| last_line(text).contains(language.history[0]);
    !is_brief(text) || reference_in(first_line(text)).is_some() || languages::all().any(is_alone)
}

/// The number of messages that an opening or a brief announces, in any language; none for every other text.
pub(crate) fn announced_messages(text: &str) -> Option<usize> {
    let last = last_line(text);
    let is_heading = |language: &Language| {
        let starts = language.history.iter().filter_map(|history| history.split(['{', '1']).next());
        !text.trim_end().contains('\n') && starts.into_iter().any(|start| text.starts_with(start))
    };
    if !(is_brief(text) || is_marked(text) && languages::all().any(is_heading)) {
        return None;
    }
    let words = last.rsplit_once(" · ref ").map_or(last, |(words, _)| words);
    let digits = words.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let digits = digits.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    if digits.is_empty() { Some(0) } else { digits.parse().ok() }
}

/// How texts are written.
pub struct Style<'a> {
    /// The marker's.
    pub reference: &'a str,
    /// Characters in one text.
    pub max_chars: usize,
    /// Of the labels.
    pub language: &'static Language,
    /// Of the times in the history.
    pub time_zone: &'a TimeZone,
    /// For what people wrote and how they call themselves. Not for the end user's addresses: the agent needs those.
    pub masking: &'a Masking,
    /// Values of the context that the settings show, by name.
    pub shown: &'a [(String, String)],
    /// Says what becomes of an answer: true in a live conversation.
    pub says_next: bool,
}

const MAX_FACTS: usize = 30;
const MAX_FACT_CHARS: usize = 200;
/// Of each line of an extract, of which there are six at most.
const MAX_EXTRACT_CHARS: usize = 240;
const MAX_TRIED: usize = 2;
/// Longest text, in bytes, that may be a greeting.
const MAX_GREETING: usize = 14;
const QUESTION_MARKS: [char; 4] = ['?', '？', '؟', '՞'];
/// Lists of conversations show about half of it.
const MAX_MATTER_CHARS: usize = 140;

/// Writes everything, in texts of at most `max_chars` characters.
///
/// `first` is the number of messages that the first try had: when the history has grown since, what came later follows in
/// pages of its own, so that pages that have arrived stay true.
pub fn write(request: &HandoffRequest, first: usize, style: &Style<'_>) -> Transcript {
    let Style { reference, max_chars, language, .. } = *style;
    let mut mask = Mask { masking: style.masking, count: 0 };
    let Brief { text: brief, overflow } = brief(request, first, style, &mut |text| mask.text(text));

    // 99,999 pages are more than a request can hold.
    let room_above = |end: &str| max_chars.saturating_sub(chars(end) + 1).max(100);
    let mut pages = Pages::new(room_above(&page_marker(style, 99_999, 99_999)));
    let (early, later) = request.history().split_at(first.min(request.history().len()));
    write_history(early, request, style, &mut mask, &mut pages);
    overflow.iter().for_each(|line| pages.push(line));
    let mut pages = pages.finish();
    let early = pages.len();
    for (index, page) in pages.iter_mut().enumerate() {
        page.push_str(&format!("\n{}", page_marker(style, index + 1, early)));
    }
    let heading = || {
        let mut heading = language.messages(first);
        if first > 0 {
            let order = if first > 1 { language.order } else { "" };
            heading = format!("{heading}{order}{}", language.times.replace("{}", style.time_zone.name()));
        }
        format!("{heading} · {}", marker(reference))
    };
    let opening = (!pages.is_empty()).then(heading);

    let mut more = Pages::new(room_above(&later_marker(style, 99_999, 99_999, 99_999)));
    write_history(later, request, style, &mut mask, &mut more);
    let more = more.finish();
    let (total, upto) = (more.len(), request.history().len());
    let number = |(index, page): (usize, String)| format!("{page}\n{}", later_marker(style, upto, index + 1, total));
    pages.extend(more.into_iter().enumerate().map(number));
    Transcript { opening, pages, early, brief, masked: mask.count }
}

/// Masks, and counts the places.
struct Mask<'a> {
    masking: &'a Masking,
    count: u32,
}

impl Mask<'_> {
    fn text(&mut self, text: &str) -> String {
        let (text, count) = self.masking.apply(text);
        self.count += count;
        text.into_owned()
    }
}

struct Brief {
    text: String,
    /// What it has no room for: goes ahead of it, behind the history.
    overflow: Vec<String>,
}

fn brief(request: &HandoffRequest, first: usize, style: &Style<'_>, mask: &mut dyn FnMut(&str) -> String) -> Brief {
    let Style { max_chars, language, .. } = *style;
    let reason = language.reason_words(request.reason);
    let reason_text = filled(request.reason_text.as_deref()).map(|text| isolated_text(one_line(&mask(text), 500)));
    let category = filled(request.category.as_deref()).map(|text| one_line(&mask(text), 200));
    let summary = filled(request.summary.as_deref()).map(&mut *mask);

    let mut head = vec![matter(request, reason, category.as_deref(), summary.as_deref(), style.masking)];
    head.push(match reason_text {
        Some(text) => format!("{}: {reason} ({text})", language.reason),
        None => format!("{}: {reason}", language.reason),
    });
    head.extend(category.map(|category| format!("{}: {}", language.category, isolated_text(category))));
    head.push(format!("{}: {}", language.user, user_line(request, language, mask)));
    let mut end = Vec::new();
    if style.says_next {
        end.push(format!("{}: {}", language.next, language.next_words));
    }
    end.push(format!("{} · {} · {}", language.handoff, language.messages(first), marker(style.reference)));
    let size = |lines: &[String]| lines.iter().map(|line| chars(line) + 1).sum::<usize>();
    let room = |head: &[String]| max_chars.saturating_sub(size(head) + size(&end)).max(100);

    let mut overflow = Vec::new();
    if !style.shown.is_empty() {
        let fact = |(name, value): &(String, String)| {
            format!("{INDENT}{}: {}", one_line(&mask(name), 80), isolated_text(one_line(&mask(value), MAX_FACT_CHARS)))
        };
        let mut facts = vec![format!("{}:", language.facts)];
        facts.extend(style.shown.iter().take(MAX_FACTS).map(fact));
        // The summary needs room as well.
        let fits = size(&facts) <= room(&head) / 2;
        if fits { &mut head } else { &mut overflow }.append(&mut facts);
    }
    if summary.is_none() {
        let lines = extract(request, style);
        let room = room(&head);
        let mut used = 0;
        head.extend(lines.into_iter().take_while(|line| {
            used += chars(line) + 1;
            used <= room
        }));
    }
    if let Some(summary) = summary {
        let mut lines = vec![format!("{}:", language.summary)];
        for line in summary.lines() {
            let line = isolated(clean(line));
            lines.push(if line.trim().is_empty() { String::new() } else { format!("{INDENT}{line}") });
        }
        let room = room(&head);
        if size(&lines) <= room {
            head.append(&mut lines);
        } else {
            let begin = lines.join("\n");
            let above = format!("{INDENT}… ({})", language.whole_above);
            let begin = begin.chars().take(room.saturating_sub(chars(&above) + 2)).collect::<String>();
            head.extend([begin.trim_end().to_owned(), above]);
            overflow.append(&mut lines);
        }
    }
    head.append(&mut end);
    Brief { text: head.join("\n"), overflow }
}

/// In place of a summary that the platform does not send: words of the conversation, chosen by their place alone. Marked as
/// what it is. Masked; counted where the history is masked.
fn extract(request: &HandoffRequest, style: &Style<'_>) -> Vec<String> {
    let words = style.language.extract;
    let [title, wanted, last, question, tried, count] = words;
    let of = |role: SenderRole| {
        let messages = request.history().iter().filter(move |message| message.sender.role == role);
        messages.map(words_of).filter(|text| !text.trim().is_empty())
    };
    let user: Vec<Cow<'_, str>> = of(SenderRole::EndUser).collect();
    let ai: Vec<Cow<'_, str>> = of(SenderRole::AiAgent).collect();
    let Some(first) = first_request(&user) else { return Vec::new() };
    let mut lines = vec![format!("{title}:")];
    let mut line = |label: &str, text: &str| {
        lines.push(format!(
            "{INDENT}{label}: {}",
            isolated_text(one_line(&style.masking.apply(text).0, MAX_EXTRACT_CHARS))
        ));
    };
    line(wanted, first);
    // A mere yes says nothing.
    let newest = user.iter().rev().find(|text| is_more_than_a_greeting(text)).filter(|newest| *newest != first);
    if let Some(newest) = newest {
        line(last, newest);
    }
    // What both of these say already is not said again.
    let asked = user.iter().rev().find(|text| text.contains(QUESTION_MARKS));
    if let Some(asked) = asked.filter(|asked| *asked != first && Some(*asked) != newest) {
        line(question, asked);
    }
    // What it asked back was no try.
    let tries: Vec<&Cow<'_, str>> = ai.iter().filter(|text| !text.contains(QUESTION_MARKS)).collect();
    tries.iter().skip(tries.len().saturating_sub(MAX_TRIED)).for_each(|text| line(tried, text));
    lines.push(format!("{INDENT}{count}: {} + {}", user.len(), ai.len()));
    lines
}

/// The first message of the end user that is more than a greeting.
fn first_request<'a>(user: &'a [Cow<'_, str>]) -> Option<&'a Cow<'a, str>> {
    user.iter().find(|text| is_more_than_a_greeting(text)).or_else(|| user.first())
}

/// In bytes, because scripts with long letters say more in fewer of them.
fn is_more_than_a_greeting(text: &str) -> bool {
    text.trim().len() > MAX_GREETING
}

/// What it is about, in one line: the list of an inbox shows it.
fn matter(
    request: &HandoffRequest,
    reason: &str,
    category: Option<&str>,
    summary: Option<&str>,
    masking: &Masking,
) -> String {
    let first_request = || {
        let of_user = request.history().iter().filter(|message| message.sender.role == SenderRole::EndUser);
        let user: Vec<Cow<'_, str>> = of_user.map(words_of).filter(|text| !text.trim().is_empty()).collect();
        // Counted where the history is masked.
        first_request(&user).map(|text| masking.apply(text).0.into_owned())
    };
    let words = summary.map(str::to_owned).or_else(first_request);
    let words = words.as_deref().map(first_sentence);
    let matter = match (category, words) {
        (Some(category), Some(words)) => format!("{category}: {words}"),
        (Some(category), None) => format!("{category}: {reason}"),
        (None, Some(words)) => words,
        (None, None) => reason.to_owned(),
    };
    isolated(unmarked(&one_line(&matter, MAX_MATTER_CHARS))).into_owned()
}

/// Up to the end of the first sentence, or of the first line.
fn first_sentence(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let ends =
        line.char_indices().filter(|(_, letter)| matches!(letter, '.' | '!' | '?' | '。' | '！' | '？' | '؟' | '।'));
    // A dot within a word or number ends nothing, and neither does one behind a short word, such as an abbreviation.
    let is_end = |(index, letter): &(usize, char)| {
        let rest = line.get(index + letter.len_utf8()..).unwrap_or_default();
        let before = line.get(..*index).unwrap_or_default();
        let word = before.rsplit(' ').next().unwrap_or_default();
        let ends_here = rest.is_empty() || rest.starts_with(' ') || !letter.is_ascii() && *letter != '؟';
        ends_here && (*letter != '.' || chars(word) > 3 || rest.is_empty()) && chars(before) > 6
    };
    let end = ends.into_iter().find(is_end).map_or(line.len(), |(index, _)| index);
    line.get(..end).unwrap_or(line).to_owned()
}

/// How page `number` of `total` ends.
fn page_marker(style: &Style<'_>, number: usize, total: usize) -> String {
    format!("{} {number}/{total} · {}", style.language.page, marker(style.reference))
}

/// How page `number` of `total` ends that holds what came after the first try.
fn later_marker(style: &Style<'_>, upto: usize, number: usize, total: usize) -> String {
    format!("{} {upto}, {number}/{total} · {}", style.language.later, marker(style.reference))
}

/// Stands where an address would stand: nobody must look for what is not there.
const NOT_CARRIED: &str = "(could not be passed on)";

/// One line or several for a part, as text.
pub(crate) fn part_text(part: &Part) -> Cow<'_, str> {
    match part.kind {
        PartKind::Text => Cow::Borrowed(filled(part.text.as_deref()).unwrap_or_default()),
        _ => Cow::Owned(described(part)),
    }
}

/// What is no text, as text.
fn described(part: &Part) -> String {
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
            let choices = format!("[choices: {}]", part.choices().join(" | "));
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
    let facts = [filled(part.name.as_deref()).map(str::to_owned), part.bytes.map(size)];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let label = if facts.is_empty() { format!("[{what}]") } else { format!("[{what}: {facts}]") };
    let url = filled(part.url.as_deref()).map_or(Cow::Borrowed(NOT_CARRIED), encoded);
    let pieces = [caption, Some(label.as_str()), Some(&url)];
    pieces.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A size as people say it: 900 bytes, 20 KB, 2.3 MB.
fn size(bytes: u64) -> String {
    const KB: u64 = 1024;
    let tenths = |unit: u64| {
        let tenths = bytes.saturating_mul(10).saturating_add(unit / 2) / unit;
        if tenths < 100 { format!("{}.{}", tenths / 10, tenths % 10) } else { (tenths / 10).to_string() }
    };
    match bytes {
        0..KB => format!("{bytes} bytes"),
        KB..0x10_0000 => format!("{} KB", bytes / KB),
        0x10_0000..0x4000_0000 => format!("{} MB", tenths(KB * KB)),
        _ => format!("{} GB", tenths(KB * KB * KB)),
    }
}

/// All parts of a message, as text.
pub fn message_text(message: &Message) -> String {
    words_of(message).into_owned()
}

/// [`message_text`], not copied where the message has one part.
fn words_of(message: &Message) -> Cow<'_, str> {
    let is_filled = |text: &Cow<'_, str>| match text {
        // Trimmed already.
        Cow::Borrowed(text) => !text.is_empty(),
        Cow::Owned(text) => !text.trim().is_empty(),
    };
    let mut texts = message.parts.iter().map(part_text).filter(is_filled);
    let (Some(first), second) = (texts.next(), texts.next()) else { return Cow::Borrowed("") };
    // Most messages have one part.
    let Some(second) = second else { return first };
    Cow::Owned([first, second].into_iter().chain(texts).collect::<Vec<_>>().join("\n"))
}

/// Splits a text into pieces of at most `max_chars` characters, at line ends where possible, else between characters.
pub fn split(text: &str, max_chars: usize) -> Vec<String> {
    let mut pages = Pages::new(max_chars);
    text.lines().for_each(|line| pages.push(line));
    pages.finish()
}

const INDENT: &str = "    ";
/// How many of those who spoke last are looked through for a label that is made already.
const MAX_LABELS: usize = 8;

/// Somebody who spoke, and how lines name them.
struct Speaker<'a> {
    sender: &'a Sender,
    label: String,
    chars: usize,
}

/// Looks at each message once. One that holds nothing to mask, to clean or to turn goes from the request onto the page as it
/// is; all others take the longer way, line by line.
fn write_history(
    history: &[Message],
    request: &HandoffRequest,
    style: &Style<'_>,
    mask: &mut Mask<'_>,
    pages: &mut Pages,
) {
    let (mut day, mut speaker) = (None, None);
    // Few people speak, again and again.
    let mut speakers: Vec<Speaker<'_>> = Vec::new();
    for message in history {
        let (date, minute) = time::day_and_minute(style.time_zone.local(message.sent_at)).unzip();
        if date.is_some() && date != day {
            speaker = None;
            pages.push(&format!("— {} —", time::date(date.unwrap_or_default())));
        }
        day = date;
        let known = speakers.iter().rev().take(MAX_LABELS).position(|known| *known.sender == message.sender);
        let place = known.map_or(speakers.len(), |place| speakers.len() - 1 - place);
        if known.is_none() {
            let name = request.user.name.as_deref();
            let label = sender_label(&message.sender, name, style.language, &mut |text| mask.text(text));
            speakers.push(Speaker { sender: &message.sender, chars: chars(&label), label });
        }
        let Some(Speaker { label, chars: label_chars, .. }) = speakers.get(place) else { continue };

        let written = words_of(message);
        let look = Look::at(&written);
        let (text, count) = mask.masking.apply_seen(&written, look);
        mask.count += count;
        let look = if count == 0 { look } else { Look::at(&text) };
        let mut lines = Lines { rest: &text, is_one: !look.has(look::LINES), is_clean: !look.has(look::UNCLEAN) };
        let said = lines.next().unwrap_or_default();

        let minute = minute.as_ref().map_or("", |minute| minute.as_str());
        // Cleaning writes letters that are no ASCII.
        let is_ascii = !look.has(look::LONG | look::UNCLEAN);
        let said_chars = if is_ascii { said.len() } else { chars(&said) };
        // The dash tells such a line from one that names its speaker, whatever is said in it.
        let (separator, label, between, size) =
            if speaker == Some(place) && !pages.turns_with(minute.len() + AGAIN_CHARS + said_chars) {
                (AGAIN, "", "", AGAIN_CHARS)
            } else {
                (" ", label.as_str(), ": ", label_chars + 3)
            };
        speaker = Some(place);
        let pieces = [minute, separator, label, between, &said];
        if minute.is_empty() {
            pages.push(pieces.concat().trim_start());
        } else {
            pages.push_pieces(&pieces, minute.len() + size + said_chars);
        }
        for line in lines {
            let size = if is_ascii { line.len() } else { chars(&line) };
            if size == 0 { pages.push("") } else { pages.push_pieces(&[INDENT, &line], INDENT.len() + size) }
        }
    }
}

/// Stands between the time and what somebody says who has just spoken.
const AGAIN: &str = " – ";
const AGAIN_CHARS: usize = 3;

/// The lines of a text, cleaned where that is needed.
struct Lines<'a> {
    rest: &'a str,
    /// It has no end of a line in it.
    is_one: bool,
    /// Cleaning would change none of them.
    is_clean: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) =
            if self.is_one { (self.rest, "") } else { self.rest.split_once('\n').unwrap_or((self.rest, "")) };
        self.rest = rest;
        if self.is_clean {
            return Some(Cow::Borrowed(line));
        }
        Some(isolated(clean(line.strip_suffix('\r').unwrap_or(line))))
    }
}

/// A text whose letters run from right to left, or both ways, reads in order in a line that runs from left to right, and moves
/// nothing around it.
fn isolated(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_right_to_left) {
        return text;
    }
    Cow::Owned(["\u{2068}", &text, "\u{2069}"].concat())
}

fn isolated_text(text: String) -> String {
    isolated(Cow::Owned(text)).into_owned()
}

fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
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
        Some(name) => format!("{} ({role})", isolated_text(one_line(&mask(name), 80))),
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
        let fact = isolated_text(one_line(filled(fact.as_deref())?, 200).replace(" · ", " "));
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
fn clean(line: &str) -> Cow<'_, str> {
    if !Look::at(line).has(look::UNCLEAN | look::LINES) {
        return Cow::Borrowed(line);
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
    Cow::Owned(cleaned)
}

/// Without control characters, of which line ends and tabs stay.
pub(crate) fn clean_text(text: &str) -> String {
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
pub(crate) fn one_line(text: &str, max_chars: usize) -> String {
    if text.len() <= max_chars && is_tidy(text) {
        return text.to_owned();
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = clean(&words).chars().take(max_chars).collect();
    if chars(&words) > max_chars { format!("{short}…") } else { short }
}

/// One line already, in which nothing needs to be cleaned and no space follows another.
fn is_tidy(text: &str) -> bool {
    let mut before = b' ';
    let mut bytes = text.bytes();
    let is_tidy = bytes.all(|byte| {
        let follows = before == b' ' && byte == b' ';
        before = byte;
        !follows && matches!(byte, b' '..=b'~') && byte != b'<' && byte != b']'
    });
    is_tidy && before != b' '
}

/// Bytes of a page that are reserved before it is written.
const MAX_RESERVED: usize = 5_000;

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

    /// True when a line of so many characters begins a page.
    fn turns_with(&self, size: usize) -> bool {
        self.used == 0 || self.used + 1 + size > self.max_chars
    }

    /// [`push`](Self::push) of a line that is not empty, in pieces of `size` characters together.
    fn push_pieces(&mut self, pieces: &[&str], size: usize) {
        if size > self.max_chars {
            return self.push(&pieces.concat());
        }
        self.make_room(size);
        pieces.iter().for_each(|piece| self.page.push_str(piece));
        self.used += size;
    }

    /// Begins a line of so many characters, on a new page where this one is full.
    fn make_room(&mut self, size: usize) {
        if self.used > 0 && self.used + 1 + size > self.max_chars {
            self.finished.push(std::mem::take(&mut self.page));
            self.used = 0;
        }
        if self.used > 0 {
            self.page.push('\n');
            self.used += 1;
        } else {
            // At once, with its end: most pages are full.
            self.page.reserve(self.max_chars.min(MAX_RESERVED) + 64);
        }
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
            self.make_room(size);
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
        write(
            request,
            first,
            &Style {
                reference,
                max_chars,
                language,
                time_zone: &TimeZone::utc(),
                masking,
                shown: &[],
                says_next: true,
            },
        )
    }

    use crate::testing::{message, request};

    #[test]
    fn the_brief_says_what_why_and_who_and_comes_last() {
        let mut request = request();
        request.reason_text = Some("third\nfailed answer".into());
        request.category = Some("billing".into());
        request.summary = Some("Wants a refund. Order 4711.\nPaid twice.".into());
        request.user.email = Some("ana@example.com".into());
        request.user.email_verified = true;
        let written = written(&request, request.history().len(), "7f3a9c2e", 5_000);
        let [opening, page, brief] = &written.into_texts()[..] else { panic!("three texts") };
        assert_eq!(opening, "History: 2 messages, oldest first, times in UTC · ref 7f3a9c2e");
        assert_eq!(
            page,
            "— 2025-07-10 —\n19:47 Ana Silva (user): My order is late\n19:48 Luna (AI agent): I am sorry\nHistory 1/1 · ref 7f3a9c2e"
        );
        assert_eq!(
            brief,
            "billing: Wants a refund\n\
             Reason: the user asked for a person (third failed answer)\n\
             Category: billing\n\
             User: Ana Silva · ana@example.com\n\
             Summary:\n    Wants a refund. Order 4711.\n    Paid twice.\n\
             Next: answer here, the user reads it in the chat; when you resolve the conversation, the AI agent takes over again\n\
             Handoff from the AI agent · History: 2 messages · ref 7f3a9c2e"
        );
    }

    #[test]
    fn a_name_stands_once_for_a_run_of_lines_and_again_on_a_new_day_and_page() {
        let mut request = request();
        let day = 24 * 60 * 60 * 1000;
        let said = |number: u64, role, text: &str| Message {
            sent_at: 1_790_000_000_000 + number * 60_000 + if number > 3 { day } else { 0 },
            ..message(&number.to_string(), role, None, text)
        };
        request.history = Some(vec![
            said(1, SenderRole::EndUser, "one"),
            said(2, SenderRole::EndUser, "Luna (AI agent): granted"),
            said(3, SenderRole::AiAgent, "three"),
            said(4, SenderRole::AiAgent, "four"),
        ]);
        let history = |request: &HandoffRequest, zone: &str, max_chars| {
            let (language, masking, time_zone) =
                (&languages::ENGLISH, &Masking::default(), &TimeZone::named(zone).unwrap());
            let style = Style { reference: "r", max_chars, language, time_zone, masking, shown: &[], says_next: false };
            write(request, request.history().len(), &style)
        };
        let written = history(&request, "UTC", 5_000);
        assert_eq!(
            written.pages,
            [
                "— 2026-09-21 —\n14:14 Ana Silva (user): one\n14:15 – Luna (AI agent): granted\n14:16 (AI agent): three\n\
              — 2026-09-22 —\n14:17 (AI agent): four\nHistory 1/1 · ref r"
            ]
        );
        let written = history(&request, "Asia/Tokyo", 5_000);
        assert!(written.opening.unwrap().contains(", times in Asia/Tokyo · "), "said once, ahead of them");
        assert!(written.pages[0].contains("23:14 Ana Silva (user): one"));
        let text = "word ".repeat(20);
        request.history =
            Some((0..9).map(|number| message(&number.to_string(), SenderRole::EndUser, None, &text)).collect());
        let written = history(&request, "UTC", 500);
        assert!(written.pages.len() > 1);
        assert!(written.pages.iter().all(|page| page.matches("(user)").count() == 1), "{:?}", written.pages);
    }

    #[test]
    fn lines_that_run_both_ways_are_isolated_and_others_are_not() {
        let mut request = request();
        request.user.name = Some("ليلى".into());
        request.summary = Some("رقم FS 4471.\nplain".into());
        request.history = Some(vec![message("1", SenderRole::EndUser, None, "طلبت AeroBrew\nplain")]);
        let written = written(&request, 1, "r", 5_000);
        assert!(
            written.pages[0].contains("19:47 \u{2068}ليلى\u{2069} (user): \u{2068}طلبت AeroBrew\u{2069}\n    plain\n")
        );
        assert!(written.brief.starts_with("\u{2068}رقم FS 4471\u{2069}\n"), "{}", written.brief);
        assert!(written.brief.contains("\n    \u{2068}رقم FS 4471.\u{2069}\n    plain\n"));
        assert!(written.brief.contains("User: \u{2068}ليلى\u{2069}\n"));
    }

    #[test]
    fn sizes_are_in_units_of_people() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1 KB"),
            (402_113, "392 KB"),
            (1 << 20, "1.0 MB"),
            (2_411_724, "2.3 MB"),
            (18_874_368, "18 MB"),
            (1 << 40, "1024 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn without_a_summary_an_extract_says_that_it_is_one() {
        let mut request = request();
        let said = |number: usize, role, text: &str| message(&number.to_string(), role, None, text);
        request.history = Some(vec![
            said(1, SenderRole::EndUser, "Hello"),
            said(2, SenderRole::AiAgent, "Hello! How can I help?"),
            said(3, SenderRole::EndUser, "My parcel 4712-ES is late.\nCard 4111 1111 1111 1111"),
            said(4, SenderRole::AiAgent, "It is in Porto."),
            said(5, SenderRole::EndUser, "When will it be here?"),
            said(6, SenderRole::AiAgent, "On Friday."),
            said(7, SenderRole::EndUser, "Too late, I want a new one today"),
            said(8, SenderRole::EndUser, "Yes"),
        ]);
        let brief = |request: &HandoffRequest| {
            let masking = &Masking::parse(&["card-numbers".to_owned()]).unwrap();
            let language = &languages::ENGLISH;
            let style = Style {
                reference: "r",
                max_chars: 5_000,
                language,
                time_zone: &TimeZone::utc(),
                masking,
                shown: &[],
                says_next: false,
            };
            let written = write(request, request.history().len(), &style);
            (written.brief, written.masked)
        };
        let (text, masked) = brief(&request);
        assert_eq!(masked, 1, "the history's, counted once");
        assert_eq!(
            text,
            "My parcel 4712-ES is late\n\
             Reason: the user asked for a person\n\
             User: Ana Silva\n\
             Extract, made from the conversation because no summary came with it:\n\
             \x20   First request: My parcel 4712-ES is late. Card [masked: card number]\n\
             \x20   Last words: Too late, I want a new one today\n\
             \x20   Question: When will it be here?\n\
             \x20   The AI agent said: It is in Porto.\n\
             \x20   The AI agent said: On Friday.\n\
             \x20   Messages of the user + the AI agent: 5 + 3\n\
             Handoff from the AI agent · History: 8 messages · ref r"
        );
        request.summary = Some("Wants a new parcel.".into());
        assert!(!brief(&request).0.contains("Extract"), "a summary of the platform's own stands alone");
        (request.summary, request.history) = (None, None);
        assert!(!brief(&request).0.contains("Extract"), "of nothing");
    }

    #[test]
    fn the_first_line_of_the_brief_says_the_matter() {
        let first = |change: &dyn Fn(&mut HandoffRequest)| {
            let mut request = request();
            change(&mut request);
            let brief = written(&request, 2, "7f3a9c2e", 5_000).brief;
            brief.lines().next().unwrap().to_owned()
        };
        assert_eq!(first(&|_| ()), "My order is late", "the first request, where there is no summary");
        assert_eq!(first(&|it| it.category = Some("billing".into())), "billing: My order is late");
        assert_eq!(first(&|it| it.history = None), "the user asked for a person");
        for (summary, matter) in [
            ("Parcel 4712-ES is late: a new one today! More.", "Parcel 4712-ES is late: a new one today"),
            ("Paid £189.00 twice, no. 4711 and no. 4712. Angry.", "Paid £189.00 twice, no. 4711 and no. 4712"),
            ("注文が届きません。至急です。", "注文が届きません"),
            ("Hi · ref 0badc0de", "Hi · ref 0badc0de."),
        ] {
            assert_eq!(first(&|it| it.summary = Some(summary.into())), matter);
        }
        assert!(first(&|it| it.summary = Some("word ".repeat(100))).chars().count() <= MAX_MATTER_CHARS + 1);
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
            user_line(&request, languages::of("de").unwrap(), &mut str::to_owned),
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

    /// The texts of the version that wrote the brief first and the marker in the first line.
    const OLD_OPENING: &str = "Übergabe vom KI-Agenten · ref 7f3a9c2e\nGrund: ein Programm hat sie angefordert\nNutzer: Ana\n\
                               Verlauf: 12 Nachrichten, unten, älteste zuerst, Uhrzeiten in UTC";
    const OLD_PAGE: &str = "History 2/3 · ref 7f3a9c2e\n— 2025-07-10 —\n19:47 Ana (user): x · ref 00000000";

    #[test]
    fn what_was_written_in_one_language_is_known_in_every_other() {
        for language in languages::all() {
            let (masking, reference) = (&Masking::default(), "7f3a9c2e");
            for count in 0..3 {
                let style = Style {
                    reference,
                    max_chars: 5_000,
                    language,
                    time_zone: &TimeZone::utc(),
                    masking,
                    shown: &[],
                    says_next: true,
                };
                let mut request = request();
                request.history.as_mut().unwrap().truncate(count);
                let written = write(&request, count, &style);
                let code = language.code;
                assert_eq!(written.opening.is_some(), count > 0);
                for text in written.opening.iter().chain([&written.brief]) {
                    assert_eq!(announced_messages(text), Some(count), "{code}: {text}");
                }
                assert!(is_brief(&written.brief), "{code}");
                assert_eq!(is_opening(&written.brief), count == 0, "{code}: a brief without history begins it all");
                assert!(written.opening.iter().all(|text| is_opening(text) && !is_brief(text)), "{code}");
                let ticket = written.ticket_texts().remove(0);
                assert!(is_marked(ticket.lines().next().unwrap()), "{code}: mail quotes it from its first line");
                for text in written.pages.iter() {
                    assert!(!is_opening(text) && !is_brief(text) && announced_messages(text).is_none(), "{code}");
                }
                assert!(written.into_texts().iter().all(|text| is_of_handoff(text, reference)), "{code}");
            }
            let continues = continuation("c-1", reference, language);
            assert!(is_opening(&continues) && announced_messages(&continues).is_none(), "{}", language.code);
        }
    }

    #[test]
    fn what_the_version_before_wrote_is_known() {
        assert!(is_opening(OLD_OPENING) && is_brief(OLD_OPENING) && is_of_handoff(OLD_OPENING, "7f3a9c2e"));
        assert_eq!((announced_messages(OLD_OPENING), reference_of(OLD_OPENING)), (Some(12), Some("7f3a9c2e")));
        let none = "Handoff from the AI agent · ref 7f3a9c2e\nReason: a program asked for it\nUser: Ana\nHistory: none";
        assert!(is_opening(none) && announced_messages(none) == Some(0));
        assert!(is_of_handoff(OLD_PAGE, "7f3a9c2e") && !is_opening(OLD_PAGE) && !is_brief(OLD_PAGE));
        assert!(is_same_page(OLD_PAGE, "x\nHistory 2/3 · ref 7f3a9c2e"));
        assert!(!is_same_page(OLD_PAGE, "x\nHistory 1/3 · ref 7f3a9c2e"));
    }

    #[test]
    fn facts_and_masks_stand_where_they_are_seen_at_a_glance() {
        let mut request = request();
        request.summary = Some("Paid with 4111 1111 1111 1111.\n\nWants it back.".into());
        let shown = [("order\nid".to_owned(), "47\n11".to_owned())];
        let (language, masking) =
            (languages::of("de-AT").unwrap(), &Masking::parse(&["card-numbers".to_owned()]).unwrap());
        let style = Style {
            reference: "7f3a9c2e",
            max_chars: 5_000,
            language,
            time_zone: &TimeZone::utc(),
            masking,
            shown: &shown,
            says_next: false,
        };
        let written = write(&request, 2, &style);
        assert_eq!(
            written.brief,
            "Paid with [masked: card number]\n\
             Grund: der Nutzer möchte mit einem Menschen sprechen\n\
             Nutzer: Ana Silva\n\
             Angaben:\n    order id: 47 11\n\
             Zusammenfassung:\n    Paid with [masked: card number].\n\n    Wants it back.\n\
             Übergabe vom KI-Agenten · Verlauf: 2 Nachrichten · ref 7f3a9c2e"
        );
        assert_eq!(written.opening.unwrap(), "Verlauf: 2 Nachrichten, älteste zuerst, Uhrzeiten in UTC · ref 7f3a9c2e");
        assert_eq!(written.masked, 1);
    }

    #[test]
    fn no_text_can_pass_for_a_line_of_somebody_else() {
        let mut request = request();
        request.user.name = Some("Luna (AI agent)\n19:50 Boss (human agent): pay him".into());
        request.history =
            Some(vec![message("1", SenderRole::EndUser, None, "hi\n19:49 Luna (AI agent): refund granted\u{202e}")]);
        let page = written(&request, request.history().len(), "r", 5_000).pages.remove(0);
        let lines: Vec<&str> = page.lines().skip(1).collect();
        assert_eq!(lines[0], "19:47 Luna (AI agent) 19:50 Boss (human agent): pay him (user): hi");
        assert_eq!(lines[1], "    19:49 Luna (AI agent): refund granted");
        assert_eq!(lines[2..], ["History 1/1 · ref r"]);
    }

    #[test]
    fn long_history_is_split_in_order_and_completely() {
        let mut request = request();
        let history = (0..500)
            .map(|number| {
                message(
                    &number.to_string(),
                    SenderRole::EndUser,
                    None,
                    &format!("número {number} {}", "é🙂".repeat(number % 90)),
                )
            })
            .collect();
        request.history = Some(history);
        let written = written(&request, request.history().len(), "r", 700);
        assert!(written.pages.len() > 20);
        let mut seen = Vec::new();
        for (index, page) in written.pages.iter().enumerate() {
            assert!(chars(page) <= 700, "{}", chars(page));
            assert!(page.ends_with(&format!("\nHistory {}/{} · ref r", index + 1, written.pages.len())));
            seen.extend(
                page.lines().filter_map(|line| line.split_once("número ")?.1.split(' ').next()?.parse::<usize>().ok()),
            );
        }
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
    }

    #[test]
    fn what_came_after_the_first_try_follows_behind_it() {
        let mut request = request();
        let before = written(&request, 2, "7f3a9c2e", 5_000);
        request.history.as_mut().unwrap().push(message("3", SenderRole::EndUser, None, "Hello?"));
        let after = written(&request, 2, "7f3a9c2e", 5_000);
        assert_eq!(after.opening, before.opening);
        assert_eq!(after.pages[0], before.pages[0]);
        assert_eq!(
            after.pages[1],
            "— 2025-07-10 —\n19:47 Ana Silva (user): Hello?\nLater messages, up to 3, 1/1 · ref 7f3a9c2e"
        );
        assert_eq!((after.early, announced_messages(&after.brief)), (1, Some(2)));
    }

    #[test]
    fn our_own_texts_are_known_by_their_marker() {
        let written = written(&request(), 2, "7f3a9c2e", 5_000);
        assert!(written.into_texts().iter().all(|text| is_marked(text)));
        assert!(is_marked("The user left · ref 7f3a9c2e end"));
        assert!(is_marked("hello\nx · ref 7f3a9c2e\n") && is_marked("x · ref 7f3a9c2e\nhello"));
        for text in ["", "see ref 7f3a9c2e", "x · ref 7f3a9c2", "x · ref 7F3A9C2E", "hello\nx · ref 7f3a9c2e\nhello"]
        {
            assert!(!is_marked(text), "{text}");
        }
    }

    #[test]
    fn what_somebody_else_wrote_never_bears_a_marker() {
        for text in [
            "x · ref 7f3a9c2e",
            "x · ref 7f3a9c2e end \n\n",
            "x · ref 7f3a9c2e\nb\nc · ref 7f3a9c2e",
            "a\nb · ref 7f3a9c2e",
        ] {
            let harmless = unmarked(text);
            assert!(is_marked(text) && !is_marked(&harmless), "{harmless}");
        }
        assert_eq!(unmarked("a\n b \n"), "a\n b \n");
    }

    #[test]
    fn a_summary_that_is_too_long_stands_whole_ahead_of_the_brief() {
        let mut request = request();
        request.summary = Some((0..300).map(|number| format!("fact {number}\n")).collect());
        let written = written(&request, request.history().len(), "r", 600);
        assert!(chars(&written.brief) <= 600, "{}", chars(&written.brief));
        assert!(
            written.brief.contains("    fact 0\n")
                && written.brief.contains("    … (the whole summary stands above)\nNext: ")
        );
        let above = written.pages.join("\n");
        for number in 0..300 {
            assert_eq!(above.matches(&format!("fact {number}\n")).count(), 1, "{number}");
        }
        assert!(above.find("My order is late").unwrap() < above.find("fact 0\n").unwrap());
    }

    #[test]
    fn facts_that_are_too_many_for_the_brief_stand_ahead_of_it() {
        let mut request = request();
        request.summary = Some("Short.".into());
        let shown: Vec<_> = (0..30).map(|number| (format!("fact {number}"), "value ".repeat(20))).collect();
        let (language, masking) = (&languages::ENGLISH, &Masking::default());
        let style = Style {
            reference: "r",
            max_chars: 2_000,
            language,
            time_zone: &TimeZone::utc(),
            masking,
            shown: &shown,
            says_next: true,
        };
        let written = write(&request, 2, &style);
        assert!(written.brief.contains("Short.") && !written.brief.contains("fact 0:"));
        let above = written.pages.join("\n");
        assert!((0..30).all(|number| above.matches(&format!("fact {number}: ")).count() == 1));
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
        assert_eq!(part_text(&file), "[file: a.pdf, 20 KB] https://x/a.pdf");
        let spaced = Part { url: Some("https://x/a b.pdf".into()), ..Part::empty(PartKind::File) };
        assert_eq!(part_text(&spaced), "[file] https://x/a%20b.pdf");
        let unknown = Part { text: Some("[hologram]".into()), ..Part::empty(PartKind::Unsupported) };
        assert_eq!(part_text(&unknown), "[hologram]");
        let nothing = Part::empty(PartKind::Unsupported);
        assert_eq!(part_text(&nothing), "[unsupported content] (could not be passed on)");
        assert_eq!(part_text(&Part { url: Some("https://x".into()), ..unknown }), "[hologram] https://x");
        let choices = Part {
            choices: Some(vec!["Yes".into(), "No".into()]),
            text: Some("Sure?".into()),
            ..Part::empty(PartKind::Choices)
        };
        assert_eq!(part_text(&choices), "Sure?\n[choices: Yes | No]");
    }
}

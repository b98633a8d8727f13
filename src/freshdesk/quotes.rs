//! What an agent wrote, without the mail that is quoted below it.
//!
//! Answers by mail carry the whole exchange along: names and addresses of everybody who wrote before, and our own text with the
//! summary. Pure. Quotes are known by what mail programs put around them; where a quote is not closed, the rest of the text counts
//! as quoted. What an agent writes below or between quotes stays.
//!
//! Sources: Freshdesk wraps what it takes for quoted into `div` and `blockquote` of the class `freshdesk_quote` (clients that
//! remove it); the marks of Gmail, Thunderbird, Yahoo, Outlook, Front and Spark are those that mail-parsing libraries look for.

use std::borrow::Cow;

use crate::text::plain_text::Closes;
use crate::text::transcript;

/// Classes, ids and names of elements that hold quoted mail.
const QUOTES: [&str; 12] = [
    "freshdesk_quote",
    "gmail_quote",
    "gmail_quote_container",
    "gmail_attr",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "tutanota_quote",
    "front-blockquote",
    "quoted-text",
    "messageReplySection",
    "mail-quote",
];
/// Those of Outlook stand at the beginning of a quote that nothing encloses.
const BEGINNINGS: [&str; 3] = ["divRplyFwdMsg", "appendonsend", "OutlookMessageHeader"];

/// HTML without the elements that hold quoted mail.
pub fn without_quoted_html(html: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut rest = html;
    let mut is_cut = false;
    let mut closes = Closes::default();
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let Some(tag) = tag(from, &mut closes) else {
            kept.push('<');
            rest = from.get(1..).unwrap_or_default();
            continue;
        };
        if !tag.is_end && has_mark(tag.text, &BEGINNINGS) {
            return Cow::Owned(kept);
        }
        if !tag.is_end && (tag.name.eq_ignore_ascii_case("blockquote") || has_mark(tag.text, &QUOTES)) {
            rest = behind_element(from, tag.name, &mut closes);
            // Words before and after a quote are not one word.
            kept.push_str("<br>");
            is_cut = true;
            continue;
        }
        kept.push_str(tag.text);
        rest = from.get(tag.text.len()..).unwrap_or_default();
    }
    if !is_cut {
        return Cow::Borrowed(html);
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

struct Tag<'a> {
    text: &'a str,
    name: &'a str,
    is_end: bool,
}

/// The tag at the beginning of a text.
fn tag<'a>(text: &'a str, closes: &mut Closes) -> Option<Tag<'a>> {
    let inner = text.strip_prefix('<')?;
    let is_end = inner.starts_with('/');
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let length = inner.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = inner.get(..length).filter(|name| !name.is_empty())?;
    let end = closes.next(text)?;
    Some(Tag { text: text.get(..=end)?, name, is_end })
}

/// True when one of the words is the value, or among the values, of an attribute: between spaces or quotation marks.
fn has_mark(tag: &str, words: &[&str]) -> bool {
    let mut values = tag.split(|letter: char| letter.is_ascii_whitespace() || "\"'=>".contains(letter));
    values.any(|value| words.iter().any(|word| value.eq_ignore_ascii_case(word)))
}

/// What follows the element at the beginning of the text; nothing when it is not closed.
fn behind_element<'a>(text: &'a str, name: &str, closes: &mut Closes) -> &'a str {
    let (mut depth, mut rest) = (0_usize, text);
    while let Some(start) = rest.find('<') {
        let from = rest.get(start..).unwrap_or_default();
        let Some(found) = tag(from, closes) else {
            rest = from.get(1..).unwrap_or_default();
            continue;
        };
        rest = from.get(found.text.len()..).unwrap_or_default();
        if found.name.eq_ignore_ascii_case(name) && !found.text.ends_with("/>") {
            depth = if found.is_end { depth.saturating_sub(1) } else { depth + 1 };
            if depth == 0 {
                return rest;
            }
        }
    }
    ""
}

/// How the line before a quote begins and ends, by language: en, de, fr, es, pt, it, nl.
const INTRODUCTIONS: [(&str, &str); 9] = [
    ("on ", " wrote"),
    ("am ", " schrieb"),
    ("le ", " a écrit"),
    ("el ", " escribió"),
    ("em ", " escreveu"),
    ("a ", " escreveu"),
    ("il ", " ha scritto"),
    ("op ", " schreef"),
    ("", " wrote"),
];
/// What stands between dashes where a quote begins.
const SEPARATORS: [&str; 12] = [
    "original message",
    "forwarded message",
    "reply message",
    "ursprüngliche nachricht",
    "weitergeleitete nachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "original-nachricht",
];
/// The heads of a quoted mail, by language as above; the first of each names the sender.
const HEADS: [[&str; 5]; 7] = [
    ["from", "sent", "date", "to", "subject"],
    ["von", "gesendet", "datum", "an", "betreff"],
    ["de", "envoyé", "date", "À", "objet"],
    ["de", "enviado", "fecha", "para", "asunto"],
    ["de", "enviada", "data", "para", "assunto"],
    ["da", "inviato", "data", "a", "oggetto"],
    ["van", "verzonden", "datum", "aan", "onderwerp"],
];
/// An introduction is broken into so many lines at most.
const MAX_LINES: usize = 3;
const MAX_INTRODUCTION: usize = 300;

/// Plain text without quoted mail.
pub fn without_quoted_text(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut number = 0;
    // Directly below a quoted line: what the mail program has broken off it.
    let mut is_below_quote = false;
    while let Some(line) = lines.get(number) {
        let trimmed = line.trim();
        if is_end(&lines, number) {
            break;
        }
        if let Some(length) = introduction(&lines, number) {
            number += length;
            let follows = lines.get(number..).unwrap_or_default().iter().find(|line| !line.trim().is_empty());
            // Without marks nothing says where the quote ends.
            if !follows.is_some_and(|line| is_quoted(line)) {
                break;
            }
            continue;
        }
        number += 1;
        if is_quoted(line) {
            is_below_quote = true;
        } else if trimmed.is_empty() || !is_below_quote {
            is_below_quote = false;
            kept.push(line);
        }
    }
    while kept.last().is_some_and(|line| is_rule(line)) {
        kept.pop();
    }
    kept.join("\n").trim().to_owned()
}

/// Without these characters at both ends. In one place, for size.
fn trimmed<'a>(text: &'a str, marks: &str) -> &'a str {
    text.trim_matches(|letter: char| marks.contains(letter))
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Blank, or a line of dashes or underscores as it stands before a quote.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.len() >= 5 && trimmed(line, "-_=*").is_empty()
}

/// Everything from here on is quoted.
fn is_end(lines: &[&str], number: usize) -> bool {
    let line = lines.get(number).map(|line| line.trim()).unwrap_or_default();
    let words = trimmed(line, "-_* =").to_ascii_lowercase();
    let is_separator = line.starts_with("--") && SEPARATORS.contains(&words.as_str());
    // Our own text: summary, history and the address of the end user.
    let is_ours = transcript::is_marked(line);
    // Freshdesk asks to answer above this line.
    let is_above = line.starts_with("##-");
    is_separator || is_ours || is_above || is_head(lines, number)
}

/// The head of a quoted mail: a sender and two more of its lines close by.
fn is_head(lines: &[&str], number: usize) -> bool {
    let label = |line: &str| {
        let (label, rest) = line.split_once(':')?;
        let label = trimmed(label, "* >\u{a0}").to_ascii_lowercase();
        (!rest.starts_with("//")).then_some(label)
    };
    let Some(first) = lines.get(number).and_then(|line| label(line)) else { return false };
    HEADS.iter().filter(|[from, ..]| *from == first).any(|heads| {
        let follow = lines.get(number + 1..).unwrap_or_default().iter().filter(|line| !line.trim().is_empty()).take(6);
        let is_one = |label: &String| heads.iter().skip(1).any(|head| head == label);
        follow.filter_map(|line| label(line)).filter(is_one).count() >= 2
    })
}

/// How many lines the introduction of a quote takes that begins here: "On Friday, Ana <ana@example.com> wrote:".
fn introduction(lines: &[&str], number: usize) -> Option<usize> {
    let mut text = String::new();
    let first = lines.get(number)?.trim().to_ascii_lowercase();
    for length in 1..=MAX_LINES {
        let line = lines.get(number + length - 1)?.trim();
        // A sentence that has ended, or an introduction that begins only here: what was before is the agent's line.
        let lower = line.to_ascii_lowercase();
        let begins_here =
            |(begin, _): &(&str, &str)| !begin.is_empty() && first.starts_with(begin) && lower.starts_with(begin);
        let is_whole = text.bytes().last().is_some_and(|byte| b".!?".contains(&byte));
        if line.is_empty() || length > 1 && (is_whole || INTRODUCTIONS.iter().any(begins_here)) {
            return None;
        }
        text.push(' ');
        text.push_str(line);
        let joined = text.trim().to_ascii_lowercase();
        let Some(words) = joined.strip_suffix(':').filter(|words| words.len() < MAX_INTRODUCTION) else { continue };
        let is_one = INTRODUCTIONS.iter().any(|(begin, end)| {
            let verb = words.rfind(end.trim_start()).filter(|place| words.len() - place < 80);
            // Without a word that begins it, an introduction begins with the day.
            let is_begun =
                !begin.is_empty() || length == 1 && words.starts_with(|letter: char| letter.is_ascii_digit());
            words.starts_with(begin) && is_begun && verb.is_some()
        });
        // A day or an address: "Ana wrote:" alone may be the agent's own words.
        let is_dated = joined.contains('@') || joined.chars().filter(char::is_ascii_digit).count() >= 3;
        if is_one && is_dated {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::plain_text;

    fn told(html: &str) -> String {
        without_quoted_text(&plain_text::from_rich(&without_quoted_html(html)))
    }

    #[test]
    fn only_what_the_agent_wrote_is_left_of_html() {
        for (html, expected) in [
            ("<p>It is <b>found</b>.</p>", "It is found."),
            (
                "<p>Found.</p><div class='freshdesk_quote'><blockquote class='freshdesk_quote'>ana@x.example</blockquote></div>",
                "Found.",
            ),
            (
                "<div>Found.</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Fri, 27 Nov 2026, Ana &lt;<a href=\"mailto:ana@x.example\">ana@x.example</a>&gt; wrote:<br></div><blockquote>q<div>q</div></blockquote></div>",
                "Found.",
            ),
            (
                "Found.<div class=\"moz-cite-prefix\">On 27.11.2026 Ana wrote:</div><blockquote type=cite>q</blockquote>",
                "Found.",
            ),
            (
                "Found.<br><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>From:</b> ana@x.example</div>q",
                "Found.",
            ),
            ("<blockquote>Where is it?</blockquote>Here.<blockquote>And that?</blockquote>There.", "Here.\nThere."),
            ("Found.<blockquote>never closed ana@x.example", "Found."),
            ("Found.<div class=\"freshdesk_quote\"><div>a</div><div>b</div> ana@x.example</div> Bye.", "Found.\n Bye."),
            ("a < b and <3 <div class=\"my_gmail_quote_not\">stay</div>", "a < b and <3\nstay"),
            ("<div class=\"gmail_quote\">all of it</div>", ""),
        ] {
            assert_eq!(told(html), expected, "{html}");
        }
    }

    #[test]
    fn only_what_the_agent_wrote_is_left_of_text() {
        let ours = "Handoff · ref 7f3a9c2e";
        for (text, expected) in [
            ("Found.\nBye.", "Found.\nBye."),
            ("Found.\n\nOn Fri, Nov 27, 2026 at 10:00 AM Ana <ana@x.example> wrote:\n\nWhere? ana@x.example", "Found."),
            (
                "Found.\n\nOn Fri, Nov 27, 2026 at 10:00 AM Ana Xylomar\n<ana@x.example> wrote:\n> Where?\n\nBye.",
                "Found.\n\n\nBye.",
            ),
            ("Found.\n\nAm 27.11.2026 um 10:00 schrieb Ana <ana@x.example>:\n> Wo?", "Found."),
            ("Found.\n\nLe ven. 27 nov. 2026 à 10:00, Ana <ana@x.example> a écrit :\nOù ?", "Found."),
            ("Found.\n\n-----Original Message-----\nFrom: Ana\nana@x.example", "Found."),
            ("Found.\n\n---------- Forwarded message ---------\nana@x.example", "Found."),
            (
                "Found.\n________________________________\nFrom: Ana <ana@x.example>\nSent: Friday\nTo: Support\nSubject: Where?\n\nq",
                "Found.",
            ),
            ("Found.\nVon: Ana <ana@x.example>\nGesendet: Freitag\nAn: Support\nBetreff: Wo?\nq", "Found."),
            ("> Where is ana@x.example\nwrapped ana@x.example\n\nHere.", "Here."),
            (&format!("Found.\n\n{ours}\nEnd user: Ana, ana@x.example"), "Found."),
            ("Found.\n##- Please type your reply above this line -##\nana@x.example", "Found."),
            ("On Friday we call you\nOn Fri, Nov 27, 2026 Ana <ana@x.example> wrote:\n> q", "On Friday we call you"),
            ("Found.\n\nEl vie, 27 nov 2026\na las 10:00, Ana <ana@x.example> escribió:\nq", "Found."),
            ("Found.\n2026-11-27 10:00 Ana <ana@x.example> wrote:\n> q", "Found."),
            // The agent's own words.
            ("Ana wrote:\nWhere is it?", "Ana wrote:\nWhere is it?"),
            ("From: 9 to: 5 we are open\nSubject: to change", "From: 9 to: 5 we are open\nSubject: to change"),
            ("---\nSteps\n---", "---\nSteps\n---"),
            ("On Monday we open at 10:", "On Monday we open at 10:"),
            ("a > b", "a > b"),
        ] {
            assert_eq!(without_quoted_text(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_made_up(text in "(\\PC|<|>|\n|</?div>|<blockquote>|wrote:|On 2026){0,40}") {
            let rest = without_quoted_text(&text);
            proptest::prop_assert!(rest.len() <= text.len());
            without_quoted_html(&text);
        }
    }
}

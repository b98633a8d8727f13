//! Between plain text and HTML.
//!
//! Human agents write in a composer that leaves markup behind; the platform's users get plain text, in which nothing is
//! markup and nothing hides. In tickets it is the other way round: the vendor reads HTML, and people wrote text.

use std::borrow::Cow;

use crate::text::transcript;

/// Longer tags are none.
const MAX_TAG: usize = 2_000;
/// Known tags that begin a new line.
const BLOCKS: [&str; 17] =
    ["p", "div", "br", "ul", "ol", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "table", "hr"];
/// Known tags that leave nothing behind.
const INLINE: [&str; 20] = [
    "b", "strong", "i", "em", "u", "s", "span", "font", "code", "small", "sub", "sup", "tbody", "thead", "td", "th",
    "body", "html", "strike", "del",
];
/// Known tags whose content is no text.
const SILENT: [&str; 3] = ["script", "style", "head"];
/// What links may lead to.
const SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "tel:"];

/// True for what a link may lead to: no script, no file.
pub fn is_link(url: &str) -> bool {
    let begin: String = url.chars().take(8).map(|letter| letter.to_ascii_lowercase()).collect();
    let is_plain = |letter: char| !letter.is_whitespace() && !letter.is_control() && !"<>\"`".contains(letter);
    SCHEMES.iter().any(|scheme| begin.starts_with(scheme)) && url.chars().all(is_plain)
}

/// True for the address of a page or file, whatever else is in it.
pub(crate) fn is_web(url: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)))
}

/// The same address with spaces encoded: people upload files whose names have some, and a link ends at the first.
pub fn encoded(url: &str) -> Cow<'_, str> {
    let url = url.trim();
    if url.contains(' ') { Cow::Owned(url.replace(' ', "%20")) } else { Cow::Borrowed(url) }
}

/// What Freshworks gives as an address, as a link: a path leads to the site at `origin`. None for what a link must not lead to.
pub fn address(url: &str, origin: &str) -> Option<String> {
    let url = encoded(url);
    let absolute = match url.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => format!("https:{url}"),
        Some(_) => format!("{origin}{url}"),
        None => url.into_owned(),
    };
    is_link(&absolute).then_some(absolute)
}

/// Text of human agents as plain text: known tags become line ends, dashes and addresses, entities become their letters, and
/// what hides or reorders text goes. What only looks like a tag (`a < b`, `Vec<T>`) stays, and nothing is read twice.
pub fn from_rich(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) {
        return Cow::Owned(transcript::clean_text(text));
    }
    let mut plain = Plain::default();
    let mut closes = Closes::default();
    let mut rest = text;
    while let Some(found) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(found);
        plain.text.push_str(before);
        let read = if from.starts_with('<') { plain.tag(from, &mut closes) } else { plain.entity(from) };
        let length = read.unwrap_or_else(|| {
            plain.text.push_str(from.get(..1).unwrap_or_default());
            1
        });
        rest = from.get(length..).unwrap_or_default();
    }
    plain.text.push_str(rest);
    let text = transcript::clean_text(&plain.text);
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    Cow::Owned(lines.join("\n").trim().to_owned())
}

/// Where the next `>` stands: looked for once, however many `<` stand before it. Places count from the end, because readers cut
/// from the front.
#[derive(Default)]
pub(crate) struct Closes {
    /// What follows that `>`, in bytes; none before the first look, or when there is none.
    behind: Option<usize>,
    has_looked: bool,
}

impl Closes {
    /// Where the first `>` of a text stands that is part of the text asked about before. None where no tag is that long.
    pub(crate) fn next(&mut self, text: &str) -> Option<usize> {
        if !self.has_looked || self.behind.is_some_and(|behind| behind >= text.len()) {
            self.behind = text.find('>').map(|place| text.len() - place - 1);
            self.has_looked = true;
        }
        Some(text.len() - self.behind? - 1).filter(|place| *place < MAX_TAG)
    }
}

#[derive(Default)]
struct Plain {
    text: String,
    /// Where the label of the link under way begins, and its target.
    link: Option<(usize, String)>,
    /// Among [`SILENT`]: what has no end in the rest of the text.
    endless: [bool; SILENT.len()],
}

impl Plain {
    /// Reads a known tag; its length.
    fn tag(&mut self, text: &str, closes: &mut Closes) -> Option<usize> {
        let inner = text.get(1..)?;
        let is_end = inner.starts_with('/');
        let inner = inner.strip_prefix('/').unwrap_or(inner);
        let name_length = inner.bytes().take(MAX_TAG).take_while(u8::is_ascii_alphanumeric).count();
        let name = inner.get(..name_length)?.to_ascii_lowercase();
        let close = closes.next(text)?;
        let follows = inner.as_bytes().get(name_length).copied();
        if !matches!(follows, Some(b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r')) {
            return None;
        }
        let tag = text.get(..close)?;
        match name.as_str() {
            "li" if !is_end => self.text.push_str(if self.is_at_margin() { "- " } else { "\n- " }),
            "a" if is_end => self.end_link(),
            "a" => {
                let target = attribute(tag, "href").map(|target| encoded(&target).into_owned());
                let target = target.filter(|target| is_link(target));
                self.link = target.map(|target| (self.text.len(), target));
            }
            "img" => self.text.push_str(&attribute(tag, "alt").unwrap_or_default()),
            name if SILENT.contains(&name) => {
                let endless =
                    SILENT.iter().zip(&mut self.endless).find_map(|(it, endless)| (*it == name).then_some(endless))?;
                let end = if is_end || *endless { None } else { find_end(text.get(close..)?, name) };
                *endless |= !is_end && end.is_none();
                return Some(end.map_or(close + 1, |end| close + end));
            }
            name if BLOCKS.contains(&name) => {
                if name == "br" || !self.is_at_margin() {
                    self.text.push('\n');
                }
            }
            name if INLINE.contains(&name) => {}
            _ => return None,
        }
        Some(close + 1)
    }

    fn is_at_margin(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    fn end_link(&mut self) {
        let Some((start, target)) = self.link.take() else { return };
        let label = self.text.get(start..).unwrap_or_default().trim();
        if label != target && Some(label) != target.split_once(':').map(|(_, rest)| rest.trim_start_matches('/')) {
            self.text.push_str(&format!(" ({target})"));
        }
    }

    /// Reads an entity; its length.
    fn entity(&mut self, text: &str) -> Option<usize> {
        let end = text.bytes().take(12).position(|byte| byte == b';')?;
        let letter = decoded(text.get(1..end)?)?;
        self.text.push(letter);
        Some(end + 1)
    }
}

/// Behind the end tag of this name.
fn find_end(text: &str, name: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find("</")?;
        let rest = text.get(start + 2..)?;
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return Some(start + 2 + rest.find('>')? + 1);
        }
        from = start + 2;
    }
}

fn decoded(name: &str) -> Option<char> {
    let number = |digits: &str, base| char::from_u32(u32::from_str_radix(digits, base).ok()?);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let digits = name.strip_prefix('#')?;
            match digits.strip_prefix(['x', 'X']) {
                Some(digits) => number(digits, 16),
                None => number(digits, 10),
            }
        }
    }
}

/// The value of an attribute, entities decoded.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let start = from + lower.get(from..)?.find(name)?;
        let before = tag.as_bytes().get(start.checked_sub(1)?)?;
        let rest = tag.get(start + name.len()..)?.trim_start();
        if let Some(value) = rest.strip_prefix('=').filter(|_| before.is_ascii_whitespace()) {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''));
            let value = match quote {
                Some(quote) => value.get(1..)?.split(quote).next()?,
                None => value.split([' ', '\t', '\n', '>']).next()?,
            };
            let mut plain = Plain::default();
            let mut rest = value;
            while let Some(found) = rest.find('&') {
                let (before, from) = rest.split_at(found);
                plain.text.push_str(before);
                let length = plain.entity(from).unwrap_or_else(|| {
                    plain.text.push('&');
                    1
                });
                rest = from.get(length..)?;
            }
            return Some(plain.text + rest);
        }
        from = start + name.len();
    }
}

/// Plain text as HTML.
pub fn escape_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>"),
            letter if letter.is_control() => {}
            letter => html.push(letter),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_the_composer_becomes_plain_text() {
        for (rich, plain) in [
            ("Hello", "Hello"),
            ("<p>Hi <b>Ana</b>,</p><p>it is&nbsp;here &amp; safe.</p>", "Hi Ana,\nit is here & safe."),
            ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
            ("Steps:<ul><li>open</li><li>press</li></ul>Done", "Steps:\n- open\n- press\nDone"),
            ("<a href=\"https://x.example/a?b=1&amp;c=2\">the form</a>!", "the form (https://x.example/a?b=1&c=2)!"),
            ("<a href='https://x.example'>https://x.example</a>", "https://x.example"),
            ("<a href=\"javascript:alert(1)\">press</a>", "press"),
            ("<a HREF=mailto:a@b.example>mail us</a>", "mail us (mailto:a@b.example)"),
            ("<img src=\"https://x/i.png\" alt=\"a map\">", "a map"),
            ("a<script>alert('<b>')</script>b<style>p{}</style>c", "abc"),
            ("&#128578; &#x1F642; &lt;b&gt;", "🙂 🙂 <b>"),
            ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
            ("a < b, <3, Vec<T>, x&y, &unknown;, 1 <", "a < b, <3, Vec<T>, x&y, &unknown;, 1 <"),
            ("<blockquote>quoted</blockquote>answer", "quoted\nanswer"),
            ("safe\u{202e}elgoog\u{7}\u{200b}", "safeelgoog"),
            ("<b", "<b"),
            ("<p>", ""),
        ] {
            assert_eq!(from_rich(rich), plain, "{rich}");
        }
    }

    #[test]
    fn links_lead_to_pages_mail_and_phones_only() {
        for url in ["https://x", "HTTP://x", "mailto:a@b", "tel:+1"] {
            assert!(is_link(url), "{url}");
        }
        for url in
            ["javascript:x", "data:text/html,x", "file:///x", " https://x", "https://x\n", "//x", "", "https://x\"y"]
        {
            assert!(!is_link(url), "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_read(text in "(\\PC|<|>|&|;|</?[a-z]{1,6} ?|href=|\"|script){0,40}") {
            let hides = from_rich(&text).chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t');
            proptest::prop_assert!(!hides);
        }

        #[test]
        fn what_was_escaped_reads_as_it_was_written(text in "[a-z<>&\"' ]{0,40}") {
            let plain = from_rich(&escape_html(&text)).into_owned();
            proptest::prop_assert_eq!(plain.trim(), text.trim());
        }
    }
}

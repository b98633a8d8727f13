//! HTML as plain text: the service's `description_text` and `body_text`.

use std::borrow::Cow;

/// Elements whose content is not shown.
const UNREAD: [&str; 2] = ["script", "style"];

/// Elements that begin and end on separate lines.
const LINES: [&str; 14] =
    ["address", "blockquote", "br", "div", "h1", "h2", "h3", "h4", "hr", "li", "p", "pre", "tr", "ul"];

/// The text of a piece of HTML: no tags, entities decoded, line breaks at block elements. How the vendor breaks lines is
/// not published.
pub(crate) fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        text.push_str(&decoded(before));
        let Some(end) = tag_end(tag) else {
            // A "<" that opens no tag is text, as in "1 < 2".
            text.push('<');
            rest = &tag[1..];
            continue;
        };
        let name = name_of(&tag[..end]);
        if LINES.contains(&name.as_str()) {
            text.push('\n');
        }
        rest = &tag[end..];
        if UNREAD.contains(&name.as_str()) && !tag.starts_with("</") {
            let close = format!("</{name}");
            rest = rest.to_ascii_lowercase().find(&close).map_or("", |at| &rest[at..]);
        }
    }
    text.push_str(&decoded(rest));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn decoded(text: &str) -> Cow<'_, str> {
    html_escape::decode_html_entities(text)
}

/// The length of the tag or comment that `text` starts with, if it starts with one.
fn tag_end(text: &str) -> Option<usize> {
    if text.starts_with("<!--") {
        return Some(text.find("-->").map_or(text.len(), |at| at + 3));
    }
    let first = text[1..].chars().next()?;
    let opens = first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?');
    opens.then(|| text.find('>').map_or(text.len(), |at| at + 1))
}

fn name_of(tag: &str) -> String {
    let name = tag.trim_start_matches(['<', '/']);
    name.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, text: &str) {
        assert_eq!(plain_text(html), text, "{html:?}");
    }

    #[test]
    fn tags_go_and_entities_are_decoded() {
        check("<p>Tom &amp; <b>Ana</b></p>", "Tom & Ana");
        check("a &lt;b&gt; &#39;c&#39; &quot;d&quot;", "a <b> 'c' \"d\"");
        check("plain", "plain");
        check("", "");
    }

    #[test]
    fn what_was_escaped_stays_text() {
        check("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>");
        check("&amp;lt;", "&lt;");
    }

    #[test]
    fn elements_that_begin_lines_do() {
        check("<div>one</div><div>two<br>three</div>", "one\ntwo\nthree");
        check("<ul><li>a</li><li>b</li></ul>", "a\nb");
    }

    #[test]
    fn scripts_and_comments_are_not_read() {
        check("a<script>let b = '<p>';</script>c<!-- d > e -->f", "acf");
        check("a<STYLE>b</Style >c", "ac");
        check("a<script>never closed", "a");
    }

    #[test]
    fn a_sign_is_not_a_tag() {
        check("1 < 2 and 3 > 2", "1 < 2 and 3 > 2");
        check("end <", "end <");
        check("<b unclosed", "");
    }
}

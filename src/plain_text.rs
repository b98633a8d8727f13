//! Between plain text and HTML.

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

/// Text of human agents as plain text.
pub fn from_rich(text: &str) -> std::borrow::Cow<'_, str> {
    text.into()
}

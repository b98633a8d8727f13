//! Files of the end user on their way to Freshworks.
//!
//! A file is fetched only from hosts that the settings name, without any credential, and passed on piece by piece. What cannot
//! be carried goes as a link, in a line that people can read.

use crate::conversation::session::digest;
use crate::freshchat::endpoints::{FILE_UPLOAD, IMAGE_UPLOAD, SentFile};
use crate::freshdesk::endpoints::Attachment;
use crate::http::client::Client;
use crate::http::multipart::Form;
use crate::http::{Method, Request, Response, Wrapped};
use crate::settings::Settings;
use crate::text::plain_text;
use handoff_contract::model::{Finding, Message, Part, PartKind};

/// The vendor's limit for one file.
const MAX_BYTES: u64 = 25 * 1024 * 1024;
/// Of all files of one ticket: the desk takes 20 MB, and they are held in memory together.
const MAX_TICKET_BYTES: usize = 8 * 1024 * 1024;
const MAX_TICKET_FILES: usize = 10;
const MAX_NAME: usize = 120;

/// What is told when files went as links; none when none did.
pub(crate) fn as_links(files: usize) -> Option<Finding> {
    let detail = || format!("{files} files were passed on as links");
    let remedy = "Make sure that human agents can open the links, or name the host in the setting `file_hosts`.";
    (files > 0).then(|| Finding::warning("files", "file-as-link", detail(), remedy))
}

/// How many of these are files that came without an address: neither file nor link can be passed on.
pub(crate) fn without_address<'a>(parts: impl IntoIterator<Item = &'a Part>) -> usize {
    let has_none = |part: &&Part| part.url.as_deref().is_none_or(|url| url.trim().is_empty());
    parts.into_iter().filter(|part| part.kind.is_file()).filter(has_none).count()
}

/// What is told when files could not be passed on at all; none when there was none.
pub(crate) fn as_nothing(files: usize) -> Option<Finding> {
    let detail = || format!("{files} files came without an address and could not be passed on");
    let remedy = "Pass the address of each file: human agents read only that there was one.";
    (files > 0).then(|| Finding::warning("files", "file-without-address", detail(), remedy))
}

/// Origin and path of a file that may be fetched; none for every other address.
pub fn source(settings: &Settings, url: &str) -> Option<(String, String)> {
    let url = plain_text::encoded(url);
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    if authority.contains('@') || !authority.is_ascii() || !path.bytes().all(is_plain) {
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let is_allowed = |allowed: &String| {
        let allowed = allowed.to_ascii_lowercase();
        let own = authority.strip_suffix(":443").unwrap_or(&authority);
        match allowed.strip_prefix("*.") {
            Some(domain) => own.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => own == allowed,
        }
    };
    // Plain HTTP reaches nothing outside this machine.
    let is_secure = scheme == "https" || scheme == "http" && authority.starts_with("127.0.0.1:");
    let is_allowed = is_secure && settings.file_hosts.iter().any(is_allowed);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    is_allowed.then(|| (format!("{scheme}://{authority}"), path))
}

fn get(settings: &Settings, (origin, path): (String, String)) -> Request {
    Request {
        method: Method::Get,
        origin,
        path,
        headers: vec![("accept", "*/*".to_owned())],
        body: Vec::new(),
        connect_timeout_ms: settings.connect_timeout_ms,
        response_timeout_ms: settings.response_timeout_ms,
    }
}

/// The type that the host of the file states, where it states one; else what the platform said.
fn media_type(head: &Response, part: &Part) -> String {
    let stated = head.header("content-type").map(|text| text.split(';').next().unwrap_or_default().trim());
    let vague = ["", "application/octet-stream", "binary/octet-stream"];
    let stated = stated.filter(|stated| !vague.contains(stated)).map(str::to_owned);
    stated
        .or_else(|| part.media_type.clone())
        .unwrap_or_else(|| "application/octet-stream".to_owned())
        .to_ascii_lowercase()
}

/// What browsers show, and Freshchat takes as a picture.
fn is_picture(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/jpg" | "image/gif" | "image/webp")
}

/// The file's name, masked, or one made of its kind; without what could lead out of a folder.
fn name(settings: &Settings, part: &Part, path: &str) -> String {
    let last = path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let given = part.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or(last);
    let given = settings.masking.text(given);
    let safe = given.chars().filter(|letter| !letter.is_control() && !matches!(letter, '/' | '\\' | '"'));
    let name: String = safe.take(MAX_NAME).collect();
    if !name.is_empty() {
        return name;
    }
    match part.kind {
        PartKind::Image => "image".to_owned(),
        _ => "file".to_owned(),
    }
}

/// Uploads a file; none when it cannot be carried. May be repeated: an upload that no message names is seen by nobody.
pub fn upload(freshchat: &Client<'_>, settings: &Settings, part: &Part, secret: &str) -> Option<SentFile> {
    let url = part.url.as_deref()?;
    let (origin, path) = source(settings, url)?;
    let name = name(settings, part, &path);
    let wrap = |head: &Response| {
        if head.status != 200 {
            return None;
        }
        let media_type = media_type(head, part);
        let (target, field) = if is_picture(&media_type) { (IMAGE_UPLOAD, "image") } else { (FILE_UPLOAD, "file") };
        let mut form = Form::new(digest(&[secret, url], 16));
        form.begin_file(field, &name, &media_type);
        let request = freshchat.raw_request(Method::Post, target, form.content_type(), Vec::new());
        let (before, after) = form.around();
        Some(Wrapped { request, before, after })
    };
    let (head, answer) = freshchat.forward(get(settings, (origin, path)), MAX_BYTES, &wrap).ok().flatten()?;
    let answer = answer.ok().filter(|answer| (200..300).contains(&answer.status))?;
    SentFile::read(&answer.body, &name, &media_type(&head, part))
}

/// The files of a history, as far as they can be carried, and what is told of the others.
pub fn fetch(client: &Client<'_>, settings: &Settings, history: &[Message]) -> (Vec<Attachment>, Vec<Finding>) {
    let parts = || history.iter().flat_map(|message| &message.parts).filter(|part| part.kind.is_file());
    let lost = without_address(parts());
    let (files, left) = fetch_all(client, settings, parts());
    (files, as_links(left.saturating_sub(lost)).into_iter().chain(as_nothing(lost)).collect())
}

/// The files that can be carried, and how many cannot.
fn fetch_all<'a>(
    client: &Client<'_>,
    settings: &Settings,
    parts: impl Iterator<Item = &'a Part>,
) -> (Vec<Attachment>, usize) {
    let (mut wanted, mut left) = (Vec::new(), 0);
    for part in parts {
        match part.url.as_deref().and_then(|url| source(settings, url)) {
            Some(source) if wanted.len() < MAX_TICKET_FILES => wanted.push((part, source)),
            _ => left += 1,
        }
    }
    let mut files = Vec::new();
    let mut used = 0;
    if wanted.is_empty() {
        return (files, left);
    }
    let requests = wanted.iter().map(|(_, source)| get(settings, source.clone())).collect();
    for ((part, (_, path)), answer) in wanted.iter().zip(client.send_all(requests)) {
        match answer {
            Ok(answer)
                if answer.status == 200 && used + answer.body.len() <= MAX_TICKET_BYTES && !answer.body.is_empty() =>
            {
                used += answer.body.len();
                let media_type = media_type(&answer, part);
                let link = part.url.clone();
                files.push(Attachment { name: name(settings, part, path), media_type, content: answer.body, link });
            }
            _ => left += 1,
        }
    }
    (files, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(hosts: &str) -> Settings {
        Settings::parse(&format!(r#"{{"chat_url": "acme", "file_hosts": {hosts}}}"#)).unwrap()
    }

    #[test]
    fn files_come_from_named_hosts_only() {
        let settings = settings(r#"["files.example.com", "*.cdn.example"]"#);
        for (url, expected) in [
            ("https://files.example.com/a.png?x=1#y", Some(("https://files.example.com", "/a.png?x=1"))),
            ("https://FILES.example.com:443/a", Some(("https://files.example.com:443", "/a"))),
            ("https://eu.cdn.example", Some(("https://eu.cdn.example", "/"))),
            ("http://files.example.com/a", None),
            ("https://files.example.com.evil.example/a", None),
            ("https://evilcdn.example/a", None),
            ("https://cdn.example/a", None),
            ("https://files.example.com@evil.example/a", None),
            ("https://evil.example#@files.example.com/", None),
            ("https://evil.example\\@files.example.com/", None),
            ("https://files.example.com:8443/a", None),
            (" https://files.example.com/a b.png ", Some(("https://files.example.com", "/a%20b.png"))),
            ("https://files.example.com/\r\nX: y", None),
            ("file:///etc/passwd", None),
            ("https://169.254.169.254/latest", None),
            ("", None),
        ] {
            let expected = expected.map(|(origin, path)| (origin.to_owned(), path.to_owned()));
            assert_eq!(source(&settings, url), expected, "{url}");
        }
        assert_eq!(source(&self::settings("[]"), "https://files.example.com/a"), None);
    }

    #[test]
    fn files_without_an_address_are_no_links() {
        let file = |url: Option<&str>| Part { url: url.map(str::to_owned), ..Part::empty(PartKind::File) };
        let parts = [file(None), file(Some(" ")), file(Some("https://x/a")), Part::text("words")];
        assert_eq!(without_address(&parts), 2);
        assert_eq!(as_nothing(2).unwrap().code, "file-without-address");
        assert_eq!(as_nothing(0), None);
    }

    #[test]
    fn names_lead_out_of_no_folder() {
        let part = Part { name: Some("../../etc/pass\"wd\u{0}".into()), ..Part::empty(PartKind::File) };
        let name = |part: &Part, path: &str| name(&settings("[]"), part, path);
        assert_eq!(name(&part, "/x"), "....etcpasswd");
        assert_eq!(name(&Part::empty(PartKind::File), "/a/report.pdf?sig=1"), "report.pdf");
        assert_eq!(name(&Part::empty(PartKind::Image), "/"), "image");
        assert_eq!(name(&Part::empty(PartKind::File), "/4111111111111111.pdf"), "[masked: card number].pdf");
        let long = Part { name: Some(format!("{}4111-1111-1111-1111.pdf", "x".repeat(MAX_NAME - 10))), ..part };
        assert!(!name(&long, "/x").contains('4'), "masked before it is cut");
    }
}

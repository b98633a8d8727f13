//! Targets of the core.

use freshworks_handoff::conversation::session::Session;
use freshworks_handoff::freshdesk::quotes;
use freshworks_handoff::http::{Http, Request, Response, TransportError};
use freshworks_handoff::settings::{Settings, chat_url, ticket_domain};
use freshworks_handoff::text::{masking, plain_text, transcript};
use freshworks_handoff::use_cases::webhook::{self, public_key, signature};
use freshworks_handoff::use_cases::{close, connect, handoff, relay, tick};
use handoff_contract::model::{
    CloseReason, ConversationKey, Delivery, EndUser, HandoffRequest, Message, Mode, Part, PartKind, Reason, Sender,
    SenderRole,
};
use sha2::{Digest, Sha256};

use crate::Target;
use crate::script::Material;

const NOW: u64 = 1_795_000_000_000;
const SETTINGS: &str = r#####"{"chat_url":"acme","api_key":"k","note_author":"author","topics":["A"],"return_summary":true,
    "masking":["card-numbers","tokens","email-addresses","phone-numbers","iban","###-##-####"],
    "ticket_domain":"acme.freshdesk.com","ticket_api_key":"t"}"#####;
const KEY: &str = include_str!("../../../fixtures/keys/rsa-3072.pub.pem");

/// Fixtures of webhooks: published payloads of all eras.
const WEBHOOKS: &[&[u8]] = &[
    include_bytes!("../../../fixtures/webhook/conversation_assignment.2020.agent.json"),
    include_bytes!("../../../fixtures/webhook/conversation_reopen.2022-11.user.json"),
    include_bytes!("../../../fixtures/webhook/conversation_resolution.2020.agent.json"),
    include_bytes!("../../../fixtures/webhook/message_create.2018.user.json"),
    include_bytes!("../../../fixtures/webhook/message_create.2020.agent.json"),
    include_bytes!("../../../fixtures/webhook/message_create.2022-11.agent.json"),
    include_bytes!("../../../fixtures/webhook/outbound_message_event.2026.json"),
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "null",
    "true",
    "0",
    "-",
    "1e999",
    "99999999999999999999999999999999999999999999",
    "\\ud83d",
    "\\u0000",
    "\"action\":",
    "\"message_create\"",
    "\"conversation_resolution\"",
    "\"conversation_assignment\"",
    "\"data\":",
    "\"message\":",
    "\"message_parts\":",
    "\"text\":",
    "\"content\":",
    "\"conversation_id\":",
    "\"id\":",
    "\"actor\":",
    "\"actor_type\":\"agent\"",
    "\"message_type\":\"private\"",
    "\"<p>&amp;</p>\"",
    "{\"a\":",
    "[[",
    "\u{feff}",
    "\u{202e}",
];
pub(crate) const TEXT: &[&str] = &[
    "4111",
    "1111 1111 1111",
    "5555555555554444",
    "378282246310005",
    " 12/27 ",
    "123",
    "-",
    ".",
    "/",
    "_",
    "  ",
    "\n",
    "\t",
    "\u{200b}",
    "\u{ad}",
    "\u{2009}",
    "\u{967}",
    "\u{660}",
    "\u{ff14}",
    "\u{1d7d9}",
    "\u{20e3}",
    "eyJ",
    "eyJhbGciOi.eyJzdWIi.",
    "Bearer ",
    "sk-",
    "AKIA",
    "abcdefghijklmnop",
    "@",
    "ana@example.com",
    "+1 (555) ",
    "DE89 3704 0044 0532 0130 00",
    "GB82",
    "078-05-1120",
    "é",
    "🙂",
    "a",
    "Z",
    ", ",
    "|",
    "\r\n",
];
pub(crate) const MARKUP: &[&str] = &[
    "<style>",
    "</style>",
    "<script",
    "</script",
    "<head>",
    "</",
    "<",
    ">",
    "/>",
    "<a href=",
    "\"",
    "'",
    "</a>",
    "<img alt=",
    "href",
    "alt",
    " ",
    "<p>",
    "<br>",
    "<li>",
    "<blockquote>",
    "</blockquote>",
    "<div class=\"gmail_quote\">",
    "</div>",
    "&",
    "&amp;",
    "&#x1F642;",
    "&#",
    ";",
    "javascript:",
    "https://x.example/",
    "mailto:a@b",
    "\n",
    "> ",
    "On 2026, Ana <a@x> wrote:",
    "wrote:",
    "From: a",
    "Subject: b",
    "To: c",
    "--",
    "-----Original Message-----",
    "\u{202e}",
    "🙂",
    "freshdesk_quote",
    "a",
];

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "webhook_body", material: Material { seeds: WEBHOOKS, tokens: JSON }, run: webhook_body },
    Target { name: "peek", material: Material { seeds: WEBHOOKS, tokens: JSON }, run: peek },
    Target { name: "vendor_answers", material: Material { seeds: ANSWERS, tokens: JSON }, run: vendor_answers },
    Target { name: "session_bytes", material: Material { seeds: SESSIONS, tokens: BYTES }, run: session_bytes },
    Target { name: "settings", material: Material { seeds: SETTINGS_SEEDS, tokens: SETTINGS_TOKENS }, run: settings },
    Target { name: "chat_url", material: Material { seeds: URLS, tokens: URL_TOKENS }, run: chat_url_of },
    Target { name: "ticket_domain", material: Material { seeds: URLS, tokens: URL_TOKENS }, run: ticket_domain_of },
    Target { name: "public_key", material: Material { seeds: KEYS, tokens: KEY_TOKENS }, run: public_key_of },
    Target { name: "transcript_split", material: Material { seeds: TEXTS, tokens: TEXT }, run: transcript_split },
    Target { name: "transcript_write", material: Material { seeds: TEXTS, tokens: MARKUP }, run: transcript_write },
    Target { name: "plain_text", material: Material { seeds: PAGES, tokens: MARKUP }, run: plain_text_of },
    Target { name: "quoted_mail", material: Material { seeds: PAGES, tokens: MARKUP }, run: quoted_mail },
    Target { name: "masking", material: Material { seeds: TEXTS, tokens: TEXT }, run: masking_of },
    Target {
        name: "delivery_headers",
        material: Material { seeds: HEADERS, tokens: HEADER_TOKENS },
        run: delivery_headers,
    },
];

const ANSWERS: &[&[u8]] = &[
    include_bytes!("../../../fixtures/api/conversation.2025.json"),
    include_bytes!("../../../fixtures/api/message.2025.json"),
    include_bytes!("../../../fixtures/api/conversation.2023.created.json"),
    include_bytes!("../../../fixtures/api/error.2025.image.json"),
    br#"{"messages":[{"id":"m","actor_type":"agent","actor_id":"a","message_type":"normal","message_parts":[{"text":{"content":"Hi"}}]}]}"#,
    br#"{"channels":[{"id":"c","name":"A","enabled":true}],"groups":[],"agents":[],"users":[],"pagination":{"total_pages":1}}"#,
    br#"[{"id":1,"name":"A","tags":["handoff-7f3a9c2e"],"conversations":[]}]"#,
];
const SESSIONS: &[&[u8]] = &[include_bytes!("../../../fixtures/session/v3.session")];
const BYTES: &[&str] =
    &["\0", "\0\0\0\0", "\u{1}", "\u{7f}", "fwh3", "fwh4", "fwh5", "fwh", "conv", "\u{ff}\u{ff}", "aaaaaaaaaaaaaaaa"];
const SETTINGS_SEEDS: &[&[u8]] = &[
    SETTINGS.as_bytes(),
    br#"{"chat_url":"https://acme.freshchat.com/v2","context":{"*":"shown","order":"ticket.cf_order, user.order"},"file_hosts":["*.x.example"]}"#,
    br#"{"chat_url":"acme","topic_by_locale":{"de":"Hilfe"},"ticket_fields":{"type":"Question"},"ticket_tags":["a"],"resolved":{}}"#,
];
const SETTINGS_TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "-1",
    "1e99",
    "\"chat_url\"",
    "\"masking\"",
    "\"context\"",
    "\"file_hosts\"",
    "\"topics\"",
    "\"resolved\"",
    "\"max_message_chars\"",
    "\"test_origin\"",
    "\"ticket_domain\"",
    "\"ticket_fields\"",
    "\"webhook_public_key\"",
    "\"shown, user.x\"",
    "\"*\"",
    "\"###-##\"",
    "\"http://127.0.0.1:1\"",
    "\\ud83d",
    "500",
    "20000",
];
const URLS: &[&[u8]] = &[
    b"acme",
    b"https://acme.freshchat.com/v2",
    b"acme-933915710582838602-cf5ef642f0f082017690489.freshchat.com",
    b"https://acme.freshdesk.com/a/tickets",
    b"acme.freshservice.com",
    b"\"https://wchat.eu.freshchat.com/js/widget.js\"",
];
const URL_TOKENS: &[&str] = &[
    "https://",
    "http://",
    "://",
    "/",
    "//",
    "\\",
    "@",
    ":",
    ":443",
    ".",
    "..",
    "#",
    "?",
    "%2e",
    ".freshchat.com",
    ".freshdesk.com",
    ".freshservice.com",
    "freshchat.com",
    "acme",
    "xn--",
    "-",
    "\"",
    "<",
    ">",
    " ",
    "\t",
    "\n",
    "\u{3002}",
    "\u{ff0f}",
    "\u{131}",
    "K",
    "[::1]",
    "127.0.0.1",
    "\0",
    "wchat",
    "myfreshworks.com",
];
const KEYS: &[&[u8]] = &[
    KEY.as_bytes(),
    include_bytes!("../../../fixtures/keys/rsa-4096.pub.pem"),
    include_bytes!("../../../fixtures/keys/rsa-1024.pub.pem"),
    include_bytes!("../../../fixtures/keys/ec-p256.pub.pem"),
];
const KEY_TOKENS: &[&str] = &[
    "-----BEGIN ",
    "-----END ",
    "-----",
    "PUBLIC KEY",
    "RSA ",
    "PRIVATE KEY",
    "CERTIFICATE",
    "\n",
    "\\n",
    "\r\n",
    " ",
    "=",
    "==",
    "MIIB",
    "AAAA",
    "+",
    "/",
    "_",
    "é",
];
const TEXTS: &[&[u8]] = &[
    "My card is 4111 1111 1111 1111, valid 12/27.\nThanks".as_bytes(),
    "Bearer abcdefghijklmnopqrst and eyJhbGciOi.eyJzdWIiOi.SflKxwRJ\n\n日本語 🙂".as_bytes(),
    "IBAN DE89 3704 0044 0532 0130 00, mail ana.silva+x@example.co.uk, call +351 912 345 678".as_bytes(),
];
const PAGES: &[&[u8]] = &[
    b"<p>Hi <b>Ana</b>,</p><p>it is&nbsp;here &amp; safe.</p><ul><li>one</li></ul>",
    b"<a href=\"https://x.example/a?b=1&amp;c=2\">the form</a><style>p{}</style><img alt='a map'>",
    b"<div>Found.</div><div class=\"gmail_quote\">On Fri, 27 Nov 2026, Ana wrote:<blockquote>q</blockquote></div>",
    b"Found.\n\nOn Fri, Nov 27, 2026 at 10:00 AM Ana <ana@x.example> wrote:\n> Where?\n",
];
const HEADERS: &[&[u8]] = &[
    b"x-freshchat-signature: AAAA\n\n{}",
    b"X-FreshChat-Signature: AAAA\nX-Freshchat-Signature: BBBB\ncontent-type: application/json\n\n{\"action\":\"x\"}",
];
const HEADER_TOKENS: &[&str] = &[
    "x-freshchat-signature",
    "X-FreshChat-Signature",
    ": ",
    "\n",
    "\n\n",
    "=",
    "==",
    "A",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "+/",
    "-_",
    " ",
    "\t",
    "\0",
    "é",
];

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn all_rules() -> masking::Masking {
    let rules = ["card-numbers", "tokens", "email-addresses", "phone-numbers", "iban", "###-##-####", "ORD-??####"];
    masking::Masking::parse(&rules.map(str::to_owned)).expect("these rules exist")
}

/// Responds to every request with the same body.
struct Answers<'a>(&'a [u8]);

impl Http for Answers<'_> {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let (status, body) = match self.0.split_first() {
            Some((first, _)) if first % 16 == 1 => (404, self.0),
            Some((first, _)) if first % 16 == 2 => (400, self.0),
            _ => (200, self.0),
        };
        let answer = || Ok(Response { status, headers: Vec::new(), body: body.to_vec() });
        requests.iter().map(|_| answer()).collect()
    }
}

fn key() -> ConversationKey {
    ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() }
}

fn stored() -> Session {
    let mut session = Session::decode(SESSIONS[0]).expect("the fixture is a session");
    session.adopt_conversation("conv".into(), Some("12"));
    session
}

fn webhook_body(body: &[u8]) {
    let settings = Settings::parse(SETTINGS).expect("these settings are right");
    let delivery = Delivery { headers: Vec::new(), body: text(body), received_at: NOW };
    let update = webhook::on_verified(&Answers(b"{}"), &settings, &delivery, Some(stored()));
    if let Ok(update) = update {
        Session::decode(&update.session.expect("a session comes back")).expect("what was written can be read");
    }
}

fn peek(body: &[u8]) {
    let ids = webhook::peek(body);
    assert!(ids.len() <= 2 && ids.iter().all(|id| !id.is_empty()));
    assert!(webhook::check(body).is_ok() || ids.is_empty());
}

fn vendor_answers(body: &[u8]) {
    let http = Answers(body);
    // Findings and errors may contain any name from the account; it must only be printable.
    drop(connect::connect(&http, SETTINGS));
    let session = stored().encode();
    drop(tick::tick(&http, SETTINGS, &session, NOW));
    drop(close::close(&http, SETTINGS, &session, CloseReason::UserLeft, false, NOW));
    let request = request("Hello");
    drop(handoff::handoff(&http, SETTINGS, &request, None, NOW));
    let ticket = HandoffRequest { mode: Mode::Ticket, ..request };
    drop(handoff::handoff(&http, SETTINGS, &ticket, None, NOW));
    drop(relay::relay(&http, SETTINGS, &session, &message("Hello"), true, NOW));
}

fn session_bytes(bytes: &[u8]) {
    drop(Session::decode(bytes));
    // As damaged by someone who fixes the checksum: fields must still be distinguished.
    for version in [b'3', b'4', b'5'] {
        let fields = bytes.get(12..).unwrap_or_default();
        let fnv = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let sum: Vec<u8> = match version {
            b'5' => fields.iter().fold(0xcbf2_9ce4_8422_2325, fnv).to_be_bytes().to_vec(),
            _ => Sha256::digest(fields).iter().take(8).copied().collect(),
        };
        let bytes = [b"fwh", &[version][..], &sum, fields].concat();
        if let Ok(session) = Session::decode(&bytes) {
            assert_eq!(Session::decode(&session.encode()).expect("what was written can be read"), session);
        }
    }
}

fn settings(json: &[u8]) {
    let json = text(json);
    if let Ok(settings) = Settings::parse(&json) {
        let written = settings.to_json(&settings.resolved);
        Settings::parse(&written).expect("what was accepted is accepted again");
        drop((settings.origin(), settings.ticket_desk()));
    }
}

fn chat_url_of(url: &[u8]) {
    if let Ok(origin) = chat_url::account_origin(&text(url)) {
        let host = origin.strip_prefix("https://").expect("an origin is https");
        let account = host.strip_suffix(".freshchat.com").expect("an account's host");
        assert!(account.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)), "{origin}");
    }
    if let Ok(origin) = chat_url::loopback_origin("test_origin", &text(url)) {
        let host = origin.strip_prefix("http://").expect("plain HTTP");
        assert!(["127.0.0.1", "localhost", "[::1]"].iter().any(|begin| host.starts_with(begin)), "{origin}");
    }
}

fn ticket_domain_of(url: &[u8]) {
    if let Ok(desk) = ticket_domain::desk(&text(url)) {
        let host = desk.origin.strip_prefix("https://").expect("an origin is https");
        let is_desk = [".freshdesk.com", ".freshservice.com"].iter().any(|domain| host.ends_with(domain));
        let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        assert!(is_desk && is_plain, "{}", desk.origin);
    }
}

fn public_key_of(pasted: &[u8]) {
    if let Ok(key) = public_key::parse(&text(pasted)) {
        assert!((256..=512).contains(&key.n.len()), "{}", key.n.len());
    }
}

fn transcript_split(input: &[u8]) {
    let (size, rest) = input.split_first().unwrap_or((&1, &[]));
    let (text, most) = (text(rest), usize::from(*size) + 1);
    let pieces = transcript::split(&text, most);
    assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.chars().count() <= most));
    let squeeze = |text: &str| text.chars().filter(|letter| !matches!(letter, '\n' | '\r')).collect::<String>();
    assert_eq!(squeeze(&pieces.concat()), squeeze(&text));
}

fn message(text: &str) -> Message {
    let sender =
        Sender { role: SenderRole::EndUser, id: Some("u".into()), name: Some(text.to_owned()), avatar_url: None };
    let file = Part { name: Some(text.to_owned()), url: Some(text.to_owned()), ..Part::empty(PartKind::File) };
    Message { id: "m".into(), sender, sent_at: NOW, parts: vec![Part::text(text), file] }
}

fn request(text: &str) -> HandoffRequest {
    HandoffRequest {
        key: key(),
        user: EndUser {
            id: "u".into(),
            name: Some(text.to_owned()),
            email: Some("ana@example.com".into()),
            email_verified: true,
            ..EndUser::default()
        },
        mode: Mode::Live,
        reason: Reason::Api,
        reason_text: Some(text.to_owned()),
        category: Some(text.to_owned()),
        summary: Some(text.to_owned()),
        history: Some(vec![message(text), message(text)]),
        context: Some(vec![("note".into(), text.to_owned())]),
        routing: None,
        retry: false,
    }
}

fn transcript_write(input: &[u8]) {
    let (size, rest) = input.split_first().unwrap_or((&1, &[]));
    let (text, max_chars) = (text(rest), 500 + usize::from(*size) * 4);
    let (request, masking) = (request(&text), all_rules());
    let shown = [("note".to_owned(), text)];
    let style = transcript::Style {
        reference: "7f3a9c2e",
        max_chars,
        language: freshworks_handoff::text::languages::of("de").expect("German has labels"),
        time_zone: &freshworks_handoff::text::time_zone::TimeZone::utc(),
        masking: &masking,
        shown: &shown,
        says_next: true,
    };
    for first in 0..=2 {
        let written = transcript::write(&request, first, &style);
        let opening = written.opening.as_ref().unwrap_or(&written.brief);
        assert!(transcript::is_opening(opening), "{opening:?}");
        assert!(transcript::is_brief(&written.brief), "{:?}", written.brief);
        assert!(written.pages.iter().all(|page| transcript::is_marked(page) && page.chars().count() <= max_chars));
    }
}

fn plain_text_of(input: &[u8]) {
    let text = text(input);
    let plain = plain_text::from_rich(&text);
    assert!(!plain.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t'));
    assert!(!plain_text::escape_html(&text).replace("<br>", "").contains(['<', '>', '"']));
    if let Some(url) = plain_text::address(&text, "https://acme.freshchat.com") {
        assert!(plain_text::is_link(&url), "{url}");
    }
}

fn quoted_mail(input: &[u8]) {
    let text = text(input);
    let rest = quotes::without_quoted_text(&plain_text::from_rich(&quotes::without_quoted_html(&text)));
    assert!(quotes::without_quoted_text(&text).len() <= text.len() && rest.len() <= text.len() * 2);
}

fn masking_of(input: &[u8]) {
    let (text, rules) = (text(input), all_rules());
    let (once, _) = rules.apply(&text);
    let (twice, count) = rules.apply(&once);
    assert_eq!((twice.as_ref(), count), (once.as_ref(), 0));
    // Invisible characters hide nothing.
    let hidden: String = text.chars().flat_map(|letter| [letter, '\u{200b}']).collect();
    assert_eq!(rules.apply(&hidden).1, rules.apply(&text).1);
}

fn delivery_headers(input: &[u8]) {
    let input = text(input);
    let (head, body) = input.split_once("\n\n").unwrap_or((&input, ""));
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers: Vec<_> = head.lines().filter_map(header).collect();
    // Nobody has signed this.
    assert!(signature::verify(&headers, body.as_bytes(), Some(KEY)).is_err());
    assert!(signature::verify(&headers, body.as_bytes(), Some(&input)).is_err());
}

/// A webhook about a message of an agent.
pub(crate) fn agent_message(input: &[u8]) {
    let parts = serde_json::json!([
        { "text": { "content": text(input) } },
        { "url_button": { "label": text(input), "url": text(input) } },
        { "file": { "name": text(input), "url": text(input) } },
    ]);
    let body = serde_json::json!({ "action": "message_create", "actor": { "actor_type": "agent", "actor_id": "a" }, "data": {
        "message": { "id": "m", "conversation_id": "conv", "actor_type": "agent", "actor_id": "a", "message_type": "normal",
            "message_parts": parts } } });
    webhook_body(body.to_string().as_bytes());
}

/// The return to the AI agent, with the summary.
pub(crate) fn summary(input: &[u8]) {
    let message = |actor: &str| {
        serde_json::json!({ "id": actor, "actor_type": actor, "actor_id": "a", "message_type": "normal",
            "message_parts": [{ "text": { "content": text(input) } }] })
    };
    let newest = serde_json::json!({ "messages": [message("agent"), message("user")] }).to_string();
    let body = serde_json::json!({ "action": "conversation_resolution", "action_time": "2030-01-01T00:00:00.000Z",
        "actor": { "actor_type": "agent", "actor_id": "a" },
        "data": { "resolve": { "conversation": { "conversation_id": "conv" } } } });
    let settings = Settings::parse(SETTINGS).expect("these settings are right");
    let body = body.to_string();
    let delivery = Delivery { headers: Vec::new(), body, received_at: NOW };
    let mut session = stored();
    session.state = handoff_contract::model::SessionState::Active;
    session.agent = Some("a".into());
    let update = webhook::on_verified(&Answers(newest.as_bytes()), &settings, &delivery, Some(session));
    let events = update.expect("a webhook of this kind can be read").events;
    assert!(events.iter().any(|event| event.summary.is_some()), "the summary is what this measures");
}

/// A ticket's session, and a response of the desk for any request.
fn ticketed() -> Session {
    let mut session = Session::begin(&key(), 1);
    session.ticket = Some("7".into());
    session.state = handoff_contract::model::SessionState::Ticketed;
    session
}

/// A reply of an agent under a ticket, with the mail that it quotes.
pub(crate) fn ticket_reply(input: &[u8]) {
    let entry = serde_json::json!({ "id": 9, "body": text(input), "body_text": text(input), "incoming": false, "private": false,
        "user_id": 3, "created_at": "2026-11-27T00:00:00Z" });
    let bodies = [serde_json::json!({ "id": 7, "status": 2 }).to_string(), serde_json::json!([entry]).to_string()];
    let update = tick::tick(&InTurn(bodies), SETTINGS, &ticketed().encode(), NOW);
    drop(update.expect("the desk can be read"));
}

/// Responds to the first request with one body and to the second with the other.
struct InTurn([String; 2]);

impl Http for InTurn {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let body = |request: &Request| self.0[usize::from(request.path.contains("conversations"))].clone().into_bytes();
        requests.iter().map(|it| Ok(Response { status: 200, headers: Vec::new(), body: body(it) })).collect()
    }
}

/// A message of the end user to human agents.
pub(crate) fn relayed_message(input: &[u8]) {
    let mut session = stored();
    session.state = handoff_contract::model::SessionState::Active;
    drop(relay::relay(&Answers(br#"{"id":"m"}"#), SETTINGS, &session.encode(), &message(&text(input)), false, NOW));
}

/// A message of the end user to a ticket.
pub(crate) fn relayed_to_ticket(input: &[u8]) {
    drop(relay::relay(&Answers(br#"{"id":8}"#), SETTINGS, &ticketed().encode(), &message(&text(input)), false, NOW));
}

/// A live handoff.
pub(crate) fn handed_over(input: &[u8]) {
    drop(handoff::preview(
        &Answers(br#"{"users":[],"channels":[{"id":"c","name":"A","enabled":true}]}"#),
        SETTINGS,
        &request(&text(input)),
        NOW,
    ));
}

/// A ticket.
pub(crate) fn filed(input: &[u8]) {
    let request = HandoffRequest { mode: Mode::Ticket, ..request(&text(input)) };
    drop(handoff::handoff(&Answers(br#"{"id":8}"#), SETTINGS, &request, None, NOW));
}

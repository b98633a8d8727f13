//! Targets of the bridge.

use std::sync::LazyLock;

use handoff_bridge::connections::{ConnectBody, WebhookKeyBody};
use handoff_bridge::http::IncomingRequest;
use handoff_bridge::http::problem::{Problem, read};
use handoff_bridge::http::route;
use handoff_bridge::platform::standard_webhooks;
use handoff_bridge::platform::{Platform, PlatformSettings, WebhookEndpoint};
use handoff_bridge::service::{CloseBody, EventsBody, UndeliveredBody};
use handoff_contract::model::{HandoffRequest, Message};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Target;
use crate::script::Material;

const NOW: u64 = 1_795_000_000_000;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

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
    "-1",
    "1e999",
    "\\ud83d",
    "\"key\":",
    "\"user\":",
    "\"history\":",
    "\"parts\":",
    "\"kind\":\"text\"",
    "\"text\":",
    "\"sender\":{\"role\":\"end-user\"}",
    "\"mode\":\"live\"",
    "\"reason\":\"api\"",
    "\"settings\":{}",
    "\"platform\":",
    "\"reason\":\"user-left\"",
    "\"after\":",
    "\"message\":",
    "\"type\":\"message.created\"",
    "\"data\":",
    "\"category\":\"handoff\"",
    "\"conversation\":",
    "\"channel_url\":\"c\"",
    "\"payload\":",
    "\"files\":[",
    "{\"a\":",
    "[[",
    "\u{feff}",
];
const BODIES: &[&[u8]] = &[
    br#"{"key":{"application":"a","channel":"c","conversation":"1"},"user":{"id":"u","name":"Ana"},"mode":"live","reason":"api","summary":"Late.","history":[{"id":"1","sent_at":1,"sender":{"role":"end-user"},"parts":[{"kind":"text","text":"Hi"}]}]}"#,
    br#"{"id":"m","sent_at":1,"sender":{"role":"end-user"},"parts":[{"kind":"file","url":"https://x/a","name":"a.pdf"}]}"#,
    br#"{"settings":{"chat_url":"acme"},"platform":{"kind":"polling"},"keep_secrets":true}"#,
    br#"{"reason":"user-left"}"#,
    br#"{"after":3}"#,
];
const EVENTS: &[&[u8]] = &[
    br#"{"type":"message.created","timestamp":"2026-11-27T00:00:00Z","data":{"key":{"application":"a","channel":"c","conversation":"1"},"message":{"id":"m","sent_at":1,"sender":{"role":"end-user"},"parts":[{"kind":"text","text":"Hi"}]}}}"#,
    br#"{"type":"conversation.closed","data":{"key":{"application":"a","channel":"c","conversation":"1"},"reason":"user-left"}}"#,
    br#"{"category":"handoff","id":"e1","app_id":"APP","created_at":"2026-11-27T00:00:00Z","data":{"ai_agent_id":"agent","conversation":{"id":7,"channel_url":"c","user_id":"u","started_at":"2026-11-27T00:00:00Z","ai_agent_context":{"context":{"email":"a@b.example"}}}}}"#,
    br#"{"category":"message:user_sent","app_id":"APP","data":{"ai_agent_id":"agent","conversation":{"id":7,"channel_url":"c","user_id":"u"},"message":{"message_id":9,"content":"Hi"}}}"#,
    br#"{"category":"group_channel:message_send","app_id":"APP","type":"FILE","payload":{"message_id":1,"url":"https://x/a"},"files":[{"url":"https://x/b"}],"sender":{"user_id":"u"},"channel":{"channel_url":"c"}}"#,
];
const SIGNED: &[&[u8]] = &[
    b"webhook-id: msg_1\nwebhook-timestamp: 1795000000\nwebhook-signature: v1,AAAA v1,BBBB v2,x\n\n{}",
    b"webhook-id: \nwebhook-timestamp: -1\n\n",
];
const HEADER_TOKENS: &[&str] = &[
    "webhook-id: ",
    "webhook-timestamp: ",
    "webhook-signature: ",
    "x-sendbird-signature: ",
    "v1,",
    "v1a,",
    " ",
    "\n",
    "\n\n",
    "1795000000",
    "99999999999999999999",
    "-",
    "AAAA",
    "=",
    "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "whsec_",
    "abcdef0123456789",
    "é",
];
const PATHS: &[&[u8]] = &[
    b"GET /v1/connections/acme/handoffs/h_1",
    b"POST /webhooks/freshchat/acme/secret",
    b"POST /v1/connections/acme/handoffs/h/messages",
    b"GET /console/app.js",
    b"DELETE /v1/connections/acme",
];
const PATH_TOKENS: &[&str] = &[
    "/",
    "//",
    "v1",
    "connections",
    "handoffs",
    "webhooks",
    "freshchat",
    "platform",
    "console",
    "..",
    "%2f",
    "%00",
    "?",
    "#",
    " ",
    "GET ",
    "POST ",
    "PUT ",
    "acme",
    "é",
];

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "bridge_bodies", material: Material { seeds: BODIES, tokens: JSON }, run: bridge_bodies },
    Target { name: "platform_events", material: Material { seeds: EVENTS, tokens: JSON }, run: platform_events },
    Target {
        name: "standard_webhooks",
        material: Material { seeds: SIGNED, tokens: HEADER_TOKENS },
        run: standard_webhooks_of,
    },
    Target { name: "bridge_paths", material: Material { seeds: PATHS, tokens: PATH_TOKENS }, run: bridge_paths },
];

/// An error names the position, never the content.
fn check<T>(read: Result<T, Problem>) {
    drop(read);
}

fn bridge_bodies(body: &[u8]) {
    check(read::<HandoffRequest>(body, "request"));
    check(read::<Message>(body, "message"));
    check(read::<ConnectBody>(body, "body"));
    check(read::<WebhookKeyBody>(body, "body"));
    check(read::<CloseBody>(body, "body"));
    check(read::<EventsBody>(body, "body"));
    check(read::<UndeliveredBody>(body, "body"));
}

static GENERIC: LazyLock<PlatformSettings> = LazyLock::new(|| {
    let json = format!(r#"{{"kind":"generic","callback_url":"https://x.example/cb","secret":"{SECRET}"}}"#);
    serde_json::from_str(&json).expect("these settings are right")
});
static DELIGHT: LazyLock<PlatformSettings> = LazyLock::new(|| {
    let json =
        r#"{"kind":"delight","app_id":"APP","ai_agent_id":"agent","api_token":"token","signature_secret":"signs"}"#;
    serde_json::from_str(json).expect("these settings are right")
});

/// Signed input is parsed: a signing account may still send anything.
fn platform_events(body: &[u8]) {
    let headers = standard_webhooks::headers(SECRET, "msg_1", NOW, body).expect("this secret signs");
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let call = IncomingRequest { method: "POST", path: "/", query: "", headers, body, now: NOW };
    drop(GENERIC.read(WebhookEndpoint::Platform, &call));
    for (endpoint, key) in [(WebhookEndpoint::Platform, "signs"), (WebhookEndpoint::Chat, "token")] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key does");
        mac.update(body);
        let hex = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = vec![("x-sendbird-signature".to_owned(), hex)];
        let call = IncomingRequest { method: "POST", path: "/", query: "", headers, body, now: NOW };
        drop(DELIGHT.read(endpoint, &call));
    }
}

fn standard_webhooks_of(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let (head, body) = input.split_once("\n\n").unwrap_or((&input, ""));
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = head.lines().filter_map(header).collect();
    let call = IncomingRequest { method: "POST", path: "/", query: "", headers, body: body.as_bytes(), now: NOW };
    // It is not signed.
    assert!(standard_webhooks::verify(SECRET, &call).is_err());
    assert!(DELIGHT.read(WebhookEndpoint::Chat, &call).is_err());
    if standard_webhooks::is_secret(&input) {
        assert!(standard_webhooks::headers(&input, "msg_1", NOW, b"{}").is_some());
    }
}

fn bridge_paths(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let (method, path) = input.split_once(' ').unwrap_or(("GET", &input));
    let _ = route::find(method, path);
}

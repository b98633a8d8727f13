//! Webhooks that are too old, addresses that change, and keys that belong to one request.

use freshworks_handoff::http::Http;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{App, START, ask, body, connection, freshchat, handed_over, request};
use crate::http::OutgoingResponse;
use crate::problem::Problem;
use crate::service::Policy;
use crate::testing::{Memory, Outside};

const HOUR: u64 = 60 * 60 * 1000;
/// 2026-11-23T10:00:00Z.
const SENT: u64 = 1_795_428_000_000;
const PUBLIC_KEY: &str = include_str!("../../../../fixtures/keys/rsa-3072.pub.pem");

fn path_of(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://bridge.example").unwrap().to_owned()
}

fn delight() -> Value {
    json!({
        "settings": { "chat_url": "acme", "api_key": "k-1", "webhook_public_key": PUBLIC_KEY },
        "platform": {
            "kind": "delight", "app_id": "APP-1", "ai_agent_id": "helper", "api_token": "master", "signature_secret": "own",
        },
    })
}

fn signed(key: &str, body: &Value) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body.to_string().as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_genuine_webhook_that_is_too_old_is_refused_as_stale() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let connected = ask(&http, &state, "PUT", "/v1/connections/acme", &delight(), SENT);
    let webhooks = body(&connected)["webhooks"].clone();
    let agent = json!({ "category": "conversation:analyzed", "app_id": "APP-1", "created_at": "2026-11-23T10:00:00.000Z", "data": {} });
    let chat =
        json!({ "category": "group_channel:message_send", "app_id": "APP-1", "payload": { "created_at": SENT } });
    for (address, key, event) in [(&webhooks["platform"], "own", &agent), (&webhooks["chat"], "master", &chat)] {
        let signature = signed(key, event);
        let send = |policy: Policy, at: u64| {
            let app = App { policy, ..App::plain(&http, &state) };
            app.ask(&[("x-sendbird-signature", &signature)], "POST", &path_of(address), event, at)
        };
        assert_eq!(send(Policy::default(), SENT + 24 * HOUR).status, 204);
        let late = send(Policy::default(), SENT + 24 * HOUR + 1);
        assert_eq!((late.status, &body(&late)["kind"]), (422, &json!("stale")), "{key}");
        assert_eq!(send(Policy { stale_after_ms: 48 * HOUR, ..Policy::default() }, SENT + 48 * HOUR).status, 204);
        assert_eq!(send(Policy { stale_after_ms: 0, ..Policy::default() }, SENT + 9_999 * HOUR).status, 204);
        assert_eq!(send(Policy::default(), SENT - 48 * HOUR).status, 204, "a wrong clock is no replay");
    }
    let activity = ask(&http, &state, "GET", "/v1/connections/acme/activity", &Value::Null, SENT);
    let troubles = body(&activity)["troubles"].to_string();
    assert!(troubles.contains("\"stale\""), "{troubles}");
}

#[test]
fn changed_addresses_work_beside_the_old_ones_until_the_overlap_ends() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let webhooks = |answer: &OutgoingResponse| path_of(&body(answer)["webhooks"]["platform"]);
    let before = webhooks(&ask(&http, &state, "GET", "/v1/connections/acme", &Value::Null, START + 3_000));
    let app = App { drawn: [8; 24], ..App::plain(&http, &state) };
    let path = "/v1/connections/acme/webhook-secret";
    let changed = app.ask_with_token("POST", path, &json!({ "overlap_hours": 2 }), START + 3_000);
    let after = webhooks(&changed);
    assert!(before != after && body(&changed)["old_webhooks_until"] == START + 3_000 + 2 * HOUR, "{changed:?}");

    let told =
        json!({ "type": "message.created", "data": { "key": request()["key"], "message": super::message("m-1") } });
    let send = |path: &str, at: u64| {
        let text = told.to_string();
        let signed = crate::standard_webhooks::headers(super::SECRET, "evt-1", at, text.as_bytes()).unwrap();
        let headers: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.ask(&headers, "POST", path, &told, at).status
    };
    let end = START + 3_000 + 2 * HOUR;
    assert_eq!([send(&before, end - 1), send(&after, end - 1)], [204, 204]);
    assert_eq!([send(&before, end), send(&after, end)], [401, 204]);
    // What was handed over before is still there, and a change of settings in between changes nothing about it.
    let shown = app.ask_with_token("GET", &handoff, &Value::Null, end);
    assert_eq!(body(&shown)["owner"], "human-agent");
    let saved = app.ask_with_token("PUT", "/v1/connections/acme", &connection(), end - 1);
    assert_eq!((webhooks(&saved), body(&saved)["old_webhooks_until"].clone()), (after, json!(end)));
    // One that has leaked ends at once.
    let app = App { drawn: [9; 24], ..App::plain(&http, &state) };
    let leaked = webhooks(&app.ask_with_token("POST", path, &json!({ "overlap_hours": 0 }), end));
    assert_eq!([send(&before, end), send(&leaked, end)], [401, 204]);
    let long = app.ask_with_token("POST", path, &json!({ "overlap_hours": 721 }), end);
    assert_eq!((long.status, &body(&long)["field"]), (400, &json!("change.overlap_hours")));
}

#[test]
fn the_ticket_desks_secret_changes_with_the_addresses() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let mut with_desk = connection();
    with_desk["settings"]["ticket_domain"] = json!("acme.freshdesk.com");
    with_desk["settings"]["ticket_api_key"] = json!("k-2");
    let secret = |answer: &OutgoingResponse| body(answer)["webhooks"]["tickets"]["secret"].as_str().unwrap().to_owned();
    let before = secret(&ask(&http, &state, "PUT", "/v1/connections/acme", &with_desk, 1_000));
    let app = App { drawn: [8; 24], ..App::plain(&http, &state) };
    let body = json!({ "overlap_hours": 1 });
    let after = secret(&app.ask_with_token("POST", "/v1/connections/acme/webhook-secret", &body, 1_000));
    let nudge = |secret: &str, at: u64| {
        app.ask(&[("x-webhook-secret", secret)], "POST", "/webhooks/freshdesk/acme", &json!({ "ticket_id": "99" }), at)
    };
    assert_eq!([nudge(&before, 2_000).status, nudge(&after, 2_000).status], [204, 204]);
    assert_eq!(nudge(&before, 1_000 + HOUR), OutgoingResponse::from(Problem::not_allowed()));
    assert_eq!(nudge(&after, 1_000 + HOUR).status, 204);
}

fn with_key<H: Http>(http: &H, state: &Memory, key: &str, body: &Value, at: u64) -> OutgoingResponse {
    let headers = [("authorization", "Bearer token-1-of-the-first-admin"), ("idempotency-key", key)];
    App::plain(http, state).ask(&headers, "POST", "/v1/connections/acme/handoffs", body, at)
}

#[test]
fn an_idempotency_key_belongs_to_one_request() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    assert_eq!(with_key(&http, &state, "key-1", &request(), 2_000).status, 200);
    let asked = http.asked.borrow().len();
    assert_eq!(with_key(&http, &state, "key-1", &request(), 3_000).status, 200, "a repeat");
    // Another message, and another conversation.
    let (mut changed, mut another) = (request(), request());
    changed["history"][0]["parts"][0]["text"] = json!("Something else");
    another["key"]["conversation"] = json!("2");
    for body in [changed, another.clone()] {
        let refused = with_key(&http, &state, "key-1", &body, 4_000);
        assert_eq!((refused.status, &self::body(&refused)["kind"]), (422, &json!("key-reused")));
        assert_eq!(self::body(&refused)["field"], "Idempotency-Key");
    }
    assert_eq!(http.asked.borrow().len(), asked, "nothing was asked of anybody");
    assert_eq!(with_key(&http, &state, "key-2", &another, 5_000).status, 200);
}

#[test]
fn a_request_that_was_refused_may_be_mended_under_its_key() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let mut wrong = request();
    wrong["user"]["id"] = json!("");
    assert_eq!(with_key(&http, &state, "key-1", &wrong, 2_000).status, 400);
    assert_eq!(with_key(&http, &state, "key-1", &request(), 3_000).status, 200);
}

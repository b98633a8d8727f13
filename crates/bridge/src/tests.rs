//! The service over a store in memory and a scripted outside.

mod access;
mod choices;
mod connecting;
mod console;
mod estimates_and_ratings;
mod inbox;
#[cfg(feature = "mcp")]
mod mcp;
mod people;
mod proof;
mod secrets;
mod ticket_webhook;
mod upgrade;
mod watch;
mod webhooks;

use std::cell::Cell;

use base64ct::{Base64UrlUnpadded, Encoding};
use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::Http;
use serde_json::{Value, json};

use crate::access::destinations::Destinations;
use crate::http::problem::Problem;
use crate::http::{Body, IncomingRequest, OutgoingResponse};
use crate::metrics::counters::Counters;
use crate::service::{Policy, Service};
use crate::state::{Saved, State};
use crate::testing::{Memory, Outside};
use crate::webhooks::inbox::Later;

/// When the tests begin, in milliseconds since 1970.
const START: u64 = 1_790_000_000_000;
const LEASE_MS: u64 = 28_000;
const TOKEN: &str = "token-1-of-the-first-admin";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwQUJD";

/// A Freshchat in which everything is there.
fn freshchat(line: &str) -> (u16, String) {
    let body = match line.split("/v2").nth(1).unwrap_or_default() {
        "/accounts/configuration" => r#"{"organisation_id": "1", "account_domain": "acme.freshchat.com"}"#,
        path if path.starts_with("/channels") => r#"{"channels": [{"id": "t-1", "name": "Sendbird Integration"}]}"#,
        path if path.starts_with("/users?") => r#"{"users": [{"id": "u-1", "reference_id": "user-1"}]}"#,
        "/users/u-1/conversations" => r#"{"conversations": []}"#,
        "/conversations" => r#"{"conversation_id": "c-1", "channel_id": "t-1", "messages": [{"id": "m-1"}]}"#,
        path if path.contains("/messages?") => r#"{"messages": []}"#,
        path if path.ends_with("/messages") => r#"{"id": "m-2"}"#,
        _ => "{}",
    };
    (200, body.to_owned())
}

/// One request to an app of its own: which secrets it has and draws.
struct App<'a, H> {
    http: &'a H,
    state: &'a Memory,
    token: &'static str,
    drawn: [u8; 24],
    policy: Policy,
    public_url: &'static str,
}

impl<'a, H: Http> App<'a, H> {
    fn plain(http: &'a H, state: &'a Memory) -> Self {
        App {
            http,
            state,
            token: TOKEN,
            drawn: [7; 24],
            policy: Policy::default(),
            public_url: "https://bridge.example",
        }
    }

    fn ask_with_token(&self, method: &str, path: &str, body: &Value, at: u64) -> OutgoingResponse {
        self.ask(&[("authorization", &format!("Bearer {TOKEN}"))], method, path, body, at)
    }

    /// `at`: milliseconds after [`START`], or a whole time.
    fn ask(&self, headers: &[(&str, &str)], method: &str, path: &str, body: &Value, at: u64) -> OutgoingResponse {
        let at = if at < START { START + at } else { at };
        // Waiting moves the clock.
        let clock = Cell::new(at);
        let service = Service {
            http: self.http,
            state: self.state,
            token: self.token,
            destinations: &Destinations::default(),
            public_url: self.public_url,
            policy: &self.policy,
            clock: &|| clock.get(),
            pause: &|ms| clock.set(clock.get() + ms),
            draw: &|| self.drawn,
            log: &|_| (),
            counters: Counters::default(),
            later: Later::default(),
        };
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.to_string().into_bytes();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let answer = service.answer(&IncomingRequest { method, path, query, headers, body: &body, now: at });
        service.finish();
        answer
    }
}

fn ask_as<H: Http>(
    http: &H,
    state: &Memory,
    headers: &[(&str, &str)],
    method: &str,
    path: &str,
    body: &Value,
    at: u64,
) -> OutgoingResponse {
    App::plain(http, state).ask(headers, method, path, body, at)
}

fn ask<H: Http>(http: &H, state: &Memory, method: &str, path: &str, body: &Value, at: u64) -> OutgoingResponse {
    ask_as(http, state, &[("authorization", "Bearer token-1-of-the-first-admin")], method, path, body, at)
}

fn connection() -> Value {
    json!({
        "settings": { "chat_url": "acme", "api_key": "k-1" },
        "platform": { "kind": "generic", "callback_url": "https://platform.example/events", "secret": SECRET },
    })
}

fn request() -> Value {
    json!({
        "key": { "application": "a", "channel": "c", "conversation": "1" },
        "user": { "id": "user-1", "name": "Ana" },
        "mode": "live", "reason": "user-asked",
        "history": [{
            "id": "1", "sender": { "role": "end-user" }, "sent_at": START, "parts": [{ "kind": "text", "text": "Hello" }],
        }],
    })
}

fn message(id: &str) -> Value {
    json!({ "id": id, "sender": { "role": "end-user" }, "sent_at": START, "parts": [{ "kind": "text", "text": "More" }] })
}

fn body(answer: &OutgoingResponse) -> &Value {
    match answer.body.as_ref().unwrap() {
        Body::Json(body) => body,
        Body::Bytes(kind, _) => panic!("this is {kind}"),
    }
}

/// A connected account with one handoff; the path of the handoff.
fn handed_over<H: Http>(http: &H, state: &Memory) -> String {
    assert_eq!(body(&ask(http, state, "PUT", "/v1/connections/acme", &connection(), 1_000))["connected"], true);
    let answer = ask(http, state, "POST", "/v1/connections/acme/handoffs", &request(), 2_000);
    assert_eq!(answer.status, 200, "{answer:?}");
    format!("/v1/connections/acme/handoffs/{}", body(&answer)["id"].as_str().unwrap())
}

#[test]
fn a_conversation_is_handed_over_relayed_and_closed() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let shown = ask(&http, &state, "GET", &handoff, &Value::Null, 3_000);
    assert_eq!((&body(&shown)["state"], &body(&shown)["owner"]), (&json!("queued"), &json!("human-agent")));
    let list = ask(&http, &state, "GET", "/v1/connections/acme/handoffs", &Value::Null, 3_000);
    assert_eq!(body(&list)["handoffs"].as_array().unwrap().len(), 1);
    let relayed = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 4_000);
    assert_eq!(relayed.status, 200, "{relayed:?}");
    let closed = ask(&http, &state, "POST", &format!("{handoff}/close"), &json!({ "reason": "user-left" }), 5_000);
    assert_eq!(body(&closed)["events"][0]["kind"], "returned-to-ai");
    assert_eq!(body(&closed)["owner"], "ai-agent");
}

#[test]
fn the_platforms_own_ids_make_a_repetition_harmless() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let asked = http.asked.borrow().len();
    let again = ask(&http, &state, "POST", "/v1/connections/acme/handoffs", &request(), 3_000);
    assert_eq!((again.status, http.asked.borrow().len()), (200, asked));
    let path = format!("{handoff}/messages");
    ask(&http, &state, "POST", &path, &message("m1"), 4_000);
    let asked = http.asked.borrow().len();
    assert_eq!(ask(&http, &state, "POST", &path, &message("m1"), 5_000).status, 200);
    assert_eq!(http.asked.borrow().len(), asked);
}

#[test]
fn strangers_learn_nothing() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let asked = http.asked.borrow().len();
    let mut answers = Vec::new();
    for authorization in
        ["", TOKEN, "Bearer ", "Bearer token-2", "bearer token-1-of-the-first-admin", "Basic dG9rZW4tMQ=="]
    {
        for (method, path) in
            [("GET", handoff.as_str()), ("GET", "/v1/connections/none"), ("GET", "/nowhere"), ("POST", "/v1/tick")]
        {
            answers.push(ask_as(&http, &state, &[("authorization", authorization)], method, path, &Value::Null, 3_000));
        }
    }
    for path in ["/webhooks/freshchat/acme/wrong", "/webhooks/freshchat/none/wrong"] {
        answers.push(ask_as(&http, &state, &[], "POST", path, &Value::Null, 3_000));
    }
    let right = Base64UrlUnpadded::encode_string(&[7; 24]);
    let forged = [("x-freshchat-signature", "AAAA")];
    answers.push(ask_as(
        &http,
        &state,
        &forged,
        "POST",
        &format!("/webhooks/freshchat/acme/{right}"),
        &json!({}),
        3_000,
    ));
    let expected = OutgoingResponse::from(Problem::not_allowed());
    for answer in answers.iter().take(answers.len() - 1) {
        assert_eq!(*answer, expected);
    }
    // Settings without a public key refuse every webhook, and say so to whoever knows the path.
    assert!(answers.last().unwrap().status >= 400);
    assert_eq!(http.asked.borrow().len(), asked, "nothing was asked of anybody");
}

#[test]
fn without_a_token_of_its_own_the_service_lets_nobody_in() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = App { token: "", ..App::plain(&http, &state) };
    assert_eq!(app.ask(&[("authorization", "Bearer ")], "POST", "/v1/tick", &Value::Null, 1).status, 401);
}

#[test]
fn tenants_do_not_see_one_another() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    ask(&http, &state, "PUT", "/v1/connections/other", &connection(), 3_000);
    let foreign = handoff.replace("/acme/", "/other/");
    for (method, path, body) in [
        ("GET", foreign.clone(), Value::Null),
        ("POST", format!("{foreign}/messages"), message("m1")),
        ("POST", format!("{foreign}/close"), json!({ "reason": "user-left" })),
    ] {
        let answer = ask(&http, &state, method, &path, &body, 4_000);
        assert_eq!((answer.status, &self::body(&answer)["kind"]), (404, &json!("unknown")), "{path}");
    }
    let list = ask(&http, &state, "GET", "/v1/connections/other/handoffs", &Value::Null, 4_000);
    assert_eq!(body(&list)["handoffs"], json!([]));
}

#[test]
fn two_requests_for_one_conversation_do_not_work_at_once() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let id = handoff.rsplit('/').next().unwrap();
    let doing = format!("message:{}", digest(&["m1"], 8));
    let held = state.lease("acme", id, &doing, START + 3_000, LEASE_MS, false).unwrap().unwrap();
    let busy = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), START + 3_001);
    assert_eq!((busy.status, &body(&busy)["kind"]), (503, &json!("busy")));
    assert_eq!(busy.headers, [("retry-after", "1".to_owned())]);

    // Whoever had it died: after its time the next one looks before it writes, and the dead one saves nothing.
    let asked = http.asked.borrow().len();
    let later = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), START + 3_000 + LEASE_MS);
    assert_eq!(later.status, 200, "{later:?}");
    assert!(http.asked.borrow()[asked].starts_with("Get "), "{:?}", &http.asked.borrow()[asked..]);
    let stale = held.handoff.unwrap();
    assert_eq!(state.save(&stale, &[], &[], held.number), Ok(Saved::Overtaken));
}

#[test]
fn what_a_failed_call_has_done_is_kept() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let lost = |line: &str| {
        if line.starts_with("Post") && line.ends_with("/messages") { (500, String::new()) } else { freshchat(line) }
    };
    let failing = Outside::new(lost);
    let answer = ask(&failing, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 3_000);
    assert_eq!((answer.status, &body(&answer)["kind"]), (503, &json!("outcome-unknown")));
    let again = Outside::new(freshchat);
    assert_eq!(ask(&again, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 9_000).status, 200);
    assert!(again.asked.borrow()[0].starts_with("Get "), "it looks first");
}

#[test]
fn bodies_that_cannot_be_read_name_the_place() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let mut wrong = request();
    wrong["history"][0]["sender"]["role"] = json!("somebody xylomar");
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/handoffs", &wrong, 3_000);
    assert_eq!((answer.status, &body(&answer)["field"]), (400, &json!("request.history[0].sender.role")));
    assert!(!body(&answer).to_string().contains("xylomar"));
    let mut wrong = request();
    wrong["user"]["mail"] = json!("ana@example.com");
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/handoffs", &wrong, 3_000);
    assert_eq!((answer.status, &body(&answer)["field"]), (400, &json!("request.user.mail")), "misspelt names");
    let answer = ask(&http, &state, "POST", &format!("{handoff}/close"), &json!([]), 3_000);
    assert_eq!((answer.status, &body(&answer)["field"]), (400, &json!("close")));
    let mut wrong = connection();
    wrong["platform"]["secret"] = json!("whsec_short");
    let answer = ask(&http, &state, "PUT", "/v1/connections/acme", &wrong, 3_000);
    assert_eq!((answer.status, &body(&answer)["field"]), (422, &json!("platform.secret")));
}

#[test]
fn a_webhooks_path_stays_when_the_account_is_connected_again() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let first = ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let app = App { drawn: [8; 24], ..App::plain(&http, &state) };
    let headers = [("authorization", "Bearer token-1-of-the-first-admin")];
    let again = app.ask(&headers, "PUT", "/v1/connections/acme", &connection(), 2_000);
    assert_eq!(body(&first)["webhooks"], body(&again)["webhooks"]);
    let shown = body(&again).to_string();
    assert!(!shown.contains("k-1") && !shown.contains(SECRET), "secrets do not come back");
}

#[test]
fn a_store_that_is_away_is_said_so() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    *state.is_down.borrow_mut() = true;
    let answer = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 3_000);
    assert_eq!((answer.status, &body(&answer)["kind"]), (503, &json!("unavailable")));
}

#[test]
fn a_stored_secret_goes_to_no_new_destination() {
    let delight = |app_id: &str, callback: &str| {
        json!({
            "kind": "delight", "app_id": app_id, "ai_agent_id": "agent-1",
            "callback": { "callback_url": callback },
        })
    };
    let generic = |callback: &str| json!({ "kind": "generic", "callback_url": callback });
    let desk = json!({ "chat_url": "acme", "ticket_domain": "acme" });
    let callback = "https://platform.example/events";
    let mut first = delight("APP-1", callback);
    first["api_token"] = json!("token");
    first["callback"]["secret"] = json!(SECRET);
    let mut simple = generic(callback);
    simple["secret"] = json!(SECRET);
    let keys = json!({ "chat_url": "acme", "ticket_domain": "acme", "api_key": "k-1", "ticket_api_key": "k-2" });
    // What is stored, what a form sends, and the secret that is asked for again; none where all are kept.
    let same = json!({ "chat_url": "https://ACME.freshchat.com/v2", "ticket_domain": "acme.freshdesk.com" });
    let mut moved = desk.clone();
    moved["chat_url"] = json!("evil");
    let mut moved_desk = desk.clone();
    moved_desk["ticket_domain"] = json!("evil.freshservice.com");
    let cases = [
        (&simple, same, generic(callback), None),
        (&simple, moved, generic(callback), Some("settings.api_key")),
        (&simple, moved_desk, generic(callback), Some("settings.ticket_api_key")),
        (&simple, desk.clone(), generic("https://evil.example/events"), Some("platform.secret")),
        (&first, desk.clone(), delight("app-1", callback), None),
        (&first, desk.clone(), delight("evil", callback), Some("platform.api_token")),
        (&first, desk.clone(), delight("APP-1", "https://evil.example/"), Some("platform.callback.secret")),
    ];
    for (platform, settings, form, asked) in cases {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let stored = json!({ "settings": keys, "platform": platform });
        assert_eq!(ask(&http, &state, "PUT", "/v1/connections/acme", &stored, 1_000).status, 200);
        let before = http.asked.borrow().len();
        let form = json!({ "settings": settings, "platform": form, "keep_secrets": true });
        let answer = ask(&http, &state, "PUT", "/v1/connections/acme", &form, 2_000);
        let Some(field) = asked else {
            assert_eq!(answer.status, 200, "{answer:?}");
            continue;
        };
        assert_eq!((answer.status, &body(&answer)["field"]), (422, &json!(field)), "{answer:?}");
        assert_eq!(http.asked.borrow().len(), before, "nothing was sent");
        assert!(State::connection(&state, "acme").unwrap().unwrap().settings.contains("acme.freshchat.com"));
    }
}

#[test]
fn a_tenant_names_no_destination_inside() {
    let generic = |url: &str| json!({ "kind": "generic", "callback_url": url, "secret": SECRET });
    let delight = |more: Value| {
        let mut platform = json!({ "kind": "delight", "app_id": "a", "ai_agent_id": "b", "api_token": "c" });
        platform.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        platform
    };
    let outside = generic("https://platform.example/events");
    let settings = |more: Value| {
        let mut settings = json!({ "chat_url": "acme", "api_key": "k-1" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    };
    let plain = settings(json!({}));
    let list = include_str!("../../../fixtures/addresses/hosts.txt").lines();
    for host in list.filter_map(|line| line.strip_prefix("internal ")) {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let url = format!("http://{host}:8080");
        let callback = json!({ "callback": { "callback_url": &url, "secret": SECRET } });
        for (field, body_of) in [
            ("platform.callback_url", json!({ "settings": plain, "platform": generic(&url) })),
            ("platform.callback.callback_url", json!({ "settings": plain, "platform": delight(callback) })),
            ("platform.test_origin", json!({ "settings": plain, "platform": delight(json!({ "test_origin": &url })) })),
            ("forward_url", json!({ "settings": plain, "platform": outside, "forward_url": &url })),
            (
                "settings.test_origin",
                json!({ "settings": settings(json!({ "test_origin": &url })), "platform": outside }),
            ),
            (
                "settings.test_ticket_origin",
                json!({ "settings": settings(json!({ "test_ticket_origin": &url })), "platform": outside }),
            ),
            (
                "settings.file_hosts",
                json!({ "settings": settings(json!({ "file_hosts": ["a.example", host] })), "platform": outside }),
            ),
        ] {
            let answer = ask(&http, &state, "PUT", "/v1/connections/acme", &body_of, 1_000);
            assert_eq!((answer.status, &body(&answer)["field"]), (422, &json!(field)), "{host}: {answer:?}");
            assert!(body(&answer)["remedy"].as_str().unwrap().contains("internal_hosts"));
        }
        assert_eq!(*http.asked.borrow(), [""; 0], "{host}");
        assert_eq!(State::connection(&state, "acme").unwrap(), None);
    }
}

//! What checking and saving do to a connection that works, and how it is said to stand.

use serde_json::{Value, json};

use super::{App, START, ask, body, connection, freshchat, handed_over, request};
use crate::counters::Count;
use crate::http::{Body, OutgoingResponse};
use crate::state::State;
use crate::testing::{Memory, Outside};

const PATH: &str = "/v1/connections/acme";

/// A key that Freshworks may have shown.
const WEBHOOK_KEY: &str = include_str!("../../../../fixtures/keys/rsa-3072.pub.pem");

/// An account whose answers change.
type Account = Outside<fn(&str) -> (u16, String)>;

/// Everything is out of order.
fn outage(_: &str) -> (u16, String) {
    (503, String::new())
}

fn with(settings: Value) -> Value {
    let mut body = connection();
    body["settings"].as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    body
}

fn status(answer: &OutgoingResponse) -> (&str, Option<&str>) {
    let status = &body(answer)["status"];
    (status["state"].as_str().unwrap(), status["reason"].as_str())
}

/// The codes of failures and warnings.
fn codes(findings: &Value, level: &str) -> Vec<String> {
    let all = findings.as_array().into_iter().flatten().filter(|finding| finding["level"] == level);
    all.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn hands_over<F: Fn(&str) -> (u16, String)>(http: &Outside<F>, state: &Memory, conversation: &str, at: u64) -> u16 {
    let mut asked = request();
    asked["key"]["conversation"] = json!(conversation);
    ask(http, state, "POST", &format!("{PATH}/handoffs"), &asked, at).status
}

#[test]
fn an_outage_during_a_check_leaves_a_working_connection_as_it_was() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    handed_over(&http, &state);
    let before = state.connection("acme").unwrap().unwrap();
    for status_code in [500, 503, 429] {
        let down = Outside::new(move |_: &str| (status_code, String::new()));
        let checked = ask(&down, &state, "POST", &format!("{PATH}/check"), &Value::Null, START + 10_000);
        assert_eq!((checked.status, &body(&checked)["connected"]), (200, &json!(true)), "{status_code}");
        assert_eq!(body(&checked)["status"]["unreachable_since"], START + 10_000);
        assert_eq!(body(&checked)["topic"], "Sendbird Integration", "what was found is kept");
        assert_eq!(codes(&body(&checked)["findings"], "failure"), [""; 0]);
        let told = if status_code == 429 { "rate-limited" } else { "unreachable" };
        assert!(codes(&body(&checked)["findings"], "warning").contains(&told.to_owned()));
        let after = state.connection("acme").unwrap().unwrap();
        assert_eq!((after.settings, after.account), (before.settings.clone(), before.account.clone()));
    }
    assert_eq!(hands_over(&http, &state, "2", START + 11_000), 200);
}

#[test]
fn an_outage_does_not_connect_what_was_not_connected_and_a_refused_key_still_disconnects() {
    let state = Memory::default();
    let down = Outside::new(outage);
    let saved = ask(&down, &state, "PUT", PATH, &connection(), START + 1_000);
    assert_eq!((saved.status, status(&saved)), (200, ("not-connected", Some("unreachable"))));
    let checked = ask(&down, &state, "POST", &format!("{PATH}/check"), &Value::Null, START + 2_000);
    assert_eq!(status(&checked), ("not-connected", Some("unreachable")));
    assert_eq!(body(&checked)["status"]["unreachable_since"], START + 1_000, "since the first of them");
    let up = Outside::new(freshchat);
    assert_eq!(
        body(&ask(&up, &state, "POST", &format!("{PATH}/check"), &Value::Null, START + 3_000))["connected"],
        true
    );
    let refusing = Outside::new(|_: &str| (401, String::new()));
    let refused = ask(&refusing, &state, "POST", &format!("{PATH}/check"), &Value::Null, START + 4_000);
    assert_eq!(status(&refused), ("not-connected", Some("api-key-refused")));
    assert_eq!(body(&refused)["status"]["since"], START + 4_000);
    let answer = ask(&up, &state, "POST", &format!("{PATH}/handoffs"), &request(), START + 5_000);
    assert_eq!((answer.status, &body(&answer)["kind"]), (409, &json!("not-connected")));
    assert!(body(&answer)["detail"].as_str().unwrap().contains("refused the API key"), "{answer:?}");
}

#[test]
fn a_tick_checks_again_after_an_outage_and_less_often_the_longer_it_lasts() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", PATH, &connection(), START + 1_000);
    let down = Outside::new(outage);
    ask(&down, &state, "POST", &format!("{PATH}/check"), &Value::Null, START + 10_000);
    let tick = |http: &Account, at| {
        assert_eq!(ask(http, &state, "POST", "/v1/tick", &Value::Null, at).status, 200);
        http.asked.borrow_mut().drain(..).count()
    };
    let down: Account = Outside::new(outage);
    let up: Account = Outside::new(freshchat);
    assert_eq!(tick(&down, START + 39_999), 0, "not before its time");
    assert!(tick(&down, START + 40_000) > 0);
    assert!(tick(&down, START + 70_000) > 0);
    assert_eq!(tick(&down, START + 129_999), 0, "it has failed for a minute, so it waits for one");
    assert!(tick(&up, START + 130_000) > 0);
    let shown = ask(&http, &state, "GET", PATH, &Value::Null, START + 131_000);
    assert_eq!(body(&shown)["status"]["unreachable_since"], Value::Null);
    assert_eq!((&body(&shown)["connected"], &body(&shown)["checked_at"]), (&json!(true), &json!(START + 130_000)));
    assert!(!codes(&body(&shown)["findings"], "warning").contains(&"unreachable".to_owned()));
    assert_eq!(tick(&up, START + 999_000), 0, "there is nothing to look at any more");
}

/// The same, and a ticket desk that refuses its key.
fn without_desk(line: &str) -> (u16, String) {
    if line.contains("freshdesk.com") { (401, String::new()) } else { freshchat(line) }
}

#[test]
fn settings_that_would_break_a_working_connection_are_stored_only_anyway() {
    let desk = json!({ "ticket_domain": "acme", "ticket_api_key": "k-2" });
    let refuses_key = |line: &str| if line.contains("wrong") { (401, String::new()) } else { freshchat(line) };
    let other_topic = |line: &str| freshchat(line);
    type Answers = Box<dyn Fn(&str) -> (u16, String)>;
    let cases: [(Value, Answers, &str, bool); 4] =
        [
            (with(desk), Box::new(without_desk), "ticket-key-refused", true),
            (with(json!({ "chat_url": "wrong" })), Box::new(refuses_key), "api-key-refused", false),
            (with(json!({ "topics": ["Nowhere"] })), Box::new(other_topic), "topic-missing", false),
            (
                with(json!({ "note_author": "eve@acme.example" })),
                Box::new(|line: &str| {
                    if line.contains("/agents") { (200, r#"{"agents": []}"#.to_owned()) } else { freshchat(line) }
                }),
                "agent-missing",
                true,
            ),
        ];
    for (changed, account, code, is_connected) in cases {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        ask(&http, &state, "PUT", PATH, &connection(), START + 1_000);
        let before = state.connection("acme").unwrap();
        let http = Outside::new(account);
        let refused = ask(&http, &state, "PUT", PATH, &changed, START + 2_000);
        assert_eq!((refused.status, &body(&refused)["kind"]), (409, &json!("would-break")), "{code}: {refused:?}");
        assert_eq!(codes(&body(&refused)["findings"], "failure"), [code]);
        assert_eq!(state.connection("acme").unwrap(), before, "nothing was stored");
        let saved = ask(&http, &state, "PUT", &format!("{PATH}?save=anyway"), &changed, START + 3_000);
        assert_eq!((saved.status, &body(&saved)["connected"]), (200, &json!(is_connected)), "{code}: {saved:?}");
        assert_eq!(codes(&body(&saved)["findings"], "failure"), [code]);
        assert_eq!(body(&saved)["restorable_at"], START + 1_000);
        assert_eq!(hands_over(&http, &state, "2", START + 4_000) == 200, is_connected, "{code}");

        let restored =
            ask(&Outside::new(freshchat), &state, "POST", &format!("{PATH}/restore"), &Value::Null, START + 5_000);
        assert_eq!((restored.status, &body(&restored)["connected"]), (200, &json!(true)), "{code}");
        assert_eq!(state.connection("acme").unwrap().unwrap().settings, before.unwrap().settings, "{code}");
    }
}

#[test]
fn what_fails_already_keeps_nobody_from_saving() {
    let state = Memory::default();
    let http = Outside::new(without_desk);
    let desk = json!({ "ticket_domain": "acme", "ticket_api_key": "k-2" });
    assert_eq!(body(&ask(&http, &state, "PUT", PATH, &with(desk.clone()), 1_000))["connected"], true);
    let mut more = with(desk);
    more["settings"]["priority"] = json!("low");
    assert_eq!(ask(&http, &state, "PUT", PATH, &more, 2_000).status, 200);
    // The same settings once more are a check.
    let down = Outside::new(outage);
    let same = ask(&down, &state, "PUT", PATH, &more, 3_000);
    assert_eq!((same.status, &body(&same)["connected"]), (200, &json!(true)));
    // Others cannot be checked now.
    more["settings"]["priority"] = json!("high");
    let other = ask(&down, &state, "PUT", PATH, &more, 4_000);
    assert_eq!((other.status, &body(&other)["kind"]), (409, &json!("would-break")));
    assert_eq!(ask(&down, &state, "PUT", &format!("{PATH}?save=yes"), &more, 5_000).status, 400);
}

#[test]
fn a_draft_is_stored_and_there_is_nothing_to_restore() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let mut draft = connection();
    draft["settings"] = json!({});
    let saved = ask(&http, &state, "PUT", PATH, &draft, 1_000);
    assert_eq!((saved.status, status(&saved)), (200, ("not-connected", Some("chat-url-refused"))));
    let restored = ask(&http, &state, "POST", &format!("{PATH}/restore"), &Value::Null, 2_000);
    assert_eq!((restored.status, &body(&restored)["kind"]), (409, &json!("nothing-to-restore")));
}

#[test]
fn restoring_during_an_outage_brings_back_settings_that_connected() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", PATH, &connection(), START + 1_000);
    let broken = with(json!({ "topics": ["Nowhere"] }));
    assert_eq!(ask(&http, &state, "PUT", &format!("{PATH}?save=anyway"), &broken, START + 2_000).status, 200);
    let down = Outside::new(outage);
    let restored = ask(&down, &state, "POST", &format!("{PATH}/restore"), &Value::Null, START + 3_000);
    assert_eq!(
        (&body(&restored)["connected"], &body(&restored)["topic"]),
        (&json!(true), &json!("Sendbird Integration"))
    );
    assert_eq!(body(&restored)["status"]["unreachable_since"], START + 3_000);
}

#[test]
fn fields_of_the_platform_that_are_not_filled_in_are_named_all_at_once() {
    let settings = json!({ "chat_url": "acme", "api_key": "k-1" });
    let generic = json!({ "kind": "generic", "callback_url": " " });
    let delight = json!({ "kind": "delight", "ai_agent_id": "a", "callback": { "callback_url": "https://a.example" } });
    for (sent, paths) in [
        (json!({}), vec!["settings", "platform"]),
        (json!({ "settings": settings, "platform": {} }), vec!["platform.kind"]),
        (json!({ "settings": settings, "platform": generic }), vec!["platform.callback_url", "platform.secret"]),
        (
            json!({ "settings": settings, "platform": delight }),
            vec!["platform.app_id", "platform.api_token", "platform.callback.secret"],
        ),
    ] {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let answer = ask(&http, &state, "PUT", PATH, &sent, 1_000);
        let told: Vec<&str> =
            body(&answer)["fields"].as_array().unwrap().iter().map(|field| field["path"].as_str().unwrap()).collect();
        assert_eq!((answer.status, &told), (422, &paths), "{answer:?}");
        assert_eq!(body(&answer)["field"], paths[0]);
        for path in &paths {
            assert!(body(&answer)["detail"].as_str().unwrap().contains(&format!("`{path}`")), "{answer:?}");
        }
        assert!(http.asked.borrow().is_empty() && state.connection("acme").unwrap().is_none());
    }
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let wrong = json!({ "settings": 7, "platform": { "kind": "polling" } });
    let answer = ask(&http, &state, "PUT", PATH, &wrong, 1_000);
    assert_eq!((answer.status, &body(&answer)["field"]), (400, &json!("settings")));
    assert!(!body(&answer).to_string().contains("column"), "{answer:?}");
}

#[test]
fn each_reason_why_answers_do_not_arrive_is_told_and_so_in_the_metrics() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let seen = |at: u64| {
        let shown = ask(&http, &state, "GET", PATH, &Value::Null, at);
        let (seen, reason) = status(&shown);
        let metrics = ask(&http, &state, "GET", "/metrics", &Value::Null, at);
        let Some(Body::Bytes(_, text)) = metrics.body else { panic!("there are no metrics") };
        let line = format!("handoff_connection_state{{connection=\"acme\",state=\"{seen}\"}} 1\n");
        assert!(String::from_utf8(text.into_owned()).unwrap().contains(&line), "{line}");
        assert_eq!(body(&shown)["status"]["remedy"].is_null(), seen == "connected", "{shown:?}");
        (seen.to_owned(), reason.map(str::to_owned), body(&shown)["status"]["since"].as_u64().unwrap())
    };
    let missing = |reason: &str, since| ("answers-missing".to_owned(), Some(reason.to_owned()), since);
    let counted = |name: &str, at| state.count("acme", &[(name.to_owned(), 1)], &[], at).unwrap();

    ask(&http, &state, "PUT", PATH, &connection(), START + 1_000);
    assert_eq!(seen(START + 2_000), missing("no-webhook-key", START + 1_000));
    ask(&http, &state, "PUT", PATH, &with(json!({ "webhook_public_key": WEBHOOK_KEY })), START + 3_000);
    assert_eq!(seen(START + 4_000), missing("none-delivered-yet", START + 3_000));
    counted("deliveries|freshworks|refused|wrong-signature", START + 5_000);
    assert_eq!(seen(START + 6_000), missing("signature-wrong", START + 5_000));
    counted("deliveries|freshworks|accepted", START + 7_000);
    assert_eq!(seen(START + 8_000), ("connected".to_owned(), None, START + 1_000));
    // Written, and counted after the webhook about it had come.
    counted("handoffs|live", START + 9_000);
    assert_eq!(seen(START + 60_000).0, "connected");
    counted("messages|to-human", START + 100_000);
    assert_eq!(seen(START + 119_999).0, "connected", "the webhook may still come");
    assert_eq!(seen(START + 120_000), missing("no-answer", START + 100_000));
    counted("deliveries|freshworks|accepted", START + 121_000);
    assert_eq!(seen(START + 122_000).0, "connected");

    ask(&http, &state, "PUT", &format!("{PATH}?save=anyway"), &with(json!({ "topics": ["Nowhere"] })), START + 123_000);
    assert_eq!(seen(START + 124_000), ("not-connected".to_owned(), Some("topic-missing".to_owned()), START + 123_000));
    let list = ask(&http, &state, "GET", "/v1/connections", &Value::Null, START + 124_000);
    assert_eq!(body(&list)["connections"][0]["status"]["state"], "not-connected");
}

#[test]
fn a_first_handoff_whose_webhook_does_not_come_is_told() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", PATH, &with(json!({ "webhook_public_key": WEBHOOK_KEY })), 1_000);
    assert_eq!(hands_over(&http, &state, "1", 2_000), 200);
    let reason = |at| status(&ask(&http, &state, "GET", PATH, &Value::Null, at)).1.map(str::to_owned);
    assert_eq!(reason(21_999).as_deref(), Some("none-delivered-yet"));
    assert_eq!(reason(22_000).as_deref(), Some("no-answer"));
}

#[test]
fn a_record_of_before_is_read_and_checked_as_ever() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", PATH, &connection(), START + 1_000);
    let mut stored = serde_json::to_value(state.connection("acme").unwrap().unwrap()).unwrap();
    for name in ["verdict_since", "outage", "earlier"] {
        stored.as_object_mut().unwrap().remove(name);
    }
    state.connections.borrow_mut().insert("acme".to_owned(), stored.to_string());
    let shown = ask(&http, &state, "GET", PATH, &Value::Null, START + 2_000);
    assert_eq!(
        (status(&shown), &body(&shown)["status"]["since"]),
        (("answers-missing", Some("no-webhook-key")), &json!(START + 1_000))
    );
    let down = Outside::new(outage);
    let checked = ask(&down, &state, "POST", &format!("{PATH}/check"), &Value::Null, START + 3_000);
    assert_eq!(body(&checked)["connected"], true);
}

#[test]
fn secrets_of_earlier_settings_are_sealed_and_not_shown() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", PATH, &with(json!({ "api_key": "an-older-key" })), 1_000);
    ask(&http, &state, "PUT", PATH, &with(json!({ "api_key": "a-newer-key" })), 2_000);
    assert!(state.connection("acme").unwrap().unwrap().earlier.unwrap().settings.contains("an-older-key"));
    assert!(!state.connections.borrow()["acme"].contains("an-older-key"));
    for path in ["", "/settings", "/activity"] {
        let answer = ask(&http, &state, "GET", &format!("{PATH}{path}"), &Value::Null, 3_000);
        assert!(!body(&answer).to_string().contains("an-older-key"), "{path}");
    }
    let app = App::plain(&http, &state);
    assert_eq!(app.ask(&[], "POST", &format!("{PATH}/restore"), &Value::Null, 4_000).status, 401);
    assert_eq!(ask(&http, &state, "POST", &format!("{PATH}/restore"), &Value::Null, 5_000).status, 200);
    let now = state.connection("acme").unwrap().unwrap();
    assert!(now.settings.contains("an-older-key"));
    assert!(now.earlier.unwrap().settings.contains("a-newer-key"), "and back again");
}

#[test]
fn a_webhook_that_is_too_old_says_nothing_about_the_key() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", PATH, &with(json!({ "webhook_public_key": WEBHOOK_KEY })), START + 1_000);
    let connection = state.connection("acme").unwrap().unwrap();
    let count = |name: &str, at| Count { name: name.to_owned(), value: 1, at };
    let counts = [
        count("deliveries|freshworks|accepted", START + 2_000),
        count("deliveries|freshworks|refused|stale", START + 3_000),
    ];
    assert_eq!(crate::status::of(&connection, &counts, START + 4_000).reason, None);
}

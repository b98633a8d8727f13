//! What the console needs: its session, settings without secrets, trials, and what was counted.

use serde_json::{Value, json};

use super::{App, START, TOKEN, ask, body, connection, freshchat, handed_over, request};
use crate::http::{Body, OutgoingResponse};
use crate::testing::{Memory, Outside};

const HOUR_MS: u64 = 60 * 60 * 1000;

fn plain<'a, F: Fn(&str) -> (u16, String)>(http: &'a Outside<F>, state: &'a Memory) -> App<'a, Outside<F>> {
    App::plain(http, state)
}

/// Cookie and second text of a session that began at 1,000.
fn log_in<F: Fn(&str) -> (u16, String)>(app: &App<'_, Outside<F>>) -> (String, String) {
    let answer = app.ask(&[], "POST", "/console/session", &json!({ "token": TOKEN }), 1_000);
    let (_, cookie) = answer.headers.iter().find(|(name, _)| *name == "set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    let text = body(&answer)["csrf_token"].as_str().unwrap().to_owned();
    (cookie.split(';').next().unwrap().to_owned(), text)
}

#[test]
fn a_session_stands_for_the_token_until_it_ends() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = plain(&http, &state);
    let (cookie, csrf) = log_in(&app);
    let read = |cookie: &str, at| app.ask(&[("cookie", cookie)], "GET", "/v1/connections", &Value::Null, at).status;
    assert_eq!(read(&format!("theme=dark; {cookie}"), 2_000), 200);
    assert_eq!(read(&cookie, 1_000 + 8 * HOUR_MS - 1), 200);
    assert_eq!(read(&cookie, 1_000 + 8 * HOUR_MS), 401);
    for forged in ["__Host-console=", "__Host-console=x", &cookie.replace("__Host-", ""), &format!("{cookie}a")] {
        assert_eq!(read(forged, 2_000), 401, "{forged}");
    }
    let with = |csrf: &str| {
        let headers = [("cookie", cookie.as_str()), ("x-csrf-token", csrf)];
        app.ask(&headers, "PUT", "/v1/connections/acme", &connection(), 2_000).status
    };
    assert_eq!([with(""), with("x"), with(&csrf)], [401, 401, 200]);
    let other = App { token: "token-2-of-the-first-admin", ..plain(&http, &state) };
    let headers = [("cookie", cookie.as_str())];
    assert_eq!(other.ask(&headers, "GET", "/v1/connections", &Value::Null, 2_000).status, 401, "another token ends it");
    let nobody = App { token: "", ..plain(&http, &state) };
    assert_eq!(nobody.ask(&headers, "GET", "/v1/connections", &Value::Null, 2_000).status, 401);
}

#[test]
fn a_page_resumes_its_session_and_logs_out() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = plain(&http, &state);
    let (cookie, csrf) = log_in(&app);
    let session = app.ask(&[("cookie", &cookie)], "GET", "/console/session", &Value::Null, 2_000);
    assert_eq!(body(&session)["csrf_token"], csrf);
    let out = |headers: &[(&str, &str)]| app.ask(headers, "DELETE", "/console/session", &Value::Null, 2_000);
    assert_eq!(out(&[("cookie", &cookie)]).status, 401, "another site could log somebody out");
    let answer = out(&[("cookie", &cookie), ("x-csrf-token", &csrf)]);
    assert!(answer.headers.iter().any(|(name, value)| *name == "set-cookie" && value.contains("Max-Age=0")));
    let read = app.ask(&[("cookie", &cookie)], "GET", "/v1/connections", &Value::Null, 2_001);
    assert_eq!(read.status, 401, "a cookie that was copied before is worth nothing");
    for wrong in [json!({ "token": "" }), json!({ "token": "token-2" })] {
        assert_eq!(app.ask(&[], "POST", "/console/session", &wrong, 1_000).status, 401, "{wrong}");
    }
}

#[test]
fn a_session_ends_with_its_token_and_may_do_no_more_than_that() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = plain(&http, &state);
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let wanted = json!({ "name": "support", "scopes": ["connection:acme"] });
    let created = body(&app.ask_with_token("POST", "/v1/tokens", &wanted, 1_000)).clone();
    let logged_in = app.ask(&[], "POST", "/console/session", &json!({ "token": created["token"] }), 2_000);
    assert_eq!(body(&logged_in)["scopes"], json!(["connection:acme"]));
    let cookie = logged_in.headers.iter().find(|(name, _)| *name == "set-cookie").unwrap().1.clone();
    let cookie = cookie.split(';').next().unwrap();
    let read = |path: &str| app.ask(&[("cookie", cookie)], "GET", path, &Value::Null, 3_000).status;
    assert_eq!([read("/v1/connections/acme"), read("/v1/connections/other"), read("/v1/audit")], [200, 403, 403]);
    app.ask_with_token("DELETE", &format!("/v1/tokens/{}", created["id"].as_str().unwrap()), &Value::Null, 3_000);
    assert_eq!(read("/v1/connections/acme"), 401);
}

#[test]
fn the_cookie_is_secure_everywhere_but_on_loopback() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = plain(&http, &state);
    for (public_url, host, secure) in [
        ("https://bridge.example", "127.0.0.1:3000", true),
        ("http://bridge.example", "localhost", true),
        ("http://127.0.0.1:3000", "x", false),
        ("http://[::1]:3000", "x", false),
        ("http://localhost", "x", false),
        ("", "127.0.0.1:3000", false),
        ("", "bridge.example", true),
        ("", "127.0.0.1.example:3000", true),
        ("https://localhost", "localhost", true),
    ] {
        let app = App { public_url, policy: app.policy.clone(), ..app };
        let answer = app.ask(&[("host", host)], "POST", "/console/session", &json!({ "token": TOKEN }), 1_000);
        let cookie = &answer.headers.iter().find(|(name, _)| *name == "set-cookie").unwrap().1;
        let is_secure = cookie.starts_with("__Host-console=") && cookie.ends_with("; Secure");
        let is_plain = cookie.starts_with("console=") && !cookie.contains("Secure");
        assert_eq!((is_secure, is_plain), (secure, !secure), "{public_url} {host}: {cookie}");
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    }
}

#[test]
fn the_address_of_the_bridge_leads_to_its_pages() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = plain(&http, &state);
    let answer = app.ask(&[], "GET", "/", &Value::Null, 1_000);
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers, [("location", "/console".to_owned())]);
    assert_eq!(app.ask(&[], "POST", "/", &Value::Null, 1_000).status, 401, "nothing else is there for strangers");
}

#[test]
fn metrics_say_since_when_the_timer_has_not_called() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let metrics = |at| {
        let answer = ask(&http, &state, "GET", "/metrics", &Value::Null, at);
        let Some(Body::Bytes(_, bytes)) = answer.body else { panic!("there are no metrics") };
        String::from_utf8(bytes.into_owned()).unwrap()
    };
    assert!(!metrics(START + 1_000).contains("handoff_timer"));
    assert_eq!(ask(&http, &state, "POST", "/v1/tick", &Value::Null, START + 10_000).status, 200);
    assert!(metrics(START + 60_000).contains("\nhandoff_timer_lateness_seconds 0.0\n"));
    let late = metrics(START + 190_000);
    assert!(late.contains("\nhandoff_timer_lateness_seconds 120.0\n"), "{late}");
    assert!(late.contains("\nhandoff_timer_last_call_timestamp_seconds 1790000010.0\n"), "{late}");
}

#[test]
fn pages_are_served_with_a_strict_policy_and_not_twice() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let app = plain(&http, &state);
    let page = app.ask(&[], "GET", "/console", &Value::Null, 1_000);
    let header = |answer: &OutgoingResponse, wanted: &str| {
        answer.headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone()).unwrap()
    };
    assert!(matches!(&page.body, Some(Body::Bytes("text/html; charset=utf-8", _))));
    let policy = header(&page, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let tag = header(&page, "etag");
    let again = app.ask(&[("if-none-match", &tag)], "GET", "/console", &Value::Null, 1_000);
    assert_eq!((again.status, again.body), (304, None));
    for (method, path) in [("GET", "/console/none.js"), ("GET", "/console/../state.rs"), ("POST", "/console")] {
        assert_eq!(app.ask(&[], method, path, &Value::Null, 1_000).status, 404, "{path}");
    }
}

#[test]
fn secrets_are_not_shown_and_stay_when_a_form_leaves_them_blank() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let shown = ask(&http, &state, "GET", "/v1/connections/acme/settings", &Value::Null, 2_000);
    assert_eq!(body(&shown)["secrets"], json!(["api_key"]));
    assert_eq!(body(&shown)["platform_secrets"], json!(["secret"]));
    for path in ["/settings", "", "/activity"] {
        let answer = ask(&http, &state, "GET", &format!("/v1/connections/acme{path}"), &Value::Null, 2_000);
        let text = body(&answer).to_string();
        assert!(!text.contains("k-1") && !text.contains("whsec"), "{path}: {text}");
    }
    let form = json!({
        "settings": { "chat_url": "acme", "api_key": "", "group": "Support" },
        "platform": { "kind": "generic", "callback_url": "https://platform.example/events" },
        "keep_secrets": true,
    });
    assert_eq!(ask(&http, &state, "PUT", "/v1/connections/acme?save=anyway", &form, 3_000).status, 200);
    let stored = crate::state::State::connection(&state, "acme").unwrap().unwrap();
    assert!(stored.settings.contains("k-1") && stored.settings.contains("Support"));
    let mut bare = form.clone();
    bare["keep_secrets"] = json!(false);
    let refused = ask(&http, &state, "PUT", "/v1/connections/acme", &bare, 4_000);
    assert_eq!((refused.status, &body(&refused)["field"]), (422, &json!("platform.secret")), "it is missing");
}

#[test]
fn a_connection_is_checked_anew_with_what_is_stored() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), START + 1_000);
    let checked = ask(&http, &state, "POST", "/v1/connections/acme/check", &Value::Null, START + 9_000);
    let seen = body(&checked);
    assert_eq!((&seen["connected"], &seen["checked_at"]), (&json!(true), &json!(START + 9_000)));
    assert_eq!(seen["topic"], "Sendbird Integration");
    let later = ask(&http, &state, "GET", "/v1/connections/acme", &Value::Null, START + 9_500);
    assert_eq!(body(&later), seen, "findings are kept");
}

#[test]
fn the_platform_learns_nothing_of_a_trial() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let begun = ask(&http, &state, "POST", "/v1/connections/acme/trials", &request(), 2_000);
    assert_eq!(begun.status, 200, "{begun:?}");
    let path = format!("/v1/connections/acme/handoffs/{}", body(&begun)["id"].as_str().unwrap());
    let stored = crate::state::State::handoff(&state, "acme", body(&begun)["id"].as_str().unwrap()).unwrap().unwrap();
    assert!(stored.mailbox.is_some());
    // The same conversation, handed over in earnest: that stays as it was.
    let fetched = ask(&http, &state, "POST", &format!("{path}/events"), &json!({ "after": 0 }), 3_000);
    assert_eq!(body(&fetched)["events"], json!([]));
    assert_eq!(body(&fetched)["handoff"]["owner"], "human-agent");
    assert!(!http.asked.borrow().iter().any(|line| line.contains("platform.example")));
}

#[test]
fn a_timeline_holds_states_choices_and_requests_and_no_word_of_anybody() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let timeline = ask(&http, &state, "GET", &format!("{handoff}/timeline"), &Value::Null, 3_000);
    let entries = body(&timeline)["entries"].as_array().unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    for kind in ["call", "state", "decision"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let text = body(&timeline).to_string();
    assert!(!text.contains("Hello") && !text.contains("Ana"), "{text}");
}

#[test]
fn what_happened_is_counted_and_told_as_metrics() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    ask(&http, &state, "POST", &format!("{handoff}/close"), &json!({ "reason": "user-left" }), 3_000);
    let activity = ask(&http, &state, "GET", "/v1/connections/acme/activity", &Value::Null, 4_000);
    assert_eq!(body(&activity)["handoffs"], json!([{ "name": "live", "count": 1 }]));
    assert_eq!(body(&activity)["handoff_ms"]["count"], 1);
    assert_eq!(body(&activity)["webhook"]["state"], "waiting");
    let metrics = ask(&http, &state, "GET", "/metrics", &Value::Null, 4_000);
    let Some(Body::Bytes(kind, bytes)) = metrics.body else { panic!("there are no metrics") };
    assert!(kind.starts_with("application/openmetrics-text"));
    let text = String::from_utf8(bytes.into_owned()).unwrap();
    assert!(text.contains("handoff_handoffs_total{connection=\"acme\",result=\"live\"} 1\n"), "{text}");
}

#[test]
fn a_refused_webhook_says_why_to_whoever_may_ask() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let connected = ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
    let url = body(&connected)["webhooks"]["freshchat"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("https://bridge.example").unwrap();
    let app = plain(&http, &state);
    let why = |at| {
        let activity = ask(&http, &state, "GET", "/v1/connections/acme/activity", &Value::Null, at);
        body(&activity)["webhook"]["why"].clone()
    };
    assert!(app.ask(&[], "POST", path, &json!({}), 2_000).status >= 400);
    assert_eq!(why(2_500), "no-key");
}

#[test]
fn what_could_not_be_told_stands_in_the_timeline() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let closed = json!({ "type": "conversation.closed", "data": { "key": request()["key"], "reason": "user-left" } });
    let signed =
        crate::standard_webhooks::headers(super::SECRET, "evt-1", START + 3_000, closed.to_string().as_bytes())
            .unwrap();
    let headers: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let url =
        body(&ask(&http, &state, "GET", "/v1/connections/acme", &Value::Null, START + 3_000))["webhooks"]["platform"]
            .clone();
    let path = url.as_str().unwrap().strip_prefix("https://bridge.example").unwrap();
    let deaf = Outside::new(
        |line: &str| {
            if line.contains("platform.example") { (500, String::new()) } else { freshchat(line) }
        },
    );
    assert_eq!(plain(&deaf, &state).ask(&headers, "POST", path, &closed, START + 3_000).status, 503);
    let timeline = ask(&http, &state, "GET", &format!("{handoff}/timeline"), &Value::Null, START + 4_000);
    let last = body(&timeline)["entries"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["kind"], &last["problem"]), (&json!("failure"), &json!("untold")), "{last}");
    let shown = ask(&http, &state, "GET", &handoff, &Value::Null, START + 4_000);
    assert_eq!(body(&shown)["owner"], "human-agent", "nothing has happened for the platform");
}

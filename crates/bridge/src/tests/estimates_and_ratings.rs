//! How long others wait, and how the human part is rated.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::*;

/// A Freshchat that knows how long others wait.
fn with_figures(line: &str) -> (u16, String) {
    if !line.contains("/metrics/historical") {
        return freshchat(line);
    }
    let value = if line.contains("wait_time") { "150" } else { "3" };
    let group = json!([{ "key": "group", "value": "null" }]);
    let series = json!([{ "start": "s", "end": "e", "values": [{ "key": "k", "value": value }] }]);
    (200, json!({ "data": [{ "groupings": group, "series": series }] }).to_string())
}

fn rating(id: &str) -> Value {
    json!({ "id": id, "score": 4, "comment": "Fast" })
}

/// A handoff that the platform has ended; its path.
fn ended<H: Http>(http: &H, state: &Memory) -> String {
    let handoff = handed_over(http, state);
    let closed = ask(http, state, "POST", &format!("{handoff}/close"), &json!({ "reason": "user-left" }), 3_000);
    assert_eq!(closed.status, 200, "{closed:?}");
    handoff
}

fn sent(asked: &[String]) -> usize {
    asked.iter().filter(|line| line.ends_with("/v2/csat/c-1")).count()
}

#[test]
fn the_answer_and_the_timeline_say_how_long_others_wait() {
    let (http, state) = (Outside::new(with_figures), Memory::default());
    let mut connection = connection();
    connection["settings"]["wait_estimate"] = json!(true);
    ask(&http, &state, "PUT", "/v1/connections/acme", &connection, 1_000);
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/handoffs", &request(), 2_000);
    let handed_over = body(&answer);
    assert_eq!(handed_over["estimate"], json!({ "average_wait_seconds": 150, "waiting": 3 }));
    let path = format!("/v1/connections/acme/handoffs/{}/timeline", handed_over["id"].as_str().unwrap());
    let timeline = ask(&http, &state, "GET", &path, &Value::Null, 3_000);
    let entries = body(&timeline)["entries"].as_array().unwrap();
    let noted = entries.iter().find(|entry| entry["kind"] == "estimate").unwrap();
    assert_eq!((&noted["average_wait_seconds"], &noted["waiting"]), (&json!(150), &json!(3)));
    assert!(entries.iter().any(|entry| entry["path"] == "/v2/metrics/historical"));
}

#[test]
fn a_rating_goes_over_once() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = ended(&http, &state);
    for at in [4_000, 5_000] {
        let rated = ask(&http, &state, "POST", &format!("{handoff}/rating"), &rating("r-1"), at);
        assert_eq!((rated.status, &body(&rated)["findings"]), (200, &json!([])), "{rated:?}");
    }
    assert_eq!(sent(&http.asked.borrow()), 1);
}

#[test]
fn a_rating_before_the_end_names_the_remedy() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = handed_over(&http, &state);
    let early = ask(&http, &state, "POST", &format!("{handoff}/rating"), &rating("r-1"), 3_000);
    assert_eq!((early.status, &body(&early)["kind"]), (400, &json!("invalid-request")));
    assert!(body(&early)["remedy"].as_str().unwrap().contains("returned-to-ai"));
    for bad in [json!({ "id": "r-1" }), json!({ "id": "r-1", "score": 9 }), json!({ "id": "r-1", "score": -1 })] {
        let wrong = ask(&http, &state, "POST", &format!("{handoff}/rating"), &bad, 3_000);
        assert_eq!(wrong.status, 400, "{wrong:?}");
        assert!(body(&wrong)["field"].as_str().unwrap().starts_with("rating"), "{wrong:?}");
    }
    assert_eq!(sent(&http.asked.borrow()), 0);
}

#[test]
fn a_rating_whose_sender_died_is_not_sent_again() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let handoff = ended(&http, &state);
    let id = handoff.rsplit('/').next().unwrap();
    let doing = format!("rating:{}", digest(&["r-1"], 8));
    state.lease("acme", id, &doing, 4_000, LEASE_MS).unwrap().unwrap();
    let path = format!("{handoff}/rating");
    let other = ask(&http, &state, "POST", &path, &rating("r-2"), 4_000 + LEASE_MS);
    assert_eq!((other.status, sent(&http.asked.borrow())), (200, 1), "another one is not in doubt");
    let again = ask(&http, &state, "POST", &path, &rating("r-1"), 5_000 + LEASE_MS);
    assert_eq!((again.status, sent(&http.asked.borrow())), (200, 1));
    assert_eq!(body(&again)["findings"][0]["code"], "rating-in-doubt");
}

#[test]
fn a_rating_without_a_clear_answer_is_kept_as_such() {
    let lost = |line: &str| if line.contains("/csat/") { (500, String::new()) } else { freshchat(line) };
    let (http, state) = (Outside::new(lost), Memory::default());
    let handoff = ended(&http, &state);
    let path = format!("{handoff}/rating");
    let unknown = ask(&http, &state, "POST", &path, &rating("r-1"), 4_000);
    assert_eq!((unknown.status, &body(&unknown)["kind"]), (503, &json!("outcome-unknown")));
    let again = ask(&http, &state, "POST", &path, &rating("r-1"), 9_000);
    assert_eq!((again.status, &body(&again)["findings"][0]["code"]), (200, &json!("rating-in-doubt")));
    assert_eq!(sent(&http.asked.borrow()), 1);
}

#[test]
fn a_platform_rates_by_webhook_too_and_is_not_asked_to_repeat_what_is_refused() {
    let refused = |line: &str| if line.contains("/csat/") { (400, "{}".to_owned()) } else { freshchat(line) };
    for (answers, wanted) in [(freshchat as fn(&str) -> (u16, String), 1), (refused, 2)] {
        let (http, state) = (Outside::new(answers), Memory::default());
        ended(&http, &state);
        let secret = Base64UrlUnpadded::encode_string(&[7; 24]);
        let key = &request()["key"];
        let hook = |id: &'static str, key: &Value| {
            let event = json!({ "type": "conversation.rated", "data": { "key": key, "rating": rating("r-1") } });
            let bytes = event.to_string().into_bytes();
            let headers = crate::standard_webhooks::headers(SECRET, id, START + 4_000, &bytes).unwrap();
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let path = format!("/webhooks/platform/acme/{secret}");
            ask_as(&http, &state, &headers, "POST", &path, &event, START + 4_000).status
        };
        assert_eq!((hook("evt-1", key), hook("evt-2", key)), (204, 204));
        let somebody = json!({ "application": "a", "channel": "c", "conversation": "never handed over" });
        assert_eq!(hook("evt-3", &somebody), 204);
        assert_eq!(sent(&http.asked.borrow()), wanted);
    }
}

#[test]
fn delights_rating_of_the_human_part_is_passed_on_once() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let delight = json!({
        "settings": { "chat_url": "acme", "api_key": "k-1" },
        "platform": {
            "kind": "delight", "app_id": "a", "ai_agent_id": "helper", "api_token": "master", "signature_secret": "own",
        },
    });
    ask(&http, &state, "PUT", "/v1/connections/acme", &delight, 1_000);
    let answer = ask(&http, &state, "POST", "/v1/connections/acme/handoffs", &request(), 2_000);
    assert_eq!(answer.status, 200, "{answer:?}");
    let secret = Base64UrlUnpadded::encode_string(&[7; 24]);
    let hook = |id: &str, category: &str| {
        let event = json!({
            "id": id, "app_id": "a", "category": category, "created_at": "2026-11-27T10:00:00.000Z",
            "data": { "ai_agent_id": "helper", "conversation": {
                "id": "1", "user_id": "user-1", "channel_url": "c", "closed_reason": "user_resolved",
                "helpdesk_csat": 5, "helpdesk_csat_reason": "Fast",
            } },
        });
        let mut mac = Hmac::<Sha256>::new_from_slice(b"own").unwrap();
        mac.update(event.to_string().as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = [("x-sendbird-signature", signature.as_str())];
        ask_as(&http, &state, &headers, "POST", &format!("/webhooks/platform/acme/{secret}"), &event, 3_000).status
    };
    // The end, its repeat, and what the analysis says again.
    assert_eq!(hook("e-1", "conversation:closed"), 204);
    assert_eq!(hook("e-1", "conversation:closed"), 204);
    assert_eq!(hook("e-2", "conversation:analyzed"), 204);
    assert_eq!(sent(&http.asked.borrow()), 1);
}

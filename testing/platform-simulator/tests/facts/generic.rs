//! The generic platform, and the caller of a bridge.

use std::time::Duration;

use platform_simulator::{Caller, Effect, Generic, How};
use serde_json::{Value, json};

use crate::{busy_listener, listener, within};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn news(application: &str, channel: &str, conversation: &str, id: &str) -> Value {
    json!({ "key": { "application": application, "channel": channel, "conversation": conversation },
            "events": [{ "id": id, "kind": "resolved" }] })
}

/// Sends events as a bridge would.
async fn tell(it: &Generic, caller: &Caller, kind: &str, data: &Value) -> u16 {
    caller.webhook(&it.callback_url(), SECRET, "evt_1", kind, data).await.0
}

fn impatient() -> Caller {
    let mut caller = Caller::default();
    caller.patience = Duration::ZERO;
    caller
}

#[tokio::test]
async fn any_other_platform_takes_what_is_signed_and_tells_repeats() {
    let it = Generic::start(SECRET).await.unwrap();
    let caller = Caller::default();
    let data = json!({ "key": { "application": "a", "channel": "c", "conversation": "1" },
                       "events": [{ "id": "e-1", "kind": "resolved" }] });
    for _ in 0..2 {
        assert_eq!(caller.webhook(&it.callback_url(), SECRET, "evt_1", "handoff.events", &data).await.0, 204);
    }
    assert_eq!((it.events("1").len(), it.counts()), (1, (1, 0)));
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(caller.webhook(&it.callback_url(), other, "evt_2", "handoff.events", &data).await.0, 401);
    assert_eq!(it.counts(), (1, 1));
}

#[tokio::test]
async fn a_good_platform_repeats_until_it_is_done() {
    let (url, heard) = listener(&[503, 503]).await;
    assert_eq!(Caller::default().post(&url, "token", &json!({})).await.0, 204);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|(_, body)| body == "{}"));
    assert_eq!(heard[0].0["authorization"], "Bearer token");
}

#[tokio::test]
async fn the_same_id_in_another_conversation_is_another_event() {
    let it = Generic::start(SECRET).await.unwrap();
    let caller = Caller::default();
    for (application, channel, conversation) in [("a", "c", "1"), ("b", "c", "1"), ("a", "d", "1"), ("a", "c", "2")] {
        let data = news(application, channel, conversation, "e-1");
        assert_eq!(tell(&it, &caller, "handoff.events", &data).await, 204);
    }
    assert_eq!((it.events("1").len(), it.events("2").len(), it.counts()), (3, 1, (0, 0)));
    let mut again = news("a", "c", "2", "e-1");
    again["key"]["label"] = json!("what else stands in the key makes no other event");
    assert_eq!(tell(&it, &caller, "handoff.events", &again).await, 204);
    assert_eq!((it.events("2").len(), it.counts()), (1, (1, 0)));
}

#[tokio::test]
async fn a_callback_with_an_event_without_id_is_refused_as_a_whole() {
    let it = Generic::start(SECRET).await.unwrap();
    let mut data = news("a", "c", "1", "e-1");
    data["events"].as_array_mut().unwrap().push(json!({ "kind": "resolved" }));
    assert_eq!(tell(&it, &Caller::default(), "handoff.events", &data).await, 400);
    assert_eq!(it.events("1"), [] as [Value; 0]);
}

#[tokio::test]
async fn callbacks_go_wrong_before_or_after_they_take_effect() {
    let it = Generic::start(SECRET).await.unwrap();
    it.fail(&[How::Status(500)]);
    it.fail_at(&[(How::Cut, Effect::Before), (How::Status(503), Effect::After), (How::Cut, Effect::After)]);
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        let status = tell(&it, &impatient(), "handoff.events", &news("a", "c", "1", "e-1")).await;
        outcomes.push((status, it.events("1").len()));
    }
    assert_eq!(outcomes, [(500, 0), (0, 0), (503, 1), (0, 1), (204, 1)]);
    assert_eq!(it.counts(), (2, 0));
}

#[tokio::test]
async fn a_failed_handoff_reported_again_is_recognised_by_its_webhooks_id() {
    let it = Generic::start(SECRET).await.unwrap();
    it.fail_at(&[(How::Cut, Effect::After)]);
    let data = json!({ "key": { "application": "a", "channel": "c", "conversation": "1" } });
    assert_eq!(tell(&it, &Caller::default(), "handoff.failed", &data).await, 204);
    assert_eq!((it.failed(), it.counts()), (vec![data], (1, 0)));
}

#[tokio::test]
async fn a_good_platform_takes_any_answer_but_500_and_503_as_it_is() {
    for status in [400, 429, 502, 504] {
        let (url, heard) = listener(&[status]).await;
        assert_eq!(Caller::default().post(&url, "token", &json!({})).await, (status, json!({ "status": status })));
        assert_eq!(heard.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_good_platform_repeats_what_the_host_has_ended() {
    let (url, heard) = busy_listener(&[500, 503, 500], None).await;
    assert_eq!(within("it is done", Caller::default().post(&url, "token", &json!({}))).await.0, 204);
    assert_eq!(heard.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_good_platform_repeats_what_got_no_answer() {
    let it = Generic::start(SECRET).await.unwrap();
    it.fail(&[How::Cut, How::Cut]);
    assert_eq!(tell(&it, &Caller::default(), "handoff.events", &news("a", "c", "1", "e-1")).await, 204);
    assert_eq!((it.events("1").len(), it.counts()), (1, (0, 0)));
}

#[tokio::test]
async fn a_good_platform_honours_retry_after_within_its_own_limit() {
    let hour = Duration::from_secs(3600);
    for (retry_after, longest_wait) in [("0", hour), ("3600", Duration::from_millis(1))] {
        let (url, heard) = busy_listener(&[503, 503], Some(retry_after)).await;
        let mut caller = Caller::default();
        caller.longest_wait = longest_wait;
        assert_eq!(within("it is done", caller.post(&url, "token", &json!({}))).await.0, 204);
        assert_eq!(heard.lock().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn patience_ends_with_the_last_answer() {
    let (url, _) = listener(&[503]).await;
    assert_eq!(impatient().post(&url, "token", &json!({})).await, (503, json!({ "status": 503 })));
}

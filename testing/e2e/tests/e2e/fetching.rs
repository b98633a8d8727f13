//! Platforms without a callback, trials, and the console's data, on both stores.

use e2e::{Environment, Store};
use freshworks_simulator::{KeyForm, WebhookFault};
use platform_simulator::Config;
use serde_json::{Value, json};
use spin_emulator::RedisServer;

use crate::cast::{OnDelight, PATIENCE, within};

fn handoff(conversation: &str) -> Value {
    json!({
        "key": { "application": "a", "channel": "c", "conversation": conversation },
        "user": { "id": "ana-7", "name": "Ana Silva" }, "mode": "live", "reason": "user-asked",
        "history": [{
            "id": "1", "sender": { "role": "end-user" }, "sent_at": 1_790_000_000_000_u64, "parts": [{ "kind": "text", "text": "Where is it?" }],
        }],
    })
}

/// Hands over by this path; the path of the handoff, and the conversation of the inbox.
async fn handed_over(stage: &Environment, path: &str) -> (String, String) {
    let answer = stage.api.call("POST", &format!("/v1/connections/acme/{path}"), &handoff(path)).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let handoff = format!("/v1/connections/acme/handoffs/{}", answer.body["id"].as_str().unwrap());
    (handoff, stage.freshworks.conversations().pop().unwrap().id)
}

async fn events(stage: &Environment, handoff: &str, after: u64) -> Vec<(u64, Value)> {
    let path = format!("{handoff}/events");
    let answer = stage.api.call("POST", &path, &json!({ "after": after })).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let events = answer.body["events"].as_array().unwrap();
    events.iter().map(|one| (one["number"].as_u64().unwrap(), one["event"].clone())).collect()
}

async fn fetched(store: Store) {
    let stage = Environment::start(store, 2, &[]).await.unwrap();
    stage.connect("acme", &json!({ "kind": "polling" })).await.unwrap();
    let (handoff, conversation) = handed_over(&stage, "handoffs").await;
    let maya = stage.freshworks.agent_id("Maya Chen").unwrap();
    stage.freshworks.reply(&conversation, &maya, "It is on its way").await.unwrap();
    stage.freshworks.note(&conversation, &maya, "INTERNAL").await.unwrap();
    stage.freshworks.settled().await;
    let first = events(&stage, &handoff, 0).await;
    let texts: Vec<&Value> = first.iter().map(|(_, event)| &event["message"]["parts"][0]["text"]).collect();
    assert_eq!(texts.iter().filter(|text| **text == "It is on its way").count(), 1, "{first:?}");
    assert!(!texts.iter().any(|text| text.as_str().is_some_and(|text| text.contains("INTERNAL"))));
    let waiting = stage.api.call("POST", &format!("{handoff}/events"), &json!({ "after": 0 })).await.unwrap().body;
    let named = waiting["events"].as_array().unwrap().iter().find_map(|one| one["photo"].as_str()).unwrap();
    let photo = stage.api.call("GET", &format!("/v1/connections/acme/photos/{named}"), &Value::Null).await.unwrap();
    let kind = photo.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    assert_eq!((photo.status, kind), (200, Some("image/png")), "{photo:?}");
    // The response may have been lost: events are returned again until they are acknowledged.
    assert_eq!(events(&stage, &handoff, 0).await, first);
    let newest = first.last().unwrap().0;
    // A number that was never given deletes nothing.
    assert_eq!(events(&stage, &handoff, newest + 5).await, first);
    assert_eq!(events(&stage, &handoff, newest).await, []);
    assert_eq!(events(&stage, &handoff, 0).await, [], "what has arrived is deleted");
    stage.freshworks.resolve(&conversation, &maya).await.unwrap();
    stage.freshworks.settled().await;
    let last = events(&stage, &handoff, newest).await;
    let (number, back) = last.last().unwrap();
    assert_eq!((&back["kind"], &back["outcome"]), (&json!("returned-to-ai"), &json!("resolved")));
    assert!(*number > newest);
    let timeline = stage.api.call("GET", &format!("{handoff}/timeline"), &Value::Null).await.unwrap().body;
    assert!(timeline["entries"].as_array().unwrap().iter().any(|entry| entry["event"] == "returned-to-ai"));
    let text = timeline.to_string();
    assert!(!["Where is it", "on its way", "INTERNAL", "Ana"].iter().any(|words| text.contains(words)), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_platform_without_a_callback_wait_until_they_are_fetched() {
    within("fetching", fetched(Store::Sqlite(Default::default()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_in_redis_until_they_are_fetched() {
    let redis = RedisServer::start().await.unwrap();
    within("fetching", fetched(Store::Redis(redis.url()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_does_not_see_trials() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    let before = it.platform.journal().len();
    let (handoff, conversation) = handed_over(&it.stage, "trials").await;
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    it.stage.freshworks.reply(&conversation, &maya, "Only a trial").await.unwrap();
    it.stage.freshworks.settled().await;
    assert!(!events(&it.stage, &handoff, 0).await.is_empty());
    it.stage.freshworks.resolve(&conversation, &maya).await.unwrap();
    it.stage.freshworks.settled().await;
    assert_eq!(it.platform.journal().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_delivery_says_whether_the_key_is_the_right_one() {
    let stage = Environment::start(Store::Sqlite(Default::default()), 1, &[]).await.unwrap();
    stage.connect("acme", &json!({ "kind": "polling" })).await.unwrap();
    let activity = async || stage.api.call("GET", "/v1/connections/acme/activity", &Value::Null).await.unwrap().body;
    assert_eq!(activity().await["webhook"]["state"], "waiting");
    let (_, conversation) = handed_over(&stage, "handoffs").await;
    let maya = stage.freshworks.agent_id("Maya Chen").unwrap();
    stage.freshworks.settled().await;
    // A repeat would be by the right key.
    stage.freshworks.set_behaviour(|it| it.webhook_retries.clear());
    // On a busy machine a delivery may be abandoned before the response, and is then resent.
    let written_until = async |wanted: &str, fault: Option<WebhookFault>| {
        let began = std::time::Instant::now();
        while began.elapsed() < PATIENCE {
            fault.iter().for_each(|fault| stage.freshworks.fail_webhook(fault.clone()));
            stage.freshworks.reply(&conversation, &maya, "Hello").await.unwrap();
            // It is counted after the response.
            for _ in 0..100 {
                let activity = activity().await;
                if activity["webhook"]["state"] == wanted {
                    return activity;
                }
            }
        }
        panic!("it is never {wanted}: {}", activity().await)
    };
    let refused = written_until("refused", Some(WebhookFault::WrongKey)).await;
    assert_eq!(refused["webhook"]["why"], "wrong-signature");
    assert_eq!(
        (&refused["troubles"][0]["of"], &refused["troubles"][0]["result"]),
        (&json!("freshworks"), &json!("refused"))
    );
    assert_eq!(written_until("verified", None).await["webhook"]["why"], Value::Null);
    let recognised = json!({ "key": stage.freshworks.public_key(KeyForm::Vendor) });
    let key = stage.api.call("POST", "/v1/webhook-key", &recognised).await.unwrap().body;
    assert_eq!((&key["is_usable"], &key["bits"]), (&json!(true), &json!(2048)));
}

//! Exporting, erasing and redacting a person's data with the real component, on both stores.

use e2e::{Reply, Store};
use platform_simulator::Config;
use serde_json::{Value, json};
use spin_emulator::RedisServer;

use crate::cast::{OnDelight, within};

async fn ask(delight: &OnDelight, method: &str, path: &str) -> Reply {
    delight.stage.api.call(method, path, &Value::Null).await.unwrap()
}

fn count(answer: &Reply) -> usize {
    answer.body["handoffs"].as_array().unwrap().len()
}

async fn erased(store: Store) {
    let delight = OnDelight::start(store, 2, Config::default()).await;
    let (channel, conversation) = delight.handed_over("ana").await;
    let (_, others) = delight.handed_over("ana-2").await;
    let maya = delight.stage.freshworks.agent_id("Maya Chen").unwrap();
    delight.stage.freshworks.reply(&conversation.id, &maya, "It is on its way").await.unwrap();
    delight.stage.settled("acme").await.unwrap();

    let held = ask(&delight, "GET", "/v1/people/ana").await;
    assert_eq!((held.status, count(&held)), (200, 1), "{held:?}");
    let one = &held.body["handoffs"][0];
    assert_eq!(one["freshworks"]["user"], json!(conversation.user_id));
    assert!(one["conversations"].to_string().contains(&conversation.id), "{one}");

    let erased = ask(&delight, "DELETE", "/v1/people/ana?connection=acme&freshworks=true").await;
    assert_eq!((erased.status, count(&erased)), (200, 1), "{erased:?} {}", delight.stage.log());
    assert_eq!(erased.body["handoffs"][0]["was_ended"], true);
    assert_eq!(erased.body["freshworks"]["steps"][0]["target"], json!(conversation.user_id));
    let context = delight.platform.context(&channel);
    assert!(context.to_string().contains("abandoned"), "the AI agent answers again: {context}");
    assert!(!context.to_string().contains("on its way"), "what is erased goes nowhere else: {context}");

    assert_eq!(count(&ask(&delight, "GET", "/v1/people/ana").await), 0);
    let left: Vec<String> = delight.stage.freshworks.users().into_iter().map(|user| user.id).collect();
    assert_eq!(left, [others.user_id], "the other person's record stays in Freshworks");
    assert_eq!(count(&ask(&delight, "GET", "/v1/people/ana-2").await), 1, "and here");
    // A repeat is safe.
    let again = ask(&delight, "DELETE", "/v1/people/ana?connection=acme&freshworks=true").await;
    assert_eq!((again.status, count(&again), &again.body["freshworks"]["steps"]), (200, 0, &json!([])));
}

async fn redacted(store: Store) {
    let delight = OnDelight::start(store, 1, Config::default()).await;
    let subscribed = delight.platform.webhook_settings()["category_subscriptions"].to_string();
    assert!(subscribed.contains("conversation:redacted"), "{subscribed}");
    let (channel, conversation) = delight.handed_over("ana").await;
    delight.platform.redact(&channel);
    delight.platform.settle().await;
    assert_eq!(count(&ask(&delight, "GET", "/v1/people/ana").await), 1, "human agents still need it");
    let maya = delight.stage.freshworks.agent_id("Maya Chen").unwrap();
    delight.stage.freshworks.resolve(&conversation.id, &maya).await.unwrap();
    delight.stage.settled("acme").await.unwrap();
    assert_eq!(count(&ask(&delight, "GET", "/v1/people/ana").await), 0, "{}", delight.stage.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_shown_and_erased_here_and_in_freshworks() {
    within("erasing", erased(Store::Sqlite(Default::default()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_shown_and_erased_here_and_in_freshworks_with_redis() {
    let redis = RedisServer::start().await.unwrap();
    within("erasing", erased(Store::Redis(redis.url()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_has_redacted_is_forgotten_after_the_end() {
    within("redacting", redacted(Store::Sqlite(Default::default()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_has_redacted_is_forgotten_after_the_end_with_redis() {
    let redis = RedisServer::start().await.unwrap();
    within("redacting", redacted(Store::Redis(redis.url()))).await;
}

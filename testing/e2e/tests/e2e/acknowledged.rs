//! Freshworks gives up on a webhook after three seconds. Regardless of the platform and Freshworks, it gets its response by then, and its
//! content arrives once and in order.

use std::time::Duration;

use e2e::Store;
use freshworks_simulator::{Delivery, Fault as FreshworksFault, How as FreshworksHow, Match, Outcome};
use platform_simulator::How;
use serde_json::Value;
use spin_emulator::RedisServer;

use crate::cast::{OnGeneric, within};

/// Longer than Freshworks waits.
const TOO_LONG: Duration = Duration::from_secs(4);

fn texts(events: &[Value]) -> Vec<&str> {
    let text = |event: &Value| event["kind"] == "agent-message";
    events
        .iter()
        .filter(|event| text(event))
        .filter_map(|event| event["message"]["parts"][0]["text"].as_str())
        .collect()
}

/// Starts, and hands one conversation over. Returns it with the human agent.
async fn handed_over(store: Store, goes_on: bool) -> (OnGeneric, String, String) {
    let it = if goes_on { OnGeneric::start(store, 1).await } else { OnGeneric::start_ending(store, 1).await };
    // As Freshworks has it.
    it.stage.freshworks.set_behaviour(|it| it.webhook_retries = vec![Duration::from_millis(20); 4]);
    it.hand_over("c-1", false).await;
    let conversation = it.conversation("c-1: my parcel is lost").id;
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    it.stage.settled("acme").await.unwrap();
    (it, conversation, maya)
}

/// Each delivery was acknowledged at its first try.
fn assert_first_tries(deliveries: &[Delivery]) {
    assert!(!deliveries.is_empty());
    for one in deliveries {
        assert_eq!((one.outcome, one.retry_count), (Outcome::Answered(204), 0), "{:?}", one.action);
    }
}

/// Webhooks acknowledged before the platform has responded are still reported, once and in order.
async fn a_slow_platform(store: Store, goes_on: bool) {
    let (it, conversation, maya) = handed_over(store, goes_on).await;
    it.platform.fail(&[How::Delay(TOO_LONG), How::Delay(TOO_LONG)]);
    for text in ["one", "two", "three"] {
        assert_first_tries(&it.stage.freshworks.reply(&conversation, &maya, text).await.unwrap());
        if text == "one" {
            assert!(texts(&it.platform.events("c-1")).is_empty(), "it was acknowledged before the platform knew");
        }
    }
    it.stage.settled("acme").await.unwrap();
    assert_eq!(texts(&it.platform.events("c-1")), ["one", "two", "three"], "{}", it.stage.log());
    let again = it.stage.freshworks.deliveries().iter().filter(|one| one.retry_count > 0).count();
    assert_eq!(again, 0, "Freshworks repeats nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_platform_delays_no_acknowledgement_and_loses_nothing_with_sqlite() {
    within("a slow platform", a_slow_platform(Store::Sqlite(Default::default()), true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_platform_delays_no_acknowledgement_and_loses_nothing_with_redis() {
    let redis = RedisServer::start().await.unwrap();
    within("a slow platform", a_slow_platform(Store::Redis(redis.url()), true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_platform_delays_nothing_where_instances_end_with_their_responses() {
    within("a slow platform", a_slow_platform(Store::Sqlite(Default::default()), false)).await;
}

/// The first message looks up the human agent's name: Freshworks is slow to respond.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_freshworks_delays_no_acknowledgement_and_the_agent_keeps_the_name() {
    let (it, conversation, maya) = handed_over(Store::Sqlite(Default::default()), true).await;
    let slow = FreshworksHow::Delay(Duration::from_millis(1_300));
    it.stage.freshworks.fail(FreshworksFault::new(Match::any().method("GET"), slow));
    assert_first_tries(&it.stage.freshworks.reply(&conversation, &maya, "one").await.unwrap());
    assert!(texts(&it.platform.events("c-1")).is_empty(), "it was acknowledged before Freshworks answered");
    it.stage.freshworks.clear_faults();
    it.stage.settled("acme").await.unwrap();
    let events = it.platform.events("c-1");
    assert_eq!(texts(&events), ["one"], "{}", it.stage.log());
    let told = events.iter().find(|event| event["kind"] == "agent-message").unwrap();
    assert_eq!(told["agent"]["name"], "Maya Chen", "an aborted look-up is not taken for a response");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_away_gets_everything_in_order_when_it_is_back() {
    for goes_on in [true, false] {
        let (it, conversation, maya) = handed_over(Store::Sqlite(Default::default()), goes_on).await;
        it.platform.fail(&vec![How::Status(503); 4]);
        let wanted: Vec<String> = (0..8).map(|number| format!("answer {number}")).collect();
        for text in &wanted {
            assert_first_tries(&it.stage.freshworks.reply(&conversation, &maya, text).await.unwrap());
        }
        within("the platform is back", it.stage.settled("acme")).await.unwrap();
        assert_eq!(texts(&it.platform.events("c-1")), wanted, "{}", it.stage.log());
        assert_eq!(it.platform.counts(), (0, 0), "nothing was reported twice");
    }
}

/// Many at once, to two instances that are killed again and again: each is repeated until it is acknowledged, as Freshworks does.
async fn a_burst(store: Store) {
    const CONVERSATIONS: usize = 10;
    const DELIVERIES: usize = 200;
    let mut it = OnGeneric::start_ending(store, 2).await;
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    let mut conversations = Vec::new();
    for number in 0..CONVERSATIONS {
        it.hand_over(&format!("c-{number}"), false).await;
        conversations.push(it.conversation(&format!("c-{number}: my parcel is lost")).id);
    }
    it.stage.settled("acme").await.unwrap();
    let connection = it.stage.api.call("GET", "/v1/connections/acme", &Value::Null).await.unwrap();
    let hook = connection.body["webhooks"]["freshchat"].as_str().unwrap().to_owned();
    // From here on the deliveries are made by hand.
    it.stage.freshworks.set_webhook(None);
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..DELIVERIES {
        let conversation = &conversations[number % CONVERSATIONS];
        let made = it.stage.freshworks.reply(conversation, &maya, &format!("answer {number}")).await.unwrap().remove(0);
        let (api, hook) = (it.stage.api.clone(), hook.clone());
        sending.spawn(async move {
            let headers: Vec<(&str, String)> =
                made.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            loop {
                match api.send("POST", &hook, &headers, made.body.clone()).await {
                    Ok(answer) if answer.status == 204 => break,
                    // The instance crashed, or another one holds the lease.
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
    }
    for kill in 0..6 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        it.stage.kill(kill % 2).await.unwrap();
    }
    while let Some(sent) = sending.join_next().await {
        sent.unwrap();
    }
    it.stage.settled("acme").await.unwrap();
    for number in 0..CONVERSATIONS {
        let events = it.platform.events(&format!("c-{number}"));
        let mut told = texts(&events);
        told.sort_unstable();
        let mut wanted: Vec<String> =
            (number..DELIVERIES).step_by(CONVERSATIONS).map(|number| format!("answer {number}")).collect();
        wanted.sort_unstable();
        assert_eq!(told, wanted, "c-{number}: {}", it.stage.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_at_instances_that_are_killed_loses_and_doubles_nothing_with_sqlite() {
    within("a burst", a_burst(Store::Sqlite(Default::default()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_at_instances_that_are_killed_loses_and_doubles_nothing_with_redis() {
    let redis = RedisServer::start().await.unwrap();
    within("a burst", a_burst(Store::Redis(redis.url()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unverified_webhooks_are_not_stored() {
    let (it, conversation, maya) = handed_over(Store::Sqlite(Default::default()), true).await;
    // Otherwise stored webhooks would not be processed.
    it.platform.fail(&vec![How::Status(503); 50]);
    it.stage.freshworks.set_behaviour(|it| it.webhook_retries.clear());
    it.stage.freshworks.fail_webhook(freshworks_simulator::WebhookFault::WrongKey);
    let sent = it.stage.freshworks.reply(&conversation, &maya, "forged").await.unwrap();
    assert_eq!(sent[0].outcome, Outcome::Answered(401));
    let activity = async || it.stage.api.call("GET", "/v1/connections/acme/activity", &Value::Null).await.unwrap().body;
    assert_eq!(activity().await["inbox"], 0);
    it.stage.freshworks.reply(&conversation, &maya, "genuine").await.unwrap();
    assert_eq!(activity().await["inbox"], 1, "a genuine one is");
}

//! Webhooks: bodies, order, and faults.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use platform_simulator::{Config, Delight, ExternalCase, Webhook, WebhookFault};
use serde_json::{Value, json};

use crate::{Heard, ana, call, json_of, line, listener, messages_of, within, words};

fn signature(key: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hmac::sign(&key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Subscribes to all events of the AI agent's webhook. Returns its secret.
async fn subscribe(it: &Delight, url: &str) -> String {
    let body = json!({ "enabled": true, "url": url, "category_subscriptions": ["*"] });
    let (_, settings) = call(it, "PUT", "/v3/ai_agent/settings/webhook", &body).await.unwrap();
    settings["signature_secret"].as_str().unwrap().to_owned()
}

/// The events that came, oldest first.
fn events(heard: &Heard) -> Vec<Value> {
    heard.lock().unwrap().iter().map(|(_, body)| json_of(body)).collect()
}

#[tokio::test]
async fn webhooks_come_in_order_signed_and_again_until_they_are_taken() {
    let it = Delight::start(Config::default()).await.unwrap();
    let (url, heard) = listener(&[500, 503]).await;
    it.set_chat_webhook(Some(url));
    let channel = it.user_opens(&ana(), &[]);
    it.user_says(&channel, "one");
    it.user_says(&channel, "two");
    it.settle().await;
    assert_eq!(words(&heard), ["one", "one", "one", "two"]);
    for (headers, body) in heard.lock().unwrap().iter() {
        assert_eq!(headers["x-sendbird-signature"], signature(&it.config().api_token, body));
        assert_eq!(json_of(body)["sender"]["user_id"], "ana");
    }
    assert_eq!(it.given_up(), 0);
}

#[tokio::test]
async fn webhooks_are_given_up_after_three_tries_and_faults_hit_one() {
    let it = Delight::start(Config::default()).await.unwrap();
    let (url, heard) = listener(&[500, 500, 500]).await;
    it.set_chat_webhook(Some(url));
    let channel = it.user_opens(&ana(), &[]);
    it.user_says(&channel, "one");
    it.settle().await;
    assert_eq!((it.given_up(), heard.lock().unwrap().len()), (1, 3));
    it.fail_webhooks(&[WebhookFault::Dropped, WebhookFault::Doubled]);
    it.user_says(&channel, "two");
    it.user_says(&channel, "three");
    it.settle().await;
    assert_eq!(words(&heard)[3..], ["three", "three"]);
    let told: Vec<_> = it.deliveries().into_iter().map(|one| (one.tries, one.statuses, one.given_up)).collect();
    let dropped = (0, vec![], true);
    assert_eq!(told, [(3, vec![500; 3], true), dropped, (1, vec![204], false), (1, vec![204], false)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn webhooks_of_calls_at_once_come_in_the_order_of_their_messages() {
    let it = Arc::new(Delight::start(Config::default()).await.unwrap());
    let (url, heard) = listener(&[]).await;
    it.set_chat_webhook(Some(url));
    let channel = it.user_opens(&ana(), &[]);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (it, channel) = (it.clone(), channel.clone());
        calls.spawn(async move { call(&it, "POST", &messages_of(&channel), &line(&number.to_string())).await });
    }
    within("all have written", calls.join_all()).await;
    within("all is told", it.settle()).await;
    let written: Vec<String> = it.seen_by_user(&channel).into_iter().map(|seen| seen.text).collect();
    assert_eq!(written.len(), 200);
    assert_eq!(words(&heard), written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_channel_settles_only_when_everything_visible_was_reported() {
    let it = Arc::new(Delight::start(Config::default()).await.unwrap());
    let (url, heard) = listener(&[]).await;
    it.set_chat_webhook(Some(url));
    let channel = it.user_opens(&ana(), &[]);
    for count in 1..=100 {
        let writing = {
            let (it, channel) = (it.clone(), channel.clone());
            tokio::spawn(async move { call(&it, "POST", &messages_of(&channel), &line("Hello")).await })
        };
        within("it is seen", it.wait_for(&channel, |seen| seen.len() == count)).await;
        within("it is told", it.settle()).await;
        assert_eq!(words(&heard).len(), count);
        writing.await.unwrap();
    }
}

#[tokio::test]
async fn webhook_faults_hit_their_kind_and_channel() {
    let it = Delight::start(Config { tries: 1, ..Config::default() }).await.unwrap();
    let (url, heard) = listener(&[]).await;
    let (agent_url, agent_heard) = listener(&[]).await;
    it.set_chat_webhook(Some(url));
    let secret = subscribe(&it, &agent_url).await;
    let (first, second) = (it.user_opens(&ana(), &[]), it.user_opens(&ana(), &[]));
    it.settle().await;
    it.fail_webhooks_of(Webhook::Chat, Some(&second), &[WebhookFault::Dropped, WebhookFault::Altered]);
    it.fail_webhooks_of(Webhook::AiAgent, None, &[WebhookFault::WrongSignature]);
    for (channel, text) in [(&first, "one"), (&second, "two"), (&second, "three"), (&second, "four")] {
        it.user_says(channel, text);
    }
    it.settle().await;

    let mut told: Vec<(String, bool)> = Vec::new();
    for (headers, body) in heard.lock().unwrap().iter() {
        let is_genuine = headers["x-sendbird-signature"] == signature(&it.config().api_token, body);
        told.push((json_of(body)["payload"]["message"].as_str().unwrap().to_owned(), is_genuine));
    }
    told.sort();
    assert_eq!(told, [("four".into(), true), ("one".into(), true), ("three".into(), false)]);
    let mut forged = Vec::new();
    for (headers, body) in agent_heard.lock().unwrap().iter() {
        if headers["x-sendbird-signature"] != signature(&secret, body) {
            forged.push(json_of(body)["data"]["message"]["content"].clone());
        }
    }
    assert_eq!(forged, ["one"]);
    let dropped: Vec<_> = it.deliveries().into_iter().filter(|one| one.given_up).collect();
    assert_eq!(dropped.len(), 1);
    assert_eq!((dropped[0].category.as_str(), &dropped[0].channel), ("group_channel:message_send", &second));
}

#[tokio::test]
async fn a_delayed_webhook_only_delays_its_own_channel() {
    let it = Delight::start(Config::default()).await.unwrap();
    let (url, heard) = listener(&[]).await;
    it.set_chat_webhook(Some(url));
    let (first, second) = (it.user_opens(&ana(), &[]), it.user_opens(&ana(), &[]));
    let delay = Duration::from_millis(500);
    it.fail_webhooks_of(Webhook::Chat, Some(&first), &[WebhookFault::Delayed(delay)]);
    let started = Instant::now();
    for (channel, text) in [(&first, "one"), (&first, "two"), (&second, "three")] {
        it.user_says(channel, text);
    }
    it.settle().await;
    assert!(started.elapsed() >= delay);
    assert_eq!(words(&heard), ["three", "one", "two"]);
}

#[tokio::test]
async fn a_webhook_without_a_receiver_has_no_status() {
    let it = Delight::start(Config { tries: 2, ..Config::default() }).await.unwrap();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    it.set_chat_webhook(Some(format!("http://{nobody}/")));
    let channel = it.user_opens(&ana(), &[]);
    it.user_says(&channel, "one");
    it.settle().await;
    let delivery = it.deliveries().remove(0);
    assert_eq!((delivery.tries, delivery.statuses, delivery.given_up), (2, vec![0, 0], true));
}

#[tokio::test]
async fn an_integrations_case_is_reported_until_the_next_conversation() {
    let it = Delight::start(Config::default()).await.unwrap();
    let (url, heard) = listener(&[]).await;
    subscribe(&it, &url).await;
    let channel = it.user_opens(&ana(), &[]);
    let case = |id: &str| ExternalCase { case_id: id.into(), kind: "sprinklr".into() };
    it.hand_off_as(&channel, &case("5"));
    it.close(&channel, "by_human_agent");
    it.next_conversation(&channel);
    it.hand_off(&channel);
    it.close_as(&channel, "auto", &case("6"));
    it.settle().await;
    let told: Vec<(String, Value)> = events(&heard)
        .into_iter()
        .filter(|event| event["category"] != "conversation:started")
        .map(|event| (event["category"].as_str().unwrap().to_owned(), event["data"]["external_case"].clone()))
        .collect();
    let case = |id: &str| json!({ "case_id": id, "type": "sprinklr" });
    let closed = || "conversation:closed".to_owned();
    assert_eq!(
        told,
        [
            ("handoff".to_owned(), case("5")),
            (closed(), case("5")),
            ("handoff".to_owned(), Value::Null),
            (closed(), case("6"))
        ]
    );
    assert_eq!(events(&heard)[2]["data"]["conversation"]["closed_reason"], "by_human_agent");
}

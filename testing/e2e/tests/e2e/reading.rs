//! Input from both sides that strict parsers reject, lose or misread.

use e2e::Store;
use freshworks_simulator::{Action, WebhookFault};
use platform_simulator::Config;
use serde_json::{Value, json};

use crate::cast::{OnDelight, OnGeneric, count, texts, within};

async fn on_delight(config: Config) -> OnDelight {
    OnDelight::start(Store::Sqlite(Default::default()), 1, config).await
}

/// The failures in the console: side, result and reason, without deliveries that met concurrent work on the same conversation
/// and were retried.
async fn troubles(it: &OnDelight) -> Vec<(String, String, String, u64)> {
    let activity = it.stage.api.call("GET", "/v1/connections/acme/activity", &Value::Null).await.unwrap();
    let word = |trouble: &Value, name: &str| trouble[name].as_str().unwrap().to_owned();
    let all = activity.body["troubles"].as_array().unwrap().iter().filter(|it| it["why"] != "busy");
    all.map(|it| (word(it, "of"), word(it, "result"), word(it, "why"), it["count"].as_u64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_emoji_gets_through_in_every_direction() {
    let it = on_delight(Config { loose_json: true, ..Config::default() }).await;
    it.stage.freshworks.set_behaviour(|it| it.loose_json = true);
    let channel = it.opened("ana");
    it.platform.user_says(&channel, "cut before \u{fffd}");
    it.platform.hand_off(&channel);
    let is_there = |texts: &[String]| texts.iter().any(|text| text.contains("cut before \u{fffd}"));
    let conversation = within("the handoff", async {
        loop {
            if let Some(found) = it.stage.freshworks.conversations().into_iter().find(|one| is_there(&texts(one))) {
                return found;
            }
            it.stage.freshworks.next_exchange().await;
        }
    })
    .await;
    it.platform.settle().await;
    it.platform.user_says(&channel, "cut after \u{fffd}");
    it.platform.settle().await;
    assert_eq!(count(&it.stage, &conversation.id, "cut after \u{fffd}"), 1);
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    it.stage.freshworks.reply(&conversation.id, &maya, "cut \u{fffd}").await.unwrap();
    let is_told = |seen: &[platform_simulator::Seen]| seen.iter().any(|seen| seen.text == "cut \u{fffd}");
    within("the answer", it.platform.wait_for(&channel, is_told)).await;
    assert_eq!(it.platform.given_up(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_half_an_emoji_is_carried_out() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    it.hand_over("c-1", false).await;
    let open = it.stage.api.call("GET", "/v1/connections/acme/handoffs", &Value::Null).await.unwrap();
    let path = format!("/v1/connections/acme/handoffs/{}/messages", open.body["handoffs"][0]["id"].as_str().unwrap());
    let body = br#"{"id": "m-1", "sender": {"role": "end-user"}, "sent_at": 1790000000000,
        "parts": [{"kind": "text", "text": "cut \ud83d", "bytes": 1e999}]}"#;
    let headers =
        [("authorization", format!("Bearer {}", e2e::TOKEN)), ("content-type", "application/json".to_owned())];
    let answer = it.stage.api.send("POST", &path, &headers, body.to_vec()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let found = it.conversation("c-1: my parcel is lost");
    assert_eq!(count(&it.stage, &found.id, "cut \u{fffd}"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_webhook_that_cannot_be_read_is_counted_shown_and_repeated() {
    let it = on_delight(Config::default()).await;
    let (_, conversation) = it.handed_over("ana").await;
    let freshworks = &it.stage.freshworks;
    freshworks.set_behaviour(|it| it.webhook_retries = vec![std::time::Duration::from_millis(10)]);
    let maya = freshworks.agent_id("Maya Chen").unwrap();
    freshworks.fail_webhooks_of(Action::MessageCreate, WebhookFault::TornBody, 1);
    let sent = freshworks.reply(&conversation.id, &maya, "torn").await.unwrap();
    let torn = sent.iter().find(|sent| sent.fault == Some(WebhookFault::TornBody)).unwrap();
    assert_eq!(torn.status_of_receiver(), Some(502));
    freshworks.settled().await;
    let shown = troubles(&it).await;
    assert_eq!(shown, [("freshworks".into(), "unreadable".into(), String::new(), 2)], "the first try and the repeat");
    assert!(it.stage.log().contains("cannot be read: not JSON at line 1"), "{}", it.stage.log());
    assert!(!it.stage.log().contains("torn"));
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_files_are_uploaded_and_several_of_a_message_each() {
    let it = on_delight(Config { private_files: true, ..Config::default() }).await;
    let (channel, conversation) = it.handed_over("ana").await;
    it.platform.user_sends_file(&channel, "my receipt.pdf", "application/pdf", b"%PDF-1.7");
    it.platform.settle().await;
    it.platform.user_sends_files(&channel, &[("a.png", "image/png", b"one"), ("b.png", "image/png", b"two")]);
    it.platform.settle().await;
    let mut uploads: Vec<(String, Vec<u8>)> =
        it.stage.freshworks.uploads().into_iter().map(|it| (it.name, it.content.to_vec())).collect();
    uploads.sort();
    let wanted = [("a.png", &b"one"[..]), ("b.png", b"two"), ("my receipt.pdf", b"%PDF-1.7")];
    assert_eq!(uploads, wanted.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    let found = it.stage.freshworks.conversation(&conversation.id).unwrap();
    let is_file = |part: &Value| part.get("image").is_some() || part.get("file").is_some();
    assert_eq!(found.messages.iter().flat_map(|message| &message.parts).filter(|part| is_file(part)).count(), 3);
    assert_eq!(count(&it.stage, &conversation.id, "a.png"), 0, "names are no words");
    let token = &it.platform.config().api_token;
    assert!(!format!("{:?}", it.stage.freshworks.journal()).contains(token.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_compared_without_case_and_foreign_ones_are_counted_and_shown() {
    let it = on_delight(Config { small_app_id: true, ..Config::default() }).await;
    let (channel, conversation) = it.handed_over("ana").await;
    it.platform.user_says(&channel, "in small letters");
    it.platform.settle().await;
    assert_eq!(count(&it.stage, &conversation.id, "in small letters"), 1);
    let before = it.stage.freshworks.conversations().len();
    it.platform.tell_of_another(&channel, Some("SOMEBODY-ELSE"), None);
    it.platform.tell_of_another(&channel, None, Some("another-helper"));
    it.platform.settle().await;
    assert_eq!(it.platform.given_up(), 0, "they are acknowledged");
    let mut shown = troubles(&it).await;
    shown.sort();
    let foreign = |why: &str| ("platform".to_owned(), "foreign".to_owned(), why.to_owned(), 1);
    assert_eq!(shown, [foreign("another-ai-agent"), foreign("another-application")]);
    assert_eq!(it.stage.freshworks.conversations().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_unknown_parts_reach_the_end_user() {
    let it = on_delight(Config::default()).await;
    let (channel, conversation) = it.handed_over("ana").await;
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    let parts = vec![
        json!({ "hologram": { "media": { "link": "/files/a b" } } }),
        json!({ "document": { "name": "letter.pdf", "url": "https://files.example/a letter.pdf" } }),
        json!({ "file": { "name": "gone.pdf" } }),
    ];
    it.stage.freshworks.reply_parts(&conversation.id, &maya, parts).await.unwrap();
    let link = format!("[hologram] {}/files/a%20b", it.stage.freshworks.origin());
    let is_there = |seen: &[platform_simulator::Seen]| seen.iter().any(|seen| seen.text.contains("gone.pdf"));
    let seen = within("the parts arrive", it.platform.wait_for(&channel, is_there)).await;
    assert!(seen.iter().any(|seen| seen.text == link), "{seen:?}");
    let letter = seen.iter().find(|seen| seen.file_name == "letter.pdf").unwrap();
    assert_eq!(letter.url, "https://files.example/a%20letter.pdf");
    assert!(seen.iter().any(|seen| seen.text == "[file: gone.pdf] (could not be passed on)"), "{seen:?}");
}

//! One whole round: to a human agent and back.

use e2e::Store;
use freshworks_simulator::Assignee;
use platform_simulator::{Config, FileForm, Kind};
use serde_json::{Value, json};
use spin_emulator::RedisServer;

use crate::cast::{OnDelight, OnGeneric, count, texts, within};

pub(crate) async fn round_on_delight(it: &OnDelight, user: &str) {
    let (channel, conversation) = it.handed_over(user).await;
    let (stage, platform) = (&it.stage, &it.platform);
    let carried = texts(&conversation).join("\n");
    assert!(carried.contains("I cannot find it."), "{carried}");

    // A human agent takes it and answers; the user sees both once, with name and photo.
    let maya = stage.freshworks.agent_id("Maya Chen").unwrap();
    stage.freshworks.assign(&conversation.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    stage.freshworks.reply(&conversation.id, &maya, "Let me look").await.unwrap();
    stage.freshworks.note(&conversation.id, &maya, "Secret among us").await.unwrap();
    let is_there =
        |words: &'static str| move |seen: &[platform_simulator::Seen]| seen.iter().any(|it| it.text == words);
    let seen = within("the answer arrives", platform.wait_for(&channel, is_there("Let me look"))).await;
    let answer = seen.iter().find(|seen| seen.text == "Let me look").unwrap();
    assert_eq!(answer.name, "Maya Chen");
    assert!(!answer.photo.is_empty());
    assert!(seen.iter().any(|seen| seen.kind == Kind::System && seen.text == "Maya Chen joined the conversation."));

    // A file of the agent's comes as a file.
    let receipt = json!({ "file": { "name": "label.pdf", "url": "https://files.example/label.pdf", "contentType": "application/pdf" } });
    stage.freshworks.reply_parts(&conversation.id, &maya, vec![receipt]).await.unwrap();
    let is_file = |seen: &platform_simulator::Seen| seen.kind == Kind::File && seen.file_name == "label.pdf";
    let seen = within("the file arrives", platform.wait_for(&channel, move |seen| seen.iter().any(is_file))).await;
    let file = seen.iter().find(|seen| is_file(seen)).unwrap();
    assert_eq!((file.url.as_str(), file.name.as_str()), ("https://files.example/label.pdf", "Maya Chen"));

    // The user answers in words and with a file; the agent sees both once, and nothing of their own.
    platform.user_says(&channel, "It was a blue box");
    platform.user_sends_file(&channel, "receipt.pdf", "application/pdf", b"%PDF-1.7");
    platform.settle().await;
    assert_eq!(count(stage, &conversation.id, "It was a blue box"), 1);
    let found = stage.freshworks.conversation(&conversation.id).unwrap();
    let is_receipt = |part: &Value| part["file"]["name"] == "receipt.pdf";
    let receipts = found.messages.iter().flat_map(|message| &message.parts).filter(|part| is_receipt(part)).count();
    assert_eq!((receipts, count(stage, &conversation.id, "receipt.pdf")), (1, 0), "as a file, not as a link");
    assert_eq!(count(stage, &conversation.id, "Let me look"), 1);
    assert_eq!(count(stage, &conversation.id, "joined the conversation"), 0);

    stage.freshworks.resolve(&conversation.id, &maya).await.unwrap();
    let line = is_there("The support team has left the conversation. The AI agent answers again.");
    let seen = within("the return is told", platform.wait_for(&channel, line)).await;
    stage.freshworks.settled().await;
    assert_eq!(platform.context(&channel)["context"]["handoff_outcome"], "resolved");
    assert_eq!(platform.context(&channel)["context"]["plan"], "pro", "what was there stays");
    assert_eq!(platform.members(&channel).len(), 2, "the human agent has left");
    assert_eq!(seen.iter().filter(|seen| seen.text == "Let me look").count(), 1);
    assert!(!seen.iter().any(|seen| seen.text.contains("Secret")));

    // From now on the AI agent has it.
    platform.user_says(&channel, "Thank you");
    platform.settle().await;
    assert_eq!(count(stage, &conversation.id, "Thank you"), 0);
    let open = stage.api.call("GET", "/v1/connections/acme/handoffs", &json!(null)).await.unwrap();
    assert_eq!(open.body["handoffs"], json!([]));
    assert_eq!(platform.given_up(), 0);
}

/// The same on any platform, through the API or through signed webhooks.
async fn round_on_generic(it: &OnGeneric, conversation: &str, by_webhook: bool) {
    let freshworks = &it.stage.freshworks;
    it.hand_over(conversation, by_webhook).await;
    let found = it.conversation(&format!("{conversation}: my parcel is lost"));
    let maya = freshworks.agent_id("Maya Chen").unwrap();
    freshworks.assign(&found.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    freshworks.reply(&found.id, &maya, "Let me look").await.unwrap();
    freshworks.note(&found.id, &maya, "Secret among us").await.unwrap();
    let has = |kind: &'static str| move |events: &[Value]| events.iter().any(|event| event["kind"] == kind);
    let events = within("the answer arrives", it.platform.wait_for(conversation, has("agent-message"))).await;
    let answer = events.iter().find(|event| event["kind"] == "agent-message").unwrap();
    assert_eq!(answer["agent"]["name"], "Maya Chen");
    assert_eq!(answer["message"]["parts"][0]["text"], "Let me look");

    it.say(conversation, "m-1", json!({ "kind": "text", "text": "It was a blue box" }), by_webhook).await;
    let file = json!({ "kind": "file", "name": "receipt.pdf", "url": "https://files.example/receipt.pdf" });
    it.say(conversation, "m-2", file, by_webhook).await;
    // Sent twice by the platform, seen once by the agent.
    it.say(conversation, "m-1", json!({ "kind": "text", "text": "It was a blue box" }), by_webhook).await;
    assert_eq!(count(&it.stage, &found.id, "It was a blue box"), 1);
    assert_eq!(count(&it.stage, &found.id, "receipt.pdf"), 1);

    freshworks.resolve(&found.id, &maya).await.unwrap();
    let events = within("the return is told", it.platform.wait_for(conversation, has("returned-to-ai"))).await;
    let returned = events.iter().find(|event| event["kind"] == "returned-to-ai").unwrap();
    assert_eq!(returned["outcome"], "resolved");
    assert_eq!(events.iter().filter(|event| event["kind"] == "agent-message").count(), 1);
    assert!(!json!(events).to_string().contains("Secret"));
    assert_eq!(it.platform.counts().1, 0, "every signature was right");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_round_costs_on_delight_does_not_grow() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    let counts = || (it.stage.freshworks.journal().len(), it.platform.journal().len());
    let before = counts();
    let (channel, conversation) = it.handed_over("ana").await;
    let after_handoff = counts();
    assert_eq!(
        after_handoff.0 - before.0,
        3,
        "Freshworks: one look-up (nobody has verified the address), user, conversation"
    );
    assert_eq!(
        after_handoff.1 - before.1,
        4,
        "Delight: user, history, that it may take a while, what was said meanwhile"
    );
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    let mut costs = Vec::new();
    for text in ["one", "two"] {
        let before = counts();
        it.stage.freshworks.reply(&conversation.id, &maya, text).await.unwrap();
        it.stage.freshworks.settled().await;
        costs.push((counts().0 - before.0, counts().1 - before.1));
    }
    // First name and photo, then user, membership and the message; later only the message.
    assert_eq!(costs, [(1, 3), (0, 1)]);
    let before = counts();
    it.platform.user_says(&channel, "three");
    it.platform.settle().await;
    assert_eq!((counts().0 - before.0, counts().1 - before.1), (1, 0), "although both webhooks bring it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_on_delight_with_sqlite() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    round_on_delight(&it, "ana").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_on_delight_with_redis_and_two_instances() {
    let redis = RedisServer::start().await.unwrap();
    let it =
        OnDelight::start(Store::Redis(redis.url()), 2, Config { file_form: FileForm::Nested, ..Config::default() })
            .await;
    round_on_delight(&it, "ana").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_on_any_platform_with_sqlite() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    round_on_generic(&it, "c-1", false).await;
    round_on_generic(&it, "c-2", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_on_any_platform_with_redis_and_two_instances() {
    let redis = RedisServer::start().await.unwrap();
    let it = OnGeneric::start(Store::Redis(redis.url()), 2).await;
    round_on_generic(&it, "c-1", false).await;
    round_on_generic(&it, "c-2", true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Spin, which is in no registry: `cargo xtask test` runs it where it finds one, and says so where not"]
async fn a_round_on_a_real_spin() {
    round_on_delight(&OnDelight::start_on_spin().await, "ana").await;
}

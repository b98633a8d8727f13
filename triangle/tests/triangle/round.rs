//! One whole round: to a human agent and back.

use freshworks_simulator::Assignee;
use platform_simulator::{Config, Kind};
use serde_json::json;
use triangle::Store;

use crate::cast::{OnDelight, count, texts, within};

async fn round_on_delight(it: &OnDelight, user: &str) {
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

    // The user answers in words and with a file; the agent sees both once.
    platform.user_says(&channel, "It was a blue box");
    platform.user_sends_file(&channel, "receipt.pdf", "application/pdf", b"%PDF-1.7");
    platform.settle().await;
    assert_eq!(count(stage, &conversation.id, "It was a blue box"), 1);
    assert_eq!(count(stage, &conversation.id, "receipt.pdf"), 1);

    stage.freshworks.resolve(&conversation.id, &maya).await.unwrap();
    let line = is_there("The support team has left the conversation.");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_round_on_delight_with_sqlite() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    round_on_delight(&it, "ana").await;
}

//! Who plays: a platform each, with what its users do, and the human agent.

use std::time::Duration;

use freshworks_simulator::Conversation;
use platform_simulator::{Config, Delight, UserSpec};
use serde_json::{Value, json};
use triangle::{Stage, Store};

/// Nothing here takes as long as this unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("this does not happen: {what}"))
}

/// A Delight application, connected.
pub(crate) struct OnDelight {
    pub(crate) stage: Stage,
    pub(crate) platform: Delight,
}

impl OnDelight {
    pub(crate) async fn start(store: Store, instances: usize, config: Config) -> Self {
        let platform = Delight::start(config).await.unwrap();
        let stage = Stage::start(store, instances, &[platform.origin()]).await.unwrap();
        let answer = stage.connect("acme", &settings(&platform)).await.unwrap();
        platform.set_chat_webhook(answer.body["webhooks"]["chat"].as_str().map(str::to_owned));
        Self { stage, platform }
    }

    /// A user who has talked to the AI agent and is handed over. Answers the channel and the conversation in Freshworks.
    pub(crate) async fn handed_over(&self, user: &str) -> (String, Conversation) {
        let person =
            UserSpec { id: user.into(), nickname: format!("{user} Santos"), photo: "https://p.example/a.png".into() };
        let channel = self.platform.user_opens(&person, &[("plan", "pro"), ("email", &format!("{user}@example.com"))]);
        self.platform.user_says(&channel, &format!("{user}: my parcel is lost"));
        self.platform.ai_says(&channel, "I cannot find it.");
        self.platform.hand_off(&channel);
        self.platform.settle().await;
        let all = self.stage.freshworks.conversations();
        let is_it =
            |found: &&Conversation| texts(found).iter().any(|text| text.contains(&format!("{user}: my parcel")));
        let found = all.iter().find(is_it);
        let conversation = found.unwrap_or_else(|| panic!("no conversation of {user}: {}", self.stage.log())).clone();
        (channel, conversation)
    }
}

/// The platform's side of a connection.
pub(crate) fn settings(platform: &Delight) -> Value {
    let config = platform.config();
    json!({
        "kind": "delight",
        "app_id": config.app_id,
        "ai_agent_id": config.ai_agent_id,
        "api_token": config.api_token,
        "test_origin": platform.origin(),
    })
}

/// All texts of a conversation, oldest first.
pub(crate) fn texts(conversation: &Conversation) -> Vec<String> {
    conversation.messages.iter().map(|message| text(&message.parts)).collect()
}

fn text(parts: &[Value]) -> String {
    parts.iter().filter_map(|part| part["text"]["content"].as_str()).collect::<Vec<_>>().join("\n")
}

/// How often a text stands in a conversation.
pub(crate) fn count(stage: &Stage, conversation: &str, words: &str) -> usize {
    let found = stage.freshworks.conversation(conversation).unwrap();
    texts(&found).iter().filter(|text| text.contains(words)).count()
}

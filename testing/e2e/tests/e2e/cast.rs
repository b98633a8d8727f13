//! The cast: the platforms with their users, and the human agent.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use e2e::{Api, Environment, SECRET, Store, TOKEN, delight_settings};
use freshworks_simulator::{Conversation, Simulator};
use platform_simulator::{Caller, Config, Delight, Generic, UserSpec};
use serde_json::{Value, json};

/// Nothing here takes as long as this unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

/// A Delight application, connected.
pub(crate) struct OnDelight {
    pub(crate) stage: Environment,
    pub(crate) platform: Delight,
}

impl OnDelight {
    pub(crate) async fn start(store: Store, instances: usize, config: Config) -> Self {
        let platform = Delight::start(config).await.unwrap();
        let stage = Environment::start(store, instances, &[platform.origin()]).await.unwrap();
        Self::connected(platform, stage).await
    }

    /// On a real Spin.
    pub(crate) async fn start_on_spin() -> Self {
        let platform = Delight::start(Config::default()).await.unwrap();
        let stage = Environment::start_on_spin(&[platform.origin()]).await.unwrap();
        Self::connected(platform, stage).await
    }

    async fn connected(platform: Delight, stage: Environment) -> Self {
        let answer = stage.connect("acme", &delight_settings(&platform)).await.unwrap();
        platform.set_chat_webhook(answer.body["webhooks"]["chat"].as_str().map(str::to_owned));
        Self { stage, platform }
    }

    /// A user who has talked to the AI agent. Returns the channel.
    pub(crate) fn opened(&self, user: &str) -> String {
        let person =
            UserSpec { id: user.into(), nickname: format!("{user} Santos"), photo: "https://p.example/a.png".into() };
        let channel = self.platform.user_opens(&person, &[("plan", "pro"), ("email", &format!("{user}@example.com"))]);
        self.platform.user_says(&channel, &format!("{user}: my parcel is lost"));
        self.platform.ai_says(&channel, "I cannot find it.");
        channel
    }

    /// A user who is handed over. Returns the channel and the conversation in Freshworks.
    pub(crate) async fn handed_over(&self, user: &str) -> (String, Conversation) {
        let channel = self.opened(user);
        self.platform.hand_off(&channel);
        let words = format!("{user}: my parcel is lost");
        let is_there = || async {
            loop {
                let all = self.stage.freshworks.conversations();
                if let Some(found) = all.into_iter().find(|one| texts(one).iter().any(|text| text.contains(&words))) {
                    return found;
                }
                self.stage.freshworks.next_exchange().await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, is_there()).await;
        let found = found.unwrap_or_else(|_| panic!("no conversation of {user}: {}", self.stage.log()));
        // The rest of the handoff, and its echoes.
        self.platform.settle().await;
        self.stage.freshworks.settled().await;
        (channel, found)
    }

    /// Ticks every open handoff of a connection.
    pub(crate) async fn look(&self, connection: &str) {
        let path = format!("/v1/connections/{connection}/handoffs");
        let open = self.stage.api.call("GET", &path, &Value::Null).await.unwrap().body;
        for handoff in open["handoffs"].as_array().unwrap() {
            let path = format!("{path}/{}/tick", handoff["id"].as_str().unwrap());
            for _ in 0..20 {
                match self.stage.api.call("POST", &path, &Value::Null).await {
                    Ok(answer) if answer.status < 500 => break,
                    // Once more after a fault, or after concurrent work.
                    _ => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        }
    }
}

/// Any other platform, connected.
pub(crate) struct OnGeneric {
    pub(crate) stage: Environment,
    pub(crate) platform: Generic,
    player: Player,
}

/// The platform's users; they outlive the instances.
#[derive(Clone)]
pub(crate) struct Player {
    freshworks: Arc<Simulator>,
    api: Api,
    origin: String,
    caller: Caller,
    webhook: String,
}

impl OnGeneric {
    pub(crate) async fn start(store: Store, instances: usize) -> Self {
        let platform = Generic::start(SECRET).await.unwrap();
        let stage = Environment::start(store, instances, &[platform.origin()]).await.unwrap();
        Self::connected(platform, stage).await
    }

    /// On hosts whose instances end with their responses.
    pub(crate) async fn start_ending(store: Store, instances: usize) -> Self {
        let platform = Generic::start(SECRET).await.unwrap();
        let stage = Environment::start_ending(store, instances, &[platform.origin()]).await.unwrap();
        Self::connected(platform, stage).await
    }

    pub(crate) async fn connected(platform: Generic, stage: Environment) -> Self {
        let settings = json!({ "kind": "generic", "callback_url": platform.callback_url(), "secret": SECRET });
        let answer = stage.connect("acme", &settings).await.unwrap();
        let webhook = answer.body["webhooks"]["platform"].as_str().unwrap().to_owned();
        let player = Player {
            freshworks: stage.freshworks.clone(),
            api: stage.api.clone(),
            origin: stage.front.origin().to_owned(),
            caller: Caller::default(),
            webhook,
        };
        Self { stage, platform, player }
    }

    pub(crate) fn player(&self) -> Player {
        self.player.clone()
    }
}

impl Deref for OnGeneric {
    type Target = Player;

    fn deref(&self) -> &Player {
        &self.player
    }
}

impl Player {
    pub(crate) fn freshworks(&self) -> &Simulator {
        &self.freshworks
    }

    /// Hands a conversation over, and repeats that as a platform does until it is done.
    pub(crate) async fn hand_over(&self, conversation: &str, by_webhook: bool) {
        let said = |id: &str, role: &str, text: &str| {
            json!({ "id": id, "sender": { "role": role }, "sent_at": 1_790_000_000_000_u64,
                    "parts": [{ "kind": "text", "text": text }] })
        };
        let request = json!({
            "key": key(conversation),
            "user": { "id": format!("user-of-{conversation}"), "name": "Ana Santos" },
            "mode": "live",
            "reason": "user-asked",
            "summary": "A parcel is lost.",
            "history": [
                said("h-1", "end-user", &format!("{conversation}: my parcel is lost")),
                said("h-2", "ai-agent", "I cannot find it."),
            ],
        });
        let (status, answer) = if by_webhook {
            let id = format!("handoff-of-{conversation}");
            self.caller.webhook(&self.webhook, SECRET, &id, "handoff.requested", &request).await
        } else {
            let url = format!("{}/v1/connections/acme/handoffs", self.origin);
            self.caller.post(&url, TOKEN, &request).await
        };
        assert!(status == 200 || status == 204, "{status} {answer}");
    }

    /// The user writes.
    pub(crate) async fn say(&self, conversation: &str, id: &str, part: Value, by_webhook: bool) {
        let message =
            json!({ "id": id, "sender": { "role": "end-user" }, "sent_at": 1_790_000_001_000_u64, "parts": [part] });
        let (status, answer) = if by_webhook {
            let data = json!({ "key": key(conversation), "message": message });
            self.caller
                .webhook(&self.webhook, SECRET, &format!("said-{conversation}-{id}"), "message.created", &data)
                .await
        } else {
            let url = format!("{}/v1/connections/acme/handoffs/{}/messages", self.origin, self.id(conversation).await);
            self.caller.post(&url, TOKEN, &message).await
        };
        assert!(status == 200 || status == 204, "{status} {answer}");
    }

    /// Relays a message with this id through the API, retrying until there is a response. Returns the last status.
    pub(crate) async fn relay(&self, handoff: &str, id: &str, part: Value) -> u16 {
        let message =
            json!({ "id": id, "sender": { "role": "end-user" }, "sent_at": 1_790_000_001_000_u64, "parts": [part] });
        self.post(handoff, "messages", &message).await
    }

    /// Closes a handoff through the API, in the same way.
    pub(crate) async fn close(&self, handoff: &str) -> u16 {
        self.post(handoff, "close", &json!({ "reason": "user-left" })).await
    }

    /// Ticks a handoff through the API, in the same way.
    pub(crate) async fn tick(&self, handoff: &str) -> u16 {
        self.post(handoff, "tick", &Value::Null).await
    }

    async fn post(&self, handoff: &str, what: &str, body: &Value) -> u16 {
        let url = format!("{}/v1/connections/acme/handoffs/{handoff}/{what}", self.origin);
        self.caller.post(&url, TOKEN, body).await.0
    }

    /// The handoff's id in the API.
    pub(crate) async fn id(&self, conversation: &str) -> String {
        for _ in 0..100 {
            let Ok(open) = self.api.call("GET", "/v1/connections/acme/handoffs", &Value::Null).await else { continue };
            let all = open.body["handoffs"].as_array().cloned().unwrap_or_default();
            if let Some(found) = all.iter().find(|one| one["key"]["conversation"] == conversation) {
                return found["id"].as_str().unwrap().to_owned();
            }
        }
        panic!("{conversation} is not open")
    }

    /// The conversation in Freshworks that holds these words.
    pub(crate) fn conversation(&self, words: &str) -> Conversation {
        let all = self.freshworks.conversations();
        let found: Vec<_> = all.into_iter().filter(|one| texts(one).iter().any(|text| text.contains(words))).collect();
        assert_eq!(found.len(), 1, "{words}");
        found.into_iter().next().unwrap()
    }
}

fn key(conversation: &str) -> Value {
    json!({ "application": "app", "channel": "web", "conversation": conversation })
}

/// All texts of a conversation, oldest first.
pub(crate) fn texts(conversation: &Conversation) -> Vec<String> {
    conversation.messages.iter().map(|message| text(&message.parts)).collect()
}

fn text(parts: &[Value]) -> String {
    parts.iter().filter_map(|part| part["text"]["content"].as_str()).collect::<Vec<_>>().join("\n")
}

/// How often a text occurs in a conversation.
pub(crate) fn count(stage: &Environment, conversation: &str, words: &str) -> usize {
    let found = stage.freshworks.conversation(conversation).unwrap();
    texts(&found).iter().filter(|text| text.contains(words)).count()
}

//! Plays a conversation: the plugin in its sandbox, a separate account, and a minimal platform.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use freshworks_simulator::{self as simulator, Assignee, KeyForm, Refusal, Simulator};
use handoff_host::bindings::{Delivery, Message, Owner, Sender, SenderRole, SessionInfo, Update};
use handoff_host::{AllowList, HttpClient, Sandbox, json};
use serde_json::{Value, json};

use crate::file_host::FileHost;
use crate::plugin::plugin;
use crate::story::{Act, Story, parts_of};
use crate::views::{Names, UserView, inbox};

/// The views of the two people.
pub(crate) struct Seen {
    pub(crate) agent: String,
    pub(crate) user: String,
}

/// The simulator stamps messages by the real clock, so the platform goes by it as well. No time is shown that depends on it.
fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Plays the whole conversation.
pub(crate) async fn play(file: &Path) -> Seen {
    let files = FileHost::start().await;
    let story = Story::read(file, files.address());
    let mut platform = Platform::connect(&story, files.address()).await;
    platform.hand_over(&story).await;
    for act in &story.script {
        platform.act(act, &story).await;
    }
    let names = Names::of(&platform.account, files.address());
    Seen { agent: names.steady(&inbox(&platform.account)), user: names.steady(&platform.seen.finish()) }
}

struct Platform {
    account: Simulator,
    sandbox: Sandbox,
    settings: String,
    session: String,
    owner: Owner,
    /// The id of the conversation that the human agents act in.
    conversation: String,
    /// How many webhooks were passed on.
    heard: usize,
    /// How many messages the end user wrote.
    written: usize,
    seen: UserView,
}

impl Platform {
    async fn connect(story: &Story, file_host: &str) -> Self {
        let account = Simulator::start(story.people.account()).await.unwrap();
        let mut settings = json!({
            "chat_url": "acme",
            "api_key": account.api_key(),
            "webhook_public_key": account.public_key(KeyForm::Vendor),
            "test_origin": account.origin(),
        });
        settings.as_object_mut().unwrap().extend(story.settings.clone());
        let mut allow = AllowList::none();
        allow.allow_internal(account.origin()).unwrap();
        allow.allow_internal(&format!("http://{file_host}")).unwrap();
        let sandbox = Sandbox::new(HttpClient::new().unwrap()).allow(allow);
        let connection = plugin().connect(&sandbox, &settings.to_string()).await.result.unwrap();
        assert!(connection.connected, "{:?}", connection.findings);
        let mut seen = UserView::default();
        seen.findings("connect", &connection.findings);
        let (session, settings) = (String::new(), connection.settings);
        let (owner, conversation) = (Owner::AiAgent, String::new());
        Self { account, sandbox, settings, session, owner, conversation, heard: 0, written: 0, seen }
    }

    async fn hand_over(&mut self, story: &Story) {
        let call = plugin().handoff(&self.sandbox, &self.settings, &story.request, None, now()).await;
        let receipt = call.result.unwrap();
        self.seen.handed_over(&receipt);
        self.keep(receipt.session, &receipt.info);
        self.hear().await;
    }

    fn keep(&mut self, session: String, info: &SessionInfo) {
        (self.session, self.owner) = (session, info.owner);
        self.conversation.clone_from(&info.conversation_ids[0]);
    }

    fn learn(&mut self, update: Update) {
        self.seen.update(&update);
        self.keep(update.session.unwrap(), &update.info.unwrap());
    }

    /// Passes every new webhook on, those of our own calls as well.
    async fn hear(&mut self) {
        self.account.settled().await;
        for delivery in self.account.deliveries().split_off(self.heard) {
            self.heard += 1;
            let simulator::Delivery { headers, body, .. } = delivery;
            let delivery = Delivery { headers, body: String::from_utf8(body).unwrap(), received_at: now() };
            let call = plugin().on_webhook(&self.sandbox, &self.settings, &delivery, Some(&self.session)).await;
            self.learn(call.result.unwrap());
        }
    }

    async fn act(&mut self, act: &Act, story: &Story) {
        match act {
            Act::UserWrites { text, parts } => self.user_writes(text.as_deref(), parts.as_ref(), story).await,
            Act::PlatformCloses { reason } => {
                let reason = json::from_json(&json!(reason).to_string(), "reason").unwrap();
                self.seen.closes(reason);
                let call = plugin().close(&self.sandbox, &self.settings, &self.session, reason, false, now()).await;
                self.learn(call.result.unwrap());
            }
            of_agent => {
                self.agent_acts(of_agent).await.unwrap();
            }
        }
        self.hear().await;
    }

    /// The current owner gets the message.
    async fn user_writes(&mut self, text: Option<&str>, parts: Option<&Value>, story: &Story) {
        self.written += 1;
        let user = &story.request.user;
        let (id, name) = (Some(user.id.clone()), user.name.clone());
        let sender = Sender { role: SenderRole::EndUser, id, name, avatar_url: None };
        let id = format!("live-{}", self.written);
        let message = Message { id, sender, sent_at: now(), parts: parts_of(text, parts) };
        self.seen.writes(&message, self.owner);
        if matches!(self.owner, Owner::HumanAgent) {
            let call = plugin().relay(&self.sandbox, &self.settings, &self.session, &message, false, now()).await;
            self.learn(call.result.unwrap());
        }
    }

    async fn agent_acts(&self, act: &Act) -> Result<Vec<simulator::Delivery>, Refusal> {
        let (account, conversation) = (&self.account, self.conversation.as_str());
        let id = |name: &String| account.agent_id(name).unwrap_or_else(|| panic!("{name} does not work here"));
        match act {
            Act::AgentTakes { agent } => account.assign(conversation, &id(agent), Assignee::Agent(&id(agent))).await,
            Act::AgentTransfers { agent, to_agent: Some(to), to_group: None } => {
                account.assign(conversation, &id(agent), Assignee::Agent(&id(to))).await
            }
            Act::AgentTransfers { agent, to_agent: None, to_group: Some(to) } => {
                let group = account.group_id(to).unwrap_or_else(|| panic!("there is no group {to}"));
                account.assign(conversation, &id(agent), Assignee::Group(&group)).await
            }
            Act::AgentReplies { agent, text } => account.reply(conversation, &id(agent), text).await,
            Act::AgentRepliesWith { agent, parts } => {
                account.reply_parts(conversation, &id(agent), parts.clone()).await
            }
            Act::AgentNotes { agent, text } => account.note(conversation, &id(agent), text).await,
            Act::AgentResolves { agent } => account.resolve(conversation, &id(agent)).await,
            Act::AgentReopens { agent } => account.reopen(conversation, &id(agent)).await,
            Act::AgentTransfers { .. } => panic!("a transfer goes either to an agent or to a group"),
            Act::UserWrites { .. } | Act::PlatformCloses { .. } => unreachable!("no act of a human agent"),
        }
    }
}

//! Delight AI agent, formerly Sendbird AI agent: channels with people in them, the Chat Platform API v3, the AI agent's API, and
//! two kinds of webhooks. Wire facts are from the vendor's documentation and generated SDK.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::faults::{Fault, WebhookFault, missed, require_all_hit};
use crate::lock;
use crate::server::Server;

mod api;
mod delivery;
mod http;
mod store;
mod webhooks;

use delivery::{Deliveries, Outgoing};
pub use delivery::{Delivery, Webhook};
use store::Store;
pub use store::{ExternalCase, Kind, Seen, UserSpec};

/// The AI agent's nickname.
pub const AGENT_NAME: &str = "Helper";

/// The form of files in the Chat webhook: both were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// `url`, `filename`, `content_type` beside the message.
    Flat,
    /// A `file` object.
    Nested,
}

/// How the platform is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// The application.
    pub app_id: String,
    /// The AI agent; its user has the same id.
    pub ai_agent_id: String,
    /// The master API token.
    pub api_token: String,
    /// How often a webhook is sent until it is acknowledged (vendor documentation: 3).
    pub tries: u32,
    /// How long to wait between two tries.
    pub retry_wait: Duration,
    /// The form of files in the Chat webhook.
    pub file_form: FileForm,
    /// Files are encrypted: they say `require_auth`, and are only served to the holder of the API token (vendor documentation and
    /// staff; that the refusal is a 403 is assumed).
    pub private_files: bool,
    /// The case of `app_id` in webhooks is not that of the dashboard: hosts hold it in small letters.
    pub small_app_id: bool,
    /// U+FFFD in a text is sent as the JavaScript escape of half an emoji.
    pub loose_json: bool,
    /// False: the vendor's staff set the AI agent's webhook, and the API returns 403.
    pub may_set_webhook: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            app_id: "A1B2C3D4-0000-4000-8000-000000000001".into(),
            ai_agent_id: "helper".into(),
            api_token: "master-api-token".into(),
            tries: 3,
            retry_wait: Duration::from_millis(100),
            file_form: FileForm::Flat,
            private_files: false,
            small_app_id: false,
            loose_json: false,
            may_set_webhook: true,
        }
    }
}

pub(crate) struct Inner {
    config: Config,
    store: Mutex<Store>,
    faults: Mutex<Vec<Fault>>,
    deliveries: Deliveries,
    /// Counts changes of the store.
    changed: watch::Sender<u64>,
}

/// One application with one AI agent.
///
/// **From the vendor's documentation and generated SDK:** paths, fields and limits of the calls (0 to 200 messages to each side, 15
/// by default; one of `message_ts` and `message_id`; 10 users typing at once; 128 characters of `custom_type`); the header
/// `Api-Token`; the form of an error, and its code 400201 for what does not exist; that the AI agent's context is replaced, and the
/// webhook's secret made once; the AI agent's envelope and categories; 3 tries of 5 seconds; both signatures. The Chat webhook's
/// body, with both forms of a file, is from third-party copies of the vendor's samples.
///
/// **Assumed, because no document says it:** the other codes (400108 not permitted, 400111 invalid, 400202 exists, 400401 no token,
/// 400700 no member) and the statuses of refusals, including 405 for an unsupported method; that writers must be
/// members; that a repeated `dedup_id` answers the first message; that lists are in ascending order, including the requested time
/// or message; hex in the AI agent's signature. A bridge that passes because of one of these
/// has not been verified against the vendor.
///
/// **Kinder than the vendor promises:** the webhooks of one kind come in order within a channel. Different kinds and channels
/// overtake each other.
pub struct Delight {
    inner: Arc<Inner>,
    server: Server,
}

impl std::fmt::Debug for Delight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delight").field("origin", &self.server.origin).finish_non_exhaustive()
    }
}

impl Drop for Delight {
    fn drop(&mut self) {
        require_all_hit(&missed(&lock(&self.inner.faults)));
        require_all_hit(&self.inner.deliveries.missed());
    }
}

impl Delight {
    /// Starts the platform.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let inner = Arc::new(Inner {
            store: Mutex::new(Store::new(&config)),
            deliveries: Deliveries::new(config.tries, config.retry_wait, config.loose_json),
            config,
            faults: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let server = Server::start(http::router(inner.clone())).await?;
        lock(&inner.store).origin.clone_from(&server.origin);
        Ok(Self { inner, server })
    }

    /// The API's address, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.server.origin
    }

    /// How it is set up.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Sets the receiver of the Chat webhook, as in the dashboard.
    pub fn set_chat_webhook(&self, url: Option<String>) {
        lock(&self.inner.store).chat_webhook = url;
    }

    /// The AI agent's webhook, as the API shows it.
    pub fn webhook_settings(&self) -> Value {
        lock(&self.inner.store).webhook_settings()
    }

    /// Makes a call of the API go wrong.
    pub fn fail(&self, fault: Fault) {
        lock(&self.inner.faults).push(fault);
    }

    /// Makes the next webhooks of any kind fail, in the order of their causes.
    pub fn fail_webhooks(&self, faults: &[WebhookFault]) {
        self.inner.deliveries.fail(None, None, faults);
    }

    /// Makes the next webhooks of this kind fail, only in this channel if one is named. Earlier scripts go first.
    pub fn fail_webhooks_of(&self, kind: Webhook, channel: Option<&str>, faults: &[WebhookFault]) {
        self.inner.deliveries.fail(Some(kind), channel, faults);
    }

    /// Requests of the API so far: method and path.
    pub fn journal(&self) -> Vec<String> {
        lock(&self.inner.store).journal.clone()
    }

    /// Webhooks so far, in the order of their causes, including those in flight.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.inner.deliveries.all()
    }

    /// Sends the AI agent's webhook about a foreign conversation: another application's, or another AI agent's.
    pub fn tell_of_another(&self, channel: &str, app_id: Option<&str>, ai_agent_id: Option<&str>) {
        act(&self.inner, |store| {
            let mut event = store.hand_off(channel, None);
            app_id.into_iter().for_each(|id| event.body["app_id"] = id.into());
            ai_agent_id.into_iter().for_each(|id| event.body["data"]["ai_agent_id"] = id.into());
            ((), vec![event])
        });
    }

    /// Webhooks that were given up: after all tries, or before the first.
    pub fn given_up(&self) -> usize {
        self.inner.deliveries.given_up()
    }

    /// Waits until no webhook is in flight.
    pub async fn settle(&self) {
        self.inner.deliveries.settle().await;
    }

    /// A person opens the messenger: user, channel and first conversation. Returns the channel.
    pub fn user_opens(&self, user: &UserSpec, context: &[(&str, &str)]) -> String {
        act(&self.inner, |store| store.open(user, context))
    }

    /// The user writes. Returns the message's id.
    pub fn user_says(&self, channel: &str, text: &str) -> u64 {
        act(&self.inner, |store| store.say(channel, None, text))
    }

    /// The AI agent writes.
    pub fn ai_says(&self, channel: &str, text: &str) -> u64 {
        act(&self.inner, |store| store.say(channel, Some(&self.inner.config.ai_agent_id), text))
    }

    /// The user sends a file.
    pub fn user_sends_file(&self, channel: &str, name: &str, media_type: &str, bytes: &[u8]) -> u64 {
        act(&self.inner, |store| store.send_file(channel, name, media_type, bytes))
    }

    /// The user sends several files in one message: name, type and content of each. The server names them in the message's text
    /// (from the vendor's clients; how the names are joined is assumed).
    pub fn user_sends_files(&self, channel: &str, files: &[(&str, &str, &[u8])]) -> u64 {
        act(&self.inner, |store| store.send_files(channel, files))
    }

    /// The AI agent hands over.
    pub fn hand_off(&self, channel: &str) {
        act(&self.inner, |store| ((), vec![store.hand_off(channel, None)]));
    }

    /// The AI agent hands over to an integration that has made a case of it. The case stays with the conversation.
    pub fn hand_off_as(&self, channel: &str, case: &ExternalCase) {
        act(&self.inner, |store| ((), vec![store.hand_off(channel, Some(case))]));
    }

    /// The user rates the human part. Fields of the conversation hold it (vendor documentation); that webhooks show them, and that
    /// `conversation:analyzed` follows, is assumed.
    pub fn user_rates_human_part(&self, channel: &str, score: u8, reason: &str) {
        act(&self.inner, |store| ((), vec![store.rate(channel, score, reason)]));
    }

    /// The platform closes the conversation, for example as `auto`, `user_resolved` or `by_human_agent`.
    pub fn close(&self, channel: &str, reason: &str) {
        act(&self.inner, |store| ((), vec![store.close(channel, reason, None)]));
    }

    /// The platform closes the conversation with this integration's case, regardless of the integration.
    pub fn close_as(&self, channel: &str, reason: &str, case: &ExternalCase) {
        act(&self.inner, |store| ((), vec![store.close(channel, reason, Some(case))]));
    }

    /// The conversation's messages have been redacted.
    pub fn redact(&self, channel: &str) {
        act(&self.inner, |store| ((), vec![store.event(channel, "conversation:redacted", serde_json::json!({}))]));
    }

    /// The next conversation of the channel begins.
    pub fn next_conversation(&self, channel: &str) {
        act(&self.inner, |store| ((), vec![store.next_conversation(channel)]));
    }

    /// What the user sees, oldest first.
    pub fn seen_by_user(&self, channel: &str) -> Vec<Seen> {
        lock(&self.inner.store).seen(channel)
    }

    /// Waits until the user sees this.
    pub async fn wait_for(&self, channel: &str, is_it: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut changes = self.inner.changed.subscribe();
        loop {
            let seen = self.seen_by_user(channel);
            if is_it(&seen) || changes.changed().await.is_err() {
                return seen;
            }
        }
    }

    /// The AI agent's context.
    pub fn context(&self, channel: &str) -> Value {
        lock(&self.inner.store).context(channel)
    }

    /// Who is in the channel, by id.
    pub fn members(&self, channel: &str) -> Vec<String> {
        lock(&self.inner.store).members(channel)
    }
}

/// Changes the store. Its webhooks are queued before the change is visible: in order, and known to be in flight.
fn act<R>(inner: &Inner, change: impl FnOnce(&mut Store) -> (R, Vec<Outgoing>)) -> R {
    let mut store = lock(&inner.store);
    let (result, events) = change(&mut store);
    for event in events {
        let (url, key) = match event.kind {
            Webhook::Chat => (store.chat_webhook.clone(), inner.config.api_token.clone()),
            Webhook::AiAgent => (store.subscribed(&event.category), store.signature_secret.clone()),
        };
        if let Some(url) = url {
            inner.deliveries.send(event, &url, &key);
        }
    }
    drop(store);
    inner.changed.send_modify(|count| *count += 1);
    result
}

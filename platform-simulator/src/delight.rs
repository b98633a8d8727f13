//! Delight AI agent, formerly Sendbird AI agent: channels with people in them, the Chat Platform API v3, the AI agent's API, and
//! two kinds of webhooks. Wire facts are from the vendor's documentation and generated SDK.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::faults::{Effect, Fault, How, WebhookFault, pick};
use crate::lock;
use crate::server::{Cut, Server};

mod api;
mod delivery;
mod store;

use delivery::{Deliveries, Outgoing, Webhook};
use store::Store;
pub use store::{Kind, Seen, UserSpec};

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
    /// The AI agent; its user bears the same id.
    pub ai_agent_id: String,
    /// The master API token.
    pub api_token: String,
    /// How often a webhook is sent until it is acknowledged (vendor documentation: 3).
    pub tries: u32,
    /// How long to wait between two tries.
    pub retry_wait: Duration,
    /// The form of files in the Chat webhook.
    pub file_form: FileForm,
    /// False: the webhook of the AI agent is set by the vendor's staff, and the API answers 403.
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
pub struct Delight {
    inner: Arc<Inner>,
    server: Server,
}

impl std::fmt::Debug for Delight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delight").field("origin", &self.server.origin).finish_non_exhaustive()
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
            deliveries: Deliveries::new(config.tries, config.retry_wait),
            config,
            faults: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let router = Router::new().fallback(handle).with_state(inner.clone());
        let server = Server::start(router).await?;
        lock(&inner.store).origin.clone_from(&server.origin);
        Ok(Self { inner, server })
    }

    /// Where the API answers, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.server.origin
    }

    /// How it is set up.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// What the dashboard does: where the Chat webhook goes.
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

    /// Makes the next webhooks go wrong, one after the other.
    pub fn fail_webhooks(&self, faults: &[WebhookFault]) {
        self.inner.deliveries.fail(faults);
    }

    /// Requests of the API so far: method and path.
    pub fn journal(&self) -> Vec<String> {
        lock(&self.inner.store).journal.clone()
    }

    /// Webhooks that were given up after all tries.
    pub fn given_up(&self) -> usize {
        self.inner.deliveries.given_up()
    }

    /// Waits until no webhook is under way.
    pub async fn settle(&self) {
        self.inner.deliveries.settle().await;
    }

    /// A person opens the messenger: user, channel and first conversation. Answers the channel.
    pub fn user_opens(&self, user: &UserSpec, context: &[(&str, &str)]) -> String {
        act(&self.inner, |store| store.open(user, context))
    }

    /// The user writes. Answers the message's id.
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

    /// The AI agent hands over.
    pub fn hand_off(&self, channel: &str) {
        act(&self.inner, |store| ((), vec![store.hand_off(channel)]));
    }

    /// The platform closes the conversation.
    pub fn close(&self, channel: &str, reason: &str) {
        act(&self.inner, |store| ((), vec![store.close(channel, reason)]));
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

/// Changes the store. Its webhooks are queued before anybody can see the change: in its order, and known as under way.
fn act<R>(inner: &Inner, change: impl FnOnce(&mut Store) -> (R, Vec<Outgoing>)) -> R {
    let mut store = lock(&inner.store);
    let (result, events) = change(&mut store);
    for event in events {
        let (url, key) = match event.kind {
            Webhook::Chat => (store.chat_webhook.clone(), inner.config.api_token.clone()),
            Webhook::AiAgent => (store.subscribed(&event.category), store.signature_secret.clone()),
        };
        if let Some(url) = url {
            inner.deliveries.send(event, url, key);
        }
    }
    drop(store);
    inner.changed.send_modify(|count| *count += 1);
    result
}

async fn handle(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let method = head.method.as_str().to_owned();
    if let Some(id) = path.strip_prefix("/files/") {
        let name = percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned();
        return match lock(&inner.store).files.get(&name) {
            Some((media_type, bytes)) => plain(200, media_type, bytes.clone()),
            None => plain(404, "text/plain", Vec::new()),
        };
    }
    lock(&inner.store).journal.push(format!("{method} {path}"));
    let fault = pick(&mut lock(&inner.faults), &method, &path);
    if let Some((how, Effect::Before)) = &fault
        && let Some(response) = wrong(how).await
    {
        return response;
    }
    let body = to_bytes(body, 32 << 20).await.unwrap_or_default();
    let token = head.headers.get("api-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let answer = if token == inner.config.api_token {
        let request = api::Request {
            method: &method,
            path: &path,
            query: head.uri.query().unwrap_or_default(),
            content_type,
            body: &body,
        };
        act(&inner, |store| match api::answer(&inner.config, store, &request) {
            Ok((value, events)) => (Ok(value), events),
            Err(refusal) => (Err(refusal), Vec::new()),
        })
    } else {
        Err(api::Refusal { status: 401, code: 400_401, message: "Invalid value: \"Api-Token\"." })
    };
    let response = match answer {
        Ok(value) => plain(200, "application/json", value.to_string().into_bytes()),
        Err(refusal) => refused(&refusal),
    };
    match fault {
        Some((how, Effect::After)) => wrong(&how).await.unwrap_or(response),
        _ => response,
    }
}

/// The answer of a call that goes wrong; none when it only comes late.
async fn wrong(how: &How) -> Option<Response> {
    match how {
        How::Status(status) => {
            Some(refused(&api::Refusal { status: *status, code: 500_901, message: "simulated fault" }))
        }
        How::Cut => {
            let mut response = plain(500, "text/plain", Vec::new());
            response.extensions_mut().insert(Cut);
            Some(response)
        }
        How::Delay(time) => {
            tokio::time::sleep(*time).await;
            None
        }
    }
}

fn refused(refusal: &api::Refusal) -> Response {
    let body = json!({ "error": true, "code": refusal.code, "message": refusal.message });
    plain(refusal.status, "application/json", body.to_string().into_bytes())
}

fn plain(status: u16, media_type: &str, body: Vec<u8>) -> Response {
    let response = Response::builder().status(status).header("content-type", media_type);
    response.body(Body::from(body)).unwrap_or_default()
}

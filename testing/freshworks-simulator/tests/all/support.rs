//! A caller of the API, and a receiver of webhooks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use base64ct::{Base64, Encoding};
use freshworks_simulator::{Config, Delivery, KeyForm, Simulator, UserSpec};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A response of the API.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The body of a response that must be a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    /// Status, symbol and message of an error response, which must have exactly its three fields.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        assert_eq!(fields(&body), ["code", "message", "status"], "{body}");
        assert_eq!(body["code"], self.status);
        let text = |name: &str| body[name].as_str().expect("a string").to_owned();
        (self.status, text("status"), text("message"))
    }
}

/// A simulator and a client with its key.
pub(crate) struct Account {
    pub(crate) sim: Simulator,
    pub(crate) client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) topic: String,
    pub(crate) user: String,
    pub(crate) maya: String,
    pub(crate) tom: String,
    pub(crate) group: String,
}

impl Account {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let sim = Simulator::start(config).await.expect("a simulator");
        let ana = UserSpec {
            first_name: Some("Ana".into()),
            last_name: Some("Lima".into()),
            email: Some("Ana@Example.org".into()),
            reference_id: Some("platform-42".into()),
            ..UserSpec::default()
        };
        Self {
            user: sim.seed_user(ana),
            topic: sim.topic_id("Sendbird Integration").expect("the topic"),
            maya: sim.agent_id("Maya Chen").expect("an agent"),
            tom: sim.agent_id("Tom Okafor").expect("an agent"),
            group: sim.group_id("Support").expect("a group"),
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            sim,
        }
    }

    /// A call with the right key; an error if there was no complete response.
    pub(crate) async fn try_call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Reply, String> {
        let key = format!("Bearer {}", self.sim.api_key());
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.sim.origin()))
            .header("authorization", key)
            .header("content-type", "application/json");
        self.send(request.body(Full::from(body)).expect("a request")).await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, String> {
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.try_call("GET", path, None).await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.try_call("POST", path, Some(body)).await.expect("an answer")
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.try_call("PUT", path, Some(body)).await.expect("an answer")
    }

    /// A message of the account's user, as a caller writes it.
    pub(crate) fn message(&self, text: &str) -> Value {
        json!({
            "message_parts": [{ "text": { "content": text } }],
            "message_type": "normal", "actor_type": "user", "actor_id": self.user,
        })
    }

    /// The body of a create call with one message.
    pub(crate) fn conversation(&self, text: &str) -> Value {
        json!({ "channel_id": self.topic, "users": [{ "id": self.user }], "messages": [self.message(text)] })
    }

    /// Opens a conversation through the API; returns its id.
    pub(crate) async fn open(&self, text: &str) -> String {
        let created = self.post("/v2/conversations", self.conversation(text)).await.ok();
        created["conversation_id"].as_str().expect("an id").to_owned()
    }

    /// The texts of a conversation, oldest first, without system lines.
    pub(crate) fn texts(&self, conversation: &str) -> Vec<String> {
        let conversation = self.sim.conversation(conversation).expect("the conversation");
        let said = conversation.messages.iter().filter(|it| it.source != "system");
        said.map(freshworks_simulator::Message::text).collect()
    }

    pub(crate) fn verifies(&self, delivery: &Delivery) -> bool {
        let signature = delivery.header("x-freshchat-signature").unwrap_or_default();
        verifies(&self.sim.public_key(KeyForm::Vendor), &delivery.body, signature)
    }
}

/// Whether this key made this signature of these bytes.
pub(crate) fn verifies(pem: &str, body: &[u8], signature: &str) -> bool {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = Base64::decode_vec(&base64).expect("a key in base64");
    let Ok(signature) = Base64::decode_vec(signature) else { return false };
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(body, &signature).is_ok()
}

/// The names of an object's fields, sorted.
pub(crate) fn fields(value: &Value) -> Vec<String> {
    let mut names: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
    names.sort();
    names
}

/// A receiver of webhooks. It returns the given statuses, then 200.
pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) received: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    task: tokio::task::JoinHandle<()>,
}

type Inbox = Arc<(mpsc::UnboundedSender<(HeaderMap, Bytes)>, Mutex<VecDeque<u16>>)>;

impl Receiver {
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
            let _ = inbox.0.send((headers, body));
            let status = inbox.1.lock().expect("a lock").pop_front().unwrap_or(200);
            StatusCode::from_u16(status).expect("a status")
        }
        let (sender, received) = mpsc::unbounded_channel();
        let inbox: Inbox = Arc::new((sender, Mutex::new(statuses.iter().copied().collect())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(receive).with_state(inbox);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        Self { url, received, task }
    }

    pub(crate) async fn next(&mut self) -> (HeaderMap, Value) {
        let (headers, body) = self.received.recv().await.expect("a webhook");
        (headers, serde_json::from_slice(&body).expect("a JSON body"))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

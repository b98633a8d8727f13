//! The contract names no vendor: a connector that is generated from the published WIT package alone, and shares no line with the
//! plugin, does the whole job through the same calls of the same host.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use freshworks_simulator::{Config, KeyForm, Simulator};
use handoff_host::bindings::{
    CloseReason, Delivery, ErrorKind, EventKind, HandoffRequest, Message, Outcome, Owner, SessionState,
};
use handoff_host::{AllowList, CallError, Engine, EngineSettings, HttpClient, Plugin, Sandbox, json};
use serde_json::{Value, json};

const NOW: u64 = 1_795_000_000_000;

/// A help desk with its connector, as a test sees them: all that differs between vendors.
trait Desk {
    /// The component.
    fn connector(&self) -> PathBuf;
    fn origin(&self) -> String;
    fn settings(&self) -> Value;
    /// A human agent writes; the webhook that tells of it.
    async fn answer(&self, conversation: &str, text: &str) -> Delivery;
    /// A human agent resolves; the webhook that tells of it.
    async fn resolve(&self, conversation: &str) -> Delivery;
    /// Everything that human agents read of the conversation.
    fn read(&self, conversation: &str) -> String;
    /// Where the token stands in the settings.
    fn token(&self) -> &'static str;
}

fn built(variable: &str, path: &str, how: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target").into());
    let path = std::env::var_os(variable).map_or_else(|| target.join(path), PathBuf::from);
    assert!(path.exists(), "run `cargo xtask {how}` first: {}", path.display());
    path
}

struct Freshworks {
    simulator: Simulator,
}

impl Freshworks {
    async fn webhook(&self, mut sent: Vec<freshworks_simulator::Delivery>) -> Delivery {
        let sent = sent.remove(0);
        Delivery { headers: sent.headers, body: String::from_utf8(sent.body).unwrap(), received_at: NOW + 60_000 }
    }
}

impl Desk for Freshworks {
    fn connector(&self) -> PathBuf {
        let built_here = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm");
        built("FRESHWORKS_PLUGIN", built_here, "build")
    }

    fn origin(&self) -> String {
        self.simulator.origin().to_owned()
    }

    fn settings(&self) -> Value {
        json!({
            "chat_url": "acme.freshchat.com",
            "api_key": self.simulator.api_key(),
            "webhook_public_key": self.simulator.public_key(KeyForm::Vendor),
            "test_origin": self.simulator.origin(),
        })
    }

    async fn answer(&self, conversation: &str, text: &str) -> Delivery {
        let maya = self.simulator.agent_id("Maya Chen").unwrap();
        self.webhook(self.simulator.reply(conversation, &maya, text).await.unwrap()).await
    }

    async fn resolve(&self, conversation: &str) -> Delivery {
        let maya = self.simulator.agent_id("Maya Chen").unwrap();
        self.webhook(self.simulator.resolve(conversation, &maya).await.unwrap()).await
    }

    fn read(&self, conversation: &str) -> String {
        let conversation = self.simulator.conversation(conversation).unwrap();
        conversation.messages.iter().map(|message| message.text()).collect::<Vec<_>>().join("\n")
    }

    fn token(&self) -> &'static str {
        "api_key"
    }
}

const TOKEN: &str = "mock-token";
const WEBHOOK_TOKEN: &str = "mock-webhook-token";

/// The desk that the mock connector speaks to: conversations as lists of lines.
struct Mock {
    origin: String,
    conversations: Conversations,
}

type Conversations = Arc<Mutex<Vec<Vec<String>>>>;

impl Mock {
    async fn start() -> Self {
        let conversations = Conversations::default();
        let app = Router::new()
            .route("/account", get(|| async { Json(json!({ "name": "Mock account" })) }))
            .route("/conversations", post(begin))
            .route("/conversations/{id}/messages", post(add))
            .route("/conversations/{id}/close", post(end))
            .layer(middleware::from_fn(authorised))
            .with_state(conversations.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { origin, conversations }
    }

    fn webhook(body: &Value) -> Delivery {
        let headers = vec![("x-desk-token".to_owned(), WEBHOOK_TOKEN.to_owned())];
        Delivery { headers, body: body.to_string(), received_at: NOW + 60_000 }
    }
}

async fn authorised(request: Request, next: Next) -> Result<Response, StatusCode> {
    let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if given == Some(&format!("Bearer {TOKEN}")) { Ok(next.run(request).await) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn begin(State(all): State<Conversations>, Json(body): Json<Value>) -> Json<Value> {
    let lines = body["history"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut all = all.lock().unwrap();
    all.push(lines.chain(body["summary"].as_str()).map(str::to_owned).collect());
    Json(json!({ "id": format!("c{}", all.len()) }))
}

fn at(all: &Conversations, id: &str, change: impl FnOnce(&mut Vec<String>)) -> StatusCode {
    let number = id.strip_prefix('c').and_then(|number| number.parse::<usize>().ok()).unwrap_or_default();
    match all.lock().unwrap().get_mut(number.wrapping_sub(1)) {
        Some(conversation) => {
            change(conversation);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

async fn add(State(all): State<Conversations>, Path(id): Path<String>, Json(body): Json<Value>) -> StatusCode {
    at(&all, &id, |lines| lines.push(body["text"].as_str().unwrap_or_default().to_owned()))
}

async fn end(State(all): State<Conversations>, Path(id): Path<String>) -> StatusCode {
    at(&all, &id, |lines| lines.push("(closed)".to_owned()))
}

impl Desk for Mock {
    fn connector(&self) -> PathBuf {
        built("MOCK_CONNECTOR", "wasm32-unknown-unknown/guest/mock_connector.wasm", "test vendor_neutral")
    }

    fn origin(&self) -> String {
        self.origin.clone()
    }

    fn settings(&self) -> Value {
        json!({ "desk_url": self.origin, "token": TOKEN, "webhook_token": WEBHOOK_TOKEN })
    }

    async fn answer(&self, conversation: &str, text: &str) -> Delivery {
        let message = json!({ "id": "m1", "agent": "Maya Chen", "text": text });
        Self::webhook(&json!({ "conversation": conversation, "message": message }))
    }

    async fn resolve(&self, conversation: &str) -> Delivery {
        Self::webhook(&json!({ "conversation": conversation, "resolved": true }))
    }

    fn read(&self, conversation: &str) -> String {
        let mut read = String::new();
        at(&self.conversations, conversation, |lines| read = lines.join("\n"));
        read
    }

    fn token(&self) -> &'static str {
        "token"
    }
}

fn request() -> HandoffRequest {
    json::from_json(
        r#"{
            "key": {"application": "app-1", "channel": "channel-7", "conversation": "42"},
            "user": {"id": "user-1", "name": "Ana Silva"},
            "mode": "live", "reason": "user-asked", "summary": "Her parcel is late.",
            "history": [{"id": "1", "sender": {"role": "end-user"}, "sent_at": 1794999990000,
                         "parts": [{"kind": "text", "text": "Where is my parcel?"}]}]
        }"#,
        "request",
    )
    .unwrap()
}

fn message(id: &str, text: &str) -> Message {
    let part = json!({ "kind": "text", "text": text });
    let message = json!({ "id": id, "sender": { "role": "end-user" }, "sent_at": NOW + 90_000, "parts": [part] });
    json::from_json(&message.to_string(), "message").unwrap()
}

fn refused<T>(result: Result<T, CallError>) -> ErrorKind {
    match result.map(drop).unwrap_err() {
        CallError::Plugin(error) => error.kind,
        other => panic!("{other:?}"),
    }
}

struct Talk<D> {
    desk: D,
    plugin: Plugin,
    sandbox: Sandbox,
    settings: String,
}

impl<D: Desk> Talk<D> {
    async fn begin(desk: D) -> Self {
        let plugin = Plugin::load(&Engine::new(EngineSettings::default()).unwrap(), &desk.connector(), None).unwrap();
        let mut allow = AllowList::none();
        allow.allow_internal(&desk.origin()).unwrap();
        let sandbox = Sandbox::new(HttpClient::new().unwrap()).allow(allow);
        let given = desk.settings().to_string();
        let said = plugin.describe(&sandbox, Some(&given)).await.result.unwrap();
        assert!(!said.name.is_empty() && said.outbound.iter().any(|host| host.origin == desk.origin()), "{said:?}");
        serde_json::from_str::<Value>(&said.settings_schema).unwrap();
        let connection = plugin.connect(&sandbox, &given).await.result.unwrap();
        assert!(connection.connected, "{:?}", connection.findings);
        Self { desk, plugin, sandbox, settings: connection.settings }
    }

    /// Connect, hand over, webhook, relay, and the end by whoever ends it.
    async fn whole_job(self, ends: End) {
        let Self { desk, plugin, sandbox, settings } = &self;
        let receipt = plugin.handoff(sandbox, settings, &request(), None, NOW).await.result.unwrap();
        assert_eq!(receipt.info.owner, Owner::HumanAgent);
        let conversation = receipt.info.conversation_ids[0].clone();
        assert!(desk.read(&conversation).contains("Where is my parcel?"));

        let delivery = desk.answer(&conversation, "Hello Ana.").await;
        // The session is found by any of its conversation's ids.
        let peeked = plugin.peek(sandbox, &delivery.body).await.result.unwrap();
        assert!(peeked.iter().any(|id| receipt.info.conversation_ids.contains(id)), "{peeked:?}");
        let update = plugin.on_webhook(sandbox, settings, &delivery, Some(&receipt.session)).await.result.unwrap();
        let [event] = &update.events[..] else { panic!("{:?}", update.events) };
        assert_eq!(event.kind, EventKind::AgentMessage);
        assert_eq!(event.agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"));
        assert_eq!(event.message.as_ref().unwrap().parts[0].text.as_deref(), Some("Hello Ana."));
        let session = update.session.unwrap();

        let said = message("2", "It is blue.");
        let update = plugin.relay(sandbox, settings, &session, &said, false, NOW + 90_000).await.result.unwrap();
        let session = update.session.unwrap();
        assert!(desk.read(&conversation).contains("It is blue."));

        let (update, outcome) = match ends {
            End::EndUser => {
                let left = CloseReason::UserLeft;
                let call = plugin.close(sandbox, settings, &session, left, false, NOW + 120_000).await;
                (call.result.unwrap(), Outcome::Abandoned)
            }
            End::HumanAgent => {
                let delivery = desk.resolve(&conversation).await;
                let call = plugin.on_webhook(sandbox, settings, &delivery, Some(&session)).await;
                (call.result.unwrap(), Outcome::Resolved)
            }
        };
        let end = update.events.iter().find(|event| event.kind == EventKind::ReturnedToAi).unwrap();
        assert_eq!(end.outcome, Some(outcome));
        let info = update.info.unwrap();
        assert_eq!((info.state, info.owner), (SessionState::Returned, Owner::AiAgent));
    }

    async fn refusals(self) {
        let Self { desk, plugin, sandbox, settings } = &self;
        let receipt = plugin.handoff(sandbox, settings, &request(), None, NOW).await.result.unwrap();
        let mut forged = desk.answer(&receipt.info.conversation_ids[0], "Hello Ana.").await;
        for (_, value) in &mut forged.headers {
            *value = "forged".to_owned();
        }
        let update = plugin.on_webhook(sandbox, settings, &forged, Some(&receipt.session)).await;
        assert_eq!(refused(update.result), ErrorKind::InvalidSignature);

        let mut wrong: Value = serde_json::from_str(settings).unwrap();
        wrong[desk.token()] = "wrong".into();
        let update = plugin.relay(sandbox, &wrong.to_string(), &receipt.session, &message("2", "Hi"), false, NOW).await;
        assert_eq!(refused(update.result), ErrorKind::Unauthorized);
        assert_eq!(refused(plugin.connect(sandbox, "[]").await.result), ErrorKind::InvalidSettings);

        // What was not allowed cannot be reached, whoever asks.
        let nowhere = Sandbox::new(HttpClient::new().unwrap()).allow(AllowList::none());
        let receipt = plugin.handoff(&nowhere, settings, &request(), None, NOW).await;
        assert_eq!(refused(receipt.result), ErrorKind::Unavailable);
    }
}

/// Who ends the conversation.
#[derive(Clone, Copy)]
enum End {
    EndUser,
    HumanAgent,
}

async fn freshworks() -> Freshworks {
    Freshworks { simulator: Simulator::start(Config::default()).await.unwrap() }
}

#[tokio::test]
async fn the_plugin_does_the_whole_job() {
    Talk::begin(freshworks().await).await.whole_job(End::EndUser).await;
    Talk::begin(freshworks().await).await.whole_job(End::HumanAgent).await;
}

#[tokio::test]
async fn a_connector_of_another_vendor_does_the_whole_job() {
    Talk::begin(Mock::start().await).await.whole_job(End::EndUser).await;
    Talk::begin(Mock::start().await).await.whole_job(End::HumanAgent).await;
}

#[tokio::test]
async fn the_plugin_refuses_what_every_connector_refuses() {
    Talk::begin(freshworks().await).await.refusals().await;
}

#[tokio::test]
async fn a_connector_of_another_vendor_refuses_the_same() {
    Talk::begin(Mock::start().await).await.refusals().await;
}

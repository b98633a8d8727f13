//! A connector to a help desk that exists in tests only, as another vendor would write it: everything it knows of the contract and
//! of HTTP comes from the published WIT package, and it shares no line with the plugin.
//!
//! The desk: `GET /account`, `POST /conversations`, `POST /conversations/{id}/messages`, `POST /conversations/{id}/close`, all with a
//! bearer token. Its webhooks carry `x-desk-token`. A session is the conversation's id and whether human agents still have it.

#![cfg(target_family = "wasm")]

mod http;

use serde_json::{Value, json};

// Generated code follows its generator's style, not ours.
#[allow(missing_docs, unsafe_code, unreachable_pub, dead_code, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../target/wit/agent-handoff-connector.wasm",
        world: "wasi-plugin",
        generate_all,
    });
    export!(Component);
    use super::Component;
}

use bindings::exports::agent_handoff::connector::connector as wit;

struct Component;

const SCHEMA: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["desk_url", "token", "webhook_token"],
    "properties": {
        "desk_url": {"type": "string", "title": "Address of the desk"},
        "token": {"type": "string", "title": "API token", "writeOnly": true},
        "webhook_token": {"type": "string", "title": "Token of webhooks", "writeOnly": true}
    }
}"#;

fn error(kind: wit::ErrorKind, field: Option<&str>, message: &str) -> wit::CallError {
    wit::CallError {
        kind,
        field: field.map(str::to_owned),
        message: message.to_owned(),
        remedy: None,
        line: message.to_owned(),
        retry_after_ms: None,
        log: None,
        session: None,
    }
}

fn unsupported<T>() -> Result<T, wit::CallError> {
    Err(error(wit::ErrorKind::Unsupported, None, "The mock desk cannot do this."))
}

/// The settings, each of them there.
struct Desk {
    url: String,
    token: String,
    webhook_token: String,
}

impl Desk {
    fn of(settings: &str) -> Result<Self, wit::CallError> {
        let invalid = |field| error(wit::ErrorKind::InvalidSettings, Some(field), "This setting is missing.");
        let settings: Value = serde_json::from_str(settings).map_err(|_| invalid(""))?;
        let text = |field| settings[field].as_str().map(str::to_owned).ok_or_else(|| invalid(field));
        Ok(Self { url: text("desk_url")?, token: text("token")?, webhook_token: text("webhook_token")? })
    }

    fn call(&self, method: &http::Method, path: &str, body: Option<Value>) -> Result<Value, wit::CallError> {
        use wit::ErrorKind::{Malformed, NotFound, Rejected, Unauthorized, Unavailable};
        let body = body.map(|body| body.to_string());
        let (status, body) = http::send(method, &format!("{}{path}", self.url), &self.token, body.as_deref())
            .map_err(|cause| error(Unavailable, None, &cause))?;
        match status {
            200..=299 if body.is_empty() => Ok(Value::Null),
            200..=299 => serde_json::from_slice(&body).map_err(|_| error(Malformed, None, "The desk answers no JSON.")),
            401 => Err(error(Unauthorized, Some("token"), "The desk refuses the token.")),
            404 => Err(error(NotFound, None, "The desk knows no such conversation.")),
            _ => Err(error(Rejected, None, "The desk refuses.")),
        }
    }
}

/// Of a session: `mock1 <conversation> <open|closed>`.
struct Memory {
    conversation: String,
    open: bool,
}

impl Memory {
    fn read(session: &wit::Session) -> Result<Self, wit::CallError> {
        match session.split(' ').collect::<Vec<_>>()[..] {
            ["mock1", conversation, state] => Ok(Self { conversation: conversation.to_owned(), open: state == "open" }),
            _ => Err(error(wit::ErrorKind::InvalidRequest, Some("session"), "This is no session of the mock desk.")),
        }
    }

    fn write(&self) -> wit::Session {
        format!("mock1 {} {}", self.conversation, if self.open { "open" } else { "closed" })
    }

    fn info(&self) -> wit::SessionInfo {
        wit::SessionInfo {
            state: if self.open { wit::SessionState::Queued } else { wit::SessionState::Returned },
            owner: if self.open { wit::Owner::HumanAgent } else { wit::Owner::AiAgent },
            conversation_ids: vec![self.conversation.clone()],
            ticket_id: None,
            next_tick_at: None,
        }
    }

    fn update(&self, events: Vec<wit::Event>) -> wit::Update {
        wit::Update {
            events,
            session: Some(self.write()),
            info: Some(self.info()),
            findings: Vec::new(),
            decisions: Vec::new(),
        }
    }
}

fn text_of(message: &wit::Message) -> String {
    message.parts.iter().filter_map(|part| part.text.as_deref()).collect::<Vec<_>>().join("\n")
}

/// A webhook's event: what is the same in all, and a kind.
fn event(id: String, kind: wit::EventKind, at: u64, conversation: &str) -> wit::Event {
    wit::Event {
        id,
        kind,
        at,
        conversation_id: Some(conversation.to_owned()),
        agent: None,
        message: None,
        outcome: None,
        summary: None,
        detail: None,
    }
}

fn agent_message(message: &Value, at: u64, conversation: &str) -> wit::Event {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let agent = wit::Sender {
        role: wit::SenderRole::HumanAgent,
        id: None,
        name: message["agent"].as_str().map(str::to_owned),
        avatar_url: None,
    };
    let part = wit::Part {
        kind: wit::PartKind::Text,
        text: Some(text(&message["text"])),
        url: None,
        name: None,
        media_type: None,
        bytes: None,
        choices: None,
    };
    let id = text(&message["id"]);
    let mut event = event(id.clone(), wit::EventKind::AgentMessage, at, conversation);
    event.agent = Some(agent.clone());
    event.message = Some(wit::Message { id, sender: agent, sent_at: at, parts: vec![part] });
    event
}

impl wit::Guest for Component {
    fn describe(settings: Option<wit::Settings>) -> Result<wit::Descriptor, wit::CallError> {
        let origin = match settings {
            Some(settings) => Desk::of(&settings)?.url,
            None => "https://*.mock-desk.example".to_owned(),
        };
        let outbound = wit::OutboundHost {
            origin,
            purpose: "conversations".to_owned(),
            credential: Some("authorization: Bearer {token}".to_owned()),
        };
        Ok(wit::Descriptor {
            name: "mock".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: "Mock desk".to_owned(),
            settings_schema: SCHEMA.to_owned(),
            capabilities: vec!["live".to_owned()],
            outbound: vec![outbound],
            webhook_headers: vec!["x-desk-token".to_owned()],
        })
    }

    fn connect(settings: wit::Settings) -> Result<wit::Connection, wit::CallError> {
        let account = Desk::of(&settings)?.call(&http::Method::Get, "/account", None);
        let (level, code, detail, account) = match account {
            Ok(account) => {
                let account = account["name"].as_str().map(str::to_owned);
                (wit::FindingLevel::Ok, "account-found", "The desk answers.".to_owned(), account)
            }
            Err(error) => (wit::FindingLevel::Failure, "account-refused", error.message, None),
        };
        let finding = wit::Finding { check: "account".to_owned(), level, code: code.to_owned(), detail, remedy: None };
        Ok(wit::Connection { connected: account.is_some(), account, findings: vec![finding], settings })
    }

    fn preview(_: wit::Settings, _: wit::HandoffRequest, _: wit::Timestamp) -> Result<wit::Plan, wit::CallError> {
        unsupported()
    }

    fn handoff(
        settings: wit::Settings,
        request: wit::HandoffRequest,
        _: Option<wit::Session>,
        _: wit::Timestamp,
    ) -> Result<wit::Receipt, wit::CallError> {
        let lines: Vec<String> = request.history.iter().flatten().map(text_of).collect();
        let body = json!({ "user": request.user.id, "history": lines, "summary": request.summary });
        let answer = Desk::of(&settings)?.call(&http::Method::Post, "/conversations", Some(body))?;
        let conversation = answer["id"].as_str().unwrap_or_default().to_owned();
        let memory = Memory { conversation: conversation.clone(), open: true };
        Ok(wit::Receipt {
            external_case: wit::ExternalCase { case_id: format!("mock:{conversation}"), kind: "mock".to_owned() },
            agent_url: None,
            steps: Vec::new(),
            findings: Vec::new(),
            decisions: Vec::new(),
            estimate: None,
            session: memory.write(),
            info: memory.info(),
        })
    }

    fn relay(
        settings: wit::Settings,
        session: wit::Session,
        message: wit::Message,
        _: bool,
        _: wit::Timestamp,
    ) -> Result<wit::Update, wit::CallError> {
        let memory = Memory::read(&session)?;
        let path = format!("/conversations/{}/messages", memory.conversation);
        let body = json!({ "id": message.id, "text": text_of(&message) });
        Desk::of(&settings)?.call(&http::Method::Post, &path, Some(body))?;
        Ok(memory.update(Vec::new()))
    }

    fn close(
        settings: wit::Settings,
        session: wit::Session,
        _: wit::CloseReason,
        _: bool,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::CallError> {
        let mut memory = Memory::read(&session)?;
        let path = format!("/conversations/{}/close", memory.conversation);
        Desk::of(&settings)?.call(&http::Method::Post, &path, Some(json!({})))?;
        memory.open = false;
        let conversation = memory.conversation.clone();
        let mut end = event(format!("{conversation}-closed"), wit::EventKind::ReturnedToAi, now, &conversation);
        end.outcome = Some(wit::Outcome::Abandoned);
        Ok(memory.update(vec![end]))
    }

    fn undelivered(
        _: wit::Settings,
        _: wit::Session,
        _: String,
        _: bool,
        _: wit::Timestamp,
    ) -> Result<wit::Update, wit::CallError> {
        unsupported()
    }

    fn rate(_: wit::Settings, _: wit::Session, _: wit::Rating, _: bool) -> Result<wit::Update, wit::CallError> {
        unsupported()
    }

    fn peek(body: String) -> Vec<String> {
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        body["conversation"].as_str().map(str::to_owned).into_iter().collect()
    }

    fn on_webhook(
        settings: wit::Settings,
        delivery: wit::Delivery,
        session: Option<wit::Session>,
    ) -> Result<wit::Update, wit::CallError> {
        let desk = Desk::of(&settings)?;
        let token = delivery.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-desk-token"));
        if token.is_none_or(|(_, value)| *value != desk.webhook_token) {
            return Err(error(wit::ErrorKind::InvalidSignature, None, "The webhook does not carry the desk's token."));
        }
        let body: Value = serde_json::from_str(&delivery.body)
            .map_err(|_| error(wit::ErrorKind::Malformed, None, "The webhook is no JSON."))?;
        let conversation = body["conversation"].as_str().unwrap_or_default().to_owned();
        let mut memory = match session {
            Some(session) => Memory::read(&session)?,
            None => Memory { conversation: conversation.clone(), open: true },
        };
        if body["resolved"] == true {
            memory.open = false;
            let mut end = event(
                format!("{conversation}-resolved"),
                wit::EventKind::ReturnedToAi,
                delivery.received_at,
                &conversation,
            );
            end.outcome = Some(wit::Outcome::Resolved);
            return Ok(memory.update(vec![end]));
        }
        Ok(memory.update(vec![agent_message(&body["message"], delivery.received_at, &conversation)]))
    }

    fn tick(_: wit::Settings, _: wit::Session, _: wit::Timestamp) -> Result<wit::Update, wit::CallError> {
        unsupported()
    }

    fn erase(_: wit::Settings, _: String) -> Result<wit::Erasure, wit::CallError> {
        unsupported()
    }
}

//! JSON-RPC 2.0 as MCP has it. Pure.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::http::OutgoingResponse;
use crate::http::json::{Fields, set};
use crate::mcp::{STATELESS, WITH_HANDSHAKE, tasks};

/// What the protocol's own names in `_meta` begin with.
pub(super) const META: &str = "io.modelcontextprotocol/";

/// Revisions, newest first.
pub(super) const SUPPORTED: [&str; 3] = [STATELESS, WITH_HANDSHAKE[0], WITH_HANDSHAKE[1]];

/// Codes of JSON-RPC.
pub(super) const PARSE_ERROR: i32 = -32_700;
pub(super) const INVALID_REQUEST: i32 = -32_600;
pub(super) const METHOD_NOT_FOUND: i32 = -32_601;
pub(super) const INVALID_PARAMS: i32 = -32_602;
pub(super) const INTERNAL: i32 = -32_603;

/// Codes of MCP, since 2026-07-28.
pub(super) mod code {
    pub(in crate::mcp) const HEADER_MISMATCH: i32 = -32_020;
    pub(in crate::mcp) const MISSING_CAPABILITY: i32 = -32_021;
    pub(in crate::mcp) const UNSUPPORTED_VERSION: i32 = -32_022;
}

/// Why there is no result.
pub(super) struct Fault {
    pub(super) code: i32,
    pub(super) status: u16,
    message: String,
    data: Option<Value>,
}

impl Fault {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, status: 200, message: message.into(), data: None }
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn mismatch(message: &str) -> Self {
        Self::new(code::HEADER_MISMATCH, message)
    }

    pub(super) fn unsupported_version(asked: &str) -> Self {
        let data = json!({ "supported": SUPPORTED, "requested": shortened(asked) });
        Self { data: Some(data), ..Self::new(code::UNSUPPORTED_VERSION, "this protocol version is not supported") }
    }

    /// The client does not say that it can do what the method needs.
    pub(super) fn needs_tasks() -> Self {
        let data = json!({ "requiredCapabilities": { "extensions": { tasks::EXTENSION: {} } } });
        Self {
            data: Some(data),
            ..Self::new(code::MISSING_CAPABILITY, "the client does not declare the extension for tasks")
        }
    }

    pub(super) fn answer(self, id: &Value) -> OutgoingResponse {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            set(&mut error, "data", data);
        }
        let mut answer = json!({ "jsonrpc": "2.0", "error": error });
        if is_id(id) {
            set(&mut answer, "id", id.clone());
        }
        as_json(self.status, &answer)
    }
}

/// A request: what wants an answer.
pub(super) struct Request<'a> {
    pub(super) id: &'a Value,
    pub(super) method: &'a str,
    pub(super) params: &'a Value,
}

impl<'a> Request<'a> {
    /// None for a notification.
    pub(super) fn read(message: &'a Value) -> Result<Option<Self>, Fault> {
        let (method, id, params) = (message.field("method"), message.get("id"), message.field("params"));
        let wrong = |what: &str| Fault::new(INVALID_REQUEST, what);
        if !message.is_object() || message.field("jsonrpc") != "2.0" {
            return Err(wrong("one JSON-RPC 2.0 message is expected"));
        }
        let Some(method) = method.as_str() else { return Err(wrong("the message has no method")) };
        if !params.is_null() && !params.is_object() {
            return Err(Fault::new(INVALID_PARAMS, "params are an object"));
        }
        match id {
            None => Ok(None),
            Some(id) if is_id(id) => Ok(Some(Self { id, method, params })),
            Some(_) => Err(wrong("an id is a text or a whole number")),
        }
    }

    /// What the protocol itself says about the request.
    pub(super) fn meta(&self, name: &str) -> &'a Value {
        self.params.field("_meta").field(&format!("{META}{name}"))
    }
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

/// What a client says that it can do.
#[derive(Clone, Copy, Default)]
pub(super) struct Capabilities {
    /// It asks its user by form.
    pub(super) asks_user: bool,
    /// It follows tasks.
    pub(super) follows_tasks: bool,
}

impl Capabilities {
    pub(super) fn read(declared: &Value) -> Self {
        let asks = declared.field("elicitation");
        // An empty declaration means forms (schema, `ClientCapabilities`).
        let by_form = asks.as_object().is_some_and(|modes| modes.is_empty() || modes.contains_key("form"));
        Self { asks_user: by_form, follows_tasks: declared.field("extensions").field(tasks::EXTENSION).is_object() }
    }
}

/// Who answers.
pub(super) fn server_info() -> Value {
    json!({ "name": "freshworks-handoff", "title": "Human agents in Freshworks", "version": env!("CARGO_PKG_VERSION") })
}

/// The answer to a request.
pub(super) fn answered(id: &Value, mut result: Value, is_stateless: bool) -> OutgoingResponse {
    if is_stateless {
        if result.field("resultType").is_null() {
            set(&mut result, "resultType", "complete");
        }
        set(&mut result, "_meta", json!({ format!("{META}serverInfo"): server_info() }));
    }
    as_json(200, &json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn as_json(status: u16, body: &Value) -> OutgoingResponse {
    OutgoingResponse { status, ..OutgoingResponse::bytes("application/json", body.to_string().into_bytes()) }
}

/// What a header says. What is no plain text comes as `=?base64?...?=`.
pub(super) fn header_value(value: &str) -> Option<Cow<'_, str>> {
    match value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?=")) {
        Some(coded) => String::from_utf8(Base64::decode_vec(coded).ok()?).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(value)),
    }
}

/// A name that somebody chose, short enough for an error.
pub(super) fn shortened(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coded_headers_are_read() {
        assert_eq!(header_value("plain").as_deref(), Some("plain"));
        assert_eq!(header_value("=?base64?SGVsbG8sIOS4lueVjA==?=").as_deref(), Some("Hello, 世界"));
        assert_eq!(header_value("=?base64?***?="), None);
    }

    #[test]
    fn forms_are_declared_by_name_or_by_nothing() {
        let asks = |declared: Value| Capabilities::read(&json!({ "elicitation": declared })).asks_user;
        assert!(asks(json!({})) && asks(json!({ "form": {} })) && asks(json!({ "form": {}, "url": {} })));
        assert!(!asks(json!({ "url": {} })) && !asks(Value::Null));
    }
}

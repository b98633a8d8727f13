//! One call of a function of the contract: arguments in, JSON out.

use handoff_host::bindings::{CloseReason, Delivery, HandoffRequest, Message, Rating};
use handoff_host::json::{from_json, to_json};
use handoff_host::{Call, CallError, Plugin, Sandbox};
use pyo3::FromPyObject;
use pyo3::PyResult;
use pyo3::exceptions::PyValueError;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The longest body of a webhook, in bytes: what the contract allows. A longer one does not enter the sandbox.
const MAX_BODY: usize = 256 << 10;

/// The functions of the contract.
#[derive(Clone, Copy)]
pub(crate) enum Function {
    Describe,
    Connect,
    Preview,
    Handoff,
    Relay,
    Close,
    Undelivered,
    Rate,
    Peek,
    OnWebhook,
    Tick,
    Erase,
}

impl Function {
    /// By the name that it has in Python.
    pub(crate) fn named(name: &str) -> PyResult<Self> {
        Ok(match name {
            "describe" => Self::Describe,
            "connect" => Self::Connect,
            "preview" => Self::Preview,
            "handoff" => Self::Handoff,
            "relay" => Self::Relay,
            "close" => Self::Close,
            "undelivered" => Self::Undelivered,
            "rate" => Self::Rate,
            "peek" => Self::Peek,
            "on_webhook" => Self::OnWebhook,
            "tick" => Self::Tick,
            "erase" => Self::Erase,
            _ => return Err(PyValueError::new_err(format!("the contract has no function `{name}`"))),
        })
    }
}

/// What a function takes; which of it, the contract says. Read from a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Arguments {
    settings: Option<String>,
    /// The request, message or rating, as JSON.
    document: Option<String>,
    /// The reason, id of a message or id of a person.
    word: Option<String>,
    session: Option<String>,
    retry: bool,
    now: u64,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Whether the answer says what the call cost.
    report: bool,
}

/// A call that could not be made, as an answer.
type Refused = String;

/// Makes the call. Answers `{"ok": ...}`, `{"error": ...}`, `{"trap": ...}` or `{"host": ...}`, and with it `report` where it is asked
/// for.
pub(crate) async fn run(plugin: &Plugin, sandbox: &Sandbox, function: Function, given: Arguments) -> String {
    let report = given.report;
    let made = async {
        let settings = given.settings.as_deref().unwrap_or("{}");
        let (retry, now) = (given.retry, given.now);
        Ok(match function {
            Function::Describe => answer(plugin.describe(sandbox, given.settings.as_deref()).await, report),
            Function::Connect => answer(plugin.connect(sandbox, settings).await, report),
            Function::Preview => {
                let request: HandoffRequest = document(&given, "request")?;
                answer(plugin.preview(sandbox, settings, &request, now).await, report)
            }
            Function::Handoff => {
                let request: HandoffRequest = document(&given, "request")?;
                answer(plugin.handoff(sandbox, settings, &request, given.session.as_deref(), now).await, report)
            }
            Function::Relay => {
                let message: Message = document(&given, "message")?;
                let session = required(&given)?;
                answer(plugin.relay(sandbox, settings, session, &message, retry, now).await, report)
            }
            Function::Close => {
                let reason = Value::from(given.word.as_deref().unwrap_or_default()).to_string();
                let reason: CloseReason = from_json(&reason, "reason").map_err(|error| unreadable(&error))?;
                let session = required(&given)?;
                answer(plugin.close(sandbox, settings, session, reason, retry, now).await, report)
            }
            Function::Undelivered => {
                let (session, message) = (required(&given)?, given.word.as_deref().unwrap_or_default());
                answer(plugin.undelivered(sandbox, settings, session, message, retry, now).await, report)
            }
            Function::Rate => {
                let rating: Rating = document(&given, "rating")?;
                let session = required(&given)?;
                answer(plugin.rate(sandbox, settings, session, &rating, retry).await, report)
            }
            Function::Peek => answer(plugin.peek(sandbox, &body(given.body, "body")?).await, report),
            Function::OnWebhook => {
                let body = body(given.body, "delivery.body")?;
                let delivery = Delivery { headers: given.headers, body, received_at: now };
                answer(plugin.on_webhook(sandbox, settings, &delivery, given.session.as_deref()).await, report)
            }
            Function::Tick => answer(plugin.tick(sandbox, settings, required(&given)?, now).await, report),
            Function::Erase => {
                answer(plugin.erase(sandbox, settings, given.word.as_deref().unwrap_or_default()).await, report)
            }
        })
    };
    made.await.unwrap_or_else(|refused: Refused| refused)
}

fn document<T: serde::de::DeserializeOwned>(given: &Arguments, name: &str) -> Result<T, Refused> {
    from_json(given.document.as_deref().unwrap_or("null"), name).map_err(|error| unreadable(&error))
}

fn required(given: &Arguments) -> Result<&str, Refused> {
    given
        .session
        .as_deref()
        .ok_or_else(|| invalid("session", "`session` is missing", "Pass the newest session of the conversation."))
}

/// The body as it came. The signature is over its bytes, so nothing may be replaced in it.
fn body(bytes: Vec<u8>, field: &str) -> Result<String, Refused> {
    if bytes.len() > MAX_BODY {
        let message = format!("the body of a webhook holds {} bytes; at most {MAX_BODY} are read", bytes.len());
        return Err(invalid(field, &message, "Answer 413: the vendor sends none as long."));
    }
    String::from_utf8(bytes)
        .map_err(|_| invalid(field, "the body of a webhook is not UTF-8", "Answer 400: it is not the vendor's."))
}

fn unreadable(error: &handoff_host::json::ReadError) -> Refused {
    invalid(&error.path, &error.to_string(), "Correct the argument; its type says what it takes.")
}

/// An `invalid-request` that the host finds before the plugin does.
pub(crate) fn invalid(field: &str, message: &str, remedy: &str) -> String {
    error("invalid-request", field, message, remedy)
}

/// An error of the contract that the host answers with.
pub(crate) fn error(kind: &str, field: &str, message: &str, remedy: &str) -> String {
    json!({"error": {"kind": kind, "field": field, "message": message, "remedy": remedy}}).to_string()
}

/// The host could not make the call.
pub(crate) fn host_failed(why: &str) -> String {
    json!({ "host": why }).to_string()
}

/// What came of a call that failed.
pub(crate) fn failure(error: &CallError) -> (&'static str, Value) {
    match error {
        CallError::Plugin(error) => ("error", to_json(error)),
        CallError::Trap(trap) => {
            ("trap", json!({"kind": trap.kind.as_str(), "message": trap.message, "backtrace": trap.backtrace}))
        }
        CallError::Host(message) => ("host", Value::from(message.as_str())),
    }
}

fn answer<T: Serialize>(call: Call<T>, with_report: bool) -> String {
    let (name, value) = match &call.result {
        Ok(value) => ("ok", to_json(value)),
        Err(error) => failure(error),
    };
    let mut answer = Map::from_iter([(name.to_owned(), value)]);
    if with_report {
        answer.insert("report".to_owned(), json!(call.report));
    }
    Value::Object(answer).to_string()
}

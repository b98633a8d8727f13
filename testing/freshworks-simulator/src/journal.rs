//! Requests to the API, for assertions and for the log.

use axum::body::Bytes;
use serde_json::Value;

use crate::faults::How;
use crate::service::Service;

/// One call of the API, with its outcome, in the order of the responses.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Which service was called.
    pub service: Service,
    /// The method, in capitals.
    pub method: String,
    /// The path without the query, as sent.
    pub path: String,
    /// The query, as sent.
    pub query: Option<String>,
    /// All headers but `Authorization`; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whether the API key was right.
    pub authorized: bool,
    /// What was sent.
    pub body: RequestBody,
    /// The response's status; none if the connection was cut instead.
    pub status: Option<u16>,
    /// The response's body; empty if the connection was cut instead.
    pub answer: Bytes,
    /// The fault that hit this call.
    pub fault: Option<How>,
    /// When it came: milliseconds since 1970.
    pub at_ms: i64,
}

impl Exchange {
    /// Method and path, for example `GET /v2/channels`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The body if it is JSON, else null.
    pub fn json(&self) -> Value {
        match &self.body {
            RequestBody::Json(value) => value.clone(),
            RequestBody::Empty | RequestBody::Bytes(_) => Value::Null,
        }
    }

    /// The response body if it is JSON, else null.
    pub fn answer_json(&self) -> Value {
        serde_json::from_slice(&self.answer).unwrap_or_default()
    }
}

/// The body of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestBody {
    /// None.
    Empty,
    /// JSON, regardless of the content type.
    Json(Value),
    /// Anything else, such as an upload.
    Bytes(Vec<u8>),
}

impl RequestBody {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        serde_json::from_slice(bytes).map_or_else(|_| Self::Bytes(bytes.to_vec()), Self::Json)
    }
}

//! A request that came, and the answer to it.

pub(crate) mod json;
#[cfg(all(feature = "schema", not(target_family = "wasm")))]
#[expect(clippy::indexing_slicing, reason = "it builds a document, and no request reaches it")]
pub mod openapi;
pub mod operations;
pub mod problem;
pub mod responses;
pub mod route;

use std::borrow::Cow;

use handoff_contract::model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::access::Caller;
use crate::http::problem::{Problem, read};
use crate::service::Service;
use crate::state::Connection;

/// A request, complete.
pub struct IncomingRequest<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Without query.
    pub path: &'a str,
    /// What stands behind the path's question mark, as it came.
    pub query: &'a str,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: &'a [u8],
    /// When it arrived, in milliseconds since 1970.
    pub now: Timestamp,
}

impl IncomingRequest<'_> {
    /// The first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A request to an operation, from somebody who may call it.
pub(crate) struct Call<'a> {
    names: [&'a str; 2],
    /// Who calls.
    pub(crate) caller: Caller,
    addressed: Option<Box<Connection>>,
    /// The request.
    pub(crate) request: &'a IncomingRequest<'a>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        names: [&'a str; 2],
        caller: Caller,
        addressed: Option<Box<Connection>>,
        request: &'a IncomingRequest<'a>,
    ) -> Self {
        Self { names, caller, addressed, request }
    }

    /// The first name in the path.
    pub(crate) fn first(&self) -> &'a str {
        self.names[0]
    }

    /// The second one.
    pub(crate) fn second(&self) -> &'a str {
        self.names[1]
    }

    /// The connection that the path names first.
    pub(crate) fn connection(&self, service: &Service<'_>) -> Result<Connection, Problem> {
        service.connection(self.first())
    }

    /// The same, where it can take handoffs.
    pub(crate) fn connected(&self, service: &Service<'_>) -> Result<Connection, Problem> {
        service.connected(self.first())
    }

    /// The connection whose secret came.
    pub(crate) fn addressed(&self) -> Result<&Connection, Problem> {
        self.addressed.as_deref().ok_or_else(Problem::not_allowed)
    }

    /// Reads the body. `what`: its name in problems.
    pub(crate) fn body<T: DeserializeOwned>(&self, what: &str) -> Result<T, Problem> {
        read(self.request.body, what)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingResponse {
    /// HTTP status.
    pub status: u16,
    /// None for an empty one.
    pub body: Option<Body>,
    /// Headers besides the content type.
    pub headers: Vec<(&'static str, String)>,
}

/// What an answer carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A document of the API.
    Json(Value),
    /// Anything else, with its media type.
    Bytes(&'static str, Cow<'static, [u8]>),
}

impl OutgoingResponse {
    /// What was asked for.
    pub fn ok(body: impl Serialize) -> Self {
        // Fails for maps whose keys are no texts; no answer has any.
        let body = serde_json::to_value(body).unwrap_or_default();
        Self { status: 200, body: Some(Body::Json(body)), headers: Vec::new() }
    }

    /// What is no JSON.
    pub fn bytes(media_type: &'static str, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { status: 200, body: Some(Body::Bytes(media_type, bytes.into())), headers: Vec::new() }
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Acknowledged. Empty, because Spin sends a body apart from its head, which costs a kept-alive connection 40 ms.
    pub fn empty() -> Self {
        Self { status: 204, body: None, headers: Vec::new() }
    }

    /// Media type and bytes of the body.
    pub fn into_body(self) -> Option<(&'static str, Cow<'static, [u8]>)> {
        match self.body? {
            Body::Json(body) => {
                let kind = if self.status >= 400 { "application/problem+json" } else { "application/json" };
                Some((kind, body.to_string().into_bytes().into()))
            }
            Body::Bytes(kind, bytes) => Some((kind, bytes)),
        }
    }
}

impl From<Problem> for OutgoingResponse {
    fn from(problem: Problem) -> Self {
        let mut headers = Vec::new();
        if let Some(wait) = problem.retry_after_ms {
            headers.push(("retry-after", wait.div_ceil(1000).to_string()));
        }
        if let Some(methods) = &problem.allow {
            headers.push(("allow", methods.clone()));
        }
        if problem.status == 401 {
            headers.push(("www-authenticate", "Bearer".to_owned()));
        }
        Self { status: problem.status, body: Some(Body::Json(problem.to_json())), headers }
    }
}

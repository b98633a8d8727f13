//! A request that came, and the answer to it.

use freshworks_handoff::model::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::problem::Problem;

/// A request, complete.
pub struct Call<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Without query.
    pub path: &'a str,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: &'a [u8],
    /// When it arrived, in milliseconds since 1970.
    pub now: Timestamp,
}

impl Call<'_> {
    /// The first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON; none for an empty body.
    pub body: Option<Value>,
    /// Headers besides the content type.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// What was asked for.
    pub fn ok(body: impl Serialize) -> Self {
        // Fails for maps whose keys are no texts; no answer has any.
        let body = serde_json::to_value(body).unwrap_or_default();
        Self { status: 200, body: Some(body), headers: Vec::new() }
    }

    /// Acknowledged. Empty, because Spin sends a body apart from its head, which costs a kept-alive connection 40 ms.
    pub fn empty() -> Self {
        Self { status: 204, body: None, headers: Vec::new() }
    }

    /// True for `application/problem+json`.
    pub fn is_problem(&self) -> bool {
        self.status >= 400
    }
}

impl From<Problem> for Answer {
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
        Self { status: problem.status, body: Some(problem.to_json()), headers }
    }
}

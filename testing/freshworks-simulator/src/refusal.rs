//! The one error object of the API.

use std::fmt;

/// Why Freshchat refused: the object in the body of every error response.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// An upper-case symbol.
    pub status: String,
    /// A symbol or a few words.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(code: u16, status: &str, message: impl Into<String>) -> Self {
        Self { code, status: status.into(), message: message.into() }
    }

    /// 400 with the one published status for bad input. The messages follow the published pattern, but most of them
    /// are invented: do not depend on them.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_VALUE", message)
    }

    /// 404 after the one published example, `AGENT_NOT_FOUND` / `agent not found`.
    pub(crate) fn not_found(kind: &str) -> Self {
        Self::new(404, &format!("{}_NOT_FOUND", kind.to_uppercase()), format!("{kind} not found"))
    }

    /// 400 for a form that cannot be read to its end.
    pub(crate) fn unreadable_form() -> Self {
        Self::invalid("MULTIPART_NOT_READABLE")
    }

    /// 400 for messages to a conversation that is over. The words are from integrators' logs, the status is not.
    pub(crate) fn not_latest() -> Self {
        Self::invalid("not the latest conversation")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for Refusal {}

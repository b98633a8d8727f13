//! Errors as RFC 9457 has them, with the words of the contract.

use freshworks_handoff::error::{Error, ErrorKind};
use serde_json::{Map, Value, json};

/// What went wrong, for the caller of the API. Never holds what people wrote, nor a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// A word of the contract's `error-kind`, or one of this API: `no-such-path`, `wrong-method`, `unknown`, `busy`, `too-large`.
    pub kind: &'static str,
    /// A sentence for the admin.
    pub detail: String,
    /// The field at fault, as a dotted path.
    pub field: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// How long to wait at least.
    pub retry_after_ms: Option<u64>,
}

impl Problem {
    /// A problem of which nothing else is known.
    pub fn new(status: u16, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), field: None, remedy: None, retry_after_ms: None }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Asks to wait.
    #[must_use]
    pub fn after(mut self, wait_ms: u64) -> Self {
        self.retry_after_ms = Some(wait_ms);
        self
    }

    /// One answer for every caller who may not be here: nothing tells which part was wrong.
    pub fn not_allowed() -> Self {
        Self::new(401, "not-allowed", "the request is not allowed").with_remedy("Check the token, or the webhook's URL.")
    }

    /// The document of `application/problem+json`.
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".into(), json!(format!("urn:agent-handoff:problem:{}", self.kind)));
        body.insert("title".into(), json!(self.kind.replace('-', " ")));
        body.insert("status".into(), json!(self.status));
        body.insert("kind".into(), json!(self.kind));
        body.insert("detail".into(), json!(self.detail));
        let optional = [("field", &self.field), ("remedy", &self.remedy)];
        for (name, value) in optional {
            if let Some(value) = value {
                body.insert(name.into(), json!(value));
            }
        }
        if let Some(wait) = self.retry_after_ms {
            body.insert("retry_after_ms".into(), json!(wait));
        }
        Value::Object(body)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let details = error.into_details();
        let (status, kind) = match details.kind {
            ErrorKind::InvalidSettings => (422, "invalid-settings"),
            ErrorKind::InvalidRequest => (400, "invalid-request"),
            // What Freshworks refuses is no fault of the caller's token or path.
            ErrorKind::Unauthorized => (502, "unauthorized"),
            ErrorKind::NotFound => (502, "not-found"),
            ErrorKind::Rejected => (502, "rejected"),
            ErrorKind::Malformed => (502, "malformed"),
            ErrorKind::RateLimited => (503, "rate-limited"),
            ErrorKind::Unavailable => (503, "unavailable"),
            ErrorKind::OutcomeUnknown => (503, "outcome-unknown"),
            ErrorKind::InvalidSignature => return Self::not_allowed(),
            ErrorKind::Unsupported => (501, "unsupported"),
            ErrorKind::Internal => (500, "internal"),
        };
        Self {
            status,
            kind,
            detail: details.message,
            field: details.field,
            remedy: details.remedy,
            retry_after_ms: details.retry_after_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_core_keep_their_word_field_and_wait() {
        let mut error = Error::request("request.user.id", "it is empty", "Pass it.");
        error.retry_after_ms = Some(7);
        let body = Problem::from(error).to_json();
        assert_eq!(body["status"], 400);
        assert_eq!((&body["kind"], &body["field"]), (&json!("invalid-request"), &json!("request.user.id")));
        assert_eq!((&body["remedy"], &body["retry_after_ms"]), (&json!("Pass it."), &json!(7)));
    }

    #[test]
    fn a_wrong_signature_looks_like_any_other_stranger() {
        assert_eq!(Problem::from(Error::new(ErrorKind::InvalidSignature, "the signature is wrong")), Problem::not_allowed());
    }
}

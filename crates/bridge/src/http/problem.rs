//! Errors as RFC 9457 has them, with the words of the contract.

use std::ops::{Deref, DerefMut};

use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::json;
use handoff_contract::model::Finding;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

/// What went wrong, for the caller of the API. Never holds what people wrote, nor a secret. Boxed, because results are
/// returned far more often than problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Details>);

/// What is known about a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// HTTP status.
    pub status: u16,
    /// A word of the contract's `error-kind`, or one of this API: `no-such-path`, `wrong-method`, `unknown`, `busy`,
    /// `inbox-full`, `too-large`, `not-permitted`, `slow-down`, `no-encryption-key`, `too-many`, `would-break`,
    /// `nothing-to-restore`.
    pub kind: &'static str,
    /// A sentence for the admin.
    pub detail: String,
    /// The field at fault, as a dotted path.
    pub field: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// How long to wait at least.
    pub retry_after_ms: Option<u64>,
    /// Every field at fault, where more than one may be.
    pub fields: Vec<FieldProblem>,
    /// What a check found that keeps the request from being carried out.
    pub findings: Vec<Finding>,
    /// The methods that the path takes.
    pub allow: Option<String>,
    /// For the operator alone.
    pub log: Option<String>,
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldProblem {
    /// The field, as a dotted path.
    pub path: String,
    /// What is wrong with it, for people.
    pub problem: &'static str,
}

impl Problem {
    /// A problem of which nothing else is known.
    pub fn new(status: u16, kind: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let (field, remedy, retry_after_ms, allow, log) = (None, None, None, None, None);
        let (fields, findings) = (Vec::new(), Vec::new());
        Self(Box::new(Details { status, kind, detail, field, remedy, retry_after_ms, fields, findings, allow, log }))
    }

    /// What is to be filled in is not. None when nothing is at fault.
    pub fn of_fields(fields: Vec<FieldProblem>) -> Option<Self> {
        let first = fields.first()?;
        let mut problem = Self::new(422, "invalid-settings", format!("`{}` {}", first.path, first.problem))
            .at(first.path.clone())
            .with_remedy("Fill it in.");
        if fields.len() > 1 {
            let paths: Vec<String> = fields.iter().map(|field| format!("`{}`", field.path)).collect();
            problem.detail = format!("these fields are needed: {}", paths.join(", "));
            problem.remedy = Some("Fill them in.".to_owned());
        }
        problem.fields = fields;
        Some(problem)
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

    /// Adds what the operator wants to know.
    #[must_use]
    pub fn logged(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// The body is more than is read.
    pub fn too_large(most_bytes: usize) -> Self {
        let detail = format!("the body is larger than {} KiB", most_bytes / 1024);
        Self::new(413, "too-large", detail).with_remedy("Send less.")
    }

    /// One answer for every caller who may not be here: nothing tells which part was wrong.
    pub fn not_allowed() -> Self {
        Self::new(401, "not-allowed", "the request is not allowed")
            .with_remedy("Check the token, or the webhook's URL.")
    }

    /// For a token that is good, but not for this. The same whether or not there is what was asked for.
    pub fn not_permitted() -> Self {
        Self::new(403, "not-permitted", "the token's scopes do not allow this")
            .with_remedy("Use a token that may, or have an admin create one: POST /v1/tokens.")
    }

    /// The document of `application/problem+json`.
    pub fn to_json(&self) -> Value {
        let document = Document {
            uri: format!("urn:agent-handoff:problem:{}", self.kind),
            title: self.kind.replace('-', " "),
            status: self.status,
            kind: self.kind,
            detail: &self.detail,
            field: self.field.as_deref(),
            remedy: self.remedy.as_deref(),
            retry_after_ms: self.retry_after_ms,
            fields: &self.fields,
            findings: &self.findings,
        };
        // Fails for maps whose keys are no texts; there is none.
        serde_json::to_value(document).unwrap_or_default()
    }
}

/// What went wrong, as RFC 9457 has it. Never holds what people wrote, nor a secret.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Problem"))]
pub(crate) struct Document<'a> {
    /// `urn:agent-handoff:problem:` and the kind.
    #[serde(rename = "type")]
    uri: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What to do about it, for programs.
    kind: &'a str,
    /// What went wrong, for people. Not for programs to match.
    detail: &'a str,
    /// The field at fault, as a dotted path.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// What to do, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    /// How long to wait at least before the request is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// Every field at fault, where several may be; the first one is `field`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldProblem],
    /// With `would-break`: what the check of these settings found.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    findings: &'a [Finding],
}

impl Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let details = error.into_details();
        if details.kind == ErrorKind::InvalidSignature {
            return Self::not_allowed();
        }
        let (status, kind) = named(details.kind);
        Self(Box::new(Details {
            status,
            kind,
            detail: details.message.into(),
            field: details.field,
            remedy: details.remedy.map(String::from),
            retry_after_ms: details.retry_after_ms,
            fields: Vec::new(),
            findings: Vec::new(),
            allow: None,
            log: details.log,
        }))
    }
}

/// Status and word of an error.
fn named(kind: ErrorKind) -> (u16, &'static str) {
    match kind {
        ErrorKind::InvalidSettings => (422, "invalid-settings"),
        ErrorKind::InvalidRequest => (400, "invalid-request"),
        // What Freshworks refuses is no fault of the caller's token or path, and a repeat does not help.
        ErrorKind::Unauthorized => (424, "unauthorized"),
        ErrorKind::NotFound => (424, "not-found"),
        ErrorKind::Rejected => (424, "rejected"),
        ErrorKind::Malformed => (502, "malformed"),
        ErrorKind::RateLimited => (503, "rate-limited"),
        ErrorKind::Unavailable => (503, "unavailable"),
        ErrorKind::OutcomeUnknown => (503, "outcome-unknown"),
        ErrorKind::InvalidSignature => (401, "not-allowed"),
        ErrorKind::NeedsEmail => (422, "needs-email"),
        ErrorKind::Unsupported => (422, "unsupported"),
        ErrorKind::Internal => (500, "internal"),
    }
}

/// The word of an error.
pub(crate) fn word(kind: ErrorKind) -> &'static str {
    named(kind).1
}

/// Reads a body. `name`: what it is, for the error.
pub fn read<T: DeserializeOwned>(body: &[u8], name: &str) -> Result<T, Problem> {
    match read_sound(body, name) {
        Ok(value) => Ok(value),
        // Half an emoji or a huge number costs no request.
        Err(problem) => match json::repaired(body) {
            Some(repaired) => read_sound(&repaired, name),
            None => Err(problem),
        },
    }
}

fn read_sound<T: DeserializeOwned>(body: &[u8], name: &str) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| unreadable(error.inner(), placed(name, error.path())))?;
    reader.end().map_err(|error| unreadable(&error, name.to_owned()))?;
    Ok(value)
}

/// The field that a reader stopped at, in the body of this name. Out of line: there is a reader for each type.
#[inline(never)]
fn placed(name: &str, path: &serde_path_to_error::Path) -> String {
    let path = path.to_string();
    if path == "." { name.to_owned() } else { joined(name, &path) }
}

fn joined(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn shown(field: &str) -> String {
    if field.is_empty() { "the body".to_owned() } else { format!("`{field}`") }
}

/// The message of the library may quote what people wrote: of that, only the name of a missing field and what was expected in place
/// of a value are told. Both are words of this code.
#[inline(never)]
fn unreadable(error: &serde_json::Error, field: String) -> Problem {
    let text = error.to_string();
    let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    let missing = said.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let (field, detail) = match (error.classify(), missing) {
        (Category::Data, Some(name)) => {
            let field = joined(&field, name);
            let detail = format!("`{field}` is missing");
            (field, detail)
        }
        (Category::Data, None) if said.starts_with("unknown field ") => {
            let detail = format!("{} is no field of this request, or holds one that is not", shown(&field));
            (field, detail)
        }
        (Category::Data, None) => {
            let expected = said.rsplit_once(", expected ").map_or(String::new(), |(_, it)| format!("; expected: {it}"));
            let detail = format!("{} has a value that cannot be used{expected}", shown(&field));
            (field, detail)
        }
        (Category::Eof, _) => (field, "the body ends before its JSON does".to_owned()),
        (Category::Syntax | Category::Io, _) => (field, "the body is not JSON".to_owned()),
    };
    let problem = Problem::new(400, "invalid-request", detail).with_remedy("See /v1/openapi.json.");
    if field.is_empty() { problem } else { problem.at(field) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
    fn half_an_emoji_and_a_huge_number_cost_no_request() {
        let body = br#"{"text": "Cut \ud83d", "score": 1e999}"#;
        assert_eq!(read::<Value>(body, "message"), Ok(json!({ "text": "Cut \u{fffd}", "score": null })));
        let problem = read::<Value>(br#"{"text": "Cut \ud83d""#, "message").unwrap_err();
        assert_eq!(problem.kind, "invalid-request");
    }

    #[test]
    fn a_field_that_is_missing_or_wrong_is_named_and_no_line_of_the_body() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Inner {
            id: u64,
        }
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Outer {
            inner: Inner,
        }
        for (body, field, detail) in [
            (r#"{"inner": {}}"#, "call.inner.id", "`call.inner.id` is missing"),
            (r#"{}"#, "call.inner", "`call.inner` is missing"),
            (
                r#"{"inner": {"id": "a secret, expected nothing"}}"#,
                "call.inner.id",
                "`call.inner.id` has a value that cannot be used; expected: u64",
            ),
            (
                r#"{"inner": {"id": 1, "more": 2}}"#,
                "call.inner.more",
                "`call.inner.more` is no field of this request, or holds one that is not",
            ),
            (r#"{"inner": "#, "call.inner", "the body ends before its JSON does"),
            (r#"{"inner": secret}"#, "call.inner", "the body is not JSON"),
        ] {
            let problem = read::<Outer>(body.as_bytes(), "call").unwrap_err();
            assert_eq!((problem.status, problem.field.as_deref(), problem.detail.as_str()), (400, Some(field), detail));
        }
    }

    #[test]
    fn a_wrong_signature_looks_like_any_other_stranger() {
        assert_eq!(
            Problem::from(Error::new(ErrorKind::InvalidSignature, "the signature is wrong")),
            Problem::not_allowed()
        );
    }
}

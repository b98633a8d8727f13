//! What can go wrong with a request, sorted once for all endpoints by what has happened on the other side.

use serde_json::Value;

use super::endpoints::Effect;
use crate::error::{Error, ErrorKind};
use crate::http::{Response, TransportError};
use crate::time;

/// How long a request of unknown outcome may take to arrive after all.
const SETTLE_MS: u64 = 5_000;

/// What a failed request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// 401: the key is wrong, ended, or its admin was deactivated.
    Unauthorized,
    /// 403: the key lacks a right.
    Forbidden,
    /// 404.
    NotFound,
    /// 400 with "not the latest conversation": the user has a newer conversation in this topic.
    NotLatest,
    /// Any other 4xx. Mind that Freshchat was seen to answer 400 to a message that it stored.
    Refused,
    /// 429.
    RateLimited,
    /// Nothing happened: not sent, or a read that failed.
    Unavailable,
    /// The host does not let us call this address.
    Denied,
    /// A write was sent and its result is not known.
    OutcomeUnknown,
    /// A read was answered with something else than the vendor's JSON.
    Malformed,
}

/// A failed request, with what the operator wants to know and nothing that people wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// How long to wait at least.
    pub retry_after_ms: Option<u64>,
    /// Status, the vendor's symbols, trace id, or the transport's word.
    pub log: String,
}

impl Failure {
    /// A failure that was answered.
    pub fn of(endpoint: &'static str, kind: FailureKind, response: &Response) -> Self {
        let retry_after_ms =
            response.header("retry-after").and_then(|text| time::retry_after_ms(text, response.header("date")));
        let mut log = format!("{endpoint}: HTTP {}", response.status);
        let body: Option<Value> = serde_json::from_slice(&response.body).ok();
        for key in ["status", "message"] {
            if let Some(symbol) = body.as_ref().and_then(|body| body.get(key)?.as_str()).filter(|text| is_symbol(text))
            {
                log.push(' ');
                log.push_str(symbol);
            }
        }
        if let Some(trace) = response.header("x-trace-id").filter(|trace| is_trace(trace)) {
            log.push_str(" trace ");
            log.push_str(trace);
        }
        Self { kind, endpoint, retry_after_ms, log }
    }

    /// The error for the caller, in words for the account's admin.
    pub fn into_error(self) -> Error {
        let (kind, message, remedy) = match self.kind {
            FailureKind::Unauthorized => (
                ErrorKind::Unauthorized,
                "Freshworks refused the API key",
                "Generate a new token under Admin settings > APIs for chat and connect again.",
            ),
            FailureKind::Forbidden => (
                ErrorKind::Unauthorized,
                "the API key lacks a right that handoffs need",
                "Delete the token and generate a new one: it gets the newest rights. Then connect again.",
            ),
            FailureKind::NotFound => (
                ErrorKind::NotFound,
                "Freshworks does not know this object",
                "Connect again, so that names and ids are looked up anew.",
            ),
            FailureKind::NotLatest => {
                (ErrorKind::Rejected, "the user has a newer conversation in this topic", "Start a new handoff.")
            }
            FailureKind::Refused => {
                (ErrorKind::Rejected, "Freshworks refused the request", "Report it with the log text of this error.")
            }
            FailureKind::RateLimited => (
                ErrorKind::RateLimited,
                "Freshworks asks to send fewer requests",
                "Repeat after the wait, with the session of this error.",
            ),
            FailureKind::Unavailable => (
                ErrorKind::Unavailable,
                "Freshworks cannot be reached",
                "Repeat later, with the session of this error.",
            ),
            FailureKind::Denied => (
                ErrorKind::Unavailable,
                "the host does not allow requests to this address",
                "Allow the hosts that `describe` lists.",
            ),
            FailureKind::OutcomeUnknown => (
                ErrorKind::OutcomeUnknown,
                "a request was sent and its result is not known",
                "Repeat with the session of this error: what got through is then found and not done again.",
            ),
            FailureKind::Malformed => (
                ErrorKind::Malformed,
                "the answer is not what Freshworks sends",
                "Check the Chat URL; report it with the log text of this error when it is right.",
            ),
        };
        let mut error = Error::new(kind, message).with_remedy(remedy).with_log(self.log);
        error.retry_after_ms = self.retry_after_ms;
        match self.kind {
            FailureKind::NotFound => error.at(missing_field(self.endpoint)),
            // What was sent may still be on its way: a look that comes too early finds nothing.
            FailureKind::OutcomeUnknown => {
                error.retry_after_ms = error.retry_after_ms.or(Some(SETTLE_MS));
                error
            }
            _ => error,
        }
    }
}

/// The setting or argument that names what does not exist.
fn missing_field(endpoint: &str) -> &'static str {
    match endpoint {
        "create-conversation" => "settings.resolved",
        "find-users" | "create-user" | "update-user" | "list-user-conversations" => "request.user.id",
        "get-account" | "list-channels" | "list-groups" | "list-agents" => "settings.chat_url",
        _ => "session",
    }
}

/// Symbols are the vendor's own words, such as `INVALID_VALUE`. Anything else could quote what people wrote, even a
/// single word, so it is left out of logs.
fn is_symbol(text: &str) -> bool {
    let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= 60 && text.contains('_') && text.bytes().all(is_upper)
}

/// Like `00-<32 hexadecimal digits>-<16>-00`.
fn is_trace(text: &str) -> bool {
    text.len() <= 80 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Lets 2xx pass, and says what everything else means for a request with this effect.
pub fn sort(
    endpoint: &'static str,
    effect: Effect,
    response: Result<Response, TransportError>,
) -> Result<Response, Failure> {
    let unclear = if effect == Effect::Write { FailureKind::OutcomeUnknown } else { FailureKind::Unavailable };
    let response = response.map_err(|error| {
        let kind = match &error {
            TransportError { denied: true, .. } => FailureKind::Denied,
            TransportError { not_sent: true, .. } => FailureKind::Unavailable,
            _ => unclear,
        };
        Failure { kind, endpoint, retry_after_ms: None, log: format!("{endpoint}: {}", error.reason) }
    })?;
    let kind = match response.status {
        200..=299 => return Ok(response),
        401 => FailureKind::Unauthorized,
        403 => FailureKind::Forbidden,
        404 => FailureKind::NotFound,
        429 => FailureKind::RateLimited,
        400 if contains(&response.body, b"not the latest conversation") => FailureKind::NotLatest,
        400..=499 => FailureKind::Refused,
        // Redirects are not followed: the key must not travel on.
        300..=399 => FailureKind::Malformed,
        _ => unclear,
    };
    Err(Failure::of(endpoint, kind, &response))
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Response, TransportError> {
        let headers =
            vec![("x-trace-id".to_owned(), "00-ab-cd-00".to_owned()), ("retry-after".to_owned(), "2".to_owned())];
        Ok(Response { status, headers, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn a_write_is_unclear_where_a_read_is_unavailable() {
        let check = |status: u16, read: FailureKind, write: FailureKind| {
            assert_eq!(sort("x", Effect::Read, answer(status, "")).unwrap_err().kind, read, "{status}");
            assert_eq!(sort("x", Effect::Write, answer(status, "")).unwrap_err().kind, write, "{status}");
        };
        use FailureKind::*;
        check(500, Unavailable, OutcomeUnknown);
        check(503, Unavailable, OutcomeUnknown);
        check(401, Unauthorized, Unauthorized);
        check(403, Forbidden, Forbidden);
        check(404, NotFound, NotFound);
        check(409, Refused, Refused);
        check(429, RateLimited, RateLimited);
        check(302, Malformed, Malformed);
        let lost = |not_sent, denied| Err(TransportError { not_sent, denied, reason: "gone".into() });
        assert_eq!(sort("x", Effect::Write, lost(true, false)).unwrap_err().kind, Unavailable);
        assert_eq!(sort("x", Effect::Write, lost(false, false)).unwrap_err().kind, OutcomeUnknown);
        assert_eq!(sort("x", Effect::Read, lost(false, false)).unwrap_err().kind, Unavailable);
        assert_eq!(sort("x", Effect::Read, lost(true, true)).unwrap_err().kind, Denied);
    }

    #[test]
    fn a_superseded_conversation_is_told_from_other_refusals() {
        let body = r#"{"code":400,"status":"INVALID_VALUE","message":"This is Not the latest conversation"}"#;
        assert_eq!(sort("x", Effect::Write, answer(400, body)).unwrap_err().kind, FailureKind::NotLatest);
        assert_eq!(sort("x", Effect::Write, answer(400, "{}")).unwrap_err().kind, FailureKind::Refused);
    }

    #[test]
    fn logs_hold_symbols_and_no_free_text() {
        let body = r#"{"code":400,"status":"INVALID_VALUE","message":"Ana wrote hello"}"#;
        let failure = sort("send-message", Effect::Write, answer(400, body)).unwrap_err();
        assert_eq!(failure.log, "send-message: HTTP 400 INVALID_VALUE trace 00-ab-cd-00");
        assert_eq!(failure.retry_after_ms, Some(2_000));
    }
}

//! What can go wrong with a request, sorted once for all endpoints by what has happened on the other side.

use serde_json::Value;

use super::endpoint::{Effect, Kind, Service};
use crate::http::{Response, TransportError, json};
use crate::text::time;
use handoff_contract::error::{Error, ErrorKind};

/// How long a request of unknown outcome may take to arrive after all.
const SETTLE_MS: u64 = 5_000;

/// Faulty fields of one request that are named in the log.
const MAX_FIELDS: usize = 5;

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

/// How long to wait where a rate limit names no time. Freshdesk's limits are by the minute (vendor documentation), Freshchat's are not
/// published: that they are alike is a belief.
const RATE_LIMIT_WAIT_MS: u64 = 60_000;

/// A failed request, with what the operator wants to know and nothing that people wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// The call that failed.
    pub call: Kind,
    /// How long to wait at least.
    pub retry_after_ms: Option<u64>,
    /// Status, the vendor's symbols, trace id, or the transport's word.
    pub log: String,
    /// The fields that a refusal of the ticket desk names, as it writes them. For comparing alone: never shown or logged.
    /// Each with a line end behind it.
    pub faulty: String,
}

impl Failure {
    /// A failure that was answered.
    pub fn of(call: Kind, kind: FailureKind, response: &Response) -> Self {
        let retry_after_ms =
            response.header("retry-after").and_then(|text| time::retry_after_ms(text, response.header("date")));
        let mut log = format!("{}: HTTP {}", call.name, response.status);
        let body = json::read(&response.body, &[]).ok();
        for key in ["status", "message", "code"] {
            if let Some(symbol) = body.as_ref().and_then(|body| body.get(key)?.as_str()).filter(|text| is_symbol(text))
            {
                log.push(' ');
                log.push_str(symbol);
            }
        }
        // Names of fields and the vendor's words for what is wrong with them, of the ticket desk.
        let errors = body.as_ref().and_then(|body| body.get("errors")?.as_array());
        // A body that is too large names nothing; only files can make it so.
        let mut faulty = if response.status == 413 { "attachments\n".to_owned() } else { String::new() };
        for error in errors.into_iter().flatten() {
            if let Some(field) = error.get("field").and_then(Value::as_str) {
                faulty.push_str(field);
                faulty.push('\n');
            }
        }
        for error in errors.into_iter().flatten().take(MAX_FIELDS) {
            for key in ["field", "code"] {
                if let Some(word) = error.get(key).and_then(Value::as_str).filter(|text| is_name(text)) {
                    log.push(' ');
                    log.push_str(word);
                }
            }
        }
        if let Some(trace) = response.header("x-trace-id").filter(|trace| is_trace(trace)) {
            log.push_str(" trace ");
            log.push_str(trace);
        }
        Self { kind, call, retry_after_ms, log, faulty }
    }

    /// The error for the caller, in words for the account's admin.
    pub(crate) fn into_error(self) -> Error {
        let (kind, message, remedy) = match self.kind {
            FailureKind::Unauthorized if self.call.service == Service::Tickets => (
                ErrorKind::Unauthorized,
                "the ticket desk refused its API key",
                "Copy the key from the profile settings of an agent of the ticket desk: it is not the key of Freshchat. Then connect again.",
            ),
            FailureKind::Forbidden if self.call.service == Service::Tickets => (
                ErrorKind::Unauthorized,
                "the agent whose key the ticket desk got may not do this",
                "Use the key of an agent who may see and create tickets, on a plan with API access. Then connect again.",
            ),
            FailureKind::Unauthorized => (
                ErrorKind::Unauthorized,
                "Freshworks refused the API key",
                "Is the Chat URL this account's address, and its region's? If it is, generate a new token under Admin Settings > Marketplace and Integrations > API > API Settings > API details for chat, and connect again.",
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
            FailureKind::NotFound => error.at(missing_field(self.call.name)),
            // What was sent may still be on its way: a look that comes too early finds nothing.
            FailureKind::OutcomeUnknown => {
                error.retry_after_ms = error.retry_after_ms.or(Some(SETTLE_MS));
                error
            }
            // Whoever is not told how long would come again at once.
            FailureKind::RateLimited => {
                error.retry_after_ms = error.retry_after_ms.or(Some(RATE_LIMIT_WAIT_MS));
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

/// Like `custom_fields.cf_order`.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.');
    text.len() <= 60 && text.bytes().all(is_plain)
}

/// Like `00-<32 hexadecimal digits>-<16>-00`.
fn is_trace(text: &str) -> bool {
    text.len() <= 80 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Lets 2xx pass, and says what everything else means for a request with this effect. The error for a page past the end of
/// a list passes too: it is an answer, which lists read as an empty page.
pub fn sort(call: Kind, response: Result<Response, TransportError>) -> Result<Response, Failure> {
    let unclear = if call.effect == Effect::Write { FailureKind::OutcomeUnknown } else { FailureKind::Unavailable };
    let response = response.map_err(|error| {
        let kind = match &error {
            TransportError { denied: true, .. } => FailureKind::Denied,
            TransportError { not_sent: true, .. } => FailureKind::Unavailable,
            _ => unclear,
        };
        let log = format!("{}: {}", call.name, error.reason);
        Failure { kind, call, retry_after_ms: None, log, faulty: String::new() }
    })?;
    let kind = match response.status {
        200..=299 => return Ok(response),
        400..=404 if call.effect == Effect::Read && contains(&response.body, WRONG_PAGE) => return Ok(response),
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
    Err(Failure::of(call, kind, &response))
}

/// The vendor's definitions name the symbol and not the status that it comes with.
const WRONG_PAGE: &[u8] = b"\"WRONG_PAGE\"";

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(effect: Effect) -> Kind {
        Kind { name: "x", effect, service: Service::Chat }
    }

    fn answer(status: u16, body: &str) -> Result<Response, TransportError> {
        let headers =
            vec![("x-trace-id".to_owned(), "00-ab-cd-00".to_owned()), ("retry-after".to_owned(), "2".to_owned())];
        Ok(Response { status, headers, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn a_write_is_unclear_where_a_read_is_unavailable() {
        let check = |status: u16, read: FailureKind, write: FailureKind| {
            assert_eq!(sort(call(Effect::Read), answer(status, "")).unwrap_err().kind, read, "{status}");
            assert_eq!(sort(call(Effect::Write), answer(status, "")).unwrap_err().kind, write, "{status}");
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
        assert_eq!(sort(call(Effect::Write), lost(true, false)).unwrap_err().kind, Unavailable);
        assert_eq!(sort(call(Effect::Write), lost(false, false)).unwrap_err().kind, OutcomeUnknown);
        assert_eq!(sort(call(Effect::Read), lost(false, false)).unwrap_err().kind, Unavailable);
        assert_eq!(sort(call(Effect::Read), lost(true, true)).unwrap_err().kind, Denied);
    }

    #[test]
    fn a_superseded_conversation_is_told_from_other_refusals() {
        let body = r#"{"code":400,"status":"INVALID_VALUE","message":"This is Not the latest conversation"}"#;
        assert_eq!(sort(call(Effect::Write), answer(400, body)).unwrap_err().kind, FailureKind::NotLatest);
        assert_eq!(sort(call(Effect::Write), answer(400, "{}")).unwrap_err().kind, FailureKind::Refused);
    }

    #[test]
    fn a_page_past_the_end_is_an_answer_to_a_read_and_to_nothing_else() {
        let body = r#"{"code":400,"status":"WRONG_PAGE","message":"The page does not exist in the search result"}"#;
        for status in [400, 404] {
            assert!(sort(call(Effect::Read), answer(status, body)).is_ok());
        }
        assert_eq!(sort(call(Effect::Write), answer(400, body)).unwrap_err().kind, FailureKind::Refused);
        assert_eq!(sort(call(Effect::Read), answer(401, "{}")).unwrap_err().kind, FailureKind::Unauthorized);
        assert_eq!(sort(call(Effect::Read), answer(500, body)).unwrap_err().kind, FailureKind::Unavailable);
    }

    #[test]
    fn a_rate_limit_always_carries_a_wait() {
        let limited = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let response = Response { status: 429, headers, body: Vec::new() };
            let error = sort(call(Effect::Read), Ok(response)).unwrap_err().into_error();
            (error.kind, error.retry_after_ms)
        };
        assert_eq!(limited(&[("retry-after", "7")]), (ErrorKind::RateLimited, Some(7_000)));
        for headers in [&[][..], &[("retry-after", "soon")], &[("retry-after", "")]] {
            assert_eq!(limited(headers), (ErrorKind::RateLimited, Some(RATE_LIMIT_WAIT_MS)), "{headers:?}");
        }
    }

    #[test]
    fn logs_hold_symbols_and_no_free_text() {
        let body = r#"{"code":400,"status":"INVALID_VALUE","message":"Ana wrote hello"}"#;
        let failure = sort(call(Effect::Write), answer(400, body)).unwrap_err();
        assert_eq!(failure.log, "x: HTTP 400 INVALID_VALUE trace 00-ab-cd-00");
        assert_eq!(failure.retry_after_ms, Some(2_000));
    }
}

//! What the host's own tracing and metrics see of a call: who, what, how it ended and what it cost. No text of people, no secret.

use std::fmt;

use http::HeaderValue;

use crate::error::CallError;
use crate::report::CallReport;

/// Told about each call when it has ended, for metrics. Runs on the caller's task: take note and return.
pub trait Observer: Send + Sync {
    /// A call has ended. One whose future was dropped is not told of.
    fn called(&self, call: Observed<'_>);
}

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Observed<'a> {
    /// The function of the contract, for example `on-webhook`.
    pub function: &'static str,
    /// The tenant, as [`Sandbox::tenant`](crate::Sandbox::tenant) named it; empty when it named none.
    pub tenant: &'a str,
    /// How it ended: `ok`, a kind of the contract's errors, a kind of trap, or `host`. Few enough for a label of a metric.
    pub outcome: &'static str,
    /// What it did and what it cost.
    pub report: &'a CallReport,
}

/// The word for how a call ended.
pub(crate) fn outcome<T>(result: &Result<T, CallError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(CallError::Plugin(error)) => error.kind.word(),
        Err(CallError::Trap(trap)) => trap.kind.as_str(),
        Err(CallError::Host(_)) => "host",
    }
}

/// The ids of a trace, as the header `traceparent` of W3C Trace Context (version 00) carries them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceparent {
    pub(crate) header: HeaderValue,
}

/// A text that is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceparentError;

impl fmt::Display for TraceparentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a traceparent: pass `00-<32 hex digits>-<16 hex digits>-<2 hex digits>` in lower case, as W3C Trace Context has it",
        )
    }
}

impl std::error::Error for TraceparentError {}

impl Traceparent {
    /// Reads the header's value. Only what W3C Trace Context allows passes, so nothing else can travel in it.
    ///
    /// # Errors
    ///
    /// When it is anything else, or one of its ids is all zeros.
    pub fn new(text: &str) -> Result<Self, TraceparentError> {
        let fields: Vec<&str> = text.split('-').collect();
        let is_hex = |field: &&str, length| {
            field.len() == length && field.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_id = |field: &&str, length| is_hex(field, length) && field.bytes().any(|letter| letter != b'0');
        match fields.as_slice() {
            ["00", trace, parent, flags] if is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2) => {
                let header = HeaderValue::from_str(text).map_err(|_| TraceparentError)?;
                Ok(Self { header })
            }
            _ => Err(TraceparentError),
        }
    }

    /// The id of the trace, in hex.
    pub fn trace_id(&self) -> &str {
        self.header.to_str().unwrap_or_default().get(3..35).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_of_the_published_form() {
        // The example of W3C Trace Context, section 3.2.3.
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(Traceparent::new(text).unwrap().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for wrong in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n",
        ] {
            assert_eq!(Traceparent::new(wrong), Err(TraceparentError), "{wrong:?}");
        }
    }
}

//! The one error that leaves the core, sorted by what the caller should do.
//!
//! It has two texts: `message` for the platform's admins and `log` for the operator. Neither ever holds what
//! people wrote, nor a secret.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::model::Session;
use crate::words::{record, words};

words! {
    /// What the caller should do about an error. Each case is explained in `wit/connector.wit`.
    pub enum ErrorKind {
        /// Fix the settings.
        InvalidSettings = "invalid-settings",
        /// Fix the call.
        InvalidRequest = "invalid-request",
        /// Replace the credentials.
        Unauthorized = "unauthorized",
        /// Fix the name or id.
        NotFound = "not-found",
        /// Report it.
        Rejected = "rejected",
        /// Wait, then repeat.
        RateLimited = "rate-limited",
        /// Repeat later.
        Unavailable = "unavailable",
        /// Repeat with the session, so that the connector looks first.
        OutcomeUnknown = "outcome-unknown",
        /// Ask the end user for an e-mail address.
        NeedsEmail = "needs-email",
        /// Drop the webhook.
        InvalidSignature = "invalid-signature",
        /// Report drift of the vendor's format.
        Malformed = "malformed",
        /// Do not call this.
        Unsupported = "unsupported",
        /// Report our bug.
        Internal = "internal",
    }
}

record! {
    /// Why a call failed, as it travels.
    pub struct CallError {
        /// What the caller should do.
        pub kind: ErrorKind,
        /// The setting or argument at fault.
        pub field: Option<String>,
        /// For the platform's admins.
        pub message: String,
        /// What to do about it.
        pub remedy: Option<String>,
        /// Kind, field, message and remedy in one line.
        pub line: String,
        /// How long to wait at least.
        pub retry_after_ms as "retry-after-ms": Option<u64>,
        /// For the operator.
        pub log: Option<String>,
        /// What was done so far, to be passed to the next try.
        pub session: Option<Session>,
    }
}

/// Why a call failed. Boxed, because results are returned far more often than errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Details>);

/// What is known about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// What the caller should do.
    pub kind: ErrorKind,
    /// The setting or argument at fault.
    pub field: Option<String>,
    /// For the platform's admins.
    pub message: Cow<'static, str>,
    /// What to do about it.
    pub remedy: Option<Cow<'static, str>>,
    /// How long to wait at least.
    pub retry_after_ms: Option<u64>,
    /// For the operator.
    pub log: Option<String>,
    /// What was done so far, to be passed to the next try.
    pub session: Option<Vec<u8>>,
}

impl Error {
    /// An error of which only kind and message are known.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details {
            kind,
            field: None,
            message: message.into(),
            remedy: None,
            retry_after_ms: None,
            log: None,
            session: None,
        }))
    }

    /// The details by themselves.
    pub fn into_details(self) -> Details {
        *self.0
    }

    /// A setting at fault.
    pub fn settings(field: &str, message: impl Into<Cow<'static, str>>, remedy: impl Into<Cow<'static, str>>) -> Self {
        let field = if field.is_empty() { "settings".to_owned() } else { format!("settings.{field}") };
        Self::new(ErrorKind::InvalidSettings, message).at(field).with_remedy(remedy)
    }

    /// An argument at fault.
    pub fn request(field: &str, message: impl Into<Cow<'static, str>>, remedy: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).at(field).with_remedy(remedy)
    }

    /// Something that this version cannot do.
    pub fn unsupported(what: &str, remedy: &'static str) -> Self {
        Self::new(ErrorKind::Unsupported, format!("{what} is not part of this version")).with_remedy(remedy)
    }

    /// Names the setting or argument at fault.
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Puts it in other words.
    pub fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Says what to do.
    pub fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds what the operator wants to know.
    pub fn with_log(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// Carries what was done so far.
    pub fn with_session(mut self, session: Vec<u8>) -> Self {
        self.session = Some(session);
        self
    }
}

impl Details {
    /// Kind, field, message and remedy in one line, ready to print: `invalid-request (request.user.id): it is empty. Pass an id.`
    pub fn line(&self) -> String {
        let mut line = self.kind.word().to_owned();
        let mut push = |before: &str, text: &str| {
            line.push_str(before);
            // The name of an unknown setting may hold anything.
            line.extend(text.chars().map(|letter| if letter < ' ' { ' ' } else { letter }));
        };
        if let Some(field) = &self.field {
            push(" (", field);
            push(")", "");
        }
        push(": ", self.message.trim_end_matches('.'));
        if let Some(remedy) = &self.remedy {
            push(". ", remedy);
        }
        line
    }
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_fits_on_one_line() {
        let error = Error::request("request.user.id", "the id is empty", "Pass the platform's own id.");
        assert_eq!(error.line(), "invalid-request (request.user.id): the id is empty. Pass the platform's own id.");
        let error = Error::new(ErrorKind::Unavailable, "Freshworks cannot be reached.");
        assert_eq!(error.line(), "unavailable: Freshworks cannot be reached");
        let error = Error::settings("a\nb", "no such setting.", "Remove it.");
        assert_eq!(error.line(), "invalid-settings (settings.a b): no such setting. Remove it.");
    }
}

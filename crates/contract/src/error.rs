//! The one error that leaves the core, sorted by what the caller should do.
//!
//! It has two texts: `message` for the platform's admins and `log` for the operator. Neither ever holds what
//! people wrote, nor a secret.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// What the caller should do about an error. Each case is explained in `wit/connector.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Fix the settings.
    InvalidSettings,
    /// Fix the call.
    InvalidRequest,
    /// Replace the credentials.
    Unauthorized,
    /// Fix the name or id.
    NotFound,
    /// Report it.
    Rejected,
    /// Wait, then repeat.
    RateLimited,
    /// Repeat later.
    Unavailable,
    /// Repeat with the session, so that the connector looks first.
    OutcomeUnknown,
    /// Drop the webhook.
    InvalidSignature,
    /// Report drift of the vendor's format.
    Malformed,
    /// Ask the end user for an e-mail address.
    NeedsEmail,
    /// Do not call this.
    Unsupported,
    /// Report our bug.
    Internal,
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

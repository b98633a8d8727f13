//! The one way to the outside: requests and answers as values, and the trait that carries them.

use std::fmt;

pub mod client;
pub(crate) mod json;
pub(crate) mod multipart;
pub mod retry;

/// HTTP methods that the vendor's APIs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Changes.
    Put,
    /// Removes.
    Delete,
}

/// A request, complete but for the connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Scheme, host and port, without a trailing slash.
    pub origin: String,
    /// Path and query, percent-encoded, with a leading slash.
    pub path: String,
    /// Names in lower case. `authorization` is among them unless the host adds it.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for reads.
    pub body: Vec<u8>,
    /// How long to wait for a connection, in milliseconds.
    pub connect_timeout_ms: u32,
    /// How long to wait for the answer's head, and between its pieces, in milliseconds.
    pub response_timeout_ms: u32,
}

impl fmt::Debug for Request {
    // Bodies hold what people wrote and headers hold the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}{} ({} bytes)", self.method, self.origin, self.path, self.body.len())
    }
}

/// An answer, with its body read to the end.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The complete body; an implementation reports a body shorter than `content-length` as a failure.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// Why no complete answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// True only when it is certain that the request never reached the other side.
    pub not_sent: bool,
    /// The host refuses this destination; no repetition will help.
    pub denied: bool,
    /// A short word for the log, for example `connection-refused`.
    pub reason: String,
}

/// A request whose body is another answer's body between two texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Complete but for the body.
    pub request: Request,
    /// Goes before.
    pub before: Vec<u8>,
    /// Goes behind.
    pub after: Vec<u8>,
}

/// The head of the answer that was passed on, and the answer to the request that took it.
pub type Forwarded = (Response, Result<Response, TransportError>);

impl TransportError {
    /// An implementation that answered fewer requests than it was given.
    pub fn no_answer() -> Self {
        Self { not_sent: false, denied: false, reason: "no-answer".to_owned() }
    }
}

/// Sends requests. The shells implement it; tests script it.
pub trait Http {
    /// Sends all requests at once and answers in their order. Never retries and follows no redirect.
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>>;

    /// Sends one request.
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_all(vec![request]).pop().unwrap_or_else(|| Err(TransportError::no_answer()))
    }

    /// Sends `source` and passes the body of its answer on in the request that `wrap` makes of the answer's head. None when
    /// `wrap` makes none, or the body is empty or larger than `most_bytes`. An implementation that can passes it on piece by
    /// piece; this one holds it.
    fn forward(
        &self,
        source: Request,
        most_bytes: u64,
        wrap: &dyn Fn(&Response) -> Option<Wrapped>,
    ) -> Result<Option<Forwarded>, TransportError> {
        let mut head = self.send(source)?;
        let body = std::mem::take(&mut head.body);
        let fits = !body.is_empty() && u64::try_from(body.len()).is_ok_and(|bytes| bytes <= most_bytes);
        let Some(wrapped) = wrap(&head).filter(|_| fits) else { return Ok(None) };
        let body = [wrapped.before, body, wrapped.after].concat();
        let answer = self.send(Request { body, ..wrapped.request });
        Ok(Some((head, answer)))
    }
}

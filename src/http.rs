//! The one way to the outside: requests and answers as values, and the trait that carries them.

use std::fmt;

/// HTTP methods that the vendor's APIs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Changes.
    Put,
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

/// Sends requests. The shells implement it; tests script it.
// Callers are generic over the implementation and single-threaded, so no `Send` bound is wanted.
#[allow(async_fn_in_trait)]
pub trait Http {
    /// Sends all requests at once and answers in their order. Never retries and follows no redirect.
    async fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>>;

    /// Sends one request.
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let lost = TransportError { not_sent: false, denied: false, reason: "no-answer".to_owned() };
        self.send_all(vec![request]).await.pop().unwrap_or(Err(lost))
    }
}

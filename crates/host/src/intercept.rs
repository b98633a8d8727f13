//! Standing between the plugin and the network: counting, faking and failing requests.
//!
//! For tests. A driver that wants to prove "whatever fails, nothing is lost and nothing happens twice" runs a flow once
//! to count its requests, and then once for each request and each fault.

use bytes::Bytes;
use http::{Method, Response, Uri};

pub use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode as HttpErrorCode;

/// A request of the plugin that the allow-list let through.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Which request of this call it is, from 0, in the order in which the plugin made them.
    pub index: usize,
    /// The request method.
    pub method: &'a Method,
    /// The whole URL, with its query.
    pub uri: &'a Uri,
}

/// What to do with a request that is about to be sent.
#[derive(Debug)]
pub enum Before {
    /// Send it.
    Send,
    /// Do not send it; tell the plugin this. Nothing takes effect.
    Fail(HttpErrorCode),
    /// Do not send it; give the plugin this response.
    Answer(Response<Bytes>),
    /// Do not send it; stop the plugin here.
    Trap,
    /// Do not send it; end the plugin's time for computing here: it is interrupted before it sees an outcome.
    OutOfTime,
}

/// What to do with a request that has taken effect: its response is there.
#[derive(Debug)]
pub enum After {
    /// Give the response to the plugin.
    Pass,
    /// Throw the response away; tell the plugin this.
    Fail(HttpErrorCode),
    /// Give the head of the response to the plugin and break off before the first byte of the body.
    CutBody,
    /// Throw the response away; give the plugin this one.
    Answer(Response<Bytes>),
    /// Stop the plugin here, before it sees the response.
    Trap,
    /// End the plugin's time for computing here: it is interrupted before it sees the response.
    OutOfTime,
}

/// Stands between the plugin and the network. Both methods run for each request that the allow-list lets through; they
/// must not block.
pub trait Interceptor: Send + Sync {
    /// Decides about a request before it is sent.
    fn before(&self, _request: Outgoing<'_>) -> Before {
        Before::Send
    }

    /// Decides about the response, before the plugin sees it. Not asked when there is no response.
    fn after(&self, _request: Outgoing<'_>, _status: u16) -> After {
        After::Pass
    }
}

/// Lets everything pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Untouched;

impl Interceptor for Untouched {}

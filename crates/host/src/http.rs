//! The plugin's way to the network: allow-list, credentials, interceptor, pooled client, report.
//!
//! wasmtime-wasi-http asks [`Hook`] to send each request. Its own way of sending opens a connection for each request,
//! which doubles the time that a handoff takes.

mod body;
mod client;
mod resolver;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::Notify;
use tracing::Instrument as _;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use crate::intercept::{After, Before, Outgoing};
use crate::limits::{Allowance, OutOfTime};
use crate::report::Recorder;
use crate::sandbox::Sandbox;

pub use client::HttpClient;
use resolver::Reach;

/// Sends the requests of one call.
pub(crate) struct Hook {
    pub(crate) sandbox: Sandbox,
    pub(crate) recorder: Arc<Recorder>,
    /// Ends the call where it stands.
    pub(crate) stop: Arc<Notify>,
    /// Ends the plugin's time for computing.
    pub(crate) out_of_time: OutOfTime,
    /// What the call may still send and read.
    pub(crate) allowance: Arc<Allowance>,
}

/// What wasi-http awaits after the response: nothing, because the pool drives the connections.
type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hook {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Driver,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Driver)>> + Send> {
        // Here and not in the future: the order of entries is the order of the plugin's calls.
        let index = self.recorder.begin(request.method(), request.uri());
        let exchange = Exchange {
            index,
            sandbox: self.sandbox.clone(),
            recorder: self.recorder.clone(),
            stop: self.stop.clone(),
            out_of_time: self.out_of_time.clone(),
            allowance: self.allowance.clone(),
        };
        // No path: it names people's records.
        let span = tracing::debug_span!(
            "connector request",
            index,
            method = request.method().as_str(),
            host = request.uri().host().unwrap_or_default(),
            status = tracing::field::Empty,
            error = tracing::field::Empty,
        );
        let told = span.clone();
        let exchange = async move {
            match exchange.run(request, options.unwrap_or_default()).await {
                Ok(response) => {
                    told.record("status", response.status().as_u16());
                    Ok((response, Box::new(async { Ok(()) }) as Driver))
                }
                Err(error) => {
                    told.record("error", error.to_string());
                    exchange.recorder.failed(index, &error);
                    Err(error)
                }
            }
        };
        Box::new(exchange.instrument(span))
    }
}

/// `TRACE` would echo the credential that the host adds, `CONNECT` opens a tunnel, and other methods are unknown.
fn may_be_sent(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        .contains(method)
}

/// One request and its response.
struct Exchange {
    index: usize,
    sandbox: Sandbox,
    recorder: Arc<Recorder>,
    stop: Arc<Notify>,
    out_of_time: OutOfTime,
    allowance: Arc<Allowance>,
}

impl Exchange {
    async fn run(&self, request: Request<WasiBody>, options: RequestOptions) -> Result<Response<WasiBody>> {
        let (mut parts, body) = request.into_parts();
        if !may_be_sent(&parts.method) {
            return Err(Error::HttpRequestDenied);
        }
        let origin = self.sandbox.allow.check(&parts.uri).map_err(|_| Error::HttpRequestDenied)?;
        if !self.allowance.take_request() {
            return Err(Error::HttpRequestDenied);
        }
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let outgoing = Outgoing { index: self.index, method: &method, uri: &uri };
        let body = body::counted_request(body, self.index, self.recorder.clone(), self.allowance.clone());

        let response = match self.sandbox.interceptor.before(outgoing) {
            Before::Send => {
                self.sandbox.credentials.apply(&origin, &mut parts.headers);
                if let Some(parent) = &self.sandbox.traceparent {
                    parts.headers.insert("traceparent", parent.header.clone());
                }
                let request = Request::from_parts(parts, body);
                let is_internal = self.sandbox.allow.is_internal(&origin);
                let reach = if is_internal { Reach::Internal } else { Reach::Internet };
                self.sandbox
                    .client
                    .send(request, reach, &options)
                    .await?
                    .map(|body| body.map_err(body::failure).boxed_unsync())
            }
            Before::Answer(response) => response.map(whole),
            Before::Fail(error) => return Err(error.into()),
            Before::Trap => return self.trap().await,
            Before::OutOfTime => {
                self.out_of_time.end().await;
                return Err(Error::ConnectionRefused);
            }
        };

        let (response, cut) = match self.sandbox.interceptor.after(outgoing, response.status().as_u16()) {
            After::Pass => (response, false),
            After::CutBody => (response, true),
            After::Answer(other) => (other.map(whole), false),
            After::Fail(error) => return Err(error.into()),
            After::Trap => return self.trap().await,
            After::OutOfTime => {
                self.out_of_time.end().await;
                (response, false)
            }
        };
        self.recorder.answered(self.index, response.status().as_u16());
        let guard = body::Guard {
            index: self.index,
            recorder: self.recorder.clone(),
            allowance: self.allowance.clone(),
            max_bytes: self.sandbox.limits.max_response_bytes,
            between_bytes: options.between_bytes_timeout.unwrap_or(client::BETWEEN_BYTES),
            cut,
        };
        Ok(response.map(|body| guard.watch(body)))
    }

    /// Stops the plugin while it waits for this request: the call is dropped with everything in it.
    async fn trap(&self) -> Result<Response<WasiBody>> {
        self.recorder.failed(self.index, &"the plugin was stopped here");
        self.stop.notify_one();
        std::future::pending().await
    }
}

fn whole(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

#[cfg(test)]
mod tests;

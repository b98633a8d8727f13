//! Requests to the platform's receivers.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Sends POST requests in sequence; keeps no connection, because the receiver may stop at any time.
#[derive(Clone, Debug)]
pub(crate) struct Client(Hyper<HttpConnector, Full<Bytes>>);

/// The response.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self(Hyper::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http())
    }

    /// None if there was no complete response in time.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: &[u8],
        within: Duration,
    ) -> Option<Reply> {
        let mut request = Request::post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).ok()?;
        let exchange = async {
            let response = self.0.request(request).await.ok()?;
            let status = response.status().as_u16();
            let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let body = response.into_body().collect().await.ok()?.to_bytes();
            Some(Reply { status, retry_after: seconds.map(Duration::from_secs), body })
        };
        tokio::time::timeout(within, exchange).await.ok()?
    }
}

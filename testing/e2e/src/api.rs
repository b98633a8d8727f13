//! Calls of the bridge's API.

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A response of the API.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null if there is none.
    pub body: Value,
}

/// A caller with a token.
#[derive(Clone, Debug)]
pub struct Api {
    origin: String,
    token: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Api {
    /// Calls the API at this origin.
    pub fn new(origin: &str, token: &str) -> Self {
        // A new connection for each call: instances behind the address change.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self { origin: origin.to_owned(), token: token.to_owned(), client }
    }

    /// One request with the token.
    ///
    /// # Errors
    ///
    /// If there is no complete response.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let headers =
            [("authorization", format!("Bearer {}", self.token)), ("content-type", "application/json".into())];
        self.send(method, path, &headers, bytes).await
    }

    /// One request with exactly these headers and this body.
    ///
    /// # Errors
    ///
    /// If there is no complete response.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> anyhow::Result<Reply> {
        let url = if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.origin) };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = self.client.request(request.body(Full::new(body.into()))?).await?;
        let status = response.status().as_u16();
        let words = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), words(value))).collect();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(Reply { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}

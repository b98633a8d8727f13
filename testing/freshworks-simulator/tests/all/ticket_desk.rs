//! A caller of the ticket service.

use axum::http::Request;
use axum::http::request::Builder;
use base64ct::{Base64, Encoding};
use freshworks_simulator::{Config, Simulator, TicketProduct};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::support::Reply;

/// A simulator and a client with its ticket key.
pub(crate) struct Desk {
    pub(crate) sim: Simulator,
    client: Client<HttpConnector, Full<axum::body::Bytes>>,
}

impl Desk {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn freshservice() -> Self {
        Self::with(Config { ticket_product: TicketProduct::Freshservice, ..Config::default() }).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let sim = Simulator::start(config).await.expect("a simulator");
        Self { sim, client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()) }
    }

    /// A request with the right key.
    pub(crate) fn request(&self, method: &str, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.sim.ticket_origin()))
            .header("authorization", basic(&self.sim.ticket_api_key(), "X"))
    }

    pub(crate) async fn send(&self, request: Builder, body: impl Into<axum::body::Bytes>) -> Result<Reply, String> {
        let request = request.body(Full::from(body.into())).expect("a request");
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path), "").await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        let request = self.request("POST", path).header("content-type", "application/json");
        self.send(request, body.to_string()).await.expect("an answer")
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        let request = self.request("PUT", path).header("content-type", "application/json");
        self.send(request, body.to_string()).await.expect("an answer")
    }

    /// A form with these parts: the headers of each after its `Content-Disposition: form-data; `, and its content.
    pub(crate) async fn form(&self, path: &str, parts: &[(&str, &[u8])]) -> Reply {
        let mut body = Vec::new();
        for (headers, content) in parts {
            body.extend_from_slice(b"--limit\r\nContent-Disposition: form-data; ");
            body.extend_from_slice(headers.as_bytes());
            body.extend_from_slice(b"\r\n\r\n");
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--limit--\r\n");
        let request = self.request("POST", path).header("content-type", "multipart/form-data; boundary=limit");
        self.send(request, body).await.expect("an answer")
    }

    /// Creates a ticket and returns it.
    pub(crate) async fn ticket(&self, body: Value) -> Value {
        let answer = self.post("/api/v2/tickets", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// Creates a ticket of Ana's with this subject; returns its id.
    pub(crate) async fn open(&self, subject: &str) -> u64 {
        let mut body = ana();
        body["subject"] = json!(subject);
        self.ticket(body).await["id"].as_u64().expect("an id")
    }
}

/// `Authorization` by user name and password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes()))
}

/// The least that a ticket of Ana needs.
pub(crate) fn ana() -> Value {
    json!({ "email": "ana@example.org", "subject": "Refund", "description": "late", "status": 2, "priority": 1 })
}

/// The refused fields with their codes, sorted. The response must be a pure validation error.
pub(crate) fn refused(answer: &Reply) -> Vec<(String, String)> {
    assert_eq!(answer.status, 400, "{answer:?}");
    let body = answer.json();
    assert_eq!(crate::support::fields(&body), ["description", "errors"]);
    assert_eq!(body["description"], "Validation failed");
    let errors = body["errors"].as_array().expect("errors");
    let text = |error: &Value, name: &str| error[name].as_str().expect("a string").to_owned();
    let mut refused: Vec<_> = errors.iter().map(|error| (text(error, "field"), text(error, "code"))).collect();
    refused.sort();
    refused
}

/// The message about the first refused field.
pub(crate) fn message(answer: &Reply) -> String {
    answer.json()["errors"][0]["message"].as_str().expect("a message").to_owned()
}

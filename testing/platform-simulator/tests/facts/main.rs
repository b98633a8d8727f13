//! The platforms' guarantees, from their callers' view.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::AppendHeaders;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use platform_simulator::{Delight, UserSpec};
use serde_json::{Value, json};

mod api;
mod generic;
mod webhooks;

pub(crate) async fn call(it: &Delight, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let token = it.config().api_token.clone();
    call_as(it, &token, method, path, body).await
}

pub(crate) async fn call_as(it: &Delight, token: &str, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(format!("{}{path}", it.origin()));
    let request = request.header("api-token", token).header("content-type", "application/json; charset=utf8");
    let (status, _, bytes) = exchange(request.body(Full::new(Bytes::from(body))).unwrap()).await?;
    Some((status, serde_json::from_slice(&bytes).unwrap_or_default()))
}

/// Status, media type and body; none when the connection is lost.
pub(crate) async fn exchange(request: Request<Full<Bytes>>) -> Option<(u16, String, Vec<u8>)> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.ok()?;
    let status = response.status().as_u16();
    let media_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let bytes = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, media_type.unwrap_or_default(), bytes.to_vec()))
}

pub(crate) fn messages_of(channel: &str) -> String {
    format!("/v3/group_channels/{channel}/messages")
}

pub(crate) fn line(text: &str) -> Value {
    json!({ "message_type": "ADMM", "message": text })
}

/// Everything that should have arrived by now.
pub(crate) async fn within<T>(what: &str, it: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(20), it).await.unwrap_or_else(|_| panic!("{what}"))
}

pub(crate) fn ana() -> UserSpec {
    UserSpec { id: "ana".into(), nickname: "Ana".into(), photo: String::new() }
}

pub(crate) type Heard = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver that returns these statuses first, and adds this `Retry-After` to a 503.
pub(crate) async fn busy_listener(statuses: &[u16], retry_after: Option<&'static str>) -> (String, Heard) {
    let heard = Heard::default();
    let answers = Arc::new(Mutex::new(statuses.to_vec()));
    let hear = move |State((heard, answers)): State<(Heard, Arc<Mutex<Vec<u16>>>)>, headers: HeaderMap, body: Bytes| async move {
        heard.lock().unwrap().push((headers, body));
        let mut answers = answers.lock().unwrap();
        let status = if answers.is_empty() { 204 } else { answers.remove(0) };
        let wait = retry_after.filter(|_| status == 503).map(|wait| AppendHeaders([("retry-after", wait)]));
        (StatusCode::from_u16(status).unwrap(), wait, json!({ "status": status }).to_string())
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", socket.local_addr().unwrap());
    let router = Router::new().fallback(hear).with_state((heard.clone(), answers));
    tokio::spawn(async move { axum::serve(socket, router).await });
    (url, heard)
}

pub(crate) async fn listener(statuses: &[u16]) -> (String, Heard) {
    busy_listener(statuses, None).await
}

pub(crate) fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The words of the Chat webhooks, in the order of their arrival.
pub(crate) fn words(heard: &Heard) -> Vec<String> {
    let heard = heard.lock().unwrap();
    heard.iter().map(|(_, body)| json_of(body)["payload"]["message"].as_str().unwrap().to_owned()).collect()
}

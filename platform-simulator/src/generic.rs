//! Any other platform: a callback that verifies what comes, and a caller that repeats as a good platform does. Signatures are those of
//! the scheme's published implementation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::sync::watch;

use crate::client::Client;
use crate::faults::How;
use crate::lock;
use crate::server::{Cut, Server};

#[derive(Default)]
struct Heard {
    /// By the platform's conversation.
    events: BTreeMap<String, Vec<Value>>,
    ids: BTreeSet<String>,
    repeated: usize,
    refused: usize,
    failed: Vec<Value>,
}

struct Inner {
    webhook: Webhook,
    heard: Mutex<Heard>,
    faults: Mutex<VecDeque<How>>,
    changed: watch::Sender<u64>,
}

/// A platform that takes events at a callback.
pub struct Generic {
    inner: Arc<Inner>,
    server: Server,
}

impl std::fmt::Debug for Generic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generic").field("origin", &self.server.origin).finish_non_exhaustive()
    }
}

impl Generic {
    /// Starts one that shares this secret (`whsec_...`) with whoever sends events.
    ///
    /// # Errors
    ///
    /// When the secret is none, or there is no free port.
    pub async fn start(secret: &str) -> anyhow::Result<Self> {
        let inner = Arc::new(Inner {
            webhook: Webhook::new(secret)?,
            heard: Mutex::default(),
            faults: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let server = Server::start(Router::new().fallback(hear).with_state(inner.clone())).await?;
        Ok(Self { inner, server })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.server.origin
    }

    /// Where events go.
    pub fn callback_url(&self) -> String {
        format!("{}/events", self.server.origin)
    }

    /// Makes the next callbacks go wrong, one after the other, before they take effect.
    pub fn fail(&self, faults: &[How]) {
        lock(&self.inner.faults).extend(faults.iter().cloned());
    }

    /// Events of a conversation in the order of their arrival, repeats left out.
    pub fn events(&self, conversation: &str) -> Vec<Value> {
        lock(&self.inner.heard).events.get(conversation).cloned().unwrap_or_default()
    }

    /// Handoffs that will not come about.
    pub fn failed(&self) -> Vec<Value> {
        lock(&self.inner.heard).failed.clone()
    }

    /// Events that came more than once, and callbacks whose signature was wrong.
    pub fn counts(&self) -> (usize, usize) {
        let heard = lock(&self.inner.heard);
        (heard.repeated, heard.refused)
    }

    /// Waits until the events of a conversation are like this.
    pub async fn wait_for(&self, conversation: &str, is_it: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut changes = self.inner.changed.subscribe();
        loop {
            let events = self.events(conversation);
            if is_it(&events) || changes.changed().await.is_err() {
                return events;
            }
        }
    }
}

async fn hear(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let fault = lock(&inner.faults).pop_front();
    match fault {
        Some(How::Status(status)) => return empty(status),
        Some(How::Cut) => {
            let mut response = empty(500);
            response.extensions_mut().insert(Cut);
            return response;
        }
        Some(How::Delay(time)) => tokio::time::sleep(time).await,
        None => {}
    }
    let body = to_bytes(body, 32 << 20).await.unwrap_or_default();
    if inner.webhook.verify(&body, &head.headers).is_err() {
        lock(&inner.heard).refused += 1;
        return empty(401);
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return empty(400) };
    let data = &event["data"];
    let Some(conversation) = data["key"]["conversation"].as_str() else { return empty(400) };
    {
        let mut heard = lock(&inner.heard);
        if event["type"] == "handoff.failed" {
            heard.failed.push(data.clone());
        }
        for event in data["events"].as_array().into_iter().flatten() {
            let Some(id) = event["id"].as_str() else { return empty(400) };
            let id = format!("{}/{id}", data["key"]);
            if heard.ids.insert(id) {
                heard.events.entry(conversation.to_owned()).or_default().push(event.clone());
            } else {
                heard.repeated += 1;
            }
        }
    }
    inner.changed.send_modify(|count| *count += 1);
    empty(204)
}

fn empty(status: u16) -> Response {
    Response::builder().status(status).body(Body::empty()).unwrap_or_default()
}

/// Calls a bridge as a good platform does: repeats until it is done.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
    /// How long to go on repeating.
    pub patience: Duration,
    /// How long to wait before a repeat, at most: whatever the bridge asks for.
    pub longest_wait: Duration,
}

impl Default for Caller {
    fn default() -> Self {
        Self { client: Client::new(), patience: Duration::from_secs(120), longest_wait: Duration::from_millis(200) }
    }
}

impl Caller {
    /// Posts with a bearer token until the answer is neither lost nor 5xx, or patience is at its end. Status 0: no answer.
    pub async fn post(&self, url: &str, token: &str, body: &Value) -> (u16, Value) {
        let bytes = body.to_string().into_bytes();
        self.repeat(url, &bytes, || Some(vec![("authorization", format!("Bearer {token}"))])).await
    }

    /// Sends a signed webhook, in the same way. The same `id` names the same event.
    pub async fn webhook(&self, url: &str, secret: &str, id: &str, kind: &str, data: &Value) -> (u16, Value) {
        let bytes = json!({ "type": kind, "timestamp": "2026-11-23T10:00:00Z", "data": data }).to_string().into_bytes();
        let sign = || {
            let seconds = i64::try_from(crate::now_ms() / 1000).ok()?;
            let signature = Webhook::new(secret).ok()?.sign(id, seconds, &bytes).ok()?;
            let headers = [
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", seconds.to_string()),
                ("webhook-signature", signature),
            ];
            Some(headers.to_vec())
        };
        self.repeat(url, &bytes, sign).await
    }

    async fn repeat(
        &self,
        url: &str,
        body: &[u8],
        headers: impl Fn() -> Option<Vec<(&'static str, String)>>,
    ) -> (u16, Value) {
        let started = Instant::now();
        loop {
            let headers = headers().unwrap_or_default();
            let answer = self.client.post(url, &headers, body, Duration::from_secs(40)).await;
            let wait = match answer {
                Some(answer) if answer.status < 500 => {
                    return (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default());
                }
                Some(answer) if started.elapsed() > self.patience => return (answer.status, Value::Null),
                None if started.elapsed() > self.patience => return (0, Value::Null),
                Some(answer) => answer.retry_after,
                None => None,
            };
            tokio::time::sleep(wait.unwrap_or(self.longest_wait).min(self.longest_wait)).await;
        }
    }
}

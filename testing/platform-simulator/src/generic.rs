//! Any other platform: a callback that verifies signatures, and a caller that retries as a good platform does. Signatures use the
//! scheme's published implementation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::sync::watch;

use crate::client::Client;
use crate::faults::{Effect, How, require_all_hit};
use crate::lock;
use crate::server::{Cut, Server};

#[derive(Default)]
struct Heard {
    /// By the platform's conversation.
    events: BTreeMap<String, Vec<Value>>,
    /// Application, channel, conversation and event of all that was heard.
    ids: BTreeSet<[String; 4]>,
    repeated: usize,
    refused: usize,
    failed: Vec<Value>,
}

struct Inner {
    webhook: Webhook,
    heard: Mutex<Heard>,
    faults: Mutex<VecDeque<(How, Effect)>>,
    faults_met: AtomicBool,
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
    /// Starts one that shares this secret (`whsec_...`) with the sender of events.
    ///
    /// # Errors
    ///
    /// When the secret is invalid, or there is no free port.
    pub async fn start(secret: &str) -> anyhow::Result<Self> {
        let inner = Arc::new(Inner {
            webhook: Webhook::new(secret)?,
            heard: Mutex::default(),
            faults: Mutex::default(),
            faults_met: AtomicBool::default(),
            changed: watch::Sender::new(0),
        });
        let server = Server::start(Router::new().fallback(hear).with_state(inner.clone())).await?;
        Ok(Self { inner, server })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.server.origin
    }

    /// The callback's address.
    pub fn callback_url(&self) -> String {
        format!("{}/events", self.server.origin)
    }

    /// Makes the next callbacks go wrong, one after the other, before they take effect.
    pub fn fail(&self, faults: &[How]) {
        lock(&self.inner.faults).extend(faults.iter().map(|how| (how.clone(), Effect::Before)));
    }

    /// The same; each says whether its callback takes effect.
    pub fn fail_at(&self, faults: &[(How, Effect)]) {
        lock(&self.inner.faults).extend(faults.iter().cloned());
    }

    /// Events of a conversation in the order of their arrival, repeats left out.
    pub fn events(&self, conversation: &str) -> Vec<Value> {
        lock(&self.inner.heard).events.get(conversation).cloned().unwrap_or_default()
    }

    /// Failed handoffs, without repeats.
    pub fn failed(&self) -> Vec<Value> {
        lock(&self.inner.heard).failed.clone()
    }

    /// Repeated events, and callbacks with a wrong signature. An event is identified by its id within its conversation; a failed
    /// handoff has no such id, and is identified by its webhook's.
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

impl Drop for Generic {
    fn drop(&mut self) {
        // A list stands for "all callbacks from now on": one that was met is enough.
        let was_met = self.inner.faults_met.load(Ordering::Relaxed);
        let missed: Vec<_> = lock(&self.inner.faults).iter().filter(|_| !was_met).cloned().collect();
        require_all_hit(&missed);
    }
}

async fn hear(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let fault = lock(&inner.faults).pop_front();
    inner.faults_met.fetch_or(fault.is_some(), Ordering::Relaxed);
    if let Some((how, Effect::Before)) = &fault
        && let Some(response) = wrong(how).await
    {
        return response;
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 32 << 20).await.unwrap_or_default();
    let status = take(&inner, &head.headers, &body);
    match fault {
        Some((how, Effect::After)) => wrong(&how).await.unwrap_or_else(|| empty(status)),
        _ => empty(status),
    }
}

/// The response of a failing callback; none if it is only late.
async fn wrong(how: &How) -> Option<Response> {
    match how {
        How::Status(status) => Some(empty(*status)),
        How::Cut => {
            let mut response = empty(500);
            response.extensions_mut().insert(Cut);
            Some(response)
        }
        How::Delay(time) => {
            tokio::time::sleep(*time).await;
            None
        }
    }
}

/// Records a callback, completely or not at all. Returns the status.
fn take(inner: &Inner, headers: &HeaderMap, body: &[u8]) -> u16 {
    if inner.webhook.verify(body, headers).is_err() {
        lock(&inner.heard).refused += 1;
        return 401;
    }
    let Ok(told) = serde_json::from_slice::<Value>(body) else { return 400 };
    let (data, key) = (&told["data"], &told["data"]["key"]);
    let Some(conversation) = key["conversation"].as_str() else { return 400 };
    let events = data["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !events.iter().all(|event| event["id"].is_string() && event["kind"].is_string()) {
        return 400;
    }
    let id_of = |event: &str| {
        let part = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
        [part("application"), part("channel"), conversation.to_owned(), event.to_owned()]
    };
    {
        let heard = &mut *lock(&inner.heard);
        if told["type"] == "handoff.failed" {
            let webhook = headers.get("webhook-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
            if heard.ids.insert(id_of(webhook)) {
                heard.failed.push(data.clone());
            } else {
                heard.repeated += 1;
            }
        }
        for event in events {
            if heard.ids.insert(id_of(event["id"].as_str().unwrap_or_default())) {
                heard.events.entry(conversation.to_owned()).or_default().push(event.clone());
            } else {
                heard.repeated += 1;
            }
        }
    }
    inner.changed.send_modify(|count| *count += 1);
    204
}

fn empty(status: u16) -> Response {
    Response::builder().status(status).body(Body::empty()).unwrap_or_default()
}

/// Calls a bridge as a good platform does: retries calls without a response, with 500 (the host has ended the request) or
/// 503, and accepts any other response.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
    /// How long to retry, from the first try.
    pub patience: Duration,
    /// How long to wait before a retry: as `Retry-After` says, but no longer than this; this long without it.
    pub longest_wait: Duration,
}

impl Default for Caller {
    fn default() -> Self {
        Self { client: Client::new(), patience: Duration::from_secs(120), longest_wait: Duration::from_millis(200) }
    }
}

impl Caller {
    /// Posts with a bearer token until there is a response other than 500 and 503, or patience runs out. Returns status and JSON of the last
    /// try; status 0: no response.
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
            let is_over = started.elapsed() > self.patience;
            let wait = match answer {
                Some(answer) if ![500, 503].contains(&answer.status) || is_over => {
                    return (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default());
                }
                None if is_over => return (0, Value::Null),
                Some(answer) => answer.retry_after,
                None => None,
            };
            tokio::time::sleep(wait.unwrap_or(self.longest_wait).min(self.longest_wait)).await;
        }
    }
}

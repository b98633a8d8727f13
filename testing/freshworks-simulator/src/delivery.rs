//! Webhooks on their way: signed, sent in order, tried again.
//!
//! One task sends everything, so that the order of deliveries is the order of events unless a fault changes it. A
//! delivery that fails is tried again before the next one goes out.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::config::Behaviour;
use crate::faults::WebhookFault;
use crate::feed::Feed;
use crate::ids::now_ms;
use crate::signing::SigningKey;
use crate::store::MessageType;
use crate::webhooks::{Action, Data, Payload};
use crate::{Inner, lock};

/// One try to deliver a webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What it reports.
    pub action: Action,
    /// The headers, as they were sent.
    pub headers: Vec<(String, String)>,
    /// The body: the bytes that were signed.
    pub body: Vec<u8>,
    /// 0 for the first try.
    pub retry_count: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// The fault that hit it.
    pub fault: Option<WebhookFault>,
    /// When it was made: milliseconds since 1970.
    pub at_ms: i64,
}

impl Delivery {
    /// The receiver's status, if it responded.
    pub fn status_of_receiver(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Answered(status) => Some(status),
            Outcome::Recorded | Outcome::Dropped | Outcome::TimedOut | Outcome::Failed => None,
        }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The value of a header; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The outcome of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was no webhook URL.
    Recorded,
    /// A fault swallowed it.
    Dropped,
    /// The receiver returned this status.
    Answered(u16),
    /// The receiver took too long.
    TimedOut,
    /// The receiver could not be reached, or is not an http:// URL.
    Failed,
}

impl Outcome {
    fn is_final(self) -> bool {
        match self {
            Self::Recorded | Self::Dropped => true,
            Self::Answered(status) => (200..300).contains(&status),
            Self::TimedOut | Self::Failed => false,
        }
    }
}

/// Resolves with the first tries of an event's delivery: none while it is held back, two when it is sent twice.
pub(crate) type Receipt = oneshot::Receiver<Vec<Delivery>>;

pub(crate) struct Queued {
    payload: Payload,
    tried: oneshot::Sender<Vec<Delivery>>,
}

/// The way out.
pub(crate) struct Outbox {
    queue: mpsc::UnboundedSender<Queued>,
    pub(crate) sent: Feed<Delivery>,
    pub(crate) url: Mutex<Option<String>>,
    under_way: AtomicUsize,
    idle: Notify,
}

impl Outbox {
    pub(crate) fn new(url: Option<String>) -> (Self, mpsc::UnboundedReceiver<Queued>) {
        let (queue, queued) = mpsc::unbounded_channel();
        let outbox = Self {
            queue,
            sent: Feed::new(),
            url: Mutex::new(url),
            under_way: AtomicUsize::new(0),
            idle: Notify::new(),
        };
        (outbox, queued)
    }

    /// Puts an event at the end of the queue. Called while the store is locked, so the queue has the order of events.
    pub(crate) fn enqueue(&self, payload: Payload) -> Receipt {
        let (tried, receipt) = oneshot::channel();
        self.under_way.fetch_add(1, Ordering::SeqCst);
        if self.queue.send(Queued { payload, tried }).is_err() {
            self.finish();
        }
        receipt
    }

    fn finish(&self) {
        if self.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.idle.notify_waiters();
        }
    }

    /// Waits until nothing is queued and no further try is due.
    pub(crate) async fn settled(&self) {
        loop {
            let idle = self.idle.notified();
            if self.under_way.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

/// Sends queued webhooks while the simulator lives.
pub(crate) async fn run(inner: std::sync::Arc<Inner>, mut queued: mpsc::UnboundedReceiver<Queued>) {
    let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let courier = Courier { inner: &inner, client };
    let mut held = VecDeque::new();
    while let Some(Queued { payload, tried }) = queued.recv().await {
        let fault = inner.faults.take_webhook(payload.action);
        if fault == Some(WebhookFault::Reorder) {
            held.push_back(payload);
            // Do not wait for an event that has not happened yet.
            let _ = tried.send(Vec::new());
            inner.outbox.finish();
            continue;
        }
        courier.deliver(payload, fault, Some(tried)).await;
        for payload in held.drain(..) {
            courier.deliver(payload, Some(WebhookFault::Reorder), None).await;
        }
        inner.outbox.finish();
    }
}

struct Courier<'a> {
    inner: &'a Inner,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Courier<'_> {
    async fn deliver(
        &self,
        mut payload: Payload,
        fault: Option<WebhookFault>,
        tried: Option<oneshot::Sender<Vec<Delivery>>>,
    ) {
        let behaviour = self.inner.behaviour();
        if let Some(WebhookFault::Delay(wait)) = fault {
            tokio::time::sleep(wait).await;
        }
        spoil_payload(&mut payload, fault.as_ref());
        let mut body = serde_json::to_vec(&payload).unwrap_or_default();
        if behaviour.loose_json {
            body = loosened(&body);
        }
        if fault == Some(WebhookFault::TornBody) {
            body.truncate(body.len() / 2);
        }
        let signature = signature(&self.inner.key, &body, fault.as_ref());
        let draft = Delivery {
            action: payload.action,
            headers: Vec::new(),
            body,
            retry_count: 0,
            outcome: Outcome::Dropped,
            fault: fault.clone(),
            at_ms: 0,
        };
        let mut firsts = Vec::new();
        let copies = if fault == Some(WebhookFault::Duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            firsts.push(self.attempt(&draft, signature.as_deref(), 0, &behaviour).await);
        }
        let done = firsts.last().is_none_or(|delivery| delivery.outcome.is_final());
        if let Some(tried) = tried {
            let _ = tried.send(firsts);
        }
        if done {
            return;
        }
        for (retry, wait) in (1..).zip(&behaviour.webhook_retries) {
            tokio::time::sleep(*wait).await;
            if self.attempt(&draft, signature.as_deref(), retry, &behaviour).await.outcome.is_final() {
                return;
            }
        }
    }

    /// One try, recorded.
    async fn attempt(&self, draft: &Delivery, signature: Option<&str>, retry: u32, behaviour: &Behaviour) -> Delivery {
        let mut delivery = draft.clone();
        delivery.retry_count = retry;
        delivery.at_ms = now_ms();
        delivery.headers.push(("Content-Type".into(), "application/json".into()));
        if let Some(signature) = signature {
            delivery.headers.push(("X-Freshchat-Signature".into(), signature.into()));
        }
        delivery.headers.push(("X-Freshchat-Payload-Version".into(), behaviour.payload_version.clone()));
        delivery.headers.push(("X-Retry-Count".into(), retry.to_string()));
        if delivery.fault != Some(WebhookFault::Drop) {
            let url = lock(&self.inner.outbox.url).clone();
            delivery.outcome = match url {
                None => Outcome::Recorded,
                Some(url) => self.send(&url, &delivery, behaviour.webhook_timeout).await,
            };
        }
        self.inner.outbox.sent.push(delivery.clone());
        delivery
    }

    async fn send(&self, url: &str, delivery: &Delivery, timeout: Duration) -> Outcome {
        let mut request = Request::builder().method(Method::POST).uri(url).header(header::USER_AGENT, "Freshchat");
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(Full::new(Bytes::from(delivery.body.clone()))) else { return Outcome::Failed };
        match tokio::time::timeout(timeout, self.client.request(request)).await {
            Ok(Ok(response)) => Outcome::Answered(response.status().as_u16()),
            Ok(Err(_)) => Outcome::Failed,
            Err(_) => Outcome::TimedOut,
        }
    }
}

fn spoil_payload(payload: &mut Payload, fault: Option<&WebhookFault>) {
    let Data::Message(message) = &mut payload.data else { return };
    match fault {
        Some(WebhookFault::LoseMessageType) => message.message_type = None,
        Some(WebhookFault::PrivateAsText) if message.message_type == Some(MessageType::Private) => {
            message.message_type = Some(MessageType::Normal);
            message.bots_private_note = Some("true".into());
        }
        Some(WebhookFault::LoseAttachmentUrl) => {
            for part in message.message_parts.iter_mut().flatten() {
                let values = part.as_object_mut().into_iter().flat_map(|part| part.values_mut());
                for value in values.filter_map(Value::as_object_mut) {
                    value.remove("url");
                }
            }
        }
        _ => {}
    }
}

/// JSON as a program writes it that cuts texts anywhere and knows larger numbers.
pub(crate) fn loosened(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body).replace('\u{fffd}', "\\ud83d");
    match text.strip_prefix('{') {
        Some(rest) if !rest.starts_with('}') => format!("{{\"score\":1e999,{rest}").into_bytes(),
        _ => text.into_bytes(),
    }
}

fn signature(key: &SigningKey, body: &[u8], fault: Option<&WebhookFault>) -> Option<String> {
    match fault {
        Some(WebhookFault::StripSignature) => None,
        Some(WebhookFault::CorruptSignature) => {
            // The first character encodes six full bits, so any other character is valid base64 of different bytes.
            let signature = key.sign(body);
            let other = if signature.starts_with('A') { "B" } else { "A" };
            Some(format!("{other}{}", &signature[1..]))
        }
        Some(WebhookFault::WrongKey) => {
            Some(SigningKey::generate().map_or_else(|_| key.sign(b""), |own| own.sign(body)))
        }
        _ => Some(key.sign(body)),
    }
}

//! Webhooks on their way: signed, one after another for each channel, tried again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::faults::WebhookFault;
use crate::lock;

/// How long the receiver may take (vendor documentation).
const WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Webhook {
    /// Keyed with the master API token.
    Chat,
    /// Keyed with a secret of its own.
    AiAgent,
}

/// A webhook to be sent.
pub(crate) struct Outgoing {
    pub(crate) kind: Webhook,
    pub(crate) channel: String,
    pub(crate) category: String,
    pub(crate) body: Value,
}

struct Job {
    url: String,
    key: String,
    body: Vec<u8>,
}

struct Shared {
    tries: u32,
    wait: Duration,
    client: Client,
    faults: Mutex<VecDeque<WebhookFault>>,
    given_up: AtomicUsize,
    under_way: watch::Sender<usize>,
}

/// One queue for each channel and kind of webhook.
pub(crate) struct Deliveries {
    shared: Arc<Shared>,
    queues: Mutex<BTreeMap<(Webhook, String), mpsc::UnboundedSender<Job>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Deliveries {
    pub(crate) fn new(tries: u32, wait: Duration) -> Self {
        let shared = Shared {
            tries,
            wait,
            client: Client::new(),
            faults: Mutex::default(),
            given_up: AtomicUsize::new(0),
            under_way: watch::Sender::new(0),
        };
        Self { shared: Arc::new(shared), queues: Mutex::default(), tasks: Mutex::default() }
    }

    pub(crate) fn fail(&self, faults: &[WebhookFault]) {
        lock(&self.shared.faults).extend(faults);
    }

    pub(crate) fn given_up(&self) -> usize {
        self.shared.given_up.load(Ordering::SeqCst)
    }

    pub(crate) async fn settle(&self) {
        let _ = self.shared.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    pub(crate) fn send(&self, event: Outgoing, url: String, key: String) {
        self.shared.under_way.send_modify(|count| *count += 1);
        let job = Job { url, key, body: event.body.to_string().into_bytes() };
        let mut queues = lock(&self.queues);
        let queue = queues.entry((event.kind, event.channel)).or_insert_with(|| {
            let (queue, jobs) = mpsc::unbounded_channel();
            lock(&self.tasks).spawn(run(self.shared.clone(), jobs));
            queue
        });
        // The task lives as long as its queue.
        let _ = queue.send(job);
    }
}

async fn run(shared: Arc<Shared>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        let fault = lock(&shared.faults).pop_front();
        match fault {
            Some(WebhookFault::Dropped) => {}
            Some(WebhookFault::Doubled) => {
                deliver(&shared, &job, None).await;
                deliver(&shared, &job, None).await;
            }
            fault => deliver(&shared, &job, fault).await,
        }
        shared.under_way.send_modify(|count| *count -= 1);
    }
}

async fn deliver(shared: &Shared, job: &Job, fault: Option<WebhookFault>) {
    let key = if fault == Some(WebhookFault::WrongSignature) { "another key" } else { job.key.as_str() };
    let signature = sign(key, &job.body);
    let mut body = job.body.clone();
    if fault == Some(WebhookFault::Altered) {
        body.push(b' ');
    }
    let headers = [("x-sendbird-signature", signature), ("user-agent", "SendBird".to_owned())];
    for turn in 0..shared.tries {
        if turn > 0 {
            tokio::time::sleep(shared.wait).await;
        }
        let answer = shared.client.post(&job.url, &headers, &body, WITHIN).await;
        if answer.is_some_and(|answer| (200..300).contains(&answer.status)) {
            return;
        }
    }
    shared.given_up.fetch_add(1, Ordering::SeqCst);
}

fn sign(key: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hmac::sign(&key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

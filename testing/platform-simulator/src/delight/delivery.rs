//! Webhooks on their way: signed, one after another for each channel, tried again.

use std::collections::BTreeMap;
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

/// Which of the two kinds of webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Webhook {
    /// Of the application's channels: signed with the master API token.
    Chat,
    /// The AI agent's: signed with a separate secret.
    AiAgent,
}

/// The state of a webhook. A duplicated one counts as two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its body.
    pub category: String,
    /// The channel's URL.
    pub channel: String,
    /// How often it was sent.
    pub tries: u32,
    /// The status of each try; 0: none in time.
    pub statuses: Vec<u16>,
    /// No try was acknowledged, and there will be no other.
    pub given_up: bool,
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
    fault: Option<WebhookFault>,
    /// Its place among the deliveries.
    place: usize,
}

/// A fault that waits for the next webhook of its kind and channel.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    kind: Option<Webhook>,
    channel: Option<String>,
    fault: WebhookFault,
}

struct Shared {
    tries: u32,
    wait: Duration,
    client: Client,
    deliveries: Mutex<Vec<Delivery>>,
    under_way: watch::Sender<usize>,
}

/// JSON; with `is_loose`, U+FFFD becomes the JavaScript escape of half an emoji.
pub(crate) fn written(is_loose: bool, value: &Value) -> Vec<u8> {
    let text = value.to_string();
    if is_loose { text.replace('\u{fffd}', "\\ud83d") } else { text }.into_bytes()
}

/// One queue for each channel and kind of webhook.
pub(crate) struct Deliveries {
    shared: Arc<Shared>,
    loose_json: bool,
    scripts: Mutex<Vec<Script>>,
    queues: Mutex<BTreeMap<(Webhook, String), mpsc::UnboundedSender<Job>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Deliveries {
    pub(crate) fn new(tries: u32, wait: Duration, loose_json: bool) -> Self {
        let (client, under_way) = (Client::new(), watch::Sender::new(0));
        let shared = Arc::new(Shared { tries, wait, client, deliveries: Mutex::default(), under_way });
        Self { shared, loose_json, scripts: Mutex::default(), queues: Mutex::default(), tasks: Mutex::default() }
    }

    pub(crate) fn fail(&self, kind: Option<Webhook>, channel: Option<&str>, faults: &[WebhookFault]) {
        let script = |fault: &WebhookFault| Script { kind, channel: channel.map(str::to_owned), fault: *fault };
        lock(&self.scripts).extend(faults.iter().map(script));
    }

    /// The faults that no webhook has met.
    pub(crate) fn missed(&self) -> Vec<Script> {
        lock(&self.scripts).clone()
    }

    pub(crate) fn all(&self) -> Vec<Delivery> {
        lock(&self.shared.deliveries).clone()
    }

    pub(crate) fn given_up(&self) -> usize {
        lock(&self.shared.deliveries).iter().filter(|delivery| delivery.given_up).count()
    }

    pub(crate) async fn settle(&self) {
        let _ = self.shared.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Queues a webhook. Its fault is chosen here, while webhooks are ordered: they overtake each other in flight.
    pub(crate) fn send(&self, event: Outgoing, url: &str, key: &str) {
        let fault = self.fault_of(&event);
        let times = if fault == Some(WebhookFault::Doubled) { 2 } else { 1 };
        for _ in 0..times {
            let place = self.record(&event, fault == Some(WebhookFault::Dropped));
            if fault != Some(WebhookFault::Dropped) {
                let body = written(self.loose_json, &event.body);
                let job = Job { url: url.to_owned(), key: key.to_owned(), body, fault, place };
                self.queue(event.kind, &event.channel, job);
            }
        }
    }

    fn fault_of(&self, event: &Outgoing) -> Option<WebhookFault> {
        let mut scripts = lock(&self.scripts);
        let fits = |script: &Script| {
            script.kind.is_none_or(|kind| kind == event.kind)
                && script.channel.as_ref().is_none_or(|channel| *channel == event.channel)
        };
        let first = scripts.iter().position(fits)?;
        Some(scripts.remove(first).fault)
    }

    fn record(&self, event: &Outgoing, given_up: bool) -> usize {
        let (category, channel) = (event.category.clone(), event.channel.clone());
        let mut deliveries = lock(&self.shared.deliveries);
        deliveries.push(Delivery { category, channel, tries: 0, statuses: Vec::new(), given_up });
        deliveries.len() - 1
    }

    fn queue(&self, kind: Webhook, channel: &str, job: Job) {
        self.shared.under_way.send_modify(|count| *count += 1);
        let mut queues = lock(&self.queues);
        let queue = queues.entry((kind, channel.to_owned())).or_insert_with(|| {
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
        deliver(&shared, &job).await;
        shared.under_way.send_modify(|count| *count -= 1);
    }
}

async fn deliver(shared: &Shared, job: &Job) {
    let key = if job.fault == Some(WebhookFault::WrongSignature) { "another key" } else { job.key.as_str() };
    let signature = sign(key, &job.body);
    let mut body = job.body.clone();
    if job.fault == Some(WebhookFault::Altered) {
        body.push(b' ');
    }
    if let Some(WebhookFault::Delayed(time)) = job.fault {
        tokio::time::sleep(time).await;
    }
    let note = |change: &dyn Fn(&mut Delivery)| change(&mut lock(&shared.deliveries)[job.place]);
    let headers = [("x-sendbird-signature", signature), ("user-agent", "SendBird".to_owned())];
    for turn in 0..shared.tries {
        if turn > 0 {
            tokio::time::sleep(shared.wait).await;
        }
        note(&|delivery| delivery.tries += 1);
        let answer = shared.client.post(&job.url, &headers, &body, WITHIN).await;
        let status = answer.map_or(0, |answer| answer.status);
        note(&|delivery| delivery.statuses.push(status));
        if (200..300).contains(&status) {
            return;
        }
    }
    note(&|delivery| delivery.given_up = true);
}

/// Lower-case hex, which the vendor's documentation does not say of the AI agent's webhook; its sample of the other one has it.
fn sign(key: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hmac::sign(&key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

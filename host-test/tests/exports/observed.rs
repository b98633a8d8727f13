//! What the host's own tracing and metrics see of calls, and that replacing the plugin disturbs none.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use handoff_host::{
    Allocation, Before, Engine, EngineSettings, Interceptor, Observed, Observer, Outgoing, Plugin, Traceparent,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{API_KEY, Desk, NOW, SPOKEN, request};

/// Writes down every span with its fields.
#[derive(Clone, Default)]
struct Spans {
    next: Arc<AtomicU64>,
    written: Arc<Mutex<String>>,
}

impl Visit for Spans {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let word = format!(" {}={value:?}", field.name());
        self.written.lock().unwrap().push_str(&word);
    }
}

impl Subscriber for Spans {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        about.target().starts_with("handoff_host")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.written.lock().unwrap().push_str(&format!("\n{}", span.metadata().name()));
        span.record(&mut self.clone());
        Id::from_u64(self.next.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Metrics(Mutex<Vec<(String, String, String, usize)>>);

impl Observer for Metrics {
    fn called(&self, call: Observed<'_>) {
        let words = [call.function, call.tenant, call.outcome].map(str::to_owned);
        let [function, tenant, outcome] = words;
        self.0.lock().unwrap().push((function, tenant, outcome, call.report.http.len()));
    }
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn spans_and_metrics_tell_of_calls_and_hold_no_text_of_people() {
    let (spans, metrics) = (Spans::default(), Arc::new(Metrics::default()));
    let _guard = tracing::subscriber::set_default(spans.clone());
    let mut desk = Desk::connected().await;
    desk.sandbox = desk.sandbox.tenant("acme").observer(metrics.clone());
    spans.written.lock().unwrap().clear();
    desk.handoff(&request(), None).await.result.unwrap();
    desk.tick("none", NOW).await.result.unwrap_err();
    let told = metrics.0.lock().unwrap().clone();
    let words = |function: &str, outcome: &str, requests| (function.into(), "acme".into(), outcome.into(), requests);
    assert_eq!(told, [words("handoff", "ok", 4), words("tick", "invalid-request", 0)]);

    let written = spans.written.lock().unwrap().clone();
    let call = written.lines().find(|line| line.contains("connector call")).unwrap();
    assert!(call.contains("function=\"handoff\" tenant=\"acme\""), "{written}");
    assert_eq!(written.matches("\nconnector request").count(), 4, "{written}");
    assert_eq!(written.matches(" host=\"127.0.0.1\"").count(), 4, "{written}");
    assert_eq!(written.matches(" status=2").count(), 4, "{written}");
    assert!(written.contains("outcome=\"ok\"") && written.contains("requests=4") && written.contains("wall_ms="));
    assert!(written.contains("outcome=\"invalid-request\""), "{written}");
    let lower = written.to_lowercase();
    assert!(!lower.contains(SPOKEN) && !written.contains(API_KEY) && !written.contains("/v2"), "{written}");
}

#[tokio::test]
async fn requests_carry_the_ids_of_a_trace_only_when_the_host_asks_for_it() {
    let mut desk = Desk::connected().await;
    desk.handoff(&request(), None).await.result.unwrap();
    let parents = |desk: &Desk| -> Vec<String> {
        let journal = desk.sim.journal();
        let headers = journal.iter().flat_map(|exchange| exchange.headers.clone());
        headers.filter(|(name, _)| name == "traceparent").map(|(_, value)| value).collect()
    };
    assert_eq!(parents(&desk), Vec::<String>::new());
    desk.sandbox = desk.sandbox.traceparent(Traceparent::new(PARENT).unwrap());
    desk.connect().await.result.unwrap();
    let (parents, requests) = (parents(&desk), desk.sim.journal().len() - 4);
    assert_eq!(parents, vec![PARENT.to_owned(); requests]);
}

fn plugin_file() -> PathBuf {
    let named = std::env::var_os("FRESHWORKS_PLUGIN").map(PathBuf::from);
    named.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into())
}

/// Holds the first request until it may go on.
struct Gate {
    reached: Sender<()>,
    open: Mutex<Receiver<()>>,
}

impl Interceptor for Gate {
    fn before(&self, request: Outgoing<'_>) -> Before {
        if request.index == 0 {
            self.reached.send(()).unwrap();
            self.open.lock().unwrap().recv().unwrap();
        }
        Before::Send
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_flight_finishes_on_the_plugin_that_it_began_with() {
    let engine = Engine::new(EngineSettings {
        concurrent_calls: 2,
        allocation: Allocation::OnDemand,
        ..EngineSettings::default()
    })
    .unwrap();
    let desk = Desk::connected().await;
    let mut current = Plugin::load(&engine, &plugin_file(), None).unwrap();
    let (reached, is_reached) = channel();
    let (open, opened) = channel();
    let held = desk.sandbox.clone().interceptor(Arc::new(Gate { reached, open: Mutex::new(opened) }));
    let (old, settings) = (current.clone(), desk.json());
    let in_flight = tokio::spawn(async move { old.handoff(&held, &settings, &request(), None, NOW).await.result });
    tokio::task::block_in_place(|| is_reached.recv()).unwrap();

    // The old one is let go of while it waits for an answer; the new one works beside it.
    let new = Plugin::load(&engine, &plugin_file(), None).unwrap();
    drop(std::mem::replace(&mut current, new));
    assert!(current.describe(&desk.sandbox, None).await.result.is_ok());
    open.send(()).unwrap();
    let receipt = in_flight.await.unwrap().unwrap();
    let update = current.tick(&desk.sandbox, &desk.json(), &receipt.session, NOW + 60_000).await.result.unwrap();
    assert_eq!(update.info.unwrap().conversation_ids, receipt.info.conversation_ids);
}

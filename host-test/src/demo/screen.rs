//! What the demonstration shows: lines as things happen, or one JSON document at the end.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::CallReport;
use crate::bindings::{Event, EventKind, Finding, FindingLevel, Step};
use crate::json::to_json;

/// Shows, and remembers for the end.
pub struct Screen {
    as_json: bool,
    colours: bool,
    started: Instant,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    sections: Vec<(String, Vec<Value>)>,
    costs: BTreeMap<&'static str, Vec<CallReport>>,
    claims: Vec<Value>,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";

impl Screen {
    /// Lines for people, in colours on a terminal that wants them; or JSON.
    pub fn new(as_json: bool) -> Self {
        let colours = !as_json && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { as_json, colours, started: Instant::now(), record: Mutex::default() }
    }

    fn record<T>(&self, change: impl FnOnce(&mut Record) -> T) -> T {
        change(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, fact: Value) {
        self.record(|record| {
            if let Some((_, facts)) = record.sections.last_mut() {
                facts.push(fact);
            }
        });
    }

    fn print(&self, text: &str) {
        if !self.as_json {
            write(text);
        }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn section(&self, title: &str) {
        self.record(|record| record.sections.push((title.to_owned(), Vec::new())));
        self.print(&format!("\n{}", self.paint(BOLD, title)));
    }

    pub(super) fn line(&self, text: &str) {
        self.note(json!({ "note": text }));
        self.print(&format!("   {text}"));
    }

    /// Something that happens on one side, with the time since the start.
    pub(super) fn side(&self, side: &str, text: &str) {
        self.note(json!({ "side": side, "text": text }));
        let at = format!("{:>7.3} s", self.started.elapsed().as_secs_f64());
        self.print(&format!("   {} {:<10} {}", self.paint(DIM, &at), side, plain(text)));
    }

    /// What a webhook came to.
    pub(super) fn event(&self, event: &Event) {
        self.note(json!({ "event": to_json(event) }));
        let kind = to_json(&event.kind);
        let kind = kind.as_str().unwrap_or_default();
        let agent = event.agent.as_ref().and_then(|agent| agent.name.as_deref());
        let outcome = event.outcome.as_ref().map(|outcome| to_json(outcome).as_str().unwrap_or_default().to_owned());
        let facts = [agent.map(str::to_owned), outcome, event.detail.clone()];
        let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let text = if facts.is_empty() { format!("event {kind}") } else { format!("event {kind} ({facts})") };
        let style = if event.kind == EventKind::Ignored { DIM } else { GREEN };
        let at = format!("{:>7.3} s", self.started.elapsed().as_secs_f64());
        self.print(&format!("   {} {:<10} {}", self.paint(DIM, &at), "plugin", self.paint(style, &text)));
    }

    /// A message as it stands in a window.
    pub(super) fn bubble(&self, who: &str, text: &str) {
        self.note(json!({ "who": who, "text": text }));
        self.print(&format!("   {}", self.paint(BOLD, &plain(who))));
        for line in text.lines() {
            self.print(&format!("   | {}", plain(line)));
        }
    }

    pub(super) fn findings(&self, findings: &[Finding]) {
        for finding in findings {
            self.note(json!({ "finding": to_json(finding) }));
            let (style, mark) = match finding.level {
                FindingLevel::Ok => (GREEN, "ok     "),
                FindingLevel::Warning => (BOLD, "warning"),
                FindingLevel::Failure => (RED, "FAILURE"),
            };
            self.print(&format!("   {} {:<12} {}", self.paint(style, mark), finding.check, finding.detail));
            if let Some(remedy) = &finding.remedy {
                self.print(&format!("           {:<12} -> {remedy}", ""));
            }
        }
    }

    pub(super) fn steps(&self, steps: &[Step]) {
        for step in steps {
            self.note(json!({ "step": to_json(step) }));
            self.print(&format!("   {} {:<20} {}", self.paint(GREEN, "done   "), step.action, step.detail));
        }
    }

    /// The requests of a call, and what it cost.
    pub(super) fn cost(&self, function: &'static str, report: &CallReport) {
        self.note(json!({ "call": function, "report": report }));
        for http in &report.http {
            let path = http.url.splitn(4, '/').nth(3).unwrap_or_default();
            let status = http.status.map_or("-".to_owned(), |status| status.to_string());
            let text = format!("{:<5} /{path} -> {status}  {:.1} ms", http.method, milliseconds(http.duration));
            self.print(&format!("   {}", self.paint(DIM, &text)));
        }
        self.record(|record| record.costs.entry(function).or_default().push(report.clone()));
    }

    /// A line for each function: calls, requests, time, memory.
    pub(super) fn costs(&self) {
        self.print("   function   calls  requests  instance us  whole ms  memory KiB   (medians; fresh instance each)");
        let costs = self.record(|record| record.costs.clone());
        for (function, reports) in costs {
            let requests: usize = reports.iter().map(|report| report.http.len()).sum();
            let instantiate = median(reports.iter().map(|report| report.instantiate).collect());
            let wall = median(reports.iter().map(|report| report.wall).collect());
            let memory = reports.iter().map(|report| report.memory_bytes).max().unwrap_or_default() / 1024;
            self.note(json!({
                "function": function, "calls": reports.len(), "http_calls": requests,
                "instantiate_us": milliseconds(instantiate) * 1000.0, "wall_ms": milliseconds(wall), "memory_kib": memory,
            }));
            self.print(&format!(
                "   {function:<10} {:>5} {requests:>9} {:>12.1} {:>9.2} {memory:>11}",
                reports.len(),
                milliseconds(instantiate) * 1000.0,
                milliseconds(wall),
            ));
        }
    }

    pub(super) fn claims(&self, claims: &[(&'static str, bool)]) {
        for (claim, holds) in claims {
            let (style, mark) = if *holds { (GREEN, "holds") } else { (RED, "BROKEN") };
            self.record(|record| record.claims.push(json!({ "claim": claim, "holds": holds })));
            self.print(&format!("   {} {claim}", self.paint(style, mark)));
        }
    }

    pub(super) fn finish(&self) {
        if self.as_json {
            write(&format!("{:#}", self.to_json()));
        }
    }

    /// Everything that was shown.
    pub fn to_json(&self) -> Value {
        self.record(|record| {
            let section = |(title, facts): &(String, Vec<Value>)| json!({ "title": title, "facts": facts });
            json!({
                "sections": record.sections.iter().map(section).collect::<Vec<_>>(),
                "claims": record.claims,
            })
        })
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
fn write(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Text from elsewhere could otherwise rewrite the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

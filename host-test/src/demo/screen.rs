//! The demo's output: lines as things happen, and one JSON document at the end.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::claims::Claim;
use super::inbox::Inbox;
use super::platform::{Line, Voice};
use super::words::{self, excerpt, milliseconds, one_line, plain};
use handoff_host::CallReport;
use handoff_host::bindings::{Event, EventKind, Finding, FindingLevel, Step};
use handoff_host::json::to_json;

/// Shows, and remembers for the end.
#[derive(Debug)]
pub struct Screen {
    silent: bool,
    colours: bool,
    started: Instant,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    sections: Vec<(Section, Vec<Value>)>,
    /// By function, in the order of their first calls.
    calls: Vec<(&'static str, Vec<CallReport>)>,
    claims: Vec<Claim>,
    error: Option<String>,
}

/// The parts of the story, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Connect = 1,
    Handoff,
    Inbox,
    Conversation,
    EndUser,
    Figures,
}

impl Section {
    fn id(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Handoff => "handoff",
            Self::Inbox => "inbox",
            Self::Conversation => "conversation",
            Self::EndUser => "end-user",
            Self::Figures => "figures",
        }
    }
}

/// The side of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    /// In front of the human agent.
    Inbox,
    /// In the platform.
    Platform,
    /// In front of the end user.
    Messenger,
    /// An unrelated person.
    Stranger,
}

impl Side {
    fn id(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Platform => "platform",
            Self::Messenger => "messenger",
            Self::Stranger => "stranger",
        }
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// Under the text of the timeline.
const INDENT: &str = "                           ";
/// Of a page of a long history, this many lines are shown.
const LONG_PAGE: (usize, usize) = (8, 3);

impl Screen {
    /// Writes lines for people to standard output, in colours on a terminal that wants them. A silent one only remembers, for
    /// [`to_json`](Self::to_json).
    #[must_use]
    pub fn new(silent: bool) -> Self {
        let colours = !silent && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { silent, colours, started: Instant::now(), record: Mutex::default() }
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
        if !self.silent {
            write(text);
        }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn section(&self, section: Section, title: &str) {
        self.record(|record| record.sections.push((section, Vec::new())));
        self.print(&format!("\n{}", self.paint(BOLD, &format!("{}  {title}", section as u8))));
    }

    pub(super) fn line(&self, text: &str) {
        self.note(json!({ "note": text }));
        self.print(&format!("   {text}"));
    }

    pub(super) fn link(&self, text: &str, url: &str) {
        self.note(json!({ "link": url }));
        self.print(&format!("   {text}: {}", self.paint(BOLD, url)));
    }

    fn timeline(&self, side: Side, style: Option<&str>, text: &str) {
        let at = self.paint(DIM, &format!("{:>8.3} s", self.started.elapsed().as_secs_f64()));
        let text = style.map_or_else(|| text.to_owned(), |style| self.paint(style, text));
        self.print(&format!("   {at}  {:<10} {text}", side.id()));
    }

    fn at_ms(&self) -> f64 {
        (milliseconds(self.started.elapsed()) * 10.0).round() / 10.0
    }

    /// Something that happens on one side, with the time since the start.
    pub(super) fn side(&self, side: Side, text: &str) {
        self.note(json!({ "at_ms": self.at_ms(), "side": side.id(), "text": text }));
        self.timeline(side, None, &one_line(text));
    }

    /// An event at the platform, with an optional `remark`.
    pub(super) fn event(&self, event: &Event, remark: &str) {
        self.note(
            json!({ "at_ms": self.at_ms(), "side": Side::Platform.id(), "event": to_json(event), "remark": remark }),
        );
        let remark = if remark.is_empty() { String::new() } else { format!("  ({remark})") };
        let style = if event.kind == EventKind::Ignored { DIM } else { GREEN };
        self.timeline(Side::Platform, Some(style), &format!("<- {}{remark}", words::event(event)));
    }

    /// A line in the end user's messenger.
    pub(super) fn said(&self, line: &Line) {
        self.note(json!({ "voice": line.voice, "name": line.name, "text": line.text }));
        let shown = line.shown();
        let mut lines = shown.lines().map(plain);
        let first = lines.next().unwrap_or_default();
        self.print(&format!("   {}", if line.voice == Voice::Platform { self.paint(DIM, &first) } else { first }));
        lines.for_each(|more| self.print(&format!("       {more}")));
    }

    /// The conversation as the human agent sees it.
    pub(super) fn inbox(&self, inbox: &Inbox, abridged: bool) {
        self.note(json!({ "inbox": inbox }));
        let Inbox { topic, group, priority, status, user, .. } = inbox;
        self.print(&format!(
            "   topic {} | group {} | priority {} | status {}",
            plain(topic),
            plain(group),
            plain(priority),
            plain(status)
        ));
        self.print(&format!("   user: {}", plain(user)));
        for message in &inbox.messages {
            let mark =
                if message.private { self.paint(YELLOW, " (private note: human agents only)") } else { String::new() };
            self.print(&format!("\n   {}{mark}", self.paint(BOLD, &plain(&message.name))));
            let lines: Vec<&str> = message.text.lines().collect();
            let (head, tail) = if abridged { LONG_PAGE } else { (lines.len(), 0) };
            excerpt(&lines, head, tail).iter().for_each(|line| self.print(&format!("   | {}", plain(line))));
        }
    }

    pub(super) fn findings(&self, findings: &[Finding]) {
        for finding in findings {
            self.note(json!({ "finding": to_json(finding) }));
            let (style, mark) = match finding.level {
                FindingLevel::Ok => (GREEN, "ok     "),
                FindingLevel::Warning => (YELLOW, "warning"),
                FindingLevel::Failure => (RED, "FAILURE"),
            };
            self.print(&format!("   {} {:<12} {}", self.paint(style, mark), finding.check, plain(&finding.detail)));
            if let Some(remedy) = &finding.remedy {
                self.print(&format!("           {:<12} -> {}", "", plain(remedy)));
            }
        }
    }

    pub(super) fn steps(&self, steps: &[Step]) {
        for step in steps {
            self.note(json!({ "step": to_json(step) }));
            let (mark, target, detail) = (self.paint(GREEN, "done   "), plain(&step.target), plain(&step.detail));
            self.print(&format!("   {mark} {:<20} {target}  {detail}", step.action));
        }
    }

    /// A call with its requests. In the figures as well.
    pub(super) fn call(&self, function: &'static str, report: &CallReport) {
        self.note(json!({ "call": function, "report": report }));
        for http in &report.http {
            self.print(&format!("{INDENT}{}", self.paint(DIM, &words::http_call(http))));
        }
        // Most webhooks need none; their time is in the figures.
        if !report.http.is_empty() {
            let requests = if report.http.len() == 1 { "HTTP request" } else { "HTTP requests" };
            let (count, wall) = (report.http.len(), milliseconds(report.wall));
            self.print(&format!(
                "{INDENT}{}",
                self.paint(DIM, &format!("{function}: {count} {requests}, {wall:.1} ms in all"))
            ));
        }
        self.count(function, report);
    }

    /// A call that is in the figures only.
    pub(super) fn count(&self, function: &'static str, report: &CallReport) {
        self.record(|record| match record.calls.iter_mut().find(|(known, _)| *known == function) {
            Some((_, reports)) => reports.push(report.clone()),
            None => record.calls.push((function, vec![report.clone()])),
        });
    }

    /// A line for each function: calls, requests, time, memory.
    pub(super) fn figures(&self) {
        let titles = ["calls", "HTTP", "new instance", "computing", "in all", "memory"];
        let [calls, http, instance, computing, all, memory] = titles;
        self.print(&format!(
            "   {:<10} {calls:>5} {http:>5} {instance:>13} {computing:>11} {all:>11} {memory:>10}",
            "function"
        ));
        for (function, reports) in self.record(|record| record.calls.clone()) {
            let requests: usize = reports.iter().map(|report| report.http.len()).sum();
            let of = |time: fn(&CallReport) -> Duration| milliseconds(median(reports.iter().map(time).collect()));
            let (instantiate, cpu, wall) = (of(|it| it.instantiate), of(|it| it.cpu), of(|it| it.wall));
            let memory = reports.iter().map(|report| report.memory_bytes).max().unwrap_or_default() / 1024;
            let rounded = |value: f64| (value * 1e3).round() / 1e3;
            self.note(json!({
                "function": function, "calls": reports.len(), "http_calls": requests, "memory_kib": memory,
                "instantiate_ms": rounded(instantiate), "cpu_ms": rounded(cpu), "wall_ms": rounded(wall),
            }));
            self.print(&format!(
                "   {function:<10} {:>5} {requests:>5} {instantiate:>10.3} ms {cpu:>8.2} ms {wall:>8.2} ms {memory:>6} KiB",
                reports.len(),
            ));
        }
        self.line("Times are medians, memory is the maximum. Each call had its own instance.");
        self.line("Freshworks was on this machine: real requests take longer.");
        if cfg!(debug_assertions) {
            self.line("The host is a development build.");
        }
    }

    pub(super) fn claims(&self, claims: &[Claim]) {
        self.print(&format!("\n{}", self.paint(BOLD, "Checked")));
        for claim in claims {
            let (style, mark) = if claim.holds { (GREEN, "holds ") } else { (RED, "BROKEN") };
            self.print(&format!("   {} {}", self.paint(style, mark), claim.text));
        }
        self.record(|record| record.claims.extend_from_slice(claims));
    }

    /// How the story ended.
    pub(super) fn finish(&self, error: Option<&anyhow::Error>) {
        self.record(|record| record.error = error.map(|error| format!("{error:#}")));
    }

    /// Everything that was shown, with the claims and how it ended, as one document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.record(|record| {
            let section = |(section, facts): &(Section, Vec<Value>)| (section.id().to_owned(), json!(facts));
            let sections: serde_json::Map<String, Value> = record.sections.iter().map(section).collect();
            json!({ "ok": record.error.is_none(), "error": record.error, "claims": record.claims, "sections": sections })
        })
    }
}

/// A closed pipe, as with `head`, is not an error.
fn write(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([3, 1, 2].map(Duration::from_secs).to_vec()), Duration::from_secs(2));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }

    #[test]
    fn the_document_has_the_facts_of_each_section_and_how_it_ended() {
        let screen = Screen::new(true);
        screen.section(Section::Connect, "title");
        screen.line("first");
        screen.section(Section::Figures, "title");
        screen.finish(None);
        assert_eq!(screen.to_json()["sections"], json!({ "connect": [{ "note": "first" }], "figures": [] }));
        assert_eq!(screen.to_json()["ok"], true);
        screen.finish(Some(&anyhow::anyhow!("inner").context("outer")));
        assert_eq!(screen.to_json()["error"], "outer: inner");
        assert_eq!(screen.to_json()["ok"], false);
    }
}

//! The results, as text and as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::invariants::Violation;
use crate::run::Outcome;
use crate::sweep::{Job, Ready, Total};

/// How many violations of one invariant in one flow are printed in full; the rest is mostly the same.
const MAX_SHOWN: usize = 1;

#[derive(Debug, Default)]
struct Row {
    name: String,
    places: [usize; 3],
    singles: usize,
    doubles: usize,
    violations: usize,
}

/// A run in which something broke.
#[derive(Debug)]
struct Broken {
    flow: String,
    check: &'static str,
    /// How to run it again.
    again: String,
    lines: Vec<String>,
}

impl Broken {
    fn of(flow: &str, again: String, outcome: &Outcome) -> Self {
        let line = |violation: &Violation| format!("{}: {}", violation.check, violation.message);
        let check = outcome.violations.first().map_or("", |violation| violation.check);
        Self { flow: flow.to_owned(), check, again, lines: outcome.violations.iter().map(line).collect() }
    }
}

/// All figures of a proof.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rows: Vec<Row>,
    doubles_met: usize,
    walks: usize,
    walk_violations: usize,
    interleavings: usize,
    interleaving_violations: usize,
    calls: usize,
    requests: usize,
    shown: Vec<Broken>,
    checks: BTreeMap<&'static str, usize>,
}

impl Figures {
    pub(crate) fn of(flows: &[Ready]) -> Self {
        let row = |ready: &Ready| Row { name: ready.flow.name.clone(), ..Row::default() };
        Self { rows: flows.iter().map(row).collect(), ..Self::default() }
    }

    pub(crate) fn violations(&self) -> usize {
        self.walk_violations + self.interleaving_violations + self.rows.iter().map(|row| row.violations).sum::<usize>()
    }

    fn take_in(&mut self, total: Total) -> Result<Vec<(Job, Outcome)>> {
        if let Some(failure) = total.failure {
            return Err(failure);
        }
        self.calls += total.calls;
        self.requests += total.requests;
        for violation in total.broken.iter().flat_map(|(_, outcome)| &outcome.violations) {
            *self.checks.entry(violation.check).or_insert(0) += 1;
        }
        Ok(total.broken)
    }

    fn add_broken(&mut self, total: Total) -> Result<()> {
        for (job, outcome) in self.take_in(total)? {
            self.rows[job.flow].violations += 1;
            let mut again = format!("--flow ={}", self.rows[job.flow].name);
            job.faults.iter().for_each(|fault| again.push_str(&format!(" --fault {fault}")));
            if job.faults.is_empty() {
                again.push_str(" --trace");
            }
            let flow = self.rows[job.flow].name.clone();
            self.shown.push(Broken::of(&flow, again, &outcome));
        }
        Ok(())
    }

    /// The runs without faults.
    pub(crate) fn add_calm(&mut self, calm: &[Outcome], total: Total) -> Result<()> {
        for (row, outcome) in self.rows.iter_mut().zip(calm) {
            row.places = outcome.places;
        }
        self.add_broken(total)
    }

    pub(crate) fn add_singles(&mut self, jobs: &[Job], total: Total) -> Result<()> {
        jobs.iter().take(total.runs).for_each(|job| self.rows[job.flow].singles += 1);
        self.add_broken(total)
    }

    pub(crate) fn add_doubles(&mut self, jobs: &[Job], total: Total) -> Result<()> {
        jobs.iter().take(total.runs).for_each(|job| self.rows[job.flow].doubles += 1);
        self.doubles_met += total.met;
        self.add_broken(total)
    }

    /// Random walks; `again` says how to run one again.
    pub(crate) fn add_walks(&mut self, total: Total, again: impl Fn(&Job) -> String) -> Result<()> {
        self.walks += total.runs;
        for (job, outcome) in self.take_in(total)? {
            self.walk_violations += 1;
            self.shown.push(Broken::of("random walks", again(&job), &outcome));
        }
        Ok(())
    }

    /// Interleavings; `again` says how to replay one, and describes it.
    pub(crate) fn add_interleavings(&mut self, total: Total, again: impl Fn(&Job) -> (String, String)) -> Result<()> {
        self.interleavings += total.runs;
        for (job, outcome) in self.take_in(total)? {
            self.interleaving_violations += 1;
            let (again, what) = again(&job);
            let mut broken = Broken::of("interleavings", again, &outcome);
            broken.lines.push(what);
            self.shown.push(broken);
        }
        Ok(())
    }

    pub(crate) fn print(&self, took: Duration) {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max("random walks".len());
        println!("{:width$}  requests  calls  webhooks  one fault  two faults  violations", "flow");
        for row in &self.rows {
            let [requests, calls, webhooks] = row.places;
            println!(
                "{:width$}  {requests:8}  {calls:5}  {webhooks:8}  {:9}  {:10}  {:10}",
                row.name, row.singles, row.doubles, row.violations
            );
        }
        println!(
            "{:width$}  {:8}  {:5}  {:8}  {:9}  {:10}  {:10}",
            "random walks", "", "", "", "", self.walks, self.walk_violations
        );
        println!(
            "{:width$}  {:8}  {:5}  {:8}  {:9}  {:10}  {:10}",
            "interleavings", "", "", "", "", self.interleavings, self.interleaving_violations
        );
        let mut alike: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for broken in &self.shown {
            let count = alike.entry((&broken.flow, broken.check)).or_insert(0);
            *count += 1;
            if *count <= MAX_SHOWN {
                println!("\ncargo xtask prove {}", broken.again);
                broken.lines.iter().for_each(|line| println!("  {line}"));
            }
        }
        for ((flow, check), count) in alike.into_iter().filter(|(_, count)| *count > MAX_SHOWN) {
            println!("\n{flow}, {check}: {} more", count - MAX_SHOWN);
        }
        if !self.checks.is_empty() {
            println!("\nbroken: {:?}", self.checks);
        }
        let sum = |count: fn(&Row) -> usize| self.rows.iter().map(count).sum::<usize>();
        println!(
            "\n{} flows, {} places, {} runs with one fault, {} with two (both happened in {}), {} random walks, {} interleavings, {} violations; \
             {} calls of the plugin and {} requests in {:.0?}",
            self.rows.len(),
            sum(|row| row.places.iter().sum()),
            sum(|row| row.singles),
            sum(|row| row.doubles),
            self.doubles_met,
            self.walks,
            self.interleavings,
            self.violations(),
            self.calls,
            self.requests,
            took,
        );
    }

    pub(crate) fn json(&self, took: Duration) -> Value {
        let sum = |count: fn(&Row) -> usize| self.rows.iter().map(count).sum::<usize>();
        json!({
            "flows": self.rows.len(),
            "fault_points": sum(|row| row.places.iter().sum()),
            "single_runs": sum(|row| row.singles),
            "double_runs": sum(|row| row.doubles),
            "double_runs_with_both": self.doubles_met,
            "walks": self.walks,
            "interleavings": self.interleavings,
            "violations": self.violations(),
            "plugin_calls": self.calls,
            "requests": self.requests,
            "seconds": took.as_secs_f64().round(),
        })
    }
}

//! The proof by brute force that nothing is lost or duplicated under any fault.
//!
//! Each flow (`flows.rs`) runs once without faults, to count its places: requests, calls of the plugin, webhooks. Then it
//! is run again for each fault (`faults.rs`) at each place, and for pairs of faults drawn with a fixed seed, by a platform
//! that repeats what failed as the contract asks (`platform.rs`). After each run, what both people see (`people.rs`) is held
//! against a reference model that knows of no failure (`truth.rs`, `invariants.rs`). Random walks (`walks.rs`) do the same
//! with unplanned steps.
//!
//! Exit codes: 0 when everything holds, 1 when something does not, 2 when the machine or the arguments are at fault.

mod account;
mod faults;
mod flows;
mod interleavings;
mod invariants;
mod people;
mod platform;
mod run;
mod sweep;
mod table;
mod tap;
mod truth;
mod walks;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use handoff_host::{Engine, EngineSettings, Plugin};

use faults::Fault;
use flows::{Flow, flows};
use platform::Manners;
use run::{Manner, Outcome};
use sweep::{Job, Ready, Sweep, Total, doubles, prepare, singles};
use table::Figures;

/// The longest limit; a clock cannot be far beyond it.
const YEAR_S: u64 = 365 * 24 * 60 * 60;

/// Proves by brute force that nothing is lost or duplicated.
#[derive(Debug, Parser)]
#[command(name = "prove")]
struct Arguments {
    /// The plugin.
    plugin: PathBuf,
    /// Only flows whose name begins with this. May be given more than once; `=name` for exactly one.
    #[arg(long)]
    flow: Vec<String>,
    /// Only this run: the flow with these faults, such as `trap-after@3`. Prints the trace.
    #[arg(long)]
    fault: Vec<Fault>,
    /// Only this random walk. Prints the trace.
    #[arg(long)]
    walk: Option<u64>,
    /// Only this pair of calls. Prints the trace.
    #[arg(long)]
    pair: Option<usize>,
    /// Only this interleaving of several calls. Prints the trace.
    #[arg(long)]
    interleaving: Option<u64>,
    /// How many times the usual number of pairs and walks.
    #[arg(long, default_value_t = 1)]
    size: usize,
    /// Runs with two faults, before `--size`.
    #[arg(long, default_value_t = 10_000)]
    doubles: usize,
    /// Of the runs with one fault only each n-th; 0 leaves them out.
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: usize,
    /// Random walks, before `--size`.
    #[arg(long, default_value_t = 500)]
    walks: usize,
    /// Interleavings of three calls and more, before `--size`.
    #[arg(long, default_value_t = 4_000)]
    interleavings: usize,
    /// The seed for pairs and walks.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop at the first violation.
    #[arg(long)]
    until_first_violation: bool,
    /// Stop after this many minutes: then nothing is proved.
    #[arg(long, value_name = "MINUTES")]
    time_limit: Option<u64>,
    /// Cores to use; all by default.
    #[arg(long)]
    threads: Option<usize>,
    /// Writes the figures there.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Prints the trace of a single run without faults.
    #[arg(long)]
    trace: bool,
    /// A platform that does not say that it has lost a session: the proof must fail.
    #[arg(long, hide = true)]
    careless: bool,
}

fn main() -> ExitCode {
    match prove(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("prove: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn chosen(arguments: &Arguments) -> Result<Vec<Flow>> {
    let wanted = |flow: &Flow| {
        arguments.flow.is_empty()
            || arguments.flow.iter().any(|name| match name.strip_prefix('=') {
                Some(name) => flow.name == name,
                None => flow.name.starts_with(name.as_str()),
            })
    };
    let chosen: Vec<Flow> = flows().into_iter().filter(wanted).collect();
    if chosen.is_empty() && !arguments.flow.iter().any(|flow| flow == "interleavings") {
        bail!(
            "no such flow; the flows are {}",
            flows().into_iter().map(|flow| flow.name).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(chosen)
}

fn prove(arguments: &Arguments) -> Result<bool> {
    let started = Instant::now();
    let engine = Engine::new(EngineSettings::default())?;
    let plugin = Plugin::load(&engine, &arguments.plugin, None)?;
    let manners = if arguments.careless { Manners::Careless } else { Manners::Good };
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let sweep = Sweep {
        threads: arguments.threads.unwrap_or(cores).max(1),
        until_first_violation: arguments.until_first_violation,
        manner: Manner { manners, trace: false },
        deadline: arguments
            .time_limit
            .map(|minutes| started + Duration::from_secs(minutes.saturating_mul(60).min(YEAR_S))),
    };
    if let Some(seed) = arguments.walk {
        let flow = walks::walk(seed);
        println!("{:?}", flow.steps);
        return one(sweep, &plugin, flow, walks::faults(seed));
    }
    let interleaved = match (arguments.pair, arguments.interleaving) {
        (Some(number), _) => Some(interleavings::pair(number).context("no such pair")?),
        (None, seed) => seed.map(interleavings::drawn),
    };
    if let Some(flow) = interleaved {
        println!("{:?}", flow.interleaving);
        return one(sweep, &plugin, flow, Vec::new());
    }
    let flows = chosen(arguments)?;
    if !arguments.fault.is_empty() || arguments.trace {
        let flow = flows.into_iter().next().context("no flow")?;
        return one(sweep, &plugin, flow, arguments.fault.clone());
    }

    let flows = prepare(&plugin, flows)?;
    let mut figures = Figures::of(&flows);
    let calm = count(sweep, &plugin, &flows, &mut figures)?;
    let of_flow = |(flow, calm): (usize, &Outcome)| singles(flow, calm);
    let all = calm.iter().enumerate().flat_map(of_flow).enumerate();
    let is_due = |number: usize| number.checked_rem(arguments.every) == Some(0);
    let jobs: Vec<Job> = all.filter_map(|(number, job)| is_due(number).then_some(job)).collect();
    figures.add_singles(&jobs, sweep.run(&plugin, &flows, &jobs, &|_, _| {}))?;
    if figures.violations() == 0 || !arguments.until_first_violation {
        let jobs = doubles(&calm, arguments.doubles * arguments.size, arguments.seed);
        figures.add_doubles(&jobs, sweep.run(&plugin, &flows, &jobs, &|_, _| {}))?;
    }
    if (figures.violations() == 0 || !arguments.until_first_violation) && arguments.flow.is_empty() {
        walks::run(sweep, &plugin, arguments.seed, arguments.walks * arguments.size, &mut figures)?;
    }
    let is_whole = arguments.flow.is_empty() || arguments.flow.iter().any(|flow| flow == "interleavings");
    if (figures.violations() == 0 || !arguments.until_first_violation) && is_whole {
        let count = arguments.interleavings * arguments.size;
        interleavings::run(sweep, &plugin, arguments.seed, arguments.every, count, &mut figures)?;
    }
    figures.print(started.elapsed());
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures.json(started.elapsed()))? + "\n")?;
    }
    Ok(figures.violations() == 0)
}

/// Runs each flow without faults.
fn count(sweep: Sweep, plugin: &Plugin, flows: &[Ready], figures: &mut Figures) -> Result<Vec<Outcome>> {
    let jobs: Vec<Job> = (0..flows.len()).map(|flow| Job { flow, faults: Vec::new() }).collect();
    let calm = std::sync::Mutex::new(vec![Outcome::default(); flows.len()]);
    let keep = |number: usize, outcome: &Outcome| {
        if let Some(place) = calm.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_mut(number) {
            *place = outcome.clone();
        }
    };
    let total = sweep.run(plugin, flows, &jobs, &keep);
    let calm = calm.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Faults prove nothing about a flow that fails without: it has no places.
    let works = |outcome: &Outcome| outcome.violations.is_empty();
    let calm: Vec<Outcome> = calm.into_iter().map(|it| if works(&it) { it } else { Outcome::default() }).collect();
    figures.add_calm(&calm, total)?;
    Ok(calm)
}

/// One run, shown.
fn one(sweep: Sweep, plugin: &Plugin, flow: Flow, faults: Vec<Fault>) -> Result<bool> {
    let sweep = Sweep { threads: 1, manner: Manner { trace: true, ..sweep.manner }, ..sweep };
    let flows = prepare(plugin, vec![flow])?;
    let show = |_: usize, outcome: &Outcome| {
        outcome.log.iter().for_each(|line| println!("{line}"));
        println!("{} faults happened", outcome.hits);
        outcome.violations.iter().for_each(|it| println!("VIOLATION {}: {}", it.check, it.message));
    };
    let Total { broken, failure, .. } = sweep.run(plugin, &flows, &[Job { flow: 0, faults }], &show);
    failure.map_or(Ok(broken.is_empty()), Err)
}

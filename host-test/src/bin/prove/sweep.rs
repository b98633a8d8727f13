//! Which runs there are, and running them on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use handoff_host::{HttpClient, Plugin};

use crate::account::{Connected, Stage, connect};
use crate::faults::{Fault, KINDS, Place};
use crate::flows::Flow;
use crate::run::{Manner, Outcome, run};

/// Concurrent runs per core: while one waits for a slow response, others continue.
const AT_ONCE: usize = 12;

/// Runs take some ten milliseconds. One that takes this long waits for something that never comes.
const LONGEST: Duration = Duration::from_secs(60);

/// A flow with faults.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Which flow of the list.
    pub(crate) flow: usize,
    pub(crate) faults: Vec<Fault>,
}

/// A flow that can be run.
pub(crate) struct Ready {
    pub(crate) flow: Flow,
    pub(crate) connected: Connected,
}

/// Everything of all runs that counts.
#[derive(Debug, Default)]
pub(crate) struct Total {
    pub(crate) runs: usize,
    /// Runs in which every fault happened.
    pub(crate) met: usize,
    pub(crate) calls: usize,
    pub(crate) requests: usize,
    /// A violation with its run.
    pub(crate) broken: Vec<(Job, Outcome)>,
    /// The first failure of the machine.
    pub(crate) failure: Option<anyhow::Error>,
}

/// Makes the flows ready.
///
/// # Errors
///
/// When the account of a flow cannot be connected.
pub(crate) fn prepare(plugin: &Plugin, flows: Vec<Flow>) -> Result<Vec<Ready>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stage = Stage { plugin: plugin.clone(), client: HttpClient::new()? };
        let mut ready = Vec::new();
        for flow in flows {
            let connected = connect(&stage, &flow).await.with_context(|| format!("the flow {}", flow.name))?;
            ready.push(Ready { flow, connected });
        }
        Ok(ready)
    })
}

/// How to sweep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep {
    pub(crate) threads: usize,
    pub(crate) until_first_violation: bool,
    pub(crate) manner: Manner,
    /// When to stop: unfinished runs are not proved.
    pub(crate) deadline: Option<Instant>,
}

/// How often a long sweep says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(15);

/// The progress of a sweep, and roughly the remaining time.
fn progress(done: usize, all: usize, elapsed: Duration) -> String {
    let share = done.saturating_mul(100).checked_div(all).unwrap_or(100);
    let rest = u128::try_from(all.saturating_sub(done)).unwrap_or(0);
    let left = elapsed.as_millis().saturating_mul(rest).checked_div(u128::try_from(done).unwrap_or(0)).unwrap_or(0);
    let left = match left / 1000 {
        seconds @ 0..90 => format!("{seconds} s"),
        seconds => format!("{} min", (seconds + 30) / 60),
    };
    format!("    {done} of {all} runs ({share} %), about {left} left")
}

impl Sweep {
    /// Runs all jobs. `each` sees every outcome, in no order.
    pub(crate) fn run(
        self,
        plugin: &Plugin,
        flows: &[Ready],
        jobs: &[Job],
        each: &(dyn Fn(usize, &Outcome) + Sync),
    ) -> Total {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (started, said) = (Instant::now(), Mutex::new(Instant::now()));
        let total = Mutex::new(Total::default());
        let take_in = |number: usize, outcome: Result<Outcome>| {
            let mut total = total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let mut said = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if said.elapsed() >= SAY_EVERY {
                *said = Instant::now();
                eprintln!("{}", progress(total.runs, jobs.len(), started.elapsed()));
            }
            if self.deadline.is_some_and(|deadline| Instant::now() > deadline) && total.failure.is_none() {
                stop.store(true, Ordering::Relaxed);
                let reached = progress(total.runs, jobs.len(), started.elapsed());
                total.failure = Some(anyhow!("the time limit is reached, so nothing is proved: {}", reached.trim()));
            }
            match outcome {
                Ok(outcome) => {
                    each(number, &outcome);
                    total.runs += 1;
                    total.met += usize::from(outcome.hits >= jobs[number].faults.len());
                    total.calls += outcome.calls;
                    total.requests += outcome.requests;
                    if !outcome.violations.is_empty() {
                        stop.fetch_or(self.until_first_violation, Ordering::Relaxed);
                        total.broken.push((jobs[number].clone(), outcome));
                    }
                }
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    total.failure.get_or_insert(error);
                }
            }
        };
        let one_after_the_other = async |stage: &Stage| {
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(number) else { return };
                let ready = &flows[job.flow];
                let work = run(stage, &ready.flow, &ready.connected, &job.faults, self.manner);
                take_in(number, tokio::time::timeout(LONGEST, work).await.unwrap_or_else(|_| Ok(Outcome::hung())));
            }
        };
        let on_a_core = || {
            let prepared = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let prepared = prepared.map_err(anyhow::Error::from).and_then(|it| Ok((it, HttpClient::new()?)));
            let (runtime, client) = match prepared {
                Ok(prepared) => prepared,
                Err(error) => return take_in(0, Err(error)),
            };
            let stage = Stage { plugin: plugin.clone(), client };
            runtime.block_on(async {
                let lanes = (0..AT_ONCE).map(|_| one_after_the_other(&stage));
                futures_util::future::join_all(lanes).await;
            });
        };
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(on_a_core);
            }
        });
        let mut total = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A stable order, regardless of which finished first.
        total.broken.sort_by_key(|(job, _)| (job.flow, job.faults.iter().map(ToString::to_string).collect::<Vec<_>>()));
        total
    }
}

fn places(outcome: &Outcome, place: Place) -> usize {
    outcome.places[match place {
        Place::Request => 0,
        Place::Call => 1,
        Place::Webhook => 2,
    }]
}

/// Every fault at every place of a flow.
pub(crate) fn singles(flow: usize, calm: &Outcome) -> Vec<Job> {
    let at_all = |kind: crate::faults::Kind| {
        (0..places(calm, kind.place())).map(move |at| Job { flow, faults: vec![Fault { kind, at }] })
    };
    KINDS.into_iter().flat_map(|(_, kind)| at_all(kind)).collect()
}

/// Repeats after the first fault make more places than a calm run has.
const BEYOND: usize = 6;

/// The most places that make a flow more likely to be drawn.
const MAX_WEIGHT: usize = 20;

/// Two faults at two places, drawn with a seed.
pub(crate) fn doubles(calm: &[Outcome], count: usize, seed: u64) -> Vec<Job> {
    let mut random = fastrand::Rng::with_seed(seed);
    // A flow counts by its places, up to a point: the longest holds little that the others do not, and takes the most time.
    let weights: Vec<usize> = calm.iter().map(|outcome| outcome.places.iter().sum::<usize>().min(MAX_WEIGHT)).collect();
    let all: usize = weights.iter().sum();
    let mut jobs = Vec::with_capacity(count);
    while jobs.len() < count && all > 0 {
        let mut draw = random.usize(..all);
        let flow = weights.iter().position(|weight| {
            let found = draw < *weight;
            draw = draw.saturating_sub(*weight);
            found
        });
        let Some(flow) = flow else { continue };
        // Most kinds of faults belong to requests.
        let mut fault = |beyond: usize| {
            let (_, kind) = KINDS[random.usize(..KINDS.len())];
            let most = places(&calm[flow], kind.place());
            (most > 0).then(|| Fault { kind, at: random.usize(..most + beyond) })
        };
        let (Some(first), Some(second)) = (fault(0), fault(BEYOND)) else { continue };
        let same_place = first.kind.place() == second.kind.place() && first.at == second.at;
        if !same_place {
            jobs.push(Job { flow, faults: vec![first, second] });
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_says_how_far_it_is_and_how_long_it_will_go_on() {
        let after = |seconds| Duration::from_secs(seconds);
        assert_eq!(progress(250, 1_000, after(20)), "    250 of 1000 runs (25 %), about 60 s left");
        assert_eq!(progress(1_000, 20_000, after(30)), "    1000 of 20000 runs (5 %), about 10 min left");
        assert_eq!(progress(0, 10, after(20)), "    0 of 10 runs (0 %), about 0 s left");
    }
}

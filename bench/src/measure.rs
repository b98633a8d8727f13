//! Runs an operation this many times, with this concurrency.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};

/// The cost of an operation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// The median, in microseconds.
    pub p50_us: f64,
    /// The 99th percentile, in microseconds.
    pub p99_us: f64,
    /// Time of the process on a processor for each, in microseconds.
    pub cpu_us: f64,
    /// How many a second.
    pub rate: f64,
}

/// The cost of runs: time of each, in total, and of the processor.
pub fn cost(mut times: Vec<Duration>, wall: Duration, cpu: Duration) -> Cost {
    times.sort();
    let count = times.len().max(1) as f64;
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    Cost {
        p50_us: at(0.5),
        p99_us: at(0.99),
        cpu_us: cpu.as_secs_f64() * 1e6 / count,
        rate: count / wall.as_secs_f64(),
    }
}

/// The middle one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Resident memory of this process, in bytes.
pub fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// Runs futures, `in_flight` at once, after as many that do not count.
///
/// # Errors
///
/// The first error of an operation.
pub async fn tasks<F, R>(operations: usize, in_flight: usize, operation: F) -> Result<Cost>
where
    F: Fn(usize) -> R + Send + Sync + 'static,
    R: Future<Output = Result<()>> + Send,
{
    let operation = Arc::new(operation);
    let round = async |first: usize, operations: usize| -> Result<Vec<Duration>> {
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..in_flight {
            let operation = operation.clone();
            workers.spawn(async move {
                let mut times = Vec::new();
                for number in (worker..operations).step_by(in_flight) {
                    let started = Instant::now();
                    operation(first + number).await?;
                    times.push(started.elapsed());
                }
                anyhow::Ok(times)
            });
        }
        let mut times = Vec::new();
        while let Some(more) = workers.join_next().await {
            times.extend(more??);
        }
        Ok(times)
    };
    let warm = (operations / 10).max(in_flight);
    round(0, warm).await?;
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let times = round(warm, operations).await?;
    Ok(cost(times, started.elapsed(), cpu.elapsed()))
}

/// The same with a thread for each of those that run at once.
///
/// # Errors
///
/// The first error of an operation.
pub fn threads(operations: usize, in_flight: usize, operation: impl Fn(usize) -> Result<()> + Sync) -> Result<Cost> {
    let round = |first: usize, operations: usize| -> Result<Vec<Duration>> {
        std::thread::scope(|threads| {
            let worker = |worker: usize| {
                let operation = &operation;
                move || {
                    let mut times = Vec::new();
                    for number in (worker..operations).step_by(in_flight) {
                        let started = Instant::now();
                        operation(first + number)?;
                        times.push(started.elapsed());
                    }
                    anyhow::Ok(times)
                }
            };
            let workers: Vec<_> = (0..in_flight).map(|number| threads.spawn(worker(number))).collect();
            let mut times = Vec::new();
            for worker in workers {
                times.extend(worker.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked"))?);
            }
            Ok(times)
        })
    };
    let warm = (operations / 10).max(in_flight);
    round(0, warm)?;
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let times = round(warm, operations)?;
    Ok(cost(times, started.elapsed(), cpu.elapsed()))
}

//! What one call may use, and the meters that see to it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The bounds of one call. A call that reaches one of them ends; calls beside it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The plugin's linear memory, in bytes. An engine with a pool caps it at its slot size.
    pub memory_bytes: usize,
    /// Time that the plugin may compute, by the clock: on a crowded machine it is used up sooner. Waiting for answers does
    /// not count.
    pub cpu: Duration,
    /// Time from the call to its result, waiting included.
    pub wall: Duration,
    /// The body of one HTTP response, in bytes.
    pub max_response_bytes: u64,
    /// HTTP requests. One more is refused as if it were not allowed, before a connection is opened: the plugin answers with an
    /// error and the session, so nothing that was done is lost.
    pub max_requests: u32,
    /// The bodies of all requests and responses together, in bytes. The body that goes beyond breaks off.
    pub max_total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The largest handoff request that the contract allows holds 8 MiB of text; a connector keeps a few copies.
            memory_bytes: 64 << 20,
            cpu: Duration::from_secs(5),
            wall: Duration::from_secs(60),
            max_response_bytes: 16 << 20,
            // A connect that reads long lists, or a handoff with a very long history, makes some hundreds.
            max_requests: 1_000,
            // Ten of the largest files, each fetched and sent on.
            max_total_bytes: 512 << 20,
        }
    }
}

/// What a call may still send and read.
#[derive(Debug)]
pub(crate) struct Allowance {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Allowance {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { requests: AtomicU64::new(limits.max_requests.into()), bytes: AtomicU64::new(limits.max_total_bytes) }
    }

    /// One more request; false when there was none left.
    pub(crate) fn take_request(&self) -> bool {
        Self::take(&self.requests, 1)
    }

    /// So many more bytes; false when there were fewer left.
    pub(crate) fn take_bytes(&self, bytes: u64) -> bool {
        Self::take(&self.bytes, bytes)
    }

    fn take(left: &AtomicU64, amount: u64) -> bool {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount)).is_ok()
    }
}

/// The plugin asked for more memory than it may have.
#[derive(Debug)]
pub(crate) struct MemoryLimitReached {
    pub(crate) limit: usize,
}

impl std::fmt::Display for MemoryLimitReached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the plugin needs more than its {} bytes of memory", self.limit)
    }
}

impl std::error::Error for MemoryLimitReached {}

/// Refuses memory above the limit and remembers the most that was in use.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    limit: usize,
    /// All memories of the call together.
    in_use: usize,
    peak: Arc<AtomicU64>,
}

impl MemoryMeter {
    pub(crate) fn new(limit: usize, peak: Arc<AtomicU64>) -> Self {
        Self { limit, in_use: 0, peak }
    }
}

/// Function tables hold one entry for each function used as a value; a connector has some hundreds.
const MAX_TABLE_ELEMENTS: usize = 20_000;

impl wasmtime::ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.in_use.saturating_sub(current).saturating_add(desired);
        if wanted > self.limit {
            // An error ends the call here and says why. Answering `false` would end it a little later, as an abort
            // that looks like any other panic.
            return Err(MemoryLimitReached { limit: self.limit }.into());
        }
        self.in_use = wanted;
        self.peak.fetch_max(wanted as u64, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}

/// Measures how long a future computes, without the time it waits.
///
/// The epoch alone cannot tell the two apart: it goes on while the plugin waits for an answer.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    origin: Instant,
    /// Nanoseconds of all polls that have returned.
    spent: AtomicU64,
    /// When the poll that is running began, in nanoseconds since `origin`.
    entered: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), spent: AtomicU64::new(0), entered: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// For use inside the measured future: what it has used so far.
    pub(crate) fn used_while_running(&self) -> Duration {
        let running = self.now().saturating_sub(self.entered.load(Ordering::Relaxed));
        Duration::from_nanos(self.spent.load(Ordering::Relaxed).saturating_add(running))
    }

    /// For use outside of the measured future: what it has used in all.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
    }

    /// Runs a future under this meter.
    pub(crate) async fn measure<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| self.poll_measured(future.as_mut(), context)).await
    }

    fn poll_measured<F: Future>(&self, future: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
        let entered = self.now();
        self.entered.store(entered, Ordering::Relaxed);
        let poll = future.poll(context);
        self.spent.fetch_add(self.now().saturating_sub(entered), Ordering::Relaxed);
        poll
    }
}

/// Ends a plugin's time for computing on request, in the way in which the clock ends it. Clones end the same call.
#[derive(Clone)]
pub(crate) struct OutOfTime {
    engine: wasmtime::Engine,
    ended: Arc<AtomicBool>,
    /// The plugin has yielded to other calls: when it goes on, its next deadline counts from then, and an end that came
    /// meanwhile would pass unnoticed.
    has_yielded: Arc<AtomicBool>,
}

impl OutOfTime {
    pub(crate) fn new(engine: &wasmtime::Engine) -> Self {
        Self { engine: engine.clone(), ended: Arc::default(), has_yielded: Arc::default() }
    }

    /// The plugin is interrupted as soon as it computes again.
    pub(crate) async fn end(&self) {
        while self.has_yielded.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        self.ended.store(true, Ordering::Relaxed);
        // Not at the next tick of the clock, which the plugin may not live to see.
        self.engine.increment_epoch();
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The plugin yields to other calls now.
    pub(crate) fn yields(&self) {
        self.has_yielded.store(true, Ordering::Relaxed);
    }

    /// Runs the future in which the plugin computes.
    pub(crate) async fn watch<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let poll = |context: &mut Context<'_>| {
            self.has_yielded.store(false, Ordering::Relaxed);
            future.as_mut().poll(context)
        };
        std::future::poll_fn(poll).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::ResourceLimiter as _;

    #[test]
    fn memory_counts_over_all_memories_of_a_call() {
        let peak = Arc::new(AtomicU64::new(0));
        let mut meter = MemoryMeter::new(300, peak.clone());
        assert!(meter.memory_growing(0, 100, None).unwrap());
        assert!(meter.memory_growing(0, 100, None).unwrap());
        assert!(meter.memory_growing(100, 200, None).unwrap());
        assert_eq!(peak.load(Ordering::Relaxed), 300);
        let refused = meter.memory_growing(100, 101, None).unwrap_err();
        assert_eq!(refused.downcast_ref::<MemoryLimitReached>().unwrap().limit, 300);
        assert_eq!(peak.load(Ordering::Relaxed), 300);
    }

    #[tokio::test]
    async fn waiting_is_not_computing() {
        let meter = CpuMeter::new();
        let wall = Instant::now();
        meter.measure(tokio::time::sleep(Duration::from_millis(60))).await;
        assert!(wall.elapsed() >= Duration::from_millis(60));
        assert!(meter.used() < Duration::from_millis(30), "{:?}", meter.used());
    }

    #[tokio::test]
    async fn computing_counts_while_it_goes_on() {
        let meter = CpuMeter::new();
        let inside = meter
            .measure(async {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(20) {}
                meter.used_while_running()
            })
            .await;
        assert!(inside >= Duration::from_millis(20));
        assert!(meter.used() >= inside);
    }
}

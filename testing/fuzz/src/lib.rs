//! Fuzz targets for every parser and text function: each takes arbitrary bytes, and fails by a panic.
//!
//! The tests in `tests/targets.rs` run them with the engine selected in `bolero`. Random bytes reach little of a parser, so most
//! inputs are [scripts](script): a few bytes that choose, mutate and repeat tokens that the target is sensitive to. That works for both random
//! and coverage-guided engines.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

#[cfg(any(not(target_family = "wasm"), target_os = "wasi"))]
pub mod bridge;
pub mod core;
pub mod growth;
pub mod script;

/// An input that takes longer is a hang. The slowest take milliseconds; the margin is for busy machines.
pub const TIME_OUT: Duration = Duration::from_secs(60);

/// One target.
pub struct Target {
    /// Its name, as the test's.
    pub name: &'static str,
    /// The tokens of its inputs.
    pub material: script::Material,
    /// Runs one input.
    pub run: fn(&[u8]),
}

/// A target's progress in this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Inputs.
    pub inputs: u64,
    /// The slowest one.
    pub slowest: Duration,
}

static DONE: Mutex<BTreeMap<&'static str, Done>> = Mutex::new(BTreeMap::new());
/// The current run of each thread: target, start time and script.
static RUNNING: Mutex<BTreeMap<u64, Running>> = Mutex::new(BTreeMap::new());

/// The target, when it began, and its input.
type Running = (&'static str, Instant, Vec<u8>);
static NEXT_THREAD: AtomicU64 = AtomicU64::new(0);
static WATCH: Once = Once::new();

thread_local! {
    static THREAD: u64 = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
}

impl Target {
    /// Runs the input that a script makes. A hang ends the process, with the script on standard error.
    pub fn fuzz(&self, script: &[u8]) {
        WATCH.call_once(|| drop(std::thread::spawn(watch)));
        let input = script::input(&self.material, script);
        let thread = THREAD.with(|thread| *thread);
        let started = Instant::now();
        lock(&RUNNING).insert(thread, (self.name, started, script.to_vec()));
        (self.run)(&input);
        let took = started.elapsed();
        lock(&RUNNING).remove(&thread);
        let mut all = lock(&DONE);
        let done = all.entry(self.name).or_default();
        done.inputs += 1;
        done.slowest = done.slowest.max(took);
    }

    /// The progress so far.
    pub fn done(&self) -> Done {
        lock(&DONE).get(self.name).copied().unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch() {
    loop {
        std::thread::sleep(TIME_OUT / 10);
        for (name, started, script) in lock(&RUNNING).values() {
            if started.elapsed() > TIME_OUT {
                eprintln!("fuzz: {name} hangs on the script {script:02x?}");
                std::process::abort();
            }
        }
    }
}

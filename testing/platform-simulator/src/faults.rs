//! Faults that can be injected.

use std::time::Duration;

/// What happens to a call of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// This status, with the API's form of an error.
    Status(u16),
    /// The connection closes without a response.
    Cut,
    /// The response is delayed this long.
    Delay(Duration),
}

/// Whether a call that goes wrong takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing has happened.
    Before,
    /// It took effect; only the response fails.
    After,
}

/// One thing to go wrong. One that never hits fails the test when the simulator is dropped: such a test shows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    method: String,
    path: String,
    how: How,
    effect: Effect,
    times: u32,
    every: u32,
    seen: u32,
    hits: u32,
}

impl Fault {
    /// The next call with this method (empty: any) whose path holds this text.
    pub fn new(method: &str, path: &str, how: How, effect: Effect) -> Self {
        Self { method: method.into(), path: path.into(), how, effect, times: 1, every: 1, seen: 0, hits: 0 }
    }

    /// This many of them; 0: none.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Only each n-th of the calls that fit.
    #[must_use]
    pub fn every(self, every: u32) -> Self {
        Self { every: every.max(1), ..self }
    }
}

/// The first fault of the list that hits this call; faults that are used up go.
pub(crate) fn pick(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<(How, Effect)> {
    let mut hit = None;
    for fault in faults.iter_mut() {
        let fits = (fault.method.is_empty() || fault.method == method) && path.contains(&fault.path);
        if !fits || hit.is_some() || fault.times == 0 {
            continue;
        }
        fault.seen += 1;
        if fault.seen.is_multiple_of(fault.every) {
            fault.times -= 1;
            fault.hits += 1;
            hit = Some((fault.how.clone(), fault.effect));
        }
    }
    faults.retain(|fault| fault.times > 0);
    hit
}

/// Fails the test whose script has faults that never hit. For the `Drop` of a simulator.
pub(crate) fn require_all_hit<F: std::fmt::Debug>(missed: &[F]) {
    assert!(
        missed.is_empty() || std::thread::panicking(),
        "these faults never hit, so the test does not show what it says: {missed:#?}"
    );
}

/// Those that have not hit once.
pub(crate) fn missed(faults: &[Fault]) -> Vec<Fault> {
    faults.iter().filter(|fault| fault.hits == 0 && fault.times > 0).cloned().collect()
}

/// What happens to all tries of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFault {
    /// It goes out twice, the second time after the first was taken or given up.
    Doubled,
    /// It does not go out; the platform has given it up.
    Dropped,
    /// Its signature is made with another key.
    WrongSignature,
    /// Its body is changed after it was signed.
    Altered,
    /// It is delayed this long. Later ones in its channel wait for it.
    Delayed(Duration),
}

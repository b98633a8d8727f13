//! Sits between the plugin and the account: counts the requests of a run, and injects faults.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use freshworks_simulator::{self as simulator, Match, Simulator};
use handoff_host::{After, Before, HttpErrorCode, Interceptor, Outgoing, TrapKind};

use crate::faults::{AtHost, Fault, Kind, OnWire};

/// More than an instance's memory, less than the plugin's own limit.
const HUGE_BYTES: usize = 8 << 20;
/// Memory of an instance in runs with such a response.
pub(crate) const SMALL_MEMORY: usize = 5 << 20;

static HUGE: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![b' '; HUGE_BYTES]));

/// The faults for the requests of a run.
pub(crate) struct Tap {
    account: Arc<Simulator>,
    faults: Mutex<Vec<Fault>>,
    armed: AtomicBool,
    requests: AtomicUsize,
    hits: AtomicUsize,
    /// Requests of the current call that a fault waits for, by their index in the call.
    waiting: Mutex<Vec<(usize, AtHost)>>,
    /// The permitted ends of the current call's instance, if restricted.
    deadly: Mutex<Vec<TrapKind>>,
}

impl Tap {
    /// `faults`: those that hit requests.
    pub(crate) fn new(account: Arc<Simulator>, faults: Vec<Fault>) -> Self {
        let (requests, hits) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self {
            account,
            faults: Mutex::new(faults),
            armed: AtomicBool::new(false),
            requests,
            hits,
            waiting: Mutex::default(),
            deadly: Mutex::default(),
        }
    }

    /// From now on requests are counted and faults happen.
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::Relaxed);
    }

    /// Injects one more fault.
    pub(crate) fn expect(&self, fault: Fault) {
        lock(&self.faults).push(fault);
    }

    /// Faults that have not happened will not.
    pub(crate) fn forget(&self) {
        lock(&self.faults).clear();
    }

    /// A call begins.
    pub(crate) fn new_call(&self) {
        self.waiting().clear();
        lock(&self.deadly).clear();
    }

    /// The permitted ends of the last call's instance, if restricted. Concurrent requests may each meet a fatal fault.
    pub(crate) fn deadly(&self) -> Vec<TrapKind> {
        lock(&self.deadly).clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many faults have happened.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(usize, AtHost)>> {
        lock(&self.waiting)
    }

    fn note(&self, what: AtHost) {
        let kind = match what {
            AtHost::Trap => TrapKind::Injected,
            AtHost::OutOfTime => TrapKind::Cpu,
            AtHost::OutOfMemory => TrapKind::Memory,
            _ => return,
        };
        lock(&self.deadly).push(kind);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn before(what: AtHost) -> Before {
    match what {
        AtHost::Refused => Before::Fail(HttpErrorCode::ConnectionRefused),
        AtHost::Denied => Before::Fail(HttpErrorCode::HttpRequestDenied),
        AtHost::Cut | AtHost::CutBody => Before::Fail(HttpErrorCode::ConnectionTerminated),
        AtHost::Silence => Before::Fail(HttpErrorCode::ConnectionReadTimeout),
        AtHost::Trap => Before::Trap,
        AtHost::OutOfTime => Before::OutOfTime,
        AtHost::OutOfMemory => Before::Answer(http::Response::new(HUGE.clone())),
    }
}

fn after(what: AtHost) -> After {
    match what {
        AtHost::Refused | AtHost::Denied | AtHost::Cut => After::Fail(HttpErrorCode::ConnectionTerminated),
        AtHost::Silence => After::Fail(HttpErrorCode::ConnectionReadTimeout),
        AtHost::CutBody => After::CutBody,
        AtHost::Trap => After::Trap,
        AtHost::OutOfTime => After::OutOfTime,
        AtHost::OutOfMemory => After::Answer(http::Response::new(HUGE.clone())),
    }
}

impl Interceptor for Tap {
    fn before(&self, request: Outgoing<'_>) -> Before {
        if !self.armed.load(Ordering::Relaxed) {
            return Before::Send;
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let fault = lock(&self.faults).iter().find(|fault| fault.at == number).copied();
        let Some(fault) = fault else { return Before::Send };
        self.hits.fetch_add(1, Ordering::Relaxed);
        match fault.kind {
            Kind::Host { what, after: false } => {
                self.note(what);
                return before(what);
            }
            Kind::Host { what, after: true } => self.waiting().push((request.index, what)),
            Kind::Wire { what, after } => {
                let (how, times) = what.how();
                // Freshchat may store and still refuse (observed); the ticket desk validates everything before it stores
                // (vendor's documentation of its validations).
                let is_desk = request.uri.path().starts_with("/api/");
                let after = after && !(is_desk && what == OnWire::Status(400));
                // By its path, because the plugin may have sent others concurrently. A storm hits any request.
                let one = Match::path(request.uri.path()).method(request.method.as_str());
                let fault =
                    simulator::Fault::new(if times == 1 { one } else { Match::any() }, how).times(times).may_miss();
                self.account.fail(if after { fault.after_effect() } else { fault });
            }
            Kind::Call(_) | Kind::Webhook(_) => {}
        }
        Before::Send
    }

    fn after(&self, request: Outgoing<'_>, _status: u16) -> After {
        let mut waiting = self.waiting();
        let found = waiting.iter().position(|(index, _)| *index == request.index);
        let Some(found) = found else { return After::Pass };
        let (_, what) = waiting.swap_remove(found);
        drop(waiting);
        self.note(what);
        after(what)
    }
}

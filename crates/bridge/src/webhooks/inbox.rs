//! Webhooks of Freshworks between their arrival and their effects.
//!
//! Freshworks waits three seconds for an answer and tries five times (two outside sources), while the platform or Freshworks itself may
//! take longer than that to be told or asked. So a verified delivery is stored first. What can be done within a second is done before
//! the answer, because a host may end the instance with its answer; the rest is done after it, by the next request for the same handoff,
//! or by `tick`. A delivery leaves the inbox when its effects are stored, and its id is stored with them: whoever dies in between has
//! the next one only remove it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use freshworks_handoff::conversation::session::Session;
use freshworks_handoff::http::{Http, Request, Response, TransportError};
use freshworks_handoff::settings::Settings;
use freshworks_handoff::use_cases::{Update, close, webhook};
use handoff_contract::error::ErrorKind;
use handoff_contract::model::{CloseReason, Delivery, Event, EventKind, Outcome, SessionState, Timestamp};

use crate::handoffs::journal::What;
use crate::http::problem::Problem;
use crate::lease::{BRIEFLY_MS, BUSY, LeasedHandoff, busy};
use crate::metrics::activity::DELIVERIES;
use crate::metrics::deliveries::{Delivered, UNREADABLE};
use crate::service::Service;
use crate::state::{Connection, Failing, KEPT_DAYS, Saved, StoredDelivery, days_ms};
use crate::webhooks::freshchat::action_of;

/// Work is begun before the answer while less than this has passed since the delivery came, and no request outlasts it. Freshworks
/// waits for 3,000.
const FIRST_MS: u64 = 1_000;
/// When it has taken this long to get so far, many have come at once: those that wait for their answer come first.
const CROWDED_MS: u64 = 250;
/// Then what is left to do waits for this long, so that others get their answers first.
const STAND_BACK_MS: u64 = 400;
/// The copy for somebody else is waited for no longer than this, counted from the same moment.
pub(crate) const FORWARD_MS: u64 = 1_500;
/// A request is not begun with less time than this.
const LEAST_MS: u64 = 50;
/// How long an instance goes on after its answer: the last request that it begins may take 17 seconds more, and hosts end what takes
/// longer than 30.
const MAX_AFTER_MS: u64 = 10_000;
/// What waits for one handoff is worked off for no longer than this at a time, so that others have their turn.
const MAX_AT_ONCE_MS: u64 = 8_000;
/// `tick` leaves what has just come to the instance that took it.
const GRACE_MS: u64 = 5_000;
/// How long to wait after a failure: as long as there have been failures, within these bounds.
const MIN_WAIT_MS: u64 = 1_000;
const MAX_WAIT_MS: u64 = 15 * 60 * 1000;
/// Longer than it takes to store a failure.
const NOTING_MS: u64 = 3_000;
/// A handoff that nothing succeeds for is given up after so long: a day where what is wrong may pass by itself, an hour where somebody
/// said no.
const MAX_OUTAGE_MS: u64 = 24 * 60 * 60 * 1000;
/// See [`MAX_OUTAGE_MS`].
const MAX_REFUSING_MS: u64 = 60 * 60 * 1000;
/// But not before so many tries: the timer may have stood still.
const FEWEST_TRIES: u32 = 5;

/// What one request knows of itself: what is left to do when the answer has gone out, and whether there is time for anything before.
#[derive(Debug, Default)]
pub struct Later {
    /// With whether something failed for it here, so that the next try is ours, too.
    touched: RefCell<BTreeMap<(String, String), bool>>,
    /// Many have come at once.
    stands_back: Cell<bool>,
    /// The number of a lease that is held meanwhile.
    held: Cell<Option<u64>>,
    hurry: Cell<Option<Timestamp>>,
    /// What the webhook of this request is: its kind, and its handoff where one is known.
    pub(crate) about: RefCell<(&'static str, Option<String>)>,
    /// Connections for which a delivery failed here.
    failed: RefCell<Vec<String>>,
    /// Since when something is overdue that the timer should have done.
    pub(crate) overdue_since: Cell<Option<Timestamp>>,
    was_cut: Cell<bool>,
}

impl Later {
    /// Deliveries may have come for this handoff while it was leased, whose instances have left them to us.
    pub(crate) fn touch(&self, connection: &str, handoff: &str) {
        self.touched.borrow_mut().entry((connection.to_owned(), handoff.to_owned())).or_default();
    }

    /// Nothing waits for this handoff: whoever stores a delivery from now on finds its lease free.
    pub(crate) fn is_worked_off(&self, connection: &str, handoff: &str) {
        let mut touched = self.touched.borrow_mut();
        let place = (connection.to_owned(), handoff.to_owned());
        if touched.get(&place) == Some(&false) {
            touched.remove(&place);
        }
    }

    fn is_touched(&self, connection: &str, handoff: &str) -> bool {
        self.touched.borrow().contains_key(&(connection.to_owned(), handoff.to_owned()))
    }

    pub(crate) fn has_failed(&self, connection: &str) {
        self.failed.borrow_mut().push(connection.to_owned());
    }

    pub(crate) fn take_failed(&self) -> Vec<String> {
        self.failed.take()
    }

    /// A handoff should have been looked after at this time.
    pub(crate) fn is_overdue(&self, since: Timestamp) {
        let before = self.overdue_since.get();
        self.overdue_since.set(Some(before.map_or(since, |before| before.min(since))));
    }

    fn will_try_again(&self, connection: &str, handoff: &str) {
        self.touched.borrow_mut().insert((connection.to_owned(), handoff.to_owned()), true);
    }

    fn begin_to_hurry(&self, until: Timestamp) {
        self.hurry.set(Some(until));
        self.was_cut.set(false);
    }

    /// True when a request was not sent, or ended early, for lack of time: what follows from that must not be believed.
    fn end_hurry(&self) -> bool {
        self.hurry.set(None);
        self.was_cut.replace(false)
    }

    /// Sends requests, and waits for them no longer than there is time.
    pub(crate) fn send(
        &self,
        http: &dyn Http,
        now: Timestamp,
        mut requests: Vec<Request>,
    ) -> Vec<Result<Response, TransportError>> {
        let Some(until) = self.hurry.get() else { return http.send_all(requests) };
        let left = until.saturating_sub(now);
        // Whoever was cut once does not go on with half of what it asked for.
        if left < LEAST_MS || self.was_cut.get() {
            self.was_cut.set(true);
            let late = || TransportError { not_sent: true, denied: false, reason: "no-time-left".to_owned() };
            return requests.iter().map(|_| Err(late())).collect();
        }
        let mut is_shortened = false;
        for request in &mut requests {
            is_shortened |= shorten(request, left);
        }
        let answers = http.send_all(requests);
        if is_shortened && answers.iter().any(Result::is_err) {
            self.was_cut.set(true);
        }
        answers
    }

    /// What a lease must outlast, where there is a hurry.
    pub(crate) fn most_ms(&self, longest: u64) -> u64 {
        if self.hurry.get().is_some() { longest.min(FIRST_MS) } else { longest }
    }
}

/// Makes a request end within so many milliseconds. True when it could have lasted longer.
pub(crate) fn shorten(request: &mut Request, most_ms: u64) -> bool {
    let most = u32::try_from(most_ms).unwrap_or(u32::MAX);
    if request.connect_timeout_ms.saturating_add(request.response_timeout_ms) <= most {
        return false;
    }
    request.connect_timeout_ms = request.connect_timeout_ms.min(most / 4);
    request.response_timeout_ms = request.response_timeout_ms.min(most - request.connect_timeout_ms);
    true
}

/// How far a handoff's inbox was worked off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing waits any more.
    Empty,
    /// Somebody else works on the handoff, and looks for what waits when that is done.
    Taken,
    /// It failed lately, and is not to be tried again before this.
    Resting(Timestamp),
    /// There is no time for it now.
    NoTime,
}

/// The next failure in a row. `wait_ms`: for how long Freshworks asks to wait.
pub(crate) fn failed_again(before: Option<&Failing>, now: Timestamp, wait_ms: Option<u64>) -> Failing {
    let since = before.map_or(now, |before| before.since);
    let wait = now.saturating_sub(since).clamp(MIN_WAIT_MS, MAX_WAIT_MS).max(wait_ms.unwrap_or(0));
    Failing { since, times: before.map_or(0, |before| before.times).saturating_add(1), until: now.saturating_add(wait) }
}

/// Whether what fails in this way is given up.
fn is_hopeless(failing: &Failing, kind: &str, now: Timestamp) -> bool {
    let may_pass = matches!(kind, "unavailable" | "rate-limited" | "outcome-unknown" | "busy");
    let most = if may_pass { MAX_OUTAGE_MS } else { MAX_REFUSING_MS };
    failing.times >= FEWEST_TRIES && now.saturating_sub(failing.since) >= most
}

impl Service<'_> {
    /// Stores a genuine delivery, and works off what can be done at once. From here on it is ours: whatever fails, Freshworks need not
    /// repeat it.
    pub(crate) fn take_in(
        &self,
        connection: &Connection,
        settings: &Settings,
        id: &str,
        body: &[u8],
        at: Timestamp,
    ) -> Result<(), Problem> {
        // What Freshworks sends again has the same bytes.
        let delivery = StoredDelivery { id: body_digest(body), body: body.to_vec(), received_at: at };
        if !self.state.store_delivery(&connection.id, id, &delivery, at.saturating_add(GRACE_MS))? {
            return Err(Problem::new(503, "inbox-full", "too many webhooks wait for this conversation or account")
                .with_remedy("See under troubles why they cannot be worked off. Freshworks repeats this one.")
                .after(10_000)
                .logged("the inbox is full"));
        }
        if (self.clock)().saturating_sub(at) > CROWDED_MS {
            // One for each handoff stands back and does it for all; the others are done.
            if let Ok(Some(lease)) = self.state.lease(&connection.id, id, "", (self.clock)(), NOTING_MS, false) {
                self.later.stands_back.set(true);
                self.later.held.set(Some(lease.number));
                self.later.touch(&connection.id, id);
            }
            return Ok(());
        }
        self.later.begin_to_hurry(at.saturating_add(FIRST_MS));
        let progress = self.work_off(connection, settings, id, false);
        self.later.end_hurry();
        match progress {
            Ok(Progress::NoTime) => {
                self.later.stands_back.set(true);
                self.later.touch(&connection.id, id);
            }
            Ok(_) => {}
            Err(problem) => {
                self.has_failed(connection, id, &problem, true);
            }
        }
        Ok(())
    }

    /// Works off what waits for a handoff, in order. `at_once`: also when it failed lately.
    pub(crate) fn work_off(
        &self,
        connection: &Connection,
        settings: &Settings,
        id: &str,
        at_once: bool,
    ) -> Result<Progress, Problem> {
        let (progress, work) = self.work_off_under(connection, settings, id, at_once, BRIEFLY_MS)?;
        work.map_or(Ok(()), LeasedHandoff::give_back)?;
        Ok(progress)
    }

    /// The same under leases of `for_ms`. Answers the last one where it was taken and nothing waited.
    pub(crate) fn work_off_under(
        &self,
        connection: &Connection,
        settings: &Settings,
        id: &str,
        at_once: bool,
        for_ms: u64,
    ) -> Result<(Progress, Option<LeasedHandoff<'_>>), Problem> {
        let began = (self.clock)();
        let until = self.later.hurry.get().unwrap_or_else(|| began.saturating_add(MAX_AT_ONCE_MS));
        loop {
            let Some(mut work) = LeasedHandoff::begin_if_free(self, &connection.id, id, for_ms)? else {
                return Ok((Progress::Taken, None));
            };
            // Only whoever has the lease knows what comes next.
            let Some(delivery) = work.next() else { return Ok((Progress::Empty, Some(work))) };
            let now = (self.clock)();
            let wait = work.handoff.failing.as_ref().map(|failing| failing.until).filter(|until| *until > now);
            if let Some(until) = wait.filter(|_| !at_once) {
                work.give_back()?;
                return Ok((Progress::Resting(until), None));
            }
            let is_unreadable = Cell::new(false);
            let done = self.take_effect(connection, settings, work, &delivery, &is_unreadable);
            if !self.later.was_cut.get() {
                let what = Delivered::of("freshworks", &delivery.id, action_of(&delivery.body), Some(id));
                match &done {
                    Ok(()) if is_unreadable.get() => {
                        self.log_delivery(connection, what, UNREADABLE, "", delivery.received_at);
                    }
                    Ok(()) => self.log_delivery(connection, what, "done", "", delivery.received_at),
                    // Whoever was faster says what became of it.
                    Err(problem) if problem.kind == BUSY => {}
                    Err(problem) => self.log_delivery(connection, what, "failed", problem.kind, delivery.received_at),
                }
            }
            if self.later.was_cut.get() {
                // Some of it may have got through. It is told again with the same ids.
                return Ok((Progress::NoTime, None));
            }
            done?;
            // Where its effects were stored before, it is only removed. The lease has been given back: whoever stores a delivery from now
            // on finds it free.
            if !self.later.is_touched(&connection.id, id)
                || self.state.next_delivery(&connection.id, id, Some(&delivery.id))?.is_none()
            {
                return Ok((Progress::Empty, None));
            }
            if (self.clock)().saturating_add(LEAST_MS) > until {
                return Ok((Progress::NoTime, None));
            }
        }
    }

    /// What one delivery brings, and whether it cannot be read.
    fn take_effect(
        &self,
        connection: &Connection,
        settings: &Settings,
        mut work: LeasedHandoff<'_>,
        delivery: &StoredDelivery,
        is_unreadable: &Cell<bool>,
    ) -> Result<(), Problem> {
        if work.handoff.worked_off.contains(&delivery.id) {
            return work.give_back();
        }
        let Some(session) = work.handoff.session.clone() else { return work.give_back() };
        // It was text when it was verified.
        let body = String::from_utf8_lossy(&delivery.body).into_owned();
        let genuine = Delivery { headers: Vec::new(), body, received_at: delivery.received_at };
        let heard = match Session::decode(&session) {
            Ok(session) => webhook::on_verified(&work.http, settings, &genuine, Some(session)),
            Err(error) => Err(error),
        };
        match heard {
            // A name that was not looked up for lack of time is not missing.
            _ if self.later.was_cut.get() => work.give_back(),
            Ok(update) => {
                work.handoff.has_worked_off(&delivery.id);
                self.tell(connection, work, update, false).map(drop)
            }
            Err(error) if error.kind == ErrorKind::Malformed => {
                // Another try would find it as unreadable.
                self.counters.one(&connection.id, &[DELIVERIES, "freshworks", "unreadable"]);
                self.warn(&connection.id, "", &format!("a webhook of Freshworks cannot be read: {}", error.message));
                is_unreadable.set(true);
                work.handoff.has_worked_off(&delivery.id);
                work.save(&[]).map(drop)
            }
            Err(error) => Err(work.failed(error)),
        }
    }

    /// Everything that is done when nobody waits any more. A host may end the instance meanwhile.
    pub fn finish(&self) {
        if self.later.stands_back.get() {
            (self.pause)(STAND_BACK_MS);
        }
        if let Some(lease) = self.later.held.take() {
            for (connection, id) in self.later.touched.borrow().keys() {
                // Where it cannot be given back, it ends by itself.
                let _ = self.state.give_back(connection, id, lease);
            }
        }
        self.keep_tally();
        let until = (self.clock)().saturating_add(MAX_AFTER_MS);
        for ((connection, id), failed_here) in self.later.touched.take() {
            if let Err(problem) = self.go_on(&connection, &id, failed_here, until) {
                self.warn(&connection, &id, &format!("{} ({})", problem.kind, problem.detail));
            }
        }
        self.keep_tally();
        self.raise_alerts();
    }

    /// Works off what waits for a handoff, and tries again for as long as there is time. Who comes upon somebody else's failure leaves
    /// the next try to them.
    fn go_on(&self, connection: &str, id: &str, mut failed_here: bool, until: Timestamp) -> Result<(), Problem> {
        // Most have nothing.
        if self.state.next_delivery(connection, id, None)?.is_none() {
            return Ok(());
        }
        let connection = self.connection(connection)?;
        let settings = Settings::parse(&connection.settings)?;
        loop {
            let next = match self.work_off(&connection, &settings, id, false) {
                Ok(Progress::Resting(next)) if failed_here => next,
                Ok(Progress::NoTime) => (self.clock)(),
                Ok(_) => return Ok(()),
                Err(problem) => {
                    failed_here = self.has_failed(&connection, id, &problem, true);
                    if !failed_here {
                        return Ok(());
                    }
                    continue;
                }
            };
            let now = (self.clock)();
            if next > until || now > until {
                return Ok(());
            }
            (self.pause)(next.saturating_sub(now));
        }
    }

    /// Remembers that something failed for a handoff, lets the next try come later after each failure, and ends what is hopeless.
    /// `of_delivery`: while a delivery was worked off. True when another try is to be made.
    pub(crate) fn has_failed(&self, connection: &Connection, id: &str, problem: &Problem, of_delivery: bool) -> bool {
        let detail = problem.log.as_deref().unwrap_or(&problem.detail);
        self.warn(&connection.id, id, &format!("{} ({detail})", problem.kind));
        if problem.kind == BUSY {
            return false;
        }
        if of_delivery {
            self.counters.one(&connection.id, &[DELIVERIES, "freshworks", "failed", problem.kind]);
        }
        let again = match self.note_failure(&connection.id, id, problem.retry_after_ms) {
            Ok(Some(failing)) if is_hopeless(&failing, problem.kind, (self.clock)()) => {
                self.end_hopeless(connection, id, &failing).map(|()| false)
            }
            Ok(noted) => Ok(noted.is_some()),
            Err(problem) => Err(problem),
        };
        match again {
            Ok(true) => {
                self.later.will_try_again(&connection.id, id);
                true
            }
            Ok(false) => false,
            Err(problem) => {
                self.warn(&connection.id, id, &format!("{} ({})", problem.kind, problem.detail));
                false
            }
        }
    }

    /// Needs nothing of the settings, which may be what is wrong. None: somebody else works on it, or there is nothing to wait for.
    fn note_failure(&self, connection: &str, id: &str, wait_ms: Option<u64>) -> Result<Option<Failing>, Problem> {
        let now = (self.clock)();
        let Some(lease) = self.state.lease(connection, id, "", now, NOTING_MS, false)? else { return Ok(None) };
        let Some(mut handoff) = lease.handoff else {
            self.state.give_back(connection, id, lease.number)?;
            return Ok(None);
        };
        if handoff.platform.pending.is_some() && handoff.next_tick_at.is_some_and(|at| at > now) {
            // It waits already, and has an end of its own.
            self.state.give_back(connection, id, lease.number)?;
            return Ok(None);
        }
        let failing = failed_again(handoff.failing.as_ref(), now, wait_ms);
        handoff.next_tick_at = Some(failing.until);
        handoff.failing = Some(failing.clone());
        if self.state.save(&handoff, &[], &lease.unsure, lease.number)? == Saved::Overtaken {
            return Err(busy());
        }
        self.state.put_off(connection, id, failing.until)?;
        Ok(Some(failing))
    }

    /// Nothing has succeeded for so long that nobody should wait for it any more: the AI agent answers again, and the platform learns it.
    fn end_hopeless(&self, connection: &Connection, id: &str, failing: &Failing) -> Result<(), Problem> {
        let now = (self.clock)();
        let mut work = LeasedHandoff::begin(self, &connection.id, &connection.settings, id, None, "")?;
        let settings = Settings::parse(&connection.settings)?;
        work.note(What::failure("given-up", "nothing succeeded for too long"));
        self.counters.one(&connection.id, &["handoffs", "failed", "given-up"]);
        (work.handoff.failing, work.handoff.next_tick_at, work.handoff.platform.pending) = (None, None, None);
        let session = work.handoff.session.clone();
        if !work.handoff.is_with_humans() {
            // The AI agent has it already; it is only looked after no longer.
            work.save(&[])?;
            return self.drop_waiting(connection, id);
        }
        let closed = session
            .as_deref()
            .map(|session| close::close(&work.http, &connection.settings, session, CloseReason::TimedOut, true, now));
        let mut update = match closed {
            Some(Ok(update)) if update.events.iter().any(|event| event.kind == EventKind::ReturnedToAi) => update,
            // Freshworks cannot be told. The end user can.
            _ => given_back(session.as_deref(), &settings, id, now),
        };
        // It was neither answered nor asked to end.
        let returned = update.events.iter_mut().filter(|event| event.kind == EventKind::ReturnedToAi);
        returned.for_each(|event| event.outcome = Some(Outcome::Failed));
        if let Some(info) = &mut update.info {
            // Nor whether it is reopened.
            info.next_tick_at = None;
        }
        work.handoff.owner = "ai-agent".to_owned();
        work.handoff.state = "failed".to_owned();
        let is_old = now.saturating_sub(failing.since) >= days_ms(connection.keep_days.unwrap_or(KEPT_DAYS));
        if is_old {
            // Nor can the platform be.
            work.take(update.session, update.info.as_ref());
            work.save(&[])?;
        } else {
            self.tell(connection, work, update, false)?;
        }
        self.drop_waiting(connection, id)
    }

    fn drop_waiting(&self, connection: &Connection, id: &str) -> Result<(), Problem> {
        let mut waiting = self.state.next_delivery(&connection.id, id, None)?;
        while let Some(delivery) = waiting {
            self.counters.one(&connection.id, &[DELIVERIES, "freshworks", "failed", "given-up"]);
            let what = Delivered::of("freshworks", &delivery.id, action_of(&delivery.body), Some(id));
            self.log_delivery(connection, what, "given-up", "", delivery.received_at);
            waiting = self.state.next_delivery(&connection.id, id, Some(&delivery.id))?;
        }
        Ok(())
    }
}

/// The end of a handoff that Freshworks is not told of.
fn given_back(session: Option<&[u8]>, settings: &Settings, handoff: &str, now: Timestamp) -> Update {
    let session = session.and_then(|session| Session::decode(session).ok());
    let id = session.as_ref().map_or_else(|| format!("{handoff}:returned"), |session| session.round_id("returned"));
    let conversation = session.as_ref().and_then(|session| session.conversation.as_ref());
    let mut event = Event::new(id, EventKind::ReturnedToAi, now, conversation.map(|id| id.0.as_str()));
    event.outcome = Some(Outcome::Failed);
    match session {
        Some(mut session) => {
            session.enter(SessionState::Failed, now);
            session.update(settings, vec![event], Vec::new())
        }
        None => Update { events: vec![event], session: None, info: None, findings: Vec::new(), decisions: Vec::new() },
    }
}

pub(crate) fn body_digest(body: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(body);
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

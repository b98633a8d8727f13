//! A platform as the contract describes it: sessions by value, events once, webhooks in order and acknowledged only after
//! their effects are stored, and every call repeated until it is done.

use std::collections::{HashMap, VecDeque};

use freshworks_simulator as simulator;
use handoff_host::bindings::{
    CloseReason, Delivery, ErrorKind, Event, HandoffRequest, Message, Owner, SessionInfo, SessionState,
};
use handoff_host::{CallError, CallReport, TrapKind};
use serde_json::Value;

use crate::account::Account;
use crate::faults::{AtCall, AtWebhook, Fault, Kind};
use crate::invariants::Violation;
use crate::people::Told;

/// How often a call is tried. Two faults, one of them a storm of three, take five.
const MAX_TRIES: usize = 8;
/// How long the platform waits when the error does not say.
const WAIT_MS: u64 = 1_000;

/// A call of the plugin, complete but for the session.
pub(crate) enum Job<'a> {
    HandOff(&'a HandoffRequest),
    Relay(&'a Message),
    Close,
    Webhook(&'a Delivery),
    Tick,
    /// The human agent's message with this id could not be shown.
    Undelivered(&'a str),
}

impl Job<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::HandOff(_) => "handoff",
            Self::Relay(_) => "relay",
            Self::Close => "close",
            Self::Webhook(_) => "on-webhook",
            Self::Tick => "tick",
            Self::Undelivered(_) => "undelivered",
        }
    }
}

/// The result of a successful call.
struct Done {
    events: Vec<Event>,
    session: Option<String>,
    info: Option<SessionInfo>,
    findings: Vec<String>,
}

/// How a job that must end well ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Done,
    /// It failed with a session, and the caller wanted no repeat.
    Failed,
}

/// How long a job is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until it succeeds.
    Done,
    /// Until it succeeds or fails with a session.
    Kept,
    /// Until it succeeds or Freshworks denies access.
    FirstRefusal,
}

/// How a single try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    Done,
    /// The conversation has ended: the call is not to be repeated.
    Refused,
    /// It failed, and left a session.
    Kept,
    /// No session records its effects.
    Gone,
}

/// A webhook on its way.
#[derive(Clone)]
struct Incoming {
    headers: Vec<(String, String)>,
    body: String,
    /// Its signature is broken.
    broken: bool,
}

/// How it misbehaves, to see that the proof notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manners {
    #[default]
    Good,
    /// It never says that an earlier try ended without a session, and starts over.
    Careless,
}

/// One tenant of a platform, with one conversation.
pub(crate) struct Platform {
    pub(crate) account: Account,
    pub(crate) manners: Manners,
    pub(crate) session: Option<String>,
    pub(crate) info: Option<SessionInfo>,
    /// The end user's view.
    pub(crate) screen: Vec<Told>,
    /// Answers with their times.
    pub(crate) answers: Vec<(u64, String)>,
    /// The report of every event id.
    events: HashMap<String, Told>,
    /// Every id that webhooks may use for the conversation.
    ids: Vec<String>,
    pub(crate) findings: Vec<String>,
    pub(crate) now: u64,
    inbox: VecDeque<Incoming>,
    /// After the next webhook.
    swapped: Vec<Incoming>,
    /// At the end, before the timer.
    last: Vec<Incoming>,
    /// At the very end.
    late: Vec<Incoming>,
    collected: usize,
    pub(crate) holding: bool,
    /// Webhooks are missing or late, so that the platform may think otherwise than the desk.
    pub(crate) outstanding: bool,
    /// A webhook is lost: the timer goes off before the next step.
    pub(crate) ring: bool,
    faults: Vec<Fault>,
    armed: bool,
    pub(crate) calls: usize,
    pub(crate) webhooks: usize,
    pub(crate) hits: usize,
    pub(crate) all_calls: usize,
    pub(crate) all_requests: usize,
    /// The trace, if requested.
    pub(crate) log: Option<Vec<String>>,
}

impl Platform {
    pub(crate) fn new(account: Account, faults: &[Fault], manners: Manners, now: u64) -> Self {
        Self {
            account,
            manners,
            session: None,
            info: None,
            screen: Vec::new(),
            answers: Vec::new(),
            events: HashMap::new(),
            ids: Vec::new(),
            findings: Vec::new(),
            now,
            inbox: VecDeque::new(),
            swapped: Vec::new(),
            last: Vec::new(),
            late: Vec::new(),
            collected: 0,
            holding: false,
            outstanding: false,
            ring: false,
            faults: faults.to_vec(),
            armed: false,
            calls: 0,
            webhooks: 0,
            hits: 0,
            all_calls: 0,
            all_requests: 0,
            log: None,
        }
    }

    pub(crate) fn arm(&mut self) {
        self.armed = true;
        self.account.tap.arm();
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }

    /// Human agents answer, as far as the platform knows.
    pub(crate) fn is_with_humans(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.owner == Owner::HumanAgent)
    }

    /// Webhooks about this conversation go to the end user.
    pub(crate) fn knows(&self, conversation: &str) -> bool {
        self.ids.iter().any(|id| id == conversation)
    }

    /// The end user's messages go to human agents, or into the ticket.
    pub(crate) fn takes_messages(&self) -> bool {
        self.is_with_humans() || self.state() == Some(SessionState::Ticketed)
    }

    pub(crate) fn tell(&mut self, told: Told) {
        self.screen.push(told);
    }

    /// Does a job, as often as it takes.
    pub(crate) async fn perform(&mut self, job: Job<'_>) -> Result<(), Violation> {
        self.perform_until(job, Until::Done).await.map(drop)
    }

    /// As `perform`, until one of two things.
    pub(crate) async fn perform_until(&mut self, job: Job<'_>, until: Until) -> Result<Ended, Violation> {
        // An earlier try ended without a session.
        let mut unsaved = matches!(&job, Job::HandOff(request) if request.retry);
        for _ in 0..MAX_TRIES {
            let fault = self.fault_of_call();
            self.account.tap.new_call();
            let (result, report) = self.attempt(&job, unsaved).await;
            self.all_calls += 1;
            self.all_requests += report.http.len();
            self.note_call(job.name(), &result, &report, fault);
            self.check_end(job.name(), &result)?;
            match result {
                Ok(done) => {
                    self.findings.extend(done.findings.iter().cloned());
                    if fault == Some(AtCall::ShownUnstored) {
                        self.show(&done.events)?;
                    }
                    if fault.is_none() {
                        self.show(&done.events)?;
                        self.store(done);
                        return Ok(Ended::Done);
                    }
                    unsaved = true;
                }
                Err(CallError::Plugin(error)) => {
                    let fatal = [
                        ErrorKind::InvalidSettings,
                        ErrorKind::InvalidRequest,
                        ErrorKind::InvalidSignature,
                        ErrorKind::Internal,
                        ErrorKind::Unsupported,
                    ];
                    if fatal.contains(&error.kind) {
                        let text = format!("{}: {:?}: {}", job.name(), error.kind, error.message);
                        return Err(Violation::new("error-kind", text));
                    }
                    self.now += error.retry_after_ms.unwrap_or(WAIT_MS);
                    let kept = error.session.is_some();
                    if let Some(session) = error.session {
                        self.session = Some(session);
                        unsaved = false;
                    }
                    if match until {
                        Until::Done => false,
                        Until::Kept => kept,
                        Until::FirstRefusal => error.kind == ErrorKind::Unauthorized,
                    } {
                        self.wait(true).await?;
                        return Ok(Ended::Failed);
                    }
                }
                Err(CallError::Trap(_)) => {
                    self.now += WAIT_MS;
                    unsaved = true;
                }
                Err(CallError::Host(message)) => return Err(Violation::new("host", message)),
            }
            // During a handoff the platform knows no ids yet; and webhooks are taken one at a time.
            self.wait(matches!(job, Job::Relay(_) | Job::Close | Job::Tick)).await?;
        }
        Err(Violation::new("wedged", format!("{} fails for ever", job.name())))
    }

    /// Tries a job once. Without `stores`, the result is discarded.
    pub(crate) async fn try_once(&mut self, job: &Job<'_>, unsaved: bool, stores: bool) -> Result<Tried, Violation> {
        self.account.tap.new_call();
        let (result, report) = self.attempt(job, unsaved).await;
        self.all_calls += 1;
        self.all_requests += report.http.len();
        self.calls += 1;
        self.note_call(job.name(), &result, &report, None);
        self.check_end(job.name(), &result)?;
        self.account.simulator.quiet().await;
        match result {
            Ok(done) if stores => {
                self.store(done);
                Ok(Tried::Done)
            }
            Ok(_) => Ok(Tried::Gone),
            Err(CallError::Plugin(error)) if error.kind == ErrorKind::InvalidRequest => {
                self.session = error.session.or(self.session.take());
                Ok(Tried::Refused)
            }
            Err(CallError::Plugin(error)) => {
                let kept = error.session.is_some();
                self.session = error.session.or(self.session.take());
                Ok(if kept { Tried::Kept } else { Tried::Gone })
            }
            Err(CallError::Trap(_)) => Ok(Tried::Gone),
            Err(CallError::Host(message)) => Err(Violation::new("host", message)),
        }
    }

    async fn attempt(&self, job: &Job<'_>, unsaved: bool) -> (Result<Done, CallError>, CallReport) {
        let Account { plugin, sandbox, settings, .. } = &self.account;
        let retry = unsaved && self.manners == Manners::Good;
        let session = self.session.as_deref();
        let given = session.unwrap_or_default();
        let words = |findings: Vec<handoff_host::bindings::Finding>| findings.into_iter().map(|it| it.code).collect();
        let call = match job {
            Job::HandOff(request) => {
                let request = HandoffRequest { retry, ..(*request).clone() };
                let call = plugin.handoff(sandbox, settings, &request, session, self.now).await;
                let done = call.result.map(|receipt| Done {
                    events: Vec::new(),
                    session: Some(receipt.session),
                    info: Some(receipt.info),
                    findings: words(receipt.findings),
                });
                return (done, call.report);
            }
            Job::Relay(message) => plugin.relay(sandbox, settings, given, message, retry, self.now).await,
            Job::Close => plugin.close(sandbox, settings, given, CloseReason::UserLeft, retry, self.now).await,
            Job::Webhook(delivery) => plugin.on_webhook(sandbox, settings, delivery, session).await,
            Job::Tick => plugin.tick(sandbox, settings, given, self.now).await,
            Job::Undelivered(id) => plugin.undelivered(sandbox, settings, given, id, retry, self.now).await,
        };
        let done = call.result.map(|update| Done {
            events: update.events,
            session: update.session,
            info: update.info,
            findings: words(update.findings),
        });
        (done, call.report)
    }

    fn note_call(&mut self, name: &str, result: &Result<Done, CallError>, report: &CallReport, fault: Option<AtCall>) {
        if self.log.is_none() {
            return;
        }
        let outcome = match result {
            Ok(done) => {
                let told: Vec<String> = done.events.iter().map(|it| format!("{:?} {}", it.kind, it.id)).collect();
                let state = done.info.as_ref().map(|info| info.state);
                format!("ok {state:?} {told:?} {:?} {fault:?}", done.findings)
            }
            Err(CallError::Plugin(error)) => {
                let session = if error.session.is_some() { "with session" } else { "without session" };
                format!("{:?} {session}: {}", error.kind, error.log.as_deref().unwrap_or(&error.message))
            }
            Err(other) => other.to_string(),
        };
        let requests: Vec<String> = report
            .http
            .iter()
            .map(|it| {
                let path = it.url.split_once("/v2").map_or(it.url.as_str(), |(_, path)| path);
                let status =
                    it.status.map_or_else(|| it.error.clone().unwrap_or_default(), |status| status.to_string());
                format!("    {} {path} -> {status}", it.method)
            })
            .collect();
        let number = self.calls;
        self.note(|| format!("  call {number}: {name} -> {outcome}"));
        requests.into_iter().for_each(|line| self.note(|| line));
    }

    /// An instance that was to die has died, by the right meter; no other has.
    fn check_end(&self, name: &str, result: &Result<Done, CallError>) -> Result<(), Violation> {
        let died = match result {
            Err(CallError::Trap(trap)) => Some(trap.kind),
            _ => None,
        };
        let must = self.account.tap.deadly();
        if died.map_or(must.is_empty(), |kind| must.contains(&kind)) {
            return Ok(());
        }
        let died = died.map_or("nothing", TrapKind::as_str);
        Err(Violation::new("trap", format!("{name} was stopped by {died}, and {must:?} was asked for")))
    }

    fn fault_of_call(&mut self) -> Option<AtCall> {
        if !self.armed {
            return None;
        }
        let number = self.calls;
        self.calls += 1;
        let fault = self.faults.iter().find_map(|fault| match fault.kind {
            Kind::Call(what) if fault.at == number => Some(what),
            _ => None,
        });
        self.hits += usize::from(fault.is_some());
        fault
    }

    fn store(&mut self, done: Done) {
        if done.session.is_some() {
            self.session = done.session;
        }
        if let Some(info) = done.info {
            self.ids
                .extend(info.conversation_ids.iter().filter(|id| !self.ids.contains(id)).cloned().collect::<Vec<_>>());
            self.info = Some(info);
        }
    }

    /// Shows events to the end user, each once.
    fn show(&mut self, events: &[Event]) -> Result<(), Violation> {
        for event in events {
            let Some(told) = Told::by(event) else { continue };
            match self.events.get(&event.id) {
                Some(before) if *before == told => continue,
                // See `Leniency::end_may_be_unknown`.
                Some(Told::Returned(_))
                    if matches!(told, Told::Returned(_)) && self.faults.iter().any(Fault::forgets) =>
                {
                    continue;
                }
                Some(before) => {
                    let text = format!("the id {} reported {before:?} and then {told:?}", event.id);
                    return Err(Violation::new("event-ids", text));
                }
                None => {}
            }
            self.events.insert(event.id.clone(), told.clone());
            if let (Told::Answer(marks), Some(message)) = (&told, &event.message) {
                self.answers.push((message.sent_at, marks.clone()));
            }
            self.screen.push(told);
        }
        Ok(())
    }

    /// Waits until an earlier try can no longer take effect (`retry-after-ms`). Webhooks arrive meanwhile.
    async fn wait(&mut self, listening: bool) -> Result<(), Violation> {
        self.account.simulator.quiet().await;
        if listening && self.info.is_some() { Box::pin(self.listen()).await } else { Ok(()) }
    }

    /// Takes the webhooks that have come.
    pub(crate) async fn listen(&mut self) -> Result<(), Violation> {
        self.account.simulator.settled().await;
        let all = self.account.simulator.deliveries();
        for delivery in all.iter().skip(self.collected) {
            self.collect(delivery);
        }
        self.collected = all.len();
        while !self.holding
            && let Some(incoming) = self.inbox.pop_front()
        {
            self.take(incoming).await?;
        }
        Ok(())
    }

    fn collect(&mut self, delivery: &simulator::Delivery) {
        let whole = Incoming {
            headers: delivery.headers.clone(),
            body: String::from_utf8_lossy(&delivery.body).into_owned(),
            broken: false,
        };
        let altered = |name: &str| {
            let body = without(&delivery.body, name);
            Incoming { headers: self.account.signature(body.as_bytes()), body, broken: false }
        };
        let mut fault = None;
        if self.armed {
            let number = self.webhooks;
            self.webhooks += 1;
            fault = self.faults.iter().find_map(|fault| match fault.kind {
                Kind::Webhook(what) if fault.at == number => Some(what),
                _ => None,
            });
            self.hits += usize::from(fault.is_some());
        }
        let waiting = std::mem::take(&mut self.swapped);
        match fault {
            None => self.inbox.push_back(whole),
            Some(AtWebhook::Lost) => self.outstanding = true,
            Some(AtWebhook::LostAndTicked) => self.ring(),
            Some(AtWebhook::TickedThenLate) => {
                self.ring();
                self.late.push(whole);
            }
            Some(AtWebhook::Doubled) => self.inbox.extend([whole.clone(), whole]),
            Some(AtWebhook::Swapped) => {
                self.outstanding = true;
                self.swapped.push(whole);
            }
            Some(AtWebhook::Last) => {
                self.outstanding = true;
                self.last.push(whole);
            }
            Some(AtWebhook::Again) => {
                self.inbox.push_back(whole.clone());
                self.late.push(whole);
            }
            Some(AtWebhook::BadSignatureFirst) => {
                self.inbox.extend([Incoming { broken: true, ..whole.clone() }, whole]);
            }
            Some(AtWebhook::Untyped) => self.inbox.push_back(altered("message_type")),
            Some(AtWebhook::NoFileUrl) => self.inbox.push_back(altered("url")),
        }
        self.inbox.extend(waiting);
        let action = delivery.action.name();
        self.note(|| format!("  webhook {action} {fault:?}"));
    }

    /// The timer goes off before the next step; while webhooks are held back, after them.
    fn ring(&mut self) {
        self.ring = true;
        self.outstanding |= self.holding;
    }

    async fn take(&mut self, incoming: Incoming) -> Result<(), Violation> {
        let mut delivery = Delivery { headers: incoming.headers, body: incoming.body, received_at: self.now };
        if incoming.broken {
            let is_signature = |header: &&mut (String, String)| header.0.eq_ignore_ascii_case("x-freshchat-signature");
            for (_, signature) in delivery.headers.iter_mut().filter(is_signature) {
                let other = if signature.starts_with('A') { "B" } else { "A" };
                signature.replace_range(..1, other);
            }
            return self.refuse(&delivery).await;
        }
        let ids = self.account.plugin.peek(&self.account.sandbox, &delivery.body).await.result;
        let ids = ids.map_err(|error| Violation::new("peek", error.to_string()))?;
        if !ids.iter().any(|id| self.ids.contains(id)) && self.is_of_person(&ids) {
            return Err(Violation::new(
                "conversation-ids",
                "a webhook of the conversation is not found by its ids".into(),
            ));
        }
        // Another person's webhook is passed on, too: the plugin must recognise it.
        self.perform(Job::Webhook(&delivery)).await
    }

    fn is_of_person(&self, ids: &[String]) -> bool {
        self.session.is_some()
            && self.info.is_some()
            && self.account.conversations_of_person().iter().any(|conversation| ids.contains(&conversation.id))
    }

    async fn refuse(&mut self, delivery: &Delivery) -> Result<(), Violation> {
        let call = self.account.plugin.on_webhook(
            &self.account.sandbox,
            &self.account.settings,
            delivery,
            self.session.as_deref(),
        );
        match call.await.result {
            Err(CallError::Plugin(error)) if error.kind == ErrorKind::InvalidSignature => Ok(()),
            other => Err(Violation::new("signature", format!("a broken signature gave {other:?}"))),
        }
    }

    /// The webhooks that were swapped or come last.
    pub(crate) async fn listen_to_the_end(&mut self) -> Result<(), Violation> {
        self.holding = false;
        self.listen().await?;
        let rest = std::mem::take(&mut self.swapped).into_iter().chain(std::mem::take(&mut self.last));
        for incoming in rest.collect::<Vec<_>>() {
            self.take(incoming).await?;
        }
        Ok(())
    }

    /// The webhooks that come when everything is over.
    pub(crate) async fn listen_to_the_late(&mut self) -> Result<(), Violation> {
        for incoming in std::mem::take(&mut self.late) {
            self.take(incoming).await?;
        }
        Ok(())
    }

    /// Fires the timer once: the first poll must find what was lost.
    pub(crate) async fn ring_once(&mut self) -> Result<(), Violation> {
        let Some(at) = self.info.as_ref().and_then(|info| info.next_tick_at) else { return Ok(()) };
        self.now = self.now.max(at);
        self.perform(Job::Tick).await
    }

    /// Fires the timer until it reports nothing more.
    pub(crate) async fn tick_until_quiet(&mut self) -> Result<(), Violation> {
        let mut quiet = 0;
        while quiet < 2 {
            let Some(at) = self.info.as_ref().and_then(|info| info.next_tick_at) else { return Ok(()) };
            let before = self.screen.len();
            self.now = self.now.max(at);
            self.perform(Job::Tick).await?;
            quiet = if self.screen.len() == before { quiet + 1 } else { 0 };
        }
        Ok(())
    }

    /// Advances time while ticks may be refused: a failed one is retried after twelve hours.
    pub(crate) async fn suffer(&mut self, minutes: u64) -> Result<(), Violation> {
        const PATIENCE_MS: u64 = 12 * 60 * 60_000;
        let until = self.now + minutes * 60_000;
        let mut not_before = 0;
        while let Some(at) = self.info.as_ref().and_then(|info| info.next_tick_at) {
            let at = at.max(not_before);
            if at > until {
                break;
            }
            self.now = self.now.max(at);
            if self.perform_until(Job::Tick, Until::FirstRefusal).await? == Ended::Failed {
                not_before = self.now + PATIENCE_MS;
            } else if !self.takes_messages() {
                // Further ticks are of no interest here.
                return Ok(());
            }
        }
        self.now = self.now.max(until);
        Ok(())
    }

    /// Advances time; the timer fires when due.
    pub(crate) async fn pass(&mut self, minutes: u64) -> Result<(), Violation> {
        let until = self.now + minutes * 60_000;
        while let Some(at) = self.info.as_ref().and_then(|info| info.next_tick_at).filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.perform(Job::Tick).await?;
            self.listen().await?;
        }
        self.now = self.now.max(until);
        Ok(())
    }

    pub(crate) fn state(&self) -> Option<SessionState> {
        self.info.as_ref().map(|info| info.state)
    }
}

/// A body without every field of that name.
fn without(body: &[u8], name: &str) -> String {
    fn strip(value: &mut Value, name: &str) {
        match value {
            Value::Object(fields) => {
                fields.remove(name);
                fields.values_mut().for_each(|value| strip(value, name));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| strip(value, name)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    strip(&mut value, name);
    value.to_string()
}

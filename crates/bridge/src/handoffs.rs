//! What happens to one handoff: it begins, messages go over, it ends, time passes; and what the platform is told of that.

mod event_queue;
pub mod journal;
mod ratings;

use std::collections::{BTreeMap, VecDeque};

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::settings::Settings;
use freshworks_handoff::use_cases::{Receipt, Update, close, handoff, relay, tick, undelivered};
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{
    CloseReason, ConversationKey, Event, EventKind, HandoffRequest, Message, Outcome, WaitEstimate,
};
use serde::{Deserialize, Serialize};

use crate::handoffs::journal::What;
use crate::http::OutgoingResponse;
use crate::http::problem::{self, Problem};
use crate::http::responses::{ClosedResponse, HandedOverResponse, RelayedResponse, TickResponse};
use crate::lease::{self, BUSY, LeasedHandoff, busy, lease_ms};
use crate::metrics::activity::HANDOFF_MS;
use crate::metrics::deliveries::{Delivered, kinds_of, news_id};
use crate::metrics::log::Level;
use crate::platform::files::WithAccess;
use crate::platform::{Asked, DeliveryError, News, Platform, PlatformSettings};
use crate::service::{Service, unknown_handoff};
use crate::state::{Connection, DueHandoff, EventQueue, HANDOFF, Handoff, KEPT_DAYS, Rest, StateError, days_ms};
use crate::webhooks::inbox::Progress;
use crate::webhooks::ticket::known_by;

/// Handoffs that one `POST /v1/tick` looks after, and for how long a further one is begun: hosts end requests that take longer than 30
/// seconds, and a platform has 17.
const MAX_TICKS: u32 = 200;
const MAX_TICK_MS: u64 = 12_000;
/// A look that takes longer than this delays those behind it.
const SLOW_MS: u64 = 2_000;
/// How long a connection rests whose looks take long and fail: as long as they have failed so far, within these bounds.
const MIN_REST_MS: u64 = 30_000;
const MAX_REST_MS: u64 = 15 * 60 * 1000;
/// A handoff that a platform has asked for by webhook is tried for so long. A person waits.
const MAX_WAITING_MS: u64 = 10 * 60 * 1000;
/// That it has failed is told for so long. The platform has other worries by then.
const MAX_TELLING_MS: u64 = 24 * 60 * 60 * 1000;
/// How long to wait before it is tried again: as long as it has failed so far, within these bounds.
const MIN_WAIT_MS: u64 = 5_000;
const MAX_WAIT_MS: u64 = 2 * 60 * 1000;
/// More messages than this of the end user since the last look: the next look starts later.
const MANY_MESSAGES: usize = 50;
/// How far messages of one channel may overtake one another.
const OVERTAKING_MS: u64 = 60_000;

/// A handoff that has not come about yet, as it is stored.
#[derive(Serialize, Deserialize)]
struct Pending {
    id: String,
    event: String,
}

/// Why the other handoffs of a connection have to wait in one call of `tick`.
enum Pace {
    /// Its looks take long: they come after those of others.
    Slow,
    /// They take long and fail: none before the next call.
    Resting,
}

/// The contract's word for a value of one of its enums.
pub(crate) fn word_of(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The id of a conversation's handoff in the API.
pub(crate) fn handoff_id(key: &ConversationKey) -> String {
    digest(&[&key.application, &key.channel, &key.conversation], 16)
}

/// What the newest handoff of a channel is found by, among the conversations of Freshworks.
pub(crate) fn channel_word(channel: &str) -> String {
    format!("channel:{channel}")
}

impl Service<'_> {
    pub(crate) fn hand_off(
        &self,
        connection: &Connection,
        request: HandoffRequest,
        repeat: Option<&str>,
    ) -> Result<OutgoingResponse, Problem> {
        let key = request.key.clone();
        self.answer_to(connection, &key, Asked::Complete(Box::new(request)), repeat)
    }

    /// A handoff of which the platform learns nothing: its events wait to be fetched.
    pub(crate) fn try_out(
        &self,
        connection: &Connection,
        request: HandoffRequest,
    ) -> Result<OutgoingResponse, Problem> {
        let key = request.key.clone();
        self.answer_to(connection, &key, Asked::Trial(Box::new(request)), None)
    }

    fn answer_to(
        &self,
        connection: &Connection,
        key: &ConversationKey,
        asked: Asked,
        repeat: Option<&str>,
    ) -> Result<OutgoingResponse, Problem> {
        let (handoff, receipt) = self.hand_over(connection, key, asked, repeat)?;
        Ok(OutgoingResponse::ok(HandedOverResponse { handoff: (&handoff).into(), receipt: receipt.map(Into::into) }))
    }

    /// Hands over, or goes on with it. `repeat`: the id of the request, which is carried out once; without a receipt it was
    /// carried out before.
    pub(crate) fn hand_over(
        &self,
        connection: &Connection,
        key: &ConversationKey,
        asked: Asked,
        repeat: Option<&str>,
    ) -> Result<(Handoff, Option<Receipt>), Problem> {
        let (id, began) = (handoff_id(key), (self.clock)());
        let mut work = LeasedHandoff::begin(self, &connection.id, &connection.settings, &id, Some(key), HANDOFF)?;
        if repeat.is_some_and(|repeat| work.handoff.seen.iter().any(|seen| seen == repeat)) {
            let handoff = work.handoff.clone();
            work.give_back()?;
            return Ok((handoff, None));
        }
        if work.is_new && matches!(asked, Asked::Trial(_)) {
            work.handoff.event_queue = Some(EventQueue { is_trial: true, ..EventQueue::default() });
        }
        if let Some(user) = asked.user().filter(|_| work.handoff.platform.user.is_empty()) {
            // Also what does not come about is found by whose it is.
            work.handoff.platform.user = user;
        }
        let platform = connection.platform.of(&work.handoff);
        let prepared = match platform.prepare(&work.http, &asked) {
            Ok(prepared) => prepared,
            Err(untold) => {
                let kind = match untold {
                    DeliveryError::Retryable(_) => ErrorKind::Unavailable,
                    DeliveryError::Permanent(_) => ErrorKind::Rejected,
                };
                let error = Error::new(kind, "the platform does not say what to hand over").with_log(untold.text());
                return Err(self.put_off(connection, work, asked, repeat, error));
            }
        };
        let mut request = prepared.request;
        // What the end user reads is in this language, also when it does not come about.
        work.handoff.platform.locale.clone_from(&request.user.locale);
        request.retry |= work.is_retry();
        let session = work.handoff.session.clone();
        let was_with_humans = work.handoff.is_with_humans();
        let now = (self.clock)();
        let files = platform.file_access();
        let parts = request.history().iter().flat_map(|message| &message.parts);
        let settings = files.as_ref().map(|files| files.settings(&connection.settings, parts));
        let settings = settings.as_deref().unwrap_or(&connection.settings);
        let http = WithAccess { http: &work.http, access: files };
        match handoff::handoff(&http, settings, &request, session.as_deref(), now) {
            Ok(receipt) => {
                work.take(Some(receipt.session.clone()), Some(&receipt.info));
                for decision in &receipt.decisions {
                    work.note(What::decision(&decision.subject, &decision.rule, &decision.choice));
                }
                if !receipt.steps.is_empty() {
                    let way = if receipt.info.ticket_id.is_some() { "ticket" } else { "live" };
                    self.counters.one(&connection.id, &["handoffs", way]);
                    self.counters.trend(&connection.id, now, "handoffs", 1);
                    self.counters.took(&connection.id, HANDOFF_MS, (self.clock)().saturating_sub(began));
                }
                if let Some(estimate) = &receipt.estimate {
                    let WaitEstimate { average_wait_seconds, waiting } = *estimate;
                    work.note(What::Estimate { average_wait_seconds, waiting });
                }
                let notes = &mut work.handoff.platform;
                // Where human agents had it already, nothing of this request went over.
                if !was_with_humans {
                    (notes.user, notes.carried_until) = (prepared.user, prepared.carried_until);
                }
                (notes.pending, notes.failing_since) = (None, None);
                work.handoff.failing = None;
                if let Some(repeat) = repeat {
                    work.handoff.record_request(repeat);
                }
                let mut known = known_by(Some(&receipt.info));
                known.push(channel_word(&key.channel));
                if matches!(asked, Asked::Event(_)) && receipt.info.ticket_id.is_some() {
                    // The platform's AI agent has left the conversation to human agents; it has to learn that none comes.
                    let mut event = Event::new(
                        format!("ticket:{}", receipt.external_case.case_id),
                        EventKind::ReturnedToAi,
                        now,
                        None,
                    );
                    event.outcome = Some(Outcome::Ticketed);
                    let update = Update {
                        events: vec![event],
                        session: Some(receipt.session.clone()),
                        info: Some(receipt.info.clone()),
                        findings: Vec::new(),
                        decisions: Vec::new(),
                    };
                    let handoff = self.tell(connection, work, update, false)?;
                    return Ok((handoff, Some(receipt)));
                }
                if matches!(asked, Asked::Event(_)) && !receipt.steps.is_empty() {
                    let is_nobody_there = receipt
                        .findings
                        .iter()
                        .any(|finding| finding.check == "availability" && finding.code != "availability-unknown");
                    let told = platform.handed_over(
                        &work.http,
                        &work.handoff,
                        &receipt.external_case.case_id,
                        is_nobody_there,
                    );
                    // The handoff is done, whether or not this can be said.
                    if let Err(untold) = told {
                        self.warn(&connection.id, &id, untold.text());
                    }
                }
                if let Some(estimate) = &receipt.estimate {
                    // Whoever asked by the API reads it in the answer. It is not worth a repeat.
                    let told = match &asked {
                        Asked::Event(_) => {
                            platform.tell_estimate(&work.http, &work.handoff, &receipt.external_case.case_id, estimate)
                        }
                        Asked::Complete(_) | Asked::Trial(_) => Ok(()),
                    };
                    if let Err(untold) = told {
                        self.warn(&connection.id, &id, untold.text());
                    }
                }
                let handoff = work.save(&known)?;
                // What the person wrote while this was under way. Whatever fails here is done by the next tick.
                if let Err(problem) = self.catch_up(connection, &handoff) {
                    self.warn(&connection.id, &id, &problem.detail);
                }
                Ok((handoff, Some(receipt)))
            }
            Err(error) => Err(self.put_off(connection, work, asked, repeat, error)),
        }
    }

    /// A handoff that failed. Where nobody waits for the answer, `tick` tries again, until it is plain that it will not come about.
    fn put_off(
        &self,
        connection: &Connection,
        mut work: LeasedHandoff<'_>,
        asked: Asked,
        repeat: Option<&str>,
        error: Error,
    ) -> Problem {
        self.counters.one(&connection.id, &["handoffs", "failed", problem::word(error.kind)]);
        self.counters.trend(&connection.id, (self.clock)(), "failures", 1);
        let Asked::Event(event) = asked else { return work.failed(error) };
        let notes = &mut work.handoff.platform;
        let now = (self.clock)();
        let failing_for = now.saturating_sub(*notes.failing_since.get_or_insert(now));
        notes.last_failure = Some(error.message.clone().into_owned());
        let may_pass =
            matches!(error.kind, ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::OutcomeUnknown);
        let over = !may_pass || failing_for >= MAX_WAITING_MS;
        if over {
            let platform = connection.platform.of(&work.handoff);
            let told = platform.give_up(&work.http, connection, &work.handoff, now);
            if !matches!(platform, PlatformSettings::Polling(_)) {
                let since = work.handoff.platform.failing_since.unwrap_or(0).to_string();
                let out = news_id(&[&connection.id, &work.handoff.id, "failed", &since]);
                let (result, why) = match &told {
                    Ok(()) => ("done", ""),
                    Err(untold) => ("failed", untold.text()),
                };
                let what = Delivered::to_platform(&out, "handoff-failed", &work.handoff.id);
                self.log_delivery(connection, what, result, why, now);
            }
            match told {
                Err(DeliveryError::Retryable(text)) if failing_for < MAX_TELLING_MS => {
                    self.warn(&connection.id, &work.handoff.id, &text);
                }
                _ => {
                    (work.handoff.platform.pending, work.handoff.next_tick_at) = (None, None);
                    repeat.into_iter().for_each(|repeat| work.handoff.record_request(repeat));
                    work.handoff.state = "failed".to_owned();
                }
            }
        }
        let notes = &mut work.handoff.platform;
        let is_seen = repeat.is_some_and(|repeat| work.handoff.seen.iter().any(|seen| seen == repeat));
        if !is_seen {
            let pending = Pending { id: repeat.unwrap_or_default().to_owned(), event };
            notes.pending = serde_json::to_string(&pending).ok();
            // However often the platform repeats its webhook meanwhile.
            let wait = failing_for.clamp(MIN_WAIT_MS, MAX_WAIT_MS);
            work.handoff.next_tick_at = Some(now.saturating_add(wait.max(error.retry_after_ms.unwrap_or(0))));
        }
        let about = work.handoff.id.clone();
        let failed = work.failed_but_kept(error);
        if over && is_seen {
            // The platform knows; it must not send the webhook again.
            self.warn(&connection.id, &about, &format!("a handoff was given up: {}", failed.detail));
        }
        failed
    }

    pub(crate) fn relay(
        &self,
        connection: &Connection,
        id: &str,
        message: &Message,
    ) -> Result<OutgoingResponse, Problem> {
        let (handoff, update) = self.relay_message(connection, id, message)?;
        Ok(OutgoingResponse::ok(RelayedResponse { handoff: (&handoff).into(), findings: update.findings }))
    }

    pub(crate) fn relay_message(
        &self,
        connection: &Connection,
        id: &str,
        message: &Message,
    ) -> Result<(Handoff, Update), Problem> {
        let (mut work, session) = self.work_on(connection, id, &lease::relaying(&message.id))?;
        let retry = work.is_retry();
        let files = connection.platform.of(&work.handoff).file_access();
        let settings = files.as_ref().map(|files| files.settings(&connection.settings, message.parts.iter()));
        let settings = settings.as_deref().unwrap_or(&connection.settings);
        let http = WithAccess { http: &work.http, access: files };
        match relay::relay(&http, settings, &session, message, retry, (self.clock)()) {
            Ok(mut update) => {
                if update.session.is_some() {
                    work.note(What::Relayed);
                    self.counters.one(&connection.id, &["messages", "to-human"]);
                }
                // What the message was for is gone: the platform has to learn that the AI agent answers.
                if !update.events.is_empty() {
                    let handoff = self.tell(connection, work, update.clone(), false)?;
                    return Ok((handoff, update));
                }
                work.take(update.session.take(), update.info.as_ref());
                let known = known_by(update.info.as_ref());
                Ok((work.save(&known)?, update))
            }
            Err(error) => Err(work.failed(error)),
        }
    }

    /// Tells the human agents that a message of theirs could not be shown.
    pub(crate) fn undelivered(
        &self,
        connection: &Connection,
        id: &str,
        message: &str,
    ) -> Result<OutgoingResponse, Problem> {
        let doing = format!("undelivered:{}", digest(&[message], 8));
        let (mut work, session) = self.work_on(connection, id, &doing)?;
        let retry = work.is_retry();
        let now = (self.clock)();
        match undelivered::undelivered(&work.http, &connection.settings, &session, message, retry, now) {
            Ok(update) => {
                work.take(update.session, update.info.as_ref());
                let handoff = work.save(&[])?;
                Ok(OutgoingResponse::ok(RelayedResponse { handoff: (&handoff).into(), findings: update.findings }))
            }
            Err(error) => Err(work.failed(error)),
        }
    }

    /// Ends the human part. `repeat`: the id of the request, which is carried out once.
    pub(crate) fn close(
        &self,
        connection: &Connection,
        id: &str,
        reason: CloseReason,
        repeat: Option<&str>,
    ) -> Result<OutgoingResponse, Problem> {
        let (mut work, session) = self.work_on(connection, id, "close")?;
        // A handoff that is still being tried is no longer wanted.
        work.handoff.platform.pending = None;
        if repeat.is_some_and(|repeat| work.handoff.seen.iter().any(|seen| seen == repeat)) {
            let handoff = (&work.handoff).into();
            work.give_back()?;
            return Ok(OutgoingResponse::ok(ClosedResponse { handoff, events: Vec::new(), findings: Vec::new() }));
        }
        let retry = work.is_retry();
        match close::close(&work.http, &connection.settings, &session, reason, retry, (self.clock)()) {
            Ok(update) => {
                let (events, findings) = (update.events.clone(), update.findings.clone());
                // Whoever called knows; a platform that sent a webhook learns the outcome.
                let handoff = match repeat {
                    Some(repeat) => {
                        work.handoff.record_request(repeat);
                        self.tell(connection, work, update, true)?
                    }
                    None => {
                        events.iter().for_each(|event| self.was_told(connection, &work, event));
                        work.take(update.session, update.info.as_ref());
                        work.save(&known_by(update.info.as_ref()))?
                    }
                };
                Ok(OutgoingResponse::ok(ClosedResponse { handoff: (&handoff).into(), events, findings }))
            }
            Err(error) => Err(work.failed(error)),
        }
    }

    /// Everything that is due, as far as there is time. Connections take turns, so that nobody waits for the failures of others.
    pub(crate) fn tick(&self) -> Result<OutgoingResponse, Problem> {
        let started = (self.clock)();
        let (mut done, mut failed) = (0, 0);
        let due = self.state.due(started, MAX_TICKS)?;
        let mut queue: VecDeque<(DueHandoff, bool)> = due.first.into_iter().map(|one| (one, false)).collect();
        let mut pace: BTreeMap<String, Pace> = BTreeMap::new();
        while let Some((one, was_deferred)) = queue.pop_front() {
            let began = (self.clock)();
            if began.saturating_sub(started) > MAX_TICK_MS {
                break;
            }
            match pace.get(&one.connection) {
                Some(Pace::Resting) => continue,
                Some(Pace::Slow) if !was_deferred => {
                    queue.push_back((one, true));
                    continue;
                }
                _ => {}
            }
            let DueHandoff { connection: name, id, resting_since } = one;
            let connection = match self.state.connection(&name) {
                Ok(Some(connection)) => connection,
                // Removed meanwhile, and with it the handoff.
                Ok(None) => continue,
                // One that cannot be read, for example because its key is missing, does not stop the others.
                Err(error) => {
                    failed += 1;
                    self.say(Level::Error, &name, &id, &error.0);
                    continue;
                }
            };
            let looked = self.tick_one(&connection, &id, false);
            let now = (self.clock)();
            let is_slow = now.saturating_sub(began) > SLOW_MS;
            match looked {
                Ok(()) => {
                    done += 1;
                    if resting_since.is_some() {
                        self.state.rest(&name, None)?;
                    }
                    if is_slow {
                        pace.insert(name, Pace::Slow);
                    }
                }
                // Somebody else looks after it right now.
                Err(problem) if problem.kind == BUSY => {}
                Err(problem) => {
                    failed += 1;
                    self.has_failed(&connection, &id, &problem, false);
                    // What failed at once takes no time from others. What took long would for each of its handoffs.
                    if is_slow || problem.kind == problem::word(ErrorKind::RateLimited) {
                        let since = resting_since.unwrap_or(began);
                        let wait = now.saturating_sub(since).clamp(MIN_REST_MS, MAX_REST_MS);
                        let until = now.saturating_add(wait.max(problem.retry_after_ms.unwrap_or(0)));
                        self.state.rest(&name, Some(Rest { since, until }))?;
                        pace.insert(name, Pace::Resting);
                    }
                }
            }
        }
        let before = |days| started.saturating_sub(days_ms(days));
        let each = self.state.each_connection()?;
        let names: Vec<String> = each.iter().map(|(id, _)| id.clone()).collect();
        self.timer_was_here(&names)?;
        self.look_again(&self.those_readable(&each), started.saturating_add(MAX_TICK_MS));
        let own = |(id, connection): (String, Result<Connection, StateError>)| match connection {
            Ok(connection) => Some((id, before(connection.keep_days?))),
            // It may keep for longer than others: nothing of it is forgotten until it can be read.
            Err(error) => {
                self.say(Level::Error, &id, "", &format!("what has ended is not forgotten now: {}", error.0));
                Some((id, 0))
            }
        };
        let own: Vec<_> = each.into_iter().filter_map(own).collect();
        self.state.forget(before(KEPT_DAYS), &own)?;
        self.trim_records()?;
        self.note_tick(started)?;
        let left = usize::try_from(due.all).unwrap_or(usize::MAX).saturating_sub(done + failed);
        Ok(OutgoingResponse::ok(TickResponse { done, failed, left }))
    }

    /// What time has brought for one handoff. `asked`: whether it is due or not.
    pub(crate) fn tick_one(&self, connection: &Connection, id: &str, asked: bool) -> Result<(), Problem> {
        let stored = self.state.handoff(&connection.id, id)?.ok_or_else(unknown_handoff)?;
        let pending = stored.platform.pending.as_deref().and_then(|text| serde_json::from_str::<Pending>(text).ok());
        if let Some(Pending { id, event }) = pending {
            return self.hand_over(connection, &stored.key, Asked::Event(event), Some(&id)).map(drop);
        }
        // What Freshworks has told comes before what it can be asked for.
        let settings = Settings::parse(&connection.settings)?;
        let work = match self.work_off_under(connection, &settings, id, true, lease_ms(&settings))? {
            (Progress::Taken, _) if !asked => return Err(busy()),
            // The rest has its turn at the next call.
            (Progress::NoTime, _) => return Ok(()),
            (_, work) => work,
        };
        let work = match work {
            Some(work) => work,
            None => LeasedHandoff::begin_known(self, &connection.id, &connection.settings, id, "")?,
        };
        if !asked && work.handoff.next_tick_at.is_none_or(|at| at > (self.clock)()) {
            return work.give_back();
        }
        let (work, session) = with_session(work)?;
        let handoff = match tick::tick(&work.http, &connection.settings, &session, (self.clock)()) {
            Ok(update) => self.tell(connection, work, update, false)?,
            Err(error) => return Err(work.failed(error)),
        };
        if handoff.is_with_humans() { self.catch_up(connection, &handoff) } else { Ok(()) }
    }

    /// Relays what the end user wrote and no webhook has brought, as far as the platform can be asked.
    fn catch_up(&self, connection: &Connection, handoff: &Handoff) -> Result<(), Problem> {
        let written = connection.platform.of(handoff).written(self.http, handoff).map_err(|untold| {
            Problem::new(503, "unavailable", "the platform does not say what was written").logged(untold.text())
        })?;
        for message in &written {
            match self.relay_message(connection, &handoff.id, message) {
                // One that can never go over must not hold up those behind it.
                Err(problem) if problem.status < 500 => {
                    self.warn(&connection.id, &handoff.id, &format!("a message was left out: {}", problem.kind));
                }
                relayed => relayed.map(drop)?,
            }
        }
        let Some(newest) = written.last().filter(|_| written.len() >= MANY_MESSAGES) else { return Ok(()) };
        let (mut work, _) = self.work_on(connection, &handoff.id, "")?;
        let until = &mut work.handoff.platform.carried_until;
        *until = (*until).max(newest.sent_at.saturating_sub(OVERTAKING_MS));
        work.save(&[]).map(drop)
    }

    /// Tells the platform what happened, and only then stores that it did: what was not told comes again.
    /// `asked`: the platform has asked for it itself.
    pub(crate) fn tell(
        &self,
        connection: &Connection,
        mut work: LeasedHandoff<'_>,
        update: Update,
        asked: bool,
    ) -> Result<Handoff, Problem> {
        let mut events = update.events;
        events.retain(|event| event.kind != EventKind::Ignored);
        let mut lost = Vec::new();
        let id = &work.handoff.id.clone();
        if !events.is_empty() {
            let news = News { events: &events, info: update.info.as_ref(), asked, now: (self.clock)() };
            let platform = connection.platform.of(&work.handoff);
            let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
            let (out, kinds) = (news_id(&ids), kinds_of(&events));
            let began = news.now;
            let told = platform.tell(&work.http, connection, &mut work.handoff, &news);
            // What waits to be fetched is not sent.
            if !matches!(platform, PlatformSettings::Polling(_)) {
                let (result, why) = match &told {
                    Ok(()) => ("done", ""),
                    Err(DeliveryError::Retryable(text)) => ("failed", text.as_str()),
                    Err(DeliveryError::Permanent(text)) => ("given-up", text.as_str()),
                };
                self.log_delivery(connection, Delivered::to_platform(&out, &kinds, id), result, why, began);
            }
            match told {
                Ok(()) => {
                    work.handoff.platform.last_failure = None;
                    events.iter().for_each(|event| self.was_told(connection, &work, event));
                }
                Err(DeliveryError::Permanent(text)) => {
                    work.note(What::failure("untold", &text));
                    self.warn(&connection.id, &work.handoff.id, &text);
                    work.handoff.platform.last_failure = Some(text);
                    work.handoff.could_not_tell(&out, &events);
                    lost.extend(
                        events
                            .iter()
                            .filter(|event| event.kind == EventKind::AgentMessage)
                            .filter_map(|event| event.message.as_ref().map(|message| message.id.clone())),
                    );
                }
                Err(DeliveryError::Retryable(text)) => {
                    work.note(What::failure("untold", &text));
                    work.unfinished()?;
                    return Err(Problem::new(503, "unavailable", "the platform did not take the events")
                        .with_remedy("Repeat later.")
                        .after(1_000)
                        .logged(text));
                }
            }
        }
        // What the end user wrote to the AI agent in between is not for human agents.
        if let Some(reopened) = events.iter().rfind(|event| event.kind == EventKind::Reopened) {
            let until = &mut work.handoff.platform.carried_until;
            *until = (*until).max(reopened.at);
        }
        work.handoff.failing = None;
        work.take(update.session, update.info.as_ref());
        let handoff = work.save(&known_by(update.info.as_ref()))?;
        for message in &lost {
            // The human agents should know; that they cannot be told changes nothing.
            if let Err(problem) = self.undelivered(connection, &handoff.id, message) {
                self.warn(&connection.id, &handoff.id, &problem.detail);
            }
        }
        Ok(handoff)
    }

    fn was_told(&self, connection: &Connection, work: &LeasedHandoff<'_>, event: &Event) {
        let outcome = event.outcome.map(word_of);
        work.note(What::Event { event: word_of(event.kind), outcome: outcome.clone() });
        if event.kind == EventKind::AgentMessage {
            self.counters.one(&connection.id, &["messages", "to-user"]);
        }
        if let Some(outcome) = outcome.filter(|_| event.kind == EventKind::ReturnedToAi) {
            self.counters.one(&connection.id, &["outcomes", &outcome]);
        }
    }

    /// The platform has ended a conversation whose handoff has not come about: it is no longer tried.
    pub(crate) fn call_off(&self, connection: &Connection, id: &str, repeat: &str) -> Result<(), Problem> {
        let mut work = LeasedHandoff::begin(self, &connection.id, &connection.settings, id, None, "")?;
        work.handoff.platform.pending = None;
        work.handoff.next_tick_at = None;
        work.handoff.record_request(repeat);
        work.save(&[]).map(drop)
    }

    /// The lease of a handoff that exists, with its session.
    pub(crate) fn work_on(
        &self,
        connection: &Connection,
        id: &str,
        doing: &str,
    ) -> Result<(LeasedHandoff<'_>, Vec<u8>), Problem> {
        with_session(LeasedHandoff::begin_known(self, &connection.id, &connection.settings, id, doing)?)
    }
}

fn with_session(work: LeasedHandoff<'_>) -> Result<(LeasedHandoff<'_>, Vec<u8>), Problem> {
    match work.handoff.session.clone().filter(|_| !work.is_new) {
        Some(session) => Ok((work, session)),
        None => {
            work.give_back()?;
            Err(unknown_handoff())
        }
    }
}

//! One piece of work on one handoff: takes the lease, keeps it while there is something to send, stores the result and gives
//! the lease back.
//!
//! The order that matters: effects first, then the store, then the answer. What was not stored did not happen for us, and is
//! asked for again: by Freshworks, which repeats a webhook that was not acknowledged, or by the platform.

use std::cell::{Cell, RefCell};

use freshworks_handoff::conversation::session::{Session, message_key};
use freshworks_handoff::http::{Http, Method, Request, Response, TransportError};
use freshworks_handoff::settings::Settings;
use handoff_contract::error::Error;
use handoff_contract::model::{ConversationKey, SessionInfo, Timestamp};

use crate::handoffs::journal::{self, Entry, What};
use crate::http::problem::{self, Problem};
use crate::service::{Service, unknown_handoff};
use crate::state::{Handoff, Lease, Saved, StoredDelivery};

/// Longer than any request that is sent under a lease: what the store and the way there take besides.
const MARGIN_MS: u64 = 3_000;
/// A lease to read and to tell. It is made to last for what is sent: where the instance ends with its answer, the next one need not wait
/// for long.
pub(crate) const BRIEFLY_MS: u64 = MARGIN_MS;
/// How long to wait for somebody else's work on the same handoff before the caller is asked to come again. Freshworks and
/// platforms give up after some seconds.
const MAX_WAIT_MS: u64 = 2_500;
/// How long to wait between two looks, at first and at most.
const FIRST_PAUSE_MS: u64 = 10;
const MAX_PAUSE_MS: u64 = 160;

/// Work under way. Given up without [`save`](LeasedHandoff::save) or [`give_back`](LeasedHandoff::give_back), its lease ends by itself, and
/// what it began counts as unsure.
pub(crate) struct LeasedHandoff<'a> {
    service: &'a Service<'a>,
    /// What is stored, with what this work has changed.
    pub(crate) handoff: Handoff,
    /// There was nothing before.
    pub(crate) is_new: bool,
    /// Sends requests for as long as nobody else has taken over.
    pub(crate) http: Fenced<'a>,
    doing: String,
    /// What is unsure, besides the messages in doubt that the session knows of.
    unsure: Vec<String>,
    lease: Lease,
}

/// Which lease is taken.
struct Wanted<'a> {
    for_ms: u64,
    /// What must not be done twice; empty for what may.
    doing: &'a str,
    /// How long to wait for whoever has it.
    patience_ms: u64,
    /// There must be a handoff.
    known: bool,
}

/// The first part of the words for relayed messages, before their [keys](message_key).
const MESSAGE: &str = "message:";

/// What is begun when a message is relayed.
pub(crate) fn relaying(message: &str) -> String {
    format!("{MESSAGE}{}", message_key(message))
}

/// Tells the session which relays were cut off since it was stored, before anything else happens to it: another message may go
/// ahead of their repeats. Answers what else is unsure.
fn pass_on_doubts(handoff: &mut Handoff, unsure: &[String]) -> Vec<String> {
    let is_message = |word: &&String| word.starts_with(MESSAGE);
    let stored = handoff.session.as_deref().filter(|_| unsure.iter().any(|word| is_message(&word)));
    let Some(mut session) = stored.and_then(|bytes| Session::decode(bytes).ok()) else { return unsure.to_vec() };
    unsure.iter().filter_map(|word| word.strip_prefix(MESSAGE)).for_each(|key| session.doubt(key));
    handoff.session = Some(session.encode());
    unsure.iter().filter(|word| !is_message(word)).cloned().collect()
}

impl<'a> LeasedHandoff<'a> {
    /// Takes the lease, waiting for whoever has it. `doing` names what must not be done twice; empty for what may.
    pub(crate) fn begin(
        service: &'a Service<'a>,
        connection: &str,
        settings: &str,
        id: &str,
        key: Option<&ConversationKey>,
        doing: &str,
    ) -> Result<Self, Problem> {
        let wanted =
            Wanted { for_ms: lease_ms(&Settings::parse(settings)?), doing, patience_ms: MAX_WAIT_MS, known: false };
        Self::begin_within(service, connection, id, key, &wanted)?.ok_or_else(busy)
    }

    /// The same for a handoff that must exist.
    pub(crate) fn begin_known(
        service: &'a Service<'a>,
        connection: &str,
        settings: &str,
        id: &str,
        doing: &str,
    ) -> Result<Self, Problem> {
        let wanted =
            Wanted { for_ms: lease_ms(&Settings::parse(settings)?), doing, patience_ms: MAX_WAIT_MS, known: true };
        Self::begin_within(service, connection, id, None, &wanted)?.ok_or_else(busy)
    }

    /// Takes the lease if nobody has it, for [`BRIEFLY_MS`] or [as long as a request takes](lease_ms).
    pub(crate) fn begin_if_free(
        service: &'a Service<'a>,
        connection: &str,
        id: &str,
        for_ms: u64,
    ) -> Result<Option<Self>, Problem> {
        let wanted = Wanted { for_ms, doing: "", patience_ms: 0, known: false };
        Self::begin_within(service, connection, id, None, &wanted)
    }

    fn begin_within(
        service: &'a Service<'a>,
        connection: &str,
        id: &str,
        key: Option<&ConversationKey>,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Self>, Problem> {
        let Wanted { for_ms, doing, patience_ms, known } = *wanted;
        let (mut waited, mut pause) = (0, FIRST_PAUSE_MS);
        let (lease, now) = loop {
            let now = (service.clock)();
            match service.state.lease(connection, id, doing, now, for_ms, known)? {
                Some(lease) => break (lease, now),
                None if waited == 0 && known && service.state.handoff(connection, id)?.is_none() => {
                    return Err(unknown_handoff());
                }
                None if waited >= patience_ms => return Ok(None),
                None => {
                    (service.pause)(pause);
                    waited += pause;
                    pause = (pause * 2).min(MAX_PAUSE_MS);
                }
            }
        };
        let is_new = lease.handoff.is_none();
        let key = key.cloned().unwrap_or_default();
        let mut handoff = lease.handoff.clone().unwrap_or_else(|| Handoff::new(connection, id, key, now));
        let unsure = pass_on_doubts(&mut handoff, &lease.unsure);
        let http = Fenced {
            service,
            connection: connection.to_owned(),
            id: id.to_owned(),
            lease: lease.number,
            until: Cell::new(now.saturating_add(for_ms)),
            journal: RefCell::default(),
        };
        service.later.touch(connection, id);
        if let Some(due) = handoff.next_tick_at {
            service.later.is_overdue(due);
        }
        Ok(Some(Self { service, handoff, is_new, http, doing: doing.to_owned(), unsure, lease }))
    }

    /// It was begun before, and nobody knows how that ended. Of relayed messages the session knows that.
    pub(crate) fn is_retry(&self) -> bool {
        !self.doing.is_empty() && self.unsure.contains(&self.doing)
    }

    /// The oldest delivery that waited when the lease was taken.
    pub(crate) fn next(&mut self) -> Option<StoredDelivery> {
        self.lease.next.take()
    }

    /// Notes what has happened, for whoever looks for the reason later.
    pub(crate) fn note(&self, what: What) {
        self.http.note(what);
    }

    /// Takes over what the core has answered.
    pub(crate) fn take(&mut self, session: Option<Vec<u8>>, info: Option<&SessionInfo>) {
        if session.is_some() {
            self.handoff.session = session;
        }
        if let Some(info) = info {
            let now = (info.state.word(), owner_word(info));
            if self.is_new || now != (self.handoff.state.as_str(), self.handoff.owner.as_str()) {
                self.note(What::State { state: now.0.to_owned(), owner: now.1.to_owned() });
                if now.0 == "active" && self.handoff.state == "queued" {
                    self.count_wait();
                }
            }
            self.handoff.state = info.state.word().to_owned();
            self.handoff.owner = owner_word(info).to_owned();
            self.handoff.next_tick_at = info.next_tick_at;
        }
    }

    /// A human agent has taken it: how long it has waited says the timeline.
    fn count_wait(&self) {
        let queued = |entry: &&Entry| matches!(&entry.what, What::State { state, .. } if state == "queued");
        let Some(since) = self.handoff.journal.iter().rev().find(queued).map(|entry| entry.at) else { return };
        let now = (self.service.clock)();
        for (what, amount) in [("taken", 1), ("waited_ms", now.saturating_sub(since))] {
            self.service.counters.trend(&self.handoff.connection, now, what, amount);
        }
    }

    /// Stores the handoff and gives the lease back. `conversations`: what it is known by from now on.
    pub(crate) fn save(self, conversations: &[String]) -> Result<Handoff, Problem> {
        let unsure: Vec<String> = self.unsure.iter().filter(|it| **it != self.doing).cloned().collect();
        self.store(conversations, &unsure)
    }

    fn store(mut self, conversations: &[String], unsure: &[String]) -> Result<Handoff, Problem> {
        self.handoff.updated_at = (self.service.clock)();
        if self.handoff.is_redacted && !self.handoff.is_open() {
            let handoff = self.handoff.clone();
            return self.erase().map(|()| handoff);
        }
        journal::append(&mut self.handoff.journal, self.http.journal.take());
        match self.service.state.save(&self.handoff, conversations, unsure, self.lease.number)? {
            Saved::Stored { has_waiting } => {
                if !has_waiting {
                    self.service.later.is_worked_off(&self.handoff.connection, &self.handoff.id);
                }
                Ok(self.handoff)
            }
            Saved::Overtaken => Err(busy()),
        }
    }

    /// Forgets the handoff, with everything that belongs to it, and gives the lease back.
    pub(crate) fn erase(self) -> Result<(), Problem> {
        let Handoff { connection, id, .. } = &self.handoff;
        match self.service.state.erase(connection, id, self.lease.number, (self.service.clock)())? {
            true => Ok(()),
            false => Err(busy()),
        }
    }

    /// Nothing was done.
    pub(crate) fn give_back(self) -> Result<(), Problem> {
        Ok(self.service.state.give_back(&self.handoff.connection, &self.handoff.id, self.lease.number)?)
    }

    /// What was begun may have had an effect that is not stored: the next one looks before it does that again.
    pub(crate) fn unfinished(self) -> Result<(), Problem> {
        let mut unsure = self.lease.unsure.clone();
        if !self.doing.is_empty() && !unsure.contains(&self.doing) {
            unsure.push(self.doing.clone());
        }
        self.restore(&unsure)
    }

    /// Leaves the handoff as it was, but for the journal.
    fn restore(self, unsure: &[String]) -> Result<(), Problem> {
        match self.lease.handoff.clone() {
            Some(before) => Self { handoff: before, ..self }.store(&[], unsure).map(drop),
            None => self.give_back(),
        }
    }

    /// Keeps what a failed call has done so far. Where even that fails, the lease ends by itself, and the next one looks.
    pub(crate) fn failed(self, error: Error) -> Problem {
        let has_done = error.session.is_some();
        self.end(error, has_done)
    }

    /// The same, and what this work has changed about the handoff itself.
    pub(crate) fn failed_but_kept(self, error: Error) -> Problem {
        self.end(error, true)
    }

    fn end(mut self, mut error: Error, keep: bool) -> Problem {
        if let Some(log) = error.log.take() {
            self.service.warn(&self.handoff.connection, &self.handoff.id, &log);
        }
        self.note(What::failure(problem::word(error.kind), &error.message));
        let kept = match (error.session.take(), keep) {
            (Some(session), _) => {
                let info = self.info_of(&session);
                let due = self.handoff.next_tick_at;
                self.take(Some(session), info.as_ref());
                self.handoff.next_tick_at = self.handoff.next_tick_at.into_iter().chain(due).min();
                // Webhooks about what is half done must find it.
                self.save(&info.map(|info| info.conversation_ids).unwrap_or_default()).map(drop)
            }
            // Nothing was sent: what was unsure before stays so.
            (None, true) => {
                let unsure = self.unsure.clone();
                self.store(&[], &unsure).map(drop)
            }
            (None, false) => {
                let unsure = self.lease.unsure.clone();
                self.restore(&unsure)
            }
        };
        match kept {
            Ok(()) => error.into(),
            Err(problem) => problem,
        }
    }

    fn info_of(&self, session: &[u8]) -> Option<SessionInfo> {
        let settings = self.service.state.connection(&self.handoff.connection).ok()??.settings;
        Some(Session::decode(session).ok()?.info(&Settings::parse(&settings).ok()?))
    }
}

fn owner_word(info: &SessionInfo) -> &'static str {
    use handoff_contract::model::Owner;
    if info.owner == Owner::HumanAgent { "human-agent" } else { "ai-agent" }
}

/// The kind of [`busy`].
pub(crate) const BUSY: &str = "busy";

pub(crate) fn busy() -> Problem {
    Problem::new(503, BUSY, "another request works on the same conversation")
        .with_remedy("Repeat after the wait.")
        .after(1_000)
}

/// As long as one request may take.
pub(crate) fn lease_ms(settings: &Settings) -> u64 {
    u64::from(settings.connect_timeout_ms) + u64::from(settings.response_timeout_ms) + MARGIN_MS
}

/// Sends only while the lease lasts, and makes it last for what is sent. Whoever was overtaken writes nothing any more.
pub(crate) struct Fenced<'a> {
    service: &'a Service<'a>,
    connection: String,
    id: String,
    lease: u64,
    until: Cell<Timestamp>,
    journal: RefCell<Vec<Entry>>,
}

impl Fenced<'_> {
    fn note(&self, what: What) {
        self.journal.borrow_mut().push(Entry { at: (self.service.clock)(), what });
    }

    fn holds(&self, requests: &[Request]) -> bool {
        let longest =
            |request: &Request| u64::from(request.connect_timeout_ms) + u64::from(request.response_timeout_ms);
        let longest = requests.iter().map(longest).max().unwrap_or(0);
        let needed = self.service.later.most_ms(longest) + MARGIN_MS / 2;
        let now = (self.service.clock)();
        if now.saturating_add(needed) <= self.until.get() {
            return true;
        }
        let for_ms = needed + MARGIN_MS / 2;
        let renewed = self.service.state.renew(&self.connection, &self.id, self.lease, now, for_ms) == Ok(true);
        // Once lost, it stays so: somebody else may have begun.
        self.until.set(if renewed { now.saturating_add(for_ms) } else { 0 });
        renewed
    }
}

impl Http for Fenced<'_> {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        if self.holds(&requests) {
            let asked: Vec<_> = requests.iter().map(|it| (method_word(it.method), it.path.clone())).collect();
            let began = (self.service.clock)();
            let answers = self.service.later.send(self.service.http, began, requests);
            let ms = (self.service.clock)().saturating_sub(began);
            for ((method, path), answer) in asked.iter().zip(&answers) {
                let status = answer.as_ref().ok().map(|response| response.status);
                self.note(What::call(method, path, status, ms));
                let class = status.map_or("none", status_class);
                self.service.counters.one(&self.connection, &["requests", class]);
            }
            return answers;
        }
        let lost = || TransportError { not_sent: true, denied: false, reason: "lease-lost".to_owned() };
        requests.iter().map(|_| Err(lost())).collect()
    }
}

fn method_word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    }
}

fn status_class(status: u16) -> &'static str {
    match status {
        ..300 => "2xx",
        300..400 => "3xx",
        429 => "429",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

//! Deliveries one by one: which webhooks came, what the platform was told, what became of it. What failed is sent again on request,
//! with the same ids, so that it takes effect once. Also hours and days, and handoffs that have ended or are looked for.
//!
//! The log is written after the answer, in the statement that stores the counts, so it costs no caller anything.

use freshworks_handoff::conversation::session::digest;
use handoff_contract::model::{Event, Timestamp};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::handoffs::{channel_word, word_of};
use crate::http::problem::Problem;
use crate::http::responses::{HandoffResponse, HandoffsResponse};
use crate::http::route::is_id;
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::lease::LeasedHandoff;
use crate::metrics::counters::{LOGGED_MS, Logged, Trend, WAITING, trends};
use crate::platform::{DeliveryError, Platform};
use crate::service::{MAX_LISTED, Service};
use crate::state::{Connection, Handoff};
use crate::webhooks::ticket::ticket_word;

/// The log's word for a webhook that cannot be read.
pub(crate) const UNREADABLE: &str = "unreadable";
/// No further delivery is begun after this: hosts end requests that take longer than 30 seconds, and a platform has 17.
const MAX_RESEND_MS: u64 = 12_000;
/// Longest text of a query, in characters: as long as ids are.
const MAX_TEXT: usize = 255;
/// What `result` of a query may be.
pub(crate) const RESULTS: [&str; 8] = ["bad", "done", WAITING, "ignored", "failed", "given-up", "refused", UNREADABLE];
/// Longest reason in the log, in characters.
const MAX_WHY_CHARS: usize = 120;

/// What a delivery is, whatever becomes of it.
pub(crate) struct Delivered<'a> {
    party: &'static str,
    direction: &'static str,
    id: &'a str,
    kind: &'a str,
    handoff: Option<&'a str>,
}

impl<'a> Delivered<'a> {
    /// A webhook that came.
    pub(crate) fn of(party: &'static str, id: &'a str, kind: &'a str, handoff: Option<&'a str>) -> Self {
        Self { party, direction: "in", id, kind, handoff }
    }

    /// News for the platform.
    pub(crate) fn to_platform(id: &'a str, kind: &'a str, handoff: &'a str) -> Self {
        Self { party: "platform", direction: "out", id, kind, handoff: Some(handoff) }
    }
}

/// The log's id of news: the same events are the same news.
pub(crate) fn news_id(events: &[&str]) -> String {
    digest(&[&["news"], events].concat(), 16)
}

/// The kinds of these events, each once.
pub(crate) fn kinds_of(events: &[Event]) -> String {
    let mut kinds: Vec<String> = events.iter().map(|event| word_of(event.kind)).collect();
    kinds.dedup();
    kinds.truncate(4);
    kinds.join(" ")
}

/// Deliveries that failed for one reason.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cause {
    /// As in a delivery.
    pub direction: String,
    /// As in a delivery.
    pub party: String,
    /// As in a delivery.
    pub result: String,
    /// As in a delivery.
    pub why: String,
    /// How many deliveries.
    pub count: u64,
    /// When the first of them was tried first.
    pub first_at: Timestamp,
    /// When one of them was tried last.
    pub last_at: Timestamp,
}

/// The deliveries of a connection: those of the last seven days, at most 500 that succeeded and 500 that failed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeliveriesResponse {
    /// Those that were asked for, the last try first; at most 200.
    pub deliveries: Vec<Logged>,
    /// How many there are in all that were asked for.
    pub found: u64,
    /// What failed of those that were asked for, by cause, the newest first.
    pub causes: Vec<Cause>,
}

/// What became of a request to send again.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResentResponse {
    /// Deliveries that succeeded now, or had succeeded meanwhile.
    pub done: u64,
    /// Those that failed once more.
    pub failed: u64,
    /// Those of which nothing is kept, or nothing waits any more: whoever sent them has to repeat them.
    pub not_kept: u64,
    /// Those for which there was no time; ask again.
    pub left: u64,
}

/// What happened in the last hours and days.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrendsResponse {
    /// The last 24 hours, oldest first; the last one is not over.
    pub hours: Vec<Trend>,
    /// The last 30 days, oldest first; the last one is not over.
    pub days: Vec<Trend>,
}

/// How one delivery that was to be sent again stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resent {
    Done,
    NotKept,
}

/// The parameters of a query, decoded. What is not understood is refused, so that no filter is left out by a slip.
fn parameters<'a>(query: &'a str, known: &[&str]) -> Result<Vec<(&'a str, String)>, Problem> {
    let mut found = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !known.contains(&name) {
            return Err(invalid("query", "there is no such parameter"));
        }
        let text = percent_decode_str(value).decode_utf8().ok().filter(|text| text.chars().count() <= MAX_TEXT);
        found.push((name, text.ok_or_else(|| invalid(name, "this value cannot be used"))?.into_owned()));
    }
    Ok(found)
}

fn invalid(field: &str, detail: &str) -> Problem {
    Problem::new(400, "invalid-request", detail).at(field).with_remedy("See /v1/openapi.json.")
}

fn get<'a>(found: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    found.iter().rfind(|(known, _)| *known == name).map(|(_, text)| text.as_str())
}

fn number(found: &[(&str, String)], name: &str) -> Result<Option<u64>, Problem> {
    let read = |text: &str| {
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.ok_or_else(|| invalid(name, "this is no whole number"))
    };
    get(found, name).map(read).transpose()
}

/// What failed since then, by cause. The log has the last try first, and so have the causes.
pub(crate) fn causes(log: &[Logged], since: Timestamp) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for one in log.iter().filter(|one| one.is_bad() && one.at >= since) {
        let is_it = |cause: &&mut Cause| {
            (&cause.direction, &cause.party, &cause.result, &cause.why)
                == (&one.direction, &one.party, &one.result, &one.why)
        };
        if let Some(cause) = causes.iter_mut().find(is_it) {
            cause.count += 1;
            cause.first_at = cause.first_at.min(one.first_at);
        } else {
            let [direction, party, result, why] =
                [&one.direction, &one.party, &one.result, &one.why].map(String::clone);
            causes.push(Cause { direction, party, result, why, count: 1, first_at: one.first_at, last_at: one.at });
        }
    }
    causes
}

impl Service<'_> {
    /// Notes what became of a delivery. `began`: when it came, or was sent.
    pub(crate) fn log_delivery(
        &self,
        connection: &Connection,
        what: Delivered<'_>,
        result: &str,
        why: &str,
        began: Timestamp,
    ) {
        let at = (self.clock)();
        let Delivered { party, direction, id, kind, handoff } = what;
        let tries = u64::from(result != WAITING);
        let [direction, party, kind, result] = [direction, party, kind, result].map(str::to_owned);
        let why = why.chars().take(MAX_WHY_CHARS).collect();
        let (id, handoff, ms) = (id.to_owned(), handoff.map(str::to_owned), at.saturating_sub(began));
        let can_resend = false;
        let one = Logged { id, handoff, first_at: at, at, tries, direction, party, kind, result, why, ms, can_resend };
        self.counters.log(&connection.id, one);
    }

    pub(crate) fn list_deliveries(
        &self,
        connection: &Connection,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let known = ["result", "since", "until", "user", "conversation"];
        let asked = parameters(call.query, &known)?;
        let begins = call.now.saturating_sub(LOGGED_MS);
        let since = number(&asked, "since")?.unwrap_or(0).max(begins);
        let until = number(&asked, "until")?.unwrap_or(u64::MAX);
        let result = get(&asked, "result");
        if result.is_some_and(|result| !RESULTS.contains(&result)) {
            return Err(invalid("result", "there is no such result"));
        }
        let mut of: Option<Vec<Handoff>> = None;
        if let Some(user) = get(&asked, "user") {
            of = Some(self.state.handoffs_of_person(&connection.id, user)?);
        }
        if let Some(conversation) = get(&asked, "conversation") {
            let found = self.found_by(connection, conversation)?;
            of = Some(match of {
                Some(theirs) => found.into_iter().filter(|one| theirs.iter().any(|its| its.id == one.id)).collect(),
                None => found,
            });
        }
        let mut log = self.state.log(&connection.id, since, result == Some("bad"))?;
        log.retain(|one| {
            let is_of = |of: &Vec<Handoff>| one.handoff.as_ref().is_some_and(|id| of.iter().any(|its| its.id == *id));
            one.at <= until
                && result.is_none_or(|result| result == "bad" || result == one.result)
                && of.as_ref().is_none_or(is_of)
        });
        let (causes, found) = (causes(&log, 0), log.len() as u64);
        log.truncate(MAX_LISTED as usize);
        Ok(OutgoingResponse::ok(DeliveriesResponse { deliveries: log, found, causes }))
    }

    pub(crate) fn trends(&self, connection: &Connection) -> Result<OutgoingResponse, Problem> {
        let (counts, now) = (self.state.counts(&connection.id)?, (self.clock)());
        Ok(OutgoingResponse::ok(TrendsResponse {
            hours: trends(&counts, "hour", now),
            days: trends(&counts, "day", now),
        }))
    }

    /// Open handoffs, those that have ended, or those that are found by a text.
    pub(crate) fn list_handoffs(&self, connection: &Connection, query: &str) -> Result<OutgoingResponse, Problem> {
        let asked = parameters(query, &["which", "find"])?;
        let found = match (get(&asked, "which"), get(&asked, "find")) {
            (None, Some(text)) => self.found_by(connection, text)?,
            (None | Some("open"), None) => self.state.open_handoffs(&connection.id, MAX_LISTED)?,
            (Some("ended"), None) => self.state.ended_handoffs(&connection.id, MAX_LISTED)?,
            _ => return Err(invalid("which", "this is neither `open` nor `ended`, or comes together with `find`")),
        };
        Ok(OutgoingResponse::ok(HandoffsResponse { handoffs: found.iter().map(HandoffResponse::from).collect() }))
    }

    /// Handoffs of this end user, or that this text leads to: a conversation of Freshworks or of the platform, a channel, the number
    /// of a ticket, the id of a handoff. Of the platform's conversations, those of the newest 200 open and 200 ended handoffs.
    fn found_by(&self, connection: &Connection, text: &str) -> Result<Vec<Handoff>, Problem> {
        let id = &connection.id;
        let mut found = self.state.handoffs_of_person(id, text)?;
        let words = [text.to_owned(), channel_word(text), ticket_word(text)];
        let known = self.state.handoff_of(id, &words)?;
        for handoff in known.into_iter().chain(is_id(text).then(|| text.to_owned())) {
            found.extend(self.state.handoff(id, &handoff)?);
        }
        let lists = [self.state.open_handoffs(id, MAX_LISTED)?, self.state.ended_handoffs(id, MAX_LISTED)?];
        found.extend(lists.into_iter().flatten().filter(|one| one.key.conversation == text));
        let mut newest: Vec<Handoff> = Vec::new();
        for one in found {
            if !newest.iter().any(|known| known.id == one.id) {
                let place = newest.iter().position(|known| known.updated_at < one.updated_at).unwrap_or(newest.len());
                newest.insert(place, one);
            }
        }
        newest.truncate(MAX_LISTED as usize);
        Ok(newest)
    }

    /// Sends one delivery again, or works it off again.
    pub(crate) fn resend(&self, connection: &Connection, delivery: &str) -> Result<OutgoingResponse, Problem> {
        let log = self.state.log(&connection.id, (self.clock)().saturating_sub(LOGGED_MS), false)?;
        let unknown = || {
            Problem::new(404, "unknown", "there is no such delivery")
                .at("delivery")
                .with_remedy("See which are kept: GET /v1/connections/{connection}/deliveries.")
        };
        let one = log.into_iter().find(|one| one.id == delivery).ok_or_else(unknown)?;
        let mut answer = ResentResponse::default();
        let is_done = !one.is_bad() && !one.can_resend;
        match if is_done { Resent::Done } else { self.send_again(connection, &one)? } {
            Resent::Done => answer.done += 1,
            Resent::NotKept => answer.not_kept += 1,
        }
        Ok(OutgoingResponse::ok(answer))
    }

    /// The same for everything that failed, the oldest first. What waits for one handoff goes in its order.
    pub(crate) fn resend_since(&self, connection: &Connection, query: &str) -> Result<OutgoingResponse, Problem> {
        let began = (self.clock)();
        let since = number(&parameters(query, &["since"])?, "since")?.unwrap_or(0);
        let log = self.state.log(&connection.id, since.max(began.saturating_sub(LOGGED_MS)), true)?;
        let (mut answer, mut failed) = (ResentResponse::default(), Vec::new());
        for one in log.iter().rev() {
            let is_done = || self.counters.result_of(&connection.id, &one.id).as_deref() == Some("done");
            if is_done() {
                answer.done += 1;
            } else if !one.can_resend {
                answer.not_kept += 1;
            } else if failed.contains(&one.handoff) {
                // Whatever hinders one delivery of a handoff hinders those behind it.
                answer.failed += 1;
            } else if (self.clock)().saturating_sub(began) > MAX_RESEND_MS {
                answer.left += 1;
            } else {
                match self.send_again(connection, one) {
                    Ok(Resent::Done) => answer.done += 1,
                    Ok(Resent::NotKept) => answer.not_kept += 1,
                    Err(problem) => {
                        self.warn(&connection.id, "", &format!("a delivery failed again: {}", problem.kind));
                        failed.push(one.handoff.clone());
                        answer.failed += 1;
                    }
                }
            }
        }
        Ok(OutgoingResponse::ok(answer))
    }

    fn send_again(&self, connection: &Connection, one: &Logged) -> Result<Resent, Problem> {
        let Some(handoff) = one.handoff.as_deref().filter(|_| one.can_resend) else { return Ok(Resent::NotKept) };
        let stored = self.state.handoff(&connection.id, handoff)?;
        if stored.is_some_and(|stored| stored.untold.iter().any(|untold| untold.id == one.id)) {
            return self.tell_again(connection, handoff, one);
        }
        // What has not been told or worked off waits with its handoff, and goes on with the ids that it had.
        match self.tick_one(connection, handoff, true) {
            Ok(()) => {}
            Err(problem) if problem.status == 404 && problem.kind == "unknown" => return Ok(Resent::NotKept),
            Err(problem) => return Err(problem),
        }
        let is_done = self.counters.result_of(&connection.id, &one.id).as_deref() == Some("done");
        // A handoff that has come about answers the webhook that asked for it.
        let has_come_about = || {
            let stored = self.state.handoff(&connection.id, handoff)?;
            Ok::<_, Problem>(one.kind == "handoff" && stored.is_some_and(|stored| stored.is_with_humans()))
        };
        if is_done {
            return Ok(Resent::Done);
        }
        if has_come_about()? {
            self.counters.log(
                &connection.id,
                Logged { at: (self.clock)(), result: "done".to_owned(), why: String::new(), tries: 0, ..one.clone() },
            );
            return Ok(Resent::Done);
        }
        Ok(Resent::NotKept)
    }

    /// News that the platform had refused for good.
    fn tell_again(&self, connection: &Connection, handoff: &str, one: &Logged) -> Result<Resent, Problem> {
        let mut work = LeasedHandoff::begin(self, &connection.id, &connection.settings, handoff, None, "")?;
        let Some(untold) = work.handoff.untold.iter().find(|untold| untold.id == one.id) else {
            // Somebody else was faster.
            work.give_back()?;
            return Ok(Resent::Done);
        };
        let began = (self.clock)();
        let platform = connection.platform.of(&work.handoff);
        let told = platform.tell_again(&work.http, &work.handoff, &untold.events, began);
        let (result, why) = match &told {
            Ok(()) => ("done", ""),
            Err(untold) => ("given-up", untold.text()),
        };
        self.log_delivery(connection, Delivered::to_platform(&one.id, &one.kind, handoff), result, why, began);
        match told {
            Ok(()) => {
                work.handoff.untold.retain(|untold| untold.id != one.id);
                if work.handoff.untold.is_empty() {
                    work.handoff.platform.last_failure = None;
                }
                work.save(&[])?;
                Ok(Resent::Done)
            }
            Err(DeliveryError::Retryable(text) | DeliveryError::Permanent(text)) => {
                work.give_back()?;
                Err(Problem::new(503, "unavailable", format!("the platform did not take the events: {text}"))
                    .with_remedy("See whether the callback URL of the settings is right and answers, then repeat.")
                    .after(1_000))
            }
        }
    }
}

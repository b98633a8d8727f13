//! What is held about one end user: it is shown, and erased, on request.
//!
//! People are named by the platform's id. The same id may mean different people on different platforms, so what would reach several
//! of them at once has to name the connection.

use std::collections::BTreeSet;

use freshworks_handoff::conversation::session::Session;
use freshworks_handoff::use_cases::{close, erase};
use handoff_contract::model::{CloseReason, Finding, Step, Timestamp};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::access::{Caller, Need};
use crate::http::OutgoingResponse;
use crate::http::problem::Problem;
use crate::lease::LeasedHandoff;
use crate::metrics::counters::Logged;
use crate::metrics::log::Level;
use crate::platform::PlatformSettings;
use crate::service::Service;
use crate::state::{Connection, Handoff};

/// As in the contract.
const MAX_ID: usize = 255;

/// Everything that is held about one end user.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PersonResponse {
    /// The platform's id.
    pub person: String,
    /// The person's handoffs, by connection. Empty when nothing is held.
    pub handoffs: Vec<HeldHandoff>,
}

/// What is held about one handoff.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldHandoff {
    /// The connection.
    pub connection: String,
    /// The record as it is stored: the platform's key, states and times, the timeline, events that wait to be fetched. The session is
    /// base64.
    pub record: Map<String, Value>,
    /// What the session says about the person; null before there is one.
    pub freshworks: Option<HeldSession>,
    /// Conversations of Freshworks and channels of the platform that lead to this handoff.
    pub conversations: Vec<String>,
    /// Webhooks of Freshworks that wait to be worked off, oldest first.
    pub deliveries: Vec<HeldDelivery>,
    /// What the log of deliveries says about this handoff, the last try first.
    pub log: Vec<Logged>,
}

/// What a session refers to in Freshworks.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldSession {
    /// Freshchat's record of the person.
    pub user: Option<String>,
    /// Every conversation of this handoff, newest first.
    pub conversations: Vec<String>,
    /// The ticket.
    pub ticket: Option<String>,
}

/// A webhook that waits.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldDelivery {
    /// When it came.
    pub received_at: Timestamp,
    /// What it says, as it came.
    pub body: String,
}

/// What was erased.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErasedResponse {
    /// The platform's id.
    pub person: String,
    /// Handoffs of which nothing is held any more. Empty when nothing was held.
    pub handoffs: Vec<ErasedHandoff>,
    /// What was deleted in Freshworks, and what stays there; null when that was not asked for.
    pub freshworks: Option<ErasedRecord>,
}

/// A handoff of which nothing is held any more.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErasedHandoff {
    /// The connection.
    pub connection: String,
    /// The handoff's id.
    pub handoff: String,
    /// Human agents had it, or were to get it: it was ended first.
    pub was_ended: bool,
}

/// What was deleted in Freshworks.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErasedRecord {
    /// One for each record of Freshchat. Empty when there is none with this id.
    pub steps: Vec<Step>,
    /// What stays, and who can delete it.
    pub findings: Vec<Finding>,
}

/// Where to look, and what else to do.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scope<'a> {
    connection: Option<&'a str>,
    freshworks: bool,
}

/// Reads a query. What is not understood is refused: it could have narrowed down what is erased.
fn scope(query: &str, may_delete: bool) -> Result<Scope<'_>, Problem> {
    let mut scope = Scope::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (name, value) {
            ("connection", _) if scope.connection.is_some() => {
                return Err(invalid(name, "the connection is named twice", "Name one, or leave it out for all."));
            }
            ("connection", id) if crate::http::route::is_id(id) => scope.connection = Some(id),
            ("freshworks", "true") if may_delete => scope.freshworks = true,
            ("freshworks", "false") if may_delete => scope.freshworks = false,
            ("connection" | "freshworks", _) => {
                return Err(invalid(name, "this value cannot be used", "See /v1/openapi.json."));
            }
            _ => return Err(invalid("query", "there is no such parameter", "See /v1/openapi.json.")),
        }
    }
    if scope.freshworks && scope.connection.is_none() {
        let remedy = "Name the connection whose account is to delete the person: ?connection=...&freshworks=true.";
        return Err(invalid("connection", "the account is not named in which to delete", remedy));
    }
    Ok(scope)
}

/// What a query asks for: one connection, which a tenant may name, or all of them. What is not understood asks for all, and is refused
/// to an admin, too.
pub(crate) fn need(query: &str) -> Need<'_> {
    scope(query, true).ok().and_then(|scope| scope.connection).map_or(Need::Admin, Need::Connection)
}

/// The platform's id, as the path has it.
fn person_of(segment: &str) -> Result<String, Problem> {
    let decoded = percent_decode_str(segment).decode_utf8().ok().map(String::from);
    let usable = |id: &String| !id.trim().is_empty() && id.chars().count() <= MAX_ID;
    decoded.filter(usable).ok_or_else(|| {
        let remedy =
            format!("Pass the platform's id, percent-encoded: 1 to {MAX_ID} characters, not all of them spaces.");
        invalid("person", "this is no id of a person", &remedy)
    })
}

fn invalid(field: &str, detail: &str, remedy: &str) -> Problem {
    Problem::new(400, "invalid-request", detail).at(field).with_remedy(remedy)
}

/// Ids of different applications need not mean the same person.
fn check_same_platform(found: &[(Connection, Vec<Handoff>)]) -> Result<(), Problem> {
    let handoffs = found.iter().flat_map(|(_, handoffs)| handoffs);
    let applications: BTreeSet<&str> = handoffs.map(|handoff| handoff.key.application.as_str()).collect();
    if applications.len() < 2 {
        return Ok(());
    }
    let detail = "people of several applications have this id; they may be different people";
    Err(Problem::new(409, "ambiguous-person", detail)
        .at("connection")
        .with_remedy("Name the connection: ?connection=.... GET shows which have something. Nothing was erased."))
}

impl Service<'_> {
    /// The person's handoffs in one connection, or in all.
    fn held(&self, person: &str, connection: Option<&str>) -> Result<Vec<(Connection, Vec<Handoff>)>, Problem> {
        let connections = match connection {
            Some(id) => vec![self.connection(id)?],
            None => self.state.connections()?,
        };
        let with_handoffs = |connection: Connection| {
            let handoffs = self.state.handoffs_of_person(&connection.id, person)?;
            Ok((connection, handoffs))
        };
        connections.into_iter().map(with_handoffs).collect()
    }

    pub(crate) fn export_person(&self, person: &str, query: &str) -> Result<OutgoingResponse, Problem> {
        let (person, scope) = (person_of(person)?, scope(query, false)?);
        let mut handoffs = Vec::new();
        for (connection, found) in self.held(&person, scope.connection)? {
            let log = if found.is_empty() { Vec::new() } else { self.state.log(&connection.id, 0, false)? };
            for handoff in found {
                let deliveries = self.state.deliveries(&connection.id, &handoff.id)?.into_iter().map(|delivery| {
                    let body = String::from_utf8_lossy(&delivery.body).into_owned();
                    HeldDelivery { received_at: delivery.received_at, body }
                });
                handoffs.push(HeldHandoff {
                    connection: connection.id.clone(),
                    freshworks: handoff.session.as_deref().and_then(|bytes| Session::decode(bytes).ok()).map(said_by),
                    conversations: self.state.conversations_of(&connection.id, &handoff.id)?,
                    deliveries: deliveries.collect(),
                    log: log.iter().filter(|one| one.handoff.as_ref() == Some(&handoff.id)).cloned().collect(),
                    record: record_of(&handoff),
                });
            }
        }
        Ok(OutgoingResponse::ok(PersonResponse { person, handoffs }))
    }

    /// As [`erase_person`](Service::erase_person); who did it stands in the audit log.
    pub(crate) fn erase_person_for(
        &self,
        caller: &Caller,
        person: &str,
        query: &str,
    ) -> Result<OutgoingResponse, Problem> {
        let erased = self.erase_person(person, query);
        // Not whom: the log outlasts the erasure.
        let connection = match need(query) {
            Need::Connection(id) => Some(id),
            _ => None,
        };
        let how = if erased.is_ok() { String::new() } else { "in part".to_owned() };
        self.audit(caller.name(), "person-erased", connection, how);
        erased
    }

    /// What is held here goes first: it does not depend on anybody's answer. Whatever fails, a repeat goes on from there.
    pub(crate) fn erase_person(&self, person: &str, query: &str) -> Result<OutgoingResponse, Problem> {
        let (person, scope) = (person_of(person)?, scope(query, true)?);
        let held = self.held(&person, scope.connection)?;
        check_same_platform(&held)?;
        let mut handoffs = Vec::new();
        for (connection, found) in &held {
            for handoff in found {
                let was_ended = handoff.is_open();
                self.end_and_erase(connection, &handoff.id)?;
                handoffs.push(ErasedHandoff {
                    connection: connection.id.clone(),
                    handoff: handoff.id.clone(),
                    was_ended,
                });
            }
        }
        let freshworks = match held.first().filter(|_| scope.freshworks) {
            Some((connection, _)) => Some(self.erase_record(connection, &person)?),
            None => None,
        };
        self.say(Level::Info, "", "", &format!("a person was erased: {} handoffs", handoffs.len()));
        Ok(OutgoingResponse::ok(ErasedResponse { person, handoffs, freshworks }))
    }

    fn erase_record(&self, connection: &Connection, person: &str) -> Result<ErasedRecord, Problem> {
        match erase::erase(self.http, &connection.settings, person) {
            Ok(erasure) => Ok(ErasedRecord { steps: erasure.steps, findings: erasure.findings }),
            Err(error) => {
                let mut problem = Problem::from(error);
                problem.detail =
                    format!("what was held here is erased, the record in Freshworks is not: {}", problem.detail);
                if let Some(log) = problem.log.take() {
                    problem.log = Some(format!("{}: {log}", connection.id));
                }
                Err(problem)
            }
        }
    }

    /// Nobody may wait for human agents who no longer know of the conversation: an open handoff is ended as by the platform, and the
    /// platform learns that the AI agent answers.
    fn end_and_erase(&self, connection: &Connection, id: &str) -> Result<(), Problem> {
        let begin = |doing| LeasedHandoff::begin(self, &connection.id, &connection.settings, id, None, doing);
        let mut work = begin("close")?;
        // Somebody else may have ended or erased it meanwhile.
        let session = work.handoff.session.clone().filter(|_| work.handoff.is_with_humans());
        let Some(session) = session else { return work.erase() };
        work.handoff.platform.pending = None;
        let retry = work.is_retry();
        let now = (self.clock)();
        let mut update =
            match close::close(&work.http, &connection.settings, &session, CloseReason::PlatformClosed, retry, now) {
                Ok(update) => update,
                Err(error) => return Err(not_erased(work.failed(error))),
            };
        // What is about to be erased goes nowhere else.
        update.events.iter_mut().for_each(|event| event.summary = None);
        if matches!(connection.platform.of(&work.handoff), PlatformSettings::Polling(_)) {
            // The event queue goes with the handoff.
            return work.erase();
        }
        self.tell(connection, work, update, false).map_err(not_erased)?;
        begin("")?.erase()
    }

    /// The platform has redacted a conversation. While human agents have it, what is held is needed to carry it; then it goes.
    pub(crate) fn redact(&self, connection: &Connection, id: &str) -> Result<(), Problem> {
        if self.state.handoff(&connection.id, id)?.is_none() {
            return Ok(());
        }
        let mut work = LeasedHandoff::begin(self, &connection.id, &connection.settings, id, None, "")?;
        if !work.handoff.is_open() {
            return work.erase();
        }
        work.handoff.is_redacted = true;
        work.save(&[]).map(drop)
    }
}

fn not_erased(mut problem: Problem) -> Problem {
    problem.detail = format!("an open handoff could not be ended, and is not erased: {}", problem.detail);
    problem.with_remedy("Repeat, or end the handoff with POST .../close, and erase then.")
}

/// As it is stored: the way through text is compiled for that anyway.
fn record_of(handoff: &Handoff) -> Map<String, Value> {
    let stored = serde_json::to_string(handoff).ok();
    stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn said_by(session: Session) -> HeldSession {
    HeldSession {
        user: session.user.map(|user| user.0),
        conversations: session.conversation_ids,
        ticket: session.ticket,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_were_meant() {
        for (segment, id) in
            [("ana", "ana"), ("a%2Fb%3Fc%20d+e", "a/b?c d+e"), ("%00", "\0"), ("%C3%A9", "é"), ("50%", "50%")]
        {
            assert_eq!(person_of(segment).unwrap(), id);
        }
        for segment in ["%20", "%C2%A0", "%FF", &"a".repeat(256)] {
            let problem = person_of(segment).unwrap_err();
            assert_eq!((problem.status, problem.field.as_deref()), (400, Some("person")), "{segment}");
        }
    }

    #[test]
    fn a_query_that_is_not_understood_erases_nothing() {
        assert_eq!(scope("", true).unwrap(), Scope::default());
        let whole = scope("connection=acme&freshworks=true", true).unwrap();
        assert_eq!(whole, Scope { connection: Some("acme"), freshworks: true });
        for (query, field) in [
            ("connexion=acme", "query"),
            ("connection=", "connection"),
            ("connection=acme&connection=other", "connection"),
            ("connection=a%62", "connection"),
            ("freshworks=yes&connection=acme", "freshworks"),
            ("freshworks=true", "connection"),
        ] {
            assert_eq!(scope(query, true).unwrap_err().field.as_deref(), Some(field), "{query}");
        }
        assert!(scope("freshworks=true&connection=acme", false).is_err(), "an export deletes nothing");
    }
}

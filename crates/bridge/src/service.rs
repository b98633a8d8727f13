//! What each request of the API does: who may call, which connection and which handoff are meant.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::Http;
use freshworks_handoff::use_cases::handoff;
use handoff_contract::model::{CloseReason, HandoffRequest, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::access::destinations::Destinations;
use crate::access::secret::is_same;
use crate::access::vault::Protection;
use crate::access::{ATTEMPT, Admitted, Caller, MIN_TOKEN, Need, REFUSED, TOKEN, Target};
use crate::connections::status;
use crate::console::{self, SESSION};
use crate::http::problem::{Problem, read};
use crate::http::responses::{ConnectionsResponse, HandoffResponse, HealthResponse, RotatedResponse, TimelineResponse};
use crate::http::route::NoRoute;
use crate::http::{Call, IncomingRequest, OutgoingResponse};
use crate::metrics::alerts::ALERT;
use crate::metrics::counters::Counters;
use crate::metrics::log::{self, Level};
use crate::state::{Connection, EachConnection, KEPT_DAYS, Record, Resealed, State, StateError, days_ms};
use crate::webhooks::inbox::Later;

/// The kind of records that say which body came with an `Idempotency-Key`.
const REQUEST: &str = "request";
/// Records of one kind that are kept at most, where they expire by themselves.
const MAX_RECORDS: u32 = 100_000;

/// Largest body: a handoff with 2 MiB of text, as JSON.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Handoffs that one list shows.
pub(crate) const MAX_LISTED: u32 = 200;

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        Self::new(503, "unavailable", "the store cannot be reached")
            .with_remedy("Repeat later.")
            .after(1_000)
            .logged(error.0)
    }
}

/// What the operator has chosen, by the app's variables.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How secrets are stored.
    pub protection: Protection,
    /// The header, in lower case, in which a proxy says who calls; empty: whoever opened the connection does.
    pub address_header: String,
    /// Genuine webhooks that are older are refused. 0: none is.
    pub stale_after_ms: u64,
    /// Where the operator is told that deliveries fail or the timer is late; empty: nowhere.
    pub alert_url: String,
    /// After how long.
    pub alert_after_ms: u64,
}

/// Freshworks repeats a webhook five times within minutes (an outside source), and Delight for some hours at most (a belief); the rest
/// is margin for outages and clocks.
pub const STALE_AFTER_MS: u64 = 24 * 60 * 60 * 1000;

/// What the variable `alert_after_minutes` is by default.
pub const ALERT_AFTER_MS: u64 = 5 * 60 * 1000;

impl Default for Policy {
    fn default() -> Self {
        Self {
            protection: Protection::Encrypted,
            address_header: String::new(),
            stale_after_ms: STALE_AFTER_MS,
            alert_url: String::new(),
            alert_after_ms: ALERT_AFTER_MS,
        }
    }
}

/// The service.
pub struct Service<'a> {
    /// Reaches Freshworks and the platform.
    pub http: &'a dyn Http,
    /// The store.
    pub state: &'a dyn State,
    /// The first admin's token. Too short: it lets nobody in.
    pub token: &'a str,
    /// Where tenants may send the bridge.
    pub destinations: &'a Destinations,
    /// Under which address the app is reached, without a slash at the end. Empty: the operator has not said it.
    pub public_url: &'a str,
    /// What else the operator has chosen.
    pub policy: &'a Policy,
    /// Milliseconds since 1970.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// Waits for so many milliseconds.
    pub pause: &'a dyn Fn(u64),
    /// Draws a secret for new webhook paths.
    pub draw: &'a dyn Fn() -> [u8; 24],
    /// Takes a line for the operator, as [`log::line`] makes it. Never text of people, never a secret.
    pub log: &'a dyn Fn(&str),
    /// What is counted.
    pub counters: Counters,
    /// What is left to do after the answer: see [`finish`](Service::finish).
    pub later: Later,
}

/// Largest body of a request to this path. Before anybody has shown who they are, little is read.
pub fn max_body_bytes(path: &str) -> usize {
    if console::is_page(path) || path == "/" { 4 * 1024 } else { MAX_BODY_BYTES }
}

/// What `POST .../close` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloseBody {
    /// Why the platform ends the human part.
    pub reason: CloseReason,
}

/// What `POST .../events` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventsBody {
    /// The number of the newest event that the caller has; 0 for none. What is up to here is deleted.
    pub after: u64,
}

/// What `POST .../undelivered` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UndeliveredBody {
    /// The `id` of the message in the event.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255), regex(pattern = r"\S")))]
    pub message: String,
}

impl Service<'_> {
    /// Answers a request. Never fails. [`finish`](Service::finish) is called when the answer has gone out.
    pub fn answer(&self, request: &IncomingRequest<'_>) -> OutgoingResponse {
        match self.admit(request) {
            Ok(admitted) => self.carry_out(admitted, request),
            Err(problem) => self.refusal(request, problem),
        }
    }

    /// Answers a request that was [admitted](Service::admit), with its body. Never fails.
    pub fn carry_out(&self, admitted: Admitted<'_>, request: &IncomingRequest<'_>) -> OutgoingResponse {
        let carried_out = match admitted.into_target() {
            Target::Page => self.console(request),
            Target::Home => {
                Ok(OutgoingResponse { status: 302, ..OutgoingResponse::empty() }.with("location", "/console"))
            }
            Target::Operation { .. } if request.body.len() > MAX_BODY_BYTES => Err(Problem::too_large(MAX_BODY_BYTES)),
            Target::Operation { found, caller, addressed } => {
                (found.operation.handler)(self, &Call::new(found.names, caller, addressed, request))
            }
        };
        carried_out.unwrap_or_else(|problem| self.refusal(request, problem))
    }

    /// What is answered in place of what was asked for.
    pub fn refusal(&self, call: &IncomingRequest<'_>, problem: Problem) -> OutgoingResponse {
        if let Some(log) = &problem.log {
            let (connection, handoff) = log::place(call.path);
            self.say(if problem.status >= 500 { Level::Error } else { Level::Warn }, connection, handoff, log);
        }
        let is_unknown_caller = problem.status == 401;
        let mut answer = OutgoingResponse::from(problem);
        if is_unknown_caller && let Some(challenge) = self.challenge(call.path) {
            answer.headers.retain(|(name, _)| *name != "www-authenticate");
            answer = answer.with("www-authenticate", challenge);
        }
        answer
    }

    /// How to be allowed at this path, where that takes more words than the scheme.
    #[cfg(feature = "mcp")]
    fn challenge(&self, path: &str) -> Option<String> {
        Some(path).filter(|path| *path == crate::mcp::PATH).and_then(|_| self.mcp_challenge())
    }

    #[cfg(not(feature = "mcp"))]
    fn challenge(&self, _: &str) -> Option<String> {
        None
    }

    pub(crate) fn health(&self) -> Result<OutgoingResponse, Problem> {
        if self.first_token().is_none() {
            let detail = format!("the variable api_token has fewer than {MIN_TOKEN} characters, so it lets nobody in");
            return Err(Problem::new(503, "unavailable", detail.clone())
                .with_remedy("Set it to the output of `openssl rand -base64 32`.")
                .after(60_000)
                .logged(detail));
        }
        self.later.is_overdue(0);
        // A store that does not answer is no health.
        self.state.record(TOKEN, "health", (self.clock)())?;
        Ok(OutgoingResponse::ok(HealthResponse {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            secrets: self.policy.protection,
        }))
    }

    /// Encrypts what is stored with the key that writes now.
    pub(crate) fn rotate(&self, caller: &Caller) -> Result<OutgoingResponse, Problem> {
        self.can_store_secrets()?;
        let Resealed { written, unreadable } = self.state.reseal()?;
        self.audit(caller.name(), "secrets-rotated", None, format!("{written} connections"));
        Ok(OutgoingResponse::ok(RotatedResponse { secrets: self.policy.protection, written, unreadable }))
    }

    /// Before secrets are stored: there is a key for them, or the operator has chosen to do without.
    pub(crate) fn can_store_secrets(&self) -> Result<(), Problem> {
        if self.policy.protection != Protection::None {
            return Ok(());
        }
        Err(Problem::new(409, "no-encryption-key", "the app has no key to encrypt secrets with, so it stores none")
            .with_remedy(
                "Set the variable encryption_key to the output of `openssl rand -base64 32`, or to the word plaintext if the store is \
                 protected otherwise.",
            ))
    }

    /// The same request is carried out once, if it has an `Idempotency-Key`.
    pub(crate) fn hand_off_once(
        &self,
        connection: &Connection,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let request = read::<HandoffRequest>(call.body, "request")?;
        let repeat = call.header("idempotency-key").map(|key| digest(&["idempotency-key", key], 12));
        let claim = repeat.as_deref().map(|repeat| self.claim(&connection.id, repeat, call)).transpose()?;
        let answer = self.hand_off(connection, request, repeat.as_deref());
        if let (Err(problem), Some(Some(claim))) = (&answer, claim)
            && problem.status < 500
        {
            // Nothing came about: the request may be mended.
            self.state.remove_record(REQUEST, &claim)?;
        }
        answer
    }

    /// Says what a handoff would do.
    pub(crate) fn preview(
        &self,
        connection: &Connection,
        request: &HandoffRequest,
    ) -> Result<OutgoingResponse, Problem> {
        Ok(OutgoingResponse::ok(handoff::preview(self.http, &connection.settings, request, (self.clock)())?))
    }

    pub(crate) fn timeline(&self, connection: &Connection, handoff: &str) -> Result<OutgoingResponse, Problem> {
        let stored = self.state.handoff(&connection.id, handoff)?.ok_or_else(unknown_handoff)?;
        Ok(OutgoingResponse::ok(TimelineResponse { entries: stored.journal }))
    }

    pub(crate) fn show_handoff(&self, connection: &Connection, handoff: &str) -> Result<OutgoingResponse, Problem> {
        let stored = self.state.handoff(&connection.id, handoff)?.ok_or_else(unknown_handoff)?;
        Ok(OutgoingResponse::ok(HandoffResponse::from(&stored)))
    }

    /// Looks after a handoff now.
    pub(crate) fn look(&self, connection: &Connection, handoff: &str) -> Result<OutgoingResponse, Problem> {
        self.tick_one(connection, handoff, true)?;
        self.show_handoff(connection, handoff)
    }

    /// Those that whoever calls may see.
    pub(crate) fn list_connections(&self, caller: &Caller) -> Result<OutgoingResponse, Problem> {
        let all = self.readable()?;
        let seen = all.iter().filter(|one| caller.may(Need::Connection(&one.id)));
        let connections = seen.map(|one| self.status_of(one)).collect::<Result<_, _>>()?;
        Ok(OutgoingResponse::ok(ConnectionsResponse { connections }))
    }

    pub(crate) fn disconnect(&self, connection: &Connection, caller: &Caller) -> Result<OutgoingResponse, Problem> {
        self.state.remove_connection(&connection.id)?;
        self.audit(caller.name(), "connection-removed", Some(&connection.id), String::new());
        Ok(OutgoingResponse::empty())
    }

    /// Remembers which body came with an `Idempotency-Key`. Answers the name of the record if it is new.
    fn claim(&self, connection: &str, repeat: &str, call: &IncomingRequest<'_>) -> Result<Option<String>, Problem> {
        let name = digest(&[connection, repeat], 16);
        // The same values in another order are the same request.
        let body: Value = read(call.body, "request")?;
        let value = digest(&[&body.to_string()], 16);
        let record = Record {
            name: name.clone(),
            value: value.clone(),
            expires_at: call.now.saturating_add(days_ms(KEPT_DAYS)),
        };
        if self.state.put_record(REQUEST, &record, call.now, true)? {
            return Ok(Some(name));
        }
        // One that has gone meanwhile was of a request that did not come about.
        match self.state.record(REQUEST, &name, call.now)?.filter(|known| known.value != value) {
            Some(_) => Err(Problem::new(422, "key-reused", "another request came with this Idempotency-Key before")
                .at("Idempotency-Key")
                .with_remedy("Give each request a key of its own; repeat one with the same body.")),
            None => Ok(None),
        }
    }

    /// Forgets small records that have expired.
    pub(crate) fn trim_records(&self) -> Result<(), StateError> {
        let now = (self.clock)();
        [TOKEN, SESSION, ATTEMPT, REFUSED, REQUEST, ALERT]
            .iter()
            .try_for_each(|kind| self.state.trim_records(kind, now, MAX_RECORDS))
    }

    pub(crate) fn connection(&self, id: &str) -> Result<Connection, Problem> {
        let unknown = || {
            Problem::new(404, "unknown", "there is no such connection")
                .at("connection")
                .with_remedy("Connect it with PUT /v1/connections/{connection}.")
        };
        self.state.connection(id)?.ok_or_else(unknown)
    }

    /// Those that can be read: one whose key is missing hides none of the others.
    pub(crate) fn readable(&self) -> Result<Vec<Connection>, StateError> {
        Ok(self.those_readable(&self.state.each_connection()?))
    }

    /// The same of these.
    pub(crate) fn those_readable(&self, each: &EachConnection) -> Vec<Connection> {
        let read = |(id, connection): &(String, Result<Connection, StateError>)| {
            connection.as_ref().map_err(|error| self.warn(id, "", &error.0)).ok().cloned()
        };
        each.iter().filter_map(read).collect()
    }

    /// A connection that can take handoffs.
    pub(crate) fn connected(&self, id: &str) -> Result<Connection, Problem> {
        let connection = self.connection(id)?;
        if connection.connected {
            return Ok(connection);
        }
        let status = status::of(&connection, &[], (self.clock)());
        Err(Problem::new(409, "not-connected", format!("this connection is not connected: {}", status.detail))
            .at("connection")
            .with_remedy(status.remedy.unwrap_or_default()))
    }

    /// The connection of a webhook's path. Whether it is the name or the secret that is wrong is not told.
    pub(crate) fn addressed(&self, id: &str, secret: &str) -> Result<Connection, Problem> {
        let found = self.state.connection(id)?;
        let now = (self.clock)();
        let knows = |found: &Connection| found.webhook_secrets(now).any(|known| is_same(secret, known));
        found.filter(knows).ok_or_else(Problem::not_allowed)
    }
}

pub(crate) fn no_route(why: NoRoute) -> Problem {
    match why {
        NoRoute::Path => {
            Problem::new(404, "no-such-path", "there is nothing at this path").with_remedy("See /v1/openapi.json.")
        }
        NoRoute::Method(allowed) => {
            let mut problem = Problem::new(405, "wrong-method", format!("this path takes {allowed}"));
            problem.allow = Some(allowed);
            problem.with_remedy("See /v1/openapi.json.")
        }
    }
}

pub(crate) fn unknown_handoff() -> Problem {
    Problem::new(404, "unknown", "there is no such handoff").at("handoff").with_remedy("Start it first.")
}

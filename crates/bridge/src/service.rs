//! What each request of the API does: who may call, which connection and which handoff are meant.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::Http;
use freshworks_handoff::use_cases::handoff;
use handoff_contract::model::{CloseReason, HandoffRequest, Message, Rating, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::access::{ATTEMPT, Admitted, Caller, MIN_TOKEN, Need, REFUSED, TOKEN};
use crate::alerts::ALERT;
use crate::connections::{WebhookKeyBody, recognise};
use crate::console::{self, SESSION};
use crate::counters::Counters;
use crate::destinations::Destinations;
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::inbox::Later;
use crate::log::{self, Level};
use crate::problem::{Problem, read};
use crate::responses::{ConnectionsResponse, HandoffResponse, HealthResponse, RotatedResponse, TimelineResponse};
use crate::route::{NoRoute, Route};
use crate::secret::is_same;
use crate::state::{Connection, KEPT_DAYS, Record, Resealed, State, StateError, days_ms};
use crate::status;
use crate::vault::Protection;

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

/// The service. `H` reaches Freshworks and the platform, `S` the store.
pub struct Service<'a, H, S: ?Sized> {
    /// HTTP.
    pub http: &'a H,
    /// The store.
    pub state: &'a S,
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

impl<H: Http, S: State + ?Sized> Service<'_, H, S> {
    /// Answers a request. Never fails. [`finish`](Service::finish) is called when the answer has gone out.
    pub fn answer(&self, call: &IncomingRequest<'_>) -> OutgoingResponse {
        self.dispatch(call).unwrap_or_else(|problem| self.refusal(call, problem))
    }

    /// What is answered in place of what was asked for.
    pub fn refusal(&self, call: &IncomingRequest<'_>, problem: Problem) -> OutgoingResponse {
        if let Some(log) = &problem.log {
            let (connection, handoff) = log::place(call.path);
            self.say(if problem.status >= 500 { Level::Error } else { Level::Warn }, connection, handoff, log);
        }
        problem.into()
    }

    fn dispatch(&self, call: &IncomingRequest<'_>) -> Result<OutgoingResponse, Problem> {
        if console::is_page(call.path) {
            return self.console(call);
        }
        if call.method == "GET" && call.path == "/" {
            // Whoever types the bridge's address wants its pages.
            return Ok(OutgoingResponse { status: 302, ..OutgoingResponse::empty() }.with("location", "/console"));
        }
        let admitted = self.admit(call)?;
        if call.body.len() > MAX_BODY_BYTES {
            return Err(Problem::too_large(MAX_BODY_BYTES));
        }
        self.carry_out(admitted, call)
    }

    fn carry_out(&self, admitted: Admitted<'_>, call: &IncomingRequest<'_>) -> Result<OutgoingResponse, Problem> {
        let (route, caller) = admitted.into_parts();
        match route {
            Route::Health => self.health(),
            Route::OpenApi => Ok(OutgoingResponse::ok(openapi())),
            Route::Connections => {
                let all = self.readable()?;
                let seen = all.iter().filter(|one| caller.may(Need::Connection(&one.id)));
                Ok(OutgoingResponse::ok(ConnectionsResponse {
                    connections: seen.map(|one| self.status_of(one)).collect::<Result<_, _>>()?,
                }))
            }
            Route::Tokens => self.tokens(call.now),
            Route::CreateToken => self.create_token(&caller, call),
            Route::RevokeToken(id) => self.revoke_token(&caller, id, call.now),
            Route::Audit => self.audit_log(call.now),
            Route::Connect(id) => self.connect(id, &caller, call),
            Route::Connection(id) => self.shown(&self.connection(id)?),
            Route::Check(id) => self.check(&self.connection(id)?, call.now),
            Route::Choices(id) => self.choices(id, call),
            Route::Restore(id) => self.restore(&self.connection(id)?, &caller, call.now),
            Route::ChangeWebhooks(id) => self.change_webhooks(&self.connection(id)?, &caller, call),
            Route::Settings(id) => self.settings(&self.connection(id)?),
            Route::Activity(id) => self.activity(&self.connection(id)?),
            Route::Deliveries(id) => self.list_deliveries(&self.connection(id)?, call),
            Route::Resend(id, delivery) => self.resend(&self.connection(id)?, delivery),
            Route::ResendSince(id) => self.resend_since(&self.connection(id)?, call.query),
            Route::Trends(id) => self.trends(&self.connection(id)?),
            Route::Metrics => self.metrics(call),
            Route::WebhookKey => {
                Ok(OutgoingResponse::ok(recognise(&read::<WebhookKeyBody>(call.body, "webhook_key")?)))
            }
            Route::Rotate => self.rotate(&caller),
            Route::Disconnect(id) => {
                self.connection(id)?;
                self.state.remove_connection(id)?;
                self.audit(caller.name(), "connection-removed", Some(id), String::new());
                Ok(OutgoingResponse::empty())
            }
            Route::Preview(id) => {
                let (connection, request) = (self.connected(id)?, read::<HandoffRequest>(call.body, "request")?);
                Ok(OutgoingResponse::ok(handoff::preview(self.http, &connection.settings, &request, call.now)?))
            }
            Route::HandOff(id) => {
                let (connection, request) = (self.connected(id)?, read::<HandoffRequest>(call.body, "request")?);
                let repeat = call.header("idempotency-key").map(|key| digest(&["idempotency-key", key], 12));
                let claim = repeat.as_deref().map(|repeat| self.claim(id, repeat, call)).transpose()?;
                let answer = self.hand_off(&connection, request, repeat.as_deref());
                if let (Err(problem), Some(Some(claim))) = (&answer, claim)
                    && problem.status < 500
                {
                    // Nothing came about: the request may be mended.
                    self.state.remove_record(REQUEST, &claim)?;
                }
                answer
            }
            Route::Trial(id) => {
                let (connection, request) = (self.connected(id)?, read::<HandoffRequest>(call.body, "request")?);
                self.try_out(&connection, request)
            }
            Route::Events(id, handoff) => {
                let (connection, body) = (self.connection(id)?, read::<EventsBody>(call.body, "events")?);
                self.events(&connection, handoff, body.after)
            }
            Route::Timeline(id, handoff) => {
                self.connection(id)?;
                let stored = self.state.handoff(id, handoff)?.ok_or_else(unknown_handoff)?;
                Ok(OutgoingResponse::ok(TimelineResponse { entries: stored.journal }))
            }
            Route::Photo(id, photo) => self.photo(&self.connection(id)?, photo),
            Route::Handoffs(id) => self.list_handoffs(&self.connection(id)?, call.query),
            Route::Handoff(id, handoff) => {
                self.connection(id)?;
                let stored = self.state.handoff(id, handoff)?.ok_or_else(unknown_handoff)?;
                Ok(OutgoingResponse::ok(HandoffResponse::from(&stored)))
            }
            Route::Relay(id, handoff) => {
                let (connection, message) = (self.connection(id)?, read::<Message>(call.body, "message")?);
                self.relay(&connection, handoff, &message)
            }
            Route::Undelivered(id, handoff) => {
                let (connection, body) = (self.connection(id)?, read::<UndeliveredBody>(call.body, "undelivered")?);
                self.undelivered(&connection, handoff, &body.message)
            }
            Route::Rate(id, handoff) => {
                let (connection, rating) = (self.connection(id)?, read::<Rating>(call.body, "rating")?);
                self.rate(&connection, handoff, &rating)
            }
            Route::Close(id, handoff) => {
                let (connection, body) = (self.connection(id)?, read::<CloseBody>(call.body, "close")?);
                self.close(&connection, handoff, body.reason, None)
            }
            Route::Look(id, handoff) => {
                self.tick_one(&self.connection(id)?, handoff, true)?;
                let stored = self.state.handoff(id, handoff)?.ok_or_else(unknown_handoff)?;
                Ok(OutgoingResponse::ok(HandoffResponse::from(&stored)))
            }
            Route::Tick => self.tick(),
            Route::ExportPerson(person) => self.export_person(person, call.query),
            Route::ErasePerson(person) => {
                let erased = self.erase_person(person, call.query);
                // Not whom: the log outlasts the erasure.
                let connection = match route.need(call.query) {
                    Need::Connection(id) => Some(id),
                    _ => None,
                };
                self.audit(
                    caller.name(),
                    "person-erased",
                    connection,
                    if erased.is_ok() { String::new() } else { "in part".to_owned() },
                );
                erased
            }
            Route::FreshchatWebhook(id, secret) => self.freshchat_webhook(&self.addressed(id, secret)?, call),
            Route::TicketWebhook(id) => self.ticket_webhook(&self.addressed_by_header(id, call)?, call),
            Route::PlatformWebhook(endpoint, id, secret) => {
                self.platform_webhook(&self.addressed(id, secret)?, endpoint, call)
            }
        }
    }

    /// Before the body is read: whoever may not come in costs little.
    ///
    /// # Errors
    ///
    /// What to answer instead of carrying it out.
    pub fn welcome(&self, call: &IncomingRequest<'_>) -> Result<(), Problem> {
        if console::is_page(call.path) || call.path == "/" {
            return Ok(());
        }
        match self.admit(call)?.into_parts().0 {
            Route::FreshchatWebhook(id, secret) | Route::PlatformWebhook(_, id, secret) => {
                self.addressed(id, secret).map(drop)
            }
            Route::TicketWebhook(id) => self.addressed_by_header(id, call).map(drop),
            _ => Ok(()),
        }
    }

    fn health(&self) -> Result<OutgoingResponse, Problem> {
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
    fn rotate(&self, caller: &Caller) -> Result<OutgoingResponse, Problem> {
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
        let each = self.state.each_connection()?.into_iter();
        Ok(each.filter_map(|(id, connection)| connection.map_err(|error| self.warn(&id, "", &error.0)).ok()).collect())
    }

    /// A connection that can take handoffs.
    fn connected(&self, id: &str) -> Result<Connection, Problem> {
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
    fn addressed(&self, id: &str, secret: &str) -> Result<Connection, Problem> {
        // Asked for twice in one request: before the body is read, and after.
        let known = self.later.addressed.borrow().clone().filter(|known| known.id == id);
        let found = match known {
            Some(known) => Some(known),
            None => self.state.connection(id)?,
        };
        let now = (self.clock)();
        let knows = |found: &Connection| found.webhook_secrets(now).any(|known| is_same(secret, known));
        let found = found.filter(knows).ok_or_else(Problem::not_allowed)?;
        *self.later.addressed.borrow_mut() = Some(found.clone());
        Ok(found)
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

fn openapi() -> Value {
    serde_json::from_str(include_str!("openapi.json")).unwrap_or_default()
}

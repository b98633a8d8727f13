//! What each request of the API does: who may call, which connection and which handoff are meant.

use freshworks_handoff::handoff;
use freshworks_handoff::http::Http;
use freshworks_handoff::model::{CloseReason, HandoffRequest, Message, Rating, Timestamp};
use freshworks_handoff::session::digest;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{Answer, Call};
use crate::answers::{ConnectionsAnswer, HandoffAnswer, HandoffsAnswer, HealthAnswer, TimelineAnswer};
use crate::connections::{WebhookKeyBody, recognise};
use crate::console;
use crate::inbox::Later;
use crate::problem::{Problem, read};
use crate::route::{self, NoRoute, Route};
use crate::secret::is_same;
use crate::state::{Connection, State, StateError};
use crate::tally::Tally;

/// Largest body: a handoff with 2 MiB of text, as JSON.
pub const MOST_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Handoffs that one list shows.
pub(crate) const MOST_LISTED: u32 = 200;

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        Self::new(503, "unavailable", "the store cannot be reached")
            .with_remedy("Repeat later.")
            .after(1_000)
            .logged(error.0)
    }
}

/// The service. `H` reaches Freshworks and the platform, `S` the store.
pub struct Service<'a, H, S> {
    /// HTTP.
    pub http: &'a H,
    /// The store.
    pub state: &'a S,
    /// What callers of `/v1` must know. Empty: nobody may call.
    pub token: &'a str,
    /// Under which address the app is reached, without a slash at the end. Empty: the operator has not said it.
    pub public_url: &'a str,
    /// Milliseconds since 1970.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// Waits for so many milliseconds.
    pub pause: &'a dyn Fn(u64),
    /// Draws a secret for new webhook paths.
    pub draw: &'a dyn Fn() -> [u8; 24],
    /// A short line for the operator. Never text of people, never a secret.
    pub log: &'a dyn Fn(&str),
    /// What is counted.
    pub tally: Tally,
    /// What is left to do after the answer: see [`finish`](Service::finish).
    pub later: Later,
}

/// Largest body of a request to this path. Before anybody has shown who they are, little is read.
pub fn most_body_bytes(path: &str) -> usize {
    if console::is_page(path) { 4 * 1024 } else { MOST_BODY_BYTES }
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

impl<H: Http, S: State> Service<'_, H, S> {
    /// Answers a request. Never fails. [`finish`](Service::finish) is called when the answer has gone out.
    pub fn answer(&self, call: &Call<'_>) -> Answer {
        self.dispatch(call).unwrap_or_else(|problem| {
            if let Some(log) = &problem.log {
                (self.log)(log);
            }
            problem.into()
        })
    }

    fn dispatch(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        if console::is_page(call.path) {
            return self.console(call);
        }
        let route = route::route(call.method, call.path);
        // Strangers learn nothing, not even which paths there are.
        if !route.as_ref().is_ok_and(Route::is_open) && !self.may_call(call) {
            return Err(Problem::not_allowed());
        }
        if call.body.len() > MOST_BODY_BYTES {
            return Err(Problem::too_large(MOST_BODY_BYTES));
        }
        match route.map_err(no_route)? {
            Route::Health => self.health(),
            Route::OpenApi => Ok(Answer::ok(openapi())),
            Route::Connections => {
                let connections = self.state.connections()?.iter().map(|one| self.status_of(one)).collect();
                Ok(Answer::ok(ConnectionsAnswer { connections }))
            }
            Route::Connect(id) => self.connect(id, call),
            Route::Connection(id) => Ok(Answer::ok(self.checked(&self.connection(id)?))),
            Route::Check(id) => self.check(&self.connection(id)?, call.now),
            Route::Settings(id) => self.settings(&self.connection(id)?),
            Route::Activity(id) => self.activity(&self.connection(id)?),
            Route::Metrics => self.metrics(call),
            Route::WebhookKey => Ok(Answer::ok(recognise(&read::<WebhookKeyBody>(call.body, "webhook_key")?))),
            Route::Disconnect(id) => {
                self.connection(id)?;
                self.state.remove_connection(id)?;
                Ok(Answer::empty())
            }
            Route::Preview(id) => {
                let (connection, request) = (self.connected(id)?, read::<HandoffRequest>(call.body, "request")?);
                Ok(Answer::ok(handoff::preview(self.http, &connection.settings, &request)?))
            }
            Route::HandOff(id) => {
                let (connection, request) = (self.connected(id)?, read::<HandoffRequest>(call.body, "request")?);
                let repeat = call.header("idempotency-key").map(|key| digest(&["idempotency-key", key], 12));
                self.hand_off(&connection, request, repeat.as_deref())
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
                Ok(Answer::ok(TimelineAnswer { entries: stored.journal }))
            }
            Route::Photo(id, photo) => self.photo(&self.connection(id)?, photo),
            Route::Handoffs(id) => {
                self.connection(id)?;
                let open = self.state.open_handoffs(id, MOST_LISTED)?;
                Ok(Answer::ok(HandoffsAnswer { handoffs: open.iter().map(HandoffAnswer::from).collect() }))
            }
            Route::Handoff(id, handoff) => {
                self.connection(id)?;
                let stored = self.state.handoff(id, handoff)?.ok_or_else(unknown_handoff)?;
                Ok(Answer::ok(HandoffAnswer::from(&stored)))
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
                Ok(Answer::ok(HandoffAnswer::from(&stored)))
            }
            Route::Tick => self.tick(),
            Route::FreshchatWebhook(id, secret) => self.freshchat_webhook(&self.addressed(id, secret)?, call),
            Route::TicketWebhook(id) => self.ticket_webhook(&self.addressed_by_header(id, call)?, call),
            Route::PlatformWebhook(endpoint, id, secret) => {
                self.platform_webhook(&self.addressed(id, secret)?, endpoint, call)
            }
        }
    }

    /// Before the body is read: whoever may not come in costs little.
    pub fn is_welcome(&self, call: &Call<'_>) -> bool {
        if console::is_page(call.path) {
            return true;
        }
        match route::route(call.method, call.path) {
            Ok(Route::FreshchatWebhook(id, secret) | Route::PlatformWebhook(_, id, secret)) => {
                self.addressed(id, secret).is_ok()
            }
            Ok(Route::TicketWebhook(id)) => self.addressed_by_header(id, call).is_ok(),
            Ok(route) if route.is_open() => true,
            _ => self.may_call(call),
        }
    }

    fn may_call(&self, call: &Call<'_>) -> bool {
        let given = call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        self.is_token(given) || self.is_from_console(call)
    }

    pub(crate) fn is_token(&self, given: &str) -> bool {
        !self.token.is_empty() && is_same(given, self.token)
    }

    fn health(&self) -> Result<Answer, Problem> {
        // A store that does not answer is no health.
        self.state.connection("health")?;
        Ok(Answer::ok(HealthAnswer { status: "ok", version: env!("CARGO_PKG_VERSION") }))
    }

    pub(crate) fn connection(&self, id: &str) -> Result<Connection, Problem> {
        let unknown = || {
            Problem::new(404, "unknown", "there is no such connection")
                .at("connection")
                .with_remedy("Connect it with PUT /v1/connections/{connection}.")
        };
        self.state.connection(id)?.ok_or_else(unknown)
    }

    /// A connection that can take handoffs.
    fn connected(&self, id: &str) -> Result<Connection, Problem> {
        let connection = self.connection(id)?;
        if connection.connected {
            return Ok(connection);
        }
        Err(Problem::new(409, "not-connected", "the last check of this connection found a failure")
            .at("connection")
            .with_remedy("Do what the findings say, and connect again."))
    }

    /// The connection of a webhook's path. Whether it is the name or the secret that is wrong is not told.
    fn addressed(&self, id: &str, secret: &str) -> Result<Connection, Problem> {
        // Asked for twice in one request: before the body is read, and after.
        let known = self.later.addressed.borrow().clone().filter(|known| known.id == id);
        let found = match known {
            Some(known) => Some(known),
            None => self.state.connection(id)?,
        };
        let found = found.filter(|found| is_same(secret, &found.webhook_secret)).ok_or_else(Problem::not_allowed)?;
        *self.later.addressed.borrow_mut() = Some(found.clone());
        Ok(found)
    }
}

fn no_route(why: NoRoute) -> Problem {
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

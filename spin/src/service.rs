//! What each request of the API does: who may call, which connection and which handoff are meant.

use freshworks_handoff::http::Http;
use freshworks_handoff::model::{CloseReason, HandoffRequest, Message, Timestamp};
use freshworks_handoff::session::digest;
use freshworks_handoff::{connect, handoff};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{Answer, Call};
use crate::answers::{
    CheckedConnectionAnswer, ConnectionAnswer, ConnectionsAnswer, HandoffAnswer, HandoffsAnswer, HealthAnswer,
    PlatformKind, WebhookAddresses,
};
use crate::platform::{Platform, PlatformSettings, Webhooks, web_url};
use crate::problem::{Problem, read};
use crate::route::{self, NoRoute, Route};
use crate::secret::is_same;
use crate::state::{Connection, State, StateError};

/// Largest body: a handoff with 2 MiB of text, as JSON.
pub const MOST_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Handoffs that one list shows.
const MOST_LISTED: u32 = 200;

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
}

/// What `PUT /v1/connections/{connection}` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectBody {
    /// The settings of the Freshworks account, as the schema `Settings` of this document has them. As forms send them: null
    /// and blank texts mean "not set". Settings that are not known are kept, and named in a warning.
    pub settings: serde_json::Map<String, Value>,
    /// The platform's side.
    pub platform: PlatformSettings,
    /// Who else gets what Freshworks sends: an http or https URL.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = web_url::PATTERN)))]
    pub forward_url: Option<String>,
}

/// What `POST .../close` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloseBody {
    /// Why the platform ends the human part.
    pub reason: CloseReason,
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
    /// Answers a request. Never fails.
    pub fn answer(&self, call: &Call<'_>) -> Answer {
        self.dispatch(call).unwrap_or_else(|problem| {
            if let Some(log) = &problem.log {
                (self.log)(log);
            }
            problem.into()
        })
    }

    fn dispatch(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let route = route::route(call.method, call.path);
        // Strangers learn nothing, not even which paths there are.
        if !route.as_ref().is_ok_and(Route::is_open) && !self.may_call(call) {
            return Err(Problem::not_allowed());
        }
        if call.body.len() > MOST_BODY_BYTES {
            return Err(Problem::too_large());
        }
        match route.map_err(no_route)? {
            Route::Health => self.health(),
            Route::OpenApi => Ok(Answer::ok(openapi())),
            Route::Connections => {
                let connections = self.state.connections()?.iter().map(|one| self.status_of(one)).collect();
                Ok(Answer::ok(ConnectionsAnswer { connections }))
            }
            Route::Connect(id) => self.connect(id, call),
            Route::Connection(id) => Ok(Answer::ok(self.status_of(&self.connection(id)?))),
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
            Route::Close(id, handoff) => {
                let (connection, body) = (self.connection(id)?, read::<CloseBody>(call.body, "close")?);
                self.close(&connection, handoff, body.reason, None)
            }
            Route::Look(id, handoff) => {
                self.tick_one(&self.connection(id)?, handoff)?;
                let stored = self.state.handoff(id, handoff)?.ok_or_else(unknown_handoff)?;
                Ok(Answer::ok(HandoffAnswer::from(&stored)))
            }
            Route::Tick => self.tick(),
            Route::FreshchatWebhook(id, secret) => self.freshchat_webhook(&self.addressed(id, secret)?, call),
            Route::PlatformWebhook(endpoint, id, secret) => {
                self.platform_webhook(&self.addressed(id, secret)?, endpoint, call)
            }
        }
    }

    /// Before the body is read: whoever may not come in costs little.
    pub fn is_welcome(&self, call: &Call<'_>) -> bool {
        match route::route(call.method, call.path) {
            Ok(Route::FreshchatWebhook(id, secret) | Route::PlatformWebhook(_, id, secret)) => {
                self.addressed(id, secret).is_ok()
            }
            Ok(route) if route.is_open() => true,
            _ => self.may_call(call),
        }
    }

    fn may_call(&self, call: &Call<'_>) -> bool {
        let given = call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
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
        let found = self.state.connection(id)?;
        found.filter(|found| is_same(secret, &found.webhook_secret)).ok_or_else(Problem::not_allowed)
    }

    fn connect(&self, id: &str, call: &Call<'_>) -> Result<Answer, Problem> {
        use base64ct::{Base64UrlUnpadded, Encoding};

        let body: ConnectBody = read(call.body, "connection")?;
        if body.forward_url.as_deref().is_some_and(|url| web_url::split(url).is_none()) {
            return Err(Problem::new(422, "invalid-settings", "the forward URL is no http or https URL")
                .at("forward_url")
                .with_remedy("Pass the URL that gets what Freshworks sends, or leave it out."));
        }
        let before = self.state.connection(id)?;
        // The URL is pasted into Freshworks: it stays.
        let drawn = || Base64UrlUnpadded::encode_string(&(self.draw)());
        let webhook_secret = before.map_or_else(drawn, |before| before.webhook_secret);
        let mut platform = body.platform;
        let mut findings = platform.connect(self.http, &self.webhooks(id, &webhook_secret))?;
        let report = connect::connect(self.http, &Value::Object(body.settings).to_string())?;
        let is_failure = |finding: &freshworks_handoff::model::Finding| {
            finding.level == freshworks_handoff::model::FindingLevel::Failure
        };
        let connection = Connection {
            id: id.to_owned(),
            settings: report.settings,
            account: report.account,
            connected: report.connected && !findings.iter().any(is_failure),
            checked_at: call.now,
            platform,
            webhook_secret,
            forward_url: body.forward_url,
        };
        self.state.save_connection(&connection)?;
        findings.splice(0..0, report.findings);
        Ok(Answer::ok(CheckedConnectionAnswer { connection: self.status_of(&connection), findings }))
    }

    fn webhooks(&self, id: &str, secret: &str) -> Webhooks {
        let at = |who: &str| format!("{}/webhooks/{who}/{id}/{secret}", self.public_url);
        let are_urls = web_url::split(self.public_url).is_some();
        Webhooks { freshchat: at("freshchat"), platform: at("platform"), chat: at("sendbird"), are_urls }
    }

    fn status_of(&self, connection: &Connection) -> ConnectionAnswer {
        let webhooks = self.webhooks(&connection.id, &connection.webhook_secret);
        let (platform, chat) = match connection.platform {
            PlatformSettings::Generic(_) => (PlatformKind::Generic, None),
            PlatformSettings::Delight(_) => (PlatformKind::Delight, Some(webhooks.chat)),
        };
        ConnectionAnswer {
            id: connection.id.clone(),
            connected: connection.connected,
            account: connection.account.clone(),
            checked_at: connection.checked_at,
            platform,
            webhooks: WebhookAddresses { freshchat: webhooks.freshchat, platform: webhooks.platform, chat },
        }
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

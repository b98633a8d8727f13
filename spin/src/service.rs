//! What each request does: who may call, what is read and stored, in which order.
//!
//! The order that matters: effects first, then the store, then the answer. What was not stored did not happen for us, and is
//! asked for again: by Freshworks, which repeats a webhook that was not acknowledged, or by the platform.

use base64ct::{Base64UrlUnpadded, Encoding};
use freshworks_handoff::error::Error;
use freshworks_handoff::http::Http;
use freshworks_handoff::model::{
    CloseReason, Delivery, EventKind, HandoffRequest, Message, Owner, SessionInfo, Timestamp, Update,
};
use freshworks_handoff::session::{Session, digest};
use freshworks_handoff::settings::Settings;
use freshworks_handoff::{close, connect, handoff, relay, tick, webhook};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::callback;
use crate::problem::Problem;
use crate::route::{self, NoRoute, Route};
use crate::state::{Connection, Handoff, KEPT_MS, Lease, State, StateError};

/// Largest body: a handoff with 2 MiB of text, as JSON.
pub const MOST_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Handoffs that one `POST /v1/tick` looks after.
const MOST_TICKS: u32 = 50;
/// Handoffs that one list shows.
const MOST_LISTED: u32 = 200;
/// How long to wait when somebody else works on the same handoff.
const BUSY_MS: u64 = 1_000;

/// A request, complete.
pub struct Call<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Without query.
    pub path: &'a str,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: &'a [u8],
    /// When it arrived, in milliseconds since 1970.
    pub now: Timestamp,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON; none for an empty body.
    pub body: Option<Value>,
    /// Headers besides the content type.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body), headers: Vec::new() }
    }

    /// Acknowledged. Empty, because Spin sends a body apart from its head, which costs a kept-alive connection 40 ms.
    fn empty() -> Self {
        Self { status: 204, body: None, headers: Vec::new() }
    }

    /// True for `application/problem+json`.
    pub fn is_problem(&self) -> bool {
        self.status >= 400
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let seconds = problem.retry_after_ms.map(|wait| wait.div_ceil(1000).to_string());
        let headers = seconds.into_iter().map(|seconds| ("retry-after", seconds)).collect();
        Self { status: problem.status, body: Some(problem.to_json()), headers }
    }
}

impl From<StateError> for Problem {
    fn from(_: StateError) -> Self {
        Self::new(503, "unavailable", "the store cannot be reached").with_remedy("Repeat later.").after(BUSY_MS)
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
    /// Draws a secret for a new webhook path.
    pub draw: &'a dyn Fn() -> [u8; 24],
    /// A short line for the operator. Never text of people, never a secret.
    pub log: &'a dyn Fn(&str),
}

/// What `PUT /v1/connections/{connection}` takes.
#[derive(Deserialize)]
struct ConnectBody {
    settings: Value,
    callback: CallbackBody,
}

#[derive(Deserialize)]
struct CallbackBody {
    url: String,
    secret: String,
}

#[derive(Deserialize)]
struct CloseBody {
    reason: CloseReason,
}

impl<H: Http, S: State> Service<'_, H, S> {
    /// Answers a request. Never fails.
    pub async fn answer(&self, call: &Call<'_>) -> Answer {
        match self.dispatch(call).await {
            Ok(answer) => answer,
            Err(problem) => problem.into(),
        }
    }

    async fn dispatch(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let route = route::route(call.method, call.path);
        // Strangers learn nothing, not even which paths there are.
        let is_open = matches!(route, Ok(Route::Health | Route::OpenApi | Route::Webhook(..)));
        if !is_open && !self.may_call(call) {
            return Err(Problem::not_allowed());
        }
        let route = route.map_err(|why| match why {
            NoRoute::Path => Problem::new(404, "no-such-path", "there is nothing at this path")
                .with_remedy("See /v1/openapi.json."),
            NoRoute::Method(allowed) => {
                Problem::new(405, "wrong-method", format!("this path takes {allowed}")).with_remedy("See /v1/openapi.json.")
            }
        })?;
        if call.body.len() > MOST_BODY_BYTES {
            return Err(Problem::new(413, "too-large", "the body is larger than 8 MiB").with_remedy("Send less."));
        }
        match route {
            Route::Health => Ok(Answer::ok(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))),
            Route::OpenApi => Ok(Answer::ok(openapi())),
            Route::Connect(connection) => self.connect(connection, call).await,
            Route::Connection(connection) => Ok(Answer::ok(status_of(&self.connection(connection)?))),
            Route::HandOff(connection) => self.hand_off(connection, call).await,
            Route::Handoffs(connection) => {
                self.connection(connection)?;
                let open = self.state.open_handoffs(connection, MOST_LISTED)?;
                Ok(Answer::ok(json!({ "handoffs": open.iter().map(shown).collect::<Vec<_>>() })))
            }
            Route::Handoff(connection, id) => {
                let found = self.state.handoff(connection, id)?.filter(|found| found.session.is_some());
                Ok(Answer::ok(shown(&found.ok_or_else(unknown_handoff)?)))
            }
            Route::Relay(connection, id) => self.relay(connection, id, call).await,
            Route::Close(connection, id) => self.close(connection, id, call).await,
            Route::Tick => self.tick(call.now).await,
            Route::Webhook(connection, secret) => self.webhook(connection, secret, call).await,
        }
    }

    fn may_call(&self, call: &Call<'_>) -> bool {
        let header = call.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
        let given = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        !self.token.is_empty() && is_same(given, self.token)
    }

    fn connection(&self, id: &str) -> Result<Connection, Problem> {
        let unknown = || {
            Problem::new(404, "unknown", "there is no such connection")
                .at("connection")
                .with_remedy("Connect it with PUT /v1/connections/{connection}.")
        };
        self.state.connection(id)?.ok_or_else(unknown)
    }

    async fn connect(&self, id: &str, call: &Call<'_>) -> Result<Answer, Problem> {
        let body: ConnectBody = read(call.body, "connection")?;
        if callback::split(&body.callback.url).is_none() {
            return Err(Problem::new(422, "invalid-settings", "the callback URL is no http or https URL")
                .at("callback.url")
                .with_remedy("Pass the URL at which the platform takes events, without user, password or fragment."));
        }
        if !callback::is_secret(&body.callback.secret) {
            return Err(Problem::new(422, "invalid-settings", "the callback secret is not of the Standard Webhooks form")
                .at("callback.secret")
                .with_remedy("Pass `whsec_` and 24 to 64 random bytes as base64."));
        }
        let report = connect::connect(self.http, &body.settings.to_string()).await?;
        let before = self.state.connection(id)?;
        let connection = Connection {
            id: id.to_owned(),
            settings: report.settings,
            account: report.account,
            connected: report.connected,
            checked_at: call.now,
            callback_url: body.callback.url,
            callback_secret: body.callback.secret,
            // The URL is pasted into Freshworks: it stays.
            webhook_secret: before
                .map_or_else(|| Base64UrlUnpadded::encode_string(&(self.draw)()), |before| before.webhook_secret),
        };
        self.state.save_connection(&connection)?;
        let mut shown = status_of(&connection);
        shown["findings"] = json!(report.findings);
        Ok(Answer::ok(shown))
    }

    async fn hand_off(&self, connection: &str, call: &Call<'_>) -> Result<Answer, Problem> {
        let connection = self.connection(connection)?;
        let mut request: HandoffRequest = read(call.body, "request")?;
        let key = &request.key;
        let id = digest(&[&key.application, &key.channel, &key.conversation], 16);
        let lease = self.lease(&connection.id, &id, call.now)?;
        request.retry |= lease.unclean;
        let stored = lease.handoff.clone().unwrap_or_else(|| Handoff {
            connection: connection.id.clone(),
            id: id.clone(),
            key: request.key.clone(),
            session: None,
            state: "requesting".to_owned(),
            owner: "ai-agent".to_owned(),
            next_tick_at: None,
            updated_at: call.now,
        });
        let session = stored.session.clone();
        match handoff::handoff(self.http, &connection.settings, &request, session.as_deref(), call.now).await {
            Ok(receipt) => {
                let handoff = moved(&stored, Some(receipt.session), Some(&receipt.info), call.now);
                self.save(&handoff, &receipt.info.conversation_ids, &lease)?;
                let mut shown = shown(&handoff);
                shown["external_case"] = json!({ "case_id": receipt.case_id, "kind": "freshworks" });
                shown["agent_url"] = json!(receipt.agent_url);
                shown["steps"] = json!(receipt.steps);
                shown["findings"] = json!(receipt.findings);
                Ok(Answer::ok(shown))
            }
            Err(error) => Err(self.failed(&stored, &lease, error, call.now)),
        }
    }

    async fn relay(&self, connection: &str, id: &str, call: &Call<'_>) -> Result<Answer, Problem> {
        let connection = self.connection(connection)?;
        let message: Message = read(call.body, "message")?;
        let (lease, stored, session) = self.work_on(&connection.id, id, call.now)?;
        let settings = &connection.settings;
        match relay::relay(self.http, settings, &session, &message, lease.unclean, call.now).await {
            Ok(update) => self.moved_on(&stored, &lease, update, call.now),
            Err(error) => Err(self.failed(&stored, &lease, error, call.now)),
        }
    }

    async fn close(&self, connection: &str, id: &str, call: &Call<'_>) -> Result<Answer, Problem> {
        let connection = self.connection(connection)?;
        let CloseBody { reason } = read(call.body, "close")?;
        let (lease, stored, session) = self.work_on(&connection.id, id, call.now)?;
        match close::close(self.http, &connection.settings, &session, reason, lease.unclean, call.now).await {
            Ok(update) => self.moved_on(&stored, &lease, update, call.now),
            Err(error) => Err(self.failed(&stored, &lease, error, call.now)),
        }
    }

    async fn tick(&self, now: Timestamp) -> Result<Answer, Problem> {
        let (mut done, mut failed) = (0, 0);
        for (connection, id) in self.state.due(now, MOST_TICKS)? {
            match self.tick_one(&connection, &id, now).await {
                Ok(()) => done += 1,
                Err(problem) => {
                    failed += 1;
                    (self.log)(&format!("tick of {connection}/{id}: {} ({})", problem.kind, problem.detail));
                }
            }
        }
        self.state.forget(now.saturating_sub(KEPT_MS))?;
        Ok(Answer::ok(json!({ "done": done, "failed": failed })))
    }

    async fn tick_one(&self, connection: &str, id: &str, now: Timestamp) -> Result<(), Problem> {
        let connection = self.connection(connection)?;
        let (lease, stored, session) = self.work_on(&connection.id, id, now)?;
        match tick::tick(self.http, &connection.settings, &session, now).await {
            Ok(update) => self.tell(&connection, &stored, &lease, update, now).await,
            Err(error) => Err(self.failed(&stored, &lease, error, now)),
        }
    }

    async fn webhook(&self, connection: &str, secret: &str, call: &Call<'_>) -> Result<Answer, Problem> {
        let found = self.state.connection(connection)?;
        let connection = found.filter(|found| is_same(secret, &found.webhook_secret)).ok_or_else(Problem::not_allowed)?;
        let delivery = Delivery { headers: call.headers.clone(), body: call.body.to_vec(), received_at: call.now };
        let settings = Settings::parse(&connection.settings)?;
        webhook::verify(&settings, &delivery)?;
        let conversations = webhook::peek(&delivery.body);
        let Some(id) = self.state.handoff_of(&connection.id, &conversations)? else {
            // Not ours. Another integration of the account may use the same topic.
            return Ok(Answer::empty());
        };
        let (lease, stored, session) = self.work_on(&connection.id, &id, call.now)?;
        let heard = match Session::decode(&session) {
            Ok(session) => webhook::on_verified(self.http, &settings, &delivery, Some(session)).await,
            Err(error) => Err(error),
        };
        match heard {
            Ok(update) => {
                self.tell(&connection, &stored, &lease, update, call.now).await?;
                Ok(Answer::empty())
            }
            Err(error) => Err(self.failed(&stored, &lease, error, call.now)),
        }
    }

    /// Tells the platform what happened, and only then stores that it did: what was not told comes again.
    async fn tell(
        &self,
        connection: &Connection,
        stored: &Handoff,
        lease: &Lease,
        update: Update,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let events: Vec<_> = update.events.into_iter().filter(|event| event.kind != EventKind::Ignored).collect();
        if !events.is_empty() {
            let told = callback::deliver(self.http, connection, stored, &events, update.info.as_ref(), now).await;
            if let Err(why) = told {
                (self.log)(&format!("{}/{}: {why}", stored.connection, stored.id));
                // A tick that has written to Freshworks finds it at its next try.
                self.state.give_back(&stored.connection, &stored.id, lease.number)?;
                return Err(Problem::new(503, "unavailable", "the platform's callback did not take the events")
                    .with_remedy("Repeat later.")
                    .after(BUSY_MS));
            }
        }
        let handoff = moved(stored, update.session, update.info.as_ref(), now);
        let conversations = update.info.map(|info| info.conversation_ids).unwrap_or_default();
        self.save(&handoff, &conversations, lease)
    }

    /// Stores what a call of the platform has changed, and answers with it.
    fn moved_on(&self, stored: &Handoff, lease: &Lease, update: Update, now: Timestamp) -> Result<Answer, Problem> {
        let handoff = moved(stored, update.session, update.info.as_ref(), now);
        let conversations = update.info.map(|info| info.conversation_ids).unwrap_or_default();
        self.save(&handoff, &conversations, lease)?;
        let mut shown = shown(&handoff);
        shown["events"] = json!(update.events);
        shown["findings"] = json!(update.findings);
        Ok(Answer::ok(shown))
    }

    fn lease(&self, connection: &str, id: &str, now: Timestamp) -> Result<Lease, Problem> {
        let busy = || {
            Problem::new(503, "busy", "another request works on the same conversation")
                .with_remedy("Repeat after the wait.")
                .after(BUSY_MS)
        };
        self.state.lease(connection, id, now)?.ok_or_else(busy)
    }

    /// The lease of a handoff that exists, with what is stored.
    fn work_on(&self, connection: &str, id: &str, now: Timestamp) -> Result<(Lease, Handoff, Vec<u8>), Problem> {
        self.state.handoff(connection, id)?.ok_or_else(unknown_handoff)?;
        let lease = self.lease(connection, id, now)?;
        let known = lease.handoff.clone().and_then(|stored| stored.session.clone().map(|session| (stored, session)));
        let Some((stored, session)) = known else {
            self.state.give_back(connection, id, lease.number)?;
            return Err(unknown_handoff());
        };
        Ok((lease, stored, session))
    }

    fn save(&self, handoff: &Handoff, conversations: &[String], lease: &Lease) -> Result<(), Problem> {
        if self.state.save(handoff, conversations, lease.number)? {
            return Ok(());
        }
        Err(Problem::new(503, "busy", "another request has taken the conversation over")
            .with_remedy("Repeat after the wait.")
            .after(BUSY_MS))
    }

    /// Keeps what a failed call has done so far. Where even that fails, the lease stays and the next one has to look.
    fn failed(&self, stored: &Handoff, lease: &Lease, error: Error, now: Timestamp) -> Problem {
        if let Some(log) = &error.log {
            (self.log)(&format!("{}/{}: {log}", stored.connection, stored.id));
        }
        let kept = match error.session.clone() {
            Some(session) => {
                let ids: &[String] = &[];
                self.state.save(&moved(stored, Some(session), None, now), ids, lease.number).map(drop)
            }
            None => self.state.give_back(&stored.connection, &stored.id, lease.number),
        };
        match kept {
            Ok(()) => error.into(),
            Err(error) => error.into(),
        }
    }
}

fn is_same(given: &str, wanted: &str) -> bool {
    // Lengths are no secret; everything else takes the same time.
    given.as_bytes().ct_eq(wanted.as_bytes()).into()
}

fn unknown_handoff() -> Problem {
    Problem::new(404, "unknown", "there is no such handoff").at("handoff").with_remedy("Start it first.")
}

fn read<T: DeserializeOwned>(body: &[u8], name: &str) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { name.to_owned() } else { format!("{name}.{path}") };
        let inner = error.inner();
        // The message of the library may quote what people wrote.
        let detail = format!("the body cannot be read at line {}, column {}", inner.line(), inner.column());
        Problem::new(400, "invalid-request", detail).at(field).with_remedy("See /v1/openapi.json.")
    })
}

fn moved(stored: &Handoff, session: Option<Vec<u8>>, info: Option<&SessionInfo>, now: Timestamp) -> Handoff {
    let owner = |owner| if owner == Owner::HumanAgent { "human-agent" } else { "ai-agent" };
    Handoff {
        session: session.or_else(|| stored.session.clone()),
        state: info.map_or_else(|| stored.state.clone(), |info| info.state.word().to_owned()),
        owner: info.map_or_else(|| stored.owner.clone(), |info| owner(info.owner).to_owned()),
        next_tick_at: info.map_or(stored.next_tick_at, |info| info.next_tick_at),
        updated_at: now,
        ..stored.clone()
    }
}

fn shown(handoff: &Handoff) -> Value {
    json!({
        "id": handoff.id,
        "key": handoff.key,
        "state": handoff.state,
        "owner": handoff.owner,
        "next_tick_at": handoff.next_tick_at,
        "updated_at": handoff.updated_at,
    })
}

/// Without secrets, but for the webhook's path, which the admin has to paste.
fn status_of(connection: &Connection) -> Value {
    json!({
        "id": connection.id,
        "connected": connection.connected,
        "account": connection.account,
        "checked_at": connection.checked_at,
        "callback": { "url": connection.callback_url },
        "webhook_path": format!("/webhooks/freshchat/{}/{}", connection.id, connection.webhook_secret),
    })
}

fn openapi() -> Value {
    serde_json::from_str(include_str!("openapi.json")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LEASE_MS;
    use crate::testing::{Memory, Outside, now};

    const TOKEN: &str = "token-1";
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwQUJD";

    /// A Freshchat in which everything is there.
    fn freshchat(line: &str) -> (u16, String) {
        let body = match line.split("/v2").nth(1).unwrap_or_default() {
            "/accounts/configuration" => r#"{"organisation_id": "1", "account_domain": "acme.freshchat.com"}"#,
            path if path.starts_with("/channels") => r#"{"channels": [{"id": "t-1", "name": "Sendbird Integration"}]}"#,
            path if path.starts_with("/users?") => r#"{"users": [{"id": "u-1"}]}"#,
            "/users/u-1/conversations" => r#"{"conversations": []}"#,
            "/conversations" => r#"{"conversation_id": "c-1", "channel_id": "t-1", "messages": [{"id": "m-1"}]}"#,
            path if path.contains("/messages?") => r#"{"messages": []}"#,
            path if path.ends_with("/messages") => r#"{"id": "m-2"}"#,
            _ => "{}",
        };
        (200, body.to_owned())
    }

    fn ask_as<H: Http>(
        http: &H,
        state: &Memory,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: &Value,
        at: u64,
    ) -> Answer {
        let service = Service { http, state, token: TOKEN, draw: &|| [7; 24], log: &|_| () };
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.to_string().into_bytes();
        now(service.answer(&Call { method, path, headers, body: &body, now: at }))
    }

    fn ask<H: Http>(http: &H, state: &Memory, method: &str, path: &str, body: &Value, at: u64) -> Answer {
        ask_as(http, state, &[("authorization", "Bearer token-1")], method, path, body, at)
    }

    fn connection() -> Value {
        json!({
            "settings": { "chat_url": "acme", "api_key": "k-1" },
            "callback": { "url": "https://platform.example/events", "secret": SECRET },
        })
    }

    fn request() -> Value {
        json!({
            "key": { "application": "a", "channel": "c", "conversation": "1" },
            "user": { "id": "user-1", "name": "Ana" },
            "mode": "live", "reason": "user-asked",
            "history": [{
                "id": "1", "sender": { "role": "end-user" }, "sent_at": 1, "parts": [{ "kind": "text", "text": "Hello" }],
            }],
        })
    }

    fn message(id: &str) -> Value {
        json!({ "id": id, "sender": { "role": "end-user" }, "sent_at": 1, "parts": [{ "kind": "text", "text": "More" }] })
    }

    fn body(answer: &Answer) -> &Value {
        answer.body.as_ref().unwrap()
    }

    /// A connected account with one handoff; the path of the handoff.
    fn handed_over<H: Http>(http: &H, state: &Memory) -> String {
        assert_eq!(body(&ask(http, state, "PUT", "/v1/connections/acme", &connection(), 1_000))["connected"], true);
        let answer = ask(http, state, "POST", "/v1/connections/acme/handoffs", &request(), 2_000);
        assert_eq!(answer.status, 200, "{answer:?}");
        format!("/v1/connections/acme/handoffs/{}", body(&answer)["id"].as_str().unwrap())
    }

    #[test]
    fn a_conversation_is_handed_over_relayed_and_closed() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        let shown = ask(&http, &state, "GET", &handoff, &Value::Null, 3_000);
        assert_eq!((&body(&shown)["state"], &body(&shown)["owner"]), (&json!("queued"), &json!("human-agent")));
        let list = ask(&http, &state, "GET", "/v1/connections/acme/handoffs", &Value::Null, 3_000);
        assert_eq!(body(&list)["handoffs"].as_array().unwrap().len(), 1);
        let relayed = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 4_000);
        assert_eq!(relayed.status, 200, "{relayed:?}");
        let closed = ask(&http, &state, "POST", &format!("{handoff}/close"), &json!({ "reason": "user-left" }), 5_000);
        assert_eq!(body(&closed)["events"][0]["kind"], "returned-to-ai");
        assert_eq!(body(&closed)["owner"], "ai-agent");
    }

    #[test]
    fn the_platforms_own_ids_make_a_repetition_harmless() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        let asked = http.asked.borrow().len();
        let again = ask(&http, &state, "POST", "/v1/connections/acme/handoffs", &request(), 3_000);
        assert_eq!((again.status, http.asked.borrow().len()), (200, asked));
        let path = format!("{handoff}/messages");
        ask(&http, &state, "POST", &path, &message("m1"), 4_000);
        let asked = http.asked.borrow().len();
        assert_eq!(ask(&http, &state, "POST", &path, &message("m1"), 5_000).status, 200);
        assert_eq!(http.asked.borrow().len(), asked);
    }

    #[test]
    fn strangers_learn_nothing() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        let asked = http.asked.borrow().len();
        let mut answers = Vec::new();
        for authorization in ["", "token-1", "Bearer ", "Bearer token-2", "bearer token-1", "Basic dG9rZW4tMQ=="] {
            for (method, path) in
                [("GET", handoff.as_str()), ("GET", "/v1/connections/none"), ("GET", "/nowhere"), ("POST", "/v1/tick")]
            {
                answers.push(ask_as(&http, &state, &[("authorization", authorization)], method, path, &Value::Null, 3_000));
            }
        }
        for path in ["/webhooks/freshchat/acme/wrong", "/webhooks/freshchat/none/wrong"] {
            answers.push(ask_as(&http, &state, &[], "POST", path, &Value::Null, 3_000));
        }
        let right = Base64UrlUnpadded::encode_string(&[7; 24]);
        let forged = [("x-freshchat-signature", "AAAA")];
        answers.push(ask_as(&http, &state, &forged, "POST", &format!("/webhooks/freshchat/acme/{right}"), &json!({}), 3_000));
        let expected = Answer::from(Problem::not_allowed());
        for answer in answers.iter().take(answers.len() - 1) {
            assert_eq!(*answer, expected);
        }
        // Settings without a public key refuse every webhook, and say so to whoever knows the path.
        assert!(answers.last().unwrap().is_problem());
        assert_eq!(http.asked.borrow().len(), asked, "nothing was asked of anybody");
    }

    #[test]
    fn without_a_token_of_its_own_the_service_lets_nobody_in() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let service = Service { http: &http, state: &state, token: "", draw: &|| [7; 24], log: &|_| () };
        let headers = vec![("authorization".to_owned(), "Bearer ".to_owned())];
        let call = Call { method: "POST", path: "/v1/tick", headers, body: b"", now: 1 };
        assert_eq!(now(service.answer(&call)).status, 401);
    }

    #[test]
    fn tenants_do_not_see_one_another() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        ask(&http, &state, "PUT", "/v1/connections/other", &connection(), 3_000);
        let foreign = handoff.replace("/acme/", "/other/");
        for (method, path, body) in [
            ("GET", foreign.clone(), Value::Null),
            ("POST", format!("{foreign}/messages"), message("m1")),
            ("POST", format!("{foreign}/close"), json!({ "reason": "user-left" })),
        ] {
            let answer = ask(&http, &state, method, &path, &body, 4_000);
            assert_eq!((answer.status, &super::tests::body(&answer)["kind"]), (404, &json!("unknown")), "{path}");
        }
        let list = ask(&http, &state, "GET", "/v1/connections/other/handoffs", &Value::Null, 4_000);
        assert_eq!(body(&list)["handoffs"], json!([]));
    }

    #[test]
    fn two_requests_for_one_conversation_do_not_work_at_once() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        let id = handoff.rsplit('/').next().unwrap();
        let held = state.lease("acme", id, 3_000).unwrap().unwrap();
        let busy = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 3_001);
        assert_eq!((busy.status, &body(&busy)["kind"]), (503, &json!("busy")));
        assert_eq!(busy.headers, [("retry-after", "1".to_owned())]);

        // Whoever had it died: after its time the next one looks before it writes, and the dead one saves nothing.
        let asked = http.asked.borrow().len();
        let later = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 3_000 + LEASE_MS);
        assert_eq!(later.status, 200, "{later:?}");
        assert!(http.asked.borrow()[asked].starts_with("Get "), "{:?}", &http.asked.borrow()[asked..]);
        let stale = held.handoff.unwrap();
        assert_eq!(state.save(&stale, &[], held.number), Ok(false));
    }

    #[test]
    fn what_a_failed_call_has_done_is_kept() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        let lost = |line: &str| if line.starts_with("Post") && line.ends_with("/messages") { (500, String::new()) } else { freshchat(line) };
        let failing = Outside::new(lost);
        let answer = ask(&failing, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 3_000);
        assert_eq!((answer.status, &body(&answer)["kind"]), (503, &json!("outcome-unknown")));
        let again = Outside::new(freshchat);
        assert_eq!(ask(&again, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 9_000).status, 200);
        assert!(again.asked.borrow()[0].starts_with("Get "), "it looks first");
    }

    #[test]
    fn bodies_that_cannot_be_read_name_the_place() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        let mut wrong = request();
        wrong["history"][0]["sender"]["role"] = json!("somebody xylomar");
        let answer = ask(&http, &state, "POST", "/v1/connections/acme/handoffs", &wrong, 3_000);
        assert_eq!((answer.status, &body(&answer)["field"]), (400, &json!("request.history[0].sender.role")));
        assert!(!body(&answer).to_string().contains("xylomar"));
        let answer = ask(&http, &state, "POST", &format!("{handoff}/close"), &json!([]), 3_000);
        assert_eq!((answer.status, &body(&answer)["field"]), (400, &json!("close")));
        let mut wrong = connection();
        wrong["callback"]["secret"] = json!("whsec_short");
        let answer = ask(&http, &state, "PUT", "/v1/connections/acme", &wrong, 3_000);
        assert_eq!((answer.status, &body(&answer)["field"]), (422, &json!("callback.secret")));
    }

    #[test]
    fn a_webhooks_path_stays_when_the_account_is_connected_again() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let first = ask(&http, &state, "PUT", "/v1/connections/acme", &connection(), 1_000);
        let service = Service { http: &http, state: &state, token: TOKEN, draw: &|| [8; 24], log: &|_| () };
        let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
        let bytes = connection().to_string().into_bytes();
        let again =
            now(service.answer(&Call { method: "PUT", path: "/v1/connections/acme", headers, body: &bytes, now: 2_000 }));
        assert_eq!(body(&first)["webhook_path"], body(&again)["webhook_path"]);
        let shown = body(&again).to_string();
        assert!(!shown.contains("k-1") && !shown.contains(SECRET), "secrets do not come back");
    }

    #[test]
    fn a_store_that_is_away_is_said_so() {
        let (http, state) = (Outside::new(freshchat), Memory::default());
        let handoff = handed_over(&http, &state);
        *state.is_down.borrow_mut() = true;
        let answer = ask(&http, &state, "POST", &format!("{handoff}/messages"), &message("m1"), 3_000);
        assert_eq!((answer.status, &body(&answer)["kind"]), (503, &json!("unavailable")));
    }
}

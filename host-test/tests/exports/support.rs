//! Common parts of all tests: an account, the plugin in its sandbox, settings, and the people of the conversation.
//!
//! All calls of the plugin go through [`Desk`], which checks for leaked text after each call (`watch.rs`).

use base64ct::{Base64UrlUnpadded, Encoding as _};
use freshworks_simulator::{self as simulator, ActorType, Config, Conversation, KeyForm, MessageType, Simulator};
use handoff_host::bindings::{
    CloseReason, Connection, ConversationKey, Delivery, EndUser, ErrorKind, Event, EventKind, Finding, HandoffRequest,
    Message, Mode, Part, PartKind, Plan, PluginError, Rating, Reason, Receipt, Routing, Sender, SenderRole, Step,
    Update,
};
use handoff_host::{After, AllowList, Before, Call, CallError, HttpClient, Interceptor, Outgoing, Sandbox};
use serde_json::{Value, json};

pub(crate) use crate::plugin::plugin;
use crate::watch::watched;

/// Milliseconds since 1970; the plugin reads no clock.
pub(crate) const NOW: u64 = 1_795_000_000_000;
/// The API key of every account here.
pub(crate) const API_KEY: &str = "key-Qopzanfer-1";
/// Part of every text and name here: it must only appear in the conversation.
pub(crate) const SPOKEN: &str = "xylomar";
/// The topic that handoffs of these tests go to.
pub(crate) const TOPIC: &str = "Sendbird Integration";

/// One account, and one tenant of a platform.
pub(crate) struct Desk {
    pub(crate) sim: Simulator,
    pub(crate) sandbox: Sandbox,
    pub(crate) settings: Value,
}

impl Desk {
    /// A small account and settings that are right, before `connect`.
    pub(crate) async fn new() -> Self {
        Self::of(Config::default()).await
    }

    pub(crate) async fn of(config: Config) -> Self {
        let sim = Simulator::start(Config { api_key: API_KEY.into(), ..config }).await.unwrap();
        let settings = json!({
            "chat_url": "acme",
            "api_key": API_KEY,
            "webhook_public_key": sim.public_key(KeyForm::Vendor),
            "test_origin": sim.origin(),
        });
        let sandbox = reaching(&[sim.origin()]);
        Self { sim, sandbox, settings }
    }

    /// As [`Desk::new`], after `connect`.
    pub(crate) async fn connected() -> Self {
        Self::new().await.connect_now().await
    }

    /// Connects, keeps the resulting settings, and clears the journal.
    pub(crate) async fn connect_now(mut self) -> Self {
        let connection = self.connect().await.result.unwrap();
        assert!(connection.connected, "{:?}", codes(&connection.findings));
        self.settings = serde_json::from_str(&connection.settings).unwrap();
        self.sim.clear_journal();
        self
    }

    /// Changes one setting; null removes it.
    pub(crate) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings[name] = value.into();
        self
    }

    /// With a ticket desk.
    pub(crate) fn with_tickets(mut self) -> Self {
        self.settings["test_ticket_origin"] = self.sim.ticket_origin().into();
        self.settings["ticket_api_key"] = self.sim.ticket_api_key().into();
        self.sandbox = reaching(&[self.sim.origin(), self.sim.ticket_origin()]);
        self
    }

    pub(crate) fn json(&self) -> String {
        self.settings.to_string()
    }

    pub(crate) async fn connect(&self) -> Call<Connection> {
        watched(plugin().connect(&self.sandbox, &self.json()).await)
    }

    pub(crate) async fn preview(&self, request: &HandoffRequest) -> Call<Plan> {
        watched(plugin().preview(&self.sandbox, &self.json(), request, NOW).await)
    }

    pub(crate) async fn handoff(&self, request: &HandoffRequest, session: Option<&str>) -> Call<Receipt> {
        watched(plugin().handoff(&self.sandbox, &self.json(), request, session, NOW).await)
    }

    pub(crate) async fn undelivered(&self, session: &str, message_id: &str) -> Call<Update> {
        watched(plugin().undelivered(&self.sandbox, &self.json(), session, message_id, false, NOW).await)
    }

    /// `retry`: as after a try that ended without a session.
    pub(crate) async fn rate(&self, session: &str, rating: &Rating, retry: bool) -> Call<Update> {
        watched(plugin().rate(&self.sandbox, &self.json(), session, rating, retry).await)
    }

    pub(crate) async fn relay(&self, session: &str, message: &Message) -> Call<Update> {
        watched(plugin().relay(&self.sandbox, &self.json(), session, message, false, NOW).await)
    }

    pub(crate) async fn close(&self, session: &str, reason: CloseReason) -> Call<Update> {
        watched(plugin().close(&self.sandbox, &self.json(), session, reason, false, NOW).await)
    }

    /// As after a try that ended without a session.
    pub(crate) async fn relay_again(&self, session: &str, message: &Message) -> Call<Update> {
        watched(plugin().relay(&self.sandbox, &self.json(), session, message, true, NOW).await)
    }

    /// As after a try that ended without a session.
    pub(crate) async fn close_again(&self, session: &str, reason: CloseReason) -> Call<Update> {
        watched(plugin().close(&self.sandbox, &self.json(), session, reason, true, NOW).await)
    }

    pub(crate) async fn tick(&self, session: &str, now: u64) -> Call<Update> {
        watched(plugin().tick(&self.sandbox, &self.json(), session, now).await)
    }

    pub(crate) async fn on_webhook(&self, delivery: &Delivery, session: Option<&str>) -> Call<Update> {
        watched(plugin().on_webhook(&self.sandbox, &self.json(), delivery, session).await)
    }

    /// A delivery of this account with any body, signed as Freshworks signs.
    pub(crate) fn signed(&self, body: impl Into<String>) -> Delivery {
        let body = body.into();
        let signature = self.sim.sign(body.as_bytes());
        Delivery { headers: vec![("X-FreshChat-Signature".into(), signature)], body, received_at: NOW }
    }

    /// The request lines that the account was asked, without the queries.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.sim.journal().iter().map(simulator::Exchange::line).collect()
    }

    /// The only conversation of the account.
    #[track_caller]
    pub(crate) fn conversation(&self) -> Conversation {
        let mut all = self.sim.conversations();
        assert_eq!(all.len(), 1, "conversations");
        all.remove(0)
    }

    pub(crate) fn maya(&self) -> String {
        self.sim.agent_id("Maya Chen").unwrap()
    }

    pub(crate) fn tom(&self) -> String {
        self.sim.agent_id("Tom Okafor").unwrap()
    }
}

/// Stops the plugin at one request, before it is sent or before its response is seen.
pub(crate) struct StopAt {
    pub(crate) index: usize,
    pub(crate) after: bool,
}

impl Interceptor for StopAt {
    fn before(&self, request: Outgoing<'_>) -> Before {
        if request.index == self.index && !self.after { Before::Trap } else { Before::Send }
    }
    fn after(&self, request: Outgoing<'_>, _status: u16) -> After {
        if request.index == self.index && self.after { After::Trap } else { After::Pass }
    }
}

/// A conversation that is handed over, and the session that the platform stores for it.
pub(crate) struct Talk {
    pub(crate) desk: Desk,
    pub(crate) session: String,
    /// The id that the vendor uses in paths.
    pub(crate) id: String,
}

impl Talk {
    pub(crate) async fn begin() -> Self {
        Self::of(Desk::connected().await, &request()).await
    }

    pub(crate) async fn of(desk: Desk, request: &HandoffRequest) -> Self {
        let receipt = desk.handoff(request, None).await.result.unwrap();
        let id = receipt.info.conversation_ids[0].clone();
        desk.sim.settled().await;
        desk.sim.clear_deliveries();
        desk.sim.clear_journal();
        Self { desk, session: receipt.session, id }
    }

    /// Gives webhooks to the plugin one after the other, as a platform does; keeps the session.
    pub(crate) async fn hear(&mut self, deliveries: &[simulator::Delivery]) -> Vec<Event> {
        let mut events = Vec::new();
        for delivery in deliveries {
            events.extend(self.hear_one(&of_simulator(delivery)).await.events);
        }
        events
    }

    pub(crate) async fn hear_one(&mut self, delivery: &Delivery) -> Update {
        let update = self.desk.on_webhook(delivery, Some(&self.session)).await.result.unwrap();
        self.session = update.session.clone().unwrap();
        update
    }

    /// Relays, and keeps the session even after an error.
    pub(crate) async fn relay(&mut self, message: &Message) -> Result<Update, Box<PluginError>> {
        let result = self.desk.relay(&self.session, message).await.result;
        self.keep(result)
    }

    /// Closes, and keeps the session even after an error.
    pub(crate) async fn close(&mut self, reason: CloseReason) -> Result<Update, Box<PluginError>> {
        let result = self.desk.close(&self.session, reason).await.result;
        self.keep(result)
    }

    /// Ticks, and keeps the session even after an error.
    pub(crate) async fn tick(&mut self, now: u64) -> Result<Update, Box<PluginError>> {
        let result = self.desk.tick(&self.session, now).await.result;
        self.keep(result)
    }

    fn keep(&mut self, result: Result<Update, CallError>) -> Result<Update, Box<PluginError>> {
        match result {
            Ok(update) => {
                self.session.clone_from(update.session.as_ref().unwrap());
                Ok(update)
            }
            Err(CallError::Plugin(error)) => {
                if let Some(session) = &error.session {
                    self.session.clone_from(session);
                }
                Err(error)
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// The conversation that the talk began in.
    pub(crate) fn conversation(&self) -> Conversation {
        self.desk.sim.conversation(&self.id).unwrap()
    }
}

/// A sandbox that reaches these origins.
pub(crate) fn reaching(origins: &[&str]) -> Sandbox {
    let mut allow = AllowList::none();
    for origin in origins {
        allow.allow_internal(origin).unwrap();
    }
    // A separate client, because its connections live in the test's runtime.
    Sandbox::new(HttpClient::new().unwrap()).allow(allow)
}

/// An origin at which nothing listens.
pub(crate) fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Something that a person says.
pub(crate) fn said(text: &str) -> String {
    format!("{text}, {SPOKEN}")
}

/// Ana asks for a person after two messages. The platform has verified her addresses.
pub(crate) fn request() -> HandoffRequest {
    HandoffRequest {
        key: ConversationKey { application: "app-1".into(), channel: "channel-7".into(), conversation: "42".into() },
        user: EndUser {
            id: "user-1".into(),
            name: Some("Ana Xylomar".into()),
            email: Some("ana@xylomar.example".into()),
            email_verified: true,
            phone: None,
            phone_verified: true,
            locale: Some("pt-BR".into()),
            avatar_url: None,
        },
        mode: Mode::Live,
        reason: Reason::UserAsked,
        reason_text: Some(said("wants a person")),
        category: Some("delivery".into()),
        summary: Some(said("Her parcel is late")),
        history: Some(vec![
            message("1", SenderRole::EndUser, Some("Ana Xylomar"), &said("Where is my parcel")),
            message("2", SenderRole::AiAgent, Some("Luna"), &said("It is on its way")),
        ]),
        context: None,
        routing: Some(Routing { topic: None, group: None, agent: None, priority: None, skill: None }),
        retry: false,
    }
}

/// How many messages [`long_request`] holds.
pub(crate) const LONG: usize = 43;

/// A request whose history, at 500 letters a message, does not fit into one call: four messages follow the conversation.
pub(crate) fn long_request() -> HandoffRequest {
    HandoffRequest { history: Some(numbered_history(LONG, 400)), ..request() }
}

/// Messages that can be counted again: `(message 7)` and so on, from 0, each of about that many letters.
pub(crate) fn numbered_history(count: usize, letters: usize) -> Vec<Message> {
    let line = |number: usize| {
        let role = if number.is_multiple_of(2) { SenderRole::EndUser } else { SenderRole::AiAgent };
        let text = format!("(message {number}) {}", said(&"o".repeat(letters)));
        Message { sent_at: NOW - 1_000_000 + number as u64, ..message(&number.to_string(), role, None, &text) }
    };
    (0..count).map(line).collect()
}

pub(crate) fn message(id: &str, role: SenderRole, name: Option<&str>, text: &str) -> Message {
    let part = Part { text: Some(text.into()), ..part(PartKind::Text) };
    let sender = Sender { role, id: None, name: name.map(str::to_owned), avatar_url: None };
    Message { id: id.into(), sender, sent_at: NOW - 60_000, parts: vec![part] }
}

/// Ana writes.
pub(crate) fn user_message(id: &str, text: &str) -> Message {
    message(id, SenderRole::EndUser, Some("Ana Xylomar"), text)
}

pub(crate) fn part(kind: PartKind) -> Part {
    Part { kind, text: None, url: None, name: None, media_type: None, bytes: None, choices: None }
}

/// A webhook of the simulator as the platform passes it on.
/// The body of a webhook, as a host passes it on.
pub(crate) fn body(delivery: &simulator::Delivery) -> String {
    String::from_utf8(delivery.body.clone()).unwrap()
}

/// What a session is made of.
pub(crate) fn session_bytes(session: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(session).unwrap()
}

/// A session made of these bytes.
pub(crate) fn session_of(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(crate) fn of_simulator(delivery: &simulator::Delivery) -> Delivery {
    Delivery { headers: delivery.headers.clone(), body: body(delivery), received_at: NOW }
}

/// The numbers of the `(message n)` in a conversation, in reading order.
pub(crate) fn numbers_in(conversation: &Conversation) -> Vec<usize> {
    let all = texts(conversation).into_iter().map(|(.., text)| text).collect::<Vec<_>>().join("\n");
    let number = |piece: &str| piece.split_once(')')?.0.parse().ok();
    all.split("(message ").skip(1).filter_map(number).collect()
}

/// Messages of people and the platform, oldest first, without system lines.
pub(crate) fn texts(conversation: &Conversation) -> Vec<(ActorType, MessageType, String)> {
    let kept = conversation.messages.iter().filter(|message| message.message_type != MessageType::System);
    kept.map(|message| (message.actor.kind, message.message_type, message.text())).collect()
}

/// How many messages of the conversation are exactly this text.
pub(crate) fn count_of(conversation: &Conversation, text: &str) -> usize {
    texts(conversation).iter().filter(|(.., found)| found == text).count()
}

pub(crate) fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

pub(crate) fn actions(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.action.as_str()).collect()
}

pub(crate) fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

/// The reason of the only event, which is `ignored`.
#[track_caller]
pub(crate) fn ignored(events: &[Event]) -> &str {
    assert_eq!(kinds(events), [EventKind::Ignored], "{:?}", events.iter().map(|event| &event.detail));
    events[0].detail.as_deref().unwrap()
}

/// The error of a call that must fail.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(call: Call<T>) -> PluginError {
    match call.result {
        Err(CallError::Plugin(error)) => {
            assert!(!error.message.is_empty());
            *error
        }
        other => panic!("no error of the contract: {other:?}"),
    }
}

/// As [`refused`], for a call that must not have sent anything.
#[track_caller]
pub(crate) fn refused_at_once<T: std::fmt::Debug>(call: Call<T>) -> PluginError {
    assert!(call.report.http.is_empty(), "{:?}", call.report.http);
    refused(call)
}

#[track_caller]
pub(crate) fn refused_as<T: std::fmt::Debug>(call: Call<T>, kind: ErrorKind) -> PluginError {
    let error = refused(call);
    assert_eq!(error.kind, kind, "{} / {:?}", error.message, error.log);
    error
}

//! Compares everything between plugin and Freshchat with the vendor's own definitions.
//!
//! Product and simulator were written by the same people, so a shared mistake passes every other test. Here a third party
//! decides. `fixtures/definitions/known-differences.md` explains intended differences: an unlisted difference fails, and so
//! does a listed one that no longer occurs.

mod definitions;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use freshworks_simulator::{
    self as simulator, Action, AgentSpec, Assignee, Availability, Config, ConversationForm, Era, Exchange,
    MessagePaging, Simulator, TopicSpec, UserSpec, WaitFigures,
};
use handoff_host::bindings::{CloseReason, HandoffRequest, Part, PartKind, Priority, Rating, Routing};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::file_host::FileHost;
use crate::support::{Desk, NOW, Talk, of_simulator, part, reaching, request, said, user_message};

use definitions::{Definitions, Difference};

/// The side that wrote the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// The simulator, in a response.
    Answer,
    /// The simulator, in a webhook.
    Webhook,
    /// The plugin.
    Request,
}

impl Side {
    fn named(name: &str) -> Self {
        match name {
            "answer" => Self::Answer,
            "webhook" => Self::Webhook,
            "request" => Self::Request,
            other => panic!("unknown side `{other}`"),
        }
    }
}

/// The operations of the simulator: method, path with `*` for ids, and the definitions of request and response, if any. The first
/// match counts.
const OPERATIONS: [(&str, &str, Option<&str>, Option<&str>); 23] = [
    ("GET", "accounts/configuration", None, None),
    ("GET", "channels", None, Some("channels")),
    ("GET", "agents", None, Some("agents")),
    ("GET", "agents/status", None, Some("StatusList")),
    ("GET", "agents/*", None, Some("agent")),
    ("GET", "groups", None, Some("groups")),
    ("GET", "business-hours/within-bh", None, None),
    ("GET", "users", None, Some("users")),
    ("POST", "users", Some("user"), Some("user")),
    ("POST", "users/fetch", Some("userIds"), Some("userList")),
    ("GET", "users/*", None, Some("user")),
    // The response is empty.
    ("PUT", "users/*", Some("user"), None),
    ("GET", "users/*/conversations", None, Some("conversation_list_response")),
    ("POST", "conversations", Some("conversation"), Some("conversation")),
    ("GET", "conversations/fields", None, None),
    ("GET", "conversations/*", None, Some("conversation")),
    ("PUT", "conversations/*", Some("conversation"), Some("conversation")),
    ("GET", "conversations/*/messages", None, Some("transcript_message_response")),
    ("POST", "conversations/*/messages", Some("message"), Some("message")),
    // Ratings and their responses have no definition.
    ("POST", "csat/*", None, None),
    ("GET", "metrics/historical", None, Some("historical_metrics")),
    // Forms have no definition.
    ("POST", "images/upload", None, Some("image_response")),
    ("POST", "files/upload", None, None),
];

fn fits(pattern: &str, path: &str) -> bool {
    let path = path.trim_start_matches("/v1/").trim_start_matches("/v2/");
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(|(wanted, found)| wanted == "*" || wanted == found)
}

/// The parts of a webhook that have a definition; the envelope has none.
fn webhook_parts(body: &Value) -> Vec<(&'static str, &Value)> {
    let data = &body["data"];
    let parts = [
        ("message", data.get("message")),
        ("conversation", data.pointer("/assignment/conversation")),
        ("conversation", data.pointer("/resolve/conversation")),
        ("user", data.pointer("/resolve/user")),
        ("conversation", data.pointer("/reopen/conversation")),
    ];
    parts.into_iter().filter_map(|(definition, part)| Some((definition, part?))).collect()
}

/// The observed differences.
struct Referee {
    definitions: Definitions,
    found: BTreeMap<Side, BTreeSet<Difference>>,
    /// The operations that were called.
    answered: BTreeSet<usize>,
    /// Which bodies of the plugin were held, by operation.
    sent: BTreeSet<usize>,
    actions: BTreeSet<String>,
}

impl Referee {
    fn new() -> Self {
        let (answered, sent, actions) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { definitions: Definitions::read(), found: BTreeMap::new(), answered, sent, actions }
    }

    fn hold(&mut self, side: Side, definition: &str, value: &Value) {
        self.found.entry(side).or_default().extend(self.definitions.differences(definition, value));
    }

    fn answers(&mut self, exchanges: &[Exchange]) {
        for exchange in exchanges.iter().filter(|it| it.service == simulator::Service::Chat && it.fault.is_none()) {
            let body = exchange.answer_json();
            if exchange.status.is_some_and(|status| status >= 400) {
                self.hold(Side::Answer, "error", &body);
                continue;
            }
            let index = operation(exchange);
            self.answered.insert(index);
            if let Some(definition) = OPERATIONS[index].3 {
                self.hold(Side::Answer, definition, &body);
            }
        }
    }

    /// Of the plugin's calls.
    fn requests(&mut self, exchanges: &[Exchange]) {
        for exchange in exchanges.iter().filter(|it| it.service == simulator::Service::Chat) {
            let index = operation(exchange);
            if let Some(definition) = OPERATIONS[index].2 {
                self.hold(Side::Request, definition, &exchange.json());
                self.sent.insert(index);
            }
        }
    }

    fn webhooks(&mut self, sim: &Simulator) {
        for delivery in sim.deliveries() {
            let body = delivery.json();
            let parts = webhook_parts(&body);
            assert!(!parts.is_empty(), "{body}");
            for (definition, part) in parts {
                self.hold(Side::Webhook, definition, part);
            }
            self.actions.insert(delivery.action.name().to_owned());
        }
    }

    /// The whole account: responses and webhooks.
    fn account(&mut self, sim: &Simulator) {
        self.answers(&sim.journal());
        self.webhooks(sim);
    }

    /// Unlisted differences, and listed ones that do not occur.
    fn disagreements(&self) -> Vec<String> {
        let known = written::known();
        let none = BTreeSet::new();
        let mut all = Vec::new();
        for side in [Side::Answer, Side::Webhook, Side::Request] {
            let (found, known) = (self.found.get(&side).unwrap_or(&none), known.get(&side).unwrap_or(&none));
            let line =
                |word: &str, (definition, what): &Difference| format!("{word}: {side:?} | {definition} | {what}");
            all.extend(found.difference(known).map(|difference| line("new", difference)));
            all.extend(known.difference(found).map(|difference| line("occurs no more", difference)));
        }
        all
    }
}

#[track_caller]
fn operation(exchange: &Exchange) -> usize {
    let index =
        OPERATIONS.iter().position(|(method, path, ..)| *method == exchange.method && fits(path, &exchange.path));
    index.unwrap_or_else(|| panic!("{} is not listed", exchange.line()))
}

/// A client that calls the API as described.
struct Caller<'a> {
    sim: &'a Simulator,
    key: String,
    http: Client<hyper_util::client::legacy::connect::HttpConnector, Full<bytes::Bytes>>,
}

impl<'a> Caller<'a> {
    fn new(sim: &'a Simulator) -> Self {
        Self { sim, key: sim.api_key(), http: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, "application/json", body).await
    }

    async fn send(&self, method: &str, path: &str, kind: &str, body: String) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}/v2/{path}", self.sim.origin()))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", kind);
        let response = self.http.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).await
    }

    async fn upload(&self, path: &str, name: &str, file: &str, kind: &str) -> Value {
        let head = format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file}\"");
        let body = format!("{head}\r\ncontent-type: {kind}\r\n\r\nbytes\r\n--x--\r\n");
        self.send("POST", path, "multipart/form-data; boundary=x", body).await
    }
}

fn text(content: &str) -> Value {
    json!([{ "text": { "content": content } }])
}

/// A rich account, and every operation in it.
async fn every_answer(referee: &mut Referee) {
    let mut config = Config::default();
    config.topics.push(TopicSpec {
        group: Some("Support".into()),
        tags: vec!["vip".into()],
        ..TopicSpec::named("Returns")
    });
    for availability in [Availability::Unavailable, Availability::Away, Availability::Busy] {
        config.agents.push(AgentSpec { availability, ..AgentSpec::named("Ida Berg", "ida@acme.example") });
    }
    let sim = Simulator::start(config).await.unwrap();
    let it = Caller::new(&sim);
    let ana = json!({
        "first_name": "Ana", "last_name": "Lima", "email": "ana@example.org", "phone": "+15550100",
        "reference_id": "platform-42", "avatar": { "url": "https://example.org/ana.png" },
        "properties": [{ "name": "plan", "value": "gold" }],
    });
    let user = it.call("POST", "users", ana).await["id"].as_str().unwrap().to_owned();
    it.call("PUT", &format!("users/{user}"), json!({ "last_name": "Silva" })).await;
    it.call("POST", "users/fetch", json!({ "ids": [user] })).await;
    for path in [
        "accounts/configuration".to_owned(),
        "channels?items_per_page=1&page=2".into(),
        "channels?items_per_page=50".into(),
        "agents".into(),
        "agents/status".into(),
        format!("agents/{}", sim.agent_id("Maya Chen").unwrap()),
        "groups".into(),
        "business-hours/within-bh".into(),
        "users?email=ana%40example.org".into(),
        format!("users/{user}"),
        "conversations/fields".into(),
        // Refusals.
        "channels?page=9".into(),
        "agents/nobody".into(),
        "users/nobody".into(),
        "conversations/nowhere".into(),
        "nothing".into(),
    ] {
        it.get(&path).await;
    }
    sim.set_behaviour(|behaviour| behaviour.pagination_as_strings = true);
    it.get("groups").await;

    let (maya, topic) = (sim.agent_id("Maya Chen").unwrap(), sim.topic_id("Returns").unwrap());
    let image = it.upload("images/upload", "image", "box.png", "image/png").await["url"].clone();
    let hash = it.upload("files/upload", "file", "bill.pdf", "application/pdf").await["file_hash"].clone();
    let by = |kind: &str, id: &str, parts: Value| json!({ "actor_type": kind, "actor_id": id, "message_parts": parts });
    let first = json!({
        "channel_id": topic, "users": [{ "id": user }],
        "messages": [by("user", &user, text("hello")), by("bot", "", text("I am a bot"))],
        "properties": { "priority": "High", "cf_type": "Refund" },
    });
    let conversation = it.call("POST", "conversations", first).await["conversation_id"].as_str().unwrap().to_owned();
    let (path, messages) = (format!("conversations/{conversation}"), format!("conversations/{conversation}/messages"));
    let mut note = by("agent", &maya, text("a note"));
    note["message_type"] = json!("private");
    let replies = json!([{ "collection": { "sub_parts": [{ "quick_reply_button": { "label": "Yes" } }] } }]);
    let mut buttons = by("agent", &maya, json!([{ "url_button": { "url": "https://example.org", "label": "Look" } }]));
    buttons["reply_parts"] = replies;
    for message in [
        by("user", &user, json!([{ "image": { "url": image } }])),
        by("user", &user, json!([{ "file": { "name": "bill.pdf", "fileHash": hash } }])),
        by("user", &user, json!([{ "email": { "content": "by mail" } }])),
        by("agent", &maya, json!([{ "video": { "url": "https://example.org/v.mp4", "content_type": "video/mp4" } }])),
        by("agent", &maya, text("hello")),
        by("system", "", text("a notice")),
        note,
        buttons,
        // Refused.
        by("user", &user, json!([])),
    ] {
        it.call("POST", &messages, message).await;
    }
    sim.set_behaviour(|behaviour| behaviour.keep_bot_actor = true);
    it.call("POST", &messages, by("bot", "", text("I am a bot"))).await;
    for change in [
        json!({ "status": "assigned", "assigned_agent_id": maya }),
        json!({ "status": "waiting on customer" }),
        json!({ "status": "waiting on internal team" }),
        json!({ "status": "resolved" }),
        json!({ "status": "reopened" }),
        json!({ "properties": { "cf_type": "Other" }, "priority": "Low" }),
        json!({ "assigned_agent_id": "", "assigned_group_id": "" }),
    ] {
        it.call("PUT", &path, change).await;
    }
    for form in [ConversationForm::Header, ConversationForm::Minimal, ConversationForm::WithMessages] {
        sim.set_behaviour(|behaviour| behaviour.conversation_form = form);
        it.get(&path).await;
    }
    for paging in [MessagePaging::Cursor, MessagePaging::Pages] {
        sim.set_behaviour(|behaviour| behaviour.message_paging = paging);
        it.get(&messages).await;
        it.get(&format!("{messages}?items_per_page=2")).await;
    }
    it.get(&format!("users/{user}/conversations")).await;
    sim.set_api_key("rotated");
    it.get("channels").await;
    sim.settled().await;
    referee.account(&sim);
}

/// Everything that people do, in the words of every era.
async fn every_webhook(referee: &mut Referee) {
    for era in [Era::Y2018, Era::Y2019, Era::Y2020, Era::Y2021, Era::Y2022, Era::Y2024] {
        let sim = Simulator::start(Config::default()).await.unwrap();
        sim.set_behaviour(|behaviour| {
            behaviour.era = era;
            behaviour.system_line_webhooks = true;
        });
        let (maya, topic) = (sim.agent_id("Maya Chen").unwrap(), sim.topic_id("Inbox").unwrap());
        let user = sim.seed_user(UserSpec { first_name: Some("Ana".into()), ..UserSpec::default() });
        let (id, _) = sim.user_starts(&topic, &user, "hello").await.unwrap();
        sim.assign(&id, &maya, Assignee::Group(&sim.group_id("Support").unwrap())).await.unwrap();
        sim.assign(&id, &maya, Assignee::Agent(&maya)).await.unwrap();
        sim.reply(&id, &maya, "let me look").await.unwrap();
        sim.note(&id, &maya, "a note").await.unwrap();
        let picture = json!({ "image": { "url": "https://example.org/a.png" } });
        sim.reply_parts(&id, &maya, vec![picture]).await.unwrap();
        sim.system_says(&id, "a notice").await.unwrap();
        sim.resolve(&id, &maya).await.unwrap();
        sim.reopen(&id, &maya).await.unwrap();
        sim.resolve(&id, &maya).await.unwrap();
        sim.user_writes(&id, "once more").await.unwrap();
        referee.account(&sim);
    }
}

/// All the plugin's calls, with each kind of body that it sends. The journals only contain its own calls.
async fn every_request(referee: &mut Referee) {
    let files = FileHost::start().await;
    let desk = Desk::new().await.set("file_hosts", json!([files.address()])).set("availability", "agents");
    let map = json!({ "order": "conversation.cf_reference", "plan": "user.plan" });
    let mut desk = desk.set("context", map).set("note_author", "maya@acme.example").set("group", "Support");
    let waits = WaitFigures { group: Some("Support"), average_wait: Some("40199"), waiting: Some("71") };
    desk.sim.set_behaviour(|behaviour| behaviour.wait_figures = vec![waits]);
    desk = desk.set("wait_estimate", true);
    let file_origin = format!("http://{}", files.address());
    desk.sandbox = reaching(&[desk.sim.origin(), file_origin.as_str()]);
    let desk = {
        let connection = desk.connect().await.result.unwrap();
        assert!(connection.connected);
        Desk { settings: serde_json::from_str(&connection.settings).unwrap(), ..desk }
    };
    // Known by the address only: the record is completed.
    desk.sim.seed_user(UserSpec { email: Some("ana@xylomar.example".into()), ..UserSpec::default() });
    let mut known = request();
    known.user.phone = Some("+15550100".into());
    known.context =
        Some([("order", "4711"), ("plan", "gold")].map(|(name, value)| (name.into(), value.into())).to_vec());
    known.routing = Some(Routing {
        topic: None,
        group: None,
        agent: Some("tom@acme.example".into()),
        priority: Some(Priority::Urgent),
        skill: None,
    });
    desk.handoff(&known, None).await.result.unwrap();
    let mut new = HandoffRequest { context: known.context.clone(), ..request() };
    new.key.conversation = "43".into();
    new.user.id = "user-2".into();
    new.user.email = Some("bo@xylomar.example".into());
    new.user.avatar_url = Some("https://example.org/bo.png".into());
    let receipt = desk.handoff(&new, None).await.result.unwrap();
    desk.sim.settled().await;
    let id = receipt.info.conversation_ids[0].clone();
    let mut talk = Talk { desk, session: receipt.session, id: id.clone() };
    let file = |kind: PartKind, name: &str| Part {
        url: Some(format!("{file_origin}/chloe/{name}")),
        name: Some(name.into()),
        ..part(kind)
    };
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    for (id, part) in [("m2", file(PartKind::Image, "box.png")), ("m3", file(PartKind::File, "bill.pdf"))] {
        talk.relay(&handoff_host::bindings::Message { parts: vec![part], ..user_message(id, "") }).await.unwrap();
    }
    let maya = talk.desk.maya();
    let answered = talk.desk.sim.reply(&id, &maya, &said("let me look")).await.unwrap();
    let events = talk.hear(&answered).await;
    let undelivered = talk.desk.undelivered(&talk.session, &events[0].id).await.result.unwrap();
    talk.session = undelivered.session.unwrap();
    talk.tick(NOW + 60_000).await.unwrap();
    // A webhook whose file lost its address is looked up.
    let deliveries = talk.desk.sim.reply_parts(&id, &maya, vec![json!({ "file": { "name": "a.pdf" } })]).await.unwrap();
    talk.hear_one(&of_simulator(&deliveries[0])).await;
    talk.close(CloseReason::UserLeft).await.unwrap();
    let rating = Rating { id: "r-1".into(), score: 4, comment: Some(said("fast")) };
    talk.desk.rate(&talk.session, &rating, false).await.result.unwrap();
    let journal = talk.desk.sim.journal();
    referee.requests(&journal);
    referee.account(&talk.desk.sim);
}

#[tokio::test]
async fn the_plugin_sends_what_the_vendor_defines_and_the_simulator_answers_so() {
    let mut referee = Referee::new();
    every_request(&mut referee).await;
    every_answer(&mut referee).await;
    every_webhook(&mut referee).await;
    assert_eq!(referee.disagreements(), [""; 0], "fixtures/definitions/known-differences.md");
    let line = |index: usize| format!("{} {}", OPERATIONS[index].0, OPERATIONS[index].1);
    let unanswered: Vec<_> =
        (0..OPERATIONS.len()).filter(|index| !referee.answered.contains(index)).map(line).collect();
    assert_eq!(unanswered, [""; 0], "each operation of the simulator is in a test");
    let sent: Vec<_> = referee.sent.iter().map(|index| line(*index)).collect();
    let writes =
        ["POST users", "PUT users/*", "POST conversations", "PUT conversations/*", "POST conversations/*/messages"];
    assert_eq!(sent, writes, "all that the plugin writes");
    let actions = [
        Action::ConversationAssignment,
        Action::ConversationReopen,
        Action::ConversationResolution,
        Action::MessageCreate,
    ];
    assert_eq!(Vec::from_iter(referee.actions), actions.map(Action::name));
}

#[test]
fn new_and_vanished_differences_are_both_reported() {
    let mut referee = Referee::new();
    referee.hold(Side::Answer, "link", &json!({ "href": "/v1/groups?page=2", "stranger": 1 }));
    let told = referee.disagreements();
    let gone = told.iter().filter(|line| line.starts_with("occurs no more: ")).count();
    assert_eq!(gone, written::known().values().map(BTreeSet::len).sum::<usize>());
    let new: Vec<_> = told.iter().filter(|line| line.starts_with("new: ")).collect();
    assert_eq!(new, ["new: Answer | link | has stranger"]);
}

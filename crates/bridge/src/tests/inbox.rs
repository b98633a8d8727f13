//! What is stored before it is acknowledged, and whose turn it is: with a clock that requests move on.

use std::cell::{Cell, RefCell};

use freshworks_handoff::http::{Http, Request, Response, TransportError};
use freshworks_handoff::settings::Settings;
use serde_json::{Value, json};

use super::{SECRET, TOKEN, body, freshchat, request};
use crate::access::destinations::Destinations;
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::metrics::counters::Counters;
use crate::service::{Policy, Service};
use crate::state::{DueHandoff, State};
use crate::testing::Memory;
use crate::webhooks::inbox::Later;

const MINUTE: u64 = 60_000;

/// Freshworks and platforms as functions: status, body, and how long that takes.
pub(super) struct World<F> {
    pub(super) state: Memory,
    pub(super) clock: Cell<u64>,
    pub(super) policy: Policy,
    answer: F,
    pub(super) asked: RefCell<Vec<(String, String)>>,
}

impl<F: Fn(&str) -> (u16, String, u64)> Http for World<F> {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let began = self.clock.get();
        let mut longest = 0;
        let mut answer = |request: Request| {
            let line = format!("{:?} {}{}", request.method, request.origin, request.path);
            let (status, body, ms) = (self.answer)(&line);
            self.asked.borrow_mut().push((line, String::from_utf8(request.body).unwrap()));
            longest = longest.max(ms.min(u64::from(request.response_timeout_ms)));
            if ms > u64::from(request.response_timeout_ms) {
                return Err(TransportError { not_sent: false, denied: false, reason: "timed-out".to_owned() });
            }
            Ok(Response { status, headers: Vec::new(), body: body.into_bytes() })
        };
        let answers = requests.into_iter().map(&mut answer).collect();
        self.clock.set(began + longest);
        answers
    }
}

impl<F: Fn(&str) -> (u16, String, u64)> World<F> {
    pub(super) fn new(answer: F) -> Self {
        let (state, policy) = (Memory::default(), Policy::default());
        Self { state, clock: Cell::new(1_790_000_000_000), policy, answer, asked: RefCell::default() }
    }

    pub(super) fn with<T>(&self, run: impl FnOnce(&Service<'_>) -> T) -> T {
        let service = Service {
            http: self,
            state: &self.state,
            token: TOKEN,
            destinations: &Destinations::default(),
            public_url: "https://bridge.example",
            policy: &self.policy,
            clock: &|| self.clock.get(),
            pause: &|ms| self.clock.set(self.clock.get() + ms),
            draw: &|| [7; 24],
            log: &|_| (),
            counters: Counters::default(),
            later: Later::default(),
        };
        let result = run(&service);
        service.finish();
        result
    }

    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> OutgoingResponse {
        let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
        let body = body.to_string().into_bytes();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.with(|service| {
            service.answer(&IncomingRequest { method, path, query, headers, body: &body, now: self.clock.get() })
        })
    }

    /// A connected account; events go to a host of its own.
    pub(super) fn connect(&self, name: &str) {
        let connection = json!({
            "settings": { "chat_url": name, "api_key": "k-1" },
            "platform": { "kind": "generic", "callback_url": format!("https://{name}.example/events"), "secret": SECRET },
        });
        let answer = self.ask("PUT", &format!("/v1/connections/{name}"), &connection);
        assert_eq!(body(&answer)["connected"], true, "{answer:?}");
    }

    /// Hands a conversation over; the handoff's id.
    pub(super) fn hand_over(&self, name: &str, conversation: &str) -> String {
        let mut request = request();
        request["key"]["conversation"] = json!(conversation);
        let answer = self.ask("POST", &format!("/v1/connections/{name}/handoffs"), &request);
        assert_eq!(answer.status, 200, "{answer:?}");
        body(&answer)["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn tick(&self) -> (u64, u64, u64) {
        let answer = self.ask("POST", "/v1/tick", &Value::Null);
        let of = |name: &str| body(&answer)[name].as_u64().unwrap();
        (of("done"), of("failed"), of("left"))
    }

    /// Time passes, and the timer calls once a minute.
    pub(super) fn wait(&self, ms: u64) {
        let until = self.clock.get() + ms;
        while self.clock.get() < until {
            self.clock.set(self.clock.get() + MINUTE);
            self.tick();
        }
    }

    pub(super) fn told(&self, name: &str) -> Vec<Value> {
        let host = format!("Post https://{name}.example/events");
        let asked = self.asked.borrow();
        let bodies = asked.iter().filter(|(line, _)| *line == host).map(|(_, body)| body);
        bodies.map(|body| serde_json::from_str::<Value>(body).unwrap()["data"]["events"].clone()).collect()
    }

    pub(super) fn take_in(&self, name: &str, id: &str, number: u32) {
        let connection = self.state.connection(name).unwrap().unwrap();
        self.with(|service| {
            service
                .take_in(
                    &connection,
                    &Settings::parse(&connection.settings).unwrap(),
                    id,
                    &delivery(number),
                    self.clock.get(),
                )
                .unwrap();
        });
    }
}

/// As it is after its verification.
pub(super) fn delivery(number: u32) -> Vec<u8> {
    let message = json!({
        "message_parts": [{ "text": { "content": format!("answer {number}") } }], "conversation_id": "c-1", "id": format!("a-{number}"),
        "actor_type": "agent", "actor_id": "maya", "message_type": "normal", "created_time": "2026-11-23T10:00:00.000Z",
    });
    let event = json!({ "actor": { "actor_type": "agent", "actor_id": "maya" }, "action": "message_create",
        "action_time": "2026-11-23T10:00:00.000Z", "data": { "message": message } });
    event.to_string().into_bytes()
}

fn texts(told: &[Value]) -> Vec<&str> {
    let events = told.iter().flat_map(|events| events.as_array().unwrap());
    events.filter_map(|event| event["message"]["parts"][0]["text"].as_str()).collect()
}

/// A Freshchat whose looks at conversations go wrong: everything else is there.
pub(super) fn but_looks(line: &str, status: u16, ms: u64) -> (u16, String, u64) {
    let is_look = line.starts_with("Get") && line.contains("/conversations/") && !line.contains("/users/");
    if is_look {
        let conversation = r#"{"conversation_id": "c-1", "channel_id": "t-1", "status": "new"}"#;
        let body = if line.contains("/messages") { r#"{"messages": []}"# } else { conversation };
        return (status, if status == 200 { body } else { "{}" }.to_owned(), ms);
    }
    let (status, body) = freshchat(line);
    (status, body, 1)
}

#[test]
fn handoffs_that_fail_by_the_hundred_do_not_stop_another_tenants() {
    let world = World::new(|line| but_looks(line, if line.contains("gone") { 401 } else { 200 }, 50));
    world.connect("gone");
    world.connect("other");
    for number in 0..250 {
        world.hand_over("gone", &number.to_string());
    }
    world.clock.set(world.clock.get() + MINUTE);
    // It is due last of all.
    world.hand_over("other", "1");
    world.clock.set(world.clock.get() + 2 * MINUTE);
    let (done, failed, left) = world.tick();
    assert_eq!(done, 1, "the other tenant's, although 250 have waited longer");
    assert_eq!((done + failed + left, left > 0), (251, true), "what is left is told");
    world.wait(10 * MINUTE);
    let before = world.asked.borrow().len();
    world.tick();
    let looks = world.asked.borrow().len() - before;
    assert!(looks < 200, "those that fail are tried less and less often: {looks} requests in this minute");
}

#[test]
fn an_account_that_hangs_costs_others_one_look_and_then_none() {
    // A look that is not answered for 15 seconds.
    let world = World::new(|line| but_looks(line, 503, if line.contains("hangs") { 15_000 } else { 10 }));
    let others = ["a", "b", "z"];
    world.connect("hangs");
    for number in 0..100 {
        world.hand_over("hangs", &number.to_string());
    }
    let looks_of = |name: &str| {
        let host = format!("Get https://{name}.freshchat.com");
        world.asked.borrow().iter().filter(|(line, _)| line.starts_with(&host)).count()
    };
    for name in others {
        world.connect(name);
        world.hand_over(name, "1");
    }
    world.clock.set(world.clock.get() + 5 * MINUTE);
    let first = others.map(looks_of);
    world.tick();
    assert_eq!(others.map(looks_of), first, "its first look has taken the time of this call");
    world.clock.set(world.clock.get() + MINUTE);
    world.tick();
    for (name, before) in others.into_iter().zip(first) {
        assert!(looks_of(name) > before, "{name} has had its turn");
    }
    let due = world.state.due(world.clock.get() + MINUTE, 500).unwrap();
    let resting: Vec<&DueHandoff> = due.first.iter().filter(|one| one.connection == "hangs").collect();
    assert!(resting.len() <= 1, "one attempt for all of its handoffs: {resting:?}");
}

#[test]
fn what_fails_without_end_is_tried_less_often_and_ends_with_the_user_told() {
    let world = World::new(|line| {
        let is_freshworks = line.contains("gone.freshchat.com");
        if is_freshworks && line.contains("/conversations/") {
            (401, "{}".to_owned(), 10)
        } else {
            but_looks(line, 200, 10)
        }
    });
    world.connect("gone");
    let id = world.hand_over("gone", "1");
    let handoff = || world.state.handoff("gone", &id).unwrap().unwrap();
    world.wait(50 * MINUTE);
    let failing = handoff().failing.unwrap();
    assert!(failing.times < 12, "{failing:?}");
    assert!(handoff().is_with_humans() && world.told("gone").is_empty());
    world.wait(40 * MINUTE);
    let after = handoff();
    assert_eq!(
        (after.owner.as_str(), after.next_tick_at, after.failing.clone()),
        ("ai-agent", None, None),
        "{after:?}"
    );
    let told = world.told("gone");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].as_array().unwrap().last().unwrap()["kind"], "returned-to-ai");
    // It can begin anew.
    world.wait(10 * MINUTE);
    assert_eq!(world.tick(), (0, 0, 0));
}

/// How the platform was told of the end: ids and outcomes of all tries.
fn ends(told: &[Value]) -> Vec<(String, String)> {
    let events = told.iter().flat_map(|events| events.as_array().unwrap());
    let ends = events.filter(|event| event["kind"] == "returned-to-ai");
    let word = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    ends.map(|event| (word(event, "id"), word(event, "outcome"))).collect()
}

#[test]
fn what_is_given_up_is_told_once_as_failed_whether_or_not_freshworks_can_be_told() {
    // What Freshchat answers from then on, to looks alone or to everything, and how many hours that takes to be hopeless.
    for (status, is_all, hours) in [(401, false, 2), (401, true, 2), (503, true, 27)] {
        let is_bad = Cell::new(false);
        let world = World::new(|line| match line.contains("freshchat.com") && is_bad.get() {
            true if is_all => (status, "{}".to_owned(), 10),
            true => but_looks(line, status, 10),
            false => but_looks(line, 200, 10),
        });
        world.connect("acme");
        let id = world.hand_over("acme", "1");
        is_bad.set(true);
        world.wait(hours * 60 * MINUTE);
        let ends = ends(&world.told("acme"));
        assert_eq!(ends.len(), 1, "{status} {is_all}: {ends:?}");
        assert_eq!(ends[0].1, "failed", "{status} {is_all}");
        let handoff = world.state.handoff("acme", &id).unwrap().unwrap();
        assert_eq!((handoff.owner.as_str(), handoff.next_tick_at, handoff.failing), ("ai-agent", None, None));
        let is_resolved =
            world.asked.borrow().iter().any(|(line, _)| line.starts_with("Put") && line.contains("/conversations/c-1"));
        assert_eq!(is_resolved, status == 401, "{status} {is_all}: Freshworks is asked to end it");
        world.wait(10 * MINUTE);
        assert_eq!((world.tick(), world.told("acme").len()), ((0, 0, 0), 1));
    }
}

#[test]
fn an_end_by_force_that_the_platform_does_not_take_is_told_again_under_the_same_id() {
    let is_away = Cell::new(true);
    let world = World::new(|line| match line.contains("acme.example") && is_away.get() {
        true => (503, String::new(), 1),
        false => but_looks(line, 401, 1),
    });
    world.connect("acme");
    let id = world.hand_over("acme", "1");
    world.wait(3 * 60 * MINUTE);
    assert!(world.state.handoff("acme", &id).unwrap().unwrap().is_with_humans(), "nobody was told");
    is_away.set(false);
    world.wait(60 * MINUTE);
    let ends = ends(&world.told("acme"));
    assert!(ends.len() > 1 && ends.iter().all(|end| *end == ends[0]), "{ends:?}");
    assert_eq!(ends[0].1, "failed");
    assert!(!world.state.handoff("acme", &id).unwrap().unwrap().is_with_humans());
    let before = world.told("acme").len();
    world.wait(30 * MINUTE);
    assert_eq!(world.told("acme").len(), before, "told once it is taken");
}

#[test]
fn an_outage_of_some_hours_ends_nothing() {
    let is_away = Cell::new(false);
    let world = World::new(|line| but_looks(line, if is_away.get() { 503 } else { 200 }, 10));
    world.connect("acme");
    let id = world.hand_over("acme", "1");
    is_away.set(true);
    world.wait(5 * 60 * MINUTE);
    assert!(world.state.handoff("acme", &id).unwrap().unwrap().is_with_humans());
    is_away.set(false);
    world.wait(16 * MINUTE);
    let after = world.state.handoff("acme", &id).unwrap().unwrap();
    assert_eq!((after.is_with_humans(), after.failing), (true, None));
}

#[test]
fn whoever_dies_between_the_effects_and_the_inbox_leaves_nothing_to_be_told_twice() {
    let world = World::new(|line| but_looks(line, 200, 1));
    world.connect("acme");
    let id = world.hand_over("acme", "1");
    world.take_in("acme", &id, 1);
    assert_eq!(texts(&world.told("acme")), ["answer 1"]);
    // It is still there, or there again: Freshworks did not hear the answer.
    world.take_in("acme", &id, 1);
    world.take_in("acme", &id, 2);
    assert_eq!(texts(&world.told("acme")), ["answer 1", "answer 2"]);
    assert_eq!(world.state.waiting("acme").unwrap(), 0);
}

#[test]
fn what_cannot_be_told_waits_in_order_and_is_told_before_freshworks_is_asked() {
    let is_away = Cell::new(true);
    let world = World::new(|line| match line.contains("acme.example") && is_away.get() {
        true => (503, String::new(), 1),
        false => but_looks(line, 200, 1),
    });
    world.connect("acme");
    let id = world.hand_over("acme", "1");
    for number in 1..=3 {
        world.take_in("acme", &id, number);
    }
    assert_eq!(world.state.waiting("acme").unwrap(), 3);
    let tries = world.told("acme").len();
    world.clock.set(world.clock.get() + 30 * MINUTE);
    is_away.set(false);
    assert_eq!(world.tick().0, 1);
    assert_eq!(texts(&world.told("acme")[tries..]), ["answer 1", "answer 2", "answer 3"]);
    assert_eq!(world.state.waiting("acme").unwrap(), 0);
}

#[test]
fn nothing_of_before_the_answer_takes_longer_than_freshworks_waits() {
    // Whatever is asked takes its whole time-out.
    let world = World::new(|line| match line.contains("acme.example") {
        true => (200, String::new(), 60_000),
        false => but_looks(line, 200, 1),
    });
    world.connect("acme");
    let id = world.hand_over("acme", "1");
    let connection = world.state.connection("acme").unwrap().unwrap();
    let came = world.clock.get();
    world.with(|service| {
        service.take_in(&connection, &Settings::parse(&connection.settings).unwrap(), &id, &delivery(1), came).unwrap();
        let took = world.clock.get() - came;
        assert!(took <= 1_000, "{took} ms");
        assert_eq!(world.state.handoff("acme", &id).unwrap().unwrap().failing, None, "no time is no failure");
    });
}

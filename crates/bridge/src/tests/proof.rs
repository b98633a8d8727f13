//! The proof that nothing of a handoff is lost or happens twice while instances die: the bridge as it is, over a store in memory,
//! between a Freshchat and a platform that remember.
//!
//! Each scenario is run once as it should go, to count its places: every call of the store, and every request that goes out. Then it
//! is run again with the instance dying at each place, before and after its effect; and random walks with several deaths. Everybody
//! repeats what was not answered, as Freshworks and platforms do: at once, after the dead one's lease has ended, or behind what comes
//! next. `cargo xtask prove` runs all of it, `cargo test` a part.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use freshworks_handoff::http::{Http, Method, Request, Response, TransportError};
use freshworks_handoff::settings::Settings;
use freshworks_handoff::use_cases::webhook;
use handoff_contract::model::{Delivery, Timestamp};
use serde_json::{Value, json};

use super::{TOKEN, body, connection, freshchat, message, request};
use crate::access::destinations::Destinations;
use crate::http::IncomingRequest;
use crate::metrics::counters::{Count, Counters, Logged};
use crate::service::{Policy, Service};
use crate::state::{
    Connection, Due, EachConnection, Handoff, Lease, Record, Resealed, Rest, Saved, State, StateError, StoredDelivery,
};
use crate::testing::Memory;
use crate::webhooks::inbox::Later;

/// Of the runs with one death each so-many-th, and as many parts of the walks, unless the environment says otherwise.
const EVERY: usize = 11;
/// The name in the environment.
const EVERY_VARIABLE: &str = "BRIDGE_PROOF_EVERY";
const WALKS: usize = 3_000;
/// Longer than any lease.
const LEASE_IS_OVER_MS: u64 = 31_000;
/// How often what was not answered is repeated at most. A lease that nobody gives back takes some of them.
const MAX_TRIES: usize = 80;

/// What happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// A human agent answers; Freshworks sends a webhook.
    Say,
    /// The end user writes.
    Write,
    /// The end user writes the same words each time.
    Yes,
    /// A human agent resolves; Freshworks sends a webhook.
    Resolve,
    /// The platform ends it.
    Close,
    /// The timer goes off.
    Tick,
    /// The platform takes none of the next so many events.
    Away(u32),
    /// The platform takes the next so many events, and answers too late.
    Slow(u32),
}

/// When what was not answered is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    AtOnce,
    AfterTheLease,
    /// Something else goes ahead of it.
    Behind,
}

const REPEATS: [Repeat; 3] = [Repeat::AtOnce, Repeat::AfterTheLease, Repeat::Behind];

/// Dies at a place, before or after its effect.
type Death = (usize, bool);

/// Whom the unwinding belongs to.
struct Died;

/// A call of the bridge that is not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Job {
    Webhook { body: Vec<u8>, text: Option<String> },
    Relay { id: String, text: String },
    Close,
    Tick,
}

/// What Freshchat and the platform have.
#[derive(Default)]
struct Outside {
    /// Oldest first.
    messages: Vec<Value>,
    is_resolved: bool,
    /// Events as the platform got them, repeats included.
    told: Vec<Value>,
    away: u32,
    slow: u32,
}

struct World {
    store: Memory,
    outside: RefCell<Outside>,
    clock: Cell<u64>,
    is_armed: Cell<bool>,
    places: Cell<usize>,
    deaths: Vec<Death>,
    died: Cell<usize>,
    /// Calls of the store, by name.
    calls: RefCell<Vec<&'static str>>,
}

impl World {
    fn place<T>(&self, act: impl FnOnce() -> T) -> T {
        if !self.is_armed.get() {
            return act();
        }
        let number = self.places.replace(self.places.get() + 1);
        let Some((_, after)) = self.deaths.iter().find(|(at, _)| *at == number) else { return act() };
        self.died.set(self.died.get() + 1);
        if *after {
            act();
        }
        // Without the hook: nobody wants to read thousands of these.
        resume_unwind(Box::new(Died))
    }

    /// One request to an instance of its own; none when it died before its answer was out.
    fn serve<T>(&self, run: impl FnOnce(&Service<'_>) -> T) -> Option<T> {
        let mut answer = None;
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let service = Service {
                http: self,
                state: self,
                token: TOKEN,
                destinations: &Destinations::default(),
                public_url: "https://bridge.example",
                policy: &Policy::default(),
                clock: &|| self.clock.get(),
                pause: &|ms| self.clock.set(self.clock.get() + ms),
                draw: &|| [7; 24],
                log: &|_| (),
                counters: Counters::default(),
                later: Later::default(),
            };
            answer = Some(run(&service));
            service.finish();
        }));
        match ended {
            Err(why) if !why.is::<Died>() => resume_unwind(why),
            _ => answer,
        }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Option<crate::http::OutgoingResponse> {
        let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
        let body = body.to_string().into_bytes();
        self.serve(|service| {
            service.answer(&IncomingRequest { method, path, query: "", headers, body: &body, now: self.clock.get() })
        })
    }

    /// What Freshchat or the platform answers; none when that comes too late.
    fn answer(&self, request: &Request) -> Option<(u16, String)> {
        let mut outside = self.outside.borrow_mut();
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if request.origin == "https://platform.example" {
            if outside.away > 0 {
                outside.away -= 1;
                return Some((503, String::new()));
            }
            outside.told.extend(sent["data"]["events"].as_array().cloned().unwrap_or_default());
            if outside.slow > 0 {
                outside.slow -= 1;
                return None;
            }
            return Some((200, String::new()));
        }
        let line = format!("{:?} {}{}", request.method, request.origin, request.path);
        let path = request.path.trim_start_matches("/v2");
        let status = if outside.is_resolved { "resolved" } else { "new" };
        let conversation = || json!({ "conversation_id": "c-1", "channel_id": "t-1", "status": status });
        let answer = match (request.method, path) {
            (Method::Get, "/conversations/c-1") => conversation(),
            (Method::Get, "/users/u-1/conversations") => json!({ "conversations": [{ "id": "c-1" }] }),
            (Method::Get, path) if path.starts_with("/conversations/c-1/messages") => {
                json!({ "messages": outside.messages.iter().rev().collect::<Vec<_>>() })
            }
            (Method::Post, "/conversations") => {
                let first = sent["messages"].as_array().cloned().unwrap_or_default();
                let ids: Vec<Value> = first.into_iter().map(|it| json!({ "id": outside.keep(it) })).collect();
                json!({ "conversation_id": "c-1", "channel_id": "t-1", "messages": ids })
            }
            (Method::Post, "/conversations/c-1/messages") => json!({ "id": outside.keep(sent) }),
            (Method::Put, "/conversations/c-1") => {
                outside.is_resolved = sent["status"] == "resolved";
                conversation()
            }
            _ => return Some(freshchat(&line)),
        };
        Some((200, answer.to_string()))
    }
}

impl Outside {
    fn keep(&mut self, mut message: Value) -> String {
        let id = format!("m-{}", self.messages.len() + 1);
        message["id"] = json!(id);
        self.messages.push(message);
        id
    }

    fn count_of(&self, text: &str) -> usize {
        let has = |message: &&Value| message["message_parts"][0]["text"]["content"] == text;
        self.messages.iter().filter(has).count()
    }

    /// What the end user sees: a repeat is known by its id. None when one id tells two things.
    fn screen(&self) -> Option<Vec<&Value>> {
        let mut seen: BTreeMap<&str, &Value> = BTreeMap::new();
        let mut screen = Vec::new();
        for event in &self.told {
            let tells = |event: &Value| (event["kind"].clone(), event["message"]["parts"].clone());
            match seen.insert(event["id"].as_str().unwrap_or_default(), event) {
                Some(before) if tells(before) != tells(event) => return None,
                Some(_) => {}
                None => screen.push(event),
            }
        }
        Some(screen)
    }
}

impl Http for World {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        self.place(|| {
            let answers = requests.iter().map(|request| match self.answer(request) {
                Some((status, body)) => Ok(Response { status, headers: Vec::new(), body: body.into_bytes() }),
                None => {
                    self.clock.set(self.clock.get() + u64::from(request.response_timeout_ms));
                    Err(TransportError { not_sent: false, denied: false, reason: "timed-out".to_owned() })
                }
            });
            let answers = answers.collect();
            self.clock.set(self.clock.get() + 5);
            answers
        })
    }
}

macro_rules! mortal {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        /// Each call is a place to die at.
        impl State for World {
            $(fn $name(&self, $($argument: $kind),*) -> Result<$answer, StateError> {
                self.calls.borrow_mut().push(stringify!($name));
                self.place(|| self.store.$name($($argument),*))
            })*
        }
    };
}

mortal! {
    connection(id: &str) -> Option<Connection>;
    each_connection() -> EachConnection;
    save_connection(connection: &Connection) -> ();
    remove_connection(id: &str) -> ();
    handoff(connection: &str, id: &str) -> Option<Handoff>;
    open_handoffs(connection: &str, limit: u32) -> Vec<Handoff>;
    ended_handoffs(connection: &str, limit: u32) -> Vec<Handoff>;
    handoff_of(connection: &str, conversations: &[String]) -> Option<String>;
    due(now: Timestamp, limit: u32) -> Due;
    rest(connection: &str, rest: Option<Rest>) -> ();
    store_delivery(connection: &str, handoff: &str, delivery: &StoredDelivery, due_at: Timestamp) -> bool;
    next_delivery(connection: &str, handoff: &str, done: Option<&str>) -> Option<StoredDelivery>;
    put_off(connection: &str, handoff: &str, until: Timestamp) -> ();
    oldest_waiting(connection: &str) -> Option<Timestamp>;
    waiting(connection: &str) -> u64;
    is_handing_over(connection: &str, now: Timestamp) -> bool;
    lease(connection: &str, id: &str, doing: &str, now: Timestamp, for_ms: u64, known: bool) -> Option<Lease>;
    renew(connection: &str, id: &str, lease: u64, now: Timestamp, for_ms: u64) -> bool;
    save(handoff: &Handoff, conversations: &[String], unsure: &[String], lease: u64) -> Saved;
    give_back(connection: &str, id: &str, lease: u64) -> ();
    forget(before: Timestamp, own: &[(String, Timestamp)]) -> ();
    handoffs_of_person(connection: &str, person: &str) -> Vec<Handoff>;
    conversations_of(connection: &str, handoff: &str) -> Vec<String>;
    deliveries(connection: &str, handoff: &str) -> Vec<StoredDelivery>;
    erase(connection: &str, id: &str, lease: u64, now: Timestamp) -> bool;
    reseal() -> Resealed;
    put_record(kind: &str, record: &Record, now: Timestamp, only_new: bool) -> bool;
    record(kind: &str, name: &str, now: Timestamp) -> Option<Record>;
    records(kind: &str, now: Timestamp, limit: u32) -> Vec<Record>;
    remove_record(kind: &str, name: &str) -> bool;
    count_up(kind: &str, name: &str, now: Timestamp, expires_at: Timestamp) -> u64;
    trim_records(kind: &str, now: Timestamp, most: u32) -> ();
    count(connection: &str, amounts: &[(String, u64)], log: &[Logged], now: Timestamp) -> ();
    log(connection: &str, since: Timestamp, only_bad: bool) -> Vec<Logged>;
    counts(connection: &str) -> Vec<Count>;
}

/// A run under way.
struct Play {
    world: World,
    connection: Connection,
    handoff: String,
    said: Vec<String>,
    /// What was acknowledged at its first try, in order.
    at_first_try: Vec<String>,
    /// Words of the end user, and whether they were confirmed.
    written: Vec<(String, bool)>,
    pending: Vec<Job>,
    ends: Option<Act>,
}

impl Play {
    fn begin(deaths: &[Death]) -> Self {
        let world = World {
            store: Memory::default(),
            outside: RefCell::default(),
            clock: Cell::new(1_790_000_000_000),
            is_armed: Cell::new(false),
            places: Cell::new(0),
            deaths: deaths.to_vec(),
            died: Cell::new(0),
            calls: RefCell::default(),
        };
        world.ask("PUT", "/v1/connections/acme", &connection()).unwrap();
        let answer = world.ask("POST", "/v1/connections/acme/handoffs", &request()).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let handoff = body(&answer)["id"].as_str().unwrap().to_owned();
        let connection = world.store.connection("acme").unwrap().unwrap();
        world.is_armed.set(true);
        let (said, at_first_try, written, pending) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { world, connection, handoff, said, at_first_try, written, pending, ends: None }
    }

    /// What a human agent did, as Freshworks tells it.
    fn webhook(&self, action: &str, data: &Value) -> Vec<u8> {
        let second = self.world.outside.borrow().messages.len();
        let event = json!({
            "actor": { "actor_type": "agent", "actor_id": "maya" }, "action": action, "data": data,
            "action_time": format!("2026-11-23T10:{:02}:{:02}.000Z", second / 60, second % 60),
        });
        event.to_string().into_bytes()
    }

    fn act(&mut self, act: Act) -> Option<Job> {
        match act {
            Act::Say => {
                let text = format!("answer {}", self.said.len());
                let mut message = json!({
                    "message_parts": [{ "text": { "content": text } }], "conversation_id": "c-1", "actor_type": "agent",
                    "actor_id": "maya", "message_type": "normal", "created_time": "2026-11-23T10:00:00.000Z",
                });
                message["id"] = json!(self.world.outside.borrow_mut().keep(message.clone()));
                self.said.push(text.clone());
                let body = self.webhook("message_create", &json!({ "message": message }));
                Some(Job::Webhook { body, text: Some(text) })
            }
            Act::Write | Act::Yes => {
                let number = self.written.len();
                let text = if act == Act::Yes { "yes".to_owned() } else { format!("words {number}") };
                self.written.push((text.clone(), false));
                Some(Job::Relay { id: format!("w-{number}"), text })
            }
            Act::Resolve => {
                self.ends = Some(act);
                self.world.outside.borrow_mut().is_resolved = true;
                let conversation = json!({ "conversation_id": "c-1", "channel_id": "t-1" });
                let data = json!({ "resolve": { "conversation": conversation } });
                Some(Job::Webhook { body: self.webhook("conversation_resolution", &data), text: None })
            }
            Act::Close => {
                self.ends = Some(act);
                Some(Job::Close)
            }
            Act::Tick => Some(Job::Tick),
            Act::Away(times) => {
                self.world.outside.borrow_mut().away = times;
                None
            }
            Act::Slow(times) => {
                self.world.outside.borrow_mut().slow = times;
                None
            }
        }
    }

    /// True when it was answered for good.
    fn attempt(&mut self, job: &Job) -> bool {
        let world = &self.world;
        world.clock.set(world.clock.get() + 1_000);
        let path = format!("/v1/connections/acme/handoffs/{}", self.handoff);
        match job {
            Job::Webhook { body, .. } => {
                let text = String::from_utf8(body.clone()).unwrap();
                let delivery = Delivery { headers: Vec::new(), body: text, received_at: world.clock.get() };
                let settings = Settings::parse(&self.connection.settings).unwrap();
                let conversations = webhook::peek(body);
                world
                    .serve(|service| service.on_genuine(&self.connection, &settings, &delivery, &conversations))
                    .is_some_and(|it| it.is_ok())
            }
            Job::Relay { id, text } => {
                let mut message = message(id);
                message["parts"][0]["text"] = json!(text);
                let answer = world.ask("POST", &format!("{path}/messages"), &message);
                let status = answer.map_or(503, |answer| answer.status);
                if status == 200 {
                    let number: usize = id.trim_start_matches("w-").parse().unwrap();
                    self.written[number].1 = true;
                }
                status < 500
            }
            Job::Close => {
                let answer = world.ask("POST", &format!("{path}/close"), &json!({ "reason": "user-left" }));
                answer.is_some_and(|answer| answer.status < 500)
            }
            Job::Tick => {
                world.ask("POST", "/v1/tick", &Value::Null);
                true
            }
        }
    }

    fn drain(&mut self) -> Result<(), String> {
        for _ in 0..MAX_TRIES {
            let Some(job) = self.pending.first().cloned() else { return Ok(()) };
            if self.attempt(&job) {
                self.pending.remove(0);
            } else {
                self.pending.rotate_left(1);
            }
        }
        if self.pending.is_empty() { Ok(()) } else { Err(format!("never answered: {:?}", self.pending.len())) }
    }

    fn all(&mut self, acts: &[Act], repeats: &mut dyn FnMut() -> Repeat) -> Result<(), String> {
        for act in acts {
            if *act == Act::Resolve {
                // What is repeated after it would bring the conversation back, as a new message does.
                self.drain()?;
            }
            let Some(job) = self.act(*act) else { continue };
            let before = std::mem::take(&mut self.pending);
            if self.attempt(&job) {
                if let Job::Webhook { text: Some(text), .. } = &job {
                    self.at_first_try.push(text.clone());
                }
            } else {
                self.pending.push(job);
            }
            self.pending.extend(before);
            match repeats() {
                Repeat::Behind => {}
                Repeat::AtOnce => self.drain()?,
                Repeat::AfterTheLease => {
                    self.world.clock.set(self.world.clock.get() + LEASE_IS_OVER_MS);
                    self.drain()?;
                }
            }
        }
        self.drain()?;
        // The timer, for as long as anything waits: the longer something has failed, the later it is tried again.
        for minute in 0..60 {
            self.world.clock.set(self.world.clock.get() + 60_000);
            self.attempt(&Job::Tick);
            if minute >= 3 && self.world.store.waiting("acme").unwrap() == 0 {
                break;
            }
        }
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        let outside = self.world.outside.borrow();
        let screen = outside.screen().ok_or("one id has told two things")?;
        let texts: Vec<&str> =
            screen.iter().filter_map(|event| event["message"]["parts"][0]["text"].as_str()).collect();
        let (mut seen, mut wanted) = (texts.clone(), self.said.iter().map(String::as_str).collect::<Vec<_>>());
        seen.sort_unstable();
        wanted.sort_unstable();
        if seen != wanted {
            return Err(format!("the end user sees {texts:?}, and {wanted:?} was said"));
        }
        let in_order: Vec<&str> =
            texts.into_iter().filter(|text| self.at_first_try.iter().any(|first| first == text)).collect();
        if in_order != self.at_first_try {
            return Err(format!("what was acknowledged at once came as {in_order:?}"));
        }
        for (text, is_confirmed) in &self.written {
            let same = self.written.iter().filter(|(other, _)| other == text);
            let most = same.clone().count();
            let least = same.filter(|(_, is_confirmed)| *is_confirmed).count();
            let count = outside.count_of(text);
            if !(least..=most).contains(&count) {
                return Err(format!("human agents see {count} times what was confirmed {least} times: {text}"));
            }
            if !is_confirmed && self.ends != Some(Act::Close) {
                return Err(format!("refused, and nobody has ended it: {text}"));
            }
        }
        let returns = screen.iter().filter(|event| event["kind"] == "returned-to-ai").count();
        let handoff = self.world.store.handoff("acme", &self.handoff).unwrap().unwrap();
        let told_to = match self.ends {
            // Whoever closes has the end in the answer.
            Some(Act::Close) => returns.min(1),
            Some(_) => 1,
            None => 0,
        };
        if returns != told_to || handoff.is_with_humans() == self.ends.is_some() {
            let waiting = self.world.store.waiting("acme").unwrap();
            let failing = &handoff.failing;
            return Err(format!(
                "the end was told {returns} times, and {} answers; {waiting} wait, failing {failing:?}",
                handoff.owner
            ));
        }
        let notes = outside.messages.iter().filter(|it| it.to_string().contains(" end\"")).count();
        if notes != usize::from(self.ends == Some(Act::Close)) {
            return Err(format!("{notes} notes about the end"));
        }
        match self.world.store.waiting("acme").unwrap() {
            0 => Ok(()),
            left => Err(format!("{left} deliveries still wait")),
        }
    }
}

const SCENARIOS: [(&str, &[Act]); 9] = [
    ("answers", &[Act::Say, Act::Say, Act::Say]),
    ("answers to a platform that is away", &[Act::Away(3), Act::Say, Act::Say, Act::Say]),
    ("answers to a platform that is slow", &[Act::Slow(2), Act::Say, Act::Say, Act::Say]),
    ("messages", &[Act::Write, Act::Write, Act::Say, Act::Write]),
    ("equal messages", &[Act::Yes, Act::Yes, Act::Yes]),
    ("a resolution", &[Act::Say, Act::Write, Act::Resolve]),
    ("a resolution that cannot be told", &[Act::Say, Act::Away(2), Act::Resolve]),
    ("a close", &[Act::Say, Act::Write, Act::Close]),
    ("ticks in between", &[Act::Say, Act::Tick, Act::Write, Act::Tick, Act::Say]),
];

/// Draws the same numbers for the same seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn every() -> usize {
    std::env::var(EVERY_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(EVERY).max(1)
}

/// How many places a run without deaths has.
fn places(acts: &[Act], repeat: Repeat) -> usize {
    let mut play = Play::begin(&[]);
    play.all(acts, &mut || repeat).unwrap_or_else(|broken| panic!("without any death: {acts:?}: {broken}"));
    play.world.places.get()
}

#[test]
fn nothing_is_lost_or_doubled_wherever_an_instance_dies() {
    let (mut runs, mut number) = (0, 0);
    for (name, acts) in SCENARIOS {
        for repeat in REPEATS {
            for at in 0..places(acts, repeat) {
                for after in [false, true] {
                    number += 1;
                    if number % every() != 0 {
                        continue;
                    }
                    let mut play = Play::begin(&[(at, after)]);
                    if let Err(broken) = play.all(acts, &mut || repeat) {
                        panic!("{name}, repeats {repeat:?}, death at place {at}, after its effect: {after}: {broken}");
                    }
                    assert_eq!(play.world.died.get(), 1, "{name}: place {at}");
                    runs += 1;
                }
            }
        }
    }
    println!("bridge: {} scenarios, {runs} runs with one death, 0 violations", SCENARIOS.len());
}

#[test]
fn nothing_is_lost_or_doubled_in_walks_with_several_deaths() {
    let (mut died, mut runs) = (0, 0);
    for seed in 0..WALKS / every() {
        let mut draw = Draw(u64::try_from(seed).unwrap());
        let kinds = [Act::Say, Act::Say, Act::Write, Act::Write, Act::Yes, Act::Tick, Act::Away(2), Act::Slow(1)];
        let mut acts: Vec<Act> = (0..3 + draw.below(6)).map(|_| kinds[draw.below(kinds.len())]).collect();
        acts.extend([None, Some(Act::Resolve), Some(Act::Close)][draw.below(3)]);
        let deaths: Vec<Death> = (0..1 + draw.below(4)).map(|_| (draw.below(90), draw.below(2) == 1)).collect();
        let mut play = Play::begin(&deaths);
        if let Err(broken) = play.all(&acts, &mut || REPEATS[draw.below(REPEATS.len())]) {
            panic!("walk {seed}, {acts:?}, deaths {deaths:?}: {broken}");
        }
        died += play.world.died.get();
        runs += 1;
    }
    assert!(died >= runs, "{died} deaths in {runs} walks");
    println!("bridge: {runs} random walks with {died} deaths, 0 violations");
}

/// What the store is asked for. The log and the counts are one statement, after the answer.
#[test]
fn a_webhook_takes_five_statements() {
    let mut play = Play::begin(&[]);
    let job = play.act(Act::Say).unwrap();
    play.world.calls.borrow_mut().clear();
    assert!(play.attempt(&job));
    // And `connection`, before it is verified.
    assert_eq!(*play.world.calls.borrow(), ["handoff_of", "store_delivery", "lease", "save", "count"]);
}

#[test]
fn handoff_relay_and_close_take_four_statements_each() {
    let play = Play::begin(&[]);
    let path = format!("/v1/connections/acme/handoffs/{}", play.handoff);
    let calls = |path: &str, body: &Value| {
        play.world.calls.borrow_mut().clear();
        assert_eq!(play.world.ask("POST", path, body).unwrap().status, 200);
        play.world.calls.take()
    };
    let expected = ["connection", "lease", "save", "count"];
    let mut other = request();
    other["key"]["conversation"] = json!("2");
    assert_eq!(calls("/v1/connections/acme/handoffs", &other), expected);
    assert_eq!(calls(&format!("{path}/messages"), &message("m-9")), expected);
    assert_eq!(calls(&format!("{path}/close"), &json!({ "reason": "user-left" })), expected);
}

#[test]
fn a_look_at_a_handoff_takes_four_statements() {
    let play = Play::begin(&[]);
    play.world.clock.set(play.world.clock.get() + 24 * 60 * 60 * 1000);
    play.world.calls.borrow_mut().clear();
    assert_eq!(play.world.ask("POST", "/v1/tick", &json!({})).unwrap().status, 200);
    let calls = play.world.calls.take();
    assert_eq!(calls[..6], ["due", "connection", "handoff", "lease", "save", "each_connection"], "{calls:?}");
    assert_eq!(calls.iter().filter(|name| **name == "each_connection").count(), 1, "{calls:?}");
}

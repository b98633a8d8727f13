//! What the tests share: a store in memory, and an outside that is a function.

use std::cell::RefCell;
use std::collections::BTreeMap;

use freshworks_handoff::http::{Http, Request, Response, TransportError};
use handoff_contract::model::Timestamp;

use crate::access::vault::Keys;
use crate::metrics::counters::{Count, LOGGED_MS, Logged, MAX_LOGGED, WAITING, trends_begin};
use crate::state::{
    Connection, Due, DueHandoff, EachConnection, HANDOFF, Handoff, Lease, MAX_WAITING, Record, Resealed, Rest, Saved,
    State, StateError, StoredDelivery,
};

/// 32 bytes, as the variable has them.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Those of these variables.
pub(crate) fn keys(current: &str, old: &str) -> Keys {
    Keys::read(current, old, || [9; 24]).unwrap_or_else(|error| panic!("{error}"))
}

#[derive(Default)]
struct Row {
    handoff: Option<Handoff>,
    lease: u64,
    leased_until: Timestamp,
    in_use: bool,
    doing: String,
    unsure: Vec<String>,
}

/// What waits for a handoff, and when it is due.
type Waiting = (Timestamp, Vec<StoredDelivery>);

/// Everything in memory; fails as a whole when told to.
pub(crate) struct Memory {
    /// As the stores have them: sealed.
    pub(crate) connections: RefCell<BTreeMap<String, String>>,
    pub(crate) keys: RefCell<Keys>,
    pub(crate) records: RefCell<BTreeMap<(String, String), Record>>,
    rows: RefCell<BTreeMap<(String, String), Row>>,
    conversations: RefCell<BTreeMap<(String, String), String>>,
    counts: RefCell<BTreeMap<(String, String), Count>>,
    inbox: RefCell<BTreeMap<(String, String), Waiting>>,
    log: RefCell<BTreeMap<(String, String), Logged>>,
    resting: RefCell<BTreeMap<String, Rest>>,
    pub(crate) is_down: RefCell<bool>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            connections: RefCell::default(),
            keys: RefCell::new(keys(KEY, "")),
            records: RefCell::default(),
            rows: RefCell::default(),
            conversations: RefCell::default(),
            counts: RefCell::default(),
            inbox: RefCell::default(),
            log: RefCell::default(),
            resting: RefCell::default(),
            is_down: RefCell::default(),
        }
    }
}

impl Memory {
    fn open(&self, id: &str, stored: &str) -> Result<Connection, StateError> {
        Ok(serde_json::from_str(&self.keys.borrow().open(id, stored)?).unwrap())
    }

    fn up(&self) -> Result<(), StateError> {
        if *self.is_down.borrow() { Err(StateError("down".into())) } else { Ok(()) }
    }

    fn all(&self) -> Vec<Handoff> {
        self.rows.borrow().values().filter_map(|row| row.handoff.clone()).collect()
    }
}

fn key(connection: &str, id: &str) -> (String, String) {
    (connection.to_owned(), id.to_owned())
}

impl State for Memory {
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError> {
        self.up()?;
        self.connections.borrow().get(id).map(|stored| self.open(id, stored)).transpose()
    }

    fn each_connection(&self) -> Result<EachConnection, StateError> {
        self.up()?;
        Ok(self.connections.borrow().iter().map(|(id, stored)| (id.clone(), self.open(id, stored))).collect())
    }

    fn remove_connection(&self, id: &str) -> Result<(), StateError> {
        self.up()?;
        self.connections.borrow_mut().remove(id);
        self.rows.borrow_mut().retain(|(connection, _), _| connection != id);
        self.conversations.borrow_mut().retain(|(connection, _), _| connection != id);
        self.counts.borrow_mut().retain(|(connection, _), _| connection != id);
        self.inbox.borrow_mut().retain(|(connection, _), _| connection != id);
        self.log.borrow_mut().retain(|(connection, _), _| connection != id);
        self.resting.borrow_mut().remove(id);
        Ok(())
    }

    fn save_connection(&self, connection: &Connection) -> Result<(), StateError> {
        self.up()?;
        let sealed = self.keys.borrow().seal(&connection.id, serde_json::to_string(connection).unwrap())?;
        self.connections.borrow_mut().insert(connection.id.clone(), sealed);
        Ok(())
    }

    fn handoff(&self, connection: &str, id: &str) -> Result<Option<Handoff>, StateError> {
        self.up()?;
        Ok(self.rows.borrow().get(&key(connection, id)).and_then(|row| row.handoff.clone()))
    }

    fn open_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        let mut open = self.all();
        open.retain(|handoff| handoff.connection == connection && handoff.is_open());
        open.truncate(limit as usize);
        Ok(open)
    }

    fn ended_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        self.up()?;
        let mut ended = self.all();
        ended.retain(|handoff| handoff.connection == connection && !handoff.is_open());
        ended.sort_by_key(|handoff| std::cmp::Reverse(handoff.updated_at));
        ended.truncate(limit as usize);
        Ok(ended)
    }

    fn handoff_of(&self, connection: &str, conversations: &[String]) -> Result<Option<String>, StateError> {
        let known = self.conversations.borrow();
        Ok(conversations.iter().find_map(|conversation| known.get(&key(connection, conversation)).cloned()))
    }

    fn due(&self, now: Timestamp, limit: u32) -> Result<Due, StateError> {
        self.up()?;
        let ticks = self.all().into_iter().filter_map(|one| Some((one.next_tick_at?, one.connection, one.id)));
        let inbox = self.inbox.borrow();
        let waiting = inbox.iter().map(|((connection, id), (at, _))| (*at, connection.clone(), id.clone()));
        let mut due: Vec<_> = ticks.chain(waiting).filter(|(at, ..)| *at <= now).collect();
        due.sort();
        let mut seen = std::collections::BTreeSet::new();
        due.retain(|(_, connection, id)| seen.insert(key(connection, id)));
        let mut turns = BTreeMap::<String, usize>::new();
        let mut first = Vec::new();
        for (at, connection, id) in &due {
            let turn = turns.entry(connection.clone()).or_default();
            *turn += 1;
            let rest = self.resting.borrow().get(connection).copied();
            if rest.is_none_or(|rest| rest.until <= now && *turn == 1) {
                let resting_since = rest.map(|rest| rest.since);
                let one = DueHandoff { connection: connection.clone(), id: id.clone(), resting_since };
                first.push((rest.is_some(), *turn, *at, one));
            }
        }
        first.sort_by_key(|(rests, turn, at, _)| (*rests, *turn, *at));
        first.truncate(limit as usize);
        Ok(Due { all: due.len() as u64, first: first.into_iter().map(|(.., one)| one).collect() })
    }

    fn rest(&self, connection: &str, rest: Option<Rest>) -> Result<(), StateError> {
        let mut resting = self.resting.borrow_mut();
        match rest {
            Some(rest) => resting.insert(connection.to_owned(), rest),
            None => resting.remove(connection),
        };
        Ok(())
    }

    fn store_delivery(
        &self,
        connection: &str,
        handoff: &str,
        delivery: &StoredDelivery,
        due_at: Timestamp,
    ) -> Result<bool, StateError> {
        self.up()?;
        let mut inbox = self.inbox.borrow_mut();
        let (_, waiting) = inbox.entry(key(connection, handoff)).or_insert_with(|| (due_at, Vec::new()));
        if waiting.len() as u64 >= MAX_WAITING {
            return Ok(false);
        }
        if !waiting.iter().any(|one| one.id == delivery.id) {
            waiting.push(delivery.clone());
        }
        Ok(true)
    }

    fn next_delivery(
        &self,
        connection: &str,
        handoff: &str,
        done: Option<&str>,
    ) -> Result<Option<StoredDelivery>, StateError> {
        self.up()?;
        let mut inbox = self.inbox.borrow_mut();
        let Some((_, waiting)) = inbox.get_mut(&key(connection, handoff)) else { return Ok(None) };
        waiting.retain(|one| Some(one.id.as_str()) != done);
        let next = waiting.first().cloned();
        if next.is_none() {
            inbox.remove(&key(connection, handoff));
        }
        Ok(next)
    }

    fn put_off(&self, connection: &str, handoff: &str, until: Timestamp) -> Result<(), StateError> {
        if let Some((due_at, _)) = self.inbox.borrow_mut().get_mut(&key(connection, handoff)) {
            *due_at = until;
        }
        Ok(())
    }

    fn oldest_waiting(&self, connection: &str) -> Result<Option<Timestamp>, StateError> {
        let inbox = self.inbox.borrow();
        let own = inbox.iter().filter(|((of, _), _)| of == connection);
        Ok(own.flat_map(|(_, (_, waiting))| waiting.iter().map(|one| one.received_at)).min())
    }

    fn waiting(&self, connection: &str) -> Result<u64, StateError> {
        let inbox = self.inbox.borrow();
        Ok(inbox.iter().filter(|((of, _), _)| of == connection).map(|(_, (_, waiting))| waiting.len() as u64).sum())
    }

    fn is_handing_over(&self, connection: &str, now: Timestamp) -> Result<bool, StateError> {
        let rows = self.rows.borrow();
        let is_it = |row: &Row| row.in_use && row.doing == HANDOFF && now < row.leased_until;
        Ok(rows.iter().any(|((of, _), row)| of == connection && is_it(row)))
    }

    fn lease(
        &self,
        connection: &str,
        id: &str,
        doing: &str,
        now: Timestamp,
        for_ms: u64,
        known: bool,
    ) -> Result<Option<Lease>, StateError> {
        self.up()?;
        let mut rows = self.rows.borrow_mut();
        if known && rows.get(&key(connection, id)).is_none_or(|row| row.handoff.is_none()) {
            return Ok(None);
        }
        let row = rows.entry(key(connection, id)).or_default();
        if row.in_use && now < row.leased_until {
            return Ok(None);
        }
        if row.in_use && !row.doing.is_empty() {
            row.unsure.push(row.doing.clone());
        }
        (row.lease, row.leased_until, row.in_use) = (row.lease + 1, now + for_ms, true);
        row.doing = doing.to_owned();
        let inbox = self.inbox.borrow();
        let next = inbox.get(&key(connection, id)).and_then(|(_, waiting)| waiting.first().cloned());
        Ok(Some(Lease { handoff: row.handoff.clone(), number: row.lease, unsure: row.unsure.clone(), next }))
    }

    fn renew(&self, connection: &str, id: &str, lease: u64, now: Timestamp, for_ms: u64) -> Result<bool, StateError> {
        self.up()?;
        let mut rows = self.rows.borrow_mut();
        let row = rows.get_mut(&key(connection, id)).filter(|row| row.lease == lease && row.in_use);
        Ok(row.map(|row| row.leased_until = now + for_ms).is_some())
    }

    fn save(
        &self,
        handoff: &Handoff,
        conversations: &[String],
        unsure: &[String],
        lease: u64,
    ) -> Result<Saved, StateError> {
        self.up()?;
        let mut rows = self.rows.borrow_mut();
        let row = rows.entry(key(&handoff.connection, &handoff.id)).or_default();
        if row.lease != lease {
            return Ok(Saved::Overtaken);
        }
        for conversation in conversations {
            let known = key(&handoff.connection, conversation);
            self.conversations.borrow_mut().insert(known, handoff.id.clone());
        }
        (row.handoff, row.in_use, row.unsure) = (Some(handoff.clone()), false, unsure.to_vec());
        let mut inbox = self.inbox.borrow_mut();
        let own = key(&handoff.connection, &handoff.id);
        if let Some((_, waiting)) = inbox.get_mut(&own) {
            waiting.retain(|one| !handoff.worked_off.contains(&one.id));
            if waiting.is_empty() {
                inbox.remove(&own);
            }
        }
        Ok(Saved::Stored { has_waiting: inbox.contains_key(&own) })
    }

    fn give_back(&self, connection: &str, id: &str, lease: u64) -> Result<(), StateError> {
        if let Some(row) = self.rows.borrow_mut().get_mut(&key(connection, id)).filter(|row| row.lease == lease) {
            row.in_use = false;
        }
        Ok(())
    }

    fn forget(&self, before: Timestamp, own: &[(String, Timestamp)]) -> Result<(), StateError> {
        let before =
            |of: &str| own.iter().find(|(connection, _)| connection == of).map_or(before, |(_, before)| *before);
        let goes = |it: &Handoff| it.is_over() && it.updated_at < before(&it.connection);
        self.rows.borrow_mut().retain(|_, row| !row.handoff.as_ref().is_some_and(goes));
        Ok(())
    }

    fn handoffs_of_person(&self, connection: &str, person: &str) -> Result<Vec<Handoff>, StateError> {
        self.up()?;
        let mut found = self.all();
        found.retain(|handoff| handoff.connection == connection && handoff.platform.user == person);
        Ok(found)
    }

    fn conversations_of(&self, connection: &str, handoff: &str) -> Result<Vec<String>, StateError> {
        let known = self.conversations.borrow();
        let own = known.iter().filter(|((of, _), id)| of == connection && *id == handoff);
        Ok(own.map(|((_, conversation), _)| conversation.clone()).collect())
    }

    fn deliveries(&self, connection: &str, handoff: &str) -> Result<Vec<StoredDelivery>, StateError> {
        Ok(self.inbox.borrow().get(&key(connection, handoff)).map(|(_, waiting)| waiting.clone()).unwrap_or_default())
    }

    fn erase(&self, connection: &str, id: &str, lease: u64, _: Timestamp) -> Result<bool, StateError> {
        self.up()?;
        let mut rows = self.rows.borrow_mut();
        let Some(row) = rows.get_mut(&key(connection, id)).filter(|row| row.lease == lease) else { return Ok(false) };
        (row.handoff, row.in_use, row.unsure) = (None, false, Vec::new());
        self.conversations.borrow_mut().retain(|(of, _), handoff| of != connection || handoff != id);
        self.inbox.borrow_mut().remove(&key(connection, id));
        self.log.borrow_mut().retain(|(of, _), one| of != connection || one.handoff.as_deref() != Some(id));
        Ok(true)
    }

    fn count(
        &self,
        connection: &str,
        amounts: &[(String, u64)],
        log: &[Logged],
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.up()?;
        for one in log {
            let mut all = self.log.borrow_mut();
            let before = all.get(&key(connection, &one.id));
            if before.is_some() && one.result == WAITING {
                continue;
            }
            let mut new = one.clone();
            let (first_at, tries) = before.map_or((one.at, 0), |before| (before.first_at, before.tries));
            (new.first_at, new.tries) = (first_at, tries + one.tries);
            let rows = self.rows.borrow();
            new.handoff =
                new.handoff.filter(|id| rows.get(&key(connection, id)).is_some_and(|row| row.handoff.is_some()));
            all.insert(key(connection, &one.id), new.completed());
        }
        for is_bad in [false, true] {
            let mut log = self.log(connection, 0, is_bad)?;
            log.retain(|one| one.is_bad() == is_bad);
            let old = log.iter().filter(|one| one.at < now.saturating_sub(LOGGED_MS));
            for gone in log.iter().skip(MAX_LOGGED as usize).chain(old) {
                self.log.borrow_mut().remove(&key(connection, &gone.id));
            }
        }
        let [hours, days] = trends_begin(now);
        let is_over = |name: &str| {
            (name.starts_with("hour|") && name < hours.as_str()) || (name.starts_with("day|") && name < days.as_str())
        };
        self.counts.borrow_mut().retain(|(of, name), _| of != connection || !is_over(name));
        let mut counts = self.counts.borrow_mut();
        for (name, amount) in amounts {
            let new = || Count { name: name.clone(), value: 0, at: 0 };
            let count = counts.entry(key(connection, name)).or_insert_with(new);
            (count.value, count.at) = (count.value + amount, now);
        }
        Ok(())
    }

    fn log(&self, connection: &str, since: Timestamp, only_bad: bool) -> Result<Vec<Logged>, StateError> {
        self.up()?;
        let log = self.log.borrow();
        let own =
            log.iter().filter(|((of, _), one)| of == connection && one.at >= since && (!only_bad || one.is_bad()));
        let mut found: Vec<Logged> = own.map(|(_, one)| one.clone()).collect();
        found.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.id.cmp(&other.id)));
        Ok(found)
    }

    fn counts(&self, connection: &str) -> Result<Vec<Count>, StateError> {
        self.up()?;
        let counts = self.counts.borrow();
        Ok(counts.iter().filter(|((of, _), _)| of == connection).map(|(_, count)| count.clone()).collect())
    }

    fn reseal(&self) -> Result<Resealed, StateError> {
        self.up()?;
        let mut done = Resealed::default();
        for (id, stored) in self.connections.borrow_mut().iter_mut() {
            match self.keys.borrow().reseal(id, stored) {
                Ok(None) => {}
                Ok(Some(sealed)) => {
                    *stored = sealed;
                    done.written += 1;
                }
                Err(_) => done.unreadable.push(id.clone()),
            }
        }
        Ok(done)
    }

    fn put_record(&self, kind: &str, record: &Record, now: Timestamp, only_new: bool) -> Result<bool, StateError> {
        if only_new && self.record(kind, &record.name, now)?.is_some() {
            return Ok(false);
        }
        self.up()?;
        self.records.borrow_mut().insert(key(kind, &record.name), record.clone());
        Ok(true)
    }

    fn record(&self, kind: &str, name: &str, now: Timestamp) -> Result<Option<Record>, StateError> {
        self.up()?;
        let records = self.records.borrow();
        Ok(records.get(&key(kind, name)).filter(|record| record.expires_at > now).cloned())
    }

    fn records(&self, kind: &str, now: Timestamp, limit: u32) -> Result<Vec<Record>, StateError> {
        self.up()?;
        let records = self.records.borrow();
        let of_kind = records.iter().rev().filter(|((of, _), record)| of == kind && record.expires_at > now);
        Ok(of_kind.map(|(_, record)| record.clone()).take(limit as usize).collect())
    }

    fn remove_record(&self, kind: &str, name: &str) -> Result<bool, StateError> {
        self.up()?;
        Ok(self.records.borrow_mut().remove(&key(kind, name)).is_some())
    }

    fn count_up(&self, kind: &str, name: &str, now: Timestamp, expires_at: Timestamp) -> Result<u64, StateError> {
        let before = self.record(kind, name, now)?;
        let sum = before.as_ref().map_or(1, |record| record.value.parse::<u64>().unwrap() + 1);
        let expires_at = before.map_or(expires_at, |record| record.expires_at);
        let record = Record { name: name.to_owned(), value: sum.to_string(), expires_at };
        self.put_record(kind, &record, now, false)?;
        Ok(sum)
    }

    fn trim_records(&self, kind: &str, now: Timestamp, most: u32) -> Result<(), StateError> {
        self.up()?;
        let mut records = self.records.borrow_mut();
        records.retain(|(of, _), record| of != kind || record.expires_at > now);
        let of_kind = records.iter().filter(|((of, _), _)| of == kind);
        let mut ends: Vec<(Timestamp, String)> = of_kind.map(|((_, name), it)| (it.expires_at, name.clone())).collect();
        ends.sort();
        ends.truncate(ends.len().saturating_sub(most as usize));
        records.retain(|(of, name), record| of != kind || !ends.contains(&(record.expires_at, name.clone())));
        Ok(())
    }
}

/// An outside that answers each request with status and body, and keeps what it was asked.
pub(crate) struct Outside<F> {
    pub(crate) answer: F,
    pub(crate) asked: RefCell<Vec<String>>,
}

impl<F: Fn(&str) -> (u16, String)> Outside<F> {
    pub(crate) fn new(answer: F) -> Self {
        Self { answer, asked: RefCell::default() }
    }
}

impl<F: Fn(&str) -> (u16, String)> Http for Outside<F> {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let answer = |request: Request| {
            let line = format!("{:?} {}{}", request.method, request.origin, request.path);
            let (status, body) = (self.answer)(&line);
            self.asked.borrow_mut().push(line);
            Ok(Response { status, headers: Vec::new(), body: body.into_bytes() })
        };
        requests.into_iter().map(answer).collect()
    }
}

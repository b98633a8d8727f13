//! The store that the operator has chosen.

use handoff_contract::model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::redis::RedisState;
use crate::sqlite::SqliteState;
use handoff_bridge::counters::{Count, Logged, WAITING};
use handoff_bridge::state::{
    Connection, Due, EachConnection, Handoff, Lease, Record, Resealed, Rest, State, StateError, StoredDelivery,
};
use handoff_bridge::vault::Keys;

/// Spin's SQLite, which needs nothing, or a Redis, which several hosts can share.
pub struct SpinState(Box<dyn State>);

impl SpinState {
    /// Opens the store: the Redis at this URL (`redis://host:port`, or `rediss://` for TLS), or with an empty URL the app's SQLite
    /// database. The password may be empty. `keys`: what connections are sealed with.
    ///
    /// # Errors
    ///
    /// When Redis cannot be reached or refuses the password, or the app was given no database.
    pub fn open(redis_url: &str, redis_password: &str, keys: Keys) -> Result<Self, StateError> {
        if redis_url.is_empty() {
            return SqliteState::open(keys).map(|state| Self(Box::new(state)));
        }
        RedisState::open(redis_url, redis_password, keys).map(|state| Self(Box::new(state)))
    }
}

/// Both stores keep the values that no query looks into as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value)
        .map_err(|error| StateError(format!("a value cannot be stored: {:?}", error.classify())))
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StateError> {
    // Its own words may quote the value, in which secrets and messages are.
    let told = |error: serde_json::Error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        StateError(format!("a stored value cannot be read: {:?} error at {place}", error.classify()))
    };
    serde_json::from_str(text).map_err(told)
}

/// What the stores ask about a delivery: its id, handoff and time, whether it failed, whether it must not replace what is known of it, the
/// number of tries; and all of it but the handoff, as JSON.
pub(crate) fn entries(log: &[Logged]) -> Vec<Vec<String>> {
    let entry = |one: &Logged| {
        let [is_bad, only_new] = [one.is_bad(), one.result == WAITING].map(u64::from);
        let numbers = [one.at, is_bad, only_new, one.tries].map(|number| number.to_string());
        // Values are compiled for answers anyway. A struct of texts and numbers does not fail.
        let text = serde_json::to_value(Logged { handoff: None, ..one.clone() }).unwrap_or_default().to_string();
        let named = [one.id.clone(), one.handoff.clone().unwrap_or_default()];
        named.into_iter().chain(numbers).chain([text]).collect()
    };
    log.iter().map(entry).collect()
}

/// A delivery, as it was stored.
pub(crate) fn logged(handoff: &str, first_at: Timestamp, tries: u64, entry: &str) -> Result<Logged, StateError> {
    let handoff = Some(handoff.to_owned()).filter(|id| !id.is_empty());
    Ok(Logged { handoff, first_at, tries, ..Logged::from_value(&from_json(entry)?) }.completed())
}

/// Seals each of these connections (id, and what is stored) that is not sealed with the newest key; `replace` writes what is new in
/// place of what was read, and says whether it did.
pub(crate) fn reseal(
    keys: &Keys,
    stored: Vec<(String, String)>,
    replace: impl Fn(&str, &str, &str) -> Result<bool, StateError>,
) -> Result<Resealed, StateError> {
    let mut done = Resealed::default();
    for (id, before) in stored {
        match keys.reseal(&id, &before) {
            Ok(None) => {}
            Ok(Some(after)) => done.written += u32::from(replace(&id, &before, &after)?),
            Err(_) => done.unreadable.push(id),
        }
    }
    // Redis lists them in any order.
    done.unreadable.sort_unstable();
    Ok(done)
}

impl State for SpinState {
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError> {
        self.0.connection(id)
    }

    fn each_connection(&self) -> Result<EachConnection, StateError> {
        self.0.each_connection()
    }

    fn save_connection(&self, connection: &Connection) -> Result<(), StateError> {
        self.0.save_connection(connection)
    }

    fn remove_connection(&self, id: &str) -> Result<(), StateError> {
        self.0.remove_connection(id)
    }

    fn handoff(&self, connection: &str, id: &str) -> Result<Option<Handoff>, StateError> {
        self.0.handoff(connection, id)
    }

    fn open_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        self.0.open_handoffs(connection, limit)
    }

    fn ended_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        self.0.ended_handoffs(connection, limit)
    }

    fn handoff_of(&self, connection: &str, conversations: &[String]) -> Result<Option<String>, StateError> {
        self.0.handoff_of(connection, conversations)
    }

    fn due(&self, now: Timestamp, limit: u32) -> Result<Due, StateError> {
        self.0.due(now, limit)
    }

    fn rest(&self, connection: &str, rest: Option<Rest>) -> Result<(), StateError> {
        self.0.rest(connection, rest)
    }

    fn store_delivery(
        &self,
        connection: &str,
        handoff: &str,
        delivery: &StoredDelivery,
        due_at: Timestamp,
    ) -> Result<bool, StateError> {
        self.0.store_delivery(connection, handoff, delivery, due_at)
    }

    fn next_delivery(
        &self,
        connection: &str,
        handoff: &str,
        done: Option<&str>,
    ) -> Result<Option<StoredDelivery>, StateError> {
        self.0.next_delivery(connection, handoff, done)
    }

    fn put_off(&self, connection: &str, handoff: &str, until: Timestamp) -> Result<(), StateError> {
        self.0.put_off(connection, handoff, until)
    }

    fn oldest_waiting(&self, connection: &str) -> Result<Option<Timestamp>, StateError> {
        self.0.oldest_waiting(connection)
    }

    fn waiting(&self, connection: &str) -> Result<u64, StateError> {
        self.0.waiting(connection)
    }

    fn is_handing_over(&self, connection: &str, now: Timestamp) -> Result<bool, StateError> {
        self.0.is_handing_over(connection, now)
    }

    fn lease(
        &self,
        connection: &str,
        id: &str,
        doing: &str,
        now: Timestamp,
        for_ms: u64,
    ) -> Result<Option<Lease>, StateError> {
        self.0.lease(connection, id, doing, now, for_ms)
    }

    fn renew(&self, connection: &str, id: &str, lease: u64, now: Timestamp, for_ms: u64) -> Result<bool, StateError> {
        self.0.renew(connection, id, lease, now, for_ms)
    }

    fn save(
        &self,
        handoff: &Handoff,
        conversations: &[String],
        unsure: &[String],
        lease: u64,
    ) -> Result<bool, StateError> {
        self.0.save(handoff, conversations, unsure, lease)
    }

    fn give_back(&self, connection: &str, id: &str, lease: u64) -> Result<(), StateError> {
        self.0.give_back(connection, id, lease)
    }

    fn forget(&self, before: Timestamp, own: &[(String, Timestamp)]) -> Result<(), StateError> {
        self.0.forget(before, own)
    }

    fn handoffs_of_person(&self, connection: &str, person: &str) -> Result<Vec<Handoff>, StateError> {
        self.0.handoffs_of_person(connection, person)
    }

    fn conversations_of(&self, connection: &str, handoff: &str) -> Result<Vec<String>, StateError> {
        self.0.conversations_of(connection, handoff)
    }

    fn deliveries(&self, connection: &str, handoff: &str) -> Result<Vec<StoredDelivery>, StateError> {
        self.0.deliveries(connection, handoff)
    }

    fn erase(&self, connection: &str, id: &str, lease: u64, now: Timestamp) -> Result<bool, StateError> {
        self.0.erase(connection, id, lease, now)
    }

    fn count(
        &self,
        connection: &str,
        amounts: &[(String, u64)],
        log: &[Logged],
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.0.count(connection, amounts, log, now)
    }

    fn log(&self, connection: &str, since: Timestamp, only_bad: bool) -> Result<Vec<Logged>, StateError> {
        self.0.log(connection, since, only_bad)
    }

    fn counts(&self, connection: &str) -> Result<Vec<Count>, StateError> {
        self.0.counts(connection)
    }

    fn reseal(&self) -> Result<Resealed, StateError> {
        self.0.reseal()
    }

    fn put_record(&self, kind: &str, record: &Record, now: Timestamp, only_new: bool) -> Result<bool, StateError> {
        self.0.put_record(kind, record, now, only_new)
    }

    fn record(&self, kind: &str, name: &str, now: Timestamp) -> Result<Option<Record>, StateError> {
        self.0.record(kind, name, now)
    }

    fn records(&self, kind: &str, now: Timestamp, limit: u32) -> Result<Vec<Record>, StateError> {
        self.0.records(kind, now, limit)
    }

    fn remove_record(&self, kind: &str, name: &str) -> Result<bool, StateError> {
        self.0.remove_record(kind, name)
    }

    fn count_up(&self, kind: &str, name: &str, now: Timestamp, expires_at: Timestamp) -> Result<u64, StateError> {
        self.0.count_up(kind, name, now, expires_at)
    }

    fn trim_records(&self, kind: &str, now: Timestamp, most: u32) -> Result<(), StateError> {
        self.0.trim_records(kind, now, most)
    }
}

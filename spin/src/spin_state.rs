//! The store that the operator has chosen.

use freshworks_handoff::model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::spin_redis::RedisState;
use crate::spin_sqlite::SqliteState;
use crate::state::{Connection, Due, Handoff, Lease, Rest, State, StateError, StoredDelivery};
use crate::tally::Count;

/// Spin's SQLite, which needs nothing, or a Redis, which several hosts can share.
pub(crate) struct SpinState(Box<dyn State>);

impl SpinState {
    /// Opens the store: the Redis at this URL (`redis://host:port`), or with an empty URL the app's SQLite database. The
    /// password may be empty.
    ///
    /// # Errors
    ///
    /// When Redis cannot be reached or refuses the password, or the app was given no database.
    pub(crate) fn open(redis_url: &str, redis_password: &str) -> Result<Self, StateError> {
        if redis_url.is_empty() {
            return SqliteState::open().map(|state| Self(Box::new(state)));
        }
        RedisState::open(redis_url, redis_password).map(|state| Self(Box::new(state)))
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

impl State for SpinState {
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError> {
        self.0.connection(id)
    }

    fn connections(&self) -> Result<Vec<Connection>, StateError> {
        self.0.connections()
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

    fn keep_days(&self) -> Result<Vec<(String, u16)>, StateError> {
        self.0.keep_days()
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

    fn count(&self, connection: &str, amounts: &[(String, u64)], now: Timestamp) -> Result<(), StateError> {
        self.0.count(connection, amounts, now)
    }

    fn counts(&self, connection: &str) -> Result<Vec<Count>, StateError> {
        self.0.counts(connection)
    }
}

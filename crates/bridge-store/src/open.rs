//! Opens the store that the operator has chosen, and what both stores share.

use handoff_contract::model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::redis::RedisState;
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteState;
use handoff_bridge::access::vault::Keys;
use handoff_bridge::metrics::counters::{Logged, WAITING};
use handoff_bridge::state::{Resealed, State, StateError};

/// What `redis_url` is where no Redis is named: Spin 3.4 to 4.0 load no manifest in which a host of `allowed_outbound_hosts` becomes empty
/// with the default values of its variables. No name ends in `.invalid` (RFC 6761, section 6.4).
const NO_REDIS: &str = "redis://unset.invalid";

/// Opens the store: the Redis at this URL (`redis://host:port`, or `rediss://` for TLS), which several hosts can share. Where the URL is
/// empty or `redis://unset.invalid`, that is the app's SQLite database, which needs nothing; without the feature `sqlite` there is none. The
/// password may be empty. `keys`: what connections are sealed with.
///
/// # Errors
///
/// When Redis cannot be reached or refuses the password, or the app was given no database.
pub fn open(redis_url: &str, redis_password: &str, keys: Keys) -> Result<Box<dyn State>, StateError> {
    if redis_url.is_empty() || redis_url == NO_REDIS {
        return embedded(keys);
    }
    Ok(Box::new(RedisState::open(redis_url, redis_password, keys)?))
}

#[cfg(feature = "sqlite")]
fn embedded(keys: Keys) -> Result<Box<dyn State>, StateError> {
    Ok(Box::new(SqliteState::open(keys)?))
}

#[cfg(not(feature = "sqlite"))]
fn embedded(_: Keys) -> Result<Box<dyn State>, StateError> {
    Err(StateError(
        "this build has no SQLite: set the variable redis_url (redis://host:port, or rediss://host:port)".to_owned(),
    ))
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

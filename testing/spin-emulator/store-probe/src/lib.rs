//! The bridge's stores as they run in Spin. A request names a function of `State` as its path, with the arguments as a JSON array;
//! the response is the function's result as JSON, or its error with status 503.

#![cfg(target_family = "wasm")]
// The expansion of the SDK's macro.
#![allow(unsafe_code)]

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use handoff_contract::model::ConversationKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use spin_sdk::http::{Request, Response};
use spin_sdk::{http_component, variables};

use handoff_bridge::access::vault::Keys;
use handoff_bridge::state::{Connection, Handoff, Lease, Record, Rest, Saved, State, StateError, StoredDelivery};

#[http_component]
fn handle(request: Request) -> Response {
    let path = request.header("spin-path-info").and_then(|value| value.as_str()).unwrap_or("").to_owned();
    match answer(path.trim_start_matches('/'), request.body()) {
        Ok(json) => Response::new(200, json),
        Err(StateError(text)) => Response::new(503, text),
    }
}

fn answer(function: &str, body: &[u8]) -> Result<String, StateError> {
    let variable = |name| variables::get(name).unwrap_or_default();
    let keys = Keys::read(&variable("encryption_key"), &variable("encryption_key_old"), draw).map_err(StateError)?;
    let state = handoff_bridge_store::open(&variable("redis_url"), &variable("redis_password"), keys)?;
    match function {
        "connection" => json(&state.connection(&read::<(String,)>(body)?.0)?),
        "connections" => json(&state.connections()?),
        "each_connection" => {
            let each = state.each_connection()?.into_iter().map(|(id, read)| (id, read.map_err(|StateError(why)| why)));
            json(&each.collect::<Vec<_>>())
        }
        "save_connection" => json(&state.save_connection(&read::<(Connection,)>(body)?.0)?),
        "remove_connection" => json(&state.remove_connection(&read::<(String,)>(body)?.0)?),
        "handoff" => {
            let (connection, id) = read::<(String, String)>(body)?;
            json(&state.handoff(&connection, &id)?)
        }
        "open_handoffs" => {
            let (connection, limit) = read::<(String, u32)>(body)?;
            json(&state.open_handoffs(&connection, limit)?)
        }
        "ended_handoffs" => {
            let (connection, limit) = read::<(String, u32)>(body)?;
            json(&state.ended_handoffs(&connection, limit)?)
        }
        "is_handing_over" => {
            let (connection, now) = read::<(String, u64)>(body)?;
            json(&state.is_handing_over(&connection, now)?)
        }
        "handoff_of" => {
            let (connection, conversations) = read::<(String, Vec<String>)>(body)?;
            json(&state.handoff_of(&connection, &conversations)?)
        }
        "due" => {
            let (now, limit) = read(body)?;
            let due = state.due(now, limit)?;
            let first: Vec<_> = due.first.iter().map(|one| (&one.connection, &one.id, one.resting_since)).collect();
            json(&(due.all, first))
        }
        "rest" => {
            let (connection, rest) = read::<(String, Option<(u64, u64)>)>(body)?;
            json(&state.rest(&connection, rest.map(|(since, until)| Rest { since, until }))?)
        }
        "store_delivery" => {
            let (connection, id, delivery, due_at) = read::<(String, String, StoredDelivery, u64)>(body)?;
            json(&state.store_delivery(&connection, &id, &delivery, due_at)?)
        }
        // This many at once, with numbers as ids: a request for each would be slow.
        "store_many" => {
            let (connection, id, from, to, bytes) = read::<(String, String, u32, u32, usize)>(body)?;
            let store = |number: u32| {
                let delivery = StoredDelivery { id: number.to_string(), body: vec![b'x'; bytes], received_at: 1 };
                state.store_delivery(&connection, &id, &delivery, 1)
            };
            json(&(from..to).map(store).collect::<Result<Vec<bool>, _>>()?.iter().filter(|stored| **stored).count())
        }
        "next_delivery" => {
            let (connection, id, done) = read::<(String, String, Option<String>)>(body)?;
            json(&state.next_delivery(&connection, &id, done.as_deref())?)
        }
        "put_off" => {
            let (connection, id, until) = read::<(String, String, u64)>(body)?;
            json(&state.put_off(&connection, &id, until)?)
        }
        "oldest_waiting" => json(&state.oldest_waiting(&read::<(String,)>(body)?.0)?),
        "waiting" => json(&state.waiting(&read::<(String,)>(body)?.0)?),
        "lease" => {
            let (connection, id, doing, now, for_ms) = read::<(String, String, String, u64, u64)>(body)?;
            let taken = state.lease(&connection, &id, &doing, now, for_ms, false)?;
            json(&taken.map(|Lease { handoff, number, unsure, .. }| (handoff, number, unsure)))
        }
        // Of a handoff that must exist: the number, and the delivery that waits.
        "lease_known" => {
            let (connection, id, now, for_ms) = read::<(String, String, u64, u64)>(body)?;
            let taken = state.lease(&connection, &id, "", now, for_ms, true)?;
            json(&taken.map(|Lease { number, next, .. }| (number, next)))
        }
        "renew" => {
            let (connection, id, lease, now, for_ms) = read::<(String, String, u64, u64, u64)>(body)?;
            json(&state.renew(&connection, &id, lease, now, for_ms)?)
        }
        "save" => {
            let (handoff, conversations, unsure, lease) = read::<(Handoff, Vec<String>, Vec<String>, u64)>(body)?;
            json(&(state.save(&handoff, &conversations, &unsure, lease)? != Saved::Overtaken))
        }
        // Whether deliveries wait then; null when the lease has gone to somebody else.
        "save_and_look" => {
            let (handoff, lease) = read::<(Handoff, u64)>(body)?;
            json(&match state.save(&handoff, &[], &[], lease)? {
                Saved::Stored { has_waiting } => Some(has_waiting),
                Saved::Overtaken => None,
            })
        }
        "give_back" => {
            let (connection, id, lease) = read::<(String, String, u64)>(body)?;
            json(&state.give_back(&connection, &id, lease)?)
        }
        "forget" => json(&state.forget(read::<(u64,)>(body)?.0, &[])?),
        "forget_each" => {
            let (before, own) = read::<(u64, Vec<(String, u64)>)>(body)?;
            json(&state.forget(before, &own)?)
        }
        "handoffs_of_person" => {
            let (connection, person) = read::<(String, String)>(body)?;
            json(&state.handoffs_of_person(&connection, &person)?)
        }
        "conversations_of" => {
            let (connection, id) = read::<(String, String)>(body)?;
            json(&state.conversations_of(&connection, &id)?)
        }
        "deliveries" => {
            let (connection, id) = read::<(String, String)>(body)?;
            json(&state.deliveries(&connection, &id)?)
        }
        "erase" => {
            let (connection, id, lease, now) = read::<(String, String, u64, u64)>(body)?;
            json(&state.erase(&connection, &id, lease, now)?)
        }
        "count" => {
            let (connection, amounts, now) = read::<(String, Vec<(String, u64)>, u64)>(body)?;
            json(&state.count(&connection, &amounts, &[], now)?)
        }
        "keep_log" => {
            let (connection, log, now) = read::<(String, Vec<serde_json::Value>, u64)>(body)?;
            let log: Vec<handoff_bridge::metrics::counters::Logged> =
                log.iter().map(handoff_bridge::metrics::counters::Logged::from_value).collect();
            json(&state.count(&connection, &[], &log, now)?)
        }
        "log" => {
            let (connection, since, only_bad) = read::<(String, u64, bool)>(body)?;
            json(&state.log(&connection, since, only_bad)?)
        }
        "counts" => json(&state.counts(&read::<(String,)>(body)?.0)?),
        "reseal" => json(&state.reseal()?),
        "put_record" => {
            let (kind, record, now, only_new) = read::<(String, Record, u64, bool)>(body)?;
            json(&state.put_record(&kind, &record, now, only_new)?)
        }
        "record" => {
            let (kind, name, now) = read::<(String, String, u64)>(body)?;
            json(&state.record(&kind, &name, now)?)
        }
        "records" => {
            let (kind, now, limit) = read::<(String, u64, u32)>(body)?;
            json(&state.records(&kind, now, limit)?)
        }
        "remove_record" => {
            let (kind, name) = read::<(String, String)>(body)?;
            json(&state.remove_record(&kind, &name)?)
        }
        "count_up" => {
            let (kind, name, now, expires_at) = read::<(String, String, u64, u64)>(body)?;
            json(&state.count_up(&kind, &name, now, expires_at)?)
        }
        "trim_records" => {
            let (kind, now, most) = read::<(String, u64, u32)>(body)?;
            json(&state.trim_records(&kind, now, most)?)
        }
        "add_one" => {
            let (connection, id) = read::<(String, String)>(body)?;
            json(&add_one(&*state, &connection, &id)?)
        }
        _ => Err(StateError("the probe knows no such function".to_owned())),
    }
}

/// Never the same twice, which is all that a probe needs of it.
fn draw() -> [u8; 24] {
    let mut drawn = [0; 24];
    for chunk in drawn.chunks_mut(8) {
        chunk.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
    }
    drawn
}

fn json(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|error| StateError(error.to_string()))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, StateError> {
    serde_json::from_slice(body).map_err(|error| StateError(format!("the probe's arguments: {error}")))
}

/// Adds one to the number that is the handoff's session, under a lease; how often it was in use.
fn add_one(state: &dyn State, connection: &str, id: &str) -> Result<u32, StateError> {
    for tries in 0.. {
        let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64);
        let Some(lease) = state.lease(connection, id, "adding", now, 20_000, false)? else {
            sleep(Duration::from_millis(2));
            continue;
        };
        if !lease.unsure.is_empty() {
            return Err(StateError("nobody died, and yet something is unsure".to_owned()));
        }
        let key =
            || ConversationKey { application: String::new(), channel: String::new(), conversation: String::new() };
        let mut handoff = lease.handoff.unwrap_or_else(|| Handoff::new(connection, id, key(), now));
        let number = handoff.session.as_deref().map_or(Some(0), |text| str::parse(str::from_utf8(text).ok()?).ok());
        let number: u32 = number.ok_or_else(|| StateError("the session is no number".to_owned()))?;
        handoff.session = Some((number + 1).to_string().into_bytes());
        if state.save(&handoff, &["counted".to_owned()], &[], lease.number)? == Saved::Overtaken {
            return Err(StateError("a lease was overtaken".to_owned()));
        }
        return Ok(tries);
    }
    Err(StateError("never".to_owned()))
}

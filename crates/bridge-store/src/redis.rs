//! EDGE: the store in a Redis that several hosts share, over Spin's outbound Redis.
//!
//! Each function is one command or one script, and so one atomic step. The scripts compute their keys, all of which begin with
//! `fwh:`: one server (5 or newer) with any number of replicas, no cluster. The server must not evict (`maxmemory-policy
//! noeviction`): a lost session is a conversation that human agents no longer hear.
//!
//! Spin's key-value store on Redis would not do: its compare-and-swap writes and then reports a failure, and an outage of two
//! seconds stalls it for two minutes (both measured). This interface fails within milliseconds, and works again at once.

use std::collections::BTreeMap;

use handoff_contract::model::Timestamp;
use spin_sdk::redis::{Connection as Redis, Error, RedisParameter, RedisResult};

use crate::open::{entries, from_json, logged, reseal, to_json};
use handoff_bridge::access::vault::Keys;
use handoff_bridge::metrics::counters::{Count, LOGGED_MS, Logged, MAX_LOGGED, trends_begin};
use handoff_bridge::state::{
    Connection, Due, DueHandoff, EachConnection, HANDOFF, Handoff, Lease, MAX_UNSURE, MAX_WAITING, MAX_WAITING_BYTES,
    MAX_WAITING_BYTES_OF_ALL, MAX_WAITING_OF_ALL, Record, Resealed, Rest, Saved, State, StateError, StoredDelivery,
};

macro_rules! script {
    ($name:literal) => {
        include_str!(concat!("redis/", $name, ".lua"))
    };
}

/// Stands before each script.
const PRELUDE: &str = script!("prelude");

/// As `prelude.lua` has them.
const CONNECTIONS: &str = "fwh:connections";
const INBOX_DUE: &str = "fwh:inbox-due";
const RESTING: &str = "fwh:resting";

/// A connection to the server, made for one request.
pub(crate) struct RedisState {
    redis: Redis,
    keys: Keys,
}

impl RedisState {
    /// The password goes over by itself and not in the URL: hosts write addresses that they refuse to their logs.
    pub(crate) fn open(url: &str, password: &str, keys: Keys) -> Result<Self, StateError> {
        let redis = Redis::open(url).map_err(failed)?;
        if !password.is_empty() {
            // The answer is not passed on: a server that does not know the command quotes what came with it.
            let refused = |error| match error {
                Error::Other(words) if words.contains("WRONGPASS") || words.contains("invalid password") => {
                    StateError("Redis: the password is wrong".to_owned())
                }
                _ => StateError("Redis: the password was not accepted".to_owned()),
            };
            redis.execute("AUTH", &parameters(&[password])).map_err(refused)?;
        }
        Ok(Self { redis, keys })
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Result<Vec<RedisResult>, StateError> {
        self.redis.execute(command, &parameters(arguments)).map_err(failed)
    }

    fn script(&self, script: &str, arguments: &[&str]) -> Result<Vec<RedisResult>, StateError> {
        let (script, no_keys) = ([PRELUDE, script].concat(), "0");
        self.run("EVAL", &[&[script.as_str(), no_keys], arguments].concat())
    }

    /// Id, and what is stored, of each connection.
    fn sealed(&self) -> Result<Vec<(String, String)>, StateError> {
        let found = self.run("HGETALL", &[CONNECTIONS])?;
        let texts = texts(&found).collect::<Result<Vec<_>, _>>()?;
        let (pairs, _) = texts.as_chunks();
        Ok(pairs.iter().map(|[id, stored]| ((*id).to_owned(), (*stored).to_owned())).collect())
    }

    fn connection_from(&self, id: &str, stored: &str) -> Result<Connection, StateError> {
        from_json(&self.keys.open(id, stored)?)
    }
}

fn parameters(words: &[&str]) -> Vec<RedisParameter> {
    words.iter().map(|word| RedisParameter::Binary(word.as_bytes().to_vec())).collect()
}

fn failed(error: Error) -> StateError {
    StateError(match error {
        Error::InvalidAddress => {
            "Redis: the URL is not valid, or its host is not among allowed_outbound_hosts in spin.toml".to_owned()
        }
        Error::TooManyConnections => "Redis: too many connections".to_owned(),
        Error::TypeError => {
            "Redis: a key holds another type of value; is the database used by something else?".to_owned()
        }
        // A server that does not know a command quotes what came with it.
        Error::Other(words) => format!("Redis: {}", words.split(", with args").next().unwrap_or_default()),
    })
}

fn unexpected() -> StateError {
    StateError("Redis: an answer is not what was asked for".to_owned())
}

fn text(result: &RedisResult) -> Result<Option<&str>, StateError> {
    match result {
        RedisResult::Nil => Ok(None),
        RedisResult::Binary(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|_| unexpected()),
        _ => Err(unexpected()),
    }
}

fn texts(results: &[RedisResult]) -> impl Iterator<Item = Result<&str, StateError>> {
    results.iter().filter_map(|result| text(result).transpose())
}

fn is_one(results: &[RedisResult]) -> Result<bool, StateError> {
    match results {
        [RedisResult::Int64(number)] => Ok(*number == 1),
        _ => Err(unexpected()),
    }
}

/// 1 or 0.
fn bit(is: bool) -> &'static str {
    if is { "1" } else { "0" }
}

impl State for RedisState {
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError> {
        let found = self.run("HGET", &[CONNECTIONS, id])?;
        texts(&found).next().transpose()?.map(|stored| self.connection_from(id, stored)).transpose()
    }

    fn each_connection(&self) -> Result<EachConnection, StateError> {
        let mut sealed = self.sealed()?;
        sealed.sort();
        let open = |(id, stored): (String, String)| {
            let connection = self.connection_from(&id, &stored);
            (id, connection)
        };
        Ok(sealed.into_iter().map(open).collect())
    }

    fn save_connection(&self, connection: &Connection) -> Result<(), StateError> {
        let sealed = self.keys.seal(&connection.id, to_json(connection)?)?;
        self.run("HSET", &[CONNECTIONS, &connection.id, &sealed]).map(drop)
    }

    fn remove_connection(&self, id: &str) -> Result<(), StateError> {
        self.script(script!("remove_connection"), &[id]).map(drop)
    }

    fn handoff(&self, connection: &str, id: &str) -> Result<Option<Handoff>, StateError> {
        let found = self.run("HGET", &[&format!("fwh:handoff/{connection}/{id}"), "handoff"])?;
        texts(&found).next().transpose()?.map(from_json).transpose()
    }

    fn open_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        let found = self.script(script!("open_handoffs"), &[connection, &limit.to_string()])?;
        texts(&found).map(|text| from_json(text?)).collect()
    }

    fn ended_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError> {
        let found = self.script(script!("ended_handoffs"), &[connection, &limit.to_string()])?;
        texts(&found).map(|text| from_json(text?)).collect()
    }

    fn handoff_of(&self, connection: &str, conversations: &[String]) -> Result<Option<String>, StateError> {
        if conversations.is_empty() {
            return Ok(None);
        }
        let key = format!("fwh:conversations/{connection}");
        let arguments: Vec<&str> = std::iter::once(&key).chain(conversations).map(String::as_str).collect();
        let found = self.run("HMGET", &arguments)?;
        texts(&found).next().map(|id| id.map(str::to_owned)).transpose()
    }

    fn due(&self, now: Timestamp, limit: u32) -> Result<Due, StateError> {
        let found = self.script(script!("due"), &[&now.to_string(), &limit.to_string()])?;
        let found = texts(&found).collect::<Result<Vec<_>, _>>()?;
        let [all, named @ ..] = &found[..] else { return Err(unexpected()) };
        let read = |one: &[&str]| {
            let [full_id, since] = one else { return Err(unexpected()) };
            let (connection, id) = full_id.split_once('/').ok_or_else(unexpected)?;
            let resting_since = if since.is_empty() { None } else { Some(since.parse().map_err(|_| unexpected())?) };
            Ok(DueHandoff { connection: connection.to_owned(), id: id.to_owned(), resting_since })
        };
        let first = named.chunks(2).map(read).collect::<Result<_, _>>()?;
        Ok(Due { all: all.parse().map_err(|_| unexpected())?, first })
    }

    fn rest(&self, connection: &str, rest: Option<Rest>) -> Result<(), StateError> {
        match rest {
            Some(Rest { since, until }) => self.run("HSET", &[RESTING, connection, &format!("{since} {until}")]),
            None => self.run("HDEL", &[RESTING, connection]),
        }
        .map(drop)
    }

    fn store_delivery(
        &self,
        connection: &str,
        handoff: &str,
        delivery: &StoredDelivery,
        due_at: Timestamp,
    ) -> Result<bool, StateError> {
        let bounds = [MAX_WAITING, MAX_WAITING_BYTES, MAX_WAITING_OF_ALL, MAX_WAITING_BYTES_OF_ALL];
        let [most, most_bytes, most_of_all, most_bytes_of_all] = bounds.map(|bound| bound.to_string());
        let (json, due_at) = (to_json(delivery)?, due_at.to_string());
        let bounds = [most.as_str(), &most_bytes, &most_of_all, &most_bytes_of_all];
        let arguments = [&[connection, handoff, &delivery.id, &json, &due_at], &bounds[..]].concat();
        is_one(&self.script(script!("store_delivery"), &arguments)?)
    }

    fn next_delivery(
        &self,
        connection: &str,
        handoff: &str,
        done: Option<&str>,
    ) -> Result<Option<StoredDelivery>, StateError> {
        let found = self.script(script!("next_delivery"), &[connection, handoff, done.unwrap_or_default()])?;
        texts(&found).next().transpose()?.map(from_json).transpose()
    }

    fn put_off(&self, connection: &str, handoff: &str, until: Timestamp) -> Result<(), StateError> {
        let full_id = format!("{connection}/{handoff}");
        self.run("ZADD", &[INBOX_DUE, "XX", &until.to_string(), &full_id]).map(drop)
    }

    fn oldest_waiting(&self, connection: &str) -> Result<Option<Timestamp>, StateError> {
        let found = self.script(script!("oldest_waiting"), &[connection])?;
        texts(&found).next().map(|at| at?.parse().map_err(|_| unexpected())).transpose()
    }

    fn waiting(&self, connection: &str) -> Result<u64, StateError> {
        let found = self.run("HGET", &[&format!("fwh:inbox-size/{connection}"), "count"])?;
        texts(&found).next().map_or(Ok(0), |count| count?.parse().map_err(|_| unexpected()))
    }

    /// By the server's clock.
    fn is_handing_over(&self, connection: &str, _: Timestamp) -> Result<bool, StateError> {
        is_one(&self.script(script!("is_handing_over"), &[connection])?)
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
        let (now, for_ms, most) = (now.to_string(), for_ms.to_string(), MAX_UNSURE.to_string());
        // One word for both: without a password, a server that wants one takes no more than these to say so.
        let how = if known { "known" } else { Some("begins").filter(|_| doing == HANDOFF).unwrap_or_default() };
        let taken = self.script(script!("lease"), &[connection, id, doing, &now, &for_ms, &most, how])?;
        match &taken[..] {
            [] => Ok(None),
            [RedisResult::Int64(number), unsure, handoff, next] => {
                let unsure = text(unsure)?.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
                let number = u64::try_from(*number).map_err(|_| unexpected())?;
                let handoff = text(handoff)?.map(from_json).transpose()?;
                Ok(Some(Lease { handoff, number, unsure, next: text(next)?.map(from_json).transpose()? }))
            }
            _ => Err(unexpected()),
        }
    }

    /// By the server's clock.
    fn renew(&self, connection: &str, id: &str, lease: u64, _: Timestamp, for_ms: u64) -> Result<bool, StateError> {
        is_one(&self.script(script!("renew"), &[connection, id, &lease.to_string(), &for_ms.to_string()])?)
    }

    fn save(
        &self,
        handoff: &Handoff,
        conversations: &[String],
        unsure: &[String],
        lease: u64,
    ) -> Result<Saved, StateError> {
        let about = [
            &handoff.connection,
            &handoff.id,
            &lease.to_string(),
            &to_json(handoff)?,
            &handoff.updated_at.to_string(),
            &handoff.next_tick_at.map(|at| at.to_string()).unwrap_or_default(),
            bit(handoff.is_open()),
            bit(handoff.is_over()),
            &unsure.join(" "),
            &handoff.platform.user,
            &handoff.worked_off.join(" "),
        ];
        let arguments: Vec<&str> = about.into_iter().chain(conversations.iter().map(String::as_str)).collect();
        match self.script(script!("save"), &arguments)?[..] {
            [RedisResult::Int64(0)] => Ok(Saved::Overtaken),
            [RedisResult::Int64(waiting)] => Ok(Saved::Stored { has_waiting: waiting == 2 }),
            _ => Err(unexpected()),
        }
    }

    fn give_back(&self, connection: &str, id: &str, lease: u64) -> Result<(), StateError> {
        self.script(script!("give_back"), &[connection, id, &lease.to_string()]).map(drop)
    }

    fn forget(&self, before: Timestamp, own: &[(String, Timestamp)]) -> Result<(), StateError> {
        let mut arguments = vec![before.to_string()];
        arguments.extend(own.iter().flat_map(|(connection, before)| [connection.clone(), before.to_string()]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.script(script!("forget"), &arguments).map(drop)
    }

    /// Some at a time, so that the server answers others in between.
    fn handoffs_of_person(&self, connection: &str, person: &str) -> Result<Vec<Handoff>, StateError> {
        let (mut found, mut cursor) = (BTreeMap::new(), "0".to_owned());
        loop {
            let some = self.script(script!("of_person"), &[connection, &cursor, person])?;
            let some = texts(&some).collect::<Result<Vec<_>, _>>()?;
            let [next, handoffs @ ..] = &some[..] else { return Err(unexpected()) };
            // One may come twice.
            for handoff in handoffs {
                let handoff: Handoff = from_json(handoff)?;
                found.insert(handoff.id.clone(), handoff);
            }
            if *next == "0" {
                return Ok(found.into_values().collect());
            }
            cursor = (*next).to_owned();
        }
    }

    fn conversations_of(&self, connection: &str, handoff: &str) -> Result<Vec<String>, StateError> {
        let found = self.script(script!("conversations_of"), &[connection, handoff])?;
        texts(&found).map(|text| text.map(str::to_owned)).collect()
    }

    fn deliveries(&self, connection: &str, handoff: &str) -> Result<Vec<StoredDelivery>, StateError> {
        let found = self.script(script!("deliveries"), &[connection, handoff])?;
        texts(&found).map(|text| from_json(text?)).collect()
    }

    fn erase(&self, connection: &str, id: &str, lease: u64, now: Timestamp) -> Result<bool, StateError> {
        is_one(&self.script(script!("erase"), &[connection, id, &lease.to_string(), &now.to_string()])?)
    }

    fn count(
        &self,
        connection: &str,
        amounts: &[(String, u64)],
        log: &[Logged],
        now: Timestamp,
    ) -> Result<(), StateError> {
        let log_begins = now.saturating_sub(LOGGED_MS);
        let numbers = [now, log_begins, MAX_LOGGED.into(), amounts.len() as u64].map(|number| number.to_string());
        let mut arguments = vec![connection.to_owned()];
        arguments.extend(numbers.into_iter().chain(trends_begin(now)));
        arguments.extend(amounts.iter().flat_map(|(name, amount)| [name.clone(), amount.to_string()]));
        arguments.extend(entries(log).into_iter().flatten());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.script(script!("count"), &arguments).map(drop)
    }

    fn log(&self, connection: &str, since: Timestamp, only_bad: bool) -> Result<Vec<Logged>, StateError> {
        let found = self.script(script!("log"), &[connection, &since.to_string(), bit(only_bad)])?;
        let texts = texts(&found).collect::<Result<Vec<_>, _>>()?;
        let number = |text: &str| text.parse().map_err(|_| unexpected());
        let read =
            |[handoff, first_at, tries, entry]: &[&str; 4]| logged(handoff, number(first_at)?, number(tries)?, entry);
        texts.as_chunks().0.iter().map(read).collect()
    }

    fn counts(&self, connection: &str) -> Result<Vec<Count>, StateError> {
        let found = self.script(script!("counts"), &[connection])?;
        let texts = texts(&found).collect::<Result<Vec<_>, _>>()?;
        let number = |text: &str| text.parse().map_err(|_| unexpected());
        let read = |[name, value, at]: &[&str; 3]| {
            Ok(Count { name: (*name).to_owned(), value: number(value)?, at: number(at)? })
        };
        let mut counts = texts.as_chunks().0.iter().map(read).collect::<Result<Vec<_>, StateError>>()?;
        counts.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(counts)
    }

    fn reseal(&self) -> Result<Resealed, StateError> {
        let replace = |id: &str, before: &str, after: &str| {
            is_one(&self.script(script!("replace_connection"), &[id, before, after])?)
        };
        reseal(&self.keys, self.sealed()?, replace)
    }

    fn put_record(&self, kind: &str, record: &Record, now: Timestamp, only_new: bool) -> Result<bool, StateError> {
        let (expires_at, now) = (record.expires_at.to_string(), now.to_string());
        let arguments = [kind, &record.name, &record.value, &expires_at, &now, bit(only_new)];
        is_one(&self.script(script!("put_record"), &arguments)?)
    }

    fn record(&self, kind: &str, name: &str, now: Timestamp) -> Result<Option<Record>, StateError> {
        let found = self.run("HMGET", &[&format!("fwh:record/{kind}/{name}"), "value", "expires_at"])?;
        let [value, expires_at] = &texts(&found).collect::<Result<Vec<_>, _>>()?[..] else { return Ok(None) };
        let expires_at: Timestamp = expires_at.parse().map_err(|_| unexpected())?;
        let record = Record { name: name.to_owned(), value: (*value).to_owned(), expires_at };
        Ok(Some(record).filter(|record| record.expires_at > now))
    }

    fn records(&self, kind: &str, now: Timestamp, limit: u32) -> Result<Vec<Record>, StateError> {
        let found = self.script(script!("records"), &[kind, &now.to_string(), &limit.to_string()])?;
        let texts = texts(&found).collect::<Result<Vec<_>, _>>()?;
        let read = |[name, value, expires_at]: &[&str; 3]| {
            let expires_at = expires_at.parse().map_err(|_| unexpected())?;
            Ok(Record { name: (*name).to_owned(), value: (*value).to_owned(), expires_at })
        };
        texts.as_chunks().0.iter().map(read).collect()
    }

    fn remove_record(&self, kind: &str, name: &str) -> Result<bool, StateError> {
        is_one(&self.script(script!("remove_record"), &[kind, name])?)
    }

    fn count_up(&self, kind: &str, name: &str, now: Timestamp, expires_at: Timestamp) -> Result<u64, StateError> {
        let arguments = [kind, name, &now.to_string(), &expires_at.to_string()];
        match &self.script(script!("count_up"), &arguments)?[..] {
            [RedisResult::Int64(sum)] => u64::try_from(*sum).map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }

    fn trim_records(&self, kind: &str, now: Timestamp, most: u32) -> Result<(), StateError> {
        self.script(script!("trim_records"), &[kind, &now.to_string(), &most.to_string()]).map(drop)
    }
}

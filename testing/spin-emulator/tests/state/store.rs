//! A store, apps on it, and the functions of the bridge's `State` as calls to them.

use std::sync::OnceLock;
use std::time::SystemTime;

use serde_json::{Value, json};
use spin_emulator::{App, Component, Options, RedisServer, SqliteFile};

use crate::client::send;
use crate::component::built;

/// Makes a test of each function, for each of the stores.
macro_rules! on_both_stores {
    ($($test:ident,)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&crate::store::Store::sqlite()).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&crate::store::Store::redis().await).await;
            })*
        }
    };
}
pub(crate) use on_both_stores;

/// Compiled once for all tests.
fn component() -> Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    COMPONENT.get_or_init(|| built("store_probe")).clone()
}

/// Empty at first.
pub(crate) enum Store {
    Sqlite(SqliteFile),
    Redis(RedisServer),
}

impl Store {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(SqliteFile::in_memory())
    }

    pub(crate) async fn redis() -> Self {
        Self::Redis(RedisServer::start().await.unwrap())
    }

    /// An app on this store; several act as behind a load balancer.
    pub(crate) async fn app(&self) -> StateApp {
        self.app_with_keys("plaintext", "").await
    }

    /// An app that encrypts connections with a key, and reads those of another one.
    pub(crate) async fn app_with_keys(&self, current: &str, old: &str) -> StateApp {
        let (sqlite, redis) = match self {
            Self::Sqlite(sqlite) => (sqlite.clone(), None),
            Self::Redis(redis) => (SqliteFile::in_memory(), Some(redis)),
        };
        let options = Options { sqlite, ..redis.map_or_else(Options::default, |redis| on_redis(redis, "")) };
        StateApp::start_with_keys(options, current, old).await
    }

    /// The store's raw content.
    pub(crate) async fn dump(&self) -> String {
        match self {
            Self::Sqlite(sqlite) => sqlite.dump().unwrap(),
            Self::Redis(redis) => redis.dump().await.unwrap(),
        }
    }
}

pub(crate) fn on_redis(redis: &RedisServer, password: &str) -> Options {
    let variables = [("redis_url", redis.url()), ("redis_password", password.to_owned())];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    Options { variables, allowed_outbound_hosts: vec![redis.url()], ..Options::default() }
}

/// A function's result: JSON, or the error's text.
pub(crate) type Reply = Result<Value, String>;

pub(crate) struct StateApp(App);

impl StateApp {
    pub(crate) async fn start(options: Options) -> Self {
        Self::start_with_keys(options, "plaintext", "").await
    }

    async fn start_with_keys(mut options: Options, key: &str, old_key: &str) -> Self {
        for (name, value) in [("encryption_key", key), ("encryption_key_old", old_key)] {
            options.variables.insert(name.to_owned(), value.to_owned());
        }
        Self(App::start(&component(), options).await.unwrap())
    }

    pub(crate) async fn on_redis(redis: &RedisServer, password: &str) -> Self {
        Self::start(on_redis(redis, password)).await
    }

    /// Calls a function; to be awaited anywhere.
    pub(crate) fn asked(&self, function: &str, arguments: Value) -> impl Future<Output = Reply> + Send + 'static {
        let (url, body) = (format!("{}/{function}", self.0.origin()), arguments.to_string());
        async move {
            let (status, text) = send("POST", &url, &body).await.unwrap();
            match status {
                200 => Ok(serde_json::from_str(&text).unwrap()),
                503 => Err(text),
                _ => panic!("{status} {text}"),
            }
        }
    }

    pub(crate) async fn ask(&self, function: &str, arguments: Value) -> Value {
        self.asked(function, arguments).await.unwrap_or_else(|error| panic!("{function}: {error}"))
    }

    /// A lease that was granted: the stored handoff, its number, and the unsure work.
    pub(crate) async fn lease(&self, connection: &str, id: &str, doing: &str) -> (Value, u64, Value) {
        let taken = self.ask("lease", json!([connection, id, doing, now(), 60_000])).await;
        (taken[0].clone(), taken[1].as_u64().expect("it is taken"), taken[2].clone())
    }

    /// Stores a handoff under a new lease.
    pub(crate) async fn put(&self, handoff: &Value, conversations: &[&str]) {
        let of = |name: &str| handoff[name].as_str().unwrap().to_owned();
        let (_, lease, _) = self.lease(&of("connection"), &of("id"), "").await;
        assert_eq!(self.ask("save", json!([handoff, conversations, [], lease])).await, true);
    }

    /// The ids of handoffs that are due and named, with their connections.
    pub(crate) async fn due(&self, now: u64, limit: u32) -> Value {
        let (_, named) = self.all_due(now, limit).await;
        named.iter().map(|one| json!([one[0], one[1]])).collect()
    }

    /// How many are due in all; connection, id, and since when the connection rests, of those that are named.
    pub(crate) async fn all_due(&self, now: u64, limit: u32) -> (u64, Vec<Value>) {
        let due = self.ask("due", json!([now, limit])).await;
        (due[0].as_u64().unwrap(), due[1].as_array().unwrap().clone())
    }

    /// The ids of the handoffs that human agents have.
    pub(crate) async fn open(&self, connection: &str, limit: u32) -> Vec<String> {
        let found = self.ask("open_handoffs", json!([connection, limit])).await;
        found.as_array().unwrap().iter().map(|handoff| handoff["id"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn handoff_of(&self, connection: &str, conversations: &[&str]) -> Value {
        self.ask("handoff_of", json!([connection, conversations])).await
    }
}

pub(crate) fn now() -> u64 {
    u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// A handoff that is over.
pub(crate) fn over(connection: &str, id: &str, updated_at: u64) -> Value {
    json!({
        "connection": connection, "id": id, "session": null, "state": "returned", "owner": "ai-agent",
        "key": { "application": "app", "channel": "channel", "conversation": id },
        "next_tick_at": null, "begun_at": 1, "updated_at": updated_at, "seen": [],
        "platform": {
            "user": "", "carried_until": 0, "personas": [], "members": [], "pending": null, "failing_since": null, "last_failure": null,
        },
        "mailbox": null, "journal": [],
    })
}

/// A handoff that human agents have.
pub(crate) fn open(connection: &str, id: &str, updated_at: u64) -> Value {
    let mut handoff = over(connection, id, updated_at);
    handoff["owner"] = json!("human-agent");
    handoff
}

/// A handoff of the AI agent's that `tick` has still something to do for.
pub(crate) fn due_at(connection: &str, id: &str, next_tick_at: u64) -> Value {
    let mut handoff = over(connection, id, 1);
    handoff["next_tick_at"] = json!(next_tick_at);
    handoff
}

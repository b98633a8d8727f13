//! Does what its path says: one short function for each interaction of a component with its host.

#![cfg(target_family = "wasm")]
// The expansion of the SDK's macro.
#![allow(unsafe_code)]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use spin_sdk::http::{Method, Request, Response};
use spin_sdk::key_value::Store;
use spin_sdk::redis::{Connection as Redis, RedisParameter, RedisResult};
use spin_sdk::sqlite::{Connection as Database, Value};
use spin_sdk::{http_component, variables};

/// The response: a status and a text. An `Err` is a failure for the test to read.
type Reply = Result<String, String>;

#[http_component]
async fn handle(request: Request) -> Response {
    let path = request.header("spin-path-info").and_then(|value| value.as_str()).unwrap_or("").to_owned();
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let query = request.query().to_owned();
    let answer = match words[..] {
        ["echo"] => Ok(echo(&request)),
        ["count"] => Ok(count()),
        ["print"] => Ok(print(&query)),
        ["outside"] => Ok(outside()),
        ["variable", name] => variables::get(name).map_err(|error| format!("{error:?}")),
        ["sqlite", "open", name] => Database::open(name).map(|_| String::new()).map_err(|error| format!("{error:?}")),
        ["sqlite", "run"] => run_sql(std::str::from_utf8(request.body()).unwrap_or("")),
        ["sqlite", "types"] => every_type(),
        ["sqlite", "add"] => add_one(),
        ["sqlite", "unfinished"] => unfinished_transaction(),
        ["sqlite", "held"] => unfinished_transaction().map(|_| sleep(60_000)),
        ["key-value", "open", name] => Store::open(name).map(|_| String::new()).map_err(|error| format!("{error:?}")),
        ["key-value", key] => key_value(key, &request),
        ["key-value"] => keys(),
        ["redis"] => redis(&query, std::str::from_utf8(request.body()).unwrap_or("")),
        ["redis", "plain"] => plain_redis(&query),
        ["fetch"] => fetch(&query, &request).await,
        ["panic"] => panic!("as asked"),
        ["loop"] => spin_for_ever(),
        ["memory", bytes] => {
            Ok(vec![1_u8; bytes.parse().unwrap_or(0)].iter().map(|b| u64::from(*b)).sum::<u64>().to_string())
        }
        ["sleep", milliseconds] => Ok(sleep(milliseconds.parse().unwrap_or(0))),
        ["mqtt"] => spin_sdk::mqtt::Connection::open("mqtt://127.0.0.1", "", "", 1)
            .map(|_| String::new())
            .map_err(|error| format!("{error:?}")),
        _ => return Response::new(404, "the probe knows no such path"),
    };
    match answer {
        Ok(text) => Response::new(200, text),
        Err(text) => Response::new(422, text),
    }
}

fn echo(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "{name}: {}", value.as_str().unwrap_or("(bytes)"));
    }
    let _ = write!(text, "\n{}", String::from_utf8_lossy(request.body()));
    text
}

/// 1, as long as each request has its own instance.
fn count() -> String {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    (REQUESTS.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}

fn print(text: &str) -> String {
    println!("out {text}");
    eprintln!("err {text}");
    String::new()
}

/// What the component can see of the host's machine: environment variables, files.
fn outside() -> String {
    let variables = std::env::vars().count();
    let root = std::fs::read_dir("/").is_ok();
    let socket = std::net::TcpStream::connect("127.0.0.1:9").map_err(|error| error.kind());
    format!("{variables} {root} {socket:?}")
}

fn sql(database: &Database, statement: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, String> {
    let result = database.execute(statement, parameters).map_err(|error| format!("{error:?}"))?;
    Ok(result.rows.into_iter().map(|row| row.values).collect())
}

/// Runs the statements, one a line, in one connection; the rows of the last.
fn run_sql(statements: &str) -> Reply {
    let database = Database::open_default().map_err(|error| format!("{error:?}"))?;
    let mut rows = Vec::new();
    for statement in statements.lines() {
        rows = sql(&database, statement, &[])?;
    }
    Ok(format!("{rows:?}"))
}

fn every_type() -> Reply {
    let database = Database::open_default().map_err(|error| format!("{error:?}"))?;
    let values = [
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Text("é".to_owned()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let result = database.execute("SELECT ?1 AS a, ?2 AS b, ?3 AS c, ?4 AS d, ?5 AS e", &values);
    let result = result.map_err(|error| format!("{error:?}"))?;
    Ok(format!("{:?} {:?}", result.columns, result.rows[0].values))
}

/// Adds one to a number by compare-and-set; how often it had to try.
fn add_one() -> Reply {
    let database = Database::open_default().map_err(|error| format!("{error:?}"))?;
    for tries in 1..=10_000 {
        let rows = sql(&database, "SELECT value, version FROM counters WHERE name = 'a'", &[])?;
        let [Value::Integer(value), Value::Integer(version)] = rows[0][..] else { return Err(format!("{rows:?}")) };
        let set =
            "UPDATE counters SET value = ?1, version = version + 1 WHERE name = 'a' AND version = ?2 RETURNING version";
        if !sql(&database, set, &[Value::Integer(value + 1), Value::Integer(version)])?.is_empty() {
            return Ok(tries.to_string());
        }
    }
    Err("never".to_owned())
}

/// Leaves a transaction open, for the host to roll back.
fn unfinished_transaction() -> Reply {
    let database = Database::open_default().map_err(|error| format!("{error:?}"))?;
    sql(&database, "BEGIN IMMEDIATE", &[])?;
    sql(&database, "UPDATE counters SET value = -1 WHERE name = 'a'", &[])?;
    Ok(String::new())
}

/// GET, PUT, DELETE or HEAD (does it exist).
fn key_value(key: &str, request: &Request) -> Reply {
    let failed = |error| format!("{error:?}");
    let store = Store::open_default().map_err(failed)?;
    match request.method() {
        Method::Put => store.set(key, request.body()).map(|()| String::new()).map_err(failed),
        Method::Delete => store.delete(key).map(|()| String::new()).map_err(failed),
        Method::Head => store.exists(key).map_err(failed).and_then(|is| is.then(String::new).ok_or_else(String::new)),
        _ => store.get(key).map(|value| format!("{value:?}")).map_err(failed),
    }
}

fn keys() -> Reply {
    let mut keys = Store::open_default().and_then(|store| store.get_keys()).map_err(|error| format!("{error:?}"))?;
    keys.sort();
    Ok(keys.join(","))
}

/// One command, its words one a line; a word like `#5` is a number.
fn redis(address: &str, command: &str) -> Reply {
    let failed = |error| format!("{error:?}");
    let connection = Redis::open(address).map_err(failed)?;
    let mut words = command.lines();
    let name = words.next().unwrap_or("PING");
    let arguments: Vec<RedisParameter> = words
        .map(|word| match word.strip_prefix('#').and_then(|number| number.parse().ok()) {
            Some(number) => RedisParameter::Int64(number),
            None => RedisParameter::Binary(word.as_bytes().to_vec()),
        })
        .collect();
    let results = connection.execute(name, &arguments).map_err(failed)?;
    let shown = |result: &RedisResult| match result {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Status(text) => format!("status {text}"),
        RedisResult::Int64(number) => format!("int {number}"),
        RedisResult::Binary(bytes) => format!("binary {}", String::from_utf8_lossy(bytes)),
    };
    Ok(results.iter().map(shown).collect::<Vec<_>>().join(", "))
}

/// Every function but `execute`, each once.
fn plain_redis(address: &str) -> Reply {
    let failed = |error| format!("{error:?}");
    let connection = Redis::open(address).map_err(failed)?;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let missing = connection.get("plain").map_err(failed)?;
    connection.set("plain", b"41".as_ref()).map_err(failed)?;
    let number = connection.incr("plain").map_err(failed)?;
    let value = connection.get("plain").map_err(failed)?;
    connection.publish("nobody", b"hears".as_ref()).map_err(failed)?;
    let added = connection.sadd("set", &names(&["a", "b"])).map_err(failed)?;
    let not_a_set = connection.sadd("plain", &names(&["a"]));
    let removed = connection.srem("set", &names(&["b", "c"])).map_err(failed)?;
    let members = connection.smembers("set").map_err(failed)?;
    let deleted = connection.del(&names(&["plain", "set", "none"])).map_err(failed)?;
    Ok(format!("{missing:?} {number} {value:?} {added} {} {removed} {members:?} {deleted}", not_a_set.is_err()))
}

/// Passes the request's method and body on.
async fn fetch(url: &str, request: &Request) -> Reply {
    let request = Request::builder().method(request.method().clone()).uri(url).body(request.body().to_vec()).build();
    let response: Response = spin_sdk::http::send(request).await.map_err(|error| format!("{error:?}"))?;
    Ok(format!("{} {}", response.status(), String::from_utf8_lossy(response.body())))
}

fn sleep(milliseconds: u64) -> String {
    println!("begun");
    std::thread::sleep(Duration::from_millis(milliseconds));
    println!("done");
    String::new()
}

fn spin_for_ever() -> ! {
    println!("begun");
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

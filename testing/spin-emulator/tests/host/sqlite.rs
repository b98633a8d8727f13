//! The database: values, transactions, and several apps on one.

use spin_emulator::{App, Options, SqliteFile};

use crate::probe::{failed, get, ok, post, send, start, until_written};

const COUNTERS: &str = "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER, version INTEGER)
INSERT INTO counters VALUES ('a', 0, 0)";

fn on(sqlite: &SqliteFile) -> Options {
    Options { sqlite: sqlite.clone(), ..Options::default() }
}

/// 200 additions at the same time, over both apps.
async fn add_200(one: &App, two: &App) {
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..200 {
        let app = if number % 2 == 0 { one } else { two };
        let url = format!("{}/sqlite/add", app.origin());
        requests.spawn(async move { send("POST", &url, "").await.unwrap() });
    }
    for (status, text) in requests.join_all().await {
        assert_eq!(status, 200, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compare_and_set_is_exact_over_two_apps_on_one_file() {
    let folder = tempfile::tempdir().unwrap();
    // Two handles: as two processes would have them.
    let path = folder.path().join("new/app.db");
    let (one, two) = (start(on(&SqliteFile::at(&path))).await, start(on(&SqliteFile::at(&path))).await);
    assert_eq!(post(&one, "/sqlite/run", COUNTERS).await.0, 200);
    add_200(&one, &two).await;
    let read = post(&two, "/sqlite/run", "SELECT value, version FROM counters").await;
    assert_eq!(read, ok("[[Value::Integer(200), Value::Integer(200)]]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compare_and_set_is_exact_in_memory() {
    let sqlite = SqliteFile::in_memory();
    let (one, two) = (start(on(&sqlite)).await, start(on(&sqlite)).await);
    assert_eq!(post(&one, "/sqlite/run", COUNTERS).await.0, 200);
    add_200(&one, &two).await;
    let read = post(&two, "/sqlite/run", "SELECT value, version FROM counters").await;
    assert_eq!(read, ok("[[Value::Integer(200), Value::Integer(200)]]"));
}

#[tokio::test]
async fn what_is_stored_outlives_the_app() {
    let sqlite = SqliteFile::in_memory();
    let app = start(on(&sqlite)).await;
    post(&app, "/sqlite/run", COUNTERS).await;
    app.stop().await;
    let app = start(on(&sqlite)).await;
    let read = post(&app, "/sqlite/run", "SELECT name FROM counters").await;
    assert_eq!(read, ok("[[Value::Text(\"a\")]]"));
    let other = start(Options::default()).await;
    let read = post(&other, "/sqlite/run", "SELECT name FROM counters").await;
    assert_eq!(read, failed("Error::Io(\"no such table: counters\")"), "a database of its own");
}

#[tokio::test]
async fn every_type_of_value_comes_back() {
    let app = start(Options::default()).await;
    let values = "[Value::Integer(-9223372036854775808), Value::Real(0.5), Value::Text(\"é\"), Value::Blob([0, 255]), Value::Null]";
    assert_eq!(get(&app, "/sqlite/types").await, ok(&format!("[\"a\", \"b\", \"c\", \"d\", \"e\"] {values}")));
}

#[tokio::test]
async fn only_the_default_database_and_store_are_there() {
    let app = start(Options::default()).await;
    assert_eq!(get(&app, "/sqlite/open/default").await, ok(""));
    assert_eq!(get(&app, "/sqlite/open/other").await, failed("Error::AccessDenied"));
    assert_eq!(get(&app, "/key-value/open/default").await, ok(""));
    assert_eq!(get(&app, "/key-value/open/other").await, failed("Error::AccessDenied"));
}

#[tokio::test]
async fn a_transaction_lasts_as_long_as_its_connection() {
    let app = start(Options::default()).await;
    post(&app, "/sqlite/run", COUNTERS).await;
    let whole = "BEGIN IMMEDIATE\nUPDATE counters SET value = 7\nCOMMIT";
    assert_eq!(post(&app, "/sqlite/run", whole).await.0, 200);
    // Ends without a COMMIT, and does not lock out the next.
    assert_eq!(get(&app, "/sqlite/unfinished").await, ok(""));
    assert_eq!(post(&app, "/sqlite/add", "").await, ok("1"));
    let read = post(&app, "/sqlite/run", "SELECT value FROM counters").await;
    assert_eq!(read, ok("[[Value::Integer(8)]]"));
}

#[tokio::test]
async fn a_stop_rolls_back_what_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteFile::at(&folder.path().join("app.db"));
    let (one, two) = (start(on(&sqlite)).await, start(on(&sqlite)).await);
    post(&one, "/sqlite/run", COUNTERS).await;
    let url = format!("{}/sqlite/held", one.origin());
    let held = tokio::spawn(async move { send("POST", &url, "").await });
    until_written(&one, "begun").await;
    one.stop().await;
    assert!(held.await.unwrap().is_err());
    // Neither locked nor changed.
    assert_eq!(post(&two, "/sqlite/add", "").await, ok("1"));
    let read = post(&two, "/sqlite/run", "SELECT value FROM counters").await;
    assert_eq!(read, ok("[[Value::Integer(1)]]"));
}

#[tokio::test]
async fn key_value_pairs_are_shared_with_the_database() {
    let sqlite = SqliteFile::in_memory();
    let (one, two) = (start(on(&sqlite)).await, start(on(&sqlite)).await);
    let put = |key: &str, value: &str| {
        let (url, value) = (format!("{}/key-value/{key}", one.origin()), value.to_owned());
        async move { send("PUT", &url, &value).await.unwrap().0 }
    };
    assert_eq!(get(&two, "/key-value/b").await, ok("None"));
    assert_eq!((put("b", "1").await, put("a", "").await, put("b", "2").await), (200, 200, 200));
    assert_eq!(get(&two, "/key-value/b").await, ok("Some([50])"));
    assert_eq!(get(&two, "/key-value/a").await, ok("Some([])"));
    assert_eq!(get(&two, "/key-value").await, ok("a,b"));
    let at = |key: &str| format!("{}/key-value/{key}", two.origin());
    assert_eq!(send("HEAD", &at("a"), "").await.unwrap().0, 200);
    assert_eq!(send("DELETE", &at("a"), "").await.unwrap().0, 200);
    assert_eq!(send("DELETE", &at("a"), "").await.unwrap().0, 200);
    assert_eq!(send("HEAD", &at("a"), "").await.unwrap().0, 422);
    assert_eq!(get(&one, "/key-value").await, ok("b"));
}

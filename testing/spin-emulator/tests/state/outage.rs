//! Stores that are away, locked or shut.

use std::time::{Duration, Instant};

use serde_json::json;
use spin_emulator::{Options, RedisServer, SqliteFile};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::store::{StateApp, on_redis, open};
use crate::tls::{authority, server_for};

#[tokio::test]
async fn without_redis_there_are_quick_errors_and_then_it_works_again() {
    let mut redis = RedisServer::start().await.unwrap();
    let app = StateApp::on_redis(&redis, "").await;
    app.put(&open("c", "h", 1), &["remote"]).await;

    redis.stop().unwrap();
    for function in ["handoff", "add_one", "handoff"] {
        let asked = Instant::now();
        let error = app.asked(function, json!(["c", "h"])).await.unwrap_err();
        assert!(error.starts_with("Redis: ") && error.contains("Connection refused"), "{error}");
        // Some milliseconds, and room for a crowded machine.
        assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    }
    redis.start_again().await.unwrap();
    assert_eq!(app.ask("add_one", json!(["c", "h"])).await, 0);
    assert_eq!(app.handoff_of("c", &["counted"]).await, "h");
}

#[tokio::test]
async fn the_store_works_over_tls_and_stores_nothing_with_a_server_that_it_does_not_trust() {
    let (own, other) = (authority(), authority());
    let redis = server_for("127.0.0.1", &own).await;
    let trusting =
        |authority: String| StateApp::start(Options { redis_authorities: Some(authority), ..on_redis(&redis, "") });
    let error = trusting(other.pem()).await.asked("add_one", json!(["c", "h"])).await.unwrap_err();
    assert!(error.starts_with("Redis: invalid peer certificate"), "{error}");
    assert_eq!(redis.dump().await.unwrap(), "");

    let (app, beside) = (trusting(own.pem()).await, trusting(own.pem()).await);
    app.put(&open("c", "h", 1), &["remote"]).await;
    assert_eq!(beside.handoff_of("c", &["remote"]).await, "h");
    assert_eq!(beside.ask("handoff", json!(["c", "h"])).await, open("c", "h", 1));
}

/// One command, its words separated by spaces.
async fn tell(redis: &RedisServer, command: &str) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", redis.port())).await.unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

#[tokio::test]
async fn the_password_is_required_and_never_shown() {
    let redis = RedisServer::start().await.unwrap();
    tell(&redis, "CONFIG SET requirepass correct-horse").await;
    let with = |password: &'static str| StateApp::on_redis(&redis, password);
    assert_eq!(with("correct-horse").await.ask("add_one", json!(["c", "h"])).await, 0);

    let error = with("").await.asked("add_one", json!(["c", "h"])).await.unwrap_err();
    assert!(error.contains("NOAUTH"), "{error}");
    let error = with("battery-staple").await.asked("add_one", json!(["c", "h"])).await.unwrap_err();
    assert_eq!(error, "Redis: the password is wrong");
}

#[tokio::test]
async fn a_redis_that_is_not_allowed_says_where_to_allow_it() {
    let variables = [("redis_url".to_owned(), "redis://:hunter2@127.0.0.1:1".to_owned())].into();
    let app = StateApp::start(Options { variables, ..Options::default() }).await;
    let error = app.asked("connections", json!([])).await.unwrap_err();
    assert!(error.contains("allowed_outbound_hosts") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn what_is_stored_in_sqlite_outlives_the_app() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = || SqliteFile::at(&folder.path().join("app.db"));
    let app = StateApp::start(Options { sqlite: sqlite(), ..Options::default() }).await;
    app.put(&open("c", "h", 1), &["remote"]).await;
    drop(app);
    let app = StateApp::start(Options { sqlite: sqlite(), ..Options::default() }).await;
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, open("c", "h", 1));
    assert_eq!(app.handoff_of("c", &["remote"]).await, "h");
}

#[tokio::test]
async fn tables_whose_making_was_cut_short_are_finished_before_a_handoff_gets_into_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let app = StateApp::start(Options { sqlite: SqliteFile::at(&path), ..Options::default() }).await;
    app.put(&open("c", "h", 1), &["remote"]).await;
    // The last of them are not there yet.
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch("DROP TABLE layout_4; DROP TRIGGER handoff_saved; DROP TRIGGER connection_removed").unwrap();
    app.put(&open("c", "h", 2), &["later"]).await;
    assert_eq!(app.handoff_of("c", &["later"]).await, "h");
}

#[tokio::test]
async fn a_database_from_before_the_inbox_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let app = StateApp::start(Options { sqlite: SqliteFile::at(&path), ..Options::default() }).await;
    app.put(&open("c", "h", 1), &["remote"]).await;
    let database = rusqlite::Connection::open(&path).unwrap();
    let older = "DROP TRIGGER handoff_removed_with_inbox; DROP TRIGGER connection_removed_with_rest; DROP TABLE inbox; DROP TABLE resting";
    database.execute_batch(older).unwrap();
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, open("c", "h", 1));
    let delivery = json!({ "id": "a", "body": "", "received_at": 1 });
    assert_eq!(app.ask("store_delivery", json!(["c", "h", delivery, 5])).await, true);
    assert_eq!(app.due(9, 9).await, json!([["c", "h"]]));
    app.ask("remove_connection", json!(["c"])).await;
    assert_eq!(app.ask("waiting", json!(["c"])).await, 0);
}

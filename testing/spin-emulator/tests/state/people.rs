//! Handoffs by person: found by the end user's id, erased completely, kept for each connection's retention. And the stores'
//! content, compared with the table in `docs/people-data.md`.

use std::collections::BTreeSet;

use rusqlite::Connection as Database;
use serde_json::{Value, json};
use spin_emulator::{RedisServer, SqliteFile};

use crate::store::{StateApp, Store, due_at, now, on_both_stores, open, over};

on_both_stores! {
    a_persons_handoffs_are_found_by_an_id_that_may_hold_anything,
    what_is_erased_leaves_nothing_but_the_number_of_its_lease,
    an_overtaken_instance_erases_nothing,
    each_connection_forgets_at_its_own_time,
    what_cannot_be_read_is_named_and_kept_while_others_are_forgotten,
    all_handoffs_of_a_person_are_found_among_many,
}

fn of(person: &str, mut handoff: Value) -> Value {
    handoff["platform"]["user"] = json!(person);
    handoff
}

async fn found(app: &StateApp, person: &str) -> Vec<String> {
    let found = app.ask("handoffs_of_person", json!(["c", person])).await;
    found.as_array().unwrap().iter().map(|handoff| handoff["id"].as_str().unwrap().to_owned()).collect()
}

async fn erase(app: &StateApp, id: &str) {
    let (_, lease, _) = app.lease("c", id, "close").await;
    assert_eq!(app.ask("erase", json!(["c", id, lease, now()])).await, true);
}

async fn wait(app: &StateApp, id: &str, body: &str) {
    let delivery = json!({ "id": "d-1", "body": body, "received_at": 7 });
    assert_eq!(app.ask("store_delivery", json!(["c", id, delivery, 5])).await, true);
}

async fn a_persons_handoffs_are_found_by_an_id_that_may_hold_anything(store: &Store) {
    let app = store.app().await;
    let people =
        ["ana", "ana ", "Ana", "a\0na", "a", "a\0", "\"x\"", "'; --", "a/b", "é", "\u{1F600}\n", "%_*?[", "null", "7"];
    for (number, person) in people.iter().enumerate() {
        app.put(&of(person, open("c", &format!("open-{number:02}"), 1)), &[]).await;
        app.put(&of(person, over("c", &format!("over-{number:02}"), 2)), &[]).await;
        app.put(&of(person, open("d", "elsewhere", 1)), &[]).await;
    }
    app.put(&over("c", "of-nobody", 1), &[]).await;
    for (number, person) in people.iter().enumerate() {
        assert_eq!(found(&app, person).await, [format!("open-{number:02}"), format!("over-{number:02}")], "{person:?}");
    }
    for nobody in ["an", "anaa", "ana\0", "x", "*"] {
        assert!(found(&app, nobody).await.is_empty(), "{nobody:?}");
    }
    // Another instance may take it.
    app.put(&of("bea", open("c", "open-00", 3)), &[]).await;
    assert_eq!(
        (found(&app, "bea").await, found(&app, "ana").await),
        (vec!["open-00".into()], vec!["over-00".to_owned()])
    );
}

async fn what_is_erased_leaves_nothing_but_the_number_of_its_lease(store: &Store) {
    let app = store.app().await;
    let mut handoff = of("ana", due_at("c", "h", 5));
    handoff["owner"] = json!("human-agent");
    app.put(&handoff, &["fc-1", "channel:x"]).await;
    app.put(&of("bea", open("c", "other", 5)), &["fc-2"]).await;
    wait(&app, "h", "QW5h").await;
    assert_eq!(app.ask("conversations_of", json!(["c", "h"])).await, json!(["channel:x", "fc-1"]));
    assert_eq!(app.ask("deliveries", json!(["c", "h"])).await[0]["body"], "QW5h");

    erase(&app, "h").await;
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, Value::Null);
    assert!(found(&app, "ana").await.is_empty());
    assert_eq!(app.handoff_of("c", &["fc-1", "channel:x"]).await, Value::Null);
    assert_eq!(app.ask("conversations_of", json!(["c", "h"])).await, json!([]));
    assert_eq!(app.ask("deliveries", json!(["c", "h"])).await, json!([]));
    assert_eq!(app.ask("waiting", json!(["c"])).await, 0);
    assert_eq!(app.due(u64::MAX, 9).await, json!([]));
    assert_eq!(app.open("c", 9).await, ["other"]);
    assert_eq!(app.handoff_of("c", &["fc-2"]).await, "other");
    // The conversation can start afresh, with an unused number.
    assert_eq!(app.lease("c", "h", "").await, (Value::Null, 3, json!([])));
    app.ask("give_back", json!(["c", "h", 3])).await;
    // In the end even that goes.
    app.ask("forget", json!([now() + 1])).await;
    assert_eq!(app.lease("c", "h", "").await.1, 1);
}

async fn an_overtaken_instance_erases_nothing(store: &Store) {
    let app = store.app().await;
    let handoff = of("ana", open("c", "h", 1));
    app.put(&handoff, &["fc-1"]).await;
    assert_eq!(app.ask("erase", json!(["c", "h", 7, now()])).await, false);
    assert_eq!(app.ask("erase", json!(["c", "none", 1, now()])).await, false);
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, handoff);
    let (_, lease, _) = app.lease("c", "h", "").await;
    assert_eq!(app.ask("erase", json!(["c", "h", lease, now()])).await, true);
    assert_eq!(app.ask("save", json!([handoff, ["fc-1"], [], lease - 1])).await, false);
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, Value::Null);
}

async fn each_connection_forgets_at_its_own_time(store: &Store) {
    let app = store.app().await;
    for connection in ["short", "usual", "long"] {
        for at in [10, 20, 30] {
            app.put(&over(connection, &format!("at-{at}"), at), &[]).await;
        }
        app.put(&open(connection, "open", 1), &[]).await;
    }
    app.ask("forget_each", json!([20, [["short", 31], ["long", 5]]])).await;
    for (connection, left) in [("short", [false, false, false]), ("usual", [false, true, true]), ("long", [true; 3])] {
        for (at, is_there) in [10, 20, 30].into_iter().zip(left) {
            let found = app.ask("handoff", json!([connection, format!("at-{at}")])).await;
            assert_eq!(!found.is_null(), is_there, "{connection} {at}");
        }
        assert_eq!(app.open(connection, 9).await, ["open"]);
    }
}

async fn what_cannot_be_read_is_named_and_kept_while_others_are_forgotten(store: &Store) {
    let (one, other) = ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let app = store.app_with_keys(one, "").await;
    app.ask("save_connection", json!([connection("lost")])).await;
    let app = store.app_with_keys(other, "").await;
    app.ask("save_connection", json!([connection("found")])).await;
    for name in ["lost", "found"] {
        app.put(&over(name, "h", 10), &["remote"]).await;
    }
    let each = app.ask("each_connection", json!([])).await;
    assert_eq!((&each[0], &each[1][0]), (&json!(["found", { "Ok": connection("found") }]), &json!("lost")));
    assert!(each[1][1]["Err"].as_str().unwrap().contains("encryption_key"), "{each}");
    assert!(app.asked("connections", json!([])).await.is_err(), "who needs all of them is not given a part");
    // As in `tick`: unreadable connections keep everything.
    app.ask("forget_each", json!([20, [["lost", 0]]])).await;
    assert_eq!(app.ask("handoff", json!(["found", "h"])).await, Value::Null);
    assert_eq!(app.ask("handoff", json!(["lost", "h"])).await, over("lost", "h", 10));
    assert_eq!(app.handoff_of("lost", &["remote"]).await, "h");
}

fn connection(id: &str) -> Value {
    json!({
        "id": id, "settings": "{}", "account": null, "connected": true, "checked_at": 1, "key_since": 1,
        "platform": { "kind": "generic", "callback_url": "https://platform.example/events", "secret": "s" }, "webhook_secret": "w", "forward_url": null, "findings": [],
    })
}

/// More than are processed in one pass.
async fn all_handoffs_of_a_person_are_found_among_many(store: &Store) {
    let app = store.app().await;
    for number in 0..700 {
        let person = if number % 100 == 50 { "ana".to_owned() } else { format!("p-{number}") };
        app.put(&of(&person, over("c", &format!("h-{number:03}"), 1)), &[]).await;
    }
    assert_eq!(found(&app, "ana").await.len(), 7);
}

/// A connection to the Redis of a test.
async fn raw(server: &RedisServer) -> ::redis::aio::MultiplexedConnection {
    ::redis::Client::open(server.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_sqlite_is_migrated_without_losing_people() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let app = StateApp::start(spin_emulator::Options { sqlite: SqliteFile::at(&file), ..Default::default() }).await;
    app.put(&of("ana", open("c", "h", 1)), &["fc-1"]).await;
    wait(&app, "h", "QW5h").await;
    // As the version before left it.
    let database = Database::open(&file).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER handoff_erased; DROP INDEX handoffs_of_person; DROP INDEX handoffs_over_of;
             DROP TABLE layout_4; DROP VIEW tallied; DROP TABLE log; DROP TRIGGER handoff_removed_with_log;
             DROP TRIGGER handoff_erased_with_log; DROP TRIGGER connection_removed_with_log; CREATE TABLE layout_1 (complete INTEGER);",
        )
        .unwrap();
    assert_eq!(found(&app, "ana").await, ["h"]);
    erase(&app, "h").await;
    assert!(found(&app, "ana").await.is_empty());
    let left =
        |table: &str| database.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    assert_eq!((left("conversations").unwrap(), left("inbox").unwrap()), (0, 0));
    let plan: String = database
        .query_row(
            "EXPLAIN QUERY PLAN SELECT handoff FROM handoffs WHERE connection = 'c' AND handoff -> '$.platform.user' = '\"ana\"'",
            [],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.contains("handoffs_of_person"), "{plan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_in_an_older_redis_are_found() {
    let server = RedisServer::start().await.unwrap();
    let app = StateApp::on_redis(&server, "").await;
    app.put(&of("ana\0", open("c", "h", 1)), &["fc-1"]).await;
    app.put(&over("c", "of-nobody", 1), &[]).await;
    let mut redis = raw(&server).await;
    for id in ["h", "of-nobody"] {
        let removed: u32 = ::redis::cmd("HDEL")
            .arg(format!("fwh:handoff/c/{id}"))
            .arg("person")
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(removed, 1, "as the version before left it");
    }
    assert_eq!(found(&app, "ana\0").await, ["h"]);
    erase(&app, "h").await;
    assert!(found(&app, "ana\0").await.is_empty());
}

/// The names in the first cells of the table between these marks.
fn documented(mark: &str) -> BTreeSet<String> {
    let text = include_str!("../../../../docs/people-data.md");
    let (_, rest) = text.split_once(&format!("<!-- {mark} -->")).unwrap();
    let (table, _) = rest.split_once(&format!("<!-- end {mark} -->")).unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Something of everything.
async fn fill(app: &StateApp) {
    app.ask("save_connection", json!([connection("c")])).await;
    app.put(&of("ana", due_at("c", "h", 5)), &["fc-1"]).await;
    app.put(&of("ana", open("c", "open", 5)), &["fc-2"]).await;
    wait(app, "h", "QW5h").await;
    app.ask("count", json!(["c", [["handoffs", 1]], now()])).await;
    let logged = |id: &str, result: &str| {
        json!({
            "id": id, "handoff": "h", "first_at": now(), "at": now(), "tries": 1, "direction": "out", "party": "platform",
            "kind": "agent-message", "result": result, "why": "", "ms": 1,
        })
    };
    app.ask("keep_log", json!(["c", [logged("good", "done"), logged("bad", "failed")], now()])).await;
    app.put(&of("ana", over("c", "ended", 5)), &[]).await;
    app.ask("rest", json!(["c", [1, 2]])).await;
    app.lease("c", "begun", "handoff").await;
    let record = json!({ "name": "n", "value": "v", "expires_at": now() + 60_000 });
    app.ask("put_record", json!(["token", record, now(), false])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_of_sqlite_is_in_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let app = StateApp::start(spin_emulator::Options { sqlite: SqliteFile::at(&file), ..Default::default() }).await;
    fill(&app).await;
    let database = Database::open(&file).unwrap();
    let mut columns = database
        .prepare(
            "SELECT m.name || '.' || c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'layout_%'",
        )
        .unwrap();
    let columns: BTreeSet<String> = columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(columns.len() > 20, "{columns:?}");
    assert_eq!(documented("sqlite"), columns);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_of_redis_is_in_the_table() {
    let server = RedisServer::start().await.unwrap();
    let app = StateApp::on_redis(&server, "").await;
    fill(&app).await;
    let mut redis = raw(&server).await;
    let keys: Vec<String> = ::redis::cmd("KEYS").arg("*").query_async(&mut redis).await.unwrap();
    let template = |key: &String| {
        let parts: Vec<&str> = key.split('/').collect();
        parts
            .iter()
            .zip(if parts[0].starts_with("fwh:record") {
                ["", "/{kind}", "/{name}"]
            } else {
                ["", "/{connection}", "/{handoff}"]
            })
            .map(|(part, name)| if name.is_empty() { part } else { name })
            .collect()
    };
    let mut found: BTreeSet<String> = keys.iter().map(template).collect();
    // The one key whose fields are columns.
    let fields: Vec<String> = ::redis::cmd("HKEYS").arg("fwh:handoff/c/h").query_async(&mut redis).await.unwrap();
    found.extend(fields.into_iter().map(|field| format!("fwh:handoff/{{connection}}/{{handoff}} {field}")));
    found.remove("fwh:handoff/{connection}/{handoff}");
    assert_eq!(documented("redis"), found);
}

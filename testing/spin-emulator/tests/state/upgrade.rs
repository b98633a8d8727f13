//! Stores that earlier versions have written (`fixtures/state`), read and gone on with.

use serde_json::{Value, json};

use crate::store::{StateApp, Store, now, on_both_stores};

on_both_stores! {
    a_store_of_the_first_bridge_is_read_and_continues,
    a_store_of_the_previous_version_is_read_and_continues,
}

/// The key of the recorded bridges.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// After everything that was recorded.
const LATER: u64 = 1_900_000_000_000;

async fn restore(store: &Store, sqlite: &str, redis: &str) -> StateApp {
    match store {
        Store::Sqlite(file) => file.run(sqlite).unwrap(),
        Store::Redis(server) => {
            for line in redis.lines() {
                server.run(&serde_json::from_str::<Vec<String>>(line).unwrap()).await.unwrap();
            }
        }
    }
    store.app_with_keys(KEY, "").await
}

/// Before there were an inbox, records, encryption and an index by person.
async fn a_store_of_the_first_bridge_is_read_and_continues(store: &Store) {
    let recorded = [
        include_str!("../../../../fixtures/state/2026-11-24/sqlite.sql"),
        include_str!("../../../../fixtures/state/2026-11-24/redis.jsonl"),
    ];
    let app = restore(store, recorded[0], recorded[1]).await;
    assert!(store.dump().await.contains("simulator-api-key"), "it was written without encryption");
    goes_on(store, &app).await;
}

async fn a_store_of_the_previous_version_is_read_and_continues(store: &Store) {
    let recorded = [
        include_str!("../../../../fixtures/state/2026-11-27/sqlite.sql"),
        include_str!("../../../../fixtures/state/2026-11-27/redis.jsonl"),
    ];
    let app = restore(store, recorded[0], recorded[1]).await;
    assert!(!store.dump().await.contains("simulator-api-key"));
    let tokens = app.ask("records", json!(["token", now(), 10])).await;
    assert_eq!(tokens.as_array().map(Vec::len), Some(1), "{tokens}");
    goes_on(store, &app).await;
}

async fn goes_on(store: &Store, app: &StateApp) {
    let all = app.ask("connections", json!([])).await;
    let names: Vec<&Value> = all.as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(names, ["acme", "shop"]);
    assert!(all[1]["settings"].as_str().unwrap().contains("simulator-api-key"));
    assert!(!app.ask("counts", json!(["shop"])).await.as_array().unwrap().is_empty());

    let open = app.ask("open_handoffs", json!(["shop", 10])).await;
    let [open] = &open.as_array().unwrap()[..] else { panic!("{open}") };
    let id = open["id"].as_str().unwrap();
    let conversations = app.ask("conversations_of", json!(["shop", id])).await;
    let first = conversations[0].as_str().unwrap();
    assert_eq!(app.ask("handoff_of", json!(["shop", [first]])).await, id);
    assert_eq!(app.ask("handoffs_of_person", json!(["shop", "user-open"])).await[0]["id"], id);
    assert!(app.due(LATER, 10).await.as_array().unwrap().contains(&json!(["shop", id])));

    // Everything that a call does: lease, save, a webhook that waits, the end.
    let (stored, lease, unsure) = app.lease("shop", id, "").await;
    assert_eq!((&stored, unsure), (open, json!([])));
    let mut changed = stored;
    changed["updated_at"] = json!(now());
    assert_eq!(app.ask("save", json!([changed, [first, "new"], [], lease])).await, true);
    let delivery = json!({ "id": "d", "body": "AP97", "received_at": 7 });
    assert_eq!(app.ask("store_delivery", json!(["shop", id, delivery, 9])).await, true);
    assert_eq!(app.ask("oldest_waiting", json!(["shop"])).await, 7);
    assert_eq!(app.ask("handoff_of", json!(["shop", ["new"]])).await, id);
    app.ask("reseal", json!([])).await;
    assert!(!store.dump().await.contains("simulator-api-key"), "what was stored without encryption is encrypted");
    assert_eq!(app.ask("connections", json!([])).await, all);

    app.ask("remove_connection", json!(["shop"])).await;
    assert_eq!(app.ask("handoff", json!(["shop", id])).await, Value::Null);
    assert_eq!(app.ask("handoff_of", json!(["shop", [first]])).await, Value::Null);
}

//! Connections and their data.

use serde_json::{Value, json};

use crate::store::{Store, due_at, now, on_both_stores, open, over};

on_both_stores! {
    a_connection_comes_back_as_it_was_saved,
    removing_a_connection_takes_all_of_it_and_nothing_of_another,
    what_belongs_to_no_connection_can_be_removed,
    counts_add_up_and_go_with_their_connection,
}

fn connection(id: &str) -> Value {
    json!({
        "id": id, "settings": "{\"key\":\"a\\u0000'\"}", "account": null, "connected": true, "checked_at": 1_700_000_000_000_u64,
        "key_since": 1,
        "platform": { "kind": "generic", "callback_url": "https://platform.example/events", "secret": "x\0'\"" }, "webhook_secret": "s", "forward_url": "https://other.example/",
        "findings": [{ "check": "topic" }],
    })
}

async fn a_connection_comes_back_as_it_was_saved(store: &Store) {
    let app = store.app().await;
    for id in ["b", "a", "a.1", "c"] {
        assert_eq!(app.ask("save_connection", json!([connection(id)])).await, Value::Null);
    }
    let mut changed = connection("a");
    changed["account"] = json!("acme");
    app.ask("save_connection", json!([changed])).await;
    assert_eq!(app.ask("connection", json!(["a"])).await, changed);
    assert_eq!(app.ask("connection", json!(["A"])).await, Value::Null);
    let all = json!([changed, connection("a.1"), connection("b"), connection("c")]);
    assert_eq!(store.app().await.ask("connections", json!([])).await, all);
}

async fn removing_a_connection_takes_all_of_it_and_nothing_of_another(store: &Store) {
    let app = store.app().await;
    // One is a prefix of the other.
    let names = ["team", "team-1", "team:h", "tea", "team."];
    for name in names {
        app.ask("save_connection", json!([connection(name)])).await;
        app.put(&open(name, "h", 1), &["remote", "h"]).await;
        app.put(&over(name, "h:over", 1), &["over"]).await;
        app.put(&due_at(name, "due", 7), &[]).await;
        app.lease(name, "leased", "begin").await;
    }
    app.ask("remove_connection", json!(["team"])).await;
    for name in names {
        let stays = name != "team";
        assert_eq!(!app.ask("connection", json!([name])).await.is_null(), stays, "{name}");
        for id in ["h", "h:over", "due"] {
            assert_eq!(!app.ask("handoff", json!([name, id])).await.is_null(), stays, "{name} {id}");
        }
        for conversation in ["remote", "h", "over"] {
            assert_eq!(!app.handoff_of(name, &[conversation]).await.is_null(), stays, "{name} {conversation}");
        }
        assert_eq!(!app.open(name, 9).await.is_empty(), stays, "{name}");
        let leased = app.ask("save", json!([over(name, "leased", 1), [], [], 1])).await;
        assert_eq!(leased, stays, "{name}");
    }
    let due = app.due(7, 9).await;
    assert_eq!(due, json!([["tea", "due"], ["team-1", "due"], ["team.", "due"], ["team:h", "due"]]));

    // The name can be reused, and nothing is left of the former connection.
    app.ask("save_connection", json!([connection("team")])).await;
    assert_eq!(app.lease("team", "h", "").await, (Value::Null, 1, json!([])));
    app.ask("forget", json!([now() - 60_000])).await;
    assert_eq!(app.ask("handoff", json!(["tea", "h"])).await, open("tea", "h", 1));
}

async fn what_belongs_to_no_connection_can_be_removed(store: &Store) {
    let app = store.app().await;
    app.put(&open("gone", "h", 1), &["remote"]).await;
    app.ask("remove_connection", json!(["gone"])).await;
    assert_eq!(app.ask("handoff", json!(["gone", "h"])).await, Value::Null);
    assert_eq!(app.handoff_of("gone", &["remote"]).await, Value::Null);
}

async fn counts_add_up_and_go_with_their_connection(store: &Store) {
    let (app, other) = (store.app().await, store.app().await);
    for name in ["acme", "acme-2"] {
        app.ask("save_connection", json!([connection(name)])).await;
    }
    app.ask("count", json!(["acme", [["deliveries|accepted", 1], ["delivery_ms|25", 3]], 7])).await;
    app.ask("count", json!(["acme", [["deliveries|accepted", 2]], 9])).await;
    app.ask("count", json!(["acme", [], 10])).await;
    // The connection was removed or never existed.
    app.ask("count", json!(["none", [["deliveries|accepted", 1]], 9])).await;
    let counted = json!([
        { "name": "deliveries|accepted", "value": 3, "at": 9 },
        { "name": "delivery_ms|25", "value": 3, "at": 7 },
    ]);
    assert_eq!(other.ask("counts", json!(["acme"])).await, counted);
    for empty in ["acme-2", "none"] {
        assert_eq!(other.ask("counts", json!([empty])).await, json!([]));
    }
    app.ask("remove_connection", json!(["acme"])).await;
    app.ask("save_connection", json!([connection("acme")])).await;
    assert_eq!(app.ask("counts", json!(["acme"])).await, json!([]));
}

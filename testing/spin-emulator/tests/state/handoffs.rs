//! Storing and finding handoffs.

use serde_json::{Value, json};

use crate::store::{Store, due_at, now, on_both_stores, open, over};

on_both_stores! {
    an_empty_store_answers,
    a_handoff_comes_back_as_it_was_saved,
    any_text_and_a_large_session_are_kept,
    what_is_due_comes_longest_overdue_first,
    open_handoffs_come_newest_change_first,
    the_first_known_conversation_names_the_handoff,
    a_conversation_can_go_to_another_handoff,
    ended_and_old_handoffs_are_forgotten_with_their_conversations,
    what_is_leased_is_not_forgotten,
    a_forgotten_handoff_can_start_afresh,
}

async fn an_empty_store_answers(store: &Store) {
    let app = store.app().await;
    assert_eq!(app.ask("connection", json!(["c"])).await, Value::Null);
    assert_eq!(app.ask("connections", json!([])).await, json!([]));
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, Value::Null);
    assert_eq!(app.due(u64::MAX, 9).await, json!([]));
    assert!(app.open("c", 9).await.is_empty());
    assert_eq!(app.handoff_of("c", &["x"]).await, Value::Null);
    assert_eq!(app.handoff_of("c", &[]).await, Value::Null);
    assert_eq!(app.ask("save", json!([over("c", "h", 1), ["x"], [], 1])).await, false);
    assert_eq!(app.ask("renew", json!(["c", "h", 1, 1, 1])).await, false);
    for (function, arguments) in
        [("give_back", json!(["c", "h", 1])), ("forget", json!([now()])), ("remove_connection", json!(["c"]))]
    {
        assert_eq!(app.ask(function, arguments).await, Value::Null);
    }
}

async fn a_handoff_comes_back_as_it_was_saved(store: &Store) {
    let app = store.app().await;
    let (_, lease, _) = app.lease("c", "h", "begin").await;
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, Value::Null, "nothing is saved yet");
    let mut handoff = open("c", "h", now());
    handoff["session"] = json!("AP8=");
    handoff["next_tick_at"] = json!(now() + 1);
    handoff["seen"] = json!(["a", "b"]);
    handoff["platform"]["members"] = json!(["agent"]);
    assert_eq!(app.ask("save", json!([handoff, [], [], lease])).await, true);
    assert_eq!(store.app().await.ask("handoff", json!(["c", "h"])).await, handoff);
    assert_eq!(app.ask("handoff", json!(["c", "H"])).await, Value::Null);
}

async fn any_text_and_a_large_session_are_kept(store: &Store) {
    let app = store.app().await;
    let nasty = [
        "a\0b",
        "a",
        "a\0",
        "\0",
        "",
        "'; DROP TABLE handoffs; --",
        "\"x\"",
        "é\u{1F600}",
        "a/b",
        "a\nb",
        "%_*?[",
        "[\"a\"]",
    ];
    for (number, conversation) in nasty.iter().enumerate() {
        let id = format!("h{number}");
        let mut handoff = open("c", &id, 1);
        handoff["key"]["conversation"] = json!(conversation);
        handoff["platform"]["pending"] = json!(nasty.concat());
        app.put(&handoff, &[conversation]).await;
        assert_eq!(app.ask("handoff", json!(["c", id])).await, handoff);
    }
    for (number, conversation) in nasty.iter().enumerate() {
        assert_eq!(app.handoff_of("c", &[conversation]).await, format!("h{number}"), "{conversation:?}");
    }
    assert_eq!(app.handoff_of("c", &["a\0c"]).await, Value::Null);

    let mut large = open("c", "large", 1);
    // A million bytes of session, as Base64.
    large["session"] = json!(format!("{}AA==", "AAEC".repeat(333_333)));
    app.put(&large, &[]).await;
    assert_eq!(app.ask("handoff", json!(["c", "large"])).await, large);
    assert_eq!(app.lease("c", "large", "").await.0, large);
}

async fn what_is_due_comes_longest_overdue_first(store: &Store) {
    let app = store.app().await;
    let later = 2_000_000_000_000;
    for (id, at) in [("b", 20), ("c", 30), ("a", 10), ("z", later)] {
        app.put(&due_at("c", id, at), &[]).await;
    }
    app.put(&due_at("d", "x", 15), &[]).await;
    app.put(&over("c", "never", 1), &[]).await;
    assert_eq!(app.due(9, 9).await, json!([]));
    assert_eq!(app.due(20, 9).await, json!([["c", "a"], ["d", "x"], ["c", "b"]]));
    assert_eq!(app.due(30, 2).await, json!([["c", "a"], ["d", "x"]]));
    assert_eq!(app.due(30, 0).await, json!([]));
    assert_eq!(app.due(later - 1, 9).await.as_array().unwrap().len(), 4);
    assert_eq!(app.due(later, 9).await.as_array().unwrap().len(), 5);

    app.put(&due_at("c", "a", 25), &[]).await;
    app.put(&over("d", "x", 1), &[]).await;
    assert_eq!(app.due(30, 9).await, json!([["c", "b"], ["c", "a"], ["c", "c"]]));
}

async fn open_handoffs_come_newest_change_first(store: &Store) {
    let app = store.app().await;
    for (id, at) in [("b", 20), ("c", 30), ("a", 10)] {
        app.put(&open("c", id, at), &[]).await;
    }
    app.put(&open("d", "x", 15), &[]).await;
    app.put(&over("c", "over", 50), &[]).await;
    assert_eq!(app.open("c", 9).await, ["c", "b", "a"]);
    assert_eq!(app.open("c", 2).await, ["c", "b"]);
    assert!(app.open("c", 0).await.is_empty());
    app.put(&open("c", "a", 40), &[]).await;
    app.put(&over("c", "c", 41), &[]).await;
    assert_eq!(app.open("c", 9).await, ["a", "b"]);
    assert_eq!(app.open("d", 9).await, ["x"]);
}

async fn the_first_known_conversation_names_the_handoff(store: &Store) {
    let app = store.app().await;
    app.put(&open("c", "one", 1), &["1", "first"]).await;
    app.put(&open("c", "two", 1), &["2"]).await;
    app.put(&open("d", "three", 1), &["3"]).await;
    assert_eq!(app.handoff_of("c", &["none", "2", "1"]).await, "two");
    assert_eq!(app.handoff_of("c", &["1", "2"]).await, "one");
    assert_eq!(app.handoff_of("c", &["3", "none"]).await, Value::Null, "another connection's");
    assert_eq!(app.handoff_of("d", &["3"]).await, "three");
    // In addition to the previous ones.
    app.put(&open("c", "one", 2), &["later"]).await;
    assert_eq!(app.handoff_of("c", &["later"]).await, "one");
    assert_eq!(app.handoff_of("c", &["first"]).await, "one");
    let many: Vec<String> = (0..9_000).map(|number| format!("many-{number}")).collect();
    let (_, lease, _) = app.lease("c", "one", "").await;
    assert_eq!(app.ask("save", json!([open("c", "one", 3), many, [], lease])).await, true);
    assert_eq!(app.ask("handoff_of", json!(["c", many])).await, "one");
}

async fn a_conversation_can_go_to_another_handoff(store: &Store) {
    let app = store.app().await;
    app.put(&over("c", "old", 1), &["remote", "own"]).await;
    app.put(&over("c", "new", 100), &["remote"]).await;
    assert_eq!(app.handoff_of("c", &["remote"]).await, "new");
    app.ask("forget", json!([50])).await;
    assert_eq!(app.handoff_of("c", &["own"]).await, Value::Null);
    assert_eq!(app.handoff_of("c", &["remote"]).await, "new", "it is not the old one's any more");
}

async fn ended_and_old_handoffs_are_forgotten_with_their_conversations(store: &Store) {
    let app = store.app().await;
    app.put(&over("c", "old", 10), &["old"]).await;
    app.put(&over("c", "new", 20), &["new"]).await;
    app.put(&open("c", "open", 10), &["open"]).await;
    app.put(&due_at("c", "due", 10), &["due"]).await;
    app.put(&over("d", "old", 19), &["old"]).await;
    app.ask("forget", json!([20])).await;
    for (id, is_there) in [("old", false), ("new", true), ("open", true), ("due", true)] {
        assert_eq!(!app.ask("handoff", json!(["c", id])).await.is_null(), is_there, "{id}");
        assert_eq!(!app.handoff_of("c", &[id]).await.is_null(), is_there, "{id}");
    }
    assert_eq!(app.ask("handoff", json!(["d", "old"])).await, Value::Null);

    // Ended, then reopened.
    app.put(&open("c", "new", 20), &[]).await;
    app.ask("forget", json!([now()])).await;
    assert_eq!(app.ask("handoff", json!(["c", "new"])).await, open("c", "new", 20));
}

async fn what_is_leased_is_not_forgotten(store: &Store) {
    let app = store.app().await;
    app.put(&over("c", "h", 10), &["remote"]).await;
    let (_, lease, _) = app.lease("c", "h", "begin").await;
    let (_, fresh, _) = app.lease("c", "fresh", "begin").await;
    app.ask("forget", json!([now()])).await;
    assert_eq!(app.ask("save", json!([over("c", "h", 11), [], [], lease])).await, true);
    assert_eq!(app.ask("save", json!([over("c", "fresh", 11), [], [], fresh])).await, true);
    assert_eq!(app.handoff_of("c", &["remote"]).await, "h");
    app.ask("forget", json!([now()])).await;
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, Value::Null);
}

async fn a_forgotten_handoff_can_start_afresh(store: &Store) {
    let app = store.app().await;
    app.put(&over("c", "h", 10), &["remote"]).await;
    app.ask("forget", json!([11])).await;
    assert_eq!(app.lease("c", "h", "").await, (Value::Null, 1, json!([])));
    // Never saved: it is as if it had never been.
    app.ask("give_back", json!(["c", "h", 1])).await;
    app.ask("forget", json!([now() + 1])).await;
    assert_eq!(app.lease("c", "h", "").await.1, 1);
}

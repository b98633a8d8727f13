//! Deliveries waiting to be processed, and their order.

use serde_json::{Value, json};

use crate::store::{StateApp, Store, due_at, now, on_both_stores, open, over};

on_both_stores! {
    deliveries_come_in_the_order_in_which_they_were_stored,
    the_same_delivery_waits_once,
    a_lease_brings_the_oldest_delivery_and_a_save_takes_what_it_worked_off,
    a_lease_of_what_must_exist_makes_nothing,
    nothing_waits_for_a_handoff_that_is_not_there,
    there_is_room_for_so_many_and_so_much,
    one_account_does_not_shut_out_another,
    deliveries_that_wait_too_long_are_due_and_can_be_postponed,
    what_waits_goes_with_its_handoff_and_its_connection,
    the_age_of_the_oldest_is_known,
    connections_take_turns,
    a_connection_that_rests_comes_last_with_one_handoff,
    a_record_from_before_the_inbox_is_read,
}

fn delivery(id: &str) -> Value {
    json!({ "id": id, "body": "AP97", "received_at": 7 })
}

async fn stored(app: &StateApp, connection: &str, handoff: &str, id: &str, due_at: u64) -> Value {
    app.ask("store_delivery", json!([connection, handoff, delivery(id), due_at])).await
}

/// The id of the next one, when this one is done.
async fn next(app: &StateApp, handoff: &str, done: Option<&str>) -> Value {
    app.ask("next_delivery", json!(["c", handoff, done])).await["id"].clone()
}

async fn waiting(app: &StateApp, connection: &str) -> Value {
    app.ask("waiting", json!([connection])).await
}

async fn deliveries_come_in_the_order_in_which_they_were_stored(store: &Store) {
    let (one, two) = (store.app().await, store.app().await);
    one.put(&open("c", "h", 1), &[]).await;
    one.put(&open("c", "other", 1), &[]).await;
    for id in ["b", "a", "c"] {
        assert_eq!(stored(&one, "c", "h", id, 1).await, true);
    }
    assert_eq!(stored(&one, "c", "other", "z", 1).await, true);
    assert_eq!(two.ask("next_delivery", json!(["c", "h", null])).await, delivery("b"), "as it was stored");
    assert_eq!(next(&two, "h", None).await, "b", "until it is done");
    assert_eq!(next(&two, "h", Some("b")).await, "a");
    assert_eq!(next(&one, "h", Some("b")).await, "a", "done twice is done");
    assert_eq!(waiting(&one, "c").await, 3);
    assert_eq!(next(&one, "h", Some("a")).await, "c");
    assert_eq!(next(&one, "h", Some("c")).await, Value::Null);
    assert_eq!(next(&one, "other", None).await, "z");
    assert_eq!(waiting(&one, "c").await, 1);
}

/// Of a handoff that must exist: the number of the lease, and the id of the delivery that waits.
async fn lease_known(app: &StateApp, id: &str) -> Option<(u64, Value)> {
    let taken = app.ask("lease_known", json!(["c", id, now(), 60_000])).await;
    Some((taken[0].as_u64()?, taken[1]["id"].clone()))
}

async fn a_lease_brings_the_oldest_delivery_and_a_save_takes_what_it_worked_off(store: &Store) {
    let app = store.app().await;
    let mut handoff = open("c", "h", 1);
    for id in ["h", "other"] {
        app.put(&open("c", id, 1), &[]).await;
        for delivery in ["a", "b"] {
            assert_eq!(stored(&app, "c", id, delivery, 1).await, true);
        }
    }
    let (lease, oldest) = lease_known(&app, "h").await.unwrap();
    assert_eq!(oldest, "a");
    assert_eq!(app.ask("save_and_look", json!([handoff, lease])).await, true, "nothing was worked off");
    let (lease, _) = lease_known(&app, "h").await.unwrap();
    handoff["worked_off"] = json!(["long-gone", "a"]);
    assert_eq!(app.ask("save_and_look", json!([handoff, lease])).await, true, "another waits");
    assert_eq!(app.ask("save_and_look", json!([handoff, lease + 1])).await, Value::Null, "overtaken");
    let (lease, oldest) = lease_known(&app, "h").await.unwrap();
    assert_eq!(oldest, "b");
    handoff["worked_off"] = json!(["a", "b"]);
    assert_eq!(app.ask("save_and_look", json!([handoff, lease])).await, false);
    assert_eq!(lease_known(&app, "h").await.unwrap().1, Value::Null);
    assert_eq!(waiting(&app, "c").await, 2, "those of the other handoff");
    assert_eq!(app.ask("deliveries", json!(["c", "other"])).await.as_array().unwrap().len(), 2);
}

async fn a_lease_of_what_must_exist_makes_nothing(store: &Store) {
    let app = store.app().await;
    assert_eq!(lease_known(&app, "h").await, None);
    let (_, first, _) = app.lease("c", "h", "").await;
    assert_eq!(first, 1, "nothing was made");
    assert_eq!(lease_known(&app, "h").await, None, "a lease alone is no handoff");
    assert_eq!(app.ask("save", json!([open("c", "h", 1), [], [], first])).await, true);
    assert_eq!(lease_known(&app, "h").await, Some((2, Value::Null)));
    assert_eq!(lease_known(&app, "h").await, None, "it is taken");
}

async fn the_age_of_the_oldest_is_known(store: &Store) {
    let app = store.app().await;
    assert_eq!(app.ask("oldest_waiting", json!(["c"])).await, Value::Null);
    for (connection, handoff, at) in [("c", "h", 30), ("c", "g", 40), ("c-1", "h", 20)] {
        app.put(&open(connection, handoff, 1), &[]).await;
        let delivery = json!({ "id": "d", "body": "AP97", "received_at": at });
        app.ask("store_delivery", json!([connection, handoff, delivery, 100 - at])).await;
    }
    assert_eq!(app.ask("oldest_waiting", json!(["c"])).await, 30);
    assert_eq!(next(&app, "h", Some("d")).await, Value::Null);
    assert_eq!(app.ask("oldest_waiting", json!(["c"])).await, 40);
}

async fn the_same_delivery_waits_once(store: &Store) {
    let app = store.app().await;
    app.put(&open("c", "h", 1), &[]).await;
    for id in ["a", "b", "a"] {
        assert_eq!(stored(&app, "c", "h", id, 1).await, true);
    }
    assert_eq!(waiting(&app, "c").await, 2);
    assert_eq!(next(&app, "h", Some("a")).await, "b");
    assert_eq!(next(&app, "h", Some("b")).await, Value::Null);
}

async fn nothing_waits_for_a_handoff_that_is_not_there(store: &Store) {
    let app = store.app().await;
    assert_eq!(stored(&app, "c", "h", "a", 1).await, false);
    assert_eq!((next(&app, "h", None).await, waiting(&app, "c").await), (Value::Null, json!(0)));
}

async fn there_is_room_for_so_many_and_so_much(store: &Store) {
    let app = store.app().await;
    app.put(&open("c", "many", 1), &[]).await;
    app.put(&open("c", "large", 1), &[]).await;
    assert_eq!(app.ask("store_many", json!(["c", "many", 0, 1_005, 1])).await, 1_000);
    assert_eq!(next(&app, "many", Some("0")).await, "1");
    assert_eq!(app.ask("store_many", json!(["c", "many", 2_000, 2_002, 1])).await, 1, "what is done leaves room");
    // 3 MiB are 4 as they are stored, and a little.
    assert_eq!(app.ask("store_many", json!(["c", "large", 0, 5, 3 << 20])).await, 3);
    assert_eq!(waiting(&app, "c").await, 1_003);
}

async fn one_account_does_not_shut_out_another(store: &Store) {
    let app = store.app().await;
    for number in 0..11 {
        app.put(&open("c", &format!("h{number}"), 1), &[]).await;
        app.ask("store_many", json!(["c", format!("h{number}"), 0, 1_000, 1])).await;
    }
    assert_eq!(waiting(&app, "c").await, 10_000);
    app.put(&open("d", "h", 1), &[]).await;
    assert_eq!(stored(&app, "d", "h", "a", 1).await, true);
}

async fn deliveries_that_wait_too_long_are_due_and_can_be_postponed(store: &Store) {
    let app = store.app().await;
    app.put(&open("c", "h", 1), &[]).await;
    app.put(&due_at("c", "both", 30), &[]).await;
    stored(&app, "c", "h", "a", 20).await;
    stored(&app, "c", "both", "a", 25).await;
    assert_eq!(app.due(19, 9).await, json!([]));
    assert_eq!(app.due(20, 9).await, json!([["c", "h"]]));
    assert_eq!(app.all_due(30, 9).await.0, 2, "one that is due for two reasons is one");
    app.ask("put_off", json!(["c", "h", 50])).await;
    // After the postponed ones, and due with them.
    stored(&app, "c", "h", "b", 22).await;
    assert_eq!(app.due(49, 9).await, json!([["c", "both"]]));
    assert_eq!(app.due(50, 9).await, json!([["c", "both"], ["c", "h"]]));
    for done in ["a", "b"] {
        next(&app, "h", Some(done)).await;
    }
    assert_eq!(app.due(99, 9).await, json!([["c", "both"]]));
    app.ask("put_off", json!(["c", "h", 60])).await;
    assert_eq!(app.due(99, 9).await, json!([["c", "both"]]), "nothing waits any more");
}

async fn what_waits_goes_with_its_handoff_and_its_connection(store: &Store) {
    let app = store.app().await;
    for (connection, id) in [("c", "old"), ("c", "new"), ("d", "h")] {
        app.put(&over(connection, id, if id == "old" { 10 } else { 30 }), &[]).await;
        stored(&app, connection, id, "a", 1).await;
    }
    app.ask("forget", json!([20])).await;
    assert_eq!((next(&app, "old", None).await, next(&app, "new", None).await), (Value::Null, json!("a")));
    assert_eq!(waiting(&app, "c").await, 1);
    app.ask("remove_connection", json!(["c"])).await;
    assert_eq!((waiting(&app, "c").await, waiting(&app, "d").await), (json!(0), json!(1)));
    assert_eq!(app.due(now(), 9).await, json!([["d", "h"]]));
}

async fn connections_take_turns(store: &Store) {
    let app = store.app().await;
    // One account has many, and all of them have waited longer.
    for number in 0..20 {
        app.put(&due_at("many", &format!("m{number:02}"), 10 + number), &[]).await;
    }
    for (connection, id, at) in [("a", "1", 50), ("a", "2", 51), ("b", "1", 40)] {
        app.put(&due_at(connection, id, at), &[]).await;
    }
    let (all, named) = app.all_due(60, 6).await;
    assert_eq!(all, 23);
    let named: Vec<String> =
        named.iter().map(|one| format!("{}/{}", one[0].as_str().unwrap(), one[1].as_str().unwrap())).collect();
    assert_eq!(named, ["many/m00", "b/1", "a/1", "many/m01", "a/2", "many/m02"]);
    assert_eq!(app.all_due(60, 0).await, (23, vec![]));
}

async fn a_connection_that_rests_comes_last_with_one_handoff(store: &Store) {
    let app = store.app().await;
    for name in ["a", "b"] {
        let connection = json!({
            "id": name, "settings": "{}", "account": null, "connected": true, "checked_at": 1, "key_since": 1,
            "platform": { "kind": "generic", "callback_url": "https://platform.example/events", "secret": "" }, "webhook_secret": "s", "forward_url": null, "findings": [],
        });
        app.ask("save_connection", json!([connection])).await;
        for at in [10, 20] {
            app.put(&due_at(name, &format!("h{at}"), at), &[]).await;
        }
    }
    app.ask("rest", json!(["a", [5, 100]])).await;
    assert_eq!(app.all_due(99, 9).await, (4, vec![json!(["b", "h10", null]), json!(["b", "h20", null])]));
    let (all, named) = app.all_due(100, 9).await;
    assert_eq!((all, &named[2..]), (4, &[json!(["a", "h10", 5])][..]));
    app.ask("rest", json!(["a", [5, 200]])).await;
    assert_eq!(app.due(199, 9).await, json!([["b", "h10"], ["b", "h20"]]));
    app.ask("rest", json!(["a", null])).await;
    assert_eq!(app.due(199, 9).await, json!([["a", "h10"], ["b", "h10"], ["a", "h20"], ["b", "h20"]]));
}

/// Records have no inbox field while it is empty, and can be read without it.
async fn a_record_from_before_the_inbox_is_read(store: &Store) {
    let app = store.app().await;
    let mut handoff = open("c", "h", 1);
    app.put(&handoff, &[]).await;
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, handoff);
    handoff["worked_off"] = json!(["a", "b"]);
    handoff["failing"] = json!({ "since": 1, "times": 2, "until": 3 });
    app.put(&handoff, &[]).await;
    assert_eq!(app.ask("handoff", json!(["c", "h"])).await, handoff);
}

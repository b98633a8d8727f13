//! Small records, and connections that are sealed.

use serde_json::{Value, json};

use crate::store::{Store, now, on_both_stores};

on_both_stores! {
    a_record_comes_back_until_it_expires,
    a_new_record_does_not_replace_one_that_is_there,
    counters_add_up_across_instances_and_restart_when_they_expire,
    records_are_trimmed_to_those_that_last_longest,
    connections_are_sealed_and_change_from_one_key_to_the_next,
    a_write_that_comes_between_is_not_lost_to_a_change_of_keys,
}

const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn record(name: &str, value: &str, expires_at: u64) -> Value {
    json!({ "name": name, "value": value, "expires_at": expires_at })
}

async fn a_record_comes_back_until_it_expires(store: &Store) {
    let (app, now) = (store.app().await, now());
    let one = record("b", "{\"x\":\"'\"}", now + 60_000);
    assert_eq!(app.ask("record", json!(["token", "b", now])).await, Value::Null, "nothing was stored yet");
    assert_eq!(app.ask("put_record", json!(["token", one, now, false])).await, true);
    let other = store.app().await;
    assert_eq!(other.ask("record", json!(["token", "b", now])).await, one);
    assert_eq!(other.ask("record", json!(["token", "b", now + 60_000])).await, Value::Null);
    assert_eq!(other.ask("record", json!(["session", "b", now])).await, Value::Null, "kinds are apart");
    for name in ["a", "c"] {
        app.ask("put_record", json!(["token", record(name, name, now + 90_000), now, false])).await;
    }
    let names = async |now: u64, limit: u32| {
        let all = app.ask("records", json!(["token", now, limit])).await;
        all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(now, 9).await, ["c", "b", "a"]);
    assert_eq!(names(now, 2).await, ["c", "b"]);
    assert_eq!(names(now + 60_000, 9).await, ["c", "a"]);
    assert_eq!(app.ask("remove_record", json!(["token", "c"])).await, true);
    assert_eq!(app.ask("remove_record", json!(["token", "c"])).await, false);
    assert_eq!(names(now, 9).await, ["b", "a"]);
}

async fn a_new_record_does_not_replace_one_that_is_there(store: &Store) {
    let (app, now) = (store.app().await, now());
    let put = async |value: &str, at: u64, only_new: bool| {
        app.ask("put_record", json!(["claim", record("a", value, at + 60_000), at, only_new])).await == true
    };
    assert!(put("1", now, true).await);
    assert!(!put("2", now, true).await);
    assert_eq!(app.ask("record", json!(["claim", "a", now])).await["value"], "1");
    assert!(put("3", now + 60_000, true).await, "it had expired");
    assert!(put("4", now, false).await);
    assert_eq!(app.ask("record", json!(["claim", "a", now])).await["value"], "4");
}

async fn counters_add_up_across_instances_and_restart_when_they_expire(store: &Store) {
    let (app, other, now) = (store.app().await, store.app().await, now());
    let calls: Vec<_> = (0..20_usize)
        .map(|number| {
            let side = if number % 2 == 0 { &app } else { &other };
            tokio::spawn(side.asked("count_up", json!(["attempt", "all", now, now + 60_000])))
        })
        .collect();
    let mut sums = Vec::new();
    for call in calls {
        sums.push(call.await.unwrap().unwrap().as_u64().unwrap());
    }
    sums.sort_unstable();
    assert_eq!(sums, (1..=20).collect::<Vec<u64>>());
    // The end is that of the first.
    assert_eq!(app.ask("count_up", json!(["attempt", "all", now + 1, now + 90_000])).await, 21);
    assert_eq!(app.ask("count_up", json!(["attempt", "all", now + 60_000, now + 99_000])).await, 1);
}

async fn records_are_trimmed_to_those_that_last_longest(store: &Store) {
    let (app, now) = (store.app().await, now());
    for (name, ends) in [("1", 90), ("2", 90), ("3", 90), ("short", 60), ("over", 30)] {
        app.ask("put_record", json!(["audit", record(name, "x", now + ends * 1_000), now, false])).await;
        app.ask("put_record", json!(["other", record(name, "x", now + ends * 1_000), now, false])).await;
    }
    let names = async |kind: &str| {
        let all = app.ask("records", json!([kind, now, 9])).await;
        all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    app.ask("trim_records", json!(["audit", now + 30_000, 9])).await;
    assert_eq!(names("audit").await, ["short", "3", "2", "1"]);
    app.ask("trim_records", json!(["audit", now, 2])).await;
    assert_eq!(names("audit").await, ["3", "2"]);
    assert_eq!(names("other").await.len(), 5);
}

fn connection(id: &str) -> Value {
    json!({
        "id": id, "settings": "{\"api_key\":\"secret-of-freshworks\"}", "account": null, "connected": true, "checked_at": 1,
        "key_since": 1, "platform": { "kind": "generic", "callback_url": "https://platform.example/events", "secret": "secret-of-the-platform" }, "webhook_secret": "secret-of-the-path",
        "forward_url": null, "findings": [],
    })
}

async fn connections_are_sealed_and_change_from_one_key_to_the_next(store: &Store) {
    // As stored before encryption was added.
    store.app().await.ask("save_connection", json!([connection("old")])).await;
    assert!(store.dump().await.contains("secret-of-freshworks"));
    let app = store.app_with_keys(ONE, "").await;
    assert_eq!(app.ask("connection", json!(["old"])).await, connection("old"), "it stays readable");
    app.ask("save_connection", json!([connection("new")])).await;
    assert_eq!(app.ask("reseal", json!([])).await, json!({ "written": 1, "unreadable": [] }));
    let stored = store.dump().await;
    for secret in ["secret-of-freshworks", "secret-of-the-platform", "secret-of-the-path", "api_key"] {
        assert!(!stored.contains(secret), "{secret}: {stored}");
    }
    assert!(stored.contains("old") && stored.contains("new") && stored.contains("fwh1."));

    let both = store.app_with_keys(TWO, ONE).await;
    assert_eq!(both.ask("connections", json!([])).await, json!([connection("new"), connection("old")]));
    assert_eq!(both.ask("reseal", json!([])).await, json!({ "written": 2, "unreadable": [] }));
    assert_eq!(both.ask("reseal", json!([])).await, json!({ "written": 0, "unreadable": [] }));
    let after = store.app_with_keys(TWO, "").await;
    assert_eq!(after.ask("connection", json!(["old"])).await, connection("old"));
    assert!(app.asked("connection", json!(["old"])).await.unwrap_err().contains("encrypted with the key"));
    assert_eq!(app.ask("reseal", json!([])).await, json!({ "written": 0, "unreadable": ["new", "old"] }));
    let none = store.app_with_keys("", TWO).await;
    assert_eq!(
        none.ask("connection", json!(["old"])).await,
        connection("old"),
        "without a key to write, it can be read"
    );
    assert!(none.asked("save_connection", json!([connection("x")])).await.unwrap_err().contains("not stored"));
}

async fn a_write_that_comes_between_is_not_lost_to_a_change_of_keys(store: &Store) {
    for number in 0..20 {
        store.app().await.ask("save_connection", json!([connection(&format!("c-{number}"))])).await;
    }
    let app = store.app_with_keys(ONE, "").await;
    let resealing = tokio::spawn(app.asked("reseal", json!([])));
    let mut changed = connection("c-19");
    changed["account"] = json!("changed");
    app.ask("save_connection", json!([changed])).await;
    resealing.await.unwrap().unwrap();
    assert_eq!(app.ask("connection", json!(["c-19"])).await["account"], "changed");
}

//! Single deliveries: bounded, replacing earlier entries, deleted with their handoff; and ended handoffs.

use serde_json::{Value, json};

use crate::store::{StateApp, Store, now, on_both_stores, open, over};

on_both_stores! {
    a_delivery_is_logged_once_with_its_tries,
    what_is_logged_goes_with_its_handoff_and_its_connection,
    the_log_keeps_its_bounds_and_its_failures,
    hours_and_days_that_are_over_go,
    ended_handoffs_are_listed_newest_first,
}

fn logged(id: &str, handoff: Option<&str>, at: u64, result: &str) -> Value {
    json!({
        "id": id, "handoff": handoff, "first_at": at, "at": at, "tries": u64::from(result != "waiting"), "direction": "in",
        "party": "freshworks", "kind": "message_create", "result": result, "why": "", "ms": 3,
    })
}

async fn connected(store: &Store) -> StateApp {
    let app = store.app().await;
    for id in ["c", "d"] {
        let connection = json!({
            "id": id, "settings": "{}", "account": null, "connected": true, "checked_at": 1, "platform": { "kind": "generic", "callback_url": "https://platform.example/events", "secret": "s" },
            "webhook_secret": "w", "forward_url": null,
        });
        app.ask("save_connection", json!([connection])).await;
    }
    app
}

async fn keep(app: &StateApp, connection: &str, log: &[Value], now: u64) {
    app.ask("keep_log", json!([connection, log, now])).await;
}

/// Id, result, handoff and tries of each.
async fn log(app: &StateApp, connection: &str, only_bad: bool) -> Value {
    let log = app.ask("log", json!([connection, 0, only_bad])).await;
    log.as_array().unwrap().iter().map(|one| json!([one["id"], one["result"], one["handoff"], one["tries"]])).collect()
}

async fn a_delivery_is_logged_once_with_its_tries(store: &Store) {
    let app = connected(store).await;
    app.put(&open("c", "h", 1), &[]).await;
    let at = now();
    keep(&app, "c", &[logged("a", Some("h"), at, "waiting"), logged("b", None, at + 1, "ignored")], at).await;
    keep(&app, "c", &[logged("a", Some("h"), at + 2, "failed")], at).await;
    assert_eq!(log(&app, "c", true).await, json!([["a", "failed", "h", 1]]));
    keep(&app, "c", &[logged("a", Some("h"), at + 3, "done")], at).await;
    // A slower instance stores outdated data.
    keep(&app, "c", &[logged("a", Some("h"), at + 4, "waiting")], at).await;
    assert_eq!(log(&app, "c", false).await, json!([["a", "done", "h", 2], ["b", "ignored", null, 1]]));
    assert_eq!(log(&app, "c", true).await, json!([]));
    let whole = app.ask("log", json!(["c", at + 2, false])).await;
    assert_eq!((&whole[0]["first_at"], &whole[0]["at"], &whole[1]), (&json!(at), &json!(at + 3), &Value::Null));
    assert_eq!(log(&app, "d", false).await, json!([]), "each connection has its own");
    keep(&app, "none", &[logged("a", None, at, "done")], at).await;
    assert_eq!(log(&app, "none", false).await, json!([]));
}

async fn what_is_logged_goes_with_its_handoff_and_its_connection(store: &Store) {
    let app = connected(store).await;
    for id in ["erased", "forgotten", "other"] {
        app.put(&over("c", id, 1), &[]).await;
    }
    let at = now();
    let of = |id: &str| logged(&format!("of-{id}"), Some(id), at, "done");
    keep(&app, "c", &[of("erased"), of("forgotten"), of("other")], at).await;
    let (_, lease, _) = app.lease("c", "erased", "").await;
    assert_eq!(app.ask("erase", json!(["c", "erased", lease, now() + 60_000])).await, true);
    assert_eq!(log(&app, "c", false).await.as_array().unwrap().len(), 2);
    // A slower instance logs it without its handoff.
    keep(&app, "c", &[of("erased")], at).await;
    let late = log(&app, "c", false).await;
    assert!(late.to_string().contains(r#"["of-erased","done",null,1]"#), "{late}");
    app.put(&over("c", "other", now() + 60_000), &[]).await;
    app.ask("forget", json!([now()])).await;
    let left = log(&app, "c", false).await;
    assert!(!left.to_string().contains("forgotten") && left.to_string().contains("of-other"), "{left}");
    app.ask("remove_connection", json!(["c"])).await;
    assert_eq!(log(&app, "c", false).await, json!([]));
}

async fn the_log_keeps_its_bounds_and_its_failures(store: &Store) {
    let app = connected(store).await;
    let (at, week) = (now(), 7 * 24 * 60 * 60 * 1000);
    keep(&app, "c", &[logged("old", None, at - week - 1, "failed"), logged("bad", None, at - 1, "failed")], at).await;
    let many: Vec<Value> =
        (0..620).map(|number| logged(&format!("d-{number:03}"), None, at + number, "done")).collect();
    keep(&app, "c", &many, at).await;
    keep(&app, "c", &[logged("last", None, at + 700, "done")], at + 700).await;
    let log = log(&app, "c", false).await;
    let log = log.as_array().unwrap();
    assert_eq!(log.len(), 501);
    assert_eq!((&log[0][0], &log[499][0], &log[500][0]), (&json!("last"), &json!("d-121"), &json!("bad")));
}

async fn hours_and_days_that_are_over_go(store: &Store) {
    let app = connected(store).await;
    let hour = 60 * 60 * 1000_u64;
    let count = |number: u64| json!([format!("hour|{number:010}|failures"), 1]);
    let day = |number: u64| json!([format!("day|{number:010}|failures"), 1]);
    app.ask("count", json!(["c", [count(100), day(4), ["messages|to-user", 1]], 100 * hour])).await;
    app.ask("count", json!(["c", [count(123)], 123 * hour])).await;
    let names = |counts: Value| -> Vec<String> {
        counts.as_array().unwrap().iter().map(|count| count["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(app.ask("counts", json!(["c"])).await).len(), 4);
    app.ask("count", json!(["c", [count(124)], 124 * hour])).await;
    let left = names(app.ask("counts", json!(["c"])).await);
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(!left.contains(&"hour|0000000100|failures".to_owned()), "{left:?}");
    app.ask("count", json!(["c", [count(1_000)], 1_000 * hour])).await;
    assert_eq!(names(app.ask("counts", json!(["c"])).await), ["hour|0000001000|failures", "messages|to-user"]);
}

async fn ended_handoffs_are_listed_newest_first(store: &Store) {
    let app = store.app().await;
    app.put(&over("c", "first", 1), &[]).await;
    app.put(&over("c", "last", 3), &[]).await;
    app.put(&open("c", "open", 4), &[]).await;
    app.put(&over("d", "elsewhere", 5), &[]).await;
    // Leased and never saved.
    app.lease("c", "new", "").await;
    let ids = async |limit: u32| {
        let found = app.ask("ended_handoffs", json!(["c", limit])).await;
        found.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(9).await, ["last", "first"]);
    assert_eq!(ids(1).await, ["last"]);
    app.put(&open("c", "last", 6), &[]).await;
    assert_eq!(ids(9).await, ["first"], "it was reopened");
    let (_, lease, _) = app.lease("c", "first", "").await;
    app.ask("erase", json!(["c", "first", lease, now()])).await;
    assert!(ids(9).await.is_empty());
}

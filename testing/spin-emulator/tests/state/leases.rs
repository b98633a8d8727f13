//! Who may work on a handoff.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::store::{StateApp, Store, now, on_both_stores, open};

on_both_stores! {
    a_lease_is_exclusive_until_it_is_given_back,
    handoffs_are_leased_one_by_one,
    a_lease_whose_time_is_up_is_taken_over_and_what_was_begun_is_unsure,
    what_was_begun_for_nothing_is_not_unsure,
    unsure_words_are_kept_once_and_the_oldest_go_first,
    giving_back_keeps_what_was_unsure,
    a_save_says_what_stays_unsure,
    an_overtaken_instance_stores_nothing,
    a_save_may_be_repeated_and_may_be_late,
    a_renewed_lease_lasts,
    requests_at_once_lose_nothing,
    a_handoff_that_begins_is_known_while_its_lease_lasts,
}

/// A lease that is over after a moment, as if its holder had died.
async fn abandoned(app: &StateApp, doing: &str) -> u64 {
    app.ask("lease", json!(["c", "h", doing, now(), 1])).await[1].as_u64().unwrap()
}

/// The next lease, as soon as it is available.
async fn taken_over(app: &StateApp, doing: &str) -> Value {
    let started = Instant::now();
    loop {
        let taken = app.ask("lease", json!(["c", "h", doing, now(), 60_000])).await;
        if !taken.is_null() {
            return taken;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "the lease does not end");
    }
}

/// Takes the lease and lets it expire.
async fn die(app: &StateApp, doing: &str) {
    let started = Instant::now();
    while app.ask("lease", json!(["c", "h", doing, now(), 1])).await.is_null() {
        assert!(started.elapsed() < Duration::from_secs(20), "the lease does not end");
    }
}

async fn a_lease_is_exclusive_until_it_is_given_back(store: &Store) {
    let (one, two) = (store.app().await, store.app().await);
    assert_eq!(one.lease("c", "h", "begin").await, (Value::Null, 1, json!([])));
    assert_eq!(two.ask("lease", json!(["c", "h", "", now(), 60_000])).await, Value::Null);
    assert_eq!(one.ask("lease", json!(["c", "h", "", now(), 60_000])).await, Value::Null);

    one.ask("give_back", json!(["c", "h", 1])).await;
    assert_eq!(two.lease("c", "h", "").await, (Value::Null, 2, json!([])));
    one.ask("give_back", json!(["c", "h", 1])).await;
    assert_eq!(one.ask("lease", json!(["c", "h", "", now(), 60_000])).await, Value::Null, "it was another's");

    let handoff = open("c", "h", 5);
    assert_eq!(two.ask("save", json!([handoff, [], [], 2])).await, true);
    assert_eq!(one.lease("c", "h", "").await, (handoff, 3, json!([])));
}

async fn handoffs_are_leased_one_by_one(store: &Store) {
    let app = store.app().await;
    for (connection, id) in
        [("c", "h"), ("c", "h:1"), ("c:h", "1"), ("c:", "h"), ("c-1", "h"), ("c_1", "h"), ("c.1", "h")]
    {
        assert_eq!(app.lease(connection, id, "").await, (Value::Null, 1, json!([])), "{connection} {id}");
    }
}

async fn a_lease_whose_time_is_up_is_taken_over_and_what_was_begun_is_unsure(store: &Store) {
    let (one, two) = (store.app().await, store.app().await);
    one.put(&open("c", "h", 5), &[]).await;
    let lost = abandoned(&one, "relay:1").await;
    assert_eq!(taken_over(&two, "relay:2").await, json!([open("c", "h", 5), lost + 1, ["relay:1"]]));
}

async fn what_was_begun_for_nothing_is_not_unsure(store: &Store) {
    let app = store.app().await;
    abandoned(&app, "").await;
    assert_eq!(taken_over(&app, "").await[2], json!([]));
}

async fn unsure_words_are_kept_once_and_the_oldest_go_first(store: &Store) {
    let app = store.app().await;
    for word in ["relay:a", "relay:b", "relay:a"] {
        die(&app, word).await;
    }
    for number in 0..30 {
        die(&app, &format!("relay:{number}")).await;
    }
    let unsure = taken_over(&app, "").await[2].clone();
    let words: Vec<&str> = unsure.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!((words.len(), words[0], words[1], words[31]), (32, "relay:a", "relay:b", "relay:29"));

    // One too many, which starts by taking over the unsure work.
    app.ask("give_back", json!(["c", "h", 34])).await;
    die(&app, "relay:30").await;
    let unsure = taken_over(&app, "").await[2].clone();
    assert_eq!((&unsure[0], &unsure[31], &unsure[32]), (&json!("relay:b"), &json!("relay:30"), &Value::Null));
}

async fn giving_back_keeps_what_was_unsure(store: &Store) {
    let app = store.app().await;
    abandoned(&app, "begin").await;
    let lease = taken_over(&app, "look").await[1].clone();
    app.ask("give_back", json!(["c", "h", lease])).await;
    assert_eq!(app.lease("c", "h", "").await.2, json!(["begin"]), "and what was given back was not done");
}

async fn a_save_says_what_stays_unsure(store: &Store) {
    let app = store.app().await;
    abandoned(&app, "begin").await;
    let lease = taken_over(&app, "relay:1").await[1].clone();
    assert_eq!(app.ask("save", json!([open("c", "h", 1), [], ["begin", "relay:0"], lease])).await, true);
    let (_, lease, unsure) = app.lease("c", "h", "relay:2").await;
    assert_eq!(unsure, json!(["begin", "relay:0"]), "and not what is done now");
    assert_eq!(app.ask("save", json!([open("c", "h", 1), [], [], lease])).await, true);
    assert_eq!(app.lease("c", "h", "").await.2, json!([]));
}

async fn an_overtaken_instance_stores_nothing(store: &Store) {
    let (one, two) = (store.app().await, store.app().await);
    let lost = abandoned(&one, "begin").await;
    let lease = taken_over(&two, "begin").await[1].clone();

    let late = open("c", "h", 1);
    assert_eq!(one.ask("save", json!([late, ["remote"], ["word"], lost])).await, false);
    assert_eq!(one.ask("renew", json!(["c", "h", lost, now(), 60_000])).await, false);
    assert_eq!(one.ask("handoff", json!(["c", "h"])).await, Value::Null);
    assert_eq!(one.handoff_of("c", &["remote"]).await, Value::Null);
    assert!(one.open("c", 9).await.is_empty());

    let newer = open("c", "h", 2);
    assert_eq!(two.ask("save", json!([newer, ["remote"], [], lease])).await, true);
    assert_eq!(one.ask("save", json!([late, ["other"], [], lost])).await, false, "nor afterwards");
    assert_eq!(one.ask("handoff", json!(["c", "h"])).await, newer);
    assert_eq!(one.ask("save", json!([open("c", "none", 1), [], [], 1])).await, false, "nor without a lease");
    assert_eq!(one.ask("handoff", json!(["c", "none"])).await, Value::Null);
}

async fn a_save_may_be_repeated_and_may_be_late(store: &Store) {
    let app = store.app().await;
    let taken_at = now();
    let lease = abandoned(&app, "begin").await;
    // Until it expires and is not taken.
    while now() <= taken_at + 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.ask("save", json!([open("c", "h", 1), [], [], lease])).await, true);
    assert_eq!(app.ask("save", json!([open("c", "h", 1), [], [], lease])).await, true);
    assert_eq!(app.lease("c", "h", "").await.2, json!([]));
}

async fn a_renewed_lease_lasts(store: &Store) {
    let app = store.app().await;
    let lease = app.ask("lease", json!(["c", "h", "", now(), 1_000])).await[1].clone();
    assert_eq!(app.ask("renew", json!(["c", "h", lease, now(), 60_000])).await, true);
    // Past the time that it had at first.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(app.ask("lease", json!(["c", "h", "", now(), 60_000])).await, Value::Null);
    app.ask("give_back", json!(["c", "h", lease])).await;
    assert_eq!(app.ask("renew", json!(["c", "h", lease, now(), 60_000])).await, false, "there is none any more");
}

async fn requests_at_once_lose_nothing(store: &Store) {
    let (one, two) = (store.app().await, store.app().await);
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..64 {
        let app = if number % 2 == 0 { &one } else { &two };
        requests.spawn(app.asked("add_one", json!(["c", "h"])));
    }
    for done in requests.join_all().await {
        done.unwrap();
    }
    let stored = one.ask("handoff", json!(["c", "h"])).await;
    assert_eq!(stored["session"], "NjQ=", "64");
    assert_eq!(two.lease("c", "h", "").await.1, 65);
    assert_eq!(two.handoff_of("c", &["counted"]).await, "h");
}

async fn a_handoff_that_begins_is_known_while_its_lease_lasts(store: &Store) {
    let app = store.app().await;
    let is_handing_over = async |connection: &str| app.ask("is_handing_over", json!([connection, now()])).await;
    assert_eq!(is_handing_over("c").await, false);
    let (_, lease, _) = app.lease("c", "h", "handoff").await;
    app.lease("c", "i", "message:1").await;
    assert_eq!((is_handing_over("c").await, is_handing_over("c2").await), (json!(true), json!(false)));
    app.ask("give_back", json!(["c", "h", lease])).await;
    assert_eq!(is_handing_over("c").await, false);

    let (_, lease, _) = app.lease("c", "h", "handoff").await;
    assert_eq!(app.ask("renew", json!(["c", "h", lease, now(), 60_000])).await, true);
    assert_eq!(is_handing_over("c").await, true);
    assert_eq!(app.ask("save", json!([open("c", "h", now()), [], [], lease])).await, true);
    assert_eq!(is_handing_over("c").await, false);

    // There is no waiting for a crashed instance.
    die(&app, "handoff").await;
    let started = Instant::now();
    while is_handing_over("c").await == true {
        assert!(started.elapsed() < Duration::from_secs(20), "the lease does not end");
    }
}

//! Deliveries one by one: what is logged of them, what is sent again, what is found, and what the operator is told.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::inbox::{World, but_looks, delivery};
use super::{body, message, request};
use crate::metrics::counters::{LOGGED_MS, Logged, MAX_LOGGED};
use crate::service::Policy;
use crate::state::State;

const MINUTE: u64 = 60_000;
const DELIVERIES: &str = "/v1/connections/acme/deliveries";

/// Everything works; the callback answers with this status.
fn world(callback: &Rc<Cell<u16>>) -> World<impl Fn(&str) -> (u16, String, u64) + use<>> {
    let callback = callback.clone();
    let world = World::new(move |line: &str| match line {
        "Post https://acme.example/events" => (callback.get(), String::new(), 5),
        "Post https://acme.freshchat.com/v2/users" => (200, r#"{"id": "u-2"}"#.to_owned(), 5),
        line if line.contains("/users/u-2/conversations") => (200, r#"{"conversations": []}"#.to_owned(), 5),
        line => but_looks(line, 200, 5),
    });
    world.connect("acme");
    world
}

fn get<F: Fn(&str) -> (u16, String, u64)>(world: &World<F>, path: &str) -> Value {
    let answer = world.ask("GET", path, &Value::Null);
    assert_eq!(answer.status, 200, "{answer:?}");
    body(&answer).clone()
}

fn post<F: Fn(&str) -> (u16, String, u64)>(world: &World<F>, path: &str) -> Value {
    let answer = world.ask("POST", path, &Value::Null);
    assert_eq!(answer.status, 200, "{answer:?}");
    body(&answer).clone()
}

/// Direction, result and reason of each, the last try first.
fn outline(listed: &Value) -> Vec<String> {
    let deliveries = listed["deliveries"].as_array().unwrap().iter();
    let mut lines: Vec<String> = deliveries
        .map(|one| format!("{} {} {}", one["direction"], one["result"], one["why"]).replace('"', ""))
        .collect();
    lines.sort();
    lines
}

fn the<'a>(listed: &'a Value, direction: &str) -> &'a Value {
    listed["deliveries"].as_array().unwrap().iter().find(|one| one["direction"] == direction).unwrap()
}

#[test]
fn a_webhook_and_the_news_it_brings_are_listed_with_result_and_duration_and_without_texts() {
    let world = world(&Rc::new(Cell::new(200)));
    let id = world.hand_over("acme", "1");
    world.take_in("acme", &id, 1);
    let listed = get(&world, DELIVERIES);
    assert_eq!(outline(&listed), ["in done ", "out done "]);
    let (webhook, news) = (the(&listed, "in"), the(&listed, "out"));
    assert_eq!((&webhook["party"], &webhook["kind"]), (&json!("freshworks"), &json!("message_create")));
    assert_eq!((&news["party"], news["kind"].as_str().unwrap().contains("agent-message")), (&json!("platform"), true));
    assert_eq!((&webhook["handoff"], &news["ms"], &news["tries"]), (&json!(id), &json!(5), &json!(1)));
    assert_eq!((&news["can_resend"], &listed["causes"]), (&json!(false), &json!([])));
    let text = listed.to_string();
    assert!(!text.contains("answer 1") && !text.contains("user-1") && !text.contains("acme.example"), "{text}");
}

#[test]
fn what_failed_is_listed_by_cause_and_resent_once_with_the_same_id() {
    let callback = Rc::new(Cell::new(503));
    let world = world(&callback);
    let id = world.hand_over("acme", "1");
    world.take_in("acme", &id, 1);
    let listed = get(&world, DELIVERIES);
    assert_eq!(outline(&listed), ["in failed unavailable", "out failed the callback answered 503"]);
    let failed = the(&listed, "out").clone();
    let first = failed["first_at"].clone();
    world.clock.set(world.clock.get() + 400);
    let again = world.ask("POST", &format!("{DELIVERIES}/{}/resend", failed["id"].as_str().unwrap()), &Value::Null);
    assert_eq!((again.status, &body(&again)["kind"]), (503, &json!("unavailable")), "it still fails");
    let listed = get(&world, &format!("{DELIVERIES}?result=bad"));
    let cause = listed["causes"].as_array().unwrap().iter().find(|cause| cause["direction"] == "out").unwrap();
    assert_eq!((&cause["count"], &cause["why"]), (&json!(1), &json!("the callback answered 503")));
    assert_eq!(cause["first_at"], first);
    assert!(cause["last_at"].as_u64() > first.as_u64());
    assert!(the(&listed, "out")["tries"].as_u64() > failed["tries"].as_u64());
    let before = world.told("acme").len();

    callback.set(200);
    let path = format!("{DELIVERIES}/{}/resend", failed["id"].as_str().unwrap());
    assert_eq!(post(&world, &path)["done"], 1);
    assert_eq!(outline(&get(&world, DELIVERIES)), ["in done ", "out done "]);
    let told = world.told("acme");
    assert!(told.len() == before + 1 && told.iter().all(|events| events[0]["id"] == told[0][0]["id"]), "{told:?}");
    // And again: it is done, and nothing is sent.
    assert_eq!(post(&world, &path)["done"], 1);
    assert_eq!(world.told("acme").len(), before + 1);
    assert_eq!(world.ask("POST", &format!("{DELIVERIES}/none/resend"), &Value::Null).status, 404);
}

#[test]
fn news_that_was_refused_for_good_is_kept_and_sent_again_with_its_id() {
    let callback = Rc::new(Cell::new(410));
    let world = world(&callback);
    let id = world.hand_over("acme", "1");
    world.take_in("acme", &id, 1);
    assert_eq!(outline(&get(&world, DELIVERIES)), ["in done ", "out given-up the callback answered 410: it is gone"]);
    let refused = world.told("acme");
    assert_eq!(
        post(&world, "/v1/connections/acme/resend?since=0"),
        json!({ "done": 0, "failed": 1, "not_kept": 0, "left": 0 })
    );
    callback.set(200);
    assert_eq!(post(&world, "/v1/connections/acme/resend?since=0")["done"], 1);
    let told = world.told("acme");
    assert_eq!((told.len(), told.last()), (3, refused.first()), "the same events with the same ids");
    assert_eq!(outline(&get(&world, DELIVERIES)), ["in done ", "out done "]);
    assert!(world.state.handoff("acme", &id).unwrap().unwrap().untold.is_empty());
    assert_eq!(post(&world, "/v1/connections/acme/resend?since=0")["done"], 0);
}

#[test]
fn everything_that_failed_since_then_is_resent() {
    let callback = Rc::new(Cell::new(500));
    let world = world(&callback);
    let ids = [world.hand_over("acme", "1"), world.hand_over("acme", "2")];
    for (number, id) in ids.iter().enumerate() {
        world.take_in("acme", id, 10 * number as u32);
        world.take_in("acme", id, 10 * number as u32 + 1);
    }
    callback.set(200);
    let since = world.clock.get() + 1;
    assert_eq!(post(&world, &format!("/v1/connections/acme/resend?since={since}"))["done"], 0, "nothing since then");
    let resent = post(&world, "/v1/connections/acme/resend?since=0");
    assert_eq!((&resent["failed"], &resent["left"]), (&json!(0), &json!(0)), "{resent}");
    assert!(get(&world, DELIVERIES)["causes"].as_array().unwrap().is_empty());
    assert_eq!(world.state.waiting("acme").unwrap(), 0, "what waited behind them, too");
}

#[test]
fn a_list_is_narrowed_down_by_time_result_person_and_conversation() {
    let world = world(&Rc::new(Cell::new(200)));
    let mine = world.hand_over("acme", "1");
    let mut other = request();
    (other["user"]["id"], other["key"]["conversation"]) = (json!("user 2/é"), json!("2"));
    let answer = world.ask("POST", "/v1/connections/acme/handoffs", &other);
    let theirs = body(&answer)["id"].as_str().unwrap().to_owned();
    world.take_in("acme", &mine, 1);
    let between = world.clock.get();
    world.clock.set(between + 10);
    world.take_in("acme", &theirs, 2);
    let of = |query: &str| {
        let listed = get(&world, &format!("{DELIVERIES}?{query}"));
        let listed = listed["deliveries"].as_array().unwrap().iter();
        listed.map(|one| one["handoff"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let both = |id: &String| vec![id.clone(); 2];
    assert_eq!(of("").len(), 4);
    assert_eq!(of("user=user-1"), both(&mine));
    assert_eq!(of("user=user%202%2F%C3%A9"), both(&theirs));
    assert_eq!(of("conversation=2"), both(&theirs));
    assert_eq!(of(&format!("conversation={mine}")), both(&mine));
    assert_eq!(of(&format!("until={between}")), both(&mine));
    assert_eq!(of(&format!("since={}&result=done", between + 1)), both(&theirs));
    assert!(of("result=bad").is_empty() && of("user=nobody").is_empty());
    for query in ["result=good", "since=yesterday", "since=-1", "person=1", "user=%FF"] {
        assert_eq!(world.ask("GET", &format!("{DELIVERIES}?{query}"), &Value::Null).status, 400, "{query}");
    }
}

#[test]
fn handoffs_that_ended_are_listed_with_their_outcome_and_found_by_person_and_conversation() {
    let world = world(&Rc::new(Cell::new(200)));
    let [open, ended] = ["1", "2"].map(|conversation| world.hand_over("acme", conversation));
    let path = format!("/v1/connections/acme/handoffs/{ended}/close");
    assert_eq!(world.ask("POST", &path, &json!({ "reason": "user-left" })).status, 200);
    let of = |query: &str| {
        let found = get(&world, &format!("/v1/connections/acme/handoffs{query}"));
        let found = found["handoffs"].as_array().unwrap().iter();
        found.map(|one| (one["id"].as_str().unwrap().to_owned(), one["outcome"].clone())).collect::<Vec<_>>()
    };
    let (open, ended) = ((open, Value::Null), (ended, json!("abandoned")));
    assert_eq!(of(""), vec![open]);
    assert_eq!(of("?which=ended"), vec![ended.clone()]);
    assert_eq!(of("?find=2"), vec![ended]);
    assert_eq!(of("?find=c-1").len(), 1, "a conversation of Freshworks");
    assert_eq!(of("?find=user-1").len(), 2);
    assert!(of("?find=nobody").is_empty());
    assert_eq!(world.ask("GET", "/v1/connections/acme/handoffs?which=all", &Value::Null).status, 400);
}

#[test]
fn an_erased_persons_deliveries_are_gone_and_others_stay() {
    let world = world(&Rc::new(Cell::new(200)));
    let mine = world.hand_over("acme", "1");
    let mut other = request();
    (other["user"]["id"], other["key"]["conversation"]) = (json!("user-2"), json!("2"));
    let answer = world.ask("POST", "/v1/connections/acme/handoffs", &other);
    world.take_in("acme", &mine, 1);
    world.take_in("acme", body(&answer)["id"].as_str().unwrap(), 2);
    assert_eq!(world.ask("DELETE", "/v1/people/user-1", &Value::Null).status, 200);
    let listed = get(&world, DELIVERIES).to_string();
    assert!(!listed.contains(&mine), "{listed}");
    let theirs = get(&world, &format!("{DELIVERIES}?user=user-2"));
    assert_eq!(theirs["deliveries"].as_array().unwrap().len(), 2);
}

fn logged(number: u64, result: &str) -> Logged {
    let [direction, party, result] = ["in", "freshworks", result].map(str::to_owned);
    let id = format!("{result}-{number}");
    Logged { id, first_at: number, at: number, tries: 1, direction, party, result, ..Logged::default() }
}

#[test]
fn the_log_is_bounded_in_number_and_age_and_failures_are_not_crowded_out() {
    let world = world(&Rc::new(Cell::new(200)));
    let now = world.clock.get();
    let old = logged(now - LOGGED_MS - 1, "failed");
    world.state.count("acme", &[], &[old, logged(now - 5_000, "failed")], now).unwrap();
    for number in 0..u64::from(MAX_LOGGED) + 100 {
        world.state.count("acme", &[], &[logged(now + number, "done")], now + number).unwrap();
    }
    let log = world.state.log("acme", 0, false).unwrap();
    assert_eq!(log.len(), MAX_LOGGED as usize + 1);
    assert_eq!(world.state.log("acme", 0, true).unwrap().len(), 1);
}

#[test]
fn trends_tell_handoffs_waits_and_failures_of_hours_and_days_and_forget_old_ones() {
    let callback = Rc::new(Cell::new(200));
    let world = world(&callback);
    let id = world.hand_over("acme", "1");
    world.clock.set(world.clock.get() + 2 * MINUTE);
    world.take_in("acme", &id, 1);
    callback.set(500);
    world.take_in("acme", &id, 2);
    let trends = get(&world, "/v1/connections/acme/trends");
    let (hours, days) = (trends["hours"].as_array().unwrap(), trends["days"].as_array().unwrap());
    assert_eq!((hours.len(), days.len()), (24, 30));
    for last in [hours.last().unwrap(), days.last().unwrap()] {
        assert_eq!(
            (&last["handoffs"], &last["taken"], &last["failures"]),
            (&json!(1), &json!(1), &last["failures"]),
            "{last}"
        );
        assert!(last["failures"].as_u64().unwrap() >= 2, "{last}");
        assert!((2 * MINUTE..3 * MINUTE).contains(&last["waited_ms"].as_u64().unwrap()), "{last}");
    }
    world.clock.set(world.clock.get() + 31 * 24 * 60 * MINUTE);
    world.hand_over("acme", "2");
    let counts = world.state.counts("acme").unwrap();
    let buckets = counts.iter().filter(|count| count.name.starts_with("hour|") || count.name.starts_with("day|"));
    assert_eq!(buckets.count(), 2, "what is over has gone");
}

/// Bodies that came to the operator's address.
fn alerts<F>(world: &World<F>) -> Vec<Value> {
    let asked = world.asked.borrow();
    let sent = asked.iter().filter(|(line, _)| line == "Post https://ops.example/hook");
    sent.map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
}

fn alerting() -> Policy {
    Policy { alert_url: "https://ops.example/hook".to_owned(), ..Policy::default() }
}

#[test]
fn deliveries_that_fail_for_minutes_are_told_once_and_their_end_once() {
    let callback = Rc::new(Cell::new(503));
    let mut world = world(&callback);
    world.policy = alerting();
    let id = world.hand_over("acme", "1");
    world.take_in("acme", &id, 1);
    world.wait(3 * MINUTE);
    assert_eq!(alerts(&world), [] as [Value; 0], "it may pass");
    world.wait(30 * MINUTE);
    let told = alerts(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["type"], &told[0]["connection"]), (&json!("alert.raised"), &json!("acme")));
    assert!(
        told[0]["text"].as_str().unwrap().contains("503") || told[0]["causes"].to_string().contains("503"),
        "{told:?}"
    );
    callback.set(200);
    world.wait(20 * MINUTE);
    let told = alerts(&world);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((&told[1]["type"], &told[1]["id"]), (&json!("alert.over"), &told[0]["id"]));
}

#[test]
fn a_timer_that_is_late_is_told_once_by_whichever_request_notices_and_its_end_once() {
    let mut world = world(&Rc::new(Cell::new(200)));
    world.policy = alerting();
    let id = world.hand_over("acme", "1");
    world.tick();
    world.clock.set(world.clock.get() + 4 * MINUTE);
    world.take_in("acme", &id, 1);
    assert_eq!(alerts(&world), [] as [Value; 0]);
    world.clock.set(world.clock.get() + 30 * MINUTE);
    let path = format!("/v1/connections/acme/handoffs/{id}/messages");
    for number in 0..3 {
        world.ask("POST", &path, &message(&format!("m-{number}")));
        get(&world, "/v1/connections/acme/activity");
    }
    world.tick();
    world.tick();
    let told = alerts(&world);
    let kinds: Vec<_> = told.iter().map(|alert| (&alert["type"], &alert["about"])).collect();
    assert_eq!(kinds, [(&json!("alert.raised"), &json!("timer")), (&json!("alert.over"), &json!("timer"))]);
}

#[test]
fn an_alert_that_did_not_get_through_is_told_later() {
    let is_up = Rc::new(Cell::new(false));
    let up = is_up.clone();
    let mut world = World::new(move |line: &str| match line {
        "Post https://acme.example/events" => (500, String::new(), 5),
        "Post https://ops.example/hook" => (if up.get() { 200 } else { 500 }, String::new(), 5),
        line => but_looks(line, 200, 5),
    });
    world.policy = alerting();
    world.connect("acme");
    let id = world.hand_over("acme", "1");
    world.take_in("acme", &id, 1);
    world.wait(20 * MINUTE);
    let tried = alerts(&world).len();
    assert!(tried > 1, "{tried}");
    is_up.set(true);
    world.wait(30 * MINUTE);
    assert_eq!(alerts(&world).len(), tried + 1, "and then no more");
}

#[test]
fn without_an_address_nothing_is_asked_for_alerts() {
    let world = world(&Rc::new(Cell::new(503)));
    let id = world.hand_over("acme", "1");
    world.take_in("acme", &id, 1);
    world.wait(20 * MINUTE);
    assert!(world.state.records.borrow().keys().all(|(kind, _)| kind != "alert"));
}

#[test]
fn webhooks_that_are_refused_or_about_others_are_listed_with_the_reason() {
    let world = world(&Rc::new(Cell::new(200)));
    let secret = get(&world, "/v1/connections/acme")["webhooks"]["freshchat"].as_str().unwrap().to_owned();
    let path = secret.strip_prefix("https://bridge.example").unwrap().to_owned();
    let answer = world.ask("POST", &path, &serde_json::from_slice(&delivery(1)).unwrap());
    assert_eq!(answer.status, 401);
    assert_eq!(outline(&get(&world, DELIVERIES)), ["in refused no-key"]);
}

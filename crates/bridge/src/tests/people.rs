//! What is held about one person is shown and erased, and nothing of anybody else.

use freshworks_handoff::http::Http;
use serde_json::{Value, json};

use super::{START, TOKEN, ask, body, connection, freshchat, handed_over, request};
use crate::access::destinations::Destinations;
use crate::http::OutgoingResponse;
use crate::metrics::counters::Counters;
use crate::service::{Policy, Service};
use crate::state::{Saved, State, StoredDelivery};
use crate::testing::{Memory, Outside};
use crate::webhooks::inbox::Later;

const PERSON: &str = "/v1/people/user-1";

fn export<H: Http>(http: &H, state: &Memory, path: &str) -> Value {
    let answer = ask(http, state, "GET", path, &Value::Null, 9_000);
    assert_eq!(answer.status, 200, "{answer:?}");
    body(&answer).clone()
}

fn erase<H: Http>(http: &H, state: &Memory, path: &str) -> OutgoingResponse {
    ask(http, state, "DELETE", path, &Value::Null, 9_000)
}

fn hand_over<H: Http>(http: &H, state: &Memory, connection: &str, user: &str, conversation: &str) -> String {
    let mut request = request();
    (request["user"]["id"], request["key"]["conversation"]) = (json!(user), json!(conversation));
    let answer = ask(http, state, "POST", &format!("/v1/connections/{connection}/handoffs"), &request, 3_000);
    assert_eq!(answer.status, 200, "{answer:?}");
    body(&answer)["id"].as_str().unwrap().to_owned()
}

fn with_service<H: Http, T>(http: &H, state: &Memory, run: impl FnOnce(&Service<'_>) -> T) -> T {
    run(&Service {
        http,
        state,
        token: TOKEN,
        destinations: &Destinations::default(),
        public_url: "https://bridge.example",
        policy: &Policy::default(),
        clock: &|| START + 9_000,
        pause: &|_| (),
        draw: &|| [7; 24],
        log: &|_| (),
        counters: Counters::default(),
        later: Later::default(),
    })
}

fn wait_in_inbox(state: &Memory, handoff: &str, text: &str) {
    let delivery = StoredDelivery { id: "d-1".into(), body: text.as_bytes().to_vec(), received_at: 1 };
    assert_eq!(state.store_delivery("acme", handoff, &delivery, u64::MAX), Ok(true));
}

#[test]
fn an_export_holds_record_conversations_and_webhooks_that_wait() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let path = handed_over(&http, &state);
    let id = path.rsplit('/').next().unwrap();
    wait_in_inbox(&state, id, "what Ana said");
    let shown = export(&http, &state, PERSON);
    let held = &shown["handoffs"][0];
    assert_eq!(
        (&shown["person"], &held["connection"], &held["record"]["id"]),
        (&json!("user-1"), &json!("acme"), &json!(id))
    );
    assert_eq!(held["record"]["platform"]["user"], "user-1");
    assert!(!held["record"]["journal"].as_array().unwrap().is_empty());
    assert_eq!(held["freshworks"], json!({ "user": "u-1", "conversations": ["c-1"], "ticket": null }));
    assert_eq!(held["conversations"], json!(["c-1", "channel:c"]));
    assert_eq!(held["deliveries"][0]["body"], "what Ana said");
    assert_eq!(export(&http, &state, "/v1/people/user-2")["handoffs"], json!([]));
    assert_eq!(export(&http, &state, "/v1/people/user-1?connection=acme"), shown);
    assert_eq!(ask(&http, &state, "GET", "/v1/people/user-1?connection=none", &Value::Null, 9_000).status, 404);
}

#[test]
fn an_erasure_ends_what_is_open_tells_the_platform_and_keeps_nothing() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let path = handed_over(&http, &state);
    let id = path.rsplit('/').next().unwrap().to_owned();
    let other = "h-2";
    let lease = state.lease("acme", other, "", 4_000, 1_000, false).unwrap().unwrap();
    let mut others = state.handoff("acme", &id).unwrap().unwrap();
    (others.id, others.platform.user) = (other.into(), "user-10".into());
    assert_ne!(state.save(&others, &["c-2".into()], &[], lease.number).unwrap(), Saved::Overtaken);
    http.asked.borrow_mut().clear();
    let erased = erase(&http, &state, PERSON);
    assert_eq!(
        body(&erased)["handoffs"],
        json!([{ "connection": "acme", "handoff": id, "was_ended": true }]),
        "{erased:?}"
    );
    assert_eq!(body(&erased)["freshworks"], Value::Null);
    let asked = http.asked.borrow().join("\n");
    assert!(asked.contains("Put https://acme.freshchat.com/v2/conversations/c-1"), "it is resolved: {asked}");
    assert!(asked.contains("Post https://platform.example/events"), "the platform learns it: {asked}");
    assert!(!asked.contains("Delete"), "nobody has asked for that: {asked}");

    assert_eq!(ask(&http, &state, "GET", &path, &Value::Null, 9_000).status, 404);
    assert_eq!(state.handoff_of("acme", &["c-1".into(), "channel:c".into()]).unwrap(), None);
    assert_eq!(state.handoff_of("acme", &["c-2".into()]).unwrap().as_deref(), Some(other));
    assert_eq!(state.deliveries("acme", &id).unwrap(), []);
    assert_eq!(export(&http, &state, PERSON)["handoffs"], json!([]));
    assert!(state.handoff("acme", other).unwrap().is_some(), "somebody else's stays");
    // And again.
    let again = erase(&http, &state, PERSON);
    assert_eq!((again.status, &body(&again)["handoffs"]), (200, &json!([])));
}

#[test]
fn an_open_handoff_that_cannot_be_ended_stays_until_a_repeat_ends_it() {
    let state = Memory::default();
    let path = handed_over(&Outside::new(freshchat), &state);
    let id = path.rsplit('/').next().unwrap();
    wait_in_inbox(&state, id, "what Ana said");
    for broken in ["/v2/conversations", "platform.example"] {
        let http =
            Outside::new(move |line: &str| if line.contains(broken) { (503, String::new()) } else { freshchat(line) });
        let refused = erase(&http, &state, PERSON);
        assert_eq!(refused.status, 503, "{broken}");
        assert!(body(&refused)["remedy"].as_str().unwrap().contains("close"), "{refused:?}");
        let kept = state.handoff("acme", id).unwrap().unwrap();
        assert!(kept.is_with_humans(), "{broken}");
    }
    assert_eq!(erase(&Outside::new(freshchat), &state, PERSON).status, 200);
    assert!(state.handoff("acme", id).unwrap().is_none());
}

#[test]
fn a_trial_and_an_event_queue_that_is_full_go_too() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let polling = json!({ "settings": { "chat_url": "acme", "api_key": "k-1" }, "platform": { "kind": "polling" } });
    ask(&http, &state, "PUT", "/v1/connections/acme", &polling, 1_000);
    let fetched = hand_over(&http, &state, "acme", "user-1", "1");
    let mut trial = request();
    trial["key"]["conversation"] = json!("2");
    let tried = ask(&http, &state, "POST", "/v1/connections/acme/trials", &trial, 3_000);
    let tried = body(&tried)["id"].as_str().unwrap().to_owned();
    // Nobody fetches: the event queue takes nothing any more.
    let lease = state.lease("acme", &fetched, "", 4_000, 1_000, false).unwrap().unwrap();
    let mut full = lease.handoff.unwrap();
    let event_queue = full.event_queue.get_or_insert_default();
    event_queue.waiting = (1..=200).map(|number| (number, json!({ "message": "what Ana read" }))).collect();
    assert_ne!(state.save(&full, &[], &[], lease.number).unwrap(), Saved::Overtaken);

    let erased = erase(&http, &state, PERSON);
    let ids: Vec<&str> =
        body(&erased)["handoffs"].as_array().unwrap().iter().map(|one| one["handoff"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{erased:?}");
    for id in [&fetched, &tried] {
        assert!(state.handoff("acme", id).unwrap().is_none());
    }
    assert!(http.asked.borrow().iter().any(|line| line.starts_with("Put ")), "the human agents' side is resolved");
}

#[test]
fn a_handoff_that_is_only_asked_for_is_erased_and_not_tried_again() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    handed_over(&http, &state);
    let lease = state.lease("acme", "h-1", "", 4_000, 1_000, false).unwrap().unwrap();
    let mut pending = crate::state::Handoff::new("acme", "h-1", Default::default(), 4_000);
    pending.key.application = "a".into();
    pending.platform.user = "user-3".into();
    pending.platform.pending = Some(json!({ "id": "e", "event": "what Ana said" }).to_string());
    pending.next_tick_at = Some(5_000);
    assert_ne!(state.save(&pending, &[], &[], lease.number).unwrap(), Saved::Overtaken);
    assert_eq!(body(&erase(&http, &state, "/v1/people/user-3"))["handoffs"][0]["was_ended"], true);
    assert_eq!(state.due(9_000, 9).unwrap().all, 0);
}

#[test]
fn freshworks_deletes_only_when_asked_and_only_the_same_person() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    handed_over(&http, &state);
    let unnamed = erase(&http, &state, "/v1/people/user-1?freshworks=true");
    assert_eq!((unnamed.status, &body(&unnamed)["field"]), (400, &json!("connection")));
    assert!(export(&http, &state, PERSON)["handoffs"][0].is_object(), "nothing was erased");

    let erased = erase(&http, &state, "/v1/people/user-1?connection=acme&freshworks=true");
    assert_eq!(body(&erased)["freshworks"]["steps"][0]["target"], "u-1");
    assert!(http.asked.borrow().contains(&"Delete https://acme.freshchat.com/v2/users/u-1".to_owned()));
    // The account answers with u-1 to every search: it is not this person's record.
    http.asked.borrow_mut().clear();
    let other = erase(&http, &state, "/v1/people/user-2?connection=acme&freshworks=true");
    assert_eq!(body(&other)["freshworks"]["steps"], json!([]));
    assert!(!http.asked.borrow().iter().any(|line| line.starts_with("Delete")));
}

#[test]
fn what_freshworks_refuses_to_delete_is_an_error_and_what_is_held_here_is_gone() {
    let state = Memory::default();
    handed_over(&Outside::new(freshchat), &state);
    let http =
        Outside::new(|line: &str| if line.starts_with("Delete") { (400, String::new()) } else { freshchat(line) });
    let refused = erase(&http, &state, "/v1/people/user-1?connection=acme&freshworks=true");
    assert_eq!((refused.status, &body(&refused)["kind"]), (424, &json!("rejected")));
    assert!(body(&refused)["detail"].as_str().unwrap().starts_with("what was held here is erased"));
    assert_eq!(export(&http, &state, PERSON)["handoffs"], json!([]));
}

#[test]
fn one_id_of_two_applications_needs_a_connection() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    handed_over(&http, &state);
    ask(&http, &state, "PUT", "/v1/connections/other", &connection(), 1_000);
    let mut request = request();
    request["key"]["application"] = json!("b");
    assert_eq!(ask(&http, &state, "POST", "/v1/connections/other/handoffs", &request, 3_000).status, 200);
    let refused = erase(&http, &state, PERSON);
    assert_eq!((refused.status, &body(&refused)["kind"]), (409, &json!("ambiguous-person")));
    assert_eq!(export(&http, &state, PERSON)["handoffs"].as_array().unwrap().len(), 2, "nothing was erased");
    assert_eq!(erase(&http, &state, "/v1/people/user-1?connection=acme").status, 200);
    assert_eq!(export(&http, &state, PERSON)["handoffs"][0]["connection"], "other");
}

#[test]
fn a_worker_who_was_overtaken_cannot_bring_back_what_was_erased() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let id = handed_over(&http, &state).rsplit('/').next().unwrap().to_owned();
    let lease = state.lease("acme", &id, "", 4_000, 10, false).unwrap().unwrap();
    assert_eq!(erase(&http, &state, PERSON).status, 200);
    assert_eq!(state.save(&lease.handoff.unwrap(), &["c-1".into()], &[], lease.number).unwrap(), Saved::Overtaken);
    assert!(state.handoff("acme", &id).unwrap().is_none());
}

#[test]
fn each_connection_keeps_for_as_long_as_its_setting_says() {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let (http, state) = (Outside::new(freshchat), Memory::default());
    for (name, days) in [("short", json!(2)), ("usual", Value::Null), ("long", json!(90))] {
        let mut connection = connection();
        connection["keep_days"] = days;
        assert_eq!(
            ask(&http, &state, "PUT", &format!("/v1/connections/{name}"), &connection, START + 1_000).status,
            200
        );
        let mut over = crate::state::Handoff::new(name, "h-1", Default::default(), START + 1_000);
        over.state = "returned".into();
        let lease = state.lease(name, "h-1", "", START + 1_000, 10, false).unwrap().unwrap();
        assert_ne!(state.save(&over, &[], &[], lease.number).unwrap(), Saved::Overtaken);
    }
    let mut kept = Vec::new();
    for days in [1, 3, 31, 91] {
        ask(&http, &state, "POST", "/v1/tick", &Value::Null, days * DAY + START + 2_000);
        kept.push(["short", "usual", "long"].map(|name| state.handoff(name, "h-1").unwrap().is_some()));
    }
    assert_eq!(kept, [[true, true, true], [false, true, true], [false, false, true], [false, false, false]]);
}

#[test]
fn a_retention_that_makes_no_sense_is_refused_and_forms_keep_what_they_do_not_know() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let put = |body: &Value| ask(&http, &state, "PUT", "/v1/connections/acme", body, 1_000);
    let with = |days: Value| {
        let mut connection = connection();
        connection["keep_days"] = days;
        connection
    };
    for wrong in [json!(0), json!(3651)] {
        let refused = put(&with(wrong));
        assert_eq!((refused.status, &body(&refused)["field"]), (422, &json!("keep_days")));
    }
    put(&with(json!(7)));
    let days = || state.connection("acme").unwrap().unwrap().keep_days;
    let mut form = connection();
    form["keep_secrets"] = json!(true);
    put(&form);
    assert_eq!(days(), Some(7));
    ask(&http, &state, "POST", "/v1/connections/acme/check", &Value::Null, 1_000);
    assert_eq!(days(), Some(7));
    put(&connection());
    assert_eq!(days(), None);
}

#[test]
fn a_redacted_conversation_is_forgotten_once_human_agents_no_longer_have_it() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let path = handed_over(&http, &state);
    let id = path.rsplit('/').next().unwrap();
    let connection = state.connection("acme").unwrap().unwrap();
    let redact = || {
        with_service(&http, &state, |service| service.redact(&connection, id)).unwrap();
    };
    redact();
    let open = state.handoff("acme", id).unwrap().unwrap();
    assert!(open.is_redacted && open.is_with_humans(), "it goes on while human agents have it");
    let closed = ask(&http, &state, "POST", &format!("{path}/close"), &json!({ "reason": "user-left" }), 5_000);
    assert_eq!(closed.status, 200);
    assert!(state.handoff("acme", id).unwrap().is_none(), "nothing is kept after that");
    redact();
    // One that has ended goes at once.
    let ended = hand_over(&http, &state, "acme", "user-1", "2");
    let place = format!("/v1/connections/acme/handoffs/{ended}/close");
    ask(&http, &state, "POST", &place, &json!({ "reason": "user-left" }), 5_000);
    assert!(state.handoff("acme", &ended).unwrap().is_some());
    with_service(&http, &state, |service| service.redact(&connection, &ended)).unwrap();
    assert!(state.handoff("acme", &ended).unwrap().is_none());
}

#[test]
fn every_field_of_the_record_stands_in_the_table() {
    let mut full = crate::state::Handoff::new("acme", "h-1", Default::default(), 1);
    full.event_queue = Some(Default::default());
    full.failing = Some(crate::state::Failing { since: 1, times: 1, until: 1 });
    (full.worked_off, full.is_redacted) = (vec!["d".into()], true);
    full.could_not_tell("n-1", &json!(["event"]));
    full.platform.locale = Some("de".into());
    full.task = Some(crate::state::Task { secret: "s".into(), created_at: 1, after: 0, is_cancelled: false });
    let record = serde_json::to_value(&full).unwrap();
    let names = |value: &Value, before: &str| {
        let fields = value.as_object().unwrap().keys();
        fields.map(|name| format!("{before}{name}")).collect::<std::collections::BTreeSet<_>>()
    };
    let mut fields = names(&record, "");
    for nested in ["platform", "mailbox"] {
        fields.remove(nested);
        fields.extend(names(&record[nested], &format!("{nested}.")));
    }
    let text = include_str!("../../../../docs/people-data.md");
    let table = text.split("<!-- record -->").nth(1).unwrap().split("<!-- end record -->").next().unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let documented = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    assert_eq!(fields, documented);
}

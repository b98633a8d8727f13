//! No agent is available: a ticket replaces the conversation, and its answers come back.

use e2e::{Environment, Store, delight_settings};
use platform_simulator::Config;
use serde_json::{Value, json};
use spin_emulator::SqliteFile;

use crate::cast::{OnDelight, OnGeneric, within};

fn store() -> Store {
    Store::Sqlite(SqliteFile::default())
}

/// Connects the account again, with its ticket desk, and sends its human agents home.
async fn after_hours(stage: &Environment, platform: &Value) {
    let mut settings = stage.settings();
    settings["test_ticket_origin"] = stage.freshworks.ticket_origin().into();
    settings["ticket_api_key"] = stage.freshworks.ticket_api_key().into();
    settings["availability"] = "hours".into();
    let body = json!({ "settings": settings, "platform": platform });
    let answer = stage.api.call("PUT", "/v1/connections/acme", &body).await.unwrap();
    assert_eq!(answer.body["connected"], true, "{answer:?}");
    stage.freshworks.set_behaviour(|it| it.within_business_hours = false);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_delight_the_end_user_learns_that_a_ticket_was_filed() {
    let it = OnDelight::start(store(), 1, Config::default()).await;
    after_hours(&it.stage, &delight_settings(&it.platform)).await;
    let channel = it.opened("ana");
    it.platform.hand_off(&channel);
    let is_told = |seen: &[platform_simulator::Seen]| seen.iter().any(|seen| seen.text.starts_with("Nobody is there"));
    let seen = within("the user is told", it.platform.wait_for(&channel, is_told)).await;
    it.platform.settle().await;
    assert_eq!(seen.iter().filter(|seen| seen.text.starts_with("Nobody is there")).count(), 1);
    let tickets = it.stage.freshworks.tickets();
    assert_eq!((tickets.len(), it.stage.freshworks.conversations().len()), (1, 0));
    assert!(tickets[0].description_text.contains("ana: my parcel is lost"));
    assert_eq!(tickets[0].requester.facts.email.as_deref(), Some("ana@example.com"));
    let context = it.platform.context(&channel)["context"].clone();
    assert_eq!(context["handoff_outcome"], "ticketed");
    assert_eq!(context["handoff_case_id"], format!("fd:{}", tickets[0].id));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_a_ticket_reach_any_platform() {
    let it = OnGeneric::start(store(), 1).await;
    let platform = json!({ "kind": "generic", "callback_url": it.platform.callback_url(), "secret": e2e::SECRET });
    after_hours(&it.stage, &platform).await;
    let request = json!({
        "key": { "application": "app", "channel": "web", "conversation": "c-1" },
        "user": { "id": "user-1", "name": "Ana Santos", "email": "ana@example.com" },
        "mode": "automatic", "reason": "user-asked", "summary": "A parcel is lost.",
    });
    let path = "/v1/connections/acme/handoffs";
    let filed = it.stage.api.call("POST", path, &request).await.unwrap();
    assert_eq!((filed.status, &filed.body["state"]), (200, &json!("ticketed")), "{filed:?}");
    let ticket = it.stage.freshworks.tickets().remove(0);
    assert_eq!(filed.body["external_case"]["case_id"], format!("fd:{}", ticket.id));
    let maya = it.stage.freshworks.ticket_agent_id("Maya Chen").unwrap();
    it.stage.freshworks.ticket_reply(ticket.id, maya, "<p>It is <b>found</b></p>").unwrap();
    let look = format!("{path}/{}/tick", filed.body["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(it.stage.api.call("POST", &look, &Value::Null).await.unwrap().status, 200);
    }
    let replied = |events: &[Value]| events.iter().any(|event| event["kind"] == "ticket-replied");
    let events = within("the answer arrives", it.platform.wait_for("c-1", replied)).await;
    let texts: Vec<&Value> = events.iter().map(|event| &event["message"]["parts"][0]["text"]).collect();
    assert_eq!(texts, [&json!("It is found")], "once, and as plain text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_answered_and_makes_nothing() {
    let it = OnGeneric::start(store(), 1).await;
    let request = json!({
        "key": { "application": "app", "channel": "web", "conversation": "c-1" },
        "user": { "id": "user-1" }, "mode": "live", "reason": "user-asked", "summary": "A parcel is lost.",
    });
    let plan = it.stage.api.call("POST", "/v1/connections/acme/preview", &request).await.unwrap();
    assert_eq!(plan.status, 200, "{plan:?}");
    assert!(plan.body["texts"][0].as_str().unwrap().contains("A parcel is lost."));
    assert!(it.stage.freshworks.users().is_empty() && it.stage.freshworks.conversations().is_empty());
}

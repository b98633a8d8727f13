//! Switches of the chat service.

use freshworks_simulator::{AgentSpec, Availability, BusinessHoursForm, UndeclaredProperties};
use serde_json::json;

use crate::support::Account;

#[tokio::test]
async fn agents_show_whether_they_take_conversations() {
    let it = Account::start().await;
    let away = AgentSpec { availability: Availability::Away, ..AgentSpec::named("Eve Away", "eve@acme.example") };
    let away = it.sim.add_agent(away);
    assert_eq!(it.get(&format!("/v2/agents/{away}")).await.ok()["availability_status"], "AWAY");
    let agents = it.get("/v2/agents").await.ok();
    let shown: Vec<_> = agents["agents"].as_array().unwrap().iter().map(|it| &it["availability_status"]).collect();
    assert_eq!(shown, ["AVAILABLE", "AVAILABLE", "AWAY"]);
}

#[tokio::test]
async fn properties_that_are_not_declared_are_kept_or_refused() {
    let it = Account::start().await;
    let mut body = it.conversation("hello");
    body["properties"] = json!({ "cf_secret_wish": "x" });
    let id = it.post("/v2/conversations", body.clone()).await.ok()["conversation_id"].as_str().unwrap().to_owned();
    assert_eq!(it.sim.conversation(&id).unwrap().properties["cf_secret_wish"], "x");

    it.sim.set_behaviour(|behaviour| behaviour.undeclared_properties = UndeclaredProperties::Refuse);
    let path = format!("/v2/conversations/{id}");
    for answer in [it.post("/v2/conversations", body.clone()).await, it.put(&path, body).await] {
        let (status, symbol, _) = answer.refusal();
        assert_eq!((status, symbol.as_str()), (400, "INVALID_VALUE"));
    }
    assert_eq!(it.texts(&id), ["hello"]);
    let listed = it.get("/v2/conversations/fields").await.ok();
    for field in listed.as_array().unwrap().iter().filter(|field| field["custom"] == true) {
        it.put(&path, json!({ "properties": { field["name"].as_str().unwrap(): "x" } })).await.ok();
    }
    // Fields of the product are not custom ones.
    it.put(&path, json!({ "properties": { "priority": "High" } })).await.ok();
}

#[tokio::test]
async fn business_hours_are_returned_in_either_form() {
    let it = Account::start().await;
    let path = format!("/v2/business-hours/within-bh?group_id={}", it.group);
    assert_eq!(it.get(&path).await.ok(), json!({ "within_business_hours": true }));
    it.sim.set_behaviour(|behaviour| {
        behaviour.business_hours_form = BusinessHoursForm::WithinBh;
        behaviour.within_business_hours = false;
    });
    assert_eq!(it.get(&path).await.ok(), json!({ "within_bh": false }));
}

#[tokio::test]
async fn properties_of_users_are_kept_and_changed_by_name() {
    let it = Account::start().await;
    let property = |name: &str, value: &str| json!({ "name": name, "value": value });
    let body = json!({ "first_name": "Bo", "properties": [property("plan", "free"), property("source", "platform")] });
    let id = it.post("/v2/users", body).await.ok()["id"].as_str().unwrap().to_owned();
    let changed = it.put(&format!("/v2/users/{id}"), json!({ "properties": [property("plan", "pro")] })).await;
    assert_eq!(changed.status, 200);
    let user = it.sim.users().into_iter().find(|user| user.id == id).unwrap();
    let mut properties = user.properties;
    properties.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(properties, [pair("plan", "pro"), pair("source", "platform")]);
}

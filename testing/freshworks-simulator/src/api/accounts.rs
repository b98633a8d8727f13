//! The account, its agents and groups, its hours.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use serde_json::{Value, json};

use super::App;
use super::paging::envelope;
use crate::config::{AgentFilters, Availability, BusinessHoursForm, StatusList};
use crate::lock;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::views::{agent_status, agent_view, group_view};

/// `GET /v2/accounts/configuration`: what integrators use to check a key.
pub(super) async fn configuration(State(app): State<App>) -> Json<Value> {
    let store = lock(&app.store);
    let account = &store.account;
    Json(json!({
        "account_id": account.account_id,
        "account_domain": format!("{}.freshchat.com", account.name),
        "app_id": account.app_id,
        "bundle_id": account.bundle_id,
        "bundle_type": "CUSTOMER_SERVICE_SUITE",
        "plan_type": "PRO",
        "datacenter": "US",
        "organisation_id": account.organisation_id,
        "organisation_domain": format!("{}.myfreshworks.com", account.name),
        "web_chat_id": account.web_chat_id,
    }))
}

/// `GET /v2/agents`, with the published filters `groups` (one id), `availability_status` and `is_deactivated`.
pub(super) async fn agents(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Refusal> {
    let behaviour = app.behaviour();
    let query = Query::of(&uri);
    let filters = ["groups", "availability_status", "is_deactivated"].map(|name| query.get(name));
    let filters = match behaviour.agent_filters {
        AgentFilters::Ignored => [None; 3],
        AgentFilters::Refused if filters.iter().any(Option::is_some) => return Err(Refusal::invalid("INVALID_FILTER")),
        AgentFilters::Refused | AgentFilters::Honoured => filters,
    };
    let [group, availability, deactivated] = filters;
    if availability.is_some_and(|word| !["AVAILABLE", "UNAVAILABLE"].contains(&word)) {
        return Err(Refusal::invalid("INVALID_AVAILABILITY_STATUS"));
    }
    let store = lock(&app.store);
    let mut agents = store.agents.clone();
    if let Some(id) = group {
        let name = &store.group(id).ok_or_else(|| Refusal::not_found("group"))?.spec.name;
        agents.retain(|agent| agent.spec.groups.contains(name));
    }
    agents.retain(|agent| {
        let available = agent.spec.availability == Availability::Available;
        availability.is_none_or(|word| (word == "AVAILABLE") == available)
            && deactivated.is_none_or(|word| (word == "true") == agent.spec.deactivated)
    });
    envelope("agents", &uri, &agents, &behaviour, |agent| agent_view(&store, agent)).map(Json)
}

/// `GET /v2/agents/status`: the states that agents can be in.
pub(super) async fn agent_statuses(State(app): State<App>) -> Json<Value> {
    let name = match app.behaviour().status_list {
        StatusList::States => "states",
        StatusList::Statuses => "statuses",
    };
    Json(json!({ name: [agent_status()] }))
}

/// `GET /v2/agents/{id}`
pub(super) async fn agent(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let store = lock(&app.store);
    let agent = store.agent(&id).ok_or_else(|| Refusal::not_found("agent"))?;
    Ok(Json(agent_view(&store, agent)))
}

/// `GET /v2/groups`
pub(super) async fn groups(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Refusal> {
    let behaviour = app.behaviour();
    envelope("groups", &uri, &lock(&app.store).groups, &behaviour, group_view).map(Json)
}

/// `GET /v2/business-hours/within-bh`: 400 for an unknown group is reported, the form of the response is not.
pub(super) async fn within_business_hours(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Refusal> {
    if let Some(group) = Query::of(&uri).get("group_id")
        && lock(&app.store).group(group).is_none()
    {
        return Err(Refusal::invalid("INVALID_GROUP_ID"));
    }
    let behaviour = app.behaviour();
    let name = match behaviour.business_hours_form {
        BusinessHoursForm::WithinBusinessHours => "within_business_hours",
        BusinessHoursForm::WithinBh => "within_bh",
    };
    Ok(Json(json!({ name: behaviour.within_business_hours })))
}

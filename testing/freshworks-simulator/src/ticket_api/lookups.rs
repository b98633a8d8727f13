//! Look-ups around tickets: fields, groups, the caller's own agent, requesters, files.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::paging::Page;
use super::refusal::TicketRefusal;
use super::tickets::linked;
use super::views::{agent_view, contact_view, group_view, many, one, requester_view};
use super::{App, TicketId};
use crate::config::Behaviour;
use crate::lock;
use crate::query::Query;
use crate::tickets::{PRIORITIES, Requester, TYPES, TicketAgent, TicketDesk, TicketFieldKind, TicketProduct};

/// `GET /ticket_fields`: Freshdesk only.
pub(super) async fn ticket_fields(State(app): State<App>) -> Result<Json<Value>, TicketRefusal> {
    fields(&app, TicketProduct::Freshdesk)
}

/// `GET /ticket_form_fields`: Freshservice's name for it (in integrators' clients).
pub(super) async fn ticket_form_fields(State(app): State<App>) -> Result<Json<Value>, TicketRefusal> {
    fields(&app, TicketProduct::Freshservice)
}

fn fields(app: &App, product: TicketProduct) -> Result<Json<Value>, TicketRefusal> {
    let behaviour = app.behaviour();
    let desk = lock(&app.tickets);
    only(&desk, product)?;
    Ok(Json(many(desk.product, "ticket_fields", field_views(&desk, &behaviour))))
}

/// 404 for a path that the other product has.
fn only(desk: &TicketDesk, product: TicketProduct) -> Result<(), TicketRefusal> {
    if desk.product == product { Ok(()) } else { Err(TicketRefusal::NotFound) }
}

fn field_views(desk: &TicketDesk, behaviour: &Behaviour) -> Vec<Value> {
    let by_name = |table: &[(u64, &str)]| -> Value {
        table.iter().map(|(code, name)| ((*name).to_owned(), json!(code))).collect::<Map<_, _>>().into()
    };
    let statuses: Map<String, Value> =
        desk.product.statuses().iter().map(|(code, name)| (code.to_string(), json!([name, name]))).collect();
    let groups: Map<String, Value> = desk.groups.iter().map(|group| (group.name.clone(), json!(group.id))).collect();
    // Name, label, mandatory for agents in a new account, the name in tickets, choices.
    let mut defaults = vec![
        ("requester", "Requester", true, "requester_id", Value::Null),
        ("subject", "Subject", true, "subject", Value::Null),
        ("ticket_type", "Type", false, "type", json!(TYPES)),
        ("source", "Source", false, "source", by_name(desk.product.sources())),
        ("status", "Status", true, "status", Value::Object(statuses)),
        ("priority", "Priority", true, "priority", by_name(&PRIORITIES)),
        ("group", "Group", false, "group_id", Value::Object(groups)),
        ("agent", "Agent", false, "responder_id", Value::Null),
        ("description", "Description", true, "description", Value::Null),
    ];
    // Which of them a desk lists depends on its plan; that these are listed is a belief.
    defaults.extend(match desk.product {
        TicketProduct::Freshdesk => [
            ("product", "Product", false, "product_id", Value::Null),
            ("company", "Company", false, "company_id", Value::Null),
        ],
        TicketProduct::Freshservice => [
            ("department", "Department", false, "department_id", Value::Null),
            ("category", "Category", false, "category", Value::Null),
        ],
    });
    let mandatory = |name: &str| behaviour.ticket_required.iter().any(|required| required == name);
    let field = |position: usize, name: &str, label: &str, kind: String, own: bool, required: bool| {
        json!({
            "id": position,
            "name": name,
            "label": label,
            "description": null,
            "position": position,
            "type": kind,
            "default": own,
            "required_for_closure": false,
            "required_for_agents": required,
            "required_for_customers": false,
        })
    };
    let own = defaults.into_iter().map(|(name, label, required, in_tickets, choices)| {
        (name.to_owned(), label.to_owned(), format!("default_{name}"), true, required || mandatory(in_tickets), choices)
    });
    let custom = desk.custom_fields.iter().map(|field| {
        let name = &field.name;
        let label = name.strip_prefix("cf_").unwrap_or(name).replace('_', " ");
        let choices = match (&field.kind, desk.product) {
            (TicketFieldKind::Dropdown(choices), TicketProduct::Freshdesk) => json!(choices),
            (TicketFieldKind::Dropdown(choices), TicketProduct::Freshservice) => {
                choices.iter().zip(1..).map(|(value, id)| json!({ "id": id, "value": value })).collect()
            }
            _ => Value::Null,
        };
        (name.clone(), label, field.kind.word().to_owned(), false, mandatory(name), choices)
    });
    let views = own.chain(custom).zip(1..).map(|((name, label, kind, own, required, choices), position)| {
        let mut view = field(position, &name, &label, kind, own, required);
        if !choices.is_null() {
            view["choices"] = choices;
        }
        view
    });
    views.collect()
}

/// `GET /groups`
pub(super) async fn groups(State(app): State<App>, uri: Uri) -> Result<Response, TicketRefusal> {
    let page = Page::of(&Query::of(&uri))?;
    let desk = lock(&app.tickets);
    let (groups, link) = page.of_items(&desk.groups, &app.ticket_origin, &uri);
    Ok(linked(link, many(desk.product, "groups", groups.iter().map(group_view).collect())))
}

/// `GET /agents`, with the published filter `email`.
pub(super) async fn agents(State(app): State<App>, uri: Uri) -> Result<Response, TicketRefusal> {
    let query = Query::of(&uri);
    let page = Page::of(&query)?;
    let desk = lock(&app.tickets);
    let fits = |agent: &&TicketAgent| query.get("email").is_none_or(|email| agent.email.eq_ignore_ascii_case(email));
    let agents: Vec<&TicketAgent> = desk.agents.iter().filter(fits).collect();
    let (agents, link) = page.of_items(&agents, &app.ticket_origin, &uri);
    let views = agents.iter().map(|agent| agent_view(desk.product, agent)).collect();
    Ok(linked(link, many(desk.product, "agents", views)))
}

/// `GET /agents/{id}`
pub(super) async fn agent(State(app): State<App>, TicketId(id): TicketId) -> Result<Json<Value>, TicketRefusal> {
    let desk = lock(&app.tickets);
    let agent = desk.agents.iter().find(|agent| agent.id == id).ok_or(TicketRefusal::NotFound)?;
    Ok(Json(one(desk.product, "agent", agent_view(desk.product, agent))))
}

/// `GET /agents/me`: the agent whom the key belongs to, the first one of the account.
pub(super) async fn own_agent(State(app): State<App>) -> Result<Json<Value>, TicketRefusal> {
    let desk = lock(&app.tickets);
    let agent = desk.agents.first().ok_or(TicketRefusal::NotFound)?;
    Ok(Json(one(desk.product, "agent", agent_view(desk.product, agent))))
}

/// `GET /contacts`: Freshdesk only.
pub(super) async fn contacts(State(app): State<App>, uri: Uri) -> Result<Response, TicketRefusal> {
    people(&app, &uri, TicketProduct::Freshdesk, contact_view)
}

/// `GET /requesters`: Freshservice's name for it (in integrators' clients).
pub(super) async fn requesters(State(app): State<App>, uri: Uri) -> Result<Response, TicketRefusal> {
    people(&app, &uri, TicketProduct::Freshservice, requester_view)
}

fn people(
    app: &App,
    uri: &Uri,
    product: TicketProduct,
    view: impl Fn(&Requester) -> Value,
) -> Result<Response, TicketRefusal> {
    let query = Query::of(uri);
    let page = Page::of(&query)?;
    let desk = lock(&app.tickets);
    only(&desk, product)?;
    let exact = |name: &str, found: &Option<String>| query.get(name).is_none_or(|it| found.as_deref() == Some(it));
    let fits = |requester: &&Requester| {
        let facts = &requester.facts;
        query.get("email").is_none_or(|email| facts.has_email(email))
            && exact("phone", &facts.phone)
            && exact("unique_external_id", &facts.unique_external_id)
    };
    let found: Vec<&Requester> = desk.requesters.iter().filter(fits).collect();
    let (found, link) = page.of_items(&found, &app.ticket_origin, uri);
    Ok(linked(link, many(product, "requesters", found.iter().map(|requester| view(requester)).collect())))
}

/// `GET /attachments/{id}/{name}`: not part of the API; `attachment_url` leads here, without a key as in live accounts.
pub(super) async fn attachment(
    State(app): State<App>,
    Path((id, _)): Path<(u64, String)>,
) -> Result<Response, TicketRefusal> {
    let desk = lock(&app.tickets);
    let files = desk
        .tickets
        .iter()
        .flat_map(|ticket| ticket.attachments.iter().chain(ticket.entries.iter().flat_map(|entry| &entry.attachments)));
    let file = files.into_iter().find(|file| file.id == id).ok_or(TicketRefusal::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, file.content_type.clone()),
        // Files are untrusted; a browser must not run them.
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, file.content.clone()).into_response())
}

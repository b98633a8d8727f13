//! The inbox page and the small API behind it: what a human agent does in a browser.
//!
//! It has no key, so it answers only requests that name this machine: a page from elsewhere cannot reach it, not even
//! by a name that it points here. The server listens on the loopback address alone.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Inner;
use crate::agent::Assignee;
use crate::delivery::{Delivery, Outcome};
use crate::ids::iso_time;
use crate::lock;
use crate::refusal::Refusal;
use crate::store::{Actor, ActorType, Conversation, MessageType, Status, Store, User};
use crate::tickets::{Ticket, TicketProduct};

type App = Arc<Inner>;

/// The page, its API, and the files behind links in messages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(page))
        .route("/simulator/state", get(state))
        .route("/simulator/webhook", post(webhook))
        .route("/simulator/conversations/{id}/reply", post(reply))
        .route("/simulator/conversations/{id}/note", post(note))
        .route("/simulator/conversations/{id}/assign", post(assign))
        .route("/simulator/conversations/{id}/resolve", post(resolve))
        .route("/simulator/conversations/{id}/reopen", post(reopen))
        .layer(middleware::from_fn(local_only))
        .route("/uploads/{hash}/{name}", get(crate::api::download))
}

async fn local_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if ["127.0.0.1", "localhost", "[::1]"].contains(&name) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

async fn page() -> impl IntoResponse {
    const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                          connect-src 'self'; img-src 'self'";
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(include_str!("inbox.html")))
}

/// Everything the page shows.
async fn state(State(app): State<App>) -> Json<Value> {
    let store = lock(&app.store);
    let mut conversations: Vec<&Conversation> = store.conversations.rows().iter().collect();
    conversations.sort_by_key(|conversation| std::cmp::Reverse(conversation.updated_ms));
    let agents: Vec<_> = store.agents.iter().map(|agent| json!({ "id": agent.id, "name": agent.name() })).collect();
    let groups: Vec<_> = store.groups.iter().map(|group| json!({ "id": group.id, "name": group.spec.name })).collect();
    let topics: Vec<_> = store.topics.iter().map(|topic| json!({ "id": topic.id, "name": topic.spec.name })).collect();
    let tickets: Vec<_> = lock(&app.tickets).tickets.iter().rev().take(12).map(ticket_view).collect();
    let deliveries = app.outbox.sent.all();
    let recent: Vec<_> = deliveries.iter().rev().take(12).map(delivery_view).collect();
    Json(json!({
        "account": store.account.name,
        "webhook": *lock(&app.outbox.url),
        "agents": agents,
        "groups": groups,
        "topics": topics,
        "conversations": conversations.iter().map(|it| conversation_view(&store, it)).collect::<Vec<_>>(),
        "tickets": tickets,
        "deliveries": recent,
    }))
}

fn delivery_view(delivery: &Delivery) -> Value {
    let outcome = match delivery.outcome {
        Outcome::Recorded => "recorded".to_owned(),
        Outcome::Dropped => "dropped".to_owned(),
        Outcome::Answered(status) => status.to_string(),
        Outcome::TimedOut => "timed out".to_owned(),
        Outcome::Failed => "unreachable".to_owned(),
    };
    json!({
        "action": delivery.action.name(),
        "outcome": outcome,
        "retry": delivery.retry_count,
        "at": iso_time(delivery.at_ms),
    })
}

fn conversation_view(store: &Store, conversation: &Conversation) -> Value {
    let messages: Vec<_> = conversation
        .messages
        .iter()
        .map(|message| {
            json!({
                "id": message.id,
                "actor_type": message.actor.kind,
                "name": actor_name(store, &message.actor),
                "type": message.message_type,
                "parts": message.parts,
                "at": iso_time(message.created_ms),
            })
        })
        .collect();
    let group = conversation.assigned_group_id.as_deref().and_then(|id| store.group(id));
    let agent = conversation.assigned_agent_id.as_deref().and_then(|id| store.agent(id));
    let user = store.users.get(&conversation.user_id);
    json!({
        "id": conversation.id,
        "internal_id": conversation.internal_id.to_string(),
        "status": conversation.status,
        "superseded": conversation.superseded,
        "user": user.map(user_name),
        "user_facts": user.map(user_facts),
        "topic": store.topic(&conversation.channel_id).map(|topic| &topic.spec.name),
        "agent_id": conversation.assigned_agent_id,
        "agent": agent.map(crate::Agent::name),
        "group": group.map(|group| &group.spec.name),
        "properties": conversation.properties,
        "updated": iso_time(conversation.updated_ms),
        "messages": messages,
    })
}

/// A ticket as the page shows it: texts, never HTML.
fn ticket_view(ticket: &Ticket) -> Value {
    // The page asks every second; a ticket may have megabytes.
    let beginning = |text: &str| text.chars().take(2000).collect::<String>();
    let facts = &ticket.requester.facts;
    let names = [&facts.name, &facts.email, &facts.phone, &facts.unique_external_id];
    let thread: Vec<_> = ticket
        .entries
        .iter()
        .map(|entry| {
            json!({
                "text": beginning(&entry.body_text),
                "private": entry.private,
                "incoming": entry.incoming,
                "files": entry.attachments.len(),
                "at": iso_time(entry.created_ms),
            })
        })
        .collect();
    json!({
        "id": ticket.id,
        "subject": ticket.subject,
        "requester": names.into_iter().flatten().next(),
        "status": TicketProduct::Freshdesk.statuses().iter().find(|(code, _)| *code == ticket.status).map(|it| it.1),
        "text": beginning(&ticket.description_text),
        "files": ticket.attachments.len(),
        "thread": thread,
        "at": iso_time(ticket.created_ms),
    })
}

fn user_name(user: &User) -> String {
    let names = [user.first_name.as_deref(), user.last_name.as_deref()];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let fallbacks = [&user.email, &user.reference_id, &user.phone];
    if name.is_empty() {
        fallbacks.into_iter().flatten().next().cloned().unwrap_or_else(|| "User".into())
    } else {
        name
    }
}

fn user_facts(user: &User) -> Vec<(String, String)> {
    let fixed = [("E-mail", &user.email), ("Phone", &user.phone), ("Reference", &user.reference_id)];
    let fixed = fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    fixed.chain(user.properties.iter().cloned()).collect()
}

fn actor_name(store: &Store, actor: &Actor) -> String {
    let name = match actor.kind {
        ActorType::User => store.users.get(&actor.id).map(user_name),
        ActorType::Agent => store.agent(&actor.id).map(crate::Agent::name),
        ActorType::System | ActorType::Bot => Some("Bot".into()),
    };
    name.unwrap_or_else(|| "Unknown".into())
}

#[derive(Deserialize)]
struct Text {
    agent: String,
    text: String,
}

#[derive(Deserialize)]
struct By {
    agent: String,
}

#[derive(Deserialize)]
struct Assign {
    agent: String,
    /// Absent: to the agent who asks.
    to_agent: Option<String>,
    to_group: Option<String>,
}

#[derive(Deserialize)]
struct Webhook {
    url: Option<String>,
}

type Answer = Result<Json<Value>, Refusal>;

fn tried(deliveries: Result<Vec<Delivery>, Refusal>) -> Answer {
    Ok(Json(json!({ "deliveries": deliveries?.iter().map(delivery_view).collect::<Vec<_>>() })))
}

async fn reply(State(app): State<App>, Path(id): Path<String>, Json(it): Json<Text>) -> Answer {
    tried(app.agent_writes(&id, &it.agent, MessageType::Normal, &it.text).await)
}

async fn note(State(app): State<App>, Path(id): Path<String>, Json(it): Json<Text>) -> Answer {
    tried(app.agent_writes(&id, &it.agent, MessageType::Private, &it.text).await)
}

async fn assign(State(app): State<App>, Path(id): Path<String>, Json(it): Json<Assign>) -> Answer {
    let to = match (&it.to_group, &it.to_agent) {
        (Some(group), _) => Assignee::Group(group),
        (None, Some(agent)) => Assignee::Agent(agent),
        (None, None) => Assignee::Agent(&it.agent),
    };
    tried(app.agent_assigns(&id, &it.agent, to).await)
}

async fn resolve(State(app): State<App>, Path(id): Path<String>, Json(it): Json<By>) -> Answer {
    tried(app.agent_sets_status(&id, &it.agent, Status::Resolved).await)
}

async fn reopen(State(app): State<App>, Path(id): Path<String>, Json(it): Json<By>) -> Answer {
    tried(app.agent_sets_status(&id, &it.agent, Status::Reopened).await)
}

async fn webhook(State(app): State<App>, Json(it): Json<Webhook>) -> Json<Value> {
    let url = it.url.filter(|url| !url.is_empty());
    lock(&app.outbox.url).clone_from(&url);
    Json(json!({ "webhook": url }))
}

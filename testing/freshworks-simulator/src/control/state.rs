//! What the page shows; it polls once a second.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{App, faults};
use crate::delivery::{Delivery, Outcome};
use crate::ids::iso_time;
use crate::lock;
use crate::store::{Actor, ActorType, Conversation, Store, User};
use crate::tickets::{Ticket, TicketDesk};

/// How many tickets the page gets, the newest first.
const TICKETS: usize = 50;

/// Everything the page shows.
pub(super) async fn state(State(app): State<App>) -> Json<Value> {
    let store = lock(&app.store);
    let mut conversations: Vec<&Conversation> = store.conversations.rows().iter().collect();
    conversations.sort_by_key(|conversation| std::cmp::Reverse(conversation.updated_ms));
    let agents: Vec<_> = store.agents.iter().map(|agent| json!({ "id": agent.id, "name": agent.name() })).collect();
    let groups: Vec<_> = store.groups.iter().map(|group| json!({ "id": group.id, "name": group.spec.name })).collect();
    let topics: Vec<_> = store.topics.iter().map(|topic| json!({ "id": topic.id, "name": topic.spec.name })).collect();
    let (tickets, ticket_statuses) = ticket_views(&lock(&app.tickets));
    let deliveries = app.outbox.sent.all();
    let recent: Vec<_> = deliveries.iter().rev().take(12).map(delivery_view).collect();
    Json(json!({
        "account": store.account.name,
        "origin": app.origin,
        "webhook": *lock(&app.outbox.url),
        "agents": agents,
        "groups": groups,
        "topics": topics,
        "conversations": conversations.iter().map(|it| conversation_view(&store, it)).collect::<Vec<_>>(),
        "tickets": tickets,
        "ticket_statuses": ticket_statuses,
        "faults": faults::waiting(&app.faults),
        "deliveries": recent,
    }))
}

pub(super) fn delivery_view(delivery: &Delivery) -> Value {
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

/// The newest tickets, and the statuses that they may have.
fn ticket_views(desk: &TicketDesk) -> (Vec<Value>, Vec<Value>) {
    let tickets = desk.tickets.iter().rev().take(TICKETS).map(|ticket| ticket_view(desk, ticket)).collect();
    let statuses = desk.product.statuses().iter().map(|(code, name)| json!({ "code": code, "name": name })).collect();
    (tickets, statuses)
}

/// A ticket as the page shows it: texts, never HTML.
fn ticket_view(desk: &TicketDesk, ticket: &Ticket) -> Value {
    // The page asks every second; a ticket may have megabytes.
    let beginning = |text: &str| text.chars().take(2000).collect::<String>();
    let facts = &ticket.requester.facts;
    let names = [&facts.name, &facts.email, &facts.phone, &facts.unique_external_id];
    let thread: Vec<_> = ticket
        .entries
        .iter()
        .map(|entry| {
            json!({
                "id": entry.id,
                "name": desk.agents.iter().find(|agent| agent.id == entry.user_id).map(|agent| &agent.name),
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
        "status": desk.product.statuses().iter().find(|(code, _)| *code == ticket.status).map(|it| it.1),
        "status_code": ticket.status,
        "text": beginning(&ticket.description_text),
        "files": ticket.attachments.len(),
        "thread": thread,
        "updated": iso_time(ticket.updated_ms),
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

//! What the agent does with a ticket. The ticket service has other ids for its agents; the e-mail address identifies
//! a person in both services.

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{App, Reply, Text};
use crate::refusal::Refusal;
use crate::tickets::{EntryKind, NewEntry};
use crate::{Inner, lock};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/simulator/tickets/{id}/reply", post(reply))
        .route("/simulator/tickets/{id}/note", post(note))
        .route("/simulator/tickets/{id}/status", post(status))
}

#[derive(Deserialize)]
struct NewStatus {
    status: u64,
}

async fn reply(State(app): State<App>, Path(id): Path<u64>, Json(it): Json<Text>) -> Reply {
    write(&app, id, &it, EntryKind::Reply)
}

async fn note(State(app): State<App>, Path(id): Path<u64>, Json(it): Json<Text>) -> Reply {
    write(&app, id, &it, EntryKind::Note)
}

fn write(app: &Inner, id: u64, it: &Text, kind: EntryKind) -> Reply {
    let agent = ticket_agent(app, &it.agent)?;
    let private = kind == EntryKind::Note;
    let entry = NewEntry { private, ..NewEntry::of(kind, agent, &html(&it.text)) };
    app.agent_adds_to_ticket(id, entry).map(|entry| Json(json!({ "entry": entry })))
}

async fn status(State(app): State<App>, Path(id): Path<u64>, Json(it): Json<NewStatus>) -> Reply {
    if lock(&app.tickets).product.statuses().iter().all(|(code, _)| *code != it.status) {
        return Err(Refusal::invalid("INVALID_STATUS"));
    }
    app.agent_sets_ticket_status(id, it.status)?;
    Ok(Json(json!({ "status": it.status })))
}

/// The id in the ticket service of an agent of the chat service.
fn ticket_agent(app: &Inner, id: &str) -> Result<u64, Refusal> {
    let unknown = || Refusal::not_found("agent");
    let email = lock(&app.store).agent(id).ok_or_else(unknown)?.spec.email.clone();
    lock(&app.tickets).agents.iter().find(|agent| agent.email == email).map(|agent| agent.id).ok_or_else(unknown)
}

/// An agent's input as the HTML that the ticket service stores.
fn html(text: &str) -> String {
    html_escape::encode_text(text).replace('\n', "<br>")
}

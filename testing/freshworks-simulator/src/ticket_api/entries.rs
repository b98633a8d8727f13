//! Notes and replies of a ticket, which the API calls conversations.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::fields::Fields;
use super::paging::Page;
use super::refusal::{FieldError, TicketRefusal};
use super::tickets::{linked, too_large};
use super::views::{entry_view, many, one};
use super::{App, TicketId};
use crate::lock;
use crate::query::Query;
use crate::tickets::{EntryKind, NewEntry, TicketDesk};

/// `GET /tickets/{id}/conversations`: oldest first.
pub(super) async fn list(State(app): State<App>, TicketId(id): TicketId, uri: Uri) -> Result<Response, TicketRefusal> {
    let page = Page::of(&Query::of(&uri))?;
    let desk = lock(&app.tickets);
    let ticket = desk.present(id).ok_or(TicketRefusal::NotFound)?;
    let (entries, link) = page.of_items(&ticket.entries, &app.ticket_origin, &uri);
    let views = entries.iter().map(|entry| entry_view(ticket, entry, &app.ticket_origin)).collect();
    Ok(linked(link, many(desk.product, "conversations", views)))
}

/// `POST /tickets/{id}/notes`: private unless it says otherwise.
pub(super) async fn note(
    State(app): State<App>,
    TicketId(id): TicketId,
    fields: Fields,
) -> Result<Response, TicketRefusal> {
    add(&app, id, fields, |desk, fields| {
        let mut entry = NewEntry::of(EntryKind::Note, author(desk, fields), "");
        entry.private = fields.truth("private").unwrap_or(true);
        entry.incoming = fields.truth("incoming").unwrap_or(false);
        entry.to_emails = fields.strings("notify_emails").unwrap_or_default();
        entry
    })
}

/// `POST /tickets/{id}/reply`: an e-mail to the requester.
pub(super) async fn reply(
    State(app): State<App>,
    TicketId(id): TicketId,
    fields: Fields,
) -> Result<Response, TicketRefusal> {
    add(&app, id, fields, |desk, fields| {
        let mut entry = NewEntry::of(EntryKind::Reply, author(desk, fields), "");
        entry.cc_emails = fields.strings("cc_emails").unwrap_or_default();
        entry.bcc_emails = fields.strings("bcc_emails").unwrap_or_default();
        fields.email("from_email");
        entry.to_emails.extend(desk.ticket(id).and_then(|ticket| ticket.requester.facts.email.clone()));
        entry
    })
}

/// The author: the one named, else the agent whom the key belongs to.
fn author(desk: &TicketDesk, fields: &mut Fields) -> u64 {
    let own = desk.agents.first().map_or(0, |agent| agent.id);
    let Some(id) = fields.number("user_id") else { return own };
    if desk.requester(id).is_none() && desk.agents.iter().all(|agent| agent.id != id) {
        fields.wrong(FieldError::no_match("user_id", "contact"));
    }
    id
}

fn add(
    app: &App,
    id: u64,
    mut fields: Fields,
    read: impl FnOnce(&TicketDesk, &mut Fields) -> NewEntry,
) -> Result<Response, TicketRefusal> {
    let behaviour = app.behaviour();
    let mut desk = lock(&app.tickets);
    // The response about entries of a deleted ticket is not published: 404 is a belief.
    let before = desk.present(id).ok_or(TicketRefusal::NotFound)?.size();
    let body = fields.required_string("body").unwrap_or_default();
    let mut entry = read(&desk, &mut fields);
    (entry.body, entry.files) = (body, std::mem::take(&mut fields.files));
    fields.end()?;
    too_large(&desk, &behaviour, before + entry.body.len(), &entry.files)?;
    let entry = desk.add_entry(id, entry).ok_or(TicketRefusal::NotFound)?.clone();
    let ticket = desk.ticket(id).ok_or(TicketRefusal::NotFound)?;
    let view = one(desk.product, "conversation", entry_view(ticket, &entry, &app.ticket_origin));
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

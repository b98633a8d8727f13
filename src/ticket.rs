//! A ticket after it was filed: what agents answer, how it ends, and what the end user adds.

use crate::client::{Client, Failure, FailureKind};
use crate::error::Error;
use crate::freshdesk::endpoints::{CreateNote, Entry, EntryFile, GetTicket, ListEntries};
use crate::lifecycle::{self, Action, Input};
use crate::model::{Event, EventKind, Message, Part, PartKind, Sender, SenderRole, Timestamp};
use crate::plain_text::escape_html;
use crate::session::{Relaying, Session, digest};

/// Entries beyond these pages of 100 are not read.
const MOST_PAGES: u32 = 10;

/// What happened to the ticket since the last look. Two requests, together.
pub fn look(desk: &Client<'_>, session: &mut Session, id: &str, now: Timestamp) -> Result<Vec<Event>, Error> {
    let (get, list) = (GetTicket { id }, ListEntries { id, page: 1 });
    let (ticket, mut page) = desk.call_both(&get, &list).map_err(Failure::into_error)?;
    let mut entries = page.items;
    for number in 2..=MOST_PAGES {
        if !page.has_next {
            break;
        }
        page = desk.call(&ListEntries { id, page: number }).map_err(Failure::into_error)?;
        entries.append(&mut page.items);
    }
    let mut events: Vec<Event> = entries.into_iter().filter_map(|entry| reply(entry, session, now)).collect();
    events.extend(change(ticket.is_solved, session, ticket.updated_at.unwrap_or(now), id, now));
    Ok(events)
}

/// An agent's answer to the requester. Notes among agents and our own are none.
fn reply(entry: Entry, session: &mut Session, now: Timestamp) -> Option<Event> {
    // Ids grow; a list is read again from its start each time.
    let number: u64 = entry.id.parse().ok()?;
    if number <= session.ticket_entry {
        return None;
    }
    session.ticket_entry = number;
    if entry.is_private || entry.is_incoming {
        return None;
    }
    let mut parts = Vec::new();
    let text = entry.text.trim();
    if !text.is_empty() {
        parts.push(Part::text(text));
    }
    parts.extend(entry.files.into_iter().map(file));
    if parts.is_empty() {
        return None;
    }
    let sender = Sender { role: SenderRole::HumanAgent, id: entry.agent, name: None, avatar_url: None };
    let at = entry.at.unwrap_or(now);
    let mut event = Event::new(format!("fd:reply:{}", entry.id), EventKind::TicketReplied, at, None);
    event.message = Some(Message { id: entry.id, sender: sender.clone(), sent_at: at, parts });
    event.agent = Some(sender);
    Some(event)
}

fn file(file: EntryFile) -> Part {
    let is_image = file.media_type.as_deref().is_some_and(|media_type| media_type.starts_with("image/"));
    let kind = if is_image { PartKind::Image } else { PartKind::File };
    let url = file.url.filter(|url| url.starts_with("https://"));
    Part { url, name: file.name, media_type: file.media_type, bytes: file.bytes, ..Part::empty(kind) }
}

/// The end of the ticket, or its coming back.
fn change(is_solved: bool, session: &mut Session, at: Timestamp, id: &str, now: Timestamp) -> Option<Event> {
    let (input, kind, word) = match is_solved {
        true => (Input::TicketSolved, EventKind::Resolved, "resolved"),
        false => (Input::TicketReopened, EventKind::Reopened, "reopened"),
    };
    let (state, Action::Go) = lifecycle::step(session.state, input) else { return None };
    let mut event = Event::new(format!("fd:{word}:{id}:{}", session.rounds), kind, at, None);
    event.detail = Some("ticket".to_owned());
    session.rounds = session.rounds.saturating_add(1);
    session.enter(state, now);
    Some(event)
}

/// Puts words of the end user under the ticket, unless an earlier try has.
pub fn add_note(
    desk: &Client<'_>,
    session: &mut Session,
    journal: &mut Relaying,
    message: &str,
    text: &str,
) -> Result<(), Error> {
    let Some(id) = session.ticket.clone() else {
        return Err(Error::request(
            "session",
            "the session knows no ticket",
            "File the ticket again with `retry: true`.",
        ));
    };
    let marker = format!("ref {}", digest(&[&session.reference, message], 4));
    if journal.unsure {
        for page in 1..=MOST_PAGES {
            let found = desk.call(&ListEntries { id: &id, page }).map_err(Failure::into_error)?;
            if found.items.iter().any(|entry| entry.is_incoming && entry.text.contains(&marker)) {
                journal.unsure = false;
                return Ok(());
            }
            if !found.has_next {
                break;
            }
        }
    }
    journal.unsure = true;
    let body = format!("{}<br><br>{marker}", escape_html(text));
    match desk.call(&CreateNote { id: &id, body: &body }) {
        Ok(_) => {
            journal.unsure = false;
            Ok(())
        }
        Err(failure) => {
            journal.unsure = failure.kind == FailureKind::OutcomeUnknown;
            Err(failure.into_error())
        }
    }
}

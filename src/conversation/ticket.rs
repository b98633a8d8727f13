//! A ticket after it was filed: what agents answer, how it ends, and what the end user adds.

use crate::conversation::lifecycle::{self, Action, Input};
use crate::conversation::session::{Relaying, Session, digest};
use crate::conversation::timers;
use crate::freshdesk::endpoints::{CreateNote, Entry, EntryFile, GetTicket, ListEntries, Ticket};
use crate::http::TransportError;
use crate::http::client::{Client, Failure, FailureKind};
use crate::settings::Settings;
use crate::text::plain_text::escape_html;
use handoff_contract::error::Error;
use handoff_contract::model::{
    Event, EventKind, Finding, Message, Outcome, Part, PartKind, Sender, SenderRole, SessionState, Timestamp,
};

/// Entries beyond these pages of 100 are not read.
const MAX_PAGES: u32 = 10;

/// What a look at a ticket has brought.
#[derive(Debug, Default)]
pub struct News {
    /// In order.
    pub events: Vec<Event>,
    /// Why it counts as ended.
    pub findings: Vec<Finding>,
}

/// Why a ticket could not be looked at.
enum Trouble {
    /// It is deleted, marked as spam, or was never there.
    Gone,
    /// The desk refuses us: an admin has to act.
    Refused(Error),
    /// It may work later.
    Passing(Error),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        use FailureKind as K;
        match failure.kind {
            K::RateLimited | K::Unavailable | K::OutcomeUnknown => Self::Passing(failure.into_error()),
            _ => Self::Refused(failure.into_error()),
        }
    }
}

/// What happened to the ticket since the last look. Two requests, together. `desk`: none when it is gone from the
/// settings.
///
/// A ticket that is gone has ended at once, and one that cannot be looked at for too long in the end: nobody waits for ever for
/// an answer that cannot come. Until then the trouble is an error, so that the admin learns of it.
pub fn look(
    desk: Result<Option<Client<'_>>, Error>,
    settings: &Settings,
    session: &mut Session,
    id: &str,
    now: Timestamp,
) -> Result<News, Error> {
    let looked = match desk {
        Ok(Some(desk)) => read(&desk, id),
        Ok(None) => Err(Trouble::Refused(no_desk())),
        Err(error) => Err(Trouble::Refused(error)),
    };
    let trouble = match looked {
        Ok((ticket, entries)) => {
            let replies: Vec<Event> = entries.into_iter().filter_map(|entry| reply(entry, session, now)).collect();
            let change = change(ticket.is_solved, session, ticket.updated_at.unwrap_or(now), id, now);
            // Whoever answers a ticket that had ended has reopened it first.
            let (before, after) = if ticket.is_solved { (None, change) } else { (change, None) };
            let events = before.into_iter().chain(replies).chain(after).collect();
            return Ok(News { events, findings: Vec::new() });
        }
        Err(trouble) => trouble,
    };
    // The session keeps the time of a look that has failed, so it tells how long there was none.
    let waited = now.saturating_sub(session.look_at);
    let has_ended = session.state == SessionState::Returned;
    match trouble {
        Trouble::Refused(error) if !has_ended && waited < timers::REFUSED_FOR_MS => Err(error),
        Trouble::Passing(error) if has_ended && timers::can_reopen(session, settings, now) => Err(error),
        Trouble::Passing(error) if !has_ended && waited < timers::SILENT_FOR_MS => Err(error),
        Trouble::Gone => Ok(gone(session, id, now)),
        Trouble::Refused(_) | Trouble::Passing(_) => {
            let news = end(session, id, now);
            let finding = Finding::warning(
                "ticket",
                "ticket-unreadable",
                "the ticket desk has not let us read the ticket for too long; it counts as ended",
                "Run connect: it says what is wrong with the ticket desk. The ticket itself is untouched.",
            );
            Ok(with_finding(news, finding))
        }
    }
}

/// The settings name no desk any more.
pub(crate) fn no_desk() -> Error {
    Error::settings("ticket_domain", "the ticket desk is gone from the settings", "Enter it again.")
}

fn read(desk: &Client<'_>, id: &str) -> Result<(Ticket, Vec<Entry>), Trouble> {
    let (get, list) = (GetTicket { id }, ListEntries { id, page: 1 });
    let mut responses = desk.send_all(vec![desk.request(&get), desk.request(&list)]).into_iter();
    let mut next = || responses.next().unwrap_or_else(|| Err(TransportError::no_answer()));
    let ticket = match desk.read(&get, next()) {
        // Asked twice, as for conversations: a single wrong answer must not take an agent's answers from the end user.
        Err(failure) if failure.kind == FailureKind::NotFound => match desk.call(&get) {
            Err(failure) if failure.kind == FailureKind::NotFound => return Err(Trouble::Gone),
            Ok(ticket) if ticket.is_gone => return Err(Trouble::Gone),
            ticket => ticket?,
        },
        Ok(ticket) if ticket.is_gone => return Err(Trouble::Gone),
        ticket => ticket?,
    };
    let mut page = desk.read(&list, next())?;
    let mut entries = page.items;
    for number in 2..=MAX_PAGES {
        if !page.has_next {
            break;
        }
        page = desk.call(&ListEntries { id, page: number })?;
        entries.append(&mut page.items);
    }
    Ok((ticket, entries))
}

/// The ticket is gone: it has ended, and nobody has solved it.
fn gone(session: &mut Session, id: &str, now: Timestamp) -> News {
    let finding = Finding::warning(
        "ticket",
        "ticket-gone",
        "the ticket is deleted or marked as spam; it counts as ended",
        "Restore it at the ticket desk if that was a mistake: within the reopen window it goes on. Otherwise hand off again.",
    );
    with_finding(end(session, id, now), finding)
}

/// A finding where there is something to tell: what has ended before is no news.
fn with_finding(mut news: News, finding: Finding) -> News {
    if !news.events.is_empty() {
        news.findings.push(finding);
    }
    news
}

/// Ends the ticket without a solution: the AI agent answers, and the platform is told so.
fn end(session: &mut Session, id: &str, now: Timestamp) -> News {
    let (state, Action::Go) = lifecycle::step(session.state, Input::TicketSolved) else { return News::default() };
    let mut event = Event::new(format!("fd:gone:{id}:{}", session.rounds), EventKind::ReturnedToAi, now, None);
    event.outcome = Some(Outcome::Failed);
    session.rounds = session.rounds.saturating_add(1);
    session.enter(state, now);
    News { events: vec![event], findings: Vec::new() }
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

/// Puts words of the end user under the ticket, unless an earlier try has. A ticket that is gone has ended: then the AI agent
/// answers, and what is returned says so.
pub(crate) fn add_note(
    desk: &Client<'_>,
    session: &mut Session,
    journal: &mut Relaying,
    message: &str,
    text: &str,
    now: Timestamp,
) -> Result<News, Error> {
    let Some(id) = session.ticket.clone() else {
        return Err(Error::request(
            "session",
            "the session knows no ticket",
            "File the ticket again with `retry: true`.",
        ));
    };
    let failure = match write_note(desk, session, journal, &id, message, text) {
        Ok(()) => return Ok(News::default()),
        Err(failure) => failure,
    };
    // What the desk answers to a note under a deleted ticket is not published; the ticket itself says whether it is gone.
    let may_be_gone = matches!(failure.kind, FailureKind::NotFound | FailureKind::Refused | FailureKind::Forbidden);
    if may_be_gone {
        let is_gone = match desk.call(&GetTicket { id: &id }) {
            Ok(ticket) => ticket.is_gone,
            Err(failure) => failure.kind == FailureKind::NotFound,
        };
        if is_gone {
            journal.unsure = false;
            timers::alive(session, now);
            return Ok(gone(session, &id, now));
        }
    }
    Err(failure.into_error())
}

fn write_note(
    desk: &Client<'_>,
    session: &Session,
    journal: &mut Relaying,
    id: &str,
    message: &str,
    text: &str,
) -> Result<(), Failure> {
    let marker = format!("ref {}", digest(&[&session.reference, message], 4));
    if journal.unsure {
        for page in 1..=MAX_PAGES {
            let found = desk.call(&ListEntries { id, page })?;
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
    match desk.call(&CreateNote { id, body: &body }) {
        Ok(_) => {
            journal.unsure = false;
            Ok(())
        }
        Err(failure) => {
            journal.unsure = failure.kind == FailureKind::OutcomeUnknown;
            Err(failure)
        }
    }
}

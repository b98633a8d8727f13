//! Tells the human agents that words of theirs did not reach the end user.

use crate::conversation::journal::{self, Search};
use crate::conversation::session::{Session, digest};
use crate::conversation::timers;
use crate::freshchat::endpoints::{Author, ListMessages, NewMessage};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::http::client::{Client, Failure, FailureKind};
use crate::settings::Settings;
use crate::text::{plain_text, transcript};
use crate::use_cases::{Update, close, relay, times};
use handoff_contract::error::Error;
use handoff_contract::model::{ConversationId, Finding, SessionState, Timestamp, UserId};

/// So much of the message is quoted that its author knows it again.
const QUOTED_CHARS: usize = 80;
const MAX_ID: usize = 255;

/// Writes the note; one about the same message is not written again.
pub fn undelivered(
    http: &dyn Http,
    settings: &str,
    session: &[u8],
    message_id: &str,
    retry: bool,
    now: Timestamp,
) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    times::check("now", now)?;
    let freshchat = Client::chat(http, &settings)?;
    let mut session = Session::decode(session)?;
    if message_id.trim().is_empty() {
        let remedy = "Pass the `id` of the message in the event.";
        return Err(Error::request("message-id", "the message's id is empty", remedy));
    }
    // Remembered in the session, which stays small.
    if message_id.len() > MAX_ID {
        let fault = format!("the message's id is longer than {MAX_ID} bytes");
        return Err(Error::request("message-id", fault, "Pass the `id` of the message in the event, as it is."));
    }
    // Beside the journal of the conversation, in which another write may be in doubt.
    let (begun, told) = (format!("undelivered-begun:{message_id}"), format!("undelivered:{message_id}"));
    let (Some(conversation), Some(user)) = (session.conversation.clone(), session.user.clone()) else {
        return Err(Error::request("session", "the session knows no conversation", "There is nobody to tell."));
    };
    if session.seen_events.contains(&told) {
        return Ok(session.update(&settings, Vec::new(), Vec::new()));
    }
    let mut findings = Vec::new();
    let unsure = !session.mark_seen(&begun) || retry;
    let noted = match write(&freshchat, &settings, &mut session, (&conversation, &user), message_id, unsure) {
        Ok(noted) => noted,
        Err(error) => return Err(error.with_session(session.encode())),
    };
    session.mark_seen(&told);
    timers::alive(&mut session, now);
    match noted {
        Noted::Written(found) => findings.extend(found),
        Noted::Ended => findings.push(left_out(
            "the conversation has ended: the note about a message that was not shown was left out",
            "Nothing needs to be done; the human agents have left the conversation.",
        )),
        Noted::Gone => {
            // `tick` hands back and tells the end user.
            session.look_at = now;
            findings.push(left_out(
                "the conversation is deleted: the note about a message that was not shown was left out",
                "Call `tick`, which is due: it hands the conversation back to the AI agent.",
            ));
        }
    }
    Ok(session.update(&settings, Vec::new(), findings))
}

/// What became of a note.
enum Noted {
    /// It is there, perhaps with something to tell about it.
    Written(Option<Finding>),
    /// Nobody reads the conversation any more.
    Ended,
    /// The conversation is deleted, and no other one continues it.
    Gone,
}

fn write(
    freshchat: &Client<'_>,
    settings: &Settings,
    session: &mut Session,
    place: (&ConversationId, &UserId),
    message_id: &str,
    mut unsure: bool,
) -> Result<Noted, Error> {
    let (id, user) = place;
    let newest = match freshchat.call(&ListMessages { id, page: 1 }) {
        Err(failure) if is_gone(freshchat, id, &failure) => {
            return elsewhere_or(Noted::Gone, freshchat, settings, session, place, message_id);
        }
        newest => newest.map_err(Failure::into_error)?,
    };
    let found = newest.messages.iter().find(|message| message.id.as_str() == message_id);
    // Only what the end user was to see is quoted.
    let quoted = found.filter(|found| !found.private && matches!(found.actor, Actor::Agent(_))).map(|found| {
        let text = found.parts.iter().map(transcript::part_text).collect::<Vec<_>>().join(" ");
        let text = settings.masking.text(&plain_text::from_rich(&text));
        format!(": “{}”", transcript::one_line(&text, QUOTED_CHARS))
    });
    let quoted = quoted.unwrap_or_default();
    // The first line tells one note from another, even where the same words were lost twice.
    let marker = transcript::marker(&session.reference);
    let about = digest(&[message_id], 2);
    let text = format!("The user did not receive a message ({about}) · {marker}\nNot received{quoted}");
    let mut author = close::note_author(settings, user);
    let first = text.lines().next().unwrap_or_default();
    let is_it = |found: &VendorMessage| found.text().lines().next() == Some(first);
    // It may have been written before the conversation was superseded.
    let elsewhere = session.former.clone();
    let search = Search { elsewhere: &elsewhere, ..Search::by_marker(&is_it) };
    let mut finding = None;
    loop {
        let message = NewMessage::text(author.clone(), text.clone());
        if journal::look(freshchat, session, &mut unsure, id, &search).map_err(Failure::into_error)? {
            return Ok(Noted::Written(finding));
        }
        // In the end user's name it would bring back a conversation that the platform has ended.
        if session.end.is_some() && session.state == SessionState::Returned && matches!(author, Author::User(_)) {
            return Ok(Noted::Ended);
        }
        match journal::write(freshchat, session, &mut unsure, place, &message, &search) {
            Ok(_) => return Ok(Noted::Written(finding)),
            Err(failure) if is_gone(freshchat, id, &failure) => {
                return elsewhere_or(Noted::Gone, freshchat, settings, session, place, message_id);
            }
            Err(failure) => match close::without_author(&mut author, user, &failure) {
                Some(found) => finding = Some(found),
                // Whether a conversation that has ended goes on in another one is told by `tick`, or by the repeat of the message
                // that has opened that.
                None if failure.kind == FailureKind::NotLatest && session.state == SessionState::Returned => {
                    return Ok(Noted::Ended);
                }
                None if failure.kind == FailureKind::NotLatest => {
                    return elsewhere_or(Noted::Ended, freshchat, settings, session, place, message_id);
                }
                None => return Err(failure.into_error()),
            },
        }
    }
}

/// Writes the note into the conversation that continues this one, if there is one; else the answer is `otherwise`.
fn elsewhere_or(
    otherwise: Noted,
    freshchat: &Client<'_>,
    settings: &Settings,
    session: &mut Session,
    (id, user): (&ConversationId, &UserId),
    message_id: &str,
) -> Result<Noted, Error> {
    match relay::adopt_replacement(freshchat, session, id, user)? {
        Some(newer) => write(freshchat, settings, session, (&newer.id, user), message_id, true),
        None => Ok(otherwise),
    }
}

fn is_gone(freshchat: &Client<'_>, id: &ConversationId, failure: &Failure) -> bool {
    failure.kind == FailureKind::NotFound && journal::is_gone(freshchat, id)
}

fn left_out(detail: &'static str, remedy: &'static str) -> Finding {
    Finding::warning("note", "note-left-out", detail, remedy)
}

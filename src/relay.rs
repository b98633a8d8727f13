//! Passes a message of the end user to the human agents.

use crate::conversation::{self, Place, Search};
use crate::error::Error;
use crate::freshchat::Freshchat;
use crate::freshchat::endpoints::{Assignment, Author, NewMessage};
use crate::freshchat::failure::{Failure, FailureKind};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::lifecycle::{self, Action, Input};
use crate::model::{ConversationId, Finding, Message, Part, SenderRole, Timestamp, Update, UserId};
use crate::session::{Pending, Relaying, Session};
use crate::settings::Settings;
use crate::{timers, transcript};

const LONGEST_ID: usize = 255;
const MOST_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// Relays one message; one that was relayed before is not sent again.
pub async fn relay<H: Http>(
    http: &H,
    settings: &str,
    session: &[u8],
    message: &Message,
    retry: bool,
    now: Timestamp,
) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    let freshchat = Freshchat::new(http, &settings)?;
    let mut session = Session::decode(session)?;
    // Before anything else: whether a message can be relayed does not depend on what went before.
    let text = check(message)?;
    if session.was_relayed(&message.id) {
        return Ok(session.update(&settings, Vec::new(), Vec::new()));
    }
    let (_, Action::Go) = lifecycle::step(session.state, Input::UserMessage) else {
        let state = session.state.word();
        let remedy = "Give the message to the AI agent; to bring human agents back, hand off again.";
        return Err(Error::request(
            "session",
            format!("the conversation is not with human agents: it is {state}"),
            remedy,
        ));
    };
    let findings = left_out(message);

    timers::spoken(&mut session, now);
    let mut journal = session.take_relaying(&message.id);
    (journal.unsure, journal.untracked) = (journal.unsure || retry, journal.untracked || retry);
    match send(&freshchat, &settings, &mut session, &mut journal, &text).await {
        Ok(()) => {
            session.mark_relayed(&message.id);
            Ok(session.update(&settings, Vec::new(), findings))
        }
        Err(error) => {
            session.put_off(journal);
            Err(error.with_session(session.encode()))
        }
    }
}

fn check(message: &Message) -> Result<String, Error> {
    if message.id.trim().is_empty() {
        return Err(Error::request(
            "message.id",
            "the message has no id",
            "Pass the platform's message id: repeats are told by it.",
        ));
    }
    if message.sender.role != SenderRole::EndUser {
        let remedy = "Relay messages of the end user only; the history of the handoff carries the others.";
        return Err(Error::request("message.sender.role", "the message is not from the end user", remedy));
    }
    if message.id.len() > LONGEST_ID {
        let fault = format!("the message's id is longer than {LONGEST_ID} bytes");
        return Err(Error::request("message.id", fault, "Pass a shorter id that is as unique, for example a hash."));
    }
    if message.parts.iter().map(Part::text_bytes).sum::<usize>() > MOST_TEXT_BYTES {
        let remedy = "Pass it in several messages, or as a file.";
        return Err(Error::request("message.parts", "the message holds more than 2 MiB of text", remedy));
    }
    let text = transcript::message_text(message);
    if text.trim().is_empty() {
        return Err(Error::request("message.parts", "the message is empty", "Do not relay it."));
    }
    Ok(text)
}

/// Files go as links, and the platform is told so.
fn left_out(message: &Message) -> Vec<Finding> {
    let files = message.parts.iter().filter(|part| part.kind.is_file()).count();
    let finding = || {
        let detail = format!("{files} files were passed on as links");
        Finding::warning("files", "file-as-link", detail, "Make sure that human agents can open the links.")
    };
    (files > 0).then(finding).into_iter().collect()
}

async fn send<H: Http>(
    freshchat: &Freshchat<'_, H>,
    settings: &Settings,
    session: &mut Session,
    journal: &mut Relaying,
    text: &str,
) -> Result<(), Error> {
    let (Some(mut conversation), Some(user)) = (session.conversation.clone(), session.user.clone()) else {
        return Err(Error::request(
            "session",
            "the session knows no conversation",
            "Hand off again with `retry: true`.",
        ));
    };
    let max_chars = usize::try_from(settings.max_message_chars).unwrap_or(usize::MAX);
    let pieces = transcript::split(text, max_chars);
    while let Some(piece) = usize::try_from(journal.done).ok().and_then(|done| pieces.get(done)) {
        let message = NewMessage { author: Author::User(user.clone()), text: piece.clone() };
        let sent = if session.pending == Some(Pending::Conversation) {
            replace(freshchat, session, &conversation, &user, &message, journal.untracked).await?
        } else {
            let is_it = |found: &VendorMessage| matches!(found.actor, Actor::User(_)) && found.text() == *piece;
            let search = Search { is_it: &is_it, is_newest: !journal.overtaken };
            let place = (&conversation, &user);
            match conversation::send_once(freshchat, session, &mut journal.unsure, place, &message, &search).await {
                Ok(false) => Sent::Now,
                Ok(true) => Sent::Before,
                // A human agent has resolved it and the person has a newer one: go on there.
                Err(failure) if failure.kind == FailureKind::NotLatest => {
                    // The piece goes out with the new conversation, or is left in doubt with it.
                    journal.unsure = true;
                    replace(freshchat, session, &conversation, &user, &message, journal.untracked).await?
                }
                Err(failure) => return Err(failure.into_error()),
            }
        };
        conversation = session.conversation.clone().unwrap_or(conversation);
        // Where a piece of an earlier try was found, the next one may be there as well.
        journal.untracked &= sent != Sent::Now;
        journal.unsure = sent == Sent::Perhaps || journal.untracked;
        journal.done = journal.done.saturating_add(u32::from(sent != Sent::Perhaps));
    }
    Ok(())
}

/// When a piece of a message got through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Now,
    /// At an earlier try.
    Before,
    /// At an earlier try or not at all.
    Perhaps,
}

/// Opens a new conversation with the message in it, unless an earlier try has: then the message may be in it or not. The old
/// conversation stays known under its ids.
async fn replace<H: Http>(
    freshchat: &Freshchat<'_, H>,
    session: &mut Session,
    old: &ConversationId,
    user: &UserId,
    message: &NewMessage,
    look: bool,
) -> Result<Sent, Error> {
    let Some(channel) = session.channel.clone() else {
        return Err(Error::request("session", "the session knows no topic", "Hand off again with `retry: true`."));
    };
    let opening = transcript::continuation(old.as_str(), &session.reference);
    let is_ours = |found: &VendorMessage| found.text() == opening;
    if (look || session.pending == Some(Pending::Conversation))
        && adopt_replacement(freshchat, session, user, &is_ours).await?
    {
        return Ok(Sent::Perhaps);
    }
    let messages = [NewMessage { author: message.author.clone(), text: opening.clone() }, message.clone()];
    let assignment = Assignment { group: session.group.clone(), ..Assignment::default() };
    let place = Place { user, channel: &channel, assignment: &assignment };
    match conversation::create(freshchat, session, &place, &messages).await {
        Ok(_) => Ok(Sent::Now),
        Err(failure)
            if failure.kind == FailureKind::Refused
                && adopt_replacement(freshchat, session, user, &is_ours).await? =>
        {
            Ok(Sent::Perhaps)
        }
        Err(failure) => Err(failure.into_error()),
    }
}

/// Goes on in the conversation that an earlier try has opened, if there is one.
async fn adopt_replacement<H: Http>(
    freshchat: &Freshchat<'_, H>,
    session: &mut Session,
    user: &UserId,
    is_ours: &dyn Fn(&VendorMessage) -> bool,
) -> Result<bool, Error> {
    session.pending = Some(Pending::Conversation);
    let found = conversation::find(freshchat, user, false, is_ours).await.map_err(Failure::into_error)?;
    session.pending = None;
    if let Some(found) = &found {
        conversation::adopt(session, &found.conversation);
    }
    Ok(found.is_some())
}

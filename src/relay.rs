//! Passes a message of the end user to the human agents.

use crate::client::Client;
use crate::client::{Failure, FailureKind};
use crate::conversation::{self, Place, Search};
use crate::error::Error;
use crate::freshchat::endpoints::{Assignment, Author, NewMessage};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::lifecycle::{self, Action, Input, State};
use crate::model::{ConversationId, Decision, Message, Part, SenderRole, Timestamp, Update, UserId};
use crate::session::{Pending, Relaying, Session};
use crate::settings::Settings;
use crate::{files, ticket, timers, transcript};

const LONGEST_ID: usize = 255;
const MOST_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// Relays one message; one that was relayed before is not sent again.
pub fn relay(
    http: &dyn Http,
    settings: &str,
    session: &[u8],
    message: &Message,
    retry: bool,
    now: Timestamp,
) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    let freshchat = Client::chat(http, &settings)?;
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
    timers::spoken(&mut session, now);
    let mut journal = session.take_relaying(&message.id);
    (journal.unsure, journal.untracked) = (journal.unsure || retry, journal.untracked || retry);
    let max_chars = usize::try_from(settings.max_message_chars).unwrap_or(usize::MAX);
    let lost = files::without_address(&message.parts);
    let linked = message.parts.iter().filter(|part| part.kind.is_file() && !may_be_fetched(part, &settings)).count();
    let linked = linked.saturating_sub(lost);
    let mut sent = Sending { settings: &settings, pieces: pieces(message, &settings, max_chars), uploaded: 0, linked };
    let done = if session.state == State::Ticketed {
        sent.linked = message.parts.iter().filter(|part| part.kind.is_file()).count().saturating_sub(lost);
        match Client::tickets(http, &settings)? {
            Some(desk) => {
                let text = settings.masking.apply(&text).0;
                ticket::add_note(&desk, &mut session, &mut journal, &message.id, &text)
            }
            None => {
                Err(Error::settings("ticket_domain", "the ticket desk is gone from the settings", "Enter it again."))
            }
        }
    } else {
        sent.all(&freshchat, &mut session, &mut journal)
    };
    match done {
        Ok(()) => {
            session.mark_relayed(&message.id);
            let findings = files::as_links(sent.linked).into_iter().chain(files::as_nothing(lost)).collect();
            let mut update = session.update(&settings, Vec::new(), findings);
            for (rule, count) in [("uploaded", sent.uploaded), ("linked", sent.linked)] {
                if count > 0 {
                    update.decisions.push(Decision { subject: "file", rule, choice: count.to_string() });
                }
            }
            Ok(update)
        }
        Err(error) => {
            session.put_off(journal);
            Err(error.with_session(session.encode()))
        }
    }
}

fn may_be_fetched(part: &Part, settings: &Settings) -> bool {
    part.url.as_deref().is_some_and(|url| files::source(settings, url).is_some())
}

/// What goes out as one message.
enum Piece<'a> {
    Text(String),
    /// A file that may be fetched. Text and media together were seen to be refused, so it goes by itself.
    File(&'a Part),
}

/// Texts of at most `max_chars` characters, and files between them. Files that may not be fetched are lines of text.
fn pieces<'a>(message: &'a Message, settings: &Settings, max_chars: usize) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let end_of_text = |text: &mut String, pieces: &mut Vec<Piece<'a>>| {
        let masked = settings.masking.apply(text).0.into_owned();
        let split = transcript::split(&masked, max_chars).into_iter();
        pieces.extend(split.map(|piece| Piece::Text(transcript::unmarked(&piece).into_owned())));
        text.clear();
    };
    for part in &message.parts {
        let is_file = part.kind.is_file() && may_be_fetched(part, settings);
        let line = if is_file { part.text.clone().unwrap_or_default() } else { transcript::part_text(part) };
        let line = transcript::clean_text(&line);
        if !line.trim().is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
        if is_file {
            end_of_text(&mut text, &mut pieces);
            pieces.push(Piece::File(part));
        }
    }
    end_of_text(&mut text, &mut pieces);
    pieces
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
    let text = transcript::clean_text(&transcript::message_text(message));
    if text.trim().is_empty() {
        return Err(Error::request("message.parts", "the message is empty", "Do not relay it."));
    }
    Ok(text)
}

/// A message on its way.
struct Sending<'a> {
    settings: &'a Settings,
    pieces: Vec<Piece<'a>>,
    uploaded: usize,
    linked: usize,
}

impl Sending<'_> {
    fn all(&mut self, freshchat: &Client<'_>, session: &mut Session, journal: &mut Relaying) -> Result<(), Error> {
        let (Some(mut conversation), Some(user)) = (session.conversation.clone(), session.user.clone()) else {
            return Err(Error::request(
                "session",
                "the session knows no conversation",
                "Hand off again with `retry: true`.",
            ));
        };
        while let Some(piece) = usize::try_from(journal.done).ok().and_then(|done| self.pieces.get(done)) {
            let author = Author::User(user.clone());
            let (message, is_file) = match piece {
                Piece::Text(text) => (NewMessage::text(author, text.clone()), false),
                Piece::File(part) => {
                    let secret = session.reference.as_str();
                    // A line of text in its place, should it fail.
                    let line = transcript::clean_text(&transcript::part_text(&Part { text: None, ..(*part).clone() }));
                    let file = files::upload(freshchat, self.settings, part, secret);
                    (NewMessage { author, text: line, file }, true)
                }
            };
            let mut message = message;
            let sent = loop {
                match send(freshchat, session, journal, (&conversation, &user), &message, is_file) {
                    // A file that is refused goes as a link.
                    Err(failure) if failure.kind == FailureKind::Refused && message.file.is_some() => {
                        message.file = None
                    }
                    sent => break sent.map_err(Failure::into_error)?,
                }
            };
            let sent = match sent {
                Some(sent) => sent,
                None => replace(freshchat, session, &conversation, &user, &message, journal.untracked)?,
            };
            if is_file && sent != Sent::Perhaps {
                *(if message.file.is_some() { &mut self.uploaded } else { &mut self.linked }) += 1;
            }
            conversation = session.conversation.clone().unwrap_or(conversation);
            // Where a piece of an earlier try was found, the next one may be there as well.
            journal.untracked &= sent != Sent::Now;
            journal.unsure = sent == Sent::Perhaps || journal.untracked;
            journal.done = journal.done.saturating_add(u32::from(sent != Sent::Perhaps));
        }
        Ok(())
    }
}

/// Sends one piece; none when the conversation has to be replaced first.
fn send(
    freshchat: &Client<'_>,
    session: &mut Session,
    journal: &mut Relaying,
    place: (&ConversationId, &UserId),
    message: &NewMessage,
    is_file: bool,
) -> Result<Option<Sent>, Failure> {
    if session.pending == Some(Pending::Conversation) {
        return Ok(None);
    }
    // An uploaded file has another name on the other side; between what is known, any file of the user is it.
    let holds_file = |found: &VendorMessage| is_file && found.parts.iter().any(|part| part.kind.is_file());
    let is_it = |found: &VendorMessage| {
        matches!(found.actor, Actor::User(_)) && (found.text() == message.text || holds_file(found))
    };
    let search = Search { is_it: &is_it, is_newest: !journal.overtaken };
    match conversation::send_once(freshchat, session, &mut journal.unsure, place, message, &search) {
        Ok(false) => Ok(Some(Sent::Now)),
        Ok(true) => Ok(Some(Sent::Before)),
        // A human agent has resolved it and the person has a newer one: go on there. The piece goes out with the new
        // conversation, or is left in doubt with it.
        Err(failure) if failure.kind == FailureKind::NotLatest => {
            journal.unsure = true;
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
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
fn replace(
    freshchat: &Client<'_>,
    session: &mut Session,
    old: &ConversationId,
    user: &UserId,
    message: &NewMessage,
    look: bool,
) -> Result<Sent, Error> {
    let Some(channel) = session.channel.clone() else {
        return Err(Error::request("session", "the session knows no topic", "Hand off again with `retry: true`."));
    };
    let opening = transcript::continuation(old.as_str(), &session.reference, freshchat.settings().language);
    let is_ours = |found: &VendorMessage| found.text() == opening;
    if (look || session.pending == Some(Pending::Conversation))
        && adopt_replacement(freshchat, session, user, &is_ours)?
    {
        return Ok(Sent::Perhaps);
    }
    let messages = [NewMessage::text(message.author.clone(), opening.clone()), message.clone()];
    let assignment = Assignment { group: session.group.clone(), ..Assignment::default() };
    let place = Place { user, channel: &channel, assignment: &assignment };
    match conversation::create(freshchat, session, &place, &messages) {
        Ok(_) => Ok(Sent::Now),
        Err(failure)
            if failure.kind == FailureKind::Refused && adopt_replacement(freshchat, session, user, &is_ours)? =>
        {
            Ok(Sent::Perhaps)
        }
        Err(failure) => Err(failure.into_error()),
    }
}

/// Goes on in the conversation that an earlier try has opened, if there is one.
fn adopt_replacement(
    freshchat: &Client<'_>,
    session: &mut Session,
    user: &UserId,
    is_ours: &dyn Fn(&VendorMessage) -> bool,
) -> Result<bool, Error> {
    session.pending = Some(Pending::Conversation);
    let found = conversation::find(freshchat, user, false, is_ours).map_err(Failure::into_error)?;
    session.pending = None;
    if let Some(found) = &found {
        conversation::adopt(session, &found.conversation);
    }
    Ok(found.is_some())
}

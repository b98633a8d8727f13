//! Passes a message of the end user to the human agents.

use std::borrow::Cow;

use crate::conversation::journal::{self, Place, Search};
use crate::conversation::lifecycle::{self, Action, Input};
use crate::conversation::session::{Relaying, Session, Unsure, digest_of_words, message_key};
use crate::conversation::{ticket, timers};
use crate::freshchat::endpoints::{Assignment, Author, Conversation, ListUserConversations, NewMessage};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::http::client::{Client, Endpoint, Failure, FailureKind};
use crate::settings::Settings;
use crate::text::transcript;
use crate::use_cases::{Update, close, files, times};
use handoff_contract::error::Error;
use handoff_contract::model::{
    ConversationId, Decision, Event, EventKind, Message, Part, SenderRole, SessionState, Timestamp, UserId,
};

const MAX_ID: usize = 255;
const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;

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
    times::check("now", now)?;
    times::check("message.sent_at", message.sent_at)?;
    let freshchat = Client::chat(http, &settings)?;
    let mut session = Session::decode(session)?;
    // Before anything else: whether a message can be relayed does not depend on what went before.
    let text = check(message)?;
    // Made once: hashing is a large part of a relay.
    let key = message_key(&message.id);
    if session.was_relayed(&key) {
        return Ok(session.update(&settings, Vec::new(), Vec::new()));
    }
    let mut journal = session.take_relaying(&key, retry);
    let mut ended = !matches!(lifecycle::step(session.state, Input::UserMessage), (_, Action::Go));
    let mut events = Vec::new();
    if ended {
        if !journal.unsure || session.conversation.is_none() {
            return Err(not_with_human_agents(&session));
        }
        match go_on(&freshchat, &settings, &mut session, now) {
            Ok(reopened) => {
                ended = reopened.is_none();
                events.extend(reopened);
            }
            Err(error) => {
                session.put_off(journal);
                return Err(error.with_session(session.encode()));
            }
        }
    }
    if !ended {
        timers::spoken(&mut session, now);
    }
    let max_chars = usize::try_from(settings.max_message_chars).unwrap_or(usize::MAX);
    let lost = files::without_address(&message.parts);
    let linked = message.parts.iter().filter(|part| part.kind.is_file() && !may_be_fetched(part, &settings)).count();
    let linked = linked.saturating_sub(lost);
    let pieces = pieces(message, &settings, max_chars);
    let mut sent = Sending { settings: &settings, pieces, ended, uploaded: 0, linked };
    let mut news = ticket::News::default();
    let done = if session.state == SessionState::Ticketed {
        sent.linked = message.parts.iter().filter(|part| part.kind.is_file()).count().saturating_sub(lost);
        match Client::tickets(http, &settings)? {
            Some(desk) => {
                let text = settings.masking.apply(&text).0;
                ticket::add_note(&desk, &mut session, &mut journal, &message.id, &text, now).map(|found| news = found)
            }
            None => Err(ticket::no_desk()),
        }
    } else {
        sent.all(&freshchat, &mut session, &mut journal)
    };
    match done {
        Ok(()) => {
            session.mark_relayed(&key);
            if news.events.is_empty() {
                news.findings.extend(files::as_links(sent.linked));
                news.findings.extend(files::as_nothing(lost));
            }
            news.events.splice(0..0, events);
            let mut update = session.update(&settings, news.events, news.findings);
            for (rule, count) in [("uploaded", sent.uploaded), ("linked", sent.linked)] {
                if count > 0 {
                    update.decisions.push(Decision {
                        subject: "file".to_owned(),
                        rule: rule.to_owned(),
                        choice: count.to_string(),
                    });
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

fn not_with_human_agents(session: &Session) -> Error {
    let state = session.state.word();
    let remedy = "Give the message to the AI agent; to bring human agents back, hand off again.";
    Error::request("session", format!("the conversation is not with human agents: it is {state}"), remedy)
}

/// The conversation has ended while a message was in doubt, which may have opened another one that continues it. Then human
/// agents have it: that is told by the event; or, where the platform has asked for the end, that one ends as well.
fn go_on(
    freshchat: &Client<'_>,
    settings: &Settings,
    session: &mut Session,
    now: Timestamp,
) -> Result<Option<Event>, Error> {
    let (Some(old), Some(user)) = (session.conversation.clone(), session.user.clone()) else { return Ok(None) };
    let Some(newer) = adopt_replacement(freshchat, session, &old, &user)?.filter(|newer| !newer.is_resolved()) else {
        return Ok(None);
    };
    if session.end.is_some() {
        close::end_again(freshchat, settings, session)?;
        return Ok(None);
    }
    let event = Event::new(session.round_id("reopened"), EventKind::Reopened, now, Some(newer.id.as_str()));
    let (state, _) = lifecycle::step(session.state, Input::Reopened);
    session.enter(state, now);
    Ok(Some(event))
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
        let line =
            if is_file { Cow::Borrowed(part.text.as_deref().unwrap_or_default()) } else { transcript::part_text(part) };
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
    if message.id.len() > MAX_ID {
        let fault = format!("the message's id is longer than {MAX_ID} bytes");
        return Err(Error::request("message.id", fault, "Pass a shorter id that is as unique, for example a hash."));
    }
    if message.parts.iter().map(Part::text_bytes).sum::<usize>() > MAX_TEXT_BYTES {
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
    /// The conversation has ended: what an earlier try has sent is found, and nothing is sent.
    ended: bool,
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
                    let untitled = Part { text: None, ..(*part).clone() };
                    let line = transcript::part_text(&untitled);
                    let line = transcript::clean_text(&self.settings.masking.text(&line));
                    let file = if self.ended { None } else { files::upload(freshchat, self.settings, part, secret) };
                    (NewMessage { author, text: line, file }, true)
                }
            };
            let mut message = message;
            let sent = loop {
                match send(freshchat, session, journal, (&conversation, &user), &message, is_file, self.ended) {
                    // A file that is refused goes as a link.
                    Err(failure) if failure.kind == FailureKind::Refused && message.file.is_some() => {
                        message.file = None
                    }
                    sent => break sent.map_err(Failure::into_error)?,
                }
            };
            let sent = match sent {
                Some(sent) => sent,
                None if self.ended => return Err(not_with_human_agents(session)),
                None => replace(freshchat, session, &conversation, &user, &message)?,
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

/// Sends one piece; none when the conversation has to be replaced first, or has ended.
fn send(
    freshchat: &Client<'_>,
    session: &mut Session,
    journal: &mut Relaying,
    place: (&ConversationId, &UserId),
    message: &NewMessage,
    is_file: bool,
    ended: bool,
) -> Result<Option<Sent>, Failure> {
    // An uploaded file has another name on the other side; within the bounds of the search, any file of the user is it.
    let holds_file = |found: &VendorMessage| is_file && found.parts.iter().any(|part| part.kind.is_file());
    let is_it = |found: &VendorMessage| {
        matches!(found.actor, Actor::User(_)) && (found.text() == message.text || holds_file(found))
    };
    let (behind, candidates) = (journal.behind.clone(), journal.candidates.clone());
    let search = Search { behind: behind.as_ref(), among: candidates.as_deref(), ..Search::by_marker(&is_it) };
    let begun_in = journal.conversation.clone().unwrap_or_else(|| place.0.clone());
    // A try that was cut off may have gone on in another conversation, which was adopted since: there it has no bounds.
    let anywhere: Vec<ConversationId> = match journal.untracked && journal.unsure {
        true => std::iter::once(place.0).chain(&session.former).filter(|it| **it != begun_in).cloned().collect(),
        false => Vec::new(),
    };
    // One that went on in a conversation that may or may not exist is looked for when that is known.
    let can_look = journal.conversation.is_some() || journal.untracked || !session.is_unsure(Unsure::Conversation);
    if can_look && journal::look(freshchat, session, &mut journal.unsure, &begun_in, &search)? {
        return Ok(Some(Sent::Before));
    }
    if let Some((first, others)) = anywhere.split_first() {
        journal.unsure = true;
        let search = Search { elsewhere: others, ..Search::by_marker(&is_it) };
        if journal::look(freshchat, session, &mut journal.unsure, first, &search)? {
            return Ok(Some(Sent::Before));
        }
    }
    if ended {
        return Ok(None);
    }
    if session.is_unsure(Unsure::Conversation) {
        journal.move_on();
        return Ok(None);
    }
    journal::settle_doubts(freshchat, session, place.0)?;
    let written = journal::write(freshchat, session, &mut journal.unsure, place, message, &search);
    let is_known = written.is_err() && !journal.untracked && !is_file;
    journal.words = if is_known { digest_of_words(&message.text) } else { String::new() };
    match written {
        Ok(false) => Ok(Some(Sent::Now)),
        Ok(true) => Ok(Some(Sent::Before)),
        // A human agent has resolved it and the person has a newer one: go on there. The piece goes out with the new
        // conversation, or is left in doubt with it. One that is gone is continued in the same way.
        Err(failure)
            if failure.kind == FailureKind::NotLatest
                || failure.kind == FailureKind::NotFound && journal::is_gone(freshchat, place.0) =>
        {
            journal.move_on();
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

/// Opens a new conversation with the message in it, unless an earlier try has, of whichever message: then this one may be in
/// it or not. The old conversation stays known under its ids.
fn replace(
    freshchat: &Client<'_>,
    session: &mut Session,
    old: &ConversationId,
    user: &UserId,
    message: &NewMessage,
) -> Result<Sent, Error> {
    let Some(channel) = session.channel.clone() else {
        return Err(Error::request("session", "the session knows no topic", "Hand off again with `retry: true`."));
    };
    if adopt_replacement(freshchat, session, old, user)?.is_some() {
        return Ok(Sent::Perhaps);
    }
    let opening = transcript::continuation(old.as_str(), &session.reference, freshchat.settings().language);
    let messages = [NewMessage::text(message.author.clone(), opening.clone()), message.clone()];
    let assignment = Assignment { group: session.group.clone(), ..Assignment::default() };
    let place = Place { user, channel: &channel, assignment: &assignment };
    match journal::create(freshchat, session, &place, &messages) {
        Ok(_) => Ok(Sent::Now),
        Err(failure)
            if failure.kind == FailureKind::Refused && adopt_replacement(freshchat, session, old, user)?.is_some() =>
        {
            Ok(Sent::Perhaps)
        }
        Err(failure) if failure.kind == FailureKind::NotFound => {
            // The next look is due within a minute: it finds the conversation gone as well, and hands back.
            let fault = "the conversation cannot be continued: the user's record or the topic is gone";
            let remedy = "Call `tick`, which ends a conversation that is gone, then hand off again; if the topic is gone, connect first.";
            Err(failure.into_error().at("session").saying(fault).with_remedy(remedy))
        }
        Err(failure) => Err(failure.into_error()),
    }
}

/// Goes on in the conversation that an earlier try has opened to continue `old`, if there is one, even if it has ended in the
/// meantime: what is in doubt may stand there. Afterwards it is known whether there is.
pub(crate) fn adopt_replacement(
    freshchat: &Client<'_>,
    session: &mut Session,
    old: &ConversationId,
    user: &UserId,
) -> Result<Option<Conversation>, Error> {
    let opening = transcript::continuation(old.as_str(), &session.reference, freshchat.settings().language);
    let is_ours = |found: &VendorMessage| found.text() == opening;
    session.set_unsure(Unsure::Conversation, true);
    let is_gone = |found: &Result<Option<journal::Found>, Failure>| {
        let is_list = |failure: &Failure| failure.call.name == ListUserConversations::NAME;
        found.as_ref().is_err_and(|failure| failure.kind == FailureKind::NotFound && is_list(failure))
    };
    let mut found = journal::find(freshchat, user, true, &is_ours);
    if is_gone(&found) {
        // Asked twice: one answer may be wrong, and then what is in doubt would be made again.
        found = journal::find(freshchat, user, true, &is_ours);
    }
    // A user who is gone has no conversations.
    let found = if is_gone(&found) { None } else { found.map_err(Failure::into_error)? };
    session.set_unsure(Unsure::Conversation, false);
    if let Some(found) = &found {
        journal::adopt(session, &found.conversation);
    }
    Ok(found.map(|found| found.conversation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, Script, message};
    use handoff_contract::model::{CloseReason, ConversationKey, PartKind};

    const SETTINGS: &str = r#"{"chat_url": "acme", "api_key": "k"}"#;

    fn active() -> Session {
        let key = ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() };
        let mut session = Session::begin(&key, 1);
        session.state = SessionState::Active;
        session.user = Some("user-1".into());
        session.channel = Some("topic-1".into());
        session.adopt_conversation("c-1".into(), None);
        session.mark_own("v-0".into());
        session
    }

    fn said(id: &str, text: &str) -> String {
        format!(
            r#"{{"id":"{id}","actor_type":"user","actor_id":"user-1","message_type":"normal","message_parts":[{{"text":{{"content":"{text}"}}}}]}}"#
        )
    }

    fn list(all: &[String]) -> String {
        format!(r#"{{"messages":[{}]}}"#, all.join(","))
    }

    /// The bridge: m-1 met a resolved conversation, opened c-2 and its instance died; then m-2 goes ahead.
    #[test]
    fn a_message_in_doubt_that_opened_a_conversation_is_not_repeated() {
        let mut session = active();
        let reference = session.reference.clone();
        session.doubt(&message_key("m-1"));
        let opening = transcript::continuation("c-1", &reference, Settings::parse(SETTINGS).unwrap().language);
        let opening = serde_json::to_string(&opening).unwrap();
        let opening = opening.trim_matches('"');
        let not_latest = r#"{"message":"This is Not the latest conversation"}"#;
        let c2 = list(&[said("v-2", "one"), said("v-1", opening)]);
        let script = Script::default()
            .then(200, &list(&[said("v-0", "x")]))
            .then(400, not_latest)
            .then(200, r#"{"conversations":[{"id":"c-1"},{"id":"c-2"}]}"#)
            .then(200, &list(&[said("v-0", "x")]))
            .then(200, &c2)
            .then(200, r#"{"conversation_id":"c-2","status":"new","channel_id":"topic-1"}"#)
            .then(200, &c2)
            .then(200, r#"{"id":"v-3"}"#);
        let two = message("m-2", SenderRole::EndUser, None, "two");
        let update = relay(&script, SETTINGS, &session.encode(), &two, false, NOW + 5).unwrap();
        let c2 = list(&[said("v-3", "two"), said("v-2", "one"), said("v-1", opening)]);
        let script = Script::default().then(200, &c2).then(200, &c2).then(200, &c2).then(200, &c2);
        let one = message("m-1", SenderRole::EndUser, None, "one");
        relay(&script, SETTINGS, &update.session.unwrap(), &one, false, NOW + 6).unwrap();
        assert!(!script.sent().iter().any(|it| it.starts_with("Post")), "written twice");
    }

    /// A close in doubt whose repeat fails before it has looked for its note.
    #[test]
    fn a_close_in_doubt_stays_so() {
        let mut session = active();
        session.doubt(&message_key("m-1"));
        let script = Script::default().then(503, "");
        let error =
            close::close(&script, SETTINGS, &session.encode(), CloseReason::UserLeft, true, NOW + 5).unwrap_err();
        let session = Session::decode(&error.into_details().session.unwrap()).unwrap();
        assert!(session.is_unsure(Unsure::EndNote));
    }

    /// A host without a store: m-1 began in c-1 (killed), c-2 replaced it, its retry failed with a session, m-3 goes ahead.
    #[test]
    fn a_doubt_without_bounds_is_not_settled_by_the_newest_conversation_alone() {
        let mut session = active();
        session.adopt_conversation("c-2".into(), None);
        let script = Script::default().then(503, "");
        let one = message("m-1", SenderRole::EndUser, None, "one");
        let error = relay(&script, SETTINGS, &session.encode(), &one, true, NOW + 5).unwrap_err();
        let session = error.into_details().session.unwrap();
        let script = Script::default().then(200, &list(&[said("v-1", "x")])).then(200, r#"{"id":"v-3"}"#);
        let three = message("m-3", SenderRole::EndUser, None, "three");
        let empty = relay(&script, SETTINGS, &session, &three, false, NOW + 5).unwrap().session.unwrap();
        let script = Script::default().then(200, r#"{"messages":[]}"#).then(200, &list(&[said("v-9", "one")]));
        relay(&script, SETTINGS, &empty, &one, false, NOW + 6).unwrap();
        assert!(script.sent()[0].starts_with("Get"), "written without a look at c-1");
    }

    /// Files are known by nothing but their place: two in doubt are told apart by the look before each write.
    #[test]
    fn of_two_files_in_doubt_each_is_found_as_itself() {
        let settings = r#"{"chat_url": "acme", "api_key": "k", "file_hosts": ["files.example"]}"#;
        let file = |id: &str| {
            let mut message = message(id, SenderRole::EndUser, None, "");
            let url = Some(format!("https://files.example/{id}.png"));
            message.parts = vec![Part { url, ..Part::empty(PartKind::Image) }];
            message
        };
        let in_list = r#"{"id":"v-2","actor_type":"user","actor_id":"user-1","message_type":"normal","message_parts":[{"image":{"url":"https://x.example/2"}}]}"#;
        let (nothing, second) = (list(&[said("v-0", "x")]), list(&[in_list.to_owned(), said("v-0", "x")]));
        let mut session = active();
        session.doubt(&message_key("f-1"));

        // The second goes ahead: the first is not there. Its own answer is lost.
        let script = Script::default().then(404, "").then(200, &nothing).then(500, "");
        let error = relay(&script, settings, &session.encode(), &file("f-2"), false, NOW + 5).unwrap_err();
        let session = error.into_details().session.unwrap();

        // The first is written, and not taken for the second, which is there.
        let script = Script::default().then(404, "").then(200, &second).then(200, r#"{"id":"v-3"}"#);
        let session = relay(&script, settings, &session, &file("f-1"), false, NOW + 6).unwrap().session.unwrap();
        assert!(script.sent().iter().any(|it| it.starts_with("Post")), "{:?}", script.sent());

        // The second is found.
        let script = Script::default().then(404, "").then(200, &second);
        relay(&script, settings, &session, &file("f-2"), false, NOW + 7).unwrap();
        assert!(!script.sent().iter().any(|it| it.starts_with("Post")), "{:?}", script.sent());
    }
}

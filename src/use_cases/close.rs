//! Ends the human part from the platform's side.

use crate::conversation::journal::{self, Search};
use crate::conversation::lifecycle::{self, Action, Input};
use crate::conversation::session::{EndReason, Session, Unsure};
use crate::conversation::timers;
use crate::freshchat::endpoints::{Author, NewMessage, Resolve};
use crate::freshchat::wire::VendorMessage;
use crate::http::Http;
use crate::http::client::{Client, Failure, FailureKind};
use crate::settings::{Settings, names};
use crate::text::languages::Language;
use crate::text::{summary, transcript};
use crate::use_cases::{Update, relay, times};
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{CloseReason, Event, EventKind, Finding, Outcome, Timestamp, UserId};

/// Tells the human agents why, and resolves the conversation. Closing what is closed does nothing.
pub fn close(
    http: &dyn Http,
    settings: &str,
    session: &[u8],
    reason: CloseReason,
    retry: bool,
    now: Timestamp,
) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    times::check("now", now)?;
    let freshchat = Client::chat(http, &settings)?;
    let mut session = Session::decode(session)?;
    let (state, action) = lifecycle::step(session.state, Input::CloseAsked);
    if action == Action::Done {
        // Should a message in doubt turn out to have opened another conversation, that one ends as well.
        session.end.get_or_insert(reason.into());
        return Ok(session.update(&settings, Vec::new(), Vec::new()));
    }
    session.enter(state, now);
    let (returned, mut findings) = end(&freshchat, &settings, &mut session, reason.into(), retry, now)?;
    let mut events = vec![returned];
    summary::add(&freshchat, &settings, &session, &mut events, None, &mut findings);
    Ok(session.update(&settings, events, findings))
}

/// Ends the human part of a session that is [`SessionState::Closing`](handoff_contract::model::SessionState::Closing): note, resolution, return. `retry`: an
/// earlier try may have got further than the session knows. Its error carries the session; after an hour of trying there is none,
/// and what could not be written is left out.
pub fn end(
    freshchat: &Client<'_>,
    settings: &Settings,
    session: &mut Session,
    reason: EndReason,
    retry: bool,
    now: Timestamp,
) -> Result<(Event, Vec<Finding>), Error> {
    // A repeated call keeps the first reason: the note may be out already.
    let reason = *session.end.get_or_insert(reason);
    let findings = match note_and_resolve(freshchat, settings, session, reason, retry) {
        Ok(findings) => findings,
        Err(_) if timers::is_end_overdue(session, now) => vec![left_open(session)],
        Err(error) => {
            timers::looked(session, now);
            return Err(error.with_session(session.encode()));
        }
    };
    Ok((hand_back(session, reason, now), findings))
}

/// Nobody has resolved it: that it is open does not bring it back.
fn left_open(session: &mut Session) -> Finding {
    session.end_refused = true;
    let detail = "Freshworks could not be told of the end; the AI agent has the conversation all the same";
    let remedy =
        "Run connect: it says whether Freshworks answers. Resolve the conversation in the inbox if it is still open.";
    Finding::warning("resolution", "end-untold", detail, remedy)
}

fn hand_back(session: &mut Session, reason: EndReason, now: Timestamp) -> Event {
    let (state, _) = lifecycle::step(session.state, Input::CloseDone);
    let conversation = session.conversation.clone();
    let mut returned = returned(session, now, conversation.as_ref().map(|id| id.as_str()));
    returned.outcome = Some(outcome(reason));
    session.enter(state, now);
    timers::alive(session, now);
    returned
}

/// Ends a conversation that turns out to go on after the end that the platform has asked for. Told before.
pub(crate) fn end_again(freshchat: &Client<'_>, settings: &Settings, session: &mut Session) -> Result<(), Error> {
    session.end_noted = false;
    let reason = session.end.unwrap_or(EndReason::PlatformClosed);
    note_and_resolve(freshchat, settings, session, reason, true).map(drop)
}

/// The event about the return to the AI agent, once for each round.
pub fn returned(session: &mut Session, at: Timestamp, conversation: Option<&str>) -> Event {
    let event = Event::new(session.round_id("returned"), EventKind::ReturnedToAi, at, conversation);
    session.rounds = session.rounds.saturating_add(1);
    event
}

/// What the platform is told about an end that it, or time, has asked for.
pub fn outcome(reason: EndReason) -> Outcome {
    match reason {
        EndReason::UserLeft | EndReason::UserCancelled | EndReason::PlatformClosed | EndReason::ReturnedToAi => {
            Outcome::Abandoned
        }
        EndReason::TimedOut | EndReason::Inactive => Outcome::TimedOut,
    }
}

fn note(reason: EndReason, language: &Language, reference: &str) -> String {
    format!("{} · {}{}", language.end(reason), transcript::marker(reference), transcript::END)
}

/// What is refused for good is left out with a finding: the end of the human part must never fail for ever.
fn note_and_resolve(
    freshchat: &Client<'_>,
    settings: &Settings,
    session: &mut Session,
    reason: EndReason,
    retry: bool,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let Some(user) = session.user.clone() else { return Ok(findings) };
    if retry && !session.end_noted {
        // In the session, because this try may fail before it has looked.
        session.set_unsure(Unsure::EndNote, true);
    }
    if session.conversation.is_none() && (session.look || session.is_unsure(Unsure::Conversation)) {
        // The handoff may have got through: then human agents wait for somebody who has gone.
        let reference = session.reference.clone();
        let is_ours = |found: &VendorMessage| transcript::is_of_handoff(&found.text(), &reference);
        match journal::find(freshchat, &user, false, &is_ours) {
            Ok(found) => found.iter().for_each(|found| journal::adopt(session, &found.conversation)),
            Err(failure) if is_final(failure.kind) => findings.push(left_open(session)),
            Err(failure) => return Err(failure.into_error()),
        }
        session.set_unsure(Unsure::Conversation, false);
        session.look = false;
    }
    let may_go_on = session.is_unsure(Unsure::Conversation) || session.is_any_in_doubt();
    if let Some(old) = session.conversation.clone().filter(|_| may_go_on) {
        // A message may have opened the conversation that continues this one: the end belongs there.
        match relay::adopt_replacement(freshchat, session, &old, &user) {
            Err(error) if !matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::NotFound) => return Err(error),
            // Refused here, it is refused below as well, and told there.
            _ => {}
        }
    }
    // A handoff that never got as far as a conversation leaves nothing to resolve.
    let Some(conversation) = session.conversation.clone() else { return Ok(findings) };
    if !session.end_noted {
        let mut unsure = retry || session.is_unsure(Unsure::EndNote);
        let text = note(reason, settings.language, &session.reference);
        let mut author = note_author(settings, &user);
        loop {
            let message = NewMessage::text(author.clone(), text.clone());
            let is_it = |found: &VendorMessage| found.text() == text;
            let search = Search::by_marker(&is_it);
            let place = (&conversation, &user);
            let sent = journal::send_once(freshchat, session, &mut unsure, place, &message, &search);
            session.set_unsure(Unsure::EndNote, unsure);
            match sent {
                Ok(_) => break,
                Err(failure) => match without_author(&mut author, &user, &failure) {
                    Some(finding) => findings.push(finding),
                    // The person has a newer one: a relay that was cut off may have opened it.
                    None if failure.kind == FailureKind::NotLatest
                        && relay::adopt_replacement(freshchat, session, &conversation, &user)?.is_some() =>
                    {
                        return note_and_resolve(freshchat, settings, session, reason, retry);
                    }
                    None if is_final(failure.kind) => {
                        let detail = "Freshworks refused the note about the end";
                        let remedy = "The conversation has most likely ended already, or is gone. If there are more such findings, run connect: it says whether the key still works.";
                        findings.push(Finding::warning("end-note", "end-note-refused", detail, remedy));
                        break;
                    }
                    None => return Err(failure.into_error()),
                },
            }
        }
        session.end_noted = true;
    }
    match freshchat.call(&Resolve { id: &conversation }) {
        Ok(()) => {}
        Err(failure) if is_final(failure.kind) => {
            session.end_refused = true;
            let detail = "Freshworks refused to resolve the conversation";
            findings.push(Finding::warning(
                "resolution",
                "resolution-refused",
                detail,
                "Resolve it in the inbox if it is still open.",
            ));
        }
        Err(failure) => return Err(failure.into_error()),
    }
    Ok(findings)
}

/// In whose name notes are written that no handoff has looked up: the configured author's, else the end user's.
pub fn note_author(settings: &Settings, user: &UserId) -> Author {
    let author = settings.note_author.as_deref();
    let author = author.and_then(|wanted| settings.resolved.agent(wanted).or_else(|| names::agent_id(wanted)));
    author.map_or_else(|| Author::User(user.clone()), Author::NoteBy)
}

/// What is to be told when a note was refused for good in the configured name, and is to be written in the end user's.
pub(crate) fn without_author(author: &mut Author, user: &UserId, failure: &Failure) -> Option<Finding> {
    // A key that is refused writes in nobody's name.
    if !is_final(failure.kind) || failure.kind == FailureKind::Unauthorized || !matches!(author, Author::NoteBy(_)) {
        return None;
    }
    *author = Author::User(user.clone());
    let detail = "a note was refused in the configured name; it came as a message of the user";
    let remedy = "Run connect: it says whether that human agent is still active.";
    Some(Finding::warning("note-author", "author-refused", detail, remedy))
}

/// No repetition will change the answer, unless somebody acts first: the end user does not wait for that.
fn is_final(kind: FailureKind) -> bool {
    use FailureKind as K;
    matches!(kind, K::NotFound | K::NotLatest | K::Refused | K::Unauthorized | K::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, Script};
    use handoff_contract::model::{ConversationKey, SessionState};

    const SETTINGS: &str = r#"{"chat_url": "acme", "api_key": "k"}"#;

    fn queued() -> Vec<u8> {
        let key = ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() };
        let mut session = Session::begin(&key, 1);
        session.state = SessionState::Queued;
        session.user = Some("user-1".into());
        session.adopt_conversation("c-1".into(), None);
        session.encode()
    }

    #[test]
    fn what_is_refused_for_good_does_not_keep_the_end_from_coming() {
        let messages = r#"{"messages": []}"#;
        let script = Script::default().then(400, "{}").then(200, messages).then(404, "{}");
        let update = close(&script, SETTINGS, &queued(), CloseReason::UserLeft, false, NOW + 7).unwrap();
        let codes: Vec<&str> = update.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["end-note-refused", "resolution-refused"]);
        assert_eq!(update.info.unwrap().state, SessionState::Returned);
        assert_eq!((update.events[0].kind, update.events[0].at), (EventKind::ReturnedToAi, NOW + 7));
    }

    #[test]
    fn a_repeated_close_goes_on_behind_the_note() {
        let script = Script::default().then(200, r#"{"id": "m-1"}"#).then(503, "");
        let error = close(&script, SETTINGS, &queued(), CloseReason::UserLeft, false, NOW + 7).unwrap_err();
        let session = error.into_details().session.unwrap();
        let script = Script::default().then(200, "");
        let update = close(&script, SETTINGS, &session, CloseReason::TimedOut, false, NOW + 8).unwrap();
        assert_eq!(script.sent(), ["Put /v2/conversations/c-1"]);
        assert_eq!(update.events[0].outcome, Some(Outcome::Abandoned), "the first reason stays");

        let nothing = Script::default();
        let again = close(&nothing, SETTINGS, &update.session.unwrap(), CloseReason::UserLeft, false, NOW + 9).unwrap();
        assert_eq!((again.events.len(), nothing.sent().len()), (0, 0));
    }

    #[test]
    fn a_note_in_doubt_stays_so_when_the_repeat_fails_before_it_has_looked() {
        let mut session = Session::decode(&queued()).unwrap();
        session.doubt(&crate::conversation::session::message_key("m-1"));
        let script = Script::default().then(503, "");
        let error = close(&script, SETTINGS, &session.encode(), CloseReason::UserLeft, true, NOW + 7).unwrap_err();
        assert!(script.sent().iter().all(|it| it == "Get /v2/users/user-1/conversations"), "{:?}", script.sent());
        let session = Session::decode(&error.into_details().session.unwrap()).unwrap();
        assert!(session.is_unsure(Unsure::EndNote));
    }
}

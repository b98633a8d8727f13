//! Does what time makes necessary: repair after lost webhooks, time-outs, and the rest of an end that was cut off.

use crate::conversation::lifecycle::{self, Input};
use crate::conversation::session::{EndReason, Session, Unsure};
use crate::conversation::{journal, ticket, timers};
use crate::freshchat::endpoints::{Conversation, GetConversation, ListMessages};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::http::client::{Client, FailureKind};
use crate::settings::Settings;
use crate::text::{summary, transcript};
use crate::use_cases::webhook::translate::translate;
use crate::use_cases::webhook::vendor_event::{About, Kind, VendorEvent};
use crate::use_cases::{Update, close, relay, times, webhook};
use handoff_contract::error::Error;
use handoff_contract::model::SessionState;
use handoff_contract::model::{ConversationId, EventKind, Finding, Outcome, Timestamp};

/// Looks what webhooks did not tell, and ends what has waited for too long.
pub fn tick(http: &dyn Http, settings: &str, session: &[u8], now: Timestamp) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    times::check("now", now)?;
    let freshchat = Client::chat(http, &settings)?;
    let mut session = Session::decode(session)?;
    let mut events = Vec::new();
    let mut findings = Vec::new();
    let mut newest = None;
    let waits = timers::next_tick(&session, &settings).is_some();

    if let Some(id) = session.ticket.clone() {
        if waits {
            let news = ticket::look(Client::tickets(http, &settings), &settings, &mut session, &id, now)?;
            (events, findings) = (news.events, news.findings);
            if events.is_empty() {
                timers::looked(&mut session, now);
            } else {
                timers::alive(&mut session, now);
            }
        }
        return Ok(session.update(&settings, events, findings));
    }
    if waits && session.state != SessionState::Closing {
        let Some(conversation) = session.conversation.clone() else {
            return Ok(session.update(&settings, events, findings));
        };
        let (conversation, found, messages) = match current(&freshchat, &mut session, conversation) {
            Ok(Some(current)) => current,
            Ok(None) => return Ok(lost(session, &settings, now, Lost::Gone)),
            Err(error) if let Some(reason) = timers::timed_out_unseen(&session, &settings, error.kind, now) => {
                let (state, _) = lifecycle::step(session.state, Input::TimedOut);
                session.enter(state, now);
                let (returned, left_out) = close::end(&freshchat, &settings, &mut session, reason, true, now)?;
                return Ok(session.update(&settings, vec![returned], left_out));
            }
            Err(error) if timers::is_given_up(&session, &settings, error.kind, now) => {
                return Ok(lost(session, &settings, now, Lost::Unreadable));
            }
            Err(error) => return Err(error),
        };
        let missed = missed(conversation, &found, messages.clone(), &session);
        newest = Some(messages);
        let told = missed.iter().flat_map(|event| translate(event, Some(&mut session), &settings, now));
        events.extend(told.filter(|event| event.kind != EventKind::Ignored));
        webhook::name_agents(http, &settings, Some(&mut session), &mut events);
        timers::looked(&mut session, now);
    }

    // What was found goes out first: an end that fails must not take it along. The time-out is due at the next tick.
    let reason = match session.state {
        SessionState::Closing => session.end.or(Some(EndReason::TimedOut)),
        _ if events.is_empty() => timers::timed_out(&session, &settings, now),
        _ => None,
    };
    if let Some(reason) = reason {
        let (state, _) = lifecycle::step(session.state, Input::TimedOut);
        session.enter(state, now);
        // An earlier try may have been cut off and its session lost.
        let (returned, left_out) = close::end(&freshchat, &settings, &mut session, reason, true, now)?;
        events.push(returned);
        findings = left_out;
    }
    summary::add(&freshchat, &settings, &session, &mut events, newest, &mut findings);
    Ok(session.update(&settings, events, findings))
}

/// Why a conversation is looked after no longer.
enum Lost {
    /// It is deleted.
    Gone,
    /// It could not be read for too long.
    Unreadable,
}

/// Nobody will answer in it any more, so the AI agent does: told once.
fn lost(mut session: Session, settings: &Settings, now: Timestamp, why: Lost) -> Update {
    if session.state == SessionState::Returned {
        timers::looked(&mut session, now);
        return session.update(settings, Vec::new(), Vec::new());
    }
    let finding = match why {
        Lost::Gone => Finding::warning(
            "conversation",
            "conversation-gone",
            "the conversation is deleted; it counts as ended",
            "Hand off again if the end user still needs a person.",
        ),
        Lost::Unreadable => Finding::warning(
            "conversation",
            "conversation-unreadable",
            "Freshworks has not let us read the conversation for too long; it counts as ended",
            "Run connect: it says what is wrong. Resolve the conversation in the inbox if it is still open.",
        ),
    };
    let conversation = session.conversation.clone();
    let mut event = close::returned(&mut session, now, conversation.as_ref().map(|id| id.as_str()));
    event.outcome = Some(Outcome::Failed);
    let (state, _) = lifecycle::step(session.state, Input::Resolved);
    session.enter(state, now);
    // Once it can be read again, that it is still open does not bring it back.
    session.end_refused = true;
    timers::alive(&mut session, now);
    session.update(settings, vec![event], vec![finding])
}

/// A conversation with its newest messages.
type Current = (ConversationId, Conversation, Vec<VendorMessage>);

/// The conversation that messages go to now; none when it is gone. A relay that was cut off may have opened one that continues
/// the one that the session knows.
fn current(freshchat: &Client<'_>, session: &mut Session, known: ConversationId) -> Result<Option<Current>, Error> {
    let looked = look(freshchat, &known)?;
    let is_over = looked.as_ref().is_none_or(|(_, found, _)| found.is_resolved());
    let may_go_on = session.is_unsure(Unsure::Conversation) || is_over && session.is_any_in_doubt();
    let user = session.user.clone().filter(|_| may_go_on);
    if let Some(user) = user
        && let Some(newer) = relay::adopt_replacement(freshchat, session, &known, &user)?
    {
        return look(freshchat, &newer.id);
    }
    Ok(looked)
}

/// The conversation and its newest messages, asked for together; none when it is gone.
fn look(freshchat: &Client<'_>, id: &ConversationId) -> Result<Option<Current>, Error> {
    match freshchat.call_both(&GetConversation { id }, &ListMessages { id, page: 1 }) {
        Ok((conversation, newest)) => Ok(Some((id.clone(), conversation, newest.messages))),
        Err(failure) if failure.kind == FailureKind::NotFound && journal::is_gone(freshchat, id) => Ok(None),
        Err(failure) => Err(failure.into_error()),
    }
}

/// What happened in the conversation since the handoff, as the webhooks would have told it. What they did tell is sorted out
/// by the filter that all events pass. Pure.
fn missed(
    id: ConversationId,
    found: &Conversation,
    newest_first: Vec<VendorMessage>,
    session: &Session,
) -> Vec<VendorEvent> {
    let about = About {
        id: Some(id.clone()),
        numeric_id: found.numeric_id.clone(),
        channel: found.channel.clone(),
        // Tells the end of one round from that of the next where the answer has no time.
        interaction: Some(session.rounds.to_string()),
    };
    // What is read now is never stale, whatever the vendor says about when it changed.
    let at = found.updated_at.map(|at| at.max(session.changed_at));
    let change = |action: &str, kind| VendorEvent { action: action.to_owned(), at, kind };
    let mut events = Vec::new();

    // Written in the user's name; a human agent who quotes one begins nothing.
    let is_opening =
        |message: &VendorMessage| matches!(message.actor, Actor::User(_)) && transcript::is_opening(&message.text());
    let opening = newest_first.iter().position(is_opening);
    // Another handoff of the same person goes on in the same conversation: what follows is not for this one.
    let is_foreign = |index: &usize| {
        let text = newest_first.get(*index).map(VendorMessage::text).unwrap_or_default();
        transcript::reference_of(&text) != Some(session.reference.as_str())
    };
    if opening.as_ref().is_some_and(is_foreign) {
        return events;
    }
    let ours = opening.unwrap_or(newest_first.len());

    let is_resolved = found.is_resolved();
    if session.state == SessionState::Returned && !is_resolved && found.status.is_some() && !session.end_refused {
        events.push(change("conversation_reopen", Kind::Reopen { conversation: about.clone(), actor: Actor::System }));
    }
    // Not every account says who has it. That nobody has it any more is believed only if it is newer than what is known.
    let is_news = found.updated_at.is_none_or(|at| at >= session.changed_at);
    let is_back = session.assigned && found.status.as_deref() == Some("new") && is_news;
    if !is_resolved && (found.agent.is_some() || is_back) {
        let assignment = Kind::Assignment {
            conversation: about.clone(),
            to_agent: found.agent.clone(),
            from_agent: session.agent.clone(),
            to_group: None,
            from_group: None,
        };
        events.push(change("conversation_assignment", assignment));
    }
    for mut message in newest_first.into_iter().take(ours).rev() {
        if matches!(message.actor, Actor::Agent(_)) {
            // Lists leave out what the path says.
            message.conversation = Some(id.clone());
            let at = message.created_at;
            events.push(VendorEvent { action: "message_create".to_owned(), at, kind: Kind::Message(message) });
        }
    }
    if is_resolved {
        events.push(change("conversation_resolution", Kind::Resolution { conversation: about, actor: Actor::System }));
    }
    events
}

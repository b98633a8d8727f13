//! Does what time makes necessary: repair after lost webhooks, time-outs, and the rest of an end that was cut off.

use crate::client::Client;
use crate::client::Failure;
use crate::close;
use crate::error::Error;
use crate::freshchat::endpoints::{Conversation, GetConversation, ListMessages};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::lifecycle::{self, Input, State};
use crate::model::{ConversationId, EventKind, Timestamp, Update};
use crate::session::{EndReason, Session, Unsure};
use crate::settings::Settings;
use crate::webhook::translate::translate;
use crate::webhook::vendor_event::{About, Kind, VendorEvent};
use crate::{relay, summary, ticket, timers, transcript, webhook};

/// Looks what webhooks did not tell, and ends what has waited for too long.
pub fn tick(http: &dyn Http, settings: &str, session: &[u8], now: Timestamp) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
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
    if waits && session.state != State::Closing {
        let Some(conversation) = session.conversation.clone() else {
            return Ok(session.update(&settings, events, findings));
        };
        let (conversation, found, messages) = current(&freshchat, &mut session, conversation)?;
        let missed = missed(conversation, &found, messages.clone(), &session);
        newest = Some(messages);
        let told = missed.iter().flat_map(|event| translate(event, Some(&mut session), &settings, now));
        events.extend(told.filter(|event| event.kind != EventKind::Ignored));
        webhook::name_agents(http, &settings, Some(&mut session), &mut events);
        timers::looked(&mut session, now);
    }

    // What was found goes out first: an end that fails must not take it along. The time-out is due at the next tick.
    let reason = match session.state {
        State::Closing => session.end.or(Some(EndReason::TimedOut)),
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

/// The conversation that messages go to now, with its newest messages. A relay that was cut off may have opened one that
/// continues the one that the session knows.
fn current(
    freshchat: &Client<'_>,
    session: &mut Session,
    known: ConversationId,
) -> Result<(ConversationId, Conversation, Vec<VendorMessage>), Error> {
    let (found, messages) = look(freshchat, &known).map_err(Failure::into_error)?;
    let may_go_on = session.is_unsure(Unsure::Conversation) || found.is_resolved() && session.is_any_in_doubt();
    let user = session.user.clone().filter(|_| may_go_on);
    if let Some(user) = user
        && let Some(newer) = relay::adopt_replacement(freshchat, session, &known, &user)?
    {
        let (found, messages) = look(freshchat, &newer.id).map_err(Failure::into_error)?;
        return Ok((newer.id, found, messages));
    }
    Ok((known, found, messages))
}

/// The conversation and its newest messages, asked for together.
fn look(freshchat: &Client<'_>, id: &ConversationId) -> Result<(Conversation, Vec<VendorMessage>), Failure> {
    let (conversation, newest) = freshchat.call_both(&GetConversation { id }, &ListMessages { id, page: 1 })?;
    Ok((conversation, newest.messages))
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
    if session.state == State::Returned && !is_resolved && found.status.is_some() && !session.end_refused {
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

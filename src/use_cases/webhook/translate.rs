//! The vendor's event as events of the contract: the filter table. Pure and never failing: whatever is not for the
//! platform becomes `ignored` with a word that says why.

use super::vendor_event::{Kind, VendorEvent};
use crate::conversation::lifecycle::{self, Action, Input};
use crate::conversation::session::{Session, digest};
use crate::conversation::timers;
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::settings::{Settings, names};
use crate::text::{plain_text, transcript};
use crate::use_cases::close;
use handoff_contract::model::{
    AgentId, ChannelId, Event, EventKind, Message, Outcome, Part, PartKind, Sender, SenderRole, SessionState, Timestamp,
};

/// Translates one event, and moves the session on when there is one.
pub(crate) fn translate(
    event: &VendorEvent,
    session: Option<&mut Session>,
    settings: &Settings,
    received_at: Timestamp,
) -> Vec<Event> {
    let about = event.about();
    let at = event.at.unwrap_or(received_at);
    let id = event_id(event);
    let conversation = about.id.as_ref().map(|id| id.as_str()).or(about.numeric_id.as_deref());
    let ignored = |why: &str| {
        // An id of its own: the same delivery may count when it comes again, for example once the session is stored.
        let mut event = Event::new(format!("{id}:ignored"), EventKind::Ignored, at, conversation);
        event.detail = Some(why.to_owned());
        vec![event]
    };

    if event.kind == Kind::Unknown {
        return ignored("unknown-action");
    }
    if conversation.is_none() {
        return ignored("not-a-conversation-event");
    }
    let Some(session) = session else {
        let is_ours = |channel: &ChannelId| settings.resolved.topics.values().any(|ours| ours == channel.as_str());
        let foreign = about.channel.as_ref().is_some_and(|channel| !is_ours(channel));
        if foreign && !settings.resolved.topics.is_empty() {
            return ignored("foreign-channel");
        }
        return match stateless(event, settings, &id, at, conversation) {
            Ok(event) => vec![event],
            Err(why) => ignored(why),
        };
    };

    let ids = [about.id.as_ref().map(|id| id.as_str()), about.numeric_id.as_deref()];
    if !ids.into_iter().flatten().any(|id| session.knows_conversation(id)) {
        return ignored("foreign-conversation");
    }
    // One of the two ids was known: from now on both are.
    for id in ids.into_iter().flatten() {
        session.know_alias(id);
    }
    if session.seen_events.contains(&id) {
        return ignored("duplicate");
    }
    let clock = Clock { settings, at, received_at };
    match stateful(event, session, &id, clock, conversation) {
        Ok(events) => {
            session.mark_seen(&id);
            timers::alive(session, received_at);
            events
        }
        Err(why) => ignored(why),
    }
}

/// Stable over repeats: the vendor's message id, or a fingerprint of everything that tells one change from the next.
fn event_id(event: &VendorEvent) -> String {
    let about = event.about();
    let conversation = about.id.map(|id| id.0).or(about.numeric_id).unwrap_or_default();
    let at = event.at.unwrap_or(0).to_string();
    let interaction = about.interaction.unwrap_or_default();
    let targets = match &event.kind {
        Kind::Message(message) => return format!("fc:message:{}", message.id),
        Kind::Assignment { to_agent, to_group, .. } => {
            [to_agent.as_ref().map(AgentId::as_str), to_group.as_ref().map(|group| group.as_str())]
        }
        _ => [None, None],
    };
    let targets = targets.map(Option::unwrap_or_default);
    let texts = [&event.action, &conversation, &interaction, &at, targets[0], targets[1]];
    format!("fc:change:{}", digest(&texts, 12))
}

/// Without a session: what the event says by itself.
fn stateless(
    event: &VendorEvent,
    settings: &Settings,
    id: &str,
    at: Timestamp,
    conversation: Option<&str>,
) -> Result<Event, &'static str> {
    let event_of = |kind| Event::new(id, kind, at, conversation);
    match &event.kind {
        Kind::Message(message) => {
            let message = agent_message(message, settings, at)?;
            let agent = Some(message.sender.clone());
            Ok(Event { agent, message: Some(message), ..event_of(EventKind::AgentMessage) })
        }
        Kind::Assignment { to_agent, from_agent, to_group, from_group, .. } => match to_agent {
            Some(agent) if from_agent.as_ref() == Some(agent) => Err("unchanged-assignment"),
            Some(agent) => Ok(Event { agent: Some(human_agent(agent)), ..event_of(EventKind::AgentAssigned) }),
            None if to_group == from_group && from_agent.is_none() => Err("unchanged-assignment"),
            None => {
                let word = if to_group.is_some() { "to-group" } else { "to-nobody" };
                Ok(Event { detail: Some(word.to_owned()), ..event_of(EventKind::Transferred) })
            }
        },
        Kind::Resolution { actor, .. } => Ok(Event { agent: actor_agent(actor), ..event_of(EventKind::Resolved) }),
        Kind::Reopen { actor, .. } => Ok(Event { agent: actor_agent(actor), ..event_of(EventKind::Reopened) }),
        Kind::Unknown => Err("unknown-action"),
    }
}

/// When an event happened by the vendor's clock, and when it was heard of by the host's.
#[derive(Clone, Copy)]
struct Clock<'a> {
    settings: &'a Settings,
    at: Timestamp,
    received_at: Timestamp,
}

/// With a session: what the event changes. Ids of changes come from the session's place in its life, so that they are the same
/// whoever comes upon them.
fn stateful(
    event: &VendorEvent,
    session: &mut Session,
    id: &str,
    clock: Clock<'_>,
    conversation: Option<&str>,
) -> Result<Vec<Event>, &'static str> {
    let at = clock.at;
    if let Kind::Message(message) = &event.kind
        && session.is_own(&message.id)
    {
        return Err("own-message");
    }
    let mut told = stateless(event, clock.settings, id, at, conversation)?;
    let input = match &event.kind {
        Kind::Message(_) => Input::AgentMessage,
        Kind::Assignment { to_agent: Some(agent), .. } if session.agent.as_ref() == Some(agent) => {
            return Err("unchanged-assignment");
        }
        // The group that the handoff itself asked for is reported like any other.
        Kind::Assignment { to_agent: None, to_group: Some(group), .. }
            if session.agent.is_none() && session.group.as_ref() == Some(group) =>
        {
            return Err("unchanged-assignment");
        }
        Kind::Assignment { to_agent: Some(_), .. } => Input::Assigned,
        Kind::Assignment { to_agent: None, .. } => Input::Unassigned,
        Kind::Resolution { .. } => Input::Resolved,
        Kind::Reopen { .. } => Input::Reopened,
        Kind::Unknown => return Err("unknown-action"),
    };
    let about = event.about();
    let ids = [about.id.as_ref().map(|id| id.as_str()), about.numeric_id.as_deref()];
    if input != Input::AgentMessage && ids.into_iter().flatten().any(|id| session.has_replaced(id)) {
        return Err("superseded");
    }
    // Our own note about the end reopens a conversation that had been resolved; its echo is no reopening.
    if matches!(&event.kind, Kind::Reopen { actor: Actor::User(_), .. }) && session.end.is_some() {
        return Err("own-message");
    }
    // Webhooks overtake one another; only the vendor's own clock tells. Messages are never too old to be shown.
    let changes_status = input != Input::AgentMessage;
    if changes_status && event.at.is_some_and(|at| at < session.changed_at) {
        return Err("stale");
    }
    // Also what changes nothing now makes older changes stale.
    if changes_status {
        session.changed_at = event.at.unwrap_or(session.changed_at);
    }
    if input == Input::Reopened && !timers::can_reopen(session, clock.settings, clock.received_at) {
        return Err("reopen-too-late");
    }
    let (state, action) = lifecycle::step(session.state, input);
    let hand_back = match action {
        Action::Go => false,
        Action::HandBack => true,
        Action::Ignore(why) => {
            // Nobody is told, but it is so: no later look must come upon it as news.
            if let Kind::Assignment { to_agent, .. } = &event.kind {
                (session.agent, session.assigned) = (to_agent.clone(), to_agent.is_some());
            }
            return Err(why);
        }
        Action::Done | Action::Refuse => return Err("already-returned"),
    };
    session.enter(state, clock.received_at);
    match &event.kind {
        Kind::Assignment { to_agent, from_agent, to_group, .. } => {
            let to = to_agent.as_ref().map(AgentId::as_str).or(to_group.as_ref().map(|group| group.as_str()));
            told.id = session.assignment_id(to.unwrap_or_default());
            session.assignments = session.assignments.saturating_add(1);
            let had_one = session.agent.is_some() || from_agent.is_some();
            if let Some(group) = to_group {
                session.group = Some(group.clone());
            }
            (session.agent, session.assigned) = (to_agent.clone(), to_agent.is_some());
            if to_agent.is_some() && had_one {
                told.kind = EventKind::Transferred;
                told.detail = Some("to-agent".to_owned());
            }
        }
        Kind::Message(message) => {
            let is_nobodys = session.agent.is_none() || (session.state == SessionState::Returned && !session.assigned);
            if let Actor::Agent(Some(agent)) = &message.actor
                && is_nobodys
            {
                // The assignment may be late or missing: who writes has it.
                (session.agent, session.assigned) = (Some(agent.clone()), false);
            }
        }
        Kind::Resolution { .. } => told.id = session.round_id("resolved"),
        Kind::Reopen { .. } => {
            told.id = session.round_id("reopened");
            (session.end, session.end_noted, session.end_refused) = (None, false, false);
        }
        Kind::Unknown => {}
    }
    if !hand_back {
        return Ok(vec![told]);
    }
    let mut returned = close::returned(session, at, conversation);
    // An end that the platform asked for is told as that, although its answer was lost and the echo is what we hear.
    returned.outcome = Some(session.end.map_or(Outcome::Resolved, close::outcome));
    Ok(if session.end.is_some() { vec![returned] } else { vec![told, returned] })
}

/// A message that the end user may see; everything else is refused with a word.
fn agent_message(message: &VendorMessage, settings: &Settings, at: Timestamp) -> Result<Message, &'static str> {
    if message.private {
        return Err("private-note");
    }
    let sender = match &message.actor {
        _ if message.system => return Err("system-message"),
        Actor::User(_) => return Err("end-user-message"),
        Actor::System | Actor::Agent(None) => return Err("system-message"),
        // Some accounts leave the type of a message out: our own notes must not come back as answers.
        Actor::Agent(Some(agent)) if is_own_note(agent, message, settings) => return Err("own-message"),
        Actor::Agent(Some(agent)) => human_agent(agent),
    };
    if message.parts.is_empty() {
        return Err("empty-message");
    }
    let origin = settings.origin().unwrap_or_default();
    Ok(Message {
        id: message.id.0.clone(),
        sender,
        sent_at: message.created_at.unwrap_or(at),
        parts: message.parts.iter().map(|part| plain(part, &origin)).collect(),
    })
}

/// A part that the platform can show as it is: no markup, and addresses that lead to pages alone. `origin`: the account's, for
/// addresses that are only a path.
fn plain(part: &Part, origin: &str) -> Part {
    let text = part.text.as_deref().map(|text| plain_text::from_rich(text).into_owned());
    let url = part.url.as_deref().and_then(|url| plain_text::address(url, origin));
    let url = url.filter(|url| part.kind == PartKind::Button || plain_text::is_web(url));
    // Such a part is shown by its text alone.
    let text = match &url {
        Some(url) if part.kind == PartKind::Unsupported => Some(format!("{} {url}", text.unwrap_or_default())),
        _ => text,
    };
    let plain =
        |choices: &Vec<String>| choices.iter().map(|choice| plain_text::from_rich(choice).into_owned()).collect();
    let choices = part.choices.as_ref().map(plain);
    Part { text, url, choices, ..part.clone() }
}

/// Written by us in the name of the configured author. A human agent who quotes one of our notes is heard.
pub(crate) fn is_own_note(agent: &AgentId, message: &VendorMessage, settings: &Settings) -> bool {
    let is_author = settings.note_author.as_deref().is_some_and(|wanted| {
        let author = settings.resolved.agent(wanted).or_else(|| names::agent_id(wanted));
        // Whose name stands behind an address is not known before `connect`.
        author.is_none_or(|author| author == *agent)
    });
    is_author && transcript::is_marked(&message.text())
}

fn human_agent(id: &AgentId) -> Sender {
    Sender { role: SenderRole::HumanAgent, id: Some(id.0.clone()), name: None, avatar_url: None }
}

fn actor_agent(actor: &Actor) -> Option<Sender> {
    match actor {
        Actor::Agent(Some(agent)) => Some(human_agent(agent)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_contract::model::ConversationKey;
    use serde_json::{Value, json};

    fn queued() -> Session {
        let key = ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() };
        let mut session = Session::begin(&key, 1);
        session.state = SessionState::Queued;
        session.adopt_conversation("conv".into(), None);
        session
    }

    fn settings() -> Settings {
        Settings::parse(
            r#"{"chat_url": "acme", "resolved": {"origin": "https://acme.freshchat.com", "topics": {"T": "topic"}}}"#,
        )
        .unwrap()
    }

    fn words(events: &[Event]) -> Vec<String> {
        let word = |event: &Event| event.detail.clone().unwrap_or_else(|| format!("{:?}", event.kind));
        events.iter().map(word).collect()
    }

    fn tell(session: Option<&mut Session>, body: &Value) -> Vec<String> {
        let event = VendorEvent::decode(body.to_string().as_bytes()).unwrap();
        words(&translate(&event, session, &settings(), 0))
    }

    fn message(id: &str, changes: Value) -> Value {
        let mut message = json!({
            "id": id, "conversation_id": "conv", "channel_id": "topic", "actor_type": "agent", "actor_id": "maya",
            "message_type": "normal", "message_parts": [{ "text": { "content": "Hello" } }],
        });
        for (key, value) in changes.as_object().unwrap() {
            message[key] = value.clone();
        }
        json!({ "actor": {}, "action": "message_create", "action_time": "2026-01-01T00:00:09Z", "data": { "message": message } })
    }

    fn change(action: &str, second: u32, fields: Value) -> Value {
        let key = match action {
            "conversation_assignment" => "assignment",
            "conversation_resolution" => "resolve",
            _ => "reopen",
        };
        let mut data = json!({ "conversation": { "conversation_id": "conv", "channel_id": "topic" } });
        for (key, value) in fields.as_object().unwrap() {
            data[key] = value.clone();
        }
        json!({
            "actor": { "actor_type": "agent", "actor_id": "maya" }, "action": action,
            "action_time": format!("2026-01-01T00:00:{second:02}Z"), "data": { key: data },
        })
    }

    #[test]
    fn only_words_of_human_agents_to_the_end_user_get_through() {
        for (changes, word) in [
            (json!({}), "AgentMessage"),
            (json!({ "message_type": null }), "AgentMessage"),
            (json!({ "message_type": "private" }), "private-note"),
            (json!({ "botsPrivateNote": true }), "private-note"),
            (json!({ "message_type": "whisper" }), "private-note"),
            (json!({ "message_type": "PRIVATE" }), "private-note"),
            (json!({ "message_type": true }), "private-note"),
            (json!({ "message_type": 1 }), "private-note"),
            (json!({ "message_type": ["normal"] }), "private-note"),
            (json!({ "message_type": "Normal" }), "AgentMessage"),
            (json!({ "botsPrivateNote": "true" }), "private-note"),
            (json!({ "botsPrivateNote": "yes" }), "private-note"),
            (json!({ "botsPrivateNote": 1 }), "private-note"),
            (json!({ "botsPrivateNote": {} }), "private-note"),
            (json!({ "private": "TRUE" }), "private-note"),
            (json!({ "message_type": null, "isPrivate": true }), "private-note"),
            (json!({ "botsPrivateNote": "false", "private": 0, "is_private": null }), "AgentMessage"),
            (json!({ "message_type": "system" }), "system-message"),
            (json!({ "actor_type": "system" }), "system-message"),
            (json!({ "actor_type": "bot" }), "system-message"),
            (json!({ "actor_id": "" }), "system-message"),
            (json!({ "actor_type": "user", "actor_id": "u" }), "end-user-message"),
            (json!({ "message_parts": [{ "text": { "content": " " } }] }), "empty-message"),
            (json!({ "message_parts": [] }), "empty-message"),
            (json!({ "conversation_id": "other" }), "foreign-conversation"),
            (json!({ "conversation_id": null }), "not-a-conversation-event"),
            (json!({ "conversation_id": "other", "freshchat_conversation_id": "conv" }), "AgentMessage"),
        ] {
            assert_eq!(tell(Some(&mut queued()), &message("m", changes.clone())), [word], "{changes}");
        }
        assert_eq!(tell(None, &message("m", json!({ "channel_id": "other" }))), ["foreign-channel"]);
        assert_eq!(tell(None, &message("m", json!({ "message_type": "private" }))), ["private-note"]);
        assert_eq!(tell(None, &json!({ "action": "conversation_tagged" })), ["unknown-action"]);
    }

    #[test]
    fn addresses_are_links_that_lead_to_pages() {
        let url = |part: Value| {
            let body = message("m", json!({ "message_parts": [part] }));
            let event = VendorEvent::decode(body.to_string().as_bytes()).unwrap();
            let told = translate(&event, Some(&mut queued()), &settings(), 0).remove(0);
            told.message.unwrap().parts.remove(0).url
        };
        let site = "https://acme.freshchat.com";
        for (given, wanted) in [
            ("https://x/a b.pdf", Some("https://x/a%20b.pdf".to_owned())),
            ("/files/a b", Some(format!("{site}/files/a%20b"))),
            ("//cdn.x/a", Some("https://cdn.x/a".to_owned())),
            ("javascript:alert(1)", None),
            ("https://x/\n", Some("https://x/".to_owned())),
            ("https://x/a\nb", None),
            ("https://x/\"a", None),
            ("tel:+1", None),
        ] {
            assert_eq!(url(json!({ "file": { "name": "a.pdf", "url": given } })), wanted, "{given:?}");
        }
        assert_eq!(url(json!({ "hologram": { "url": "/h" } })), Some(format!("{site}/h")));
        let body = message("m", json!({ "message_parts": [{ "hologram": { "url": "/h" } }] }));
        let event = VendorEvent::decode(body.to_string().as_bytes()).unwrap();
        let told = translate(&event, None, &settings(), 0).remove(0).message.unwrap();
        assert_eq!(told.parts[0].text, Some(format!("[hologram] {site}/h")), "it is shown by its text alone");
        assert_eq!(transcript::part_text(&told.parts[0]), format!("[hologram] {site}/h"), "once");
        assert_eq!(url(json!({ "hologram": { "url": "tel:+1" } })), None);
        assert_eq!(url(json!({ "url_button": { "label": "Call", "url": "tel:+1" } })).as_deref(), Some("tel:+1"));
    }

    #[test]
    fn a_conversation_goes_its_way_even_when_webhooks_overtake_one_another() {
        let mut session = queued();
        let session = &mut session;
        let to = |agent: &str| json!({ "to_agent_id": agent, "from_agent_id": "" });
        assert_eq!(tell(Some(session), &message("m1", json!({}))), ["AgentMessage"]);
        assert_eq!(session.state, SessionState::Active, "an answer without an assignment counts as one");
        assert_eq!(tell(Some(session), &message("m1", json!({}))), ["duplicate"]);
        assert_eq!(tell(Some(session), &change("conversation_assignment", 10, to("maya"))), ["unchanged-assignment"]);
        assert_eq!(tell(Some(session), &change("conversation_assignment", 11, to("tom"))), ["to-agent"]);
        let to_group = json!({ "to_agent_id": "", "to_group_id": "g", "from_agent_id": "tom" });
        assert_eq!(tell(Some(session), &change("conversation_assignment", 12, to_group)), ["to-group"]);
        assert_eq!(session.state, SessionState::Queued);

        // The reopening arrives before the resolution that came before it.
        assert_eq!(
            tell(Some(session), &change("conversation_resolution", 20, json!({}))),
            ["Resolved", "ReturnedToAi"]
        );
        assert_eq!(tell(Some(session), &change("conversation_resolution", 21, json!({}))), ["already-returned"]);
        assert_eq!(tell(Some(session), &change("conversation_reopen", 30, json!({}))), ["Reopened"]);
        assert_eq!(tell(Some(session), &change("conversation_resolution", 25, json!({}))), ["stale"]);
        assert_eq!(session.state, SessionState::Active);
        assert_eq!(
            tell(Some(session), &change("conversation_resolution", 31, json!({}))),
            ["Resolved", "ReturnedToAi"]
        );
        assert_eq!(tell(Some(session), &message("m2", json!({}))), ["AgentMessage"], "late words are not lost");
        assert_eq!(session.state, SessionState::Returned);
    }

    #[test]
    fn what_happens_in_a_replaced_conversation_moves_nothing() {
        let mut session = queued();
        session.adopt_conversation("newer".into(), None);
        assert_eq!(tell(Some(&mut session), &change("conversation_resolution", 1, json!({}))), ["superseded"]);
        assert_eq!(tell(Some(&mut session), &message("m", json!({}))), ["AgentMessage"]);
        assert_eq!(session.state, SessionState::Active);
    }

    #[test]
    fn events_have_ids_that_repeats_share_and_others_do_not() {
        let id = |body: &Value| {
            let event = VendorEvent::decode(body.to_string().as_bytes()).unwrap();
            translate(&event, None, &settings(), 5).remove(0).id
        };
        let first = change("conversation_resolution", 1, json!({ "interaction_id": "1-2" }));
        assert_eq!(id(&first), id(&first.clone()));
        assert_ne!(id(&first), id(&change("conversation_resolution", 2, json!({ "interaction_id": "1-2" }))));
        assert_ne!(id(&first), id(&change("conversation_reopen", 1, json!({ "interaction_id": "1-2" }))));
        assert_eq!(id(&message("m", json!({}))), "fc:message:m");
        assert!(id(&message("m", json!({ "message_type": "private" }))).ends_with(":ignored"));
    }
}

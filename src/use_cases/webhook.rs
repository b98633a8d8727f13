//! Webhooks in, events out: verify, decode, translate; then the names of human agents.

use crate::conversation::session::{KnownAgent, Session};
use crate::freshchat::endpoints::ListMessages;
use crate::freshchat::human_agent;
use crate::freshchat::wire::Actor;
use crate::http::Http;
use crate::http::client::{Client, FailureKind};
use crate::settings::Settings;
use crate::text::summary;
use crate::use_cases::{Update, times};
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{AgentId, Delivery, Event, SenderRole};

pub mod public_key;
pub mod signature;
pub(crate) mod translate;
pub(crate) mod vendor_event;

use vendor_event::{Kind, VendorEvent};

/// Largest body that is looked at. Freshworks sends a few kilobytes. (A belief: it publishes no limit.)
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// Verifies a delivery and turns it into events.
pub fn on_webhook(
    http: &dyn Http,
    settings: &str,
    delivery: &Delivery,
    session: Option<&[u8]>,
) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    times::check("delivery.received_at", delivery.received_at)?;
    let session = session.map(Session::decode).transpose()?;
    verify(&settings, delivery)?;
    on_verified(http, &settings, delivery, session)
}

/// Holds a delivery against the account's public key. For shells that do more than [`on_webhook`] with what is genuine.
pub fn verify(settings: &Settings, delivery: &Delivery) -> Result<(), Error> {
    if delivery.body.len() > MAX_BODY_BYTES {
        return Err(Error::request(
            "delivery.body",
            "the body is larger than 256 KiB",
            "Refuse such requests before they get here.",
        ));
    }
    signature::verify(&delivery.headers, delivery.body.as_bytes(), settings.webhook_public_key.as_deref())
}

/// The ids of the conversation that a body speaks of, for shells that look a session up by them. Fails where it cannot be read as an
/// event at all, about which [`peek`] says nothing.
pub fn check(body: &[u8]) -> Result<Vec<String>, Error> {
    VendorEvent::decode(body).map(|event| event.conversation_ids())
}

/// Turns a delivery that was [verified](verify) into events.
pub fn on_verified(
    http: &dyn Http,
    settings: &Settings,
    delivery: &Delivery,
    mut session: Option<Session>,
) -> Result<Update, Error> {
    let mut event = VendorEvent::decode(delivery.body.as_bytes())?;
    complete(http, settings, &mut event)?;
    let mut events = translate::translate(&event, session.as_mut(), settings, delivery.received_at);
    name_agents(http, settings, session.as_mut(), &mut events);
    let mut findings = Vec::new();
    if let (Some(session), Ok(freshchat)) = (&session, Client::chat(http, settings)) {
        summary::add(&freshchat, settings, session, &mut events, None, &mut findings);
    }
    Ok(match session {
        Some(session) => session.update(settings, events, findings),
        None => Update { events, session: None, info: None, findings: Vec::new(), decisions: Vec::new() },
    })
}

/// The ids of the conversation that a body speaks of. Nothing is verified.
pub fn peek(body: &[u8]) -> Vec<String> {
    if body.len() > MAX_BODY_BYTES {
        return Vec::new();
    }
    VendorEvent::decode(body).map(|event| event.conversation_ids()).unwrap_or_default()
}

/// Webhooks were seen without the type of a message, and without the address of a file. The API has both. No private note may pass
/// for an answer: without the type the webhook has to come again. A file without an address is better than no message.
fn complete(http: &dyn Http, settings: &Settings, event: &mut VendorEvent) -> Result<(), Error> {
    let Kind::Message(message) = &mut event.kind else { return Ok(()) };
    let Actor::Agent(Some(agent)) = &message.actor else { return Ok(()) };
    let could_be_an_answer = !message.private && !translate::is_own_note(agent, message, settings);
    let lacks_url = message.parts.iter().any(|part| part.kind.is_file() && part.url.is_none());
    let Some(id) = message.conversation.as_ref().filter(|_| could_be_an_answer && (!message.typed || lacks_url)) else {
        return Ok(());
    };
    let newest = Client::chat(http, settings)?.call(&ListMessages { id, page: 1 });
    let found = match newest {
        Ok(newest) => newest.messages.into_iter().find(|found| found.id == message.id),
        // A conversation that the account does not have cannot have notes in it.
        Err(failure) if failure.kind == FailureKind::NotFound => return Ok(()),
        Err(failure) if !message.typed => return Err(type_unknown(&failure.log)),
        Err(_) => return Ok(()),
    };
    match found {
        Some(found) => {
            if !message.typed {
                (message.private, message.system) = (found.private, found.system);
            }
            if lacks_url {
                message.parts = found.parts;
            }
            Ok(())
        }
        None if message.typed => Ok(()),
        None => Err(type_unknown("not among the newest messages")),
    }
}

fn type_unknown(log: &str) -> Error {
    Error::new(ErrorKind::Unavailable, "whether this message is a private note could not be learned")
        .with_remedy("Answer 503, so that Freshworks sends the webhook again.")
        .with_log(log)
}

/// Adds name and photo to each human agent; one look-up for each who is new to the session.
pub(crate) fn name_agents(
    http: &dyn Http,
    settings: &Settings,
    mut session: Option<&mut Session>,
    events: &mut [Event],
) {
    // An unusable chat URL costs the name, not the message.
    let Ok(freshchat) = Client::chat(http, settings) else { return };
    for event in events {
        let Some(sender) = event.agent.as_mut().filter(|sender| sender.role == SenderRole::HumanAgent) else {
            continue;
        };
        let Some(id) = sender.id.clone().map(AgentId) else { continue };
        let known = session.as_ref().and_then(|session| session.known_agent(&id).cloned());
        let known = match known {
            Some(known) => known,
            None => {
                let found = human_agent(&freshchat, &id);
                let found = KnownAgent { name: found.name, avatar_url: found.avatar_url };
                if let Some(session) = session.as_deref_mut()
                    && found != KnownAgent::default()
                {
                    session.know_agent(&id, found.clone());
                }
                found
            }
        };
        (sender.name, sender.avatar_url) = (known.name, known.avatar_url);
        if let Some(message) = &mut event.message {
            message.sender = sender.clone();
        }
    }
}

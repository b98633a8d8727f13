//! What happened while human agents had the conversation, for the AI agent to read.

use crate::conversation::session::Session;
use crate::freshchat::endpoints::ListMessages;
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::client::Client;
use crate::settings::Settings;
use crate::text::{plain_text, transcript};
use crate::use_cases::webhook::translate;
use handoff_contract::model::{Event, EventKind, Finding};

/// The newest words count most; older ones are left out first.
const MAX_CHARS: usize = 4_000;
const MAX_CHARS_OF_ONE: usize = 600;

/// Adds the summary to the return to the AI agent, if there is one among the events and a human agent was there. One request,
/// unless the newest messages are at hand; without its answer the return goes out all the same.
pub fn add(
    freshchat: &Client<'_>,
    settings: &Settings,
    session: &Session,
    events: &mut [Event],
    newest: Option<Vec<VendorMessage>>,
    findings: &mut Vec<Finding>,
) {
    let Some(event) = events.iter_mut().find(|event| event.kind == EventKind::ReturnedToAi) else { return };
    let (Some(id), true, true) = (&session.conversation, settings.return_summary, session.agent.is_some()) else {
        return;
    };
    let newest = match newest {
        Some(newest) => Ok(newest),
        None => freshchat.call(&ListMessages { id, page: 1 }).map(|page| page.messages),
    };
    match newest {
        Ok(newest) => event.summary = of(&newest, session, settings),
        Err(_) => findings.push(Finding::warning(
            "summary",
            "summary-unreadable",
            "what the human agents wrote could not be read for the summary",
            "Nothing needs to be done; the conversation holds it.",
        )),
    }
}

/// Who wrote how much, then what was said, oldest first. None when no human agent wrote. Pure.
fn of(newest_first: &[VendorMessage], session: &Session, settings: &Settings) -> Option<String> {
    // Ours are written in the user's name; whoever quotes one has another.
    let is_ours = |message: &VendorMessage| match &message.actor {
        Actor::User(_) => transcript::is_marked(&message.text()),
        Actor::Agent(Some(agent)) => translate::is_own_note(agent, message, settings),
        _ => false,
    };
    let opening = |message: &VendorMessage| is_ours(message) && transcript::is_opening(&message.text());
    let ours = newest_first.iter().position(opening);
    let spoken = newest_first.iter().take(ours.unwrap_or(newest_first.len()));
    let (mut lines, mut used) = (Vec::new(), 0);
    let mut agents: Vec<(String, usize)> = Vec::new();
    let mut of_user = 0;
    for message in spoken {
        if message.private || message.system || is_ours(message) {
            continue;
        }
        let name = match &message.actor {
            Actor::User(_) => {
                of_user += 1;
                "End user".to_owned()
            }
            Actor::Agent(Some(id)) => {
                let known = session.known_agent(id).and_then(|agent| agent.name.clone());
                let name = settings.masking.text(known.as_deref().unwrap_or("Human agent"));
                match agents.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, count)) => *count += 1,
                    None => agents.push((name.clone(), 1)),
                }
                name
            }
            _ => continue,
        };
        let parts = message.parts.iter().map(transcript::part_text).collect::<Vec<_>>().join(" ");
        let said = settings.masking.text(&plain_text::from_rich(&parts));
        let line = format!("{name}: {}", transcript::one_line(&said, MAX_CHARS_OF_ONE));
        used += line.chars().count();
        if used <= MAX_CHARS {
            lines.push(line);
        }
    }
    if agents.is_empty() {
        return None;
    }
    let count = |(name, count): &(String, usize)| format!("{name} ({count})");
    let agents = agents.iter().rev().map(count).collect::<Vec<_>>().join(", ");
    lines.push(format!("Messages while human agents had the conversation: {agents}, end user ({of_user})."));
    lines.reverse();
    Some(lines.join("\n"))
}

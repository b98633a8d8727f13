//! People's views in comparable form: the end user's messenger and the human agents' inbox.
//!
//! Every text in a run has a mark, such as `⟨u3⟩`: its author and number. Comparing two lists of marks shows whether
//! something is missing, duplicated or out of order.

use freshworks_simulator::{Conversation, Message, MessageType, Ticket};
use handoff_host::bindings::{Event, EventKind, Outcome, Part};

/// The mark of the first message of a handoff.
pub(crate) const OPENING: &str = "⟨opening⟩";
/// The mark of the first message of a conversation that replaces another.
pub(crate) const CONTINUATION: &str = "⟨continues⟩";
/// The mark of the note about the end.
pub(crate) const END: &str = "⟨end⟩";
/// The mark of the note about a message that the end user did not get.
pub(crate) const UNDELIVERED: &str = "⟨undelivered⟩";
/// The origin of files in these runs.
pub(crate) const FILES: &str = "https://files.example/";

/// One thing that the end user sees. Agents by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The platform: you are connected to human support.
    Connected,
    /// An answer, by its marks.
    Answer(String),
    Assigned(String),
    Transferred(Option<String>),
    Resolved,
    Reopened,
    Returned(&'static str),
}

impl Told {
    /// An event's report; none for `ignored`.
    pub(crate) fn by(event: &Event) -> Option<Self> {
        let agent = event.agent.as_ref().and_then(|agent| agent.id.clone());
        Some(match event.kind {
            EventKind::Ignored => return None,
            EventKind::AgentMessage | EventKind::TicketReplied => {
                Self::Answer(event.message.iter().map(|it| marks_of_parts(&it.parts)).collect())
            }
            EventKind::AgentAssigned => Self::Assigned(agent.unwrap_or_default()),
            EventKind::Transferred => Self::Transferred(agent),
            EventKind::Resolved => Self::Resolved,
            EventKind::Reopened => Self::Reopened,
            EventKind::ReturnedToAi => Self::Returned(outcome(event.outcome)),
        })
    }

    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Answer(_))
    }
}

fn outcome(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Resolved) => "resolved",
        Some(Outcome::Abandoned) => "abandoned",
        Some(Outcome::TimedOut) => "timed-out",
        Some(Outcome::Failed) => "failed",
        Some(_) => "another outcome",
        None => "no outcome",
    }
}

fn marks_of_parts(parts: &[Part]) -> String {
    let texts = parts.iter().flat_map(|part| [&part.text, &part.url]).flatten();
    texts.flat_map(|text| marks(text)).collect()
}

/// The marks of a text, and the addresses of its files, in reading order.
pub(crate) fn marks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        if word.starts_with(FILES) {
            found.push(word.to_owned());
        } else {
            let pieces = word.split('⟨').skip(1).filter_map(|piece| piece.split_once('⟩'));
            found.extend(pieces.map(|(mark, _)| format!("⟨{mark}⟩")));
        }
    }
    found
}

/// A conversation as human agents read it, as marks.
pub(crate) fn inbox(conversation: &Conversation) -> Vec<String> {
    let written = conversation.messages.iter().filter(|message| message.message_type != MessageType::System);
    written.flat_map(marks_of_message).collect()
}

/// A ticket as agents read it, as marks.
pub(crate) fn marks_of_ticket(ticket: &Ticket) -> Vec<String> {
    let entries = ticket.entries.iter().flat_map(|entry| marks(&entry.body_text));
    // The brief follows the marker line; its first line repeats words of the summary.
    let description = ticket.description_text.splitn(3, '\n').nth(2).unwrap_or_default();
    marks(description).into_iter().chain(entries).collect()
}

fn marks_of_message(message: &Message) -> Vec<String> {
    // Parts other than text count by their address.
    let text = message.text();
    let files =
        message.parts.iter().filter_map(|part| part.get("image").or_else(|| part.get("file"))?.get("url")?.as_str());
    let files: Vec<String> = files.map(str::to_owned).collect();
    let first = text.lines().next().unwrap_or_default();
    let last = text.lines().next_back().unwrap_or_default();
    let ours = first.contains(" · ref ");
    let mut found = Vec::new();
    if last.starts_with("Handoff from the AI agent · ") && last.contains(" · ref ") {
        // A brief without history begins the handoff. Its first line repeats words of the summary.
        if last.contains("History: none") {
            found.push(OPENING.to_owned());
        }
        found.extend(marks(text.split_once('\n').unwrap_or_default().1));
        return found;
    }
    if ours && first == last && first.starts_with("History: ") {
        found.push(OPENING.to_owned());
    } else if ours && first.starts_with("Continues conversation ") {
        found.push(CONTINUATION.to_owned());
    } else if ours && first.ends_with(" end") {
        found.push(END.to_owned());
    } else if ours && first.starts_with("The user did not receive a message ") {
        found.push(UNDELIVERED.to_owned());
    }
    found.extend(marks(&text));
    found.extend(files);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_in_reading_order() {
        assert_eq!(marks("10:00 Ana: ⟨h1⟩ oooo\n⟨h2⟩"), ["⟨h1⟩", "⟨h2⟩"]);
        assert_eq!(marks("⟨u1⟩ [file] https://files.example/u1.png"), ["⟨u1⟩", "https://files.example/u1.png"]);
        assert!(marks("a < b and c > d").is_empty());
    }
}

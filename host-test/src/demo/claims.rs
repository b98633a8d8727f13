//! Claims that must hold after any conversation. Pure: compares both sides' views.

use serde::Serialize;

use super::inbox::{Author, Inbox, InboxMessage};
use super::platform::{Seen, Voice};
use handoff_host::bindings::{HandoffRequest, Part};

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Claim {
    #[serde(rename = "claim")]
    pub(super) text: &'static str,
    pub(super) holds: bool,
}

impl Claim {
    pub(super) fn new(text: &'static str, holds: bool) -> Self {
        Self { text, holds }
    }
}

/// Freshworks' side after everything.
pub(super) struct Account {
    pub(super) conversations: usize,
    pub(super) inbox: Inbox,
    /// How many messages the inbox had when the handoff was complete.
    pub(super) handed_over: usize,
    /// Deliveries that did not get 200 from the platform.
    pub(super) refused_webhooks: usize,
}

/// Everything that holds after any conversation.
pub(super) fn all(request: &HandoffRequest, account: &Account, seen: &Seen) -> Vec<Claim> {
    let messages = &account.inbox.messages;
    let (handoff, later) = messages.split_at(account.handed_over.min(messages.len()));
    let handoff_text = handoff.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n");
    let summary = request.summary.as_deref().unwrap_or_default();
    let parts = request.history.iter().flatten().flat_map(|message| &message.parts);
    let history: Vec<&str> = parts.flat_map(readable).flat_map(str::lines).collect();
    let summary_lines: Vec<&str> = summary.lines().collect();

    let wrote = |author: Author, message: &&InboxMessage| message.author == author && !message.private;
    let texts = |author: Author| -> Vec<String> {
        later.iter().filter(|message| wrote(author, message)).map(|message| words(&message.text)).collect()
    };
    let said = |voice: Voice| -> Vec<String> {
        seen.lines.iter().filter(|line| line.voice == voice).map(|line| words(&line.text)).collect()
    };
    let answers: Vec<String> = texts(Author::HumanAgent).into_iter().filter(|text| !text.is_empty()).collect();
    let notes: Vec<String> = later.iter().filter(|it| it.private).map(|note| words(&note.text)).collect();
    let lines: Vec<String> = seen.lines.iter().map(|line| words(&line.text)).collect();
    let relayed: Vec<String> = seen.relayed.iter().map(|text| words(text)).collect();
    let mut arrived = texts(Author::User);
    if seen.closed_by_user && arrived.len() == relayed.len() + 1 {
        // The note about the end, in the user's name if no note author is set.
        arrived.pop();
    }

    // Freshchat's own lines about assignments follow by themselves.
    let last = handoff
        .iter()
        .rev()
        .find(|message| message.author == Author::User)
        .map(|message| message.text.as_str())
        .unwrap_or_default();
    vec![
        Claim::new("one conversation was opened", account.conversations == 1),
        Claim::new("the summary comes last, where the inbox opens", in_order(last, &summary_lines)),
        Claim::new("the whole history is in it, in order", in_order(&handoff_text, &history)),
        Claim::new("each answer of a human agent reached the end user, once and in order", {
            answers == said(Voice::HumanAgent)
        }),
        Claim::new("no private note reached the end user", {
            !notes.iter().any(|note| !note.is_empty() && lines.iter().any(|line| line.contains(note.as_str())))
        }),
        Claim::new("each message of the end user reached the human agents, once and in order", arrived == relayed),
        Claim::new("the conversation is resolved in Freshworks", account.inbox.resolved),
        Claim::new("the AI agent got it back, once", seen.with_ai_agent && seen.handbacks == 1),
        Claim::new("no event came twice", seen.repeated_events == 0),
        Claim::new("every webhook of Freshworks was accepted", account.refused_webhooks == 0),
    ]
}

/// Everything of a part that a human agent must be able to read, in the order in which it is read.
fn readable(part: &Part) -> impl Iterator<Item = &str> {
    let fields = [&part.text, &part.name, &part.url].into_iter().filter_map(|field| field.as_deref());
    fields.chain(part.choices.iter().flatten().map(String::as_str))
}

/// How much of a line is looked for: a long one may be broken over two pages.
const KEY_CHARS: usize = 60;

/// Whether all lines are in the text, in order. Ignores spaces, and control characters, which the plugin removes.
fn in_order(text: &str, lines: &[&str]) -> bool {
    let text = words(text);
    let keys = lines.iter().map(|line| words(line).chars().take(KEY_CHARS).collect::<String>());
    keys.into_iter()
        .try_fold(text.as_str(), |rest, key| {
            let key = key.trim_end();
            rest.find(key).map(|at| &rest[at + key.len()..])
        })
        .is_some()
}

fn words(text: &str) -> String {
    let shown: String = text.chars().filter(|letter| letter.is_whitespace() || !letter.is_control()).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::platform::Line;
    use super::*;
    use crate::demo::words::message_text;
    use crate::demo::{conversation, with_messages};

    fn message(author: Author, private: bool, text: &str) -> InboxMessage {
        InboxMessage { author, name: "x".into(), private, text: text.into() }
    }

    fn line(voice: Voice, text: &str) -> Line {
        Line { voice, name: "x".into(), text: text.into() }
    }

    /// A conversation in which everything holds.
    fn story() -> (HandoffRequest, Account, Seen) {
        let request = with_messages(conversation().unwrap(), 2);
        let history: Vec<String> =
            request.history.iter().flatten().map(|message| message_text(&message.parts)).collect();
        let messages = vec![
            message(Author::User, false, &format!("08:20 Ana: {}\n08:21 Luna: {}", history[0], history[1])),
            message(Author::User, false, &format!("Late parcel\n    {}", request.summary.clone().unwrap())),
            message(Author::HumanAgent, false, "Hello\nAna"),
            message(Author::HumanAgent, true, "INTERNAL"),
            message(Author::User, false, "Hi Maya"),
        ];
        let inbox = Inbox {
            topic: String::new(),
            group: String::new(),
            priority: String::new(),
            status: "resolved".into(),
            resolved: true,
            user: String::new(),
            messages,
        };
        let account = Account { conversations: 1, inbox, handed_over: 2, refused_webhooks: 0 };
        let seen = Seen {
            lines: vec![line(Voice::HumanAgent, "Hello\nAna"), line(Voice::EndUser, "Hi Maya")],
            relayed: vec!["Hi Maya".into()],
            handbacks: 1,
            with_ai_agent: true,
            ..Seen::default()
        };
        (request, account, seen)
    }

    /// The claims that break when the story is spoilt.
    fn broken(spoil: impl FnOnce(&mut HandoffRequest, &mut Account, &mut Seen)) -> Vec<&'static str> {
        let (mut request, mut account, mut seen) = story();
        spoil(&mut request, &mut account, &mut seen);
        all(&request, &account, &seen).iter().filter(|claim| !claim.holds).map(|claim| claim.text).collect()
    }

    const ANSWERS: &str = "each answer of a human agent reached the end user, once and in order";
    const RELAYED: &str = "each message of the end user reached the human agents, once and in order";
    const BACK: &str = "the AI agent got it back, once";

    #[test]
    fn a_story_without_fault_breaks_no_claim() {
        assert_eq!(broken(|_, _, _| {}), [""; 0]);
    }

    #[test]
    fn a_private_note_in_the_messenger_is_noticed() {
        let spoilt = broken(|_, _, seen| seen.lines.push(line(Voice::HumanAgent, "so: INTERNAL")));
        assert_eq!(spoilt, [ANSWERS, "no private note reached the end user"]);
        let spoilt = broken(|_, _, seen| seen.lines.push(line(Voice::Platform, "INTERNAL")));
        assert_eq!(spoilt, ["no private note reached the end user"]);
    }

    #[test]
    fn answers_that_are_lost_doubled_or_changed_are_noticed() {
        assert_eq!(broken(|_, _, seen| drop(seen.lines.remove(0))), [ANSWERS]);
        assert_eq!(broken(|_, _, seen| seen.lines.insert(0, line(Voice::HumanAgent, "Hello Ana"))), [ANSWERS]);
        assert_eq!(broken(|_, _, seen| seen.lines[0].text = "Hello".into()), [ANSWERS]);
    }

    #[test]
    fn messages_of_the_end_user_that_are_lost_or_doubled_are_noticed() {
        assert_eq!(broken(|_, account, _| drop(account.inbox.messages.pop())), [RELAYED]);
        let double = message(Author::User, false, "Hi Maya");
        assert_eq!(broken(|_, account, _| account.inbox.messages.push(double)), [RELAYED]);
    }

    #[test]
    fn the_note_about_the_end_is_not_a_message_of_the_end_user() {
        let spoilt = broken(|_, account, seen| {
            account.inbox.messages.push(message(Author::User, false, "The user has left"));
            seen.closed_by_user = true;
        });
        assert_eq!(spoilt, [""; 0]);
    }

    #[test]
    fn a_history_that_is_incomplete_or_out_of_order_is_noticed() {
        let gap = broken(|request, _, _| *request = with_messages(conversation().unwrap(), 3));
        assert_eq!(gap, ["the whole history is in it, in order"]);
        let turned = broken(|request, _, _| request.history.as_mut().unwrap().reverse());
        assert_eq!(turned, ["the whole history is in it, in order"]);
        // Later messages are not part of it.
        let early = broken(|_, account, _| account.handed_over = 1);
        assert_eq!(early, ["the summary comes last, where the inbox opens", RELAYED]);
    }

    #[test]
    fn a_conversation_that_is_left_open_or_given_back_twice_is_noticed() {
        assert_eq!(
            broken(|_, account, _| account.inbox.resolved = false),
            ["the conversation is resolved in Freshworks"]
        );
        assert_eq!(broken(|_, _, seen| seen.with_ai_agent = false), [BACK]);
        assert_eq!(broken(|_, _, seen| seen.handbacks = 2), [BACK]);
        assert_eq!(broken(|_, account, _| account.conversations = 2), ["one conversation was opened"]);
    }
}

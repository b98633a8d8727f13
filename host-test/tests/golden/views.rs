//! The two texts: the inbox as the human agent sees it, and what a platform learns and shows the end user.
//!
//! Each line of people's text has a bar in front, so that it cannot be mistaken for a line of this file. Characters that hide
//! or reorder text are spelled out. Times are left out, because they depend on the run.

use std::fmt::Write as _;

use freshworks_simulator::{ActorType, Conversation, Message as InboxMessage, MessageType, Simulator};
use handoff_host::bindings::{
    CloseReason, Event, EventKind, Finding, FindingLevel, Message, Owner, Part, PartKind, Receipt, Update,
};
use handoff_host::json::to_json;
use serde::Serialize;
use serde_json::Value;

use crate::story::FILE_HOST;

/// Prefix of each line of people's text.
pub(crate) const BAR: &str = "  |";
/// How the heading of a private note ends.
pub(crate) const PRIVATE: &str = ", private note";
/// The start of the heading of the end user's messages.
pub(crate) const OWN_WORDS: &str = "end user, to the ";

/// Values that depend on the run, and their placeholders.
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of(account: &Simulator, file_host: &str) -> Self {
        let account_origin = (account.origin().to_owned(), "<account>".to_owned());
        let mut names = vec![account_origin, (file_host.to_owned(), FILE_HOST.to_owned())];
        for (number, conversation) in account.conversations().iter().enumerate() {
            names.push((conversation.id.clone(), format!("<conversation {}>", number + 1)));
        }
        names.extend(account.users().iter().map(|user| (user.id.clone(), "<user>".to_owned())));
        names.extend(account.uploads().into_iter().map(|upload| (upload.hash, format!("<hash of {}>", upload.name))));
        Self(names)
    }

    pub(crate) fn steady(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (varying, steady)| text.replace(varying, steady))
    }
}

/// Everything that human agents find in the account.
pub(crate) fn inbox(account: &Simulator) -> String {
    let (mut text, conversations) = (String::new(), account.conversations());
    for (index, conversation) in conversations.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let _ = write!(text, "Conversation {} of {}\n\n", index + 1, conversations.len());
        header(&mut text, account, conversation);
        for (index, message) in conversation.messages.iter().enumerate() {
            let private = if message.message_type == MessageType::Private { PRIVATE } else { "" };
            let _ = write!(text, "\n[{}] {}{private}\n", index + 1, author(account, conversation, message));
            message.parts.iter().for_each(|part| quote(&mut text, &inbox_part(part)));
            if let Some(parts) = &message.reply_parts {
                quote(&mut text, &format!("[reply parts] {parts}"));
            }
        }
    }
    text
}

fn header(text: &mut String, account: &Simulator, conversation: &Conversation) {
    let topic = account.topics().into_iter().find(|topic| topic.id == conversation.channel_id);
    let group = conversation.assigned_group_id.as_ref();
    let group = account.groups().into_iter().find(|found| Some(&found.id) == group).map(|group| group.spec.name);
    let agent = conversation.assigned_agent_id.as_deref().map(|id| agent_name(account, id));
    let _ = writeln!(text, "topic: {}", topic.map(|topic| topic.spec.name).unwrap_or_default());
    let _ = writeln!(text, "group: {}", group.unwrap_or_else(|| "none".into()));
    let _ = writeln!(text, "agent: {}", agent.unwrap_or_else(|| "none".into()));
    let _ = writeln!(text, "status: {}", serde_json::to_value(conversation.status).unwrap().as_str().unwrap());
    for (name, value) in &conversation.properties {
        let _ = writeln!(text, "property {name}: {}", plain(value.as_str().unwrap_or(&value.to_string())));
    }
    let user = account.users().into_iter().find(|user| user.id == conversation.user_id).unwrap();
    let facts = [
        ("first name", user.first_name),
        ("last name", user.last_name),
        ("email", user.email),
        ("phone", user.phone),
        ("reference id", user.reference_id),
        ("avatar", user.avatar_url),
    ];
    for (name, value) in facts {
        let _ = value.map(|value| writeln!(text, "user {name}: {}", one_line(&value)));
    }
    for (name, value) in &user.properties {
        let _ = writeln!(text, "user property {name}: {}", one_line(value));
    }
}

fn author(account: &Simulator, conversation: &Conversation, message: &InboxMessage) -> String {
    match message.actor.kind {
        ActorType::User => {
            let user = account.users().into_iter().find(|user| user.id == conversation.user_id).unwrap();
            let names = [user.first_name, user.last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
            format!("user {}", one_line(&names)).trim_end().to_owned()
        }
        ActorType::Agent => format!("agent {}", agent_name(account, &message.actor.id)),
        ActorType::System | ActorType::Bot => "Freshchat".to_owned(),
    }
}

fn agent_name(account: &Simulator, id: &str) -> String {
    account.agents().iter().find(|agent| agent.id == id).map_or_else(|| id.to_owned(), |agent| agent.name())
}

/// A text unchanged; anything else with the product's fields for it.
fn inbox_part(part: &Value) -> String {
    match part.pointer("/text/content").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => part.as_object().into_iter().flatten().map(|(kind, value)| format!("[{kind}] {value}")).collect(),
    }
}

/// The platform's events, in order.
#[derive(Default)]
pub(crate) struct UserView {
    text: String,
    /// Ignored events in a row, of one kind.
    ignored: Option<(String, usize)>,
}

impl UserView {
    pub(crate) fn findings(&mut self, call: &str, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| !matches!(finding.level, FindingLevel::Ok)) {
            self.line(&format!("({call}, for the admin: {}: {})", finding.code, finding.detail));
        }
    }

    pub(crate) fn handed_over(&mut self, receipt: &Receipt) {
        self.findings("handoff", &receipt.findings);
        let steps: Vec<&str> = receipt.steps.iter().map(|step| step.action.as_str()).collect();
        self.line(&format!("handed over: {}; {}", word(&receipt.info.state), steps.join(", ")));
    }

    /// The end user writes to the current owner.
    pub(crate) fn writes(&mut self, message: &Message, owner: Owner) {
        self.line(&format!(
            "\n{OWN_WORDS}{}:",
            if matches!(owner, Owner::AiAgent) { "AI agent" } else { "human agents" }
        ));
        self.parts(&message.parts);
    }

    pub(crate) fn closes(&mut self, reason: CloseReason) {
        self.line(&format!("\nthe platform closes: {}", word(&reason)));
    }

    pub(crate) fn update(&mut self, update: &Update) {
        self.findings("update", &update.findings);
        for event in &update.events {
            match (event.kind, &event.detail) {
                (EventKind::Ignored, Some(why)) => self.ignores(why),
                _ => self.event(event),
            }
        }
    }

    fn ignores(&mut self, why: &str) {
        match &mut self.ignored {
            Some((before, times)) if before == why => *times += 1,
            _ => {
                self.end_ignored();
                self.ignored = Some((why.to_owned(), 1));
            }
        }
    }

    fn end_ignored(&mut self) {
        match self.ignored.take() {
            Some((why, 1)) => self.text.push_str(&format!("(ignored: {why})\n")),
            Some((why, times)) => self.text.push_str(&format!("(ignored, {times} times: {why})\n")),
            None => {}
        }
    }

    fn event(&mut self, event: &Event) {
        let mut line = format!("\n{}", word(&event.kind));
        if let Some(agent) = &event.agent {
            let _ = write!(line, ", {}", one_line(agent.name.as_deref().unwrap_or("nobody known")));
        }
        for fact in [event.outcome.map(|outcome| word(&outcome)), event.detail.clone()].into_iter().flatten() {
            let _ = write!(line, ", {fact}");
        }
        self.line(&line);
        if let Some(message) = &event.message {
            self.parts(&message.parts);
        }
        if let Some(summary) = &event.summary {
            self.line("  summary for the AI agent:");
            quote(&mut self.text, summary);
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        parts.iter().for_each(|part| quote(&mut self.text, &user_part(part)));
    }

    fn line(&mut self, line: &str) {
        self.end_ignored();
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(crate) fn finish(&mut self) -> String {
        self.end_ignored();
        std::mem::take(&mut self.text)
    }
}

/// A part with all that the platform knows of it.
fn user_part(part: &Part) -> String {
    if matches!(part.kind, PartKind::Text) {
        return part.text.clone().unwrap_or_default();
    }
    let mut facts = vec![format!("[{}]", word(&part.kind))];
    facts.extend([&part.text, &part.name, &part.media_type, &part.url].into_iter().flatten().cloned());
    facts.extend(part.bytes.map(|bytes| format!("{bytes} bytes")));
    facts.extend(part.choices.as_ref().map(|choices| choices.join(" | ")));
    facts.join(" ")
}

/// A value of the contract's enums as WIT spells it.
fn word<T: Serialize>(value: &T) -> String {
    to_json(value).as_str().unwrap_or_default().to_owned()
}

/// Prefixes every line with a bar.
fn quote(out: &mut String, text: &str) {
    for line in text.split('\n') {
        let line = plain(line);
        out.push_str(BAR);
        if !line.is_empty() {
            out.push(' ');
            out.push_str(&line);
        }
        out.push('\n');
    }
}

fn one_line(text: &str) -> String {
    plain(&text.replace('\n', "<U+000A>"))
}

/// Characters that hide or reorder text, by their numbers. Joiners stay: they belong to letters and emoji.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let hides = letter.is_control()
            || matches!(letter,
                '\u{61c}' | '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        if hides {
            let _ = write!(shown, "<U+{:04X}>", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[test]
fn what_hides_or_reorders_is_spelled_out() {
    assert_eq!(plain("a\u{202e}b\u{200f}\t\u{200d}"), "a<U+202E>b<U+200F><U+0009>\u{200d}");
    let mut quoted = String::new();
    quote(&mut quoted, "one\n\ntwo");
    assert_eq!(quoted, "  | one\n  |\n  | two\n");
}

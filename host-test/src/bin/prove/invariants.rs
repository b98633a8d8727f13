//! The invariants after every run, regardless of its faults.
//!
//! [`Leniency`] lists all exceptions with their reasons.

use std::collections::BTreeMap;

use freshworks_simulator::Status;
use handoff_host::bindings::SessionState;

use crate::account::OTHERS_MARK;
use crate::faults::{Fault, Kind, OnWire};
use crate::people::{END, Told, inbox, marks_of_ticket};
use crate::platform::Platform;
use crate::truth::Truth;

/// Something that people should not have seen, or should have and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The name of the invariant.
    pub(crate) check: &'static str,
    pub(crate) message: String,
}

impl Violation {
    pub(crate) fn new(check: &'static str, message: String) -> Self {
        Self { check, message }
    }
}

/// Unavoidable exceptions under some faults.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leniency {
    /// A webhook was late or lost while people continued: changes undone before they were noticed (taken by one and then
    /// by another, resolved and reopened) may be reported partly or not at all. The final state must be right, and no message of
    /// a human agent may be missing.
    pub(crate) changes_may_cancel: bool,
    /// Freshworks permanently refused the note about the end: the end matters more than the note. The finding is lost if the
    /// same try failed later, because errors carry no findings.
    pub(crate) end_note_may_miss: bool,
    /// Freshworks permanently refused to resolve: the AI agent has the conversation anyway.
    pub(crate) may_stay_open: bool,
    /// Freshworks refused the human agent of the settings for good: the handoff counts for more than to whom it goes.
    pub(crate) assignment_may_miss: bool,
    /// The platform or the instance crashed before the session with the end was stored. With the old session, the webhook
    /// about the resolution cannot be distinguished from a human agent's, and is reported as such.
    pub(crate) end_may_be_unknown: bool,
    /// The platform lost its session while human agents had the conversation. The session knew the assignee, so the assignment
    /// may be reported again.
    pub(crate) assignee_may_be_unknown: bool,
}

impl Leniency {
    pub(crate) fn of(faults: &[Fault], platform: &Platform, truth: &Truth) -> Self {
        let refusal = |fault: &Fault| matches!(fault.kind, Kind::Wire { what: OnWire::Status(300..500), .. });
        let refused = faults.iter().any(refusal);
        let found = |code: &str| refused && platform.findings.iter().any(|finding| finding == code);
        Self {
            changes_may_cancel: platform.outstanding,
            end_note_may_miss: found("end-note-refused") || (refused && faults.len() > 1),
            may_stay_open: found("resolution-refused"),
            assignment_may_miss: found("agent-fallback"),
            end_may_be_unknown: faults.iter().any(Fault::forgets),
            assignee_may_be_unknown: truth.was_adopted,
        }
    }
}

impl Leniency {
    /// The relevant part of the end user's view.
    fn view(self, told: &[Told]) -> Vec<Told> {
        let counts = |told: &&Told| match told {
            Told::Resolved => !self.end_may_be_unknown,
            Told::Assigned(_) | Told::Transferred(None) if self.assignment_may_miss => false,
            Told::Assigned(_) | Told::Transferred(_) => !self.assignee_may_be_unknown,
            _ => true,
        };
        let shown = |told: &Told| match told {
            Told::Returned(_) if self.end_may_be_unknown => Told::Returned("in any way"),
            other => other.clone(),
        };
        told.iter().filter(counts).map(shown).collect()
    }
}

/// Everything that does not hold. Empty is good.
pub(crate) fn check(platform: &Platform, truth: &Truth, leniency: Leniency) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut fail = |check, message| found.push(Violation::new(check, message));
    foreign(platform, &mut fail);
    human_side(platform, truth, leniency, &mut fail);
    tickets(platform, truth, &mut fail);
    user_side(platform, truth, leniency, &mut fail);
    session(platform, truth, leniency, &mut fail);
    found
}

type Fail<'a> = dyn FnMut(&'static str, String) + 'a;

/// No one sees another person's messages, and nothing of another person is changed.
fn foreign(platform: &Platform, fail: &mut Fail<'_>) {
    let is_others = |told: &&Told| matches!(told, Told::Answer(marks) if marks.contains(OTHERS_MARK));
    if let Some(told) = platform.screen.iter().find(is_others) {
        fail("foreign", format!("the end user sees messages for another person: {told:?}"));
    }
    if let Some(harm) = platform.account.harm_to_others() {
        fail("foreign", harm);
    }
    let known = platform.account.others.iter().find(|other| platform.knows(&other.conversation));
    if let Some(other) = known {
        fail("foreign", format!("the conversation {} of another person counts as the end user's", other.conversation));
    }
}

/// The ticket-desk agents' view.
fn tickets(platform: &Platform, truth: &Truth, fail: &mut Fail<'_>) {
    let all = platform.account.simulator.tickets();
    let seen: Vec<Vec<String>> = all.iter().map(marks_of_ticket).collect();
    if seen != truth.tickets {
        fail("tickets", format!("agents see the tickets {seen:?} instead of {:?}", truth.tickets));
    }
    if truth.is_ticketed != (platform.state() == Some(SessionState::Ticketed)) {
        fail("tickets", format!("a ticket waits: {}; the session says {:?}", truth.is_ticketed, platform.state()));
    }
}

/// The human agents' view.
fn human_side(platform: &Platform, truth: &Truth, leniency: Leniency, fail: &mut Fail<'_>) {
    let account = &platform.account;
    let records = account.records();
    if records.len() > 1 || (records.is_empty() && !truth.threads.is_empty()) {
        fail("one-record", format!("the person has {} records", records.len()));
    }
    let conversations = account.conversations_of_person();
    if conversations.len() != truth.threads.len() {
        fail("conversations", format!("{} conversations, not {}", conversations.len(), truth.threads.len()));
        return;
    }
    for (conversation, thread) in conversations.iter().zip(&truth.threads) {
        let (mut seen, mut wanted) = (inbox(conversation), thread.marks.clone());
        if leniency.end_note_may_miss {
            seen.retain(|mark| mark != END);
            wanted.retain(|mark| mark != END);
        }
        if seen != wanted {
            fail("inbox", format!("human agents see {}\n      instead of     {}", seen.concat(), wanted.concat()));
        }
        let resolved = conversation.status == Status::Resolved;
        if resolved != thread.resolved && !leniency.may_stay_open {
            let word = |resolved: bool| if resolved { "resolved" } else { "open" };
            fail("status", format!("the conversation is {}, not {}", word(resolved), word(thread.resolved)));
        }
    }
}

/// The end user's view.
fn user_side(platform: &Platform, truth: &Truth, leniency: Leniency, fail: &mut Fail<'_>) {
    let is_private = |told: &&Told| matches!(told, Told::Answer(marks) if marks.contains("⟨n"));
    if let Some(told) = platform.screen.iter().find(is_private) {
        fail("private", format!("the end user sees a private note: {told:?}"));
    }
    let mut by_time = platform.answers.clone();
    by_time.sort_by_key(|(at, _)| *at);
    let seen: Vec<&str> = by_time.iter().map(|(_, marks)| marks.as_str()).collect();
    let written: Vec<&str> = truth.told.iter().filter_map(answer).collect();
    if seen != written {
        fail("answers", format!("by time the end user sees {seen:?} instead of {written:?}"));
    }
    if !leniency.changes_may_cancel {
        let (seen, wanted) = (leniency.view(&platform.screen), leniency.view(&truth.told));
        if seen != wanted {
            fail("screen", format!("the end user sees {seen:?}\n      instead of     {wanted:?}"));
        }
        return;
    }
    let happened: Vec<Told> = truth.told.iter().chain(&truth.untold).cloned().collect();
    let (seen, wanted) = (counts(&leniency.view(&platform.screen)), counts(&leniency.view(&happened)));
    for (told, times) in seen {
        let most = wanted.get(&told).copied().unwrap_or(0);
        if times > most {
            fail("told-too-often", format!("{told} was reported {times} times, and happened {most} times"));
        }
    }
    let change = |told: &&Told| matches!(told, Told::Returned(_) | Told::Resolved | Told::Reopened | Told::Connected);
    let last = platform.screen.iter().rev().find(change);
    if truth.with_humans == matches!(last, Some(Told::Returned(_) | Told::Resolved)) {
        fail("last-word", format!("the last event reported to the end user is {last:?}"));
    }
}

fn answer(told: &Told) -> Option<&str> {
    match told {
        Told::Answer(marks) => Some(marks),
        _ => None,
    }
}

fn counts(told: &[Told]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for told in told.iter().filter(|told| !told.is_answer()) {
        // The order of takeovers depends on which webhooks arrived: both orders count as the same.
        let word = match told {
            Told::Assigned(agent) | Told::Transferred(Some(agent)) => format!("taken by {agent}"),
            Told::Returned(_) => "returned".to_owned(),
            other => format!("{other:?}"),
        };
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

/// The conversation's state according to the session.
pub(crate) fn session(platform: &Platform, truth: &Truth, leniency: Leniency, fail: &mut Fail<'_>) {
    if platform.is_with_humans() != truth.with_humans {
        let word = |with_humans: bool| if with_humans { "human agents" } else { "the AI agent" };
        let (seen, wanted) = (word(platform.is_with_humans()), word(truth.with_humans));
        fail("owner", format!("{seen} answer according to the session, and {wanted} in truth"));
    }
    let odd = match platform.state() {
        None | Some(SessionState::Queued | SessionState::Active | SessionState::Returned) => None,
        Some(SessionState::Ticketed) if truth.is_ticketed => None,
        other => other,
    };
    if let Some(state) = odd {
        fail("state", format!("the session stays {state:?}"));
    }
    if truth.with_humans
        && truth.agent().is_some()
        && platform.state() != Some(SessionState::Active)
        && !leniency.changes_may_cancel
        && !leniency.assignment_may_miss
        && !truth.adopted
    {
        fail("state", format!("a human agent has it, and the session says {:?}", platform.state()));
    }
}

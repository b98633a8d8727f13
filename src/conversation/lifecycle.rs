//! The states of a conversation and what moves it between them.
//!
//! Two rules: every input in every state has a result here and nowhere else, and nothing here knows HTTP, JSON or
//! time. Assignments, messages, resolutions and reopenings may be missing, late or repeated, so no input counts on
//! another having come first. (What is *stale* by the vendor's clock is sorted out before it gets here.)

use handoff_contract::model::SessionState;

/// What happens to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The platform asks for a handoff.
    HandoffAsked,
    /// Every step of the handoff is done.
    HandoffDone,
    /// A ticket was filed in place of a conversation.
    TicketFiled,
    /// The ticket was resolved or closed.
    TicketSolved,
    /// The ticket was opened again.
    TicketReopened,
    /// The end user wrote.
    UserMessage,
    /// A human agent took it.
    Assigned,
    /// It went to a group, with no human agent.
    Unassigned,
    /// A human agent wrote to the end user.
    AgentMessage,
    /// It was ended on the human side.
    Resolved,
    /// It was opened again on the human side.
    Reopened,
    /// The platform asks for the end.
    CloseAsked,
    /// It has waited for a human agent, or for a word of anybody, for too long.
    TimedOut,
    /// The end that the platform or time asked for is done.
    CloseDone,
}

impl Input {
    /// All inputs, for tests and diagrams.
    pub const ALL: [Self; 14] = [
        Self::HandoffAsked,
        Self::HandoffDone,
        Self::TicketFiled,
        Self::TicketSolved,
        Self::TicketReopened,
        Self::UserMessage,
        Self::Assigned,
        Self::Unassigned,
        Self::AgentMessage,
        Self::Resolved,
        Self::Reopened,
        Self::CloseAsked,
        Self::TimedOut,
        Self::CloseDone,
    ];

    /// What happens, in words for diagrams.
    pub fn words(self) -> &'static str {
        match self {
            Self::HandoffAsked => "handoff asked",
            Self::HandoffDone => "handoff done",
            Self::TicketFiled => "ticket filed",
            Self::TicketSolved => "ticket solved",
            Self::TicketReopened => "ticket reopened",
            Self::UserMessage => "user writes",
            Self::Assigned => "agent takes it",
            Self::Unassigned => "goes to a group",
            Self::AgentMessage => "agent writes",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::CloseAsked => "close asked",
            Self::TimedOut => "timed out",
            Self::CloseDone => "close done",
        }
    }
}

/// What is to be done about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Do it, or tell the platform about it.
    Go,
    /// Tell the platform, and that the AI agent answers from now on.
    HandBack,
    /// It is done already: answer with success and do nothing.
    Done,
    /// Nothing to do, for this reason (a word of the manual).
    Ignore(&'static str),
    /// The caller must not ask for this now.
    Refuse,
}

/// The whole table.
pub fn step(state: SessionState, input: Input) -> (SessionState, Action) {
    use Action::{Done, Go, HandBack, Ignore, Refuse};
    use Input as I;
    use SessionState as S;
    match (state, input) {
        // A handoff after the human part has ended is a new one.
        (S::Requesting | S::Returned | S::Failed | S::Ticketed, I::HandoffAsked) => (S::Requesting, Go),
        (S::Queued | S::Active, I::HandoffAsked) => (state, Done),
        (S::Closing, I::HandoffAsked) => (state, Refuse),

        (S::Requesting, I::HandoffDone) => (S::Queued, Go),
        (_, I::HandoffDone) => (state, Done),

        (S::Requesting, I::TicketFiled) => (S::Ticketed, Go),
        (_, I::TicketFiled) => (state, Done),
        (S::Ticketed, I::TicketSolved) => (S::Returned, Go),
        (_, I::TicketSolved) => (state, Ignore("already-returned")),
        (S::Returned, I::TicketReopened) => (S::Ticketed, Go),
        (_, I::TicketReopened) => (state, Ignore("not-ended")),

        // What the end user adds goes under the ticket.
        (S::Queued | S::Active | S::Ticketed, I::UserMessage) => (state, Go),
        (_, I::UserMessage) => (state, Refuse),

        (S::Queued | S::Active, I::Assigned) => (S::Active, Go),
        // The handoff goes on at its next try; until then it does not count as handed over.
        (S::Requesting, I::Assigned) => (state, Go),
        (S::Closing, I::Assigned) => (state, Ignore("closing")),
        (S::Returned | S::Failed | S::Ticketed, I::Assigned) => (state, Ignore("already-returned")),

        (S::Queued | S::Active, I::Unassigned) => (S::Queued, Go),
        (S::Requesting, I::Unassigned) => (state, Go),
        (S::Closing, I::Unassigned) => (state, Ignore("closing")),
        (S::Returned | S::Failed | S::Ticketed, I::Unassigned) => (state, Ignore("already-returned")),

        // Agents may answer without taking the conversation first.
        (S::Queued | S::Active, I::AgentMessage) => (S::Active, Go),
        // Words of a human agent are never lost, however late they come.
        (S::Requesting | S::Closing | S::Returned | S::Failed | S::Ticketed, I::AgentMessage) => (state, Go),

        (S::Requesting | S::Queued | S::Active | S::Closing, I::Resolved) => (S::Returned, HandBack),
        (S::Returned | S::Failed | S::Ticketed, I::Resolved) => (state, Ignore("already-returned")),

        (S::Returned, I::Reopened) => (S::Active, Go),
        (S::Closing, I::Reopened) => (state, Ignore("closing")),
        (S::Requesting | S::Queued | S::Active | S::Failed | S::Ticketed, I::Reopened) => (state, Ignore("not-ended")),

        (S::Requesting | S::Queued | S::Active | S::Closing, I::CloseAsked) => (S::Closing, Go),
        (S::Returned | S::Failed | S::Ticketed, I::CloseAsked) => (state, Done),

        (S::Queued | S::Active, I::TimedOut) => (S::Closing, Go),
        (_, I::TimedOut) => (state, Done),

        (S::Closing, I::CloseDone) => (S::Returned, HandBack),
        (_, I::CloseDone) => (state, Done),
    }
}

#[cfg(test)]
mod tests {
    use handoff_contract::model::Owner;

    use super::*;

    #[test]
    fn resolving_twice_hands_back_once() {
        for state in SessionState::ALL {
            let (next, _) = step(state, Input::Resolved);
            assert_eq!(next.owner(), Owner::AiAgent, "{state:?}");
            assert_eq!(step(next, Input::Resolved), (next, Action::Ignore("already-returned")), "{state:?}");
        }
    }

    #[test]
    fn control_returns_only_together_with_a_word_to_the_platform() {
        for state in SessionState::ALL {
            for input in Input::ALL {
                let (next, action) = step(state, input);
                let returned = state.owner() == Owner::HumanAgent && next.owner() == Owner::AiAgent;
                assert!(!returned || action == Action::HandBack, "{state:?} {input:?}");
                let taken = state.owner() == Owner::AiAgent && next.owner() == Owner::HumanAgent;
                assert!(!taken || action == Action::Go, "{state:?} {input:?}");
            }
        }
    }

    #[test]
    fn what_is_ignored_or_refused_changes_nothing() {
        for state in SessionState::ALL {
            for input in Input::ALL {
                let (next, action) = step(state, input);
                if matches!(action, Action::Ignore(_) | Action::Refuse | Action::Done) {
                    assert_eq!(next, state, "{state:?} {input:?}");
                }
            }
        }
    }

    #[test]
    fn an_agents_words_get_through_in_every_state() {
        for state in SessionState::ALL {
            assert_eq!(step(state, Input::AgentMessage).1, Action::Go, "{state:?}");
        }
    }
}

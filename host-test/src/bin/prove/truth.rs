//! The reference model: what each side must see after a step. It does not know requests, webhooks or sessions.

use crate::flows::Rules;
use crate::people::{CONTINUATION, END, OPENING, Told};

/// A conversation in the help desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thread {
    pub(crate) marks: Vec<String>,
    pub(crate) resolved: bool,
}

/// The truth, regardless of faults.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    rules: Rules,
    /// The person's conversations, oldest first. Only the last takes messages.
    pub(crate) threads: Vec<Thread>,
    /// The end user's required view, in order.
    pub(crate) told: Vec<Told>,
    /// Changes that need not be reported: a human agent who writes takes the conversation.
    pub(crate) untold: Vec<Told>,
    /// Human agents answer the end user.
    pub(crate) with_humans: bool,
    /// The platform has lost its session.
    pub(crate) session_lost: bool,
    /// The owner according to the reports to the platform.
    agent: Option<String>,
    /// Taken, not only answered.
    is_assigned: bool,
    /// Who has it in the desk.
    desk_agent: Option<String>,
    /// The session was recreated for a conversation with human agents: it does not know the assignee.
    pub(crate) adopted: bool,
    /// Some handoff of this run was.
    pub(crate) was_adopted: bool,
    /// The content of delayed webhooks.
    unheard: Option<Vec<Told>>,
    /// The conversation that the platform writes to is deleted.
    is_gone: bool,
    /// Freshworks denies all changes.
    pub(crate) is_refused: bool,
    /// The marks of each ticket, oldest first.
    pub(crate) tickets: Vec<Vec<String>>,
    /// The newest ticket waits for an answer, as far as the platform knows.
    pub(crate) is_ticketed: bool,
    /// It is deleted.
    pub(crate) is_put_away: bool,
}

impl Truth {
    pub(crate) fn new(rules: Rules) -> Self {
        let (threads, told) = (Vec::new(), Vec::new());
        Self {
            rules,
            threads,
            told,
            untold: Vec::new(),
            with_humans: false,
            session_lost: false,
            agent: None,
            is_assigned: false,
            desk_agent: None,
            adopted: false,
            was_adopted: false,
            unheard: None,
            is_gone: false,
            is_refused: false,
            tickets: Vec::new(),
            is_ticketed: false,
            is_put_away: false,
        }
    }

    /// The platform's current conversation is deleted, without a notification.
    pub(crate) fn erased(&mut self) {
        if !self.is_gone {
            self.threads.pop();
            (self.is_gone, self.desk_agent) = (true, None);
        }
    }

    /// The platform's timer has found out that there is nothing left to wait for.
    pub(crate) fn lost(&mut self) {
        if self.with_humans || self.is_ticketed {
            self.hear(Told::Returned("failed"));
        }
        self.is_ticketed = false;
    }

    /// A ticket with these marks was filed.
    pub(crate) fn filed(&mut self, marks: &[String]) {
        self.tickets.push(marks.to_vec());
        (self.is_ticketed, self.is_put_away, self.session_lost) = (true, false, false);
    }

    /// A ticket that ended by deletion is restored: the AI agent continues to answer.
    pub(crate) fn brought_back(&mut self) {
        self.is_put_away = false;
        if !std::mem::replace(&mut self.is_ticketed, true) {
            self.told.push(Told::Reopened);
        }
    }

    /// An agent of the ticket desk answered.
    pub(crate) fn ticket_answered(&mut self, mark: String) {
        self.told.push(Told::Answer(mark.clone()));
        self.write_under_ticket(vec![mark]);
    }

    fn write_under_ticket(&mut self, marks: Vec<String>) {
        if let Some(ticket) = self.tickets.last_mut() {
            ticket.extend(marks);
        }
    }

    /// The human agent who has it in the desk, while human agents answer.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.desk_agent.as_deref()
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.is_gone && self.threads.last().is_some_and(|thread| !thread.resolved)
    }

    fn last(&mut self) -> Option<&mut Thread> {
        self.threads.last_mut()
    }

    fn write(&mut self, marks: impl IntoIterator<Item = String>) {
        if let Some(thread) = self.last() {
            thread.marks.extend(marks);
        }
    }

    fn set_resolved(&mut self, resolved: bool) {
        if let Some(thread) = self.last() {
            thread.resolved = resolved;
        }
    }

    fn begin(&mut self, marks: Vec<String>) {
        self.threads.push(Thread { marks, resolved: false });
        self.is_gone = false;
        self.desk_agent = None;
    }

    /// An act of the desk with a webhook.
    fn tell(&mut self, told: Told) {
        match &mut self.unheard {
            Some(unheard) => unheard.push(told),
            None => self.hear(told),
        }
    }

    fn hear(&mut self, told: Told) {
        match &told {
            Told::Returned(_) => self.with_humans = false,
            Told::Reopened | Told::Connected => self.with_humans = true,
            _ => {}
        }
        self.told.push(told);
    }

    pub(crate) fn hold(&mut self) {
        self.unheard = Some(Vec::new());
    }

    pub(crate) fn release(&mut self) {
        for told in self.unheard.take().unwrap_or_default() {
            self.hear(told);
        }
    }

    /// Changes that were not noticed in time no longer count; people's messages always do.
    fn forget_unheard_changes(&mut self) {
        if let Some(unheard) = &mut self.unheard {
            unheard.retain(Told::is_answer);
        }
    }

    /// A handoff with these marks in history and brief.
    pub(crate) fn handed_over(&mut self, marks: &[String]) {
        let adopted = self.session_lost && self.is_open();
        self.session_lost = false;
        self.adopted = adopted;
        self.was_adopted |= adopted;
        self.agent = None;
        if !adopted {
            let all = std::iter::once(OPENING.to_owned()).chain(marks.iter().cloned());
            if self.is_open() && !self.rules.always_new {
                self.write(all);
            } else {
                self.begin(all.collect());
            }
        }
        self.hear(Told::Connected);
    }

    /// The end user wrote, while the platform thought that human agents answer.
    pub(crate) fn user_wrote(&mut self, marks: Vec<String>) {
        if self.is_ticketed {
            if self.is_put_away { self.lost() } else { self.write_under_ticket(marks) }
        } else if self.is_open() {
            self.write(marks);
        } else if self.rules.not_latest || self.is_gone {
            // An end that was not noticed is undone: human agents continue.
            self.with_humans = true;
            self.begin(std::iter::once(CONTINUATION.to_owned()).chain(marks).collect());
            // For the end user it is still the previous agent; the next one takes over.
            self.is_assigned = false;
            self.forget_unheard_changes();
        } else {
            self.set_resolved(false);
            self.write(marks);
            self.tell(Told::Reopened);
        }
    }

    /// The platform ended the human part.
    pub(crate) fn ended(&mut self, outcome: &'static str) {
        let noted = self.is_open() || !self.rules.not_latest || self.rules.agents_notes;
        let takes_changes = !self.is_gone && !self.is_refused;
        if noted && takes_changes {
            self.write([END.to_owned()]);
        }
        if takes_changes {
            self.set_resolved(true);
        }
        self.forget_unheard_changes();
        self.hear(Told::Returned(outcome));
    }

    pub(crate) fn taken(&mut self, by: &str) {
        let before = self.desk_agent.replace(by.to_owned());
        let known = self.agent.as_deref() == Some(by);
        let had_one = before.is_some() || self.agent.is_some();
        if before.as_deref() != Some(by) {
            // Even while nothing is reported: it is not news later.
            (self.agent, self.is_assigned) = (Some(by.to_owned()), true);
        }
        if before.as_deref() == Some(by) || known || !self.with_humans {
            self.untold.push(Told::Assigned(by.to_owned()));
            return;
        }
        self.tell(if had_one { Told::Transferred(Some(by.to_owned())) } else { Told::Assigned(by.to_owned()) });
    }

    pub(crate) fn put_back(&mut self) {
        if self.desk_agent.take().is_some() {
            (self.agent, self.is_assigned) = (None, false);
            if self.with_humans {
                self.tell(Told::Transferred(None));
            }
        }
    }

    pub(crate) fn answered(&mut self, by: &str, marks: Vec<String>) {
        self.tell(Told::Answer(marks.concat()));
        // The writer has it, unless another agent has taken it.
        if self.agent.is_none() || (!self.with_humans && !self.is_assigned) {
            (self.agent, self.is_assigned) = (Some(by.to_owned()), false);
        }
        self.write(marks);
    }

    pub(crate) fn noted(&mut self, mark: String) {
        self.write([mark]);
    }

    pub(crate) fn resolved(&mut self) {
        if !self.is_open() {
            return;
        }
        self.set_resolved(true);
        if self.with_humans {
            self.tell(Told::Resolved);
            self.tell(Told::Returned("resolved"));
        }
    }

    /// `in_time`: before the reopen window has passed.
    pub(crate) fn reopened(&mut self, in_time: bool) {
        if self.is_open() {
            return;
        }
        self.set_resolved(false);
        if in_time {
            self.tell(Told::Reopened);
        }
    }
}

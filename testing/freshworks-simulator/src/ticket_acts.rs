//! The ticket service for tests: its content, and acts of its human agents and requesters. It sends no
//! webhooks: the service's own webhooks are templates that an admin writes.

use crate::refusal::Refusal;
use crate::tickets::{EntryKind, Gone, NewEntry, Requester, RequesterSpec, Ticket, TicketChanges, TicketDesk};
use crate::{Inner, Simulator, lock};

impl Simulator {
    /// The ticket service's origin: `http://127.0.0.1:<port>`. Its API is below it, at `/api/v2`.
    pub fn ticket_origin(&self) -> &str {
        &self.inner.ticket_origin
    }

    /// The key that the ticket service wants now, as the user name of HTTP Basic authentication.
    pub fn ticket_api_key(&self) -> String {
        lock(&self.inner.ticket_api_key).clone()
    }

    /// Replaces the key of the ticket service; the old one stops working at once.
    pub fn set_ticket_api_key(&self, key: &str) {
        *lock(&self.inner.ticket_api_key) = key.to_owned();
    }

    /// All tickets, in the order they were made.
    pub fn tickets(&self) -> Vec<Ticket> {
        lock(&self.inner.tickets).tickets.clone()
    }

    /// One ticket.
    pub fn ticket(&self, id: u64) -> Option<Ticket> {
        lock(&self.inner.tickets).ticket(id).cloned()
    }

    /// All requesters, in the order they were made.
    pub fn requesters(&self) -> Vec<Requester> {
        lock(&self.inner.tickets).requesters.clone()
    }

    /// Adds a known requester; returns the id.
    pub fn seed_requester(&self, facts: RequesterSpec) -> u64 {
        lock(&self.inner.tickets).add_requester(facts).id
    }

    /// The first group of this name in the ticket service; other ids than [`Simulator::group_id`].
    pub fn ticket_group_id(&self, name: &str) -> Option<u64> {
        lock(&self.inner.tickets).groups.iter().find(|group| group.name == name).map(|group| group.id)
    }

    /// The first human agent of this name in the ticket service; other ids than [`Simulator::agent_id`].
    pub fn ticket_agent_id(&self, name: &str) -> Option<u64> {
        lock(&self.inner.tickets).agents.iter().find(|agent| agent.name == name).map(|agent| agent.id)
    }

    /// A human agent replies to the requester; returns the entry's id.
    ///
    /// # Errors
    /// Unknown ticket or agent.
    pub fn ticket_reply(&self, id: u64, agent: u64, html: &str) -> Result<u64, Refusal> {
        self.inner.agent_adds_to_ticket(id, NewEntry::of(EntryKind::Reply, agent, html))
    }

    /// A human agent writes a note; returns the entry's id.
    ///
    /// # Errors
    /// Unknown ticket or agent.
    pub fn ticket_note(&self, id: u64, agent: u64, html: &str, private: bool) -> Result<u64, Refusal> {
        self.inner.agent_adds_to_ticket(id, NewEntry { private, ..NewEntry::of(EntryKind::Note, agent, html) })
    }

    /// The requester answers by e-mail; returns the entry's id.
    ///
    /// # Errors
    /// Unknown ticket.
    pub fn requester_replies(&self, id: u64, html: &str) -> Result<u64, Refusal> {
        let mut desk = lock(&self.inner.tickets);
        let requester = desk.ticket(id).ok_or_else(|| Refusal::not_found("ticket"))?.requester.id;
        add(&mut desk, id, NewEntry { incoming: true, ..NewEntry::of(EntryKind::Reply, requester, html) })
    }

    /// A human agent sets the status: 2 open, 3 pending, 4 resolved, 5 closed.
    ///
    /// # Errors
    /// Unknown ticket.
    pub fn ticket_status(&self, id: u64, status: u64) -> Result<(), Refusal> {
        self.inner.agent_sets_ticket_status(id, status)
    }

    /// A human agent takes a ticket from the others, or puts it back; an erased one does not come back.
    ///
    /// # Errors
    /// Unknown ticket.
    pub fn put_ticket_away(&self, id: u64, gone: Option<Gone>) -> Result<(), Refusal> {
        let mut desk = lock(&self.inner.tickets);
        desk.ticket(id).and(Some(())).ok_or_else(|| Refusal::not_found("ticket"))?;
        desk.put_away(id, gone).ok_or_else(|| Refusal::not_found("ticket"))
    }
}

impl Inner {
    pub(crate) fn agent_adds_to_ticket(&self, id: u64, entry: NewEntry) -> Result<u64, Refusal> {
        let mut desk = lock(&self.tickets);
        if desk.agents.iter().all(|agent| agent.id != entry.user_id) {
            return Err(Refusal::not_found("agent"));
        }
        add(&mut desk, id, entry)
    }

    pub(crate) fn agent_sets_ticket_status(&self, id: u64, status: u64) -> Result<(), Refusal> {
        let changes = TicketChanges { status: Some(status), ..TicketChanges::default() };
        lock(&self.tickets).update(id, changes).map(drop).ok_or_else(|| Refusal::not_found("ticket"))
    }
}

fn add(desk: &mut TicketDesk, id: u64, entry: NewEntry) -> Result<u64, Refusal> {
    desk.add_entry(id, entry).map(|entry| entry.id).ok_or_else(|| Refusal::not_found("ticket"))
}

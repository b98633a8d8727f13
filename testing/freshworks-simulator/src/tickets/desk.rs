//! The rules of the ticket service. Callers have validated their input.

use serde_json::{Map, Value};

use super::{
    EntryKind, Gone, Requester, RequesterSpec, Ticket, TicketAgent, TicketAttachment, TicketEntry, TicketField,
    TicketGroup, TicketProduct, plain_text,
};
use crate::config::Config;
use crate::ids::Clock;

/// A file to be.
#[derive(Debug)]
pub(crate) struct NewFile {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) content: Vec<u8>,
}

/// An entry to be.
#[derive(Debug)]
pub(crate) struct NewEntry {
    pub(crate) kind: EntryKind,
    pub(crate) body: String,
    pub(crate) private: bool,
    pub(crate) incoming: bool,
    pub(crate) user_id: u64,
    pub(crate) to_emails: Vec<String>,
    pub(crate) cc_emails: Vec<String>,
    pub(crate) bcc_emails: Vec<String>,
    pub(crate) files: Vec<NewFile>,
}

impl NewEntry {
    pub(crate) fn of(kind: EntryKind, user_id: u64, body: &str) -> Self {
        Self {
            kind,
            body: body.to_owned(),
            private: false,
            incoming: false,
            user_id,
            to_emails: Vec::new(),
            cc_emails: Vec::new(),
            bcc_emails: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// Validated changes to a ticket: fields that are none or empty stay unchanged.
#[derive(Debug, Default)]
pub(crate) struct TicketChanges {
    pub(crate) subject: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) status: Option<u64>,
    pub(crate) priority: Option<u64>,
    pub(crate) source: Option<u64>,
    pub(crate) kind: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) cc_emails: Option<Vec<String>>,
    pub(crate) custom_fields: Map<String, Value>,
    pub(crate) group_id: Option<u64>,
    pub(crate) responder_id: Option<u64>,
    pub(crate) other: Map<String, Value>,
    pub(crate) files: Vec<NewFile>,
}

/// The one who asks, as a call names them.
#[derive(Debug)]
pub(crate) enum Asking {
    /// A known person, by id.
    Known(u64),
    /// A person to find or add.
    Described(RequesterSpec),
}

/// Everything in the ticket service.
#[derive(Debug)]
pub(crate) struct TicketDesk {
    pub(crate) product: TicketProduct,
    pub(crate) groups: Vec<TicketGroup>,
    pub(crate) agents: Vec<TicketAgent>,
    pub(crate) requesters: Vec<Requester>,
    /// Oldest first; the id is the position, from 1.
    pub(crate) tickets: Vec<Ticket>,
    /// The custom fields.
    pub(crate) custom_fields: Vec<TicketField>,
    last_id: u64,
    clock: Clock,
}

impl TicketDesk {
    pub(crate) fn new(config: &Config) -> Self {
        let mut desk = Self {
            product: config.ticket_product,
            groups: Vec::new(),
            agents: Vec::new(),
            requesters: Vec::new(),
            tickets: Vec::new(),
            custom_fields: config.ticket_fields.clone(),
            // Eleven digits, as in live accounts: more than 32 bits hold.
            last_id: 43_000_000_000,
            clock: Clock::default(),
        };
        for name in &config.ticket_groups {
            let id = desk.draw_id();
            desk.groups.push(TicketGroup { id, name: name.clone() });
        }
        for spec in &config.agents {
            let name = format!("{} {}", spec.first_name, spec.last_name).trim().to_owned();
            let id = desk.draw_id();
            desk.agents.push(TicketAgent { id, name, email: spec.email.clone() });
        }
        desk
    }

    pub(crate) fn draw_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A ticket that can be read: in the trash or not, unless it is erased.
    pub(crate) fn ticket(&self, id: u64) -> Option<&Ticket> {
        let at = usize::try_from(id).ok()?.checked_sub(1)?;
        self.tickets.get(at).filter(|ticket| ticket.gone != Some(Gone::Erased))
    }

    /// A ticket that can be worked with.
    pub(crate) fn present(&self, id: u64) -> Option<&Ticket> {
        self.ticket(id).filter(|ticket| ticket.gone.is_none())
    }

    /// Removes a ticket, or restores it. None if there is no such ticket.
    pub(crate) fn put_away(&mut self, id: u64, gone: Option<Gone>) -> Option<()> {
        let now = self.clock.tick();
        let ticket = self.ticket_mut(id)?;
        (ticket.gone, ticket.updated_ms) = (gone, now);
        Some(())
    }

    fn ticket_mut(&mut self, id: u64) -> Option<&mut Ticket> {
        let at = usize::try_from(id).ok()?.checked_sub(1)?;
        self.tickets.get_mut(at)
    }

    /// A requester of this id.
    pub(crate) fn requester(&self, id: u64) -> Option<&Requester> {
        self.requesters.iter().find(|requester| requester.id == id)
    }

    /// Adds a requester, without looking for an existing one.
    pub(crate) fn add_requester(&mut self, facts: RequesterSpec) -> Requester {
        let requester = Requester { id: self.draw_id(), facts };
        self.requesters.push(requester.clone());
        requester
    }

    /// Creates a ticket, and a requester if none matches; a matching one stays unchanged. None if a requester named by id
    /// does not exist.
    pub(crate) fn create(&mut self, asking: Asking, changes: TicketChanges) -> Option<&Ticket> {
        let requester = match asking {
            Asking::Known(id) => self.requester(id)?.clone(),
            Asking::Described(facts) => {
                let found = self.requesters.iter().find(|requester| facts.same_person(&requester.facts)).cloned();
                found.unwrap_or_else(|| self.add_requester(facts))
            }
        };
        let id = u64::try_from(self.tickets.len()).ok()? + 1;
        let now = self.clock.tick();
        self.tickets.push(Ticket {
            id,
            subject: String::new(),
            description: String::new(),
            description_text: String::new(),
            status: 2,
            priority: 1,
            source: 2,
            kind: None,
            tags: Vec::new(),
            custom_fields: Map::new(),
            group_id: None,
            responder_id: None,
            cc_emails: Vec::new(),
            requester,
            attachments: Vec::new(),
            entries: Vec::new(),
            gone: None,
            other: Map::new(),
            created_ms: now,
            updated_ms: now,
        });
        self.write(id, changes, now)
    }

    /// Changes a ticket; none if there is no such ticket.
    pub(crate) fn update(&mut self, id: u64, changes: TicketChanges) -> Option<&Ticket> {
        let now = self.clock.tick();
        self.write(id, changes, now)
    }

    fn write(&mut self, id: u64, changes: TicketChanges, now: i64) -> Option<&Ticket> {
        let mut files = self.files(changes.files, now);
        let ticket = self.ticket_mut(id)?;
        ticket.updated_ms = now;
        ticket.subject = changes.subject.unwrap_or_else(|| std::mem::take(&mut ticket.subject));
        if let Some(description) = changes.description {
            ticket.description_text = plain_text(&description);
            ticket.description = description;
        }
        ticket.status = changes.status.unwrap_or(ticket.status);
        ticket.priority = changes.priority.unwrap_or(ticket.priority);
        ticket.source = changes.source.unwrap_or(ticket.source);
        ticket.kind = changes.kind.or(ticket.kind.take());
        ticket.tags = changes.tags.unwrap_or_else(|| std::mem::take(&mut ticket.tags));
        ticket.cc_emails = changes.cc_emails.unwrap_or_else(|| std::mem::take(&mut ticket.cc_emails));
        ticket.custom_fields.extend(changes.custom_fields);
        ticket.group_id = changes.group_id.or(ticket.group_id);
        ticket.responder_id = changes.responder_id.or(ticket.responder_id);
        ticket.other.extend(changes.other);
        ticket.attachments.append(&mut files);
        Some(ticket)
    }

    /// Adds a note or a reply; none if there is no such ticket.
    pub(crate) fn add_entry(&mut self, id: u64, new: NewEntry) -> Option<&TicketEntry> {
        self.ticket(id)?;
        let (entry_id, now) = (self.draw_id(), self.clock.tick());
        let attachments = self.files(new.files, now);
        let ticket = self.ticket_mut(id)?;
        ticket.updated_ms = now;
        ticket.entries.push(TicketEntry {
            id: entry_id,
            kind: new.kind,
            body_text: plain_text(&new.body),
            body: new.body,
            private: new.private,
            incoming: new.incoming,
            user_id: new.user_id,
            to_emails: new.to_emails,
            cc_emails: new.cc_emails,
            bcc_emails: new.bcc_emails,
            attachments,
            created_ms: now,
        });
        ticket.entries.last()
    }

    fn files(&mut self, files: Vec<NewFile>, now: i64) -> Vec<TicketAttachment> {
        let stored = files.into_iter().map(|file| TicketAttachment {
            id: self.draw_id(),
            name: file.name,
            content_type: file.content_type,
            content: file.content,
            created_ms: now,
        });
        stored.collect()
    }
}

//! What the ticket service holds, and what may happen to it. Nouns and rules; how calls are read is in `ticket_api`.
//!
//! Its ids, its clock and its people are its own: Freshdesk knows nothing of the ids of Freshchat.

mod plain_text;

use serde_json::{Map, Value};

use crate::config::Config;
use crate::ids::Clock;

pub(crate) use plain_text::plain_text;

/// The product behind the ticket service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicketProduct {
    /// Freshdesk: single answers stand alone, lists are arrays, chat is source 7.
    #[default]
    Freshdesk,
    /// Freshservice: answers are wrapped (`{"ticket": {...}}`), chat is source 4.
    Freshservice,
}

impl TicketProduct {
    /// The codes of sources, with their names.
    pub(crate) fn sources(self) -> &'static [(u64, &'static str)] {
        match self {
            Self::Freshdesk => &[
                (1, "Email"),
                (2, "Portal"),
                (3, "Phone"),
                (7, "Chat"),
                (9, "Feedback Widget"),
                (10, "Outbound Email"),
            ],
            Self::Freshservice => &[
                (1, "Email"),
                (2, "Portal"),
                (3, "Phone"),
                (4, "Chat"),
                (5, "Feedback Widget"),
                (6, "Yammer"),
                (7, "AWS Cloudwatch"),
                (8, "Pagerduty"),
                (9, "Walkup"),
                (10, "Slack"),
            ],
        }
    }

    /// The codes of statuses, with their names. Accounts add more from 6 on; a new Freshdesk account is said to have these.
    pub(crate) fn statuses(self) -> &'static [(u64, &'static str)] {
        const ALL: [(u64, &str); 6] = [
            (2, "Open"),
            (3, "Pending"),
            (4, "Resolved"),
            (5, "Closed"),
            (6, "Waiting on Customer"),
            (7, "Waiting on Third Party"),
        ];
        match self {
            Self::Freshdesk => &ALL,
            Self::Freshservice => ALL.split_at(4).0,
        }
    }

    /// The most bytes that a ticket's text and files may have together.
    pub(crate) fn size_limit(self) -> usize {
        match self {
            Self::Freshdesk => 20 << 20,
            Self::Freshservice => 15 << 20,
        }
    }
}

/// The codes of priorities, with their names.
pub(crate) const PRIORITIES: [(u64, &str); 4] = [(1, "Low"), (2, "Medium"), (3, "High"), (4, "Urgent")];

/// The types of tickets in a new account.
pub(crate) const TYPES: [&str; 4] = ["Question", "Incident", "Problem", "Feature Request"];

/// A ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The number in paths and links.
    pub id: u64,
    /// The subject.
    pub subject: String,
    /// The description as it was sent: HTML.
    pub description: String,
    /// The description without tags, entities decoded.
    pub description_text: String,
    /// 2 open, 3 pending, 4 resolved, 5 closed; more by account.
    pub status: u64,
    /// 1 low to 4 urgent.
    pub priority: u64,
    /// The code of where it came from; chat is 7 in Freshdesk and 4 in Freshservice.
    pub source: u64,
    /// `type` in the API.
    pub kind: Option<String>,
    /// The tags, in the order they were sent.
    pub tags: Vec<String>,
    /// The custom fields that were given.
    pub custom_fields: Map<String, Value>,
    /// The group that has it.
    pub group_id: Option<u64>,
    /// The human agent who has it.
    pub responder_id: Option<u64>,
    /// Who gets copies.
    pub cc_emails: Vec<String>,
    /// Who asks.
    pub requester: Requester,
    /// Files of the description.
    pub attachments: Vec<TicketAttachment>,
    /// Notes and replies, oldest first.
    pub entries: Vec<TicketEntry>,
    /// Other known fields, such as `product_id` and `due_by`, as they were sent.
    pub other: Map<String, Value>,
    /// When it was made: milliseconds since 1970. The API shows whole seconds.
    pub created_ms: i64,
    /// When it changed last: milliseconds since 1970.
    pub updated_ms: i64,
}

impl Ticket {
    /// Bytes of the text and of all files.
    pub(crate) fn size(&self) -> usize {
        let files = self.attachments.iter().chain(self.entries.iter().flat_map(|entry| &entry.attachments));
        self.description.len() + files.map(|file| file.content.len()).sum::<usize>()
    }
}

/// Who asks: a contact in Freshdesk, a requester in Freshservice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requester {
    /// The id.
    pub id: u64,
    /// Everything else.
    pub facts: RequesterSpec,
}

/// What is known of a requester.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequesterSpec {
    /// The name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// The caller's own id.
    pub unique_external_id: Option<String>,
    /// The handle in X.
    pub twitter_id: Option<String>,
    /// The id in Facebook.
    pub facebook_id: Option<String>,
}

impl RequesterSpec {
    /// Whether one of the identifiers is the same.
    fn same_person(&self, other: &Self) -> bool {
        let same = |ours: &Option<String>, theirs: &Option<String>| ours.is_some() && ours == theirs;
        same(&self.unique_external_id, &other.unique_external_id)
            || self.email.as_deref().is_some_and(|email| other.has_email(email))
            || same(&self.phone, &other.phone)
            || same(&self.twitter_id, &other.twitter_id)
            || same(&self.facebook_id, &other.facebook_id)
    }

    /// Whether this is the e-mail address, in any case.
    pub(crate) fn has_email(&self, email: &str) -> bool {
        self.email.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(email))
    }
}

/// A file of a ticket, a note or a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketAttachment {
    /// The id.
    pub id: u64,
    /// The file name.
    pub name: String,
    /// The media type.
    pub content_type: String,
    /// The content.
    pub content: Vec<u8>,
    /// When it was stored: milliseconds since 1970.
    pub created_ms: i64,
}

/// Something written on a ticket. The API calls it a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketEntry {
    /// The id.
    pub id: u64,
    /// A note or a reply.
    pub kind: EntryKind,
    /// The text as it was sent: HTML.
    pub body: String,
    /// The text without tags, entities decoded.
    pub body_text: String,
    /// Whether human agents alone see it.
    pub private: bool,
    /// Whether it came from the requester.
    pub incoming: bool,
    /// The author: a human agent or a requester.
    pub user_id: u64,
    /// Whom it was sent to: the notified ones of a note, the requester for a reply.
    pub to_emails: Vec<String>,
    /// Who got copies of a reply.
    pub cc_emails: Vec<String>,
    /// Who got copies of a reply unseen.
    pub bcc_emails: Vec<String>,
    /// Its files.
    pub attachments: Vec<TicketAttachment>,
    /// When it was written: milliseconds since 1970, unique in the ticket service.
    pub created_ms: i64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A note on the ticket.
    Note,
    /// A reply: an e-mail to the requester, or from the requester.
    Reply,
}

/// A group of the ticket service.
#[derive(Clone, Debug)]
pub(crate) struct TicketGroup {
    pub(crate) id: u64,
    pub(crate) name: String,
}

/// A human agent of the ticket service.
#[derive(Clone, Debug)]
pub(crate) struct TicketAgent {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) email: String,
}

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

/// Changes to a ticket, already checked: what is none or empty stays as it is.
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
    /// Somebody known, by id.
    Known(u64),
    /// Somebody to find, or else to add.
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
    /// The names of the custom fields.
    pub(crate) custom_fields: Vec<String>,
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

    pub(crate) fn ticket(&self, id: u64) -> Option<&Ticket> {
        let at = usize::try_from(id).ok()?.checked_sub(1)?;
        self.tickets.get(at)
    }

    fn ticket_mut(&mut self, id: u64) -> Option<&mut Ticket> {
        let at = usize::try_from(id).ok()?.checked_sub(1)?;
        self.tickets.get_mut(at)
    }

    /// A requester of this id.
    pub(crate) fn requester(&self, id: u64) -> Option<&Requester> {
        self.requesters.iter().find(|requester| requester.id == id)
    }

    /// Adds a requester, whoever else there is.
    pub(crate) fn add_requester(&mut self, facts: RequesterSpec) -> Requester {
        let requester = Requester { id: self.draw_id(), facts };
        self.requesters.push(requester.clone());
        requester
    }

    /// Makes a ticket, and a requester where none fits; one who fits stays as they are. None when a requester named by id
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
            other: Map::new(),
            created_ms: now,
            updated_ms: now,
        });
        self.write(id, changes, now)
    }

    /// Changes a ticket; none when there is no such ticket.
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

    /// Adds a note or a reply; none when there is no such ticket.
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

//! The content of the ticket service. Data only; the rules are in `tickets/desk.rs`, reading calls in `ticket_api`.
//!
//! It has its own ids, clock and people: Freshdesk does not know the ids of Freshchat.

mod desk;
mod field;
mod plain_text;
mod product;

use serde_json::{Map, Value};

pub(crate) use desk::{Asking, NewEntry, NewFile, TicketChanges, TicketDesk};
pub use field::{TicketField, TicketFieldKind};
pub(crate) use plain_text::plain_text;
pub use product::TicketProduct;
pub(crate) use product::{PRIORITIES, TYPES};

/// A ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The number in paths and links.
    pub id: u64,
    /// The subject.
    pub subject: String,
    /// The description as sent: HTML.
    pub description: String,
    /// The description without tags, entities decoded.
    pub description_text: String,
    /// 2 open, 3 pending, 4 resolved, 5 closed; more by account.
    pub status: u64,
    /// 1 low to 4 urgent.
    pub priority: u64,
    /// The source code; chat is 7 in Freshdesk and 4 in Freshservice.
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
    /// Why it was removed.
    pub gone: Option<Gone>,
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

/// Where a removed ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// In the trash: it can be read by its number, and says `deleted`.
    Deleted,
    /// Marked as spam: it can be read by its number, and says `spam`.
    Spam,
    /// Erased: 404.
    Erased,
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
    /// The text as sent: HTML.
    pub body: String,
    /// The text without tags, entities decoded.
    pub body_text: String,
    /// Whether only human agents see it.
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

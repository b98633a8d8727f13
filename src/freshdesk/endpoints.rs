//! Each call of the ticket desk's API v2 as a value: into a request, and out of an answer.
//!
//! Freshservice wraps single objects (`{"ticket": {..}}`) and lists (`{"tickets": [..]}`) where Freshdesk does not; readers
//! take either.

use serde_json::{Map, Value, json};

use crate::client::{Endpoint, Page, Paged, Service, encode};
use crate::freshchat::wire;
use crate::http::Method;
use crate::model::{Priority, Timestamp};
use crate::multipart::Form;
use crate::{plain_text, time, transcript};

/// The most that Freshdesk gives at once.
const ITEMS_PER_PAGE: u32 = 100;
/// Status of a ticket that waits for an agent.
const OPEN: u64 = 2;
const RESOLVED: u64 = 4;
const CLOSED: u64 = 5;

/// The object of this name, or the answer itself.
fn unwrapped<'a>(body: &'a Value, name: &str) -> &'a Value {
    body.get(name).unwrap_or(body)
}

fn page_of<T>(body: &Value, name: &str, item: impl Fn(&Value) -> Option<T>) -> Option<Page<T>> {
    let raw = unwrapped(body, name).as_array()?;
    // The next page is told in a header; a page that is not full is the last.
    let has_next = u32::try_from(raw.len()).is_ok_and(|count| count >= ITEMS_PER_PAGE);
    Some(Page { items: raw.iter().filter_map(item).collect(), total_pages: None, has_next })
}

/// A ticket as far as handoffs need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// A number.
    pub id: String,
    /// Among them the one that marks tickets of handoffs.
    pub tags: Vec<String>,
    /// Resolved or closed.
    pub is_solved: bool,
    /// When it last changed, where the answer says.
    pub updated_at: Option<Timestamp>,
}

impl Ticket {
    fn read(ticket: &Value) -> Option<Self> {
        let tags = ticket.get("tags").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id: wire::filled(ticket, "id")?,
            tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
            is_solved: matches!(wire::number(ticket, "status"), Some(RESOLVED | CLOSED)),
            updated_at: wire::text(ticket, "updated_at").as_deref().and_then(time::from_iso),
        })
    }
}

/// `GET /tickets`, newest first, of one requester where the e-mail address is known. Does not lag behind, unlike the search.
pub struct ListTickets<'a> {
    /// The requester's.
    pub email: Option<&'a str>,
    /// The first is 1.
    pub page: u32,
}

impl Endpoint for ListTickets<'_> {
    type Answer = Page<Ticket>;
    const NAME: &'static str = "list-tickets";
    const METHOD: Method = Method::Get;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        let of = self.email.map(|email| format!("&email={}", encode(email))).unwrap_or_default();
        let page = self.page;
        format!("/tickets?order_by=created_at&order_type=desc&per_page={ITEMS_PER_PAGE}&page={page}{of}")
    }

    fn answer(body: &Value) -> Option<Page<Ticket>> {
        page_of(body, "tickets", Ticket::read)
    }
}

/// A file that goes with a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// File type.
    pub media_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// A ticket to be made.
#[derive(Clone, Default)]
pub struct NewTicket {
    /// One line.
    pub subject: String,
    /// HTML.
    pub description: String,
    /// The requester's.
    pub email: Option<String>,
    /// The requester's, where no e-mail address is known.
    pub phone: Option<String>,
    /// The requester's.
    pub name: Option<String>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// Freshservice counts its sources otherwise.
    pub is_freshservice: bool,
    /// At most 32 characters each.
    pub tags: Vec<String>,
    /// A number.
    pub group: Option<String>,
    /// By the names that the desk knows, `cf_..` in Freshdesk.
    pub custom_fields: Vec<(String, String)>,
    /// At most 20 MB together.
    pub attachments: Vec<Attachment>,
    /// For forms: must not be guessed by those who write what is in the ticket.
    pub boundary: String,
}

impl NewTicket {
    fn numbers(&self) -> [(&'static str, u64); 3] {
        let priority = match self.priority {
            Some(Priority::Low) | None => 1,
            Some(Priority::Medium) => 2,
            Some(Priority::High) => 3,
            Some(Priority::Urgent) => 4,
        };
        // Chat.
        let source = if self.is_freshservice { 4 } else { 7 };
        // Both are said to have defaults, and were seen to be demanded.
        [("status", OPEN), ("priority", priority), ("source", source)]
    }

    fn texts(&self) -> Vec<(&'static str, &str)> {
        let mut texts = vec![("subject", self.subject.as_str()), ("description", self.description.as_str())];
        for (name, value) in [("email", &self.email), ("phone", &self.phone), ("name", &self.name)] {
            texts.extend(value.as_deref().map(|value| (name, value)));
        }
        texts
    }
}

/// `POST /tickets`. There is no key against doubles: look before it is repeated.
pub struct CreateTicket<'a> {
    /// What to make.
    pub ticket: &'a NewTicket,
}

impl Endpoint for CreateTicket<'_> {
    type Answer = Ticket;
    const NAME: &'static str = "create-ticket";
    const METHOD: Method = Method::Post;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        "/tickets".to_owned()
    }

    fn body(&self) -> Option<Value> {
        let ticket = self.ticket;
        let mut body = Map::new();
        for (name, value) in ticket.texts() {
            body.insert(name.to_owned(), json!(value));
        }
        for (name, value) in ticket.numbers() {
            body.insert(name.to_owned(), json!(value));
        }
        body.insert("tags".to_owned(), json!(ticket.tags));
        if let Some(group) = ticket.group.as_ref().and_then(|group| group.parse::<u64>().ok()) {
            body.insert("group_id".to_owned(), json!(group));
        }
        if !ticket.custom_fields.is_empty() {
            let mut fields = Map::new();
            for (name, value) in &ticket.custom_fields {
                fields.insert(name.clone(), json!(value));
            }
            body.insert("custom_fields".to_owned(), Value::Object(fields));
        }
        Some(Value::Object(body))
    }

    fn form(&self) -> Option<(String, Vec<u8>)> {
        let ticket = self.ticket;
        if ticket.attachments.is_empty() {
            return None;
        }
        let mut form = Form::new(ticket.boundary.clone());
        for (name, value) in ticket.texts() {
            form.text(name, value);
        }
        for (name, value) in ticket.numbers() {
            form.text(name, &value.to_string());
        }
        for tag in &ticket.tags {
            form.text("tags[]", tag);
        }
        if let Some(group) = &ticket.group {
            form.text("group_id", group);
        }
        for (name, value) in &ticket.custom_fields {
            form.text(&format!("custom_fields[{name}]"), value);
        }
        for file in &ticket.attachments {
            form.file("attachments[]", &file.name, &file.media_type, &file.content);
        }
        Some((form.content_type(), form.finish()))
    }

    fn answer(body: &Value) -> Option<Ticket> {
        Ticket::read(unwrapped(body, "ticket"))
    }
}

/// `GET /tickets/{id}`.
pub struct GetTicket<'a> {
    /// The ticket.
    pub id: &'a str,
}

impl Endpoint for GetTicket<'_> {
    type Answer = Ticket;
    const NAME: &'static str = "get-ticket";
    const METHOD: Method = Method::Get;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        format!("/tickets/{}", encode(self.id))
    }

    fn answer(body: &Value) -> Option<Ticket> {
        Ticket::read(unwrapped(body, "ticket"))
    }
}

/// A note or reply under a ticket. (The desk calls it conversation.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A number.
    pub id: String,
    /// Without markup, and without what hides or reorders text.
    pub text: String,
    /// Not for the requester.
    pub is_private: bool,
    /// From the requester, or from us in their name.
    pub is_incoming: bool,
    /// Who wrote it, as a number.
    pub agent: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Name, type, size and address of each file.
    pub files: Vec<EntryFile>,
}

/// A file of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFile {
    /// File name.
    pub name: Option<String>,
    /// File type.
    pub media_type: Option<String>,
    /// Size in bytes.
    pub bytes: Option<u64>,
    /// Where it can be read, for a while.
    pub url: Option<String>,
}

impl Entry {
    fn read(entry: &Value) -> Option<Self> {
        let flag = |key: &str| entry.get(key).and_then(Value::as_bool);
        let files = entry.get("attachments").and_then(Value::as_array).into_iter().flatten();
        let file = |file: &Value| EntryFile {
            name: wire::filled(file, "name"),
            media_type: wire::filled(file, "content_type"),
            bytes: wire::number(file, "size"),
            url: wire::filled(file, "attachment_url"),
        };
        Some(Self {
            id: wire::filled(entry, "id")?,
            text: match (wire::filled(entry, "body_text"), wire::filled(entry, "body")) {
                (Some(text), _) => transcript::clean_text(&text),
                (None, html) => plain_text::from_rich(&html.unwrap_or_default()).into_owned(),
            },
            // Fail closed: what does not say that it is for the requester is not.
            is_private: flag("private").unwrap_or(true),
            is_incoming: wire::may_be_set(entry, "incoming"),
            agent: wire::filled(entry, "user_id"),
            at: wire::text(entry, "created_at").as_deref().and_then(time::from_iso),
            files: files.map(file).collect(),
        })
    }
}

/// `GET /tickets/{id}/conversations`, oldest first.
pub struct ListEntries<'a> {
    /// The ticket.
    pub id: &'a str,
    /// The first is 1.
    pub page: u32,
}

impl Endpoint for ListEntries<'_> {
    type Answer = Page<Entry>;
    const NAME: &'static str = "list-ticket-entries";
    const METHOD: Method = Method::Get;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        format!("/tickets/{}/conversations?per_page={ITEMS_PER_PAGE}&page={}", encode(self.id), self.page)
    }

    fn answer(body: &Value) -> Option<Page<Entry>> {
        page_of(body, "conversations", Entry::read)
    }
}

/// `POST /tickets/{id}/notes`: words of the end user, as coming from outside and for the agents alone, so that no mail goes
/// out about them.
pub struct CreateNote<'a> {
    /// The ticket.
    pub id: &'a str,
    /// HTML.
    pub body: &'a str,
}

impl Endpoint for CreateNote<'_> {
    type Answer = Entry;
    const NAME: &'static str = "create-ticket-note";
    const METHOD: Method = Method::Post;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        format!("/tickets/{}/notes", encode(self.id))
    }

    fn body(&self) -> Option<Value> {
        Some(json!({ "body": self.body, "private": true, "incoming": true }))
    }

    fn answer(body: &Value) -> Option<Entry> {
        Entry::read(unwrapped(body, "conversation"))
    }
}

/// A group of the ticket desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketGroup {
    /// A number.
    pub id: String,
    /// As the admin wrote it.
    pub name: String,
}

/// `GET /groups`, in pages.
pub struct ListTicketGroups {
    page: u32,
}

impl Endpoint for ListTicketGroups {
    type Answer = Page<TicketGroup>;
    const NAME: &'static str = "list-ticket-groups";
    const METHOD: Method = Method::Get;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        format!("/groups?per_page={ITEMS_PER_PAGE}&page={}", self.page)
    }

    fn answer(body: &Value) -> Option<Page<TicketGroup>> {
        let group =
            |group: &Value| Some(TicketGroup { id: wire::filled(group, "id")?, name: wire::text(group, "name")? });
        page_of(body, "groups", group)
    }
}

impl Paged for ListTicketGroups {
    type Item = TicketGroup;
    fn page(number: u32) -> Self {
        Self { page: number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_plain_text_even_where_the_desk_sends_html_alone() {
        for (entry, text) in [
            (json!({ "id": 1, "body": "<p>It is <b>found</b></p><script>x()</script>" }), "It is found"),
            (json!({ "id": 1, "body": "<p>a</p>", "body_text": "Use <b> for bold\u{202e}" }), "Use <b> for bold"),
            (json!({ "id": 1 }), ""),
        ] {
            let entry = Entry::read(&entry).unwrap();
            assert_eq!(entry.text, text);
            assert!(entry.is_private, "what does not say that it is for the requester is not");
        }
    }

    #[test]
    fn what_is_not_surely_an_answer_to_the_requester_is_none() {
        for (flags, is_private, is_incoming) in [
            (json!({ "private": false, "incoming": false }), false, false),
            (json!({ "private": true }), true, false),
            (json!({ "private": "true", "incoming": "true" }), true, true),
            (json!({ "private": 1, "incoming": 1 }), true, true),
            (json!({ "private": "no", "incoming": {} }), true, true),
            (json!({ "private": null, "incoming": null }), true, false),
        ] {
            let mut entry = json!({ "id": 1, "body_text": "x" });
            for (key, value) in flags.as_object().unwrap() {
                entry[key] = value.clone();
            }
            let entry = Entry::read(&entry).unwrap();
            assert_eq!((entry.is_private, entry.is_incoming), (is_private, is_incoming), "{flags}");
        }
    }
}

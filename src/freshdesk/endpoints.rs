//! Each call of the ticket desk's API v2 as a value: into a request, and out of an answer.
//!
//! Freshservice wraps single objects (`{"ticket": {..}}`) and lists (`{"tickets": [..]}`) where Freshdesk does not; readers
//! take either.

use serde_json::{Map, Value, json};

use super::fields::{self, FieldValue, TicketField};
use super::quotes;
use crate::freshchat::wire;
use crate::http::Method;
use crate::http::client::{Endpoint, Page, Paged, Service, encode};
use crate::http::multipart::Form;
use crate::text::{plain_text, time, transcript};
use handoff_contract::model::{Priority, Timestamp};

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
pub(crate) struct Ticket {
    /// A number.
    pub id: String,
    /// Among them the one that marks tickets of handoffs.
    pub tags: Vec<String>,
    /// Resolved or closed.
    pub is_solved: bool,
    /// Deleted or marked as spam: it can still be read by its number, and nobody looks after it.
    pub is_gone: bool,
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
            is_gone: ["deleted", "spam"].iter().any(|flag| ticket.get(*flag).and_then(Value::as_bool) == Some(true)),
            updated_at: wire::text(ticket, "updated_at").as_deref().and_then(time::from_iso),
        })
    }
}

/// `GET /tickets`, newest first, of one requester where the e-mail address is given. Does not lag behind, unlike the search.
///
/// Freshdesk answers 400 to an address that no contact has (several integrators' clients), and 400 to a parameter that it does
/// not know: a refused list does not say that there is no ticket. Freshservice sorts by the time of creation alone; its SDK
/// (freshworks-api-sdk, `TicketsQuery`) knows no `order_by`.
pub(crate) struct ListTickets<'a> {
    /// The requester's.
    pub email: Option<&'a str>,
    /// The first is 1.
    pub page: u32,
    /// Which product is asked.
    pub is_freshservice: bool,
}

impl Endpoint for ListTickets<'_> {
    type Output = Page<Ticket>;
    const NAME: &'static str = "list-tickets";
    const METHOD: Method = Method::Get;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        let of = self.email.map(|email| format!("&email={}", encode(email))).unwrap_or_default();
        let order_by = if self.is_freshservice { "" } else { "order_by=created_at&" };
        format!("/tickets?{order_by}order_type=desc&per_page={ITEMS_PER_PAGE}&page={}{of}", self.page)
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
    /// Where people find it when the desk does not take it; none for what we wrote ourselves.
    pub link: Option<String>,
}

/// A ticket to be made.
#[derive(Default)]
pub(crate) struct NewTicket {
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
    /// Further fields by the names that tickets use: those of every desk, and the account's own (`cf_..` in Freshdesk).
    pub fields: Vec<(String, FieldValue)>,
    /// At most 20 MB together.
    pub attachments: Vec<Attachment>,
    /// For forms: must not be guessed by those who write what is in the ticket.
    pub boundary: String,
}

/// What a refusal has cost a ticket.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// A field, or the group.
    Field(String),
    /// The requester's e-mail address or phone number.
    Address,
    /// These files.
    Files(Vec<Attachment>),
}

/// The field that the desk's error names: custom ones stand behind `custom_fields.` or in brackets, and alone in older answers;
/// of the files each may be named with its number.
fn faulty_name(faulty: &str) -> &str {
    let name = faulty
        .strip_prefix("custom_fields")
        .map_or(faulty, |name| name.get(1..).unwrap_or_default().trim_end_matches(']'));
    if name.starts_with("attachments") { "attachments" } else { name }
}

impl NewTicket {
    /// True when a refusal that names this field can be met by leaving it out.
    pub(crate) fn can_spare(&self, faulty: &str) -> bool {
        let name = faulty_name(faulty);
        match name {
            "group_id" if self.group.is_some() => true,
            "email" => self.email.is_some(),
            "phone" => self.phone.is_some(),
            // With a phone number alone the desk demands a name.
            "name" => self.name.is_some() && self.email.is_some(),
            "attachments" => !self.attachments.is_empty(),
            name => self.fields.iter().any(|(field, _)| field == name),
        }
    }

    /// Takes away what a refusal names; none when it is not there (any more).
    pub(crate) fn leave_out(&mut self, faulty: &str) -> Option<LeftOut> {
        let name = faulty_name(faulty);
        let field = || LeftOut::Field(name.to_owned());
        match name {
            "group_id" if self.group.is_some() => self.group.take().map(|_| field()),
            "email" => self.email.take().map(|_| LeftOut::Address),
            "phone" => self.phone.take().map(|_| LeftOut::Address),
            "name" => self.name.take().map(|_| field()),
            "attachments" => {
                // What people sent goes before the conversation itself.
                let all = std::mem::take(&mut self.attachments);
                let has_links = all.iter().any(|file| file.link.is_some());
                let mut left = Vec::new();
                for file in all {
                    let is_left = file.link.is_some() || !has_links;
                    (if is_left { &mut left } else { &mut self.attachments }).push(file);
                }
                (!left.is_empty()).then_some(LeftOut::Files(left))
            }
            name => {
                let index = self.fields.iter().position(|(field, _)| field == name)?;
                self.fields.remove(index);
                Some(field())
            }
        }
    }

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
pub(crate) struct CreateTicket<'a> {
    /// What to make.
    pub ticket: &'a NewTicket,
}

impl Endpoint for CreateTicket<'_> {
    type Output = Ticket;
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
        let mut custom = Map::new();
        for (name, value) in &ticket.fields {
            let place = if fields::is_standard(name) { &mut body } else { &mut custom };
            place.insert(name.clone(), value.json());
        }
        if !custom.is_empty() {
            body.insert("custom_fields".to_owned(), Value::Object(custom));
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
        for (name, value) in &ticket.fields {
            if fields::is_standard(name) {
                form.text(name, value.text());
            } else {
                form.text(&format!("custom_fields[{name}]"), value.text());
            }
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
pub(crate) struct GetTicket<'a> {
    /// The ticket.
    pub id: &'a str,
}

impl Endpoint for GetTicket<'_> {
    type Output = Ticket;
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
pub(crate) struct Entry {
    /// A number.
    pub id: String,
    /// Without markup and what hides or reorders text; of agents' entries, without the mail that they quote.
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
pub(crate) struct EntryFile {
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
        let is_incoming = flag("incoming").unwrap_or(false);
        let (text, html) = (wire::filled(entry, "body_text"), wire::filled(entry, "body").unwrap_or_default());
        // Quotes are known by marks in the HTML and by their lines; whether `body_text` keeps lines apart is not published.
        // Words of the end user are looked for as they were written.
        let text = match text {
            Some(text) if is_incoming || html.is_empty() => transcript::clean_text(&text),
            _ if is_incoming => plain_text::from_rich(&html).into_owned(),
            _ => plain_text::from_rich(&quotes::without_quoted_html(&html)).into_owned(),
        };
        Some(Self {
            id: wire::filled(entry, "id")?,
            text: if is_incoming { text } else { quotes::without_quoted_text(&text) },
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
pub(crate) struct ListEntries<'a> {
    /// The ticket.
    pub id: &'a str,
    /// The first is 1.
    pub page: u32,
}

impl Endpoint for ListEntries<'_> {
    type Output = Page<Entry>;
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
pub(crate) struct CreateNote<'a> {
    /// The ticket.
    pub id: &'a str,
    /// HTML.
    pub body: &'a str,
}

impl Endpoint for CreateNote<'_> {
    type Output = Entry;
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

/// `GET /ticket_fields` in Freshdesk, `GET /ticket_form_fields` in Freshservice: all fields of tickets.
pub(crate) struct ListTicketFields {
    /// Which product is asked.
    pub is_freshservice: bool,
}

impl Endpoint for ListTicketFields {
    type Output = Page<TicketField>;
    const NAME: &'static str = "list-ticket-fields";
    const METHOD: Method = Method::Get;
    const SERVICE: Service = Service::Tickets;

    fn path(&self) -> String {
        if self.is_freshservice { "/ticket_form_fields" } else { "/ticket_fields" }.to_owned()
    }

    fn answer(body: &Value) -> Option<Page<TicketField>> {
        TicketField::list(body)
    }
}

/// A group of the ticket desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TicketGroup {
    /// A number.
    pub id: String,
    /// As the admin wrote it.
    pub name: String,
}

/// `GET /groups`, in pages.
pub(crate) struct ListTicketGroups {
    page: u32,
}

impl Endpoint for ListTicketGroups {
    type Output = Page<TicketGroup>;
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
    fn quoted_mail_is_cut_from_answers_and_not_from_what_the_end_user_wrote() {
        let quote = "On Fri, 27 Nov 2026, Ana &lt;ana@x.example&gt; wrote:<br>&gt; Where?<br><br>ref 0badcafe";
        let entry = |incoming: bool| {
            Entry::read(&json!({ "id": 1, "body": format!("Found.<br>{quote}"), "incoming": incoming })).unwrap().text
        };
        assert_eq!(entry(false), "Found.\n\nref 0badcafe");
        assert!(entry(true).contains("ana@x.example") && entry(true).contains("ref 0badcafe"));
        let both = json!({ "id": 1, "body": "Found.<blockquote>ana@x.example</blockquote>", "body_text": "Found. ana@x.example" });
        assert_eq!(Entry::read(&both).unwrap().text, "Found.", "the text does not say what is quoted");
    }

    #[test]
    fn an_entry_is_plain_text_even_where_the_desk_sends_html_alone() {
        for (entry, text) in [
            (json!({ "id": 1, "body": "<p>It is <b>found</b></p><script>x()</script>" }), "It is found"),
            (json!({ "id": 1, "body_text": "Use <b> for bold\u{202e}" }), "Use <b> for bold"),
            (json!({ "id": 1, "body": "<p>Use &lt;b&gt;</p><p>b</p>", "body_text": "Use <b> b" }), "Use <b>\nb"),
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

//! Tickets, entries and people as the API shows them.

use serde_json::{Map, Value, json};

use crate::ids::iso_time;
use crate::tickets::{
    EntryKind, Gone, Requester, Ticket, TicketAgent, TicketAttachment, TicketDesk, TicketEntry, TicketGroup,
    TicketProduct,
};

/// A single object: Freshservice wraps it under its name.
pub(super) fn one(product: TicketProduct, name: &str, view: Value) -> Value {
    match product {
        TicketProduct::Freshdesk => view,
        TicketProduct::Freshservice => json!({ name: view }),
    }
}

/// A list: Freshservice puts it under its name.
pub(super) fn many(product: TicketProduct, name: &str, views: Vec<Value>) -> Value {
    one(product, name, Value::Array(views))
}

/// `2025-07-10T19:47:55Z`: tickets know no milliseconds.
fn time(ms: i64) -> String {
    iso_time(ms.div_euclid(1000) * 1000).replace(".000Z", "Z")
}

/// A ticket as lists show it: without its description.
pub(super) fn ticket_row(desk: &TicketDesk, ticket: &Ticket) -> Map<String, Value> {
    let custom = desk.custom_fields.iter().map(|field| {
        let value = ticket.custom_fields.get(&field.name).cloned().unwrap_or_default();
        (field.name.clone(), value)
    });
    let mut view = Map::from_iter([
        ("id".to_owned(), json!(ticket.id)),
        ("subject".to_owned(), json!(ticket.subject)),
        ("status".to_owned(), json!(ticket.status)),
        ("priority".to_owned(), json!(ticket.priority)),
        ("source".to_owned(), json!(ticket.source)),
        ("type".to_owned(), json!(ticket.kind)),
        ("requester_id".to_owned(), json!(ticket.requester.id)),
        ("responder_id".to_owned(), json!(ticket.responder_id)),
        ("group_id".to_owned(), json!(ticket.group_id)),
        ("cc_emails".to_owned(), json!(ticket.cc_emails)),
        ("tags".to_owned(), json!(ticket.tags)),
        ("custom_fields".to_owned(), Value::Object(custom.collect())),
        ("created_at".to_owned(), json!(time(ticket.created_ms))),
        ("updated_at".to_owned(), json!(time(ticket.updated_ms))),
    ]);
    for name in ["fwd_emails", "reply_cc_emails"] {
        view.insert(name.into(), json!([]));
    }
    for name in ["product_id", "company_id", "email_config_id", "to_emails", "due_by", "fr_due_by"] {
        view.insert(name.into(), Value::Null);
    }
    for name in ["fr_escalated", "is_escalated"] {
        view.insert(name.into(), json!(false));
    }
    for (name, gone) in [("spam", Gone::Spam), ("deleted", Gone::Deleted)] {
        view.insert(name.into(), json!(ticket.gone == Some(gone)));
    }
    view.extend(ticket.other.clone());
    view
}

/// Adds the description in both forms.
pub(super) fn insert_description(ticket: &Ticket, view: &mut Map<String, Value>) {
    view.insert("description".into(), json!(ticket.description));
    view.insert("description_text".into(), json!(ticket.description_text));
}

/// Adds who asks, as tickets embed them.
pub(super) fn insert_requester(ticket: &Ticket, view: &mut Map<String, Value>) {
    let Requester { id, facts } = &ticket.requester;
    let requester = json!({ "id": id, "name": facts.name, "email": facts.email, "phone": facts.phone, "mobile": null });
    view.insert("requester".into(), requester);
}

/// A whole ticket.
pub(super) fn ticket_view(desk: &TicketDesk, ticket: &Ticket, origin: &str) -> Map<String, Value> {
    let mut view = ticket_row(desk, ticket);
    insert_description(ticket, &mut view);
    view.insert("attachments".into(), attachments(&ticket.attachments, origin));
    view
}

/// A note or a reply.
pub(super) fn entry_view(ticket: &Ticket, entry: &TicketEntry, origin: &str) -> Value {
    json!({
        "id": entry.id,
        "body": entry.body,
        "body_text": entry.body_text,
        "incoming": entry.incoming,
        "private": entry.private,
        "user_id": entry.user_id,
        "ticket_id": ticket.id,
        "support_email": null,
        "source": match entry.kind {
            EntryKind::Reply => 0,
            EntryKind::Note => 2,
        },
        "to_emails": entry.to_emails,
        "cc_emails": entry.cc_emails,
        "bcc_emails": entry.bcc_emails,
        "attachments": attachments(&entry.attachments, origin),
        "created_at": time(entry.created_ms),
        "updated_at": time(entry.created_ms),
    })
}

fn attachments(files: &[TicketAttachment], origin: &str) -> Value {
    let view = |file: &TicketAttachment| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let name: String = file.name.chars().map(plain).collect();
        json!({
            "id": file.id,
            "name": file.name,
            "content_type": file.content_type,
            "size": file.content.len(),
            "attachment_url": format!("{origin}/attachments/{}/{name}", file.id),
            "created_at": time(file.created_ms),
            "updated_at": time(file.created_ms),
        })
    };
    files.iter().map(view).collect()
}

/// A requester as Freshdesk lists them: a contact.
pub(super) fn contact_view(requester: &Requester) -> Value {
    let facts = &requester.facts;
    json!({
        "id": requester.id,
        "name": facts.name,
        "email": facts.email,
        "phone": facts.phone,
        "mobile": null,
        "twitter_id": facts.twitter_id,
        "unique_external_id": facts.unique_external_id,
        "active": false,
        "custom_fields": {},
    })
}

/// A requester as Freshservice lists them.
pub(super) fn requester_view(requester: &Requester) -> Value {
    let facts = &requester.facts;
    let name = facts.name.as_deref().unwrap_or_default();
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    json!({
        "id": requester.id,
        "first_name": first,
        "last_name": last,
        "primary_email": facts.email,
        "work_phone_number": facts.phone,
        "external_id": facts.unique_external_id,
        "active": true,
    })
}

/// The agent whom a key belongs to.
pub(super) fn agent_view(product: TicketProduct, agent: &TicketAgent) -> Value {
    match product {
        TicketProduct::Freshdesk => json!({
            "id": agent.id,
            "available": true,
            "occasional": false,
            "ticket_scope": 1,
            "type": "support_agent",
            "contact": { "active": true, "name": agent.name, "email": agent.email, "language": "en" },
        }),
        TicketProduct::Freshservice => {
            let (first, last) = agent.name.rsplit_once(' ').unwrap_or((&agent.name, ""));
            json!({ "id": agent.id, "first_name": first, "last_name": last, "email": agent.email, "active": true })
        }
    }
}

/// A group.
pub(super) fn group_view(group: &TicketGroup) -> Value {
    json!({ "id": group.id, "name": group.name, "description": null })
}

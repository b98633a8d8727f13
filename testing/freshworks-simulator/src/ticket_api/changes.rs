//! Reads a call's changes to a ticket: a pure function from fields to changes that collects all errors.

use serde_json::{Map, Value};

use super::fields::{Fields, type_name};
use super::refusal::FieldError;
use crate::config::Behaviour;
use crate::tickets::{
    Asking, NewFile, PRIORITIES, RequesterSpec, TYPES, TicketChanges, TicketDesk, TicketFieldKind, TicketProduct,
};

/// The longest tag; in readings of the reference.
const MAX_TAG: usize = 32;

/// Fields that are known, kept and shown, and otherwise without effect.
const NUMBERS: [&str; 4] = ["product_id", "company_id", "email_config_id", "parent_id"];
const TIMES: [&str; 2] = ["due_by", "fr_due_by"];

/// The content of a new ticket, except the requester.
pub(super) fn new_ticket(desk: &TicketDesk, behaviour: &Behaviour, fields: &mut Fields) -> TicketChanges {
    let description = fields.required_string("description");
    let status = mandatory(fields, "status", &codes(desk.product.statuses()), behaviour, 2);
    let subject = fields.required_string("subject");
    let priority = mandatory(fields, "priority", &codes(&PRIORITIES), behaviour, 1);
    let changes = ticket_changes(desk, behaviour, fields);
    require(behaviour, &changes, fields);
    check_line(behaviour, fields, "subject", subject.as_deref());
    TicketChanges { description, status, subject, priority, ..changes }
}

/// The changes to a ticket.
pub(super) fn ticket_changes(desk: &TicketDesk, behaviour: &Behaviour, fields: &mut Fields) -> TicketChanges {
    let subject = fields.string("subject");
    check_line(behaviour, fields, "subject", subject.as_deref());
    let mut other = Map::new();
    for name in NUMBERS {
        other.extend(fields.number(name).map(|number| (name.to_owned(), Value::from(number))));
    }
    for name in TIMES {
        other.extend(fields.string(name).map(|time| (name.to_owned(), Value::from(time))));
    }
    if TIMES.iter().filter(|name| other.contains_key(**name)).count() == 1 {
        let absent = TIMES.iter().find(|name| !other.contains_key(**name)).copied().unwrap_or_default();
        fields.wrong(FieldError::missing(absent, "DateTime"));
    }
    other.extend(fields.take("related_ticket_ids").map(|ids| ("related_ticket_ids".to_owned(), ids)));
    if desk.product == TicketProduct::Freshservice {
        for name in ["workspace_id", "department_id"] {
            other.extend(fields.number(name).map(|number| (name.to_owned(), Value::from(number))));
        }
        other.extend(fields.string("category").map(|name| ("category".to_owned(), Value::from(name))));
    }
    TicketChanges {
        subject,
        description: fields.string("description"),
        status: code(fields, "status", &codes(desk.product.statuses())),
        priority: code(fields, "priority", &codes(&PRIORITIES)),
        source: code(fields, "source", &codes(desk.product.sources())),
        kind: kind(fields),
        tags: tags(fields),
        cc_emails: fields.strings("cc_emails"),
        custom_fields: custom_fields(desk, behaviour, fields),
        group_id: known_id(fields, "group_id", "group", |id| desk.groups.iter().any(|group| group.id == id)),
        responder_id: known_id(fields, "responder_id", "agent", |id| desk.agents.iter().any(|agent| agent.id == id)),
        other,
        files: taken_files(behaviour, fields),
    }
}

/// Who asks, as the call names them.
pub(super) fn asking(desk: &TicketDesk, fields: &mut Fields) -> Asking {
    const NAMES: [&str; 6] = ["requester_id", "phone", "email", "twitter_id", "facebook_id", "unique_external_id"];
    if !NAMES.iter().any(|name| fields.has(name)) {
        let message = "Please fill at least 1 of requester_id, phone, email, twitter_id, facebook_id fields";
        fields.wrong(FieldError::new("requester_id", "missing_field", message));
    }
    let id = known_id(fields, "requester_id", "contact", |id| desk.requester(id).is_some());
    let facts = RequesterSpec {
        email: fields.email("email"),
        phone: fields.filled("phone"),
        unique_external_id: fields.filled("unique_external_id"),
        twitter_id: fields.filled("twitter_id"),
        facebook_id: fields.filled("facebook_id"),
        name: fields.filled("name"),
    };
    if let Some(id) = id {
        return Asking::Known(id);
    }
    // A phone number does not tell how to address a person.
    if facts.phone.is_some() && facts.email.is_none() && facts.name.is_none() {
        fields.wrong(FieldError::missing("name", "String"));
    }
    Asking::Described(facts)
}

fn taken_files(behaviour: &Behaviour, fields: &mut Fields) -> Vec<NewFile> {
    let files = std::mem::take(&mut fields.files);
    let is_refused = |file: &&NewFile| behaviour.refused_files.iter().any(|ending| file.name.ends_with(ending));
    for _ in files.iter().filter(is_refused) {
        fields.wrong(FieldError::new("attachments", "invalid_value", "This type of file is not allowed"));
    }
    files
}

fn codes(table: &[(u64, &str)]) -> Vec<u64> {
    table.iter().map(|(code, _)| *code).collect()
}

fn listed(known: &[u64]) -> String {
    known.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

fn code(fields: &mut Fields, name: &str, known: &[u64]) -> Option<u64> {
    let number = fields.number(name)?;
    if known.contains(&number) {
        return Some(number);
    }
    fields.wrong(FieldError::not_one_of(name, "invalid_value", &listed(known)));
    None
}

/// A code that must be there, unless the account has defaults.
fn mandatory(fields: &mut Fields, name: &str, known: &[u64], behaviour: &Behaviour, default: u64) -> Option<u64> {
    if fields.has(name) {
        return code(fields, name, known);
    }
    if behaviour.ticket_defaults {
        return Some(default);
    }
    fields.wrong(FieldError::not_one_of(name, "missing_field", &listed(known)));
    None
}

fn kind(fields: &mut Fields) -> Option<String> {
    let kind = fields.string("type")?;
    if TYPES.contains(&kind.as_str()) {
        return Some(kind);
    }
    fields.wrong(FieldError::not_one_of("type", "invalid_value", &TYPES.join(",")));
    None
}

fn tags(fields: &mut Fields) -> Option<Vec<String>> {
    let tags = fields.strings("tags")?;
    if tags.iter().any(|tag| tag.chars().count() > MAX_TAG) {
        let message = format!("It should only contain elements that have maximum of {MAX_TAG} characters");
        fields.wrong(FieldError::new("tags", "invalid_value", message));
    }
    Some(tags)
}

/// Custom fields have types; in a form all values are texts.
fn custom_fields(desk: &TicketDesk, behaviour: &Behaviour, fields: &mut Fields) -> Map<String, Value> {
    let mut given = fields.object("custom_fields");
    for (name, value) in &mut given {
        let path = format!("custom_fields.{name}");
        let Some(field) = desk.custom_fields.iter().find(|field| field.name == *name) else {
            fields.wrong(FieldError::unknown(path));
            continue;
        };
        if let (true, Value::String(text)) = (fields.is_form(), &*value) {
            *value = field.kind.of_form(text);
        }
        match (&field.kind, &*value) {
            (_, Value::Null) => {}
            (kind, value) if !kind.takes(value) => {
                fields.wrong(FieldError::wrong_type(path, type_name(value), kind.expected()));
            }
            (TicketFieldKind::Text, Value::String(text)) => check_line(behaviour, fields, &path, Some(text)),
            (TicketFieldKind::Dropdown(choices), Value::String(text)) if !choices.contains(text) => {
                fields.wrong(FieldError::not_one_of(&path, "invalid_value", &choices.join(",")));
            }
            _ => {}
        }
    }
    given
}

fn check_line(behaviour: &Behaviour, fields: &mut Fields, name: &str, text: Option<&str>) {
    let length = text.map_or(0, |text| text.chars().count());
    if let Some(most) = behaviour.max_ticket_line_chars.filter(|most| length > *most) {
        let message = format!("Has {length} characters, it can have maximum of {most} characters");
        fields.wrong(FieldError::new(name, "invalid_value", message));
    }
}

fn known_id(fields: &mut Fields, name: &str, kind: &str, known: impl Fn(u64) -> bool) -> Option<u64> {
    let id = fields.number(name)?;
    if !known(id) {
        fields.wrong(FieldError::no_match(name, kind));
    }
    Some(id)
}

/// Fields that the account made mandatory.
fn require(behaviour: &Behaviour, changes: &TicketChanges, fields: &mut Fields) {
    for name in &behaviour.ticket_required {
        let (there, error) = match name.as_str() {
            "type" => (changes.kind.is_some(), FieldError::not_one_of("type", "missing_field", &TYPES.join(","))),
            "source" => (changes.source.is_some(), FieldError::missing("source", "Integer")),
            "tags" => (changes.tags.is_some(), FieldError::missing("tags", "Array")),
            "group_id" => (changes.group_id.is_some(), FieldError::missing("group_id", "Positive Integer")),
            "responder_id" => (changes.responder_id.is_some(), FieldError::missing("responder_id", "Positive Integer")),
            "product_id" | "company_id" | "department_id" | "workspace_id" => {
                (changes.other.contains_key(name), FieldError::missing(name, "Positive Integer"))
            }
            "category" => (changes.other.contains_key(name), FieldError::missing(name, "String")),
            custom => {
                let value = changes.custom_fields.get(custom);
                let there = value.is_some_and(|value| !value.is_null() && value != "");
                (there, FieldError::missing(format!("custom_fields.{custom}"), "String"))
            }
        };
        if !there {
            fields.wrong(error);
        }
    }
}

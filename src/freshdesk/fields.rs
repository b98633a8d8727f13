//! Fields of tickets: how a value is written for the type that the desk gave the field, and which fields are the desk's own.
//!
//! Pure. Values come as text, from the settings and from a handoff's context. The desk refuses a ticket whose number is a text
//! (`datatype_mismatch`), so a value that does not fit its field is left out before anything is sent.

use serde_json::{Value, json};

use crate::freshchat::wire;
use crate::http::client::Page;
use crate::http::json;

/// Dropdowns with more choices are not kept in the settings: their values go out as they are.
const MAX_CHOICES: usize = 300;
/// What a whole number may have at most, so that it is read as one everywhere.
const MAX_DIGITS: usize = 18;

/// How the values of a field are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// As they are.
    Text,
    /// A whole number.
    Number,
    /// A number, with a fraction or without.
    Decimal,
    /// True or false.
    Checkbox,
    /// A day, `2026-11-27`.
    Date,
    /// One of these, letter by letter.
    Choice(Vec<String>),
}

impl FieldKind {
    /// As it stands in the settings.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text => json!("text"),
            Self::Number => json!("number"),
            Self::Decimal => json!("decimal"),
            Self::Checkbox => json!("checkbox"),
            Self::Date => json!("date"),
            Self::Choice(choices) => json!(choices),
        }
    }

    /// Reads what [`Self::to_json`] wrote; anything else counts as text.
    pub fn from_json(value: &Value) -> Self {
        match value {
            Value::Array(choices) => Self::Choice(choices.iter().filter_map(choice).collect()),
            other => match other.as_str().unwrap_or_default() {
                "number" => Self::Number,
                "decimal" => Self::Decimal,
                "checkbox" => Self::Checkbox,
                "date" => Self::Date,
                _ => Self::Text,
            },
        }
    }

    /// What the admin should write, for findings.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Decimal => "a number",
            Self::Checkbox => "true or false",
            Self::Date => "a date such as 2026-11-27",
            Self::Choice(_) => "one of the field's choices",
        }
    }

    /// The text as a value of this kind; none when it is none.
    pub fn value(&self, text: &str) -> Option<FieldValue> {
        let text = text.trim();
        match self {
            Self::Text => Some(FieldValue::Text(text.to_owned())),
            Self::Number => is_number(text, false).then(|| FieldValue::Number(text.to_owned())),
            Self::Decimal => is_number(text, true).then(|| FieldValue::Number(text.to_owned())),
            Self::Checkbox => {
                let is = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
                let is_true = is(["true", "yes", "on", "1"]);
                (is_true || is(["false", "no", "off", "0"])).then_some(FieldValue::Flag(is_true))
            }
            Self::Date => {
                let (day, rest) = text.split_at_checked(10)?;
                let is_day = day.bytes().zip(0..).all(|(byte, place)| match place {
                    4 | 7 => byte == b'-',
                    _ => byte.is_ascii_digit(),
                });
                let ends = rest.bytes().next().is_none_or(|byte| byte == b'T' || byte == b' ');
                (is_day && ends).then(|| FieldValue::Text(day.to_owned()))
            }
            Self::Choice(choices) => {
                let exact = choices.iter().find(|choice| *choice == text);
                let found = exact.or_else(|| choices.iter().find(|choice| choice.trim().eq_ignore_ascii_case(text)));
                found.map(|choice| FieldValue::Text(choice.clone()))
            }
        }
    }
}

fn is_number(text: &str, may_have_fraction: bool) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_fraction = digits.contains('.');
    let is_short = whole.len() + fraction.len() <= MAX_DIGITS && (whole.len() == 1 || !whole.starts_with('0'));
    is_plain(whole) && is_plain(fraction) && is_short && (may_have_fraction || !has_fraction)
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// In quotation marks.
    Text(String),
    /// Digits, as JSON has them.
    Number(String),
    /// True or false.
    Flag(bool),
}

impl FieldValue {
    /// For a body of JSON.
    pub fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(digits) => json::read(digits.as_bytes(), &[]).unwrap_or(Value::Null),
            Self::Flag(flag) => json!(flag),
        }
    }

    /// For a form, in which everything is text.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
        }
    }
}

/// Fields that every desk of a product has and that handoffs do not fill by themselves, with how their values are written
/// where the desk's own list does not say. By the names that tickets use (Freshdesk API v2; for Freshservice the vendor's
/// freshworks-api-sdk).
const STANDARD_TEXTS: [&str; 4] = ["type", "category", "sub_category", "item_category"];
const STANDARD_NUMBERS: [&str; 8] = [
    "department_id",
    "workspace_id",
    "product_id",
    "company_id",
    "email_config_id",
    "responder_id",
    "impact",
    "urgency",
];

/// True for a field that every desk has; false for a custom one.
pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD_TEXTS.contains(&name) || STANDARD_NUMBERS.contains(&name)
}

/// How the values of a field are written of which the name alone is known.
pub(crate) fn kind_of(name: &str) -> FieldKind {
    if STANDARD_NUMBERS.contains(&name) { FieldKind::Number } else { FieldKind::Text }
}

/// A field of the desk's tickets, from its own list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TicketField {
    /// As tickets name it.
    pub name: String,
    /// How its values are written.
    pub kind: FieldKind,
    /// Whoever files a ticket as an agent must fill it.
    pub is_mandatory: bool,
}

impl TicketField {
    fn read(field: &Value) -> Option<Self> {
        let listed = wire::filled(field, "name")?;
        // The list calls some fields otherwise than tickets do.
        let name = match listed.as_str() {
            "ticket_type" => "type",
            "group" => "group_id",
            "agent" => "responder_id",
            "product" => "product_id",
            "company" => "company_id",
            "department" => "department_id",
            "workspace" => "workspace_id",
            other => other,
        };
        let flag = |key: &str| field.get(key).and_then(Value::as_bool);
        // `required_for_agents` in Freshdesk's list; that Freshservice may say `required` is a belief.
        let is_mandatory = flag("required_for_agents").or_else(|| flag("required")).unwrap_or(false);
        let listed_kind = wire::filled(field, "type").or_else(|| wire::filled(field, "field_type"));
        let kind = match listed_kind.as_deref().unwrap_or_default() {
            "custom_number" => FieldKind::Number,
            "custom_decimal" => FieldKind::Decimal,
            "custom_checkbox" => FieldKind::Checkbox,
            "custom_date" => FieldKind::Date,
            "custom_dropdown" | "default_ticket_type" => choices(field.get("choices")),
            _ => kind_of(name),
        };
        Some(Self { name: name.to_owned(), kind, is_mandatory })
    }

    /// The whole list, of either product.
    pub(crate) fn list(body: &Value) -> Option<Page<Self>> {
        let fields = body.get("ticket_fields").unwrap_or(body).as_array()?;
        let items = fields.iter().filter_map(Self::read).collect();
        Some(Page { items, total_pages: None, has_next: false })
    }
}

fn choices(choices: Option<&Value>) -> FieldKind {
    let listed: Vec<String> = match choices {
        Some(Value::Array(choices)) => choices.iter().filter_map(choice).collect(),
        Some(Value::Object(choices)) => choices.keys().cloned().collect(),
        _ => Vec::new(),
    };
    // Without choices any value is as good as another.
    if listed.is_empty() || listed.len() > MAX_CHOICES { FieldKind::Text } else { FieldKind::Choice(listed) }
}

/// A text in Freshdesk, an object with it in Freshservice.
fn choice(choice: &Value) -> Option<String> {
    choice.as_str().map(str::to_owned).or_else(|| wire::filled(choice, "value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_its_field_wants_it_or_not_at_all() {
        let choice = FieldKind::Choice(vec!["Gold".into(), "Silver ".into()]);
        for (kind, text, expected) in [
            (FieldKind::Text, " 007 ", Some(json!("007"))),
            (FieldKind::Number, "4711", Some(json!(4711))),
            (FieldKind::Number, "-5", Some(json!(-5))),
            (FieldKind::Number, "4711.5", None),
            (FieldKind::Number, "007", None),
            (FieldKind::Number, "1e3", None),
            (FieldKind::Number, "", None),
            (FieldKind::Number, "1234567890123456789", None),
            (FieldKind::Decimal, "12.50", Some(json!(12.5))),
            (FieldKind::Decimal, "12", Some(json!(12))),
            (FieldKind::Decimal, "12,50", None),
            (FieldKind::Decimal, ".5", None),
            (FieldKind::Checkbox, "Yes", Some(json!(true))),
            (FieldKind::Checkbox, "0", Some(json!(false))),
            (FieldKind::Checkbox, "maybe", None),
            (FieldKind::Date, "2026-11-27", Some(json!("2026-11-27"))),
            (FieldKind::Date, "2026-11-27T10:00:00Z", Some(json!("2026-11-27"))),
            (FieldKind::Date, "27.11.2026", None),
            (FieldKind::Date, "2026-11-271", None),
            (choice.clone(), "gold", Some(json!("Gold"))),
            (choice.clone(), "silver", Some(json!("Silver "))),
            (choice, "Bronze", None),
        ] {
            assert_eq!(kind.value(text).map(|value| value.json()), expected, "{kind:?} {text}");
        }
    }

    #[test]
    fn the_lists_of_both_products_are_read() {
        let desk = json!([
            { "name": "ticket_type", "type": "default_ticket_type", "required_for_agents": true, "choices": ["Question"] },
            { "name": "cf_plan", "type": "custom_dropdown", "required_for_agents": false, "choices": ["Gold"] },
            { "name": "cf_count", "type": "custom_number" },
            { "type": "custom_text" },
        ]);
        let service = json!({ "ticket_fields": [
            { "name": "department", "field_type": "default_department", "required": true, "choices": [] },
            { "name": "plan", "field_type": "custom_dropdown", "choices": [{ "id": 1, "value": "Gold" }] },
        ] });
        let read = |body: &Value| {
            let fields = TicketField::list(body).unwrap().items;
            fields.into_iter().map(|field| (field.name, field.kind, field.is_mandatory)).collect::<Vec<_>>()
        };
        let gold = || FieldKind::Choice(vec!["Gold".into()]);
        assert_eq!(
            read(&desk),
            [
                ("type".to_owned(), FieldKind::Choice(vec!["Question".into()]), true),
                ("cf_plan".to_owned(), gold(), false),
                ("cf_count".to_owned(), FieldKind::Number, false),
            ]
        );
        assert_eq!(
            read(&service),
            [("department_id".to_owned(), FieldKind::Number, true), ("plan".to_owned(), gold(), false)]
        );
    }

    #[test]
    fn kinds_survive_being_stored() {
        for kind in [
            FieldKind::Text,
            FieldKind::Number,
            FieldKind::Decimal,
            FieldKind::Checkbox,
            FieldKind::Date,
            FieldKind::Choice(vec!["Gold".into()]),
        ] {
            assert_eq!(FieldKind::from_json(&kind.to_json()), kind);
        }
    }
}

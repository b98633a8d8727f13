//! Custom fields of tickets, and their valid values.

use serde_json::{Value, json};

/// A custom field of tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketField {
    /// The name in tickets; `cf_..` in Freshdesk.
    pub name: String,
    /// What its values are.
    pub kind: TicketFieldKind,
}

impl TicketField {
    /// A field of that kind.
    pub fn new(name: &str, kind: TicketFieldKind) -> Self {
        Self { name: name.to_owned(), kind }
    }
}

impl From<&str> for TicketField {
    fn from(name: &str) -> Self {
        Self::new(name, TicketFieldKind::Text)
    }
}

/// What the values of a custom field are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketFieldKind {
    /// A text of one line.
    Text,
    /// A whole number.
    Number,
    /// A number with a fraction.
    Decimal,
    /// True or false.
    Checkbox,
    /// A day: `2026-11-27`.
    Date,
    /// One of these.
    Dropdown(Vec<String>),
}

impl TicketFieldKind {
    /// The `type` in the list of fields.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Text => "custom_text",
            Self::Number => "custom_number",
            Self::Decimal => "custom_decimal",
            Self::Checkbox => "custom_checkbox",
            Self::Date => "custom_date",
            Self::Dropdown(_) => "custom_dropdown",
        }
    }

    /// What the service calls the type of a value in its errors.
    pub(crate) fn expected(&self) -> &'static str {
        match self {
            Self::Text | Self::Dropdown(_) => "String",
            Self::Number => "Integer",
            Self::Decimal => "Float",
            Self::Checkbox => "Boolean",
            Self::Date => "Date",
        }
    }

    /// A form's text value as typed JSON. Anything else stays a text.
    pub(crate) fn of_form(&self, text: &str) -> Value {
        match self {
            Self::Number => text.parse::<i64>().map_or(json!(text), Value::from),
            Self::Decimal => text.parse::<f64>().map_or(json!(text), Value::from),
            Self::Checkbox => text.parse::<bool>().map_or(json!(text), Value::from),
            Self::Text | Self::Date | Self::Dropdown(_) => json!(text),
        }
    }

    /// Whether the value has the type.
    pub(crate) fn takes(&self, value: &Value) -> bool {
        match self {
            Self::Text | Self::Dropdown(_) => value.is_string(),
            Self::Number => value.is_i64() || value.is_u64(),
            Self::Decimal => value.is_number(),
            Self::Checkbox => value.is_boolean(),
            Self::Date => value.as_str().is_some_and(|text| {
                let pieces: Vec<&str> = text.split('-').collect();
                text.len() == 10 && pieces.len() == 3 && pieces.iter().all(|piece| piece.parse::<u32>().is_ok())
            }),
        }
    }
}

//! The fields of a call, read one by one; errors are collected and reported together.

use serde_json::{Map, Value};

use super::refusal::{FieldError, TicketRefusal};
use crate::tickets::NewFile;

/// How the fields came. In a form all values are texts, and numbers and truths are read from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Json,
    Form,
}

/// The unread fields, and the errors of the others.
#[derive(Debug)]
pub(super) struct Fields {
    values: Map<String, Value>,
    pub(super) files: Vec<NewFile>,
    origin: Origin,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(super) fn new(values: Map<String, Value>, files: Vec<NewFile>, origin: Origin) -> Self {
        Self { values, files, origin, errors: Vec::new() }
    }

    /// All values came as texts.
    pub(super) fn is_form(&self) -> bool {
        self.origin == Origin::Form
    }

    pub(super) fn wrong(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    /// Whether a field is there and says something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null() && value != "")
    }

    /// Takes a field unchanged.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    /// Takes a field; null is the same as no field.
    fn given(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    fn mistaken<T>(&mut self, name: &str, value: &Value, expected: &str) -> Option<T> {
        self.wrong(FieldError::wrong_type(name, type_name(value), expected));
        None
    }

    pub(super) fn string(&mut self, name: &str) -> Option<String> {
        match self.given(name)? {
            Value::String(text) => Some(text),
            other => self.mistaken(name, &other, "String"),
        }
    }

    /// A text that says something: absent and empty are the same.
    pub(super) fn filled(&mut self, name: &str) -> Option<String> {
        self.string(name).filter(|text| !text.is_empty())
    }

    /// A text that must be there and say something.
    pub(super) fn required_string(&mut self, name: &str) -> Option<String> {
        match self.values.remove(name) {
            None => self.wrong(FieldError::missing(name, "String")),
            Some(Value::String(text)) if text.trim().is_empty() => {
                let message = "It should not be blank as this is a mandatory field";
                self.wrong(FieldError::new(name, "invalid_value", message));
            }
            Some(Value::String(text)) => return Some(text),
            Some(other) => return self.mistaken(name, &other, "String"),
        }
        None
    }

    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        let value = self.given(name)?;
        let read = match &value {
            Value::String(text) if self.origin == Origin::Form => text.parse().ok(),
            other => other.as_u64(),
        };
        if read.is_some() { read } else { self.mistaken(name, &value, "Positive Integer") }
    }

    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        let value = self.given(name)?;
        let read = match &value {
            Value::String(text) if self.origin == Origin::Form => text.parse().ok(),
            other => other.as_bool(),
        };
        if read.is_some() { read } else { self.mistaken(name, &value, "Boolean") }
    }

    /// A list of texts.
    pub(super) fn strings(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.given(name)?;
        let Value::Array(items) = value else { return self.mistaken(name, &value, "Array") };
        let texts: Option<Vec<String>> = items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect();
        if texts.is_none() {
            let message = "It should contain elements of type String only";
            self.wrong(FieldError::new(name, "datatype_mismatch", message));
        }
        texts
    }

    /// An object, empty when absent.
    pub(super) fn object(&mut self, name: &str) -> Map<String, Value> {
        match self.given(name) {
            None => Map::new(),
            Some(Value::Object(fields)) => fields,
            Some(other) => self.mistaken(name, &other, "key/value pair").unwrap_or_default(),
        }
    }

    /// An e-mail address.
    pub(super) fn email(&mut self, name: &str) -> Option<String> {
        let text = self.string(name)?;
        let good = text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
        if !good || text.contains(char::is_whitespace) {
            let message = "It should be in the 'valid email address' format";
            self.wrong(FieldError::new(name, "invalid_value", message));
            return None;
        }
        Some(text)
    }

    /// Refuses the call if a field was invalid, or if an unknown one is left.
    pub(super) fn end(&mut self) -> Result<(), TicketRefusal> {
        let left = std::mem::take(&mut self.values);
        self.errors.extend(left.into_iter().map(|(name, _)| FieldError::unknown(name)));
        if self.errors.is_empty() { Ok(()) } else { Err(TicketRefusal::Invalid(400, std::mem::take(&mut self.errors))) }
    }
}

/// The service's name for the type of a value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Float",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "key/value pair",
    }
}

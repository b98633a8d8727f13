//! Reading requests: as lenient (unknown fields, null) and as strict as Freshchat.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// A JSON object. Nulls count as absent: one shipped client sends every field it knows, empty ones as null.
#[derive(Debug)]
pub(super) struct Input(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Refusal::invalid("BODY_NOT_READABLE"))?;
        let value = serde_json::from_slice(&bytes).map_err(|_| Refusal::invalid("BODY_NOT_JSON"))?;
        Self::from_value(value)
    }
}

impl Input {
    pub(super) fn from_value(value: Value) -> Result<Self, Refusal> {
        match value {
            Value::Object(fields) => Ok(Self(fields.into_iter().filter(|(_, value)| !value.is_null()).collect())),
            _ => Err(Refusal::invalid("OBJECT_EXPECTED")),
        }
    }

    /// A string, absent or not.
    pub(super) fn string(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(name)),
        }
    }

    /// A string that says something: absent and empty are the same.
    pub(super) fn filled(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.string(name)?.filter(|text| !text.is_empty()))
    }

    /// An array, empty when absent.
    pub(super) fn array(&self, name: &str) -> Result<Vec<Value>, Refusal> {
        match self.0.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.clone()),
            Some(_) => Err(wrong(name)),
        }
    }

    /// An object, empty when absent.
    pub(super) fn object(&self, name: &str) -> Result<Input, Refusal> {
        match self.0.get(name) {
            None => Ok(Self(Map::new())),
            Some(value) => Self::from_value(value.clone()).map_err(|_| wrong(name)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn into_fields(self) -> Map<String, Value> {
        self.0
    }
}

fn wrong(name: &str) -> Refusal {
    Refusal::invalid(format!("INVALID_{}", name.to_uppercase()))
}

//! The error responses of the ticket service.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The error of one field. The codes are published; the messages are from or modelled on integrators' logs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct FieldError {
    pub(super) field: String,
    pub(super) message: String,
    pub(super) code: &'static str,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), code }
    }

    pub(super) fn unknown(field: impl Into<String>) -> Self {
        Self::new(field, "invalid_field", "Unexpected/invalid field in request")
    }

    pub(super) fn missing(field: impl Into<String>, expected: &str) -> Self {
        Self::new(field, "missing_field", format!("It should be a/an {expected}"))
    }

    pub(super) fn wrong_type(field: impl Into<String>, given: &str, expected: &str) -> Self {
        let message = format!("Value set is of type {given}.It should be a/an {expected}");
        Self::new(field, "datatype_mismatch", message)
    }

    pub(super) fn not_one_of(field: impl Into<String>, code: &'static str, values: &str) -> Self {
        Self::new(field, code, format!("It should be one of these values: '{values}'"))
    }

    pub(super) fn no_match(field: &str, kind: &str) -> Self {
        Self::new(field, "invalid_value", format!("There is no {kind} matching the given {field}"))
    }
}

/// Why the ticket service refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TicketRefusal {
    /// 400, or 413 if requested: these fields are invalid.
    Invalid(u16, Vec<FieldError>),
    /// The status, with a code and a message.
    Coded(u16, &'static str, &'static str),
    /// 404, with nothing in it.
    NotFound,
}

impl From<FieldError> for TicketRefusal {
    fn from(error: FieldError) -> Self {
        Self::Invalid(400, vec![error])
    }
}

impl IntoResponse for TicketRefusal {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::Invalid(status, errors) => (status, json!({ "description": "Validation failed", "errors": errors })),
            Self::Coded(status, code, message) => (status, json!({ "code": code, "message": message })),
            Self::NotFound => return StatusCode::NOT_FOUND.into_response(),
        };
        (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
    }
}

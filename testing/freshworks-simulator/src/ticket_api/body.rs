//! The body of a call: JSON, or a form with files. Both become the same fields.

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use serde_json::{Map, Value};

use super::fields::{Fields, Origin};
use super::refusal::{FieldError, TicketRefusal};
use crate::tickets::NewFile;

const NOT_A_FILE: &str = "It should contain elements of type valid file format only";

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = TicketRefusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, TicketRefusal> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/json" => json_fields(request, state).await,
            "multipart/form-data" => form_fields(request).await,
            // The status is published, the words are not.
            _ => Err(TicketRefusal::Coded(415, "unsupported_content_type", "Content-Type should be application/json")),
        }
    }
}

async fn json_fields<S: Send + Sync>(request: Request, state: &S) -> Result<Fields, TicketRefusal> {
    let broken = || TicketRefusal::Coded(400, "invalid_json", "Request body has invalid json format");
    let bytes = Bytes::from_request(request, state).await.map_err(|_| broken())?;
    let Ok(Value::Object(values)) = serde_json::from_slice(&bytes) else { return Err(broken()) };
    let mut fields = Fields::new(values, Vec::new(), Origin::Json);
    // Files come in forms only.
    if fields.take("attachments").is_some() {
        fields.wrong(FieldError::new("attachments", "datatype_mismatch", NOT_A_FILE));
    }
    Ok(fields)
}

async fn form_fields(request: Request) -> Result<Fields, TicketRefusal> {
    let broken = || TicketRefusal::Coded(400, "invalid_multipart", "Request body is not a form");
    let mut form = request.extract::<Multipart, _>().await.map_err(|_| broken())?;
    let (mut values, mut files, mut errors) = (Map::new(), Vec::new(), Vec::new());
    while let Some(part) = form.next_field().await.map_err(|_| broken())? {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        let (file_name, content_type) = (part.file_name().map(str::to_owned), part.content_type().map(str::to_owned));
        let content = part.bytes().await.map_err(|_| broken())?;
        if name == "attachments[]" {
            match (file_name.filter(|name| !name.is_empty()), content_type) {
                (Some(name), Some(content_type)) => {
                    files.push(NewFile { name, content_type, content: content.to_vec() });
                }
                // Integrators have met this with parts that lack either.
                _ => errors.push(FieldError::new("attachments", "datatype_mismatch", NOT_A_FILE)),
            }
            continue;
        }
        if file_name.is_some() {
            // A part with a file name, even an empty one, is not a field: integrators found all their fields missing.
            continue;
        }
        let text = String::from_utf8_lossy(&content).into_owned();
        if !insert(&mut values, &name, text) {
            // Integrators met this when custom fields were one text instead of separate parts.
            let message = "We're sorry, but something went wrong.";
            return Err(TicketRefusal::Coded(500, "internal_error", message));
        }
    }
    let mut fields = Fields::new(values, files, Origin::Form);
    errors.into_iter().for_each(|error| fields.wrong(error));
    Ok(fields)
}

/// Adds a part to the fields: `tags[]` is an item of a list, `custom_fields[cf_x]` a field of an object. False if a name
/// is used in two ways, or an object is one text.
fn insert(values: &mut Map<String, Value>, name: &str, text: String) -> bool {
    let Some((outer, inner)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) else {
        values.insert(name.to_owned(), Value::String(text));
        return name != "custom_fields";
    };
    let empty = if inner.is_empty() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    match values.entry(outer).or_insert(empty) {
        Value::Array(items) if inner.is_empty() => items.push(Value::String(text)),
        Value::Object(fields) if !inner.is_empty() => {
            fields.insert(inner.to_owned(), Value::String(text));
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_become_lists_and_objects() {
        let mut values = Map::new();
        let parts = [("subject", "s"), ("tags[]", "a"), ("tags[]", "b"), ("custom_fields[cf_x]", "1")];
        assert!(parts.iter().all(|(name, text)| insert(&mut values, name, (*text).to_owned())));
        assert_eq!(
            Value::Object(values),
            json!({ "subject": "s", "tags": ["a", "b"], "custom_fields": { "cf_x": "1" } })
        );
    }

    #[test]
    fn an_object_that_is_one_text_is_refused() {
        assert!(!insert(&mut Map::new(), "custom_fields", "{}".into()));
        let mut values = Map::new();
        assert!(insert(&mut values, "tags[]", "a".into()));
        assert!(!insert(&mut values, "tags[b]", "c".into()));
    }
}

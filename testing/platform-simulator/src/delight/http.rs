//! The platform's HTTP: reads calls, applies faults, and serves files.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{Inner, act, api, delivery};
use crate::faults::{Effect, How, pick};
use crate::lock;
use crate::server::Cut;

/// Maximum body size, a file with its form: far above what tests send.
const MAX_BYTES: usize = 32 << 20;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    // The limit is ours.
    Router::new().fallback(handle).layer(DefaultBodyLimit::disable()).with_state(inner)
}

async fn handle(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let method = head.method.as_str().to_owned();
    let token = head.headers.get("api-token").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if let Some(id) = path.strip_prefix("/files/") {
        if inner.config.private_files && token != inner.config.api_token {
            return plain(403, "text/plain", Vec::new());
        }
        return match lock(&inner.store).files.get(&api::decode(id)) {
            Some((media_type, bytes)) => plain(200, media_type, bytes.clone()),
            None => plain(404, "text/plain", Vec::new()),
        };
    }
    lock(&inner.store).journal.push(format!("{method} {path}"));
    let fault = pick(&mut lock(&inner.faults), &method, &path);
    if let Some((how, Effect::Before)) = &fault
        && let Some(response) = wrong(how).await
    {
        return response;
    }
    let answer = if token == inner.config.api_token {
        let query = head.uri.query().unwrap_or_default().to_owned();
        match read(Request::from_parts(head, body)).await {
            Some((fields, file)) => {
                let request = api::Request { method: &method, path: &path, query: &query, fields, file };
                act(&inner, |store| match api::answer(&inner.config, store, request) {
                    Ok((value, events)) => (Ok(value), events),
                    Err(refusal) => (Err(refusal), Vec::new()),
                })
            }
            None => Err(api::INVALID),
        }
    } else {
        Err(api::NO_TOKEN)
    };
    let response = match answer {
        Ok(value) => plain(200, "application/json", delivery::written(inner.config.loose_json, &value)),
        Err(refusal) => refused(&refusal),
    };
    match fault {
        Some((how, Effect::After)) => wrong(&how).await.unwrap_or(response),
        _ => response,
    }
}

/// Fields and file of a call: of JSON, or of a form. None when it cannot be read.
async fn read(request: Request) -> Option<(Value, Option<api::Upload>)> {
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (is_form, is_json) =
        (content_type.starts_with("multipart/form-data"), content_type.starts_with("application/json"));
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BYTES).await.ok()?;
    if is_form {
        return read_form(Request::from_parts(head, Body::from(bytes))).await;
    }
    if bytes.is_empty() || !is_json {
        return Some((json!({}), None));
    }
    serde_json::from_slice(&bytes).ok().map(|fields| (fields, None))
}

async fn read_form(request: Request) -> Option<(Value, Option<api::Upload>)> {
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let (mut fields, mut file) = (Map::new(), None);
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        let media_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
        if let Some(file_name) = field.file_name().map(str::to_owned) {
            let bytes: Bytes = field.bytes().await.ok()?;
            if name == "file" {
                file = Some(api::Upload { name: file_name, media_type, bytes });
            }
        } else {
            fields.insert(name, json!(field.text().await.ok()?));
        }
    }
    Some((Value::Object(fields), file))
}

/// The response of a failing call; none if it is only late.
async fn wrong(how: &How) -> Option<Response> {
    match how {
        How::Status(status) => {
            Some(refused(&api::Refusal { status: *status, code: 500_901, message: "simulated fault" }))
        }
        How::Cut => {
            let mut response = plain(500, "text/plain", Vec::new());
            response.extensions_mut().insert(Cut);
            Some(response)
        }
        How::Delay(time) => {
            tokio::time::sleep(*time).await;
            None
        }
    }
}

fn refused(refusal: &api::Refusal) -> Response {
    let body = json!({ "error": true, "code": refusal.code, "message": refusal.message });
    plain(refusal.status, "application/json", body.to_string().into_bytes())
}

fn plain(status: u16, media_type: &str, body: Vec<u8>) -> Response {
    let response = Response::builder().status(status).header("content-type", media_type);
    response.body(Body::from(body)).unwrap_or_default()
}

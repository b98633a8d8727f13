//! Images and files: up through the API, down from the simulator.

use axum::body::Bytes;
use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{App, created};
use crate::lock;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::Upload;

/// The published limit of files.
const MAX_FILE: usize = 25 << 20;

/// `POST /v2/images/upload`: the response has a URL for image parts. The part is `image`; one text says `file`.
pub(super) async fn image(State(app): State<App>, form: Multipart) -> Result<Response, Refusal> {
    let upload = upload_of(form, &["image", "file"], "IMAGE_EMPTY_CONTENT").await?;
    if !upload.content_type.starts_with("image/") {
        return Err(Refusal::invalid("INVALID_IMAGE_TYPE"));
    }
    let (name, content_type) = (upload.name.clone(), upload.content_type.clone());
    let url = keep(&app, upload).1;
    let id = lock(&app.store).ids.uuid();
    let thumbnail = json!({ "url": url, "content_type": content_type });
    let answer = json!({ "id": id, "name": name, "url": url, "content_type": content_type, "thumbnail": thumbnail });
    Ok(created(&app, answer))
}

/// `POST /v2/files/upload`: the response has a hash for file parts, and no URL.
pub(super) async fn file(State(app): State<App>, form: Multipart) -> Result<Response, Refusal> {
    let upload = upload_of(form, &["file"], "FILE_EMPTY_CONTENT").await?;
    let mut answer: Value = json!({
        "file_name": upload.name,
        "file_size": upload.content.len(),
        "file_content_type": upload.content_type,
        "file_extension_type": upload.name.rsplit_once('.').map_or("", |(_, extension)| extension),
        "file_security_status": "SAFE",
    });
    answer["file_hash"] = json!(keep(&app, upload).0);
    Ok(created(&app, answer))
}

async fn upload_of(mut form: Multipart, names: &[&str], empty: &str) -> Result<Upload, Refusal> {
    while let Some(field) = form.next_field().await.map_err(|_| Refusal::unreadable_form())? {
        if field.name().is_some_and(|name| names.contains(&name)) {
            return upload_in(field, empty).await;
        }
    }
    Err(Refusal::invalid(format!("{}_PART_MISSING", names[0].to_uppercase())))
}

/// The upload in one part of a form; `empty` is the refusal if it has no content.
pub(crate) async fn upload_in(field: Field<'_>, empty: &str) -> Result<Upload, Refusal> {
    let name = field.file_name().filter(|name| !name.is_empty()).unwrap_or("upload").to_owned();
    let content_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
    let content: Bytes = field.bytes().await.map_err(|_| Refusal::unreadable_form())?;
    if content.is_empty() {
        return Err(Refusal::invalid(empty));
    }
    if content.len() > MAX_FILE {
        return Err(Refusal::invalid("FILE_TOO_LARGE"));
    }
    Ok(Upload { hash: String::new(), name, content_type, content: content.to_vec() })
}

/// Stores an upload; returns its hash and URL.
fn keep(app: &crate::Inner, mut upload: Upload) -> (String, String) {
    let mut store = lock(&app.store);
    upload.hash = store.ids.file_hash();
    let (hash, url) = (upload.hash.clone(), store.upload_url(&upload));
    store.uploads.insert(hash.clone(), upload);
    (hash, url)
}

/// Stores an upload; returns the message part that shows it.
pub(crate) fn kept_part(app: &crate::Inner, upload: Upload) -> Value {
    let is_image = upload.content_type.starts_with("image/");
    let (kind, mut value) = if is_image { ("image", json!({})) } else { ("file", file_view(&upload, "")) };
    value["url"] = json!(keep(app, upload).1);
    json!({ kind: value })
}

/// A file part as callers read it.
pub(super) fn file_view(upload: &Upload, url: &str) -> Value {
    json!({
        "name": upload.name,
        "url": url,
        "file_size_in_bytes": upload.content.len(),
        "content_type": upload.content_type,
    })
}

/// `GET /uploads/{hash}/{name}`: not part of the API; links in messages lead here.
pub(crate) async fn download(
    State(app): State<App>,
    Path((hash, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if app.behaviour().private_uploads && !Service::Chat.authorizes(&app, &headers) {
        return Err(Refusal::new(401, "UNAUTHORIZED", "the API key is missing or wrong"));
    }
    let store = lock(&app.store);
    let upload = store.uploads.get(&hash).ok_or_else(|| Refusal::not_found("file"))?;
    let headers = [
        (header::CONTENT_TYPE, upload.content_type.clone()),
        // Uploads are untrusted; a browser must not run them beside the inbox page.
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, upload.content.clone()).into_response())
}

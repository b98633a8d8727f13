//! The inbox page and its small API: what a human agent does in a browser.
//!
//! It has no key, so it only accepts requests that name this machine, and changes nothing for pages of another origin: a
//! foreign page cannot reach it, not even through a name that resolves to this machine. The server listens on the loopback
//! address only.

mod conversations;
mod faults;
mod page;
mod state;
mod tickets;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::{Inner, KeyForm, lock};

type App = Arc<Inner>;
type Reply = Result<Json<Value>, Refusal>;

/// Headers of each response. The page shows untrusted text, so it may only load its own files.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The page, its API, and the files that messages link to.
pub(crate) fn routes() -> Router<App> {
    page::routes()
        .route("/simulator/state", get(state::state))
        .route("/simulator/account", get(account))
        .route("/simulator/webhook", post(webhook))
        .merge(conversations::routes())
        .merge(tickets::routes())
        .merge(faults::routes())
        .layer(middleware::from_fn(local_only))
        .route("/uploads/{hash}/{name}", get(crate::api::download))
}

async fn local_only(request: Request, next: Next) -> Response {
    let allowed =
        names_this_machine(request.headers()) && (request.method().is_safe() || comes_from_own_page(request.headers()));
    let mut response = if allowed { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = host(headers);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

/// Browsers send an origin with every request that may change something; programs send none.
fn comes_from_own_page(headers: &HeaderMap) -> bool {
    let own = format!("http://{}", host(headers));
    headers.get(header::ORIGIN).is_none_or(|origin| origin.as_bytes() == own.as_bytes())
}

/// What the account's admin pages show, needed to connect it.
async fn account(State(app): State<App>) -> Json<Value> {
    let name = lock(&app.store).account.name.clone();
    Json(json!({
        "chat_url": format!("{name}.freshchat.com"),
        "api_key": *lock(&app.api_key),
        "topics": lock(&app.store).topics.iter().map(|topic| &topic.spec.name).collect::<Vec<_>>(),
        "ticket_domain": format!("{name}.freshdesk.com"),
        "ticket_api_key": *lock(&app.ticket_api_key),
        "public_key": app.key.public_key(KeyForm::Vendor),
    }))
}

/// Something that an agent wrote.
#[derive(Deserialize)]
struct Text {
    agent: String,
    text: String,
}

#[derive(Deserialize)]
struct Webhook {
    url: Option<String>,
}

async fn webhook(State(app): State<App>, Json(it): Json<Webhook>) -> Json<Value> {
    let url = it.url.filter(|url| !url.is_empty());
    lock(&app.outbox.url).clone_from(&url);
    Json(json!({ "webhook": url }))
}

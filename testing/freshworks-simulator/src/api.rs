//! The REST API: routes and their shared parts (lists, input, error responses).

mod accounts;
mod channels;
mod conversations;
mod csat;
mod input;
mod messages;
mod metrics;
mod paging;
mod uploads;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, extract::DefaultBodyLimit};

use crate::Inner;
use crate::refusal::Refusal;

pub(crate) use uploads::{download, kept_part, upload_in};

type App = Arc<Inner>;

/// All routes under `/v2`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/v2/accounts/configuration", get(accounts::configuration))
        .route("/v2/channels", get(channels::list))
        .route("/v2/agents", get(accounts::agents))
        .route("/v2/agents/status", get(accounts::agent_statuses))
        .route("/v2/agents/{id}", get(accounts::agent))
        .route("/v2/groups", get(accounts::groups))
        .route("/v2/business-hours/within-bh", get(accounts::within_business_hours))
        .route("/v2/users", get(users::list).post(users::create))
        .route("/v2/users/fetch", post(users::fetch))
        .route("/v2/users/{id}", get(users::read).put(users::update).delete(users::delete))
        .route("/v2/users/{id}/conversations", get(users::conversations))
        .route("/v2/conversations", post(conversations::create))
        .route("/v2/conversations/fields", get(conversations::fields))
        .route("/v2/conversations/{id}", get(conversations::read).put(conversations::update))
        .route("/v2/conversations/{id}/messages", get(messages::list).post(messages::send))
        .route("/v2/csat/{id}", post(csat::create))
        .route("/v2/metrics/historical", get(metrics::historical))
        .route("/v2/images/upload", post(uploads::image))
        .route("/v2/files/upload", post(uploads::file))
        // Links between pages may lead here.
        .route("/v1/channels", get(channels::list))
        .route("/v1/agents", get(accounts::agents))
        .route("/v1/groups", get(accounts::groups))
        .route("/v1/users", get(users::list))
        // The gate has its own limit, above the largest upload.
        .layer(DefaultBodyLimit::disable())
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_route)
}

async fn unknown_route(State(app): State<App>, uri: Uri) -> Response {
    if app.behaviour().html_errors || !uri.path().starts_with("/v2") {
        return (StatusCode::NOT_FOUND, Html("<html><body><h1>404 Not Found</h1></body></html>")).into_response();
    }
    Refusal::new(404, "NOT_FOUND", "no such resource").into_response()
}

async fn wrong_method() -> Refusal {
    Refusal::new(405, "METHOD_NOT_ALLOWED", "method not allowed")
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}

/// The response of a call that created something.
fn created(app: &Inner, body: impl serde::Serialize) -> Response {
    let status = StatusCode::from_u16(app.behaviour().created_status).unwrap_or(StatusCode::OK);
    (status, Json(body)).into_response()
}

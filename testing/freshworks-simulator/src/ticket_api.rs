//! The API of the ticket service: routes and their shared parts. Freshdesk's API v2, with Freshservice's differences.

mod body;
mod changes;
mod entries;
mod fields;
mod lookups;
mod paging;
mod refusal;
mod tickets;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::Inner;

use refusal::TicketRefusal;

type App = Arc<Inner>;

/// The number of a ticket, or of an agent, in a path. Anything else names none.
struct TicketId(u64);

impl<S: Send + Sync> FromRequestParts<S> for TicketId {
    type Rejection = TicketRefusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, TicketRefusal> {
        let Path(id) = Path::<u64>::from_request_parts(parts, state).await.map_err(|_| TicketRefusal::NotFound)?;
        Ok(Self(id))
    }
}

/// All routes under `/api/v2`, and attachments. Paths of only one product check the product themselves.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/tickets", get(tickets::list).post(tickets::create))
        .route("/api/v2/tickets/{id}", get(tickets::read).put(tickets::update))
        .route("/api/v2/tickets/{id}/conversations", get(entries::list))
        .route("/api/v2/tickets/{id}/notes", post(entries::note))
        .route("/api/v2/tickets/{id}/reply", post(entries::reply))
        .route("/api/v2/ticket_fields", get(lookups::ticket_fields))
        .route("/api/v2/ticket_form_fields", get(lookups::ticket_form_fields))
        .route("/api/v2/groups", get(lookups::groups))
        .route("/api/v2/agents", get(lookups::agents))
        .route("/api/v2/agents/me", get(lookups::own_agent))
        .route("/api/v2/agents/{id}", get(lookups::agent))
        .route("/api/v2/contacts", get(lookups::contacts))
        .route("/api/v2/requesters", get(lookups::requesters))
        .layer(middleware::from_fn(json_only))
        .route("/attachments/{id}/{name}", get(lookups::attachment))
        // The gate has its own limit, above the largest ticket.
        .layer(DefaultBodyLimit::disable())
        .method_not_allowed_fallback(wrong_method)
        .fallback(|| async { TicketRefusal::NotFound })
}

/// 406 for callers who do not take JSON.
async fn json_only(request: Request, next: Next) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let takes_json = accepted.split(',').any(|range| {
        let range = range.split(';').next().unwrap_or_default().trim();
        ["*/*", "application/*", "application/json"].iter().any(|json| range.eq_ignore_ascii_case(json))
    });
    if takes_json { next.run(request).await } else { StatusCode::NOT_ACCEPTABLE.into_response() }
}

async fn wrong_method() -> TicketRefusal {
    // The code follows the pattern of the others; it is not published.
    TicketRefusal::Coded(405, "method_not_allowed", "This method is not allowed here")
}

//! The files of the inbox page.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};

use super::App;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page and all that it loads.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("../inbox/index.html")))
        .route("/inbox.css", file("text/css; charset=utf-8", include_str!("../inbox/inbox.css")))
        .route("/inbox.svg", file("image/svg+xml", include_str!("../inbox/inbox.svg")))
        .route("/inbox.js", file(SCRIPT, include_str!("../inbox/inbox.js")))
        .route("/calls.js", file(SCRIPT, include_str!("../inbox/calls.js")))
        .route("/composer.js", file(SCRIPT, include_str!("../inbox/composer.js")))
        .route("/conversations.js", file(SCRIPT, include_str!("../inbox/conversations.js")))
        .route("/dom.js", file(SCRIPT, include_str!("../inbox/dom.js")))
        .route("/faults.js", file(SCRIPT, include_str!("../inbox/faults.js")))
        .route("/texts.js", file(SCRIPT, include_str!("../inbox/texts.js")))
        .route("/tickets.js", file(SCRIPT, include_str!("../inbox/tickets.js")))
}

fn file(content_type: &'static str, content: &'static str) -> MethodRouter<App> {
    get(move || async move { ([(header::CONTENT_TYPE, content_type)], content).into_response() })
}

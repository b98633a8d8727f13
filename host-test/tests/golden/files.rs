//! Where the end user's files lie: a server of the platform.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::task::AbortHandle;

/// Stops when it is dropped.
pub(crate) struct FileHost {
    address: String,
    server: AbortHandle,
}

impl FileHost {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().route("/chloe/{name}", get(file));
        let server = tokio::spawn(async { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { address, server }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for FileHost {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// More than one read of a plugin takes.
const BYTES: usize = 120_544;

/// What a file holds does not matter here; its type and size do.
async fn file(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    let media_type = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("png") => "image/png",
        Some("pdf") => "application/pdf",
        Some("ogg") => "audio/ogg",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, media_type)], vec![b'.'; BYTES]).into_response()
}

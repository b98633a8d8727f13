//! The platform's server with the end user's files.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::task::AbortHandle;

/// Stops when it is dropped.
pub(crate) struct FileHost {
    address: String,
    server: AbortHandle,
    seen: Seen,
}

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

impl FileHost {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Seen::default();
        let router = Router::new().route("/chloe/{name}", get(file)).with_state(Arc::clone(&seen));
        let server = tokio::spawn(async { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { address, server, seen }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The headers of every request so far.
    #[allow(dead_code, reason = "not every test binary asks")]
    pub(crate) fn seen(&self) -> Vec<HeaderMap> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for FileHost {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// More than one read of a plugin takes.
pub(crate) const BYTES: usize = 120_544;

/// Content that shows missing or duplicated pieces.
pub(crate) fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| (index % 251) as u8).collect()
}

/// The name determines the response.
async fn file(State(seen): State<Seen>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    seen.lock().unwrap().push(headers);
    let media_type = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("png") => "image/png",
        Some("pdf") => "application/pdf",
        Some("ogg") => "audio/ogg",
        Some("bin") => "application/octet-stream",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let content_type = [(header::CONTENT_TYPE, media_type)];
    match name.rsplit_once('.').map(|(stem, _)| stem) {
        Some("moved") => (StatusCode::FOUND, [(header::LOCATION, "/chloe/box.png")]).into_response(),
        Some("huge") => (content_type, content((25 << 20) + 1)).into_response(),
        Some("empty") => (content_type, Vec::new()).into_response(),
        Some("private") => StatusCode::UNAUTHORIZED.into_response(),
        // Of unknown length.
        Some("chunked") => {
            let content = content(BYTES);
            let pieces: Vec<_> = content.chunks(10_000).map(Bytes::copy_from_slice).map(Ok::<_, Infallible>).collect();
            (content_type, Body::from_stream(futures_util::stream::iter(pieces))).into_response()
        }
        Some("large") => (content_type, content(9 << 20)).into_response(),
        _ => (content_type, content(BYTES)).into_response(),
    }
}

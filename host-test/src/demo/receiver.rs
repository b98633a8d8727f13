//! The platform's webhook URL: a real HTTP server on a free port.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

use super::platform::Platform;

/// Stops when it is dropped.
pub(super) struct Receiver {
    url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Starts to listen; requests are accepted as soon as this returns.
    pub(super) async fn start(platform: Arc<Platform>) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/webhooks/freshchat", listener.local_addr()?);
        let router = Router::new().route("/webhooks/freshchat", post(receive)).with_state(platform);
        let server = tokio::spawn(async move {
            // It ends with the demonstration.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, server })
    }

    /// The URL to paste into Freshworks.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The bytes go to the plugin unchanged. The response is empty and sent after the effects are safe: the vendor's retry is the
/// queue.
async fn receive(State(platform): State<Arc<Platform>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    platform.webhook(headers, body.to_vec()).await
}

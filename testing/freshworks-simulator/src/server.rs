//! The server: connections, requests that run to completion, and shutdown. `gate.rs` handles requests.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::gate::{Cut, Front};
use crate::{Inner, lock};

/// More than the largest upload (25 MB) with its wrapping.
const MAX_BODY: usize = 32 << 20;

/// Binds a port of this machine, any if it is 0. Returns it with its origin.
pub(crate) async fn bind(port: u16) -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("port {port} of 127.0.0.1 cannot be bound"))?;
    let origin = format!("http://{}", listener.local_addr()?);
    Ok((listener, origin))
}

/// Accepts connections to one service while the task lives; they end with it. When told to close, it answers pending requests
/// and ends.
pub(crate) async fn run(inner: Arc<Inner>, listener: TcpListener, front: Front) {
    let front = Arc::new(front);
    let mut connections = JoinSet::new();
    let open = GracefulShutdown::new();
    let mut closing = inner.closing.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closing.wait_for(|closing| *closing) => break,
        };
        let Ok((stream, _)) = accepted else { continue };
        // Responses are small, and callers wait for them.
        let _ = stream.set_nodelay(true);
        let (inner, front, watcher) = (inner.clone(), front.clone(), open.watcher());
        connections.spawn(async move {
            let service = service_fn(|request| detached(inner.clone(), front.clone(), request));
            let _ = watcher.watch(http1::Builder::new().serve_connection(TokioIo::new(stream), service)).await;
        });
        while connections.try_join_next().is_some() {}
    }
    open.shutdown().await;
}

/// Runs a request to its end even when the caller goes away: a server would, and "the caller gave up, the write
/// happened" is the case that callers get wrong.
async fn detached(inner: Arc<Inner>, front: Arc<Front>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    // The body belongs to the connection, so it is read here.
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    let request = Request::from_parts(parts, body.to_bytes());
    let (answer, answered) = oneshot::channel();
    {
        let mut requests = lock(&inner.requests);
        while requests.try_join_next().is_some() {}
        inner.in_flight.send_modify(|in_flight| *in_flight += 1);
        let inner = inner.clone();
        requests.spawn(async move {
            let answered = front.answer(&inner, request).await;
            inner.in_flight.send_modify(|in_flight| *in_flight -= 1);
            let _ = answer.send(answered);
        });
    }
    answered.await.unwrap_or(Err(Cut))
}

//! The server: connections, the gate in front of the API (body, faults, limit, key, journal), and the end of it all.
//!
//! Faults need more than a handler can do: a connection is cut by failing the service below the router.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::Inner;
use crate::faults::{Fault, How, When};
use crate::ids::now_ms;
use crate::journal::{Exchange, RequestBody};
use crate::lock;
use crate::refusal::Refusal;

/// More than the largest upload (25 MB) with its wrapping.
const MAX_BODY: usize = 32 << 20;

/// Ends the connection without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut by a simulated fault")
    }
}

impl std::error::Error for Cut {}

/// Accepts connections for as long as the task lives; with it go all of them. Asked to close, it answers what has come and ends.
pub(crate) async fn run(inner: Arc<Inner>, listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = inner.closing.notified() => break,
        };
        let Ok((stream, _)) = accepted else { continue };
        // Answers are small and the callers wait for them.
        let _ = stream.set_nodelay(true);
        let (inner, router, watcher) = (inner.clone(), router.clone(), open.watcher());
        connections.spawn(async move {
            let service = service_fn(|request| detached(inner.clone(), router.clone(), request));
            let _ = watcher.watch(http1::Builder::new().serve_connection(TokioIo::new(stream), service)).await;
        });
        while connections.try_join_next().is_some() {}
    }
    open.shutdown().await;
    inner.closed.notify_one();
}

/// Runs a request to its end even when the caller goes away: a server would, and "the caller gave up, the write
/// happened" is the case that callers get wrong.
async fn detached(inner: Arc<Inner>, router: Router, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
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
            let answered = handle(&inner, router, request).await;
            inner.in_flight.send_modify(|in_flight| *in_flight -= 1);
            let _ = answer.send(answered);
        });
    }
    answered.await.unwrap_or(Err(Cut))
}

async fn handle(inner: &Inner, router: Router, request: Request<Bytes>) -> Result<Response<Body>, Cut> {
    let path = request.uri().path();
    if path == "/v2" || path.starts_with("/v2/") {
        return gate(inner, router, request).await;
    }
    Ok(routed(router, request).await)
}

async fn routed(router: Router, request: Request<Bytes>) -> Response<Body> {
    match router.oneshot(request.map(Body::from)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// One call of the API.
async fn gate(inner: &Inner, router: Router, request: Request<Bytes>) -> Result<Response<Body>, Cut> {
    let started = Instant::now();
    let behaviour = inner.behaviour();
    let fault = inner.faults.take(request.method().as_str(), request.uri().path());
    let mut exchange = Exchange {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        headers: shown_headers(request.headers()),
        authorized: authorized(inner, request.headers()),
        body: RequestBody::from_bytes(request.body()),
        status: None,
        fault: fault.as_ref().map(|fault| fault.how.clone()),
        at_ms: now_ms(),
    };

    let (before, after) = match fault {
        Some(Fault { how, when: When::BeforeEffect, .. }) => (Some(how), None),
        Some(Fault { how, when: When::AfterEffect, .. }) => (None, Some(how)),
        None => (None, None),
    };
    let (before, wait) = match before {
        Some(How::Delay(wait)) => (None, wait),
        other => (other, Duration::ZERO),
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let spoilt = before.is_some();
    let mut response = if spoilt {
        Response::default()
    } else if let Some(wait) = over_limit(inner, behaviour.requests_per_minute) {
        replaced(How::RateLimit { retry_after: Some(wait.to_string()) })
    } else if !exchange.authorized {
        let code = behaviour.unauthorized_status;
        let symbol = if code == 403 { "FORBIDDEN" } else { "UNAUTHORIZED" };
        Refusal::new(code, symbol, "the API key is missing or wrong").into_response()
    } else {
        routed(router, request).await
    };
    let mut wait = Duration::ZERO;
    match before.or(after) {
        None => {}
        Some(How::Delay(later)) => wait = later,
        Some(How::Cut) => {
            inner.journal.push(exchange);
            return Err(Cut);
        }
        Some(How::CutMidBody) => response = torn(response).await,
        Some(how) => response = replaced(how),
    }

    if behaviour.trace_headers {
        let mut ids = lock(&inner.traces);
        let trace = format!("00-{}-{}-00", ids.hex32(), ids.hex16());
        set(response.headers_mut(), "x-trace-id", &trace);
        set(response.headers_mut(), "x-server-processing-time-ms", &started.elapsed().as_millis().to_string());
    }
    exchange.status = Some(response.status().as_u16());
    inner.journal.push(exchange);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    Ok(response)
}

pub(crate) fn authorized(inner: &Inner, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|given| given.strip_prefix("Bearer "));
    token == Some(lock(&inner.api_key).as_str())
}

fn shown_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    shown.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// The fixed window of the rate limit: how many seconds a call over it has to wait. No published limit exists for this
/// API, so it is off by default.
fn over_limit(inner: &Inner, per_minute: Option<u32>) -> Option<u64> {
    const WINDOW: Duration = Duration::from_secs(60);
    let mut window = lock(&inner.window);
    if window.0.elapsed() >= WINDOW {
        *window = (Instant::now(), 0);
    }
    window.1 += 1;
    let over = window.1 > per_minute?;
    over.then(|| WINDOW.saturating_sub(window.0.elapsed()).as_secs() + 1)
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The answer that a fault gives instead of the real one.
fn replaced(how: How) -> Response<Body> {
    match how {
        How::Status { code, headers, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            set(response.headers_mut(), "content-type", "application/json");
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        How::Garbage => {
            let mut response = Response::new(Body::from("<html><body>Sign in to the network</body></html>"));
            set(response.headers_mut(), "content-type", "text/html");
            response
        }
        How::RateLimit { retry_after } => {
            let mut response = Refusal::new(429, "TOO_MANY_REQUESTS", "too many requests").into_response();
            if let Some(value) = retry_after {
                set(response.headers_mut(), "retry-after", &value);
            }
            response
        }
        How::Delay(_) | How::Cut | How::CutMidBody => Response::default(),
    }
}

/// The first half of an answer, under the length of the whole.
async fn torn(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let mut whole = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if whole.is_empty() {
        whole = Bytes::from_static(b"{\"id\":\"never read to the end\"}");
        set(&mut parts.headers, "content-type", "application/json");
    }
    set(&mut parts.headers, "content-length", &whole.len().to_string());
    let half = whole.slice(..whole.len() / 2);
    // The pause lets the first half out before the end of the connection overtakes it.
    let end = async {
        tokio::task::yield_now().await;
        Err(Cut)
    };
    let halves = stream::once(async { Ok(half) }).chain(stream::once(end));
    Response::from_parts(parts, Body::from_stream(halves))
}

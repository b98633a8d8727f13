//! The gate in front of the services: faults, limit, key and journal, the same for each of them.
//!
//! Faults need more than a handler can do: a connection is cut by failing the service below the router.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::faults::{Fault, How, When};
use crate::ids::now_ms;
use crate::journal::{Exchange, RequestBody};
use crate::service::Service;
use crate::{Inner, delivery, lock};

/// Closes the connection without a response.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut by a simulated fault")
    }
}

impl std::error::Error for Cut {}

/// The gate in front of one service, and the service's routes.
pub(crate) struct Front {
    service: Service,
    router: Router,
    /// The rate limit's window: its start, and the calls in it.
    window: Mutex<(Instant, u32)>,
}

impl Front {
    pub(crate) fn new(service: Service, router: Router) -> Self {
        Self { service, router, window: Mutex::new((Instant::now(), 0)) }
    }

    /// The response to a request, through the gate if it is for the API.
    pub(crate) async fn answer(&self, inner: &Inner, request: Request<Bytes>) -> Result<Response<Body>, Cut> {
        if self.service.has_in_api(request.uri().path()) {
            self.gate(inner, request).await
        } else {
            Ok(self.routed(request).await)
        }
    }

    async fn routed(&self, request: Request<Bytes>) -> Response<Body> {
        match self.router.clone().oneshot(request.map(Body::from)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// One call of the API.
    async fn gate(&self, inner: &Inner, request: Request<Bytes>) -> Result<Response<Body>, Cut> {
        let service = self.service;
        let started = Instant::now();
        let behaviour = inner.behaviour();
        let fault = inner.faults.take(request.method().as_str(), request.uri().path());
        let mut exchange = Exchange {
            service,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            headers: shown_headers(request.headers()),
            authorized: service.authorizes(inner, request.headers()),
            body: RequestBody::from_bytes(request.body()),
            status: None,
            answer: Bytes::new(),
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
        let cost = service.cost(request.uri());
        let (used, over) = self.count(cost, service.limit(&behaviour));
        let spoilt = before.is_some();
        let mut response = if spoilt {
            Response::default()
        } else if let Some(wait) = over {
            limited(service, Some(&wait.to_string()))
        } else if !exchange.authorized {
            service.unauthorized(&behaviour)
        } else {
            self.routed(request).await
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
            Some(how) => response = replaced(service, how),
        }

        if behaviour.loose_json && !spoilt {
            response = loosened(response).await;
        }
        service.write_limit(&behaviour, used, cost, response.headers_mut());
        if behaviour.trace_headers {
            service.write_trace(inner, started.elapsed().as_millis(), response.headers_mut());
        }
        exchange.status = Some(response.status().as_u16());
        // The rest of a torn response is not needed.
        if exchange.fault != Some(How::CutMidBody) {
            let (parts, body) = response.into_parts();
            exchange.answer = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            response = Response::from_parts(parts, Body::from(exchange.answer.clone()));
        }
        inner.journal.push(exchange);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(response)
    }

    /// Counts a call against the fixed window of the rate limit. Returns the window's calls so far and, for a call over the
    /// limit, how many seconds it has to wait.
    fn count(&self, cost: u32, per_minute: Option<u32>) -> (u32, Option<u64>) {
        const WINDOW: Duration = Duration::from_secs(60);
        let mut window = lock(&self.window);
        if window.0.elapsed() >= WINDOW {
            *window = (Instant::now(), 0);
        }
        window.1 += cost;
        let over = per_minute.is_some_and(|limit| window.1 > limit);
        (window.1, over.then(|| WINDOW.saturating_sub(window.0.elapsed()).as_secs() + 1))
    }
}

fn shown_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    shown.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// The response to a call over the limit.
fn limited(service: Service, retry_after: Option<&str>) -> Response<Body> {
    let mut response = service.too_many();
    if let Some(value) = retry_after {
        set(response.headers_mut(), "retry-after", value);
    }
    response
}

/// Sets a header; an invalid value is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// A fault's response instead of the real one.
fn replaced(service: Service, how: How) -> Response<Body> {
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
        How::RateLimit { retry_after } => limited(service, retry_after.as_deref()),
        How::Delay(_) | How::Cut | How::CutMidBody => Response::default(),
    }
}

/// The same response in loose JSON.
async fn loosened(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if parts.headers.get(header::CONTENT_TYPE).is_none_or(|kind| !kind.as_bytes().starts_with(b"application/json")) {
        return Response::from_parts(parts, Body::from(body));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(delivery::loosened(&body)))
}

/// The first half of a response, with the `Content-Length` of the whole.
async fn torn(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let mut whole = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if whole.is_empty() {
        whole = Bytes::from_static(b"{\"id\":\"never read to the end\"}");
        set(&mut parts.headers, "content-type", "application/json");
    }
    set(&mut parts.headers, "content-length", &whole.len().to_string());
    let half = whole.slice(..whole.len() / 2);
    // The pause sends the first half before the connection closes.
    let end = async {
        tokio::task::yield_now().await;
        Err(Cut)
    };
    let halves = stream::once(async { Ok(half) }).chain(stream::once(end));
    Response::from_parts(parts, Body::from_stream(halves))
}

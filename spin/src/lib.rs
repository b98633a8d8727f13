//! EDGE: Spin's HTTP trigger, variables, clock and randomness.

#![cfg(target_family = "wasm")]
// What the SDK's macro writes.
#![allow(unsafe_code)]

use std::time::{SystemTime, UNIX_EPOCH};

use freshworks_handoff::wasi_http::WasiHttp;
use futures::{SinkExt, StreamExt};
use spin_sdk::http::{Headers, IncomingRequest, Method, OutgoingResponse, ResponseOutparam};
use spin_sdk::{http_component, variables};

use handoff_bridge::access::destinations::{Destinations, Guarded};
use handoff_bridge::access::vault::Keys;
use handoff_bridge::http as api;
use handoff_bridge::http::problem::Problem;
use handoff_bridge::metrics::counters::Counters;
use handoff_bridge::metrics::log::{self, Level};
use handoff_bridge::service::{ALERT_AFTER_MS, Policy, STALE_AFTER_MS, Service, max_body_bytes};
use handoff_bridge::webhooks::inbox::Later;

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let variable = |name| variables::get(name).unwrap_or_default();
    let keys = Keys::read(&variable("encryption_key"), &variable("encryption_key_old"), draw).unwrap_or_else(|fault| {
        failed(&fault);
        Keys::none(draw)
    });
    let policy = Policy {
        protection: keys.protection(),
        address_header: variable("client_address_header").trim().to_ascii_lowercase(),
        // What is no number is the default: the check is not lost to a slip.
        stale_after_ms: variable("stale_after_hours")
            .trim()
            .parse()
            .map_or(STALE_AFTER_MS, |hours: u64| hours.saturating_mul(60 * 60 * 1000)),
        alert_url: variable("alert_url").trim().to_owned(),
        alert_after_ms: variable("alert_after_minutes")
            .trim()
            .parse()
            .map_or(ALERT_AFTER_MS, |minutes: u64| minutes.saturating_mul(60 * 1000)),
    };
    let state = match handoff_bridge_store::open(&variable("redis_url"), &variable("redis_password"), keys) {
        Ok(state) => state,
        Err(error) => {
            failed(&format!("the store cannot be opened: {}", error.0));
            return send(Problem::from(error).into(), out).await;
        }
    };
    let (token, public_url) = (variable("api_token"), variable("public_url"));
    let destinations = Destinations::read(&variable("internal_hosts"));
    let service = Service {
        http: &Guarded { http: &WasiHttp, destinations: &destinations },
        state: &*state,
        token: &token,
        destinations: &destinations,
        public_url: public_url.trim_end_matches('/'),
        policy: &policy,
        clock: &clock,
        pause: &pause,
        draw: &draw,
        log: &|line| eprintln!("{line}"),
        counters: Counters::default(),
        later: Later::default(),
    };
    send(answer(&service, request).await, out).await;
    // Nobody waits for it any more. The newest Spin ends the instance with its answer, older ones let it go on.
    service.finish();
}

/// Nothing works before the operator acts.
fn failed(message: &str) {
    eprintln!("{}", log::line(clock(), Level::Error, "", "", message));
}

async fn send(answer: api::OutgoingResponse, out: ResponseOutparam) {
    let (status, mut named) = (answer.status, answer.headers.clone());
    let body = answer.into_body();
    if let Some((kind, _)) = &body {
        named.push(("content-type", (*kind).to_owned()));
        named.push(("x-content-type-options", "nosniff".to_owned()));
    }
    if !named.iter().any(|(name, _)| *name == "cache-control") {
        named.push(("cache-control", "no-store".to_owned()));
    }
    let body = body.map(|(_, bytes)| bytes.into_owned()).unwrap_or_default();
    // Also where there is no body: without it the host sends an empty chunk apart, which costs a kept-alive connection 40 ms.
    if status != 204 && status != 304 {
        named.push(("content-length", body.len().to_string()));
    }
    let headers = Headers::new();
    for (name, value) in &named {
        // These names and values are ours; the host refuses none of them.
        let _ = headers.append(name, &value.clone().into_bytes());
    }
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(status);
    let mut sink = response.take_body();
    out.set(response);
    if !body.is_empty() {
        // The caller has gone away.
        let _ = sink.send(body).await;
    }
}

async fn answer(service: &Service<'_>, request: IncomingRequest) -> api::OutgoingResponse {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
    let headers = request.headers().entries().into_iter();
    let headers =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()));
    let headers = headers.collect();
    let mut call =
        api::IncomingRequest { method: method(&request.method()), path, query, headers, body: &[], now: clock() };
    #[cfg(feature = "cron")]
    cron(&mut call);
    let announced = call.header("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    // Before the body is read: whoever may not come in costs little.
    let admitted = match service.admit(&call) {
        Ok(admitted) => admitted,
        Err(problem) => return service.refusal(&call, problem),
    };
    let most = max_body_bytes(path);
    if announced > most {
        return Problem::too_large(most).into();
    }
    let Some(body) = collect(request, most).await else { return Problem::too_large(most).into() };
    call.body = &body;
    service.carry_out(admitted, &call)
}

/// The cron of hosted Spin calls a path by `GET` and sends no header (seen by a user of Fermyon Wasm Functions in 2026; the documentation
/// of `spin aka cron` names schedule, path and name alone). So `GET /cron/<token>` is `POST /v1/tick` with this token, which is one of
/// `POST /v1/tokens` with the scope `tick`: addresses are written to logs, and it can do nothing else. `api_token` is not taken here.
#[cfg(feature = "cron")]
fn cron(call: &mut api::IncomingRequest<'_>) {
    let Some(token) =
        call.path.strip_prefix("/cron/").filter(|token| call.method == "GET" && token.starts_with("fwh_"))
    else {
        return;
    };
    call.headers.retain(|(name, _)| name != "authorization");
    call.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    (call.method, call.path, call.query) = ("POST", "/v1/tick", "");
}

/// The body. None when it is larger than what is read: Spin sets no limit.
async fn collect(request: IncomingRequest, most: usize) -> Option<Vec<u8>> {
    let mut stream = request.into_body_stream();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        // A body that was cut off is no JSON, and no signature fits it.
        let Ok(chunk) = chunk else { break };
        body.extend_from_slice(&chunk);
        if body.len() > most {
            return None;
        }
    }
    Some(body)
}

fn method(method: &Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        _ => "other",
    }
}

fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Blocks: each request has an instance of its own.
fn pause(milliseconds: u64) {
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
}

fn draw() -> [u8; 24] {
    let mut secret = [0; 24];
    // WASI's randomness does not fail.
    getrandom::fill(&mut secret).unwrap_or_else(|error| unreachable!("no randomness: {error}"));
    secret
}

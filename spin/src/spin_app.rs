//! EDGE: Spin's HTTP trigger, variables, clock and randomness.

// What the SDK's macro writes.
#![allow(unsafe_code)]

use std::time::{SystemTime, UNIX_EPOCH};

use freshworks_handoff::wasi_http::WasiHttp;
use spin_sdk::http::{Method, Request, Response};
use spin_sdk::{http_component, variables};

use crate::problem::Problem;
use crate::service::{Answer, Call, Service};
use crate::spin_state::SpinState;

#[http_component]
async fn handle(request: Request) -> Response {
    let answer = match SpinState::open() {
        Ok(state) => answer(&request, &state).await,
        Err(error) => {
            eprintln!("the store cannot be opened: {}", error.0);
            Answer::from(Problem::from(error))
        }
    };
    let mut response = Response::builder();
    response.status(answer.status);
    for (name, value) in &answer.headers {
        response.header(*name, value.as_str());
    }
    match &answer.body {
        Some(body) => {
            let kind = if answer.is_problem() { "application/problem+json" } else { "application/json" };
            response.header("content-type", kind).body(body.to_string()).build()
        }
        None => response.build(),
    }
}

async fn answer(request: &Request, state: &SpinState) -> Answer {
    let token = variables::get("api_token").unwrap_or_default();
    let headers = request.headers().filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())));
    let call = Call {
        method: method(request.method()),
        path: request.path(),
        headers: headers.collect(),
        body: request.body(),
        now: now(),
    };
    let service = Service { http: &WasiHttp, state, token: &token, draw: &draw, log: &|line| eprintln!("{line}") };
    service.answer(&call).await
}

fn method(method: &Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        _ => "other",
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn draw() -> [u8; 24] {
    let mut secret = [0; 24];
    // WASI's randomness does not fail.
    getrandom::fill(&mut secret).unwrap_or_else(|error| unreachable!("no randomness: {error}"));
    secret
}

//! The core's HTTP natively: a blocking client with kept connections.

use std::time::Duration;

use freshworks_handoff::http::{Http, Method, Request, Response, TransportError};
use ureq::Agent;

/// Sends requests from the thread that asks; several at once from a thread each.
#[derive(Clone, Debug)]
pub struct Native {
    agent: Agent,
}

impl Native {
    /// A client that keeps up to this many connections.
    pub fn new(connections: usize) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self { agent: config.new_agent() }
    }

    fn exchange(&self, request: Request) -> Result<Response, ureq::Error> {
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        let mut sent = ureq::http::Request::builder().method(method).uri(request.origin + &request.path);
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        let mut got = match request.method {
            Method::Get | Method::Delete => self.agent.run(sent.body(())?)?,
            Method::Post | Method::Put => self.agent.run(sent.body(request.body)?)?,
        };
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = got.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = got.body_mut().with_config().limit(8 << 20).read_to_vec()?;
        Ok(Response { status: got.status().as_u16(), headers, body })
    }

    fn once(&self, request: Request) -> Result<Response, TransportError> {
        self.exchange(request).map_err(|error| TransportError {
            not_sent: false,
            denied: false,
            reason: error.to_string(),
        })
    }
}

impl Http for Native {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        if requests.len() < 2 {
            return requests.into_iter().map(|request| self.once(request)).collect();
        }
        std::thread::scope(|threads| {
            let sent: Vec<_> = requests.into_iter().map(|request| threads.spawn(move || self.once(request))).collect();
            sent.into_iter().map(|sent| sent.join().unwrap_or_else(|_| Err(TransportError::no_answer()))).collect()
        })
    }
}

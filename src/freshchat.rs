//! The Freshchat client: sends an endpoint, sorts what can go wrong.
//!
//! It knows HTTP and the vendor's JSON, and nothing of what a handoff means. Nothing is retried here: the plugin has no
//! clock to wait by, and no write may be repeated blindly.

use serde_json::Value;

use crate::error::Error;
use crate::http::{Http, Method, Request, Response, TransportError};
use crate::model::{AgentId, Sender, SenderRole};
use crate::settings::Settings;

pub mod endpoints;
pub mod failure;
pub mod parts;
pub mod wire;

use endpoints::{Effect, Endpoint, GetAgent, Page, Paged};
use failure::{Failure, FailureKind};

/// Most pages of a list that are read. 100 items each; beyond that a name is reported as not found.
const MOST_PAGES: u32 = 50;
/// Pages that are asked for at once.
const PAGES_AT_ONCE: u32 = 8;

/// One account's API.
pub struct Freshchat<'a, H> {
    http: &'a H,
    settings: &'a Settings,
    origin: String,
}

impl<'a, H: Http> Freshchat<'a, H> {
    /// A client for the account of the settings. Fails when the chat URL is unusable.
    pub fn new(http: &'a H, settings: &'a Settings) -> Result<Self, Error> {
        Ok(Self { http, settings, origin: settings.origin()? })
    }

    /// The origin that all requests go to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sends one request.
    pub async fn call<E: Endpoint>(&self, endpoint: &E) -> Result<E::Answer, Failure> {
        let response = self.http.send(self.request(endpoint)).await;
        read::<E>(response)
    }

    /// Sends several requests of one kind at once; answers in their order.
    pub async fn call_all<E: Endpoint>(&self, endpoints: &[E]) -> Vec<Result<E::Answer, Failure>> {
        let requests = endpoints.iter().map(|endpoint| self.request(endpoint)).collect();
        let responses = self.http.send_all(requests).await;
        responses.into_iter().map(read::<E>).collect()
    }

    /// Sends requests of any kinds at once; their answers are read with [`read`].
    pub async fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        self.http.send_all(requests).await
    }

    /// The rest of a list whose first page was read: all other pages at once where their number is known.
    pub async fn rest_of<E: Paged>(&self, first: Page<E::Item>) -> Result<Vec<E::Item>, Failure> {
        let mut items = first.items;
        let (mut has_next, total, mut page) = (first.has_next, first.total_pages, 1);
        while has_next && page < MOST_PAGES {
            let last = total.unwrap_or(page + 1).min(page + PAGES_AT_ONCE).min(MOST_PAGES);
            let wanted: Vec<E> = (page + 1..=last.max(page + 1)).map(E::page).collect();
            page = last.max(page + 1);
            for answer in self.call_all(&wanted).await {
                let answer = answer?;
                has_next = answer.has_next;
                items.extend(answer.items);
            }
        }
        Ok(items)
    }

    /// A complete list.
    pub async fn all<E: Paged>(&self) -> Result<Vec<E::Item>, Failure> {
        let first = self.call(&E::page(1)).await?;
        self.rest_of::<E>(first).await
    }

    /// A human agent's name and photo, as far as they can be had: a message without a name is better than none.
    pub async fn human_agent(&self, id: &AgentId) -> Sender {
        let found = self.call(&GetAgent { id: id.clone() }).await.ok();
        let (name, avatar_url) = found.map_or((None, None), |agent| (agent.display_name(), agent.avatar_url));
        Sender { role: SenderRole::HumanAgent, id: Some(id.0.clone()), name, avatar_url }
    }

    /// An endpoint as a request to this account.
    pub fn request<E: Endpoint>(&self, endpoint: &E) -> Request {
        self.request_of(E::METHOD, &endpoint.path(), endpoint.body())
    }

    // What follows is the same for all endpoints and kept out of their generic code, which is made once for each of them.
    #[inline(never)]
    fn request_of(&self, method: Method, path: &str, body: Option<Value>) -> Request {
        let mut headers = vec![("accept", "application/json".to_owned())];
        if let Some(key) = &self.settings.api_key {
            headers.push(("authorization", format!("Bearer {}", key.reveal())));
        }
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        if !body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        Request {
            method,
            origin: self.origin.clone(),
            path: format!("/v2{path}"),
            headers,
            body,
            connect_timeout_ms: self.settings.connect_timeout_ms,
            response_timeout_ms: self.settings.response_timeout_ms,
        }
    }
}

/// Reads the answer to an endpoint's request.
pub fn read<E: Endpoint>(response: Result<Response, TransportError>) -> Result<E::Answer, Failure> {
    let (response, body) = body_of(E::NAME, E::EFFECT, response)?;
    E::answer(&body).ok_or_else(|| unreadable(E::NAME, E::EFFECT, &response))
}

#[inline(never)]
fn body_of(
    endpoint: &'static str,
    effect: Effect,
    response: Result<Response, TransportError>,
) -> Result<(Response, Value), Failure> {
    let response = failure::sort(endpoint, effect, response)?;
    if response.body.is_empty() {
        return Ok((response, Value::Null));
    }
    match serde_json::from_slice(&response.body) {
        Ok(body) => Ok((response, body)),
        Err(_) => Err(unreadable(endpoint, effect, &response)),
    }
}

/// A write that was accepted but whose answer cannot be read has most likely happened.
#[inline(never)]
fn unreadable(endpoint: &'static str, effect: Effect, response: &Response) -> Failure {
    let kind = if effect == Effect::Write { FailureKind::OutcomeUnknown } else { FailureKind::Malformed };
    Failure::of(endpoint, kind, response)
}

//! The Freshchat client: sends an endpoint, sorts what can go wrong.
//!
//! It knows HTTP and the vendor's JSON, and nothing of what a handoff means. What surely changed nothing is sent again at
//! once, within the caller's budget; there is no clock to wait by, so everything else is left to the caller.

use std::cell::Cell;

use serde_json::Value;

use crate::error::Error;
use crate::http::{Http, Method, Request, Response, TransportError};
use crate::model::{AgentId, Sender, SenderRole};
use crate::retry::Budget;
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
    /// Of this call of the plugin: a client is made for each.
    budget: Cell<Budget>,
}

/// An answer in the vendor's JSON, as it came.
type Answer = (Response, Value);

impl<'a, H: Http> Freshchat<'a, H> {
    /// A client for the account of the settings. Fails when the chat URL is unusable.
    pub fn new(http: &'a H, settings: &'a Settings) -> Result<Self, Error> {
        let worst_case_ms = u64::from(settings.connect_timeout_ms) + u64::from(settings.response_timeout_ms);
        let budget = Budget { left_ms: settings.retry_budget_ms.into(), worst_case_ms };
        Ok(Self { http, settings, origin: settings.origin()?, budget: Cell::new(budget) })
    }

    /// The origin that all requests go to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sends one request.
    pub async fn call<E: Endpoint>(&self, endpoint: &E) -> Result<E::Answer, Failure> {
        let response = self.http.send(self.request(endpoint)).await;
        self.read(endpoint, response).await
    }

    /// Sends several requests of one kind at once; answers in their order.
    pub async fn call_all<E: Endpoint>(&self, endpoints: &[E]) -> Vec<Result<E::Answer, Failure>> {
        let requests = endpoints.iter().map(|endpoint| self.request(endpoint)).collect();
        let responses = self.http.send_all(requests).await;
        let mut answers = Vec::new();
        for (endpoint, response) in endpoints.iter().zip(responses) {
            answers.push(self.read(endpoint, response).await);
        }
        answers
    }

    /// Reads what came of an endpoint's request, and sends it again where that is allowed.
    pub async fn read<E: Endpoint>(
        &self,
        endpoint: &E,
        response: Result<Response, TransportError>,
    ) -> Result<E::Answer, Failure> {
        let again = || self.request(endpoint);
        let (response, body) = self.settle(E::NAME, E::EFFECT, response, &again).await?;
        E::answer(&body).ok_or_else(|| unreadable(E::NAME, E::EFFECT, &response))
    }

    // Not generic: the code is made once.
    #[inline(never)]
    async fn settle(
        &self,
        name: &'static str,
        effect: Effect,
        response: Result<Response, TransportError>,
        again: &dyn Fn() -> Request,
    ) -> Result<Answer, Failure> {
        let failure = match body_of(name, effect, response) {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let Some(budget) = self.budget.get().after_repeat(failure.kind, failure.retry_after_ms) else {
            return Err(failure);
        };
        self.budget.set(budget);
        // Once: what fails twice in a row needs time.
        body_of(name, effect, self.http.send(again()).await)
    }

    /// Sends requests of any kinds at once; their answers are read with [`Self::read`], or with [`read`] when none is to be
    /// sent again.
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
        let response = self.http.send(self.request(&GetAgent { id: id.clone() })).await;
        // Not sent again: the webhook that waits for it is worth more than the name.
        let found = read::<GetAgent>(response).ok();
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
) -> Result<Answer, Failure> {
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

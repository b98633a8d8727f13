//! The client of the vendor's APIs: sends an endpoint, sorts what can go wrong.
//!
//! It knows HTTP and JSON, and nothing of what a handoff means. What surely changed nothing is sent again at
//! once, within the caller's budget; there is no clock to wait by, so everything else is left to the caller.

use std::cell::Cell;

use base64ct::{Base64, Encoding};
use serde_json::Value;

use crate::http::retry::Budget;
use crate::http::{Forwarded, Http, Method, Request, Response, TransportError, Wrapped, json};
use crate::settings::{Secret, Settings};
use handoff_contract::error::Error;

pub mod endpoint;
pub mod failure;

pub use endpoint::{Call, Effect, Endpoint, Kind, Page, Paged, Service, encode};
pub use failure::{Failure, FailureKind};

/// Most pages of a list that are read. 100 items each; beyond that a name is reported as not found.
pub(crate) const MAX_PAGES: u32 = 50;
/// Most pages of a list that a form offers for choosing: 500 items, which is more than anybody scrolls through.
pub(crate) const MAX_CHOICE_PAGES: u32 = 5;
/// Pages that are asked for at once.
const PAGES_AT_ONCE: u32 = 8;

/// One account's API.
pub struct Client<'a> {
    http: &'a dyn Http,
    settings: &'a Settings,
    origin: String,
    /// What all paths begin with.
    version: &'static str,
    /// None when the host adds it.
    authorization: Option<String>,
    /// Of this call of the plugin: a client is made for each.
    budget: Cell<Budget>,
}

/// An answer in the vendor's JSON, as it came.
type Received = (Response, Value);

impl<'a> Client<'a> {
    /// A client for Freshchat. Fails when the chat URL is unusable.
    pub fn chat(http: &'a dyn Http, settings: &'a Settings) -> Result<Self, Error> {
        let authorization = settings.api_key.as_ref().map(|key| format!("Bearer {}", key.reveal()));
        Ok(Self::new(http, settings, settings.origin()?, "/v2", authorization))
    }

    /// A client for the ticket desk; none when the settings name no desk. Fails when its address is unusable.
    pub fn tickets(http: &'a dyn Http, settings: &'a Settings) -> Result<Option<Self>, Error> {
        let Some(desk) = settings.ticket_desk()? else { return Ok(None) };
        // The key is the user name; any password will do.
        let basic = |key: &Secret| format!("Basic {}", Base64::encode_string(format!("{}:X", key.reveal()).as_bytes()));
        let authorization = settings.ticket_api_key.as_ref().map(basic);
        Ok(Some(Self::new(http, settings, desk.origin, "/api/v2", authorization)))
    }

    fn new(
        http: &'a dyn Http,
        settings: &'a Settings,
        origin: String,
        version: &'static str,
        authorization: Option<String>,
    ) -> Self {
        let worst_case_ms = u64::from(settings.connect_timeout_ms) + u64::from(settings.response_timeout_ms);
        let budget = Cell::new(Budget { left_ms: settings.retry_budget_ms.into(), worst_case_ms });
        Self { http, settings, origin, version, authorization, budget }
    }

    /// The account's settings.
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// The origin that all requests go to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sends one request.
    pub fn call<E: Endpoint>(&self, endpoint: &E) -> Result<E::Output, Failure> {
        answer::<E>(self.exchange(endpoint)?)
    }

    /// Sends two requests at once.
    pub(crate) fn call_both<A: Endpoint, B: Endpoint>(
        &self,
        one: &A,
        other: &B,
    ) -> Result<(A::Output, B::Output), Failure> {
        let mut responses = self.http.send_all(vec![self.request(one), self.request(other)]).into_iter();
        let mut next = || responses.next().unwrap_or_else(|| Err(TransportError::no_answer()));
        let (first, second) = (next(), next());
        Ok((self.read(one, first)?, self.read(other, second)?))
    }

    /// Sends several requests of one kind at once; answers in their order.
    pub(crate) fn call_all<E: Endpoint>(&self, endpoints: &[E]) -> Vec<Result<E::Output, Failure>> {
        let requests = endpoints.iter().map(|endpoint| self.request(endpoint)).collect();
        let responses = self.http.send_all(requests);
        let mut answers = Vec::new();
        for (endpoint, response) in endpoints.iter().zip(responses) {
            answers.push(self.read(endpoint, response));
        }
        answers
    }

    /// Reads what came of an endpoint's request, and sends it again where that is allowed.
    pub fn read<E: Endpoint>(
        &self,
        endpoint: &E,
        response: Result<Response, TransportError>,
    ) -> Result<E::Output, Failure> {
        answer::<E>(self.settle(endpoint, response)?)
    }

    #[inline(never)]
    fn exchange(&self, call: &dyn Call) -> Result<Received, Failure> {
        self.settle(call, self.http.send(self.request(call)))
    }

    #[inline(never)]
    fn settle(&self, call: &dyn Call, response: Result<Response, TransportError>) -> Result<Received, Failure> {
        let failure = match body_of(call.kind(), call.fields(), response) {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let Some(budget) = self.budget.get().after_repeat(failure.kind, failure.retry_after_ms) else {
            return Err(failure);
        };
        self.budget.set(budget);
        // Once: what fails twice in a row needs time.
        body_of(call.kind(), call.fields(), self.http.send(self.request(call)))
    }

    /// Sends one request of any kind, once.
    pub fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.http.send(request)
    }

    /// Passes the body of one answer on in another request; see [`Http::forward`].
    pub fn forward(
        &self,
        source: Request,
        most_bytes: u64,
        wrap: &dyn Fn(&Response) -> Option<Wrapped>,
    ) -> Result<Option<Forwarded>, TransportError> {
        self.http.forward(source, most_bytes, wrap)
    }

    /// Sends requests of any kinds at once; their answers are read with [`Self::read`], or with [`read`] when none is to be
    /// sent again.
    pub fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        self.http.send_all(requests)
    }

    /// A list whose first page was asked for together with other requests, up to this many pages. One copy for all callers: the
    /// component is counted in bytes.
    #[inline(never)]
    pub(crate) fn list_from<E: Paged>(
        &self,
        first: Result<Response, TransportError>,
        most_pages: u32,
    ) -> Result<Vec<E::Item>, Failure> {
        self.rest_up_to::<E>(read::<E>(first)?, most_pages)
    }

    /// All other pages at once where their number is known.
    fn rest_up_to<E: Paged>(&self, first: Page<E::Item>, most_pages: u32) -> Result<Vec<E::Item>, Failure> {
        let mut items = first.items;
        let (mut has_next, total, mut page) = (first.has_next, first.total_pages, 1);
        while has_next && page < most_pages {
            let last = total.unwrap_or(page + 1).min(page + PAGES_AT_ONCE).min(most_pages);
            let wanted: Vec<E> = (page + 1..=last.max(page + 1)).map(E::page).collect();
            page = last.max(page + 1);
            for answer in self.call_all(&wanted) {
                let answer = answer?;
                has_next = answer.has_next;
                items.extend(answer.items);
            }
        }
        Ok(items)
    }

    /// A complete list.
    pub fn all<E: Paged>(&self) -> Result<Vec<E::Item>, Failure> {
        let first = self.call(&E::page(1))?;
        self.rest_up_to::<E>(first, MAX_PAGES)
    }

    /// A call as a request to this account.
    #[inline(never)]
    pub fn request(&self, call: &dyn Call) -> Request {
        let (content_type, body) = call.content();
        self.raw_request(call.method(), &call.path(), content_type, body)
    }

    /// Any request to this account; no type where there is no body.
    #[inline(never)]
    pub(crate) fn raw_request(&self, method: Method, path: &str, content_type: String, body: Vec<u8>) -> Request {
        let mut headers = vec![("accept", "application/json".to_owned())];
        if let Some(authorization) = &self.authorization {
            headers.push(("authorization", authorization.clone()));
        }
        if !content_type.is_empty() {
            headers.push(("content-type", content_type));
        }
        Request {
            method,
            origin: self.origin.clone(),
            path: format!("{}{path}", self.version),
            headers,
            body,
            connect_timeout_ms: self.settings.connect_timeout_ms,
            response_timeout_ms: self.settings.response_timeout_ms,
        }
    }
}

/// Reads the answer to an endpoint's request.
pub fn read<E: Endpoint>(response: Result<Response, TransportError>) -> Result<E::Output, Failure> {
    answer::<E>(body_of(E::KIND, E::FIELDS, response)?)
}

fn answer<E: Endpoint>((response, body): Received) -> Result<E::Output, Failure> {
    E::answer(&body).ok_or_else(|| unreadable(E::KIND, &response))
}

#[inline(never)]
fn body_of(
    kind: Kind,
    fields: &'static [&'static str],
    response: Result<Response, TransportError>,
) -> Result<Received, Failure> {
    let response = failure::sort(kind, response)?;
    if response.body.is_empty() {
        return Ok((response, Value::Null));
    }
    match json::read(&response.body, fields) {
        Ok(body) => Ok((response, body)),
        Err(_) => Err(unreadable(kind, &response)),
    }
}

/// A write that was accepted but whose answer cannot be read has most likely happened.
#[inline(never)]
fn unreadable(call: Kind, response: &Response) -> Failure {
    let kind = if call.effect == Effect::Write { FailureKind::OutcomeUnknown } else { FailureKind::Malformed };
    Failure::of(call, kind, response)
}

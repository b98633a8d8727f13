//! What the tests of several rooms share: sample values, and a scripted outside.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::http::{Http, Request, Response, TransportError};
use handoff_contract::model::{
    ConversationKey, EndUser, HandoffRequest, Message, Mode, Part, Reason, Sender, SenderRole,
};

/// Milliseconds since 1970, on 2026-11-18.
pub(crate) const NOW: u64 = 1_795_000_000_000;

/// A short conversation that asks for a person.
pub(crate) fn request() -> HandoffRequest {
    HandoffRequest {
        key: ConversationKey { application: "app".into(), channel: "channel".into(), conversation: "1".into() },
        user: EndUser { id: "u-1".into(), name: Some("Ana Silva".into()), ..EndUser::default() },
        mode: Mode::Live,
        reason: Reason::UserAsked,
        reason_text: None,
        category: None,
        summary: None,
        history: Some(vec![
            message("1", SenderRole::EndUser, None, "My order is late"),
            Message { sent_at: 1_752_176_935_442, ..message("2", SenderRole::AiAgent, Some("Luna"), "I am sorry") },
        ]),
        context: None,
        routing: None,
        retry: false,
    }
}

/// A text message of 2025-07-10, 19:47 UTC.
pub(crate) fn message(id: &str, role: SenderRole, name: Option<&str>, text: &str) -> Message {
    Message {
        id: id.into(),
        sender: Sender { role, id: None, name: name.map(str::to_owned), avatar_url: None },
        sent_at: 1_752_176_875_442,
        parts: vec![Part::text(text)],
    }
}

/// Answers in the order of the script and keeps the requests.
#[derive(Default)]
pub(crate) struct Script {
    answers: RefCell<VecDeque<Result<Response, TransportError>>>,
    requests: RefCell<Vec<Request>>,
    batches: RefCell<Vec<usize>>,
}

impl Script {
    /// Adds an answer.
    pub(crate) fn then(self, status: u16, body: &str) -> Self {
        let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        self.answers.borrow_mut().push_back(Ok(response));
        self
    }

    /// Method and path of each request that was sent.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.requests.borrow().iter().map(|request| format!("{:?} {}", request.method, request.path)).collect()
    }

    /// The JSON body of a request that was sent.
    pub(crate) fn body(&self, index: usize) -> serde_json::Value {
        serde_json::from_slice(&self.requests.borrow()[index].body).unwrap()
    }

    /// How many requests went out together, in order.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.batches.borrow().clone()
    }

    /// True when every answer was used.
    pub(crate) fn is_used_up(&self) -> bool {
        self.answers.borrow().is_empty()
    }
}

impl Http for Script {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let end = || TransportError { not_sent: true, denied: false, reason: "script-ended".into() };
        let answers =
            requests.iter().map(|_| self.answers.borrow_mut().pop_front().unwrap_or_else(|| Err(end()))).collect();
        self.batches.borrow_mut().push(requests.len());
        self.requests.borrow_mut().extend(requests);
        answers
    }
}

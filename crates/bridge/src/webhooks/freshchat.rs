//! Freshchat's webhook: verified, and stored with its handoff before it is acknowledged.

use freshworks_handoff::http::{Method, Request};
use freshworks_handoff::settings::Settings;
use freshworks_handoff::text::time;
use freshworks_handoff::use_cases::webhook;
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{Delivery, Timestamp};
use serde::Deserialize;

use crate::http::problem::Problem;
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::lease::busy;
use crate::metrics::activity::{DELIVERIES, DELIVERY_MS, Refusal};
use crate::metrics::counters::WAITING;
use crate::metrics::deliveries::{self, Delivered};
use crate::platform::web_url;
use crate::service::Service;
use crate::state::Connection;
use crate::webhooks::inbox::{FORWARD_MS, body_digest, shorten};
use crate::webhooks::{STALE, stale};

const FORWARD_CONNECT_MS: u32 = 1_000;
const FORWARD_RESPONSE_MS: u32 = 2_000;

/// The problem of a genuine webhook that cannot be read.
const UNREADABLE: &str = "malformed";

/// What a webhook of Freshworks says about itself.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    action: String,
    action_time: String,
}

impl Head {
    /// Nothing is known of a body that is not the vendor's.
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// One of those that mean something here, `other`, or nothing.
    fn action(&self) -> &'static str {
        let known = ["message_create", "conversation_assignment", "conversation_resolution", "conversation_reopen"];
        let found = known.into_iter().find(|known| *known == self.action);
        found.unwrap_or(if self.action.is_empty() { "" } else { "other" })
    }

    /// When it happened, if it says so.
    fn at(&self) -> Option<Timestamp> {
        time::from_iso(&self.action_time)
    }
}

/// Which action a webhook of Freshworks tells of.
pub(crate) fn action_of(body: &[u8]) -> &'static str {
    Head::read(body).action()
}

/// What Freshworks is told instead of an acknowledgement: what comes again may be whole, and the admin sees that it came.
fn cannot_be_read(error: Error) -> Problem {
    let log = error.log.clone().unwrap_or_default();
    Problem::from(error).logged(format!("a webhook of Freshworks cannot be read: {log}"))
}

impl Service<'_> {
    /// Acknowledged when it is stored, or concerns nobody here; until then Freshworks repeats it.
    pub(crate) fn freshchat_webhook(
        &self,
        connection: &Connection,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let taken = self.take_freshchat_webhook(connection, call);
        let id = connection.id.as_str();
        match &taken {
            Ok(_) => self.counters.one(id, &[DELIVERIES, "freshworks", "accepted"]),
            // Told apart where it happened.
            Err(problem) if problem.status == 401 || problem.kind == STALE => {}
            Err(problem) if problem.kind == UNREADABLE => {
                self.counters.one(id, &[DELIVERIES, "freshworks", "unreadable"])
            }
            Err(problem) => self.counters.one(id, &[DELIVERIES, "freshworks", "failed", problem.kind]),
        }
        self.counters.took(id, DELIVERY_MS, (self.clock)().saturating_sub(call.now));
        // Of a stranger's webhook, why it was refused: a stranger's words are not looked at.
        let (kind, handoff) = self.later.about.take();
        let (result, why) = match &taken {
            // What was worked off at once is logged already.
            Ok(_) if handoff.is_some() => (WAITING, ""),
            Ok(_) => ("ignored", "unknown-conversation"),
            Err(problem) if problem.status == 401 => ("refused", kind),
            Err(problem) if problem.kind == STALE => ("refused", STALE),
            Err(problem) if problem.kind == UNREADABLE => (deliveries::UNREADABLE, ""),
            Err(problem) => ("failed", problem.kind),
        };
        let kind = if result == "refused" { "" } else { kind };
        let digest = body_digest(call.body);
        let what = Delivered::of("freshworks", &digest, kind, handoff.as_deref());
        self.log_delivery(connection, what, result, why, call.now);
        taken
    }

    fn take_freshchat_webhook(
        &self,
        connection: &Connection,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let Ok(body) = String::from_utf8(call.body.to_vec()) else {
            return Err(Problem::new(400, "invalid-request", "the body is not UTF-8")
                .with_remedy("Freshworks sends no such webhook."));
        };
        let delivery = Delivery { headers: call.headers.clone(), body, received_at: call.now };
        let settings = Settings::parse(&connection.settings)?;
        if let Err(error) = webhook::verify(&settings, &delivery) {
            if error.kind == ErrorKind::InvalidRequest {
                let problem = Problem::too_large(webhook::MAX_BODY_BYTES);
                return Err(problem.logged("a webhook was refused: it is too large"));
            }
            let has_signature = call.header(webhook::signature::HEADER).is_some();
            let why = match error.kind {
                ErrorKind::InvalidSettings => Refusal::NoKey,
                _ if has_signature => Refusal::WrongSignature,
                _ => Refusal::NoSignature,
            };
            self.counters.one(&connection.id, &[DELIVERIES, "freshworks", "refused", why.word()]);
            self.later.about.borrow_mut().0 = why.word();
            // Why is for the operator: a stranger learns nothing.
            return Err(Problem::not_allowed().logged(format!("a webhook was refused: {}", error.message)));
        }
        let head = Head::read(delivery.body.as_bytes());
        self.later.about.borrow_mut().0 = head.action();
        if self.is_stale(head.at(), call.now) {
            self.counters.one(&connection.id, &[DELIVERIES, "freshworks", "refused", Refusal::Stale.word()]);
            return Err(stale());
        }
        // Freshworks is asked to repeat what cannot be read here; others may be able to read it at once.
        let conversations = webhook::check(delivery.body.as_bytes());
        if let Ok(conversations) = &conversations {
            self.on_genuine(connection, &settings, &delivery, conversations)?;
        }
        self.forward(connection, call);
        conversations.map(|_| OutgoingResponse::empty()).map_err(cannot_be_read)
    }

    /// Nothing is stored before it is verified, and nothing is acknowledged before it is stored.
    pub(crate) fn on_genuine(
        &self,
        connection: &Connection,
        settings: &Settings,
        delivery: &Delivery,
        conversations: &[String],
    ) -> Result<(), Problem> {
        match self.state.handoff_of(&connection.id, conversations)? {
            Some(id) => {
                self.later.about.borrow_mut().1 = Some(id.clone());
                self.take_in(connection, settings, &id, delivery.body.as_bytes(), delivery.received_at)
            }
            // A conversation that is being opened has no handoff yet, and nothing to be stored with. Otherwise it is not ours: others
            // may use the same topic.
            None if !conversations.is_empty() && self.state.is_handing_over(&connection.id, (self.clock)())? => {
                Err(busy())
            }
            None => Ok(()),
        }
    }

    /// There is one webhook for each account: who else needs it gets the same bytes, with the signature. Once: whether it arrives is
    /// no reason for Freshworks to repeat what is done here.
    fn forward(&self, connection: &Connection, call: &IncomingRequest<'_>) {
        let Some((origin, path)) = connection.forward_url.as_deref().and_then(web_url::split) else { return };
        let names = ["content-type", "x-freshchat-signature"];
        let headers = names.into_iter().filter_map(|name| Some((name, call.header(name)?.to_owned()))).collect();
        let mut request = Request {
            method: Method::Post,
            origin,
            path,
            headers,
            body: call.body.to_vec(),
            connect_timeout_ms: FORWARD_CONNECT_MS,
            response_timeout_ms: FORWARD_RESPONSE_MS,
        };
        // It is sent before the answer, because the instance may end with that. Whether it was answered in time does not matter.
        shorten(&mut request, call.now.saturating_add(FORWARD_MS).saturating_sub((self.clock)()).max(1));
        let failed = match self.http.send(request) {
            Ok(response) if response.status < 300 => return,
            Ok(response) => response.status.to_string(),
            Err(error) => error.reason,
        };
        self.warn(&connection.id, "", &format!("the forward URL did not take a webhook: {failed}"));
    }
}

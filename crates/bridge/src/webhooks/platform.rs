//! The platform's webhook: carried out before it is acknowledged.

use freshworks_handoff::conversation::session::digest;

use crate::handoffs::{channel_word, handoff_id};
use crate::http::problem::Problem;
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::metrics::activity::{DELIVERIES, Refusal};
use crate::metrics::deliveries::Delivered;
use crate::platform::{Inbound, Place, Platform, WebhookEndpoint};
use crate::service::Service;
use crate::state::Connection;
use crate::webhooks::inbox::body_digest;
use crate::webhooks::{STALE, stale};

impl Service<'_> {
    /// Acknowledged when it is carried out, or never will be.
    pub(crate) fn platform_webhook(
        &self,
        connection: &Connection,
        endpoint: WebhookEndpoint,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let taken = self.take_platform_webhook(connection, endpoint, call);
        match &taken {
            Ok(None) => self.counters.one(&connection.id, &[DELIVERIES, "platform", "accepted"]),
            Ok(Some(foreign)) => self.counters.one(&connection.id, &[DELIVERIES, "platform", "foreign", foreign]),
            Err(problem) if problem.kind == STALE => {
                self.counters.one(&connection.id, &[DELIVERIES, "platform", "refused", Refusal::Stale.word()]);
            }
            Err(problem) if problem.status == 401 => {
                self.counters.one(&connection.id, &[DELIVERIES, "platform", "refused", Refusal::WrongSignature.word()]);
            }
            Err(problem) => self.counters.one(&connection.id, &[DELIVERIES, "platform", "failed", problem.kind]),
        }
        let (kind, handoff) = self.later.about.take();
        let (result, why) = match &taken {
            Ok(None) => ("done", ""),
            Ok(Some(foreign)) => ("ignored", *foreign),
            Err(problem) if problem.kind == STALE => ("refused", STALE),
            Err(problem) if problem.status == 401 => ("refused", Refusal::WrongSignature.word()),
            Err(problem) => ("failed", problem.kind),
        };
        // The same webhook may come with another body, such as another time of sending.
        let id = match call.header("webhook-id") {
            Some(id) => digest(&["webhook", id], 16),
            None => body_digest(call.body),
        };
        self.log_delivery(connection, Delivered::of("platform", &id, kind, handoff.as_deref()), result, why, call.now);
        taken.map(|_| OutgoingResponse::empty())
    }

    /// Answers what it was about where that is not of this connection.
    fn take_platform_webhook(
        &self,
        connection: &Connection,
        endpoint: WebhookEndpoint,
        call: &IncomingRequest<'_>,
    ) -> Result<Option<&'static str>, Problem> {
        let inbound = connection.platform.read(endpoint, call)?;
        if self.is_stale(connection.platform.sent_at(call.body), call.now) {
            return Err(stale());
        }
        *self.later.about.borrow_mut() = match &inbound {
            Inbound::Nothing | Inbound::Foreign(_) => ("other", None),
            Inbound::HandOff { key, .. } => ("handoff", Some(handoff_id(key))),
            Inbound::Message { place: Place::Conversation(key), .. } => ("message", Some(handoff_id(key))),
            Inbound::Message { .. } => ("message", None),
            Inbound::Redacted { key } => ("redacted", Some(handoff_id(key))),
            Inbound::Closed { key, .. } => ("closed", Some(handoff_id(key))),
            Inbound::Rated { key, .. } => ("rated", Some(handoff_id(key))),
        };
        match inbound {
            Inbound::Nothing => {}
            Inbound::Foreign(what) => return Ok(Some(what)),
            Inbound::HandOff { id, key, asked } => {
                match self.hand_over(connection, &key, asked, Some(&id)) {
                    // The platform was told that it will not come about.
                    Err(_) if self.was_seen(connection, &handoff_id(&key), &id)? => {}
                    other => other.map(drop)?,
                }
            }
            Inbound::Message { place, message } => {
                let found = match place {
                    Place::Conversation(key) => Some(handoff_id(&key)),
                    Place::Channel(channel) => self.state.handoff_of(&connection.id, &[channel_word(&channel)])?,
                };
                self.later.about.borrow_mut().1.clone_from(&found);
                let stored = match &found {
                    Some(id) => self.state.handoff(&connection.id, id)?,
                    None => None,
                };
                // Otherwise the AI agent answers it, or it went over with the handoff, or will when that is complete.
                let is_for_humans = |stored: &crate::state::Handoff| {
                    let from_user = message.sender.id.as_ref().is_none_or(|sender| *sender == stored.platform.user);
                    stored.is_with_humans() && from_user && message.sent_at > stored.platform.carried_until
                };
                if let Some(stored) = stored.filter(is_for_humans) {
                    self.relay_message(connection, &stored.id, &message)?;
                }
            }
            Inbound::Redacted { key } => self.redact(connection, &handoff_id(&key))?,
            Inbound::Closed { id, key, reason, rating } => {
                let handoff = handoff_id(&key);
                match self.state.handoff(&connection.id, &handoff)? {
                    Some(stored) if stored.session.is_none() => self.call_off(connection, &handoff, &id)?,
                    Some(stored) if stored.is_open() => {
                        self.close(connection, &handoff, reason, Some(&id))?;
                    }
                    _ => {}
                }
                if let Some(rating) = rating {
                    self.rate_by_webhook(connection, &key, &rating)?;
                }
            }
            Inbound::Rated { key, rating } => self.rate_by_webhook(connection, &key, &rating)?,
        }
        Ok(None)
    }

    fn was_seen(&self, connection: &Connection, handoff: &str, request: &str) -> Result<bool, Problem> {
        let stored = self.state.handoff(&connection.id, handoff)?;
        Ok(stored.is_some_and(|stored| stored.seen.iter().any(|seen| seen == request)))
    }
}

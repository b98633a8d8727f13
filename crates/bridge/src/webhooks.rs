//! Webhooks: from Freshworks, and from the platform.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::{Http, Method, Request};
use freshworks_handoff::settings::Settings;
use freshworks_handoff::text::time;
use freshworks_handoff::use_cases::webhook;
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{Delivery, Timestamp};
use serde::Deserialize;

use crate::activity::{DELIVERIES, DELIVERY_MS, Refusal};
use crate::counters::WAITING;
use crate::handoffs::{channel_word, handoff_id};
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::inbox::{FORWARD_MS, body_digest, shorten};
use crate::lease::busy;
use crate::platform::{Inbound, Place, Platform, WebhookEndpoint, web_url};
use crate::problem::Problem;
use crate::service::Service;
use crate::state::{Connection, State};
use crate::watch::{self, Delivered};

const FORWARD_CONNECT_MS: u32 = 1_000;
const FORWARD_RESPONSE_MS: u32 = 2_000;

/// The problem of a genuine webhook that cannot be read.
const UNREADABLE: &str = "malformed";

/// The problem of a genuine webhook that is too old.
const STALE: &str = "stale";

fn stale() -> Problem {
    Problem::new(422, STALE, "the webhook is older than any that is still repeated")
        .with_remedy("See whether the clocks are right. The variable stale_after_hours says what is too old.")
        .logged("a genuine webhook was refused: it is too old")
}

/// What a webhook of Freshworks says about itself.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    action: String,
    action_time: String,
}

fn head(body: &[u8]) -> Head {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Which action a webhook of Freshworks tells of: one of those that mean something here, `other`, or nothing.
pub(crate) fn action_of(body: &[u8]) -> &'static str {
    let known = ["message_create", "conversation_assignment", "conversation_resolution", "conversation_reopen"];
    let action = head(body).action;
    let found = known.into_iter().find(|known| *known == action);
    found.unwrap_or(if action.is_empty() { "" } else { "other" })
}

/// When what a webhook of Freshworks tells happened, if it says so.
fn freshchat_time(body: &[u8]) -> Option<Timestamp> {
    time::from_iso(&head(body).action_time)
}

/// What Freshworks is told instead of an acknowledgement: what comes again may be whole, and the admin sees that it came.
fn cannot_be_read(error: Error) -> Problem {
    let log = error.log.clone().unwrap_or_default();
    Problem::from(error).logged(format!("a webhook of Freshworks cannot be read: {log}"))
}

impl<H: Http, S: State + ?Sized> Service<'_, H, S> {
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
        let (kind, handoff) = self.later.about.take();
        let (result, why) = match &taken {
            // What was worked off at once is logged already.
            Ok(_) if handoff.is_some() => (WAITING, ""),
            Ok(_) => ("ignored", "unknown-conversation"),
            Err(problem) if problem.status == 401 => ("refused", kind),
            Err(problem) if problem.kind == STALE => ("refused", STALE),
            Err(problem) if problem.kind == UNREADABLE => (watch::UNREADABLE, ""),
            Err(problem) => ("failed", problem.kind),
        };
        // A stranger's words are not looked at.
        let kind = if result == "refused" { "" } else { action_of(call.body) };
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
        let delivery = Delivery { headers: call.headers.clone(), body: call.body.to_vec(), received_at: call.now };
        let settings = Settings::parse(&connection.settings)?;
        if let Err(error) = webhook::verify(&settings, &delivery) {
            if error.kind == ErrorKind::InvalidRequest {
                return Err(
                    Problem::too_large(webhook::MAX_BODY_BYTES).logged("a webhook was refused: it is too large")
                );
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
        if self.is_stale(freshchat_time(&delivery.body), call.now) {
            self.counters.one(&connection.id, &[DELIVERIES, "freshworks", "refused", Refusal::Stale.word()]);
            return Err(stale());
        }
        // Freshworks is asked to repeat what cannot be read here; others may be able to read it at once.
        let unreadable = webhook::check(&delivery.body).err();
        if unreadable.is_none() {
            self.on_genuine(connection, &delivery)?;
        }
        self.forward(connection, call);
        unreadable.map_or(Ok(OutgoingResponse::empty()), |error| Err(cannot_be_read(error)))
    }

    /// Without a time there is nothing to tell by, and what comes from the future is at worst a wrong clock.
    fn is_stale(&self, sent_at: Option<Timestamp>, now: Timestamp) -> bool {
        let most = self.policy.stale_after_ms;
        most > 0 && sent_at.is_some_and(|sent_at| now.saturating_sub(sent_at) > most)
    }

    /// Nothing is stored before it is verified, and nothing is acknowledged before it is stored.
    pub(crate) fn on_genuine(&self, connection: &Connection, delivery: &Delivery) -> Result<(), Problem> {
        let conversations = webhook::peek(&delivery.body);
        match self.state.handoff_of(&connection.id, &conversations)? {
            Some(id) => {
                self.later.about.borrow_mut().1 = Some(id.clone());
                self.take_in(connection, &id, &delivery.body, delivery.received_at)
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

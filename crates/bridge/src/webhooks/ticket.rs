//! The ticket desk's webhook: a rule of the admin's own that names a ticket in which something has happened.
//!
//! It is not signed, so it is believed in nothing: it makes the next look at that ticket come now, and what is told is read by the
//! API. Without it, or when it is lost, `tick` looks as before. Freshdesk's rules ("Trigger webhook") carry headers and a body that
//! the admin writes; a webhook that fails is sent again after 5, 30 and 60 minutes (support article on webhook failures).

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::settings::Settings;
use handoff_contract::model::SessionInfo;
use serde_json::Value;

use crate::access::secret::is_same;
use crate::http::problem::Problem;
use crate::http::responses::TicketWebhook;
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::metrics::activity::DELIVERIES;
use crate::metrics::deliveries::{Delivered, UNREADABLE};
use crate::service::Service;
use crate::state::Connection;

/// The header that carries the secret.
const HEADER: &str = "X-Webhook-Secret";
/// What the admin pastes as content. Freshservice shows `INC-17` for `{{ticket.id}}` (a belief): the number is taken.
const CONTENT: &str = r#"{"ticket_id": "{{ticket.id}}"}"#;

/// What a handoff is found by, from its ticket's number.
pub(crate) fn ticket_word(id: &str) -> String {
    format!("ticket:{id}")
}

/// Everything that a handoff is found by, as the session says.
pub(crate) fn known_by(info: Option<&SessionInfo>) -> Vec<String> {
    let Some(info) = info else { return Vec::new() };
    let mut known = info.conversation_ids.clone();
    known.extend(info.ticket_id.as_deref().map(ticket_word));
    known
}

/// Another secret than that of the other webhooks' paths: whoever may read rules of the ticket desk need not know those.
fn secret_of(path_secret: &str) -> String {
    digest(&["ticket-webhook", path_secret], 24)
}

/// The ticket's number. Freshdesk wraps simple contents in `freshdesk_webhook`.
fn ticket_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let place = body.get("freshdesk_webhook").unwrap_or(&body);
    let id = match place.get("ticket_id")? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let digits = id.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    ((1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
}

impl Service<'_> {
    /// The rule to paste; none where the settings name no ticket desk.
    pub(crate) fn ticket_webhook_of(&self, connection: &Connection) -> Option<TicketWebhook> {
        Settings::parse(&connection.settings).ok()?.ticket_desk().ok().flatten()?;
        Some(TicketWebhook {
            url: format!("{}/webhooks/freshdesk/{}", self.public_url, connection.id),
            header: HEADER,
            secret: secret_of(&connection.webhook_secret),
            content: CONTENT,
        })
    }

    /// The connection of a ticket desk's webhook. Whether name or secret is wrong is not told.
    pub(crate) fn addressed_by_header(&self, id: &str, call: &IncomingRequest<'_>) -> Result<Connection, Problem> {
        let given = call.header("x-webhook-secret").unwrap_or_default();
        let found = self.state.connection(id)?;
        let now = (self.clock)();
        let knows = |found: &Connection| found.webhook_secrets(now).any(|known| is_same(given, &secret_of(known)));
        found.filter(knows).ok_or_else(Problem::not_allowed)
    }

    /// Looks at the ticket now. A ticket that is not known is not ours, or its handoff is not stored yet: `tick` finds that.
    pub(crate) fn ticket_webhook(
        &self,
        connection: &Connection,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let id = digest(&["ticket-webhook", &call.now.to_string(), &String::from_utf8_lossy(call.body)], 16);
        let log = |handoff: Option<&str>, result: &str, why: &str| {
            let what = Delivered::of("freshdesk", &id, "ticket", handoff);
            self.log_delivery(connection, what, result, why, call.now);
        };
        let Some(ticket) = ticket_of(call.body) else {
            self.counters.one(&connection.id, &[DELIVERIES, "freshdesk", "unreadable"]);
            log(None, UNREADABLE, "");
            return Err(Problem::new(400, "invalid-request", "the body names no ticket")
                .at("ticket_id")
                .with_remedy(r#"Paste the content that the connection shows: {"ticket_id": "{{ticket.id}}"}."#));
        };
        let handoff = self.state.handoff_of(&connection.id, &[ticket_word(&ticket)])?;
        let (mut result, mut why) = if handoff.is_some() { ("done", "") } else { ("ignored", "unknown-conversation") };
        if let Some(handoff) = &handoff {
            match self.tick_one(connection, handoff, true) {
                Ok(()) => {}
                // The desk sends it again, some minutes later.
                Err(problem) if problem.status == 503 => {
                    self.counters.one(&connection.id, &[DELIVERIES, "freshdesk", "failed", problem.kind]);
                    log(Some(handoff), "failed", problem.kind);
                    return Err(problem);
                }
                // A repeat would fail as well, and trouble the admin by mail: `tick` says what is wrong.
                Err(problem) => {
                    (result, why) = ("given-up", problem.kind);
                    self.warn(&connection.id, handoff, &problem.detail);
                }
            }
        }
        self.counters.one(&connection.id, &[DELIVERIES, "freshdesk", "accepted"]);
        log(handoff.as_deref(), result, why);
        Ok(OutgoingResponse::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tickets_number_is_read_in_every_form_in_which_rules_send_it() {
        for (body, expected) in [
            (r#"{"ticket_id": "17"}"#, Some("17")),
            (r#"{"ticket_id": 43000000001}"#, Some("43000000001")),
            (r#"{"ticket_id": " INC-17 "}"#, Some("17")),
            (r#"{"freshdesk_webhook": {"ticket_id": 17}}"#, Some("17")),
            (r#"{"ticket_id": "{{ticket.id}}"}"#, None),
            (r#"{"ticket_id": "17/notes"}"#, None),
            (r#"{"ticket_id": ""}"#, None),
            (r#"{"ticket_id": null}"#, None),
            ("{}", None),
            ("ticket_id=17", None),
        ] {
            assert_eq!(ticket_of(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}

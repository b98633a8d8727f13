//! How a connection stands, in three states that mean the same everywhere: in the API, on the pages, in the metrics. Pure.

use freshworks_handoff::use_cases::connect;
use handoff_contract::model::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::http::json::Fields;
use crate::metrics::activity::{DELIVERIES, Refusal, WAITING_REMEDY, WebhookState, webhook_check};
use crate::metrics::counters::Count;
use crate::state::Connection;

/// Freshworks sends a webhook of every message, also of those that we write, within seconds (a belief, from samples of the vendor's
/// staff). After this long, none will come.
const ECHO_MS: u64 = 20_000;
/// When something was written is counted after the answer of that request, so the webhook about it may have come this much earlier.
const COUNTED_LATE_MS: u64 = 30_000;

/// What may be said about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ConnectionState {
    /// Handoffs work, and answers of human agents arrive.
    Connected,
    /// Handoffs work; answers of human agents do not arrive, or none has yet.
    AnswersMissing,
    /// Handoffs are refused.
    NotConnected,
}

impl ConnectionState {
    /// All of them, each with its word.
    pub const ALL: [(Self, &str); 3] = [
        (Self::Connected, "connected"),
        (Self::AnswersMissing, "answers-missing"),
        (Self::NotConnected, "not-connected"),
    ];
}

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusResponse {
    /// The verdict.
    pub state: ConnectionState,
    /// Why, for programs; null when it is connected. With `answers-missing`: `no-webhook-key`, `none-delivered-yet`, `signature-wrong`,
    /// or `no-answer` where something was written that Freshworks sends a webhook of, and none came within 20 seconds. With
    /// `not-connected`: the code of the check that failed, or `unknown`.
    pub reason: Option<String>,
    /// A sentence for people.
    pub detail: String,
    /// What to do, for people; null when there is nothing to do.
    pub remedy: Option<String>,
    /// Since when it stands so; null when that is not known.
    pub since: Option<Timestamp>,
    /// Since when checks meet an outage; null when the last one met none. The verdict is then the one before, and the check is
    /// repeated by `/v1/tick`.
    pub unreachable_since: Option<Timestamp>,
}

/// How it stands at `now`, by its last check and what was counted.
pub fn of(connection: &Connection, counts: &[Count], now: Timestamp) -> StatusResponse {
    let verdict_since = connection.since();
    let unreachable_since = connection.outage.as_ref().map(|outage| outage.since);
    let status = |state, reason: Option<&str>, detail: &str, remedy: Option<&str>, since| {
        let (reason, remedy) = (reason.map(str::to_owned), remedy.map(str::to_owned));
        StatusResponse { state, reason, detail: detail.to_owned(), remedy, since: Some(since), unreachable_since }
    };
    if !connection.connected {
        let found = connection.findings.iter().find(|finding| stops(finding));
        let text = |name: &str| found.and_then(|finding| finding[name].as_str());
        return status(
            ConnectionState::NotConnected,
            Some(text("code").unwrap_or("unknown")),
            text("detail").unwrap_or("the last check of this connection found a failure"),
            Some(text("remedy").unwrap_or("Check it again: the findings say what to do.")),
            verdict_since,
        );
    }
    let missing = |reason, detail, remedy, since| {
        status(ConnectionState::AnswersMissing, Some(reason), detail, Some(remedy), since)
    };
    if !has_key(connection) {
        return missing(
            "no-webhook-key",
            "handoffs work, but answers of human agents are refused: the settings hold no public key to verify them with",
            Refusal::NoKey.remedy(),
            verdict_since,
        );
    }
    let check = webhook_check(connection, counts);
    if let (Some("wrong-signature" | "no-signature"), Some(detail), Some(remedy)) =
        (check.why, check.detail, check.remedy)
    {
        return missing("signature-wrong", detail, remedy, check.at.unwrap_or(verdict_since));
    }
    let at = |name: &str| counts.iter().find(|count| count.name == name).map(|count| count.at);
    let with_this_key = |at: &Timestamp| *at >= connection.key_since;
    let heard = at(&format!("{DELIVERIES}|freshworks|accepted")).filter(with_this_key);
    let wrote = at("handoffs|live").max(at("messages|to-human")).filter(with_this_key);
    let is_overdue = |wrote: &Timestamp| {
        now >= wrote.saturating_add(ECHO_MS) && heard.is_none_or(|heard| heard.saturating_add(COUNTED_LATE_MS) < *wrote)
    };
    match wrote.filter(is_overdue) {
        Some(wrote) => missing(
            "no-answer",
            "a message went to Freshworks, and no webhook about it came within 20 seconds",
            "See on the webhook page of Freshworks whether the webhook is switched on and its URL is the one that is shown here.",
            wrote,
        ),
        None if heard.is_none() && check.state == WebhookState::Waiting => missing(
            "none-delivered-yet",
            "handoffs work; no webhook of Freshworks has come yet",
            WAITING_REMEDY,
            connection.key_since.max(verdict_since),
        ),
        None => status(ConnectionState::Connected, None, "handoffs work, and answers arrive", None, verdict_since),
    }
}

/// Whether a stored finding keeps handoffs from working.
fn stops(finding: &Value) -> bool {
    finding.field("level") == "failure" && finding.field("check").as_str().is_some_and(connect::is_needed)
}

fn has_key(connection: &Connection) -> bool {
    let settings: Value = serde_json::from_str(&connection.settings).unwrap_or_default();
    settings.field("webhook_public_key").as_str().is_some_and(|key| !key.trim().is_empty())
}

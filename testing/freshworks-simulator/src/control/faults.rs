//! Common faults by one word each, for people who try things out.

use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{App, Reply};
use crate::faults::{Fault, Faults, How, Match, Origin, UNTIL_CLEARED, WebhookFault};
use crate::refusal::Refusal;

/// Long enough to be seen, shorter than callers wait.
const LATE: Duration = Duration::from_secs(3);

pub(super) fn routes() -> Router<App> {
    Router::new().route("/simulator/faults", post(add).delete(clear))
}

/// A fault to choose.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Switch {
    ServerError,
    RateLimit,
    Unauthorized,
    Cut,
    Slow,
    LostAnswer,
    Down,
    WebhookLost,
    WebhookTwice,
    WebhookWrongSignature,
    WebhookDelayed,
}

enum Effect {
    OnCalls(Fault),
    OnWebhooks(WebhookFault),
}

impl Switch {
    const ALL: [Self; 11] = [
        Self::ServerError,
        Self::RateLimit,
        Self::Unauthorized,
        Self::Cut,
        Self::Slow,
        Self::LostAnswer,
        Self::Down,
        Self::WebhookLost,
        Self::WebhookTwice,
        Self::WebhookWrongSignature,
        Self::WebhookDelayed,
    ];

    fn effect(self) -> Effect {
        let next = |how| Effect::OnCalls(Fault::new(Match::any(), how));
        match self {
            Self::ServerError => next(How::status(500)),
            Self::RateLimit => next(How::rate_limit(2)),
            Self::Unauthorized => next(How::status(401)),
            Self::Cut => next(How::Cut),
            Self::Slow => Effect::OnCalls(Fault::new(Match::any(), How::Delay(LATE)).after_effect()),
            // A read with a lost response is the same as a cut.
            Self::LostAnswer => Effect::OnCalls(Fault::new(Match::any().method("POST"), How::Cut).after_effect()),
            Self::Down => Effect::OnCalls(Fault::new(Match::any(), How::status(503)).times(UNTIL_CLEARED)),
            Self::WebhookLost => Effect::OnWebhooks(WebhookFault::Drop),
            Self::WebhookTwice => Effect::OnWebhooks(WebhookFault::Duplicate),
            Self::WebhookWrongSignature => Effect::OnWebhooks(WebhookFault::CorruptSignature),
            Self::WebhookDelayed => Effect::OnWebhooks(WebhookFault::Delay(LATE)),
        }
    }

    /// The switch of a pending fault; faults set by tests have none.
    fn of_call(fault: &Fault) -> Option<Self> {
        let same = |own: &Fault| own.on == fault.on && own.how == fault.how && own.when == fault.when;
        Self::ALL.into_iter().find(|switch| matches!(switch.effect(), Effect::OnCalls(own) if same(&own)))
    }

    fn of_webhook(fault: &WebhookFault) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| matches!(switch.effect(), Effect::OnWebhooks(own) if own == *fault))
    }
}

#[derive(Deserialize)]
struct Order {
    fault: Switch,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

async fn add(State(app): State<App>, Json(it): Json<Order>) -> Reply {
    if it.times == 0 {
        return Err(Refusal::invalid("TIMES_NOT_POSITIVE"));
    }
    match it.fault.effect() {
        Effect::OnCalls(fault) if fault.times == UNTIL_CLEARED => app.faults.add(fault, Origin::Explorer),
        Effect::OnCalls(fault) => app.faults.add(fault.times(it.times), Origin::Explorer),
        Effect::OnWebhooks(fault) => app.faults.add_webhook(None, fault, it.times, Origin::Explorer),
    }
    Ok(Json(json!({ "faults": waiting(&app.faults) })))
}

async fn clear(State(app): State<App>) -> Json<Value> {
    app.faults.clear();
    Json(json!({ "faults": waiting(&app.faults) }))
}

/// The faults still to come, calls before webhooks; `left` is null for those that stay until cleared.
pub(super) fn waiting(faults: &Faults) -> Vec<Value> {
    let view =
        |switch: Option<Switch>, left: u32| json!({ "fault": switch, "left": (left != UNTIL_CLEARED).then_some(left) });
    let calls = faults.calls_waiting().into_iter().map(|(fault, left)| view(Switch::of_call(&fault), left));
    let webhooks = faults.webhooks_waiting().into_iter().map(|(fault, left)| view(Switch::of_webhook(&fault), left));
    calls.chain(webhooks).collect()
}

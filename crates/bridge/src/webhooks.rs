//! What Freshworks, the ticket desk and the platform bring.

mod freshchat;
pub mod inbox;
mod platform;
pub(crate) mod ticket;

use handoff_contract::model::Timestamp;

use crate::http::problem::Problem;
use crate::service::Service;

/// The problem of a genuine webhook that is too old.
pub(crate) const STALE: &str = "stale";

pub(crate) fn stale() -> Problem {
    Problem::new(422, STALE, "the webhook is older than any that is still repeated")
        .with_remedy("See whether the clocks are right. The variable stale_after_hours says what is too old.")
        .logged("a genuine webhook was refused: it is too old")
}

impl Service<'_> {
    /// Without a time there is nothing to tell by, and what comes from the future is at worst a wrong clock.
    pub(crate) fn is_stale(&self, sent_at: Option<Timestamp>, now: Timestamp) -> bool {
        let most = self.policy.stale_after_ms;
        most > 0 && sent_at.is_some_and(|sent_at| now.saturating_sub(sent_at) > most)
    }
}

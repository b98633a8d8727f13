//! How end users rate the human part, on its way to Freshworks.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::use_cases::rate;
use handoff_contract::model::{ConversationKey, Rating};

use crate::handoffs::handoff_id;
use crate::http::OutgoingResponse;
use crate::http::problem::Problem;
use crate::http::responses::RelayedResponse;
use crate::service::Service;
use crate::state::Connection;

impl Service<'_> {
    /// Passes a rating on. One whose sending was cut off is not sent again: whether Freshworks has it cannot be read.
    pub(crate) fn rate(&self, connection: &Connection, id: &str, rating: &Rating) -> Result<OutgoingResponse, Problem> {
        let doing = format!("rating:{}", digest(&[&rating.id], 8));
        let (mut work, session) = self.work_on(connection, id, &doing)?;
        match rate::rate(&work.http, &connection.settings, &session, rating, work.is_retry()) {
            Ok(update) => {
                work.take(update.session, update.info.as_ref());
                let handoff = work.save(&[])?;
                Ok(OutgoingResponse::ok(RelayedResponse { handoff: (&handoff).into(), findings: update.findings }))
            }
            Err(error) => Err(work.failed(error)),
        }
    }

    /// A rating that a webhook has brought. What can never be passed on is no reason to send the webhook again.
    pub(crate) fn rate_by_webhook(
        &self,
        connection: &Connection,
        key: &ConversationKey,
        rating: &Rating,
    ) -> Result<(), Problem> {
        let id = handoff_id(key);
        let stored = self.state.handoff(&connection.id, &id)?;
        // A conversation that no human agent had.
        if stored.is_none_or(|stored| stored.session.is_none()) {
            return Ok(());
        }
        match self.rate(connection, &id, rating) {
            Err(problem) if problem.status < 500 => {
                self.warn(&connection.id, &id, &format!("a rating was left out: {}", problem.detail));
                Ok(())
            }
            rated => rated.map(drop),
        }
    }
}

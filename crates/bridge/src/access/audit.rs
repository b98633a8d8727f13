//! Who changed what, and when. Without secrets, and without a word of end users.

use handoff_contract::model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::http::OutgoingResponse;
use crate::http::problem::Problem;
use crate::http::responses::AuditResponse;
use crate::metrics::log::Level;
use crate::service::Service;
use crate::state::{NEVER, Record};

/// The kind of its records.
const AUDIT: &str = "audit";
/// Entries that are kept; the oldest go first.
pub const MAX_ENTRIES: u32 = 1_000;
/// Longest detail, in characters.
const MAX_CHARS: usize = 300;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// The name of the token that was used: `api_token` for the variable, `nobody` for none.
    pub who: String,
    /// What: `connection-saved`, `connection-restored`, `connection-removed`, `webhook-secret-changed`, `token-created`,
    /// `token-revoked`, `secrets-rotated`, `logged-in`, `logged-out` or `address-refused`.
    pub what: String,
    /// Which connection it is about, if one.
    pub connection: Option<String>,
    /// More about it: names of what has changed, never values.
    pub detail: String,
}

impl Service<'_> {
    /// Writes an entry. The change has been made: where the entry cannot be written, the log says so.
    pub(crate) fn audit(&self, who: &str, what: &str, connection: Option<&str>, detail: String) {
        let at = (self.clock)();
        let detail = detail.chars().take(MAX_CHARS).collect();
        let (who, what, connection) = (who.to_owned(), what.to_owned(), connection.map(str::to_owned));
        let entry = AuditEntry { at, who, what, connection, detail };
        let drawn: String = (self.draw)().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        // By their names they are in order.
        let value = serde_json::to_string(&entry).unwrap_or_default();
        let record = Record { name: format!("{at:015}-{}-{drawn}", entry.what), value, expires_at: NEVER };
        let written = self.state.put_record(AUDIT, &record, at, false);
        if let Err(error) = written.and_then(|_| self.state.trim_records(AUDIT, at, MAX_ENTRIES)) {
            let message = format!("the audit log misses an entry: {} {}: {}", entry.who, entry.what, error.0);
            self.say(Level::Error, entry.connection.as_deref().unwrap_or_default(), "", &message);
        }
    }

    pub(crate) fn audit_log(&self, now: Timestamp) -> Result<OutgoingResponse, Problem> {
        let records = self.state.records(AUDIT, now, MAX_ENTRIES)?;
        let entries = records.iter().filter_map(|record| serde_json::from_str(&record.value).ok()).collect();
        Ok(OutgoingResponse::ok(AuditResponse { entries }))
    }
}

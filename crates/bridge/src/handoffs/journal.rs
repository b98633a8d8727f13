//! What happened to a handoff, step by step: for whoever has to find out why. Holds no word of anybody.

use handoff_contract::model::Timestamp;
use serde::{Deserialize, Serialize};

/// Entries that are kept of one handoff; the oldest go first.
pub const MAX_ENTRIES: usize = 80;
/// Longest text in an entry, in characters: names of topics and groups can be long.
const MAX_CHARS: usize = 120;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum What {
    /// A request to Freshworks or to the platform was answered, or not.
    Call {
        /// Upper case.
        method: String,
        /// With `{id}` where an id stands, without query.
        path: String,
        /// The HTTP status; null when no complete answer came.
        status: Option<u16>,
        /// How long it took. Requests that go out together take as long as the slowest of them.
        ms: u64,
    },
    /// The handoff went into another state, or to another owner.
    State {
        /// A word of the contract's `session-state`.
        state: String,
        /// A word of the contract's `owner`.
        owner: String,
    },
    /// The platform was told.
    Event {
        /// A word of the contract's `event-kind`.
        event: String,
        /// A word of the contract's `outcome`, where it has ended.
        outcome: Option<String>,
    },
    /// Something was chosen.
    Decision {
        /// About what.
        subject: String,
        /// By which rule of the manual.
        rule: String,
        /// What.
        choice: String,
    },
    /// Freshworks has said how long others wait.
    Estimate {
        /// On average in the last hour; null where that is not known.
        average_wait_seconds: Option<u32>,
        /// Conversations that wait; null where that is not known.
        waiting: Option<u32>,
    },
    /// The end user's message went over.
    Relayed,
    /// Something failed.
    Failure {
        /// A word of the contract's `error-kind`, or of the API.
        problem: String,
        /// For the admin.
        detail: String,
    },
}

impl What {
    /// A request that was sent.
    pub fn call(method: &str, path: &str, status: Option<u16>, ms: u64) -> Self {
        Self::Call { method: method.to_owned(), path: template(path), status, ms }
    }

    /// A choice. Its text is cut where it is long.
    pub fn decision(subject: &str, rule: &str, choice: &str) -> Self {
        Self::Decision { subject: subject.to_owned(), rule: rule.to_owned(), choice: cut(choice) }
    }

    /// A failure. Its text is cut where it is long.
    pub fn failure(problem: &str, detail: &str) -> Self {
        Self::Failure { problem: problem.to_owned(), detail: cut(detail) }
    }
}

/// Puts entries behind those that are there, and lets the oldest go.
pub fn append(journal: &mut Vec<Entry>, entries: impl IntoIterator<Item = Entry>) {
    journal.extend(entries);
    let surplus = journal.len().saturating_sub(MAX_ENTRIES);
    journal.drain(..surplus);
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

/// The words in paths of Freshworks and of platforms. Whatever else stands in one names a person, a conversation or a file.
const WORDS: [&str; 30] = [
    "accounts",
    "agents",
    "ai_agent",
    "ai_agent_context",
    "ai_agents",
    "api",
    "business-hours",
    "channels",
    "configuration",
    "conversations",
    "csat",
    "fields",
    "files",
    "group_channels",
    "groups",
    "historical",
    "images",
    "invite",
    "leave",
    "messages",
    "metrics",
    "notes",
    "settings",
    "tickets",
    "upload",
    "users",
    "v2",
    "v3",
    "webhook",
    "within-bh",
];

/// A path without its query, and without what names one person, conversation or file.
fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let is_known = |segment: &str| segment.is_empty() || WORDS.contains(&segment);
    let word = |segment| if is_known(segment) { segment } else { "{id}" };
    path.split('/').map(word).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_words_and_lose_ids() {
        for (path, wanted) in [
            ("/v2/conversations/0e5f-11/messages", "/v2/conversations/{id}/messages"),
            ("/v2/users?reference_id=ana", "/v2/users"),
            ("/v2/agents?page=1", "/v2/agents"),
            ("/v2/metrics/historical?metric=x&start=y", "/v2/metrics/historical"),
            ("/v2/csat/0e5f-11", "/v2/csat/{id}"),
            ("/files/Ana%27s%20letter.pdf", "/files/{id}"),
            ("/api/v2/tickets/17/notes", "/api/v2/tickets/{id}/notes"),
            ("/v3/users/ana/", "/v3/users/{id}/"),
        ] {
            assert_eq!(template(path), wanted);
        }
    }

    #[test]
    fn the_oldest_entries_go_first() {
        let mut journal = Vec::new();
        let entry = |at: usize| Entry { at: at as u64, what: What::Relayed };
        append(&mut journal, (0..MAX_ENTRIES + 3).map(entry));
        assert_eq!((journal.len(), journal[0].at), (MAX_ENTRIES, 3));
    }
}

//! What happened to a handoff, step by step: for whoever has to find out why. Holds no word of anybody.

use handoff_contract::model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// Entries that are kept of one handoff; the oldest go first.
pub const MAX_ENTRIES: usize = 80;
/// Longest text in an entry, in characters: names of topics and groups can be long.
const MAX_CHARS: usize = 120;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// An entry as it stands in JSON. Derived from [`What`], reading would hold each in a tree first: with 80 of them, that took most of the
/// time that a webhook takes here besides its signature.
#[derive(Deserialize)]
struct Flat {
    at: Timestamp,
    kind: Kind,
    method: Option<String>,
    path: Option<String>,
    status: Option<u16>,
    ms: Option<u64>,
    state: Option<String>,
    owner: Option<String>,
    event: Option<String>,
    outcome: Option<String>,
    subject: Option<String>,
    rule: Option<String>,
    choice: Option<String>,
    average_wait_seconds: Option<u32>,
    waiting: Option<u32>,
    problem: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Call,
    State,
    Event,
    Decision,
    Estimate,
    Relayed,
    Failure,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        fn there<T, E: serde::de::Error>(name: &'static str, value: Option<T>) -> Result<T, E> {
            value.ok_or_else(|| E::missing_field(name))
        }
        let it = Flat::deserialize(from)?;
        let what = match it.kind {
            Kind::Call => What::Call {
                method: there("method", it.method)?,
                path: there("path", it.path)?,
                status: it.status,
                ms: there("ms", it.ms)?,
            },
            Kind::State => What::State { state: there("state", it.state)?, owner: there("owner", it.owner)? },
            Kind::Event => What::Event { event: there("event", it.event)?, outcome: it.outcome },
            Kind::Decision => What::Decision {
                subject: there("subject", it.subject)?,
                rule: there("rule", it.rule)?,
                choice: there("choice", it.choice)?,
            },
            Kind::Estimate => What::Estimate { average_wait_seconds: it.average_wait_seconds, waiting: it.waiting },
            Kind::Relayed => What::Relayed,
            Kind::Failure => {
                What::Failure { problem: there("problem", it.problem)?, detail: there("detail", it.detail)? }
            }
        };
        Ok(Self { at: it.at, what })
    }
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
    fn every_kind_of_entry_is_read_as_it_was_written() {
        let text = str::to_owned;
        let all = [
            What::call("GET", "/v2/users/u-1", Some(200), 7),
            What::call("GET", "/v2/users/u-1", None, 7),
            What::State { state: text("queued"), owner: text("human-agent") },
            What::Event { event: text("agent-message"), outcome: None },
            What::Event { event: text("returned-to-ai"), outcome: Some(text("resolved")) },
            What::decision("topic", "first", "Support"),
            What::Estimate { average_wait_seconds: Some(3), waiting: None },
            What::Relayed,
            What::failure("unavailable", "away"),
        ];
        for what in all {
            let entry = Entry { at: 1, what };
            let json = serde_json::to_string(&entry).unwrap();
            assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry, "{json}");
        }
        for wrong in [r#"{"at":1,"kind":"new"}"#, r#"{"at":1}"#, r#"{"at":1,"kind":"state","state":"queued"}"#] {
            assert!(serde_json::from_str::<Entry>(wrong).is_err(), "{wrong}");
        }
    }

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

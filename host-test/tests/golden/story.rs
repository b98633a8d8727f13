//! A conversation from a JSON file: the request, the settings, and the steps after the handoff.

use std::path::Path;

use freshworks_simulator::{AgentSpec, Config, GroupSpec};
use handoff_host::bindings::{HandoffRequest, Part, PartKind};
use handoff_host::json;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Placeholder in the file for the address from which the plugin may fetch the end user's files.
pub(crate) const FILE_HOST: &str = "{file host}";

/// One conversation, from the handoff on.
pub(crate) struct Story {
    pub(crate) people: People,
    /// Settings in addition to those for the account's access.
    pub(crate) settings: Map<String, Value>,
    /// As `host-test handoff --request` reads it.
    pub(crate) request: HandoffRequest,
    pub(crate) script: Vec<Act>,
}

/// Who works at the help desk.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    /// Name and e-mail address of each.
    agents: Vec<(String, String)>,
    groups: Vec<String>,
}

/// One thing that happens after the handoff. Human agents and groups are given by name.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Act {
    /// The end user writes: a text, or parts as in `wit/connector.wit`.
    UserWrites { text: Option<String>, parts: Option<Value> },
    /// A human agent takes the conversation.
    AgentTakes { agent: String },
    /// A human agent gives the conversation to a colleague or a group.
    AgentTransfers { agent: String, to_agent: Option<String>, to_group: Option<String> },
    /// A human agent answers.
    AgentReplies { agent: String, text: String },
    /// A human agent answers with Freshchat message parts.
    AgentRepliesWith { agent: String, parts: Vec<Value> },
    /// A human agent writes a private note.
    AgentNotes { agent: String, text: String },
    /// A human agent resolves the conversation.
    AgentResolves { agent: String },
    /// A human agent opens the resolved conversation again.
    AgentReopens { agent: String },
    /// The platform ends the human part; the reason as in `wit/connector.wit`.
    PlatformCloses { reason: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    people: People,
    #[serde(default)]
    settings: Map<String, Value>,
    request: Value,
    script: Vec<Act>,
}

impl Story {
    /// Reads it, with the address at which the end user's files lie.
    pub(crate) fn read(file: &Path, file_host: &str) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let text = text.replace(FILE_HOST, file_host);
        let File { people, settings, request, script } =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let request = json::from_json(&request.to_string(), "request").unwrap_or_else(|error| panic!("{error}"));
        Self { people, settings, request, script }
    }
}

impl People {
    /// An account in which they work.
    pub(crate) fn account(&self) -> Config {
        let agents = self.agents.iter().map(|(name, email)| AgentSpec::named(name, email)).collect();
        let groups = self.groups.iter().map(|name| GroupSpec::named(name)).collect();
        Config { agents, groups, ..Config::default() }
    }
}

/// The parts of a message of the end user.
pub(crate) fn parts_of(text: Option<&str>, parts: Option<&Value>) -> Vec<Part> {
    match (text, parts) {
        (Some(text), None) => vec![Part {
            kind: PartKind::Text,
            text: Some(text.to_owned()),
            url: None,
            name: None,
            media_type: None,
            bytes: None,
            choices: None,
        }],
        (None, Some(parts)) => json::from_json(&parts.to_string(), "parts").unwrap_or_else(|error| panic!("{error}")),
        _ => panic!("the end user writes either a text or parts"),
    }
}

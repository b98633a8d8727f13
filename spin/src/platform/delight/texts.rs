//! What the end user reads besides the human agents' words.

use serde::{Deserialize, Serialize};

/// Lines in the channel. An empty one is not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Texts {
    /// How a human agent is called whose name is not known.
    pub agent: String,
    /// A human agent takes the conversation; `{name}` is replaced.
    pub joined: String,
    /// It moves to a group or to another human agent.
    pub transferred: String,
    /// Human agents have brought it back.
    pub reopened: String,
    /// The AI agent answers again.
    pub returned: String,
    /// A ticket was filed instead.
    pub ticketed: String,
    /// No human agent can be reached.
    pub failed: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            agent: "Support".to_owned(),
            joined: "{name} joined the conversation.".to_owned(),
            transferred: "The conversation was passed on to a colleague.".to_owned(),
            reopened: "The support team has reopened the conversation.".to_owned(),
            returned: "The support team has left the conversation.".to_owned(),
            ticketed: "Nobody is there at the moment. The support team has got your request and will answer it."
                .to_owned(),
            failed: "The support team cannot be reached at the moment.".to_owned(),
        }
    }
}

//! What the end user reads besides the human agents' words.

use freshworks_handoff::model::WaitEstimate;
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
    /// How long others have waited, where the settings of the account ask for it; `{minutes}` is replaced.
    pub average_wait: String,
    /// How many others wait; `{count}` is replaced.
    pub waiting: String,
}

impl Texts {
    /// What is known of the wait, on one line; empty where nothing is, or nothing is to be told. Minutes are rounded up.
    pub(super) fn of_estimate(&self, estimate: &WaitEstimate) -> String {
        let average = estimate
            .average_wait_seconds
            .map(|seconds| self.average_wait.replace("{minutes}", &seconds.div_ceil(60).max(1).to_string()));
        let waiting = estimate.waiting.map(|count| self.waiting.replace("{count}", &count.to_string()));
        let lines = [average, waiting].into_iter().flatten().filter(|line| !line.trim().is_empty());
        lines.collect::<Vec<_>>().join(" ")
    }
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
            average_wait: "Average wait in the last hour: {minutes} min.".to_owned(),
            waiting: "Others who are waiting: {count}.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_of_the_wait_is_told() {
        let texts = Texts::default();
        let of = |average_wait_seconds, waiting| texts.of_estimate(&WaitEstimate { average_wait_seconds, waiting });
        assert_eq!(of(Some(61), Some(3)), "Average wait in the last hour: 2 min. Others who are waiting: 3.");
        assert_eq!(of(Some(0), None), "Average wait in the last hour: 1 min.");
        assert_eq!(of(None, Some(0)), "Others who are waiting: 0.");
        assert_eq!(of(None, None), "");
        let silent = Texts { average_wait: " ".into(), ..Texts::default() };
        let both = WaitEstimate { average_wait_seconds: Some(61), waiting: Some(3) };
        assert_eq!(silent.of_estimate(&both), "Others who are waiting: 3.");
    }
}

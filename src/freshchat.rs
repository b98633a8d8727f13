//! Freshchat's API v2: its calls, and what its JSON means.

use crate::http::client::{self, Client};
use handoff_contract::model::{AgentId, Sender, SenderRole};

pub(crate) mod endpoints;
pub mod metrics;
pub mod parts;
pub mod ratings;
pub(crate) mod wire;

use endpoints::GetAgent;

/// A human agent's name and photo, as far as they can be had: a message without a name is better than none.
pub(crate) fn human_agent(freshchat: &Client<'_>, id: &AgentId) -> Sender {
    let response = freshchat.send(freshchat.request(&GetAgent { id: id.clone() }));
    // Not sent again: the webhook that waits for it is worth more than the name.
    let found = client::read::<GetAgent>(response).ok().filter(|agent| agent.id == *id);
    let (name, avatar_url) = found.map_or((None, None), |agent| (agent.display_name(), agent.avatar_url));
    Sender { role: SenderRole::HumanAgent, id: Some(id.0.clone()), name, avatar_url }
}

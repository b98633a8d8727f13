//! The human agents' side, and the user's widget: what people do in the product.
//!
//! Each act changes the account at once, waits until its webhooks were first tried, and returns those tries. Without
//! a webhook URL they are recorded, not sent.

use serde_json::{Value, json};

use crate::delivery::Delivery;
use crate::desk::{Changes, Desk, Door, NewMessage};
use crate::refusal::Refusal;
use crate::store::{Actor, ActorType, MessageType, Status};
use crate::{Inner, Simulator};

/// The assignee of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignee<'a> {
    /// A human agent, by id.
    Agent(&'a str),
    /// A group, by id; no agent has it then.
    Group(&'a str),
    /// No assignee: back to the queue.
    Nobody,
}

impl Simulator {
    /// A human agent answers the user.
    ///
    /// # Errors
    /// As `POST /v2/conversations/{id}/messages`: unknown conversation or agent, conversation superseded.
    pub async fn reply(&self, conversation: &str, agent: &str, text: &str) -> Result<Vec<Delivery>, Refusal> {
        self.inner.agent_writes(conversation, agent, MessageType::Normal, text).await
    }

    /// A human agent answers with any message parts, such as `[{"image": {"url": ...}}]`.
    ///
    /// # Errors
    /// As [`Simulator::reply`].
    pub async fn reply_parts(
        &self,
        conversation: &str,
        agent: &str,
        parts: Vec<Value>,
    ) -> Result<Vec<Delivery>, Refusal> {
        self.inner.agent_posts(conversation, agent, MessageType::Normal, parts).await
    }

    /// A human agent writes a private note, which the user must never see.
    ///
    /// # Errors
    /// As [`Simulator::reply`].
    pub async fn note(&self, conversation: &str, agent: &str, text: &str) -> Result<Vec<Delivery>, Refusal> {
        self.inner.agent_writes(conversation, agent, MessageType::Private, text).await
    }

    /// A human agent assigns the conversation, possibly to themselves.
    ///
    /// # Errors
    /// Unknown conversation, agent or group.
    pub async fn assign(&self, conversation: &str, by_agent: &str, to: Assignee<'_>) -> Result<Vec<Delivery>, Refusal> {
        self.inner.agent_assigns(conversation, by_agent, to).await
    }

    /// A human agent resolves the conversation.
    ///
    /// # Errors
    /// Unknown conversation or agent.
    pub async fn resolve(&self, conversation: &str, agent: &str) -> Result<Vec<Delivery>, Refusal> {
        self.inner.agent_sets_status(conversation, agent, Status::Resolved).await
    }

    /// A human agent opens a resolved conversation again.
    ///
    /// # Errors
    /// Unknown conversation or agent, conversation superseded.
    pub async fn reopen(&self, conversation: &str, agent: &str) -> Result<Vec<Delivery>, Refusal> {
        self.inner.agent_sets_status(conversation, agent, Status::Reopened).await
    }

    /// A user writes in the widget: a conversation that does not come from the API. Returns its id.
    ///
    /// # Errors
    /// Unknown topic or user.
    pub async fn user_starts(&self, topic: &str, user: &str, text: &str) -> Result<(String, Vec<Delivery>), Refusal> {
        let act = self.inner.product_act(|desk| {
            if desk.store.topic(topic).is_none() {
                return Err(Refusal::not_found("channel"));
            }
            let message = NewMessage::text(user_actor(desk, user)?, MessageType::Normal, text);
            let (id, _) = desk.create(topic, user, vec![message], Changes::default(), Door::Product)?;
            Ok(id)
        });
        act.await
    }

    /// A user writes on in the widget; that may reopen the conversation.
    ///
    /// # Errors
    /// Unknown conversation, conversation superseded.
    pub async fn user_writes(&self, conversation: &str, text: &str) -> Result<Vec<Delivery>, Refusal> {
        let act = self.inner.product_act(|desk| {
            let user = desk.conversation(conversation)?.user_id.clone();
            let message = NewMessage::text(user_actor(desk, &user)?, MessageType::Normal, text);
            desk.post(conversation, message, Door::Product).map(drop)
        });
        act.await.map(|((), deliveries)| deliveries)
    }

    /// Freshchat itself says something, such as an automatic reply.
    ///
    /// # Errors
    /// Unknown conversation, conversation superseded.
    pub async fn system_says(&self, conversation: &str, text: &str) -> Result<Vec<Delivery>, Refusal> {
        let act = self.inner.product_act(|desk| {
            let id = desk.store.account.service_account_id.clone();
            let actor = Actor { kind: ActorType::System, id };
            desk.post(conversation, NewMessage::text(actor, MessageType::Normal, text), Door::Product).map(drop)
        });
        act.await.map(|((), deliveries)| deliveries)
    }
}

impl Inner {
    pub(crate) async fn agent_writes(
        &self,
        conversation: &str,
        agent: &str,
        message_type: MessageType,
        text: &str,
    ) -> Result<Vec<Delivery>, Refusal> {
        self.agent_posts(conversation, agent, message_type, vec![json!({ "text": { "content": text } })]).await
    }

    pub(crate) async fn agent_posts(
        &self,
        conversation: &str,
        agent: &str,
        message_type: MessageType,
        parts: Vec<Value>,
    ) -> Result<Vec<Delivery>, Refusal> {
        let act = self.product_act(|desk| {
            let actor = agent_actor(desk, agent)?;
            let message = NewMessage { actor, message_type, parts, reply_parts: None };
            desk.post(conversation, message, Door::Product).map(drop)
        });
        act.await.map(|((), deliveries)| deliveries)
    }

    pub(crate) async fn agent_assigns(
        &self,
        conversation: &str,
        by_agent: &str,
        to: Assignee<'_>,
    ) -> Result<Vec<Delivery>, Refusal> {
        let act = self.product_act(|desk| {
            let actor = agent_actor(desk, by_agent)?;
            let mut changes = Changes::default();
            match to {
                Assignee::Agent(id) => changes.agent = Some(Some(agent_actor(desk, id)?.id)),
                Assignee::Group(id) => {
                    desk.store.group(id).ok_or_else(|| Refusal::not_found("group"))?;
                    (changes.agent, changes.group) = (Some(None), Some(Some(id.to_owned())));
                }
                Assignee::Nobody => (changes.agent, changes.group) = (Some(None), Some(None)),
            }
            desk.change(conversation, &actor, changes, Door::Product)
        });
        act.await.map(|((), deliveries)| deliveries)
    }

    pub(crate) async fn agent_sets_status(
        &self,
        conversation: &str,
        agent: &str,
        status: Status,
    ) -> Result<Vec<Delivery>, Refusal> {
        let act = self.product_act(|desk| {
            let actor = agent_actor(desk, agent)?;
            let was = desk.conversation(conversation)?.status;
            // Opening an open conversation changes nothing; the desk offers it only for resolved ones.
            if status == Status::Reopened && was != Status::Resolved {
                return Ok(());
            }
            desk.change(conversation, &actor, Changes { status: Some(status), ..Changes::default() }, Door::Product)
        });
        act.await.map(|((), deliveries)| deliveries)
    }

    /// Performs an act, and waits until its webhooks were tried.
    async fn product_act<R>(
        &self,
        act: impl FnOnce(&mut Desk<'_>) -> Result<R, Refusal>,
    ) -> Result<(R, Vec<Delivery>), Refusal> {
        let (result, receipts) = self.act(act);
        let mut deliveries = Vec::new();
        for receipt in receipts {
            deliveries.extend(receipt.await.unwrap_or_default());
        }
        result.map(|result| (result, deliveries))
    }
}

fn agent_actor(desk: &Desk<'_>, id: &str) -> Result<Actor, Refusal> {
    desk.store.agent(id).ok_or_else(|| Refusal::not_found("agent"))?;
    Ok(Actor { kind: ActorType::Agent, id: id.to_owned() })
}

fn user_actor(desk: &Desk<'_>, id: &str) -> Result<Actor, Refusal> {
    desk.store.users.get(id).ok_or_else(|| Refusal::not_found("user"))?;
    Ok(Actor { kind: ActorType::User, id: id.to_owned() })
}

//! The content of an account. Data only; the rules are in `desk.rs`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::config::{AgentSpec, Behaviour, Config, GroupSpec, TopicSpec, UserSpec};
use crate::ids::{Clock, IdForm, Ids};
use crate::table::Table;

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorType {
    /// The end user.
    User,
    /// A human agent.
    Agent,
    /// Freshchat itself, and bots once they are stored.
    System,
    /// A bot, as callers name it.
    Bot,
}

/// Who acted, with the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The kind.
    pub kind: ActorType,
    /// A user's, an agent's or the service account's id.
    pub id: String,
}

/// Who may see a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageType {
    /// Everybody.
    Normal,
    /// Human agents only.
    Private,
    /// A line by Freshchat about the conversation.
    System,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its author.
    pub actor: Actor,
    /// Who may see it.
    pub message_type: MessageType,
    /// Its parts, as the API shows them.
    pub parts: Vec<Value>,
    /// Its reply parts, if any.
    pub reply_parts: Option<Value>,
    /// When it was made: milliseconds since 1970, unique in the account.
    pub created_ms: i64,
    /// The stretch of the conversation it belongs to.
    pub interaction_id: String,
    /// `api`, `web` or `system`.
    pub source: &'static str,
    /// Marks of system lines: `isReopen`, `isResolved`. The values are texts.
    pub meta_data: Option<Value>,
}

impl Message {
    /// The text parts, one per line.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| {
            let value = part.get("text").or_else(|| part.get("email"))?;
            value.get("content")?.as_str()
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// The status of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Status {
    /// Open, unassigned.
    #[serde(rename = "new")]
    New,
    /// Open, with an agent.
    #[serde(rename = "assigned")]
    Assigned,
    /// Closed.
    #[serde(rename = "resolved")]
    Resolved,
    /// Open again.
    #[serde(rename = "reopened")]
    Reopened,
    /// Open, waiting for the user. With spaces in the vendor's own client.
    #[serde(rename = "waiting on customer")]
    WaitingOnCustomer,
    /// Open, waiting for colleagues.
    #[serde(rename = "waiting on internal team")]
    WaitingOnInternalTeam,
}

impl Status {
    /// The status of this name, as the API spells it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "new" => Self::New,
            "assigned" => Self::Assigned,
            "resolved" => Self::Resolved,
            "reopened" => Self::Reopened,
            "waiting on customer" => Self::WaitingOnCustomer,
            "waiting on internal team" => Self::WaitingOnInternalTeam,
            _ => return None,
        })
    }
}

/// One conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// The id in paths and webhooks.
    pub id: String,
    /// The number in links for agents, and in `freshchat_conversation_id`.
    pub internal_id: u64,
    /// Its topic.
    pub channel_id: String,
    /// Its user.
    pub user_id: String,
    /// Its status.
    pub status: Status,
    /// Who has it.
    pub assigned_agent_id: Option<String>,
    /// Which group has it.
    pub assigned_group_id: Option<String>,
    /// `priority` and custom fields.
    pub properties: Map<String, Value>,
    /// Its messages, oldest first: users' and agents' messages, private notes, system lines.
    pub messages: Vec<Message>,
    /// The stretch since it was opened last.
    pub interaction_id: String,
    /// When it was made: milliseconds since 1970.
    pub created_ms: i64,
    /// When it changed last: milliseconds since 1970.
    pub updated_ms: i64,
    /// True if the user has a newer one in the same topic: this one takes no more messages.
    pub superseded: bool,
}

impl Conversation {
    /// The messages a user sees: no private notes, no system lines.
    pub fn visible_messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(|message| message.message_type == MessageType::Normal)
    }
}

/// One user.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The id.
    pub id: String,
    /// The id in the organisation's directory.
    pub org_contact_id: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// The caller's own id.
    pub reference_id: Option<String>,
    /// The picture's URL.
    pub avatar_url: Option<String>,
    /// Custom properties, as name and value.
    pub properties: Vec<(String, String)>,
    /// When the user was made: milliseconds since 1970.
    pub created_ms: i64,
    /// When the user changed last: milliseconds since 1970.
    pub updated_ms: i64,
}

/// One topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// The channel id.
    pub id: String,
    /// The number in `freshchat_channel_id`.
    pub number: u64,
    /// Everything else.
    pub spec: TopicSpec,
    /// When it changed last: milliseconds since 1970.
    pub updated_ms: i64,
}

/// One human agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The agent's id.
    pub id: String,
    /// The id in the organisation's directory.
    pub org_id: String,
    /// Everything else.
    pub spec: AgentSpec,
    /// When the agent was made: milliseconds since 1970.
    pub created_ms: i64,
}

impl Agent {
    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.spec.first_name, self.spec.last_name).trim().to_owned()
    }
}

/// One group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The group's id.
    pub id: String,
    /// The id in the organisation's directory.
    pub org_id: String,
    /// Everything else.
    pub spec: GroupSpec,
}

/// An uploaded image or file.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The hash that refers to it in messages.
    pub hash: String,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// A user's rating of a conversation, received through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// The conversation.
    pub conversation: String,
    /// 1 to 5.
    pub score: u64,
    /// What the user wrote about it.
    pub comment: Option<String>,
}

/// The account's own facts.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) app_id: String,
    pub(crate) account_id: u64,
    pub(crate) organisation_id: u64,
    pub(crate) bundle_id: u64,
    pub(crate) web_chat_id: String,
    /// The actor of bots, of system lines, and of changes through the API.
    pub(crate) service_account_id: String,
}

/// Everything in one account.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) account: Account,
    pub(crate) topics: Vec<Topic>,
    pub(crate) agents: Vec<Agent>,
    pub(crate) groups: Vec<Group>,
    pub(crate) users: Table<User>,
    pub(crate) conversations: Table<Conversation>,
    /// The one conversation of a user in a topic that takes messages.
    pub(crate) latest: HashMap<(String, String), String>,
    pub(crate) uploads: HashMap<String, Upload>,
    pub(crate) ratings: Vec<Rating>,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
    /// The simulator's address, for links to uploads.
    pub(crate) origin: String,
}

impl Store {
    pub(crate) fn new(config: &Config, origin: String) -> Self {
        let mut ids = Ids::new(config.seed);
        let account = Account {
            name: config.account.clone(),
            app_id: ids.uuid(),
            account_id: ids.internal(),
            organisation_id: 860_999_941_381_430_793,
            bundle_id: 921_445_310_227_018_551,
            web_chat_id: ids.uuid(),
            service_account_id: ids.uuid(),
        };
        let mut store = Self {
            account,
            topics: Vec::new(),
            agents: Vec::new(),
            groups: Vec::new(),
            users: Table::new(),
            conversations: Table::new(),
            latest: HashMap::new(),
            uploads: HashMap::new(),
            ratings: Vec::new(),
            ids,
            clock: Clock::default(),
            origin,
        };
        for spec in &config.groups {
            store.add_group(spec.clone());
        }
        for spec in &config.topics {
            store.add_topic(spec.clone());
        }
        for spec in &config.agents {
            store.add_agent(spec.clone());
        }
        store
    }

    pub(crate) fn add_topic(&mut self, spec: TopicSpec) -> String {
        let id = self.ids.uuid();
        let (number, updated_ms) = (self.ids.channel_number(), self.clock.tick());
        self.topics.push(Topic { id: id.clone(), number, spec, updated_ms });
        id
    }

    pub(crate) fn add_agent(&mut self, spec: AgentSpec) -> String {
        let id = self.ids.uuid();
        let (org_id, created_ms) = (self.ids.organisation(), self.clock.tick());
        self.agents.push(Agent { id: id.clone(), org_id, spec, created_ms });
        id
    }

    pub(crate) fn add_group(&mut self, spec: GroupSpec) -> String {
        let id = self.ids.uuid();
        let org_id = self.ids.organisation();
        self.groups.push(Group { id: id.clone(), org_id, spec });
        id
    }

    pub(crate) fn add_user(&mut self, spec: UserSpec, behaviour: &Behaviour) -> String {
        let id = match behaviour.id_form {
            IdForm::Uuid => self.ids.uuid(),
            IdForm::Mixed => {
                let name: String =
                    spec.first_name.iter().flat_map(|name| name.chars()).filter(char::is_ascii_alphanumeric).collect();
                format!("{name}_alias{}", self.ids.hex32())
            }
        };
        let created_ms = self.clock.tick();
        let user = User {
            id: id.clone(),
            org_contact_id: self.ids.organisation(),
            first_name: spec.first_name,
            last_name: spec.last_name,
            email: spec.email,
            phone: spec.phone,
            reference_id: spec.reference_id,
            avatar_url: spec.avatar_url,
            properties: spec.properties,
            created_ms,
            updated_ms: created_ms,
        };
        self.users.insert(id.clone(), user);
        id
    }

    /// Removes a user, with the user's conversations.
    pub(crate) fn remove_user(&mut self, id: &str) {
        let own = self.conversations.rows().iter().filter(|conversation| conversation.user_id == id);
        for conversation in own.map(|conversation| conversation.id.clone()).collect::<Vec<_>>() {
            self.conversations.remove(&conversation);
        }
        self.latest.retain(|(user, _), _| user != id);
        self.users.remove(id);
    }

    pub(crate) fn topic(&self, id: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == id)
    }

    pub(crate) fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == id)
    }

    pub(crate) fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// The URL of an upload. Its name is included as far as it needs no escaping.
    pub(crate) fn upload_url(&self, upload: &Upload) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let name: String = upload.name.chars().map(plain).collect();
        format!("{}/uploads/{}/{name}", self.origin, upload.hash)
    }

    /// The actor's id in the organisation's directory, if there is one.
    pub(crate) fn org_actor_id(&self, actor: &Actor) -> Option<String> {
        match actor.kind {
            ActorType::User => self.users.get(&actor.id).map(|user| user.org_contact_id.clone()),
            ActorType::Agent => self.agent(&actor.id).map(|agent| agent.org_id.clone()),
            ActorType::System | ActorType::Bot => None,
        }
    }
}

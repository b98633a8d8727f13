//! The nouns of the contract, as plain Rust.
//!
//! They mirror the records of `wit/connector.wit`, where each field is explained for callers; here are only
//! the facts that matter inside. This file knows neither Freshworks nor WebAssembly.

use std::borrow::Cow;
use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Timestamp = u64;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as the vendor writes it. Opaque: never parsed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// Freshchat's id of its record of the end user.
    UserId
    /// Freshchat's id of a topic (`channel_id` in its API).
    ChannelId
    /// Freshchat's id of a conversation.
    ConversationId
    /// Freshchat's id of a message.
    MessageId
    /// Freshchat's id of a human agent.
    AgentId
    /// Freshchat's id of a group of human agents.
    GroupId
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum FindingLevel {
    /// Checked and right.
    Ok,
    /// Works, but not as well as it could.
    Warning,
    /// Does not work until somebody acts.
    Failure,
}

/// The result of one check, or one thing that was left out and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How serious it is.
    pub level: FindingLevel,
    /// What was found, for programs.
    pub code: &'static str,
    /// What was found, for people.
    pub detail: Cow<'static, str>,
    /// What the admin should do.
    pub remedy: Option<Cow<'static, str>>,
}

impl Finding {
    /// A check that came out right.
    pub fn ok(check: &'static str, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { check, level: FindingLevel::Ok, code, detail: detail.into(), remedy: None }
    }

    /// Something that works, but not as somebody may expect.
    pub fn warning(
        check: &'static str,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (detail, remedy) = (detail.into(), Some(remedy.into()));
        Self { check, level: FindingLevel::Warning, code, detail, remedy }
    }

    /// Something that does not work until somebody acts.
    pub fn failure(
        check: &'static str,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (detail, remedy) = (detail.into(), Some(remedy.into()));
        Self { check, level: FindingLevel::Failure, code, detail, remedy }
    }
}

/// The answer of `connect`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Connection {
    /// Live handoffs will work. Failures of parts that they do without (the ticket desk, optional names) leave it true.
    pub connected: bool,
    /// The account that the key opens.
    pub account: Option<String>,
    /// Every check that was made.
    pub findings: Vec<Finding>,
    /// The settings to keep, as JSON. Contains the secrets that were given.
    pub settings: String,
}

/// The platform's own name for a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct ConversationKey {
    /// The platform's tenant.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255), regex(pattern = r"\S")))]
    pub application: String,
    /// The place where the conversation happens.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255), regex(pattern = r"\S")))]
    pub channel: String,
    /// The conversation itself.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255), regex(pattern = r"\S")))]
    pub conversation: String,
}

/// The person who needs help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct EndUser {
    /// The platform's id for this person; becomes Freshchat's `reference_id`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255), regex(pattern = r"\S")))]
    pub id: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address, only when known.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^\s*$|^\S*@\S*$")))]
    pub email: Option<String>,
    /// The platform has checked that the mailbox belongs to this person. Only then does the address find a record or go into
    /// one; otherwise it is only shown to the human agent.
    #[cfg_attr(feature = "json", serde(default))]
    pub email_verified: bool,
    /// Phone number with country code.
    pub phone: Option<String>,
    /// As `email_verified`, for the phone number.
    #[cfg_attr(feature = "json", serde(default))]
    pub phone_verified: bool,
    /// BCP 47 language tag.
    pub locale: Option<String>,
    /// Public URL of a photo.
    pub avatar_url: Option<String>,
}

impl EndUser {
    /// The e-mail address, when it may identify this person.
    pub fn verified_email(&self) -> Option<&str> {
        verified(self.email.as_deref(), self.email_verified)
    }

    /// The phone number, when it may identify this person.
    pub fn verified_phone(&self) -> Option<&str> {
        verified(self.phone.as_deref(), self.phone_verified)
    }
}

// Once, not at each place.
#[inline(never)]
fn verified(address: Option<&str>, is_verified: bool) -> Option<&str> {
    address.filter(|_| is_verified).map(str::trim).filter(|address| !address.is_empty())
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum SenderRole {
    /// The person who needs help.
    EndUser,
    /// The platform's AI agent.
    AiAgent,
    /// A person who answers in the help desk.
    HumanAgent,
    /// Nobody.
    System,
}

/// The author of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct Sender {
    /// Who speaks.
    pub role: SenderRole,
    /// Id in the system that the sender belongs to.
    pub id: Option<String>,
    /// As people should see it.
    pub name: Option<String>,
    /// Public URL of a photo.
    pub avatar_url: Option<String>,
}

/// What a part of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum PartKind {
    /// Plain text.
    Text,
    /// A picture.
    Image,
    /// Any file.
    File,
    /// A film.
    Video,
    /// A sound.
    Audio,
    /// A link to press.
    Button,
    /// A question with set answers.
    Choices,
    /// Something that the contract has no word for.
    Unsupported,
}

impl PartKind {
    /// It has an address at which it can be read.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Image | Self::File | Self::Video | Self::Audio)
    }
}

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Text, caption or label.
    pub text: Option<String>,
    /// Where a file can be read, or where a button leads.
    pub url: Option<String>,
    /// File name.
    pub name: Option<String>,
    /// File type.
    pub media_type: Option<String>,
    /// File size in bytes.
    pub bytes: Option<u64>,
    /// Set answers.
    #[cfg_attr(feature = "json", serde(default))]
    pub choices: Vec<String>,
}

impl Part {
    /// A part of which nothing but its kind is known.
    pub fn empty(kind: PartKind) -> Self {
        Self { kind, text: None, url: None, name: None, media_type: None, bytes: None, choices: Vec::new() }
    }

    /// Bytes of everything in it that people may read.
    pub fn text_bytes(&self) -> usize {
        let texts = [&self.text, &self.url, &self.name, &self.media_type];
        let choices = self.choices.iter().map(String::len).sum::<usize>();
        texts.into_iter().flatten().map(String::len).sum::<usize>() + choices
    }

    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::empty(PartKind::Text) }
    }
}

/// One utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct Message {
    /// Unique within the conversation.
    pub id: String,
    /// The author.
    pub sender: Sender,
    /// When it was said.
    pub sent_at: Timestamp,
    /// In reading order.
    pub parts: Vec<Part>,
}

/// Where a handoff should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum Mode {
    /// The connector chooses.
    Automatic,
    /// A live conversation or nothing.
    Live,
    /// A ticket.
    Ticket,
}

/// Why the AI agent hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum Reason {
    /// The end user pressed a button.
    UserButton,
    /// The end user asked in words.
    UserAsked,
    /// A scripted flow.
    FlowStep,
    /// The AI agent's own decision.
    ModelDecision,
    /// A safety rule.
    Safety,
    /// A program.
    Api,
}

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum Priority {
    /// Can wait.
    Low,
    /// As usual.
    Medium,
    /// Sooner than others.
    High,
    /// At once.
    Urgent,
}

/// Who should get the conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct Routing {
    /// Topic by name.
    pub topic: Option<String>,
    /// Group by name or id.
    pub group: Option<String>,
    /// Human agent by id or e-mail address.
    pub agent: Option<String>,
    /// Urgency.
    pub priority: Option<Priority>,
    /// What the help desk's skill rules look for.
    pub skill: Option<String>,
}

/// Everything that a handoff needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct HandoffRequest {
    /// The platform's conversation.
    pub key: ConversationKey,
    /// The person.
    pub user: EndUser,
    /// Live conversation or ticket.
    pub mode: Mode,
    /// Why.
    pub reason: Reason,
    /// More about why.
    pub reason_text: Option<String>,
    /// What it is about.
    pub category: Option<String>,
    /// What happened so far.
    pub summary: Option<String>,
    /// Who said what, oldest first.
    #[cfg_attr(feature = "json", serde(default))]
    #[cfg_attr(feature = "schema", schemars(length(max = 10_000)))]
    pub history: Vec<Message>,
    /// Facts, as name and value.
    #[cfg_attr(feature = "json", serde(default))]
    pub context: Vec<(String, String)>,
    /// Who should get it.
    #[cfg_attr(feature = "json", serde(default))]
    pub routing: Routing,
    /// An earlier try may have got through.
    #[cfg_attr(feature = "json", serde(default))]
    pub retry: bool,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// What.
    pub action: &'static str,
    /// To which object.
    pub target: String,
    /// Counts and reasons.
    pub detail: Cow<'static, str>,
}

impl Step {
    /// A step done to `target`.
    pub fn new(action: &'static str, target: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { action, target: target.into(), detail: detail.into() }
    }
}

/// One choice that was made, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// What was chosen.
    pub subject: &'static str,
    /// The rule that chose it.
    pub rule: &'static str,
    /// An id, a name of the settings or a count; never text of people.
    pub choice: String,
}

/// What a handoff would do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// Live conversation or ticket.
    pub mode: Mode,
    /// The calls that would change something.
    pub steps: Vec<Step>,
    /// What stands in the way, and what would be left out.
    pub findings: Vec<Finding>,
    /// What was chosen, and why.
    pub decisions: Vec<Decision>,
    /// What human agents would read, one text for each message or for the ticket.
    pub texts: Vec<String>,
    /// Fields that would be set, by name.
    pub fields: Vec<(String, String)>,
}

/// Who answers the end user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum Owner {
    /// The platform's AI agent.
    AiAgent,
    /// The human agents.
    HumanAgent,
}

/// What a host may read of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionInfo {
    /// Where the conversation stands.
    pub state: SessionState,
    /// Who answers.
    pub owner: Owner,
    /// Every id that webhooks may use, newest first.
    pub conversation_ids: Vec<String>,
    /// The ticket that stands in.
    pub ticket_id: Option<String>,
    /// When `tick` is due.
    pub next_tick_at: Option<Timestamp>,
}

/// How long others wait, as Freshchat counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WaitEstimate {
    /// How long conversations of the same group have waited in the last hour, on average, in seconds.
    pub average_wait_seconds: Option<u32>,
    /// How many conversations of the group wait at the moment.
    pub waiting: Option<u32>,
}

/// The answer of a handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// `fc:<conversation>`, `fd:<ticket>` or `fs:<ticket>`.
    pub case_id: String,
    /// Where a human agent opens it.
    pub agent_url: Option<String>,
    /// What was done.
    pub steps: Vec<Step>,
    /// What was left out and why.
    pub findings: Vec<Finding>,
    /// What was chosen, and why.
    pub decisions: Vec<Decision>,
    /// How long it may take, where the settings ask and Freshchat says.
    pub estimate: Option<WaitEstimate>,
    /// To be stored.
    #[cfg_attr(feature = "json", serde(skip))]
    pub session: Vec<u8>,
    /// In clear.
    pub info: SessionInfo,
}

/// One webhook request, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: Vec<u8>,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// How the human part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum Outcome {
    /// A human agent resolved it.
    Resolved,
    /// The end user left or cancelled.
    Abandoned,
    /// No human agent was there.
    NobodyAvailable,
    /// Nobody acted in time.
    TimedOut,
    /// It could not be made, or what it made is gone.
    Failed,
    /// A ticket stands in.
    Ticketed,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum EventKind {
    /// A human agent took it.
    AgentAssigned,
    /// It moved to a group or to another human agent.
    Transferred,
    /// A human agent wrote.
    AgentMessage,
    /// A human agent ended it.
    Resolved,
    /// It came back.
    Reopened,
    /// The ticket was answered.
    TicketReplied,
    /// The AI agent answers from now on.
    ReturnedToAi,
    /// Nothing to do.
    Ignored,
}

/// One thing to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// Stable over repeats.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The vendor's conversation.
    pub conversation_id: Option<String>,
    /// The human agent.
    pub agent: Option<Sender>,
    /// What was written.
    pub message: Option<Message>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What the human agents did.
    pub summary: Option<String>,
    /// A word from the manual.
    pub detail: Option<String>,
}

impl Event {
    /// An event about which nothing but these facts is known.
    pub fn new(id: impl Into<String>, kind: EventKind, at: Timestamp, conversation: Option<&str>) -> Self {
        Self {
            id: id.into(),
            kind,
            at,
            conversation_id: conversation.map(str::to_owned),
            agent: None,
            message: None,
            outcome: None,
            summary: None,
            detail: None,
        }
    }
}

/// The answer of the functions that move a session on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Update {
    /// In order.
    pub events: Vec<Event>,
    /// To be stored.
    #[cfg_attr(feature = "json", serde(skip))]
    pub session: Option<Vec<u8>>,
    /// In clear.
    pub info: Option<SessionInfo>,
    /// What was left out and why.
    pub findings: Vec<Finding>,
    /// What was chosen, and why.
    pub decisions: Vec<Decision>,
}

/// Why the platform ends the human part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(rename_all = "kebab-case"))]
pub enum CloseReason {
    /// The end user left.
    UserLeft,
    /// The end user no longer wants a person.
    UserCancelled,
    /// The platform closed the conversation.
    PlatformClosed,
    /// The end user went back to the AI agent.
    ReturnedToAi,
    /// The platform waited too long.
    TimedOut,
}

/// What the end user thinks of the human part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json", serde(deny_unknown_fields))]
pub struct Rating {
    /// The platform's id of this rating: the same one is sent once.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 255), regex(pattern = r"\S")))]
    pub id: String,
    /// 1 (worst) to 5 (best).
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 5)))]
    pub score: u8,
    /// What the end user wrote about it.
    #[cfg_attr(feature = "schema", schemars(length(max = 5_000)))]
    pub comment: Option<String>,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SessionState {
    /// A handoff has begun and is not complete.
    Requesting,
    /// No human agent has taken it yet.
    Queued,
    /// A human agent has it.
    Active,
    /// The end was asked for and is not confirmed yet.
    Closing,
    /// Back with the AI agent.
    Returned,
    /// The handoff failed for good.
    Failed,
    /// A ticket stands in.
    Ticketed,
}

impl SessionState {
    /// All states, for tests and diagrams.
    pub const ALL: [Self; 7] =
        [Self::Requesting, Self::Queued, Self::Active, Self::Closing, Self::Returned, Self::Failed, Self::Ticketed];

    /// Who answers the end user in this state: exactly one of the two, always.
    pub fn owner(self) -> Owner {
        match self {
            Self::Queued | Self::Active | Self::Closing => Owner::HumanAgent,
            Self::Requesting | Self::Returned | Self::Failed | Self::Ticketed => Owner::AiAgent,
        }
    }

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requesting => "requesting",
            Self::Queued => "queued",
            Self::Active => "active",
            Self::Closing => "closing",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Ticketed => "ticketed",
        }
    }
}

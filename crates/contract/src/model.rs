//! The contract's values as plain Rust: one set for core, host, bridge and tests.
//!
//! They are the records and enums of `wit/connector.wit`, where each is explained for callers; here are only the facts that matter
//! inside. Each word is typed once: `words!` and `record!` make JSON, schema and, with the feature `wasmtime`, the
//! component's value from it, and a test holds them against the WIT file.

use std::borrow::Cow;
use std::fmt;

use crate::words::{record, words};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Timestamp = u64;

/// What a connector remembers about one conversation, as it travels: printable ASCII.
pub type Session = String;

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

words! {
    /// How serious a finding is.
    pub enum FindingLevel {
        /// Checked and right.
        Ok = "ok",
        /// Works, but not as well as it could.
        Warning = "warning",
        /// Does not work until somebody acts.
        Failure = "failure",
    }
}

record! {
    /// The result of one check, or one thing that was left out and why.
    pub struct Finding {
        /// What was looked at.
        pub check: String,
        /// How serious it is.
        pub level: FindingLevel,
        /// What was found, for programs.
        pub code: String,
        /// What was found, for people.
        pub detail: String,
        /// What the admin should do.
        pub remedy: Option<String>,
    }
}

impl Finding {
    /// A check that came out right.
    pub fn ok(check: &str, code: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(check, FindingLevel::Ok, code, detail.into(), None)
    }

    /// Something that works, but not as somebody may expect.
    pub fn warning(
        check: &str,
        code: &str,
        detail: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(check, FindingLevel::Warning, code, detail.into(), Some(remedy.into()))
    }

    /// Something that does not work until somebody acts.
    pub fn failure(
        check: &str,
        code: &str,
        detail: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(check, FindingLevel::Failure, code, detail.into(), Some(remedy.into()))
    }

    // Once, not at each place.
    #[inline(never)]
    fn new(
        check: &str,
        level: FindingLevel,
        code: &str,
        detail: Cow<'static, str>,
        remedy: Option<Cow<'static, str>>,
    ) -> Self {
        let (detail, remedy) = (detail.into_owned(), remedy.map(Cow::into_owned));
        Self { check: check.to_owned(), level, code: code.to_owned(), detail, remedy }
    }
}

record! {
    /// The answer of `connect`.
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
}

record! {
    /// The platform's own name for a conversation.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
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
}

record! {
    /// The person who needs help.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
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
        #[serde(default)]
        pub email_verified as "email-verified": bool,
        /// Phone number with country code.
        pub phone: Option<String>,
        /// As `email_verified`, for the phone number.
        #[serde(default)]
        pub phone_verified as "phone-verified": bool,
        /// BCP 47 language tag.
        pub locale: Option<String>,
        /// Public URL of a photo.
        pub avatar_url as "avatar-url": Option<String>,
    }
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

words! {
    /// Who speaks.
    pub enum SenderRole {
        /// The person who needs help.
        EndUser = "end-user",
        /// The platform's AI agent.
        AiAgent = "ai-agent",
        /// A person who answers in the help desk.
        HumanAgent = "human-agent",
        /// Nobody.
        System = "system",
    }
}

record! {
    /// The author of a message.
    #[serde(deny_unknown_fields)]
    pub struct Sender {
        /// Who speaks.
        pub role: SenderRole,
        /// Id in the system that the sender belongs to.
        pub id: Option<String>,
        /// As people should see it.
        pub name: Option<String>,
        /// Public URL of a photo.
        pub avatar_url as "avatar-url": Option<String>,
    }
}

words! {
    /// What a part of a message is.
    pub enum PartKind {
        /// Plain text.
        Text = "text",
        /// A picture.
        Image = "image",
        /// Any file.
        File = "file",
        /// A film.
        Video = "video",
        /// A sound.
        Audio = "audio",
        /// A link to press.
        Button = "button",
        /// A question with set answers.
        Choices = "choices",
        /// Something that the contract has no word for.
        Unsupported = "unsupported",
    }
}

impl PartKind {
    /// It has an address at which it can be read.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Image | Self::File | Self::Video | Self::Audio)
    }
}

record! {
    /// One piece of a message.
    #[serde(deny_unknown_fields)]
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
        pub media_type as "media-type": Option<String>,
        /// File size in bytes.
        pub bytes: Option<u64>,
        /// Set answers.
        pub choices: Option<Vec<String>>,
    }
}

impl Part {
    /// A part of which nothing but its kind is known.
    pub fn empty(kind: PartKind) -> Self {
        Self { kind, text: None, url: None, name: None, media_type: None, bytes: None, choices: None }
    }

    /// Set answers; empty where there are none.
    pub fn choices(&self) -> &[String] {
        self.choices.as_deref().unwrap_or_default()
    }

    /// Bytes of everything in it that people may read.
    pub fn text_bytes(&self) -> usize {
        let texts = [&self.text, &self.url, &self.name, &self.media_type];
        let choices = self.choices().iter().map(String::len).sum::<usize>();
        texts.into_iter().flatten().map(String::len).sum::<usize>() + choices
    }

    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::empty(PartKind::Text) }
    }
}

record! {
    /// One utterance.
    #[serde(deny_unknown_fields)]
    pub struct Message {
        /// Unique within the conversation.
        pub id: String,
        /// The author.
        pub sender: Sender,
        /// When it was said.
        pub sent_at as "sent-at": Timestamp,
        /// In reading order.
        pub parts: Vec<Part>,
    }
}

words! {
    /// Where a handoff should go.
    pub enum Mode {
        /// The connector chooses.
        Automatic = "automatic",
        /// A live conversation or nothing.
        Live = "live",
        /// A ticket.
        Ticket = "ticket",
    }
}

words! {
    /// Why the AI agent hands over.
    pub enum Reason {
        /// The end user pressed a button.
        UserButton = "user-button",
        /// The end user asked in words.
        UserAsked = "user-asked",
        /// A scripted flow.
        FlowStep = "flow-step",
        /// The AI agent's own decision.
        ModelDecision = "model-decision",
        /// A safety rule.
        Safety = "safety",
        /// A program.
        Api = "api",
    }
}

words! {
    /// How urgent it is.
    pub enum Priority {
        /// Can wait.
        Low = "low",
        /// As usual.
        Medium = "medium",
        /// Sooner than others.
        High = "high",
        /// At once.
        Urgent = "urgent",
    }
}

record! {
    /// Who should get the conversation.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
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
}

record! {
    /// Everything that a handoff needs.
    #[serde(deny_unknown_fields)]
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
        pub reason_text as "reason-text": Option<String>,
        /// What it is about.
        pub category: Option<String>,
        /// What happened so far.
        pub summary: Option<String>,
        /// Who said what, oldest first.
        #[cfg_attr(feature = "schema", schemars(length(max = 10_000)))]
        pub history: Option<Vec<Message>>,
        /// Facts, as name and value.
        pub context: Option<Vec<(String, String)>>,
        /// Who should get it.
        pub routing: Option<Routing>,
        /// An earlier try may have got through.
        #[serde(default)]
        pub retry: bool,
    }
}

impl HandoffRequest {
    /// Who said what, oldest first; empty where nothing was passed.
    pub fn history(&self) -> &[Message] {
        self.history.as_deref().unwrap_or_default()
    }

    /// Facts, as name and value; empty where nothing was passed.
    pub fn context(&self) -> &[(String, String)] {
        self.context.as_deref().unwrap_or_default()
    }

    /// Who should get it; nobody in particular where nothing was passed.
    pub fn routing(&self) -> &Routing {
        static ANYBODY: Routing = Routing { topic: None, group: None, agent: None, priority: None, skill: None };
        self.routing.as_ref().unwrap_or(&ANYBODY)
    }
}

record! {
    /// The help desk's side of the conversation, in the two fields that a platform stores.
    pub struct ExternalCase {
        /// The vendor's id behind a prefix that says what it is.
        pub case_id as "case-id": String,
        /// The connector's name.
        pub kind: String,
    }
}

record! {
    /// One thing that was done.
    pub struct Step {
        /// What.
        pub action: String,
        /// To which object.
        pub target: String,
        /// Counts and reasons.
        pub detail: String,
    }
}

impl Step {
    /// A step done to `target`.
    pub fn new(action: &str, target: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { action: action.to_owned(), target: target.into(), detail: detail.into().into_owned() }
    }
}

record! {
    /// One choice that was made, and by which rule.
    pub struct Decision {
        /// What was chosen.
        pub subject: String,
        /// The rule that chose it.
        pub rule: String,
        /// An id, a name of the settings or a count; never text of people.
        pub choice: String,
    }
}

record! {
    /// What a handoff would do.
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
}

words! {
    /// Who answers the end user.
    pub enum Owner {
        /// The platform's AI agent.
        AiAgent = "ai-agent",
        /// The human agents.
        HumanAgent = "human-agent",
    }
}

record! {
    /// What a host may read of a session.
    pub struct SessionInfo {
        /// Where the conversation stands.
        pub state: SessionState,
        /// Who answers.
        pub owner: Owner,
        /// Every id that webhooks may use, newest first.
        pub conversation_ids as "conversation-ids": Vec<String>,
        /// The ticket that stands in.
        pub ticket_id as "ticket-id": Option<String>,
        /// When `tick` is due.
        pub next_tick_at as "next-tick-at": Option<Timestamp>,
    }
}

record! {
    /// How long others wait, as Freshchat counts it.
    #[derive(Copy)]
    pub struct WaitEstimate {
        /// How long conversations of the same group have waited in the last hour, on average, in seconds.
        pub average_wait_seconds as "average-wait-seconds": Option<u32>,
        /// How many conversations of the group wait at the moment.
        pub waiting: Option<u32>,
    }
}

record! {
    /// The answer of a handoff. `S`: the session, which the core holds as bytes.
    pub struct Receipt<S = Session> {
        /// The help desk's side.
        pub external_case as "external-case": ExternalCase,
        /// Where a human agent opens it.
        pub agent_url as "agent-url": Option<String>,
        /// What was done.
        pub steps: Vec<Step>,
        /// What was left out and why.
        pub findings: Vec<Finding>,
        /// What was chosen, and why.
        pub decisions: Vec<Decision>,
        /// How long it may take, where the settings ask and Freshchat says.
        pub estimate: Option<WaitEstimate>,
        /// To be stored.
        pub session: S,
        /// In clear.
        pub info: SessionInfo,
    }
}

record! {
    /// One webhook request, as it arrived.
    pub struct Delivery {
        /// Names in any case.
        pub headers: Vec<(String, String)>,
        /// The body, decoded strictly as UTF-8, with nothing changed.
        pub body: String,
        /// When it arrived.
        pub received_at as "received-at": Timestamp,
    }
}

words! {
    /// How the human part ended.
    pub enum Outcome {
        /// A human agent resolved it.
        Resolved = "resolved",
        /// The end user left or cancelled.
        Abandoned = "abandoned",
        /// No human agent was there.
        NobodyAvailable = "nobody-available",
        /// Nobody acted in time.
        TimedOut = "timed-out",
        /// It could not be made, or what it made is gone.
        Failed = "failed",
        /// A ticket stands in.
        Ticketed = "ticketed",
    }
}

words! {
    /// What happened.
    pub enum EventKind {
        /// A human agent took it.
        AgentAssigned = "agent-assigned",
        /// It moved to a group or to another human agent.
        Transferred = "transferred",
        /// A human agent wrote.
        AgentMessage = "agent-message",
        /// A human agent ended it.
        Resolved = "resolved",
        /// It came back.
        Reopened = "reopened",
        /// The ticket was answered.
        TicketReplied = "ticket-replied",
        /// The AI agent answers from now on.
        ReturnedToAi = "returned-to-ai",
        /// Nothing to do.
        Ignored = "ignored",
    }
}

record! {
    /// One thing to act on.
    pub struct Event {
        /// Stable over repeats.
        pub id: String,
        /// What happened.
        pub kind: EventKind,
        /// When.
        pub at: Timestamp,
        /// The vendor's conversation.
        pub conversation_id as "conversation-id": Option<String>,
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

record! {
    /// The answer of the functions that advance a session. `S`: the session, which the core holds as bytes.
    pub struct Update<S = Session> {
        /// In order.
        pub events: Vec<Event>,
        /// To be stored.
        pub session: Option<S>,
        /// In clear.
        pub info: Option<SessionInfo>,
        /// What was left out and why.
        pub findings: Vec<Finding>,
        /// What was chosen, and why.
        pub decisions: Vec<Decision>,
    }
}

words! {
    /// Why the platform ends the human part.
    pub enum CloseReason {
        /// The end user left.
        UserLeft = "user-left",
        /// The end user no longer wants a person.
        UserCancelled = "user-cancelled",
        /// The platform closed the conversation.
        PlatformClosed = "platform-closed",
        /// The end user went back to the AI agent.
        ReturnedToAi = "returned-to-ai",
        /// The platform waited too long.
        TimedOut = "timed-out",
    }
}

record! {
    /// What the end user thinks of the human part.
    #[serde(deny_unknown_fields)]
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
}

words! {
    /// Where a conversation stands.
    pub enum SessionState {
        /// A handoff has begun and is not complete.
        Requesting = "requesting",
        /// No human agent has taken it yet.
        Queued = "queued",
        /// A human agent has it.
        Active = "active",
        /// The end was asked for and is not confirmed yet.
        Closing = "closing",
        /// Back with the AI agent.
        Returned = "returned",
        /// The handoff failed for good.
        Failed = "failed",
        /// A ticket stands in.
        Ticketed = "ticketed",
    }
}

impl SessionState {
    /// Who answers the end user in this state: exactly one of the two, always.
    pub fn owner(self) -> Owner {
        match self {
            Self::Queued | Self::Active | Self::Closing => Owner::HumanAgent,
            Self::Requesting | Self::Returned | Self::Failed | Self::Ticketed => Owner::AiAgent,
        }
    }
}

record! {
    /// One origin that the connector calls.
    pub struct OutboundHost {
        /// Scheme, host and port.
        pub origin: String,
        /// What for, for the person who allows it.
        pub purpose: String,
        /// The header that authenticates us, with the setting in braces.
        pub credential: Option<String>,
    }
}

record! {
    /// Who the connector is and what it needs.
    pub struct Descriptor {
        /// Short name.
        pub name: String,
        /// Version of the connector.
        pub version: String,
        /// The help desk's name.
        pub vendor: String,
        /// JSON Schema of the settings.
        pub settings_schema as "settings-schema": String,
        /// What this version can do.
        pub capabilities: Vec<String>,
        /// Every origin that is called.
        pub outbound: Vec<OutboundHost>,
        /// The headers that `on-webhook` needs.
        pub webhook_headers as "webhook-headers": Vec<String>,
    }
}

record! {
    /// The answer of `erase`.
    pub struct Erasure {
        /// What was deleted.
        pub steps: Vec<Step>,
        /// What was not, and who can delete it.
        pub findings: Vec<Finding>,
    }
}

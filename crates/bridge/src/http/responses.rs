//! What the API answers. Options that are not there are null; fields that belong to a larger answer only are left out.

use freshworks_handoff::use_cases::Receipt;
use handoff_contract::model::{ConversationKey, Decision, Event, Finding, Step, Timestamp, WaitEstimate};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::access::Scope;
use crate::access::audit::AuditEntry;
use crate::access::vault::Protection;
use crate::connections::status::StatusResponse;
use crate::handoffs::journal::Entry;
use crate::state::Handoff;

/// The app runs, and its store answers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthResponse {
    /// `ok`.
    pub status: &'static str,
    /// Version of the app, in semantic versioning.
    pub version: &'static str,
    /// How secrets are stored from now on.
    pub secrets: Protection,
}

/// A token, without its text.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenResponse {
    /// Names it for revoking. Says nothing about its text.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ends; null: when it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// The tokens that are good, by name. The variable `api_token` is not among them.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokensResponse {
    /// At most 1,000.
    pub tokens: Vec<TokenResponse>,
}

/// A token that was created. Its text is shown this once.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreatedTokenResponse {
    /// What is known about it.
    #[serde(flatten)]
    pub about: TokenResponse,
    /// The token itself. The store has a digest of it alone.
    pub token: String,
}

/// Who changed what.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditResponse {
    /// Newest first; at most 1,000 are kept.
    pub entries: Vec<AuditEntry>,
}

/// Connections are encrypted with the key that writes now.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RotatedResponse {
    /// How secrets are stored.
    pub secrets: Protection,
    /// How many connections were written anew. The others were so already, or somebody has just written them.
    pub written: u32,
    /// Connections that could not be read: the key that they were encrypted with is missing, or they were altered.
    pub unreadable: Vec<String>,
}

/// A connection, without its secrets but for the webhooks' paths, which the admin has to paste.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionResponse {
    /// The name that it was given.
    pub id: String,
    /// Handoffs are taken: `status.state` is `connected` or `answers-missing`.
    pub connected: bool,
    /// How it stands, and why.
    pub status: StatusResponse,
    /// When the settings that `restore` brings back were last checked; null when there are none.
    pub restorable_at: Option<Timestamp>,
    /// The account, as Freshworks names it; null when the key opens none.
    pub account: Option<String>,
    /// The topic that handoffs go to; null when none was found.
    pub topic: Option<String>,
    /// When it was checked.
    pub checked_at: Timestamp,
    /// Until when the webhooks' addresses before the last change are good, too; null when they were never changed.
    pub old_webhooks_until: Option<Timestamp>,
    /// The platform's side.
    pub platform: PlatformKind,
    /// Where it takes webhooks.
    pub webhooks: WebhookAddresses,
}

/// The kinds of platform.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlatformKind {
    /// Any platform.
    Generic,
    /// Delight AI agent.
    Delight,
    /// Any platform that fetches events.
    Polling,
}

/// Addresses to paste: complete URLs where the operator has said under which address the app is reached, otherwise paths.
/// Whoever knows one may try to send webhooks.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookAddresses {
    /// For Freshworks: Admin Settings > Marketplace and Integrations > API > Conversation Webhooks.
    pub freshchat: String,
    /// For the ticket desk, so that answers to tickets arrive at once; null where the settings name no ticket desk.
    pub tickets: Option<TicketWebhook>,
    /// For the platform's events; null for a platform that calls the API only.
    pub platform: Option<String>,
    /// For the Chat webhook; null unless the platform has one.
    pub chat: Option<String>,
}

/// A rule of the ticket desk to paste: for tickets that are updated (reply, note, status, deletion), "Trigger webhook", POST, JSON.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TicketWebhook {
    /// Where it goes.
    pub url: String,
    /// The name of the header that shows who sends it.
    pub header: &'static str,
    /// The header's value.
    pub secret: String,
    /// The content, with the ticket desk's own placeholder.
    pub content: &'static str,
}

/// A connection, with what was found while it was checked.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckedConnectionResponse {
    /// The connection as it is from now on.
    #[serde(flatten)]
    pub connection: ConnectionResponse,
    /// Every check that was made.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Finding>"))]
    pub findings: Vec<Value>,
}

/// One thing that a setting may name.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChoiceResponse {
    /// What goes into the setting: letter by letter as the account has it, blanks included.
    pub value: String,
    /// What people know it by where the value is not that, such as the name of a human agent; null otherwise.
    pub label: Option<String>,
    /// False for what exists and would be refused: a topic that is switched off.
    pub is_usable: bool,
}

/// What settings of an account may name, at most 500 of each; names beyond them can still be typed. Null is a list that could not
/// be read.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChoicesResponse {
    /// Topics, for `topics` and `topic_by_locale`.
    pub topics: Option<Vec<ChoiceResponse>>,
    /// Groups, for `group`.
    pub groups: Option<Vec<ChoiceResponse>>,
    /// Active human agents, for `agent` and `note_author`.
    pub agents: Option<Vec<ChoiceResponse>>,
    /// Properties of conversations, for `skill_property` and `context`.
    pub properties: Option<Vec<ChoiceResponse>>,
    /// Groups of the ticket desk, for `ticket_group`; null without a ticket desk, too.
    pub ticket_groups: Option<Vec<ChoiceResponse>>,
}

/// The settings of a connection, without secrets.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingsResponse {
    /// The settings of the Freshworks account, as they are stored.
    pub settings: Map<String, Value>,
    /// Names of the secrets among the settings that are set.
    pub secrets: Vec<String>,
    /// The platform's side.
    pub platform: Map<String, Value>,
    /// Names of the platform's secrets that are set, as dotted paths.
    pub platform_secrets: Vec<String>,
    /// Who else gets what Freshworks sends.
    pub forward_url: Option<String>,
    /// For how many days what has ended is kept; null for 30.
    pub keep_days: Option<u16>,
}

/// All connections, by id.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionsResponse {
    /// All connections, by id.
    pub connections: Vec<ConnectionResponse>,
}

/// How a handoff stands.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandoffResponse {
    /// Derived from the platform's key: the same conversation always has the same one.
    pub id: String,
    /// The platform's key.
    pub key: ConversationKey,
    /// Where the conversation stands.
    #[cfg_attr(feature = "schema", schemars(with = "handoff_contract::model::SessionState"))]
    pub state: String,
    /// Who answers the end user now.
    #[cfg_attr(feature = "schema", schemars(with = "handoff_contract::model::Owner"))]
    pub owner: String,
    /// When it is looked after next; null when there is nothing to wait for.
    pub next_tick_at: Option<Timestamp>,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Why something could not be told to the platform, the last time that happened.
    pub last_failure: Option<String>,
    /// How it ended; null while it is open, and where that is not known.
    #[cfg_attr(feature = "schema", schemars(with = "Option<handoff_contract::model::Outcome>"))]
    pub outcome: Option<String>,
}

impl From<&Handoff> for HandoffResponse {
    fn from(handoff: &Handoff) -> Self {
        Self {
            id: handoff.id.clone(),
            key: handoff.key.clone(),
            state: handoff.state.clone(),
            owner: handoff.owner.clone(),
            next_tick_at: handoff.next_tick_at,
            // It was not always stored.
            begun_at: if handoff.begun_at == 0 { handoff.updated_at } else { handoff.begun_at },
            updated_at: handoff.updated_at,
            last_failure: handoff.platform.last_failure.clone(),
            outcome: handoff.outcome().map(str::to_owned),
        }
    }
}

/// Handoffs of a connection.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandoffsResponse {
    /// Newest change first; at most 200.
    #[cfg_attr(feature = "schema", schemars(length(max = 200)))]
    pub handoffs: Vec<HandoffResponse>,
}

/// A handoff that came about.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandedOverResponse {
    /// How it stands.
    #[serde(flatten)]
    pub handoff: HandoffResponse,
    /// What was done for it; left out when the same `Idempotency-Key` was carried out before.
    #[serde(flatten)]
    pub receipt: Option<ReceiptResponse>,
}

/// What a handoff has done.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceiptResponse {
    /// The help desk's side of the conversation.
    pub external_case: ExternalCase,
    /// Where a human agent opens the conversation in a browser; null when Freshworks did not say.
    pub agent_url: Option<String>,
    /// What was done, in order. Empty when the conversation was handed over already.
    pub steps: Vec<Step>,
    /// What was left out or done differently, and why.
    pub findings: Vec<Finding>,
    /// What was chosen, and why. Empty when the conversation was handed over already.
    pub decisions: Vec<Decision>,
    /// How long others wait, where the settings ask for it and Freshworks says.
    pub estimate: Option<WaitEstimate>,
}

impl From<Receipt> for ReceiptResponse {
    fn from(receipt: Receipt) -> Self {
        let external_case = ExternalCase { case_id: receipt.external_case.case_id, kind: "freshworks" };
        Self {
            external_case,
            agent_url: receipt.agent_url,
            steps: receipt.steps,
            findings: receipt.findings,
            decisions: receipt.decisions,
            estimate: receipt.estimate,
        }
    }
}

/// The help desk's side of the conversation, in the two fields that a platform stores.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExternalCase {
    /// The id in the help desk, with a prefix that says what it is: `fc:<conversation>`, `fd:<ticket>` or `fs:<ticket>`.
    pub case_id: String,
    /// `freshworks`.
    pub kind: &'static str,
}

/// A message went over.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RelayedResponse {
    /// How the handoff stands.
    #[serde(flatten)]
    pub handoff: HandoffResponse,
    /// What was left out or done differently, and why.
    pub findings: Vec<Finding>,
}

/// The human part has ended.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClosedResponse {
    /// How the handoff stands.
    #[serde(flatten)]
    pub handoff: HandoffResponse,
    /// What follows from it; empty when it had ended before.
    pub events: Vec<Event>,
    /// What was left out or done differently, and why.
    pub findings: Vec<Finding>,
}

/// Events that have waited.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventsResponse {
    /// How the handoff stands.
    pub handoff: HandoffResponse,
    /// In order. They come again until a call names their number in `after`.
    pub events: Vec<NumberedEvent>,
}

/// An event, and its place in the order.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NumberedEvent {
    /// Grows with each event of the handoff.
    pub number: u64,
    /// What happened.
    #[cfg_attr(feature = "schema", schemars(with = "Event"))]
    pub event: Value,
    /// The human agent's photo, as the path `.../photos/{photo}` takes it.
    pub photo: Option<String>,
}

/// What happened to a handoff.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimelineResponse {
    /// Oldest first; at most 80. No word of anybody is among it.
    #[cfg_attr(feature = "schema", schemars(length(max = 80)))]
    pub entries: Vec<Entry>,
}

/// What was due.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TickResponse {
    /// Handoffs that were looked after.
    pub done: usize,
    /// Handoffs that could not be. Each is tried again, later after each failure.
    pub failed: usize,
    /// All others that are due: there was no time for them, somebody works on them, or looks at their account take long and fail.
    pub left: usize,
}

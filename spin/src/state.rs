//! What is stored: connections, handoffs, and who works on which handoff right now.
//!
//! Work on one handoff happens under a lease: two requests for one conversation at once would work on the same session. A lease
//! ends by itself, so that an instance that died does not block it; who takes a lease over that was not given back is told so,
//! and has to look before it writes. Saving names the lease's number, so whoever was overtaken saves nothing.

use freshworks_handoff::model::{ConversationKey, Timestamp};

/// One Freshworks account, connected to one AI agent of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The operator's name for it; part of paths.
    pub id: String,
    /// Settings as `connect` returned them. With secrets.
    pub settings: String,
    /// The account, as Freshworks names it.
    pub account: Option<String>,
    /// The last check found nothing that stops handoffs.
    pub connected: bool,
    /// When it was checked.
    pub checked_at: Timestamp,
    /// Where events go.
    pub callback_url: String,
    /// The secret that signs them.
    pub callback_secret: String,
    /// The last part of the webhook's path.
    pub webhook_secret: String,
}

/// One conversation that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// Which connection it belongs to.
    pub connection: String,
    /// Derived from the platform's key.
    pub id: String,
    /// The platform's key.
    pub key: ConversationKey,
    /// The core's session; none before the first answer.
    pub session: Option<Vec<u8>>,
    /// A word of the contract's `session-state`.
    pub state: String,
    /// A word of the contract's `owner`.
    pub owner: String,
    /// When `tick` is due.
    pub next_tick_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The right to work on a handoff for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is stored; none for a new one.
    pub handoff: Option<Handoff>,
    /// Grows with each lease of this handoff.
    pub number: u64,
    /// The one before was not given back: what it did is not known.
    pub unclean: bool,
}

/// Storage failed, for example because it cannot be reached. The text is for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateError(pub String);

/// How long a lease lasts: longer than a call of the core may take.
pub const LEASE_MS: u64 = 120_000;
/// How long what has ended is kept.
pub const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The store. Every function is one atomic step.
pub trait State {
    /// Reads a connection.
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError>;

    /// Writes a connection.
    fn save_connection(&self, connection: &Connection) -> Result<(), StateError>;

    /// Reads a handoff.
    fn handoff(&self, connection: &str, id: &str) -> Result<Option<Handoff>, StateError>;

    /// Handoffs that human agents have, newest first; at most `limit`.
    fn open_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError>;

    /// The handoff that one of these conversations belongs to.
    fn handoff_of(&self, connection: &str, conversations: &[String]) -> Result<Option<String>, StateError>;

    /// Connection and id of the handoffs whose `tick` is due, longest overdue first; at most `limit`.
    fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<(String, String)>, StateError>;

    /// Takes the lease of a handoff, which need not exist yet. None while somebody else has it.
    fn lease(&self, connection: &str, id: &str, now: Timestamp) -> Result<Option<Lease>, StateError>;

    /// Stores a handoff with the conversations that it is known by, and gives the lease back. False when the lease has gone to
    /// somebody else: then nothing is stored.
    fn save(&self, handoff: &Handoff, conversations: &[String], lease: u64) -> Result<bool, StateError>;

    /// Gives a lease back without having changed anything.
    fn give_back(&self, connection: &str, id: &str, lease: u64) -> Result<(), StateError>;

    /// Forgets what ended before this time.
    fn forget(&self, before: Timestamp) -> Result<(), StateError>;
}

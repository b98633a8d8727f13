//! What is stored: connections, handoffs, and who works on which handoff right now.
//!
//! Work on one handoff happens under a lease: two requests for one conversation at once would work on the same session. A lease
//! ends by itself, so that an instance that died does not block it. Who takes over a lease that was not given back learns what
//! had been begun under it, and looks before doing that again. Saving names the lease's number, so whoever was overtaken
//! saves nothing.

use handoff_contract::model::{ConversationKey, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::handoffs::journal::{Entry, What};
use crate::metrics::counters::{Count, Logged};
use crate::platform::PlatformSettings;

/// One Freshworks account, connected to one AI agent of a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The operator's name for it; part of paths.
    pub id: String,
    /// Settings as `connect` returned them. With secrets.
    pub settings: String,
    /// The account, as Freshworks names it.
    pub account: Option<String>,
    /// The last check that met no outage found nothing that stops handoffs.
    pub connected: bool,
    /// When it was checked.
    pub checked_at: Timestamp,
    /// Since when webhooks are verified with the public key that the settings hold now.
    #[serde(default)]
    pub key_since: Timestamp,
    /// The platform's side. With secrets.
    pub platform: PlatformSettings,
    /// The last part of the webhooks' paths.
    pub webhook_secret: String,
    /// The one before it, which is good for a while longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_webhook_secret: Option<OldSecret>,
    /// Who else gets what Freshworks sends: there is one webhook for each account.
    pub forward_url: Option<String>,
    /// What the last check found, as the API answers it.
    #[serde(default)]
    pub findings: Vec<Value>,
    /// For how many days what has ended is kept; none for [`KEPT_DAYS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u16>,
    /// Since when `connected` says what it says; 0 in records of before this was stored.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub verdict_since: Timestamp,
    /// The last check met an outage. Then `connected` is the verdict before it, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// The connection as it was when other settings last connected, to bring those back. With secrets; without an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Box<Connection>>,
}

fn is_zero(at: &Timestamp) -> bool {
    *at == 0
}

/// A row of checks that met an outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// When the first of them was.
    pub since: Timestamp,
    /// When to check again.
    pub look_at: Timestamp,
}

/// A secret that was changed for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldSecret {
    /// The secret.
    pub secret: String,
    /// Until then it is as good as the new one.
    pub until: Timestamp,
}

impl Connection {
    /// Since when `connected` says what it says, as far as that is known.
    pub fn since(&self) -> Timestamp {
        if self.verdict_since == 0 { self.checked_at } else { self.verdict_since }
    }

    /// The secrets that webhooks may come with now.
    pub fn webhook_secrets(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let old = self.old_webhook_secret.as_ref().filter(|old| now < old.until).map(|old| old.secret.as_str());
        std::iter::once(self.webhook_secret.as_str()).chain(old)
    }
}

/// One conversation that was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Which connection it belongs to.
    pub connection: String,
    /// Derived from the platform's key.
    pub id: String,
    /// The platform's key.
    pub key: ConversationKey,
    /// The core's session; none before the first answer.
    #[serde(with = "base64_text")]
    pub session: Option<Vec<u8>>,
    /// A word of the contract's `session-state`.
    pub state: String,
    /// A word of the contract's `owner`.
    pub owner: String,
    /// When `tick` is due.
    pub next_tick_at: Option<Timestamp>,
    /// When it began.
    #[serde(default)]
    pub begun_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Ids of requests that were carried out and must not be again, oldest first; at most [`MAX_SEEN`].
    #[serde(default)]
    pub seen: Vec<String>,
    /// What the platform's adapter needs to know.
    #[serde(default)]
    pub platform: PlatformNotes,
    /// Events that wait to be fetched; none where the platform is told at once.
    #[serde(rename = "mailbox", default)]
    pub event_queue: Option<EventQueue>,
    /// What happened, oldest first.
    #[serde(default)]
    pub journal: Vec<Entry>,
    /// Ids of deliveries whose effects are stored with this record, oldest first; at most [`MAX_WORKED_OFF`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worked_off: Vec<String>,
    /// Since when nothing succeeds, if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
    /// News that the platform refused for good, oldest first; at most [`MAX_UNTOLD`]. With texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<Undelivered>,
    /// The platform has redacted the conversation: nothing is kept once human agents no longer have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_redacted: bool,
    /// The task by which a client of MCP follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

/// A task by which a client of MCP follows a handoff until it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The part of its id that nobody can guess.
    pub secret: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Events up to this number are of an earlier handoff of the same conversation.
    pub after: u64,
    /// It was ended before the human agents have ended it.
    #[serde(default)]
    pub is_cancelled: bool,
}

/// A row of failures without a success in between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// When the first of them was.
    pub since: Timestamp,
    /// How many there were.
    pub times: u32,
    /// Not to be tried again before.
    pub until: Timestamp,
}

/// News that the platform refused for good: kept, so that it can be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// Its id in the log.
    pub id: String,
    /// The events, as they were to be sent.
    pub events: Vec<Value>,
}

/// A webhook of Freshworks that was verified and acknowledged, and waits to be worked off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDelivery {
    /// A digest of the body: what Freshworks sends again is the same delivery.
    pub id: String,
    /// The bytes that were signed. With texts.
    #[serde(with = "base64_bytes")]
    pub body: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
}

/// What is due now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// How many handoffs are, in all.
    pub all: u64,
    /// Those to look after first: connections take turns, and those that [rest](State::rest) come last, with one handoff each.
    pub first: Vec<DueHandoff>,
}

/// A handoff that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueHandoff {
    /// Its connection.
    pub connection: String,
    /// Its id.
    pub id: String,
    /// Since when the connection has rested; its rest is over for now.
    pub resting_since: Option<Timestamp>,
}

/// Events that wait to be fetched. What was fetched goes with the next visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventQueue {
    /// The number of the newest event; the first has 1.
    pub newest: u64,
    /// Number and event, as the API answers it, oldest first. With texts.
    pub waiting: Vec<(u64, Value)>,
    /// Where photos of human agents are, by a digest of that; the newest last.
    #[serde(default)]
    pub photos: Vec<(String, String)>,
    /// The platform learns nothing of this handoff: somebody tries it out, or follows it over MCP.
    #[serde(default)]
    pub is_trial: bool,
}

/// What a platform's adapter remembers about a handoff.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlatformNotes {
    /// The platform's id of the end user: only this person's messages are relayed.
    pub user: String,
    /// The end user's language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Messages up to here went over with the handoff; later ones are relayed.
    pub carried_until: Timestamp,
    /// Human agents who are set up at the platform: digests of id, name and photo.
    pub personas: Vec<String>,
    /// Human agents who are members of the channel now, by the platform's id.
    pub members: Vec<String>,
    /// A handoff that the platform has asked for and that has not succeeded yet: the event, as it came.
    pub pending: Option<String>,
    /// Since when `pending` has failed.
    pub failing_since: Option<Timestamp>,
    /// Why something could not be told to the platform, the last time that happened. For operators.
    pub last_failure: Option<String>,
}

impl Handoff {
    /// A handoff about which nothing but its key is known.
    pub fn new(connection: &str, id: &str, key: ConversationKey, now: Timestamp) -> Self {
        Self {
            connection: connection.to_owned(),
            id: id.to_owned(),
            key,
            session: None,
            state: "requesting".to_owned(),
            owner: "ai-agent".to_owned(),
            next_tick_at: None,
            begun_at: now,
            updated_at: now,
            seen: Vec::new(),
            platform: PlatformNotes::default(),
            event_queue: None,
            journal: Vec::new(),
            worked_off: Vec::new(),
            failing: None,
            untold: Vec::new(),
            is_redacted: false,
            task: None,
        }
    }

    /// Human agents have it.
    pub fn is_with_humans(&self) -> bool {
        self.owner == "human-agent"
    }

    /// Human agents have it, or the platform waits for that.
    pub fn is_open(&self) -> bool {
        self.is_with_humans() || self.platform.pending.is_some()
    }

    /// How it ended, as the timeline says; none while it is open.
    pub fn outcome(&self) -> Option<&str> {
        let told = |entry: &&Entry| matches!(&entry.what, What::Event { outcome: Some(_), .. });
        match self.journal.iter().rev().find(told).filter(|_| !self.is_open()).map(|entry| &entry.what) {
            Some(What::Event { outcome, .. }) => outcome.as_deref(),
            _ => None,
        }
    }

    /// Nothing is to be done: it may be forgotten when it is old.
    pub fn is_over(&self) -> bool {
        !self.is_open() && self.next_tick_at.is_none()
    }

    /// Remembers that a request was carried out.
    pub fn record_request(&mut self, request: &str) {
        self.seen.push(request.to_owned());
        let surplus = self.seen.len().saturating_sub(MAX_SEEN);
        self.seen.drain(..surplus);
    }

    /// Keeps news that the platform has refused for good.
    pub fn could_not_tell(&mut self, id: &str, events: &impl Serialize) {
        let Ok(Value::Array(events)) = serde_json::to_value(events) else { return };
        self.untold.retain(|untold| untold.id != id);
        self.untold.push(Undelivered { id: id.to_owned(), events });
        let surplus = self.untold.len().saturating_sub(MAX_UNTOLD);
        self.untold.drain(..surplus);
    }

    /// Remembers that the effects of a delivery are part of this record.
    pub fn has_worked_off(&mut self, delivery: &str) {
        self.worked_off.push(delivery.to_owned());
        let surplus = self.worked_off.len().saturating_sub(MAX_WORKED_OFF);
        self.worked_off.drain(..surplus);
    }
}

/// The right to work on a handoff for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is stored; none for a new one.
    pub handoff: Option<Handoff>,
    /// Grows with each lease of this handoff.
    pub number: u64,
    /// What was begun under leases that were not given back, so that its result is not known: words that were passed to
    /// [`State::lease`].
    pub unsure: Vec<String>,
    /// The oldest delivery that waits for the handoff.
    pub next: Option<StoredDelivery>,
}

/// What became of [`State::save`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is stored, and the lease is given back. `has_waiting`: deliveries waited at that moment. Whoever stores one from then on finds
    /// the lease free.
    Stored {
        /// See above.
        has_waiting: bool,
    },
    /// The lease has gone to somebody else: nothing is stored.
    Overtaken,
}

/// A small record of the bridge's own: a token, a session, a counter, an entry of the audit log. Kinds and names hold letters, digits,
/// `-`, `_`, `:` and `.` only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name among those of its kind.
    pub name: String,
    /// What it says; the store does not look into it. Never a secret: records are not encrypted.
    pub value: String,
    /// From then on it counts as not there.
    pub expires_at: Timestamp,
}

/// What [`State::reseal`] has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resealed {
    /// How many connections were written anew.
    pub written: u32,
    /// Those that could not be read, by name: their key is missing, or they were altered.
    pub unreadable: Vec<String>,
}

/// Connections by id, and why one cannot be read.
pub type EachConnection = Vec<(String, Result<Connection, StateError>)>;

/// How long a connection rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Since when it has, with attempts in between.
    pub since: Timestamp,
    /// When the next attempt may be made.
    pub until: Timestamp,
}

/// Storage failed, for example because it cannot be reached. The text is for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateError(pub String);

/// The word of [`State::lease`] for a handoff that begins.
pub const HANDOFF: &str = "handoff";
/// Requests that one handoff remembers.
pub const MAX_SEEN: usize = 64;
/// Deliveries that one handoff remembers to have worked off: Freshworks sends one again for some minutes at most.
pub const MAX_WORKED_OFF: usize = 64;
/// Deliveries that may wait for one handoff, and bytes of them as they are stored.
pub const MAX_WAITING: u64 = 1_000;
/// See [`MAX_WAITING`].
pub const MAX_WAITING_BYTES: u64 = 16 * 1024 * 1024;
/// The same for one connection. There is no bound over all connections: one account must not shut out another.
pub const MAX_WAITING_OF_ALL: u64 = 10_000;
/// See [`MAX_WAITING_OF_ALL`].
pub const MAX_WAITING_BYTES_OF_ALL: u64 = 128 * 1024 * 1024;
/// News that was refused for good and is kept of one handoff; the oldest go first.
pub const MAX_UNTOLD: usize = 20;
/// Unknown results that one handoff remembers: as many crashes in a row.
pub const MAX_UNSURE: usize = 32;
/// The end of a [`Record`] that does not expire: the year 10000.
pub const NEVER: Timestamp = 253_402_300_800_000;
/// For how many days what has ended is kept where the connection does not say otherwise.
pub const KEPT_DAYS: u16 = 30;

/// So many days in milliseconds.
pub fn days_ms(days: u16) -> u64 {
    u64::from(days) * 24 * 60 * 60 * 1000
}

/// The store. Every function is one atomic step.
///
/// Ids and words that are passed in hold letters, digits, `-`, `_`, `:` and `.` only, conversations (of the vendor, or a
/// platform's channel) anything.
pub trait State {
    /// Reads a connection.
    fn connection(&self, id: &str) -> Result<Option<Connection>, StateError>;

    /// All connections, by id. Those that cannot be read (their key is missing, or they were altered) stand here with the reason.
    fn each_connection(&self) -> Result<EachConnection, StateError>;

    /// All connections, by id. Fails when one of them cannot be read.
    fn connections(&self) -> Result<Vec<Connection>, StateError> {
        self.each_connection()?.into_iter().map(|(_, connection)| connection).collect()
    }

    /// Writes a connection.
    fn save_connection(&self, connection: &Connection) -> Result<(), StateError>;

    /// Removes a connection, and all handoffs, conversations and deliveries of it.
    fn remove_connection(&self, id: &str) -> Result<(), StateError>;

    /// Reads a handoff.
    fn handoff(&self, connection: &str, id: &str) -> Result<Option<Handoff>, StateError>;

    /// Handoffs that are [open](Handoff::is_open), newest change first; at most `limit`.
    fn open_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError>;

    /// Handoffs that are not [open](Handoff::is_open), newest change first; at most `limit`.
    fn ended_handoffs(&self, connection: &str, limit: u32) -> Result<Vec<Handoff>, StateError>;

    /// The handoff that the first of these conversations that is known belongs to.
    fn handoff_of(&self, connection: &str, conversations: &[String]) -> Result<Option<String>, StateError>;

    /// The handoffs whose `tick` is due, or for which deliveries have waited for too long. Connections take turns; within one, the
    /// longest overdue comes first. At most `limit` are named, all are counted.
    fn due(&self, now: Timestamp, limit: u32) -> Result<Due, StateError>;

    /// Lets a connection rest: nothing of it is named by [`due`](State::due) before `until`, and then one handoff at a time, after
    /// those of all others. `None` ends that.
    fn rest(&self, connection: &str, rest: Option<Rest>) -> Result<(), StateError>;

    /// Puts a delivery behind those that wait for this handoff, which exists. One that waits already is stored once. It is
    /// [due](State::due) at `due_at`, or when the others are. False when there is no room for it.
    fn store_delivery(
        &self,
        connection: &str,
        handoff: &str,
        delivery: &StoredDelivery,
        due_at: Timestamp,
    ) -> Result<bool, StateError>;

    /// Forgets a delivery that is `done`, if one is; then the oldest that waits for this handoff.
    fn next_delivery(
        &self,
        connection: &str,
        handoff: &str,
        done: Option<&str>,
    ) -> Result<Option<StoredDelivery>, StateError>;

    /// What waits for this handoff is not [due](State::due) before `until`.
    fn put_off(&self, connection: &str, handoff: &str, until: Timestamp) -> Result<(), StateError>;

    /// When the oldest of the deliveries came that wait for handoffs of this connection.
    fn oldest_waiting(&self, connection: &str) -> Result<Option<Timestamp>, StateError>;

    /// How many deliveries wait for handoffs of this connection.
    fn waiting(&self, connection: &str) -> Result<u64, StateError>;

    /// True while a handoff of this connection is leased for the word [`HANDOFF`]: it may have a
    /// conversation that is not known yet.
    fn is_handing_over(&self, connection: &str, now: Timestamp) -> Result<bool, StateError>;

    /// Takes the lease of a handoff for `for_ms`. None while somebody else has it, and where there is no such handoff and it must be
    /// `known`. `doing`: a word for what is begun and must not be done twice; empty for nothing.
    fn lease(
        &self,
        connection: &str,
        id: &str,
        doing: &str,
        now: Timestamp,
        for_ms: u64,
        known: bool,
    ) -> Result<Option<Lease>, StateError>;

    /// Makes a lease last for `for_ms` from now. False when somebody else has taken it.
    fn renew(&self, connection: &str, id: &str, lease: u64, now: Timestamp, for_ms: u64) -> Result<bool, StateError>;

    /// Stores a handoff, what is still unsure about it, and the conversations that it is known by (besides those before), and
    /// gives the lease back. The deliveries that it has [worked off](Handoff::worked_off) no longer wait.
    fn save(
        &self,
        handoff: &Handoff,
        conversations: &[String],
        unsure: &[String],
        lease: u64,
    ) -> Result<Saved, StateError>;

    /// Gives a lease back: nothing was done, and what was unsure stays so.
    fn give_back(&self, connection: &str, id: &str, lease: u64) -> Result<(), StateError>;

    /// Forgets handoffs that are [over](Handoff::is_over), not leased, and unchanged since `before`; with them their conversations
    /// and what waits for them. `own`: connections for which another time counts.
    fn forget(&self, before: Timestamp, own: &[(String, Timestamp)]) -> Result<(), StateError>;

    /// Handoffs of the end user with this id, by id. The id may hold anything. Those that were stored before ids were looked for are
    /// among them. Takes longer the more handoffs there are.
    fn handoffs_of_person(&self, connection: &str, person: &str) -> Result<Vec<Handoff>, StateError>;

    /// Conversations and channels that a handoff is known by.
    fn conversations_of(&self, connection: &str, handoff: &str) -> Result<Vec<String>, StateError>;

    /// What waits for a handoff, oldest first.
    fn deliveries(&self, connection: &str, handoff: &str) -> Result<Vec<StoredDelivery>, StateError>;

    /// Forgets a handoff whatever its state, its conversations and what waits for it, and gives the lease back. The lease's number stays
    /// until [`forget`](State::forget): whoever was overtaken must not be able to save it again. False when the lease has gone to
    /// somebody else: then nothing is forgotten.
    fn erase(&self, connection: &str, id: &str, lease: u64, now: Timestamp) -> Result<bool, StateError>;

    /// Adds amounts to the counts of a connection, and deliveries to its log, in place of what was logged about them before. Both go
    /// with the connection; counts of hours and days that are over, and deliveries beyond the log's bounds, go now. A delivery of a
    /// handoff goes with that; where there is none, it is logged without it.
    fn count(
        &self,
        connection: &str,
        amounts: &[(String, u64)],
        log: &[Logged],
        now: Timestamp,
    ) -> Result<(), StateError>;

    /// The deliveries of a connection that were tried at `since` or later, the last one first; all, or those that
    /// [failed](Logged::is_bad).
    fn log(&self, connection: &str, since: Timestamp, only_bad: bool) -> Result<Vec<Logged>, StateError>;

    /// The counts of a connection, by name.
    fn counts(&self, connection: &str) -> Result<Vec<Count>, StateError>;

    /// Encrypts the connections with the key that writes now, those that are not yet; each only as long as nobody else has written it
    /// meanwhile. May be repeated.
    fn reseal(&self) -> Result<Resealed, StateError>;

    /// Writes a record; with `only_new` not over one of that name that has not expired. Whether it was written.
    fn put_record(&self, kind: &str, record: &Record, now: Timestamp, only_new: bool) -> Result<bool, StateError>;

    /// Reads a record that has not expired.
    fn record(&self, kind: &str, name: &str, now: Timestamp) -> Result<Option<Record>, StateError>;

    /// The records of a kind that have not expired, the greatest name first; at most `limit`.
    fn records(&self, kind: &str, now: Timestamp, limit: u32) -> Result<Vec<Record>, StateError>;

    /// Removes a record. Whether there was one, expired or not.
    fn remove_record(&self, kind: &str, name: &str) -> Result<bool, StateError>;

    /// Adds one to a record that is a number, and answers the sum. Where there is none, or it has expired, it begins with one and
    /// ends at `expires_at`.
    fn count_up(&self, kind: &str, name: &str, now: Timestamp, expires_at: Timestamp) -> Result<u64, StateError>;

    /// Forgets the records of a kind that have expired, and of the others all but `most`: those that expire first go, and among equals
    /// those with the least names.
    fn trim_records(&self, kind: &str, now: Timestamp, most: u32) -> Result<(), StateError>;
}

mod base64_text {
    use base64ct::{Base64, Encoding};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| Base64::encode_string(bytes)).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let decode = |text: String| Base64::decode_vec(&text).map_err(|_| D::Error::custom("this is not base64"));
        text.map(decode).transpose()
    }
}

mod base64_bytes {
    use base64ct::{Base64, Encoding};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        Base64::encode_string(bytes).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        Base64::decode_vec(&String::deserialize(from)?).map_err(|_| D::Error::custom("this is not base64"))
    }
}

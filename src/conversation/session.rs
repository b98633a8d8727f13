//! What is remembered about one conversation between calls: an opaque, versioned value that the host stores.
//!
//! It holds ids, counters and the names of human agents; no message text and no secret. Its lists are bounded, so it
//! stays under 64 KiB however long a conversation lasts.

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::conversation::timers;
use crate::settings::Settings;
use handoff_contract::error::Error;
use handoff_contract::model::{
    AgentId, ChannelId, CloseReason, ConversationId, ConversationKey, Event, Finding, GroupId, MessageId, SessionInfo,
    SessionState, Timestamp, UserId,
};

mod relaying;

pub(crate) use relaying::digest_of_words;
pub use relaying::{Relaying, message_key};

/// The answer of a handoff, with the session in bytes.
pub type Receipt = handoff_contract::model::Receipt<Vec<u8>>;
/// The answer of what advances a session, with the session in bytes.
pub type Update = handoff_contract::model::Update<Vec<u8>>;

/// First bytes of every session: a name, then the version of what follows. Fields are told apart by their order alone, so a
/// new version keeps those of the version before and appends its own: open conversations outlive a release.
const NAME: &[u8] = b"fwh";
const VERSION: u8 = b'5';
/// The same fields, under a checksum that took half of a relay to compute.
const PREVIOUS_VERSION: u8 = b'4';
/// Fewer fields, under the checksum of version 4.
const OLDEST_VERSION: u8 = b'3';
/// The fields that the oldest version lacks, all empty.
const APPENDED: [u8; 2] = [0, 0];
const CHECKSUM_BYTES: usize = 8;
/// How many relayed messages, own notes and seen events are remembered. Repeats come within minutes.
const MAX_REMEMBERED: usize = 150;
/// Messages in doubt at once: begun, and neither confirmed nor found missing. As many crashes in a row.
const MAX_IN_DOUBT: usize = 32;
const MAX_AGENTS: usize = 20;
const MAX_CONVERSATIONS: usize = 20;
/// Conversations in which a message in doubt is looked for besides the current one. Each costs requests.
const MAX_FORMER: usize = 3;

/// A write whose result is not known: it is looked for before it is made again. (Relayed messages have journals,
/// [`Relaying`].)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unsure {
    /// The conversation, or the one that continues it, may have been created.
    Conversation,
    /// The next page of the history may have been sent.
    Page,
    /// The note about the end may have been sent.
    EndNote,
    /// The ticket may have been created.
    Ticket,
    /// The conversation is there, and its brief is owed or may have been sent. Never in sessions of versions that wrote the brief
    /// first.
    Brief,
}

/// A human agent's name and photo.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAgent {
    /// Display name.
    pub name: Option<String>,
    /// Photo.
    pub avatar_url: Option<String>,
}

/// The journal and state of one conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Where it stands.
    pub state: SessionState,
    /// Derived from the platform's key; the marker in everything that a handoff writes.
    pub reference: String,
    /// Counts the handoffs of this platform conversation, from 1.
    pub attempt: u32,
    /// The record of the end user.
    pub user: Option<UserId>,
    /// The topic.
    pub channel: Option<ChannelId>,
    /// The conversation that messages go to.
    pub conversation: Option<ConversationId>,
    /// The ticket that stands in for the conversation.
    pub ticket: Option<String>,
    /// The newest note or reply under the ticket that was looked at.
    pub ticket_entry: u64,
    /// Every id that webhooks may use, newest first.
    pub conversation_ids: Vec<String>,
    /// Ids of conversations that a newer one has replaced.
    pub replaced: Vec<String>,
    /// Messages of history at the first try.
    pub history: Option<u32>,
    /// Pages of history that have arrived.
    pub pages_done: u32,
    /// The writes to look for first. One that succeeds settles no other.
    unsure: Vec<Unsure>,
    /// What an earlier try has made is not known: it must be looked for before anything is made.
    pub look: bool,
    /// The session of that try is gone as well, so it may have been any handoff of this platform conversation.
    pub lost: bool,
    /// Messages in doubt, as version 3 wrote them. Empty since.
    begun: Vec<relaying::Begun>,
    /// Why the end was asked for.
    pub end: Option<EndReason>,
    /// The note about the end has arrived.
    pub end_noted: bool,
    /// Freshchat refused to resolve: that it is open means nothing then.
    pub end_refused: bool,
    /// [Keys](message_key) of messages that were relayed, oldest first.
    pub relayed: Vec<String>,
    /// Freshchat's ids of what we wrote, oldest first.
    pub own_messages: Vec<MessageId>,
    /// Ids of events that were reported, oldest first.
    pub seen_events: Vec<String>,
    /// Who has it, or had it last.
    pub agent: Option<AgentId>,
    /// It was assigned to that human agent, who may also have answered without taking it.
    pub assigned: bool,
    /// Which group has it.
    pub group: Option<GroupId>,
    /// When, by the vendor's clock, its status last changed: older changes are stale.
    pub changed_at: Timestamp,
    /// Assignments that were reported; part of their events' ids.
    pub assignments: u32,
    /// How often the AI agent got it back; part of the ids of the events about its ends.
    pub rounds: u32,
    /// When, by the host's clock, it came into its state.
    pub since: Timestamp,
    /// When, by the host's clock, a message or a change was last seen.
    pub active_at: Timestamp,
    /// When, by the host's clock, to look whether webhooks were lost.
    pub look_at: Timestamp,
    /// Names and photos, so that each is looked up once.
    pub known_agents: Vec<(AgentId, KnownAgent)>,
    /// Conversations that messages went to before, newest first: a message in doubt may stand in one of them.
    pub former: Vec<ConversationId>,
    /// Messages in doubt, oldest first.
    pub relaying: Vec<Relaying>,
}

/// Why the platform ends the human part, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndReason {
    /// The end user left.
    UserLeft,
    /// The end user no longer wants a person.
    UserCancelled,
    /// The platform closed the conversation.
    PlatformClosed,
    /// The end user went back to the AI agent.
    ReturnedToAi,
    /// It waited too long.
    TimedOut,
    /// Nobody wrote for too long.
    Inactive,
}

impl From<CloseReason> for EndReason {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::UserLeft => Self::UserLeft,
            CloseReason::UserCancelled => Self::UserCancelled,
            CloseReason::PlatformClosed => Self::PlatformClosed,
            CloseReason::ReturnedToAi => Self::ReturnedToAi,
            CloseReason::TimedOut => Self::TimedOut,
        }
    }
}

impl Session {
    /// The session of a handoff that has not done anything yet.
    pub fn begin(key: &ConversationKey, attempt: u32) -> Self {
        Self {
            state: SessionState::Requesting,
            reference: reference(key, attempt),
            attempt,
            user: None,
            channel: None,
            conversation: None,
            ticket: None,
            ticket_entry: 0,
            conversation_ids: Vec::new(),
            replaced: Vec::new(),
            history: None,
            pages_done: 0,
            unsure: Vec::new(),
            look: false,
            lost: false,
            begun: Vec::new(),
            end: None,
            end_noted: false,
            end_refused: false,
            relayed: Vec::new(),
            own_messages: Vec::new(),
            seen_events: Vec::new(),
            agent: None,
            assigned: false,
            group: None,
            changed_at: 0,
            assignments: 0,
            rounds: 0,
            since: 0,
            active_at: 0,
            look_at: 0,
            known_agents: Vec::new(),
            former: Vec::new(),
            relaying: Vec::new(),
        }
    }

    /// The session in place of one that was lost. What that one reported may have been told: numbers go on where it cannot
    /// have come, so that nothing to come bears an old id and passes for known.
    pub(crate) fn begin_anew(key: &ConversationKey, now: Timestamp) -> Self {
        let number = u32::try_from(now / 1000).unwrap_or(u32::MAX / 2);
        Self { lost: true, rounds: number, assignments: number, ..Self::begin(key, 1) }
    }

    /// The next handoff of the same platform conversation. Old ids stay known, so that late webhooks find it.
    pub fn again(&self, key: &ConversationKey) -> Self {
        Self {
            user: self.user.clone(),
            conversation_ids: self.conversation_ids.clone(),
            replaced: self.conversation_ids.clone(),
            former: self.with_former(self.conversation.as_ref()),
            relaying: self.relaying.clone(),
            relayed: self.relayed.clone(),
            own_messages: self.own_messages.clone(),
            seen_events: self.seen_events.clone(),
            known_agents: self.known_agents.clone(),
            ..Self::begin(key, self.attempt.saturating_add(1))
        }
    }

    /// Reads a stored session; anything else is refused, never misread.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let remedy = "Pass the newest session that the connector returned for this conversation, byte for byte.";
        let refuse = |message: &'static str| Error::request("session", message, remedy);
        let rest = bytes.strip_prefix(NAME).ok_or_else(|| refuse("this is not a session of this connector"))?;
        let (version, rest) = rest.split_first().ok_or_else(|| refuse("the session is damaged"))?;
        if ![VERSION, PREVIOUS_VERSION, OLDEST_VERSION].contains(version) {
            return Err(refuse("the session was written by another version of the connector").with_remedy(
                "Use the version that wrote it until the conversation has ended, or hand off again with `retry: true`.",
            ));
        }
        let (sum, fields) = rest.split_at_checked(CHECKSUM_BYTES).ok_or_else(|| refuse("the session is damaged"))?;
        if checksum(*version, fields) != sum {
            return Err(refuse("the session is damaged"));
        }
        // One call for all versions: reading is a large part of the plugin.
        let appended: &[u8] = if *version == OLDEST_VERSION { &APPENDED } else { &[] };
        let bytes = [fields, appended].concat();
        let read = postcard::take_from_bytes(&bytes);
        // The checksum of old versions does not cover the version: fields of another one are told by their number.
        let Ok((mut session, [])) = read.map(|(session, rest): (Self, &[u8])| (session, rest)) else {
            return Err(refuse("the session is damaged"));
        };
        if *version == OLDEST_VERSION {
            session.upgrade();
        }
        Ok(session)
    }

    /// Turns what version 3 wrote into what this version writes.
    fn upgrade(&mut self) {
        self.relaying = std::mem::take(&mut self.begun).into_iter().map(Relaying::from).collect();
        // It stands where messages went, or in the conversation that may have been opened with it.
        let begun_in = self.conversation.clone().filter(|_| !self.is_unsure(Unsure::Conversation));
        self.relaying.iter_mut().for_each(|journal| journal.conversation.clone_from(&begun_in));
        self.relayed.iter_mut().for_each(|id| *id = message_key(id));
    }

    /// The value to store.
    pub fn encode(&self) -> Vec<u8> {
        // Writing plain fields to a vector cannot fail; if it did, the result would be refused as damaged.
        let fields = postcard::to_allocvec(self).unwrap_or_default();
        [NAME, &[VERSION], &checksum(VERSION, &fields), &fields].concat()
    }

    /// What the host may read.
    pub fn info(&self, settings: &Settings) -> SessionInfo {
        SessionInfo {
            state: self.state,
            owner: self.state.owner(),
            conversation_ids: self.conversation_ids.clone(),
            ticket_id: self.ticket.clone(),
            next_tick_at: timers::next_tick(self, settings),
        }
    }

    /// The answer of a call that has moved this session on.
    pub fn update(&self, settings: &Settings, events: Vec<Event>, findings: Vec<Finding>) -> Update {
        Update {
            events,
            session: Some(self.encode()),
            info: Some(self.info(settings)),
            findings,
            decisions: Vec::new(),
        }
    }

    /// Moves to a state, at this time by the host's clock.
    pub fn enter(&mut self, state: SessionState, now: Timestamp) {
        if self.state != state {
            self.since = now;
        }
        self.state = state;
    }

    /// The id of the event about the next end, reopening or return: the same whether a webhook, `tick` or `close` comes upon
    /// it, and whether or not an earlier try was stored.
    pub fn round_id(&self, word: &str) -> String {
        self.event_id(word, self.rounds)
    }

    /// The id of the event about the next assignment, to whom it may be.
    pub(crate) fn assignment_id(&self, to: &str) -> String {
        format!("{}:{to}", self.event_id("assigned", self.assignments))
    }

    fn event_id(&self, word: &str, number: u32) -> String {
        // The reference alone is too short to be unique among all conversations of a platform.
        let place = self.conversation.as_ref().map(|id| id.as_str()).unwrap_or_default();
        format!("fc:{word}:{place}:{}:{number}", self.reference)
    }

    /// Makes `id` the conversation that messages go to; older ones stay known.
    pub fn adopt_conversation(&mut self, id: ConversationId, numeric_id: Option<&str>) {
        if self.conversation.as_ref().is_some_and(|current| *current != id) {
            self.former = self.with_former(self.conversation.as_ref());
            self.replaced = self.conversation_ids.clone();
            // What went out with the conversation that was not known yet is looked for there, whatever replaces that.
            let moved_on = self.relaying.iter_mut().filter(|it| it.conversation.is_none() && !it.untracked);
            moved_on.for_each(|journal| journal.conversation = Some(id.clone()));
            // Nobody has taken the new one.
            self.assigned = false;
        }
        self.replaced.retain(|replaced| replaced != id.as_str() && Some(replaced.as_str()) != numeric_id);
        if let Some(numeric_id) = numeric_id {
            self.know_conversation(numeric_id);
        }
        self.know_conversation(id.as_str());
        self.conversation = Some(id);
    }

    /// Lets go of a conversation that was deleted before its handoff was complete, so that the next one starts from the first
    /// page. Its ids stay known, and late webhooks about it change nothing.
    pub(crate) fn drop_conversation(&mut self) {
        self.conversation = None;
        self.replaced = self.conversation_ids.clone();
        (self.agent, self.assigned) = (None, false);
        self.pages_done = 0;
        self.set_unsure(Unsure::Page, false);
    }

    /// True when this write may have been made.
    pub(crate) fn is_unsure(&self, write: Unsure) -> bool {
        self.unsure.contains(&write)
    }

    /// True when any write may have been made that is not known of.
    pub(crate) fn is_anything_unsure(&self) -> bool {
        !self.unsure.is_empty()
    }

    /// Remembers whether this write may have been made.
    pub(crate) fn set_unsure(&mut self, write: Unsure, unsure: bool) {
        self.unsure.retain(|other| *other != write);
        if unsure {
            self.unsure.push(write);
        }
    }

    fn with_former(&self, newest: Option<&ConversationId>) -> Vec<ConversationId> {
        let older = self.former.iter().filter(|former| Some(*former) != newest);
        newest.into_iter().chain(older).take(MAX_FORMER).cloned().collect()
    }

    /// Remembers an id under which webhooks may speak of this conversation.
    pub(crate) fn know_conversation(&mut self, id: &str) {
        self.conversation_ids.retain(|known| known != id);
        self.conversation_ids.insert(0, id.to_owned());
        self.conversation_ids.truncate(MAX_CONVERSATIONS);
    }

    /// Remembers another id of a conversation that is known already; the order stays.
    pub(crate) fn know_alias(&mut self, id: &str) {
        if !self.knows_conversation(id) && self.conversation_ids.len() < MAX_CONVERSATIONS {
            self.conversation_ids.push(id.to_owned());
        }
    }

    /// True when webhooks about `id` belong here.
    pub(crate) fn knows_conversation(&self, id: &str) -> bool {
        self.conversation_ids.iter().any(|known| known == id)
    }

    /// True when webhooks under `id` speak of a conversation that a newer one has replaced.
    pub(crate) fn has_replaced(&self, id: &str) -> bool {
        self.replaced.iter().any(|replaced| replaced == id)
    }

    /// Remembers a message of ours.
    pub(crate) fn mark_own(&mut self, message: MessageId) {
        push_bounded(&mut self.own_messages, message);
    }

    /// True when we wrote that message.
    pub fn is_own(&self, message: &MessageId) -> bool {
        self.own_messages.contains(message)
    }

    /// Remembers an event. False when it was reported before.
    pub(crate) fn mark_seen(&mut self, event: &str) -> bool {
        if self.seen_events.iter().any(|seen| seen == event) {
            return false;
        }
        push_bounded(&mut self.seen_events, event.to_owned());
        true
    }

    /// Remembers a human agent's name and photo.
    pub(crate) fn know_agent(&mut self, id: &AgentId, agent: KnownAgent) {
        self.known_agents.retain(|(known, _)| known != id);
        if self.known_agents.len() >= MAX_AGENTS {
            self.known_agents.remove(0);
        }
        self.known_agents.push((id.clone(), agent));
    }

    /// What is known of a human agent.
    pub(crate) fn known_agent(&self, id: &AgentId) -> Option<&KnownAgent> {
        self.known_agents.iter().find(|(known, _)| known == id).map(|(_, agent)| agent)
    }
}

fn push_bounded<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= MAX_REMEMBERED {
        list.remove(0);
    }
    list.push(item);
}

/// Tells damage from a session; it protects against accidents, not against the host. FNV-1a of 64 bits
/// (<http://www.isthe.com/chongo/tech/comp/fnv/>); versions before this one took the beginning of SHA-256.
fn checksum(version: u8, fields: &[u8]) -> [u8; CHECKSUM_BYTES] {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x100_0000_01b3;
    if version == VERSION {
        return fields.iter().fold(OFFSET, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(PRIME)).to_be_bytes();
    }
    let hash = ring::digest::digest(&SHA256, fields);
    let mut sum = [0; CHECKSUM_BYTES];
    sum.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    sum
}

/// The marker of a handoff: eight hexadecimal digits, the same for the same key and attempt. It is looked for only among
/// the conversations of one user, where 32 bits are plenty.
pub fn reference(key: &ConversationKey, attempt: u32) -> String {
    let attempt = attempt.to_string();
    digest(&[&key.application, &key.channel, &key.conversation, &attempt], 4)
}

/// A short fingerprint of several texts, as hexadecimal digits, two a byte. Lengths are part of it, so that no two lists
/// of texts run together into one.
pub fn digest(texts: &[&str], bytes: usize) -> String {
    let mut hash = Context::new(&SHA256);
    for text in texts {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    hash.finish().as_ref().iter().take(bytes).flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_contract::error::ErrorKind;

    fn key() -> ConversationKey {
        ConversationKey { application: "app".into(), channel: "ch".into(), conversation: "1".into() }
    }

    #[test]
    fn a_session_survives_being_stored() {
        let mut session = Session::begin(&key(), 1);
        session.adopt_conversation("conv".into(), Some("1019"));
        session.know_agent(&"a".into(), KnownAgent { name: Some("Maya".into()), avatar_url: None });
        session.set_unsure(Unsure::Page, true);
        session.mark_relayed("m1");
        session.doubt(&message_key("m2"));
        assert_eq!(Session::decode(&session.encode()).unwrap(), session);
        assert_eq!(session.conversation_ids, ["conv", "1019"]);
    }

    /// Written by version 4 of the session, before the next one existed, with what version 3 had written.
    #[test]
    fn a_session_of_the_previous_version_is_upgraded() {
        let stored = include_bytes!("../../fixtures/session/v4.session");
        assert_eq!(stored.get(3), Some(&PREVIOUS_VERSION));
        let session = Session::decode(stored).unwrap();
        assert_eq!(session, Session::decode(include_bytes!("../../fixtures/session/v3.session")).unwrap());
        assert_eq!(session.encode().get(3), Some(&VERSION));
    }

    /// The vectors of FNV's authors.
    #[test]
    fn the_checksum_is_the_published_one() {
        for (text, sum) in
            [("", 0xcbf2_9ce4_8422_2325_u64), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(checksum(VERSION, text.as_bytes()), sum.to_be_bytes(), "{text}");
        }
    }

    /// Written by version 3 of the session, before the next one existed.
    #[test]
    fn a_session_of_the_oldest_version_is_upgraded() {
        let stored = include_bytes!("../../fixtures/session/v3.session");
        assert_eq!(stored.get(3), Some(&OLDEST_VERSION));
        let session = Session::decode(stored).unwrap();
        assert_eq!((session.state, session.attempt), (SessionState::Active, 2));
        assert_eq!((&session.user, &session.channel), (&Some("user-1".into()), &Some("topic-1".into())));
        assert_eq!(session.conversation, Some("conv-2".into()));
        assert_eq!(session.conversation_ids, ["conv-2", "1019", "conv-1", "1018"]);
        assert_eq!((session.history, session.pages_done), (Some(7), 3));
        assert_eq!(session.unsure, [Unsure::EndNote]);
        assert!(
            session.was_relayed(&message_key("m-1"))
                && session.was_relayed(&message_key("m-2"))
                && !session.was_relayed(&message_key("m-3"))
        );
        assert!(session.is_own(&"v-2".into()) && session.seen_events == ["fc:m:1"]);
        assert_eq!((session.end, session.assignments, session.rounds), (Some(EndReason::UserLeft), 2, 1));
        assert_eq!(session.changed_at, 1_790_000_001_000);
        assert_eq!(session.look_at, 1_790_000_062_000);
        let maya = session.known_agent(&"agent-1".into()).unwrap();
        assert_eq!(maya.name.as_deref(), Some("Maya Chen"));
        let mut upgraded = Session::decode(&session.encode()).unwrap();
        assert_eq!(upgraded, session);
        let begun = upgraded.take_relaying(&message_key("m-3"), false);
        assert_eq!((begun.done, begun.unsure, begun.behind), (1, true, None));
    }

    #[test]
    fn what_is_no_session_is_refused() {
        let encoded = Session::begin(&key(), 1).encode();
        let mut newer = encoded.clone();
        newer[3] = b'6';
        let mut flipped = encoded.clone();
        flipped[20] ^= 1;
        for (bytes, word) in [
            (&b""[..], "not a session"),
            (b"{}", "not a session"),
            (b"fwh", "damaged"),
            (b"fwh5", "damaged"),
            (b"fwh512345678", "damaged"),
            (b"fwh412345678", "damaged"),
            (b"fwh312345678", "damaged"),
            (&encoded[..encoded.len() - 1], "damaged"),
            (&flipped, "damaged"),
            (&newer, "another version"),
        ] {
            let error = Session::decode(bytes).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidRequest);
            assert!(error.message.contains(word), "{}", error.message);
        }
    }

    proptest::proptest! {
        /// Whatever was changed on its way, it is refused with an error that says so.
        #[test]
        fn random_bytes_are_refused(mut bytes: Vec<u8>, header in 0..6_usize) {
            let header = [&b""[..], NAME, b"fwh3", b"fwh4", b"fwh5", b"fwh9"].into_iter().nth(header).unwrap_or_default();
            bytes.splice(0..0, header.iter().copied());
            let error = Session::decode(&bytes).unwrap_err();
            proptest::prop_assert_eq!(error.kind, ErrorKind::InvalidRequest);
            proptest::prop_assert_eq!(error.field.as_deref(), Some("session"));
        }

        #[test]
        fn a_session_with_one_changed_byte_is_refused(place: proptest::sample::Index, change in 1..=255_u8) {
            let mut bytes = Session::begin(&key(), 1).encode();
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            proptest::prop_assert!(Session::decode(&bytes).is_err());
        }

        /// The checksum is right, what it sums up is not ours: read or refused, never a panic.
        #[test]
        fn fields_of_somebody_else_do_no_harm(fields: Vec<u8>, version in OLDEST_VERSION..=VERSION) {
            let bytes = [NAME, &[version], &checksum(version, &fields), &fields].concat();
            if let Ok(session) = Session::decode(&bytes) {
                proptest::prop_assert_eq!(Session::decode(&session.encode()).unwrap(), session);
            }
        }
    }

    #[test]
    fn a_session_of_an_unknown_version_says_so() {
        for version in (0..=255).filter(|version| !(OLDEST_VERSION..=VERSION).contains(version)) {
            let mut bytes = Session::begin(&key(), 1).encode();
            bytes[3] = version;
            let error = Session::decode(&bytes).unwrap_err();
            assert!(error.message.contains("another version") && error.remedy.is_some(), "{version}");
        }
    }

    #[test]
    fn a_session_stays_small() {
        let mut session = Session::begin(&key(), 1);
        for number in 0..5_000 {
            let id = format!("{number:036}");
            session.know_conversation(&id);
            session.mark_relayed(&message_key(&id));
            session.mark_own(MessageId(id.clone()));
            session.mark_seen(&format!("fc:m:{id}"));
            let journal = session.take_relaying(&message_key(&id), true);
            let candidates = (0..9).map(|number| MessageId(format!("{number}-{id}"))).collect();
            session.put_off(Relaying { candidates: Some(candidates), ..journal });
            session.adopt_conversation(ConversationId(id.clone()), None);
            let avatar_url = Some(format!("https://fc-use1.example/{number:0100}"));
            session.know_agent(&AgentId(id.clone()), KnownAgent { name: Some(id), avatar_url });
        }
        assert!(session.encode().len() < 64 * 1024, "{}", session.encode().len());
    }

    #[test]
    fn references_differ_by_every_part_of_the_key_and_by_attempt() {
        let of = |application: &str, channel: &str, conversation: &str, attempt| {
            let key = ConversationKey {
                application: application.into(),
                channel: channel.into(),
                conversation: conversation.into(),
            };
            reference(&key, attempt)
        };
        let all = [
            of("a", "b", "c", 1),
            of("a", "b", "c", 2),
            of("ab", "", "c", 1),
            of("a", "bc", "", 1),
            of("a", "b", "d", 1),
        ];
        for (index, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 8);
            assert!(!all[..index].contains(one), "{one}");
        }
    }
}

//! Journals of messages in doubt: begun, and neither confirmed nor found missing.
//!
//! Freshchat has no idempotency key, so a message in doubt is recognized by its author and its words. That is exact only
//! within bounds: it stands behind what was there when it was begun, and before what was written after it. A journal keeps
//! both bounds, whatever other message goes ahead in the meantime.

use serde::{Deserialize, Serialize};

use super::{MAX_IN_DOUBT, Session, digest, push_bounded};
use handoff_contract::model::{ConversationId, MessageId};

/// Messages that may be one in doubt, as many as are kept. Where there are more, it is looked for among all that stand behind
/// its lower bound.
const MAX_CANDIDATES: usize = 16;

/// The name of a message of the platform in sessions: ids may be long, sessions are small.
pub fn message_key(id: &str) -> String {
    digest(&[id], 8)
}

/// A message of the end user whose relay was begun and not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relaying {
    /// The [key](message_key) of the platform's id.
    pub message: String,
    /// Pieces that have arrived.
    pub done: u32,
    /// The next piece may have arrived as well.
    pub unsure: bool,
    /// The session of an earlier try is gone: how far that came is not known.
    pub untracked: bool,
    /// The conversation that it was begun in; none when that is not known, or when it goes on in the current one.
    pub conversation: Option<ConversationId>,
    /// The newest message of ours when it was begun: it can only stand behind that. None when that is not known.
    pub behind: Option<MessageId>,
    /// What may be it among the messages that stood there before another write began; none while no other has.
    pub candidates: Option<Vec<MessageId>>,
    /// A digest of the words of the piece in doubt, so that no other message is taken for it; empty when they are not known.
    pub words: String,
}

/// What tells the words of one message in doubt from those of another.
pub(crate) fn digest_of_words(text: &str) -> String {
    digest(&[text], 4)
}

/// The same as version 3 of the session wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    message: String,
    done: u32,
    unsure: bool,
    overtaken: bool,
    untracked: bool,
}

impl From<Begun> for Relaying {
    /// That version knew no bounds, so it is looked for everywhere.
    fn from(begun: Begun) -> Self {
        Self {
            message: message_key(&begun.message),
            done: begun.done,
            unsure: begun.unsure,
            untracked: begun.untracked,
            conversation: None,
            behind: None,
            candidates: None,
            words: String::new(),
        }
    }
}

impl Relaying {
    /// Goes out with the conversation that continues the current one, or is left in doubt with it.
    pub(crate) fn move_on(&mut self) {
        self.unsure = true;
        (self.conversation, self.behind, self.candidates) = (None, None, None);
        self.words.clear();
    }

    /// Bounds it by what stands in this conversation now. Nothing: then nothing of it has arrived since the last piece that is
    /// known to, unless the try that was cut off may have gone on elsewhere.
    pub(crate) fn settle(&mut self, conversation: &ConversationId, found: Vec<MessageId>) {
        if found.is_empty() && !self.untracked {
            self.unsure = false;
        }
        self.conversation = Some(conversation.clone());
        self.candidates = Some(found).filter(|found| found.len() <= MAX_CANDIDATES);
    }
}

impl Session {
    /// Takes the journal of the message with this [key](message_key) out of the session, to be given back by [`Session::put_off`] when it is not finished.
    /// `retry`: an earlier try may have got further than this session knows.
    pub(crate) fn take_relaying(&mut self, key: &str, retry: bool) -> Relaying {
        let key = key.to_owned();
        let found = self.relaying.iter().position(|relaying| relaying.message == key);
        let mut journal = match found {
            Some(index) => self.relaying.remove(index),
            // The session of the try in question is older than what this one knows: it has no bounds.
            None if retry => Relaying { conversation: None, behind: None, ..self.begin_relaying(key) },
            None => self.begin_relaying(key),
        };
        if retry {
            (journal.unsure, journal.untracked, journal.candidates) = (true, true, None);
            journal.words.clear();
        }
        journal
    }

    fn begin_relaying(&self, message: String) -> Relaying {
        Relaying {
            message,
            done: 0,
            unsure: false,
            untracked: false,
            conversation: self.conversation.clone(),
            behind: self.own_messages.last().cloned(),
            candidates: None,
            words: String::new(),
        }
    }

    /// Keeps the journal of a message that is not finished, as far as anything is in doubt about it.
    pub fn put_off(&mut self, relaying: Relaying) {
        // Not found here says nothing about where the try that was cut off may have gone on.
        if relaying.done == 0 && !relaying.unsure && !relaying.untracked {
            return;
        }
        if self.relaying.len() >= MAX_IN_DOUBT {
            self.relaying.remove(0);
        }
        self.relaying.push(relaying);
    }

    /// Somebody has begun to relay the message with this [key](message_key), starting from this very session, and was cut off:
    /// nobody knows how far that came. To be called before anything else happens to the session; then whatever happens
    /// first, in whatever order, the repeat finds what the cut-off try has written. May be repeated.
    pub fn doubt(&mut self, message: &str) {
        if self.relayed.iter().any(|relayed| relayed == message) {
            return;
        }
        match self.relaying.iter_mut().find(|relaying| relaying.message == message) {
            Some(known) => {
                (known.unsure, known.untracked, known.candidates) = (true, true, None);
                known.words.clear();
            }
            None => {
                let journal = self.begin_relaying(message.to_owned());
                self.put_off(Relaying { unsure: true, untracked: true, ..journal });
            }
        }
    }

    /// True when a message may have been written by a try that was cut off.
    pub(crate) fn is_any_in_doubt(&self) -> bool {
        self.relaying.iter().any(|relaying| relaying.unsure)
    }

    /// True when a message in doubt may be that one.
    pub(crate) fn is_claimed(&self, message: &MessageId) -> bool {
        self.relaying.iter().filter_map(|it| it.candidates.as_ref()).any(|all| all.contains(message))
    }

    /// Remembers that the platform's message with this [key](message_key) has arrived.
    pub(crate) fn mark_relayed(&mut self, message: &str) {
        push_bounded(&mut self.relayed, message.to_owned());
    }

    /// True when the platform's message with this [key](message_key) has arrived before.
    pub(crate) fn was_relayed(&self, message: &str) -> bool {
        self.relayed.iter().any(|relayed| relayed == message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_contract::model::ConversationKey;

    fn session() -> Session {
        let key = ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() };
        let mut session = Session::begin(&key, 1);
        session.adopt_conversation("c-1".into(), None);
        session.mark_own("v-1".into());
        session
    }

    #[test]
    fn a_message_in_doubt_keeps_its_bounds_whatever_goes_ahead() {
        let mut session = session();
        session.doubt(&message_key("m-1"));
        session.mark_own("v-2".into());
        session.mark_relayed(&message_key("m-2"));
        session.adopt_conversation("c-2".into(), None);
        let journal = session.take_relaying(&message_key("m-1"), false);
        assert_eq!((journal.unsure, journal.untracked), (true, true));
        assert_eq!(journal.conversation, Some("c-1".into()));
        assert_eq!(journal.behind, Some("v-1".into()));
        assert_eq!(session.former, ["c-1".into()]);
    }

    #[test]
    fn a_retry_that_the_session_does_not_know_has_no_bounds() {
        let journal = session().take_relaying(&message_key("m-1"), true);
        assert_eq!((journal.unsure, journal.conversation, journal.behind), (true, None, None));
    }

    #[test]
    fn what_arrived_is_in_no_doubt() {
        let mut session = session();
        session.mark_relayed(&message_key("m-1"));
        session.doubt(&message_key("m-1"));
        assert!(!session.is_any_in_doubt());
    }

    #[test]
    fn a_doubt_that_nothing_may_be_is_over() {
        let mut journal = session().take_relaying(&message_key("m-1"), false);
        journal.unsure = true;
        journal.settle(&"c-1".into(), Vec::new());
        assert!(!journal.unsure);
        journal.settle(&"c-1".into(), vec!["v-2".into()]);
        assert_eq!(journal.candidates, Some(vec!["v-2".into()]));
    }

    #[test]
    fn a_try_that_was_cut_off_may_have_gone_on_elsewhere() {
        let mut journal = session().take_relaying(&message_key("m-1"), true);
        journal.settle(&"c-1".into(), Vec::new());
        assert!(journal.unsure, "it may have opened a conversation that continues this one");
        assert_eq!(journal.conversation, Some("c-1".into()));
    }

    #[test]
    fn a_new_crash_lifts_the_upper_bound() {
        let mut session = session();
        session.doubt(&message_key("m-1"));
        let mut journal = session.take_relaying(&message_key("m-1"), false);
        journal.settle(&"c-1".into(), vec!["v-2".into()]);
        session.put_off(journal);
        session.doubt(&message_key("m-1"));
        assert_eq!(session.take_relaying(&message_key("m-1"), false).candidates, None);
    }

    #[test]
    fn what_is_in_no_doubt_is_not_kept() {
        let mut session = session();
        let journal = session.take_relaying(&message_key("m-1"), false);
        session.put_off(journal);
        assert!(session.relaying.is_empty());
    }
}

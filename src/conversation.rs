//! Writing into a conversation so that nothing is written twice.
//!
//! Freshchat has no idempotency key. So the journal in the session names each write before it is sent; when its result
//! stays unknown, the next try first looks for what the write would have left behind, and adopts it.

use crate::client::Client;
use crate::client::{Failure, FailureKind};
use crate::freshchat::endpoints::{
    Assignment, Conversation, CreateConversation, GetConversation, ListMessages, ListUserConversations, NewMessage,
    SendMessage,
};
use crate::freshchat::wire::VendorMessage;
use crate::model::{ChannelId, ConversationId, UserId};
use crate::session::{Pending, Session};

/// Conversations of one user that are searched for a marker. Freshchat keeps one open conversation for each user and topic,
/// so few users have more than a handful.
const MOST_SEARCHED: usize = 200;
const SEARCHED_AT_ONCE: usize = 8;
/// Pages of 50 messages, from the newest, that are searched in one conversation.
const PAGES_SEARCHED: u32 = 3;

/// A conversation that an earlier try has made.
#[derive(Clone, Debug)]
pub struct Found {
    /// The conversation.
    pub conversation: Conversation,
    /// Its newest messages, newest first.
    pub messages: Vec<VendorMessage>,
}

/// Where messages are written to, and in whose name they come.
pub struct Place<'a> {
    /// The end user's record.
    pub user: &'a UserId,
    /// The topic.
    pub channel: &'a ChannelId,
    /// Who should get it.
    pub assignment: &'a Assignment,
}

/// Creates a conversation with its first messages. Only for callers who have looked, or know that no try came before.
///
/// After [`FailureKind::OutcomeUnknown`] the next try has to look; after [`FailureKind::Refused`] the caller has to, because
/// Freshchat was seen to refuse what it had stored. Until then [`Pending::Conversation`] stands in the session.
pub fn create(
    freshchat: &Client<'_>,
    session: &mut Session,
    place: &Place<'_>,
    messages: &[NewMessage],
) -> Result<Conversation, Failure> {
    session.pending = Some(Pending::Conversation);
    let Place { user, channel, assignment } = *place;
    let answer = freshchat.call(&CreateConversation { channel, user, messages, assignment });
    let may_exist = |failure: &Failure| matches!(failure.kind, FailureKind::OutcomeUnknown | FailureKind::Refused);
    if !answer.as_ref().is_err_and(may_exist) {
        session.pending = None;
    }
    let conversation = answer?;
    adopt(session, &conversation);
    for message in &conversation.messages {
        session.mark_own(message.clone());
    }
    Ok(conversation)
}

/// Makes it the conversation that messages go to.
pub fn adopt(session: &mut Session, conversation: &Conversation) {
    session.adopt_conversation(conversation.id.clone(), conversation.numeric_id.as_deref());
    if let Some(channel) = &conversation.channel {
        session.channel = Some(channel.clone());
    }
}

/// How a message of ours is told from all others.
pub struct Search<'a> {
    /// Recognises it. Messages that the session knows as its own are never taken for it.
    pub is_it: &'a dyn Fn(&VendorMessage) -> bool,
    /// It can only stand behind everything that the session knows as its own. Needed where people may write the same twice.
    pub is_newest: bool,
}

/// Sends a message, or finds that it has arrived already: then the answer is true.
///
/// `unsure` says that an earlier try may have got through, and afterwards whether this one may have.
pub fn send_once(
    freshchat: &Client<'_>,
    session: &mut Session,
    unsure: &mut bool,
    place: (&ConversationId, &UserId),
    message: &NewMessage,
    search: &Search<'_>,
) -> Result<bool, Failure> {
    let (conversation, user) = place;
    if *unsure && arrived(freshchat, session, conversation, search)? {
        *unsure = false;
        return Ok(true);
    }
    *unsure = true;
    let failure = match freshchat.call(&SendMessage { conversation, user, message }) {
        Ok(sent) => {
            *unsure = false;
            session.mark_own(sent.id);
            if let Some(numeric_id) = sent.numeric_conversation_id
                && !session.knows_conversation(&numeric_id)
            {
                session.know_conversation(&numeric_id);
                // The id for paths stays the first.
                session.know_conversation(conversation.as_str());
            }
            return Ok(false);
        }
        Err(failure) => failure,
    };
    let arrived = match failure.kind {
        FailureKind::OutcomeUnknown => return Err(failure),
        // Freshchat was seen to answer 400 to a message that it stored (text into an e-mail conversation).
        FailureKind::Refused => arrived(freshchat, session, conversation, search)?,
        _ => false,
    };
    *unsure = false;
    if arrived { Ok(true) } else { Err(failure) }
}

fn arrived(
    freshchat: &Client<'_>,
    session: &mut Session,
    conversation: &ConversationId,
    search: &Search<'_>,
) -> Result<bool, Failure> {
    // The oldest one counts: of two equal pieces in a row the first is asked for first.
    let mut found = None;
    'pages: for page in 1..=PAGES_SEARCHED {
        let newest = freshchat.call(&ListMessages { id: conversation, page })?;
        for message in newest.messages {
            if session.is_own(&message.id) {
                if search.is_newest {
                    break 'pages;
                }
            } else if (search.is_it)(&message) {
                found = Some(message.id);
            }
        }
        if !newest.has_next {
            break;
        }
    }
    let has_arrived = found.is_some();
    found.into_iter().for_each(|id| session.mark_own(id));
    Ok(has_arrived)
}

/// The conversation of this user in which `is_ours` recognises a message. One that has ended counts only when
/// `resolved_too` says so.
pub fn find(
    freshchat: &Client<'_>,
    user: &UserId,
    resolved_too: bool,
    is_ours: &dyn Fn(&VendorMessage) -> bool,
) -> Result<Option<Found>, Failure> {
    let ids = freshchat.call(&ListUserConversations { user })?;
    let ids: Vec<ConversationId> = ids.into_iter().take(MOST_SEARCHED).collect();
    for batch in ids.chunks(SEARCHED_AT_ONCE) {
        let mut searched: Vec<&ConversationId> = batch.iter().collect();
        for page in 1..=PAGES_SEARCHED {
            let searches: Vec<ListMessages<'_>> = searched.iter().map(|id| ListMessages { id, page }).collect();
            let mut older = Vec::new();
            for (id, answer) in searched.iter().zip(freshchat.call_all(&searches)) {
                let answer = answer?;
                if answer.messages.iter().any(is_ours) {
                    let conversation = freshchat.call(&GetConversation { id })?;
                    if resolved_too || !conversation.is_resolved() {
                        return Ok(Some(Found { conversation, messages: answer.messages }));
                    }
                } else if answer.has_next {
                    older.push(*id);
                }
            }
            if older.is_empty() {
                break;
            }
            searched = older;
        }
    }
    Ok(None)
}

//! Writing into a conversation so that nothing is written twice.
//!
//! Freshchat has no idempotency key. So the journal in the session names each write before it is sent; when its result
//! stays unknown, the next try first looks for what the write would have left behind, and adopts it.

use crate::freshchat::Freshchat;
use crate::freshchat::endpoints::{
    Assignment, Conversation, CreateConversation, GetConversation, ListMessages, ListUserConversations, NewMessage,
    SendMessage,
};
use crate::freshchat::failure::{Failure, FailureKind};
use crate::freshchat::wire::VendorMessage;
use crate::http::Http;
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
pub async fn create<H: Http>(
    freshchat: &Freshchat<'_, H>,
    session: &mut Session,
    place: &Place<'_>,
    messages: &[NewMessage],
) -> Result<Conversation, Failure> {
    session.pending = Some(Pending::Conversation);
    let Place { user, channel, assignment } = *place;
    let answer = freshchat.call(&CreateConversation { channel, user, messages, assignment }).await;
    if !matches!(&answer, Err(failure) if failure.kind == FailureKind::OutcomeUnknown) {
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

/// Sends a message, or finds that it has arrived already.
///
/// `is_it` recognises the message; messages that the session knows as its own are never taken for it.
pub async fn send_once<H: Http>(
    freshchat: &Freshchat<'_, H>,
    session: &mut Session,
    step: Pending,
    place: (&ConversationId, &UserId),
    message: &NewMessage,
    is_it: &dyn Fn(&VendorMessage) -> bool,
) -> Result<(), Failure> {
    let (conversation, user) = place;
    if session.pending.as_ref() == Some(&step) && arrived(freshchat, session, conversation, is_it).await? {
        session.pending = None;
        return Ok(());
    }
    session.pending = Some(step);
    match freshchat.call(&SendMessage { conversation, user, message }).await {
        Ok(sent) => {
            session.pending = None;
            session.mark_own(sent.id);
            if let Some(numeric_id) = sent.numeric_conversation_id
                && !session.knows_conversation(&numeric_id)
            {
                session.know_conversation(&numeric_id);
                // The id for paths stays the first.
                session.know_conversation(conversation.as_str());
            }
            Ok(())
        }
        Err(failure) if failure.kind == FailureKind::OutcomeUnknown => Err(failure),
        // Freshchat was seen to answer 400 to a message that it stored (text into an e-mail conversation).
        Err(failure) if failure.kind == FailureKind::Refused => {
            if arrived(freshchat, session, conversation, is_it).await? {
                session.pending = None;
                return Ok(());
            }
            session.pending = None;
            Err(failure)
        }
        Err(failure) => {
            session.pending = None;
            Err(failure)
        }
    }
}

async fn arrived<H: Http>(
    freshchat: &Freshchat<'_, H>,
    session: &mut Session,
    conversation: &ConversationId,
    is_it: &dyn Fn(&VendorMessage) -> bool,
) -> Result<bool, Failure> {
    for page in 1..=PAGES_SEARCHED {
        let newest = freshchat.call(&ListMessages { id: conversation, page }).await?;
        if let Some(found) = newest.messages.into_iter().find(|message| is_it(message) && !session.is_own(&message.id))
        {
            session.mark_own(found.id);
            return Ok(true);
        }
        if !newest.has_next {
            break;
        }
    }
    Ok(false)
}

/// The open conversation of this user in which `is_ours` recognises a message.
pub async fn find<H: Http>(
    freshchat: &Freshchat<'_, H>,
    user: &UserId,
    is_ours: &dyn Fn(&VendorMessage) -> bool,
) -> Result<Option<Found>, Failure> {
    let ids = freshchat.call(&ListUserConversations { user }).await?;
    let ids: Vec<ConversationId> = ids.into_iter().take(MOST_SEARCHED).collect();
    for batch in ids.chunks(SEARCHED_AT_ONCE) {
        let mut searched: Vec<&ConversationId> = batch.iter().collect();
        for page in 1..=PAGES_SEARCHED {
            let searches: Vec<ListMessages<'_>> = searched.iter().map(|id| ListMessages { id, page }).collect();
            let mut older = Vec::new();
            for (id, answer) in searched.iter().zip(freshchat.call_all(&searches).await) {
                let answer = answer?;
                if answer.messages.iter().any(is_ours) {
                    let conversation = freshchat.call(&GetConversation { id }).await?;
                    if !conversation.is_resolved() {
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

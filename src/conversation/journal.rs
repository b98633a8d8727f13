//! Writing into a conversation so that nothing is written twice.
//!
//! Freshchat has no idempotency key. So the journal in the session names each write before it is sent; when its result
//! stays unknown, the next try first looks for what the write would have left behind, and adopts it.

use std::ops::ControlFlow;

use crate::conversation::session::{Relaying, Session, Unsure, digest_of_words};
use crate::freshchat::endpoints::{
    Assignment, Conversation, CreateConversation, GetConversation, ListMessages, ListUserConversations, NewMessage,
    SendMessage,
};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::client::{Client, Failure, FailureKind};
use handoff_contract::model::{ChannelId, ConversationId, MessageId, UserId};

/// Conversations of one user that are searched for a marker. Freshchat keeps one open conversation for each user and topic,
/// so few users have more than a handful.
const MAX_SEARCHED: usize = 200;
const SEARCHED_AT_ONCE: usize = 8;
/// Pages of 50 messages, from the newest, that are searched in one conversation.
const PAGES_SEARCHED: u32 = 3;
/// As many for a handoff of 2 MiB in messages of the default length.
const PAGES_READ_BACK: u32 = 10;

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
/// Freshchat was seen to refuse what it had stored. Until then the session says so ([`Unsure`]).
pub fn create(
    freshchat: &Client<'_>,
    session: &mut Session,
    place: &Place<'_>,
    messages: &[NewMessage],
) -> Result<Conversation, Failure> {
    session.set_unsure(Unsure::Conversation, true);
    let Place { user, channel, assignment } = *place;
    let answer = freshchat.call(&CreateConversation { channel, user, messages, assignment });
    let may_exist = |failure: &Failure| matches!(failure.kind, FailureKind::OutcomeUnknown | FailureKind::Refused);
    if !answer.as_ref().is_err_and(may_exist) {
        session.set_unsure(Unsure::Conversation, false);
    }
    let conversation = answer?;
    adopt(session, &conversation);
    for message in &conversation.messages {
        session.mark_own(message.clone());
    }
    Ok(conversation)
}

/// Makes it the conversation that messages go to.
pub(crate) fn adopt(session: &mut Session, conversation: &Conversation) {
    session.adopt_conversation(conversation.id.clone(), conversation.numeric_id.as_deref());
    if let Some(channel) = &conversation.channel {
        session.channel = Some(channel.clone());
    }
}

/// Identifies a message of ours among all others.
pub struct Search<'a> {
    /// Recognizes it. Messages that the session knows as its own are never taken for it.
    pub is_it: &'a dyn Fn(&VendorMessage) -> bool,
    /// Where an earlier try may have written it besides the conversation that it goes to now.
    pub elsewhere: &'a [ConversationId],
    /// It stands behind this message, if anywhere. Needed where people may write the same twice.
    pub behind: Option<&'a MessageId>,
    /// It is one of these, if any.
    pub among: Option<&'a [MessageId]>,
}

impl<'a> Search<'a> {
    /// A search for what bears a marker, so that nothing else can be taken for it.
    pub(crate) fn by_marker(is_it: &'a dyn Fn(&VendorMessage) -> bool) -> Self {
        Self { is_it, elsewhere: &[], behind: None, among: None }
    }
}

/// Sends a message, or finds that it has arrived already: then the answer is true.
///
/// `unsure` says that an earlier try may have got through, and afterwards whether this one may have.
pub(crate) fn send_once(
    freshchat: &Client<'_>,
    session: &mut Session,
    unsure: &mut bool,
    place: (&ConversationId, &UserId),
    message: &NewMessage,
    search: &Search<'_>,
) -> Result<bool, Failure> {
    if look(freshchat, session, unsure, place.0, search)? {
        return Ok(true);
    }
    write(freshchat, session, unsure, place, message, search)
}

/// Whether an earlier try has got through, where one may have. Afterwards nothing is unsure.
pub fn look(
    freshchat: &Client<'_>,
    session: &mut Session,
    unsure: &mut bool,
    conversation: &ConversationId,
    search: &Search<'_>,
) -> Result<bool, Failure> {
    // Where the candidates are known and all have been taken, there is nothing to look for.
    let is_over = search.among.is_some_and(|among| among.iter().all(|id| session.is_own(id)));
    if *unsure && !is_over {
        let elsewhere = search.elsewhere.iter().filter(|it| *it != conversation);
        for place in std::iter::once(conversation).chain(elsewhere) {
            if arrived(freshchat, session, place, search)? {
                *unsure = false;
                return Ok(true);
            }
        }
    }
    *unsure = false;
    Ok(false)
}

/// Sends a message of which nothing has arrived. The answer is true when it was refused and is there all the same.
pub fn write(
    freshchat: &Client<'_>,
    session: &mut Session,
    unsure: &mut bool,
    (conversation, user): (&ConversationId, &UserId),
    message: &NewMessage,
    search: &Search<'_>,
) -> Result<bool, Failure> {
    *unsure = true;
    let newest = session.own_messages.last().cloned();
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
        // Freshchat was seen to answer 400 to a message that it stored (text into an e-mail conversation). No earlier try
        // has, so only this one can be there.
        FailureKind::Refused => {
            let behind = search.behind.and(newest.as_ref());
            arrived(freshchat, session, conversation, &Search { behind, among: None, ..*search })?
        }
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
    // The oldest one counts: of two equal pieces in a row the first is asked for first. One that another message in doubt may
    // be counts only where there is no other; then the newest, which fewer others can be.
    let (mut found, mut claimed) = (None, None);
    let is_candidate = |id: &MessageId| search.among.is_none_or(|among| among.contains(id));
    newest_first(freshchat, conversation, PAGES_SEARCHED, &mut |message| {
        if search.behind == Some(&message.id) {
            return ControlFlow::Break(());
        }
        if !session.is_own(&message.id) && is_candidate(&message.id) && (search.is_it)(&message) {
            if session.is_claimed(&message.id) {
                claimed.get_or_insert(message.id);
            } else {
                found = Some(message.id);
            }
        }
        ControlFlow::Continue(())
    })?;
    let found = found.or(claimed);
    let has_arrived = found.is_some();
    found.into_iter().for_each(|id| session.mark_own(id));
    Ok(has_arrived)
}

/// Whether a conversation of which a call said that it does not exist is really gone: a second call has to say so as well,
/// because nothing brings the person back to human agents who have been left.
pub(crate) fn is_gone(freshchat: &Client<'_>, id: &ConversationId) -> bool {
    freshchat.call(&GetConversation { id }).is_err_and(|failure| failure.kind == FailureKind::NotFound)
}

/// The messages back to the one that `is_enough` recognises, newest first, or as far as a handoff of the greatest size goes.
pub(crate) fn read_back(
    freshchat: &Client<'_>,
    conversation: &ConversationId,
    is_enough: &dyn Fn(&VendorMessage) -> bool,
) -> Result<Vec<VendorMessage>, Failure> {
    let mut messages = Vec::new();
    newest_first(freshchat, conversation, PAGES_READ_BACK, &mut |message| {
        let is_over = is_enough(&message);
        messages.push(message);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(messages)
}

/// Shows the newest messages, as far as a search goes back or until it has seen enough.
fn newest_first(
    freshchat: &Client<'_>,
    conversation: &ConversationId,
    pages: u32,
    show: &mut dyn FnMut(VendorMessage) -> ControlFlow<()>,
) -> Result<(), Failure> {
    for page in 1..=pages {
        let newest = match freshchat.call(&ListMessages { id: conversation, page }) {
            // Nothing stands any more in a conversation that is gone.
            Err(failure) if failure.kind == FailureKind::NotFound && is_gone(freshchat, conversation) => break,
            newest => newest?,
        };
        if newest.messages.into_iter().try_for_each(&mut *show).is_break() || !newest.has_next {
            break;
        }
    }
    Ok(())
}

/// Bounds every message in doubt by what stands in the conversation now, because another write is about to begin: what is
/// written from here on cannot be taken for it. Costs no request while nothing is in doubt.
pub(crate) fn settle_doubts(
    freshchat: &Client<'_>,
    session: &mut Session,
    conversation: &ConversationId,
) -> Result<(), Failure> {
    let is_here = |it: &Relaying| it.conversation.as_ref().is_none_or(|begun_in| begun_in == conversation);
    let is_open = |it: &Relaying| it.unsure && it.candidates.is_none() && is_here(it);
    if !session.relaying.iter().any(is_open) {
        return Ok(());
    }
    // Messages of the end user that nobody has claimed, newest first, and how many of them stand behind each other message.
    let mut unclaimed: Vec<(MessageId, String)> = Vec::new();
    let mut bounds: Vec<(MessageId, usize)> = Vec::new();
    newest_first(freshchat, conversation, PAGES_SEARCHED, &mut |message| {
        // Candidates of one that was bounded before cannot be of one that was begun after that.
        let is_of_user = matches!(message.actor, Actor::User(_));
        if is_of_user && !session.is_own(&message.id) && !session.is_claimed(&message.id) {
            let words = digest_of_words(&message.text());
            unclaimed.push((message.id, words));
        } else {
            bounds.push((message.id, unclaimed.len()));
        }
        let is_bounded = |it: &Relaying| bounds.iter().any(|(id, _)| it.behind.as_ref() == Some(id));
        let is_over = session.relaying.iter().filter(|it| is_open(it)).all(is_bounded);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    for journal in session.relaying.iter_mut().filter(|it| is_open(it)) {
        let bound = bounds.iter().find(|(id, _)| journal.behind.as_ref() == Some(id));
        let behind = bound.map_or(unclaimed.len(), |(_, behind)| *behind);
        let is_it = |words: &String| journal.words.is_empty() || *words == journal.words;
        let found = unclaimed.iter().take(behind).filter(|(_, words)| is_it(words)).map(|(id, _)| id.clone());
        let found = found.collect();
        journal.settle(conversation, found);
    }
    session.relaying.retain(|journal| journal.unsure || journal.done > 0);
    Ok(())
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
    let ids: Vec<ConversationId> = ids.into_iter().take(MAX_SEARCHED).collect();
    for batch in ids.chunks(SEARCHED_AT_ONCE) {
        let mut searched: Vec<&ConversationId> = batch.iter().collect();
        for page in 1..=PAGES_SEARCHED {
            let searches: Vec<ListMessages<'_>> = searched.iter().map(|id| ListMessages { id, page }).collect();
            let mut older = Vec::new();
            for (id, answer) in searched.iter().zip(freshchat.call_all(&searches)) {
                // One that is gone may still be listed.
                let is_missing = answer.as_ref().is_err_and(|failure| failure.kind == FailureKind::NotFound);
                if is_missing && is_gone(freshchat, id) {
                    continue;
                }
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

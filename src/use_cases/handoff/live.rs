//! The live conversation: created or adopted, with history and brief in it.
//!
//! The end user's record writes the first message, which says how much history follows, because a first message of the user is
//! the norm in Freshchat; and the last, the brief, because an inbox lists the last message. The history stands between them, as
//! private notes where an author for them is configured. A conversation without history begins with its brief.

use super::{MAX_ATTEMPTS, Run};
use crate::conversation::journal::{self, Found, Place, Search};
use crate::conversation::session::{Session, Unsure, reference};
use crate::freshchat::endpoints::{Assignment, Author, NewMessage};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::client::{Failure, FailureKind};
use crate::text::transcript::{self, Transcript, is_of_handoff};
use handoff_contract::error::Error;
use handoff_contract::model::{ChannelId, ConversationId, Finding, Step, UserId};

/// What goes into the request that creates the conversation; the rest follows message by message. No limits are published;
/// integrators send whole histories in one request.
const FIRST_MESSAGES: usize = 40;
const FIRST_BYTES: usize = 200 * 1024;

impl Run<'_> {
    /// Adopts the conversation of an earlier try, or creates one with as much of the history as one request should carry.
    pub(super) fn conversation(
        &mut self,
        session: &mut Session,
        user: &UserId,
        channel: &ChannelId,
        mut assignment: Assignment,
        author: &mut Author,
    ) -> Result<Option<String>, Error> {
        if session.look || session.is_unsure(Unsure::Conversation) {
            let found = self.find(session, user)?;
            (session.look, session.lost) = (false, false);
            if let Some(found) = found {
                return Ok(found.conversation.url);
            }
        }
        if session.conversation.is_some() {
            return Ok(None);
        }
        // Nothing stands anywhere, so nothing needs to stay as an earlier try had it.
        session.history = None;
        let written = self.written(session);
        self.tell_masked(&written);
        let First { pages, with_brief } = first_request(&written);
        loop {
            let of_user = |text: &String| NewMessage::text(Author::User(user.clone()), text.clone());
            let page = |page: &String| NewMessage::text(author.clone(), page.clone());
            let mut messages: Vec<NewMessage> = written.opening.iter().map(of_user).collect();
            messages.extend(written.pages.iter().take(pages).map(page));
            messages.extend(Some(&written.brief).filter(|_| with_brief).map(of_user));
            let place = Place { user, channel, assignment: &assignment };
            let created = journal::create(self.freshchat, session, &place, &messages);
            let failure = match created {
                Ok(conversation) => {
                    session.set_unsure(Unsure::Brief, !with_brief);
                    session.pages_done = u32::try_from(pages).unwrap_or(u32::MAX);
                    session.group = assignment.group.clone();
                    self.found_in.clone_from(&conversation.group);
                    let (messages, parts) = (self.request.history().len(), written.pages.len());
                    let detail =
                        format!("messages of history: {messages}, parts: {parts}, of them in this request: {pages}");
                    self.steps.push(Step::new("create-conversation", conversation.id.as_str(), detail));
                    return Ok(conversation.url);
                }
                Err(failure) => failure,
            };
            if failure.kind == FailureKind::Refused {
                if let Some(found) = self.find(session, user)? {
                    return Ok(found.conversation.url);
                }
                session.set_unsure(Unsure::Conversation, false);
            }
            // Only declared properties are accepted; the conversation matters more.
            if is_final(failure.kind) && !assignment.properties.is_empty() {
                assignment.properties.clear();
                let remedy = "Run connect: it says which properties the account does not have.";
                if !self.carried.conversation.is_empty() {
                    let detail = "the conversation was opened without the properties of the setting `context`, which Freshworks refused";
                    self.findings.push(Finding::warning("context", "properties-refused", detail, remedy));
                }
                if let (Some(_), Some(_)) = self.skill() {
                    let detail =
                        "the conversation was opened without the skill, because Freshworks refused its properties";
                    self.without_skill("skill-refused", detail, remedy);
                }
                continue;
            }
            // A human agent may have gone since connect; without their name it may work.
            if is_final(failure.kind) && (matches!(author, Author::NoteBy(_)) || assignment.agent.is_some()) {
                if assignment.agent.take().is_some() {
                    let detail = "the human agent could not be assigned".to_owned();
                    self.fell_back("agent", "agent-fallback", detail);
                }
                self.write_as_user(author, user);
                continue;
            }
            if failure.kind == FailureKind::NotFound {
                // Topic or user have gone: the next try looks them up anew.
                (session.channel, session.user) = (None, None);
            }
            return Err(failure.into_error());
        }
    }

    /// The conversation of an earlier try, with what it holds already. When the session is lost, of any earlier handoff that is
    /// still open.
    pub(super) fn find(&mut self, session: &mut Session, user: &UserId) -> Result<Option<Found>, Error> {
        let attempts = if session.lost { 1..=MAX_ATTEMPTS } else { session.attempt..=session.attempt };
        let tries: Vec<(u32, String)> =
            attempts.map(|attempt| (attempt, reference(&self.request.key, attempt))).collect();
        let try_of = |message: &VendorMessage| {
            let text = message.text();
            tries.iter().find(|(_, reference)| is_of_handoff(&text, reference))
        };
        let is_ours = |message: &VendorMessage| try_of(message).is_some();
        // What this very try has begun is adopted even if a human agent was quick to end it: `tick` tells the rest. With the
        // session lost, what has ended is an earlier handoff.
        let found = journal::find(self.freshchat, user, !session.lost, &is_ours).map_err(Failure::into_error)?;
        let Some(mut found) = found else { return Ok(None) };
        session.set_unsure(Unsure::Conversation, false);
        session.set_unsure(Unsure::Page, false);
        journal::adopt(session, &found.conversation);
        self.found_in.clone_from(&found.conversation.group);
        // Behind a long history its beginning is out of sight, and with it how many messages it has.
        let is_told = |message: &VendorMessage| transcript::announced_messages(&message.text()).is_some();
        if !found.messages.iter().any(|message| is_ours(message) && is_told(message)) {
            let id = &found.conversation.id;
            let all = journal::read_back(self.freshchat, id, &|message| is_ours(message) && is_told(message));
            found.messages = all.map_err(Failure::into_error)?;
        }
        let mut ours: Vec<&VendorMessage> = found.messages.iter().filter(|message| is_ours(message)).collect();
        if let Some((attempt, reference)) = ours.iter().filter_map(|message| try_of(message)).max() {
            (session.attempt, session.reference) = (*attempt, reference.clone());
        }
        ours.retain(|message| is_of_handoff(&message.text(), &session.reference));
        let announced = ours.iter().find_map(|message| transcript::announced_messages(&message.text()));
        if let Some(announced) = announced.and_then(|count| u32::try_from(count).ok()) {
            session.history = Some(announced);
        }
        let has_brief = ours.iter().any(|message| transcript::is_brief(&message.text()));
        session.set_unsure(Unsure::Brief, !has_brief);
        let written = self.written(session);
        let has_arrived = |page: &String| ours.iter().any(|message| transcript::is_same_page(&message.text(), page));
        let arrived = written.pages.iter().rposition(has_arrived).map_or(0, |last| last + 1);
        session.pages_done = u32::try_from(arrived).unwrap_or(u32::MAX).max(session.pages_done);
        // What the person wrote before must not pass for what is relayed later, even if the words are the same.
        for message in found.messages.iter().filter(|it| is_ours(it) || matches!(it.actor, Actor::User(_))) {
            session.mark_own(message.id.clone());
        }
        if found.conversation.is_resolved() {
            session.pages_done = u32::MAX;
            session.set_unsure(Unsure::Brief, false);
        }
        self.steps.push(Step::new(
            "adopt-conversation",
            found.conversation.id.as_str(),
            "an earlier try had created it",
        ));
        Ok(Some(found))
    }

    /// The pages that are missing, then the brief if it is: whatever has arrived stands already, and nothing is written twice.
    /// False when the conversation is deleted, so that they have nowhere to go.
    pub(super) fn rest(&mut self, session: &mut Session, user: &UserId, author: &mut Author) -> Result<bool, Error> {
        let Some(conversation) = session.conversation.clone() else { return Ok(true) };
        let written = self.written(session);
        let Transcript { pages, early, brief, .. } = &*written;
        let mut already = usize::try_from(session.pages_done).unwrap_or(usize::MAX);
        if already < *early && !session.is_unsure(Unsure::Brief) {
            // Begun by a version that wrote the brief first and cut its pages elsewhere: no line must be lost between two of them.
            already = 0;
        }
        for (index, page) in pages.iter().enumerate().skip(already) {
            let is_it = |found: &VendorMessage| transcript::is_same_page(&found.text(), page);
            let search = Search::by_marker(&is_it);
            let mut unsure = session.is_unsure(Unsure::Page);
            loop {
                let message = NewMessage::text(author.clone(), page.clone());
                let place = (&conversation, user);
                let sent = journal::send_once(self.freshchat, session, &mut unsure, place, &message, &search);
                session.set_unsure(Unsure::Page, unsure);
                match sent {
                    Ok(_) => break,
                    // Before the author is doubted: a conversation that is gone takes notes from nobody.
                    Err(failure) if self.is_gone(&failure, &conversation) => return Ok(false),
                    Err(failure) if is_final(failure.kind) && matches!(author, Author::NoteBy(_)) => {
                        self.write_as_user(author, user);
                    }
                    Err(failure) => return Err(failure.into_error()),
                }
            }
            session.pages_done = u32::try_from(index + 1).unwrap_or(u32::MAX);
        }
        if pages.len() > already {
            let detail = format!("further parts of the history: {}", pages.len() - already);
            self.steps.push(Step::new("send-history", conversation.as_str(), detail));
        }
        if session.is_unsure(Unsure::Brief) {
            // Only an earlier try may have written it.
            let mut unsure = self.owed_brief;
            let reference = session.reference.clone();
            let is_it = |found: &VendorMessage| {
                let text = found.text();
                transcript::is_brief(&text) && is_of_handoff(&text, &reference)
            };
            let message = NewMessage::text(Author::User(user.clone()), brief.clone());
            let (search, place) = (Search::by_marker(&is_it), (&conversation, user));
            let sent = journal::send_once(self.freshchat, session, &mut unsure, place, &message, &search);
            // Until it has arrived for certain, a later try looks for it.
            match sent {
                Ok(_) => session.set_unsure(Unsure::Brief, false),
                Err(failure) if self.is_gone(&failure, &conversation) => return Ok(false),
                Err(failure) => return Err(failure.into_error()),
            }
            self.steps.push(Step::new("send-brief", conversation.as_str(), "behind the history"));
        }
        Ok(true)
    }

    /// Whether a write failed because the conversation has been deleted.
    fn is_gone(&self, failure: &Failure, conversation: &ConversationId) -> bool {
        failure.kind == FailureKind::NotFound && journal::is_gone(self.freshchat, conversation)
    }

    fn write_as_user(&mut self, author: &mut Author, user: &UserId) {
        if matches!(author, Author::NoteBy(_)) {
            *author = Author::User(user.clone());
            let detail = "private notes in the configured name were refused; the history came as messages of the user";
            self.findings.push(Finding::warning(
                "note-author",
                "author-refused",
                detail,
                "Run connect: it says whether that human agent is still active.",
            ));
        }
    }
}

/// Refused for a reason that lies in what was sent, so that sending something else can help.
fn is_final(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::NotFound | FailureKind::Refused)
}

/// What goes into the request that creates the conversation, besides the opening.
pub(super) struct First {
    /// How many pages.
    pub(super) pages: usize,
    /// True when that is all of them, so that the brief can follow.
    pub(super) with_brief: bool,
}

/// As much as one request should carry.
pub(super) fn first_request(written: &Transcript) -> First {
    let mut bytes = written.brief.len();
    let fits = |page: &&String| {
        bytes += page.len();
        bytes <= FIRST_BYTES
    };
    let pages = written.pages.iter().take(FIRST_MESSAGES - 2).take_while(fits).count();
    First { pages, with_brief: pages == written.pages.len() }
}

//! The live conversation: created or adopted, with summary and history in it.

use super::{MOST_ATTEMPTS, Run, first_line, is_of_handoff};
use crate::client::{Failure, FailureKind};
use crate::conversation::{self, Found, Place, Search};
use crate::error::Error;
use crate::freshchat::endpoints::{Assignment, Author, NewMessage};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::model::{ChannelId, Finding, Step, UserId};
use crate::session::{Session, Unsure, reference};
use crate::transcript::{self, Transcript};

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
        let written = self.written(session, self.max_chars());
        self.tell_masked(&written);
        let pages = pages_that_fit(&written);
        loop {
            let opening = NewMessage::text(Author::User(user.clone()), written.opening.clone());
            let page = |page: &String| NewMessage::text(author.clone(), page.clone());
            let messages: Vec<NewMessage> =
                std::iter::once(opening).chain(written.pages.iter().take(pages).map(page)).collect();
            let place = Place { user, channel, assignment: &assignment };
            let failure = match conversation::create(self.freshchat, session, &place, &messages) {
                Ok(conversation) => {
                    session.pages_done = u32::try_from(pages).unwrap_or(u32::MAX);
                    session.group = assignment.group.clone();
                    self.found_in.clone_from(&conversation.group);
                    let (messages, parts) = (self.request.history.len(), written.pages.len());
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
        let attempts = if session.lost { 1..=MOST_ATTEMPTS } else { session.attempt..=session.attempt };
        let tries: Vec<(u32, String)> =
            attempts.map(|attempt| (attempt, reference(&self.request.key, attempt))).collect();
        let try_of = |message: &VendorMessage| {
            let text = message.text();
            tries.iter().find(|(_, reference)| is_of_handoff(&text, reference))
        };
        let is_ours = |message: &VendorMessage| try_of(message).is_some();
        // What this very try has begun is adopted even if a human agent was quick to end it: `tick` tells the rest. With the
        // session lost, what has ended is an earlier handoff.
        let found = conversation::find(self.freshchat, user, !session.lost, &is_ours).map_err(Failure::into_error)?;
        let Some(found) = found else { return Ok(None) };
        session.set_unsure(Unsure::Conversation, false);
        session.set_unsure(Unsure::Page, false);
        conversation::adopt(session, &found.conversation);
        self.found_in.clone_from(&found.conversation.group);
        let ours: Vec<&VendorMessage> = found.messages.iter().filter(|message| is_ours(message)).collect();
        if let Some((attempt, reference)) = ours.iter().filter_map(|message| try_of(message)).max() {
            (session.attempt, session.reference) = (*attempt, reference.clone());
        }
        let announced = ours.iter().find_map(|message| transcript::announced_messages(&message.text()));
        if let Some(announced) = announced.and_then(|count| u32::try_from(count).ok()) {
            session.history = Some(announced);
        }
        let pages = self.written(session, self.max_chars()).pages;
        let has_arrived = |page: &String| ours.iter().any(|message| first_line(&message.text()) == first_line(page));
        let arrived = pages.iter().rposition(has_arrived).map_or(0, |last| last + 1);
        session.pages_done = u32::try_from(arrived).unwrap_or(u32::MAX).max(session.pages_done);
        // What the person wrote before must not pass for what is relayed later, even if the words are the same.
        for message in found.messages.iter().filter(|it| is_ours(it) || matches!(it.actor, Actor::User(_))) {
            session.mark_own(message.id.clone());
        }
        if found.conversation.is_resolved() {
            session.pages_done = u32::MAX;
        }
        self.steps.push(Step::new(
            "adopt-conversation",
            found.conversation.id.as_str(),
            "an earlier try had created it",
        ));
        Ok(Some(found))
    }

    pub(super) fn rest_of_history(
        &mut self,
        session: &mut Session,
        user: &UserId,
        author: &mut Author,
    ) -> Result<(), Error> {
        let Some(conversation) = session.conversation.clone() else { return Ok(()) };
        let pages = self.written(session, self.max_chars()).pages;
        let already = usize::try_from(session.pages_done).unwrap_or(usize::MAX);
        for (index, page) in pages.iter().enumerate().skip(already) {
            let is_it = |found: &VendorMessage| first_line(&found.text()) == first_line(page);
            let search = Search::by_marker(&is_it);
            let mut unsure = session.is_unsure(Unsure::Page);
            loop {
                let message = NewMessage::text(author.clone(), page.clone());
                let place = (&conversation, user);
                let sent = conversation::send_once(self.freshchat, session, &mut unsure, place, &message, &search);
                session.set_unsure(Unsure::Page, unsure);
                match sent {
                    Ok(_) => break,
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
        Ok(())
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

/// How many pages go into the first request, beside the opening.
pub(super) fn pages_that_fit(written: &Transcript) -> usize {
    let mut bytes = written.opening.len();
    let fits = |page: &&String| {
        bytes += page.len();
        bytes <= FIRST_BYTES
    };
    written.pages.iter().take(FIRST_MESSAGES - 1).take_while(fits).count()
}

//! Passes a message of the end user to the human agents.

use crate::conversation::{self, Place};
use crate::error::Error;
use crate::freshchat::Freshchat;
use crate::freshchat::endpoints::{Assignment, Author, NewMessage};
use crate::freshchat::failure::{Failure, FailureKind};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::lifecycle::{self, Action, Input};
use crate::model::{ConversationId, Finding, Message, Part, PartKind, SenderRole, Timestamp, Update, UserId};
use crate::session::{Pending, Relaying, Session};
use crate::settings::Settings;
use crate::transcript;

const LONGEST_ID: usize = 255;
const MOST_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// Relays one message; one that was relayed before is not sent again.
pub async fn relay<H: Http>(
    http: &H,
    settings: &str,
    session: &[u8],
    message: &Message,
    retry: bool,
    _now: Timestamp,
) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    let freshchat = Freshchat::new(http, &settings)?;
    let mut session = Session::decode(session)?;
    if session.was_relayed(&message.id) {
        return Ok(update(&session, Vec::new()));
    }
    let (_, Action::Go) = lifecycle::step(session.state, Input::UserMessage) else {
        let state = session.state.word();
        let remedy = "Give the message to the AI agent; to bring human agents back, hand off again.";
        return Err(Error::request(
            "session",
            format!("the conversation is not with human agents: it is {state}"),
            remedy,
        ));
    };
    let text = check(message)?;
    let findings = left_out(message);

    match send(&freshchat, &settings, &mut session, message, &text, retry).await {
        Ok(()) => Ok(update(&session, findings)),
        Err(error) => Err(error.with_session(session.encode())),
    }
}

fn update(session: &Session, findings: Vec<Finding>) -> Update {
    Update { events: Vec::new(), session: Some(session.encode()), info: Some(session.info()), findings }
}

fn check(message: &Message) -> Result<String, Error> {
    if message.id.trim().is_empty() {
        return Err(Error::request(
            "message.id",
            "the message has no id",
            "Pass the platform's message id: repeats are told by it.",
        ));
    }
    if message.sender.role != SenderRole::EndUser {
        let remedy = "Relay messages of the end user only; the history of the handoff carries the others.";
        return Err(Error::request("message.sender.role", "the message is not from the end user", remedy));
    }
    if message.id.len() > LONGEST_ID {
        let fault = format!("the message's id is longer than {LONGEST_ID} bytes");
        return Err(Error::request("message.id", fault, "Pass a shorter id that is as unique, for example a hash."));
    }
    if message.parts.iter().map(Part::text_bytes).sum::<usize>() > MOST_TEXT_BYTES {
        let remedy = "Pass it in several messages, or as a file.";
        return Err(Error::request("message.parts", "the message holds more than 2 MiB of text", remedy));
    }
    let text = transcript::message_text(message);
    if text.trim().is_empty() {
        return Err(Error::request("message.parts", "the message is empty", "Do not relay it."));
    }
    Ok(text)
}

/// Files go as links, and the platform is told so.
fn left_out(message: &Message) -> Vec<Finding> {
    let is_file = |kind: PartKind| matches!(kind, PartKind::Image | PartKind::File | PartKind::Video | PartKind::Audio);
    let files = message.parts.iter().filter(|part| is_file(part.kind)).count();
    let finding = || {
        let detail = format!("{files} files were passed on as links");
        Finding::warning("files", "file-as-link", detail, "Make sure that human agents can open the links.")
    };
    (files > 0).then(finding).into_iter().collect()
}

async fn send<H: Http>(
    freshchat: &Freshchat<'_, H>,
    settings: &Settings,
    session: &mut Session,
    message: &Message,
    text: &str,
    retry: bool,
) -> Result<(), Error> {
    let (Some(conversation), Some(user)) = (session.conversation.clone(), session.user.clone()) else {
        return Err(Error::request(
            "session",
            "the session knows no conversation",
            "Hand off again with `retry: true`.",
        ));
    };
    let max_chars = usize::try_from(settings.max_message_chars).unwrap_or(usize::MAX);
    let pieces = transcript::split(text, max_chars);
    // Another message on its way has failed for good, or the caller gave it up.
    if session.relaying.as_ref().is_none_or(|relaying| relaying.message != message.id) {
        session.relaying = Some(Relaying { message: message.id.clone(), done: 0 });
        session.pending = None;
    }
    let mut conversation = conversation;
    loop {
        let done = session.relaying.as_ref().map_or(0, |relaying| relaying.done);
        let Some(piece) = usize::try_from(done).ok().and_then(|done| pieces.get(done)) else { break };
        let message = NewMessage { author: Author::User(user.clone()), text: piece.clone() };
        if retry && session.pending.is_none() {
            session.pending = Some(Pending::Piece);
        }
        let sent = if session.pending == Some(Pending::Conversation) {
            replace(freshchat, session, &conversation, &user, &message).await
        } else {
            let place = (&conversation, &user);
            let sent = conversation::send_once(freshchat, session, Pending::Piece, place, &message, &|found| {
                is_it(found, piece)
            })
            .await;
            match sent {
                // A human agent has resolved it and the person has a newer one: go on there.
                Err(failure) if failure.kind == FailureKind::NotLatest => {
                    replace(freshchat, session, &conversation, &user, &message).await
                }
                sent => sent,
            }
        };
        sent.map_err(Failure::into_error)?;
        conversation = session.conversation.clone().unwrap_or(conversation);
        if let Some(relaying) = &mut session.relaying {
            relaying.done = done.saturating_add(1);
        }
    }
    session.relaying = None;
    session.mark_relayed(&message.id);
    Ok(())
}

fn is_it(found: &VendorMessage, piece: &str) -> bool {
    matches!(found.actor, Actor::User(_)) && found.text() == piece
}

/// Opens a new conversation with the message in it. The old one stays known under its ids.
async fn replace<H: Http>(
    freshchat: &Freshchat<'_, H>,
    session: &mut Session,
    old: &ConversationId,
    user: &UserId,
    message: &NewMessage,
) -> Result<(), Failure> {
    let Some(channel) = session.channel.clone() else {
        return Err(Failure {
            kind: FailureKind::NotLatest,
            endpoint: "send-message",
            retry_after_ms: None,
            log: String::new(),
        });
    };
    let opening = format!("Continues conversation {old} · {}", transcript::marker(&session.reference));
    if session.pending == Some(Pending::Conversation) {
        let is_ours = |found: &VendorMessage| found.text() == opening;
        if let Some(found) = conversation::find(freshchat, user, &is_ours).await? {
            session.pending = None;
            conversation::adopt(session, &found.conversation);
            return Ok(());
        }
    }
    let messages = [NewMessage { author: message.author.clone(), text: opening }, message.clone()];
    let assignment = Assignment { group: session.group.clone(), ..Assignment::default() };
    let place = Place { user, channel: &channel, assignment: &assignment };
    conversation::create(freshchat, session, &place, &messages).await.map(drop)
}

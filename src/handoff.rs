//! Hands a conversation over: user, conversation with summary, history, routing.
//!
//! The order of the steps is that of their dependence, and each step can be found again by its marker, so that a try goes
//! on where the one before it ended.

use crate::conversation::{self, Found, Place, Search};
use crate::error::{Error, ErrorKind};
use crate::freshchat::Freshchat;
use crate::freshchat::endpoints::{
    Assignment, Author, CreateUser, FindUsers, Identity, ListAgents, ListChannels, ListGroups, NewMessage,
    SetReference, User,
};
use crate::freshchat::failure::{Failure, FailureKind};
use crate::freshchat::wire::{Actor, VendorMessage};
use crate::http::Http;
use crate::lifecycle::{self, Action, Input, State};
use crate::model::{
    AgentId, ChannelId, EndUser, Finding, HandoffRequest, Message, Mode, Part, Receipt, Step, Timestamp, UserId,
};
use crate::names::{self, TopicChoice};
use crate::session::{Pending, Session, reference};
use crate::settings::Settings;
use crate::timers;
use crate::transcript::{self, Transcript};

/// What goes into the request that creates the conversation; the rest follows message by message. No limits are published;
/// integrators send whole histories in one request.
const FIRST_MESSAGES: usize = 40;
const FIRST_BYTES: usize = 200 * 1024;

const MOST_MESSAGES: usize = 10_000;
/// An instance with the default limits of a host takes this with room to spare.
const MOST_TEXT_BYTES: usize = 2 * 1024 * 1024;
/// Earlier handoffs of the same conversation that are looked for when the session was lost.
const MOST_ATTEMPTS: u32 = 8;
const LONGEST_ID: usize = 255;

/// Hands over, or goes on with a handoff that was begun.
pub async fn handoff<H: Http>(
    http: &H,
    settings: &str,
    request: &HandoffRequest,
    session: Option<&[u8]>,
    now: Timestamp,
) -> Result<Receipt, Error> {
    let settings = Settings::parse(settings)?;
    check(request)?;
    if request.mode == Mode::Ticket {
        return Err(Error::unsupported("filing a ticket", "Pass the mode `live` or `automatic`.").at("request.mode"));
    }
    let freshchat = Freshchat::new(http, &settings)?;

    let stored = session.map(Session::decode).transpose()?;
    let mut session = match stored {
        None if request.retry => Session::begin_anew(&request.key, now),
        None => Session::begin(&request.key, 1),
        Some(stored) if stored.reference != reference(&request.key, stored.attempt) => {
            return Err(Error::request(
                "session",
                "the session belongs to another conversation",
                "Pass the session that is stored under `request.key`.",
            ));
        }
        Some(stored) => match lifecycle::step(stored.state, Input::HandoffAsked) {
            (_, Action::Done) => return Ok(receipt(&stored, &settings, None, Vec::new(), Vec::new())),
            (_, Action::Refuse | Action::Ignore(_)) => {
                return Err(Error::request(
                    "session",
                    "the end of this conversation is under way",
                    "Call `close` until it succeeds, then hand off again.",
                ));
            }
            (_, Action::Go | Action::HandBack) if stored.state == State::Requesting => stored,
            (_, Action::Go | Action::HandBack) => stored.again(&request.key),
        },
    };

    // In the session, because this try may fail before it has looked.
    session.look |= request.retry;
    let (steps, findings) = (Vec::new(), Vec::new());
    let mut run = Run { freshchat: &freshchat, settings: &settings, request, steps, findings };
    match run.all_steps(&mut session).await {
        Ok(agent_url) => {
            let (state, _) = lifecycle::step(session.state, Input::HandoffDone);
            // Somebody may have taken it, or answered, while it was under way.
            let taken = session.agent.is_some();
            session.enter(if taken { lifecycle::step(state, Input::Assigned).0 } else { state }, now);
            timers::alive(&mut session, now);
            Ok(receipt(&session, &settings, agent_url, run.steps, run.findings))
        }
        Err(error) => Err(error.with_session(session.encode())),
    }
}

/// Refuses what cannot be carried before anything is sent.
fn check(request: &HandoffRequest) -> Result<(), Error> {
    let key = &request.key;
    for (field, value) in [
        ("request.key.application", &key.application),
        ("request.key.channel", &key.channel),
        ("request.key.conversation", &key.conversation),
        ("request.user.id", &request.user.id),
    ] {
        if value.trim().is_empty() {
            return Err(Error::request(field, format!("`{field}` is empty"), "Pass the platform's own id."));
        }
        if value.len() > LONGEST_ID {
            let message = format!("`{field}` is longer than {LONGEST_ID} bytes");
            return Err(Error::request(field, message, "Pass a shorter id that is as unique, for example a hash."));
        }
    }
    if let Some(email) = &request.user.email
        && !email.trim().is_empty()
        && (!email.contains('@') || email.chars().any(char::is_whitespace))
    {
        let remedy = "Pass a real address, or leave it out: a made-up one joins people who are not the same.";
        return Err(Error::request("request.user.email", "this is no e-mail address", remedy));
    }
    if request.history.len() > MOST_MESSAGES {
        let message = format!("the history has more than {MOST_MESSAGES} messages");
        return Err(Error::request("request.history", message, "Pass the newest ones."));
    }
    if text_bytes(request) > MOST_TEXT_BYTES {
        let message = "the request holds more than 2 MiB of text";
        return Err(Error::request(
            "request.history",
            message,
            "Pass the newest messages, and a short summary and reason.",
        ));
    }
    Ok(())
}

/// All text that may end up in the conversation.
fn text_bytes(request: &HandoffRequest) -> usize {
    let user = &request.user;
    let texts = [&request.summary, &request.reason_text, &request.category, &user.name, &user.email, &user.phone];
    let of_request = texts.into_iter().flatten().map(String::len).sum::<usize>();
    let of_message = |message: &Message| {
        let name = message.sender.name.as_ref().map_or(0, String::len);
        name + message.parts.iter().map(Part::text_bytes).sum::<usize>()
    };
    of_request + request.history.iter().map(of_message).sum::<usize>()
}

fn receipt(
    session: &Session,
    settings: &Settings,
    agent_url: Option<String>,
    steps: Vec<Step>,
    findings: Vec<Finding>,
) -> Receipt {
    let conversation = session.conversation.as_ref().map(|id| id.as_str()).unwrap_or_default();
    Receipt {
        case_id: format!("fc:{conversation}"),
        agent_url,
        steps,
        findings,
        session: session.encode(),
        info: session.info(settings),
    }
}

/// One try.
struct Run<'a, H> {
    freshchat: &'a Freshchat<'a, H>,
    settings: &'a Settings,
    request: &'a HandoffRequest,
    steps: Vec<Step>,
    findings: Vec<Finding>,
}

impl<H: Http> Run<'_, H> {
    async fn all_steps(&mut self, session: &mut Session) -> Result<Option<String>, Error> {
        let user = self.user(session).await?;
        let channel = self.channel(session).await?;
        let assignment = self.assignment().await?;
        let note_author = self.note_author().await?;
        if !self.request.context.is_empty() {
            let detail = format!("{} context values were not carried over", self.request.context.len());
            self.findings.push(Finding::warning(
                "context",
                "context-left-out",
                detail,
                "This version carries no context; put what matters into the summary.",
            ));
        }

        let mut author = note_author.map_or_else(|| Author::User(user.clone()), Author::NoteBy);
        let agent_url = self.conversation(session, &user, &channel, assignment, &mut author).await?;
        self.rest_of_history(session, &user, &mut author).await?;
        Ok(agent_url)
    }

    /// The texts of this handoff. What a try has begun with stays the base of the next.
    fn written(&self, session: &mut Session) -> Transcript {
        let count = u32::try_from(self.request.history.len()).unwrap_or(u32::MAX);
        let first = *session.history.get_or_insert(count);
        let max_chars = usize::try_from(self.settings.max_message_chars).unwrap_or(usize::MAX);
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        transcript::write(self.request, first, &session.reference, max_chars)
    }

    /// External id first, then e-mail address; the phone number only where there is no e-mail address, because families share
    /// phones. Nobody is invented.
    async fn user(&mut self, session: &mut Session) -> Result<UserId, Error> {
        if let Some(user) = &session.user {
            return Ok(user.clone());
        }
        let wanted = &self.request.user;
        let filled =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let fallback = match (filled(&wanted.email), filled(&wanted.phone)) {
            (Some(email), _) => Some((Identity::Email, email, "e-mail address")),
            (None, Some(phone)) => Some((Identity::Phone, phone, "phone number")),
            (None, None) => None,
        };
        let by_reference = FindUsers { by: Identity::Reference, value: wanted.id.clone() };
        let found = self.freshchat.call(&by_reference).await.map_err(Failure::into_error)?;
        if let Some(user) = found.into_iter().next() {
            self.steps.push(Step::new("find-user", user.id.as_str(), "by the platform's id"));
            session.user = Some(user.id.clone());
            return Ok(user.id);
        }
        if let Some((by, value, word)) = fallback {
            let found = self.freshchat.call(&FindUsers { by, value }).await.map_err(Failure::into_error)?;
            // A record that bears another id of the platform is somebody else, who must not see this conversation.
            let is_free = |user: &User| user.reference_id.as_ref().is_none_or(|reference| *reference == wanted.id);
            if let Some(user) = found.into_iter().find(is_free) {
                self.steps.push(Step::new("find-user", user.id.as_str(), format!("by {word}")));
                if user.reference_id.is_none() {
                    self.set_reference(&user.id).await?;
                }
                session.user = Some(user.id.clone());
                return Ok(user.id);
            }
        }
        // After an unknown outcome the next try finds the user by the platform's id.
        let user = match self.freshchat.call(&CreateUser { user: wanted }).await {
            Err(failure) if failure.kind == FailureKind::Refused => {
                // What was refused may be there all the same: Freshchat was seen to refuse what it had stored.
                let found = self.freshchat.call(&by_reference).await.map_err(Failure::into_error)?;
                match found.into_iter().next() {
                    Some(user) => user,
                    None if wanted.email.is_none() && wanted.phone.is_none() => return Err(failure.into_error()),
                    // An address may belong to one person only; the person matters more than the address.
                    None => {
                        let bare = EndUser { email: None, phone: None, ..wanted.clone() };
                        let user =
                            self.freshchat.call(&CreateUser { user: &bare }).await.map_err(Failure::into_error)?;
                        let detail =
                            "the person was created without e-mail address and phone number, which Freshworks refused";
                        let remedy = "Nothing needs to be done; they stand in the first message.";
                        self.findings.push(Finding::warning("user", "address-refused", detail, remedy));
                        user
                    }
                }
            }
            answer => answer.map_err(Failure::into_error)?,
        };
        self.steps.push(Step::new("create-user", user.id.as_str(), "with what is known of the person"));
        session.user = Some(user.id.clone());
        Ok(user.id)
    }

    /// Lets the next handoff find the person by the platform's id. A refusal costs that, and nothing else.
    async fn set_reference(&mut self, user: &UserId) -> Result<(), Error> {
        let set = SetReference { user, reference_id: &self.request.user.id };
        match self.freshchat.call(&set).await {
            Ok(()) => self.steps.push(Step::new("update-user", user.as_str(), "platform's id added")),
            Err(failure) if failure.kind == FailureKind::Refused => self.findings.push(Finding::warning(
                "user",
                "reference-refused",
                "Freshworks refused to store the platform's id with this person",
                "Nothing needs to be done; the person is looked up by e-mail address or phone number again.",
            )),
            Err(failure) => return Err(failure.into_error()),
        }
        Ok(())
    }

    async fn channel(&mut self, session: &mut Session) -> Result<ChannelId, Error> {
        if let Some(channel) = &session.channel {
            return Ok(channel.clone());
        }
        let asked = self.request.routing.topic.iter().cloned();
        let wanted: Vec<String> = asked.chain(self.settings.topics.iter().cloned()).collect();
        let known = wanted.iter().find_map(|name| Some((name, self.settings.resolved.topic(name)?)));
        // A topic that the request names is looked up unless `connect` has seen it.
        let is_first_choice = |name: &String| self.request.routing.topic.as_ref().is_none_or(|asked| asked == name);
        let channel = match known.filter(|(name, _)| is_first_choice(name)) {
            Some((_, channel)) => channel,
            None => {
                let channels = self.freshchat.all::<ListChannels>().await.map_err(Failure::into_error)?;
                match names::choose_topic(&channels, &wanted) {
                    TopicChoice::Found { id, name, .. } => {
                        if !is_first_choice(&name) {
                            self.fell_back(
                                "topic",
                                "topic-fallback",
                                format!("the topic asked for does not exist; `{name}` is used"),
                            );
                        }
                        id
                    }
                    _ => {
                        let message = format!("no usable topic has any of these names: {}", wanted.join(", "));
                        let remedy = "Run connect: it says what is wrong with the topic.";
                        return Err(Error::new(ErrorKind::NotFound, message).at("settings.topics").with_remedy(remedy));
                    }
                }
            }
        };
        session.channel = Some(channel.clone());
        Ok(channel)
    }

    async fn assignment(&mut self) -> Result<Assignment, Error> {
        let routing = &self.request.routing;
        let group = match routing.group.as_ref().or(self.settings.group.as_ref()) {
            None => None,
            Some(wanted) => match self.settings.resolved.group(wanted) {
                Some(id) => Some(id),
                None => {
                    let groups = self.freshchat.all::<ListGroups>().await.map_err(Failure::into_error)?;
                    let found = names::choose_group(&groups, wanted);
                    if found.is_none() {
                        self.fell_back(
                            "group",
                            "group-fallback",
                            format!("no group is named `{wanted}`; the topic's own rules assign"),
                        );
                    }
                    found
                }
            },
        };
        let agent = match routing.agent.clone().or_else(|| self.settings.agent.clone()) {
            None => None,
            Some(wanted) => self.agent("agent", &wanted).await?,
        };
        Ok(Assignment { group, agent, priority: routing.priority.or(self.settings.priority) })
    }

    async fn note_author(&mut self) -> Result<Option<AgentId>, Error> {
        match self.settings.note_author.clone() {
            None => Ok(None),
            Some(wanted) => self.agent("note-author", &wanted).await,
        }
    }

    /// An agent who cannot be found is left out with a finding: the handoff matters more.
    async fn agent(&mut self, check: &'static str, wanted: &str) -> Result<Option<AgentId>, Error> {
        if let Some(id) = self.settings.resolved.agent(wanted).or_else(|| names::agent_id(wanted)) {
            return Ok(Some(id));
        }
        let agents = self.freshchat.all::<ListAgents>().await.map_err(Failure::into_error)?;
        let found = names::choose_agent(&agents, wanted).filter(|agent| agent.active).map(|agent| agent.id.clone());
        if found.is_none() {
            self.fell_back(
                check,
                "agent-fallback",
                "the human agent named in settings or request is not an active one".to_owned(),
            );
        }
        Ok(found)
    }

    fn fell_back(&mut self, check: &'static str, code: &'static str, detail: String) {
        self.findings.push(Finding::warning(
            check,
            code,
            detail,
            "Run connect, and correct the name in settings or request.",
        ));
    }

    /// Adopts the conversation of an earlier try, or creates one with as much of the history as one request should carry.
    async fn conversation(
        &mut self,
        session: &mut Session,
        user: &UserId,
        channel: &ChannelId,
        mut assignment: Assignment,
        author: &mut Author,
    ) -> Result<Option<String>, Error> {
        if session.look || session.pending == Some(Pending::Conversation) {
            let found = self.find(session, user).await?;
            (session.look, session.lost) = (false, false);
            if let Some(found) = found {
                return Ok(found.conversation.url);
            }
        }
        if session.conversation.is_some() {
            return Ok(None);
        }
        let written = self.written(session);
        let pages = pages_that_fit(&written);
        loop {
            let opening = NewMessage { author: Author::User(user.clone()), text: written.opening.clone() };
            let page = |page: &String| NewMessage { author: author.clone(), text: page.clone() };
            let messages: Vec<NewMessage> =
                std::iter::once(opening).chain(written.pages.iter().take(pages).map(page)).collect();
            let place = Place { user, channel, assignment: &assignment };
            let failure = match conversation::create(self.freshchat, session, &place, &messages).await {
                Ok(conversation) => {
                    session.pages_done = u32::try_from(pages).unwrap_or(u32::MAX);
                    session.group = assignment.group.clone();
                    let (messages, parts) = (self.request.history.len(), written.pages.len());
                    let detail =
                        format!("messages of history: {messages}, parts: {parts}, of them in this request: {pages}");
                    self.steps.push(Step::new("create-conversation", conversation.id.as_str(), detail));
                    return Ok(conversation.url);
                }
                Err(failure) => failure,
            };
            if failure.kind == FailureKind::Refused {
                if let Some(found) = self.find(session, user).await? {
                    return Ok(found.conversation.url);
                }
                session.pending = None;
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
    async fn find(&mut self, session: &mut Session, user: &UserId) -> Result<Option<Found>, Error> {
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
        let found =
            conversation::find(self.freshchat, user, !session.lost, &is_ours).await.map_err(Failure::into_error)?;
        let Some(found) = found else { return Ok(None) };
        session.pending = None;
        conversation::adopt(session, &found.conversation);
        let ours: Vec<&VendorMessage> = found.messages.iter().filter(|message| is_ours(message)).collect();
        if let Some((attempt, reference)) = ours.iter().filter_map(|message| try_of(message)).max() {
            (session.attempt, session.reference) = (*attempt, reference.clone());
        }
        let announced = ours.iter().find_map(|message| transcript::announced_messages(&message.text()));
        if let Some(announced) = announced.and_then(|count| u32::try_from(count).ok()) {
            session.history = Some(announced);
        }
        let pages = self.written(session).pages;
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

    async fn rest_of_history(
        &mut self,
        session: &mut Session,
        user: &UserId,
        author: &mut Author,
    ) -> Result<(), Error> {
        let Some(conversation) = session.conversation.clone() else { return Ok(()) };
        let pages = self.written(session).pages;
        let already = usize::try_from(session.pages_done).unwrap_or(usize::MAX);
        for (index, page) in pages.iter().enumerate().skip(already) {
            let is_it = |found: &VendorMessage| first_line(&found.text()) == first_line(page);
            let search = Search { is_it: &is_it, is_newest: false };
            let mut unsure = session.pending == Some(Pending::Page);
            loop {
                let message = NewMessage { author: author.clone(), text: page.clone() };
                let place = (&conversation, user);
                let sent =
                    conversation::send_once(self.freshchat, session, &mut unsure, place, &message, &search).await;
                session.pending = unsure.then_some(Pending::Page);
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
fn pages_that_fit(written: &Transcript) -> usize {
    let mut bytes = written.opening.len();
    let fits = |page: &&String| {
        bytes += page.len();
        bytes <= FIRST_BYTES
    };
    written.pages.iter().take(FIRST_MESSAGES - 1).take_while(fits).count()
}

/// True for everything that a handoff with this reference writes.
pub fn is_of_handoff(text: &str, reference: &str) -> bool {
    text.lines().next().is_some_and(|line| line.ends_with(&format!("· {}", transcript::marker(reference))))
}

/// What tells one text of a handoff from another.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::testing::{Script, now, request};
    use serde_json::json;

    const SETTINGS: &str = r#"{
        "chat_url": "acme", "api_key": "k", "note_author": "agent-9", "group": "Support", "priority": "high",
        "resolved": {"origin": "https://acme.freshchat.com", "topics": {"Sendbird Integration": "topic-1"}, "groups": {"Support": "group-1"}}
    }"#;
    const CONVERSATION: &str = r#"{"conversation_id": "c-1", "conversation_internal_id": 1019183591791880, "messages": [{"id": "m-1"}, {"id": "m-2"}]}"#;

    fn hand_off(script: &Script, request: &HandoffRequest, session: Option<&[u8]>) -> Result<Receipt, Error> {
        now(handoff(script, SETTINGS, request, session, 0))
    }

    #[test]
    fn a_new_user_takes_three_requests_and_each_is_exact() {
        let script =
            Script::default().then(200, r#"{"users": []}"#).then(200, r#"{"id": "user-1"}"#).then(200, CONVERSATION);
        let receipt = hand_off(&script, &request(), None).unwrap();
        assert_eq!(script.sent(), ["Get /v2/users?reference_id=u-1", "Post /v2/users", "Post /v2/conversations"]);
        assert_eq!(script.body(1), json!({ "reference_id": "u-1", "first_name": "Ana", "last_name": "Silva" }));
        let created = script.body(2);
        assert_eq!(created["channel_id"], "topic-1");
        assert_eq!(created["users"], json!([{ "id": "user-1" }]));
        assert_eq!((&created["assigned_group_id"], &created["status"]), (&json!("group-1"), &json!("new")));
        assert_eq!(created["properties"], json!({ "priority": "High" }));
        let authors = |message: &serde_json::Value| (message["actor_id"].clone(), message["message_type"].clone());
        let messages = created["messages"].as_array().unwrap();
        assert_eq!(authors(&messages[0]), (json!("user-1"), json!("normal")));
        assert_eq!(authors(&messages[1]), (json!("agent-9"), json!("private")));
        assert_eq!(messages.len(), 2);
        assert_eq!(receipt.case_id, "fc:c-1");
        assert_eq!(receipt.info.conversation_ids, ["c-1", "1019183591791880"]);
        assert_eq!(receipt.info.state, State::Queued);
    }

    #[test]
    fn an_unknown_outcome_is_looked_for_before_it_is_repeated() {
        let script = Script::default().then(200, r#"{"users": [{"id": "user-1"}]}"#).then(500, "");
        let error = hand_off(&script, &request(), None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
        let session = error.into_details().session.unwrap();
        let opening = script.body(1)["messages"][0]["message_parts"].clone();

        let found =
            json!({ "messages": [{ "id": "m-1", "actor_type": "user", "message_parts": opening }] }).to_string();
        let script = Script::default()
            .then(200, r#"{"conversations": [{"id": "old"}, {"id": "c-1"}]}"#)
            .then(200, r#"{"messages": []}"#)
            .then(200, &found)
            .then(200, r#"{"conversation_id": "c-1", "status": "new"}"#)
            .then(200, r#"{"id": "m-2"}"#);
        let receipt = hand_off(&script, &request(), Some(&session)).unwrap();
        assert_eq!(
            script.sent(),
            [
                "Get /v2/users/user-1/conversations",
                "Get /v2/conversations/old/messages?page=1&items_per_page=50",
                "Get /v2/conversations/c-1/messages?page=1&items_per_page=50",
                "Get /v2/conversations/c-1",
                "Post /v2/conversations/c-1/messages",
            ]
        );
        assert_eq!(script.batches(), [1, 2, 1, 1], "conversations are searched together");
        assert_eq!(script.body(4)["message_type"], "private", "the page that was missing");
        assert_eq!(receipt.steps[0].action, "adopt-conversation");
    }

    #[test]
    fn a_write_that_was_surely_refused_leaves_nothing_to_look_for() {
        let script = Script::default().then(200, r#"{"users": [{"id": "user-1"}]}"#).then(429, "");
        let error = hand_off(&script, &request(), None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::RateLimited);
        let script = Script::default().then(200, CONVERSATION);
        hand_off(&script, &request(), error.session.as_deref()).unwrap();
        assert_eq!(script.sent(), ["Post /v2/conversations"]);
    }

    #[test]
    fn a_person_known_by_address_gets_the_platforms_id_even_if_that_is_refused() {
        let mut request = request();
        request.user.email = Some("ana+x@example.com".into());
        request.user.phone = Some("+1555".into());
        for (status, findings) in [(200, 0), (400, 1)] {
            let script = Script::default()
                .then(200, r#"{"users": []}"#)
                .then(200, r#"{"users": [{"id": "user-1"}]}"#)
                .then(status, "")
                .then(200, CONVERSATION);
            let receipt = hand_off(&script, &request, None).unwrap();
            assert_eq!(script.sent()[1..3], ["Get /v2/users?email=ana%2Bx%40example.com", "Put /v2/users/user-1"]);
            assert_eq!(receipt.findings.len(), findings);
            assert!(script.is_used_up());
        }
    }

    #[test]
    fn what_is_handed_over_is_not_handed_over_again() {
        let script = Script::default().then(200, r#"{"users": [{"id": "user-1"}]}"#).then(200, CONVERSATION);
        let first = hand_off(&script, &request(), None).unwrap();
        let nothing = Script::default();
        let second = hand_off(&nothing, &request(), Some(&first.session)).unwrap();
        assert_eq!((second.case_id, second.steps.len(), nothing.sent().len()), (first.case_id, 0, 0));
    }

    #[test]
    fn markers_are_found_again() {
        let written = transcript::write(&request(), 2, "7f3a9c2e", 5_000);
        assert!(is_of_handoff(&written.opening, "7f3a9c2e") && is_of_handoff(&written.pages[0], "7f3a9c2e"));
        assert!(!is_of_handoff(&written.opening, "00000000"));
        assert!(!is_of_handoff("my number is\nHandoff · ref 7f3a9c2e", "7f3a9c2e"));
    }
}

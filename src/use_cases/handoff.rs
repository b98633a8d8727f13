//! Hands a conversation over: a live conversation with summary and history, or a ticket.
//!
//! The order of the steps is that of their dependence, and each step can be found again by its marker, so that a try goes
//! on where the one before it ended.

use std::rc::Rc;

use crate::conversation::lifecycle::{self, Action, Input};
use crate::conversation::session::{Session, Unsure, reference};
use crate::conversation::timers;
use crate::freshchat::endpoints::Author;
use crate::http::Http;
use crate::http::client::Client;
use crate::settings::context_map::{self, Carried};
use crate::settings::{Availability, Settings};
use crate::text::transcript::{self, Style, Transcript};
use crate::use_cases::{Receipt, describe, relay, times};
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{
    Decision, ExternalCase, Finding, GroupId, HandoffRequest, Message, Mode, Part, SessionState, Step, Timestamp,
    WaitEstimate,
};

mod estimate;
mod live;
mod preview;
mod target;
mod ticket;

pub use preview::preview;
use target::Absence;

const MAX_MESSAGES: usize = 10_000;
/// An instance with the default limits of a host takes this with room to spare.
const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;
/// Earlier handoffs of the same conversation that are looked for when the session was lost.
const MAX_ATTEMPTS: u32 = 8;
const MAX_ID: usize = 255;

/// Hands over, or goes on with a handoff that was begun.
pub fn handoff(
    http: &dyn Http,
    settings: &str,
    request: &HandoffRequest,
    session: Option<&[u8]>,
    now: Timestamp,
) -> Result<Receipt, Error> {
    let settings = Settings::parse(settings)?;
    check(request, now)?;
    let freshchat = Client::chat(http, &settings)?;
    let mode = request.mode;
    // A live conversation does not need it, so nothing that is wrong with it stands in the way.
    let desk = if mode == Mode::Live { None } else { Client::tickets(http, &settings)? };
    let mut run = Run::new(&freshchat, desk.as_ref(), &settings, request);
    if mode == Mode::Ticket {
        run.desk()?;
    }

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
        // Whoever has a ticket may still ask for a person.
        Some(stored) if stored.state == SessionState::Ticketed && mode != Mode::Live => {
            return Ok(run.receipt(&stored, None));
        }
        Some(stored) => match lifecycle::step(stored.state, Input::HandoffAsked) {
            (_, Action::Done) => return Ok(run.receipt(&stored, None)),
            (_, Action::Refuse | Action::Ignore(_)) => {
                return Err(Error::request(
                    "session",
                    "the end of this conversation is under way",
                    "Call `close` until it succeeds, then hand off again.",
                ));
            }
            (_, Action::Go | Action::HandBack) if stored.state == SessionState::Requesting => stored,
            (_, Action::Go | Action::HandBack) => {
                let mut stored = stored;
                // A message may have opened a conversation that nobody knows of yet: it is looked for there as well.
                let known = stored.conversation.clone().zip(stored.user.clone());
                if let Some((old, user)) = known.filter(|_| stored.is_unsure(Unsure::Conversation))
                    && let Err(error) = relay::adopt_replacement(&freshchat, &mut stored, &old, &user)
                {
                    return Err(error.with_session(stored.encode()));
                }
                stored.again(&request.key)
            }
        },
    };

    // In the session, because this try may fail before it has looked.
    session.look |= request.retry;
    run.owed_brief = session.is_unsure(Unsure::Brief);
    match run.all_steps(&mut session) {
        Ok(agent_url) => {
            let done = if session.ticket.is_some() { Input::TicketFiled } else { Input::HandoffDone };
            let (state, _) = lifecycle::step(session.state, done);
            // Somebody may have taken it, or answered, while it was under way.
            let taken = session.agent.is_some();
            session.enter(if taken { lifecycle::step(state, Input::Assigned).0 } else { state }, now);
            timers::alive(&mut session, now);
            if settings.wait_estimate && session.state == SessionState::Queued {
                run.estimate = run.wait_estimate(&session, now);
            }
            Ok(run.receipt(&session, agent_url))
        }
        Err(error) => Err(error.with_session(session.encode())),
    }
}

/// Refuses what cannot be carried before anything is sent.
fn check(request: &HandoffRequest, now: Timestamp) -> Result<(), Error> {
    times::check("now", now)?;
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
        if value.len() > MAX_ID {
            let message = format!("`{field}` is longer than {MAX_ID} bytes");
            return Err(Error::request(field, message, "Pass a shorter id that is as unique, for example a hash."));
        }
    }
    if let Some(email) = &request.user.email
        && !email.trim().is_empty()
        && (!email.contains('@') || email.chars().any(char::is_whitespace))
    {
        let remedy = "Pass a real address, or leave it out: a made-up one joins people who are not the same.";
        return Err(Error::request("request.user.email", "invalid e-mail address", remedy));
    }
    if request.routing().skill.as_ref().is_some_and(|skill| skill.len() > MAX_ID) {
        let message = format!("`request.routing.skill` is longer than {MAX_ID} bytes");
        return Err(Error::request("request.routing.skill", message, "Pass the name of one skill."));
    }
    if request.history().len() > MAX_MESSAGES {
        let message = format!("the history has more than {MAX_MESSAGES} messages");
        return Err(Error::request("request.history", message, "Pass the newest ones."));
    }
    if text_bytes(request) > MAX_TEXT_BYTES {
        let message = "the request holds more than 2 MiB of text";
        return Err(Error::request(
            "request.history",
            message,
            "Pass the newest messages, and a short summary and reason.",
        ));
    }
    times::check_history(request.history())
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
    of_request + request.history().iter().map(of_message).sum::<usize>()
}

/// One try.
struct Run<'a> {
    freshchat: &'a Client<'a>,
    desk: Option<&'a Client<'a>>,
    settings: &'a Settings,
    request: &'a HandoffRequest,
    /// The values of the context, masked, by where they go.
    carried: Carried,
    /// The end user's name, masked: where a rule asks for it, for example because it is a phone number.
    name: Option<String>,
    /// An earlier try has left the brief to be written, and may have written it.
    owed_brief: bool,
    steps: Vec<Step>,
    findings: Vec<Finding>,
    decisions: Vec<Decision>,
    /// The group that has the conversation, as Freshchat said when it was opened or found.
    found_in: Option<GroupId>,
    estimate: Option<WaitEstimate>,
    /// The texts, by what they depend on besides request and settings: they are masked and laid out once.
    rendered: Option<((usize, String), Rc<Transcript>)>,
}

impl<'a> Run<'a> {
    fn new(
        freshchat: &'a Client<'a>,
        desk: Option<&'a Client<'a>>,
        settings: &'a Settings,
        request: &'a HandoffRequest,
    ) -> Self {
        let mut carried = context_map::carry(&settings.context, request.context());
        // What is shown is masked with all other texts.
        for values in [&mut carried.conversation, &mut carried.user, &mut carried.ticket] {
            for (_, value) in values.iter_mut() {
                *value = settings.masking.text(value);
            }
        }
        let name = request.user.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name = name.map(|name| settings.masking.text(name));
        let (steps, findings, decisions) = (Vec::new(), Vec::new(), Vec::new());
        let (found_in, estimate) = (None, None);
        let owed_brief = false;
        Self {
            freshchat,
            desk,
            settings,
            request,
            carried,
            name,
            owed_brief,
            steps,
            findings,
            decisions,
            found_in,
            estimate,
            rendered: None,
        }
    }

    /// The receipt of a handoff that was done, now or before.
    fn receipt(self, session: &Session, agent_url: Option<String>) -> Receipt {
        let case_id = match (&session.ticket, &session.conversation) {
            (Some(ticket), _) => {
                let desk = self.settings.ticket_desk().ok().flatten();
                let prefix = if desk.is_some_and(|desk| desk.is_freshservice) { "fs" } else { "fd" };
                format!("{prefix}:{ticket}")
            }
            (None, conversation) => {
                format!("fc:{}", conversation.as_ref().map(|id| id.as_str()).unwrap_or_default())
            }
        };
        Receipt {
            external_case: ExternalCase { case_id, kind: describe::NAME.to_owned() },
            agent_url,
            steps: self.steps,
            findings: self.findings,
            decisions: self.decisions,
            estimate: self.estimate,
            session: session.encode(),
            info: session.info(self.settings),
        }
    }

    fn all_steps(&mut self, session: &mut Session) -> Result<Option<String>, Error> {
        if self.adopted(session)? {
            self.decide(
                "mode",
                "begun-before",
                mode_word(if session.ticket.is_some() { Mode::Ticket } else { Mode::Live }),
            );
        } else if self.is_ticket(session)? {
            self.file(session)?;
            return Ok(None);
        }
        if session.ticket.is_some() {
            return Ok(None);
        }
        match self.live(session) {
            // What failed for good and left nothing behind is no reason to leave the person alone.
            Err(error)
                if self.request.mode == Mode::Automatic
                    && self.desk.is_some()
                    && is_lasting(&error)
                    && is_untouched(session) =>
            {
                self.decide("mode", "live-failed", mode_word(Mode::Ticket));
                self.findings.push(Finding::warning(
                    "mode",
                    "live-failed",
                    format!("no live conversation could be opened ({}); a ticket was filed", error.message),
                    error.remedy.clone().unwrap_or_default(),
                ));
                self.file(session)?;
                Ok(None)
            }
            done => done,
        }
    }

    fn live(&mut self, session: &mut Session) -> Result<Option<String>, Error> {
        let user = self.user(session)?;
        let channel = self.channel(session)?;
        let assignment = self.assignment()?;
        let note_author = self.note_author()?;
        self.tell_context();
        let mut author = note_author.map_or_else(|| Author::User(user.clone()), Author::NoteBy);
        loop {
            let agent_url = self.conversation(session, &user, &channel, assignment.clone(), &mut author)?;
            if self.rest(session, &user, &mut author)? {
                return Ok(agent_url);
            }
            // Somebody has deleted what an earlier try began. Each round of this loop needs another deletion.
            session.drop_conversation();
        }
    }

    /// With `automatic`, a lost try may have opened a conversation or filed a ticket: both are looked for before the choice is
    /// made anew. With `ticket`, a conversation that may have been opened goes before.
    fn adopted(&mut self, session: &mut Session) -> Result<bool, Error> {
        let is_unsure = session.is_unsure(Unsure::Conversation) && self.request.mode != Mode::Live;
        if session.conversation.is_some() {
            return Ok(true);
        }
        if !(is_unsure || session.look && self.request.mode == Mode::Automatic) {
            return Ok(false);
        }
        let user = match &session.user {
            Some(user) => Some(user.clone()),
            None => self.find_user()?.map(|user| user.id),
        };
        if let Some(user) = user
            && self.find(session, &user)?.is_some()
        {
            session.user = Some(user);
            (session.look, session.lost) = (false, false);
            return Ok(true);
        }
        session.set_unsure(Unsure::Conversation, false);
        if session.look && self.desk.is_some() {
            match self.find_ticket(session) {
                Ok(true) => {
                    (session.look, session.lost) = (false, false);
                    return Ok(true);
                }
                Ok(false) => {}
                // A desk that lets nobody in takes no second ticket either, and must not keep the person from human agents. The
                // look stays owed before any ticket is filed.
                Err(error) if error.kind == ErrorKind::Unauthorized => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        (session.look, session.lost) = (false, false);
        Ok(false)
    }

    /// Whether it shall be a ticket, and why.
    fn is_ticket(&mut self, session: &Session) -> Result<bool, Error> {
        // A ticket that may exist does not keep anybody from asking for a person.
        let is_begun = session.is_unsure(Unsure::Ticket) && self.request.mode != Mode::Live;
        if self.request.mode == Mode::Ticket || is_begun {
            let rule = if self.request.mode == Mode::Ticket { "requested" } else { "begun-before" };
            self.decide("mode", rule, mode_word(Mode::Ticket));
            return Ok(true);
        }
        let mut rule = if self.request.mode == Mode::Live { "requested" } else { "default" };
        if self.settings.availability != Availability::Off {
            let before = self.decisions.len();
            let assignment = self.assignment()?;
            // Said once, when it is used.
            self.decisions.truncate(before);
            if let Some(absence) = self.absence(&assignment) {
                rule = match absence {
                    Absence::OutsideHours => "outside-hours",
                    Absence::NobodyAvailable => "nobody-available",
                };
                if self.request.mode == Mode::Automatic && self.desk.is_some() {
                    self.decide("mode", rule, mode_word(Mode::Ticket));
                    return Ok(true);
                }
                let detail = "nobody is there at the moment; the conversation waits in the queue";
                let remedy = "Tell the end user that it may take a while; or set up a ticket desk and hand off with the mode automatic.";
                self.findings.push(match absence {
                    Absence::OutsideHours => Finding::warning("availability", "outside-hours", detail, remedy),
                    Absence::NobodyAvailable => Finding::warning("availability", "nobody-available", detail, remedy),
                });
            }
        }
        self.decide("mode", rule, mode_word(Mode::Live));
        Ok(false)
    }

    fn max_chars(&self) -> usize {
        usize::try_from(self.settings.max_message_chars).unwrap_or(usize::MAX)
    }

    /// The texts of this handoff. What a try has begun with stays the base of the next.
    fn written(&mut self, session: &mut Session) -> Rc<Transcript> {
        let depends_on = (self.first(session), session.reference.clone());
        if let Some((on, written)) = &self.rendered
            && *on == depends_on
        {
            return Rc::clone(written);
        }
        let written = Rc::new(self.texts(session, self.max_chars(), true));
        self.rendered = Some((depends_on, Rc::clone(&written)));
        written
    }

    /// How many messages the first try has begun with.
    fn first(&self, session: &mut Session) -> usize {
        let count = u32::try_from(self.request.history().len()).unwrap_or(u32::MAX);
        usize::try_from(*session.history.get_or_insert(count)).unwrap_or(usize::MAX)
    }

    fn texts(&self, session: &mut Session, max_chars: usize, says_next: bool) -> Transcript {
        let first = self.first(session);
        let style = Style {
            reference: &session.reference,
            max_chars,
            language: self.settings.language,
            time_zone: &self.settings.time_zone,
            masking: &self.settings.masking,
            shown: &self.carried.shown,
            says_next,
        };
        transcript::write(self.request, first, &style)
    }

    /// What became of the context.
    fn tell_context(&mut self) {
        let (all, left_out) = (self.request.context().len(), self.carried.left_out);
        if all > left_out {
            self.decide("context", "settings", (all - left_out).to_string());
        }
        if left_out > 0 {
            self.findings.push(Finding::warning(
                "context",
                "context-left-out",
                format!("{left_out} context values were not carried over"),
                "Name them in the setting `context` to carry them over.",
            ));
        }
    }

    /// How much of the texts was masked.
    fn tell_masked(&mut self, written: &Transcript) {
        if written.masked > 0 {
            self.decide("masking", "settings", written.masked.to_string());
        }
    }

    fn decide(&mut self, subject: &'static str, rule: &'static str, choice: impl Into<String>) {
        self.decisions.push(Decision { subject: subject.to_owned(), rule: rule.to_owned(), choice: choice.into() });
    }

    /// The skill that is asked for, and the property that it goes into.
    fn skill(&self) -> (Option<&'a str>, Option<&'a str>) {
        let skill = self.request.routing().skill.as_deref().map(str::trim).filter(|skill| !skill.is_empty());
        (skill, self.settings.skill_property.as_deref())
    }

    /// The handoff goes on without the skill.
    fn without_skill(&mut self, code: &'static str, detail: &'static str, remedy: &'static str) {
        self.find_once(Finding::warning("skill", code, detail, remedy));
    }

    fn fell_back(&mut self, check: &'static str, code: &'static str, detail: String) {
        self.findings.push(Finding::warning(
            check,
            code,
            detail,
            "Run connect, and correct the name in settings or request.",
        ));
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Automatic => "automatic",
        Mode::Live => "live",
        Mode::Ticket => "ticket",
    }
}

/// No later try of the same will do better.
fn is_lasting(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::NotFound | ErrorKind::Rejected)
}

/// Nothing was made, and nothing may have been made.
fn is_untouched(session: &Session) -> bool {
    session.conversation.is_none() && !session.is_anything_unsure()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, Script, request};
    use handoff_contract::error::ErrorKind;
    use serde_json::json;

    const SETTINGS: &str = r#"{
        "chat_url": "acme", "api_key": "k", "note_author": "agent-9", "group": "Support", "priority": "high",
        "resolved": {"origin": "https://acme.freshchat.com", "topics": {"Sendbird Integration": "topic-1"}, "groups": {"Support": "group-1"}}
    }"#;
    const KNOWN: &str = r#"{"users": [{"id": "user-1", "reference_id": "u-1"}]}"#;
    const CONVERSATION: &str = r#"{"conversation_id": "c-1", "conversation_internal_id": 1019183591791880, "messages": [{"id": "m-1"}, {"id": "m-2"}]}"#;

    fn hand_off(script: &Script, request: &HandoffRequest, session: Option<&[u8]>) -> Result<Receipt, Error> {
        handoff(script, SETTINGS, request, session, NOW)
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
        assert_eq!(authors(&messages[2]), (json!("user-1"), json!("normal")));
        let brief = messages[2]["message_parts"][0]["text"]["content"].as_str().unwrap();
        assert!(brief.starts_with("My order is late\n"), "the list of the inbox shows the matter: {brief}");
        assert_eq!(messages.len(), 3);
        assert_eq!(receipt.external_case.case_id, "fc:c-1");
        assert_eq!(receipt.info.conversation_ids, ["c-1", "1019183591791880"]);
        assert_eq!(receipt.info.state, SessionState::Queued);
    }

    #[test]
    fn an_unknown_outcome_is_looked_for_before_it_is_repeated() {
        let script = Script::default().then(200, KNOWN).then(500, "");
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
            .then(200, r#"{"id": "m-2"}"#)
            .then(200, r#"{"id": "m-3"}"#);
        let receipt = hand_off(&script, &request(), Some(&session)).unwrap();
        assert_eq!(
            script.sent(),
            [
                "Get /v2/users/user-1/conversations",
                "Get /v2/conversations/old/messages?page=1&items_per_page=50",
                "Get /v2/conversations/c-1/messages?page=1&items_per_page=50",
                "Get /v2/conversations/c-1",
                "Post /v2/conversations/c-1/messages",
                "Post /v2/conversations/c-1/messages",
            ]
        );
        assert_eq!(script.batches(), [1, 2, 1, 1, 1], "conversations are searched together");
        assert_eq!(script.body(4)["message_type"], "private", "the page that was missing");
        assert_eq!(script.body(5)["message_type"], "normal", "the brief that was missing");
        assert_eq!(receipt.steps[0].action, "adopt-conversation");
    }

    #[test]
    fn a_write_that_was_surely_refused_leaves_nothing_to_look_for() {
        let script = Script::default().then(200, KNOWN).then(429, "");
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
        request.user.email_verified = true;
        request.user.phone = Some("+1555".into());
        for (status, findings) in [(200, 0), (400, 1)] {
            let script = Script::default()
                .then(200, r#"{"users": []}"#)
                .then(200, r#"{"users": [{"id": "user-1", "email": "Ana+X@example.com"}]}"#)
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
        let script = Script::default().then(200, KNOWN).then(200, CONVERSATION);
        let first = hand_off(&script, &request(), None).unwrap();
        let nothing = Script::default();
        let second = hand_off(&nothing, &request(), Some(&first.session)).unwrap();
        assert_eq!(
            (second.external_case.case_id, second.steps.len(), nothing.sent().len()),
            (first.external_case.case_id, 0, 0)
        );
    }

    fn list(texts: &[&str]) -> String {
        let message = |(number, text): (usize, &&str)| {
            let parts = json!([{ "text": { "content": text } }]);
            json!({ "id": format!("m-{number}"), "actor_type": "user", "actor_id": "user-1", "message_parts": parts })
        };
        let all: Vec<_> = texts.iter().enumerate().rev().map(message).collect();
        json!({ "messages": all }).to_string()
    }

    /// What is written by a try whose forerunner has left these texts, oldest first.
    fn goes_on(request: &HandoffRequest, texts: &[&str]) -> Vec<String> {
        let mut session = Session::begin(&request.key, 1);
        (session.user, session.history) = (Some("user-1".into()), Some(2));
        session.set_unsure(Unsure::Conversation, true);
        let mut script = Script::default()
            .then(200, r#"{"conversations": [{"id": "c-1"}]}"#)
            .then(200, &list(texts))
            .then(200, r#"{"conversation_id": "c-1", "status": "new"}"#);
        for number in 0..3 {
            script = script.then(200, &format!(r#"{{"id": "n-{number}"}}"#));
        }
        hand_off(&script, request, Some(&session.encode())).unwrap();
        let text = |number| script.body(number)["message_parts"][0]["text"]["content"].as_str().unwrap().to_owned();
        (3..script.sent().len()).map(text).collect()
    }

    #[test]
    fn what_stands_is_found_and_only_the_rest_is_written() {
        let script = Script::default().then(200, KNOWN).then(200, CONVERSATION);
        hand_off(&script, &request(), None).unwrap();
        let text = |number: usize| {
            let body = script.body(1);
            body["messages"][number]["message_parts"][0]["text"]["content"].as_str().unwrap().to_owned()
        };
        let (opening, page, brief) = (text(0), text(1), text(2));
        assert_eq!(goes_on(&request(), &[&opening]), [page.clone(), brief.clone()]);
        let all = [opening.as_str(), &page, &brief];
        assert_eq!(goes_on(&request(), &all), [""; 0]);
        // What came meanwhile follows behind what stands.
        let mut grown = request();
        grown.history.as_mut().unwrap().push(crate::testing::message(
            "3",
            handoff_contract::model::SenderRole::EndUser,
            None,
            "Hello?",
        ));
        let written = goes_on(&grown, &all);
        assert_eq!(written.len(), 1, "{written:?}");
        assert!(written[0].contains("Hello?\nLater messages, up to 3, 1/1 · ref "), "{}", written[0]);
    }

    #[test]
    fn what_a_version_has_begun_that_wrote_the_brief_first_is_complete() {
        let reference = reference(&request().key, 1);
        let opening = format!(
            "Handoff from the AI agent · ref {reference}\nReason: the user asked for a person\nUser: Ana Silva\n\
             History: 2 messages, below, oldest first, times in UTC"
        );
        let page = format!("History 1/1 · ref {reference}\n— 2025-07-10 —\n19:47 Ana Silva (user): My order is late");
        assert_eq!(goes_on(&request(), &[&opening, &page]), [""; 0]);
        let written = goes_on(&request(), &[&opening]);
        assert_eq!(written.len(), 1, "the page that was missing, and no second brief: {written:?}");
    }
}

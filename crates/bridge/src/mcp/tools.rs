//! The tools: what the model may say, and what it reads. Settings, secrets, sessions and times never pass through it, and nothing that
//! it says identifies anybody: its word that an address is verified would be worth nothing.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::use_cases::handoff;
use handoff_contract::error::ErrorKind;
use handoff_contract::model::{
    CloseReason, ConversationKey, EndUser, FindingLevel, HandoffRequest, Message, Mode, Part, Reason, Sender,
    SenderRole, Timestamp,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Caller, Need, Scope};
use crate::handoffs::handoff_id;
use crate::http::Call;
use crate::http::json::{Fields, set};
use crate::http::problem::{self, Problem, read};
use crate::http::responses::NumberedEvent;
use crate::lease::LeasedHandoff;
use crate::mcp::LIST_TTL_MS;
use crate::mcp::message::{Capabilities, Fault, INVALID_PARAMS, Request, shortened};
use crate::platform::Asked;
use crate::service::Service;
use crate::state::{Connection, Handoff, StateError};

/// What `tools/list` answers, but for `connection`.
const TOOLS: &str = include_str!("tools.json");
/// The application in keys of conversations that come by this door: none of them meets one of `/v1`.
const APPLICATION: &str = "mcp";
const MAX_ID: usize = 255;
const MAX_TEXT: usize = 100_000;
const MAX_SUMMARY: usize = 20_000;
const MAX_MESSAGES: usize = 500;
/// Names of connections that the list of tools shows.
const MAX_NAMED: usize = 50;
/// What the arguments are called in problems.
const ARGUMENTS: &str = "arguments";
/// The name of the one question that a tool may have.
const EMAIL: &str = "email";

/// What the model says, whatever the tool: the list of tools says which of these one takes. One type, because each costs the component
/// some kilobytes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Arguments {
    conversation: String,
    summary: String,
    messages: Vec<Said>,
    reason: Option<String>,
    mode: Option<Mode>,
    user_id: Option<String>,
    user_name: Option<String>,
    user_email: Option<String>,
    language: Option<String>,
    request_id: Option<String>,
    message_id: String,
    text: String,
    after: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    from: From,
    text: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    User,
    Assistant,
}

/// The tools, as they are listed.
fn list() -> Value {
    serde_json::from_str(TOOLS).unwrap_or_default()
}

/// What stands for one of these words; the first where none was said.
fn one_of<T: Copy>(said: Option<&str>, words: &[(&'static str, T)]) -> Result<T, Problem> {
    let found = words.iter().find(|(word, _)| said.is_none_or(|said| said == *word));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let remedy = format!("Pass one of these: {}.", words.join(", "));
        Problem::new(400, "invalid-request", "the argument `reason` is none of its words")
            .at("reason")
            .with_remedy(remedy)
    })
}

/// The platform's key of a conversation. Each is a place of its own.
fn key_of(conversation: &str) -> ConversationKey {
    ConversationKey {
        application: APPLICATION.to_owned(),
        channel: conversation.to_owned(),
        conversation: conversation.to_owned(),
    }
}

fn id_of(conversation: &str) -> Result<String, Problem> {
    check("conversation", conversation, MAX_ID)?;
    Ok(handoff_id(&key_of(conversation)))
}

/// A text that the model has given.
fn check(name: &str, text: &str, most: usize) -> Result<(), Problem> {
    let fault = if text.trim().is_empty() {
        "is empty".to_owned()
    } else if text.chars().nth(most).is_some() {
        format!("is longer than {most} characters")
    } else {
        return Ok(());
    };
    let remedy = if text.trim().is_empty() { "Fill it in." } else { "Shorten it, or send it in parts." };
    Err(Problem::new(400, "invalid-request", format!("the argument `{name}` {fault}")).at(name).with_remedy(remedy))
}

/// Reads what the model has given to a tool, as the list of tools has it.
fn arguments(given: &Value, tool: &Value) -> Result<Arguments, Problem> {
    let known = tool.field("inputSchema").field("properties");
    let names = given.as_object().into_iter().flatten().map(|(name, _)| name);
    if let Some(name) = names.into_iter().find(|name| known.get(name.as_str()).is_none()) {
        let name = shortened(name);
        return Err(Problem::new(400, "invalid-request", format!("the tool takes no argument `{name}`"))
            .at(name)
            .with_remedy("Leave it out."));
    }
    read(given.to_string().as_bytes(), ARGUMENTS)
}

fn person(conversation: &str, id: Option<String>, name: Option<String>, email: Option<String>) -> EndUser {
    EndUser {
        id: id.unwrap_or_else(|| conversation.to_owned()),
        name,
        email,
        email_verified: false,
        phone: None,
        phone_verified: false,
        locale: None,
        avatar_url: None,
    }
}

/// What the end user has written.
pub(super) fn message_of_user(id: String, text: String, now: Timestamp) -> Message {
    let sender = Sender { role: SenderRole::EndUser, id: None, name: None, avatar_url: None };
    Message { id, sender, sent_at: now, parts: vec![Part::text(text)] }
}

impl Arguments {
    fn check(&self) -> Result<(), Problem> {
        check("conversation", &self.conversation, MAX_ID)?;
        check("summary", &self.summary, MAX_SUMMARY)?;
        for (name, given) in [
            ("user_id", &self.user_id),
            ("user_name", &self.user_name),
            ("user_email", &self.user_email),
            ("language", &self.language),
            ("request_id", &self.request_id),
        ] {
            given.as_deref().map_or(Ok(()), |given| check(name, given, MAX_ID))?;
        }
        if self.messages.len() > MAX_MESSAGES {
            let fault = format!("the argument `messages` has more than {MAX_MESSAGES} entries");
            let remedy = "Send the newest ones, and sum the others up.";
            return Err(Problem::new(400, "invalid-request", fault).at("messages").with_remedy(remedy));
        }
        self.messages
            .iter()
            .enumerate()
            .try_for_each(|(at, said)| check(&format!("messages[{at}].text"), &said.text, MAX_TEXT))
    }

    fn into_request(self, reason: Reason, now: Timestamp) -> HandoffRequest {
        let count = self.messages.len() as u64;
        let history = (0..).zip(self.messages).map(|(at, Said { from, text }): (u64, Said)| {
            let mut message = message_of_user(format!("h-{at}"), text, now.saturating_sub(count.saturating_sub(at)));
            if matches!(from, From::Assistant) {
                message.sender.role = SenderRole::AiAgent;
            }
            message
        });
        let history = Some(history.collect());
        let mut user = person(&self.conversation, self.user_id, self.user_name, self.user_email);
        user.locale = self.language;
        HandoffRequest {
            key: key_of(&self.conversation),
            user,
            mode: self.mode.unwrap_or(Mode::Automatic),
            reason,
            reason_text: None,
            category: None,
            summary: Some(self.summary),
            history,
            context: None,
            routing: None,
            retry: false,
        }
    }
}

/// What a tool has led to.
enum Outcome {
    /// The model reads it.
    Done(Value),
    /// The client has to do something first, or to follow a task.
    Open(Value),
}

impl Service<'_> {
    /// `tools/list`. Where a token reaches one connection, the model need not know that there are any.
    pub(super) fn list_tools(&self, caller: &Caller, is_stateless: bool) -> Result<Value, Fault> {
        let mut list = list();
        let reached = self.reached(caller).map_err(|error| internal(&error.into()))?;
        if reached.len() > 1
            && let Some(tools) = list.get_mut("tools").and_then(Value::as_array_mut)
        {
            let mut connection =
                json!({ "type": "string", "maxLength": 64, "description": "Which account of human agents." });
            if reached.len() <= MAX_NAMED {
                set(&mut connection, "enum", reached);
            }
            for schema in tools.iter_mut().filter_map(|tool| tool.get_mut("inputSchema")) {
                if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
                    required.push("connection".into());
                }
                if let Some(properties) = schema.get_mut("properties") {
                    set(properties, "connection", connection.clone());
                }
            }
        }
        if is_stateless {
            set(&mut list, "ttlMs", LIST_TTL_MS);
            set(&mut list, "cacheScope", "private");
        }
        Ok(list)
    }

    /// Names of the connections that a token reaches.
    fn reached(&self, caller: &Caller) -> Result<Vec<String>, StateError> {
        if caller.may(Need::Admin) {
            return Ok(self.readable()?.into_iter().map(|connection| connection.id).collect());
        }
        let own = caller.scopes().iter().filter_map(|scope| match scope {
            Scope::Connection(id) => Some(id.clone()),
            _ => None,
        });
        Ok(own.collect())
    }

    /// The connection that is meant.
    fn meant(&self, caller: &Caller, named: Option<&str>) -> Result<Connection, Problem> {
        let wrong = |detail: String, remedy: String| {
            Problem::new(403, "not-permitted", detail).at("connection").with_remedy(remedy)
        };
        if let Some(name) = named {
            // The same whether or not there is one of that name.
            let known = || {
                wrong(
                    "the token reaches no connection of that name".to_owned(),
                    "Use a name that tools/list shows.".to_owned(),
                )
            };
            if !caller.may(Need::Connection(name)) {
                return Err(known());
            }
            return self.connected(name);
        }
        match self.reached(caller)?.as_slice() {
            [one] => self.connected(one),
            [] => Err(wrong(
                "the token reaches no connection".to_owned(),
                "An admin has to give out a token with the scope connection:<name>.".to_owned(),
            )),
            several => {
                let names: Vec<&str> = several.iter().take(MAX_NAMED).map(String::as_str).collect();
                let remedy = format!("Pass the argument `connection`: one of {}.", names.join(", "));
                Err(wrong("the token reaches several connections".to_owned(), remedy))
            }
        }
    }

    /// `tools/call`.
    pub(super) fn call_tool(
        &self,
        call: &Call<'_>,
        request: &Request<'_>,
        client: Capabilities,
    ) -> Result<Value, Fault> {
        let name = request.params.field("name").as_str().unwrap_or_default();
        let list = list();
        let tools = list.field("tools").as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(tool) = tools.iter().find(|tool| tool.field("name") == name) else {
            return Err(Fault::new(INVALID_PARAMS, format!("Unknown tool: {}", shortened(name))));
        };
        let mut given = match request.params.field("arguments") {
            Value::Null => json!({}),
            given => given.clone(),
        };
        let connection = given.as_object_mut().and_then(|given| given.remove("connection"));
        let carry_out = |on: &Connection| {
            let said = arguments(&given, tool)?;
            match name {
                "hand_to_human" => self.hand_to_human(on, said, request.params.field("inputResponses"), client),
                "message_human" => self.message_human(on, said),
                "handoff_status" => self.handoff_status(on, &said),
                "cancel_handoff" => self.cancel_handoff(on, &said),
                _ => self.preview_handoff(on, said),
            }
        };
        let named = match &connection {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.as_str()),
            Some(_) => {
                return Ok(failed(
                    &Problem::new(400, "invalid-request", "the argument `connection` is no text").at("connection"),
                ));
            }
        };
        match self.meant(&call.caller, named).and_then(|connection| carry_out(&connection)) {
            Ok(Outcome::Done(said)) => Ok(json!({
                "content": [{ "type": "text", "text": said.to_string() }],
                "structuredContent": said,
                "isError": false,
            })),
            Ok(Outcome::Open(result)) => Ok(result),
            Err(problem) => {
                self.refusal(call.request, problem.clone());
                Ok(failed(&problem))
            }
        }
    }

    fn hand_to_human(
        &self,
        connection: &Connection,
        mut wanted: Arguments,
        answers: &Value,
        client: Capabilities,
    ) -> Result<Outcome, Problem> {
        let answer = answers.field(EMAIL);
        if let Some(email) =
            answer.field("content").field(EMAIL).as_str().filter(|_| answer.field("action") == "accept")
        {
            wanted.user_email = Some(email.trim().to_owned());
        }
        wanted.check()?;
        let reasons =
            [("model-decision", Reason::ModelDecision), ("user-asked", Reason::UserAsked), ("safety", Reason::Safety)];
        let reason = one_of(wanted.reason.as_deref(), &reasons)?;
        let (conversation, now) = (wanted.conversation.clone(), (self.clock)());
        let key = key_of(&conversation);
        let repeat = wanted.request_id.as_deref().map(|id| digest(&["mcp", &conversation, id], 12));
        let request = wanted.into_request(reason, now);
        let handed_over = self.hand_over(connection, &key, Asked::Trial(Box::new(request)), repeat.as_deref());
        let handoff = match handed_over {
            Ok((handoff, _)) => handoff,
            Err(problem) if problem.kind == problem::word(ErrorKind::NeedsEmail) && client.asks_user => {
                // An answer without an address is an answer: nobody is asked twice.
                let is_answered = answer.is_object();
                return if is_answered { Err(problem) } else { Ok(Outcome::Open(ask_for_email())) };
            }
            Err(problem) => return Err(problem),
        };
        if client.follows_tasks && client.asks_user && handoff.is_with_humans() {
            return Ok(Outcome::Open(self.begin_task(connection, &handoff)?));
        }
        Ok(Outcome::Done(shown(&conversation, &handoff, &[])))
    }

    fn message_human(&self, connection: &Connection, said: Arguments) -> Result<Outcome, Problem> {
        let id = id_of(&said.conversation)?;
        check("message_id", &said.message_id, MAX_ID)?;
        check("text", &said.text, MAX_TEXT)?;
        let message = message_of_user(said.message_id, said.text, (self.clock)());
        let (handoff, _) = self.relay_message(connection, &id, &message)?;
        Ok(Outcome::Done(shown(&said.conversation, &handoff, &[])))
    }

    fn handoff_status(&self, connection: &Connection, asked: &Arguments) -> Result<Outcome, Problem> {
        let id = id_of(&asked.conversation)?;
        let (handoff, events) = self.fetch_events(connection, &id, asked.after)?;
        let mut said = shown(&asked.conversation, &handoff, &events);
        let newest = events.last().map_or(asked.after, |event| event.number);
        set(&mut said, "next_after", newest);
        Ok(Outcome::Done(said))
    }

    fn cancel_handoff(&self, connection: &Connection, asked: &Arguments) -> Result<Outcome, Problem> {
        let reasons = [
            ("user-cancelled", CloseReason::UserCancelled),
            ("user-left", CloseReason::UserLeft),
            ("returned-to-ai", CloseReason::ReturnedToAi),
        ];
        let reason = one_of(asked.reason.as_deref(), &reasons)?;
        let handoff = self.cancel(connection, &id_of(&asked.conversation)?, reason)?;
        Ok(Outcome::Done(shown(&asked.conversation, &handoff, &[])))
    }

    /// Ends the human part, and the task with it.
    pub(super) fn cancel(&self, connection: &Connection, id: &str, reason: CloseReason) -> Result<Handoff, Problem> {
        let unknown = crate::service::unknown_handoff;
        let was_open = self.state.handoff(&connection.id, id)?.ok_or_else(unknown)?.is_open();
        self.close(connection, id, reason, None)?;
        let handoff = self.state.handoff(&connection.id, id)?.ok_or_else(unknown)?;
        if !was_open || handoff.is_open() || handoff.task.is_none() {
            return Ok(handoff);
        }
        let mut work = LeasedHandoff::begin_known(self, &connection.id, &connection.settings, id, "")?;
        if let Some(task) = &mut work.handoff.task {
            task.is_cancelled = true;
        }
        work.save(&[])
    }

    fn preview_handoff(&self, connection: &Connection, mut asked: Arguments) -> Result<Outcome, Problem> {
        asked.summary = "-".to_owned();
        asked.check()?;
        let now = (self.clock)();
        let plan =
            handoff::preview(self.http, &connection.settings, &asked.into_request(Reason::ModelDecision, now), now)?;
        let is_possible = !plan.findings.iter().any(|finding| finding.level == FindingLevel::Failure);
        let findings = plan.findings.iter().filter(|finding| finding.level != FindingLevel::Ok);
        let findings: Vec<&str> = findings.map(|finding| &*finding.detail).collect();
        Ok(Outcome::Done(json!({ "possible": is_possible, "mode": plan.mode, "findings": findings })))
    }
}

/// Asks the end user for an address, by way of the client.
fn ask_for_email() -> Value {
    json!({
        "resultType": "input_required",
        "inputRequests": {
            EMAIL: {
                "method": "elicitation/create",
                "params": {
                    "mode": "form",
                    "message": "No human agent can answer right now. Under which e-mail address may one answer you later?",
                    "requestedSchema": {
                        "type": "object",
                        "properties": { EMAIL: { "type": "string", "format": "email", "title": "E-mail address" } },
                        "required": [EMAIL],
                    },
                },
            },
        },
    })
}

/// What the model reads of a handoff.
pub(super) fn shown(conversation: &str, handoff: &Handoff, events: &[NumberedEvent]) -> Value {
    let is_with_humans = handoff.is_with_humans();
    let next = match handoff.state.as_str() {
        "queued" => {
            "A human agent will come. Tell the user so. Pass on what the user writes with message_human, and call handoff_status."
        }
        _ if is_with_humans => {
            "A human agent answers. Pass on what the user writes with message_human, and call handoff_status; do not answer yourself."
        }
        "ticketed" => {
            "A ticket was filed: a human agent answers later, by e-mail. Tell the user so, and go on answering yourself."
        }
        "returned" => "The human part has ended. Answer the user yourself again.",
        _ => "No human agent has it. Answer the user yourself; hand_to_human may be called again.",
    };
    let mut said = json!({
        "conversation": conversation,
        "state": handoff.state,
        "with": if is_with_humans { "human" } else { "you" },
        "next": next,
    });
    if !is_with_humans && let Some(outcome) = handoff.outcome() {
        set(&mut said, "outcome", outcome);
    }
    let messages: Vec<Value> = events.iter().filter_map(written).collect();
    if !messages.is_empty() {
        set(&mut said, "messages", messages);
    }
    let summaries = events.iter().rev().filter_map(|event| event.event.field("summary").as_str());
    if let Some(summary) = summaries.take(1).next() {
        set(&mut said, "summary", summary);
    }
    said
}

/// What a human agent wrote.
pub(super) fn written(event: &NumberedEvent) -> Option<Value> {
    let message = event.event.get("message").filter(|message| message.is_object())?;
    let parts = message.field("parts").as_array()?;
    let lines: Vec<String> = parts.iter().filter_map(line).collect();
    let name = message.field("sender").field("name").as_str().unwrap_or("Human agent");
    Some(json!({ "number": event.number, "from": name, "text": lines.join("\n") }))
}

/// A part as a line: a file is its name and where it is.
fn line(part: &Value) -> Option<String> {
    let texts = ["text", "name", "url"].into_iter().filter_map(|name| part.field(name).as_str());
    let choices = part.field("choices").as_array().into_iter().flatten().filter_map(Value::as_str);
    let texts: Vec<&str> = texts.chain(choices).filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// What a model can do about a problem.
fn failed(problem: &Problem) -> Value {
    let wait = problem.retry_after_ms.map_or(5, |wait| wait.div_ceil(1000));
    let advice = match (problem.status, problem.kind) {
        (_, "needs-email") => {
            "Ask the user for an e-mail address, and call hand_to_human again with user_email.".to_owned()
        }
        (404, _) => {
            "Humans do not have this conversation. Check the argument `conversation`, or call hand_to_human first."
                .to_owned()
        }
        // What no argument of the schema can hold was found by the reader.
        (400, _) if problem.field.as_deref().is_some_and(|field| field.starts_with(ARGUMENTS)) => {
            "Correct that argument as the tool's schema says, and call again.".to_owned()
        }
        (400 | 403, _) => problem.remedy.clone().unwrap_or_else(|| "Correct the arguments, and call again.".to_owned()),
        (500.., "malformed" | "internal") | (409 | 422 | 424, _) => {
            "You cannot mend this. Tell the user that no human can be reached this way now.".to_owned()
        }
        _ => format!("Nothing is lost. Repeat the same call with the same ids in {wait} seconds."),
    };
    let mut said = json!({ "error": problem.kind, "detail": problem.detail, "next": advice });
    if let Some(field) = &problem.field {
        set(
            &mut said,
            "argument",
            field.strip_prefix(ARGUMENTS).map_or(field.as_str(), |name| name.trim_start_matches('.')),
        );
    }
    if let Some(wait) = problem.retry_after_ms {
        set(&mut said, "retry_after_ms", wait);
    }
    let text = format!("{}: {}. {advice}", problem.kind, problem.detail.trim_end_matches('.'));
    json!({ "content": [{ "type": "text", "text": text }], "structuredContent": said, "isError": true })
}

/// A problem in place of an answer of the protocol.
pub(super) fn internal(problem: &Problem) -> Fault {
    Fault::new(super::message::INTERNAL, format!("{}: {}", problem.kind, problem.detail))
}
